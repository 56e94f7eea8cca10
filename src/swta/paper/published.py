"""Numbers of a large run kept in the repository: ``book/results/<chapter>.<profile>.csv``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from swta.paper.record import Record, Reported, write_atomically

COLUMNS = ("name", "value", "low", "high", "n", "unit")
PUBLISHED = ("wide", "full")  # profiles whose numbers are worth keeping


def results_table(root: Path, chapter: str, profile: str) -> Path:
    """Where the published numbers of a chapter at a size are kept."""
    return root / "book" / "results" / f"{chapter}.{profile}.csv"


def publish_record(record: Record, root: Path, profile: str) -> Path:
    """Store the numbers of a record as a table; comment lines at its top say where they come from.

    Texts are left out.
    """
    lines = io.StringIO(newline="")
    lines.write(f"# {record.chapter}, profile {profile}\n")
    for key, value in sorted(record.provenance.items()):
        lines.write(f"# {key}: {json.dumps(value, sort_keys=True, default=str)}\n")
    table = csv.writer(lines, lineterminator="\n")
    table.writerow(COLUMNS)
    for name, entry in sorted(record.reports.items()):
        if not isinstance(entry.value, str):
            table.writerow([name, *(_cell(getattr(entry, column)) for column in COLUMNS[1:])])
    return write_atomically(results_table(root, record.chapter, profile), lines.getvalue())


def read_published(path: Path) -> dict[str, Reported]:
    """The numbers of a table that `publish_record` wrote, by name.

    Raises:
        ValueError: the file is no such table.
    """
    rows = [line for line in path.read_text(encoding="utf8").splitlines() if line[:1] != "#"]
    table = csv.DictReader(rows)
    if tuple(table.fieldnames or ()) != COLUMNS:
        raise ValueError(
            f"{path} has the columns {table.fieldnames}; expected {', '.join(COLUMNS)}. Publish "
            "the run again"
        )
    return {
        row["name"]: Reported(
            value=float(row["value"]),
            low=float(row["low"]) if row["low"] else None,
            high=float(row["high"]) if row["high"] else None,
            n=int(row["n"]) if row["n"] else None,
            unit=row["unit"],
        )
        for row in table
    }


def compare_sizes(record: Record, root: Path, names: Mapping[str, str]) -> pd.DataFrame:
    """Numbers of this run beside those of `PUBLISHED` runs, as text; a row per name.

    Args:
        record: what this run has reported so far.
        root: the checkout; where it has no table of a profile, the column says so.
        names: reported name to the words that stand for it.
    """
    columns = {"this run": {words: _words(record.reports.get(n)) for n, words in names.items()}}
    for profile in PUBLISHED:
        path = results_table(root, record.chapter, profile)
        stored = read_published(path) if path.is_file() else None
        columns[profile] = {
            words: "not run yet" if stored is None else _words(stored.get(name))
            for name, words in names.items()
        }
    return pd.DataFrame(columns)


def _cell(value: object) -> object:
    return "" if value is None else f"{value:.8g}" if isinstance(value, float) else value


def _words(entry: Reported | None) -> str:
    if entry is None:
        return "–"
    text = f"{float(entry.value):.3g}"
    if entry.low is not None and entry.high is not None:
        text += f" ({entry.low:.3g} to {entry.high:.3g})"
    return f"{text} {entry.unit}".strip() + (f", n = {entry.n}" if entry.n is not None else "")
