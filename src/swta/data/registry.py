"""What a data set is: its files, checksums, licence and citation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class RemoteFile:
    """One file to download: where from, and what it must be.

    ``path`` is relative to the data set's folder (or, for the raw material of a built table, to
    its folder of upstream files). At least one of ``sha256`` and ``md5`` is given, except for an
    archive that a server packs on request, whose bytes change: then what is built from it is
    checked. ``size`` is in bytes.
    """

    path: str
    urls: tuple[str, ...]
    sha256: str = ""
    md5: str = ""
    size: int | None = None


@dataclass(frozen=True)
class DataSet:
    """A named data set and how a copy of it comes about.

    ``access`` is ``download`` (the files are used as they are), ``build`` (``files`` are upstream
    files from which ``build(upstream_folder, target_folder)`` makes the tables of ``contents``) or
    ``registration`` (the user places it by hand; ``layout`` says how). ``contents`` maps each file
    of the finished data set, relative to ``folder``, to its SHA-256 ("" where only presence is
    checked). ``check(folder)`` lists what is wrong inside files that have no checksum, because
    their bytes depend on the encoder.
    """

    name: str
    title: str
    version: str
    folder: str
    access: Literal["download", "build", "registration"]
    licence: str
    citation: str
    homepage: str
    files: tuple[RemoteFile, ...] = ()
    contents: tuple[tuple[str, str], ...] = ()
    layout: str = ""
    build: Callable[[Path, Path], None] | None = None
    check: Callable[[Path], list[str]] | None = None
