"""Parts of sentences against the numbers they are made of, and without the recordings."""

import numpy as np
import pandas as pd
import pytest

from swta import cells
from swta.cells import DistributionCheck, HeldOut


@pytest.fixture
def heldout():
    """Two PV cells and one other: the model explains 0.9, 0.8 and 0.6, the line 0.1 less."""
    own = pd.DataFrame(
        {
            "specimen_id": [1, 2, 3],
            "class": ["Pvalb", "Pvalb", "other"],
            "n_test": 5,
            "ev_model": [0.9, 0.8, 0.6],
            "ev_line": [0.8, 0.7, 0.5],
            "ev_best_line": [0.95, 0.7, 0.5],
            "ev_glif3": [np.nan, np.nan, np.nan],
        }
    )
    return HeldOut(levels=pd.DataFrame(), curves=pd.DataFrame(), cells=own)


def test_heldout_gives_medians_with_their_numbers(heldout):
    said = cells.describe_heldout(heldout)
    assert said == "all cells 0.800 (n = 3), PV 0.850 (n = 2), other 0.600 (n = 1)"


def test_peers_are_compared_on_cells_that_have_them(heldout):
    said = cells.describe_peers(heldout)
    assert "published rheobase and slope: 0.700 against 0.800 (n = 3, the model at least" in said
    assert "in 67 %" in said  # the free line is better in one cell of three
    assert "GLIF3" not in said


def test_misses_are_listed_worst_first():
    table = pd.DataFrame(
        {
            "class": ["Pyr", "Sst", "Vip"],
            "feature": ["tau_ms", "rheobase_pA", "ahp_depth_mV"],
            "error": [0.1, -0.6, 0.3],
            "spread": [1.0, 1.0, 2.0],
        }
    )
    check = DistributionCheck(table, pd.DataFrame(), "")
    assert cells.describe_misses(check) == (
        "SST rheobase (median -0.60 IQR, spread ×1.00); VIP ahp depth (median +0.30 IQR, spread "
        "×2.00)"
    )
    assert cells.describe_misses(DistributionCheck(table[:1], pd.DataFrame(), "")) == "none"


def test_reasons_are_counted_by_class():
    excluded = pd.DataFrame(
        {"class": ["Vip", "Pyr", "Vip", "Vip"], "reason": ["silent", "silent", "noisy", "silent"]}
    )
    counted = cells.count_reasons(excluded)
    assert counted.to_numpy().tolist() == [
        ["Pyr", "silent", 1],
        ["Vip", "silent", 2],
        ["Vip", "noisy", 1],
    ]


def test_drift_names_the_furthest_class():
    drift = {
        "Pyr": {"centre": 0.01, "distribution": 0.3},
        "Sst": {"centre": 0.2, "distribution": 0.0},
    }
    said = cells.describe_class_drift(drift)
    assert "0.2 of a parameter" in said and "0.3 interquartile" in said


@pytest.mark.parametrize(
    "describe",
    [
        cells.describe_heldout,
        cells.describe_peers,
        cells.describe_repeats,
        cells.describe_trace,
        cells.describe_fit_drift,
        cells.describe_class_drift,
    ],
)
def test_without_recordings_it_says_so(describe):
    assert describe(None) == cells.NOT_KNOWN
