"""Reading a physiology table with every column checked against its schema."""

from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from swta.data.errors import DataCorrupt
from swta.data.physiology_tables.schemas import Bounds, Schema

_TRUTH: Final = {"True": True, "False": False}
_WHOLE: Final = re.compile("-?[0-9]{1,18}")


class TableError(DataCorrupt):
    """A physiology file that cannot be used; the message names file, line, column and value."""


def read_table(path: Path, schema: Schema, *, impossible: str = "raise") -> pd.DataFrame:
    """Read the CSV file ``path`` as ``schema`` says.

    Physically impossible values raise, or exclude their row (``impossible="exclude"``, listed in
    ``.attrs["excluded"]``), or stay (``"keep"``, for code that judges them itself).

    Raises:
        TableError: a missing column, text where a number must be, a short line, an empty file, or
            an impossible value.
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
