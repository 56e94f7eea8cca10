"""The fit of cells and distributions, on made classes whose cells are known."""

import numpy as np
import pandas as pd
import pytest

from swta.cells import (
    CLASSES,
    AdExParameters,
    ClassCells,
    fit_classes,
    load_class,
    load_class_cells,
    measure_classes,
    measure_drift,
    measure_virtual,
)
from swta.cells.adex import PARAMETER_NAMES
from swta.cells.calibrate import calibrate_distributions, rake, start_distribution
from swta.cells.class_cells import CLASS_FEATURES, COLUMNS, HERO_RATE
from swta.cells.class_fit import FREEDOMS, compare_freedoms, fit_class_cells
from swta.cells.class_targets import WIDEST, pose, search
from swta.cells.coordinates import COORDINATES
from swta.cells.protocol import StepProtocol
from swta.cells.statistics import DEFAULTS
from swta.cells.virtual import find_rheobase, measure_active
from swta.validation import ParameterError

SMALL = {"max_cells": 6, "population": 20, "generations": 4, "dt_ms": 0.2}


@pytest.fixture(scope="module")
def recorded():
    """Twelve cells a class, drawn from the published classes and measured like recorded ones."""
    parts = []
    for k, name in enumerate(CLASSES):
        sample = load_class(name).distribution.sample(12, np.random.default_rng(k))
        steps = StepProtocol()
        step = find_rheobase(sample.cells, protocol=steps, dt_ms=0.2)
        active = measure_active(
            sample.cells, step, steps.above_rheobase_pA, protocol=steps, dt_ms=0.2
        ).features
        table = sample.coordinates.assign(
            **{n: active[n] for n in CLASS_FEATURES if n in active},
            rheobase_pA=step,
            rate_at_hero_hz=active[HERO_RATE[DEFAULTS[name]]],
            first_isi_ms=np.nan,
            hero_current_pA=step + steps.hero_pA,
            specimen_id=100 * k + np.arange(12),
            data_set=DEFAULTS[name],
        )
        parts.append(table.assign(**{"class": name})[list(COLUMNS)])
    return ClassCells(pd.concat(parts, ignore_index=True), pd.DataFrame())


def test_search_finds_a_cell_with_the_features_of_a_known_one():
    """Measure the central SST cell, pose its features, and search: they must be matched again."""
    one = load_class("Sst")
    cell = np.array([[getattr(one.parameters, name) for name in PARAMETER_NAMES]])
    found = measure_virtual(cell).features.iloc[0]
    row = pd.DataFrame(
        [
            {
                **{name: found[name] for name in CLASS_FEATURES if name in found},
                "rate_at_hero_hz": found["isi_rate_at_hero_hz"],
                "class": "Sst",
                "data_set": "cell_types",
                "peak_v_mV": one.parameters.V_peak,
                "first_isi_ms": found["first_isi_ms"],
            }
        ]
    )
    ranges = pd.DataFrame(
        {f: [one.statistics[f if f != "rate_at_hero_hz" else "isi_rate_at_hero_hz"].iqr]
         for f in CLASS_FEATURES}, index=["Sst"],
    )  # fmt: skip
    result = search(
        pose(row, ranges, np.full((1, 3), np.nan)),
        [list(WIDEST.values())],
        protocol=StepProtocol(),
        population=24,
        generations=30,
        dt_ms=0.1,
        seed=2,
    )
    assert result.cost[0] < 0.05, "a few hundredths of squared interquartile ranges"
    assert result.misses.abs().to_numpy().max() < 0.2
    deeper = [*list(WIDEST.values())[:3], (0.5, 0.500001)]
    result = search(
        pose(row, ranges, np.full((1, 3), np.nan)),
        [deeper],
        protocol=StepProtocol(),
        population=20,
        generations=1,
        dt_ms=0.2,
        seed=2,
    )
    depth = found["ahp_depth_mV"] + 0.5 * ranges["ahp_depth_mV"].iloc[0]
    assert result.coordinates["ahp_depth_mV"].iloc[0] == pytest.approx(depth, rel=1e-4)
    assert result.misses["ahp_depth_mV"].iloc[0] == pytest.approx(0.5, abs=1e-4)


def test_smoke_fit_of_all_classes_is_reproducible_and_complete(recorded):
    models = fit_classes(recorded, measure_classes(), **SMALL, pool=60, rounds=1, seed=1)
    assert tuple(models.classes) == CLASSES
    for name, one in models.classes.items():
        fit = models.fits[name]
        assert one.data_set == DEFAULTS[name]
        assert len(fit.cells) == one.n_fitted <= fit.n_drawn <= 6
        assert fit.n_measured == 12
        assert np.isfinite(fit.parameters).all()
        for row in fit.parameters.tolist():
            AdExParameters(*row)
        own = recorded.of(name)
        assert pytest.approx(own["v_rest_mV"].median()) == one.parameters.E_L
        assert one.parameters.tau_m == pytest.approx(own["tau_ms"].median())
    assert len(models.tabulate_misses()) == sum(len(f.cells) for f in models.fits.values())
    assert "Pyr" in models.note
    again = fit_class_cells(recorded, **SMALL, seed=1)
    assert again["Vip"].centre == models.fits["Vip"].centre
    assert again["Vip"].cells.equals(models.fits["Vip"].cells)


def test_cells_that_no_model_can_have_are_listed_with_the_reason(recorded):
    cells = recorded.cells.copy()
    first = cells.index[cells["class"] == "Pyr"][:4]
    cells.loc[first[0], "input_resistance_MOhm"] = np.nan
    cells.loc[first[1], "threshold_v_mV"] = cells.loc[first[1], "v_rest_mV"] + 1.0
    cells.loc[first[2], "ahp_depth_mV"] = -2.0
    cells.loc[first[3], "adaptation_index"] = np.nan  # no reason to leave it out
    fits = fit_class_cells(
        ClassCells(cells, recorded.exclusions), **(SMALL | {"max_cells": 12}), seed=0
    )
    listed = fits["Pyr"].exclusions.set_index("specimen_id")["reason"]
    ids = cells.loc[first, "specimen_id"].tolist()
    assert listed[ids[0]] == "input_resistance_MOhm not measured"
    assert "potential at rheobase above threshold" in listed[ids[1]]
    assert "fast trough or peak beyond" in listed[ids[2]]
    kept = fits["Pyr"].misses.set_index("specimen_id")
    others = {i: r for i, r in listed.items() if "no AdEx" not in r and "not measured" not in r}
    assert all("did not converge in 4 generations" in reason for reason in others.values())
    if ids[3] in kept.index:
        assert np.isnan(kept.loc[ids[3], "adaptation_index"])


def test_medians_that_are_no_cell_and_unfittable_classes_are_named(recorded):
    cells = recorded.cells.copy()
    vip = cells["class"] == "Vip"
    cells.loc[vip, "threshold_v_mV"] = -80.0
    with pytest.raises(ParameterError, match=r"class Vip: the medians v_rest_mV = .* no AdEx cell"):
        fit_class_cells(ClassCells(cells, recorded.exclusions), **SMALL)
    cells = recorded.cells.copy()
    cells.loc[cells.index[vip][:10], "tau_ms"] = np.nan
    with pytest.raises(ParameterError, match=r"class Vip: \d of 2 cells could be fitted"):
        fit_class_cells(ClassCells(cells, recorded.exclusions), **SMALL)


@pytest.mark.parametrize(
    "bad",
    [{"max_cells": 4}, {"population": 19}, {"generations": 0}, {"dt_ms": 0.0}, {"seed": -1}],
)
def test_bad_sizes_are_named(recorded, bad):
    with pytest.raises(ParameterError, match=f"{next(iter(bad))} = "):
        fit_class_cells(recorded, **(SMALL | bad))


def test_raking_gives_the_measured_octiles_and_quadrants():
    rng = np.random.default_rng(0)
    pool = pd.DataFrame(
        rng.standard_normal((4000, len(CLASS_FEATURES))), columns=list(CLASS_FEATURES)
    )
    measured = pd.DataFrame(
        rng.standard_normal((500, len(CLASS_FEATURES))), columns=list(CLASS_FEATURES)
    )
    measured["tau_ms"] = 0.5 * measured["v_rest_mV"] + 0.7 * measured["tau_ms"] + 0.4
    pool["irregularity"] = np.where(rng.random(4000) < 0.4, 0.01, 0.5)
    weights = rake(pool, measured, 0.8)
    assert weights.mean() == pytest.approx(1.0)
    order = np.argsort(pool["tau_ms"].to_numpy())
    at = np.interp(
        [0.25, 0.5, 0.75],
        np.cumsum(weights[order]) / weights.sum(),
        pool["tau_ms"].to_numpy()[order],
    )
    assert at == pytest.approx(measured["tau_ms"].quantile([0.25, 0.5, 0.75]).to_numpy(), abs=0.06)
    regular = pool["irregularity"].to_numpy() <= 0.05
    assert weights[regular].sum() / weights.sum() == pytest.approx(0.8, abs=0.05)
    a, b = (pool[n] > measured[n].median() for n in ("v_rest_mV", "tau_ms"))
    same = weights[(a == b).to_numpy()].sum() / weights.sum()
    wanted = np.mean(
        (measured["v_rest_mV"] > measured["v_rest_mV"].median())
        == (measured["tau_ms"] > measured["tau_ms"].median())
    )
    assert same == pytest.approx(wanted, abs=0.06)
    assert wanted > 0.6


def test_calibration_starts_from_the_fitted_cells_and_moves_what_features_depend_on(recorded):
    fits = fit_class_cells(recorded, **SMALL, seed=1)
    start = start_distribution(fits["Sst"], recorded)
    assert set(start.quantiles) == set(COORDINATES)
    assert start.n["tau_ms"] == 12 and start.n["tau_w_ms"] == len(fits["Sst"].cells)
    unchanged = calibrate_distributions(fits, recorded, n=50, rounds=0)
    assert np.array_equal(unchanged["Sst"].correlation, start.correlation)
    once = calibrate_distributions(fits, recorded, n=60, rounds=1, dt_ms=0.2)["Sst"]
    again = calibrate_distributions(fits, recorded, n=60, rounds=1, dt_ms=0.2)["Sst"]
    assert np.array_equal(once.correlation, again.correlation)
    assert not np.allclose(once.quantiles["tau_w_ms"], start.quantiles["tau_w_ms"])
    assert np.array_equal(once.quantiles["peak_v_mV"], start.quantiles["peak_v_mV"])
    assert once.n == start.n
    with pytest.raises(ParameterError, match="n = 10"):
        calibrate_distributions(fits, recorded, n=10)


def test_more_freedom_never_matches_worse(statistics):
    table = compare_freedoms(
        {"Pvalb": statistics["Pvalb"]}, population=32, generations=30, dt_ms=0.2, seed=0
    ).set_index("freedom")
    assert list(table.index) == list(FREEDOMS)
    costs = table["cost"].to_numpy()
    assert costs[0] + 0.05 >= costs[1] >= costs[2] - 0.05, "nested, up to the search"
    held = table.loc["b at or above b*"]
    assert held["refractory"] == pytest.approx(statistics["Pvalb"]["spike_cut_ms"].median, rel=1e-3)
    assert held["ahp_depth_mV"] == pytest.approx(0.0, abs=1e-3)
    assert held["fi_slope_hz_per_pA"] < -0.3, "the slope is missed with measured spikes"
    assert (table["b"] >= 0).all()


@pytest.mark.realdata
def test_a_small_fit_of_the_real_cells_runs_and_keeps_the_medians():
    found = load_class_cells()
    models = fit_classes(
        found, measure_classes(), **(SMALL | {"generations": 8}), pool=60, rounds=1
    )
    for name, one in models.classes.items():
        median = found.of(name)["input_resistance_MOhm"].median()
        assert one.parameters.input_resistance == pytest.approx(median)


@pytest.mark.realdata
@pytest.mark.slow
def test_published_models_are_what_the_fit_of_chapter_1_gives():
    found = fit_classes(load_class_cells(), measure_classes()).classes
    for name, one in found.items():
        drift = measure_drift(one, load_class(name))
        assert drift["centre"] < 1e-3 and drift["distribution"] < 0.02, name
