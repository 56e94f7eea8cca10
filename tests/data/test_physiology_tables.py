"""Loading the physiology tables: what is given back, and what bad files say."""

from __future__ import annotations

import csv
import hashlib
import re

import numpy as np
import pytest

from swta.data.errors import DataCorrupt, DataUnavailable
from swta.data.locate import used
from swta.data.physiology import (
    CITATIONS,
    load_bundled_class_statistics,
    load_class_statistics,
    load_table,
    load_trace,
)
from swta.data.physiology_tables import PHYSIOLOGY, SCHEMAS, TableError
from swta.data.registry import DataSet
from swta.validation import ParameterError

BERG = "cells/berg2021_patchseq_mouse_l23_pyramidal"
HEADER = (
    *("specimen_id", "class", "t_type", "fi_fit_slope", "adapt_mean", "input_resistance", "tau"),
    *("rheobase_i", "width_long_square", "avg_rate_hero", "latency_rheo", "v_baseline"),
    "threshold_v_long_square",
)
ROW = dict(
    zip(
        HEADER,
        (
            "1",
            "Pyr",
            "L2/3 IT",
            "0.1",
            "0.02",
            "75",
            "0.01",
            "200",
            "0.001",
            "9",
            "0.2",
            "-80",
            "-37",
        ),
        strict=True,
    )
)


@pytest.fixture
def write(tmp_path):
    """Write the Berg table from rows that change some of `ROW`; give the folder of tables."""

    def put(*changes: dict, drop: str = "", name: str = BERG):
        path = tmp_path / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        header = [column for column in HEADER if column != drop]
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, header, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows({**ROW, **change} for change in changes)
        return tmp_path

    return put


def test_a_good_table_keeps_values_blanks_and_types(write):
    table = load_table(BERG, folder=write({}, {"specimen_id": "2", "class": "", "tau": ""}))
    assert table["specimen_id"].tolist() == [1, 2]
    assert table["specimen_id"].dtype == np.int64
    assert table["tau"].iloc[0] == 0.01
    assert np.isnan(table["tau"].iloc[1])
    assert table["class"].isna().tolist() == [False, True]
    assert table.attrs["excluded"] == []
    assert table.attrs["file"].endswith("pyramidal.csv")


def test_text_that_pandas_takes_for_missing_stays_text(write):
    table = load_table(BERG, folder=write({"t_type": "NA"}))
    assert table["t_type"].tolist() == ["NA"]


@pytest.mark.parametrize("column", ["input_resistance", "v_baseline", "t_type"])
def test_a_missing_column_is_named(write, column):
    with pytest.raises(TableError, match=rf"pyramidal\.csv: column '{column}' is missing"):
        load_table(BERG, folder=write({}, drop=column))


@pytest.mark.parametrize("text", ["fast", "1,5", "1_000", "12 MOhm"])
def test_text_in_a_column_of_numbers_is_located(write, text):
    folder = write({}, {"input_resistance": text})
    message = f"pyramidal.csv, line 3, column 'input_resistance': {text!r} is not a number"
    with pytest.raises(TableError, match=re.escape(message)):
        load_table(BERG, folder=folder)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("input_resistance", "-69", "must be above 0"),
        ("input_resistance", "0", "must be above 0"),
        ("tau", "0", "must be above 0"),
        ("tau", "inf", "is not finite"),
        ("adapt_mean", "nan", "is not finite"),
        ("avg_rate_hero", "-1", "must not be negative"),
        ("v_baseline", "-8000", "is no membrane potential in mV"),
        ("threshold_v_long_square", "151", "is no membrane potential in mV"),
    ],
)
def test_an_impossible_value_is_refused_or_its_row_listed(write, column, value, reason):
    folder = write({}, {"specimen_id": "2", column: value}, {"specimen_id": "3"})
    with pytest.raises(TableError, match=rf"line 3, column '{column}': {value} {reason}"):
        load_table(BERG, folder=folder)
    table = load_table(BERG, folder=folder, impossible="exclude")
    assert table["specimen_id"].tolist() == [1, 3]
    assert table.index.tolist() == [0, 1]
    (row,) = table.attrs["excluded"]
    assert row == {
        "file": "berg2021_patchseq_mouse_l23_pyramidal.csv",
        "line": 3,
        "column": column,
        "value": value,
        "reason": reason,
    }


def test_a_row_with_two_impossible_values_is_listed_once(write):
    folder = write({"tau": "0", "input_resistance": "-1"})
    table = load_table(BERG, folder=folder, impossible="exclude")
    assert table.empty
    assert len(table.attrs["excluded"]) == 1


def test_the_ends_of_the_bounds_are_possible(write):
    folder = write({"avg_rate_hero": "0", "v_baseline": "-250", "threshold_v_long_square": "150"})
    assert len(load_table(BERG, folder=folder)) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"  \n", "the file is empty"),
        (b"a,b\n", "there is a header but no row"),
        (b"a,a\n1,2\n", "column 'a' appears twice"),
        (b"a,b\n1,2\n3\n", "line 3: 1 fields where the header has 2"),
        (b"a,b\n1,2\n3,4,5\n", "line 3: 3 fields where the header has 2"),
        (b"a,b\n1,2\n3,4", "the last line has no end"),
        (b'a,b\n1,"2"x\n', "not valid CSV"),
        (b"a,b\n1,\xff\n", "not a text file in UTF-8"),
    ],
)
def test_a_broken_file_says_what_is_broken(write, content, message):
    folder = write({})
    (folder / f"{BERG}.csv").write_bytes(content)
    with pytest.raises(TableError, match=message):
        load_table(BERG, folder=folder)


def test_every_cut_of_a_table_is_noticed(write):
    """However many bytes of the last line are lost, the loader never gives back fewer digits."""
    folder = write({}, {"threshold_v_long_square": "-36.125"})
    path = folder / f"{BERG}.csv"
    whole = path.read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    for end in range(start + 1, len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(TableError):
            load_table(BERG, folder=folder)


def test_a_missing_or_unreadable_file(tmp_path):
    with pytest.raises(TableError, match="there is no such table"):
        load_table(BERG, folder=tmp_path)
    (tmp_path / f"{BERG}.csv").mkdir(parents=True)
    with pytest.raises(TableError, match="cannot be read"):
        load_table(BERG, folder=tmp_path)


def test_true_and_false_are_flags(tmp_path):
    schema_columns = SCHEMAS["cells/chartrand2023_patchseq_mouse_vis_lamp5_l1types"].columns
    row = dict.fromkeys(schema_columns, "1") | {"failed_qc": "True", "in_gouwens2020": ""}
    path = tmp_path / "cells/chartrand2023_patchseq_mouse_vis_lamp5_l1types.csv"
    path.parent.mkdir()
    path.write_text(f"{','.join(row)}\n{','.join(row.values())}\n")
    table = load_table("cells/chartrand2023_patchseq_mouse_vis_lamp5_l1types", folder=tmp_path)
    assert table["failed_qc"].tolist() == [True]
    assert table["in_gouwens2020"].isna().all()
    row["failed_qc"] = "yes"
    path.write_text(f"{','.join(row)}\n{','.join(row.values())}\n")
    with pytest.raises(TableError, match="line 2, column 'failed_qc': 'yes' is neither True nor"):
        load_table("cells/chartrand2023_patchseq_mouse_vis_lamp5_l1types", folder=tmp_path)


def test_unknown_names_are_answered_with_the_nearest(tmp_path):
    with pytest.raises(ParameterError, match="did you mean 'fi/allen_long_square_sweeps'"):
        load_table("fi/allen_long_square_sweep", folder=tmp_path)
    with pytest.raises(ParameterError, match="raise, exclude"):
        load_table(BERG, folder=tmp_path, impossible="ignore")


def test_every_schema_is_coherent():
    for name, schema in SCHEMAS.items():
        bounded = {column for column, _ in schema.bounds}
        assert not bounded & {*schema.text, *schema.flags}, name
        assert len(bounded) == len(schema.bounds), name
    tables = {path for path, _ in PHYSIOLOGY.contents if path.endswith(".csv")}
    assert tables == {f"{name}.csv" for name in SCHEMAS}


def entry(sha256: str = "") -> DataSet:
    return DataSet(
        name="physiology",
        title="t",
        version="v",
        folder="physiology",
        access="build",
        licence="l",
        citation="c",
        homepage="h",
        contents=((f"{BERG}.csv", sha256),),
    )


def test_a_located_table_is_recorded_with_its_checksum(write, tmp_path, monkeypatch, register):
    write({}, name=f"physiology/{BERG}")
    monkeypatch.setenv("SWTA_DATA", str(tmp_path))
    content = (tmp_path / f"physiology/{BERG}.csv").read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    register(entry(sha256))
    assert len(load_table(BERG)) == 1
    (use,) = (use for use in used() if use.name == "physiology")
    assert use.source == "SWTA_DATA"
    assert use.files == ((f"{BERG}.csv", sha256),)


def test_a_located_table_that_is_not_the_published_one(write, tmp_path, monkeypatch, register):
    write({}, name=f"physiology/{BERG}")
    monkeypatch.setenv("SWTA_DATA", str(tmp_path))
    register(entry("0" * 64))
    with pytest.raises(DataCorrupt, match="expected SHA-256 0000"):
        load_table(BERG)


def test_tables_that_are_nowhere(own_data, register):
    register(entry())
    with pytest.raises(DataUnavailable, match="SWTA_DATA"):
        load_table(BERG)
    with pytest.raises(DataUnavailable, match="SWTA_DATA"):
        load_trace()


SUMMARY = "source,selection,class,feature,n,median,q25,q75\n"


def test_class_statistics_are_bundled_where_there_are_no_tables(own_data, register):
    register(entry())
    table = load_class_statistics()
    assert table.attrs["source"] == "bundled"
    assert "class_statistics" in {use.name for use in used()}
    assert list(table.columns) == [*SUMMARY.strip().split(","), "citation"]
    assert set(table["class"]) == {"Pyr", "Pvalb", "Sst", "Vip", "Lamp5"}
    assert set(table["citation"]) == set(CITATIONS.values())
    assert (table["citation"] == table["source"].map(CITATIONS)).all()
    assert not table.isna().any().any()
    assert (table["q25"] <= table["median"]).all()
    assert (table["median"] <= table["q75"]).all()


def test_bundled_statistics_cover_every_class_in_l23():
    """Known medians: Gouwens et al. 2019 and 2020, Berg et al. 2021, as the tables' notes say."""
    table = load_bundled_class_statistics()
    l23 = table[table["selection"].isin(["VISp L2/3", "L2/3 IT (VISp t-types)"])]
    found = l23.groupby("class")["feature"].agg(set)
    for name in ("Pyr", "Pvalb", "Sst", "Vip", "Lamp5"):
        assert {"v_rest_mV", "input_resistance_MOhm", "tau_ms", "rheobase_pA"} <= found[name]
    resistance = l23[(l23["class"] == "Pyr") & (l23["feature"] == "input_resistance_MOhm")]
    medians = resistance.set_index("source")["median"].round()
    assert medians["allen_cell_types"] == 161
    assert medians["berg2021_patchseq"] == 74


def test_class_statistics_come_from_the_summary_where_there_is_one(tmp_path):
    (tmp_path / "class_summary.csv").write_text(
        SUMMARY + "berg2021_patchseq,L2/3,Pyr,tau_ms,120,10.5,9.0,13.1\n"
    )
    table = load_class_statistics(folder=tmp_path)
    assert table.attrs["source"] == "class_summary"
    assert table["citation"].tolist() == ["berg2021"]
    assert table["n"].tolist() == [120]


def test_a_summary_of_an_unknown_source_is_refused(tmp_path):
    (tmp_path / "class_summary.csv").write_text(SUMMARY + "mine,L2/3,Pyr,tau_ms,1,10.5,9.0,13.1\n")
    with pytest.raises(TableError, match="column 'source': mine unknown"):
        load_class_statistics(folder=tmp_path)


def save_trace(folder, **changes):
    values = {
        "v_mV": np.array([-70.0, -60.0], dtype=np.float32),
        "i_pA": np.array([0.0, 170.0], dtype=np.float32),
        "dt_ms": 0.02,
        "t_on_ms": 205.0,
        "t_off_ms": 1205.0,
        "specimen_id": 518290966,
        "sweep_number": 57,
    }
    (folder / "traces").mkdir(exist_ok=True)
    path = folder / "traces/some.npz"
    np.savez(path, **{k: v for k, v in (values | changes).items() if v is not None})
    return path


def test_a_trace_is_given_as_plain_numbers(tmp_path):
    save_trace(tmp_path)
    trace = load_trace("some", folder=tmp_path)
    assert trace.v_mV.dtype == np.float64
    assert trace.v_mV.tolist() == [-70.0, -60.0]
    assert (trace.dt_ms, trace.t_on_ms, trace.specimen_id) == (0.02, 205.0, 518290966)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"i_pA": None}, "not a readable trace"),
        ({"dt_ms": np.array(["x"])}, "not a readable trace"),
        ({"v_mV": np.array([object()])}, "not a readable trace"),
        ({"i_pA": np.zeros(3)}, "two rows of the same length"),
        ({"v_mV": np.zeros(0), "i_pA": np.zeros(0)}, "two rows of the same length"),
        ({"v_mV": np.array([np.nan, 0.0])}, "not finite"),
        ({"dt_ms": 0.0}, "dt_ms 0 must be above 0"),
        ({"t_off_ms": 205.0}, "205 to 205 ms must have a length"),
    ],
)
def test_a_bad_trace_says_why(tmp_path, changes, message):
    save_trace(tmp_path, **changes)
    with pytest.raises(TableError, match=message):
        load_trace("some", folder=tmp_path)


def test_a_truncated_or_absent_trace(tmp_path):
    path = save_trace(tmp_path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(TableError, match="not a readable trace"):
        load_trace("some", folder=tmp_path)
    with pytest.raises(TableError, match="there is no such trace"):
        load_trace("other", folder=tmp_path)


def test_a_located_trace_is_recorded(tmp_path, monkeypatch, register):
    (tmp_path / "physiology").mkdir()
    path = save_trace(tmp_path / "physiology")
    monkeypatch.setenv("SWTA_DATA", str(tmp_path))
    found = entry()
    register(DataSet(**{**vars(found), "contents": (("traces/some.npz", ""),)}))
    assert load_trace("some").sweep_number == 57
    (use,) = (use for use in used() if use.name == "physiology")
    assert use.files == (("traces/some.npz", hashlib.sha256(path.read_bytes()).hexdigest()),)
