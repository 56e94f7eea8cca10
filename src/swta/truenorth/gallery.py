"""The gallery of behaviours on the chip, tick by tick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from swta.truenorth.behaviours import BEHAVIOURS, Behaviour, Cell
from swta.truenorth.chip import Chip, Core
from swta.truenorth.neuron import N_AXON_TYPES, N_AXONS, N_NEURONS, Neurons
from swta.validation import check_choice, check_integer

_REST: Final = 40  # ticks shown after the last input


@dataclass(frozen=True, eq=False)
class TraceResult:
    """Potentials and spikes of the first neurons of core 0, tick by tick."""

    ticks: np.ndarray  # (n_ticks,)
    potentials: np.ndarray  # (n_ticks, n_neurons) int32, after the tick
    spikes: np.ndarray  # (n_ticks, n_neurons) bool
    inputs: np.ndarray  # (n, 2), tick and axon of each external spike


@dataclass(frozen=True, eq=False)
class BehaviourResult:
    """One behaviour as the chip shows it."""

    behaviour: Behaviour
    trace: TraceResult
    drive: np.ndarray  # (n_ticks,), sum of the weights of the external input, units of V


def behaviour_chip(behaviour: Behaviour) -> Chip:
    """Return a chip of one core with the behaviour's neurons in front and its axons wired."""
    cells = behaviour.cells
    weights = np.zeros((N_NEURONS, N_AXON_TYPES), dtype=int)
    for neuron, cell in enumerate(cells):
        weights[neuron, : len(cell.weights)] = cell.weights
    shared = (
        "leak",
        "leak_reversal",
        "negative_threshold",
        "negative_saturate",
        "reset",
        "reset_mode",
        "potential",
        "delay",
    )
    idle = Cell((), 1)
    values: dict[str, Any] = {
        name: [getattr(c, name) for c in cells] + [getattr(idle, name)] * (N_NEURONS - len(cells))
        for name in ("threshold", "target_axon", *shared)
    }
    target = values.pop("target_axon")
    crossbar = np.zeros((N_AXONS, N_NEURONS), dtype=bool)
    axon_type = np.zeros(N_AXONS, dtype=int)
    for index, axon in enumerate(behaviour.axons):
        axon_type[index] = axon.axon_type
        crossbar[index, list(axon.neurons)] = True
    neurons = Neurons(
        weights=weights,
        target_core=[-1 if axon is None else 0 for axon in target],
        target_axon=[axon or 0 for axon in target],
        **values,
    )
    return Chip([Core(axon_type, crossbar, neurons)])


def simulate_trace(chip: Chip, inputs: ArrayLike, *, n_ticks: int, n_neurons: int) -> TraceResult:
    """Return potentials (after each tick) and spikes of the first neurons of core 0.

    Args:
        chip: runs on from where it stands.
        inputs: rows (tick, axon) for core 0.
        n_ticks: ticks to run.
        n_neurons: neurons to watch, from neuron 0 on.
    """
    check_integer("n_ticks", n_ticks, low=1)
    check_integer("n_neurons", n_neurons, low=1, high=N_NEURONS)
    rows = np.asarray(inputs, dtype=np.int64).reshape(-1, 2)
    ticks = chip.tick + np.arange(n_ticks)
    potentials = np.zeros((n_ticks, n_neurons), dtype=np.int32)
    spikes = np.zeros((n_ticks, n_neurons), dtype=bool)
    pending = np.insert(rows, 1, 0, axis=1)
    for index in range(n_ticks):
        fired = chip.run(pending, 1).counts()[0]
        pending = pending[:0]  # the chip keeps what lies ahead
        spikes[index] = fired[:n_neurons] > 0
        potentials[index] = chip.potentials[0, :n_neurons]
    return TraceResult(ticks, potentials, spikes, rows)


def simulate_behaviour(name: str, *, inputs: ArrayLike | None = None) -> BehaviourResult:
    """Run one behaviour of ``BEHAVIOURS``.

    Args:
        name: of the behaviour.
        inputs: rows (tick, axon) in place of its own; the run goes on for 40 ticks after them.

    Raises:
        ParameterError: unknown name.
    """
    behaviour = BEHAVIOURS[check_choice("behaviour", name, BEHAVIOURS)]
    given = behaviour.inputs if inputs is None else inputs
    rows = np.asarray(given, dtype=np.int64).reshape(-1, 2)
    n_ticks = max(behaviour.n_ticks, int(rows[:, 0].max(initial=0)) + _REST)
    trace = simulate_trace(
        behaviour_chip(behaviour), rows, n_ticks=n_ticks, n_neurons=len(behaviour.cells)
    )
    drive = np.zeros(n_ticks, dtype=np.int64)
    for tick, index in rows:
        axon = behaviour.axons[index]  # the weight on the first neuron that hears it
        drive[tick] += behaviour.cells[axon.neurons[0]].weights[axon.axon_type]
    return BehaviourResult(behaviour, trace, drive)


def simulate_gallery(names: Sequence[str] = tuple(BEHAVIOURS)) -> list[BehaviourResult]:
    """Run the behaviours named, by default all twenty, each with its own input."""
    return [simulate_behaviour(name) for name in names]


def gallery_table(results: Sequence[BehaviourResult]) -> pd.DataFrame:
    """Return the gallery's traces, one row per behaviour, tick and neuron."""
    parts = []
    for result in results:
        trace = result.trace
        n_ticks, n_neurons = trace.potentials.shape
        parts.append(
            pd.DataFrame(
                {
                    "behaviour": result.behaviour.name,
                    "tick": np.repeat(trace.ticks, n_neurons),
                    "neuron": np.tile(np.arange(n_neurons), n_ticks),
                    "input": np.repeat(result.drive, n_neurons),
                    "potential": trace.potentials.ravel(),
                    "spike": trace.spikes.ravel().astype(int),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
