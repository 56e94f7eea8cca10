"""Making the SVHN and MNIST-M arrays from the files their owners distribute."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Container, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from swta.data.checksums import hash_arrays
from swta.data.errors import UNREADABLE_ARRAYS, DataCorrupt

SVHN_MAT = "test_32x32.mat"
SVHN_FILE = "svhn_test_first10000.npz"
SVHN_COUNT = 10_000
MNIST_M_ARCHIVE = "mnist_m.tar.gz"
MNIST_M_TEST = "mnist_m_test.npz"
MNIST_M_TRAIN = "mnist_m_train_10000.npz"
MNIST_M_PER_CLASS = 1000

# SHA-256 of images, labels and index, one after the other (`hash_arrays`). The archives of arrays
# themselves differ with the version of the compression library.
ARRAY_HASHES = {
    SVHN_FILE: "7ec5275ee767164e99036cb6055055d0488f1d80c033ac4ce973470f552d6dce",
    MNIST_M_TEST: "1758d2d425e21b8f984e7b163146b838b33d38329596b863185634db11273576",
    MNIST_M_TRAIN: "0e17e51c52c759ed50b3d0d7ff21e9c1d08da696d4005851611e7af0de781459",
}


def build_svhn(upstream: Path, target: Path) -> None:
    """Write the first 10,000 digits of the official SVHN test set; its label 10 becomes digit 0.

    Raises:
        DataCorrupt: ``test_32x32.mat`` is not the official file.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    path = upstream / SVHN_MAT
    try:
        table = loadmat(path)
        pixels, digits = table["X"], table["y"]
    except (MatReadError, ValueError, KeyError, TypeError, OSError, zlib.error) as error:
        raise DataCorrupt(
            f"{path}: expected the SVHN test set with X and y, found {error}"
        ) from error
    if pixels.ndim != 4 or pixels.shape[:3] != (32, 32, 3) or pixels.shape[3] != digits.size:
        raise DataCorrupt(
            f"{path}: expected X of shape (32, 32, 3, n) with n labels, "
            f"found {pixels.shape} with {digits.size} labels"
        )
    images = np.ascontiguousarray(np.moveaxis(pixels, 3, 0)[:SVHN_COUNT], dtype=np.uint8)
    labels = (digits.ravel()[:SVHN_COUNT] % 10).astype(np.uint8)
    _save(target / SVHN_FILE, images, labels, np.arange(len(labels)))


def build_mnist_m(upstream: Path, target: Path) -> None:
    """Write the MNIST-M test set and a class-balanced subset of its training set.

    The subset holds 1,000 images of each digit, drawn without replacement by NumPy's default
    generator with seed 0. The pictures are read inside the archive: nothing is unpacked to disk.

    Raises:
        DataCorrupt: a truncated archive, or pictures or labels missing from it.
    """
    archive = upstream / MNIST_M_ARCHIVE
    lists = {f"mnist_m/mnist_m_{split}_labels.txt" for split in ("train", "test")}
    texts = {name: data.decode() for name, data in _read_members(archive, lists)}
    test = _read_labels(archive, texts, "test")
    train = _read_labels(archive, texts, "train")
    _save(target / MNIST_M_TEST, *_read_pictures(archive, "test", test, np.arange(len(test))))
    generator = np.random.default_rng(0)
    chosen = [
        generator.choice(np.flatnonzero(train == digit), MNIST_M_PER_CLASS, replace=False)
        for digit in range(10)
    ]
    rows = np.sort(np.concatenate(chosen))
    _save(target / MNIST_M_TRAIN, *_read_pictures(archive, "train", train, rows))


def check_arrays(folder: Path) -> list[str]:
    """List what is wrong with the digit archives in ``folder``: readable, and the right values."""
    problems = []
    for path in sorted(folder.glob("*.npz")):
        if path.name in ARRAY_HASHES:
            try:
                read_arrays(path)
            except DataCorrupt as error:
                problems.append(str(error))
    return problems


def read_arrays(path: Path) -> tuple[NDArray, NDArray, NDArray]:
    """Read (images, labels, index) of a digit archive: uint8 (n, 32, 32, 3), (n,) and (n,).

    Raises:
        DataCorrupt: not a readable archive, or not the values that belong under this file name.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            images, labels, index = (stored[name] for name in ("images", "labels", "index"))
    except (AttributeError, *UNREADABLE_ARRAYS) as error:
        raise DataCorrupt(_describe_unreadable(path, error)) from error
    found = hash_arrays((images, labels, index))
    expected = ARRAY_HASHES.get(path.name, found)
    if found != expected:
        raise DataCorrupt(
            f"{path}: the arrays differ from the published ones: expected SHA-256 {expected} "
            f"over images, labels and index, found {found} ({len(images)} images). "
            "Remove the file and fetch it again"
        )
    return images, labels, index


def _describe_unreadable(path: Path, error: Exception) -> str:
    size = path.stat().st_size if path.exists() else 0
    return (
        f"{path}: expected an archive of images, labels and index, found {size} bytes that cannot "
        f"be read as one ({error}). Remove the file and fetch it again"
    )


def _save(path: Path, images: NDArray, labels: NDArray, index: NDArray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path, images=images, labels=labels.astype(np.uint8), index=index.astype(np.int32)
    )


def _read_members(archive: Path, wanted: Container[str]) -> Iterator[tuple[str, bytes]]:
    """Yield (path below the archive's first folder, content) of the wanted members, in order."""
    try:
        with tarfile.open(archive, "r|gz") as members:
            for member in members:
                path = member.name.partition("/")[2]
                if path in wanted and member.isfile():
                    stream = members.extractfile(member)
                    yield path, stream.read() if stream is not None else b""
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DataCorrupt(
            f"{archive}: expected the MNIST-M repository as .tar.gz, found "
            f"{archive.stat().st_size} bytes that cannot be read to the end ({error})"
        ) from error


def _read_labels(archive: Path, texts: dict[str, str], split: str) -> NDArray[np.int64]:
    """Return the digit of each picture of a split; row = number in the picture's name."""
    name = f"mnist_m/mnist_m_{split}_labels.txt"
    if name not in texts:
        raise DataCorrupt(f"{archive}: {name} is missing")
    labels = []
    for row, line in enumerate(texts[name].splitlines()):
        picture, _, digit = line.partition(" ")
        if picture != f"{row:08d}.png" or digit.strip() not in set("0123456789"):
            raise DataCorrupt(f"{archive}: {name}, line {row + 1}: unexpected {line!r}")
        labels.append(int(digit))
    return np.array(labels)


def _read_pictures(
    archive: Path, split: str, labels: NDArray, rows: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    from PIL import Image, UnidentifiedImageError

    position = {f"mnist_m/mnist_m_{split}/{row:08d}.png": k for k, row in enumerate(rows)}
    images = np.empty((len(rows), 32, 32, 3), dtype=np.uint8)
    missing = set(position)
    for name, data in _read_members(archive, position):
        try:
            images[position[name]] = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        except (UnidentifiedImageError, OSError, ValueError) as error:
            raise DataCorrupt(f"{archive}: {name} is no 32 x 32 picture ({error})") from error
        missing.discard(name)
    if missing:
        raise DataCorrupt(f"{archive}: {len(missing)} pictures are missing, first {min(missing)}")
    return images, labels[rows], rows
