"""What a sweep has to do: every run with its content key, and which of them are done already."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import swta
from swta import data
from swta.paper.build import SUMMARY
from swta.paper.content import (
    PACKAGE,
    chapter_source,
    content_key,
    digest,
    imported_modules,
    library_files,
)
from swta.paper.parameters import Parameter, find_chapter, list_parameters, load_profile
from swta.paper.sweep.design import GRID, Axis, make_points, parse_axes
from swta.paper.sweep.store import DONE, Store, StoredRun
from swta.validation import ParameterError


@dataclass(frozen=True)
class Point:
    """One run of a sweep: the values it sets, all values it has, and its content key."""

    values: dict[str, Any]
    parameters: dict[str, Any]
    key: str


@dataclass(frozen=True)
class Plan:
    """All runs of a sweep of one chapter."""

    root: Path
    notebook: Path
    known: dict[str, Parameter]
    axes: tuple[Axis, ...]
    points: tuple[Point, ...]
    profile: str
    design: str = GRID

    @property
    def chapter(self) -> str:
        """The chapter's name."""
        return self.notebook.stem

    def describe(self) -> dict[str, Any]:
        """The sweep in plain values, as kept in its folder."""
        return {
            "chapter": self.chapter,
            "profile": self.profile,
            "design": self.design,
            "swept": {axis.name: axis.parameter.type for axis in self.axes},
            "runs": [point.key[:20] for point in self.points],
        }


def plan_sweep(
    root: Path,
    chapter: str,
    pairs: Sequence[tuple[str, str]],
    *,
    profile: str = "laptop",
    design: str = GRID,
    samples: int | None = None,
    seed: int = 0,
) -> Plan:
    """The runs of a sweep; a profile sets what the axes leave open.

    Raises:
        ParameterError: no such chapter, parameter, profile or design; see `parse_axes`.
    """
    notebook = find_chapter(root, chapter)
    if notebook.stem == SUMMARY:
        raise ParameterError(
            f"{SUMMARY} only shows the results of a build; sweep the chapter that measures them"
        )
    known = list_parameters(notebook)
    axes = parse_axes(known, pairs)
    fixed = load_profile(root, profile, notebook)
    base = content_key(notebook, {}, root)
    points: dict[str, Point] = {}
    for swept in make_points(axes, design, samples=samples, seed=seed):
        values = fixed | swept
        parameters = {name: entry.default for name, entry in known.items()} | values
        key = digest(base, json.dumps(parameters, sort_keys=True))
        points.setdefault(key, Point(values, parameters, key))  # a hypercube may repeat itself
    return Plan(root, notebook, known, tuple(axes), tuple(points.values()), profile, design)


def split_runs(
    plan: Plan, store: Store, *, retry_failed: bool = False
) -> tuple[dict[str, StoredRun], list[Point]]:
    """What is stored already, by key, and which runs are due.

    A run is due when it is not stored whole, when the data that it used have changed, or, with
    ``retry_failed``, when it failed.
    """
    fingerprint = cache(_fingerprint)
    stored: dict[str, StoredRun] = {}
    due: list[Point] = []
    for point in plan.points:
        run = store.read(point.key)
        if run is None or not run.is_current(fingerprint) or (retry_failed and run.status != DONE):
            due.append(point)
        else:
            stored[point.key] = run
    return stored, due


def _fingerprint(name: str) -> str:
    try:
        return data.fingerprint(name)
    except ValueError:  # a data set that the library no longer knows
        return "unknown"


def chapter_imports(notebook: Path) -> list[tuple[str, list[str]]]:
    """What a chapter imports at the top level of its cells, as ``(module, names)``."""
    _, code = chapter_source(notebook)
    found: list[tuple[str, list[str]]] = []
    for node in ast.parse(code).body:
        if isinstance(node, ast.Import):
            found += [(alias.name, []) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append((node.module, [alias.name for alias in node.names if alias.name != "*"]))
    return found


def reached_files(notebook: Path, root: Path) -> list[str]:
    """The library files that a chapter can reach, as names inside the library."""
    _, code = chapter_source(notebook)
    source = root / "src"
    files = library_files(imported_modules(code), source)
    return [path.relative_to(source / PACKAGE).as_posix() for path in files]


def code_digest(notebook: Path, names: Sequence[str]) -> str:
    """What a worker must have in common with the one who plans: notebook, library and Python.

    Args:
        notebook: the chapter.
        names: files of the library, from `reached_files`; read where Python imports it from.
    """
    package = Path(swta.__file__).parent
    files = [path for path in (package / name for name in names) if path.is_file()]
    named = [f"{path.relative_to(package)} {digest(path.read_bytes())}" for path in files]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return digest(notebook.read_bytes(), *named, python)


def environment_of_runs(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of the one who plans that every run sees, wherever it runs."""
    chosen = {name: value for name, value in environment.items() if name.startswith("SWTA_")}
    chosen.pop("SWTA_RESULTS", None)  # each run has its own
    if chosen.get("SWTA_DATA"):
        chosen["SWTA_DATA"] = str(Path(chosen["SWTA_DATA"]).resolve())
    return chosen
