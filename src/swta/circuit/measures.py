"""Numbers from circuit experiments: gain, suppression, restoration and hysteresis."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from swta.circuit.experiments import (
    ComparisonResult,
    ModulationResult,
    SelectionResult,
)
from swta.circuit.hysteresis import SweepResult
from swta.circuit.rate import RateResult
from swta.circuit.theory import FloatArray
from swta.validation import ParameterError


def measure_mean_rates(result: RateResult) -> FloatArray:
    """Mean rates over the second half of a run, shape (batch, n_units)."""
    return result.rates[len(result.rates) // 2 :].mean(0)


def measure_winner_gain(result: SelectionResult) -> FloatArray:
    """Rate of the strong unit over that without recurrent excitation, (seeds,), dimensionless."""
    full = measure_mean_rates(result.together)[:, 0]
    return full / measure_mean_rates(result.without_excitation)[:, 0]


def measure_loser_fraction(result: SelectionResult) -> FloatArray:
    """Rate of the rival beside the strong unit over its rate alone, (seeds,), dimensionless."""
    together = measure_mean_rates(result.together)[:, 1]
    return together / measure_mean_rates(result.rival_alone)[:, 1]


def measure_closed_form_error(result: ComparisonResult) -> float:
    """Largest deviation of a simulated rate, as a fraction of the largest predicted rate."""
    largest = np.abs(result.predicted).max()
    return float(np.abs(result.simulated - result.predicted).max() / largest)


def measure_selectivity(rates: ArrayLike) -> FloatArray:
    """(x₀ - x₁) / (x₀ + x₁) of the first two units, in [-1, 1]; 0 where both are silent.

    Args:
        rates: shape (..., n_units), n_units ≥ 2.
    """
    rates = np.asarray(rates, dtype=np.float64)
    total = rates[..., 0] + rates[..., 1]
    return np.divide(
        rates[..., 0] - rates[..., 1], total, out=np.zeros_like(total), where=total > 0
    )


def measure_slopes(result: ModulationResult) -> tuple[FloatArray, FloatArray]:
    """Slope and offset of the straight part of each input–output curve, each (n_settings,).

    Least squares of the rate on the input over the points with a positive rate.

    Raises:
        ParameterError: a curve with fewer than two such points.
    """
    fits = []
    for rates in result.rates:
        active = rates > 1e-6
        if active.sum() < 2:
            raise ParameterError("a curve has fewer than two active points; use larger inputs")
        fits.append(np.polyfit(result.inputs[active], rates[active], 1))
    slopes, offsets = np.array(fits).T
    return slopes, offsets


def measure_snr(rates: ArrayLike) -> FloatArray:
    """Signal-to-noise ratio of a repeated pattern, dimensionless.

    Variance over units of the trial mean, divided by the mean over units of the variance over
    trials. It does not depend on the scale or the offset of the rates.

    Args:
        rates: shape (..., n_trials, n_units).

    Returns:
        Shape (...); infinite where there is no noise.
    """
    rates = np.asarray(rates, dtype=np.float64)
    signal = rates.mean(-2).var(-1)
    noise = rates.var(-2, ddof=1).mean(-1)
    return np.divide(signal, noise, out=np.full_like(signal, np.inf), where=noise > 0)


def measure_switch_points(result: SweepResult) -> tuple[FloatArray, FloatArray]:
    """Differences d at which the winner changes on the way up and on the way down, each (batch,).

    NaN where the winner does not change inside the sweep.
    """
    up = _first_crossing(result.differences, result.up[..., 1] > result.up[..., 0])
    down = _first_crossing(
        result.differences[::-1], (result.down[..., 0] > result.down[..., 1])[::-1]
    )
    return up, down


def measure_loop_area(result: SweepResult) -> FloatArray:
    """Area between the two branches of x₀ - x₁ against d, (batch,), rate times input units."""
    gap = (result.up[..., 0] - result.up[..., 1]) - (result.down[..., 0] - result.down[..., 1])
    return np.asarray(np.trapezoid(gap, result.differences, axis=0), dtype=np.float64)


def _first_crossing(differences: FloatArray, changed: NDArray[np.bool_]) -> FloatArray:
    """The first difference at which ``changed`` holds; NaN if it never does or always did."""
    crosses = changed.any(0) & ~changed[0]
    return np.where(crosses, differences[changed.argmax(0)], np.nan)
