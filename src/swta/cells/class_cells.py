"""The recorded cells of each class with the nine features that define its distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from swta.cells.classes import CLASSES
from swta.cells.statistics import BY_CLASS, CHOICES, choose_data_set
from swta.data.physiology import load_table
from swta.validation import ParameterError, check_choice

# The nine features. The rate at the hero current, 40 pA above rheobase in four cells of five, is
# that from interspike intervals in the Cell Types Database and the spike count in Patch-seq.
CLASS_FEATURES: Final[Mapping[str, str]] = {
    "v_rest_mV": "Resting potential (mV)",
    "input_resistance_MOhm": "Input resistance (MΩ)",
    "tau_ms": "Membrane time constant (ms)",
    "rheobase_pA": "Rheobase (pA)",
    "threshold_v_mV": "Spike threshold (mV)",
    "ahp_depth_mV": "AHP depth (mV)",
    "fi_slope_hz_per_pA": "f-I slope (Hz/pA)",
    "adaptation_index": "Adaptation index",
    "rate_at_hero_hz": "Rate at hero current (Hz)",
}
HERO_RATE: Final[Mapping[str, str]] = {
    "cell_types": "isi_rate_at_hero_hz",
    "patchseq": "hero_rate_hz",
}
# Without these a cell has no model at all; of the others any number may be missing.
REQUIRED: Final = (
    "v_rest_mV",
    "input_resistance_MOhm",
    "tau_ms",
    "rheobase_pA",
    "threshold_v_mV",
    "ahp_depth_mV",
    "peak_v_mV",
)
_OTHER: Final = ("peak_v_mV", "first_isi_ms", "hero_current_pA")
COLUMNS: Final = ("specimen_id", "class", "data_set", *CLASS_FEATURES, *_OTHER)
MIN_CELLS: Final = 8  # below, quartiles and correlations mean nothing

_CELL_TYPES: Final = "cells/allen_cell_types_mouse"
_GOUWENS: Final = "cells/gouwens2020_patchseq_mouse_vis"
_BERG: Final = "cells/berg2021_patchseq_mouse_l23_pyramidal"
# Values that no cell of these classes has are failed measurements; ranges of the class statistics.
_POSSIBLE: Final = {
    "input_resistance_MOhm": (5.0, 1500.0),
    "tau_ms": (1.0, 100.0),
    "fi_slope_hz_per_pA": (np.nextafter(0, 1), np.inf),
}


@dataclass(frozen=True)
class ClassCells:
    """Recorded cells, and what was left out.

    ``cells`` has one row a cell with the columns `COLUMNS`; NaN is not measured. A cell without one
    of `REQUIRED` still counts for the features that it has. ``exclusions`` lists rows and values
    that were left out: specimen_id, class, data_set, column, value, reason.
    """

    cells: pd.DataFrame
    exclusions: pd.DataFrame

    def of(self, name: str) -> pd.DataFrame:
        """The cells of one class."""
        return self.cells[self.cells["class"] == name]

    def tabulate(self) -> pd.DataFrame:
        """One row per measured value: class, data_set, feature, value."""
        tidy = self.cells.melt(
            id_vars=["class", "data_set"], value_vars=list(CLASS_FEATURES), var_name="feature"
        )
        return tidy.dropna(subset="value").reset_index(drop=True)


def load_class_cells(
    data_set: str = BY_CLASS, *, folder: Path | None = None, min_cells: int = MIN_CELLS
) -> ClassCells:
    """Features (units in their names) of every recorded cell of the five classes, V1 layer 2/3.

    Features are those of the Allen Institute's extraction at a 1-s step: threshold and fast trough
    (the end of the spike) of the first spike at rheobase, AHP depth their difference, f-I slope
    from a line through all sweeps with spikes, adaptation index and rate of the hero sweep.

    Args:
        data_set: ``by_class``, ``cell_types`` or ``patchseq``.
        folder: where the tables are; by default the data set ``physiology`` is located.
        min_cells: smallest number of cells of a class with all of `REQUIRED`.

    Raises:
        swta.data.DataUnavailable: the tables are not at hand.
        ParameterError: unknown data set; a missing column or text where a number must be (naming
            file, line and column); a class with too few cells.
    """
    check_choice("data_set", data_set, CHOICES)
    chosen = {name: choose_data_set(name, data_set) for name in CLASSES}
    parts, left_out = [], []
    for source in ("cell_types", "patchseq"):
        wanted = [name for name in CLASSES if chosen[name] == source]
        if not wanted:
            continue
        read = _read_cell_types if source == "cell_types" else _read_patchseq
        for table, listed in read(folder):
            parts.append(table[table["class"].isin(wanted)].assign(data_set=source))
            left_out += [{**one, "data_set": source} for one in listed]
    cells = pd.concat(parts, ignore_index=True)
    left_out += _blank_impossible(cells)
    exclusions = pd.DataFrame(
        left_out, columns=["specimen_id", "class", "data_set", "column", "value", "reason"]
    )
    for name in CLASSES:
        complete = cells.loc[cells["class"] == name, list(REQUIRED)].notna().all(axis=1).sum()
        if complete < min_cells:
            raise ParameterError(
                f"class {name} of {chosen[name]}: {complete} cells with all of "
                f"{', '.join(REQUIRED)}; allowed: at least {min_cells}. Use the other data set or "
                "complete the table"
            )
    return ClassCells(cells[list(COLUMNS)], exclusions)


def summarise_class_cells(cells: pd.DataFrame) -> pd.DataFrame:
    """n, median and quartiles of the nine features per class (columns of `ClassCells.cells`)."""
    rows = []
    for name in CLASSES:
        own = cells[cells["class"] == name]
        for feature in CLASS_FEATURES:
            values = own[feature].dropna()
            rows.append((name, feature, len(values), *values.quantile([0.5, 0.25, 0.75])))
    return pd.DataFrame(rows, columns=["class", "feature", "n", "median", "q25", "q75"])


_Read = list[tuple[pd.DataFrame, list[dict[str, Any]]]]


def _read_cell_types(folder: Path | None) -> _Read:
    table = load_table(_CELL_TYPES, impossible="exclude", folder=folder)
    here = table[(table["area"] == "VISp") & (table["layer"] == "2/3")]
    threshold = here["threshold_v_long_square"]
    columns = {
        "v_rest_mV": here["vrest"],
        "input_resistance_MOhm": here["ri"],
        "tau_ms": here["tau"],
        "rheobase_pA": here["threshold_i_long_square"],
        "threshold_v_mV": threshold,
        "ahp_depth_mV": threshold - here["fast_trough_v_long_square"],
        "fi_slope_hz_per_pA": here["f_i_curve_slope"],
        "adaptation_index": here["adaptation"],
        "rate_at_hero_hz": here["avg_firing_rate"],
        "peak_v_mV": here["peak_v_long_square"],
    }
    return [_assemble(here, columns, table)]


def _read_patchseq(folder: Path | None) -> _Read:
    table = load_table(_BERG, impossible="exclude", folder=folder)
    threshold = table["threshold_v_long_square"]
    pyramidal = {
        "v_rest_mV": table["v_baseline"],
        "input_resistance_MOhm": table["input_resistance"],
        "tau_ms": 1e3 * table["tau"],
        "rheobase_pA": table["rheobase_i"],
        "threshold_v_mV": threshold,
        "ahp_depth_mV": -table["fast_trough_v_long_square_rel"],
        "fi_slope_hz_per_pA": table["fi_fit_slope"],
        "adaptation_index": table["adapt_mean"],
        "rate_at_hero_hz": table["avg_rate_hero"],
        "peak_v_mV": threshold + table["peak_v_long_square_rel"],
        "first_isi_ms": 1e3 / table["first_isi_hero_inv"],
    }
    other = load_table(_GOUWENS, impossible="exclude", folder=folder)
    here = other[other["structure_acronym"] == "VISp2/3"]
    threshold = here["threshold_v_long_square_mV"]
    interneurons = {
        "v_rest_mV": here["vrest_mV"],
        "input_resistance_MOhm": here["ipfx_input_resistance"],
        "tau_ms": here["tau"],
        "rheobase_pA": here["threshold_i_long_square_pA"],
        "threshold_v_mV": threshold,
        "ahp_depth_mV": threshold - here["fast_trough_v_long_square_mV"],
        "fi_slope_hz_per_pA": here["f_i_curve_slope"],
        "adaptation_index": here["adaptation"],
        "rate_at_hero_hz": here["ipfx_hero_avg_rate"],
        "peak_v_mV": here["peak_v_long_square_mV"],
        "first_isi_ms": 1e3 * here["ipfx_hero_first_isi"],
        "hero_current_pA": here["ipfx_hero_stim_amp"],
    }
    return [_assemble(table, pyramidal, table), _assemble(here, interneurons, other)]


def _assemble(
    rows: pd.DataFrame, columns: dict[str, pd.Series], table: pd.DataFrame
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Cells of the five classes under the names of this package, and the rows not read."""
    cells = pd.DataFrame({"specimen_id": rows["specimen_id"], "class": rows["class"]})
    for name in (*CLASS_FEATURES, *_OTHER):
        cells[name] = columns[name].astype(float) if name in columns else np.nan
    listed = [
        {
            "specimen_id": pd.NA,
            "class": "row not read",
            "column": one["column"],
            "value": one["value"],
            "reason": f"{one['file']}, line {one['line']}: {one['reason']}",
        }
        for one in table.attrs.get("excluded", [])
    ]
    return cells[cells["class"].isin(CLASSES)].reset_index(drop=True), listed


def _blank_impossible(cells: pd.DataFrame) -> list[dict[str, Any]]:
    """Replace values that no cell can have by NaN in place, and list them."""
    listed = []
    for feature, (low, high) in _POSSIBLE.items():
        bad = cells[feature].notna() & ~cells[feature].between(low, high)
        shown = "above 0" if low < 1 else f"{low:g} to {high:g}"
        for row in cells[bad].to_dict("records"):
            listed.append(
                {
                    **{key: row[key] for key in ("specimen_id", "class", "data_set")},
                    "column": feature,
                    "value": row[feature],
                    "reason": f"value left out; allowed: {shown}",
                }
            )
        cells.loc[bad, feature] = np.nan
    return listed
