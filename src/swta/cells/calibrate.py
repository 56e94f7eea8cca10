"""The distribution of a class corrected until cells drawn from it match the measured features.

Cells drawn from a copula of fitted cells need not match the measured distribution: dynamic features
depend on several coordinates in a curved way, and the copula keeps only rank correlations. The
correction draws many cells, measures them, weights them so that the share between any two
neighbouring octiles of each feature is the measured one, and of each pair of features the share in
the four quadrants around their medians (raking, Deming and Stephan 1940), and takes quantiles and
correlations anew from the weighted cells. A few rounds suffice. Cells that fire in pairs match an
adaptation index as well as cells that slow down; their share is held at that of the fitted cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swta.cells.class_cells import CLASS_FEATURES, HERO_RATE, ClassCells
from swta.cells.class_fit import ClassFit
from swta.cells.class_targets import IRREGULARITY
from swta.cells.coordinates import COORDINATES, FITTED, RHEOBASE_RESOLUTION
from swta.cells.distribution import (
    CellSample,
    ClassDistribution,
    fit_distribution,
    noise_share,
)
from swta.cells.protocol import StepProtocol
from swta.cells.virtual import find_rheobase, measure_active
from swta.validation import check_integer, check_real

OCTILES: Final = np.arange(1, 8) / 8
SWEEPS: Final = 100  # of raking over the nine features
LARGEST_STEP: Final = 1.5  # factor by which one sweep may change a weight, per feature
LARGEST_WEIGHT: Final = 10.0  # of one cell, in mean weights: no few cells may stand for a class


def start_distribution(fit: ClassFit, recorded: ClassCells) -> ClassDistribution:
    """The copula before any correction: measured coordinates of all cells, fitted ones of some.

    Args:
        fit: of the class.
        recorded: the cells that it was fitted to.
    """
    measured = recorded.of(fit.name).set_index("specimen_id")
    table = measured[[name for name in COORDINATES if name not in FITTED]].copy()
    table["rheobase_pA"] = table["rheobase_pA"] - 0.5 * RHEOBASE_RESOLUTION
    fitted = fit.cells.set_index("specimen_id")[list(FITTED)]
    return fit_distribution(table.join(fitted)[list(COORDINATES)])


def calibrate_distributions(
    fits: Mapping[str, ClassFit],
    recorded: ClassCells,
    *,
    protocol: StepProtocol | None = None,
    n: int = 800,
    rounds: int = 4,
    dt_ms: float = 0.1,
    seed: int = 0,
) -> dict[str, ClassDistribution]:
    """Distributions whose cells match the measured features; see the module.

    Args:
        fits: of each class, from `fit_class_cells`.
        recorded: the cells that they were fitted to.
        protocol: the current steps; by default those of the recordings.
        n: cells drawn per class and round.
        rounds: corrections; with 0 it is the copula of the fitted cells.
        dt_ms: time step.
        seed: of the draws. Cells for validation have to come from another.

    Raises:
        ParameterError: bad sizes.
    """
    check_integer("n", n, low=50)
    check_integer("rounds", rounds, low=0)
    check_real("dt_ms", dt_ms, low=0, open_low=True, high=0.2, unit="ms")
    steps = protocol or StepProtocol()
    start = {name: start_distribution(fit, recorded) for name, fit in fits.items()}
    regular = {
        name: float((fit.cells["irregularity"] <= IRREGULARITY).mean())
        for name, fit in fits.items()
    }
    current = dict(start)
    for turn in range(rounds):
        samples = {
            name: one.sample(n, np.random.default_rng((seed, turn, k)))
            for k, (name, one) in enumerate(current.items())
        }
        features = measure_samples(samples, recorded, protocol=steps, dt_ms=dt_ms)
        for name, sample in samples.items():
            weights = rake(features[name], recorded.of(name), regular[name])
            corrected = fit_distribution(sample.coordinates, weights)
            # No feature depends on the peak, so raking would only let it drift.
            peak = {"peak_v_mV": start[name].quantiles["peak_v_mV"]}
            current[name] = ClassDistribution(
                {**corrected.quantiles, **peak}, corrected.correlation, start[name].n
            )
    return current


def measure_samples(
    samples: Mapping[str, CellSample],
    recorded: ClassCells,
    *,
    protocol: StepProtocol,
    dt_ms: float,
) -> dict[str, pd.DataFrame]:
    """Nine features and irregularity of sampled cells; passive ones by their closed forms."""
    cells = np.concatenate([one.cells for one in samples.values()])
    rheobase = find_rheobase(cells, protocol=protocol, dt_ms=dt_ms)
    response = measure_active(
        cells, rheobase, protocol.above_rheobase_pA, protocol=protocol, dt_ms=dt_ms
    )
    active = response.features
    measured = {}
    first = 0
    for name, one in samples.items():
        part = slice(first, first + len(one.cells))
        first = part.stop
        hero = HERO_RATE[str(recorded.of(name)["data_set"].iloc[0])]
        values = {
            **{k: one.coordinates[k].to_numpy() for k in COORDINATES if k in CLASS_FEATURES},
            **{k: v[part] for k, v in active.items() if k in CLASS_FEATURES},
            "rheobase_pA": rheobase[part],
            "rate_at_hero_hz": active[hero][part],
        }
        table = pd.DataFrame({k: values[k] for k in CLASS_FEATURES})
        measured[name] = table.assign(irregularity=response.irregularity[part])
    return measured


def rake(features: pd.DataFrame, measured: pd.DataFrame, regular: float) -> NDArray[np.float64]:
    """Weights (n,), mean 1, that give cells the measured shares: of octiles and of quadrants.

    Args:
        features: (n rows) columns `CLASS_FEATURES` and irregularity, of the cells; NaN counts for
            no share.
        measured: the features of the recorded cells.
        regular: wanted share of cells with an irregularity of at most `IRREGULARITY`.
    """
    plans = _plan_quadrants(features, measured)
    pairs = np.asarray(features["irregularity"] > IRREGULARITY).astype(np.int64)
    everyone = np.ones(len(features), dtype=np.bool_)
    plans.append((everyone, pairs, np.array([regular, 1 - regular])))
    # Last in a sweep is what is met best where not all can be.
    plans += [_plan_octiles(features[name], measured[name]) for name in CLASS_FEATURES]
    weights = np.ones(len(features))
    for _ in range(SWEEPS):
        for defined, place, shares in plans:
            mass = np.bincount(place, weights[defined], minlength=shares.size)
            wanted = shares * mass.sum()
            factor = np.divide(wanted, mass, out=np.ones_like(mass), where=mass > 0)
            weights[defined] *= np.clip(factor, 1 / LARGEST_STEP, LARGEST_STEP)[place]
        weights = np.minimum(weights / weights.mean(), LARGEST_WEIGHT)
    return np.asarray(weights / weights.mean())


# Which cells count (n,), the bin of each of those, and the wanted share of each bin.
_Plan = tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.float64]]


def _plan_octiles(features: pd.Series, measured: pd.Series) -> _Plan:
    known = measured.dropna().to_numpy(dtype=np.float64)
    edges = np.unique(np.quantile(known, OCTILES))
    shares = np.bincount(np.searchsorted(edges, known), minlength=edges.size + 1) / known.size
    values = features.to_numpy(dtype=np.float64)
    defined = np.isfinite(values)
    return defined, np.searchsorted(edges, values[defined]), shares


def _plan_quadrants(features: pd.DataFrame, measured: pd.DataFrame) -> list[_Plan]:
    """Shares of the four quadrants around both medians, for each pair of features.

    The measured shares are shrunk towards those of unrelated features by the noise of
    correlations over so few cells.
    """
    names = list(CLASS_FEATURES)
    middle = measured[names].median()
    keep = 1 - noise_share(measured[names])
    plans = []
    for i, name in enumerate(names):
        for other in names[:i]:
            both = measured[[name, other]].dropna()
            corner = 2 * (both[name] > middle[name]) + (both[other] > middle[other])
            shares = np.bincount(corner.astype(int), minlength=4) / len(both)
            table = shares.reshape(2, 2)
            unrelated = np.outer(table.sum(axis=1), table.sum(axis=0)).ravel()
            defined = features[[name, other]].notna().all(axis=1).to_numpy()
            drawn = features.loc[defined]
            place = 2 * (drawn[name] > middle[name]) + (drawn[other] > middle[other])
            wanted = keep * shares + (1 - keep) * unrelated
            plans.append((defined, place.to_numpy(dtype=np.int64), wanted))
    return plans
