"""The folder of a sweep: one folder a run, whole or not there, found again by its content key."""

from __future__ import annotations

import json
import os
import shutil
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from dataclasses import replace as replace_fields
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from swta.paper.content import digest
from swta.paper.record import Record, write_atomically
from swta.validation import ParameterError

DONE, FAILED, PENDING = "done", "failed", "not run yet"
SWEEP, RUN = "sweep.json", "run.json"


@dataclass(frozen=True)
class StoredRun:
    """How one run went: its key, values, duration in s, worker, and the data that it used.

    ``checksum`` is that of the notebook: a crash of the machine may cut a file that was renamed.
    """

    key: str
    status: str
    parameters: dict[str, Any]
    notebook: str
    error: str = ""
    seconds: float = 0.0
    worker: str = ""
    data: dict[str, str] = field(default_factory=dict)
    checksum: str = ""

    def write(self, folder: Path) -> None:
        """Store as ``run.json``: the last file of a run, so that a run with it is whole."""
        write_atomically(folder / RUN, json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> StoredRun | None:
        """The run stored in a folder; None when there is none, or a damaged one."""
        try:
            run = cls(**json.loads((folder / RUN).read_text(encoding="utf8")))
            if run.status == DONE:
                for name in read_record(folder, run.notebook).figures:
                    (folder / Path(run.notebook).stem / f"{name}.csv").stat()
            whole = run.checksum == _checksum(folder / run.notebook)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return run if whole else None

    def is_current(self, fingerprint: Callable[[str], str]) -> bool:
        """Whether the data that the run used are still the same."""
        return all(fingerprint(name) == before for name, before in self.data.items())


def _checksum(notebook: Path) -> str:
    """SHA-256 of a run's notebook; empty for a run that died without one."""
    return digest(notebook.read_bytes()) if notebook.is_file() else ""


def read_record(folder: Path, notebook: str) -> Record:
    """What a run reported; empty where the chapter has no footer to store it.

    Raises:
        ValueError: the file is damaged.
    """
    path = (folder / notebook).with_suffix(".json")
    return Record.read(path) if path.is_file() else Record(path.stem)


@dataclass(frozen=True)
class Store:
    """The folder that a sweep fills."""

    folder: Path

    def run_folder(self, key: str) -> Path:
        """Where the run with a content key is kept."""
        return self.folder / "runs" / key[:20]

    def read(self, key: str) -> StoredRun | None:
        """The stored run with a content key, if it is whole."""
        run = StoredRun.read(self.run_folder(key))
        return run if run is not None and run.key == key else None

    @contextmanager
    def claim(self, description: Mapping[str, Any]) -> Iterator[None]:
        """Hold the folder for one sweep; a second one is refused until the first ends.

        Raises:
            OSError: another sweep holds the folder.
            ParameterError: the folder holds something else than a sweep.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise ParameterError(f"--output {self.folder} is a file; name a folder")
        holds = {path.name for path in self.folder.iterdir()} if self.folder.is_dir() else set()
        if holds - {".lock"} and SWEEP not in holds:
            raise ParameterError(
                f"--output {self.folder} holds files that are no sweep; name a new or empty folder"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise OSError(
                f"another sweep is writing into {self.folder}; wait for it to end, or give "
                "another --output"
            ) from None
        try:
            self._refuse_another(description)
            write_atomically(self.folder / SWEEP, json.dumps(dict(description), indent=1) + "\n")
            self._clear_left_overs()
            yield
        finally:
            self._clear_left_overs()
            with suppress(OSError):  # runs in progress elsewhere, or none ever
                (self.folder / ".work").rmdir()
            lock.release()

    def _refuse_another(self, description: Mapping[str, Any]) -> None:
        """Table and page are of one kind of sweep: another chapter's would take their place."""
        path = self.folder / SWEEP
        if not path.is_file():
            return
        try:
            held = json.loads(path.read_text("utf-8"))
        except ValueError:
            return  # cut short by a crash; it is written anew
        for name in ("chapter", "profile", "design"):
            if name in held and held[name] != description.get(name):
                raise ParameterError(
                    f"--output {self.folder} holds a sweep with {name} {held[name]}, and this one "
                    f"has {name} {description.get(name)}; give another folder with --output"
                )

    def make_work_folder(self, key: str) -> Path:
        """A new folder for a run in progress; its name tells the machine and the process."""
        name = f"{key[:20]}@{socket.gethostname()}@{os.getpid()}@{uuid.uuid4().hex[:8]}"
        folder = self.folder / ".work" / name
        folder.mkdir(parents=True)
        return folder

    def publish(self, work: Path, run: StoredRun, *, replace: bool) -> StoredRun:
        """Move a finished run to its place and return the run that is there then.

        Args:
            work: the folder from `make_work_folder`.
            run: how it went.
            replace: whether a good run that is there already is out of date.
        """
        run = replace_fields(run, checksum=_checksum(work / run.notebook))
        run.write(work)
        target = self.run_folder(run.key)
        target.parent.mkdir(parents=True, exist_ok=True)
        there = self.read(run.key)
        if there is not None and there.status == DONE and not replace:
            shutil.rmtree(work)
            return there
        old = work.with_name(f"{work.name}.old")
        if target.exists():
            os.rename(target, old)
        os.rename(work, target)
        shutil.rmtree(old, ignore_errors=True)
        return run

    def _clear_left_overs(self) -> None:
        """Remove the folders of runs whose process, on this machine, is no more."""
        for folder in (self.folder / ".work").glob("*@*@*@*"):
            _, host, pid, _ = folder.name.split("@")
            if host == socket.gethostname() and not psutil.pid_exists(int(pid)):
                shutil.rmtree(folder, ignore_errors=True)
