"""Where up-states persist on the chip, and how few connections between two motifs are enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from swta.circuit import Motif
from swta.memory.chip_network import ChipDesign, SparseCoupling, couplings_near
from swta.memory.chip_runs import simulate_chip_cues
from swta.memory.coupling import (
    BoolArray,
    CoupledPair,
    Cue,
    FloatArray,
    is_up,
    persistence_range,
)
from swta.validation import check_integer, check_real


@dataclass(frozen=True)
class ChipBoundaryResult:
    """Persistence on the chip over self-excitation and realised couplings."""

    alphas: FloatArray  # (n_alphas,)
    gammas: FloatArray  # realised, rising, (n_alphas, n_gammas)
    up: BoolArray  # any gentle start is up at the end, (n_alphas, n_gammas)
    predicted: FloatArray  # smallest γ by the closed form, (n_alphas,)
    measured: FloatArray  # middle between the last γ below and the first with an up-state, same


def simulate_chip_boundary(
    motif: Motif,
    alphas: ArrayLike,
    *,
    design: ChipDesign = ChipDesign(),
    span: float = 0.6,
    n_gammas: int = 13,
    retention: int = 10_000,
    starts: Sequence[float] = (1.1, 1.5, 2.5),
    seed: int = 0,
) -> ChipBoundaryResult:
    """Smallest γ whose up-state outlasts ``retention`` ticks, for each α.

    A gentle start is a cue that falls slowly to nothing. γ is varied by the number of connections
    and their weight, so only products of the two can be had; the grid takes those nearest to even
    steps.

    Args:
        alphas: self-excitations that become whole weights.
        span: half width of the range of γ over the predicted boundary.
        starts: amplitudes of the cue over the rate T_N/β₂ at which inhibition sets in.

    Raises:
        ParameterError: an α that becomes no whole weight, or a value outside its range.
    """
    check_real("span", span, low=0, high=1, open_low=True)
    check_integer("n_gammas", n_gammas, low=3)
    alphas = np.atleast_1d(np.asarray(alphas, dtype=np.float64))
    motifs = [replace(motif, alpha=float(a)) for a in alphas]
    predicted = np.array([persistence_range(m)[0] for m in motifs])
    rows, pairs, couplings, cues = [], [], [], []
    for one, lowest in zip(motifs, predicted, strict=True):
        wanted = lowest * np.linspace(1 - span, 1 + span, n_gammas)
        row = couplings_near(wanted.tolist(), design)
        rows.append([c.gamma(design) for c in row])
        for coupling in row:
            for start in starts:
                pairs.append(CoupledPair(one, coupling.gamma(design)))
                couplings.append(coupling)
                cues.append(Cue(start * (1 - one.alpha) * one.T_N / one.beta2 + one.T_E, 1200.0))
    result = simulate_chip_cues(
        pairs,
        cues,
        retention=retention,
        fall=800,
        couplings=couplings,
        design=design,
        seed=seed,
        bin_ticks=100,
    )
    last = result.x[-5:, :, 0].mean(0)
    gammas = np.array(rows)
    up = np.any(is_up(pairs, last).reshape(len(motifs), n_gammas, len(starts)), axis=-1)
    first = up.argmax(1)
    inside = up.any(axis=1) & (first > 0)
    high = gammas[np.arange(len(first)), first]
    low = gammas[np.arange(len(first)), np.maximum(first - 1, 0)]
    measured = np.where(inside, (low + high) / 2, np.nan)
    return ChipBoundaryResult(alphas, gammas, up, predicted, measured)


@dataclass(frozen=True)
class SparsityResult:
    """Up-states on the chip with K of N possible connections per neuron."""

    connections: FloatArray  # K over N, (n_couplings,)
    gammas: FloatArray  # realised γ, (n_couplings,)
    survival: FloatArray  # share of trials still up at the end, (n_couplings,)
    trials: int


def simulate_chip_sparsity(
    pair: CoupledPair,
    couplings: Sequence[SparseCoupling],
    cue: Cue,
    *,
    trials: int,
    retention: int = 10_000,
    design: ChipDesign = ChipDesign(),
    seed: int = 0,
) -> SparsityResult:
    """Share of cued trials that hold the state, over the number of connections.

    Args:
        pair: its γ is replaced by that of each coupling.
        cue: given and withdrawn at once, duration in ticks.
        trials: with other spikes of cue and background.
        retention: ticks after the cue.

    Raises:
        ParameterError: no trial, or numbers that do not fit.
    """
    check_integer("trials", trials, low=1)
    gammas = np.array([c.gamma(design) for c in couplings])
    pairs = [replace(pair, gamma=float(g)) for g in gammas for _ in range(trials)]
    result = simulate_chip_cues(
        pairs,
        [cue] * len(pairs),
        retention=retention,
        couplings=[c for c in couplings for _ in range(trials)],
        design=design,
        seed=seed,
        bin_ticks=100,
    )
    up = is_up(pairs, result.x[-5:, :, 0].mean(0)).reshape(len(gammas), trials)
    share = np.array([c.connections for c in couplings]) / design.neurons_per_unit
    return SparsityResult(share, gammas, up.mean(1), trials)
