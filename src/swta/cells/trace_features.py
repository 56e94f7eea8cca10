"""Spikes and sweep features of one recorded or simulated current step.

The definitions are those of the Allen Institute's Intrinsic Physiology Feature Extractor (IPFX;
Gouwens et al. 2019 measured the Cell Types tables with them), written again here, so that recorded
and simulated traces are measured by one code. Times are in ms here and in s there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.signal import bessel, filtfilt

from swta.cells.adex import DVDT_CRITERION
from swta.cells.features import (
    adaptation_index,
    firing_rate,
    first_spike_latency,
    isi_cv,
    isi_rate,
    membrane_time_constant,
)
from swta.validation import ParameterError, check_real

FILTER_KHZ: Final = 10.0  # corner of the low-pass of dV/dt
THRESHOLD_FRACTION: Final = 0.05  # of the mean upstroke of the sweep
TROUGH_FRACTION: Final = 0.01  # of the downstroke
MIN_PEAK: Final = -30.0  # mV
MIN_HEIGHT: Final = 2.0  # mV
MAX_RISE: Final = 5.0  # ms from threshold to peak
BASELINE_MS: Final = 100.0  # before the step, for the baseline
SAG_WINDOW: Final = 30.0  # ms, baseline and end of the step for the sag
SAG_PEAK: Final = 5.0  # ms, average around the largest deflection
_RETURN: Final = 1.0  # mV above threshold to which a spike has to return
_COLUMNS: Final = (
    "threshold_t_ms",
    "threshold_v_mV",
    "upstroke_mV_per_ms",
    "peak_t_ms",
    "peak_v_mV",
    "downstroke_mV_per_ms",
    "fast_trough_t_ms",
    "fast_trough_v_mV",
    "trough_t_ms",
    "trough_v_mV",
    "width_ms",
    "ahp_depth_mV",
)


@dataclass(frozen=True)
class TraceFeatures:
    """What is measured in one sweep.

    ``spikes`` has one row per action potential; times are from the step's onset. Columns, with the
    IPFX name:

    * threshold_t_ms, threshold_v_mV (``threshold``): last sample before the upstroke at which dV/dt
      is at or below 5 % of the sweep's mean upstroke; spikes are found by dV/dt rising through
      20 mV/ms;
    * upstroke_mV_per_ms, downstroke_mV_per_ms (``upstroke``, ``downstroke``): largest and smallest
      dV/dt around the peak;
    * peak_t_ms, peak_v_mV (``peak``): maximum between a spike's onset and the next spike's;
    * fast_trough_t_ms, fast_trough_v_mV (``fast_trough``): the end of the spike, the first sample
      after the downstroke at which dV/dt is back at 1 % of it;
    * trough_t_ms, trough_v_mV (``trough``): minimum until the next threshold or the step's end;
    * width_ms (``width``): duration above half the height from fast trough to peak, or from
      threshold to peak where the former lies below threshold;
    * ahp_depth_mV: threshold less fast trough, the after-hyperpolarisation of the class statistics.

    The last four are NaN for a last spike that does not come back to its threshold in time.

    ``sweep`` holds current_pA, v_baseline_mV (``v_baseline``: mean of 100 ms before the step),
    v_steady_mV (mean of the last 30 ms), n_spikes, rate_hz (``avg_rate``: count over duration),
    latency_ms (``latency``: onset to first threshold), isi_rate_hz (``avg_firing_rate``: inverse of
    ``mean_isi``), adaptation_index (``adapt``), isi_cv (``isi_cv``), upstroke_downstroke_ratio
    (of the first spike), and for a hyperpolarising step
    input_resistance_MOhm (``input_resistance``: largest deflection over current), tau_ms
    (``tau``: one exponential from 10 % of the deflection to its peak) and sag (``sag``: how much
    of the largest deflection is gone at the end). NaN is not defined in this sweep.
    """

    spikes: pd.DataFrame
    sweep: dict[str, float]

    def tabulate(self) -> pd.DataFrame:
        """Sweep features as rows of feature and value."""
        return pd.DataFrame(self.sweep.items(), columns=["feature", "value"])


def measure_trace(
    t_ms: ArrayLike,
    v_mV: ArrayLike,
    i_pA: ArrayLike,
    *,
    t_on_ms: float,
    t_off_ms: float,
    dvdt: float = DVDT_CRITERION,
) -> TraceFeatures:
    """Spikes (mV, ms) and sweep features of the response to a current step.

    Args:
        t_ms: (n,) evenly spaced times.
        v_mV: (n,) membrane potential.
        i_pA: (n,) injected current.
        t_on_ms, t_off_ms: onset and end of the step.
        dvdt: rate of rise that counts as a spike, mV/ms.

    Raises:
        ParameterError: arrays that do not fit each other, times that are not even, values that are
            not finite, or a step outside the trace.
    """
    t, v, current = _checked(t_ms, v_mV, i_pA)
    check_real("dvdt", dvdt, low=0, open_low=True, unit="mV/ms")
    check_real("t_on_ms", t_on_ms, low=float(t[0]), high=float(t[-1]), open_low=True, unit="ms")
    check_real("t_off_ms", t_off_ms, low=t_on_ms, high=float(t[-1]), open_low=True, unit="ms")
    on, off = (int(np.searchsorted(t, edge - 1e-9)) for edge in (t_on_ms, t_off_ms))
    slope = _rate_of_change(t, v)
    spikes = _find_spikes(t, v, slope, on, off, dvdt)
    table = pd.DataFrame([_measure_spike(t, v, slope, *s) for s in spikes], columns=list(_COLUMNS))
    for column in ("threshold_t_ms", "peak_t_ms", "fast_trough_t_ms", "trough_t_ms"):
        table[column] = table[column].astype(float) - t_on_ms
    return TraceFeatures(table, _measure_sweep(t, v, current, on, off, table))


def _checked(*arrays: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    t, v, current = (np.asarray(array, dtype=np.float64) for array in arrays)
    if t.ndim != 1 or t.size < 10 or not t.shape == v.shape == current.shape:
        raise ParameterError(
            f"t_ms {t.shape}, v_mV {v.shape} and i_pA {current.shape} are no trace; allowed: three "
            "rows of the same length, at least 10 samples"
        )
    for name, array in (("t_ms", t), ("v_mV", v), ("i_pA", current)):
        if not np.isfinite(array).all():
            raise ParameterError(f"{name} holds a value that is not finite; allowed: numbers")
    steps = np.diff(t)
    if steps.min() <= 0 or np.ptp(steps) > 1e-3 * steps.mean():
        raise ParameterError(
            f"t_ms has steps of {steps.min():g} to {steps.max():g} ms; allowed: even, growing times"
        )
    return t, v, current


def _rate_of_change(t: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """dV/dt in mV/ms after a 4-pole Bessel low-pass at 10 kHz, forth and back as in IPFX.

    A trace sampled at 20 kHz or less has nothing above the corner and is not filtered.
    """
    dt = float(np.mean(np.diff(t)))
    corner = FILTER_KHZ * 2 * dt  # in units of half the sampling rate
    smooth = filtfilt(*bessel(4, corner, "low"), v) if corner < 1 else v
    return np.diff(smooth) / dt


def _find_spikes(
    t: NDArray[np.float64],
    v: NDArray[np.float64],
    slope: NDArray[np.float64],
    on: int,
    off: int,
    dvdt: float,
) -> list[tuple[int, int, int]]:
    """Threshold, peak and end (next threshold or the step's end) of each spike, as samples."""
    fast = slope[on:off] >= dvdt
    rising = on + np.flatnonzero(fast[1:] & ~fast[:-1])
    kept: list[int] = []
    for start in rising:
        # dV/dt has to come back below zero between two spikes.
        if not kept or (slope[kept[-1] : start] < 0).any():
            kept.append(int(start))
    found = []
    for start, end in zip(kept, [*kept, off][1:], strict=True):
        peak = start + int(np.argmax(v[start:end]))
        if peak > start and v[peak] >= MIN_PEAK and v[peak] - v[start] >= MIN_HEIGHT:
            found.append((peak, start + int(np.argmax(slope[start:peak]))))
    if not found:
        return []
    target = THRESHOLD_FRACTION * float(np.mean([slope[upstroke] for _, upstroke in found]))
    thresholds, peaks = [], []
    previous = on
    for peak, upstroke in found:
        slow = np.flatnonzero(slope[previous : upstroke + 1] <= target)
        threshold = previous + int(slow[-1]) if slow.size else previous
        previous = upstroke
        if t[peak] - t[threshold] < MAX_RISE:
            thresholds.append(threshold)
            peaks.append(peak)
    return list(zip(thresholds, peaks, [*thresholds, off][1:], strict=True))


def _measure_spike(
    t: NDArray[np.float64],
    v: NDArray[np.float64],
    slope: NDArray[np.float64],
    threshold: int,
    peak: int,
    end: int,
) -> dict[str, float]:
    row: dict[str, float] = dict.fromkeys(_COLUMNS, np.nan)
    row |= {
        "threshold_t_ms": t[threshold],
        "threshold_v_mV": v[threshold],
        "upstroke_mV_per_ms": slope[threshold:peak].max(),
        "peak_t_ms": t[peak],
        "peak_v_mV": v[peak],
    }
    if not (v[peak : end + 1] <= v[threshold] + _RETURN).any():
        return row  # cut off by the step's end
    trough = peak + int(np.argmin(v[peak:end]))
    downstroke = peak + int(np.argmin(slope[peak:end]))
    over = np.flatnonzero(slope[downstroke:end] >= TROUGH_FRACTION * slope[downstroke])
    row |= {
        "trough_t_ms": t[trough],
        "trough_v_mV": v[trough],
        "downstroke_mV_per_ms": slope[downstroke],
    }
    if over.size:
        fast = downstroke + int(over[0])
        row |= {
            "fast_trough_t_ms": t[fast],
            "fast_trough_v_mV": v[fast],
            "ahp_depth_mV": v[threshold] - v[fast],
            "width_ms": _width(t, v, threshold, peak, fast),
        }
    return row


def _width(
    t: NDArray[np.float64], v: NDArray[np.float64], threshold: int, peak: int, fast: int
) -> float:
    level = 0.5 * (v[peak] + v[fast])
    if level < v[threshold]:
        level = 0.5 * (v[peak] + v[threshold])
    before = np.flatnonzero(v[threshold + 1 : peak + 1] <= level)
    after = np.flatnonzero(v[peak : fast + 1] <= level)
    if not (before.size and after.size):
        return float("nan")
    return float(t[peak + after[0]] - t[threshold + 1 + before[-1]])


def _measure_sweep(
    t: NDArray[np.float64],
    v: NDArray[np.float64],
    current: NDArray[np.float64],
    on: int,
    off: int,
    spikes: pd.DataFrame,
) -> dict[str, float]:
    duration = float(t[off] - t[on])
    dt = duration / (off - on)
    baseline = float(v[max(on - round(BASELINE_MS / dt), 0) : on].mean())
    steady = float(v[off - round(min(SAG_WINDOW, duration) / dt) : off].mean())
    amplitude = float(np.median(current[on:off]) - np.median(current[:on]))
    train = spikes["threshold_t_ms"].to_numpy(dtype=np.float64)
    ratio: Any = np.nan
    if len(spikes):
        first = spikes.iloc[0]
        ratio = -first["upstroke_mV_per_ms"] / first["downstroke_mV_per_ms"]
    features = {
        "current_pA": amplitude,
        "v_baseline_mV": baseline,
        "v_steady_mV": steady,
        "n_spikes": float(len(spikes)),
        "rate_hz": firing_rate(train, duration),
        "latency_ms": first_spike_latency(train),
        "isi_rate_hz": isi_rate(train),
        "adaptation_index": adaptation_index(train),
        "isi_cv": isi_cv(train),
        "upstroke_downstroke_ratio": float(ratio),
        "input_resistance_MOhm": float("nan"),
        "tau_ms": float("nan"),
        "sag": float("nan"),
    }
    if amplitude < 0 and not len(spikes):
        features |= _measure_hyperpolarised(t, v, on, off, amplitude, baseline)
    return features


def _measure_hyperpolarised(
    t: NDArray[np.float64],
    v: NDArray[np.float64],
    on: int,
    off: int,
    amplitude: float,
    baseline: float,
) -> dict[str, float]:
    dt = float(t[1] - t[0])
    lowest = on + int(np.argmin(v[on:off]))
    half = round(0.5 * SAG_PEAK / dt)
    around = float(v[max(lowest - half, on) : min(lowest + half, off)].mean())
    window = round(SAG_WINDOW / dt)
    before = float(v[max(on - window, 0) : on].mean())
    end = float(v[off - window : off].mean())
    return {
        "input_resistance_MOhm": 1e3 * (float(v[lowest]) - baseline) / amplitude,
        "tau_ms": membrane_time_constant(t[on:off] - t[on], v[on:off], baseline),
        "sag": (around - end) / (around - before),
    }
