"""AdEx parameters in the coordinates in which cells were measured, and back, by closed forms.

With a = 0 six of the nine features of a class are closed forms of the parameters: E_L is the
resting potential, 1 / g_L the input resistance, C / g_L the time constant, g_L (V_T - E_L -
Delta_T) the rheobase, the potential where dV/dt passes 20 mV/ms the threshold, and threshold less
V_reset the AHP depth. With V_peak, the refractory time, tau_w and the excess of b they are ten
coordinates of the AdEx cell that determine all its parameters.

The excess of b is what b has beyond b* = g_L Delta_T exp((V_reset - V_T) / Delta_T) - g_L (V_reset
- E_L) + I at the rheobase I. In many pyramidal and VIP cells the reset lies above V_T, where dV/dt
would be positive without adaptation: a cell with b below b* fires again at once, one with b above
it falls first. Where V_reset is at or below V_T, b* is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import lambertw

from swta.cells.adex import DVDT_CRITERION, LARGEST_EXPONENT, PARAMETER_NAMES
from swta.validation import ParameterError

Status = Literal["measured", "derived", "fitted", "assumed"]

COORDINATES: Final[Mapping[str, str]] = {
    "v_rest_mV": "measured",
    "input_resistance_MOhm": "measured",
    "tau_ms": "measured",
    "rheobase_pA": "measured",
    "threshold_v_mV": "measured",
    "peak_v_mV": "measured",
    "ahp_depth_mV": "fitted",
    "refractory_ms": "fitted",
    "tau_w_ms": "fitted",
    "b_excess_pA": "fitted",
}
FITTED: Final = tuple(name for name, status in COORDINATES.items() if status == "fitted")

# How each parameter of a cell follows from what was measured in it.
ORIGINS: Final[Mapping[str, tuple[Status, str]]] = {
    "C": ("derived", "membrane time constant / input resistance"),
    "g_L": ("derived", "1 / input resistance"),
    "E_L": ("measured", "resting potential"),
    "V_T": ("derived", "E_L + rheobase / g_L + Delta_T, the closed form of the rheobase at a = 0"),
    "Delta_T": ("derived", "so that dV/dt reaches 20 mV/ms at the measured spike threshold"),
    "tau_w": ("fitted", "to f-I slope, adaptation index and rate at the hero current"),
    "a": ("assumed", "0: no subthreshold adaptation, so that the measured resistance is 1 / g_L"),
    "b": ("fitted", "to f-I slope, adaptation index and rate at the hero current"),
    "V_reset": ("fitted", "threshold less AHP depth, which may leave the measured depth"),
    "refractory": ("fitted", "to f-I slope, adaptation index and rate at the hero current"),
    "V_peak": ("measured", "peak of the action potential"),
}

# Of the recordings' steps the first with a spike lies up to one step above the current at which
# the cell would just fire, half of it on average.
RHEOBASE_RESOLUTION: Final = 10.0  # pA, finest spacing of the steps near rheobase
SLOPE_FACTORS: Final = (0.2, 15.0)  # mV, Delta_T outside is no cell
LARGEST_B: Final = 1500.0  # pA; a reset that needs more lies too far above V_T to be one


def to_cells(
    coordinates: pd.DataFrame, *, step_above_pA: float = 0.5 * RHEOBASE_RESOLUTION
) -> NDArray[np.float64]:
    """AdEx parameters (n, 11) in the order and units of `AdExParameters`; NaN rows are no cells.

    With D = threshold - E_L - I / g_L, the distance from the potential at rheobase I to threshold,
    Delta_T solves Delta_T exp(D / Delta_T - 1) = D - dI / g_L + 20 mV/ms tau, where dI is the
    distance of the step of the measured threshold from the rheobase: x = D / Delta_T is
    -W(-1 / (e K)), the lower branch of Lambert's function, with K = right side / D.

    No cell is one whose threshold lies below the potential at rheobase, whose Delta_T is outside
    `SLOPE_FACTORS`, or whose b is below 0 or above `LARGEST_B`.

    Args:
        coordinates: columns `COORDINATES` in their units; ``rheobase_pA`` is the exact rheobase.
        step_above_pA: dI, the current of the step above the exact rheobase.

    Raises:
        ParameterError: a missing column.
    """
    missing = [name for name in COORDINATES if name not in coordinates]
    if missing:
        raise ParameterError(
            f"coordinates have no {', '.join(missing)}; allowed: all of {', '.join(COORDINATES)}"
        )
    column = {name: coordinates[name].to_numpy(dtype=np.float64) for name in COORDINATES}
    rest, tau, current = (column[n] for n in ("v_rest_mV", "tau_ms", "rheobase_pA"))
    with np.errstate(all="ignore"):
        g_L = 1e3 / column["input_resistance_MOhm"]
        distance = column["threshold_v_mV"] - rest - current / g_L
        upstroke = distance - step_above_pA / g_L + DVDT_CRITERION * tau
        delta = distance / -lambertw(-distance / (np.e * upstroke), -1).real
        possible = (distance > 0) & (upstroke > distance)
        possible &= (delta > SLOPE_FACTORS[0]) & (delta < SLOPE_FACTORS[1])
        possible &= (g_L > 0) & (tau > 0) & (current > 0) & (column["tau_w_ms"] > 0)
        possible &= column["refractory_ms"] >= 0
        possible &= column["ahp_depth_mV"] > 0
        possible &= column["peak_v_mV"] > column["threshold_v_mV"]
        V_T = rest + current / g_L + delta
        reset = column["threshold_v_mV"] - column["ahp_depth_mV"]
        b = column["b_excess_pA"] + holding_b(g_L, rest, V_T, delta, reset, current)
        # With b < 0 spikes excite the cell, and nothing in the model bounds how far.
        possible &= (b >= 0) & (b <= LARGEST_B)
    cells = {
        "C": tau * g_L,
        "g_L": g_L,
        "E_L": rest,
        "V_T": V_T,
        "Delta_T": delta,
        "tau_w": column["tau_w_ms"],
        "a": np.zeros_like(rest),
        "b": b,
        "V_reset": reset,
        "refractory": column["refractory_ms"],
        "V_peak": column["peak_v_mV"],
    }
    table = np.column_stack([cells[name] for name in PARAMETER_NAMES])
    table[~possible | ~np.isfinite(table).all(axis=1)] = np.nan
    return table


def holding_b(
    g_L: NDArray[np.float64],
    E_L: NDArray[np.float64],
    V_T: NDArray[np.float64],
    Delta_T: NDArray[np.float64],
    V_reset: NDArray[np.float64],
    current_pA: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Adaptation current (pA) that makes dV/dt zero at a reset above V_T; 0 for one below.

    At the rheobase the currents without adaptation add up to zero at V_T and to more elsewhere, so
    it is never negative and begins at 0.

    Args:
        g_L, E_L, V_T, Delta_T, V_reset: (n,), in the units of `AdExParameters`.
        current_pA: (n,), the rheobase.
    """
    exponent = np.minimum((V_reset - V_T) / Delta_T, LARGEST_EXPONENT)
    needed = g_L * Delta_T * np.exp(exponent) - g_L * (V_reset - E_L) + current_pA
    return np.where(V_reset > V_T, np.maximum(needed, 0.0), 0.0)
