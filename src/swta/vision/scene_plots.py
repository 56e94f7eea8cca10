"""Figures of scenes: frames by degrees of night, label maps, mean IoU, reliability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from swta.data import SceneClass
from swta.vision.controls import COLOUR, label_front
from swta.vision.plots import ARM_COLOURS

_VOID: Final = (0, 0, 0)


def colour_labels(labels: NDArray, classes: Sequence[SceneClass]) -> NDArray[np.uint8]:
    """RGB (…, H, W, 3) of a label map (…, H, W), each class in its own colour, void in black."""
    palette = np.array([*(c.colour for c in classes), _VOID], np.uint8)
    return palette[np.minimum(labels, len(classes))]


def plot_predictions(
    columns: Mapping[str, NDArray],
    rows: Sequence[str],
    classes: Sequence[SceneClass],
    *,
    truth: str,
    figure: Figure | None = None,
) -> Figure:
    """A row per frame and a column per picture of it, with a key of the classes.

    Of a title "arm: what" the second part is shown.

    Args:
        columns: title to frames uint8 (rows, H, W, 3), or to label maps (rows, H, W).
        rows: what to call each frame.
        classes: of the label maps.
        truth: the column that holds the true labels; where it is void, predictions are dimmed.
        figure: to draw into.
    """
    figure = figure or plt.figure(figsize=(7.0, 0.87 * len(rows) + 0.9))
    grid = figure.add_gridspec(2, 1, height_ratios=[len(rows), 0.42], hspace=0.06)
    axes = (
        grid[0]
        .subgridspec(len(rows), len(columns), wspace=0.03, hspace=0.05)
        .subplots(squeeze=False)
    )
    void = columns[truth] >= len(classes)
    for column, (title, pictures) in enumerate(columns.items()):
        axes[0, column].set_title(title.split(": ")[-1], loc="center", fontsize="small")
        for row, picture in enumerate(pictures):
            shown = picture if picture.ndim == 3 else colour_labels(picture, classes)
            if picture.ndim == 2 and title != truth:
                shown = np.where(void[row][..., None], shown // 3, shown)
            axes[row, column].imshow(shown, interpolation="nearest")
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    for ax, name in zip(axes[:, 0], rows, strict=True):
        ax.set_ylabel(name, fontsize="small")
    key = figure.add_subplot(grid[1])
    key.set_axis_off()
    patches = [Patch(color=_hex(c.colour), label=c.name) for c in classes]
    patches.append(Patch(color="black", label="void"))
    key.legend(handles=patches, loc="center", ncols=6, fontsize="x-small", frameon=False)
    return figure


def plot_night(frames: Mapping[str, NDArray[np.uint8]], *, figure: Figure | None = None) -> Figure:
    """Pictures (H, W, 3) side by side, three in a row, each with its title."""
    rows = -(-len(frames) // 3)
    figure = figure or plt.figure(figsize=(6.9, 1.85 * rows))
    axes = figure.subplots(rows, 3, squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, (title, picture) in zip(axes.flat, frames.items(), strict=False):
        ax.imshow(picture)
        ax.set_title(title, loc="center", fontsize="small")
    return figure


def plot_luma(luma: Mapping[str, NDArray], ax: Axes | None = None) -> Axes:
    """Distribution of the frames' mean luminance (0 to 255) under each condition."""
    ax = ax or plt.gca()
    edges = np.linspace(0.0, 255.0, 41).tolist()
    palette = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9"]
    for colour, (name, values) in zip(palette, luma.items(), strict=False):
        ax.hist(values, edges, histtype="stepfilled", alpha=0.35, color=colour, label=name)
        ax.hist(values, edges, histtype="step", color=colour)
    ax.set(xlabel="mean luma of a frame (0 to 255)", ylabel="frames")
    ax.legend(frameon=False, fontsize="small")
    return ax


def plot_miou(table: pd.DataFrame, conditions: Mapping[str, str], ax: Axes | None = None) -> Axes:
    """Mean IoU of every arm (rows) under some conditions, with 95 % intervals.

    Args:
        table: from `summarise_miou`.
        conditions: those to draw, with what to call them.
        ax: to draw into.
    """
    ax = ax or plt.gca()
    arms = list(dict.fromkeys(table["arm"]))
    palette = ["#E69F00", "#0072B2", "#009E73", "#CC79A7", "#555555", "#56B4E9"]
    apart = min(0.16, 0.7 / len(conditions))
    for i, (condition, label) in enumerate(conditions.items()):
        rows = table[table["condition"] == condition].set_index("arm").loc[arms]
        place = np.arange(len(arms)) + apart * (i - 0.5 * (len(conditions) - 1))
        reach = [rows["miou"] - rows["low"], rows["high"] - rows["miou"]]
        ax.errorbar(
            rows["miou"],
            place,
            xerr=reach,
            fmt="o",
            ms=4,
            color=palette[i % len(palette)],
            label=label,
        )
    ax.set(
        yticks=np.arange(len(arms)), yticklabels=[label_front(arm) for arm in arms],
        ylim=(len(arms) - 0.5, -0.5), xlabel="mean IoU (%)",
    )  # fmt: skip
    ax.grid(axis="x", alpha=0.3)
    ax.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


def plot_severity(
    table: pd.DataFrame, severities: Mapping[str, int], ax: Axes | None = None
) -> Axes:
    """Mean IoU against the severity of night, a line per arm with its 95 % interval.

    Args:
        table: from `summarise_miou`.
        severities: condition to severity.
        ax: to draw into.
    """
    ax = ax or plt.gca()
    for arm, rows in table[table["condition"].isin(severities)].groupby("arm", sort=False):
        x = rows["condition"].map(severities)
        style = "--" if str(arm).endswith(COLOUR) else "-"
        (line,) = ax.plot(
            x, rows["miou"], style, marker="o", ms=3, color=arm_colour(str(arm)),
            label=label_front(str(arm)),
        )  # fmt: skip
        ax.fill_between(x, rows["low"], rows["high"], color=line.get_color(), alpha=0.12, lw=0)
    ax.set(xlabel="severity of night (0: day)", ylabel="mean IoU (%)", ylim=(0.0, None))
    ax.set_xticks(sorted(severities.values()))
    ax.legend(frameon=False, fontsize="x-small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


def plot_reliability(
    table: pd.DataFrame, conditions: Mapping[str, str], *, figure: Figure | None = None
) -> Figure:
    """Accuracy against confidence, a panel per condition and a line per arm.

    Bins with less than a thousandth of an arm's pixels are left out.

    Args:
        table: from `tabulate_calibration`.
        conditions: those to draw, with what to call them.
        figure: to draw into.
    """
    figure = figure or plt.figure(figsize=(6.9, 2.9))
    axes = np.atleast_1d(figure.subplots(1, len(conditions), sharey=True))
    for ax, (condition, label) in zip(axes, conditions.items(), strict=True):
        ax.plot([0, 1], [0, 1], color="0.6", lw=1, ls=":")
        for arm, rows in table[table["condition"] == condition].groupby("arm", sort=False):
            style = "--" if str(arm).endswith(COLOUR) else "-"
            rows = rows[rows["pixels"] >= 1e-3 * rows["pixels"].sum()]
            ax.plot(rows["confidence"], rows["accuracy"], style, marker="o", ms=3,
                    color=arm_colour(str(arm)), label=label_front(str(arm)))  # fmt: skip
        ax.set(title=label, xlabel="confidence", xlim=(0, 1), ylim=(0, 1))
    axes[0].set_ylabel("share of pixels right")
    axes[-1].legend(frameon=False, fontsize="x-small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def plot_classes(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """IoU in % of every class (columns) in every arm (rows), written into a coloured table.

    Args:
        table: rows of `tabulate_iou` of one condition.
        ax: to draw into.
    """
    ax = ax or plt.gca()
    wide = table.pivot(index="arm", columns="class", values="iou")
    wide = wide.loc[list(dict.fromkeys(table["arm"])), list(dict.fromkeys(table["class"]))]
    ax.imshow(wide, cmap="Greys", vmin=0.0, vmax=100.0, aspect="auto")
    for (row, column), value in np.ndenumerate(wide.to_numpy()):
        shade = "white" if value > 55.0 else "black"
        ax.text(column, row, f"{value:.0f}", ha="center", va="center", color=shade, fontsize=7)
    ax.set_xticks(range(wide.shape[1]), wide.columns, rotation=40, ha="right", fontsize="small")
    ax.set_yticks(range(wide.shape[0]), [label_front(arm) for arm in wide.index])
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax


def _hex(colour: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)


def arm_colour(arm: str) -> str:
    """The colour of an arm, with or without colour beside it."""
    return ARM_COLOURS[arm.removesuffix(COLOUR)]
