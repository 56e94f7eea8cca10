"""From recorded cells to the class models in one call, and the models against the recordings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from swta.cells.calibrate import calibrate_distributions
from swta.cells.class_cells import ClassCells, load_class_cells
from swta.cells.class_fit import ClassFit, fit_class_cells
from swta.cells.classes import CLASSES
from swta.cells.library import CellClass, make_class, write_classes
from swta.cells.protocol import StepProtocol
from swta.cells.statistics import (
    BY_CLASS,
    CHOICES,
    DATA_SETS,
    DEFAULTS,
    ClassStatistics,
    measure_classes,
)


@dataclass(frozen=True)
class ClassModels:
    """The models of all classes, the fits behind them, and what was left out."""

    classes: dict[str, CellClass]
    fits: dict[str, ClassFit]
    exclusions: pd.DataFrame  # specimen_id, class, column, value, reason

    def tabulate_misses(self) -> pd.DataFrame:
        """One row per fitted cell: class, misses of the four searched features (IQR), cost."""
        parts = []
        for name, fit in self.fits.items():
            part = fit.misses.copy()
            part.insert(0, "class", name)
            part["cost"] = fit.cells["cost"]
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    @property
    def note(self) -> str:
        """How many cells of each class were recorded and fitted, for a caption."""
        parts = [f"{n} {len(f.cells)} of {f.n_measured}" for n, f in self.fits.items()]
        return "cells fitted of those recorded: " + ", ".join(parts)


def fit_classes(
    recorded: ClassCells,
    statistics: Mapping[str, ClassStatistics],
    *,
    protocol: StepProtocol | None = None,
    max_cells: int = 64,
    population: int = 24,
    generations: int = 40,
    pool: int = 800,
    rounds: int = 4,
    dt_ms: float = 0.1,
    seed: int = 0,
) -> ClassModels:
    """Fit the single cells of all classes and the distribution of each class.

    Args:
        recorded: single cells, from `load_class_cells`.
        statistics: of the same data sets, from `measure_classes`; stored with the models.
        protocol: the current steps; by default those of the recordings.
        max_cells, population, generations: of `fit_class_cells`.
        pool, rounds: cells and rounds of `calibrate_distributions`.
        dt_ms: time step.
        seed: of search and draws.

    Raises:
        ParameterError: bad sizes, or a class of which too few cells could be fitted.
    """
    fits = fit_class_cells(
        recorded,
        protocol=protocol,
        max_cells=max_cells,
        population=population,
        generations=generations,
        dt_ms=dt_ms,
        seed=seed,
    )
    found = calibrate_distributions(
        fits, recorded, protocol=protocol, n=pool, rounds=rounds, dt_ms=dt_ms, seed=seed
    )
    classes = {name: make_class(statistics[name], fits[name], found[name]) for name in CLASSES}
    listed = [recorded.exclusions, *(fit.exclusions for fit in fits.values())]
    return ClassModels(classes, fits, pd.concat(listed, ignore_index=True))


def publish_classes(path: Path) -> None:
    """Fit all classes anew, on either data set, with chapter 1's defaults, and write them to path.

    Each class on its default data set is the one of a fit of the default choice, so that chapter 1
    finds what it loads. ``python -c "from pathlib import Path; from swta.cells import
    publish_classes; publish_classes(Path('src/swta/cells/class_models.json'))"`` rewrites the
    shipped models; then `swta.cells.synapses.publish_synapses`, whose cells they are.

    Raises:
        swta.data.DataUnavailable: the tables of cells are nowhere to be found.
    """
    found = {
        choice: fit_classes(load_class_cells(choice), measure_classes(choice)).classes
        for choice in CHOICES
    }
    tables = {
        data_set: {
            name: found[BY_CLASS if DEFAULTS[name] == data_set else data_set][name]
            for name in CLASSES
        }
        for data_set in DATA_SETS
    }
    write_classes(tables, path)
