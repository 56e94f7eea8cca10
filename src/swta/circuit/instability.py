"""A motif beyond the bounds of the theory: a warning that names the bound, and what it does."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np

from swta.circuit.rate import RateNetwork, simulate_network
from swta.circuit.theory import FloatArray, group_eigenvalues
from swta.validation import check_real

LARGEST_RISE: Final = 1e4  # where a course of growth is cut, over the input


class StabilityWarning(UserWarning):
    """Parameters outside the bounds of the theory."""


@dataclass(frozen=True)
class GrowthResult:
    """Course of one driven unit with its inhibitory unit, from rest."""

    alpha: float
    loop: float  # β₁β₂
    eigenvalue: complex  # of the larger real part, 1/τ
    time: FloatArray  # (n_samples,), τ
    rates: FloatArray  # (n_samples, 2): unit, inhibitory unit; over the input


def check_stability(alpha: float, loop: float) -> str:
    """Warn if a lone winner with these parameters is outside the bounds; the text of the warning.

    The bounds are linear stability, α < min(2, 1 + β₁β₂), and for hard selection, α > 1, the
    contraction bound α < 2√(β₁β₂) (Rutishauser, Douglas and Slotine 2011). Empty if within them.
    """
    check_real("alpha", alpha, low=0)
    check_real("beta1 beta2", loop, low=0)
    stable, contracting = min(2.0, 1.0 + loop), 2.0 * float(np.sqrt(loop))
    if alpha >= stable:
        text = (
            f"alpha = {alpha:g} is beyond linear stability, alpha < min(2, 1 + beta1 beta2) = "
            f"{stable:.4g}: rates grow without end"
        )
    elif alpha > 1 and alpha >= contracting:
        text = (
            f"alpha = {alpha:g} is stable, yet beyond the contraction bound, alpha < "
            f"2 sqrt(beta1 beta2) = {contracting:.4g}: selection is not guaranteed to contract"
        )
    else:
        return ""
    warnings.warn(text, StabilityWarning, stacklevel=2)
    return text


def simulate_growth(
    alpha: float, beta1: float, beta2: float, *, duration: float = 60.0, dt: float = 0.005
) -> GrowthResult:
    """Rates of a driven unit and its inhibitory unit for any α, also where they run away.

    The course ends after ``duration`` (τ) or where theory puts a rise of `LARGEST_RISE`. Parameters
    outside the bounds warn, see `check_stability`.

    Args:
        alpha: self-excitation.
        beta1, beta2: from the inhibitory unit and to it.
        dt: Euler step, τ.

    Raises:
        ParameterError: a negative parameter.
    """
    check_real("beta1", beta1, low=0)
    check_real("beta2", beta2, low=0)
    check_stability(alpha, beta1 * beta2)
    eigenvalue = complex(group_eigenvalues(alpha, beta1 * beta2)[0])
    length = check_real("duration", duration, low=1, unit="tau")
    if eigenvalue.real > 0:
        length = min(length, float(np.log(LARGEST_RISE)) / eigenvalue.real)
    network = RateNetwork(
        np.array([[alpha, -beta1], [beta2, 0.0]]), np.zeros(2), ("unit", "inhibitory unit")
    )
    course = simulate_network(network, [1.0, 0.0], duration=length, dt=dt, record_every=10)
    return GrowthResult(alpha, beta1 * beta2, eigenvalue, course.time, course.rates[:, 0])


def measure_growth(result: GrowthResult) -> float:
    """Rate of growth (1/τ) over the last quarter of the course, where the fastest mode is left."""
    late = result.time >= 0.75 * result.time[-1]
    rise = np.log(np.abs(np.gradient(result.rates[late, 0], result.time[late])))
    return float(np.polynomial.polynomial.polyfit(result.time[late], rise, 1)[1])
