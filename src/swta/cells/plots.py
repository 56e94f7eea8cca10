"""Figures of chapter 1: classes, f-I curves, and traces."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from swta.cells.classes import CLASSES, COLOURS, LABELS
from swta.cells.simulate import StepResult
from swta.cells.statistics import FEATURES, ClassStatistics, FeatureStatistics

_OTHER_LAYERS = "0.8"


def plot_feature(
    statistics: Mapping[str, ClassStatistics],
    feature: str,
    cells: pd.DataFrame,
    ax: Axes | None = None,
) -> Axes:
    """Draw one feature: bar from quartile to quartile, line at the median, a dot per cell.

    Cells beyond the axis, which ends two interquartile ranges from the outermost boxes at most,
    are triangles at its edge.

    Args:
        statistics: of each class, drawn in this order.
        feature: one of `FEATURES`.
        cells: from `load_class_cells`; may be empty.
        ax: where to draw.
    """
    ax = ax or plt.subplots(figsize=(2.2, 2.2))[1]
    drawn = {}
    for name in statistics:
        values = np.asarray(cells.loc[cells["class"] == name, feature], dtype=float)
        drawn[name] = values[np.isfinite(values)]
    low, high = _axis_range([s[feature] for s in statistics.values()], list(drawn.values()))
    for place, (name, measured) in enumerate(statistics.items()):
        values, colour, entry = drawn[name], COLOURS[name], measured[feature]
        # Spread by a golden-ratio sequence: even, and the same in every build.
        spread = place + 0.5 * (np.modf(0.618034 * np.arange(values.size))[0] - 0.5)
        inside = (values >= low) & (values <= high)
        ax.plot(spread[inside], values[inside], ".", ms=2.5, color=colour, alpha=0.6)
        for marker, limit, beyond in (("v", low, values < low), ("^", high, values > high)):
            if beyond.any():
                at = np.full(beyond.sum(), limit)
                ax.plot(spread[beyond], at, marker, ms=3, color=colour, clip_on=False)
        if not values.size:
            ax.bar(place, entry.iqr, bottom=entry.q25, width=0.7, color=colour, alpha=0.5)
        edge = ax.bar(place, entry.iqr, bottom=entry.q25, width=0.7, zorder=3)
        plt.setp(edge, facecolor="none", edgecolor="0.15", linewidth=0.8)
        ax.hlines(entry.median, place - 0.35, place + 0.35, color="0.15", lw=1.6, zorder=4)
    ax.set_ylim(low, high)
    ax.set_xticks(range(len(statistics)), [LABELS[name] for name in statistics], rotation=45)
    ax.set_ylabel(FEATURES[feature].replace(" (", "\n("))
    return ax


def _axis_range(
    entries: list[FeatureStatistics], values: list[NDArray[np.float64]]
) -> tuple[float, float]:
    """Limits that hold every box, and every cell within two interquartile ranges of its box."""
    low, high = [], []
    for entry, own in zip(entries, values, strict=True):
        near = own[(own >= entry.q25 - 2 * entry.iqr) & (own <= entry.q75 + 2 * entry.iqr)]
        low.append(min([entry.q25, *near]))
        high.append(max([entry.q75, *near]))
    margin = 0.05 * (max(high) - min(low))
    return min(low) - margin, max(high) + margin


def plot_class_features(statistics: Mapping[str, ClassStatistics], cells: pd.DataFrame) -> Figure:
    """Draw the six defining features, one panel each (`plot_feature`)."""
    fig, axes = plt.subplots(2, 3, figsize=(7.0, 4.8), layout="constrained")
    for ax, feature, letter in zip(axes.flat, FEATURES, "abcdef", strict=True):
        plot_feature(statistics, feature, cells, ax)
        _letter(ax, letter)
    return fig


def plot_fi(
    name: str,
    above_rheobase_pA: NDArray[np.float64],
    rates_hz: NDArray[np.float64],
    statistics: ClassStatistics,
    curves: pd.DataFrame,
    ax: Axes | None = None,
) -> Axes:
    """Draw a class's model f-I curve (thick) over the measured ones (thin; grey: other layers).

    Where no curve was measured a wedge shows the quartiles of the measured slope from rheobase on.
    """
    ax = ax or plt.subplots(figsize=(2.2, 2.2))[1]
    own = curves[curves["class"] == name]
    for kind, width in (("line", 0.3), ("steps", 0.8)):
        shown = own[own["kind"] == kind]
        alpha = min(1.0, 12 / max(shown["specimen_id"].nunique(), 1)) if kind == "line" else 1.0
        for (layer, _), one in shown.sort_values(["layer", "above_rheobase_pA"]).groupby(
            ["layer", "specimen_id"], sort=False
        ):
            here = layer == "2/3"
            ax.plot(
                one["above_rheobase_pA"],
                one["rate_hz"],
                color=COLOURS[name] if here else _OTHER_LAYERS,
                lw=width,
                alpha=max(alpha, 0.05),
                zorder=2 if here else 1,
            )
    if own.empty:
        entry = statistics["fi_slope_hz_per_pA"]
        x = np.array([0.0, above_rheobase_pA.max()])
        ax.fill_between(x, entry.q25 * x, entry.q75 * x, color=COLOURS[name], alpha=0.25, lw=0)
        ax.plot(x, entry.median * x, "--", color=COLOURS[name], lw=0.8)
    ax.plot(above_rheobase_pA, rates_hz, color="k", lw=2.0, zorder=3)
    ax.set_title(LABELS[name], loc="center", color=COLOURS[name])
    top = max(float(np.max(rates_hz)), float(own["rate_hz"].quantile(0.98)) if len(own) else 0.0)
    ax.set_xlim(-40, 150)
    ax.set_ylim(0, 1.1 * top)
    return ax


def plot_fi_classes(
    above_rheobase_pA: NDArray[np.float64],
    rates_hz: NDArray[np.float64],
    statistics: Mapping[str, ClassStatistics],
    curves: pd.DataFrame,
) -> Figure:
    """Draw f-I curves of all classes, one panel each (`plot_fi`); ``rates_hz`` is (5, n)."""
    fig, axes = plt.subplots(2, 3, figsize=(6.8, 4.4), layout="constrained")
    for ax, name, rates, letter in zip(axes.flat, CLASSES, rates_hz, "abcde", strict=False):
        plot_fi(name, above_rheobase_pA, rates, statistics[name], curves, ax)
        _letter(ax, letter)
    for ax in axes[:, 0]:
        ax.set_ylabel("Rate (Hz)")
    for ax in (axes[1, 0], axes[1, 1], axes[0, 2]):
        ax.set_xlabel("Current above rheobase (pA)")
    keys: list[Artist] = [Line2D([], [], color="k", lw=2.0, label="model")]
    if len(curves):
        keys += [
            Line2D([], [], color=COLOURS["Pyr"], lw=0.8, label="measured, layer 2/3"),
            Line2D([], [], color=_OTHER_LAYERS, lw=0.8, label="measured, elsewhere"),
        ]
    else:
        keys.append(Patch(facecolor=COLOURS["Pyr"], alpha=0.25, label="measured slope, quartiles"))
    axes[1, 2].axis("off")
    axes[1, 2].legend(handles=keys, loc="center")
    return fig


def plot_traces(result: StepResult, V_peak: NDArray[np.float64]) -> Figure:
    """Draw recorded membrane traces, one panel per class; spikes are drawn up to their peak.

    Args:
        result: of the five classes in the order of `CLASSES`, some pairs recorded.
        V_peak: (5,), mV.
    """
    fig, grid = plt.subplots(2, 3, figsize=(6.8, 4.4), sharey=True, layout="constrained")
    axes = grid.ravel()
    for (cell, step), trace in zip(result.recorded, result.traces, strict=True):
        shown = trace.copy()
        spikes = np.searchsorted(result.t_ms, result.spike_times[cell][step])
        shown[np.minimum(spikes, shown.size - 1)] = V_peak[cell]
        current = result.currents_pA[cell, step]
        strong = current == result.currents_pA[cell].max()
        axes[cell].plot(
            result.t_ms,
            shown,
            lw=0.6,
            color=COLOURS[CLASSES[cell]] if strong else "0.4",
            label=f"{current:+.0f} pA".replace("-", "−"),
        )
    for ax, name, letter in zip(axes, CLASSES, "abcde", strict=False):
        ax.set_title(LABELS[name], loc="center", color=COLOURS[name])
        ax.legend(loc="upper right", bbox_to_anchor=(1.02, 1.05), handlelength=0.8, fontsize=7)
        _letter(ax, letter)
    for ax in grid[:, 0]:
        ax.set_ylabel("Membrane potential (mV)")
    for ax in axes[2:5]:
        ax.set_xlabel("Time from onset (ms)")
    axes[5].axis("off")
    axes[0].set_ylim(top=105)
    axes[0].set_yticks(range(-75, 51, 25))
    return fig


def _letter(ax: Axes, letter: str) -> None:
    ax.set_title(letter, loc="left", fontweight="bold")


def plot_missing() -> Figure:
    """Draw nothing but the reason: the recordings that a figure needs are not at hand."""
    fig, ax = plt.subplots(figsize=(7.0, 1.2), layout="constrained")
    ax.set_axis_off()
    ax.text(
        0.5, 0.5,
        "Not drawn: the recordings are not at hand (see `swta data list`).",
        ha="center", va="center",
    )  # fmt: skip
    return fig
