"""The built book as PDF, printed by Chromium: every page, and all of them as one file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

from swta.paper.site import MATHJAX, SiteFailed

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE_S = 600  # for one file, on a busy machine
_CHAPTER = re.compile(r'<(?P<tag>a|button)\b[^>]*class="chapter-pdf"[^>]*>.*?</(?P=tag)>')
_BOOK = re.compile(r'<span class="book-pdf">.*?</span>')


def find_chromium() -> str:
    """The browser that prints: ``$CHROMIUM``, else the first that is installed.

    Raises:
        FileNotFoundError: there is none.
    """
    chosen = os.environ.get("CHROMIUM")
    for name in (chosen,) if chosen else BROWSERS:
        if found := shutil.which(name):
            return found
    raise FileNotFoundError(
        f"{chosen or 'no Chromium or Chrome'} is not there: install Chromium or Chrome, or set "
        "CHROMIUM to its path"
    )


def print_book(root: Path, *, say: Callable[[str], None] = print) -> list[Path]:
    """Print the pages of the last build into ``_build/html/pdf``, and link to them there.

    Raises:
        FileNotFoundError: no book, or no browser.
        SiteFailed: the book could not be made one page, or the browser printed nothing.
    """
    html, site = root / "_build" / "html", root / "_build" / "site"
    pages = sorted((html / "book").glob("*.html"))
    if not pages or (site / "_build" / "html").exists():
        raise FileNotFoundError("no whole book in _build/html: run `make book` first")
    chromium, folder = find_chromium(), html / "pdf"
    folder.mkdir(exist_ok=True)
    say("book: as one page")
    sheets = {"book": join_pages(site, html)} | {page.stem: page for page in pages}
    for name, page in sheets.items():
        say(f"{name}: to PDF")
        print_page(chromium, page, folder / f"{name}.pdf")
    for page in pages:
        page.write_text(link_pdf(page.read_text(encoding="utf8"), page.stem), encoding="utf8")
    return [folder / f"{name}.pdf" for name in sheets]


def join_pages(site: Path, html: Path) -> Path:
    """All pages of a staged book as one, in ``site``; equations and links work in it.

    Args:
        site: what `swta.paper.site.stage_site` laid out.
        html: the built pages, which have the script for equations.
    """
    root = yaml.safe_load((site / "_toc.yml").read_text(encoding="utf8"))["root"]
    program = Path(sys.executable).with_name("jupyter-book")
    options = ["--builder", "singlehtml", "--all", "--path-output", str(site)]
    log = site.parent / "pdf.log"
    with log.open("w", encoding="utf8") as file:
        command = [str(program), "build", str(site), *options]
        status = subprocess.call(command, stdout=file, stderr=subprocess.STDOUT)
    folder = site / "_build" / "singlehtml"
    made = folder / f"{root}.html"
    if status or not made.is_file():
        raise SiteFailed(f"the book could not be made one page; the log: {log}")
    # its paths count from the folder, not from where the first page lies in it
    text = made.read_text(encoding="utf8").replace(f'href="{root}.html#', 'href="#')
    page = folder / "book.html"
    page.write_text(text, encoding="utf8")
    target = folder / "_static" / MATHJAX
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(html / "_static" / MATHJAX, target)
    return page


def print_page(chromium: str, page: Path, target: Path) -> None:
    """Print a page with an outline, once its equations stand.

    Raises:
        SiteFailed: the browser printed nothing.
    """
    partial = target.with_suffix(".partial.pdf")
    command = [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
        "--generate-pdf-document-outline", "--virtual-time-budget=120000",
        f"--print-to-pdf={partial}", page.resolve().as_uri(),
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        told = done.stderr.strip().splitlines()[-3:]
    except subprocess.TimeoutExpired:
        told = [f"nothing after {PATIENCE_S} s"]
    if not partial.is_file() or partial.read_bytes()[:5] != b"%PDF-":
        raise SiteFailed("\n".join([f"{chromium} did not print {page.name}:", *told]))
    os.replace(partial, target)


def link_pdf(text: str, name: str) -> str:
    """A page whose button to print, or place for a link, leads to the printed file."""
    link = f'<a class="chapter-pdf" href="../pdf/{name}.pdf">this chapter as PDF</a>'
    text = _CHAPTER.sub(link, text)
    book = '<a href="../pdf/book.pdf">The book as PDF</a>.'
    return _BOOK.sub(f'<span class="book-pdf">{book}</span>', text)
