"""Street scenes in their official folders, on miniature trees; frames loaded for a training."""

import numpy as np
import pytest
from PIL import Image

from swta.data import (
    DataCorrupt,
    DataUnavailable,
    choose_scene_task,
    form_night,
    load_scene,
    load_scene_index,
    load_scenes,
)
from swta.data.street_layouts import STREET_CLASSES, STREET_VOID
from swta.validation import ParameterError

# data set: {image: (label map, value of road in it)}; names as their owners give them
TREES = {
    "cityscapes": {
        f"leftImg8bit/{split}/{city}/{city}_{n:06d}_000019_leftImg8bit.png": (
            f"gtFine/{split}/{city}/{city}_{n:06d}_000019_gtFine_labelIds.png", 7,
        )
        for split, cities in (("train", ("aachen", "zurich")), ("val", ("frankfurt",)))
        for city in cities
        for n in range(2)
    },
    "acdc": {
        f"rgb_anon/night/{split}/GOPR0351/GOPR0351_frame_{n:06d}_rgb_anon.png": (
            f"gt/night/{split}/GOPR0351/GOPR0351_frame_{n:06d}_gt_labelTrainIds.png", 0,
        )
        for split in ("train", "val")
        for n in range(2)
    },
    "dark_zurich": {
        f"rgb_anon/val/night/GOPR0356/GOPR0356_frame_{n:06d}_rgb_anon.png": (
            f"gt/val/night/GOPR0356/GOPR0356_frame_{n:06d}_gt_labelTrainIds.png", 0,
        )
        for n in range(2)
    },
    "nighttime_driving": {
        f"leftImg8bit/test/night/0_frame_{n:04d}_leftImg8bit.png": (
            f"gtCoarse_daytime_trainvaltest/test/night/0_frame_{n:04d}_gtCoarse_labelTrainIds.png",
            0,
        )
        for n in range(2)
    },
    "nightcity": {
        f"NightCity-images/images/{split}/Chicago_{n:04d}.png": (
            f"NightCity-label/label/{split}/Chicago_{n:04d}_labelIds.png", 7,
        )
        for split in ("train", "val")
        for n in range(2)
    },
}  # fmt: skip
HEIGHT, WIDTH = 24, 32


def write(path, array) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


@pytest.fixture
def plant(own_data):
    """Write the miniature tree of a data set under SWTA_DATA; its folder."""

    def grow(name: str):
        for number, (image, (label, road)) in enumerate(TREES[name].items()):
            picture = np.full((HEIGHT, WIDTH, 3), 40 + number, np.uint8)
            ids = np.full((HEIGHT, WIDTH), 255, np.uint8)
            ids[HEIGHT // 2 + number :] = road  # each frame has a map of its own
            write(own_data / name / image, picture)
            write(own_data / name / label, ids)
        return own_data / name

    return grow


@pytest.mark.parametrize("name", TREES)
def test_official_folders_are_read(plant, name):
    plant(name)
    index = load_scene_index(name)
    assert len(index) == len(TREES[name])
    assert [c.name for c in index.classes] == [*(n for n, _, _ in STREET_CLASSES), "Void"]
    assert {f.time_of_day for f in index.frames} == {"day" if name == "cityscapes" else "night"}
    for frame in index.frames:
        scene = load_scene(index, frame)
        assert scene.image.shape == (HEIGHT, WIDTH, 3)
        number = int(scene.image[0, 0, 0]) - 40
        assert (scene.labels[: HEIGHT // 2 + number] == STREET_VOID).all()
        assert (scene.labels[HEIGHT // 2 + number :] == 0).all()  # road is train id 0


def test_train_ids_are_taken_as_they_are(plant):
    folder = plant("acdc")
    label = folder / next(iter(TREES["acdc"].values()))[0]
    ids = np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH) % 20
    write(label, np.where(ids == 19, 255, ids).astype(np.uint8))
    index = load_scene_index("acdc")
    assert (load_scene(index, index.frames[0]).labels == ids).all()


def test_label_ids_are_those_of_cityscapes(plant):
    folder = plant("cityscapes")
    label = folder / next(iter(TREES["cityscapes"].values()))[0]
    ids = (np.arange(HEIGHT * WIDTH) % 34).astype(np.uint8).reshape(HEIGHT, WIDTH)
    write(label, ids)
    index = load_scene_index("cityscapes")
    labels = load_scene(index, index.frames[0]).labels
    # the evaluated ids of Cityscapes' label definitions, in order of train id
    scored = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
    assert [int(labels[ids == i][0]) for i in scored] == list(range(19))
    assert (labels[np.isin(ids, scored, invert=True)] == STREET_VOID).all()


@pytest.mark.parametrize("name", TREES)
def test_the_first_missing_folder_and_where_to_get_it_are_named(plant, name):
    folder = plant(name)
    first = next(iter(TREES[name])).split("/")[0]
    (folder / first).rename(folder / "elsewhere")
    with pytest.raises(DataUnavailable) as caught:
        load_scene_index(name)
    assert f"{folder} lacks {first}/" in str(caught.value) and "http" in str(caught.value)


def test_an_empty_split_and_a_missing_label_map_are_named(plant):
    folder = plant("acdc")
    label = (
        folder / TREES["acdc"]["rgb_anon/night/val/GOPR0351/GOPR0351_frame_000001_rgb_anon.png"][0]
    )
    label.unlink()
    with pytest.raises(DataCorrupt, match=label.name):
        load_scene_index("acdc")
    for image in (folder / "rgb_anon/night/val/GOPR0351").iterdir():
        image.unlink()
    with pytest.raises(DataCorrupt, match=r"split 'val' is empty"):
        load_scene_index("acdc")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda image, label: write(label, np.zeros((9, 9), np.uint8)), "9 × 9 pixels"),
        (lambda image, label: write(label, np.full((HEIGHT, WIDTH), 77, np.uint8)), r"\[77\]"),
        (lambda image, label: write(label, np.zeros((HEIGHT, WIDTH, 3), np.uint8)), "mode RGB"),
        (lambda image, label: write(image, np.zeros((HEIGHT, WIDTH), np.uint8)), "mode L"),
        (lambda image, label: image.write_bytes(image.read_bytes()[:60]), "no readable picture"),
    ],
)
def test_damaged_frames_are_all_named_before_anything_is_returned(plant, spoil, message):
    folder = plant("dark_zurich")
    for image, (label, _) in TREES["dark_zurich"].items():
        spoil(folder / image, folder / label)
    index = load_scene_index("dark_zurich")
    with pytest.raises(DataCorrupt, match=message) as caught:
        load_scenes(index, name="night", height=12, width=16)
    assert "2 of 2 frames" in str(caught.value)


def test_frames_are_reduced_and_spread_over_the_index(plant):
    plant("cityscapes")
    index = load_scene_index("cityscapes").select(split="train")
    scenes = load_scenes(index, name="few", height=12, width=16, limit=2)
    assert scenes.images.shape == (2, 12, 16, 3) and scenes.labels.shape == (2, 12, 16)
    assert scenes.sequences == ("aachen", "zurich") and scenes.n_classes == 19
    assert set(np.unique(scenes.labels)) == {0, 19}
    native = load_scenes(index, name="all", height=1000, width=1000, at_most=True)
    assert native.images.shape[1:3] == (HEIGHT, WIDTH)
    with pytest.raises(ParameterError, match="allowed: a size up to that"):
        load_scenes(index, name="large", height=1000, width=1000)
    dark = load_scenes(index, name="dark", height=12, width=16, limit=2, severity=3)
    assert (dark.labels == scenes.labels).all() and dark.name == "dark"
    # formed at the camera's size, then reduced
    last = load_scene(index, index.frames[-1]).image
    formed = Image.fromarray(form_night(last[None], 3, first=1)[0])
    assert (dark.images[1] == np.asarray(formed.resize((16, 12), Image.Resampling.BOX))).all()


def test_the_centre_of_another_shape_is_taken(plant):
    folder = plant("cityscapes")
    for image, (label, _) in TREES["cityscapes"].items():
        picture = np.zeros((24, 48, 3), np.uint8)
        picture[:, 8:40] = 200  # the centre of ratio 4 : 3
        write(folder / image, picture)
        write(folder / label, np.where(picture[..., 0] > 0, 7, 11).astype(np.uint8))
    scenes = load_scenes(load_scene_index("cityscapes"), name="wide", height=12, width=16)
    assert (scenes.images == 200).all() and (scenes.labels == 0).all()


def test_day_trains_and_night_tests(plant):
    plant("cityscapes")
    plant("acdc")
    task = choose_scene_task("cityscapes")
    assert {f.sequence for f in task.train.frames} == {"aachen"}
    assert {f.sequence for f in task.validation.frames} == {"zurich"}
    assert {f.split for f in task.day.frames} == {"val"}
    assert [name for name, _ in task.dark] == ["acdc"]
    assert "not found: Dark Zurich, Nighttime Driving, NightCity" in task.statement
    with pytest.raises(ParameterError, match="source"):
        choose_scene_task("kitti")


def test_a_set_that_lacks_a_folder_is_no_reason_to_go_without(plant):
    plant("cityscapes")
    folder = plant("acdc")
    (folder / "gt").rename(folder / "elsewhere")
    with pytest.raises(DataUnavailable, match="lacks gt/night/train"):
        choose_scene_task("cityscapes")
    (folder.parent / "camvid" / "images").mkdir(parents=True)
    with pytest.raises(DataUnavailable, match=r"camvid lacks frames\.csv"):
        choose_scene_task()
