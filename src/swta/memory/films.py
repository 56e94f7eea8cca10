"""A film of the state machine: symbols come, and the up-state moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from swta.memory.machine import MachineResult


def film_machine(
    result: MachineResult, symbols: Sequence[str], symbol_duration: float, n_frames: int
) -> tuple[Figure, Callable[[int], None]]:
    """The first sequence of a run: the course of each state's unit, and the symbols as they come.

    Args:
        result: from `simulate_machine`.
        symbols: names of the symbols of that sequence, in order.
        symbol_duration: how long each is given, τ.
        n_frames: number of frames.

    Returns:
        The figure, and what changes it to the frame of a number.
    """
    rates = result.y[:, 0]  # (time, states)
    at = np.linspace(0, len(result.time) - 1, n_frames).astype(int)
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(6.5, 2.8), width_ratios=[1, 2.2], layout="constrained"
    )
    angle = 2 * np.pi * np.arange(len(result.states)) / len(result.states)
    x, y = -np.cos(angle), np.sin(angle)
    dots = left.scatter(x, y, s=1400, c="#EEEEEE", edgecolors="#777777", zorder=2)
    for name, px, py in zip(result.states, x, y, strict=True):
        left.text(px, py, name, ha="center", va="center", fontsize=11, zorder=3)
    given = left.text(0, 0, "", ha="center", va="center", fontsize=14, fontweight="bold")
    left.set(xlim=(-1.8, 1.8), ylim=(-1.8, 1.8), xticks=[], yticks=[], aspect="equal")
    left.set_axis_off()
    lines = [
        right.plot([], [], color=f"C{k}", label=name)[0] for k, name in enumerate(result.states)
    ]
    for onset, name in zip(result.onsets, symbols, strict=True):
        right.axvspan(onset, onset + symbol_duration, color="#DDDDDD", linewidth=0)
        right.text(onset + symbol_duration / 2, 1.12 * rates.max(), name, ha="center", va="top")
    right.set(xlabel="time (τ)", ylabel="rate in Y (input units)")
    right.set(xlim=(0, result.time[-1]), ylim=(-0.2, 1.15 * rates.max()))
    right.legend(loc="center left", frameon=False)

    def update(number: int) -> None:
        now = at[number]
        for state, line in enumerate(lines):
            line.set_data(result.time[: now + 1], rates[: now + 1, state])
        share = np.clip(rates[now] / rates.max(), 0, 1)
        dots.set_facecolor([(*to_rgb(f"C{k}"), 0.08 + 0.8 * s) for k, s in enumerate(share)])
        on = [
            name
            for onset, name in zip(result.onsets, symbols, strict=True)
            if onset <= result.time[now] < onset + symbol_duration
        ]
        given.set_text(on[0] if on else "")

    return figure, update
