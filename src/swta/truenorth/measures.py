"""What is read off the experiments on the chip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from swta.intervals import Interval
from swta.truenorth.experiments import LesionResult, MotifResult, SoftnessResult, UnitResult
from swta.validation import ParameterError


@dataclass(frozen=True)
class Agreement:
    """How well measured rates agree with predicted ones."""

    r2: float  # of the prediction itself: 1 - residual over total sum of squares
    rmse: float  # root mean square error over the largest predicted rate
    slope: float  # of measured against predicted, least squares
    offset: float  # of that line, spikes per tick
    n: int  # rates compared


def measure_agreement(measured: np.ndarray, predicted: np.ndarray) -> Agreement:
    """Compare rates with their prediction, all in spikes per tick.

    Raises:
        ParameterError: all predictions are equal, so that nothing can be compared.
    """
    x, y = np.ravel(predicted), np.ravel(measured)
    if np.ptp(x) == 0:
        raise ParameterError(f"all {x.size} predicted rates are {x[0]:g}; give inputs that differ")
    residual = y - x
    slope, offset = np.polyfit(x, y, 1)
    return Agreement(
        r2=float(1 - (residual**2).sum() / ((y - y.mean()) ** 2).sum()),
        rmse=float(np.sqrt((residual**2).mean()) / x.max()),
        slope=float(slope),
        offset=float(offset),
        n=int(x.size),
    )


def agreement_intervals(
    measured: np.ndarray, predicted: np.ndarray, *, draws: int = 2000, seed: int = 0
) -> tuple[Interval, Interval]:
    """Return R² and relative root mean square error with 95 % intervals over conditions.

    Conditions are drawn again with replacement; the rates of one stay together.

    Args:
        measured, predicted: rates, (n, k) for n conditions.
        draws: number of samples.
        seed: of the samples.

    Raises:
        ParameterError: as in ``measure_agreement``.
    """
    whole = measure_agreement(measured, predicted)
    rng = np.random.default_rng([seed, 5])
    n, top = len(measured), predicted.max()
    chosen = rng.integers(0, n, (draws, n))
    residual = ((measured - predicted) ** 2)[chosen].sum((1, 2))
    spread = ((measured[chosen] - measured[chosen].mean((1, 2), keepdims=True)) ** 2).sum((1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = 1 - residual / spread
    rmse = np.sqrt(residual / measured.size) / top
    ends = [np.nanquantile(values, (0.025, 0.975)) for values in (r2, rmse)]
    return (
        Interval(whole.r2, min(ends[0][0], whole.r2), max(ends[0][1], whole.r2), n),
        Interval(whole.rmse, min(ends[1][0], whole.rmse), max(ends[1][1], whole.rmse), n),
    )


def measure_unit_error(result: UnitResult) -> float:
    """Return the root mean square error of single neurons over their largest predicted rate."""
    return measure_agreement(result.measured, result.predicted).rmse


def measure_transfer(result: MotifResult) -> Agreement:
    """Compare the units of motifs with the closed form."""
    return measure_agreement(result.rates, result.predicted)


def measure_loser_fraction(result: SoftnessResult) -> np.ndarray:
    """Return the weakest unit's rate over the strongest's, (n_beta, n_inputs, n_seeds)."""
    return result.rates.min(-1) / result.rates.max(-1)


def lesion_effects(result: LesionResult) -> tuple[np.ndarray, np.ndarray]:
    """Return what each lesion changes, on the chip and in the rate model.

    The measures are the rate of the strongest unit, of the second, and of all units together, each
    as a difference to the intact motif in spikes per tick.

    Returns:
        Two arrays (n_primitives, n_inputs, 3).
    """

    def effects(rates: np.ndarray) -> np.ndarray:
        ranked = np.sort(rates, axis=-1)[..., ::-1]
        measures = np.stack([ranked[..., 0], ranked[..., 1], ranked.sum(-1)], axis=-1)
        return measures[1:] - measures[:1]

    return effects(result.rates), effects(result.predicted)


def measure_role_correspondence(result: LesionResult) -> float:
    """Return the correlation of lesion effects on the chip with those in the rate model.

    The effects of each primitive are first divided by their root mean square in the rate model, so
    that the strongest lesion does not decide alone.

    Raises:
        ParameterError: a lesion has no effect in the rate model: its primitive is not in use.
    """
    chip, model = lesion_effects(result)
    size = np.sqrt((model**2).mean(axis=(1, 2), keepdims=True))
    if (size == 0).any():
        idle = result.removed[1 + int(np.argmin(size.ravel()))]
        raise ParameterError(f"{idle} has no effect in the rate model; give its primitive a value")
    return float(np.corrcoef((chip / size).ravel(), (model / size).ravel())[0, 1])
