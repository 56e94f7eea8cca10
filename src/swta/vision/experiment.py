"""The experiment: every arm trained on the source digits alike, tested on digits it never saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from swta.data import DigitSet
from swta.validation import ParameterError, check_integer
from swta.vision.arms import ArmsResult, join_arms
from swta.vision.augment import Deformation, deform_images
from swta.vision.contrast import Unfiltered
from swta.vision.distributed import Ranks, find_ranks
from swta.vision.images import filter_images, is_fixed
from swta.vision.machine import Machine
from swta.vision.models import TransformerParameters
from swta.vision.training import Labelled, TrainingParameters, assemble, measure_hits, train

_J = TypeVar("_J")
_R = TypeVar("_R")
# of one seed: optimiser steps, accuracy at these on held-out digits, hits per test set, mean
# accuracy at these on targets, the model
_Trained = tuple[NDArray, NDArray, NDArray, NDArray, nn.Sequential]


@dataclass(frozen=True)
class _Job:
    source: Labelled
    validation: Labelled
    tests: tuple[Labelled, ...]
    transformer: TransformerParameters
    training: TrainingParameters
    seeds: tuple[int, ...]
    machine: Machine
    front: nn.Module | None  # only if the images could not be filtered beforehand
    checkpoint: Path | None
    watched: tuple[Labelled, ...]


def train_arms(
    fronts: Mapping[str, nn.Module],
    source: DigitSet,
    tests: Sequence[DigitSet],
    *,
    held_out: int,
    transformer: TransformerParameters,
    trainings: Mapping[str, TrainingParameters],
    seeds: Sequence[int],
    others: Sequence[DigitSet] = (),
    deformation: Deformation | None = None,
    workers: Workers | int = 1,
    machine: Machine | None = None,
    folder: Path | None = None,
    watch: int = 0,
) -> dict[str, ArmsResult]:
    """Train and test the same transformer behind each front-end, under each training.

    Each data set passes each fixed filter once; a front-end that is trained or random becomes part
    of the model instead. On the CPU every training has one thread, so the numbers do not depend on
    ``workers``. With a ``folder`` an interrupted call goes on where it was.

    Under torchrun all processes make this call and have its result. Whole trainings are spread over
    them; where there are fewer trainings than processes, all share the images of each step.

    Args:
        fronts: the arms: name to filter, (B, 3, H, W) in [0, 1] to (B, 3, H, W).
        source: training digits; the last ``held_out`` of them are kept for validation.
        tests: test sets, that of the source first, then the targets.
        transformer: the same for every arm.
        trainings: each arm is trained in each of these ways.
        seeds: one model per arm, training and seed; a stacked machine trains them together.
        others: more test sets, which are no targets.
        deformation: versions of the training images, the same in every arm; by default none.
        workers: trainings at a time, each in a process of its own if more than one; or the
            processes, to be used again. Under torchrun each process trains by itself.
        machine: what to compute on; anything but the CPU wants one worker.
        folder: where checkpoints are kept, one file per arm, training and group of seeds.
        watch: images of each target that are looked at along the training, too; nothing depends
            on them.

    Returns:
        A result per training, under its name.

    Raises:
        ParameterError: no arm, seed, test or training, too few source digits, or workers that
            share a GPU.
        CheckpointError: a folder with checkpoints of another configuration.
    """
    found = _train_all(
        fronts, {arm: trainings for arm in fronts}, source, tests, held_out=held_out,
        transformer=transformer, seeds=seeds, others=others, deformation=deformation,
        workers=workers, machine=machine, folder=folder, watch=watch,
    )  # fmt: skip
    return {name: join_arms([found[arm, name] for arm in fronts]) for name in trainings}


def train_chosen(
    fronts: Mapping[str, nn.Module],
    chosen: Mapping[str, TrainingParameters],
    source: DigitSet,
    tests: Sequence[DigitSet],
    **choices: Any,
) -> ArmsResult:
    """`train_arms` with one training for each arm, its own; ``choices`` are passed on to it."""
    own = {arm: {"own": chosen[arm]} for arm in fronts}
    return join_arms(list(_train_all(fronts, own, source, tests, **choices).values()))


def _train_all(
    fronts: Mapping[str, nn.Module],
    trainings: Mapping[str, Mapping[str, TrainingParameters]],
    source: DigitSet,
    tests: Sequence[DigitSet],
    *,
    held_out: int,
    transformer: TransformerParameters,
    seeds: Sequence[int],
    others: Sequence[DigitSet] = (),
    deformation: Deformation | None = None,
    workers: Workers | int = 1,
    machine: Machine | None = None,
    folder: Path | None = None,
    watch: int = 0,
) -> dict[tuple[str, str], ArmsResult]:
    """A result for each arm and each of its trainings, all of them shared out at once."""
    check_integer("held_out", held_out, low=1, high=len(source) - 1)
    check_integer("watch", watch, low=0)
    counts = [len(fronts), len(tests), len(seeds), min(map(len, trainings.values()), default=0)]
    if not all(counts):
        raise ParameterError(
            "{} arms, {} test sets, {} seeds and {} trainings; allowed: at least one of "
            "each".format(*counts)
        )
    machine = machine or Machine()
    pool = workers if isinstance(workers, Workers) else Workers(workers)
    if machine.device != "cpu" and pool.count > 1:
        raise ParameterError(
            f"workers = {pool.count} would share {machine.device}; allowed: 1 on a GPU"
        )
    cut = len(source) - held_out
    versions = deform_images(source.images[:cut], deformation or Deformation(versions=1))
    groups = [tuple(seeds)] if machine.stacked else [(seed,) for seed in seeds]
    sets = [*tests, *others]

    @lru_cache(maxsize=1)
    def list_jobs(arm: str) -> list[_Job]:
        front = fronts[arm]
        fixed = is_fixed(front)
        before = front if fixed else Unfiltered()
        learnt = np.stack([filter_images(before, v) for v in versions]), source.labels[:cut]
        held = filter_images(before, source.images[cut:]), source.labels[cut:]
        seen = tuple((filter_images(before, t.images), t.labels) for t in sets)
        watched = tuple((x[:watch], y[:watch]) for x, y in seen[1 : len(tests)] if watch)
        return [
            _Job(
                learnt, held, seen, transformer, training, group, machine, None if fixed else front,
                folder and folder / f"{arm}-{name}-{'-'.join(map(str, group))}.pt", watched,
            )
            for name, training in trainings[arm].items()
            for group in groups
        ]  # fmt: skip

    plans = [
        (arm, i, training, group)
        for arm in fronts
        for i, (training, group) in enumerate(product(trainings[arm].values(), groups))
    ]
    ranks = find_ranks(machine.device)
    own = nullcontext() if pool is workers else pool
    if ranks is None:
        with own, tqdm(total=len(plans), desc="trainings", disable=None) as bar:
            waiting = []
            for arm, i, *_ in plans:
                future = pool.submit(_train_group, list_jobs(arm)[i])
                future.add_done_callback(lambda _: bar.update())
                waiting.append(future)
            found = [trained for future in waiting for trained in future.result()]
    elif len(plans) < ranks.size and all(map(is_fixed, fronts.values())):
        found = [t for arm, i, *_ in plans for t in _train_alone(list_jobs(arm)[i], ranks)]
    else:
        sent = ranks.spread(
            len(plans), lambda k: _pack(_train_alone(list_jobs(plans[k][0])[plans[k][1]]))
        )
        found = [
            each
            for (arm, _, training, group), packed in zip(plans, sent, strict=True)
            for each in _unpack(
                packed, None if is_fixed(fronts[arm]) else fronts[arm], transformer, training, group
            )
        ]
    results = {}
    left = iter(found)
    for arm in fronts:
        for name in trainings[arm]:
            steps, accuracy, hits, along, models = zip(*islice(left, len(seeds)), strict=True)
            results[arm, name] = ArmsResult(
                arms=(arm,),
                domains=tuple(t.name for t in sets),
                seeds=tuple(int(s) for s in seeds),
                hits=np.stack(hits)[None],
                images=np.array([len(t) for t in sets]),
                steps=steps[0],
                validation_accuracy=np.stack(accuracy)[None],
                others=tuple(t.name for t in others),
                models=(models,),
                unseen_along=np.stack(along)[None] if watch else None,
            )
    return results


class Workers(AbstractContextManager):
    """Processes that train, started when first needed; with one, this process does it itself.

    Each computes with one thread.

    Args:
        count: trainings at a time.
    """

    def __init__(self, count: int) -> None:
        self.count = check_integer("workers", count, low=1)
        self._pool: ProcessPoolExecutor | None = None

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes; what has not begun is left out."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def submit(self, function: Callable[[_J], _R], job: _J) -> Future[_R]:
        """Do a job, now or as soon as a process is free."""
        if self.count > 1:
            if self._pool is None:
                start = get_context("spawn")
                self._pool = ProcessPoolExecutor(self.count, start, torch.set_num_threads, (1,))
            return self._pool.submit(function, job)
        future: Future[_R] = Future()
        with _one_thread():
            future.set_result(function(job))
        return future


def _train_alone(job: _Job, ranks: Ranks | None = None) -> list[_Trained]:
    """`_train_group` in this process, with one thread."""
    with _one_thread():
        return _train_group(job, ranks)


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _train_group(job: _Job, ranks: Ranks | None = None) -> list[_Trained]:
    results = train(
        *job.source,
        job.validation,
        transformer=job.transformer,
        training=job.training,
        seeds=job.seeds,
        machine=job.machine,
        front=job.front,
        checkpoint=job.checkpoint,
        ranks=ranks,
        watched=job.watched,
    )
    found: list[_Trained] = []
    for result in results:
        hits = np.array([measure_hits(result.model, x, y, ranks=ranks) for x, y in job.tests])
        targets = result.watched.mean(1) if job.watched else np.zeros(len(result.steps))
        found.append((result.steps, result.validation_accuracy, hits, targets, result.model.cpu()))
    return found


def _pack(found: list[_Trained]) -> list[dict[str, Any]]:
    """Trained models and their numbers as what one process can send to another."""
    return [
        {"numbers": [torch.from_numpy(np.asarray(n)) for n in numbers], "model": model.state_dict()}
        for *numbers, model in found
    ]


def _unpack(
    packed: list[dict[str, Any]],
    front: nn.Module | None,
    transformer: TransformerParameters,
    training: TrainingParameters,
    seeds: Sequence[int],
) -> Iterator[_Trained]:
    """What `_pack` was given; ``front`` is a front-end that is part of the models."""
    side = transformer.image_size
    for each, seed in zip(packed, seeds, strict=True):
        blank = torch.zeros(2, 3, side, side)
        model = assemble(front, blank, training.fano, transformer, seed)
        model.load_state_dict(each["model"])
        steps, accuracy, hits, targets = (n.numpy() for n in each["numbers"])
        yield steps, accuracy, hits, targets, model.eval()
