"""From measured potentials to conductances: amplitude, rise and decay of all pairs in one fit.

Unknown for each pair are the peak conductance, the rise and decay of its kernel, and the potential
at which the cells were held. The recordings give that potential as a bin only (-60 to -50 mV for
inhibition, called -55, and -80 to -60 mV for excitation, called -70), and it matters: near V_T the
exponential current cancels part of the leak, which prolongs potentials (Stuart 1999, Nat. Neurosci.
2:144, shows it for inhibition), and above V_T a model cell has no resting state. So the potential
is fitted inside the bin, drawn to the bin's name by a prior, below the highest potential at which
the model cell rests.

The result is the conductance of one compartment: a potential that peaks after 5 ms leaves no room
for inhibition that lasts 6-8 ms, as currents of PV cells do in voltage clamp, on a membrane of 20
ms or more. Amplitude and time course of the potential are right, the current's is shorter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag
from scipy.optimize import OptimizeResult, least_squares

from swta.cells.adex import AdExParameters
from swta.cells.synapses.kernel import simulate_psp
from swta.cells.synapses.membrane import (
    EXCITATORY_HOLDING,
    INHIBITORY_HOLDING,
    MIN_SLOPE_NAMED,
    Membranes,
    highest_holding,
    make_membranes,
)
from swta.cells.synapses.shape import FIT_WINDOW, shape_projections
from swta.cells.synapses.table import EXCITATORY, EXCITATORY_REVERSAL, INHIBITORY_REVERSAL
from swta.cells.synapses.targets import (
    SLOW_DURATION,
    PspMatch,
    PspTarget,
    choose_cells,
    collect_matches,
)
from swta.validation import ParameterError, check_choice

Array = NDArray[np.float64]

HOLDINGS: Final = ("fitted", "named")

_AMPLITUDE_SD: Final = 0.002  # relative: amplitudes are matched first
_TIME_SD: Final = 0.05  # relative, of rise and decay alike
_RATIO_MEAN: Final = float(np.log(4.0))  # ln(decay / rise - 1): AMPA 0.4 / 2, GABA-A 1 / 5 ms
_RATIO_SD: Final = 1.0
# Bounds of ln g, ln(decay / rise - 1) and ln decay (nS, ms).
_LOW: Final = (-12.0, float(np.log(0.1)), float(np.log(0.3)))
_HIGH: Final = (6.0, float(np.log(40.0)), float(np.log(60.0)))
_CHANGE: Final = 1e-5  # of an unknown, for the slopes


def match_psps(
    targets: Sequence[PspTarget],
    cells: Mapping[str, AdExParameters],
    *,
    holding: str = "fitted",
) -> tuple[PspMatch, ...]:
    """Conductance (nS), rise and decay (ms) that give measured potentials, all pairs at once.

    Rises and decays are matched to the same relative accuracy; where one conductance cannot give
    both, each misses by a part.

    Args:
        targets: measured potentials.
        cells: AdEx parameters of each postsynaptic class.
        holding: ``fitted`` inside the recordings' bin, or ``named``: fixed at -55 and -70 mV, with
            a passive membrane where the cell cannot be held there.

    Raises:
        ParameterError: no target, a class without a cell, or a fit that does not converge.
    """
    check_choice("holding", holding, HOLDINGS)
    problem = _Problem(targets, choose_cells(targets, cells), fixed=holding == "named")
    low, high = problem.bounds()
    found = least_squares(
        problem.residuals,
        np.clip(problem.start(), low + 1e-6, high - 1e-6),
        jac=problem.jacobian,
        bounds=(low, high),
        ftol=1e-9,
        xtol=1e-9,
        gtol=1e-9,
        max_nfev=300,
    )
    return problem.report(found)


class _Problem:
    """Four unknowns for each pair: ln g, ln(decay / rise - 1), ln decay, ln distance from V_T.

    The distance of the holding potential from V_T is counted in Delta_T: near V_T the membrane time
    constant goes as its inverse.
    """

    def __init__(
        self, targets: Sequence[PspTarget], cells: Sequence[AdExParameters], *, fixed: bool
    ) -> None:
        self.targets, self.cells = targets, cells
        excitatory = np.array([one.pre in EXCITATORY for one in targets])
        bins = np.where(excitatory[:, None], EXCITATORY_HOLDING, INHIBITORY_HOLDING)
        low, self.name, high = bins.T
        self.spread = (high - low) / np.sqrt(12.0)  # of a uniform distribution over the bin
        if fixed:
            low, high = self.name - 1e-3, self.name + 1e-3
            top = np.array([highest_holding(cell, MIN_SLOPE_NAMED) for cell in cells])
            self.active = np.asarray(top >= self.name, dtype=float)
        else:
            # A cell that rests nowhere in the bin is passive there.
            top = np.array([highest_holding(cell) for cell in cells])
            self.active = np.asarray(top > low + 0.5, dtype=float)
        self.low = low
        self.high = np.where(self.active > 0, np.minimum(high, top), high)
        # A passive cell has no threshold; a far one lets the same formula serve.
        delta, threshold = (np.array([getattr(c, k) for c in cells]) for k in ("Delta_T", "V_T"))
        self.delta = np.where(self.active > 0, delta, 5.0)
        self.threshold = np.where(self.active > 0, threshold, high + 10.0)
        self.reversal = np.where(excitatory, EXCITATORY_REVERSAL, INHIBITORY_REVERSAL)
        self.amplitude = np.array([one.amplitude_mV for one in targets])
        self.rise = np.array([one.rise_ms for one in targets])
        self.decay = np.array([one.decay_ms for one in targets])
        self.projections: Array | None = None

    def distance(self, holding: Array) -> Array:
        return np.asarray(np.log((self.threshold - holding) / self.delta))

    def holding(self, distance: Array) -> Array:
        return np.clip(self.threshold - self.delta * np.exp(distance), self.low, self.high)

    def start(self) -> Array:
        drive = np.abs(self.reversal - self.name)
        charge = np.array([c.C for c in self.cells]) * np.abs(self.amplitude) / drive
        decay = np.clip(self.rise / 3.0, 0.5, 20.0)
        ratio = np.full(len(decay), _RATIO_MEAN)
        distance = self.distance(np.clip(self.name, self.low, self.high))
        return np.stack([np.log(charge / decay), ratio, np.log(decay), distance], axis=1).ravel()

    def bounds(self) -> tuple[Array, Array]:
        n = len(self.targets)
        low = np.column_stack([np.tile(_LOW, (n, 1)), self.distance(self.high)])
        high = np.column_stack([np.tile(_HIGH, (n, 1)), self.distance(self.low)])
        return low.ravel(), high.ravel()

    def membranes(self, distance: Array) -> Membranes:
        return make_membranes(self.cells, self.holding(distance), self.active)

    def respond(self, x: Array, duration_ms: float = FIT_WINDOW) -> tuple[Array, Array]:
        log_g, ratio, log_decay, distance = x.reshape(-1, 4).T
        decay = np.exp(log_decay)
        return simulate_psp(
            self.membranes(distance),
            np.exp(log_g),
            decay / (1 + np.exp(ratio)),
            decay,
            self.reversal,
            duration_ms=duration_ms,
        )

    def residuals(self, x: Array) -> Array:
        t, v = self.respond(x)
        if self.projections is None:
            self.projections = shape_projections(t, self.rise, self.decay)
        amplitude, rise_change, decay_change = np.einsum("nkt,nt->kn", self.projections, v)
        _, ratio, _, distance = x.reshape(-1, 4).T
        return np.stack(
            [
                (amplitude / self.amplitude - 1.0) / _AMPLITUDE_SD,
                rise_change / self.amplitude / _TIME_SD,
                decay_change / self.amplitude / _TIME_SD,
                (ratio - _RATIO_MEAN) / _RATIO_SD,
                (self.holding(distance) - self.name) / self.spread,
            ],
            axis=1,
        ).ravel()

    def jacobian(self, x: Array) -> Array:
        """Block-diagonal: one simulation of all pairs for each of the four unknowns."""
        base, slopes = self.residuals(x), []
        for k in range(4):
            moved = x.copy()
            moved[k::4] += _CHANGE
            slopes.append((self.residuals(moved) - base) / _CHANGE)
        return np.asarray(block_diag(*np.stack(slopes, axis=1).reshape(-1, 5, 4)))

    def report(self, found: OptimizeResult) -> tuple[PspMatch, ...]:
        if not found.success:
            worst = int(np.abs(np.asarray(found.grad)).reshape(-1, 4).max(axis=1).argmax())
            one = self.targets[worst]
            raise ParameterError(
                f"{one.pre} → {one.post}: the fit of conductances did not converge "
                f"({found.message}); check amplitude {one.amplitude_mV:g} mV, rise "
                f"{one.rise_ms:g} ms, decay {one.decay_ms:g} ms and the postsynaptic cell"
            )
        log_g, ratio, log_decay, distance = found.x.reshape(-1, 4).T
        decay = np.exp(log_decay)
        return collect_matches(
            self.targets,
            np.exp(log_g),
            decay / (1 + np.exp(ratio)),
            decay,
            self.holding(distance),
            self.active,
            self.respond(found.x, SLOW_DURATION),
        )
