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


def literal_path(path: Path) -> str:
    """A path as papermill takes it: in one with braces it would fill in parameters."""
    return str(path).replace("{", "{{").replace("}", "}}")


def rank() -> int:
    """Number of this process among those that torchrun started, 0 without it: who writes is 0."""
    value = os.environ.get("RANK", "")
    return int(value) if value.isdecimal() else 0


def results_folder() -> Path:
    """Where records go: ``$SWTA_RESULTS``, else ``_build/runs`` of the checkout (or here).

    A build sets the variable and publishes to `published_folder`, so that a notebook run by hand
    never replaces the results of the book.
    """
    chosen = os.environ.get("SWTA_RESULTS")
    if chosen:
        return Path(chosen)
    return (find_root() or Path.cwd()) / "_build" / "runs"


def published_folder() -> Path:
    """Where the records of the last build are.

    Raises:
        FileNotFoundError: no build has published any.
    """
    folder = book_root() / "_build" / "results"
    if not any(folder.glob("*.json")):
        raise FileNotFoundError(f"no results in {folder}: run `make book` first")
    return folder
