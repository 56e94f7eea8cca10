"""A sweep that is killed or damaged: finished runs are neither lost nor repeated.

Killed workers and kernels, interrupts and second sweeps are in ``test_sweep_run``.
"""

import json

import pytest
from miniature_book import SWTA, kill_alone, wait_for, wait_for_end

pytestmark = pytest.mark.faults

PLAN = ("sweep", "1", "-p", "alpha", "2:4:3", "--workers", "1", "-o")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "out"


def runs(folder):
    """When each finished run was written, by its key."""
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("runs/*/run.json")}


def finished(book, folder):
    code, text = book.swta(*PLAN, folder)
    assert code == 0 and "3 done" in text, text
    return runs(folder)


@pytest.mark.long
def test_sweep_killed(book, folder):
    """Case S1: kill −9 of the command; the same command goes on, and no orphan is left."""
    process = book.start(SWTA, *PLAN, folder)
    wait_for(lambda: runs(folder))
    hold = book.hold("01_one")
    orphans = kill_alone(process)
    before = runs(folder)
    hold.unlink()
    wait_for_end(orphans)
    after = finished(book, folder)
    assert before and before.items() <= after.items(), "nothing finished is repeated"
    assert not (folder / ".work").exists()


@pytest.mark.long
@pytest.mark.parametrize("damaged", ["run.json", "01_one.json", "01_one.ipynb"])
def test_run_of_a_sweep_cut_short(book, folder, damaged):
    """Cases S2 to S4: that run is done again and no other."""
    before = finished(book, folder)
    path = sorted(folder.glob("runs/*"))[1] / damaged
    path.write_bytes(path.read_bytes()[:40])
    after = finished(book, folder)
    assert {key for key in before if before[key] != after[key]} == {path.parent.name}
    json.loads((folder / "runs" / path.parent.name / "run.json").read_text())


@pytest.mark.long
def test_disk_full_during_a_sweep(book, folder, mounted):
    """Case S5: says so and ends; after room was made the same command does the rest."""
    folder.mkdir()
    disk = mounted(f"mount -t tmpfs -o size=2m none {folder}")
    filler = disk.inside(folder) / ".lock"  # the one file that a new sweep's folder may hold
    filler.write_bytes(bytes(2 * 2**20 - 24 * 1024))
    book.enter = [*disk.enter, "--wd=" + str(book.root)]
    code, text = book.swta(*PLAN, folder)
    assert code == 1 and "Traceback" not in text, text
    assert "No space left" in text or "Make room" in text, text
    filler.write_bytes(b"")
    code, text = book.swta(*PLAN, folder)
    assert code == 0 and "3 done" in text, text


@pytest.mark.long
def test_folder_of_a_sweep_read_only(book, folder, mounted):
    """Case S6: one clear sentence; what is there stays as it is."""
    before = finished(book, folder)
    disk = mounted(f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}")
    book.enter = [*disk.enter, "--wd=" + str(book.root)]
    code, text = book.swta(*PLAN, folder)
    assert code == 1 and "Read-only file system" in text and "Traceback" not in text, text
    book.enter = []
    assert finished(book, folder) == before


def test_sweep_plan_cut_short(book, folder):
    """Case S7: a damaged description of the sweep is written anew."""
    from swta.paper.sweep.store import SWEEP, Store

    folder.mkdir()
    (folder / SWEEP).write_text('{"chapter": "01_o')
    with Store(folder).claim({"chapter": "01_one"}):
        pass
    assert json.loads((folder / SWEEP).read_text()) == {"chapter": "01_one"}
