"""Experiments on the chip: single neurons and motifs under many conditions at once.

Every condition stands on a core of its own, so an experiment is one chip and one run. External
input is independent Bernoulli spikes on each axon; rates are in spikes per tick of 1 ms.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from swta.truenorth.chip import Chip, Core
from swta.truenorth.mapping import (
    PRIMITIVES,
    MotifOnCore,
    MotifRequest,
    map_motif,
    predict_rates,
    without,
)
from swta.truenorth.neuron import LINEAR_RESET, MAX_CORES, N_AXONS, N_NEURONS, Neurons
from swta.validation import ParameterError, check_integer, check_real

_CHUNK_DRAWS = 4_000_000  # random numbers drawn at a time, 32 MB


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
    ticks_per_second: float
    synaptic_events_per_second: float

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
    """Measure 128 equal neurons per condition, each with an excitatory and an inhibitory axon.

    Args:
        excitation, inhibition: rates of the two axons, spikes per tick; all arguments before
            ``weight`` are broadcast together to the conditions.
        threshold, leak, negative_threshold: of the neurons (linear reset, saturating).
        weight: of the excitatory axon; the inhibitory one has its negative.
        n_ticks: ticks of the run.
        seed: of the input spikes.

    Returns:
        measured rates, and r = min(1, max(0, (sum of s_k r_k + leak) / threshold)).
    """
    arrays = np.broadcast_arrays(excitation, inhibition, threshold, leak, negative_threshold)
    up, down, alpha, leaks, beta = (np.atleast_1d(a) for a in arrays)
    check_integer("number of conditions", len(up), low=1, high=MAX_CORES)
    half = N_NEURONS // 2
    crossbar = np.zeros((N_AXONS, N_NEURONS), dtype=bool)
    for axons in (np.arange(half), half + np.arange(half)):
        crossbar[axons, np.arange(half)] = True
    axon_type = np.repeat([0, 1], half)
    weights = np.zeros((N_NEURONS, 4), dtype=int)
    weights[:half, :2] = weight, -weight
    used = np.arange(N_NEURONS) < half
    chip = Chip(
        [
            Core(
                axon_type,
                crossbar,
                Neurons(
                    weights=weights,
                    leak=np.where(used, leaks[i], 0),
                    threshold=alpha[i],
                    negative_threshold=beta[i],
                    reset_mode=LINEAR_RESET,
                    negative_saturate=True,
                    core=i,
                ),
            )
            for i in range(len(up))
        ]
    )
    rates = np.concatenate([np.repeat(up[:, None], half, 1), np.repeat(down[:, None], half, 1)], 1)
    counts = _drive(chip, rates, n_ticks=n_ticks, settle=0, seed=seed)
    drive = weight * (up - down) + leaks
    return UnitResult(
        drive=drive,
        threshold=alpha,
        inhibition=down,
        negative_threshold=beta,
        measured=counts[:, :half].mean(1) / n_ticks,
        predicted=np.clip(drive / alpha, 0.0, 1.0),
    )


def simulate_motifs(
    mapped: Sequence[MotifOnCore], inputs: ArrayLike, *, n_ticks: int, settle: int = 200, seed: int
) -> MotifResult:
    """Run one motif per core and measure the rates of its units.

    Args:
        mapped: the motifs, all of the same layout.
        inputs: input rate of each unit's axons, spikes per tick, (n, n_units) for n motifs.
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
    chip = Chip([motif.core(index) for index, motif in enumerate(mapped)])
    axon_rates = np.zeros((len(mapped), N_AXONS))
    copied = []
    for index, motif in enumerate(mapped):
        axon_rates[index, motif.input_axons] = rates[index, :, None]
        lines = motif.input_axons[:, : motif.request.feedforward_lines]
        copied.append(np.column_stack([lines.ravel(), motif.feedforward_axons.ravel()]))
    counts = _drive(chip, axon_rates, n_ticks=n_ticks, settle=settle, seed=seed, copied=copied[0])
    units, pool = mapped[0].unit_neurons, mapped[0].inhibitory_neurons
    return MotifResult(
        inputs=rates,
        rates=counts[:, units].mean(2) / n_ticks,
        inhibitory=counts[:, pool].mean(1) / n_ticks,
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


def measure_speed(mapped: MotifOnCore, rates: ArrayLike, *, n_ticks: int, seed: int) -> SpeedResult:
    """Time one motif on one core under input prepared beforehand, after a first run to compile.

    Args:
        mapped: the motif.
        rates: input rate of each unit's axons, spikes per tick, (n_units,).
        n_ticks: ticks to time.
        seed: of the input spikes.
    """
    axon_rates = np.zeros((1, N_AXONS))
    axon_rates[0, mapped.input_axons] = np.asarray(rates, dtype=float)[:, None]
    rows = _bernoulli(axon_rates, 0, n_ticks, np.random.default_rng([seed, 1]))
    Chip([mapped.core()]).run(rows[:1] * 0, 1)
    chip = Chip([mapped.core()])
    start = time.perf_counter()
    chip.run(rows, n_ticks)
    elapsed = time.perf_counter() - start
    return SpeedResult(1, n_ticks / elapsed, chip.synaptic_events / elapsed)


def _bernoulli(
    rates: np.ndarray, first_tick: int, n_ticks: int, rng: np.random.Generator
) -> np.ndarray:
    """Return input rows (tick, core, axon), sorted; ``rates`` (cores, axons) in spikes per tick."""
    cores, axons = np.nonzero(rates)
    ticks, index = np.nonzero(rng.random((n_ticks, len(cores))) < rates[cores, axons])
    return np.column_stack([ticks + first_tick, cores[index], axons[index]])


def _drive(
    chip: Chip,
    rates: np.ndarray,
    *,
    n_ticks: int,
    settle: int,
    seed: int,
    copied: np.ndarray | None = None,
) -> np.ndarray:
    """Run the chip under Bernoulli input; return spike counts (cores, 256) after ``settle`` ticks.

    ``copied`` lists pairs of axons (from, to): the second gets the spikes of the first.
    """
    check_integer("n_ticks", n_ticks, low=1)
    rng = np.random.default_rng([seed, 1])
    copy_of = np.full(N_AXONS, -1)
    if copied is not None:
        copy_of[copied[:, 0]] = copied[:, 1]
    counts = np.zeros((chip.n_cores, N_NEURONS), dtype=np.int64)
    chunk = max(1, _CHUNK_DRAWS // max(1, int(np.count_nonzero(rates))))
    while chip.tick < settle + n_ticks:
        measured = chip.tick >= settle
        end = settle + n_ticks if measured else settle
        length = min(chunk, end - chip.tick)
        rows = _bernoulli(rates, chip.tick, length, rng)
        copies = rows[copy_of[rows[:, 2]] >= 0]
        copies[:, 2] = copy_of[copies[:, 2]]
        raster = chip.run(np.concatenate([rows, copies]), length)
        if measured:
            counts += raster.counts()
    return counts
