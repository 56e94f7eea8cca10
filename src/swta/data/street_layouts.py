"""Street scenes that a reader gets after registration, in their official folders: 19 classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swta.data.errors import DataCorrupt
from swta.data.pictures import read_pixels

# Train ids 0 to 18 of Cityscapes (Cordts et al. 2016) with their colours and label ids, as its
# scripts define them (github.com/mcordts/cityscapesScripts, helpers/labels.py). 19 is ours: void.
STREET_CLASSES: Final = (
    ("Road", (128, 64, 128), 7),
    ("Sidewalk", (244, 35, 232), 8),
    ("Building", (70, 70, 70), 11),
    ("Wall", (102, 102, 156), 12),
    ("Fence", (190, 153, 153), 13),
    ("Pole", (153, 153, 153), 17),
    ("Traffic light", (250, 170, 30), 19),
    ("Traffic sign", (220, 220, 0), 20),
    ("Vegetation", (107, 142, 35), 21),
    ("Terrain", (152, 251, 152), 22),
    ("Sky", (70, 130, 180), 23),
    ("Person", (220, 20, 60), 24),
    ("Rider", (255, 0, 0), 25),
    ("Car", (0, 0, 142), 26),
    ("Truck", (0, 0, 70), 27),
    ("Bus", (0, 60, 100), 28),
    ("Train", (0, 80, 100), 31),
    ("Motorcycle", (0, 0, 230), 32),
    ("Bicycle", (119, 11, 32), 33),
)
STREET_VOID: Final = len(STREET_CLASSES)
_UNKNOWN = 254  # marks a value that is no id


def _table(ids: Mapping[int, int], void: range) -> NDArray[np.uint8]:
    """What each value of a label map becomes; ``void`` are the known ids that are not scored."""
    table = np.full(256, _UNKNOWN, np.uint8)
    table[[*void, 255]] = STREET_VOID
    for value, train_id in ids.items():
        table[value] = train_id
    return table


_LABEL_IDS = _table({label: i for i, (_, _, label) in enumerate(STREET_CLASSES)}, range(34))
_TRAIN_IDS = _table({i: i for i in range(STREET_VOID)}, range(0))


@dataclass(frozen=True)
class StreetLayout:
    """Where a data set has its frames; ``{split}`` and ``{name}`` stand for those of a frame.

    ``name`` may hold the folder of a sequence: ``aachen/aachen_000000_000019``.
    """

    splits: tuple[str, ...]
    time_of_day: str
    image: str
    label: str
    nested: bool  # one folder per sequence
    ids: NDArray[np.uint8]  # (256,) train id of each value in the label maps


LAYOUTS: Final[dict[str, StreetLayout]] = {
    "cityscapes": StreetLayout(
        ("train", "val"), "day", "leftImg8bit/{split}/{name}_leftImg8bit.png",
        "gtFine/{split}/{name}_gtFine_labelIds.png", True, _LABEL_IDS,
    ),
    "acdc": StreetLayout(
        ("train", "val"), "night", "rgb_anon/night/{split}/{name}_rgb_anon.png",
        "gt/night/{split}/{name}_gt_labelTrainIds.png", True, _TRAIN_IDS,
    ),
    "dark_zurich": StreetLayout(
        ("val",), "night", "rgb_anon/{split}/night/{name}_rgb_anon.png",
        "gt/{split}/night/{name}_gt_labelTrainIds.png", True, _TRAIN_IDS,
    ),
    "nighttime_driving": StreetLayout(
        ("test",), "night", "leftImg8bit/{split}/night/{name}_leftImg8bit.png",
        "gtCoarse_daytime_trainvaltest/{split}/night/{name}_gtCoarse_labelTrainIds.png", False,
        _TRAIN_IDS,
    ),
    "nightcity": StreetLayout(
        ("train", "val"), "night", "NightCity-images/images/{split}/{name}.png",
        "NightCity-label/label/{split}/{name}_labelIds.png", False, _LABEL_IDS,
    ),
}  # fmt: skip


def list_street_frames(data_set: str, folder: Path) -> list[tuple[str, str]]:
    """(split, name) of every frame of a data set of ``LAYOUTS``, in order of split and name.

    Raises:
        DataCorrupt: a split without images, or an image without its label map.
    """
    layout = LAYOUTS[data_set]
    found = []
    for split in layout.splits:
        pattern = layout.image.format(split=split, name="*/*" if layout.nested else "*")
        before, after = layout.image.format(split=split, name="\n").split("\n")
        paths = sorted(folder.glob(pattern))
        if not paths:
            raise DataCorrupt(
                f"{folder}: no image matches {pattern}, so the split {split!r} is empty; expected "
                "the data set's own folders and names. Unpack its archive again"
            )
        for path in paths:
            name = path.relative_to(folder).as_posix()[len(before) : -len(after)]
            label = folder / layout.label.format(split=split, name=name)
            if not label.is_file():
                raise DataCorrupt(f"{label}: the label map of {path.name} is missing")
            found.append((split, name))
    return found


def read_street(
    data_set: str, folder: Path, split: str, name: str
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Image uint8 (H, W, 3) RGB and train ids uint8 (H, W), void as 19, of one frame.

    Raises:
        DataCorrupt: an unreadable file, another size of image and label map, or unknown values.
    """
    layout = LAYOUTS[data_set]
    image_path, label_path = (
        folder / part.format(split=split, name=name) for part in (layout.image, layout.label)
    )
    image, kind = read_pixels(image_path)
    if kind != "RGB":
        raise DataCorrupt(f"{image_path}: expected an RGB picture, found mode {kind}")
    values, kind = read_pixels(label_path)
    if kind not in ("L", "P"):  # the indices of a palette are the ids
        raise DataCorrupt(f"{label_path}: expected one 8-bit id a pixel, found mode {kind}")
    if values.shape != image.shape[:2]:
        raise DataCorrupt(
            f"{label_path}: the label map is {values.shape[1]} × {values.shape[0]} pixels, its "
            f"image {image.shape[1]} × {image.shape[0]}; expected the same size"
        )
    labels = layout.ids[values]
    if (labels == _UNKNOWN).any():
        unknown = sorted(int(v) for v in np.unique(values[labels == _UNKNOWN]))
        raise DataCorrupt(
            f"{label_path}: the values {unknown} are no label ids of this data set; expected "
            f"{_describe_ids(layout)}"
        )
    return image, labels


def _describe_ids(layout: StreetLayout) -> str:
    known = np.flatnonzero(layout.ids != _UNKNOWN)
    return f"0 to {int(known[known < 255].max())}, or 255 for void"
