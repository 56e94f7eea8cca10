"""Figures of the table of synapses: matrices of all pairs, with the status of each value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke

from swta.cells.synapses.table import (
    POSTSYNAPTIC,
    PRESYNAPTIC,
    QUANTITY_UNITS,
    SYNAPSE_LABELS,
    Synapse,
)
from swta.validation import check_choice

Synapses = Mapping[tuple[str, str], Synapse]

# Letter and hatch of each status; measured values are plain.
MARKS: Final = {
    "measured": ("", ""),
    "pooled": ("p", ""),
    "proxy": ("x", "////"),
    "assumed": ("a", "xxxx"),
}
STATUS_LABELS: Final = {
    "measured": "measured",
    "pooled": "p: pooled with related pairs",
    "proxy": "x: proxy",
    "assumed": "a: assumed",
}


@dataclass(frozen=True)
class _Panel:
    title: str
    scale: Normalize
    colours: str
    digits: str


def _panels() -> dict[str, _Panel]:
    return {
        "probability": _Panel("Probability", Normalize(0, 1), "Greys", "{:.2f}"),
        "g_nS": _Panel("Conductance", LogNorm(0.1, 4), "YlGnBu", "{:.2f}"),
        "psp_mV": _Panel("Resting PSP", Normalize(-0.8, 0.8), "RdBu_r", "{:+.2f}"),
        "psp_decay_ms": _Panel("PSP decay", LogNorm(5, 100), "YlGnBu", "{:.0f}"),
        "decay_ms": _Panel("Conductance decay", LogNorm(0.5, 50), "YlGnBu", "{:.1f}"),
        "stp_induction": _Panel("Change in 50-Hz train", Normalize(-0.6, 0.6), "PuOr", "{:+.2f}"),
        "delay_ms": _Panel("Delay", Normalize(0.5, 2.5), "YlGnBu", "{:.1f}"),
        "U": _Panel("Utilisation U", Normalize(0, 0.6), "YlGnBu", "{:.2f}"),
        "tau_d_ms": _Panel("Recovery", LogNorm(50, 600), "YlGnBu", "{:.0f}"),
        "tau_f_ms": _Panel("Facilitation", LogNorm(10, 400), "YlGnBu", "{:.0f}"),
    }


MATRIX_QUANTITIES: Final = tuple(_panels())


def plot_synapse_matrix(synapses: Synapses, quantity: str, ax: Axes | None = None) -> Axes:
    """Draw one quantity of all pairs, presynaptic classes down, postsynaptic across.

    A letter and a hatch say where a value is not measured on that pair (`MARKS`).

    Args:
        synapses: from `load_synapses` or `fit_synapses`.
        quantity: one of `MATRIX_QUANTITIES`.
        ax: where to draw.
    """
    check_choice("quantity", quantity, MATRIX_QUANTITIES)
    ax = ax or plt.subplots(figsize=(3.2, 3.6))[1]
    panel = _panels()[quantity]
    colours = plt.get_cmap(panel.colours)
    for (pre, post), one in synapses.items():
        entry = getattr(one, quantity)
        x, y = POSTSYNAPTIC.index(post), PRESYNAPTIC.index(pre)
        colour = colours(panel.scale(np.clip(entry.value, panel.scale.vmin, panel.scale.vmax)))
        letter, hatch = MARKS[entry.status]
        box = Rectangle((x - 0.5, y - 0.5), 1, 1, fc=colour, ec="white", lw=1.0)
        ax.add_patch(box)
        if hatch:
            over = Rectangle((x - 0.5, y - 0.5), 1, 1, fc="none", ec="0.6", lw=0, hatch=hatch)
            over.set_alpha(0.45)
            ax.add_patch(over)
        # Text stands out of its cell, over the hatch as well.
        dark = 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2] < 0.5
        style: dict[str, Any] = {
            "color": "white" if dark else "black",
            "path_effects": [withStroke(linewidth=2.5, foreground=colour)],
        }
        text = panel.digits.format(entry.value)
        ax.text(x, y, text, ha="center", va="center", fontsize=7.5, **style)
        ax.text(x + 0.44, y - 0.44, letter, ha="right", va="top", fontsize=6.5, **style)
    ax.set(xlim=(-0.5, len(POSTSYNAPTIC) - 0.5), ylim=(len(PRESYNAPTIC) - 0.5, -0.5))
    ax.set_xticks(range(len(POSTSYNAPTIC)), [SYNAPSE_LABELS[c] for c in POSTSYNAPTIC], rotation=45)
    ax.set_yticks(range(len(PRESYNAPTIC)), [SYNAPSE_LABELS[c] for c in PRESYNAPTIC])
    ax.axhline(len(PRESYNAPTIC) - 1.5, color="0.2", lw=1.0)
    unit = QUANTITY_UNITS[quantity]
    ax.set_title(panel.title + (f" ({unit})" if unit != "1" else ""), loc="left", fontsize=9)
    ax.set(xlabel="Onto", ylabel="From", aspect="equal")
    ax.tick_params(length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    return ax


def plot_synapse_matrices(
    synapses: Synapses,
    quantities: Sequence[str] = (
        "probability",
        "psp_mV",
        "g_nS",
        "psp_decay_ms",
        "decay_ms",
        "stp_induction",
    ),
) -> Figure:
    """Draw several quantities of all pairs (`plot_synapse_matrix`), three panels a row."""
    rows = -(-len(quantities) // 3)
    fig, axes = plt.subplots(
        rows, 3, figsize=(7.2, 3.0 * rows + 0.3), layout="constrained", squeeze=False
    )
    for k, ax in enumerate(axes.flat):
        if k < len(quantities):
            plot_synapse_matrix(synapses, quantities[k], ax)
            put_letter(ax, "abcdefghijkl"[k])
            ax.set_ylabel("From" if k % 3 == 0 else "")
            ax.set_xlabel("Onto" if k >= len(quantities) - 3 else "")
        else:
            ax.set_axis_off()
    handles = [
        Patch(fc="0.92", ec="0.5", hatch=hatch, label=STATUS_LABELS[status], lw=0.5)
        for status, (_, hatch) in MARKS.items()
    ]
    fig.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=7)
    return fig


def put_letter(ax: Axes, letter: str) -> None:
    """Put the panel's letter before its title, or in its place."""
    title = ax.get_title(loc="left")
    ax.set_title(rf"$\mathbf{{{letter}}}$  {title}".rstrip(), loc="left")
