"""What a chapter depends on, as one key: text, parameters, library, lock, published numbers."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat

PACKAGE = "swta"

_MAGIC = re.compile(r"^(\s*)[%!].*$")  # IPython's own lines, which are no Python


def digest(*parts: str | bytes) -> str:
    """SHA-256 over the parts, each with its length, as hexadecimal text."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(f"{len(data)}:".encode())
        total.update(data)
    return total.hexdigest()


def imported_modules(source: str, module: str = "", *, is_package: bool = False) -> set[str]:
    """Modules of this library that Python source imports, anywhere in it.

    ``from swta.a import b`` counts as ``swta.a`` and ``swta.a.b``: the second matters when ``b``
    is a module. Relative imports are resolved against ``module``.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")
                keep = len(parents) - node.level + (1 if is_package else 0)
                base = ".".join([*parents[:keep], *([node.module] if node.module else [])])
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return {name for name in found if name.split(".")[0] == PACKAGE}


def library_files(start: Iterable[str], source_root: Path) -> list[Path]:
    """Files of the library that code importing ``start`` can reach, data files included."""
    pending, modules = set(start), set()
    files: set[Path] = set()
    while pending:
        name = pending.pop()
        if name in modules:
            continue
        modules.add(name)
        pending.update({name.rpartition(".")[0]} - {""})
        path = source_root / Path(*name.split("."))
        is_package = (path / "__init__.py").is_file()
        file = path / "__init__.py" if is_package else path.with_suffix(".py")
        if not file.is_file():
            continue
        files.add(file)
        if is_package:
            files.update(_package_data(path))
        pending.update(
            imported_modules(file.read_text(encoding="utf8"), name, is_package=is_package)
        )
    return sorted(files)


def _package_data(package: Path) -> Iterator[Path]:
    """Data files of a package: beside its modules, and in folders below that are no packages."""
    for path in package.iterdir():
        if path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").is_file():
            yield from _package_data(path)
        elif path.suffix in {".json", ".csv", ".mplstyle"}:
            yield path


def chapter_source(notebook: Path) -> tuple[str, str]:
    """The content of a notebook that matters (cells with their tags), and its code alone."""
    cells = nbformat.read(notebook, as_version=4).cells
    content = json.dumps([[c.cell_type, c.source, c.metadata] for c in cells], sort_keys=True)
    lines = "\n".join(c.source for c in cells if c.cell_type == "code").splitlines()
    return content, "\n".join(_MAGIC.sub(r"\1pass", line) for line in lines)


def content_key(
    notebook: Path, parameters: Mapping[str, Any], root: Path, extra: Iterable[Path] = ()
) -> str:
    """The key of everything known before a run; the data a run used are compared on their own.

    Args:
        notebook: the bare chapter.
        parameters: the values that differ from the chapter's defaults.
        root: the checkout, with ``src`` and ``requirements.lock``.
        extra: further files the chapter reads, such as the records of other chapters.
    """
    content, code = chapter_source(notebook)
    files = [
        *library_files(imported_modules(code), root / "src"),
        root / "requirements.lock",
        *sorted((root / "book" / "results").glob(f"{notebook.stem}.*.csv")),
        *extra,
    ]
    named = [
        f"{file.relative_to(root)} {digest(file.read_bytes())}" for file in files if file.is_file()
    ]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return digest(content, json.dumps(dict(parameters), sort_keys=True), *named, python)
