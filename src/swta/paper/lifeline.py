"""Processes that end with the one that started them, killed or not."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import wait

import psutil


def follow_parent() -> None:
    """End this process and all that it started as soon as the process that made it is gone.

    An orphan would go on writing where the next build writes. To be called in a process of
    `multiprocessing`; in any other it does nothing.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        _end_after(partial(wait, [parent.sentinel]))


def follow_caller() -> None:
    """`follow_parent` in a process of `subprocess`."""
    caller = psutil.Process().parent()
    if caller is not None:
        _end_after(caller.wait)


def _end_after(wait_for_end: Callable[[], object]) -> None:
    def watch() -> None:
        wait_for_end()
        end_children()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def end_children() -> None:
    """Kill every process below this one."""
    for process in psutil.Process().children(recursive=True):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
