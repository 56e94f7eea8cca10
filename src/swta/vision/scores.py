"""Accuracies, differences and speeds of learning, each with its interval."""

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


def wilson_interval(hits: int, n: int, *, confidence: float = 0.95) -> Interval:
    """A share of ``n`` items with Wilson's interval, from 0 to 1.

    Raises:
        ParameterError: no items, more hits than items, or a confidence outside (0, 1).

    Source: Wilson, J. Am. Stat. Assoc. 22, 209 (1927).
    """
    check_integer("n", n, low=1)
    check_integer("hits", hits, low=0, high=n)
    z2 = float(stats.norm.ppf(0.5 + 0.5 * _check_confidence(confidence))) ** 2
    share = hits / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Interval(share, min(share, low), max(share, high), n)  # rounding must not exclude it


def mean_interval(values: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Mean of independent repetitions with Student's interval, in the unit of ``values``.

    Raises:
        ParameterError: fewer than two repetitions, or one that is not finite.
    """
    x = np.asarray(values, dtype=float)
    if x.ndim != 1 or x.size < 2 or not np.isfinite(x).all():
        raise ParameterError(
            f"values have shape {x.shape}; allowed: at least two finite repetitions along one "
            "axis. Take more seeds"
        )
    half = stats.t.ppf(0.5 + 0.5 * _check_confidence(confidence), x.size - 1)
    half *= x.std(ddof=1) / math.sqrt(x.size)
    return Interval(float(x.mean()), float(x.mean() - half), float(x.mean() + half), x.size)


def ratio_interval(values: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Geometric mean of independent ratios with Student's interval on their logarithm.

    Raises:
        ParameterError: fewer than two ratios, or one that is not finite and above 0.
    """
    x = np.asarray(values, dtype=float)
    if not (x > 0).all():
        raise ParameterError(f"ratios = {x.tolist()}; allowed: above 0")
    mean, low, high, n = mean_interval(np.log(x), confidence=confidence)
    return Interval(math.exp(mean), math.exp(low), math.exp(high), n)


def paired_difference(
    values: ArrayLike, baseline: ArrayLike, *, confidence: float = 0.95
) -> Interval:
    """Mean of ``values`` − ``baseline``, paired by position (seed), with Student's interval.

    Raises:
        ParameterError: unequal shapes, fewer than two pairs, or values that are not finite.
    """
    a, b = np.asarray(values, dtype=float), np.asarray(baseline, dtype=float)
    if a.shape != b.shape:
        raise ParameterError(f"{a.shape} values and {b.shape} of the baseline do not pair up")
    return mean_interval(a - b, confidence=confidence)


def steps_to_reach(steps: ArrayLike, accuracy: ArrayLike, threshold: float) -> float:
    """Optimiser steps until the accuracy first reaches ``threshold``, inf if it never does.

    Between two checks the accuracy is taken to rise linearly; before the first, from 0 at step 0.

    Raises:
        ParameterError: steps and accuracies of different length, or steps that do not rise.
    """
    s = np.concatenate([[0.0], np.asarray(steps, dtype=float)])
    a = np.concatenate([[0.0], np.asarray(accuracy, dtype=float)])
    check_real("threshold", threshold, low=0.0, high=1.0, open_low=True)
    if s.shape != a.shape or (np.diff(s) <= 0).any():
        raise ParameterError(
            f"{s.size - 1} steps and {a.size - 1} accuracies; allowed: as many of each, the steps "
            "rising from above 0"
        )
    reached = np.flatnonzero(a >= threshold)
    if reached.size == 0:
        return math.inf
    i = int(reached[0])
    return float(s[i - 1] + (s[i] - s[i - 1]) * (threshold - a[i - 1]) / (a[i] - a[i - 1]))


def _check_confidence(confidence: float) -> float:
    return check_real("confidence", confidence, low=0.0, high=1.0, open_low=True, open_high=True)
