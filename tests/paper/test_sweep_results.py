"""What a sweep keeps: runs found by content, a table of everything, a figure and a safe page."""

import io
import json
from html.parser import HTMLParser

import nbformat
import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from rich.console import Console

from swta.paper.record import Record, Reported
from swta.paper.sweep import plan as plan_module
from swta.paper.sweep.figure import choose_summary, draw_summary
from swta.paper.sweep.plan import (
    chapter_imports,
    code_digest,
    environment_of_runs,
    plan_sweep,
    split_runs,
)
from swta.paper.sweep.progress import SweepProgress
from swta.paper.sweep.session import write_results
from swta.paper.sweep.store import DONE, FAILED, PENDING, Store, StoredRun
from swta.paper.sweep.table import PARAMETER, REPORTED, tabulate_sweep
from swta.validation import ParameterError

CELLS = (
    'alpha: float = 0.5  # a number, mV\nseed: int = 0  # first seed, integer\nname: str = "a"'
    "  # a name, text\nsizes: list = [1]  # sizes, count",
    "import os, json as j\nfrom swta.validation import check_real\n%matplotlib inline\n"
    "if True:\n    import math",
)
HOSTILE = '<script>alert(1)</script>"; import os #'


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "checkout"
    (folder / "book" / "profiles" / "smoke").mkdir(parents=True)
    (folder / "book" / "profiles" / "smoke" / "01_one.yaml").write_text("alpha: 0.25\nseed: 9\n")
    (folder / "src" / "swta").mkdir(parents=True)
    (folder / "src" / "swta" / "validation.py").write_text("")
    (folder / "requirements.lock").write_text("")
    for name in ("01_one", "06_claims"):
        write_notebook(folder / "book" / f"{name}.ipynb")
    return folder


def write_notebook(path, last="alpha"):
    cells = [nbformat.v4.new_code_cell(text, id=f"c{i}") for i, text in enumerate([*CELLS, last])]
    cells[0].metadata["tags"] = ["parameters"]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "P"}
    nbformat.write(notebook, path)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "sweep")


def keep(store, point, status=DONE, data=None, **reports):
    """Store a run as a worker does."""
    work = store.make_work_folder(point.key)
    (work / "01_one.ipynb").write_text("{}")
    error = "cell 2: ValueError: <b>" if status == FAILED else ""
    used = data or {}
    if status == DONE:
        record = Record("01_one", {name: Reported(*value) for name, value in reports.items()})
        record.provenance = {"commit": "abc", "wall_time_s": 1.5, "versions": {"numpy": "2"}}
        record.provenance["data"] = [{"name": n, "fingerprint": f} for n, f in used.items()]
        record.write(work)
    run = StoredRun(point.key, status, point.parameters, "01_one.ipynb", error, 2.0, "m:1", used)
    return store.publish(work, run, replace=False)


def test_the_key_follows_chapter_parameters_library_and_lock(root):
    def keys(**options):
        return {p.key for p in plan_sweep(root, "1", [("alpha", "0,1")], **options).points}

    before = keys()
    assert keys() == before and len(before) == 2
    assert not keys(profile="smoke") & before, "the profile sets another seed"
    same = plan_sweep(root, "1", [("alpha", "0,1"), ("seed", "0"), ("name", "a")])
    assert {p.key for p in same.points} == before, "a default that is written out changes nothing"
    for path in (root / "requirements.lock", root / "src/swta/validation.py"):
        path.write_text("# changed")
        assert not keys() & before
        path.write_text("")
        assert keys() == before
    write_notebook(root / "book" / "01_one.ipynb", last="alpha + 1")
    assert not keys() & before


def test_axes_come_before_the_profile_and_the_profile_before_the_defaults(root):
    point = plan_sweep(root, "1", [("alpha", "1,2")], profile="smoke").points[0]
    assert point.values == {"alpha": 1.0, "seed": 9}
    assert point.parameters == {"alpha": 1.0, "seed": 9, "name": "a", "sizes": [1]}


def test_a_chapter_that_reads_other_results_is_refused(root):
    with pytest.raises(ParameterError, match="sweep the chapter that measures"):
        plan_sweep(root, "6", [("alpha", "0,1")])


def test_what_is_stored_whole_and_current_is_not_due(root, store, monkeypatch):
    plan = plan_sweep(root, "1", [("seed", "0:6")])
    points = plan.points
    for point in points[:3]:
        keep(store, point, data={"uci": "one"} if point is points[2] else None)
    keep(store, points[3], FAILED)
    monkeypatch.setattr(plan_module.data, "fingerprint", lambda name: "one")

    def due(**options):
        return [points.index(point) for point in split_runs(plan, store, **options)[1]]

    assert due() == [4, 5]
    assert due(retry_failed=True) == [3, 4, 5]
    monkeypatch.setattr(plan_module.data, "fingerprint", lambda name: "two")
    assert due() == [2, 4, 5], "its data changed"
    (store.run_folder(points[0].key) / "run.json").write_text('{"key": "')
    assert 0 in due(), "damaged"
    (store.run_folder(points[1].key) / "01_one.ipynb").unlink()
    assert 1 in due(), "its notebook is lost"


def test_a_run_with_lost_source_data_is_due(root, store):
    plan = plan_sweep(root, "1", [("seed", "0")])
    keep(store, plan.points[0])
    folder = store.run_folder(plan.points[0].key)
    record = Record.read(folder / "01_one.json")
    record.figures.append("shape")
    record.write(folder)
    assert len(split_runs(plan, store)[1]) == 1
    (folder / "01_one").mkdir()
    (folder / "01_one" / "shape.csv").write_text("x\n1\n")
    assert not split_runs(plan, store)[1]


def test_a_good_run_is_replaced_only_when_its_data_changed(root, store):
    plan = plan_sweep(root, "1", [("seed", "0")])
    first = keep(store, plan.points[0], twice=(1.0,))
    late = store.make_work_folder(first.key)
    other = StoredRun(first.key, FAILED, {}, "01_one.ipynb", "late")
    assert store.publish(late, other, replace=False) == first and not late.exists()
    assert store.publish(store.make_work_folder(first.key), other, replace=True) == other
    assert store.read(first.key) == other
    assert not list((store.folder / ".work").iterdir())


def test_only_one_sweep_at_a_time_and_only_into_its_own_folder(store):
    with store.claim({"a": 1}):
        with pytest.raises(OSError, match="another sweep is writing into"), store.claim({}):
            pass
        assert json.loads((store.folder / "sweep.json").read_text()) == {"a": 1}
    with store.claim({"a": 2}):
        pass
    lock = FileLock(store.folder / ".lock")
    lock.acquire(timeout=0)
    lock.release()
    elsewhere = Store(store.folder.parent / "thesis")
    elsewhere.folder.mkdir()
    (elsewhere.folder / "chapter.tex").write_text("years of work")
    with pytest.raises(ParameterError, match="holds files that are no sweep"), elsewhere.claim({}):
        pass
    with pytest.raises(ParameterError, match="is a file"):
        Store(elsewhere.folder / "chapter.tex").claim({}).__enter__()


def test_a_sweep_of_another_kind_does_not_take_the_place_of_one(store):
    kind = {"chapter": "1_one", "profile": "laptop", "design": "grid", "swept": {"alpha": "float"}}
    with store.claim(kind):
        pass
    with store.claim(kind | {"swept": {"alpha": "float", "seed": "int"}}):
        pass  # the same sweep, extended
    held = (store.folder / "sweep.json").read_text()
    for name in ("chapter", "profile", "design"):
        with pytest.raises(ParameterError, match=f"with {name} .*another folder with --output"):
            store.claim(kind | {name: "other"}).__enter__()
    assert "seed" in held and (store.folder / "sweep.json").read_text() == held
    with store.claim(kind):
        pass  # the refused ones have let go of the folder


def test_left_overs_of_dead_processes_go_and_those_of_living_ones_stay(store):
    mine = store.make_work_folder("k" * 64)
    key, host, _, tail = mine.name.split("@")
    dead = mine.with_name(f"{key}@{host}@{2**22 + 1}@{tail}")
    elsewhere = mine.with_name(f"{key}@far@{2**22 + 1}@{tail}")
    dead.mkdir()
    elsewhere.mkdir()
    (store.folder / "sweep.json").write_text("{}")
    with store.claim({}):
        assert mine.exists() and elsewhere.exists() and not dead.exists()


def test_the_table_has_parameters_reports_provenance_and_status(root, store):
    plan = plan_sweep(root, "1", [("alpha", "0,1,2,3"), ("sizes", "[1],[2, 3]")])
    a, b, c = plan.points[:3]
    keep(store, a, twice=(0.0, -1.0, 1.0, 7, "mV"), alpha=(5,), word=("x",), mixed=("none",))
    keep(store, b, twice=(2,), good=(True,), mixed=(1.5,), huge=(2**70,))
    keep(store, c, FAILED)
    runs, _ = split_runs(plan, store)
    table = tabulate_sweep(plan, store, runs)
    rows = table.rows
    assert rows["run_status"].tolist()[:4] == [DONE, DONE, FAILED, PENDING]
    assert len(rows) == 8 and rows["alpha"].tolist() == [0.0, 0, 1, 1, 2, 2, 3, 3]
    assert rows["sizes"].tolist()[:2] == ["[1]", "[2, 3]"]
    assert rows.loc[0, ["twice", "twice_low", "twice_high", "twice_n"]].tolist() == [0, -1, 1, 7]
    assert rows.loc[1, "twice"] == 2.0 and pd.isna(rows.loc[1, "twice_low"])
    assert rows.loc[0, "reported_alpha"] == 5, "the parameter keeps the name"
    assert rows["mixed"].tolist()[:2] == ["none", "1.5"]
    assert rows.loc[1, "huge"] == str(2**70)
    assert rows.loc[0, "provenance_commit"] == "abc" and pd.isna(rows.loc[2, "provenance_commit"])
    assert rows.loc[2, "run_error"] == "cell 2: ValueError: <b>"
    assert (store.folder / rows.loc[2, "run_notebook"]).is_file()
    assert set(table.columns["column"]) == set(rows.columns)
    assert table.column(REPORTED, "alpha") == "reported_alpha"
    assert table.column(PARAMETER, "alpha") == "alpha"
    units = table.columns.set_index("column")["unit"]
    assert units["alpha"] == "mV" and units["twice_low"] == "mV" and units["twice_n"] == ""

    table.write(store.folder)
    stored = pd.read_parquet(store.folder / "table.parquet")
    pd.testing.assert_frame_equal(stored, rows)
    csv = pd.read_csv(store.folder / "table.csv")
    assert csv["twice"].tolist()[:2] == [0.0, 2.0] and list(csv) == list(rows)


class Page(HTMLParser):
    """Collects tags, links and text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.words, self.sources = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        found = dict(attrs)
        if "href" in found:
            self.links.append(found["href"])
        if "src" in found:
            self.sources.append(found["src"])

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_links_every_run_and_texts_stay_texts(root, store):
    plan = plan_sweep(root, "1", [("name", HOSTILE.replace(",", "\\,")), ("seed", "0:3")])
    for number, point in enumerate(plan.points[:2]):
        keep(store, point, FAILED if number else DONE, twice=(1.0 * number,))
    store.folder.mkdir(exist_ok=True)
    runs, _ = split_runs(plan, store)
    write_results(plan, store, runs)
    page = Page((store.folder / "index.html").read_text())
    assert "script" not in page.tags and HOSTILE in page.words
    assert "cell 2: ValueError: <b>" in page.words and "b" not in page.tags
    notebooks = [link for link in page.links if link.endswith(".ipynb")]
    assert len(notebooks) == 2
    assert all((store.folder / link).is_file() for link in page.links)
    assert page.sources and all(source.startswith("data:image/png") for source in page.sources)
    assert (store.folder / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert not list(store.folder.glob(".*.*")), "no temporary file is left"


def test_a_sweep_without_a_good_run_still_has_table_and_page(root, store):
    plan = plan_sweep(root, "1", [("seed", "0:2")])
    keep(store, plan.points[0], FAILED)
    runs, _ = split_runs(plan, store)
    write_results(plan, store, runs)
    assert pd.read_csv(store.folder / "table.csv")["run_status"].tolist() == [FAILED, PENDING]
    assert "img" not in Page((store.folder / "index.html").read_text()).tags


def figure_of(root, store, pairs, report, **options):
    plan = plan_sweep(root, "1", pairs, **options)
    for point in plan.points:
        keep(store, point, twice=(report(point.parameters),), still=(3.0,), word=("x",))
    table = tabulate_sweep(plan, store, split_runs(plan, store)[0])
    summary = choose_summary(plan, table)
    return summary, draw_summary(table.rows, summary), table


def test_the_figure_joins_means_over_repetitions_for_each_colour(root, store):
    pairs = [("seed", "0:3"), ("alpha", "0:2:3"), ("name", "a,b")]
    summary, figure, _ = figure_of(
        root, store, pairs, lambda p: 10 * p["alpha"] + p["seed"] + 100 * (p["name"] == "b")
    )
    assert (summary.x, summary.colour, summary.pooled) == ("alpha", "name", ("seed",))
    assert summary.quantities == ("twice",), "what does not vary is left out"
    (ax,) = figure.axes
    lines = [line.get_xydata().tolist() for line in ax.lines if line.get_linestyle() != "None"]
    assert lines == [[[0, 1], [1, 11], [2, 21]], [[0, 101], [1, 111], [2, 121]]]
    assert sum(len(line.get_xdata()) for line in ax.lines) == 18 + 6
    assert ax.get_xlabel() == "alpha (mV)"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b"]


def test_a_hypercube_is_points_only_with_a_scale_for_the_second_number(root, store):
    pairs = [("alpha", "0:1"), ("seed", "0:30"), ("name", "a,b")]
    summary, figure, table = figure_of(
        root, store, pairs, lambda p: p["alpha"], design="latin-hypercube", samples=9
    )
    assert (summary.x, summary.colour, summary.joined) == ("alpha", "name", False)
    assert all(line.get_linestyle() == "None" for line in figure.axes[0].lines)
    drawn = np.sort(np.concatenate([line.get_xdata() for line in figure.axes[0].lines]))
    np.testing.assert_allclose(drawn, np.sort(table.rows["alpha"].astype(float)))


def test_claimed_numbers_come_first_then_those_with_intervals(root, store):
    plan = plan_sweep(root, "1", [("alpha", "0,1")])
    for number, point in enumerate(plan.points):
        reports = {"a": (number,), "b": (number, -1.0, 2.0), "c": (number,), "d": (number,)}
        keep(store, point, **reports)
        folder = store.run_folder(point.key)
        record = Record.read(folder / "01_one.json")
        record.claims["C1"] = "d"
        record.write(folder)
    table = tabulate_sweep(plan, store, split_runs(plan, store)[0])
    assert choose_summary(plan, table).quantities == ("d", "b", "a", "c")


def test_one_axis_of_names_gets_their_names_as_ticks(root, store):
    summary, figure, _ = figure_of(root, store, [("name", "u,v,w")], lambda p: ord(p["name"]))
    (ax,) = figure.axes
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["u", "v", "w"]
    assert not summary.colour and "against name" in summary.caption(
        pd.DataFrame({"run_status": []})
    )


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_tells_the_time_left(monkeypatch, terminal):
    clock = iter([0.0, 20.0, 21.0, 22.0, 60.0])
    monkeypatch.setattr("swta.paper.sweep.progress.monotonic", lambda: next(clock))
    console = Console(file=io.StringIO(), force_terminal=terminal, width=150)
    with SweepProgress(console, "01_one") as progress:
        progress.begin(4, 2, "2 processes")
        for number in range(4):
            status = FAILED if number == 1 else DONE
            run = StoredRun("k", status, {}, "01_one.ipynb", "[bold]cell 2" if number == 1 else "")
            progress.finished({"alpha": 0.5}, run)
    text = console.file.getvalue()
    assert "01_one: 4 runs on 2 processes, 2 are there already" in text
    assert "failed: alpha = 0.5: [bold]cell 2" in text
    if terminal:
        assert "left:" in text and "0/4" in text
    else:
        assert text.splitlines()[1] == "01_one: 1 of 4 runs, about 0:01:00 left"
        assert text.splitlines()[-1] == "01_one: 4 of 4 runs" and len(text.splitlines()) == 4


def test_imports_are_those_of_the_top_level(root):
    assert chapter_imports(root / "book" / "01_one.ipynb") == [
        ("os", []), ("json", []), ("swta.validation", ["check_real"]),
    ]  # fmt: skip


def test_code_is_compared_by_the_files_that_python_imports(root):
    notebook = root / "book" / "01_one.ipynb"
    one = code_digest(notebook, ["validation.py"])
    assert one == code_digest(notebook, ["validation.py", "not/there.py"])
    assert one != code_digest(notebook, ["validation.py", "intervals.py"])
    write_notebook(notebook, last="alpha + 1")
    assert one != code_digest(notebook, ["validation.py"])


def test_runs_see_the_data_of_the_one_who_plans_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = environment_of_runs(
        {"SWTA_DATA": "mine", "SWTA_OFFLINE": "1", "SWTA_RESULTS": "x", "SECRET": "y"}
    )
    assert found == {"SWTA_DATA": str(tmp_path / "mine"), "SWTA_OFFLINE": "1"}
