"""Firing rates that the motif should have: ranges seen in mouse V1 layer 2/3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swta.cells.classes import INTERNEURONS

FloatArray = NDArray[np.float64]

STATES: Final = ("rest", "stimulus", "mixed", "running")
QUIET: Final = 0.02  # Hz, stands for a silent class


@dataclass(frozen=True)
class RateTarget:
    """A rate, or a ratio of rates, and the range in which it is seen in vivo."""

    # rest; stimulus, which one unit prefers; mixed, where all other units get half the drive of
    # that one; or running, stimulus with VIP cells driven as in locomotion
    state: str
    name: str  # class; Pyr is the unit with the most drive, at rest all units
    low: float  # Hz, or a ratio
    high: float  # same
    ratio: bool = False  # whether it is the rate over that in the state stimulus
    assumed: bool = False  # no measurement known to us
    predicted: bool = False  # not fitted: a test of disinhibition

    @property
    def centre(self) -> float:
        """Geometric mean of the range."""
        return float(np.sqrt(self.low * self.high))

    @property
    def log_sd(self) -> float:
        """S.d. of the logarithm of which the range holds two on either side."""
        return float(np.log(self.high / self.low)) / 4

    def holds(self, value: float) -> bool:
        """Whether a value lies in the range."""
        return self.low <= value <= self.high


# Second-hand from reviews and not checked against recordings. They tell evoked rates without the
# stimulus, so both stimuli have the same ranges. For LAMP5 none is known to us; its rate at rest is
# assumed to be that of SST.
RATE_TARGETS: Final = (
    RateTarget("rest", "Pyr", 0.1, 0.5),
    RateTarget("rest", "Pvalb", 3.0, 8.0),
    RateTarget("rest", "Sst", 0.5, 2.0),
    RateTarget("rest", "Vip", 1.0, 5.0),
    RateTarget("rest", "Lamp5", 0.5, 2.0, assumed=True),
    RateTarget("stimulus", "Pyr", 2.0, 8.0),
    RateTarget("stimulus", "Pvalb", 15.0, 40.0),
    RateTarget("stimulus", "Sst", 3.0, 8.0),
    RateTarget("stimulus", "Vip", 1.0, 5.0),
    RateTarget("mixed", "Pyr", 2.0, 8.0),
    RateTarget("mixed", "Pvalb", 15.0, 40.0),
    RateTarget("mixed", "Sst", 3.0, 8.0),
    RateTarget("mixed", "Vip", 1.0, 5.0),
    RateTarget("running", "Pyr", 1.1, 1.5, ratio=True, predicted=True),
    RateTarget("running", "Sst", 0.3, 0.7, ratio=True),
    RateTarget("running", "Vip", 5.0, 15.0),
)


def read_targets(rates_hz: FloatArray, n_units: int) -> FloatArray:
    """Values of `RATE_TARGETS` (Hz or ratios) from mean rates, (n_targets, n_seeds).

    A silent class counts with `QUIET`, so that logarithms and ratios exist.

    Args:
        rates_hz: mean rates in the `STATES`, (4, n_seeds, n_populations), unit 0 preferring
            the stimulus.
        n_units: excitatory units, the first populations; the others are the interneurons.
    """
    by_state = dict(zip(STATES, np.maximum(rates_hz, QUIET), strict=True))

    def rate(state: str, name: str) -> FloatArray:
        if name != "Pyr":
            return by_state[state][:, n_units + INTERNEURONS.index(name)]
        return by_state[state][:, :n_units].mean(1) if state == "rest" else by_state[state][:, 0]

    return np.array(
        [
            rate(t.state, t.name) / (rate("stimulus", t.name) if t.ratio else 1.0)
            for t in RATE_TARGETS
        ]
    )
