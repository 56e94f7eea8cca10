"""A network of populations as one writes it down, before it is put on cores.

A spike of neuron i in tick t reaches every neuron that a projection connects it to in tick
t + delay and adds the projection's weight there. Nothing merges and nothing is lost: every
connection counts. ``swta.truenorth.placement`` finds cores on which the chip does exactly this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csc_array

from swta.truenorth.neuron import (
    MAX_CORES,
    MAX_DELAY,
    MAX_POTENTIAL,
    MAX_THRESHOLD,
    MAX_WEIGHT,
    MIN_POTENTIAL,
    N_AXONS,
    N_NEURONS,
    NORMAL_RESET,
    check_array,
)
from swta.validation import ParameterError, check_integer

MAX_NEURONS: Final = MAX_CORES * N_NEURONS

_RANGES: Final = {
    "threshold": (np.int32, 0, MAX_THRESHOLD),
    "negative_threshold": (np.int32, 0, MAX_THRESHOLD),
    "reset": (np.int32, -MAX_POTENTIAL, MAX_POTENTIAL),
    "reset_mode": (np.uint8, 0, 2),
    "leak": (np.int16, -MAX_WEIGHT, MAX_WEIGHT),
    "leak_reversal": (np.bool_, 0, 1),
    "negative_saturate": (np.bool_, 0, 1),
    "potential": (np.int32, MIN_POTENTIAL, MAX_POTENTIAL),
}


@dataclass(frozen=True, eq=False)
class Population:
    """Neurons of one kind; each parameter is one number for all or an array of n.

    The modes are the deterministic ones: a copy of a neuron on another place of the chip draws
    other random numbers, so copies of a stochastic neuron would not fire together.

    Raises:
        ParameterError: a value out of range; the message names the population.
    """

    name: str
    n: int  # neurons
    threshold: ArrayLike = 1  # alpha
    negative_threshold: ArrayLike = 0  # beta
    reset: ArrayLike = 0  # R
    reset_mode: ArrayLike = NORMAL_RESET  # gamma: 0 to R, 1 subtract the threshold, 2 no reset
    leak: ArrayLike = 0  # lambda
    leak_reversal: ArrayLike = False  # epsilon
    negative_saturate: ArrayLike = False  # kappa
    potential: ArrayLike = 0  # V before the first tick

    def __post_init__(self) -> None:
        _check_name("population", self.name)
        check_integer(f"population {self.name!r}: n", self.n, low=1, high=MAX_NEURONS)
        for name, (dtype, low, high) in _RANGES.items():
            try:
                value = check_array(name, getattr(self, name), (self.n,), dtype, low, high)
            except ParameterError as error:
                raise ParameterError(f"population {self.name!r}, {error}") from None
            object.__setattr__(self, name, value)

    def parameters(self) -> dict[str, np.ndarray]:
        """Return every neuron parameter, each (n,)."""
        return {name: np.asarray(getattr(self, name)) for name in _RANGES}


@dataclass(frozen=True)
class Source:
    """External input: ``n`` lines that carry given spikes."""

    name: str
    n: int  # lines

    def __post_init__(self) -> None:
        _check_name("source", self.name)
        check_integer(f"source {self.name!r}: n", self.n, low=1, high=MAX_NEURONS)


@dataclass(frozen=True, eq=False)
class Projection:
    """Connections of one weight and delay from a population or source to a population.

    Without ``connections``, both sides are cut into ``blocks`` equal runs of neurons, and run k
    of the first is connected all to all with run k of the second: one block connects everything,
    as many blocks as neurons connect one to one.

    Raises:
        ParameterError: a value out of range; the message names the projection.
    """

    pre: str  # name of a population or source
    post: str  # name of a population
    weight: int  # -255..255, not 0
    delay: int = 1  # ticks, 1..15; 0..15 from a source
    blocks: int = 1
    connections: ArrayLike | None = None  # (n_pre, n_post) bool, in place of blocks
    axon_group: str = ""  # projections with the same pre and delay share axons within a group

    def __post_init__(self) -> None:
        name = self.label
        check_integer(f"{name}: weight", self.weight, low=-MAX_WEIGHT, high=MAX_WEIGHT)
        if self.weight == 0:
            raise ParameterError(f"{name}: weight = 0 connects nothing; leave the projection out")
        check_integer(
            f"{name}: delay",
            self.delay,
            low=0,
            high=MAX_DELAY,
            hint="Longer delays need a relay population",
        )
        check_integer(f"{name}: blocks", self.blocks, low=1)
        if self.connections is not None and self.blocks != 1:
            raise ParameterError(f"{name}: give blocks or connections, not both")

    @property
    def label(self) -> str:
        """Name for messages."""
        return f"projection {self.pre!r} -> {self.post!r}"

    def matrix(self, n_pre: int, n_post: int) -> csc_array:
        """Return who is connected to whom, (n_pre, n_post) bool, sparse by columns.

        Raises:
            ParameterError: the sizes are no multiples of ``blocks``, a neuron would hear more
                lines than a core has axons, or ``connections`` has another shape.
        """
        if self.connections is not None:
            try:
                dense = check_array(
                    "connections", self.connections, (n_pre, n_post), np.bool_, 0, 1
                )
            except ParameterError as error:
                raise ParameterError(f"{self.label}: {error}") from None
            return csc_array(dense)
        if n_pre % self.blocks or n_post % self.blocks:
            raise ParameterError(
                f"{self.label}: blocks = {self.blocks} must divide {n_pre} and {n_post} neurons"
            )
        heard = n_pre // self.blocks
        if heard > N_AXONS:
            raise ParameterError(
                f"fan-in: {self.label} connects {heard} lines to each neuron; a core has {N_AXONS} "
                "axons. Connect it to fewer, by blocks"
            )
        first = np.arange(self.blocks).repeat(n_post // self.blocks) * heard
        lines = (first[:, None] + np.arange(heard)).ravel()
        start = heard * np.arange(n_post + 1)
        return csc_array((np.ones(len(lines), dtype=bool), lines, start), shape=(n_pre, n_post))


@dataclass(frozen=True, eq=False)
class Network:
    """Populations, the projections between them, and the sources of external spikes.

    Raises:
        ParameterError: two parts of one name, a projection from or to a name that is not there,
            or a delay of 0 from a population.
    """

    populations: Sequence[Population]
    projections: Sequence[Projection]
    sources: Sequence[Source] = field(default=())

    def __post_init__(self) -> None:
        check_integer("number of populations", len(self.populations), low=1)
        names = [p.name for p in self.populations] + [source.name for source in self.sources]
        for name in names:
            if names.count(name) > 1:
                raise ParameterError(f"name {name!r} is used twice; give every part its own")
        own = {population.name for population in self.populations}
        for projection in self.projections:
            for side, allowed in (("pre", set(names)), ("post", own)):
                value = getattr(projection, side)
                if value not in allowed:
                    raise ParameterError(
                        f"{projection.label}: {side} = {value!r} is unknown; allowed: "
                        f"{', '.join(sorted(allowed))}"
                    )
            if projection.delay == 0 and projection.pre in own:
                raise ParameterError(
                    f"{projection.label}: delay = 0; allowed: 1 … {MAX_DELAY} from a population"
                )

    @property
    def sizes(self) -> dict[str, int]:
        """Number of neurons or lines of each part."""
        sizes = {population.name: population.n for population in self.populations}
        return sizes | {source.name: source.n for source in self.sources}

    def matrices(self) -> list[csc_array]:
        """Return the connections of each projection, (n_pre, n_post) bool, sparse by columns."""
        sizes = self.sizes
        return [p.matrix(sizes[p.pre], sizes[p.post]) for p in self.projections]


def _check_name(kind: str, name: str) -> None:
    if not isinstance(name, str) or not name:
        raise ParameterError(f"{kind} name = {name!r}; allowed: any text that is not empty")
