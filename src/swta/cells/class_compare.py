"""Virtual cells of each class against the recorded ones, feature by feature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from swta.cells.class_cells import CLASS_FEATURES, HERO_RATE, ClassCells, summarise_class_cells
from swta.cells.classes import CLASSES
from swta.cells.library import CellClass, load_class
from swta.cells.protocol import StepProtocol
from swta.cells.statistics import DATA_SETS, DEFAULTS, ClassStatistics, measure_classes
from swta.cells.virtual import measure_virtual
from swta.validation import ParameterError, check_integer

SPREAD_RANGE: Final = (0.67, 1.5)  # of virtual over measured interquartile range, that is "as wide"
_SMALLEST: Final = 20  # virtual cells of a class; fewer have no quartiles worth comparing


@dataclass(frozen=True)
class VirtualClasses:
    """Cells drawn from each class and measured with the recordings' step protocol.

    ``features`` has one row a cell: class, the nine `CLASS_FEATURES` and latency_hero_ms.
    ``rejected`` is the share of draws per class that no AdEx cell can have.
    """

    features: pd.DataFrame
    rejected: dict[str, float]


def measure_classes_virtually(
    classes: Mapping[str, CellClass],
    *,
    n: int = 250,
    seed: int = 1,
    protocol: StepProtocol | None = None,
    dt_ms: float = 0.1,
) -> VirtualClasses:
    """Draw n cells of each class and measure them as the recorded ones were.

    Args:
        classes: models by name.
        n: cells per class.
        seed: of the draw. The fit draws with other seeds, so no cell has been seen before.
        protocol: the current steps; by default those of the recordings.
        dt_ms: time step.

    Raises:
        ParameterError: too few cells, or a bad seed or time step.
    """
    check_integer("n", n, low=_SMALLEST)
    check_integer("seed", seed, low=0)
    samples = {
        name: one.distribution.sample(n, np.random.default_rng((7919, seed, CLASSES.index(name))))
        for name, one in classes.items()
    }
    table = np.concatenate([one.cells for one in samples.values()])
    found = measure_virtual(table, protocol=protocol, dt_ms=dt_ms).features
    found.insert(0, "class", np.repeat(list(samples), n))
    counted = found["class"].map(lambda name: HERO_RATE[classes[name].data_set])
    is_count = counted.eq("hero_rate_hz")
    found["rate_at_hero_hz"] = found["hero_rate_hz"].where(is_count, found["isi_rate_at_hero_hz"])
    return VirtualClasses(
        found[["class", *CLASS_FEATURES, "latency_hero_ms"]],
        {name: one.rejected for name, one in samples.items()},
    )


@dataclass(frozen=True)
class DistributionCheck:
    """Virtual against measured distributions.

    ``table``: class, feature, n, median, q25, q75 (measured), virtual_n, virtual_median,
    virtual_q25, virtual_q75, error (difference of medians in measured interquartile ranges) and
    spread (ratio of interquartile ranges). ``correlations``: class, feature, other, n, measured and
    virtual rank correlation (Spearman); empty where single cells are not at hand. ``note`` says
    what the measured side is.
    """

    table: pd.DataFrame
    correlations: pd.DataFrame
    note: str

    @property
    def class_median_error(self) -> float:
        """Median over class and feature of the error's size, in interquartile ranges."""
        return float(self.table["error"].abs().median())

    @property
    def class_worst_error(self) -> float:
        """Largest size of any error, in interquartile ranges."""
        return float(self.table["error"].abs().max())

    @property
    def class_spread_ok(self) -> float:
        """Share of class and feature with a spread of 0.67 to 1.5."""
        return float(self.table["spread"].between(*SPREAD_RANGE).mean())

    @property
    def correlation_error(self) -> float:
        """Median size of the difference of rank correlations; NaN without single cells."""
        return float((self.correlations["virtual"] - self.correlations["measured"]).abs().median())

    def list_off(self, error: float = 0.25) -> pd.DataFrame:
        """Rows with an error above that or a spread outside its range, the worst first."""
        off = (self.table["error"].abs() > error) | ~self.table["spread"].between(*SPREAD_RANGE)
        return self.table[off].sort_values("error", key=np.abs, ascending=False)


def compare_distributions(
    virtual: pd.DataFrame, measured: ClassCells | Mapping[str, ClassStatistics]
) -> DistributionCheck:
    """Medians, quartiles and rank correlations of virtual cells against the measured ones.

    Args:
        virtual: ``features`` of `measure_classes_virtually`.
        measured: single cells, or where they are not at hand the statistics of `measure_classes`.

    Raises:
        ParameterError: too few virtual cells of a class.
    """
    if isinstance(measured, ClassCells):
        summary = summarise_class_cells(measured.cells)
        n = len(measured.cells)
        note = f"{n} single cells of V1 layer 2/3"
        correlations = _correlate(virtual, measured.cells)
    else:
        summary = _summarise_statistics(measured)
        note = (
            "medians and quartiles bundled with the book; single cells are not at hand, so the fit "
            "is not computed again and correlations between features are not compared"
        )
        correlations = _correlate(virtual.iloc[:0], virtual.iloc[:0])
    rows = []
    for row in summary.to_dict("records"):
        own = virtual.loc[virtual["class"] == row["class"], row["feature"]].dropna()
        if len(own) < _SMALLEST:
            raise ParameterError(
                f"class {row['class']}: {row['feature']} is defined in {len(own)} virtual cells; "
                f"allowed: at least {_SMALLEST}. Draw more"
            )
        middle, low, high = own.quantile([0.5, 0.25, 0.75])
        width = row["q75"] - row["q25"]
        rows.append(
            {
                **row,
                "virtual_n": len(own),
                "virtual_median": middle,
                "virtual_q25": low,
                "virtual_q75": high,
                "error": (middle - row["median"]) / width,
                "spread": (high - low) / width,
            }
        )
    return DistributionCheck(pd.DataFrame(rows), correlations, note)


def compare_data_sets(table: pd.DataFrame | None = None) -> pd.DataFrame:
    """What defines each class, and what changes if the other data set is chosen.

    Features are measured medians; parameters those of the published central cells.

    Args:
        table: class statistics as for `measure_classes`; by default those published with the
            models.

    Returns:
        Columns class, default (the data set of `DEFAULTS`), kind ("feature" or "parameter"),
        quantity, n_cell_types, cell_types, n_patchseq, patchseq, ratio (patchseq over cell_types)
        and shift (difference in interquartile ranges of the default, features only). The hero rate
        is compared as interspike rate against count, as each data set has it.
    """
    rows = []
    statistics = {
        choice: {name: load_class(name, choice).statistics for name in CLASSES}
        if table is None
        else measure_classes(choice, table)
        for choice in DATA_SETS
    }
    for name in CLASSES:
        summaries = {
            choice: _summarise_statistics({name: statistics[choice][name]})
            .set_index("feature")
            .to_dict("index")
            for choice in DATA_SETS
        }
        for feature in CLASS_FEATURES:
            pair = {choice: one[feature] for choice, one in summaries.items()}
            width = pair[DEFAULTS[name]]["q75"] - pair[DEFAULTS[name]]["q25"]
            first, second = (pair[choice]["median"] for choice in DATA_SETS)
            counts = [int(pair[choice]["n"]) for choice in DATA_SETS]
            rows.append((name, "feature", feature, counts, (first, second), width))
        cells = [load_class(name, choice) for choice in DATA_SETS]
        for parameter in cells[0].parameters.as_dict():
            both = tuple(getattr(one.parameters, parameter) for one in cells)
            rows.append((name, "parameter", parameter, [c.n_fitted for c in cells], both, np.nan))
    return pd.DataFrame(
        {
            "class": name,
            "default": DEFAULTS[name],
            "kind": kind,
            "quantity": quantity,
            "n_cell_types": counts[0],
            "cell_types": first,
            "n_patchseq": counts[1],
            "patchseq": second,
            "ratio": second / first if first else np.nan,
            "shift": (second - first) / width,
        }
        for name, kind, quantity, counts, (first, second), width in rows
    )


def _summarise_statistics(statistics: Mapping[str, ClassStatistics]) -> pd.DataFrame:
    rows = []
    for name, own in statistics.items():
        for feature in CLASS_FEATURES:
            stored = HERO_RATE[own.data_set] if feature == "rate_at_hero_hz" else feature
            entry = own[stored]
            rows.append((name, feature, entry.n, entry.median, entry.q25, entry.q75))
    return pd.DataFrame(rows, columns=["class", "feature", "n", "median", "q25", "q75"])


def _correlate(virtual: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    rows = []
    features = list(CLASS_FEATURES)
    for name in measured["class"].unique():
        own = measured.loc[measured["class"] == name, features]
        drawn = virtual.loc[virtual["class"] == name, features]
        a, b = own.corr("spearman"), drawn.corr("spearman")
        for i, feature in enumerate(features):
            for other in features[:i]:
                both = len(own[[feature, other]].dropna())
                pair = (a.loc[feature, other], b.loc[feature, other])
                rows.append((name, feature, other, both, *pair))
    columns = ["class", "feature", "other", "n", "measured", "virtual"]
    return pd.DataFrame(rows, columns=columns)
