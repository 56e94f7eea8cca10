"""Training transformers on the source digits: one loop, the same for every arm, resumable."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from swta.validation import ParameterError, check_integer, check_real
from swta.vision.checkpoint import describe, load_checkpoint, save_checkpoint
from swta.vision.distributed import Ranks
from swta.vision.learners import (
    Batch,
    Learners,
    SeparateLearners,
    StackedLearners,
    draw_patches,
)
from swta.vision.machine import Machine
from swta.vision.models import TransformerParameters, Whiten, create_transformer, prepend

Labelled = tuple[NDArray[np.float16], NDArray[np.int64]]  # filtered images and their labels


@dataclass(frozen=True)
class Schedule:
    """What every training has: how long, in what steps, and how often it is looked at.

    Raises:
        ParameterError: a value outside its range.
    """

    epochs: int = 7  # passes over the training images
    batch_size: int = 64  # images
    learning_rate: float = 3e-3  # AdamW, after warm-up
    weight_decay: float = 0.05  # AdamW, on matrices
    warm_up: float = 0.1  # share of the steps over which the rate rises
    fano: float = 0.0  # variance / activity of the noise on the model's input
    n_checks: int = 12  # times the validation set is looked at

    def __post_init__(self) -> None:
        check_integer("epochs", self.epochs, low=1)
        check_integer("batch_size", self.batch_size, low=1)
        check_real("learning_rate", self.learning_rate, low=0.0, high=1.0, open_low=True)
        check_real("weight_decay", self.weight_decay, low=0.0)
        check_real("warm_up", self.warm_up, low=0.0, high=1.0)
        check_real("fano", self.fano, low=0.0)
        check_integer("n_checks", self.n_checks, low=1)


@dataclass(frozen=True)
class TrainingParameters(Schedule):
    """How an arm is trained on digits; chosen on held-out source digits, never on a target.

    Raises:
        ParameterError: a value outside its range.
    """

    label_smoothing: float = 0.0  # share of the target spread over all classes
    shift: int = 3  # px, largest random shift in each direction
    patch_drop: float = 0.0  # share of the patches left out of each training image

    def __post_init__(self) -> None:
        super().__post_init__()
        check_real("label_smoothing", self.label_smoothing, low=0.0, high=1.0, open_high=True)
        check_integer("shift", self.shift, low=0)
        check_real("patch_drop", self.patch_drop, low=0.0, high=1.0, open_high=True)


@dataclass(frozen=True)
class TrainingResult:
    """A trained model and the course of its training."""

    model: nn.Sequential  # takes filtered images (B, 3, H, W)
    steps: np.ndarray  # (checks,) optimiser steps made
    validation_accuracy: np.ndarray  # (checks,) share of held-out source digits
    loss: np.ndarray  # (steps,) cross entropy in nats, of each batch
    seed: int
    watched: np.ndarray  # (checks, sets) share of each watched set


def train(
    images: NDArray[np.float16],
    labels: NDArray[np.int64],
    validation: Labelled,
    *,
    transformer: TransformerParameters,
    training: TrainingParameters,
    seeds: Sequence[int],
    machine: Machine | None = None,
    front: nn.Module | None = None,
    checkpoint: Path | None = None,
    ranks: Ranks | None = None,
    watched: Sequence[Labelled] = (),
) -> list[TrainingResult]:
    """Train a transformer per seed, from scratch, on filtered images; one result per seed.

    The same seed gives the same numbers, on the CPU to the bit, also after an interruption: with a
    ``checkpoint`` the same call goes on from the last check of the validation set.

    Args:
        images: source digits after the arm's filter, (n, 3, H, W), or several deformed versions of
            them, (versions, n, 3, H, W), from which every step draws; ``labels`` (n,).
        validation: held-out source digits and labels, looked at ``n_checks`` times.
        transformer, training: the two records of choices.
        seeds: of the weights, the order of the images, versions, shifts, noise and dropped
            patches; they are trained in step with each other.
        machine: what to compute on; one CPU model after another by default.
        front: a front-end that is trained or random, so that the images could not be filtered
            beforehand; a copy of it becomes the first part of each model.
        checkpoint: file to keep the state in, and to go on from where it exists; with ``ranks``
            the first of them alone reads and writes it.
        ranks: processes that each take a part of every step's images, for the same numbers up to
            rounding; not for a front-end that draws random numbers.
        watched: more sets to look at when the held-out digits are; nothing depends on them.

    Raises:
        ParameterError: no seed, images and labels of different length, labels outside the classes,
            or images that are not finite.
        CheckpointError: a checkpoint that is damaged or of another configuration.
    """
    images = images if images.ndim == 5 else images[None]
    if not seeds:
        raise ParameterError("seeds is empty; allowed: at least one seed")
    for pictures, digits in ((images[0], labels), validation, *watched):
        _check_labels(pictures, digits, transformer.n_classes)
    if not np.isfinite(images).all():
        raise ParameterError("images hold values that are not finite; allowed: finite ones")
    machine = machine or Machine()
    loop = _Loop(images, labels, transformer, training, list(seeds), machine, front, ranks)
    configuration = {}
    if checkpoint is not None:
        configuration = describe(
            transformer=transformer, training=training, machine=machine, seeds=list(seeds),
            images=images, labels=labels, front=front, validation=validation[0],
            **{f"watched {i}": seen for i, (seen, _) in enumerate(watched)},
        )  # fmt: skip
        read = partial(load_checkpoint, checkpoint, configuration)
        stored = read() if ranks is None else ranks.send(read, 0)
        if stored is not None:
            loop.load(stored)
    with torch.random.fork_rng(devices=[]):
        while loop.done < loop.total:
            loop.step()
            if loop.done in loop.checks:
                loop.check((validation, *watched))
                if checkpoint is not None and (ranks is None or ranks.rank == 0):
                    save_checkpoint(checkpoint, configuration, loop.state())
    models = loop.learners.models()
    return [
        TrainingResult(model.eval(), loop.checks, looks[:, 0], loss, int(seed), looks[:, 1:])
        for model, looks, loss, seed in zip(
            models, np.array(loop.accuracies).swapaxes(0, 1), loop.losses, seeds, strict=True
        )
    ]


class _Loop:
    """The state of a group of trainings between two steps."""

    def __init__(
        self,
        images: NDArray[np.float16],
        labels: NDArray[np.int64],
        transformer: TransformerParameters,
        training: TrainingParameters,
        seeds: list[int],
        machine: Machine,
        front: nn.Module | None,
        ranks: Ranks | None = None,
    ) -> None:
        p = self.training = training
        self.device = machine.device
        self.ranks = ranks
        self.source = torch.from_numpy(images).to(self.device)
        self.labels = torch.from_numpy(labels)
        self.patches = (transformer.image_size // transformer.patch_size) ** 2
        models = [
            assemble(front, torch.from_numpy(images[0]), p.fano, transformer, seed)
            .to(self.device)
            for seed in seeds
        ]  # fmt: skip
        self.draw = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.noise = [torch.Generator(self.device).manual_seed(seed) for seed in seeds]
        # a random or trained front-end cannot be stacked
        kind = StackedLearners if machine.stacked and front is None else SeparateLearners
        self.learners: Learners = kind(
            models, machine, weight_decay=p.weight_decay, label_smoothing=p.label_smoothing,
            ranks=ranks,
        )  # fmt: skip
        if isinstance(self.learners, SeparateLearners):
            self.learners.random = [torch.Generator().manual_seed(s).get_state() for s in seeds]
        self.per_epoch = math.ceil(len(labels) / p.batch_size)
        self.total = p.epochs * self.per_epoch
        self.checks = np.unique(
            np.round(np.linspace(0, self.total, p.n_checks + 1)[1:]).astype(int)
        )
        self.order = [torch.empty(0, dtype=torch.int64) for _ in seeds]
        self.losses = np.zeros((len(seeds), self.total))
        self.accuracies: list[list[list[float]]] = []  # check, seed, set
        self.done = 0

    def step(self) -> None:
        """One optimiser step of every seed."""
        if self.done % self.per_epoch == 0:
            self.order = [torch.randperm(len(self.labels), generator=g) for g in self.draw]
        batches = [self._draw_batch(i) for i in range(len(self.order))]
        rate = learning_rate(self.done, self.total, self.training)
        self.losses[:, self.done] = self.learners.step(batches, rate)
        self.done += 1

    def _draw_batch(self, i: int) -> Batch:
        """The next images of seed i, from random numbers of its own: no seed depends on others."""
        p, generator = self.training, self.draw[i]
        chosen = self.order[i][(self.done % self.per_epoch) * p.batch_size :][: p.batch_size]
        count = len(chosen)
        offsets = torch.randint(-p.shift, p.shift + 1, (count, 2), generator=generator)
        version = torch.randint(len(self.source), (count,), generator=generator)
        keep = draw_patches(count, self.patches, p.patch_drop, generator)
        part, share = slice(count), 1.0
        if self.ranks is not None:
            own = self.ranks.share(count)
            share = (own.stop - own.start) / count
            part = own if share else slice(1)  # an image that counts nothing, where there are few
        noise = None
        if p.fano > 0.0:
            shape = (count, 3, *self.source.shape[3:])
            noise = torch.randn(shape, generator=self.noise[i], device=self.device)[part]
        index = version[part].to(self.device), chosen[part].to(self.device)
        x = shift_images(self.source[index], offsets[part].to(self.device)).float()
        there = self.labels[chosen[part]].to(self.device)
        return Batch(x, there, None if keep is None else keep[part].to(self.device), noise, share)

    def check(self, sets: Sequence[Labelled]) -> None:
        """Look at the held-out source digits, and at what is watched."""
        self.accuracies.append(
            [
                [measure_hits(model, *seen, ranks=self.ranks) / len(seen[1]) for seen in sets]
                for model in self.learners.models()
            ]
        )

    def state(self) -> dict[str, Any]:
        """All that the rest of the training depends on, as tensors, numbers and lists."""
        return {
            "done": self.done,
            "learners": self.learners.state(),
            "order": self.order,
            "draw": [g.get_state() for g in self.draw],
            "noise": [g.get_state() for g in self.noise],
            "losses": torch.from_numpy(self.losses),
            "accuracies": self.accuracies,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` gave."""
        self.done = state["done"]
        self.learners.load(state["learners"])
        self.order = state["order"]
        for name in ("draw", "noise"):
            for generator, stored in zip(getattr(self, name), state[name], strict=True):
                generator.set_state(stored)
        self.losses = state["losses"].numpy()
        self.accuracies = state["accuracies"]


def shift_images(images: Tensor, offsets: Tensor) -> Tensor:
    """Images (B, C, H, W) moved by ``offsets`` (B, 2) pixels down and right; zeros move in."""
    batch, _, height, width = images.shape
    reach = int(offsets.abs().max()) if offsets.numel() else 0
    padded = F.pad(images, (reach,) * 4)
    rows = torch.arange(height, device=images.device) + reach - offsets[:, :1]
    columns = torch.arange(width, device=images.device) + reach - offsets[:, 1:]
    index = torch.arange(batch, device=images.device)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[index, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def learning_rate(step: int, total: int, parameters: Schedule) -> float:
    """Learning rate of a step: linear rise, then a cosine to zero."""
    rise = max(1, round(parameters.warm_up * total))
    if step < rise:
        return parameters.learning_rate * (step + 1) / rise
    share = (step - rise) / max(1, total - rise)
    return parameters.learning_rate * 0.5 * (1.0 + math.cos(math.pi * share))


def measure_hits(
    model: nn.Module,
    images: NDArray[np.float16],
    labels: NDArray[np.int64],
    *,
    batch: int = 256,
    ranks: Ranks | None = None,
) -> int:
    """Number of images (n, 3, H, W) whose most likely class is their label, shared by ``ranks``."""
    if ranks is not None:
        own = ranks.share(len(labels))
        found = torch.tensor([measure_hits(model, images[own], labels[own], batch=batch)])
        ranks.add_up([found])
        return int(found)
    device = next(model.parameters()).device
    model.eval()
    hits = 0
    # a front-end that is random in testing, too, draws the same numbers each time
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for start in range(0, len(labels), batch):
            x = torch.from_numpy(images[start : start + batch]).to(device).float()
            likeliest = model(x).argmax(1).cpu().numpy()
            hits += int((likeliest == labels[start : start + batch]).sum())
    return hits


def assemble(
    front: nn.Module | None,
    source: Tensor,
    fano: float,
    transformer: TransformerParameters,
    seed: int,
) -> nn.Sequential:
    """Front-end if there is one, whitening by what comes out of it at the start, transformer.

    ``source`` are the images, (n, 3, H, W), before the front-end; ``fano`` is of the noise.
    """
    model = create_transformer(transformer, seed=seed)
    if front is None:
        return prepend(Whiten(source, fano), model)
    front = copy.deepcopy(front).eval()
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        sample = torch.cat([front(part.float()) for part in source[:1024].split(128)])
    return nn.Sequential(front, *prepend(Whiten(sample, fano), model))


def _check_labels(images: NDArray, labels: NDArray, n_classes: int) -> None:
    if len(images) != len(labels) or len(images) == 0:
        raise ParameterError(
            f"{len(images)} images come with {len(labels)} labels; allowed: as many of each, "
            "and at least one"
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= n_classes:
        raise ParameterError(
            f"labels run from {low} to {high}; allowed: 0 … {n_classes - 1}. Relabel the images"
        )
