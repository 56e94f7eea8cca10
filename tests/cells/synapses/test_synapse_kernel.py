"""Kernels and evoked potentials against closed forms and an independent integrator."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from swta.cells import AdExParameters
from swta.cells.synapses.kernel import kernel, kernel_area, kernel_peak_time, simulate_psp
from swta.cells.synapses.membrane import highest_holding, make_membranes
from swta.validation import ParameterError

CELL = AdExParameters(
    C=120.0,
    g_L=6.0,
    E_L=-76.0,
    V_T=-55.0,
    Delta_T=4.0,
    tau_w=90.0,
    a=1.5,
    b=40.0,
    V_reset=-58.0,
    refractory=3.0,
    V_peak=30.0,
)


@pytest.mark.parametrize(("rise", "decay"), [(0.3, 2.0), (1.0, 1.1), (3.0, 30.0)])
def test_kernel_peaks_at_one_where_said_and_has_the_said_area(rise, decay):
    peak = float(kernel_peak_time(rise, decay))
    assert kernel(peak, rise, decay) == pytest.approx(1.0, abs=1e-12)
    around = kernel(peak + np.array([-1e-3, 1e-3]), rise, decay)
    assert (around < 1.0).all()
    numeric = quad(lambda t: float(kernel(t, rise, decay)), 0, 40 * decay, limit=200)[0]
    assert kernel_area(rise, decay) == pytest.approx(numeric, rel=1e-6)


def test_kernel_is_zero_before_onset():
    np.testing.assert_array_equal(kernel([-1.0, 0.0], 0.5, 2.0), 0.0)


def test_small_potential_of_a_passive_cell_is_the_closed_form():
    """Two exponentials through a leak: each relaxes with C / (g_L (tau - tau_s) / tau tau_s)."""
    passive = AdExParameters(**{**CELL.as_dict(), "a": 0.0})
    g, rise, decay, reversal = 1e-6, 0.4, 2.5, 14.0
    t, v = simulate_psp(
        make_membranes([passive], -70.0, False), g, rise, decay, reversal, duration_ms=40.0
    )
    peak = float(kernel_peak_time(rise, decay))
    scale = g * (reversal + 70.0) / (np.exp(-peak / decay) - np.exp(-peak / rise))

    def one(tau_s):
        tau = passive.tau_m
        return tau * tau_s / (tau - tau_s) * (np.exp(-t / tau) - np.exp(-t / tau_s)) / passive.C

    np.testing.assert_allclose(v[0], scale * (one(decay) - one(rise)), rtol=0, atol=3e-4 * v.max())


def test_large_potential_agrees_with_another_integrator_of_the_full_equations():
    """Held by a current, with exponential, subthreshold adaptation and moving driving force."""
    held, g, rise, decay, reversal = -60.0, 2.0, 0.5, 6.0, -70.0
    onset = CELL.g_L * CELL.Delta_T * np.exp((held - CELL.V_T) / CELL.Delta_T)
    w0 = CELL.a * (held - CELL.E_L)
    current = CELL.g_L * (held - CELL.E_L) - onset + w0

    def slope(t, y):
        v, w = y
        spike = CELL.g_L * CELL.Delta_T * np.exp((v - CELL.V_T) / CELL.Delta_T)
        synaptic = g * float(kernel(t, rise, decay)) * (reversal - v)
        dv = (-CELL.g_L * (v - CELL.E_L) + spike - w + current + synaptic) / CELL.C
        return [dv, (CELL.a * (v - CELL.E_L) - w) / CELL.tau_w]

    t, v = simulate_psp(
        make_membranes([CELL], held, True), g, rise, decay, reversal, duration_ms=60.0
    )
    reference = solve_ivp(slope, (0, 60), [held, w0], t_eval=t, rtol=1e-9, atol=1e-10, max_step=0.5)
    np.testing.assert_allclose(v[0], reference.y[0] - held, atol=2e-3 * np.abs(v).max())


def test_no_conductance_leaves_the_cell_where_it_is_held():
    _, v = simulate_psp(make_membranes([CELL], -57.0, True), 0.0, 0.5, 2.0, -70.0, duration_ms=50.0)
    np.testing.assert_array_equal(v, 0.0)


def test_error_falls_with_the_square_of_the_step():
    held = make_membranes([CELL], -60.0, True)

    def last(step):
        options = {"duration_ms": 10.0, "step_ms": step}
        return simulate_psp(held, 2.0, 0.5, 3.0, -70.0, **options)[1][0, -1]

    fine = last(0.0025)
    assert (last(0.1) - fine) / (last(0.05) - fine) == pytest.approx(4.0, rel=0.15)


def test_pairs_of_one_run_do_not_see_each_other():
    cells = [CELL, AdExParameters(**{**CELL.as_dict(), "C": 60.0})]
    both = simulate_psp(
        make_membranes(cells, -65.0, True), [1.0, 2.0], 0.3, [2.0, 5.0], -70.0, duration_ms=20.0
    )[1]
    for i, cell in enumerate(cells):
        alone = simulate_psp(
            make_membranes([cell], -65.0, True),
            [1.0, 2.0][i],
            0.3,
            [2.0, 5.0][i],
            -70.0,
            duration_ms=20.0,
        )[1]
        np.testing.assert_array_equal(both[i], alone[0])


def test_slope_conductance_is_that_of_the_current_voltage_relation():
    held = make_membranes([CELL], -58.0, True)

    def current(v):
        onset = CELL.g_L * CELL.Delta_T * np.exp((v - CELL.V_T) / CELL.Delta_T)
        return CELL.g_L * (v - CELL.E_L) - onset

    numeric = (current(-58.0 + 1e-5) - current(-58.0 - 1e-5)) / 2e-5
    assert held.slope_conductance[0] == pytest.approx(numeric, rel=1e-6)
    assert make_membranes([CELL], -58.0, False).slope_conductance[0] == CELL.g_L
    assert held.time_constant[0] == pytest.approx(CELL.C / numeric, rel=1e-6)


def test_highest_holding_potential_leaves_the_slope_asked_for():
    for slope in (0.05, 0.5):
        top = highest_holding(CELL, slope)
        held = make_membranes([CELL], top, True)
        assert held.slope_conductance[0] / CELL.g_L == pytest.approx(slope, rel=1e-9)
        assert top < CELL.V_T


def test_a_cell_cannot_be_held_above_its_threshold_unless_passive():
    with pytest.raises(ParameterError, match=r"-55 mV.*no resting state.*allowed: up to -55\.2"):
        make_membranes([CELL], -55.0, True)
    assert make_membranes([CELL], -50.0, False).holding[0] == -50.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rise_ms": 3.0}, r"rise_ms = 3, decay_ms = 2 ms; allowed: 0 < rise < decay"),
        ({"decay_ms": -1.0}, "0 < rise < decay"),
        ({"step_ms": 0.0}, "step_ms"),
        ({"duration_ms": -5.0}, "duration_ms"),
    ],
)
def test_impossible_kernels_and_times_are_refused(change, message):
    values = {"g_nS": 1.0, "rise_ms": 0.5, "decay_ms": 2.0, "reversal_mV": -70.0}
    values |= {"duration_ms": 10.0} | change
    with pytest.raises(ParameterError, match=message):
        simulate_psp(make_membranes([CELL], -60.0, True), **values)
