"""The results of arms trained alike: accuracies, gains paired over seeds, speed of learning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import nn

from swta.intervals import (
    Interval,
    mean_interval,
    paired_difference,
    proportion_interval,
    ratio_interval,
)
from swta.validation import ParameterError, check_choice
from swta.vision.scores import steps_to_reach


@dataclass(frozen=True)
class ArmsResult:
    """What came out: axes are arm, seed, then domain or check."""

    arms: tuple[str, ...]
    domains: tuple[str, ...]  # the source's test set first, then the targets, then other sets
    seeds: tuple[int, ...]
    hits: NDArray[np.int64]  # (arms, seeds, domains) images classified rightly
    images: NDArray[np.int64]  # (domains,) images tested
    steps: NDArray[np.int64]  # (checks,) optimiser steps made
    validation_accuracy: NDArray[np.float64]  # (arms, seeds, checks) on held-out source digits
    others: tuple[str, ...] = ()  # domains that are no targets: corrupted source digits
    models: tuple[tuple[nn.Sequential, ...], ...] = ()  # (arms, seeds); they take filtered images
    # (arms, seeds, checks) mean accuracy on the first images of the targets; None: not watched
    unseen_along: NDArray[np.float64] | None = None

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

    def on(self, domain: str) -> NDArray[np.float64]:
        """Accuracy on one test set, (arms, seeds).

        Raises:
            ParameterError: no test set of that name.
        """
        return self.accuracy[:, :, self.domains.index(check_choice("domain", domain, self.domains))]

    @property
    def main(self) -> tuple[str, ...]:
        """The source's test set and the targets."""
        return tuple(d for d in self.domains if d not in self.others)

    @property
    def unseen(self) -> NDArray[np.float64]:
        """Mean accuracy over the targets, (arms, seeds)."""
        return np.mean([self.on(target) for target in self.main[1:]], axis=0)


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
    scores = np.stack([*map(result.on, result.main), result.unseen], axis=2)
    rows = []
    for arm in 100.0 * scores:
        means = [mean_interval(seeds) for seeds in arm.T]
        rows.append([f"{m.value:.1f} ± {m.high - m.value:.1f}" for m in means])
    return pd.DataFrame(rows, index=list(result.arms), columns=[*result.main, "all unseen"])


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
    scores = result.unseen if domain is None else result.on(domain)
    return paired_difference(100.0 * scores[result.at(arm)], 100.0 * scores[result.at(baseline)])


def measure_gains(result: ArmsResult, arm: str, baseline: str) -> dict[str, Interval]:
    """`measure_gain` for every test set, the source first, and for ``all unseen`` of them."""
    gains = {d: measure_gain(result, arm, baseline, domain=d) for d in result.main}
    return gains | {"all unseen": measure_gain(result, arm, baseline)}


def measure_steps(result: ArmsResult, *, baseline: str, on: str = "source") -> NDArray[np.float64]:
    """Steps to what the baseline's training with the same seed comes to, (arms, seeds).

    Inf where an arm never gets there.

    Args:
        on: ``source``, the accuracy on held-out source digits that the baseline ends with; or
            ``unseen``, the best mean accuracy on the targets that it has on its way.

    Raises:
        ParameterError: another name, or targets that were not watched.
    """
    if check_choice("on", on, ("source", "unseen")) == "source":
        courses = result.validation_accuracy
        wanted = courses[result.at(baseline), :, -1]
    elif result.unseen_along is None:
        raise ParameterError("the targets were not watched; allowed: with watch ≥ 1 in training")
    else:
        courses = result.unseen_along
        wanted = courses[result.at(baseline)].max(axis=1)
    return np.array(
        [
            [
                steps_to_reach(result.steps, curve, threshold)
                for curve, threshold in zip(curves, wanted, strict=True)
            ]
            for curves in courses
        ]
    )


def measure_steps_ratio(
    result: ArmsResult, arm: str, *, baseline: str, on: str = "source"
) -> Interval:
    """Steps of an arm to what the baseline comes to, over those of the baseline.

    The ratio is dimensionless, paired over seeds. A training that never gets there counts with all
    its steps, which flatters the arm: look at `measure_steps` for such cases, and for ``on``.
    """
    steps = np.minimum(measure_steps(result, baseline=baseline, on=on), result.steps[-1])
    return ratio_interval(steps[result.at(arm)] / steps[result.at(baseline)])


def choose_trainings(results: Mapping[str, ArmsResult], by: str | None = None) -> dict[str, str]:
    """The training under which each arm does best on held-out source digits, by arm.

    Args:
        results: the same arms under several trainings, by the training's name.
        by: a test set made of held-out source digits; without it the digits as they are.

    Raises:
        ParameterError: no training, or a target, which must not decide.
    """
    _check_trainings(results)
    first = next(iter(results.values()))
    if by is not None and by not in first.others:
        raise ParameterError(
            f"by = {by!r} must not choose a training; allowed: {', '.join(first.others) or 'None'}"
        )

    def score(name: str, arm: str) -> float:
        result = results[name]
        scores = result.validation_accuracy[:, :, -1] if by is None else result.on(by)
        return float(scores[result.at(arm)].mean())

    return {arm: max(results, key=lambda name: score(name, arm)) for arm in first.arms}


def pick_trainings(results: Mapping[str, ArmsResult], chosen: Mapping[str, str]) -> ArmsResult:
    """One result with every arm under the training that was chosen for it."""
    _check_trainings(results)
    return join_arms([select_arm(results[name], arm) for arm, name in chosen.items()])


def select_arm(result: ArmsResult, arm: str) -> ArmsResult:
    """One arm of a result."""
    i = result.at(arm)
    return replace(
        result,
        arms=(arm,),
        hits=result.hits[i : i + 1],
        validation_accuracy=result.validation_accuracy[i : i + 1],
        models=result.models[i : i + 1],
        unseen_along=None if result.unseen_along is None else result.unseen_along[i : i + 1],
    )


def join_arms(results: Sequence[ArmsResult]) -> ArmsResult:
    """Arms of several results as one; their steps, seeds and test sets must be the same.

    Raises:
        ParameterError: they are not.
    """
    first = results[0]
    for r in results:
        same = r.seeds == first.seeds and r.domains == first.domains
        if not same or not np.array_equal(r.steps, first.steps):
            raise ParameterError(
                "the results have other seeds, test sets or steps; allowed: the same in all"
            )
    along = [r.unseen_along for r in results if r.unseen_along is not None]
    return replace(
        first,
        arms=tuple(arm for r in results for arm in r.arms),
        hits=np.concatenate([r.hits for r in results]),
        validation_accuracy=np.concatenate([r.validation_accuracy for r in results]),
        models=tuple(models for r in results for models in r.models),
        unseen_along=np.concatenate(along) if len(along) == len(results) else None,
    )


def tabulate_trainings(results: Mapping[str, ArmsResult]) -> pd.DataFrame:
    """Every arm under every training: mean accuracy in % over seeds, a row each."""
    rows = [
        {"arm": arm, "training": name}
        | {"held out": 100.0 * result.validation_accuracy[a, :, -1].mean()}
        | {other: 100.0 * result.on(other)[a].mean() for other in result.others}
        | {domain: 100.0 * result.on(domain)[a].mean() for domain in result.main}
        | {"all unseen": 100.0 * result.unseen[a].mean()}
        for name, result in results.items()
        for a, arm in enumerate(result.arms)
    ]
    return pd.DataFrame(rows)


def _check_trainings(results: Mapping[str, ArmsResult]) -> None:
    if not results:
        raise ParameterError("no training; allowed: at least one")
    first = next(iter(results.values()))
    if any(r.arms != first.arms or r.seeds != first.seeds for r in results.values()):
        raise ParameterError("trainings have other arms or seeds; allowed: the same in all of them")
