"""Published front-ends after visual cortex without competition between neighbouring columns."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor, nn
from torch.nn import functional as F

from swta.validation import ParameterError, check_integer, check_real
from swta.vision.orientation import OrientationBank
from swta.vision.parameters import CircuitParameters
from swta.vision.pools import check_images, in_single_precision, to_three


class OrientationEnergy(OrientationBank):
    """The filter without its circuit: the same Gabor energies read out by the population vector.

    No PV, SST, VIP or recurrence. ``lamp5`` of the parameters grades the normalisation by the
    neighbourhood, from 0 (raw energies, scaled only over the whole image) to 1 (as in `SoftWTA`).
    """

    @in_single_precision
    def forward(self, images: Tensor) -> Tensor:
        """Three channels in units of the first one's s.d., (B, 3, H, W), of images in [0, 1]."""
        return self.population_vector(self.normalise(self.energy(images)))


class PushPull(OrientationBank):
    """Push-pull inhibition of the Gabor bank, read out by the population vector.

    y = [k * x]₊ - a [-k↑ * x]₊, k↑ the kernel enlarged h times bilinearly, then rectified
    (Strisciuglio, Lopez-Antequera and Petkov 2020, Neural Comput. Appl., with a = 1 and h = 2).
    Both phases and both signs of every kernel are squared and summed, so with a = 0 this is
    `OrientationEnergy` without normalisation. Its kernels are the bank's, not learnt.

    Args:
        inhibition: a, weight of the pull.
        enlargement: h, size of the pull kernel over that of the push kernel.
    """

    pull: Tensor

    def __init__(
        self,
        parameters: CircuitParameters | None = None,
        *,
        inhibition: float = 1.0,
        enlargement: float = 2.0,
    ) -> None:
        super().__init__(parameters)
        self.inhibition = check_real("inhibition", inhibition, low=0.0)
        check_real("enlargement", enlargement, low=1.0, high=8.0)
        size = math.floor(self.bank.shape[-1] * enlargement)
        size += 1 - size % 2
        pull = F.interpolate(self.bank, (size, size), mode="bilinear", align_corners=True)
        self.register_buffer("pull", pull, persistent=False)

    @in_single_precision
    def forward(self, images: Tensor) -> Tensor:
        """Three channels in units of the first one's s.d., (B, 3, H, W), of images in [0, 1]."""
        check_images(images)
        push, pull = self._respond(images, self.bank), self._respond(images, self.pull)
        a, shape = self.inhibition, (*images.shape[:2], 2, self.constants.n_orientations)
        squares = sum(
            torch.relu(torch.relu(sign * push) - a * torch.relu(-sign * pull)).square()
            for sign in (1.0, -1.0)
        )
        assert isinstance(squares, Tensor)
        energy = squares.view(*shape, *images.shape[2:]).sum(2).mean(1)
        return self.population_vector(torch.sqrt(energy + 1e-12))

    def _respond(self, images: Tensor, kernels: Tensor) -> Tensor:
        reach = kernels.shape[-1] // 2
        planes = images.reshape(-1, 1, *images.shape[2:])
        return F.conv2d(F.pad(planes, (reach,) * 4, mode="replicate"), kernels.to(images.dtype))


class DivisiveNormalisation(OrientationBank):
    """Orientation energies divided by those of the other columns at the same pixel.

    b_c = a_c² / (k (1 + α/λ Σ_j a_{c+j}² e^{-|j|/λ}))^β with λ = 5, α = 1, β = 0.75, k = 1, the
    values from which Cirincione et al. 2022 (SVRHM workshop, after Miller et al. 2022) start.
    Orientations are a ring, so |j| is the distance on it and every column counts once.
    """

    weights: Tensor

    def __init__(
        self,
        parameters: CircuitParameters | None = None,
        *,
        length: float = 5.0,
        alpha: float = 1.0,
        beta: float = 0.75,
        k: float = 1.0,
    ) -> None:
        super().__init__(parameters)
        check_real("length", length, low=0.0, open_low=True, unit="columns")
        check_real("alpha", alpha, low=0.0)
        self.beta = check_real("beta", beta, low=0.0)
        self.k = check_real("k", k, low=0.0, open_low=True)
        n = self.constants.n_orientations
        place = torch.arange(n)
        apart = (place[:, None] - place[None]).abs()
        apart = torch.minimum(apart, n - apart)
        weights = (alpha / length) * torch.exp(-apart / length) * (apart <= 4 * length)
        self.register_buffer("weights", weights, persistent=False)

    @in_single_precision
    def forward(self, images: Tensor) -> Tensor:
        """Three channels in units of the first one's s.d., (B, 3, H, W), of images in [0, 1]."""
        return self.population_vector(self.divide(self.energy(images)))

    def divide(self, energy: Tensor) -> Tensor:
        """b of the energies a, (B, n, H, W), dimensionless."""
        squares = energy.square()
        pool = torch.einsum("mn,bnhw->bmhw", self.weights.to(energy.dtype), squares)
        return squares / (self.k * (1.0 + pool)).pow(self.beta)


# Measured in macaque V1: preferred orientation (De Valois et al. 1982, Vision Research 22:531),
# peak spatial frequency (De Valois et al. 1982, 22:545), and the window's s.d. across and along the
# stripes in wavelengths (Ringach 2002, J. Neurophysiol. 88:455); counts of cells per bin.
_ORIENTATION_BINS = np.array([-22.5, 22.5, 67.5, 112.5, 157.5])  # degrees
_ORIENTATION_CELLS = np.array([66, 49, 77, 54])
_FREQUENCY_BINS = np.array([0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0])  # cycles per degree
_FREQUENCY_CELLS = np.array([4, 4, 8, 25, 32, 26, 28, 12])
_WINDOW_BINS = np.logspace(-1.0, 0.2, 6)
_WINDOW_CELLS = np.array(
    [[2, 0, 1, 0, 0], [8, 9, 4, 1, 0], [1, 2, 19, 17, 3], [0, 0, 1, 7, 4], [0, 0, 0, 0, 0]]
)
_CORRELATION = 0.75  # between frequency and window, Dapello et al. 2020
_GAIN, _NOISE_SCALE, _NOISE_LEVEL = 25.0, 0.35, 0.07  # the same source


class VOneFront(nn.Module):
    """A bank of simple and complex cells drawn from measured distributions, with noise.

    The V1 block of VOneNet (Dapello et al. 2020, NeurIPS): Gabor kernels of 25 × 25 px on one
    colour channel each, rectified (simple) or as energy (complex), times 25, with Gaussian noise
    whose variance is the mean's (scale 0.35, level 0.07), in training and testing. A learnt 1 × 1
    convolution brings the cells down to ``out_channels``. Its stride is 1 here and there are fewer
    cells, so that the transformer behind it stays as it is: (B, C, H, W) to (B, 3, H, W).

    Args:
        simple, complex_: numbers of cells; the paper has 256 of each for 224 px.
        pixels_per_degree: 224 px / 8° = 28 in the paper; 16 puts 2° onto 32 px (our choice).
        noise: whether responses are noisy.
        seed: of the cells.

    Raises:
        ParameterError: a value outside its range; images with another number of channels than 1, 3.
    """

    even: Tensor
    odd: Tensor

    def __init__(
        self,
        *,
        simple: int = 32,
        complex_: int = 32,
        pixels_per_degree: float = 16.0,
        noise: bool = True,
        out_channels: int = 3,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.simple = check_integer("simple", simple, low=1)
        check_integer("complex_", complex_, low=1)
        check_real("pixels_per_degree", pixels_per_degree, low=1.0)
        self.out_channels = check_integer("out_channels", out_channels, low=1)
        self.noise = noise
        self.random = noise
        cells = simple + complex_
        random = np.random.default_rng(check_integer("seed", seed, low=0))
        shapes = _draw_cells(cells, random)
        colour = random.integers(0, 3, cells)
        for name, turn in (("even", 0.0), ("odd", 0.5 * np.pi)):
            kernels = np.zeros((cells, 3, 25, 25))
            kernels[np.arange(cells), colour] = _draw_gabors(shapes, pixels_per_degree, turn)
            self.register_buffer(name, torch.from_numpy(kernels).float())
        self.bottleneck = nn.Conv2d(cells, out_channels, 1, bias=False)
        spread = math.sqrt(2.0 / out_channels)  # Kaiming's, for the outputs, as in the paper's code
        initial = random.normal(0.0, spread, (out_channels, cells, 1, 1))
        self.bottleneck.weight.data = torch.from_numpy(initial).float()

    @in_single_precision
    def forward(self, images: Tensor) -> Tensor:
        """The cells' rates after the bottleneck, (B, out_channels, H, W), of images in [0, 1]."""
        rates = self.respond(images)
        if self.noise:
            mean = _NOISE_SCALE * rates + _NOISE_LEVEL
            noisy = mean + torch.randn_like(mean) * (mean + 1e-4).sqrt()
            rates = torch.relu((noisy - _NOISE_LEVEL) / _NOISE_SCALE)
        return self.bottleneck(rates)

    def respond(self, images: Tensor) -> Tensor:
        """Mean rates of simple, then complex cells, (B, cells, H, W), dimensionless."""
        check_images(images)
        if images.shape[1] not in (1, 3):
            raise ParameterError(f"images have {images.shape[1]} channels; allowed: 1 or 3")
        padded = F.pad(to_three(images), (12,) * 4, mode="replicate")
        even = F.conv2d(padded, self.even.to(images.dtype))
        odd = F.conv2d(padded, self.odd[self.simple :].to(images.dtype))
        energy = torch.sqrt(even[:, self.simple :].square() + odd.square() + 1e-12) / math.sqrt(2.0)
        return _GAIN * torch.cat([torch.relu(even[:, : self.simple]), energy], dim=1)


def _draw_cells(n: int, random: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """Orientation and phase (rad), frequency (cycles/degree), window (wavelengths) of n cells."""
    covariance = [[1.0, _CORRELATION], [_CORRELATION, 1.0]]
    rank = stats.norm.cdf(random.multivariate_normal([0.0, 0.0], covariance, n))
    windows = np.log10(_WINDOW_BINS)
    across = _inverse(rank[:, 0], _WINDOW_CELLS.sum(1), windows)
    row = np.clip(np.digitize(across, windows) - 1, 0, 3)  # the last row of the table is empty
    along = [
        _inverse(u, _WINDOW_CELLS[r], windows) for u, r in zip(random.random(n), row, strict=True)
    ]
    return {
        "orientation": np.deg2rad(
            _inverse(random.random(n), _ORIENTATION_CELLS, _ORIENTATION_BINS)
        ),
        "phase": random.uniform(0.0, 2.0 * np.pi, n),
        "frequency": 2.0 ** _inverse(rank[:, 1], _FREQUENCY_CELLS, np.log2(_FREQUENCY_BINS)),
        "across": 10.0**across,
        "along": 10.0 ** np.array(along),
    }


def _inverse(
    rank: NDArray[np.float64], cells: NDArray[np.int64], bins: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Quantiles of a histogram, linear within its bins."""
    return np.interp(rank, np.concatenate([[0.0], np.cumsum(cells) / cells.sum()]), bins)


def _draw_gabors(
    shapes: dict[str, NDArray[np.float64]], pixels_per_degree: float, turn: float
) -> NDArray[np.float64]:
    """Kernels (n, 25, 25) with the window's integral 1; ``turn`` is added to the phase, rad."""
    y, x = np.mgrid[-12:13, -12:13].astype(float)
    cell = {name: values[:, None, None] for name, values in shapes.items()}
    frequency = cell["frequency"] / pixels_per_degree  # cycles per pixel
    along_wave = x * np.cos(cell["orientation"]) + y * np.sin(cell["orientation"])
    along_stripe = y * np.cos(cell["orientation"]) - x * np.sin(cell["orientation"])
    wide, high = cell["across"] / frequency, cell["along"] / frequency
    window = np.exp(-0.5 * ((along_wave / wide) ** 2 + (along_stripe / high) ** 2))
    wave = np.cos(2.0 * np.pi * frequency * along_wave + cell["phase"] + turn)
    return window * wave / (2.0 * np.pi * wide * high)
