"""Figures of how the synapses fit: potentials, rise and decay, trains of pulses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from swta.cells.classes import COLOURS
from swta.cells.synapses.evaluate import TOLERANCE, Potentials
from swta.cells.synapses.matrices import put_letter
from swta.cells.synapses.plasticity import PROTOCOL_MS, simulate_release
from swta.cells.synapses.shape import FIT_WINDOW, psp_shape
from swta.cells.synapses.table import INPUT, SYNAPSE_LABELS, Synapse
from swta.validation import check_choice

Synapses = Mapping[tuple[str, str], Synapse]

SYNAPSE_COLOURS: Final = {**COLOURS, INPUT: "0.35"}
AMPLITUDE_TOLERANCE: Final = 0.05


def plot_fitted(comparison: pd.DataFrame, feature: str, ax: Axes | None = None) -> Axes:
    """Draw the fitted against the measured amplitude, rise or decay of every recorded pair.

    The band is 5 % of an amplitude, 15 % of a time; pairs outside it carry their name.

    Args:
        comparison: from `compare_potentials`.
        feature: ``amplitude_mV``, ``rise_ms`` or ``decay_ms``.
        ax: where to draw.
    """
    titles = {
        "amplitude_mV": ("amplitude", "mV", AMPLITUDE_TOLERANCE),
        "rise_ms": ("rise", "ms", TOLERANCE),
        "decay_ms": ("decay", "ms", TOLERANCE),
    }
    check_choice("feature", feature, titles)
    title, unit, band = titles[feature]
    ax = ax or plt.subplots(figsize=(2.4, 2.4))[1]
    measured = comparison[f"{feature}_measured"].abs()
    fitted = comparison[f"{feature}_fitted"].abs()
    low, high = 0.7 * min(measured.min(), fitted.min()), 1.4 * max(measured.max(), fitted.max())
    line = np.array([low, high])
    ax.fill_between(line, line * (1 - band), line * (1 + band), color="0.88", lw=0)
    ax.plot(line, line, color="0.6", lw=0.8)
    placed = {True: 0, False: 0}  # names in the free corners, above and below the line
    for index in measured.sort_values(ascending=False).index:
        row, x, y = comparison.loc[index], measured[index], fitted[index]
        colour = SYNAPSE_COLOURS[row["pre"]]
        face = colour if row["status"] == "measured" else "white"
        ax.plot(x, y, "o", ms=4, mec=colour, mfc=face)
        if abs(y / x - 1) > band:
            above = bool(y > x)
            step = 0.09 * placed[above]
            ax.annotate(
                f"{SYNAPSE_LABELS[row['pre']]}→{SYNAPSE_LABELS[row['post']]}",
                (x, y),
                (0.04, 0.95 - step) if above else (0.96, 0.05 + step),
                textcoords="axes fraction",
                ha="left" if above else "right",
                va="top" if above else "bottom",
                fontsize=7,
                arrowprops={
                    "arrowstyle": "-",
                    "color": "0.5",
                    "lw": 0.6,
                    "shrinkB": 2,
                    "relpos": (1.0, 0.5) if above else (0.5, 1.0),
                },
            )
            placed[above] += 1
    ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high), aspect="equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())
    ax.set(xlabel=f"Measured {title} ({unit})", ylabel=f"Fitted {title} ({unit})")
    return ax


def plot_fitted_potentials(comparison: pd.DataFrame) -> Figure:
    """Draw amplitude, rise and decay, fitted against measured (`plot_fitted`)."""
    fig, axes = plt.subplots(1, 3, figsize=(7.2, 2.9), layout="constrained")
    for ax, feature, letter in zip(
        axes, ("amplitude_mV", "rise_ms", "decay_ms"), "abc", strict=True
    ):
        plot_fitted(comparison, feature, ax)
        put_letter(ax, letter)
    handles = [
        Line2D([], [], marker="o", ls="", ms=4, color=SYNAPSE_COLOURS[c], label=SYNAPSE_LABELS[c])
        for c in dict.fromkeys(comparison["pre"])
    ]
    handles.append(Line2D([], [], marker="o", ls="", ms=4, mec="0.3", mfc="white", label="pooled"))
    fig.legend(
        handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=7
    )
    return fig


def plot_potential(
    synapses: Synapses, potentials: Potentials, pair: tuple[str, str], ax: Axes | None = None
) -> Axes:
    """Draw the evoked potential of a pair over the curve of measured amplitude, rise and decay.

    The grey part was outside the window in which the recordings fitted rise and decay.

    Args:
        synapses: the table that the potentials come from.
        potentials: from `simulate_potentials`.
        pair: (pre, post).
        ax: where to draw.
    """
    check_choice("pair", str(pair), [str(one) for one in potentials.pairs])
    ax = ax or plt.subplots(figsize=(2.2, 1.8))[1]
    one = synapses[pair]
    t, v = potentials.t_ms, potentials.v_mV[potentials.pairs.index(pair)]
    if one.recorded:
        shape = psp_shape(t, one.psp_rise_ms.value, one.psp_decay_ms.value)[0]
        ax.plot(t, one.psp_mV.value * shape, color="0.5", lw=3, alpha=0.5, label="measured")
        if t[-1] > FIT_WINDOW:
            ax.axvspan(FIT_WINDOW, t[-1], color="0.94", lw=0, zorder=0)
    ax.plot(t, v, color=SYNAPSE_COLOURS[one.pre], lw=1.3, label="fitted")
    ax.axhline(0, color="0.7", lw=0.6)
    ax.set(xlim=(0, t[-1]), xlabel="Time after onset (ms)", ylabel="Potential (mV)")
    ax.set_title(f"{one.label}, held at {one.holding_mV.value:.1f} mV", fontsize=8)
    return ax


def plot_potentials(
    synapses: Synapses, potentials: Potentials, pairs: Sequence[tuple[str, str]]
) -> Figure:
    """Draw evoked potentials of some pairs (`plot_potential`), three a row."""
    rows = -(-len(pairs) // 3)
    fig, axes = plt.subplots(
        rows, 3, figsize=(7.2, 1.9 * rows + 0.3), layout="constrained", squeeze=False
    )
    for k, ax in enumerate(axes.flat):
        if k < len(pairs):
            plot_potential(synapses, potentials, pairs[k], ax)
            ax.set_ylabel("Potential (mV)" if k % 3 == 0 else "")
            ax.set_xlabel("Time after onset (ms)" if k >= len(pairs) - 3 else "")
        else:
            ax.set_axis_off()
    handles = [
        Line2D([], [], color="0.5", lw=3, alpha=0.5, label="measured amplitude, rise and decay"),
        Line2D([], [], color="0.1", lw=1.3, label="fitted (colour: presynaptic class)"),
        Patch(fc="0.94", label="outside the recordings' window"),
    ]
    fig.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=7)
    return fig


def plot_train(synapse: Synapse, ax: Axes | None = None) -> Axes:
    """Draw the 12 pulses of a train: fitted amplitudes, and measured induction and recovery.

    Bars are the quartiles of the measured induction around its median, at pulses 6 to 8; the short
    line at pulses 9 to 12 is the first four fitted ones changed by the mean measured recovery.
    """
    ax = ax or plt.subplots(figsize=(2.2, 1.8))[1]
    colour = SYNAPSE_COLOURS[synapse.pre]
    release = simulate_release(
        PROTOCOL_MS, synapse.U.value, synapse.tau_d_ms.value, synapse.tau_f_ms.value
    )
    size = abs(synapse.psp_mV.value)
    ax.vlines(PROTOCOL_MS, 0, size * release, color=colour, lw=1.2)
    ax.plot(PROTOCOL_MS, size * release, "o", ms=2.5, color=colour)
    if synapse.recorded:
        # Statistics are per 90th-percentile amplitude, of one sign with the potential.
        strong = abs(synapse.psp_strong_mV.value)
        late = PROTOCOL_MS[5:8]
        low, middle, high = (
            size + strong * x
            for x in (
                synapse.stp_induction.low,
                synapse.stp_induction.value,
                synapse.stp_induction.high,
            )
        )
        ax.fill_between([late[0] - 8, late[-1] + 8], low, high, color="0.5", alpha=0.3, lw=0)
        ax.hlines(middle, late[0] - 8, late[-1] + 8, color="0.2", lw=1.0)
        again = size * np.median(release[:4]) + strong * synapse.stp_recovery.value
        ax.hlines(again, PROTOCOL_MS[8] - 8, PROTOCOL_MS[11] + 8, color="0.2", lw=1.0)
    ax.set_ylim(0, None)
    ax.set(xlabel="Time (ms)", ylabel="Amplitude (mV)")
    ax.set_title(f"{synapse.label} (n = {synapse.stp_induction.n})", fontsize=8)
    return ax


def plot_trains(synapses: Synapses, pairs: Sequence[tuple[str, str]]) -> Figure:
    """Draw trains of some pairs (`plot_train`), four a row."""
    rows = -(-len(pairs) // 4)
    fig, axes = plt.subplots(
        rows, 4, figsize=(7.2, 1.7 * rows + 0.3), layout="constrained", squeeze=False
    )
    for k, ax in enumerate(axes.flat):
        if k < len(pairs):
            plot_train(synapses[pairs[k]], ax)
            ax.set_ylabel("Amplitude (mV)" if k % 4 == 0 else "")
            ax.set_xlabel("Time (ms)" if k >= len(pairs) - 4 else "")
        else:
            ax.set_axis_off()
    handles = [
        Line2D([], [], marker="o", ms=3, color="0.1", lw=1.2, label="fitted (mean field)"),
        Patch(fc="0.5", alpha=0.3, label="measured change to pulses 6-8, quartiles"),
        Line2D([], [], color="0.2", lw=1.0, label="its median; mean recovery"),
    ]
    fig.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=7)
    return fig


def plot_induction(comparison: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the fitted induction of every recorded pair on the measured quartiles.

    Args:
        comparison: from `compare_plasticity`.
        ax: where to draw.
    """
    ax = ax or plt.subplots(figsize=(3.4, 3.8))[1]
    for place, (_, row) in enumerate(comparison.iterrows()):
        colour = SYNAPSE_COLOURS[row["pre"]]
        ax.hlines(place, row["induction_q25"], row["induction_q75"], color="0.75", lw=5)
        ax.vlines(row["induction_measured"], place - 0.35, place + 0.35, color="0.2", lw=1.2)
        ax.plot(row["induction_fitted"], place, "o", ms=4, color=colour)
    names = [
        f"{SYNAPSE_LABELS[a]}→{SYNAPSE_LABELS[b]} ({n})"
        for a, b, n in zip(comparison["pre"], comparison["post"], comparison["n"], strict=True)
    ]
    ax.axvline(0, color="0.7", lw=0.6, zorder=0)
    ax.set_yticks(range(len(names)), names, fontsize=6)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlabel("Change to pulses 6-8 (ratio)")
    return ax
