"""Bad input is told what was wrong, the value, what is allowed and what to do."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swta.validation import ParameterError, check_choice, check_integer, check_real


def test_message_names_parameter_value_range_and_way_out():
    with pytest.raises(
        ParameterError, match=r"alpha = 3 is out of range; allowed: \[0, 1.75\)\. Lower"
    ):
        check_real("alpha", 3, low=0, high=1.75, open_high=True, hint="Lower it.")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_not_finite_is_refused_even_without_bounds(value):
    with pytest.raises(ParameterError, match="out of range"):
        check_real("x", value)


@pytest.mark.parametrize("value", ["1", None, True, [1.0]])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ParameterError, match="not a number"):
        check_real("x", value)


@given(st.floats(-10, 10), st.floats(-5, 0), st.floats(0, 5))
def test_interval_is_exactly_what_passes(value, low, high):
    inside = low <= value <= high
    if inside:
        assert check_real("x", value, low=low, high=high) == value
    else:
        with pytest.raises(ParameterError):
            check_real("x", value, low=low, high=high)


def test_open_ends_exclude_the_bound():
    with pytest.raises(ParameterError, match=r"\(0, 1\] mV"):
        check_real("x", 0.0, low=0, high=1, open_low=True, unit="mV")
    assert check_real("x", 1.0, low=0, high=1, open_low=True) == 1.0


@given(st.integers(-20, 20))
def test_integers_between_bounds_pass(value):
    if 1 <= value <= 16:
        assert check_integer("n", value, low=1, high=16) == value
    else:
        with pytest.raises(ParameterError, match="1 … 16"):
            check_integer("n", value, low=1, high=16)


@pytest.mark.parametrize("value", [1.0, "1", True, None])
def test_integer_of_another_type_is_refused(value):
    with pytest.raises(ParameterError, match="not a whole number"):
        check_integer("n", value)


def test_numpy_integers_are_integers():
    assert type(check_integer("n", np.int64(3))) is int


def test_choice_names_the_nearest():
    assert check_choice("class", "Sst", ["Sst", "Vip"]) == "Sst"
    with pytest.raises(ParameterError, match="did you mean 'Pvalb'"):
        check_choice("class", "Pvlab", ["Pyr", "Pvalb"])
