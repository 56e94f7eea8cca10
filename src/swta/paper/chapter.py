"""A chapter while it runs: its parameters, the numbers it reports, its figures and its footer."""

from __future__ import annotations

import base64
import html
import os
import shutil
import time
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import HTML, display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from myst_nb import glue

from swta.intervals import Interval
from swta.paper.content import content_key
from swta.paper.paths import find_root, rank, results_folder
from swta.paper.provenance import collect_provenance
from swta.paper.published import compare_sizes
from swta.paper.record import Record, Reported, plain, write_atomically


class Chapter:
    """The reporting side of one chapter.

    Made right after the parameters cell: every annotated name that exists by then is a parameter
    and goes into the provenance. Making it also sets the book's figure style.

    Args:
        name: the chapter's file name without suffix, such as ``02_soft_wta``.
        namespace: the notebook's ``globals()``.
    """

    def __init__(self, name: str, namespace: Mapping[str, Any]) -> None:
        annotated = namespace.get("__annotations__", {})
        self.parameters = {key: namespace[key] for key in annotated if key in namespace}
        self.record = Record(chapter=name)
        self._started = time.perf_counter()
        self._work_folder: Path | None = None
        plt.style.use(str(files("swta.paper") / "swta.mplstyle"))

    def report(
        self,
        name: str,
        value: Any,
        *,
        low: Any = None,
        high: Any = None,
        n: Any = None,
        unit: str = "",
    ) -> None:
        """Make a number available to the text and store it for the table of claims.

        Args:
            name: the key for ``{glue:text}`` roles; ``name_low``, ``name_high`` give the interval.
            value: a number, truth value or text.
            low, high: ends of the interval, in the unit of ``value``.
            n: how many independent repetitions or items stand behind it.
            unit: unit of the value.

        Raises:
            ValueError: not finite, already reported, or an interval that misses the value.
            TypeError: not a scalar.
        """
        if name in self.record.reports:
            raise ValueError(
                f"{name!r} is reported twice in {self.record.chapter}; choose another name"
            )
        entry = Reported(
            value=plain(value, name=name),
            low=None if low is None else float(plain(low, name=f"{name}_low")),
            high=None if high is None else float(plain(high, name=f"{name}_high")),
            n=None if n is None else int(n),
            unit=unit,
        )
        if (low is None) != (high is None):
            raise ValueError(f"{name!r}: give both ends of the interval or neither")
        if entry.low is not None and entry.high is not None and not entry.low <= entry.high:
            raise ValueError(
                f"{name!r}: the interval [{entry.low:g}, {entry.high:g}] is upside down"
            )
        self.record.reports[name] = entry
        for key, number in (
            (name, entry.value),
            (f"{name}_low", entry.low),
            (f"{name}_high", entry.high),
        ):
            if number is not None:
                glue(key, number, display=False)

    def report_interval(self, name: str, interval: Interval, *, unit: str = "") -> None:
        """`report` a value with its interval and number of repetitions, from `swta.intervals`."""
        self.report(
            name, interval.value, low=interval.low, high=interval.high, n=interval.n, unit=unit
        )

    def claim(self, claim_id: str, name: str) -> None:
        """Say that the reported number ``name`` measures a claim of ``claims.yaml``.

        Raises:
            KeyError: no number of that name has been reported.
        """
        if name not in self.record.reports:
            known = ", ".join(sorted(self.record.reports)) or "none"
            raise KeyError(
                f"claim {claim_id} refers to {name!r}, which is not reported; reported: {known}"
            )
        self.record.claims[claim_id] = name

    def figure(self, drawn: Figure | Axes, name: str, data: pd.DataFrame) -> None:
        """Show a figure and store its source data as ``<name>.csv``.

        The caption links to the data with the role ``{glue:}`` and the key ``<name>_csv``: the link
        carries the table itself, so that it works in any copy of the page.

        Raises:
            ValueError: the table is empty or the name is used twice.
        """
        figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
        if figure is None:
            raise ValueError(f"the axes of figure {name!r} belong to no figure")
        if data.empty:
            raise ValueError(f"figure {name!r} has an empty table of source data")
        if name in self.record.figures:
            raise ValueError(f"figure {name!r} is shown twice in {self.record.chapter}")
        table = data.to_csv(index=False, float_format="%.8g")
        write_atomically(results_folder() / self.record.chapter / f"{name}.csv", table)
        self.record.figures.append(name)
        link = _download_link(f"{self.record.chapter}-{name}.csv", table, len(data))
        glue(f"{name}_csv", HTML(link), display=False)
        display(figure)
        plt.close(figure)

    def compare(self, names: Mapping[str, str]) -> pd.DataFrame:
        """Reported numbers of this run beside those of the published runs, a row per name."""
        return compare_sizes(self.record, find_root() or Path.cwd(), names)

    def work_folder(self) -> Path:
        """Where long work keeps what it has, so that an interrupted run goes on; gone at the end.

        Another folder for other parameters, another text or library, or other data.
        """
        root = find_root() or Path.cwd()
        notebook = root / "book" / f"{self.record.chapter}.ipynb"
        values = {key: _simple(value) for key, value in self.parameters.items()}
        key = content_key(notebook, values | {"": os.environ.get("SWTA_DATA", "")}, root)
        self._work_folder = root / "_build" / "work" / f"{self.record.chapter}-{key[:12]}"
        return self._work_folder

    def footer(self) -> None:
        """Store the record and show where this page comes from."""
        elapsed = time.perf_counter() - self._started
        self.record.provenance = collect_provenance(
            {key: _simple(value) for key, value in self.parameters.items()}, elapsed
        )
        self.record.write(results_folder())
        if self._work_folder is not None and rank() == 0:  # others may be at its end before
            shutil.rmtree(self._work_folder, ignore_errors=True)
        display(HTML(_provenance_table(self.record.provenance)))


def _simple(value: Any) -> Any:
    if isinstance(value, (bool, int, float, str)) or value is None:
        return value
    if isinstance(value, (list, tuple)):
        return [_simple(item) for item in value]
    return str(value)


def _download_link(file_name: str, table: str, rows: int) -> str:
    coded = base64.b64encode(table.encode()).decode()
    return (
        f'<a class="source-data" download="{html.escape(file_name)}" '
        f'href="data:text/csv;base64,{coded}">Source data (CSV, {rows} rows).</a>'
    )


def _provenance_table(provenance: Mapping[str, Any]) -> str:
    def listed(values: Mapping[str, Any]) -> str:
        return ", ".join(
            f"{html.escape(str(key))} {html.escape(str(value))}" for key, value in values.items()
        )

    sources = [
        f"{html.escape(use['name'])}: {html.escape(use['source'])}"
        + "".join(
            f"<br><code>{html.escape(file)} sha256 {digest[:16]}…</code>"
            for file, digest in list(use["files"].items())[:12]
        )
        + (f"<br>and {len(use['files']) - 12} more files" if len(use["files"]) > 12 else "")
        for use in provenance["data"]
    ]
    rows = {
        "Commit": html.escape(provenance["commit"]),
        "Parameters": listed(provenance["parameters"]) or "none",
        "Data": "<br>".join(sources) or "none",
        "Versions": listed(provenance["versions"]),
        "Device": html.escape(provenance["device"]),
        "Run": f"{provenance['finished']}, {provenance['wall_time_s']:.1f} s, "
        f"{provenance['peak_memory_mb']:.0f} MB at most",
    }
    body = "".join(
        f"<tr><th scope='row'>{key}</th><td>{value}</td></tr>" for key, value in rows.items()
    )
    table = f"<table>{body}</table>"
    return f"<details class='provenance' open><summary>Provenance</summary>{table}</details>"
