"""Smaller experiments around the main one: lesions, other sources, fewer images, unseen classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from torch import nn

from swta.data import DigitSet, load_digits, select_digits
from swta.intervals import Interval, mean_interval, paired_difference
from swta.validation import ParameterError, check_integer
from swta.vision.arms import ArmsResult
from swta.vision.embedding import classify_by_prototypes, embed_images, measure_few_shot
from swta.vision.experiment import train_chosen
from swta.vision.images import filter_images, is_fixed
from swta.vision.models import TransformerParameters
from swta.vision.training import TrainingParameters

KNOWN: Final = 5  # classes 0 … 4 are trained, the others are not


def measure_corruptions(result: ArmsResult, arm: str, baseline: str) -> dict[str, Interval]:
    """Gain on each corrupted set in points, paired over seeds, and ``all`` for their mean.

    Corrupted sets are the other sets of the result that are named after the source.
    """
    prefix = f"{result.domains[0]}_"
    names = [name for name in result.others if name.startswith(prefix)]
    if not names:
        raise ParameterError(
            f"no corrupted set of {result.domains[0]} was tested; allowed: at least one. Give the "
            "corrupted digits as others"
        )
    a, b = result.at(arm), result.at(baseline)
    scores = {name.removeprefix(prefix): 100.0 * result.on(name) for name in names}
    gains = {name: paired_difference(s[a], s[b]) for name, s in scores.items()}
    mean = np.mean(list(scores.values()), axis=0)
    return gains | {"all": paired_difference(mean[a], mean[b])}


def load_transfer_sets(
    names: Sequence[str], *, n_train: int, n_test: int
) -> dict[str, tuple[DigitSet, DigitSet]]:
    """Training and test digits of each source, by name; at most ``n_train`` and ``n_test`` each.

    SVHN has one split here, and neighbours come from one photograph: its first part is trained on,
    its last tested.
    """
    check_integer("n_train", n_train, low=1)
    check_integer("n_test", n_test, low=1)
    sets = {}
    for name in names:
        if name == "svhn":
            whole = load_digits(name, "test")
            cut = min(n_train, len(whole) * 7 // 10)
            rows = np.arange(len(whole))
            after = rows[max(cut, len(whole) - n_test) :]
            sets[name] = select_digits(whole, rows[:cut]), select_digits(whole, after)
        else:
            sets[name] = (
                load_digits(name, "train", limit=n_train),
                load_digits(name, "test", limit=n_test),
            )
    return sets


def train_transfer(
    fronts: Mapping[str, nn.Module],
    chosen: Mapping[str, TrainingParameters],
    sets: Mapping[str, tuple[DigitSet, DigitSet]],
    *,
    folder: Path | None = None,
    **choices: Any,
) -> dict[str, ArmsResult]:
    """Train on each source and test on all: a result per source, the source's test set first."""
    results = {}
    for name, (source, own) in sets.items():
        tests = [own, *(test for other, (_, test) in sets.items() if other != name)]
        held_out = max(1, len(source) // 10)
        results[name] = train_chosen(
            fronts, chosen, source, tests, held_out=held_out, folder=folder and folder / name,
            **choices,
        )  # fmt: skip
    return results


def tabulate_transfer(results: Mapping[str, ArmsResult], arm: str, baseline: str) -> pd.DataFrame:
    """A row per source and target: mean accuracies in %, gain in points with its 95 % interval."""
    rows = []
    for source, result in results.items():
        a, b = result.at(arm), result.at(baseline)
        for target in result.domains:
            scores = 100.0 * result.on(target)
            gain = paired_difference(scores[a], scores[b])
            rows.append((source, target, scores[b].mean(), scores[a].mean(), *gain))
    columns = ["source", "target", "baseline", "filtered", "gain", "low", "high", "n"]
    return pd.DataFrame(rows, columns=columns)


def measure_transfer(results: Mapping[str, ArmsResult], arm: str, baseline: str) -> Interval:
    """Mean gain in points over all pairs of different source and target, paired over seeds."""
    gains = [
        100.0 * (result.on(target)[result.at(arm)] - result.on(target)[result.at(baseline)])
        for result in results.values()
        for target in result.domains[1:]
    ]
    return mean_interval(np.mean(gains, axis=0))


def train_sizes(
    fronts: Mapping[str, nn.Module],
    chosen: Mapping[str, TrainingParameters],
    source: DigitSet,
    tests: Sequence[DigitSet],
    sizes: Sequence[int],
    *,
    reference: int,
    folder: Path | None = None,
    **choices: Any,
) -> dict[int, ArmsResult]:
    """Train on other numbers of images: a result per size.

    The last tenth of the source is held out for all sizes; the first images are trained on. Sizes
    below ``reference`` take as many steps as it would, larger ones as many epochs.
    """
    check_integer("reference", reference, low=1)
    held_out = max(1, len(source) // 10)
    rows = np.arange(len(source))
    results = {}
    for size in sizes:
        check_integer("size", size, low=1, high=len(source) - held_out)
        part = select_digits(source, np.concatenate([rows[:size], rows[-held_out:]]))
        more = max(1.0, reference / size)
        longer = {arm: replace(t, epochs=round(t.epochs * more)) for arm, t in chosen.items()}
        results[size] = train_chosen(
            fronts, longer, part, tests, held_out=held_out, folder=folder and folder / str(size),
            **choices,
        )  # fmt: skip
    return results


def tabulate_sizes(results: Mapping[int, ArmsResult]) -> pd.DataFrame:
    """A row per size and arm: accuracy in % on the source, and on unseen digits with interval."""
    rows = []
    for size, result in results.items():
        for a, arm in enumerate(result.arms):
            source = 100.0 * result.on(result.domains[0])[a].mean()
            rows.append((size, arm, source, *mean_interval(100.0 * result.unseen[a])))
    return pd.DataFrame(rows, columns=["images", "arm", "source", "unseen", "low", "high", "n"])


def train_known_classes(
    fronts: Mapping[str, nn.Module],
    chosen: Mapping[str, TrainingParameters],
    source: DigitSet,
    *,
    transformer: TransformerParameters,
    **choices: Any,
) -> ArmsResult:
    """Train on the digits 0 … 4 of the source alone; the last tenth is held out."""
    known = select_digits(source, source.labels < KNOWN)
    held_out = max(1, len(known) // 10)
    own = select_digits(known, np.arange(len(known) - held_out, len(known)))
    five = replace(transformer, n_classes=KNOWN)
    return train_chosen(
        fronts, chosen, known, [own], held_out=held_out, transformer=five, **choices
    )


def measure_unseen_classes(
    result: ArmsResult,
    fronts: Mapping[str, nn.Module],
    queries: Sequence[DigitSet],
    prototypes: DigitSet,
    *,
    shots: Sequence[int] = (1, 5),
) -> pd.DataFrame:
    """Accuracy in % on the digits 5 … 9 by nearest prototype: a row per arm, seed, set and shots.

    Shots 0: prototypes are means of ``prototypes``, digits of another source, so no labelled
    example of the queries' own source is used. Chance is 20 %.

    Args:
        result: models trained on the digits 0 … 4.
        fronts: the filter of each arm.
        queries: test sets; only their digits 5 … 9 are used.
        prototypes: labelled digits of a source that nothing was trained on.
        shots: labelled examples per class otherwise, drawn 20 times.
    """
    new = [select_digits(s, s.labels >= KNOWN) for s in (prototypes, *queries)]
    rows = []
    for arm, models in zip(result.arms, result.models, strict=True):
        fixed = is_fixed(fronts[arm])
        seen = [filter_images(fronts[arm] if fixed else nn.Identity(), s.images) for s in new]
        for seed, model in zip(result.seeds, models, strict=True):
            support, *vectors = (embed_images(model, images) for images in seen)
            for digits, x in zip(new[1:], vectors, strict=True):
                found = classify_by_prototypes(support, new[0].labels, x)
                score = {0: (found == digits.labels).mean()}
                for k in shots:
                    score[k] = measure_few_shot(x, digits.labels, shots=k, seed=seed).mean()
                rows += [(arm, seed, digits.name, k, 100.0 * s) for k, s in score.items()]
    return pd.DataFrame(rows, columns=["arm", "seed", "test_set", "shots", "accuracy"])


def compare_unseen_classes(table: pd.DataFrame, arm: str, baseline: str) -> pd.DataFrame:
    """Gain in points with its 95 % interval, paired over seeds: a row per test set and shots."""
    rows = []
    for (name, shots), part in table.groupby(["test_set", "shots"], sort=False):
        scores = part.pivot(index="seed", columns="arm", values="accuracy")
        gain = paired_difference(scores[arm], scores[baseline])
        rows.append((name, shots, scores[baseline].mean(), scores[arm].mean(), *gain))
    columns = ["test_set", "shots", "baseline", "filtered", "gain", "low", "high", "n"]
    return pd.DataFrame(rows, columns=columns)
