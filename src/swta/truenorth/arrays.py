"""How the cores lie in memory.

A tick of the full chip touches every core, so what it touches is kept small and in order. V, the
thresholds, the leak and the weights are rows of 256 16-bit numbers. Rows of parameters that are
equal, on whatever cores, are stored once (``table``); the others follow each other in the order of
the cores. Numbers that need more than 16 bits stand in 32-bit arrays that are touched rarely.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from swta.truenorth.neuron import N_AXON_TYPES, N_AXONS, N_NEURONS, Neurons

N_SLOTS: Final = 16  # scheduler slots: delays 1..15 and the present tick
NARROW_MAX: Final = 2**15 - 1

# Paths: every neuron saturates and none reverses its leak; any deterministic mode; everything.
SATURATING, DETERMINISTIC, GENERAL = 0, 1, 2

# Rows of a core in the table.
ALPHA, BETA, LEAK, WEIGHT, N_ROWS = 0, 1, 2, 3, 3 + N_AXON_TYPES

# ``mode`` holds gamma in its two lowest bits, then these flags.
GAMMA, SATURATE, REVERSAL, RANDOM_LEAK = 3, 4, 8, 16

# Bits of a word of ``on_spike``; a delay of 0 leaves the chip.
DELAY_BITS, AXON_BIT, CORE_BIT, GAMMA_BIT, RESET_BIT = 15, 4, 12, 24, 32

_LINE: Final = 64  # bytes
_LARGE: Final = 2**22  # bytes from which NumPy asks the system for large pages


class ChipArrays(NamedTuple):
    """State and parameters of all cores; ``n`` is the number of cores."""

    potential: np.ndarray  # (n, 256) int16, V of cores that are not wide
    table: np.ndarray  # (k, 256) int16, rows of parameters; thresholds end at 2^15 - 1
    row: np.ndarray  # (n, 8) int32: where alpha, beta, lambda, s^0, ..., s^3 are in the table
    is_wide: np.ndarray  # (n,) uint8, 1 where V is in ``wide_potential`` at present
    fits: np.ndarray  # (n,) uint8, 1 where ``step_narrow`` can do the core as long as V is small
    wide_potential: np.ndarray  # (n, 256) int32
    threshold: np.ndarray  # (n, 256) int32, alpha
    negative_threshold: np.ndarray  # (n, 256) int32, beta
    reset: np.ndarray  # (n, 256) int32, R
    mode: np.ndarray  # (n, 256) uint8, see above
    random_synapse: np.ndarray  # (n, 256) uint8, bit g is b^g
    threshold_mask: np.ndarray  # (n, 256) int32, M
    on_spike: np.ndarray  # (n, 256) int64: delay, axon, core, gamma and R from low to high bits
    axon_type: np.ndarray  # (n, 256) uint8, G
    crossbar: np.ndarray  # (n, 256, 4) uint64, axon by axon: neuron j is bit j mod 64 of j // 64
    scheduler: np.ndarray  # (rings, 16, n, 4) uint64, axons active in tick = slot mod 16, as bits
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


def aligned_zeros(shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """Return zeros that begin with a cache line, in large pages if there are many of them."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(max(size + _LINE, _LARGE if size > _LARGE // 8 else 0), np.uint8)
    start = -memory.ctypes.data % _LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def empty_arrays(n: int, table: np.ndarray) -> ChipArrays:
    """Return arrays for ``n`` cores; every core is wide."""
    return ChipArrays(
        potential=aligned_zeros((n, N_NEURONS), np.int16),
        table=table,
        row=np.zeros((n, 8), np.int32),
        is_wide=np.ones(n, np.uint8),
        fits=np.zeros(n, np.uint8),
        wide_potential=aligned_zeros((n, N_NEURONS), np.int32),
        threshold=aligned_zeros((n, N_NEURONS), np.int32),
        negative_threshold=aligned_zeros((n, N_NEURONS), np.int32),
        reset=aligned_zeros((n, N_NEURONS), np.int32),
        mode=aligned_zeros((n, N_NEURONS), np.uint8),
        random_synapse=aligned_zeros((n, N_NEURONS), np.uint8),
        threshold_mask=aligned_zeros((n, N_NEURONS), np.int32),
        on_spike=aligned_zeros((n, N_NEURONS), np.int64),
        axon_type=aligned_zeros((n, N_AXONS), np.uint8),
        crossbar=aligned_zeros((n, N_AXONS, N_NEURONS // 64), np.uint64),
        scheduler=aligned_zeros((1, N_SLOTS, n, N_AXONS // 64), np.uint64),
        path=np.zeros(n, np.uint8),
        overflowed=np.zeros(n, np.uint8),
        synaptic_events=np.zeros(n, np.int64),
    )


def with_rings(arrays: ChipArrays, n_rings: int) -> ChipArrays:
    """Return the same arrays with at least ``n_rings`` rings in the scheduler."""
    old = arrays.scheduler
    if n_rings <= len(old):
        return arrays
    scheduler = aligned_zeros((n_rings, *old.shape[1:]), old.dtype)
    scheduler[: len(old)] = old
    return arrays._replace(scheduler=scheduler)


def collect_rows(neurons: list[Neurons]) -> tuple[np.ndarray, np.ndarray]:
    """Return the different rows of parameters, (k, 256) int16, and each core's, (n, 8) int32."""
    known: dict[bytes, int] = {}
    index = np.zeros((len(neurons), 8), np.int32)
    for core, each in enumerate(neurons):
        thresholds = np.stack([each.threshold, each.negative_threshold])
        rows = np.empty((N_ROWS, N_NEURONS), np.int16)
        rows[ALPHA], rows[BETA] = np.minimum(thresholds, NARROW_MAX)
        rows[LEAK] = each.leak
        rows[WEIGHT:] = np.asarray(each.weights).T
        index[core, :N_ROWS] = [known.setdefault(row.tobytes(), len(known)) for row in rows]
    table = aligned_zeros((len(known), N_NEURONS), np.int16)
    for row, at in known.items():
        table[at] = np.frombuffer(row, np.int16)
    return table, index


def load_neurons(arrays: ChipArrays, core: int, neurons: Neurons, path: int) -> None:
    """Write the parameters of one core, but for the rows in the table."""
    fields = {name: np.asarray(value) for name, value in vars(neurons).items() if name != "core"}
    arrays.path[core] = path
    arrays.wide_potential[core] = fields["potential"]
    for name in ("threshold", "negative_threshold", "reset"):
        getattr(arrays, name)[core] = fields[name]
    limits = (fields["threshold"], fields["negative_threshold"], np.abs(fields["reset"]))
    arrays.fits[core] = path == SATURATING and np.max(limits) <= NARROW_MAX
    arrays.mode[core] = (
        fields["reset_mode"]
        + SATURATE * fields["negative_saturate"]
        + REVERSAL * fields["leak_reversal"]
        + RANDOM_LEAK * fields["stochastic_leak"]
    )
    arrays.random_synapse[core] = fields["stochastic_synapse"] @ np.array([1, 2, 4, 8], np.uint8)
    arrays.threshold_mask[core] = 2 ** fields["threshold_mask_bits"].astype(np.int32) - 1
    words = {
        name: fields[name].astype(np.int64)
        for name in ("target_core", "target_axon", "delay", "reset_mode", "reset")
    }
    where = (words["target_core"] << CORE_BIT) + (words["target_axon"] << AXON_BIT) + words["delay"]
    arrays.on_spike[core] = (
        np.where(words["target_core"] < 0, 0, where)
        + (words["reset_mode"] << GAMMA_BIT)
        + (words["reset"] << RESET_BIT)
    )
