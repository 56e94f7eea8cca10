"""Membrane time constants of the cells of a class, and the leak that goes with each.

The cells of paired recordings are other cells than those that define a class, and time constants
vary within a class by a factor of 1.3 to 1.6 between quartiles. So a postsynaptic cell may have any
time constant between the measured quartiles. Its leak is what cells of the class with this time
constant have, by the correlation of time constant and input resistance in the class's distribution:
in pyramidal cells a short time constant goes with a low resistance, not with a small capacitance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from swta.cells.adex import AdExParameters
from swta.cells.coordinates import COORDINATES
from swta.cells.library import CellClass
from swta.validation import ParameterError, check_integer, check_real

MEMBRANES: Final = ("fitted", "central")

_QUARTILES: Final = 1.349  # interquartile range of a normal distribution, in standard deviations


@dataclass(frozen=True)
class TimeConstants:
    """Quartiles of the membrane time constant in a class of cells, in ms.

    Raises:
        ParameterError: quartiles that are not positive and rising, or no cell.
    """

    low_ms: float  # lower quartile
    high_ms: float  # upper quartile
    exponent: float  # input resistance goes as the time constant to this power
    n: int  # cells measured
    source: str  # which cells

    def __post_init__(self) -> None:
        check_real("low_ms", self.low_ms, low=0, open_low=True, unit="ms")
        check_real("high_ms", self.high_ms, low=self.low_ms, open_low=True, unit="ms")
        check_real("exponent", self.exponent)
        check_integer("n", self.n, low=1)

    @property
    def log_sd(self) -> float:
        """Standard deviation of the logarithm of the time constant among cells."""
        return math.log(self.high_ms / self.low_ms) / _QUARTILES


def measure_time_constants(one: CellClass) -> TimeConstants:
    """Quartiles (ms) of a class's time constants, and the power law of its input resistances.

    The exponent is the slope of ln input resistance on ln time constant: the correlation of the
    two in the class's distribution times the ratio of their measured quartile ranges.
    """
    tau, resistance = one.statistics["tau_ms"], one.statistics["input_resistance_MOhm"]
    names = list(COORDINATES)
    place = names.index("tau_ms"), names.index("input_resistance_MOhm")
    ratio = math.log(resistance.q75 / resistance.q25) / math.log(tau.q75 / tau.q25)
    return TimeConstants(
        low_ms=tau.q25,
        high_ms=tau.q75,
        exponent=float(one.distribution.correlation[place]) * ratio,
        n=tau.n,
        source=f"class {one.name}, {one.source}",
    )


def find_time_constants(
    models: Mapping[str, CellClass] | Mapping[str, AdExParameters],
) -> dict[str, TimeConstants]:
    """Time constants (ms) of each class.

    Raises:
        ParameterError: bare AdEx parameters, of whose class nothing is known.
    """
    found = {}
    for name, one in models.items():
        if not isinstance(one, CellClass):
            raise ParameterError(
                f"class_models holds bare AdEx parameters for {name}: the quartiles of its time "
                "constant are not known; give the class (load_class), or membrane = 'central'"
            )
        found[name] = measure_time_constants(one)
    return found
