r"""Hysteresis of a hard motif on a core, intact and without each primitive, against its rate model.

Unit 0 is cued, then both units get inputs :math:`I(1\mp d/2)` that favour unit 1 by a tilt
:math:`d`. With :math:`\alpha>1` the winner of the past stays up to some tilt, the half width of the
loop. The rate model has the motif's whole numbers and the chip's ceiling of one spike per tick:

.. math:: \dot x_i = -x_i + [\alpha x_i + g I_i - \phi\textstyle\sum_j I_j - \beta_1 y - T_E]_0^1,
          \qquad \dot y = -y + [\beta_2 \textstyle\sum_j x_j - T_N]_0^1 .
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from swta.truenorth.drive import count_spikes, input_rates, lines_of
from swta.truenorth.mapping import PRIMITIVES, MappedMotif, MotifRequest, map_motif, without
from swta.truenorth.placement import build_chip
from swta.validation import ParameterError, check_integer, check_real

FloatArray = NDArray[np.float64]

LEADS: Final = 0.5  # difference over sum of both rates above which a unit counts as the winner
_STEP: Final = 0.05  # of the rate model, time constants
_DURATION: Final = 60.0  # of each phase of the rate model, time constants


@dataclass(frozen=True, eq=False)
class HysteresisResult:
    """Lead of the cued unit, difference over sum of the rates, under tilts to the other one."""

    removed: tuple[str, ...]  # "" for the intact motif, then the primitives
    tilts: FloatArray  # (n,), difference of the inputs over their mean
    lead: FloatArray  # (1 + n_primitives, n), on the chip
    predicted: FloatArray  # same shape, rate model

    def half_widths(self) -> tuple[FloatArray, FloatArray]:
        """Largest tilt up to which the cued unit wins, chip and model; 0 where it never does."""
        found = []
        for lead in (self.lead, self.predicted):
            held = np.logical_and.accumulate(lead > LEADS, axis=1).sum(1)
            found.append(np.concatenate([[0.0], self.tilts])[held])
        return found[0], found[1]


def simulate_hysteresis(
    request: MotifRequest,
    tilts: ArrayLike,
    *,
    mean: float = 0.15,
    cue: float = 1.0,
    gain: float = 0.8,
    n_ticks: int,
    seed: int,
) -> HysteresisResult:
    """Cue one unit, tilt the inputs to the other, and see who wins, without each primitive.

    Args:
        request: a motif of two units, with self-excitation above 1 to have a memory.
        tilts: from small to large, in (0, 2).
        mean: mean input rate of both units, spikes per tick.
        cue: tilt towards the cued unit before.
        gain: threshold without LAMP5 over that with it.
        n_ticks: ticks of the cue, of waiting, and of measuring.
        seed: of the input spikes.

    Raises:
        ParameterError: another number of units, tilts out of order or range.
    """
    check_integer("n_units", request.motif.n_units, low=2, high=2)
    check_real("cue", cue, low=0, high=2, open_low=True, open_high=True)
    check_real("mean", mean, low=0, high=0.5, open_low=True, unit="spikes per tick")
    check_integer("n_ticks", n_ticks, low=1)
    steps = np.atleast_1d(np.asarray(tilts, dtype=float))
    inside = steps.size and steps[0] > 0 and steps[-1] < 2
    if steps.ndim != 1 or not inside or (np.diff(steps) <= 0).any():
        raise ParameterError(f"tilts = {steps.tolist()}; allowed: between 0 and 2, increasing")
    intact = map_motif(request)
    versions = [intact, *(without(intact, name, gain=gain) for name in PRIMITIVES)]
    motifs = [each for each in versions for _ in steps]
    before = np.tile(mean * np.array([1 + cue / 2, 1 - cue / 2]), (len(motifs), 1))
    tilted = mean * np.stack([1 - steps / 2, 1 + steps / 2], axis=1)
    after = np.tile(tilted, (len(versions), 1))
    shape = (len(versions), len(steps))
    chip = _run_chip(motifs, (before, after), n_ticks, seed)
    model = _run_model(motifs, (before, after))
    return HysteresisResult(
        ("", *PRIMITIVES), steps, _lead(chip).reshape(shape), _lead(model).reshape(shape)
    )


def _lead(rates: FloatArray) -> FloatArray:
    """Difference over sum of two rates, 0 where both are silent; (n, 2) to (n,)."""
    total = rates.sum(1)
    return np.divide(rates[:, 0] - rates[:, 1], total, out=np.zeros_like(total), where=total > 0)


def _run_chip(
    motifs: Sequence[MappedMotif], phases: Sequence[FloatArray], n_ticks: int, seed: int
) -> FloatArray:
    """Rates of both units (spikes per tick) in the last third, all motifs side by side."""
    networks = [motif.placement for motif in motifs]
    chip, first = build_chip(networks)
    counts = np.zeros(chip.potentials.shape, dtype=np.int64)
    for phase, rows in enumerate(phases):
        lines = lines_of(networks, first, [input_rates(row) for row in rows])
        counts = count_spikes(
            chip, lines, n_ticks=n_ticks, settle=2 * phase * n_ticks, seed=seed + phase
        )
    found = [p.read(counts, first_core=core) for p, core in zip(networks, first, strict=True)]
    return np.array([[each[f"unit_{k}"].mean() for k in (0, 1)] for each in found]) / n_ticks


def _run_model(motifs: Sequence[MappedMotif], phases: Sequence[FloatArray]) -> FloatArray:
    """The same by the equations above, from silence through both phases."""
    numbers = [motif.realised for motif in motifs]
    alpha, beta1, beta2, t_e, t_n, g, phi = (
        np.array([[each[name]] for each in numbers])
        for name in ("alpha", "beta1", "beta2", "T_E", "T_N", "input_gain", "feedforward")
    )
    x, y = np.zeros((len(motifs), 2)), np.zeros((len(motifs), 1))
    for rows in phases:
        drive = g * rows - phi * rows.sum(1, keepdims=True) - t_e
        for _ in range(round(_DURATION / _STEP)):
            unit = np.clip(alpha * x + drive - beta1 * y, 0, 1)
            pool = np.clip(beta2 * x.sum(1, keepdims=True) - t_n, 0, 1)
            x, y = x + _STEP * (unit - x), y + _STEP * (pool - y)
    return x
