"""The recorded cells with 1-s current steps as a checked table, split into fitted and held-out.

Three rules make the split, and none of them looks at a spike count:

1. *Series and repeats.* The protocol climbs once through its currents; later sweeps return to
   some of them, often minutes later, when the cell has drifted (cell 485931158 gave 6 spikes at 190
   pA in the climb and none later). The climb, every sweep whose current exceeds that of all earlier
   sweeps, is the cell's f-I curve. Repeats are neither fitted nor tested; they measure how well a
   cell repeats itself.
2. *Alternate levels.* Among the depolarising levels of the series the strongest is fitted, the next
   weaker one held out, and so on down through the silent ones; ``fold=1`` swaps the two.
3. *Voltages of the action potential* (threshold, fast trough, peak), rest, input resistance and
   time constant come from the table of cells. They say nothing of how many spikes a level gives.
   That table's rheobase, f-I slope, latency and adaptation do, and are not used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from swta.cells.classes import CLASSES
from swta.data.physiology import load_table
from swta.validation import ParameterError, check_integer

NOT_READ: Final = "row not read"  # stands for the class of a line that the tables' check left out
OTHER: Final = "other"  # cells that are of none of the five classes by their line
MIN_SPIKING: Final = 4  # levels with spikes that a cell needs: two to fit, two to test
ONSET_MS: Final = 270.0  # the step's onset in the analysed sweeps (source "osb_bulk")

# Column of the table -> name here. Those with False may be blank.
_STEP_COLUMNS: Final = {
    "specimen_id": ("specimen_id", True),
    "sweep_number": ("sweep_number", True),
    "current_pA": ("current_pA", True),
    "n_spikes": ("n_spikes", True),
    "first_spike_time_ms": ("latency_ms", False),
    "mean_rate_hz": ("isi_rate_hz", False),
    "isi_covar": ("isi_cv", False),
    "v_steady_mV": ("v_steady_mV", False),
}
_CELL_COLUMNS: Final = {
    "vrest": "v_rest_mV",
    "ri": "input_resistance_MOhm",
    "tau": "tau_ms",
    "threshold_v_long_square": "threshold_v_mV",
    "fast_trough_v_long_square": "fast_trough_v_mV",
    "peak_v_long_square": "peak_v_mV",
    "threshold_i_long_square": "published_rheobase_pA",
    "f_i_curve_slope": "published_slope_hz_per_pA",
}
# What a cell can have, as in the class statistics; a voltage relative to another is checked below.
_POSSIBLE: Final = {"input_resistance_MOhm": (5.0, 1500.0), "tau_ms": (1.0, 100.0)}


@dataclass(frozen=True)
class SweepTable:
    """Current steps and properties of the recorded cells.

    ``steps`` has one row per sweep of a cell in ``cells``: specimen_id, class, layer, sweep_number,
    current_pA, n_spikes, latency_ms, isi_rate_hz, isi_cv, v_steady_mV, role ("series" or "repeat")
    and side ("train", "test", or "" for repeats and currents not above 0). ``cells`` has one row
    per cell: specimen_id, class, layer, line, the six measured properties, its number of spiking
    levels, and the published rheobase and slope, which only the comparison uses. ``excluded`` names
    the other cells with the reason.
    """

    steps: pd.DataFrame
    cells: pd.DataFrame
    excluded: pd.DataFrame
    fold: int

    def side(self, side: str) -> pd.DataFrame:
        """Rows of ``steps`` on one side of the split."""
        return self.steps[self.steps["side"] == side]

    def take(self, per_class: int) -> SweepTable:
        """The table of the first ``per_class`` cells of every class, by specimen_id; a quick run.

        Raises:
            ParameterError: fewer than one.
        """
        check_integer("per_class", per_class, low=1)
        cells = self.cells.groupby("class").head(per_class)
        steps = self.steps[self.steps["specimen_id"].isin(cells["specimen_id"])]
        return replace(self, cells=cells.reset_index(drop=True), steps=steps)

    @property
    def note(self) -> str:
        """Counts for a caption."""
        number = {name: int((self.steps["side"] == name).sum()) for name in ("train", "test")}
        repeats = int((self.steps["role"] == "repeat").sum())
        return (
            f"{len(self.cells)} cells with {len(self.steps)} sweeps: {number['train']} "
            f"depolarising levels fitted, {number['test']} held out, {repeats} repeats used for "
            f"neither; "
            f"{int((self.excluded['class'] != NOT_READ).sum())} cells left out"
        )


def load_sweep_table(*, fold: int = 0) -> SweepTable:
    """The Cell Types cells with 1-s current steps, checked and split; currents in pA.

    Args:
        fold: 0, or 1 for the other half of the levels as the fitted ones.

    Raises:
        swta.data.DataUnavailable: the tables are not at hand.
        ParameterError: a table that cannot be used, as in `make_sweep_table`.
    """
    steps = load_table("fi/allen_long_square_sweeps", impossible="exclude")
    cells = load_table("cells/allen_cell_types_mouse", impossible="exclude")
    return make_sweep_table(steps, cells, fold=fold)


def make_sweep_table(steps: pd.DataFrame, cells: pd.DataFrame, *, fold: int = 0) -> SweepTable:
    """Check, join and split the tables of steps and of cells.

    Args:
        steps: columns of ``fi/allen_long_square_sweeps``, one row a sweep.
        cells: columns of ``cells/allen_cell_types_mouse``, one row a cell.
        fold: as in `load_sweep_table`.

    Raises:
        ParameterError: a missing or non-numeric column, a value that no sweep can have, a sweep
            given twice, or no cell that can be fitted. Cells that are impossible, silent or have
            too few levels are not errors: they are listed in ``excluded``.
    """
    check_integer("fold", fold, low=0, high=1)
    sweeps = _checked_steps(steps)
    properties = _checked_cells(cells)
    rows: list[dict[str, Any]] = []
    excluded = []
    for specimen, own in sweeps.groupby("specimen_id"):
        spiking = int(((own["role"] == "series") & (own["n_spikes"] > 0)).sum())
        known = properties.get(specimen)
        reason = _reason_against(spiking, known)
        first = own.iloc[0]
        entry = {"specimen_id": specimen, "class": first["class"], "layer": first["layer"]}
        if reason or known is None:
            excluded.append({**entry, "reason": reason})
        else:
            rows.append({**entry, "line": first["line_name"], **known, "n_spiking": spiking})
    if not rows:
        raise ParameterError(
            f"none of {len(excluded)} cells can be fitted; allowed: at least one. The first: "
            f"{excluded[0]['reason'] if excluded else 'the table has no row'}"
        )
    table = pd.DataFrame(rows)
    kept = sweeps[sweeps["specimen_id"].isin(table["specimen_id"])]
    return SweepTable(
        steps=_split(kept, fold).drop(columns="line_name").reset_index(drop=True),
        cells=table,
        excluded=pd.DataFrame(
            excluded + _unread(steps) + _unread(cells),
            columns=["specimen_id", "class", "layer", "reason"],
        ),
        fold=fold,
    )


def _unread(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Lines that were left out when the table was read, with file and column (`load_table`)."""
    return [
        {
            "specimen_id": None,
            "class": NOT_READ,
            "layer": "",
            "reason": f"{one['file']}, line {one['line']}, column {one['column']} = "
            f"{one['value']}: {one['reason']}",
        }
        for one in table.attrs.get("excluded", [])
    ]


def _reason_against(spiking: int, known: dict[str, float] | None) -> str:
    """Why a cell cannot be fitted, or an empty string."""
    if known is None:
        return "not in the table of cells: no resting potential, input resistance, time constant"
    if spiking == 0:
        return "never spikes"
    if spiking < MIN_SPIKING:
        return f"{spiking} levels with spikes; two to fit and two to test are needed"
    missing = [name for name in list(_CELL_COLUMNS.values())[:6] if not np.isfinite(known[name])]
    if missing:
        return f"no {missing[0]} in the table of cells"
    for name, (low, high) in _POSSIBLE.items():
        if not low <= known[name] <= high:
            return f"{name} = {known[name]:g} is impossible; allowed: {low:g} to {high:g}"
    rest, threshold, peak = (known[n] for n in ("v_rest_mV", "threshold_v_mV", "peak_v_mV"))
    if not rest < threshold < peak or not known["fast_trough_v_mV"] < threshold:
        return (
            f"rest {rest:g}, threshold {threshold:g}, peak {peak:g} and fast trough "
            f"{known['fast_trough_v_mV']:g} mV are not in the order of an action potential"
        )
    return ""


def _split(steps: pd.DataFrame, fold: int) -> pd.DataFrame:
    """The steps with their side: alternate levels of each series, counted from the strongest."""
    tested = steps[(steps["role"] == "series") & (steps["current_pA"] > 0)]
    rank = tested.groupby("specimen_id")["current_pA"].rank(ascending=False).astype(int) - 1
    side = pd.Series("", index=steps.index)
    side[rank.index] = np.where(rank % 2 == fold, "train", "test")
    return steps.assign(side=side)


def _checked_steps(table: pd.DataFrame) -> pd.DataFrame:
    named = [*_STEP_COLUMNS, "class", "layer", "line_name", "source"]
    _need_columns("steps", table, named)
    steps = pd.DataFrame(
        {new: _numbers("steps", table, old, need) for old, (new, need) in _STEP_COLUMNS.items()}
    )
    _refuse("steps", table, "n_spikes", (steps["n_spikes"] < 0) | (steps["n_spikes"] % 1 != 0))
    # Only the analysed sweeps have a first-spike time, on the clock of the recording.
    steps["latency_ms"] -= ONSET_MS
    _refuse("steps", table, "first_spike_time_ms", steps["latency_ms"] <= 0)
    _refuse("steps", table, "mean_rate_hz", steps["isi_rate_hz"] <= 0)
    _refuse("steps", table, "isi_covar", steps["isi_cv"] < 0)
    twice = steps.duplicated(["specimen_id", "sweep_number"])
    _refuse("steps", table, "sweep_number", twice, "a sweep of this cell stands there twice")
    for name in ("specimen_id", "sweep_number", "n_spikes"):
        steps[name] = steps[name].astype(np.int64)
    steps["class"] = table["class"].where(table["class"].isin(CLASSES), OTHER).astype(object)
    steps["layer"] = table["layer"].fillna("").astype(str)
    steps["line_name"] = table["line_name"].fillna("").astype(str)
    steps = steps.sort_values(["specimen_id", "sweep_number"], ignore_index=True)
    highest = steps.groupby("specimen_id")["current_pA"].transform(
        lambda currents: currents.cummax().shift(fill_value=-np.inf)
    )
    steps["role"] = np.where(steps["current_pA"] > highest, "series", "repeat")
    return steps


def _checked_cells(table: pd.DataFrame) -> dict[Any, dict[str, float]]:
    """Properties of each cell by its specimen_id."""
    _need_columns("cells", table, ["specimen_id", *_CELL_COLUMNS])
    specimen = _numbers("cells", table, "specimen_id", True).astype(np.int64)
    _refuse("cells", table, "specimen_id", specimen.duplicated(), "a cell stands there twice")
    values = {new: _numbers("cells", table, old, False) for old, new in _CELL_COLUMNS.items()}
    rows = pd.DataFrame(values).to_dict("records")
    return {
        cell: {str(k): float(v) for k, v in row.items()}
        for cell, row in zip(specimen, rows, strict=True)
    }


def _need_columns(name: str, table: pd.DataFrame, needed: list[str]) -> None:
    missing = [column for column in needed if column not in table]
    if missing:
        raise ParameterError(
            f"table {name} lacks column {', '.join(missing)}; allowed: a table with "
            f"{', '.join(needed)}. Take it as `swta.data.physiology.load_table` gives it"
        )


def _numbers(name: str, table: pd.DataFrame, column: str, needed: bool) -> pd.Series[float]:
    numbers = pd.to_numeric(table[column], errors="coerce").astype(float)
    wrong = numbers.isna() & table[column].notna() | np.isinf(numbers)
    if needed:
        wrong |= numbers.isna()
    _refuse(name, table, column, wrong, "it is not a number")
    return numbers


def _refuse(
    name: str,
    table: pd.DataFrame,
    column: str,
    wrong: pd.Series[bool],
    why: str = "it is out of range",
) -> None:
    """Stop at the first row where ``wrong`` holds, naming table, row, cell, column and value."""
    if wrong.any():
        position = int(np.argmax(wrong.to_numpy()))
        specimen, value = (table[one].iloc[position] for one in ("specimen_id", column))
        raise ParameterError(
            f"table {name}, row {table.index[position]}, specimen_id {specimen}, column {column}: "
            f"{value}: {why}. Correct the row or leave it out"
        )
