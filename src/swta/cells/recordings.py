"""The single cells and sweeps behind the class statistics, where the tables are at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from swta.cells.classes import CLASSES
from swta.cells.statistics import BY_CLASS, CHOICES, DATA_SETS, DEFAULTS, FEATURES
from swta.data.errors import DataUnavailable
from swta.data.physiology import load_table
from swta.validation import check_choice

FI_SPAN: Final = 140.0  # pA above rheobase, the median reach of the recorded current steps

# Columns of each table under the names of this package, with the factor to its unit.
_CELL_TYPES: Final = {
    "v_rest_mV": ("vrest", 1.0),
    "input_resistance_MOhm": ("ri", 1.0),
    "tau_ms": ("tau", 1.0),
    "rheobase_pA": ("threshold_i_long_square", 1.0),
    "fi_slope_hz_per_pA": ("f_i_curve_slope", 1.0),
    "adaptation_index": ("adaptation", 1.0),
}
_GOUWENS: Final = {
    "v_rest_mV": ("vrest_mV", 1.0),
    "input_resistance_MOhm": ("ipfx_input_resistance", 1.0),
    "tau_ms": ("tau", 1.0),
    "rheobase_pA": ("threshold_i_long_square_pA", 1.0),
    "fi_slope_hz_per_pA": ("f_i_curve_slope", 1.0),
    "adaptation_index": ("adaptation", 1.0),
    "hero_current_pA": ("ipfx_hero_stim_amp", 1.0),
    "hero_rate_hz": ("ipfx_hero_avg_rate", 1.0),
}
_BERG: Final = {
    "v_rest_mV": ("v_baseline", 1.0),
    "input_resistance_MOhm": ("input_resistance", 1.0),
    "tau_ms": ("tau", 1e3),
    "rheobase_pA": ("rheobase_i", 1.0),
    "fi_slope_hz_per_pA": ("fi_fit_slope", 1.0),
    "adaptation_index": ("adapt_mean", 1.0),
}
_CELL_COLUMNS: Final = ("specimen_id", "class", *FEATURES)
_CURVE_COLUMNS: Final = ("class", "kind", "specimen_id", "layer", "above_rheobase_pA", "rate_hz")
# Values that no cell of these classes can have are measurement failures, left out as in the table
# of class statistics.
_POSSIBLE: Final = {
    "input_resistance_MOhm": (5.0, 1500.0),
    "tau_ms": (1.0, 100.0),
    "fi_slope_hz_per_pA": (np.nextafter(0, 1), np.inf),
}


@dataclass(frozen=True)
class Recordings:
    """Single cells and f-I curves, both empty where only class statistics are at hand."""

    cells: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_CELL_COLUMNS))
    curves: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_CURVE_COLUMNS))

    @property
    def complete(self) -> bool:
        """Whether the tables were found."""
        return len(self.cells) > 0

    def tabulate_cells(self) -> pd.DataFrame:
        """One row per measured value: class, feature, value."""
        tidy = self.cells.melt(id_vars="class", value_vars=list(FEATURES), var_name="feature")
        return tidy.dropna(subset="value").reset_index(drop=True)

    @property
    def note(self) -> str:
        """What a caption says of them."""
        if not self.complete:
            return "class statistics bundled with the book; single cells and sweeps are not at hand"
        curves = self.curves.groupby("kind")["specimen_id"].nunique()
        return (
            f"{len(self.cells)} single cells, {curves.get('steps', 0)} cells with current steps, "
            f"{curves.get('line', 0)} Patch-seq cells with a line"
        )


def load_recordings(data_set: str = BY_CLASS) -> Recordings:
    """Cells (`load_cells`) and f-I curves (`load_fi_curves`); both empty where no table is at hand.

    Raises:
        ParameterError: unknown data set.
    """
    check_choice("data_set", data_set, CHOICES)
    try:
        return Recordings(load_cells(data_set), load_fi_curves())
    except DataUnavailable:
        return Recordings()


def load_cells(data_set: str = BY_CLASS) -> pd.DataFrame:
    """Features of every recorded cell of the five classes in V1 layer 2/3, one row a cell.

    Columns: specimen_id, class, and the six of `FEATURES` in the unit of their name; for the
    interneurons of ``patchseq`` also hero_current_pA and hero_rate_hz. NaN is not measured, or
    outside what a cell can have (input resistance 5 to 1500 MΩ, time constant 1 to 100 ms, f-I
    slope above 0).

    Raises:
        swta.data.DataUnavailable: the tables are not at hand.
        ParameterError: unknown data set.
    """
    check_choice("data_set", data_set, CHOICES)
    if data_set == BY_CLASS:
        each = {choice: load_cells(choice) for choice in DATA_SETS}
        own = [each[DEFAULTS[name]].query("`class` == @name") for name in CLASSES]
        return pd.concat(own, ignore_index=True)
    if data_set == "cell_types":
        table = load_table("cells/allen_cell_types_mouse", impossible="exclude")
        here = (table["area"] == "VISp") & (table["layer"] == "2/3")
        return _rename(table[here], _CELL_TYPES)
    pyramidal = load_table("cells/berg2021_patchseq_mouse_l23_pyramidal", impossible="exclude")
    inter = load_table("cells/gouwens2020_patchseq_mouse_vis", impossible="exclude")
    inter = inter[inter["structure_acronym"] == "VISp2/3"]
    return pd.concat([_rename(pyramidal, _BERG), _rename(inter, _GOUWENS)], ignore_index=True)


def load_fi_curves() -> pd.DataFrame:
    """Measured f-I curves, each on a current axis from the cell's own rheobase, one row a point.

    Pyr, Pvalb, Sst and Lamp5 as far as there are 1-s current steps (``kind`` = "steps": spike
    count at each depolarising current, repeats averaged, every layer of visual cortex). Vip and
    Lamp5 have hardly any: there each Patch-seq cell of V1 layer 2/3 gives a line (``kind`` =
    "line") through its hero point with its measured slope, from rheobase to 140 pA above, never
    below zero.

    Columns: class, kind, specimen_id, layer, above_rheobase_pA, rate_hz.

    Raises:
        swta.data.DataUnavailable: the tables are not at hand.
    """
    steps = _load_steps()
    patchseq = load_cells("patchseq")
    lines = _make_lines(patchseq[patchseq["class"].isin(("Vip", "Lamp5"))])
    return pd.concat([steps, lines], ignore_index=True)


def _load_steps() -> pd.DataFrame:
    table = load_table("fi/allen_long_square_sweeps", impossible="exclude")
    table = table[table["class"].isin(CLASSES) & (table["current_pA"] > 0)]
    keys = ["class", "specimen_id", "layer", "current_pA"]
    mean = table.groupby(keys, as_index=False)["n_spikes"].mean()
    rheobase = mean[mean["n_spikes"] > 0].groupby("specimen_id")["current_pA"].min()
    mean = mean[mean["specimen_id"].isin(rheobase.index)]
    return pd.DataFrame(
        {
            "class": mean["class"],
            "kind": "steps",
            "specimen_id": mean["specimen_id"],
            "layer": mean["layer"],
            "above_rheobase_pA": mean["current_pA"] - mean["specimen_id"].map(rheobase),
            "rate_hz": mean["n_spikes"].astype(float),  # the steps last 1 s
        }
    )


def _make_lines(cells: pd.DataFrame) -> pd.DataFrame:
    needed = ["rheobase_pA", "hero_current_pA", "hero_rate_hz", "fi_slope_hz_per_pA"]
    cells = cells.dropna(subset=needed)
    above = np.arange(0.0, FI_SPAN + 1.0, 20.0)
    hero = (cells["hero_current_pA"] - cells["rheobase_pA"]).to_numpy()[:, None]
    rise = cells["fi_slope_hz_per_pA"].to_numpy()[:, None] * (above - hero)
    rates = np.maximum(cells["hero_rate_hz"].to_numpy()[:, None] + rise, 0.0)
    repeated = cells.loc[cells.index.repeat(above.size), ["class", "specimen_id"]]
    return repeated.assign(
        kind="line",
        layer="2/3",
        above_rheobase_pA=np.tile(above, len(cells)),
        rate_hz=rates.ravel(),
    )


def summarise_cells(cells: pd.DataFrame) -> pd.DataFrame:
    """n, median and quartiles of each feature per class from single cells (`load_cells`)."""
    rows = []
    for name in CLASSES:
        own = cells[cells["class"] == name]
        for feature in FEATURES:
            values = own[feature].dropna()
            quartiles = values.quantile([0.5, 0.25, 0.75])
            rows.append((name, feature, len(values), *quartiles))
    return pd.DataFrame(rows, columns=["class", "feature", "n", "median", "q25", "q75"])


def _rename(table: pd.DataFrame, columns: dict[str, tuple[str, float]]) -> pd.DataFrame:
    table = table[table["class"].isin(CLASSES)]
    renamed = {name: table[column].astype(float) * to for name, (column, to) in columns.items()}
    cells = pd.DataFrame({"specimen_id": table["specimen_id"], "class": table["class"], **renamed})
    for feature, (low, high) in _POSSIBLE.items():
        cells[feature] = cells[feature].where(cells[feature].between(low, high))
    return cells.reset_index(drop=True)
