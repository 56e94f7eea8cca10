"""Up-states of two coupled motifs: closed forms, and simulation of cues.

Motifs X and Y are alike. Unit i of X and unit i of Y excite each other with weight γ; nothing else
crosses. State i is "unit i of both is up". Time is in units of τ; inputs and rates share one
arbitrary unit. After Rutishauser and Douglas 2009.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from swta.circuit import (
    Motif,
    NetworkResult,
    RateNetwork,
    StepInputs,
    motif_network,
    simulate_network,
)
from swta.validation import ParameterError, check_integer, check_real

FloatArray = NDArray[np.floating]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class CoupledPair:
    """Two motifs with one-to-one excitation between them.

    Raises:
        ParameterError: thresholds that are not positive, neighbour coupling, or γ outside
            [0, min(2, 1 + β₁β₂) - α).
    """

    motif: Motif  # each of the two; T_E > 0 keeps the down state, T_N > 0 lets the up state form
    gamma: float = 0.3  # γ, weight between equal units of X and Y; our choice

    def __post_init__(self) -> None:
        motif = self.motif
        check_real("T_E", motif.T_E, low=0, open_low=True, hint="Without it the down state is lost")
        check_real("T_N", motif.T_N, low=0, open_low=True, hint="Without it no up-state forms")
        check_real("alpha2", motif.alpha2, low=0, high=0, hint="Coupled motifs have no neighbours")
        lowest, highest = persistence_range(motif)
        check_real(
            "gamma",
            self.gamma,
            low=0,
            high=highest,
            open_high=True,
            hint="The up-state is stable for alpha + gamma < min(2, 1 + beta1 beta2) "
            f"and exists above gamma = {lowest:.4g}",
        )


def persistence_range(motif: Motif) -> tuple[float, float]:
    """Open range of γ with an up-state, (1 + β₂T_E/T_N - α, min(2, 1 + β₁β₂) - α), dimensionless.

    Empty if the first is not below the second.
    """
    lowest = 1.0 + motif.beta2 * motif.T_E / motif.T_N - motif.alpha
    return lowest, min(2.0, 1.0 + motif.loop) - motif.alpha


def persists(pair: CoupledPair) -> bool:
    """Whether the pair has an up-state, by the closed form: x_s < T_N/β₂ < x*."""
    lowest, highest = persistence_range(pair.motif)
    return lowest < pair.gamma < highest


def up_rate(pair: CoupledPair) -> float:
    """Rate of the up-state x* = (β₁T_N - T_E)/(1 + β₁β₂ - α - γ), input units.

    Raises:
        ParameterError: the pair has no up-state; names γ and the range that has one.
    """
    _check_persists(pair)
    motif = pair.motif
    return (motif.beta1 * motif.T_N - motif.T_E) / (1 + motif.loop - motif.alpha - pair.gamma)


def saddle_rate(pair: CoupledPair) -> float:
    """Rate of the saddle between down and up, x_s = T_E/(α + γ - 1), input units.

    Raises:
        ParameterError: the pair has no up-state; names γ and the range that has one.
    """
    _check_persists(pair)
    return pair.motif.T_E / (pair.motif.alpha + pair.gamma - 1)


def pair_network(pair: CoupledPair | Sequence[CoupledPair]) -> RateNetwork:
    """The network of one pair, or a stack for several: X and its inhibition, then Y.

    Raises:
        ParameterError: no pair, or pairs of different sizes.
    """
    if not isinstance(pair, CoupledPair):
        if not pair or len({p.motif.n_units for p in pair}) != 1:
            raise ParameterError(f"{len(pair)} pairs; give at least one, all of the same n_units")
        single = [pair_network(p) for p in pair]
        return RateNetwork(
            np.stack([s.weights for s in single]),
            np.stack([s.thresholds for s in single]),
            single[0].labels,
        )
    motif = motif_network(pair.motif)
    n = len(motif.labels)
    weights = np.zeros((2 * n, 2 * n))
    weights[:n, :n] = weights[n:, n:] = motif.weights
    across = pair.gamma * np.diag(np.r_[np.ones(n - 1), 0.0])  # inhibitory units do not cross
    weights[:n, n:] = weights[n:, :n] = across
    labels = tuple(f"{name} {label}" for name in "XY" for label in motif.labels)
    return RateNetwork(weights, np.tile(motif.thresholds, 2), labels)


@dataclass(frozen=True)
class Cue:
    """A constant input to one unit of X for a while.

    Raises:
        ParameterError: a value outside its range.
    """

    amplitude: float = 6.0  # input units; reference value of the worked example
    duration: float = 30.0  # τ; reference value of the worked example

    def __post_init__(self) -> None:
        check_real("amplitude", self.amplitude, low=0)
        check_real("duration", self.duration, low=0, open_low=True, unit="tau")


@dataclass(frozen=True)
class PairResult:
    """Course of coupled pairs."""

    time: FloatArray  # (n_samples,), τ
    x: FloatArray  # (n_samples, batch, n_units), units of X
    y: FloatArray  # (n_samples, batch, n_units), units of Y
    cue_end: float  # time at which the last cue is withdrawn, τ


def simulate_cues(
    pairs: Sequence[CoupledPair],
    cues: Sequence[Cue] | Sequence[Sequence[Cue]],
    *,
    retention: float,
    gap: float = 60.0,
    dt: float | None = None,
    noise_sd: float = 0.0,
    seed: int = 0,
    record_every: int = 25,
) -> PairResult:
    """Rates of pairs that get one cue after the other, the first on unit 0, the next on unit 1.

    Args:
        pairs: one per condition.
        cues: for each condition one cue or a series of them; the series are equally long, and
            cues of the same place have the same duration.
        retention: simulated time after the last cue, τ.
        gap: time between cues, τ.
        dt: Euler step, τ; by default the one of ``simulate_network``.
        noise_sd: standard deviation of an Ornstein–Uhlenbeck current (correlation time τ) into
            every cell, input units.
        seed: seed of that current.
        record_every: steps between samples.

    Raises:
        ParameterError: not one series per pair, or values outside their range.
    """
    series = [[c] if isinstance(c, Cue) else list(c) for c in cues]
    lengths = {len(s) for s in series}
    if len(series) != len(pairs) or len(lengths) != 1 or not max(lengths) > 0:
        raise ParameterError(
            f"{len(series)} cue series of lengths {sorted(lengths)} for {len(pairs)} pairs; "
            "give one per pair, all equally long"
        )
    n = pairs[0].motif.n_units
    check_integer("cues per series", max(lengths), high=n, hint="Each cue needs a unit of its own")
    onsets, values, time = [], [], 0.0
    for unit, place in enumerate(zip(*series, strict=True)):
        if len({c.duration for c in place}) != 1:
            raise ParameterError("cues of the same place must have the same duration")
        current = np.zeros((len(pairs), 2 * n + 2))
        current[:, unit] = [c.amplitude for c in place]
        onsets += [time, time + place[0].duration]
        values += [current, np.zeros_like(current)]
        time += place[0].duration + gap
    result = simulate_network(
        pair_network(pairs),
        StepInputs(np.array(onsets), np.array(values)),
        duration=onsets[-1] + check_real("retention", retention, low=1, unit="tau"),
        dt=dt,
        noise_sd=noise_sd,
        seed=seed,
        record_every=record_every,
    )
    return _split(result, n, onsets[-1])


def simulate_gentle_start(
    pairs: Sequence[CoupledPair],
    starts: ArrayLike,
    *,
    duration: float,
    dt: float | None = None,
    record_every: int = 25,
) -> PairResult:
    """Rates of pairs without input from a state with unit 0 up and matched inhibition.

    Args:
        pairs: one per condition.
        starts: rate of unit 0 of X and Y at time 0, (n_conditions,) or one for all, input units.
        duration: simulated time, τ.
        dt: Euler step, τ; by default the one of ``simulate_network``.
        record_every: steps between samples.
    """
    n = pairs[0].motif.n_units
    rates = np.broadcast_to(np.asarray(starts, dtype=np.float64), (len(pairs),))
    initial = np.zeros((len(pairs), 2 * n + 2))
    for row, rate, pair in zip(initial, rates, pairs, strict=True):
        row[[0, n + 1]] = rate
        row[[n, 2 * n + 1]] = max(0.0, pair.motif.beta2 * rate - pair.motif.T_N)
    result = simulate_network(
        pair_network(pairs),
        np.zeros(2 * n + 2),
        duration=duration,
        dt=dt,
        initial=initial,
        record_every=record_every,
    )
    return _split(result, n, 0.0)


def is_up(pairs: Sequence[CoupledPair], rates: ArrayLike) -> BoolArray:
    """Whether rates (batch,) lie above half of T_N/β₂, the lowest rate an up-state can have."""
    onset = np.array([p.motif.T_N / p.motif.beta2 for p in pairs])
    return np.asarray(rates) > onset / 2


def with_gamma(pair: CoupledPair, gammas: ArrayLike) -> list[CoupledPair]:
    """The pair at other couplings γ, one per value."""
    return [replace(pair, gamma=float(g)) for g in np.atleast_1d(np.asarray(gammas, dtype=float))]


def _check_persists(pair: CoupledPair) -> None:
    lowest, highest = persistence_range(pair.motif)
    check_real(
        "gamma",
        pair.gamma,
        low=lowest,
        high=highest,
        open_low=True,
        open_high=True,
        hint="Only in this range does the pair have an up-state; raise gamma or alpha",
    )


def _split(result: NetworkResult, n_units: int, cue_end: float) -> PairResult:
    x = result.rates[..., :n_units]
    y = result.rates[..., n_units + 1 : 2 * n_units + 1]
    return PairResult(result.time, x, y, cue_end)
