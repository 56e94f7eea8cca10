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
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from swta.circuit.theory import Motif
from swta.validation import ParameterError, check_choice, check_integer, check_real
from swta.vision.orientation import Columns, OrientationBank, PixelBank
from swta.vision.parameters import CircuitParameters, FilterParameters, PixelParameters
from swta.vision.plan import FilterPlan
from swta.vision.pools import (
    blur,
    check_images,
    gaussian_taps,
    in_single_precision,
    pool_matrix,
)

TOLERANCE = 1e-3  # largest error of the settled columns, relative to the largest column
FORMS = ("orientation", "pixel")


class SoftWTA(nn.Module):
    """The motif as a filter: (B, C, H, W) in [0, 1] to (B, 3, H, W), differentiable.

    ``forward`` returns the population vector of the settled columns. With α below its bound the
    fixed point is the only one and minimises a convex quadratic over columns ≥ 0, so an
    accelerated projection finds it in ``n_iterations`` steps, which follow from the modes. On the
    CPU, where nothing is to be differentiated, compiled loops find the same point (to 1e-3 of the
    largest column) at a fraction of the cost.

    Args:
        parameters: of the orientation form or of the pixel form; that decides which it is.
        learnable: whether α, β₁β₂, w and the semisaturation are parameters to train. α may then
            rise until half of the slowest restoring rate is left and β₁β₂ to twice its start, so
            that the columns stay stable and settle in ``n_iterations`` whatever training does.
    """

    ring: Tensor
    spread_taps: Tensor

    def __init__(
        self, parameters: CircuitParameters | None = None, *, learnable: bool = False
    ) -> None:
        super().__init__()
        p = parameters or FilterParameters()
        self.constants = p
        self.learnable = learnable
        self.bank: Columns
        self._smallest = 1  # px
        if isinstance(p, PixelParameters):
            self.bank = PixelBank(p)
            taps = torch.from_numpy(gaussian_taps(p.spread)).float()
            self.register_buffer("spread_taps", taps, persistent=False)
        else:
            self.bank = OrientationBank(p)
            self._smallest = self.bank.bank.shape[-1]
            n, side = self.bank.constants.n_orientations, self.bank.constants.neighbours
            eye = torch.eye(n)
            ring = (1 - 2 * side) * eye + side * (eye.roll(1, 0) + eye.roll(-1, 0))
            self.register_buffer("ring", ring, persistent=False)
        # reads the constants: a filter whose strengths are trained has none
        self._plan: FilterPlan | None = None
        if not learnable and isinstance(p, FilterParameters) and FilterPlan.suits(p):
            self._plan = FilterPlan(p, TOLERANCE)
        self.free = nn.ParameterDict()
        self._ceilings: dict[str, float] = {}
        least, largest = self._free_strengths() if learnable else p.mode_range()
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
    def from_circuit(
        cls, motif: Motif, *, form: str = "orientation", learnable: bool = False, **changes: Any
    ) -> SoftWTA:
        """A filter with the weights and thresholds of the circuit's motif.

        α + 2 α₂ becomes the recurrent excitation. The motif's inhibitory unit sums its units; here
        it takes the pool's mean, so β₂ stands for the pool as a whole. A threshold T_N below zero
        is a tonic drive of SST.

        Args:
            motif: the circuit of chapter 2.
            form: ``orientation`` (a ring of columns at every pixel) or ``pixel`` (luminance).
            learnable: whether the four strengths are parameters to train.
            changes: other fields of `FilterParameters` or `PixelParameters`.

        Raises:
            ParameterError: an unknown form; T_N above zero; or an unstable filter: a pool that
                blurs cannot hold α ≥ 1 down, however large β₁β₂.
        """
        if motif.T_N > 0.0:
            raise ParameterError(
                f"the motif has the threshold T_N = {motif.T_N:g}; allowed: 0 or below (a tonic "
                "drive), for with SST silent at low activity the fixed point has no closed form"
            )
        weights: dict[str, Any] = {
            "alpha": motif.alpha + 2.0 * motif.alpha2,
            "beta1": motif.beta1,
            "beta2": motif.beta2,
            "threshold": motif.T_E,
            "tonic": abs(motif.T_N),
        }
        if check_choice("form", form, FORMS) == "pixel":
            return cls(PixelParameters(**(weights | changes)), learnable=learnable)
        if motif.alpha2 > 0.0:
            weights["neighbours"] = motif.alpha2 / weights["alpha"]
        return cls(FilterParameters(**(weights | changes)), learnable=learnable)

    @in_single_precision
    def forward(self, images: Tensor) -> Tensor:
        """Three channels in units of the first one's s.d., (B, 3, H, W), of images in [0, 1]."""
        if not self._compiled_loops_fit(images):
            return self.population_vector(self._settled(images))
        return self._run_plan(images, keep_columns=False)[1]

    @in_single_precision
    def columns(self, images: Tensor) -> Tensor:
        """The settled columns, dimensionless, (B, n, H, W), of images (B, C, H, W) in [0, 1]."""
        if not self._compiled_loops_fit(images):
            return self._settled(images)
        return self._run_plan(images, keep_columns=True)[0]

    def _compiled_loops_fit(self, images: Tensor) -> bool:
        """Whether `FilterPlan` can do it: float32 on the CPU, nothing to differentiate or trace."""
        if self._plan is None or torch.compiler.is_compiling() or torch.jit.is_tracing():
            return False
        if type(images) is not Tensor or torch._C._functorch.is_functorch_wrapped_tensor(images):
            return False  # vmap, jvp and grad of torch.func wrap what they are given
        backward = torch.is_grad_enabled() and images.requires_grad
        forward = forward_ad.unpack_dual(images).tangent is not None
        plain = images.dtype == torch.float32 and images.device.type == "cpu"
        return plain and not (backward or forward)

    def _run_plan(self, images: Tensor, *, keep_columns: bool) -> tuple[Tensor, Tensor]:
        assert self._plan is not None
        check_images(images, smallest=self._smallest)
        columns, vectors, updates = self._plan.run(images, keep_columns=keep_columns)
        settled = updates > 0
        if not settled.all():
            rest = self._settled(images[~settled])
            vectors[~settled] = self.population_vector(rest)
            if keep_columns:
                columns[~settled] = rest
        return columns, vectors

    def count_operations(self, images: Tensor) -> float:
        """Floating-point operations per image of the compiled loops, mean over the images.

        Raises:
            ParameterError: a filter that runs without compiled loops, or images where they gave up.
        """
        if self._plan is None or not self._compiled_loops_fit(images):
            raise ParameterError(
                "this filter runs without compiled loops here; allowed: fixed strengths, float32 "
                "images on the CPU. Count it with count_flops"
            )
        _, _, updates = self._plan.run(images, keep_columns=False)
        if not bool((updates > 0).all()):
            raise ParameterError("an image did not settle in the compiled loops; leave it out")
        first = images[:, :1]
        planes = 1 + (images[:, 1:] != first).flatten(2).any(2).sum(1)
        pixels = images.shape[2] * images.shape[3]
        each = [
            self._plan.count_operations(int(p), int(k))
            for p, k in zip(planes, updates, strict=True)
        ]
        return pixels * sum(each) / len(each)

    def _settled(self, images: Tensor) -> Tensor:
        return self.settle(self.inhibit(self.normalise(self.energy(images))))

    def energy(self, images: Tensor) -> Tensor:
        """What drives the columns, in units of intensity, (B, n, H, W), of images in [0, 1]."""
        return self.bank.energy(images)

    def normalise(self, energy: Tensor) -> Tensor:
        """LAMP5: energy divided by that of its neighbourhood, dimensionless, (B, n, H, W)."""
        return self.bank.normalise(energy, self.strengths()["semisaturation"])

    def population_vector(self, columns: Tensor) -> Tensor:
        """Three channels (B, 3, H, W) in units of the first one's s.d. over the image."""
        return self.bank.population_vector(columns)

    def pool(self, x: Tensor) -> Tensor:
        """Gaussian mean over the neighbourhood, (B, 1, H, W); at borders over what is there."""
        return self.bank.pool(x)

    def inhibit(self, drive: Tensor) -> Tensor:
        """PV: the drive less feed-forward inhibition, dimensionless, (B, n, H, W).

        Thresholds, too, are taken off here.
        """
        feed_forward = self.strengths()["w"] * self.pool(drive.mean(1, keepdim=True))
        return drive - feed_forward + self.constants.offset

    def strengths(self) -> dict[str, float | Tensor]:
        """α (``excitation``), β₁β₂ (``loop``), w and the semisaturation as they are now."""
        now: dict[str, float | Tensor] = dict(self.constants.strengths)
        for name, free in self.free.items():
            now[name] = self._ceilings[name] * torch.sigmoid(free)
        return now

    def settle(self, inputs: Tensor, *, n_iterations: int | None = None) -> Tensor:
        """The fixed point of the columns for constant inputs, dimensionless, (B, n, H, W)."""
        now, rate = self.strengths(), self.rate
        batch, n, height, width = inputs.shape
        taps = self.bank.pool_taps.to(inputs.dtype)
        down, across = pool_matrix(taps, height), pool_matrix(taps, width)
        step = rate * inputs.flatten(2)
        orientation = not isinstance(self.constants, PixelParameters)
        if orientation:
            ring = self.ring.to(inputs.dtype)
            keep = (1.0 - rate) * torch.eye(n, dtype=ring.dtype, device=ring.device)
            mix = (keep + rate * now["excitation"] * ring).expand(batch, n, n)
        columns = ahead = torch.relu(step)
        for _ in range((n_iterations or self.n_iterations) - 1):
            mean = ahead.mean(1).view(batch, height, width)
            sst = rate * now["loop"] * (down @ mean @ across.mT).view(batch, 1, -1)
            if orientation:
                driven = torch.baddbmm(step, mix, ahead)
            else:
                spread = rate * now["excitation"] * self._excite(ahead.view(inputs.shape))
                driven = step + (1.0 - rate) * ahead + spread.flatten(2)
            previous, columns = columns, torch.relu(driven - sst)
            ahead = torch.lerp(previous, columns, 1.0 + self.momentum)
        return columns.view(inputs.shape)

    def unroll(self, inputs: Tensor, *, steps: int, dt: float = 0.4) -> Tensor:
        """Columns after ``steps`` Euler steps of ``dt`` τ from rest, (B, n, H, W): the dynamics.

        Raises:
            ParameterError: no steps, or a step of one τ or longer.
        """
        check_integer("steps", steps, low=1)
        check_real("dt", dt, low=0.0, high=1.0, open_low=True, open_high=True, unit="τ")
        now = self.strengths()
        columns = torch.zeros_like(inputs)
        sst = torch.zeros_like(inputs[:, :1])  # times its weight onto the columns
        for _ in range(steps):
            excitation = now["excitation"] * self._excite(columns)
            target = torch.relu(inputs + excitation - sst)
            pooled = now["loop"] * self.pool(columns.mean(1, keepdim=True))
            columns, sst = columns + dt * (target - columns), sst + dt * (pooled - sst)
        return columns

    def _excite(self, columns: Tensor) -> Tensor:
        """What the excitatory kernel of sum 1 makes of the columns, (B, n, H, W)."""
        if isinstance(self.constants, PixelParameters):
            return blur(columns, self.spread_taps)
        return torch.einsum("mn,bnhw->bmhw", self.ring.to(columns.dtype), columns)

    def _free_strengths(self) -> tuple[float, float]:
        """Make the strengths parameters; the least and largest restoring rate they can reach."""
        p = self.constants
        highest = {name: 2.0 * value for name, value in p.strengths.items()}
        highest["excitation"] = 0.5 * (1.0 + p.excitation)
        if p.excitation >= 1.0:
            raise ParameterError(
                f"alpha = {p.excitation:g} after its grade cannot be learnable; allowed: < 1, "
                "where no loop is needed to hold the columns. Lower alpha"
            )
        # a strength of zero stays zero: a class that is off does not come back
        self._ceilings = {name: top for name, top in highest.items() if p.strengths[name] > 0.0}
        for name, top in self._ceilings.items():
            share = torch.tensor(p.strengths[name] / top)
            self.free[name] = nn.Parameter(torch.logit(share))
        alpha = self._ceilings.get("excitation", 0.0)
        ends = [p.mode_range(excitation=alpha, loop=loop)[0] for loop in (0.0, highest["loop"])]
        return min(ends), p.mode_range(excitation=0.0, loop=highest["loop"])[1]
