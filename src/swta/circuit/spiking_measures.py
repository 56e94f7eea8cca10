"""Numbers from experiments on the spiking motif, one per network."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from swta.circuit.measures import measure_snr
from swta.circuit.spiking_experiments import (
    ModulationCurves,
    ProfileResult,
    PulseResult,
    RestoredResult,
    TransferResult,
)

FloatArray = NDArray[np.float64]


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


def measure_shape_gain(result: RestoredResult) -> tuple[FloatArray, FloatArray]:
    """SNR of the shape of the rates over that of the drives, with and without E→E, (n_seeds,).

    Of each pattern less its mean over units, power along the clean profile is signal and the rest
    is noise. Other than in `measure_snr_gain`, how large a pattern is as a whole does not matter.
    """

    def snr(patterns: FloatArray) -> FloatArray:
        clean = result.clean_khz - result.clean_khz.mean()
        shape = patterns - patterns.mean(-1, keepdims=True)
        along = (shape @ clean) ** 2 / (clean @ clean)
        return along.mean(-1) / ((shape**2).sum(-1) - along).mean(-1)

    given = snr(result.inputs_khz)
    return snr(result.outputs) / given, snr(result.without_recurrence) / given


def measure_peak_steepness(result: RestoredResult) -> tuple[FloatArray, FloatArray]:
    """Relative change of the peak unit's rate per relative change of its drive, dimensionless.

    By least squares over the patterns, at the means. Above 1, noise in the drive grows.

    Returns:
        With and without E→E, each (n_seeds,).
    """
    peak = int(result.clean_khz.argmax())
    drive = result.inputs_khz[..., peak]
    mean = drive.mean(-1)
    centred = drive - mean[:, None]

    def steepness(rates: FloatArray) -> FloatArray:
        slope = (rates[..., peak] * centred).sum(-1) / (centred**2).sum(-1)
        return np.asarray(slope * mean / rates[..., peak].mean(-1))

    return steepness(result.outputs), steepness(result.without_recurrence)


def measure_peak_noise(result: RestoredResult) -> tuple[FloatArray, FloatArray]:
    """Share of the noise, the variance over patterns, that is the peak unit's, dimensionless.

    Returns:
        In the drives and in the rates, each (n_seeds,).
    """
    peak = int(result.clean_khz.argmax())

    def share(patterns: FloatArray) -> FloatArray:
        noise = patterns.var(-2, ddof=1)
        return np.asarray(noise[..., peak] / noise.sum(-1))

    return share(result.inputs_khz), share(result.outputs)


def measure_profile_correlation(result: RestoredResult) -> tuple[FloatArray, FloatArray]:
    """Mean correlation of a pattern with the clean profile: of the drives, and of the rates.

    Returns:
        Of the drives and of the rates, each (n_seeds,).
    """
    inside, outside = (
        _correlation(patterns, result.clean_khz).mean(-1)
        for patterns in (result.inputs_khz, result.outputs)
    )
    return inside, outside


def measure_vector_error(result: RestoredResult) -> tuple[FloatArray, FloatArray]:
    """Mean error (degrees) of the preferred stimulus read by a population vector.

    Returns:
        Of the drives and of the rates, each (n_seeds,).
    """
    return _vector_error(result.inputs_khz).mean(-1), _vector_error(result.outputs).mean(-1)


def measure_recovery(result: PulseResult, *, window_s: float = 0.5) -> FloatArray:
    """Lead of the strong unit at the end over that in the undisturbed run, (n_seeds,).

    1: the state before the perturbation is back; at or below 0: the rival has taken over.
    """
    late = result.time_s > result.time_s[-1] - window_s
    lead = (result.courses[late, ..., 0] - result.courses[late, ..., 1]).mean(0)
    return lead[1] / lead[0]


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
