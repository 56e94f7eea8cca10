"""Which neurons share a core: a greedy search under the limits of a core.

The neurons of a population stay in order and are cut into slices. A slice fits a core if its
neurons, with the copies that they need, and the axons that it listens to are no more than 256
each, and if the axons can be given four types such that every neuron has one weight per type.
A bundle is all the lines that come from one population with one delay; they share a type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.sparse import csc_array

from swta.truenorth.network import Network
from swta.truenorth.neuron import N_AXON_TYPES, N_AXONS, N_NEURONS
from swta.validation import ParameterError


class Bundle(NamedTuple):
    """Lines that can share one axon each: same source, delay and group."""

    pre: str
    delay: int
    group: str
    layer: int  # 0, or the place among projections that are otherwise alike


class Slice(NamedTuple):
    """Neurons ``start`` to ``stop`` - 1 of a population."""

    population: str
    start: int
    stop: int


class Splitter(NamedTuple):
    """One axon and ``k`` neurons that pass the spikes of one neuron on."""

    population: str
    neuron: int
    k: int


@dataclass
class CoreFill:
    """What stands on one core so far."""

    slices: list[Slice] = field(default_factory=list)
    splitters: list[Splitter] = field(default_factory=list)
    lines: dict[Bundle, np.ndarray] = field(default_factory=dict)  # (n_pre,) bool: has an axon
    weights: dict[Bundle, dict[str, int]] = field(default_factory=dict)  # on each population
    reserved: int = 0  # neurons, with copies

    @property
    def n_axons(self) -> int:
        """Axons in use."""
        return sum(int(mask.sum()) for mask in self.lines.values()) + len(self.splitters)


class Packing:
    """The search for one network.

    Args:
        network: what to place.
        max_cores: cores that may be used.
        split: populations whose neurons use splitters where they have several targets; the others
            are copied.

    Raises:
        ParameterError: a limit is exceeded; the message names it and the populations.
    """

    def __init__(self, network: Network, *, max_cores: int, split: frozenset[str]) -> None:
        self.network = network
        self.split = split
        self.max_cores = max_cores
        self.sizes = network.sizes
        self.incoming = _bundles(network)
        self.cores: list[CoreFill] = []
        self.fan_out = {p.name: np.ones(p.n, dtype=np.int64) for p in network.populations}
        self._search()
        self._place_splitters()

    def _search(self) -> None:
        """Pack with the copies known to be needed, count targets, and repeat until they agree."""
        reserved = {name: np.ones_like(k) for name, k in self.fan_out.items()}
        while True:
            self.cores = []
            for population in self.network.populations:
                self._place_population(population.name, reserved[population.name])
            self.fan_out = self._count_targets()
            short = [
                name
                for name, k in self.fan_out.items()
                if name not in self.split and (k > reserved[name]).any()
            ]
            if not short:
                return
            for name in short:
                reserved[name] = np.maximum(reserved[name], self.fan_out[name])

    def _place_population(self, name: str, reserved: np.ndarray) -> None:
        n, start = self.sizes[name], 0
        while start < n:
            if reserved[start] > N_NEURONS:
                raise ParameterError(
                    f"fan-out: neuron {start} of population {name!r} drives {reserved[start]} "
                    f"axons and needs as many copies; a core has {N_NEURONS} neurons. Spread its "
                    "targets over fewer cores, or give its projections delays of 2 or more, so "
                    "that splitters can serve it"
                )
            best, size = None, 0
            for core in self.cores:
                fits = self._largest(core, name, start, reserved)
                if fits > size:
                    best, size = core, fits
                if start + fits == n:
                    break
            if best is None or start + size < n:
                fresh = CoreFill()
                fits = self._largest(fresh, name, start, reserved)
                if fits > size:
                    self._open(fresh, name)
                    best, size = fresh, fits
            assert best is not None  # an empty core takes at least one neuron, see _bundles
            self._add(best, Slice(name, start, start + size), reserved)
            start += size

    def _open(self, core: CoreFill, name: str) -> None:
        if len(self.cores) == self.max_cores:
            raise ParameterError(
                f"cores: no core left for population {name!r}; the network needs more than "
                f"{self.max_cores}. Lower the number of neurons or raise max_cores"
            )
        self.cores.append(core)

    def _largest(self, core: CoreFill, name: str, start: int, reserved: np.ndarray) -> int:
        """Return how many neurons from ``start`` on fit the core."""
        room = N_NEURONS - core.reserved
        high = int(np.searchsorted(np.cumsum(reserved[start : start + room]), room, side="right"))
        low = 0
        if high and self._fits(core, Slice(name, start, start + high)):
            return high
        while high - low > 1:
            middle = (low + high) // 2
            if self._fits(core, Slice(name, start, start + middle)):
                low = middle
            else:
                high = middle
        return low

    def _fits(self, core: CoreFill, part: Slice) -> bool:
        lines, weights = self._with(core, part)
        n_axons = sum(int(mask.sum()) for mask in lines.values()) + len(core.splitters)
        return n_axons <= N_AXONS and assign_types(weights) is not None

    def _with(
        self, core: CoreFill, part: Slice
    ) -> tuple[dict[Bundle, np.ndarray], dict[Bundle, dict[str, int]]]:
        """Return the core's lines and weights as they would be with ``part``."""
        lines, weights = dict(core.lines), dict(core.weights)
        for bundle, (weight, matrix) in self.incoming[part.population].items():
            heard = matrix.indices[matrix.indptr[part.start] : matrix.indptr[part.stop]]
            if len(heard):
                mask = np.zeros(matrix.shape[0], dtype=bool)
                mask[heard] = True
                lines[bundle] = lines[bundle] | mask if bundle in lines else mask
                weights[bundle] = weights.get(bundle, {}) | {part.population: weight}
        return lines, weights

    def _add(self, core: CoreFill, part: Slice, reserved: np.ndarray) -> None:
        core.lines, core.weights = self._with(core, part)
        core.reserved += int(reserved[part.start : part.stop].sum())
        core.slices.append(part)

    def _count_targets(self) -> dict[str, np.ndarray]:
        """Return the number of axons that each neuron drives, (n,) per population."""
        counts = {p.name: np.zeros(p.n, dtype=np.int64) for p in self.network.populations}
        for core in self.cores:
            for bundle, mask in core.lines.items():
                if bundle.pre in counts:
                    counts[bundle.pre] += mask
        return counts

    def _place_splitters(self) -> None:
        for name in (p.name for p in self.network.populations if p.name in self.split):
            for neuron in np.flatnonzero(self.fan_out[name] > 1):
                k = int(self.fan_out[name][neuron])
                if k > N_NEURONS:
                    raise ParameterError(
                        f"fan-out: neuron {neuron} of population {name!r} drives {k} axons; a "
                        f"splitter reaches {N_NEURONS}. Spread its targets over fewer cores"
                    )
                for core in reversed(self.cores):
                    if core.reserved + k <= N_NEURONS and core.n_axons < N_AXONS:
                        break
                else:
                    core = CoreFill()
                    self._open(core, name)
                core.splitters.append(Splitter(name, int(neuron), k))
                core.reserved += k


def assign_types(weights: Mapping[Bundle, Mapping[str, int]]) -> dict[Bundle, int] | None:
    """Return an axon type 0..3 for each bundle, or None where four types are not enough.

    Bundles may share a type if they have the same weight on every population that both reach.
    The search is exhaustive.
    """
    different = {tuple(sorted(table.items())) for table in weights.values()}
    order = sorted(different, key=lambda table: (-len(table), table))
    tables: list[dict[str, int]] = [{} for _ in range(N_AXON_TYPES)]
    chosen: dict[tuple[tuple[str, int], ...], int] = {}

    def extend(position: int) -> bool:
        if position == len(order):
            return True
        signature = order[position]
        tried_empty = False
        for axon_type in range(N_AXON_TYPES):
            before = tables[axon_type]
            if not before:
                if tried_empty:
                    continue  # empty types are alike
                tried_empty = True
            if any(before.get(name, weight) != weight for name, weight in signature):
                continue
            tables[axon_type] = before | dict(signature)
            chosen[signature] = axon_type
            if extend(position + 1):
                return True
            tables[axon_type] = before
        return False

    if not extend(0):
        return None
    return {bundle: chosen[tuple(sorted(table.items()))] for bundle, table in weights.items()}


def _bundles(network: Network) -> dict[str, dict[Bundle, tuple[int, csc_array]]]:
    """Return weight and connections of every bundle into each population, limits checked."""
    incoming: dict[str, dict[Bundle, tuple[int, csc_array]]] = {
        p.name: {} for p in network.populations
    }
    for projection, matrix in zip(network.projections, network.matrices(), strict=True):
        table, layer = incoming[projection.post], 0
        alike = projection.pre, projection.delay, projection.axon_group
        while (bundle := Bundle(*alike, layer)) in table:
            layer += 1
        table[bundle] = projection.weight, matrix
    for name, table in incoming.items():
        sources = ", ".join(repr(pre) for pre in sorted({bundle.pre for bundle in table}))
        weights = sorted({weight for weight, _ in table.values()})
        if len(weights) > N_AXON_TYPES:
            raise ParameterError(
                f"weights: population {name!r} has {len(weights)} different ones, {weights}, from "
                f"{sources}; a neuron holds {N_AXON_TYPES}. Make some of them equal"
            )
        fan_in = np.zeros(network.sizes[name], dtype=np.int64)
        for _, matrix in table.values():
            fan_in += np.diff(matrix.indptr)
        if fan_in.max() > N_AXONS:
            neuron = int(np.argmax(fan_in))
            raise ParameterError(
                f"fan-in: neuron {neuron} of population {name!r} listens to {fan_in[neuron]} lines "
                f"from {sources}; a core has {N_AXONS} axons. Connect it to fewer, by blocks"
            )
    return incoming
