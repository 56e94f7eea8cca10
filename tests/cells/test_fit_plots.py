"""Figures of the fits show what they were given."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from test_trace_features import OFF, ON, STEP, T, spiking_trace

from swta.cells import COLOURS
from swta.cells.fit_plots import (
    choose_examples,
    plot_cell_fi,
    plot_fi_fits,
    plot_heldout,
    plot_trace_features,
)
from swta.cells.heldout import HeldOut
from swta.cells.trace_features import measure_trace


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture
def heldout():
    """Four Pyr cells, three Sst, one Lamp5, one of no class, of falling quality."""
    names = ["Pyr"] * 4 + ["Sst"] * 3 + ["Lamp5", "other"]
    current = 20.0 * np.arange(8)
    measured = np.maximum(0.1 * (current - 60.0), 0.0)
    levels, curves, cells = [], [], []
    for k, name in enumerate(names):
        columns = {"current_pA": current, "measured": measured, "model": measured + k}
        levels.append(
            pd.DataFrame(
                {
                    "specimen_id": k,
                    "class": name,
                    "side": np.where(np.arange(8) % 2 == 0, "test", "train"),
                    **columns,
                    "line": measured,
                    "best_line": measured,
                    "glif3": np.nan,
                }
            )
        )
        fine = np.arange(0.0, 141.0, 5.0)
        curves.append(
            pd.DataFrame({"specimen_id": k, "current_pA": fine, "model": fine, "line": fine})
        )
        cells.append(
            {
                "specimen_id": k,
                "class": name,
                "n_test": 4,
                "ev_model": 1.0 - 0.2 * k**2,
                "ev_line": 0.5,
                "ev_best_line": 0.6,
                "ev_glif3": 0.1 if name == "Pyr" else np.nan,
            }
        )
    return HeldOut(
        pd.concat(levels, ignore_index=True),
        pd.concat(curves, ignore_index=True),
        pd.DataFrame(cells),
    )


def test_examples_are_best_median_and_worst_of_classes_with_three_cells(heldout):
    examples = choose_examples(heldout)
    assert examples["class"].tolist() == ["Pyr"] * 3 + ["Sst"] * 3
    assert examples["specimen_id"].tolist() == [0, 1, 3, 4, 5, 6]
    assert examples["place"].tolist() == ["best", "median", "worst"] * 2


def test_fitted_levels_are_filled_and_held_out_ones_open(heldout):
    ax = plot_cell_fi(heldout, 0)
    points = {
        to_hex(line.get_markerfacecolor()): line for line in ax.lines if line.get_marker() == "o"
    }
    filled, open_ = points[COLOURS["Pyr"].lower()], points["#ffffff"]
    assert filled.get_xdata().tolist() == [20.0, 60.0, 100.0, 140.0]
    assert open_.get_xdata().tolist() == [40.0, 80.0, 120.0]
    assert open_.get_ydata() == pytest.approx([0.0, 2.0, 6.0])
    assert "pA" in ax.get_xlabel()
    assert ax.get_ylim()[0] == 0


def test_every_class_with_examples_has_a_row_of_three(heldout):
    fig = plot_fi_fits(heldout)
    titles = [ax.get_title() for ax in fig.axes]
    assert titles[0] == "Pyr, best: 1.000"
    assert titles[5] == "SST, worst: -6.200"
    assert len(titles) == 6
    assert len(fig.legends) == 1


def test_scores_stand_at_their_unexplained_variance_and_beyond_the_axis_at_its_edge(heldout):
    ax = plot_heldout(heldout)
    assert ax.yaxis_inverted()
    pyr = ax.lines[0]
    assert pyr.get_marker() == "o"
    # 1 - explained variance of the four cells, the perfect one at the upper edge.
    assert pyr.get_ydata() == pytest.approx([3e-4, 0.2, 0.8, 1.8])
    labels = [text.get_text() for text in ax.get_xticklabels()]
    assert labels == ["Pyr\nn = 4", "SST\nn = 3", "LAMP5\nn = 1", "other\nn = 1"]
    # Four predictors in Pyr, three in the others, which have no GLIF3.
    assert len(ax.lines) == 4 + 3 * 3
    assert ax.lines[4].get_ydata()[-1] == 3.0


def test_marks_of_a_trace_stand_at_the_features(heldout):
    v = spiking_trace([50.0, 150.0])
    features = measure_trace(T, v, np.where(STEP, 1.0, 0.0), t_on_ms=ON, t_off_ms=OFF)
    fig = plot_trace_features(T - ON, v, features)
    whole, near = fig.axes
    peaks = next(line for line in whole.lines if line.get_label() == "peak")
    assert peaks.get_xdata() == pytest.approx([50.4, 150.4], abs=0.05)
    assert peaks.get_ydata() == pytest.approx([35.0, 35.0])
    bar = near.lines[-1]
    assert np.ptp(bar.get_xdata()) == pytest.approx(features.spikes["width_ms"][0])
    assert "ms" in near.get_xlabel()
