"""The random numbers of the stochastic modes: a counter-based generator.

The chip's own generator is not public, so stochastic runs can be compared with it by statistics
only. Here every number is a function of (seed, core, tick, neuron, draw) and of nothing else: it
does not matter in which order, or by how many threads, numbers are drawn.

With ``mix`` the 64-bit finaliser of SplitMix64 and ``golden`` its increment 0x9E3779B97F4A7C15, all
modulo 2^64::

    key    = mix(mix(mix(seed + golden) + core) + tick)
    number = mix(key + golden · (512 · neuron + draw + 1))

Draws 0..255 belong to the axons (stochastic synapses), 256 to the leak, 257 to the threshold.
Synapse and leak take the top 8 bits of the number, the threshold its top 18 (or fewer, see
``OpenPoints``).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

LEAK_DRAW: Final = np.uint64(256)
THRESHOLD_DRAW: Final = np.uint64(257)

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_NEURON: Final = np.uint64(512)
_ONE: Final = np.uint64(1)
_ALL_BITS: Final = np.uint64(64)


@njit(cache=True)
def mix(x: np.uint64) -> np.uint64:
    """Return the 64-bit finaliser of SplitMix64 (Steele, Lea and Flood 2014) of ``x``."""
    x = (x ^ (x >> np.uint64(30))) * _MIX_1
    x = (x ^ (x >> np.uint64(27))) * _MIX_2
    return x ^ (x >> np.uint64(31))


@njit(cache=True)
def tick_key(seed: np.uint64, core: int, tick: int) -> np.uint64:
    """Return the key of all random numbers of one core in one tick."""
    return mix(mix(mix(seed + _GOLDEN) + np.uint64(core)) + np.uint64(tick))


@njit(cache=True)
def draw(key: np.uint64, neuron: int, number: np.uint64, bits: np.uint64) -> int:
    """Return a uniform whole number of ``bits`` bits for one neuron and draw of the key's tick."""
    x = mix(key + _GOLDEN * (_NEURON * np.uint64(neuron) + number + _ONE))
    return int(np.int64(x >> (_ALL_BITS - bits)))
