"""The motif on a core: whole numbers, layout, constraints, and rates."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from swta.circuit.theory import Motif, steady_state
from swta.truenorth import (
    PRIMITIVES,
    MotifRequest,
    fit_thresholds,
    map_motif,
    measure_transfer,
    predict_rates,
    simulate_motifs,
    simulate_softness,
    without,
)
from swta.validation import ParameterError

SET_B = MotifRequest()
FOUR_ROLES = replace(
    SET_B,
    motif=replace(SET_B.motif, T_E=1 / 64, T_N=2 / 64),
    feedforward=0.125,
    feedforward_lines=8,
)


def test_set_b_is_exact():
    mapped = map_motif(SET_B)
    weights = (mapped.input_weight, mapped.recurrent_weight, mapped.feedback_weight)
    assert weights == (64, 1, 3)
    assert (mapped.inhibitory_weight, mapped.feedforward_weight, mapped.leak) == (1, 0, 0)
    assert mapped.realised == {
        "input_gain": 1.0,
        "alpha": 0.5,
        "beta1": 1.5,
        "beta2": 0.5,
        "T_E": 0.0,
        "T_N": 0.0,
        "feedforward": 0.0,
    }


def test_all_primitives_together_are_exact():
    mapped = map_motif(FOUR_ROLES)
    expected = {"T_E": 1 / 64, "T_N": 2 / 64, "feedforward": 0.125, "alpha": 0.5}
    assert expected.items() <= mapped.realised.items()
    assert (mapped.leak, mapped.inhibitory_leak, mapped.feedforward_weight) == (-1, -2, 1)


def strengths(mapped):
    """Sum of weights from each source or population on each neuron, read from the cores."""
    placed = mapped.placement
    total = {}
    drivers = {name: rows[:, [0, 1, 2]] for name, rows in placed.lines.items()}
    for name, copies in placed.copies.items():
        rows = []
        for neuron, (core, slot) in enumerate(placed.places[name]):
            for copy in range(slot, slot + copies[neuron]):
                target = placed.neurons["target_core"][core, copy]
                rows.append((neuron, target, placed.neurons["target_axon"][core, copy]))
        drivers[name] = np.array(rows)
    for pre, rows in drivers.items():
        for post, places in placed.places.items():
            matrix = np.zeros((rows[:, 0].max() + 1, len(places)), dtype=int)
            for line, core, axon in rows[rows[:, 1] >= 0]:
                mine = places[:, 0] == core
                slots = places[mine, 1]
                weight = placed.neurons["weights"][core, slots, placed.axon_type[core, axon]]
                matrix[line, mine] += placed.crossbar[core, axon, slots] * weight
            total[pre, post] = matrix
    return total


@pytest.mark.parametrize(("n_units", "lines", "cores"), [(3, 8, 1), (9, 2, 4), (32, 1, 17)])
def test_layout(n_units, lines, cores):
    """Weights from each population on each, read from the cores, against the ratios."""
    request = replace(
        FOUR_ROLES,
        motif=replace(FOUR_ROLES.motif, n_units=n_units),
        feedforward=lines / 64,
        feedforward_lines=lines,
        threshold=64,
        inhibitory_threshold=64 if n_units < 32 else 256,
    )
    if n_units == 9:
        request = replace(request, neurons_per_unit=16, inhibitory_neurons=16)
    mapped = map_motif(request)
    placed = mapped.placement
    assert placed.n_cores <= cores
    per_unit, alpha, beta1, beta2 = request.neurons_per_unit, 32, -96, 0.5
    total = strengths(mapped)
    for k in range(n_units):
        unit = f"unit_{k}"
        for j in range(n_units):
            same = np.zeros((per_unit, per_unit), dtype=int)
            same[:lines] = -1
            if j == k:
                same += 64 * np.eye(per_unit, dtype=int)
                assert (total[unit, unit].sum(0) == alpha).all()
            else:
                assert not total[f"unit_{j}", unit].any()
            np.testing.assert_array_equal(total[f"input_{j}", unit], same)
        assert (total["pool", unit].sum(0) == beta1).all()
        assert (total[unit, "pool"].sum(0) == beta2 * request.inhibitory_threshold).all()
        assert not total[f"input_{k}", "pool"].any()
    assert not total["pool", "pool"].any()


def test_three_units_share_one_core_with_the_pool():
    placed = map_motif(FOUR_ROLES).placement
    assert placed.axons_used.tolist() == [96 + 96 + 32 + 24]
    assert placed.neurons_used.tolist() == [128]
    assert len(set(placed.axon_type[0, : placed.axons_used[0]])) == 4


@pytest.mark.parametrize("n_units", [8, 32])
def test_many_units_follow_the_closed_form(n_units):
    """Rates of a motif over many cores; half of the inputs would not fire alone."""
    motif = Motif(alpha=0.5, beta1=1.0, beta2=0.25, n_units=n_units)
    mapped = map_motif(replace(SET_B, motif=motif, inhibitory_threshold=128))
    assert mapped.placement.n_cores > 1
    inputs = np.linspace(0.05, 0.4, n_units)
    result = simulate_motifs([mapped], [inputs], n_ticks=3000, seed=0)
    agreement = measure_transfer(result)
    assert agreement.r2 > 0.99
    assert agreement.rmse < 0.02
    assert (result.predicted == 0).any()


def test_a_quarter_of_set_a_would_be_rounded_away():
    """alpha = 0.6 needs a weight of 1.2 at threshold 64; another threshold makes it whole."""
    set_a = replace(SET_B, motif=Motif(alpha=0.6, beta1=1.5, beta2=0.5, n_units=3))
    with pytest.raises(
        ParameterError, match=r"recurrent_weight = 1.2 would be rounded to 1.*16.7%"
    ):
        map_motif(set_a)
    fitted = fit_thresholds(set_a)
    realised = map_motif(fitted).realised
    for name, wanted in {"alpha": 0.6, "beta1": 1.5, "beta2": 0.5}.items():
        assert realised[name] == pytest.approx(wanted, rel=0.002)
    assert fitted.negative_threshold == 10 * fitted.threshold


@given(
    alpha=st.floats(0.1, 0.9),
    beta1=st.floats(0.2, 3.0),
    beta2=st.floats(0.1, 1.0),
    per_unit=st.integers(8, 32),
    pool=st.integers(8, 32),
)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_rounding_stays_within_half_a_unit(alpha, beta1, beta2, per_unit, pool):
    motif = Motif(alpha=alpha, beta1=beta1, beta2=beta2, n_units=3)
    request = fit_thresholds(
        MotifRequest(motif=motif, neurons_per_unit=per_unit, inhibitory_neurons=pool, max_error=1.0)
    )
    mapped = map_motif(request)
    realised = mapped.realised
    assert abs(realised["alpha"] - alpha) <= 0.5 * per_unit / mapped.threshold + 1e-9
    assert abs(realised["beta1"] - beta1) <= 0.5 * pool / mapped.threshold + 1e-9
    assert abs(realised["beta2"] - beta2) <= 0.5 * per_unit / request.inhibitory_threshold + 1e-9
    assume(realised["alpha"] < 1)
    same = replace(motif, **{k: realised[k] for k in ("alpha", "beta1", "beta2")})
    inputs = [0.3, 0.2, 0.1]
    expected = np.minimum(steady_state(same, inputs), 1)
    np.testing.assert_allclose(predict_rates(mapped, inputs), expected)


def test_prediction_with_feedforward_inhibition_lowers_every_input_alike():
    mapped = map_motif(FOUR_ROLES)
    inputs = np.array([[0.3, 0.2, 0.1], [0.2, 0.2, 0.2]])
    effective = inputs - 0.125 * inputs.sum(1, keepdims=True)
    np.testing.assert_allclose(
        predict_rates(mapped, inputs), steady_state(FOUR_ROLES.motif, effective)
    )


def test_prediction_ends_at_one_spike_per_tick():
    free = without(map_motif(SET_B), "Sst")
    np.testing.assert_allclose(predict_rates(free, [0.2, 0.5, 0.9]), [0.4, 1.0, 1.0])


@pytest.mark.parametrize("primitive", PRIMITIVES)
def test_a_lesion_changes_one_number(primitive):
    mapped = map_motif(FOUR_ROLES)
    lesioned = without(mapped, primitive)
    field = {
        "Pvalb": "feedforward_weight",
        "Sst": "feedback_weight",
        "Vip": "inhibitory_leak",
        "Lamp5": "threshold",
    }[primitive]
    expected = 51 if primitive == "Lamp5" else 0
    assert lesioned == replace(mapped, **{field: expected})
    assert getattr(mapped, field) != expected


def test_unknown_primitive():
    with pytest.raises(ParameterError, match="primitive = 'PV'; allowed: Pvalb, Sst, Vip, Lamp5"):
        without(map_motif(SET_B), "PV")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {
                "motif": Motif(alpha=0.94, beta1=1.5, beta2=0.5, n_units=3),
                "neurons_per_unit": 240,
                "threshold": 255,
                "max_error": 1.0,
            },
            "fan-in: neuron 0 of population 'unit_0' listens to 273 lines from 'input_0', 'pool'",
        ),
        ({"neurons_per_unit": 97, "inhibitory_neurons": 30}, "cannot be cut into equal parts"),
        ({"feedforward": 0.1, "feedforward_lines": 33}, "allowed: 0 … 32"),
        ({"feedforward": 0.1}, "give both or neither"),
        ({"feedforward_lines": 4}, "give both or neither"),
        ({"inhibitory_threshold": 100_000}, "inhibitory_weight = 1562 does not fit the nine bits"),
        ({"threshold": 65}, r"(feedback|recurrent)_weight = 1\.02 would be rounded"),
    ],
)
def test_what_does_not_fit(changes, message):
    with pytest.raises(ParameterError, match=message):
        _ = map_motif(replace(SET_B, **{"max_error": 0.01} | changes)).placement


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"motif": Motif(alpha=0.5, alpha2=0.1, n_units=3)}, "alpha2 = 0.1"),
        ({"threshold": 256}, "threshold = 256 is out of range; allowed: 1 … 255"),
        ({"threshold": 0}, "threshold = 0"),
        ({"inhibitory_threshold": 0}, "inhibitory_threshold = 0"),
        ({"negative_threshold": -1}, "negative_threshold = -1"),
        ({"neurons_per_unit": 0}, "neurons_per_unit = 0"),
        ({"inhibitory_neurons": 257}, "inhibitory_neurons = 257"),
        ({"feedforward": -0.1}, "feedforward = -0.1"),
        ({"feedforward_lines": -1}, "feedforward_lines = -1"),
        ({"max_error": -1.0}, "max_error = -1"),
    ],
)
def test_bad_request(changes, message):
    with pytest.raises(ParameterError, match=message):
        MotifRequest(**changes)


def test_inputs_fit_the_motif():
    mapped = [map_motif(SET_B)]
    with pytest.raises(ParameterError, match=r"inputs of shape \(1, 2\); allowed: \(1, 3\)"):
        simulate_motifs(mapped, [[0.1, 0.2]], n_ticks=10, seed=0)
    with pytest.raises(ParameterError, match=r"input rate = 1.2 .* \[0, 1\] spikes per tick"):
        simulate_motifs(mapped, [[0.1, 0.2, 1.2]], n_ticks=10, seed=0)


INPUTS = [(0.10, 0.08, 0.05), (0.20, 0.15, 0.10), (0.30, 0.30, 0.10)]
# Worked rates in spikes per tick, 3 seeds of 10 000 ticks, per negative threshold in thresholds.
TABLE_A = {
    0: [(0.090, 0.072, 0.044), (0.163, 0.122, 0.081), (0.222, 0.222, 0.074)],
    1: [(0.059, 0.036, 0.015), (0.123, 0.062, 0.027), (0.158, 0.159, 0.016)],
    10: [(0.072, 0.022, 0.000), (0.154, 0.030, 0.000), (0.157, 0.158, 0.000)],
}
TABLE_B = {
    0: [(0.090, 0.072, 0.044), (0.163, 0.122, 0.081), (0.222, 0.222, 0.074)],
    1: [(0.054, 0.037, 0.015), (0.112, 0.063, 0.028), (0.152, 0.152, 0.016)],
    10: [(0.065, 0.025, 0.000), (0.138, 0.037, 0.000), (0.149, 0.150, 0.000)],
}
CLOSED_B = [(0.065, 0.025, 0.0), (0.1375, 0.0375, 0.0), (0.150, 0.150, 0.0)]


@pytest.mark.parametrize(("alpha", "table"), [(0.6, TABLE_A), (0.5, TABLE_B)], ids="AB")
def test_worked_rates(alpha, table):
    """Both means have a standard error of about 0.0006, and three digits are printed."""
    motif = Motif(alpha=alpha, beta1=1.5, beta2=0.5, n_units=3)
    request = SET_B if alpha == 0.5 else fit_thresholds(replace(SET_B, motif=motif))
    depths = [k * request.threshold for k in table]
    result = simulate_softness(request, depths, INPUTS, n_seeds=3, n_ticks=10_000, seed=0)
    np.testing.assert_allclose(result.rates.mean(2), list(table.values()), atol=0.003)
    assert result.rates.std(2).max() < 0.002
    if alpha == 0.5:
        np.testing.assert_allclose(result.predicted, CLOSED_B, atol=1e-9)
        np.testing.assert_allclose(result.rates[-1].mean(1), CLOSED_B, atol=0.003)
