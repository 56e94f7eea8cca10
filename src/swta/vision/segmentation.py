"""The experiment on scenes: every arm trained by day alike, tested by day and after dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from swta.data import SceneSet
from swta.intervals import Interval
from swta.validation import ParameterError, check_choice, check_integer
from swta.vision.distributed import find_ranks
from swta.vision.experiment import Workers
from swta.vision.images import filter_images, is_fixed
from swta.vision.machine import Machine
from swta.vision.models import Whiten, prepend
from swta.vision.scene_scores import (
    bootstrap_miou,
    measure_calibration_error,
    measure_iou,
    measure_miou,
)
from swta.vision.scene_training import (
    Frames,
    SceneTraining,
    SceneTrainingResult,
    crop_scenes,
    score_segmenter,
    train_segmenter,
)
from swta.vision.segmenter import SegmenterParameters, create_segmenter


@dataclass(frozen=True)
class SegmentationResult:
    """What came out: axes are arm, seed, then frame or bin."""

    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    classes: tuple[str, ...]
    confusion: dict[str, NDArray[np.int64]]  # condition: (arms, seeds, frames, K, K) pixels
    reliability: dict[str, NDArray[np.float64]]  # condition: (arms, seeds, bins, 3)
    steps: NDArray[np.int64]  # (checks,)
    validation_miou: NDArray[np.float64]  # (arms, seeds, checks), %
    models: tuple[tuple[nn.Sequential, ...], ...]  # (arms, seeds); they take filtered frames

    def at(self, arm: str) -> int:
        """Position of an arm on the first axis.

        Raises:
            ParameterError: no arm of that name.
        """
        return self.arms.index(check_choice("arm", arm, self.arms))

    def miou(self, condition: str) -> NDArray[np.float64]:
        """Mean IoU under a condition in %, (arms, seeds), over the classes that occur.

        Raises:
            ParameterError: no condition of that name.
        """
        check_choice("condition", condition, self.confusion)
        return measure_miou(self.confusion[condition].sum(2))

    def iou(self, condition: str) -> NDArray[np.float64]:
        """IoU of each class in %, (arms, seeds, K); NaN where the class does not occur."""
        check_choice("condition", condition, self.confusion)
        return measure_iou(self.confusion[condition].sum(2))

    def absent(self, condition: str) -> tuple[str, ...]:
        """Classes that do not occur in the truth of a condition, and so not in its mean."""
        there = self.confusion[condition][0, 0].sum((0, 2)) > 0
        return tuple(name for name, seen in zip(self.classes, there, strict=True) if not seen)


@dataclass(frozen=True)
class _Job:
    frames: Frames
    validation: Frames
    tests: dict[str, Frames]
    segmenter: SegmenterParameters
    training: SceneTraining
    seed: int
    machine: Machine
    checkpoint: Path | None


_Scores = dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]
_Found = tuple[SceneTrainingResult, _Scores]


def _train_and_test(job: _Job) -> _Found:
    result = train_segmenter(
        job.frames, job.validation, segmenter=job.segmenter, training=job.training, seed=job.seed,
        machine=job.machine, checkpoint=job.checkpoint,
    )  # fmt: skip
    n = job.segmenter.n_classes
    scores = {name: score_segmenter(result.model, part, n) for name, part in job.tests.items()}
    return replace(result, model=result.model.cpu()), scores


def segment_arms(
    fronts: Mapping[str, nn.Module],
    train: SceneSet,
    validation: SceneSet,
    tests: Mapping[str, SceneSet],
    *,
    segmenter: SegmenterParameters,
    training: SceneTraining,
    seeds: Sequence[int],
    versions: int = 4,
    workers: Workers | int = 1,
    machine: Machine | None = None,
    folder: Path | None = None,
) -> SegmentationResult:
    """Train the same segmenter behind each front-end, and test it under each condition.

    Every frame passes each front-end once. On the CPU every training has one thread, so the
    numbers do not depend on ``workers``. With a ``folder`` an interrupted call goes on. Under
    torchrun all processes make this call and have its result; trainings are spread over them.

    Args:
        fronts: the arms: name to a fixed filter of frames (B, 3, H, W) in [0, 1].
        train: training frames, of the model's size or larger; crops are taken from them.
        validation: frames of the model's size, looked at during training.
        tests: condition to frames of the model's size.
        segmenter: the same for every arm, but for the number of channels that an arm gives.
        training: the same for every arm.
        seeds: one model per arm and seed.
        versions: crops of each training frame, the same in every arm.
        workers: trainings at a time, each in a process of its own if more than one.
        machine: what to compute on; anything but the CPU wants one worker.
        folder: where checkpoints are kept, one file per arm and seed.

    Raises:
        ParameterError: no arm, seed or test, a front-end that is trained or random, sets of other
            classes or sizes, or workers that share a GPU.
        CheckpointError: a folder with checkpoints of another configuration.
    """
    if not fronts or not seeds or not tests:
        raise ParameterError(
            f"{len(fronts)} arms, {len(seeds)} seeds and {len(tests)} tests; allowed: at least one "
            "of each"
        )
    check_integer("versions", versions, low=1)
    _check_sets(train, [validation, *tests.values()], segmenter)
    for arm, front in fronts.items():
        if not is_fixed(front):
            raise ParameterError(f"arm {arm!r} is trained or random; allowed: a fixed front-end")
    machine = machine or Machine()
    pool = workers if isinstance(workers, Workers) else Workers(workers)
    if machine.device != "cpu" and pool.count > 1:
        raise ParameterError(
            f"workers = {pool.count} would share {machine.device}; allowed: 1 on a GPU"
        )
    images, labels = crop_scenes(
        train, height=segmenter.height, width=segmenter.width_px, versions=versions
    )

    @lru_cache(maxsize=1)
    def list_jobs(arm: str) -> list[_Job]:
        front = fronts[arm]
        learnt = Frames(np.stack([filter_images(front, v, batch=32) for v in images]), labels)
        held, *seen = (
            Frames(filter_images(front, s.images, batch=32), s.labels)
            for s in (validation, *tests.values())
        )
        own = _fit_channels(segmenter, front)
        return [
            _Job(
                learnt, held, dict(zip(tests, seen, strict=True)), own, training, int(seed),
                machine, folder and folder / f"{arm}-{seed}.pt",
            )
            for seed in seeds
        ]  # fmt: skip

    plans = [(arm, i) for arm in fronts for i in range(len(seeds))]
    ranks = find_ranks(machine.device)
    found: list[_Found] = []
    if ranks is None:
        owned = nullcontext() if pool is workers else pool
        with owned, tqdm(total=len(plans), desc="trainings", disable=None) as bar:
            waiting: list[Future[_Found]] = []
            for arm in fronts:
                jobs = list_jobs(arm)
                # no worker waits for an arm to end, and no more than two arms' frames are held
                while len(waiting) > len(seeds):
                    found.append(waiting.pop(0).result())
                for job in jobs:
                    waiting.append(pool.submit(_train_and_test, job))
                    waiting[-1].add_done_callback(lambda _: bar.update())
            found += [future.result() for future in waiting]
    else:
        sent = ranks.spread(
            len(plans), lambda k: _pack(_train_and_test(list_jobs(plans[k][0])[plans[k][1]]))
        )
        found = [
            _unpack(packed, _fit_channels(segmenter, fronts[arm]), int(seeds[i]))
            for (arm, i), packed in zip(plans, sent, strict=True)
        ]
    shape = (len(fronts), len(seeds))

    def stack(condition: str, part: int) -> NDArray:
        scores = np.stack([scores[condition][part] for _, scores in found])
        return scores.reshape(*shape, *scores.shape[1:])

    models = [result.model for result, _ in found]
    n, total = len(seeds), len(plans)
    return SegmentationResult(
        arms=tuple(fronts),
        seeds=tuple(int(seed) for seed in seeds),
        classes=tuple(c.name for c in train.classes),
        confusion={name: stack(name, 0) for name in tests},
        reliability={name: stack(name, 1) for name in tests},
        steps=found[0][0].steps,
        validation_miou=np.stack([r.validation_miou for r, _ in found]).reshape(*shape, -1),
        models=tuple(tuple(models[i : i + n]) for i in range(0, total, n)),
    )


def _fit_channels(segmenter: SegmenterParameters, front: nn.Module) -> SegmenterParameters:
    return replace(segmenter, n_channels=getattr(front, "out_channels", 3))


def _pack(found: _Found) -> dict[str, Any]:
    """A trained model and its scores as what one process can send to another."""
    result, scores = found
    return {
        "model": result.model.state_dict(),
        "course": [
            torch.from_numpy(x) for x in (result.steps, result.validation_miou, result.loss)
        ],
        "scores": {name: [torch.from_numpy(x) for x in pair] for name, pair in scores.items()},
    }


def _unpack(packed: dict[str, Any], segmenter: SegmenterParameters, seed: int) -> _Found:
    """What `_pack` was given."""
    blank = torch.zeros(2, segmenter.n_channels, 1, 1)
    model = prepend(Whiten(blank), create_segmenter(segmenter, seed=seed))
    model.load_state_dict(packed["model"])
    steps, miou, loss = (x.numpy() for x in packed["course"])
    scores = {name: (a.numpy(), b.numpy()) for name, (a, b) in packed["scores"].items()}
    return SceneTrainingResult(model.eval(), steps, miou, loss, seed), scores


def measure_miou_gain(
    result: SegmentationResult, arm: str, baseline: str, conditions: str | Sequence[str]
) -> Interval:
    """Mean IoU of an arm less that of another, in points, paired over seeds and frames.

    Several conditions (of the same number of frames) are averaged: the area under a severity curve.
    """
    names = (conditions,) if isinstance(conditions, str) else tuple(conditions)
    first, second = (
        np.stack([result.confusion[name][result.at(which)] for name in names])
        for which in (arm, baseline)
    )
    return bootstrap_miou(first, second)


def tabulate_gains(
    result: SegmentationResult,
    pairs: Mapping[str, tuple[str, str]],
    conditions: Mapping[str, str | Sequence[str]],
) -> pd.DataFrame:
    """`measure_miou_gain` of pairs (arm, baseline) in points, a row per pair and condition."""
    rows = [
        (name, arm, baseline, label, *measure_miou_gain(result, arm, baseline, where))
        for name, (arm, baseline) in pairs.items()
        for label, where in conditions.items()
    ]
    columns = ["comparison", "arm", "baseline", "condition", "gain", "low", "high", "n_seeds"]
    return pd.DataFrame(rows, columns=columns)


def summarise_miou(result: SegmentationResult) -> pd.DataFrame:
    """Mean IoU in % with its 95 % bootstrap interval, a row per arm and condition."""
    rows = []
    for arm in result.arms:
        for name, confusion in result.confusion.items():
            found = bootstrap_miou(confusion[result.at(arm)])
            rows.append((arm, name, *found))
    columns = ["arm", "condition", "miou", "low", "high", "n_seeds"]
    return pd.DataFrame(rows, columns=columns)


def tabulate_iou(result: SegmentationResult) -> pd.DataFrame:
    """IoU of every class in %, mean over seeds: a row per arm, condition and class that occurs."""
    rows = [
        (arm, name, title, value)
        for name in result.confusion
        for arm, mean in zip(result.arms, result.iou(name).mean(1), strict=True)
        for title, value in zip(result.classes, mean, strict=True)
        if np.isfinite(value)
    ]
    return pd.DataFrame(rows, columns=["arm", "condition", "class", "iou"])


def tabulate_calibration(result: SegmentationResult) -> pd.DataFrame:
    """Confidence, accuracy and pixels over all seeds: a row per arm, condition and bin."""
    rows = []
    for name, counts in result.reliability.items():
        for arm, bins in zip(result.arms, counts.sum(1), strict=True):
            error = measure_calibration_error(bins)
            for pixels, hits, confidence in bins[bins[:, 0] > 0]:
                rows.append((arm, name, confidence / pixels, hits / pixels, int(pixels), error))
    columns = ["arm", "condition", "confidence", "accuracy", "pixels", "calibration_error"]
    return pd.DataFrame(rows, columns=columns)


def _check_sets(
    train: SceneSet, others: Sequence[SceneSet], segmenter: SegmenterParameters
) -> None:
    size = (segmenter.height, segmenter.width_px)
    for scenes in (train, *others):
        if scenes.n_classes != segmenter.n_classes:
            raise ParameterError(
                f"{scenes.name} has {scenes.n_classes} classes, the model {segmenter.n_classes}; "
                "allowed: as many"
            )
        if scenes.classes != train.classes:
            raise ParameterError(
                f"{scenes.name} and {train.name} have other classes; allowed: the same"
            )
    for scenes in others:
        if scenes.images.shape[1:3] != size:
            raise ParameterError(
                f"{scenes.name} has frames of {scenes.images.shape[1:3]}, the model takes {size}; "
                "allowed: the same. Load them at that size"
            )
