"""Figures of chapter 5's further experiments: trainings, corruptions, sources, sizes, attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from swta.cells.classes import COLOURS
from swta.intervals import mean_interval
from swta.vision.controls import FRONT_LABELS
from swta.vision.plots import ARM_COLOURS, DOMAIN_LABELS

PART_COLOURS: Final = {
    "PV": COLOURS["Pvalb"],
    "SST": COLOURS["Sst"],
    "VIP": COLOURS["Vip"],
    "LAMP5": COLOURS["Lamp5"],
    "recurrence": COLOURS["Pyr"],
}


def plot_table(
    values: NDArray[np.floating],
    rows: Sequence[str],
    columns: Sequence[str],
    ax: Axes | None = None,
    *,
    signed: bool = False,
    label: str = "",
) -> Axes:
    """A table of numbers as a heat map with the numbers in it; ``signed`` centres it on zero."""
    ax = ax or plt.gca()
    top = max(float(np.abs(values).max()), 1e-9)
    low, high = (-top, top) if signed else (0.0, 100.0)
    colours = "RdBu_r" if signed else "Blues"
    image = ax.imshow(values, cmap=colours, aspect="auto", vmin=low, vmax=high)
    for (row, column), value in np.ndenumerate(values):
        dark = abs(value) > 0.6 * (top if signed else 100.0)
        text = f"{value:+.1f}" if signed else f"{value:.1f}"
        ax.text(
            column, row, text, ha="center", va="center", fontsize="small",
            color="white" if dark else "black",
        )  # fmt: skip
    ax.set(xticks=range(len(columns)), xticklabels=columns, yticks=range(len(rows)))
    ax.set_yticklabels(rows)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if label:
        bar = plt.colorbar(image, ax=ax, fraction=0.04, pad=0.02)
        bar.set_label(label)
        bar.outline.set_visible(False)
    return ax


def plot_trainings(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Mean unseen accuracy of every arm (rows) under every training (columns), in %."""
    wide = table.pivot(index="arm", columns="training", values="all unseen")
    wide = wide.loc[list(dict.fromkeys(table["arm"])), list(dict.fromkeys(table["training"]))]
    names = [FRONT_LABELS[arm] for arm in wide.index]
    return plot_table(
        wide.to_numpy(float), names, list(wide.columns), ax, label="Unseen accuracy (%)"
    )


def plot_transfer(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Gain in points for each source (rows) and target (columns)."""
    wide = table.pivot(index="source", columns="target", values="gain")
    order = list(dict.fromkeys(table["source"]))
    wide = wide.loc[order, order]
    names = [DOMAIN_LABELS.get(name, name) for name in order]
    ax = plot_table(wide.to_numpy(float), names, names, ax, signed=True, label="Gain (points)")
    ax.set(xlabel="tested on", ylabel="trained on")
    return ax


def plot_sizes(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Unseen accuracy against the number of training images, with 95 % intervals."""
    ax = ax or plt.gca()
    for arm, part in table.groupby("arm", sort=False):
        reach = [part["unseen"] - part["low"], part["high"] - part["unseen"]]
        ax.errorbar(
            part["images"], part["unseen"], yerr=reach, color=ARM_COLOURS[str(arm)], marker="o",
            capsize=2, label=FRONT_LABELS[str(arm)],
        )  # fmt: skip
    ax.axhline(10.0, color="0.6", linestyle=":", linewidth=1)
    sizes = sorted(set(table["images"]))
    ax.set(xscale="log", xlabel="Training images", ylabel="Unseen accuracy (%)", ylim=(0, 100))
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
    ax.set_xticks([], minor=True)
    ax.legend()
    return ax


def plot_grades(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Change of accuracy (points) against the grade of each part of the filter, with intervals."""
    ax = ax or plt.gca()
    parts = table.groupby("part", sort=False)
    for (part, rows), aside in zip(parts, np.linspace(-0.03, 0.03, parts.ngroups), strict=True):
        reach = [rows["change"] - rows["low"], rows["high"] - rows["change"]]
        ax.errorbar(
            rows["grade"] + aside, rows["change"], yerr=reach, color=PART_COLOURS[str(part)],
            marker="o", markersize=3, capsize=2, elinewidth=0.8, label=part,
        )  # fmt: skip
    ax.axhline(0.0, color="0.6", linewidth=0.8)
    ax.set(xlabel="Grade", ylabel="Change of unseen accuracy (points)")
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "¼", "½", "¾", "1"])
    ax.legend(fontsize="small", ncols=2)
    return ax


def plot_course(changes: pd.DataFrame, errors: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Change of accuracy (points) with the filter's steps; on the right axis their error (%)."""
    ax = ax or plt.gca()
    reach = [changes["change"] - changes["low"], changes["high"] - changes["change"]]
    ax.errorbar(
        changes["grade"], changes["change"], yerr=reach, color=ARM_COLOURS["swta"], marker="o",
        markersize=3, capsize=2, label="unseen accuracy",
    )  # fmt: skip
    ax.axhline(0.0, color="0.6", linewidth=0.8)
    ax.set(xscale="log", xlabel="Steps of 0.4 τ", ylabel="Change of unseen accuracy (points)")
    ax.set_xticks(changes["grade"], [f"{n:g}" for n in changes["grade"]])
    ax.set_xticks([], minor=True)
    right = ax.twinx()
    right.plot(errors["grade"], errors["change"], "s--", color="0.4", markersize=3)
    right.set(ylim=(0, 100), ylabel="Error of the columns (%)")
    right.spines["right"].set_visible(True)
    right.yaxis.label.set_color("0.4")
    ax.yaxis.label.set_color(ARM_COLOURS["swta"])
    return ax


def plot_unseen_classes(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Accuracy on classes unseen in training: dots, trainings; dashes, means with 95 % interval."""
    ax = ax or plt.gca()
    sets, shots = list(dict.fromkeys(table["test_set"])), list(dict.fromkeys(table["shots"]))
    places = {pair: i for i, pair in enumerate((s, k) for s in sets for k in shots)}
    arms = list(dict.fromkeys(table["arm"]))
    for arm, offset in zip(arms, np.linspace(-0.15, 0.15, len(arms)), strict=True):
        colour = ARM_COLOURS[arm]
        for (name, count), place in places.items():
            here = (table["arm"] == arm) & (table["test_set"] == name) & (table["shots"] == count)
            chosen = table[here]
            values = chosen["accuracy"].to_numpy(float)
            spots = np.full(len(values), place + offset)
            ax.plot(spots, values, "o", color=colour, markersize=3, alpha=0.55)
            mean = mean_interval(values)
            reach = [[mean.value - max(mean.low, 0.0)], [min(mean.high, 100.0) - mean.value]]
            ax.errorbar(
                place + offset + 0.06, mean.value, yerr=reach, fmt="_", color=colour, capsize=2,
                markersize=9, label=FRONT_LABELS[arm] if place == 0 else None,
            )  # fmt: skip
    ax.axhline(100.0 / 5, color="0.6", linestyle=":", linewidth=1)
    ax.annotate(
        "chance", (0.005, 20.0), xycoords=("axes fraction", "data"), va="bottom", fontsize="small",
        color="0.4",
    )  # fmt: skip
    names = [f"{DOMAIN_LABELS.get(s, s)}\n{k} labelled" for s, k in places]
    ax.set(xticks=range(len(places)), xticklabels=names, ylim=(0, 102), ylabel="Accuracy (%)")
    ax.tick_params(axis="x", length=0)
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


def plot_attention(
    images: NDArray[np.uint8],
    masks: NDArray[np.bool_],
    maps: NDArray[np.floating],
    titles: Sequence[str],
    answers: NDArray[np.integer],
    *,
    figure: Figure | None = None,
) -> Figure:
    """Images, and below each where every arm's attention lies; the digit's outline in white.

    Args:
        images, masks: uint8 (n, H, W, 3) and (n, H, W).
        maps: attention per patch, (arms, n, rows, columns).
        titles: the arms' names.
        answers: the classes they give, (arms, n), printed above each map.
    """
    n = len(images)
    figure = figure or plt.figure(figsize=(6.9, 1.15 * (len(maps) + 1)))
    axes = figure.subplots(len(maps) + 1, n, squeeze=False)
    height, width = masks.shape[1:]
    frame = (-0.5, width - 0.5, height - 0.5, -0.5)
    for ax, image in zip(axes[0], images, strict=True):
        ax.imshow(image)
    for row, arm, found in zip(axes[1:], maps, answers, strict=True):
        for ax, flow, mask, answer in zip(row, arm, masks, found, strict=True):
            ax.imshow(flow, cmap="viridis", vmin=0.0, extent=frame)
            ax.contour(mask, levels=[0.5], colors="white", linewidths=0.7)
            ax.set_title(f"“{answer}”", fontsize="small", loc="center", pad=2)
    for ax, name in zip(axes[:, 0], ["image", *titles], strict=True):
        ax.set_ylabel(name, fontsize="small")
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    return figure
