"""The fast step: one tick of every core, compiled by Numba.

Parameters are one array per field over (cores, neurons). A crossbar row is 256 bits; only rows of
active axons are touched. Spikes travel through a ring of 16 scheduler rows with one byte per axon.
A byte is only ever set, so threads that deliver to the same core cannot disturb each other, and
results do not depend on their number.

Each core takes one of three paths, from the most to the least specialised (``ChipArrays.path``).
All follow the equations of ``neuron.py``; the first two are written so that the compiler can
vectorise them. Thresholds are never negative, so the positive and the negative test cannot both
succeed.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numba import njit, prange

from swta.truenorth.generator import LEAK_DRAW, THRESHOLD_DRAW, draw, tick_key
from swta.truenorth.lanes import add_weights, count_bits, lowest_bit, mark_reached
from swta.truenorth.neuron import MAX_POTENTIAL, MIN_POTENTIAL, N_NEURONS

N_SLOTS: Final = 16  # scheduler rows: delays 1..15 and the present tick

# Paths: every neuron saturates and none reverses its leak; any deterministic mode; everything.
SATURATING, DETERMINISTIC, GENERAL = 0, 1, 2

# ``mode`` holds gamma in its two lowest bits, then these flags.
GAMMA, SATURATE, REVERSAL, RANDOM_LEAK = 3, 4, 8, 16

# Codes of the open points (``OpenPoints`` has their names).
CLAMP_ZERO_CROSSING: Final = 1
WRAP, FORCE_SPIKE = 1, 2
LEAK_OUTSIDE, LEAK_UNSIGNED = 1, 2
FORCED_CEILING: Final = 393_216  # 1.5 · 2^18, where NeMo clips

_BATCH: Final = 128  # arrivals whose sum of weights fits 16 bits: 128 · 255 < 2^15
_ONE: Final = np.uint64(1)
_BITS_OF_RHO: Final = np.uint64(8)


class ChipArrays(NamedTuple):
    """State and parameters of all cores; ``n`` is the number of cores."""

    potential: np.ndarray  # (n, 256) int32, V
    threshold: np.ndarray  # (n, 256) int32, alpha
    negative_threshold: np.ndarray  # (n, 256) int32, beta
    leak: np.ndarray  # (n, 256) int16, lambda
    weights: np.ndarray  # (n, 4, 256) int16, s
    reset: np.ndarray  # (n, 256) int32, R
    mode: np.ndarray  # (n, 256) uint8, see above
    random_synapse: np.ndarray  # (n, 256) uint8, bit g is b^g
    threshold_mask: np.ndarray  # (n, 256) int32, M
    target: np.ndarray  # (n, 256) int32: -1, or core · 4096 + axon · 16 + delay
    axon_type: np.ndarray  # (n, 256) uint8, G
    rows: np.ndarray  # (n, 256, 4) uint64, crossbar: neuron j is bit j mod 64 of word j // 64
    scheduler: np.ndarray  # (16, n, 256) uint8, 1 where an axon is active in tick = slot mod 16
    scheduler_words: np.ndarray  # (16, n, 32) uint64, the same memory
    path: np.ndarray  # (n,) uint8
    overflowed: np.ndarray  # (n,) uint8
    synaptic_events: np.ndarray  # (n,) int64: arrivals through set crossbar bits so far


class Rules(NamedTuple):
    """The seed, and the open points as codes."""

    seed: np.uint64
    zero_crossing: int
    overflow: int
    stochastic_leak: int
    threshold_bits: np.uint64


class Inputs(NamedTuple):
    """External spikes of a run, sorted by tick: those of its tick t are start[t]:start[t + 1]."""

    start: np.ndarray  # (n_ticks + 1,) int64
    core: np.ndarray  # int32
    axon: np.ndarray  # uint8


@njit(cache=True, forceinline=True)
def _take_active(s: ChipArrays, slot: int, core: int, active: np.ndarray) -> int:
    """List the active axons of this tick, clear their row, return how many there are."""
    n = 0
    words = s.scheduler_words[slot, core]
    for w in range(32):
        word = words[w]
        if word != 0:
            words[w] = 0
            while word != 0:
                active[n] = 8 * w + (lowest_bit(word) >> 3)
                word &= word - _ONE
                n += 1
    return n


@njit(cache=True, forceinline=True)
def _flush(potential: np.ndarray, total: np.ndarray) -> None:
    for j in range(N_NEURONS):
        potential[j] += total[j]
        total[j] = 0


@njit(cache=True, forceinline=True)
def _sum_weights(
    s: ChipArrays, core: int, active: np.ndarray, n_active: int, total: np.ndarray
) -> None:
    """Leave in ``total`` the sum of arriving weights; what does not fit goes to V at once."""
    for i in range(n_active):
        axon = active[i]
        add_weights(total, s.rows[core, axon], s.weights[core, s.axon_type[core, axon]])
        if i % _BATCH == _BATCH - 1:
            _flush(s.potential[core], total)


@njit(cache=True, forceinline=True)
def _saturating(
    s: ChipArrays, core: int, total: np.ndarray, v: np.ndarray, fired: np.ndarray
) -> None:
    """Leak and thresholds where no neuron reverses its leak and all stop at -beta."""
    potential, leak, beta = s.potential[core], s.leak[core], s.negative_threshold[core]
    size = np.int32(0)
    for j in range(N_NEURONS):
        x = np.int32(np.int32(potential[j] + leak[j]) + total[j])
        total[j] = 0
        v[j] = x
        size |= np.int32(x ^ (x >> np.int32(31)))
        floor = np.int32(-beta[j])
        potential[j] = x if x > floor else floor
    if size > MAX_POTENTIAL:  # rare, and then only upwards, because V >= -beta
        s.overflowed[core] = 1
        for j in range(N_NEURONS):
            v[j] = min(v[j], MAX_POTENTIAL)
            potential[j] = min(potential[j], MAX_POTENTIAL)
    mark_reached(v, s.threshold[core], fired)


@njit(cache=True, forceinline=True)
def _deterministic(
    s: ChipArrays, core: int, total: np.ndarray, v: np.ndarray, fired: np.ndarray
) -> None:
    """Leak and thresholds in all modes without random numbers."""
    potential, leak, beta = s.potential[core], s.leak[core], s.negative_threshold[core]
    mode, reset = s.mode[core], s.reset[core]
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
    if size > MAX_POTENTIAL:
        s.overflowed[core] = 1
        for j in range(N_NEURONS):
            v[j] = min(max(v[j], MIN_POTENTIAL), MAX_POTENTIAL)
    mark_reached(v, s.threshold[core], fired)
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


@njit(cache=True)
def _sign(x: int) -> int:
    return 1 if x > 0 else (-1 if x < 0 else 0)


@njit(cache=True)
def _chance(x: int, rho: int) -> int:
    """Return F(x, rho) sgn(x): the sign of ``x`` with probability (|x| + 1) / 256."""
    return _sign(x) if abs(x) >= rho else 0


@njit(cache=True)
def _arriving(
    s: ChipArrays, core: int, j: int, active: np.ndarray, n_active: int, key: np.uint64
) -> int:
    """Return the synaptic input of one neuron, stochastic synapses included."""
    total = 0
    for i in range(n_active):
        axon = active[i]
        if (s.rows[core, axon, j >> 6] >> np.uint64(j & 63)) & _ONE:
            g = s.axon_type[core, axon]
            weight = int(s.weights[core, g, j])
            if (s.random_synapse[core, j] >> g) & 1:
                weight = _chance(weight, draw(key, j, np.uint64(axon), _BITS_OF_RHO))
            total += weight
    return total


@njit(cache=True)
def _leaked(s: ChipArrays, rules: Rules, core: int, j: int, v: int, key: np.uint64) -> int:
    """Return V after the leak."""
    mode = s.mode[core, j]
    leak = int(s.leak[core, j])
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
def _general(
    s: ChipArrays,
    rules: Rules,
    core: int,
    tick: int,
    active: np.ndarray,
    n_active: int,
    fired: np.ndarray,
) -> None:
    """One tick of a core in any mode and with any choice of the open points, neuron by neuron."""
    key = tick_key(rules.seed, core, tick)
    ceiling, floor = MAX_POTENTIAL, MIN_POTENTIAL
    if rules.overflow == FORCE_SPIKE:
        ceiling, floor = FORCED_CEILING, -FORCED_CEILING
    for j in range(N_NEURONS):
        v = int(s.potential[core, j]) + _arriving(s, core, j, active, n_active, key)
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
        s.potential[core, j] = v


@njit(cache=True, forceinline=True)
def _send(s: ChipArrays, core: int, tick: int, fired: np.ndarray, v: np.ndarray) -> None:
    """Deliver the spikes of one core; reset who fired (the general path has done that)."""
    potential, target = s.potential[core], s.target[core]
    resets = s.path[core] != GENERAL
    for w in range(4):
        word = fired[w]
        while word != 0:
            j = 64 * w + lowest_bit(word)
            word &= word - _ONE
            if resets:
                gamma = s.mode[core, j] & GAMMA
                if gamma == 0:
                    potential[j] = s.reset[core, j]
                elif gamma == 1:
                    potential[j] = v[j] - s.threshold[core, j]
            where = target[j]
            if where >= 0:
                slot = (tick + (where & 15)) % N_SLOTS
                s.scheduler[slot, where >> 12, (where >> 4) & 255] = 1


@njit(cache=True)
def _step(s: ChipArrays, rules: Rules, tick: int, first: int, last: int, fired: np.ndarray) -> None:
    """One tick of the cores ``first`` to ``last`` - 1."""
    active = np.empty(N_NEURONS, dtype=np.uint8)
    total = np.zeros(N_NEURONS, dtype=np.int16)
    v = np.empty(N_NEURONS, dtype=np.int32)
    slot = tick % N_SLOTS
    for core in range(first, last):
        n_active = _take_active(s, slot, core, active)
        events = 0
        for i in range(n_active):
            row = s.rows[core, active[i]]
            events += (
                count_bits(row[0]) + count_bits(row[1]) + count_bits(row[2]) + count_bits(row[3])
            )
        s.synaptic_events[core] += events
        if s.path[core] == GENERAL:
            _general(s, rules, core, tick, active, n_active, fired[core])
        else:
            _sum_weights(s, core, active, n_active, total)
            if s.path[core] == SATURATING:
                _saturating(s, core, total, v, fired[core])
            else:
                _deterministic(s, core, total, v, fired[core])
        _send(s, core, tick, fired[core], v)


@njit(cache=True)
def _insert(s: ChipArrays, inputs: Inputs, t: int, slot: int) -> None:
    for i in range(inputs.start[t], inputs.start[t + 1]):
        s.scheduler[slot, inputs.core[i], inputs.axon[i]] = 1


@njit(cache=True)
def run_serial(
    s: ChipArrays, rules: Rules, inputs: Inputs, tick: int, offset: int, fired: np.ndarray
) -> None:
    """Run ``len(fired)`` ticks from ``tick``; mark who fired in ``fired`` (ticks, cores, 4) uint64.

    ``offset`` is the number of this tick within ``inputs``.
    """
    for t in range(fired.shape[0]):
        _insert(s, inputs, offset + t, (tick + t) % N_SLOTS)
        _step(s, rules, tick + t, 0, s.path.size, fired[t])


@njit(cache=True, parallel=True)
def run_parallel(
    s: ChipArrays,
    rules: Rules,
    inputs: Inputs,
    tick: int,
    offset: int,
    fired: np.ndarray,
    n_chunks: int,
) -> None:
    """As ``run_serial``, with the cores divided among threads in ``n_chunks`` runs of cores."""
    n = s.path.size
    for t in range(fired.shape[0]):
        _insert(s, inputs, offset + t, (tick + t) % N_SLOTS)
        for chunk in prange(n_chunks):
            first, last = chunk * n // n_chunks, (chunk + 1) * n // n_chunks
            _step(s, rules, tick + t, first, last, fired[t])


@njit(cache=True)
def list_events(fired: np.ndarray, first_tick: int) -> np.ndarray:
    """Return the spikes marked in ``fired`` as rows (tick, core, neuron), sorted."""
    n_ticks, n_cores, _ = fired.shape
    n = 0
    for t in range(n_ticks):
        for core in range(n_cores):
            for w in range(4):
                n += count_bits(fired[t, core, w])
    events = np.empty((n, 3), dtype=np.int32)
    n = 0
    for t in range(n_ticks):
        for core in range(n_cores):
            for w in range(4):
                word = fired[t, core, w]
                while word != 0:
                    events[n, 0] = first_tick + t
                    events[n, 1] = core
                    events[n, 2] = 64 * w + lowest_bit(word)
                    word &= word - _ONE
                    n += 1
    return events
