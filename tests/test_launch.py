"""Binder and Colab, as far as they can be checked without them."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlparse

import nbformat
import pytest
import yaml

from book_pages import HTML, PAGES
from swta.paper.parameters import chapter_names

ROOT = Path(__file__).parents[1]
PIP = """\
#!/usr/bin/env python3
import sys
with open("{log}", "a") as log:
    print(*sys.argv[1:], file=log)
"""


@pytest.mark.parametrize("chapter", chapter_names(ROOT))
def test_the_cell_for_colab_installs_there_and_nowhere_else(chapter, monkeypatch):
    notebook = nbformat.read(ROOT / "book" / f"{chapter}.ipynb", as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    if "google.colab" not in first.source:
        pytest.skip("this chapter has no cell for Colab")
    assert first.metadata["tags"] == ["remove-cell"]
    called, place = [], []
    monkeypatch.setattr("subprocess.run", lambda command, check: called.append(command))
    monkeypatch.setattr("os.chdir", place.append)
    code = compile(first.source, chapter, "exec")
    exec(code, {})
    assert not called and not place
    monkeypatch.setitem(sys.modules, "google.colab", object())
    exec(code, {})
    assert [command[:2] for command in called] == [["git", "clone"], [sys.executable, "-m"]]
    repository = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    assert called[0][4:] == [repository, "/content/swta"]
    assert called[1][2:] == ["pip", "install", "--quiet", "/content/swta"]
    assert place == ["/content/swta/book"], "where a notebook of the book runs"


def test_binder_installs_the_lock_and_then_the_library(tmp_path):
    log = tmp_path / "log"
    (tmp_path / "pip").write_text(PIP.format(log=log))
    (tmp_path / "pip").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run([ROOT / ".binder" / "postBuild"], cwd=ROOT, env=environment, check=True)
    assert log.read_text().splitlines() == ["install --no-deps --no-build-isolation -e ."]
    wanted = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text())["dependencies"]
    assert "python=3.11" in wanted
    (packages,) = (entry["pip"] for entry in wanted if isinstance(entry, dict))
    named = [line.removeprefix("-r ") for line in packages]
    assert [(ROOT / ".binder" / name).resolve() for name in named] == [ROOT / "requirements.lock"]


@pytest.mark.skipif(not PAGES, reason="no book in _build/html: run `make book` first")
def test_launch_buttons_lead_to_notebooks_that_exist():
    found = set()
    for page in PAGES:
        text = (HTML / page).read_text(encoding="utf8")
        for address in re.findall(r'href="(https://(?:mybinder|colab)[^"]+)"', text):
            parts = urlparse(address.replace("&amp;", "&"))
            query = parse_qs(parts.query).get("urlpath", [""])[0]
            place = (
                query.partition("lab/tree/")[2] or unquote(parts.path).partition("/blob/main/")[2]
            )
            assert (ROOT / place).is_file() and place.endswith(".ipynb"), address
            found.add((parts.hostname, Path(place).stem))
    hosts = ("mybinder.org", "colab.research.google.com")
    assert found >= {(host, chapter) for host in hosts for chapter in chapter_names(ROOT)}
