"""Spike-triggered adaptation of a class model, fitted to its f-I slope and adaptation index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import differential_evolution

from swta.cells.adex import PARAMETER_NAMES, AdExParameters
from swta.cells.derive import TAU_W_START, derive_adex, with_adaptation
from swta.cells.features import fi_slope
from swta.cells.population import adaptation_indices, simulate_trains
from swta.cells.protocol import StepProtocol
from swta.cells.statistics import ClassStatistics
from swta.validation import check_integer

B_RANGE = (0.1, 1000.0)  # pA
TAU_W_RANGE = (5.0, 500.0)  # ms
# Slope and index fix hardly more than the product b tau_w in some classes. Among cells that match
# equally well, this weak pull prefers a tau_w near the 144 ms of Brette and Gerstner (2005): a
# factor of three away costs as much as missing a median by a tenth of its interquartile range.
PULL = 0.1
_FAILED = 1e3  # cost of a cell with too few spikes to measure


@dataclass(frozen=True)
class AdaptationFit:
    """A class model with its fitted adaptation, and how well it matches.

    ``cost`` is the sum of squared misses of the two medians in units of their interquartile ranges;
    ``converged`` is false where the generations ran out before the population agreed.
    """

    parameters: AdExParameters
    cost: float
    converged: bool
    generations: int


def fit_adaptation(
    statistics: ClassStatistics,
    *,
    protocol: StepProtocol | None = None,
    population: int = 24,
    generations: int = 40,
    dt_ms: float = 0.1,
    seed: int = 0,
) -> AdaptationFit:
    """Fit b (pA) and tau_w (ms) to the median f-I slope and adaptation index of a class.

    Differential evolution (scipy) over ln b and ln tau_w; every generation is one compiled run of
    all candidates at all currents. All other parameters are those of `derive_adex`.

    Args:
        statistics: medians and quartiles of the class.
        protocol: the current steps; by default those of the recordings.
        population: candidates per generation.
        generations: largest number of generations.
        dt_ms: time step; halving it moves no spike count of these cells by more than one.
        seed: of the search.

    Raises:
        ParameterError: medians that no model can have, or a bad population or number of
            generations.
    """
    check_integer("population", population, low=6)
    check_integer("generations", generations, low=1)
    check_integer("seed", seed, low=0)
    steps = protocol or StepProtocol()
    start = derive_adex(statistics)
    base = np.array([getattr(start, name) for name in PARAMETER_NAMES])
    b_index, tau_index = PARAMETER_NAMES.index("b"), PARAMETER_NAMES.index("tau_w")
    slope = statistics["fi_slope_hz_per_pA"]
    index = statistics["adaptation_index"]
    # The model's exact rheobase lies half a resolution below the measured one, so all steps
    # spike.
    currents = statistics["rheobase_pA"].median + steps.above_rheobase_pA
    hero = steps.hero_index

    def misses(log_values: NDArray[np.float64]) -> NDArray[np.float64]:
        cells = np.tile(base, (log_values.shape[1], 1))
        cells[:, b_index], cells[:, tau_index] = np.exp(log_values)
        rows = np.tile(currents, (len(cells), 1))
        counts, times = simulate_trains(cells, rows, steps.duration_ms, dt_ms)
        slopes = np.array([fi_slope(currents, row) for row in counts * 1e3 / steps.duration_ms])
        adaptation = adaptation_indices(times[:, hero])
        cost = ((slopes - slope.median) / slope.iqr) ** 2
        cost += ((adaptation - index.median) / index.iqr) ** 2
        return np.where(np.isfinite(cost), cost, _FAILED)

    def cost_with_pull(log_values: NDArray[np.float64]) -> NDArray[np.float64]:
        away = (log_values[1] - np.log(TAU_W_START)) / np.log(3.0)
        return misses(log_values) + (PULL * away) ** 2

    found = differential_evolution(
        cost_with_pull,
        bounds=[tuple(np.log(B_RANGE)), tuple(np.log(TAU_W_RANGE))],
        popsize=population // 2,  # scipy counts per dimension
        maxiter=generations,
        vectorized=True,
        updating="deferred",
        polish=False,
        rng=np.random.default_rng(seed),
        tol=0.01,
        atol=1e-3,  # a miss of 3 % of an interquartile range
    )
    b, tau_w = np.exp(found.x)
    return AdaptationFit(
        parameters=with_adaptation(start, float(b), float(tau_w)),
        cost=float(misses(found.x[:, None])[0]),
        converged=bool(found.success),
        generations=int(found.nit),
    )
