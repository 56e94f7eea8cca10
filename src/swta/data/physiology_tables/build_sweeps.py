"""Building the current-step table and the raw trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from swta.data.physiology_tables.build_cells import read_specimens
from swta.data.physiology_tables.reading import TableError
from swta.data.physiology_tables.writing import (
    read_field,
    read_upstream_json,
    upstream_folder,
    write_table,
)

NEUROML: Final = (
    "OpenSourceBrain/AllenInstituteNeuroML",
    "4cf57e7f8f7e61fdaf551ef8f2ec84010a81b3a9",
)
NEURO_PROJECT: Final = ("willr292/Neuro-Project", "b0674090b16f1bf779dd734b8352a9d25c96d9bd")

_ANALYSED: Final = {  # name in the analysis files -> column
    "max_peak_no": "n_spikes",
    "mean_spike_frequency": "mean_rate_hz",
    "first_spike_time": "first_spike_time_ms",
    "interspike_time_covar": "isi_covar",
    "spike_frequency_adaptation": "sfa",
    "average_1000_1200": "v_steady_mV",
    "minimum": "v_min_mV",
    "maximum": "v_max_mV",
    "average_last_1percent": "v_baseline_end_mV",
}
_LISTED: Final = {  # name in the Allen sweep lists -> column
    "sweep_number": "sweep_number",
    "stimulus_absolute_amplitude": "current_pA",
    "num_spikes": "n_spikes",
    "stimulus_duration": "stim_duration_s",
    "pre_vm_mv": "pre_vm_mV",
    "bridge_balance_mohm": "bridge_balance_mohm",
    "leak_pa": "leak_pA",
}
_COLUMNS: Final = (
    *("specimen_id", "class", "line_name", "area", "layer", "dendrite_type", "sweep_number"),
    *("current_pA", *_ANALYSED.values(), "source"),
    *("stim_duration_s", "pre_vm_mV", "bridge_balance_mohm", "leak_pA"),
)


def build_sweeps(upstream: Path, target: Path) -> None:
    """Build ``fi/allen_long_square_sweeps.csv``: one row for every 1-s current step of a cell.

    Analysed sweeps come first; a sweep list is used only for cells that no earlier source has.
    """
    sweeps = _read_analyses(upstream)
    sweeps += _read_lists(
        upstream_folder(upstream, *NEUROML, "CellTypesDatabase/models/GLIF"),
        "allen_sweeps",
        known={row["specimen_id"] for row in sweeps},
        digits=6,
    )
    specimens = read_specimens(upstream).set_index("specimen_id")
    sweeps += _read_lists(
        upstream_folder(upstream, *NEURO_PROJECT, "."),
        "allen_sweeps_neuroproject",
        known={row["specimen_id"] for row in sweeps},
        only=set(specimens.index),
    )
    table = pd.DataFrame(sweeps).join(
        specimens[["class", "line_name", "area", "layer", "dendrite_type"]], on="specimen_id"
    )
    table = table[list(_COLUMNS)].sort_values(
        ["class", "area", "layer", "specimen_id", "current_pA"]
    )
    write_table(table, target / "fi/allen_long_square_sweeps.csv")


def _read_analyses(upstream: Path) -> list[dict[str, Any]]:
    folder = upstream_folder(upstream, *NEUROML, "CellTypesDatabase/data/bulk_analysis")
    rows = []
    for path in sorted(folder.glob("*_analysis.json")):
        cell = read_upstream_json(path)
        for number, sweep in read_field(cell, path, "sweeps").items():
            measured = read_field(sweep, path, "pyelectro_iclamp_analysis")
            current = read_field(sweep, path, "sweep_metadata", "aibs_stimulus_amplitude_pa")
            row: dict[str, Any] = {
                "specimen_id": int(read_field(cell, path, "data_set_id")),
                "sweep_number": int(number),
                "current_pA": round(current, 1),
                "source": "osb_bulk",
            }
            for name, column in _ANALYSED.items():
                value = measured.get(f"{number}:{name}")
                row[column] = value if column == "n_spikes" else _round(value, 6)
            rows.append(row)
    if not rows:
        raise TableError(f"{folder}: no analysis files; fetch them again")
    return rows


def _read_lists(
    folder: Path,
    source: str,
    *,
    known: set[int],
    only: set[int] | None = None,
    digits: int = 17,
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path in sorted(folder.rglob("ephys_sweeps.json")):
        listed = read_upstream_json(path)
        specimen = int(read_field(listed[0], path, "specimen_id"))
        if specimen in known or (only is not None and specimen not in only):
            continue
        known = known | {specimen}
        for sweep in listed:
            if read_field(sweep, path, "stimulus_name") != "Long Square":
                continue
            row = {column: read_field(sweep, path, name) for name, column in _LISTED.items()}
            for column in ("stim_duration_s", "pre_vm_mV", "bridge_balance_mohm", "leak_pA"):
                row[column] = _round(row[column], digits)
            row["current_pA"] = round(row["current_pA"], 1)
            row["n_spikes"] = row["n_spikes"] or 0  # null: the sweep has no spike
            rows.append({"specimen_id": specimen, "source": source, **row})
    return rows


def _round(value: float | None, digits: int) -> float:
    return np.nan if value is None else float(f"{value:.{digits}g}")
