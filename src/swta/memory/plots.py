"""Figures of chapter 4. Each function draws what it is given and computes no results."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from numpy.typing import ArrayLike

from swta.intervals import Interval
from swta.memory.coupling import PairResult
from swta.memory.machine import MachineResult
from swta.memory.persistence import MapResult

STATE_COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito
OUTCOMES = ("unstable", "no up-state", "up-state, but not after the cue", "up-state after the cue")
OUTCOME_SHADES = ("#DDDDDD", "#FFFFFF", "#FCE3B5", "#CFE8DC")


def plot_up_state(
    result: PairResult,
    labels: Sequence[str],
    level: float | None = None,
    seconds_per_tau: float = 1.0,
    ax: Axes | None = None,
) -> Axes:
    """Rate of unit 0 of X in time, one line per condition; the cue is shaded.

    Args:
        labels: a label per condition.
        level: predicted rate of the up-state, drawn dotted, input units.
        seconds_per_tau: τ in seconds.
    """
    ax = ax or plt.gca()
    for colour, label, rates in zip(STATE_COLOURS, labels, result.x[..., 0].T, strict=False):
        ax.plot(result.time * seconds_per_tau, rates, color=colour, label=label)
    ax.axvspan(0, result.cue_end * seconds_per_tau, color="#EEEEEE", zorder=0)
    if level is not None:
        ax.axhline(level, color="black", lw=0.8, ls=":")
    ax.set(xlabel="time (s)", ylabel="rate of unit 0 of X (input units)")
    ax.legend()
    return ax


def plot_up_rates(
    gammas: ArrayLike,
    measured: ArrayLike,
    curve: tuple[ArrayLike, ArrayLike, ArrayLike],
    gentle: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Rate after the cue against γ: simulation (dots), closed forms of up-state and saddle (lines).

    Args:
        curve: γ, x* and x_s of the closed forms.
        gentle: final rates from a gentle start, drawn as open circles.
    """
    ax = ax or plt.gca()
    if gentle is not None:
        ax.plot(gammas, gentle, "o", mfc="none", color=STATE_COLOURS[1], ms=7, label="gentle start")
    ax.plot(curve[0], curve[1], color="black", label="up-state x*")
    ax.plot(curve[0], curve[2], color="black", lw=1, ls="--", label="saddle $x_s$")
    ax.plot(gammas, measured, "o", color=STATE_COLOURS[0], label="after the cue")
    ax.set(xlabel="coupling γ", ylabel="rate (input units)")
    ax.legend()
    return ax


def plot_persistence_map(
    result: MapResult, predicted: ArrayLike, measured: ArrayLike, ax: Axes | None = None
) -> Axes:
    """Outcome of the simulations over γ and α, with the predicted and the measured boundary.

    Args:
        predicted: predicted smallest γ for each α of the map.
        measured: α and measured smallest γ of the boundary points, shape (2, n_points).
    """
    ax = ax or plt.gca()
    outcome = np.where(result.stable, 1 + result.gentle.astype(int), 0)
    outcome[result.cued] = 3
    shades = ListedColormap(list(OUTCOME_SHADES))
    ax.pcolormesh(
        result.gammas, result.alphas, outcome, cmap=shades, vmin=-0.5, vmax=3.5, shading="nearest"
    )
    for shade, name in zip(OUTCOME_SHADES, OUTCOMES, strict=True):
        ax.plot([], [], "s", color=shade, mec="#777777", mew=0.5, ms=8, label=name)
    ax.plot(predicted, result.alphas, color="black", label="predicted boundary")
    alphas, gammas = np.asarray(measured)
    ax.plot(gammas, alphas, "o", color=STATE_COLOURS[0], clip_on=False, label="measured boundary")
    ax.set(
        xlabel="coupling γ",
        ylabel="self-excitation α",
        xlim=(result.gammas[0], result.gammas[-1]),
        ylim=(result.alphas[0], result.alphas[-1]),
    )
    ax.legend(loc="upper left", bbox_to_anchor=(1.02, 1))
    return ax


def plot_erasure(
    amplitudes: ArrayLike, old: ArrayLike, new: ArrayLike, level: float, ax: Axes | None = None
) -> Axes:
    """Final rates of the old and the new state against the amplitude of the second cue."""
    ax = ax or plt.gca()
    ax.plot(amplitudes, old, "s-", color=STATE_COLOURS[0], label="old state (unit 0)")
    ax.plot(amplitudes, new, "o-", color=STATE_COLOURS[1], label="new state (unit 1)")
    ax.axhline(level, color="black", lw=0.8, ls=":")
    ax.set(xlabel="amplitude of the second cue (input units)", ylabel="final rate (input units)")
    ax.legend()
    return ax


def plot_machine(
    result: MachineResult,
    symbols: Sequence[str],
    symbol_duration: float,
    run: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Pointer units of one run in time; symbols are shaded, and lettered by their names.

    Args:
        symbols: the names of the automaton's symbols.
        symbol_duration: length of the shading, τ.
    """
    ax = ax or plt.gca()
    for unit, name in enumerate(result.states):
        colour = STATE_COLOURS[unit % len(STATE_COLOURS)]
        ax.plot(result.time, result.y[:, run, unit], color=colour, label=f"state {name}")
    top = 1.05 * result.y[:, run].max()
    for onset, symbol in zip(result.onsets, result.sequences[run], strict=True):
        middle = onset + symbol_duration / 2
        ax.axvspan(onset, onset + symbol_duration, color="#EEEEEE", zorder=0)
        ax.text(middle, top, symbols[symbol], ha="center", va="bottom", clip_on=True)
    ax.axhline(result.up_rate, color="black", lw=0.8, ls=":")
    ax.set(xlabel="time (τ)", ylabel="y (input units)", ylim=(0, 1.12 * top))
    return ax


def plot_transition_cells(
    result: MachineResult, labels: Sequence[str], run: int = 0, ax: Axes | None = None
) -> Axes:
    """Transition cells of one run in time, one line per move of the wired automaton."""
    ax = ax or plt.gca()
    cells = result.transition[:, run].T
    for colour, label, rates in zip(STATE_COLOURS, labels, cells, strict=False):
        ax.plot(result.time, rates, color=colour, label=label)
    ax.set(xlabel="time (τ)", ylabel="z (input units)")
    return ax


def plot_error_rates(
    noise_sds: ArrayLike, intervals: Sequence[Interval], ax: Axes | None = None
) -> Axes:
    """Share of wrong answers against noise, with exact intervals."""
    ax = ax or plt.gca()
    value = np.array([i.value for i in intervals])
    below, above = value - [i.low for i in intervals], [i.high for i in intervals] - value
    ax.errorbar(
        noise_sds, value, np.stack([below, above]), fmt="o-", color=STATE_COLOURS[0], capsize=2
    )
    ax.set(xlabel="s.d. of the noise (input units)", ylabel="share of wrong answers")
    return ax
