"""The experiment: every arm trained on the source digits alike, tested on digits it never saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from swta.data import DigitSet
from swta.intervals import (
    Interval,
    mean_interval,
    paired_difference,
    proportion_interval,
    ratio_interval,
)
from swta.validation import ParameterError, check_choice, check_integer
from swta.vision.contrast import Unfiltered
from swta.vision.images import filter_images, is_fixed
from swta.vision.keeping import Keeper, training_key
from swta.vision.models import TransformerParameters
from swta.vision.scores import steps_to_reach
from swta.vision.training import TrainingParameters, choose_device, measure_hits, train

Labelled = tuple[NDArray[np.float16], NDArray[np.int64]]  # filtered images and their labels


@dataclass(frozen=True)
class ArmsResult:
    """What came out: axes are arm, seed, then domain or check."""

    arms: tuple[str, ...]
    domains: tuple[str, ...]  # the source's test set first, then the targets
    seeds: tuple[int, ...]
    hits: NDArray[np.int64]  # (arms, seeds, domains) images classified rightly
    images: NDArray[np.int64]  # (domains,) images tested
    steps: NDArray[np.int64]  # (checks,) optimiser steps made
    validation_accuracy: NDArray[np.float64]  # (arms, seeds, checks) on held-out source digits

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """Share of images classified rightly, (arms, seeds, domains)."""
        return self.hits / self.images

    def at(self, arm: str) -> int:
        """Position of an arm on the first axis.

        Raises:
            ParameterError: no arm of that name.
        """
        return self.arms.index(check_choice("arm", arm, self.arms))

    @property
    def unseen(self) -> NDArray[np.float64]:
        """Mean accuracy over the targets, (arms, seeds)."""
        return self.accuracy[:, :, 1:].mean(-1)


@dataclass(frozen=True)
class _Job:
    source: Labelled
    validation: Labelled
    tests: tuple[Labelled, ...]
    transformer: TransformerParameters
    training: TrainingParameters
    seed: int
    device: str
    front: nn.Module | None  # only if the images could not be filtered beforehand
    keeper: Keeper | None


def train_arms(
    fronts: Mapping[str, nn.Module],
    source: DigitSet,
    tests: Sequence[DigitSet],
    *,
    held_out: int,
    transformer: TransformerParameters,
    training: TrainingParameters,
    seeds: Sequence[int],
    workers: int = 1,
    device: str = "cpu",
    keep: Path | None = None,
) -> ArmsResult:
    """Train and test the same transformer behind each front-end, with the same seeds.

    Each data set passes each fixed filter once; a front-end that is trained or random becomes part
    of the model instead. On the CPU every training has one thread, so the
    numbers do not depend on ``workers``.

    Args:
        fronts: the arms: name to filter, (B, 3, H, W) in [0, 1] to (B, 3, H, W).
        source: training digits; the last ``held_out`` of them are kept for validation.
        tests: test sets, that of the source first.
        transformer, training: the same for every arm.
        seeds: one training per arm and seed.
        workers: trainings at a time, each in a process of its own if more than one.
        device: torch device; anything but ``cpu`` wants one worker.
        keep: folder for what a killed run need not repeat: trainings that are finished, and how
            far the others got. Without it a killed run begins anew.

    Raises:
        ParameterError: no arm, seed or test, too few source digits, workers that share a GPU, or a
            device that is not there.
        RuntimeError: the process of a training was killed.
    """
    check_integer("held_out", held_out, low=1, high=len(source) - 1)
    check_integer("workers", workers, low=1)
    if not fronts or not tests or not seeds:
        raise ParameterError(
            f"{len(fronts)} arms, {len(tests)} test sets and {len(seeds)} seeds; allowed: at "
            "least one of each"
        )
    device = choose_device(device) if device == "auto" else device
    if device != "cpu" and workers > 1:
        raise ParameterError(f"workers = {workers} would share {device}; allowed: 1 on a GPU")
    choose_device(device)
    cut = len(source) - held_out
    jobs = []
    for front in fronts.values():
        fixed = is_fixed(front)
        before = front if fixed else Unfiltered()
        within = None if fixed else front
        x = filter_images(before, source.images)
        sets = tuple((filter_images(before, t.images), t.labels) for t in tests)
        kept = (x[:cut], source.labels[:cut]), (x[cut:], source.labels[cut:])
        what = (*kept[0], *kept[1], *(array for pair in sets for array in pair))
        made = (
            ()
            if keep is None
            else (training_key(*what, transformer, training, device, front=within),)
        )
        for seed in seeds:
            keeper = None if keep is None else Keeper(keep, training_key(*made, int(seed)))
            jobs.append(_Job(*kept, sets, transformer, training, seed, device, within, keeper))
    results = _run(jobs, workers)
    shape = (len(fronts), len(seeds), -1)
    return ArmsResult(
        arms=tuple(fronts),
        domains=tuple(t.name for t in tests),
        seeds=tuple(int(s) for s in seeds),
        hits=np.stack([r[2] for r in results]).reshape(shape),
        images=np.array([len(t) for t in tests]),
        steps=results[0][0],
        validation_accuracy=np.stack([r[1] for r in results]).reshape(shape),
    )


def tabulate_accuracy(result: ArmsResult) -> pd.DataFrame:
    """One row per arm, seed and test set: accuracy in % with its 95 % interval over images."""
    rows = []
    for (a, arm), (s, seed), (d, domain) in product(
        enumerate(result.arms), enumerate(result.seeds), enumerate(result.domains)
    ):
        share = proportion_interval(int(result.hits[a, s, d]), int(result.images[d]))
        percent = (100.0 * v for v in (share.value, share.low, share.high))
        rows.append((arm, seed, domain, *percent, share.n))
    columns = ["arm", "seed", "test_set", "accuracy", "low", "high", "n_images"]
    return pd.DataFrame(rows, columns=columns)


def summarise_accuracy(result: ArmsResult) -> pd.DataFrame:
    """Mean accuracy in % ± half of the 95 % interval over seeds: a row per arm, as text."""
    scores = np.concatenate([result.accuracy, result.unseen[:, :, None]], axis=2)
    rows = []
    for arm in 100.0 * scores:
        means = [mean_interval(seeds) for seeds in arm.T]
        rows.append([f"{m.value:.1f} ± {m.high - m.value:.1f}" for m in means])
    return pd.DataFrame(rows, index=list(result.arms), columns=[*result.domains, "all unseen"])


def tabulate_learning(result: ArmsResult) -> pd.DataFrame:
    """One row per arm, seed and check: steps made and held-out source accuracy in %."""
    rows = [
        (arm, seed, step, 100.0 * result.validation_accuracy[a, s, c])
        for (a, arm), (s, seed), (c, step) in product(
            enumerate(result.arms), enumerate(result.seeds), enumerate(result.steps)
        )
    ]
    return pd.DataFrame(rows, columns=["arm", "seed", "step", "accuracy"])


def find_best_control(result: ArmsResult, controls: Sequence[str]) -> str:
    """The control with the highest mean unseen accuracy: the hardest one to beat."""
    return max(controls, key=lambda name: result.unseen[result.at(name)].mean())


def measure_gain(
    result: ArmsResult, arm: str, baseline: str, *, domain: str | None = None
) -> Interval:
    """Accuracy of an arm less that of another, in points, paired over seeds.

    ``domain`` names one test set; without it the mean over the targets is compared.
    """
    if domain is None:
        scores = result.unseen
    else:
        scores = result.accuracy[
            :, :, result.domains.index(check_choice("domain", domain, result.domains))
        ]
    return paired_difference(100.0 * scores[result.at(arm)], 100.0 * scores[result.at(baseline)])


def measure_gains(result: ArmsResult, arm: str, baseline: str) -> dict[str, Interval]:
    """`measure_gain` for every test set, the source first, and for ``all unseen`` of them."""
    gains = {d: measure_gain(result, arm, baseline, domain=d) for d in result.domains}
    return gains | {"all unseen": measure_gain(result, arm, baseline)}


def measure_steps(result: ArmsResult, *, baseline: str) -> NDArray[np.float64]:
    """Steps to the accuracy that the baseline's training with the same seed ends with.

    Shape (arms, seeds); accuracies are those on held-out source digits. Inf where an arm never
    gets there.
    """
    final = result.validation_accuracy[result.at(baseline), :, -1]
    return np.array(
        [
            [
                steps_to_reach(result.steps, curve, threshold)
                for curve, threshold in zip(curves, final, strict=True)
            ]
            for curves in result.validation_accuracy
        ]
    )


def measure_steps_ratio(result: ArmsResult, arm: str, *, baseline: str) -> Interval:
    """Steps of an arm to the baseline's final source accuracy over those of the baseline.

    The ratio is dimensionless, paired over seeds. A training that never gets there counts with all
    its steps, which flatters the arm: look at `measure_steps` for such cases.
    """
    steps = np.minimum(measure_steps(result, baseline=baseline), result.steps[-1])
    return ratio_interval(steps[result.at(arm)] / steps[result.at(baseline)])


def count_flops(module: nn.Module, shape: tuple[int, int, int]) -> int:
    """Floating-point operations of one forward pass in training mode for one image (C, H, W).

    Convolutions and products of matrices are counted, two operations per multiply-add. The filter
    is counted as it runs where gradients are wanted, which is the dearer of its two ways.
    """
    was_training = module.training
    module.train()
    with torch.enable_grad(), FlopCounterMode(display=False) as counter:
        module(torch.rand(2, *shape).requires_grad_())
    module.train(was_training)
    return counter.get_total_flops() // 2


def _run(jobs: Sequence[_Job], workers: int) -> list[tuple[NDArray, NDArray, NDArray]]:
    if workers == 1:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return [_train_one(job) for job in tqdm(jobs, desc="trainings", disable=None)]
        finally:
            torch.set_num_threads(threads)
    with ProcessPoolExecutor(
        min(workers, len(jobs)), get_context("spawn"), torch.set_num_threads, (1,)
    ) as pool:
        trained = pool.map(_train_one, jobs)
        try:
            return list(tqdm(trained, total=len(jobs), desc="trainings", disable=None))
        except BrokenProcessPool:
            raise RuntimeError(
                f"the process of a training was killed (out of memory?); {workers} workers may be "
                "too many. Run the same again: with a folder to keep them in, the trainings that "
                "are finished are not repeated"
            ) from None


def _train_one(job: _Job) -> tuple[NDArray, NDArray, NDArray]:
    if job.keeper is not None and (stored := job.keeper.load_result()) is not None:
        return stored["steps"], stored["validation_accuracy"], stored["hits"]
    result = train(
        *job.source,
        job.validation,
        transformer=job.transformer,
        training=job.training,
        seed=job.seed,
        device=job.device,
        front=job.front,
        keeper=job.keeper,
    )
    hits = np.array([measure_hits(result.model, x, y) for x, y in job.tests])
    if job.keeper is not None:
        job.keeper.save_result(
            {"steps": result.steps, "validation_accuracy": result.validation_accuracy, "hits": hits}
        )
    return result.steps, result.validation_accuracy, hits
