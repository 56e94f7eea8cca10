"""Building the tables of point-neuron models that others fitted to the same cells."""

from __future__ import annotations

import json
import re
import tarfile
import zlib
from pathlib import Path
from typing import Any, Final

import pandas as pd

from swta.data.physiology_tables.build_cells import read_specimens
from swta.data.physiology_tables.reading import TableError
from swta.data.physiology_tables.sources import TEETER, TEETER_ARCHIVE
from swta.data.physiology_tables.writing import (
    check_unique,
    read_field,
    read_upstream_json,
    read_upstream_table,
    round_table,
    upstream_file,
    upstream_folder,
    write_table,
)

V1_GLIF: Final = ("JavierGalvan9/V1_GLIF_model", "bcb499f74f4dec1b2f9a3d5af2edcd9a6164bbed")
BIOREALISTIC: Final = (
    "AllenInstitute/biorealistic-v1-model",
    "330276625b95462710bc57791b6e8b077d2f0ff6",
)

_MEMBER: Final = re.compile(
    r"mouse_struc_data_dir/(\d+)_([^/]+)/\1_\2_"
    r"(preprocessor_values|GLIF\d_neuron_config|GLIF\d_exp_var_ratio_10ms)\.json"
)
# Preprocessor value -> column and factor to its unit (V, ohm, F and A upstream).
_PREPROCESSED: Final[dict[str, tuple[tuple[str, ...], float]]] = {
    "El_mV": (("El", "El_noise", "measured", "mean"), 1e3),
    "R_MOhm": (("resistance", "R_test_list", "mean"), 1e-6),
    "R_asc_fit_MOhm": (("resistance", "R_fit_ASC_and_R", "mean"), 1e-6),
    "R_long_square_MOhm": (("resistance", "R_from_lims", "value"), 1e-6),
    "C_pF": (("capacitance", "C_test_list", "mean"), 1e12),
    "C_long_square_pF": (("capacitance", "C_from_lims", "value"), 1e12),
    "th_inf_abs_mV": (("th_inf", "via_Vmeasure", "value"), 1e3),
    "th_inf_rel_mV": (("th_inf", "via_Vmeasure", "from_zero"), 1e3),
    # samples of 0.05 ms
    "spike_cut_ms": (("spike_cut_length", "no deltaV shift", "length"), 0.05),
    "reset_slope": (("spike_cut_length", "no deltaV shift", "slope"), 1.0),
    "reset_intercept_mV": (("spike_cut_length", "no deltaV shift", "intercept"), 1e3),
    "a_spike_mV": (("threshold_adaptation", "a_spike_component_of_threshold"), 1e3),
    "b_spike_per_s": (("threshold_adaptation", "b_spike_component_of_threshold"), 1.0),
    "a_voltage_per_s": (("threshold_adaptation", "a_voltage_comp_of_thr_from_fitab"), 1.0),
    "b_voltage_per_s": (("threshold_adaptation", "b_voltage_comp_of_thr_from_fitab"), 1.0),
}
_MAX_A_SPIKE_MV: Final = 1000.0  # a fit of zero, or that ran away, is left blank
_MODEL_ORDER: Final = (1, 3, 2, 4, 5)


def build_teeter(upstream: Path, target: Path) -> None:
    """Build ``models/teeter2018_glif_mouse.csv``: measured and fitted GLIF values of each cell."""
    archive = upstream_file(upstream, *TEETER, TEETER_ARCHIVE)
    rows = [
        _describe_cell(specimen, cre, files, archive)
        for (specimen, cre), files in _read_cells(archive).items()
    ]
    if not rows:
        raise TableError(f"{archive}: no cells in it; fetch it again")
    specimens = read_specimens(upstream).set_index("specimen_id")
    table = pd.DataFrame(rows).join(
        specimens[["class", "area", "layer", "dendrite_type"]], on="specimen_id"
    )
    table["tau_ms"] = table["R_MOhm"] * table["C_pF"] / 1000  # MΩ pF = µs
    table["a_spike_mV"] = table["a_spike_mV"].where(
        table["a_spike_mV"].between(0, _MAX_A_SPIKE_MV, inclusive="right")
    )
    fitted = [f"GLIF{m}_{what}" for m in _MODEL_ORDER for what in _FITTED]
    table = table[
        [
            *("specimen_id", "cre", "class", "area", "layer", "dendrite_type", *_PREPROCESSED),
            *("asc1_pA", "asc2_pA", "asc1_tau_ms", "asc2_tau_ms", *fitted, "tau_ms"),
        ]
    ].sort_values(["class", "area", "layer", "specimen_id"])
    write_table(round_table(table, 7), target / "models/teeter2018_glif_mouse.csv")


_FITTED: Final = ("th_inf_opt_rel_mV", "expvar_noise2")


def _read_cells(archive: Path) -> dict[tuple[str, str], dict[str, Any]]:
    cells: dict[tuple[str, str], dict[str, Any]] = {}
    try:
        with tarfile.open(archive, "r|gz") as members:
            for member in members:
                found = _MEMBER.fullmatch(member.name.partition("/")[2])
                stream = members.extractfile(member) if found and member.isfile() else None
                if found and stream is not None:
                    specimen, cre, kind = found.groups()
                    cells.setdefault((specimen, cre), {})[kind] = json.loads(stream.read())
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError) as error:
        raise TableError(
            f"{archive}: cannot be read to the end ({error}); fetch it again"
        ) from error
    return dict(sorted(cells.items()))


def _describe_cell(specimen: str, cre: str, files: dict[str, Any], archive: Path) -> dict[str, Any]:
    origin = f"{archive}, cell {specimen}"
    values = read_field(files, origin, "preprocessor_values")
    row: dict[str, Any] = {"specimen_id": int(specimen), "cre": cre}
    for column, (path, factor) in _PREPROCESSED.items():
        value = read_field(values, origin, *path)
        row[column] = None if value is None else value * factor
    amplitudes = read_field(values, origin, "asc", "amp")
    rates = read_field(values, origin, "asc", "k")
    for number, (amplitude, rate) in enumerate(zip(amplitudes, rates, strict=True), start=1):
        row[f"asc{number}_pA"] = amplitude * 1e12
        row[f"asc{number}_tau_ms"] = 1e3 / rate
    for model in _MODEL_ORDER:
        if f"GLIF{model}_neuron_config" not in files:
            row |= {f"GLIF{model}_{what}": None for what in _FITTED}
            continue
        config = files[f"GLIF{model}_neuron_config"]
        threshold = read_field(config, origin, "th_inf")
        scale = read_field(config, origin, "coeffs", "th_inf")
        fit = read_field(files, origin, f"GLIF{model}_exp_var_ratio_10ms", "after_opt")
        row[f"GLIF{model}_th_inf_opt_rel_mV"] = threshold * scale * 1e3
        row[f"GLIF{model}_expvar_noise2"] = fit["noise_2"]
    return row


def build_v1_glif3(upstream: Path, target: Path) -> None:
    """Build ``models/v1_glif3_models.csv``: the GLIF3 point neurons of the Allen V1 model."""
    folder = upstream_folder(upstream, *V1_GLIF, "GLIF_network/components/cell_models")
    rows = []
    for path in sorted(folder.glob("*_glif_lif_asc_config.json")):
        model = read_upstream_json(path)
        rows.append(
            {"specimen_id": int(path.name.partition("_")[0]), **_describe_model(model, path)}
        )
    if not rows:
        raise TableError(f"{folder}: no models in it; fetch them again")
    path = upstream_file(upstream, *BIOREALISTIC, "Rheobase_slope.csv")
    names = {
        "node_type_id": "specimen_id",
        "pop_name": "pop_name",
        "rheobase": "model_rheobase_pA",
        "slope": "model_fi_slope_hz_per_pA",
    }
    responses = read_upstream_table(path, needs=tuple(names))
    check_unique(responses, "node_type_id", path)
    responses = responses[list(names)].rename(columns=names).set_index("specimen_id")
    specimens = read_specimens(upstream).set_index("specimen_id")
    models = pd.DataFrame(rows)
    table = models.join(responses, on="specimen_id").join(
        specimens[["line_name", "area", "layer"]], on="specimen_id"
    )
    measured = [column for column in models if column != "specimen_id"]
    first = ["specimen_id", "pop_name", "line_name", "area", "layer"]
    last = ["model_rheobase_pA", "model_fi_slope_hz_per_pA"]
    table = table[first + measured + last].sort_values(["pop_name", "specimen_id"])
    write_table(round_table(table, 7), target / "models/v1_glif3_models.csv")


def _describe_model(model: dict[str, Any], path: Path) -> dict[str, float]:
    origin = str(path)
    capacitance, conductance = read_field(model, origin, "C_m"), read_field(model, origin, "g")
    amplitudes = read_field(model, origin, "asc_amps")
    decays = read_field(model, origin, "asc_decay")
    return {
        "E_L_mV": read_field(model, origin, "E_L"),
        "V_th_mV": read_field(model, origin, "V_th"),
        "V_reset_mV": read_field(model, origin, "V_reset"),
        "g_nS": conductance,
        "C_m_pF": capacitance,
        "tau_m_ms": capacitance / conductance,
        "t_ref_ms": read_field(model, origin, "t_ref"),
        "asc1_amp_pA": amplitudes[0],
        "asc2_amp_pA": amplitudes[1],
        "asc1_decay_per_ms": decays[0],
        "asc2_decay_per_ms": decays[1],
    }
