"""Street scenes with a class for every pixel: CamVid, sets after registration, or drawn ones."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from swta.data.bundled import BUNDLED
from swta.data.camvid_build import (
    CLASSES,
    VOID,
    check_labels,
    check_luma,
    read_labels,
    read_picture,
)
from swta.data.catalogue import describe
from swta.data.errors import DataCorrupt
from swta.data.locate import Location, locate, use
from swta.data.procedural_streets import draw_street
from swta.data.street_layouts import (
    LAYOUTS,
    STREET_CLASSES,
    STREET_VOID,
    list_street_frames,
    read_street,
)
from swta.validation import ParameterError, check_choice

NAMES = ("camvid", "procedural_streets", *LAYOUTS)
_DRAWN_SPLITS = {"train": 60, "val": 10, "test": 30}  # number of drawn scenes


@dataclass(frozen=True)
class SceneClass:
    """One class: ``id`` is its value in the label maps, ``ignore`` leaves it out of every score."""

    id: int
    name: str
    colour: tuple[int, int, int]  # RGB, 0 to 255
    ignore: bool


@dataclass(frozen=True)
class SceneFrame:
    """One labelled frame; ``number`` counts video frames (30 per second), or frames of the set."""

    name: str
    sequence: str
    split: str
    time_of_day: str
    number: int
    mean_luma: float  # of CamVid's published picture, 0 to 255 (Rec. ITU-R BT.601); else NaN


@dataclass(frozen=True)
class Scene:
    """A frame: ``image`` uint8 (H, W, 3) RGB and ``labels`` uint8 (H, W) of class ids.

    CamVid and drawn scenes have 360 × 480 pixels.
    """

    frame: SceneFrame
    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]


@dataclass(frozen=True)
class SceneIndex:
    """The frames of one source; ``source`` is the sentence that a caption must carry."""

    name: str
    source: str
    classes: tuple[SceneClass, ...]
    frames: tuple[SceneFrame, ...]
    folder: Path | None  # None for scenes drawn by code

    def __len__(self) -> int:
        return len(self.frames)

    def select(
        self,
        *,
        split: str | None = None,
        sequence: str | None = None,
        time_of_day: str | None = None,
    ) -> SceneIndex:
        """Return the index of the frames that agree with every argument given.

        Raises:
            ParameterError: a value that no frame has, or a combination without frames.
        """
        asked = {"split": split, "sequence": sequence, "time_of_day": time_of_day}
        wanted = {field: value for field, value in asked.items() if value is not None}
        for field, value in wanted.items():
            check_choice(field, value, sorted({getattr(frame, field) for frame in self.frames}))
        frames = tuple(
            frame
            for frame in self.frames
            if all(getattr(frame, field) == value for field, value in wanted.items())
        )
        if not frames:
            pairs = ", ".join(f"{field} = {value!r}" for field, value in wanted.items())
            raise ParameterError(f"{self.name}: no frame has {pairs}")
        return replace(self, frames=frames)


def load_scene_index(name: str = "camvid") -> SceneIndex:
    """Load the list of frames and classes of a source of scenes.

    Args:
        name: ``camvid`` (701 frames, day and dusk), ``procedural_streets`` (100 scenes drawn by
            code, day; a subset of CamVid's classes under the same ids), or one that a reader has
            placed after registration: ``cityscapes`` (day), ``acdc``, ``dark_zurich``,
            ``nighttime_driving``, ``nightcity`` (night), all with the 19 classes of Cityscapes.

    Raises:
        DataUnavailable: the set is not found, or a folder of it is missing.
        DataCorrupt: frames.csv or classes.csv is not the published one, a picture is missing, or
            a split is empty.
        ParameterError: an unknown name.
    """
    check_choice("name", name, NAMES)
    location = locate(name)
    if name in LAYOUTS:
        return _load_street_index(name, location)
    classes = tuple(
        SceneClass(number, title, colour, number == VOID)
        for number, (title, colour) in enumerate(CLASSES)
    )
    if name == "procedural_streets":
        source = BUNDLED[name].statement
        use(location, note=source)
        frames = tuple(
            SceneFrame(f"{split}_{number:04d}", "drawn", split, "day", number, float("nan"))
            for split, count in _DRAWN_SPLITS.items()
            for number in range(count)
        )
        return SceneIndex(name, source, classes, frames, None)
    source = "CamVid, 480 × 360, SegNet split (images recoded as JPEG)"
    table, *_ = use(location, "frames.csv", "classes.csv", "images", "labels", note=source)
    with table.open(newline="", encoding="utf-8") as stream:
        frames = tuple(
            SceneFrame(
                row["frame"],
                row["sequence"],
                row["split"],
                row["time_of_day"],
                int(row["frame_number"]),
                float(row["mean_luma"]),
            )
            for row in csv.DictReader(stream)
        )
    index = SceneIndex(name, source, classes, frames, location.folder)
    for frame in frames:
        for path in _paths(location.folder, frame):
            if not path.is_file():
                raise DataCorrupt(f"{path}: the file is missing, though frames.csv lists it")
    return index


def load_scene(index: SceneIndex, frame: SceneFrame) -> Scene:
    """Load one frame, image and labels, and compare them with what was published.

    Raises:
        DataCorrupt: unreadable, image and labels of different size, unknown labels, or not the
            published content.
    """
    if index.folder is not None and index.name in LAYOUTS:
        image, labels = read_street(index.name, index.folder, frame.split, frame.name)
        return Scene(frame, image, labels)
    if index.folder is None:
        image, labels = draw_street(frame.number, seed=tuple(_DRAWN_SPLITS).index(frame.split))
        return Scene(frame, image, labels)
    image_path, label_path = _paths(index.folder, frame)
    image, labels = read_picture(image_path), read_labels(label_path)
    check_luma(image_path, image, frame.mean_luma)
    check_labels(label_path, labels, frame.name)
    return Scene(frame, image, labels)


def check_scenes(index: SceneIndex) -> list[str]:
    """List what is wrong with the frames of an index, each loaded and compared."""
    problems = []
    for frame in tqdm(index.frames, desc=index.name, unit="frame", disable=None, leave=False):
        try:
            load_scene(index, frame)
        except DataCorrupt as error:
            problems.append(str(error))
    return problems


def _load_street_index(name: str, location: Location) -> SceneIndex:
    entry = describe(name)
    source = f"{entry.title} ({entry.citation})"
    use(location, *(path for path, _ in entry.contents), note=source)
    classes = [
        SceneClass(i, title, colour, False) for i, (title, colour, _) in enumerate(STREET_CLASSES)
    ]
    classes.append(SceneClass(STREET_VOID, "Void", (0, 0, 0), True))
    frames = tuple(
        SceneFrame(
            title, title.rpartition("/")[0], split, LAYOUTS[name].time_of_day, number, float("nan")
        )
        for number, (split, title) in enumerate(list_street_frames(name, location.folder))
    )
    return SceneIndex(name, source, tuple(classes), frames, location.folder)


def _paths(folder: Path, frame: SceneFrame) -> tuple[Path, Path]:
    return folder / "images" / f"{frame.name}.jpg", folder / "labels" / f"{frame.name}.png"
