"""Checksums of files, folders and arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# (path, size, modification time in ns) -> SHA-256, so that a process reads each file once
_KNOWN: dict[tuple[str, int, int], str] = {}


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file; a file that did not change is read once per process."""
    state = path.stat()
    key = (str(path), state.st_size, state.st_mtime_ns)
    if key not in _KNOWN:
        with path.open("rb") as stream:
            _KNOWN[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _KNOWN[key]


def hash_folder(path: Path) -> str:
    """Return the SHA-256 of the sorted list of names and sizes under a folder.

    The contents are not read: street scenes come in folders of many gigabytes.
    """
    digest = hashlib.sha256()
    for file in sorted(item for item in path.rglob("*") if item.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()}\t{file.stat().st_size}\n".encode())
    return digest.hexdigest()


def hash_path(path: Path) -> str:
    """Return `hash_folder` of a folder, `hash_file` of a file."""
    return hash_folder(path) if path.is_dir() else hash_file(path)


def hash_arrays(arrays: Iterable[NDArray[np.generic]]) -> str:
    """Return the SHA-256 of the arrays' values, little endian in C order, one after the other.

    Unlike the checksum of an archive of arrays it does not depend on how they were compressed.
    """
    digest = hashlib.sha256()
    for array in arrays:
        ordered = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(ordered.tobytes())
    return digest.hexdigest()
