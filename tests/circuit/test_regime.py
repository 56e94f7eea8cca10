"""Rates of the classes against their ranges, on made spike counts."""

from __future__ import annotations

import numpy as np
import pytest

from swta.circuit.rate_targets import QUIET, RATE_TARGETS, read_targets
from swta.circuit.regime import RegimeResult, measure_regime, tabulate_regime
from swta.circuit.spiking import SpikingResult
from swta.circuit.spiking_plots import plot_raster, plot_regime

NAMES = ("Pyr 0", "Pyr 1", "Pvalb", "Sst", "Vip", "Lamp5")
KEYS = [(t.state, t.name) for t in RATE_TARGETS]


def _result(rest, stimulus, mixed, running, bins=300):
    """Four states of ten cells a population, spikes per bin of 10 ms, two networks."""
    counts = np.zeros((bins, 4, 2, 6), dtype=np.int32)
    counts[:] = np.array([rest, stimulus, mixed, running])[None, :, None, :]
    spikes = {(k, 0): (np.array([1.2, 1.4]), np.array([0, 59])) for k in range(4)}
    cv = np.full((4, 2, 60), 0.3)
    cv[1] = 0.7
    return SpikingResult(NAMES, np.full(6, 10), 10.0, counts, cv, spikes)


def test_targets_are_read_from_their_state_and_class():
    rates = np.arange(48, dtype=float).reshape(4, 2, 6) + 1
    values = dict(zip(KEYS, read_targets(rates, 2), strict=True))
    np.testing.assert_allclose(values["rest", "Pyr"], [1.5, 7.5])  # mean of the units
    np.testing.assert_allclose(values["stimulus", "Pyr"], [13, 19])  # the driven unit
    np.testing.assert_allclose(values["rest", "Lamp5"], [6, 12])
    np.testing.assert_allclose(values["stimulus", "Sst"], [16, 22])
    np.testing.assert_allclose(values["mixed", "Pyr"], [25, 31])
    np.testing.assert_allclose(values["mixed", "Pvalb"], [27, 33])
    np.testing.assert_allclose(values["running", "Pyr"], [37 / 13, 43 / 19])
    np.testing.assert_allclose(values["running", "Sst"], [40 / 16, 46 / 22])
    np.testing.assert_allclose(values["running", "Vip"], [41, 47])
    assert read_targets(np.zeros((4, 1, 6)), 2).min() == QUIET


def test_steady_rates_and_the_verdict_on_each():
    result = RegimeResult(
        _result([0, 0, 1, 0, 1, 0], [1, 0, 3, 1, 1, 1], [1, 1, 6, 1, 1, 1], [2, 0, 3, 0, 1, 1]),
        np.ones(2),
        0.1,
    )
    rates = measure_regime(result)
    values = dict(zip(KEYS, rates.targets, strict=True))
    assert values["stimulus", "Pvalb"] == pytest.approx([30.0, 30.0])
    assert values["running", "Pyr"] == pytest.approx([2.0, 2.0])
    assert rates.drift == pytest.approx([1.0, 1.0])
    assert rates.burst == pytest.approx(np.ones((4, 2)))
    assert rates.interval_cv == pytest.approx([0.7, 0.7])
    assert rates.quietest_hz.tolist() == [[0, 0], [5, 5], [10, 10], [0, 0]]
    table = tabulate_regime(rates).set_index(["state", "class"])["inside"]
    assert table["stimulus", "PV"] == "yes" and table["stimulus", "Pyr"] == "no"
    assert table["mixed", "PV"] == "no" and rates.targets.shape == (len(KEYS), 2)
    assert table["rest", "LAMP5"] == "no (assumed range)"
    ax = plot_regime(rates)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["Pyr", "PV", "SST", "VIP", "LAMP5"]
    ax = plot_raster(result, state="running")
    assert sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() == ".") == 2


def test_a_burst_and_a_drift_show():
    made = _result([0, 0, 1, 1, 1, 1], *3 * ([1, 0, 1, 1, 1, 1],))
    made.counts[100:105, 0, 1, 3] = 40
    made.counts[200:, 1, 0, 0] = 3
    rates = measure_regime(RegimeResult(made, np.ones(2), 0.1))
    assert rates.burst[0, 1] > 20 and rates.burst[0, 0] == pytest.approx(1.0)
    assert rates.drift[0] > 2 and rates.drift[1] == pytest.approx(1.0)
