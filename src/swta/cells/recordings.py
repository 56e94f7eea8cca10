"""The single cells and sweeps behind the class statistics, where the tables are at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from swta.cells.class_cells import COLUMNS, load_class_cells
from swta.cells.classes import CLASSES
from swta.cells.statistics import BY_CLASS, CHOICES, FEATURES
from swta.data.errors import DataUnavailable
from swta.data.physiology import load_table
from swta.validation import check_choice

FI_SPAN: Final = 140.0  # pA above rheobase, the median reach of the recorded current steps

_CURVE_COLUMNS: Final = ("class", "kind", "specimen_id", "layer", "above_rheobase_pA", "rate_hz")


@dataclass(frozen=True)
class Recordings:
    """Single cells and f-I curves, both empty where only class statistics are at hand."""

    cells: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(COLUMNS)))
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
    """Single cells and f-I curves (`load_fi_curves`); both empty where no table is at hand.

    Raises:
        ParameterError: unknown data set.
    """
    check_choice("data_set", data_set, CHOICES)
    try:
        return Recordings(load_class_cells(data_set).cells, load_fi_curves())
    except DataUnavailable:
        return Recordings()


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
    patchseq = load_class_cells("patchseq").cells
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
    needed = ["rheobase_pA", "hero_current_pA", "rate_at_hero_hz", "fi_slope_hz_per_pA"]
    cells = cells.dropna(subset=needed)
    above = np.arange(0.0, FI_SPAN + 1.0, 20.0)
    hero = (cells["hero_current_pA"] - cells["rheobase_pA"]).to_numpy()[:, None]
    rise = cells["fi_slope_hz_per_pA"].to_numpy()[:, None] * (above - hero)
    rates = np.maximum(cells["rate_at_hero_hz"].to_numpy()[:, None] + rise, 0.0)
    repeated = cells.loc[cells.index.repeat(above.size), ["class", "specimen_id"]]
    return repeated.assign(
        kind="line",
        layer="2/3",
        above_rheobase_pA=np.tile(above, len(cells)),
        rate_hz=rates.ravel(),
    )
