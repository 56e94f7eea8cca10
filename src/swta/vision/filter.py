r"""The soft winner-take-all motif as a fixed image filter: orientation columns that compete.

At every pixel stand :math:`n` orientation columns, the units of the motif. With drive
:math:`I_\theta` and pools :math:`G_\sigma *` (a Gaussian neighbourhood, averaged over columns):

.. math::
    \tau\dot E_\theta &= -E_\theta + \Big[I_\theta - w\,G_\sigma * \bar I
        + \alpha\,(k * E)_\theta - \beta_1 S\Big]_+ \\
    \tau\dot S &= -S + \beta_2\,G_\sigma * \bar E

PV cells carry the feed-forward term :math:`w`, SST cells the feedback :math:`S`, VIP cells scale
:math:`\beta_1` down, LAMP5 cells normalise the drive. The filter returns the fixed point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from swta.circuit.theory import Motif
from swta.validation import ParameterError, check_integer, check_real

TRUNCATION = 3.0  # kernels reach this many standard deviations
TOLERANCE = 1e-3  # largest error of the settled columns, relative to the largest column


@dataclass(frozen=True)
class FilterParameters:
    """The filter's constants, lengths in pixels; weights are dimensionless.

    The five grades run from 0 (class or term absent) to 1 (full strength). Everything here is our
    choice: the paper's abstract names the classes and their roles, no sizes.

    Raises:
        ParameterError: a value outside its range, or columns that would not settle: with all units
            active every mode must satisfy α k̂_E < 2 and α k̂_E − β₁β₂ k̂_I k̂_P < 1.
    """

    n_orientations: int = 8  # columns per position
    wavelength: float = 6.0  # px, of the Gabor pair; about two strokes of a digit at 32 × 32
    envelope: float = 2.2  # px, s.d. of the Gabor's Gaussian window
    surround: float = 4.0  # px, s.d. of the pools of LAMP5, PV and SST
    semisaturation: float = 0.06  # contrast energy at which LAMP5 normalisation sets in
    w_ff: float = 0.7  # feed-forward inhibition, PV
    alpha: float = 0.9  # recurrent excitation, summed over the ring; the motif's
    neighbours: float = 0.2  # share of alpha that reaches each of the two neighbouring columns
    beta1: float = 3.0  # SST onto columns; the motif's
    beta2: float = 0.25  # mean of the pool's columns onto SST; the motif's
    pv: float = 1.0  # grade
    sst: float = 1.0  # grade
    vip: float = 0.25  # grade: the share of SST output that VIP silences
    lamp5: float = 1.0  # grade
    recurrence: float = 1.0  # grade of alpha

    def __post_init__(self) -> None:
        check_integer("n_orientations", self.n_orientations, low=3, high=64)
        for name in ("wavelength", "envelope", "surround"):
            low = 2.0 if name == "wavelength" else 0.2
            check_real(name, getattr(self, name), low=low, high=64.0, unit="px")
        check_real("semisaturation", self.semisaturation, low=0.0, open_low=True)
        check_real("neighbours", self.neighbours, low=0.0, high=0.5)
        for name in ("w_ff", "alpha", "beta1", "beta2"):
            check_real(name, getattr(self, name), low=0.0)
        for name in ("pv", "sst", "vip", "lamp5", "recurrence"):
            check_real(name, getattr(self, name), low=0.0, high=1.0)
        self._check_modes()

    @property
    def excitation(self) -> float:
        """Recurrent excitation α after its grade, dimensionless."""
        return self.alpha * self.recurrence

    @property
    def loop(self) -> float:
        """Inhibitory loop β₁β₂ after the grades of SST and VIP, dimensionless."""
        return self.beta1 * self.beta2 * self.sst * (1.0 - self.vip)

    def mode_range(self) -> tuple[float, float]:
        """Least and largest restoring rate 1 − α k̂_E + β₁β₂ k̂_I k̂_P over all modes, in 1/τ."""
        ring = self.excitation * _ring_modes(self.n_orientations, self.neighbours)
        pool = _pool_modes(self.surround)
        rates = np.concatenate([1.0 - ring[1:], 1.0 - ring[0] + self.loop * pool])
        return float(rates.min()), float(rates.max())

    def _check_modes(self) -> None:
        ring = self.excitation * _ring_modes(self.n_orientations, self.neighbours)
        if ring.max() >= 2.0:
            raise ParameterError(
                f"alpha = {self.alpha:g} makes the columns unstable: α k̂_E = {ring.max():.3f}, "
                f"allowed: < 2. Lower alpha or recurrence"
            )
        least, _ = self.mode_range()
        if least <= 0.0:
            raise ParameterError(
                f"alpha = {self.alpha:g} makes the columns unstable: α k̂_E − β₁β₂ k̂_I k̂_P reaches "
                f"{1.0 - least:.3f}, allowed: < 1. Lower alpha or recurrence"
            )


def _ring_modes(n: int, neighbours: float) -> np.ndarray:
    """Transform of the ring kernel (neighbours, 1 − 2 neighbours, neighbours), mode 0 first."""
    return 1.0 - 2.0 * neighbours * (1.0 - np.cos(2.0 * np.pi * np.arange(n) / n))


def _gaussian(sd: float) -> np.ndarray:
    radius = max(1, math.ceil(TRUNCATION * sd))
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sd) ** 2)
    return taps / taps.sum()


def _pool_modes(sd: float) -> np.ndarray:
    """Transform of the two-dimensional pool on a grid of 129 × 129 frequencies, flattened."""
    taps = _gaussian(sd)
    offsets = np.arange(taps.size) - taps.size // 2
    one = np.cos(np.outer(np.linspace(0.0, np.pi, 129), offsets)) @ taps
    return np.outer(one, one).ravel()


def gabor_bank(parameters: FilterParameters) -> np.ndarray:
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


class OrientationBank(nn.Module):
    """Contrast energy of an image at n orientations, and what follows it without competition.

    It holds no trainable parameter; kernels are buffers that are not saved with a model.
    """

    bank: Tensor
    pool_taps: Tensor
    doubled: Tensor

    def __init__(self, parameters: FilterParameters | None = None) -> None:
        super().__init__()
        self.constants = p = parameters or FilterParameters()
        bank = torch.from_numpy(gabor_bank(p)).float()[:, None]
        taps = torch.from_numpy(_gaussian(p.surround)).float()
        angle = torch.arange(p.n_orientations) * (2.0 * torch.pi / p.n_orientations)  # 2θ
        readout = torch.stack([torch.ones_like(angle), torch.cos(angle), torch.sin(angle)])
        self.register_buffer("bank", bank, persistent=False)
        self.register_buffer("pool_taps", taps, persistent=False)
        self.register_buffer("doubled", readout, persistent=False)

    def energy(self, images: Tensor) -> Tensor:
        """Contrast energy in units of intensity, (B, n, H, W), from images (B, C, H, W) in [0, 1].

        Raises:
            ParameterError: not four dimensions, not 1 or 3 channels, smaller than the kernel, not
                floating point, not finite or outside [0, 1].
        """
        self._check(images)
        batch, channels, height, width = images.shape
        n, reach = self.constants.n_orientations, self.bank.shape[-1] // 2
        planes = images.reshape(batch * channels, 1, height, width)
        planes = F.pad(planes, (reach,) * 4, mode="replicate")  # no edge at the image's border
        waves = F.conv2d(planes, self.bank.to(images.dtype))
        squares = waves.square().view(batch, channels, 2, n, height, width).sum(2).mean(1)
        return torch.sqrt(squares + 1e-12)  # keeps the gradient finite on blank images

    def normalise(self, energy: Tensor) -> Tensor:
        """LAMP5: energy divided by that of its neighbourhood, dimensionless, (B, n, H, W)."""
        p = self.constants
        pool = self.pool(energy.mean(1, keepdim=True))
        return energy / (p.lamp5 * pool + p.semisaturation)

    def pool(self, x: Tensor) -> Tensor:
        """Gaussian mean over the neighbourhood, (B, 1, H, W); at borders over what is there."""
        down, across = self._pool_matrices(x)
        return down @ x @ across.mT

    def population_vector(self, columns: Tensor) -> Tensor:
        """(Σ E, Σ E cos 2θ, Σ E sin 2θ) in units of the first one's s.d. over the image."""
        vector = torch.einsum("kn,bnhw->bkhw", self.doubled.to(columns.dtype), columns)
        spread = vector[:, :1].std(dim=(2, 3), keepdim=True)
        return vector / (spread + 1e-3)

    def _pool_matrices(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The pool along columns of pixels, (H, H), and along rows, (W, W); each row sums to 1."""
        taps = self.pool_taps.to(x.dtype)
        reach = taps.numel() // 2
        matrices = []
        for size in x.shape[2:]:
            place = torch.arange(size, device=x.device)
            offset = place[None] - place[:, None]
            weights = taps[offset.clamp(-reach, reach) + reach] * (offset.abs() <= reach)
            matrices.append(weights / weights.sum(1, keepdim=True))
        return matrices[0], matrices[1]

    def _check(self, images: Tensor) -> None:
        if images.ndim != 4 or images.shape[1] not in (1, 3):
            raise ParameterError(
                f"images have shape {tuple(images.shape)}; allowed: (batch, channels, height, "
                "width) with 1 or 3 channels. Move the channels to the second axis"
            )
        kernel = self.bank.shape[-1]
        if min(images.shape[2:]) < kernel:
            raise ParameterError(
                f"images of {images.shape[2]} × {images.shape[3]} px are smaller than the kernel; "
                f"allowed: at least {kernel} × {kernel} px. Enlarge them or lower envelope"
            )
        if not images.is_floating_point():
            raise ParameterError(
                f"images have type {images.dtype}; allowed: floating point in [0, 1]. Divide by 255"
            )
        if images.shape[0] == 0:
            raise ParameterError("images are an empty batch; allowed: at least one image")
        low, high = (float(v) for v in torch.aminmax(images.detach()))
        if not (low >= 0.0 and high <= 1.0):  # also catches NaN
            raise ParameterError(
                f"images hold values from {low:g} to {high:g}; allowed: [0, 1] and finite. "
                "Rescale them or remove what is not a number"
            )


class SoftWTA(OrientationBank):
    """The motif as a filter: (B, C, H, W) in [0, 1] to (B, 3, H, W), fixed, differentiable.

    ``forward`` returns the population vector of the settled columns. With α below its bound the
    fixed point is the only one and minimises a convex quadratic over columns ≥ 0, so an
    accelerated projection finds it in ``n_iterations`` steps, which follow from the modes.
    """

    ring: Tensor

    def __init__(self, parameters: FilterParameters | None = None) -> None:
        super().__init__(parameters)
        p = self.constants
        n, side = p.n_orientations, p.neighbours
        eye = torch.eye(n)
        ring = (1 - 2 * side) * eye + side * (eye.roll(1, 0) + eye.roll(-1, 0))
        self.register_buffer("ring", p.excitation * ring, persistent=False)
        least, largest = p.mode_range()
        condition = math.sqrt(largest / least)
        self.rate = 1.0 / largest
        self.momentum = (condition - 1.0) / (condition + 1.0)
        # Nesterov's slowest mode shrinks as (1 + k / c) (1 − 1 / c)^k, c being the condition
        self.n_iterations = 2
        while self._shrinkage(condition) > TOLERANCE:
            self.n_iterations += 1

    def _shrinkage(self, condition: float) -> float:
        k = self.n_iterations
        return (1.0 + k / condition) * (1.0 - 1.0 / condition) ** k

    @classmethod
    def from_motif(cls, motif: Motif, **changes: Any) -> SoftWTA:
        """A filter with the weights of the circuit's motif; ``changes`` set the other fields.

        α + 2 α₂ becomes the recurrent excitation of the ring. The motif's inhibitory unit sums its
        units; here it takes the pool's mean, so β₂ stands for the pool as a whole.

        Raises:
            ParameterError: thresholds, which the filter does not have, or an unstable filter: a
                pool that blurs cannot hold α ≥ 1 down, however large β₁β₂.
        """
        if motif.T_E != 0.0 or motif.T_N != 0.0:
            raise ParameterError(
                f"the motif has thresholds T_E = {motif.T_E:g} and T_N = {motif.T_N:g}; allowed: "
                "0, for the filter's columns have none"
            )
        weights: dict[str, Any] = {
            "alpha": motif.alpha + 2.0 * motif.alpha2,
            "beta1": motif.beta1,
            "beta2": motif.beta2,
        }
        if motif.alpha2 > 0.0:
            weights["neighbours"] = motif.alpha2 / weights["alpha"]
        return cls(replace(FilterParameters(), **(weights | changes)))

    def forward(self, images: Tensor) -> Tensor:
        """Three channels in units of the first one's s.d., (B, 3, H, W), of images in [0, 1]."""
        return self.population_vector(self.columns(images))

    def columns(self, images: Tensor) -> Tensor:
        """The settled columns, dimensionless, (B, n, H, W), of images (B, C, H, W) in [0, 1]."""
        return self.settle(self.inhibit(self.normalise(self.energy(images))))

    def inhibit(self, drive: Tensor) -> Tensor:
        """PV: the drive less feed-forward inhibition, dimensionless, (B, n, H, W)."""
        p = self.constants
        return drive - p.pv * p.w_ff * self.pool(drive.mean(1, keepdim=True))

    def settle(self, inputs: Tensor, *, n_iterations: int | None = None) -> Tensor:
        """The fixed point of the columns for constant inputs, dimensionless, (B, n, H, W)."""
        batch, n, height, width = inputs.shape
        down, across = self._pool_matrices(inputs)
        step = self.rate * inputs.flatten(2)
        ring = self.ring.to(inputs.dtype)
        keep = (1.0 - self.rate) * torch.eye(n, dtype=ring.dtype, device=ring.device)
        mix = (keep + self.rate * ring).expand(batch, n, n)
        feedback = self.rate * self.constants.loop
        columns = ahead = torch.relu(step)
        for _ in range((n_iterations or self.n_iterations) - 1):
            mean = ahead.mean(1).view(batch, height, width)
            sst = (down @ mean @ across.mT).view(batch, 1, -1)
            previous, columns = (
                columns,
                torch.relu(torch.baddbmm(step, mix, ahead) - feedback * sst),
            )
            ahead = torch.lerp(previous, columns, 1.0 + self.momentum)
        return columns.view(inputs.shape)

    def unroll(self, inputs: Tensor, *, steps: int, dt: float = 0.4) -> Tensor:
        """Columns after ``steps`` Euler steps of ``dt`` τ from rest, (B, n, H, W): the dynamics.

        Raises:
            ParameterError: no steps, or a step of one τ or longer.
        """
        check_integer("steps", steps, low=1)
        check_real("dt", dt, low=0.0, high=1.0, open_low=True, open_high=True, unit="τ")
        p = self.constants
        beta1 = p.beta1 * p.sst * (1.0 - p.vip)
        columns = torch.zeros_like(inputs)
        sst = torch.zeros_like(inputs[:, :1])
        for _ in range(steps):
            target = torch.relu(inputs + self._excite(columns) - beta1 * sst)
            pooled = p.beta2 * self.pool(columns.mean(1, keepdim=True))
            columns, sst = columns + dt * (target - columns), sst + dt * (pooled - sst)
        return columns

    def _excite(self, columns: Tensor) -> Tensor:
        return torch.einsum("mn,bnhw->bmhw", self.ring.to(columns.dtype), columns)
