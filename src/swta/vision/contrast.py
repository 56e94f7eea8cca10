"""Classical normalisations of contrast as front-ends: what competition has to be better than."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from swta.validation import ParameterError, check_integer, check_real
from swta.vision.pools import (
    blur,
    check_images,
    gaussian_taps,
    in_single_precision,
    to_luminance,
    to_three,
)


def _taps(sd: float) -> Tensor:
    return torch.from_numpy(gaussian_taps(sd)).float()


class Unfiltered(nn.Module):
    """The image as it is; grey ones three times: (B, C, H, W) to (B, 3, H, W).

    Raises:
        ParameterError: another number of channels than 1 or 3.
    """

    def forward(self, images: Tensor) -> Tensor:
        """The image's own values."""
        if images.ndim != 4 or images.shape[1] not in (1, 3):
            raise ParameterError(
                f"images have shape {tuple(images.shape)}; allowed: (batch, 1 or 3, height, width)"
            )
        return images.expand(-1, 3, -1, -1)


class Standardise(nn.Module):
    """Each image's luminance with mean 0 and s.d. 1, three times: (B, C, H, W) to (B, 3, H, W)."""

    @in_single_precision
    def forward(self, images: Tensor) -> Tensor:
        """Standardised luminance, in units of the image's s.d."""
        check_images(images)
        grey = to_luminance(images)
        spread = grey.std(dim=(2, 3), keepdim=True)
        scaled = (grey - grey.mean(dim=(2, 3), keepdim=True)) / (spread + 1e-3)
        return to_three(scaled)


class DifferenceOfGaussians(nn.Module):
    """Luminance averaged over a small less that over a large neighbourhood, three times.

    The receptive field of a retinal ganglion cell (Rodieck 1965, Vision Research 5:583; Enroth-
    Cugell and Robson 1966, J. Physiol. 187:517), both weights 1, so it does not see a constant.

    Args:
        centre, surround: standard deviations, px; our choice (`centre` < `surround`).

    Raises:
        ParameterError: a surround that is not larger than the centre.
    """

    centre_taps: Tensor
    surround_taps: Tensor

    def __init__(self, centre: float = 0.7, surround: float = 2.0) -> None:
        super().__init__()
        check_real("centre", centre, low=0.2, unit="px")
        check_real("surround", surround, low=centre, open_low=True, unit="px")
        self.register_buffer("centre_taps", _taps(centre), persistent=False)
        self.register_buffer("surround_taps", _taps(surround), persistent=False)

    @in_single_precision
    def forward(self, images: Tensor) -> Tensor:
        """Signed contrast in units of intensity, (B, 3, H, W)."""
        check_images(images)
        grey = to_luminance(images)
        return to_three(blur(grey, self.centre_taps) - blur(grey, self.surround_taps))


class LocalContrast(nn.Module):
    """Local contrast normalisation of the luminance, three times.

    v = x - G * x, then v / max(c, √(G * v²)) with c the image's mean of the denominator (Jarrett,
    Kavukcuoglu, Ranzato and LeCun 2009, ICCV, section 2). Blind to gain and offset of the image.

    Args:
        sd: standard deviation of G, px; our choice.
    """

    taps: Tensor

    def __init__(self, sd: float = 2.0) -> None:
        super().__init__()
        check_real("sd", sd, low=0.2, unit="px")
        self.register_buffer("taps", _taps(sd), persistent=False)

    @in_single_precision
    def forward(self, images: Tensor) -> Tensor:
        """Contrast in units of the local s.d., (B, 3, H, W); zero on a blank image."""
        check_images(images)
        grey = to_luminance(images)
        centred = grey - blur(grey, self.taps)
        spread = torch.sqrt(blur(centred.square(), self.taps) + 1e-12)
        floor = spread.mean(dim=(2, 3), keepdim=True)
        return to_three(centred / (torch.maximum(spread, floor) + 1e-6))


class LocalResponse(nn.Module):
    """Local response normalisation over channels, x / (k + a Σ x²)^b (Krizhevsky et al. 2012).

    Intensities are taken from 0 to 255, as in that network's images; its values k = 2, a = 1e-4 and
    b = 0.75. The sum runs over ``size`` neighbouring channels: (B, C, H, W) to (B, C, H, W), one
    channel to three.
    """

    def __init__(
        self, size: int = 5, *, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0
    ) -> None:
        super().__init__()
        check_integer("size", size, low=1)
        check_real("alpha", alpha, low=0.0)
        check_real("beta", beta, low=0.0)
        check_real("k", k, low=0.0, open_low=True)
        # torch divides alpha by size, the paper does not
        self.norm = nn.LocalResponseNorm(size, alpha=alpha * size, beta=beta, k=k)

    @in_single_precision
    def forward(self, images: Tensor) -> Tensor:
        """Normalised intensity, between 0 and 255 / k^b, of images in [0, 1]."""
        check_images(images)
        return to_three(self.norm(255.0 * images))


class AdaptiveEqualisation(nn.Module):
    """Contrast-limited adaptive histogram equalisation (CLAHE) of the luminance, three times.

    Zuiderveld 1994, Graphics Gems IV, with the details of OpenCV's createCLAHE: histograms of 256
    bins in each tile, cut at ``clip`` times the uniform count, the excess spread evenly, and the
    tiles' curves interpolated bilinearly. Not differentiable in the image.

    Args:
        clip: limit of a bin over the count of a flat histogram (OpenCV's clipLimit).
        tiles: tiles along each axis. OpenCV's 8 × 8 is for photographs; 4 gives a 32-pixel image
            tiles of 8 × 8 px (our choice).
    """

    def __init__(self, clip: float = 2.0, tiles: int = 4) -> None:
        super().__init__()
        self.clip = check_real("clip", clip, low=0.0, open_low=True)
        self.tiles = check_integer("tiles", tiles, low=1)

    @in_single_precision
    def forward(self, images: Tensor) -> Tensor:
        """Equalised luminance in [0, 1], (B, 3, H, W)."""
        check_images(images, smallest=self.tiles)
        height, width = images.shape[2:]
        grey = to_luminance(images)
        padded = F.pad(grey, (0, -width % self.tiles, 0, -height % self.tiles), mode="reflect")
        bins = torch.round(255.0 * padded.float())[:, 0].long()  # (B, H, W)
        curves = self._curves(bins)
        rows = _tile_weights(bins.shape[1], self.tiles, height, images.device)
        columns = _tile_weights(bins.shape[2], self.tiles, width, images.device)
        batch = torch.arange(len(images), device=images.device)[:, None, None]
        level = bins[:, :height, :width]
        total = torch.zeros(level.shape, device=images.device)
        for row, down in rows:
            for column, across in columns:
                value = curves[batch, row[None, :, None], column[None, None, :], level]
                total += down[:, None] * across[None] * value
        return to_three((total / 255.0)[:, None].to(images.dtype))

    def _curves(self, bins: Tensor) -> Tensor:
        """The map of the 256 levels in every tile, (B, tiles, tiles, 256), values 0 to 255."""
        batch, height, width = bins.shape
        t = self.tiles
        area = (height // t) * (width // t)
        inside = bins.view(batch, t, height // t, t, width // t).transpose(2, 3)
        counts = torch.zeros(batch, t, t, 256, dtype=torch.long, device=bins.device)
        flat = inside.reshape(batch, t, t, area)
        counts.scatter_add_(3, flat, torch.ones_like(flat))
        limit = max(int(self.clip * area / 256), 1)
        excess = (counts - limit).clamp_min(0).sum(3, keepdim=True)
        counts = counts.clamp_max(limit) + excess // 256
        rest = excess % 256  # goes to every so many-th bin, from the darkest
        step = (256 // rest.clamp_min(1)).clamp_min(1)
        place = torch.arange(256, device=bins.device)
        counts += ((place % step == 0) & (place // step < rest)).long()
        return torch.round(counts.cumsum(3) * (255.0 / area)).clamp_max(255.0)


def _tile_weights(
    padded: int, tiles: int, size: int, device: torch.device
) -> list[tuple[Tensor, Tensor]]:
    """For each pixel of an axis its two nearest tiles and their weights."""
    place = torch.arange(size, device=device) * (tiles / padded) - 0.5
    first = place.floor()
    share = place - first
    low, high = (i.clamp(0, tiles - 1).long() for i in (first, first + 1))
    return [(low, 1.0 - share), (high, share)]
