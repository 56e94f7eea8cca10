"""A state machine in spikes: three patches of chapter 2's network, joined by sparse excitation.

The table is that of `StateMachine`, compiled to the same architecture. A unit of X and a unit of Y
stand for each state, joined both ways (γ). A unit of a third patch, Z, stands for each move: it
hears the unit of Y for the present state (φ_in) and its symbol, a thalamic drive, and excites the
unit of X for the next state (φ_out). Steady input to the PV cells of Z raises its threshold, so
that neither state nor symbol alone drives it far. X and Y have the context in which a state lasts,
Z that of the slice. φ and γ are summed conductances over that which a cell gets from its own unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from swta.circuit.bistability import BISTABLE, SOFT
from swta.circuit.conditions import Condition, Context, count_bins
from swta.circuit.network import Network
from swta.circuit.patches import Assembly, Bridge, simulate_patches
from swta.circuit.wiring import build_wiring
from swta.memory.automaton import RELEASE, Automaton
from swta.memory.machine import checked_sequences
from swta.memory.measures import NO_STATE
from swta.memory.spiking import UP_HZ
from swta.validation import ParameterError, check_integer, check_real

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

X, Y, Z = range(3)
READ_S: Final = 0.15  # s before the next symbol in which the state is read


@dataclass(frozen=True)
class SpikingTiming:
    """When symbols come.

    Raises:
        ParameterError: a value outside its range.
    """

    settle_s: float = 0.2  # s of background before the start cue
    start_s: float = 0.3  # s of the start cue
    start_khz: float = 2.0  # kHz, thalamic rate of the start cue to X; the drive of chapter 2
    period_s: float = 0.8  # s from one symbol to the next, and from the start cue to the first
    symbol_s: float = 0.4  # s of a symbol

    def __post_init__(self) -> None:
        for name in ("settle_s", "start_s", "symbol_s"):
            check_real(name, getattr(self, name), low=0.02, unit="s")
        check_real("start_khz", self.start_khz, low=0, open_low=True, unit="kHz")
        check_real("period_s", self.period_s, low=self.symbol_s + READ_S, unit="s")

    def onset_s(self, k: int) -> float:
        """Time at which symbol k begins, s; the start cue begins one period before the first."""
        return self.settle_s + (k + 1) * self.period_s


@dataclass(frozen=True)
class SpikingMachine:
    """An automaton compiled to patches.

    Raises:
        ParameterError: more states or moves than a patch has units, or a negative weight.
    """

    automaton: Automaton
    network: Network = field(default_factory=Network)
    gamma: float = 0.2  # γ between X and Y; that of the up-states
    phi_in: float = 0.1  # φ_in, from Y to Z; all four chosen in trials on other networks
    phi_out: float = 0.9  # φ_out, from Z to X
    symbol_khz: float = 3.5  # kHz, thalamic rate of a symbol to the units of its moves
    threshold_khz: float = 4.0  # kHz, steady input to the PV cells of Z, in place of T_z
    probability: float = 0.1  # of a connection between two cells of joined units
    holding: Context = BISTABLE  # of X and Y
    moving: Context = SOFT  # of Z

    def __post_init__(self) -> None:
        for name in ("gamma", "phi_in", "phi_out", "symbol_khz", "threshold_khz"):
            check_real(name, getattr(self, name), low=0)
        needed = max(len(self.table.states), len(self.table.moves()))
        if needed > self.network.n_units:
            raise ParameterError(
                f"{len(self.table.states)} states and {len(self.table.moves())} moves in patches "
                f"of {self.network.n_units} units; allowed: at most as many as units. Raise "
                "n_units of the network"
            )

    @cached_property
    def table(self) -> Automaton:
        """The automaton that is wired: the given one, or its two-phase form if it has races."""
        return self.automaton.two_phase() if self.automaton.races() else self.automaton

    def units(self, n: int) -> IntArray:
        """The units that stand for n states or moves, as far apart on the ring as can be."""
        return np.arange(n) * self.network.n_units // n

    @cached_property
    def bridges(self) -> tuple[Bridge, ...]:
        """All connections between the patches."""
        states, moves = self.table.states, self.table.moves()
        at = dict(zip(states, self.units(len(states)).tolist(), strict=True))
        joined = []
        for unit in at.values():
            joined += [((X, unit), (Y, unit), self.gamma), ((Y, unit), (X, unit), self.gamma)]
        for cell, (state, _, following) in zip(self.units(len(moves)).tolist(), moves, strict=True):
            joined += [
                ((Y, at[state]), (Z, cell), self.phi_in),
                ((Z, cell), (X, at[following]), self.phi_out),
            ]
        return tuple(Bridge(pre, post, g, self.probability) for pre, post, g in joined)

    def drives(self, sequence: Sequence[int], timing: SpikingTiming) -> list[FloatArray]:
        """Thalamic rates (kHz) of the units of X, Y and Z in bins of 10 ms."""
        n, moves = self.network.n_units, self.table.moves()
        cells = self.units(len(moves))
        bins = count_bins(timing.onset_s(len(sequence)))
        x, y, z = (np.zeros((bins, n)) for _ in range(3))
        start = self.units(len(self.table.states))[self.table.states.index(self.table.start)]
        cue = slice(count_bins(timing.settle_s), count_bins(timing.settle_s + timing.start_s))
        x[cue, start] = timing.start_khz

        def show(symbol: str, first_s: float, last_s: float) -> None:
            shown = [symbol == letter for _, letter, _ in moves]
            z[count_bins(first_s) : count_bins(last_s), cells[shown]] = self.symbol_khz

        for k, symbol in enumerate(sequence):
            onset = timing.onset_s(k)
            show(self.automaton.symbols[symbol], onset, onset + timing.symbol_s)
            if RELEASE in self.table.symbols and RELEASE not in self.automaton.symbols:
                show(RELEASE, onset + timing.symbol_s, timing.onset_s(k + 1))
        return [x, y, z]


@dataclass(frozen=True)
class SpikingMachineResult:
    """Courses of machines in spikes and the states that they should be in."""

    time_s: FloatArray  # (n_bins,)
    courses: FloatArray  # Hz, (n_bins, n_sequences, 3, n_units), patches X, Y, Z; NaN: diverged
    state_units: IntArray  # units that stand for the states, (n_states,)
    move_units: IntArray  # units of Z that stand for the moves, (n_moves,)
    read_s: FloatArray  # ends of the windows in which the state is read, (n_symbols + 1,)
    sequences: IntArray  # indices of symbols, (n_sequences, n_symbols)
    expected: IntArray  # indices of states, (n_sequences, n_symbols + 1)


def simulate_spiking_machine(
    machine: SpikingMachine,
    sequences: ArrayLike,
    *,
    timing: SpikingTiming = SpikingTiming(),
    seed: int = 0,
    processes: int = 1,
    compiled: bool | None = None,
) -> SpikingMachineResult:
    """Machines driven by symbols; each sequence is shown to three patches of its own.

    Args:
        sequences: indices into ``machine.automaton.symbols``, (n_sequences, n_symbols).
        seed: of the first patch, and of the noise.
        processes: of this machine to share the sequences among.
        compiled: as in ``simulate_spiking``.

    Raises:
        ParameterError: sequences of another shape or with unknown symbols.
    """
    automaton = machine.automaton
    rows = checked_sequences(automaton, sequences)
    contexts = (machine.holding, machine.holding, machine.moving)
    extra: tuple[dict[str, float], ...] = ({}, {}, {"Pvalb": machine.threshold_khz})
    assemblies = [
        Assembly(
            tuple(build_wiring(machine.network, seed=seed + 3 * k + patch) for patch in range(3)),
            tuple(
                Condition(drive, context, more)
                for drive, context, more in zip(
                    machine.drives(row.tolist(), timing), contexts, extra, strict=True
                )
            ),
            machine.bridges,
        )
        for k, row in enumerate(rows)
    ]
    n_symbols = rows.shape[1]
    result = simulate_patches(
        assemblies,
        duration_s=timing.onset_s(n_symbols),
        seed=check_integer("seed", seed, low=0),
        bin_ms=10.0,
        processes=processes,
        compiled=compiled,
    )
    runs = [automaton.run([automaton.symbols[s] for s in row]) for row in rows]
    return SpikingMachineResult(
        result.time_s,
        result.courses_hz[..., : machine.network.n_units],
        machine.units(len(machine.table.states)),
        machine.units(len(machine.table.moves())),
        np.array([timing.onset_s(k) for k in range(n_symbols + 1)]),
        rows,
        np.array([[machine.table.states.index(state) for state in run] for run in runs]),
    )


def read_states(result: SpikingMachineResult) -> IntArray:
    """State before the first and after each symbol, (n_sequences, n_symbols + 1).

    A state is on if its unit of Y, and no other unit of Y, fires above `UP_HZ` on average over the
    last `READ_S` before the next symbol; else `NO_STATE`.
    """
    found = []
    for end in result.read_s:
        window = (result.time_s > end - READ_S) & (result.time_s < end)
        rates = result.courses[window, :, Y].mean(0)
        up = rates > UP_HZ
        on = up[:, result.state_units]
        found.append(np.where((up.sum(1) == 1) & (on.sum(1) == 1), on.argmax(1), NO_STATE))
    return np.stack(found, axis=1).astype(np.int64)
