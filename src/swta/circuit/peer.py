"""The same network in two simulators: what is compared, and how far the rates agree.

Brian 2 steps the equations with Euler's method, NEST with adaptive steps of fourth order; the two
share the wiring, but neither equations in code, nor plasticity, nor noise. NEST's cells have no
magnesium block, so both run the network of ``without_block``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swta.cells.library import load_class
from swta.circuit.conditions import Condition
from swta.circuit.nest_motif import TOLERANCE, load_nest, simulate_nest
from swta.circuit.network import Network, tuned_drive
from swta.circuit.spiking import SpikingResult, simulate_spiking
from swta.circuit.wiring import Wiring, build_wiring
from swta.validation import ParameterError, check_integer, check_real

FloatArray = NDArray[np.float64]

STATES: Final = ("rest", "stimulus")
TOLERATED: Final = 0.10  # relative deviation of a mean rate; the project's bound
TOLERATED_SEM: Final = 2.0  # or s.e.m. of the difference over networks


@dataclass(frozen=True)
class PeerExperiment:
    """One network at rest and with a stimulus, for two simulators.

    Raises:
        ParameterError: a value outside its range.
    """

    network: Network = field(default_factory=Network)  # with its magnesium block
    drive_khz: float = 2.0  # kHz, thalamic rate of the unit that the stimulus drives most
    settle_s: float = 0.5  # s left out at the start
    measure_s: float = 4.0  # s over which rates are taken
    seeds: int = 5  # networks
    seed: int = 0  # of the first network

    def __post_init__(self) -> None:
        check_real("drive_khz", self.drive_khz, low=0, open_low=True, unit="kHz")
        check_real("settle_s", self.settle_s, low=0.1, unit="s")
        check_real("measure_s", self.measure_s, low=0.1, unit="s")
        check_integer("seeds", self.seeds, low=2, high=1000)
        check_integer("seed", self.seed, low=0)

    @property
    def conditions(self) -> list[Condition]:
        """A condition per state of `STATES`."""
        drive = tuned_drive(self.network, self.drive_khz)
        return [Condition(0 * drive), Condition(drive)]

    @property
    def wiring_seeds(self) -> tuple[int, ...]:
        """Seeds of the networks."""
        return tuple(range(self.seed, self.seed + self.seeds))

    def wirings(self) -> list[Wiring]:
        """The networks that both simulators run, without magnesium block."""
        linear = without_block(self.network)
        return [build_wiring(linear, seed=seed) for seed in self.wiring_seeds]


@dataclass(frozen=True)
class PopulationRates:
    """Mean rates of every population in every network.

    Raises:
        ParameterError: rates whose shape does not fit the names.
    """

    simulator: str
    states: tuple[str, ...]
    seeds: tuple[int, ...]  # of the networks
    populations: tuple[str, ...]
    rates_hz: FloatArray  # (n_states, n_seeds, n_populations)
    source: str = "run now"  # where the numbers come from, in words

    def __post_init__(self) -> None:
        rates = np.asarray(self.rates_hz, dtype=np.float64)
        shape = (len(self.states), len(self.seeds), len(self.populations))
        if rates.shape != shape or not np.isfinite(rates).all() or (rates < 0).any():
            raise ParameterError(
                f"rates_hz of shape {rates.shape}; allowed: finite rates of 0 or more, one per "
                f"state, network and population, {shape}"
            )
        object.__setattr__(self, "rates_hz", rates)


def open_share(network: Network) -> float:
    """Share of NMDA receptors that magnesium leaves open at a typical potential, dimensionless.

    The potential is midway between rest and V_T of the central pyramidal cell, where a cell that
    takes part in the competition spends most of its time; the block is Jahr and Stevens' (1990).
    """
    cell = load_class("Pyr").parameters
    typical_mV = (cell.E_L + cell.V_T) / 2
    return float(1 / (1 + network.magnesium_mM / 3.57 * np.exp(-0.062 * typical_mV)))


def without_block(network: Network) -> Network:
    """The network with a slow excitation that does not depend on the membrane potential.

    The ratio of slow to fast excitation is that of the network times ``open_share``.
    """
    ratio = network.nmda_ratio * open_share(network)
    return replace(network, magnesium_mM=0.0, nmda_ratio=ratio)


def simulate_brian_rates(
    experiment: PeerExperiment, *, processes: int = 1, compiled: bool | None = None
) -> PopulationRates:
    """Rates of the experiment in Brian 2, all copies in one run; arguments of simulate_spiking."""
    result = simulate_spiking(
        experiment.wirings(),
        experiment.conditions,
        duration_s=experiment.settle_s + experiment.measure_s,
        seed=experiment.seed,
        settle_s=experiment.settle_s,
        processes=processes,
        compiled=compiled,
    )
    return _reduce("Brian 2", experiment, result)


def simulate_nest_rates(
    experiment: PeerExperiment, *, threads: int = 1, tolerance: float = TOLERANCE
) -> PopulationRates:
    """Rates of the experiment in NEST, one copy after the other; arguments of simulate_nest.

    Raises:
        MissingSimulatorError: NEST is not installed.
    """
    result = simulate_nest(
        experiment.wirings(),
        experiment.conditions,
        duration_s=experiment.settle_s + experiment.measure_s,
        seed=experiment.seed,
        settle_s=experiment.settle_s,
        threads=threads,
        tolerance=tolerance,
    )
    rates = _reduce("NEST", experiment, result)
    return replace(rates, source=f"run now with NEST {load_nest().__version__}")


def _reduce(name: str, experiment: PeerExperiment, result: SpikingResult) -> PopulationRates:
    rates = result.mean_rates_hz(experiment.settle_s)
    return PopulationRates(name, STATES, experiment.wiring_seeds, result.populations, rates)


def compare_rates(first: PopulationRates, second: PopulationRates) -> pd.DataFrame:
    """Mean rates of each population in two simulators, over the networks that both ran.

    Args:
        second: the reference of the relative deviation.

    Returns:
        A row per state and population: mean rates (Hz); ``deviation``, first over second less 1;
        ``s.e.m. (Hz)`` of the difference, paired by network; and ``agrees``: within 10 % or
        2 s.e.m.

    Raises:
        ParameterError: different states or populations, fewer than two networks in common, or
            twice the same simulator.
    """
    if first.simulator == second.simulator:
        raise ParameterError(f"rates of {first.simulator} twice; give two simulators")
    for name in ("states", "populations"):
        one, other = getattr(first, name), getattr(second, name)
        if one != other:
            raise ParameterError(f"{name} {one} and {other}; give rates of the same network")
    common = [seed for seed in first.seeds if seed in second.seeds]
    if len(common) < 2:
        raise ParameterError(
            f"networks of seeds {first.seeds} and {second.seeds}; at least two must be the same"
        )
    a = first.rates_hz[:, [first.seeds.index(s) for s in common]]
    b = second.rates_hz[:, [second.seeds.index(s) for s in common]]
    mean, reference = a.mean(1), b.mean(1)
    gap = mean - reference
    sem = (a - b).std(axis=1, ddof=1) / np.sqrt(len(common))
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = np.where(gap == 0, 0.0, gap / reference)
    agrees = (np.abs(deviation) <= TOLERATED) | (np.abs(gap) <= TOLERATED_SEM * sem)
    states, populations = np.meshgrid(first.states, first.populations, indexing="ij")
    return pd.DataFrame(
        {
            "state": states.ravel(),
            "population": populations.ravel(),
            f"{first.simulator} (Hz)": mean.ravel(),
            f"{second.simulator} (Hz)": reference.ravel(),
            "deviation": deviation.ravel(),
            "s.e.m. (Hz)": sem.ravel(),
            "agrees": agrees.ravel(),
        }
    )


@dataclass(frozen=True)
class RateError:
    """How far two simulators agree."""

    worst: float  # largest difference over what is tolerated, 10 % or 2 s.e.m.; above 1: too far
    worst_at: str  # state and population of it
    deviation: float  # largest relative deviation of a mean rate
    deviation_at: str
    n_agree: int
    n_compared: int

    @property
    def agrees(self) -> bool:
        """Whether every population agrees."""
        return self.n_agree == self.n_compared


def measure_rate_error(table: pd.DataFrame) -> RateError:
    """The largest deviations in a table of ``compare_rates``, and how many populations agree."""
    deviation = table["deviation"].abs().to_numpy()
    reference = table.iloc[:, 3].to_numpy()
    gap = (table.iloc[:, 2] - table.iloc[:, 3]).abs().to_numpy()
    allowed = np.maximum(TOLERATED * reference, TOLERATED_SEM * table["s.e.m. (Hz)"].to_numpy())
    share = np.divide(gap, allowed, out=np.where(gap > 0, np.inf, 0.0), where=allowed > 0)

    def place(row: int) -> str:
        return f"{table['population'].iloc[row]} in the state {table['state'].iloc[row]}"

    worst, largest = int(share.argmax()), int(deviation.argmax())
    return RateError(
        worst=float(share[worst]),
        worst_at=place(worst),
        deviation=float(deviation[largest]),
        deviation_at=place(largest),
        n_agree=int(table["agrees"].sum()),
        n_compared=len(table),
    )
