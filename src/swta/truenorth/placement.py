"""From a network to cores: axons, axon types, crossbars, copies, splitters and delays.

A neuron of the chip drives one axon. One that has to reach several cores, or several axons because
of its delays, gets copies with the same inputs and the same start, which fire together; or, where
all its delays are 2 ticks or more, one axon of a splitter, whose neurons pass the spike on one
tick later with delays shorter by one. Either way the placed network fires exactly as the network
was written down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from swta.truenorth.chip import Chip, Core
from swta.truenorth.network import Network
from swta.truenorth.neuron import MAX_CORES, N_AXON_TYPES, N_AXONS, N_NEURONS, Neurons
from swta.truenorth.packing import Bundle, Packing, assign_types
from swta.truenorth.raster import Raster
from swta.validation import ParameterError, check_choice, check_integer

FANOUTS: Final = ("auto", "copies", "splitters")


@dataclass(frozen=True, eq=False)
class Placement:
    """A network on cores; ``place`` makes it."""

    network: Network
    axon_type: np.ndarray  # (n_cores, 256) uint8
    crossbar: np.ndarray  # (n_cores, 256 axons, 256 neurons) bool
    neurons: dict[str, np.ndarray]  # fields of Neurons, (n_cores, 256, ...); target_core from 0
    places: dict[str, np.ndarray]  # core and neuron of each population's neurons, (n, 2)
    copies: dict[str, np.ndarray]  # neurons that stand for each neuron, (n,)
    lines: dict[str, np.ndarray]  # of each source, rows (line, core, axon, delay)
    axons_used: np.ndarray  # (n_cores,)
    neurons_used: np.ndarray  # (n_cores,), copies and splitters included
    splitters: np.ndarray  # (n_cores,), neurons of splitters

    @property
    def n_cores(self) -> int:
        """Number of cores."""
        return len(self.axon_type)

    def cores(self, first_core: int = 0) -> list[Core]:
        """Return the cores for the places ``first_core``, ``first_core`` + 1, ... of a chip."""
        target = self.neurons["target_core"]
        fields = self.neurons | {"target_core": np.where(target < 0, -1, target + first_core)}
        return [
            Core(
                self.axon_type[k],
                self.crossbar[k],
                Neurons(core=first_core + k, **{name: a[k] for name, a in fields.items()}),
            )
            for k in range(self.n_cores)
        ]

    def inputs(self, spikes: Mapping[str, ArrayLike], *, first_core: int = 0) -> np.ndarray:
        """Return input rows (tick, core, axon) for ``Chip.run``.

        Args:
            spikes: for each source, rows (tick, line).
            first_core: place of the network's first core on the chip.

        Raises:
            ParameterError: an unknown source, or a line that it does not have.
        """
        parts = [np.empty((0, 3), dtype=np.int64)]
        for name, given in spikes.items():
            check_choice("source", name, self.lines)
            rows = np.asarray(given, dtype=np.int64).reshape(-1, 2)
            n = self.network.sizes[name]
            if rows.size and not (rows[:, 1].min() >= 0 and rows[:, 1].max() < n):
                wrong = rows[(rows[:, 1] < 0) | (rows[:, 1] >= n)][0, 1]
                raise ParameterError(
                    f"source {name!r}: line = {wrong} is out of range; allowed: 0 … {n - 1}"
                )
            places = self.lines[name]
            start = np.searchsorted(places[:, 0], np.arange(n + 1))
            times = start[rows[:, 1] + 1] - start[rows[:, 1]]
            which = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
            hit = places[np.repeat(start[rows[:, 1]], times) + which]
            ticks = np.repeat(rows[:, 0], times) + hit[:, 3]
            parts.append(np.column_stack([ticks, hit[:, 1] + first_core, hit[:, 2]]))
        return np.concatenate(parts)

    def spikes(self, raster: Raster, population: str, *, first_core: int = 0) -> np.ndarray:
        """Return the spikes of a population, rows (tick, neuron), sorted."""
        check_choice("population", population, self.places)
        places = self.places[population]
        index = np.full((raster.n_cores, N_NEURONS), -1)
        index[places[:, 0] + first_core, places[:, 1]] = np.arange(len(places))
        neuron = index[raster.events[:, 1], raster.events[:, 2]]
        rows = np.column_stack([raster.events[:, 0], neuron])[neuron >= 0]
        return rows[np.lexsort(rows.T[::-1])]

    def read(self, values: np.ndarray, *, first_core: int = 0) -> dict[str, np.ndarray]:
        """Return each population's part, (n,), of an array (n_cores of the chip, 256).

        Such arrays are ``raster.counts()``, ``raster.rates()`` and ``chip.potentials``.
        """
        return {
            name: values[places[:, 0] + first_core, places[:, 1]]
            for name, places in self.places.items()
        }


def place(network: Network, *, max_cores: int = MAX_CORES, fanout: str = "auto") -> Placement:
    """Put a network on as few cores as the greedy search finds.

    Args:
        network: populations and projections.
        max_cores: cores that may be used, at most 4096.
        fanout: how a neuron reaches several axons: by ``copies``, by ``splitters`` (which need
            delays of 2 or more), or ``auto``, whichever takes fewer cores.

    Raises:
        ParameterError: more than four weights, fan-in or fan-out over 256, no core left, or a
            delay too short for a splitter; the message names the limit and the populations.
    """
    check_integer("max_cores", max_cores, low=1, high=MAX_CORES)
    check_choice("fanout", fanout, FANOUTS)
    short: dict[str, str] = {}
    for projection in network.projections:
        if projection.delay < 2:
            short.setdefault(projection.pre, projection.label)
    patient = frozenset(p.name for p in network.populations if p.name not in short)
    choices: list[frozenset[str]] = []
    if fanout != "splitters":
        choices.append(frozenset())
    if fanout == "splitters" or (fanout == "auto" and patient):
        choices.append(patient)
    found: list[Packing] = []
    refused: list[ParameterError] = []
    for split in choices:
        try:
            found.append(Packing(network, max_cores=max_cores, split=split))
        except ParameterError as error:
            refused.append(error)
    if not found:
        raise refused[0]
    packing = min(found, key=lambda choice: len(choice.cores))
    if fanout == "splitters":
        for name, fan_out in packing.fan_out.items():
            if name in short and fan_out.max() > 1:
                raise ParameterError(
                    f"splitters: {short[name]} has a delay of 1 and population {name!r} drives "
                    f"{fan_out.max()} axons; a splitter takes 2 ticks. Lengthen the delay or allow "
                    "copies"
                )
    return _build(packing)


def build_chip(placements: Sequence[Placement], *, seed: int = 0) -> tuple[Chip, np.ndarray]:
    """Return a chip with several placed networks side by side, and the first core of each.

    Raises:
        ParameterError: more cores than a chip has.
    """
    sizes = [placement.n_cores for placement in placements]
    check_integer("cores of all networks", sum(sizes), low=1, high=MAX_CORES)
    first = np.cumsum([0, *sizes[:-1]])
    cores = [core for p, start in zip(placements, first, strict=True) for core in p.cores(start)]
    return Chip(cores, seed=seed), first


def _build(packing: Packing) -> Placement:
    network, cores = packing.network, packing.cores
    shape = (len(cores), N_NEURONS)
    fields: dict[str, np.ndarray] = {
        "weights": np.zeros((*shape, N_AXON_TYPES), dtype=np.int16),
        "threshold": np.ones(shape, dtype=np.int32),
        "target_core": np.full(shape, -1, dtype=np.int32),
        "target_axon": np.zeros(shape, dtype=np.uint8),
        "delay": np.ones(shape, dtype=np.uint8),
    }
    for name in ("negative_threshold", "reset", "reset_mode", "leak", "potential"):
        fields[name] = np.zeros(shape, dtype=np.int32)
    for name in ("leak_reversal", "negative_saturate"):
        fields[name] = np.zeros(shape, dtype=bool)
    axon_type = np.zeros((len(cores), N_AXONS), dtype=np.uint8)
    crossbar = np.zeros((len(cores), N_AXONS, N_NEURONS), dtype=bool)
    parameters = {p.name: p.parameters() for p in network.populations}
    places = {p.name: np.zeros((p.n, 2), dtype=np.int64) for p in network.populations}
    copies = {
        name: np.ones_like(k) if name in packing.split else np.maximum(k, 1)
        for name, k in packing.fan_out.items()
    }
    ways: dict[str, list[np.ndarray]] = {name: [] for name in network.sizes}
    splitter_of: dict[str, dict[int, tuple[int, int, int]]] = {name: {} for name in places}
    used = np.zeros((3, len(cores)), dtype=np.int64)  # axons, neurons, of these in splitters

    for c, core in enumerate(cores):
        types = assign_types(core.weights)
        assert types is not None  # or the packing would have refused it
        axons: dict[Bundle, np.ndarray] = {}
        for bundle, mask in core.lines.items():
            (lines,) = np.nonzero(mask)
            axons[bundle] = used[0, c] + np.arange(len(lines))
            used[0, c] += len(lines)
            axon_type[c, axons[bundle]] = types[bundle]
            way = [lines, np.full_like(lines, c), axons[bundle], np.full_like(lines, bundle.delay)]
            ways[bundle.pre].append(np.column_stack(way))
        for name, start, stop in core.slices:
            members = np.repeat(np.arange(start, stop), copies[name][start:stop])
            slots = used[1, c] + np.arange(len(members))
            used[1, c] += len(members)
            leading = np.unique(members, return_index=True)[1]
            places[name][start:stop] = np.column_stack([np.full(stop - start, c), slots[leading]])
            for field, values in parameters[name].items():
                fields[field][c, slots] = values[members]
            for bundle, (weight, matrix) in packing.incoming[name].items():
                if bundle in axons and name in core.weights[bundle]:
                    fields["weights"][c, slots, types[bundle]] = weight
                    connected = matrix[:, members].tocsr()[np.flatnonzero(core.lines[bundle])]
                    crossbar[c][np.ix_(axons[bundle], slots)] = connected.toarray()
        for name, neuron, k in core.splitters:
            axon, slots = int(used[0, c]), used[1, c] + np.arange(k)
            used[:, c] += 1, k, k
            crossbar[c, axon, slots] = True
            fields["weights"][c, slots] = 1
            splitter_of[name][neuron] = c, axon, int(slots[0])

    lines_of = {}
    for name, parts in ways.items():
        rows = np.concatenate([np.empty((0, 4), dtype=np.int64), *parts])
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        if name in places:
            _route(fields, rows, places[name], splitter_of[name])
        else:
            lines_of[name] = rows
    return Placement(
        network=network,
        axon_type=axon_type,
        crossbar=crossbar,
        neurons=fields,
        places=places,
        copies=copies,
        lines=lines_of,
        axons_used=used[0],
        neurons_used=used[1],
        splitters=used[2],
    )


def _route(
    fields: dict[str, np.ndarray],
    rows: np.ndarray,
    places: np.ndarray,
    splitters: dict[int, tuple[int, int, int]],
) -> None:
    """Give each way (neuron, core, axon, delay), sorted by neuron, a neuron that takes it."""
    neuron, core, axon, delay = rows.T
    order = np.arange(len(rows)) - np.searchsorted(neuron, neuron)  # among the neuron's own ways
    from_core, from_slot = places[neuron].T.copy()
    for member, (where, entry, slot) in splitters.items():
        own = neuron == member
        from_core[own], from_slot[own] = where, slot
        delay = np.where(own, delay - 1, delay)
        home = tuple(places[member])
        fields["target_core"][home], fields["target_axon"][home] = where, entry
    fields["target_core"][from_core, from_slot + order] = core
    fields["target_axon"][from_core, from_slot + order] = axon
    fields["delay"][from_core, from_slot + order] = delay
