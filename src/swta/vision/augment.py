"""Deformed versions of the source digits, made once, before any filter: the same in every arm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from swta.validation import check_integer, check_real


@dataclass(frozen=True)
class Deformation:
    """Mild affine changes of handwriting, uniform between the ends; our choice.

    Raises:
        ParameterError: a value outside its range.
    """

    versions: int = 3  # copies of each training image; the first is the image itself
    rotation: float = 12.0  # degrees, either way
    shear: float = 0.2  # horizontal shift per unit of height, either way
    scale: float = 0.15  # relative change of size, either way, each axis by itself
    seed: int = 0

    def __post_init__(self) -> None:
        check_integer("versions", self.versions, low=1)
        check_real("rotation", self.rotation, low=0.0, high=45.0, unit="degrees")
        check_real("shear", self.shear, low=0.0, high=1.0)
        check_real("scale", self.scale, low=0.0, high=1.0, open_high=True)
        check_integer("seed", self.seed, low=0)


def deform_images(images: NDArray[np.uint8], deformation: Deformation) -> list[NDArray[np.uint8]]:
    """All versions of uint8 images (n, H, W, C), each an array like the first, about their middle.

    A filter must see the deformed image, for an orientation turns with it; so each version passes
    the filter once, and training draws from the versions. Black moves in from outside.
    """
    d = deformation
    versions = [images]
    generator = torch.Generator().manual_seed(d.seed)
    for _ in range(d.versions - 1):
        draw = 2.0 * torch.rand(4, len(images), generator=generator) - 1.0
        angle = draw[0] * np.pi / 180.0 * d.rotation
        wide, high = 1.0 + d.scale * draw[1], 1.0 + d.scale * draw[2]
        cos, sin, lean = torch.cos(angle), torch.sin(angle), d.shear * draw[3]
        rows = (cos / wide, (lean * cos + sin) / wide, -sin / high, (cos - lean * sin) / high)
        matrix = torch.zeros(len(images), 2, 3)
        matrix[:, :, :2] = torch.stack(rows, dim=1).view(-1, 2, 2)
        parts = [
            _sample(images[i : i + 1000], matrix[i : i + 1000]) for i in range(0, len(images), 1000)
        ]
        versions.append(np.concatenate(parts) if parts else images)
    return versions


def _sample(images: NDArray[np.uint8], matrix: torch.Tensor) -> NDArray[np.uint8]:
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    grid = F.affine_grid(matrix, list(x.shape), align_corners=False)
    moved = F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return moved.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
