"""Numbers of a large run: published whole, read back, shown beside those of this run."""

import json

import pytest

from swta.paper.chapter import Chapter
from swta.paper.published import compare_sizes, publish_record, read_published, results_table
from swta.paper.record import Record, Reported


@pytest.fixture
def record():
    reports = {
        "gain": Reported(21.25, 18.0, 24.5, 5, "points"),
        "count": Reported(12),
        "words": Reported("no number"),
    }
    return Record("05_x", reports, provenance={"commit": "abc", "parameters": {"epochs": 40}})


def test_what_is_published_is_read_back(record, tmp_path):
    path = publish_record(record, tmp_path, "full")
    assert path == results_table(tmp_path, "05_x", "full")
    found = read_published(path)
    assert found == {"gain": record.reports["gain"], "count": Reported(12.0)}
    head = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert head[0] == "# 05_x, profile full" and '# commit: "abc"' in head
    assert '# parameters: {"epochs": 40}' in head


def test_sizes_side_by_side(record, tmp_path):
    names = {"gain": "the gain", "lost": "what is missing"}
    table = compare_sizes(record, tmp_path, names)
    gain = "21.2 (18 to 24.5) points, n = 5"
    assert table.columns.tolist() == ["this run", "wide", "full"]
    assert table.loc["the gain"].tolist() == [gain, "not run yet", "not run yet"]
    publish_record(record, tmp_path, "full")
    record.reports["gain"] = Reported(3.0)
    table = compare_sizes(record, tmp_path, names)
    assert table.loc["the gain"].tolist() == ["3", "not run yet", gain]
    assert table.loc["what is missing"].tolist() == ["–", "not run yet", "–"]
    publish_record(record, tmp_path, "wide")
    assert compare_sizes(record, tmp_path, names).loc["the gain"].tolist() == ["3", "3", gain]


def test_another_table_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"columns \['a', 'b'\]"):
        read_published(path)


def test_unfinished_work_has_a_folder_of_its_own(checkout, monkeypatch, tmp_path):
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("SWTA_RESULTS", str(tmp_path / "out"))
    monkeypatch.delenv("SWTA_DATA", raising=False)

    def start(alpha):
        names = {"__annotations__": {"alpha": float}, "alpha": alpha}
        return Chapter("02_two", names)

    folder = start(0.5).work_folder()
    assert folder.parent == checkout / "_build" / "work"
    assert folder == start(0.5).work_folder() != start(0.6).work_folder()
    monkeypatch.setenv("SWTA_DATA", str(tmp_path))
    assert start(0.5).work_folder() != folder
    monkeypatch.delenv("SWTA_DATA")
    folder.mkdir(parents=True)
    (folder / "one.pt").write_text("")
    chapter = start(0.5)
    chapter.work_folder()
    with monkeypatch.context() as second:
        second.setenv("RANK", "1")  # one of several processes; another may not be done
        chapter.footer()
    assert folder.exists()
    chapter.footer()
    assert not folder.exists()
    assert json.loads((tmp_path / "out" / "02_two.json").read_text())["chapter"] == "02_two"


def test_the_published_table_is_part_of_the_chapters_key(checkout, record):
    from swta.paper.content import content_key

    notebook = checkout / "book" / "02_two.ipynb"
    before = content_key(notebook, {}, checkout)
    record.chapter = "02_two"
    publish_record(record, checkout, "full")
    assert content_key(notebook, {}, checkout) != before
