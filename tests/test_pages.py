"""The built book: links lead somewhere, equations render offline, and no page complains."""

from collections import defaultdict
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urlparse

import pytest

from book_pages import HTML, PAGES

SCREENS = {"desktop": (1280, 900), "phone": (390, 844)}

pytestmark = pytest.mark.skipif(not PAGES, reason="no book in _build/html: run `make book` first")


class Links(HTMLParser):
    """Collects what a page points to, and the anchors it offers."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if values.get("id"):
            self.anchors.add(values["id"])
        if tag == "a" and values.get("name"):
            self.anchors.add(values["name"])
        target = values.get("href") if tag in {"a", "link"} else values.get("src")
        if target:
            self.targets.append(target)


def test_no_internal_link_is_broken():
    pages = [path for path in HTML.rglob("*.html") if "_static" not in path.parts]
    parsed = {path: Links(path.read_text(encoding="utf8")) for path in pages}
    broken = defaultdict(list)
    for path, links in parsed.items():
        for target in links.targets:
            address, anchor = urldefrag(target)
            if urlparse(address).scheme:
                continue
            file = (path.parent / unquote(urlparse(address).path)).resolve() if address else path
            file = file / "index.html" if file.is_dir() else file
            if not file.is_file() or (
                anchor and file.suffix == ".html" and unquote(anchor) not in parsed[file].anchors
            ):
                broken[path.name].append(target)
    assert not broken, dict(broken)


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("page_name", PAGES)
def test_a_page_renders_without_complaint(browser, address, page_name, screen, scheme):
    width, height = SCREENS[screen]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    complaints, outside = [], []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))

    def only_here(route):
        if route.request.url.startswith((address, "data:")):
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    page.route("**/*", only_here)
    page.goto(f"{address}/{page_name}", wait_until="load")
    if page.locator(".math").count():
        page.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
        page.evaluate("MathJax.startup.promise.then(() => true)")
        assert page.locator("mjx-container").count() >= page.locator(".math").count()
        assert page.locator("[data-mml-node=merror]").count() == 0
    shown = page.evaluate(
        """() => [...document.querySelectorAll('main img')].map(
             i => ({src: i.src.slice(0, 80), width: i.naturalWidth, alt: i.alt}))"""
    )
    assert not outside, "a page asks for something outside"
    assert not complaints
    assert all(image["width"] > 0 and image["alt"] for image in shown), shown
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 1, f"the page is {overflow} px wider than the {screen}"
    context.close()
