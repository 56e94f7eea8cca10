"""Scores of predictions whose quality is known, and of the published fits on the recordings."""

import numpy as np
import pandas as pd
import pytest
from test_cell_fit import ADAPTING, NO_GLIF3, record
from test_sweeps import cells_of, steps_of

from swta.cells.cell_fit import CellFit, CellFits
from swta.cells.fit_library import load_cell_fits
from swta.cells.heldout import (
    PREDICTORS,
    explained_variance,
    measure_heldout,
    measure_repeatability,
)
from swta.cells.sweeps import load_sweep_table, make_sweep_table
from swta.validation import ParameterError

EMPTY = pd.DataFrame(columns=["specimen_id", "class", "layer", "reason"])


def fit_of(specimen, cell, name="Pyr"):
    return CellFit(specimen, name, cell, 0.0, True, 1, 0.0, 0.0)


@pytest.fixture(scope="module")
def known():
    """Two copies of one model cell as recordings; a third whose counts are a straight line."""
    parts = [record(1, ADAPTING, "Sst"), record(2, ADAPTING, "Pyr")]
    currents = 20.0 * np.arange(10) + 10.0
    line = np.maximum(0.2 * (currents - 70.0), 0.0).round().astype(int)
    parts.append((steps_of(3, currents, line), cells_of(3, f_i_curve_slope=0.2)))
    steps, cells = (pd.concat(part, ignore_index=True) for part in zip(*parts, strict=True))
    return make_sweep_table(steps, cells)


def test_explained_variance_is_one_for_the_truth_zero_for_the_mean_and_falls_below():
    measured = np.array([0.0, 2.0, 4.0, 10.0])
    assert explained_variance(measured, measured) == 1.0
    assert explained_variance(measured, np.full(4, 4.0)) == 0.0
    assert explained_variance(measured, measured[::-1]) == pytest.approx(1 - 208 / 56)
    assert np.isnan(explained_variance(np.ones(3), np.ones(3)))
    assert np.isnan(explained_variance(measured, np.full(4, np.nan)))
    assert np.isnan(explained_variance(np.empty(0), np.empty(0)))


def test_the_model_that_made_the_counts_explains_them_and_lines_explain_lines(known):
    glif3 = pd.DataFrame(
        {
            "specimen_id": [1, 3, 9],
            "model_rheobase_pA": [1e4, 70.0, 1.0],
            "model_fi_slope_hz_per_pA": [0.2, 0.2, 1.0],
        }
    )
    fits = CellFits(
        tuple(fit_of(k, ADAPTING, c) for k, c in ((1, "Sst"), (2, "Pyr"), (3, "Pyr"))), EMPTY
    )
    held = measure_heldout(known, fits, glif3=glif3)
    assert held.cells["specimen_id"].tolist() == [2, 3, 1], "classes in the order of the book"
    scores = held.cells.set_index("specimen_id")
    assert scores.loc[[1, 2], "ev_model"].tolist() == [1.0, 1.0]
    assert scores.loc[[1, 2], "ev_model_spiking"].tolist() == [1.0, 1.0]
    assert scores.loc[[1, 2], "ev_model_train"].tolist() == [1.0, 1.0]
    assert scores.loc[3, "ev_line"] > 0.99
    assert scores.loc[3, "ev_best_line"] > 0.99
    assert scores.loc[3, "ev_glif3"] == pytest.approx(scores.loc[3, "ev_line"])
    assert scores.loc[1, "ev_glif3"] < 0, "a rheobase beyond all levels predicts silence"
    assert np.isnan(scores.loc[2, "ev_glif3"])
    assert scores["n_test"].tolist() == [5, 5, 5]
    compared = held.compare("glif3")
    assert compared["n"] == 2
    assert compared["fraction_better"] == 0.5
    assert held.compare("line")["n"] == 3
    summary = held.summarise().set_index(["class", "predictor"])
    assert summary.loc[("all", "model"), "n"] == 3
    assert summary.loc[("Sst", "model"), "median"] == 1.0
    assert ("Pyr", "glif3") in summary.index


def test_curves_pass_through_the_levels(known):
    fits = CellFits((fit_of(1, ADAPTING, "Sst"),), EMPTY)
    held = measure_heldout(known, fits, glif3=NO_GLIF3)
    both = held.levels.merge(held.curves, on="current_pA")
    assert len(both) >= 8
    assert (both["model_x"] == both["model_y"]).all()
    assert set(PREDICTORS) <= set(held.levels)


def test_repeatability_compares_the_climb_with_later_sweeps():
    currents = [10.0, 30.0, 50.0, 70.0, 90.0, 110.0]
    counts = [0, 0, 4, 8, 12, 16]
    again = steps_of(1, [*currents, 70.0, 70.0, 110.0], [*counts, 6, 8, 16])
    found = measure_repeatability(make_sweep_table(again, cells_of(1)))
    assert found["n"] == 2
    assert found["explained_variance"] == pytest.approx(1 - 1 / 32)


def test_bad_input_is_named(known):
    fits = CellFits((fit_of(1, ADAPTING),), EMPTY)
    held = measure_heldout(known, fits, glif3=NO_GLIF3)
    with pytest.raises(ParameterError, match="peer = 'glif3' has no prediction for any of 1 cells"):
        held.compare("glif3")
    with pytest.raises(ParameterError, match="peer = 'model'"):
        held.compare("model")
    with pytest.raises(ParameterError, match="cell 99, which is not in the table"):
        measure_heldout(known, CellFits((fit_of(99, ADAPTING),), EMPTY), glif3=NO_GLIF3)


@pytest.mark.realdata
def test_published_fits_predict_held_out_levels_better_than_lines():
    table = load_sweep_table()
    held = measure_heldout(table, load_cell_fits())
    medians = held.summarise().set_index(["class", "predictor"])["median"]
    assert len(held.cells) >= 90
    assert medians["all", "model"] >= 0.95
    for name in ("Pyr", "Pvalb", "Sst"):
        assert medians[name, "model"] >= 0.9
    for peer, cells in (("line", 90), ("best_line", 90), ("glif3", 30)):
        compared = held.compare(peer)
        assert compared["n"] >= cells
        assert compared["difference"] > 0
    repeats = measure_repeatability(table)
    assert repeats["n"] == 111
    assert repeats["explained_variance"] == pytest.approx(0.454, abs=0.001)
