"""The closed forms of the AdEx against simulation, and the ranges of its parameters."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swta.cells import AdExParameters, lif_rate, passive_response, rheobase, spike_threshold
from swta.cells.adex import PARAMETER_NAMES
from swta.cells.population import simulate_population
from swta.validation import ParameterError

CELL = AdExParameters(
    C=120.0,
    g_L=6.2,
    E_L=-76.0,
    V_T=-55.0,
    Delta_T=4.0,
    tau_w=144.0,
    a=0.0,
    b=0.0,
    V_reset=-60.0,
    refractory=3.0,
    V_peak=30.0,
)
cells = st.builds(
    AdExParameters,
    C=st.floats(40, 200),
    g_L=st.floats(3, 20),
    E_L=st.floats(-80, -65),
    V_T=st.floats(-58, -45),
    Delta_T=st.floats(0.5, 6),
    tau_w=st.floats(5, 500),
    a=st.just(0.0),
    b=st.just(0.0),
    V_reset=st.floats(-75, -60),
    refractory=st.floats(0, 5),
    V_peak=st.floats(0, 40),
)


def count_spikes(cell, currents, duration_ms=1000.0, dt_ms=0.05):
    values = np.array([[getattr(cell, name) for name in PARAMETER_NAMES]])
    result = simulate_population(
        values, currents, duration_ms=duration_ms, dt_ms=dt_ms, max_spikes=1
    )
    return result.counts[0]


@given(cell=cells)
def test_rheobase_is_the_smallest_current_without_a_resting_state(cell):
    """The steady current-voltage relation has its maximum, over all potentials, at the rheobase."""
    v = np.linspace(cell.E_L - 5, cell.V_T + 5 * cell.Delta_T, 200_001)
    steady = cell.g_L * (v - cell.E_L) - cell.g_L * cell.Delta_T * np.exp(
        (v - cell.V_T) / cell.Delta_T
    )
    assert rheobase(cell) == pytest.approx(steady.max(), abs=1e-4)


@pytest.mark.parametrize("delta", [0.5, 2.0, 4.0])
def test_simulated_rheobase_of_a_long_step_is_the_closed_form(delta):
    cell = replace(CELL, Delta_T=delta)
    low, high = 0.5 * rheobase(cell), 1.5 * rheobase(cell)
    while high - low > 0.01:
        middle = 0.5 * (low + high)
        fires = count_spikes(cell, [middle], duration_ms=20_000.0)[0] > 0
        low, high = (low, middle) if fires else (middle, high)
    assert rheobase(cell) == pytest.approx(high, rel=2e-3)


def test_rheobase_with_subthreshold_adaptation_is_where_the_steady_state_ends():
    cell = replace(CELL, a=1.0, tau_w=20.0)
    v = np.linspace(-90, -40, 500_001)
    steady = cell.g_L * (v - cell.E_L) - cell.g_L * 4.0 * np.exp((v - cell.V_T) / 4.0)
    steady += cell.a * (v - cell.E_L)
    assert rheobase(cell) == pytest.approx(steady.max(), abs=1e-6)


def test_rheobase_refuses_a_cell_that_oscillates_first():
    with pytest.raises(ParameterError, match=r"a = 5 nS .*below .* 0\.83"):
        rheobase(replace(CELL, a=5.0))


@given(cell=cells, ratio=st.floats(-0.8, -0.05))
def test_rheobase_with_a_depolarising_slow_current_is_where_the_steady_state_ends(cell, ratio):
    """A negative a lowers the leak that is left once w has followed."""
    cell = replace(cell, a=ratio * cell.g_L, V_T=cell.V_T + 15.0)
    v = np.linspace(cell.E_L - 5, cell.V_T + 5 * cell.Delta_T, 200_001)
    onset = cell.g_L * cell.Delta_T * np.exp((v - cell.V_T) / cell.Delta_T)
    steady = (cell.g_L + cell.a) * (v - cell.E_L) - onset
    assert rheobase(cell) == pytest.approx(steady.max(), abs=1e-4)
    assert cell.steady_resistance > cell.input_resistance


def test_simulated_rheobase_with_negative_a_is_the_closed_form_and_the_first_spike_is_late():
    cell = replace(CELL, a=-2.0, tau_w=200.0)
    current = rheobase(cell)
    silent, fires = count_spikes(cell, [0.98 * current, 1.02 * current], duration_ms=10_000.0)
    assert silent == 0
    assert fires > 0
    values = np.array([[getattr(one, name) for name in PARAMETER_NAMES] for one in (cell, CELL)])
    currents = 1.02 * np.array([[current], [rheobase(CELL)]])
    first = simulate_population(values, currents, duration_ms=10_000.0).times_ms[:, 0, 0]
    assert first[0] > first[1] + 200.0


def test_a_cell_that_a_negative_a_makes_fire_without_input_is_refused():
    lowest = CELL.E_L + CELL.Delta_T * (1 - np.log1p(-3.1 / CELL.g_L))
    fine = replace(CELL, V_T=lowest + 0.01, a=-3.1)
    assert rheobase(fine) == pytest.approx(0.031, abs=1e-3)
    with pytest.raises(ParameterError, match=r"V_T = .* fires without input"):
        replace(CELL, V_T=lowest - 0.01, a=-3.1)


def test_negative_b_speeds_firing_up_and_positive_b_slows_it_down():
    counts = [count_spikes(replace(CELL, b=b), [150.0])[0] for b in (-2.0, 0.0, 20.0)]
    assert counts[0] > counts[1] > counts[2] > 0


@given(
    cell=cells,
    factor=st.floats(1.2, 6.0),
)
def test_lif_rate_inverts_the_time_from_reset_to_threshold(cell, factor):
    current = factor * cell.g_L * (cell.V_T - cell.E_L)
    interval = 1e3 / float(lif_rate(cell, current)) - cell.refractory
    v_inf = cell.E_L + current / cell.g_L
    reached = v_inf + (cell.V_reset - v_inf) * np.exp(-interval / cell.tau_m)
    assert reached == pytest.approx(cell.V_T, abs=1e-6)


def test_firing_rate_tends_to_the_lif_rate_as_the_slope_factor_vanishes():
    currents = np.array([140.0, 160.0, 200.0, 300.0])
    errors = []
    for delta in (2.0, 0.5, 0.05, 0.005):
        cell = replace(CELL, Delta_T=delta, V_peak=CELL.V_T + 10 * delta)
        rate = count_spikes(cell, currents, duration_ms=5_000.0) / 5.0
        errors.append(np.max(np.abs(rate / lif_rate(cell, currents) - 1)))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.025


def test_lif_rate_is_zero_below_threshold_and_keeps_the_shape():
    rates = lif_rate(CELL, [[0.0, 100.0], [130.1, 131.0]])
    assert rates.shape == (2, 2)
    assert rates[0].tolist() == [0.0, 0.0]
    assert np.all(lif_rate(CELL, [140.0, 150.0]) > 0)


def test_lif_rate_refuses_a_reset_above_threshold():
    with pytest.raises(ParameterError, match="V_reset"):
        lif_rate(replace(CELL, V_reset=-50.0), 200.0)


@given(cell=cells, dvdt=st.floats(5.0, 50.0))
def test_upstroke_has_the_asked_slope_at_the_spike_threshold(cell, dvdt):
    current = rheobase(cell)
    v = spike_threshold(cell, current, dvdt=dvdt)
    onset = cell.g_L * cell.Delta_T * np.exp((v - cell.V_T) / cell.Delta_T)
    assert (onset - cell.g_L * (v - cell.E_L) + current) / cell.C == pytest.approx(dvdt, rel=1e-5)
    assert v > cell.V_T


def test_spike_threshold_refuses_a_slope_that_is_never_reached():
    with pytest.raises(ParameterError, match="not crossed"):
        spike_threshold(CELL, 100.0, dvdt=1e12)


def test_passive_response_starts_at_rest_and_ends_at_ohms_law():
    v = passive_response(CELL, -62.0, [0.0, CELL.tau_m, 1e6])
    assert v == pytest.approx([-76.0, -76.0 - 10.0 * (1 - np.exp(-1)), -86.0])
    assert CELL.input_resistance == pytest.approx(1e3 / 6.2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("C", 0.0),
        ("g_L", -1.0),
        ("E_L", float("nan")),
        ("Delta_T", 0.0),
        ("tau_w", 0.0),
        ("a", -6.2),
        ("a", float("inf")),
        ("b", float("nan")),
        ("refractory", -1.0),
        ("V_T", -75.0),
        ("V_peak", -56.0),
        ("V_reset", 30.0),
    ],
)
def test_impossible_parameters_are_named_with_value_and_range(field, value):
    with pytest.raises(ParameterError, match=rf"{field} = .* is out of range; allowed"):
        replace(CELL, **{field: value})
