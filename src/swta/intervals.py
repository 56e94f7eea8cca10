"""Confidence intervals of repeated measurements: means, ratios, paired differences, proportions."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from swta.validation import ParameterError, check_integer, check_real


class Interval(NamedTuple):
    """A value with the ends of its confidence interval, all in the same unit."""

    value: float
    low: float
    high: float
    n: int  # independent items or repetitions behind it


def mean_interval(values: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Mean of independent repetitions with Student's t interval, in the unit of ``values``.

    Args:
        values: one number per repetition, shape (n,), n ≥ 2.
        confidence: coverage of the interval.

    Raises:
        ParameterError: fewer than two repetitions, one that is not finite, or a confidence outside
            (0, 1).
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or x.size < 2 or not np.isfinite(x).all():
        raise ParameterError(
            f"values have shape {x.shape}, {int(np.isfinite(x).sum())} of them finite; allowed: at "
            "least two finite repetitions along one axis. Take more seeds"
        )
    half = float(stats.t.ppf(0.5 + 0.5 * _check_confidence(confidence), x.size - 1))
    half *= float(x.std(ddof=1)) / math.sqrt(x.size)
    mean = float(x.mean())
    return Interval(mean, mean - half, mean + half, x.size)


def ratio_interval(ratios: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Geometric mean of independent positive ratios with Student's t interval on their logarithms.

    Raises:
        ParameterError: a ratio that is not positive, and all errors of `mean_interval`.
    """
    x = np.asarray(ratios, dtype=np.float64)
    if not (x > 0).all():
        raise ParameterError(f"ratios = {x.tolist()}; allowed: above 0. Use mean_interval")
    logs = mean_interval(np.log(x), confidence=confidence)
    return Interval(math.exp(logs.value), math.exp(logs.low), math.exp(logs.high), logs.n)


def paired_difference(
    values: ArrayLike, baseline: ArrayLike, *, confidence: float = 0.95
) -> Interval:
    """Mean of ``values`` - ``baseline``, paired by position (seed), with Student's t interval.

    Raises:
        ParameterError: unequal shapes, and all errors of `mean_interval`.
    """
    a, b = np.asarray(values, dtype=np.float64), np.asarray(baseline, dtype=np.float64)
    if a.shape != b.shape:
        raise ParameterError(
            f"values of shape {a.shape} and a baseline of shape {b.shape} do not pair up; allowed: "
            "one value and one baseline per seed"
        )
    return mean_interval(a - b, confidence=confidence)


def proportion_interval(successes: int, n: int, *, confidence: float = 0.95) -> Interval:
    """A share of ``n`` items with its exact (Clopper-Pearson) interval, from 0 to 1.

    Raises:
        ParameterError: n below 1, successes outside 0 … n, or a confidence outside (0, 1).
    """
    n = check_integer("n", n, low=1)
    successes = check_integer("successes", successes, low=0, high=n)
    found = stats.binomtest(successes, n).proportion_ci(_check_confidence(confidence))
    return Interval(successes / n, float(found.low), float(found.high), n)


def _check_confidence(confidence: float) -> float:
    return check_real("confidence", confidence, low=0.0, high=1.0, open_low=True, open_high=True)
