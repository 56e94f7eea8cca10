"""The pages of the built book, and one of them open in a browser."""

from contextlib import contextmanager
from pathlib import Path

HTML = Path(__file__).parents[1] / "_build" / "html"
PAGES = sorted(path.relative_to(HTML).as_posix() for path in HTML.glob("book/*.html"))


@contextmanager
def open_page(browser, url, scheme):
    """A page as a reader with a desktop screen and a light or dark scheme sees it, at rest."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(url, wait_until="load")
    if page.locator(".math").count():
        page.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
        page.evaluate("MathJax.startup.promise.then(() => true)")
    yield page
    context.close()
