"""LAMP5 (neurogliaform) synapses: what stands in for recordings, and how to vary it.

Nobody has recorded them pair by pair in V1. Connection probabilities come from electron microscopy,
amplitudes and delays from the other interneurons, the dynamics of SST onto LAMP5 from neurogliaform
cells of auditory cortex (Naumann et al. 2025). Kinetics of slow GABA-A and of GABA-B and the
dynamics of the output are set here, each with the range to try.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from swta.cells.synapses.table import Measure, SlowConductance, Synapse
from swta.validation import ParameterError, check_choice, check_integer

_SLOW_A: Final = (
    "neurogliaform cells are the source of slow GABA-A currents of tens of milliseconds in "
    "neocortex (Szabadics, Tamas and Soltesz 2007, PNAS 104:14831), about four times as long as "
    "fast ones in visual cortex, 30 to 70 ms in hippocampus (Sceniak and MacIver 2008, BMC "
    "Neurosci. 9:8); value chosen in that range"
)
SLOW_GABA_A: Final = {
    "rise_ms": Measure(3.0, 0, "assumed", _SLOW_A, 1.5, 6.0),
    "decay_ms": Measure(30.0, 0, "assumed", _SLOW_A, 20.0, 70.0),
}
_FATIGUE: Final = (
    "responses to neurogliaform cells tire with use and recover within seconds (Tamas et al. 2003, "
    "Science 299:1902); value assumed"
)
LAMP5_PLASTICITY: Final = {
    "U": Measure(0.4, 0, "assumed", _FATIGUE, 0.2, 0.6),
    "tau_d_ms": Measure(500.0, 0, "assumed", _FATIGUE, 200.0, 2000.0),
    "tau_f_ms": Measure(10.0, 0, "assumed", _FATIGUE, 1.0, 50.0),
}
GABA_B_REVERSAL: Final = Measure(
    -88.0,
    0,
    "assumed",
    "equilibrium of potassium, 3 mM against 140 mM at 34 °C: -102 mV by Nernst's equation, and 14 "
    "mV more in the frame of the recordings (junction potential)",
    -95.0,
    -80.0,
)
GABA_B_RATIO: Final = Measure(
    0.1,
    0,
    "assumed",
    "peak GABA-B over peak GABA-A conductance: single spikes of neurogliaform cells evoke both "
    "(Tamas et al. 2003, Science 299:1902); the ratio is assumed",
    0.0,
    0.3,
)
_SLOW_B: Final = (
    "unitary GABA-B responses peak after about 100 ms and last for hundreds (Thomson and Destexhe "
    "1999, Neuroscience 92:1193); value chosen in that range"
)
GABA_B_KINETICS: Final = {
    "rise_ms": Measure(60.0, 0, "assumed", _SLOW_B, 30.0, 90.0),
    "decay_ms": Measure(150.0, 0, "assumed", _SLOW_B, 100.0, 300.0),
}


def make_gaba_b(g_nS: Measure) -> SlowConductance:
    """GABA-B component beside a slow GABA-A conductance (nS)."""
    ratio = GABA_B_RATIO
    peak = Measure(
        g_nS.value * ratio.value,
        0,
        "assumed",
        f"{ratio.value:g} of the GABA-A conductance: {ratio.source}",
        g_nS.value * ratio.low,
        g_nS.value * ratio.high,
    )
    return SlowConductance(peak, **GABA_B_KINETICS, reversal_mV=GABA_B_REVERSAL)


@dataclass(frozen=True)
class Lamp5Value:
    """One value of the LAMP5 synapses to vary, and how far."""

    name: str
    output: bool  # of synapses from LAMP5 cells, or of those onto them
    field: str  # of `Synapse`, or of `SlowConductance` if slow
    slow: bool  # GABA-B
    low: float
    high: float
    factor: bool  # low and high multiply the value, or replace it
    why: str  # where the range comes from


_VALUES: Final = (
    Lamp5Value(
        "probability_out",
        True,
        "probability",
        False,
        1 / 3,
        3.0,
        True,
        "paired recordings in rat: 12 of 27 neurogliaform to pyramidal pairs (Wozny and Williams "
        "2011, Cereb. Cortex 21:1818), 2.5 times the microscopy's",
    ),
    Lamp5Value(
        "probability_in",
        False,
        "probability",
        False,
        0.1,
        10.0,
        True,
        "0 of 68 pyramidal to neurogliaform pairs in rat (Wozny and Williams 2011); up to the "
        "probability of other interneurons",
    ),
    Lamp5Value("g_out", True, "g_nS", False, 1 / 3, 3.0, True, "spread among other interneurons"),
    Lamp5Value("g_in", False, "g_nS", False, 1 / 3, 3.0, True, "spread among other interneurons"),
    Lamp5Value("rise_out_ms", True, "rise_ms", False, 1.5, 6.0, False, _SLOW_A),
    Lamp5Value("decay_out_ms", True, "decay_ms", False, 20.0, 70.0, False, _SLOW_A),
    Lamp5Value("U_out", True, "U", False, 0.2, 0.6, False, _FATIGUE),
    Lamp5Value("tau_d_out_ms", True, "tau_d_ms", False, 200.0, 2000.0, False, _FATIGUE),
    Lamp5Value("gaba_b_ratio", True, "g_nS", True, 0.0, 0.3, False, GABA_B_RATIO.source),
    Lamp5Value("gaba_b_decay_ms", True, "decay_ms", True, 100.0, 300.0, False, _SLOW_B),
    Lamp5Value(
        "gaba_b_reversal_mV", True, "reversal_mV", True, -95.0, -80.0, False, GABA_B_REVERSAL.source
    ),
)
LAMP5_VALUES: Final[Mapping[str, Lamp5Value]] = {one.name: one for one in _VALUES}


@dataclass(frozen=True)
class Lamp5Variation:
    """A whole table of synapses with one value of the LAMP5 synapses changed."""

    name: str  # one of `LAMP5_VALUES`
    value: float  # the factor or the value, as `LAMP5_VALUES` says
    synapses: Mapping[tuple[str, str], Synapse]


def vary_lamp5(
    synapses: Mapping[tuple[str, str], Synapse],
    names: tuple[str, ...] | None = None,
    *,
    steps: int = 3,
) -> Iterator[Lamp5Variation]:
    """Tables with one value of the LAMP5 synapses changed at a time, from lowest to highest.

    Factors run over a geometric series, values over an arithmetic one. Peak conductances stay when
    kinetics are varied; ``g_out`` takes GABA-B with it.

    Args:
        synapses: from `load_synapses`; with ``gaba_b=True`` to vary GABA-B as well.
        names: which of `LAMP5_VALUES`; by default all that these synapses have.
        steps: tables per value.

    Raises:
        ParameterError: an unknown name, fewer than two steps, or GABA-B values without GABA-B.
    """
    check_integer("steps", steps, low=2)
    slow = any(one.slow is not None for one in synapses.values())
    if names is None:
        names = tuple(name for name, one in LAMP5_VALUES.items() if slow or not one.slow)
    for name in names:
        check_choice("names", name, LAMP5_VALUES)
        if LAMP5_VALUES[name].slow and not slow:
            raise ParameterError(
                f"names holds {name!r}, but these synapses have no GABA-B; load them with "
                "load_synapses(gaba_b=True)"
            )
    return _vary(synapses, [LAMP5_VALUES[name] for name in names], steps)


def _vary(
    synapses: Mapping[tuple[str, str], Synapse], varied: list[Lamp5Value], steps: int
) -> Iterator[Lamp5Variation]:
    for one in varied:
        series = (np.geomspace if one.factor else np.linspace)(one.low, one.high, steps)
        for value in series:
            changed = {
                pair: _change(synapse, one, float(value)) if _concerns(synapse, one) else synapse
                for pair, synapse in synapses.items()
            }
            yield Lamp5Variation(one.name, float(value), changed)


def _concerns(synapse: Synapse, one: Lamp5Value) -> bool:
    if one.output:
        return synapse.pre == "Lamp5"
    return synapse.post == "Lamp5" and synapse.pre != "Lamp5"


def _change(synapse: Synapse, one: Lamp5Value, value: float) -> Synapse:
    holder: Synapse | SlowConductance | None = synapse.slow if one.slow else synapse
    old: Measure = getattr(holder, one.field)
    if one.name == "gaba_b_ratio":
        value *= synapse.g_nS.value
    elif one.factor:
        value *= old.value
    if one.field == "probability":
        value = min(value, 1.0)
    new: dict[str, Any] = {one.field: _set(old, value)}
    if one.slow and synapse.slow is not None:
        return replace(synapse, slow=replace(synapse.slow, **new))
    if one.name == "g_out" and synapse.slow is not None:
        peak = synapse.slow.g_nS
        scaled = _set(peak, peak.value * value / old.value)
        new["slow"] = replace(synapse.slow, g_nS=scaled)
    return replace(synapse, **new)


def _set(old: Measure, value: float) -> Measure:
    return Measure(value, 0, "assumed", f"varied from {old.value:.4g}: {old.source}")
