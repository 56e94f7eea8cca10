"""Figures of chapter 5: the filter at work, accuracy on unseen digits, speed of learning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from swta.cells.classes import COLOURS
from swta.intervals import Interval, mean_interval
from swta.vision.arms import ArmsResult, measure_steps
from swta.vision.controls import FRONT_LABELS
from swta.vision.images import FilterStages

# Okabe and Ito's palette; the filter has the colour of the pyramidal cells, whose rates it returns.
ARM_COLOURS: Final = {
    "unfiltered": "#555555",
    "standardised": "#56B4E9",
    "standardised_colour": "#1F4E79",
    "gamma": "#666600",
    "dog": "#A6761D",
    "local_contrast": "#8C564B",
    "local_response": "#BCBD22",
    "clahe": "#F0B400",
    "ciconv_w": "#7F3C8D",
    "randconv": "#000000",
    "vone": "#E377C2",
    "push_pull": "#17A2A2",
    "divisive": "#66A61E",
    "energy": "#0072B2",
    "normalised_energy": "#009E73",
    "pixel_swta": "#F4A582",
    "swta": COLOURS["Pyr"],
}
DOMAIN_LABELS: Final = {
    "mnist": "MNIST",
    "mnist_m": "MNIST-M",
    "usps": "USPS",
    "svhn": "SVHN",
    "uci": "UCI",
    "rendered": "rendered",
    "rendered_clutter": "on clutter",
    "rendered_street": "street-like",
}
STAGES: Final = ("image", "energy", "after LAMP5", "columns", "Σ E", "Σ E cos 2θ", "Σ E sin 2θ")


def colour_orientations(columns: NDArray[np.floating]) -> NDArray[np.float64]:
    """RGB (H, W, 3) of columns (n, H, W): hue: most active orientation; brightness: its rate."""
    n = len(columns)
    hue = columns.argmax(0) / n
    top = np.percentile(columns.max(0), 99.5)
    bright = np.clip(columns.max(0) / max(top, 1e-9), 0.0, 1.0)
    return hsv_to_rgb(np.stack([hue, np.full_like(hue, 0.85), bright], axis=-1))


def plot_stages(
    images: NDArray[np.uint8],
    stages: FilterStages,
    names: Sequence[str],
    *,
    figure: Figure | None = None,
) -> Figure:
    """Each image (n, H, W, 3) and what every stage of the filter makes of it, one row per image."""
    rows = len(images)
    figure = figure or plt.figure(figsize=(6.9, 1.02 * rows + 0.7))
    grid = figure.add_gridspec(rows + 1, len(STAGES), height_ratios=[1.0] * rows + [0.3])
    axes = grid[:-1, :].subgridspec(rows, len(STAGES)).subplots(squeeze=False)
    for row, (image, name) in enumerate(zip(images, names, strict=True)):
        total, *signed = stages.output[row]
        limit = max(float(np.abs(signed).max()), 1e-9)
        axes[row, 0].imshow(image)
        for ax, columns in zip(axes[row, 1:4], stages[:3], strict=True):
            ax.imshow(colour_orientations(columns[row]))
        axes[row, 4].imshow(total, cmap="gray", vmin=0.0)
        for ax, panel in zip(axes[row, 5:], signed, strict=True):
            ax.imshow(panel, cmap="RdBu_r", vmin=-limit, vmax=limit)
        axes[row, 0].set_ylabel(name, fontsize="small")
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    for ax, title in zip(axes[0], STAGES, strict=True):
        ax.set_title(title, loc="center", fontsize="small")
    plot_orientation_key(stages.columns.shape[1], figure.add_subplot(grid[-1, 1:4]))
    return figure


def plot_orientation_key(n: int, ax: Axes | None = None) -> Axes:
    """The hue of each of ``n`` orientations as a bar of that orientation."""
    ax = ax or plt.gca()
    for i in range(n):
        # the kernel's wave varies along i·180°/n, so the edge it sees is at right angles to that
        angle = np.pi * i / n + np.pi / 2
        dx, dy = 0.38 * np.cos(angle), 0.38 * np.sin(angle)
        colour = hsv_to_rgb((i / n, 0.85, 0.9))
        ax.plot([i - dx, i + dx], [-dy, dy], color=colour, linewidth=3, solid_capstyle="round")
    ax.set(xlim=(-0.6, n - 0.4), ylim=(0.6, -0.6), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax


def plot_unseen(result: ArmsResult, ax: Axes | None = None) -> Axes:
    """Accuracy on each test set: a dot per training, and the mean with its 95 % interval."""
    ax = ax or plt.gca()
    offsets = np.linspace(-0.3, 0.3, len(result.arms)) if len(result.arms) > 1 else [0.0]
    accuracy = 100.0 * np.stack([result.on(domain) for domain in result.main], axis=2)
    for arm, offset, seeds in zip(result.arms, offsets, accuracy, strict=True):
        place = np.arange(len(result.main)) + offset
        colour = ARM_COLOURS[arm]
        ax.plot(np.tile(place, (len(seeds), 1)), seeds, "o", color=colour, markersize=3, alpha=0.55)
        means = [mean_interval(values) for values in seeds.T]
        mean = np.array([m.value for m in means])
        reach = np.array([m.value - m.low for m in means])
        upper = np.minimum(reach, 100.0 - mean)
        lower = np.minimum(reach, mean)
        ax.errorbar(
            place + 0.055,
            mean,
            yerr=[lower, upper],
            fmt="_",
            markersize=9,
            markeredgewidth=1.8,
            color=colour,
            capsize=2,
            elinewidth=1,
            label=FRONT_LABELS[arm],
        )
    ax.axhline(10.0, color="0.6", linestyle=":", linewidth=1)
    ax.annotate(
        "chance", (0.005, 10.0), xycoords=("axes fraction", "data"), ha="left", va="bottom",
        fontsize="small", color="0.4",
    )  # fmt: skip
    ax.axvline(0.5, color="0.8", linewidth=0.8)
    names = [DOMAIN_LABELS.get(d, d) for d in result.main]
    names = [names[0] + "\n(source)", *names[1:]]
    ax.set(
        xticks=range(len(names)),
        xticklabels=names,
        xlim=(-0.5, len(names) - 0.5),
        ylim=(0, 102),
        ylabel="Accuracy (%)",
    )
    ax.tick_params(axis="x", length=0)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=min(4, len(result.arms)))
    return ax


def plot_learning(result: ArmsResult, baseline: str, ax: Axes | None = None) -> Axes:
    """Held-out source accuracy against steps; dots: when a training reaches the baseline's end."""
    ax = ax or plt.gca()
    reached = measure_steps(result, baseline=baseline)
    final = 100.0 * result.validation_accuracy[result.at(baseline), :, -1]
    ax.axhline(
        final.mean(), color=ARM_COLOURS[baseline], linestyle="--", linewidth=1,
        label=f"{FRONT_LABELS[baseline]}, end",
    )  # fmt: skip
    for arm, curves, steps in zip(result.arms, result.validation_accuracy, reached, strict=True):
        colour = ARM_COLOURS[arm]
        ax.plot(result.steps, 100.0 * curves.T, color=colour, linewidth=0.6, alpha=0.5)
        ax.plot(result.steps, 100.0 * curves.mean(0), color=colour, label=FRONT_LABELS[arm])
        there = np.isfinite(steps)
        ax.plot(steps[there], final[there], "o", color=colour, markeredgecolor="white")
    bottom = 10.0 * np.floor(10.0 * result.validation_accuracy.min())
    ax.set(xlabel="Optimiser steps", ylabel="Held-out source accuracy (%)", ylim=(bottom, 101))
    ax.set_xlim(0, result.steps[-1] * 1.02)
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


def plot_gains(
    gains: Mapping[str, Mapping[str, Interval]],
    colours: Sequence[str],
    ax: Axes | None = None,
) -> Axes:
    """Differences in points with their 95 % intervals: series by name, each of rows by name."""
    ax = ax or plt.gca()
    offsets = 0.16 * (np.arange(len(gains)) - (len(gains) - 1) / 2)
    for (name, rows), colour, offset in zip(gains.items(), colours, offsets, strict=True):
        values, low, high = np.array([(g.value, g.low, g.high) for g in rows.values()]).T
        place = np.arange(len(rows)) + offset
        reach = [values - low, high - values]
        ax.errorbar(values, place, xerr=reach, fmt="o", color=colour, capsize=2, label=name)
    names = list(next(iter(gains.values())))
    ax.axvline(0.0, color="0.6", linewidth=0.8)
    ax.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
    ax.set_xlabel("Difference in accuracy (points)")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax
