"""Measures on small arrays with known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from swta.circuit import (
    ComparisonResult,
    SweepResult,
    measure_closed_form_error,
    measure_loop_area,
    measure_selectivity,
    measure_snr,
    measure_switch_points,
)


def test_selectivity_runs_from_minus_one_to_one():
    rates = [[2.0, 0.0, 9.0], [0.0, 2.0, 9.0], [1.0, 1.0, 9.0], [0.0, 0.0, 9.0], [3.0, 1.0, 0.0]]
    assert measure_selectivity(rates) == pytest.approx([1, -1, 0, 0, 0.5])


def test_snr_has_its_defined_value():
    rates = np.array([[1.0, 4.0], [3.0, 4.0]])  # means 2 and 4, variances over trials 2 and 0
    assert measure_snr(rates) == pytest.approx(1.0 / 1.0)
    assert measure_snr(np.ones((3, 2)) * [1.0, 2.0]) == np.inf


@given(
    rates=arrays(float, (6, 3), elements=st.floats(0, 10)),
    scale=st.floats(0.1, 10),
    offset=st.floats(-5, 5),
)
def test_snr_ignores_scale_and_offset(rates, scale, offset):
    rates[0] += [1.0, 2.0, 3.0]  # some noise in every draw
    assert measure_snr(scale * rates + offset) == pytest.approx(
        measure_snr(rates), rel=1e-6, abs=1e-9
    )


def test_closed_form_error_is_relative_to_the_largest_rate():
    result = ComparisonResult(
        np.zeros(1), np.zeros((1, 2)), np.array([[5.0, 1.1]]), np.array([[5.0, 1.0]])
    )
    assert measure_closed_form_error(result) == pytest.approx(0.02)


def made_sweep(up_switch: int, down_switch: int) -> SweepResult:
    d = np.arange(-3.0, 4.0)
    first, second = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    up = np.array([[second if k >= up_switch else first] for k in d])
    down = np.array([[first if k <= down_switch else second] for k in d])
    return SweepResult(d, up, down)


def test_loop_measures_on_a_made_loop():
    sweep = made_sweep(2, -1)
    up, down = measure_switch_points(sweep)
    assert (up[0], down[0]) == (2, -1)
    assert measure_loop_area(sweep)[0] == pytest.approx(2 * 2)  # 2 high on d = 0 and d = 1


def test_a_winner_that_never_changes_has_no_switch_point():
    up, down = measure_switch_points(made_sweep(9, 9))
    assert np.isnan(up[0]) and np.isnan(down[0])
