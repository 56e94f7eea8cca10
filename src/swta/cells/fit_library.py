"""The published per-cell fits as they ship with the package, and how far a new fit is from them."""

from __future__ import annotations

import json
from importlib import metadata, resources
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from swta.cells.adex import PARAMETER_NAMES, AdExParameters
from swta.cells.cell_fit import CellFit, CellFits
from swta.validation import ParameterError

_PUBLISHED: Final = "cell_fits.json"
SOURCE: Final = (
    "AdEx models fitted to every second depolarising level of the 1-s current steps of the Allen "
    "Cell Types Database (gouwens2019)"
)
_PACKAGES: Final = ("numpy", "scipy", "numba")
_MEASURES: Final = ("cost", "threshold_miss_mV", "fast_trough_miss_mV")


def load_cell_fits() -> CellFits:
    """The published fits of the recorded cells; parameters in the units of `AdExParameters`.

    They are model parameters, not recordings, and are at hand without the tables.
    """
    return read_cell_fits(resources.files("swta.cells").joinpath(_PUBLISHED).read_text("utf-8"))


def write_cell_fits(fits: CellFits, path: Path) -> None:
    """Write fits with their source and the versions that made them, one line a cell."""
    cells = [
        {
            "specimen_id": fit.specimen_id,
            "class": fit.cell_class,
            **{name: _short(value) for name, value in fit.parameters.as_dict().items()},
            **{name: _short(getattr(fit, name)) for name in _MEASURES},
            "generations": fit.generations,
        }
        for fit in fits.fits
    ]
    head = {
        "source": SOURCE,
        "versions": {name: metadata.version(name) for name in _PACKAGES},
        "excluded": fits.excluded.to_dict("records"),
    }
    lines = ",\n".join("  " + json.dumps(cell) for cell in cells)
    text = json.dumps(head, indent=1)[:-2] + ',\n "cells": [\n' + lines + "\n ]\n}\n"
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def read_cell_fits(text: str) -> CellFits:
    """Fits from what `write_cell_fits` wrote.

    Raises:
        ParameterError: not such a text, or a value that no cell can have; the cell is named.
    """
    try:
        stored: dict[str, Any] = json.loads(text)
        cells, excluded = stored["cells"], stored["excluded"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ParameterError(
            f"the text holds no fits ({error!r}); allowed: what `write_cell_fits` writes"
        ) from error
    return CellFits(
        fits=tuple(_read_cell(cell) for cell in cells),
        excluded=pd.DataFrame(excluded, columns=["specimen_id", "class", "layer", "reason"]),
    )


def measure_fit_drift(fits: CellFits, published: CellFits) -> dict[str, float]:
    """How far fits are from the published ones, over the cells that both have.

    Returns:
        n cells; the median and largest difference of cost, new less published (below zero is
        better); and the fraction of cells whose parameters all agree to one part in a thousand of
        their size or of one unit, whichever is larger.

    Raises:
        ParameterError: no cell in common.
    """
    old = {fit.specimen_id: fit for fit in published.fits}
    pairs = [(fit, old[fit.specimen_id]) for fit in fits.fits if fit.specimen_id in old]
    if not pairs:
        raise ParameterError(
            f"{len(fits.fits)} fits and {len(old)} published ones have no cell in common; allowed: "
            "one at least. Fit the cells of the same table"
        )
    cost = np.array([new.cost - was.cost for new, was in pairs])
    same = [
        all(
            abs(getattr(new.parameters, name) - getattr(was.parameters, name))
            <= 1e-3 * max(abs(getattr(was.parameters, name)), 1.0)
            for name in PARAMETER_NAMES
        )
        for new, was in pairs
    ]
    return {
        "n": float(len(pairs)),
        "cost_median": float(np.median(cost)),
        "cost_max": float(cost.max()),
        "fraction_same": float(np.mean(same)),
    }


def _read_cell(cell: dict[str, Any]) -> CellFit:
    try:
        return CellFit(
            specimen_id=int(cell["specimen_id"]),
            cell_class=str(cell["class"]),
            parameters=AdExParameters(**{name: cell[name] for name in PARAMETER_NAMES}),
            converged=True,
            generations=int(cell["generations"]),
            **{name: float("nan") if cell[name] is None else cell[name] for name in _MEASURES},
        )
    except (KeyError, ParameterError) as error:
        raise ParameterError(
            f"cell {cell.get('specimen_id')}: {error}. Write the fits again"
        ) from error


def _short(value: float) -> float | None:
    """Six significant digits; nothing for NaN, which JSON does not know."""
    return float(f"{value:.6g}") if np.isfinite(value) else None
