"""The counter-based generator: known values, uniformity, and the probabilities of the modes."""

import numpy as np
import pytest
from oracle import mix, random_number
from scipy import stats

from swta.truenorth import Chip, Core, Neurons, generator

N_TICKS = 400
N = 256 * N_TICKS


def test_mix_is_the_finaliser_of_splitmix64():
    """First outputs of SplitMix64 from state 0, as published with the generator."""
    golden = 0x9E3779B97F4A7C15
    assert mix(golden) == 0xE220A8397B1DCDAF
    assert mix(2 * golden % 2**64) == 0x6E789E6AA1B965F4
    assert int(generator.mix(np.uint64(golden))) == 0xE220A8397B1DCDAF


@pytest.mark.parametrize(
    "key", [(0, 0, 0, 0, 0), (2**64 - 1, 4095, 2**31, 255, 257), (7, 3, 9, 1, 256)]
)
@pytest.mark.parametrize("bits", [8, 18])
def test_draw_is_the_documented_formula(key, bits):
    seed, core, tick, neuron, draw = key
    key_of_tick = np.uint64(generator.tick_key(np.uint64(seed), core, tick))
    made = generator.draw(key_of_tick, neuron, np.uint64(draw), np.uint64(bits))
    assert made == random_number(*key, bits)


def test_draws_are_uniform_and_independent_of_neighbouring_counters():
    numbers = np.array(
        [
            [random_number(0, 0, tick, neuron, 256, 8) for neuron in range(256)]
            for tick in range(100)
        ]
    )
    counts = np.bincount(numbers.ravel(), minlength=256)
    assert stats.chisquare(counts).pvalue > 1e-3
    for axis in (0, 1):
        r = np.corrcoef(np.delete(numbers, 0, axis).ravel(), np.delete(numbers, -1, axis).ravel())[
            0, 1
        ]
        assert abs(r) < 4 / np.sqrt(numbers.size)


def rise(**fields):
    """Mean change of V per neuron and tick, and its standard error if each step were 0 or ±1."""
    neurons = Neurons(threshold=2**18 - 1, negative_threshold=2**18 - 1, **fields)
    chip = Chip([Core(0, np.eye(256, dtype=bool), neurons)], seed=11)
    inputs = np.array([(tick, 0, axon) for tick in range(N_TICKS) for axon in range(256)])
    chip.run(inputs, N_TICKS)
    return chip.potentials.mean() / N_TICKS


@pytest.mark.parametrize("value", [0, 1, 100, 255, -1, -200])
@pytest.mark.parametrize("what", ["synapse", "leak"])
def test_probability_of_a_stochastic_step(what, value):
    """P(F = 1) = (|x| + 1) / 256, and nothing at all for x = 0."""
    if what == "synapse":
        measured = rise(weights=value, stochastic_synapse=True)
    else:
        measured = rise(weights=0, leak=value, stochastic_leak=True)
    p = (abs(value) + 1) / 256 if value else 0
    assert abs(measured - np.sign(value) * p) <= 4 * np.sqrt(p * (1 - p) / N)


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_threshold_mask_smooths_the_rate(bits):
    """At V = alpha the neuron fires only if eta = 0, which has probability 2^-TM."""
    neurons = Neurons(
        weights=0, leak=10, threshold=10, reset_mode=0, threshold_mask_bits=bits, potential=0
    )
    chip = Chip([Core(0, 0, neurons)], seed=5)
    fired = chip.run([], 1).counts()[0]  # V = alpha: fires if eta = 0
    expected = 256 / 2**bits
    assert abs(fired.sum() - expected) <= 4 * np.sqrt(256 * 2.0**-bits * (1 - 2.0**-bits)) + 1e-9
