"""Processes that end with the one that started them, killed or not."""

from __future__ import annotations

import multiprocessing
import os
import threading
from multiprocessing.connection import wait

import psutil


def follow_parent() -> None:
    """End this process and all that it started as soon as the process that made it is gone.

    An orphan would go on writing where the next build writes. To be called in a process of
    `multiprocessing`; in any other it does nothing.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
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
