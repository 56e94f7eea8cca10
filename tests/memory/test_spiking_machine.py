"""State machines in spikes: how a table is wired, driven and read."""

import numpy as np
import pytest

from swta.circuit.network import Network
from swta.memory import (
    NO_STATE,
    Automaton,
    SpikingMachine,
    SpikingMachineResult,
    SpikingTiming,
    random_automaton,
    read_states,
    simulate_spiking_machine,
    two_state_automaton,
)
from swta.memory.spiking_machine import X, Y, Z
from swta.validation import ParameterError

SMALL = Network(n_units=2, n_cells=120)
RING = Automaton.from_rows(
    ("a", "b"), ("t",), [("a", "t", "b"), ("b", "t", "a")], "a"
)  # a held symbol would run on


def test_every_state_is_joined_both_ways_and_every_move_has_its_cell():
    machine = SpikingMachine(two_state_automaton(), gamma=0.3, phi_in=0.4, phi_out=0.5)
    found = {(b.pre, b.post): b.gamma for b in machine.bridges}
    states = {((X, u), (Y, u)): 0.3 for u in (0, 2)} | {((Y, u), (X, u)): 0.3 for u in (0, 2)}
    moves = {((Y, 0), (Z, 0)): 0.4, ((Z, 0), (X, 2)): 0.5}  # A, s to B
    moves |= {((Y, 2), (Z, 2)): 0.4, ((Z, 2), (X, 0)): 0.5}  # B, r to A
    assert found == states | moves


def test_symbols_drive_the_cells_of_their_moves_only():
    machine, timing = SpikingMachine(two_state_automaton(), symbol_khz=3.0), SpikingTiming()
    x, y, z = machine.drives([0, 1], timing)
    assert not y.any()
    assert x[25, 0] == timing.start_khz and x[60:].sum() == 0 and x[:, 1:].sum() == 0
    first, second = (round(100 * timing.onset_s(k)) for k in (0, 1))
    length = round(100 * timing.symbol_s)
    assert (z[first : first + length, 0] == 3.0).all() and z[:second, 2].sum() == 0
    assert (z[second : second + length, 2] == 3.0).all()
    assert np.count_nonzero(z) == 2 * length


def test_a_table_with_races_waits_for_the_release():
    network = Network(n_units=4, n_cells=120)
    machine = SpikingMachine(RING, network=network)
    assert len(machine.table.states) == len(machine.table.moves()) == 4
    _, _, z = machine.drives([0], SpikingTiming())
    onset, end = 100, 140
    letters = np.array([letter for _, letter, _ in machine.table.moves()])
    assert (z[onset + 1, letters == "t"] > 0).all() and not z[onset + 1, letters != "t"].any()
    assert (z[end + 1, letters != "t"] > 0).all() and not z[end + 1, letters == "t"].any()


def made(rates):
    """A result of one run with two states on units 0 and 2, from Y's rates (n_windows, 4)."""
    courses = np.zeros((100 * len(rates), 1, 3, 4))
    for k, row in enumerate(rates):
        courses[100 * k : 100 * (k + 1), 0, Y] = row
    time = (np.arange(len(courses)) + 0.5) / 100
    units, ends = np.array([0, 2]), np.arange(1.0, len(rates) + 1)
    empty = np.zeros((1, len(rates)), dtype=int)
    return SpikingMachineResult(time, courses, units, units, ends, empty[:, 1:], empty)


def test_a_state_is_read_where_one_pointer_alone_is_up():
    rows = [[40, 0, 2, 0], [0, 0, 40, 0], [40, 0, 40, 0], [0, 0, 0, 0], [0, 40, 0, 0]]
    rows.append([40, 40, 0, 0])
    assert read_states(made(rows)).tolist() == [[0, 1, *[NO_STATE] * 4]]
    assert read_states(made([[np.nan] * 4])).tolist() == [[NO_STATE]]


def test_a_short_run_has_its_shape_and_expectation():
    timing = SpikingTiming(settle_s=0.05, start_s=0.1, period_s=0.25, symbol_s=0.05)
    machine = SpikingMachine(two_state_automaton(), network=SMALL)
    result = simulate_spiking_machine(
        machine, [[0, 1], [1, 1]], timing=timing, seed=3, compiled=False
    )
    assert result.courses.shape == (80, 2, 3, 2)
    assert result.expected.tolist() == [[0, 1, 0], [0, 0, 0]]
    assert result.read_s == pytest.approx([0.3, 0.55, 0.8])
    cue = (result.time_s > 0.07) & (result.time_s < 0.15)
    assert result.courses[cue, :, X, 0].mean() > result.courses[cue, :, X, 1].mean()


@pytest.mark.slow
def test_a_symbol_moves_the_state_only_where_the_table_says_so():
    machine = SpikingMachine(two_state_automaton())
    result = simulate_spiking_machine(machine, [[1, 0, 0]], seed=40)
    assert read_states(result).tolist() == result.expected.tolist() == [[0, 0, 1, 1]]


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ParameterError, match=r"\d+ states and \d+ moves in patches of 4 units"):
        SpikingMachine(random_automaton(n_states=8, n_symbols=2, seed=0))
    with pytest.raises(ParameterError, match="phi_in"):
        SpikingMachine(two_state_automaton(), phi_in=-1.0)
    with pytest.raises(ParameterError, match="period_s"):
        SpikingTiming(period_s=0.4, symbol_s=0.3)
    with pytest.raises(ParameterError, match="symbol"):
        simulate_spiking_machine(SpikingMachine(two_state_automaton()), [[0, 2]])
