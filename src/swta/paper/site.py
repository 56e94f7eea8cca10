"""Stage executed chapters and build the book strictly; the last good book stays until then."""

from __future__ import annotations

import json
import multiprocessing
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

import yaml

from swta.paper import head
from swta.paper.content import digest
from swta.paper.lifeline import follow_parent
from swta.paper.record import write_atomically

MATHJAX = "mathjax/tex-svg-full.js"  # one file that needs no fonts and no network
STAMP = "build.json"
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")  # colours in Sphinx's log


class SiteFailed(RuntimeError):
    """The strict build of the pages failed; says where its log is."""


def local_mathjax() -> Path:
    """MathJax as one file, from ``sphinx-mathjax-offline`` (a module name with hyphens)."""
    spec = find_spec("sphinx-mathjax-offline")
    if spec is None or not spec.submodule_search_locations:
        raise SiteFailed(
            "sphinx-mathjax-offline is not installed; run `rm .venv/.installed && make book`"
        )
    return Path(next(iter(spec.submodule_search_locations)), "static", MATHJAX)


def site_key(root: Path, executed: Iterable[Path]) -> str:
    """What the pages depend on: executed notebooks, plain pages, configuration, and the lock."""
    plain = [
        p
        for p in (root / "book").rglob("*")
        if p.is_file() and p.suffix in {".md", ".bib", ".css", ".png", ".svg", ".yaml", ".js"}
    ]
    files = sorted(
        {
            *plain,
            *executed,
            root / "_config.yml",
            root / "_toc.yml",
            root / "requirements.lock",
            Path(__file__),
            Path(head.__file__),
        }
    )
    return digest(*(f"{file.name} {digest(file.read_bytes())}" for file in files))


def stage_site(root: Path, executed: Iterable[Path], site: Path) -> None:
    """Lay out ``site`` as the checkout is: executed notebooks, no text twins, execution off."""
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(
        root / "book", site / "book", ignore=shutil.ignore_patterns("profiles", ".*", "results")
    )
    for notebook in executed:
        shutil.copy2(notebook, site / "book" / notebook.name)
        (site / "book" / notebook.name).with_suffix(".md").unlink()
        record = notebook.with_suffix(".json")
        shutil.copy2(record, site / "book" / record.name)
        head.add_head(site / "book" / notebook.name, site / "book" / record.name)
    shutil.copy2(root / "_toc.yml", site)
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf8"))
    config["execute"]["execute_notebooks"] = "off"
    config["sphinx"]["config"]["mathjax_path"] = MATHJAX
    (site / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf8")


def build_site(root: Path, executed: list[Path], *, say: Callable[[str], None] = print) -> bool:
    """Build ``_build/html`` from executed chapters if anything changed; return whether it did.

    Raises:
        SiteFailed: a warning or an error of the strict build; ``_build/html`` is as it was.
    """
    build = root / "_build"
    html, key = build / "html", site_key(root, executed)
    _finish_swap(html)
    if _stamped_key(html) == key:
        say("pages: current")
        return False
    site = build / "site"
    stage_site(root, executed, site)
    mathjax = local_mathjax()
    say("pages: strict build")
    log = build / "pages.log"
    program = Path(sys.executable).with_name("jupyter-book")
    options = ["-W", "-n", "--keep-going", "--all", "--path-output", str(site)]
    command = [str(program), "build", str(site), *options]
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_make_pages, args=(command, log))
    process.start()
    process.join()
    if process.exitcode:
        lines = _ESCAPES.sub("", log.read_text(encoding="utf8")).splitlines()
        told = [line for line in lines if re.search("WARNING|ERROR|CRITICAL|Error:", line)]
        if not told:
            told = lines[-3:] or ["its process died without a word (out of memory?)"]
        raise SiteFailed("the strict build failed:\n" + "\n".join(told[:20]) + f"\nfull log: {log}")
    fresh = site / "_build" / "html"
    mend_roles(fresh)
    target = fresh / "_static" / MATHJAX
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(mathjax, target)
    write_atomically(fresh / STAMP, json.dumps({"key": key}) + "\n")
    swap_folder(fresh, html)
    return True


def mend_roles(html: Path) -> None:
    """Make the bibliography that docutils writes as a list one whose children are items."""
    for page in html.rglob("*.html"):
        text = page.read_text(encoding="utf8")
        if 'role="doc-biblioentry"' in text:
            page.write_text(text.replace('role="doc-biblioentry"', 'role="listitem"'), "utf8")


def _make_pages(command: list[str], log: Path) -> None:
    """Run the program that makes the pages, for as long as the build lives."""
    follow_parent()
    with log.open("w", encoding="utf8") as file:
        sys.exit(subprocess.call(command, stdout=file, stderr=subprocess.STDOUT))


def _stamped_key(html: Path) -> str | None:
    """The key of the pages that stand; None when there are none, or their stamp is damaged."""
    try:
        return json.loads((html / STAMP).read_text(encoding="utf8"))["key"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _finish_swap(place: Path) -> None:
    """Bring back the last good folder if `swap_folder` was cut off between its two steps."""
    old = _aside(place)
    if old.is_dir() and not place.exists():
        old.rename(place)


def _aside(place: Path) -> Path:
    return place.with_name(f".{place.name}.old")


def swap_folder(fresh: Path, place: Path) -> None:
    """Put ``fresh`` at ``place``; what was there goes only after the new folder stands."""
    old = _aside(place)
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    fresh.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def publish_records(executed: Iterable[Path], results: Path) -> None:
    """Copy the records and source data beside executed chapters to ``_build/results``."""
    for notebook in executed:
        record, tables = notebook.with_suffix(".json"), notebook.with_suffix("")
        write_atomically(results / record.name, record.read_text(encoding="utf8"))
        if tables.is_dir():
            shutil.copytree(tables, results / tables.name, dirs_exist_ok=True)
