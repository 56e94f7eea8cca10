"""The five class models as later chapters load them: `load_class`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from swta.cells.adex import PARAMETER_NAMES, UNITS, AdExParameters
from swta.cells.classes import CLASSES, LABELS
from swta.cells.derive import ORIGINS
from swta.cells.fit import AdaptationFit
from swta.cells.statistics import DATA_SETS, ClassStatistics, FeatureStatistics
from swta.validation import ParameterError, check_choice

_PUBLISHED = "class_models.json"


@dataclass(frozen=True)
class CellClass:
    """A class of cells: its model, what was measured, and where that comes from."""

    name: str  # one of `CLASSES`
    parameters: AdExParameters
    statistics: ClassStatistics
    source: str  # data set and selection of cells, in words
    fit_cost: float  # squared misses of f-I slope and adaptation index, in interquartile ranges

    @property
    def origins(self) -> Mapping[str, tuple[str, str]]:
        """For each parameter: measured, derived, fitted or assumed, and how."""
        return ORIGINS


def make_class(statistics: ClassStatistics, fit: AdaptationFit) -> CellClass:
    """A class model from its statistics and the fit to them."""
    return CellClass(
        name=statistics.name,
        parameters=fit.parameters,
        statistics=statistics,
        source=statistics.selection,
        fit_cost=fit.cost,
    )


def load_class(name: str, data_set: str = "cell_types") -> CellClass:
    """The published model of a class: AdEx parameters, class statistics and their source.

    The package ships what chapter 1 computed; the chapter computes it again and reports the drift.

    Args:
        name: one of ``Pyr``, ``Pvalb``, ``Sst``, ``Vip``, ``Lamp5``.
        data_set: which recordings define the class, ``cell_types`` or ``patchseq``.

    Raises:
        ParameterError: unknown class or data set.
    """
    check_choice("name", name, CLASSES)
    check_choice("data_set", data_set, DATA_SETS)
    text = (resources.files("swta.cells") / _PUBLISHED).read_text(encoding="utf8")
    return read_classes(text)[data_set][name]


def format_parameters(classes: Mapping[str, CellClass]) -> pd.DataFrame:
    """Table for reading: a row per AdEx parameter, a column per class, and how it was obtained."""
    columns: dict[str, dict[str, str]] = {
        label: {f"{p} ({UNITS[p]})": f"{getattr(one.parameters, p):.4g}" for p in PARAMETER_NAMES}
        for label, one in classes.items()
    }
    columns["how"] = {f"{p} ({UNITS[p]})": ": ".join(ORIGINS[p]) for p in PARAMETER_NAMES}
    return pd.DataFrame(columns).rename(columns=LABELS)


def measure_drift(one: CellClass, other: CellClass) -> float:
    """Largest relative difference of any parameter between two models of a class, dimensionless."""
    pairs = zip(one.parameters.as_dict().values(), other.parameters.as_dict().values(), strict=True)
    return max(abs(a - b) / max(abs(a), abs(b)) if a != b else 0.0 for a, b in pairs)


def write_classes(classes: Mapping[str, Mapping[str, CellClass]], path: Path) -> None:
    """Write class models, by data set and name, as JSON that `read_classes` understands.

    A file from a fit on this machine takes the place of the published one in one move.
    """
    content = {
        "units": UNITS,
        "origins": {name: list(origin) for name, origin in ORIGINS.items()},
        "data_sets": {
            data_set: {name: _to_json(one) for name, one in members.items()}
            for data_set, members in classes.items()
        },
    }
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf8")
    partial.replace(path)


def read_classes(text: str) -> dict[str, dict[str, CellClass]]:
    """Class models, by data set and name, from JSON written by `write_classes`.

    Raises:
        ParameterError: no such JSON, or values that no model can have.
    """
    try:
        content = json.loads(text)
        return {
            data_set: {name: _from_json(name, data_set, one) for name, one in members.items()}
            for data_set, members in content["data_sets"].items()
        }
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise ParameterError(
            f"class models cannot be read: {error!r}; allowed: a file of write_classes. "
            "Write it again with chapter 1"
        ) from error


def _to_json(one: CellClass) -> dict[str, Any]:
    return {
        "source": one.source,
        "citations": list(one.statistics.citations),
        "fit_cost": round(one.fit_cost, 6),
        "parameters": {k: float(f"{v:.8g}") for k, v in one.parameters.as_dict().items()},
        "statistics": {feature: asdict(entry) for feature, entry in one.statistics.items()},
    }


def _from_json(name: str, data_set: str, one: Mapping[str, Any]) -> CellClass:
    features = {f: FeatureStatistics(**entry) for f, entry in one["statistics"].items()}
    return CellClass(
        name=name,
        parameters=AdExParameters(**{k: one["parameters"][k] for k in PARAMETER_NAMES}),
        statistics=ClassStatistics(
            name, data_set, one["source"], tuple(one["citations"]), features
        ),
        source=one["source"],
        fit_cost=float(one["fit_cost"]),
    )
