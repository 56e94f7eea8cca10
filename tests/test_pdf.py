"""The book on paper: the browser prints, and pages lead to what it printed."""

import pytest

from swta.paper.head import PRINT
from swta.paper.pdf import find_chromium, link_pdf, print_book, print_page
from swta.paper.site import SiteFailed


def test_a_page_leads_to_its_file_once_there_is_one():
    page = f'<p>4 min · {PRINT} · more</p><p><span class="book-pdf"></span></p><button>b</button>'
    linked = link_pdf(page, "02_two")
    assert '<a class="chapter-pdf" href="../pdf/02_two.pdf">this chapter as PDF</a>' in linked
    assert '<a href="../pdf/book.pdf">' in linked and "onclick" not in linked
    assert linked.endswith("<button>b</button>") and " · more</p>" in linked
    assert link_pdf(linked, "02_two") == linked, "printing twice changes nothing more"


def test_without_a_book_or_a_browser_it_says_so(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="run `make book` first"):
        print_book(tmp_path)
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "none"))
    with pytest.raises(FileNotFoundError, match="none is not there: install Chromium"):
        find_chromium()
    monkeypatch.delenv("CHROMIUM")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match="no Chromium or Chrome"):
        find_chromium()


def test_a_browser_that_prints_nothing_is_told_and_the_old_file_stays(tmp_path):
    target = tmp_path / "a.pdf"
    target.write_text("old")
    with pytest.raises(SiteFailed, match=r"did not print a\.html"):
        print_page("false", tmp_path / "a.html", target)
    assert target.read_text() == "old"


@pytest.mark.browser
def test_a_page_is_printed(tmp_path):
    try:
        chromium = find_chromium()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    page, target = tmp_path / "a page.html", tmp_path / "a.pdf"
    page.write_text("<h1>One</h1><p style='break-before: page'>Two</p>")
    print_page(chromium, page, target)
    content = target.read_bytes()
    assert content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")
    assert b"/Count 2" in content and b"/Outlines" in content
    assert [path.name for path in tmp_path.glob("*.pdf")] == ["a.pdf"]
