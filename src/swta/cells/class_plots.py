"""Figures of the class distributions: measured against virtual cells, and what they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from scipy.stats import gaussian_kde

from swta.cells.adex import PARAMETER_NAMES, UNITS
from swta.cells.class_cells import CLASS_FEATURES, ClassCells
from swta.cells.class_compare import SPREAD_RANGE, DistributionCheck
from swta.cells.classes import CLASSES, COLOURS, LABELS
from swta.cells.library import CellClass

_SHORT: Final = {
    "v_rest_mV": "rest",
    "input_resistance_MOhm": "resistance",
    "tau_ms": "time const.",
    "rheobase_pA": "rheobase",
    "threshold_v_mV": "threshold",
    "ahp_depth_mV": "AHP",
    "fi_slope_hz_per_pA": "f-I slope",
    "adaptation_index": "adaptation",
    "rate_at_hero_hz": "hero rate",
}
_VIRTUAL: Final = "0.72"
_MARKERS: Final = dict(zip(CLASSES, ("o", "s", "^", "D", "v"), strict=True))


def plot_distribution(
    check: DistributionCheck,
    feature: str,
    virtual: pd.DataFrame,
    measured: ClassCells | None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one feature: measured cells left (coloured), virtual ones right (grey), per class.

    Shapes are densities over the central 95 %; bars are quartiles, the white line the median.
    Without single cells the measured side is its quartiles alone.

    Args:
        check: from `compare_distributions`.
        feature: one of `CLASS_FEATURES`.
        virtual: features of virtual cells.
        measured: single cells, or nothing.
        ax: where to draw.
    """
    ax = ax or plt.subplots(figsize=(2.4, 2.2))[1]
    table = check.table[check.table["feature"] == feature].set_index("class")
    for place, name in enumerate(table.index):
        row = table.loc[name]
        drawn = virtual.loc[virtual["class"] == name, feature].dropna().to_numpy(dtype=np.float64)
        _half(ax, place, drawn, 1, _VIRTUAL)
        if measured is not None:
            own = measured.of(str(name))[feature].dropna().to_numpy(dtype=np.float64)
            _half(ax, place, own, -1, COLOURS[str(name)])
        sides = (("", -0.09, COLOURS[str(name)]), ("virtual_", 0.09, _VIRTUAL))
        for prefix, shift, colour in sides:
            low, middle, high = (float(row[f"{prefix}{q}"]) for q in ("q25", "median", "q75"))
            ax.bar(
                place + shift,
                high - low,
                bottom=low,
                width=0.13,
                color=colour,
                edgecolor="0.15",
                lw=0.6,
                zorder=3,
            )
            ax.hlines(middle, place + shift - 0.065, place + shift + 0.065, "w", lw=1.6, zorder=4)
    ax.set_xticks(range(len(table)), [LABELS[str(name)] for name in table.index], rotation=45)
    if feature == "adaptation_index":  # from PV's thousandths to VIP's halves
        ax.set_yscale("asinh", linear_width=0.01)
        ax.set_yticks([-0.01, 0, 0.01, 0.1, 0.5], ["−0.01", "0", "0.01", "0.1", "0.5"])
        ax.minorticks_off()
    ax.set_xlim(-0.6, len(table) - 0.4)
    ax.set_ylabel(CLASS_FEATURES[feature].replace(" (", "\n("))
    return ax


def _half(ax: Axes, place: int, values: NDArray[np.float64], side: int, colour: str) -> None:
    """Half a violin over the central 95 % of the values."""
    low, high = np.quantile(values, [0.025, 0.975])
    if high <= low:
        return
    y = np.linspace(low, high, 120)
    density = gaussian_kde(values)(y)
    width = 0.44 * density / density.max()
    ax.fill_betweenx(y, place, place + side * width, color=colour, alpha=0.55, lw=0, zorder=2)


def plot_distributions(
    check: DistributionCheck, virtual: pd.DataFrame, measured: ClassCells | None
) -> Figure:
    """Draw the nine features, one panel each (`plot_distribution`)."""
    fig, axes = plt.subplots(3, 3, figsize=(7.2, 7.0), layout="constrained")
    for ax, feature, letter in zip(axes.flat, CLASS_FEATURES, "abcdefghi", strict=True):
        plot_distribution(check, feature, virtual, measured, ax)
        ax.set_title(letter, loc="left", fontweight="bold")
    keys: list[Artist] = [
        Patch(color=COLOURS["Pyr"], label="recorded cells (colour of the class)"),
        Patch(color=_VIRTUAL, label="virtual cells"),
    ]
    fig.legend(handles=keys, loc="outside lower center", ncols=2)
    return fig


def plot_check(check: DistributionCheck) -> Figure:
    """Draw error of the median and ratio of the spreads for each feature and class.

    Left: virtual less measured median in measured interquartile ranges; the band is ±0.25. Right:
    virtual over measured interquartile range; the band is 0.67 to 1.5.
    """
    fig, axes = plt.subplots(1, 2, figsize=(7.0, 3.6), sharey=True, layout="constrained")
    features = list(CLASS_FEATURES)
    for ax, column, band, centre in (
        (axes[0], "error", (-0.25, 0.25), 0.0),
        (axes[1], "spread", SPREAD_RANGE, 1.0),
    ):
        ax.axvspan(*band, color="0.92", lw=0, zorder=0)
        ax.axvline(centre, color="0.6", lw=0.8, zorder=1)
        for offset, name in zip(np.linspace(-0.28, 0.28, len(CLASSES)), CLASSES, strict=True):
            own = check.table[check.table["class"] == name]
            rows = [features.index(feature) + offset for feature in own["feature"]]
            ax.plot(
                own[column], rows, _MARKERS[name], color=COLOURS[name], ms=4.5, label=LABELS[name]
            )
    axes[0].set_yticks(range(len(features)), [CLASS_FEATURES[f].split(" (")[0] for f in features])
    axes[0].invert_yaxis()
    reach = 1.1 * max(0.5, float(check.table["error"].abs().max()))
    axes[0].set_xlim(-reach, reach)
    axes[0].set_xlabel("Error of the median (IQR)")
    axes[1].set_xscale("log")
    ticks = (0.5, 0.67, 1.0, 1.5, 2.0)
    axes[1].set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes[1].minorticks_off()
    low, high = check.table["spread"].min(), check.table["spread"].max()
    axes[1].set_xlim(min(0.45, 0.9 * low), max(2.2, 1.1 * high))
    axes[1].set_xlabel("Ratio of the IQRs")
    for ax, letter in zip(axes, "ab", strict=True):
        ax.set_title(letter, loc="left", fontweight="bold")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    return fig


def plot_correlations(check: DistributionCheck) -> Figure:
    """Draw rank correlations of the features, a matrix per class.

    Below the diagonal those of recorded cells, above it those of virtual ones: where a class is
    matched its matrix is symmetric.
    """
    features = list(CLASS_FEATURES)
    names = [name for name in CLASSES if name in set(check.correlations["class"])]
    fig, grid = plt.subplots(2, 3, figsize=(7.2, 5.2), layout="constrained")
    axes = list(grid.ravel())
    labels = [_SHORT[feature] for feature in features]
    for k, (ax, name) in enumerate(zip(axes, names, strict=False)):
        own = check.correlations[check.correlations["class"] == name]
        matrix = np.full((len(features), len(features)), np.nan)
        for row in own.to_dict("records"):
            i, j = features.index(row["feature"]), features.index(row["other"])
            matrix[max(i, j), min(i, j)] = row["measured"]
            matrix[min(i, j), max(i, j)] = row["virtual"]
        image = ax.imshow(matrix, cmap="RdBu_r", vmin=-1, vmax=1)
        ax.set_title("abcde"[k], loc="left", fontweight="bold")
        title = f"{LABELS[name]} (n = {own['n'].max()})"
        ax.set_title(title, loc="right", fontsize=9, color=COLOURS[name])
        ax.set_xticks(range(len(features)), labels, rotation=90, fontsize=7)
        ax.set_yticks(range(len(features)), labels if k % 3 == 0 else [], fontsize=7)
    for ax in axes[len(names) :]:
        ax.axis("off")
    if names:
        bar = fig.colorbar(image, cax=axes[-1].inset_axes((0.35, 0.1, 0.1, 0.8)))
        bar.set_label("Rank correlation\nbelow diagonal: recorded\nabove diagonal: virtual")
    return fig


def plot_parameters(classes: Mapping[str, CellClass], *, n: int = 400, seed: int = 0) -> Figure:
    """Draw quartiles (bar) and central 90 % (line) of sampled parameters, and the central cell (x).

    Args:
        classes: models by name.
        n: cells drawn per class.
        seed: of the draw.
    """
    shown = [name for name in PARAMETER_NAMES if name != "a"]
    fig, axes = plt.subplots(2, 5, figsize=(7.4, 4.4), layout="constrained")
    samples = {
        name: one.distribution.sample(n, np.random.default_rng(seed)).cells
        for name, one in classes.items()
    }
    for ax, parameter, letter in zip(axes.flat, shown, "abcdefghij", strict=True):
        for place, (name, one) in enumerate(classes.items()):
            values = samples[name][:, PARAMETER_NAMES.index(parameter)]
            low, first, third, high = np.quantile(values, [0.05, 0.25, 0.75, 0.95])
            ax.vlines(place, low, high, color=COLOURS[name], lw=1)
            ax.bar(place, third - first, bottom=first, width=0.6, color=COLOURS[name], alpha=0.6)
            ax.plot(place, getattr(one.parameters, parameter), "x", color="k", ms=4, zorder=3)
        if parameter == "tau_w":
            ax.set_yscale("log")
        if parameter == "b":
            ax.set_yscale("asinh", linear_width=5)
            ax.set_yticks([-10, 0, 10, 100, 400], ["−10", "0", "10", "100", "400"])
            ax.minorticks_off()
        ax.set_xticks(range(len(classes)), [LABELS[name] for name in classes], rotation=90)
        ax.set_ylabel(f"{parameter} ({UNITS[parameter]})")
        ax.set_title(letter, loc="left", fontweight="bold")
    return fig
