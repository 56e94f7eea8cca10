"""The colour-invariant edge map CIConv-W as a front-end."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from swta.validation import ParameterError, check_real
from swta.vision.pools import TRUNCATION, check_images, in_single_precision, to_three

# Gaussian colour model: energy, its first and second derivative by wavelength, from R, G and B
# (Geusebroek et al. 2001; the rows as in Lengyel et al. 2021).
COLOUR_MODEL = ((0.06, 0.63, 0.27), (0.3, 0.04, -0.35), (0.34, -0.6, 0.17))
LARGEST_SCALE = 2.5  # |log₂ σ| at most (Lengyel et al. 2021)


class ColourInvariant(nn.Module):
    """CIConv-W: edges that do not depend on the illumination's intensity, three times.

    W = Σ_F Σ_u (∂_u F / (E + ε))² over F = E, E_λ, E_λλ and u = x, y, then log(W + ε), then zero
    mean and unit variance over the image; ε = 1e-5 (Lengyel et al. 2021, ICCV).

    Args:
        scale: log₂ of the Gaussian derivatives' s.d. in px, from -2.5 to 2.5.
        learnable: whether ``scale`` is a parameter to train, as in the paper.

    Raises:
        ParameterError: a scale outside its range; images with another number of channels than 1, 3.
    """

    scale: Tensor
    model: Tensor

    def __init__(self, scale: float = 0.0, *, learnable: bool = False) -> None:
        super().__init__()
        check_real("scale", scale, low=-LARGEST_SCALE, high=LARGEST_SCALE)
        widest = 2.0 ** (LARGEST_SCALE if learnable else scale)
        self.reach = math.ceil(TRUNCATION * widest + 0.5)
        if learnable:
            self.scale = nn.Parameter(torch.tensor(float(scale)))
        else:
            self.register_buffer("scale", torch.tensor(float(scale)), persistent=False)
        self.register_buffer("model", torch.tensor(COLOUR_MODEL), persistent=False)

    @in_single_precision
    def forward(self, images: Tensor) -> Tensor:
        """Logarithmic edge strength, mean 0 and s.d. 1 over each image, (B, 3, H, W)."""
        check_images(images)
        if images.shape[1] not in (1, 3):
            raise ParameterError(f"images have {images.shape[1]} channels; allowed: 1 or 3")
        colours = torch.einsum("kc,bchw->bkhw", self.model.to(images), to_three(images))
        padded = F.pad(colours, (self.reach,) * 4, mode="replicate")
        smooth, slope = self._kernels(images)
        fields = padded.reshape(-1, 1, *padded.shape[2:])
        blurred, down, across = (
            F.conv2d(F.conv2d(fields, a[None, None, :, None]), b[None, None, None]).view(
                colours.shape
            )
            for a, b in ((smooth, smooth), (slope, smooth), (smooth, slope))
        )
        energy = blurred[:, :1] + 1e-5
        edges = ((down / energy).square() + (across / energy).square()).sum(1, keepdim=True)
        return to_three(F.instance_norm(torch.log(edges + 1e-5)))

    def _kernels(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Gaussian of sum 1 and its derivative; their product has absolute sum 1."""
        sd = torch.exp2(self.scale.clamp(-LARGEST_SCALE, LARGEST_SCALE))
        place = torch.arange(-self.reach, self.reach + 1, device=images.device, dtype=sd.dtype)
        window = torch.exp(-0.5 * (place / sd).square())
        slope = place * window
        return (window / window.sum()).to(images), (slope / slope.abs().sum()).to(images)
