"""Pairs and machines on the chip: whole numbers, up-states, machines, and bad input."""

from dataclasses import replace

import numpy as np
import pytest

from swta.circuit import Motif
from swta.memory import (
    Automaton,
    ChipDesign,
    CoupledPair,
    Cue,
    SparseCoupling,
    StateMachine,
    Timing,
    TransitionCells,
    couplings_near,
    full_coupling,
    least_cores,
    machine_chip_network,
    measure_errors,
    measure_lifetimes,
    measure_response_times,
    measure_states,
    pair_chip_network,
    place_machine,
    random_automaton,
    random_sequences,
    simulate_chip_boundary,
    simulate_chip_cues,
    simulate_chip_machines,
    simulate_chip_sparsity,
    two_state_automaton,
    up_rate,
)
from swta.truenorth import place
from swta.validation import ParameterError

MOTIF = Motif(alpha=0.9, beta1=3.0, beta2=0.25, T_E=0.3, T_N=1.0, n_units=2)
PAIR = CoupledPair(MOTIF, 0.4)
CELLS = TransitionCells(phi_in=0.5, phi_out=2.0, T_z=6.0, strength=5.6)
MACHINE = StateMachine(two_state_automaton(), MOTIF, 0.4, CELLS)
DESIGN = ChipDesign()


def test_pair_becomes_the_whole_numbers_of_the_mapping():
    network = pair_chip_network(PAIR, DESIGN)
    populations = {p.name: p for p in network.populations}
    assert (np.asarray(populations["X unit_0"].leak) == -3).all()  # T_E: 0.3 / 16 · 160
    assert (np.asarray(populations["Y pool"].leak) == -4).all()  # T_N: 1 / 16 · 64
    weights = {(p.pre, p.post): p.weight for p in network.projections}
    assert weights["X unit_0", "X unit_0"] == 9
    assert weights["X unit_0", "Y unit_0"] == weights["Y unit_0", "X unit_0"] == 4
    assert weights["X pool", "X unit_1"] == -30
    assert ("X unit_0", "Y unit_1") not in weights
    floors = np.asarray(populations["X unit_0"].negative_threshold)
    assert floors.tolist() == list(range(0, 160, 10))
    assert (np.asarray(populations["X unit_0"].potential) == -floors).all()


def test_every_neuron_of_a_unit_hears_its_unit_and_partner_once():
    network = pair_chip_network(PAIR, DESIGN)
    heard = {}
    for projection, matrix in zip(network.projections, network.matrices(), strict=True):
        key = projection.pre, projection.post
        heard[key] = heard.get(key, 0) + matrix.toarray().astype(int)
    assert (heard["X unit_0", "X unit_0"] == 1).all()
    assert (heard["Y unit_1", "X unit_1"] == 1).all()
    assert (heard["X unit_0", "X pool"] == 1).all()


@pytest.mark.parametrize("connections", [1, 3, 8, 16])
def test_sparse_coupling_is_balanced(connections):
    matrix = SparseCoupling(connections, 2).matrix(16)
    assert (matrix.sum(0) == connections).all() and (matrix.sum(1) == connections).all()
    assert SparseCoupling(connections, 2).gamma(DESIGN) == connections * 2 / 160


def test_nearest_couplings_prefer_many_connections():
    found = couplings_near([0.0, 0.1, 0.175], DESIGN)
    assert [c.gamma(DESIGN) for c in found] == pytest.approx([0.0, 0.1, 0.175])
    assert found[1] == SparseCoupling(16, 1)
    assert full_coupling(PAIR, DESIGN) == SparseCoupling(16, 4)


def test_up_state_outlasts_its_cue_at_the_predicted_rate():
    cues = [Cue(a, 300.0) for a in (0.0, 4.0, 8.0)]
    result = simulate_chip_cues([PAIR] * 3, cues, retention=2000)
    level = MOTIF.T_N / MOTIF.beta2 / 2
    assert (measure_lifetimes(result, level)[1:] > 1900).all()
    late = result.x[-20:, :, 0].mean(0)
    assert late[0] == 0
    assert late[1:] == pytest.approx(up_rate(PAIR), rel=0.01)
    assert result.y[-20:, 1, 0].mean() == pytest.approx(up_rate(PAIR), rel=0.01)
    assert (result.x[:, :, 1] == 0).all()


def test_weak_coupling_does_not_hold_the_state():
    pair = replace(PAIR, gamma=0.1)
    result = simulate_chip_cues([pair], [Cue(6.0, 300.0)], retention=1500)
    assert result.x[-1, 0, 0] == 0


def test_background_is_noise_without_a_mean():
    noisy = ChipDesign(background=0.025)
    result = simulate_chip_cues(
        [PAIR] * 2, [Cue(0.0, 300.0), Cue(4.0, 300.0)], retention=3000, design=noisy
    )
    assert result.x[:, 0].max() < 2
    assert result.x[-20:, 1, 0].mean() == pytest.approx(up_rate(PAIR), rel=0.05)
    with pytest.raises(ParameterError, match=r"background = 0\.01"):
        ChipDesign(background=0.01)


def test_boundary_on_the_chip_is_near_the_closed_form():
    result = simulate_chip_boundary(MOTIF, [0.9], retention=2000, n_gammas=7, span=0.5)
    assert result.predicted == pytest.approx([0.175])
    assert result.measured == pytest.approx(result.predicted, rel=0.15)
    assert not result.up[0, 0] and result.up[0, -1]
    assert (np.diff(result.gammas[0]) > 0).all()


def test_one_connection_in_sixteen_is_enough_if_it_is_strong():
    couplings = [SparseCoupling(1, 64), SparseCoupling(16, 4), SparseCoupling(4, 4)]
    result = simulate_chip_sparsity(PAIR, couplings, Cue(6.0, 300.0), trials=2, retention=1500)
    assert result.survival.tolist() == [1.0, 1.0, 0.0]
    assert result.connections.tolist() == [1 / 16, 1.0, 0.25]
    assert result.gammas == pytest.approx([0.4, 0.4, 0.1])


def test_machine_on_one_core_answers_all_symbols():
    sequences = random_sequences(MACHINE.automaton, n_sequences=10, n_symbols=10, seed=3)
    placement = place_machine(MACHINE)
    assert placement.n_cores == 1
    results = simulate_chip_machines([MACHINE] * 10, sequences)
    assert not any(measure_errors(r).any() for r in results)
    times = np.concatenate([measure_response_times(r) for r in results])
    changes = sum((np.diff(r.expected) != 0).sum() for r in results)
    assert len(times) == changes and times.max() < 150


def test_symbols_that_change_nothing_change_nothing():
    result = simulate_chip_machines([MACHINE], [[1, 1, 0, 0]])[0]
    assert measure_states(result)[0].tolist() == [0, 0, 0, 1, 1]
    assert result.transition.shape[-1] == 2


def test_random_automaton_of_eight_states_runs_on_the_chip():
    automaton = random_automaton(n_states=8, n_symbols=4, seed=1)
    machine = StateMachine(automaton, MOTIF, 0.4, CELLS)
    placement = place_machine(machine)
    assert least_cores(machine) <= placement.n_cores <= 16
    sequence = random_sequences(automaton, n_sequences=1, n_symbols=12, seed=0)
    result = simulate_chip_machines([machine], sequence, placements=[placement])[0]
    assert not measure_errors(result).any()


def test_machines_of_different_sizes_share_a_chip():
    states = ("p", "q", "r")
    table = {(s, "a"): t for s, t in zip(states, ("q", "r", "r"), strict=True)}
    table |= {(s, "b"): "p" for s in states}
    other = StateMachine(Automaton(states, ("a", "b"), table, "p"), MOTIF, 0.4, CELLS)
    first, second = simulate_chip_machines([MACHINE, other], [[0, 1], [0, 0]])
    assert measure_states(first)[0].tolist() == [0, 1, 0]
    assert measure_states(second)[0].tolist() == [0, 1, 2]


def test_machine_too_large_says_how_many_cores_it_needs():
    machine = StateMachine(random_automaton(n_states=8, n_symbols=4, seed=0), MOTIF, 0.4, CELLS)
    needed = place_machine(machine).n_cores
    with pytest.raises(ParameterError, match=f"needs {needed} cores; allowed: {needed - 1}"):
        place_machine(machine, max_cores=needed - 1)
    with pytest.raises(ParameterError, match=r"needs at least \d+ cores; allowed: 1"):
        place_machine(machine, max_cores=1)


def test_machine_beyond_a_chip_is_refused_before_it_is_placed():
    n = 130
    states, symbols = tuple(f"q{k}" for k in range(n)), tuple(f"s{k}" for k in range(n - 1))
    table = {(s, a): states[(k + 1 + j) % n] for k, s in enumerate(states)
             for j, a in enumerate(symbols)}  # fmt: skip
    machine = StateMachine(Automaton(states, symbols, table, "q0"), MOTIF, 0.4, CELLS)
    with pytest.raises(ParameterError, match=r"needs at least \d{4} cores; allowed: 4096"):
        place_machine(machine, ChipDesign(neurons_per_cell=64))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"phi_in": 0.53}, "phi_in would be a weight of 5.3"),
        ({"phi_out": 2.03}, "phi_out would be a weight of 81.2"),
        ({"T_z": 5.65}, "T_z would be a weight of 56.5"),
        ({"strength": 5.4}, "strength would be a weight of 6.75"),
    ],
)
def test_numbers_that_do_not_become_whole_are_named(change, message):
    machine = StateMachine(two_state_automaton(), MOTIF, 0.4, replace(CELLS, **change))
    with pytest.raises(ParameterError, match=message):
        machine_chip_network(machine, ChipDesign(max_error=0.001))


def test_bad_input_is_refused():
    with pytest.raises(ParameterError, match=r"gamma would be a weight of 3\.5"):
        full_coupling(replace(PAIR, gamma=0.35), DESIGN)
    with pytest.raises(ParameterError, match="1 cues for 2 pairs"):
        simulate_chip_cues([PAIR, PAIR], [Cue()], retention=100)
    with pytest.raises(ParameterError, match="at most 16"):
        simulate_chip_cues([PAIR], [Cue(20.0, 100.0)], retention=100)
    with pytest.raises(ParameterError, match="delays"):
        ChipDesign(delays=(0, 1))
    with pytest.raises(ParameterError, match="connections"):
        SparseCoupling(17, 1).matrix(16)
    with pytest.raises(ParameterError, match="bin_ticks = 70"):
        simulate_chip_machines([MACHINE], [[0]], bin_ticks=70)
    with pytest.raises(ParameterError, match="2 sequences for 1 machines"):
        simulate_chip_machines([MACHINE], [[0], [0, 1]])
    with pytest.raises(ParameterError, match="start_cue"):
        simulate_chip_machines([MACHINE], [[0]], timing=Timing(100.0, 300.0, 40.0, 250.0))


def test_pair_of_the_worked_example_fits_one_core():
    assert place(pair_chip_network(CoupledPair(MOTIF, 0.3), DESIGN)).n_cores == 1
