"""Property tests: each closed form agrees with simulation for any stable motif."""

import numpy as np
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from swta.circuit import (
    Motif,
    hysteresis_area,
    hysteresis_half_width,
    measure_loop_area,
    motif_network,
    settle,
    simulate_rate,
    simulate_sweep,
    simulate_switch_points,
    steady_state,
    suppression_ratio,
    winner_eigenvalues,
    winner_gain,
    winner_rate,
)

quick = settings(max_examples=25, deadline=None)
few = settings(max_examples=1, deadline=None, phases=[Phase.generate])  # slow to shrink


@st.composite
def motifs(draw, *, soft: bool, n_units: int | None = None, thresholds: bool = True):
    """A stable motif, some way from α = 1 and from the stability limit, where all is slow."""
    beta1 = draw(st.floats(0.5, 4.0))
    beta2 = draw(st.floats(0.1, 0.8))
    limit = min(2.0, 1.0 + beta1 * beta2)
    lowest, highest = (0.0, 0.95) if soft else (1.1, limit - 0.1)
    assume(lowest < highest)
    return Motif(
        alpha=draw(st.floats(lowest, highest)),
        beta1=beta1,
        beta2=beta2,
        T_E=draw(st.floats(-1.0, 2.0)) if thresholds else 0.0,
        T_N=draw(st.floats(-1.0, 3.0)) if thresholds else 0.0,
        n_units=n_units or draw(st.integers(1, 8)),
    )


def draw_inputs(motif: Motif, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-2, 15, (20, motif.n_units))


@quick
@given(motif=motifs(soft=True), seed=st.integers(0, 1000))
def test_soft_steady_state_is_where_the_simulation_settles(motif, seed):
    inputs = draw_inputs(motif, seed)
    assert np.abs(settle(motif, inputs) - steady_state(motif, inputs)).max() < 1e-6


@quick
@given(motif=motifs(soft=True), seed=st.integers(0, 1000))
def test_soft_steady_state_does_not_depend_on_the_start(motif, seed):
    inputs = draw_inputs(motif, seed)
    start = np.random.default_rng(seed + 1).uniform(0, 30, (20, motif.n_units + 1))
    assert np.abs(settle(motif, inputs, initial=start) - steady_state(motif, inputs)).max() < 1e-6


@quick
@given(motif=motifs(soft=False), seed=st.integers(0, 1000))
def test_hard_steady_state_is_the_strongest_unit_alone(motif, seed):
    inputs = draw_inputs(motif, seed)
    lead = np.diff(np.sort(inputs, axis=-1), axis=-1)
    inputs = inputs[(lead[:, -1] > 0.1) if motif.n_units > 1 else slice(None)]
    assume(len(inputs))
    assert np.abs(settle(motif, inputs) - steady_state(motif, inputs)).max() < 1e-6


@quick
@given(motif=motifs(soft=True) | motifs(soft=False), winner_input=st.floats(0.5, 20))
def test_winner_rate_is_where_a_lone_unit_settles(motif, winner_input):
    lone = Motif(**{**vars(motif), "n_units": 1})
    assert np.abs(settle(lone, [winner_input]) - winner_rate(lone, winner_input)).max() < 1e-6


@quick
@given(motif=motifs(soft=True, thresholds=False) | motifs(soft=False, thresholds=False))
def test_winner_gain_is_the_slope_of_a_lone_unit(motif):
    lone = Motif(**{**vars(motif), "n_units": 1})
    rates = settle(lone, [[5.0], [7.0]])[:, 0]
    assert abs((rates[1] - rates[0]) / 2 - winner_gain(lone)) < 1e-6


@quick
@given(motif=motifs(soft=True, n_units=2, thresholds=False))
def test_rival_wakes_at_the_suppression_ratio(motif):
    kappa = suppression_ratio(motif)
    below, above = settle(motif, [[10, 10 * (kappa - 0.005)], [10, 10 * (kappa + 0.005)]])
    assert below[1] < 1e-6
    assert above[1] > 1e-3


@quick
@given(motif=motifs(soft=True, n_units=1) | motifs(soft=False, n_units=1))
def test_winner_decays_at_the_rate_of_its_eigenvalues(motif):
    """A small perturbation of a lone winner follows the matrix exponential of its eigenvalues."""
    drive = 10.0 + motif.T_E + abs(motif.T_N) * (1 + motif.beta1)
    rate = float(settle(motif, [drive])[0, 0])
    inhibition = motif.beta2 * rate - motif.T_N
    assume(rate > 1 and inhibition > 0.5)
    start = np.array([rate + 1e-3, inhibition])
    run = simulate_rate(motif, [drive], duration=2.0, dt=1e-3, initial=start, record_every=2000)
    change = np.array([run.rates[-1, 0, 0] - rate, run.inhibition[-1, 0] - inhibition]) / 1e-3
    network = motif_network(motif)
    values, vectors = np.linalg.eig(network.weights - np.eye(2))
    expected = (vectors @ np.diag(np.exp(2.0 * values)) @ np.linalg.inv(vectors))[:, 0].real
    assert np.abs(change - expected).max() < 0.02
    by_formula = np.sort_complex(winner_eigenvalues(motif))
    assert np.abs(by_formula - np.sort_complex(values.astype(complex))).max() < 1e-9


def hard_groups(size: int):
    """Several hard motifs at once, because one vectorised run costs little more than one motif.

    Above α = 1.6 the winner rings so long that a sudden change of input can unseat it early.
    """
    hard = motifs(soft=False, n_units=2, thresholds=False).filter(lambda m: m.alpha < 1.6)
    return st.lists(hard, min_size=size, max_size=size)


@few
@given(group=hard_groups(12))
def test_winner_is_lost_at_the_half_width(group):
    expected = np.array([hysteresis_half_width(m, 6.0) for m in group])
    found = simulate_switch_points(group, mean_input=6.0, resolution=0.02)
    assert (np.abs(found - expected) < 0.01 + 0.02 * expected).all()


@few
@given(group=hard_groups(12))
def test_loop_area_is_the_closed_form(group):
    """Each edge of the loop is within a stair of d*: overshoot may switch one stair early."""
    step = 0.25
    width = np.array([hysteresis_half_width(m, 6.0) for m in group])
    sweep = simulate_sweep(group, mean_input=6.0, widest=width.max() + 1, step=step, hold=60.0)
    expected = np.array([hysteresis_area(m, 6.0) for m in group])
    height = expected / (2 * width)
    assert (np.abs(measure_loop_area(sweep) - expected) < 2 * step * height).all()
