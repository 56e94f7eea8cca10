"""Closed forms of the threshold-linear soft winner-take-all motif.

``n`` excitatory units share one inhibitory unit. With f(u) = max(0, u) and time in units of τ,

    dx_i/dt = -x_i + f(I_i + α x_i + α₂ Σ_nb x_j - β₁ x_N - T_E)
    dx_N/dt = -x_N + f(β₂ Σ_j x_j - T_N)

The forms below hold for α₂ = 0 unless said otherwise. Inputs and rates share one arbitrary unit
(leak conductance 1). The lineage is Hahnloser et al. 2000 and Rutishauser, Douglas and Slotine
2011.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from swta.validation import ParameterError, check_integer, check_real

FloatArray = NDArray[np.floating]
ComplexArray = NDArray[np.complexfloating]

STABILITY_CLASSES: Final = (
    "soft",
    "hard, within the contraction bounds",
    "hard, stable outside the bounds",
    "unstable",
)


@dataclass(frozen=True)
class Motif:
    """One soft winner-take-all motif.

    Raises:
        ParameterError: a value outside its range, or recurrence beyond linear stability,
            α + 2 α₂ < min(2, 1 + β₁β₂).
    """

    alpha: float = 0.9  # α, self-excitation of a unit; soft below 1 (Rutishauser et al. 2011)
    beta1: float = 3.0  # β₁, inhibitory unit to each excitatory unit (same source)
    beta2: float = 0.25  # β₂, each excitatory unit to the inhibitory unit (same source)
    T_E: float = 0.0  # threshold of the excitatory units, input units
    T_N: float = 0.0  # threshold of the inhibitory unit, input units; negative = tonic drive
    n_units: int = 4  # excitatory units; our choice
    alpha2: float = 0.0  # α₂, excitation from each neighbour on a ring; our choice

    def __post_init__(self) -> None:
        check_real("beta1", self.beta1, low=0)
        check_real("beta2", self.beta2, low=0)
        check_real("T_E", self.T_E)
        check_real("T_N", self.T_N)
        check_integer("n_units", self.n_units, low=1, high=1024)
        limit = min(2.0, 1.0 + self.loop)
        check_real(
            "alpha2",
            self.alpha2,
            low=0,
            high=limit / 2,
            open_high=True,
            hint="The ring is stable for alpha + 2 alpha2 < min(2, 1 + beta1 beta2)",
        )
        check_real(
            "alpha",
            self.alpha,
            low=0,
            high=limit - 2 * self.alpha2,
            open_high=True,
            hint="The motif is stable for alpha + 2 alpha2 < min(2, 1 + beta1 beta2); "
            "lower alpha or raise beta1 beta2",
        )

    @property
    def loop(self) -> float:
        """Strength of the inhibitory loop β₁β₂, dimensionless."""
        return self.beta1 * self.beta2

    @property
    def soft(self) -> bool:
        """Whether several winners can coexist and the steady state is unique (α < 1)."""
        return self.alpha < 1


def winner_gain(motif: Motif) -> float:
    """Slope of the only winner's rate against its input, g = 1 / (1 + β₁β₂ - α), dimensionless."""
    _without_neighbours(motif)
    return 1.0 / (1.0 + motif.loop - motif.alpha)


def suppression_ratio(motif: Motif) -> float:
    """Input ratio κ = β₁β₂ g below which a weaker unit is silent, dimensionless.

    With thresholds the inputs of the ratio are I - T_E + β₁T_N. κ < 1 exactly when α < 1.
    """
    return motif.loop * winner_gain(motif)


def winner_rate(motif: Motif, winner_input: ArrayLike) -> FloatArray:
    """Steady rate of a unit that is active alone, for its input ``winner_input``, any shape.

    g (I_w - T_E + β₁T_N) where inhibition is active, (I_w - T_E)/(1 - α) below that.
    For α ≥ 1 a driven unit always reaches the inhibition.
    """
    _without_neighbours(motif)
    drive = np.asarray(winner_input, dtype=np.float64) - motif.T_E
    inhibited = winner_gain(motif) * (drive + motif.beta1 * motif.T_N)
    if motif.soft:
        free = drive / (1 - motif.alpha)
        inhibited = np.where(motif.beta2 * free > motif.T_N, inhibited, free)
    silent = drive <= 0 if motif.T_N >= 0 else inhibited <= 0
    return np.where(silent, 0.0, np.maximum(inhibited, 0.0))


def steady_state(motif: Motif, inputs: ArrayLike) -> FloatArray:
    """Rates that a motif starting from rest settles to.

    For α < 1 this is the only steady state: the units with the largest inputs share the response.
    Its summed activity S solves S = Σ f(I_i - T_E - β₁ f(β₂S - T_N)) / (1 - α), whose right side
    falls with S, so there is one solution. It is found by solving for all units and dropping those
    that come out negative, at most n times; a dropped unit never has to return, because dropping
    raises S. For α ≥ 1 the unit with the largest input stays alone (equal starts keep their order).

    Args:
        inputs: constant inputs, shape (..., n_units).

    Returns:
        Rates, shape (..., n_units).

    Raises:
        ParameterError: neighbour coupling, a wrong number of units, or two equal largest inputs
            with α ≥ 1, where the winner is a matter of chance.
    """
    _without_neighbours(motif)
    inputs = check_inputs(motif, inputs)
    drive = inputs - motif.T_E
    if not motif.soft:
        return _lone_winner(motif, inputs)
    rest = 1.0 - motif.alpha
    free = np.maximum(drive, 0.0) / rest
    inhibition_silent = motif.beta2 * free.sum(-1, keepdims=True) <= motif.T_N
    effective = drive + motif.beta1 * motif.T_N
    active = np.ones(drive.shape, dtype=bool)
    rates = free
    for _ in range(motif.n_units + 1):
        count = active.sum(-1, keepdims=True)
        total = (effective * active).sum(-1, keepdims=True) / (rest + count * motif.loop)
        rates = np.where(active, (effective - motif.loop * total) / rest, 0.0)
        if not (rates < 0).any():
            break
        active &= rates > 0
    return np.where(inhibition_silent, free, rates)


def hysteresis_half_width(motif: Motif, mean_input: float) -> float:
    """Half width d* of the loop of two units with inputs I₀ ∓ d/2, in units of the input.

    d* = 2 J (κ - 1)/(κ + 1) with J = I₀ - T_E + β₁T_N. For α < 1 it is negative: there is no
    memory, and both units are active for |d| < |d*|.
    """
    kappa = suppression_ratio(motif)
    return 2.0 * _effective_mean(motif, mean_input) * (kappa - 1.0) / (kappa + 1.0)


def hysteresis_area(motif: Motif, mean_input: float) -> float:
    """Area of the loop of x₁ - x₂ against d, rate times input units: 4 g J d*, or 0 if α ≤ 1."""
    half_width = max(0.0, hysteresis_half_width(motif, mean_input))
    return 4.0 * winner_gain(motif) * _effective_mean(motif, mean_input) * half_width


def winner_eigenvalues(motif: Motif) -> ComplexArray:
    """Eigenvalues (1/τ) of one winner with the inhibitory unit, larger real part first, shape (2,).

    λ = (α - 2 ± √(α² - 4β₁β₂)) / 2.
    """
    return group_eigenvalues(motif.alpha, motif.loop)


def group_eigenvalues(excitation: float, loop: float) -> ComplexArray:
    """Eigenvalues (1/τ) of a summed mode of gain ``excitation`` with its inhibition, shape (2,)."""
    root = np.sqrt(complex(excitation**2 - 4 * loop))
    return np.array([excitation - 2 + root, excitation - 2 - root], dtype=np.complex128) / 2


def mode_rates(motif: Motif) -> FloatArray:
    """Growth rates (1/τ) of the modes of a ring with all units active, shape (n_units,).

    Mode 0 is the summed activity with the inhibitory unit (the larger real part). Mode m is a
    difference mode that the inhibitory unit does not see: α + α₂ Σ_nb cos(2πm/n) - 1. All below
        zero
    means that the motif stays graded.
    """
    n = motif.n_units
    neighbours = sum(np.cos(2 * np.pi * np.arange(n) * k / n) for k in neighbour_offsets(n))
    gains = motif.alpha + motif.alpha2 * neighbours * np.ones(n)
    growth = gains - 1.0
    growth[0] = group_eigenvalues(gains[0], n * motif.loop)[0].real
    return growth


def neighbour_offsets(n_units: int) -> tuple[int, ...]:
    """Offsets of a unit's neighbours on a ring: none for 1 unit, one for 2, two for more."""
    return {1: (), 2: (1,)}.get(n_units, (1, -1))


def contraction_bounds(loop: float) -> tuple[float, float]:
    """Range of α for hard selection with guaranteed contraction, 1 < α < 2√(β₁β₂), dimensionless.

    The range is empty unless 1/4 < β₁β₂ < 1 (Rutishauser, Douglas and Slotine 2011).

    Raises:
        ParameterError: β₁β₂ outside that interval.
    """
    check_real("beta1 beta2", loop, low=0.25, high=1, open_low=True, open_high=True)
    return 1.0, 2.0 * float(np.sqrt(loop))


def stability_class(alpha: ArrayLike, loop: ArrayLike) -> NDArray[np.int64]:
    """Index into ``STABILITY_CLASSES`` for every α and β₁β₂; the two are broadcast together."""
    alpha, loop = np.broadcast_arrays(np.asarray(alpha, float), np.asarray(loop, float))
    contracting = (alpha > 1) & (alpha < 2 * np.sqrt(loop)) & (loop > 0.25) & (loop < 1)
    unstable = alpha >= np.minimum(2.0, 1.0 + loop)
    return np.select([unstable, alpha < 1, contracting], [3, 0, 1], default=2).astype(np.int64)


def check_inputs(motif: Motif, inputs: ArrayLike) -> FloatArray:
    """``inputs`` as finite floats of shape (..., n_units).

    Raises:
        ParameterError: another last dimension, or a value that is not finite.
    """
    array = np.asarray(inputs, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] != motif.n_units:
        raise ParameterError(
            f"inputs of shape {array.shape} do not fit n_units = {motif.n_units}; "
            "the last dimension must be the number of units"
        )
    if not np.isfinite(array).all():
        raise ParameterError("inputs hold values that are not finite; allowed: finite numbers")
    return array


def _lone_winner(motif: Motif, inputs: FloatArray) -> FloatArray:
    largest = inputs.max(-1, keepdims=True)
    winners = inputs == largest
    driven = winner_rate(motif, largest)
    if ((winners.sum(-1, keepdims=True) > 1) & (driven > 0)).any():
        raise ParameterError(
            f"two units share the largest input at alpha = {motif.alpha:g}; with alpha >= 1 "
            "chance decides between them: make the inputs differ"
        )
    return np.where(winners, driven, 0.0)


def _effective_mean(motif: Motif, mean_input: float) -> float:
    return check_real("mean_input", mean_input) - motif.T_E + motif.beta1 * motif.T_N


def _without_neighbours(motif: Motif) -> None:
    if motif.alpha2 != 0:
        raise ParameterError(
            f"alpha2 = {motif.alpha2:g}: this closed form holds for alpha2 = 0; "
            "simulate the motif instead"
        )
