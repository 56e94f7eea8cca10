"""Single cells and sweeps: made tables with known answers, and the real ones where they are."""

import numpy as np
import pandas as pd
import pytest

from swta.cells import (
    CLASSES,
    FEATURES,
    Recordings,
    compare_fi,
    describe_fi_distance,
    load_cells,
    load_fi_curves,
    load_recordings,
    measure_classes,
    measure_fi_distance,
    summarise_cells,
    tabulate,
)
from swta.cells import recordings as module
from swta.validation import ParameterError


def cell_types_row(specimen, name, **changes):
    row = {
        "specimen_id": specimen,
        "class": name,
        "area": "VISp",
        "layer": "2/3",
        "vrest": -70.0 - specimen,
        "ri": 100.0,
        "tau": 10.0,
        "threshold_i_long_square": 100.0,
        "f_i_curve_slope": 0.3,
        "adaptation": 0.02,
    }
    return row | changes


@pytest.fixture
def tables(monkeypatch):
    """Small tables in place of the measured ones; what was asked for is kept in ``asked``."""
    made = {
        "cells/allen_cell_types_mouse": [
            cell_types_row(1, "Pyr"),
            cell_types_row(2, "Pyr", ri=2000.0, tau=0.5, f_i_curve_slope=0.0),
            cell_types_row(3, "Pyr", layer="5"),
            cell_types_row(4, None),
            cell_types_row(5, "Pvalb", area="VISl"),
            cell_types_row(6, "Pvalb"),
        ],
        "cells/berg2021_patchseq_mouse_l23_pyramidal": [
            {
                "specimen_id": 7,
                "class": "Pyr",
                "v_baseline": -78.0,
                "input_resistance": 74.0,
                "tau": 0.0105,
                "rheobase_i": 190.0,
                "fi_fit_slope": 0.14,
                "adapt_mean": 0.04,
            }
        ],
        "cells/gouwens2020_patchseq_mouse_vis": [
            {
                "specimen_id": 8,
                "class": "Vip",
                "structure_acronym": "VISp2/3",
                "vrest_mV": -68.0,
                "ipfx_input_resistance": 236.0,
                "tau": 12.7,
                "threshold_i_long_square_pA": 60.0,
                "f_i_curve_slope": 0.2,
                "adaptation": 0.08,
                "ipfx_hero_stim_amp": 100.0,
                "ipfx_hero_avg_rate": 4.0,
            }
        ],
        "fi/allen_long_square_sweeps": [
            {"specimen_id": s, "class": c, "layer": layer, "current_pA": i, "n_spikes": n}
            for s, c, layer, i, n in [
                (9, "Pyr", "2/3", -50.0, 0.0),
                (9, "Pyr", "2/3", 80.0, 0.0),
                (9, "Pyr", "2/3", 100.0, 1.0),
                (9, "Pyr", "2/3", 100.0, 3.0),
                (9, "Pyr", "2/3", 120.0, 6.0),
                (10, "Sst", "4", 100.0, 0.0),
            ]
        ],
    }

    def load(name, *, impossible="raise"):
        assert impossible == "exclude"
        return pd.DataFrame(made[name])

    monkeypatch.setattr(module, "load_table", load)
    return made


def test_cells_of_layer_23_of_v1_are_taken_and_wild_values_left_out(tables):
    cells = load_cells("cell_types")
    assert cells["specimen_id"].tolist() == [1, 2, 6]
    wild = cells[cells["specimen_id"] == 2].iloc[0]
    assert wild[["input_resistance_MOhm", "tau_ms", "fi_slope_hz_per_pA"]].isna().all()
    assert wild["v_rest_mV"] == -72.0
    summary = summarise_cells(cells).set_index(["class", "feature"])
    assert summary.loc[("Pyr", "v_rest_mV"), "n"] == 2
    assert summary.loc[("Pyr", "v_rest_mV"), "median"] == -71.5
    assert summary.loc[("Pyr", "tau_ms"), "n"] == 1


def test_patchseq_joins_two_tables_in_one_unit(tables):
    cells = load_cells("patchseq").set_index("class")
    assert cells.loc["Pyr", "tau_ms"] == pytest.approx(10.5)
    assert cells.loc["Vip", "tau_ms"] == pytest.approx(12.7)
    assert cells.loc["Vip", "hero_rate_hz"] == 4.0


def test_curves_start_at_each_cells_rheobase_and_lines_pass_the_hero_point(tables):
    curves = load_fi_curves()
    steps = curves[curves["kind"] == "steps"]
    assert steps["class"].unique().tolist() == ["Pyr"], "a cell that never spiked is left out"
    assert steps["above_rheobase_pA"].tolist() == [-20.0, 0.0, 20.0]
    assert steps["rate_hz"].tolist() == [0.0, 2.0, 6.0], "repeats are averaged"
    line = curves[curves["kind"] == "line"].set_index("above_rheobase_pA")["rate_hz"]
    assert line[40.0] == pytest.approx(4.0)
    assert line[140.0] - line[100.0] == pytest.approx(0.2 * 40)
    assert line[0.0] == 0.0, "never below zero"


def test_recordings_say_what_they_hold(tables):
    found = load_recordings("cell_types")
    assert found.complete
    assert found.note == (
        "3 single cells, 1 cells with current steps, 1 Patch-seq cells with a line"
    )
    table = found.tabulate_cells()
    assert list(table) == ["class", "feature", "value"]
    assert len(table) == 3 * len(FEATURES) - 3


def test_without_tables_recordings_are_empty_and_say_so():
    found = load_recordings("patchseq")
    assert not found.complete
    assert len(found.curves) == 0
    assert "bundled" in found.note
    assert found.tabulate_cells().empty


def test_unknown_data_set_is_refused():
    with pytest.raises(ParameterError, match="data_set"):
        load_recordings("allen")


def test_each_class_comes_from_its_own_data_set(tables):
    def specimens(data_set, names):
        cells = load_cells(data_set)
        own = cells[cells["class"].isin(names)]
        return set(zip(own["class"], own["specimen_id"], strict=True))

    expected = specimens("cell_types", ("Pyr", "Pvalb", "Sst"))
    expected |= specimens("patchseq", ("Vip", "Lamp5"))
    assert specimens("by_class", CLASSES) == expected
    assert {name for name, _ in expected} >= {"Pyr", "Pvalb", "Vip"}


def curve(specimen, name, currents, rates, kind="steps"):
    return pd.DataFrame(
        {
            "class": name,
            "kind": kind,
            "specimen_id": specimen,
            "layer": "2/3",
            "above_rheobase_pA": currents,
            "rate_hz": rates,
        }
    )


def test_fi_comparison_interpolates_inside_what_was_measured():
    curves = pd.concat(
        [
            curve(1, "Pyr", [0.0, 40.0], [0.0, 8.0]),
            curve(2, "Pyr", [0.0, 20.0], [2.0, 6.0]),
            curve(3, "Lamp5", [0.0, 20.0], [0.0, 2.0]),
            curve(4, "Lamp5", [0.0, 20.0], [9.0, 9.0], kind="line"),
        ]
    )
    above = np.array([-20.0, 0.0, 20.0, 40.0])
    rates = np.tile([0.0, 1.0, 6.0, 8.0], (5, 1))
    compared = compare_fi(curves, above, rates)
    pyr = compared[compared["class"] == "Pyr"]
    assert pyr["n"].tolist() == [0, 2, 2, 1]
    assert pyr["median"].tolist()[1:] == [1.0, 5.0, 8.0]
    assert compared[compared["class"] == "Vip"]["kind"].unique().tolist() == ["none"]
    distance = measure_fi_distance(compared)
    assert set(distance) == {"Pyr", "Lamp5"}
    assert distance["Pyr"] == pytest.approx(np.sqrt(1 / 3))
    assert distance["Lamp5"] == pytest.approx(np.sqrt((1 + 16) / 2)), "steps before lines"
    assert describe_fi_distance(compared) == "Pyr 0.6 Hz (n = 2), LAMP5 2.9 Hz (n = 1)"


def test_fi_comparison_without_curves_keeps_the_model():
    compared = compare_fi(Recordings().curves, np.array([0.0, 20.0]), np.ones((5, 2)))
    assert compared["class"].unique().tolist() == list(CLASSES)
    assert (compared["n"] == 0).all()
    assert (compared["model"] == 1).all()
    assert "not known" in describe_fi_distance(compared)


@pytest.mark.realdata
@pytest.mark.parametrize("data_set", ["cell_types", "patchseq"])
def test_statistics_of_the_measured_cells_are_those_of_the_table(data_set):
    cells = load_cells(data_set)
    measured = tabulate(measure_classes(data_set)).set_index(["class", "feature"])
    own = summarise_cells(cells).set_index(["class", "feature"]).loc[measured.index]
    difference = (own - measured).abs() / measured["median"].abs().to_numpy()[:, None]
    tolerance = 1e-3 if data_set == "cell_types" else 0.06
    assert difference[["median", "q25", "q75"]].to_numpy().max() < tolerance
    assert own["n"].sub(measured["n"]).abs().max() <= (0 if data_set == "cell_types" else 10)


@pytest.mark.realdata
def test_slope_of_the_sweeps_is_the_tabulated_one():
    """The package's slope, from spike counts, equals the database's for cells in both tables."""
    from swta.cells import fi_slope
    from swta.data.physiology import load_table

    table = load_table("cells/allen_cell_types_mouse", impossible="exclude")
    sweeps = load_table("fi/allen_long_square_sweeps")
    published = table.set_index("specimen_id")["f_i_curve_slope"]
    ratios = [
        fi_slope(one["current_pA"], one["n_spikes"]) / published[specimen]
        for specimen, one in sweeps.groupby("specimen_id")
        if specimen in published.index
        and published[specimen] > 0
        and (one["n_spikes"] > 0).sum() > 2
    ]
    assert len(ratios) > 70
    assert np.median(ratios) == pytest.approx(1.0, abs=1e-3)
