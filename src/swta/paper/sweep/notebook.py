"""Run one notebook of a sweep in the process that it has for itself."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Any

from swta.paper.execute import ChapterFailed, Run, execute_chapter

CONSOLE = "console.log"
BROKEN = "broken"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def run_notebook(request: dict[str, Any], kernel_manager: type) -> dict[str, Any]:
    """Execute the notebook of a request into its folder and say how it went.

    Args:
        request: ``notebook`` and ``folder`` (paths), ``parameters`` (values by name) and
            ``environment`` (variables of the environment).
        kernel_manager: what starts the kernel.

    Returns:
        ``status`` (done; failed: the chapter's fault; broken: the machine's), ``error`` in words,
        ``no_room`` when nothing more can be written, and ``seconds`` of execution.
    """
    folder, notebook = Path(request["folder"]), Path(request["notebook"])
    os.environ.update(request["environment"])
    run = Run(notebook, folder / notebook.name, folder, request["parameters"])
    answer: dict[str, Any] = {"status": "done", "error": "", "no_room": False}
    started = time.perf_counter()
    try:
        execute_chapter(run, kernel_manager=kernel_manager)
    except ChapterFailed as error:
        answer["status"] = "failed"
        answer["error"] = (
            f"cell {error.cell} (`{error.line}`): {error.error_name}: {error.error_text}"
        )
        os.replace(run.partial, run.output)  # the notebook with its traceback is what the run gives
    except Exception as error:
        answer["status"] = BROKEN
        answer["error"] = f"{type(error).__name__}: {error}"
        answer["no_room"] = isinstance(error, OSError) and error.errno in NO_ROOM
    answer["seconds"] = time.perf_counter() - started
    return answer


def redirect_console(folder: Path) -> None:
    """Send what this process and its children write to the terminal into a file of the run."""
    log = os.open(folder / CONSOLE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
