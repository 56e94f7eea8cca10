"""The built book for readers who do not see well, or use no mouse: audited by axe-core."""

import functools
from pathlib import Path

import pytest

from book_pages import PAGES, open_page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not PAGES, reason="no book in _build/html: run `make book` first"),
]
SERIOUS = {"serious", "critical"}


@functools.cache
def axe_source():
    """axe-core as one script, from the package that carries it."""
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")


def describe(violation):
    """What is wrong and where, for the first few places."""
    places = [
        f"    {' '.join(map(str, node['target']))}: "
        + "; ".join(check["message"] for check in node["any"] + node["all"] + node["none"])
        for node in violation["nodes"][:4]
    ]
    head = f"{violation['id']} ({violation['impact']}, {len(violation['nodes'])} places)"
    return "\n".join([head, *places])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page_name", PAGES)
def test_axe_finds_nothing_serious(browser, address, page_name, scheme):
    with open_page(browser, f"{address}/{page_name}", scheme) as page:
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        page.evaluate(axe_source())
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert found["testEngine"]["name"] == "axe-core" and len(found["passes"]) > 10
    serious = [v for v in found["violations"] if v["impact"] in SERIOUS]
    assert not serious, "\n".join(map(describe, serious))
