"""Intervals against closed forms, textbook tests and their own coverage."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from swta.intervals import mean_interval, paired_difference, proportion_interval, ratio_interval
from swta.validation import ParameterError

values = st.floats(-100, 100)


def ends(interval):
    return interval.low, interval.high


def test_mean_interval_of_two_values_in_closed_form():
    found = mean_interval([1.0, 3.0])  # t of one degree of freedom is tan(0.475 π)
    half = math.tan(0.475 * math.pi)
    assert (found.value, found.n) == (2.0, 2)
    assert ends(found) == pytest.approx((2.0 - half, 2.0 + half))


def test_mean_interval_covers_the_mean_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(3.0, 2.0, (2000, 5))
    hits = sum(i.low <= 3.0 <= i.high for i in map(mean_interval, draws))
    assert 0.93 < hits / 2000 < 0.97


def test_ratio_interval_treats_a_ratio_and_its_inverse_alike():
    ratios = np.array([0.5, 1.0, 3.0])
    there, back = ratio_interval(ratios), ratio_interval(1 / ratios)
    assert there.value == pytest.approx(1.5 ** (1 / 3))
    assert ends(there) == pytest.approx((1 / back.high, 1 / back.low))


@given(st.lists(st.tuples(values, values), min_size=2, max_size=12))
def test_paired_difference_agrees_with_the_paired_t_test(pairs):
    a, b = np.array(pairs).T
    found = paired_difference(a, b, confidence=0.9)
    assert found.value == pytest.approx(np.mean(a - b), abs=1e-9)
    if np.ptp(a - b) > 1e-6:
        expected = stats.ttest_rel(a, b).confidence_interval(0.9)
        assert ends(found) == pytest.approx((expected.low, expected.high), abs=1e-6)


@pytest.mark.parametrize(("successes", "n"), [(0, 20), (3, 20), (20, 20), (1, 1)])
def test_proportion_interval_is_clopper_and_pearsons(successes, n):
    found = proportion_interval(successes, n)
    low = stats.beta.ppf(0.025, successes, n - successes + 1) if successes else 0.0
    high = stats.beta.ppf(0.975, successes + 1, n - successes) if successes < n else 1.0
    assert (found.value, found.n) == (successes / n, n)
    assert ends(found) == pytest.approx((low, high), abs=1e-7)


@pytest.mark.parametrize(
    "call",
    [
        lambda: mean_interval([1.0]),
        lambda: mean_interval([1.0, math.nan]),
        lambda: mean_interval([math.inf, 1.0]),
        lambda: mean_interval([[1.0, 2.0]]),
        lambda: mean_interval([1.0, 2.0], confidence=1.0),
        lambda: ratio_interval([1.0, 0.0]),
        lambda: ratio_interval([1.0, -1.0]),
        lambda: ratio_interval([1.0, math.nan]),
        lambda: paired_difference([1.0, 2.0], [1.0]),
        lambda: proportion_interval(1, 0),
        lambda: proportion_interval(4, 3),
        lambda: proportion_interval(-1, 5),
        lambda: proportion_interval(1, 3, confidence=0.0),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ParameterError):
        call()
