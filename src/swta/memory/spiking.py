"""Up-states in spikes: two patches of chapter 2's network, like units joined by sparse excitation.

The context is that in which one patch can hold a winner as long as it gets input (less spike-
frequency adaptation); without input it forgets. γ is the summed conductance that a pyramidal cell
gets from its partner unit in the other patch, over what it gets from its own unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swta.circuit.bistability import BISTABLE
from swta.circuit.conditions import Condition, Context, count_bins
from swta.circuit.network import Network
from swta.circuit.patches import Assembly, Bridge, simulate_patches
from swta.circuit.pathways import Pair
from swta.circuit.wiring import build_wiring
from swta.validation import ParameterError, check_integer, check_real

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

UP_HZ = 10.0  # Hz, between the rates of a unit in the down and in the up-state


@dataclass(frozen=True)
class SpikingProtocol:
    """A cue to unit 0 of one patch or both, then nothing but the background.

    Raises:
        ParameterError: a value outside its range.
    """

    cue_khz: float = 2.0  # kHz, thalamic rate of the cue; the drive of chapter 2
    cue_s: float = 0.4  # s
    settle_s: float = 0.3  # s of background before it
    retention_s: float = 5.0  # s of background after it
    seeds: int = 20  # pairs, each of two networks of its own
    seed: int = 0  # of the first network
    processes: int = 1  # of this machine to use
    compiled: bool | None = None  # Brian's C++ or NumPy code; None: C++ where there is a compiler

    def __post_init__(self) -> None:
        check_real("cue_khz", self.cue_khz, low=0, unit="kHz")
        for name in ("cue_s", "settle_s", "retention_s"):
            check_real(name, getattr(self, name), low=0.05, unit="s")
        check_integer("seeds", self.seeds, low=1, high=1000)
        check_integer("seed", self.seed, low=0)
        check_integer("processes", self.processes, low=1, high=256)

    @property
    def cue_end_s(self) -> float:
        """Time at which the cue is withdrawn, s."""
        return self.settle_s + self.cue_s

    def course(self, n_units: int, cued: bool) -> FloatArray:
        """Drive (kHz) of the units of a patch in bins of 10 ms."""
        drive = np.zeros((count_bins(self.cue_end_s) + 1, n_units))
        drive[count_bins(self.settle_s) : count_bins(self.cue_end_s), 0] = self.cue_khz * cued
        return drive


@dataclass(frozen=True)
class PatchCondition:
    """One condition of patches that are joined.

    Raises:
        ParameterError: not one entry of ``cued`` per patch.
    """

    gamma: float = 0.2  # γ between like units of all patches
    probability: float = 0.1  # of a connection between cells of like units
    cued: tuple[bool, ...] = (True, False)  # which patches get the cue; one entry per patch
    efficacy: Mapping[Pair, float] | None = None  # factor on pathways within the patches

    def __post_init__(self) -> None:
        if not self.cued:
            raise ParameterError("cued is empty; give one entry per patch")

    def bridges(self, n_units: int) -> tuple[Bridge, ...]:
        """Excitation between like units of every two patches, both ways."""
        patches = range(len(self.cued))
        return tuple(
            Bridge((a, unit), (b, unit), self.gamma, self.probability)
            for a in patches
            for b in patches
            for unit in range(n_units)
            if a != b
        )


@dataclass(frozen=True)
class SpikingMemoryResult:
    """Rates of the units of all patches."""

    time_s: FloatArray  # since the cue's end, (n_bins,)
    courses: FloatArray  # Hz, (n_bins, n_conditions, n_seeds, n_patches, n_units); NaN: diverged
    interneurons: FloatArray  # Hz, mean after the cue, (n_conditions, n_seeds, n_patches, 4)


def simulate_spiking_memory(
    network: Network,
    protocol: SpikingProtocol,
    conditions: Sequence[PatchCondition],
    *,
    context: Context = BISTABLE,
) -> SpikingMemoryResult:
    """Rates before, during and after a cue, for every condition and pair of networks.

    Args:
        conditions: all with equally many patches.

    Raises:
        ParameterError: no condition, or conditions of different sizes.
    """
    sizes = {len(one.cued) for one in conditions}
    if len(sizes) != 1:
        raise ParameterError(
            f"{len(conditions)} conditions with {sorted(sizes)} patches; give at least one, all "
            "with the same number"
        )
    n = sizes.pop()
    wirings = [
        tuple(build_wiring(network, seed=protocol.seed + n * k + patch) for patch in range(n))
        for k in range(protocol.seeds)
    ]
    assemblies = [
        Assembly(
            pair,
            tuple(
                Condition(
                    protocol.course(network.n_units, cued),
                    context,
                    efficacy=dict(one.efficacy or {}),
                )
                for cued in one.cued
            ),
            one.bridges(network.n_units),
        )
        for one in conditions
        for pair in wirings
    ]
    result = simulate_patches(
        assemblies,
        duration_s=protocol.cue_end_s + protocol.retention_s,
        seed=protocol.seed,
        bin_ms=50.0,
        processes=protocol.processes,
        compiled=protocol.compiled,
    )
    rates = result.courses_hz
    split = rates.reshape(len(rates), len(conditions), protocol.seeds, n, rates.shape[-1])
    time = result.time_s - protocol.cue_end_s
    late = split[time > 0].mean(0)
    return SpikingMemoryResult(time, split[..., : network.n_units], late[..., network.n_units :])


def measure_held(
    result: SpikingMemoryResult, *, unit: int = 0, patience_s: float = 0.5
) -> BoolArray:
    """Whether a unit is up in every patch from ``patience_s`` to the end, (n_conditions, n_seeds).

    Up means above `UP_HZ` in every window of 0.25 s. A run that diverged is not held.

    Raises:
        ParameterError: a result that ends before ``patience_s``.
    """
    smooth, time = _smooth(result)
    late = smooth[time > check_real("patience_s", patience_s, low=0, unit="s")]
    if not len(late):
        raise ParameterError(
            f"patience_s = {patience_s:g} s is beyond the end at {time[-1]:.3g} s; follow the "
            "patches for longer"
        )
    return np.asarray((late[..., unit] > UP_HZ).all(axis=(0, -1)))


def measure_silent(result: SpikingMemoryResult) -> BoolArray:
    """Whether no unit of any patch ever is above `UP_HZ`, (n_conditions, n_seeds)."""
    smooth, _ = _smooth(result)
    return np.asarray((smooth < UP_HZ).all(axis=(0, -2, -1)))


def measure_crossing(levels: Sequence[float], share: Sequence[float]) -> float:
    """Level at which a share rises through one half, by linear interpolation.

    NaN where it does not. Where it crosses several times, the middle of the first and the last.
    """
    x, y = np.asarray(levels, dtype=np.float64), np.asarray(share, dtype=np.float64) - 0.5
    (steps,) = np.nonzero((y[:-1] < 0) & (y[1:] >= 0))
    if not len(steps):
        return float("nan")
    found = x[steps] - y[steps] * (x[steps + 1] - x[steps]) / (y[steps + 1] - y[steps])
    return float((found[0] + found[-1]) / 2)


def _smooth(result: SpikingMemoryResult) -> tuple[FloatArray, FloatArray]:
    """Running means over five bins (0.25 s) and the times of their ends, s."""
    width = 5
    total = np.cumsum(np.concatenate([np.zeros((1, *result.courses.shape[1:])), result.courses]), 0)
    return (total[width:] - total[:-width]) / width, result.time_s[width - 1 :]
