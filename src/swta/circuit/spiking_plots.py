"""Figures of the spiking motif."""

from __future__ import annotations

from typing import Final

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from swta.cells.classes import CLASSES, COLOURS, INTERNEURONS, LABELS
from swta.circuit.bistability import BoundaryResult, DwellResult, LoopResult
from swta.circuit.lesions import VariantResult
from swta.circuit.rate_targets import RATE_TARGETS, STATES
from swta.circuit.regime import RegimeRates, RegimeResult
from swta.circuit.sensitivity import SensitivityResult
from swta.circuit.spiking_experiments import (
    ModulationCurves,
    ProfileResult,
    PulseResult,
    RestoredResult,
    TransferResult,
)
from swta.circuit.spiking_measures import (
    measure_rival_fraction,
    measure_winner_amplification,
)

FloatArray = NDArray[np.float64]
ASSUMPTION_LABELS: Final = {
    "nmda_ratio": "slow over fast excitation",
    "tuning_width_deg": "width of like-to-like wiring (degrees)",
}
UNIT_COLOURS: Final = ("#D55E00", "#0072B2", "#009E73", "#CC79A7")


def plot_regime(rates: RegimeRates, ax: Axes | None = None) -> Axes:
    """Rates (Hz) in the `STATES`, left to right; bars: in vivo.

    At rest (open), with a stimulus (filled) or the mixed one (light), and running (grey).
    """
    ax = _axes(ax)
    for target, values in zip(RATE_TARGETS, rates.targets, strict=True):
        if target.ratio:
            continue
        x = CLASSES.index(target.name) + 0.21 * (STATES.index(target.state) - 1.5)
        ax.bar(x, target.high - target.low, 0.16, bottom=target.low, color="0.88", zorder=0)
        spread = np.linspace(-0.06, 0.06, len(values)) if len(values) > 1 else np.zeros(1)
        colour = COLOURS[target.name]
        faces = {"rest": "white", "stimulus": colour, "mixed": (colour, 0.4), "running": "0.4"}
        style = {"color": colour, "markerfacecolor": faces[target.state], "markersize": 4}
        ax.plot(x + spread, values, "o", **style)  # type: ignore[arg-type]
    ax.set_yscale("log")
    ax.set_xticks(range(len(CLASSES)), [LABELS[c] for c in CLASSES])
    ax.set(ylabel="rate (Hz)", xlim=(-0.5, len(CLASSES) - 0.5))
    return ax


def plot_raster(
    result: RegimeResult,
    ax: Axes | None = None,
    *,
    state: str = "stimulus",
    start_s: float = 1.0,
    length_s: float = 1.0,
) -> Axes:
    """Spikes of network 0 in one state; one row per cell, time in s."""
    ax = _axes(ax)
    times, cells = result.states.spikes[STATES.index(state), 0]
    inside = (times >= start_s) & (times < start_s + length_s)
    edges = np.concatenate([[0], np.cumsum(result.states.sizes)])
    for k, name in enumerate(result.states.populations):
        mine = inside & (cells >= edges[k]) & (cells < edges[k + 1])
        colour = COLOURS[name] if name in INTERNEURONS else COLOURS["Pyr"]
        ax.plot(times[mine], cells[mine], ".", markersize=1.5, color=colour, rasterized=True)
        if k:
            ax.axhline(edges[k] - 0.5, color="0.85", linewidth=0.5)
    middle = (edges[:-1] + edges[1:]) / 2
    ax.set_yticks(middle, [LABELS.get(p, p) for p in result.states.populations])
    ax.tick_params(axis="y", length=0, labelsize="small")
    ax.set(xlabel="time (s)", xlim=(start_s, start_s + length_s), ylim=(-0.5, edges[-1] - 0.5))
    return ax


def plot_transfer_rates(result: TransferResult, ax: Axes | None = None) -> Axes:
    """Rates of the two units over the ratio of their inputs; mean and s.d. over networks."""
    ax = _axes(ax)
    lines = (
        (result.together[..., 0], UNIT_COLOURS[0], "-", "strong, both inputs"),
        (result.together[..., 1], UNIT_COLOURS[1], "-", "rival, both inputs"),
        (result.rival_alone[..., 1], UNIT_COLOURS[1], "--", "rival alone"),
        (result.without_recurrence[..., 0], UNIT_COLOURS[0], ":", "strong, no E→E"),
        (result.without_recurrence[..., 1], UNIT_COLOURS[1], ":", "rival, no E→E"),
    )
    for values, colour, style, label in lines:
        _line(ax, result.ratios, values, color=colour, linestyle=style, label=label)
    ax.set(xlabel="input ratio, rival over strong", ylabel="rate (Hz)")
    ax.set_ylim(0, 1.5 * ax.get_ylim()[1])  # room for the legend
    ax.legend(fontsize="small", frameon=False, ncols=2, loc="upper left")
    return ax


def plot_competition(result: TransferResult, ax: Axes | None = None) -> Axes:
    """Winner gain and loser fraction over the ratio of two inputs; mean and s.d. over networks."""
    ax = _axes(ax)
    gain, fraction = measure_winner_amplification(result), measure_rival_fraction(result)
    _line(ax, result.ratios, gain, color=UNIT_COLOURS[0], label="winner gain")
    _line(ax, result.ratios, fraction, color=UNIT_COLOURS[1], label="loser fraction")
    ax.axhline(1, color="0.8", linewidth=0.6, zorder=0)
    ax.set(xlabel="input ratio, rival over strong", ylabel="dimensionless")
    ax.set_ylim(0, 1.35 * ax.get_ylim()[1])  # room for the legend
    ax.legend(fontsize="small", frameon=False, loc="upper left")
    return ax


def plot_graded(result: ProfileResult, ax: Axes | None = None) -> Axes:
    """Inputs (bars) and rates (dots, mean and s.d. over networks) of all units, over the largest.

    One shade per profile of inputs.
    """
    ax = _axes(ax)
    n_profiles, n_units = result.drives_khz.shape
    for k in range(n_profiles):
        x = np.arange(n_units) + 0.26 * (k - (n_profiles - 1) / 2)
        drive = result.drives_khz[k] / result.drives_khz[k].max()
        ax.bar(x, drive, 0.24, color="0.88", zorder=0)
        rates = result.rates[k].T / result.rates[k].mean(0).max()
        _line(ax, x, rates, color=UNIT_COLOURS[k % len(UNIT_COLOURS)], linestyle="none")
    ax.set(xlabel="unit", ylabel="over the largest", ylim=(0, None), xticks=range(n_units))
    return ax


def plot_drive_to_classes(curves: ModulationCurves, handle: str, ax: Axes | None = None) -> Axes:
    """Rate of the driven unit over its drive for each level of extra drive to one class."""
    ax = _axes(ax)
    index = curves.handles.index(handle)
    shades = np.linspace(0.35, 1.0, len(curves.levels_khz))
    for k, level in enumerate(curves.levels_khz):
        _line(
            ax,
            curves.drives_khz,
            curves.rates[index, k, ..., 0],
            color=COLOURS[handle],
            alpha=float(shades[k]),
            label=f"{LABELS[handle]} +{level:g} kHz",
        )
    ax.set(xlabel="thalamic drive (kHz)", ylabel="rate of the driven unit (Hz)", ylim=(0, None))
    ax.legend(fontsize="small", frameon=False)
    return ax


def plot_restored(result: RestoredResult, ax: Axes | None = None) -> Axes:
    """Drives and rates of all patterns, over the mean peak of each network; points: one pattern."""
    ax = _axes(ax)
    units = np.arange(len(result.clean_khz))
    for patterns, colour, shift, label in (
        (result.inputs_khz, "0.5", -0.15, "drive"),
        (result.outputs, UNIT_COLOURS[0], 0.15, "rate"),
    ):
        scaled = patterns / patterns.mean(1, keepdims=True).max(-1, keepdims=True)
        rows = scaled.reshape(-1, len(units))
        beside = units + shift + np.linspace(-0.08, 0.08, len(rows))[:, None]
        ax.plot(beside, rows, ".", color=colour, markersize=3, alpha=0.5)
        ax.plot(units + shift, rows.mean(0), "_", color=colour, markersize=16, label=label)
    ax.set(xlabel="unit", ylabel="over the mean of the peak", ylim=(0, None), xticks=units)
    ax.legend(fontsize="small", frameon=False)
    return ax


def plot_perturbation(result: PulseResult, ax: Axes | None = None) -> Axes:
    """Rates of two units, smoothed over 50 ms; grey: extra drive to the rival."""
    ax = _axes(ax)
    width = 5
    for unit, name in ((0, "strong"), (1, "rival")):
        for run, style in ((0, ":"), (1, "-")):
            course = result.courses[:, run, :, unit].mean(1)
            smooth = np.convolve(course, np.ones(width) / width, mode="valid")
            time = result.time_s[width // 2 : width // 2 + len(smooth)]
            label = f"{name}, {'perturbed' if run else 'undisturbed'}"
            ax.plot(time, smooth, linestyle=style, color=UNIT_COLOURS[unit], label=label)
    ax.axvspan(result.onset_s, result.offset_s, color="0.9", zorder=0)
    ax.set(xlabel="time (s)", ylabel="rate (Hz)")
    ax.set_ylim(0, 1.4 * ax.get_ylim()[1])  # room for the legend
    ax.legend(fontsize="small", frameon=False, ncols=2, loc="upper left")
    return ax


def plot_loop(result: LoopResult, label: str, ax: Axes | None = None) -> Axes:
    """Difference of two rates while the input difference rises and falls; thin: each network."""
    ax = _axes(ax)
    index = result.labels.index(label)
    for rates, colour, name in (
        (result.up, UNIT_COLOURS[1], "rising"),
        (result.down, UNIT_COLOURS[0], "falling"),
    ):
        lead = rates[:, index, :, 0] - rates[:, index, :, 1]
        ax.plot(result.differences, lead, color=colour, linewidth=0.6, alpha=0.5)
        ax.plot(result.differences, lead.mean(1), "o-", color=colour, markersize=3, label=name)
    ax.axhline(0, color="0.8", linewidth=0.6, zorder=0)
    ax.set(xlabel="input difference over mean", ylabel="rate difference (Hz)", title=label)
    ax.legend(fontsize="small", frameon=False)
    return ax


def plot_dwell(result: DwellResult, label: str, ax: Axes | None = None) -> Axes:
    """Lead of unit 0 after a cue to unit 0 or to unit 1, inputs equal; thin: each network."""
    ax = _axes(ax)
    index = result.labels.index(label)
    width = 20
    for cue in (0, 1):
        lead = result.courses[:, index, cue, :, 0] - result.courses[:, index, cue, :, 1]
        smooth = np.stack([np.convolve(c, np.ones(width) / width, "valid") for c in lead.T])
        time = result.time_s[width // 2 : width // 2 + smooth.shape[1]]
        ax.plot(time, smooth.T, color=UNIT_COLOURS[cue], linewidth=0.6, alpha=0.6)
        ax.plot(time, smooth.mean(0), color=UNIT_COLOURS[cue], label=f"cue to unit {cue}")
    ax.axhline(0, color="0.8", linewidth=0.6, zorder=0)
    ax.set(xlabel="time after the cue (s)", ylabel="rate difference (Hz)", title=label)
    ax.set_ylim(ax.get_ylim()[0], 1.5 * ax.get_ylim()[1])  # room for the legend
    ax.legend(fontsize="small", frameon=False, loc="upper right")
    return ax


def plot_boundary(result: BoundaryResult, ax: Axes | None = None) -> Axes:
    """Memory index over adaptation, one line per top-down drive; mean and s.d. over networks."""
    ax = _axes(ax)
    shades = np.linspace(0.35, 1.0, len(result.vip_khz))
    for k, drive in enumerate(result.vip_khz):
        _line(
            ax,
            result.adaptation,
            result.memory[k],
            color=COLOURS["Vip"],
            alpha=float(shades[k]),
            label=f"VIP +{drive:g} kHz",
        )
    ax.set(xlabel="adaptation over slice value", ylabel="memory index")
    ax.legend(fontsize="small", frameon=False)
    return ax


def plot_variants(result: VariantResult, ax: Axes | None = None) -> Axes:
    """Mean of every measure for every lesion; colour: change in s.d. of the intact networks' mean.

    The colour is the paired difference from intact over its standard error, cut at ±10. A measure
    that is not finite in every network is marked as running away.
    """
    ax = _axes(ax)
    change = result.values - result.values[:1]
    whole = np.asarray(np.isfinite(change).all(-1))
    error = change.std(-1, ddof=1) / np.sqrt(change.shape[-1])
    mean = change.mean(-1)
    strength = np.divide(mean, error, out=np.zeros_like(mean), where=whole & (error > 0))
    ax.imshow(np.clip(strength, -10, 10), cmap="RdBu_r", vmin=-15, vmax=15, aspect="auto")
    for row in range(mean.shape[0]):
        for column in range(mean.shape[1]):
            value = result.values[row, column].mean()
            text = f"{value:.2f}" if whole[row, column] else "runs away"
            ax.text(column, row, text, ha="center", va="center", fontsize=7)
    ax.set_xticks(range(len(result.functions)), result.functions, rotation=35, ha="right")
    ax.set_yticks(range(len(result.variants)), result.variants)
    return ax


def plot_sensitivity(result: SensitivityResult, default: float, ax: Axes | None = None) -> Axes:
    """Winner gain and loser fraction over an assumption; mean and s.d., dotted: the default."""
    ax = _axes(ax)
    for values, colour, label in (
        (result.winner_gain, UNIT_COLOURS[0], "winner gain"),
        (result.loser_fraction, UNIT_COLOURS[1], "loser fraction"),
    ):
        steady = np.isfinite(values).all(-1)  # others run away
        _line(ax, result.values[steady], values[steady], color=colour, label=label)
    ax.axvline(default, color="0.7", linestyle=":", linewidth=1, zorder=0)
    ax.set(xlabel=ASSUMPTION_LABELS[result.assumption], ylabel="dimensionless", ylim=(0, None))
    ax.legend(fontsize="small", frameon=False)
    return ax


def plot_peer(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Population rates (Hz) of one simulator over those of another; bars: s.e.m. of the difference.

    Args:
        table: from `swta.circuit.peer.compare_rates`.
    """
    ax = _axes(ax)
    ours, theirs = table.columns[2:4]
    rates = table[[ours, theirs]].to_numpy()
    seen = rates.min(1) > 0  # a silent population has no place on a logarithmic axis
    for state, marker in zip(table["state"].unique(), "os", strict=False):
        rows = table[seen & (table["state"] == state).to_numpy()]
        colours = [COLOURS["Pyr" if p.startswith("Pyr") else p] for p in rows["population"]]
        ax.errorbar(
            rows[theirs], rows[ours], rows["s.e.m. (Hz)"], fmt="none", ecolor="0.6", linewidth=1
        )
        ax.scatter(rows[theirs], rows[ours], s=22, c=colours, marker=marker, label=state)
    span = [0.7 * rates[seen].min(), 1.4 * rates.max()]
    ax.plot(span, span, color="0.8", linewidth=0.8, zorder=0)
    ax.set(xscale="log", yscale="log", xlim=span, ylim=span, xlabel=theirs, ylabel=ours)
    ax.legend(fontsize="small", frameon=False)
    return ax


def _line(ax: Axes, x: FloatArray, values: FloatArray, **style: object) -> None:
    """Mean over the last axis with its s.d."""
    spread = values.std(-1, ddof=1) if values.shape[-1] > 1 else np.zeros(len(x))
    ax.errorbar(x, values.mean(-1), spread, marker="o", markersize=3, capsize=2, **style)  # type: ignore[arg-type]


def _axes(ax: Axes | None) -> Axes:
    return plt.subplots(figsize=(4.0, 3.0), layout="constrained")[1] if ax is None else ax
