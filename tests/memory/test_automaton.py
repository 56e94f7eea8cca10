"""Transition tables: running them, their checks, and the two-phase form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swta.memory import (
    Automaton,
    UnreachableStateWarning,
    random_sequences,
    two_state_automaton,
)
from swta.memory.automaton import RELEASE
from swta.validation import ParameterError

STATES, SYMBOLS = ("p", "q", "r"), ("a", "b")
CYCLE = {(s, "a"): t for s, t in zip("pqr", "qrp", strict=True)} | {(s, "b"): s for s in "pqr"}


def test_two_state_automaton_switches_only_when_it_should():
    assert two_state_automaton().run("ssrr") == ["A", "B", "B", "A", "A"]
    assert two_state_automaton().moves() == [("A", "s", "B"), ("B", "r", "A")]
    assert two_state_automaton().races() == []


def test_cycle_has_a_race_at_every_move():
    assert len(Automaton(STATES, SYMBOLS, CYCLE, "p").races()) == 3


@st.composite
def automata(draw):
    """A random machine whose states are all reachable."""
    n = draw(st.integers(1, 5))
    states = tuple(f"q{k}" for k in range(n))
    table = {
        (state, symbol): draw(st.sampled_from(states)) for state in states for symbol in SYMBOLS
    }
    for k in range(n - 1):
        table[states[k], "a"] = states[k + 1]
    return Automaton(states, SYMBOLS, table, states[0])


@given(automaton=automata(), sequence=st.lists(st.sampled_from(SYMBOLS), max_size=12))
def test_two_phase_form_has_no_races_and_visits_the_same_states(automaton, sequence):
    wired = automaton.two_phase()
    assert wired.races() == []
    interleaved = [item for symbol in sequence for item in (symbol, RELEASE)]
    assert wired.run(interleaved)[::2] == automaton.run(sequence)


def test_rows_make_the_same_automaton():
    rows = [(state, symbol, target) for (state, symbol), target in CYCLE.items()]
    assert Automaton.from_rows(STATES, SYMBOLS, rows, "p") == Automaton(STATES, SYMBOLS, CYCLE, "p")


def test_conflicting_rows_are_refused():
    rows = [("p", "a", "q"), ("p", "a", "r")]
    with pytest.raises(ParameterError, match=r"\(p, a\) leads to q and to r"):
        Automaton.from_rows(STATES, SYMBOLS, rows, "p")


def test_missing_transitions_are_listed():
    table = {key: value for key, value in CYCLE.items() if key != ("q", "b")}
    with pytest.raises(ParameterError, match=r"1 of 6 transitions are missing: \(q, b\)"):
        Automaton(STATES, SYMBOLS, table, "p")
    assert Automaton(STATES, SYMBOLS, table, "p", complete=False).step("q", "b") == "q"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": "z"}, "start = 'z' is unknown"),
        ({"states": ("p", "q", "q")}, "repeated: q"),
        ({"symbols": ()}, "at least one"),
        ({"transitions": CYCLE | {("z", "a"): "p"}}, "state of transition"),
        ({"transitions": CYCLE | {("p", "z"): "p"}}, "symbol of transition"),
        ({"transitions": CYCLE | {("p", "a"): "z"}}, "target of transition"),
    ],
)
def test_bad_tables_are_refused(change, message):
    fields = {"states": STATES, "symbols": SYMBOLS, "transitions": CYCLE, "start": "p"}
    with pytest.raises(ParameterError, match=message):
        Automaton(**(fields | change))


def test_unreachable_states_are_named_once():
    table = {(s, a): "p" for s in STATES for a in SYMBOLS}
    with pytest.warns(UnreachableStateWarning, match="q, r from p"):
        automaton = Automaton(STATES, SYMBOLS, table, "p")
    assert automaton.two_phase().races() == []  # and no second warning


def test_unknown_symbol_in_a_sequence_is_refused():
    with pytest.raises(ParameterError, match="symbol = 'x' is unknown"):
        two_state_automaton().run("sx")


def test_random_sequences_are_seeded_and_use_all_symbols():
    first, again, other = (
        random_sequences(two_state_automaton(), n_sequences=4, n_symbols=50, seed=seed)
        for seed in (0, 0, 1)
    )
    assert first.shape == (4, 50)
    assert (first == again).all() and (first != other).any()
    assert set(np.unique(first)) == {0, 1}
    with pytest.raises(ParameterError, match="n_symbols"):
        random_sequences(two_state_automaton(), n_sequences=1, n_symbols=0, seed=0)
