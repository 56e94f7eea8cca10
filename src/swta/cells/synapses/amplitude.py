"""Conductances for potentials whose kinetics were not measured: only amplitudes are matched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from swta.cells.adex import AdExParameters
from swta.cells.synapses.kernel import simulate_psp
from swta.cells.synapses.membrane import (
    EXCITATORY_HOLDING,
    INHIBITORY_HOLDING,
    MIN_SLOPE_NAMED,
    highest_holding,
    make_membranes,
)
from swta.cells.synapses.table import EXCITATORY, EXCITATORY_REVERSAL, INHIBITORY_REVERSAL
from swta.cells.synapses.targets import (
    SLOW_DURATION,
    PspMatch,
    PspTarget,
    choose_cells,
    collect_matches,
)
from swta.validation import ParameterError

Array = NDArray[np.float64]

_CHANGE: Final = 1e-5  # of the logarithm of a conductance, for the slopes


def match_amplitudes(
    targets: Sequence[PspTarget],
    cells: Mapping[str, AdExParameters],
    rise_ms: ArrayLike,
    decay_ms: ArrayLike,
) -> tuple[PspMatch, ...]:
    """Conductance (nS) of given kernels for the peak of measured potentials, all pairs at once.

    For pairs whose kinetics were not measured. Cells are held at -55 or -70 mV, with a passive
    membrane where the exponential would take away more than half of the leak.

    Raises:
        ParameterError: no target, a class without a cell, or a fit that does not converge.
    """
    own = choose_cells(targets, cells)
    excitatory = np.array([one.pre in EXCITATORY for one in targets])
    holding = np.where(excitatory, EXCITATORY_HOLDING[1], INHIBITORY_HOLDING[1])
    reversal = np.where(excitatory, EXCITATORY_REVERSAL, INHIBITORY_REVERSAL)
    rise, decay = (np.broadcast_to(np.asarray(x, float), len(own)) for x in (rise_ms, decay_ms))
    top = np.array([highest_holding(cell, MIN_SLOPE_NAMED) for cell in own])
    held = make_membranes(own, holding, holding <= top)
    amplitude = np.array([one.amplitude_mV for one in targets])

    def respond(log_g: Array) -> tuple[Array, Array]:
        return simulate_psp(held, np.exp(log_g), rise, decay, reversal, duration_ms=SLOW_DURATION)

    def misses(log_g: Array) -> Array:
        v = respond(log_g)[1]
        peaks = v[np.arange(len(v)), np.abs(v).argmax(axis=1)]
        return np.asarray(np.log(peaks / amplitude))

    found = least_squares(
        misses,
        np.log(held.g_L * np.abs(amplitude / (reversal - holding))),
        jac=lambda x: np.diag((misses(x + _CHANGE) - misses(x)) / _CHANGE),
        ftol=1e-12,
        xtol=1e-12,
    )
    if not found.success:
        one = targets[int(np.abs(found.fun).argmax())]
        raise ParameterError(
            f"{one.pre} → {one.post}: the fit of the conductance did not converge "
            f"({found.message}); check amplitude {one.amplitude_mV:g} mV"
        )
    return collect_matches(targets, np.exp(found.x), rise, decay, held, respond(found.x))
