"""SVHN and MNIST-M made from what their owners distribute."""

from __future__ import annotations

import io
import tarfile

import numpy as np
import pytest
from made_data import list_files, make_arrays
from PIL import Image
from scipy.io import savemat

from swta.data import DataCorrupt, digit_build
from swta.data.digit_build import (
    MNIST_M_ARCHIVE,
    MNIST_M_TEST,
    MNIST_M_TRAIN,
    SVHN_FILE,
    SVHN_MAT,
    build_mnist_m,
    build_svhn,
    check_arrays,
)

TRAIN, TEST = 40, 6  # pictures in the small MNIST-M


def make_picture(number: int, side: int = 32) -> np.ndarray:
    generator = np.random.default_rng(number)
    return generator.integers(0, 256, (side, side, 3), dtype=np.uint8)


def encode(picture: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def make_members() -> dict[str, bytes]:
    """Path below the archive's first folder -> content; digits are number modulo 10."""
    members = {"README.md": b"text"}
    for split, n, first in (("test", TEST, 1000), ("train", TRAIN, 0)):
        for number in range(n):
            path = f"mnist_m/mnist_m_{split}/{number:08d}.png"
            members[path] = encode(make_picture(first + number))
        lines = "".join(f"{number:08d}.png {number % 10}\n" for number in range(n))
        members[f"mnist_m/mnist_m_{split}_labels.txt"] = lines.encode()
    return members


def write_archive(folder, members: dict[str, bytes]):
    folder.mkdir(exist_ok=True)
    path = folder / MNIST_M_ARCHIVE
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(f"repository-dae4e08/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def two_per_class(monkeypatch):
    monkeypatch.setattr(digit_build, "MNIST_M_PER_CLASS", 2)


def test_svhn_takes_the_first_digits_and_calls_ten_zero(tmp_path, monkeypatch):
    monkeypatch.setattr(digit_build, "SVHN_COUNT", 4)
    pictures = np.stack([make_picture(number) for number in range(6)])
    labels = np.array([5, 10, 1, 9, 2, 3], np.uint8)[:, None]
    savemat(tmp_path / SVHN_MAT, {"X": np.moveaxis(pictures, 0, 3), "y": labels})
    build_svhn(tmp_path, tmp_path / "made")
    with np.load(tmp_path / "made" / SVHN_FILE) as made:
        assert (made["images"] == pictures[:4]).all()
        assert made["labels"].tolist() == [5, 0, 1, 9] and made["labels"].dtype == np.uint8
        assert made["index"].tolist() == [0, 1, 2, 3] and made["index"].dtype == np.int32


@pytest.mark.parametrize(
    "content",
    [{"X": np.zeros((32, 32, 3, 2)), "y": np.zeros((3, 1))}, {"X": np.zeros((32, 32)), "y": 1}],
)
def test_an_svhn_file_of_another_shape_is_refused(tmp_path, content):
    savemat(tmp_path / SVHN_MAT, content)
    with pytest.raises(DataCorrupt, match="expected X of shape"):
        build_svhn(tmp_path, tmp_path / "made")


def test_a_file_that_is_no_svhn_is_refused(tmp_path):
    path = tmp_path / SVHN_MAT
    savemat(path, {"Z": 1})
    for damage in (path.read_bytes(), b"x" * 300, b""):
        path.write_bytes(damage)
        with pytest.raises(DataCorrupt, match=r"test_32x32\.mat: expected the SVHN test set"):
            build_svhn(tmp_path, tmp_path / "made")


def test_mnist_m_holds_the_test_set_and_a_balanced_part_of_training(tmp_path, two_per_class):
    write_archive(tmp_path, make_members())
    build_mnist_m(tmp_path, tmp_path / "made")
    with np.load(tmp_path / "made" / MNIST_M_TEST) as made:
        assert made["index"].tolist() == list(range(TEST))
        assert (made["images"][3] == make_picture(1003)).all()
    with np.load(tmp_path / "made" / MNIST_M_TRAIN) as made:
        index, labels = made["index"], made["labels"]
        assert np.bincount(labels).tolist() == [2] * 10
        assert (np.diff(index) > 0).all() and (labels == index % 10).all()
        for row, number in enumerate(index):
            assert (made["images"][row] == make_picture(int(number))).all()


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("mnist_m/mnist_m_test_labels.txt", None, "mnist_m_test_labels.txt is missing"),
        ("mnist_m/mnist_m_test_labels.txt", b"00000001.png 3\n", "line 1: unexpected"),
        ("mnist_m/mnist_m_test_labels.txt", b"00000000.png 12\n", "line 1: unexpected"),
        ("mnist_m/mnist_m_test/00000002.png", None, "1 pictures are missing, first .*02.png"),
        ("mnist_m/mnist_m_test/00000002.png", b"no picture", "02.png is no 32 x 32 picture"),
        ("mnist_m/mnist_m_test/00000002.png", encode(make_picture(0, 28)), "is no 32 x 32"),
    ],
)
def test_a_damaged_mnist_m_is_refused(tmp_path, two_per_class, path, content, message):
    members = make_members()
    del members[path]
    if content is not None:
        members[path] = content
    write_archive(tmp_path, members)
    with pytest.raises(DataCorrupt, match=message):
        build_mnist_m(tmp_path, tmp_path / "made")


def test_a_truncated_archive_is_refused(tmp_path):
    path = write_archive(tmp_path, make_members())
    whole = path.read_bytes()
    for damage in (whole[: len(whole) // 2], b"no archive", b""):
        path.write_bytes(damage)
        with pytest.raises(DataCorrupt, match=r"mnist_m\.tar\.gz: expected the MNIST-M repository"):
            build_mnist_m(tmp_path, tmp_path / "made")


def test_nothing_of_an_archive_is_written_but_the_arrays(tmp_path, two_per_class):
    write_archive(tmp_path / "up", {**make_members(), "../../outside.txt": b"out"})
    build_mnist_m(tmp_path / "up", tmp_path / "made")
    assert list_files(tmp_path / "made") == sorted([MNIST_M_TEST, MNIST_M_TRAIN])
    assert not list(tmp_path.rglob("outside.txt"))


def test_every_archive_of_arrays_is_checked(tmp_path):
    make_arrays(tmp_path / MNIST_M_TEST, 2)
    (tmp_path / MNIST_M_TRAIN).write_bytes(b"damaged")
    make_arrays(tmp_path / "other.npz", 2)
    problems = check_arrays(tmp_path)
    assert len(problems) == 2
    assert "the arrays differ" in problems[0] and "7 bytes that cannot be read" in problems[1]
