"""Matched motifs run side by side on one chip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from swta.truenorth.drive import count_spikes, input_rates, lines_of
from swta.truenorth.matching import MatchedMotif
from swta.truenorth.placement import build_chip
from swta.validation import ParameterError


def simulate_matched(
    motifs: Sequence[MatchedMotif],
    drives_khz: ArrayLike,
    *,
    n_ticks: int,
    settle: int = 200,
    seed: int,
) -> np.ndarray:
    """Run motifs side by side on one chip; return the rates of their units in Hz, (n, n_units).

    Args:
        motifs: one per condition, of one layout.
        drives_khz: thalamic drive of each unit, (n, n_units); missing units have none.
        n_ticks: ticks to measure, after ``settle`` ticks.
        settle: ticks before measuring.
        seed: of the input spikes.

    Raises:
        ParameterError: drives that do not fit the motifs.
    """
    drives = np.atleast_2d(np.asarray(drives_khz, dtype=float))
    n_units = motifs[0].layout.n_units
    if len(drives) != len(motifs) or not 1 <= drives.shape[1] <= n_units:
        raise ParameterError(
            f"drives_khz of shape {drives.shape}; allowed: {len(motifs)} rows, one per motif, of "
            f"at most {n_units} units"
        )
    drives = np.pad(drives, ((0, 0), (0, n_units - drives.shape[1])))
    networks = [motif.placement for motif in motifs]
    chip, first = build_chip(networks)
    driven = [input_rates(motif.line_rates(row)) for motif, row in zip(motifs, drives, strict=True)]
    lines = lines_of(networks, first, driven)
    counts = count_spikes(chip, lines, n_ticks=n_ticks, settle=settle, seed=seed)
    found = [p.read(counts, first_core=c) for p, c in zip(networks, first, strict=True)]
    rates = [[each[f"unit_{k}"].mean() for k in range(n_units)] for each in found]
    scale = np.array([motif.layout.rate_scale for motif in motifs])
    return np.array(rates) / n_ticks / scale[:, None]
