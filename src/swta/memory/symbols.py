"""What a machine makes of symbols that are short, weak or come together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from swta.circuit import StepInputs, simulate_network
from swta.memory.automaton import RELEASE
from swta.memory.coupling import FloatArray, up_rate
from swta.memory.machine import StateMachine, Timing
from swta.memory.measures import NO_STATE
from swta.validation import ParameterError, check_real


@dataclass(frozen=True)
class PresentationResult:
    """State after one presentation of symbols, for every condition."""

    strengths: FloatArray  # input of each symbol's transition cells, (n_conditions, n_symbols)
    durations: FloatArray  # of the presentation, τ, (n_conditions,)
    final: NDArray[np.int64]  # decoded state, ``NO_STATE`` where unclear, (n_conditions,)
    states: tuple[str, ...]  # names of the units


def simulate_presentation(
    machine: StateMachine,
    strengths: ArrayLike,
    durations: ArrayLike,
    *,
    timing: Timing = Timing(),
    noise_sd: float = 0.0,
    seed: int = 0,
) -> PresentationResult:
    """One presentation of any mixture of symbols to a machine in its start state.

    The state is read a period after the end of the longest presentation.

    Args:
        strengths: input to the transition cells of each of the automaton's symbols,
            (n_conditions, n_symbols), input units.
        durations: (n_conditions,) or one for all, τ.
        noise_sd: standard deviation of the noise in every cell, input units.

    Raises:
        ParameterError: strengths for other symbols, or a value outside its range.
    """
    automaton, table = machine.automaton, machine.table
    given = np.atleast_2d(np.asarray(strengths, dtype=np.float64))
    if given.shape[1] != len(automaton.symbols) or (given < 0).any():
        raise ParameterError(
            f"strengths of shape {given.shape}, smallest {given.min():g}; allowed: 0 or more, one "
            f"column for each of the {len(automaton.symbols)} symbols"
        )
    lengths = np.broadcast_to(np.asarray(durations, dtype=np.float64), len(given))
    check_real("shortest duration", float(lengths.min()), low=0, open_low=True, unit="tau")
    network, n = machine.network(), len(table.states)
    released = RELEASE in table.symbols and RELEASE not in automaton.symbols
    rest, shown = np.zeros((2, len(given), len(network.labels)))
    for cell, (_, letter, _) in enumerate(table.moves(), start=2 * n + 2):
        if letter in automaton.symbols:
            shown[:, cell] = given[:, automaton.symbols.index(letter)]
        elif released:
            rest[:, cell] = machine.cells.strength
    start = np.zeros_like(rest)
    start[:, table.states.index(automaton.start)] = timing.start_cue
    ends = np.unique(lengths)
    onsets = [0.0, timing.start_duration, timing.period, *(timing.period + ends)]
    values = [start, rest, shown]
    values += [np.where((lengths <= end)[:, None], rest, shown) for end in ends]
    result = simulate_network(
        network,
        StepInputs(np.array(onsets), np.array(values)),
        duration=onsets[-1] + timing.period,
        noise_sd=noise_sd,
        seed=seed,
        record_every=50,
    )
    up = result.rates[-1, :, n + 1 : 2 * n + 1] > up_rate(machine.pair) / 2
    final = np.where(up.sum(-1) == 1, up.argmax(-1), NO_STATE)
    return PresentationResult(given, lengths.copy(), final.astype(np.int64), table.states)


def measure_shortest(
    machine: StateMachine, symbol: str, strengths: ArrayLike, durations: ArrayLike
) -> FloatArray:
    """Shortest tested duration (τ) at which a symbol makes its move, per strength, (n_strengths,).

    NaN where no tested duration is enough.

    Args:
        symbol: one that leaves the start state.
        strengths: input units, (n_strengths,).
        durations: rising, τ, (n_durations,).

    Raises:
        ParameterError: a symbol that does not leave the start state.
    """
    automaton = machine.automaton
    target = automaton.step(automaton.start, symbol)
    if target == automaton.start:
        raise ParameterError(
            f"symbol {symbol!r} does not leave {automaton.start!r}; give one that does"
        )
    strengths = np.atleast_1d(np.asarray(strengths, dtype=np.float64))
    durations = np.atleast_1d(np.asarray(durations, dtype=np.float64))
    table = np.zeros((len(strengths) * len(durations), len(automaton.symbols)))
    table[:, automaton.symbols.index(symbol)] = np.repeat(strengths, len(durations))
    shown = simulate_presentation(machine, table, np.tile(durations, len(strengths)))
    moved = (shown.final == shown.states.index(target)).reshape(len(strengths), len(durations))
    return np.where(moved.any(1), durations[moved.argmax(1)], np.nan)
