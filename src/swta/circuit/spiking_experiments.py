"""Questions to the spiking motif, each one batched run over all conditions and network seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from swta.cells.classes import INTERNEURONS
from swta.circuit.conditions import Condition, Context, count_bins
from swta.circuit.network import Network, mixed_profile
from swta.circuit.spiking import SpikingResult, simulate_spiking
from swta.circuit.wiring import Wiring, build_wiring
from swta.validation import ParameterError, check_choice, check_integer, check_real

FloatArray = NDArray[np.float64]
NO_RECURRENCE = {("Pyr", "Pyr"): 0.0}


@dataclass(frozen=True)
class Trials:
    """What all experiments share.

    Raises:
        ParameterError: a value outside its range.
    """

    drive_khz: float = 2.0  # kHz, thalamic rate of the strongest unit; our choice
    settle_s: float = 0.5  # s left out at the start and after each change
    measure_s: float = 1.0  # s over which rates are taken
    seeds: int = 5  # networks
    seed: int = 0  # of the first network
    processes: int = 1  # of this machine to use
    compiled: bool | None = None  # Brian's C++ or NumPy code; None: C++ where there is a compiler
    noise_seed: int | None = None  # of the noise; None: ``seed``. Another one: the same networks
    # in other runs

    def __post_init__(self) -> None:
        check_real("drive_khz", self.drive_khz, low=0, open_low=True, unit="kHz")
        check_real("settle_s", self.settle_s, low=0.1, unit="s")
        check_real("measure_s", self.measure_s, low=0.1, unit="s")
        check_integer("seeds", self.seeds, low=1, high=1000)
        check_integer("seed", self.seed, low=0)
        check_integer("processes", self.processes, low=1, high=256)
        if self.noise_seed is not None:
            check_integer("noise_seed", self.noise_seed, low=0)

    def wirings(self, network: Network) -> list[Wiring]:
        """One wiring per seed."""
        return [build_wiring(network, seed=self.seed + k) for k in range(self.seeds)]

    def run(
        self,
        network: Network,
        conditions: Sequence[Condition],
        *,
        duration_s: float | None = None,
        record: Sequence[tuple[int, int]] = (),
        stop: bool = True,
    ) -> SpikingResult:
        """Simulate conditions in all wirings, by default for settling and measuring once."""
        length = self.settle_s + self.measure_s if duration_s is None else duration_s
        return simulate_spiking(
            self.wirings(network),
            conditions,
            duration_s=length,
            seed=self.seed if self.noise_seed is None else self.noise_seed,
            settle_s=self.settle_s,
            record=record,
            processes=self.processes,
            compiled=self.compiled,
            stop=stop,
        )


@dataclass(frozen=True)
class TransferResult:
    """Mean rates of all populations for a strong input and a rival, with controls.

    Arrays are (n_ratios, n_seeds, n_populations) in Hz, ``strong_alone`` (n_seeds, n_populations).
    """

    ratios: FloatArray  # rival's drive over the strong one, (n_ratios,)
    together: FloatArray
    rival_alone: FloatArray  # the strong unit without drive
    without_recurrence: FloatArray  # together, E→E without effect
    rival_alone_without_recurrence: FloatArray
    strong_alone: FloatArray
    n_units: int


def simulate_transfer_spiking(
    network: Network,
    trials: Trials,
    ratios: ArrayLike,
    *,
    context: Context = Context(),
    kept: Mapping[str, float] | None = None,
) -> TransferResult:
    """Rates of units 0 and 1, which compete, over the ratio of their inputs.

    Args:
        ratios: drive of unit 1 over that of unit 0, (n_ratios,).
        kept: share of a class that still transmits.
    """
    ratios = np.atleast_1d(np.asarray(ratios, dtype=np.float64))
    lesion = dict(kept or {})
    conditions = [_pair(network, trials, 1.0, 0.0, context, lesion)]
    for ratio in ratios:
        for strong in (1.0, 0.0):
            for efficacy in ({}, NO_RECURRENCE):
                conditions.append(
                    _pair(network, trials, strong, float(ratio), context, lesion, efficacy)
                )
    rates = trials.run(network, conditions).mean_rates_hz(trials.settle_s)
    four = rates[1:].reshape(len(ratios), 4, *rates.shape[1:])
    return TransferResult(
        ratios, four[:, 0], four[:, 2], four[:, 1], four[:, 3], rates[0], network.n_units
    )


@dataclass(frozen=True)
class ProfileResult:
    """Mean rates for graded inputs to all units."""

    drives_khz: FloatArray  # (n_profiles, n_units)
    rates: FloatArray  # Hz, (n_profiles, n_seeds, n_units)
    without_recurrence: FloatArray  # the same, E→E without effect


def graded_profiles(n_units: int, lowest: Sequence[float] = (0.7, 0.4, 0.1)) -> FloatArray:
    """Inputs to all units, over the largest, that fall evenly to a lowest one, (n, n_units)."""
    for low in lowest:
        check_real("lowest", low, low=0, high=1, open_high=True)
    return np.stack([np.linspace(1.0, low, n_units) for low in lowest])


def simulate_profiles(
    network: Network, trials: Trials, relative: ArrayLike, *, context: Context = Context()
) -> ProfileResult:
    """Rates of all units for profiles of inputs.

    Args:
        relative: inputs over ``trials.drive_khz``, (n_profiles, n_units).

    Raises:
        ParameterError: profiles that do not fit the units.
    """
    drives = trials.drive_khz * np.atleast_2d(np.asarray(relative, dtype=np.float64))
    if drives.ndim != 2 or drives.shape[1] != network.n_units:
        raise ParameterError(
            f"relative of shape {drives.shape} does not fit {network.n_units} units; "
            "give one column per unit"
        )
    conditions = [Condition(d, context) for d in drives]
    conditions += [Condition(d, context, efficacy=NO_RECURRENCE) for d in drives]
    result = trials.run(network, conditions)
    rates = result.mean_rates_hz(trials.settle_s)[..., : network.n_units]
    return ProfileResult(drives, rates[: len(drives)], rates[len(drives) :])


@dataclass(frozen=True)
class ModulationCurves:
    """Rate of the driven unit over its drive, under more drive to one interneuron class."""

    handles: tuple[str, ...]  # the class that is driven
    levels_khz: FloatArray  # (n_levels,), the first is 0
    drives_khz: FloatArray  # (n_drives,)
    rates: FloatArray  # Hz, (n_handles, n_levels, n_drives, n_seeds, n_populations)


def simulate_drive_to_classes(
    network: Network,
    trials: Trials,
    *,
    relative: ArrayLike = (0.4, 0.7, 1.0, 1.3),
    levels_khz: Sequence[float] = (0.0, 1.0, 2.0),
    handles: Sequence[str] = INTERNEURONS,
    context: Context = Context(),
) -> ModulationCurves:
    """Input–output curves of unit 0 while one class gets graded extra drive.

    Args:
        relative: drives of unit 0 over ``trials.drive_khz``, (n_drives,).
        levels_khz: extra Poisson drive to each cell of the class, kHz, the first 0.
        handles: the classes to drive.

    Raises:
        ParameterError: an unknown class, or levels that do not start at 0.
    """
    levels = np.asarray(levels_khz, dtype=np.float64)
    if len(levels) < 2 or levels[0] != 0:
        raise ParameterError(f"levels_khz = {levels.tolist()}; allowed: 0 first, then others")
    for name in handles:
        check_choice("handles", name, INTERNEURONS)
    shape = np.asarray(relative, dtype=np.float64)
    conditions = [_lone(network, trials, r, context, {}) for r in shape]
    for name in handles:
        for level in levels[1:]:
            more = {name: float(level)}
            conditions += [_lone(network, trials, r, context, more) for r in shape]
    rates = trials.run(network, conditions).mean_rates_hz(trials.settle_s)
    base, rest = rates[: len(shape)], rates[len(shape) :]
    moved = rest.reshape(len(handles), len(levels) - 1, len(shape), *rates.shape[1:])
    same = np.broadcast_to(base, (len(handles), 1, *base.shape))
    return ModulationCurves(
        tuple(handles), levels, trials.drive_khz * shape, np.concatenate([same, moved], axis=1)
    )


@dataclass(frozen=True)
class Noise:
    """A clean profile, a peak on a ground, shown with frozen noise in the drive.

    Raises:
        ParameterError: a value outside its range.
    """

    ground: float = 0.5  # clean drive of the other units over that of the peak
    noise: float = 1 / 6  # s.d. of the noise in each unit's drive over the peak
    patterns: int = 24  # noisy patterns; over draws of eight the SNR gain spans threefold

    def __post_init__(self) -> None:
        mixed_profile(2, ground=self.ground)  # refuses a ground that is out of range
        check_real("noise", self.noise, low=0, open_low=True)
        check_integer("patterns", self.patterns, low=2)

    def profile(self, n_units: int) -> FloatArray:
        """Clean drive over that of the peak, (n_units,)."""
        return mixed_profile(n_units, ground=self.ground)

    def draw(self, n_units: int, drive_khz: float, seed: int) -> FloatArray:
        """Noisy drives (kHz) for a peak of ``drive_khz``, at least 0, (patterns, n_units)."""
        drawn = np.random.default_rng([13, seed]).standard_normal((self.patterns, n_units))
        noise = self.noise * drive_khz * drawn
        return np.maximum(drive_khz * self.profile(n_units) + noise, 0.0)


@dataclass(frozen=True)
class RestoredResult:
    """Noisy profiles in, rates out. Each network has patterns of its own."""

    clean_khz: FloatArray  # (n_units,)
    inputs_khz: FloatArray  # (n_seeds, n_patterns, n_units)
    outputs: FloatArray  # Hz, (n_seeds, n_patterns, n_units)
    without_recurrence: FloatArray  # the same, E→E without effect


def simulate_noisy_profiles(
    network: Network,
    trials: Trials,
    noise: Noise = Noise(),
    *,
    context: Context = Context(),
    kept: Mapping[str, float] | None = None,
) -> RestoredResult:
    """Rates for noisy versions of one clean profile; negative drives are set to zero.

    Each network is shown patterns of its own, so that how patterns happen to be drawn is in the
    spread over networks.
    """
    n_units, lesion = network.n_units, dict(kept or {})
    inputs, rates = [], []
    for k in range(trials.seeds):
        later = None if trials.noise_seed is None else trials.noise_seed + k
        one = replace(trials, seeds=1, seed=trials.seed + k, noise_seed=later)
        inputs.append(noise.draw(n_units, trials.drive_khz, one.seed))
        conditions = [
            Condition(row, context, efficacy=efficacy, kept=lesion)
            for efficacy in ({}, NO_RECURRENCE)
            for row in inputs[-1]
        ]
        found = one.run(network, conditions).mean_rates_hz(trials.settle_s)
        rates.append(found[:, 0, :n_units].reshape(2, noise.patterns, n_units))
    intact, cut = np.stack(rates, axis=1)
    clean = trials.drive_khz * noise.profile(n_units)
    return RestoredResult(clean, np.stack(inputs), intact, cut)


@dataclass(frozen=True)
class PulseResult:
    """Courses of the units around a transient perturbation, and without it."""

    time_s: FloatArray  # (n_bins,)
    onset_s: float
    offset_s: float
    courses: FloatArray  # Hz, (n_bins, 2, n_seeds, n_units): undisturbed, disturbed


def simulate_perturbation(
    network: Network,
    trials: Trials,
    *,
    ratio: float = 0.7,
    extra: float = 1.0,
    length_s: float = 0.2,
    context: Context = Context(),
) -> PulseResult:
    """A brief extra drive to the rival while the strong unit holds the lead.

    Args:
        ratio: drive of the rival over the strong one.
        extra: what the perturbation adds to it, over the strong one.
        length_s: how long it lasts, s.
    """
    onset = trials.settle_s + 0.5
    offset = onset + check_real("length_s", length_s, low=0.02, unit="s")
    duration = offset + trials.measure_s
    bins = count_bins(duration)
    plain = np.zeros((bins, network.n_units))
    plain[:, 0], plain[:, 1] = trials.drive_khz, ratio * trials.drive_khz
    pushed = plain.copy()
    pushed[count_bins(onset) : count_bins(offset), 1] += extra * trials.drive_khz
    conditions = [Condition(plain, context), Condition(pushed, context)]
    result = trials.run(network, conditions, duration_s=duration)
    return PulseResult(result.time_s, onset, offset, result.courses_hz[..., : network.n_units])


def _pair(
    network: Network,
    trials: Trials,
    strong: float,
    rival: float,
    context: Context,
    kept: Mapping[str, float],
    efficacy: Mapping[tuple[str, str], float] | None = None,
) -> Condition:
    drive = np.zeros(network.n_units)
    drive[:2] = strong, rival
    return Condition(
        trials.drive_khz * drive, context, efficacy=dict(efficacy or {}), kept=dict(kept)
    )


def _lone(
    network: Network,
    trials: Trials,
    relative: float,
    context: Context,
    extra: Mapping[str, float],
) -> Condition:
    drive = np.zeros(network.n_units)
    drive[0] = relative * trials.drive_khz
    return Condition(drive, context, extra_khz=dict(extra))
