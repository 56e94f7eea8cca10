"""Rate simulation: agreement with an ODE solver, invariances, noise statistics, and bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from swta.circuit import (
    ConvergenceError,
    DivergenceError,
    Motif,
    RateNetwork,
    StepInputs,
    motif_network,
    settle,
    settle_network,
    simulate_network,
    simulate_rate,
)
from swta.validation import ParameterError

INPUTS = np.array([10.0, 9.0, 8.0, 3.0])


def solve(motif, inputs, duration):
    network = motif_network(motif)
    current = np.r_[inputs, 0.0] - network.thresholds
    solution = solve_ivp(
        lambda _, x: -x + np.maximum(0, network.weights @ x + current),
        (0, duration),
        np.zeros(len(current)),
        rtol=1e-10,
        atol=1e-12,
        max_step=0.01,
    )
    return solution.y[:-1, -1]


@pytest.mark.parametrize("alpha", [0.5, 0.9, 1.2])
def test_course_agrees_with_an_ode_solver_to_first_order_in_the_step(alpha):
    motif = Motif(alpha=alpha, alpha2=0.05, T_E=0.3, T_N=1.0)
    exact = solve(motif, INPUTS, 3.0)
    error = [
        np.abs(simulate_rate(motif, INPUTS, duration=3.0, dt=dt).rates[-1, 0] - exact).max()
        for dt in (0.01, 0.005)
    ]
    assert error[0] < 0.01 * exact.max()
    assert error[1] == pytest.approx(error[0] / 2, rel=0.15)


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(4)))
def test_permuting_units_permutes_rates(order):
    order = list(order)
    motif = Motif(alpha=0.8)
    assert settle(motif, INPUTS[order])[0] == pytest.approx(settle(motif, INPUTS)[0, order])


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(0.01, 100))
def test_without_thresholds_rates_scale_with_inputs(scale):
    motif = Motif(alpha=0.8)
    whole = simulate_rate(motif, INPUTS, duration=5).rates
    assert simulate_rate(motif, scale * INPUTS, duration=5).rates == pytest.approx(scale * whole)


def test_batch_equals_loop_over_conditions_and_motifs():
    batch = np.stack([INPUTS, INPUTS[::-1], 0.5 * INPUTS])
    motifs = [Motif(alpha=a) for a in (0.5, 0.9, 1.2)]
    together = simulate_rate(motifs, batch, duration=10)
    for k, motif in enumerate(motifs):
        alone = simulate_rate(motif, batch[k], duration=10)
        assert together.rates[:, k] == pytest.approx(alone.rates[:, 0], abs=1e-12)
        assert together.inhibition[:, k] == pytest.approx(alone.inhibition[:, 0], abs=1e-12)
    shared = simulate_rate(motifs[0], batch, duration=10)
    assert shared.rates[:, 0] == pytest.approx(together.rates[:, 0], abs=1e-12)
    assert settle(motifs, INPUTS)[1] == pytest.approx(settle(motifs[1], INPUTS)[0], abs=1e-8)


def test_forms_of_time_varying_input_agree():
    motif = Motif()
    steps = StepInputs(np.array([0.0, 5.0]), np.stack([INPUTS, INPUTS[::-1]]))
    by_steps = simulate_rate(motif, steps, duration=10).rates
    by_function = simulate_rate(
        motif, lambda t: INPUTS if t < 5 - 1e-9 else INPUTS[::-1], duration=10
    ).rates
    assert by_steps == pytest.approx(by_function, abs=1e-12)
    assert (
        np.abs(by_steps[-1, 0] - simulate_rate(motif, INPUTS, duration=10).rates[-1, 0]).max() > 1
    )


def test_samples_are_where_they_should_be():
    every = simulate_rate(Motif(), INPUTS, duration=2, dt=0.01)
    tenth = simulate_rate(Motif(), INPUTS, duration=2, dt=0.01, record_every=10)
    assert every.time[-1] == pytest.approx(2) and len(every.time) == 201
    assert tenth.time == pytest.approx(every.time[::10])
    assert tenth.rates == pytest.approx(every.rates[::10])
    assert (every.rates[0] == 0).all()


def test_initial_rates_are_kept_at_time_zero():
    start = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    result = simulate_rate(Motif(), INPUTS, duration=1, initial=start)
    assert result.rates[0, 0] == pytest.approx(start[:4])
    assert result.inhibition[0, 0] == 5


def test_noise_has_the_stated_spread_and_correlation():
    """A cell without recurrence and far from threshold passes an OU current of s.d. σ as σ/√2."""
    network = RateNetwork(np.zeros((1, 1)), np.zeros(1), ("cell",))
    result = simulate_network(
        network, np.full((200, 1), 50.0), duration=300, dt=0.05, noise_sd=2.0, seed=1, initial=50.0
    )
    rates = result.rates[1000:, :, 0]
    expected = 2.0 * np.sqrt(1 / (1 + 1))  # low-pass of equal time constants
    assert rates.std() == pytest.approx(expected, rel=0.03)
    assert rates.mean() == pytest.approx(50, abs=0.05)


def test_noise_depends_on_the_seed_only():
    def run(seed):
        return simulate_rate(Motif(), INPUTS, duration=2, noise_sd=0.5, seed=seed).rates

    assert (run(0) == run(0)).all()
    assert np.abs(run(0) - run(1)).max() > 0.01


def test_divergence_names_cell_condition_and_time():
    network = RateNetwork(np.array([[1.5]]), np.zeros(1), ("unit 0",))
    with pytest.raises(DivergenceError, match=r"unit 0 of condition 1 reached .* tau"):
        simulate_network(network, [[0.0], [1.0]], duration=200)
    with pytest.raises(DivergenceError, match="unit 0 of condition 1"):
        settle_network(network, [[0.0], [1.0]])


def test_unsettled_network_says_what_still_moves():
    with pytest.raises(ConvergenceError, match=r"of condition 0 still changes .* 5 tau"):
        settle(Motif(alpha=0.99), INPUTS, longest=5)


def test_step_above_the_stable_one_is_refused():
    motif = Motif(n_units=16, beta1=10.0, beta2=1.0)
    limit = motif_network(motif).largest_step
    assert limit < 0.02
    with pytest.raises(ParameterError, match=r"dt = 0\.02"):
        simulate_rate(motif, np.ones(16), duration=1, dt=0.02)
    fine = simulate_rate(motif, np.ones(16), duration=60, dt=0.9 * limit).rates[-1]
    assert fine == pytest.approx(settle(motif, np.ones(16)), abs=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"duration": 0}, "duration"),
        ({"duration": float("nan")}, "duration"),
        ({"dt": -0.1}, "dt"),
        ({"noise_sd": -1}, "noise_sd"),
        ({"noise_tau": 0}, "noise_tau"),
        ({"record_every": 0}, "record_every"),
        ({"seed": -1}, "seed"),
        ({"initial": -1.0}, "initial"),
        ({"initial": np.ones(3)}, "initial rates of shape"),
        ({"inputs": np.ones(3)}, "n_units = 4"),
        ({"inputs": [1, 2, 3, np.inf]}, "not finite"),
        ({"inputs": lambda t: np.ones(3)}, "n_units = 4"),
    ],
)
def test_bad_settings_are_refused(change, message):
    settings = {"inputs": INPUTS, "duration": 1.0} | change
    with pytest.raises(ParameterError, match=message):
        simulate_rate(Motif(), settings.pop("inputs"), **settings)


def test_bad_networks_and_inputs_are_refused():
    with pytest.raises(ParameterError, match="weights of shape"):
        RateNetwork(np.zeros((2, 3)), np.zeros(2), ("a", "b"))
    with pytest.raises(ParameterError, match="thresholds of shape"):
        RateNetwork(np.zeros((2, 2)), np.zeros(3), ("a", "b"))
    with pytest.raises(ParameterError, match="not finite"):
        RateNetwork(np.full((1, 1), np.nan), np.zeros(1), ("a",))
    for onsets in ([1.0, 2.0], [0.0, 0.0], []):
        with pytest.raises(ParameterError, match="onsets"):
            StepInputs(np.array(onsets), np.zeros((len(onsets), 1)))
    with pytest.raises(ParameterError, match="one per onset"):
        StepInputs(np.array([0.0, 1.0]), np.zeros((1, 1)))
    with pytest.raises(ParameterError, match="same n_units"):
        simulate_rate([Motif(n_units=2), Motif(n_units=3)], [1, 2], duration=1)
    with pytest.raises(ParameterError, match="0 motifs"):
        motif_network([])
    stack = motif_network([Motif(n_units=1)] * 3)
    with pytest.raises(ParameterError, match="2 conditions do not fit 3 networks"):
        simulate_network(stack, np.ones((2, 2)), duration=1)
    with pytest.raises(ParameterError, match="inputs of shape"):
        simulate_network(stack, np.ones(5), duration=1)
    with pytest.raises(ParameterError, match="not finite"):
        simulate_network(stack, [np.nan, 1], duration=1)
