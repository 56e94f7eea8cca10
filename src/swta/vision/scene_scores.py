"""How well pixels are classified: intersection over union, its intervals, calibration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from swta.intervals import Interval
from swta.validation import ParameterError, check_integer

N_BINS = 10  # of confidence, from 0 to 1
BLOCK = 10  # frames drawn together in the bootstrap: neighbours of a film are alike
Counts = NDArray[np.int64]


def count_confusion(truth: NDArray, found: NDArray, n_classes: int) -> Counts:
    """Pixels by true (rows) and found class, (n, K, K), of label maps (n, H, W).

    Pixels whose true label is ``n_classes`` or above (void) do not count.

    Raises:
        ParameterError: maps of different shape.
    """
    if truth.shape != found.shape:
        raise ParameterError(f"truth {truth.shape} and found {found.shape}; allowed: one shape")
    k = check_integer("n_classes", n_classes, low=1)
    frame = np.arange(len(truth))[:, None, None]
    code = (frame * k + truth.astype(np.int64)) * k + found
    counts = np.bincount(code[truth < k], minlength=len(truth) * k * k)
    return counts.reshape(-1, k, k).astype(np.int64)


def measure_iou(confusion: NDArray) -> NDArray[np.float64]:
    """Intersection over union of each class in %, (…, K), from confusion (…, K, K).

    NaN where a class does not occur in the truth: it cannot be found, only missed.
    """
    hit = np.diagonal(confusion, axis1=-2, axis2=-1).astype(np.float64)
    true, found = confusion.sum(-1), confusion.sum(-2)
    with np.errstate(invalid="ignore"):
        return np.where(true > 0, 100.0 * hit / (true + found - hit), np.nan)


def measure_miou(confusion: NDArray) -> NDArray[np.float64]:
    """Mean IoU in %, (…), over the classes that occur in the truth, from confusion (…, K, K)."""
    iou = measure_iou(confusion)
    there = np.isfinite(iou)
    return np.where(there, iou, 0.0).sum(-1) / there.sum(-1)


def bootstrap_miou(
    confusions: NDArray, baselines: NDArray | None = None, *, n: int = 2000, seed: int = 0
) -> Interval:
    """Mean IoU over seeds in %, or what it gains over a baseline's, with its 95 % interval.

    The interval is that of a bootstrap over seeds and over blocks of ``BLOCK`` successive frames
    (of a fifth of the frames, if these are few), the same seeds and frames for both; ``n`` of the
    interval is the number of seeds. Where a resample has no pixel of a rare class, its mean is over
    the others. Percentiles; an end that would leave the estimate out is moved to it.

    Args:
        confusions: (conditions, seeds, frames, K, K), or without the first axis; the mean over
            conditions is taken.
        baselines: of the same shape.
        n: resamples.
        seed: of the resamples.

    Raises:
        ParameterError: shapes that differ.
    """
    if baselines is not None and baselines.shape != confusions.shape:
        raise ParameterError(
            f"confusions of shape {confusions.shape} and baselines of shape {baselines.shape} do "
            "not pair up; allowed: the same seeds and frames"
        )
    both = [confusions] if baselines is None else [confusions, baselines]
    both = [c[None] if c.ndim == 4 else c for c in both]
    _, seeds, frames, _, _ = both[0].shape
    draw = np.random.default_rng(seed)
    block = min(BLOCK, max(1, frames // 5))
    starts = draw.integers(0, frames, (n, -(-frames // block)))
    chosen = ((starts[:, :, None] + np.arange(block)) % frames).reshape(n, -1)[:, :frames]
    weight = np.stack([np.bincount(row, minlength=frames) for row in chosen]).astype(float)
    which = draw.integers(0, seeds, (n, seeds))

    def mean(conf: NDArray, weights: NDArray) -> NDArray:
        """Mean IoU over conditions for each row of weights over frames, (rows, seeds)."""
        sums = np.einsum("rf,csfij->rcsij", weights, conf, optimize=True)
        return measure_miou(sums).mean(1)

    value = [mean(c, np.ones((1, frames)))[0] for c in both]
    drawn = [np.take_along_axis(mean(c, weight), which, 1).mean(1) for c in both]
    if baselines is None:
        middle, spread = value[0].mean(), drawn[0]
    else:
        middle, spread = (value[0] - value[1]).mean(), drawn[0] - drawn[1]
    low, high = np.percentile(spread, [2.5, 97.5])
    return Interval(float(middle), float(min(low, middle)), float(max(high, middle)), seeds)


def count_reliability(confidence: NDArray, right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Pixels, hits and summed confidence by bin of confidence, (bins, 3), of pixels (n,)."""
    place = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    columns = [np.bincount(place, weights=w, minlength=N_BINS)
               for w in (np.ones_like(confidence), right, confidence)]  # fmt: skip
    return np.stack(columns, axis=1)


def measure_calibration_error(reliability: NDArray) -> float:
    """Expected calibration error in points: mean |accuracy − confidence| over pixels, binned.

    Naeini et al. 2015, AAAI; ``reliability`` (bins, 3) from `count_reliability`.
    """
    pixels, hits, confidence = reliability.T
    return float(100.0 * np.abs(hits - confidence).sum() / pixels.sum())


def measure_auroc(positive: NDArray, negative: NDArray) -> float:
    """Area under the ROC curve of a score that is higher for ``positive``, 0 to 1."""
    a, b = np.asarray(positive, float), np.asarray(negative, float)
    above = (a[:, None] > b).mean() + 0.5 * (a[:, None] == b).mean()
    return float(above)
