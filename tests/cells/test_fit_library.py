"""The published fits, and what is written and read again."""

from dataclasses import replace

import pandas as pd
import pytest
from test_cell_fit import ADAPTING, FAST
from test_heldout import EMPTY, fit_of

from swta.cells.cell_fit import CellFits
from swta.cells.fit_library import (
    load_cell_fits,
    measure_fit_drift,
    read_cell_fits,
    write_cell_fits,
)
from swta.validation import ParameterError


@pytest.fixture
def fits():
    listed = pd.DataFrame(
        [{"specimen_id": 9, "class": "Sst", "layer": "4", "reason": "never spikes"}]
    )
    silent = replace(fit_of(2, FAST, "Pvalb"), threshold_miss_mV=float("nan"))
    return CellFits((fit_of(1, ADAPTING), silent), listed)


def test_fits_survive_writing_and_reading(fits, tmp_path):
    path = tmp_path / "fits.json"
    write_cell_fits(fits, path)
    again = read_cell_fits(path.read_text())
    assert again.fits[0] == fits.fits[0]
    assert again.parameters.tolist() == fits.parameters.tolist()
    assert again.fits[1].threshold_miss_mV != again.fits[1].threshold_miss_mV, "NaN stays NaN"
    assert again.excluded.equals(fits.excluded)
    assert [entry.name for entry in tmp_path.iterdir()] == ["fits.json"]


def test_drift_compares_the_cells_that_both_have(fits):
    assert measure_fit_drift(fits, fits) == {
        "n": 2.0,
        "cost_median": 0.0,
        "cost_max": 0.0,
        "fraction_same": 1.0,
    }
    moved = replace(fits.fits[0], cost=0.5, parameters=replace(ADAPTING, b=41.0))
    drift = measure_fit_drift(CellFits((moved,), EMPTY), fits)
    assert drift["n"] == 1
    assert drift["cost_max"] == 0.5
    assert drift["fraction_same"] == 0.0
    with pytest.raises(ParameterError, match="no cell in common"):
        measure_fit_drift(CellFits((fit_of(5, FAST),), EMPTY), fits)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"C": 100.0', '"C": -1', "cell 1: C = -1 is out of range"),
        ('"C": 100.0, ', "", "cell 1: 'C'"),
        ('"cells"', '"kells"', "holds no fits"),
        ("{", "", "holds no fits"),
    ],
)
def test_a_damaged_file_is_named(fits, tmp_path, old, new, message):
    path = tmp_path / "fits.json"
    write_cell_fits(fits, path)
    text = path.read_text()
    assert old in text
    with pytest.raises(ParameterError, match=message):
        read_cell_fits(text.replace(old, new, 1))


def test_published_fits_cover_the_recorded_cells_and_list_the_others():
    published = load_cell_fits()
    assert len(published.fits) + len(published.excluded) == 95
    assert len(published.fits) >= 90
    assert {"Pyr", "Pvalb", "Sst", "Lamp5"} <= {fit.cell_class for fit in published.fits}
    assert published.excluded["reason"].str.len().min() > 10
