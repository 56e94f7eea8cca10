"""Figures of the reduction of the spiking motif to the threshold-linear one."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from swta.circuit.reduction import EffectiveMotif, OpenLoopResult
from swta.circuit.spiking_experiments import TransferResult
from swta.circuit.spiking_measures import measure_winner_amplification

FloatArray = NDArray[np.float64]

COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7")


def plot_open_loops(
    result: OpenLoopResult, effective: EffectiveMotif, ax: Axes | None = None
) -> Axes:
    """Rate (Hz) of unit 0 over drive (kHz): dots networks (mean and s.d.), lines the reduction."""
    ax = _axes(ax)
    drives = result.drives_khz
    net = effective.gain_hz_per_khz * drives - effective.threshold_hz
    cut = net / (1 + effective.loop)
    held = net - effective.loop * cut[result.reference]
    rival = held[result.reference] + effective.rival_hz_per_khz * drives
    rows = (
        (result.closed, net / (1 + effective.loop - effective.alpha), "all loops closed"),
        (result.no_recurrence, cut, "no E→E"),
        (result.opened, held, "no E→E, inhibition held"),
        (result.rival, rival, "the same, rival driven"),
    )
    for (rates, line, label), colour in zip(rows, COLOURS, strict=True):
        mean = rates[..., 0].mean(1)
        spread = rates[..., 0].std(1, ddof=1) if rates.shape[1] > 1 else np.zeros(len(mean))
        ax.errorbar(
            drives, mean, spread, fmt="o", markersize=3, capsize=2, color=colour, label=label
        )
        ax.plot(drives, np.maximum(line, 0.0), color=colour, linewidth=1)
    ax.set(xlabel="thalamic drive (kHz)", ylabel="rate of unit 0 (Hz)")
    ax.set_ylim(0, 1.5 * ax.get_ylim()[1])  # room for the legend
    ax.legend(fontsize="small", frameon=False, loc="upper left")
    return ax


def tabulate_predictions(
    effective: EffectiveMotif, transfer: TransferResult, drive_khz: float
) -> pd.DataFrame:
    """Measured and predicted rates (Hz) and winner gain of two units, a row per input ratio."""
    drives = drive_khz * np.stack([np.ones_like(transfer.ratios), transfer.ratios], axis=-1)
    with_loop, without = effective.predict(drives), effective.predict(drives, recurrent=False)
    together = transfer.together.mean(1)
    gain = measure_winner_amplification(transfer).mean(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        predicted = with_loop[:, 0] / without[:, 0]
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
        }
    )


def plot_predictions(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Rates (Hz) of two units over the ratio of their inputs: dots networks, lines predicted."""
    ax = _axes(ax)
    for name, colour in (("strong", COLOURS[0]), ("rival", COLOURS[1])):
        ax.plot(table["input_ratio"], table[f"{name}_hz"], "o", markersize=4, color=colour)
        ax.plot(table["input_ratio"], table[f"{name}_predicted_hz"], color=colour, label=name)
    ax.set(xlabel="input ratio, rival over strong", ylabel="rate (Hz)", ylim=(0, None))
    ax.legend(fontsize="small", frameon=False)
    return ax


def _axes(ax: Axes | None) -> Axes:
    return plt.subplots(figsize=(4.0, 3.0), layout="constrained")[1] if ax is None else ax
