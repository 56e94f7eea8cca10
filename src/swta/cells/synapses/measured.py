"""What paired recordings measured of each pair of classes, and what stands in where none were made.

Source of the statistics: Campagnola, Seeman et al. 2022, Science 375:eabj5861 (Synaptic Physiology
data set); of the probabilities at zero distance and of the electron microscopy: the Allen V1
model's tables (Billeh et al. 2020 and its successors). See `swta.data.physiology`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from swta.cells.classes import INTERNEURONS
from swta.cells.synapses.connectivity import find_probability, find_sigma, find_spread
from swta.cells.synapses.table import EXCITATORY, INPUT, PAIRS, SYNAPSE_LABELS, Measure
from swta.data.physiology import load_table
from swta.validation import ParameterError

TABLES: Final = {
    "statistics": "synapses/synphys_synapse_stats_by_class",
    "counts": "synapses/synphys_connection_counts_l23",
    "pooled": "synapses/synphys_pooled_matrices",
    "ndnf": "synapses/ndnf_som_input_naumann2025",
    "probabilities": "synapses/biorealistic_v1/conn_props_l23_by_version",
    "microscopy": "synapses/biorealistic_v1/pmax_matrix_v1dd",
    "sigma": "synapses/biorealistic_v1/sigma",
    "potentials": "synapses/biorealistic_v1/psp_characterization",
}
MIN_RECORDINGS: Final = 5  # fewer recordings of a pair are filled up with related pairs

# Names of the classes in the tables. Interneurons there come from all layers.
_GROUPS: Final = {"Pyr": "l23pyr", INPUT: "l4pyr", "Pvalb": "pv", "Sst": "sst", "Vip": "vip"}
_PYRAMIDAL: Final = ("l23pyr", "l4pyr", "l5et", "l5it", "l6pyr")
_MARKED: Final = ("pv", "sst", "vip")

METRICS: Final = (
    "latency",
    "psp_rise_time",
    "psp_decay_tau",
    "psp_amplitude",
    "pulse_amp_90th_percentile",
    "stp_induction_50hz",
)
_TIMES: Final = ("latency", "psp_rise_time", "psp_decay_tau")
_STATISTICS: Final = ("mean", "median", "q25", "q75")
SYNPHYS: Final = "Campagnola et al. 2022 (campagnola2022), synphys_synapse_stats_by_class"


@dataclass(frozen=True)
class Statistic:
    """One metric of the synapses from one class onto another, in the unit of the table."""

    metric: str
    n: int
    mean: float
    median: float
    q25: float  # of signed values: for negative potentials the larger one in magnitude
    q75: float
    status: str  # measured, pooled or proxy
    source: str

    def as_measure(self, statistic: str = "median") -> Measure:
        """The mean or median with its quartiles."""
        value = getattr(self, statistic)
        return Measure(value, self.n, self.status, self.source, self.q25, self.q75)


@dataclass(frozen=True)
class MeasuredPair:
    """Everything measured of one pair of classes, or standing in for it."""

    pre: str
    post: str
    statistics: Mapping[str, Statistic]  # by metric
    probability: Measure
    sigma_um: Measure
    recovery: Measure  # stp_recovery_250ms, mean over all layers
    g_log_sd: Measure


@dataclass(frozen=True)
class MeasuredSynapses:
    """The measurements of all pairs, and paired-pulse ratios of SST onto neurogliaform cells."""

    pairs: Mapping[tuple[str, str], MeasuredPair]
    ndnf_ratios: Mapping[float, tuple[float, ...]]  # pulse frequency in Hz to ratios, one a cell
    notes: tuple[str, ...]  # every value that was pooled or stood in, in words


def load_measured_synapses(folder: Path | None = None) -> MeasuredSynapses:
    """Read the tables of synapses; pairs with fewer than five recordings are filled up and noted.

    Args:
        folder: where the physiology tables are; by default the data set is located.

    Raises:
        swta.data.DataUnavailable: the tables are nowhere to be found.
        swta.data.physiology.TableError: a missing or non-numeric column, an impossible value.
        ParameterError: a pair or a class that the tables lack and for which nothing stands in.
    """
    tables = {key: load_table(name, folder=folder) for key, name in TABLES.items()}
    described = _check_statistics(tables["statistics"])
    notes: list[str] = []
    pairs = {}
    for pre, post in PAIRS:
        statistics = {m: _find_statistic(described, pre, post, m) for m in METRICS}
        replaced = [m for m, one in statistics.items() if one.status != "measured"]
        if replaced:
            which = "all metrics" if len(replaced) == len(METRICS) else ", ".join(replaced)
            words = _stand_ins(pre, post)[2]
            pair = f"{SYNAPSE_LABELS[pre]}→{SYNAPSE_LABELS[post]}"
            notes.append(f"{pair}: {which} {statistics[replaced[0]].status}, {words}")
        pairs[pre, post] = MeasuredPair(
            pre=pre,
            post=post,
            statistics=statistics,
            probability=find_probability(tables, pre, post),
            sigma_um=find_sigma(tables, pre, post),
            recovery=_find_recovery(tables["pooled"], pre, post),
            g_log_sd=find_spread(tables["potentials"], pre, post),
        )
    return MeasuredSynapses(pairs, _find_ratios(tables["ndnf"]), tuple(notes))


def _check_statistics(table: pd.DataFrame) -> pd.DataFrame:
    """Only metrics used, times above zero: the schema cannot know which rows are times."""
    used = table[table["metric"].isin(METRICS)]
    missing = sorted(set(METRICS) - set(used["metric"]))
    if missing:
        raise ParameterError(f"{table.attrs['file']}: no row with metric {', '.join(missing)}")
    for index, row in used.iterrows():
        where = f"{table.attrs['file']}, line {int(str(index)) + 2} ({row['pre']} → {row['post']})"
        if row["n"] < 1 or row["n"] != round(row["n"]):
            raise ParameterError(f"{where}, column 'n': {row['n']} is not a number of recordings")
        for column in _STATISTICS:
            if not np.isfinite(row[column]):
                raise ParameterError(f"{where}, column {column!r}: no value; fetch the table again")
            if row["metric"] in _TIMES and row[column] <= 0:
                raise ParameterError(
                    f"{where}, column {column!r}: {row[column]:g} ms is impossible for "
                    f"{row['metric']}; a time is above 0"
                )
        if not row["q25"] <= row["median"] <= row["q75"]:
            raise ParameterError(
                f"{where}: quartiles {row['q25']:g}, {row['q75']:g} do not enclose the median "
                f"{row['median']:g}"
            )
    return used


def _find_statistic(table: pd.DataFrame, pre: str, post: str, metric: str) -> Statistic:
    rows = table[table["metric"] == metric]
    own = rows[(rows["pre"] == _GROUPS.get(pre)) & (rows["post"] == _GROUPS.get(post))]
    own_n = int(own["n"].sum())
    if own_n >= MIN_RECORDINGS:
        row = own.iloc[0]
        source = f"{SYNPHYS}: {metric}, {row['pre']} → {row['post']}"
        return _average(own, metric, "measured", source)
    groups_pre, groups_post, words, status = _stand_ins(pre, post)
    related = rows["pre"].isin(groups_pre) & rows["post"].isin(groups_post)
    pool = rows[related & ~rows.index.isin(own.index)]
    if own_n + int(pool["n"].sum()) < MIN_RECORDINGS:
        raise ParameterError(
            f"{table.attrs['file']}: {pre} → {post}: {metric} has {own_n} recordings and "
            f"{int(pool['n'].sum())} of related pairs ({words}); needed: {MIN_RECORDINGS}. "
            "Complete the table"
        )
    source = f"{SYNPHYS}: {metric}, n-weighted mean over {words}"
    found = _average(pool, metric, status, source)
    if not own_n:
        return found
    source = (
        f"{SYNPHYS}: {metric}, {own_n} recordings of {pre} → {post} filled up to {MIN_RECORDINGS} "
        f"with the mean over {words}"
    )
    return _fill_up(_average(own, metric, status, source), found)


def _fill_up(own: Statistic, pool: Statistic) -> Statistic:
    """A pair's few recordings and, in place of those missing to five, the mean of related pairs."""
    share = own.n / MIN_RECORDINGS
    values = {k: share * getattr(own, k) + (1 - share) * getattr(pool, k) for k in _STATISTICS}
    return Statistic(own.metric, own.n + pool.n, **values, status=own.status, source=own.source)


def _stand_ins(pre: str, post: str) -> tuple[tuple[str, ...], tuple[str, ...], str, str]:
    """Groups whose recordings stand in for a pair, in words, and the status this gives."""
    own_pre, own_post = _GROUPS.get(pre), _GROUPS.get(post)
    if own_pre is None or own_post is None:
        sources = _MARKED if own_pre is None else (own_pre,)
        targets = _MARKED if own_post is None else (own_post,)
        return sources, targets, f"{', '.join(sources)} → {', '.join(targets)}", "proxy"
    if pre in EXCITATORY:
        return _PYRAMIDAL, (own_post,), f"other pyramidal cells → {own_post}", "pooled"
    return (own_pre,), (*_PYRAMIDAL, *_MARKED), f"{own_pre} → its other targets", "pooled"


def _average(rows: pd.DataFrame, metric: str, status: str, source: str) -> Statistic:
    weights = np.asarray(rows["n"], dtype=float)
    values = {
        k: float(np.average(np.asarray(rows[k], float), weights=weights)) for k in _STATISTICS
    }
    return Statistic(metric, int(weights.sum()), **values, status=status, source=source)


def _find_recovery(table: pd.DataFrame, pre: str, post: str) -> Measure:
    rows = table[table["metric"] == "stp_recovery_250ms"]
    name = "Pyr" if pre == INPUT else pre
    known = tuple(c for c in INTERNEURONS if c != "Lamp5")
    sources = known if name == "Lamp5" else (name,)
    targets = known if post == "Lamp5" else (post,)
    pool = rows[rows["pre"].isin(sources) & rows["post"].isin(targets)]
    if len(pool) != len(sources) * len(targets):
        raise ParameterError(
            f"{table.attrs['file']}: stp_recovery_250ms of {pre} → {post} is missing"
        )
    status = "proxy" if "Lamp5" in (pre, post) else "pooled"
    source = (
        f"Campagnola et al. 2022 (campagnola2022), synphys_pooled_matrices: mean over all layers, "
        f"{', '.join(sources)} → {', '.join(targets)}"
    )
    return Measure(float(pool["value"].mean()), 0, status, source)


def _find_ratios(table: pd.DataFrame) -> dict[float, tuple[float, ...]]:
    found = {}
    for hertz in (10.0, 20.0):
        quantity = f"som_to_ndnf_ppr_{hertz:g}hz"
        values = table.loc[table["quantity"] == quantity, "control"].dropna()
        if len(values) < MIN_RECORDINGS:
            raise ParameterError(
                f"{table.attrs['file']}: {quantity} has {len(values)} cells in column 'control'; "
                f"needed: {MIN_RECORDINGS}"
            )
        found[hertz] = tuple(float(v) for v in values)
    return found
