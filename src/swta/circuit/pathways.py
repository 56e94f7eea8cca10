"""The synapses of the spiking motif: one record per pair of classes, and what was adjusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from swta.cells.classes import CLASSES, LABELS
from swta.cells.synapses import INPUT, load_synapses
from swta.validation import ParameterError, check_choice, check_real

RECEPTORS: Final = ("AMPA", "GABA fast", "GABA slow", "GABA volume")
RECEPTOR_OF: Final = MappingProxyType(
    {"Pyr": 0, INPUT: 0, "Pvalb": 1, "Vip": 1, "Sst": 2, "Lamp5": 3}
)
Pair = tuple[str, str]


@dataclass(frozen=True)
class Pathway:
    """Synapses from one class to another.

    Raises:
        ParameterError: an unknown class, a probability outside [0, 1], a negative conductance, or
            a time that is out of range.
    """

    pre: str  # class that sends
    post: str  # class that receives
    probability: float  # of a connection at zero distance
    sigma_um: float  # µm, s.d. of the Gaussian fall-off of the probability with distance
    g_nS: float  # nS, peak conductance of a first release from rest, mean over synapses
    log_sd: float  # s.d. of the logarithm of the conductance among synapses
    decay_ms: float  # ms, decay of the conductance
    delay_ms: float  # ms, from spike to onset
    U: float  # share of the resources that a first spike releases (Tsodyks and Markram 1997)
    tau_d_ms: float  # ms, recovery from depression; 0: at once
    tau_f_ms: float  # ms, decay of facilitation; 0: none
    source: str  # status of the conductance: measured, pooled, proxy or assumed

    def __post_init__(self) -> None:
        name = f"{self.pre} to {self.post}"
        check_choice("pre", self.pre, (*CLASSES, INPUT))
        check_choice("post", self.post, CLASSES)
        check_real(f"probability of {name}", self.probability, low=0, high=1)
        check_real(f"sigma_um of {name}", self.sigma_um, low=0, open_low=True, unit="um")
        check_real(f"g_nS of {name}", self.g_nS, low=0, unit="nS")
        check_real(f"log_sd of {name}", self.log_sd, low=0, high=2)
        check_real(f"decay_ms of {name}", self.decay_ms, low=0.2, unit="ms")
        check_real(f"delay_ms of {name}", self.delay_ms, low=0.1, unit="ms")
        check_real(f"U of {name}", self.U, low=0, high=1, open_low=True)
        check_real(f"tau_d_ms of {name}", self.tau_d_ms, low=0, unit="ms")
        check_real(f"tau_f_ms of {name}", self.tau_f_ms, low=0, unit="ms")

    @property
    def receptor(self) -> int:
        """Index into ``RECEPTORS`` of the conductance that the sender opens."""
        return RECEPTOR_OF[self.pre]


@dataclass(frozen=True)
class Adjustment:
    """The one free factor of a pathway: conductance in the network over conductance in the slice.

    Raises:
        ParameterError: an unknown class or a negative factor.
    """

    pre: str  # class that sends
    post: str  # class that receives
    factor: float  # dimensionless
    reason: str  # why the slice value does not do

    def __post_init__(self) -> None:
        check_choice("pre", self.pre, CLASSES)
        check_choice("post", self.post, CLASSES)
        check_real(f"factor of {self.pre} to {self.post}", self.factor, low=0)


@cache
def load_pathways() -> Mapping[Pair, Pathway]:
    """Slice values of all pathways between the classes and from the input, by (pre, post).

    The measured conductance rises and decays, g (e^(-t/d) - e^(-t/r)). The network has one decay
    r + d per pathway instead, with the same area: area and mean time of the conductance are those
    of the measured one.
    """
    table = {}
    for (pre, post), one in load_synapses().items():
        rise, decay = one.rise_ms.value, one.decay_ms.value
        table[pre, post] = Pathway(
            pre,
            post,
            probability=one.probability.value,
            sigma_um=one.sigma_um.value,
            g_nS=one.g_nS.value * kernel_area(rise, decay) / (rise + decay),
            log_sd=one.g_log_sd.value,
            decay_ms=rise + decay,
            delay_ms=one.delay_ms.value,
            U=one.U.value,
            tau_d_ms=one.tau_d_ms.value,
            tau_f_ms=one.tau_f_ms.value,
            source=one.g_nS.status,
        )
    return MappingProxyType(table)


def kernel_area(rise_ms: float, decay_ms: float) -> float:
    """Area over peak of e^(-t/decay) - e^(-t/rise), in ms."""
    rise, decay = rise_ms, decay_ms
    peak = np.log(decay / rise) * rise * decay / (decay - rise)
    return float((decay - rise) / (np.exp(-peak / decay) - np.exp(-peak / rise)))


def adjust(
    pathways: Mapping[Pair, Pathway], adjustments: tuple[Adjustment, ...]
) -> dict[Pair, Pathway]:
    """Pathways with the conductances of the network (nS) in place of those of the slice.

    Raises:
        ParameterError: an adjustment of a pathway that does not exist, or two of one pathway.
    """
    adjusted = dict(pathways)
    seen: set[Pair] = set()
    for one in adjustments:
        pair = (one.pre, one.post)
        if pair not in adjusted or pair in seen:
            what = "is adjusted twice" if pair in seen else "has no synapses to adjust"
            raise ParameterError(f"{one.pre} to {one.post} {what}; allowed: one factor per pathway")
        seen.add(pair)
        adjusted[pair] = replace(adjusted[pair], g_nS=adjusted[pair].g_nS * one.factor)
    return adjusted


def tabulate_adjustments(adjustments: tuple[Adjustment, ...]) -> pd.DataFrame:
    """A row per adjusted pathway: from, to, factor, reason. All other pathways have factor 1."""
    return pd.DataFrame(
        [(LABELS[a.pre], LABELS[a.post], a.factor, a.reason) for a in adjustments],
        columns=["from", "to", "factor", "reason"],
    )
