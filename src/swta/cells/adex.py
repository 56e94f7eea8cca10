"""The adaptive exponential integrate-and-fire (AdEx) neuron: parameters and closed forms.

Between spikes (Brette and Gerstner 2005, equations 1 and 2)

    C dV/dt = -g_L (V - E_L) + g_L Delta_T exp((V - V_T) / Delta_T) - w + I
    tau_w dw/dt = a (V - E_L) - w

and when V crosses V_peak: V -> V_reset, w -> w + b, V held for the refractory time.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from swta.validation import ParameterError, check_real

# Where the recordings' spike threshold lies: dV/dt = 20 mV/ms, the detection criterion of the Allen
# Software Development Kit (its refined 5 % of the mean upstroke is the same for 400 mV/ms).
DVDT_CRITERION = 20.0  # mV/ms

# Largest argument of the exponential in numerical work: e^30 nS mV is far above any other current,
# so a spike is under way, and no step overflows.
LARGEST_EXPONENT = 30.0


@dataclass(frozen=True)
class AdExParameters:
    """One point neuron; voltages as recorded, not corrected for the liquid junction potential.

    Raises:
        ParameterError: a value that is not finite or outside the allowed range.
    """

    C: float  # pF, membrane capacitance; derived: time constant over input resistance
    g_L: float  # nS, leak conductance; derived: inverse input resistance
    E_L: float  # mV, resting potential; measured
    V_T: float  # mV, where the exponential's slope equals the leak's; derived from the rheobase
    Delta_T: float  # mV, slope factor of spike onset; derived from the measured spike threshold
    tau_w: float  # ms, time constant of adaptation; fitted to f-I slope and adaptation index
    a: float  # nS, subthreshold adaptation, above -g_L; below 0 a slow depolarising current
    b: float  # pA, spike-triggered adaptation; below 0 an after-depolarising current
    V_reset: float  # mV, membrane potential after a spike; fast trough, not above V_T
    refractory: float  # ms, length of a spike; measured: Teeter et al. 2018, spike cut
    V_peak: float  # mV, where a spike is cut off; measured: peak of the action potential

    def __post_init__(self) -> None:
        check_real("C", self.C, low=0, open_low=True, unit="pF")
        check_real("g_L", self.g_L, low=0, open_low=True, unit="nS")
        check_real("E_L", self.E_L, low=-150, high=50, unit="mV")
        check_real("Delta_T", self.Delta_T, low=0, open_low=True, unit="mV")
        check_real("tau_w", self.tau_w, low=0, open_low=True, unit="ms")
        check_real(
            "a",
            self.a,
            low=-self.g_L,
            open_low=True,
            unit="nS",
            hint="At or below -g_L the membrane has no stable resting potential",
        )
        check_real("b", self.b, unit="pA")
        check_real("refractory", self.refractory, low=0, unit="ms")
        check_real(
            "V_T",
            self.V_T,
            low=self.E_L + self.Delta_T * (1 - np.log1p(min(self.a, 0.0) / self.g_L)),
            open_low=True,
            unit="mV",
            hint="At or below it (E_L + Delta_T for a >= 0) the cell fires without input",
        )
        check_real("V_peak", self.V_peak, low=self.V_T, open_low=True, unit="mV")
        check_real("V_reset", self.V_reset, high=self.V_peak, open_high=True, unit="mV")

    @property
    def tau_m(self) -> float:
        """Membrane time constant C / g_L, in ms."""
        return self.C / self.g_L

    @property
    def input_resistance(self) -> float:
        """Input resistance at rest without adaptation, 1 / g_L, in MΩ."""
        return 1e3 / self.g_L

    @property
    def steady_resistance(self) -> float:
        """Slope of the leak's steady current-voltage relation, 1 / (g_L + a), in MΩ."""
        return 1e3 / (self.g_L + self.a)

    def as_dict(self) -> dict[str, float]:
        """Name to value, in the units of the fields."""
        return asdict(self)


PARAMETER_NAMES = tuple(field.name for field in fields(AdExParameters))
UNITS = dict(
    zip(
        PARAMETER_NAMES,
        ("pF", "nS", "mV", "mV", "mV", "ms", "nS", "pA", "mV", "ms", "mV"),
        strict=True,
    )
)


def rheobase(parameters: AdExParameters) -> float:
    """Smallest constant current with no resting state, in pA.

    The current-voltage relation of the resting state peaks where exp((V - V_T) / Delta_T) equals 1
    + a / g_L; the peak is the rheobase. Without subthreshold adaptation it is g_L (V_T - E_L -
    Delta_T). It holds while the resting state is lost in a saddle-node bifurcation, a / g_L <
    tau_m / tau_w (Touboul and Brette 2008), so for every negative a. A step of finite length needs
    more: a negative a is slow to help, and the cell fires late.

    Raises:
        ParameterError: a is so large that the resting state is lost in a Hopf bifurcation instead.
    """
    p = parameters
    if p.a / p.g_L >= p.tau_m / p.tau_w:
        raise ParameterError(
            f"a = {p.a:g} nS is out of range; allowed: below g_L tau_m / tau_w = "
            f"{p.C / p.tau_w:g} nS for the closed form of the rheobase. Simulate it instead"
        )
    ratio = p.a / p.g_L
    return (p.g_L + p.a) * (p.V_T - p.E_L - p.Delta_T + p.Delta_T * np.log1p(ratio))


def passive_response(
    parameters: AdExParameters, current_pA: float, t_ms: ArrayLike
) -> NDArray[np.float64]:
    """Membrane potential (mV) of the leak alone, at times t_ms (ms) after a current step (pA).

    V = E_L + I / g_L (1 - exp(-t / tau_m)): the AdEx far below V_T with a = 0.
    """
    p = parameters
    rise = -np.expm1(-np.asarray(t_ms, dtype=float) / p.tau_m)
    return p.E_L + current_pA / p.g_L * rise


def lif_rate(parameters: AdExParameters, current_pA: ArrayLike) -> NDArray[np.float64]:
    """Firing rate (Hz) of the leaky integrate-and-fire limit Delta_T -> 0 without adaptation.

    1 / rate = refractory + tau_m ln((V_inf - V_reset) / (V_inf - V_T)), V_inf = E_L + I / g_L, and
    zero where V_inf <= V_T (Gerstner et al. 2014, Neuronal Dynamics, section 1.3).

    Args:
        parameters: V_reset must lie below V_T.
        current_pA: constant currents, any shape.

    Raises:
        ParameterError: V_reset is not below V_T.
    """
    p = parameters
    check_real("V_reset", p.V_reset, high=p.V_T, open_high=True, unit="mV")
    v_inf = p.E_L + np.asarray(current_pA, dtype=float) / p.g_L
    fires = v_inf > p.V_T
    above = np.where(fires, v_inf, p.V_T + 1.0)
    interval = p.refractory + p.tau_m * np.log((above - p.V_reset) / (above - p.V_T))
    return np.where(fires, 1e3 / interval, 0.0)


def spike_threshold(
    parameters: AdExParameters, current_pA: float, *, dvdt: float = DVDT_CRITERION
) -> float:
    """Membrane potential (mV) at which the upstroke reaches dvdt (mV/ms) under a current (pA).

    This is the recordings' definition of threshold, not V_T. Adaptation current is taken as zero,
    as before a first spike with a = 0.

    Raises:
        ParameterError: the upstroke does not reach dvdt below 20 Delta_T above V_T.
    """
    p = parameters
    check_real("dvdt", dvdt, low=0, open_low=True, unit="mV/ms")

    def excess(v: float) -> float:
        onset = p.g_L * p.Delta_T * np.exp((v - p.V_T) / p.Delta_T)
        return float((onset - p.g_L * (v - p.E_L) + current_pA) / p.C - dvdt)

    top = p.V_T + 20 * p.Delta_T
    if excess(p.V_T) > 0 or excess(top) < 0:
        raise ParameterError(
            f"dvdt = {dvdt:g} mV/ms is not crossed between V_T = {p.V_T:g} and {top:g} mV at "
            f"{current_pA:g} pA; choose a criterion between those of the two voltages"
        )
    return float(brentq(excess, p.V_T, top, xtol=1e-9))
