"""Two builds of one commit side by side: how far apart are the numbers they report?"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from swta.paper.build import execute_book
from swta.paper.lifeline import follow_caller
from swta.paper.record import Record
from swta.paper.site import publish_records
from swta.validation import ParameterError, check_real

ALLOWED = "reproducibility.yaml"
PARTS = ("value", "low", "high", "n")


@dataclass(frozen=True)
class Allowed:
    """How far two builds may be apart.

    Attributes:
        tolerance: largest relative difference of a number.
        trained: the same for single chapters, whose numbers come out of a training.
        timed: by chapter, numbers that hold run times of the machine and are not compared.
    """

    tolerance: float = 1e-12
    trained: Mapping[str, float] = field(default_factory=dict)
    timed: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Allowed:
        """Read ``book/reproducibility.yaml``; without one, all is compared alike.

        Raises:
            ParameterError: unknown fields, or values of another kind.
        """
        if not path.is_file():
            return cls()
        try:
            stored = yaml.safe_load(path.read_text(encoding="utf8"))
            allowed = cls(**stored)
            for value in (allowed.tolerance, *allowed.trained.values()):
                check_real("tolerance", value, low=0.0)
            for names in allowed.timed.values():
                [str(name) for name in names]
        except (yaml.YAMLError, UnicodeDecodeError, TypeError, AttributeError) as error:
            raise ParameterError(
                f"{path}: {error}; allowed: tolerance, trained (a number by chapter), timed (names "
                "by chapter)"
            ) from None
        return allowed

    def of(self, chapter: str) -> float:
        """The largest relative difference of a chapter's numbers."""
        return self.trained.get(chapter, self.tolerance)


@dataclass(frozen=True)
class Difference:
    """A number, or the lack of one, in two builds.

    Attributes:
        chapter, name: what was reported; ``name`` has the part of an interval, such as ``x_low``.
        first, second: what it was; None where it is missing.
        relative: difference over the larger magnitude, 0 to 2; infinite for texts that differ.
    """

    chapter: str
    name: str
    first: Any
    second: Any
    relative: float


def compare_results(first: Path, second: Path, allowed: Allowed) -> dict[str, Difference]:
    """The largest difference of each chapter between two folders of records.

    Raises:
        ValueError: a chapter has a record in one folder only, or a record is damaged.
    """
    names = [sorted(path.stem for path in folder.glob("*.json")) for folder in (first, second)]
    if names[0] != names[1] or not names[0]:
        raise ValueError(
            f"{first} has the records {names[0]}, {second} has {names[1]}; compare two builds of "
            "the same chapters"
        )
    largest = {}
    for chapter in names[0]:
        differences = _compare_chapter(
            Record.read(first / f"{chapter}.json"),
            Record.read(second / f"{chapter}.json"),
            set(allowed.timed.get(chapter, ())),
        )
        nothing = Difference(chapter, "", None, None, 0.0)
        largest[chapter] = max(differences, key=lambda each: each.relative, default=nothing)
    return largest


def _compare_chapter(one: Record, other: Record, timed: set[str]) -> list[Difference]:
    found = []
    for name in sorted((set(one.reports) | set(other.reports)) - timed):
        for part in PARTS:
            first, second = (getattr(r.reports.get(name), part, None) for r in (one, other))
            label = name if part == "value" else f"{name}_{part}"
            apart = relative_difference(first, second)
            found.append(Difference(one.chapter, label, first, second, apart))
    return found


def relative_difference(first: Any, second: Any) -> float:
    """Difference of two numbers over the larger magnitude; 0 or infinite for anything else."""
    if first == second:
        return 0.0
    if not all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in (first, second)):
        return float("inf")
    return abs(first - second) / max(abs(first), abs(second))


def build_twice(
    root: Path, profile: str, *, jobs: int, say: Callable[[str], None] = print
) -> dict[str, Difference]:
    """Execute the committed book in two fresh clones and compare what they report.

    Raises:
        OSError: no git, or a build failed; the message has its last lines.
    """
    with tempfile.TemporaryDirectory(prefix="swta-reproduce-") as scratch:
        folders = []
        for name in ("first", "second"):
            clone = Path(scratch) / name
            _call(["git", "clone", "--quiet", str(root), str(clone)], Path(scratch))
            say(f"{name} build of {profile} in a clean clone")
            code = (
                f"from swta.paper.reproduce import execute_here; execute_here({profile!r}, {jobs})"
            )
            _call([sys.executable, "-c", code], clone)
            folders.append(clone / "_build" / "results")
        return compare_results(folders[0], folders[1], Allowed.read(root / "book" / ALLOWED))


def execute_here(profile: str, jobs: int) -> None:
    """Execute the book of the working folder and publish its records; no pages are made."""
    follow_caller()
    root = Path.cwd()
    tasks = execute_book(root, profile, jobs=jobs)
    publish_records([task.run.output for task in tasks], root / "_build" / "results")


def _call(command: list[str], folder: Path) -> None:
    """Run a command with the library of the clone that it runs in."""
    environment = os.environ | {"PYTHONPATH": str(folder / "src")}
    environment.pop("SWTA_RESULTS", None)
    if environment.get("SWTA_DATA"):
        environment["SWTA_DATA"] = str(Path(environment["SWTA_DATA"]).resolve())
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        told = (done.stderr or done.stdout).strip().splitlines()[-15:]
        raise OSError(f"{' '.join(command[:3])} … failed in {folder}:\n" + "\n".join(told))
