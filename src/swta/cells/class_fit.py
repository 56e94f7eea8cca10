"""One AdEx cell per recorded cell of each class.

Six coordinates of a cell are measured (`swta.cells.coordinates`); V_reset, the refractory time,
tau_w and b are searched so that the cell, under the recordings' current steps, has the measured
f-I slope, adaptation index, rate at the hero current and AHP depth. All cells of all classes are
searched together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swta.cells.adex import PARAMETER_NAMES, AdExParameters
from swta.cells.class_cells import CLASS_FEATURES, HERO_RATE, REQUIRED, ClassCells
from swta.cells.class_targets import IMPOSSIBLE, WIDEST, measured_coordinates, pose, search
from swta.cells.classes import CLASSES
from swta.cells.coordinates import to_cells
from swta.cells.protocol import StepProtocol
from swta.cells.statistics import ClassStatistics
from swta.validation import ParameterError, check_integer, check_real

# A cell is searched this far around the cell of its class's medians.
_NEAR: Final = {"asinh_excess": 2.5, "ln_tau_w": 1.5, "ln_refractory": 1.5}
_AHP: Final = (-1.0, 1.5)  # interquartile ranges
_START: Final = (np.nan, np.log(60.0), np.log(2.0))  # what the cell of medians is pulled to
# A search that has not converged counts all the same if the cell is matched this well.
ACCEPTED: Final = 4.0  # sum of squared misses, in interquartile ranges
_FEWEST: Final = 3  # fitted cells of a class

# What the search may change, one freedom after the other: variables held at their first value.
FREEDOMS: Final[Mapping[str, Mapping[str, tuple[float, float]]]] = {
    "b at or above b*": {
        "asinh_excess": (0.0, 7.0),
        "ln_refractory": (0.0, 0.0),
        "ahp_shift": (0.0, 0.0),
    },
    "and refractory time": {"asinh_excess": (0.0, 7.0), "ahp_shift": (0.0, 0.0)},
    "and b below b*": {"ahp_shift": (0.0, 0.0)},
    "and AHP depth": {},
}


@dataclass(frozen=True)
class ClassFit:
    """The fitted cells of one class.

    ``cells`` has one row a cell: specimen_id, the ten `COORDINATES` (rheobase exact, half a step
    below the measured one), cost, whether the search converged, and the irregularity of the hero
    sweep. ``misses`` has the same rows: model less measured in interquartile ranges, NaN where not
    measured.
    """

    name: str
    data_set: str
    centre: AdExParameters  # the cell fitted in the same way to the medians of the class
    centre_cost: float  # sum of squared misses, in interquartile ranges
    cells: pd.DataFrame
    misses: pd.DataFrame
    n_measured: int  # recorded cells of the class, of which so many were drawn for fitting:
    n_drawn: int
    exclusions: pd.DataFrame  # specimen_id, class, reason

    @property
    def parameters(self) -> NDArray[np.float64]:
        """AdEx parameters of the fitted cells, (n, 11)."""
        return to_cells(self.cells)


def fit_class_cells(
    recorded: ClassCells,
    *,
    protocol: StepProtocol | None = None,
    max_cells: int = 64,
    population: int = 24,
    generations: int = 40,
    dt_ms: float = 0.1,
    seed: int = 0,
) -> dict[str, ClassFit]:
    """Fit an AdEx cell to each recorded cell, and one to the medians of each class.

    Cells without a measured resistance, time constant, rheobase or spike have no model; cells whose
    potential at rheobase lies above their threshold cannot be AdEx cells; these are listed, and so
    are cells whose search has neither converged nor found a match.

    Args:
        recorded: from `load_class_cells`.
        protocol: the current steps; by default those of the recordings.
        max_cells: cells fitted per class, drawn at random where there are more. Quantiles of
            measured coordinates take all cells, whatever this is.
        population: candidates per cell and generation, at least 20; a multiple of 4 is kept. The
            cells of medians get twice as many.
        generations: largest number of generations.
        dt_ms: time step.
        seed: of the search and the draw.

    Raises:
        ParameterError: bad sizes; medians of a class that are no AdEx cell; a class of which no
            three cells could be fitted.
    """
    check_integer("max_cells", max_cells, low=5)
    check_integer("population", population, low=20)
    check_integer("generations", generations, low=1)
    check_integer("seed", seed, low=0)
    check_real("dt_ms", dt_ms, low=0, open_low=True, high=0.2, unit="ms")
    steps = protocol or StepProtocol()
    run = partial(search, protocol=steps, generations=generations, dt_ms=dt_ms, seed=seed)
    medians = pd.concat([_medians(recorded.of(name)) for name in CLASSES], ignore_index=True)
    ranges = _ranges(recorded)
    _check_medians(medians)
    everyone = pose(medians, ranges, np.tile(_START, (len(medians), 1)))
    wide = [list(WIDEST.values())] * len(medians)
    centre = run(everyone, wide, population=2 * population)
    centre_cells = to_cells(centre.coordinates)

    drawn = {  # a class's draw does not depend on the others' data sets
        name: _draw(recorded.of(name), max_cells, np.random.default_rng((seed, k)))
        for k, name in enumerate(CLASSES)
    }
    chosen = pd.concat([drawn[name][0] for name in CLASSES], ignore_index=True)
    place = [CLASSES.index(name) for name in chosen["class"]]
    pulled_to = centre.variables[place, :3]
    problems = pose(chosen, ranges, pulled_to)
    bounds = [_around(row) for row in pulled_to]
    found = run(problems, bounds, population=population)

    fits = {}
    for k, name in enumerate(CLASSES):
        own = (chosen["class"] == name).to_numpy()
        lost = own & ~found.converged & (found.cost > ACCEPTED)
        none = own & (found.cost >= IMPOSSIBLE)
        good = own & ~lost & ~none
        if good.sum() < _FEWEST:
            raise ParameterError(
                f"class {name}: {good.sum()} of {own.sum()} cells could be fitted in {generations} "
                f"generations; allowed: at least {_FEWEST}. Raise generations or max_cells"
            )
        failed = chosen.loc[lost, ["specimen_id", "class"]].assign(
            reason=f"the search did not converge in {generations} generations, nor match the cell"
        )
        never = chosen.loc[none & ~lost, ["specimen_id", "class"]].assign(
            reason="no AdEx cell: fast trough so far above V_T that no b within bounds holds it"
        )
        specimens = chosen.loc[good, "specimen_id"].to_numpy()
        table = found.coordinates[good].reset_index(drop=True)
        table.insert(0, "specimen_id", specimens)
        misses = found.misses[good].reset_index(drop=True)
        misses.insert(0, "specimen_id", specimens)
        fits[name] = ClassFit(
            name=name,
            data_set=str(recorded.of(name)["data_set"].iloc[0]),
            centre=AdExParameters(*centre_cells[k].tolist()),
            centre_cost=float(centre.cost[k]),
            cells=table.assign(
                cost=found.cost[good],
                converged=found.converged[good],
                irregularity=found.irregularity[good],
            ),
            misses=misses,
            n_measured=len(recorded.of(name)),
            n_drawn=int(own.sum()),
            exclusions=pd.concat([drawn[name][1], failed, never], ignore_index=True),
        )
    return fits


def compare_freedoms(
    statistics: Mapping[str, ClassStatistics],
    *,
    protocol: StepProtocol | None = None,
    population: int = 64,
    generations: int = 60,
    dt_ms: float = 0.1,
    seed: int = 0,
) -> pd.DataFrame:
    """Which freedom of the model resolves which miss of the class medians, and what it costs.

    The cell of medians of each class is fitted four times (`FREEDOMS`): with b at or above
    b* (`coordinates.holding_b`, 0 where V_reset is not above V_T) and the measured length of a
    spike, then with the refractory time free, then with b below b* allowed, then with an AHP depth
    that may leave the measured one.

    Args:
        statistics: medians and quartiles, from `measure_classes`; single cells are not needed.
        protocol, population, generations, dt_ms, seed: as in `fit_class_cells`.

    Returns:
        Columns class, freedom, the misses of f-I slope, adaptation index, hero rate and AHP depth
        in interquartile ranges (model less measured), cost, and b, tau_w, refractory and V_reset.

    Raises:
        ParameterError: bad sizes, or medians that are no AdEx cell.
    """
    check_integer("population", population, low=20)
    check_integer("generations", generations, low=1)
    rows = [_medians_of(one) for one in statistics.values()]
    medians = pd.DataFrame(rows)
    _check_medians(medians)
    ranges = pd.DataFrame({name: _ranges_of(one) for name, one in statistics.items()}).T
    repeated = pd.concat([medians] * len(FREEDOMS), ignore_index=True)
    bounds = []
    for limits in FREEDOMS.values():
        for row in rows:
            one = {**WIDEST, **limits}
            if one["ln_refractory"] == (0.0, 0.0):
                one["ln_refractory"] = (float(np.log(row["spike_cut_ms"])),) * 2
            bounds.append([_opened(low, high) for low, high in one.values()])
    problems = pose(repeated, ranges, np.tile(_START, (len(repeated), 1)))
    found = search(
        problems,
        bounds,
        protocol=protocol or StepProtocol(),
        population=population,
        generations=generations,
        dt_ms=dt_ms,
        seed=seed,
    )
    table = found.misses.assign(cost=found.cost)
    cells = to_cells(found.coordinates)
    for name in ("b", "tau_w", "refractory", "V_reset"):
        table[name] = cells[:, PARAMETER_NAMES.index(name)]
    table.insert(0, "class", repeated["class"])
    table.insert(1, "freedom", np.repeat(list(FREEDOMS), len(rows)))
    return table


def _opened(low: float, high: float) -> tuple[float, float]:
    """Bounds with a width: scipy scales by it."""
    return (low - 1e-6, high + 1e-6) if low == high else (low, high)


def _around(row: NDArray[np.float64]) -> list[tuple[float, float]]:
    bounds = []
    for (name, reach), at in zip(_NEAR.items(), row, strict=True):
        low, high = WIDEST[name]
        bounds.append((max(low, at - reach), min(high, at + reach)))
    return [*bounds, _AHP]


def _draw(
    own: pd.DataFrame, max_cells: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cells that can be fitted, at most so many, and the others with the reason."""
    reasons = pd.Series("", index=own.index)
    for column in REQUIRED:
        reasons[own[column].isna() & (reasons == "")] = f"{column} not measured"
    beyond = (own["ahp_depth_mV"] <= 0) | (own["peak_v_mV"] <= own["threshold_v_mV"])
    reasons[beyond & (reasons == "")] = "no AdEx cell: fast trough or peak beyond the threshold"
    impossible = pd.Series(np.isnan(_trial(own)).any(axis=1), index=own.index)
    reasons[impossible & (reasons == "")] = "no AdEx cell: potential at rheobase above threshold"
    able = own[reasons == ""]
    if len(able) > max_cells:
        able = able.iloc[np.sort(rng.choice(len(able), max_cells, replace=False))]
    listed = own.loc[reasons != "", ["specimen_id", "class"]]
    return able, listed.assign(reason=reasons[reasons != ""])


def _trial(table: pd.DataFrame) -> NDArray[np.float64]:
    fixed = measured_coordinates(table)
    return to_cells(fixed.assign(refractory_ms=2.0, tau_w_ms=100.0, b_excess_pA=0.0))


def _check_medians(medians: pd.DataFrame) -> None:
    for name, row in zip(medians["class"], _trial(medians), strict=True):
        if not np.isfinite(row).all():
            values = medians[medians["class"] == name].iloc[0]
            shown = ", ".join(f"{column} = {values[column]:.4g}" for column in REQUIRED)
            raise ParameterError(
                f"class {name}: the medians {shown} are no AdEx cell; allowed: positive "
                "resistance, time constant and depth, a rheobase above half a step, and a "
                "threshold above the potential at rheobase and below the peak"
            )


def _medians(own: pd.DataFrame) -> pd.DataFrame:
    numbers = own.select_dtypes("number").median().to_frame().T
    return numbers.assign(**{k: own[k].iloc[0] for k in ("class", "data_set")})


def _ranges(recorded: ClassCells) -> pd.DataFrame:
    by_class = recorded.cells.groupby("class")[list(CLASS_FEATURES)]
    return by_class.quantile(0.75) - by_class.quantile(0.25)


def _medians_of(one: ClassStatistics) -> dict[str, float | str]:
    values: dict[str, float | str] = {f: entry.median for f, entry in one.items()}
    values["rate_at_hero_hz"] = one[HERO_RATE[one.data_set]].median
    first = one.features.get("hero_first_isi_ms")
    values["first_isi_ms"] = first.median if first else np.nan
    return {**values, "class": one.name, "data_set": one.data_set}


def _ranges_of(one: ClassStatistics) -> dict[str, float]:
    names = {f: f for f in CLASS_FEATURES} | {"rate_at_hero_hz": HERO_RATE[one.data_set]}
    return {feature: one[stored].iqr for feature, stored in names.items()}
