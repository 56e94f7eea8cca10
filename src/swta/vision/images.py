"""Whole sets of images through a filter: once for a data set, or stage by stage for a figure."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from swta.validation import ParameterError, check_integer
from swta.vision.filter import SoftWTA

with warnings.catch_warnings():  # torchvision looks for image codecs it does not need here
    warnings.simplefilter("ignore")
    from torchvision import tv_tensors
    from torchvision.transforms import v2


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
        tensor = to_tensor(images)
        energy = front.energy(tensor)
        drive = front.normalise(energy)
        columns = front.columns(tensor)
        output = front.population_vector(columns)
    return FilterStages(energy.numpy(), drive.numpy(), columns.numpy(), output.numpy())


def measure_settling_error(front: SoftWTA, images: NDArray[np.uint8]) -> float:
    """Largest error of the settled columns, relative to the largest one, for uint8 (n, H, W, C).

    The larger of what the filter does on this machine and of the projection in ``n_iterations``
    steps. The reference is the projection with ten times as many.
    """
    with torch.inference_mode():
        tensor = to_tensor(images)
        inputs = front.inhibit(front.normalise(front.energy(tensor)))
        exact = front.settle(inputs, n_iterations=10 * front.n_iterations)
        found = front.settle(inputs), front.columns(tensor)
        worst = max(float((columns - exact).abs().max()) for columns in found)
    return worst / float(exact.max())


def filter_images(
    front: nn.Module, images: NDArray[np.uint8], *, batch: int = 250
) -> NDArray[np.float16]:
    """A whole data set through a fixed filter, once: uint8 (n, H, W, C) to (n, 3, H, W).

    The filter does what it does in testing: augmentation that works in training only is left out.
    """
    check_integer("batch", batch, low=1)
    parts = []
    was_training = front.training
    front.eval()
    try:
        with torch.inference_mode():
            for start in range(0, len(images), batch):
                parts.append(front(to_tensor(images[start : start + batch])).half().numpy())
    finally:
        front.train(was_training)
    return np.concatenate(parts)


def is_fixed(front: nn.Module) -> bool:
    """Whether a front-end gives the same for an image always, so that a data set can be cached.

    Not so with parameters to train, or with random numbers (``random`` of the module).
    """
    return not any(p.requires_grad for p in front.parameters()) and not any(
        getattr(module, "random", False) for module in front.modules()
    )


class FilterTransform(v2.Transform):
    """A filter as a transform of torchvision, to filter each image once when it is loaded.

    Put it behind ``ToImage`` and ``ToDtype(torch.float32, scale=True)``: images (C, H, W) or
    (B, C, H, W) in [0, 1] become (3, H, W) or (B, 3, H, W). Masks, boxes and labels pass unchanged.

    Raises:
        ParameterError: a front-end that is not fixed (its output cannot be cached), and for an
            image all errors of the front-end.
    """

    def __init__(self, front: nn.Module) -> None:
        super().__init__()
        if not is_fixed(front):
            raise ParameterError(
                f"{type(front).__name__} is trained or random; allowed: a fixed front-end. Put it "
                "before the model with prepend"
            )
        self.front = front.eval()

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image through the filter."""
        if isinstance(inpt, (tv_tensors.Mask, tv_tensors.BoundingBoxes)) or not isinstance(
            inpt, Tensor
        ):
            return inpt
        image = inpt.as_subclass(Tensor)
        with torch.no_grad():
            return self.front(image[None])[0] if image.ndim == 3 else self.front(image)
