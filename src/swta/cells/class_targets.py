"""What a cell of a class is fitted to: its features, the cost of missing them, and the search.

Many cells, of any class, are posed as one set of problems and searched together. Each has four
variables (asinh of the excess of b, ln tau_w, ln refractory time, AHP depth); everything else about
it is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swta.cells.class_cells import HERO_RATE
from swta.cells.coordinates import COORDINATES, RHEOBASE_RESOLUTION, to_cells
from swta.cells.lockstep import minimise_together
from swta.cells.protocol import StepProtocol
from swta.cells.virtual import ActiveFeatures, measure_active

STEPS: Final = np.array([0.0, 40.0, 80.0, 140.0])  # pA above rheobase, of the eight of the protocol
DYNAMIC: Final = ("fi_slope_hz_per_pA", "adaptation_index", "rate_at_hero_hz")
# A miss is in interquartile ranges of the feature in the class, at most this many.
LARGEST_MISS: Final = 3.0
# Recorded cells slow down or keep their pace. Model cells with V_reset above V_T can also fire in
# pairs, with the same mean adaptation; an irregularity of this size costs as much as 1 IQR.
IRREGULARITY: Final = 0.05
# First interval at the hero current, where measured: a factor of e^0.5 costs a quarter.
FIRST_ISI: Final = (0.5, 0.25)
# Among cells that match equally well the one nearest to a given one: tau_w a factor of three away,
# refractory time a factor of e, or the excess of b one unit of asinh, costs this much.
PULL: Final = 0.02
WIDEST: Final = {
    "asinh_excess": (-4.6, 7.0),  # -50 to 550 pA from b*
    "ln_tau_w": (np.log(3.0), np.log(600.0)),  # ms
    "ln_refractory": (np.log(0.3), np.log(8.0)),  # ms
    "ahp_shift": (-1.0, 3.0),  # interquartile ranges added to the measured depth
}
IMPOSSIBLE: Final = 100.0  # cost of variables that no AdEx cell can have
_MAX_SPIKES: Final = 256
# In the order of `AdExParameters`; run where a whole generation is impossible.
_ANY_CELL: Final = (100.0, 10.0, -70.0, -50.0, 2.0, 100.0, 0.0, 0.0, -60.0, 2.0, 20.0)
Bounds = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Problems:
    """n cells to be fitted, of any class."""

    fixed: pd.DataFrame  # (n rows) measured coordinates, ``rheobase_pA`` the exact one
    step_pA: NDArray[np.float64]  # (n,), measured rheobase: the first step that spikes
    targets: dict[str, NDArray[np.float64]]  # of each of DYNAMIC and first_isi_ms, (n,)
    scale: dict[str, NDArray[np.float64]]  # interquartile range of DYNAMIC and ahp_depth_mV, (n,)
    counted: NDArray[np.bool_]  # (n,), whether the hero rate is a count
    pulled_to: NDArray[np.float64]  # (n, 3), first three of `WIDEST`; NaN is no pull

    def __len__(self) -> int:
        return len(self.fixed)


def measured_coordinates(table: pd.DataFrame) -> pd.DataFrame:
    """Measured coordinates of cells; the exact rheobase lies half a step below the measured one."""
    fixed = table[[name for name in COORDINATES if name in table]].copy()
    fixed["rheobase_pA"] = fixed["rheobase_pA"] - 0.5 * RHEOBASE_RESOLUTION
    return fixed.reset_index(drop=True)


def pose(chosen: pd.DataFrame, ranges: pd.DataFrame, pulled_to: NDArray[np.float64]) -> Problems:
    """Problems for rows of features.

    Args:
        chosen: (n rows) class, data_set, the nine features, peak_v_mV and first_isi_ms.
        ranges: interquartile range of each feature (columns) in each class (index).
        pulled_to: (n, 3), see `Problems`.
    """
    own = ranges.loc[chosen["class"]]
    return Problems(
        fixed=measured_coordinates(chosen),
        step_pA=chosen["rheobase_pA"].to_numpy(dtype=np.float64),
        targets={f: chosen[f].to_numpy(dtype=np.float64) for f in (*DYNAMIC, "first_isi_ms")},
        scale={f: own[f].to_numpy(dtype=np.float64) for f in (*DYNAMIC, "ahp_depth_mV")},
        counted=chosen["data_set"].map(HERO_RATE).eq("hero_rate_hz").to_numpy(),
        pulled_to=pulled_to,
    )


@dataclass(frozen=True)
class Found:
    """Where the search of n problems ended."""

    variables: NDArray[np.float64]  # (n, 4), in the order of `WIDEST`
    coordinates: pd.DataFrame  # (n rows), columns `COORDINATES`
    misses: pd.DataFrame  # (n rows), model less measured in IQR; NaN where not measured
    cost: NDArray[np.float64]  # (n,), without the pull
    irregularity: NDArray[np.float64]  # (n,), of the hero sweep, see `virtual.irregularity`
    converged: NDArray[np.bool_]  # (n,)


def search(
    problems: Problems,
    bounds: Sequence[Bounds],
    *,
    protocol: StepProtocol,
    population: int,
    generations: int,
    dt_ms: float,
    seed: int,
) -> Found:
    """Differential evolution (scipy) of every problem, all problems in step.

    Each generation is one compiled run of all candidates of all problems at `STEPS`.

    Args:
        problems: the cells.
        bounds: of each problem, low and high of each variable of `WIDEST`.
        protocol: gives hero current and duration.
        population, generations, seed: of `minimise_together`.
        dt_ms: time step.
    """

    def evaluate(which: NDArray[np.int64], z: NDArray[np.float64]) -> NDArray[np.float64]:
        coordinates = _decode(problems, which, z)
        response = _respond(problems, which, coordinates, protocol, dt_ms)
        cost = _cost(
            problems, which, coordinates, _misses(problems, which, coordinates, response), response
        )
        away = z[:, :3] - problems.pulled_to[which]
        away = np.where(np.isfinite(away), away, 0.0) / np.array([1.0, np.log(3.0), 1.0])
        return np.asarray(cost + PULL * (away**2).sum(axis=1))

    found = minimise_together(
        evaluate,
        bounds,
        population=population,
        generations=generations,
        seed=seed,
        tol=0.05,
        atol=0.02,
    )
    z = np.array([one.x for one in found])
    rows = np.arange(len(problems))
    coordinates = _decode(problems, rows, z)
    response = _respond(problems, rows, coordinates, protocol, dt_ms)
    misses = _misses(problems, rows, coordinates, response)
    return Found(
        variables=z,
        coordinates=coordinates,
        misses=pd.DataFrame(misses),
        cost=_cost(problems, rows, coordinates, misses, response),
        irregularity=response.irregularity,
        converged=np.array([bool(one.success) for one in found]),
    )


def _decode(problems: Problems, which: NDArray[np.int64], z: NDArray[np.float64]) -> pd.DataFrame:
    """Coordinates of candidates z (k, 4) of the problems ``which`` (k,)."""
    table = problems.fixed.iloc[which].reset_index(drop=True)
    scale = problems.scale["ahp_depth_mV"][which]
    return table.assign(
        ahp_depth_mV=np.maximum(table["ahp_depth_mV"] + z[:, 3] * scale, 0.5),
        refractory_ms=np.exp(z[:, 2]),
        tau_w_ms=np.exp(z[:, 1]),
        b_excess_pA=np.sinh(z[:, 0]),
    )[list(COORDINATES)]


def _respond(
    problems: Problems,
    which: NDArray[np.int64],
    coordinates: pd.DataFrame,
    protocol: StepProtocol,
    dt_ms: float,
) -> ActiveFeatures:
    cells = to_cells(coordinates)
    possible = np.isfinite(cells).all(axis=1)
    if not possible.all():  # run any other cell in their place; `_cost` tells them
        cells[~possible] = cells[np.argmax(possible)] if possible.any() else _ANY_CELL
    return measure_active(
        cells,
        problems.step_pA[which],
        STEPS,
        protocol=protocol,
        dt_ms=dt_ms,
        max_spikes=_MAX_SPIKES,
    )


def _misses(
    problems: Problems,
    which: NDArray[np.int64],
    coordinates: pd.DataFrame,
    response: ActiveFeatures,
) -> dict[str, NDArray[np.float64]]:
    found = response.features
    hero = np.where(problems.counted[which], found["hero_rate_hz"], found["isi_rate_at_hero_hz"])
    model = dict(zip(DYNAMIC, (found[DYNAMIC[0]], found[DYNAMIC[1]], hero), strict=True))
    misses = {}
    for feature, values in model.items():
        target = problems.targets[feature][which]
        miss = (values - target) / problems.scale[feature][which]
        miss = np.where(np.isfinite(miss), np.clip(miss, -LARGEST_MISS, LARGEST_MISS), LARGEST_MISS)
        misses[feature] = np.where(np.isfinite(target), miss, np.nan)
    depth = problems.fixed["ahp_depth_mV"].to_numpy(dtype=np.float64)[which]
    change = coordinates["ahp_depth_mV"].to_numpy(dtype=np.float64) - depth
    misses["ahp_depth_mV"] = change / problems.scale["ahp_depth_mV"][which]
    return misses


def _cost(
    problems: Problems,
    which: NDArray[np.int64],
    coordinates: pd.DataFrame,
    misses: dict[str, NDArray[np.float64]],
    response: ActiveFeatures,
) -> NDArray[np.float64]:
    cost: NDArray[np.float64] = np.sum(
        [np.nan_to_num(miss) ** 2 for miss in misses.values()], axis=0
    )
    cost += np.minimum(response.irregularity / IRREGULARITY, LARGEST_MISS) ** 2
    width, weight = FIRST_ISI
    ratio = np.log(response.features["first_isi_ms"] / problems.targets["first_isi_ms"][which])
    ratio = np.where(np.isfinite(ratio), np.clip(ratio / width, -LARGEST_MISS, LARGEST_MISS), 0.0)
    possible = np.isfinite(to_cells(coordinates)).all(axis=1)
    return np.where(possible, cost + weight * ratio**2, IMPOSSIBLE)
