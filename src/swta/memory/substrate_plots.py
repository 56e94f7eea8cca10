"""Figures of chapter 4 on limits, the chip and spikes. Each function draws what it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from swta.memory.chip_boundary import ChipBoundaryResult, SparsityResult
from swta.memory.lifetimes import LifetimeResult
from swta.memory.plots import STATE_COLOURS
from swta.memory.spiking import SpikingMemoryResult
from swta.memory.spiking_machine import SpikingMachineResult, Y, Z


def plot_lifetimes(
    result: LifetimeResult, seconds_per_tau: float = 1.0, ax: Axes | None = None
) -> Axes:
    """Share of states still up against time after the cue, one line per noise level."""
    ax = ax or plt.gca()
    time = np.linspace(0, result.retention - 1, 200)
    for colour, sd, share in zip(
        STATE_COLOURS, result.noise_sds, result.surviving(time), strict=False
    ):
        ax.plot(time * seconds_per_tau, share, color=colour, label=f"noise {sd:.2g}")
    ax.set(xlabel="time after the cue (s)", ylabel="share still up", ylim=(-0.03, 1.03))
    ax.legend()
    return ax


def plot_shortest(strengths: ArrayLike, shortest: ArrayLike, ax: Axes | None = None) -> Axes:
    """Shortest symbol that makes its move, against its strength; no point where none does."""
    ax = ax or plt.gca()
    ax.plot(strengths, shortest, "o-", color=STATE_COLOURS[1])
    ax.set(xlabel="strength of the symbol (input units)", ylabel="shortest duration (τ)")
    return ax


def plot_chip_boundary(result: ChipBoundaryResult, ax: Axes | None = None) -> Axes:
    """Tested couplings on the chip, held (filled) or lost (open), with both boundaries."""
    ax = ax or plt.gca()
    alphas = np.broadcast_to(result.alphas[:, None], result.gammas.shape)
    held = result.up
    colour = STATE_COLOURS[1]
    ax.plot(result.gammas[held], alphas[held], "o", color=colour, ms=4, label="held")
    ax.plot(result.gammas[~held], alphas[~held], "o", color=colour, mfc="none", ms=4, label="lost")
    ax.plot(result.predicted, result.alphas, color="black", label="predicted boundary")
    ax.plot(result.measured, result.alphas, "x", color=STATE_COLOURS[0], label="measured boundary")
    ax.set(xlabel="coupling γ", ylabel="self-excitation α")
    ax.legend()
    return ax


def plot_sparsity(results: Mapping[str, SparsityResult], ax: Axes | None = None) -> Axes:
    """Share of trials that hold the state against the share of possible cross-connections."""
    ax = ax or plt.gca()
    for colour, (label, result) in zip(STATE_COLOURS, results.items(), strict=False):
        ax.plot(100 * result.connections, result.survival, "o-", color=colour, label=label)
    ax.set(xlabel="cross-connections (% of all)", ylabel="share of trials held", ylim=(-0.03, 1.03))
    ax.legend()
    return ax


def plot_patches(
    result: SpikingMemoryResult, condition: int = 0, unit: int = 0, ax: Axes | None = None
) -> Axes:
    """Rate of one unit in both patches after a cue: each pair of networks thin, the mean thick."""
    ax = ax or plt.gca()
    for colour, patch, name in zip(STATE_COLOURS, (0, 1), "XY", strict=False):
        rates = result.courses[:, condition, :, patch, unit]
        ax.plot(result.time_s, rates, color=colour, lw=0.5, alpha=0.4)
        ax.plot(result.time_s, np.nanmean(rates, axis=1), color=colour, label=name)
    ax.axvline(0, color="black", lw=0.8, ls=":")
    ax.set(xlabel="time after the cue (s)", ylabel="rate (Hz)")
    ax.legend()
    return ax


def plot_spiking_machine(
    result: SpikingMachineResult,
    symbols: Sequence[str],
    symbol_s: float,
    labels: Mapping[str, Sequence[str]],
    axes: Sequence[Axes],
    run: int = 0,
) -> None:
    """Pointer units (first axes) and transition cells (second) of one run, symbols shaded.

    Args:
        symbols: the names of the automaton's symbols.
        symbol_s: length of the shading, s.
        labels: names of ``states`` and ``moves``.
    """
    width = 5  # bins, running mean
    kernel = np.ones(width) / width
    parts = ((Y, result.state_units, labels["states"]), (Z, result.move_units, labels["moves"]))
    for ax, (patch, units, names) in zip(axes, parts, strict=True):
        for colour, unit, name in zip(STATE_COLOURS, units, names, strict=False):
            rates = np.convolve(result.courses[:, run, patch, unit], kernel, "same")
            ax.plot(result.time_s, rates, color=colour, label=name)
        for onset in result.read_s[:-1]:
            ax.axvspan(onset, onset + symbol_s, color="#EEEEEE", zorder=0)
        ax.set(xlabel="time (s)", ylabel="rate (Hz)", ylim=(0, 1.15 * ax.get_ylim()[1]))
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    top = axes[0].get_ylim()[1]
    for onset, symbol in zip(result.read_s, result.sequences[run], strict=False):
        middle = onset + symbol_s / 2
        axes[0].text(middle, 0.98 * top, symbols[symbol], ha="center", va="top", clip_on=True)
