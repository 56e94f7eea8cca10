"""Front-ends that keep colour: what scenes have and digits lack."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from swta.validation import check_real
from swta.vision.pools import check_images, in_single_precision, to_luminance, to_three


class StandardiseColour(nn.Module):
    """Each colour channel with mean 0 and s.d. 1 over the image: (B, C, H, W) to three.

    What is left is how colours differ within the image; the colour and the strength of its light
    go (von Kries' adaptation towards a grey world; Buchsbaum 1980, J. Franklin Inst. 310:1).
    """

    @in_single_precision
    def forward(self, images: Tensor) -> Tensor:
        """Standardised colours, each in units of its own s.d., (B, 3, H, W)."""
        check_images(images)
        x = to_three(images)
        mean, spread = (f(x, (2, 3), keepdim=True) for f in (torch.mean, torch.std))
        return (x - mean) / (spread + 1e-3)


class AutomaticGamma(nn.Module):
    """Each image raised to the power that brings its mean luminance to ``target`` (roughly).

    The power is log target / log mean, exact where the image is constant.

    Args:
        target: mean luminance after the correction, 0 to 1.

    Raises:
        ParameterError: a target outside (0, 1).
    """

    def __init__(self, target: float = 0.5) -> None:
        super().__init__()
        self.target = check_real("target", target, low=0.0, high=1.0, open_low=True, open_high=True)

    @in_single_precision
    def forward(self, images: Tensor) -> Tensor:
        """Corrected image, 0 to 1, (B, 3, H, W)."""
        check_images(images)
        mean = to_luminance(images).mean((1, 2, 3), keepdim=True).clamp(1e-3, 1.0 - 1e-3)
        return to_three(images).clamp_min(0.0).pow(math.log(self.target) / mean.log())


class BesideColour(nn.Module):
    """A front-end's channels and, beside them, the standardised image: (B, C, H, W) to six.

    Args:
        front: gives three channels.
    """

    out_channels = 6

    def __init__(self, front: nn.Module) -> None:
        super().__init__()
        self.front = front
        self.colour = StandardiseColour()

    def forward(self, images: Tensor) -> Tensor:
        """The front-end's three channels, then three colours, (B, 6, H, W)."""
        return torch.cat([self.front(images), self.colour(images)], dim=1)
