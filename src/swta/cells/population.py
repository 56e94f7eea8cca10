"""Spike trains of thousands of candidate cells, compiled: the fast path of the fits.

It integrates the same equations by the same rule as `swta.cells.simulate` (second-order
Runge-Kutta, fixed step). A fit asks for the same few features of very many cells; without a
simulator's bookkeeping a step of one cell takes some nanoseconds.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from swta.cells.adex import LARGEST_EXPONENT, PARAMETER_NAMES

_C, _GL, _EL, _VT, _DT, _TAUW, _A, _B, _VR, _REF, _VP = range(len(PARAMETER_NAMES))
MAX_SPIKES: Final = 512  # kept per train; above any rate a 1-s step gives in these cells


@njit(cache=False)
def _derivatives(v: float, w: float, current: float, p: NDArray[np.float64]) -> tuple[float, float]:
    # Limited for the one step in which a spike runs away, as in `swta.cells.simulate`.
    exponent = min(max((v - p[_VT]) / p[_DT], -LARGEST_EXPONENT), LARGEST_EXPONENT)
    onset = p[_GL] * p[_DT] * np.exp(exponent)
    dv = (-p[_GL] * (v - p[_EL]) + onset - w + current) / p[_C]
    return dv, (p[_A] * (min(v, p[_VP]) - p[_EL]) - w) / p[_TAUW]


@njit(cache=False)
def simulate_trains(
    cells: NDArray[np.float64],
    currents_pA: NDArray[np.float64],
    duration_ms: float,
    dt_ms: float,
    max_spikes: int = MAX_SPIKES,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Spike counts and spike times (ms) of current steps into AdEx cells.

    Args:
        cells: (n_cells, 11), the fields of `AdExParameters` in their order and units.
        currents_pA: (n_cells, n_steps).
        duration_ms, dt_ms: length of the step and of the time step.
        max_spikes: times kept per train; the counts go on.

    Returns:
        Counts (n_cells, n_steps) and times (n_cells, n_steps, max_spikes), NaN beyond the count.
    """
    n_cells, n_steps = currents_pA.shape
    counts = np.zeros((n_cells, n_steps), dtype=np.int64)
    times = np.full((n_cells, n_steps, max_spikes), np.nan)
    ticks = round(duration_ms / dt_ms)
    for i in range(n_cells):
        p = cells[i]
        # As in Brian 2: frozen while whole steps since the spike are fewer than those of the pause.
        pause = int(p[_REF] / dt_ms + 1e-3)
        for j in range(n_steps):
            v, w, wait = p[_EL], 0.0, 0
            for k in range(ticks):
                dv, dw = _derivatives(v, w, currents_pA[i, j], p)
                if wait > 0:
                    dv = 0.0
                mid_v, mid_w = v + 0.5 * dt_ms * dv, w + 0.5 * dt_ms * dw
                dv, dw = _derivatives(mid_v, mid_w, currents_pA[i, j], p)
                w += dt_ms * dw
                if wait > 0:
                    wait -= 1
                    continue
                v += dt_ms * dv
                if v > p[_VP]:
                    if counts[i, j] < max_spikes:
                        times[i, j, counts[i, j]] = k * dt_ms
                    counts[i, j] += 1
                    v, w, wait = p[_VR], w + p[_B], pause - 1
    return counts, times


def adaptation_indices(times_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adaptation index of each row of spike times (ms), padded with NaN; NaN below three spikes.

    The vectorised form of `swta.cells.features.adaptation_index`.
    """
    intervals = np.diff(times_ms, axis=-1)
    terms = np.diff(intervals, axis=-1) / (intervals[..., 1:] + intervals[..., :-1])
    present = np.isfinite(terms)
    number = present.sum(axis=-1)
    total = np.where(present, terms, 0.0).sum(axis=-1)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)
