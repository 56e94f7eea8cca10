"""Building the tables of cells: joins of upstream feature tables with metadata."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pandas as pd

from swta.data.physiology_tables.reading import TableError
from swta.data.physiology_tables.writing import (
    check_unique,
    read_upstream_json,
    read_upstream_table,
    round_table,
    upstream_file,
    write_table,
)

CELL_TYPES: Final = ("BIPN162/Materials", "f79f25893381638ce2c8c514c40532fb86c2ae40")
MORPH: Final = (
    "derekhoward/morph_feature_extraction",
    "9c1482f863b99162fa5e9d663dd8e909ee52efc4",
)
SPLICING: Final = ("nuoxuxu/patch_seq_spl", "bd9ccc9e090c8523153cbb546b406de127b62044")
HUMAN_L23: Final = (
    "AllenInstitute/patchseq_human_L23",
    "3daf9f0803ea0c220a040ea523f23af5f93c56ac",
)
HUMAN_L1: Final = ("AllenInstitute/patchseq_human_L1", "7777857c1b89b19735e45fd9c9bd7493cc1d805c")
MINI_ATLAS: Final = ("berenslab/mini-atlas", "3bf98a524b8e48aa8647e1b9ae8f2351d9c712c9")

# Driver lines that mark one interneuron class (Gouwens et al. 2019).
CLASS_OF_LINE: Final = {
    "Pvalb-IRES-Cre": "Pvalb",
    "Sst-IRES-Cre": "Sst",
    "Vip-IRES-Cre": "Vip",
    "Ndnf-IRES2-dgCre": "Lamp5",
}
# Their few spiny cells are not taken for pyramidal ones; Htr3a marks several interneuron classes.
INTERNEURON_LINES: Final = (*CLASS_OF_LINE, "Htr3a-Cre_NO152")


def assign_class(lines: pd.Series, reporter: pd.Series, dendrites: pd.Series) -> pd.Series:
    """Assign one of the five classes, or a blank, from driver line, reporter and dendrite type.

    A spiny cell of no interneuron line is pyramidal; a reporter-positive cell of a line that marks
    one class, and is not spiny, has that class; any other stays blank.
    """
    spiny = dendrites == "spiny"
    named = lines.map(CLASS_OF_LINE).where((reporter == "positive") & ~spiny)
    return named.mask(spiny & ~lines.isin(INTERNEURON_LINES), "Pyr")


def read_specimens(upstream: Path) -> pd.DataFrame:
    """Read the metadata of the Cell Types Database, mouse cells only, with the class assigned."""
    path = upstream_file(upstream, *MORPH, "data/cell_types_specimen_details.csv")
    names = {
        "specimen__id": "specimen_id",
        "specimen__name": "specimen_name",
        "line_name": "line_name",
        "cell_reporter_status": "reporter_status",
        "structure_parent__acronym": "area",
        "structure__layer": "layer",
        "structure__name": "structure_name",
        "csl__normalized_depth": "normalized_depth",
        "tag__dendrite_type": "dendrite_type",
        "tag__apical": "apical",
        "m__glif": "n_glif_models",
        "m__biophys_perisomatic": "n_perisomatic_models",
        "m__biophys_all_active": "n_all_active_models",
        "donor__id": "donor_id",
        "ef__avg_firing_rate": "avg_firing_rate",
    }
    table = read_upstream_table(path, needs=(*names, "donor__species"))
    check_unique(table, "specimen__id", path)
    mouse = table[table["donor__species"] == "Mus musculus"]
    cells = mouse[list(names)].rename(columns=names)
    for column in ("area", "structure_name"):
        cells[column] = cells[column].str.strip('"')
    classes = assign_class(cells["line_name"], cells["reporter_status"], cells["dendrite_type"])
    cells.insert(1, "class", classes)
    return cells


def build_cell_types(upstream: Path, target: Path) -> None:
    """Build ``cells/allen_cell_types_mouse.csv``: metadata joined with features, one row a cell."""
    path = upstream_file(upstream, *CELL_TYPES, "cell_types/ephys_features.csv")
    unused = ("id", "electrode_0_pa", "rheobase_sweep_id", "thumbnail_sweep_id")
    features = read_upstream_table(path, needs=("specimen_id", "ri", "tau", "vrest", *unused))
    check_unique(features, "specimen_id", path)
    features = features.drop(columns=list(unused))
    specimens = read_specimens(upstream)
    cells = specimens.merge(features, on="specimen_id", how="inner")
    if len(cells) != len(specimens):
        lost = sorted(set(specimens["specimen_id"]) - set(features["specimen_id"]))
        raise TableError(f"{path}: no features for {len(lost)} cells, the first is {lost[0]}")
    cells = cells.sort_values(["class", "area", "layer", "specimen_id"], na_position="first")
    write_table(round_table(cells, 7), target / "cells/allen_cell_types_mouse.csv")


_UNITS: Final = {"millivolts": "mV", "picoamps": "pA"}
_RENAMED: Final = {
    "t_type_sub_class": "t_subclass",
    "t_type_class": "t_class",
    "t_type_assignment_probability": "t_type_prob",
    "cortical_layer": "layer",
    "anatomical_structure": "area",
    "t_type_class_assignment_probability": "t_class_assignment_probability",
    "t_type_sub_class_assignment_probability": "t_subclass_assignment_probability",
}
_DROPPED: Final = re.compile(
    "Axon |Basal Dendrite |Project ID|Electrophysiology available|M/E/T available"
    "|Transcriptomics available|Apical Dendrite Status|Brain hemisphere"
    "|Neuron Reconstruction Type|Cell set accession ID"
)


def plain_name(header: str) -> str:
    """Return a header of the specimen metadata as a column name with its unit, if it has one."""
    unit = re.search(r" \((millivolts|picoamps)\)$", header)
    if unit:
        header = header[: unit.start()]
    name = re.sub(r" \((long square|ramp|short square)\)", r" \1", header)
    name = re.sub(r"[ /-]+", "_", name.lower())
    return _RENAMED.get(name, name) + (f"_{_UNITS[unit[1]]}" if unit else "")


def build_gouwens(upstream: Path, target: Path) -> None:
    """Build ``cells/gouwens2020_patchseq_mouse_vis.csv``: t-types, features, IPFX features."""
    path = upstream_file(upstream, *MORPH, "data/SpecimenMetadata.csv")
    table = read_upstream_table(path, needs=("Specimen ID", "T type sub-class", "T type"))
    check_unique(table, "Specimen ID", path)
    kept = [column for column in table.columns.astype(str) if not _DROPPED.match(column)]
    cells = table[kept].rename(columns=plain_name)
    cells.insert(1, "class", cells["t_subclass"].str.removesuffix(" interneuron"))

    path = upstream_file(upstream, *MORPH, "data/20200711_patchseq_metadata_mouse.csv")
    wanted = {
        "cell_specimen_id": "specimen_id",
        "structure": "structure_acronym",
        "donor_name": "donor_name",
    }
    donors = read_upstream_table(path, needs=tuple(wanted))
    check_unique(donors, "cell_specimen_id", path)
    donors = donors[list(wanted)].rename(columns=wanted)

    cells = cells.merge(donors, on="specimen_id", how="left")
    cells = cells.merge(_read_ipfx(upstream), on="specimen_id", how="left")
    cells = cells.sort_values(["class", "area", "layer", "specimen_id"])
    write_table(round_table(cells, 7), target / "cells/gouwens2020_patchseq_mouse_vis.csv")


def _read_ipfx(upstream: Path) -> pd.DataFrame:
    path = upstream_file(upstream, *SPLICING, "data/mappings/transcriptomic_id_to_specimen_id.json")
    specimen = {key: int(value) for key, value in read_upstream_json(path).items()}
    path = upstream_file(upstream, *SPLICING, "data/ephys_data_sc.csv")
    ipfx = read_upstream_table(path, needs=("cell_specimen_id", "input_resistance", "rheobase_i"))
    check_unique(ipfx, "cell_specimen_id", path)
    ids = ipfx.pop("cell_specimen_id").map(specimen)
    ipfx = ipfx.add_prefix("ipfx_").assign(specimen_id=ids)
    return ipfx[ipfx["specimen_id"].notna()].astype({"specimen_id": "int64"})


def build_berg(upstream: Path, target: Path) -> None:
    """Build ``cells/berg2021_patchseq_mouse_l23_pyramidal.csv``: mouse cells with recordings."""
    path = upstream_file(
        upstream, *HUMAN_L23, "data/mouse_IVSCC_excitatory_L23_consolidated_0129.csv"
    )
    names = {
        "SpecimenID": "specimen_id",
        "donor_mouse": "donor_mouse",
        "genotype_label": "genotype_label",
        "depth_from_pia_microns": "depth_from_pia_microns",
        "total_cortical_depth": "total_cortical_depth",
        "L23_depth_normalized": "L23_depth_normalized",
        "SeuratMapping": "t_type",
        "SeuratMappingScore": "t_type_score",
        "quality_score": "quality_score",
        "contam_sum": "contam_sum",
    }
    cells = read_upstream_table(path, needs=tuple(names))
    check_unique(cells, "SpecimenID", path)
    cells = cells[list(names)].rename(columns=names)
    cells.insert(1, "class", "Pyr")
    path = upstream_file(upstream, *HUMAN_L23, "data/human_mouse_ephys_all_0127.csv")
    features = read_upstream_table(path, needs=("specimen_id", "input_resistance", "rheobase_i"))
    check_unique(features, "specimen_id", path)
    measured = features.set_index("specimen_id").dropna(how="all")
    cells = cells.merge(measured, on="specimen_id", how="inner").sort_values("specimen_id")
    write_table(round_table(cells, 7), target / "cells/berg2021_patchseq_mouse_l23_pyramidal.csv")


def build_chartrand(upstream: Path, target: Path) -> None:
    """Build ``cells/chartrand2023_patchseq_mouse_vis_lamp5_l1types.csv``: visual areas only."""
    path = upstream_file(upstream, *HUMAN_L1, "data/mouse_l1_dataset_2023_02_06.csv")
    names = {
        "spec_id": "specimen_id",
        "subclass": "subclass",
        "t-type": "t_type",
        "structure_lims": "structure",
        "layer_ccf": "layer_ccf",
        "normalized_depth": "normalized_depth",
        "cre": "cre",
        "tx_qc": "tx_qc",
        "core_l1_type": "core_l1_type",
    }
    cells = read_upstream_table(path, needs=tuple(names))
    check_unique(cells, "spec_id", path)
    cells = cells[list(names)].rename(columns=names)
    cells = cells[cells["structure"].str.startswith("VIS", na=False)]

    path = upstream_file(upstream, *HUMAN_L1, "data/aibs_mouse_features_E.csv")
    unused = (
        *("blowout_mv_qc", "recording_date_qc", "fail_tags_qc", "failed_fx_long_squares"),
        *("failed_fx_short_squares", "failed_fx_ramps", "failed_fx_chirps"),
        "failed_fx_sweep_features",
    )
    features = read_upstream_table(path, needs=("cell_name", "input_resistance", *unused))
    check_unique(features, "cell_name", path)
    features = features.rename(columns={"cell_name": "specimen_id"}).drop(columns=list(unused))
    cells = cells.merge(features, on="specimen_id", how="inner")
    path = upstream_file(upstream, *MORPH, "data/SpecimenMetadata.csv")
    gouwens = read_upstream_table(path, needs=("Specimen ID",))["Specimen ID"]
    shared = cells["specimen_id"].isin(gouwens).rename("in_gouwens2020")
    cells = pd.concat([cells, shared], axis=1)
    cells = cells.sort_values(["subclass", "structure", "specimen_id"])
    name = "cells/chartrand2023_patchseq_mouse_vis_lamp5_l1types.csv"
    write_table(round_table(cells, 6), target / name)


SCALA_FILES: Final = {
    "room_temp": ("m1_patchseq_meta_data.csv", "m1_patchseq_ephys_features.csv"),
    "34C": ("m1_patchseq_phys_temp_meta_data.csv", "m1_patchseq_phys_temp_ephys_features.csv"),
}


def build_scala(upstream: Path, target: Path) -> None:
    """Build the two ``cells/scala2021_patchseq_mouse_m1_*.csv``: motor cortex, 25 and 34 °C."""
    kept = ["Cell", "Mouse", "Mouse age", "Targeted layer", "Inferred layer", "Cre", "RNA family"]
    kept += ["RNA type", "RNA type confidence", "Length (bp)", "Soma depth (µm)"]
    kept += ["Cortical thickness (µm)", "Exclusion reasons"]
    for temperature, (metadata, measured) in SCALA_FILES.items():
        path = upstream_file(upstream, *MINI_ATLAS, f"data/{metadata}")
        cells = read_upstream_table(path, needs=tuple(kept), sep="\t")
        check_unique(cells, "Cell", path)
        path = upstream_file(upstream, *MINI_ATLAS, f"data/{measured}")
        features = read_upstream_table(path, needs=("cell id", "Rheobase (pA)"))
        check_unique(features, "cell id", path)
        cells = cells[kept].merge(features, left_on="Cell", right_on="cell id", how="inner")
        name = f"cells/scala2021_patchseq_mouse_m1_{temperature}.csv"
        write_table(round_table(cells, 6), target / name)
