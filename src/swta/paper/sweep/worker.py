"""What a Dask worker does for a sweep: one notebook at a time, each in a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swta.paper.sweep.forkserver import ForkServer, NotebookDied
from swta.paper.sweep.notebook import BROKEN, CONSOLE
from swta.paper.sweep.plan import code_digest
from swta.paper.sweep.store import DONE, FAILED, Store, StoredRun, read_record

_servers: dict[tuple[Any, ...], ForkServer] = {}
_lock = threading.Lock()
_closing = threading.Event()


class SweepStopped(RuntimeError):
    """Something that every further run would meet as well; says what to do."""


@dataclass(frozen=True)
class Shared:
    """What all runs of a sweep have in common.

    Attributes:
        notebook: the bare chapter, at the same path on every worker.
        folder: the folder of the sweep, likewise.
        environment: variables that every run sees.
        threads: threads of one run.
        imports: what to load before forking; none for kernels started afresh.
        files: the library files that the chapter reaches.
        code: `code_digest` of the one who planned.
    """

    notebook: Path
    folder: Path
    environment: dict[str, str]
    threads: int
    imports: tuple[tuple[str, tuple[str, ...]], ...]
    files: tuple[str, ...]
    code: str


@dataclass(frozen=True)
class Job:
    """One run: what it shares with the others, its key and its values.

    ``replace`` says that a good run that is stored already is out of date.
    """

    shared: Shared
    key: str
    values: dict[str, Any]
    parameters: dict[str, Any]
    replace: bool = False


def run_job(job: Job) -> StoredRun:
    """Execute one run into the folder of the sweep, unless a good one is there.

    Raises:
        SweepStopped: other code here than where the sweep was planned, a folder that this machine
            does not see, or no room to write.
    """
    shared, store = job.shared, Store(job.shared.folder)
    _check_place(shared)
    there = store.read(job.key)
    if there is not None and there.status == DONE and not job.replace:
        return there  # done by a worker that died before it could say so
    try:
        work = store.make_work_folder(job.key)
    except OSError as error:
        raise SweepStopped(f"cannot write into {shared.folder}: {error}") from None
    request = {
        "notebook": str(shared.notebook),
        "folder": str(work),
        "parameters": job.values,
        "environment": shared.environment,
    }
    try:
        answer = _server(shared).run(request)
        if answer["status"] == BROKEN and not answer["no_room"]:
            answer = _server(shared).run(request)  # the machine's fault may have been for once
    except NotebookDied as error:
        if _closing.is_set():
            shutil.rmtree(work, ignore_errors=True)
            raise SweepStopped("the worker was told to end") from None
        answer = {"status": FAILED, "error": str(error), "seconds": 0.0, "no_room": False}
        partial = work / f"{shared.notebook.stem}.partial.ipynb"
        if partial.is_file():
            os.replace(partial, work / shared.notebook.name)
    if answer["no_room"]:
        shutil.rmtree(work, ignore_errors=True)
        raise SweepStopped(
            f"cannot write into {shared.folder}: {answer['error']}. Make room there; "
            "the same command goes on from here"
        )
    console = work / CONSOLE
    if console.is_file() and not console.stat().st_size:
        console.unlink()
    good = answer["status"] == DONE
    record = read_record(work, shared.notebook.name) if good else None
    used = record.provenance.get("data", []) if record else []
    run = StoredRun(
        key=job.key,
        status=DONE if good else FAILED,
        parameters=job.parameters,
        notebook=shared.notebook.name,
        error=answer["error"],
        seconds=round(answer["seconds"], 3),
        worker=f"{socket.gethostname()}:{os.getpid()}",
        data={use["name"]: use["fingerprint"] for use in used},
    )
    try:
        return store.publish(work, run, replace=job.replace)
    except OSError as error:
        raise SweepStopped(f"cannot write into {shared.folder}: {error}") from None


def dask_setup(worker: Any) -> None:
    """Preload of local workers: an interrupt at the terminal is for the sweep, which ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def dask_teardown(worker: Any) -> None:
    """Preload of local workers: end the notebooks, so that the worker need not wait for them."""
    _closing.set()
    for server in _servers.values():
        server.close()


def _check_place(shared: Shared) -> None:
    machine = socket.gethostname()
    for path in (shared.notebook, shared.folder):
        if not path.exists():
            raise SweepStopped(
                f"the worker on {machine} does not see {path}; checkout and --output must be at "
                "the same path on every machine"
            )
    if code_digest(shared.notebook, shared.files) != shared.code:
        raise SweepStopped(
            f"on {machine} the chapter, the library it uses or Python is not what the sweep began "
            "with: edited meanwhile, or another installation. Every machine needs the same "
            "checkout; runs of an edited one get keys of their own and are not mixed with these"
        )


def _server(shared: Shared) -> ForkServer:
    """The fork server of this process for a sweep; made at the first run and after it died."""
    key = (shared.imports, shared.threads, shared.code)
    with _lock:
        server = _servers.get(key)
        if server is None or not server.alive:
            _servers[key] = server = ForkServer(shared.imports, shared.threads)
        return server
