"""State machines on rates: the worked sets, design rules, general automata, and bad input."""

import numpy as np
import pytest

from swta.circuit import Motif
from swta.memory import (
    NO_STATE,
    Automaton,
    CoupledPair,
    StateMachine,
    Timing,
    TransitionCells,
    design_problems,
    encode,
    measure_errors,
    measure_response_times,
    measure_states,
    random_sequences,
    simulate_machine,
    two_state_automaton,
)
from swta.validation import ParameterError

MOTIF = Motif(alpha=0.9, beta1=3.0, beta2=0.25, T_E=0.3, T_N=1.0)
PAIR = CoupledPair(MOTIF, 0.3)
TABLE = two_state_automaton()


def visited(cells: TransitionCells, enforce_rules: bool = True) -> list[int]:
    machine = StateMachine(TABLE, MOTIF, 0.3, cells, enforce_rules)
    result = simulate_machine(machine, encode(TABLE, "ssrr"), timing=Timing(), dt=0.02)
    return measure_states(result)[0].tolist()


@pytest.mark.parametrize(
    ("phi_in", "T_z", "strength", "smallest", "too_small"),
    [(0.5, 2.5, 2.0, 0.9, 0.8), (1.0, 6.0, 4.0, 0.7, 0.6), (0.3, 2.0, 2.0, 1.5, 1.0)],
)
def test_worked_sets_switch_from_their_smallest_output_weight(
    phi_in, T_z, strength, smallest, too_small
):
    for phi_out in (smallest, 2.0, 4.0):
        assert visited(TransitionCells(phi_in, phi_out, T_z, strength)) == [0, 1, 1, 0, 0]
    assert visited(TransitionCells(phi_in, too_small, T_z, strength)) == [0, 0, 0, 0, 0]


def test_weak_set_stays_in_a_and_breaks_the_third_rule():
    weak = TransitionCells(0.3, 0.5, 2.0, 2.0)
    assert visited(weak, enforce_rules=False) == [0, 0, 0, 0, 0]
    with pytest.raises(ParameterError, match=r"phi_out = 0\.5 is too weak .*above 0\.6"):
        StateMachine(TABLE, MOTIF, 0.3, weak)


@pytest.mark.parametrize(
    ("phi_in", "T_z", "strength", "z"),
    [(0.5, 2.5, 2.0, 1.955), (1.0, 6.0, 4.0, 2.909), (0.3, 2.0, 2.0, 1.473)],
)
def test_third_rule_turns_at_its_worked_value(phi_in, T_z, strength, z):
    turn = 0.982 / z
    assert design_problems(PAIR, TransitionCells(phi_in, 1.002 * turn, T_z, strength)) == []
    (problem,) = design_problems(PAIR, TransitionCells(phi_in, 0.998 * turn, T_z, strength))
    assert "phi_out" in problem


def test_first_two_rules_name_the_parameter_to_change():
    problems = design_problems(PAIR, TransitionCells(0.6, 2.0, 2.5, 3.0))
    assert len(problems) == 2
    assert "phi_in = 0.6" in problems[0] and "0.5093" in problems[0]
    assert "strength = 3" in problems[1]
    (problem,) = design_problems(PAIR, TransitionCells(0.5, 2.0, 5.0, 2.0))
    assert "T_z = 5" in problem and "4.455" in problem


def test_machine_needs_an_up_state():
    with pytest.raises(ParameterError, match=r"gamma = 0\.1 "):
        StateMachine(TABLE, MOTIF, 0.1)


def test_random_symbols_with_moderate_noise_are_all_answered():
    machine = StateMachine(TABLE, MOTIF, 0.3)
    sequences = random_sequences(TABLE, n_sequences=20, n_symbols=5, seed=2)
    result = simulate_machine(machine, sequences, timing=Timing(), noise_sd=0.05, seed=1)
    assert not measure_errors(result).any()
    changes = (np.diff(result.expected) != 0).sum()
    times = measure_response_times(result)
    assert len(times) == changes
    assert ((times > 1) & (times < Timing().symbol + 5)).all()


def test_strong_noise_breaks_it():
    machine = StateMachine(TABLE, MOTIF, 0.3)
    sequences = random_sequences(TABLE, n_sequences=20, n_symbols=3, seed=2)
    result = simulate_machine(machine, sequences, timing=Timing(), noise_sd=0.5)
    assert measure_errors(result).mean() > 0.5
    assert (measure_states(result) == NO_STATE).any()


def test_counter_with_races_is_wired_in_two_phases_and_counts():
    states = ("zero", "one", "two")
    table = {(s, "+"): t for s, t in zip(states, ("one", "two", "zero"), strict=True)}
    counter = Automaton(
        states, ("+", "clear"), table | {(s, "clear"): "zero" for s in states}, "zero"
    )
    machine = StateMachine(counter, MOTIF, 0.3)
    assert len(machine.table.states) == 6
    assert machine.pair.motif.n_units == 6
    symbols = encode(counter, ["+", "+", "clear", "clear", "+", "+", "+"])
    result = simulate_machine(machine, symbols, timing=Timing())
    assert measure_states(result)[0].tolist() == [0, 1, 2, 0, 0, 1, 2, 0]
    assert result.states[:3] == states


def test_random_automata_run_without_errors():
    rng = np.random.default_rng(5)
    states, symbols = tuple(f"q{k}" for k in range(5)), ("a", "b", "c")
    for _ in range(2):
        table = {(s, a): states[rng.integers(5)] for s in states for a in symbols}
        for k in range(5):  # a cycle through all states, so that each can be reached
            table[states[k], "a"] = states[(k + 1) % 5]
        automaton = Automaton(states, symbols, table, "q0")
        machine = StateMachine(automaton, MOTIF, 0.3)
        sequences = random_sequences(automaton, n_sequences=25, n_symbols=6, seed=0)
        assert not measure_errors(simulate_machine(machine, sequences, timing=Timing())).any()


def test_a_symbol_called_release_is_only_a_symbol():
    table = {("A", "release"): "B", ("B", "release"): "B", ("A", "r"): "A", ("B", "r"): "A"}
    automaton = Automaton(("A", "B"), ("release", "r"), table, "A")
    machine = StateMachine(automaton, MOTIF, 0.3)
    result = simulate_machine(machine, encode(automaton, ["r", "release"]), timing=Timing())
    assert measure_states(result)[0].tolist() == [0, 0, 1]


def test_batch_of_sequences_equals_single_runs():
    machine = StateMachine(TABLE, MOTIF, 0.3)
    sequences = np.array([[0, 1], [1, 0]])
    together = simulate_machine(machine, sequences, timing=Timing())
    for k in range(2):
        alone = simulate_machine(machine, sequences[k : k + 1], timing=Timing())
        assert together.y[:, k] == pytest.approx(alone.y[:, 0], abs=1e-12)


@pytest.mark.parametrize("sequences", [[0, 1], [[0.5]], [[2]], [[-1]], np.zeros((0, 3), int)])
def test_bad_sequences_are_refused(sequences):
    with pytest.raises(ParameterError, match=r"sequences|symbol"):
        simulate_machine(StateMachine(TABLE, MOTIF, 0.3), sequences, timing=Timing())


@pytest.mark.parametrize("field", ["phi_in", "phi_out", "T_z", "strength"])
def test_negative_cells_are_refused(field):
    with pytest.raises(ParameterError, match=field):
        TransitionCells(**{field: -0.1})


@pytest.mark.parametrize(
    ("field", "value"), [("symbol", 80), ("period", 0), ("start_cue", 0), ("start_duration", 90)]
)
def test_bad_timing_is_refused(field, value):
    with pytest.raises(ParameterError, match=field):
        Timing(**{field: value})


def test_unknown_symbols_cannot_be_encoded():
    with pytest.raises(ParameterError, match="symbol = 'x'"):
        encode(TABLE, "sx")
