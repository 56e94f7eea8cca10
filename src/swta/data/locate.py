"""Finding a data set by name, and the record of what this process used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from swta.data.bundled import BUNDLED, PACKAGE_FOLDER
from swta.data.catalogue import check_name, describe
from swta.data.checksums import hash_file, hash_path
from swta.data.errors import DataCorrupt, DataUnavailable, DownloadError
from swta.data.fetch import fetch
from swta.data.folders import cache_folder, data_folder, is_offline
from swta.data.registry import DataSet


@dataclass(frozen=True)
class Location:
    """Where a data set was found: ``source`` is SWTA_DATA, cache, download or bundled."""

    name: str
    source: str
    folder: Path
    files: tuple[Path, ...]  # every file or folder that the data set must have


@dataclass(frozen=True)
class Use:
    """A data set that this process loaded, or looked for in vain (``source`` is then "absent").

    ``files`` holds (path inside the data set, SHA-256); a folder stands for its names and sizes.
    """

    name: str
    source: str
    files: tuple[tuple[str, str], ...] = ()
    note: str = ""


_USES: dict[str, Use] = {}
_LOCATIONS: dict[str, Location] = {}
_FAILED_DOWNLOADS: dict[str, str] = {}  # name -> why, so that one process waits only once


def locate(name: str) -> Location:
    """Find a data set: ``$SWTA_DATA``, the user's cache, a download, what the package bundles.

    A download happens when the first two have no complete copy, unless ``SWTA_OFFLINE=1``. One
    that failed is not tried again in the same process. The search is recorded for `used`.

    Raises:
        DataUnavailable: nowhere to be found, or SWTA_DATA names a folder that does not exist.
        ParameterError: no such data set.
    """
    check_name(name)
    found = _find_here(name)
    if isinstance(found, Location):
        return _remember(found)
    entry = describe(name)
    reasons = list(found)
    if entry.access == "registration":
        reasons.append(f"download: needs registration at {entry.homepage}")
    elif is_offline():
        reasons.append("download: switched off by SWTA_OFFLINE")
    elif name in _FAILED_DOWNLOADS:
        reasons.append(f"download: {_FAILED_DOWNLOADS[name]}")
    else:
        try:
            folder = fetch(name)
            return _remember(_location(entry, "download", folder))
        except (DownloadError, DataCorrupt) as error:
            _FAILED_DOWNLOADS[name] = str(error)
            reasons.append(f"download: {error}")
    reasons.append("bundled: the package has no copy of it")
    _USES.setdefault(name, Use(name, "absent", note="; ".join(reasons)))
    raise DataUnavailable(
        f"Data set {name!r} ({entry.title}) was not found.\n"
        + "".join(f"  - {reason}\n" for reason in reasons)
        + explain_placing(entry)
    )


def use(location: Location, *paths: str, note: str = "") -> tuple[Path, ...]:
    """Return the files at ``paths`` inside a data set, checksums compared and the use recorded.

    Args:
        location: from `locate`.
        paths: relative to the data set's folder; none for a data set made by code.
        note: what a caption should say of them.

    Raises:
        DataCorrupt: a file is missing, or is not what the catalogue says.
    """
    expected = dict(describe(location.name).contents) if location.name not in BUNDLED else {}
    found = []
    for path in paths:
        file = location.folder / path
        try:
            found.append((path, hash_path(file)))
        except FileNotFoundError:
            raise DataCorrupt(f"{file}: the file is missing") from None
        except OSError as error:
            raise DataCorrupt(f"{file}: cannot be read ({error.strerror})") from error
        sha256 = expected.get(path, "")
        if sha256 and found[-1][1] != sha256:
            raise DataCorrupt(describe_mismatch(location.name, file, sha256))
    before = _USES.get(location.name)
    if before is None or before.source == "absent":
        before = Use(location.name, location.source)
    _USES[location.name] = replace(
        before,
        files=tuple(sorted({**dict(before.files), **dict(found)}.items())),
        note=_join(before.note, note),
    )
    return tuple(location.folder / path for path in paths)


def used() -> tuple[Use, ...]:
    """Return what this process loaded or looked for, in alphabetical order.

    A data set that was located without naming its files is listed with all of them.
    """
    uses = []
    for name in sorted(_USES):
        record = _USES[name]
        if not record.files and name in _LOCATIONS:
            record = replace(record, files=tuple(_hashes(_LOCATIONS[name])))
        uses.append(record)
    return tuple(uses)


def fingerprint(name: str) -> str:
    """Return a short text that changes when a load of ``name`` would now give other data.

    It holds the source and a digest of all checksums; "absent" where nothing is found without a
    download; "bundled" for what code draws. It never downloads. A data set placed by hand after
    registration is judged by the names and sizes of its files.

    Raises:
        DataUnavailable: SWTA_DATA names a folder that does not exist.
        ParameterError: no such data set.
    """
    found = find(name)
    if found is None:
        return "absent"
    lines = "".join(f"{sha256}  {path}\n" for path, sha256 in _hashes(found))
    return f"{found.source}:{hashlib.sha256(lines.encode()).hexdigest()}" if lines else found.source


def find(name: str) -> Location | None:
    """Return where a data set lies on this machine; None if it is not here.

    Nothing is downloaded, and the search is not recorded.

    Raises:
        DataUnavailable: SWTA_DATA names a folder that does not exist.
        ParameterError: no such data set.
    """
    found = _find_here(check_name(name))
    return found if isinstance(found, Location) else None


def explain_placing(entry: DataSet) -> str:
    """Say how to place a data set by hand."""
    if entry.layout:
        what = f"{entry.layout} (from {entry.homepage})"
    elif entry.access == "download":
        names = ", ".join(file.path for file in entry.files)
        what = f"{names} (from {entry.files[0].urls[0].rpartition('/')[0]}/)"
    else:
        names = ", ".join(path for path, _ in entry.contents[:4])
        more = f" and {len(entry.contents) - 4} more" if len(entry.contents) > 4 else ""
        what = f"{names}{more}; `swta data fetch {entry.name}` makes them where there is a network"
    return (
        f"To place it by hand, set SWTA_DATA to a folder and put there, under "
        f"{entry.folder}/: {what}"
    )


def describe_mismatch(name: str, file: Path, sha256: str) -> str:
    """Say what a file must be and what it is."""
    sizes = {remote.sha256: remote.size for remote in describe(name).files}
    size = sizes.get(sha256)
    expected = f"SHA-256 {sha256}" + (f" ({size} bytes)" if size is not None else "")
    return (
        f"{file}: expected {expected}, found {hash_file(file)} ({file.stat().st_size} bytes). "
        f"Remove the file and place a good copy, or run `swta data fetch {name}`"
    )


def _find_here(name: str) -> Location | list[str]:
    """Return the location on this machine, else the reasons why there is none."""
    own = data_folder()
    if name in BUNDLED:
        files = tuple(PACKAGE_FOLDER / path for path in BUNDLED[name].files)
        return Location(name, "bundled", PACKAGE_FOLDER, files)
    entry = describe(name)
    reasons = [] if own is not None else ["SWTA_DATA: not set"]
    roots = [("SWTA_DATA", own)] if own is not None else []
    for source, root in (*roots, ("cache", cache_folder())):
        folder = root / entry.folder
        missing = [path for path, _ in entry.contents if not (folder / path).exists()]
        if not missing:
            return _location(entry, source, folder)
        if folder.is_dir():
            reasons.append(f"{source}: {folder} lacks {missing[0]}")
        else:
            reasons.append(f"{source}: there is no {folder}")
    return reasons


def _location(entry: DataSet, source: str, folder: Path) -> Location:
    return Location(entry.name, source, folder, tuple(folder / path for path, _ in entry.contents))


def _remember(location: Location) -> Location:
    before = _USES.get(location.name)
    if before is None or before.source != location.source:
        _USES[location.name] = Use(location.name, location.source)
    _LOCATIONS[location.name] = location
    return location


def _join(notes: str, note: str) -> str:
    """Add a note to those of earlier loads, once."""
    known = notes.split("; ") if notes else []
    return "; ".join([*known, *([note] if note and note not in known else [])])


def _hashes(location: Location) -> Iterator[tuple[str, str]]:
    for path in location.files:
        yield path.relative_to(location.folder).as_posix(), hash_path(path)
