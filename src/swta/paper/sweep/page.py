"""The index page of a sweep: figure, table of runs, links to every notebook, and how to go on."""

from __future__ import annotations

import base64
import html
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from swta.paper.record import write_atomically
from swta.paper.sweep.plan import Plan
from swta.paper.sweep.store import DONE, FAILED
from swta.paper.sweep.table import PARAMETER, SweepTable

STYLE = """
:root { color-scheme: light dark; --line: #8886; --quiet: #777; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
figure { margin: 1rem 0; } figure img { max-width: 100%; background: white; }
figcaption, .about { color: var(--quiet); }
@media (prefers-color-scheme: dark) { :root { --quiet: #aaa; } }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top; white-space: nowrap; max-width: 24rem; overflow: hidden;
  text-overflow: ellipsis; }
td.error { white-space: normal; } tr.failed td { background: #d55e0022; }
code { font-size: .9em; overflow-wrap: anywhere; }
"""


def write_page(
    folder: Path, plan: Plan, table: SweepTable, image: bytes, caption: str, shown: tuple[str, ...]
) -> Path:
    """Store ``index.html``: one file that needs nothing but the folder around it.

    Args:
        folder: the sweep's folder, to which links are relative.
        plan: what was swept.
        table: the runs.
        image: the summary figure as PNG; empty when no run is done.
        caption: of the figure.
        shown: columns of reported numbers to show beside the swept parameters.
    """
    rows = table.rows
    counts = rows["run_status"].value_counts()
    told = ", ".join(f"{number} {status}" for status, number in counts.items())
    swept = [table.column(PARAMETER, axis.name) for axis in plan.axes]
    columns = [*swept, *(column for column in shown if column not in swept)]
    units = dict(zip(table.columns["column"], table.columns["unit"], strict=True))
    head = "".join(
        f'<th scope="col">{_text(name)}{f" ({_text(units[name])})" if units[name] else ""}</th>'
        for name in columns
    )
    body = "\n".join(_row(row, columns) for row in rows.to_dict("records"))
    picture = ""
    if image:
        source = f"data:image/png;base64,{base64.b64encode(image).decode()}"
        picture = (
            f'<figure><img src="{source}" alt="{_text(caption)}">'
            f"<figcaption>{_text(caption)}</figcaption></figure>"
        )
    text = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sweep of {_text(plan.chapter)}</title><style>{STYLE}</style></head>
<body><main>
<h1>Sweep of {_text(plan.chapter)}</h1>
<p>{len(rows)} runs: {_text(told)}. Profile {_text(plan.profile)}.</p>
{picture}
<h2>Data</h2>
<p><a href="table.csv">Table (CSV)</a>, <a href="table.parquet">table (Parquet)</a>,
<a href="columns.csv">what its columns are, with units (CSV)</a>: every run with all parameters,
everything it reported, and where it comes from.</p>
<h2>Runs</h2>
<p class="about">Each link opens the executed notebook of a run; it can be executed again as it
stands.</p>
<div class="wide"><table>
<thead><tr><th scope="col">run</th><th scope="col">status</th>{head}<th scope="col">duration
(s)</th><th scope="col">error</th></tr></thead>
<tbody>
{body}
</tbody></table></div>
</main></body></html>
"""
    return write_atomically(folder / "index.html", text)


def _row(row: dict[Any, Any], columns: list[str]) -> str:
    status = row["run_status"]
    name = _text(row["run_key"][:8])
    if status in (DONE, FAILED):
        name = f'<a href="{quote(row["run_notebook"])}">{name}</a>'
    cells = "".join(f"<td>{_text(row[column])}</td>" for column in columns)
    error = _text(row.get("run_error"))
    mark = ' class="failed"' if status == FAILED else ""
    return (
        f"<tr{mark}><td>{name}</td><td>{_text(status)}</td>{cells}"
        f'<td>{_text(row.get("run_seconds"))}</td><td class="error">{error}</td></tr>'
    )


def _text(value: Any) -> str:
    if value is None or pd.isna(value):
        return ""
    return html.escape(f"{value:.6g}" if isinstance(value, float) else str(value))
