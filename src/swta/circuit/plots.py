"""Figures of chapter 2. Each function draws what it is given and computes no results."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from numpy.typing import ArrayLike

from swta.cells.classes import COLOURS
from swta.circuit.experiments import ComparisonResult, ModulationResult
from swta.circuit.hysteresis import SweepResult
from swta.circuit.instability import GrowthResult
from swta.circuit.rate import RateResult
from swta.circuit.theory import STABILITY_CLASSES, FloatArray, Motif, stability_class
from swta.intervals import Interval

STRONG, RIVAL, OTHERS = COLOURS["Pyr"], "#EFA277", "#999999"  # tints of the pyramidal cells' colour
INHIBITORY = COLOURS["Pvalb"]
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito
CLASS_SHADES = ("#CFE8DC", "#FCE3B5", "#F6C9A8", "#DDDDDD")


def plot_course(result: RateResult, condition: int = 0, ax: Axes | None = None) -> Axes:
    """Rates of all units of one condition in time; unit 0 is strong and unit 1 its rival."""
    ax = ax or plt.gca()
    rates = result.rates[:, condition]
    for unit in range(2, rates.shape[1]):
        ax.plot(
            result.time, rates[:, unit], color=OTHERS, lw=1, label="others" if unit == 2 else None
        )
    ax.plot(result.time, rates[:, 0], color=STRONG, lw=1, label="strong")
    ax.plot(result.time, rates[:, 1], color=RIVAL, lw=1, label="rival")
    ax.plot(
        result.time,
        result.inhibition[:, condition],
        color=INHIBITORY,
        lw=1,
        ls="--",
        label="inhibitory",
    )
    ax.set(xlabel="time (τ)", ylabel="rate (input units)")
    return ax


def plot_transfer(
    result: ComparisonResult,
    alone: ArrayLike | None = None,
    kappa: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Rates of two units against contrast: simulation (dots) and closed form (lines).

    Args:
        alone: rate of the rival without the strong input, per contrast, shape (n_conditions,).
        kappa: ratio at which the rival becomes active, drawn as a dotted line.
    """
    ax = ax or plt.gca()
    for unit, colour, label in ((0, STRONG, "strong"), (1, RIVAL, "rival")):
        ax.plot(
            result.abscissa, result.predicted[:, unit], color=colour, label=f"{label}, closed form"
        )
        ax.plot(result.abscissa, result.simulated[:, unit], "o", color=colour, mec="black", mew=0.5)
    if alone is not None:
        ax.plot(result.abscissa, alone, color=RIVAL, ls=":", label="rival alone")
    if kappa is not None:
        ax.axvline(kappa, color="black", lw=0.8, ls=":")
        ax.text(kappa, 0.4, "κ ", transform=ax.get_xaxis_transform(), ha="right")
    ax.set(xlabel="input of the rival / input of the strong", ylabel="rate (input units)")
    return ax


def plot_agreement(result: ComparisonResult, ax: Axes | None = None) -> Axes:
    """Simulated against predicted rates of all units, with the identity line."""
    ax = ax or plt.gca()
    top = 1.05 * result.predicted.max()
    ax.plot([0, top], [0, top], color="black", lw=0.8)
    ax.plot(result.predicted.ravel(), result.simulated.ravel(), "o", ms=3, color=STRONG, alpha=0.6)
    ax.set(xlabel="rate, closed form", ylabel="rate, simulated")
    return ax


def plot_gain(
    result: ComparisonResult,
    loop: float,
    curve: tuple[ArrayLike, ArrayLike],
    ax: Axes | None = None,
) -> Axes:
    """Winner gain against α: simulation (dots), closed form (line); above 1 past α = β₁β₂.

    Args:
        loop: β₁β₂, drawn as a dotted line.
        curve: α and gain of the closed form.
    """
    ax = ax or plt.gca()
    ax.plot(*curve, color="black", label="closed form")
    ax.plot(result.abscissa, result.simulated[:, 0], "o", color=STRONG, label="simulated")
    ax.axhline(1, color=OTHERS, lw=0.8, ls=":")
    ax.axvline(loop, color=OTHERS, lw=0.8, ls=":")
    ax.set(xlabel="self-excitation α", ylabel="winner gain g")
    return ax


def plot_modulation(
    result: ModulationResult, slopes: ArrayLike, offsets: ArrayLike, ax: Axes | None = None
) -> Axes:
    """Input–output curves for the settings of a handle, with their fitted lines."""
    ax = ax or plt.gca()
    symbol = {"beta1": "$\\beta_1$", "T_N": "$T_N$"}[result.handle]
    lines = zip(result.motifs, result.rates, np.asarray(slopes), np.asarray(offsets), strict=True)
    for colour, (motif, rates, slope, offset) in zip(SERIES, lines, strict=False):
        line = np.linspace(0, result.inputs.max(), 201)
        ax.plot(line, np.maximum(0, slope * line + offset), color=colour, lw=1)
        label = f"{symbol} = {getattr(motif, result.handle):g}"
        ax.plot(result.inputs, rates, "o", color=colour, label=label)
    ax.set(xlabel="input of the unit", ylabel="rate (input units)")
    ax.legend()
    return ax


def plot_profiles(
    inputs: ArrayLike, outputs: ArrayLike, labels: tuple[str, str], ax: Axes | None = None
) -> Axes:
    """Mean and standard deviation over trials of two profiles, each over its own peak mean.

    Args:
        inputs, outputs: shape (n_trials, n_units).
        labels: names of the two.
    """
    ax = ax or plt.gca()
    styles = zip((inputs, outputs), labels, (OTHERS, STRONG), (-0.12, 0.12), strict=True)
    for rates, label, colour, shift in styles:
        rates = np.asarray(rates)
        mean, spread = rates.mean(0), rates.std(0, ddof=1)
        units = np.arange(len(mean)) + shift
        scale = mean.max()
        ax.bar(units, mean / scale, width=0.22, color=colour, label=label)
        ax.errorbar(units, mean / scale, spread / scale, fmt="none", ecolor="black", capsize=2)
    ax.set(xlabel="unit", ylabel="rate / mean rate of the peak", xticks=range(len(mean)))
    return ax


def plot_intervals(
    abscissa: ArrayLike,
    intervals: Sequence[Interval],
    label: str,
    colour: str,
    ax: Axes | None = None,
) -> Axes:
    """Means over seeds with their confidence intervals."""
    ax = ax or plt.gca()
    mean = np.array([i.value for i in intervals])
    below = mean - [i.low for i in intervals]
    above = [i.high for i in intervals] - mean
    ax.errorbar(
        abscissa, mean, np.stack([below, above]), fmt="o-", color=colour, label=label, capsize=2
    )
    return ax


def plot_loop(
    result: SweepResult, condition: int, half_width: float, ax: Axes | None = None
) -> Axes:
    """Rate difference x₀ - x₁ against input difference d; dotted lines at ± ``half_width``."""
    ax = ax or plt.gca()
    for rates, style, label in ((result.up, "-", "d rising"), (result.down, "--", "d falling")):
        gap = rates[:, condition, 0] - rates[:, condition, 1]
        colour = STRONG if style == "-" else INHIBITORY
        ax.plot(result.differences, gap, style, color=colour, label=label)
    for edge in (-half_width, half_width):
        ax.axvline(edge, color="black", lw=0.8, ls=":")
    ax.set(xlabel="input difference d", ylabel="rate difference $x_0 - x_1$")
    return ax


def plot_half_widths(
    alphas: ArrayLike,
    simulated: ArrayLike,
    curve: tuple[ArrayLike, ArrayLike],
    ax: Axes | None = None,
) -> Axes:
    """Half width of the loop against α: simulation (dots), closed form (line).

    Args:
        curve: α and half width of the closed form.
    """
    ax = ax or plt.gca()
    ax.plot(*curve, color="black", label="closed form")
    ax.plot(alphas, simulated, "o", color=STRONG, label="simulated")
    ax.set(xlabel="self-excitation α", ylabel="half width $d^*$ (input units)")
    ax.legend()
    return ax


def plot_stability_map(
    points: Sequence[tuple[str, Motif]], widest: FloatArray | None = None, ax: Axes | None = None
) -> Axes:
    """Stability classes over β₁β₂ and α, with named motifs as points.

    Args:
        points: a label and a motif for each point.
        widest: largest β₁β₂ and largest α drawn, shape (2,).
    """
    ax = ax or plt.gca()
    right, top = (1.6, 2.2) if widest is None else widest
    loops, alphas = np.linspace(0, right, 401), np.linspace(0, top, 401)
    classes = stability_class(alphas[:, None], loops[None, :])
    extent = (0.0, float(right), 0.0, float(top))
    shades = ListedColormap(list(CLASS_SHADES))
    ax.imshow(
        classes, origin="lower", extent=extent, aspect="auto", cmap=shades, vmin=-0.5, vmax=3.5
    )
    for shade, name in zip(CLASS_SHADES, STABILITY_CLASSES, strict=True):
        ax.plot([], [], "s", color=shade, ms=9, label=name)
    for marker, (label, motif) in zip("o^Dvs*", points, strict=False):
        ax.plot(
            motif.loop,
            motif.alpha,
            marker,
            color="black",
            mfc=STRONG,
            ms=7,
            ls="none",
            label=label,
            clip_on=False,
        )
    ax.set(
        xlabel="inhibitory loop β₁β₂", ylabel="self-excitation α", xlim=(0, right), ylim=(0, top)
    )
    ax.legend(loc="upper left", bbox_to_anchor=(1.02, 1), fontsize="small", frameon=False)
    return ax


def plot_growth(result: GrowthResult, ax: Axes | None = None) -> Axes:
    """Rates over the input against time on a logarithmic axis, and the slope of the eigenvalue."""
    ax = ax or plt.gca()
    for k, (name, colour) in enumerate((("unit", SERIES[0]), ("inhibitory unit", SERIES[1]))):
        seen = result.rates[:, k] > 0
        ax.plot(result.time[seen], result.rates[seen, k], color=colour, label=name)
    rise = np.exp(result.eigenvalue.real * (result.time - result.time[-1]))
    ax.plot(result.time, 2 * result.rates[-1, 0] * rise, ":", color="0.5", label="eigenvalue")
    ax.set(xlabel="time (τ)", ylabel="rate over input", yscale="log")
    ax.legend(fontsize="small", frameon=False)
    return ax
