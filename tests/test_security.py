"""What SECURITY.md says, sentence by sentence."""

import ast
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from swta.paper.claims import Claim, Finding, render_claims
from swta.paper.parameters import find_chapter, list_parameters, load_profile
from swta.paper.record import Reported
from swta.validation import ParameterError

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
FORBIDDEN = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle.load", "pickle.loads",
    "pd.read_pickle", "joblib.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load",
    "marshal.loads", "dill.loads", "cloudpickle.loads", "shelve.open", "subprocess.getoutput",
}  # fmt: skip
HOSTILE = "'''); open('pwned', 'w') #{alpha}\n\\"


def dotted(node):
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def options(call):
    return {k.arg: k.value.value for k in call.keywords if isinstance(k.value, ast.Constant)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_library_never_turns_data_into_code(path):
    tree = ast.parse(path.read_text(encoding="utf8"))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name, where = dotted(call.func), f"{path.name}, line {call.lineno}"
        assert name not in FORBIDDEN, f"{where}: {name}"
        assert not options(call).get("shell"), f"{where}: a shell would read data as commands"
        if name == "np.load":
            assert options(call).get("allow_pickle") is False, where
        if name == "torch.load":
            assert options(call).get("weights_only") is True, where
        if name.endswith(".extractall"):
            raise AssertionError(f"{where}: use swta.data.unpack, which stays inside")
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imported |= {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and {alias.name for alias in node.names} != {"UnpicklingError"}  # what torch raises
    }
    assert not imported & {"pickle", "marshal", "shelve", "dill", "joblib"}, path


def test_the_check_of_sources_can_fail():
    with pytest.raises(AssertionError, match=r"pickle\.loads"):
        path = type("Source", (), {"read_text": lambda *_, **__: "pickle.loads(x)", "name": "a"})()
        test_the_library_never_turns_data_into_code(path)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "..", "", "02_soft_wta/../../x"]
)
def test_names_do_not_leave_the_book(name):
    with pytest.raises(ParameterError):
        find_chapter(ROOT, name)
    notebook = ROOT / "book" / "02_soft_wta.ipynb"
    with pytest.raises(ParameterError):
        load_profile(ROOT, name, notebook)


def test_what_is_reported_is_shown_as_text():
    evil = "<script>alert(1)</script>"
    claim = Claim(evil, evil, "02_soft_wta", evil, evil, above=0.0, unit=evil, figure="fig")
    page = render_claims([Finding(claim, Reported(1.0, 0.5, 2.0, 3), "reproduced")])
    assert "<script" not in page and page.count("&lt;script&gt;") >= 4


def test_every_locked_package_has_a_hash():
    text = (ROOT / "requirements.lock").read_text()
    packages = re.findall(r"^[A-Za-z0-9_.\-\[\]]+==[^\n]*(?:\n    [^\n]*)*", text, re.MULTILINE)
    assert len(packages) > 100
    assert all("--hash=sha256:" in package for package in packages)
    assert "--index-url" not in text and "://" not in text
    assert "--require-hashes" in (ROOT / "Makefile").read_text()


def listening(process):
    """Addresses that a process and those below it listen on, over the network."""
    everyone = [process, *process.children(recursive=True)]
    found = set()
    for each in everyone:
        try:
            sockets = each.net_connections(kind="inet")
        except psutil.Error:
            continue
        found |= {s.laddr.ip for s in sockets if s.status == psutil.CONN_LISTEN}
    return found


def wait_until(condition, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def test_the_book_is_served_to_this_machine_only(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shown = subprocess.run(
        ["make", "-s", "-n", "serve", f"PORT={port}", f"PYTHON={sys.executable}"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    command = shown.stdout.split()
    command[command.index("--directory") + 1] = str(tmp_path)
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: listening(psutil.Process(server.pid))) == {"127.0.0.1"}
    finally:
        server.kill()
        server.wait()


@pytest.mark.slow
def test_a_local_sweep_listens_to_this_machine_only():
    from swta.paper.sweep.engine import start_local

    with start_local(1) as client:
        client.submit(int, "1").result(timeout=60)
        assert listening(psutil.Process()) == {"127.0.0.1"}


@pytest.mark.slow
def test_a_hostile_value_arrives_as_it_is(tmp_path):
    """By papermill as the build and `swta run` call it."""
    from swta.paper.execute import Run, execute_chapter

    cells = [
        nbformat.v4.new_code_cell(
            'name: str = "a"  # a name, text', metadata={"tags": ["parameters"]}, id="a"
        ),
        nbformat.v4.new_code_cell('open("told", "w", newline="").write(name)', id="b"),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "P"}
    path = tmp_path / "01_one.ipynb"
    nbformat.write(notebook, path)
    value = list_parameters(path)["name"].convert(HOSTILE)
    execute_chapter(Run(path, tmp_path / "out" / path.name, tmp_path / "out", {"name": value}))
    assert (tmp_path / "told").read_text() == HOSTILE
    assert not list(tmp_path.rglob("pwned*"))
