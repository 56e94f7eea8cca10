"""Synapses between the five classes and from the input: one frozen record per pair of classes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

import pandas as pd

from swta.cells.classes import CLASSES, LABELS
from swta.validation import ParameterError, check_choice, check_integer, check_real

INPUT: Final = "Input"  # axons of layer 4 (and thalamus) that excite layer 2/3
PRESYNAPTIC: Final = (*CLASSES, INPUT)
POSTSYNAPTIC: Final = CLASSES
PAIRS: Final = tuple((pre, post) for pre in PRESYNAPTIC for post in POSTSYNAPTIC)
EXCITATORY: Final = ("Pyr", INPUT)
SYNAPSE_LABELS: Final = {**LABELS, INPUT: "Input"}

# measured: recordings of this pair of classes; pooled: mean over recordings of related pairs;
# proxy: another quantity or other cells stand in for it; assumed: no measurement behind it.
STATUSES: Final = ("measured", "pooled", "proxy", "assumed")

EXCITATORY_REVERSAL: Final = 14.0  # mV as recorded: 0 mV and a junction potential of 14 mV
INHIBITORY_REVERSAL: Final = -70.0  # mV as recorded, measured in voltage clamp (-70 ± 4 mV)


@dataclass(frozen=True)
class Measure:
    """One value with what is known about it.

    Raises:
        ParameterError: a value that is not finite, an unknown status, or no source.
    """

    value: float  # in the unit of the field it stands in
    n: int  # recordings behind it; 0 where there is none
    status: str  # one of `STATUSES`
    source: str  # table, citation, and how the value was obtained
    low: float = math.nan  # lower quartile, or lower end of the range given in the source
    high: float = math.nan  # upper quartile, or upper end

    def __post_init__(self) -> None:
        check_real("value", self.value)
        check_integer("n", self.n, low=0)
        check_choice("status", self.status, STATUSES)
        if not self.source.strip():
            raise ParameterError("source is empty; say where the value comes from")

    @property
    def known(self) -> bool:
        """Whether a range (quartiles in most cases) is known."""
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True)
class SlowConductance:
    """A second, slower conductance opened by the same spikes (GABA-B of neurogliaform cells)."""

    g_nS: Measure  # nS, peak at rest
    rise_ms: Measure  # ms
    decay_ms: Measure  # ms
    reversal_mV: Measure  # mV, as recorded

    def __post_init__(self) -> None:
        check_real("g_nS", self.g_nS.value, low=0, unit="nS")
        _check_kernel(self.rise_ms.value, self.decay_ms.value)
        check_real("reversal_mV", self.reversal_mV.value, low=-150, high=50, unit="mV")


@dataclass(frozen=True)
class Synapse:
    """Synapses from one class onto another.

    A spike opens, after `delay_ms`, the conductance g (exp(-t / decay) - exp(-t / rise)), scaled
    such that its peak is ``g_nS u R / U``: u and R are utilisation and resources of the Tsodyks-
    Markram model (`swta.cells.synapses.plasticity`), so ``g_nS`` is the peak after a long rest.

    Raises:
        ParameterError: an unknown class or a value that no synapse can have.
    """

    pre: str  # one of `PRESYNAPTIC`
    post: str  # one of `CLASSES`
    probability: Measure  # of a connection between neighbours, at zero distance
    sigma_um: Measure  # µm, its fall-off: probability exp(-distance² / (2 sigma²))
    delay_ms: Measure  # ms, steepest point of the spike to onset of the response
    rise_ms: Measure  # ms, rise time constant of the conductance
    decay_ms: Measure  # ms, decay time constant of the conductance
    g_nS: Measure  # nS, peak conductance after a rest
    reversal_mV: Measure  # mV, as recorded
    U: Measure  # utilisation of resources by the first spike
    tau_d_ms: Measure  # ms, recovery of resources (depression)
    tau_f_ms: Measure  # ms, decay of facilitation
    psp_mV: Measure  # mV, the potential that g_nS was matched to; negative if inhibitory
    psp_median_mV: Measure  # mV, median of the same recordings, which is smaller
    psp_strong_mV: Measure  # mV, 90th percentile of all responses of a synapse, mean over synapses
    psp_rise_ms: Measure  # ms, onset to peak of the potential
    psp_decay_ms: Measure  # ms, exponential decay of the potential
    stp_induction: Measure  # change from pulse 1 to 6-8 at 50 Hz, per 90th percentile
    stp_recovery: Measure  # change from pulses 1-4 to 9-12 after 250 ms, per 90th percentile
    g_log_sd: Measure  # standard deviation of the logarithm of g among synapses
    holding_mV: Measure  # mV, where the postsynaptic cell is held for psp_mV
    membrane_ms: Measure  # ms, time constant C / g_L of that cell, between the class's quartiles
    leak_nS: Measure  # nS, its g_L
    exponential: bool  # whether the AdEx cell so held keeps its exponential term
    slow: SlowConductance | None = None

    def __post_init__(self) -> None:
        check_choice("pre", self.pre, PRESYNAPTIC)
        check_choice("post", self.post, POSTSYNAPTIC)
        check_real("probability", self.probability.value, low=0, high=1)
        check_real("sigma_um", self.sigma_um.value, low=0, open_low=True, unit="µm")
        check_real("delay_ms", self.delay_ms.value, low=0, unit="ms")
        _check_kernel(self.rise_ms.value, self.decay_ms.value)
        check_real("g_nS", self.g_nS.value, low=0, unit="nS")
        check_real("reversal_mV", self.reversal_mV.value, low=-150, high=50, unit="mV")
        check_real("U", self.U.value, low=0, high=1, open_low=True)
        check_real("tau_d_ms", self.tau_d_ms.value, low=0, unit="ms")
        check_real("tau_f_ms", self.tau_f_ms.value, low=0, unit="ms")
        check_real("g_log_sd", self.g_log_sd.value, low=0)
        check_real("psp_rise_ms", self.psp_rise_ms.value, low=0, open_low=True, unit="ms")
        check_real("psp_decay_ms", self.psp_decay_ms.value, low=0, open_low=True, unit="ms")
        check_real("membrane_ms", self.membrane_ms.value, low=0, open_low=True, unit="ms")
        check_real("leak_nS", self.leak_nS.value, low=0, open_low=True, unit="nS")

    @property
    def pair(self) -> tuple[str, str]:
        """(pre, post)."""
        return self.pre, self.post

    @property
    def excitatory(self) -> bool:
        """Whether the presynaptic cells are excitatory."""
        return self.pre in EXCITATORY

    @property
    def recorded(self) -> bool:
        """Whether potentials were recorded for this pair, or for a pool that contains it."""
        return self.psp_mV.status in ("measured", "pooled")

    @property
    def label(self) -> str:
        """Pair as the text writes it, such as PV→Pyr."""
        return f"{SYNAPSE_LABELS[self.pre]}→{SYNAPSE_LABELS[self.post]}"


QUANTITIES: Final = tuple(field.name for field in fields(Synapse) if field.type == "Measure")
_UNITS: Final = {"_um": "µm", "_ms": "ms", "_nS": "nS", "_mV": "mV"}
SLOW_QUANTITIES: Final = tuple(field.name for field in fields(SlowConductance))
QUANTITY_UNITS: Final = {
    name: next(
        (unit for end, unit in _UNITS.items() if name.endswith(end)),
        "1",
    )
    for name in (*QUANTITIES, *SLOW_QUANTITIES)
}


def _check_kernel(rise_ms: float, decay_ms: float) -> None:
    check_real("rise_ms", rise_ms, low=0, open_low=True, unit="ms")
    check_real(
        "decay_ms",
        decay_ms,
        low=rise_ms,
        open_low=True,
        unit="ms",
        hint="The conductance decays more slowly than it rises",
    )


def tabulate_synapses(synapses: Mapping[tuple[str, str], Synapse]) -> pd.DataFrame:
    """Every value of every pair of classes, one a row, with unit, n, range, status and source.

    Args:
        synapses: from `load_synapses` or `fit_synapses`.

    Returns:
        Columns pre, post, quantity, value, unit, n, low, high, status, source; the quantities of a
        slow conductance start with ``slow_``.
    """
    rows = []
    for (pre, post), one in synapses.items():
        named = [(name, name, getattr(one, name)) for name in QUANTITIES]
        if one.slow is not None:
            named += [(f"slow_{name}", name, getattr(one.slow, name)) for name in SLOW_QUANTITIES]
        for shown, name, entry in named:
            rows.append(
                {
                    "pre": pre,
                    "post": post,
                    "quantity": shown,
                    "value": entry.value,
                    "unit": QUANTITY_UNITS[name],
                    "n": entry.n,
                    "low": entry.low,
                    "high": entry.high,
                    "status": entry.status,
                    "source": entry.source,
                }
            )
    return pd.DataFrame(rows)
