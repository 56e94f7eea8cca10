"""Numbers from up-states and state machines: rates, lifetimes, decoded states, error rates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from swta.memory.coupling import FloatArray, PairResult
from swta.memory.machine import MachineResult
from swta.validation import ParameterError, check_integer, check_real

NO_STATE = -1  # decoded when no pointer unit, or more than one, is up


def measure_lifetimes(result: PairResult, level: float, unit: int = 0) -> FloatArray:
    """Time after the last cue for which a unit of X stays above ``level``, (batch,), τ.

    A unit that never falls below is given the whole time simulated after the cue.

    Args:
        level: rate between down and up, input units.
        unit: which unit.

    Raises:
        ParameterError: a level that is not positive, or no unit of that number.
    """
    check_real("level", level, low=0, open_low=True)
    check_integer("unit", unit, low=0, high=result.x.shape[-1] - 1)
    after = result.time >= result.cue_end - 1e-9
    time, down = result.time[after], result.x[after][..., unit] < level
    end = np.where(down.any(0), time[down.argmax(0)], time[-1])
    return end - result.cue_end


def measure_up_rates(result: PairResult, unit: int = 0) -> FloatArray:
    """Rate of a unit of X at the end of the run, (batch,), input units."""
    return result.x[-1, :, unit]


def measure_states(result: MachineResult) -> NDArray[np.int64]:
    """Decoded state at each reading time, (batch, n_symbols + 1); ``NO_STATE`` where unclear.

    A state is decoded if its pointer unit, and no other, is above half of x*.
    """
    samples = np.searchsorted(result.time, result.read_times - 1e-9)
    up = result.y[np.minimum(samples, len(result.time) - 1)] > result.up_rate / 2
    decoded = np.where(up.sum(-1) == 1, up.argmax(-1), NO_STATE)
    return decoded.T.astype(np.int64)


def measure_errors(result: MachineResult) -> NDArray[np.bool_]:
    """Whether the state after each symbol is not the one that the table gives, (batch, n_symbols).

    The expected state follows from the whole sequence, so one failure can count several times.
    """
    return measure_states(result)[:, 1:] != result.expected[:, 1:]


def measure_response_times(result: MachineResult) -> FloatArray:
    """Time from symbol onset until the pointer's new unit exceeds half of x*, (n_changes,), τ.

    One number for each symbol that changed the state, and did so rightly.
    """
    decoded = measure_states(result)
    right = (decoded == result.expected)[:, :-1] & (decoded == result.expected)[:, 1:]
    changed = np.diff(result.expected) != 0
    times = []
    for run, k in np.argwhere(right & changed):
        since = result.time >= result.onsets[k]
        up = result.y[since, run, result.expected[run, k + 1]] > result.up_rate / 2
        times.append(result.time[since][up.argmax()] - result.onsets[k])
    return np.array(times, dtype=np.float64)


def relative_error(measured: ArrayLike, predicted: ArrayLike) -> FloatArray:
    """|measured - predicted| / |predicted|, element by element, dimensionless.

    Raises:
        ParameterError: a prediction of zero.
    """
    measured, predicted = np.asarray(measured, float), np.asarray(predicted, float)
    if (predicted == 0).any():
        raise ParameterError("a prediction is 0; a relative error needs another scale")
    return np.abs(measured - predicted) / np.abs(predicted)
