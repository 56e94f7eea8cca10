"""Fits of cells whose parameters are known, and what is left out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_sweeps import cells_of, steps_of

from swta.cells import AdExParameters, rheobase
from swta.cells import cell_fit as module
from swta.cells.adex import PARAMETER_NAMES
from swta.cells.cell_fit import fit_cells
from swta.cells.heldout import measure_heldout
from swta.cells.population import simulate_population
from swta.cells.sweeps import load_sweep_table, make_sweep_table
from swta.validation import ParameterError

ADAPTING = AdExParameters(
    C=100.0,
    g_L=6.0,
    E_L=-72.0,
    V_T=-50.0,
    Delta_T=2.5,
    tau_w=120.0,
    a=0.0,
    b=40.0,
    V_reset=-58.0,
    refractory=3.0,
    V_peak=30.0,
)
FAST = AdExParameters(
    C=80.0,
    g_L=10.0,
    E_L=-75.0,
    V_T=-51.0,
    Delta_T=1.5,
    tau_w=60.0,
    a=-1.0,
    b=1.0,
    V_reset=-60.0,
    refractory=1.5,
    V_peak=10.0,
)
TRUTH = (ADAPTING, FAST)
NO_GLIF3 = pd.DataFrame(
    {"specimen_id": [], "model_rheobase_pA": [], "model_fi_slope_hz_per_pA": []}, dtype=float
)


def record(specimen, cell, name):
    """Steps and properties as the tables would hold them, were the model cell recorded."""
    start = 20.0 * np.floor(rheobase(cell) / 20.0) - 30.0
    currents = np.append(-50.0, start + 20.0 * np.arange(11))
    values = np.array([[getattr(cell, field) for field in PARAMETER_NAMES]])
    response = simulate_population(values, currents)
    steps = steps_of(specimen, currents, response.counts[0], name)
    steps["first_spike_time_ms"] = 270.0 + response.times_ms[0, :, 0]
    intervals = np.diff(response.times_ms[0], axis=1)
    cv = [row[np.isfinite(row)].std() / row[np.isfinite(row)].mean() for row in intervals[4:]]
    steps["isi_covar"] = [*[np.nan] * 4, *cv]
    steps["mean_rate_hz"] = np.nan
    steps["v_steady_mV"] = response.v_steady_mV[0]
    first = int(np.argmax(response.counts[0] > 0))
    properties = cells_of(
        specimen,
        vrest=cell.E_L,
        ri=1e3 / cell.g_L,
        tau=cell.tau_m,
        threshold_v_long_square=response.threshold_mV[0, first],
        fast_trough_v_long_square=response.fast_trough_mV[0, first],
        peak_v_long_square=cell.V_peak,
    )
    return steps, properties


@pytest.fixture(scope="module")
def table():
    parts = [
        record(specimen, cell, name)
        for specimen, cell, name in zip((1, 2), TRUTH, ("Pyr", "Pvalb"), strict=True)
    ]
    steps, cells = (pd.concat(part, ignore_index=True) for part in zip(*parts, strict=True))
    return make_sweep_table(steps, cells)


@pytest.fixture(scope="module")
def fits(table):
    return fit_cells(table, generations=400, seed=1)


def test_known_cells_are_found_again_from_half_their_levels(table, fits):
    assert [fit.specimen_id for fit in fits.fits] == [1, 2]
    assert [fit.cell_class for fit in fits.fits] == ["Pyr", "Pvalb"]
    for fit, truth in zip(fits.fits, TRUTH, strict=True):
        found = fit.parameters
        for name in ("C", "g_L", "E_L", "V_peak"):
            assert getattr(found, name) == pytest.approx(getattr(truth, name))
        assert fit.cost < 0.3
        assert abs(fit.threshold_miss_mV) < 1.0
        assert abs(fit.fast_trough_miss_mV) < 1.5
        # V_T and a trade off against each other; the current at which the cell fires does not.
        assert rheobase(found) == pytest.approx(rheobase(truth), abs=20.0)
    scores = measure_heldout(table, fits, glif3=NO_GLIF3).cells
    assert (scores["ev_model"] > 0.99).all()


def test_held_out_counts_are_not_seen_by_the_fit(table, fits):
    """Scrambled held-out counts leave the fit as it is; scrambled fitted ones do not."""
    settings = {"generations": 8, "population": 35}

    def search(steps):
        found = module.fit_cells(replace(table, steps=steps), **settings)
        return found.excluded["reason"].tolist(), costs.copy()

    costs = []
    original = module.minimise_together

    def spy(*arguments, **options):
        found = original(*arguments, **options)
        costs[:] = [one.fun for one in found]
        return found

    module.minimise_together = spy
    try:
        plain = search(table.steps)
        counts = table.steps["n_spikes"]
        test = table.steps["side"] == "test"
        spikes = test & (counts > 0)
        scrambled = table.steps.assign(
            n_spikes=counts.where(~spikes, counts * 3 + 5),
            latency_ms=table.steps["latency_ms"].where(~spikes, 1.0),
            v_steady_mV=table.steps["v_steady_mV"].where(~test, 0.0),
        )
        assert search(scrambled) == plain
        train = (table.steps["side"] == "train") & (counts > 0)
        assert search(table.steps.assign(n_spikes=counts.where(~train, counts + 3))) != plain
    finally:
        module.minimise_together = original


def test_a_search_that_does_not_converge_is_listed_not_returned(table):
    found = fit_cells(table, generations=1)
    assert found.fits == ()
    reasons = found.excluded.set_index("specimen_id")["reason"]
    assert reasons[1] == "the search did not converge in 1 generations"
    with pytest.raises(ParameterError, match="fits holds no cell"):
        measure_heldout(table, found, glif3=NO_GLIF3)


def test_the_same_seed_gives_the_same_fit_and_a_cell_alone_the_same_as_with_others(table, fits):
    first = replace(table, cells=table.cells.iloc[:1])
    first = replace(first, steps=table.steps[table.steps["specimen_id"] == 1])
    alone = fit_cells(first, generations=400, seed=1)
    assert alone.fits[0].parameters == fits.fits[0].parameters
    assert alone.fits[0].generations == fits.fits[0].generations
    assert alone.fits[0].cost == pytest.approx(fits.fits[0].cost)


def test_fits_are_a_table_and_an_array(fits):
    tidy = fits.tabulate()
    assert tidy[list(PARAMETER_NAMES)].to_numpy() == pytest.approx(fits.parameters)
    assert tidy["class"].tolist() == ["Pyr", "Pvalb"]


def test_without_analysed_sweeps_counts_alone_are_fitted(table):
    """Sweep lists hold counts only; latency, variation and steady potential then cost nothing."""
    bare = table.steps.assign(latency_ms=np.nan, isi_cv=np.nan, v_steady_mV=np.nan)
    targets = module._gather(replace(table, steps=bare))
    everyone = np.arange(2)
    cells = np.array([[getattr(one, name) for name in PARAMETER_NAMES] for one in TRUTH])
    response = simulate_population(cells, targets.currents_pA)
    cost, _, _ = module._compare(targets, everyone, response)
    assert cost == pytest.approx(0.0, abs=0.1), "the true cells miss nothing"


def test_a_silent_candidate_costs_more_than_a_bad_one(table):
    targets = module._gather(table)
    cells = np.array([[getattr(one, name) for name in PARAMETER_NAMES] for one in TRUTH])
    silent, bad = cells.copy(), cells.copy()
    silent[:, PARAMETER_NAMES.index("V_T")] = 0.0
    bad[:, PARAMETER_NAMES.index("b")] *= 5.0
    costs = [
        module._compare(targets, np.arange(2), simulate_population(one, targets.currents_pA))[0]
        for one in (cells, bad, silent)
    ]
    assert (costs[0] < costs[1]).all()
    assert (costs[1] < costs[2]).all()
    assert np.isfinite(costs[2]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"generations": 0}, "generations = 0"),
        ({"population": 34}, "population = 34"),
        ({"dt_ms": 0.5}, "dt_ms = 0.5"),
        ({"seed": -1}, "seed = -1"),
    ],
)
def test_bad_sizes_are_named(table, change, message):
    with pytest.raises(ParameterError, match=message):
        fit_cells(table, **change)


@pytest.mark.realdata
def test_recorded_cells_are_predicted_at_levels_that_were_not_fitted():
    table = load_sweep_table()
    picked = [484635029, 313862167, 479770916]  # PV, SST, Pyr
    cells = table.cells[table.cells["specimen_id"].isin(picked)]
    few = replace(table, cells=cells, steps=table.steps[table.steps["specimen_id"].isin(picked)])
    fits = fit_cells(few)
    assert len(fits.fits) == 3
    scores = measure_heldout(few, fits).cells
    assert scores["ev_model"].min() > 0.9
    assert np.abs([fit.threshold_miss_mV for fit in fits.fits]).max() < 3.0
