"""What a chapter measured, as a small JSON file that other pages and programs read."""

from __future__ import annotations

import json
import math
import os
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Reported:
    """A number of the text: ``value`` in ``unit``, its interval ``low`` to ``high``, and ``n``."""

    value: float | int | bool | str
    low: float | None = None
    high: float | None = None
    n: int | None = None
    unit: str = ""


@dataclass
class Record:
    """All that one run of a chapter reported, with the claims it measured and its provenance."""

    chapter: str
    reports: dict[str, Reported] = field(default_factory=dict)
    claims: dict[str, str] = field(default_factory=dict)
    figures: list[str] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Store the record as ``<folder>/<chapter>.json``, whole or not at all."""
        return write_atomically(
            folder / f"{self.chapter}.json",
            json.dumps(asdict(self), indent=1, allow_nan=False, sort_keys=True, default=str) + "\n",
        )

    @classmethod
    def read(cls, path: Path) -> Record:
        """Read a stored record.

        Raises:
            ValueError: the file is not a record; delete it and run the chapter again.
        """
        try:
            stored = json.loads(path.read_text(encoding="utf8"))
            reports = {name: Reported(**entry) for name, entry in stored.pop("reports").items()}
            return cls(reports=reports, **stored)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                f"{path} is not the record of a chapter ({error}); "
                "delete it and run the chapter again"
            ) from error


def plain(value: Any, *, name: str) -> float | int | bool | str:
    """``value`` as a plain Python scalar (NumPy scalars lose their type).

    Raises:
        TypeError: not a scalar.
        ValueError: NaN or infinite.
    """
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(
                f"{name} = {value} cannot be reported: the result is not a finite number"
            )
        return value
    raise TypeError(
        f"{name} has type {type(value).__name__}; report a number, a truth value or a text"
    )


def write_atomically(path: Path, text: str) -> Path:
    """Write ``text`` to a temporary neighbour, then rename it to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf8") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path
