"""The recordings' protocol on model cells: closed forms, other code for the same, invariances."""

from dataclasses import replace

import numpy as np
import pytest

from swta.cells import (
    AdExParameters,
    StepProtocol,
    adaptation_index,
    fi_slope,
    isi_rate,
    load_class,
    measure_trace,
    measure_virtual,
    rheobase,
    sample_cells,
    simulate_steps,
    spike_threshold,
    threshold_voltage,
)
from swta.cells.adex import PARAMETER_NAMES
from swta.cells.virtual import fi_slopes, irregularity
from swta.validation import ParameterError

CELL = AdExParameters(
    C=100.0,
    g_L=5.0,
    E_L=-70.0,
    V_T=-50.0,
    Delta_T=2.0,
    tau_w=100.0,
    a=0.0,
    b=15.0,
    V_reset=-56.0,
    refractory=2.0,
    V_peak=20.0,
)


def test_passive_features_are_closed_forms_at_a_0():
    row = measure_virtual([CELL]).features.iloc[0]
    assert row["v_rest_mV"] == pytest.approx(-70.0, abs=0.02)
    assert row["input_resistance_MOhm"] == pytest.approx(200.0, rel=0.01)
    assert row["tau_ms"] == pytest.approx(20.0, rel=0.01)
    assert rheobase(CELL) == 90.0
    assert row["rheobase_pA"] == 100.0, "first multiple of 10 pA above the exact rheobase"
    assert row["threshold_v_mV"] == pytest.approx(spike_threshold(CELL, 100.0), abs=0.05)
    assert row["ahp_depth_mV"] == pytest.approx(row["threshold_v_mV"] + 56.0)


def test_sampled_cells_measured_in_simulation_have_the_features_of_their_coordinates():
    sample = load_class("Pyr").distribution.sample(40, np.random.default_rng(2))
    features = measure_virtual(sample.cells).features
    for name, tolerance in (
        ("v_rest_mV", 0.2),
        ("input_resistance_MOhm", 3.0),
        ("tau_ms", 0.6),
        ("threshold_v_mV", 1.0),
        ("ahp_depth_mV", 1.0),
    ):
        gap = (features[name] - sample.coordinates[name]).abs()
        assert gap.quantile(0.9) < tolerance, name
    step = features["rheobase_pA"] - sample.coordinates["rheobase_pA"]
    assert step.between(-0.01, 20.0).all(), (
        "at most a step above the exact one, and one for slowness"
    )


def test_features_agree_with_brian_and_the_feature_code_of_single_trains():
    cells = sample_cells("Sst", 3, seed=1)
    found = measure_virtual(cells)
    models = [AdExParameters(*row) for row in cells.tolist()]
    above = found.above_rheobase_pA
    currents = found.features["rheobase_pA"].to_numpy()[:, None] + above
    brian = simulate_steps(models, currents, dt_ms=0.1)
    hero = StepProtocol().hero_index
    for k in range(3):
        train, row = brian.spike_times[k][hero], found.features.iloc[k]
        assert np.abs(brian.rates_hz[k] - found.rates_hz[k]).max() <= 1
        assert row["fi_slope_hz_per_pA"] == pytest.approx(
            fi_slope(above, brian.rates_hz[k]), rel=0.03
        )
        assert row["adaptation_index"] == pytest.approx(adaptation_index(train), abs=2e-3)
        assert row["isi_rate_at_hero_hz"] == pytest.approx(isi_rate(train), rel=0.02)
        assert row["latency_hero_ms"] == pytest.approx(train[0], abs=0.5)


def test_threshold_and_fast_trough_are_those_of_a_trace_measured_like_a_recording():
    row = measure_virtual([CELL]).features.iloc[0]
    on, off, strong = 20.0, 60.0, 250.0
    result = simulate_steps(
        [CELL], [strong], baseline_ms=on, tail_ms=10.0, dt_ms=0.01, record=[(0, 0)],
        duration_ms=off,
    )  # fmt: skip
    trace = result.traces[0].copy()
    for time in result.spike_times[0][0]:
        trace[np.flatnonzero(result.t_ms >= time)[0]] = CELL.V_peak
    current = np.where((result.t_ms >= 0) & (result.t_ms < off), strong, 0.0)
    spikes = measure_trace(result.t_ms, trace, current, t_on_ms=0.0, t_off_ms=off).spikes
    assert spikes["fast_trough_v_mV"].iloc[0] == pytest.approx(CELL.V_reset, abs=0.5)
    before = result.t_ms < result.spike_times[0][0][0]
    crossing = threshold_voltage(result.t_ms[before], result.traces[0][before])
    assert crossing == pytest.approx(spike_threshold(CELL, strong), abs=0.3)
    assert row["threshold_v_mV"] == pytest.approx(spike_threshold(CELL, 100.0), abs=0.05)


def test_slopes_of_rows_are_those_of_single_curves():
    above = np.arange(0.0, 141.0, 20.0)
    rates = np.random.default_rng(0).integers(0, 40, (6, 8)).astype(float)
    rates[0], rates[1, 1:] = 0.0, 0.0
    assert fi_slopes(above, rates) == pytest.approx(
        [fi_slope(above, row) for row in rates], nan_ok=True
    )


def test_irregularity_is_zero_for_steady_growth_and_large_for_pairs():
    growing = np.cumsum([0, 10, 12, 15, 20, 22.0])
    shrinking = np.cumsum([0, 22, 20, 15, 12, 10.0])
    pairs = np.cumsum([0, 10, 90, 10, 90, 10.0])
    found = irregularity(np.array([growing, shrinking, pairs]))
    assert found[:2] == pytest.approx(0.0, abs=1e-12)
    assert found[2] == pytest.approx(0.8)


def test_scaling_all_currents_changes_no_time():
    double = replace(CELL, C=200.0, g_L=10.0, b=30.0)
    one = measure_virtual([CELL]).features.iloc[0]
    other = measure_virtual(
        [double],
        protocol=StepProtocol(resolution_pA=20.0, spacing_pA=40.0, hero_pA=80.0),
    ).features.iloc[0]
    assert other["rheobase_pA"] == 2 * one["rheobase_pA"]
    for name in ("tau_ms", "adaptation_index", "hero_rate_hz", "latency_hero_ms", "ahp_depth_mV"):
        assert other[name] == pytest.approx(one[name], rel=1e-4)
    assert other["fi_slope_hz_per_pA"] == pytest.approx(one["fi_slope_hz_per_pA"] / 2)


def test_a_cell_without_rheobase_and_bad_tables_are_named():
    with pytest.raises(ParameterError, match=r"cell 1 has no rheobase within 40 steps of 10 pA"):
        measure_virtual([CELL, replace(CELL, a=60.0)])
    with pytest.raises(ParameterError, match=r"cells has shape \(2, 3\)"):
        measure_virtual(np.ones((2, 3)))
    table = np.tile([getattr(CELL, name) for name in PARAMETER_NAMES], (2, 1))
    table[1, 0] = -1.0
    with pytest.raises(ParameterError, match=r"cells\[1\]: C = -1"):
        measure_virtual(table)
    with pytest.raises(ParameterError, match="dt_ms = 0"):
        measure_virtual([CELL], dt_ms=0.0)
