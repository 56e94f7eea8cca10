"""How a sweep goes on: a bar with the time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from time import monotonic
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from swta.paper.sweep.store import DONE, StoredRun

LINE_EVERY_S = 15.0


class SweepProgress:
    """Tells a console about the runs of a sweep; a context manager.

    Args:
        console: where to.
        title: the chapter.
    """

    def __init__(self, console: Console, title: str) -> None:
        self._console, self._title = console, title
        self._due = self._ended = self._failed = 0
        self._task: TaskID | None = None
        self._started = self._told = 0.0
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(elapsed_when_finished=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            speed_estimate_period=600,
        )

    def __enter__(self) -> SweepProgress:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def begin(self, due: int, kept: int, where: str) -> None:
        """``due`` runs are to do, ``kept`` are there already."""
        self._due, self._started = due, monotonic()
        self._told = self._started
        self._task = self._bar.add_task(escape(self._title), total=due)
        there = f", {kept} are there already" if kept else ""
        self.say(f"{self._title}: {due} runs on {where}{there}")

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._bar.console.print(escape(text), highlight=False)

    def finished(self, values: Mapping[str, Any], run: StoredRun) -> None:
        """Count a run that has ended; a failed one gets a line."""
        self._ended += 1
        if run.status != DONE:
            self._failed += 1
            told = ", ".join(f"{name} = {value!r}" for name, value in values.items())
            self.say(f"failed: {told}: {run.error}")
        if self._task is not None:
            failed = f", {self._failed} failed" if self._failed else ""
            self._bar.update(
                self._task, completed=self._ended, description=f"{escape(self._title)}{failed}"
            )
        now = monotonic()
        last = self._ended == self._due
        if not self._console.is_terminal and (last or now - self._told >= LINE_EVERY_S):
            self._told = now
            left = (now - self._started) / self._ended * (self._due - self._ended)
            ending = "" if last else f", about {timedelta(seconds=round(left))} left"
            self.say(f"{self._title}: {self._ended} of {self._due} runs{ending}")
