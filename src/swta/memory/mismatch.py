"""Networks whose weights are not what was designed, and what survives of memory in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from swta.circuit import RateNetwork, simulate_network
from swta.memory.coupling import BoolArray, CoupledPair, is_up, pair_network
from swta.validation import ParameterError, check_integer, check_real

SMALLEST_FACTOR = 0.05  # a weight neither vanishes nor changes its sign


def draw_mismatch(network: RateNetwork, sd: float, *, draws: int, seed: int) -> RateNetwork:
    """A stack of networks, every weight times its own factor, normal with mean 1 and s.d. ``sd``.

    Raises:
        ParameterError: a stack in place of one network, or a value outside its range.
    """
    if network.batch is not None:
        raise ParameterError(f"a stack of {network.batch} networks; give a single one")
    check_real("sd", sd, low=0, high=1)
    check_integer("draws", draws, low=1)
    check_integer("seed", seed, low=0)
    rng = np.random.default_rng([19, seed])
    factors = 1 + sd * rng.standard_normal((draws, *network.weights.shape))
    weights = network.weights * np.maximum(factors, SMALLEST_FACTOR)
    thresholds = np.broadcast_to(network.thresholds, (draws, len(network.labels)))
    return replace(network, weights=weights, thresholds=thresholds.copy())


def silence_runaway(network: RateNetwork, n_units: int) -> tuple[RateNetwork, BoolArray]:
    """A stack of pairs in which those without a stable up-state of every unit are silent.

    The rate of an up-state whose linear system has a growing mode would run away and end the whole
    simulation. All weights of such a draw become 0; it then holds no state, which is its failure.

    Args:
        network: a stack whose first cells are those of `pair_network`.
        n_units: units of each motif.

    Returns:
        The stack, and which draws were silenced, (batch,).
    """
    silenced = np.zeros(len(network.weights), dtype=bool)
    for k in range(n_units):
        active = [k, n_units, n_units + 1 + k, 2 * n_units + 1]
        part = network.weights[:, active][:, :, active] - np.eye(len(active))
        silenced |= np.linalg.eigvals(part).real.max(-1) >= 0
    return replace(
        network, weights=np.where(silenced[:, None, None], 0.0, network.weights)
    ), silenced


def simulate_mismatched_pairs(
    pair: CoupledPair,
    sds: Sequence[float],
    *,
    draws: int,
    retention: float,
    seed: int = 0,
) -> BoolArray:
    """Whether each unit's up-state lasts, (n_sds, draws).

    A pair counts only if both of its states can be held: unit 0 and, in another run of the same
    draw, unit 1. Starts are gentle, at the up-state of the pair as designed.

    Args:
        sds: relative s.d. of all weights.
        draws: pairs drawn for each.
        retention: time without input, τ.
    """
    network, n = pair_network(pair), pair.motif.n_units
    onset = pair.motif.T_N / pair.motif.beta2
    rate = 1.5 * onset
    kept = np.ones((len(sds), draws), dtype=bool)
    for k, sd in enumerate(sds):
        drawn, _ = silence_runaway(draw_mismatch(network, sd, draws=draws, seed=seed), n)
        dt = drawn.safe_step(0.05)
        for unit in (0, 1):
            initial = np.zeros(2 * n + 2)
            initial[[unit, n + 1 + unit]] = rate
            initial[[n, 2 * n + 1]] = pair.motif.beta2 * rate - pair.motif.T_N
            result = simulate_network(
                drawn,
                np.zeros(2 * n + 2),
                duration=retention,
                dt=dt,
                initial=initial,
                record_every=round(retention / dt),
            )
            kept[k] &= is_up([pair] * draws, result.rates[-1, :, unit])
    return kept
