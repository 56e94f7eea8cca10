"""Figures of the match with the spiking network, and of what a tick costs."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from swta.cells.classes import COLOURS, LABELS
from swta.circuit.lesions import VariantResult
from swta.truenorth.experiments import SpeedResult
from swta.truenorth.mapping import PRIMITIVES
from swta.truenorth.matchfit import Target
from swta.truenorth.neuron import MAX_CORES
from swta.truenorth.roles import (
    CHIP_FUNCTIONS,
    MATCHED_FUNCTIONS,
    RoleResult,
    lesion_vectors,
    measure_lesion_errors,
)
from swta.truenorth.workload import LIMITS
from swta.validation import check_choice

FloatArray = NDArray[np.float64]


def plot_match_curves(target: Target, chip_hz: FloatArray, ax: Axes | None = None) -> Axes:
    """Rate of unit 0 over its drive, a colour per drive of unit 1: network (dots), chip (lines).

    Args:
        target: a grid of pairs of drives, and the network's rates.
        chip_hz: rates on the chip, (n, 2).
    """
    ax = ax or plt.gca()
    rivals = np.unique(target.drives_khz[:, 1])
    colours = plt.get_cmap("viridis")(np.linspace(0.0, 0.9, len(rivals)))
    for rival, colour in zip(rivals, colours, strict=True):
        mine = np.flatnonzero(target.drives_khz[:, 1] == rival)
        mine = mine[np.argsort(target.drives_khz[mine, 0])]
        drive = target.drives_khz[mine, 0]
        ax.plot(drive, chip_hz[mine, 0], color=colour, lw=1.2)
        ax.plot(drive, target.rates_hz[mine, 0], "o", color=colour, ms=4, label=f"{rival:.2g}")
    ax.set(xlabel="drive of unit 0 (kHz)", ylabel="rate of unit 0 (Hz)")
    ax.legend(title="drive of unit 1 (kHz)", title_fontsize="small", ncols=2)
    return ax


def plot_match(
    target: Target, before_hz: FloatArray, after_hz: FloatArray, ax: Axes | None = None
) -> Axes:
    """Rates of both units on the chip against the network, before and after correction.

    Args:
        target: rates of the network.
        before_hz, after_hz: rates on the chip, (n, 2).
    """
    ax = ax or plt.gca()
    ends = [0.0, float(target.rates_hz.max())]
    ax.plot(ends, ends, color="#777777", lw=1, ls="--", zorder=0)
    for rates, colour, name in (
        (before_hz, "#BBBBBB", "as measured"),
        (after_hz, COLOURS["Pyr"], "corrected"),
    ):
        style = {"color": colour, "mec": "white", "mew": 0.4, "label": name}
        ax.plot(target.rates_hz.ravel(), rates.ravel(), "o", **style)  # type: ignore[arg-type]
    ax.set(xlabel="network of conductances (Hz)", ylabel="chip (Hz)")
    ax.legend(loc="upper left")
    return ax


def plot_role(
    chip: RoleResult, network: VariantResult, primitive: str, ax: Axes | None = None
) -> Axes:
    """Change of every function without one class, log of the ratio: chip against network.

    Bars are standard errors over seeds. Functions that count in the correlation are filled.

    Raises:
        ParameterError: an unknown primitive.
    """
    row = PRIMITIVES.index(check_choice("primitive", primitive, PRIMITIVES))
    ax = ax or plt.gca()
    x, y = lesion_vectors(network)[row], lesion_vectors(chip)[row]
    x_error, y_error = (measure_lesion_errors(each)[row] for each in (network, chip))
    both = np.r_[x - x_error, x + x_error, y - y_error, y + y_error, 0.0]
    ends = [float(np.nanmin(both)), float(np.nanmax(both))]
    ax.plot(ends, ends, color="#777777", lw=1, ls="--", zorder=0)
    colour = COLOURS[primitive]
    ax.errorbar(x, y, y_error, x_error, fmt="none", ecolor=colour, elinewidth=0.8)
    seen = np.array([name in MATCHED_FUNCTIONS for name in CHIP_FUNCTIONS])
    for chosen, fill in ((~seen, colour), (seen, "white")):
        ax.plot(x[chosen], y[chosen], "o", color=colour, mfc=fill, ms=5)
    ax.set(xlabel="network", ylabel="chip")
    ax.set_title(f"without {LABELS[primitive]}", loc="left")
    return ax


def plot_cost_of_cores(sizes: tuple[SpeedResult, ...], ax: Axes | None = None) -> Axes:
    """Time of a tick (µs) over the number of cores, with proportionality and the limits."""
    ax = ax or plt.gca()
    cores = np.array([each.n_cores for each in sizes], dtype=float)
    spent = 1e6 / np.array([each.ticks_per_second for each in sizes])
    ax.plot(cores, spent, "o-", color=COLOURS["Pyr"], label="emulator")
    ax.plot(cores, spent[-1] * cores / cores[-1], color="#777777", lw=1, ls="--", label="linear")
    for name, label, style in (
        ("memory_28_GB_s", "memory", ":"),
        ("kernel_in_cache", "arithmetic", "-."),
    ):
        limit = 1e6 / LIMITS[name] * cores / MAX_CORES
        ax.plot(cores, limit, color="#009E73", lw=1, ls=style, label=f"limit, {label}")
    ax.plot(cores, np.full_like(cores, 1e3), color="black", lw=0.8, label="real time")
    ax.set(xlabel="cores", ylabel="time of a tick (µs)", xscale="log", yscale="log")
    ax.legend()
    return ax


def plot_cost_of_activity(activities: tuple[SpeedResult, ...], ax: Axes | None = None) -> Axes:
    """Time of a tick (µs) over its synaptic events, with the line through the points."""
    ax = ax or plt.gca()
    events = np.array([each.synaptic_events / each.n_ticks for each in activities])
    spent = 1e6 / np.array([each.ticks_per_second for each in activities])
    ax.plot(events, spent, "o", color=COLOURS["Pyr"])
    if len(events) > 1:
        slope, offset = np.polyfit(events, spent, 1)
        ax.plot(events, offset + slope * events, color="#777777", lw=1, ls="--")
    ax.set(xlabel="synaptic events per tick", ylabel="time of a tick (µs)", ylim=(0, None))
    return ax
