"""Single frames behind two arms: where the filter helps most, and where least."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import nn

from swta.data import SceneSet
from swta.validation import ParameterError
from swta.vision.images import filter_images
from swta.vision.scene_training import predict
from swta.vision.segmentation import SegmentationResult

_RED = np.array([230, 40, 30], np.float64)


def compare_frames(
    result: SegmentationResult,
    fronts: Mapping[str, nn.Module],
    pair: Mapping[str, str],
    sets: Mapping[str, SceneSet],
) -> tuple[pd.DataFrame, dict[str, NDArray]]:
    """Two frames of each condition, predicted by the first training of two arms.

    The frames are those where the second arm gains most and least over the first, by the share of
    scored pixels that are right.

    Args:
        result: from `segment_arms`.
        fronts: its arms.
        pair: title to arm, two of them.
        sets: condition to the frames it was tested on.

    Returns:
        A row per frame (condition, position, share right in both arms, gain, label ``row``), and
        columns for `plot_predictions`: frames, truth, and of each arm labels and wrong pixels.

    Raises:
        ParameterError: not two arms.
    """
    if len(pair) != 2:
        raise ParameterError(f"pair has {len(pair)} arms; allowed: two, to be compared")
    first, second = pair.values()
    rows, pictures, truth = [], [], []
    for condition, scenes in sets.items():
        right = [
            _share_right(result.confusion[condition][result.at(a), 0]) for a in (first, second)
        ]
        gain = right[1] - right[0]
        for i in (int(np.argmax(gain)), int(np.argmin(gain))):
            label = f"{condition.replace('_', ' ')}, {100 * gain[i]:+.0f}"
            rows.append((condition, i, right[0][i], right[1][i], gain[i], label))
            pictures.append(scenes.images[i])
            truth.append(scenes.labels[i])
    images, labels = np.stack(pictures), np.stack(truth)
    columns: dict[str, NDArray] = {"frame": images, "truth": labels}
    for title, arm in pair.items():
        found, _ = predict(result.models[result.at(arm)][0], filter_images(fronts[arm], images))
        wrong = (found != labels) & (labels < len(result.classes))
        dim = 0.35 * images + 60.0
        columns |= {title: found}
        columns |= {f"{title}: wrong": np.where(wrong[..., None], _RED, dim).astype(np.uint8)}
    names = ["condition", "frame", f"right_{first}", f"right_{second}", "gain", "row"]
    return pd.DataFrame(rows, columns=names), columns


def _share_right(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of the scored pixels that are right in each frame, (n,), of (n, K, K)."""
    hits = np.trace(confusion, axis1=1, axis2=2)
    return hits / np.maximum(1, confusion.sum((1, 2)))
