"""The command ``swta sweep``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from swta.paper.sweep.design import GRID, LATIN_HYPERCUBE
from swta.validation import ParameterError


def sweep(
    chapter: Annotated[
        str, typer.Argument(help="Name or number of a chapter, such as 02_soft_wta or 2.")
    ],
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            metavar="NAME VALUES",
            help="What to vary; may be repeated. start:stop:count: evenly spaced numbers, both "
            "ends included. start:stop (whole numbers): from start up to, but without, stop, so "
            "that 0:5 is 0, 1, 2, 3, 4. a,b,c: listed values; write \\, for a comma inside a text.",
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option("--profile", help="What the others are: laptop, smoke, wide, full.")
    ] = "laptop",
    design: Annotated[
        str, typer.Option(help="grid: all combinations; latin-hypercube: --samples of them.")
    ] = GRID,
    samples: Annotated[
        int | None, typer.Option(help="Runs of a Latin hypercube; give ranges as low:high.")
    ] = None,
    design_seed: Annotated[
        int, typer.Option(min=0, help="Seed of the Latin hypercube's random numbers.")
    ] = 0,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes of this machine, or jobs with --slurm (default: one a processor, as "
            "memory allows).",
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1, help="Threads of each run (default: processors / workers; 1 on a cluster)."
        ),
    ] = None,
    scheduler: Annotated[
        str, typer.Option(help="Address of a running Dask scheduler, such as tcp://host:8786.")
    ] = "",
    slurm: Annotated[bool, typer.Option("--slurm", help="Run the workers as SLURM jobs.")] = False,
    slurm_options: Annotated[
        str,
        typer.Option(
            help="queue=…,account=…,memory=4GB,walltime=04:00:00,interface=… of the jobs.",
        ),
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The sweep's folder (default: _build/sweeps/CHAPTER)."),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Do runs again that failed before.")
    ] = False,
    cold: Annotated[
        bool,
        typer.Option(
            "--cold",
            help="Start every kernel afresh instead of forking it from a process that has the "
            "chapter's imports loaded.",
        ),
    ] = False,
) -> None:
    """Execute a chapter for many parameters: one table, one figure, every notebook kept.

    Give the same command again to go on after an interruption, or a larger one to extend a sweep:
    runs that are in the folder and still current are not repeated.
    """
    from swta.paper.cli import clear_errors, console, errors, split_pair
    from swta.paper.paths import book_root
    from swta.paper.provenance import count_processors
    from swta.paper.sweep.engine import Crew, parse_slurm
    from swta.paper.sweep.plan import plan_sweep
    from swta.paper.sweep.progress import SweepProgress
    from swta.paper.sweep.session import default_workers, run_sweep
    from swta.paper.sweep.store import FAILED, PENDING

    with clear_errors():
        if scheduler and (slurm or workers is not None):
            raise ParameterError("--scheduler brings its own workers; leave out --workers, --slurm")
        if slurm_options and not slurm:
            raise ParameterError("--slurm-options belongs to --slurm")
        if design_seed and design != LATIN_HYPERCUBE:
            raise ParameterError(f"--design-seed belongs to --design {LATIN_HYPERCUBE}")
        root = book_root()
        pairs = [split_pair(item) for item in parameter or []]
        plan = plan_sweep(
            root,
            chapter,
            pairs,
            profile=profile,
            design=design,
            samples=samples,
            seed=design_seed,
        )
        local = not scheduler and not slurm
        number = workers or default_workers(len(plan.points))
        crew = Crew(
            workers=number,
            scheduler=scheduler,
            slurm=parse_slurm(slurm_options) if slurm else None,
            threads=threads or (max(1, count_processors() // number) if local else 1),
        )
        folder = output or root / "_build" / "sweeps" / plan.chapter
        with SweepProgress(console, plan.chapter) as progress:
            result = run_sweep(
                plan, folder, crew, progress, retry_failed=retry_failed, warm=not cold
            )
    told = ", ".join(f"{count} {status}" for status, count in result.counts.items())
    console.print(
        escape(f"{plan.chapter}: {told}; see {result.folder / 'index.html'}"), highlight=False
    )
    again = shlex.join(["swta", *sys.argv[1:]])
    if result.stopped:
        left = result.counts.get(PENDING, 0)
        errors.print(
            f"[bold red]stopped:[/] {escape(result.stopped)}. What is done is kept; the same "
            f"command goes on with the other {left} runs:\n  {escape(again)}"
        )
        raise typer.Exit(128 + result.signal if result.signal else 1)
    if result.counts.get(FAILED):
        errors.print(
            f"[bold red]failed:[/] {result.counts[FAILED]} runs; their notebooks have the "
            "traceback. --retry-failed does them again."
        )
        raise typer.Exit(1)
