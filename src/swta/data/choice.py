"""Choosing measured data where they are found, and what the package bundles otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from swta.data.bundled import BUNDLED
from swta.data.errors import DataUnavailable
from swta.data.folders import data_folder
from swta.data.locate import locate

_TITLES = {"mnist": "MNIST", "mnist_m": "MNIST-M", "usps": "USPS", "svhn": "SVHN"}
_STAND_INS = ("rendered_clutter", "rendered_street", "uci")


@dataclass(frozen=True)
class DigitSources:
    """Which digits to train on and which to test on; ``statement`` belongs under every figure."""

    train: str
    targets: tuple[str, ...]
    real: bool  # every one of them was photographed or scanned, none is bundled
    statement: str


@dataclass(frozen=True)
class SceneSource:
    """Which scenes to use; ``statement`` belongs under every figure made of them."""

    name: str
    real: bool
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


def choose_scene_source() -> SceneSource:
    """Choose CamVid where it is found, scenes drawn by code otherwise.

    Raises:
        DataUnavailable: only if SWTA_DATA names a folder that does not exist.
    """
    if not _is_found("camvid"):
        drawn = BUNDLED["procedural_streets"].statement
        return SceneSource("procedural_streets", False, f"Bundled stand-ins: {drawn}.")
    return SceneSource("camvid", True, "Filmed scenes: CamVid, by day and at dusk.")


def _is_found(name: str) -> bool:
    data_folder()  # a folder that does not exist is an error, not a data set that is absent
    try:
        locate(name)
    except DataUnavailable:
        return False
    return True
