"""A chapter reports finite numbers once, shows figures with their data, and leaves its record."""

import base64
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from swta.intervals import Interval
from swta.paper import Chapter
from swta.paper import chapter as module
from swta.paper.paths import results_folder
from swta.paper.record import Record


@pytest.fixture
def shown(monkeypatch):
    seen = []
    monkeypatch.setattr(module, "display", seen.append)
    monkeypatch.setattr(module, "glue", lambda name, value, display: seen.append((name, value)))
    return seen


@pytest.fixture
def chapter(shown):
    namespace = {
        "__annotations__": {"alpha": float, "n": int, "gone": int},
        "alpha": 0.5,
        "n": 3,
        "x": 1,
    }
    with plt.rc_context():
        yield Chapter("02_x", namespace)


def test_parameters_are_the_annotated_names(chapter):
    assert chapter.parameters == {"alpha": 0.5, "n": 3}


def test_an_interval_is_reported_with_its_ends(chapter, shown):
    chapter.report_interval("gain", Interval(1.8, 1.5, 2.0, 5), unit="Hz")
    assert ("gain_low", 1.5) in shown and ("gain_high", 2.0) in shown
    entry = chapter.record.reports["gain"]
    assert (entry.value, entry.n, entry.unit) == (1.8, 5, "Hz")


def test_reported_numbers_reach_text_and_record(chapter, shown):
    chapter.report("gain", np.float64(1.8), low=1.5, high=2.0, n=np.int64(5), unit="")
    assert ("gain", 1.8) in shown and ("gain_low", 1.5) in shown and ("gain_high", 2.0) in shown
    chapter.claim("C3", "gain")
    chapter.footer()
    stored = Record.read(results_folder() / "02_x.json")
    assert stored.reports["gain"].n == 5
    assert stored.claims == {"C3": "gain"}
    assert stored.provenance["parameters"] == {"alpha": 0.5, "n": 3}
    assert stored.provenance["versions"]["numpy"] == np.__version__
    assert stored.provenance["peak_memory_mb"] > 10
    assert "0.5" in shown[-1].data and stored.provenance["commit"] in shown[-1].data


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(value=float("nan")), "not a finite"),
        (dict(value=1.0, low=0.5), "both ends"),
        (dict(value=1.0, low=2.0, high=0.5), "upside down"),
    ],
)
def test_a_bad_number_is_refused(chapter, arguments, message):
    with pytest.raises(ValueError, match=message):
        chapter.report("x", **arguments)


def test_a_name_is_used_once(chapter):
    chapter.report("x", 1)
    with pytest.raises(ValueError, match="reported twice"):
        chapter.report("x", 2)


def test_a_claim_needs_a_reported_number(chapter):
    chapter.report("gain", 1.0)
    with pytest.raises(KeyError, match="reported: gain"):
        chapter.claim("C3", "gian")


def test_a_figure_carries_its_source_data(chapter, shown):
    table = pd.DataFrame({"x": [0.0, 1.0], "y": [2.0, 1 / 3]})
    _, ax = plt.subplots()
    chapter.figure(ax, "fi", table)
    stored = pd.read_csv(results_folder() / "02_x" / "fi.csv")
    pd.testing.assert_frame_equal(stored, table, check_dtype=False)
    glued = dict(item for item in shown if isinstance(item, tuple))["fi_csv"]
    link = re.search(r'href="data:text/csv;base64,([^"]+)"', glued.data)
    assert base64.b64decode(link[1]).decode() == (results_folder() / "02_x" / "fi.csv").read_text()
    assert ax.get_figure() in shown
    assert not plt.get_fignums()


def test_a_figure_needs_data_and_a_new_name(chapter):
    figure = plt.figure()
    with pytest.raises(ValueError, match="empty table"):
        chapter.figure(figure, "fi", pd.DataFrame())
    chapter.figure(figure, "fi", pd.DataFrame({"x": [1]}))
    with pytest.raises(ValueError, match="shown twice"):
        chapter.figure(figure, "fi", pd.DataFrame({"x": [1]}))


def test_making_a_chapter_sets_the_style():
    with plt.rc_context():
        Chapter("02_x", {})
        assert plt.rcParams["axes.spines.top"] is False
        assert plt.rcParams["figure.facecolor"] == "white"


def test_the_package_offers_the_chapter_and_nothing_else():
    import swta.paper

    assert swta.paper.Chapter is module.Chapter
    with pytest.raises(AttributeError, match="no attribute 'Chapters'"):
        swta.paper.Chapters  # noqa: B018
