"""Twenty behaviours of neurons as small integer circuits: parameters, input, defining property.

The list is Izhikevich's (2004); Cassidy et al. (2013) reproduce it with one to three TrueNorth
neurons. Three of their sets survive in public simulators (NeMo, SANA-FE) and are marked as
published. The other sets are our own, derived from the equations or, where the origin says so,
found by trying random whole numbers. Neuron 0 shows the behaviour; the others help it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

Rows = tuple[tuple[int, int], ...]

PUBLISHED, DERIVED, SEARCHED = "published", "derived", "searched"


@dataclass(frozen=True)
class Cell:
    """One neuron; the fields are those of ``Neurons``."""

    weights: tuple[int, ...]  # by axon type
    threshold: int
    leak: int = 0
    leak_reversal: bool = False
    negative_threshold: int = 0
    negative_saturate: bool = True
    reset: int = 0
    reset_mode: int = 0
    potential: int = 0
    target_axon: int | None = None  # on the same core; None leaves the chip
    delay: int = 1


@dataclass(frozen=True)
class Axon:
    """One axon: its type and the neurons that listen to it."""

    axon_type: int
    neurons: tuple[int, ...]


@dataclass(frozen=True)
class Behaviour:
    """A circuit, its input, and what it shows."""

    name: str
    cells: tuple[Cell, ...]
    axons: tuple[Axon, ...]  # external ones first
    inputs: Rows  # (tick, axon)
    n_ticks: int
    shows: str  # the defining property
    origin: str  # of the parameters: published, derived or searched


def _every(step: int, start: int, stop: int, axon: int = 0) -> Rows:
    return tuple((tick, axon) for tick in range(start, stop, step))


def _at(*ticks: int, axon: int = 0) -> Rows:
    return tuple((tick, axon) for tick in ticks)


def _steps(levels: Iterable[int], length: int) -> Rows:
    """Every tick of step k, the first ``levels[k]`` axons are active."""
    return tuple(
        (k * length + tick, axon)
        for k, level in enumerate(levels)
        for tick in range(length)
        for axon in range(level)
    )


def _ramp(start: int, intervals: Iterable[int], tail: int) -> Rows:
    """Spikes at the given intervals, then one in every tick."""
    ticks = [start]
    for interval in (*intervals, *[1] * tail):
        ticks.append(ticks[-1] + interval)
    return _at(*ticks)


def _burster(*, inhibition: int, depth: int) -> tuple[Cell, Cell]:
    """Neuron 0 fires by itself once started; neuron 1 counts six spikes and ends it."""
    return (
        Cell(
            (1, inhibition),
            18,
            leak=1,
            leak_reversal=True,
            negative_threshold=depth,
            reset=1,
            target_axon=2,
        ),
        Cell((1,), 6, target_axon=1),
    )


_BURST_AXONS = (Axon(0, (0,)), Axon(1, (0,)), Axon(0, (1,)))
_FEEDBACK_AXONS = (Axon(0, (0,)), Axon(1, (0,)), Axon(2, (1,)))
# Inhibition starts neuron 2, which starts a burst of four in neuron 0; neuron 1 ends it.
_REBOUND_BURST_CELLS = (
    Cell((0, -100, 2), 6, leak=1, leak_reversal=True, reset=1, target_axon=2),
    Cell((1,), 4, target_axon=1),
)
_REBOUND_BURST_AXONS = (Axon(3, (2,)), Axon(1, (0,)), Axon(0, (1,)), Axon(2, (0,)))
_LEVELS = Axon(0, (0,))

_ALL = (
    Behaviour(
        "tonic spiking",
        (Cell((3,), 16, leak=-1, leak_reversal=True),),
        (Axon(0, (0,)),),
        _every(1, 20, 140),
        180,
        "a steady input gives evenly spaced spikes as long as it lasts",
        DERIVED,
    ),
    Behaviour(
        "phasic spiking",
        (Cell((4, 20), 2, leak=-2, negative_threshold=10, reset=-15, potential=-10),),
        (Axon(0, (0,)), Axon(1, (0,))),
        (*_at(20, axon=1), *_every(2, 22, 140)),
        180,
        "one spike at the onset of the input, then silence",
        PUBLISHED,
    ),
    Behaviour(
        "tonic bursting",
        _burster(inhibition=-100, depth=0),
        _BURST_AXONS,
        _every(25, 20, 430),
        460,
        "bursts of six follow each other while the input lasts",
        PUBLISHED,
    ),
    Behaviour(
        "phasic bursting",
        _burster(inhibition=-20, depth=20),
        _BURST_AXONS,
        _every(25, 20, 430),
        460,
        "one burst at the onset of the input, then silence",
        PUBLISHED,
    ),
    Behaviour(
        "mixed mode",
        (
            Cell((6, -6), 9, negative_threshold=18, target_axon=2),
            Cell((0, 0, 20), 56, leak=-1, leak_reversal=True, reset_mode=2, target_axon=1),
        ),
        _FEEDBACK_AXONS,
        _every(1, 20, 180),
        220,
        "a short burst at the onset, then slow tonic spikes",
        SEARCHED,
    ),
    Behaviour(
        "spike-frequency adaptation",
        (
            Cell((6, -4), 54, negative_threshold=30, target_axon=2),
            Cell((0, 0, 21), 31, leak=-1, leak_reversal=True, reset_mode=2, target_axon=1),
        ),
        _FEEDBACK_AXONS,
        _every(1, 20, 220),
        260,
        "intervals grow from spike to spike towards a steady value",
        SEARCHED,
    ),
    Behaviour(
        "class 1",
        (Cell((1,), 40, leak=-1, reset_mode=1),),
        (_LEVELS,) * 8,
        _steps(range(9), 60),
        540,
        "the rate starts from zero and grows evenly with the input",
        DERIVED,
    ),
    Behaviour(
        "class 2",
        (
            Cell(
                (1,), 60, leak=4, leak_reversal=True, negative_threshold=10, reset=-1, potential=-10
            ),
        ),
        (_LEVELS,) * 8,
        _steps(range(9), 60),
        540,
        "the rate jumps from zero to a high value at a certain input",
        DERIVED,
    ),
    Behaviour(
        "spike latency",
        (Cell((3, 12), 30, leak=1, leak_reversal=True),),
        (Axon(0, (0,)), Axon(1, (0,))),
        (*_at(20), *_at(100, axon=1)),
        140,
        "the spike follows a short input late, the later the weaker it was",
        DERIVED,
    ),
    Behaviour(
        "subthreshold oscillation",
        (
            Cell((24, 8), 20, leak=-1, leak_reversal=True, target_axon=1),
            Cell((1, 1), 1, target_axon=2, delay=8),
        ),
        (Axon(0, (0,)), Axon(0, (1,)), Axon(1, (0, 1))),
        _at(20),
        120,
        "after the spike the potential goes up and down below the threshold",
        DERIVED,
    ),
    Behaviour(
        "resonator",
        (Cell((6, 6), 9, leak=-3, leak_reversal=True), Cell((1,), 1, target_axon=1, delay=10)),
        (Axon(0, (0, 1)), Axon(1, (0,))),
        _at(20, 25, 70, 80, 130, 145),
        180,
        "only pairs of inputs at one certain interval give a spike",
        DERIVED,
    ),
    Behaviour(
        "integrator",
        (Cell((10,), 16, leak=-1, leak_reversal=True),),
        (Axon(0, (0,)),),
        _at(20, 22, 70, 80),
        120,
        "pairs of inputs give a spike if they are close, the closer the better",
        DERIVED,
    ),
    Behaviour(
        "rebound spike",
        (
            Cell(
                (0, -20),
                10,
                leak=-1,
                leak_reversal=True,
                negative_threshold=15,
                negative_saturate=False,
                reset=-15,
            ),
        ),
        (Axon(1, (0,)),),
        _at(20),
        60,
        "one inhibitory input is followed by one spike",
        DERIVED,
    ),
    Behaviour(
        "rebound burst",
        (
            *_REBOUND_BURST_CELLS,
            Cell(
                (0, 0, 0, -20),
                10,
                leak=-1,
                leak_reversal=True,
                negative_threshold=15,
                negative_saturate=False,
                reset=-15,
                target_axon=3,
            ),
        ),
        _REBOUND_BURST_AXONS,
        _at(20),
        80,
        "one inhibitory input is followed by a burst",
        DERIVED,
    ),
    Behaviour(
        "threshold variability",
        (
            Cell(
                (8, -20),
                10,
                leak=-1,
                leak_reversal=True,
                negative_threshold=10,
                negative_saturate=False,
                reset=-5,
            ),
        ),
        (Axon(0, (0,)), Axon(1, (0,))),
        (*_at(20), *_at(60, axon=1), *_at(62), *_at(100)),
        140,
        "an input that is too weak alone gives a spike shortly after inhibition",
        DERIVED,
    ),
    Behaviour(
        "bistability",
        (Cell((1, -100), 12, leak=1, leak_reversal=True, reset=1),),
        (Axon(0, (0,)), Axon(1, (0,))),
        (*_at(20), *_at(140, axon=1)),
        180,
        "one input starts lasting tonic spikes, another ends them",
        DERIVED,
    ),
    Behaviour(
        "depolarising after-potential",
        (Cell((20, 15), 19, leak=-1, leak_reversal=True, reset=8),),
        (Axon(0, (0,)), Axon(1, (0,))),
        (*_at(20, axon=1), *_at(60), *_at(62, axon=1), *_at(110)),
        150,
        "after a spike the potential stays high for a while, and weak input suffices",
        DERIVED,
    ),
    Behaviour(
        "accommodation",
        (
            Cell((8, -26), 35, leak=-3, leak_reversal=True),
            Cell((4,), 22, leak=-1, leak_reversal=True, reset_mode=2, target_axon=1),
        ),
        (Axon(0, (0, 1)), Axon(1, (0,))),
        (*_ramp(10, (8, 8, 7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2), 30), *_ramp(210, (8, 5, 2), 30)),
        280,
        "an input that grows fast gives a spike, one that grows slowly gives none",
        SEARCHED,
    ),
    Behaviour(
        "inhibition-induced spiking",
        (
            Cell(
                (0, -2),
                9,
                leak=-1,
                leak_reversal=True,
                negative_threshold=15,
                negative_saturate=False,
                reset=-12,
            ),
        ),
        (Axon(1, (0,)),),
        _every(1, 20, 120),
        160,
        "a steady inhibitory input gives tonic spikes while it lasts",
        DERIVED,
    ),
    Behaviour(
        "inhibition-induced bursting",
        (
            *_REBOUND_BURST_CELLS,
            Cell(
                (0, 0, 0, -2),
                9,
                leak=-1,
                leak_reversal=True,
                negative_threshold=50,
                negative_saturate=False,
                reset=-12,
                target_axon=3,
            ),
        ),
        _REBOUND_BURST_AXONS,
        _every(1, 20, 240),
        290,
        "a steady inhibitory input gives bursts while it lasts",
        DERIVED,
    ),
)

BEHAVIOURS: Final = {behaviour.name: behaviour for behaviour in _ALL}
