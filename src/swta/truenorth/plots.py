"""Figures of chapter 3. Each function draws what it is given and computes no results."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from swta.cells.classes import COLOURS, LABELS
from swta.truenorth.experiments import LesionResult, MotifResult, SoftnessResult, UnitResult
from swta.truenorth.gallery import TraceResult
from swta.truenorth.measures import lesion_effects

RATE = "spikes per tick"
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito
LESION_MARKERS = {"strongest unit": "o", "second unit": "s", "all units": "^"}
RANKS = (COLOURS["Pyr"], "#EFA277", "#999999")  # strongest, second, others; as in chapter 2


def plot_trace(result: TraceResult, ax: Axes | None = None) -> Axes:
    """Potential of each neuron after each tick, spikes as dots on top, external input below."""
    ax = ax or plt.gca()
    low, high = result.potentials.min(), result.potentials.max()
    room = 0.08 * max(high - low, 1)
    for neuron, potential in enumerate(result.potentials.T):
        colour = SERIES[neuron]
        ax.step(result.ticks, potential, where="post", color=colour, lw=1, label=f"neuron {neuron}")
        fired = result.ticks[result.spikes[:, neuron]]
        height = high + room * (1 + neuron)
        ax.plot(fired, np.full(len(fired), height), "|", color=colour, ms=6, mew=1.4)
    inputs = result.inputs[:, 0]
    ax.plot(inputs, np.full(len(inputs), low - 1.5 * room), "|", color="#333333", ms=6, mew=1.2)
    ax.set(xlabel="tick (1 ms)", ylabel="potential (integer units)")
    ax.set_xlim(result.ticks[0], result.ticks[-1] + 1)
    ax.legend(loc="upper right", ncols=result.potentials.shape[1])
    ax.set_ylim(low - 3 * room, high + room * (4 + result.potentials.shape[1]))
    return ax


def plot_threshold_linear(result: UnitResult, ax: Axes | None = None) -> Axes:
    """Measured rates (dots) against the net drive, with the prediction (lines), per threshold."""
    ax = ax or plt.gca()
    for colour, threshold in zip(SERIES, np.unique(result.threshold), strict=False):
        mine = np.flatnonzero(result.threshold == threshold)
        order = mine[np.argsort(result.drive[mine])]
        ax.plot(result.drive[order], result.predicted[order], color=colour, lw=1.2)
        ax.plot(
            result.drive[order],
            result.measured[order],
            "o",
            color=colour,
            label=rf"$\alpha_{{th}}$ = {threshold}",
        )
    ax.set(xlabel="net drive (potential per tick)", ylabel=f"rate ({RATE})")
    ax.legend()
    return ax


def plot_lost_inhibition(result: UnitResult, ax: Axes | None = None) -> Axes:
    """Measured against predicted rate under inhibition, per negative threshold."""
    ax = ax or plt.gca()
    for colour, beta in zip(SERIES, np.unique(result.negative_threshold), strict=False):
        mine = result.negative_threshold == beta
        ax.plot(
            result.predicted[mine],
            result.measured[mine],
            "o-",
            color=colour,
            lw=1,
            label=rf"$\beta$ = {beta}",
        )
    _identity(ax, result.predicted)
    ax.set(xlabel=f"predicted rate ({RATE})", ylabel=f"measured rate ({RATE})")
    ax.legend(loc="upper left")
    return ax


def plot_transfer(result: MotifResult, ax: Axes | None = None) -> Axes:
    """Rates of all units on the chip against the closed form, coloured by the rank of the input."""
    ax = ax or plt.gca()
    rank = np.argsort(np.argsort(-result.inputs, axis=1), axis=1)
    names = ("strongest input", "second", "others")
    for k in range(min(3, result.rates.shape[1])):
        mine = rank == k if k < 2 else rank >= 2
        ax.plot(
            result.predicted[mine],
            result.rates[mine],
            "o",
            color=RANKS[k],
            mec="white",
            mew=0.4,
            label=names[k],
        )
    _identity(ax, result.predicted)
    ax.set(xlabel=f"closed form ({RATE})", ylabel=f"chip ({RATE})")
    ax.legend(loc="upper left")
    return ax


def plot_softness(result: SoftnessResult, threshold: int, ax: Axes | None = None) -> Axes:
    """Weakest over strongest rate against the negative threshold; dotted: the closed form.

    Args:
        result: rates per negative threshold and input.
        threshold: of the excitatory neurons, the unit of the horizontal axis.
    """
    ax = ax or plt.gca()
    depth = result.negative_threshold / threshold
    fraction = result.rates.min(-1) / result.rates.max(-1)
    for k, inputs in enumerate(result.inputs):
        colour = SERIES[k % len(SERIES)]
        mean, low, high = (f(fraction[:, k], axis=-1) for f in (np.mean, np.min, np.max))
        ax.errorbar(
            depth,
            mean,
            yerr=[mean - low, high - mean],
            fmt="o-",
            color=colour,
            lw=1.2,
            label=" / ".join(f"{rate:g}" for rate in inputs),
        )
        closed = result.predicted[k].min() / result.predicted[k].max()
        ax.axhline(closed, color=colour, lw=1, ls=":")
    ax.set_xscale("symlog", linthresh=0.25)
    ax.set(
        xlabel=r"negative threshold $\beta$ over threshold $\alpha_{th}$",
        ylabel="weakest over strongest rate",
        ylim=(-0.03, None),
        xlim=(-0.05 if depth.min() == 0 else None, depth.max() * 1.2),
    )
    ax.set_xticks(depth, [f"{x:g}" for x in depth])
    ax.minorticks_off()
    ax.legend(title=f"inputs ({RATE})", title_fontsize="small")
    return ax


def plot_lesion(result: LesionResult, primitive: str, ax: Axes | None = None) -> Axes:
    """Effect of one lesion on the chip against its effect in the rate model."""
    ax = ax or plt.gca()
    chip, model = lesion_effects(result)
    row = result.removed.index(primitive) - 1
    for column, (name, marker) in enumerate(LESION_MARKERS.items()):
        ax.plot(
            model[row, :, column],
            chip[row, :, column],
            marker,
            color=COLOURS[primitive],
            mec="white",
            mew=0.4,
            ms=6,
            label=name,
        )
    _identity(ax, model[row])
    ax.set(xlabel=f"rate model ({RATE})", ylabel=f"chip ({RATE})")
    ax.locator_params(nbins=5)
    ax.set_title(f"without {LABELS[primitive]}", loc="left")
    return ax


def _identity(ax: Axes, values: np.ndarray) -> None:
    ends = [values.min(), values.max()]
    ax.plot(ends, ends, color="#777777", lw=1, ls="--", zorder=0)
