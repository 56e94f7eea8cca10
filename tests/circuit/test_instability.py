"""Beyond the bounds: which warning, and growth at the rate of the eigenvalue."""

from __future__ import annotations

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest

from swta.circuit.instability import (
    StabilityWarning,
    check_stability,
    measure_growth,
    simulate_growth,
)
from swta.circuit.plots import plot_growth
from swta.validation import ParameterError


@pytest.mark.parametrize(
    ("alpha", "loop", "says"),
    [
        (1.8, 0.75, "alpha = 1.8 is beyond linear stability, .* = 1.75"),
        (2.5, 1.8, "alpha = 2.5 is beyond linear stability, .* = 2"),
        (1.74, 0.75, "alpha = 1.74 is stable, yet beyond the contraction bound, .* = 1.732"),
    ],
)
def test_the_bound_that_is_passed_is_named_with_the_value(alpha, loop, says):
    with pytest.warns(StabilityWarning, match=says):
        text = check_stability(alpha, loop)
    assert text


@pytest.mark.parametrize(("alpha", "loop"), [(0.9, 0.75), (1.2, 0.75), (0.5, 0.0)])
def test_parameters_within_the_bounds_say_nothing(alpha, loop):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_stability(alpha, loop) == ""


@pytest.mark.parametrize("alpha", [1.8, 1.9, 2.4])
def test_rates_grow_with_the_eigenvalue(alpha):
    with pytest.warns(StabilityWarning):
        result = simulate_growth(alpha, 3.0, 0.25, duration=200.0)
    assert result.eigenvalue.imag == 0
    assert measure_growth(result) == pytest.approx(result.eigenvalue.real, rel=0.02)
    assert result.rates[-1, 0] > 100


def test_the_figure_holds_the_course():
    with pytest.warns(StabilityWarning):
        result = simulate_growth(1.9, 3.0, 0.25)
    ax = plot_growth(result)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), result.rates[result.rates[:, 0] > 0, 0])
    slope = np.diff(np.log(ax.lines[2].get_ydata())) / np.diff(result.time)
    np.testing.assert_allclose(slope, result.eigenvalue.real)
    plt.close("all")


def test_a_stable_motif_settles_at_its_gain():
    result = simulate_growth(0.9, 3.0, 0.25, duration=60.0)
    np.testing.assert_allclose(result.rates[-1, 0], 1 / (1 + 0.75 - 0.9), rtol=1e-4)


def test_negative_parameters_are_refused():
    with pytest.raises(ParameterError, match="alpha = -1"):
        check_stability(-1.0, 0.5)
    with pytest.raises(ParameterError, match="beta1 = -3"):
        simulate_growth(0.5, -3.0, 0.25)
