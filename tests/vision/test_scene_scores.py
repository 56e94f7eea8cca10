"""Scores of label maps against counts by hand."""

import numpy as np
import pytest

from swta.validation import ParameterError
from swta.vision import (
    bootstrap_miou,
    count_confusion,
    measure_auroc,
    measure_calibration_error,
    measure_iou,
    measure_miou,
)
from swta.vision.scene_scores import count_reliability

TRUTH = np.array([[[0, 0, 1], [1, 3, 3]]])  # 3 is void, class 2 does not occur
FOUND = np.array([[[0, 1, 1], [2, 0, 1]]])


def test_confusion_and_iou_by_hand():
    confusion = count_confusion(TRUTH, FOUND, 3)
    assert confusion.tolist() == [[[1, 1, 0], [0, 1, 1], [0, 0, 0]]]
    iou = measure_iou(confusion[0])
    # class 0: 1 hit of {0, 0} and {0}; class 1: 1 hit, 2 true, 2 found; class 2 is absent
    np.testing.assert_allclose(iou, [50.0, 100.0 / 3, np.nan])
    assert measure_miou(confusion[0]) == pytest.approx((50 + 100 / 3) / 2)
    with pytest.raises(ParameterError, match="one shape"):
        count_confusion(TRUTH, FOUND[:, :1], 3)


def test_a_perfect_map_has_100_percent_and_its_interval():
    confusion = count_confusion(TRUTH, np.minimum(TRUTH, 2), 3)
    found = bootstrap_miou(np.stack([confusion] * 3))
    assert tuple(found) == (100.0, 100.0, 100.0, 3)


def random_counts(right: float, seed: int, frames: int = 60, seeds: int = 4) -> np.ndarray:
    """(seeds, frames, 2, 2): each pixel of a class is right with a probability that frames vary."""
    draw = np.random.default_rng(seed)
    share = np.clip(right + 0.05 * draw.standard_normal((1, frames, 1)), 0, 1)
    hits = draw.binomial(400, np.broadcast_to(share, (seeds, frames, 2)))
    confusion = np.zeros((seeds, frames, 2, 2), np.int64)
    for c in range(2):
        confusion[..., c, c], confusion[..., c, 1 - c] = hits[..., c], 400 - hits[..., c]
    return confusion


def test_paired_intervals_hold_the_gain_and_cancel_what_frames_share():
    better, worse = random_counts(0.9, 0), random_counts(0.8, 0)
    # with p right in both classes the IoU is p / (2 - p)
    expected = 100 * (0.9 / 1.1 - 0.8 / 1.2)
    gain = bootstrap_miou(better, worse)
    assert gain.low < expected < gain.high and gain.low > 0 and gain.n == 4
    alone = bootstrap_miou(better)
    assert gain.high - gain.low < 0.5 * (alone.high - alone.low)
    same = bootstrap_miou(better, better)
    assert tuple(same)[:3] == (0.0, 0.0, 0.0)
    both = bootstrap_miou(np.stack([better, worse]), np.stack([worse, worse]))
    assert both.value == pytest.approx(gain.value / 2)
    with pytest.raises(ParameterError, match="pair up"):
        bootstrap_miou(better, worse[:2])


def test_seeds_and_neighbouring_frames_widen_the_interval():
    base = np.tile(random_counts(0.8, 1, frames=1, seeds=1), (4, 100, 1, 1))
    other = np.tile(random_counts(0.9, 2, frames=1, seeds=1), (1, 100, 1, 1))
    assert bootstrap_miou(base).high == pytest.approx(bootstrap_miou(base).low)
    differing = base.copy()
    differing[0] = other[0]  # one seed of four is better on every frame
    found = bootstrap_miou(differing)
    assert found.high - found.low > 0.5 * (bootstrap_miou(other).value - bootstrap_miou(base).value)
    mixed, runs = base.copy(), base.copy()
    mixed[:, ::2] = other[:, ::2]  # the same frames in turn, or all good ones first
    runs[:, :50] = other[:, ::2]
    turn, run = bootstrap_miou(mixed), bootstrap_miou(runs)
    assert turn.value == pytest.approx(run.value)
    assert run.high - run.low > 3.0 * (turn.high - turn.low)


def test_calibration_of_a_known_case():
    confidence = np.array([0.95, 0.95, 0.55, 0.55])
    counts = count_reliability(confidence, np.array([True, True, True, False]))
    assert counts.shape == (10, 3) and counts[:, 0].sum() == 4
    # 0.95 against 1 for half of the pixels, 0.55 against 0.5 for the other half
    assert measure_calibration_error(counts) == pytest.approx(5.0)


def test_auroc_by_hand():
    assert measure_auroc([3.0, 4.0], [1.0, 2.0]) == 1.0
    assert measure_auroc([1.0, 2.0], [1.0, 2.0]) == 0.5
    assert measure_auroc([2.0], [1.0, 2.0, 3.0]) == pytest.approx(0.5)
