"""Features of synthetic spike trains and traces whose answers are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swta.cells import (
    adaptation_index,
    fi_slope,
    firing_rate,
    first_spike_latency,
    input_resistance,
    isi_cv,
    isi_rate,
    membrane_time_constant,
    step_rheobase,
    threshold_voltage,
)
from swta.cells.population import adaptation_indices
from swta.validation import ParameterError

REGULAR = np.arange(10.0, 1000.0, 50.0)


def test_a_regular_train_has_its_rate_no_adaptation_and_no_variation():
    assert firing_rate(REGULAR, 1000.0) == pytest.approx(20.0)
    assert isi_rate(REGULAR) == pytest.approx(20.0)
    assert first_spike_latency(REGULAR) == pytest.approx(10.0)
    assert adaptation_index(REGULAR) == pytest.approx(0.0, abs=1e-12)
    assert isi_cv(REGULAR) == pytest.approx(0.0, abs=1e-12)


@given(ratio=st.floats(0.5, 2.0), n=st.integers(3, 12))
def test_geometric_intervals_have_a_closed_adaptation_index(ratio, n):
    """With ISI[k+1] = r ISI[k] every term is (r - 1) / (r + 1)."""
    times = np.cumsum(10.0 * ratio ** np.arange(n))
    assert adaptation_index(times) == pytest.approx((ratio - 1) / (ratio + 1), abs=1e-9)
    padded = np.append(times, [np.nan, np.nan])
    assert adaptation_indices(padded) == pytest.approx(adaptation_index(times), abs=1e-9)


def test_two_interval_lengths_have_a_known_variation():
    times = np.cumsum([0.0, 10.0, 30.0, 10.0, 30.0])
    assert isi_cv(times) == pytest.approx(0.5)


def test_short_trains_have_no_features_rather_than_wrong_ones():
    assert firing_rate([], 1000.0) == 0.0
    assert np.isnan(first_spike_latency([]))
    assert np.isnan(isi_cv([5.0]))
    assert np.isnan(isi_rate([5.0]))
    assert np.isnan(adaptation_index([5.0, 9.0]))
    assert np.isnan(adaptation_indices(np.array([5.0, 9.0, np.nan])))


@pytest.mark.parametrize("times", [[3.0, 2.0], [1.0, 1.0], [1.0, np.nan], [[1.0, 2.0]]])
def test_what_is_no_spike_train_is_refused(times):
    with pytest.raises(ParameterError, match="spike_times_ms"):
        adaptation_index(times)


@given(slope=st.floats(0.01, 2.0), threshold=st.floats(0.0, 100.0))
def test_slope_of_a_line_over_spiking_sweeps_ignores_silent_ones(slope, threshold):
    currents = np.arange(0.0, 241.0, 20.0)
    rates = np.maximum(slope * (currents - threshold), 0.0)
    assert fi_slope(currents, rates) == pytest.approx(slope, rel=1e-9)
    assert step_rheobase(currents, rates) == currents[currents > threshold].min()


def test_slope_and_rheobase_need_spikes():
    assert np.isnan(fi_slope([10.0, 20.0], [0.0, 3.0]))
    assert np.isnan(fi_slope([10.0, 10.0], [2.0, 3.0]))
    assert np.isnan(step_rheobase([10.0, 20.0], [0, 0]))


def exponential(tau, deflection, rest=-70.0):
    t = np.arange(0.0, 20 * tau, 0.05)
    return t, rest + deflection * -np.expm1(-t / tau)


@given(tau=st.floats(3.0, 40.0), deflection=st.floats(-30.0, -1.0))
def test_time_constant_of_an_exponential(tau, deflection):
    t, v = exponential(tau, deflection)
    assert membrane_time_constant(t, v, -70.0) == pytest.approx(tau, rel=1e-3)


def test_time_constant_needs_a_hyperpolarising_response():
    t, v = exponential(10.0, 5.0)
    with pytest.raises(ParameterError, match=r"deflection = .* hyperpolarising"):
        membrane_time_constant(t, v, -70.0)


def test_input_resistance_is_the_slope_of_the_largest_deflection():
    currents = np.array([-90.0, -50.0, -10.0])
    traces = np.array([exponential(10.0, 0.2 * c)[1] for c in currents])
    assert input_resistance(currents, traces) == pytest.approx(200.0, rel=1e-6)


@pytest.mark.parametrize("currents", [[-10.0, -10.0], [-10.0, 10.0]])
def test_input_resistance_needs_different_negative_currents(currents):
    with pytest.raises(ParameterError, match="two different negative"):
        input_resistance(currents, np.zeros((2, 10)))


def test_threshold_is_where_the_slope_passes_the_criterion():
    """V = t^2 has dV/dt = 2 t, which passes 20 mV/ms at t = 10 ms, V = 100 mV."""
    t = np.arange(0.0, 20.0, 0.01)
    assert threshold_voltage(t, t**2) == pytest.approx(100.0, abs=0.3)
    assert threshold_voltage(t, t**2, dvdt=10.0) == pytest.approx(25.0, abs=0.2)
    assert np.isnan(threshold_voltage(t, np.zeros_like(t)))


@pytest.mark.realdata
def test_features_of_a_recorded_sweep():
    """One raw sweep: 170 pA, 12 spikes; threshold and rest where a spiny cell has them."""
    from swta.data.physiology import load_trace

    trace = load_trace()
    t = np.arange(trace.v_mV.size) * trace.dt_ms - trace.t_on_ms
    peaks = np.flatnonzero((trace.v_mV[1:] >= 0) & (trace.v_mV[:-1] < 0))
    train = t[peaks]
    assert train.size == 12
    assert 0 < first_spike_latency(train) < 200
    assert -0.1 < adaptation_index(train) < 0.3
    assert -55 < threshold_voltage(t[::5], trace.v_mV[::5]) < -25
