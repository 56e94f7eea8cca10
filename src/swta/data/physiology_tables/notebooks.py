"""Reading tables that were printed in upstream notebooks."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from swta.data.physiology_tables.reading import TableError
from swta.data.physiology_tables.writing import read_field, read_upstream_json


def read_printed_table(path: Path, source: str) -> list[list[str]]:
    """Return the rows of the table printed by the one cell of a notebook whose code has ``source``.

    Header rows come first; a label that spans several rows is repeated in each.

    Raises:
        TableError: no such cell, several, or one that printed no table.
    """
    cells = [
        cell
        for cell in read_field(read_upstream_json(path), path, "cells")
        if cell.get("cell_type") == "code" and source in "".join(cell.get("source", ()))
    ]
    tables = [html for cell in cells for html in _find_html(cell)]
    if len(cells) != 1 or len(tables) != 1:
        raise TableError(
            f"{path}: {len(cells)} cells with {source!r}, printing {len(tables)} tables; expected "
            "one of each"
        )
    reader = _TableReader()
    reader.feed(tables[0])
    return reader.rows


def _find_html(cell: dict[str, Any]) -> list[str]:
    outputs = [output.get("data", {}).get("text/html") for output in cell.get("outputs", ())]
    return ["".join(html) for html in outputs if html]


class _TableReader(HTMLParser):
    """Collect the text of each cell of an HTML table, labels that span rows repeated."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._spans: dict[int, tuple[int, str]] = {}  # column -> rows to come, text
        self._text: str | None = None
        self._span = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self._fill()
            self._text = ""
            self._span = int(dict(attrs).get("rowspan") or 1)

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._text is not None:
            text, self._text = self._text.strip(), None
            if self._span > 1:
                self._spans[len(self.rows[-1])] = (self._span - 1, text)
            self.rows[-1].append(text)

    def _fill(self) -> None:
        while self._spans.get(len(self.rows[-1]), (0, ""))[0]:
            column = len(self.rows[-1])
            left, text = self._spans[column]
            self._spans[column] = (left - 1, text)
            self.rows[-1].append(text)
