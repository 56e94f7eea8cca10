"""Intervals against closed forms and other implementations; steps against the curve itself."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from swta.validation import ParameterError
from swta.vision import mean_interval, paired_difference, steps_to_reach, wilson_interval

values = st.floats(-100, 100)


@given(n=st.integers(1, 500), share=st.floats(0, 1))
def test_wilson_agrees_with_scipy(n, share):
    hits = round(share * n)
    found = wilson_interval(hits, n)
    expected = stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert found.value == hits / n and found.n == n
    assert found.low == pytest.approx(expected.low, abs=1e-9)
    assert found.high == pytest.approx(expected.high, abs=1e-9)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_wilson_of_no_hits_in_closed_form():
    z2 = stats.norm.ppf(0.975) ** 2
    assert wilson_interval(0, 10).high == pytest.approx(z2 / (10 + z2))


@given(st.lists(st.tuples(values, values), min_size=2, max_size=12))
def test_paired_difference_agrees_with_the_paired_t_test(pairs):
    a, b = np.array(pairs).T
    found = paired_difference(a, b, confidence=0.9)
    assert found.value == pytest.approx(np.mean(a - b), abs=1e-9)
    if np.ptp(a - b) > 1e-6:
        expected = stats.ttest_rel(a, b).confidence_interval(0.9)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_student_interval_of_two_values_in_closed_form():
    found = mean_interval([1.0, 3.0])  # t of one degree of freedom is tan(0.475 π)
    half = math.tan(0.475 * math.pi)
    assert found == pytest.approx((2.0, 2.0 - half, 2.0 + half, 2))


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
        lambda: wilson_interval(1, 0),
        lambda: wilson_interval(4, 3),
        lambda: wilson_interval(1, 3, confidence=1.0),
        lambda: mean_interval([1.0]),
        lambda: mean_interval([1.0, math.nan]),
        lambda: mean_interval([[1.0, 2.0]]),
        lambda: paired_difference([1.0, 2.0], [1.0]),
        lambda: steps_to_reach([10], [0.5, 0.6], 0.5),
        lambda: steps_to_reach([10, 10], [0.5, 0.6], 0.5),
        lambda: steps_to_reach([10], [0.5], 0.0),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ParameterError):
        call()
