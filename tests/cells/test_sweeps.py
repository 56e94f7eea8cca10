"""The table of current steps: what is a series, what is held out, what is refused or left out."""

import numpy as np
import pandas as pd
import pytest

from swta.cells import sweeps as module
from swta.cells.sweeps import load_sweep_table, make_sweep_table
from swta.validation import ParameterError

CURRENTS = [-50.0, 10.0, 30.0, 50.0, 70.0, 90.0, 110.0, 130.0]
COUNTS = [0, 0, 0, 0, 2, 5, 8, 11]


def steps_of(specimen, currents=CURRENTS, counts=COUNTS, name="Pyr"):
    return pd.DataFrame(
        {
            "specimen_id": specimen,
            "class": name,
            "layer": "2/3",
            "line_name": "Line-Cre",
            "source": "osb_bulk",
            "sweep_number": 30 + np.arange(len(currents)),
            "current_pA": currents,
            "n_spikes": counts,
            "first_spike_time_ms": [300.0 if n else np.nan for n in counts],
            "mean_rate_hz": [float(n) if n > 1 else np.nan for n in counts],
            "isi_covar": [0.1 if n > 1 else np.nan for n in counts],
            "v_steady_mV": [-70.0 + 0.1 * current for current in currents],
        }
    )


def cells_of(*specimens, **changes):
    return pd.DataFrame(
        {
            "specimen_id": specimens,
            "vrest": -70.0,
            "ri": 150.0,
            "tau": 15.0,
            "threshold_v_long_square": -40.0,
            "fast_trough_v_long_square": -52.0,
            "peak_v_long_square": 30.0,
            "threshold_i_long_square": 70.0,
            "f_i_curve_slope": 0.15,
            **changes,
        }
    )


def test_levels_alternate_from_the_strongest_down_through_the_silent_ones():
    table = make_sweep_table(steps_of(1), cells_of(1))
    side = table.steps.set_index("current_pA")["side"]
    assert side.tolist() == ["", "train", "test", "train", "test", "train", "test", "train"]
    swapped = make_sweep_table(steps_of(1), cells_of(1), fold=1).steps["side"]
    assert swapped.tolist() == ["", "test", "train", "test", "train", "test", "train", "test"]
    assert table.steps["latency_ms"].dropna().unique().tolist() == [30.0]
    assert table.cells["n_spiking"].tolist() == [4]
    assert table.note.startswith("1 cells with 8 sweeps: 4 depolarising levels fitted, 3 held out")


def test_the_split_does_not_look_at_spikes():
    other = steps_of(1, counts=[0, 0, 1, 2, 3, 9, 9, 40])
    sides = [make_sweep_table(one, cells_of(1)).steps["side"] for one in (steps_of(1), other)]
    assert sides[0].tolist() == sides[1].tolist()


def test_sweeps_that_return_to_a_level_are_repeats_on_neither_side():
    currents = [*CURRENTS, 70.0, 60.0, 130.0]
    steps = steps_of(1, currents, [*COUNTS, 0, 1, 9])
    table = make_sweep_table(steps.sample(frac=1, random_state=0), cells_of(1))
    repeats = table.steps[table.steps["role"] == "repeat"]
    assert repeats["current_pA"].tolist() == [70.0, 60.0, 130.0]
    assert (repeats["side"] == "").all()
    plain = make_sweep_table(steps_of(1), cells_of(1))
    assert table.side("train").equals(plain.side("train"))
    assert table.side("test").equals(plain.side("test"))


def test_cells_that_cannot_be_fitted_are_left_out_with_the_reason():
    steps = pd.concat(
        [
            steps_of(1),
            steps_of(2, counts=[0] * 8),
            steps_of(3, counts=[0, 0, 0, 0, 0, 5, 8, 11]),
            *(steps_of(k) for k in (4, 5, 6, 7, 8)),
        ],
        ignore_index=True,
    )
    cells = cells_of(1, 2, 3, 4, 5, 6, 7)
    cells.loc[3, "ri"] = -20.0
    cells.loc[4, "tau"] = 0.0
    cells.loc[5, "peak_v_long_square"] = -45.0
    cells.loc[6, "vrest"] = np.nan
    table = make_sweep_table(steps, cells)
    assert table.cells["specimen_id"].tolist() == [1]
    assert set(table.steps["specimen_id"]) == {1}
    reasons = table.excluded.set_index("specimen_id")["reason"]
    assert reasons[2] == "never spikes"
    assert reasons[3].startswith("3 levels with spikes")
    assert reasons[4] == "input_resistance_MOhm = -20 is impossible; allowed: 5 to 1500"
    assert reasons[5] == "tau_ms = 0 is impossible; allowed: 1 to 100"
    assert "not in the order of an action potential" in reasons[6]
    assert reasons[7] == "no v_rest_mV in the table of cells"
    assert reasons[8].startswith("not in the table of cells")
    with pytest.raises(ParameterError, match=r"none of 1 cells .* never spikes"):
        make_sweep_table(steps_of(2, counts=[0] * 8), cells_of(2))


def test_lines_that_the_reading_left_out_are_listed_with_file_and_column():
    cells = cells_of(1)
    left = {"file": "c.csv", "line": 7, "column": "tau", "value": "0", "reason": "not above 0"}
    cells.attrs["excluded"] = [left]
    table = make_sweep_table(steps_of(1), cells)
    assert table.excluded["reason"].tolist() == ["c.csv, line 7, column tau = 0: not above 0"]
    assert table.note.endswith("0 cells left out")


def test_a_quick_run_takes_the_first_cells_of_every_class():
    names = ["Pyr", "Pyr", "Sst", "Pyr"]
    steps = pd.concat([steps_of(k, name=name) for k, name in enumerate(names)], ignore_index=True)
    few = make_sweep_table(steps, cells_of(0, 1, 2, 3)).take(2)
    assert few.cells["specimen_id"].tolist() == [0, 1, 2]
    assert sorted(few.steps["specimen_id"].unique()) == [0, 1, 2]
    with pytest.raises(ParameterError, match="per_class = 0"):
        few.take(0)


def test_cells_of_no_class_are_called_other():
    table = make_sweep_table(steps_of(1, name=None), cells_of(1))
    assert table.cells["class"].tolist() == ["other"]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("current_pA", "ten", r"row 3, specimen_id 1, column current_pA: ten: it is not a num"),
        ("current_pA", np.nan, "column current_pA"),
        ("n_spikes", -1, "column n_spikes: -1.*out of range"),
        ("n_spikes", 1.5, "column n_spikes: 1.5"),
        ("first_spike_time_ms", 100.0, "column first_spike_time_ms: 100"),
        ("mean_rate_hz", 0.0, "column mean_rate_hz"),
        ("isi_covar", -0.1, "column isi_covar"),
        ("v_steady_mV", np.inf, "column v_steady_mV"),
        ("sweep_number", 30, "column sweep_number: 30: a sweep of this cell stands there twice"),
    ],
)
def test_what_no_sweep_can_have_is_named_with_row_cell_and_column(column, value, message):
    steps = steps_of(1).astype({column: object})
    steps.loc[3, column] = value
    with pytest.raises(ParameterError, match=message):
        make_sweep_table(steps, cells_of(1))


def test_missing_columns_text_and_double_cells_are_named():
    with pytest.raises(ParameterError, match="table steps lacks column n_spikes"):
        make_sweep_table(steps_of(1).drop(columns="n_spikes"), cells_of(1))
    with pytest.raises(ParameterError, match="table cells lacks column tau"):
        make_sweep_table(steps_of(1), cells_of(1).drop(columns="tau"))
    with pytest.raises(ParameterError, match=r"table cells, row 0, .* column ri: high"):
        make_sweep_table(steps_of(1), cells_of(1, ri="high"))
    with pytest.raises(ParameterError, match="column specimen_id: 1: a cell stands there twice"):
        make_sweep_table(steps_of(1), cells_of(1, 1))
    with pytest.raises(ParameterError, match="fold = 2"):
        make_sweep_table(steps_of(1), cells_of(1), fold=2)


def test_loading_reads_both_tables(monkeypatch):
    made = {
        "fi/allen_long_square_sweeps": steps_of(1),
        "cells/allen_cell_types_mouse": cells_of(1),
    }
    monkeypatch.setattr(module, "load_table", lambda name, impossible: made[name])
    assert load_sweep_table(fold=1).fold == 1


@pytest.mark.realdata
def test_all_recorded_cells_are_fitted_or_listed():
    table = load_sweep_table()
    assert len(table.cells) + len(table.excluded) == 95
    assert len(table.cells) >= 90
    assert table.excluded["reason"].str.len().min() > 10
    depolarising = table.steps[table.steps["side"] != ""]
    assert not depolarising.duplicated(["specimen_id", "current_pA"]).any()
    # In the climb no cell falls silent again above its rheobase.
    first = depolarising[depolarising["n_spikes"] > 0].groupby("specimen_id")["current_pA"].min()
    above = depolarising["current_pA"] >= depolarising["specimen_id"].map(first)
    assert (depolarising.loc[above, "n_spikes"] > 0).all()
    # The climb's rheobase is the published one where the protocol did not close in on it later.
    published = table.cells.set_index("specimen_id")["published_rheobase_pA"]
    assert ((first - published) >= 0).mean() > 0.9
    assert (first - published).median() == 0
