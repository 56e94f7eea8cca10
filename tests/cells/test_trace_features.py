"""Features of traces whose answers are known, of a model cell, and of a recorded sweep."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_adex import CELL

from swta.cells import simulate_steps
from swta.cells.trace_features import measure_trace
from swta.validation import ParameterError

DT = 0.05  # ms: at 20 kHz nothing lies above the corner of the filter, so answers are exact
ON, OFF = 200.0, 1200.0
T = DT * np.arange(round(1400.0 / DT))
STEP = (T >= ON - 1e-9) & (T < OFF - 1e-9)
# One action potential by corners (ms, mV): slow approach, upstroke at 200 mV/ms, downstroke at 80,
# a slower fall, and the climb back to where the next one starts.
APPROACH, PEAK, FAST, TROUGH = (0.0, -45.0), (0.4, 35.0), (1.4, -45.0), (10.0, -55.0)


def spiking_trace(onsets, *, rest=-70.0):
    """A trace with an action potential at each onset (ms after the step's), straight between."""
    corners = [(0.0, rest), (ON, rest)]
    for onset in onsets:
        corners += [(ON + onset + t, v) for t, v in (APPROACH, PEAK, FAST, TROUGH)]
    corners += [(OFF, -50.0), (OFF + 20.0, rest), (T[-1], rest)]
    times, values = np.array(corners).T
    return np.interp(T, times, values)


def measure(v, current=100.0):
    return measure_trace(T, v, np.where(STEP, current, 0.0), t_on_ms=ON, t_off_ms=OFF)


def test_corners_of_a_drawn_action_potential_are_found():
    found = measure(spiking_trace([50.0, 150.0, 300.0]))
    spikes = found.spikes
    assert spikes["threshold_t_ms"].to_numpy() == pytest.approx([50.0, 150.0, 300.0], abs=DT)
    assert spikes["threshold_v_mV"].to_numpy() == pytest.approx(-45.0, abs=0.1)
    assert spikes["upstroke_mV_per_ms"].to_numpy() == pytest.approx(200.0, rel=1e-6)
    assert spikes["peak_t_ms"].to_numpy() == pytest.approx([50.4, 150.4, 300.4], abs=DT)
    assert spikes["peak_v_mV"].to_numpy() == pytest.approx(35.0)
    assert spikes["downstroke_mV_per_ms"].to_numpy() == pytest.approx(-80.0, rel=1e-6)
    # The slower fall, -1.16 mV/ms, is still above 1 % of the downstroke: the end is the trough.
    assert spikes["fast_trough_t_ms"].to_numpy() == pytest.approx([60.0, 160.0, 310.0], abs=DT)
    assert spikes["trough_v_mV"].to_numpy() == pytest.approx(-55.0, abs=0.1)
    assert spikes["ahp_depth_mV"].to_numpy() == pytest.approx(10.0, abs=0.1)
    # Half height is -10 mV: up after 35 of 80 mV of the rise, down after 45 of 80 of the fall.
    expected = 0.4 * 45 / 80 + 1.0 * 45 / 80
    assert spikes["width_ms"].to_numpy() == pytest.approx(expected, abs=2 * DT)
    sweep = found.sweep
    assert sweep["n_spikes"] == 3
    assert sweep["rate_hz"] == pytest.approx(3.0)
    assert sweep["latency_ms"] == pytest.approx(50.0, abs=DT)
    assert sweep["isi_rate_hz"] == pytest.approx(8.0, rel=1e-3)
    assert sweep["adaptation_index"] == pytest.approx(0.2, abs=1e-3)
    assert sweep["isi_cv"] == pytest.approx(0.2, abs=1e-3)
    assert sweep["upstroke_downstroke_ratio"] == pytest.approx(2.5)
    assert sweep["v_baseline_mV"] == pytest.approx(-70.0)
    assert sweep["current_pA"] == 100.0
    assert np.isnan(sweep["tau_ms"])
    tidy = found.tabulate().set_index("feature")["value"]
    assert tidy["n_spikes"] == 3


def test_threshold_is_where_the_slope_reaches_a_twentieth_of_the_mean_upstroke():
    """V = t^2 / 2 has slope t: 5 % of an upstroke that ends at 200 mV/ms is at 10 mV/ms."""
    v = np.full(T.size, -70.0)
    rise = (T > 500.0) & (T <= 514.0)
    v[rise] = -70.0 + 0.5 * (T[rise] - 500.0) ** 2  # to 14 mV/ms and 28 mV above rest
    end = v[rise][-1]
    up = (T > 514.0) & (T <= 514.4)
    v[up] = end + 200.0 * (T[up] - 514.0)
    down = (T > 514.4) & (T <= 520.4)
    v[down] = v[up][-1] - (v[up][-1] + 80.0) * (T[down] - 514.4) / 6.0
    back = T > 520.4
    v[back] = -80.0 + 10.0 * -np.expm1(-(T[back] - 520.4) / 20.0)
    spike = measure(v).spikes.iloc[0]
    assert spike["threshold_t_ms"] == pytest.approx(310.0, abs=2 * DT)
    assert spike["threshold_v_mV"] == pytest.approx(-20.0, abs=0.6)


def test_what_is_no_action_potential_is_not_counted():
    small = spiking_trace([50.0])
    low = np.minimum(small, -35.0)  # peak below -30 mV
    assert measure(low).sweep["n_spikes"] == 0
    slow = np.interp(T, [0, ON, ON + 50, ON + 57, ON + 70, T[-1]], [-70, -70, -60, 20, -60, -70])
    assert measure(slow).sweep["n_spikes"] == 0, "11 mV/ms is below the criterion"
    assert (
        measure_trace(T, slow, np.where(STEP, 1.0, 0.0), t_on_ms=ON, t_off_ms=OFF, dvdt=5.0).sweep[
            "n_spikes"
        ]
        == 0
    ), "seven milliseconds from threshold to peak are too many"
    before = np.roll(small, -round(100.0 / DT))
    assert measure(before).sweep["n_spikes"] == 0, "before the step"
    # One spike with a dent in its upstroke that does not reverse the slope is one spike.
    times = [0, ON, ON + 50, ON + 50.2, ON + 50.4, ON + 50.6, ON + 51.6, OFF, T[-1]]
    dented = np.interp(T, times, [-70, -70, -45, -5, -3, 37, -50, -50, -70])
    assert measure(dented).sweep["n_spikes"] == 1


def test_a_last_spike_that_does_not_come_back_has_no_trough():
    onset = OFF - ON - 0.6
    found = measure(spiking_trace([50.0, onset])).spikes
    assert np.isfinite(
        found.iloc[0][["fast_trough_v_mV", "width_ms", "ahp_depth_mV"]].to_list()
    ).all()
    assert np.isnan(found.iloc[1][["fast_trough_v_mV", "width_ms", "ahp_depth_mV"]].to_list()).all()
    assert found.iloc[1]["peak_v_mV"] == pytest.approx(35.0)


@given(tau=st.floats(4.0, 40.0), resistance=st.floats(50.0, 400.0))
def test_passive_response_gives_back_its_resistance_and_time_constant(tau, resistance):
    since = np.clip(T - ON, 0.0, OFF - ON)
    v = -70.0 - 0.05 * resistance * -np.expm1(-since / tau) * (T < OFF)
    sweep = measure(v, -50.0).sweep
    assert sweep["input_resistance_MOhm"] == pytest.approx(resistance, rel=1e-3)
    assert sweep["tau_ms"] == pytest.approx(tau, rel=5e-3)
    assert sweep["sag"] == pytest.approx(0.0, abs=2e-3)
    assert sweep["v_steady_mV"] == pytest.approx(-70.0 - 0.05 * resistance, abs=1e-2)
    assert np.isnan(sweep["latency_ms"])


def test_sag_is_the_part_of_the_deflection_that_is_gone_at_the_end():
    since = np.clip(T - ON, 0.0, OFF - ON)
    # Down by 20 mV within some milliseconds, then back by 5 mV.
    v = -70.0 + (T < OFF) * (-20.0 * -np.expm1(-since / 5.0) + 5.0 * -np.expm1(-since / 200.0))
    deflection = v[STEP].min() + 70.0
    sweep = measure(v, -100.0).sweep
    assert sweep["sag"] == pytest.approx(1.0 - (v[STEP][-1] + 70.0) / deflection, abs=5e-3)


def test_a_model_cell_is_measured_at_its_own_spikes():
    result = simulate_steps(
        [CELL],
        [180.0],
        duration_ms=300.0,
        baseline_ms=120.0,
        tail_ms=30.0,
        dt_ms=DT,
        record=[(0, 0)],
    )
    t, v = result.t_ms, np.minimum(result.traces[0], CELL.V_peak)
    current = np.where((t > -0.01) & (t < 299.99), 180.0, 0.0)
    found = measure_trace(t, v, current, t_on_ms=0.0, t_off_ms=300.0)
    train = result.spike_times[0][0]
    assert found.sweep["n_spikes"] == train.size > 3
    # The model's spike times are those of its peaks.
    assert found.spikes["peak_t_ms"].to_numpy() == pytest.approx(train, abs=0.1)
    assert found.sweep["adaptation_index"] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"v_mV": np.zeros(5)}, r"v_mV \(5,\) .* no trace"),
        ({"v_mV": np.full(T.size, np.nan)}, "v_mV holds a value"),
        ({"t_ms": T**2}, "even, growing times"),
        ({"t_ms": -T}, "even, growing times"),
        ({"t_on_ms": 0.0}, "t_on_ms = 0"),
        ({"t_off_ms": 100.0}, "t_off_ms = 100"),
        ({"t_off_ms": 1e5}, "t_off_ms = 100000"),
        ({"dvdt": 0.0}, "dvdt = 0"),
    ],
)
def test_bad_input_is_named(change, message):
    given_ = {
        "t_ms": T,
        "v_mV": spiking_trace([50.0]),
        "i_pA": np.where(STEP, 1.0, 0.0),
        "t_on_ms": ON,
        "t_off_ms": OFF,
    } | change
    with pytest.raises(ParameterError, match=message):
        measure_trace(given_.pop("t_ms"), given_.pop("v_mV"), given_.pop("i_pA"), **given_)


@pytest.mark.realdata
def test_recorded_sweep_shows_the_published_features_of_its_cell():
    """Sweep 57, 170 pA, against the database's table, which took them at rheobase (110 pA).

    Threshold, peak and trough move by a few millivolts between the two; the rate at 170 pA follows
    from the published rate of the hero sweep (150 pA) and the published slope.
    """
    from swta.data.physiology import load_table, load_trace

    trace = load_trace()
    t = np.arange(trace.v_mV.size) * trace.dt_ms
    found = measure_trace(t, trace.v_mV, trace.i_pA, t_on_ms=trace.t_on_ms, t_off_ms=trace.t_off_ms)
    cells = load_table("cells/allen_cell_types_mouse", impossible="exclude")
    cell = cells.set_index("specimen_id").loc[trace.specimen_id]
    first, sweep = found.spikes.iloc[0], found.sweep
    assert sweep["n_spikes"] == 12
    assert sweep["current_pA"] == pytest.approx(170.0)
    assert sweep["v_baseline_mV"] == pytest.approx(cell["vrest"], abs=1.0)
    for ours, theirs in (
        ("threshold_v_mV", "threshold_v_long_square"),
        ("peak_v_mV", "peak_v_long_square"),
        ("fast_trough_v_mV", "fast_trough_v_long_square"),
    ):
        assert first[ours] == pytest.approx(cell[theirs], abs=2.0)
    assert first["fast_trough_t_ms"] - first["peak_t_ms"] == pytest.approx(
        1e3 * (cell["fast_trough_t_long_square"] - cell["peak_t_long_square"]), abs=0.5
    )
    assert first["peak_t_ms"] - first["threshold_t_ms"] == pytest.approx(
        1e3 * (cell["peak_t_long_square"] - cell["threshold_t_long_square"]), abs=0.05
    )
    assert sweep["upstroke_downstroke_ratio"] == pytest.approx(
        cell["upstroke_downstroke_ratio_long_square"], rel=0.1
    )
    expected = cell["avg_firing_rate"] + 20.0 * cell["f_i_curve_slope"]
    assert sweep["isi_rate_hz"] == pytest.approx(expected, rel=0.1)
    assert 0 < sweep["latency_ms"] < 1e3 * cell["latency"], "earlier than at a weaker current"
