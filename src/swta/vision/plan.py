"""The orientation form prepared for its compiled loops."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from swta.vision.kernel import GROUP, SAFETY, SWEEPS, filter_batch
from swta.vision.parameters import FilterParameters
from swta.vision.pools import TRUNCATION, gaussian_taps

STRONGEST = 12.0  # β₁β₂ / (1 − α) up to which turns of columns and SST field settle quickly
MOST_ROUNDS = 60  # updates of the SST field before an image is left to the accelerated projection


class FilterPlan:
    """Tables for `swta.vision.kernel`, from the constants of a fixed filter.

    Args:
        parameters: the filter's constants.
        tolerance: largest error of the columns, relative to the largest one of their image.
    """

    def __init__(self, parameters: FilterParameters, tolerance: float) -> None:
        p = parameters
        self.parameters = p
        n = p.n_orientations
        self.waves = _plan_waves(p)
        self.taps = _pad_taps(gaussian_taps(p.surround)[gaussian_taps(p.surround).size // 2 :])
        diagonal = 1.0 - p.excitation * (1.0 - 2.0 * p.neighbours)
        off = p.excitation * p.neighbours
        # the over-relaxation that is best for the ring with all columns active (Young 1954)
        jacobi = min(2.0 * off / diagonal, 0.99)
        over = 2.0 / (1.0 + math.sqrt(1.0 - jacobi**2))
        self.ring = np.array([off, 1.0 / diagonal, over], np.float32)
        matrix = np.diag(np.full(n, diagonal))
        matrix -= off * (np.roll(np.eye(n), 1, 0) + np.roll(np.eye(n), -1, 0))
        arcs = [np.linalg.inv(matrix[:k, :k]).sum() for k in range(1, n + 1)]
        self.table = np.array([0.0, *(p.loop / n * np.array(arcs))], np.float32)
        angle = 2.0 * np.pi * np.arange(n) / n
        self.readout = np.stack([np.ones(n), np.cos(angle), np.sin(angle)]).astype(np.float32)
        grades = [p.lamp5, p.semisaturation, p.pv * p.w_ff, p.offset, p.loop, SAFETY * tolerance]
        self.numbers = np.array(grades, np.float32)

    @staticmethod
    def suits(parameters: FilterParameters) -> bool:
        """Whether the sweeps converge fast: α < 1, an even ring, and no strong SST feedback.

        The last: with all columns active Ē answers to S with β₁β₂ / (1 − α).
        """
        p = parameters
        even = p.n_orientations % 2 == 0
        return even and p.excitation < 1.0 and p.loop <= STRONGEST * (1.0 - p.excitation)

    def run(self, images: Tensor, *, keep_columns: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Columns (B, n, H, W), vectors (B, 3, H, W) and updates until settled (B,), 0: not."""
        batch, _, height, width = images.shape
        pixels, n = images.detach().contiguous().numpy(), self.parameters.n_orientations
        vectors = np.empty((batch, 3, height * width), np.float32)
        columns = np.empty((batch if keep_columns else 0, n, height * width), np.float32)
        rounds = np.zeros(batch, np.int64)
        down, across = self._border(height), self._border(width)

        def work(part: slice) -> None:
            filter_batch(
                pixels[part], *self.waves, self.taps, down, across, self.ring, self.table,
                self.readout, self.numbers, MOST_ROUNDS, columns[part], vectors[part],
                rounds[part],
            )  # fmt: skip

        threads = min(torch.get_num_threads(), batch)
        if threads == 1 or batch * height * width < 2**14:
            work(slice(0, batch))
        else:
            ends = np.linspace(0, batch, threads + 1).astype(int)
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(work, [slice(a, b) for a, b in pairwise(ends)]))
        shape = (batch, -1, height, width)
        kept = torch.from_numpy(columns).view(len(columns), n, height, width)
        return kept, torch.from_numpy(vectors).view(shape), torch.from_numpy(rounds)

    def count_operations(self, planes: int, updates: int) -> int:
        """Additions, products, quotients and roots per pixel, for an image that settles.

        Counted from the loops of `swta.vision.kernel`; comparisons, copies and what is done once
        per image are left out.

        Args:
            planes: channels that differ, each filtered by itself.
            updates: of the SST field until the image settled.
        """
        n, waves = self.parameters.n_orientations, self.waves
        taps, pairs = waves[0].shape[1] - 1, waves[2]
        fold, both = 1 + 3 * taps, 1 + 6 * taps  # one folded pass, even or even and odd
        passes = len(waves[0]) * both + fold
        passes += sum((both if u else fold) * (2 if v else 1) for u, v in pairs)
        pool = 2 * (1 + 3 * (len(self.taps) - 1)) + 2
        drive = planes * (passes + 13 * n) + 6 * n + 2 * pool + 5
        course = updates * SWEEPS * 8 * n + max(0, updates - 3) * 2 * n
        if self.parameters.loop > 0.0:
            course += n + 1 + pool + updates * (n + pool + 6)
            course += (1 + (updates + 4) // 8) * (n + pool + 2)
        return drive + course + 6 * n + 6

    def _border(self, size: int) -> NDArray[np.float32]:
        return _border_weights(self.parameters.surround, size)


@lru_cache(maxsize=64)
def _border_weights(sd: float, size: int) -> NDArray[np.float32]:
    """What makes the pool's weights inside an image sum to 1, (size,)."""
    inside = np.convolve(np.ones(size), gaussian_taps(sd))[gaussian_taps(sd).size // 2 :][:size]
    return (1.0 / inside).astype(np.float32)


def _pad_taps(half: NDArray[np.float64]) -> NDArray[np.float32]:
    """Taps 0 … r with zeros up to a whole number of groups."""
    return np.concatenate([half, np.zeros(-(half.size - 1) % GROUP)]).astype(np.float32)


def _plan_waves(p: FilterParameters) -> tuple[Any, ...]:
    """One-dimensional taps by frequency, the pairs that occur, and each orientation's factors."""
    n, radius = p.n_orientations, math.ceil(TRUNCATION * p.envelope)
    theta = np.pi * np.arange(n) / n
    across, down = np.round(np.abs(np.cos(theta)), 9), np.round(np.sin(theta), 9)
    frequencies = np.unique(np.concatenate([[0.0], across, down]))
    place = np.arange(radius + 1)
    window = np.exp(-(place**2) / (2.0 * p.envelope**2))
    phase = 2.0 * np.pi / p.wavelength * frequencies[:, None] * place
    even = np.stack([_pad_taps(row) for row in window * np.cos(phase)])
    odd = np.stack([_pad_taps(row) for row in window * np.sin(phase)])
    found = np.stack([np.searchsorted(frequencies, f) for f in (across, down)], axis=1)
    pairs, pair = np.unique(found, axis=0, return_inverse=True)
    sign = np.where(np.cos(theta) < 0.0, -1, 1)
    members = np.stack([pair.ravel(), sign], axis=1).astype(np.int64)
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(float)
    ground = np.exp(-(x**2 + y**2) / (2.0 * p.envelope**2))
    scales = []
    for angle in theta:
        along = 2.0 * np.pi / p.wavelength * (x * np.cos(angle) + y * np.sin(angle))
        waves = ground * np.cos(along), ground * np.sin(along)
        excess = waves[0].sum() / ground.sum()
        size = np.linalg.norm(waves[0] - excess * ground)
        scales.append((1.0 / size, excess / size, 1.0 / np.linalg.norm(waves[1])))
    return even, odd, pairs.astype(np.int64), members, np.array(scales, np.float32)
