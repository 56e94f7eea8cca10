"""Each chapter's text and its bare notebook, brought into step without losing an edit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from swta.paper.content import digest
from swta.paper.parameters import chapter_names
from swta.paper.record import write_atomically

LAST = "pairs.json"  # what text and notebook said when they last agreed
REPLACED = "replaced"  # the twin that lost, in case it was the one that was meant


def pair_texts(root: Path, say: Callable[[str], None] = print) -> None:
    """Bring each chapter's text and its bare notebook into step.

    The one that was edited since the last build wins, whatever the clock says; of two that were
    edited, the newer. What is replaced is kept in ``_build/replaced``.

    Raises:
        ValueError: a text that jupytext cannot read; the message says which.
    """
    memory = root / "_build" / LAST
    known = _read_memory(memory)
    for chapter in chapter_names(root):
        text = root / "book" / f"{chapter}.md"
        notebook = text.with_suffix(".ipynb")
        if not text.is_file():
            raise ValueError(
                f"{notebook} has no text beside it: restore {text.name}, or make it with "
                f"`jupytext --to md:myst {notebook.name}`"
            )
        said = {path.suffix: _content(path) for path in (text, notebook)}
        if said[".md"] != said[".ipynb"]:
            winner, loser = _choose(text, notebook, said, known.get(chapter))
            kept = root / "_build" / REPLACED / loser.name
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(loser, kept)
            if said[loser.suffix] is None:
                loser.unlink()
            now = max(time.time(), loser.stat().st_mtime + 1 if loser.exists() else 0)
            os.utime(winner, (now, now))  # jupytext goes by the clock
            _sync(winner, root)
            say(f"{chapter}: {loser.name} follows {winner.name}; what it was is kept in {kept}")
        known[chapter] = str(_content(text))
    write_atomically(memory, json.dumps(known, indent=1) + "\n")


def _choose(
    text: Path, notebook: Path, said: dict[str, str | None], before: str | None
) -> tuple[Path, Path]:
    """The twin that counts and the one that follows it."""
    if said[".ipynb"] is None or said[".ipynb"] == before:
        return text, notebook
    if said[".md"] == before or notebook.stat().st_mtime > text.stat().st_mtime:
        return notebook, text
    return text, notebook


def _content(path: Path) -> str | None:
    """A checksum of the cells of a text or notebook; None for a notebook that cannot be read.

    Raises:
        ValueError: a text that cannot be read.
    """
    import jupytext  # slow to import

    try:
        notebook = jupytext.read(path)
        cells = [[c.cell_type, c.source.strip(), _plain(c.metadata)] for c in notebook.cells]
    except Exception as error:  # whatever YAML, JSON and nbformat raise
        if path.suffix == ".ipynb":
            return None
        raise ValueError(
            f"text and notebook of a chapter cannot be paired: {path}: {error}"
        ) from None
    return digest(json.dumps(cells, sort_keys=True))


def _plain(metadata: Any) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if value not in ([], {}, None)}


def _sync(winner: Path, root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jupytext", "--quiet", "--sync", str(winner)],
        capture_output=True,
        text=True,
        cwd=root,
    )
    if done.returncode:
        raise ValueError(
            f"text and notebook of a chapter cannot be paired: {done.stderr.strip()[-2000:]}"
        )


def _read_memory(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
