"""Virtual against measured distributions: known shifts, the published classes, and the figures."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from swta.cells import (
    CLASS_FEATURES,
    CLASSES,
    DEFAULTS,
    ClassCells,
    compare_data_sets,
    compare_distributions,
    load_class,
    load_class_cells,
    measure_classes,
    measure_classes_virtually,
    plot_check,
    plot_correlations,
    plot_distributions,
    plot_parameters,
)
from swta.cells.class_cells import HERO_RATE
from swta.cells.class_plots import plot_distribution
from swta.data.physiology import load_bundled_class_statistics
from swta.validation import ParameterError

FEATURES = list(CLASS_FEATURES)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def virtual():
    """Thirty cells of each published class."""
    classes = {name: load_class(name) for name in CLASSES}
    return measure_classes_virtually(classes, n=30, seed=1, dt_ms=0.2)


def made(n=400, seed=0):
    """Independent normal features of mean 10 and standard deviation 1, but for two that agree."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(10, 1, (n * 5, len(FEATURES))), columns=FEATURES)
    table["tau_ms"] = 0.5 * table["tau_ms"] + 0.5 * table["v_rest_mV"]
    table.insert(0, "class", np.repeat(CLASSES, n))
    return table.assign(data_set=table["class"].map(DEFAULTS))


def test_the_same_cells_have_no_error_and_a_shift_has_its_size():
    cells = made()
    measured = ClassCells(cells, pd.DataFrame())
    same = compare_distributions(cells, measured)
    assert (same.class_median_error, same.class_worst_error, same.class_spread_ok) == (0, 0, 1)
    assert same.correlation_error == 0
    assert "2000 single cells" in same.note
    assert same.list_off().empty
    changed = cells.copy()
    sst = changed["class"] == "Sst"
    own = cells.loc[sst, "rheobase_pA"]
    width = own.quantile(0.75) - own.quantile(0.25)
    changed.loc[sst, "rheobase_pA"] = own.median() + 2 * (own - own.median()) + 0.6 * width
    check = compare_distributions(changed, measured)
    assert check.class_worst_error == pytest.approx(0.6)
    assert check.class_median_error == 0
    assert check.class_spread_ok == pytest.approx(44 / 45)
    (row,) = check.list_off().to_dict("records")
    assert (row["class"], row["feature"]) == ("Sst", "rheobase_pA")
    assert row["spread"] == pytest.approx(2.0)


def test_correlations_are_of_ranks_and_per_class():
    cells = made()
    check = compare_distributions(cells, ClassCells(cells, pd.DataFrame()))
    pair = check.correlations[
        (check.correlations["feature"] == "tau_ms") & (check.correlations["other"] == "v_rest_mV")
    ]
    assert len(pair) == 5
    assert (pair["measured"] - np.sqrt(0.5)).abs().max() < 0.12
    assert len(check.correlations) == 5 * 36


def test_without_cells_bundled_quartiles_are_compared_and_the_note_says_what_is_missing(virtual):
    measured = measure_classes("by_class", load_bundled_class_statistics())
    check = compare_distributions(virtual.features, measured)
    assert len(check.table) == 45
    assert check.correlations.empty and np.isnan(check.correlation_error)
    assert "single cells are not at hand" in check.note
    row = check.table.set_index(["class", "feature"]).loc[("Vip", "rate_at_hero_hz")]
    assert row["median"] == measured["Vip"][HERO_RATE["patchseq"]].median
    assert check.class_median_error < 0.25
    assert check.class_worst_error < 1.0, "thirty cells a class, so only the bounds"


def test_virtual_cells_are_new_with_every_seed_and_few_are_refused(virtual):
    assert len(virtual.features) == 150
    assert set(virtual.rejected) == set(CLASSES)
    assert all(0 <= share < 0.3 for share in virtual.rejected.values())
    classes = {"Pyr": load_class("Pyr")}
    other = measure_classes_virtually(classes, n=30, seed=2, dt_ms=0.2).features
    own = virtual.features[virtual.features["class"] == "Pyr"]
    assert not np.allclose(other["v_rest_mV"], own["v_rest_mV"])
    with pytest.raises(ParameterError, match="n = 5"):
        measure_classes_virtually(classes, n=5)
    with pytest.raises(ParameterError, match=r"class Pyr: v_rest_mV is defined in 3 virtual cells"):
        compare_distributions(own.iloc[:3], ClassCells(made(), pd.DataFrame()))


def test_the_other_data_set_halves_the_resistance_of_pyramidal_cells():
    table = compare_data_sets()
    assert len(table) == 5 * (9 + 11)
    row = table[(table["class"] == "Pyr") & (table["quantity"] == "input_resistance_MOhm")].iloc[0]
    assert (round(row["cell_types"]), round(row["patchseq"])) == (161, 74)
    assert row["ratio"] == pytest.approx(0.46, abs=0.01)
    assert row["shift"] < -0.8
    assert dict(zip(table["class"], table["default"], strict=True)) == DEFAULTS
    again = compare_data_sets(load_bundled_class_statistics())
    features = table["kind"] == "feature"
    assert np.allclose(again.loc[features, "cell_types"], table.loc[features, "cell_types"])


def test_figures_show_every_class_and_feature(virtual):
    measured = ClassCells(made(), pd.DataFrame())
    check = compare_distributions(virtual.features, measured)
    fig = plot_distributions(check, virtual.features, measured)
    assert [ax.get_title(loc="left") for ax in fig.axes] == list("abcdefghi")
    assert [len(ax.patches) for ax in fig.axes] == [10] * 9, "two boxes a class"
    fig = plot_check(check)
    drawn = [line for line in fig.axes[0].lines if line.get_marker() not in ("None", "")]
    assert sum(len(line.get_xdata()) for line in drawn) == 45
    fig = plot_correlations(check)
    image = fig.axes[0].images[0].get_array()
    i, j = FEATURES.index("tau_ms"), FEATURES.index("v_rest_mV")
    row = check.correlations.query("`class` == 'Pyr' and feature == 'tau_ms'").iloc[0]
    assert (image[i, j], image[j, i]) == (row["measured"], row["virtual"])
    fig = plot_parameters({name: load_class(name) for name in CLASSES}, n=50)
    assert len(fig.axes) == 10


def test_without_cells_the_measured_half_is_its_quartiles(virtual):
    measured = measure_classes("by_class", load_bundled_class_statistics())
    check = compare_distributions(virtual.features, measured)
    ax = plot_distribution(check, "tau_ms", virtual.features, None)
    assert len(ax.patches) == 10
    assert len(ax.collections) == 5 + 10, "five virtual halves and ten medians"


@pytest.mark.realdata
def test_virtual_cells_reproduce_the_recorded_distributions():
    recorded = load_class_cells()
    classes = {name: load_class(name) for name in CLASSES}
    found = measure_classes_virtually(classes, n=200, seed=11)
    check = compare_distributions(found.features, recorded)
    assert check.class_median_error <= 0.25
    assert check.class_worst_error <= 1.0
    assert check.class_spread_ok >= 0.8
    assert check.correlation_error < 0.2
