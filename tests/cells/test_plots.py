"""Figures show what they were given, and nothing else changes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from swta.cells import (
    CLASSES,
    COLOURS,
    FEATURES,
    Recordings,
    load_class,
    plot_class_features,
    plot_feature,
    plot_fi,
    plot_fi_classes,
    plot_traces,
    simulate_steps,
)

ABOVE = np.array([-20.0, 0.0, 20.0, 40.0])
RATES = np.tile([0.0, 2.0, 8.0, 14.0], (5, 1))


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture
def recorded(statistics):
    """Three cells per class, one far off; two curves for Pyr and one line for Vip."""
    rows = [
        {"specimen_id": k, "class": name}
        | {feature: m[feature].median + k * m[feature].iqr for feature in FEATURES}
        for name, m in statistics.items()
        for k in (0, 1, 50, -50)
    ]
    curves = pd.DataFrame(
        {
            "class": ["Pyr"] * 4 + ["Vip"] * 2,
            "kind": ["steps"] * 4 + ["line"] * 2,
            "specimen_id": [1, 1, 2, 2, 3, 3],
            "layer": ["2/3", "2/3", "5", "5", "2/3", "2/3"],
            "above_rheobase_pA": [0.0, 20.0] * 3,
            "rate_hz": [1.0, 7.0, 2.0, 9.0, 0.0, 4.0],
        }
    )
    return Recordings(pd.DataFrame(rows), curves)


def test_feature_panel_draws_medians_boxes_and_cells_beyond_the_axis(statistics, recorded):
    ax = plot_feature(statistics, "tau_ms", recorded.cells)
    markers = [line.get_marker() for line in ax.lines]
    assert markers.count("^") == 5 and markers.count("v") == 5
    assert len(ax.patches) == 5
    medians = [c.get_segments()[0][0][1] for c in ax.collections]
    assert medians == [s["tau_ms"].median for s in statistics.values()]
    assert ax.get_ylabel() == "Membrane time constant\n(ms)"
    low, high = ax.get_ylim()
    assert all(low <= s["tau_ms"].q25 and s["tau_ms"].q75 <= high for s in statistics.values())


def test_without_cells_boxes_are_filled(statistics):
    ax = plot_feature(statistics, "rheobase_pA", Recordings().cells)
    assert {to_hex(p.get_facecolor()).upper() for p in ax.patches} >= set(COLOURS.values())


def test_six_lettered_panels(statistics, recorded):
    fig = plot_class_features(statistics, recorded.cells)
    assert [ax.get_title(loc="left") for ax in fig.axes] == list("abcdef")


def test_fi_panel_colours_layer_23_and_greys_other_layers(statistics, recorded):
    ax = plot_fi("Pyr", ABOVE, RATES[0], statistics["Pyr"], recorded.curves)
    own, grey, model = ax.lines
    assert (own.get_color(), model.get_color()) == (COLOURS["Pyr"], "k")
    assert grey.get_ydata().tolist() == [2.0, 9.0]
    assert model.get_ydata().tolist() == RATES[0].tolist()


def test_fi_panel_without_curves_draws_the_slope_wedge(statistics):
    ax = plot_fi("Sst", ABOVE, RATES[0], statistics["Sst"], Recordings().curves)
    wedge, model = ax.lines
    assert wedge.get_ydata()[-1] == pytest.approx(
        40.0 * statistics["Sst"]["fi_slope_hz_per_pA"].median
    )
    assert len(ax.collections) == 1
    assert model.get_ydata().max() == 14.0


def test_fi_figure_has_a_panel_per_class(statistics, recorded):
    fig = plot_fi_classes(ABOVE, RATES, statistics, recorded.curves)
    assert [ax.get_title() for ax in fig.axes[:5]] == ["Pyr", "PV", "SST", "VIP", "LAMP5"]
    keys = [text.get_text() for text in fig.axes[5].get_legend().get_texts()]
    assert keys == ["model", "measured, layer 2/3", "measured, elsewhere"]
    bare = plot_fi_classes(ABOVE, RATES, statistics, Recordings().curves)
    assert bare.axes[5].get_legend().get_texts()[1].get_text() == "measured slope, quartiles"
    assert fig.axes[0].get_ylabel() == "Rate (Hz)"


def test_traces_reach_the_peak_at_each_spike():
    models = [load_class(name).parameters for name in CLASSES]
    currents = [[-70.0, 450.0]] * 5
    pairs = [(cell, step) for cell in range(5) for step in range(2)]
    result = simulate_steps(
        models, currents, duration_ms=60.0, tail_ms=10.0, dt_ms=0.1, record=pairs
    )
    before = result.traces.copy()
    fig = plot_traces(result, np.array([m.V_peak for m in models]))
    for ax, model in zip(fig.axes[:5], models, strict=True):
        assert ax.lines[1].get_ydata().max() == pytest.approx(model.V_peak)
        assert ax.get_legend().get_texts()[0].get_text() == "−70 pA"
    assert np.array_equal(before, result.traces), "drawing changes no result"
