"""Where the book is and where its results go; chapters never open a relative path."""

from __future__ import annotations

import os
from pathlib import Path


def find_root(start: Path | None = None) -> Path | None:
    """The checkout that holds the book: above ``start``, or where this library comes from."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[3]):
        if (folder / "_toc.yml").is_file() and (folder / "book").is_dir():
            return folder
    return None


def book_root() -> Path:
    """The checkout that holds the book.

    Raises:
        FileNotFoundError: run from outside a checkout, with the library installed elsewhere.
    """
    root = find_root()
    if root is None:
        raise FileNotFoundError(
            f"no book here: neither {Path.cwd()} nor a folder above it has `_toc.yml` and `book/`. "
            "Run this command inside a clone of the repository."
        )
    return root


def results_folder() -> Path:
    """Where records go: ``$SWTA_RESULTS``, else ``_build/results`` of the checkout (or here)."""
    chosen = os.environ.get("SWTA_RESULTS")
    if chosen:
        return Path(chosen)
    return (find_root() or Path.cwd()) / "_build" / "results"
