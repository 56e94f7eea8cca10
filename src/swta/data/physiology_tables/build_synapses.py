"""Building the tables of synapses that paired recordings gave."""

from __future__ import annotations

import csv
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from swta.data.physiology_tables.notebooks import read_printed_table
from swta.data.physiology_tables.reading import TableError
from swta.data.physiology_tables.writing import upstream_file, write_table

DOCUMENTS: Final = ("AllenInstitute/aisynphys", "545a990ee171e6c0d23dd4bba413e1ccbf2f0853")
FIGURES: Final = ("AllenInstitute/aisynphys", "489c43a29f53ec24f9b1c05ff05a8800458640a0")
NDNF: Final = (
    "LNaumann/NDNF_control_inhibition_Naumann25",
    "e4d2c6ef013bddb6f8bc72a1709c1942cf3fb0ae",
)

CLASSES: Final = ("Pyr", "Pvalb", "Sst", "Vip")
_STATISTICS: Final = {
    "count": "n",
    "mean": "mean",
    "std": "sd",
    "min": "min",
    "25%": "q25",
    "50%": "median",
    "75%": "q75",
    "max": "max",
}
_KINETICS: Final = "doc/figure_notebooks/figure_03_strength_kinetics.ipynb"
_DYNAMICS: Final = "doc/figure_notebooks/figure_04_dynamics.ipynb"
ELECTRICAL: Final = "doc/figure_notebooks/figure_s04_electrical_connections.ipynb"
PLASTICITY: Final = "doc/short_term_plasticity.ipynb"
TUTORIAL: Final = "doc/tutorial.ipynb"

# Metric -> notebook, name of its table there, unit here and factor to it (s, V upstream).
DESCRIBED: Final = {
    "latency": (_KINETICS, "latency_df", "ms", 1e3),
    "psp_rise_time": (_KINETICS, "rise_df", "ms", 1e3),
    "psp_decay_tau": (_KINETICS, "decay_df", "ms", 1e3),
    "psp_amplitude": (_KINETICS, "rs_df", "mV", 1e3),
    "pulse_amp_90th_percentile": (_KINETICS, "max_df", "mV", 1e3),
    "stp_induction_50hz": (_DYNAMICS, "stp_df", "ratio", 1.0),
}


def build_connection_counts(upstream: Path, target: Path) -> None:
    """Build ``synapses/synphys_connection_counts_l23.csv`` from the labels of two figures.

    The counts stand in the pictures of the notebooks only; they are bundled as read from there
    (``figure_labels.csv``). Proportions and 95 % Clopper-Pearson intervals are computed.
    """
    rows = []
    for label in read_figure_labels("connections_l23"):
        connected, probed = (int(count) for count in label["label"].split("/"))
        low, high = clopper_pearson(connected, probed)
        name = Path(label["notebook"]).stem
        rows.append(
            {
                "snapshot": f"aisynphys_doc_{name}_{DOCUMENTS[1][:7]}",
                "pre": label["pre"],
                "post": label["post"],
                "layer": "2/3",
                "n_connected": connected,
                "n_probed": probed,
                "p": round(connected / probed, 4),
                "ci95_low": round(low, 4),
                "ci95_high": round(high, 4),
            }
        )
    write_table(pd.DataFrame(rows), target / "synapses/synphys_connection_counts_l23.csv")


def clopper_pearson(successes: int, trials: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return the exact confidence interval of a proportion (Clopper and Pearson 1934)."""
    from scipy.stats import beta

    tail = (1 - level) / 2
    low = beta.ppf(tail, successes, trials - successes + 1) if successes else 0.0
    high = beta.ppf(1 - tail, successes + 1, trials - successes) if successes < trials else 1.0
    return float(low), float(high)


def read_figure_labels(metric: str) -> list[dict[str, str]]:
    """Read what stands on the matrices of upstream figures for ``metric``, as it is printed."""
    bundled = resources.files("swta.data") / "bundled_tables" / "figure_labels.csv"
    lines = bundled.read_text(encoding="utf-8").splitlines()
    return [row for row in csv.DictReader(lines) if row["metric"] == metric]


def build_synapse_statistics(upstream: Path, target: Path) -> None:
    """Build ``synapses/synphys_synapse_stats_by_class.csv`` from printed descriptions."""
    rows = []
    for metric, (notebook, frame, unit, factor) in DESCRIBED.items():
        path = upstream_file(upstream, *FIGURES, notebook)
        source = f"{frame}.groupby(['pre_class', 'post_class']).describe()['{metric}']"
        for pre, post, *values in _read_described(path, source, labels=2):
            rows.append([metric, unit, pre, post, *_scale(values, factor, decimals=4)])
    _write_described(rows, target / "synapses/synphys_synapse_stats_by_class.csv")


def build_electrical_synapses(upstream: Path, target: Path) -> None:
    """Build ``synapses/synphys_electrical_synapses.csv`` from printed descriptions."""
    path = upstream_file(upstream, *FIGURES, ELECTRICAL)
    rows = []
    for metric, unit, column in (
        ("coupling_coefficient", "ratio", "coupling_coeff_pulse"),
        ("junctional_conductance", "nS", "junctional_conductance"),
    ):
        source = f"gap_pairs.groupby('pair_class').describe()['gap_junction.{column}']"
        for pair, *values in _read_described(path, source, labels=1):
            pre, _, post = pair.partition("→")
            rows.append([metric, unit, pre, post, *_scale(values, 1.0, decimals=5)])
    _write_described(rows, target / "synapses/synphys_electrical_synapses.csv")


def _read_described(path: Path, source: str, *, labels: int) -> list[list[str]]:
    header, _, *rows = read_printed_table(path, source)
    if tuple(header[labels:]) != tuple(_STATISTICS):
        raise TableError(f"{path}: the table of {source!r} has the columns {header[labels:]}")
    return rows


def _scale(values: list[str], factor: float, *, decimals: int) -> list[float]:
    # NumPy rounds a printed tie to the even neighbour, where Python looks at the binary value.
    scaled = np.round(np.array(values[1:], dtype=float) * factor, decimals)
    return [float(values[0]), *scaled.tolist()]


def _write_described(rows: list[list[object]], path: Path) -> None:
    table = pd.DataFrame(rows, columns=["metric", "unit", "pre", "post", *_STATISTICS.values()])
    write_table(table.astype({"n": int}), path)


def build_pooled_matrices(upstream: Path, target: Path) -> None:
    """Build ``synapses/synphys_pooled_matrices.csv``: class-by-class means, printed or labelled."""
    plasticity = upstream_file(upstream, *DOCUMENTS, PLASTICITY)
    tutorial = upstream_file(upstream, *DOCUMENTS, TUTORIAL)
    rows = _read_matrix(
        plasticity, "stp = pairs.pivot_table(", ("stp_induction_50hz", "ratio"), PLASTICITY, 1.0
    )
    rows += _read_matrix(
        plasticity,
        "var = pairs.pivot_table(",
        ("variability_resting_state", "log(aCV)"),
        PLASTICITY,
        1.0,
    )
    for metric in ("stp_recovery_250ms", "pulse_amp_90th_percentile", "psc_rise_time"):
        for label in read_figure_labels(metric):
            origin = f"{label['notebook']} (labels in figure)"
            pair = (label["pre"], label["post"])
            rows.append((metric, label["unit"], "mean", *pair, float(label["label"]), origin))
    rows += _read_matrix(
        tutorial, "latency = synapses.pivot_table(", ("latency_l23_only", "ms"), TUTORIAL, 1e3
    )
    columns = ["metric", "unit", "statistic", "pre", "post", "value", "source"]
    table = pd.DataFrame(rows, columns=columns)
    write_table(table, target / "synapses/synphys_pooled_matrices.csv")


def _read_matrix(
    path: Path, source: str, quantity: tuple[str, str], notebook: str, factor: float
) -> list[tuple[str, str, str, str, str, float, str]]:
    _, _, *rows = read_printed_table(path, source)
    if len(rows) != len(CLASSES) or any(len(row) != len(CLASSES) + 1 for row in rows):
        raise TableError(f"{path}: the table of {source!r} is not {len(CLASSES)} classes square")
    origin = f"{notebook} (printed table)"
    return [
        (*quantity, "mean", pre, post, round(float(value) * factor, 6), origin)
        for pre, (_, *values) in zip(CLASSES, rows, strict=True)
        for post, value in zip(CLASSES, values, strict=True)
        if value != "NaN"
    ]


def build_ndnf(upstream: Path, target: Path) -> None:
    """Build ``synapses/ndnf_som_input_naumann2025.csv``: three of the sheet's blocks."""
    path = upstream_file(upstream, *NDNF, "data_ephys.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        lines = list(csv.reader(stream))
    rows = []
    for quantity, unit, title in (
        ("som_to_ndnf_ppr_10hz", "ratio", "10 Hz Paired Pulse Recordings in NDNF INs"),
        ("som_to_ndnf_ppr_20hz", "ratio", "20 Hz Paired Pulse Recordings in NDNF INs"),
        (
            "som_to_ndnf_first_psc_amplitude",
            "pA",
            "10 Hz Paired Pulse Recordings in NDNF INs - Mean PSC Amplitude 1st peak",
        ),
    ):
        for cell, *values in _read_block(lines, title, path):
            rows.append([quantity, unit, int(cell), *(float(value) for value in values)])
    columns = ["quantity", "unit", "ndnf_cell", "control", "baclofen", "cgp"]
    table = pd.DataFrame(rows, columns=columns)
    write_table(table, target / "synapses/ndnf_som_input_naumann2025.csv")


def _read_block(lines: list[list[str]], title: str, path: Path) -> list[list[str]]:
    found = [number for number, line in enumerate(lines) if title in line]
    if len(found) != 1:
        raise TableError(f"{path}: {len(found)} blocks {title!r}; expected one")
    start = found[0] + 2
    if lines[start][:4] != ["NDNF IN Nr", "Control", "Baclofen", "CGP"]:
        raise TableError(f"{path}, line {start + 1}: not the header of {title!r}")
    block = []
    for line in lines[start + 1 :]:
        if not line or not line[0]:
            break
        block.append(line[:4])
    return block
