"""How memory ends: noise, mismatch, inhibition, odd symbols; and the task built from it."""

import numpy as np
import pytest

from swta.circuit import Motif
from swta.memory import (
    NO_STATE,
    CoupledPair,
    Cue,
    StateMachine,
    Timing,
    TransitionCells,
    distractor_threshold,
    draw_mismatch,
    match_to_sample,
    measure_errors,
    measure_shortest,
    measure_termination,
    measure_up_rates,
    pair_network,
    random_automaton,
    random_sequences,
    silence_runaway,
    simulate_cues,
    simulate_lifetimes,
    simulate_machine,
    simulate_match,
    simulate_mismatched_pairs,
    simulate_presentation,
    simulate_termination,
    termination_threshold,
    two_state_automaton,
)
from swta.validation import ParameterError

MOTIF = Motif(alpha=0.9, beta1=3.0, beta2=0.25, T_E=0.3, T_N=1.0, n_units=2)
PAIR = CoupledPair(MOTIF, 0.4)
CELLS = TransitionCells(phi_in=0.5, phi_out=2.0, T_z=6.0, strength=5.6)
MACHINE = StateMachine(two_state_automaton(), MOTIF, 0.4, CELLS)


def test_lifetimes_fall_with_noise_and_are_censored():
    result = simulate_lifetimes(PAIR, [0.05, 0.8], trials=20, retention=120)
    assert (result.lifetimes[0] == 120).all() and np.isinf(result.medians[0])
    assert result.medians[1] < 40
    assert result.surviving([0.0, 119.0]) == pytest.approx(
        np.array([[1.0, 1.0], [1.0, (result.lifetimes[1] >= 119).mean()]])
    )


def test_distractors_below_the_threshold_leave_the_state():
    threshold = distractor_threshold(PAIR)
    assert threshold == pytest.approx(1.8)  # 3 (0.25 · 6 - 1) + 0.3
    series = [[Cue(6.0, 30.0), Cue(a * threshold, 30.0)] for a in (0.95, 1.3)]
    rates = measure_up_rates(simulate_cues([PAIR] * 2, series, retention=100), 0)
    assert rates == pytest.approx([6.0, 0.0], abs=1e-3)


def test_drive_to_inhibition_ends_the_state():
    threshold = termination_threshold(PAIR)
    assert threshold == pytest.approx(0.75)  # 1 - 0.25 · 0.3 / 0.3
    result = simulate_termination(PAIR, [0.0, 0.5 * threshold, 1.1 * threshold], [1.0, 60.0])
    assert result.ended[1].tolist() == [0, 0, 1]
    assert result.ended[0].tolist() == [0, 0, 0]
    found = measure_termination(result)
    assert np.isnan(found[0]) and found[1] == pytest.approx(1.1 * threshold)


def test_mismatch_has_its_size_and_keeps_signs():
    network = pair_network(PAIR)
    drawn = draw_mismatch(network, 0.1, draws=400, seed=1)
    used = network.weights != 0
    factors = drawn.weights[:, used] / network.weights[used]
    assert factors.std() == pytest.approx(0.1, rel=0.05) and (factors > 0).all()
    assert (drawn.weights[:, ~used] == 0).all()
    assert (draw_mismatch(network, 0.1, draws=3, seed=1).weights == drawn.weights[:3]).all()
    with pytest.raises(ParameterError, match="a stack of 3"):
        draw_mismatch(draw_mismatch(network, 0.1, draws=3, seed=1), 0.1, draws=1, seed=0)


def test_runaway_draws_are_silenced():
    strong = pair_network(CoupledPair(MOTIF, 0.8))
    network, silenced = silence_runaway(draw_mismatch(strong, 0.2, draws=50, seed=0), 2)
    assert 0 < silenced.sum() < 50
    assert (network.weights[silenced] == 0).all() and (network.weights[~silenced] != 0).any()


def test_pairs_hold_both_states_up_to_some_mismatch():
    kept = simulate_mismatched_pairs(PAIR, [0.0, 0.1, 0.4], draws=30, retention=60.0)
    assert kept[0].all() and kept[1].mean() > 0.9 and kept[2].mean() < kept[1].mean()


def test_machine_bears_ten_percent_mismatch_of_every_weight():
    sequences = random_sequences(MACHINE.automaton, n_sequences=30, n_symbols=2, seed=4)
    run = simulate_machine(MACHINE, sequences, timing=Timing(), mismatch_sd=0.1, seed=2)
    assert measure_errors(run).mean() < 0.05


def test_short_and_weak_symbols_do_nothing():
    found = measure_shortest(MACHINE, "s", [2.0, 5.6], [1.0, 4.0, 12.0])
    assert np.isnan(found[0]) and found[1] in (4.0, 12.0)
    with pytest.raises(ParameterError, match="does not leave"):
        measure_shortest(MACHINE, "r", [5.6], [10.0])


def test_simultaneous_symbols():
    shown = simulate_presentation(MACHINE, [[5.6, 0.0], [0.0, 5.6], [0.0, 0.0]], 20.0)
    assert shown.final.tolist() == [1, 0, 0]
    both = simulate_presentation(MACHINE, [[5.6, 5.6]], [10.0])
    assert both.final[0] in (0, 1, NO_STATE) and both.states == ("A", "B")
    with pytest.raises(ParameterError, match="one column for each of the 2 symbols"):
        simulate_presentation(MACHINE, [[1.0]], 10.0)


def test_presentation_of_a_two_phase_machine_ends_in_the_right_state():
    automaton = match_to_sample()
    machine = StateMachine(automaton, MOTIF, 0.4, CELLS)
    shown = simulate_presentation(machine, [[5.6, 0.0, 0.0], [0.0, 5.6, 0.0]], 20.0)
    assert [shown.states[k] for k in shown.final] == ["holds a", "holds b"]


def test_match_to_sample_is_a_complete_table():
    automaton = match_to_sample(("a", "b", "c"))
    assert automaton.run(["b", "b", "clear", "a", "c", "a"])[2:] == [
        "match", "wait", "holds a", "non-match", "non-match",
    ]  # fmt: skip
    with pytest.raises(ParameterError, match="none 'clear'"):
        match_to_sample(("a", "clear"))


def test_task_is_solved_without_noise_and_its_errors_have_a_cause():
    machine = StateMachine(match_to_sample(), MOTIF, 0.4, CELLS)
    clean = simulate_match(machine, [60.0, 90.0], trials=6, noise_sd=0.0)
    assert clean.correct.all() and clean.kept.all() and not clean.lost.any()
    noisy = simulate_match(machine, [60.0], trials=20, noise_sd=0.6)
    assert noisy.correct.mean() < 0.9
    assert not (noisy.kept & noisy.lost).any()
    with pytest.raises(ParameterError, match="delay"):
        simulate_match(machine, [10.0], trials=1, noise_sd=0.0)
    with pytest.raises(ParameterError, match="match_to_sample"):
        simulate_match(MACHINE, [60.0], trials=1, noise_sd=0.0)


def test_random_automata_are_complete_and_connected():
    automaton = random_automaton(n_states=6, n_symbols=2, seed=4)
    assert len(automaton.transitions) == 12 and len(automaton.reachable()) == 6
    assert random_automaton(n_states=6, n_symbols=2, seed=4) == automaton
    with pytest.raises(ParameterError, match="n_states"):
        random_automaton(n_states=1, n_symbols=2, seed=0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: simulate_lifetimes(PAIR, [], trials=3, retention=20),
        lambda: simulate_lifetimes(PAIR, [0.1], trials=0, retention=20),
        lambda: simulate_termination(PAIR, [0.5], [0.0]),
        lambda: draw_mismatch(pair_network(PAIR), 2.0, draws=1, seed=0),
    ],
)
def test_bad_settings_are_refused(call):
    with pytest.raises(ParameterError):
        call()
