"""Hysteresis of two competing units: staircase sweeps, and switch points by bracketing.

Two units get inputs I₀ ∓ d/2. With α > 1 the winner of the past keeps its place until the rival
leads by d*. Time is in units of τ; inputs and rates share one arbitrary unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from swta.circuit.rate import StepInputs, motif_network, simulate_rate
from swta.circuit.theory import FloatArray, Motif, hysteresis_half_width, winner_rate
from swta.validation import check_real


@dataclass(frozen=True)
class SweepResult:
    """Two units with inputs I₀ ∓ d/2 while d is stepped up and then down."""

    differences: FloatArray  # d, (n_differences,), rising
    up: FloatArray  # rates at the end of each step of the rising sweep, (n_differences, batch, 2)
    down: FloatArray  # the same for the falling sweep, in the order of ``differences``


def simulate_sweep(
    motifs: Sequence[Motif],
    *,
    mean_input: float,
    widest: float,
    step: float = 0.1,
    hold: float = 60.0,
) -> SweepResult:
    """Staircase sweep of the input difference between two units, several motifs at once.

    Args:
        mean_input: I₀, input units.
        widest: largest |d|, below 2 I₀, so that no input is negative.
        step: height of a stair, input units.
        hold: time on each stair, τ.

    Raises:
        ParameterError: a value outside its range.
    """
    check_real("mean_input", mean_input, low=0, open_low=True)
    check_real("step", step, low=0, open_low=True)
    check_real("widest", widest, low=step, high=2 * mean_input)
    check_real("hold", hold, low=1, unit="tau")
    pairs = [replace(m, n_units=2) for m in motifs]
    dt = motif_network(pairs).safe_step(0.05)
    stairs = round(widest / step)
    differences = np.arange(-stairs, stairs + 1) * step
    course = np.concatenate([differences, differences[::-1]])
    inputs = np.stack([mean_input - course / 2, mean_input + course / 2], axis=-1)
    every = round(hold / dt)
    result = simulate_rate(
        pairs,
        StepInputs(np.arange(len(course)) * every * dt, inputs),
        duration=len(course) * every * dt,
        dt=dt,
        record_every=every,
    )
    ends = result.rates[1:]
    n = len(differences)
    return SweepResult(differences, ends[:n], ends[n:][::-1])


def simulate_switch_points(
    motifs: Sequence[Motif],
    *,
    mean_input: float,
    resolution: float = 1e-3,
    ramp: float = 200.0,
    hold: float = 400.0,
) -> FloatArray:
    """Smallest lead of the rival's input that takes the winner's place, (n_motifs,), input units.

    In each round the winner is set up at equal inputs, the difference d is raised smoothly to one
    of several trial values and held there; the rival has switched if its rate is then the larger
    one. The bracket shrinks 16-fold per round until it is narrower than ``resolution``.

    Raises:
        ParameterError: a motif with α ≤ 1, which has no memory, or a value outside its range.
    """
    check_real("mean_input", mean_input, low=0, open_low=True)
    check_real("resolution", resolution, low=0, open_low=True)
    for motif in motifs:
        check_real("alpha", motif.alpha, low=1, open_low=True, hint="A loop needs hard selection")
    pairs = [replace(m, n_units=2) for m in motifs]
    low, high = np.zeros(len(pairs)), np.full(len(pairs), 2.0 * mean_input)
    while (high - low).max() > resolution:
        edges = np.linspace(low, high, 17, axis=-1)  # (n_motifs, 17)
        switched = _rival_switches(pairs, mean_input, edges[:, 1:-1], ramp, hold)
        held = np.where(switched.any(-1), switched.argmax(-1), switched.shape[-1])
        low, high = np.take_along_axis(edges, np.stack([held, held + 1], -1), -1).T
    return (low + high) / 2


def _rival_switches(
    pairs: Sequence[Motif],
    mean_input: float,
    trials: FloatArray,
    ramp: float,
    hold: float,
) -> NDArray[np.bool_]:
    """Whether the rival wins after its lead was raised to each trial value, shape of ``trials``."""
    start = [
        [x, 0.0, max(0.0, m.beta2 * x - m.T_N)] for m in pairs for x in [winner_rate(m, mean_input)]
    ]
    lead = trials.ravel()
    dt = motif_network(pairs).safe_step(0.05)

    def inputs(time: float) -> FloatArray:
        half = lead * (1 - np.cos(np.pi * min(1.0, time / ramp))) / 4
        return np.stack([mean_input - half, mean_input + half], axis=-1)

    ends = simulate_rate(
        [m for m in pairs for _ in range(trials.shape[1])],
        inputs,
        duration=ramp + hold,
        dt=dt,
        initial=np.repeat(np.array(start, dtype=np.float64), trials.shape[1], axis=0),
        record_every=round((ramp + hold) / dt),
    ).rates[-1]
    return (ends[:, 1] > ends[:, 0]).reshape(trials.shape)


def predicted_switch_points(motifs: Sequence[Motif], mean_input: float) -> FloatArray:
    """Half widths d* of the closed form for the same motifs, (n_motifs,), input units."""
    return np.array([hysteresis_half_width(m, mean_input) for m in motifs])
