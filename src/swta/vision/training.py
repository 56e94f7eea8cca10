"""Training a transformer on the source digits: one plain loop, the same for every arm."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from swta.validation import ParameterError, check_integer, check_real
from swta.vision.keeping import Keeper
from swta.vision.models import TransformerParameters, Whiten, create_transformer, prepend


@dataclass(frozen=True)
class TrainingParameters:
    """How every arm is trained; chosen on held-out source digits, never on a target.

    Raises:
        ParameterError: a value outside its range.
    """

    epochs: int = 7  # passes over the training images
    batch_size: int = 64  # images
    learning_rate: float = 3e-3  # AdamW, after warm-up
    weight_decay: float = 0.05  # AdamW, on matrices
    warm_up: float = 0.1  # share of the steps over which the rate rises
    label_smoothing: float = 0.0  # share of the target spread over all classes
    shift: int = 3  # px, largest random shift in each direction
    fano: float = 0.0  # variance / activity of the noise on the model's input
    n_checks: int = 16  # times the source validation set is looked at

    def __post_init__(self) -> None:
        check_integer("epochs", self.epochs, low=1)
        check_integer("batch_size", self.batch_size, low=1)
        check_real("learning_rate", self.learning_rate, low=0.0, high=1.0, open_low=True)
        check_real("weight_decay", self.weight_decay, low=0.0)
        check_real("warm_up", self.warm_up, low=0.0, high=1.0)
        check_real("label_smoothing", self.label_smoothing, low=0.0, high=1.0, open_high=True)
        check_integer("shift", self.shift, low=0)
        check_real("fano", self.fano, low=0.0)
        check_integer("n_checks", self.n_checks, low=1)


@dataclass(frozen=True)
class TrainingResult:
    """A trained model and the course of its training."""

    model: nn.Module  # takes filtered images (B, 3, H, W)
    steps: np.ndarray  # (checks,) optimiser steps made
    validation_accuracy: np.ndarray  # (checks,) share of held-out source digits
    loss: np.ndarray  # (steps,) cross entropy in nats, of each batch
    seed: int


def choose_device(device: str) -> str:
    """Return ``device`` if torch can compute on it here; ``auto`` is the GPU where there is one.

    Raises:
        ParameterError: an unknown name, or a device that this machine or this torch lacks.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ParameterError(
            f"device = {device!r} cannot be used here ({reason}); allowed: auto, cpu, or cuda "
            "where there is a GPU"
        ) from error
    return device


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


def learning_rate(step: int, total: int, parameters: TrainingParameters) -> float:
    """Learning rate of a step: linear rise, then a cosine to zero."""
    rise = max(1, round(parameters.warm_up * total))
    if step < rise:
        return parameters.learning_rate * (step + 1) / rise
    share = (step - rise) / max(1, total - rise)
    return parameters.learning_rate * 0.5 * (1.0 + math.cos(math.pi * share))


def measure_hits(
    model: nn.Module, images: NDArray[np.float16], labels: NDArray[np.int64], *, batch: int = 256
) -> int:
    """Number of images (n, 3, H, W) whose most likely class is their label."""
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


def train(
    images: NDArray[np.float16],
    labels: NDArray[np.int64],
    validation: tuple[NDArray[np.float16], NDArray[np.int64]],
    *,
    transformer: TransformerParameters,
    training: TrainingParameters,
    seed: int,
    device: str = "cpu",
    front: nn.Module | None = None,
    keeper: Keeper | None = None,
) -> TrainingResult:
    """Train a transformer from scratch on filtered images; the same seed gives the same numbers.

    Args:
        images: source digits after the arm's filter, (n, 3, H, W); ``labels`` their classes, (n,).
        validation: held-out source digits and labels, looked at ``n_checks`` times.
        transformer, training: the two records of choices.
        seed: of the weights, the order of the images, shifts, noise and dropped patches.
        device: torch device; repeatable to the bit on ``cpu`` with a fixed number of threads.
        front: a front-end that is trained or random, so that the images could not be filtered
            beforehand; a copy of it becomes the first part of the model.
        keeper: keeps the state of the training at each check; one that was killed goes on from
            there, with the same numbers as if it had not been.

    Raises:
        ParameterError: images and labels of different length, labels outside the classes, or a
            device that is not there.
    """
    device = choose_device(device)
    for pictures, digits in ((images, labels), validation):
        _check_labels(pictures, digits, transformer.n_classes)
    p = training
    source, classes = torch.from_numpy(images), torch.from_numpy(labels)
    model = _assemble(front, source, p.fano, create_transformer(transformer, seed=seed)).to(device)
    matrices: list[Tensor] = [w for w in model.parameters() if w.ndim > 1]
    vectors: list[Tensor] = [w for w in model.parameters() if w.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": p.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ],
        fused=True,
    )
    per_epoch = math.ceil(len(images) / p.batch_size)
    total = p.epochs * per_epoch
    checks = np.unique(np.round(np.linspace(0, total, p.n_checks + 1)[1:]).astype(int))
    losses, first = np.zeros(total), 0
    accuracies: list[float] = []
    draw = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # noise and dropped patches
        if keeper is not None and (state := keeper.load_state()) is not None:
            first, order, accuracies = _resume(state, model, optimiser, draw, losses, device)
        for step in range(first, total):
            if step % per_epoch == 0:
                order = torch.randperm(len(images), generator=draw)
            chosen = order[(step % per_epoch) * p.batch_size :][: p.batch_size]
            offsets = torch.randint(-p.shift, p.shift + 1, (len(chosen), 2), generator=draw)
            x = shift_images(source[chosen], offsets).to(device).float()
            model.train()
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(step, total, p)
            loss = F.cross_entropy(
                model(x), classes[chosen].to(device), label_smoothing=p.label_smoothing
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses[step] = loss.item()
            if step + 1 in checks:
                accuracies.append(measure_hits(model, *validation) / len(validation[1]))
                if keeper is not None:
                    keeper.save_state(
                        _state_after(step, model, optimiser, draw, losses, device)
                        | {"order": order, "accuracies": accuracies}
                    )
    return TrainingResult(model.eval(), checks, np.array(accuracies), losses, seed)


def _state_after(
    step: int,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    draw: torch.Generator,
    losses: NDArray[np.float64],
    device: str,
) -> dict[str, Any]:
    """All that the steps after ``step`` depend on."""
    return {
        "step": step,
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "draw": draw.get_state(),
        "random": torch.get_rng_state(),
        "random_device": torch.cuda.get_rng_state(device) if device.startswith("cuda") else None,
        "losses": torch.from_numpy(losses[: step + 1].copy()),
    }


def _resume(
    state: dict[str, Any],
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    draw: torch.Generator,
    losses: NDArray[np.float64],
    device: str,
) -> tuple[int, Tensor, list[float]]:
    """Put a kept state in place; the next step, the order of the images, accuracies so far."""
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    draw.set_state(state["draw"])
    torch.set_rng_state(state["random"])
    if state["random_device"] is not None:
        torch.cuda.set_rng_state(state["random_device"], device)
    done = int(state["step"]) + 1
    losses[:done] = state["losses"].numpy()
    return done, state["order"], list(state["accuracies"])


def _assemble(
    front: nn.Module | None, source: Tensor, fano: float, transformer: nn.Module
) -> nn.Sequential:
    """Front-end if there is one, whitening by what comes out of it at the start, transformer."""
    if front is None:
        return prepend(Whiten(source, fano), transformer)
    front = copy.deepcopy(front).eval()
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        sample = torch.cat([front(part.float()) for part in source[:1024].split(128)])
    return nn.Sequential(front, *prepend(Whiten(sample, fano), transformer))


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
