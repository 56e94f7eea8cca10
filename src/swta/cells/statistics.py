"""What was measured in each class: medians and quartiles, from one of two data sets.

A class has one data set by default (`DEFAULTS`) and can be defined by the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from swta.cells.classes import CLASSES, LABELS
from swta.data.physiology import load_class_statistics
from swta.validation import ParameterError, check_choice, check_integer, check_real

# Data set -> class -> (source, selection) in the table of class statistics.
SELECTIONS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "cell_types": {name: ("allen_cell_types", "VISp L2/3") for name in CLASSES},
    "patchseq": {
        name: ("gouwens2020_patchseq", "VISp L2/3")
        if name != "Pyr"
        else ("berg2021_patchseq", "L2/3 IT (VISp t-types)")
        for name in CLASSES
    },
}
DATA_SETS: Final = tuple(SELECTIONS)
# The data set that defines each class where none is asked for. The Cell Types Database is the one
# with current-step sweeps, so it defines the three classes that have them. Of Vip and Lamp5 it has
# 28 and 13 cells, without sweeps, chosen by reporter line; Patch-seq has 452 and 145, chosen by
# transcriptomic type, with the spike count of the hero sweep.
DEFAULTS: Final[Mapping[str, str]] = {
    "Pyr": "cell_types",
    "Pvalb": "cell_types",
    "Sst": "cell_types",
    "Vip": "patchseq",
    "Lamp5": "patchseq",
}
BY_CLASS: Final = "by_class"
CHOICES: Final = (BY_CLASS, *DATA_SETS)
# The length of a spike stands in neither; this one holds it for all five classes.
SPIKE_CUT: Final = ("teeter2018_glif", "VISp L2/3")

# The features that define a class, with unit, in the order of tables and figures.
FEATURES: Final = {
    "v_rest_mV": "Resting potential (mV)",
    "input_resistance_MOhm": "Input resistance (MΩ)",
    "tau_ms": "Membrane time constant (ms)",
    "rheobase_pA": "Rheobase (pA)",
    "fi_slope_hz_per_pA": "f-I slope (Hz/pA)",
    "adaptation_index": "Adaptation index",
}
# Besides these, the derivation of a model reads the action potential.
SPIKE_FEATURES: Final = ("threshold_v_mV", "fast_trough_v_mV", "peak_v_mV", "spike_cut_ms")


@dataclass(frozen=True)
class FeatureStatistics:
    """Median and quartiles of one feature over n cells, in the unit of the feature's name."""

    n: int
    median: float
    q25: float
    q75: float

    def __post_init__(self) -> None:
        check_integer("n", self.n, low=1)
        check_real("median", self.median)
        check_real("q25", self.q25, high=self.median)
        check_real("q75", self.q75, low=self.median)

    @property
    def iqr(self) -> float:
        """Interquartile range."""
        return self.q75 - self.q25

    def contains(self, value: float) -> bool:
        """Whether ``value`` lies between the quartiles, both included."""
        return self.q25 <= value <= self.q75


@dataclass(frozen=True)
class ClassStatistics(Mapping[str, FeatureStatistics]):
    """The features of one class of cells, by name.

    Raises:
        ParameterError: a feature that the class model needs is missing.
        KeyError: when asked for a feature that was not measured.
    """

    name: str  # one of CLASSES
    data_set: str  # one of DATA_SETS
    selection: str  # source and selection of cells, in words
    citations: tuple[str, ...]  # keys of the bibliography
    features: Mapping[str, FeatureStatistics]

    def __post_init__(self) -> None:
        check_choice("name", self.name, CLASSES)
        missing = [f for f in (*FEATURES, *SPIKE_FEATURES) if f not in self.features]
        if missing:
            raise ParameterError(
                f"class {self.name} of {self.data_set} has no {', '.join(missing)}; a model needs "
                f"all of {', '.join((*FEATURES, *SPIKE_FEATURES))}. Complete the table"
            )

    def __getitem__(self, feature: str) -> FeatureStatistics:
        return self.features[feature]

    def __iter__(self) -> Iterator[str]:
        return iter(self.features)

    def __len__(self) -> int:
        return len(self.features)

    @property
    def n(self) -> int:
        """Number of cells: the largest n of any defining feature."""
        return max(self[feature].n for feature in FEATURES)


def choose_data_set(name: str, data_set: str = BY_CLASS) -> str:
    """The data set of a class: the asked one, or for ``by_class`` the class's own of `DEFAULTS`.

    Raises:
        ParameterError: unknown class or data set.
    """
    check_choice("name", name, CLASSES)
    check_choice("data_set", data_set, CHOICES)
    return DEFAULTS[name] if data_set == BY_CLASS else data_set


def measure_classes(
    data_set: str = BY_CLASS, table: pd.DataFrame | None = None
) -> dict[str, ClassStatistics]:
    """Medians and quartiles of each of the five classes.

    Args:
        data_set: ``by_class`` (`DEFAULTS`), ``cell_types`` (Allen Cell Types Database, V1 layer
            2/3) or ``patchseq`` (Berg et al. 2021 for Pyr, Gouwens et al. 2020 for the others).
        table: statistics as from `swta.data.physiology.load_class_statistics`, the default.

    Raises:
        ParameterError: unknown data set, or a class or feature that the table lacks.
    """
    check_choice("data_set", data_set, CHOICES)
    if table is None:
        table = load_class_statistics()
    return {name: _select(table, name, choose_data_set(name, data_set)) for name in CLASSES}


def tabulate(statistics: Mapping[str, ClassStatistics]) -> pd.DataFrame:
    """One row per class and defining feature: n, median and quartiles."""
    return pd.DataFrame(
        [
            (name, feature, entry.n, entry.median, entry.q25, entry.q75)
            for name, measured in statistics.items()
            for feature, entry in measured.items()
            if feature in FEATURES
        ],
        columns=["class", "feature", "n", "median", "q25", "q75"],
    )


def format_statistics(statistics: Mapping[str, ClassStatistics]) -> pd.DataFrame:
    """Table for reading: a row per defining feature, "median (quartiles; n)" per class."""
    return pd.DataFrame(
        {
            name: {
                label: f"{m[key].median:.3g} ({m[key].q25:.3g} to {m[key].q75:.3g}; {m[key].n})"
                for key, label in FEATURES.items()
            }
            for name, m in statistics.items()
        }
    ).rename(columns=LABELS)


def _select(table: pd.DataFrame, name: str, data_set: str) -> ClassStatistics:
    source, selection = SELECTIONS[data_set][name]
    features: dict[str, FeatureStatistics] = {}
    citations: list[str] = []
    for wanted in ((source, selection), SPIKE_CUT):
        rows = table[
            (table["source"] == wanted[0])
            & (table["selection"] == wanted[1])
            & (table["class"] == name)
        ]
        for row in rows.to_dict("records"):
            if wanted == SPIKE_CUT and row["feature"] != "spike_cut_ms":
                continue
            features[row["feature"]] = FeatureStatistics(
                n=int(row["n"]),
                median=float(row["median"]),
                q25=float(row["q25"]),
                q75=float(row["q75"]),
            )
            if row["citation"] not in citations:
                citations.append(row["citation"])
    return ClassStatistics(name, data_set, f"{source}, {selection}", tuple(citations), features)
