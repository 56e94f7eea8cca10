"""The recordings' current-step protocol run on model cells, and measured as the recordings were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from swta.cells.adex import PARAMETER_NAMES, AdExParameters
from swta.cells.features import membrane_time_constant
from swta.cells.population import MAX_SPIKES, adaptation_indices, simulate_population
from swta.cells.protocol import StepProtocol
from swta.cells.simulate import simulate_steps
from swta.validation import ParameterError, check_real

_SEARCH: Final = 40  # times that the search for rheobase may move up or down
_TRACES: Final = 1000  # cells whose traces are held in memory at a time
_PASSIVE: Final = 400.0  # ms of a hyperpolarising step that the time constant is fitted to,
_SAMPLE: Final = 0.5  # ms, at this sampling: four time constants of the slowest class
_INDEX: Final = {name: k for k, name in enumerate(PARAMETER_NAMES)}


@dataclass(frozen=True)
class VirtualCells:
    """What the protocol measured in n model cells.

    ``features`` has one row per cell: v_rest_mV, input_resistance_MOhm, tau_ms, rheobase_pA,
    threshold_v_mV, ahp_depth_mV, fi_slope_hz_per_pA, and of the hero sweep adaptation_index,
    isi_rate_at_hero_hz, hero_rate_hz (the count), latency_hero_ms and first_isi_ms. NaN is not
    defined: an adaptation index, for instance, needs three spikes.
    """

    features: pd.DataFrame
    above_rheobase_pA: NDArray[np.float64]  # (s,), above the cell's own rheobase
    rates_hz: NDArray[np.float64]  # (n, s), counts over the step's duration


def measure_virtual(
    cells: ArrayLike | Sequence[AdExParameters],
    *,
    protocol: StepProtocol | None = None,
    dt_ms: float = 0.1,
) -> VirtualCells:
    """Run the step protocol on model cells and measure the features (units in their names).

    Names and definitions are those of the recorded cells. Rest is the potential before any step,
    resistance the slope of the largest deflection over the hyperpolarising steps, the time constant
    one exponential fitted from 10 % of the deflection to its peak, rheobase the first spiking
    multiple of the protocol's resolution. Threshold (dV/dt = 20 mV/ms) is of the first spike at
    rheobase. Its fast trough, where dV/dt is back at 1 % of the downstroke, is V_reset: a model
    spike falls in no time and is then held there. The f-I slope is a line through all steps with
    spikes of the series from rheobase on.

    Args:
        cells: (n, 11) in the order of `AdExParameters`, or a sequence of them.
        protocol: the current steps; by default those of the recordings.
        dt_ms: time step.

    Raises:
        ParameterError: no cells, values that are no cell, a cell without rheobase in reach.
    """
    steps = protocol or StepProtocol()
    table = as_table(cells)
    check_real("dt_ms", dt_ms, low=0, open_low=True, high=0.2, unit="ms")
    rheobase = find_rheobase(table, protocol=steps, dt_ms=dt_ms)
    active = measure_active(table, rheobase, steps.above_rheobase_pA, protocol=steps, dt_ms=dt_ms)
    passive = _measure_passive(table, steps, dt_ms)
    return VirtualCells(
        features=pd.DataFrame({**passive, "rheobase_pA": rheobase, **active.features}),
        above_rheobase_pA=steps.above_rheobase_pA,
        rates_hz=active.rates_hz,
    )


@dataclass(frozen=True)
class ActiveFeatures:
    """Spiking features of n cells at s steps."""

    features: dict[str, NDArray[np.float64]]  # each (n,)
    rates_hz: NDArray[np.float64]  # (n, s)
    irregularity: NDArray[np.float64]  # (n,), of the hero sweep, see `irregularity`


def measure_active(
    cells: NDArray[np.float64],
    rheobase_pA: NDArray[np.float64],
    above_pA: NDArray[np.float64],
    *,
    protocol: StepProtocol,
    dt_ms: float,
    max_spikes: int = MAX_SPIKES,
) -> ActiveFeatures:
    """Spiking features at the given currents above each cell's rheobase: see `measure_virtual`.

    Args:
        cells: (n, 11).
        rheobase_pA: (n,).
        above_pA: (s,), among them 0 and the hero current of the protocol.
        protocol: gives the hero current and the duration.
        dt_ms: time step.
        max_spikes: times kept per train.
    """
    hero = int(np.argmin(np.abs(above_pA - protocol.hero_pA)))
    first = int(np.argmin(np.abs(above_pA)))
    response = simulate_population(
        cells,
        rheobase_pA[:, None] + above_pA,
        duration_ms=protocol.duration_ms,
        dt_ms=dt_ms,
        max_spikes=max_spikes,
    )
    times, counts = response.times_ms[:, hero], response.counts[:, hero]
    kept = np.minimum(counts, max_spikes)
    last = np.take_along_axis(times, np.maximum(kept - 1, 0)[:, None], axis=1)[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        isi_rate = np.where(kept > 1, 1e3 * (kept - 1) / (last - times[:, 0]), np.nan)
    rates: NDArray[np.float64] = np.asarray(response.counts * (1e3 / protocol.duration_ms))
    threshold = response.threshold_mV[:, first]
    features = {
        "threshold_v_mV": threshold,
        "ahp_depth_mV": threshold - cells[:, _INDEX["V_reset"]],
        "fi_slope_hz_per_pA": fi_slopes(above_pA, rates),
        "adaptation_index": adaptation_indices(times),
        "isi_rate_at_hero_hz": isi_rate,
        "hero_rate_hz": rates[:, hero],
        "latency_hero_ms": times[:, 0],
        "first_isi_ms": times[:, 1] - times[:, 0],
    }
    return ActiveFeatures(features, rates, irregularity(times))


def fi_slopes(above_pA: NDArray[np.float64], rates_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least-squares slope (Hz/pA) over the steps with spikes of each row of rates (n, s).

    The vectorised form of `swta.cells.features.fi_slope`; NaN with fewer than two such steps.
    """
    spiking = rates_hz > 0
    number = np.maximum(spiking.sum(axis=1), 1)
    x = np.where(spiking, above_pA, 0.0)
    x = np.where(spiking, x - (x.sum(axis=1) / number)[:, None], 0.0)
    spread = (x**2).sum(axis=1)
    slope = (x * rates_hz).sum(axis=1) / np.where(spread > 0, spread, 1.0)
    return np.where(spread > 0, slope, np.nan)


def irregularity(times_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much intervals go up and down instead of one way, in units of the adaptation index.

    Mean size of the normalised differences of successive intervals less the size of their mean: 0
    where intervals only grow or only shrink. Rows of times (n, m) padded with NaN.
    """
    intervals = np.diff(times_ms, axis=-1)
    terms = np.diff(intervals, axis=-1) / (intervals[..., 1:] + intervals[..., :-1])
    present = np.isfinite(terms)
    number = np.maximum(present.sum(axis=-1), 1)
    size = np.where(present, np.abs(terms), 0.0).sum(axis=-1)
    net = np.abs(np.where(present, terms, 0.0).sum(axis=-1))
    return np.asarray((size - net) / number)


def find_rheobase(
    cells: NDArray[np.float64], *, protocol: StepProtocol, dt_ms: float
) -> NDArray[np.float64]:
    """Smallest spiking multiple (pA) of the protocol's resolution for each cell (n, 11).

    Raises:
        ParameterError: none within 40 steps of the closed form of `adex.rheobase`.
    """
    p = {name: cells[:, k] for name, k in _INDEX.items()}
    ratio = np.maximum(p["a"] / p["g_L"], -0.999)
    height = p["V_T"] - p["E_L"] - p["Delta_T"] * (1 - np.log1p(ratio))
    exact = p["g_L"] * (1 + ratio) * height
    place = np.maximum(np.ceil(exact / protocol.resolution_pA), 1.0)
    found = np.full(len(cells), np.nan)
    open_ = np.arange(len(cells))
    for _ in range(_SEARCH):
        tried = place[open_, None] + np.array([-1.0, 0.0])
        counts = simulate_population(
            cells[open_],
            protocol.resolution_pA * np.maximum(tried, 0.0),
            duration_ms=protocol.duration_ms,
            dt_ms=dt_ms,
            max_spikes=1,
        ).counts
        lower = (counts[:, 0] > 0) & (tried[:, 0] > 0)
        hit = (counts[:, 1] > 0) & ~lower
        found[open_[hit]] = protocol.resolution_pA * place[open_[hit]]
        place[open_] += np.where(lower, -1.0, 1.0)
        open_ = open_[~hit]
        if not open_.size:
            return found
    raise ParameterError(
        f"cell {open_[0]} has no rheobase within {_SEARCH} steps of "
        f"{protocol.resolution_pA:g} pA around {exact[open_[0]]:.0f} pA; allowed: a cell that "
        "is silent below and fires above. Check its V_T and adaptation"
    )


def as_table(cells: ArrayLike | Sequence[AdExParameters]) -> NDArray[np.float64]:
    """Cells as (n, 11) in the order and units of `AdExParameters`.

    Raises:
        ParameterError: no cells, or a table of another shape.
    """
    if isinstance(cells, Sequence) and cells and isinstance(cells[0], AdExParameters):
        return np.array([[getattr(one, name) for name in PARAMETER_NAMES] for one in cells])
    table = np.asarray(cells, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(PARAMETER_NAMES) or not len(table):
        raise ParameterError(
            f"cells has shape {table.shape}; allowed: (n, {len(PARAMETER_NAMES)}), one row a cell, "
            f"columns {', '.join(PARAMETER_NAMES)}"
        )
    return table


def _measure_passive(
    cells: NDArray[np.float64], steps: StepProtocol, dt_ms: float
) -> dict[str, NDArray[np.float64]]:
    """Rest, input resistance and time constant from simulated hyperpolarising steps."""
    currents = np.array(steps.hyperpolarising_pA)
    lowest = simulate_population(
        cells, currents, duration_ms=steps.duration_ms, dt_ms=dt_ms, max_spikes=1
    ).v_min_mV
    centred = currents - currents.mean()
    middle = float(np.median(currents))
    rest, tau = np.empty(len(cells)), np.empty(len(cells))
    for start in range(0, len(cells), _TRACES):
        part = [AdExParameters(*row) for row in cells[start : start + _TRACES].tolist()]
        result = simulate_steps(
            part,
            [middle],
            duration_ms=min(steps.duration_ms, _PASSIVE),
            baseline_ms=20.0,
            dt_ms=dt_ms,
            record=[(k, 0) for k in range(len(part))],
        )
        before = result.t_ms < -1e-6
        stride = max(1, round(_SAMPLE / dt_ms))
        t_ms, traces = result.t_ms[~before][::stride], result.traces[:, ~before][:, ::stride]
        rest[start : start + len(part)] = result.traces[:, before].mean(axis=1)
        for k, trace in enumerate(traces, start):
            tau[k] = membrane_time_constant(t_ms, trace, float(rest[k]))
    return {
        "v_rest_mV": rest,
        "input_resistance_MOhm": 1e3 * (lowest @ centred) / (centred @ centred),
        "tau_ms": tau,
    }
