"""From measured potentials to conductances: amplitude, rise and decay of each pair of classes.

Unknown for each pair are the peak conductance, the rise and decay of its kernel, the potential at
which the cells were held, and their membrane time constant.

The recordings give the potential as a bin only (-60 to -50 mV for inhibition, called -55, and -80
to -60 mV for excitation, called -70), and it matters: near V_T the exponential current cancels part
of the leak, which prolongs potentials (Stuart 1999, Nat. Neurosci. 2:144, shows it for inhibition),
and above V_T a model cell has no resting state. So the potential is fitted inside the bin, drawn to
the bin's name by a prior, below the highest potential at which the model cell rests.

The recorded cells are not those that define the classes, and the tables do not tell their
membranes. So the time constant is fitted between the quartiles of the postsynaptic class, drawn to
its central cell by a prior as wide as the class, in every pair alike
(`swta.cells.synapses.time_constants`).

The result is the conductance of one compartment: a potential that peaks after 5 ms leaves no room
for inhibition that lasts 6-8 ms, as currents of PV cells do in voltage clamp, on a membrane of 20
ms or more. Amplitude and time course of the potential are right, the current's is shorter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from swta.cells.adex import AdExParameters
from swta.cells.synapses.kernel import TIME_STEP, simulate_psp
from swta.cells.synapses.membrane import (
    EXCITATORY_HOLDING,
    INHIBITORY_HOLDING,
    MIN_SLOPE_NAMED,
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
from swta.cells.synapses.time_constants import TimeConstants
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
    time_constants: Mapping[str, TimeConstants] | None = None,
    holding: str = "fitted",
) -> tuple[PspMatch, ...]:
    """Conductance (nS), rise and decay (ms) that give measured potentials.

    Rises and decays are matched to the same relative accuracy; where one conductance cannot give
    both, each misses by a part.

    Args:
        targets: measured potentials.
        cells: AdEx parameters of each postsynaptic class.
        time_constants: of each postsynaptic class, the quartiles between which the cell's membrane
            time constant is fitted; by default it is that of ``cells``.
        holding: ``fitted`` inside the recordings' bin, or ``named``: fixed at -55 and -70 mV, with
            a passive membrane where the cell cannot be held there.

    Raises:
        ParameterError: no target, a class without a cell or time constants, or a fit that does not
            converge.
    """
    check_choice("holding", holding, HOLDINGS)
    own = choose_cells(targets, cells)
    pairs, found = [], []
    for target, cell in zip(targets, own, strict=True):
        if time_constants is not None and target.post not in time_constants:
            raise ParameterError(
                f"{target.pre} → {target.post}: no time constants of class {target.post!r} among "
                f"{', '.join(time_constants) or 'none'}; give them, or None for those of the cells"
            )
        spread = None if time_constants is None else time_constants[target.post]
        pairs.append(_Pair(target, cell, spread, fixed=holding == "named"))
        found.append(pairs[-1].solve())
    g, rise, decay, held_at, tau, leak = np.array(
        [pair.unpack(x[None, :]) for pair, x in zip(pairs, found, strict=True)]
    )[:, :, 0].T
    held = make_membranes(
        own, held_at, [pair.active for pair in pairs], membrane_ms=tau, leak_nS=leak
    )
    reversal = [pair.reversal for pair in pairs]
    response = simulate_psp(held, g, rise, decay, reversal, duration_ms=SLOW_DURATION)
    return collect_matches(targets, g, rise, decay, held, response)


class _Pair:
    """Unknowns of one pair: ln g, ln(decay / rise - 1), ln decay, ln distance from V_T, ln tau.

    The distance of the holding potential from V_T is counted in Delta_T: near V_T the membrane time
    constant goes as its inverse. The last is the membrane time constant in parts of the cell's own,
    and no unknown where that is fixed. Functions take many points, (k, unknowns).
    """

    def __init__(
        self, target: PspTarget, cell: AdExParameters, spread: TimeConstants | None, *, fixed: bool
    ) -> None:
        self.target, self.cell, self.spread = target, cell, spread
        excitatory = target.pre in EXCITATORY
        low, self.name, high = EXCITATORY_HOLDING if excitatory else INHIBITORY_HOLDING
        self.bin_sd = (high - low) / np.sqrt(12.0)  # of a uniform distribution over the bin
        if fixed:
            low, high = self.name - 1e-3, self.name + 1e-3
            top = highest_holding(cell, MIN_SLOPE_NAMED)
            self.active = top >= self.name
        else:
            # A cell that rests nowhere in the bin is passive there.
            top = highest_holding(cell)
            self.active = top > low + 0.5
        self.low, self.high = low, min(high, top) if self.active else high
        # A passive cell has no threshold; a far one lets the same formula serve.
        self.delta = cell.Delta_T if self.active else 5.0
        self.threshold = cell.V_T if self.active else high + 10.0
        self.reversal = EXCITATORY_REVERSAL if excitatory else INHIBITORY_REVERSAL
        steps = round(FIT_WINDOW / TIME_STEP) + 1
        times = np.asarray(TIME_STEP * np.arange(steps), dtype=float)
        self.projections = shape_projections(times, target.rise_ms, target.decay_ms)[0]

    def distance(self, holding: ArrayLike) -> Array:
        return np.asarray(np.log((self.threshold - np.asarray(holding)) / self.delta))

    def holding(self, distance: Array) -> Array:
        return np.clip(self.threshold - self.delta * np.exp(distance), self.low, self.high)

    def starts(self) -> Array:
        """One at the bin's name, and one at each of its ends: there may be several minima."""
        target = self.target
        charge = self.cell.C * abs(target.amplitude_mV / (self.reversal - self.name))
        decay = float(np.clip(target.rise_ms / 3.0, 0.5, 20.0))
        first = [np.log(charge / decay), _RATIO_MEAN, np.log(decay)]
        places = np.unique(np.clip([self.name, self.low, self.high], self.low, self.high))
        points = [[*first, float(self.distance(place))] for place in places]
        return np.array([[*point, 0.0][: self.bounds().shape[1]] for point in points])

    def bounds(self) -> Array:
        """Lowest and highest values, (2, unknowns)."""
        low = [*_LOW, float(self.distance(self.high))]
        high = [*_HIGH, float(self.distance(self.low))]
        if self.spread is not None:
            low.append(float(np.log(self.spread.low_ms / self.cell.tau_m)))
            high.append(float(np.log(self.spread.high_ms / self.cell.tau_m)))
        return np.array([low, high])

    def unpack(self, points: Array) -> tuple[Array, ...]:
        """Conductance, its rise and decay, holding potential, membrane time constant and leak."""
        log_g, ratio, log_decay, distance = points.T[:4]
        decay, change = np.exp(log_decay), np.zeros(len(points))
        exponent = 0.0
        if self.spread is not None:
            change, exponent = points[:, 4], self.spread.exponent
        return (
            np.exp(log_g),
            decay / (1 + np.exp(ratio)),
            decay,
            self.holding(distance),
            self.cell.tau_m * np.exp(change),
            self.cell.g_L * np.exp(-exponent * change),
        )

    def misses(self, points: Array) -> Array:
        """What the fit makes small, (k, 5) or (k, 6)."""
        g, rise, decay, holding, tau, leak = self.unpack(points)
        held = make_membranes(
            [self.cell] * len(points), holding, self.active, membrane_ms=tau, leak_nS=leak
        )
        _, v = simulate_psp(held, g, rise, decay, self.reversal, duration_ms=FIT_WINDOW)
        size = self.target.amplitude_mV
        amplitude, rise_change, decay_change = self.projections @ v.T / size
        columns = [
            (amplitude - 1.0) / _AMPLITUDE_SD,
            rise_change / _TIME_SD,
            decay_change / _TIME_SD,
            (points[:, 1] - _RATIO_MEAN) / _RATIO_SD,
            (holding - self.name) / self.bin_sd,
        ]
        if self.spread is not None:
            columns.append(points[:, 4] / self.spread.log_sd)
        return np.stack(columns, axis=1)

    def jacobian(self, x: Array) -> Array:
        """Slopes of the misses, from one simulation of a step in each unknown."""
        points = np.vstack([x, x + _CHANGE * np.eye(len(x))])
        misses = self.misses(points)
        return np.asarray((misses[1:] - misses[0]).T / _CHANGE)

    def solve(self) -> Array:
        """The best point from all starts."""
        low, high = self.bounds()
        found = [
            least_squares(
                lambda x: self.misses(x[None, :])[0],
                np.clip(start, low + 1e-6, high - 1e-6),
                jac=self.jacobian,
                bounds=(low, high),
                ftol=1e-9,
                xtol=1e-9,
                gtol=1e-9,
                max_nfev=300,
            )
            for start in self.starts()
        ]
        best = min(found, key=lambda one: float(one.cost))
        if not best.success:
            one = self.target
            raise ParameterError(
                f"{one.pre} → {one.post}: the fit of conductances did not converge "
                f"({best.message}); check amplitude {one.amplitude_mV:g} mV, rise "
                f"{one.rise_ms:g} ms, decay {one.decay_ms:g} ms and the postsynaptic cell"
            )
        return np.asarray(best.x)
