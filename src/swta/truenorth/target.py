"""What gain matching aims at: rates of two driven units in a spiking network.

One run holds all conditions: pairs of drives to fit to, a lone unit without PV or SST
cells, pairs without recurrent excitation, pairs to judge by, and repetitions of one competition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t

from swta.cells.classes import INTERNEURONS
from swta.circuit.conditions import Condition
from swta.circuit.network import Network
from swta.circuit.reduction import OpenLoopResult
from swta.circuit.spiking_experiments import NO_RECURRENCE, Trials
from swta.intervals import Interval
from swta.validation import ParameterError, check_choice, check_integer, check_real

FloatArray = NDArray[np.float64]

# Nothing, synapses between pyramidal cells, or the output of PV or SST cells. Cuts open the loops
# of recurrent excitation and of feedback inhibition, so that their gains can be found.
FLOOR: Final = 0.05  # least rate over the largest that an error counts against
CUTS: Final = ("", "recurrence", "Pvalb", "Sst")


@dataclass(frozen=True, eq=False)
class Target:
    """Rates of the driven units of a network; ``n`` conditions, ``k`` units.

    Raises:
        ParameterError: arrays that do not belong together, or rates that are not finite.
    """

    drives_khz: FloatArray  # (n, k)
    rates_hz: FloatArray  # (n, k), mean over networks
    cuts: tuple[str, ...]  # what was silenced in each condition, one of ``CUTS``

    def __post_init__(self) -> None:
        shape, other = self.drives_khz.shape, self.rates_hz.shape
        if shape != other or len(shape) != 2 or len(self.cuts) != len(self.drives_khz):
            raise ParameterError(
                f"drives_khz {shape}, rates_hz {other} and {len(self.cuts)} cuts do not belong "
                "together; allowed: (n, k) twice and n"
            )
        for cut in self.cuts:
            check_choice("cuts", cut, CUTS)
        if not np.isfinite(self.rates_hz).all():
            raise ParameterError("rates_hz has values that are not finite; a network ran away")

    @property
    def sizes_hz(self) -> FloatArray:
        """What an error counts against, (n, k).

        The variance of a count of spikes grows as the count, so it is the geometric mean of the
        rate itself (but ``FLOOR``) and the largest rate under the same cut: rates without recurrent
        excitation are low, and the winner gain divides by them.
        """
        cuts = np.array(self.cuts)
        largest = {cut: float(self.rates_hz[cuts == cut].max()) for cut in self.cuts}
        top = np.array([[max(largest[cut], 1e-9)] for cut in self.cuts])
        return np.sqrt(top * np.maximum(self.rates_hz, FLOOR * top))

    def part(self, start: int, stop: int | None = None) -> Target:
        """Return the conditions from ``start`` to before ``stop``."""
        kept = slice(start, stop)
        return Target(self.drives_khz[kept], self.rates_hz[kept], self.cuts[kept])

    def __add__(self, other: Target) -> Target:
        """Both one after the other."""
        return Target(
            np.concatenate([self.drives_khz, other.drives_khz]),
            np.concatenate([self.rates_hz, other.rates_hz]),
            self.cuts + other.cuts,
        )


def pair_grid(first: ArrayLike, second: ArrayLike) -> FloatArray:
    """Return all pairs of drives (kHz) of two units, the second running fastest, (n, 2)."""
    grid = np.meshgrid(np.asarray(first, float), np.asarray(second, float), indexing="ij")
    return np.stack([one.ravel() for one in grid], axis=1)


def simulate_network(
    network: Network, trials: Trials, drives_khz: ArrayLike, cuts: Sequence[str]
) -> tuple[Target, FloatArray]:
    """Run a spiking network with two driven units, all conditions at once.

    Args:
        network: the conductance-based motif.
        trials: networks and times.
        drives_khz: thalamic drives of units 0 and 1, (n, 2).
        cuts: what to silence in each condition, of ``CUTS``.

    Returns:
        Mean rates as a target, and those of each network in Hz, (n, n_seeds, 2).
    """
    drives = np.asarray(drives_khz, dtype=float)
    rest = np.zeros(network.n_units - 2)
    silenced: dict[str, dict[str, Any]] = {
        "": {},
        "recurrence": {"efficacy": NO_RECURRENCE},
        "Pvalb": {"kept": {"Pvalb": 0.0}},
        "Sst": {"kept": {"Sst": 0.0}},
    }
    conditions = [
        Condition(np.concatenate([row, rest]), **silenced[check_choice("cuts", cut, CUTS)])
        for row, cut in zip(drives, cuts, strict=True)
    ]
    rates = trials.run(network, conditions).mean_rates_hz(trials.settle_s)[..., :2]
    return Target(drives, rates.mean(1), tuple(cuts)), rates


def open_loop_target(result: OpenLoopResult) -> Target:
    """Return the lone unit's curves of an open-loop measurement, with and without recurrence.

    Without the second, self-excitation and input gain could not be told apart.
    """
    n = len(result.drives_khz)
    drives = np.stack([result.drives_khz, np.zeros(n)], axis=1)
    rates = [one.mean(1)[:, :2] for one in (result.closed, result.no_recurrence[:n])]
    return Target(np.tile(drives, (2, 1)), np.concatenate(rates), ("",) * n + ("recurrence",) * n)


def measure_pool_threshold(result: OpenLoopResult) -> float:
    """Summed rate of the units (Hz) at which SST cells start to fire; negative if they never rest.

    By a line through the rates of SST cells over those of the units, loops closed, with and without
    recurrent excitation; 0 where SST cells do not follow the units. No further from 0 than the
    largest summed rate: where they hardly follow, the line meets zero anywhere.
    """
    rates = np.concatenate([result.closed, result.no_recurrence]).mean(1)
    units = rates[:, : result.n_units].sum(1)
    slope, offset = np.polyfit(units, rates[:, result.n_units + INTERNEURONS.index("Sst")], 1)
    return float(np.clip(-offset / slope, -units.max(), units.max())) if slope > 1e-9 else 0.0


@dataclass(frozen=True, eq=False)
class NetworkRates:
    """Rates of a spiking network, to fit to and to judge by."""

    seen: Target  # to fit to
    unseen: Target  # a grid of pairs, to judge by
    by_network: FloatArray  # ``unseen`` network by network, Hz, (n, n_seeds, 2)
    competition: Target  # a strong unit and its rival; without recurrence; the rival alone
    contests_hz: FloatArray  # the same, run by run, mean over networks, (n_runs, 3, 2)


def measure_contests(contests_hz: FloatArray) -> tuple[Interval, Interval]:
    """Winner gain and loser fraction with 95 % intervals over runs.

    The first is the strong unit's rate beside its rival over that without recurrent excitation, the
    second the rival's rate beside the strong unit over its rate alone. Rates are averaged before
    they are divided, and the interval is by jackknife, because one run can have few spikes.

    Args:
        contests_hz: rates under the conditions of ``NetworkRates.competition``, (n_runs, 3, 2).

    Raises:
        ParameterError: fewer than two runs.
    """
    n = check_integer("runs", len(contests_hz), low=2)
    rest = (contests_hz.sum(0) - contests_hz) / (n - 1)
    found = []
    for unit, reference in ((0, 1), (1, 2)):
        with np.errstate(divide="ignore", invalid="ignore"):
            value, left = (
                each[..., 0, unit] / each[..., reference, unit]
                for each in (contests_hz.mean(0), rest)
            )
        half = t.ppf(0.975, n - 1) * np.sqrt((n - 1) * left.var())
        found.append(Interval(float(value), float(value - half), float(value + half), n))
    return found[0], found[1]


def measure_network(
    network: Network, trials: Trials, *, highest_khz: float, ratio: float, repeats: int = 3
) -> NetworkRates:
    """Run all conditions in all networks, one run.

    Args:
        network: the conductance-based motif.
        trials: networks, times, and the drive of the strong unit.
        highest_khz: largest drive of a pair.
        ratio: drive of the rival over the strong one in the competition.
        repeats: runs of the competition with other noise; two rates are divided there.
    """
    check_real("highest_khz", highest_khz, low=0, open_low=True, unit="kHz")
    check_integer("repeats", repeats, low=1)
    pairs = pair_grid(np.array([0.15, 0.4, 0.65, 0.9]), np.array([0.14, 0.5, 0.86]))
    fewer = pair_grid(np.array([0.5, 0.9]), np.array([0.3, 0.6, 0.85]))
    lone = np.outer([0.5, 0.67, 0.85, 1.0], [1.0, 0.0])
    grid = pair_grid(np.linspace(0, 1, 9), np.linspace(0, 1, 6))
    compete = np.array([(1.0, ratio), (1.0, ratio), (0.0, ratio)])
    parts: list[tuple[FloatArray, Sequence[str]]] = [
        (highest_khz * pairs, ("",) * len(pairs)),
        (trials.drive_khz * np.tile(lone, (2, 1)), ("Pvalb",) * len(lone) + ("Sst",) * len(lone)),
        (highest_khz * fewer, ("recurrence",) * len(fewer)),
        (highest_khz * grid, ("",) * len(grid)),
        (trials.drive_khz * np.tile(compete, (repeats, 1)), ("", "recurrence", "") * repeats),
    ]
    drives = np.concatenate([part for part, _ in parts])
    cuts = [cut for _, each in parts for cut in each]
    target, rates = simulate_network(network, trials, drives, cuts)
    start = len(pairs) + 2 * len(lone) + len(fewer)
    end = start + len(grid)
    contests = target.rates_hz[end:].reshape(repeats, 3, 2)
    return NetworkRates(
        seen=target.part(0, start),
        unseen=target.part(start, end),
        by_network=rates[start:end],
        competition=Target(drives[end : end + 3], contests.mean(0), ("", "recurrence", "")),
        contests_hz=contests,
    )
