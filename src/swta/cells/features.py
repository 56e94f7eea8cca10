"""Features of spike trains and membrane traces, by the definitions of the recordings' own analysis.

The names and definitions are those of the Allen Institute's Intrinsic Physiology Feature Extractor
(IPFX), so that a simulated cell is measured as the recorded ones were. Times are in ms here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import curve_fit

from swta.cells.adex import DVDT_CRITERION
from swta.validation import ParameterError, check_real


def firing_rate(spike_times_ms: ArrayLike, duration_ms: float) -> float:
    """Spike count over the step's duration, in Hz (IPFX ``avg_rate``)."""
    check_real("duration_ms", duration_ms, low=0, open_low=True, unit="ms")
    return 1e3 * _checked_times(spike_times_ms).size / duration_ms


def first_spike_latency(spike_times_ms: ArrayLike) -> float:
    """Time from the step's onset to the first spike, in ms; NaN without one (IPFX ``latency``)."""
    times = _checked_times(spike_times_ms)
    return float(times[0]) if times.size else float("nan")


def adaptation_index(spike_times_ms: ArrayLike) -> float:
    """Mean of (ISI[k+1] - ISI[k]) / (ISI[k+1] + ISI[k]), dimensionless (IPFX ``adapt``).

    Positive where intervals grow; NaN with fewer than three spikes.
    """
    intervals = np.diff(_checked_times(spike_times_ms))
    if intervals.size < 2:
        return float("nan")
    return float(np.mean(np.diff(intervals) / (intervals[1:] + intervals[:-1])))


def isi_cv(spike_times_ms: ArrayLike) -> float:
    """Standard deviation over mean of interspike intervals; NaN below two spikes (``isi_cv``)."""
    intervals = np.diff(_checked_times(spike_times_ms))
    if intervals.size == 0:
        return float("nan")
    return float(intervals.std() / intervals.mean())


def isi_rate(spike_times_ms: ArrayLike) -> float:
    """One over the mean interspike interval, in Hz; NaN below two spikes (``avg_firing_rate``)."""
    times = _checked_times(spike_times_ms)
    if times.size < 2:
        return float("nan")
    return float(1e3 * (times.size - 1) / (times[-1] - times[0]))


def fi_slope(currents_pA: ArrayLike, rates_hz: ArrayLike) -> float:
    """Least-squares slope of rate against current over the sweeps with spikes, in Hz/pA.

    NaN with fewer than two different spiking currents (IPFX ``fi_fit_slope``).
    """
    currents, rates = np.asarray(currents_pA, float), np.asarray(rates_hz, float)
    spiking = rates > 0
    if np.unique(currents[spiking]).size < 2:
        return float("nan")
    centred = currents[spiking] - currents[spiking].mean()
    return float(centred @ rates[spiking] / (centred @ centred))


def step_rheobase(currents_pA: ArrayLike, counts: ArrayLike) -> float:
    """Smallest current with a spike, in pA; NaN if none (IPFX ``rheobase_i``)."""
    spiking = np.asarray(currents_pA, float)[np.asarray(counts) > 0]
    return float(spiking.min()) if spiking.size else float("nan")


def input_resistance(currents_pA: ArrayLike, traces_mV: NDArray[np.float64]) -> float:
    """Slope of the largest deflection against current over hyperpolarising steps, in MΩ.

    Args:
        currents_pA: (n_sweeps,), all negative, at least two different.
        traces_mV: (n_sweeps, n_samples), the membrane potential during the step.

    Raises:
        ParameterError: fewer than two different currents, or one that is not negative.
    """
    currents = np.asarray(currents_pA, float)
    if np.any(currents >= 0) or np.unique(currents).size < 2:
        raise ParameterError(
            f"currents_pA = {currents.tolist()} do not give a resistance; allowed: at least two "
            "different negative currents. Add hyperpolarising steps"
        )
    centred = currents - currents.mean()
    return float(1e3 * (centred @ np.min(traces_mV, axis=1)) / (centred @ centred))


def membrane_time_constant(
    t_ms: NDArray[np.float64], trace_mV: NDArray[np.float64], v_baseline: float
) -> float:
    """Time constant (ms) of one exponential from 10 % of the deflection to its peak.

    Args:
        t_ms: (n_samples,), from the step's onset.
        trace_mV: (n_samples,), the response to a hyperpolarising step.
        v_baseline: membrane potential before the step, mV.

    Raises:
        ParameterError: the trace does not go below its baseline.
    """
    peak = int(np.argmin(trace_mV))
    deflection = trace_mV[peak] - v_baseline
    if not deflection < 0:
        raise ParameterError(
            f"deflection = {deflection:g} mV is out of range; allowed: below 0. Measure the time "
            "constant on a hyperpolarising step"
        )
    start = int(np.flatnonzero(trace_mV <= v_baseline + 0.1 * deflection)[0])
    t, v = t_ms[start:peak] - t_ms[start], trace_mV[start:peak]
    reached = np.flatnonzero(v <= v_baseline + (1 - np.exp(-1)) * deflection)[0]
    guess = (v[0] - v[-1], max(t[reached], t[1]), v[-1])
    (_, tau, _), _ = curve_fit(
        lambda x, step, tau, end: end + step * np.exp(-x / tau), t, v, p0=guess
    )
    return float(tau)


def threshold_voltage(
    t_ms: NDArray[np.float64], trace_mV: NDArray[np.float64], *, dvdt: float = DVDT_CRITERION
) -> float:
    """Membrane potential (mV) at the first upward crossing of dvdt (mV/ms); NaN without a spike.

    The crossing is interpolated between samples. It is the detection criterion of the recordings'
    analysis (20 mV/ms).
    """
    slope = np.diff(trace_mV) / np.diff(t_ms)
    middle = 0.5 * (trace_mV[1:] + trace_mV[:-1])
    crossings = np.flatnonzero((slope[1:] >= dvdt) & (slope[:-1] < dvdt))
    if not crossings.size:
        return float("nan")
    k = crossings[0]
    part = (dvdt - slope[k]) / (slope[k + 1] - slope[k])
    return float(middle[k] + part * (middle[k + 1] - middle[k]))


def _checked_times(spike_times_ms: ArrayLike) -> NDArray[np.float64]:
    times = np.asarray(spike_times_ms, dtype=float)
    if times.ndim != 1 or not np.isfinite(times).all() or np.any(np.diff(times) <= 0):
        raise ParameterError(
            f"spike_times_ms of shape {times.shape} is not a spike train; allowed: one row of "
            "finite, increasing times. Sort the times and drop repeats"
        )
    return times
