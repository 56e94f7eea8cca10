"""Constants of the threshold-linear motif, from curves made by a known one."""

from __future__ import annotations

import numpy as np
import pytest

from swta.cells.classes import INTERNEURONS
from swta.circuit import reduction
from swta.circuit.conditions import Condition
from swta.circuit.network import Network
from swta.circuit.reduction import (
    EffectiveMotif,
    OpenLoopResult,
    _hold,
    measure_effective_motif,
    simulate_open_loops,
)
from swta.circuit.spiking_experiments import Trials
from swta.circuit.theory import hysteresis_half_width
from swta.validation import ParameterError

DRIVES = np.array([1.2, 1.6, 2.0, 2.4])
K, RIVAL, T, LOOP, BETA2 = 2.0, -0.5, 1.0, 0.4, 0.3


def _curves(alpha: float) -> OpenLoopResult:
    """Rates of a threshold-linear unit with these constants; PV and SST share the feedback."""
    net = K * DRIVES - T
    closed, cut = net / (1 + LOOP - alpha), net / (1 + LOOP)
    opened = net - LOOP * cut[2]
    rival = opened[2] + RIVAL * DRIVES

    def rates(pyr, fed):
        table = np.zeros((len(DRIVES), 2, 6))
        table[..., 0] = pyr[:, None]
        table[..., 2] = (5 + 0.2 * fed)[:, None]
        table[..., 3] = (2 + 0.1 * fed)[:, None]
        table[..., 4:] = 1.0
        return table

    same = np.full(len(DRIVES), cut[2])
    return OpenLoopResult(
        DRIVES, 2, rates(closed, closed), rates(cut, cut), rates(opened, same), rates(rival, same),
        dict.fromkeys(INTERNEURONS, 0.1), 2,
    )  # fmt: skip


@pytest.mark.parametrize("alpha", [0.5, 1.2])
def test_constants_are_those_of_the_curves(alpha):
    result = _curves(alpha)
    found = measure_effective_motif(result)
    assert found.gain_hz_per_khz == pytest.approx(K)
    assert found.rival_hz_per_khz == pytest.approx(RIVAL)
    assert found.threshold_hz == pytest.approx(T)
    assert found.alpha == pytest.approx(alpha)
    assert found.loop == pytest.approx(LOOP)
    assert found.beta2 == pytest.approx(BETA2)
    assert found.curvature == pytest.approx(0, abs=1e-9)
    assert result.hold_error == pytest.approx(0, abs=1e-9)


def test_a_lone_unit_is_predicted_as_measured():
    result = _curves(0.7)
    found = measure_effective_motif(result)
    alone = np.stack([DRIVES, np.zeros(4)], axis=-1)
    np.testing.assert_allclose(found.predict(alone)[:, 0], result.closed[:, 0, 0])
    np.testing.assert_allclose(
        found.predict(alone, recurrent=False)[:, 0], result.no_recurrence[:, 0, 0]
    )


def test_switch_is_the_closed_form_without_cross_inhibition_and_threshold():
    hard = EffectiveMotif(2.0, 0.0, 0.0, 1.2, 0.75, 0.25, 0.0)
    # d is over the mean drive, d* of the theory in input units.
    expected = hysteresis_half_width(hard.motif, 6.0) / 6.0
    assert hard.predict_switch(3.0) == pytest.approx(expected)
    soft = EffectiveMotif(2.0, 0.0, 0.0, 0.9, 0.75, 0.25, 0.0)
    assert soft.predict_switch(3.0) == 0.0
    never = EffectiveMotif(2.0, 0.0, -10.0, 1.7, 0.75, 0.25, 0.0)
    assert never.predict_switch(0.6) == 2.0


def test_hold_finds_the_input_of_the_wanted_rates():
    own, wanted = np.array([3.0, 7.0, 0.7, 2.8]), np.array([14.0, 3.4, 2.6, 1.6])
    needed = np.array([0.4, 3.0, 0.1, 0.05])
    power = np.array([2.0, 6.0, 4.0, 9.0])

    def rates(extra):
        total = own + np.array([extra[name] for name in INTERNEURONS])
        return wanted * (total / (own + needed)) ** power

    held = _hold(own, wanted, rates, 8)
    np.testing.assert_allclose(list(held.values()), needed, atol=0.03)


def test_what_is_cut_and_held(monkeypatch):
    seen: list[Condition] = []

    class Result:
        def __init__(self, n):
            self.n = n

        def mean_rates_hz(self, start_s):
            return np.ones((self.n, 2, 6))

    def run(self, network, conditions, **_):
        seen.extend(conditions)
        return Result(len(conditions))

    monkeypatch.setattr(Trials, "run", run)
    network = Network(n_cells=100, n_units=2)
    simulate_open_loops(network, Trials(seeds=2), relative=(0.5, 1.0, 1.5), rounds=2)
    assert [dict(c.efficacy).get(("Pyr", "Pyr"), 1.0) for c in seen[:6]] == [1.0] * 3 + [0.0] * 3
    opened = seen[-6:]
    assert all(c.efficacy["Pyr", name] == 0 for c in opened for name in ("Pyr", *INTERNEURONS))
    assert all(set(c.extra_khz) == set(INTERNEURONS) for c in opened)
    assert [c.drive_khz.tolist() for c in opened[3:]] == [[2, 1], [2, 2], [2, 3]]


def test_further_drives_are_for_open_loops_and_leave_the_lines_alone(monkeypatch):
    seen: list[list[Condition]] = []

    class Result:
        def __init__(self, drives):
            self.drives = drives

        def mean_rates_hz(self, start_s):
            return np.tile(1 + self.drives[:, :1, None], (1, 2, 6))

    def run(self, network, conditions, **_):
        seen.append(list(conditions))
        return Result(np.array([c.drive_khz for c in conditions]))

    monkeypatch.setattr(Trials, "run", run)
    network = Network(n_cells=100, n_units=2)
    trials = Trials(seeds=2)
    result = simulate_open_loops(
        network, trials, relative=(0.5, 1.0, 1.5), further=(2.5,), rounds=1
    )
    assert result.open_khz.tolist() == [1, 2, 3, 5]
    assert [one.drive_khz[0] for one in seen[0]] == [1, 2, 3, 1, 2, 3, 5]
    assert [one.drive_khz.tolist() for one in seen[-1][:4]] == [[1, 0], [2, 0], [3, 0], [5, 0]]
    assert result.no_recurrence[:, 0, 0].tolist() == [2, 3, 4, 6]
    lines = measure_effective_motif(result)
    result.no_recurrence[3] = result.opened[3] = 99.0
    assert measure_effective_motif(result) == lines


def test_bad_input_is_named():
    with pytest.raises(ParameterError, match="relative has 2 drives"):
        simulate_open_loops(Network(n_cells=100, n_units=2), Trials(), relative=(1, 2))
    silent = _curves(0.5)
    silent.no_recurrence[..., 0] = 0
    with pytest.raises(ParameterError, match="the driven unit has slopes 2 and 0"):
        measure_effective_motif(silent)
    assert reduction.NO_FEEDBACK[("Pyr", "Sst")] == 0
