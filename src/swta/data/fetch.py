"""Downloading data sets into the user's cache: checked, atomic, file by file."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import logging
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import requests
import urllib3
from requests.exceptions import HTTPError, RequestException, Timeout
from tqdm import tqdm

from swta.data.catalogue import describe
from swta.data.checksums import hash_path
from swta.data.errors import DataCorrupt, DownloadError
from swta.data.folders import cache_folder, is_offline
from swta.data.registry import DataSet, RemoteFile

CONNECT_TIMEOUT = 5.0  # s, until a server must have answered the call
READ_TIMEOUT = 30.0  # s, the longest silence of a server
_CHUNK = 1 << 16  # bytes
_MANY = 4  # above this number of files one bar counts files, else one bar per file counts bytes


def fetch(name: str, progress: bool = True) -> Path:
    """Download (and build, if need be) a data set into the user's cache; return its folder.

    Files that are there and right are kept, so that a rerun goes on where the last one stopped.
    Nothing half-written stays: each file is checked under a temporary name and then renamed, and a
    built data set appears as a whole.

    Args:
        name: a data set of the catalogue.
        progress: show bars, where the error stream is a terminal.

    Raises:
        DownloadError: offline, needs registration, no server gave the right file, or the cache
            folder cannot be written (no permission, full disk).
        DataCorrupt: the downloaded files do not make the data set that was expected.
        ParameterError: no such data set.
    """
    entry = describe(name)
    if entry.access == "registration":
        raise DownloadError(
            f"{entry.title} needs registration at {entry.homepage}. "
            f"Then place under $SWTA_DATA/{entry.folder}/: {entry.layout}"
        )
    target = cache_folder() / entry.folder
    if not find_problems(entry, target):
        return target
    if is_offline():
        raise DownloadError(
            f"{entry.title} is not in {target}, and SWTA_OFFLINE forbids a download; unset it"
        )
    show = progress and sys.stderr.isatty()
    with _writing_to(cache_folder()), _alone_with(target):
        if not find_problems(entry, target):
            return target  # another process made it in the meantime
        if entry.build is None:
            download(entry.files, target, title=name, progress=show)
        else:
            upstream = cache_folder() / "upstream" / name
            download(entry.files, upstream, title=name, progress=show)
            _build(entry, upstream, target)
            shutil.rmtree(upstream)
            _remove_empty(upstream.parent)
    return target


def download(
    files: tuple[RemoteFile, ...], folder: Path, *, title: str, progress: bool = False
) -> None:
    """Download the files that ``folder`` does not have yet, each from the first mirror that works.

    Raises:
        DownloadError: no mirror gave the right file; the message says what each of them gave.
        OSError: the folder cannot be written.
    """
    pooch = _import_pooch()
    many = len(files) > _MANY
    for file in tqdm(files, desc=title, unit="file", disable=not (progress and many), leave=False):
        path = folder / file.path
        _clear_parts(path.parent)
        known = _known_hash(file)
        if path.is_file() and pooch.hashes.hash_matches(str(path), known):
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _download(file, path, known, progress and not many)
        finally:
            _remove_empty(path.parent)


def find_problems(entry: DataSet, folder: Path) -> list[str]:
    """List what is missing or wrong in a data set's folder; empty if all is well."""
    problems = []
    for path, sha256 in entry.contents:
        file = folder / path
        if not file.exists():
            problems.append(f"{file}: missing")
        elif sha256 and (found := hash_path(file)) != sha256:
            problems.append(
                f"{file}: expected SHA-256 {sha256}, found {found} ({file.stat().st_size} bytes)"
            )
    if not problems and entry.check is not None:
        problems = entry.check(folder)
    return problems


def _download(file: RemoteFile, path: Path, known: str | None, progress: bool) -> None:
    pooch = _import_pooch()
    failures = []
    for url in file.urls:
        stream = _Stream(progress)
        try:
            with _quiet(pooch.get_logger()):
                pooch.retrieve(url, known, fname=path.name, path=path.parent, downloader=stream)
            return
        except HTTPError as error:
            answer = error.response
            status = f"{answer.status_code} {answer.reason}" if answer is not None else str(error)
            failures.append(f"{url}: the server answered {status}")
        except RequestException as error:
            came = f" after {stream.received} bytes" if stream.received else ""
            failures.append(f"{url}: {_explain(error)}{came}")
        except ValueError:  # pooch compared the checksum and removed what came
            failures.append(
                f"{url}: {stream.received} bytes came, with another checksum than expected"
            )
    expected = f"{known}" if known else "an archive packed on request, without a fixed checksum"
    size = f", {file.size} bytes" if file.size is not None else ""
    raise DownloadError(
        f"could not download {path.name} (expected {expected}{size}).\n"
        + "".join(f"    {failure}\n" for failure in failures)
        + f"    To place it by hand, save it as {path} and run the same again"
    )


def _clear_parts(folder: Path) -> None:
    """Remove what a killed download left under pooch's temporary names; we are alone here."""
    for part in folder.glob("tmp????????"):
        if part.is_file():
            part.unlink()


def _remove_empty(folder: Path) -> None:
    """Remove a folder of the cache and those above it, as far as they are empty."""
    root = cache_folder()
    while folder != root and folder.is_relative_to(root):
        if folder.is_dir():
            if any(folder.iterdir()):
                return
            folder.rmdir()
        folder = folder.parent


class _Stream:
    """A downloader for pooch: short time limits, what came is counted, connections are closed."""

    def __init__(self, progress: bool) -> None:
        self.received = 0
        self._progress = progress

    def __call__(self, url: str, output_file: str, mirror: object) -> None:
        limits = (CONNECT_TIMEOUT, READ_TIMEOUT)
        with requests.get(url, stream=True, timeout=limits) as response:
            response.raise_for_status()
            total = int(response.headers.get("content-length", 0)) or None
            with (
                open(output_file, "wb") as file,
                tqdm(total=total, unit="B", unit_scale=True, disable=not self._progress) as bar,
            ):
                for chunk in response.iter_content(_CHUNK):
                    self.received += file.write(chunk)
                    bar.update(len(chunk))


def _build(entry: DataSet, upstream: Path, target: Path) -> None:
    """Build next to ``target``, check, then put the whole folder in place."""
    assert entry.build is not None
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{entry.name}-"
    for left in target.parent.glob(f"{prefix}*"):  # by a build that was killed: we are alone here
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=target.parent) as temporary:
        made = Path(temporary) / "made"
        made.mkdir()
        try:
            entry.build(upstream, made)
            problems = find_problems(entry, made)
            if problems:
                raise DataCorrupt(
                    f"{entry.title}: built from the downloaded files, but {len(problems)} files "
                    f"are not as expected: {problems[0].replace(str(made), entry.folder)}"
                )
        except ValueError as error:  # DataCorrupt, or a builder's own complaint
            for file in entry.files:  # without a checksum the download itself may be at fault
                if _known_hash(file) is None:
                    (upstream / file.path).unlink(missing_ok=True)
            raise DataCorrupt(str(error)) from error
        if target.exists():
            target.rename(Path(temporary) / "replaced")
        made.rename(target)


@contextmanager
def _alone_with(target: Path) -> Iterator[None]:
    """Wait until no other process of this user fetches the same folder: chapters run in pairs."""
    key = hashlib.sha256(f"{os.getuid()} {target}".encode()).hexdigest()[:16]
    with open(Path(tempfile.gettempdir()) / f"swta-{key}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    """Turn errors of the file system into one clear message."""
    try:
        yield
    except (DownloadError, DataCorrupt):
        raise
    except OSError as error:
        where = error.filename or folder
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            what = f"the disk is full while writing to {where}; free space"
        elif isinstance(error, PermissionError) or error.errno == errno.EROFS:
            what = f"no permission to write to {where}"
        else:
            what = f"cannot write to {where} ({error.strerror or error})"
        raise DownloadError(f"{what}, or set SWTA_CACHE to another folder") from error


def _import_pooch() -> ModuleType:
    """Import pooch at the first download only: in a notebook it warns about missing widgets."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pooch
    return pooch


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keep a logger from writing its news to the error stream of a notebook."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _known_hash(file: RemoteFile) -> str | None:
    if file.sha256:
        return f"sha256:{file.sha256}"
    return f"md5:{file.md5}" if file.md5 else None


def _explain(error: BaseException) -> str:
    """Say what a network error was: the reason lies inside several layers."""
    while True:
        reason = getattr(error, "reason", None) or error.__cause__
        inner = [item for item in (reason, *error.args) if isinstance(item, BaseException)]
        silent = isinstance(error, (Timeout, TimeoutError, urllib3.exceptions.TimeoutError))
        if silent and not isinstance(error, urllib3.exceptions.NewConnectionError):
            return (
                f"the server was silent (limits: {CONNECT_TIMEOUT:g} s to connect, "
                f"{READ_TIMEOUT:g} s to send)"
            )
        if not inner:
            return f"the connection failed ({error or type(error).__name__})"
        error = inner[0]
