"""From what was measured in a class to the parameters of its model, by formulas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

from scipy.optimize import brentq

from swta.cells.adex import AdExParameters, spike_threshold
from swta.cells.statistics import ClassStatistics
from swta.validation import ParameterError, check_real

Status = Literal["measured", "derived", "fitted", "assumed"]

# How each parameter of a class model is obtained.
ORIGINS: Final[Mapping[str, tuple[Status, str]]] = {
    "C": ("derived", "membrane time constant / input resistance (medians)"),
    "g_L": ("derived", "1 / input resistance (median)"),
    "E_L": ("measured", "resting potential (median)"),
    "V_T": ("derived", "E_L + rheobase / g_L + Delta_T, the closed form of the rheobase at a = 0"),
    "Delta_T": (
        "derived",
        "so that dV/dt reaches 20 mV/ms at the measured spike threshold (median)",
    ),
    "tau_w": ("fitted", "to f-I slope and adaptation index (medians)"),
    "a": ("assumed", "0: no subthreshold adaptation, so that the measured resistance is 1 / g_L"),
    "b": ("fitted", "to f-I slope and adaptation index (medians)"),
    "V_reset": ("derived", "fast trough after a spike (median), but not above V_T"),
    "refractory": ("measured", "length of the spike cut of the GLIF models (median)"),
    "V_peak": ("measured", "peak of the action potential (median)"),
}

# Of the recordings' current steps: the first spiking one lies up to one resolution above the
# current at which the cell would just fire, half of it on average.
RHEOBASE_RESOLUTION: Final = 10.0  # pA, finest spacing of the steps near rheobase

# Before a fit: no adaptation. tau_w is that of Brette and Gerstner (2005) and then has no effect.
TAU_W_START: Final = 144.0  # ms
_DELTA_RANGE: Final = (0.1, 15.0)  # mV, searched for Delta_T


def derive_adex(
    statistics: ClassStatistics, *, rheobase_resolution_pA: float = RHEOBASE_RESOLUTION
) -> AdExParameters:
    """AdEx parameters of a class from its medians; spike-triggered adaptation b is still 0.

    C = tau / R, g_L = 1 / R, E_L = rest, V_peak = peak. The rheobase I is the measured one less
    half the spacing of the steps. V_T = E_L + I / g_L + Delta_T makes it exact, and Delta_T is the
    root that puts the point of dV/dt = 20 mV/ms at the measured threshold. V_reset is the fast
    trough; where that lies above V_T (Pyr, Vip) V_reset is V_T, because a reset into the upstroke
    makes the model burst, and the cells' potential goes on falling after the fast trough.
    `ORIGINS` states all of it; `swta.cells.fit.fit_adaptation` finds b and tau_w.

    Args:
        statistics: medians of the class.
        rheobase_resolution_pA: spacing of the current steps near rheobase.

    Raises:
        ParameterError: medians that no AdEx cell can have, such as a negative resistance or a spike
            threshold below the potential at rheobase.
    """
    m = {feature: entry.median for feature, entry in statistics.items()}
    check_real("rheobase_resolution_pA", rheobase_resolution_pA, low=0, unit="pA")
    resistance = _positive(statistics, "input_resistance_MOhm", "MΩ")
    tau = _positive(statistics, "tau_ms", "ms")
    g_L = 1e3 / resistance
    current = _positive(statistics, "rheobase_pA", "pA") - 0.5 * rheobase_resolution_pA
    check_real("rheobase less half its resolution", current, low=0, open_low=True, unit="pA")

    def with_slope_factor(delta: float) -> AdExParameters:
        V_T = m["v_rest_mV"] + current / g_L + delta
        return AdExParameters(
            C=tau * g_L,
            g_L=g_L,
            E_L=m["v_rest_mV"],
            V_T=V_T,
            Delta_T=delta,
            tau_w=TAU_W_START,
            a=0.0,
            b=0.0,
            V_reset=min(m["fast_trough_v_mV"], V_T),
            refractory=m["spike_cut_ms"],
            V_peak=m["peak_v_mV"],
        )

    def excess(delta: float) -> float:
        return spike_threshold(with_slope_factor(delta), current) - m["threshold_v_mV"]

    low, high = _DELTA_RANGE
    if excess(low) > 0 or excess(high) < 0:
        measured = m["threshold_v_mV"]
        raise ParameterError(
            f"class {statistics.name}: threshold_v_mV = {measured:g} cannot be met; allowed: "
            f"{excess(low) + measured:.1f} to {excess(high) + measured:.1f} mV at this resting "
            "potential, input resistance and rheobase. Check these medians"
        )
    return with_slope_factor(float(brentq(excess, low, high, xtol=1e-9)))


def with_adaptation(parameters: AdExParameters, b: float, tau_w: float) -> AdExParameters:
    """The same cell with spike-triggered adaptation b (pA) and time constant tau_w (ms)."""
    return replace(parameters, b=b, tau_w=tau_w)


def _positive(statistics: ClassStatistics, feature: str, unit: str) -> float:
    name = f"class {statistics.name}: {feature}"
    return check_real(name, statistics[feature].median, low=0, open_low=True, unit=unit)
