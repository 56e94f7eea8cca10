"""Each vector instruction, compiled, against NumPy."""

import numpy as np
import plain_lanes
import pytest
from numba import njit

from swta.truenorth import arrays, lanes


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


@njit
def step_narrow(s, core, active, k, n, fired):
    return lanes.step_narrow(s, core, active, k, n, fired)


@njit
def prefetch(array, index):
    lanes.prefetch_line(array, index)
    lanes.prefetch_row(array, index)


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


def core_arrays(rng):
    """Two cores with all that ``step_narrow`` reads."""
    s = arrays.empty_arrays(2, rng.integers(-255, 256, (20, 256)).astype(np.int16))
    np.abs(s.table[:4], out=s.table[:4])
    s.row[:, : arrays.N_ROWS] = [[1, 2, *rng.integers(0, 20, 5)], [0, 3, *rng.integers(0, 20, 5)]]
    s.potential[:] = rng.integers(-100, 100, (2, 256))
    s.axon_type[:] = rng.integers(0, 4, (2, 256))
    s.crossbar[:] = rng.integers(0, 2**64, (2, 256, 4), dtype=np.uint64)
    return s


@pytest.mark.parametrize("n", [0, 1, 5, 127])
@pytest.mark.parametrize("core", [0, 1])
def test_step_narrow(n, core, rng):
    s = core_arrays(rng)
    expected = s._replace(potential=s.potential.copy())
    active = rng.permuted(np.tile(np.arange(256), (3, 1)), axis=1).astype(np.uint8)
    fired, marks = np.zeros((2, 2, 4), dtype=np.uint64)
    assert plain_lanes.step_narrow(expected, core, active, 2, n, marks)
    assert step_narrow(s, core, active, 2, n, fired)
    np.testing.assert_array_equal(s.potential, expected.potential)
    np.testing.assert_array_equal(fired, marks)
    assert fired[core].any()
    assert not fired[1 - core].any()


@pytest.mark.parametrize("end", [2**15 - 1, -(2**15)])
@pytest.mark.parametrize("neuron", [0, 31, 32, 255])
def test_step_narrow_writes_nothing_where_a_potential_does_not_fit(end, neuron, rng):
    s = core_arrays(rng)
    s.potential[1, neuron] = end
    s.table[:, neuron] = np.sign(end)
    before = s.potential.copy()
    fired = np.full((2, 4), 7, dtype=np.uint64)
    assert not step_narrow(s, 1, np.zeros((1, 256), np.uint8), 0, 0, fired)
    np.testing.assert_array_equal(s.potential, before)
    assert (fired == 7).all()
    s.potential[1, neuron] -= np.sign(end)
    assert step_narrow(s, 1, np.zeros((1, 256), np.uint8), 0, 0, fired)


def test_prefetching_changes_nothing(rng):
    array = rng.integers(-9, 9, (3, 256)).astype(np.int16)
    before = array.copy()
    prefetch(array, 2)
    np.testing.assert_array_equal(array, before)
