"""The compiled engine of the fits against Brian 2, closed forms, and itself."""

from dataclasses import replace

import numba
import numpy as np
import pytest
from test_adex import CELL
from test_simulate import ADAPTING, FAST

from swta.cells import passive_response, simulate_steps, spike_threshold
from swta.cells import population as module
from swta.cells.adex import PARAMETER_NAMES
from swta.cells.population import adaptation_indices, simulate_population
from swta.validation import ParameterError

LATE = replace(CELL, a=-2.0, b=-1.5, tau_w=150.0)
CELLS = [CELL, ADAPTING, FAST, LATE]
CURRENTS = np.array(
    [
        [-60.0, 130.0, 180.0],
        [110.0, 130.0, 180.0],
        [350.0, 420.0, 500.0],
        [-60.0, 90.0, 140.0],
    ]
)


def rows(*cells):
    return np.array([[getattr(cell, name) for name in PARAMETER_NAMES] for cell in cells])


def test_brian_and_the_compiled_population_give_the_same_spikes():
    result = simulate_steps(CELLS, CURRENTS, dt_ms=0.1)
    compiled = simulate_population(rows(*CELLS), CURRENTS)
    assert compiled.counts.tolist() == result.counts.tolist()
    assert compiled.counts.max() > 20
    for i in range(len(CELLS)):
        for j in range(3):
            own = compiled.times_ms[i, j, : compiled.counts[i, j]]
            assert own == pytest.approx(result.spike_times[i][j], abs=1e-6)
    assert adaptation_indices(compiled.times_ms) == pytest.approx(
        result.adaptation, abs=1e-9, nan_ok=True
    )


def test_potentials_are_those_of_the_trace():
    """Minimum, steady mean and fast trough against the trace that Brian 2 records."""
    pairs = [(i, j) for i in range(len(CELLS)) for j in range(3)]
    result = simulate_steps(CELLS, CURRENTS, dt_ms=0.1, tail_ms=0.1, record=pairs)
    compiled = simulate_population(rows(*CELLS), CURRENTS)
    during = (result.t_ms > 0.05) & (result.t_ms < 1000.05)
    window = (result.t_ms > 730.05) & (result.t_ms < 930.05)
    for (i, j), trace in zip(pairs, result.traces, strict=True):
        lowest = min(trace[during].min(), CELLS[i].E_L)
        assert compiled.v_min_mV[i, j] == pytest.approx(lowest, abs=1e-6)
        assert compiled.v_steady_mV[i, j] == pytest.approx(trace[window].mean(), abs=1e-6)
        train = result.spike_times[i][j]
        if train.size:
            since = result.t_ms - train[0]
            end = min([5.05, *(train[1:2] - train[0] + 0.05)])
            after = trace[(since > 0.05) & (since < end + 0.1)]
            assert compiled.fast_trough_mV[i, j] == pytest.approx(after.min(), abs=0.02)
        else:
            assert np.isnan(compiled.fast_trough_mV[i, j])


def test_threshold_of_a_cell_without_adaptation_is_the_closed_form():
    currents = [140.0, 200.0, 400.0]
    found = simulate_population(rows(CELL), currents, duration_ms=100.0).threshold_mV[0]
    assert found == pytest.approx([spike_threshold(CELL, c) for c in currents], abs=1e-6)


def test_threshold_is_what_the_feature_code_measures_in_a_fine_trace():
    from swta.cells import threshold_voltage

    cell = replace(ADAPTING, a=1.0)
    fine = simulate_steps([cell], [500.0], duration_ms=12.0, dt_ms=0.005, record=[(0, 0)])
    measured = threshold_voltage(fine.t_ms, fine.traces[0])
    found = simulate_population(rows(cell), [500.0], duration_ms=12.0).threshold_mV[0, 0]
    assert found == pytest.approx(measured, abs=0.15)


def test_a_spike_cut_off_below_the_criterion_has_no_threshold():
    early = replace(CELL, V_peak=CELL.V_T + 0.5)
    result = simulate_population(rows(early), [200.0], duration_ms=100.0)
    assert result.counts[0, 0] > 0
    assert np.isnan(result.threshold_mV[0, 0])
    # So much current that 20 mV/ms are exceeded from the start: no crossing on the upstroke.
    assert np.isnan(simulate_population(rows(CELL), [9e3], duration_ms=50.0).threshold_mV[0, 0])


def test_fast_trough_ends_where_the_next_spike_begins():
    """Reset above V_T, the second spike follows at once; only after it does w pull V down."""
    burst = replace(CELL, V_reset=-45.0, b=300.0, refractory=0.5)
    result = simulate_population(rows(burst), [400.0], duration_ms=60.0)
    brian = simulate_steps([burst], [400.0], duration_ms=60.0, dt_ms=0.1, record=[(0, 0)])
    first, second = result.times_ms[0, 0, :2]
    assert second - first < 4.0
    since = brian.t_ms - first
    within = brian.traces[0][(since > 0.05) & (since < 5.05)].min()
    assert within < -46.0
    assert result.fast_trough_mV[0, 0] == pytest.approx(-45.0, abs=0.2)


@pytest.mark.parametrize("a", [-2.0, 0.0, 1.0])
def test_steady_potential_follows_the_steady_resistance(a):
    cell = replace(CELL, a=a, tau_w=20.0)
    found = simulate_population(rows(cell), [-50.0]).v_steady_mV[0, 0]
    assert found == pytest.approx(cell.E_L - 0.05 * cell.steady_resistance, abs=0.05)


def test_minimum_of_a_passive_cell_is_the_end_of_its_exponential():
    result = simulate_population(rows(CELL), [-50.0], duration_ms=40.0)
    assert result.v_min_mV[0, 0] == pytest.approx(
        float(passive_response(CELL, -50.0, 40.0)), abs=0.03
    )
    assert np.isnan(result.v_steady_mV[0, 0]), "the step ends before the window"
    early = simulate_population(
        rows(CELL), [0.0], duration_ms=40.0, steady_from_ms=10.0, steady_to_ms=40.0
    )
    assert early.v_steady_mV[0, 0] == pytest.approx(CELL.E_L, abs=0.03)


def test_compiled_and_interpreted_code_agree():
    table, currents = rows(FAST, CELL), np.array([[900.0, -20.0], [300.0, 9e3]])
    arguments = (table, currents, 120, 0.1, 3, 50, 100)
    compiled = module._integrate(*arguments)
    plain = module._integrate.py_func(*arguments)
    assert compiled[0].tolist() == plain[0].tolist()
    assert compiled[0].max() > 3, "more spikes than kept times"
    assert compiled[1] == pytest.approx(plain[1], nan_ok=True)
    assert compiled[2] == pytest.approx(plain[2], nan_ok=True, rel=1e-9)
    for current in (300.0, 9e3):
        compiled_v, plain_v = (
            run(table[1], 0.0, current)
            for run in (module._upstroke_potential, module._upstroke_potential.py_func)
        )
        assert compiled_v == pytest.approx(plain_v, nan_ok=True)


def test_exponential_is_exact_to_rounding():
    x = np.linspace(-30.0, 30.0, 20_001)
    power = np.empty(1)
    bits = power.view(np.int64)
    found = [module._exp(value, power, bits, 0) for value in x]
    assert np.max(np.abs(found / np.exp(x) - 1.0)) < 1e-15


def test_results_do_not_depend_on_threads_or_neighbours():
    cells = rows(*CELLS * 12)
    currents = np.tile(CURRENTS, (12, 1)) + np.arange(48)[:, None]
    threads = numba.get_num_threads()
    results = []
    for number in (1, threads):
        numba.set_num_threads(number)
        results.append(simulate_population(cells, currents, duration_ms=200.0))
    backwards = simulate_population(cells[::-1], currents[::-1, ::-1], duration_ms=200.0)
    alone = simulate_population(cells[7:8], currents[7:8, 1:2], duration_ms=200.0)
    for name in ("counts", "times_ms", "threshold_mV", "fast_trough_mV", "v_min_mV"):
        one, other = (getattr(result, name) for result in results)
        assert np.array_equal(one, other, equal_nan=True)
        assert np.array_equal(one, getattr(backwards, name)[::-1, ::-1], equal_nan=True)
        assert np.array_equal(one[7:8, 1:2], getattr(alone, name), equal_nan=True)
    assert results[0].counts.sum() > 100


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cells": np.zeros((2, 3))}, r"shape \(2, 3\); allowed: \(n, 11\)"),
        ({"cells": rows(CELL) * np.nan}, r"cells\[0\]: C = nan"),
        ({"cells": rows(CELL, CELL) * [[1] * 11, [1, -1, *[1] * 9]]}, r"cells\[1\]: g_L = -6.2"),
        ({"currents_pA": [[1.0], [2.0]]}, r"shape \(2, 1\)"),
        ({"currents_pA": []}, "at least one step"),
        ({"currents_pA": [np.inf]}, "not finite"),
        ({"duration_ms": 0.0}, "duration_ms"),
        ({"dt_ms": 0.5}, "dt_ms = 0.5"),
        ({"max_spikes": 0}, "max_spikes"),
        ({"steady_from_ms": 950.0}, "steady_to_ms = 930"),
    ],
)
def test_bad_input_is_named(change, message):
    given = {"cells": rows(CELL), "currents_pA": [100.0]} | change
    with pytest.raises(ParameterError, match=message):
        simulate_population(given.pop("cells"), given.pop("currents_pA"), **given)
