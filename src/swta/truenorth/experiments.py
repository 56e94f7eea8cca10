"""Experiments on the chip: single neurons and motifs under many conditions at once.

Every condition stands on cores of its own, so an experiment is one chip and one run. External
input is independent Bernoulli spikes on each line; rates are in spikes per tick of 1 ms.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from swta.truenorth.chip import Chip
from swta.truenorth.drive import count_spikes, input_rates, lines_of
from swta.truenorth.mapping import (
    PRIMITIVES,
    MappedMotif,
    MotifRequest,
    map_motif,
    predict_rates,
    without,
)
from swta.truenorth.network import Network, Population, Projection, Source
from swta.truenorth.neuron import LINEAR_RESET, MAX_CORES
from swta.truenorth.placement import build_chip, place
from swta.validation import ParameterError, check_integer, check_real

_REPEATS: Final = 128  # equal neurons of the single-neuron experiment


@dataclass(frozen=True, eq=False)
class UnitResult:
    """Rates of single neurons against the threshold-linear prediction; ``n`` conditions."""

    drive: np.ndarray  # (n,), sum of s_k r_k and leak, units of V per tick
    threshold: np.ndarray  # (n,), alpha_th
    inhibition: np.ndarray  # (n,), rate of the inhibitory axon, spikes per tick
    negative_threshold: np.ndarray  # (n,), beta
    measured: np.ndarray  # (n,), spikes per tick, mean over the neurons of a core
    predicted: np.ndarray  # (n,), spikes per tick


@dataclass(frozen=True, eq=False)
class MotifResult:
    """Rates of motifs on cores, spikes per tick; ``n`` conditions."""

    inputs: np.ndarray  # (n, n_units), input rate of each unit's axons
    rates: np.ndarray  # (n, n_units), mean over the neurons of a unit
    inhibitory: np.ndarray  # (n,), mean rate of the inhibitory neurons
    predicted: np.ndarray  # (n, n_units), closed form
    synaptic_events: int  # in all cores and ticks


@dataclass(frozen=True, eq=False)
class SoftnessResult:
    """Motifs with different negative thresholds under the same inputs."""

    negative_threshold: np.ndarray  # (n_beta,)
    inputs: np.ndarray  # (n_inputs, n_units), spikes per tick
    rates: np.ndarray  # (n_beta, n_inputs, n_seeds, n_units), spikes per tick
    predicted: np.ndarray  # (n_inputs, n_units), closed form for a wide negative range


@dataclass(frozen=True, eq=False)
class LesionResult:
    """The intact motif (row 0) and one row per primitive taken away."""

    removed: tuple[str, ...]  # "" for the intact motif, then the primitives
    inputs: np.ndarray  # (n_inputs, n_units), spikes per tick
    rates: np.ndarray  # (1 + n_primitives, n_inputs, n_units), on the chip
    predicted: np.ndarray  # same shape, rate model with the same lesions


@dataclass(frozen=True, eq=False)
class SpeedResult:
    """How fast a chip ran."""

    n_cores: int
    n_ticks: int
    synaptic_events: int  # in all ticks
    wall_time: float  # s
    threads: int

    @property
    def ticks_per_second(self) -> float:
        """Ticks per second of wall time."""
        return self.n_ticks / self.wall_time

    @property
    def synaptic_events_per_second(self) -> float:
        """Synaptic events per second of wall time."""
        return self.synaptic_events / self.wall_time

    @property
    def realtime_ratio(self) -> float:
        """Simulated time over wall time; a tick is 1 ms."""
        return self.ticks_per_second / 1000.0


def simulate_threshold_linear(
    excitation: ArrayLike,
    *,
    inhibition: ArrayLike = 0.0,
    threshold: ArrayLike = 4,
    leak: ArrayLike = 0,
    negative_threshold: ArrayLike = 640,
    weight: int = 2,
    n_ticks: int,
    seed: int,
) -> UnitResult:
    """Measure 128 equal neurons per condition, each with an excitatory and an inhibitory line.

    Args:
        excitation, inhibition: rates of the two lines, spikes per tick; all arguments before
            ``weight`` are broadcast together to the conditions.
        threshold, leak, negative_threshold: of the neurons (linear reset, saturating).
        weight: of the excitatory line; the inhibitory one has its negative.
        n_ticks: ticks of the run.
        seed: of the input spikes.

    Returns:
        measured rates, and r = min(1, max(0, (sum of s_k r_k + leak) / threshold)).
    """
    arrays = np.broadcast_arrays(excitation, inhibition, threshold, leak, negative_threshold)
    up, down, alpha, leaks, beta = (np.atleast_1d(a) for a in arrays)
    check_integer("number of conditions", len(up), low=1, high=MAX_CORES)
    units = [
        place(
            Network(
                [
                    Population(
                        "unit",
                        _REPEATS,
                        leak=leaks[i],
                        threshold=alpha[i],
                        negative_threshold=beta[i],
                        reset_mode=LINEAR_RESET,
                        negative_saturate=True,
                    )
                ],
                [
                    Projection("up", "unit", weight, delay=0, blocks=_REPEATS),
                    Projection("down", "unit", -weight, delay=0, blocks=_REPEATS),
                ],
                [Source("up", _REPEATS), Source("down", _REPEATS)],
            )
        )
        for i in range(len(up))
    ]
    chip, first = build_chip(units)
    rates = [{"up": u, "down": d} for u, d in zip(up, down, strict=True)]
    counts = count_spikes(chip, lines_of(units, first, rates), n_ticks=n_ticks, settle=0, seed=seed)
    measured = [p.read(counts, first_core=c)["unit"] for p, c in zip(units, first, strict=True)]
    drive = weight * (up - down) + leaks
    return UnitResult(
        drive=drive,
        threshold=alpha,
        inhibition=down,
        negative_threshold=beta,
        measured=np.mean(measured, axis=1) / n_ticks,
        predicted=np.clip(drive / alpha, 0.0, 1.0),
    )


def simulate_motifs(
    mapped: Sequence[MappedMotif], inputs: ArrayLike, *, n_ticks: int, settle: int = 200, seed: int
) -> MotifResult:
    """Run motifs side by side and measure the rates of their units.

    Args:
        mapped: the motifs, all with the same number of units.
        inputs: input rate of each unit's lines, spikes per tick, (n, n_units) for n motifs.
        n_ticks: ticks to measure, after ``settle`` ticks.
        settle: ticks before measuring.
        seed: of the input spikes.

    Raises:
        ParameterError: inputs of another shape, or outside 0..1.
    """
    n_units = mapped[0].n_units
    rates = np.asarray(inputs, dtype=float)
    if rates.shape != (len(mapped), n_units):
        raise ParameterError(
            f"inputs of shape {rates.shape}; allowed: {(len(mapped), n_units)}, one row per motif"
        )
    for low_or_high in (rates.min(), rates.max()):
        check_real("input rate", float(low_or_high), low=0, high=1, unit="spikes per tick")
    check_integer("settle", settle, low=0)
    networks = [motif.placement for motif in mapped]
    chip, first = build_chip(networks)
    driven = [input_rates(row) for row in rates]
    lines = lines_of(networks, first, driven)
    counts = count_spikes(chip, lines, n_ticks=n_ticks, settle=settle, seed=seed)
    found = [p.read(counts, first_core=c) for p, c in zip(networks, first, strict=True)]
    units = [f"unit_{k}" for k in range(n_units)]
    return MotifResult(
        inputs=rates,
        rates=np.array([[each[unit].mean() for unit in units] for each in found]) / n_ticks,
        inhibitory=np.array([each["pool"].mean() for each in found]) / n_ticks,
        predicted=np.stack(
            [predict_rates(motif, row) for motif, row in zip(mapped, rates, strict=True)]
        ),
        synaptic_events=chip.synaptic_events,
    )


def simulate_transfer(
    request: MotifRequest, *, n_inputs: int, low: float, high: float, n_ticks: int, seed: int
) -> MotifResult:
    """Measure a motif under random inputs, each drawn evenly from ``low`` to ``high``.

    Args:
        request: the motif.
        n_inputs: number of random input vectors.
        low, high: range of input rates, spikes per tick.
        n_ticks: ticks to measure for each.
        seed: of the inputs and of their spikes.
    """
    check_integer("n_inputs", n_inputs, low=2, high=MAX_CORES)
    check_real("low", low, low=0, high=high, unit="spikes per tick")
    rng = np.random.default_rng([seed, 0])
    inputs = rng.uniform(low, high, (n_inputs, request.motif.n_units))
    return simulate_motifs([map_motif(request)] * n_inputs, inputs, n_ticks=n_ticks, seed=seed)


def simulate_softness(
    request: MotifRequest,
    negative_thresholds: Sequence[int],
    inputs: ArrayLike,
    *,
    n_seeds: int,
    n_ticks: int,
    seed: int,
) -> SoftnessResult:
    """Measure a motif with each negative threshold, under each input, with ``n_seeds`` inputs.

    Args:
        request: the motif; its own negative threshold is not used.
        negative_thresholds: values of beta, units of V.
        inputs: input rates, spikes per tick, (n_inputs, n_units).
        n_seeds: repetitions with other input spikes.
        n_ticks: ticks to measure.
        seed: of the input spikes.
    """
    check_integer("n_seeds", n_seeds, low=1)
    rows = np.atleast_2d(np.asarray(inputs, dtype=float))
    mapped = [map_motif(replace(request, negative_threshold=b)) for b in negative_thresholds]
    each = [motif for motif in mapped for _ in range(len(rows) * n_seeds)]
    tiled = np.tile(np.repeat(rows, n_seeds, axis=0), (len(mapped), 1))
    result = simulate_motifs(each, tiled, n_ticks=n_ticks, seed=seed)
    return SoftnessResult(
        negative_threshold=np.asarray(negative_thresholds),
        inputs=rows,
        rates=result.rates.reshape(len(mapped), len(rows), n_seeds, -1),
        predicted=predict_rates(mapped[0], rows),
    )


def simulate_lesions(
    request: MotifRequest, inputs: ArrayLike, *, gain: float = 0.8, n_ticks: int, seed: int
) -> LesionResult:
    """Take each primitive away from a motif, on the chip and in the rate model.

    Args:
        request: the intact motif; each primitive should be in use.
        inputs: input rates, spikes per tick, (n_inputs, n_units).
        gain: threshold without LAMP5 over threshold with it.
        n_ticks: ticks to measure.
        seed: of the input spikes, the same for every lesion.
    """
    intact = map_motif(request)
    rows = np.atleast_2d(np.asarray(inputs, dtype=float))
    versions = [intact, *(without(intact, primitive, gain=gain) for primitive in PRIMITIVES)]
    each = [motif for motif in versions for _ in rows]
    result = simulate_motifs(each, np.tile(rows, (len(versions), 1)), n_ticks=n_ticks, seed=seed)
    shape = (len(versions), *rows.shape)
    return LesionResult(
        removed=("", *PRIMITIVES),
        inputs=rows,
        rates=result.rates.reshape(shape),
        predicted=result.predicted.reshape(shape),
    )


def measure_speed(mapped: MappedMotif, rates: ArrayLike, *, n_ticks: int, seed: int) -> SpeedResult:
    """Time one motif on one thread under input prepared beforehand, after a run to compile.

    Args:
        mapped: the motif.
        rates: input rate of each unit's lines, spikes per tick, (n_units,).
        n_ticks: ticks to time.
        seed: of the input spikes.
    """
    network = mapped.placement
    lines = lines_of([network], np.zeros(1, dtype=int), [input_rates(rates)])
    rows = lines.rows(0, n_ticks, np.random.default_rng([seed, 1]))
    Chip(network.cores()).run([], 1, threads=1)
    chip = Chip(network.cores())
    start = time.perf_counter()
    chip.run(rows, n_ticks, threads=1)
    elapsed = time.perf_counter() - start
    return SpeedResult(network.n_cores, n_ticks, chip.synaptic_events, elapsed, threads=1)
