"""How states end: in noise, by distractors, and by inhibition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from swta.circuit import StepInputs, simulate_network
from swta.memory.coupling import (
    CoupledPair,
    Cue,
    FloatArray,
    is_up,
    pair_network,
    saddle_rate,
    simulate_cues,
    up_rate,
)
from swta.memory.measures import measure_lifetimes
from swta.validation import ParameterError, check_integer, check_real


@dataclass(frozen=True)
class LifetimeResult:
    """Lifetimes of a cued state in noise."""

    noise_sds: FloatArray  # (n_noises,), input units
    lifetimes: FloatArray  # τ, (n_noises, n_trials); states that never end have ``retention``
    retention: float  # τ simulated after the cue

    @property
    def medians(self) -> FloatArray:
        """Median lifetime, τ, (n_noises,); infinite where half of the states never end."""
        median = np.median(self.lifetimes, axis=1)
        return np.where(median < self.retention - 1, median, np.inf)

    def surviving(self, time: ArrayLike) -> FloatArray:
        """Share of states still up at times (n_times,), τ after the cue, (n_noises, n_times)."""
        times = np.minimum(np.asarray(time, dtype=np.float64), self.retention - 1)
        return np.mean(self.lifetimes[:, None, :] >= times[None, :, None], axis=-1)


def simulate_lifetimes(
    pair: CoupledPair,
    noise_sds: Sequence[float],
    *,
    trials: int,
    retention: float,
    cue: Cue = Cue(),
    seed: int = 0,
) -> LifetimeResult:
    """Lifetimes of a state after its cue, for several strengths of noise.

    A state has ended once its unit is below half of T_N/β₂. Noise is an Ornstein–Uhlenbeck current
    of correlation time τ into every cell.

    Args:
        noise_sds: standard deviations of the noise, input units.
        trials: for each of them.
        retention: time followed after the cue, τ.

    Raises:
        ParameterError: no noise level, or a value outside its range.
    """
    if not len(noise_sds):
        raise ParameterError("noise_sds is empty; give at least one standard deviation")
    check_integer("trials", trials, low=1)
    level = pair.motif.T_N / pair.motif.beta2 / 2
    lifetimes = []
    for k, sd in enumerate(noise_sds):
        run = simulate_cues(
            [pair] * trials,
            [cue] * trials,
            retention=retention,
            dt=pair_network(pair).safe_step(0.05),
            noise_sd=sd,
            seed=1000 * seed + k,
            record_every=20,
        )
        found = measure_lifetimes(run, level)
        lifetimes.append(np.where(found >= run.time[-1] - run.cue_end, retention, found))
    return LifetimeResult(np.asarray(noise_sds, dtype=np.float64), np.array(lifetimes), retention)


def distractor_threshold(pair: CoupledPair) -> float:
    """Smallest input to another unit that starts it against the present inhibition, input units.

    β₁(β₂x* - T_N) + T_E. Weaker distractors cannot reach the memory; stronger ones may replace it.

    Raises:
        ParameterError: the pair has no up-state.
    """
    motif = pair.motif
    return motif.beta1 * (motif.beta2 * up_rate(pair) - motif.T_N) + motif.T_E


def termination_threshold(pair: CoupledPair) -> float:
    """Input to both inhibitory units beyond which no up-state exists, T_N - β₂x_s, input units.

    The input lowers T_N, and the condition of persistence fails where the saddle reaches the
    onset of inhibition. A pulse that begins at once ends it a little earlier, by the undershoot
    that it sets off. β₁ does not enter: silencing a share of the inhibition's output does not
    protect the state, taking input away from the inhibitory units does.

    Raises:
        ParameterError: the pair has no up-state.
    """
    return pair.motif.T_N - pair.motif.beta2 * saddle_rate(pair)


@dataclass(frozen=True)
class TerminationResult:
    """Whether pulses to the inhibitory units end a state."""

    amplitudes: FloatArray  # (n_amplitudes,), input units
    durations: FloatArray  # (n_durations,), τ
    ended: FloatArray  # 1 where the state is gone afterwards, (n_durations, n_amplitudes)


def simulate_termination(
    pair: CoupledPair, amplitudes: ArrayLike, durations: ArrayLike, *, recovery: float = 100.0
) -> TerminationResult:
    """A pulse of excitation to both inhibitory units (SST cells) of a pair that holds a state.

    Input from VIP cells is the same with the other sign; it has to be taken off the amplitude.

    Args:
        amplitudes: of the pulses, input units, (n_amplitudes,).
        durations: of the pulses, τ, (n_durations,).
        recovery: time after the pulse before the state is judged, τ.

    Raises:
        ParameterError: a value outside its range, or a pair without an up-state.
    """
    amplitudes = np.atleast_1d(np.asarray(amplitudes, dtype=np.float64))
    durations = np.atleast_1d(np.asarray(durations, dtype=np.float64))
    for duration in durations:
        check_real("duration", float(duration), low=0, open_low=True, unit="tau")
    n, rate = pair.motif.n_units, up_rate(pair)
    state = np.zeros(2 * n + 2)
    state[[0, n + 1]] = rate
    state[[n, 2 * n + 1]] = pair.motif.beta2 * rate - pair.motif.T_N
    pulse = np.zeros((len(amplitudes), 2 * n + 2))
    pulse[:, [n, 2 * n + 1]] = amplitudes[:, None]
    network, ended = pair_network(pair), []
    for duration in durations:
        result = simulate_network(
            network,
            StepInputs(np.array([0.0, duration]), np.stack([pulse, np.zeros_like(pulse)])),
            duration=duration + check_real("recovery", recovery, low=1, unit="tau"),
            initial=state,
            record_every=50,
        )
        ended.append(~is_up([pair] * len(amplitudes), result.rates[-1, :, 0]))
    return TerminationResult(amplitudes, durations, np.array(ended, dtype=np.float64))


def measure_termination(result: TerminationResult) -> FloatArray:
    """Smallest tested amplitude that ends the state, for each duration, (n_durations,).

    NaN where none does.
    """
    some = result.ended.any(1)
    return np.where(some, result.amplitudes[result.ended.argmax(1)], np.nan)
