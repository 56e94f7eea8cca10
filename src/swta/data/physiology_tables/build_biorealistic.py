"""Building the synapse tables of the Allen V1 model."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Final

import pandas as pd

from swta.data.physiology_tables.reading import TableError
from swta.data.physiology_tables.writing import (
    read_field,
    read_upstream_json,
    read_upstream_table,
    upstream_file,
    write_table,
)

REPOSITORY: Final = "AllenInstitute/biorealistic-v1-model"
COMMIT: Final = "330276625b95462710bc57791b6e8b077d2f0ff6"
COPIED: Final = (
    *("amp_slow", "b_ratio", "cell_type_naming_scheme", "pmax_matrix_v1dd"),
    *("psp_lookup_table", "sigma", "syn_types_latency", "tau_syn_fast", "tau_syn_slow"),
)
# Date of the version, commit and file; the model's history is the source.
VERSIONS: Final = (
    ("2022-01-26", "a15d8e1685de8fff0f949c272255f7bb680ac10b", "base_props/v1_conn_props_new.json"),
    ("2023-02-01", "3204c8b4f7b0c91f29075e2fd9a4f6fe77fdc7da", "base_props/v1_conn_props_new.json"),
    (
        "2023-06-07",
        "3a9530844bd9ca636178733f09e2f24652e1d9f5",
        "base_props/v1_conn_props_March28_2023.json",
    ),
    (
        "2024-06-06",
        "03edab96b8a8c95d0723b0e71d477e41a660351e",
        "base_props/v1_conn_props_April2.json",
    ),
)
_POPULATIONS: Final = {
    "L1 Htr3a": "i1Htr3a",
    "Pyr": "e23Cux2",
    "Pvalb": "i23Pvalb",
    "Sst": "i23Sst",
    "Vip": "i23Vip",
}


def build_copies(upstream: Path, target: Path) -> None:
    """Build the tables that are upstream tables with commas instead of blanks."""
    for name in COPIED:
        path = upstream_file(upstream, REPOSITORY, COMMIT, f"base_props/{name}.csv")
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream, delimiter=" "))
        if not rows or any(len(row) != len(rows[0]) for row in rows):
            raise TableError(f"{path}: lines of different length; fetch it again")
        copy = target / f"synapses/biorealistic_v1/{name}.csv"
        copy.parent.mkdir(parents=True, exist_ok=True)
        with copy.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows(rows)


def build_psp_characterization(upstream: Path, target: Path) -> None:
    """Build ``biorealistic_v1/psp_characterization.csv``: mV, six decimals, empty lists blank."""
    path = upstream_file(upstream, REPOSITORY, COMMIT, "base_props/psp_characterization.csv")
    text = ("connection", "pre", "post", "syntype")
    table = read_upstream_table(
        path, needs=(*text, "median_resting", "median_90th"), sep=" ", na_values=["[]"]
    )
    numbers = [column for column in table.columns.astype(str) if column not in text]
    table[numbers] = table[numbers].astype(float).round(6)
    write_table(table, target / "synapses/biorealistic_v1/psp_characterization.csv")


def build_connection_versions(upstream: Path, target: Path) -> None:
    """Build ``biorealistic_v1/conn_props_l23_by_version.csv``: L2/3 and L1, four versions."""
    rows = []
    for version, commit, name in VERSIONS:
        path = upstream_file(upstream, REPOSITORY, commit, name)
        pairs = read_upstream_json(path)
        for pre, source in _POPULATIONS.items():
            for post, sink in _POPULATIONS.items():
                pair = read_field(pairs, path, f"{source}-{sink}")
                probability = _only(read_field(pair, path, "A_literature"))
                rows.append(
                    {
                        "version": version,
                        "commit": commit,
                        "path": name,
                        "pre": pre,
                        "post": post,
                        "probability": round(float(probability), 4),
                        "is_pmax": float(read_field(pair, path, "is_pmax")),
                        "R0_um": read_field(pair, path, "R0"),
                        "sigma_um": read_field(pair, path, "sigma"),
                        "b_ratio": _only(read_field(pair, path, "B_ratio")),
                    }
                )
    name = "synapses/biorealistic_v1/conn_props_l23_by_version.csv"
    write_table(pd.DataFrame(rows), target / name)


def _only(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value
