"""The pages are built strictly and whole, or the last good ones stay."""

import re
import shutil

import nbformat
import pytest
from filelock import FileLock

from swta.paper.book import build_book
from swta.paper.head import describe_run, reading_minutes
from swta.paper.pairs import pair_texts
from swta.paper.record import Record
from swta.paper.site import SiteFailed, mend_roles, swap_folder

pytestmark = pytest.mark.slow


def says_twice_is_one(page):
    return "Twice is 1.0" in re.sub(r"<[^>]+>", "", page.read_text())


def test_the_life_of_a_book(checkout, rewrite):
    index = build_book(checkout, "laptop", jobs=2, say=lambda _: None)
    page = checkout / "_build/html/book/01_one.html"
    assert says_twice_is_one(page)
    assert (checkout / "_build/html/_static/mathjax/tex-svg-full.js").stat().st_size > 1e6
    assert "cdn.jsdelivr" not in (checkout / "_build/html/book/intro.html").read_text()
    assert (checkout / "_build/results/01_one.json").is_file()
    assert index.is_file()
    text = re.sub(r"<[^>]+>", "", page.read_text())
    assert re.search(r"1 min to read · ran in \d+ s with \d+ MB · executed notebook", text)
    files = {path.name for path in (checkout / "_build/html/_downloads").rglob("*.*")}
    assert files == {
        f"{name}.{suffix}" for name in ("01_one", "02_two") for suffix in ("ipynb", "json")
    }

    said = []
    build_book(checkout, "laptop", jobs=2, say=said.append)
    assert said == ["01_one: is current", "02_two: is current", "pages: current"]

    intro = checkout / "book/intro.md"
    intro.write_text("# Small book\n\n{ref}`nowhere`\n")
    with pytest.raises(SiteFailed, match="nowhere"):
        build_book(checkout, "laptop", jobs=2, say=lambda _: None)
    assert says_twice_is_one(page), "the last good page is left alone"


def test_two_builds_do_not_mix(checkout):
    (checkout / "_build").mkdir()
    with (
        FileLock(checkout / "_build" / ".lock"),
        pytest.raises(OSError, match="another build is running"),
    ):
        build_book(checkout, "laptop", jobs=1, say=lambda _: None)


def test_texts_that_cannot_be_paired_are_an_error(checkout):
    (checkout / "book/01_one.md").write_text("---\njupytext: [\n---\n")
    with pytest.raises(ValueError, match="cannot be paired"):
        pair_texts(checkout)


def test_a_bibliography_is_a_list_of_items(tmp_path):
    page = tmp_path / "a" / "page.html"
    page.parent.mkdir()
    page.write_text('<div role="list"><div role="doc-biblioentry">ä</div></div>', "utf8")
    mend_roles(tmp_path)
    assert page.read_text("utf8") == '<div role="list"><div role="listitem">ä</div></div>'


def test_a_folder_is_swapped_whole(tmp_path):
    for name in ("fresh", "place"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    swap_folder(tmp_path / "fresh", tmp_path / "place")
    assert (tmp_path / "place" / "file").read_text() == "fresh"
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
    shutil.rmtree(tmp_path / "place")


def test_reading_time_counts_words_and_neither_code_nor_equations():
    prose = nbformat.v4.new_markdown_cell("word " * 238 * 3 + "$x = y + z$ {cite:p}`someone2020`")
    code = nbformat.v4.new_code_cell("x = 1\n" * 5000)
    assert reading_minutes([prose, code]) == 3
    assert reading_minutes([code]) == 1


@pytest.mark.parametrize(
    ("provenance", "words"),
    [
        ({"wall_time_s": 44.6, "peak_memory_mb": 652.3}, "ran in 45 s with 652 MB"),
        ({"wall_time_s": 7260.0, "peak_memory_mb": 12345.0}, "ran in 121 min with 12 345 MB"),
        ({}, ""),
    ],
)
def test_run_time_and_memory_in_words(provenance, words):
    assert describe_run(Record("01_one", provenance=provenance)) == words
