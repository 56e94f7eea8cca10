"""Choosing measured data where they are found, and what the package bundles otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace

from swta.data.bundled import BUNDLED
from swta.data.catalogue import describe
from swta.data.errors import DataUnavailable
from swta.data.folders import data_folder
from swta.data.locate import locate
from swta.data.scenes import SceneIndex, load_scene_index
from swta.validation import check_choice

_TITLES = {"mnist": "MNIST", "mnist_m": "MNIST-M", "usps": "USPS", "svhn": "SVHN"}
_NIGHTS = {
    "acdc": "ACDC",
    "dark_zurich": "Dark Zurich",
    "nighttime_driving": "Nighttime Driving",
    "nightcity": "NightCity",
}
_NIGHT_SPLIT = {
    "acdc": "val", "dark_zurich": "val", "nighttime_driving": "test", "nightcity": "val",
}  # fmt: skip
_STAND_INS = ("rendered_clutter", "rendered_street", "uci")


@dataclass(frozen=True)
class DigitSources:
    """Which digits to train on and which to test on; ``statement`` belongs under every figure."""

    train: str
    targets: tuple[str, ...]
    real: bool  # every one of them was photographed or scanned, none is bundled
    statement: str


@dataclass(frozen=True)
class SceneTask:
    """Frames to train on by day and to be tested on by day and after dark.

    ``dark`` is empty where no frame was taken after dark; ``statement`` belongs under every figure.
    """

    train: SceneIndex
    validation: SceneIndex
    day: SceneIndex
    dark: tuple[tuple[str, SceneIndex], ...]  # (name, index), what counts most first
    statement: str


def choose_digit_sources() -> DigitSources:
    """Choose measured digits where they are found, bundled ones otherwise.

    Measured: train on MNIST, test on whichever of MNIST-M, USPS and SVHN are found. Without MNIST,
    or with none of the three, the digits that the package draws or bundles take their place.

    Raises:
        DataUnavailable: only if SWTA_DATA names a folder that does not exist.
    """
    found = [name for name in _TITLES if _is_found(name)]
    missing = ", ".join(title for name, title in _TITLES.items() if name not in found)
    absent = f"; not found: {missing}" if missing else ""
    if "mnist" in found and len(found) > 1:
        targets = tuple(found[1:])
        names = ", ".join(_TITLES[name] for name in targets)
        statement = f"Measured digits: trained on MNIST, tested on {names}{absent}."
        return DigitSources("mnist", targets, True, statement)
    train = "mnist" if "mnist" in found else "rendered"
    first = "MNIST" if train == "mnist" else BUNDLED["rendered"].statement
    rest = "; ".join(BUNDLED[name].statement for name in _STAND_INS)
    statement = f"Bundled stand-ins: trained on {first}; tested on {rest}{absent}."
    return DigitSources(train, _STAND_INS, False, statement)


def choose_scene_task(source: str = "auto") -> SceneTask:
    """Choose what to train on by day, and what to be tested on by day and after dark.

    Args:
        source: ``camvid``: train on the daylight training frames of 0006R0 and 0016E5, validate on
            0016E5's, test on Seq05VD by day and on 0001TP at dusk. ``cityscapes``: train on its
            training frames but those of one city, validate on that city, test by day on its
            validation frames and by night on whichever of the four night sets are found.
            ``procedural_streets``: drawn scenes, all by day. ``auto``: CamVid where it is found,
            drawn scenes otherwise.

    Raises:
        DataUnavailable: the source asked for is not found, or a set lacks some of its folders.
        DataCorrupt: it is found, but not as it was published.
        ParameterError: an unknown source.
    """
    check_choice("source", source, ("auto", "camvid", "procedural_streets", "cityscapes"))
    if source == "auto":
        source = "camvid" if _is_whole("camvid") else "procedural_streets"
    index = load_scene_index(source)
    if source == "procedural_streets":
        statement = f"Bundled stand-ins: {index.source}."
        train, validation, day = (index.select(split=name) for name in ("train", "val", "test"))
        return SceneTask(train, validation, day, (), statement)
    if source == "camvid":
        return SceneTask(
            index.select(split="train", time_of_day="day"),
            index.select(split="val"),
            index.select(sequence="Seq05VD"),
            (("dusk", index.select(time_of_day="dusk")),),
            "Filmed scenes: CamVid, by day and at dusk.",
        )
    found = [name for name in _NIGHTS if _is_whole(name)]
    absent = ", ".join(_NIGHTS[name] for name in _NIGHTS if name not in found)
    train = index.select(split="train")
    city = max(frame.sequence for frame in train.frames)
    rest = tuple(frame for frame in train.frames if frame.sequence != city)
    names = ", ".join(_NIGHTS[name] for name in found) or "no night set"
    return SceneTask(
        replace(train, frames=rest),
        train.select(sequence=city),
        index.select(split="val"),
        tuple((name, load_scene_index(name).select(split=_NIGHT_SPLIT[name])) for name in found),
        f"Filmed scenes: Cityscapes by day; by night {names}"
        + (f"; not found: {absent}." if absent else "."),
    )


def _is_found(name: str) -> bool:
    data_folder()  # a folder that does not exist is an error, not a data set that is absent
    try:
        locate(name)
    except DataUnavailable:
        return False
    return True


def _is_whole(name: str) -> bool:
    """Whether a data set is found; one that lacks folders is an error, and no reason to go without.

    Raises:
        DataUnavailable: its folder is there, but not all that belongs into it.
    """
    if _is_found(name):
        return True
    root = data_folder()
    if root is not None and (root / describe(name).folder).is_dir():
        locate(name)
    return False
