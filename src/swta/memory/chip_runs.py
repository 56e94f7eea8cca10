"""Up-states and state machines on the chip: all conditions side by side, as one run.

Cues and symbols are random spikes, independent from line to line and tick to tick. Results are
those of the rate substrate with ticks for τ, and rates in input units: spikes per tick and neuron
over the ``rate_scale`` of the design.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from swta.memory.automaton import RELEASE
from swta.memory.chip_network import (
    ChipDesign,
    SparseCoupling,
    full_coupling,
    output_weight,
    pair_chip_network,
    place_machine,
)
from swta.memory.coupling import CoupledPair, Cue, FloatArray, PairResult, up_rate
from swta.memory.machine import MachineResult, StateMachine, Timing, checked_sequences
from swta.truenorth import Placement, build_chip, place
from swta.truenorth.neuron import N_NEURONS
from swta.validation import ParameterError, check_integer, check_real

CHIP_TIMING = Timing(symbol=100.0, period=300.0, start_cue=4.0, start_duration=250.0)  # ticks
Lines = dict[str, FloatArray]  # by source: probability of a spike per line and tick, (n_ticks,)


def simulate_chip_cues(
    pairs: Sequence[CoupledPair],
    cues: Sequence[Cue],
    *,
    retention: int,
    fall: int = 0,
    couplings: Sequence[SparseCoupling] | None = None,
    design: ChipDesign = ChipDesign(),
    seed: int = 0,
    bin_ticks: int = 50,
) -> PairResult:
    """Rates of pairs on the chip after a cue to unit 0 of X; time in ticks.

    Args:
        pairs: one per condition, all of the same size.
        cues: one per condition, with durations in ticks; all of the same duration.
        retention: ticks after the cue.
        fall: ticks over which the cue falls evenly to nothing, at its end.
        couplings: connections of like units, one per condition; by default all, for the pair's γ.
        seed: of the spikes of cues and background.
        bin_ticks: width of the bins of the result.

    Raises:
        ParameterError: numbers that do not fit, or a cue that its lines cannot carry.
    """
    if not pairs or len(cues) != len(pairs) or len({c.duration for c in cues}) != 1:
        raise ParameterError(
            f"{len(cues)} cues for {len(pairs)} pairs; give one per pair, all equally long"
        )
    if couplings is None:
        couplings = [full_coupling(pair, design) for pair in pairs]
    on = round(cues[0].duration)
    check_integer("fall", fall, low=0, high=on)
    check_integer("retention", retention, low=bin_ticks)
    n_ticks = on + retention
    shape = np.clip((on - np.arange(n_ticks)) / max(fall, 1), 0.0, 1.0)
    placements = [
        place(pair_chip_network(pair, design, coupling))
        for pair, coupling in zip(pairs, couplings, strict=True)
    ]
    units = [f"{letter} unit_{k}" for letter in "XY" for k in range(pairs[0].motif.n_units)]
    driven: list[Lines] = []
    for cue in cues:
        chance = cue.amplitude * design.rate_scale * design.threshold / design.cue_weight
        high = f"amplitude = {cue.amplitude:g} needs more spikes than a line carries"
        if chance + design.background > 1:
            raise ParameterError(
                f"{high}; allowed: at most {cue.amplitude * (1 - design.background) / chance:.3g}"
            )
        lines = {
            name.replace("unit", "input"): np.full(n_ticks, design.background) for name in units
        }
        lines["X input_0"] = lines["X input_0"] + chance * shape
        driven.append(lines)
    counts = _run(placements, driven, [units] * len(pairs), n_ticks, seed, bin_ticks)
    rates = counts / (design.neurons_per_unit * bin_ticks * design.rate_scale)
    n = len(units) // 2
    time = (np.arange(len(rates)) + 0.5) * bin_ticks
    return PairResult(time, rates[..., :n], rates[..., n:], float(on))


def simulate_chip_machines(
    machines: Sequence[StateMachine],
    sequences: Sequence[ArrayLike],
    *,
    timing: Timing = CHIP_TIMING,
    design: ChipDesign = ChipDesign(),
    seed: int = 0,
    bin_ticks: int = 50,
    placements: Sequence[Placement] | None = None,
) -> list[MachineResult]:
    """Machines side by side on one chip, each with one sequence of symbols; time in ticks.

    Timing and decoding are those of `simulate_machine`.

    Args:
        machines: one per condition; they may differ.
        sequences: for each machine indices into its symbols, (n_symbols,), all equally long.
        timing: when symbols come, in whole ticks and multiples of ``bin_ticks``.
        seed: of the spikes of cues and symbols.
        placements: of the machines, where they are at hand.

    Raises:
        ParameterError: not one sequence per machine, unequal lengths, or times that are no bins.
    """
    if not machines or len({len(np.atleast_1d(s)) for s in sequences}) != 1:
        raise ParameterError(
            f"{len(sequences)} sequences for {len(machines)} machines; give one per machine, all "
            "equally long"
        )
    period = round(timing.period)
    if period % bin_ticks:
        raise ParameterError(
            f"bin_ticks = {bin_ticks} does not divide the period of {period} ticks; allowed: "
            "divisors"
        )
    rows = [
        checked_sequences(m.automaton, np.atleast_2d(s))[0]
        for m, s in zip(machines, sequences, strict=True)
    ]
    if placements is None:
        known: dict[int, Placement] = {}
        for machine in machines:
            if id(machine) not in known:
                known[id(machine)] = place_machine(machine, design)
        placements = [known[id(machine)] for machine in machines]
    names = [_machine_populations(machine) for machine in machines]
    n_ticks = period * (len(rows[0]) + 1)
    driven = [_machine_lines(m, row, timing, design) for m, row in zip(machines, rows, strict=True)]
    counts = _run(placements, driven, names, n_ticks, seed, bin_ticks)
    time = (np.arange(len(counts)) + 0.5) * bin_ticks
    return [
        _machine_result(machine, row, time, counts[:, k], timing, design, bin_ticks)
        for k, (machine, row) in enumerate(zip(machines, rows, strict=True))
    ]


def _machine_populations(machine: StateMachine) -> list[str]:
    n = len(machine.table.states)
    units = [f"{letter} unit_{k}" for letter in "XY" for k in range(n)]
    return units + [f"cell_{k}" for k in range(len(machine.table.moves()))]


def _machine_lines(
    machine: StateMachine, sequence: NDArray[np.int64], timing: Timing, design: ChipDesign
) -> Lines:
    """Spike probabilities of a machine's sources over the run."""
    table, automaton = machine.table, machine.automaton
    period, length = round(timing.period), round(timing.symbol)
    n_ticks = period * (len(sequence) + 1)
    cue = timing.start_cue * design.rate_scale * design.threshold / output_weight(machine, design)
    start = check_real(
        "start_cue", cue, low=0, high=1, unit="spikes per tick", hint="Lower start_cue"
    )
    first = np.where(np.arange(n_ticks) < timing.start_duration, start, 0.0)
    lines = {f"X input_{table.states.index(automaton.start)}": first}
    courses = np.zeros((len(table.symbols), n_ticks))
    busy = np.arange(n_ticks) < timing.start_duration
    for k, symbol in enumerate(sequence):
        onset = (k + 1) * period
        name = automaton.symbols[symbol]
        courses[table.symbols.index(name), onset : onset + length] = design.symbol_rate
        busy[onset : onset + length] = True
    if RELEASE in table.symbols and RELEASE not in automaton.symbols:
        courses[table.symbols.index(RELEASE), ~busy] = design.symbol_rate
    return lines | {f"symbol_{k}": course for k, course in enumerate(courses)}


def _machine_result(
    machine: StateMachine,
    sequence: NDArray[np.int64],
    time: FloatArray,
    counts: FloatArray,
    timing: Timing,
    design: ChipDesign,
    bin_ticks: int,
) -> MachineResult:
    table, automaton = machine.table, machine.automaton
    n, moves = len(table.states), len(table.moves())
    scale = design.rate_scale * bin_ticks
    run = automaton.run([automaton.symbols[s] for s in sequence])
    units = counts[:, None] / (scale * design.neurons_per_unit)
    cells = counts[:, None, 2 * n : 2 * n + moves] / (scale * design.neurons_per_cell)
    steps = np.arange(1.0, len(sequence) + 2) * round(timing.period)
    return MachineResult(
        time=time,
        x=units[..., :n],
        y=units[..., n : 2 * n],
        transition=cells,
        states=table.states,
        sequences=sequence[None],
        expected=np.array([[table.states.index(state) for state in run]]),
        onsets=steps[:-1],
        read_times=steps - bin_ticks,
        up_rate=up_rate(machine.pair),
    )


def _run(
    placements: Sequence[Placement],
    driven: Sequence[Lines],
    names: Sequence[Sequence[str]],
    n_ticks: int,
    seed: int,
    bin_ticks: int,
) -> FloatArray:
    """Spikes per bin of the named populations, (n_bins, n_networks, most names)."""
    chip, first = build_chip(placements)
    width = max(len(one) for one in names)
    index = np.full((chip.n_cores, N_NEURONS), -1, dtype=np.int64)
    for k, (placed, start, wanted) in enumerate(zip(placements, first, names, strict=True)):
        for j, name in enumerate(wanted):
            where = placed.places[name]
            index[where[:, 0] + start, where[:, 1]] = k * width + j
    rng = np.random.default_rng([17, seed])
    block = max(1, 2000 // bin_ticks) * bin_ticks  # ticks at a time, to bound memory
    parts = []
    for begin in range(0, n_ticks - n_ticks % bin_ticks, block):
        length = min(block, n_ticks - n_ticks % bin_ticks - begin)
        rows = []
        for placed, start, lines in zip(placements, first, driven, strict=True):
            spikes = {}
            for name, chance in lines.items():
                now = chance[begin : begin + length]
                if now.any():
                    hit = rng.random((length, placed.network.sizes[name])) < now[:, None]
                    ticks, line = np.nonzero(hit)
                    spikes[name] = np.column_stack([ticks + begin, line])
            rows.append(placed.inputs(spikes, first_core=int(start)))
        raster = chip.run(np.concatenate(rows), length)
        events = raster.events
        owner = index[events[:, 1], events[:, 2]]
        inside = owner >= 0
        bins = (events[inside, 0].astype(np.int64) - begin) // bin_ticks
        size = len(placements) * width
        flat = np.bincount(bins * size + owner[inside], minlength=length // bin_ticks * size)
        parts.append(flat.reshape(-1, len(placements), width))
    return np.concatenate(parts).astype(np.float64)
