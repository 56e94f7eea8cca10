"""Steps to an accuracy against the curve itself."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swta.validation import ParameterError
from swta.vision import steps_to_reach


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=20),
    st.floats(0.01, 1),
)
def test_steps_to_reach_is_the_first_crossing(accuracy, threshold):
    steps = 10 * np.arange(1, len(accuracy) + 1)
    found = steps_to_reach(steps, accuracy, threshold)
    if max(accuracy) < threshold:
        assert found == math.inf
        return
    curve_steps, curve = np.r_[0, steps], np.r_[0.0, accuracy]
    assert np.interp(found, curve_steps, curve) == pytest.approx(threshold, abs=1e-9)
    before = curve_steps < found - 1e-9
    assert (curve[before] < threshold).all()


def test_steps_between_checks():
    assert steps_to_reach([10, 20], [0.4, 0.8], 0.6) == pytest.approx(15.0)
    assert steps_to_reach([10, 20], [0.4, 0.8], 0.2) == pytest.approx(5.0)
    assert steps_to_reach([10, 20, 30], [0.4, 0.8, 0.4], 0.8) == 20.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: steps_to_reach([10], [0.5, 0.6], 0.5),
        lambda: steps_to_reach([10, 10], [0.5, 0.6], 0.5),
        lambda: steps_to_reach([10], [0.5], 0.0),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ParameterError):
        call()
