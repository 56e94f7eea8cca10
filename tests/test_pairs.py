"""Each chapter exists twice, as reviewed text and as a bare notebook, and the two agree."""

import re
from pathlib import Path

import jupytext
import pytest
from jupytext.compare import compare_notebooks

BOOK = Path(__file__).parents[1] / "book"
CHAPTERS = sorted(BOOK.glob("[0-9][0-9]_*.md"))


@pytest.mark.parametrize("text", CHAPTERS, ids=lambda path: path.stem)
def test_notebook_says_what_the_text_says(text):
    notebook = text.with_suffix(".ipynb")
    assert notebook.exists(), f"no twin: run `jupytext --sync {text.name}`"
    compare_notebooks(
        jupytext.read(notebook), jupytext.read(text), "md:myst", allow_expected_differences=False
    )


@pytest.mark.parametrize("text", CHAPTERS, ids=lambda path: path.stem)
def test_notebook_carries_no_output(text):
    notebook = jupytext.read(text.with_suffix(".ipynb"))
    dirty = [
        i for i, c in enumerate(notebook.cells) if c.get("outputs") or c.get("execution_count")
    ]
    assert not dirty, f"cells {dirty} carry outputs: strip them before committing"
    assert "papermill" not in notebook.metadata


@pytest.mark.parametrize("text", CHAPTERS, ids=lambda path: path.stem)
def test_cells_hold_no_logic(text):
    for cell in jupytext.read(text).cells:
        if cell.cell_type == "code":
            code = [line for line in cell.source.splitlines() if line.strip()]
            imports = sum(line.startswith(("import ", "from ")) for line in code)
            first = next(iter(code), "")
            assert len(code) - imports <= 22, f"move into the library: {first}"
            assert not any(line.startswith(("def ", "class ")) for line in code), first


@pytest.mark.parametrize("text", CHAPTERS, ids=lambda path: path.stem)
def test_every_figure_has_name_caption_alt_text_and_source_data(text):
    for cell in jupytext.read(text).cells:
        shown = re.search(r'chapter\.figure\([^,]+, "(\w+)"', cell.source)
        if cell.cell_type == "code" and shown:
            options = cell.metadata["mystnb"]
            assert options["figure"]["name"].startswith("fig-")
            assert "{glue:}`" + shown[1] + "_csv`" in options["figure"]["caption"]
            assert len(options["image"]["alt"]) > 20


def test_every_page_of_the_contents_exists():
    toc = (BOOK.parent / "_toc.yml").read_text()
    listed = [line.split("file:")[1].strip() for line in toc.splitlines() if "file:" in line]
    assert len(listed) >= 7
    for page in listed:
        assert (BOOK.parent / f"{page}.md").is_file(), page


def test_test_modules_have_names_of_their_own():
    names = [path.name for path in (BOOK.parent / "tests").rglob("*.py")]
    twice = {name for name in names if names.count(name) > 1 and name != "conftest.py"}
    assert not twice, "pytest imports test modules by their bare name"
