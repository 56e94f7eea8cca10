"""Whole sets of images through a filter: once for a data set, or stage by stage for a figure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from swta.validation import ParameterError, check_integer
from swta.vision.filter import SoftWTA


class FilterStages(NamedTuple):
    """What one pass computes for B images of H × W pixels with n orientations."""

    energy: NDArray  # (B, n, H, W), contrast energy, blind to sign and colour
    drive: NDArray  # (B, n, H, W), after LAMP5 normalisation
    columns: NDArray  # (B, n, H, W), the settled columns: winners, and what is left of the others
    output: NDArray  # (B, 3, H, W), population vector


def to_tensor(images: NDArray[np.uint8]) -> Tensor:
    """Images as the data sets hold them, uint8 (n, H, W, C), to float (n, C, H, W) in [0, 1].

    Raises:
        ParameterError: another type or number of axes.
    """
    if images.dtype != np.uint8 or images.ndim != 4:
        raise ParameterError(
            f"images have type {images.dtype} and shape {images.shape}; allowed: uint8 (n, height, "
            "width, channels)"
        )
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 255.0


def trace_filter(front: SoftWTA, images: NDArray[np.uint8]) -> FilterStages:
    """Every stage of the filter, dimensionless, for images uint8 (n, H, W, C)."""
    with torch.inference_mode():
        energy = front.energy(to_tensor(images))
        drive = front.normalise(energy)
        columns = front.settle(front.inhibit(drive))
        output = front.population_vector(columns)
    return FilterStages(energy.numpy(), drive.numpy(), columns.numpy(), output.numpy())


def measure_settling_error(front: SoftWTA, images: NDArray[np.uint8]) -> float:
    """Largest error of the settled columns, relative to the largest one, for uint8 (n, H, W, C).

    The reference is the same projection with ten times as many iterations.
    """
    with torch.inference_mode():
        inputs = front.inhibit(front.normalise(front.energy(to_tensor(images))))
        exact = front.settle(inputs, n_iterations=10 * front.n_iterations)
        worst = (front.settle(inputs) - exact).abs().max()
    return float(worst / exact.max())


def filter_images(
    front: nn.Module, images: NDArray[np.uint8], *, batch: int = 250
) -> NDArray[np.float16]:
    """A whole data set through a fixed filter, once: uint8 (n, H, W, C) to (n, 3, H, W)."""
    check_integer("batch", batch, low=1)
    parts = []
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            parts.append(front(to_tensor(images[start : start + batch])).half().numpy())
    return np.concatenate(parts)
