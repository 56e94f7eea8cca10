"""The command line rejects what is wrong before anything is written, and does what it says."""

import json

import pytest
from typer.testing import CliRunner

from swta.paper import cli
from swta.paper.cli import app, join_pairs, split_pair
from swta.paper.record import Record, Reported
from swta.validation import ParameterError


@pytest.fixture
def swta(checkout, monkeypatch):
    """Call the command inside the miniature checkout; returns (exit code, all it printed)."""
    monkeypatch.chdir(checkout)

    def call(*arguments):
        done = CliRunner().invoke(app, join_pairs(list(arguments)))
        return done.exit_code, done.output

    return call


def written(checkout):
    return sorted(path for path in checkout.rglob("*") if path.is_file())


def test_pairs_may_be_two_words_or_one():
    assert join_pairs(["run", "2", "-p", "a", "-1", "-p", "b=2", "--parameter", "c", "x=y"]) == [
        "run", "2", "-p", "a=-1", "-p", "b=2", "--parameter", "c=x=y",
    ]  # fmt: skip
    assert split_pair("a=b=c") == ("a", "b=c")
    with pytest.raises(ParameterError, match="give a name and a value"):
        split_pair("alpha")


@pytest.mark.slow
def test_a_run_leaves_notebook_and_numbers_where_asked(swta, checkout, tmp_path):
    out = tmp_path / "mine" / "out.ipynb"
    code, text = swta("run", "2", "-p", "alpha", "1.25", "-o", str(out))
    assert code == 0, text
    assert json.loads(out.with_suffix(".json").read_text())["reports"]["twice"]["value"] == 2.5
    assert out.is_file()
    assert not (checkout / "_build").exists(), "the book's results are left alone"


@pytest.mark.slow
def test_a_profile_can_be_published(swta, checkout, tmp_path):
    out = str(tmp_path / "out.ipynb")
    code, text = swta("run", "2", "--profile", "smoke", "--publish", "-o", out)
    assert code == 0 and "book/results/02_two.smoke.csv" in text.replace("\n", ""), text
    table = (checkout / "book" / "results" / "02_two.smoke.csv").read_text()
    assert "twice,0.5,,,1,\n" in table and '# parameters: {"alpha": 0.25}' in table


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("nan", "alpha = nan is out of range; allowed: [0, 2]"),
        ("3", "alpha = 3 is out of range; allowed: [0, 2]"),
    ],
)
def test_a_value_out_of_range_names_the_range_and_writes_nothing(
    swta, checkout, tmp_path, value, message
):
    before = written(checkout)
    code, text = swta("run", "02_two", "-p", "alpha", value, "-o", str(tmp_path / "out.ipynb"))
    assert code == 2 and message in text
    assert written(checkout) == before and not list(tmp_path.glob("out*"))


@pytest.mark.slow
def test_a_failing_cell_keeps_the_partial_notebook(swta, tmp_path):
    code, text = swta("run", "02_two", "-p", "alpha", "2", "-o", str(tmp_path / "out.ipynb"))
    assert code == 1 and "ZeroDivisionError" in text
    assert (tmp_path / "out.partial.ipynb").is_file() and not (tmp_path / "out.ipynb").exists()


@pytest.mark.slow
def test_of_the_processes_of_torchrun_the_first_one_writes(swta, checkout, tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    before = written(checkout)
    out = str(tmp_path / "out.ipynb")
    code, text = swta("run", "02_two", "--publish", "--profile", "smoke", "-o", out)
    assert code == 0 and "published" not in text, text
    assert written(checkout) == before and not list(tmp_path.glob("out*"))
    code, text = swta("run", "02_two", "-p", "alpha", "2", "-o", out)
    assert code == 1 and "ZeroDivisionError" in text
    assert [path.name for path in tmp_path.glob("out*")] == ["out.rank1.partial.ipynb"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "02_two", "-p", "alpah", "1.2"], "did you mean alpha"),
        (["run", "02_two", "-p", "alpha", "fast"], "not of type float"),
        (["run", "02_two", "-p", "alpha"], "give a name and a value"),
        (["run", "02_tow"], "did you mean '02_two'"),
        (["run", "02_two", "--profile", "tiny"], "profiles: laptop, smoke"),
        (["run", "02_two", "-o", "out.txt"], "must end in .ipynb"),
        (["run", "02_two", "--publish", "-p", "alpha", "1"], "leave -p out"),
        (["parameters", "7"], "there is no chapter '7'"),
        (["data", "where", "nmist"], "nmist"),
        (["data", "verify", "nmist"], "nmist"),
        (["data", "fetch", "nmist"], "nmist"),
    ],
)
def test_bad_input_is_told_at_once(swta, checkout, arguments, message):
    before = written(checkout)
    code, text = swta(*arguments)
    assert code == 2 and message in text
    assert written(checkout) == before


def test_outside_a_checkout_the_command_says_so(swta, tmp_path, monkeypatch):
    monkeypatch.setattr("swta.paper.paths.__file__", str(tmp_path / "a/b/c/d/paths.py"))
    monkeypatch.chdir(tmp_path)
    code, text = swta("parameters", "2")
    assert code == 2 and "inside a clone" in text


def test_parameters_are_listed(swta):
    code, text = swta("parameters", "2")
    assert code == 0 and "alpha" in text and "dimensionless" in text


@pytest.mark.slow
def test_build_says_where_the_book_is(swta, checkout):
    code, text = swta("build", "--profile", "smoke", "--jobs", "1")
    assert code == 0, text
    assert "_build/html/index.html" in text and "runs, because not executed yet" in text
    (checkout / "book/01_one.ipynb").unlink()
    (checkout / "book/01_one.md").unlink()
    code, text = swta("build", "--profile", "smoke")
    assert code == 1 and "strict build failed" in text


def test_claims_check_fails_when_a_claim_does(swta, checkout):
    (checkout / "book/claims.yaml").write_text(
        "- {id: C1, claim: grows, chapter: 01_one, quantity: twice, measures: m, above: 1}\n"
    )
    assert swta("claims", "--check")[1].count("run `make book` first") == 1
    folder = checkout / "_build" / "results"
    Record("01_one", {"twice": Reported(1.5)}, {"C1": "twice"}).write(folder)
    assert swta("claims", "--check")[0] == 0
    Record("01_one", {"twice": Reported(0.5)}, {"C1": "twice"}).write(folder)
    code, text = swta("claims", "--check")
    assert code == 1 and "not reproduced: C1" in text
    assert swta("claims")[0] == 0


def test_data_sets_are_listed_and_verified(swta):
    code, text = swta("data", "list")
    assert code == 0 and "mnist" in text and "camvid" in text
    code, text = swta("data", "verify")
    assert code == 0, text


def test_the_entry_point_joins_pairs(monkeypatch):
    seen = {}
    monkeypatch.setattr(cli, "app", lambda args: seen.update(args=args))
    monkeypatch.setattr("sys.argv", ["swta", "run", "2", "-p", "a", "1"])
    cli.main()
    assert seen["args"] == ["run", "2", "-p", "a=1"]
