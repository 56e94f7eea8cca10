"""Small files that tests make, in the formats of the real ones."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write bytes in MNIST's format, gzip-compressed."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes(), mtime=0))


def list_files(folder: Path) -> list[str]:
    """Every file and folder below ``folder``."""
    return sorted(item.relative_to(folder).as_posix() for item in folder.rglob("*"))


def make_arrays(path: Path, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Write a digit archive of ``n`` random images as SVHN and MNIST-M have; return its arrays."""
    generator = np.random.default_rng(seed)
    arrays = (
        generator.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8),
        generator.integers(0, 10, n).astype(np.uint8),
        np.arange(n, dtype=np.int32) * 3,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, images=arrays[0], labels=arrays[1], index=arrays[2])
    return arrays
