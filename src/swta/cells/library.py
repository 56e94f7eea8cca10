"""The five class models as later chapters load them: `load_class` and `sample_cells`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import metadata, resources
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swta.cells.adex import PARAMETER_NAMES, UNITS, AdExParameters
from swta.cells.class_fit import ClassFit
from swta.cells.classes import LABELS
from swta.cells.coordinates import COORDINATES, ORIGINS
from swta.cells.distribution import LEVELS, ClassDistribution
from swta.cells.statistics import (
    BY_CLASS,
    ClassStatistics,
    FeatureStatistics,
    choose_data_set,
)
from swta.validation import ParameterError, check_integer

_PUBLISHED: Final = "class_models.json"
_PACKAGES: Final = ("numpy", "scipy", "numba")


@dataclass(frozen=True)
class CellClass:
    """A class of cells: its models, what was measured, and where that comes from.

    ``parameters`` is the class's central cell: it has the median of each measured coordinate, and
    its V_reset, refractory time, tau_w and b are fitted to the medians of f-I slope, adaptation
    index, rate at the hero current and AHP depth, as those of every single cell are to its own.
    """

    name: str  # one of `CLASSES`
    data_set: str  # one of `DATA_SETS`
    parameters: AdExParameters
    distribution: ClassDistribution  # of single cells
    statistics: ClassStatistics
    fit_cost: float  # of the central cell: squared misses, in interquartile ranges
    n_measured: int  # recorded cells
    n_fitted: int  # of them with a model of their own

    @property
    def source(self) -> str:
        """Data set and selection of cells, in words."""
        return self.statistics.selection

    @property
    def origins(self) -> Mapping[str, tuple[str, str]]:
        """For each parameter: measured, derived, fitted or assumed, and how."""
        return ORIGINS


def make_class(
    statistics: ClassStatistics, fit: ClassFit, distribution: ClassDistribution
) -> CellClass:
    """A class model from the class's statistics, the fit of its cells, and their distribution."""
    return CellClass(
        name=statistics.name,
        data_set=statistics.data_set,
        parameters=fit.centre,
        distribution=distribution,
        statistics=statistics,
        fit_cost=fit.centre_cost,
        n_measured=fit.n_measured,
        n_fitted=len(fit.cells),
    )


def load_class(name: str, data_set: str = BY_CLASS) -> CellClass:
    """The published model of a class: AdEx parameters, distribution, statistics and their source.

    The package ships what chapter 1 computed; the chapter computes it again and reports the drift.

    Args:
        name: one of ``Pyr``, ``Pvalb``, ``Sst``, ``Vip``, ``Lamp5``.
        data_set: which recordings define the class: ``by_class`` (`DEFAULTS`), ``cell_types`` or
            ``patchseq``.

    Raises:
        ParameterError: unknown class or data set.
    """
    chosen = choose_data_set(name, data_set)
    return _published()[chosen][name]


def sample_cells(
    name: str, n: int, *, seed: int, data_set: str = BY_CLASS, even: bool = False
) -> NDArray[np.float64]:
    """AdEx parameters (n, 11) of cells drawn from a class, in the order of `PARAMETER_NAMES`.

    Every row is a valid `AdExParameters`. Draws that no cell can have are drawn again;
    ``load_class(name).distribution.sample`` tells their share.

    Args:
        name: one of `CLASSES`.
        n: number of cells; the first cells of a larger draw are those of a smaller one.
        seed: of the draw.
        data_set: as in `load_class`.
        even: spread the cells evenly over the class, see `ClassDistribution.sample`.

    Raises:
        ParameterError: unknown class or data set, n below 1, a negative seed.
    """
    one = load_class(name, data_set)
    check_integer("n", n, low=1)
    check_integer("seed", seed, low=0)
    return one.distribution.sample(n, np.random.default_rng(seed), even=even).cells


def format_parameters(classes: Mapping[str, CellClass]) -> pd.DataFrame:
    """Table for reading: a row per AdEx parameter of the central cells, and how it was obtained."""
    columns: dict[str, dict[str, str]] = {
        label: {f"{p} ({UNITS[p]})": f"{getattr(one.parameters, p):.4g}" for p in PARAMETER_NAMES}
        for label, one in classes.items()
    }
    columns["how"] = {f"{p} ({UNITS[p]})": ": ".join(ORIGINS[p]) for p in PARAMETER_NAMES}
    return pd.DataFrame(columns).rename(columns=LABELS)


def tabulate_parameters(classes: Mapping[str, CellClass], *, n: int, seed: int) -> pd.DataFrame:
    """Central cell, and median and quartiles of n sampled ones, of each parameter and class.

    Columns: class, data_set, parameter, unit, status, how, centre, median, q25, q75.
    """
    rows = []
    for name, one in classes.items():
        cells = one.distribution.sample(n, np.random.default_rng(seed)).cells
        quartiles = np.quantile(cells, [0.5, 0.25, 0.75], axis=0)
        for k, parameter in enumerate(PARAMETER_NAMES):
            status, how = ORIGINS[parameter]
            known = (getattr(one.parameters, parameter), *quartiles[:, k])
            rows.append((name, one.data_set, parameter, UNITS[parameter], status, how, *known))
    columns = ["class", "data_set", "parameter", "unit", "status", "how", "centre"]
    return pd.DataFrame(rows, columns=[*columns, "median", "q25", "q75"])


def measure_drift(one: CellClass, other: CellClass) -> dict[str, float]:
    """How far two models of a class are apart.

    Returns:
        ``centre``: largest relative difference of any parameter of the central cells, and
        ``distribution``: largest difference of any coordinate's median, in interquartile ranges of
        ``other``.
    """
    pairs = zip(one.parameters.as_dict().values(), other.parameters.as_dict().values(), strict=True)
    centre = max(abs(a - b) / max(abs(a), abs(b)) if a != b else 0.0 for a, b in pairs)
    shifts = []
    for name in COORDINATES:
        a, b = one.distribution.quantiles[name], other.distribution.quantiles[name]
        low, middle, high = (float(np.interp(p, LEVELS, b)) for p in (0.25, 0.5, 0.75))
        shifts.append(abs(float(np.interp(0.5, LEVELS, a)) - middle) / max(high - low, 1e-12))
    return {"centre": centre, "distribution": max(shifts)}


def write_classes(classes: Mapping[str, Mapping[str, CellClass]], path: Path) -> None:
    """Write class models, by data set and name, as JSON that `read_classes` understands.

    A file from a fit on this machine takes the place of the published one in one move.
    """
    content = {
        "units": UNITS,
        "origins": {name: list(origin) for name, origin in ORIGINS.items()},
        "levels": LEVELS.tolist(),
        "versions": {name: metadata.version(name) for name in _PACKAGES},
        "data_sets": {
            data_set: {name: _to_json(one) for name, one in members.items()}
            for data_set, members in classes.items()
        },
    }
    partial = path.with_name(path.name + ".partial")
    partial.write_text(_indent(content) + "\n", encoding="utf8")
    partial.replace(path)


def read_classes(text: str) -> dict[str, dict[str, CellClass]]:
    """Class models, by data set and name, from JSON written by `write_classes`.

    Raises:
        ParameterError: no such JSON, or values that no model can have.
    """
    try:
        content = json.loads(text)
        if content["levels"] != LEVELS.tolist():
            raise KeyError("levels")
        return {
            data_set: {name: _from_json(name, data_set, one) for name, one in members.items()}
            for data_set, members in content["data_sets"].items()
        }
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise ParameterError(
            f"class models cannot be read: {error!r}; allowed: a file of write_classes. "
            "Write it again with chapter 1"
        ) from error


@lru_cache(maxsize=1)
def _published() -> dict[str, dict[str, CellClass]]:
    text = (resources.files("swta.cells") / _PUBLISHED).read_text(encoding="utf8")
    return read_classes(text)


def _to_json(one: CellClass) -> dict[str, Any]:
    return {
        "source": one.source,
        "citations": list(one.statistics.citations),
        "n_measured": one.n_measured,
        "n_fitted": one.n_fitted,
        "fit_cost": round(one.fit_cost, 6),
        "parameters": {k: float(f"{v:.8g}") for k, v in one.parameters.as_dict().items()},
        "distribution": one.distribution.to_json(),
        "statistics": {feature: asdict(entry) for feature, entry in one.statistics.items()},
    }


def _from_json(name: str, data_set: str, one: Mapping[str, Any]) -> CellClass:
    features = {f: FeatureStatistics(**entry) for f, entry in one["statistics"].items()}
    return CellClass(
        name=name,
        data_set=data_set,
        parameters=AdExParameters(**{k: one["parameters"][k] for k in PARAMETER_NAMES}),
        distribution=ClassDistribution.from_json(one["distribution"]),
        statistics=ClassStatistics(
            name, data_set, one["source"], tuple(one["citations"]), features
        ),
        fit_cost=float(one["fit_cost"]),
        n_measured=int(one["n_measured"]),
        n_fitted=int(one["n_fitted"]),
    )


def _indent(value: Any, depth: int = 0) -> str:
    """JSON with one line per innermost list or dictionary, so that a difference can be read."""
    if isinstance(value, dict) and any(isinstance(v, (dict, list)) for v in value.values()):
        pad = " " * (depth + 1)
        parts = [f"{pad}{json.dumps(k)}: {_indent(v, depth + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(parts) + "\n" + " " * depth + "}"
    if isinstance(value, list) and any(isinstance(v, (dict, list)) for v in value):
        pad = " " * (depth + 1)
        return "[\n" + ",\n".join(pad + _indent(v, depth + 1) for v in value) + f"\n{' ' * depth}]"
    return json.dumps(value, ensure_ascii=False)
