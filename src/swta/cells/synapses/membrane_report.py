"""Which membranes the synapses were fitted in: in words and as a figure."""

from __future__ import annotations

from typing import Final

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from swta.cells.synapses.evaluate import TOLERANCE, SynapseScores
from swta.cells.synapses.matrices import put_letter
from swta.cells.synapses.membrane import EXCITATORY_HOLDING, INHIBITORY_HOLDING
from swta.cells.synapses.plots import SYNAPSE_COLOURS
from swta.cells.synapses.table import EXCITATORY, SYNAPSE_LABELS

_AT_END: Final = 1e-3  # relative, from a quartile; and mV, from an end of the bin of potentials


def describe_membranes(comparison: pd.DataFrame) -> str:
    """Pairs whose membrane time constant (ms) is a quartile of its class, the last one allowed.

    Args:
        comparison: from `compare_potentials`.
    """
    parts = []
    for _, row in comparison.iterrows():
        ends = (row["membrane_low_ms"], row["membrane_high_ms"])
        if not any(abs(row["membrane_ms"] / end - 1) < _AT_END for end in ends):
            continue
        held = EXCITATORY_HOLDING if row["pre"] in EXCITATORY else INHIBITORY_HOLDING
        last = min(abs(row["holding_mV"] - held[0]), abs(row["holding_mV"] - held[2])) < _AT_END
        end = f", held at the end of the bin, {row['holding_mV']:.0f} mV" if last else ""
        parts.append(
            f"{_label(row)} {row['membrane_ms']:.1f} ms (central cell {row['central_ms']:.1f} ms"
            f"{end})"
        )
    return "; ".join(parts) or "none"


def describe_central_membranes(central: SynapseScores) -> str:
    """How the same fit does with the membranes of the central cells.

    Args:
        central: scores of ``fit_synapses(class_models, membrane="central")``.
    """
    text = (
        f"{central.kinetics_matched} of {central.kinetics_pairs} pairs within "
        f"{100 * TOLERANCE:.0f} %, largest error {central.kinetics_error_max:.2f}"
    )
    if not central.kinetics_missed:
        return text
    return f"{text}; missed are " + "; ".join(central.kinetics_missed)


def describe_central_amplitudes(comparison: pd.DataFrame) -> str:
    """Largest deviations of an amplitude in the class's central cell from the measured one.

    Args:
        comparison: from `compare_potentials`.
    """
    largest = comparison.loc[comparison["central_deviation"].abs().nlargest(3).index]
    return ", ".join(
        f"{_label(row)} {row['central_deviation']:+.0%}" for _, row in largest.iterrows()
    )


def plot_membranes(comparison: pd.DataFrame) -> Figure:
    """Draw the membrane time constant of each recorded pair, and its amplitude in the central cell.

    Args:
        comparison: from `compare_potentials`.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 4.0), layout="constrained", sharey=True)
    for place, (_, row) in enumerate(comparison.iterrows()):
        colour = SYNAPSE_COLOURS[row["pre"]]
        left.hlines(place, row["membrane_low_ms"], row["membrane_high_ms"], color="0.75", lw=5)
        left.vlines(row["central_ms"], place - 0.35, place + 0.35, color="0.2", lw=1.2)
        left.plot(row["membrane_ms"], place, "o", ms=4, color=colour)
        right.hlines(place, 0, 100 * row["central_deviation"], color=colour, lw=1.2)
        right.plot(100 * row["central_deviation"], place, "o", ms=4, color=colour)
    left.set_yticks(range(len(comparison)), [_label(row) for _, row in comparison.iterrows()])
    left.tick_params(axis="y", labelsize=6)
    left.set_ylim(len(comparison) - 0.4, -0.6)
    left.set_xlim(0, None)
    left.set_xlabel("Membrane time constant (ms)")
    right.axvline(0, color="0.7", lw=0.6, zorder=0)
    right.set_xlabel("Change of amplitude in central cell (%)")
    for ax, letter in ((left, "a"), (right, "b")):
        put_letter(ax, letter)
    handles = [
        Patch(fc="0.75", label="quartiles of the class"),
        Line2D([], [], color="0.2", lw=1.2, label="central cell"),
        Line2D([], [], marker="o", ls="", ms=4, color="0.1", label="fitted (colour: presynaptic)"),
    ]
    fig.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=7)
    return fig


def _label(row: pd.Series) -> str:
    return f"{SYNAPSE_LABELS[row['pre']]}→{SYNAPSE_LABELS[row['post']]}"
