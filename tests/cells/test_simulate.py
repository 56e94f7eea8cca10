"""The vectorised Brian 2 run against closed forms, other integrators, and itself."""

import gc

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from test_adex import CELL

from swta.cells import AdExParameters, passive_response, simulate_steps
from swta.validation import ParameterError

ADAPTING = AdExParameters(**{**CELL.as_dict(), "b": 40.0, "tau_w": 100.0})
FAST = AdExParameters(
    C=79.0,
    g_L=14.3,
    E_L=-77.0,
    V_T=-50.0,
    Delta_T=2.0,
    tau_w=50.0,
    a=1.0,
    b=5.0,
    V_reset=-59.0,
    refractory=1.35,
    V_peak=13.0,
)


def integrate(cell, current, duration_ms=1000.0):
    """Spike times (ms) by an adaptive integrator that stops at each spike and starts again."""

    def flow(_, state):
        v, w = state
        onset = cell.g_L * cell.Delta_T * np.exp(np.minimum((v - cell.V_T) / cell.Delta_T, 30.0))
        return [
            (-cell.g_L * (v - cell.E_L) + onset - w + current) / cell.C,
            (cell.a * (v - cell.E_L) - w) / cell.tau_w,
        ]

    # Above this point the upstroke takes nanoseconds, and an adaptive step shrinks to nothing.
    top = min(cell.V_peak, cell.V_T + 15 * cell.Delta_T)

    def spike(_, state):
        return state[0] - top

    spike.terminal, spike.direction = True, 1.0
    t, state, times = 0.0, [cell.E_L, 0.0], []
    while t < duration_ms:
        run = solve_ivp(flow, (t, duration_ms), state, events=spike, rtol=1e-7, atol=1e-7)
        assert run.status >= 0, run.message
        if not run.t_events[0].size:
            return np.array(times)
        t, w = run.t_events[0][0], run.y_events[0][0][1]
        times.append(t)
        # During the spike V is held at V_reset, and w relaxes towards a (V_reset - E_L).
        goal = cell.a * (cell.V_reset - cell.E_L)
        w = goal + (w + cell.b - goal) * np.exp(-cell.refractory / cell.tau_w)
        t, state = t + cell.refractory, [cell.V_reset, w]
    return np.array(times)


def test_far_below_threshold_the_membrane_follows_the_passive_closed_form():
    result = simulate_steps([CELL], [-50.0, -20.0], duration_ms=150.0, record=[(0, 0), (0, 1)])
    for trace, current in zip(result.traces, (-50.0, -20.0), strict=True):
        # The exponential still carries some tens of femtoamperes at rest.
        assert trace == pytest.approx(passive_response(CELL, current, result.t_ms), abs=0.03)


@pytest.mark.parametrize("cell", [CELL, ADAPTING, FAST], ids=["plain", "adapting", "fast"])
def test_spike_trains_agree_with_an_adaptive_integrator(cell):
    currents = np.array([1.1, 1.5]) * cell.g_L * (cell.V_T - cell.E_L)
    result = simulate_steps([cell], currents)
    for current, train in zip(currents, result.spike_times[0], strict=True):
        reference = integrate(cell, current)
        assert abs(train.size - reference.size) <= 1
        assert train[0] == pytest.approx(reference[0], abs=0.1)
        k = min(train.size, reference.size)
        assert np.mean(np.diff(train[:k])) == pytest.approx(
            np.mean(np.diff(reference[:k])), rel=0.01
        )


def test_many_cells_at_once_equal_one_by_one_in_any_order():
    models = [CELL, ADAPTING, FAST]
    currents = np.array([[120.0, 150.0], [160.0, 130.0], [420.0, 300.0]])
    together = simulate_steps(models, currents, duration_ms=300.0, dt_ms=0.1)
    backwards = simulate_steps(models[::-1], currents[::-1], duration_ms=300.0, dt_ms=0.1)
    for i, model in enumerate(models):
        alone = simulate_steps([model], currents[i], duration_ms=300.0, dt_ms=0.1)
        for j in range(2):
            assert alone.spike_times[0][j].tolist() == together.spike_times[i][j].tolist()
            assert alone.spike_times[0][j].tolist() == backwards.spike_times[2 - i][j].tolist()
    assert together.counts.sum() > 10


def test_result_reduces_trains_to_features():
    result = simulate_steps([ADAPTING], [0.0, 160.0], dt_ms=0.1)
    train = result.spike_times[0][1]
    assert result.counts.tolist() == [[0, train.size]]
    assert result.rates_hz[0, 1] == pytest.approx(train.size)
    assert result.latencies_ms[0, 1] == pytest.approx(train[0])
    assert np.isnan(result.latencies_ms[0, 0])
    assert result.adaptation[0, 1] > 0
    assert result.isi_cvs[0, 1] > 0
    assert result.isi_rates_hz[0, 1] == pytest.approx(1e3 / np.diff(train).mean())


def test_baseline_and_tail_frame_the_step():
    result = simulate_steps(
        [CELL],
        [-30.0, 150.0],
        duration_ms=100.0,
        baseline_ms=20.0,
        tail_ms=30.0,
        dt_ms=0.1,
        record=[(0, 1), (0, 0)],
    )
    assert result.t_ms[0] == pytest.approx(-20.0)
    assert result.t_ms[-1] == pytest.approx(129.9)
    strong, weak = result.traces
    assert weak[result.t_ms < -0.05] == pytest.approx(-76.0, abs=0.03)
    assert weak[np.isclose(result.t_ms, 100.0)] == pytest.approx(weak.min(), abs=1e-6)
    assert strong.max() > weak.max()
    train = result.spike_times[0][1]
    assert train.size and train.min() > 0 and train.max() < 100.0
    table = result.tabulate_traces(["Pyr"], every_ms=10.0)
    assert list(table) == ["t_ms", "Pyr +150 pA", "Pyr -30 pA"]
    assert np.diff(table["t_ms"]) == pytest.approx(10.0)


def test_brian_keeps_its_preferences_clock_and_magic_network_untouched():
    import brian2 as b2

    target, clock = b2.prefs.codegen.target, b2.defaultclock.dt / b2.ms
    group = b2.NeuronGroup(1, "dv/dt = 1 * Hz : 1", method="euler", name="of_the_caller")
    simulate_steps([CELL], [150.0], duration_ms=50.0, dt_ms=0.1, record=[(0, 0)])
    gc.collect()
    assert b2.prefs.codegen.target == target
    assert b2.defaultclock.dt / b2.ms == clock
    assert {one.name for one in b2.collect()} == {group.name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": []}, "holds no cell"),
        ({"currents_pA": [[1.0], [2.0]]}, r"shape \(2, 1\)"),
        ({"currents_pA": []}, "at least one step"),
        ({"currents_pA": [float("inf")]}, "not finite"),
        ({"duration_ms": 0.0}, "duration_ms = 0 .*allowed"),
        ({"baseline_ms": -1.0}, "baseline_ms"),
        ({"tail_ms": float("nan")}, "tail_ms"),
        ({"dt_ms": 1.0}, r"dt_ms = 1 .*\(0, 0.2\] ms"),
        ({"record": [(0, 3)]}, r"record = \(0, 3\) does not exist"),
    ],
)
def test_bad_input_is_named(change, message):
    given = {"parameters": [CELL], "currents_pA": [100.0]} | change
    with pytest.raises(ParameterError, match=message):
        simulate_steps(given.pop("parameters"), given.pop("currents_pA"), **given)
