"""Digits of every source become the same kind of images, or one clear error."""

from __future__ import annotations

import dataclasses
import gzip

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from made_data import make_arrays, sha256, write_idx

from swta.data import (
    DataCorrupt,
    DataUnavailable,
    DigitSet,
    load_digits,
    load_usps,
    used,
)
from swta.data.catalogue import MNIST, USPS
from swta.data.checksums import hash_arrays
from swta.data.digit_build import ARRAY_HASHES, MNIST_M_TEST, MNIST_M_TRAIN, SVHN_FILE
from swta.data.digits import NAMES, _enlarge, read_idx
from swta.validation import ParameterError


@pytest.fixture
def mnist(own_data, register):
    """A small MNIST: 7 training and 5 test digits."""
    generator = np.random.default_rng(1)
    made = {}
    for prefix, n in (("train", 7), ("t10k", 5)):
        made[prefix] = generator.integers(0, 256, (n, 28, 28)), generator.integers(0, 10, n)
        for part, array in zip(("images-idx3", "labels-idx1"), made[prefix], strict=True):
            write_idx(own_data / f"digits/MNIST/raw/{prefix}-{part}-ubyte.gz", array)
    register(with_hashes(MNIST, own_data))
    return made


@pytest.fixture
def usps(own_data, register):
    """A small USPS: a bar in each of 4 training and 3 test digits."""
    path = own_data / "digits/USPS/usps.h5"
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as stored:
        for split, n in (("train", 4), ("test", 3)):
            ink = np.zeros((n, 16, 16), np.float32)
            ink[:, :, 6:10] = 1.0
            stored[f"{split}/data"] = ink.reshape(n, 256)
            stored[f"{split}/target"] = np.arange(n, dtype=np.int32)
    register(with_hashes(USPS, own_data))


def with_hashes(entry, root):
    """The catalogue entry with the checksums of the small files under ``root``."""
    contents = tuple(
        (path, sha256((root / entry.folder / path).read_bytes())) for path, _ in entry.contents
    )
    return dataclasses.replace(entry, contents=contents)


def test_mnist_is_padded_with_black(mnist):
    digits = load_digits("mnist", "train")
    grey, labels = mnist["train"]
    assert digits.images.shape == (7, 32, 32, 3) and digits.images.dtype == np.uint8
    assert (digits.images[:, 2:30, 2:30] == grey[..., None]).all()
    assert digits.images.sum() == 3 * grey.sum()
    assert digits.labels.dtype == np.int64 and (digits.labels == labels).all()
    assert (digits.index == np.arange(7)).all()
    assert digits.source == "MNIST train set (from SWTA_DATA)" and len(digits) == 7
    assert len(load_digits("mnist", "test")) == 5
    assert [len(dict(use.files)) for use in used()] == [4]


def test_a_limit_takes_the_first(mnist, usps):
    whole = load_digits("mnist", "test").images
    assert (load_digits("mnist", "test", limit=2).images == whole[:2]).all()
    assert len(load_digits("mnist", "test", limit=50)) == 5
    assert len(load_digits("usps", "train", limit=1)) == 1


def test_usps_sits_in_the_box_of_mnist_or_fills_the_frame(usps):
    boxed = load_digits("usps", "test")
    framed = load_usps("test", fit="frame")
    for digits, margin in ((boxed, 6), (framed, 2)):
        lit = np.flatnonzero(digits.images[0, :, :, 0].any(axis=1))
        assert (lit[0], lit[-1]) == (margin, 31 - margin)
        assert digits.images.max() == 255 and (digits.labels == [0, 1, 2]).all()
    assert "20 × 20" in boxed.source and "28 × 28" in framed.source


def test_enlarging_keeps_what_is_flat_and_mirrors():
    ramp = np.tile(np.arange(16.0), (1, 16, 1))
    large = _enlarge(ramp, 20)
    assert large.shape == (1, 20, 20)
    assert np.allclose(_enlarge(np.full((1, 8, 8), 7.0), 20), 7.0)
    assert np.allclose(large[..., ::-1], 15 - large)
    # pixel centres: new column 10 lies at (10.5 * 16 / 20) - 0.5 = 7.9 old columns
    assert large[0, 0, 10] == pytest.approx(7.9)


@pytest.mark.parametrize(
    ("name", "split", "file"),
    [
        ("svhn", "test", f"SVHN/{SVHN_FILE}"),
        ("mnist_m", "test", f"MNIST-M/{MNIST_M_TEST}"),
        ("mnist_m", "train", f"MNIST-M/{MNIST_M_TRAIN}"),
    ],
)
def test_arrays_are_loaded_as_they_are(own_data, monkeypatch, name, split, file):
    for number, each in enumerate((SVHN_FILE, MNIST_M_TEST, MNIST_M_TRAIN)):
        folder = own_data / "digits" / ("SVHN" if each == SVHN_FILE else "MNIST-M")
        made = make_arrays(folder / each, 6, seed=number)
        monkeypatch.setitem(ARRAY_HASHES, each, hash_arrays(made))
        if file.endswith(each):
            images, labels, index = made
    digits = load_digits(name, split, limit=4)
    assert (digits.images == images[:4]).all()
    assert (digits.labels == labels[:4]).all() and (digits.index == index[:4]).all()
    assert digits.labels.dtype == np.int64


def test_other_arrays_under_the_right_name_are_refused(own_data):
    path = own_data / "digits/SVHN" / SVHN_FILE
    make_arrays(path, 3)
    with pytest.raises(DataCorrupt, match=r"svhn_test_first10000\.npz: the arrays differ"):
        load_digits("svhn", "test")
    for damage in (path.read_bytes()[:200], b"", b"no archive at all"):
        path.write_bytes(damage)
        with pytest.raises(DataCorrupt, match=f"found {len(damage)} bytes that cannot be read"):
            load_digits("svhn", "test")


def test_a_truncated_mnist_is_refused(mnist, own_data):
    path = own_data / "digits/MNIST/raw/t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataCorrupt, match=r"t10k-images-idx3-ubyte\.gz: expected SHA-256"):
        load_digits("mnist", "test")


def test_mnist_labels_in_place_of_images_are_refused(mnist, own_data, register):
    raw = own_data / "digits/MNIST/raw"
    labels = (raw / "t10k-labels-idx1-ubyte.gz").read_bytes()
    (raw / "t10k-images-idx3-ubyte.gz").write_bytes(labels)
    register(with_hashes(MNIST, own_data))
    with pytest.raises(DataCorrupt, match="expected pictures with labels"):
        load_digits("mnist", "test")


def test_a_usps_file_without_the_groups_is_refused(usps, own_data, register):
    path = own_data / "digits/USPS/usps.h5"
    with h5py.File(path, "w") as stored:
        stored["other"] = 1
    register(with_hashes(USPS, own_data))
    with pytest.raises(DataCorrupt, match="expected groups train and test"):
        load_digits("usps", "test")


def test_uci_digits_fill_the_box_of_mnist():
    train, test = load_digits("uci", "train"), load_digits("uci", "test", limit=9)
    assert (len(train), len(test)) == (1297, 9)
    assert test.index[0] == 1297 and "UCI" in test.source
    outside = train.images.copy()
    outside[:, 6:26, 6:26] = 0
    assert not outside.any() and train.images.max() > 200


@pytest.mark.parametrize("name", ["rendered", "rendered_clutter", "rendered_street"])
def test_drawn_digits_say_that_they_are_drawn(name):
    train, test = (load_digits(name, split, limit=30) for split in ("train", "test"))
    assert len(train) == len(test) == 30
    assert "drawn from fonts" in train.source and used()[0].source == "bundled"
    assert (train.labels != test.labels).any() and (train.images != test.images).any()


def test_measured_digits_that_are_absent_say_so():
    with pytest.raises(DataUnavailable, match="MNIST handwritten digits"):
        load_digits("mnist", "test")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("minst", "test"), "did you mean 'mnist'"),
        (("mnist", "tset"), "did you mean 'test'"),
        (("svhn", "train"), "allowed: test"),
    ],
)
def test_unknown_names_and_splits_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        load_digits(*arguments)


@pytest.mark.parametrize("limit", [0, -1, 1.5])
@pytest.mark.parametrize("name", [NAMES[0], NAMES[-1]])
def test_a_limit_is_a_number_of_images(name, limit):
    with pytest.raises(ParameterError, match="limit"):
        load_digits(name, "test", limit=limit)


def test_usps_options_are_checked():
    with pytest.raises(ParameterError, match="box, frame"):
        load_usps("test", fit="squeeze")
    with pytest.raises(ParameterError, match="limit"):
        load_usps("test", limit=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": np.zeros((2, 28, 28, 3), np.uint8)}, "expected uint8 images"),
        ({"images": np.zeros((2, 32, 32, 3))}, "found float64"),
        ({"labels": np.array([1])}, "2 images, but 1 labels"),
        ({"index": np.arange(3)}, "3 index rows"),
        ({"labels": np.array([3, 10])}, "expected labels 0 to 9, found 3 to 10"),
    ],
)
def test_a_digit_set_is_checked(changes, message):
    good = {
        "images": np.zeros((2, 32, 32, 3), np.uint8), "labels": np.array([0, 9]),
        "index": np.arange(2), "name": "made", "split": "test", "source": "made",
    }  # fmt: skip
    DigitSet(**good)
    with pytest.raises(DataCorrupt, match=message):
        DigitSet(**{**good, **changes})


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=3, max_side=6)))
def test_idx_files_are_read_back(tmp_path_factory, array):
    path = tmp_path_factory.mktemp("idx") / "a.gz"
    write_idx(path, array)
    found = read_idx(path)
    assert found.shape == array.shape and (found == array).all()


@given(st.binary(max_size=40))
def test_anything_else_is_refused_as_idx(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("idx") / "a.gz"
    for content in (data, gzip.compress(b"\x00\x00\x0d" + data)):
        path.write_bytes(content)
        with pytest.raises(DataCorrupt, match=r"a\.gz"):
            read_idx(path)


def test_an_idx_file_with_missing_bytes_is_refused(tmp_path):
    path = tmp_path / "a.gz"
    for tail in (b"\x00\x00\x00\x05abc", b"\x00\x00\x00", b""):
        path.write_bytes(gzip.compress(b"\x00\x00\x08\x01" + tail))
        with pytest.raises(DataCorrupt, match="found"):
            read_idx(path)
