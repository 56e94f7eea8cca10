"""The columns of a filter before they compete: Gabor energies on a ring, or luminance."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from swta.vision.parameters import CircuitParameters, FilterParameters, PixelParameters, convert
from swta.vision.pools import (
    TRUNCATION,
    blur,
    check_images,
    gaussian_taps,
    to_luminance,
    to_three,
)


def gabor_bank(parameters: FilterParameters) -> NDArray[np.float64]:
    """Gabor kernels, dimensionless: shape (2 n, k, k), even phases first, then odd ones.

    Orientation i is i·180°/n, the direction along which the wave varies. Every kernel has mean
    zero, so it does not see a constant, and unit norm.
    """
    n = parameters.n_orientations
    radius = math.ceil(TRUNCATION * parameters.envelope)
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(float)
    window = np.exp(-(x**2 + y**2) / (2.0 * parameters.envelope**2))
    kernels = []
    for phase in (np.cos, np.sin):
        for theta in np.pi * np.arange(n) / n:
            along = x * math.cos(theta) + y * math.sin(theta)
            kernel = window * phase(2.0 * np.pi * along / parameters.wavelength)
            kernel -= window * (kernel.sum() / window.sum())
            kernels.append(kernel / np.linalg.norm(kernel))
    return np.stack(kernels)


class Columns(nn.Module, ABC):
    """What drives the columns, how LAMP5 normalises it, and how the columns are read out.

    It holds no trainable parameter; kernels are buffers that are not saved with a model.
    """

    pool_taps: Tensor
    constants: CircuitParameters

    def __init__(self, parameters: CircuitParameters) -> None:
        super().__init__()
        self.constants = parameters
        taps = torch.from_numpy(gaussian_taps(parameters.surround)).float()
        self.register_buffer("pool_taps", taps, persistent=False)

    @abstractmethod
    def energy(self, images: Tensor) -> Tensor:
        """What the columns see, in units of intensity, (B, n, H, W), of images in [0, 1]."""

    @abstractmethod
    def population_vector(self, columns: Tensor) -> Tensor:
        """Three channels (B, 3, H, W) in units of the first one's s.d. over the image."""

    def normalise(self, energy: Tensor, semisaturation: float | Tensor | None = None) -> Tensor:
        """LAMP5: energy divided by that of its neighbourhood, dimensionless, (B, n, H, W)."""
        p = self.constants
        c = p.semisaturation if semisaturation is None else semisaturation
        return energy / (p.lamp5 * self.pool(energy.mean(1, keepdim=True)) + c)

    def pool(self, x: Tensor) -> Tensor:
        """Gaussian mean over the neighbourhood, (B, 1, H, W); at borders over what is there."""
        return blur(x, self.pool_taps)


class OrientationBank(Columns):
    """Contrast energy of an image at n orientations, and what follows it without competition."""

    bank: Tensor
    doubled: Tensor
    constants: FilterParameters

    def __init__(self, parameters: CircuitParameters | None = None) -> None:
        p = parameters or FilterParameters()
        p = p if isinstance(p, FilterParameters) else convert(p, FilterParameters)
        super().__init__(p)
        bank = torch.from_numpy(gabor_bank(p)).float()[:, None]
        angle = torch.arange(p.n_orientations) * (2.0 * torch.pi / p.n_orientations)  # 2θ
        readout = torch.stack([torch.ones_like(angle), torch.cos(angle), torch.sin(angle)])
        self.register_buffer("bank", bank, persistent=False)
        self.register_buffer("doubled", readout, persistent=False)

    def energy(self, images: Tensor) -> Tensor:
        """Contrast energy in units of intensity, (B, n, H, W), from images (B, C, H, W) in [0, 1].

        Raises:
            ParameterError: as `check_images`, for images smaller than the kernel too.
        """
        check_images(images, smallest=self.bank.shape[-1])
        batch, channels, height, width = images.shape
        n, reach = self.constants.n_orientations, self.bank.shape[-1] // 2
        planes = images.reshape(batch * channels, 1, height, width)
        planes = F.pad(planes, (reach,) * 4, mode="replicate")  # no edge at the image's border
        waves = F.conv2d(planes, self.bank.to(images.dtype))
        squares = waves.square().view(batch, channels, 2, n, height, width).sum(2).mean(1)
        return torch.sqrt(squares + 1e-12)  # keeps the gradient finite on blank images

    def population_vector(self, columns: Tensor) -> Tensor:
        """(Σ E, Σ E cos 2θ, Σ E sin 2θ) in units of the first one's s.d. over the image."""
        vector = torch.einsum("kn,bnhw->bkhw", self.doubled.to(columns.dtype), columns)
        return vector / (vector[:, :1].std(dim=(2, 3), keepdim=True) + 1e-3)


class PixelBank(Columns):
    """Luminance as the drive of one column per pixel, read out as it is, three times."""

    constants: PixelParameters

    def __init__(self, parameters: PixelParameters | None = None) -> None:
        super().__init__(parameters or PixelParameters())

    def energy(self, images: Tensor) -> Tensor:
        """Luminance, (B, 1, H, W), of images (B, C, H, W) in [0, 1]."""
        check_images(images)
        return to_luminance(images)

    def population_vector(self, columns: Tensor) -> Tensor:
        """The columns in units of their s.d. over the image, three times, (B, 3, H, W)."""
        return to_three(columns / (columns.std(dim=(2, 3), keepdim=True) + 1e-3))
