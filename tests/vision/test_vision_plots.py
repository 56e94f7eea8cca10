"""Figures show what the results hold."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from swta.intervals import Interval
from swta.vision import (
    ArmsResult,
    SoftWTA,
    plot_gains,
    plot_learning,
    plot_orientation_key,
    plot_stages,
    plot_unseen,
    trace_filter,
)
from swta.vision.plots import STAGES, colour_orientations


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture
def result() -> ArmsResult:
    hits = np.array([[[9, 2], [8, 3]], [[9, 6], [9, 7]]])
    curves = np.array([[[0.5, 0.8], [0.4, 0.9]], [[0.8, 0.85], [0.9, 0.9]]])
    return ArmsResult(
        ("unfiltered", "swta"), ("mnist", "usps"), (0, 1), hits, np.array([10, 10]),
        np.array([5, 10]), curves,
    )  # fmt: skip


def test_stages_one_row_per_image(cluttered):
    images = cluttered.images[:2]
    figure = plot_stages(images, trace_filter(SoftWTA(), images), ["a", "b"])
    pictures = [ax for ax in figure.axes if ax.images]
    assert len(pictures) == 2 * len(STAGES)
    assert [ax.get_title() for ax in pictures[: len(STAGES)]] == list(STAGES)
    np.testing.assert_array_equal(pictures[0].images[0].get_array(), images[0])


def test_hue_is_the_most_active_column():
    columns = np.zeros((6, 2, 2))
    columns[2, 0, 0] = 1.0  # a third of the circle: green
    rgb = colour_orientations(columns)
    assert rgb[0, 0].argmax() == 1
    assert rgb[1, 1].max() == 0.0
    assert len(plot_orientation_key(6).lines) == 6


def test_unseen_shows_every_training(result):
    ax = plot_unseen(result)
    dots = np.concatenate([line.get_ydata() for line in ax.lines if line.get_marker() == "o"])
    assert sorted(dots) == sorted(100.0 * result.accuracy.ravel())
    assert [t.get_text() for t in ax.get_xticklabels()] == ["MNIST\n(source)", "USPS"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["no filter", "sWTA"]


def test_learning_marks_when_the_baseline_is_reached(result):
    ax = plot_learning(result, "unfiltered")
    marks = [line for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(marks[0].get_xdata(), [10, 10])
    np.testing.assert_allclose(marks[1].get_xdata(), [5, 5])
    np.testing.assert_allclose(marks[1].get_ydata(), [80, 90])
    assert "steps" in ax.get_xlabel() and "%" in ax.get_ylabel()


def test_gains_have_a_row_per_test_set():
    rows = {"USPS": Interval(2.0, 1.0, 3.0, 3), "SVHN": Interval(-1.0, -4.0, 2.0, 3)}
    ax = plot_gains({"over a": rows, "over b": rows}, ["C0", "C1"])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["USPS", "SVHN"]
    assert len(ax.containers) == 2
    np.testing.assert_allclose(ax.containers[0].lines[0].get_xdata(), [2.0, -1.0])
