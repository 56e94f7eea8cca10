"""A state machine made of two coupled motifs and transition cells, in threshold-linear rates.

X receives the transitions, Y is the pointer to the present state. A transition cell z for
(state, symbol) -> next state takes

    dz/dt = -z + f(φ_in y_state + S [symbol on] - T_z),    I_X,next += φ_out z

so that it fires only for the conjunction. Time is in units of τ. After Rutishauser and Douglas
2009.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from swta.circuit import Motif, RateNetwork, StepInputs, simulate_network
from swta.memory.automaton import RELEASE, Automaton
from swta.memory.coupling import CoupledPair, FloatArray, pair_network, up_rate
from swta.memory.mismatch import draw_mismatch, silence_runaway
from swta.validation import ParameterError, check_integer, check_real


@dataclass(frozen=True)
class TransitionCells:
    """Weights and thresholds of the transition cells.

    Raises:
        ParameterError: a negative value.
    """

    phi_in: float = 0.5  # φ_in, pointer unit to transition cell; worked example
    phi_out: float = 1.2  # φ_out, transition cell to X; 2.4 times the least drive, our choice
    T_z: float = 2.5  # threshold of a transition cell, input units; worked example
    strength: float = 2.0  # S, input of a symbol, input units; worked example

    def __post_init__(self) -> None:
        check_real("phi_in", self.phi_in, low=0)
        check_real("phi_out", self.phi_out, low=0)
        check_real("T_z", self.T_z, low=0)
        check_real("strength", self.strength, low=0)


@dataclass(frozen=True)
class Timing:
    """When symbols come.

    Raises:
        ParameterError: a value outside its range.
    """

    symbol: float = 20.0  # duration of a symbol, τ; worked example
    period: float = 80.0  # from one symbol to the next, τ; worked example
    start_cue: float = 4.0  # input that sets the start state, input units; worked example
    start_duration: float = 20.0  # its duration, τ; worked example

    def __post_init__(self) -> None:
        check_real("period", self.period, low=0, open_low=True, unit="tau")
        for name in ("symbol", "start_duration"):
            value = getattr(self, name)
            check_real(name, value, low=0, high=self.period, open_low=True, open_high=True)
        check_real("start_cue", self.start_cue, low=0, open_low=True)


@dataclass(frozen=True)
class StateMachine:
    """An automaton compiled to coupled motifs with one unit per state, and transition cells.

    A table in which a held symbol would run through several states is compiled in two phases: the
    symbol leads to a waiting state, its release onwards.

    Raises:
        ParameterError: no up-state, or a broken design rule (unless ``enforce_rules`` is False).
    """

    automaton: Automaton
    motif: Motif  # n_units is set to the number of states
    gamma: float  # γ, coupling of X and Y
    cells: TransitionCells = TransitionCells()
    enforce_rules: bool = True  # False shows what happens when a design rule is broken

    def __post_init__(self) -> None:
        broken = design_problems(self.pair, self.cells)
        if broken and self.enforce_rules:
            raise ParameterError("; ".join(broken))

    @cached_property
    def table(self) -> Automaton:
        """The automaton that is wired: the given one, or its two-phase form if it has races."""
        return self.automaton.two_phase() if self.automaton.races() else self.automaton

    @cached_property
    def pair(self) -> CoupledPair:
        """The coupled motifs X and Y with one unit per wired state."""
        settings = {f: getattr(self.motif, f) for f in ("alpha", "beta1", "beta2", "T_E", "T_N")}
        return CoupledPair(Motif(**settings, n_units=len(self.table.states)), self.gamma)

    def network(self) -> RateNetwork:
        """All cells: X with inhibition, Y with inhibition, then one transition cell per move."""
        table, pair = self.table, pair_network(self.pair)
        n, size = len(table.states), len(pair.labels)
        moves = table.moves()
        weights = np.zeros((size + len(moves), size + len(moves)))
        weights[:size, :size] = pair.weights
        for cell, (state, _, following) in enumerate(moves, start=size):
            weights[cell, n + 1 + table.states.index(state)] = self.cells.phi_in
            weights[table.states.index(following), cell] = self.cells.phi_out
        thresholds = np.r_[pair.thresholds, np.full(len(moves), self.cells.T_z)]
        labels = pair.labels + tuple(f"cell ({s}, {a}) to {t}" for s, a, t in moves)
        return RateNetwork(weights, thresholds, labels)


def design_problems(pair: CoupledPair, cells: TransitionCells) -> list[str]:
    """The design rules that a machine breaks, one sentence each; empty if it keeps them all.

    1. Neither factor alone fires a transition cell: φ_in x* ≤ T_z and S ≤ T_z.
    2. The conjunction does: z = φ_in x* + S - T_z > 0.
    3. The next unit starts against the present inhibition: φ_out z > β₁(β₂x* - T_N) + T_E. This is
       necessary, not sufficient; about twice as much is needed in practice.

    Raises:
        ParameterError: the pair has no up-state.
    """
    rate, motif = up_rate(pair), pair.motif
    conjunction = cells.phi_in * rate + cells.strength - cells.T_z
    needed = motif.beta1 * (motif.beta2 * rate - motif.T_N) + motif.T_E
    broken = []
    if cells.phi_in * rate > cells.T_z:
        broken.append(
            f"phi_in = {cells.phi_in:g} lets the state alone fire a transition cell; "
            f"allowed: at most T_z / x* = {cells.T_z / rate:.4g}"
        )
    if cells.strength > cells.T_z:
        broken.append(
            f"strength = {cells.strength:g} lets a symbol alone fire a transition cell; "
            f"allowed: at most T_z = {cells.T_z:g}"
        )
    if conjunction <= 0:
        broken.append(
            f"T_z = {cells.T_z:g} keeps state and symbol together below threshold; "
            f"allowed: below phi_in x* + strength = {conjunction + cells.T_z:.4g}"
        )
    elif cells.phi_out * conjunction <= needed:
        broken.append(
            f"phi_out = {cells.phi_out:g} is too weak to start the next state; allowed: above "
            f"{needed / conjunction:.4g}, and about twice that to be safe"
        )
    return broken


@dataclass(frozen=True)
class MachineResult:
    """Course of a state machine and the states it should be in."""

    time: FloatArray  # (n_samples,), τ
    x: FloatArray  # (n_samples, batch, n_states), units of X
    y: FloatArray  # (n_samples, batch, n_states), units of Y
    transition: FloatArray  # (n_samples, batch, n_moves), transition cells
    states: tuple[str, ...]  # names of the units
    sequences: NDArray[np.int64]  # (batch, n_symbols), indices of the symbols
    expected: NDArray[np.int64]  # (batch, n_symbols + 1), before the first and after each symbol
    onsets: FloatArray  # (n_symbols,), τ, when the symbols begin
    read_times: FloatArray  # (n_symbols + 1,), τ, when the state is read
    up_rate: float  # x*, input units


def simulate_machine(
    machine: StateMachine,
    sequences: ArrayLike,
    *,
    timing: Timing,
    dt: float | None = None,
    noise_sd: float = 0.0,
    mismatch_sd: float = 0.0,
    seed: int = 0,
    record_every: int = 50,
) -> MachineResult:
    """Rates of a machine driven by symbol sequences, all sequences at once.

    The start state is cued at time 0. Symbol k begins at (k + 1) periods; the state is read just
    before the next symbol would begin.

    Args:
        machine: the machine.
        sequences: indices into ``machine.automaton.symbols``, shape (batch, n_symbols).
        timing: when symbols come.
        dt: Euler step, τ; by default the one of ``simulate_network``.
        noise_sd: standard deviation of an Ornstein–Uhlenbeck current (correlation time τ) into
            every cell, input units.
        mismatch_sd: relative s.d. of every weight; each sequence gets a draw of its own.
        seed: seed of that current and of these draws.
        record_every: steps between samples.

    Raises:
        ParameterError: sequences of another shape or with unknown symbols.
    """
    automaton, table = machine.automaton, machine.table
    sequences = checked_sequences(automaton, sequences)
    network, n = machine.network(), len(table.states)
    batch, n_symbols = sequences.shape
    if mismatch_sd > 0:
        drawn = draw_mismatch(network, mismatch_sd, draws=batch, seed=seed)
        network, _ = silence_runaway(drawn, n)
    first_cell = 2 * n + 2
    lines = {  # the cells that each symbol drives
        symbol: [first_cell + k for k, move in enumerate(table.moves()) if move[1] == symbol]
        for symbol in table.symbols
    }
    rest = np.zeros((batch, len(network.labels)))
    if RELEASE not in automaton.symbols:  # the pauses of a machine wired in two phases
        rest[:, lines.get(RELEASE, [])] = machine.cells.strength
    start = np.zeros_like(rest)
    start[:, table.states.index(automaton.start)] = timing.start_cue
    onsets, values = [0.0, timing.start_duration], [start, rest]
    for k in range(n_symbols):
        current = np.zeros_like(rest)
        for row, symbol in zip(current, sequences[:, k], strict=True):
            row[lines[automaton.symbols[symbol]]] = machine.cells.strength
        onsets += [(k + 1) * timing.period, (k + 1) * timing.period + timing.symbol]
        values += [current, rest]
    result = simulate_network(
        network,
        StepInputs(np.array(onsets), np.array(values)),
        duration=(n_symbols + 1) * timing.period,
        dt=dt,
        noise_sd=noise_sd,
        seed=seed,
        record_every=record_every,
    )
    runs = [automaton.run([automaton.symbols[s] for s in row]) for row in sequences]
    return MachineResult(
        time=result.time,
        x=result.rates[..., :n],
        y=result.rates[..., n + 1 : 2 * n + 1],
        transition=result.rates[..., first_cell:],
        states=table.states,
        sequences=sequences,
        expected=np.array([[table.states.index(state) for state in run] for run in runs]),
        onsets=np.arange(1, n_symbols + 1) * timing.period,
        read_times=np.arange(1, n_symbols + 2) * timing.period,
        up_rate=up_rate(machine.pair),
    )


def encode(automaton: Automaton, sequence: Sequence[str]) -> NDArray[np.int64]:
    """One symbol sequence as indices, shape (1, n_symbols).

    Raises:
        ParameterError: an unknown symbol.
    """
    automaton.run(sequence)
    return np.array([[automaton.symbols.index(symbol) for symbol in sequence]])


def checked_sequences(automaton: Automaton, sequences: ArrayLike) -> NDArray[np.int64]:
    """Sequences as an array of symbol indices, (batch, n_symbols).

    Raises:
        ParameterError: another shape or type, or an unknown symbol.
    """
    array = np.asarray(sequences)
    if array.ndim != 2 or not array.size or array.dtype.kind not in "iu":
        raise ParameterError(
            f"sequences of shape {array.shape} and type {array.dtype}; "
            "allowed: whole numbers of shape (batch, n_symbols)"
        )
    check_integer("smallest symbol", array.min(), low=0)
    check_integer("largest symbol", array.max(), high=len(automaton.symbols) - 1)
    return array.astype(np.int64)
