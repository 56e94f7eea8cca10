"""The spikes of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from swta.truenorth.neuron import N_NEURONS


@dataclass(frozen=True, eq=False)
class Raster:
    """Every spike of every neuron of a run."""

    events: np.ndarray  # (m, 3) int32, rows (tick, core, neuron), sorted
    first_tick: int  # the run's first tick
    n_ticks: int
    n_cores: int

    def ticks(self, core: int, neuron: int) -> np.ndarray:
        """Return the ticks in which one neuron fired."""
        mine = (self.events[:, 1] == core) & (self.events[:, 2] == neuron)
        return self.events[mine, 0]

    def counts(self, *, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Return the number of spikes of each neuron, (n_cores, 256) int64.

        Args:
            start, stop: count only ticks start <= tick - first_tick < stop.
        """
        since = self.events[:, 0] - self.first_tick
        last = self.n_ticks if stop is None else stop
        rows = self.events[(since >= start) & (since < last)]
        index = rows[:, 1].astype(np.int64) * N_NEURONS + rows[:, 2]
        size = self.n_cores * N_NEURONS
        return np.bincount(index, minlength=size).reshape(self.n_cores, N_NEURONS)

    def rates(self, *, start: int = 0) -> np.ndarray:
        """Return firing rates from tick ``start`` on, (n_cores, 256) in spikes per tick."""
        return self.counts(start=start) / (self.n_ticks - start)
