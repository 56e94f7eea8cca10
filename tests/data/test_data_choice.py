"""Which data a chapter takes, and the sentence that says so."""

from __future__ import annotations

import pytest

from swta.data import (
    DataCorrupt,
    DataUnavailable,
    choose_digit_sources,
    choose_scene_task,
    load_digits,
    used,
)
from swta.data.catalogue import CATALOGUE


def place(root, *names: str) -> None:
    """Put files of the right names, which choosing looks for, without their contents."""
    for name in names:
        for path, _ in CATALOGUE[name].contents:
            file = root / CATALOGUE[name].folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()


def test_without_data_the_bundled_digits_stand_in_and_say_so():
    sources = choose_digit_sources()
    assert sources.train == "rendered" and not sources.real
    assert sources.targets == ("rendered_clutter", "rendered_street", "uci")
    assert "not handwriting" in sources.statement
    assert "not found: MNIST, MNIST-M, USPS, SVHN" in sources.statement
    for name in (sources.train, *sources.targets):
        assert len(load_digits(name, "test", limit=2)) == 2
    assert {use.source for use in used() if use.name in CATALOGUE} == {"absent"}


def test_measured_digits_are_preferred(own_data):
    place(own_data, "mnist", "mnist_m", "usps", "svhn")
    sources = choose_digit_sources()
    assert (sources.train, sources.targets) == ("mnist", ("mnist_m", "usps", "svhn"))
    assert sources.real and "MNIST-M, USPS, SVHN." in sources.statement


def test_missing_targets_are_named(own_data):
    place(own_data, "mnist", "usps")
    sources = choose_digit_sources()
    assert sources.targets == ("usps",) and sources.real
    assert "not found: MNIST-M, SVHN" in sources.statement


@pytest.mark.parametrize(("found", "train"), [(("mnist",), "mnist"), (("usps",), "rendered")])
def test_half_a_comparison_is_not_called_measured(own_data, found, train):
    place(own_data, *found)
    sources = choose_digit_sources()
    assert sources.train == train and not sources.real
    assert "Bundled stand-ins" in sources.statement


def test_scenes_are_camvid_or_drawn(own_data):
    drawn = choose_scene_task()
    assert drawn.train.name == "procedural_streets" and not drawn.dark
    assert "not photographs" in drawn.statement
    place(own_data, "camvid")
    # what was placed is not the published data: an error, and no reason to fall back on drawings
    with pytest.raises(DataCorrupt, match="camvid"):
        choose_scene_task()


@pytest.mark.parametrize("choose", [choose_digit_sources, choose_scene_task])
def test_a_wrong_data_folder_is_not_taken_for_no_data(choose, monkeypatch, tmp_path):
    monkeypatch.setenv("SWTA_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataUnavailable, match="there is no folder"):
        choose()
