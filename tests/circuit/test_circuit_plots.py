"""Plots draw the data they are given, label their axes, and return the axes."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from swta.circuit import (
    ComparisonResult,
    ModulationResult,
    Motif,
    RateResult,
    SweepResult,
    plots,
)
from swta.intervals import Interval


@pytest.fixture(autouse=True)
def _headless():
    with mpl.rc_context({"backend": "agg"}):
        plt.switch_backend("agg")
        yield
        plt.close("all")


def labelled(ax):
    return bool(ax.get_xlabel()) and bool(ax.get_ylabel())


def line(ax, label):
    return next(item for item in ax.get_lines() if item.get_label() == label)


@pytest.fixture
def comparison():
    rates = np.array([[4.0, 1.0], [5.0, 2.0]])
    return ComparisonResult(np.array([0.5, 0.9]), rates, rates + 0.1, rates)


def test_course_shows_every_unit_and_inhibition():
    time = np.arange(3.0)
    rates = np.arange(24.0).reshape(3, 2, 4)
    ax = plots.plot_course(RateResult(time, rates, np.ones((3, 2))), condition=1)
    assert labelled(ax)
    assert (line(ax, "strong").get_ydata() == rates[:, 1, 0]).all()
    assert (line(ax, "inhibitory").get_ydata() == 1).all()
    assert len(ax.get_lines()) == 5


def test_transfer_shows_simulation_and_closed_form(comparison):
    ax = plots.plot_transfer(comparison, alone=[3.0, 4.0], kappa=0.7)
    assert labelled(ax)
    assert (line(ax, "rival, closed form").get_ydata() == comparison.predicted[:, 1]).all()
    assert (line(ax, "rival alone").get_ydata() == [3, 4]).all()
    assert len(plots.plot_transfer(comparison, ax=plt.subplots()[1]).get_lines()) == 4


def test_agreement_and_gain(comparison):
    ax = plots.plot_agreement(comparison)
    assert labelled(ax)
    assert (ax.get_lines()[1].get_ydata() == comparison.simulated.ravel()).all()
    ax = plots.plot_gain(comparison, 0.75, ([0, 1], [1, 2]), ax=plt.subplots()[1])
    assert labelled(ax)
    assert (line(ax, "closed form").get_ydata() == [1, 2]).all()
    assert (line(ax, "simulated").get_ydata() == comparison.simulated[:, 0]).all()


def test_modulation_draws_fitted_lines_down_to_zero():
    motifs = (Motif(), Motif(beta1=6.0))
    result = ModulationResult(
        "beta1", motifs, np.array([0.0, 2.0]), np.array([[0.0, 1.0], [0.0, 0.5]])
    )
    ax = plots.plot_modulation(result, [0.5, 0.25], [0.0, -0.1])
    assert labelled(ax)
    assert min(item.get_ydata().min() for item in ax.get_lines()) == 0
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "$\\beta_1$ = 3",
        "$\\beta_1$ = 6",
    ]


def test_profiles_are_scaled_to_their_peak():
    ax = plots.plot_profiles([[4.0, 2.0], [4.0, 2.0]], [[8.0, 0.0], [8.0, 0.0]], ("in", "out"))
    assert labelled(ax)
    assert [bar.get_height() for bar in ax.patches] == [1, 0.5, 1, 0]


def test_intervals_become_error_bars():
    ax = plots.plot_intervals([1], [Interval(2.0, 1.5, 3.0, 5)], "motif", "black")
    bar = ax.containers[0].lines[2][0].get_segments()[0]
    assert bar[:, 1] == pytest.approx([1.5, 3.0])


def test_loop_and_half_widths():
    rates = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    ax = plots.plot_loop(SweepResult(np.array([-1.0, 1.0]), rates, rates), 0, 0.5)
    assert labelled(ax)
    assert (line(ax, "d rising").get_ydata() == [1, -1]).all()
    ax = plots.plot_half_widths([1.2], [1.8], ([1, 1.2], [0, 1.85]), ax=plt.subplots()[1])
    assert labelled(ax)
    assert line(ax, "simulated").get_ydata()[0] == 1.8


def test_stability_map_places_the_motif():
    ax = plots.plot_stability_map([("here", Motif(alpha=1.2))])
    assert labelled(ax)
    assert (line(ax, "here").get_xdata()[0], line(ax, "here").get_ydata()[0]) == (0.75, 1.2)
    image = ax.get_images()[0].get_array()
    assert image[0, 0] == 0 and image[-1, 0] == 3  # soft below, unstable above
    wide = plots.plot_stability_map([], np.array([2.0, 3.0]), ax=plt.subplots()[1])
    assert wide.get_xlim() == (0, 2)
