r"""Measure, correct, measure: refine gain matching until the chip fires as a measured network does.

The rates of the chip, with the gains as they are asked for and with each of them changed a little,
are measured in one run. The differences say how every rate moves with every gain, and a damped
least-squares step (Levenberg and Marquardt) corrects all of them at once. Whole numbers are chosen
anew every time, so their grid is part of what is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear

from swta.truenorth.matched_runs import simulate_matched
from swta.truenorth.matching import (
    Gains,
    Layout,
    MatchedMotif,
    match_gains,
    without_primitive,
)
from swta.truenorth.neuron import MAX_WEIGHT
from swta.truenorth.target import NetworkRates, Target
from swta.validation import check_integer

FloatArray = NDArray[np.float64]

# How far a gain is moved to see what it does, and the range in which a correction leaves it. The
# first four are in units of the input gain k. VIP's part stays as measured: nothing that the
# correction sees shows it.
STEPS: Final = {
    "gain_hz_per_khz": (0.1, 0.2, 10.0),
    "rival_hz_per_khz": (0.05, -2.0, 0.0),
    "threshold_hz": (0.1, -3.0, 5.0),
    "spread_hz": (0.15, 0.0, 5.0),
    "alpha": (0.04, 0.0, 0.95),
    "loop": (0.05, 0.0, 4.0),
    "pv_loop": (0.05, 0.0, 4.0),
    "pool_hz": (0.4, -10.0, 10.0),
    "depth": (0.4, 0.2, 20.0),
}
_IN_GAIN: Final = 4
_FLATTEST: Final = 0.03  # of the mean steepness; keeps numbers without effect from running off


@dataclass(frozen=True, eq=False)
class MatchRound:
    """One measurement of the motif on the chip."""

    gains: Gains  # what gain matching was asked for
    mapped: MatchedMotif
    rates_hz: FloatArray  # (n, k), on the chip
    rmse: float  # against the target, each rate over its ``Target.sizes_hz``


@dataclass(frozen=True, eq=False)
class MatchResult:
    """All rounds; the first is gain matching without correction."""

    target: Target
    rounds: tuple[MatchRound, ...]

    @property
    def best(self) -> MatchRound:
        """The round nearest to the target."""
        return min(self.rounds, key=lambda each: each.rmse)


@dataclass(frozen=True, eq=False)
class MatchTest:
    """The chip under conditions that the correction has not seen, rates in Hz."""

    before_hz: FloatArray  # pairs of drives, gains as measured, mean over runs, (n, 2)
    after_hz: FloatArray  # the same, corrected
    contests_hz: FloatArray  # ``NetworkRates.competition``, corrected, (n_runs, 3, 2)


def simulate_target(
    mapped: Sequence[MatchedMotif], target: Target, *, n_ticks: int, seed: int
) -> FloatArray:
    """Rates (Hz) of motifs on the chip under the conditions of a target, (n_motifs, n, k)."""
    n, k = target.drives_khz.shape
    each = []
    for motif in mapped:
        versions = {
            "": motif,
            "recurrence": motif.without_recurrence(),
            "Pvalb": without_primitive(motif, "Pvalb"),
            "Sst": without_primitive(motif, "Sst"),
        }
        each += [versions[cut] for cut in target.cuts]
    drives = np.tile(target.drives_khz, (len(mapped), 1))
    rates = simulate_matched(each, drives, n_ticks=n_ticks, seed=seed)
    return rates[:, :k].reshape(len(mapped), n, k)


def calibrate_match(
    start: Gains,
    target: Target,
    layout: Layout = Layout(),
    *,
    rounds: int = 6,
    n_ticks: int = 2000,
    seed: int = 0,
) -> MatchResult:
    """Correct what is asked of gain matching until the chip fires as the target does.

    Args:
        start: gains as measured; one outside the range of its corrections starts at its end.
        target: rates to reach; others should judge the result.
        layout: neurons and lines on the chip.
        rounds: measurements, the uncorrected one included.
        n_ticks: ticks of each measurement.
        seed: of the input spikes; every round has the same.

    Raises:
        ParameterError: a gain that does not fit nine bits.
    """
    check_integer("rounds", rounds, low=1)
    names = list(STEPS)
    step, low, high = (np.array([STEPS[name][k] for name in names]) for k in range(3))
    for bound in (step, low, high):
        bound[:_IN_GAIN] *= start.gain_hz_per_khz
    pool, most = names.index("pool_hz"), MAX_WEIGHT / layout.leaks_per_hz
    low[pool], high[pool] = max(low[pool], -most), min(high[pool], most)
    start = replace(start, vip_hz=min(start.vip_hz, most))
    size = target.sizes_hz
    at = np.clip([getattr(start, name) for name in names], low, high)
    base, damping, done = at, 0.01, list[MatchRound]()
    best = np.inf
    slopes = residual = np.empty(0)

    def asked(vector: FloatArray) -> Gains:
        return replace(start, **dict(zip(names, vector.tolist(), strict=True)))

    for _ in range(rounds):
        # A move that would leave the range goes the other way.
        moves = np.where(at + step > high, -step, step)
        tried = [asked(at), *(asked(at + move) for move in np.diag(moves))]
        mapped = [match_gains(gains, layout) for gains in tried]
        rates = simulate_target(mapped, target, n_ticks=n_ticks, seed=seed)
        miss = ((target.rates_hz - rates[0]) / size).ravel()
        rmse = float(np.sqrt((miss**2).mean()))
        done.append(MatchRound(tried[0], mapped[0], rates[0], rmse))
        if rmse < best:
            best, base, damping = rmse, at, damping / 4
            slopes = ((rates[1:] - rates[0]) / size).reshape(len(names), -1).T * np.sign(moves)
            residual = miss
        else:
            damping *= 10
        steepness = (slopes**2).sum(0)
        weight = np.sqrt(damping * (steepness + _FLATTEST * steepness.mean()))
        wanted = lsq_linear(
            np.vstack([slopes, np.diag(weight)]),
            np.concatenate([residual, np.zeros(len(names))]),
            bounds=((low - base) / step - 1e-9, (high - base) / step + 1e-9),
        ).x
        at = np.clip(base + step * wanted, low, high)
    return MatchResult(target, tuple(done))


def simulate_unseen(
    fitted: MatchResult, rates: NetworkRates, *, n_ticks: int, seeds: int, seed: int
) -> MatchTest:
    """Run the motif, as first matched and as corrected, under what the correction has not seen.

    Args:
        fitted: from ``calibrate_match``.
        rates: of the network; its unseen pairs and its competition are run.
        n_ticks: ticks to measure.
        seeds: runs with other input spikes.
        seed: of the first.
    """
    check_integer("seeds", seeds, low=1)
    motifs = [fitted.rounds[0].mapped, fitted.best.mapped]
    target, n = rates.unseen + rates.competition, len(rates.unseen.cuts)
    runs = np.stack(
        [simulate_target(motifs, target, n_ticks=n_ticks, seed=seed + k) for k in range(seeds)]
    )
    before, after = runs[:, :, :n].mean(0)
    return MatchTest(before, after, runs[:, 1, n:])
