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
import pathlib, shutil, sys
with open("{log}", "a") as log:
    print(*sys.argv[1:], file=log)
if "-r" in sys.argv:
    shutil.copy(sys.argv[sys.argv.index("-r") + 1], "{lock}")
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


def test_binder_installs_the_lock_without_what_is_for_gpus(tmp_path):
    log, lock = tmp_path / "log", tmp_path / "lock"
    (tmp_path / "pip").write_text(PIP.format(log=log, lock=lock))
    (tmp_path / "pip").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run([ROOT / ".binder" / "postBuild"], cwd=ROOT, env=environment, check=True)
    whole = (ROOT / "requirements.lock").read_text()
    kept = lock.read_text()
    named = {text: set(re.findall(r"^([\w.-]+)==", text, re.MULTILINE)) for text in (whole, kept)}
    left_out = named[whole] - named[kept]
    assert {"torch", "torchvision", "triton"} < left_out
    others = left_out - {"torch", "torchvision", "triton"}
    assert others and all(name.startswith(("nvidia-", "cuda-")) for name in others)
    assert all(f"\n{line}\n" in f"\n{whole}\n" for line in kept.splitlines())
    first, second, third = log.read_text().splitlines()
    assert "--require-hashes" in first and "--no-deps" in first
    for name in ("torch", "torchvision"):
        version = re.search(rf"^{name}==(\S+)", whole, re.MULTILINE)[1]
        assert f" {name}=={version}+cpu" in second
    assert third.endswith("--no-build-isolation -e .")
    environment = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text())
    assert "python=3.11" in environment["dependencies"]


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
