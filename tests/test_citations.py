"""A citation shows its reference to pointer and keyboard, and asks nobody for it."""

from pathlib import Path

import pytest

from book_pages import HTML, PAGES

pytestmark = pytest.mark.browser
SCRIPT = (Path(__file__).parents[1] / "book/_static/citations.js").read_text("utf8")
REFERENCES = {
    "a": "Ada One. A first thing. Journal, 1:1–2, 2001. doi:10.1/one.",
    "b": "Bo <b>Two</b>. A second & last thing. 2002.",
}
BODY = """
<style>#citation-preview {{ position: absolute; max-width: 300px; }}</style>
<p>As <a id="a" href="bibliography.html#id1" title="{a}">One, 2001</a> said.
<a id="other" href="bibliography.html">Bibliography</a>
<a id="titled" href="elsewhere.html#x" title="not a citation">there</a></p>
<p style="position: absolute; top: 2000px; left: 330px; white-space: nowrap">
<a id="b" href="bibliography.html#id2" title="{b}">Two, 2002</a></p>
"""


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 420, "height": 500})
    page = context.new_page()
    page.set_content(BODY.format(**{key: escape(text) for key, text in REFERENCES.items()}))
    page.add_script_tag(content=SCRIPT)
    yield page
    context.close()


def test_the_pointer_brings_a_reference_and_takes_it_away(page):
    preview = page.get_by_role("tooltip")
    assert preview.count() == 0
    page.hover("#a")
    assert preview.inner_text() == REFERENCES["a"]
    assert page.get_attribute("#a", "title") is None, "or the browser would show it twice"
    box = preview.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 5)
    page.wait_for_timeout(400)
    assert preview.is_visible(), "it can be read with the pointer on it"
    page.mouse.move(400, 450)
    preview.wait_for(state="hidden", timeout=3000)
    for name in ("#other", "#titled"):
        page.hover(name)
        assert not preview.is_visible()
    assert page.get_attribute("#titled", "title") == "not a citation"


def test_the_keyboard_brings_a_reference_and_escape_takes_it_away(page):
    preview = page.locator("#citation-preview")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "a"
    assert preview.is_visible() and preview.get_attribute("role") == "tooltip"
    assert page.get_attribute("#a", "aria-describedby") == "citation-preview"
    page.keyboard.press("Escape")
    assert not preview.is_visible() and page.get_attribute("#a", "aria-describedby") is None
    for _ in range(3):
        page.keyboard.press("Tab")
    assert preview.inner_text() == REFERENCES["b"], "text, whatever it holds"
    page.keyboard.press("Shift+Tab")
    assert not preview.is_visible()


def test_a_reference_stays_in_the_window(page):
    page.hover("#b")
    box = page.locator("#citation-preview").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 420
    assert box["y"] >= 0 and box["y"] + box["height"] <= 500
    link = page.locator("#b").bounding_box()
    apart = box["y"] >= link["y"] + link["height"] or box["y"] + box["height"] <= link["y"]
    assert apart, "it does not cover the citation"


@pytest.mark.skipif(not PAGES, reason="no book in _build/html: run `make book` first")
def test_citations_of_the_book_have_their_references(browser, address):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{address}/book/01_physiology.html", wait_until="load")
    cited = page.locator('article a[href*="bibliography.html#"]')
    assert cited.count() >= 5
    for i in range(cited.count()):
        cited.nth(i).focus()
        text = page.locator("#citation-preview").inner_text()
        assert len(text) > 40 and any(year in text for year in ("19", "20")), text
    assert "citations.js" in (HTML / "book/01_physiology.html").read_text("utf8")
    context.close()
