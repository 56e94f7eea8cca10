"""The line under a chapter's title: how long it takes to read and took to run, and its files."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import nbformat

from swta.paper.record import Record

WORDS_PER_MINUTE = 238  # adults reading English in silence: Brysbaert 2019, J. Mem. Lang. 109
# the browser's own way to a PDF; `make pdf` puts a link to the printed file in its place
PRINT = '<button type="button" class="chapter-pdf" onclick="print()">this chapter as PDF</button>'
_TITLE = re.compile(r"^# .+$", re.MULTILINE)
_MARKUP = re.compile(r"\{[^}]*\}|`[^`]*`|\$[^$]*\$|[^\w\s]")


def reading_minutes(cells: list[nbformat.NotebookNode]) -> int:
    """Minutes that the prose of a chapter takes, at least 1; code and equations are not counted."""
    prose = " ".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return max(1, math.ceil(len(_MARKUP.sub(" ", prose).split()) / WORDS_PER_MINUTE))


def describe_run(record: Record) -> str:
    """Run time and memory of a chapter in words; empty where its record has neither."""
    seconds = record.provenance.get("wall_time_s")
    memory = record.provenance.get("peak_memory_mb")
    if seconds is None or memory is None:
        return ""
    shown = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    return f"ran in {shown} with {memory:,.0f} MB".replace(",", " ")


def add_head(notebook: Path, record: Path) -> None:
    """Put the line under the title of a staged notebook, whose record lies beside it.

    A notebook without a title is left as it is.
    """
    content = nbformat.read(notebook, as_version=4)
    for cell in content.cells:
        title = _TITLE.search(cell.source) if cell.cell_type == "markdown" else None
        if title is None:
            continue
        facts = [
            f"{reading_minutes(content.cells)} min to read",
            describe_run(Record.read(record)),
            f"{{download}}`executed notebook <{notebook.name}>`",
            f"{{download}}`its numbers (JSON) <{record.name}>`",
        ]
        line = " · ".join(filter(None, facts)) + f'<span class="on-screen"> · {PRINT}</span>'
        head = f"\n\n:::{{div}} chapter-facts\n{line}\n:::\n"
        cell.source = cell.source[: title.end()] + head + cell.source[title.end() :]
        notebook.write_text(json.dumps(content, indent=1) + "\n", encoding="utf8")
        return
