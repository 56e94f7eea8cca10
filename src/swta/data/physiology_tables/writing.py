"""Reading upstream files and writing tables, the same for every table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from swta.data.physiology_tables.reading import TableError


def upstream_file(upstream: Path, repository: str, commit: str, path: str) -> Path:
    """Return where ``path`` of ``repository`` at ``commit`` lies under the folder ``upstream``.

    Raises:
        TableError: it is not there.
    """
    found = upstream / repository / commit / path
    if not found.is_file():
        raise TableError(f"{found}: this upstream file is missing; fetch it again")
    return found


def upstream_folder(upstream: Path, repository: str, commit: str, path: str) -> Path:
    """Return where the folder ``path`` of ``repository`` at ``commit`` lies under ``upstream``.

    Raises:
        TableError: it is not there.
    """
    found = upstream / repository / commit / path
    if not found.is_dir():
        raise TableError(f"{found}: this upstream folder is missing; fetch it again")
    return found


def read_upstream_table(path: Path, *, needs: tuple[str, ...], **options: Any) -> pd.DataFrame:
    """Read an upstream CSV file; fractions are read by `accumulate_digits`.

    Raises:
        TableError: it cannot be parsed, or a column of ``needs`` is missing.
    """
    try:
        table = pd.read_csv(path, low_memory=False, **options)
        printed = pd.read_csv(path, dtype=str, **options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: not a readable table ({error}); fetch it again") from error
    missing = [column for column in needs if column not in table]
    if missing:
        raise TableError(f"{path}: column {', '.join(map(repr, missing))} is missing")
    for column in table.columns[table.dtypes == np.float64]:
        table[column] = printed[column].map(accumulate_digits, na_action="ignore").astype(float)
    return table


def accumulate_digits(printed: str) -> float:
    """Return a printed number, read digit by digit in double precision, at most 17 of them.

    The result can differ from the nearest double in the last bit. Upstream values are often an
    exact tie at the digit kept here (0.22988750000000002 to six digits), which that bit decides.
    The published tables were rounded from numbers read this way, the default of pandas before 3.0.
    """
    digits, _, exponent = printed.strip().lower().partition("e")
    whole, _, fraction = digits.lstrip("+-").partition(".")
    if not (whole + fraction).isdecimal():
        return float(printed)
    number = 0.0
    for digit in (whole + fraction)[:17]:
        number = number * 10.0 + int(digit)
    scale = int(exponent or 0) - len(fraction) + max(0, len(whole + fraction) - 17)
    number = number * 10.0**scale if scale > 0 else number / 10.0**-scale
    return -number if digits.startswith("-") else number


def read_upstream_json(path: Path) -> Any:
    """Read an upstream JSON file.

    Raises:
        TableError: it cannot be parsed.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: not readable JSON ({error}); fetch it again") from error


def read_field(record: Any, origin: object, *path: str) -> Any:
    """Return the value at ``path`` inside nested records.

    Raises:
        TableError: there is no such field; ``origin`` is named.
    """
    for depth, name in enumerate(path):
        if not isinstance(record, dict) or name not in record:
            raise TableError(f"{origin}: there is no {'.'.join(path[: depth + 1])!r}")
        record = record[name]
    return record


def check_unique(table: pd.DataFrame, column: str, path: Path) -> None:
    """Refuse a key that is missing or appears twice, so that joins are one to one."""
    wrong = table[column].isna() | table[column].duplicated()
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise TableError(
            f"{path}, line {row + 2}, column {column!r}: {table[column].iloc[row]!r} is missing or "
            "appears twice"
        )


def round_significant(values: pd.Series, digits: int) -> pd.Series:
    """Return ``values`` rounded to ``digits`` significant digits; blanks stay blank."""
    return values.map(lambda value: float(f"{value:.{digits}g}"), na_action="ignore")


def round_table(table: pd.DataFrame, digits: int) -> pd.DataFrame:
    """Return ``table`` with every column of fractions rounded to ``digits`` significant digits."""
    rounded = table.copy()
    for column in table.columns[table.dtypes == np.float64]:
        rounded[column] = round_significant(table[column], digits)
    return rounded


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write ``table`` as CSV: comma, line feeds, blanks for missing values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, lineterminator="\n")
