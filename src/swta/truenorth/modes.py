"""One tick of one core in full width and in every mode: what the narrow step cannot do.

``step_wide`` knows all deterministic modes and is vectorised by the compiler; ``step_general``
goes neuron by neuron and knows everything. Both follow the equations of ``neuron.py``. Thresholds
are never negative, so the positive and the negative test cannot both succeed.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from swta.truenorth.arrays import (
    GAMMA,
    LEAK,
    NARROW_MAX,
    RANDOM_LEAK,
    REVERSAL,
    SATURATE,
    SATURATING,
    WEIGHT,
    ChipArrays,
    Rules,
)
from swta.truenorth.generator import LEAK_DRAW, THRESHOLD_DRAW, draw, tick_key
from swta.truenorth.lanes import add_weights, mark_reached
from swta.truenorth.neuron import MAX_POTENTIAL, MIN_POTENTIAL, N_NEURONS

# Codes of the open points (``OpenPoints`` has their names).
CLAMP_ZERO_CROSSING: Final = 1
WRAP, FORCE_SPIKE = 1, 2
LEAK_OUTSIDE, LEAK_UNSIGNED = 1, 2
FORCED_CEILING: Final = 393_216  # 1.5 · 2^18, where NeMo clips

_BATCH: Final = 128  # arrivals whose sum of weights fits 16 bits: 128 · 255 < 2^15
_ONE: Final = np.uint64(1)
_BITS_OF_RHO: Final = np.uint64(8)


@njit(cache=True)
def widen(s: ChipArrays, core: int) -> None:
    """Hold V of a core in 32 bits."""
    s.is_wide[core] = 1
    for j in range(N_NEURONS):
        s.wide_potential[core, j] = s.potential[core, j]


@njit(cache=True)
def narrow(s: ChipArrays, core: int) -> None:
    """Hold V of a core in 16 bits if it fits."""
    size = np.int32(0)
    for j in range(N_NEURONS):
        x = s.wide_potential[core, j]
        size |= np.int32(x ^ (x >> np.int32(31)))
    if size <= NARROW_MAX:
        s.is_wide[core] = 0
        for j in range(N_NEURONS):
            s.potential[core, j] = s.wide_potential[core, j]


@njit(cache=True, forceinline=True)
def _flush(potential: np.ndarray, total: np.ndarray) -> None:
    for j in range(N_NEURONS):
        potential[j] += total[j]
        total[j] = 0


@njit(cache=True, forceinline=True)
def _sum_weights(
    s: ChipArrays, core: int, active: np.ndarray, potential: np.ndarray, total: np.ndarray
) -> None:
    """Leave in ``total`` the sum of arriving weights; what does not fit goes to V at once."""
    for i in range(active.size):
        axon = active[i]
        weights = s.table[s.row[core, WEIGHT + s.axon_type[core, axon]]]
        add_weights(total, s.crossbar[core, axon], weights)
        if i % _BATCH == _BATCH - 1:
            _flush(potential, total)


@njit(cache=True, forceinline=True)
def _leak(
    potential: np.ndarray, total: np.ndarray, leak: np.ndarray, mode: np.ndarray, v: np.ndarray
) -> int:
    """Leave V after synapses and leak in ``v``; return a number not below any of their sizes."""
    size = np.int32(0)
    for j in range(N_NEURONS):
        x = np.int32(potential[j] + total[j])
        total[j] = 0
        omega = np.int32(1)
        if mode[j] & REVERSAL:
            omega = np.int32(np.int32(x > 0) - np.int32(x < 0))
        x = np.int32(x + omega * leak[j])
        v[j] = x
        size |= np.int32(x ^ (x >> np.int32(31)))
    return int(size)


@njit(cache=True, forceinline=True)
def _saturate(potential: np.ndarray, v: np.ndarray, beta: np.ndarray) -> None:
    for j in range(N_NEURONS):
        floor = np.int32(-beta[j])
        potential[j] = v[j] if v[j] > floor else floor


@njit(cache=True, forceinline=True)
def _negative_side(
    potential: np.ndarray, v: np.ndarray, beta: np.ndarray, reset: np.ndarray, mode: np.ndarray
) -> None:
    for j in range(N_NEURONS):
        x = v[j]
        gamma = mode[j] & GAMMA
        below = np.int32(-reset[j])
        if gamma == 1:
            below = np.int32(x + beta[j])
        elif gamma == 2:
            below = x
        if mode[j] & SATURATE:
            below = np.int32(-beta[j])
        potential[j] = below if x < -beta[j] else x


@njit(cache=True, forceinline=True)
def step_wide(
    s: ChipArrays,
    core: int,
    active: np.ndarray,
    total: np.ndarray,
    v: np.ndarray,
    fired: np.ndarray,
) -> None:
    """One tick of a core in any mode without random numbers; who fires is not reset yet.

    Args:
        active: the active axons.
        total: (256,) int16 zeros, to work in; zeros again afterwards.
        v: (256,) int32, to work in.
        fired: (4,) uint64, receives who fired.
    """
    potential, beta = s.wide_potential[core], s.negative_threshold[core]
    _sum_weights(s, core, active, potential, total)
    if _leak(potential, total, s.table[s.row[core, LEAK]], s.mode[core], v) > MAX_POTENTIAL:
        s.overflowed[core] = 1
        for j in range(N_NEURONS):
            v[j] = min(max(v[j], MIN_POTENTIAL), MAX_POTENTIAL)
    mark_reached(v, s.threshold[core], fired)
    if s.path[core] == SATURATING:
        _saturate(potential, v, beta)
    else:
        _negative_side(potential, v, beta, s.reset[core], s.mode[core])


@njit(cache=True)
def _sign(x: int) -> int:
    return 1 if x > 0 else (-1 if x < 0 else 0)


@njit(cache=True)
def _chance(x: int, rho: int) -> int:
    """Return F(x, rho) sgn(x): the sign of ``x`` with probability (|x| + 1) / 256."""
    return _sign(x) if abs(x) >= rho else 0


@njit(cache=True)
def _arriving(s: ChipArrays, core: int, j: int, active: np.ndarray, key: np.uint64) -> int:
    """Return the synaptic input of one neuron, stochastic synapses included."""
    total = 0
    for axon in active:
        if (s.crossbar[core, axon, j >> 6] >> np.uint64(j & 63)) & _ONE:
            g = s.axon_type[core, axon]
            weight = int(s.table[s.row[core, WEIGHT + g], j])
            if (s.random_synapse[core, j] >> g) & 1:
                weight = _chance(weight, draw(key, j, np.uint64(axon), _BITS_OF_RHO))
            total += weight
    return total


@njit(cache=True)
def _leaked(s: ChipArrays, rules: Rules, core: int, j: int, v: int, key: np.uint64) -> int:
    """Return V after the leak."""
    mode = s.mode[core, j]
    leak = int(s.table[s.row[core, LEAK], j])
    omega = _sign(v) if mode & REVERSAL else 1
    if mode & RANDOM_LEAK:
        leak = _chance(leak, draw(key, j, LEAK_DRAW, _BITS_OF_RHO))
        if rules.stochastic_leak == LEAK_OUTSIDE:
            omega = 1
        elif rules.stochastic_leak == LEAK_UNSIGNED:
            leak = abs(leak)
    after = v + omega * leak
    if rules.zero_crossing == CLAMP_ZERO_CROSSING and mode & REVERSAL and v * after < 0:
        after = 0
    return after


@njit(cache=True)
def step_general(
    s: ChipArrays, rules: Rules, core: int, tick: int, active: np.ndarray, fired: np.ndarray
) -> None:
    """One tick of a core in any mode and with any choice of the open points, neuron by neuron."""
    fired[:] = 0
    key = tick_key(rules.seed, core, tick)
    ceiling, floor = MAX_POTENTIAL, MIN_POTENTIAL
    if rules.overflow == FORCE_SPIKE:
        ceiling, floor = FORCED_CEILING, -FORCED_CEILING
    for j in range(N_NEURONS):
        v = int(s.wide_potential[core, j]) + _arriving(s, core, j, active, key)
        v = _leaked(s, rules, core, j, v, key)
        forced = False  # by overflow
        if v > ceiling or v < floor:
            s.overflowed[core] = 1
            if rules.overflow == WRAP:
                v = ((v - MIN_POTENTIAL) & (MAX_POTENTIAL - MIN_POTENTIAL)) + MIN_POTENTIAL
            else:
                forced = bool(rules.overflow == FORCE_SPIKE and v > ceiling)
                v = min(max(v, floor), ceiling)
        alpha = int(s.threshold[core, j])
        beta = int(s.negative_threshold[core, j])
        reset = int(s.reset[core, j])
        gamma = s.mode[core, j] & GAMMA
        saturate = (s.mode[core, j] & SATURATE) != 0
        eta = 0
        if s.threshold_mask[core, j]:
            eta = draw(key, j, THRESHOLD_DRAW, rules.threshold_bits) & s.threshold_mask[core, j]
        if forced or v >= alpha + eta:
            fired[j >> 6] |= _ONE << np.uint64(j & 63)
            if not forced:
                v = reset if gamma == 0 else (v - (alpha + eta) if gamma == 1 else v)
        elif saturate:
            v = max(v, -beta)
        elif v < -(beta + eta):
            v = -reset if gamma == 0 else (v + (beta + eta) if gamma == 1 else v)
        s.wide_potential[core, j] = v
