"""The usual load of a chip, and how fast the emulator runs it.

Pacemakers of about 20 Hz (leak 1, thresholds 34 to 66, linear reset), crossbars half full, weights
of ±1, every neuron on an axon of its own anywhere on the chip, delays of 1 to 15 ticks: the kind of
network with which the chip's power and speed were published (Merolla et al. 2014).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from swta.truenorth.chip import Chip, Core
from swta.truenorth.experiments import SpeedResult
from swta.truenorth.neuron import MAX_CORES, N_NEURONS, Neurons
from swta.validation import check_integer, check_real

LOW: Final = 34  # shortest period, ticks
HIGH: Final = 66  # longest period, ticks
_FIELDS: Final = (
    "weights",
    "leak",
    "threshold",
    "negative_threshold",
    "potential",
    "target_core",
    "target_axon",
    "delay",
)
# Ticks/s of a full chip at 20 Hz on two threads of a 2-core x86-64 with AVX-512: what bandwidth and
# arithmetic allow, each by itself.
LIMITS: Final = MappingProxyType(
    {
        "memory_28_GB_s": 1_000,
        "shared_cache_57_GB_s": 2_000,
        "kernel_in_cache": 2_300,
        "shared_parameters_57_GB_s": 4_000,
        "neuron_update": 10_600,
        "synaptic_adds": 22_000,
    }
)


@dataclass(frozen=True, eq=False)
class CostResult:
    """Time per tick of chips of several sizes, and of one size at several activities."""

    sizes: tuple[SpeedResult, ...]  # at about 20 Hz
    activities: tuple[SpeedResult, ...]  # of one number of cores
    rates_hz: np.ndarray  # mean rate of a neuron in ``activities``
    build_time: float  # of the largest of ``sizes`` from its arrays, s


def draw_load(
    n_cores: int, seed: int = 0, *, mixed: bool = False, rate: float | None = None
) -> dict[str, np.ndarray]:
    """Return the load as arrays, crossbars bit by bit packed.

    Args:
        n_cores: number of cores.
        seed: of all random choices.
        mixed: leaks of 1 to 3 with thresholds in proportion, weights of ±1 to ±3 and negative
            thresholds of 50 to 150, neuron by neuron, instead of 1, ±1 and 100.
        rate: of every neuron, spikes per 1000 ticks, instead of about 20.

    Raises:
        ParameterError: no core, too many, or a rate out of range.
    """
    check_integer("n_cores", n_cores, low=1, high=MAX_CORES)
    if rate is not None:
        check_real("rate", rate, low=0, high=500, unit="Hz")
    rng = np.random.default_rng(seed)
    place = rng.permutation(n_cores * 256).reshape(n_cores, 256)
    shape = (n_cores, 256)
    threshold = rng.integers(LOW, HIGH + 1, shape)
    leak, size, beta = np.ones(shape, int), np.ones(shape, int), np.full(shape, 100)
    if rate == 0:
        leak[:] = 0
        threshold[:] = 2**15 - 1
    elif rate is not None:
        leak = rng.integers(60, 101, shape)  # large, so that thresholds can follow the rate
        threshold = np.rint(leak * 1000 / rate).astype(int)
    if mixed:
        factor = rng.integers(1, 4, shape)
        size, beta = rng.integers(1, 4, shape), rng.integers(50, 151, shape)
        leak, threshold = leak * factor, np.minimum(threshold * factor, 2**15 - 1)
    return {
        "weights": np.stack([size, -size, 0 * size, 0 * size], axis=2),
        "leak": leak,
        "negative_threshold": beta,
        "crossbar": rng.integers(0, 256, (n_cores, 256, 32), dtype=np.uint8),
        "axon_type": rng.integers(0, 2, (n_cores, 256)),
        "threshold": threshold,
        "potential": rng.integers(0, threshold),
        "target_core": place // 256,
        "target_axon": place % 256,
        "delay": rng.integers(1, 16, (n_cores, 256)),
    }


def build_load(arrays: dict[str, np.ndarray]) -> Chip:
    """Return the chip of `draw_load`."""
    cores = []
    for index in range(len(arrays["threshold"])):
        neurons = Neurons(
            reset_mode=1,
            negative_saturate=True,
            core=index,
            **{name: arrays[name][index] for name in _FIELDS},
        )
        crossbar = np.unpackbits(arrays["crossbar"][index], axis=1).astype(bool)
        cores.append(Core(arrays["axon_type"][index], crossbar, neurons))
    return Chip(cores)


def measure_load(
    chip: Chip, *, n_ticks: int, threads: int | None = None, repeats: int = 10
) -> tuple[SpeedResult, float]:
    """Time a chip without external input, after a run to compile and to spread its spikes.

    Args:
        chip: from `build_load`.
        n_ticks: ticks of each timed run.
        threads: as in ``Chip.run``.
        repeats: short runs, of which the fastest counts: where others share the machine, threads
            wait for each other in most.

    Returns:
        the fastest run, and the mean rate of a neuron in all of them, Hz.
    """
    check_integer("n_ticks", n_ticks, low=1)
    check_integer("repeats", repeats, low=1)
    chip.run([], 32, threads=threads)
    best, spikes = None, 0
    for _ in range(repeats):
        before = chip.synaptic_events
        start = time.perf_counter()
        raster = chip.run([], n_ticks, threads=threads)
        elapsed = time.perf_counter() - start
        spikes += len(raster.events)
        if best is None or elapsed < best.wall_time:
            events = chip.synaptic_events - before
            best = SpeedResult(chip.n_cores, n_ticks, events, elapsed, threads=threads or 0)
    assert best is not None  # repeats is at least 1
    return best, 1e3 * spikes / (repeats * n_ticks * chip.n_cores * N_NEURONS)


def measure_cost(
    n_cores: Sequence[int],
    rates_hz: Sequence[float],
    *,
    n_ticks: int,
    activity_cores: int,
    threads: int | None = None,
    seed: int = 0,
) -> CostResult:
    """Time chips of several sizes at 20 Hz, and one size at several activities.

    Args:
        n_cores: sizes, rising.
        rates_hz: of every neuron.
        n_ticks: ticks of each timed run.
        activity_cores: size of the chips of different activity.
        threads: as in ``Chip.run``; 0 in the results stands for its default.
        seed: of the networks.
    """
    sizes, activities, found, built = [], [], [], 0.0
    for size in n_cores:
        arrays = draw_load(size, seed)
        start = time.perf_counter()
        chip = build_load(arrays)
        built = time.perf_counter() - start
        sizes.append(measure_load(chip, n_ticks=n_ticks, threads=threads)[0])
    for rate in rates_hz:
        chip = build_load(draw_load(activity_cores, seed, rate=rate))
        speed, mean = measure_load(chip, n_ticks=n_ticks, threads=threads)
        activities.append(speed)
        found.append(mean)
    return CostResult(tuple(sizes), tuple(activities), np.array(found), built)
