"""Gaussian means over the neighbourhood of a pixel, and what an image must be to have them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from swta.validation import ParameterError

Forward = TypeVar("Forward", bound=Callable[[Any, Tensor], Tensor])
TRUNCATION = 3.0  # kernels reach this many standard deviations


def gaussian_taps(sd: float) -> NDArray[np.float64]:
    """One-dimensional Gaussian weights of sum 1, cut at 3 s.d.; ``sd`` in px, shape (2 r + 1,)."""
    radius = max(1, math.ceil(TRUNCATION * sd))
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sd) ** 2)
    return taps / taps.sum()


def pool_modes(sd: float) -> NDArray[np.float64]:
    """Transform of the two-dimensional Gaussian mean on 129 × 129 frequencies, shape (129, 129)."""
    taps = gaussian_taps(sd)
    offsets = np.arange(taps.size) - taps.size // 2
    one = np.cos(np.outer(np.linspace(0.0, np.pi, 129), offsets)) @ taps
    return np.asarray(np.outer(one, one), dtype=np.float64)


def pool_matrix(taps: Tensor, size: int) -> Tensor:
    """The mean along one axis as a matrix (size, size); each row has sum 1, at borders too."""
    reach = taps.numel() // 2
    place = torch.arange(size, device=taps.device)
    offset = place[None] - place[:, None]
    weights = taps[offset.clamp(-reach, reach) + reach] * (offset.abs() <= reach)
    return weights / weights.sum(1, keepdim=True)


def blur(x: Tensor, taps: Tensor) -> Tensor:
    """Gaussian mean over the neighbourhood, (B, C, H, W); at borders over what is there."""
    taps = taps.to(x.dtype)
    return pool_matrix(taps, x.shape[2]) @ x @ pool_matrix(taps, x.shape[3]).mT


def in_single_precision(forward: Forward) -> Forward:
    """A module's forward that computes half-precision images in float32, also under autocast.

    The iterations lose three digits in half precision and small energies underflow. The result has
    the type of the images.
    """

    @wraps(forward)
    def wrapped(self: nn.Module, images: Tensor) -> Tensor:
        wide = images.dtype in (torch.float16, torch.bfloat16)
        with torch.autocast(images.device.type, enabled=False):
            result = forward(self, images.float() if wide else images)
        return result.to(images.dtype) if wide else result

    return wrapped  # type: ignore[return-value]


def to_luminance(images: Tensor) -> Tensor:
    """Mean over the channels, (B, 1, H, W), in the unit of the images."""
    return images.mean(1, keepdim=True)


def to_three(maps: Tensor) -> Tensor:
    """One channel three times, as a transformer for colour wants; other numbers as they are."""
    return maps.expand(-1, 3, -1, -1) if maps.shape[1] == 1 else maps


def check_images(images: Tensor, *, smallest: int = 1) -> None:
    """Refuse what is not a batch of images (B, C, H, W) in [0, 1] of at least ``smallest`` pixels.

    Values are not looked at while a model is being compiled: that would break the graph.

    Raises:
        ParameterError: not four dimensions, channels on the last axis, too small, empty, not
            floating point, not finite or outside [0, 1].
    """
    if images.ndim != 4 or 0 in images.shape[:2]:
        raise ParameterError(
            f"images have shape {tuple(images.shape)}; allowed: (batch, channels, height, width) "
            "with at least one image and one channel"
        )
    height, width = images.shape[2:]
    if width <= 4 < min(images.shape[1], height):
        raise ParameterError(
            f"images have shape {tuple(images.shape)}, channels last; allowed: (batch, channels, "
            "height, width). Move the channels to the second axis"
        )
    if min(height, width) < smallest:
        raise ParameterError(
            f"images of {height} × {width} px are smaller than the kernel; allowed: at least "
            f"{smallest} × {smallest} px. Enlarge them or take a smaller kernel"
        )
    if not images.is_floating_point():
        raise ParameterError(
            f"images have type {images.dtype}; allowed: floating point in [0, 1]. Divide by 255"
        )
    if torch.compiler.is_compiling():
        return
    low, high = (float(v) for v in torch.aminmax(images.detach()))
    if not (low >= 0.0 and high <= 1.0):  # also catches NaN
        raise ParameterError(
            f"images hold values from {low:g} to {high:g}; allowed: [0, 1] and finite. "
            "Rescale them or remove what is not a number"
        )
