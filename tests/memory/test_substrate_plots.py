"""Plots of limits, chip and spikes draw the data they are given and label their axes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from swta.memory import (
    ChipBoundaryResult,
    LifetimeResult,
    SparsityResult,
    SpikingMemoryResult,
    substrate_plots,
)


@pytest.fixture(autouse=True)
def _close():
    plt.switch_backend("agg")
    yield
    plt.close("all")


def labelled(ax):
    return bool(ax.get_xlabel()) and bool(ax.get_ylabel())


def test_lifetimes_start_at_one():
    result = LifetimeResult(np.array([0.1, 0.2]), np.array([[9.0, 9.0], [1.0, 9.0]]), 10.0)
    ax = substrate_plots.plot_lifetimes(result, 0.01)
    assert labelled(ax) and len(ax.get_lines()) == 2
    assert ax.get_lines()[1].get_ydata()[[0, -1]].tolist() == [1.0, 0.5]
    assert ax.get_lines()[0].get_xdata()[-1] == pytest.approx(0.09)


def test_shortest_symbols_leave_gaps():
    ax = substrate_plots.plot_shortest([1.0, 2.0], [np.nan, 4.0])
    assert labelled(ax) and ax.get_lines()[0].get_ydata()[1] == 4


def test_chip_boundary_parts_held_and_lost():
    up = np.array([[False, True, True]])
    result = ChipBoundaryResult(
        np.array([0.9]), np.array([[0.1, 0.2, 0.3]]), up, np.array([0.175]), np.array([0.15])
    )
    ax = substrate_plots.plot_chip_boundary(result)
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert labelled(ax)
    assert lines["held"].get_xdata().tolist() == [0.2, 0.3]
    assert lines["lost"].get_xdata().tolist() == [0.1]
    assert lines["predicted boundary"].get_xdata().tolist() == [0.175]


def test_sparsity_is_in_percent():
    one = SparsityResult(np.array([0.5, 1.0]), np.array([0.4, 0.4]), np.array([0.0, 1.0]), 3)
    ax = substrate_plots.plot_sparsity({"one": one, "other": one})
    assert labelled(ax) and len(ax.get_lines()) == 2
    assert ax.get_lines()[0].get_xdata().tolist() == [50.0, 100.0]


def test_patches_show_every_pair_and_the_mean():
    courses = np.ones((4, 1, 3, 2, 2))
    courses[..., 1, 0] = 5.0
    result = SpikingMemoryResult(np.arange(4.0), courses, np.zeros((1, 3, 2, 4)))
    ax = substrate_plots.plot_patches(result)
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert labelled(ax) and len(ax.get_lines()) == 9
    assert (lines["X"].get_ydata() == 1).all() and (lines["Y"].get_ydata() == 5).all()
