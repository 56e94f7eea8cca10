"""Execute the chapters that are out of date, two at a time; stamp each with what it depends on."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import psutil

from swta import data
from swta.paper.content import content_key, digest
from swta.paper.execute import ChapterFailed, Run, execute_chapter
from swta.paper.lifeline import follow_parent
from swta.paper.parameters import chapter_names, load_profile
from swta.paper.provenance import count_processors
from swta.paper.record import Record, write_atomically

SUMMARY = "06_claims"  # reads the records of all other chapters, so it runs after them
MEMORY_PER_CHAPTER_MB = 4000.0

Say = Callable[[str], None]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Task:
    """One chapter to bring up to date, with the key its result will carry."""

    chapter: str
    run: Run
    key: str

    @property
    def stamp(self) -> Path:
        """Where key, data fingerprints and duration of the last good run are kept."""
        return self.run.output.with_suffix(".key.json")


def plan_chapter(root: Path, chapter: str, profile: str) -> Task:
    """The run that a chapter needs under a profile."""
    notebook = root / "book" / f"{chapter}.ipynb"
    folder = root / "_build" / "executed" / profile
    parameters = load_profile(root, profile, notebook)
    extra: list[Path] = []
    if chapter == SUMMARY:
        others = [name for name in chapter_names(root) if name != SUMMARY]
        extra = [root / "book" / "claims.yaml", *(folder / f"{name}.json" for name in others)]
    return Task(
        chapter=chapter,
        run=Run(notebook, folder / f"{chapter}.ipynb", folder, parameters),
        key=content_key(notebook, parameters, root, extra),
    )


def reason_to_run(task: Task) -> str | None:
    """Why a chapter must run, in words; ``None`` when its executed copy is current."""
    record_path = task.run.results / f"{task.chapter}.json"
    if not (task.run.output.is_file() and task.stamp.is_file() and record_path.is_file()):
        return "not executed yet"
    try:
        stamp = json.loads(task.stamp.read_text(encoding="utf8"))
        record = Record.read(record_path)
        missing = [
            f for f in record.figures if not (record_path.with_suffix("") / f"{f}.csv").is_file()
        ]
        if stamp["key"] != task.key:
            return "its text, parameters, library or lock changed"
        changed = [
            name for name, before in stamp["data"].items() if data.fingerprint(name) != before
        ]
        if missing:
            return "its source data are missing"
        if stamp["outputs"] != _digest_outputs(task, record):
            return "its executed copy is damaged"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "its record is damaged"
    return f"its data changed: {', '.join(changed)}" if changed else None


def finish_task(task: Task, seconds: float) -> None:
    """Stamp a good run with its key, its files and the fingerprints of the data it used."""
    record = Record.read(task.run.results / f"{task.chapter}.json")
    used = {use["name"]: use["fingerprint"] for use in record.provenance["data"]}
    stamp = {
        "key": task.key,
        "data": used,
        "outputs": _digest_outputs(task, record),
        "seconds": round(seconds, 1),
        "memory_mb": record.provenance["peak_memory_mb"],
    }
    write_atomically(task.stamp, json.dumps(stamp, indent=1) + "\n")


def _digest_outputs(task: Task, record: Record) -> dict[str, str]:
    """Checksums of what a run left: a crash of the machine may cut a file that was renamed."""
    tables = task.run.results / task.chapter
    files = [
        task.run.output,
        task.run.results / f"{task.chapter}.json",
        *(tables / f"{name}.csv" for name in record.figures),
    ]
    return {str(file.relative_to(task.run.results)): digest(file.read_bytes()) for file in files}


def execute_book(
    root: Path, profile: str, *, jobs: int = 2, say: Say = print, progress: Progress | None = None
) -> list[Task]:
    """Bring every chapter up to date and return all tasks, in the order of the book.

    Raises:
        BuildFailed: at least one chapter failed; all chapters that could run have run.
    """
    chapters = chapter_names(root)
    due = []
    for chapter in (name for name in chapters if name != SUMMARY):
        task = plan_chapter(root, chapter, profile)
        reason = reason_to_run(task)
        say(f"{chapter}: {f'runs, because {reason}' if reason else 'is current'}")
        if reason:
            due.append(task)
    due.sort(key=_expected_seconds, reverse=True)
    _run_side_by_side(due, jobs, say, progress)
    if SUMMARY in chapters:
        task = plan_chapter(root, SUMMARY, profile)
        reason = reason_to_run(task)
        say(f"{SUMMARY}: {f'runs, because {reason}' if reason else 'is current'}")
        if reason:
            _run_side_by_side([task], 1, say, progress)
    return [plan_chapter(root, chapter, profile) for chapter in chapters]


def _expected_seconds(task: Task) -> float:
    """Longest first: the last run's duration, else the later chapters before the earlier."""
    try:
        return float(json.loads(task.stamp.read_text(encoding="utf8"))["seconds"])
    except (OSError, ValueError, KeyError):
        return float(task.chapter[:2])


@dataclass(frozen=True)
class _Running:
    task: Task
    process: Any
    started: float


def _run_side_by_side(tasks: list[Task], jobs: int, say: Say, progress: Progress | None) -> None:
    context = multiprocessing.get_context("spawn")
    threads = max(1, count_processors() // max(1, min(jobs, len(tasks))))
    waiting = list(tasks)
    running: dict[Any, _Running] = {}
    failures: list[str] = []
    try:
        while waiting or running:
            while waiting and len(running) < jobs and (not running or _memory_allows()):
                task = waiting.pop(0)
                ours, theirs = context.Pipe(duplex=False)
                process = context.Process(target=_child, args=(task, theirs, threads))
                process.start()
                theirs.close()  # so that a dead child reads as an end of file
                running[ours] = _Running(task, process, time.monotonic())
            for pipe in wait(list(running)):
                entry = running[pipe]
                chapter = entry.task.chapter
                kind, *details = _receive(pipe, chapter)
                if kind == "cell":
                    if progress is not None:
                        progress(chapter, details[0], details[1])
                    continue
                entry.process.join()
                del running[pipe]
                seconds = time.monotonic() - entry.started
                if kind == "failed":
                    failures.append(details[0])
                    say(f"{chapter}: FAILED after {seconds:.0f} s")
                else:
                    finish_task(entry.task, seconds)
                    say(f"{chapter}: done in {seconds:.0f} s")
                if progress is not None:
                    progress(chapter, 1, 1)
    finally:
        for entry in running.values():
            entry.process.terminate()
            entry.process.join()
    if failures:
        raise BuildFailed("\n\n".join(failures))


def _receive(pipe: Any, chapter: str) -> tuple[Any, ...]:
    try:
        return pipe.recv()
    except EOFError:
        return ("failed", f"chapter {chapter} died without an answer (out of memory?)")


class BuildFailed(RuntimeError):
    """Chapters failed; the message gives cell, error and partial notebook of each."""


def _memory_allows() -> bool:
    return psutil.virtual_memory().available / 1e6 > MEMORY_PER_CHAPTER_MB


def _child(task: Task, pipe: Any, threads: int) -> None:
    """Execute one chapter in a process of its own (papermill changes the working folder)."""
    follow_parent()
    os.environ.update(
        {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")}
    )
    try:
        execute_chapter(task.run, lambda cell, total: pipe.send(("cell", cell, total)))
    except ChapterFailed as error:
        pipe.send(("failed", str(error)))
    except Exception as error:
        pipe.send(("failed", f"chapter {task.chapter}: {type(error).__name__}: {error}"))
    else:
        pipe.send(("done",))
