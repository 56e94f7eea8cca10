"""A small book that runs as real processes, which can be killed, on disks that can fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil

PATIENCE_S = 150  # on a busy machine; a quiet one takes a tenth
SWTA = Path(sys.executable).with_name("swta")
CHAPTERS = """\
from pathlib import Path
from swta.paper.build import BuildFailed, execute_book
try:
    execute_book(Path.cwd(), "laptop", jobs=1, say=lambda text: print(text, flush=True))
except BuildFailed as error:
    raise SystemExit(str(error))
"""  # `swta build` without the pages, which take most of its time

PARAMETERS = (
    'alpha: float = 0.5  # a number, dimensionless\ntrouble: str = ""  # what goes wrong, name'
)
CELL = """\
import json, os, signal, time
from pathlib import Path
name = "{name}"
with open("../executions", "a") as log:
    print(name, os.getpid(), file=log)
while Path(f"../hold-{{name}}").exists():
    time.sleep(0.02)
results = Path(os.environ["SWTA_RESULTS"])
(results / name).mkdir(parents=True, exist_ok=True)
(results / name / "one.csv").write_text("x\\n" + "1\\n" * 2000)
record = {{"chapter": name, "reports": {{"twice": {{"value": 2 * alpha}}}}, "figures": ["one"],
           "provenance": {{"data": [], "peak_memory_mb": 1.0, "wall_time_s": 0.1}}}}
(results / f"{{name}}.json").write_text(json.dumps(record))
print("number", 1 / (1 - alpha))
"""
NOTEBOOK = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}


class Book:
    """A checkout with the chapters ``01_one`` and ``02_two``.

    A chapter waits while the file ``hold-NAME`` exists, and adds a line to ``executions`` each time
    it runs.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "book" / "_static").mkdir(parents=True)
        (root / "src").mkdir()
        (root / "requirements.lock").write_text("")
        (root / "_toc.yml").write_text("format: jb-book\nroot: book/01_one\n")
        (root / "_config.yml").write_text(
            "title: Small\nonly_build_toc_files: true\n"
            "exclude_patterns: ['book/[0-9][0-9]_*.md', 'book/02*']\n"
            "execute: {execute_notebooks: auto}\n"
            "sphinx: {config: {include_patterns: ['book/**']}}\n"
        )
        for name in ("01_one", "02_two"):
            self.write_chapter(name)
        self.environment = os.environ | {"PYTHONWARNINGS": "ignore"}
        self.environment.pop("SWTA_RESULTS", None)
        self.begun: list[subprocess.Popen] = []
        self.enter: list[str] = []  # what puts a command on another disk

    def write_chapter(self, name: str) -> None:
        import jupytext

        cells = [
            nbformat.v4.new_markdown_cell(f"# Chapter {name}", id=f"{name}-0"),
            nbformat.v4.new_code_cell(
                PARAMETERS, id=f"{name}-1", metadata={"tags": ["parameters"]}
            ),
            nbformat.v4.new_code_cell(CELL.format(name=name).strip(), id=f"{name}-2"),
        ]
        notebook = nbformat.v4.new_notebook(cells=cells, metadata=NOTEBOOK)
        notebook.metadata["jupytext"] = {"formats": "ipynb,md:myst"}
        nbformat.write(notebook, self.root / "book" / f"{name}.ipynb")
        jupytext.write(notebook, self.root / "book" / f"{name}.md", fmt="md:myst")

    def start(self, *command: str | Path) -> subprocess.Popen:
        process = subprocess.Popen(
            [*self.enter, *map(str, command)],
            cwd=None if self.enter else self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.begun.append(process)
        return process

    def start_chapters(self) -> subprocess.Popen:
        return self.start(sys.executable, "-c", CHAPTERS)

    def build_chapters(self) -> tuple[int, str]:
        return end(self.start_chapters())

    def swta(self, *arguments: str | Path) -> tuple[int, str]:
        return end(self.start(SWTA, *arguments))

    def executions(self) -> list[str]:
        """The names of the chapters that began to run, in order."""
        return [line.split()[0] for line in self._lines()]

    def kernel(self, name: str) -> int:
        """The process id of the latest kernel of a chapter, once it has begun."""
        found = wait_for(lambda: [line for line in self._lines() if line.startswith(name)])
        return int(found[-1].split()[1])

    def _lines(self) -> list[str]:
        path = self.root / "executions"
        return path.read_text().splitlines() if path.is_file() else []

    def hold(self, name: str) -> Path:
        path = self.root / f"hold-{name}"
        path.touch()
        return path

    def executed(self, name: str) -> Path:
        return self.root / "_build" / "executed" / "laptop" / f"{name}.ipynb"

    def close(self) -> None:
        for process in self.begun:
            if process.poll() is None:
                kill_tree(process)
            process.stdout.close()
            process.wait()


def end(process: subprocess.Popen) -> tuple[int, str]:
    """Exit code and all that was printed, without line breaks."""
    text, _ = process.communicate(timeout=PATIENCE_S)
    return process.returncode, " ".join(text.split())


def wait_for_end(processes: list[psutil.Process]) -> None:
    """Wait until processes are gone, and say which one stays."""
    until = time.monotonic() + PATIENCE_S
    while left := alive(processes):
        assert time.monotonic() < until, [" ".join(process.cmdline()) for process in left]
        time.sleep(0.02)


def wait_for(condition):
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def below(process: subprocess.Popen) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    found = []
    for process in processes:
        try:
            found += [process] if process.status() != psutil.STATUS_ZOMBIE else []
        except psutil.NoSuchProcess:
            continue
    return found


def kill_alone(process: subprocess.Popen) -> list[psutil.Process]:
    """kill −9 of one process; return those that it had started."""
    orphans = below(process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(PATIENCE_S)
    return orphans


def kill_tree(process: subprocess.Popen) -> None:
    for orphan in kill_alone(process):
        try:
            orphan.kill()
        except psutil.NoSuchProcess:
            continue


class Disk:
    """File systems that only the processes of a mount namespace see; they go with it.

    Args:
        mounts: shell commands that mount something.
    """

    def __init__(self, mounts: str) -> None:
        root = os.geteuid() == 0
        user = [] if root else ["--user", "--map-root-user"]
        self.holder = subprocess.Popen(
            ["unshare", "--mount", *user, "sh", "-c", f"{mounts} && echo ready && exec sleep 900"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.ready = self.holder.stdout.readline().strip() == "ready"
        same = [] if root else ["--user", "--preserve-credentials"]
        self.enter = ["nsenter", "--target", str(self.holder.pid), "--mount", *same]

    def inside(self, folder: Path) -> Path:
        """The path under which a folder of the disk can be read from here."""
        return Path(f"/proc/{self.holder.pid}/root{folder}")

    def close(self) -> None:
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
