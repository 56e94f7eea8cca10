"""What is done to a spiking network: its inputs over time, lesions and context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from swta.cells.classes import CLASSES
from swta.circuit.pathways import Pair
from swta.circuit.wiring import Wiring
from swta.validation import ParameterError, check_choice, check_real

FloatArray = NDArray[np.float64]

DRIVE_BIN_MS: Final = 10.0  # width of the bins of a drive that changes


def count_bins(duration_s: float) -> int:
    """Bins of `DRIVE_BIN_MS` in a duration (s), to the nearest."""
    return round(1e3 * duration_s / DRIVE_BIN_MS)


@dataclass(frozen=True)
class Context:
    """State of arousal, set by neuromodulators and by input from other areas.

    Raises:
        ParameterError: a negative value.
    """

    adaptation: float = 1.0  # pyramidal spike-triggered adaptation over its slice value
    vip_khz: float = 0.0  # kHz, top-down Poisson input to each VIP cell, over the background
    lamp5_khz: float = 0.0  # kHz, the same to each LAMP5 cell

    def __post_init__(self) -> None:
        check_real("adaptation", self.adaptation, low=0)
        check_real("vip_khz", self.vip_khz, low=0, unit="kHz")
        check_real("lamp5_khz", self.lamp5_khz, low=0, unit="kHz")


RUNNING: Final = Context(vip_khz=1.02)  # drive of VIP cells fitted to their rate in locomotion


@dataclass(frozen=True)
class Condition:
    """One condition of a network.

    ``drive_khz`` is the thalamic rate of each unit, (n_units,) for a constant one or
    (n_bins, n_units) for a course in bins of `DRIVE_BIN_MS`; its last bin lasts to the end.

    Raises:
        ParameterError: a negative or non-finite rate, an unknown class, a factor out of range.
    """

    drive_khz: ArrayLike  # kHz, thalamic Poisson rate, (n_units,) or (n_bins, n_units)
    context: Context = Context()
    extra_khz: Mapping[str, float] = field(default_factory=dict)  # kHz, more input to a class
    efficacy: Mapping[Pair, float] = field(default_factory=dict)  # factor on a pathway
    kept: Mapping[str, float] = field(default_factory=dict)  # share of a class that still transmits

    def __post_init__(self) -> None:
        drive = np.asarray(self.drive_khz, dtype=np.float64)
        if drive.ndim not in (1, 2) or not np.isfinite(drive).all() or (drive < 0).any():
            raise ParameterError(
                f"drive_khz of shape {drive.shape}, smallest {drive.min() if drive.size else '-'}; "
                "allowed: finite rates of 0 kHz or more, (n_units,) or (n_bins, n_units)"
            )
        object.__setattr__(self, "drive_khz", drive)
        for name, rate in self.extra_khz.items():
            check_choice("extra_khz", name, CLASSES)
            check_real(f"extra_khz of {name}", rate, low=0, unit="kHz")
        for name, share in self.kept.items():
            check_choice("kept", name, CLASSES)
            check_real(f"kept of {name}", share, low=0, high=1)
        for pair, factor in self.efficacy.items():
            for name in pair:
                check_choice("efficacy", name, CLASSES)
            check_real(f"efficacy of {pair[0]} to {pair[1]}", factor, low=0)

    def drive_at(self, t_ms: float) -> FloatArray:
        """Thalamic rate of each unit at a time (ms), in kHz, (n_units,)."""
        drive = np.asarray(self.drive_khz)
        if drive.ndim == 1:
            return drive
        return np.asarray(drive[min(int(t_ms / DRIVE_BIN_MS + 1e-6), len(drive) - 1)])

    def external_khz(self, wiring: Wiring, t_ms: float) -> FloatArray:
        """Rate of afferent spikes to a cell of each population at t_ms, kHz, (n_populations,).

        Raises:
            ParameterError: a drive for another number of units.
        """
        network = wiring.network
        drive = self.drive_at(t_ms)
        if drive.shape != (network.n_units,):
            raise ParameterError(
                f"drive_khz for {drive.size} units does not fit a network of {network.n_units}; "
                "give one rate per unit"
            )
        rates = []
        more = dict(self.extra_khz)
        more["Vip"] = more.get("Vip", 0.0) + self.context.vip_khz
        more["Lamp5"] = more.get("Lamp5", 0.0) + self.context.lamp5_khz
        for name in CLASSES:
            one = network.afferents(name)
            own = drive if name == "Pyr" else np.zeros(1)
            rates.append(
                one.background_khz
                + one.own_gain * own
                + one.shared_gain * drive.sum()
                + more.get(name, 0.0)
            )
        return np.concatenate(rates)

    def release_factors(self, wiring: Wiring) -> FloatArray:
        """Factor on the release of each cell onto each class, (n_cells, 5).

        A share of a class is taken out by silencing the synapses of its last cells (of each unit).
        """
        factors = np.ones((wiring.n_cells, len(CLASSES)))
        for (pre, post), factor in self.efficacy.items():
            factors[wiring.cell_class == CLASSES.index(pre), CLASSES.index(post)] *= factor
        for name, share in self.kept.items():
            for population in np.unique(
                wiring.population[wiring.cell_class == CLASSES.index(name)]
            ):
                members = np.flatnonzero(wiring.population == population)
                factors[members[round(share * len(members)) :]] = 0.0
        return factors
