"""External input as independent Bernoulli spikes on every line, and the counts under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from swta.truenorth.chip import Chip
from swta.truenorth.placement import Placement
from swta.validation import check_integer

CHUNK_DRAWS: Final = 4_000_000  # random numbers drawn at a time, 32 MB


@dataclass(frozen=True, eq=False)
class Lines:
    """External lines that carry independent spikes, and the axons that each of them drives."""

    rates: np.ndarray  # (n_lines,), spikes per tick
    start: np.ndarray  # (n_lines + 1,), first of a line's axons
    core: np.ndarray
    axon: np.ndarray

    def rows(self, first_tick: int, n_ticks: int, rng: np.random.Generator) -> np.ndarray:
        """Return input rows (tick, core, axon) of random spikes, sorted by tick."""
        (used,) = np.nonzero(self.rates)
        ticks, index = np.nonzero(rng.random((n_ticks, len(used))) < self.rates[used])
        start, stop = self.start[used[index]], self.start[used[index] + 1]
        times = stop - start
        hit = np.repeat(start - np.cumsum(times) + times, times) + np.arange(times.sum())
        return np.column_stack(
            [np.repeat(ticks + first_tick, times), self.core[hit], self.axon[hit]]
        )


def input_rates(rates: ArrayLike) -> dict[str, float]:
    """Return the rates of the sources ``input_0``, ... of a motif, spikes per tick."""
    return {f"input_{k}": float(rate) for k, rate in enumerate(np.asarray(rates, dtype=float))}


def lines_of(
    networks: Sequence[Placement], first: np.ndarray, rates: Sequence[Mapping[str, float]]
) -> Lines:
    """Return the lines of all sources of networks that stand side by side on a chip."""
    per_line, ways, n = [], [], 0
    for network, core, table in zip(networks, first, rates, strict=True):
        for source in network.network.sources:
            per_line.append(np.full(source.n, table[source.name]))
            ways.append(network.lines[source.name][:, :3] + [n, core, 0])
            n += source.n
    line, core_of, axon = np.concatenate(ways).T
    return Lines(np.concatenate(per_line), np.searchsorted(line, np.arange(n + 1)), core_of, axon)


def count_spikes(chip: Chip, lines: Lines, *, n_ticks: int, settle: int, seed: int) -> np.ndarray:
    """Run the chip under random input; return spike counts (cores, 256) after ``settle`` ticks.

    On one thread: drawing the input takes longer than the chip, and threads would wait for each
    other in every tick.
    """
    check_integer("n_ticks", n_ticks, low=1)
    rng = np.random.default_rng([seed, 1])
    counts = np.zeros(chip.potentials.shape, dtype=np.int64)
    chunk = max(1, CHUNK_DRAWS // max(1, int(np.count_nonzero(lines.rates))))
    while chip.tick < settle + n_ticks:
        measured = chip.tick >= settle
        end = settle + n_ticks if measured else settle
        length = min(chunk, end - chip.tick)
        raster = chip.run(lines.rows(chip.tick, length, rng), length, threads=1)
        if measured:
            counts += raster.counts()
    return counts
