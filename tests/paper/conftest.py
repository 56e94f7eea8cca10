"""A miniature checkout: two chapters that run in a second, and what the book needs around them."""

import nbformat
import pytest

HEADER = """\
---
jupytext:
  formats: ipynb,md:myst
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

"""

CHAPTER = """\
# Chapter {name}

```{{code-cell}} ipython3
:tags: [parameters]

alpha: float = 0.5  # a number, dimensionless
```

```{{code-cell}} ipython3
from swta.paper import Chapter
from swta.validation import check_real

chapter = Chapter("{name}", globals())
check_real("alpha", alpha, low=0, high=2)
chapter.report("twice", 2 * alpha, n=1)
```

Twice is {{glue:text}}`twice:.1f`.

```{{code-cell}} ipython3
1 / (2 - alpha)
chapter.footer()
```
"""


@pytest.fixture
def checkout(tmp_path):
    root = tmp_path / "checkout"
    (root / "book" / "profiles" / "smoke").mkdir(parents=True)
    (root / "book" / "_static").mkdir()
    (root / "src" / "swta" / "paper").mkdir(parents=True)
    (root / "src" / "swta" / "paper" / "__init__.py").write_text("")
    (root / "src" / "swta" / "validation.py").write_text("")
    (root / "src" / "swta" / "other.py").write_text("")
    (root / "requirements.lock").write_text("")
    (root / "_toc.yml").write_text(
        "format: jb-book\nroot: book/intro\nchapters:\n- file: book/01_one\n- file: book/02_two\n"
    )
    (root / "_config.yml").write_text(
        "title: Small\nonly_build_toc_files: true\n"
        "exclude_patterns: ['book/[0-9][0-9]_*.md']\n"
        "execute: {execute_notebooks: auto, timeout: 60}\n"
        "sphinx: {config: {include_patterns: ['book/**']}}\n"
    )
    (root / "book" / "intro.md").write_text("# Small book\n\n$x^2$\n")
    for name in ("01_one", "02_two"):
        write_chapter(root, name, CHAPTER.format(name=name))
    (root / "book" / "profiles" / "smoke" / "02_two.yaml").write_text("alpha: 0.25\n")
    return root


def write_chapter(root, name, text):
    """Write a chapter's text and its bare notebook, in step."""
    import jupytext

    path = root / "book" / f"{name}.md"
    path.write_text(HEADER + text)
    notebook = jupytext.read(path)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"{name}-{number}"
    nbformat.write(notebook, root / "book" / f"{name}.ipynb")


@pytest.fixture
def rewrite(checkout):
    """Replace text in both twins of a chapter."""

    def replace(name, old, new):
        for suffix in (".md", ".ipynb"):
            path = checkout / "book" / f"{name}{suffix}"
            text = path.read_text()
            assert old in text
            path.write_text(text.replace(old, new))

    return replace
