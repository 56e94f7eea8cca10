"""How well fitted cells predict the levels that they were not fitted to, against simpler models.

The explained variance of a cell is 1 - sum (measured - predicted)^2 / sum (measured - mean)^2 of
the spike counts over its held-out levels: every second depolarising current of the series, silent
ones with it. ``spiking`` leaves out the levels at which neither cell nor prediction spikes.

The simpler models, on the same levels of the same cells:

* ``line``: from the measured rheobase with the measured f-I slope, both as published by the Cell
  Types Database, zero below. They were measured on all sweeps, the held-out ones with them.
* ``best_line``: the least-squares line through the fitted levels with spikes, zero below; a harder
  peer than was published by anybody, as its offset is free.
* ``glif3``: the rheobase and slope of the point neuron (GLIF3) that the Allen Institute fitted to
  the same cell for its model of V1 (Billeh et al. 2020), zero below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swta.cells.cell_fit import CellFits
from swta.cells.classes import CLASSES
from swta.cells.population import simulate_population
from swta.cells.sweeps import OTHER, SweepTable
from swta.data.physiology import load_table
from swta.validation import ParameterError, check_choice

PREDICTORS: Final = ("model", "line", "best_line", "glif3")
CURVE_SPACING: Final = 5.0  # pA, of the curves for figures
CURVE_SPAN: Final = 260.0  # pA below the strongest level, where they start


@dataclass(frozen=True)
class HeldOut:
    """Predictions and scores of every fitted cell.

    ``levels`` has one row per depolarising level of a series: specimen_id, class, current_pA, side,
    measured (spike count) and the prediction of each of `PREDICTORS`, NaN where a cell has none.
    ``curves`` has model and line every 5 pA, for figures: specimen_id, current_pA, model, line.
    ``cells`` has one row per cell: specimen_id, class, n_test, and explained variances ev_model,
    ev_line, ... over held-out levels, ev_model_spiking, and ev_model_train.
    """

    levels: pd.DataFrame
    curves: pd.DataFrame
    cells: pd.DataFrame

    def summarise(self) -> pd.DataFrame:
        """Median and quartiles of each explained variance, over all cells and per class.

        Columns: class ("all" first), predictor, n, median, q25, q75. Cells without the prediction
        are left out, so n differs; `compare` keeps to the same cells.
        """
        rows = []
        groups = [("all", self.cells), *self.cells.groupby("class", sort=False)]
        for name, own in groups:
            for column in [c for c in own if c.startswith("ev_")]:
                values = own[column].dropna()
                if len(values):
                    quartiles = values.quantile([0.5, 0.25, 0.75])
                    rows.append((name, column.removeprefix("ev_"), len(values), *quartiles))
        return pd.DataFrame(rows, columns=["class", "predictor", "n", "median", "q25", "q75"])

    def compare(self, peer: str) -> dict[str, float]:
        """The model against one of the other `PREDICTORS` on the cells that have both.

        Returns:
            n cells, median explained variance of model and peer, median difference, and the
            fraction of cells in which the model is at least as good.

        Raises:
            ParameterError: unknown peer, or no cell that has it.
        """
        check_choice("peer", peer, PREDICTORS[1:])
        both = self.cells[["ev_model", f"ev_{peer}"]].dropna()
        if both.empty:
            raise ParameterError(
                f"peer = {peer!r} has no prediction for any of {len(self.cells)} cells; allowed: a "
                "peer with at least one. Give the table of GLIF3 models"
            )
        model, other = both["ev_model"], both[f"ev_{peer}"]
        return {
            "n": float(len(both)),
            "model": float(model.median()),
            "peer": float(other.median()),
            "difference": float((model - other).median()),
            "fraction_better": float((model >= other).mean()),
        }


def explained_variance(measured: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    """1 - residual over total sum of squares; NaN without variance or without a prediction."""
    total = float(np.sum((measured - measured.mean()) ** 2)) if measured.size else 0.0
    if total == 0 or not np.isfinite(predicted).all():
        return float("nan")
    return 1.0 - float(np.sum((measured - predicted) ** 2)) / total


def measure_heldout(
    table: SweepTable,
    fits: CellFits,
    *,
    glif3: pd.DataFrame | None = None,
    dt_ms: float = 0.1,
) -> HeldOut:
    """Spike counts predicted at every level of the series, and explained variance per cell.

    One compiled run of all cells at all their levels.

    Args:
        table: cells and split that ``fits`` were made with.
        fits: from `swta.cells.cell_fit.fit_cells`.
        glif3: columns specimen_id, model_rheobase_pA and model_fi_slope_hz_per_pA; by default the
            table ``models/v1_glif3_models``.
        dt_ms: time step.

    Raises:
        ParameterError: no fits, or a fitted cell that is not in the table.
        swta.data.DataUnavailable: ``glif3`` is not given and the tables are not at hand.
    """
    if not fits.fits:
        raise ParameterError("fits holds no cell; allowed: one or more. Fit with more generations")
    models = load_table("models/v1_glif3_models") if glif3 is None else glif3
    shown = table.steps[table.steps["side"] != ""].sort_values(["specimen_id", "current_pA"])
    known = {int(row["specimen_id"]): row for row in table.cells.to_dict("records")}
    specimens = [fit.specimen_id for fit in fits.fits]
    unknown = [specimen for specimen in specimens if specimen not in known]
    if unknown:
        raise ParameterError(
            f"fits holds cell {unknown[0]}, which is not in the table; allowed: cells of the "
            "table. Use the table that was fitted"
        )
    by_cell = dict(list(shown.groupby("specimen_id")))
    steps = {specimen: by_cell[specimen]["current_pA"].to_numpy() for specimen in specimens}
    fine = {
        specimen: np.arange(max(one.min(), one.max() - CURVE_SPAN), one.max() + 1.0, CURVE_SPACING)
        for specimen, one in steps.items()
    }
    predicted = _simulate(fits, steps, dt_ms)
    fine_counts = _simulate(fits, fine, dt_ms)
    published = {
        int(specimen): (float(rheobase), float(slope))
        for specimen, rheobase, slope in zip(
            models["specimen_id"],
            models["model_rheobase_pA"],
            models["model_fi_slope_hz_per_pA"],
            strict=True,
        )
    }
    levels, curves, cells = [], [], []
    for specimen in sorted(specimens):
        own, cell = by_cell[specimen], known[specimen]
        current = own["current_pA"].to_numpy()
        measured = own["n_spikes"].to_numpy(dtype=np.float64)
        train = (own["side"] == "train").to_numpy()
        rheobase, slope = cell["published_rheobase_pA"], cell["published_slope_hz_per_pA"]
        counts = {
            "model": predicted[specimen],
            "line": _line(current, rheobase, slope),
            "best_line": _best_line(current, measured, train),
            "glif3": _line(current, *published.get(specimen, (np.nan, np.nan))),
        }
        entry: dict[str, Any] = {"specimen_id": specimen, "class": cell["class"]}
        side = own["side"].to_numpy()
        columns = {"current_pA": current, "side": side, "measured": measured, **counts}
        levels.append(pd.DataFrame({**entry, **columns}))
        grid = {"current_pA": fine[specimen], "model": fine_counts[specimen]}
        line = _line(fine[specimen], rheobase, slope)
        curves.append(pd.DataFrame({"specimen_id": specimen, **grid, "line": line}))
        test = ~train
        spiking = test & ((measured > 0) | (counts["model"] > 0))
        cells.append(
            {
                **entry,
                "n_test": int(test.sum()),
                **{
                    f"ev_{name}": explained_variance(measured[test], counts[name][test])
                    for name in PREDICTORS
                },
                "ev_model_spiking": explained_variance(measured[spiking], counts["model"][spiking]),
                "ev_model_train": explained_variance(measured[train], counts["model"][train]),
            }
        )
    rank = {name: place for place, name in enumerate((*CLASSES, OTHER))}
    scores = pd.DataFrame(cells).sort_values("class", key=lambda c: c.map(rank), kind="stable")
    return HeldOut(
        levels=pd.concat(levels, ignore_index=True),
        curves=pd.concat(curves, ignore_index=True),
        cells=scores.reset_index(drop=True),
    )


def measure_repeatability(table: SweepTable) -> dict[str, float]:
    """How well cells repeat themselves: explained variance of the series' counts by the repeats'.

    Over all levels that were given in the series and again later, of all cells together, and the
    number of levels. Most lie near rheobase, where a cell that has drifted by some pA fires or does
    not; it is no bound for `HeldOut`, whose levels span the whole series of each cell.
    """
    series = table.steps[table.steps["role"] == "series"]
    again = table.steps[table.steps["role"] == "repeat"]
    keys = ["specimen_id", "current_pA"]
    pairs = series.merge(again.groupby(keys, as_index=False)["n_spikes"].mean(), on=keys)
    pairs = pairs[pairs["current_pA"] > 0]
    first = pairs["n_spikes_x"].to_numpy(dtype=np.float64)
    value = explained_variance(first, pairs["n_spikes_y"].to_numpy(dtype=np.float64))
    return {"explained_variance": value, "n": float(len(pairs))}


def _simulate(
    fits: CellFits, currents_pA: dict[int, NDArray[np.float64]], dt_ms: float
) -> dict[int, NDArray[np.float64]]:
    """Spike counts of each fitted cell at its own currents, in their order; one run of all."""
    padded = np.zeros((len(fits.fits), max(one.size for one in currents_pA.values())))
    for row, fit in zip(padded, fits.fits, strict=True):
        own = currents_pA[fit.specimen_id]
        row[: own.size] = own
    counts = simulate_population(fits.parameters, padded, dt_ms=dt_ms, max_spikes=1).counts
    return {
        fit.specimen_id: row[: currents_pA[fit.specimen_id].size].astype(np.float64)
        for fit, row in zip(fits.fits, counts, strict=True)
    }


def _line(current: NDArray[np.float64], rheobase: float, slope: float) -> NDArray[np.float64]:
    """Counts of a line from the rheobase on; NaN where either is not known or the slope is 0."""
    if not (np.isfinite(rheobase) and np.isfinite(slope) and slope > 0):
        return np.full(current.size, np.nan)
    return np.maximum(slope * (current - rheobase), 0.0)


def _best_line(
    current: NDArray[np.float64], measured: NDArray[np.float64], train: NDArray[np.bool_]
) -> NDArray[np.float64]:
    used = train & (measured > 0)
    if used.sum() < 2:
        return np.full(current.size, np.nan)
    slope, offset = np.polyfit(current[used], measured[used], 1)
    return np.maximum(offset + slope * current, 0.0)
