"""The recordings' curve of a potential: its definition, and that fits find it again."""

import numpy as np
import pytest
from scipy.optimize import brentq

from swta.cells import AdExParameters
from swta.cells.synapses import shape as module
from swta.cells.synapses.kernel import simulate_psp
from swta.cells.synapses.membrane import make_membranes
from swta.cells.synapses.shape import FIT_WINDOW, measure_psp, psp_shape, shape_projections
from swta.validation import ParameterError

T = np.arange(0.0, FIT_WINDOW + 0.01, 0.05)


@pytest.mark.parametrize(("rise", "decay"), [(3.3, 16.0), (4.7, 71.6), (1.5, 6.9), (7.0, 50.0)])
def test_curve_is_the_source_formula(rise, decay):
    """(1 - exp(-t / rise_tau))^2 exp(-t / decay), rise = rise_tau ln(1 + 2 decay / rise_tau)."""
    rise_tau = brentq(lambda x: x * np.log(1 + 2 * decay / x) - rise, 1e-4, 1e4)

    def raw(t):
        return (1 - np.exp(-t / rise_tau)) ** 2 * np.exp(-t / decay)

    np.testing.assert_allclose(psp_shape(T, rise, decay)[0], raw(T) / raw(rise), rtol=1e-8)


def test_curve_peaks_at_one_after_the_rise_and_decays_as_said():
    rise, decay = 2.0, 10.0
    top, before, after = psp_shape([rise, rise - 0.01, rise + 0.01], rise, decay)[0]
    assert top == pytest.approx(1.0) and before < 1 > after
    late = psp_shape([80.0, 90.0], rise, decay)[0]
    assert np.log(late[0] / late[1]) == pytest.approx(10.0 / decay, rel=1e-5)


def test_fit_finds_amplitude_rise_and_decay_again():
    rise, decay = np.array([1.5, 4.7, 6.6]), np.array([6.0, 71.0, 25.0])
    size = np.array([0.55, -0.46, -0.2])
    found = measure_psp(T, size[:, None] * psp_shape(T, rise, decay))
    np.testing.assert_allclose(found.amplitude_mV, size, rtol=1e-5)
    np.testing.assert_allclose(found.rise_ms, rise, rtol=1e-4)
    np.testing.assert_allclose(found.decay_ms, decay, rtol=1e-4)
    assert found.misfit.max() < 1e-5


def test_projection_is_zero_for_its_own_curve_and_first_order_for_others():
    projection = shape_projections(T, 4.0, 20.0)[0]
    np.testing.assert_allclose(
        projection @ (0.3 * psp_shape(T, 4.0, 20.0)[0]), [0.3, 0, 0], atol=1e-9
    )
    small = 1e-3
    amplitude, rise, decay = projection @ psp_shape(T, 4.0 * np.exp(small), 20.0 / np.exp(small))[0]
    assert amplitude == pytest.approx(1.0, abs=1e-5)
    assert rise == pytest.approx(small, rel=0.01)
    assert decay == pytest.approx(-small, rel=0.01)


def test_short_window_makes_slow_inhibition_look_much_slower():
    """Why measured decays of inhibition exceed the membrane's: the fit saw 18 ms only."""
    cell = AdExParameters(120.0, 6.2, -76.0, -40.0, 0.5, 90.0, 0.0, 40.0, -58.0, 3.0, 30.0)
    features = []
    for window in (FIT_WINDOW, 150.0):
        t, v = simulate_psp(
            make_membranes([cell], -55.0, False), 1.0, 0.5, 6.0, -70.0, duration_ms=window
        )
        features.append(measure_psp(t, v).decay_ms[0])
    assert features[1] == pytest.approx(cell.tau_m, rel=0.25)
    assert features[0] > 2 * features[1]


@pytest.mark.parametrize("bad", [np.zeros_like(T), np.full_like(T, np.nan)])
def test_nothing_to_fit_is_refused(bad):
    with pytest.raises(ParameterError, match="zero or not finite"):
        measure_psp(T, bad)


def test_a_fit_that_stops_early_is_refused(monkeypatch):
    real = module.least_squares
    stopped = lambda *args, **options: real(*args, **options, max_nfev=1)  # noqa: E731
    monkeypatch.setattr(module, "least_squares", stopped)
    with pytest.raises(ParameterError, match="did not converge"):
        measure_psp(T, psp_shape(T, 9.0, 90.0))
