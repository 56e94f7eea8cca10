"""Where up-states persist: the boundary of the coupling γ, and a map over γ and α."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from swta.circuit import Motif
from swta.memory.coupling import (
    BoolArray,
    CoupledPair,
    Cue,
    FloatArray,
    is_up,
    pair_network,
    persistence_range,
    simulate_cues,
    simulate_gentle_start,
)
from swta.validation import check_real

START_FACTORS = (1.02, 1.1, 1.5, 3.0)  # gentle starts, in units of T_N/β₂ where inhibition sets in


def simulate_boundary(
    motifs: Sequence[Motif], *, resolution: float = 1e-3, duration: float = 1000.0
) -> FloatArray:
    """Smallest γ at which an up-state outlasts ``duration``, for each motif, dimensionless.

    The bracket [0, stability limit) is cut 8-fold per round. A trial γ counts as persistent if any
    gentle start of ``START_FACTORS`` is still up at the end. NaN where no trial value persists.

    Args:
        motifs: one per boundary point, all of the same size.
        resolution: width of the final bracket.
        duration: time without input, τ.

    Raises:
        ParameterError: a value outside its range.
    """
    check_real("resolution", resolution, low=0, open_low=True)
    limit = np.array([persistence_range(m)[1] for m in motifs])
    low, high = np.zeros(len(motifs)), limit.copy()
    while (high - low).max() > resolution:
        edges = np.linspace(low, high, 9, axis=-1)  # (n_motifs, 9)
        trials = edges[:, 1:-1]
        pairs = [
            CoupledPair(m, float(gamma))
            for m, row in zip(motifs, trials, strict=True)
            for gamma in row
        ]
        up = persists_gently(pairs, duration=duration).reshape(trials.shape)
        down = np.where(up.any(-1), up.argmax(-1), trials.shape[-1])  # trials below the boundary
        low, high = np.take_along_axis(edges, np.stack([down, down + 1], -1), -1).T
    return np.where(high < limit, (low + high) / 2, np.nan)


def persists_gently(pairs: Sequence[CoupledPair], *, duration: float) -> BoolArray:
    """Whether any gentle start of each pair is still up after ``duration`` τ, (n_pairs,)."""
    repeated = [pair for pair in pairs for _ in START_FACTORS]
    dt = pair_network(repeated).safe_step(0.05)
    onset = np.array([pair.motif.T_N / pair.motif.beta2 for pair in repeated])
    result = simulate_gentle_start(
        repeated,
        onset * np.tile(START_FACTORS, len(pairs)),
        duration=duration,
        dt=dt,
        record_every=round(duration / dt),
    )
    up = is_up(repeated, result.x[-1, :, 0])
    return np.any(up.reshape(len(pairs), len(START_FACTORS)), axis=-1)


@dataclass(frozen=True)
class MapResult:
    """Persistence over self-excitation and coupling."""

    alphas: FloatArray  # (n_alphas,)
    gammas: FloatArray  # (n_gammas,)
    stable: BoolArray  # α + γ below the stability limit, (n_alphas, n_gammas)
    gentle: BoolArray  # an up-state persists from a gentle start, same shape
    cued: BoolArray  # the up-state persists after the cue is withdrawn, same shape


def simulate_persistence_map(
    motif: Motif,
    alphas: ArrayLike,
    gammas: ArrayLike,
    *,
    cue: Cue,
    retention: float = 300.0,
) -> MapResult:
    """Whether up-states persist, from gentle starts and after a cue, on a grid of α and γ.

    Args:
        motif: all other parameters.
        alphas: self-excitations, (n_alphas,).
        gammas: couplings, (n_gammas,).
        cue: input that is given and withdrawn.
        retention: time without input after which persistence is judged, τ.

    Raises:
        ParameterError: a value outside its range.
    """
    alphas = np.atleast_1d(np.asarray(alphas, dtype=np.float64))
    gammas = np.atleast_1d(np.asarray(gammas, dtype=np.float64))
    motifs = [replace(motif, alpha=float(alpha)) for alpha in alphas]
    highest = np.array([persistence_range(m)[1] for m in motifs])
    stable = gammas[None, :] < highest[:, None]
    pairs = [CoupledPair(motifs[i], float(gammas[j])) for i, j in np.argwhere(stable)]
    dt = pair_network(pairs).safe_step(0.05)
    cued_run = simulate_cues(
        pairs,
        [cue] * len(pairs),
        retention=retention,
        dt=dt,
        record_every=round(retention / dt),
    )
    gentle, cued = np.zeros_like(stable), np.zeros_like(stable)
    cued[stable] = is_up(pairs, cued_run.x[-1, :, 0])
    gentle[stable] = persists_gently(pairs, duration=retention)
    return MapResult(alphas, gammas, stable, gentle, cued)
