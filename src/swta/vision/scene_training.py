"""Training one segmenter on filtered frames, resumable; and testing it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from swta.data import SceneSet
from swta.validation import ParameterError, check_integer, check_real
from swta.vision.checkpoint import describe, load_checkpoint, save_checkpoint
from swta.vision.learners import create_optimiser
from swta.vision.machine import Machine
from swta.vision.models import Whiten, prepend
from swta.vision.scene_scores import (
    N_BINS,
    count_confusion,
    count_reliability,
    measure_miou,
)
from swta.vision.segmenter import SegmenterParameters, create_segmenter, sample_labels
from swta.vision.training import Schedule, learning_rate

RARE = 1e-3  # classes rarer than this share of the pixels count as if they had it


@dataclass(frozen=True)
class SceneTraining(Schedule):
    """How a segmenter is trained; the same in every arm, chosen on the arm without a filter.

    Raises:
        ParameterError: a value outside its range.
    """

    epochs: int = 18  # passes over the training frames
    batch_size: int = 8  # frames
    learning_rate: float = 4e-3  # AdamW, after warm-up
    n_checks: int = 3  # times the validation set is looked at
    balance: float = 0.5  # classes weigh as their share of the pixels to the power of -balance

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("balance", self.balance, low=0.0, high=1.0)


class Frames(NamedTuple):
    """Filtered frames with their labels; a value of ``n_classes`` is void."""

    images: NDArray[np.float16]  # (n, C, H, W), or (versions, n, C, H, W)
    labels: NDArray[np.uint8]  # (n, H, W), or (versions, n, H, W)


@dataclass(frozen=True)
class SceneTrainingResult:
    """A trained segmenter and the course of its training."""

    model: nn.Sequential  # takes filtered frames (B, C, H, W)
    steps: NDArray[np.int64]  # (checks,) optimiser steps made
    validation_miou: NDArray[np.float64]  # (checks,) in %
    loss: NDArray[np.float64]  # (steps,) weighted cross entropy in nats
    seed: int


def crop_scenes(
    scenes: SceneSet, *, height: int, width: int, versions: int, seed: int = 0
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Random crops of every frame: images (versions, n, H, W, 3) and labels (versions, n, H, W).

    The first version is the whole frame. The others are crops of 60 % to 100 % of its height and
    width; every second one is mirrored. The same seed gives the same crops. All are held in memory,
    ``versions`` · n · height · width · 3 bytes, and two to four times as much behind a front-end.

    Raises:
        ParameterError: a number below 1.
    """
    for name, value in (("height", height), ("width", width), ("versions", versions)):
        check_integer(name, value, low=1)
    draw = np.random.default_rng(check_integer("seed", seed, low=0))
    n, rows, columns = scenes.labels.shape
    images = np.empty((versions, n, height, width, 3), np.uint8)
    labels = np.empty((versions, n, height, width), np.uint8)
    for version in range(versions):
        for i in range(n):
            share = draw.uniform(0.6, 1.0) if version else 1.0
            top, left = draw.uniform(0.0, 1.0 - share, 2) if version else (0.0, 0.0)
            box = (left * columns, top * rows, (left + share) * columns, (top + share) * rows)
            # a box filter that enlarges would repeat pixels and so make edges
            reduces = share * rows >= height and share * columns >= width
            smooth = Image.Resampling.BOX if reduces else Image.Resampling.BILINEAR
            for source, target, how in (
                (scenes.images, images, smooth),
                (scenes.labels, labels, Image.Resampling.NEAREST),
            ):
                cut = np.asarray(Image.fromarray(source[i]).resize((width, height), how, box))
                target[version, i] = cut[:, ::-1] if version % 2 else cut
    return images, labels


def weigh_classes(labels: NDArray[np.uint8], n_classes: int, balance: float) -> Tensor:
    """Weight of each class in the loss, (K,), with mean 1 over the pixels of ``labels``."""
    counts = np.bincount(labels.ravel(), minlength=n_classes + 1)[:n_classes]
    share = counts / max(1, counts.sum())
    weight = np.maximum(share, RARE) ** -balance
    return torch.from_numpy(weight / (weight * share).sum()).float()


def train_segmenter(
    frames: Frames,
    validation: Frames,
    *,
    segmenter: SegmenterParameters,
    training: SceneTraining,
    seed: int,
    machine: Machine | None = None,
    checkpoint: Path | None = None,
) -> SceneTrainingResult:
    """Train one segmenter, from its seed's weights, on filtered frames.

    The same seed gives the same numbers, on the CPU to the bit, also after an interruption: with a
    ``checkpoint`` the same call goes on from the last look at the validation set.

    Args:
        frames: versions of the training frames, of which every step draws one each.
        validation: frames that are looked at ``n_checks`` times.
        segmenter, training: the two records of choices.
        seed: of the weights, the order of the frames, versions and noise.
        machine: what to compute on; the CPU by default. Its ``compiled`` and ``stacked`` are for
            the small transformers of the digits.
        checkpoint: file to keep the state in, and to go on from where it exists.

    Raises:
        ParameterError: no frame, images and labels that do not go together, labels outside the
            classes, or images that are not finite.
        CheckpointError: a checkpoint that is damaged or of another configuration.
    """
    machine = machine or Machine()
    for part in (frames, validation):
        _check_frames(part, segmenter)
    loop = SceneLoop(frames, segmenter, training, seed, machine)
    configuration = {}
    if checkpoint is not None:
        configuration = describe(
            segmenter=segmenter, training=training, machine=machine, seed=seed,
            images=frames.images, labels=frames.labels, validation=validation.images,
        )  # fmt: skip
        stored = load_checkpoint(checkpoint, configuration)
        if stored is not None:
            loop.load(stored)
    while loop.done < loop.total:
        loop.step()
        if loop.done in loop.checks:
            confusion, _ = score_segmenter(loop.model, validation, segmenter.n_classes)
            loop.mious.append(float(measure_miou(confusion.sum(0))))
            if checkpoint is not None:
                save_checkpoint(checkpoint, configuration, loop.state())
    return SceneTrainingResult(
        loop.model.eval(), loop.checks, np.array(loop.mious), loop.losses, int(seed)
    )


class SceneLoop:
    """The state of one training between two steps."""

    def __init__(
        self,
        frames: Frames,
        segmenter: SegmenterParameters,
        training: SceneTraining,
        seed: int,
        machine: Machine,
    ) -> None:
        self.training, self.machine = training, machine
        self.void = segmenter.n_classes
        self.images = torch.from_numpy(frames.images)
        self.labels = torch.from_numpy(frames.labels)
        whiten = Whiten(self.images[0], training.fano)
        model = create_segmenter(segmenter, seed=seed)
        self.model = prepend(whiten, model).to(machine.device)
        self.weight = weigh_classes(frames.labels, self.void, training.balance).to(machine.device)
        self.optimiser = create_optimiser(self.model.parameters(), training.weight_decay, 1)
        self.draw = torch.Generator().manual_seed(seed)
        self.noise = torch.Generator(machine.device).manual_seed(seed)
        self.random = torch.Generator().manual_seed(seed).get_state()  # for a backbone's dropout
        self.per_epoch = math.ceil(self.images.shape[1] / training.batch_size)
        self.total = training.epochs * self.per_epoch
        self.checks = np.unique(
            np.linspace(0, self.total, training.n_checks + 1)[1:].round().astype(int)
        )
        self.order = torch.empty(0, dtype=torch.int64)
        self.losses = np.zeros(self.total)
        self.mious: list[float] = []
        self.done = 0

    def draw_batch(self) -> tuple[Tensor, Tensor]:
        """The next frames and labels, on the training's device."""
        size, place = self.training.batch_size, self.done % self.per_epoch
        if place == 0:
            self.order = torch.randperm(self.images.shape[1], generator=self.draw)
        chosen = self.order[place * size :][:size]
        version = torch.randint(len(self.images), (len(chosen),), generator=self.draw)
        device = self.machine.device
        images, labels = self.images[version, chosen], self.labels[version, chosen]
        return images.to(device).float(), labels.to(device).long()

    def step(self) -> None:
        """One optimiser step."""
        images, labels = self.draw_batch()
        whiten, model = self.model
        noise = None
        if self.training.fano > 0.0:
            noise = torch.randn(images.shape, generator=self.noise, device=images.device)
        self.model.train()
        kind = torch.device(self.machine.device).type
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self.random)
            with torch.autocast(kind, dtype=torch.bfloat16, enabled=self.machine.half):
                logits = model(whiten(images, noise))
            self.random = torch.get_rng_state()
        there = sample_labels(labels, *logits.shape[2:])
        loss = F.cross_entropy(logits.float(), there, weight=self.weight, ignore_index=self.void)
        if not (there < self.void).any():  # nothing but void: no gradient, no NaN
            loss = 0.0 * logits.float().sum()
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.done, self.total, self.training)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.losses[self.done] = loss.item()
        self.done += 1

    def state(self) -> dict[str, Any]:
        """All that the rest of the training depends on."""
        return {
            "done": self.done,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "order": self.order,
            "draw": self.draw.get_state(),
            "noise": self.noise.get_state(),
            "random": self.random,
            "losses": torch.from_numpy(self.losses),
            "mious": self.mious,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` gave."""
        self.done, self.order, self.random = state["done"], state["order"], state["random"]
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.draw.set_state(state["draw"])
        self.noise.set_state(state["noise"])
        self.losses = state["losses"].numpy()
        self.mious = list(state["mious"])


def predict(
    model: nn.Module, images: NDArray[np.float16], *, batch: int = 32
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Most likely class and its probability for every pixel, each (n, H, W), of (n, C, H, W)."""
    device = next(model.parameters()).device
    model.eval()
    found, sure = [], []
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            x = torch.from_numpy(images[start : start + batch]).to(device).float()
            confidence, likeliest = model(x).softmax(1).max(1)
            found.append(likeliest.to(torch.uint8).cpu().numpy())
            sure.append(confidence.float().cpu().numpy())
    return np.concatenate(found), np.concatenate(sure)


def score_segmenter(
    model: nn.Module, frames: Frames, n_classes: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Confusion of each frame, (n, K, K), and reliability over all, (bins, 3)."""
    confusions, reliability = [], np.zeros((N_BINS, 3))
    for start in range(0, len(frames.labels), 32):
        labels = frames.labels[start : start + 32]
        found, confidence = predict(model, frames.images[start : start + 32])
        confusions.append(count_confusion(labels, found, n_classes))
        scored = labels < n_classes
        reliability += count_reliability(
            confidence[scored].astype(np.float64), (found == labels)[scored]
        )
    return np.concatenate(confusions), reliability


def _check_frames(frames: Frames, p: SegmenterParameters) -> None:
    images, labels = frames
    want = (p.n_channels, p.height, p.width_px)
    if images.shape[-3:] != want or labels.shape != images.shape[:-3] + images.shape[-2:]:
        raise ParameterError(
            f"images {images.shape} and labels {labels.shape} do not go together or with the "
            f"model; allowed: images (…, {', '.join(map(str, want))}) and labels without channels"
        )
    if images.shape[-4] == 0:
        raise ParameterError("the set has no frame; allowed: at least one")
    if labels.min() >= p.n_classes:
        raise ParameterError("every pixel is void; allowed: frames with at least one class")
    if labels.max() > p.n_classes:
        raise ParameterError(
            f"labels go up to {labels.max()}; allowed: 0 … {p.n_classes - 1}, and {p.n_classes} "
            "for void"
        )
    if not np.isfinite(images).all():
        raise ParameterError("images hold values that are not finite; allowed: finite ones")
