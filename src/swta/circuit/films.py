"""Films of the circuit: a selection as it happens, and a loop that remembers."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from swta.circuit.experiments import SelectionResult
from swta.circuit.hysteresis import SweepResult

Film = tuple[Figure, Callable[[int], None]]


def film_selection(result: SelectionResult, inputs: np.ndarray, n_frames: int) -> Film:
    """Rates of the units while they compete, as bars and as courses; inputs as outlines.

    Args:
        result: from `simulate_selection`; its first seed is shown.
        inputs: of the units, (n_units,), input units.
        n_frames: number of frames over the first tenth of the run, where the selection happens.

    Returns:
        The figure, and what changes it to the frame of a number.
    """
    rates = result.together.rates[:, 0]  # (time, units)
    shown = max(n_frames, len(rates) // 10)
    at = np.linspace(0, min(shown, len(rates)) - 1, n_frames).astype(int)
    time, units = result.together.time, np.arange(rates.shape[1])
    colours = [f"C{k}" for k in units]
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.5, 2.8), layout="constrained")
    left.bar(units, inputs, fill=False, edgecolor="#777777", label="input")
    bars = left.bar(units, np.zeros(len(units)), width=0.5, color=colours, label="rate")
    top = 1.1 * max(rates[: at[-1] + 1].max(), inputs.max())
    left.set(xlabel="unit", ylabel="input and rate (input units)", ylim=(0, top), xticks=units)
    left.legend(loc="upper right", frameon=False)
    lines = [right.plot([], [], color=colour)[0] for colour in colours]
    right.set(xlabel="time (τ)", ylabel="rate (input units)", ylim=(0, top))
    right.set_xlim(0, time[at[-1]])

    def update(number: int) -> None:
        upto = at[number] + 1
        for unit, (bar, line) in enumerate(zip(bars, lines, strict=True)):
            bar.set_height(rates[upto - 1, unit])
            line.set_data(time[:upto], rates[:upto, unit])

    return figure, update


def film_hysteresis(result: SweepResult, mean_input: float, n_frames: int) -> Film:
    """The rate of one unit while the other's lead rises and falls: two paths, one loop.

    Args:
        result: from `simulate_sweep`; its first motif is shown.
        mean_input: of the two units, input units.
        n_frames: number of frames over the way there and back.

    Returns:
        The figure, and what changes it to the frame of a number.
    """
    d = result.differences
    course = np.concatenate([d, d[::-1]])
    rates = np.concatenate([result.up[:, 0], result.down[::-1, 0]])  # (steps, 2)
    at = np.linspace(0, len(course) - 1, n_frames).astype(int)
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.5, 2.8), layout="constrained")
    top = 1.1 * rates.max()
    bars = left.bar([0, 1], [0, 0], width=0.5, color=["C0", "C1"])
    outlines = left.bar([0, 1], [mean_input] * 2, fill=False, edgecolor="#777777")
    left.set(xticks=[0, 1], xticklabels=["A", "B"], ylim=(0, max(top, mean_input + d.max())))
    left.set(xlabel="unit", ylabel="input (outline) and rate")
    rising = right.plot([], [], color="C0", label="B's lead rises")[0]
    falling = right.plot([], [], color="C1", label="it falls")[0]
    dot = right.plot([], [], "o", color="#222222", markersize=6)[0]
    right.set(xlabel="lead of B's input", ylabel="rate of A (input units)", ylim=(-0.05 * top, top))
    right.set_xlim(1.05 * d[0], 1.05 * d[-1])
    right.legend(loc="lower left", frameon=False)

    def update(number: int) -> None:
        upto = at[number] + 1
        half = len(d)
        rising.set_data(course[: min(upto, half)], rates[: min(upto, half), 0])
        falling.set_data(course[half:upto], rates[half:upto, 0])
        dot.set_data([course[upto - 1]], [rates[upto - 1, 0]])
        for unit, sign in enumerate((-1, 1)):
            bars[unit].set_height(rates[upto - 1, unit])
            outlines[unit].set_height(mean_input + sign * course[upto - 1] / 2)

    return figure, update
