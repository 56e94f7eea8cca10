"""Placing what a reader downloaded after registration: archives are unpacked, and stay inside."""

from __future__ import annotations

import errno
import lzma
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from swta.data.catalogue import describe
from swta.data.errors import DataCorrupt
from swta.data.folders import cache_folder, data_folder

_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OverflowError,
    RuntimeError,  # encrypted, or a method of compression that zipfile does not know
    ValueError,  # a name that is no text
)
# of the system: a place before the file's start, names that cannot be, or stand in each other's way
_BROKEN_NUMBERS = (errno.EINVAL, errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR)


def place(name: str, archive: Path) -> Path:
    """Unpack an archive of a data set (.zip, .tar, .tar.gz, .tar.xz) where `locate` finds it.

    That is ``$SWTA_DATA`` if set, else the user's cache. Several archives of one data set may be
    placed one after the other.

    Returns:
        The data set's folder.

    Raises:
        DataCorrupt: no archive, a truncated one, or one that would write outside the folder.
        DataUnavailable: SWTA_DATA names a folder that does not exist.
        ParameterError: no such data set.
    """
    folder = (data_folder() or cache_folder()) / describe(name).folder
    unpack(Path(archive), folder)
    return folder


def unpack(archive: Path, folder: Path) -> None:
    """Unpack plain files into ``folder``: all of them, or none if anything is wrong.

    Raises:
        DataCorrupt: no archive, a truncated one, a link or device in it, or a path that leads
            outside ``folder``.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpack-", dir=folder.parent) as temporary:
        inside = Path(temporary)
        try:
            with _open(archive) as members:
                for name, stream in members:
                    path = inside / _check_path(archive, name)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with stream, path.open("wb") as target:
                        shutil.copyfileobj(stream, target)
        except DataCorrupt:
            raise
        except (OSError, *_BROKEN) as error:
            number = getattr(error, "errno", None)  # gzip's own errors have none
            if number is not None and number not in _BROKEN_NUMBERS:
                raise
            raise DataCorrupt(
                f"{archive}: expected a whole .zip or .tar archive, found {archive.stat().st_size} "
                f"bytes that cannot be unpacked ({error or type(error).__name__})"
            ) from error
        for path in sorted(item for item in inside.rglob("*") if item.is_file()):
            target_path = folder / path.relative_to(inside)
            target_path.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target_path)


@contextmanager
def _open(archive: Path) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    if not archive.is_file():
        raise DataCorrupt(f"{archive}: there is no such archive")
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            yield _list_zip(archive, opened)
    else:
        with tarfile.open(archive) as opened_tar:
            yield _list_tar(archive, opened_tar)


def _list_zip(archive: Path, opened: zipfile.ZipFile) -> Iterator[tuple[str, IO[bytes]]]:
    for member in opened.infolist():
        if not member.filename:
            raise DataCorrupt(f"{archive}: a file in it has no name; fetch the archive again")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise DataCorrupt(f"{archive}: {member.filename!r} is a link; only files are unpacked")
        if not member.is_dir():
            yield member.filename, opened.open(member)


def _list_tar(archive: Path, opened: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    for member in opened:
        if member.isfile():
            stream = opened.extractfile(member)
            assert stream is not None  # a plain file has one
            yield member.name, stream
        elif not member.isdir():
            raise DataCorrupt(
                f"{archive}: {member.name!r} is a link or device; only files are unpacked"
            )


def _check_path(archive: Path, name: str) -> PurePosixPath:
    """Return a member's path if it stays below the folder it is unpacked into."""
    path, windows = PurePosixPath(name), PureWindowsPath(name)
    if path.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        raise DataCorrupt(f"{archive}: {name!r} leads outside the folder; nothing was unpacked")
    return path
