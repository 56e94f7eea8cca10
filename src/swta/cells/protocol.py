"""The recordings' current-step protocol run on model cells, and measured as the recordings were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swta.cells.adex import AdExParameters
from swta.cells.features import (
    adaptation_index,
    fi_slope,
    first_spike_latency,
    input_resistance,
    isi_rate,
    membrane_time_constant,
    step_rheobase,
    threshold_voltage,
)
from swta.cells.simulate import StepResult, simulate_steps
from swta.validation import ParameterError, check_integer, check_real


@dataclass(frozen=True)
class StepProtocol:
    """Current steps as in the Cell Types Database, checked on its sweeps.

    Raises:
        ParameterError: a value outside the allowed range.
    """

    duration_ms: float = 1000.0  # ms, length of a step
    resolution_pA: float = 10.0  # pA, spacing of steps near rheobase
    spacing_pA: float = 20.0  # pA, spacing of the series above it
    n_above: int = 8  # steps from rheobase on: 0 to 140 pA, the median span of the sweeps
    hero_pA: float = 40.0  # pA above rheobase of the sweep that gives adaptation and latency
    hyperpolarising_pA: tuple[float, ...] = (-110.0, -90.0, -70.0, -50.0, -30.0, -10.0)

    def __post_init__(self) -> None:
        check_real("duration_ms", self.duration_ms, low=100, high=10_000, unit="ms")
        check_real("resolution_pA", self.resolution_pA, low=0, open_low=True, unit="pA")
        check_real("spacing_pA", self.spacing_pA, low=0, open_low=True, unit="pA")
        check_integer("n_above", self.n_above, low=3)
        check_real("hero_pA", self.hero_pA, low=0, unit="pA")
        if not np.isclose(self.above_rheobase_pA, self.hero_pA).any():
            raise ParameterError(
                f"hero_pA = {self.hero_pA:g} is no step; allowed: "
                f"{self.above_rheobase_pA.tolist()} pA"
            )
        if len(set(self.hyperpolarising_pA)) < 2 or max(self.hyperpolarising_pA) >= 0:
            raise ParameterError(
                f"hyperpolarising_pA = {self.hyperpolarising_pA} is out of range; allowed: at "
                "least two different negative currents"
            )

    @property
    def above_rheobase_pA(self) -> NDArray[np.float64]:
        """Currents above rheobase of the spiking series, pA."""
        return self.spacing_pA * np.arange(self.n_above, dtype=np.float64)

    @property
    def hero_index(self) -> int:
        """Position of the hero sweep in the spiking series."""
        return int(np.argmin(np.abs(self.above_rheobase_pA - self.hero_pA)))


@dataclass(frozen=True)
class ProtocolResult:
    """What the protocol measured in each model cell.

    ``features`` has one row per cell; its columns are named as those of the recorded cells.
    ``rates_hz`` (n_cells, n_above) are the rates at ``above_rheobase_pA`` above the cell's own
    rheobase.
    """

    features: pd.DataFrame
    above_rheobase_pA: NDArray[np.float64]
    rates_hz: NDArray[np.float64]


def measure_cells(
    parameters: Sequence[AdExParameters],
    *,
    protocol: StepProtocol | None = None,
    dt_ms: float = 0.05,
) -> ProtocolResult:
    """Run the step protocol on model cells and measure the features of the recorded ones.

    Two vectorised runs of all cells: hyperpolarising steps together with a fine series of
    depolarising ones (rest, resistance, time constant, rheobase), then the series from the
    rheobase on that was found. Columns: v_rest_mV, input_resistance_MOhm, tau_ms, rheobase_pA,
    fi_slope_hz_per_pA, adaptation_index, threshold_v_mV (first spike at rheobase), and of the hero
    sweep latency_hero_ms, hero_rate_hz and isi_rate_at_hero_hz.

    Args:
        parameters: the cells.
        protocol: the current steps; by default those of the recordings.
        dt_ms: time step.

    Raises:
        ParameterError: a cell does not fire at any step of the fine series.
    """
    steps = protocol or StepProtocol()
    search = _search_currents(parameters, steps)
    n_passive = len(steps.hyperpolarising_pA)
    first = simulate_steps(
        parameters,
        search,
        duration_ms=steps.duration_ms,
        baseline_ms=20.0,
        dt_ms=dt_ms,
        record=[(cell, step) for cell in range(len(parameters)) for step in range(n_passive)],
    )
    passive = _measure_passive(first, n_passive)
    rheobase = _measure_rheobase(search[:, n_passive:], first.counts[:, n_passive:])
    currents = rheobase[:, None] + steps.above_rheobase_pA
    hero = steps.hero_index
    active = simulate_steps(
        parameters,
        currents,
        duration_ms=steps.duration_ms,
        dt_ms=dt_ms,
        record=[(cell, 0) for cell in range(len(parameters))],
    )
    rows = []
    for cell in range(len(parameters)):
        train = active.spike_times[cell][hero]
        rows.append(
            {
                **passive[cell],
                "rheobase_pA": rheobase[cell],
                "fi_slope_hz_per_pA": fi_slope(currents[cell], active.rates_hz[cell]),
                "adaptation_index": adaptation_index(train),
                "threshold_v_mV": threshold_voltage(active.t_ms, active.traces[cell]),
                "latency_hero_ms": first_spike_latency(train),
                "hero_rate_hz": active.rates_hz[cell, hero],
                "isi_rate_at_hero_hz": isi_rate(train),
            }
        )
    return ProtocolResult(pd.DataFrame(rows), steps.above_rheobase_pA, active.rates_hz)


def _search_currents(
    parameters: Sequence[AdExParameters], steps: StepProtocol
) -> NDArray[np.float64]:
    """Hyperpolarising steps, then multiples of the resolution around each cell's rheobase."""
    least = np.array([p.g_L * (p.V_T - p.E_L - p.Delta_T) for p in parameters])  # pA, at a = 0
    first = np.maximum(np.floor(0.7 * least / steps.resolution_pA), 1.0)
    number = int(np.max(2.0 * least / steps.resolution_pA - first)) + 3
    fine = steps.resolution_pA * (first[:, None] + np.arange(number))
    return np.hstack([np.tile(steps.hyperpolarising_pA, (len(parameters), 1)), fine])


def _measure_passive(result: StepResult, n_passive: int) -> list[dict[str, float]]:
    """Resting potential, input resistance and time constant of each cell from recorded traces."""
    during = result.t_ms > -1e-6
    t_ms = result.t_ms[during]
    features = []
    for cell, traces in enumerate(result.traces.reshape(-1, n_passive, result.t_ms.size)):
        rest = float(traces[:, ~during].mean())
        currents = result.currents_pA[cell, :n_passive]
        taus = [membrane_time_constant(t_ms, trace[during], rest) for trace in traces]
        features.append(
            {
                "v_rest_mV": rest,
                "input_resistance_MOhm": input_resistance(currents, traces[:, during]),
                "tau_ms": float(np.mean(taus)),
            }
        )
    return features


def _measure_rheobase(
    currents: NDArray[np.float64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Smallest spiking current of each cell, pA."""
    rheobase = np.array([step_rheobase(c, n) for c, n in zip(currents, counts, strict=True)])
    silent = np.flatnonzero(np.isnan(rheobase))
    if silent.size:
        cell = silent[0]
        raise ParameterError(
            f"cell {cell} never fires between {currents[cell, 0]:g} and {currents[cell, -1]:g} pA; "
            "allowed: a rheobase in that range. Check its V_T and subthreshold adaptation a"
        )
    return rheobase
