"""A build that is killed, starved or fed with damaged files: the next one has nothing to regret."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
from miniature_book import SWTA, below, end, kill_alone, wait_for, wait_for_end

pytestmark = pytest.mark.faults

BOTH = ["01_one", "02_two"]


def built(book):
    """Build the chapters and check that all is well."""
    code, text = book.build_chapters()
    assert code == 0, text
    return text


def enough(book, executions):
    """The next build succeeds, and up to now chapters ran this often and no more."""
    built(book)
    assert sorted(book.executions()) == sorted(executions)
    assert all(book.executed(name).is_file() for name in BOTH)
    assert "is current" in built(book) and len(book.executions()) == len(executions)


def test_build_killed_while_a_chapter_runs(book):
    """Case B1: the finished chapter is not redone; no orphan writes into the next build."""
    hold = book.hold("01_one")  # later chapters go first
    process = book.start_chapters()
    book.kernel("01_one")
    orphans = kill_alone(process)
    wait_for_end(orphans)
    assert book.executed("02_two").is_file() and not book.executed("01_one").exists()
    hold.unlink()
    enough(book, ["02_two", "01_one", "01_one"])


def test_kernel_killed(book):
    """Case B2: the failure names chapter and cell, the other chapter's result stays."""
    hold = book.hold("01_one")
    process = book.start_chapters()
    os.kill(book.kernel("01_one"), signal.SIGKILL)
    code, text = end(process)
    assert code == 1 and "chapter 01_one, cell" in text and "its process died" in text
    hold.unlink()
    enough(book, ["02_two", "01_one", "01_one"])


@pytest.mark.long
def test_process_of_a_chapter_killed(book):
    """Case B3: the build goes on with the others and says which died."""
    hold = book.hold("02_two")
    process = book.start_chapters()
    kernel = book.kernel("02_two")
    (child,) = [p for p in below(process) if kernel in {c.pid for c in p.children()}]
    child.kill()
    code, text = end(process)
    assert code == 1 and "chapter 02_two died without an answer" in text
    hold.unlink()
    enough(book, ["02_two", "01_one", "02_two"])


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-C", "SIGTERM"])
def test_build_interrupted(book, number):
    """Cases B4, B5: as after a kill, from the terminal or by a batch system."""
    hold = book.hold("01_one")
    process = book.start_chapters()
    book.kernel("01_one")
    orphans = below(process)
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    code, _ = end(process)
    assert code != 0
    wait_for_end(orphans)
    hold.unlink()
    enough(book, ["02_two", "01_one", "01_one"])


@pytest.mark.long
def test_build_killed_while_pages_are_made(book):
    """Case B6: the last good pages stay, nothing is executed again, no orphan is left."""
    code, text = book.swta("build", "-j", "1")
    assert code == 0, text
    page = book.root / "_build" / "html" / "book" / "01_one.html"
    good = page.read_text()
    config = book.root / "_config.yml"
    config.write_text(config.read_text().replace("Small", "Another title"))
    process = book.start(SWTA, "build", "-j", "1")
    wait_for(lambda: [p for p in below(process) if "jupyter-book" in " ".join(p.cmdline())])
    orphans = kill_alone(process)
    wait_for_end(orphans)
    assert page.read_text() == good
    code, text = book.swta("build", "-j", "1")
    assert code == 0 and "Another title" in page.read_text(), text
    assert sorted(book.executions()) == BOTH


@pytest.mark.parametrize("damaged", [".ipynb", ".json", ".key.json", "/one.csv"])
@pytest.mark.long
def test_file_of_a_finished_chapter_cut_short(book, damaged):
    """Cases B7 to B10: executed copy, record, stamp or source data cut: that chapter runs again."""
    built(book)
    path = book.executed("01_one").with_suffix("")
    path = path.parent / f"{path.name}{damaged}"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    enough(book, [*BOTH, "01_one"])


@pytest.mark.long
def test_source_data_lost(book):
    """Case B11: they are made again."""
    built(book)
    shutil.rmtree(book.executed("02_two").with_suffix(""))
    enough(book, [*BOTH, "02_two"])


@pytest.mark.long
def test_two_builds_at_once(book):
    """Case B12: the second says who is in the way and touches nothing; a killed one is not."""
    hold = book.hold("02_two")
    first = book.start(SWTA, "build", "-j", "1")
    book.kernel("02_two")
    code, text = book.swta("build", "-j", "1")
    assert code == 1 and "another build is running" in text
    kill_alone(first)
    assert (book.root / "_build" / ".lock").exists()
    hold.unlink()
    enough(book, ["02_two", "02_two", "01_one"])


def test_disk_full_during_a_build(book, mounted):
    """Case B13: says so, keeps the finished chapter, and goes on once there is room."""
    build = book.root / "_build"
    build.mkdir()
    disk = mounted(f"mount -t tmpfs -o size=256k none {build}")
    book.enter = [*disk.enter, "--wd=" + str(book.root)]
    built(book)
    (book.root / "book" / "02_two.ipynb").write_text(
        (book.root / "book" / "02_two.ipynb").read_text().replace("0.5", "0.25")
    )
    filler = disk.inside(build) / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(4096))
    code, text = book.build_chapters()
    assert code == 1 and "02_two" in text and "No space left on device" in text
    filler.unlink()
    text = built(book)
    assert "01_one: is current" in text and "02_two: done" in text


@pytest.mark.long
def test_build_folder_read_only(book, mounted):
    """Case B14: one clear sentence with the path; what is there stays as it is."""
    built(book)
    build = book.root / "_build"
    disk = mounted(f"mount --bind {build} {build} && mount -o remount,ro,bind {build}")
    book.enter = [*disk.enter, "--wd=" + str(book.root)]
    code, text = book.swta("build", "-j", "1")
    assert code == 1 and "Read-only file system" in text and str(build) in text
    assert "Traceback" not in text
    book.enter = []
    enough(book, BOTH)


@pytest.mark.long
def test_stamp_of_the_pages_damaged(book):
    """Case B15: the pages are made again and nothing is executed."""
    assert book.swta("build", "-j", "1")[0] == 0
    stamp = book.root / "_build" / "html" / "build.json"
    stamp.write_text("{")
    code, text = book.swta("build", "-j", "1")
    assert code == 0 and "strict build" in text
    assert sorted(book.executions()) == BOTH


def test_folders_caught_between_two_renames(tmp_path):
    """Case B16: a kill while the new pages take their place leaves the old ones to be found."""
    from swta.paper.site import _finish_swap, swap_folder

    for name in ("fresh", ".html.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(name)
    _finish_swap(tmp_path / "html")
    assert (tmp_path / "html" / "index.html").read_text() == ".html.old"
    swap_folder(tmp_path / "fresh", tmp_path / "html")
    _finish_swap(tmp_path / "html")
    assert (tmp_path / "html" / "index.html").read_text() == "fresh"


@pytest.mark.long
def test_clock_in_the_future_when_it_was_built(book):
    """Case B17: results are judged by content, not by date."""
    built(book)
    for path in book.root.rglob("*"):
        os.utime(path, (4e9, 4e9))
    enough(book, BOTH)


def pair(book):
    code = (
        "from pathlib import Path; from swta.paper.pairs import pair_texts; pair_texts(Path.cwd())"
    )
    return end(book.start(sys.executable, "-c", code))


@pytest.mark.parametrize("edited", [".md", ".ipynb"])
def test_text_edited_after_the_clock_was_set_back(book, edited):
    """Cases B18, B19: the edit counts, though the other twin looks newer."""
    assert pair(book) == (0, "")
    path = book.root / "book" / f"01_one{edited}"
    path.write_text(path.read_text().replace("Chapter 01_one", "Chapter renamed"))
    os.utime(path, (1e9, 1e9))
    code, text = pair(book)
    assert code == 0 and f"follows {path.name}" in text
    for suffix in (".md", ".ipynb"):
        assert "Chapter renamed" in (book.root / "book" / f"01_one{suffix}").read_text()
    assert pair(book) == (0, "")


def test_both_twins_edited(book):
    """Case B20: the newer counts, and the other is kept aside."""
    assert pair(book) == (0, "")
    for suffix, word, date in ((".md", "older", 2e9), (".ipynb", "newer", 3e9)):
        path = book.root / "book" / f"01_one{suffix}"
        path.write_text(path.read_text().replace("Chapter 01_one", word))
        os.utime(path, (date, date))
    code, text = pair(book)
    assert code == 0 and "01_one.md follows 01_one.ipynb" in text
    assert "newer" in (book.root / "book" / "01_one.md").read_text()
    assert "older" in (book.root / "_build" / "replaced" / "01_one.md").read_text()


def test_bare_notebook_cut_short(book):
    """Case B21: it is made anew from the text."""
    path = book.root / "book" / "01_one.ipynb"
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])
    code, text = pair(book)
    assert code == 0 and "01_one.ipynb follows 01_one.md" in text
    assert "Chapter 01_one" in path.read_text()


@pytest.mark.parametrize("home", [None, "/dev/null/nowhere"], ids=["unset", "unusable"])
@pytest.mark.long
def test_no_home(book, tmp_path, home):
    """Cases B22, B23: HOME unset, or a path that nobody can make."""
    keep = {key: os.environ[key] for key in ("PATH", "PYTHONPATH") if key in os.environ}
    book.environment = keep | ({} if home is None else {"HOME": home})
    code, text = book.swta("build", "-j", "1")
    assert code == 0, text
    assert sorted(book.executions()) == BOTH


def test_reproduction_killed(book, tmp_path):
    """Case B24: nothing that `swta reproduce` started goes on."""
    book.hold("02_two")  # clones have it, too
    git = ["git", "-C", str(book.root), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, *command], check=True)
    clones = tmp_path / "clones"
    clones.mkdir()
    book.environment = book.environment | {"TMPDIR": str(clones)}
    process = book.start(SWTA, "reproduce", "--profile", "laptop", "-j", "1")
    wait_for(lambda: list(clones.glob("*/first/executions")))
    orphans = kill_alone(process)
    assert len(orphans) >= 2  # a build and its kernel
    wait_for_end(orphans)
