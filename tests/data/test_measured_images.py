"""The measured images under SWTA_DATA are the published ones."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from swta.data import (
    choose_digit_sources,
    choose_scene_task,
    fingerprint,
    load_digits,
    load_scene,
    load_scene_index,
    load_usps,
    used,
    verify,
)
from swta.data.catalogue import CATALOGUE
from swta.data.locate import find

pytestmark = pytest.mark.realdata

# Counts of the digits 0 to 9: published with MNIST, USPS (Elements of Statistical Learning) and
# SVHN; the training set of MNIST-M is balanced by construction.
COUNTS = {
    ("mnist", "train"): (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
    ("mnist", "test"): (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
    ("usps", "train"): (1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644),
    ("usps", "test"): (359, 264, 198, 166, 200, 160, 170, 147, 166, 177),
    ("svhn", "test"): (684, 1968, 1590, 1104, 964, 909, 773, 767, 621, 620),
    ("mnist_m", "train"): (1000,) * 10,
    ("mnist_m", "test"): (878, 1016, 933, 908, 890, 807, 856, 914, 880, 919),
}
IMAGES = ("mnist", "usps", "svhn", "mnist_m", "camvid")


@pytest.fixture(autouse=True)
def _present():
    absent = [name for name in IMAGES if find(name) is None]
    if absent:
        pytest.skip(f"not under SWTA_DATA: {', '.join(absent)}")


@pytest.mark.parametrize("name", IMAGES)
def test_every_checksum_agrees(name):
    assert verify(name) == []
    assert fingerprint(name).startswith("SWTA_DATA:")


@pytest.mark.parametrize(("name", "split"), COUNTS)
def test_the_digits_have_the_published_counts(name, split):
    digits = load_digits(name, split)
    assert tuple(np.bincount(digits.labels)) == COUNTS[name, split]
    assert digits.images.shape[1:] == (32, 32, 3)
    assert (used()[0].name, used()[0].source) == (name, "SWTA_DATA")


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_mnist_m_digit_has_its_mnist_twin(split):
    blended, clean = load_digits("mnist_m", split), load_digits("mnist", split)
    assert (clean.labels[blended.index] == blended.labels).all()
    # where the twin has full ink, blending by absolute difference inverts the photograph's patch
    twins = clean.images[blended.index[:500]] > 200
    assert 0.05 < twins.mean() < 0.2


def test_usps_ink_reaches_the_edge_of_its_box():
    boxed, framed = load_usps("test"), load_usps("test", fit="frame")
    assert not boxed.images[:, :6].any() and boxed.images[:, 6].any()
    assert not framed.images[:, :2].any() and framed.images[:, 2].any()
    assert (boxed.labels == framed.labels).all()


def test_measured_sources_are_chosen():
    assert choose_digit_sources().real and choose_scene_task().dark
    assert {use.source for use in used()} == {"SWTA_DATA"}
    assert {use.name for use in used()} <= set(CATALOGUE)


def test_camvid_frames_are_counted_by_sequence_and_light():
    index = load_scene_index()
    counts = Counter((frame.sequence, frame.split, frame.time_of_day) for frame in index.frames)
    assert counts == {
        ("0001TP", "train", "dusk"): 62, ("0001TP", "test", "dusk"): 62,
        ("0006R0", "train", "day"): 101, ("0016E5", "train", "day"): 204,
        ("0016E5", "val", "day"): 101, ("Seq05VD", "test", "day"): 171,
    }  # fmt: skip
    assert len(index.select(split="train", time_of_day="day")) == 305
    dusk = np.mean([frame.mean_luma for frame in index.select(time_of_day="dusk").frames])
    day = np.mean([frame.mean_luma for frame in index.select(time_of_day="day").frames])
    assert (round(dusk, 1), round(day, 1)) == (60.4, 110.1)


def test_pixels_per_class_of_the_validation_frames_are_as_published():
    index = load_scene_index().select(split="val")
    counts = sum(
        np.bincount(load_scene(index, frame).labels.ravel(), minlength=12) for frame in index.frames
    )
    assert counts.tolist() == [
        1601620, 4531180, 98499, 5053176, 1521751, 2851125,
        155724, 537197, 304716, 113531, 387010, 297271,
    ]  # fmt: skip
