"""Building the class summary: n, median and quartiles of each feature per class and selection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pandas as pd

from swta.data.physiology_tables.reading import read_table
from swta.data.physiology_tables.schemas import SCHEMAS
from swta.data.physiology_tables.writing import round_significant, write_table

_FIVE: Final = ("Pyr", "Pvalb", "Sst", "Vip", "Lamp5")
# Allen Cell Types: drivers of upper-layer pyramidal cells proper.
_UPPER_LINES: Final = ("Cux2-CreERT2", "Nr5a1-Cre", "Rorb-IRES2-Cre", "Slc17a6-IRES-Cre")

_FLAT_HZ_PER_PA: Final = 1e-12  # a fit through equal rates leaves rounding noise, 1e-18

Features = dict[str, Callable[[pd.DataFrame], pd.Series]]


def _column(name: str, factor: float = 1.0) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda cells: cells[name] * factor


def _difference(first: str, second: str) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda cells: cells[first] - cells[second]


def _sum(first: str, second: str) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda cells: cells[first] + cells[second]


def _derived(rest: str, threshold: str, ahp: Callable[[pd.DataFrame], pd.Series]) -> Features:
    return {
        "threshold_minus_rest_mV": _difference(threshold, rest),
        "ahp_depth_mV": ahp,
    }


_CELL_TYPES: Final[Features] = {
    "v_rest_mV": _column("vrest"),
    "input_resistance_MOhm": _column("ri"),
    "tau_ms": _column("tau"),
    "rheobase_pA": _column("threshold_i_long_square"),
    "threshold_v_mV": _column("threshold_v_long_square"),
    "fi_slope_hz_per_pA": _column("f_i_curve_slope"),
    "adaptation_index": _column("adaptation"),
    "isi_rate_at_hero_hz": _column("avg_firing_rate"),
    "latency_hero_ms": _column("latency", 1e3),
    "sag_ratio": _column("sag"),
    "fast_trough_v_mV": _column("fast_trough_v_long_square"),
    "peak_v_mV": _column("peak_v_long_square"),
    "upstroke_downstroke_ratio": _column("upstroke_downstroke_ratio_long_square"),
    "capacitance_pF": lambda cells: cells["tau"] / cells["ri"] * 1e3,
    **_derived(
        "vrest",
        "threshold_v_long_square",
        _difference("threshold_v_long_square", "fast_trough_v_long_square"),
    ),
}
_GOUWENS: Final[Features] = {
    "v_rest_mV": _column("vrest_mV"),
    "input_resistance_MOhm": _column("ipfx_input_resistance"),
    "tau_ms": _column("tau"),
    "rheobase_pA": _column("threshold_i_long_square_pA"),
    "threshold_v_mV": _column("threshold_v_long_square_mV"),
    "fi_slope_hz_per_pA": _column("f_i_curve_slope"),
    "adaptation_index": _column("adaptation"),
    "hero_current_pA": _column("ipfx_hero_stim_amp"),
    "hero_rate_hz": _column("ipfx_hero_avg_rate"),
    "hero_first_isi_ms": _column("ipfx_hero_first_isi", 1e3),
    "latency_hero_ms": _column("latency", 1e3),
    "sag_ratio": _column("sag"),
    "fast_trough_v_mV": _column("fast_trough_v_long_square_mV"),
    "peak_v_mV": _column("peak_v_long_square_mV"),
    "upstroke_downstroke_ratio": _column("upstroke_downstroke_ratio_long_square"),
    "ap_width_ms": _column("ipfx_rheo_width", 1e3),
    "capacitance_pF": lambda cells: cells["tau"] / cells["ipfx_input_resistance"] * 1e3,
    **_derived(
        "vrest_mV",
        "threshold_v_long_square_mV",
        _difference("threshold_v_long_square_mV", "fast_trough_v_long_square_mV"),
    ),
}
_BERG: Final[Features] = {
    "v_rest_mV": _column("v_baseline"),
    "input_resistance_MOhm": _column("input_resistance"),
    "tau_ms": _column("tau", 1e3),
    "rheobase_pA": _column("rheobase_i"),
    "threshold_v_mV": _column("threshold_v_long_square"),
    "fi_slope_hz_per_pA": _column("fi_fit_slope"),
    "adaptation_index": _column("adapt_mean"),
    "hero_rate_hz": _column("avg_rate_hero"),
    "latency_rheobase_ms": _column("latency_rheo", 1e3),
    "sag_ratio": _column("sag"),
    "fast_trough_v_mV": _sum("threshold_v_long_square", "fast_trough_v_long_square_rel"),
    "peak_v_mV": _sum("threshold_v_long_square", "peak_v_long_square_rel"),
    "upstroke_downstroke_ratio": _column("upstroke_downstroke_ratio_long_square"),
    "ap_width_ms": _column("width_long_square", 1e3),
    "capacitance_pF": lambda cells: cells["tau"] / cells["input_resistance"] * 1e6,
    **_derived(
        "v_baseline", "threshold_v_long_square", _column("fast_trough_v_long_square_rel", -1.0)
    ),
}
_CHARTRAND: Final[Features] = {
    "v_rest_mV": _column("v_baseline"),
    "input_resistance_MOhm": _column("input_resistance"),
    "tau_ms": _column("tau", 1e3),
    "rheobase_pA": _column("rheobase_i"),
    "threshold_v_mV": _column("threshold_v_rheo"),
    "fi_slope_hz_per_pA": _column("fi_fit_slope"),
    "adaptation_index": _column("adapt_hero"),
    "hero_rate_hz": _column("avg_rate_hero"),
    "max_rate_hz": _column("avg_rate_max"),
    "latency_rheobase_ms": _column("latency_rheo", 1e3),
    "sag_ratio": _column("sag"),
    "fast_trough_v_mV": _column("fast_trough_v_rheo"),
    "peak_v_mV": _column("peak_v_rheo"),
    "ap_width_ms": _column("width_rheo", 1e3),
    "capacitance_pF": lambda cells: cells["tau"] / cells["input_resistance"] * 1e6,
    **_derived(
        "v_baseline", "threshold_v_rheo", _difference("threshold_v_rheo", "fast_trough_v_rheo")
    ),
}
_TEETER: Final[Features] = {
    name: _column(name)
    for name in (
        *("C_pF", "R_MOhm", "tau_ms", "El_mV", "th_inf_rel_mV", "th_inf_abs_mV"),
        *("spike_cut_ms", "asc1_pA", "asc2_pA", "GLIF3_expvar_noise2"),
    )
}


def build_class_summary(upstream: Path, target: Path) -> None:
    """Build ``class_summary.csv`` from the tables of cells that are already in ``target``."""
    cells = _read(target, "cells/allen_cell_types_mouse")
    visp = cells[cells["area"] == "VISp"]
    upper = visp[visp["layer"] == "2/3"]
    rows = _summarise(upper, "allen_cell_types", "VISp L2/3", _CELL_TYPES)
    rows += _summarise(
        upper[upper["line_name"].isin(_UPPER_LINES)],
        "allen_cell_types",
        "VISp L2/3 Cux2/Nr5a1/Rorb/Slc17a6 only",
        _CELL_TYPES,
        classes=("Pyr",),
    )
    rows += _summarise(visp, "allen_cell_types", "VISp all layers", _CELL_TYPES)
    rows += _summarise(
        visp[visp["layer"] == "1"], "allen_cell_types", "VISp L1", _CELL_TYPES, classes=("Lamp5",)
    )

    cells = _read(target, "cells/gouwens2020_patchseq_mouse_vis")
    visp = cells[cells["area"] == "VISp"]
    for layer, classes in (("2/3", (*_FIVE[1:], "Sncg")), ("1", ("Lamp5",))):
        chosen = visp[visp["layer"] == layer]
        rows += _summarise(
            chosen, "gouwens2020_patchseq", f"VISp L{layer}", _GOUWENS, classes=classes
        )

    cells = _read(target, "cells/berg2021_patchseq_mouse_l23_pyramidal")
    rows += _summarise(
        cells, "berg2021_patchseq", "L2/3 IT (VISp t-types)", _BERG, classes=("Pyr",)
    )

    cells = _read(target, "cells/chartrand2023_patchseq_mouse_vis_lamp5_l1types")
    cells = cells.rename(columns={"subclass": "class"})
    for layer in ("2/3", "1"):
        chosen = cells[cells["structure"] == f"VISp{layer}"]
        rows += _summarise(
            chosen, "chartrand2023_patchseq", f"VISp L{layer}", _CHARTRAND, classes=("Lamp5",)
        )

    cells = _read(target, "models/teeter2018_glif_mouse")
    visp = cells[cells["area"] == "VISp"]
    rows += _summarise(visp[visp["layer"] == "2/3"], "teeter2018_glif", "VISp L2/3", _TEETER)
    rows += _summarise(visp, "teeter2018_glif", "VISp all layers", _TEETER)
    write_table(pd.DataFrame(rows), target / "class_summary.csv")


def _read(target: Path, name: str) -> pd.DataFrame:
    # As published: single impossible values are left out below, feature by feature.
    return read_table(target / f"{name}.csv", SCHEMAS[name], impossible="keep")


def _summarise(
    cells: pd.DataFrame,
    source: str,
    selection: str,
    features: Features,
    *,
    classes: tuple[str, ...] = _FIVE,
) -> list[dict[str, object]]:
    """Return one row a class and feature; see `plausible` for the values that count."""
    rows: list[dict[str, object]] = []
    for name in classes:
        members = cells[cells["class"] == name]
        usable = {
            feature: plausible(feature, value(members)) for feature, value in features.items()
        }
        for feature, values in usable.items():
            if feature == "capacitance_pF":  # a quotient of two values that count
                for part in ("input_resistance_MOhm", "tau_ms"):
                    values = values[values.index.isin(usable[part].index)]
            if values.empty:
                continue
            quartiles = round_significant(values.quantile([0.5, 0.25, 0.75]), 5)
            rows.append(
                {
                    "source": source,
                    "selection": selection,
                    "class": name,
                    "feature": feature,
                    "n": len(values),
                    "median": quartiles.iloc[0],
                    "q25": quartiles.iloc[1],
                    "q75": quartiles.iloc[2],
                }
            )
    return rows


def plausible(feature: str, values: pd.Series) -> pd.Series:
    """Return the values that count: 5 to 1500 MΩ, 1 to 100 ms, and slopes above 0."""
    values = values.dropna()
    if feature == "input_resistance_MOhm":
        return values[values.between(5, 1500)]
    if feature == "tau_ms":
        return values[values.between(1, 100)]
    if feature == "fi_slope_hz_per_pA":
        return values[values > _FLAT_HZ_PER_PA]
    return values
