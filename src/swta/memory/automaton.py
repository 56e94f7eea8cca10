"""Finite automata: transition tables, their checks, and a form safe for held symbols."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swta.validation import ParameterError, check_choice, check_integer, check_names

RELEASE = "release"  # symbol of the pauses between symbols, in the two-phase form


class UnreachableStateWarning(UserWarning):
    """A state that no sequence of symbols reaches from the start state."""


@dataclass(frozen=True)
class Automaton:
    """A deterministic finite automaton.

    A complete table lists every pair of state and symbol. If ``complete`` is False, pairs that are
    not in the table leave the state as it is.

    Raises:
        ParameterError: repeated or missing names, or a transition from, by or to an unknown one.
    """

    states: tuple[str, ...]
    symbols: tuple[str, ...]
    transitions: Mapping[tuple[str, str], str]  # (state, symbol) -> next state
    start: str
    complete: bool = True

    def __post_init__(self) -> None:
        for kind in ("states", "symbols"):
            names = check_names(kind, getattr(self, kind))
            repeated = sorted({name for name in names if names.count(name) > 1})
            if not names or repeated:
                raise ParameterError(
                    f"{kind} = {names!r}; give at least one, each once"
                    + (f" (repeated: {', '.join(repeated)})" if repeated else "")
                )
        check_choice("start", self.start, self.states)
        for (state, symbol), following in self.transitions.items():
            check_choice(f"state of transition {state!r}, {symbol!r}", state, self.states)
            check_choice(f"symbol of transition {state!r}, {symbol!r}", symbol, self.symbols)
            check_choice(f"target of transition {state!r}, {symbol!r}", following, self.states)
        pairs = [(state, symbol) for state in self.states for symbol in self.symbols]
        missing = [pair for pair in pairs if pair not in self.transitions]
        if self.complete and missing:
            listed = ", ".join(f"({state}, {symbol})" for state, symbol in missing[:8])
            raise ParameterError(
                f"{len(missing)} of {len(pairs)} transitions are missing: {listed}; "
                "add them, or set complete=False to stay in the state"
            )
        reached = self.reachable()
        unreached = [state for state in self.states if state not in reached]
        if unreached:
            warnings.warn(
                f"no sequence of symbols reaches {', '.join(unreached)} from {self.start}",
                UnreachableStateWarning,
                stacklevel=3,
            )

    @classmethod
    def from_rows(
        cls,
        states: Sequence[str],
        symbols: Sequence[str],
        rows: Iterable[tuple[str, str, str]],
        start: str,
    ) -> Automaton:
        """An automaton from rows (state, symbol, next state), such as the lines of a file.

        Raises:
            ParameterError: two rows that send one state and symbol to different states, and all
                errors of the class.
        """
        table: dict[tuple[str, str], str] = {}
        for state, symbol, following in rows:
            if table.setdefault((state, symbol), following) != following:
                raise ParameterError(
                    f"({state}, {symbol}) leads to {table[state, symbol]} and to {following}; "
                    "a deterministic table has one target for each pair"
                )
        return cls(tuple(states), tuple(symbols), table, start)

    def step(self, state: str, symbol: str) -> str:
        """The state after ``symbol``."""
        return self.transitions.get((state, symbol), state)

    def run(self, sequence: Sequence[str]) -> list[str]:
        """The states before the first symbol and after each one.

        Raises:
            ParameterError: an unknown symbol.
        """
        visited = [self.start]
        for symbol in sequence:
            visited.append(self.step(visited[-1], check_choice("symbol", symbol, self.symbols)))
        return visited

    def reachable(self) -> set[str]:
        """All states that some sequence of symbols reaches."""
        found, waiting = {self.start}, [self.start]
        while waiting:
            state = waiting.pop()
            following = {self.step(state, symbol) for symbol in self.symbols} - found
            found |= following
            waiting += following
        return found

    def moves(self) -> list[tuple[str, str, str]]:
        """All transitions that change the state: (state, symbol, next state), in table order."""
        return [
            (state, symbol, self.step(state, symbol))
            for state in self.states
            for symbol in self.symbols
            if self.step(state, symbol) != state
        ]

    def races(self) -> list[tuple[str, str]]:
        """Pairs (state, symbol) after which the same symbol, still held, would move on again."""
        moves = {(state, symbol) for state, symbol, _ in self.moves()}
        return [
            (state, symbol) for state, symbol, after in self.moves() if (after, symbol) in moves
        ]

    def two_phase(self) -> Automaton:
        """The same machine without races: a symbol leads to a waiting state, its release onwards.

        Each state s gets a waiting partner "s, waiting". The new symbol ``RELEASE`` stands for the
        pause after a symbol.
        """
        waiting = {state: f"{state}, waiting" for state in self.states}
        transitions = {(state, symbol): waiting[after] for state, symbol, after in self.moves()}
        targets = {after for _, _, after in self.moves()}
        transitions |= {
            (waiting[state], RELEASE): state for state in self.states if state in targets
        }
        with warnings.catch_warnings():  # unreachable states were named when self was made
            warnings.simplefilter("ignore", UnreachableStateWarning)
            return Automaton(
                states=(*self.states, *(waiting[s] for s in self.states if s in targets)),
                symbols=(*self.symbols, RELEASE),
                transitions=transitions,
                start=self.start,
                complete=False,
            )


def two_state_automaton() -> Automaton:
    """States A and B; the symbol s leads to B and the symbol r back to A."""
    table = {("A", "s"): "B", ("B", "s"): "B", ("A", "r"): "A", ("B", "r"): "A"}
    return Automaton(("A", "B"), ("s", "r"), table, "A")


def random_sequences(
    automaton: Automaton, *, n_sequences: int, n_symbols: int, seed: int
) -> NDArray[np.int64]:
    """Random symbols as indices into ``automaton.symbols``, shape (n_sequences, n_symbols).

    Raises:
        ParameterError: a number below 1.
    """
    check_integer("n_sequences", n_sequences, low=1)
    check_integer("n_symbols", n_symbols, low=1)
    check_integer("seed", seed, low=0)
    rng = np.random.default_rng(seed)
    return rng.integers(0, len(automaton.symbols), (n_sequences, n_symbols))


def random_automaton(*, n_states: int, n_symbols: int, seed: int) -> Automaton:
    """A complete machine with states q0 … and symbols a …, targets drawn evenly.

    Tables with states that cannot be reached from q0 are drawn again.

    Raises:
        ParameterError: fewer than two states, or a number of symbols outside 1 … 26.
    """
    check_integer("n_states", n_states, low=2)
    check_integer("n_symbols", n_symbols, low=1, high=26)
    rng = np.random.default_rng([29, check_integer("seed", seed, low=0)])
    states = tuple(f"q{k}" for k in range(n_states))
    symbols = tuple("abcdefghijklmnopqrstuvwxyz"[:n_symbols])
    while True:
        table = {(s, a): states[rng.integers(n_states)] for s in states for a in symbols}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnreachableStateWarning)
            drawn = Automaton(states, symbols, table, states[0])
        if len(drawn.reachable()) == n_states:
            return drawn
