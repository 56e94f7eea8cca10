"""What trained arms look at: attention and gradient on the digit, likeness of twins, margins."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from swta.data import DigitSet
from swta.intervals import Interval, paired_difference
from swta.vision.arms import ArmsResult
from swta.vision.embedding import embed_images, measure_cka
from swta.vision.images import filter_images, to_tensor
from swta.vision.models import prepend
from swta.vision.salience import (
    mask_digits,
    measure_attention_on_digit,
    measure_gradient_on_digit,
    roll_out_attention,
)


def measure_looks(
    result: ArmsResult,
    fronts: Mapping[str, nn.Module],
    digits: DigitSet,
    twins: DigitSet,
) -> pd.DataFrame:
    """How trained arms see digits on a ground: a row per arm and seed.

    ``gradient`` and ``attention``: share of the input gradient and of the rolled-out attention that
    falls on the digit, in %; ``area``: share of the image that is digit, what an even spread gives.
    ``cka``: similarity, 0 to 1, of the representations of the digits and of their clean twins.
    ``margin``: mean log-odds of the right class against the best wrong one, in nats.

    Args:
        result: trained models; arms whose front-end is fixed and differentiable.
        fronts: the filter of each arm.
        digits: digits on a ground; ``index`` is the row of the twin.
        twins: the whole clean split.
    """
    masks = mask_digits(digits, twins)
    clean = twins.images[digits.index]
    rows = []
    for arm, models in zip(result.arms, result.models, strict=True):
        pair = [filter_images(fronts[arm], images) for images in (digits.images, clean)]
        for seed, model in zip(result.seeds, models, strict=True):
            whole = prepend(fronts[arm], model)
            flat = nn.Sequential(fronts[arm], *model)
            gradient = measure_gradient_on_digit(whole, digits.images, masks, digits.labels)
            attention = measure_attention_on_digit(flat, digits.images, masks)
            cka = measure_cka(*(embed_images(model, images) for images in pair))
            margin = measure_margins(model, pair[0], digits.labels).mean()
            shares = [100.0 * s.mean() for s in (gradient, attention, masks)]
            rows.append((arm, seed, *shares, cka, margin))
    columns = ["arm", "seed", "gradient", "attention", "area", "cka", "margin"]
    return pd.DataFrame(rows, columns=columns)


def compare_looks(table: pd.DataFrame, measure: str, arm: str, baseline: str) -> Interval:
    """One measure of an arm less that of another, in its unit, paired over seeds."""
    scores = table.pivot(index="seed", columns="arm", values=measure)
    return paired_difference(scores[arm], scores[baseline])


def measure_margins(
    model: nn.Module, images: NDArray[np.float16], labels: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Log-odds of the right class against the best wrong one, in nats, (n,); images filtered."""
    model.eval()
    with torch.inference_mode():
        logits = torch.cat([model(part.float()) for part in torch.from_numpy(images).split(256)])
        own = logits.gather(1, torch.from_numpy(labels)[:, None])
        others = logits.scatter(1, torch.from_numpy(labels)[:, None], -torch.inf)
        margins = own[:, 0] - others.max(1).values
    return margins.numpy().astype(np.float64)


def map_attention(
    result: ArmsResult, fronts: Mapping[str, nn.Module], images: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Rolled-out attention (arms, n, rows, columns) and answers (arms, n) of the first seed."""
    maps, answers = [], []
    x = to_tensor(images)
    for arm, models in zip(result.arms, result.models, strict=True):
        flat = nn.Sequential(fronts[arm], *models[0]).eval()
        with torch.no_grad():
            maps.append(roll_out_attention(flat, x).numpy().astype(np.float64))
            answers.append(flat(x).argmax(1).numpy())
    return np.stack(maps), np.stack(answers)
