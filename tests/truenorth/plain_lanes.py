"""The vector instructions in NumPy."""

import numpy as np

from swta.truenorth.arrays import ALPHA, BETA, LEAK, WEIGHT


def lowest_bit(word):
    return (int(word) & -int(word)).bit_length() - 1


def count_bits(word):
    return int(word).bit_count()


def bits(row):
    return np.unpackbits(np.ascontiguousarray(row).view(np.uint8), bitorder="little").astype(bool)


def add_weights(total, row, weights):
    total += np.where(bits(row), weights, 0).astype(np.int16)


def mark_reached(potential, threshold, fired):
    fired[:] = np.packbits(potential >= threshold, bitorder="little").view(np.uint64)


def prefetch_line(array, index):
    """Nothing to see: memory is the same before and after."""


prefetch_row = prefetch_line


def step_narrow(s, core, active, k, n, fired):
    row = s.table[s.row[core]].astype(int)
    v = s.potential[core] + row[LEAK]
    for axon in active[k, :n]:
        v += bits(s.crossbar[core, axon]) * row[WEIGHT + s.axon_type[core, axon]]
    if v.min() < -(2**15) or v.max() >= 2**15:
        return False
    mark_reached(v, row[ALPHA], fired[core])
    s.potential[core] = np.maximum(v, -row[BETA])
    return True
