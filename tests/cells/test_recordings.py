"""Single cells and sweeps: made tables with known answers, and the real ones where they are."""

import numpy as np
import pandas as pd
import pytest

from swta.cells import (
    CLASSES,
    Recordings,
    compare_fi,
    describe_fi_distance,
    load_fi_curves,
    load_recordings,
    measure_fi_distance,
)
from swta.cells import recordings as module
from swta.cells.class_cells import COLUMNS, ClassCells
from swta.validation import ParameterError


@pytest.fixture
def tables(monkeypatch):
    """Three cells, one of them with a hero sweep, and the current steps of two others."""
    cells = pd.DataFrame(
        [
            {"specimen_id": 1, "class": "Pyr", "v_rest_mV": -71.0, "tau_ms": 10.0},
            {"specimen_id": 2, "class": "Pvalb", "v_rest_mV": -72.0},
            {
                "specimen_id": 8,
                "class": "Vip",
                "rheobase_pA": 60.0,
                "fi_slope_hz_per_pA": 0.2,
                "hero_current_pA": 100.0,
                "rate_at_hero_hz": 4.0,
            },
        ],
        columns=list(COLUMNS),
    )
    steps = [
        {"specimen_id": s, "class": c, "layer": layer, "current_pA": i, "n_spikes": n}
        for s, c, layer, i, n in [
            (9, "Pyr", "2/3", -50.0, 0.0),
            (9, "Pyr", "2/3", 80.0, 0.0),
            (9, "Pyr", "2/3", 100.0, 1.0),
            (9, "Pyr", "2/3", 100.0, 3.0),
            (9, "Pyr", "2/3", 120.0, 6.0),
            (10, "Sst", "4", 100.0, 0.0),
        ]
    ]
    none = pd.DataFrame()
    monkeypatch.setattr(module, "load_class_cells", lambda data_set: ClassCells(cells, none))
    monkeypatch.setattr(module, "load_table", lambda name, **_: pd.DataFrame(steps))


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
    assert len(table) == 5


def test_without_tables_recordings_are_empty_and_say_so():
    found = load_recordings("patchseq")
    assert not found.complete
    assert len(found.curves) == 0
    assert "bundled" in found.note
    assert found.tabulate_cells().empty


def test_unknown_data_set_is_refused():
    with pytest.raises(ParameterError, match="data_set"):
        load_recordings("allen")


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
