"""Numbers from experiments on the spiking motif, one per network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from swta.cells.classes import CLASSES, LABELS
from swta.circuit.measures import measure_snr
from swta.circuit.spiking_experiments import (
    ModulationCurves,
    ProfileResult,
    PulseResult,
    RegimeResult,
    RestoredResult,
    TransferResult,
)

FloatArray = NDArray[np.float64]

# Rates in mouse V1 layer 2/3, Hz: target ranges of this project, second-hand from reviews and not
# checked against recordings. None is known to us for LAMP5.
SPONTANEOUS_HZ: Final = {
    "Pyr": (0.1, 0.5),
    "Pvalb": (3.0, 8.0),
    "Sst": (0.5, 2.0),
    "Vip": (1.0, 5.0),
}
EVOKED_HZ: Final = {"Pyr": (2.0, 8.0), "Pvalb": (15.0, 40.0), "Sst": (3.0, 8.0)}
RUNNING_VIP_HZ: Final = (5.0, 15.0)  # VIP during locomotion


@dataclass(frozen=True)
class RegimeRates:
    """Rates of the classes over whole networks, and the irregularity of their firing."""

    spontaneous: dict[str, FloatArray]  # Hz by class, (n_seeds,)
    evoked: dict[str, FloatArray]  # Hz by class, Pyr: the driven unit, (n_seeds,)
    interval_cv: FloatArray  # median over pyramidal cells of the evoked run, (n_seeds,)
    drift: FloatArray  # last third over first third of the evoked pyramidal rate, (n_seeds,)
    largest: FloatArray  # highest rate of any population in 50 ms over its mean rate, (n_seeds,)


def measure_regime(result: RegimeResult) -> RegimeRates:
    """Rates (Hz) by class, CV of intervals, and whether the network drifts or bursts."""
    quiet, driven = result.spontaneous, result.evoked
    n_units = sum(name.startswith("Pyr") for name in quiet.populations)
    end = len(quiet.counts) * quiet.bin_ms / 1e3
    third = (end - result.settle_s) / 3
    rest, active = quiet.mean_rates_hz(result.settle_s)[0], driven.mean_rates_hz(result.settle_s)[0]
    early = driven.mean_rates_hz(result.settle_s, result.settle_s + third)[0, :, 0]
    late = driven.mean_rates_hz(end - third)[0, :, 0]
    pyramidal = driven.interval_cv[0][:, : int(driven.sizes[:n_units].sum())]
    steps = max(1, round(50 / driven.bin_ms))
    kept = driven.courses_hz[round(1e3 * result.settle_s / driven.bin_ms) :, 0]
    coarse = kept[: len(kept) // steps * steps].reshape(-1, steps, *kept.shape[1:]).mean(1)
    return RegimeRates(
        {"Pyr": rest[:, :n_units].mean(-1), **_by_class(rest, n_units)},
        {"Pyr": active[:, 0], **_by_class(active, n_units)},
        np.nanmedian(pyramidal, axis=-1),
        late / early,
        (coarse.max(0) / np.maximum(coarse.mean(0), 1.0)).max(-1),
    )


def tabulate_regime(rates: RegimeRates) -> pd.DataFrame:
    """A row per class and state: mean and s.d. over networks, reference range, inside or not."""
    rows = []
    for state, values, ranges in (
        ("spontaneous", rates.spontaneous, SPONTANEOUS_HZ),
        ("evoked", rates.evoked, EVOKED_HZ),
    ):
        for name, value in values.items():
            low, high = ranges.get(name, (np.nan, np.nan))
            mean = float(value.mean())
            inside = "no reference" if np.isnan(low) else "yes" if low <= mean <= high else "no"
            spread = float(value.std(ddof=1)) if len(value) > 1 else np.nan
            rows.append((LABELS[name], state, mean, spread, low, high, inside))
    columns = ["class", "state", "mean (Hz)", "s.d. (Hz)", "low (Hz)", "high (Hz)", "inside"]
    return pd.DataFrame(rows, columns=columns)


def measure_winner_amplification(result: TransferResult) -> FloatArray:
    """Strong unit's rate over that without recurrent excitation, (n_ratios, n_seeds)."""
    return result.together[..., 0] / result.without_recurrence[..., 0]


def measure_rival_fraction(result: TransferResult) -> FloatArray:
    """Rival's rate beside the strong unit over its rate alone, (n_ratios, n_seeds)."""
    return result.together[..., 1] / result.rival_alone[..., 1]


def measure_rank_kept(result: ProfileResult) -> FloatArray:
    """Share of pairs of units whose rates are ordered as their drives, (n_profiles, n_seeds).

    Only pairs with different drives count; pairs of silent units count as not ordered.
    """
    first, second = np.triu_indices(result.drives_khz.shape[1], 1)
    wanted = np.sign(result.drives_khz[:, first] - result.drives_khz[:, second])[:, None]
    found = np.sign(result.rates[..., first] - result.rates[..., second])
    counted = np.broadcast_to(wanted != 0, found.shape)
    return np.asarray(((found == wanted) & counted).sum(-1) / np.maximum(counted.sum(-1), 1))


def measure_modulation(curves: ModulationCurves) -> tuple[FloatArray, FloatArray]:
    """How extra drive to a class scales and shifts the input–output curve of the driven unit.

    Least squares of the modulated on the unmodulated rates over the drives: the slope is the
    multiplicative part (1: none), the intercept (Hz) the subtractive part (0: none).

    Returns:
        Slope and intercept, each (n_handles, n_levels, n_seeds).
    """
    rates = curves.rates[..., 0]  # (handles, levels, drives, seeds)
    base = rates[:, :1]
    centred = base - base.mean(2, keepdims=True)
    slope = (centred * rates).sum(2) / (centred**2).sum(2)
    return slope, rates.mean(2) - slope * base.mean(2)


def snr_of(patterns: ArrayLike) -> FloatArray:
    """SNR of repeated patterns as in ``measure_snr``, shape (..., n_patterns, n_units) to (...)."""
    return np.asarray(measure_snr(patterns), dtype=np.float64)


def measure_snr_gain(result: RestoredResult) -> tuple[FloatArray, FloatArray]:
    """SNR of the rates over SNR of the drives, with and without E→E, each (n_seeds,).

    SNR: variance over units of the mean pattern, over the mean variance over patterns. It does not
    depend on the scale or the offset of the rates. The noise in the rates includes that of spiking.
    """
    given = measure_snr(result.inputs_khz)
    return measure_snr(result.outputs) / given, measure_snr(result.without_recurrence) / given


def measure_profile_correlation(result: RestoredResult) -> tuple[FloatArray, FloatArray]:
    """Mean correlation of a pattern with the clean profile: of the drives, and of the rates.

    Returns:
        A number per network each, (n_seeds,): that of the drives is the same for all.
    """
    inside = _correlation(result.inputs_khz, result.clean_khz).mean(-1)
    outside = _correlation(result.outputs, result.clean_khz).mean(-1)
    return np.full_like(outside, inside), outside


def measure_vector_error(result: RestoredResult) -> tuple[FloatArray, FloatArray]:
    """Mean error (degrees) of the preferred stimulus read by a population vector.

    Returns:
        Of the drives and of the rates, each (n_seeds,).
    """
    inside = _vector_error(result.inputs_khz).mean(-1)
    outside = _vector_error(result.outputs).mean(-1)
    return np.full_like(outside, inside), outside


def measure_recovery(result: PulseResult, *, window_s: float = 0.5) -> FloatArray:
    """Lead of the strong unit at the end over that in the undisturbed run, (n_seeds,).

    1: the state before the perturbation is back; at or below 0: the rival has taken over.
    """
    late = result.time_s > result.time_s[-1] - window_s
    lead = (result.courses[late, ..., 0] - result.courses[late, ..., 1]).mean(0)
    return lead[1] / lead[0]


def _by_class(rates: FloatArray, n_units: int) -> dict[str, FloatArray]:
    return {name: rates[:, n_units + k] for k, name in enumerate(CLASSES[1:])}


def _correlation(patterns: FloatArray, clean: FloatArray) -> FloatArray:
    x = patterns - patterns.mean(-1, keepdims=True)
    y = clean - clean.mean()
    norm = np.sqrt((x**2).sum(-1) * (y**2).sum())
    return np.divide((x * y).sum(-1), norm, out=np.zeros_like(norm), where=norm > 0)


def _vector_error(patterns: FloatArray) -> FloatArray:
    """Angle (degrees) of the population vector of patterns whose peak is unit 0."""
    n = patterns.shape[-1]
    vector = patterns @ np.exp(2j * np.pi * np.arange(n) / n)
    return np.abs(np.degrees(np.angle(vector)))
