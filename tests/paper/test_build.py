"""A chapter runs when what it depends on changed, and only then; a failure costs nothing good."""

import json

import pytest

from swta.paper import build as module
from swta.paper.build import BuildFailed, execute_book, plan_chapter, reason_to_run
from swta.paper.execute import ChapterFailed, Run, execute_chapter

pytestmark = pytest.mark.slow


def build(root, profile="laptop"):
    said = []
    tasks = execute_book(root, profile, jobs=2, say=said.append)
    return tasks, [line.split(":")[0] for line in said if " done in " in line]


def test_the_life_of_a_build(checkout, rewrite, monkeypatch):
    tasks, ran = build(checkout)
    assert sorted(ran) == ["01_one", "02_two"]
    assert all(task.run.output.is_file() for task in tasks)
    record = json.loads((checkout / "_build/executed/laptop/01_one.json").read_text())
    assert record["reports"]["twice"]["value"] == 1.0

    assert build(checkout)[1] == [], "nothing changed"

    (checkout / "src/swta/other.py").write_text("x = 1\n")
    assert build(checkout)[1] == [], "a file that no chapter imports"

    rewrite("02_two", "Twice is", "Twice it is")
    assert build(checkout)[1] == ["02_two"], "its text changed"

    executed = tasks[0].run.output.read_text()
    rewrite("01_one", "1 / (2 - alpha)", "1 / (2 - 4 * alpha)")
    with pytest.raises(BuildFailed, match=r"chapter 01_one, cell 5 .*ZeroDivisionError") as failure:
        build(checkout)
    assert tasks[0].run.partial.is_file() and str(tasks[0].run.partial) in str(failure.value)
    assert tasks[0].run.output.read_text() == executed, "the last good copy is left alone"

    rewrite("01_one", "1 / (2 - 4 * alpha)", "1 / (2 - alpha)")
    assert build(checkout)[1] == [], "back to what was executed"

    monkeypatch.setattr(module.data, "fingerprint", lambda name: "another")
    stamp = tasks[0].stamp
    stored = json.loads(stamp.read_text())
    stamp.write_text(json.dumps(stored | {"data": {"uci": "one"}}))
    assert reason_to_run(plan_chapter(checkout, "01_one", "laptop")) == "its data changed: uci"
    stamp.write_text("{")
    assert reason_to_run(plan_chapter(checkout, "01_one", "laptop")) == "its record is damaged"


def test_profiles_are_kept_apart(checkout):
    tasks, _ = build(checkout, "smoke")
    record = json.loads(tasks[1].run.output.with_suffix(".json").read_text())
    assert record["reports"]["twice"]["value"] == 0.5
    assert record["provenance"]["parameters"] == {"alpha": 0.25}
    assert reason_to_run(plan_chapter(checkout, "02_two", "laptop")) == "not executed yet"


def test_a_run_that_fails_keeps_its_partial_notebook(checkout, tmp_path):
    job = Run(
        checkout / "book/01_one.ipynb", tmp_path / "out/x.ipynb", tmp_path / "r", {"alpha": 2}
    )
    cells = []
    with pytest.raises(ChapterFailed, match="ZeroDivisionError") as failure:
        execute_chapter(job, lambda done, total: cells.append((done, total)))
    assert failure.value.partial.is_file() and not job.output.exists()
    assert cells[0][0] == 0 and len(cells) >= 4
    assert str(failure.value.moved_to(tmp_path / "kept")).endswith("kept")


def test_a_child_that_dies_is_a_failure_with_a_reason(checkout, monkeypatch):
    class Pipe:
        def recv(self):
            raise EOFError

    assert module._receive(Pipe(), "01_one") == (
        "failed",
        "chapter 01_one died without an answer (out of memory?)",
    )


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (None, ("done",)),
        (OSError("no space left"), ("failed", "chapter 01_one: OSError: no space left")),
    ],
)
def test_the_child_always_answers(checkout, monkeypatch, error, answer):
    sent = []

    class Pipe:
        send = staticmethod(sent.append)

    def execute(run, progress):
        progress(0, 3)
        if error:
            raise error

    monkeypatch.setattr(module, "execute_chapter", execute)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    module._child(plan_chapter(checkout, "01_one", "laptop"), Pipe(), 1)
    assert sent == [("cell", 0, 3), answer]
