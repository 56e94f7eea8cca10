"""Each vector instruction, compiled, against NumPy."""

import numpy as np
import plain_lanes
import pytest
from numba import njit

from swta.truenorth import lanes


@njit
def lowest_bit(word):
    return lanes.lowest_bit(word)


@njit
def count_bits(word):
    return lanes.count_bits(word)


@njit
def add_weights(total, row, weights):
    lanes.add_weights(total, row, weights)


@njit
def mark_reached(potential, threshold, fired):
    lanes.mark_reached(potential, threshold, fired)


@pytest.mark.parametrize("word", [1, 2**63, 2**64 - 1, 0b101000, 2**40 + 2**12])
def test_bits_of_a_word(word):
    assert lowest_bit(np.uint64(word)) == plain_lanes.lowest_bit(word)
    assert count_bits(np.uint64(word)) == plain_lanes.count_bits(word)
    assert count_bits(np.uint64(0)) == 0


def test_add_weights(rng):
    row = rng.integers(0, 2**64, 4, dtype=np.uint64)
    weights = rng.integers(-255, 256, 256).astype(np.int16)
    total = rng.integers(-30000, 30000, 256).astype(np.int16)
    expected = total.copy()
    plain_lanes.add_weights(expected, row, weights)
    add_weights(total, row, weights)
    np.testing.assert_array_equal(total, expected)
    assert (total != expected + weights).any()


def test_mark_reached_includes_equality(rng):
    potential = rng.integers(-3, 4, 256).astype(np.int32)
    threshold = rng.integers(-3, 4, 256).astype(np.int32)
    fired, expected = np.zeros(4, dtype=np.uint64), np.zeros(4, dtype=np.uint64)
    plain_lanes.mark_reached(potential, threshold, expected)
    mark_reached(potential, threshold, fired)
    np.testing.assert_array_equal(fired, expected)
    assert sum(map(plain_lanes.count_bits, fired)) == np.count_nonzero(potential >= threshold)
