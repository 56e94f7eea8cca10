"""One tidy table of a sweep: a row a run, with parameters, everything reported, and provenance."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from swta.paper.record import Record, write_atomically
from swta.paper.sweep.plan import Plan
from swta.paper.sweep.store import DONE, PENDING, Store, StoredRun, read_record

RUN, PARAMETER, REPORTED, PROVENANCE = "run", "parameter", "reported", "provenance"

_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class SweepTable:
    """The runs of a sweep.

    Attributes:
        rows: a row a run, in the order of the plan; missing where a run reported nothing.
        columns: a row a column of ``rows``: column, kind (run, parameter, reported, provenance),
            name, part (value, low, high, n), unit, help.
        claimed: names of the reported numbers that measure claims.
    """

    rows: pd.DataFrame
    columns: pd.DataFrame
    claimed: frozenset[str] = frozenset()

    def of_kind(self, kind: str, part: str = "value") -> pd.DataFrame:
        """The descriptions of the columns of one kind."""
        return self.columns[(self.columns["kind"] == kind) & (self.columns["part"] == part)]

    def column(self, kind: str, name: str) -> str:
        """The column that holds a parameter or a reported number."""
        found = self.of_kind(kind)
        return str(found.loc[found["name"] == name, "column"].iloc[0])

    def write(self, folder: Path) -> list[Path]:
        """Store as ``table.csv``, ``table.parquet`` and ``columns.csv``, each whole or not."""
        parquet = folder / "table.parquet"
        part = parquet.with_name(f".{parquet.name}.{os.getpid()}")
        self.rows.to_parquet(part, index=False)
        os.replace(part, parquet)
        return [
            write_atomically(folder / "table.csv", self.rows.to_csv(index=False)),
            parquet,
            write_atomically(folder / "columns.csv", self.columns.to_csv(index=False)),
        ]


def tabulate_sweep(plan: Plan, store: Store, runs: Mapping[str, StoredRun]) -> SweepTable:
    """The table of a sweep from its stored runs.

    A column has the name of what it holds. Where a chapter reports a number under the name of a
    parameter, its column is ``reported_NAME``.

    Args:
        plan: all runs of the sweep.
        store: the folder of the sweep.
        runs: those that are stored, by content key; the others get a row without results.
    """
    gathered = _Columns(len(plan.points))
    records: dict[str, Record] = {}
    for row, point in enumerate(plan.points):
        run = runs.get(point.key)
        folder = store.run_folder(point.key)
        gathered.put(row, RUN, "key", point.key[:20])
        gathered.put(row, RUN, "status", run.status if run else PENDING)
        for name, value in point.parameters.items():
            known = plan.known[name]
            gathered.put(row, PARAMETER, name, value, unit=known.unit, help=known.help)
        if run is not None and run.status == DONE:
            records[point.key] = record = read_record(folder, run.notebook)
            for name, entry in record.reports.items():
                for part in ("value", "low", "high", "n"):
                    unit = "" if part == "n" else entry.unit
                    gathered.put(row, REPORTED, name, getattr(entry, part), part=part, unit=unit)
    for row, point in enumerate(plan.points):
        provenance = records[point.key].provenance if point.key in records else {}
        for name, value, unit in _provenance(plan, provenance):
            gathered.put(row, PROVENANCE, name, value, unit=unit)
        run = runs.get(point.key)
        if run is not None:
            notebook = (store.run_folder(point.key) / run.notebook).relative_to(store.folder)
            gathered.put(row, RUN, "seconds", run.seconds, unit="s")
            gathered.put(row, RUN, "worker", run.worker)
            gathered.put(row, RUN, "error", run.error)
            gathered.put(row, RUN, "notebook", notebook.as_posix())
    claimed = {name for record in records.values() for name in record.claims.values()}
    return gathered.table(frozenset(claimed))


def _provenance(plan: Plan, stored: Mapping[str, Any]) -> Iterable[tuple[str, Any, str]]:
    yield "chapter", plan.chapter, ""
    yield "profile", plan.profile, ""
    for name, unit in (
        ("commit", ""),
        ("device", ""),
        ("finished", ""),
        ("wall_time_s", "s"),
        ("peak_memory_mb", "MB"),
    ):
        yield name, stored.get(name), unit
    yield "versions", _as_json(stored.get("versions")), ""
    used = stored.get("data")
    fingerprints = None if used is None else {use["name"]: use["fingerprint"] for use in used}
    yield "data", _as_json(fingerprints), ""


def _as_json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True)


class _Columns:
    """Columns as they come up, run after run."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._values: dict[tuple[str, str, str], list[Any]] = {}
        self._about: dict[tuple[str, str, str], dict[str, str]] = {}

    def put(
        self,
        row: int,
        kind: str,
        name: str,
        value: Any,
        *,
        part: str = "value",
        unit: str = "",
        help: str = "",
    ) -> None:
        if value is None and kind == REPORTED:
            return  # no interval, no n
        column = (kind, name, part)
        if column not in self._values:
            self._values[column] = [None] * self._rows
            self._about[column] = {"unit": unit, "help": help}
        self._values[column][row] = value

    def table(self, claimed: frozenset[str]) -> SweepTable:
        reserved = {f"{kind}_{name}" for kind, name, _ in self._values if kind in (RUN, PROVENANCE)}
        taken: set[str] = set()
        rows, columns = {}, []
        for (kind, name, part), values in self._values.items():
            wanted = name if part == "value" else f"{name}_{part}"
            if kind in (RUN, PROVENANCE):
                label = f"{kind}_{wanted}"
            else:
                label = wanted
                while label in taken or label in reserved:
                    label = f"{kind}_{label}"
            taken.add(label)
            rows[label] = _typed(values)
            about = self._about[(kind, name, part)]
            columns.append({"column": label, "kind": kind, "name": name, "part": part, **about})
        return SweepTable(pd.DataFrame(rows), pd.DataFrame(columns), claimed)


def _typed(values: list[Any]) -> pd.Series:
    """A column of one type with missing values; of texts where the types are mixed."""
    present = [value for value in values if value is not None]
    types = {type(value) for value in present}
    if any(type(value) is int and value not in _INT64 for value in present):
        types = {str}  # no number type of a table holds it
    if types == {bool}:
        return pd.Series(values, dtype="boolean")
    if types == {int}:
        return pd.Series(values, dtype="Int64")
    if types and types <= {int, float}:
        return pd.Series([None if v is None else float(v) for v in values], dtype="Float64")
    texts = [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
    return pd.Series(texts, dtype="string")
