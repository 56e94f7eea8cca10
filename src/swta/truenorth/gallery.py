"""Published neurons: parameter sets that reproduce a behaviour, tick by tick.

The sets for phasic spiking, tonic bursting and phasic bursting are those of the public simulators
NeMo and SANA-FE (values of the former where they differ). The behaviours are Izhikevich's (2004).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from swta.truenorth.chip import Chip, Core
from swta.truenorth.neuron import N_AXONS, N_NEURONS, Neurons
from swta.validation import check_integer


@dataclass(frozen=True, eq=False)
class TraceResult:
    """Potentials and spikes of the first neurons of core 0, tick by tick."""

    ticks: np.ndarray  # (n_ticks,)
    potentials: np.ndarray  # (n_ticks, n_neurons) int32, after the tick
    spikes: np.ndarray  # (n_ticks, n_neurons) bool
    inputs: np.ndarray  # (n, 2), tick and axon of each external spike


def bursting_chip(*, phasic: bool = False) -> Chip:
    """Return two neurons: neuron 0 bursts, neuron 1 counts six spikes and ends the burst.

    The input is axon 0. Neuron 0 drives axon 2, to which neuron 1 listens; neuron 1 drives axon 1,
    which inhibits neuron 0.

    Args:
        phasic: one burst only, because the end of the burst leaves neuron 0 at its negative
            threshold; else a burst after every input (tonic).
    """
    inhibition, depth = (-20, 20) if phasic else (-100, 0)
    weights = np.zeros((N_NEURONS, 4), dtype=int)
    weights[0, :2] = 1, inhibition
    weights[1, 0] = 1
    neurons = Neurons(
        weights=weights,
        leak=_first(1, 0),
        leak_reversal=_first(1, 0),
        threshold=_first(18, 6, rest=1),
        negative_threshold=_first(depth, 0),
        reset=_first(1, 0),
        negative_saturate=True,
        target_core=_first(0, 0, rest=-1),
        target_axon=_first(2, 1),
    )
    return Chip([Core(_first(0, 1), _crossbar((0, 0), (1, 0), (2, 1)), neurons)])


def phasic_spiking_chip(*, potential: int = -10) -> Chip:
    """Return one neuron that answers the first of a train of weak inputs and then stays silent.

    Axon 0 has weight 4, axon 1 weight 20.

    Args:
        potential: where neuron 0 starts; it rests at -10, its negative threshold.
    """
    neurons = Neurons(
        weights=[4, 20, 0, 0],
        leak=_first(-2),
        threshold=2,
        negative_threshold=10,
        reset=-15,
        negative_saturate=True,
        potential=_first(potential),
    )
    return Chip([Core(_first(0, 1), _crossbar((0, 0), (1, 0)), neurons)])


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


def _first(*values: int, rest: int = 0) -> np.ndarray:
    """Return 256 values: those given, then ``rest``."""
    return np.array([*values, *[rest] * (N_NEURONS - len(values))])


def _crossbar(*connections: tuple[int, int]) -> np.ndarray:
    crossbar = np.zeros((N_AXONS, N_NEURONS), dtype=bool)
    for axon, neuron in connections:
        crossbar[axon, neuron] = True
    return crossbar
