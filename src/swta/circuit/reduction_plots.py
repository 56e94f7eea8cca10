"""Figures of the reduction of the spiking motif to one of two units."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from swta.circuit.reduction import EffectiveMotif, OpenLoopResult
from swta.circuit.smooth_motif import SmoothMotif, activate
from swta.circuit.spiking_experiments import TransferResult
from swta.circuit.spiking_measures import measure_winner_amplification

FloatArray = NDArray[np.float64]

COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7")


def plot_open_loops(result: OpenLoopResult, motif: SmoothMotif, ax: Axes | None = None) -> Axes:
    """Rate (Hz) of unit 0 over drive (kHz): dots networks (mean and s.d.), lines the reduction."""
    ax = _axes(ax)
    closed = np.linspace(result.drives_khz[0], result.drives_khz[-1], 60)
    wide = np.linspace(result.open_khz.min(), result.open_khz.max(), 60)
    reference = result.drives_khz[result.reference]

    def alone(drives: FloatArray, recurrent: bool) -> FloatArray:
        both = np.stack([drives, np.zeros_like(drives)], axis=-1)
        return motif.predict(both, recurrent=recurrent)

    inhibition = motif.loop * alone(np.array([reference]), False).sum()
    threshold = motif.threshold_hz + inhibition
    held = activate(motif.gain_hz_per_khz * wide - threshold, motif.spread_hz)
    pushed = motif.gain_hz_per_khz * reference + motif.rival_hz_per_khz * closed - threshold
    rows = (
        (result.closed, closed, alone(closed, True)[:, 0], "all loops closed"),
        (result.no_recurrence, wide, alone(wide, False)[:, 0], "no E→E"),
        (result.opened, wide, held, "no E→E, inhibition held"),
        (result.rival, closed, activate(pushed, motif.spread_hz), "the same, rival driven"),
    )
    for (rates, fine, line, label), colour in zip(rows, COLOURS, strict=True):
        drives = result.open_khz[: len(rates)]
        mean = rates[..., 0].mean(1)
        spread = rates[..., 0].std(1, ddof=1) if rates.shape[1] > 1 else np.zeros(len(mean))
        ax.errorbar(
            drives, mean, spread, fmt="o", markersize=3, capsize=2, color=colour, label=label
        )
        ax.plot(fine, line, color=colour, linewidth=1)
    ax.set(xlabel="thalamic drive (kHz)", ylabel="rate of unit 0 (Hz)")
    ax.set_ylim(0, 1.5 * ax.get_ylim()[1])  # room for the legend
    ax.legend(fontsize="small", frameon=False, loc="upper left")
    return ax


def tabulate_predictions(
    motif: EffectiveMotif | SmoothMotif, transfer: TransferResult, drive_khz: float
) -> pd.DataFrame:
    """Measured and predicted rates (Hz) of two units, a row per input ratio.

    Winner gain is the strong unit's rate over that without recurrent excitation, loser fraction the
    rival's rate over its rate alone.
    """
    drives = drive_khz * np.stack([np.ones_like(transfer.ratios), transfer.ratios], axis=-1)
    with_loop, without = motif.predict(drives), motif.predict(drives, recurrent=False)
    rival_alone = motif.predict(drives * [0.0, 1.0])[:, 1]
    together = transfer.together.mean(1)
    gain = measure_winner_amplification(transfer).mean(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        predicted = with_loop[:, 0] / without[:, 0]
        fraction = together[:, 1] / transfer.rival_alone.mean(1)[:, 1]
        kept = with_loop[:, 1] / rival_alone
    return pd.DataFrame(
        {
            "input_ratio": transfer.ratios,
            "strong_hz": together[:, 0],
            "strong_predicted_hz": with_loop[:, 0],
            "rival_hz": together[:, 1],
            "rival_predicted_hz": with_loop[:, 1],
            "winner_gain": gain,
            "winner_gain_predicted": predicted,
            "gain_error": predicted / gain - 1,
            "loser_fraction": fraction,
            "loser_fraction_predicted": kept,
        }
    )


def plot_predictions(table: pd.DataFrame, straight: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Rates (Hz) of two units over the ratio of their inputs, predicted and measured.

    Args:
        table: predictions with a smooth threshold (lines), and what was measured (dots).
        straight: threshold-linear predictions (dotted).
    """
    ax = _axes(ax)
    for name, colour in (("strong", COLOURS[0]), ("rival", COLOURS[1])):
        ax.plot(table["input_ratio"], table[f"{name}_hz"], "o", markersize=4, color=colour)
        ax.plot(table["input_ratio"], table[f"{name}_predicted_hz"], color=colour, label=name)
        ax.plot(straight["input_ratio"], straight[f"{name}_predicted_hz"], ":", color=colour)
    ax.set(xlabel="input ratio, rival over strong", ylabel="rate (Hz)", ylim=(0, None))
    ax.legend(fontsize="small", frameon=False)
    return ax


def _axes(ax: Axes | None) -> Axes:
    return plt.subplots(figsize=(4.0, 3.0), layout="constrained")[1] if ax is None else ax
