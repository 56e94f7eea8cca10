"""The fit to rates, against a made network whose rates are powers of the unknowns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from swta.cells.classes import CLASSES
from swta.circuit import calibration
from swta.circuit.calibration import FACTORS, fit_rates
from swta.circuit.conditions import Context
from swta.circuit.network import AFFERENT_FIELDS, Afferents, Network
from swta.circuit.pathways import Adjustment
from swta.circuit.rate_targets import RATE_TARGETS, STATES
from swta.validation import ParameterError

BACKGROUND = dict(zip(CLASSES, (2.0, 3.0, 7.0, 0.7, 2.8), strict=True))
PV_GAIN, RUNNING_KHZ = 0.6, 0.9


def _made_rates(wiring, condition):
    """Targets are met at BACKGROUND, PV_GAIN, RUNNING_KHZ and factors of one."""
    network = wiring.network
    centre = {(t.state, t.name): t.centre for t in RATE_TARGETS}
    driven = np.asarray(condition.drive_khz).sum() > 0
    running = condition.context.vip_khz
    factors = condition.efficacy
    rates = {}
    for name in CLASSES:
        drive = np.asarray(condition.drive_khz).sum()
        extra = condition.extra_khz[name]
        gain = (extra - BACKGROUND[name]) / drive if driven and name == "Pvalb" else 0.0
        if name == "Pvalb" and driven:
            rates[name] = centre["stimulus", name] * (gain / PV_GAIN) ** 0.8
            continue
        rest = centre["rest", name] * (extra / BACKGROUND[name]) ** 8
        lift = centre.get(("stimulus", name), centre["rest", name]) / centre["rest", name]
        rates[name] = rest * (lift if driven else 1.0)
    if driven:
        rates["Pyr"] *= factors["Pvalb", "Pyr"] ** -0.6
        rates["Sst"] *= factors["Pyr", "Sst"] ** 0.7
        rates["Vip"] *= factors["Pyr", "Vip"] ** 0.5
    if running:
        strength = running / RUNNING_KHZ
        rates["Vip"] = centre["running", "Vip"] * strength
        rates["Sst"] *= centre["running", "Sst"] * (strength * factors["Vip", "Sst"]) ** -0.5
        rates["Pyr"] *= 0.9  # outside its range, which the fit must not see
    n = network.n_units
    return np.array([rates["Pyr"]] * n + [rates[name] for name in CLASSES[1:]])


@pytest.fixture
def made(monkeypatch):
    class Result:
        def __init__(self, wirings, conditions, **_):
            self.populations = wirings[0].populations
            self.rates = np.array([[_made_rates(w, c) for w in wirings] for c in conditions])

        def mean_rates_hz(self, start_s):
            return self.rates

    monkeypatch.setattr(calibration, "simulate_spiking", Result)


def _start(scale=1.1, factor=1.5):
    inputs = {
        field: Afferents(scale * BACKGROUND[name], own_gain=float(name == "Pyr"))
        for name, field in AFFERENT_FIELDS.items()
    }
    inputs["pv"] = replace(inputs["pv"], shared_gain=0.5)
    adjustments = tuple(Adjustment(*pair, factor, "start") for pair in FACTORS)
    return Network(n_cells=100, n_units=2, adjustments=adjustments, **inputs)


def test_fit_finds_inputs_and_factors(made):
    fit = fit_rates(_start(), Context(vip_khz=1.2), 2.0, steps=30, seeds=2)
    for name in CLASSES:
        assert fit.network.afferents(name).background_khz == pytest.approx(
            BACKGROUND[name], rel=0.01
        )
    assert fit.network.pv.shared_gain == pytest.approx(PV_GAIN, rel=0.02)
    assert fit.running.vip_khz == pytest.approx(RUNNING_KHZ, rel=0.05)
    factors = {(a.pre, a.post): a.factor for a in fit.network.adjustments}
    assert set(factors) == set(FACTORS)
    np.testing.assert_allclose(list(factors.values()), 1.0, atol=0.05)
    table = fit.tabulate()
    assert fit.misfit < 0.1
    assert table.loc[~table["inside"], ["state", "class"]].values.tolist() == [["running", "Pyr"]]
    assert fit.rates.shape == (len(RATE_TARGETS), 2)


def test_states_are_driven_as_their_names_say(made, monkeypatch):
    seen = []
    monkeypatch.setattr(
        calibration,
        "simulate_spiking",
        lambda wirings, conditions, *, made=calibration.simulate_spiking, **rest: (
            seen.append(conditions) or made(wirings, conditions, **rest)
        ),
    )
    fit_rates(_start(), Context(vip_khz=1.2), 2.0, steps=1, seeds=1)
    state = dict(zip(STATES, seen[0], strict=True))
    drives = {name: np.asarray(one.drive_khz).tolist() for name, one in state.items()}
    assert drives["rest"] == [0, 0] and drives["mixed"] == [2, 1]
    assert drives["stimulus"] == drives["running"] and drives["stimulus"][1] < 0.1
    assert [one.context.vip_khz for one in state.values()] == pytest.approx([0, 0, 0, 1.2])
    for name, one in state.items():  # all drives reach PV cells
        more = 0.5 * sum(drives[name])
        assert one.extra_khz["Pvalb"] == pytest.approx(1.1 * BACKGROUND["Pvalb"] + more)


def test_other_adjustments_stay_and_fitted_ones_say_why(made):
    kept = Adjustment("Lamp5", "Pyr", 2.0, "a sensitivity")
    start = _start()
    start = replace(start, adjustments=(*start.adjustments, kept))
    fit = fit_rates(start, Context(vip_khz=1.0), 2.0, steps=2, seeds=1)
    assert fit.network.adjustments[0] == kept
    assert all(a.reason.startswith("fitted to") for a in fit.network.adjustments[1:])


def test_every_state_and_range_is_possible():
    assert {t.state for t in RATE_TARGETS} == set(STATES)
    assert all(0 < t.low < t.centre < t.high for t in RATE_TARGETS)
    assert all(t.holds(t.centre) and not t.holds(1.01 * t.high) for t in RATE_TARGETS)


@pytest.mark.parametrize(
    ("change", "context"),
    [
        ({"pv": Afferents(3.0)}, Context(vip_khz=1.0)),
        ({"sst": Afferents(0.0)}, Context(vip_khz=1.0)),
        ({}, Context()),
    ],
)
def test_a_start_without_an_unknown_is_named(made, change, context):
    with pytest.raises(ParameterError, match="lacks a positive background, thalamic gain"):
        fit_rates(replace(_start(), **change), context, 2.0)
