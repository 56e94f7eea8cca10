"""Experiments on motifs: selection, gain and its modulation, restoration.

Each is one vectorised run over all conditions and seeds. Time is in units of τ; inputs and rates
share one arbitrary unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from swta.circuit.rate import RateResult, settle, simulate_rate
from swta.circuit.theory import (
    FloatArray,
    Motif,
    steady_state,
    winner_gain,
)
from swta.validation import (
    ParameterError,
    check_choice,
    check_integer,
    check_real,
    check_tuple,
)

HANDLES = ("beta1", "T_N")


@dataclass(frozen=True)
class Selection:
    """A strong and a weaker input among weak background inputs, all with noise.

    Raises:
        ParameterError: a value outside its range.
    """

    strong: float = 10.0  # input of the strong unit; sets the unit of all rates, our choice
    contrast: float = 0.9  # input of the rival relative to the strong one; our choice
    background: float = 0.3  # input of all other units relative to the strong one; our choice
    noise_sd: float = 0.3  # standard deviation of the noise in each input; our choice
    noise_tau: float = 1.0  # its correlation time, τ
    duration: float = 400.0  # τ; the second half is measured
    seeds: int = 5  # independent noise runs
    seed: int = 0  # first seed

    def __post_init__(self) -> None:
        check_real("strong", self.strong, low=0, open_low=True)
        check_real("contrast", self.contrast, low=0, high=1)
        check_real("background", self.background, low=0, high=1)
        check_real("noise_sd", self.noise_sd, low=0)
        check_real("noise_tau", self.noise_tau, low=0, open_low=True, unit="tau")
        check_real("duration", self.duration, low=10, unit="tau")
        check_integer("seeds", self.seeds, low=2, high=10_000, hint="An interval needs two or more")
        check_integer("seed", self.seed, low=0)

    def inputs(self, n_units: int, contrast: ArrayLike | None = None) -> FloatArray:
        """Noise-free inputs, shape (..., n_units), for one contrast or an array of contrasts.

        Raises:
            ParameterError: fewer than two units.
        """
        check_integer("n_units", n_units, low=2, hint="A selection needs a strong unit and a rival")
        ratio = np.asarray(self.contrast if contrast is None else contrast, dtype=np.float64)
        relative = np.full((*ratio.shape, n_units), self.background)
        relative[..., 0] = 1.0
        relative[..., 1] = ratio
        return self.strong * relative


@dataclass(frozen=True)
class SelectionResult:
    """Three conditions, each with every seed."""

    together: RateResult  # strong unit and rival; batch = seeds
    rival_alone: RateResult  # the strong input reduced to background
    without_excitation: RateResult  # together, in the motif with α = α₂ = 0


def simulate_selection(motif: Motif, task: Selection) -> SelectionResult:
    """Noisy time courses of a selection and its two controls.

    Raises:
        ParameterError: a motif with fewer than two units.
    """
    both = task.inputs(motif.n_units)
    alone = both.copy()
    alone[0] = task.strong * task.background
    feed_forward = replace(motif, alpha=0.0, alpha2=0.0)
    n = task.seeds
    result = simulate_rate(
        [motif] * (2 * n) + [feed_forward] * n,
        np.concatenate([np.tile(row, (n, 1)) for row in (both, alone, both)]),
        duration=task.duration,
        noise_sd=task.noise_sd,
        noise_tau=task.noise_tau,
        seed=task.seed,
        record_every=10,
    )
    parts = (slice(0, n), slice(n, 2 * n), slice(2 * n, 3 * n))
    return SelectionResult(
        *(RateResult(result.time, result.rates[:, p], result.inhibition[:, p]) for p in parts)
    )


@dataclass(frozen=True)
class ComparisonResult:
    """Steady rates by simulation and by closed form, for a series of conditions."""

    abscissa: FloatArray  # what was varied, (n_conditions,)
    inputs: FloatArray  # (n_conditions, n_units)
    simulated: FloatArray  # (n_conditions, n_units)
    predicted: FloatArray  # (n_conditions, n_units)


def simulate_transfer(motif: Motif, task: Selection, contrasts: ArrayLike) -> ComparisonResult:
    """Noise-free steady rates while the rival's input is varied; the abscissa is the contrast.

    Args:
        contrasts: inputs of the rival relative to the strong one, shape (n_conditions,).
    """
    contrasts = np.atleast_1d(np.asarray(contrasts, dtype=np.float64))
    inputs = task.inputs(motif.n_units, contrasts)
    return ComparisonResult(contrasts, inputs, settle(motif, inputs), steady_state(motif, inputs))


def simulate_random_inputs(
    motif: Motif, *, n_patterns: int, largest: float, seed: int
) -> ComparisonResult:
    """Steady rates for inputs drawn uniformly up to ``largest``; the abscissa numbers them.

    Raises:
        ParameterError: a value outside its range.
    """
    check_integer("n_patterns", n_patterns, low=1)
    check_real("largest", largest, low=0, open_low=True)
    check_integer("seed", seed, low=0)
    rng = np.random.default_rng(seed)
    inputs = rng.uniform(0, largest, (n_patterns, motif.n_units))
    number = np.arange(n_patterns, dtype=np.float64)
    return ComparisonResult(number, inputs, settle(motif, inputs), steady_state(motif, inputs))


def simulate_gain(motif: Motif, alphas: ArrayLike) -> ComparisonResult:
    """Rate of a lone winner per unit of input for several α; the abscissa is α.

    Thresholds are set to zero, so that the rate at input 1 is the gain.
    """
    alphas = np.atleast_1d(np.asarray(alphas, dtype=np.float64))
    motifs = [replace(motif, alpha=float(a), T_E=0.0, T_N=0.0) for a in alphas]
    inputs = np.zeros((len(alphas), motif.n_units))
    inputs[:, 0] = 1.0
    predicted = np.zeros_like(inputs)
    predicted[:, 0] = [winner_gain(m) for m in motifs]
    return ComparisonResult(alphas, inputs, settle(motifs, inputs), predicted)


@dataclass(frozen=True)
class ModulationResult:
    """Rate of a lone winner against its input, for several settings of one handle."""

    handle: str  # "beta1" or "T_N"
    motifs: tuple[Motif, ...]  # (n_settings,)
    inputs: FloatArray  # (n_inputs,)
    rates: FloatArray  # (n_settings, n_inputs)


def simulate_modulation(
    motif: Motif, handle: str, values: Sequence[float], inputs: ArrayLike
) -> ModulationResult:
    """Input–output curves of one driven unit while a handle on the inhibition is changed.

    Args:
        handle: "beta1", the strength of feedback inhibition, or "T_N", the threshold of the
            inhibitory unit (a negative one is a tonic drive).
        values: settings of the handle.
        inputs: inputs of the driven unit, shape (n_inputs,); the other units get none.

    Raises:
        ParameterError: an unknown handle or an unstable setting.
    """
    check_choice("handle", handle, HANDLES)
    changes = [{handle: float(value)} for value in values]
    motifs = tuple(Motif(**(asdict(motif) | change)) for change in changes)
    inputs = np.atleast_1d(np.asarray(inputs, dtype=np.float64))
    driven = np.zeros((len(inputs), motif.n_units))
    driven[:, 0] = inputs
    rates = settle([m for m in motifs for _ in inputs], np.tile(driven, (len(motifs), 1)))[
        :, 0
    ].reshape(len(motifs), len(inputs))
    return ModulationResult(handle, motifs, inputs, rates)


@dataclass(frozen=True)
class Pattern:
    """A clean profile (one peak on a flat ground) that is shown with frozen noise.

    Raises:
        ParameterError: a value outside its range.
    """

    peak: float = 10.0  # clean input of unit 0; our choice
    ground: float = 7.5  # clean input of all other units; our choice
    noise_sds: tuple[float, ...] = (0.5, 1.0, 1.5, 2.0)  # standard deviations of the noise
    trials: int = 200  # noisy patterns per seed and noise level
    seeds: int = 5  # independent sets of patterns
    seed: int = 0

    def __post_init__(self) -> None:
        check_real("peak", self.peak, low=0, open_low=True)
        check_real("ground", self.ground, low=0, high=self.peak, open_high=True)
        noise_sds = check_tuple("noise_sds", self.noise_sds)
        if not noise_sds:
            raise ParameterError("noise_sds is empty; give at least one standard deviation")
        for value in noise_sds:
            check_real("noise_sds", value, low=0, open_low=True)
        check_integer("trials", self.trials, low=2)
        check_integer("seeds", self.seeds, low=2, high=10_000, hint="An interval needs two or more")
        check_integer("seed", self.seed, low=0)

    def clean(self, n_units: int) -> FloatArray:
        """The clean profile, shape (n_units,)."""
        check_integer("n_units", n_units, low=2, hint="A profile needs a peak and a ground")
        return np.r_[self.peak, np.full(n_units - 1, self.ground)]


@dataclass(frozen=True)
class RestorationResult:
    """Noisy patterns and the steady rates that they cause."""

    noise_sds: FloatArray  # (n_noise,)
    inputs: FloatArray  # (n_noise, seeds, trials, n_units)
    outputs: FloatArray  # (n_motifs, n_noise, seeds, trials, n_units)


def simulate_restoration(motifs: Sequence[Motif], pattern: Pattern) -> RestorationResult:
    """Steady rates of several motifs for the same noisy patterns.

    Raises:
        ParameterError: no motif, or motifs of different sizes.
    """
    if not motifs or len({m.n_units for m in motifs}) != 1:
        raise ParameterError(f"{len(motifs)} motifs; give at least one, all with the same n_units")
    n = motifs[0].n_units
    rng = np.random.default_rng(pattern.seed)
    sds = np.asarray(pattern.noise_sds, dtype=np.float64)
    noise = rng.standard_normal((len(sds), pattern.seeds, pattern.trials, n))
    inputs = pattern.clean(n) + sds[:, None, None, None] * noise
    flat = inputs.reshape(-1, n)
    outputs = np.stack([settle(m, flat, tolerance=1e-6).reshape(inputs.shape) for m in motifs])
    return RestorationResult(sds, inputs, outputs)
