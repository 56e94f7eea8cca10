"""Images of digits from measured and bundled sources, all 32 x 32 RGB."""

from __future__ import annotations

import gzip
import math
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from swta.data.bundled import BUNDLED
from swta.data.digit_build import MNIST_M_TEST, MNIST_M_TRAIN, SVHN_FILE, read_arrays
from swta.data.errors import DataCorrupt
from swta.data.locate import locate, use
from swta.data.rendered import render_digits
from swta.validation import check_choice, check_integer

SIDE = 32  # pixels
_BOX = 20  # MNIST's digits fit into a box of 20 x 20 pixels in the middle of the frame
MEASURED = ("mnist", "usps", "svhn", "mnist_m")
DRAWN = ("rendered", "rendered_clutter", "rendered_street")
NAMES = (*MEASURED, "uci", *DRAWN)
# How many images the drawn sets hold, and the seed of each split.
_DRAWN_SPLITS = {"train": (10_000, 0), "test": (2_000, 1)}
_UCI_TRAIN = 1297  # of 1,797; the last 500 are the test set


@dataclass(frozen=True)
class DigitSet:
    """Images of the digits 0 to 9; ``source`` is the sentence that a caption must carry."""

    images: NDArray[np.uint8]  # (n, 32, 32, 3) RGB, 0 to 255
    labels: NDArray[np.int64]  # (n,) the digit
    index: NDArray[np.int64]  # (n,) row of the original split; MNIST-M: row of its MNIST twin
    name: str
    split: str
    source: str

    def __post_init__(self) -> None:
        n = len(self.images)
        if self.images.shape != (n, SIDE, SIDE, 3) or self.images.dtype != np.uint8:
            raise DataCorrupt(
                f"{self.name}: expected uint8 images (n, {SIDE}, {SIDE}, 3), "
                f"found {self.images.dtype} {self.images.shape}"
            )
        if self.labels.shape != (n,) or self.index.shape != (n,):
            raise DataCorrupt(
                f"{self.name}: {n} images, but {len(self.labels)} labels and "
                f"{len(self.index)} index rows"
            )
        if n and not (self.labels.min() >= 0 and self.labels.max() <= 9):
            raise DataCorrupt(
                f"{self.name}: expected labels 0 to 9, "
                f"found {self.labels.min()} to {self.labels.max()}"
            )

    def __len__(self) -> int:
        return len(self.images)


def load_digits(
    name: str, split: Literal["train", "test"], *, limit: int | None = None
) -> DigitSet:
    """Load digits of one source as uint8 RGB images (n, 32, 32, 3), in their published order.

    MNIST is padded with two black pixels on each side. USPS digits fill their 16 x 16 frame; they
    are enlarged bilinearly into the 20 x 20 box where MNIST's digits sit and padded with black,
    which takes that part of the shift away (`load_usps` keeps it). UCI's 8 x 8 digits likewise.
    SVHN is the first 10,000 test digits: neighbours come from one photograph, so divide it by
    contiguous blocks only. MNIST-M has its own 32 x 32 RGB images.

    Args:
        name: mnist, usps, svhn or mnist_m (measured); uci, rendered, rendered_clutter or
            rendered_street (bundled, the last three drawn by code from a fixed seed).
        split: train or test; SVHN has test only, MNIST-M's train is a balanced subset of 10,000.
        limit: only the first so many images.

    Raises:
        DataUnavailable: a measured set that is nowhere to be found.
        DataCorrupt: a file that is not what it must be.
        ParameterError: an unknown name or split, or a limit below 1.
    """
    check_choice("name", name, NAMES)
    check_choice("split", split, ("test",) if name == "svhn" else ("train", "test"))
    if limit is not None:
        check_integer("limit", limit, low=1)
    if name == "mnist":
        return _load_mnist(split, limit)
    if name == "usps":
        return load_usps(split, limit=limit)
    if name in ("svhn", "mnist_m"):
        return _load_archive(name, split, limit)
    if name == "uci":
        return _load_uci(split, limit)
    return _load_drawn(name, split, limit)


def select_digits(digits: DigitSet, chosen: NDArray[np.integer] | NDArray[np.bool_]) -> DigitSet:
    """Some images of a set: rows by number, or by a truth value for each."""
    return replace(
        digits,
        images=digits.images[chosen],
        labels=digits.labels[chosen],
        index=digits.index[chosen],
    )


def load_usps(
    split: Literal["train", "test"],
    *,
    fit: Literal["box", "frame"] = "box",
    limit: int | None = None,
) -> DigitSet:
    """Load USPS digits; ``fit`` says how the 16 x 16 pixels meet the 28 x 28 of MNIST.

    Args:
        split: train (7,291) or test (2,007).
        fit: ``box`` enlarges to 20 x 20, as MNIST's digits are; ``frame`` to the full 28 x 28,
            which keeps USPS digits larger than MNIST's. Both are padded with black to 32 x 32.
        limit: only the first so many images.

    Raises:
        DataUnavailable, DataCorrupt, ParameterError: as `load_digits`.
    """
    import h5py

    check_choice("split", split, ("train", "test"))
    check_choice("fit", fit, ("box", "frame"))
    if limit is not None:
        check_integer("limit", limit, low=1)
    location = locate("usps")
    side, words = (_BOX, "20 × 20 box") if fit == "box" else (28, "28 × 28 frame")
    source = f"USPS {split} set, enlarged to the {words} of MNIST ({_origin(location.source)})"
    (path,) = use(location, "usps.h5", note=source)
    try:
        with h5py.File(path) as stored:
            ink = stored[split]["data"][:limit]
            labels = stored[split]["target"][:limit]
    except (OSError, KeyError, ValueError) as error:
        raise DataCorrupt(f"{path}: expected groups train and test ({error})") from error
    grey = ink.reshape(-1, 16, 16) * 255.0
    return _collect("usps", split, source, _enlarge(grey, side), labels)


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read a gzip-compressed IDX file of unsigned bytes, the format of MNIST.

    Raises:
        DataCorrupt: no gzip file, truncated, another element type, or another number of bytes
            than its header says.
    """
    try:
        data = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataCorrupt(f"{path}: not a whole gzip file ({error})") from error
    header = 4 + 4 * data[3] if len(data) > 3 else 4
    if data[:3] != b"\x00\x00\x08" or len(data) < header:
        raise DataCorrupt(
            f"{path}: expected the header 00 00 08 of bytes with the lengths of all axes, "
            f"found {data[:header].hex(' ')}"
        )
    shape = tuple(np.frombuffer(data[4:header], ">u4").tolist())
    if len(data) - header != math.prod(shape):
        raise DataCorrupt(
            f"{path}: the header says {' x '.join(map(str, shape))} bytes, "
            f"found {len(data) - header}"
        )
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def _load_mnist(split: str, limit: int | None) -> DigitSet:
    location = locate("mnist")
    prefix = "train" if split == "train" else "t10k"
    source = f"MNIST {split} set ({_origin(location.source)})"
    images, labels = use(
        location,
        f"raw/{prefix}-images-idx3-ubyte.gz",
        f"raw/{prefix}-labels-idx1-ubyte.gz",
        note=source,
    )
    grey, digits = read_idx(images), read_idx(labels)
    if grey.ndim != 3 or digits.ndim != 1:
        raise DataCorrupt(f"{images}: expected pictures with labels, found {grey.shape}")
    return _collect("mnist", split, source, grey[:limit], digits[:limit])


def _load_archive(name: str, split: str, limit: int | None) -> DigitSet:
    location = locate(name)
    if name == "svhn":
        path, title = SVHN_FILE, "SVHN, first 10,000 test digits"
    else:
        path = MNIST_M_TEST if split == "test" else MNIST_M_TRAIN
        title = (
            "MNIST-M test set" if split == "test" else "MNIST-M, 1,000 training images per digit"
        )
    source = f"{title} ({_origin(location.source)})"
    (file,) = use(location, path, note=source)
    images, labels, index = (array[:limit] for array in read_arrays(file))
    return DigitSet(images, labels.astype(np.int64), index.astype(np.int64), name, split, source)


def _load_uci(split: str, limit: int | None) -> DigitSet:
    from sklearn.datasets import load_digits as load_uci

    source = BUNDLED["uci"].statement
    use(locate("uci"), note=source)
    bundle = load_uci()
    rows = np.arange(len(bundle.target))
    chosen = (rows[:_UCI_TRAIN] if split == "train" else rows[_UCI_TRAIN:])[:limit]
    grey = _enlarge(bundle.images[chosen] * (255 / 16), _BOX)
    return _collect("uci", split, source, grey, bundle.target[chosen], chosen)


def _load_drawn(name: str, split: str, limit: int | None) -> DigitSet:
    count, seed = _DRAWN_SPLITS[split]
    source = BUNDLED[name].statement
    use(locate(name), note=source)
    images, labels = render_digits(name, min(count, limit or count), seed=seed)
    return DigitSet(images, labels, np.arange(len(labels)), name, split, source)


def _collect(
    name: str,
    split: str,
    source: str,
    grey: NDArray,
    labels: NDArray,
    index: NDArray | None = None,
) -> DigitSet:
    """Pad grey images (n, side, side), 0 to 255, to 32 x 32 and repeat them as RGB."""
    n, side = grey.shape[:2]
    margin = (SIDE - side) // 2
    padded = np.zeros((n, SIDE, SIDE), dtype=np.uint8)
    inner = slice(margin, margin + side)
    padded[:, inner, inner] = np.rint(grey) if grey.dtype != np.uint8 else grey
    images = np.repeat(padded[..., None], 3, axis=-1)
    rows = np.arange(n) if index is None else index
    return DigitSet(images, labels.astype(np.int64), rows.astype(np.int64), name, split, source)


def _enlarge(grey: NDArray, side: int) -> NDArray[np.float64]:
    """Resize grey images (n, s, s) to (n, side, side), bilinear between the pixels' centres."""
    old = grey.shape[1]
    centres = np.clip((np.arange(side) + 0.5) * old / side - 0.5, 0, old - 1)
    weights = np.maximum(0.0, 1 - np.abs(centres[:, None] - np.arange(old)))
    return weights @ grey @ weights.T


def _origin(source: str) -> str:
    return {"SWTA_DATA": "from SWTA_DATA", "cache": "from the cache"}.get(source, "downloaded")
