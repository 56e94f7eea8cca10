"""What the command line shows, and the catalogue behind it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from made_data import list_files, sha256

from swta.data import DataUnavailable, list_data, verify, where
from swta.data.bundled import BUNDLED
from swta.data.catalogue import CATALOGUE, USPS
from swta.data.checksums import hash_arrays, hash_file, hash_folder
from swta.data.folders import cache_folder
from swta.validation import ParameterError

DOWNLOADABLE = {"physiology", "mnist", "usps", "svhn", "mnist_m", "camvid"}
REGISTERED = {"acdc", "dark_zurich", "nighttime_driving", "nightcity", "cityscapes"}


def test_the_catalogue_is_complete():
    assert set(CATALOGUE) == DOWNLOADABLE | REGISTERED
    for name, entry in CATALOGUE.items():
        assert entry.name == name and entry.folder and entry.contents
        assert entry.title and entry.version and entry.licence and entry.citation
        assert (entry.access == "registration") == (name in REGISTERED) == bool(entry.layout)
        assert (entry.access == "build") == (entry.build is not None)
        for file in entry.files:
            assert file.urls and not file.path.startswith(("/", ".."))
            assert file.sha256 or file.md5 or file.path.endswith(".tar.gz")
        if entry.access == "download":
            assert dict(entry.contents) == {file.path: file.sha256 for file in entry.files}
    assert not set(CATALOGUE) & set(BUNDLED)
    assert len({entry.folder for entry in CATALOGUE.values()}) == len(CATALOGUE)


def test_the_list_says_what_can_be_done():
    rows = {row["name"]: row for row in list_data()}
    assert set(rows) == set(CATALOGUE) | set(BUNDLED)
    assert rows["mnist"]["size"] == "11.6 MB" and rows["mnist_m"]["size"] == "unknown"
    assert rows["mnist"]["status"] == "can be downloaded"
    assert rows["svhn"]["status"] == "can be downloaded and built"
    assert rows["acdc"]["status"] == "needs registration"
    assert rows["uci"]["status"] == rows["uci"]["where"] == "bundled"
    assert all(isinstance(value, str) for row in rows.values() for value in row.values())
    assert not any(rows[name]["where"] for name in CATALOGUE)


@pytest.fixture
def usps(own_data, register):
    folder = own_data / "digits/USPS"
    folder.mkdir(parents=True)
    (folder / "usps.h5").write_bytes(b"ink")
    register(dataclasses.replace(USPS, contents=(("usps.h5", sha256(b"ink")),)))
    return folder


def test_what_is_found_is_listed_with_its_place(usps):
    row = next(row for row in list_data() if row["name"] == "usps")
    assert row["where"] == where("usps") == f"{usps} (SWTA_DATA)"
    assert row["status"] == "found"
    assert where("uci") == "bundled"


def test_what_is_not_found_says_how_to_place_it():
    assert "needs" not in where("mnist") and "under digits/MNIST/: raw/train" in where("mnist")
    assert "acdc is not on this machine" in where("acdc")


def test_verify_compares_every_file(usps):
    assert verify("usps") == []
    (usps / "usps.h5").write_bytes(b"other ink")
    (problem,) = verify("usps")
    assert f"expected SHA-256 {sha256(b'ink')}" in problem and "(9 bytes)" in problem


def test_verify_names_what_is_missing(own_data):
    (problem,) = verify("mnist")
    assert "not on this machine" in problem and str(cache_folder() / "digits/MNIST") in problem
    (own_data / "digits/MNIST/raw").mkdir(parents=True)
    problems = verify("mnist")
    assert len(problems) == 4 and all(problem.endswith("missing") for problem in problems)


def test_verify_reads_inside_archives(own_data):
    folder = own_data / "digits/SVHN"
    folder.mkdir(parents=True)
    (folder / "svhn_test_first10000.npz").write_bytes(b"damaged")
    (problem,) = verify("svhn")
    assert "7 bytes that cannot be read" in problem


def test_what_is_bundled_is_there():
    for name in BUNDLED:
        assert verify(name) == []


@pytest.mark.parametrize("ask", [where, verify])
def test_unknown_names_and_folders_are_errors(ask, monkeypatch, tmp_path):
    with pytest.raises(ParameterError, match="did you mean 'usps'"):
        ask("upsp")
    monkeypatch.setenv("SWTA_DATA", str(tmp_path / "nowhere"))
    for call in (list_data, lambda: ask("usps")):
        with pytest.raises(DataUnavailable, match="there is no folder"):
            call()


def test_a_file_is_hashed_anew_when_it_changes(tmp_path):
    path = tmp_path / "a"
    for content in (b"one", b"three"):
        path.write_bytes(content)
        assert hash_file(path) == hash_file(path) == sha256(content)


def test_a_folder_is_known_by_names_and_sizes(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a").write_bytes(b"12")
    first = hash_folder(tmp_path)
    (tmp_path / "in/a").write_bytes(b"34")
    assert hash_folder(tmp_path) == first
    (tmp_path / "in/a").write_bytes(b"345")
    assert hash_folder(tmp_path) != first
    assert list_files(tmp_path) == ["in", "in/a"]


def test_arrays_are_hashed_by_value():
    array = np.arange(6, dtype="<i4").reshape(2, 3)
    assert hash_arrays((array,)) == sha256(array.tobytes())
    assert hash_arrays((array.astype(">i4"), np.asfortranarray(array))) == sha256(
        2 * array.tobytes()
    )
