"""Speed of learning, from the accuracies along a training."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from swta.validation import ParameterError, check_real


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
