"""One sweep from plan to page: what is due goes to the workers, and what is there is kept."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil

from swta.paper.build import MEMORY_PER_CHAPTER_MB
from swta.paper.provenance import count_processors
from swta.paper.sweep.engine import Crew, dispatch
from swta.paper.sweep.plan import (
    Plan,
    Point,
    chapter_imports,
    code_digest,
    environment_of_runs,
    reached_files,
    split_runs,
)
from swta.paper.sweep.store import DONE, PENDING, Store, StoredRun
from swta.paper.sweep.worker import Job, Shared, SweepStopped


class Reporter(Protocol):
    """Who is told how a sweep goes on."""

    def begin(self, due: int, kept: int, where: str) -> None:
        """``due`` runs are to do, ``kept`` are there already."""

    def say(self, text: str) -> None:
        """Something to know."""

    def finished(self, values: Mapping[str, Any], run: StoredRun) -> None:
        """A run has ended, well or not."""


@dataclass(frozen=True)
class SweepResult:
    """How a sweep ended.

    Attributes:
        folder: where everything is; ``index.html`` is its first page.
        counts: number of runs by status.
        stopped: why it ended before all runs were done; empty when they are.
        signal: the signal that interrupted it, 0 without.
    """

    folder: Path
    counts: dict[str, int]
    stopped: str = ""
    signal: int = 0

    @property
    def good(self) -> bool:
        """Whether every run is done."""
        return not self.stopped and set(self.counts) <= {DONE}


class Interrupted(KeyboardInterrupt):
    """The sweep was told to end by a signal."""


def default_workers(due: int) -> int:
    """Processes that this machine has processors and memory for, at most one a run."""
    room = int(psutil.virtual_memory().available / 1e6 // MEMORY_PER_CHAPTER_MB)
    return max(1, min(count_processors(), room, due))


def run_sweep(
    plan: Plan,
    folder: Path,
    crew: Crew,
    reporter: Reporter,
    *,
    retry_failed: bool = False,
    warm: bool = True,
) -> SweepResult:
    """Do the runs that are due, and write table, figure and page of all.

    Args:
        plan: the runs.
        folder: where they go; runs with the same content key that are there are not repeated.
        crew: who does them.
        reporter: is told about each.
        retry_failed: whether runs that failed before are due.
        warm: whether a notebook's process is forked from one with the chapter's imports loaded.

    Raises:
        OSError: another sweep holds the folder, or nothing answers at the scheduler's address.
        ParameterError: the folder is no sweep's, or the crew cannot be had.
    """
    store = Store(folder.resolve())
    with store.claim(plan.describe()):
        runs, due = split_runs(plan, store, retry_failed=retry_failed)
        stopped, number = "", 0
        if due:
            jobs = _make_jobs(plan, store, due, crew.threads, warm=warm)
            values = {point.key: _swept(plan, point) for point in due}

            def finished(job: Job, run: StoredRun) -> None:
                runs[job.key] = run
                reporter.finished(values[job.key], run)

            reporter.begin(len(due), len(runs), crew.where)
            try:
                with _terminable(), crew.connect(store.folder) as client:
                    dispatch(client, jobs, finished, reporter.say, store=store)
            except SweepStopped as error:
                stopped = str(error)
            except KeyboardInterrupt as error:
                number = signal.SIGTERM if isinstance(error, Interrupted) else signal.SIGINT
                stopped = "interrupted"
            runs, _ = split_runs(plan, store)  # with those that ended without being heard of
        write_results(plan, store, runs)
    counts = Counter(run.status for run in runs.values())
    counts[PENDING] = len(plan.points) - len(runs)
    return SweepResult(store.folder, dict(+counts), stopped, number)


def write_results(plan: Plan, store: Store, runs: Mapping[str, StoredRun]) -> None:
    """Write ``table.csv``, ``table.parquet``, ``columns.csv``, ``figure.png``, ``index.html``."""
    from swta.paper.sweep.figure import choose_summary, draw_png
    from swta.paper.sweep.page import write_page
    from swta.paper.sweep.table import tabulate_sweep

    table = tabulate_sweep(plan, store, runs)
    table.write(store.folder)
    image, caption = b"", ""
    shown: tuple[str, ...] = ()
    if any(run.status == DONE for run in runs.values()):
        summary = choose_summary(plan, table)
        caption, shown = summary.caption(table.rows), summary.quantities
        image = draw_png(table.rows, summary)
        part = store.folder / f".figure.{os.getpid()}"
        part.write_bytes(image)
        os.replace(part, store.folder / "figure.png")
    write_page(store.folder, plan, table, image, caption, shown)


def _make_jobs(
    plan: Plan, store: Store, due: list[Point], threads: int, *, warm: bool
) -> list[Job]:
    imports = chapter_imports(plan.notebook) if warm else []
    files = tuple(reached_files(plan.notebook, plan.root))
    shared = Shared(
        notebook=plan.notebook.resolve(),
        folder=store.folder,
        environment=environment_of_runs(os.environ),
        threads=threads,
        imports=tuple((module, tuple(names)) for module, names in imports),
        files=files,
        code=code_digest(plan.notebook, files),
    )
    jobs = []
    for point in due:
        there = store.read(point.key)
        old = there is not None and there.status == DONE  # due all the same: its data changed
        jobs.append(Job(shared, point.key, point.values, point.parameters, replace=old))
    return jobs


def _swept(plan: Plan, point: Point) -> dict[str, Any]:
    return {axis.name: point.parameters[axis.name] for axis in plan.axes}


@contextmanager
def _terminable() -> Iterator[None]:
    """Take SIGTERM, as batch systems send it, like an interrupt at the terminal."""

    def interrupt(number: int, frame: Any) -> None:
        raise Interrupted

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
