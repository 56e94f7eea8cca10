"""f-I curves of the classes' central cells against the measured ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swta.cells.classes import CLASSES, LABELS


def compare_fi(
    curves: pd.DataFrame, above_rheobase_pA: NDArray[np.float64], rates_hz: NDArray[np.float64]
) -> pd.DataFrame:
    """Model f-I curves (Hz) against median and quartiles of the measured ones.

    A measured curve counts at the currents it spans, interpolated between its steps. A class
    without any has kind "none" and n = 0.

    Args:
        curves: from `swta.cells.recordings.load_fi_curves`.
        above_rheobase_pA: (n,), above each curve's own rheobase.
        rates_hz: (5, n), the model's rates, classes in the order of `CLASSES`.

    Returns:
        Columns class, kind, above_rheobase_pA, n, median, q25, q75 and model.
    """
    rows = []
    for name, rates in zip(CLASSES, rates_hz, strict=True):
        own = curves[curves["class"] == name]
        kinds = sorted(own["kind"].unique(), reverse=True) or ["none"]
        for kind in kinds:
            measured = _on_grid(own[own["kind"] == kind], above_rheobase_pA)
            for column, current in enumerate(above_rheobase_pA):
                values = measured[:, column][np.isfinite(measured[:, column])]
                quartiles = np.quantile(values, [0.5, 0.25, 0.75]) if values.size else [np.nan] * 3
                rows.append((name, kind, current, values.size, *quartiles, rates[column]))
    columns = ["class", "kind", "above_rheobase_pA", "n", "median", "q25", "q75", "model"]
    return pd.DataFrame(rows, columns=columns)


def measure_fi_distance(comparison: pd.DataFrame) -> dict[str, float]:
    """Root-mean-square distance (Hz) of the model from the median measured f-I curve, per class.

    Over the currents from rheobase on at which curves were measured; of two kinds of curves the
    steps count. Classes without any curve are left out.

    Args:
        comparison: from `compare_fi`.
    """
    shown = comparison[(comparison["n"] > 0) & (comparison["above_rheobase_pA"] >= 0)]
    distances = {}
    for name, own in shown.groupby("class", sort=False):
        counted = own[own["kind"] == own["kind"].max()]  # "steps" after "line"
        distances[str(name)] = float(np.sqrt(np.mean((counted["model"] - counted["median"]) ** 2)))
    return distances


def describe_fi_distance(comparison: pd.DataFrame) -> str:
    """`measure_fi_distance` as a sentence's list, or that there is nothing to compare with."""
    shown = comparison.groupby(["class", "kind"])["n"].max()
    parts = []
    for name, distance in measure_fi_distance(comparison).items():
        number = shown[name].sort_index().iloc[-1]  # "steps" after "line"
        parts.append(f"{LABELS[name]} {distance:.1f} Hz (n = {number})")
    return ", ".join(parts) or "not known, no measured curve is at hand"


def _on_grid(curves: pd.DataFrame, above_rheobase_pA: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each curve's rates at the given currents, (n_curves, n); NaN outside what it spans."""
    rates = [
        np.interp(
            above_rheobase_pA, one["above_rheobase_pA"], one["rate_hz"], left=np.nan, right=np.nan
        )
        for _, one in curves.sort_values("above_rheobase_pA").groupby("specimen_id")
    ]
    return np.array(rates).reshape(-1, above_rheobase_pA.size)
