"""What a sweep costs a run, against starting a kernel for each run and doing nothing else.

Run with ``python benchmarks/sweep.py --runs 100``. The chapter is the smallest that reports a
number: parameters, one report, the footer. Three things are timed in turn, each with the same
number of workers: kernels that are started, answer once and are ended; the sweep as `swta sweep`
does it, every notebook in a process forked from one with the chapter's imports loaded; and a sweep
with ``--cold``, which imports everything anew for each run. A run's cost is the time between the
first and the last end of a run, times workers, over the runs between: what a further run costs. The
overhead is that cost less the kernel's own start. The memory is that of the process that holds the
scheduler, over the second half of the warm sweep.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from time import perf_counter

import nbformat
import psutil
from jupyter_client.manager import start_new_kernel

from swta.paper.sweep.engine import Crew
from swta.paper.sweep.plan import plan_sweep
from swta.paper.sweep.session import run_sweep
from swta.paper.sweep.store import StoredRun

CELLS = (
    ("x: float = 0.0  # a number, dimensionless", ["parameters"]),
    (
        "from swta.paper import Chapter\n\n"
        'chapter = Chapter("01_trivial", globals())\n'
        'chapter.report("double", 2 * x)',
        [],
    ),
    ("chapter.footer()", []),
)


def make_checkout(root: Path) -> None:
    """A checkout with one trivial chapter and no library files of its own."""
    (root / "book").mkdir(parents=True)
    (root / "src").mkdir()
    (root / "_toc.yml").write_text("format: jb-book\nroot: book/intro\n")
    (root / "requirements.lock").write_text("")
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    for number, (source, tags) in enumerate(CELLS):
        cell = nbformat.v4.new_code_cell(source, id=f"cell-{number}")
        if tags:
            cell.metadata["tags"] = tags
        notebook.cells.append(cell)
    nbformat.write(notebook, root / "book" / "01_trivial.ipynb")


class Stopwatch:
    """A reporter that notes when runs end, and the memory of this process then."""

    def __init__(self) -> None:
        self.ends: list[float] = []
        self.memory_mb: list[float] = []

    def begin(self, due: int, kept: int, where: str) -> None:
        self.started = perf_counter()

    def say(self, text: str) -> None:
        print("   ", text)

    def finished(self, values: dict[str, float], run: StoredRun) -> None:
        if run.error:
            print("   ", values, run.error)
        self.ends.append(perf_counter())
        self.memory_mb.append(psutil.Process().memory_info().rss / 1e6)


def time_sweep(root: Path, runs: int, workers: int, *, warm: bool) -> tuple[float, Stopwatch]:
    """Seconds that a further run costs one worker, and the stopwatch."""
    plan = plan_sweep(root, "1", [("x", f"0:1:{runs}")])
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        result = run_sweep(plan, Path(folder), Crew(workers), watch, warm=warm)
    if not result.good:
        raise SystemExit(f"the sweep did not end well: {result}")
    return (watch.ends[-1] - watch.ends[0]) * workers / (runs - 1), watch


def time_kernels(starts: int, workers: int) -> float:
    """Seconds that starting, asking once and ending a kernel costs one worker."""

    def start(_: int) -> None:
        manager, client = start_new_kernel(extra_arguments=["--log-level=CRITICAL"])
        client.stop_channels()
        manager.shutdown_kernel()

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(start, range(workers)))  # the files are in the page cache from here on
        begun = perf_counter()
        list(pool.map(start, range(starts)))
    return (perf_counter() - begun) * workers / starts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--cold-runs", type=int, default=10, help="with --cold, which is slow")
    parser.add_argument("--starts", type=int, default=20, help="kernels started on their own")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    logging.getLogger("traitlets").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "checkout"
        make_checkout(root)
        half = arguments.starts // 2
        kernel = [time_kernels(half, arguments.workers)]
        cost, watch = time_sweep(root, arguments.runs, arguments.workers, warm=True)
        kernel.append(time_kernels(half, arguments.workers))
        cold, _ = time_sweep(root, arguments.cold_runs, arguments.workers, warm=False)
    own = median(kernel)
    late = watch.memory_mb[arguments.runs // 2 :]
    print(f"{arguments.runs} runs, {arguments.workers} workers, load {psutil.getloadavg()[0]:.1f}")
    print(f"a kernel's own start      {own:5.2f} s (before {kernel[0]:.2f}, after {kernel[1]:.2f})")
    print(f"a further run             {cost:5.2f} s, overhead {cost - own:+.2f} s")
    print(f"a further run with --cold {cold:5.2f} s, overhead {cold - own:+.2f} s")
    print(f"until the first run ended {watch.ends[0] - watch.started:5.1f} s")
    print(f"memory with the scheduler {late[0]:5.1f} MB halfway, {late[-1] - late[0]:+.1f} MB on")


if __name__ == "__main__":
    main()
