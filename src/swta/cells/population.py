"""Current steps into thousands of candidate cells at once, compiled: the engine of the fits.

It integrates the same equations by the same rule as `swta.cells.simulate` (second-order
Runge-Kutta, fixed step). A fit asks for the same few numbers of very many cells: spike times and
four potentials. The cells of a block advance together, so that the processor's vector unit works
on several at a time, and blocks are shared out to threads; no result depends on either.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import Any, Final

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from swta.cells.adex import DVDT_CRITERION, LARGEST_EXPONENT, PARAMETER_NAMES
from swta.validation import ParameterError, check_integer, check_real

MAX_SPIKES: Final = 512  # kept per train; above any rate a 1-s step gives in these cells
# A recording's fast trough is the end of the downstroke, up to a few ms after the peak (IPFX). The
# model has no downstroke; the minimum in this time, and before the next spike, is what it has.
FAST_TROUGH_WINDOW: Final = 5.0  # ms
_C, _GL, _EL, _VT, _DT, _TAUW, _A, _B, _VR, _REF, _VP = range(len(PARAMETER_NAMES))
_LANES: Final = 32  # cells of a block; of 8, 16, 32 the fastest

# The exponential of a whole block: x = m ln 2 + r, e^x = 2^m e^r, e^r by its Taylor series to the
# last bit of a double. No compiled vector exponential comes with the environment of this package,
# and a call of the scalar one for each cell makes the whole simulation ten times slower.
_LOG2E: Final = 1.4426950408889634
_LN2_HIGH: Final = 6.93147180369123816490e-01  # ln 2 in two parts (Cody and Waite 1980), so that
_LN2_LOW: Final = 1.90821492927058770002e-10  # m ln 2 carries no rounding error
_ROUND: Final = 6755399441055744.0  # 1.5 * 2^52: adding it leaves m in the lowest bits
_T2, _T3, _T4, _T5, _T6, _T7, _T8, _T9, _T10, _T11, _T12 = (1 / factorial(i) for i in range(2, 13))


@dataclass(frozen=True)
class PopulationResult:
    """Response of n cells to s current steps each; NaN where there is no spike to measure.

    ``threshold_mV`` is measured by the recordings' criterion, dV/dt = 20 mV/ms on the upstroke.
    The upstroke takes fewer time steps than a recording has samples, so the potential is the root
    of the membrane equation at that slope, which a trace approaches for ever finer sampling.
    """

    counts: NDArray[np.int64]  # (n, s), spikes during the step
    times_ms: NDArray[np.float64]  # (n, s, m), from the step's onset, padded with NaN
    threshold_mV: NDArray[np.float64]  # (n, s), of the first spike
    fast_trough_mV: NDArray[np.float64]  # (n, s), minimum within 5 ms after the first peak
    v_min_mV: NDArray[np.float64]  # (n, s), minimum during the step
    v_steady_mV: NDArray[np.float64]  # (n, s), mean over the asked window, spikes included


def simulate_population(
    cells: ArrayLike,
    currents_pA: ArrayLike,
    *,
    duration_ms: float = 1000.0,
    dt_ms: float = 0.1,
    max_spikes: int = MAX_SPIKES,
    steady_from_ms: float = 730.0,
    steady_to_ms: float = 930.0,
) -> PopulationResult:
    """Spike times (ms) and potentials (mV) of current steps (pA) into AdEx cells at rest.

    Args:
        cells: (n, 11), the fields of `AdExParameters` in their order and units.
        currents_pA: (n, s), or (s,) for the same steps into every cell.
        duration_ms, dt_ms: length of the step and of the time step.
        max_spikes: times kept per train; the counts go on.
        steady_from_ms, steady_to_ms: window of ``v_steady_mV`` from the step's onset. The default
            is that of the sweep table, 1000 to 1200 ms with the onset at 270 ms. NaN where the
            step ends before the window does.

    Raises:
        ParameterError: a table of another shape, a value that is not finite, C, g_L, Delta_T or
            tau_w not above 0, or a bad duration, time step or window.
    """
    table = _checked_cells(cells)
    currents = np.asarray(currents_pA, dtype=np.float64)
    if currents.ndim == 1:
        currents = np.tile(currents, (len(table), 1))
    if currents.ndim != 2 or len(currents) != len(table) or not currents.size:
        raise ParameterError(
            f"currents_pA has shape {np.shape(currents_pA)}; allowed: (s,) or (n, s) with n = "
            f"{len(table)} cells and at least one step"
        )
    if not np.isfinite(currents).all():
        raise ParameterError("currents_pA holds a value that is not finite; allowed: numbers in pA")
    check_real("duration_ms", duration_ms, low=0, open_low=True, unit="ms")
    check_real("dt_ms", dt_ms, low=0, open_low=True, high=0.2, unit="ms")
    check_integer("max_spikes", max_spikes, low=1)
    check_real("steady_from_ms", steady_from_ms, low=0, unit="ms")
    check_real("steady_to_ms", steady_to_ms, low=steady_from_ms, open_low=True, unit="ms")
    ticks = round(duration_ms / dt_ms)
    window = (round(steady_from_ms / dt_ms), round(steady_to_ms / dt_ms))
    counts, times, potentials = _integrate(
        table, np.ascontiguousarray(currents), ticks, dt_ms, max_spikes, *window
    )
    shape = currents.shape
    threshold, trough, lowest, steady = potentials.reshape(4, *shape)
    return PopulationResult(
        counts=counts.reshape(shape),
        times_ms=times.reshape(*shape, max_spikes),
        threshold_mV=threshold,
        fast_trough_mV=trough,
        v_min_mV=lowest,
        v_steady_mV=steady,
    )


@njit(inline="always")
def _exp(x: float, power: NDArray[np.float64], bits: NDArray[np.int64], lane: int) -> float:
    """e^x; ``bits`` is the memory of ``power`` as whole numbers, and entry ``lane`` is scratch."""
    power[lane] = x * _LOG2E + _ROUND
    m = power[lane] - _ROUND
    bits[lane] = (bits[lane] + 1023) << 52  # the double 2^m
    r = (x - m * _LN2_HIGH) - m * _LN2_LOW
    e = _T7 + r * (_T8 + r * (_T9 + r * (_T10 + r * (_T11 + r * _T12))))
    e = 1.0 + r * (1.0 + r * (_T2 + r * (_T3 + r * (_T4 + r * (_T5 + r * (_T6 + r * e))))))
    return e * power[lane]


@njit(cache=True)
def _upstroke_potential(p: NDArray[np.float64], w: float, current: float) -> float:
    """Potential (mV) above V_T where dV/dt is the criterion; NaN where it is not on the upstroke.

    dV/dt is convex in V with its minimum at V_T; Newton's rule from above therefore goes down to
    the root without passing it.
    """
    if (-p[_GL] * (p[_VT] - p[_EL] - p[_DT]) - w + current) / p[_C] >= DVDT_CRITERION:
        return np.nan
    needed = DVDT_CRITERION * p[_C] + p[_GL] * (p[_VP] - p[_EL]) + abs(w) + abs(current)
    v = p[_VT] + p[_DT] * np.log1p(needed / (p[_GL] * p[_DT]))
    for _ in range(200):
        onset = p[_GL] * p[_DT] * np.exp((v - p[_VT]) / p[_DT])
        excess = (-p[_GL] * (v - p[_EL]) + onset - w + current) - DVDT_CRITERION * p[_C]
        step = excess / (onset / p[_DT] - p[_GL])
        v -= step
        if abs(step) < 1e-9:
            break
    return v if v <= p[_VP] else np.nan


@njit(parallel=True, cache=True)
def _integrate(
    cells: NDArray[np.float64],
    currents_pA: NDArray[np.float64],
    ticks: int,
    dt_ms: float,
    max_spikes: int,
    steady_from: int,
    steady_to: int,
) -> Any:
    """Counts (n s,), times (n s, max_spikes) and the four potentials (4, n s) of all trains."""
    n_steps = currents_pA.shape[1]
    total = currents_pA.size
    counts = np.zeros(total, dtype=np.int64)
    times = np.full((total, max_spikes), np.nan)
    potentials = np.full((4, total), np.nan)
    half = 0.5 * dt_ms
    for block in prange((total + _LANES - 1) // _LANES):
        # One entry per lane. Names of parameters as in the equations; _i for an inverse.
        C_i, g_L, E_L, V_T = np.empty(_LANES), np.empty(_LANES), np.empty(_LANES), np.empty(_LANES)
        D, D_i, tau_i, a = np.empty(_LANES), np.empty(_LANES), np.empty(_LANES), np.empty(_LANES)
        V_peak, current = np.empty(_LANES), np.empty(_LANES)
        v, w, wait = np.empty(_LANES), np.zeros(_LANES), np.zeros(_LANES)
        lowest, steady = np.empty(_LANES), np.zeros(_LANES)
        trough, trough_end = np.full(_LANES, np.nan), np.full(_LANES, -1)
        last_trough = -1
        power = np.empty(_LANES)
        bits = power.view(np.int64)
        for lane in range(_LANES):
            train = min(block * _LANES + lane, total - 1)  # the last block repeats the last train
            p = cells[train // n_steps]
            C_i[lane], g_L[lane], E_L[lane], V_T[lane] = 1 / p[_C], p[_GL], p[_EL], p[_VT]
            D[lane], D_i[lane] = p[_DT], 1 / p[_DT]
            tau_i[lane], a[lane], V_peak[lane] = 1 / p[_TAUW], p[_A], p[_VP]
            current[lane] = currents_pA[train // n_steps, train % n_steps]
            v[lane] = lowest[lane] = p[_EL]
        for k in range(ticks):
            spikes = 0
            for lane in range(_LANES):
                # Limited for the one step in which a spike runs away, as in `simulate`.
                x = (v[lane] - V_T[lane]) * D_i[lane]
                x = min(max(x, -LARGEST_EXPONENT), LARGEST_EXPONENT)
                onset = g_L[lane] * D[lane] * _exp(x, power, bits, lane)
                dv = -g_L[lane] * (v[lane] - E_L[lane]) + onset - w[lane] + current[lane]
                dv *= C_i[lane]
                dw = (a[lane] * (min(v[lane], V_peak[lane]) - E_L[lane]) - w[lane]) * tau_i[lane]
                free = 1.0 if wait[lane] <= 0.0 else 0.0
                mid_v, mid_w = v[lane] + half * dv * free, w[lane] + half * dw

                x = (mid_v - V_T[lane]) * D_i[lane]
                x = min(max(x, -LARGEST_EXPONENT), LARGEST_EXPONENT)
                onset = g_L[lane] * D[lane] * _exp(x, power, bits, lane)
                dv = -g_L[lane] * (mid_v - E_L[lane]) + onset - mid_w + current[lane]
                dv *= C_i[lane]
                dw = (a[lane] * (min(mid_v, V_peak[lane]) - E_L[lane]) - mid_w) * tau_i[lane]
                w[lane] += dt_ms * dw
                v[lane] += dt_ms * dv * free
                wait[lane] -= 1.0
                lowest[lane] = min(lowest[lane], v[lane])
                spikes += 1 if v[lane] > V_peak[lane] else 0
            if spikes:
                for lane in range(_LANES):
                    train = block * _LANES + lane
                    if not v[lane] > V_peak[lane] or train >= total:
                        continue
                    p = cells[train // n_steps]
                    if counts[train] == 0:
                        potentials[0, train] = _upstroke_potential(p, w[lane], current[lane])
                        trough[lane] = np.inf
                        trough_end[lane] = k + round(FAST_TROUGH_WINDOW / dt_ms)
                        last_trough = max(last_trough, trough_end[lane])
                    elif counts[train] == 1:
                        trough_end[lane] = min(trough_end[lane], k - 1)
                    if counts[train] < max_spikes:
                        times[train, counts[train]] = k * dt_ms
                    counts[train] += 1
                    v[lane] = p[_VR]
                    w[lane] += p[_B]
                    # As in Brian 2: held while whole steps since the spike are fewer than those
                    # of the pause.
                    wait[lane] = int(p[_REF] / dt_ms + 1e-3) - 1
                    lowest[lane] = min(lowest[lane], v[lane])
            if k <= last_trough:
                for lane in range(_LANES):
                    if k <= trough_end[lane]:
                        trough[lane] = min(trough[lane], v[lane])
            if steady_from <= k < steady_to:
                for lane in range(_LANES):
                    steady[lane] += v[lane]
        for lane in range(_LANES):
            train = block * _LANES + lane
            if train < total:
                potentials[1, train] = trough[lane]
                potentials[2, train] = lowest[lane]
                if steady_to <= ticks:
                    potentials[3, train] = steady[lane] / (steady_to - steady_from)
    return counts, times, potentials


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


def _checked_cells(cells: ArrayLike) -> NDArray[np.float64]:
    table = np.ascontiguousarray(cells, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(PARAMETER_NAMES) or not len(table):
        raise ParameterError(
            f"cells has shape {table.shape}; allowed: (n, {len(PARAMETER_NAMES)}), one row a cell, "
            f"columns {', '.join(PARAMETER_NAMES)}"
        )
    bad = ~np.isfinite(table)
    for column in (_C, _GL, _DT, _TAUW):
        bad[:, column] |= ~(table[:, column] > 0)
    bad[:, _REF] |= table[:, _REF] < 0
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ParameterError(
            f"cells[{row}]: {PARAMETER_NAMES[column]} = {table[row, column]:g} is out of range; "
            "allowed: finite numbers, C, g_L, Delta_T and tau_w above 0, refractory not below 0"
        )
    return table
