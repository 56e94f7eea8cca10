"""The fast step: one tick of every core, compiled by Numba.

Cores are served in blocks that fit the innermost caches. For each block: list the active axons and
ask for their crossbar rows, step the cores one after the other while the memory of the next is on
its way, then reset and deliver the spikes of the block. Nearly all cores take ``step_narrow``, in
16 bits; a core whose V leaves them, or that needs another mode, takes a step of ``modes.py``.

Spikes travel through rings of 16 scheduler slots with one bit per axon. Every thread has a ring of
its own to write to, and the reader takes all rings together: no thread waits for another, and
results do not depend on their number.

Arrays are taken out of the record once and indexed in place: a view made inside the loop counts its
references, which costs more than the arithmetic.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit, prange

from swta.truenorth.arrays import (
    ALPHA,
    AXON_BIT,
    CORE_BIT,
    DELAY_BITS,
    GAMMA,
    GAMMA_BIT,
    GENERAL,
    LEAK,
    N_SLOTS,
    RESET_BIT,
    ChipArrays,
    Inputs,
    Rules,
)
from swta.truenorth.lanes import (
    count_bits,
    lowest_bit,
    prefetch_line,
    prefetch_row,
    step_narrow,
)
from swta.truenorth.modes import narrow, step_general, step_wide, widen
from swta.truenorth.neuron import MAX_CORES, N_AXONS, N_NEURONS

_BLOCK: Final = 16  # cores served together
_AHEAD: Final = 4  # cores between asking for memory and using it
_MOST: Final = 127  # arrivals and a leak whose sum fits 16 bits: 128 · 255 < 2^15
_ONE: Final = np.uint64(1)


@njit(cache=True, forceinline=True)
def _take_active(s: ChipArrays, slot: int, core: int, active: np.ndarray, k: int) -> int:
    """List the active axons of this tick in ``active[k]``, clear their bits, count them."""
    scheduler, crossbar, axon_type = s.scheduler, s.crossbar, s.axon_type
    n = 0
    for w in range(N_AXONS // 64):
        word = np.uint64(0)
        for ring in range(scheduler.shape[0]):
            word |= scheduler[ring, slot, core, w]
            scheduler[ring, slot, core, w] = 0
        while word != 0:
            axon = 64 * w + lowest_bit(word)
            word &= word - _ONE
            active[k, n] = axon
            prefetch_line(crossbar, (core * N_AXONS + axon) * (N_NEURONS // 64))
            prefetch_line(axon_type, core * N_AXONS + axon)
            n += 1
    return n


@njit(cache=True, forceinline=True)
def _fetch(s: ChipArrays, core: int) -> None:
    """Ask for what ``step_narrow`` reads of a core whatever arrives."""
    prefetch_row(s.potential, core)
    for k in range(LEAK + 1):
        prefetch_row(s.table, s.row[core, k])


@njit(cache=True, forceinline=True)
def _count_events(crossbar: np.ndarray, core: int, active: np.ndarray, k: int, n: int) -> int:
    events = 0
    for i in range(n):
        for w in range(N_NEURONS // 64):
            events += count_bits(crossbar[core, active[k, i], w])
    return events


@njit(cache=True, forceinline=True)
def _step_slowly(
    s: ChipArrays,
    rules: Rules,
    core: int,
    tick: int,
    active: np.ndarray,
    total: np.ndarray,
    v: np.ndarray,
    fired: np.ndarray,
) -> None:
    if s.path[core] == GENERAL:
        step_general(s, rules, core, tick, active, fired)
        return
    if not s.is_wide[core]:
        widen(s, core)
    step_wide(s, core, active, total, v, fired)


@njit(cache=True, forceinline=True)
def _list_spikes(s: ChipArrays, core: int, fired: np.ndarray, spikes: np.ndarray, n: int) -> int:
    """Append the neurons of a core that fired to the ``n`` in ``spikes``; return how many now."""
    on_spike = s.on_spike
    for w in range(N_NEURONS // 64):
        word = fired[core, w]
        while word != 0:
            spikes[n] = core * N_NEURONS + 64 * w + lowest_bit(word)
            word &= word - _ONE
            prefetch_line(on_spike, spikes[n])
            n += 1
    return n


@njit(cache=True, forceinline=True)
def _send(s: ChipArrays, tick: int, ring: int, spikes: np.ndarray, n: int) -> None:
    """Deliver spikes; reset who fired (the general step has done that)."""
    on_spike, scheduler, path, is_wide = s.on_spike, s.scheduler, s.path, s.is_wide
    potential, table, row = s.potential, s.table, s.row
    wide_potential, threshold = s.wide_potential, s.threshold
    for i in range(n):
        core, j = spikes[i] // N_NEURONS, spikes[i] % N_NEURONS
        word = on_spike[core, j]
        gamma = (word >> GAMMA_BIT) & GAMMA
        if path[core] != GENERAL and gamma != 2:
            if is_wide[core]:
                after = wide_potential[core, j] - threshold[core, j]
                wide_potential[core, j] = after if gamma == 1 else word >> RESET_BIT
            else:
                after = potential[core, j] - table[row[core, ALPHA], j]
                potential[core, j] = after if gamma == 1 else word >> RESET_BIT
        delay = word & DELAY_BITS
        if delay:
            slot, to = (tick + delay) % N_SLOTS, (word >> CORE_BIT) % MAX_CORES
            axon = (word >> AXON_BIT) % N_AXONS
            scheduler[ring, slot, to, axon // 64] |= _ONE << np.uint64(axon % 64)


@njit(cache=True)
def _step(
    s: ChipArrays, rules: Rules, tick: int, first: int, last: int, ring: int, fired: np.ndarray
) -> None:
    """One tick of the cores ``first`` to ``last`` - 1, which write to one ring."""
    active = np.empty((_BLOCK, N_AXONS), dtype=np.uint8)
    n_active = np.empty(_BLOCK, dtype=np.int64)
    spikes = np.empty(_BLOCK * N_NEURONS, dtype=np.int64)
    total = np.zeros(N_NEURONS, dtype=np.int16)
    v = np.empty(N_NEURONS, dtype=np.int32)
    crossbar, is_wide, fits, synaptic_events = s.crossbar, s.is_wide, s.fits, s.synaptic_events
    for start in range(first, last, _BLOCK):
        stop = min(start + _BLOCK, last)
        for core in range(start, stop):
            n_active[core - start] = _take_active(s, tick % N_SLOTS, core, active, core - start)
        n_spikes = 0
        for core in range(start, stop):
            _fetch(s, min(core + _AHEAD, last - 1))
            k, n = core - start, n_active[core - start]
            synaptic_events[core] += _count_events(crossbar, core, active, k, n)
            if is_wide[core] and fits[core]:
                narrow(s, core)
            done = not is_wide[core] and n <= _MOST and step_narrow(s, core, active, k, n, fired)
            if not done:
                _step_slowly(s, rules, core, tick, active[k, :n], total, v, fired[core])
            n_spikes = _list_spikes(s, core, fired, spikes, n_spikes)
        _send(s, tick, ring, spikes, n_spikes)


@njit(cache=True)
def _insert(s: ChipArrays, inputs: Inputs, t: int, slot: int) -> None:
    for i in range(inputs.start[t], inputs.start[t + 1]):
        core, axon = inputs.core[i], inputs.axon[i]
        s.scheduler[0, slot, core, axon // 64] |= _ONE << np.uint64(axon % 64)


@njit(cache=True)
def run_serial(
    s: ChipArrays, rules: Rules, inputs: Inputs, tick: int, offset: int, fired: np.ndarray
) -> None:
    """Run ``len(fired)`` ticks from ``tick``; mark who fired in ``fired`` (ticks, cores, 4) uint64.

    ``offset`` is the number of this tick within ``inputs``.
    """
    for t in range(fired.shape[0]):
        _insert(s, inputs, offset + t, (tick + t) % N_SLOTS)
        _step(s, rules, tick + t, 0, s.path.size, 0, fired[t])


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
    """As ``run_serial``, with the cores divided among threads in ``n_chunks`` runs of cores.

    The scheduler needs as many rings.
    """
    n = s.path.size
    for t in range(fired.shape[0]):
        _insert(s, inputs, offset + t, (tick + t) % N_SLOTS)
        for chunk in prange(n_chunks):
            first, last = chunk * n // n_chunks, (chunk + 1) * n // n_chunks
            _step(s, rules, tick + t, first, last, chunk, fired[t])


@njit(cache=True)
def _count_spikes(fired: np.ndarray, t: int) -> int:
    n = 0
    for core in range(fired.shape[1]):
        for w in range(N_NEURONS // 64):
            n += count_bits(fired[t, core, w])
    return n


@njit(cache=True)
def _list_tick(fired: np.ndarray, t: int, first_tick: int, events: np.ndarray, n: int) -> None:
    for core in range(fired.shape[1]):
        for w in range(N_NEURONS // 64):
            word = fired[t, core, w]
            while word != 0:
                events[n, 0] = first_tick + t
                events[n, 1] = core
                events[n, 2] = 64 * w + lowest_bit(word)
                word &= word - _ONE
                n += 1


@njit(cache=True)
def list_events(fired: np.ndarray, first_tick: int) -> np.ndarray:
    """Return the spikes marked in ``fired`` as rows (tick, core, neuron), sorted."""
    n_ticks = fired.shape[0]
    start = np.zeros(n_ticks + 1, dtype=np.int64)
    for t in range(n_ticks):
        start[t + 1] = start[t] + _count_spikes(fired, t)
    events = np.empty((start[n_ticks], 3), dtype=np.int32)
    for t in range(n_ticks):
        _list_tick(fired, t, first_tick, events, start[t])
    return events


@njit(cache=True, parallel=True)
def list_events_parallel(fired: np.ndarray, first_tick: int) -> np.ndarray:
    """As ``list_events``, with the ticks divided among threads."""
    n_ticks = fired.shape[0]
    start = np.zeros(n_ticks + 1, dtype=np.int64)
    for t in prange(n_ticks):
        start[t + 1] = _count_spikes(fired, t)
    for t in range(n_ticks):
        start[t + 1] += start[t]
    events = np.empty((start[n_ticks], 3), dtype=np.int32)
    for t in prange(n_ticks):
        _list_tick(fired, t, first_tick, events, start[t])
    return events
