"""Parts of the filter taken away or weakened: anew for a training, or at once in a trained arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from swta.data import DigitSet
from swta.intervals import paired_difference
from swta.validation import ParameterError, check_integer
from swta.vision.arms import ArmsResult
from swta.vision.filter import SoftWTA
from swta.vision.images import filter_images, to_tensor
from swta.vision.parameters import CircuitParameters
from swta.vision.pools import in_single_precision
from swta.vision.training import measure_hits

PARTS: Final = {
    "PV": "pv", "SST": "sst", "VIP": "vip", "LAMP5": "lamp5", "recurrence": "recurrence",
}  # fmt: skip


def list_lesions(parameters: CircuitParameters) -> dict[str, SoftWTA]:
    """The filter without each of its parts, by name."""
    return {
        f"no {part}": SoftWTA(replace(parameters, **{grade: 0.0})) for part, grade in PARTS.items()
    }


def grade_filter(
    parameters: CircuitParameters, grades: Sequence[float]
) -> dict[tuple[str, float], SoftWTA]:
    """The filter with one part at each of the grades, 0 to 1, the others as they are."""
    return {
        (part, float(grade)): SoftWTA(replace(parameters, **{name: grade}))
        for part, name in PARTS.items()
        for grade in grades
    }


class UnrolledWTA(nn.Module):
    """The filter stopped after some Euler steps from rest: (B, C, H, W) in [0, 1] to (B, 3, H, W).

    One step sees the drive less feed-forward inhibition only; recurrent excitation and feedback
    come in with the second and third.

    Args:
        motif: the filter whose course it is.
        steps: of 0.4 τ each.
    """

    def __init__(self, motif: SoftWTA, steps: int) -> None:
        super().__init__()
        self.motif = motif
        self.steps = check_integer("steps", steps, low=1)

    @in_single_precision
    def forward(self, images: Tensor) -> Tensor:
        """Population vector of the columns as far as they have come."""
        return self.motif.population_vector(self.columns(images))

    def columns(self, images: Tensor) -> Tensor:
        """The columns after the steps, dimensionless, (B, n, H, W)."""
        inputs = self.motif.inhibit(self.motif.normalise(self.motif.energy(images)))
        return self.motif.unroll(inputs, steps=self.steps)


def measure_unrolling_error(
    motif: SoftWTA, steps: Sequence[int], images: NDArray[np.uint8]
) -> dict[int, float]:
    """Largest error of the columns after so many steps, relative to the largest settled one."""
    with torch.inference_mode():
        tensor = to_tensor(images)
        settled = motif.columns(tensor)
        errors = {n: (UnrolledWTA(motif, n).columns(tensor) - settled).abs().max() for n in steps}
    return {n: float(error / settled.max()) for n, error in errors.items()}


def measure_behind(
    result: ArmsResult, arm: str, fronts: Mapping[object, nn.Module], tests: Sequence[DigitSet]
) -> dict[object, NDArray[np.float64]]:
    """Accuracy of an arm's trained models behind other filters, none trained anew.

    Returns:
        Per filter, under its key: share of images classified rightly, (seeds, tests).
    """
    if not tests:
        raise ParameterError("no test set; allowed: at least one")
    models = result.models[result.at(arm)]
    return {
        key: np.array(
            [
                [measure_hits(m, *seen) / len(seen[1]) for seen in filtered]
                for m in models
            ]
        )
        for key, front in fronts.items()
        for filtered in [[(filter_images(front, t.images), t.labels) for t in tests]]
    }  # fmt: skip


def tabulate_changes(
    scores: Mapping[tuple[str, float], NDArray[np.float64]], intact: NDArray[np.float64]
) -> pd.DataFrame:
    """What other filters change in mean accuracy over the tests, in points, paired over seeds.

    Args:
        scores: share of images classified rightly, (seeds, tests), by part and grade.
        intact: the same behind the filter as it was in training.
    """
    before = 100.0 * intact.mean(1)
    rows = [
        (*key, *paired_difference(100.0 * seen.mean(1), before)) for key, seen in scores.items()
    ]
    return pd.DataFrame(rows, columns=["part", "grade", "change", "low", "high", "n"])
