"""Closed forms between what is measured in a cell and its AdEx parameters."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swta.cells.adex import PARAMETER_NAMES, AdExParameters, rheobase, spike_threshold
from swta.cells.coordinates import COORDINATES, holding_b, to_cells
from swta.cells.population import simulate_population
from swta.validation import ParameterError

CELL = {
    "v_rest_mV": -70.0,
    "input_resistance_MOhm": 150.0,
    "tau_ms": 12.0,
    "rheobase_pA": 95.0,
    "threshold_v_mV": -38.0,
    "peak_v_mV": 30.0,
    "ahp_depth_mV": 14.0,
    "refractory_ms": 2.0,
    "tau_w_ms": 80.0,
    "b_excess_pA": 20.0,
}


def cell(step_above_pA=5.0, **changes):
    return to_cells(pd.DataFrame([CELL | changes]), step_above_pA=step_above_pA)[0]


@settings(max_examples=60)
@given(
    rest=st.floats(-85, -60),
    resistance=st.floats(50, 300),
    tau=st.floats(4, 30),
    drive=st.floats(8, 25),
    lift=st.floats(4, 30),
    depth=st.floats(3, 25),
)
def test_a_cell_has_the_features_it_was_made_from(rest, resistance, tau, drive, lift, depth):
    current = 1e3 * drive / resistance
    threshold = rest + drive + lift
    row = cell(
        v_rest_mV=rest,
        input_resistance_MOhm=resistance,
        tau_ms=tau,
        rheobase_pA=current,
        threshold_v_mV=threshold,
        peak_v_mV=threshold + 60,
        ahp_depth_mV=depth,
    )
    if np.isnan(row).any():  # reset so far above V_T that no b holds it
        return
    made = AdExParameters(*row.tolist())
    assert rest == made.E_L
    assert made.input_resistance == pytest.approx(resistance)
    assert made.tau_m == pytest.approx(tau)
    assert rheobase(made) == pytest.approx(current)
    assert spike_threshold(made, current + 5.0) == pytest.approx(threshold, abs=1e-6)
    assert threshold - made.V_reset == pytest.approx(depth)


def test_threshold_agrees_with_a_simulated_spike():
    row = cell()
    response = simulate_population(row[None], [100.0], dt_ms=0.01)
    assert response.threshold_mV[0, 0] == pytest.approx(-38.0, abs=0.05)


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold_v_mV": -58.0},  # below the potential at rheobase, -55.75 mV
        {"input_resistance_MOhm": -150.0},
        {"tau_ms": 0.0},
        {"rheobase_pA": -5.0},
        {"ahp_depth_mV": 0.0},
        {"peak_v_mV": -40.0},
        {"refractory_ms": -1.0},
        {"ahp_depth_mV": 0.5, "b_excess_pA": 200.0},  # b above 1500 pA
        {"b_excess_pA": -1.0},  # b below 0: spikes that excite the cell
        {"tau_w_ms": np.nan},
    ],
)
def test_what_no_cell_can_have_is_nan(changes):
    assert np.isnan(cell(**changes)).all()
    assert np.isfinite(cell()).all()


def test_b_counts_from_the_current_that_holds_the_reset():
    low, high = cell(ahp_depth_mV=25.0), cell(ahp_depth_mV=8.0)
    index = {name: k for k, name in enumerate(PARAMETER_NAMES)}
    assert low[index["V_reset"]] < low[index["V_T"]]
    assert low[index["b"]] == 20.0
    assert high[index["V_reset"]] > high[index["V_T"]]
    held = {name: high[k] for name, k in index.items()}
    onset = (
        held["g_L"] * held["Delta_T"] * np.exp((held["V_reset"] - held["V_T"]) / held["Delta_T"])
    )
    slope = onset - held["g_L"] * (held["V_reset"] - held["E_L"]) + 95.0 - (held["b"] - 20.0)
    assert slope == pytest.approx(0.0, abs=1e-9), "dV/dt is zero at the reset with w = b*"


def test_a_cell_with_less_than_that_fires_again_at_once():
    cells = np.array([cell(ahp_depth_mV=8.0, b_excess_pA=d) for d in (-30.0, 30.0)])
    first = simulate_population(cells, [105.0]).times_ms[:, 0, :2]
    gap = np.diff(first, axis=1)[:, 0]
    assert gap[0] < 15.0 < 40.0 < gap[1]


def test_no_current_is_needed_at_or_below_v_t():
    args = [np.array([v, v]) for v in (8.0, -70.0)]
    V_T = np.array([-50.0, -50.0])
    found = holding_b(*args, V_T, np.full(2, 2.0), np.array([-50.0, -60.0]), np.full(2, 144.0))
    assert found.tolist() == [0.0, 0.0]


def test_a_missing_coordinate_is_named():
    table = pd.DataFrame([CELL]).drop(columns="tau_w_ms")
    with pytest.raises(ParameterError, match="no tau_w_ms; allowed: all of v_rest_mV"):
        to_cells(table)
    assert set(CELL) == set(COORDINATES)
