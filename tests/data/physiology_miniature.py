"""A miniature of the upstream files of the physiology tables: the same formats, a few cells."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from pathlib import Path

import numpy as np

from swta.data.physiology_tables import (
    build_biorealistic,
    build_cells,
    build_models,
    build_synapses,
)
from swta.data.physiology_tables.build_sweeps import NEURO_PROJECT, NEUROML
from swta.data.physiology_tables.build_trace import MECHANISTIC, PICKLE
from swta.data.physiology_tables.sources import TEETER, TEETER_ARCHIVE

# id, line, reporter, area, layer, dendrite, species
SPECIMENS = (
    (101, "Pvalb-IRES-Cre", "positive", "VISp", "2/3", "aspiny", "Mus musculus"),
    (102, "Cux2-CreERT2", "positive", "VISp", "2/3", "spiny", "Mus musculus"),
    (103, "Htr3a-Cre_NO152", "positive", "VISp", "2/3", "spiny", "Mus musculus"),
    (104, "Sst-IRES-Cre", "negative", "VISp", "2/3", "aspiny", "Mus musculus"),
    (105, "Ndnf-IRES2-dgCre", "positive", "VISp", "1", "sparsely spiny", "Mus musculus"),
    (106, "Rorb-IRES2-Cre", "negative", '"""VISp"""', "4", "spiny", "Mus musculus"),
    (107, "", "", "FroL", "3", "spiny", "Homo Sapiens"),
)
FEATURES = {  # column -> value of specimen 101; the others have 1 more each, per cell
    "adaptation": 0.01,
    "avg_isi": 20.0,
    "f_i_curve_slope": 0.5,
    "fast_trough_v_long_square": -60.0,
    "input_resistance_mohm": 100.0,
    "latency": 0.05,
    "peak_v_long_square": 20.0,
    "ri": 80.0,
    "sag": 0.1,
    "tau": 8.0,
    "threshold_i_long_square": 200.0,
    "threshold_v_long_square": -40.0,
    "trough_v_long_square": -62.0,
    "upstroke_downstroke_ratio_long_square": 2.0,
    "vm_for_sag": -90.0,
    "vrest": -75.0,
}


def place(upstream: Path, source: tuple[str, str], path: str) -> Path:
    """Return the file's place, its folder made."""
    file = upstream / source[0] / source[1] / path
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def write_rows(file: Path, rows: list[dict], *, delimiter: str = ",") -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def make_upstream(upstream: Path) -> Path:
    """Make every upstream file in miniature."""
    make_cell_types(upstream)
    make_gouwens(upstream)
    make_berg(upstream)
    make_chartrand(upstream)
    make_scala(upstream)
    make_sweeps(upstream)
    make_teeter(upstream)
    make_v1_glif3(upstream)
    make_notebooks(upstream)
    make_ndnf(upstream)
    make_biorealistic(upstream)
    make_trace(upstream)
    return upstream


def make_cell_types(upstream: Path) -> None:
    details = [
        {
            "line_name": line,
            "specimen__id": number,
            "specimen__name": f"{line};Ai14-{number}",
            "structure__name": f'"Area, layer {layer}"',
            "structure_parent__acronym": area,
            "structure__layer": layer,
            "ef__avg_firing_rate": 50,
            "csl__normalized_depth": "",
            "cell_reporter_status": reporter,
            "m__glif": 2,
            "m__biophys_perisomatic": 0,
            "m__biophys_all_active": 0,
            "tag__apical": "NA",
            "tag__dendrite_type": dendrite,
            "donor__species": species,
            "donor__id": 7,
        }
        for number, line, reporter, area, layer, dendrite, species in SPECIMENS
    ]
    write_rows(place(upstream, build_cells.MORPH, "data/cell_types_specimen_details.csv"), details)
    features = [
        {
            **{name: value + index for name, value in FEATURES.items()},
            "has_burst": False,
            "has_delay": False,
            "has_pause": True,
            "specimen_id": specimen[0],
            "id": 1,
            "electrode_0_pa": "",
            "rheobase_sweep_id": 3,
            "thumbnail_sweep_id": 4,
        }
        for index, specimen in enumerate(SPECIMENS)
    ]
    features[0]["tau"] = 8.000000049  # eight digits: one more than is kept
    write_rows(
        place(upstream, build_cells.CELL_TYPES, "cell_types/ephys_features.csv"), features[::-1]
    )


def make_gouwens(upstream: Path) -> None:
    cells = [
        (201, "Pvalb interneuron", "2/3", 70.0),
        (202, "Sst Chodl interneuron", "2/3", 70.0),
        (203, "Lamp5 interneuron", "1", -20.0),
        (204, "Vip interneuron", "2/3", 70.0),
    ]
    metadata = [
        {
            "Project ID": "x",
            "Specimen ID": number,
            "T type class": "MGE interneuron",
            "T type sub-class": subclass,
            "T type": "Some Type",
            "T type assignment probability": 0.5,
            "MET type": "",
            "Cortical layer": layer,
            "Genotype": "g",
            "Electrophysiology available": 1,
            "Morphology available": 0,
            "Adaptation": 0.02,
            "Avg ISI": 30.0,
            "Fast trough V (long square) (millivolts)": -55.0,
            "F I curve slope": 0.4,
            "Latency": 0.03,
            "Peak V (long square) (millivolts)": 25.0,
            "sag": 0.05,
            "tau": 7.0,
            "Threshold I (long square) (picoamps)": 150.0,
            "Threshold V (long square) (millivolts)": -38.0,
            "Upstroke/downstroke ratio (long square)": 1.5,
            "Vrest (millivolts)": -70.0,
            "Age (postnatal days)": 50,
            "Anatomical Structure": "VISp",
            "Brain hemisphere": "left",
            "Dendrite type (aspiny or sparsely spiny)": "aspiny",
            "Fluorescent protein positive": "positive",
            "Sex": "M",
            "Axon Max Branch Order": "",
            "Normalized Soma Depth": "",
            "Cell set accession ID": "CS1",
            "T type class assignment probability": 1,
            "T type sub-class assignment probability": 1,
        }
        for number, subclass, layer, _ in cells
    ]
    write_rows(place(upstream, build_cells.MORPH, "data/SpecimenMetadata.csv"), metadata)
    donors = [
        {"cell_specimen_id": number, "structure": f"VISp{layer}", "donor_name": f"donor-{number}"}
        for number, _, layer, _ in [*cells, (299, "", "5", 0)]
    ]
    write_rows(
        place(upstream, build_cells.MORPH, "data/20200711_patchseq_metadata_mouse.csv"), donors
    )
    names = {f"sample-{number}": float(number) for number, *_ in cells[:3]}
    place(
        upstream, build_cells.SPLICING, "data/mappings/transcriptomic_id_to_specimen_id.json"
    ).write_text(json.dumps(names))
    ipfx = [
        {
            "cell_specimen_id": f"sample-{number}",
            "v_baseline": -70.0,
            "rheobase_i": 150.0,
            "fi_fit_slope": 0.4,
            "input_resistance": resistance,
            "tau": 0.007,
            "hero_avg_rate": 10.0,
            "hero_first_isi": 0.02,
            "hero_stim_amp": 190.0,
            "rheo_width": 0.0005,
        }
        for number, _, _, resistance in [*cells[:3], (888, "", "", 1.0)]  # 888 is not mapped
    ]
    write_rows(place(upstream, build_cells.SPLICING, "data/ephys_data_sc.csv"), ipfx)


def make_berg(upstream: Path) -> None:
    cells = [
        {
            "SpecimenID": number,
            "donor_mouse": 1,
            "genotype_label": "g",
            "depth_from_pia_microns": 150,
            "total_cortical_depth": 900,
            "L23_depth_normalized": 0.3,
            "SeuratMapping": "L2/3 IT VISp Rrad",
            "SeuratMappingScore": 0.55044247299,
            "quality_score": 0.2,
            "contam_sum": 0.4,
        }
        for number in (303, 301, 302)
    ]
    write_rows(
        place(
            upstream,
            build_cells.HUMAN_L23,
            "data/mouse_IVSCC_excitatory_L23_consolidated_0129.csv",
        ),
        cells,
    )
    names = (
        *("adapt_mean", "avg_rate_hero", "fast_trough_v_long_square_rel", "fi_fit_slope"),
        *("input_resistance", "latency_rheo", "peak_v_long_square_rel", "rheobase_i", "sag"),
        *("tau", "threshold_v_long_square", "upstroke_downstroke_ratio_long_square"),
        *("v_baseline", "width_long_square"),
    )
    first = (0.03, 9, -8, 0.12, 75, 0.2, 85, 200, 0.02, 0.01, -38, 4.5, -80, 0.0009)
    second = (0.05, 11, -6, 0.14, -69, 0.2, 83, 180, 0.02, 0.012, -36, 4.3, -78, 0.0009)
    features = [
        {"specimen_id": number, **dict(zip(names, values, strict=True))}
        for number, values in (
            (301, first),
            (302, second),
            (303, ("",) * len(names)),  # no recording
            (999, first),  # not a mouse cell of the metadata
        )
    ]
    write_rows(
        place(upstream, build_cells.HUMAN_L23, "data/human_mouse_ephys_all_0127.csv"), features
    )


def make_chartrand(upstream: Path) -> None:
    cells = [
        {
            "spec_id": number,
            "subclass": "Lamp5",
            "structure": "elsewhere",
            "structure_lims": structure,
            "t-type": "Lamp5 Lsp1",
            "layer_ccf": layer,
            "normalized_depth": "",
            "cre": "Ndnf-IRES2-dgCre",
            "tx_qc": True,
            "core_l1_type": True,
        }
        for number, structure, layer in (
            (203, "VISp1", "1"),
            (401, "VISp2/3", "2/3"),
            (402, "TEa1", "1"),
        )
    ]
    write_rows(place(upstream, build_cells.HUMAN_L1, "data/mouse_l1_dataset_2023_02_06.csv"), cells)
    unused = (
        *("blowout_mv_qc", "recording_date_qc", "fail_tags_qc", "failed_fx_long_squares"),
        *("failed_fx_short_squares", "failed_fx_ramps", "failed_fx_chirps"),
        "failed_fx_sweep_features",
    )
    flags = ("failed_blowout", "failed_electrode_0", "failed_seal")
    values = {
        "v_baseline": -71,
        "rheobase_i": 180,
        "fi_fit_slope": 0.2,
        "input_resistance": 112,
        "tau": 0.008,
        "latency_rheo": 0.3,
        "threshold_v_rheo": -33,
        "peak_v_rheo": 26,
        "width_rheo": 0.001,
        "fast_trough_v_rheo": -49,
        "adapt_hero": 0.0045,
        "adapt_mean": 0.01,
        "avg_rate_hero": 13,
        "avg_rate_max": 23,
        "sag": 0.04,
        "mean_isi_hero": "0.05857125000000001",  # an exact tie but for noise in the last digit
    }
    features = [
        {
            "cell_name": number,
            **dict.fromkeys(unused, ""),
            **dict.fromkeys((*flags, "failed_input_access_resistance", "failed_qc"), False),
            **values,
        }
        for number in (203, 401, 402)
    ]
    write_rows(place(upstream, build_cells.HUMAN_L1, "data/aibs_mouse_features_E.csv"), features)


def make_scala(upstream: Path) -> None:
    for metadata, measured in build_cells.SCALA_FILES.values():
        columns = {
            "Number": 1,
            "Mouse": "m",
            "Mouse age": 40,
            "Targeted layer": "5",
            "Inferred layer": "5",
            "Cre": "PV-",
            "RNA family": "IT",
            "RNA type": "L5 IT_1",
            "RNA type confidence": 0.9,
            "Length (bp)": 1900,
            "Soma depth (µm)": 700,
            "Cortical thickness (µm)": 1400,
            "Exclusion reasons": "",
        }
        cells = [{"Cell": name, **columns} for name in ("b", "a", "not recorded")]
        write_rows(
            place(upstream, build_cells.MINI_ATLAS, f"data/{metadata}"), cells, delimiter="\t"
        )
        features = [
            {
                "cell id": name,
                "AP threshold (mV)": -28,
                "AP width (ms)": 1.23456789,
                "Input resistance (MOhm)": 70,
                "Membrane time constant (ms)": 9,
                "Resting membrane potential (mV)": -67,
                "Rheobase (pA)": 300,
            }
            for name in ("a", "b")
        ]
        write_rows(place(upstream, build_cells.MINI_ATLAS, f"data/{measured}"), features)


def listed_sweep(number: int, current: float, spikes: int | None, name: str = "Long Square"):
    return {
        "sweep_number": number,
        "specimen_id": 0,
        "stimulus_name": name,
        "stimulus_absolute_amplitude": current,
        "stimulus_duration": 0.999995000001,
        "num_spikes": spikes,
        "pre_vm_mv": -70.12345678,
        "bridge_balance_mohm": 12.0,
        "leak_pa": None,
    }


def make_sweeps(upstream: Path) -> None:
    def analysed(number: int, current: float, **measured: float) -> dict:
        values = {"max_peak_no": 0, "maximum": 1.0, "minimum": -80.1234567, **measured}
        return {
            "pyelectro_iclamp_analysis": {f"{number}:{k}": v for k, v in values.items()},
            "sweep_metadata": {"aibs_stimulus_amplitude_pa": current},
        }

    cell = {
        "data_set_id": 101,
        "sweeps": {
            "31": analysed(31, 199.99997, max_peak_no=5, first_spike_time=290.5),
            "30": analysed(30, -29.999998),
            "33": analysed(33, 200.0, max_peak_no=4),
        },
    }
    place(upstream, NEUROML, "CellTypesDatabase/data/bulk_analysis/101_analysis.json").write_text(
        json.dumps(cell)
    )
    lists = {
        (NEUROML, "CellTypesDatabase/models/GLIF/9001/ephys_sweeps.json"): 101,  # known already
        (NEUROML, "CellTypesDatabase/models/GLIF/9002/ephys_sweeps.json"): 102,
        (NEURO_PROJECT, "neuronal_model_1/ephys_sweeps.json"): 105,
        (NEURO_PROJECT, "neuronal_model_2/ephys_sweeps.json"): 105,  # the same cell again
        (NEURO_PROJECT, "neuronal_model_3/ephys_sweeps.json"): 107,  # human
    }
    for (source, path), specimen in lists.items():
        sweeps = [
            listed_sweep(20, 49.9999980255284, 3),
            listed_sweep(21, -10.0, None),
            listed_sweep(22, 100.0, 1, name="Ramp"),
        ]
        place(upstream, source, path).write_text(
            json.dumps([{**sweep, "specimen_id": specimen} for sweep in sweeps])
        )


def preprocessor_values(a_spike: float | None) -> dict:
    return {
        "El": {"El_noise": {"measured": {"mean": -0.07}}},
        "spike_cut_length": {
            "no deltaV shift": {"slope": 0.5, "length": 121.0, "intercept": 0.004}
        },
        "threshold_adaptation": {
            "a_spike_component_of_threshold": a_spike,
            "b_spike_component_of_threshold": 300.0,
            "a_voltage_comp_of_thr_from_fitab": None,
            "b_voltage_comp_of_thr_from_fitab": None,
        },
        "th_inf": {"via_Vmeasure": {"from_zero": 0.03, "value": -0.04}},
        "resistance": {
            "R_test_list": {"mean": 2e8},
            "R_fit_ASC_and_R": {"mean": 1.9e8},
            "R_from_lims": {"value": 2.1e8},
        },
        "asc": {"amp": [-6e-12, -2e-10], "k": [3.0, 100.0]},
        "capacitance": {"C_from_lims": {"value": 9e-11}, "C_test_list": {"mean": 1e-10}},
    }


def make_teeter(upstream: Path, cells: dict[int, float | None] | None = None) -> None:
    cells = {101: 0.003, 102: 5.0, 105: 0.0} if cells is None else cells
    lines = {number: line for number, line, *_ in SPECIMENS}
    files = {}
    for specimen, a_spike in cells.items():
        stem = f"mouse_struc_data_dir/{specimen}_{lines[specimen]}/{specimen}_{lines[specimen]}"
        files[f"{stem}_preprocessor_values.json"] = preprocessor_values(a_spike)
        for model in (1, 3) if specimen != 101 else (1, 2, 3):
            files[f"{stem}_GLIF{model}_neuron_config.json"] = {
                "th_inf": 0.03,
                "coeffs": {"th_inf": 0.9 + model / 100},
            }
            files[f"{stem}_GLIF{model}_exp_var_ratio_10ms.json"] = {
                "after_opt": {"noise_2": 0.7 + model / 100}
            }
        files[f"{stem}_GLIF1_subthr_v.json"] = {"not": "used"}
    archive = place(upstream, TEETER, TEETER_ARCHIVE)
    with tarfile.open(archive, "w:gz") as packed:
        for path, content in files.items():
            data = json.dumps(content).encode()
            member = tarfile.TarInfo(f"GLIF_Teeter_et_al_2018-{TEETER[1]}/{path}")
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))


def make_v1_glif3(upstream: Path) -> None:
    model = {
        "V_th": -45.0,
        "g": 5.0,
        "E_L": -75.0,
        "C_m": 100.0,
        "t_ref": 2.0,
        "V_reset": -75.0,
        "asc_decay": [0.003, 0.1],
        "asc_amps": [-3.0, -200.0],
    }
    folder = "GLIF_network/components/cell_models"
    for specimen in (101, 102):
        place(
            upstream, build_models.V1_GLIF, f"{folder}/{specimen}_glif_lif_asc_config.json"
        ).write_text(json.dumps(model))
    slopes = [
        {"node_type_id": 101, "pop_name": "i23Pvalb", "rheobase": 200.0, "slope": 0.6},
        {"node_type_id": 102, "pop_name": "e23Cux2", "rheobase": "", "slope": ""},
    ]
    write_rows(place(upstream, build_models.BIOREALISTIC, "Rheobase_slope.csv"), slopes)


def html_table(header: list[list[str]], rows: list[list[tuple[str, int] | str]]) -> list[str]:
    """Return the lines of a table as notebooks keep it; a tuple is a label and its row span."""
    lines = ["<table>\n"]
    for cells in (*header, *rows):
        lines.append("<tr>")
        for cell in cells:
            text, span = cell if isinstance(cell, tuple) else (cell, 1)
            lines.append(f'<td rowspan="{span}">{text}</td>' if span > 1 else f"<td>{text}</td>\n")
        lines.append("</tr>")
    return [*lines, "</table>"]


def write_notebook(file: Path, cells: list[tuple[str, list[str] | None]]) -> None:
    """Write a notebook of code cells: their source, and the HTML that each printed or None."""
    notebook = {"cells": [{"cell_type": "markdown", "source": ["words"]}]}
    for source, html in cells:
        printed = {"data": {"text/html": html, "text/plain": ["..."]}} if html else {"text": ["x"]}
        notebook["cells"].append(
            {"cell_type": "code", "source": [source], "outputs": [{"text": ["a\n"]}, printed]}
        )
    file.write_text(json.dumps(notebook))


def make_notebooks(upstream: Path) -> None:
    statistics = ["count", "mean", "std", "min", "25%", "50%", "75%", "max"]
    header = [["", "", *statistics], ["pre_class", "post_class", *[""] * 8]]
    values = [
        "3.0",
        "0.001957",
        "0.000674",
        "0.001118",
        "0.00160450",
        "0.001824",
        "0.0021",
        "4e-03",
    ]
    single = ["1.0", "0.0018", "NaN", "0.0018", "0.0018", "0.0018", "0.0018", "0.0018"]
    rows = [[("l23pyr", 2), "l23pyr", *values], ["pv", *single], ["pv", "l23pyr", *values]]
    by_notebook: dict[str, list] = {}
    for metric, (notebook, frame, _, _) in build_synapses.DESCRIBED.items():
        source = f"{frame}.groupby(['pre_class', 'post_class']).describe()['{metric}']"
        by_notebook.setdefault(notebook, []).append((source, html_table(header, rows)))
    header = [["", *statistics], ["pair_class", *[""] * 8]]
    rows = [["pv→pv", "3.0", "0.1", "0.1", "0.1", "0.018085", "0.1", "0.2", "0.3"]]
    by_notebook[build_synapses.ELECTRICAL] = [
        (
            f"print('x')\ngap_pairs.groupby('pair_class').describe()['gap_junction.{name}']",
            html_table(header, rows),
        )
        for name in ("coupling_coeff_pulse", "junctional_conductance")
    ]
    for notebook, cells in by_notebook.items():
        write_notebook(place(upstream, build_synapses.FIGURES, notebook), cells)
    header = [["post", "pyr", "pvalb", "sst", "vip"], ["pre", "", "", "", ""]]
    matrix = [[name, "0.1", "0.2", "0.3", "NaN"] for name in ("pyr", "pvalb", "sst", "vip")]
    table = html_table(header, matrix)
    write_notebook(
        place(upstream, build_synapses.DOCUMENTS, build_synapses.PLASTICITY),
        [("stp = pairs.pivot_table(1)", table), ("var = pairs.pivot_table(2)", table)],
    )
    write_notebook(
        place(upstream, build_synapses.DOCUMENTS, build_synapses.TUTORIAL),
        [("latency = synapses.pivot_table(", table), ("plot", None)],
    )


def make_ndnf(upstream: Path) -> None:
    lines = []
    for title in (
        "10 Hz Paired Pulse Recordings in NDNF INs",
        "20 Hz Paired Pulse Recordings in NDNF INs",
        "10 Hz Paired Pulse Recordings in NDNF INs - Mean PSC Amplitude 1st peak",
        "20 Hz Paired Pulse Recordings in NDNF INs - Mean PSC Amplitude 1st peak",
    ):
        lines += [f",{title},,,", ",,,,", "NDNF IN Nr,Control,Baclofen,CGP,"]
        lines += ["1,0.75,1.25,0.7,", "3,0.9,1.5,1.0,", ",,,,"]
    file = place(upstream, build_synapses.NDNF, "data_ephys.csv")
    file.write_text("\r\n".join(lines) + "\r\n")


def make_biorealistic(upstream: Path) -> None:
    source = (build_biorealistic.REPOSITORY, build_biorealistic.COMMIT)
    for name in build_biorealistic.COPIED:
        text = "pre e i\ne 0.5 0.0\ni 0.10000000000000001 0.0"  # no line end, as upstream
        place(upstream, source, f"base_props/{name}.csv").write_text(text)
    place(upstream, source, "base_props/psp_characterization.csv").write_text(
        "connection pre post syntype N_90th median_90th median_resting\n"
        "vip__to__vip vip vip in 13 0.339675979 0.0967745892\n"
        "vip__to__l6_pyr vip l6_pyr in 1 [] []\n"
    )
    names = ("i1Htr3a", "e23Cux2", "i23Pvalb", "i23Sst", "i23Vip")
    for _, commit, path in build_biorealistic.VERSIONS:
        listed = path.endswith("April2.json")  # the last version holds lists of one
        pairs = {
            f"{pre}-{post}": {
                "A_literature": [0.123456] if listed else 0.5,
                "is_pmax": 1,
                "R0": 75.0,
                "sigma": 126.77,
                "B_ratio": 0.5 if pre == post == "e23Cux2" else None,
            }
            for pre in names
            for post in names
        }
        place(upstream, (source[0], commit), path).write_text(json.dumps(pairs))


def make_trace(upstream: Path) -> None:
    """Write a pickle of protocol 0 by hand, as the upstream file is one."""
    voltage = np.array([-70.0, -69.5, 10.0], dtype="<f4")
    current = np.array([0.0, 0.00017, 0.0], dtype="<f4")

    def literal(data: bytes) -> bytes:
        return b"S'" + "".join(f"\\x{byte:02x}" for byte in data).encode() + b"'\n"

    scalars = [np.float64(value).tobytes() for value in (0.02, 0.02, 0.04)]
    content = b"(cnumpy\n_reconstruct\np0\nS'b'\np3\nI00\n" + literal(voltage.tobytes())
    content += b"p13\ntp14\n" + literal(current.tobytes())
    for number, scalar in enumerate(scalars):
        content += (b"b" if number == 0 else b"") + literal(scalar) + b"p27\n"
    place(upstream, MECHANISTIC, PICKLE).write_bytes(content + b"tp36\n.")
