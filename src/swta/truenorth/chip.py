"""Cores and the chip: crossbars, routing with delays, and running tick by tick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numba
import numpy as np
from numpy.typing import ArrayLike

from swta.truenorth import kernel, modes
from swta.truenorth.arrays import (
    DETERMINISTIC,
    GENERAL,
    SATURATING,
    Inputs,
    Rules,
    collect_rows,
    empty_arrays,
    load_neurons,
    with_rings,
)
from swta.truenorth.neuron import (
    MAX_CORES,
    N_AXON_TYPES,
    N_AXONS,
    N_NEURONS,
    Neurons,
    check_array,
)
from swta.truenorth.raster import Raster
from swta.validation import ParameterError, check_choice, check_integer

_ZERO_CROSSING: Final = {"overshoot": 0, "clamp": modes.CLAMP_ZERO_CROSSING}
_OVERFLOW: Final = {"saturate": 0, "wrap": modes.WRAP, "force_spike": modes.FORCE_SPIKE}
_STOCHASTIC_LEAK: Final = {
    "signed": 0,
    "outside": modes.LEAK_OUTSIDE,
    "unsigned": modes.LEAK_UNSIGNED,
}

_RECORD_BYTES: Final = 2**21  # memory for spike marks before they become events
_PARALLEL_FROM: Final = 256  # cores; below, starting threads costs more than it saves
_LAST_TICK: Final = 2**31 - 2**20  # ticks are stored in 32 bits


@dataclass(frozen=True, eq=False)
class Core:
    """One core: the type of each axon, the crossbar, and the neurons.

    Raises:
        ParameterError: wrong shape, an axon type outside 0..3, or a crossbar that is not 0 and 1.
    """

    axon_type: ArrayLike  # G, (256,): which of the four weights an axon uses
    crossbar: ArrayLike  # w, (256 axons, 256 neurons), bool
    neurons: Neurons

    def __post_init__(self) -> None:
        core = self.neurons.core
        types = check_array(
            "axon_type", self.axon_type, (N_AXONS,), np.uint8, 0, N_AXON_TYPES - 1, core=core
        )
        crossbar = check_array(
            "crossbar", self.crossbar, (N_AXONS, N_NEURONS), np.bool_, 0, 1, core=core
        )
        object.__setattr__(self, "axon_type", types)
        object.__setattr__(self, "crossbar", crossbar)


@dataclass(frozen=True)
class OpenPoints:
    """What the published equations leave open; the defaults are the equations as printed."""

    zero_crossing: str = "overshoot"  # of a reversing leak; "clamp" stops at 0, as NeMo does
    overflow: str = "saturate"  # of the 20-bit V, once per tick after the leak; "wrap" around, or
    # "force_spike": clip at ±393216, and a neuron above that fires and stays there, as NeMo does
    threshold_bits: int = 18  # width of the random number that the threshold mask cuts; 1..18
    stochastic_leak: str = "signed"  # inside the reversal; "outside" of it, or "unsigned"

    def __post_init__(self) -> None:
        check_choice("zero_crossing", self.zero_crossing, _ZERO_CROSSING)
        check_choice("overflow", self.overflow, _OVERFLOW)
        check_integer("threshold_bits", self.threshold_bits, low=1, high=18)
        check_choice("stochastic_leak", self.stochastic_leak, _STOCHASTIC_LEAK)


class Chip:
    """Up to 4096 cores that run in step; the first tick is tick 0.

    Args:
        cores: the cores; ``target_core`` of their neurons counts in this order.
        seed: of the stochastic modes, 0..2^64-1.
        open_points: how the open points of the specification are decided.

    Raises:
        ParameterError: no core, too many, or a neuron that targets a core that is not there.
    """

    def __init__(
        self, cores: Sequence[Core], *, seed: int = 0, open_points: OpenPoints | None = None
    ) -> None:
        points = open_points or OpenPoints()
        check_integer("number of cores", len(cores), low=1, high=MAX_CORES)
        self._rules = Rules(
            np.uint64(check_integer("seed", seed, low=0, high=2**64 - 1)),
            _ZERO_CROSSING[points.zero_crossing],
            _OVERFLOW[points.overflow],
            _STOCHASTIC_LEAK[points.stochastic_leak],
            np.uint64(points.threshold_bits),
        )
        self._tick = 0
        self._waiting = np.empty((0, 3), dtype=np.int64)  # inputs beyond the last run
        table, row = collect_rows([core.neurons for core in cores])
        self._arrays = empty_arrays(len(cores), table)
        self._arrays.row[:] = row
        for index, core in enumerate(cores):
            _check_targets(index, core.neurons, len(cores))
            load_neurons(self._arrays, index, core.neurons, _choose_path(core.neurons, points))
            self._arrays.axon_type[index] = core.axon_type
            bits = np.packbits(np.asarray(core.crossbar), axis=1, bitorder="little")
            self._arrays.crossbar[index] = bits.view("<u8")

    @property
    def n_cores(self) -> int:
        """Number of cores."""
        return int(self._arrays.path.size)

    @property
    def tick(self) -> int:
        """The next tick to run; equally the number of ticks run so far."""
        return self._tick

    @property
    def potentials(self) -> np.ndarray:
        """Membrane potentials after the last tick, (n_cores, 256) int32."""
        wide = self._arrays.is_wide.astype(bool)[:, np.newaxis]
        return np.where(wide, self._arrays.wide_potential, self._arrays.potential)

    @property
    def overflowed(self) -> np.ndarray:
        """Cores in which a potential has left its 20 bits so far, (n_cores,) bool."""
        return self._arrays.overflowed.astype(bool)

    @property
    def synaptic_events(self) -> int:
        """Arrivals at neurons through set crossbar bits so far."""
        return int(self._arrays.synaptic_events.sum())

    @property
    def nbytes(self) -> int:
        """Memory of state and parameters, in bytes."""
        return sum(array.nbytes for array in self._arrays)

    def run(self, inputs: ArrayLike, n_ticks: int, *, threads: int | None = None) -> Raster:
        """Run on for ``n_ticks`` ticks and return every spike.

        Args:
            inputs: (n, 3) whole numbers, rows (tick in which the axon is active, core, axon), in
                any order; ticks count from the start of the chip. Rows beyond this run wait for a
                later one. Several spikes on one axon in one tick count once.
            n_ticks: at least 1.
            threads: at most what Numba has; default: all for 256 cores or more, else one. The
                spikes do not depend on it.

        Raises:
            ParameterError: a row names a past tick, or a core or axon that is not there.
        """
        n_ticks = check_integer("n_ticks", n_ticks, low=1, high=_LAST_TICK - self._tick)
        most = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
        if threads is None:
            threads = numba.get_num_threads() if self.n_cores >= _PARALLEL_FROM else 1
        else:
            threads = check_integer("threads", threads, low=1, high=most)
        rows = np.concatenate([self._waiting, self._check_inputs(inputs)])
        later = rows[:, 0] >= self._tick + n_ticks
        scheduled = _sort_inputs(rows[~later], self._tick, n_ticks)

        block = max(1, min(n_ticks, _RECORD_BYTES // (32 * self.n_cores)))
        record = np.empty((block, self.n_cores, N_NEURONS // 64), dtype=np.uint64)
        events = []
        for offset in range(0, n_ticks, block):
            fired = record[: min(block, n_ticks - offset)]
            events.append(self._run_block(scheduled, offset, fired, threads))
            self._tick += len(fired)
        self._waiting = rows[later]
        return Raster(
            np.concatenate(events),
            first_tick=self._tick - n_ticks,
            n_ticks=n_ticks,
            n_cores=self.n_cores,
        )

    def _run_block(
        self, inputs: Inputs, offset: int, fired: np.ndarray, threads: int
    ) -> np.ndarray:
        """Run ``len(fired)`` ticks and return their events; ``fired`` is memory to work in."""
        self._arrays = with_rings(self._arrays, threads)
        work = (self._arrays, self._rules, inputs, self._tick, offset, fired)
        if threads == 1:
            kernel.run_serial(*work)
            return np.asarray(kernel.list_events(fired, self._tick))
        before = numba.get_num_threads()
        numba.set_num_threads(threads)
        try:
            kernel.run_parallel(*work, threads)
            return np.asarray(kernel.list_events_parallel(fired, self._tick))
        finally:
            numba.set_num_threads(before)

    def _check_inputs(self, inputs: ArrayLike) -> np.ndarray:
        rows = np.asarray(inputs)
        if rows.size == 0:
            return np.empty((0, 3), dtype=np.int64)
        if rows.ndim != 2 or rows.shape[1] != 3 or rows.dtype.kind not in "iu":
            raise ParameterError(
                f"inputs is {rows.dtype} of shape {rows.shape}; allowed: whole numbers of shape "
                "(n, 3), rows (tick, core, axon)"
            )
        bounds = (
            ("tick", self._tick, _LAST_TICK, "The chip has already run the ticks before"),
            ("core", 0, self.n_cores - 1, ""),
            ("axon", 0, N_AXONS - 1, ""),
        )
        for column, (name, low, high, hint) in enumerate(bounds):
            values = rows[:, column]
            if values.min() < low or values.max() > high:
                row = int(np.flatnonzero((values < low) | (values > high))[0])
                check_integer(
                    f"inputs row {row}: {name}", values[row], low=low, high=high, hint=hint
                )
        return rows.astype(np.int64, copy=False)


def _check_targets(index: int, neurons: Neurons, n_cores: int) -> None:
    target = np.asarray(neurons.target_core)
    if target.max() >= n_cores:
        neuron = int(target.argmax())
        raise ParameterError(
            f"core {index}, neuron {neuron}: target_core = {target[neuron]} is out of range; "
            f"allowed: -1 … {n_cores - 1}. The chip has {n_cores} cores"
        )


def _choose_path(neurons: Neurons, points: OpenPoints) -> int:
    """Return the most specialised path through the kernel that is right for these neurons."""
    reverses = bool(np.any(neurons.leak_reversal))
    if (
        np.any(neurons.stochastic_synapse)
        or np.any(neurons.stochastic_leak)
        or np.any(neurons.threshold_mask_bits)
        or points.overflow != "saturate"
        or (points.zero_crossing == "clamp" and reverses)
    ):
        return GENERAL
    if reverses or not np.all(neurons.negative_saturate):
        return DETERMINISTIC
    return SATURATING


def _sort_inputs(rows: np.ndarray, first_tick: int, n_ticks: int) -> Inputs:
    ticks = rows[:, 0] - first_tick
    if np.any(np.diff(ticks) < 0):
        order = np.argsort(ticks, kind="stable")
        ticks, rows = ticks[order], rows[order]
    start = np.searchsorted(ticks, np.arange(n_ticks + 1))
    return Inputs(start, rows[:, 1].astype(np.int32), rows[:, 2].astype(np.uint8))
