"""Measures on made runs with known answers."""

import numpy as np
import pytest

from swta.memory import (
    NO_STATE,
    MachineResult,
    PairResult,
    measure_errors,
    measure_lifetimes,
    measure_response_times,
    measure_states,
    measure_up_rates,
    relative_error,
)
from swta.validation import ParameterError


@pytest.fixture
def cued():
    time = np.arange(0.0, 11.0)
    x = np.zeros((11, 2, 2))
    x[:, 0, 0] = 5.0
    x[:7, 1, 0] = 5.0
    return PairResult(time, x, x, cue_end=3.0)


def test_lifetime_counts_from_the_end_of_the_cue(cued):
    assert measure_lifetimes(cued, 2.0) == pytest.approx([7.0, 4.0])
    assert measure_lifetimes(cued, 2.0, unit=1) == pytest.approx([0.0, 0.0])
    assert measure_up_rates(cued) == pytest.approx([5.0, 0.0])


def test_lifetime_refuses_bad_settings(cued):
    with pytest.raises(ParameterError, match="level"):
        measure_lifetimes(cued, 0.0)
    with pytest.raises(ParameterError, match="unit = 2"):
        measure_lifetimes(cued, 1.0, unit=2)


@pytest.fixture
def machine_run():
    """Two runs with onsets 10 and 20: the first answers rightly, the second loses its state."""
    time = np.arange(0.0, 31.0)
    y = np.zeros((31, 2, 2))
    y[:14, 0, 0] = 4.0
    y[14:, 0, 1] = 4.0
    y[:12, 1, 0] = 4.0
    y[25:, 1] = 4.0  # both units up: no clear state
    return MachineResult(
        time=time,
        x=y,
        y=y,
        transition=np.zeros((31, 2, 1)),
        states=("A", "B"),
        sequences=np.array([[0, 0], [0, 0]]),
        expected=np.array([[0, 1, 1], [0, 1, 1]]),
        onsets=np.array([10.0, 20.0]),
        read_times=np.array([10.0, 20.0, 30.0]),
        up_rate=4.0,
    )


def test_states_are_read_where_exactly_one_unit_is_up(machine_run):
    assert measure_states(machine_run).tolist() == [[0, 1, 1], [0, NO_STATE, NO_STATE]]


def test_errors_are_wrong_states_after_symbols(machine_run):
    assert measure_errors(machine_run).tolist() == [[False, False], [True, True]]


def test_response_time_counts_right_changes_only(machine_run):
    assert measure_response_times(machine_run) == pytest.approx([4.0])


def test_relative_error_needs_a_scale():
    assert relative_error([1.1, 1.8], [1.0, 2.0]) == pytest.approx([0.1, 0.1])
    with pytest.raises(ParameterError, match="prediction is 0"):
        relative_error([1.0], [0.0])
