"""The copula over cells: quantiles and correlations come back, noise is shrunk."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, spearmanr

from swta.cells import load_class
from swta.cells.coordinates import COORDINATES
from swta.cells.distribution import LEVELS, ClassDistribution, fit_distribution, noise_share
from swta.validation import ParameterError

CENTRE = dict(
    zip(COORDINATES, (-70.0, 150.0, 12.0, 95.0, -38.0, 30.0, 14.0, 2.0, 80.0, 20.0), strict=True)
)
WIDTH = dict(zip(COORDINATES, (2.0, 0.1, 0.1, 0.1, 2.0, 5.0, 0.05, 0.3, 0.3, 0.3), strict=True))


def made_cells(n, seed=0, r=0.8):
    """Rest and threshold correlate by r, time constant and resistance by -r."""
    rng = np.random.default_rng(seed)
    z = pd.DataFrame(rng.standard_normal((n, len(COORDINATES))), columns=list(COORDINATES))
    other = np.sqrt(1 - r**2)
    z["threshold_v_mV"] = r * z["v_rest_mV"] + other * z["threshold_v_mV"]
    z["tau_ms"] = -r * z["input_resistance_MOhm"] + other * z["tau_ms"]
    table = {}
    for name in COORDINATES:
        additive = name.endswith("mV") and name != "ahp_depth_mV"
        shift = WIDTH[name] * z[name]
        table[name] = CENTRE[name] + shift if additive else CENTRE[name] * np.exp(shift)
    return pd.DataFrame(table)


def test_quantiles_and_rank_correlations_of_a_sample_are_those_of_the_cells():
    cells = made_cells(3000)
    drawn = fit_distribution(cells).sample(3000, np.random.default_rng(1))
    assert drawn.rejected < 0.05
    for name in COORDINATES:
        width = cells[name].quantile(0.75) - cells[name].quantile(0.25)
        for p in (0.25, 0.5, 0.75):
            gap = drawn.coordinates[name].quantile(p) - cells[name].quantile(p)
            assert abs(gap) < 0.1 * width, name
    a, b = (table.corr("spearman").to_numpy() for table in (cells, drawn.coordinates))
    assert np.abs(a - b).max() < 0.07
    assert drawn.cells.shape == (3000, 11)
    assert np.isfinite(drawn.cells).all()


def test_missing_values_change_neither_quantiles_nor_correlations_much():
    cells = made_cells(2000)
    gaps = cells.mask(np.random.default_rng(2).random(cells.shape) < 0.3)
    full, holed = fit_distribution(cells), fit_distribution(gaps)
    assert np.abs(full.correlation - holed.correlation).max() < 0.1
    assert holed.n["tau_ms"] == gaps["tau_ms"].notna().sum()
    middle = len(LEVELS) // 2
    assert holed.quantiles["tau_ms"][middle] == pytest.approx(
        full.quantiles["tau_ms"][middle], rel=0.02
    )


def test_few_cells_shrink_correlations_towards_none():
    few, many = (fit_distribution(made_cells(n)).correlation for n in (12, 2000))
    rest, threshold = (list(COORDINATES).index(n) for n in ("v_rest_mV", "threshold_v_mV"))
    assert many[rest, threshold] == pytest.approx(0.8, abs=0.05)
    assert 0 < few[rest, threshold] < many[rest, threshold]
    cells = made_cells(30)
    shrunk = fit_distribution(cells).correlation
    plain = fit_distribution(cells, np.ones(30)).correlation  # a weighted table is not shrunk
    off = ~np.eye(len(plain), dtype=bool)
    kept = shrunk[off] / plain[off]
    assert kept == pytest.approx(1 - noise_share(cells), abs=1e-6)
    assert 0.1 < kept[0] < 0.9
    unrelated = pd.DataFrame(np.random.default_rng(3).standard_normal((12, 9)))
    related = pd.DataFrame(np.outer(np.arange(12.0), np.ones(9)))
    assert noise_share(unrelated) > 0.6
    assert noise_share(related) < 0.02


def test_weights_move_quantiles_as_repeated_cells_do():
    cells = made_cells(400)
    counts = np.random.default_rng(4).integers(0, 4, 400)
    weighted = fit_distribution(cells, counts.astype(float))
    repeated = fit_distribution(cells.loc[cells.index.repeat(counts)], np.ones(counts.sum()))
    for name in COORDINATES:
        inner = slice(1, -1)  # the 1 % quantiles hang on single cells
        assert weighted.quantiles[name][inner] == pytest.approx(
            repeated.quantiles[name][inner], rel=0.03
        )
    assert np.abs(weighted.correlation - repeated.correlation).max() < 0.03


def test_quantiles_follow_hazens_rule():
    cells = made_cells(50)
    found = fit_distribution(cells).quantiles["tau_ms"]
    assert found == pytest.approx(np.quantile(cells["tau_ms"], LEVELS, method="hazen"))


def test_rejected_draws_are_counted_and_replaced():
    cells = made_cells(500)
    cells["threshold_v_mV"] = -55.0 + 3 * norm.ppf((np.arange(500) + 0.5) / 500)
    distribution = fit_distribution(cells)
    drawn = distribution.sample(300, np.random.default_rng(0))
    assert 0.3 < drawn.rejected < 0.8, "potential at rheobase is -55.75 mV"
    assert np.isfinite(drawn.cells).all()
    cells["threshold_v_mV"] = -65.0 + 0.001 * np.arange(500)
    with pytest.raises(ParameterError, match="of 1024 draws are no cells; allowed: at most 90%"):
        fit_distribution(cells).sample(10, np.random.default_rng(0))


def test_a_distribution_survives_json_and_refuses_nonsense():
    one = load_class("Lamp5").distribution
    again = ClassDistribution.from_json(one.to_json())
    assert np.allclose(again.correlation, one.correlation, atol=1e-5)
    assert again.n == dict(one.n)
    with pytest.raises(ParameterError, match="correlation of shape"):
        ClassDistribution(one.quantiles, 2 * one.correlation, one.n)
    bad = {**one.quantiles, "tau_ms": one.quantiles["tau_ms"][::-1]}
    with pytest.raises(ParameterError, match="quantiles of tau_ms"):
        ClassDistribution(bad, one.correlation, one.n)


def test_bad_tables_and_weights_are_named():
    cells = made_cells(20)
    with pytest.raises(ParameterError, match="b_excess_pA is known in 1 cells"):
        fit_distribution(cells.assign(b_excess_pA=[1.0] + [np.nan] * 19))
    with pytest.raises(ParameterError, match=r"weights of shape \(3,\) do not fit 20 cells"):
        fit_distribution(cells, np.ones(3))
    with pytest.raises(ParameterError, match="n = 0"):
        fit_distribution(cells).sample(0, np.random.default_rng(0))


def test_published_distributions_keep_the_correlation_of_resistance_and_rheobase():
    drawn = load_class("Pyr").distribution.sample(500, np.random.default_rng(5)).coordinates
    assert spearmanr(drawn["input_resistance_MOhm"], drawn["rheobase_pA"]).statistic < -0.5


def test_even_samples_have_the_distribution_and_differ_less():
    """Means over small samples scatter less than those of independent draws, around the same."""
    published = load_class("Pyr").distribution
    rng = np.random.default_rng(5)
    even, free = (
        np.array([published.sample(64, rng, even=e).coordinates.mean() for _ in range(40)])
        for e in (True, False)
    )
    assert (even.std(0) < 0.6 * free.std(0)).all()
    error = np.abs(even.mean(0) - free.mean(0)) / (free.std(0) / np.sqrt(40))
    assert (error < 4).all()
    again = published.sample(64, np.random.default_rng(1), even=True).cells
    np.testing.assert_array_equal(
        again, published.sample(64, np.random.default_rng(1), even=True).cells
    )
