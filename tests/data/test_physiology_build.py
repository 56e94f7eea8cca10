"""Building the physiology tables from miniature upstream files with known answers."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from physiology_miniature import (
    SPECIMENS,
    html_table,
    listed_sweep,
    make_teeter,
    make_upstream,
    place,
    write_notebook,
    write_rows,
)

from swta.data.physiology import load_table, load_trace
from swta.data.physiology_tables import (
    TABLES,
    TRACE,
    UPSTREAM,
    TableError,
    build_biorealistic,
    build_cells,
    build_models,
    build_synapses,
    build_tables,
    check_trace,
)
from swta.data.physiology_tables.build import PHYSIOLOGY
from swta.data.physiology_tables.build_summary import plausible
from swta.data.physiology_tables.build_sweeps import NEURO_PROJECT, NEUROML, build_sweeps
from swta.data.physiology_tables.build_trace import MECHANISTIC, PICKLE, build_trace
from swta.data.physiology_tables.notebooks import read_printed_table
from swta.data.physiology_tables.sources import TEETER, TEETER_ARCHIVE
from swta.data.physiology_tables.writing import accumulate_digits, round_significant


@pytest.fixture
def upstream(tmp_path):
    return make_upstream(tmp_path / "upstream")


@pytest.fixture
def target(tmp_path):
    return tmp_path / "target"


def read(target, name):
    return pd.read_csv(target / f"{name}.csv")


def test_all_tables_are_built(upstream, target):
    build_tables(upstream, target)
    made = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert made == set(TABLES)
    assert not any(b"\r" in path.read_bytes() for path in target.rglob("*.csv"))


def test_two_builds_give_the_same_bytes(upstream, target, tmp_path):
    build_tables(upstream, target)
    build_tables(upstream, tmp_path / "again")
    for path in TABLES:
        assert (target / path).read_bytes() == (tmp_path / "again" / path).read_bytes()


def test_the_data_set_names_its_files_once():
    paths = [file.path for file in UPSTREAM]
    assert len(set(paths)) == len(paths)
    without = [file.path for file in UPSTREAM if not file.sha256]
    assert without == [f"{TEETER[0]}/{TEETER[1]}/{TEETER_ARCHIVE}"]
    for file in UPSTREAM:
        owner, repository, commit, _ = file.path.split("/", 3)
        assert len(commit) == 40
        assert all(url.startswith("https://") for url in file.urls)
        assert all(f"{owner}/{repository}" in url and commit in url for url in file.urls)
        assert not file.sha256 or len(file.sha256) == 64
    assert [path for path, sha256 in PHYSIOLOGY.contents if not sha256] == [f"traces/{TRACE}.npz"]
    assert PHYSIOLOGY.build is build_tables


@pytest.mark.parametrize(
    ("line", "reporter", "dendrite", "expected"),
    [
        ("Pvalb-IRES-Cre", "positive", "aspiny", "Pvalb"),
        ("Pvalb-IRES-Cre", "positive", "sparsely spiny", "Pvalb"),
        ("Pvalb-IRES-Cre", "negative", "aspiny", None),
        ("Pvalb-IRES-Cre", "positive", "spiny", None),
        ("Vip-IRES-Cre", "positive", "aspiny", "Vip"),
        ("Ndnf-IRES2-dgCre", "positive", "aspiny", "Lamp5"),
        ("Htr3a-Cre_NO152", "positive", "aspiny", None),
        ("Htr3a-Cre_NO152", "negative", "spiny", None),
        ("Cux2-CreERT2", "negative", "spiny", "Pyr"),
        ("Cux2-CreERT2", "positive", "aspiny", None),
    ],
)
def test_class_assignment(line, reporter, dendrite, expected):
    (found,) = build_cells.assign_class(
        pd.Series([line]), pd.Series([reporter]), pd.Series([dendrite])
    )
    assert (None if pd.isna(found) else found) == expected


def test_cell_types_join_one_to_one_and_drop_human_cells(upstream, target):
    build_cells.build_cell_types(upstream, target)
    cells = read(target, "cells/allen_cell_types_mouse")
    # blanks first, then by class, area and layer
    assert cells["specimen_id"].tolist() == [103, 104, 105, 101, 102, 106]
    assert cells["class"].fillna("").tolist() == ["", "", "Lamp5", "Pvalb", "Pyr", "Pyr"]
    by_id = cells.set_index("specimen_id")
    assert by_id.loc[106, "area"] == "VISp"  # quoted upstream
    assert by_id.loc[101, "structure_name"] == "Area, layer 2/3"
    assert by_id.loc[101, "tau"] == 8.0  # seven digits kept
    assert by_id["ri"].to_dict() == {
        number: 80.0 + index for index, (number, *_) in enumerate(SPECIMENS) if number != 107
    }
    assert cells["apical"].isna().all()  # NA upstream
    assert not {"id", "rheobase_sweep_id"} & set(cells)


def test_a_cell_without_features_or_twice_is_refused(upstream, target):
    path = place(upstream, build_cells.CELL_TYPES, "cell_types/ephys_features.csv")
    whole = path.read_text()
    path.write_text(whole[: whole.rindex("\n", 0, -1) + 1])  # loses specimen 101
    with pytest.raises(TableError, match="no features for 1 cells, the first is 101"):
        build_cells.build_cell_types(upstream, target)
    path.write_text(whole + whole.splitlines()[-1] + "\n")
    with pytest.raises(TableError, match=r"line 9, column 'specimen_id': .*101.* appears twice"):
        build_cells.build_cell_types(upstream, target)
    assert not target.exists()


def test_gouwens_joins_types_donors_and_ipfx_features(upstream, target):
    build_cells.build_gouwens(upstream, target)
    cells = read(target, "cells/gouwens2020_patchseq_mouse_vis").set_index("specimen_id")
    assert cells["class"].to_dict() == {203: "Lamp5", 201: "Pvalb", 202: "Sst Chodl", 204: "Vip"}
    assert cells.loc[201, "ipfx_input_resistance"] == 70.0
    assert np.isnan(cells.loc[204, "ipfx_input_resistance"])  # not in the second source
    assert cells.loc[201, "threshold_i_long_square_pA"] == 150.0
    assert cells.loc[201, "vrest_mV"] == -70.0
    assert cells.loc[202, "structure_acronym"] == "VISp2/3"
    assert cells.loc[201, "donor_name"] == "donor-201"
    assert not any("axon" in name or "hemisphere" in name for name in cells)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("T type sub-class", "t_subclass"),
        ("T type sub-class assignment probability", "t_subclass_assignment_probability"),
        ("Upstroke/downstroke ratio (ramp)", "upstroke_downstroke_ratio_ramp"),
        ("Threshold I (short square) (picoamps)", "threshold_i_short_square_pA"),
        ("Vrest (millivolts)", "vrest_mV"),
        ("Age (postnatal days)", "age_(postnatal_days)"),
    ],
)
def test_headers_become_names_with_units(header, name):
    assert build_cells.plain_name(header) == name


def test_berg_keeps_mouse_cells_with_recordings(upstream, target):
    build_cells.build_berg(upstream, target)
    cells = read(target, "cells/berg2021_patchseq_mouse_l23_pyramidal")
    assert cells["specimen_id"].tolist() == [301, 302]
    assert set(cells["class"]) == {"Pyr"}
    assert cells["t_type_score"].tolist() == [0.5504425, 0.5504425]
    assert cells["input_resistance"].tolist() == [75.0, -69.0]  # as published
    with pytest.raises(TableError, match="line 3, column 'input_resistance': -69"):
        load_table("cells/berg2021_patchseq_mouse_l23_pyramidal", folder=target)


def test_chartrand_keeps_visual_areas_and_marks_shared_cells(upstream, target):
    build_cells.build_chartrand(upstream, target)
    cells = read(target, "cells/chartrand2023_patchseq_mouse_vis_lamp5_l1types")
    assert cells["specimen_id"].tolist() == [203, 401]
    assert cells["in_gouwens2020"].tolist() == [True, False]
    assert cells["structure"].tolist() == ["VISp1", "VISp2/3"]
    assert cells["mean_isi_hero"].tolist() == [0.0585712, 0.0585712]


def test_scala_has_one_table_a_temperature(upstream, target):
    build_cells.build_scala(upstream, target)
    for name in ("room_temp", "34C"):
        cells = read(target, f"cells/scala2021_patchseq_mouse_m1_{name}")
        assert cells["Cell"].tolist() == ["b", "a"]
        assert cells["AP width (ms)"].tolist() == [1.23457, 1.23457]
        assert "Number" not in cells


def test_sweeps_of_three_sources(upstream, target):
    build_sweeps(upstream, target)
    sweeps = load_table("fi/allen_long_square_sweeps", folder=target)
    keys = ["specimen_id", "sweep_number", "current_pA", "n_spikes", "source"]
    assert sweeps[keys].to_numpy().tolist() == [
        [105, 21, -10.0, 0, "allen_sweeps_neuroproject"],  # no count upstream: no spike
        [105, 20, 50.0, 3, "allen_sweeps_neuroproject"],
        [101, 30, -30.0, 0, "osb_bulk"],
        [101, 31, 200.0, 5, "osb_bulk"],  # equal currents keep the order of the file
        [101, 33, 200.0, 4, "osb_bulk"],
        [102, 21, -10.0, 0, "allen_sweeps"],
        [102, 20, 50.0, 3, "allen_sweeps"],
    ]
    first = sweeps[sweeps["specimen_id"] == 101].iloc[0]
    assert (first["class"], first["layer"], first["v_min_mV"]) == ("Pvalb", "2/3", -80.1235)
    assert np.isnan(first["pre_vm_mV"])
    listed = sweeps.set_index(["specimen_id", "sweep_number"])
    assert listed.loc[(102, 20), "pre_vm_mV"] == -70.1235
    assert listed.loc[(105, 20), "pre_vm_mV"] == -70.12345678  # this source is not rounded
    assert listed.loc[(102, 20), "stim_duration_s"] == 0.999995
    assert np.isnan(listed.loc[(102, 20), "leak_pA"])


def test_sweeps_that_lack_a_field_or_a_folder(upstream, target):
    path = place(upstream, NEURO_PROJECT, "neuronal_model_1/ephys_sweeps.json")
    sweep = listed_sweep(20, 50.0, 3) | {"specimen_id": 105}
    del sweep["num_spikes"]
    path.write_text(json.dumps([sweep]))
    with pytest.raises(TableError, match=r"neuronal_model_1.*there is no 'num_spikes'"):
        build_sweeps(upstream, target)
    path.write_text("[{")
    with pytest.raises(TableError, match="not readable JSON"):
        build_sweeps(upstream, target)
    analyses = place(upstream, NEUROML, "CellTypesDatabase/data/bulk_analysis/101_analysis.json")
    analyses.unlink()
    with pytest.raises(TableError, match="no analysis files"):
        build_sweeps(upstream, target)
    analyses.parent.rmdir()
    with pytest.raises(TableError, match="this upstream folder is missing"):
        build_sweeps(upstream, target)


def test_teeter_units_and_failed_fits(upstream, target):
    build_models.build_teeter(upstream, target)
    cells = load_table("models/teeter2018_glif_mouse", folder=target).set_index("specimen_id")
    cell = cells.loc[101]
    expected = {
        "El_mV": -70.0,
        "R_MOhm": 200.0,
        "C_pF": 100.0,
        "tau_ms": 20.0,
        "th_inf_rel_mV": 30.0,
        "spike_cut_ms": 6.05,
        "reset_intercept_mV": 4.0,
        "a_spike_mV": 3.0,
        "asc1_pA": -6.0,
        "asc2_pA": -200.0,
        "asc1_tau_ms": 333.3333,
        "asc2_tau_ms": 10.0,
        "GLIF1_th_inf_opt_rel_mV": 27.3,
        "GLIF3_expvar_noise2": 0.73,
        "GLIF2_expvar_noise2": 0.72,
    }
    assert cell[list(expected)].astype(float).to_dict() == pytest.approx(expected, abs=1e-12)
    assert cell["class"] == "Pvalb"
    assert np.isnan(cell["a_voltage_per_s"])
    assert np.isnan(cell["GLIF4_expvar_noise2"])
    assert np.isnan(cells.loc[105, "GLIF2_expvar_noise2"])
    assert cells.loc[[102, 105], "a_spike_mV"].isna().all()  # 5 V, and 0: failed fits


def test_a_cut_or_empty_archive_is_refused(upstream, target):
    path = place(upstream, TEETER, TEETER_ARCHIVE)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TableError, match="cannot be read to the end"):
        build_models.build_teeter(upstream, target)
    path.write_bytes(b"<html>busy</html>")
    with pytest.raises(TableError, match="cannot be read to the end"):
        build_models.build_teeter(upstream, target)
    make_teeter(upstream, {})
    with pytest.raises(TableError, match="no cells in it"):
        build_models.build_teeter(upstream, target)
    path.unlink()
    with pytest.raises(TableError, match="this upstream file is missing"):
        build_models.build_teeter(upstream, target)


def test_v1_models_with_their_responses(upstream, target):
    build_models.build_v1_glif3(upstream, target)
    models = load_table("models/v1_glif3_models", folder=target)
    assert models["pop_name"].tolist() == ["e23Cux2", "i23Pvalb"]
    assert models["tau_m_ms"].tolist() == [20.0, 20.0]
    assert models["line_name"].tolist() == ["Cux2-CreERT2", "Pvalb-IRES-Cre"]
    assert models["model_rheobase_pA"].fillna(-1).tolist() == [-1, 200.0]
    assert models["asc2_decay_per_ms"].tolist() == [0.1, 0.1]
    for path in (upstream / build_models.V1_GLIF[0]).rglob("*.json"):
        path.unlink()
    with pytest.raises(TableError, match="no models in it"):
        build_models.build_v1_glif3(upstream, target)


def test_connection_counts_and_their_intervals(upstream, target):
    build_synapses.build_connection_counts(upstream, target)
    counts = load_table("synapses/synphys_connection_counts_l23", folder=target)
    assert len(counts) == 2 * 4 * 4
    assert (counts["n_connected"] <= counts["n_probed"]).all()
    assert counts["p"].between(counts["ci95_low"], counts["ci95_high"]).all()
    # printed in words in the same notebook: Sst -> Vip and Sst -> Sst
    first = counts[counts["snapshot"].str.contains("connectivity")].set_index(["pre", "post"])
    assert first.loc[("Sst", "Vip"), ["n_connected", "n_probed"]].tolist() == [12, 32]
    assert first.loc[("Sst", "Vip"), ["ci95_low", "ci95_high"]].tolist() == [0.211, 0.5631]
    assert first.loc[("Sst", "Sst"), ["ci95_low", "ci95_high"]].tolist() == [0.0087, 0.0793]


def test_clopper_pearson_closed_forms():
    low, high = build_synapses.clopper_pearson(0, 58)
    assert low == 0.0
    assert high == pytest.approx(1 - 0.025 ** (1 / 58), rel=1e-12)
    low, high = build_synapses.clopper_pearson(7, 7)
    assert low == pytest.approx(0.025 ** (1 / 7), rel=1e-12)
    assert high == 1.0


def test_described_synapses_in_their_units(upstream, target):
    build_synapses.build_synapse_statistics(upstream, target)
    table = load_table("synapses/synphys_synapse_stats_by_class", folder=target)
    latency = table[table["metric"] == "latency"].set_index(["pre", "post"])
    assert list(latency.index) == [("l23pyr", "l23pyr"), ("l23pyr", "pv"), ("pv", "l23pyr")]
    first = latency.loc[("l23pyr", "l23pyr")]
    assert first["n"] == 3
    assert first[["mean", "sd", "min", "q25", "median", "q75", "max"]].tolist() == [
        *(1.957, 0.674, 1.118, 1.6045, 1.824, 2.1, 4.0)
    ]
    assert np.isnan(latency.loc[("l23pyr", "pv"), "sd"])
    plasticity = table[table["metric"] == "stp_induction_50hz"]
    assert plasticity["mean"].iloc[0] == 0.002  # a ratio is not scaled
    assert set(table["unit"]) == {"ms", "mV", "ratio"}


def test_electrical_synapses_split_the_pair(upstream, target):
    build_synapses.build_electrical_synapses(upstream, target)
    table = load_table("synapses/synphys_electrical_synapses", folder=target)
    assert table["metric"].tolist() == ["coupling_coefficient", "junctional_conductance"]
    assert table[["pre", "post", "n"]].to_numpy().tolist() == [["pv", "pv", 3]] * 2
    assert table["q25"].tolist() == [0.01808, 0.01808]  # a tie, to the even neighbour


def test_pooled_matrices_from_print_and_labels(upstream, target):
    build_synapses.build_pooled_matrices(upstream, target)
    table = load_table("synapses/synphys_pooled_matrices", folder=target)
    assert table.groupby("metric", sort=False).size().to_dict() == {
        "stp_induction_50hz": 12,  # the miniature leaves every pair onto Vip blank
        "variability_resting_state": 12,
        "stp_recovery_250ms": 16,
        "pulse_amp_90th_percentile": 16,
        "psc_rise_time": 16,
        "latency_l23_only": 12,
    }
    values = table.set_index(["metric", "pre", "post"])["value"]
    assert values[("latency_l23_only", "Pyr", "Sst")] == 300.0
    assert values[("stp_induction_50hz", "Pyr", "Sst")] == 0.3
    assert values[("pulse_amp_90th_percentile", "Sst", "Vip")] == -0.83


def test_notebooks_that_changed_are_refused(upstream, target):
    path = place(upstream, build_synapses.FIGURES, build_synapses.ELECTRICAL)
    write_notebook(path, [("nothing", None)])
    with pytest.raises(TableError, match=r"0 cells with .*printing 0 tables"):
        build_synapses.build_electrical_synapses(upstream, target)
    source = "gap_pairs.groupby('pair_class').describe()['gap_junction.coupling_coeff_pulse']"
    write_notebook(path, [(source, html_table([["", "count", "sum"], [""]], [["pv→pv", "1"]]))])
    with pytest.raises(TableError, match=r"has the columns \['count', 'sum'\]"):
        build_synapses.build_electrical_synapses(upstream, target)
    path = place(upstream, build_synapses.DOCUMENTS, build_synapses.PLASTICITY)
    write_notebook(path, [("stp = pairs.pivot_table(", html_table([["a"], [""]], [["pyr", "1"]]))])
    with pytest.raises(TableError, match="is not 4 classes square"):
        build_synapses.build_pooled_matrices(upstream, target)
    path.write_text("{}")
    with pytest.raises(TableError, match="there is no 'cells'"):
        build_synapses.build_pooled_matrices(upstream, target)


def test_a_label_that_spans_rows_is_repeated(tmp_path):
    table = html_table(
        [["a", "b", "c"]], [[("x", 3), ("y", 2), "1"], ["2"], ["z", "3"], ["w", "u", "4"]]
    )
    write_notebook(tmp_path / "n.ipynb", [("describe", table)])
    assert read_printed_table(tmp_path / "n.ipynb", "describe") == [
        ["a", "b", "c"],
        ["x", "y", "1"],
        ["x", "y", "2"],
        ["x", "z", "3"],
        ["w", "u", "4"],
    ]


def test_ndnf_takes_three_blocks(upstream, target):
    build_synapses.build_ndnf(upstream, target)
    table = load_table("synapses/ndnf_som_input_naumann2025", folder=target)
    assert table["quantity"].value_counts().to_dict() == {
        "som_to_ndnf_ppr_10hz": 2,
        "som_to_ndnf_ppr_20hz": 2,
        "som_to_ndnf_first_psc_amplitude": 2,
    }
    assert table["ndnf_cell"].tolist() == [1, 3] * 3
    assert table["control"].tolist() == [0.75, 0.9] * 3
    path = place(upstream, build_synapses.NDNF, "data_ephys.csv")
    whole = path.read_text()
    path.write_text(whole.replace("Baclofen", "Bicuculline"))
    with pytest.raises(TableError, match="line 3: not the header"):
        build_synapses.build_ndnf(upstream, target)
    path.write_text(whole + whole)
    with pytest.raises(TableError, match="2 blocks"):
        build_synapses.build_ndnf(upstream, target)


def test_copies_change_separators_only(upstream, target):
    build_biorealistic.build_copies(upstream, target)
    copy = target / "synapses/biorealistic_v1/b_ratio.csv"
    assert copy.read_text() == "pre,e,i\ne,0.5,0.0\ni,0.10000000000000001,0.0\n"
    source = (build_biorealistic.REPOSITORY, build_biorealistic.COMMIT)
    place(upstream, source, "base_props/sigma.csv").write_text("pre e i\ne 0.5\n")
    with pytest.raises(TableError, match="lines of different length"):
        build_biorealistic.build_copies(upstream, target)


def test_psp_characterization_has_blanks_for_empty_lists(upstream, target):
    build_biorealistic.build_psp_characterization(upstream, target)
    table = read(target, "synapses/biorealistic_v1/psp_characterization")
    assert table["median_90th"].fillna(-1).tolist() == [0.339676, -1]
    assert table["median_resting"].fillna(-1).tolist() == [0.096775, -1]
    assert table["N_90th"].tolist() == [13.0, 1.0]


def test_versions_of_connection_probabilities(upstream, target):
    build_biorealistic.build_connection_versions(upstream, target)
    table = load_table("synapses/biorealistic_v1/conn_props_l23_by_version", folder=target)
    assert len(table) == 4 * 25
    assert table.groupby("version")["probability"].first().tolist() == [0.5, 0.5, 0.5, 0.1235]
    assert (table["b_ratio"].notna() == (table["pre"].eq("Pyr") & table["post"].eq("Pyr"))).all()


def test_the_trace_is_read_without_unpickling(upstream, target):
    build_trace(upstream, target)
    trace = load_trace(folder=target)
    assert trace.v_mV.tolist() == [-70.0, -69.5, 10.0]
    assert trace.i_pA.tolist() == pytest.approx([0.0, 170.0, 0.0], rel=1e-6)
    assert (trace.dt_ms, trace.t_on_ms, trace.t_off_ms) == (0.02, 0.02, 0.04)
    (problem,) = check_trace(target)  # the miniature is not the published trace
    assert "expected SHA-256" in problem
    (target / f"traces/{TRACE}.npz").write_bytes(b"")
    (problem,) = check_trace(target)
    assert "not a readable trace" in problem


def test_a_pickle_that_would_run_code_runs_nothing(upstream, target, tmp_path):
    path = place(upstream, MECHANISTIC, PICKLE)
    path.write_bytes(f"cos\nmkdir\n(S'{tmp_path / 'harm'}'\ntR.".encode())
    with pytest.raises(TableError, match="not two arrays and three numbers"):
        build_trace(upstream, target)
    assert not (tmp_path / "harm").exists()
    path.write_bytes(b"S'\\x0'\n.")
    with pytest.raises(TableError, match="not a pickle in text form"):
        build_trace(upstream, target)


def test_the_summary_of_the_miniature(upstream, target):
    build_tables(upstream, target)
    summary = load_table("class_summary", folder=target)
    keys = ["source", "selection", "class", "feature"]
    assert not summary.duplicated(keys).any()
    values = summary.set_index(keys)

    def row(*key):
        return values.loc[key, ["n", "median"]].tolist()

    cell_types = ("allen_cell_types", "VISp L2/3")
    assert row(*cell_types, "Pvalb", "input_resistance_MOhm") == [1, 80.0]
    assert row(*cell_types, "Pvalb", "capacitance_pF") == [1, 100.0]  # 8 ms / 80 MOhm
    assert row(*cell_types, "Pvalb", "latency_hero_ms") == [1, 50.0]
    assert row(*cell_types, "Pvalb", "threshold_minus_rest_mV") == [1, 35.0]
    assert row(*cell_types, "Pvalb", "ahp_depth_mV") == [1, 20.0]
    assert row("allen_cell_types", "VISp all layers", "Pyr", "tau_ms") == [2, 11.0]  # 9 and 13
    assert row("allen_cell_types", "VISp L1", "Lamp5", "rheobase_pA") == [1, 204.0]
    upper = "VISp L2/3 Cux2/Nr5a1/Rorb/Slc17a6 only"
    assert row("allen_cell_types", upper, "Pyr", "v_rest_mV") == [1, -74.0]
    patchseq = ("gouwens2020_patchseq", "VISp L2/3")
    assert row(*patchseq, "Pvalb", "capacitance_pF") == [1, 100.0]  # 7 ms / 70 MOhm
    assert row(*patchseq, "Pvalb", "hero_first_isi_ms") == [1, 20.0]
    # cell 203 has -20 MOhm: neither its resistance nor its capacitance counts, its tau does
    lamp5 = summary[(summary["source"] == patchseq[0]) & (summary["class"] == "Lamp5")]
    assert "tau_ms" in set(lamp5["feature"])
    assert not {"input_resistance_MOhm", "capacitance_pF"} & set(lamp5["feature"])
    berg = ("berg2021_patchseq", "L2/3 IT (VISp t-types)", "Pyr")
    assert row(*berg, "input_resistance_MOhm") == [1, 75.0]
    assert row(*berg, "tau_ms") == [2, 11.0]
    assert row(*berg, "fast_trough_v_mV") == [2, -44.0]  # -46 and -42
    assert row(*berg, "ahp_depth_mV") == [2, 7.0]
    chartrand = ("chartrand2023_patchseq", "VISp L2/3", "Lamp5")
    assert row(*chartrand, "adaptation_index") == [1, 0.0045]
    assert row(*chartrand, "ahp_depth_mV") == [1, 16.0]
    assert row("teeter2018_glif", "VISp L2/3", "Pvalb", "tau_ms") == [1, 20.0]


@pytest.mark.parametrize(
    ("feature", "kept"),
    [
        ("input_resistance_MOhm", [5.0, 1500.0]),
        ("tau_ms", [1.0, 5.0, 99.0]),
        ("fi_slope_hz_per_pA", [1.0, 5.0, 99.0, 1500.0, 3000.0]),
        ("v_rest_mV", [-1.0, 1e-18, 1.0, 5.0, 99.0, 1500.0, 3000.0]),
    ],
)
def test_what_counts(feature, kept):
    values = pd.Series([-1.0, 1e-18, np.nan, 1.0, 5.0, 99.0, 1500.0, 3000.0])
    if feature == "input_resistance_MOhm":
        values = values[values != 99.0]
    assert plausible(feature, values).tolist() == kept


def test_a_table_upstream_that_is_no_table(upstream, target):
    path = place(upstream, build_cells.HUMAN_L23, "data/human_mouse_ephys_all_0127.csv")
    path.write_bytes(b"")
    with pytest.raises(TableError, match="not a readable table"):
        build_cells.build_berg(upstream, target)
    write_rows(path, [{"specimen_id": 301, "rheobase_i": 5}])
    with pytest.raises(TableError, match="column 'input_resistance' is missing"):
        build_cells.build_berg(upstream, target)


def test_a_field_that_is_missing_or_null_inside_is_named(upstream, target):
    commit, path = build_biorealistic.VERSIONS[0][1:]
    file = place(upstream, (build_biorealistic.REPOSITORY, commit), path)
    pairs = json.loads(file.read_text())
    file.write_text(json.dumps({**pairs, "i23Vip-i23Vip": None}))
    with pytest.raises(TableError, match="there is no 'A_literature'"):
        build_biorealistic.build_connection_versions(upstream, target)
    del pairs["i23Vip-i23Vip"]
    file.write_text(json.dumps(pairs))
    with pytest.raises(TableError, match="there is no 'i23Vip-i23Vip'"):
        build_biorealistic.build_connection_versions(upstream, target)


@given(st.integers(-(10**15) + 1, 10**15 - 1), st.integers(-8, 22))
def test_up_to_fifteen_digits_are_read_exactly(digits, places):
    """A whole number below 2**53 and 10**22 are exact doubles, so their quotient is the nearest."""
    text = str(digits)
    if places > 0:
        sign, text = text[: text.startswith("-")], text.removeprefix("-").rjust(places + 1, "0")
        text = f"{sign}{text[:-places]}.{text[-places:]}"
    if len(text.replace("-", "").replace(".", "")) <= 17:
        assert accumulate_digits(text) == float(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9.455734999999999", 9.455735),
        ("0.22988750000000002", 0.2298875),
        ("-20.218749999999996", -20.21875),
        ("1.5e-05", 1.5e-05),
        ("2E3", 2000.0),
        ("123456789012345678901", 1.2345678901234568e20),
        ("inf", float("inf")),
        ("-0.0", 0.0),
    ],
)
def test_numbers_are_read_digit_by_digit(text, value):
    assert accumulate_digits(text) == value


def test_rounding_keeps_blanks():
    rounded = round_significant(pd.Series([1.23456789, np.nan, 0.0, -98765.4]), 3)
    assert rounded.fillna(-1).tolist() == [1.23, -1, 0.0, -98800.0]
