"""Results as parts of sentences, which also say what is not known without the recordings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pandas as pd

from swta.cells.class_cells import CLASS_FEATURES
from swta.cells.class_compare import DistributionCheck
from swta.cells.classes import CLASSES, LABELS
from swta.cells.heldout import HeldOut, measure_repeatability
from swta.cells.sweeps import SweepTable
from swta.cells.trace_features import TraceFeatures

NOT_KNOWN: Final = "not known, the recordings are not at hand"
# Source data of a figure that could not be drawn.
NO_TABLE: Final = pd.DataFrame({"note": [NOT_KNOWN]})


def score_heldout(heldout: HeldOut) -> dict[str, tuple[float, int]]:
    """The chapter's numbers of the per-cell fits, each with the number of cells.

    Explained variances of held-out spike counts (median over all cells and per class with three
    cells or more); ``fi_vs_line`` and ``fi_vs_glif3``, median difference to the published line and
    to the GLIF3 neuron's published rheobase and slope, on the same cells.
    """
    scores: dict[str, tuple[float, int]] = {}
    for name, median, n in _model_medians(heldout):
        if name == "all":
            scores["fi_heldout_ev_median"] = (median, n)
        elif name in CLASSES and n >= 3:
            scores[f"fi_heldout_ev_{name}"] = (median, n)
    for peer in ("line", "glif3"):
        if heldout.cells[["ev_model", f"ev_{peer}"]].dropna().empty:
            continue
        found = heldout.compare(peer)
        scores[f"fi_vs_{peer}"] = (found["difference"], int(found["n"]))
    return scores


def _model_medians(heldout: HeldOut) -> list[tuple[str, float, int]]:
    """Class ("all" first), median explained variance of the model, number of cells."""
    rows = heldout.summarise().to_dict("records")
    return [
        (str(row["class"]), float(row["median"]), int(row["n"]))
        for row in rows
        if row["predictor"] == "model"
    ]


def describe_trace(found: TraceFeatures | None) -> str:
    """Spikes, latency, rate and adaptation index of one measured sweep."""
    if found is None:
        return NOT_KNOWN
    first, sweep = found.spikes.iloc[0], found.sweep
    return (
        f"{len(found.spikes)} spikes; first spike: threshold {first['threshold_v_mV']:.1f} mV, "
        f"peak {first['peak_v_mV']:.1f} mV, width {first['width_ms']:.2f} ms, latency "
        f"{sweep['latency_ms']:.1f} ms; adaptation index {sweep['adaptation_index']:.3f}"
    )


def describe_heldout(heldout: HeldOut | None) -> str:
    """Median explained variance of held-out spike counts, of all cells and per class."""
    if heldout is None:
        return NOT_KNOWN
    parts = [
        f"{LABELS.get(name, name)} {median:.3f} (n = {n})"
        for name, median, n in _model_medians(heldout)
    ]
    return ", ".join(parts).replace("all ", "all cells ", 1)


def describe_peers(heldout: HeldOut | None) -> str:
    """Median explained variance of the model and of each simpler one on the same cells."""
    if heldout is None:
        return NOT_KNOWN
    names = {
        "line": "published rheobase and slope",
        "best_line": "line through the fitted levels",
        "glif3": "line of the published rheobase and slope of the cell's GLIF3 model",
    }
    parts = []
    for peer, name in names.items():
        if heldout.cells[["ev_model", f"ev_{peer}"]].dropna().empty:
            continue
        found = heldout.compare(peer)
        parts.append(
            f"{name}: {found['peer']:.3f} against {found['model']:.3f} (n = {found['n']:.0f}, the "
            f"model at least as good in {100 * found['fraction_better']:.0f} %)"
        )
    return "; ".join(parts)


def describe_repeats(table: SweepTable | None) -> str:
    """How well cells repeat their own counts later in the recording."""
    if table is None:
        return NOT_KNOWN
    found = measure_repeatability(table)
    return f"{found['explained_variance']:.2f} over {found['n']:.0f} repeated levels"


def describe_misses(check: DistributionCheck, error: float = 0.25) -> str:
    """Class and feature pairs whose virtual distribution is off, the worst first, or "none"."""
    parts = [
        f"{LABELS[row['class']]} {CLASS_FEATURES[row['feature']].split(' (')[0].lower()} "
        f"(median {row['error']:+.2f} IQR, spread ×{row['spread']:.2f})"
        for row in check.list_off(error).to_dict("records")
    ]
    return "; ".join(parts) or "none"


def count_reasons(excluded: pd.DataFrame) -> pd.DataFrame:
    """Exclusions by class and reason with their number, the most frequent first.

    Args:
        excluded: columns class and reason at least, one row an exclusion.
    """
    order = {name: k for k, name in enumerate(CLASSES)}
    counted = excluded.groupby(["class", "reason"], dropna=False).size().rename("number")
    table = counted.reset_index()
    table["rank"] = table["class"].map(order).fillna(len(order))
    return table.sort_values(["rank", "number"], ascending=[True, False]).drop(columns="rank")


def describe_fit_drift(drift: Mapping[str, float] | None) -> str:
    """How far the per-cell fits are from the published ones."""
    if drift is None:
        return NOT_KNOWN
    return (
        f"{100 * drift['fraction_same']:.0f} % of {drift['n']:.0f} cells agree to one part in a "
        f"thousand, and the cost differs by {drift['cost_median']:.2g} in the median"
    )


def describe_class_drift(drift: Mapping[str, Mapping[str, float]] | None) -> str:
    """How far class models are from the published ones, the furthest class."""
    if drift is None:
        return NOT_KNOWN
    centre = max(one["centre"] for one in drift.values())
    spread = max(one["distribution"] for one in drift.values())
    return (
        f"central cells differ by {centre:.2g} of a parameter at most, medians of the "
        f"distributions by {spread:.2g} interquartile ranges"
    )
