"""Figures and tables of the spiking motif hold the values of their results."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from swta.circuit.bistability import BoundaryResult
from swta.circuit.reduction import EffectiveMotif, OpenLoopResult
from swta.circuit.reduction_plots import plot_open_loops, plot_predictions, tabulate_predictions
from swta.circuit.sensitivity import SensitivityResult
from swta.circuit.smooth_motif import SmoothMotif, activate
from swta.circuit.spiking_experiments import (
    ModulationCurves,
    ProfileResult,
    RestoredResult,
    TransferResult,
    graded_profiles,
)
from swta.circuit.spiking_plots import plot_competition, plot_graded, plot_peer, plot_sensitivity
from swta.circuit.spiking_tables import (
    tabulate_boundary,
    tabulate_modulation,
    tabulate_restored,
    tabulate_transfer,
)
from swta.validation import ParameterError

RNG = np.random.default_rng(3)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def _transfer(ratios=(0.5, 0.9), seeds=3) -> TransferResult:
    shape = (len(ratios), seeds, 6)
    one, two, three, four = (1 + RNG.random(shape) for _ in range(4))
    return TransferResult(np.array(ratios), one, two, three, four, RNG.random((seeds, 6)), 2)


def test_competition_shows_gain_and_loser_fraction():
    result = _transfer()
    ax = plot_competition(result)
    gain = (result.together / result.without_recurrence)[..., 0].mean(1)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), gain)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["winner gain", "loser fraction"]
    table = tabulate_transfer(result)
    assert len(table) == 6
    row = table.query("input_ratio == 0.9 and network == 2").iloc[0]
    assert row["rival_hz"] == pytest.approx(result.together[1, 2, 1])
    assert row["loser_fraction"] == pytest.approx(
        result.together[1, 2, 1] / result.rival_alone[1, 2, 1]
    )


def test_graded_profiles_fall_evenly_and_are_drawn_over_their_largest():
    drives = graded_profiles(4, (0.7, 0.1))
    np.testing.assert_allclose(drives, [[1, 0.9, 0.8, 0.7], [1, 0.7, 0.4, 0.1]])
    rates = 10 * drives[:, None] * np.ones((2, 3, 4))
    ax = plot_graded(ProfileResult(2 * drives, rates, rates))
    np.testing.assert_allclose([p.get_height() for p in ax.patches], drives.ravel())
    with pytest.raises(ParameterError, match="lowest = 1"):
        graded_profiles(4, (1.0,))


def test_a_network_that_runs_away_leaves_a_gap():
    gain = np.array([[1.0, 1.2], [2.0, 2.2], [np.nan, 3.0]])
    result = SensitivityResult("nmda_ratio", np.array([0.0, 0.4, 0.6]), gain, gain / 4)
    ax = plot_sensitivity(result, 0.45)
    np.testing.assert_allclose(ax.lines[0].get_xdata(), [0.0, 0.4])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [1.1, 2.1])


def test_peers_are_drawn_where_both_fire():
    table = pd.DataFrame(
        {
            "state": ["rest", "rest", "stimulus"],
            "population": ["Pyr 0", "Sst", "Pyr 0"],
            "Brian 2 (Hz)": [0.2, 0.0, 5.0],
            "NEST (Hz)": [0.25, 0.0, 5.5],
            "s.e.m. (Hz)": [0.02, 0.0, 0.2],
        }
    )
    ax = plot_peer(table)
    dots = [c for c in ax.collections if isinstance(c, PathCollection)]
    points = np.concatenate([np.asarray(c.get_offsets()) for c in dots])
    assert {tuple(p) for p in points.round(3).tolist()} == {(0.25, 0.2), (5.5, 5.0)}
    assert ax.get_xlabel() == "NEST (Hz)"


def test_tables_keep_the_order_of_their_arrays():
    curves = ModulationCurves(
        ("Pvalb", "Sst"),
        np.array([0.0, 1.0]),
        np.array([1.0, 2.0, 3.0]),
        RNG.random((2, 2, 3, 4, 6)),
    )
    one = tabulate_modulation(curves).query(
        "`class` == 'SST' and extra_khz == 1 and drive_khz == 2 and network == 3"
    )
    assert one["rate_hz"].item() == pytest.approx(curves.rates[1, 1, 1, 3, 0])
    restored = RestoredResult(
        np.ones(4), RNG.random((3, 5, 4)), RNG.random((3, 5, 4)), RNG.random((3, 5, 4))
    )
    one = tabulate_restored(restored).query("network == 2 and pattern == 4 and unit == 1")
    assert one["drive_khz"].item() == pytest.approx(restored.inputs_khz[2, 4, 1])
    assert one["rate_no_ee_hz"].item() == pytest.approx(restored.without_recurrence[2, 4, 1])
    boundary = BoundaryResult(np.array([0.5, 1.0]), np.array([0.0, 0.8]), RNG.random((2, 2, 3)))
    one = tabulate_boundary(boundary).query("vip_khz == 0.8 and adaptation == 0.5 and network == 1")
    assert one["memory"].item() == pytest.approx(boundary.memory[1, 0, 1])


STRAIGHT = EffectiveMotif(2.0, -0.4, 0.5, 0.6, 0.3, 0.2, 0.0)
SMOOTH = SmoothMotif(2.0, -0.5, 1.0, 0.8, 0.5, 0.25)


@pytest.mark.parametrize("motif", [STRAIGHT, SMOOTH])
def test_predictions_stand_beside_what_was_measured(motif):
    transfer = _transfer((0.6, 1.0))
    table = tabulate_predictions(motif, transfer, 2.0)
    both = motif.predict([2.0, 1.2])
    first = table.iloc[0]
    assert first["strong_predicted_hz"] == pytest.approx(both[0])
    assert first["rival_predicted_hz"] == pytest.approx(both[1])
    alone = motif.predict([2.0, 1.2], recurrent=False)[0]
    measured = (transfer.together / transfer.without_recurrence)[0, :, 0].mean()
    assert first["gain_error"] == pytest.approx(both[0] / alone / measured - 1)
    rival = transfer.rival_alone[0, :, 1].mean()
    assert first["loser_fraction"] == pytest.approx(transfer.together[0, :, 1].mean() / rival)
    expected = both[1] / motif.predict([1.2, 0.0])[0]
    assert first["loser_fraction_predicted"] == pytest.approx(expected)
    ax = plot_predictions(table, tabulate_predictions(STRAIGHT, transfer, 2.0))
    np.testing.assert_allclose(ax.lines[1].get_ydata(), table["strong_predicted_hz"])
    assert ax.lines[2].get_ydata()[0] == pytest.approx(STRAIGHT.predict([2.0, 1.2])[0])


def test_lines_of_the_reduction_are_its_formulas():
    drives = np.array([1.0, 2.0, 3.0])
    rates, more = np.zeros((3, 2, 6)), np.zeros((4, 2, 6))
    result = OpenLoopResult(drives, 1, rates, more, more, rates, {}, 2, np.array([5.0]))
    ax = plot_open_loops(result, SMOOTH)
    lines = [line for line in ax.lines if len(line.get_xdata()) == 60]
    closed, cut, held, rival = (np.array([*line.get_data()]) for line in lines)
    assert (closed[0, -1], cut[0, -1], held[0, -1], rival[0, -1]) == (3.0, 5.0, 5.0, 3.0)
    for drive, rate in (closed[:, 30], closed[:, -1]):
        assert rate == pytest.approx(SMOOTH.predict([drive, 0.0])[0])
    for drive, rate in (cut[:, 30], cut[:, -1]):
        assert rate == pytest.approx(SMOOTH.predict([drive, 0.0], recurrent=False)[0])
    reference = SMOOTH.predict([2.0, 0.0], recurrent=False).sum()
    assert held[1, -1] == pytest.approx(activate(2 * 5.0 - 1 - 0.25 * reference, 0.8))
    assert rival[1, -1] == pytest.approx(activate(4 - 0.5 * 3 - 1 - 0.25 * reference, 0.8))
