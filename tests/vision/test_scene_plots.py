"""Figures of scenes show what they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from swta.data import SceneClass
from swta.vision import (
    plot_classes,
    plot_luma,
    plot_miou,
    plot_night,
    plot_predictions,
    plot_reliability,
    plot_severity,
)
from swta.vision.scene_plots import colour_labels

CLASSES = (SceneClass(0, "Road", (128, 64, 128), False), SceneClass(1, "Sky", (0, 0, 250), False))
NIGHTS = ("dusk", "acdc", "dark_zurich", "nighttime_driving", "nightcity", "formed")


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def scores(conditions) -> pd.DataFrame:
    rows = [
        (arm, name, 20.0 + i, 18.0 + i, 23.0 + i, 3)
        for arm in ("unfiltered", "swta+colour")
        for i, name in enumerate(conditions)
    ]
    return pd.DataFrame(rows, columns=["arm", "condition", "miou", "low", "high", "n_seeds"])


def test_labels_have_the_colours_of_their_classes_and_void_is_black():
    shown = colour_labels(np.array([[0, 1, 2]]), CLASSES)
    assert shown.tolist() == [[[128, 64, 128], [0, 0, 250], [0, 0, 0]]]


@pytest.mark.parametrize("n", range(1, 7))
def test_any_number_of_night_sets_has_a_place_beside_its_arm(n):
    ax = plot_miou(scores(NIGHTS[:n]), {name: name for name in NIGHTS[:n]})
    bars = [line.get_xydata() for line in ax.lines if len(line.get_xydata()) == 2]
    places = np.array([points[:, 1] for points in bars if (points[:, 0] % 1 == 0).all()])
    first, second = places[:, 0], places[:, 1]
    assert len(set(np.round(first, 6))) == n and np.ptp(first) < 0.75
    np.testing.assert_allclose(second - first, 1.0)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["no filter", "sWTA + colour"]


def test_severities_are_in_their_order():
    severities = {f"night{s}": s for s in range(6)}
    ax = plot_severity(scores(severities), severities)
    for line in ax.lines:
        np.testing.assert_array_equal(line.get_xdata(), range(6))
        np.testing.assert_array_equal(line.get_ydata(), 20.0 + np.arange(6))


def test_bins_with_hardly_a_pixel_are_not_drawn():
    rows = [("swta", "day", c, c, n, 0.0) for c, n in ((0.15, 3), (0.55, 5000), (0.95, 9000))]
    columns = ["arm", "condition", "confidence", "accuracy", "pixels", "calibration_error"]
    figure = plot_reliability(pd.DataFrame(rows, columns=columns), {"day": "by day"})
    diagonal, curve = figure.axes[0].lines
    assert curve.get_xdata().tolist() == [0.55, 0.95] and list(diagonal.get_xdata()) == [0, 1]


def test_a_row_per_frame_and_predictions_dim_where_the_truth_is_void():
    truth = np.array([[[0, 1], [2, 1]]] * 3)
    pictures = np.full((3, 2, 2, 3), 90, np.uint8)
    columns = {"frame": pictures, "truth": truth, "arm: labels": np.zeros_like(truth)}
    figure = plot_predictions(columns, ["a", "b", "c"], CLASSES, truth="truth")
    images = [ax for ax in figure.axes if ax.images]
    assert len(images) == 9 and images[2].get_title() == "labels"
    shown = images[2].images[0].get_array()
    assert shown[0, 0].tolist() == [128, 64, 128] and shown[1, 0].tolist() == [42, 21, 42]


def test_numbers_of_the_table_of_classes_are_those_given():
    table = pd.DataFrame(
        [("swta", "day", "Sky", 71.6), ("swta", "day", "Pole", 0.2)],
        columns=["arm", "condition", "class", "iou"],
    )
    ax = plot_classes(table)
    assert [text.get_text() for text in ax.texts] == ["72", "0"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["Sky", "Pole"]


def test_every_frame_and_every_set_is_there():
    frames = {str(i): np.zeros((4, 5, 3), np.uint8) for i in range(4)}
    titles = [ax.get_title() for ax in plot_night(frames).axes if ax.images]
    assert titles == list(frames)
    ax = plot_luma({"day": np.array([100.0, 110.0]), "dusk": np.array([60.0])})
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["day", "dusk"]
