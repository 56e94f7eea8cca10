"""Time constants of a class: its quartiles, and the leak that goes with each."""

import math

import numpy as np
import pytest

from swta.cells import CLASSES, AdExParameters, load_class
from swta.cells.coordinates import COORDINATES
from swta.cells.synapses.membrane import make_membranes
from swta.cells.synapses.time_constants import (
    TimeConstants,
    find_time_constants,
    measure_time_constants,
)
from swta.validation import ParameterError

CELL = AdExParameters(
    C=120.0,
    g_L=6.0,
    E_L=-76.0,
    V_T=-48.0,
    Delta_T=2.0,
    tau_w=90.0,
    a=0.0,
    b=40.0,
    V_reset=-58.0,
    refractory=3.0,
    V_peak=30.0,
)


@pytest.mark.parametrize("name", CLASSES)
def test_quartiles_are_the_measured_ones_around_the_central_cell(name):
    one = load_class(name)
    found = measure_time_constants(one)
    tau = one.statistics["tau_ms"]
    assert (found.low_ms, found.high_ms, found.n) == (tau.q25, tau.q75, tau.n)
    assert found.low_ms < one.parameters.tau_m < found.high_ms
    assert name in found.source
    # Of a normal distribution half lies between the quartiles.
    assert 2 * 0.6745 * found.log_sd == pytest.approx(math.log(tau.q75 / tau.q25), rel=1e-3)


def test_exponent_is_the_slope_of_resistance_on_time_constant_among_virtual_cells():
    for name in ("Pyr", "Vip"):
        one = load_class(name)
        drawn = one.distribution.sample(4000, np.random.default_rng(0)).coordinates
        slope = np.polyfit(np.log(drawn["tau_ms"]), np.log(drawn["input_resistance_MOhm"]), 1)[0]
        assert measure_time_constants(one).exponent == pytest.approx(slope, abs=0.1)
    names = list(COORDINATES)
    one = load_class("Pyr")
    place = names.index("input_resistance_MOhm"), names.index("tau_ms")
    assert np.sign(measure_time_constants(one).exponent) == np.sign(
        one.distribution.correlation[place]
    )


def test_a_membrane_has_the_asked_time_constant_and_leak():
    held = make_membranes([CELL, CELL], -70.0, False, membrane_ms=[10.0, 30.0], leak_nS=[8.0, 5.0])
    np.testing.assert_allclose(held.passive_time_constant, [10.0, 30.0])
    np.testing.assert_allclose(held.g_L, [8.0, 5.0])
    np.testing.assert_allclose(held.C, [80.0, 150.0])
    same = make_membranes([CELL], -70.0, False)
    assert (same.C[0], same.g_L[0]) == (120.0, 6.0)
    slower = make_membranes([CELL], -70.0, False, membrane_ms=25.0)
    assert (slower.C[0], slower.g_L[0]) == (150.0, 6.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TimeConstants(0.0, 10.0, 0.5, 9, "x"), "low_ms = 0"),
        (lambda: TimeConstants(12.0, 10.0, 0.5, 9, "x"), "high_ms = 10"),
        (lambda: TimeConstants(8.0, 10.0, math.nan, 9, "x"), "exponent = nan"),
        (lambda: TimeConstants(8.0, 10.0, 0.5, 0, "x"), "n = 0"),
        (lambda: find_time_constants({"Pyr": CELL}), "bare AdEx parameters for Pyr"),
        (lambda: make_membranes([CELL], -70.0, True, membrane_ms=0.0), "membrane_ms = 0"),
        (lambda: make_membranes([CELL], -70.0, True, leak_nS=-1.0), "leak_nS = -1"),
    ],
)
def test_impossible_membranes_are_refused(call, message):
    with pytest.raises(ParameterError, match=message):
        call()
