"""Measured potentials to match, and the conductances that evoke them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swta.cells.adex import AdExParameters
from swta.cells.synapses.membrane import Membranes
from swta.cells.synapses.table import EXCITATORY
from swta.validation import ParameterError, check_real

Array = NDArray[np.float64]

SLOW_DURATION: Final = 200.0  # ms, to see the whole of a slow potential


@dataclass(frozen=True)
class PspTarget:
    """A measured potential of one pair of classes.

    Raises:
        ParameterError: a time that is not positive, or an amplitude of the wrong sign.
    """

    pre: str
    post: str
    amplitude_mV: float  # signed
    rise_ms: float  # onset to peak
    decay_ms: float  # exponential decay

    def __post_init__(self) -> None:
        check_real("rise_ms", self.rise_ms, low=0, open_low=True, unit="ms")
        check_real("decay_ms", self.decay_ms, low=0, open_low=True, unit="ms")
        check_real("amplitude_mV", self.amplitude_mV, unit="mV")
        if self.amplitude_mV == 0 or (self.amplitude_mV > 0) != (self.pre in EXCITATORY):
            raise ParameterError(
                f"{self.pre} → {self.post}: amplitude_mV = {self.amplitude_mV:g} has the wrong "
                "sign; excitatory potentials are above 0, inhibitory ones below"
            )


@dataclass(frozen=True)
class PspMatch:
    """The conductance that evokes a measured potential in a model cell."""

    pre: str
    post: str
    g_nS: float
    rise_ms: float  # of the conductance
    decay_ms: float
    holding_mV: float
    exponential: bool  # whether the held membrane kept its exponential term
    membrane_ms: float  # C / g_L of the postsynaptic cell
    leak_nS: float  # its g_L
    psp_rise_ms: float  # of the evoked potential: onset to peak
    psp_decay_ms: float  # of the evoked potential: peak to 1/e of it


def choose_cells(
    targets: Sequence[PspTarget], cells: Mapping[str, AdExParameters]
) -> list[AdExParameters]:
    """The postsynaptic cell of each target.

    Raises:
        ParameterError: no target, or a class without a cell.
    """
    if not targets:
        raise ParameterError("targets is empty; give at least one measured potential")
    for one in targets:
        if one.post not in cells:
            raise ParameterError(
                f"{one.pre} → {one.post}: no cell of class {one.post!r} among "
                f"{', '.join(cells) or 'none'}; give one"
            )
    return [cells[one.post] for one in targets]


def collect_matches(
    targets: Sequence[PspTarget],
    g: Array,
    rise: Array,
    decay: Array,
    held: Membranes,
    response: tuple[Array, Array],
) -> tuple[PspMatch, ...]:
    """One match a target; response holds times and deflections of the evoked potentials."""
    t, v = response
    tau = held.passive_time_constant
    size = np.abs(v)
    matches = []
    for i, one in enumerate(targets):
        top = int(size[i].argmax())
        below = np.flatnonzero(size[i, top:] < size[i, top] / np.e)
        matches.append(
            PspMatch(
                pre=one.pre,
                post=one.post,
                g_nS=float(g[i]),
                rise_ms=float(rise[i]),
                decay_ms=float(decay[i]),
                holding_mV=float(held.holding[i]),
                exponential=bool(held.exponential[i]),
                membrane_ms=float(tau[i]),
                leak_nS=float(held.g_L[i]),
                psp_rise_ms=float(t[top]),
                psp_decay_ms=float(t[below[0]]) if below.size else SLOW_DURATION,
            )
        )
    return tuple(matches)
