"""Street scenes: CamVid made from its upstream files, and scenes drawn by code."""

from __future__ import annotations

import csv
import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_data import sha256
from PIL import Image

from swta.data import (
    DataCorrupt,
    DataUnavailable,
    camvid_build,
    check_scenes,
    draw_street,
    load_scene,
    load_scene_index,
    used,
)
from swta.data.camvid_build import (
    CLASSES,
    VOID,
    UpstreamFrame,
    build_camvid,
    check_camvid,
    list_files,
    list_upstream,
    measure_psnr,
    split_name,
)
from swta.data.catalogue import CAMVID
from swta.data.checksums import hash_arrays
from swta.validation import ParameterError

FRAMES = (("0001TP_006690", "train"), ("0016E5_08001", "val"), ("Seq05VD_f04530", "test"))


def make_frame(number: int) -> tuple[np.ndarray, np.ndarray]:
    """A smooth picture, which JPEG keeps well, and a label map of stripes."""
    y, x = np.mgrid[:360, :480]
    picture = np.stack([x / 480, y / 360, (x + y) / 840], axis=-1) * (120 + 40 * number)
    return picture.astype(np.uint8), ((x // 40 + number) % 12).astype(np.uint8)


@pytest.fixture
def upstream(tmp_path, monkeypatch):
    """Three upstream frames in place of 701."""
    folder = tmp_path / "upstream"
    published = []
    for number, (name, split) in enumerate(FRAMES):
        frame = UpstreamFrame(name, split, "", 0, "", 0, "")
        for array, path in zip(
            make_frame(number), (frame.image_path, frame.label_path), strict=True
        ):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(folder / path)
        labels = hash_arrays((make_frame(number)[1],))
        published.append(dataclasses.replace(frame, label_pixels_sha256=labels))
    monkeypatch.setattr(camvid_build, "list_upstream", lambda: tuple(published))
    hashes = {frame.frame: frame.label_pixels_sha256 for frame in published}
    monkeypatch.setattr(camvid_build, "_label_hashes", lambda: hashes)
    return folder


@pytest.fixture
def camvid(upstream, own_data, register):
    """The finished data set of those three frames under SWTA_DATA."""
    folder = own_data / "camvid"
    build_camvid(upstream, folder)
    contents = tuple(
        (path, sha256((folder / path).read_bytes()) if path.endswith(".csv") else "")
        for path, _ in CAMVID.contents
    )
    register(dataclasses.replace(CAMVID, contents=contents))
    return folder


def test_the_upstream_list_is_that_of_segnet():
    frames = list_upstream()
    splits = [frame.split for frame in frames]
    assert [splits.count(split) for split in ("train", "val", "test")] == [367, 101, 233]
    files = list_files()
    assert len(files) == 1402 and len({file.path for file in files}) == 1402
    assert all(len(file.sha256) == 64 and file.size for file in files)
    assert files[1].path == "trainannot/0001TP_006690.png"
    assert files[1].urls[0].endswith("8097498/CamVid/trainannot/0001TP_006690.png")
    assert len(camvid_build._label_hashes()) == 701


def test_a_built_camvid_is_found_and_loaded(camvid):
    index = load_scene_index()
    assert [frame.name for frame in index.frames] == [name for name, _ in FRAMES]
    assert [frame.time_of_day for frame in index.frames] == ["dusk", "day", "day"]
    assert [frame.sequence for frame in index.frames] == ["0001TP", "0016E5", "Seq05VD"]
    assert index.frames[2].number == 4530
    assert "CamVid" in index.source and used()[0].name == "camvid"
    for number, frame in enumerate(index.frames):
        scene = load_scene(index, frame)
        picture, labels = make_frame(number)
        assert scene.image.shape == (360, 480, 3) and scene.image.dtype == np.uint8
        assert measure_psnr(scene.image, picture) > 38
        assert (scene.labels == labels).all() and scene.labels.dtype == np.uint8
        assert frame.mean_luma == pytest.approx((picture @ [0.299, 0.587, 0.114]).mean(), abs=0.01)
    assert check_scenes(index) == [] and check_camvid(camvid) == []


def test_classes_are_those_of_segnet(camvid):
    index = load_scene_index()
    assert [entry.id for entry in index.classes] == list(range(12))
    assert [entry.name for entry in index.classes if entry.ignore] == ["Void"]
    assert index.classes[8].name == "Car" and index.classes[8].colour == (64, 0, 128)
    with (camvid / "classes.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows[0] == {
        "id": "0", "name": "Sky", "red": "128", "green": "128", "blue": "128", "ignore": "0",
    }  # fmt: skip


def test_frames_are_selected_by_what_is_known_of_them(camvid):
    index = load_scene_index()
    assert [frame.name for frame in index.select(time_of_day="dusk").frames] == ["0001TP_006690"]
    assert len(index.select(split="val", time_of_day="day")) == 1
    assert len(index.select()) == 3
    with pytest.raises(ParameterError, match="did you mean 'train'"):
        index.select(split="trian")
    with pytest.raises(ParameterError, match="no frame has split = 'val', time_of_day = 'dusk'"):
        index.select(split="val", time_of_day="dusk")


def save(path, array, **options) -> None:
    Image.fromarray(array).save(path, **options)


def test_damaged_pictures_are_named(camvid):
    index = load_scene_index()
    image, labels = camvid / "images/0001TP_006690.jpg", camvid / "labels/0001TP_006690.png"
    picture, ids = make_frame(0)
    good = image.read_bytes(), labels.read_bytes()
    unknown = ids.copy()
    unknown[0, 0] = 12
    wrong = ids.copy()
    wrong[0, 0] = (wrong[0, 0] + 1) % 12
    cases = [
        (image, lambda: image.write_bytes(good[0][:2000]), "no readable picture"),
        (image, lambda: image.write_bytes(b"text"), "4 bytes that are no readable picture"),
        (image, lambda: save(image, picture[::2, ::2]), "expected RGB 480 x 360 pixels, found RGB"),
        (image, lambda: save(image, picture[..., 0]), "found L 480 x 360"),
        (image, lambda: save(image, 255 - picture), "expected mean luma"),
        (image, image.unlink, "the file is missing"),
        (labels, lambda: save(labels, unknown), "expected class ids 0 to 11, found 12"),
        (labels, lambda: save(labels, wrong), "expected label values with SHA-256"),
    ]
    for path, damage, message in cases:
        damage()
        with pytest.raises(DataCorrupt, match=message) as caught:
            load_scene(index, index.frames[0])
        assert str(caught.value).startswith(str(path))
        assert check_scenes(index) == check_camvid(camvid) == [str(caught.value)]
        image.write_bytes(good[0])
        labels.write_bytes(good[1])


def test_a_frame_without_its_picture_stops_before_any_work(camvid):
    (camvid / "labels/0016E5_08001.png").unlink()
    with pytest.raises(DataCorrupt, match=r"0016E5_08001\.png: the file is missing, though"):
        load_scene_index()


def test_an_edited_list_of_frames_is_refused(camvid):
    with (camvid / "frames.csv").open("a") as stream:
        stream.write("extra\n")
    with pytest.raises(DataCorrupt, match=r"frames\.csv: expected SHA-256"):
        load_scene_index()


def test_a_frame_nobody_published_is_refused(camvid):
    index = load_scene_index()
    for folder, suffix in (("images", "jpg"), ("labels", "png")):
        first = camvid / folder / f"0001TP_006690.{suffix}"
        (camvid / folder / f"other_1.{suffix}").write_bytes(first.read_bytes())
    other = dataclasses.replace(index.frames[0], name="other_1")
    with pytest.raises(DataCorrupt, match="unknown frame"):
        load_scene(index, other)


def test_a_picture_that_recoding_spoils_is_refused(upstream, tmp_path, monkeypatch):
    monkeypatch.setattr(camvid_build, "MIN_PSNR_DB", 70.0)
    with pytest.raises(DataCorrupt, match=r"0001TP_006690\.jpg: expected .* within 70 dB .* found"):
        build_camvid(upstream, tmp_path / "made")


def test_names_of_frames_are_understood():
    assert split_name("Seq05VD_f04530") == ("Seq05VD", 4530)
    assert split_name("0001TP_006690") == ("0001TP", 6690)
    with pytest.raises(DataCorrupt, match="expected SEQUENCE_NUMBER"):
        split_name("frame")


def test_equal_pictures_have_no_noise():
    picture = make_frame(0)[0]
    assert measure_psnr(picture, picture) == float("inf")
    assert measure_psnr(np.zeros((2, 2), np.uint8), np.full((2, 2), 255, np.uint8)) == 0.0


def test_absent_camvid_says_so():
    with pytest.raises(DataUnavailable, match="CamVid driving scenes"):
        load_scene_index()
    with pytest.raises(ParameterError, match="did you mean 'camvid'"):
        load_scene_index("camvit")


def test_drawn_scenes_have_an_index_like_measured_ones():
    index = load_scene_index("procedural_streets")
    assert len(index) == 100 and index.folder is None
    assert "not photographs" in index.source and used()[0].source == "bundled"
    train, test = (index.select(split=split).frames[0] for split in ("train", "test"))
    first, again, other = (load_scene(index, frame) for frame in (train, train, test))
    assert (first.image == again.image).all() and (first.image != other.image).any()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 2**31))
def test_every_drawn_street_has_a_road_below_a_sky(number, seed):
    image, labels = draw_street(number, seed=seed)
    assert image.shape == (360, 480, 3) and image.dtype == np.uint8
    assert labels.shape == (360, 480) and labels.dtype == np.uint8 and labels.max() < VOID
    ids = {name: number for number, (name, _) in enumerate(CLASSES)}
    for name in ("Sky", "Building", "Road", "Pavement"):
        assert (labels == ids[name]).any(), name
    rows = np.arange(360)[:, None] * np.ones(480)
    assert rows[labels == ids["Sky"]].mean() < rows[labels == ids["Road"]].mean()
    assert image[labels == ids["Sky"]].mean() > image[labels == ids["Road"]].mean()


def test_drawn_streets_show_what_segmentation_needs():
    labels = [draw_street(number, seed=0)[1].ravel() for number in range(20)]
    share = np.mean([np.bincount(each, minlength=12) > 0 for each in labels], axis=0)
    present = {CLASSES[number][0] for number in np.flatnonzero(share >= 0.3)}
    assert present == {
        "Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Car", "Pedestrian",
    }  # fmt: skip


def test_drawing_refuses_bad_numbers():
    with pytest.raises(ParameterError, match="number = -1"):
        draw_street(-1, seed=0)
    with pytest.raises(ParameterError, match="seed = -1"):
        draw_street(0, seed=-1)
