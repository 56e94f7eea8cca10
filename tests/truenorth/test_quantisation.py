"""Errors of whole numbers, and the loop that corrects what gain matching misses."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from swta.circuit.theory import Motif, steady_state
from swta.truenorth import MotifRequest, fit_thresholds, map_motif, plots
from swta.truenorth.calibration import MeasuredNumbers, calibrate, fit_driven_motif, fit_motif
from swta.truenorth.quantisation import (
    draw_motifs,
    measure_quantisation,
    quantise,
    simulate_quantisation,
)
from swta.validation import ParameterError

TARGET = Motif(alpha=0.6, beta1=1.2, beta2=0.4, T_E=0.02, T_N=0.05, n_units=3)


def best_by_hand(motif, size, limit):
    """The smallest reachable largest error of α and β₁, by trying every threshold and weight."""
    errors = []
    for threshold in range(1, limit + 1):
        reachable = size * np.arange(limit + 1) / threshold
        errors.append(
            max(
                np.abs(reachable / motif.alpha - 1).min(),
                np.abs(reachable / motif.beta1 - 1).min(),
            )
        )
    return min(errors)


@pytest.mark.parametrize("bits", [4, 6, 9])
@pytest.mark.parametrize("size", [4, 16])
def test_no_threshold_rounds_less(bits, size):
    motif = Motif(alpha=0.57, beta1=1.23, beta2=0.41, n_units=3)
    found = map_motif(quantise(motif, bits=bits, size=size)).realised
    error = max(abs(found["alpha"] / motif.alpha - 1), abs(found["beta1"] / motif.beta1 - 1))
    assert error == pytest.approx(best_by_hand(motif, size, 2 ** (bits - 1) - 1), abs=1e-9)


@pytest.mark.parametrize("bits", [3, 6, 9])
def test_all_numbers_fit_the_bits(bits):
    limit = 2 ** (bits - 1) - 1
    for motif in draw_motifs(20, seed=bits):
        mapped = map_motif(quantise(motif, bits=bits, size=8))
        numbers = (
            mapped.threshold,
            mapped.request.inhibitory_threshold,
            mapped.input_weight,
            mapped.recurrent_weight,
            mapped.feedback_weight,
            mapped.inhibitory_weight,
            abs(mapped.leak),
            abs(mapped.inhibitory_leak),
        )
        assert max(numbers) <= limit


def test_bits_help_and_neurons_cost():
    result = measure_quantisation(draw_motifs(20), bits=range(3, 10), sizes=(4, 16, 64))
    mean = result.slope_error.mean(axis=2)
    assert result.slope_error.shape == result.threshold_error.shape == (7, 3, 20)
    assert (np.diff(mean, axis=0) <= 1e-12).all()
    assert (np.diff(mean[2:], axis=1) > 0).all()
    assert mean[-1, 0] < 0.01 and mean[0, -1] == 1.0
    largest = [max(motif.T_E, motif.T_N) for motif in draw_motifs(20)]
    np.testing.assert_allclose(result.threshold_error[0, -1], largest)  # all rounded away
    assert result.threshold_error[-1].mean() < 0.003


def test_exact_numbers_have_no_error():
    exact = Motif(alpha=0.5, beta1=1.5, beta2=0.5, T_E=1 / 64, n_units=3)
    result = measure_quantisation([exact], bits=[9], sizes=[32])
    assert result.slope_error.item() == pytest.approx(0, abs=1e-12)
    assert result.threshold_error.item() < 0.001


def test_rates_improve_with_bits():
    result = simulate_quantisation(
        TARGET, bits=(3, 6, 9), sizes=(8, 32), n_inputs=6, n_ticks=1500, seed=0
    )
    assert result.error.shape == (3, 2)
    assert (result.error[2] < 0.02).all()
    assert (result.error[0] > 4 * result.error[2]).all()


def test_unstable_rounding_is_marked():
    """With 4 bits and 8 neurons, alpha = 0.6 is rounded to 8/7."""
    result = simulate_quantisation(
        replace(TARGET, T_N=0.0), bits=(4,), sizes=(4, 8), n_inputs=3, n_ticks=100, seed=0
    )
    assert np.isnan(result.error).tolist() == [[False, True]]
    alone = simulate_quantisation(
        replace(TARGET, T_N=0.0), bits=(4,), sizes=(8,), n_inputs=3, n_ticks=100, seed=0
    )
    assert np.isnan(alone.error).all()


@pytest.mark.parametrize("numbers", [(0.5, 1.5, 0.5, 0.0, 0.0), (0.8, 2.0, 0.3, 0.03, 0.02)])
def test_regression_finds_the_numbers_of_the_closed_form(numbers):
    motif = Motif(*numbers, n_units=3)
    rng = np.random.default_rng(0)
    inputs = rng.uniform(0.1, 0.5, (40, 3))
    rates = steady_state(motif, inputs)
    pool = np.maximum(0, motif.beta2 * rates.sum(1) - motif.T_N)
    found = fit_motif(inputs, rates, pool)
    for name in ("alpha", "beta1", "beta2", "T_E", "T_N"):
        assert getattr(found, name) == pytest.approx(getattr(motif, name), abs=1e-9)


def test_inputs_of_another_unit():
    """Rates under inputs in kHz, with 0.4 spikes per tick per kHz; alpha is told."""
    motif = Motif(alpha=0.4, beta1=0.8, beta2=0.6, T_E=0.02, T_N=0.01, n_units=4)
    inputs = np.random.default_rng(1).uniform(0.2, 1.5, (40, 4))
    rates = steady_state(motif, 0.4 * inputs)
    pool = np.maximum(0, motif.beta2 * rates.sum(1) - motif.T_N)
    found, gain = fit_driven_motif(inputs, rates, pool, alpha=0.4)
    assert gain == pytest.approx(0.4)
    for name in ("alpha", "beta1", "beta2", "T_E", "T_N"):
        assert getattr(found, name) == pytest.approx(getattr(motif, name), abs=1e-9)
    other, gain = fit_driven_motif(inputs, rates, pool, alpha=0.7)  # another split, the same rates
    same = replace(motif, alpha=0.7, beta1=other.beta1, T_E=other.T_E)
    np.testing.assert_allclose(steady_state(same, gain * inputs), rates, atol=1e-9)


def test_gain_of_measured_numbers():
    found = MeasuredNumbers(alpha=0.5, beta1=1.5, beta2=0.5, T_E=0.0, T_N=0.0)
    assert found.winner_gain == pytest.approx(0.8)
    assert found.suppression_ratio == pytest.approx(0.6)


def test_calibration_corrects_a_shallow_negative_threshold():
    """At two thresholds of depth, inhibition is lost; correction gets it back."""
    request = replace(MotifRequest(), negative_threshold=128)
    result = calibrate(request, rounds=3, n_inputs=30, n_ticks=3000, seed=0)
    first, best = result.rounds[0], result.best
    assert first.asked == request.motif == result.target
    assert first.measured.alpha < 0.45
    assert best is not first
    assert best.rmse < 0.8 * first.rmse
    assert best.suppression_error < 0.5 * first.suppression_error
    assert best.gain_error < 0.05
    for each in result.rounds:
        depth = each.mapped.request.negative_threshold / each.mapped.threshold
        assert depth == pytest.approx(2, abs=0.01)


def test_calibration_leaves_alone_what_is_right():
    result = calibrate(MotifRequest(), rounds=2, n_inputs=20, n_ticks=3000, seed=1)
    for each in result.rounds:
        assert each.rmse < 0.015
        assert each.gain_error < 0.02
    numbers = result.rounds[1].asked
    assert numbers.alpha == pytest.approx(0.5, abs=0.02)
    assert numbers.beta1 == pytest.approx(1.5, abs=0.04)


def test_thresholds_of_small_motifs_are_not_rounded_to_one():
    """A tiny threshold does not decide alone: its error counts in spikes per tick."""
    small = replace(MotifRequest(), motif=replace(MotifRequest().motif, T_E=1e-4))
    fitted = fit_thresholds(small)
    assert map_motif(fitted).realised["alpha"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: quantise(TARGET, bits=1, size=4), "bits = 1 is out of range; allowed: 2 … 9"),
        (lambda: quantise(TARGET, bits=10, size=4), "bits = 10"),
        (lambda: draw_motifs(0), "n = 0"),
        (
            lambda: quantise(replace(TARGET, beta1=300.0), bits=2, size=4),
            "no threshold keeps all weights within 1",
        ),
        (
            lambda: simulate_quantisation(
                replace(TARGET, T_E=0.5), bits=[9], sizes=[4], n_ticks=10, seed=0
            ),
            "no unit is active for inputs up to 0.4",
        ),
        (lambda: fit_motif(np.zeros((3, 2)), np.zeros((3, 3)), np.zeros(3)), "do not belong"),
        (lambda: fit_motif(np.zeros((3, 2)), np.zeros((3, 2)), np.zeros(3)), "0 active units"),
        (
            lambda: fit_driven_motif(np.ones((9, 2)), np.ones((9, 2)), np.ones(9), alpha=1.0),
            "alpha = 1 is out of range",
        ),
        (lambda: calibrate(MotifRequest(), rounds=0, n_ticks=10, seed=0), "rounds = 0"),
        (lambda: calibrate(MotifRequest(), step=0.0, n_ticks=10, seed=0), "step = 0"),
    ],
)
def test_bad_calls(call, message):
    with pytest.raises(ParameterError, match=message):
        call()


def test_figures():
    motifs = draw_motifs(3)
    figure, axes = plt.subplots(1, 3)
    errors = measure_quantisation(motifs, bits=(5, 9), sizes=(4, 16))
    plots.plot_quantisation(errors, axes[0])
    lines = axes[0].get_lines()[:2]
    np.testing.assert_allclose([line.get_ydata() for line in lines], errors.slope_error.mean(2).T)
    rates = simulate_quantisation(TARGET, bits=(9,), sizes=(4,), n_inputs=2, n_ticks=50, seed=0)
    plots.plot_rate_error(rates, axes[1])
    assert axes[1].get_lines()[0].get_ydata().tolist() == rates.error[0].tolist()
    result = calibrate(MotifRequest(), rounds=2, n_inputs=10, n_ticks=300, seed=0)
    plots.plot_calibration(result, axes[2])
    assert axes[2].get_lines()[0].get_ydata().tolist() == [each.rmse for each in result.rounds]
    plt.close(figure)
