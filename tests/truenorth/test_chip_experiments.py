"""Experiments and measures on the chip."""

from dataclasses import replace

import numpy as np
import pytest

from swta.truenorth import (
    MotifRequest,
    drive,
    lesion_effects,
    map_motif,
    measure_agreement,
    measure_loser_fraction,
    measure_role_correspondence,
    measure_speed,
    measure_transfer,
    measure_unit_error,
    simulate_lesions,
    simulate_motifs,
    simulate_softness,
    simulate_threshold_linear,
    simulate_transfer,
)
from swta.validation import ParameterError

SET_B = MotifRequest()
INPUTS = [(0.30, 0.22, 0.12), (0.30, 0.27, 0.15)]
FOUR_ROLES = replace(
    SET_B, motif=replace(SET_B.motif, T_N=2 / 64), feedforward=0.125, feedforward_lines=8
)

# Excitatory rate, inhibitory rate, measured with beta = 0 and with a wide negative range.
WORKED = [
    (0.05, 0.0, 0.026, 0.026),
    (0.1, 0.0, 0.051, 0.051),
    (0.2, 0.0, 0.099, 0.099),
    (0.4, 0.0, 0.199, 0.199),
    (0.05, 0.1, 0.010, 0.000),
    (0.1, 0.1, 0.029, 0.002),
    (0.2, 0.1, 0.073, 0.054),
    (0.4, 0.1, 0.165, 0.153),
]


@pytest.mark.parametrize(("beta", "column"), [(0, 2), (640, 3)])
def test_worked_single_neuron(beta, column):
    """The worked numbers are one neuron over 20 000 ticks: standard error up to 0.002."""
    table = np.array(WORKED)
    result = simulate_threshold_linear(
        table[:, 0], inhibition=table[:, 1], negative_threshold=beta, n_ticks=5000, seed=0
    )
    np.testing.assert_allclose(result.measured, table[:, column], atol=0.005)
    expected = np.maximum(0, (table[:, 0] - table[:, 1]) / 2)
    np.testing.assert_allclose(result.predicted, expected, atol=1e-12)


def test_threshold_linear_with_leak_and_saturation():
    result = simulate_threshold_linear(
        [0.2, 0.2, 0.9, 0.9],
        leak=[1, -1, 3, 0],
        threshold=[8, 8, 4, 9],
        negative_threshold=3000,
        weight=6,
        n_ticks=4000,
        seed=1,
    )
    np.testing.assert_allclose(result.predicted, [2.2 / 8, 0.2 / 8, 1.0, 5.4 / 9])
    np.testing.assert_allclose(result.measured, result.predicted, atol=0.004)
    assert measure_unit_error(result) < 0.005


def test_transfer_follows_the_closed_form():
    result = simulate_transfer(SET_B, n_inputs=20, low=0.0, high=0.4, n_ticks=2000, seed=3)
    assert result.inputs.shape == result.rates.shape == (20, 3)
    assert (result.inputs >= 0).all() and (result.inputs <= 0.4).all()
    agreement = measure_transfer(result)
    assert agreement.r2 > 0.99
    assert agreement.rmse < 0.02
    assert agreement.slope == pytest.approx(1, abs=0.03)
    assert agreement.n == 60
    beta2_x = 0.5 * result.rates.sum(1)
    np.testing.assert_allclose(result.inhibitory, beta2_x, atol=0.005)
    assert result.synaptic_events > 0


def test_chunks_and_copies_leave_the_input_as_it_is(monkeypatch):
    mapped = [map_motif(FOUR_ROLES)] * 2
    whole = simulate_motifs(mapped, INPUTS, n_ticks=300, settle=50, seed=0)
    monkeypatch.setattr(drive, "CHUNK_DRAWS", 2 * 96 * 64)
    parts = simulate_motifs(mapped, INPUTS, n_ticks=300, settle=50, seed=0)
    np.testing.assert_array_equal(whole.rates, parts.rates)
    other = simulate_motifs(mapped, INPUTS, n_ticks=300, settle=50, seed=1)
    assert (whole.rates != other.rates).any()


def test_softness_grows_as_the_negative_threshold_shrinks():
    result = simulate_softness(SET_B, [0, 32, 640], INPUTS, n_seeds=2, n_ticks=1500, seed=0)
    fraction = measure_loser_fraction(result)
    assert fraction.shape == (3, 2, 2)
    assert (np.diff(fraction.mean(-1), axis=0) < -0.05).all()
    assert result.rates.shape == (3, 2, 2, 3)


def test_every_lesion_acts_as_in_the_rate_model():
    result = simulate_lesions(FOUR_ROLES, INPUTS, n_ticks=4000, seed=0)
    assert result.removed == ("", "Pvalb", "Sst", "Vip", "Lamp5")
    chip, model = lesion_effects(result)
    assert chip.shape == model.shape == (4, 2, 3)
    assert measure_role_correspondence(result) > 0.97
    idle = simulate_lesions(SET_B, INPUTS, n_ticks=20, seed=0)
    with pytest.raises(ParameterError, match="Pvalb has no effect"):
        measure_role_correspondence(idle)
    total = model[..., 2].mean(1)
    assert total[0] > 0 and total[1] > 0 and total[3] > 0  # PV, SST and LAMP5 hold activity down
    assert total[2] < 0  # VIP holds the inhibition down
    assert (np.sign(chip[..., 2].mean(1)) == np.sign(total)).all()


def test_agreement_of_known_numbers():
    x = np.array([0.0, 1.0, 2.0, 3.0])
    perfect = measure_agreement(x, x)
    assert (perfect.r2, perfect.rmse, perfect.n) == (1.0, 0.0, 4)
    shifted = measure_agreement(2 * x + 1, x)
    assert (shifted.slope, shifted.offset) == (pytest.approx(2), pytest.approx(1))
    assert shifted.rmse == pytest.approx(np.sqrt((1 + 4 + 9 + 16) / 4) / 3)
    assert shifted.r2 == pytest.approx(1 - 30 / 20)
    with pytest.raises(ParameterError, match="all 2 predicted rates are 3"):
        measure_agreement([1, 2], [3, 3])


def test_speed_is_that_of_one_core():
    speed = measure_speed(map_motif(SET_B), (0.2, 0.15, 0.1), n_ticks=2000, seed=0)
    assert speed.n_cores == 1
    assert speed.realtime_ratio == speed.ticks_per_second / 1000
    # 96 input axons, 1 target each; 96 recurrent axons, 64 targets; 32 feedback axons, 96 targets
    assert speed.synaptic_events_per_second / speed.ticks_per_second == pytest.approx(
        96 * 0.15 + 32 * (0.175 * 64 + 0.0875 * 96), rel=0.05
    )
