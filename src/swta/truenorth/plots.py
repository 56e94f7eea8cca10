"""Figures of chapter 3. Each function draws what it is given and computes no results."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from swta.cells.classes import COLOURS, LABELS
from swta.truenorth.calibration import CalibrationResult
from swta.truenorth.energy import QUOTED_PER_EVENT, EnergyResult
from swta.truenorth.experiments import LesionResult, MotifResult, SoftnessResult, UnitResult
from swta.truenorth.gallery import BehaviourResult, TraceResult
from swta.truenorth.measures import lesion_effects
from swta.truenorth.neuron import N_NEURONS
from swta.truenorth.nirfile import ReaderResult
from swta.truenorth.placement import Placement
from swta.truenorth.quantisation import CHIP_BITS, QuantisationResult, RateErrorResult

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


def plot_behaviour(result: BehaviourResult, ax: Axes | None = None) -> Axes:
    """Spikes of neuron 0 on top, its potential and threshold, and the external input below.

    Input is drawn as bars, up for excitation, scaled to its largest value, none too short to see.
    """
    ax = ax or plt.gca()
    trace = result.trace
    own = trace.potentials[:, 0]
    low, high = float(own.min()), float(max(own.max(), result.behaviour.cells[0].threshold))
    unit = max(high - low, 1.0) / 10
    ax.axhline(result.behaviour.cells[0].threshold, color="#BBBBBB", lw=0.6, ls=":", zorder=0)
    ax.step(trace.ticks, own, where="post", color=SERIES[0], lw=0.8)
    fired = trace.ticks[trace.spikes[:, 0]]
    ax.vlines(fired, high + 1.2 * unit, high + 3.2 * unit, color=COLOURS["Pyr"], lw=0.8)
    middle = low - 3.2 * unit
    size = np.abs(result.drive) / max(np.abs(result.drive).max(), 1)
    height = 1.8 * unit * np.sign(result.drive) * np.maximum(size, 0.3)
    active = result.drive != 0
    ax.axhline(middle, color="#BBBBBB", lw=0.5)
    ax.vlines(trace.ticks[active], middle, middle + height[active], color="#555555", lw=0.8)
    ax.set_xlim(trace.ticks[0], trace.ticks[-1] + 1)
    ax.set_ylim(low - 5.4 * unit, high + 3.6 * unit)
    ax.set_title(result.behaviour.name, fontsize=7, pad=2)
    ax.tick_params(labelsize=6, length=2, pad=1.5)
    ax.locator_params(axis="x", nbins=3, integer=True)
    ax.set_yticks([low, result.behaviour.cells[0].threshold])
    return ax


def plot_gallery(results: Sequence[BehaviourResult], figure: Figure | None = None) -> Figure:
    """Draw one panel per behaviour, four in a row; see ``plot_behaviour``."""
    figure = figure or plt.gcf()
    rows = -(-len(results) // 4)
    axes = figure.subplots(rows, 4, squeeze=False)
    for ax, result in zip(axes.flat, results, strict=False):
        plot_behaviour(result, ax)
    for ax in axes.flat[len(results) :]:
        ax.remove()
    figure.supxlabel("tick (1 ms)", fontsize=8)
    figure.supylabel("potential of neuron 0 (integer units)", fontsize=8)
    return figure


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


def plot_placement(placement: Placement, ax: Axes | None = None) -> Axes:
    """Neurons of each core by what they are, stacked, and its axons in use (dots), of 256."""
    ax = ax or plt.gca()
    cores = np.arange(placement.n_cores)
    own = np.bincount(
        np.concatenate([places[:, 0] for places in placement.places.values()]),
        minlength=placement.n_cores,
    )
    copies = placement.neurons_used - own - placement.splitters
    parts = (
        ("neurons", own, COLOURS["Pyr"]),
        ("copies", copies, "#EFA277"),
        ("splitters", placement.splitters, "#999999"),
    )
    base = np.zeros(placement.n_cores)
    for name, height, colour in parts:
        if height.any():
            ax.bar(cores, height, bottom=base, color=colour, width=0.8, label=name)
            base = base + height
    ax.plot(cores, placement.axons_used, "o", color="#222222", label="axons in use")
    ax.axhline(N_NEURONS, color="#777777", lw=0.8, ls=":")
    ax.set(xlabel="core", ylabel="count", ylim=(0, 1.5 * N_NEURONS))
    ax.set_yticks([0, 64, 128, 192, N_NEURONS])
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(loc="upper center", ncols=2, handlelength=1.2, columnspacing=1)
    return ax


def plot_crossbar(placement: Placement, core: int = 0, ax: Axes | None = None) -> Axes:
    """The set bits of one core's crossbar, coloured by the type of their axon."""
    ax = ax or plt.gca()
    shown = np.where(placement.crossbar[core], 1 + placement.axon_type[core][:, None], 0)
    colours = ListedColormap(["white", *SERIES[:4]])
    ax.imshow(shown, cmap=colours, vmin=-0.5, vmax=4.5, interpolation="nearest", aspect="equal")
    used = np.unique(placement.axon_type[core, : placement.axons_used[core]])
    for axon_type in used:
        ax.plot([], [], "s", color=SERIES[axon_type], label=f"type {axon_type}")
    ax.set(xlabel="neuron", ylabel="axon")
    ax.set_xticks([0, 128, 255])
    ax.set_yticks([0, 128, 255])
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, handletextpad=0.1, columnspacing=1)
    return ax


def plot_quantisation(result: QuantisationResult, ax: Axes | None = None) -> Axes:
    """Mean over motifs of the largest relative error of a slope, against bits, for each size."""
    ax = ax or plt.gca()
    _error_lines(ax, result.bits, result.sizes, result.slope_error.mean(axis=2))
    ax.set_ylabel("relative error of the slopes")
    return ax


def plot_rate_error(result: RateErrorResult, ax: Axes | None = None) -> Axes:
    """Root mean square error of rates over the largest, against bits, for each size."""
    ax = ax or plt.gca()
    _error_lines(ax, result.bits, result.sizes, result.error)
    ax.set_ylabel("error of the rates (of the largest)")
    return ax


def plot_calibration(result: CalibrationResult, ax: Axes | None = None) -> Axes:
    """Errors of rates, winner gain and suppression ratio, before and after each correction."""
    ax = ax or plt.gca()
    names = {"rmse": "rates", "gain_error": "winner gain", "suppression_error": "suppression ratio"}
    number = np.arange(len(result.rounds))
    for colour, marker, (field, label) in zip(SERIES, "os^", names.items(), strict=False):
        errors = [getattr(each, field) for each in result.rounds]
        ax.plot(number, errors, f"{marker}-", color=colour, lw=1.2, label=label)
    ax.axvline(
        result.rounds.index(result.best), color="#777777", lw=0.8, ls=":", zorder=0, label="kept"
    )
    ax.set(xlabel="corrections", ylabel="relative error", ylim=(0, None))
    ax.set_xticks(number)
    ax.legend()
    return ax


def plot_energy(result: EnergyResult, ax: Axes | None = None) -> Axes:
    """Energy per synaptic event with its range, on the chip and on the processor, logarithmic."""
    ax = ax or plt.gca()
    rows = (
        ("processor, estimated", result.processor_per_event, "#555555"),
        ("this run on the chip", result.chip_per_event, COLOURS["Pvalb"]),
    )
    for place, (_, estimate, colour) in enumerate(rows):
        span = [[estimate.value - estimate.low], [estimate.high - estimate.value]]
        ax.errorbar([estimate.value], [place], xerr=span, fmt="o", color=colour, capsize=3, ms=6)
    ax.axvline(QUOTED_PER_EVENT, color=COLOURS["Pyr"], lw=1, ls="--", label="26 pJ, quoted")
    ax.set_xscale("log")
    ax.set_yticks(range(len(rows)), [name for name, *_ in rows])
    ax.set(xlabel="energy per synaptic event (J)", ylim=(-0.6, len(rows) - 0.1))
    ax.legend(loc="upper right")
    return ax


def plot_readers(result: ReaderResult, ax: Axes | None = None) -> Axes:
    """Rates of each population on the chip and of its NIR graph in every reader."""
    ax = ax or plt.gca()
    rows = (("chip", result.chip), *zip(result.readers, result.rates, strict=True))
    width = 0.8 / len(rows)
    place = np.arange(len(result.populations))
    for k, (name, rates) in enumerate(rows):
        shift = (k - (len(rows) - 1) / 2) * width
        ax.bar(place + shift, rates, width, color=SERIES[k], label=name)
    ax.set_xticks(place, [name.replace("_", " ") for name in result.populations])
    ax.set_ylabel(f"rate ({RATE})")
    ax.legend()
    return ax


def _error_lines(ax: Axes, bits: np.ndarray, sizes: np.ndarray, errors: np.ndarray) -> None:
    for colour, size, column in zip(SERIES, sizes, errors.T, strict=False):
        ax.plot(bits, column, "o-", color=colour, lw=1.2, label=f"{size}")
    ax.axvline(CHIP_BITS, color="#777777", lw=0.8, ls=":", zorder=0)
    ax.set_yscale("log")
    ax.set_xlabel("bits of a signed weight")
    ax.set_xticks(bits)
    ax.legend(title="neurons per unit", title_fontsize="small")


def _identity(ax: Axes, values: np.ndarray) -> None:
    ends = [values.min(), values.max()]
    ax.plot(ends, ends, color="#777777", lw=1, ls="--", zorder=0)
