"""The ``swta`` command: run a chapter, build the book, check the claims, look after the data."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from swta.paper.execute import Run
from swta.paper.sweep.command import sweep
from swta.validation import ParameterError

app = typer.Typer(
    help="Run, build and check the executable paper.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="Find, fetch and verify the data sets.", no_args_is_help=True)
app.add_typer(data_app, name="data")
app.command()(sweep)

console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)

ProfileOption = Annotated[
    str, typer.Option("--profile", help="laptop (the chapters' defaults), smoke, wide or full.")
]


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn the errors a user can cause into one message and exit code 2 (input) or 1 (a run)."""
    from swta.paper.build import BuildFailed
    from swta.paper.execute import ChapterFailed
    from swta.paper.site import SiteFailed

    try:
        yield
    except (ParameterError, FileNotFoundError, ValueError) as error:
        errors.print(f"[bold red]error:[/] {escape(str(error))}")
        raise typer.Exit(2) from None
    except (BuildFailed, ChapterFailed, SiteFailed, OSError) as error:
        errors.print(f"[bold red]failed:[/] {escape(str(error))}")
        raise typer.Exit(1) from None


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("cell {task.completed:.0f}/{task.total:.0f}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


@app.command()
def run(
    chapter: Annotated[
        str, typer.Argument(help="Name or number of a chapter, such as 02_soft_wta or 2.")
    ],
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            help="May be repeated; -p NAME=VALUE works too.",
            metavar="NAME VALUE",
        ),
    ] = None,
    profile: ProfileOption = "laptop",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The executed notebook (default: _build/runs/CHAPTER.ipynb)."
        ),
    ] = None,
    publish: Annotated[
        bool,
        typer.Option(
            "--publish", help="Keep the profile's numbers as book/results/CHAPTER.PROFILE.csv."
        ),
    ] = False,
) -> None:
    """Execute one chapter with checked parameters; the book's own results are left alone.

    Long work that is interrupted goes on where it was when the same command is given again. Under
    torchrun every process executes the chapter, they share its trainings, and the first one writes.
    """
    from swta.paper.execute import ChapterFailed, execute_chapter
    from swta.paper.parameters import (
        convert_parameters,
        find_chapter,
        list_parameters,
        load_profile,
    )
    from swta.paper.paths import book_root, rank
    from swta.paper.published import publish_record
    from swta.paper.record import Record

    with clear_errors():
        root = book_root()
        notebook = find_chapter(root, chapter)
        pairs = [split_pair(item) for item in parameter or []]
        values = load_profile(root, profile, notebook) | convert_parameters(
            list_parameters(notebook), pairs
        )
        target = (output or root / "_build" / "runs" / notebook.name).resolve()
        if target.suffix != ".ipynb":
            raise ParameterError(f"--output {target.name} must end in .ipynb")
        if publish and pairs:
            raise ParameterError("--publish is for a profile as it is: leave -p out")
        with tempfile.TemporaryDirectory(prefix="swta-") as scratch, _bars() as bars:
            job = Run(notebook, Path(scratch) / notebook.name, Path(scratch), values)
            bar = bars.add_task(notebook.stem, total=1)
            if not console.is_terminal and not rank():
                console.print(f"{notebook.stem}: running with {values or 'defaults'}")
            try:
                execute_chapter(
                    job, lambda done, total: bars.update(bar, completed=done, total=total)
                )
            except ChapterFailed as error:
                if error.error_name == ParameterError.__name__:
                    raise ParameterError(error.error_text) from None
                own = f".rank{rank()}" if rank() else ""
                kept = target.with_suffix(f"{own}.partial.ipynb")
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(error.partial, kept)
                raise error.moved_to(kept) from None
            if rank():
                return
            collect_run(job, target)
        if publish:
            table = publish_record(Record.read(target.with_suffix(".json")), root, profile)
            console.print(f"{notebook.stem}: published as {table.relative_to(root)}")
    console.print(
        f"{notebook.stem}: executed notebook {target}, numbers {target.with_suffix('.json').name}"
    )


@app.command()
def parameters(
    chapter: Annotated[str, typer.Argument(help="Name or number of a chapter.")],
) -> None:
    """List the parameters of a chapter: name, type, default, help and unit."""
    from swta.paper.parameters import find_chapter, list_parameters
    from swta.paper.paths import book_root

    with clear_errors():
        notebook = find_chapter(book_root(), chapter)
        table = Table("name", "type", "default", "help", "unit", title=notebook.stem)
        for entry in list_parameters(notebook).values():
            row = (entry.name, entry.type, repr(entry.default), entry.help, entry.unit)
            table.add_row(*(escape(cell) for cell in row))
        console.print(table)


@app.command()
def build(
    profile: ProfileOption = "laptop",
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Chapters side by side.")] = 2,
) -> None:
    """Execute what changed and build the book into _build/html."""
    from swta.paper.book import build_book
    from swta.paper.paths import book_root

    started = time.monotonic()
    with clear_errors(), _bars() as bars:
        running: dict[str, TaskID] = {}

        def progress(chapter: str, done: int, total: int) -> None:
            if chapter not in running:
                running[chapter] = bars.add_task(chapter, total=total)
            bars.update(running[chapter], completed=done, total=total, visible=done < total)

        index = build_book(
            book_root(), profile, jobs=jobs, say=bars.console.print, progress=progress
        )
    console.print(f"The book, after {time.monotonic() - started:.0f} s: {index}")


@app.command()
def pdf() -> None:
    """Print the built book with Chromium, every page and all as one file, and link to the files."""
    from swta.paper.paths import book_root
    from swta.paper.pdf import print_book

    with clear_errors():
        files = print_book(book_root(), say=console.print)
    console.print(f"{len(files)} files in {files[0].parent}")


@app.command()
def reproduce(
    profile: ProfileOption = "smoke",
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Chapters side by side.")] = 2,
    results: Annotated[
        tuple[Path, Path] | None,
        typer.Option(help="Compare two folders of records that are there instead of building."),
    ] = None,
) -> None:
    """Build the committed book twice in clean clones; show the largest differences.

    Exits with 1 when a number differs by more than book/reproducibility.yaml allows.
    """
    from swta.paper.paths import book_root
    from swta.paper.reproduce import ALLOWED, Allowed, build_twice, compare_results

    with clear_errors():
        root = book_root()
        allowed = Allowed.read(root / "book" / ALLOWED)
        if results:
            largest = compare_results(*results, allowed)
        else:
            largest = build_twice(root, profile, jobs=jobs, say=console.print)
        columns = ["chapter", "largest relative difference", "allowed", "of", "first", "second"]
        table = Table(*columns, title="Two builds of one commit")
        for chapter, worst in largest.items():
            row = (chapter, f"{worst.relative:.3g}", f"{allowed.of(chapter):g}")
            of = (worst.name, worst.first, worst.second)
            shown = ("" if worst.relative == 0 else str(each) for each in of)
            table.add_row(*(escape(cell) for cell in (*row, *shown)))
        console.print(table)
        apart = [name for name, worst in largest.items() if worst.relative > allowed.of(name)]
        if apart:
            errors.print(f"[bold red]not reproduced:[/] {', '.join(apart)}")
            raise typer.Exit(1)


@app.command()
def claims(
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 when a tested claim is not reproduced.")
    ] = False,
) -> None:
    """Show the table of claims from the results of the last build."""
    from swta.paper.claims import NOT_REPRODUCED, judge_claims, load_claims, tabulate_claims
    from swta.paper.paths import published_folder

    with clear_errors():
        findings = judge_claims(load_claims(), published_folder())
        shown = ["id", "needed", "measured", "interval", "n", "verdict"]
        table = Table(*shown, title="Claims")
        for row in tabulate_claims(findings).to_dict("records"):
            table.add_row(*(escape(str(row[column])) for column in shown))
        console.print(table)
        failed = [finding.claim.id for finding in findings if finding.verdict == NOT_REPRODUCED]
        if check and failed:
            errors.print(f"[bold red]not reproduced:[/] {', '.join(failed)}")
            raise typer.Exit(1)


@data_app.command("list")
def list_data() -> None:
    """List the data sets: what they are, their licence, and where they are found."""
    from swta import data

    columns = ("name", "title", "size", "licence", "where", "status")
    table = Table(title="Data sets")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column == "name")
    with clear_errors():
        for row in data.list_data():
            table.add_row(*(escape(str(row[column])) for column in columns))
    console.print(table)


@data_app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="Name of a data set; see `swta data list`.")],
) -> None:
    """Download a data set into the cache, checked against its checksums."""
    from swta import data

    with clear_errors():
        console.print(f"{name}: {data.fetch(name)}")


@data_app.command()
def verify(
    name: Annotated[
        str | None, typer.Argument(help="One data set; all that are found otherwise.")
    ] = None,
) -> None:
    """Check the files of data sets against their checksums."""
    from swta import data

    with clear_errors():
        names = [name] if name else [row["name"] for row in data.list_data() if row["where"]]
        problems = {each: data.verify(each) for each in names}
    for each, found in problems.items():
        console.print(f"{each}: {'good' if not found else escape('; '.join(found))}")
    if any(problems.values()):
        raise typer.Exit(1)


@data_app.command()
def where(name: Annotated[str, typer.Argument(help="Name of a data set.")]) -> None:
    """Print where a data set is found."""
    from swta import data

    with clear_errors():
        console.print(str(data.where(name)))


def split_pair(text: str) -> tuple[str, str]:
    """``NAME=VALUE`` as a pair.

    Raises:
        ParameterError: no equals sign, or no name before it.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ParameterError(f"-p {text!r}: give a name and a value, as in -p alpha 1.2")
    return name, value


def join_pairs(arguments: list[str]) -> list[str]:
    """Rewrite ``-p NAME VALUE`` as ``-p NAME=VALUE``, the form that the option parser takes."""
    joined: list[str] = []
    rest = list(arguments)
    while rest:
        joined.append(rest.pop(0))
        if joined[-1] in {"-p", "--parameter"} and len(rest) >= 2 and "=" not in rest[0]:
            joined.append(f"{rest.pop(0)}={rest.pop(0)}")
    return joined


def collect_run(job: Run, target: Path) -> None:
    """Move a finished run to its place: the notebook, its record and its source data."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(job.output, target)
    record = job.results / f"{job.notebook.stem}.json"
    if record.is_file():
        shutil.move(record, target.with_suffix(".json"))
    tables = job.results / job.notebook.stem
    if tables.is_dir():
        shutil.copytree(tables, target.with_suffix(""), dirs_exist_ok=True)


def main() -> None:
    """Entry point of the ``swta`` command."""
    app(args=join_pairs(sys.argv[1:]))
