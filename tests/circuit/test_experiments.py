"""Experiments on motifs: worked values, known limits, reproducibility and bad input."""

from dataclasses import replace

import numpy as np
import pytest

from swta.circuit import (
    Motif,
    Pattern,
    Selection,
    hysteresis_half_width,
    measure_closed_form_error,
    measure_loop_area,
    measure_loser_fraction,
    measure_mean_rates,
    measure_slopes,
    measure_snr,
    measure_switch_points,
    measure_winner_gain,
    predicted_switch_points,
    simulate_gain,
    simulate_modulation,
    simulate_random_inputs,
    simulate_restoration,
    simulate_selection,
    simulate_sweep,
    simulate_switch_points,
    simulate_transfer,
    steady_state,
    winner_gain,
    winner_rate,
)
from swta.validation import ParameterError

MOTIF = Motif()


def test_selection_without_noise_meets_the_closed_form():
    task = Selection(noise_sd=0.0, duration=600, seeds=2)
    result = simulate_selection(MOTIF, task)
    inputs = task.inputs(MOTIF.n_units)
    both = steady_state(MOTIF, inputs)
    plain = steady_state(replace(MOTIF, alpha=0.0), inputs)
    assert measure_mean_rates(result.together)[0] == pytest.approx(both, abs=1e-4)
    assert measure_winner_gain(result) == pytest.approx([both[0] / plain[0]] * 2, rel=1e-4)
    alone = winner_rate(MOTIF, task.strong * task.contrast)
    assert measure_loser_fraction(result) == pytest.approx([both[1] / alone] * 2, rel=1e-3)


def test_selection_with_noise_depends_on_the_seed_and_keeps_the_effect():
    first, again, other = (
        simulate_selection(MOTIF, Selection(duration=100, seeds=3, seed=seed)) for seed in (0, 0, 1)
    )
    assert (first.together.rates == again.together.rates).all()
    assert np.abs(first.together.rates - other.together.rates).max() > 0.01
    gains = measure_winner_gain(first)
    assert len(set(gains)) == 3
    assert ((gains > 1.5) & (gains < 4)).all()


def test_selection_needs_a_rival():
    with pytest.raises(ParameterError, match="n_units = 1"):
        simulate_selection(Motif(n_units=1), Selection())


def test_transfer_covers_soft_and_hard():
    task, contrasts = Selection(), np.linspace(0.5, 0.99, 12)
    for alpha in (0.9, 1.2):
        result = simulate_transfer(replace(MOTIF, alpha=alpha), task, contrasts)
        assert measure_closed_form_error(result) < 1e-6
        assert result.inputs[:, 1] == pytest.approx(10 * contrasts)
    assert (result.simulated[:, 1] < 1e-9).all()


def test_random_inputs_agree_and_are_reproducible():
    result = simulate_random_inputs(MOTIF, n_patterns=30, largest=10, seed=3)
    assert measure_closed_form_error(result) < 1e-6
    assert (
        result.inputs == simulate_random_inputs(MOTIF, n_patterns=30, largest=10, seed=3).inputs
    ).all()
    with pytest.raises(ParameterError, match="n_patterns"):
        simulate_random_inputs(MOTIF, n_patterns=0, largest=10, seed=0)


def test_gain_is_measured_without_thresholds():
    result = simulate_gain(replace(MOTIF, T_E=0.5, T_N=1.0), [0.0, 0.9, 1.4])
    assert result.simulated[:, 0] == pytest.approx([1 / 1.75, 1 / 0.85, 1 / 0.35])
    assert measure_closed_form_error(result) < 1e-6


def test_feedback_scales_and_drive_shifts_the_curve():
    inputs = np.linspace(2, 20, 6)
    scaled = simulate_modulation(MOTIF, "beta1", [3, 6], inputs)
    shifted = simulate_modulation(MOTIF, "T_N", [0, -1], inputs)
    slopes, offsets = measure_slopes(scaled)
    assert slopes == pytest.approx([winner_gain(m) for m in scaled.motifs])
    assert offsets == pytest.approx([0, 0], abs=1e-8)
    slopes, offsets = measure_slopes(shifted)
    assert slopes == pytest.approx([winner_gain(MOTIF)] * 2)
    assert offsets == pytest.approx([0, -3 * winner_gain(MOTIF)], abs=1e-8)


def test_modulation_refuses_unknown_handles_and_silent_curves():
    with pytest.raises(ParameterError, match="did you mean 'beta1'"):
        simulate_modulation(MOTIF, "beta", [1], [1, 2])
    with pytest.raises(ParameterError, match="fewer than two active points"):
        measure_slopes(simulate_modulation(MOTIF, "T_N", [-10], [1, 2]))


def test_restoration_gains_nothing_without_recurrence_and_much_with_it():
    pattern = Pattern(noise_sds=(0.5, 1.0), trials=100, seeds=3)
    plain = Motif(alpha=0, beta1=0, beta2=0)
    result = simulate_restoration([MOTIF, plain], pattern)
    gains = measure_snr(result.outputs) / measure_snr(result.inputs)
    assert gains.shape == (2, 2, 3)
    assert gains[1] == pytest.approx(np.ones((2, 3)), abs=1e-6)
    assert (gains[0] > 1.5).all()
    clean_signal, noise = pattern.clean(4).var(), 0.5**2
    assert measure_snr(result.inputs)[0].mean() == pytest.approx(clean_signal / noise, rel=0.15)


def test_restoration_refuses_unequal_motifs():
    for motifs in ([], [Motif(n_units=2), Motif(n_units=3)]):
        with pytest.raises(ParameterError, match="n_units"):
            simulate_restoration(motifs, Pattern(seeds=2, trials=2))


def test_sweep_has_its_worked_switch_points():
    motifs = [replace(MOTIF, alpha=a) for a in (0.9, 1.2, 1.4)]
    sweep = simulate_sweep(motifs, mean_input=6, widest=4, step=0.1)
    up, down = measure_switch_points(sweep)
    assert up == pytest.approx([0.1, 1.9, np.nan], nan_ok=True)
    assert down == pytest.approx([-0.1, -1.9, np.nan], nan_ok=True)
    area = measure_loop_area(sweep)
    assert area[0] == pytest.approx(0, abs=0.05)
    assert area[1] > 50
    assert area[2] == pytest.approx(0, abs=0.05)  # never switched, so the branches coincide


def test_switch_points_agree_with_the_closed_form():
    motifs = [replace(MOTIF, alpha=a, T_E=0.3, T_N=0.2) for a in (1.1, 1.2, 1.4)]
    found = simulate_switch_points(motifs, mean_input=6, resolution=5e-3)
    expected = predicted_switch_points(motifs, 6)
    assert expected[1] == pytest.approx(hysteresis_half_width(motifs[1], 6))
    assert found == pytest.approx(expected, rel=0.01)


def test_hysteresis_refuses_what_has_no_meaning():
    with pytest.raises(ParameterError, match=r"alpha = 0\.9"):
        simulate_switch_points([MOTIF], mean_input=6)
    with pytest.raises(ParameterError, match="widest = 13"):
        simulate_sweep([MOTIF], mean_input=6, widest=13)
    with pytest.raises(ParameterError, match="mean_input"):
        simulate_sweep([MOTIF], mean_input=-1, widest=1)
    with pytest.raises(ParameterError, match="resolution"):
        simulate_switch_points([replace(MOTIF, alpha=1.2)], mean_input=6, resolution=0)


@pytest.mark.parametrize(
    ("record", "change"),
    [
        (Selection, {"strong": 0}),
        (Selection, {"contrast": 1.5}),
        (Selection, {"background": -0.1}),
        (Selection, {"noise_sd": float("nan")}),
        (Selection, {"noise_tau": 0}),
        (Selection, {"duration": 1}),
        (Selection, {"seeds": 0}),
        (Selection, {"seeds": 1}),
        (Selection, {"seed": -1}),
        (Pattern, {"peak": 0}),
        (Pattern, {"ground": 10}),
        (Pattern, {"noise_sds": ()}),
        (Pattern, {"noise_sds": (0.5, -1)}),
        (Pattern, {"trials": 1}),
        (Pattern, {"seeds": 0}),
        (Pattern, {"seed": 0.5}),
    ],
)
def test_bad_records_are_refused_by_name(record, change):
    with pytest.raises(ParameterError, match=next(iter(change))):
        record(**change)


def test_zero_seeds_names_the_allowed_range():
    with pytest.raises(ParameterError, match="seeds = 0 is out of range; allowed: 2 … 10000"):
        Selection(seeds=0)
