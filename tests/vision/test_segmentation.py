"""Segmenters: shapes, learning, interruption, and the experiment on drawn streets."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from swta.data import SEVERITIES, choose_scene_task, load_scenes
from swta.validation import ParameterError
from swta.vision import (
    AutomaticGamma,
    BesideColour,
    CheckpointError,
    FilterParameters,
    RandomConvolution,
    SceneTraining,
    SegmenterParameters,
    SoftWTA,
    StandardiseColour,
    Unfiltered,
    compare_frames,
    create_scene_front,
    create_segmenter,
    crop_scenes,
    label_front,
    measure_miou_gain,
    predict,
    score_segmenter,
    segment_arms,
    summarise_miou,
    tabulate_calibration,
    tabulate_iou,
    train_segmenter,
)
from swta.vision.scene_training import Frames, weigh_classes
from swta.vision.segmenter import sample_labels

SIZE = {"height": 24, "width": 32}
SMALL = SegmenterParameters(height=24, width_px=32, patch_size=4, cells=2, width=32, depth=1)
QUICK = SceneTraining(epochs=2, n_checks=2)


@pytest.fixture(scope="module")
def streets():
    task = choose_scene_task("procedural_streets")
    assert not task.dark and "not photographs" in task.statement
    train = load_scenes(task.train, name="train", height=48, width=64, limit=12)
    held = load_scenes(task.validation, name="held", limit=3, **SIZE)
    day = load_scenes(task.day, name="day", limit=5, **SIZE)
    return train, held, day


@pytest.fixture(scope="module")
def frames(streets):
    images, labels = crop_scenes(streets[0], height=24, width=32, versions=2)
    learnt = (images.transpose(0, 1, 4, 2, 3) / 255).astype(np.float16)
    held = (streets[1].images.transpose(0, 3, 1, 2) / 255).astype(np.float16)
    return Frames(learnt, labels), Frames(held, streets[1].labels)


@pytest.mark.parametrize("decoder", ["linear", "mask"])
def test_logits_are_of_cells_in_training_and_of_pixels_in_testing(decoder):
    model = create_segmenter(replace(SMALL, decoder=decoder), seed=0)
    images = torch.rand(2, 3, 24, 32)
    cells = model.train()(images)
    assert cells.shape == (2, 11, 12, 16)
    pixels = model.eval()(images)
    assert pixels.shape == (2, 11, 24, 32)
    torch.testing.assert_close(F.interpolate(cells, (24, 32), mode="bilinear"), pixels)
    again = create_segmenter(replace(SMALL, decoder=decoder), seed=0).eval()
    assert torch.equal(again(images), pixels)


def test_labels_are_taken_at_the_centres_of_cells():
    labels = torch.arange(24)[:, None].expand(24, 32)[None]
    assert sample_labels(labels, 4, 4)[0, :, 0].tolist() == [3, 9, 15, 21]


@pytest.mark.parametrize("backbone", ["vit_tiny_patch16_224", "resnet18", "efficientnet_b0"])
def test_any_backbone_of_timm(backbone, tmp_path):
    import timm

    p = SegmenterParameters(height=32, width_px=64, backbone=backbone, cells=2, n_channels=3)
    assert create_segmenter(p, seed=0).eval()(torch.rand(1, 3, 32, 64)).shape == (1, 11, 32, 64)
    trained = timm.create_model(backbone, num_classes=0)
    file = tmp_path / "weights.pt"
    torch.save(trained.state_dict(), file)
    loaded = create_segmenter(replace(p, weights=str(file)), seed=1).encoder
    name = max(trained.named_parameters(), key=lambda pair: pair[1].numel())[0]
    assert torch.equal(loaded.state_dict()[name], trained.state_dict()[name])
    file.write_bytes(b"no weights")
    with pytest.raises(ParameterError, match=r"weights\.pt"):
        create_segmenter(replace(p, weights=str(file)), seed=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"height": 25}, {"cells": 3}, {"width": 30}, {"decoder": "deep"}, {"backbone": "vgg99"},
        {"weights": "here.pt"}, {"backbone": "resnet18", "weights": "nowhere.pt"}, {"n_classes": 1},
        {"backbone": True}, {"weights": 1},
    ],
)  # fmt: skip
def test_bad_models_are_refused(wrong):
    with pytest.raises(ParameterError, match=next(iter(reversed(wrong)))):
        replace(SMALL, **wrong)


def test_crops_keep_images_and_labels_together(streets):
    train = streets[0]
    # an image that shows its labels: every crop must show them, too
    shown = replace(train, images=np.repeat(train.labels[..., None] * 20, 3, axis=3))
    images, labels = crop_scenes(shown, height=48, width=64, versions=3, seed=1)
    assert images.shape == (3, 12, 48, 64, 3) and labels.shape == (3, 12, 48, 64)
    assert (labels[0] == train.labels).all() and (images[0] == shown.images).all()
    agree = (np.abs(images[..., 0].astype(int) - 20 * labels.astype(int)) < 5).mean((1, 2, 3))
    assert (agree > 0.8).all() and (labels[1] != labels[0]).any()  # but for blurred edges
    ramp = replace(
        train, images=np.tile(np.arange(64, dtype=np.uint8)[:, None] * 3, (12, 48, 1, 3))
    )
    enlarged = crop_scenes(ramp, height=48, width=64, versions=2, seed=1)[0][1].astype(int)
    steps = np.abs(np.diff(enlarged[..., 0], axis=2))
    assert steps.max() <= 3 and (steps > 0).mean() > 0.9  # a ramp stays one: no pixel is repeated
    whole = crop_scenes(shown, height=24, width=32, versions=1)[1]
    assert (whole[0] == streets[0].labels[:, 1::2, 1::2]).mean() > 0.9


def test_rare_classes_weigh_more():
    labels = np.array([0] * 90 + [1] * 10 + [2] * 50, np.uint8)  # 2 is void
    weight = weigh_classes(labels, 2, 0.5).numpy()
    assert weight[1] / weight[0] == pytest.approx(3.0)
    assert weight @ [0.9, 0.1] == pytest.approx(1.0)


def test_a_segmenter_learns_and_its_loss_ignores_void(frames):
    learnt, held = frames
    result = train_segmenter(
        learnt, held, segmenter=SMALL, training=SceneTraining(epochs=25, n_checks=2), seed=0
    )
    assert result.loss[-4:].mean() < 0.6 * result.loss[:4].mean()
    assert result.validation_miou[-1] > 15.0  # one class for all would give under 10
    confusion, reliability = score_segmenter(result.model, held, 11)
    assert confusion.sum() == (held.labels < 11).sum() == reliability[:, 0].sum()
    found, confidence = predict(result.model, held.images)
    assert ((confidence > 0) & (confidence <= 1)).all() and found.max() < 11
    assert np.trace(confusion.sum(0)) == reliability[:, 1].sum()
    one = np.full_like(learnt.labels, 11)
    one[0, 0, 0] = 3  # all but a few pixels of one frame are void: most steps have nothing to learn
    rest = train_segmenter(
        Frames(learnt.images, one), held, segmenter=SMALL, training=QUICK, seed=0
    )
    assert np.isfinite(rest.loss).all() and (rest.loss == 0).any()


def test_an_interrupted_training_ends_as_an_uninterrupted_one(frames, tmp_path, monkeypatch):
    learnt, held = frames
    noisy = replace(QUICK, fano=0.3)
    given = {"segmenter": SMALL, "training": noisy, "seed": 3}
    whole = train_segmenter(learnt, held, **given)

    from swta.vision import scene_training

    calls = []

    def stop(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(*arguments)

    original = scene_training.save_checkpoint
    monkeypatch.setattr(scene_training, "save_checkpoint", stop)
    with pytest.raises(KeyboardInterrupt):
        train_segmenter(learnt, held, **given, checkpoint=tmp_path / "one.pt")
    monkeypatch.setattr(scene_training, "save_checkpoint", original)
    resumed = train_segmenter(learnt, held, **given, checkpoint=tmp_path / "one.pt")
    assert (resumed.loss == whole.loss).all()
    assert (resumed.validation_miou == whole.validation_miou).all()
    for a, b in zip(resumed.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(CheckpointError, match="seed"):
        train_segmenter(learnt, held, **(given | {"seed": 4}), checkpoint=tmp_path / "one.pt")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: Frames(f.images[:, :, :2], f.labels), "do not go together"),
        (lambda f: Frames(f.images, f.labels[:, :, :5]), "do not go together"),
        (lambda f: Frames(f.images[:, :0], f.labels[:, :0]), "no frame"),
        (lambda f: Frames(f.images, np.where(f.labels == 0, 200, f.labels)), "labels go up to 200"),
        (lambda f: Frames(f.images, np.full_like(f.labels, 11)), "every pixel is void"),
        (lambda f: Frames(f.images * np.float16(np.nan), f.labels), "not finite"),
    ],
)
def test_bad_frames_stop_before_training(frames, spoil, message):
    with pytest.raises(ParameterError, match=message):
        train_segmenter(spoil(frames[0]), frames[1], segmenter=SMALL, training=QUICK, seed=0)


def test_the_experiment_from_frames_to_gains(streets, tmp_path):
    train, held, day = streets
    p = FilterParameters()
    fronts = {name: create_scene_front(name, p) for name in ("unfiltered", "swta+colour")}
    dark = choose_scene_task("procedural_streets").day
    tests = {"day": day} | {
        f"night{s}": load_scenes(dark, name="night", limit=5, severity=s, **SIZE)
        for s in SEVERITIES[:3]
    }
    given = {"segmenter": SMALL, "training": QUICK, "seeds": [0, 1], "versions": 2}
    result = segment_arms(fronts, train, held, tests, **given, folder=tmp_path)
    assert result.confusion["day"].shape == (2, 2, 5, 11, 11)
    assert (result.confusion["day"] == result.confusion["night0"]).all()
    assert {"Fence", "Bicyclist"} <= set(result.absent("day"))
    assert np.isnan(result.iou("day")[:, :, result.classes.index("Fence")]).all()
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "swta+colour-0.pt", "swta+colour-1.pt", "unfiltered-0.pt", "unfiltered-1.pt",
    ]  # fmt: skip
    gain = measure_miou_gain(result, "swta+colour", "unfiltered", ["night1", "night2"])
    by_hand = np.mean([np.diff(result.miou(n).mean(1))[0] for n in ("night1", "night2")])
    assert gain.value == pytest.approx(by_hand) and gain.low <= gain.value <= gain.high
    table = summarise_miou(result)
    assert len(table) == 2 * 4 and (table["low"] <= table["miou"]).all()
    assert set(tabulate_iou(result)["class"]) == set(result.classes) - set(result.absent("day"))
    assert tabulate_calibration(result)["pixels"].sum() == 2 * 2 * 4 * (day.labels < 11).sum()
    rows, columns = compare_frames(
        result, fronts, {"none": "unfiltered", "filter": "swta+colour"}, {"day": day}
    )
    assert len(rows) == 2 and rows["gain"].iloc[0] >= rows["gain"].iloc[1]
    right = (columns["none"] == columns["truth"])[columns["truth"] < 11].mean()
    assert right == pytest.approx(
        rows["right_unfiltered"].mean(), abs=0.02
    )  # frames hold like pixels
    again = segment_arms(fronts, train, held, tests, **given)
    assert (again.confusion["night2"] == result.confusion["night2"]).all()


def test_sets_that_do_not_fit_are_refused(streets):
    train, held, day = streets
    given = {"segmenter": SMALL, "training": QUICK, "seeds": [0]}
    plain = {"unfiltered": Unfiltered()}
    with pytest.raises(ParameterError, match="trained or random"):
        segment_arms({"randconv": RandomConvolution()}, train, held, {"day": day}, **given)
    with pytest.raises(ParameterError, match="0 arms"):
        segment_arms({}, train, held, {"day": day}, **given)
    with pytest.raises(ParameterError, match="Load them at that size"):
        segment_arms(plain, train, train, {"day": day}, **given)
    other = replace(day, classes=day.classes[:-1])
    with pytest.raises(ParameterError, match="10 classes"):
        segment_arms(plain, train, held, {"day": other}, **given)


def test_colour_front_ends_on_known_cases():
    image = torch.rand(2, 3, 16, 16)
    standard = StandardiseColour()
    warm = torch.tensor([0.9, 0.5, 0.2]).view(1, 3, 1, 1)
    torch.testing.assert_close(standard(warm * image), standard(image), atol=0.05, rtol=0.0)
    torch.testing.assert_close(standard(image).mean((2, 3)), torch.zeros(2, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(standard(image).std((2, 3)), torch.ones(2, 3), atol=0.02, rtol=0)
    for level in (0.02, 0.3, 0.8):
        flat = AutomaticGamma()(torch.full((1, 3, 8, 8), level))
        torch.testing.assert_close(flat, torch.full_like(flat, 0.5))
    with pytest.raises(ParameterError, match="target"):
        AutomaticGamma(1.0)
    swta = SoftWTA()
    both = BesideColour(copy.deepcopy(swta))(image)
    assert torch.equal(both[:, :3], swta(image)) and torch.equal(both[:, 3:], standard(image))
    assert label_front("swta+colour") == "sWTA + colour"
    with pytest.raises(ParameterError, match="front"):
        create_scene_front("colour+swta", FilterParameters())
