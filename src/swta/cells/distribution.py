"""A multivariate distribution over the AdEx parameters of a class: a Gaussian copula.

Each of the ten coordinates of `swta.cells.coordinates` has its own quantiles, and a correlation
matrix of normal scores ties them together. Missing values are no obstacle: quantiles take the cells
that have the coordinate, correlations the pairs that have both. With few cells the correlations are
noisy; they are shrunk towards none by the amount that minimises their expected error (Schäfer and
Strimmer 2005).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm, rankdata
from scipy.stats.qmc import Sobol

from swta.cells.coordinates import COORDINATES, to_cells
from swta.validation import ParameterError, check_integer

# Probabilities of the quantiles. Nothing is drawn beyond the outermost.
LEVELS: Final = np.array([0.01, *np.arange(0.05, 0.96, 0.05).round(2), 0.99])
MAX_REJECTED: Final = 0.9  # share of draws that are no cells; above, the distribution is wrong
_MIN_PAIRS: Final = 6  # cells with both coordinates, below which a correlation is taken as 0
_BATCH: Final = 256


@dataclass(frozen=True)
class CellSample:
    """Virtual cells drawn from a class."""

    cells: NDArray[np.float64]  # (n, 11), in the order and units of `AdExParameters`
    coordinates: pd.DataFrame  # (n rows), the same cells in the units of `COORDINATES`
    rejected: float  # share of draws that no AdEx cell can have, drawn again


@dataclass(frozen=True)
class ClassDistribution:
    """Quantiles and correlations of the ten coordinates of a class.

    Raises:
        ParameterError: quantiles that fall, or a correlation matrix that is none.
    """

    quantiles: Mapping[str, NDArray[np.float64]]  # of each coordinate at `LEVELS`, in its unit
    correlation: NDArray[np.float64]  # (10, 10), of normal scores, in the order of `COORDINATES`
    n: Mapping[str, int]  # cells behind each coordinate

    def __post_init__(self) -> None:
        for name in COORDINATES:
            values = np.asarray(self.quantiles.get(name, []), dtype=float)
            rising = values.shape == LEVELS.shape and bool(np.all(np.diff(values) >= 0))
            if not (rising and np.isfinite(values).all()):
                raise ParameterError(
                    f"quantiles of {name} = {values.tolist()}; allowed: {LEVELS.size} numbers that "
                    "do not fall"
                )
        size = len(COORDINATES)
        matrix = np.asarray(self.correlation, dtype=float)
        good = matrix.shape == (size, size) and np.allclose(matrix, matrix.T, atol=1e-6)
        good = good and np.allclose(np.diag(matrix), 1.0, atol=1e-6)
        if not good or np.linalg.eigvalsh(matrix).min() < -1e-6:
            raise ParameterError(
                f"correlation of shape {matrix.shape} is no correlation matrix of {size} "
                "coordinates; allowed: symmetric, ones on the diagonal, no negative eigenvalue"
            )

    def sample(self, n: int, rng: np.random.Generator, *, even: bool = False) -> CellSample:
        """Draw n cells.

        Draws that are no cell (`to_cells` says which) are drawn again, and counted.

        Args:
            n: number of cells.
            rng: of the draw.
            even: spread the cells evenly over the distribution (a scrambled Sobol sequence) in
                place of independently, so that small samples differ less from each other.

        Raises:
            ParameterError: n below 1, or hardly any draw is a cell.
        """
        check_integer("n", n, low=1)
        root = _root(self.correlation)
        sobol = Sobol(len(COORDINATES), rng=rng) if even else None
        kept: list[NDArray[np.float64]] = []
        drawn, found = 0, 0
        while found < n:
            scores = (
                rng.standard_normal((_BATCH, len(COORDINATES)))
                if sobol is None
                else norm.ppf(np.clip(sobol.random(_BATCH), 1e-9, 1 - 1e-9))
            )
            coordinates = self._from_scores(scores @ root.T)
            good = np.asarray(np.isfinite(to_cells(coordinates)).all(axis=1))
            if found + good.sum() >= n:  # count only as many draws as were needed
                used = int(np.flatnonzero(good)[n - found - 1]) + 1
                good[used:] = False
            else:
                used = _BATCH
            kept.append(coordinates.to_numpy()[good])
            drawn, found = drawn + used, found + int(good.sum())
            if drawn >= 4 * _BATCH and found < (1 - MAX_REJECTED) * drawn:
                raise ParameterError(
                    f"{drawn - found} of {drawn} draws are no cells; allowed: at most "
                    f"{MAX_REJECTED:.0%}. Check the quantiles of rest, rheobase and threshold"
                )
        table = pd.DataFrame(np.concatenate(kept), columns=list(COORDINATES))
        return CellSample(to_cells(table), table, 1 - n / drawn)

    def _from_scores(self, scores: NDArray[np.float64]) -> pd.DataFrame:
        levels = norm.cdf(scores)
        return pd.DataFrame(
            {
                name: np.interp(levels[:, k], LEVELS, self.quantiles[name])
                for k, name in enumerate(COORDINATES)
            }
        )

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, six digits."""
        return {
            "n": dict(self.n),
            "quantiles": {
                name: [float(f"{v:.6g}") for v in self.quantiles[name]] for name in COORDINATES
            },
            "correlation": np.round(self.correlation, 5).tolist(),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> ClassDistribution:
        """The inverse of `to_json`.

        Raises:
            ParameterError: values that are no distribution.
            KeyError: a part is missing.
        """
        return cls(
            quantiles={k: np.array(v, dtype=float) for k, v in content["quantiles"].items()},
            correlation=np.array(content["correlation"], dtype=float),
            n={k: int(v) for k, v in content["n"].items()},
        )


def fit_distribution(
    coordinates: pd.DataFrame, weights: NDArray[np.float64] | None = None
) -> ClassDistribution:
    """Quantiles and shrunk correlations of cells given by their coordinates.

    Args:
        coordinates: a row a cell, columns `COORDINATES` in their units, NaN where not known.
        weights: of the cells (n,), by default all the same; the shrinkage is for whole cells, so a
            weighted table is not shrunk.

    Raises:
        ParameterError: a coordinate known in fewer than two cells, or bad weights.
    """
    values = coordinates[list(COORDINATES)].to_numpy(dtype=np.float64)
    number = np.isfinite(values).sum(axis=0)
    if number.min() < 2:
        short = list(COORDINATES)[int(number.argmin())]
        raise ParameterError(
            f"{short} is known in {number.min()} cells; allowed: at least 2. Use more cells"
        )
    if weights is None:
        mass = np.ones(len(values))
    else:
        mass = np.asarray(weights, dtype=np.float64)
        if mass.shape != (len(values),) or not (mass >= 0).all() or not mass.sum() > 0:
            raise ParameterError(
                f"weights of shape {mass.shape} do not fit {len(values)} cells; allowed: one "
                "number per cell, none negative, not all 0"
            )
    quantiles = {name: _quantiles(values[:, k], mass, LEVELS) for k, name in enumerate(COORDINATES)}
    scores = np.column_stack([_normal_scores(values[:, k], mass) for k in range(values.shape[1])])
    matrix = _correlation(scores, mass, shrink=weights is None)
    counts = dict(zip(COORDINATES, number.tolist(), strict=True))
    return ClassDistribution(quantiles, matrix, counts)


def _quantiles(
    values: NDArray[np.float64], mass: NDArray[np.float64], levels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted quantiles (Hazen's rule: the k-th of n values stands at (k - 1/2) / n)."""
    known = np.isfinite(values)
    order = np.argsort(values[known], kind="stable")
    share = mass[known][order]
    places = (np.cumsum(share) - 0.5 * share) / share.sum()
    return np.asarray(np.interp(levels, places, values[known][order]))


def _normal_scores(values: NDArray[np.float64], mass: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normal quantile of each value's place among the others; NaN stays."""
    known = np.isfinite(values)
    scores = np.full(values.shape, np.nan)
    if np.ptp(mass) == 0:
        places = (rankdata(values[known]) - 0.5) / known.sum()
    else:
        order = np.argsort(values[known], kind="stable")
        share = mass[known][order]
        places = np.empty(known.sum())
        places[order] = (np.cumsum(share) - 0.5 * share) / share.sum()
    scores[known] = norm.ppf(np.clip(places, 1e-4, 1 - 1e-4))
    return scores


def noise_share(values: pd.DataFrame) -> float:
    """Part, 0 to 1, of the rank correlations of columns that sampling noise explains.

    The sum of their variances over the sum of their squares (Schäfer and Strimmer 2005), 1 at most.
    """
    scores = np.column_stack(
        [_normal_scores(column, np.ones(len(values))) for column in values.to_numpy(float).T]
    )
    return _pairwise(scores, np.ones(len(values)))[1]


def _correlation(
    scores: NDArray[np.float64], mass: NDArray[np.float64], *, shrink: bool
) -> NDArray[np.float64]:
    matrix, noise = _pairwise(scores, mass)
    if shrink:
        matrix = (1 - noise) * matrix + noise * np.eye(len(matrix))
    return _nearest_correlation(matrix)


def _pairwise(
    scores: NDArray[np.float64], mass: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Weighted correlations over the rows that have both, and their `noise_share`."""
    size = scores.shape[1]
    matrix, variance = np.eye(size), 0.0
    for i in range(size):
        for j in range(i):
            both = np.isfinite(scores[:, i]) & np.isfinite(scores[:, j]) & (mass > 0)
            if both.sum() < _MIN_PAIRS:
                continue
            x, y, share = scores[both, i], scores[both, j], mass[both] / mass[both].sum()
            x, y = x - share @ x, y - share @ y
            scale = np.sqrt((share @ x**2) * (share @ y**2))
            if scale > 0:
                r = float(share @ (x * y) / scale)
                matrix[i, j] = matrix[j, i] = r
                variance += 2 * (1 - r**2) ** 2 / (both.sum() - 1)
    strength = float(np.sum((matrix - np.eye(size)) ** 2))
    return matrix, min(1.0, variance / strength) if strength > 0 else 1.0


def _nearest_correlation(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Negative eigenvalues, left by missing values, set to a small number; diagonal 1 again."""
    values, vectors = np.linalg.eigh(matrix)
    if values.min() < 1e-6:
        matrix = (vectors * np.maximum(values, 1e-6)) @ vectors.T
        scale = 1 / np.sqrt(np.diag(matrix))
        matrix = matrix * scale[:, None] * scale[None, :]
    return np.asarray((matrix + matrix.T) / 2)


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
