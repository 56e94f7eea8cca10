"""The vector instructions in NumPy."""

import numpy as np


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
