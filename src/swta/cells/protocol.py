"""The current steps of the recordings, which model cells are given as well."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swta.validation import ParameterError, check_integer, check_real, check_tuple


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
        for name in ("resolution_pA", "spacing_pA"):
            check_real(name, getattr(self, name), low=0, high=10_000, open_low=True, unit="pA")
        check_integer("n_above", self.n_above, low=3, high=10_000)
        check_real("hero_pA", self.hero_pA, low=0, unit="pA")
        if not np.isclose(self.above_rheobase_pA, self.hero_pA).any():
            raise ParameterError(
                f"hero_pA = {self.hero_pA:g} is no step; allowed: "
                f"{self.above_rheobase_pA.tolist()} pA"
            )
        currents = check_tuple("hyperpolarising_pA", self.hyperpolarising_pA)
        for current in currents:
            check_real("hyperpolarising_pA", current, unit="pA")
        if len(set(currents)) < 2 or max(currents) >= 0:
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
