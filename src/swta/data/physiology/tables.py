"""Reading the physiology tables, with every column checked."""

from __future__ import annotations

import csv
import io
import math
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swta.data.errors import DataCorrupt
from swta.data.physiology.schemas import SCHEMAS, Bounds, Schema
from swta.validation import check_choice

DATA_SET: Final = "physiology"
TRACE: Final = "specimen_518290966_sweep57_scnn1a_visp_l4"
_TRUTH: Final = {"True": True, "False": False}
_WHOLE: Final = re.compile("-?[0-9]{1,18}")


class TableError(DataCorrupt):
    """A physiology file that cannot be used; the message names file, line, column and value."""


def load_table(
    name: str,
    *,
    impossible: Literal["raise", "exclude"] = "raise",
    folder: Path | None = None,
) -> pd.DataFrame:
    """Load one physiology table; units are in its column names or in the source's documentation.

    Args:
        name: path inside the data set, no extension, such as ``"cells/allen_cell_types_mouse"``.
        impossible: what to do with a physically impossible value (a resistance below zero, a time
            constant of zero): ``"raise"``, or ``"exclude"`` the row and list it with the reason in
            ``.attrs["excluded"]`` (a list of dictionaries: file, line, column, value, reason).
            The published Patch-seq tables hold a few negative input resistances.
        folder: where the tables are; by default the data set ``physiology`` is located.

    Returns:
        One row a line. Blanks are missing values; True/False columns are nullable booleans.
        ``.attrs["file"]`` is the file that was read.

    Raises:
        ParameterError: an unknown table, or an unknown ``impossible``.
        swta.data.DataUnavailable: the tables are nowhere to be found.
        TableError: a missing column, text where a number must be, a short line, an empty file, or
            an impossible value.
        swta.data.DataCorrupt: a located file that can be read but is not the published one.
    """
    check_choice("name", name, SCHEMAS)
    check_choice("impossible", impossible, ("raise", "exclude"))
    path = f"{name}.csv"
    table = read_table(_find(folder, path), SCHEMAS[name], impossible=impossible)
    if folder is None:
        _record(path)
    return table


def read_table(path: Path, schema: Schema, *, impossible: str = "raise") -> pd.DataFrame:
    """Read the CSV file ``path`` as ``schema`` says; see `load_table` for the rest.

    ``impossible="keep"`` leaves such values in, for code that judges them itself.
    """
    header, rows = _read_lines(path)
    missing = [column for column in schema.columns if column not in header]
    if missing:
        raise TableError(f"{path}: column {', '.join(map(repr, missing))} is missing")
    bounds = dict(schema.bounds)
    excluded: dict[int, dict[str, Any]] = {}
    columns: dict[str, Any] = {}
    for index, column in enumerate(header):
        values = [row[index] for row in rows]
        if column in schema.text:
            columns[column] = pd.Series([value or None for value in values], dtype="str")
        elif column in schema.flags:
            columns[column] = _to_flags(path, column, values)
        else:
            numbers = _to_numbers(path, column, values)
            judged = (
                []
                if impossible == "keep"
                else _find_impossible(values, numbers, bounds.get(column))
            )
            for row, reason in judged:
                line = row + 2
                if impossible == "raise":
                    raise TableError(
                        f"{path}, line {line}, column {column!r}: {values[row]} {reason}. Correct "
                        "the value, or load with impossible='exclude' to leave such rows out"
                    )
                excluded.setdefault(
                    row,
                    {
                        "file": path.name,
                        "line": line,
                        "column": column,
                        "value": values[row],
                        "reason": reason,
                    },
                )
            columns[column] = numbers
    table = pd.DataFrame(columns)
    if excluded:
        table = table.drop(index=list(excluded)).reset_index(drop=True)
    table.attrs["file"] = str(path)
    table.attrs["excluded"] = [excluded[row] for row in sorted(excluded)]
    return table


@dataclass(frozen=True)
class Trace:
    """One recorded current-step sweep of one cell."""

    v_mV: NDArray[np.float64]  # membrane potential, one sample every dt_ms
    i_pA: NDArray[np.float64]  # injected current at the same times
    dt_ms: float
    t_on_ms: float  # the step's onset
    t_off_ms: float  # its end
    specimen_id: int  # Allen Cell Types Database
    sweep_number: int


def load_trace(name: str = TRACE, *, folder: Path | None = None) -> Trace:
    """Load a raw voltage trace (mV) with its injected current (pA) and sampling interval (ms).

    Raises:
        swta.data.DataUnavailable: the tables are nowhere to be found.
        TableError: no such trace, or a file that is not one.
    """
    relative = f"traces/{name}.npz"
    path = _find(folder, relative)
    try:
        # NumPy leaves a file open that it cannot read; so it gets one that is closed here.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            trace = Trace(
                v_mV=stored["v_mV"].astype(np.float64),
                i_pA=stored["i_pA"].astype(np.float64),
                dt_ms=float(stored["dt_ms"].item()),
                t_on_ms=float(stored["t_on_ms"].item()),
                t_off_ms=float(stored["t_off_ms"].item()),
                specimen_id=int(stored["specimen_id"].item()),
                sweep_number=int(stored["sweep_number"].item()),
            )
    except FileNotFoundError:
        raise TableError(f"{path}: there is no such trace") from None
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise TableError(f"{path}: not a readable trace ({error}); fetch it again") from error
    if trace.v_mV.ndim != 1 or trace.v_mV.shape != trace.i_pA.shape or not trace.v_mV.size:
        raise TableError(
            f"{path}: v_mV {trace.v_mV.shape} and i_pA {trace.i_pA.shape} must be two rows of the "
            "same length"
        )
    if not (np.isfinite(trace.v_mV).all() and np.isfinite(trace.i_pA).all()):
        raise TableError(f"{path}: v_mV or i_pA has values that are not finite")
    if not trace.dt_ms > 0 or not trace.t_on_ms < trace.t_off_ms:
        raise TableError(
            f"{path}: dt_ms {trace.dt_ms:g} must be above 0 and the step {trace.t_on_ms:g} to "
            f"{trace.t_off_ms:g} ms must have a length"
        )
    if folder is None:
        _record(relative)
    return trace


def _find(folder: Path | None, path: str) -> Path:
    if folder is None:
        from swta.data.locate import locate  # the catalogue of data sets imports this package

        folder = locate(DATA_SET).folder
    return Path(folder) / path


def _record(path: str) -> None:
    """Compare a located file with its checksum and note that it was used."""
    from swta.data.locate import locate, use

    use(locate(DATA_SET), path)


def _read_lines(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise TableError(f"{path}: there is no such table") from None
    except OSError as error:
        raise TableError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: not a text file in UTF-8 (byte {error.start})") from error
    if not text.strip():
        raise TableError(f"{path}: the file is empty; fetch it again")
    if not text.endswith("\n"):
        raise TableError(
            f"{path}: the last line has no end: the file may be truncated. Fetch it again, or add "
            "the line break"
        )
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header, *rows = reader
    except csv.Error as error:
        raise TableError(f"{path}, line {reader.line_num}: not valid CSV ({error})") from error
    doubled = sorted({column for column in header if header.count(column) > 1})
    if doubled:
        raise TableError(f"{path}: column {', '.join(map(repr, doubled))} appears twice")
    for row, fields in enumerate(rows):
        if len(fields) != len(header):
            raise TableError(
                f"{path}, line {row + 2}: {len(fields)} fields where the header has {len(header)}"
            )
    if not rows:
        raise TableError(f"{path}: there is a header but no row")
    return header, rows


def _to_numbers(path: Path, column: str, values: list[str]) -> pd.Series:
    numbers = np.empty(len(values))
    for row, value in enumerate(values):
        try:
            numbers[row] = float(value.replace("_", "?")) if value else math.nan
        except ValueError:
            raise TableError(
                f"{path}, line {row + 2}, column {column!r}: {value!r} is not a number"
            ) from None
    whole = all(_WHOLE.fullmatch(value) for value in values)
    return pd.Series([int(value) for value in values] if whole else numbers)


def _to_flags(path: Path, column: str, values: list[str]) -> pd.Series:
    for row, value in enumerate(values):
        if value and value not in _TRUTH:
            raise TableError(
                f"{path}, line {row + 2}, column {column!r}: {value!r} is neither True nor False"
            )
    return pd.Series([_TRUTH.get(value) for value in values], dtype="boolean")


def _find_impossible(
    values: list[str], numbers: pd.Series, bounds: Bounds | None
) -> list[tuple[int, str]]:
    found = []
    for row, number in enumerate(numbers):
        if not values[row]:
            continue
        if not math.isfinite(number):
            found.append((row, "is not finite"))
        elif bounds is not None and not bounds.allow(number):
            found.append((row, bounds.why))
    return found
