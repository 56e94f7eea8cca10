"""Runs of the spiking motif: many conditions in many networks, as population rates and spikes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from swta.circuit.brian_motif import FloatArray, Job, run_copies
from swta.circuit.conditions import Condition
from swta.circuit.wiring import Wiring
from swta.validation import ParameterError, check_integer, check_real


@dataclass(frozen=True)
class SpikingResult:
    """Spikes of every population in time bins, for every condition and every wiring."""

    populations: tuple[str, ...]
    sizes: NDArray[np.int64]  # cells of each population, (n_populations,)
    bin_ms: float
    counts: NDArray[np.int32]  # spikes, (n_bins, n_conditions, n_wirings, n_populations)
    interval_cv: FloatArray  # CV of each cell's intervals after the settling time, NaN below five
    # intervals, (n_conditions, n_wirings, n_cells)
    spikes: dict[tuple[int, int], tuple[FloatArray, NDArray[np.int64]]]  # times (s) and cells of
    # the copies asked for, by (condition, wiring)
    diverged: dict[tuple[int, int], str] = field(default_factory=dict)  # what went wrong where

    @property
    def time_s(self) -> FloatArray:
        """Centres of the bins in s, (n_bins,)."""
        return np.asarray((np.arange(len(self.counts)) + 0.5) * self.bin_ms / 1e3, dtype=np.float64)

    @property
    def courses_hz(self) -> FloatArray:
        """Population rates in Hz, (n_bins, n_conditions, n_wirings, n_populations).

        NaN throughout for a copy that diverged.
        """
        rates = np.asarray(self.counts / self.sizes / (self.bin_ms / 1e3), dtype=np.float64)
        for condition, wiring in self.diverged:
            rates[:, condition, wiring] = np.nan
        return rates

    def select(self, condition: int) -> SpikingResult:
        """The result of one condition."""
        return replace(
            self,
            counts=self.counts[:, condition : condition + 1],
            interval_cv=self.interval_cv[condition : condition + 1],
            spikes={(0, w): s for (c, w), s in self.spikes.items() if c == condition},
            diverged={(0, w): s for (c, w), s in self.diverged.items() if c == condition},
        )

    def mean_rates_hz(self, start_s: float, stop_s: float | None = None) -> FloatArray:
        """Mean population rates in Hz from start to stop, (n_conditions, n_wirings, n_populations).

        Raises:
            ParameterError: a window without a bin.
        """
        return mean_between(self.courses_hz, self.time_s, start_s, stop_s)


def mean_between(
    courses: FloatArray, time_s: FloatArray, start_s: float, stop_s: float | None = None
) -> FloatArray:
    """Mean over the bins, the first axis, whose centres lie from start to stop.

    Raises:
        ParameterError: a window without a bin.
    """
    stop = np.inf if stop_s is None else stop_s
    inside = (time_s >= start_s) & (time_s < stop)
    if not inside.any():
        raise ParameterError(
            f"no bin between {start_s:g} and {stop:g} s; allowed: windows inside 0 to "
            f"{time_s[0] + time_s[-1]:g} s"
        )
    return np.asarray(courses[inside].mean(0))


def simulate_spiking(
    wirings: Sequence[Wiring],
    conditions: Sequence[Condition],
    *,
    duration_s: float,
    seed: int,
    bin_ms: float = 10.0,
    settle_s: float = 0.5,
    dt_ms: float = 0.1,
    record: Sequence[tuple[int, int]] = (),
    cells_per_run: int = 40_000,
    processes: int = 1,
    compiled: bool | None = None,
    stop: bool = True,
) -> SpikingResult:
    """Simulate every condition in every wiring.

    All copies are one vectorised run, cut only where they have more cells than ``cells_per_run``,
    to bound memory (some 10 MB for 1,000 cells). Code is compiled at first use and cached by Brian
    on disk; without a C++ compiler NumPy runs it. The noise of a copy depends on ``seed`` and on
    its place in the run.

    Args:
        wirings: networks of one set of parameters and several seeds.
        conditions: what to do to each of them.
        duration_s: simulated time, s.
        bin_ms: width of the time bins of the result, ms.
        settle_s: time at the start that the interval statistics leave out, s.
        dt_ms: time step, ms.
        record: pairs (condition, wiring) whose spikes are kept.
        cells_per_run: most cells that are simulated at once by one process.
        processes: of this machine to share the copies among; the noise depends on it.
        compiled: whether Brian makes C++ or NumPy code; None: C++ where there is a compiler.
        stop: whether a copy that diverges ends everything; if not, its rates are NaN and
            ``diverged`` says what happened.

    Raises:
        ParameterError: nothing to simulate, wirings of different networks, a bad time.
        DivergenceError: a membrane potential that is not finite, or a population above 250 Hz.
    """
    _check_run(wirings, conditions, record)
    check_real("duration_s", duration_s, low=0.01, unit="s")
    check_real("dt_ms", dt_ms, low=0.01, high=0.2, unit="ms")
    check_real("bin_ms", bin_ms, low=dt_ms, high=1e3 * duration_s, unit="ms")
    check_integer("seed", seed, low=0)
    check_integer("cells_per_run", cells_per_run, low=1)
    check_integer("processes", processes, low=1, high=256)
    places = [(c, w) for c in range(len(conditions)) for w in range(len(wirings))]
    first = wirings[0]
    n_bins = round(1e3 * duration_s / bin_ms)
    shape = (len(conditions), len(wirings))
    counts = np.zeros((n_bins, *shape, len(first.populations)), dtype=np.int32)
    cvs = np.full((*shape, first.n_cells), np.nan)
    kept = {}
    diverged = {}
    at_once = max(1, cells_per_run // wirings[0].n_cells)
    runs = max(processes, -(-len(places) // at_once))
    runs = -(-runs // processes) * processes  # equally many for every process
    parts = [list(p) for p in np.array_split(np.array(places), min(runs, len(places)))]
    jobs: list[Job] = [
        (
            [wirings[w] for _, w in part],
            [conditions[c] for c, _ in part],
            duration_s,
            [seed, k],
            dt_ms,
            compiled,
            stop,
        )
        for k, part in enumerate(parts)
    ]
    for part, (times, cells, wrong) in zip(parts, _run_all(jobs, processes), strict=True):
        owner = cells // first.n_cells
        for k, (c, w) in enumerate(part):
            mine = owner == k
            when, who = times[mine], cells[mine] - k * first.n_cells
            bins = np.minimum((1e3 * when / bin_ms + 1e-6).astype(np.int64), n_bins - 1)
            flat = bins * len(first.populations) + wirings[w].population[who]
            size = n_bins * len(first.populations)
            counts[:, c, w] = np.bincount(flat, minlength=size).reshape(n_bins, -1)
            cvs[c, w] = interval_cv(when, who, first.n_cells, settle_s)
            if k in wrong:
                diverged[int(c), int(w)] = wrong[k]
            if (c, w) in record:
                kept[int(c), int(w)] = (when, who)
    sizes = np.bincount(first.population, minlength=len(first.populations))
    return SpikingResult(first.populations, sizes, bin_ms, counts, cvs, kept, diverged)


def interval_cv(
    times_s: FloatArray, cells: NDArray[np.int64], n_cells: int, start_s: float
) -> FloatArray:
    """Coefficient of variation of each cell's intervals after start_s, NaN below five of them."""
    late = times_s >= start_s
    order = np.lexsort((times_s[late], cells[late]))
    who, when = cells[late][order], times_s[late][order]
    same = np.diff(who) == 0
    interval, owner = np.diff(when)[same], who[1:][same]
    number = np.bincount(owner, minlength=n_cells)
    mean = np.bincount(owner, interval, n_cells) / np.maximum(number, 1)
    deviation = np.bincount(owner, (interval - mean[owner]) ** 2, n_cells)
    with np.errstate(invalid="ignore", divide="ignore"):
        cv = np.sqrt(deviation / (number - 1)) / mean
    return np.where(number >= 5, cv, np.nan)


def _check_run(
    wirings: Sequence[Wiring], conditions: Sequence[Condition], record: Sequence[tuple[int, int]]
) -> None:
    if not wirings or not conditions:
        raise ParameterError(
            f"{len(wirings)} wirings and {len(conditions)} conditions; give at least one of each"
        )
    if any(w.network != wirings[0].network for w in wirings):
        raise ParameterError("wirings of different networks; give seeds of one network")
    for place in record:
        if not (0 <= place[0] < len(conditions) and 0 <= place[1] < len(wirings)):
            raise ParameterError(
                f"record = {place} does not exist; allowed: condition 0 … {len(conditions) - 1}, "
                f"wiring 0 … {len(wirings) - 1}"
            )
    for condition in conditions:
        condition.external_khz(wirings[0], 0.0)


def _run_all(
    jobs: Sequence[Job], processes: int
) -> list[tuple[FloatArray, NDArray[np.int64], dict[int, str]]]:
    if processes == 1 or len(jobs) == 1:
        return [run_copies(job) for job in jobs]
    # A spawned process starts without this one's Brian objects and threads.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(run_copies, jobs))
