"""Execute one chapter with papermill: under a partial name until all of it is well."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError

from swta.paper.paths import literal_path

CELL_TIMEOUT_S = 4 * 3600

Progress = Callable[[int, int], None]


class ChapterFailed(RuntimeError):
    """A cell of a chapter raised; says which cell, the error, and where the partial notebook is."""

    def __init__(
        self, chapter: str, cell: int, line: str, error_name: str, error_text: str, partial: Path
    ) -> None:
        super().__init__(
            f"chapter {chapter}, cell {cell} (`{line}`): {error_name}: {error_text}\n"
            f"The partial notebook with the traceback: {partial}"
        )
        self.chapter, self.cell, self.line = chapter, cell, line
        self.error_name, self.error_text, self.partial = error_name, error_text, partial

    @classmethod
    def from_papermill(
        cls, chapter: str, error: PapermillExecutionError, partial: Path
    ) -> ChapterFailed:
        """The failure that papermill reports."""
        line = _first_line(error.source)
        return cls(chapter, error.cell_index + 1, line, error.ename, error.evalue, partial)

    def moved_to(self, partial: Path) -> ChapterFailed:
        """The same failure, after its partial notebook was put somewhere else."""
        return type(self)(
            self.chapter, self.cell, self.line, self.error_name, self.error_text, partial
        )


@dataclass(frozen=True)
class Run:
    """What to execute: the notebook, where to, with which parameters and results folder."""

    notebook: Path
    output: Path
    results: Path
    parameters: Mapping[str, Any]

    @property
    def partial(self) -> Path:
        """Where the notebook grows while it runs, and stays when it fails."""
        return self.output.with_suffix(".partial.ipynb")


def execute_chapter(
    run: Run, progress: Progress | None = None, *, kernel_manager: type | None = None
) -> Path:
    """Execute a chapter in the folder of its notebook and return the executed copy.

    Args:
        run: what to execute.
        progress: called with (cells done, cells in all) before each cell.
        kernel_manager: the class that starts the kernel; jupyter_client's own otherwise.

    Raises:
        ChapterFailed: a cell raised or took too long, or its kernel died; ``run.output`` is as it
            was before.
    """
    run.output.parent.mkdir(parents=True, exist_ok=True)
    cells = nbformat.read(run.notebook, as_version=4).cells
    total = len(cells)
    reached = (0, "")
    options = {} if kernel_manager is None else {"kernel_manager_class": kernel_manager}

    def tell(cell: Any, cell_index: int) -> None:
        nonlocal reached
        reached = (cell_index + 1, cell.source)
        if progress is not None:
            progress(cell_index, total)

    values = {"SWTA_RESULTS": str(run.results.resolve()), "TQDM_DISABLE": "1"}
    if os.environ.get("SWTA_DATA"):  # the kernel runs in another folder
        values["SWTA_DATA"] = str(Path(os.environ["SWTA_DATA"]).resolve())
    with _environment(**values):
        try:
            executed = papermill.execute_notebook(
                literal_path(run.notebook),
                literal_path(run.partial),
                parameters=dict(run.parameters),
                cwd=str(run.notebook.parent),
                kernel_name="python3",
                progress_bar=False,
                execution_timeout=CELL_TIMEOUT_S,
                on_cell_start=tell,
                extra_arguments=[
                    "--log-level=CRITICAL"
                ],  # its notes on starting and stopping are no news
                **options,
            )
        except PapermillExecutionError as error:
            raise ChapterFailed.from_papermill(run.notebook.stem, error, run.partial) from None
        except (DeadKernelError, CellTimeoutError) as error:
            died = isinstance(error, DeadKernelError)
            text = "its process died (out of memory?)" if died else f"over {CELL_TIMEOUT_S} s"
            raise ChapterFailed(
                run.notebook.stem,
                reached[0],
                _first_line(reached[1]),
                type(error).__name__,
                text,
                run.partial,
            ) from None
    executed.metadata["papermill"] |= {  # where it ran is nothing to pass on
        "input_path": run.notebook.name,
        "output_path": run.output.name,
    }
    nbformat.write(executed, run.partial)
    os.replace(run.partial, run.output)
    return run.output


def _first_line(source: str) -> str:
    return next((text.strip() for text in source.splitlines() if text.strip()), "")[:70]


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
