"""The spiking motif as one of units with a smooth threshold, and what it predicts.

The threshold-linear unit is silent below its threshold and has one slope above it. A population of
spiking cells has neither: their thresholds differ and their input is noisy, so its curve bends over
some range of rates. With the softplus function in place of max(0, u),

    x = f(k D + k' Σ_others D - T + α x - β₁β₂ Σx),    f(u) = σ ln(1 + e^(u/σ)),

one more constant, σ, says over what rates; σ → 0 is the threshold-linear motif of
`swta.circuit.theory`. At a rate x the curve has the slope 1 - e^(-x/σ), by which the loops are
weaker than at high rates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from swta.circuit.rate_targets import QUIET
from swta.circuit.reduction import OpenLoopResult, thalamic_inputs
from swta.validation import ParameterError, check_real

FloatArray = NDArray[np.float64]

STEP: Final = 0.1  # of the relaxation to a steady state, over the time constant
STEPS: Final = 100_000
SETTLED: Final = 1e-9  # largest change in a step, over the largest rate


def activate(inputs_hz: ArrayLike, spread_hz: float) -> FloatArray:
    """Rate (Hz) of a unit with a smooth threshold for its input (Hz), any shape."""
    u = np.asarray(inputs_hz, dtype=np.float64)
    return np.asarray(spread_hz * np.logaddexp(0.0, u / spread_hz))


def input_of(rates_hz: ArrayLike, spread_hz: float) -> FloatArray:
    """Input (Hz) at which a unit has a rate (Hz, above 0), the inverse of `activate`, any shape."""
    x = np.asarray(rates_hz, dtype=np.float64)
    return np.asarray(x + spread_hz * np.log(-np.expm1(-x / spread_hz)))


@dataclass(frozen=True)
class SmoothMotif:
    """Constants of competing units with a smooth threshold. Rates are in Hz.

    Raises:
        ParameterError: a value outside its range, or α at or beyond 1 + β₁β₂, where a rate that has
            left the threshold grows without end.
    """

    gain_hz_per_khz: float  # k, rate per own drive with all loops open, far above threshold
    rival_hz_per_khz: float  # k', the same per drive of a rival; negative
    threshold_hz: float  # T
    spread_hz: float  # σ, rate over which the curve bends
    alpha: float  # α of a unit far above threshold
    loop: float  # β₁β₂, the same

    def __post_init__(self) -> None:
        check_real("gain_hz_per_khz", self.gain_hz_per_khz, unit="Hz/kHz")
        check_real("rival_hz_per_khz", self.rival_hz_per_khz, unit="Hz/kHz")
        check_real("threshold_hz", self.threshold_hz, unit="Hz")
        check_real("spread_hz", self.spread_hz, low=0, open_low=True, unit="Hz")
        check_real("loop", self.loop, low=0)
        check_real(
            "alpha",
            self.alpha,
            high=1 + self.loop,
            open_high=True,
            hint="Beyond 1 + beta1 beta2 there is no steady state far above threshold",
        )

    def slope(self, rate_hz: ArrayLike) -> FloatArray:
        """Slope of the curve at a rate (Hz), of that far above threshold, any shape.

        α and β₁β₂ times it are the constants of the threshold-linear motif at that rate.
        """
        return -np.expm1(-np.asarray(rate_hz, dtype=np.float64) / self.spread_hz)

    def inputs(self, drives_khz: ArrayLike) -> FloatArray:
        """Input (Hz) to each unit from the thalamic drives of all (kHz), (..., n_units)."""
        return thalamic_inputs(
            drives_khz, self.gain_hz_per_khz, self.rival_hz_per_khz, self.threshold_hz
        )

    def predict(self, drives_khz: ArrayLike, *, recurrent: bool = True) -> FloatArray:
        """Rates (Hz) to which units settle from rest, with or without α, (..., n_units).

        Args:
            drives_khz: thalamic drives of all units, (..., n_units).

        For α < 1 this is the only steady state: with S the sum of the rates, each rate rises with
        its input less β₁β₂S, so their sum falls with S and meets it once.

        Raises:
            ParameterError: rates that do not settle.
        """
        inputs = self.inputs(drives_khz)
        alpha = self.alpha if recurrent else 0.0
        rates, pool = np.zeros_like(inputs), np.zeros_like(inputs[..., :1])
        for _ in range(STEPS):
            move = activate(inputs + alpha * rates - self.loop * pool, self.spread_hz) - rates
            pool = pool + STEP * (rates.sum(-1, keepdims=True) - pool)
            rates = rates + STEP * move
            if np.abs(STEP * move).max() <= SETTLED * rates.max():
                return np.asarray(rates)
        raise ParameterError(
            f"rates at alpha = {alpha:.3g} and beta1 beta2 = {self.loop:.3g} do not settle in "
            f"{STEP * STEPS:g} time constants; allowed: alpha further below 1 + beta1 beta2"
        )


def measure_smooth_motif(result: OpenLoopResult) -> SmoothMotif:
    """Constants from the mean over networks of `simulate_open_loops`.

    k and σ are fitted to the curve with all loops open, nothing else. Put through the inverse of
    that curve, rates become inputs, and the other constants are slopes of straight lines: k' from
    the driven rival, T and β₁β₂ from the curve without recurrent excitation, α from that with it.
    Give further drives, so that the open curves reach the rates of the closed one.

    Raises:
        ParameterError: a unit that does not respond, so that there is nothing to reduce.
    """
    closed, cut, opened, rival = (
        np.maximum(one.mean(1)[:, 0], QUIET)
        for one in (result.closed, result.no_recurrence, result.opened, result.rival)
    )
    drives, wide = result.drives_khz, result.open_khz
    k, start, spread = _fit_curve(wide, opened)
    at_reference = k * wide[result.reference] - start
    pushed = input_of(rival, spread) - at_reference
    closed_sum, cut_sum = (
        one.mean(1)[:, : result.n_units].sum(1) for one in (result.closed, result.no_recurrence)
    )
    taken = k * wide - input_of(cut, spread)  # T + β₁β₂ Σx
    threshold, loop = np.polynomial.polynomial.polyfit(cut_sum, taken, 1)
    if loop < 0:  # noise alone can do that
        threshold, loop = taken.mean(), 0.0
    added = input_of(closed, spread) - (k * drives - threshold) + loop * closed_sum  # α x
    return SmoothMotif(
        gain_hz_per_khz=k,
        rival_hz_per_khz=float((pushed * drives).sum() / (drives**2).sum()),
        threshold_hz=float(threshold),
        spread_hz=spread,
        alpha=float((added * closed).sum() / (closed**2).sum()),
        loop=float(loop),
    )


def _fit_curve(drives_khz: FloatArray, rates_hz: FloatArray) -> tuple[float, float, float]:
    """k (Hz/kHz), threshold (Hz) and σ (Hz) of rates over drives; errors count as those of counts.

    Raises:
        ParameterError: rates that do not rise.
    """
    slope, offset = np.polyfit(drives_khz, rates_hz, 1)
    if slope <= 0:
        raise ParameterError(
            f"with loops open the driven unit has a slope of {slope:.3g} Hz/kHz; give drives at "
            "which it fires"
        )
    top = float(rates_hz.max())

    def misfit(values: FloatArray) -> FloatArray:
        k, threshold, log_spread = values
        fitted = activate(k * drives_khz - threshold, float(np.exp(log_spread)))
        return np.asarray((fitted - rates_hz) / np.sqrt(rates_hz))

    bounds = ([0.0, -np.inf, np.log(1e-3 * top)], [np.inf, np.inf, np.log(10 * top)])
    found = least_squares(misfit, [slope, -offset, np.log(0.2 * top)], bounds=bounds).x
    return float(found[0]), float(found[1]), float(np.exp(found[2]))
