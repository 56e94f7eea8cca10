"""The content key changes with what a chapter depends on, and with nothing else."""

import nbformat
import pytest

from swta.paper.content import chapter_source, content_key, digest, imported_modules, library_files


@pytest.fixture
def checkout(tmp_path):
    library = tmp_path / "src" / "swta"
    files = {
        "__init__.py": "",
        "a/__init__.py": "from swta.a.one import f\n",
        "a/one.py": "from swta.b import g\n\ndef f():\n    from swta.late import h\n",
        "a/table.csv": "1",
        "a/raw/more.json": "{}",
        "b/__init__.py": "from .inner import g\n",
        "b/inner.py": "g = 1\n",
        "late.py": "h = 2\n",
        "other/__init__.py": "",
        "other/table.csv": "2",
    }
    for name, text in files.items():
        (library / name).parent.mkdir(parents=True, exist_ok=True)
        (library / name).write_text(text)
    (tmp_path / "requirements.lock").write_text("x==1\n")
    write_notebook(tmp_path, "%matplotlib inline\nif True:\n    !ls\nfrom swta.a import f\nf()")
    return tmp_path


def write_notebook(root, code, tags=()):
    cell = nbformat.v4.new_code_cell(code, id="one")
    if tags:
        cell.metadata["tags"] = list(tags)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), root / "01_x.ipynb")


def key(root, parameters=None):
    return content_key(root / "01_x.ipynb", parameters or {}, root)


def test_imports_are_followed_through_packages_and_functions(checkout):
    reached = {
        str(path.relative_to(checkout / "src" / "swta"))
        for path in library_files({"swta.a"}, checkout / "src")
    }
    assert reached == {
        "__init__.py", "a/__init__.py", "a/one.py", "a/table.csv", "a/raw/more.json",
        "b/__init__.py", "b/inner.py", "late.py",
    }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        "src/swta/a/one.py",
        "src/swta/a/table.csv",
        "src/swta/b/inner.py",
        "src/swta/late.py",
        "requirements.lock",
    ],
)
def test_key_follows_what_the_chapter_reaches(checkout, change):
    before = key(checkout)
    path = checkout / change
    path.write_text(path.read_text() + "\n")
    assert key(checkout) != before


def test_key_ignores_what_the_chapter_cannot_reach(checkout):
    before = key(checkout)
    (checkout / "src/swta/other/table.csv").write_text("3")
    assert key(checkout) == before


def test_key_follows_text_tags_and_parameters(checkout):
    before = key(checkout)
    assert key(checkout, {"alpha": 1.0}) != before
    assert key(checkout, {"alpha": 1.0}) != key(checkout, {"alpha": 2.0})
    write_notebook(checkout, "from swta.a import f\nf()")
    changed = key(checkout)
    assert changed != before
    write_notebook(checkout, "from swta.a import f\nf()", tags=["hide-input"])
    assert key(checkout) not in {before, changed}


def test_key_does_not_depend_on_outputs(checkout):
    before = key(checkout)
    notebook = nbformat.read(checkout / "01_x.ipynb", as_version=4)
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="hello")]
    notebook.cells[0].execution_count = 3
    nbformat.write(notebook, checkout / "01_x.ipynb")
    assert key(checkout) == before


def test_ipython_lines_are_no_obstacle(checkout):
    _, code = chapter_source(checkout / "01_x.ipynb")
    assert imported_modules(code) == {"swta.a", "swta.a.f"}


def test_relative_imports_are_resolved():
    assert imported_modules("from . import x", "swta.a.one") == {"swta.a", "swta.a.x"}
    assert imported_modules("from ..b import x", "swta.a.one") == {"swta.b", "swta.b.x"}
    assert imported_modules("from .one import x", "swta.a", is_package=True) == {
        "swta.a.one",
        "swta.a.one.x",
    }
    assert imported_modules("import numpy, swta.a") == {"swta.a"}


def test_digest_keeps_parts_apart():
    assert digest("ab", "c") != digest("a", "bc")
