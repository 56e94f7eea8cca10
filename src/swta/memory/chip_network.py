r"""Coupled motifs and state machines in whole numbers, on the cores of a TrueNorth chip.

The motifs X and Y are those that `swta.truenorth.map_motif` maps, and a state machine is the same
`StateMachine` that runs on rates. One input unit is ``rate_scale`` spikes per tick. A coupling of K
connections of weight s per neuron makes γ = K s / α_th; a transition cell is a group of neurons
with

.. math:: \phi_{in} = \frac{N s_{in}}{\alpha_z},\quad \phi_{out} = \frac{N_z s_{out}}{\alpha_{th}},
    \quad T_z = -\frac{\lambda_z}{\alpha_z}.

All neurons of a unit hear the same, so equal ones would fire in step and the unit's rate would be
all or nothing. Their negative thresholds are therefore staggered over one threshold: neurons that
have been silent start again one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from swta.memory.coupling import CoupledPair
from swta.memory.machine import StateMachine
from swta.truenorth import (
    MappedMotif,
    MotifRequest,
    Network,
    Placement,
    Population,
    Projection,
    Source,
    map_motif,
    place,
)
from swta.truenorth.neuron import LINEAR_RESET, MAX_CORES, MAX_DELAY, MAX_WEIGHT, N_NEURONS
from swta.validation import ParameterError, check_integer, check_real, check_tuple


@dataclass(frozen=True)
class ChipDesign:
    """How rates become spikes of neurons.

    Raises:
        ParameterError: a value outside its range.
    """

    rate_scale: float = 1 / 16  # spikes per tick for one input unit; the up-state is at 0.3
    neurons_per_unit: int = 16  # N, also of the pools; our choice
    threshold: int = 160  # α_th of the units; the worked example's weights are whole numbers
    pool_threshold: int = 64  # α'_th of the inhibitory neurons
    floor: int = 0  # β of the units, before the stagger; deep ones would take too long to wake
    pool_floor: int = 64  # β of the pools, one threshold; small, so that inhibition comes soon
    delays: tuple[int, ...] = (1, 4, 7, 10)  # ticks, axonal delays of a unit's neurons, in turn; a
    # spread of delays is the only time constant that a unit without a leak has
    cue_weight: int = 160  # of a cue's spikes; in a machine the transition cells' weight
    background: float = 0.0  # spikes per tick and neuron of the units, with the weight of a cue;
    # the leak takes their mean away, so that they are noise
    neurons_per_cell: int = 4  # N_z, neurons of one transition cell
    cell_threshold: int = 160  # α_z
    symbol_lines: int = 8  # axons that carry a symbol
    symbol_rate: float = 1.0  # spikes per tick and line while the symbol is on; below 1, random
    # spikes of a symbol alone can fire a transition cell now and then
    max_error: float = 0.02  # largest error of rounding to whole numbers, relative

    def __post_init__(self) -> None:
        check_real("rate_scale", self.rate_scale, low=0, high=1, open_low=True)
        for name in ("neurons_per_unit", "neurons_per_cell", "symbol_lines"):
            check_integer(name, getattr(self, name), low=1, high=N_NEURONS)
        for name in ("threshold", "pool_threshold", "cell_threshold", "cue_weight"):
            check_integer(name, getattr(self, name), low=1, high=MAX_WEIGHT)
        for name in ("floor", "pool_floor"):
            check_integer(name, getattr(self, name), low=0, high=2**15)
        for delay in check_tuple("delays", self.delays):
            check_integer("delays", delay, low=1, high=MAX_DELAY)
        check_real("background", self.background, low=0, high=1, unit="spikes per tick")
        mean = self.background * self.cue_weight
        if not float(mean).is_integer():
            raise ParameterError(
                f"background = {self.background:g} with cue_weight = {self.cue_weight} adds "
                f"{mean:g} per tick; allowed: whole numbers, which the leak can take away"
            )
        check_real("symbol_rate", self.symbol_rate, low=0, high=1, open_low=True)
        check_real("max_error", self.max_error, low=0)

    def map_motif(self, pair: CoupledPair) -> MappedMotif:
        """One of the two motifs in whole numbers.

        Raises:
            ParameterError: rounding changes a number of the motif by more than ``max_error``.
        """
        scaled = replace(
            pair.motif, T_E=pair.motif.T_E * self.rate_scale, T_N=pair.motif.T_N * self.rate_scale
        )
        request = MotifRequest(
            motif=scaled,
            neurons_per_unit=self.neurons_per_unit,
            inhibitory_neurons=self.neurons_per_unit,
            threshold=self.threshold,
            inhibitory_threshold=self.pool_threshold,
            negative_threshold=self.floor,
            max_error=self.max_error,
        )
        return map_motif(request)


@dataclass(frozen=True)
class SparseCoupling:
    """K connections of weight s from the partner unit onto each neuron.

    Raises:
        ParameterError: a weight outside the nine bits of the chip.
    """

    connections: int  # K, at most the neurons of a unit
    weight: int  # s

    def __post_init__(self) -> None:
        check_integer("connections", self.connections, low=0, high=N_NEURONS)
        check_integer("weight of the coupling", self.weight, low=1, high=MAX_WEIGHT)

    def gamma(self, design: ChipDesign) -> float:
        """γ = K s / α_th, dimensionless."""
        return self.connections * self.weight / design.threshold

    def matrix(self, n: int) -> NDArray[np.bool_]:
        """Who hears whom, (n, n): every neuron hears and is heard by K, evenly spread."""
        check_integer("connections", self.connections, low=0, high=n)
        steps = (np.arange(n)[None, :] - np.arange(n)[:, None]) % n
        chosen = np.floor(np.arange(self.connections) * n / max(self.connections, 1)).astype(int)
        return np.isin(steps, chosen)


def full_coupling(pair: CoupledPair, design: ChipDesign) -> SparseCoupling:
    """All neurons of like units coupled, with the weight that makes the pair's γ.

    Raises:
        ParameterError: γ is no whole weight within the design's ``max_error``.
    """
    weight = pair.gamma * design.threshold / design.neurons_per_unit
    return SparseCoupling(design.neurons_per_unit, _whole("gamma", weight, design))


def couplings_near(
    gammas: Sequence[float], design: ChipDesign, *, largest_weight: int = 8
) -> list[SparseCoupling]:
    """For each γ the K and s with the nearest product; among equals the most connections."""
    choices = [
        SparseCoupling(k, s)
        for s in range(1, largest_weight + 1)
        for k in range(design.neurons_per_unit + 1)
    ]
    return [
        min(choices, key=lambda c: (round(abs(c.gamma(design) - g), 9), -c.connections))
        for g in gammas
    ]


def pair_chip_network(
    pair: CoupledPair, design: ChipDesign = ChipDesign(), coupling: SparseCoupling | None = None
) -> Network:
    """Populations ``X unit_0`` … ``X pool``, ``Y unit_0`` …, with a source ``X input_0`` … each.

    Args:
        coupling: connections between like units; by default all of them.

    Raises:
        ParameterError: a number of the pair does not become a whole one.
    """
    populations, projections, sources = _pair_parts(pair, design, coupling)
    return Network(populations, projections, sources)


def machine_chip_network(machine: StateMachine, design: ChipDesign = ChipDesign()) -> Network:
    """The pair of a machine, its transition cells ``cell_0`` …, and a source per symbol.

    Raises:
        ParameterError: a number of the machine does not become a whole one, or a symbol is too
            weak or too strong for its lines.
    """
    table, cells, scale = machine.table, machine.cells, design.rate_scale
    n, per_cell = design.neurons_per_unit, design.neurons_per_cell
    into = _whole("phi_in", cells.phi_in * design.cell_threshold / n, design)
    out = output_weight(machine, design)
    leak = _whole("T_z", cells.T_z * scale * design.cell_threshold, design)
    drive = cells.strength * scale * design.cell_threshold
    symbol = _whole("strength", drive / design.symbol_rate / design.symbol_lines, design)
    populations, projections, sources = _pair_parts(
        machine.pair, replace(design, cue_weight=out, background=0.0), None
    )
    for k, (state, letter, following) in enumerate(table.moves()):
        name = f"cell_{k}"
        floors = _staggered(0, design.cell_threshold, per_cell)
        populations.append(
            Population(
                name,
                per_cell,
                threshold=design.cell_threshold,
                negative_threshold=floors,
                potential=-floors,
                leak=-leak,
                reset_mode=LINEAR_RESET,
                negative_saturate=True,
            )
        )
        pointer, target = table.states.index(state), table.states.index(following)
        projections += [
            Projection(f"Y unit_{pointer}", name, into),
            Projection(f"symbol_{table.symbols.index(letter)}", name, symbol, delay=0),
            Projection(name, f"X unit_{target}", out),
        ]
    sources += [Source(f"symbol_{k}", design.symbol_lines) for k in range(len(table.symbols))]
    return Network(populations, projections, sources)


def output_weight(machine: StateMachine, design: ChipDesign) -> int:
    """Weight of a transition cell's spikes, which the cues of a machine share.

    Raises:
        ParameterError: it is no whole number within the design's ``max_error``.
    """
    exact = machine.cells.phi_out * design.threshold / design.neurons_per_cell
    return _whole("phi_out", exact, design)


def place_machine(
    machine: StateMachine, design: ChipDesign = ChipDesign(), *, max_cores: int = MAX_CORES
) -> Placement:
    """A machine on cores.

    Raises:
        ParameterError: it needs more cores than ``max_cores`` (at most the 4,096 of a chip); the
            message says how many. All errors of `machine_chip_network` and `swta.truenorth.place`.
    """
    check_integer("max_cores", max_cores, low=1, high=MAX_CORES)
    least = least_cores(machine, design)
    hint = "Take fewer states or symbols, or fewer neurons per unit and cell"
    if least > max_cores:
        raise ParameterError(
            f"a machine of {len(machine.table.states)} states and {len(machine.table.moves())} "
            f"moves needs at least {least} cores; allowed: {max_cores}. {hint}"
        )
    placement = place(machine_chip_network(machine, design))
    if placement.n_cores > max_cores:
        raise ParameterError(
            f"a machine of {len(machine.table.states)} states needs {placement.n_cores} cores; "
            f"allowed: {max_cores}. {hint}"
        )
    return placement


def least_cores(machine: StateMachine, design: ChipDesign = ChipDesign()) -> int:
    """Cores that the neurons of a machine fill, without the copies that a placement adds."""
    n, states = design.neurons_per_unit, len(machine.table.states)
    neurons = 2 * n * (states + 1) + design.neurons_per_cell * len(machine.table.moves())
    return -(-neurons // N_NEURONS)


def _pair_parts(
    pair: CoupledPair, design: ChipDesign, coupling: SparseCoupling | None
) -> tuple[list[Population], list[Projection], list[Source]]:
    mapped, n = design.map_motif(pair).network, design.neurons_per_unit
    joined = full_coupling(pair, design) if coupling is None else coupling
    units = [p.name for p in mapped.populations if p.name != "pool"]
    populations, projections, sources = [], [], []
    for letter in "XY":
        for population in mapped.populations:
            floor, threshold = design.floor, design.threshold
            if population.name == "pool":
                floor, threshold = design.pool_floor, design.pool_threshold
            floors = _staggered(floor, threshold, population.n)
            noise = 0 if population.name == "pool" else design.background * design.cue_weight
            populations.append(
                replace(
                    population,
                    leak=np.asarray(population.leak) - round(noise),
                    name=f"{letter} {population.name}",
                    negative_threshold=floors,
                    potential=-floors,
                )
            )
        for one in mapped.projections:
            if not one.pre.startswith("input"):
                renamed = replace(one, pre=f"{letter} {one.pre}", post=f"{letter} {one.post}")
                projections += [renamed] if one.pre == "pool" else _spread(renamed, n, design)
    for k, unit in enumerate(units):
        for letter in "XY":
            name = f"{letter} input_{k}"
            sources.append(Source(name, n))
            projections.append(
                Projection(name, f"{letter} {unit}", design.cue_weight, delay=0, blocks=n)
            )
        if joined.connections:
            matrix = joined.matrix(n)
            for pre, post in (("X", "Y"), ("Y", "X")):
                one = Projection(
                    f"{pre} {unit}", f"{post} {unit}", joined.weight, connections=matrix
                )
                projections += _spread(one, n, design)
    return populations, projections, sources


def _spread(projection: Projection, n_post: int, design: ChipDesign) -> list[Projection]:
    """A projection from a unit, cut by the axonal delays of its neurons."""
    n = design.neurons_per_unit
    full = projection.matrix(n, n_post).toarray()
    turn = np.arange(n) % len(design.delays)
    return [
        replace(projection, delay=delay, blocks=1, connections=full & (turn == k)[:, None])
        for k, delay in enumerate(design.delays)
        if (full & (turn == k)[:, None]).any()
    ]


def _staggered(floor: int, threshold: int, n: int) -> NDArray[np.int64]:
    """Negative thresholds that spread the phases of n silent neurons over one threshold."""
    return floor + (np.arange(n) * threshold) // n


def _whole(name: str, value: float, design: ChipDesign) -> int:
    rounded = max(round(value), 1)
    if abs(rounded - value) > design.max_error * value or rounded > MAX_WEIGHT:
        raise ParameterError(
            f"{name} would be a weight of {value:.4g}; allowed: whole numbers up to {MAX_WEIGHT}, "
            f"with an error of at most {design.max_error:.1%}. Change it, or the neurons, the "
            "thresholds or rate_scale of the design"
        )
    return rounded
