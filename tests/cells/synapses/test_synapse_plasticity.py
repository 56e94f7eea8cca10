"""Tsodyks-Markram synapses: closed forms, another integrator, fits of recorded trains."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from swta.cells.synapses import plasticity
from swta.cells.synapses.plasticity import (
    PROTOCOL_MS,
    fit_paired_pulses,
    fit_plasticity,
    measure_plasticity,
    simulate_release,
)
from swta.validation import ParameterError


def test_protocol_is_eight_pulses_at_50_hz_a_pause_of_250_ms_and_four_more():
    gaps = np.diff(PROTOCOL_MS)
    np.testing.assert_allclose(gaps, [20.0] * 7 + [250.0] + [20.0] * 3)


def test_paired_pulse_ratio_is_the_closed_form():
    use, tau_d, tau_f, gap = 0.3, 150.0, 80.0, 50.0
    second = simulate_release([0.0, gap], use, tau_d, tau_f)[1]
    u = use + use * (1 - use) * np.exp(-gap / tau_f)
    resources = 1 - use * np.exp(-gap / tau_d)
    assert second == pytest.approx(u * resources / use, rel=1e-12)


def test_long_train_reaches_the_closed_steady_state():
    use, tau_d, tau_f, gap = 0.2, 200.0, 100.0, 20.0
    train = simulate_release(gap * np.arange(400), use, tau_d, tau_f)
    e_f, e_d = np.exp(-gap / tau_f), np.exp(-gap / tau_d)
    u = use / (1 - (1 - use) * e_f)
    resources = (1 - e_d) / (1 - (1 - u) * e_d)
    assert train[-1] == pytest.approx(u * resources / use, rel=1e-9)


def test_trains_agree_with_the_differential_equations():
    use, tau_d, tau_f = 0.25, 120.0, 60.0
    times = np.array([0.0, 20.0, 45.0, 200.0])
    u, resources, before, out = 0.0, 1.0, 0.0, []
    for time in times:
        if time > before:
            y = solve_ivp(
                lambda _, y: [-y[0] / tau_f, (1 - y[1]) / tau_d],
                (before, time),
                [u, resources],
                rtol=1e-10,
                atol=1e-12,
            ).y[:, -1]
            u, resources = y
        u += use * (1 - u)
        out.append(u * resources / use)
        resources -= u * resources
        before = time
    np.testing.assert_allclose(simulate_release(times, use, tau_d, tau_f), out, rtol=1e-7)


def test_no_time_constants_mean_no_memory():
    np.testing.assert_array_equal(simulate_release([0.0, 5.0, 9.0], 0.7, 0.0, 0.0), 1.0)


def test_a_long_rest_restores_the_first_amplitude():
    assert simulate_release([0.0, 20.0, 1e5], 0.5, 300.0, 300.0)[2] == pytest.approx(1.0)


def test_parameters_of_many_synapses_go_in_one_call():
    many = simulate_release(PROTOCOL_MS, [0.1, 0.5], [100.0, 300.0], [200.0, 5.0])
    assert many.shape == (2, 12)
    np.testing.assert_array_equal(many[1], simulate_release(PROTOCOL_MS, 0.5, 300.0, 5.0))


def test_induction_and_recovery_are_the_pipelines_medians():
    amplitudes = np.array([1.0, 9, 9, 9, 9, 4, 2, 3, 2, 10, 13, 8])
    induction, recovery = measure_plasticity(amplitudes, 2.0)
    assert induction == (3.0 - 1.0) / 2.0  # median of pulses 6-8, pulse 1
    assert recovery == np.median([1.0, 1.0, 4.0, -1.0]) / 2.0


@pytest.mark.parametrize(
    ("induction", "recovery", "strong"), [(-0.5, -0.15, 1.0), (-0.2, -0.05, 1.5), (0.2, 0.1, 3.0)]
)
def test_fit_gives_the_statistics_back(induction, recovery, strong):
    fit = fit_plasticity(induction, recovery, strong, induction_sd=0.01, recovery_sd=0.01)
    train = simulate_release(PROTOCOL_MS, fit.U, fit.tau_d_ms, fit.tau_f_ms)
    found = measure_plasticity(train, strong)
    np.testing.assert_allclose(found, (induction, recovery), atol=0.03)
    for name, (low, high) in fit.quartiles.items():
        assert low < getattr(fit, name) < high


def test_statistics_of_a_known_synapse_are_recovered_as_far_as_they_determine_it():
    true = (0.4, 250.0, 4.0)
    induction, recovery = measure_plasticity(simulate_release(PROTOCOL_MS, *true), 1.0)
    fit = fit_plasticity(
        float(induction), float(recovery), 1.0, induction_sd=1e-3, recovery_sd=1e-3
    )
    assert pytest.approx(true[0], rel=0.1) == fit.U
    assert fit.tau_d_ms == pytest.approx(true[1], rel=0.1)


def test_trains_that_shrink_get_no_facilitation_and_growing_ones_do():
    shrinks = fit_plasticity(-0.4, -0.1, 1.0, induction_sd=0.05)
    grows = fit_plasticity(0.2, 0.08, 4.0, induction_sd=0.05)
    assert shrinks.tau_f_ms < 20.0 < 100.0 < grows.tau_f_ms
    assert simulate_release([0.0, 20.0], shrinks.U, shrinks.tau_d_ms, shrinks.tau_f_ms)[1] < 1
    assert grows.U < shrinks.U


def test_larger_errors_leave_more_to_the_prior():
    tight, loose = (fit_plasticity(-0.7, -0.3, 1.0, induction_sd=sd) for sd in (0.02, 0.5))
    widths = [np.log(fit.quartiles["U"][1] / fit.quartiles["U"][0]) for fit in (tight, loose)]
    assert widths[0] < widths[1]


def test_paired_pulse_ratios_are_reproduced():
    fit = fit_paired_pulses({10.0: (0.92, 0.01), 20.0: (0.9, 0.01)})
    ratios = [
        simulate_release([0.0, gap], fit.U, fit.tau_d_ms, fit.tau_f_ms)[1] for gap in (100.0, 50.0)
    ]
    np.testing.assert_allclose(ratios, (0.92, 0.9), atol=0.02)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: simulate_release([0.0, 0.0], 0.5, 100.0, 100.0), "increase"),
        (lambda: simulate_release([], 0.5, 100.0, 100.0), "increase"),
        (lambda: fit_plasticity(-0.1, 0.0, 0.0, induction_sd=0.1), "strong = 0"),
        (lambda: fit_plasticity(-0.1, 0.0, 1.0, induction_sd=0.0), "induction_sd"),
        (lambda: fit_paired_pulses({10.0: (0.9, 0.0)}), "standard error at 10 Hz"),
    ],
)
def test_impossible_input_is_refused(call, message):
    with pytest.raises(ParameterError, match=message):
        call()


def test_an_optimiser_that_stops_early_names_the_pair(monkeypatch):
    real = plasticity.least_squares
    stopped = lambda *args, **options: real(*args, **options, max_nfev=1)  # noqa: E731
    monkeypatch.setattr(plasticity, "least_squares", stopped)
    with pytest.raises(ParameterError, match=r"Pyr → Sst: the optimiser did not converge"):
        fit_plasticity(-0.5, -0.1, 1.0, induction_sd=0.01, name="Pyr → Sst")
