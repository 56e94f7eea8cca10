"""Postsynaptic cells held at a potential by a steady current, as in paired recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from swta.cells.adex import LARGEST_EXPONENT, AdExParameters
from swta.validation import ParameterError, check_real

Array = NDArray[np.float64]

# Bin of holding potentials in the recordings and its name there, in mV: low, name, high
# (aisynphys, avg_response_fit.sort_responses).
EXCITATORY_HOLDING: Final = (-80.0, -70.0, -60.0)
INHIBITORY_HOLDING: Final = (-60.0, -55.0, -50.0)

# Slope conductance, in parts of g_L, below which a cell is too near its threshold to be held.
MIN_SLOPE: Final = 0.05
# The same at a potential that is not fitted: there a cell with less than half of its leak left is
# taken as passive.
MIN_SLOPE_NAMED: Final = 0.5


@dataclass(frozen=True)
class Membranes:
    """Held cells, one entry a pair; all arrays of one length."""

    C: Array  # pF
    g_L: Array  # nS
    V_T: Array  # mV
    Delta_T: Array  # mV
    a: Array  # nS
    tau_w: Array  # ms
    holding: Array  # mV
    exponential: Array  # 1 with the exponential term, 0 for the passive membrane

    @property
    def slope_conductance(self) -> Array:
        """Slope of the instantaneous current-voltage relation where the cells are held, in nS."""
        rise = np.exp(np.minimum((self.holding - self.V_T) / self.Delta_T, LARGEST_EXPONENT))
        return self.g_L * (1.0 - self.exponential * rise)

    @property
    def passive_time_constant(self) -> Array:
        """C / g_L in ms, far below V_T."""
        return self.C / self.g_L

    @property
    def time_constant(self) -> Array:
        """Time constant of small deflections without adaptation, in ms."""
        return self.C / self.slope_conductance

    def as_array(self) -> Array:
        """(n, 8), the fields in their order."""
        return np.column_stack(list(vars(self).values())).astype(float)


def make_membranes(
    parameters: Sequence[AdExParameters],
    holding_mV: ArrayLike,
    exponential: ArrayLike,
    *,
    membrane_ms: ArrayLike | None = None,
    leak_nS: ArrayLike | None = None,
) -> Membranes:
    """Cells held at potentials (mV), with or without their exponential term.

    Args:
        parameters: one AdEx cell per entry.
        holding_mV: where each is held; one value, or as many as cells.
        exponential: whether each keeps its exponential term; one value, or as many as cells.
        membrane_ms: time constants C / g_L in place of the cells' own, one a cell.
        leak_nS: leaks in place of the cells' own, one a cell.

    Raises:
        ParameterError: a time constant or leak that is not positive, or a cell with its
            exponential term held so near V_T, or above it, that it has no resting state there.
    """
    ones = np.ones(len(parameters))
    columns = {
        name: np.array([getattr(one, name) for one in parameters], dtype=float)
        for name in ("C", "g_L", "V_T", "Delta_T", "a", "tau_w")
    }
    if membrane_ms is not None or leak_nS is not None:
        own = columns["C"] / columns["g_L"]
        tau = own if membrane_ms is None else np.asarray(membrane_ms, dtype=float) * ones
        leak = columns["g_L"] if leak_nS is None else np.asarray(leak_nS, dtype=float) * ones
        for name, values in (("membrane_ms", tau), ("leak_nS", leak)):
            if not (values > 0).all():
                raise ParameterError(f"{name} = {values.min():g} is out of range; allowed: above 0")
        columns |= {"g_L": leak, "C": tau * leak}
    held = Membranes(
        **columns,
        holding=np.asarray(holding_mV, dtype=float) * ones,
        exponential=np.asarray(exponential, dtype=float) * ones,
    )
    slope = held.slope_conductance / held.g_L
    if (slope < MIN_SLOPE * (1 - 1e-9)).any():
        worst = int(np.argmin(slope))
        raise ParameterError(
            f"holding_mV = {held.holding[worst]:g} mV is out of range: with V_T = "
            f"{held.V_T[worst]:g} mV the cell has no resting state there; allowed: up to "
            f"{highest_holding(parameters[worst]):.4g} mV, or exponential = False"
        )
    return held


def highest_holding(parameters: AdExParameters, slope: float = MIN_SLOPE) -> float:
    """Highest potential (mV) at which the slope conductance is still slope times g_L.

    Raises:
        ParameterError: slope not between 0 and 1.
    """
    check_real("slope", slope, low=0, high=1, open_low=True, open_high=True)
    return parameters.V_T + parameters.Delta_T * float(np.log1p(-slope))
