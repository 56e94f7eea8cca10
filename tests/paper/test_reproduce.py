"""Two builds are compared number by number, and what differs is named."""

import shutil
import subprocess

import pytest
from typer.testing import CliRunner

from swta.paper.cli import app
from swta.paper.paths import book_root
from swta.paper.record import Record, Reported
from swta.paper.reproduce import ALLOWED, Allowed, compare_results, relative_difference
from swta.validation import ParameterError


def write(folder, **numbers):
    reports = {
        name: number if isinstance(number, Reported) else Reported(number)
        for name, number in numbers.items()
    }
    Record("01_one", reports).write(folder)
    return folder


def test_equal_records_do_not_differ(tmp_path):
    numbers = {"x": Reported(1.5, 1.0, 2.0, 7, "mV"), "text": "a", "true": True}
    folders = [write(tmp_path / name, **numbers) for name in "ab"]
    (worst,) = compare_results(*folders, Allowed()).values()
    assert worst.relative == 0.0


@pytest.mark.parametrize(
    ("other", "name", "relative"),
    [
        ({"x": Reported(1.0, 0.5, 2.0)}, "x_high", 0.5),
        ({"x": Reported(1.0, 0.5, 4.0), "y": 1}, "y", float("inf")),
        ({"x": Reported(-1.0, 0.5, 4.0)}, "x", 2.0),
        ({"x": "1.0"}, "x", float("inf")),
    ],
)
def test_the_largest_difference_is_named(tmp_path, other, name, relative):
    first = write(tmp_path / "a", x=Reported(1.0, 0.5, 4.0))
    (worst,) = compare_results(first, write(tmp_path / "b", **other), Allowed()).values()
    assert (worst.name, worst.relative) == (name, relative)


def test_run_times_are_not_compared(tmp_path):
    first, second = write(tmp_path / "a", speed=1.0), write(tmp_path / "b", speed=2.0)
    allowed = Allowed(timed={"01_one": ["speed"]})
    assert compare_results(first, second, allowed)["01_one"].relative == 0.0
    assert compare_results(first, second, Allowed())["01_one"].relative == 0.5


def test_builds_of_other_chapters_are_refused(tmp_path):
    (tmp_path / "b").mkdir()
    with pytest.raises(ValueError, match="two builds of the same chapters"):
        compare_results(write(tmp_path / "a", x=1), tmp_path / "b", Allowed())


def test_difference_is_relative_to_the_larger():
    assert relative_difference(1.0, 1.0 + 1e-12) == pytest.approx(1e-12, rel=1e-3)
    assert relative_difference(0, 1e-300) == 1.0
    assert relative_difference(True, 1) == 0.0


def test_the_committed_allowances_name_real_chapters():
    allowed = Allowed.read(book_root() / "book" / ALLOWED)
    assert allowed.tolerance == 1e-12
    for chapter in (*allowed.trained, *allowed.timed):
        text = (book_root() / "book" / f"{chapter}.md").read_text()
        assert all(f'"{name}"' in text for name in allowed.timed.get(chapter, ()))


@pytest.mark.parametrize("text", ["tolerance: -1", "more: 1", "trained: 3", "- a", "{"])
def test_bad_allowances_are_refused(tmp_path, text):
    path = tmp_path / ALLOWED
    path.write_text(text)
    with pytest.raises(ParameterError):
        Allowed.read(path)


def test_the_command_fails_when_numbers_differ(tmp_path):
    folders = [write(tmp_path / name, x=number) for name, number in (("a", 1.0), ("b", 1.1))]
    for pair, code in ((folders, 1), (folders[:1] * 2, 0)):
        done = CliRunner().invoke(app, ["reproduce", "--results", *map(str, pair)])
        assert done.exit_code == code, done.output
        assert "01_one" in done.output


@pytest.mark.long
def test_two_clean_clones_of_a_small_book_agree(checkout, monkeypatch):
    shutil.rmtree(checkout / "src")
    shutil.copytree(book_root() / "src", checkout / "src")
    git = ["git", "-C", str(checkout), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, *command], check=True)
    monkeypatch.chdir(checkout)
    done = CliRunner().invoke(app, ["reproduce", "--profile", "smoke"])
    assert done.exit_code == 0, done.output
    assert "02_two" in done.output
