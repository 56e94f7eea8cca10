"""Up-states: every worked number, the closed forms by simulation, and bad input."""

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from swta.circuit import Motif
from swta.memory import (
    CoupledPair,
    Cue,
    is_up,
    measure_up_rates,
    pair_network,
    persistence_range,
    persists,
    persists_gently,
    saddle_rate,
    simulate_boundary,
    simulate_cues,
    simulate_gentle_start,
    simulate_persistence_map,
    up_rate,
    with_gamma,
)
from swta.validation import ParameterError

MOTIF = Motif(alpha=0.9, beta1=3.0, beta2=0.25, T_E=0.3, T_N=1.0, n_units=2)
PAIR = CoupledPair(MOTIF, 0.3)


@pytest.mark.parametrize(
    ("gamma", "rate", "saddle"),
    [
        (0.2, 4.15, 3.0),
        (0.3, 4.909, 1.5),
        (0.4, 6.0, 1.0),
        (0.6, 10.8, 0.6),
        (0.8, 54.0, 0.43),
    ],
)
def test_up_state_and_saddle_have_their_worked_values(gamma, rate, saddle):
    pair = CoupledPair(MOTIF, gamma)
    assert persists(pair)
    assert up_rate(pair) == pytest.approx(rate, abs=5e-3)
    assert saddle_rate(pair) == pytest.approx(saddle, abs=5e-3)


def test_persistence_range_of_the_worked_example():
    assert persistence_range(MOTIF) == pytest.approx((0.175, 0.85))
    assert not persists(CoupledPair(MOTIF, 0.05))


def test_state_after_a_cue_is_the_worked_one():
    gammas = [0.0, 0.05, 0.2, 0.3, 0.4, 0.6, 0.8]
    pairs = with_gamma(PAIR, gammas)
    result = simulate_cues(pairs, [Cue(6.0, 30.0)] * 7, retention=400, dt=0.02)
    expected = [0, 0, 0, 4.909, 6.0, 10.8, 54.0]
    assert measure_up_rates(result) == pytest.approx(expected, abs=1e-3)
    assert result.x[-1, :, 1] == pytest.approx(np.zeros(7), abs=1e-9)
    assert result.y[-1, :, 0] == pytest.approx(expected, abs=1e-3)


def test_gentle_start_keeps_the_state_that_a_cue_loses():
    kept = simulate_gentle_start(with_gamma(PAIR, [0.2]), 4.1, duration=400)
    assert measure_up_rates(kept) == pytest.approx([4.1538], abs=1e-3)


def test_boundary_lies_between_the_worked_couplings():
    starts = [2.0, 3.5, 3.8, 4.0, 4.1, 4.3, 8.0, 12.0]
    below = simulate_gentle_start(with_gamma(PAIR, [0.17] * 8), starts, duration=1500)
    assert measure_up_rates(below) == pytest.approx(np.zeros(8), abs=1e-6)
    above = simulate_gentle_start(with_gamma(PAIR, [0.18]), 4.1, duration=1500)
    assert measure_up_rates(above) == pytest.approx([up_rate(CoupledPair(MOTIF, 0.18))], abs=1e-4)


def test_second_cue_replaces_the_state_unless_it_is_too_strong():
    amplitudes = [2, 4, 6, 8, 10, 14, 18]
    series = [[Cue(6.0, 30.0), Cue(a, 30.0)] for a in amplitudes]
    result = simulate_cues([PAIR] * 7, series, retention=300, dt=0.02)
    assert measure_up_rates(result, 0) == pytest.approx(np.zeros(7), abs=1e-6)
    expected = [4.909] * 5 + [0, 0]
    assert measure_up_rates(result, 1) == pytest.approx(expected, abs=1e-3)


def test_measured_boundary_is_the_predicted_one():
    motifs = [Motif(alpha=a, T_E=0.3, T_N=1.0, n_units=2) for a in (0.6, 0.9)]
    measured = simulate_boundary(motifs, resolution=2e-3, duration=600)
    assert measured == pytest.approx([persistence_range(m)[0] for m in motifs], rel=0.02)


def test_boundary_is_missing_where_no_coupling_helps():
    weak = Motif(alpha=0.5, beta1=0.1, beta2=0.25, T_E=0.3, T_N=1.0, n_units=2)
    assert persistence_range(weak)[0] > persistence_range(weak)[1]
    assert np.isnan(simulate_boundary([weak], resolution=0.1, duration=100)[0])


def test_map_separates_existing_reached_and_unstable_states():
    result = simulate_persistence_map(
        MOTIF, [0.9, 1.0], [0.1, 0.2, 0.4, 0.8], cue=Cue(6.0, 30.0), retention=300
    )
    assert result.stable.tolist() == [[True] * 4, [True, True, True, False]]
    assert result.gentle.tolist() == [[False, True, True, True], [True, True, True, False]]
    assert result.cued[0].tolist() == [False, False, True, True]


@st.composite
def persistent_pairs(draw):
    """A pair with an up-state, some way inside the limits of γ."""
    motif = Motif(
        alpha=draw(st.floats(0.0, 0.95)),
        beta1=draw(st.floats(1.0, 4.0)),
        beta2=draw(st.floats(0.1, 0.6)),
        T_E=draw(st.floats(0.05, 0.5)),
        T_N=draw(st.floats(0.5, 2.0)),
        n_units=2,
    )
    lowest, highest = persistence_range(motif)
    inside = draw(st.floats(0.15, 0.8))
    gamma = lowest + inside * (highest - lowest)
    assume(highest - lowest > 0.2 and gamma > 0)
    return CoupledPair(motif, gamma)


few = settings(max_examples=2, deadline=None, phases=[Phase.generate])  # slow to shrink


@few
@given(pairs=st.lists(persistent_pairs(), min_size=10, max_size=10))
def test_up_rate_and_saddle_by_simulation(pairs):
    """Just below the saddle a pair falls, from the up-state's neighbourhood it returns to it."""
    rates = np.array([up_rate(p) for p in pairs])
    near = simulate_gentle_start(pairs, 1.02 * rates, duration=300)
    assert measure_up_rates(near) == pytest.approx(rates, rel=1e-4)
    saddles = np.array([saddle_rate(p) for p in pairs])
    onset = np.array([p.motif.T_N / p.motif.beta2 for p in pairs])
    low = simulate_gentle_start(pairs, 0.97 * saddles, duration=300)
    assert not is_up(pairs, measure_up_rates(low)).any()
    start = np.minimum(1.03 * saddles, onset)
    high = simulate_gentle_start(pairs, start, duration=2.0)
    assert (measure_up_rates(high)[start > saddles] > saddles[start > saddles]).all()


@few
@given(pairs=st.lists(persistent_pairs(), min_size=8, max_size=8))
def test_condition_of_existence_by_simulation(pairs):
    lowest = np.array([persistence_range(p.motif)[0] for p in pairs])
    assume((lowest > 0.1).all())
    above = [CoupledPair(p.motif, g + 0.03) for p, g in zip(pairs, lowest, strict=True)]
    below = [CoupledPair(p.motif, g - 0.03) for p, g in zip(pairs, lowest, strict=True)]
    assert persists_gently(above, duration=500).all()
    assert not persists_gently(below, duration=500).any()


def test_batch_of_pairs_equals_single_pairs():
    pairs = with_gamma(PAIR, [0.1, 0.3, 0.5])
    together = simulate_cues(pairs, [Cue()] * 3, retention=50)
    for k, pair in enumerate(pairs):
        alone = simulate_cues([pair], [Cue()], retention=50)
        assert together.x[:, k] == pytest.approx(alone.x[:, 0], abs=1e-12)


def test_units_that_are_not_coupled_do_not_touch():
    network = pair_network(PAIR)
    across = network.weights[:3, 3:]
    assert across == pytest.approx(np.diag([0.3, 0.3, 0.0]))
    assert network.labels[0] == "X unit 0" and network.labels[-1] == "Y inhibitory unit"


def test_noise_is_seeded():
    def run(seed):
        return simulate_cues([PAIR], [Cue()], retention=5, noise_sd=0.1, seed=seed).x

    assert (run(1) == run(1)).all()
    assert np.abs(run(1) - run(2)).max() > 1e-3


@pytest.mark.parametrize("gamma", [-0.1, 0.85, 2.0, float("nan")])
def test_gamma_outside_the_stable_range_is_refused_with_the_range(gamma):
    with pytest.raises(ParameterError, match=r"gamma = .*\[0, 0\.85\).*above gamma = 0\.175"):
        CoupledPair(MOTIF, gamma)


def test_rates_of_a_pair_without_up_state_are_refused_with_the_range():
    for closed_form in (up_rate, saddle_rate):
        with pytest.raises(ParameterError, match=r"gamma = 0\.1 .*\(0\.175, 0\.85\)"):
            closed_form(CoupledPair(MOTIF, 0.1))


@pytest.mark.parametrize("field", ["T_E", "T_N", "alpha2"])
def test_unfit_motifs_are_refused(field):
    value = 0.1 if field == "alpha2" else 0.0
    with pytest.raises(ParameterError, match=field):
        CoupledPair(Motif(**{**vars(MOTIF), field: value}), 0.3)


def test_bad_cues_and_batches_are_refused():
    with pytest.raises(ParameterError, match="amplitude"):
        Cue(amplitude=-1)
    with pytest.raises(ParameterError, match="duration"):
        Cue(duration=0)
    with pytest.raises(ParameterError, match="1 cue series"):
        simulate_cues([PAIR, PAIR], [Cue()], retention=5)
    with pytest.raises(ParameterError, match="all equally long"):
        simulate_cues([PAIR, PAIR], [[Cue()], [Cue(), Cue()]], retention=5)
    with pytest.raises(ParameterError, match="same duration"):
        simulate_cues([PAIR, PAIR], [Cue(), Cue(duration=3)], retention=5)
    with pytest.raises(ParameterError, match="a unit of its own"):
        simulate_cues([PAIR], [[Cue()] * 3], retention=5)
    with pytest.raises(ParameterError, match="retention"):
        simulate_cues([PAIR], [Cue()], retention=0)
    with pytest.raises(ParameterError, match="0 pairs"):
        pair_network([])
    with pytest.raises(ParameterError, match="resolution"):
        simulate_boundary([MOTIF], resolution=0)
