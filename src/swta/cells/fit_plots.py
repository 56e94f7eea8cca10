"""Figures of the per-cell fits, of their predictions, and of the features found in a trace."""

from __future__ import annotations

from typing import Final

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from swta.cells.classes import CLASSES, COLOURS, LABELS
from swta.cells.heldout import PREDICTORS, HeldOut
from swta.cells.sweeps import OTHER
from swta.cells.trace_features import TraceFeatures

PLACES: Final = ("best", "median", "worst")
PREDICTOR_LABELS: Final = {
    "model": "AdEx, fitted to the other levels",
    "line": "line, published rheobase and slope",
    "best_line": "line, least squares on the other levels",
    "glif3": "line of the GLIF3 model",
}
_PREDICTOR_MARKERS: Final = dict(zip(PREDICTORS, ("o", "x", "+", "^"), strict=True))
_GREY: Final = "0.45"
_FLOOR, _CEILING = 3.0, 3e-4  # range of 1 - explained variance that is drawn
_TICKS: Final = {1e-3: "0.999", 1e-2: "0.99", 1e-1: "0.9", 1.0: "0"}


def choose_examples(heldout: HeldOut) -> pd.DataFrame:
    """Best, median and worst predicted cell of each class with three cells or more.

    Returns:
        Columns class, place (one of `PLACES`), specimen_id and ev_model.
    """
    rows = []
    for name in CLASSES:
        own = heldout.cells[heldout.cells["class"] == name].dropna(subset="ev_model")
        if len(own) < len(PLACES):
            continue
        ordered = own.sort_values(["ev_model", "specimen_id"], ascending=[False, True])
        for place, row in zip(PLACES, (0, (len(ordered) - 1) // 2, len(ordered) - 1), strict=True):
            cell = ordered.iloc[row]
            rows.append((name, place, cell["specimen_id"], cell["ev_model"]))
    return pd.DataFrame(rows, columns=["class", "place", "specimen_id", "ev_model"])


def plot_cell_fi(heldout: HeldOut, specimen_id: int, ax: Axes | None = None) -> Axes:
    """Draw one cell: fitted (filled) and held-out (open) counts, the model, and the published line.

    From three levels below the weakest spiking one on.
    """
    ax = ax or plt.subplots(figsize=(2.2, 1.8))[1]
    levels = heldout.levels[heldout.levels["specimen_id"] == specimen_id]
    first = int(np.argmax((levels["measured"] > 0).to_numpy()))
    shown = levels.iloc[max(first - 3, 0) :]
    name = str(shown["class"].iloc[0])
    colour = COLOURS.get(name, _GREY)
    curve = heldout.curves[heldout.curves["specimen_id"] == specimen_id]
    curve = curve[curve["current_pA"] >= shown["current_pA"].min()]
    ax.plot(curve["current_pA"], curve["line"], ":", color=_GREY, lw=1.0)
    ax.plot(curve["current_pA"], curve["model"], "-", color="0.1", lw=1.0)
    for side, face in (("train", colour), ("test", "white")):
        own = shown[shown["side"] == side]
        (points,) = ax.plot(own["current_pA"], own["measured"], "o", ms=4.5, color=colour)
        points.set(markerfacecolor=face, clip_on=False)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("Current (pA)")
    ax.set_ylabel("Spikes in 1 s")
    return ax


def plot_fi_fits(heldout: HeldOut) -> Figure:
    """Draw best, median and worst cell of each class with three cells or more, a row a class."""
    examples = choose_examples(heldout)
    names = list(dict.fromkeys(examples["class"]))
    fig, axes = plt.subplots(
        len(names), 3, figsize=(7.0, 0.5 + 1.75 * len(names)), layout="constrained", squeeze=False
    )
    for row in examples.to_dict("records"):
        line, column = names.index(row["class"]), PLACES.index(row["place"])
        ax = plot_cell_fi(heldout, row["specimen_id"], axes[line, column])
        title = f"{LABELS[row['class']]}, {row['place']}: {row['ev_model']:.3f}"
        ax.set_title(title, fontsize="medium")
        if line < len(names) - 1:
            ax.set_xlabel("")
        if column:
            ax.set_ylabel("")
    handles = [
        Line2D([], [], marker="o", ls="", color=_GREY, label="measured, fitted"),
        Line2D([], [], marker="o", ls="", color=_GREY, mfc="white", label="measured, held out"),
        Line2D([], [], color="0.1", label="AdEx"),
        Line2D([], [], color=_GREY, ls=":", label="published rheobase and slope"),
    ]
    fig.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False)
    return fig


def plot_heldout(heldout: HeldOut, ax: Axes | None = None) -> Axes:
    """Draw the explained variance of every cell and predictor, a group a class, bars at medians.

    The axis is logarithmic in the unexplained variance; cells beyond it are at its edge.
    """
    ax = ax or plt.subplots(figsize=(7.0, 3.2), layout="constrained")[1]
    names = [name for name in (*CLASSES, OTHER) if name in set(heldout.cells["class"])]
    width = 0.8 / len(PREDICTORS)
    for place, name in enumerate(names):
        own = heldout.cells[heldout.cells["class"] == name]
        colour = COLOURS.get(name, _GREY)
        for offset, predictor in enumerate(PREDICTORS):
            values = own[f"ev_{predictor}"].dropna().to_numpy()
            if not values.size:
                continue
            centre = place + (offset - 0.5 * (len(PREDICTORS) - 1)) * width
            # Spread by a golden-ratio sequence: even, and the same in every build.
            spread = 0.6 * width * (np.modf(0.618034 * np.arange(values.size))[0] - 0.5)
            left = np.clip(1.0 - values, _CEILING, _FLOOR)
            filled = "white" if predictor == "glif3" else colour
            ax.plot(
                centre + spread,
                left,
                _PREDICTOR_MARKERS[predictor],
                ms=3 if predictor in ("model", "glif3") else 3.8,
                color=colour,
                mfc=filled,
                alpha=0.6,
                clip_on=False,
            )
            if values.size > 1:
                median = np.clip(1.0 - np.median(values), _CEILING, _FLOOR)
                ax.hlines(median, centre - 0.45 * width, centre + 0.45 * width, color="0.1", lw=1.8)
    ax.set_yscale("log")
    ax.set_ylim(_FLOOR, _CEILING)  # upwards is better
    ax.set_yticks(list(_TICKS), list(_TICKS.values()))
    ax.yaxis.set_minor_locator(plt.NullLocator())
    numbers = heldout.cells["class"].value_counts()
    labels = [f"{LABELS.get(name, name)}\nn = {numbers[name]}" for name in names]
    ax.set_xticks(range(len(names)), labels)
    ax.set_ylabel("Explained variance of\nheld-out spike counts")
    handles = [
        Line2D([], [], marker=marker, ls="", color=_GREY, label=PREDICTOR_LABELS[predictor])
        for predictor, marker in _PREDICTOR_MARKERS.items()
    ]
    handles[-1].set_markerfacecolor("white")
    ax.legend(
        handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False
    )
    return ax


def plot_trace_features(
    t_ms: NDArray[np.float64], v_mV: NDArray[np.float64], features: TraceFeatures
) -> Figure:
    """Draw a sweep with thresholds, peaks and fast troughs, and its first spike enlarged.

    Args:
        t_ms: (n,) times from the step's onset.
        v_mV: (n,) membrane potential.
        features: of this trace, with one spike at least.
    """
    fig, (whole, near) = plt.subplots(
        1, 2, figsize=(7.0, 2.5), layout="constrained", width_ratios=(2.2, 1)
    )
    spikes = features.spikes
    first = spikes.iloc[0]
    window = (first["peak_t_ms"] - 4.0, first["fast_trough_t_ms"] + 4.0)
    inside = (t_ms >= window[0]) & (t_ms <= window[1])
    whole.plot(t_ms, v_mV, color="0.3", lw=0.6)
    near.plot(t_ms[inside], v_mV[inside], color="0.3", lw=1.0)
    marks = {
        "threshold": ("threshold", "o", COLOURS["Pvalb"]),
        "peak": ("peak", "^", COLOURS["Pyr"]),
        "fast_trough": ("fast trough", "v", COLOURS["Vip"]),
    }
    for column, (label, marker, colour) in marks.items():
        times, values = spikes[f"{column}_t_ms"], spikes[f"{column}_v_mV"]
        whole.plot(times, values, marker, ms=3, color=colour, label=label)
        near.plot(times[:1], values[:1], marker, ms=6, color=colour)
    half = 0.5 * (first["peak_v_mV"] + first["fast_trough_v_mV"])
    rise = np.flatnonzero(inside & (t_ms <= first["peak_t_ms"]) & (v_mV <= half))
    start = float(t_ms[rise[-1]])
    near.plot([start, start + first["width_ms"]], [half, half], color="0.1", lw=2)
    near.annotate(
        f"width\n{first['width_ms']:.2f} ms",
        (start + first["width_ms"], half),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
    )
    for ax in (whole, near):
        ax.set_xlabel("Time from step onset (ms)")
    whole.set_ylabel("Membrane potential (mV)")
    whole.set_ylim(top=float(v_mV.max()) + 5.0)
    fig.legend(loc="outside upper left", ncols=3, frameon=False)
    return fig
