"""Closed forms against the worked values, against each other, and their errors."""

import numpy as np
import pytest

from swta.circuit import (
    STABILITY_CLASSES,
    Motif,
    contraction_bounds,
    group_eigenvalues,
    hysteresis_area,
    hysteresis_half_width,
    mode_rates,
    motif_network,
    stability_class,
    steady_state,
    suppression_ratio,
    winner_eigenvalues,
    winner_gain,
    winner_rate,
)
from swta.validation import ParameterError


@pytest.mark.parametrize(("alpha", "gain"), [(0.9, 1.1765), (1.2, 1.8182), (1.4, 2.8571)])
def test_winner_gain_has_its_worked_value(alpha, gain):
    assert winner_gain(Motif(alpha=alpha)) == pytest.approx(gain, abs=5e-5)


@pytest.mark.parametrize(
    ("alpha", "kappa"),
    [(0, 0.429), (0.5, 0.600), (0.8, 0.789), (0.9, 0.882), (1, 1), (1.2, 1.364), (1.4, 2.143)],
)
def test_suppression_ratio_has_its_worked_value(alpha, kappa):
    assert suppression_ratio(Motif(alpha=alpha)) == pytest.approx(kappa, abs=5e-4)


@pytest.mark.parametrize(
    ("alpha", "inputs", "rates"),
    [
        (0.9, (10, 8, 6), (11.765, 0, 0)),
        (1.2, (10, 8, 6), (18.182, 0, 0)),
        (1.4, (10, 8, 6), (28.571, 0, 0)),
        (0.5, (10, 9, 8), (5.2727, 3.2727, 1.2727)),
        (0.8, (10, 9, 8), (8.0882, 3.0882, 0)),
        (0.5, (10, 8, 6), (6.5, 2.5, 0)),
    ],
)
def test_steady_state_has_its_worked_value(alpha, inputs, rates):
    motif = Motif(alpha=alpha, n_units=3)
    assert steady_state(motif, inputs) == pytest.approx(rates, abs=5e-4)


def test_winner_rate_includes_both_thresholds():
    motif = Motif(alpha=1.2, T_E=0.3, T_N=1.0)
    expected = (10 - 0.3 + 3.0 * 1.0) / (1 + 0.75 - 1.2)
    assert winner_rate(motif, 10) == pytest.approx(expected)
    assert winner_rate(motif, 0.3) == 0


def test_winner_rate_is_uninhibited_below_the_inhibitory_threshold():
    motif = Motif(alpha=0.5, T_N=10.0)
    assert winner_rate(motif, [4.0, 0.0]) == pytest.approx([8.0, 0.0])


def test_tonic_drive_silences_a_weak_input():
    assert winner_rate(Motif(T_N=-1.0), [2.9, 4.0]) == pytest.approx([0, (4 - 3) / 0.85])


@pytest.mark.parametrize(
    ("alpha", "expected"),
    [
        (1.0, [-0.5 + 0.707j, -0.5 - 0.707j]),
        (1.3, [-0.35 + 0.572j, -0.35 - 0.572j]),
        (1.6, [-0.2 + 0.332j, -0.2 - 0.332j]),
        (1.7, [-0.15 + 0.166j, -0.15 - 0.166j]),
        (1.74, [-0.047, -0.213]),
    ],
)
def test_eigenvalues_have_their_worked_values(alpha, expected):
    assert winner_eigenvalues(Motif(alpha=alpha)) == pytest.approx(expected, abs=5e-4)


def test_eigenvalue_crosses_zero_beyond_the_linear_limit():
    assert group_eigenvalues(1.76, 0.75) == pytest.approx([0.036, -0.276], abs=5e-4)
    assert group_eigenvalues(1.75, 0.75)[0] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("alpha", "width"), [(0.9, -0.75), (1.2, 1.846), (1.4, 4.364)])
def test_hysteresis_half_width_has_its_worked_value(alpha, width):
    assert hysteresis_half_width(Motif(alpha=alpha), 6.0) == pytest.approx(width, abs=5e-4)


def test_soft_motif_has_no_loop_area():
    assert hysteresis_area(Motif(alpha=0.9), 6.0) == 0
    assert hysteresis_area(Motif(alpha=1.2), 6.0) == pytest.approx(
        4 * 6 * 1.8182 * 1.8462, rel=1e-4
    )


def test_contraction_bound_of_the_worked_example():
    assert contraction_bounds(0.75) == pytest.approx((1, 1.732), abs=5e-4)
    for outside in (0.25, 1.0, float("nan")):
        with pytest.raises(ParameterError, match="beta1 beta2"):
            contraction_bounds(outside)


def test_stability_classes_of_a_map():
    loop = 0.75
    classes = stability_class([0.9, 1.2, 1.74, 1.76], loop)
    assert [STABILITY_CLASSES[k] for k in classes] == [
        "soft",
        "hard, within the contraction bounds",
        "hard, stable outside the bounds",
        "unstable",
    ]


def test_stability_classes_agree_with_eigenvalues():
    for alpha in np.linspace(0.0513, 2.1537, 22):
        for loop in np.linspace(0.05, 1.55, 16):
            stable = group_eigenvalues(alpha, loop).real.max() < 0
            assert (stability_class(alpha, loop) != 3) == stable


@pytest.mark.parametrize("n_units", [1, 2, 3, 4, 7])
def test_mode_rates_are_eigenvalues_of_the_ring(n_units):
    motif = Motif(alpha=0.4, alpha2=0.15, n_units=n_units)
    network = motif_network(motif)
    jacobian = np.linalg.eigvals(network.weights - np.eye(n_units + 1))
    for rate in mode_rates(motif):
        assert np.abs(jacobian.real - rate).min() < 1e-9
    assert mode_rates(motif).max() == pytest.approx(jacobian.real.max())


@pytest.mark.parametrize("alpha", [3, 1.75, -0.1, float("nan"), float("inf")])
def test_alpha_outside_linear_stability_is_refused_with_the_range(alpha):
    with pytest.raises(ParameterError, match=r"alpha = .*\[0, 1\.75\)"):
        Motif(alpha=alpha)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("beta1", -1.0),
        ("beta2", float("nan")),
        ("T_E", float("inf")),
        ("T_N", float("nan")),
        ("n_units", 0),
        ("n_units", 2.5),
        ("alpha2", 0.9),
        ("alpha2", -0.1),
        ("alpha", "high"),
    ],
)
def test_bad_motif_is_refused_by_name(field, value):
    with pytest.raises(ParameterError, match=field):
        Motif(**{field: value})


def test_neighbours_lower_the_limit_of_alpha():
    Motif(alpha=1.3, alpha2=0.2)
    with pytest.raises(ParameterError, match=r"\[0, 1\.35\)"):
        Motif(alpha=1.4, alpha2=0.2)


def test_closed_forms_refuse_neighbour_coupling():
    motif = Motif(alpha=0.5, alpha2=0.1, n_units=2)
    for closed_form in (winner_gain, suppression_ratio):
        with pytest.raises(ParameterError, match="alpha2"):
            closed_form(motif)
    with pytest.raises(ParameterError, match="alpha2"):
        steady_state(motif, [1, 2])


def test_steady_state_refuses_bad_inputs():
    with pytest.raises(ParameterError, match="n_units = 4"):
        steady_state(Motif(), [1, 2])
    with pytest.raises(ParameterError, match="n_units = 4"):
        steady_state(Motif(), 1.0)
    with pytest.raises(ParameterError, match="not finite"):
        steady_state(Motif(), [1, 2, 3, np.nan])


def test_a_tie_has_no_winner_in_the_hard_regime_unless_all_are_silent():
    with pytest.raises(ParameterError, match="share the largest input"):
        steady_state(Motif(alpha=1.2, n_units=2), [5, 5])
    assert steady_state(Motif(alpha=1.2, n_units=2), [0, 0]) == pytest.approx([0, 0])


def test_soft_tie_is_shared():
    rates = steady_state(Motif(alpha=0.5, n_units=2), [5, 5])
    assert rates == pytest.approx([5 / (0.5 + 1.5)] * 2)
