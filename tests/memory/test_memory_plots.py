"""Plots draw the data they are given, label their axes, and return the axes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from swta.intervals import Interval
from swta.memory import MachineResult, MapResult, PairResult, plots


@pytest.fixture(autouse=True)
def _close():
    plt.switch_backend("agg")
    yield
    plt.close("all")


def labelled(ax):
    return bool(ax.get_xlabel()) and bool(ax.get_ylabel())


def line(ax, label):
    return next(item for item in ax.get_lines() if item.get_label() == label)


@pytest.fixture
def run():
    time = np.arange(0.0, 31.0)
    y = np.stack([np.full((31, 1), 4.0), np.zeros((31, 1))], axis=-1)
    return MachineResult(
        time=time,
        x=y,
        y=y,
        transition=np.ones((31, 1, 2)),
        states=("A", "B"),
        sequences=np.array([[0, 1]]),
        expected=np.array([[0, 1, 1]]),
        onsets=np.array([10.0, 20.0]),
        read_times=np.array([10.0, 20.0, 30.0]),
        up_rate=4.0,
    )


def test_up_state_in_seconds():
    x = np.arange(12.0).reshape(3, 2, 2)
    result = PairResult(np.arange(3.0), x, x, cue_end=1.0)
    ax = plots.plot_up_state(result, ["one", "two"], 4.0, 0.01)
    assert labelled(ax)
    assert line(ax, "two").get_xdata() == pytest.approx([0, 0.01, 0.02])
    assert (line(ax, "two").get_ydata() == x[:, 1, 0]).all()
    assert len(plots.plot_up_state(result, ["one", "two"], ax=plt.subplots()[1]).get_lines()) == 2


def test_up_rates_with_and_without_gentle_starts():
    curve = ([0.2, 0.3], [4.0, 5.0], [3.0, 1.5])
    ax = plots.plot_up_rates([0.3], [4.9], curve, gentle=[5.0])
    assert labelled(ax)
    assert (line(ax, "after the cue").get_ydata() == [4.9]).all()
    assert (line(ax, "gentle start").get_ydata() == [5.0]).all()
    assert len(plots.plot_up_rates([0.3], [4.9], curve, ax=plt.subplots()[1]).get_lines()) == 3


def test_map_colours_outcomes_and_marks_boundaries():
    stable = np.array([[True, True, True, False]])
    gentle = np.array([[False, True, True, False]])
    cued = np.array([[False, False, True, False]])
    result = MapResult(
        np.array([0.9, 1.0]), np.arange(4.0), *(np.tile(a, (2, 1)) for a in (stable, gentle, cued))
    )
    ax = plots.plot_persistence_map(result, [0.2, 0.1], ([0.9], [0.21]))
    assert labelled(ax)
    assert ax.collections[0].get_array().ravel()[:4].tolist() == [1, 2, 3, 0]
    assert (line(ax, "measured boundary").get_xdata() == [0.21]).all()


def test_erasure_and_error_rates():
    ax = plots.plot_erasure([1, 2], [4, 0], [0, 4], 4.0)
    assert labelled(ax)
    assert (line(ax, "new state (unit 1)").get_ydata() == [0, 4]).all()
    ax = plots.plot_error_rates([0.1], [Interval(0.2, 0.1, 0.4, 9)], ax=plt.subplots()[1])
    assert labelled(ax)
    assert ax.containers[0].lines[2][0].get_segments()[0][:, 1] == pytest.approx([0.1, 0.4])


def test_machine_letters_its_symbols(run):
    ax = plots.plot_machine(run, ("s", "r"), 5.0)
    assert labelled(ax)
    assert [text.get_text() for text in ax.texts] == ["s", "r"]
    assert (line(ax, "state A").get_ydata() == 4).all()
    ax = plots.plot_transition_cells(run, ["A, s → B", "B, r → A"], ax=plt.subplots()[1])
    assert labelled(ax)
    assert (line(ax, "B, r → A").get_ydata() == 1).all()
