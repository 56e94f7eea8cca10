"""The motif with a smooth threshold: constants from curves made by a known one, and its states."""

from __future__ import annotations

import numpy as np
import pytest

from swta.circuit.reduction import EffectiveMotif, OpenLoopResult
from swta.circuit.smooth_motif import (
    SmoothMotif,
    activate,
    input_of,
    measure_smooth_motif,
)
from swta.validation import ParameterError

DRIVES, FURTHER = np.array([1.0, 1.6, 2.2, 2.8]), np.array([4.8])
KNOWN = SmoothMotif(1.5, -0.6, 0.9, 1.1, 0.85, 0.2)


def _curves(known: SmoothMotif) -> OpenLoopResult:
    """What `simulate_open_loops` gives for units of a known motif; other populations are silent."""
    wide = np.concatenate([DRIVES, FURTHER])

    def alone(drives, recurrent):
        both = np.stack([drives, np.zeros_like(drives)], axis=-1)
        return known.predict(both, recurrent=recurrent)

    def rates(units):
        table = np.zeros((len(units), 2, 6))
        table[..., :2] = units.reshape(len(units), 1, -1)
        return table

    held = known.loop * alone(DRIVES[2:3], False).sum()
    own = known.gain_hz_per_khz * wide - known.threshold_hz - held
    pushed = own[2] + known.rival_hz_per_khz * DRIVES
    return OpenLoopResult(
        DRIVES,
        2,
        rates(alone(DRIVES, True)),
        rates(alone(wide, False)),
        rates(activate(own, known.spread_hz)),
        rates(activate(pushed, known.spread_hz)),
        {},
        2,
        FURTHER,
    )


@pytest.mark.parametrize("known", [KNOWN, SmoothMotif(2.6, -1.3, -0.5, 2.4, 1.1, 0.4)])
def test_constants_are_those_of_the_curves(known):
    found = measure_smooth_motif(_curves(known))
    for name in ("gain_hz_per_khz", "rival_hz_per_khz", "threshold_hz", "spread_hz", "loop"):
        assert getattr(found, name) == pytest.approx(getattr(known, name), rel=1e-4), name
    assert found.alpha == pytest.approx(known.alpha, rel=1e-4)


def test_a_state_solves_its_equation_and_is_reached_from_anywhere():
    drives = np.array([[2.0, 1.6], [2.0, 0.0], [0.5, 2.5]])
    rates = KNOWN.predict(drives)
    inputs = KNOWN.inputs(drives) + 0.85 * rates - 0.2 * rates.sum(-1, keepdims=True)
    np.testing.assert_allclose(activate(inputs, 1.1), rates, rtol=1e-6)
    high = np.full((3, 2), 40.0)
    for _ in range(2000):
        inputs = KNOWN.inputs(drives) + 0.85 * high - 0.2 * high.sum(-1, keepdims=True)
        high = high + 0.05 * (activate(inputs, 1.1) - high)
    np.testing.assert_allclose(high, rates, rtol=1e-5)


def test_any_number_of_units_share_the_loop():
    drives = np.array([2.0, 1.2, 1.0, 0.8])
    rates = KNOWN.predict(drives)
    assert (np.diff(rates) < 0).all() and (rates > 0).all()
    inputs = 1.5 * drives - 0.6 * (drives.sum() - drives) - 0.9
    expected = activate(inputs + 0.85 * rates - 0.2 * rates.sum(), 1.1)
    np.testing.assert_allclose(rates, expected, rtol=1e-6)


def test_without_spread_it_is_the_threshold_linear_motif():
    straight = EffectiveMotif(2.0, -0.4, 0.5, 0.6, 0.3, 0.2, 0.0)
    smooth = SmoothMotif(2.0, -0.4, 0.5, 1e-3, 0.6, 0.3)
    drives = [[2.0, 1.9], [2.0, 1.0], [2.0, 0.0]]
    for recurrent in (True, False):
        np.testing.assert_allclose(
            smooth.predict(drives, recurrent=recurrent),
            straight.predict(drives, recurrent=recurrent),
            atol=5e-3,
        )


def test_the_slope_of_the_curve_is_that_of_the_formula():
    rates = np.array([0.2, 1.0, 5.0])
    inputs = input_of(rates, 1.1)
    np.testing.assert_allclose(activate(inputs, 1.1), rates)
    measured = (activate(inputs + 1e-5, 1.1) - activate(inputs - 1e-5, 1.1)) / 2e-5
    np.testing.assert_allclose(KNOWN.slope(rates), measured, rtol=1e-6)


def test_a_loop_below_zero_counts_as_none():
    result = _curves(SmoothMotif(1.5, -0.6, 0.9, 1.1, 0.5, 0.0))
    result.no_recurrence[..., 0] *= np.linspace(1.0, 1.1, 5)[:, None]
    assert measure_smooth_motif(result).loop == 0


def test_silent_cells_give_finite_constants():
    result = _curves(KNOWN)
    for rates in (result.closed, result.no_recurrence, result.opened, result.rival):
        rates[0] = 0.0
    found = measure_smooth_motif(result)
    assert np.isfinite(found.predict([[2.0, 1.0]])).all()


def test_bad_input_is_named():
    with pytest.raises(ParameterError, match=r"alpha = 1\.2"):
        SmoothMotif(2.0, -0.4, 0.5, 1.0, 1.2, 0.2)
    with pytest.raises(ParameterError, match="spread_hz"):
        SmoothMotif(2.0, -0.4, 0.5, 0.0, 0.5, 0.2)
    silent = _curves(KNOWN)
    silent.opened[..., 0] = 5.0 - silent.open_khz[:, None]
    with pytest.raises(ParameterError, match="loops open the driven unit has a slope of -1"):
        measure_smooth_motif(silent)
