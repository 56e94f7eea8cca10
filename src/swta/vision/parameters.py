"""The filter's constants, and whether columns with these constants settle."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from swta.validation import ParameterError, check_integer, check_real
from swta.vision.pools import pool_modes

Kind = TypeVar("Kind", bound="CircuitParameters")


@dataclass(frozen=True)
class CircuitParameters(ABC):
    """What both forms of the filter have; lengths in pixels, weights dimensionless.

    The five grades run from 0 (class or term absent) to 1 (full strength). Everything here is our
    choice: the paper's abstract names the classes and their roles, no sizes.

    Raises:
        ParameterError: a value outside its range, or columns that would not settle: with all units
            active every mode must satisfy α k̂_E < 2 and α k̂_E − β₁β₂ k̂_I k̂_P < 1.
    """

    surround: float = 4.0  # px, s.d. of the pools of LAMP5, PV and SST
    semisaturation: float = 0.06  # intensity at which LAMP5 normalisation sets in
    w_ff: float = 0.7  # feed-forward inhibition, PV
    alpha: float = 0.9  # recurrent excitation, summed over its kernel; the motif's
    beta1: float = 3.0  # SST onto columns; the motif's
    beta2: float = 0.25  # mean of the pool's columns onto SST; the motif's
    threshold: float = 0.0  # of the columns, in units of the normalised drive; the motif's T_E
    tonic: float = 0.0  # tonic drive of SST, same unit; the motif's -T_N
    pv: float = 1.0  # grade
    sst: float = 1.0  # grade
    vip: float = 0.25  # grade: the share of SST output that VIP silences
    lamp5: float = 1.0  # grade
    recurrence: float = 1.0  # grade of alpha

    def __post_init__(self) -> None:
        check_real("surround", self.surround, low=0.2, high=64.0, unit="px")
        check_real("semisaturation", self.semisaturation, low=0.0, open_low=True)
        for name in ("w_ff", "alpha", "beta1", "beta2", "tonic"):
            check_real(name, getattr(self, name), low=0.0)
        check_real("threshold", self.threshold)
        for name in ("pv", "sst", "vip", "lamp5", "recurrence"):
            check_real(name, getattr(self, name), low=0.0, high=1.0)
        self._check_form()
        self._check_modes()

    @property
    def excitation(self) -> float:
        """Recurrent excitation α after its grade, dimensionless."""
        return self.alpha * self.recurrence

    @property
    def feedback(self) -> float:
        """Weight β₁ of SST onto the columns after the grades of SST and VIP, dimensionless."""
        return self.beta1 * self.sst * (1.0 - self.vip)

    @property
    def loop(self) -> float:
        """Inhibitory loop β₁β₂ after the grades of SST and VIP, dimensionless."""
        return self.feedback * self.beta2

    @property
    def offset(self) -> float:
        """What every column receives besides its drive: −T_E − β₁ · tonic drive of SST."""
        return -self.threshold - self.feedback * self.tonic

    @property
    def strengths(self) -> dict[str, float]:
        """The four numbers that the filter's equations hold, after all grades, dimensionless."""
        return {
            "excitation": self.excitation,
            "loop": self.loop,
            "w": self.pv * self.w_ff,
            "semisaturation": self.semisaturation,
        }

    def mode_range(
        self, *, excitation: float | None = None, loop: float | None = None
    ) -> tuple[float, float]:
        """Least and largest restoring rate 1 − α k̂_E + β₁β₂ k̂_I k̂_P over all modes, in 1/τ.

        ``excitation`` and ``loop`` stand in for the parameters' own.
        """
        gains, pooled = self._modes()
        rates = 1.0 - (self.excitation if excitation is None else excitation) * gains
        rates = rates + (self.loop if loop is None else loop) * pooled
        return float(rates.min()), float(rates.max())

    @abstractmethod
    def _modes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """k̂_E and k̂_I k̂_P of every mode, arrays that broadcast together."""

    @abstractmethod
    def _check_form(self) -> None:
        """Check what only this form has."""

    def _check_modes(self) -> None:
        gains, _ = self._modes()
        largest = self.excitation * float(gains.max())
        if largest >= 2.0:
            raise ParameterError(
                f"alpha = {self.alpha:g} makes the columns unstable: α k̂_E = {largest:.3f}, "
                f"allowed: < 2. Lower alpha or recurrence"
            )
        least, _ = self.mode_range()
        if least <= 0.0:
            raise ParameterError(
                f"alpha = {self.alpha:g} makes the columns unstable: α k̂_E − β₁β₂ k̂_I k̂_P reaches "
                f"{1.0 - least:.3f}, allowed: < 1. Lower alpha or recurrence"
            )


@dataclass(frozen=True)
class FilterParameters(CircuitParameters):
    """Orientation form: a ring of n orientation columns at every pixel.

    Raises:
        ParameterError: as `CircuitParameters`.
    """

    n_orientations: int = 8  # columns per position
    wavelength: float = 6.0  # px, of the Gabor pair; about two strokes of a digit at 32 × 32
    envelope: float = 2.2  # px, s.d. of the Gabor's Gaussian window
    neighbours: float = 0.2  # share of alpha that reaches each of the two neighbouring columns

    def _check_form(self) -> None:
        check_integer("n_orientations", self.n_orientations, low=3, high=64)
        check_real("wavelength", self.wavelength, low=2.0, high=64.0, unit="px")
        check_real("envelope", self.envelope, low=0.2, high=64.0, unit="px")
        check_real("neighbours", self.neighbours, low=0.0, high=0.5)

    def _modes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        ring = ring_modes(self.n_orientations, self.neighbours)[:, None]
        pooled = np.zeros((len(ring), 129 * 129))
        pooled[0] = pool_modes(self.surround).ravel()  # the pool sees only the columns' mean
        return ring, pooled


@dataclass(frozen=True)
class PixelParameters(CircuitParameters):
    """Pixel form: one column per pixel, driven by luminance; its neighbours in space excite it.

    Raises:
        ParameterError: as `CircuitParameters`, or excitation that reaches as far as the surround.
    """

    spread: float = 0.7  # px, s.d. of recurrent excitation

    def _check_form(self) -> None:
        check_real(
            "spread",
            self.spread,
            low=0.2,
            high=self.surround,
            open_high=True,
            unit="px",
            hint="Excitation must be narrower than the surround",
        )

    def _modes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return pool_modes(self.spread).ravel(), pool_modes(self.surround).ravel()


def convert(parameters: CircuitParameters, kind: type[Kind], **changes: Any) -> Kind:
    """The parameters in another form: what both forms have is taken over, the rest is default."""
    own = {field.name for field in fields(kind)}
    shared = {f.name: getattr(parameters, f.name) for f in fields(parameters) if f.name in own}
    return kind(**(shared | changes))


def ring_modes(n: int, neighbours: float) -> NDArray[np.float64]:
    """Transform of the ring kernel (neighbours, 1 − 2 neighbours, neighbours), mode 0 first."""
    return 1.0 - 2.0 * neighbours * (1.0 - np.cos(2.0 * np.pi * np.arange(n) / n))
