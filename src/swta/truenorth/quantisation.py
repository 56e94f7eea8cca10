"""What whole numbers cost: errors of slopes, thresholds and rates against weight bits and size.

A recurrent weight is the slope times the threshold over the number of neurons, so more neurons per
unit leave smaller weights and a coarser grid, and more bits allow larger thresholds and a finer
one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from swta.circuit.theory import Motif, steady_state
from swta.truenorth.experiments import simulate_motifs
from swta.truenorth.mapping import MotifRequest, fit_thresholds, map_motif
from swta.validation import ParameterError, check_integer, check_real

CHIP_BITS: Final = 9  # of a signed weight (Merolla et al. 2014)
_ANY_ERROR: Final = 1e9  # rounding is what is measured here, so none is refused


@dataclass(frozen=True, eq=False)
class QuantisationResult:
    """Errors of motifs in whole numbers; ``n_motifs`` motifs."""

    bits: np.ndarray  # (n_bits,), of a signed weight
    sizes: np.ndarray  # (n_sizes,), neurons per unit and in the pool
    slope_error: np.ndarray  # (n_bits, n_sizes, n_motifs), largest relative one of α, β₁, β₂
    threshold_error: np.ndarray  # same shape, larger one of T_E and T_N, spikes per tick


@dataclass(frozen=True, eq=False)
class RateErrorResult:
    """Rates on the chip against the closed form of the motif that was wanted."""

    bits: np.ndarray  # (n_bits,)
    sizes: np.ndarray  # (n_sizes,)
    error: np.ndarray  # (n_bits, n_sizes), root mean square over the largest rate wanted; NaN
    # where rounding makes the motif unstable


def draw_motifs(n: int, *, n_units: int = 3, seed: int = 0) -> list[Motif]:
    """Return motifs with α of 0.3–0.9, β₁ of 0.5–3, β₂ of 0.1–1, T of 0–0.1 spikes per tick."""
    check_integer("n", n, low=1)
    rng = np.random.default_rng([seed, 2])
    low, high = np.array([(0.3, 0.9), (0.5, 3.0), (0.1, 1.0), (0.0, 0.1), (0.0, 0.1)]).T
    return [
        Motif(alpha=a, beta1=b1, beta2=b2, T_E=te, T_N=tn, n_units=n_units)
        for a, b1, b2, te, tn in rng.uniform(low, high, (n, 5))
    ]


def quantise(motif: Motif, *, bits: int, size: int, depth: float = 10.0) -> MotifRequest:
    """Return the request that rounds a motif least with weights of so many bits.

    Args:
        motif: what is wanted.
        bits: of a signed weight, 2..9; threshold and leak are kept to the same range.
        size: neurons per unit, and in the inhibitory pool.
        depth: negative threshold over threshold.

    Raises:
        ParameterError: no threshold keeps all weights in range.
    """
    check_integer("bits", bits, low=2, high=CHIP_BITS)
    check_real("depth", depth, low=0)
    request = MotifRequest(
        motif=motif,
        neurons_per_unit=size,
        inhibitory_neurons=size,
        threshold=100,
        negative_threshold=round(100 * depth),
        max_error=_ANY_ERROR,
    )
    return fit_thresholds(request, max_weight=2 ** (bits - 1) - 1)


def measure_quantisation(
    motifs: Sequence[Motif], *, bits: Sequence[int] = range(3, 10), sizes: Sequence[int]
) -> QuantisationResult:
    """Measure how far motifs in whole numbers are from what was wanted.

    Args:
        motifs: what is wanted.
        bits: of a signed weight, 2..9 each.
        sizes: neurons per unit and in the pool.
    """
    slope = np.zeros((len(bits), len(sizes), len(motifs)))
    threshold = np.zeros_like(slope)
    for place in np.ndindex(slope.shape):
        b, s, m = place
        motif = motifs[m]
        found = map_motif(quantise(motif, bits=bits[b], size=sizes[s])).realised
        slope[place] = max(
            abs(found[name] / getattr(motif, name) - 1) for name in ("alpha", "beta1", "beta2")
        )
        threshold[place] = max(abs(found[name] - getattr(motif, name)) for name in ("T_E", "T_N"))
    return QuantisationResult(np.asarray(bits), np.asarray(sizes), slope, threshold)


def simulate_quantisation(
    motif: Motif,
    *,
    bits: Sequence[int] = range(3, 10),
    sizes: Sequence[int],
    n_inputs: int = 10,
    high: float = 0.4,
    n_ticks: int,
    seed: int,
) -> RateErrorResult:
    """Run a motif with every number of bits and neurons under the same random inputs.

    Args:
        motif: what is wanted.
        bits, sizes: as in ``measure_quantisation``.
        n_inputs: random input vectors for each.
        high: largest input rate, spikes per tick.
        n_ticks: ticks to measure.
        seed: of the inputs and of their spikes.

    Raises:
        ParameterError: no unit is active with these inputs.
    """
    check_integer("n_inputs", n_inputs, low=2)
    check_real("high", high, low=0, high=1, open_low=True, unit="spikes per tick")
    rng = np.random.default_rng([seed, 0])
    inputs = rng.uniform(0.0, high, (n_inputs, motif.n_units))
    wanted = np.minimum(steady_state(motif, inputs), 1.0)
    if not wanted.any():
        raise ParameterError(
            f"no unit is active for inputs up to {high:g}; raise high or lower T_E"
        )
    error = np.full((len(bits), len(sizes)), np.nan)
    places, mapped = [], []
    for place in np.ndindex(error.shape):
        candidate = map_motif(quantise(motif, bits=bits[place[0]], size=sizes[place[1]]))
        found = candidate.realised
        if found["alpha"] < min(2.0, 1.0 + found["beta1"] * found["beta2"]):
            places.append(place)
            mapped.append(candidate)
    if not mapped:
        return RateErrorResult(np.asarray(bits), np.asarray(sizes), error)
    result = simulate_motifs(
        [each for each in mapped for _ in range(n_inputs)],
        np.tile(inputs, (len(mapped), 1)),
        n_ticks=n_ticks,
        seed=seed,
    )
    rates = result.rates.reshape(len(mapped), *wanted.shape)
    for place, own in zip(places, rates, strict=True):
        error[place] = np.sqrt(((own - wanted) ** 2).mean()) / wanted.max()
    return RateErrorResult(np.asarray(bits), np.asarray(sizes), error)
