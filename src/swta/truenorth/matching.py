r"""Gain matching to a measured network: rates in Hz and drives in kHz become whole numbers.

A network is described by what can be measured at its populations (`Gains`). A unit's drive
:math:`D` comes in on lines of :math:`c D` spikes per tick each, and a rate of 1 Hz is
``rate_scale`` spikes per tick. A line spike carries one threshold; copies of the lines of all units
take :math:`\varphi` of their sum away again, so that

.. math:: c\,(1-\varphi) = s\,k, \qquad c\,\varphi = -s\,k' .

Loop gains are weights times the number of lines that a neuron hears. Both can be chosen, so that a
crossbar that is not full stands for a fraction of a weight. Leaks that differ from neuron to neuron
spread the threshold of a population and round its corner off; the negative threshold decides how
much inhibition is kept.

A neuron has four weights: lines, recurrent excitation, SST, and PV, which stands for the copies of
the lines and for PV neurons alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import gcd
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from swta.circuit.reduction import EffectiveMotif
from swta.truenorth.mapping import PRIMITIVES
from swta.truenorth.network import Network, Population, Projection, Source
from swta.truenorth.neuron import LINEAR_RESET, MAX_THRESHOLD, MAX_WEIGHT
from swta.truenorth.placement import Placement, place
from swta.validation import check_choice, check_integer, check_real

THRESHOLD: Final = 240  # of the units' neurons: near the largest weight, divisible by many numbers
POOL_THRESHOLD: Final = 960  # of PV and SST neurons: a leak of 1, VIP's grain, is then small
HIGHEST: Final = 0.5  # spikes per tick for the highest rate: high enough for small fluctuations
POOL_SHARE: Final = 0.5  # rate of the pool over the summed rate of the units; only β₁β₂ matters
# Negative threshold over threshold where a correction starts. Much deeper ones move rates little,
# and other gains make up for them: from 4 the correction ended in a worse place (an error of 4.1 %
# on what it had seen, against 2.6 %).
SHALLOW: Final = 1.5


@dataclass(frozen=True)
class Gains:
    """Slopes and thresholds of a network's populations, as measured.

    Raises:
        ParameterError: a value out of range.
    """

    gain_hz_per_khz: float  # k, rate of a unit per own drive with all loops open
    rival_hz_per_khz: float  # k', the same per drive of another unit; negative or 0
    threshold_hz: float  # T of the units, mean over their neurons
    alpha: float  # self-excitation
    loop: float  # β₁β₂ through SST cells
    pv_loop: float = 0.0  # the same through PV cells
    spread_hz: float = 0.0  # s.d. of the thresholds of a unit's neurons
    pool_hz: float = (
        0.0  # summed rate of the units at which SST cells start; negative: they never rest
    )
    vip_hz: float = 0.0  # the part of it that is VIP's
    depth: float = SHALLOW  # negative threshold over threshold

    def __post_init__(self) -> None:
        check_real("gain_hz_per_khz", self.gain_hz_per_khz, low=0, open_low=True, unit="Hz/kHz")
        check_real("rival_hz_per_khz", -self.rival_hz_per_khz, low=0, unit="Hz/kHz")
        check_real("threshold_hz", self.threshold_hz, low=-1e3, high=1e3, unit="Hz")
        check_real("alpha", self.alpha, low=0, high=2, open_high=True)
        check_real("loop", self.loop, low=0)
        check_real("pv_loop", self.pv_loop, low=0)
        check_real("spread_hz", self.spread_hz, low=0, unit="Hz")
        check_real("pool_hz", self.pool_hz, low=-1e3, high=1e3, unit="Hz")
        check_real("vip_hz", self.vip_hz, low=0, unit="Hz")
        check_real("depth", self.depth, low=0)

    @classmethod
    def from_motif(
        cls,
        motif: EffectiveMotif,
        *,
        pool_hz: float = 0.0,
        vip_hz: float = 0.0,
        spread_hz: float = 1.0,
        depth: float = SHALLOW,
    ) -> Gains:
        """Return what `swta.circuit.reduction` measured in a spiking network.

        It measures neither spread nor depth, nor how PV and SST cells share the loop; the defaults
        and equal shares are where a correction can start. ``pool_hz`` and ``vip_hz`` are measured
        by ``measure_pool_threshold`` and ``match_vip``.
        """
        return cls(
            gain_hz_per_khz=motif.gain_hz_per_khz,
            rival_hz_per_khz=min(motif.rival_hz_per_khz, 0.0),
            threshold_hz=motif.threshold_hz,
            alpha=max(motif.alpha, 0.0),
            loop=motif.loop / 2,
            pv_loop=motif.loop / 2,
            pool_hz=pool_hz,
            vip_hz=vip_hz,
            spread_hz=spread_hz,
            depth=depth,
        )


@dataclass(frozen=True)
class Layout:
    """Neurons and lines of the motif on the chip.

    Raises:
        ParameterError: a value out of range.
    """

    n_units: int = 4
    neurons: int = 24  # of each unit, and as many input lines; four units then fill one core
    pool: int = 12  # PV neurons, and as many SST neurons
    copies: int = 8  # lines of each unit that are copied to all units
    rate_scale: float = 0.03  # spikes per tick for 1 Hz

    def __post_init__(self) -> None:
        check_integer("n_units", self.n_units, low=2, high=16)
        check_integer("neurons", self.neurons, low=2, high=64)
        check_integer("pool", self.pool, low=2, high=64)
        check_integer("copies", self.copies, low=1, high=self.neurons)
        check_real("rate_scale", self.rate_scale, low=0, high=1, open_low=True)

    @classmethod
    def for_network(cls, n_units: int, highest_hz: float) -> Layout:
        """Return the layout of a motif whose highest rate (Hz) is ``HIGHEST`` on the chip."""
        check_real("highest_hz", highest_hz, low=0, open_low=True, unit="Hz")
        return cls(n_units=n_units, rate_scale=HIGHEST / highest_hz)

    @property
    def inhibition(self) -> Fill:
        """From a unit to the pool."""
        return find_fill("the pool", POOL_SHARE * POOL_THRESHOLD, self.neurons, self.pool)

    @property
    def leaks_per_hz(self) -> float:
        """Leak of the pool's neurons for a threshold of 1 Hz of the units' summed rate."""
        return self.rate_scale * self.inhibition.total


@dataclass(frozen=True)
class Fill:
    """A weight, and how many bits of the crossbar from one population to another are set."""

    weight: int
    bits: int
    n_pre: int
    n_post: int

    @property
    def total(self) -> float:
        """What a spike of every neuron of the first adds to a potential of the second, mean."""
        return self.weight * self.bits / self.n_post

    @property
    def crossbar(self) -> np.ndarray:
        """Which neuron hears which, (n_pre, n_post) bool; numbers differ by one at most.

        Bits are dealt in turn, by a stride that mixes neurons of low and high thresholds.
        """
        near = range(max(round(0.618 * self.n_pre), 1), 2 * self.n_pre)
        stride = next(k for k in near if gcd(k, self.n_pre) == 1)
        edges = np.arange(self.n_post + 1) * self.bits // self.n_post
        connected = np.zeros((self.n_pre, self.n_post), dtype=bool)
        for neuron in range(self.n_post):
            turns = np.arange(edges[neuron], edges[neuron + 1])
            connected[turns * stride % self.n_pre, neuron] = True
        return connected

    def removed(self) -> Fill:
        """The same with no bit set."""
        return replace(self, bits=0)


@dataclass(frozen=True)
class MatchedMotif:
    """The motif in whole numbers; inhibitory weights are positive here."""

    layout: Layout
    threshold: int  # of the excitatory neurons
    leaks: tuple[int, ...]  # of the neurons of a unit
    recurrent: Fill  # unit to itself
    feedback: Fill  # SST to units
    pv_feedback: Fill  # PV to units
    feedforward: Fill  # copied lines of each unit to every unit, with the weight of PV
    inhibitory: Fill  # each unit to PV and to SST
    inhibitory_leak: int  # of SST
    vip_leak: int  # the part of it that is VIP's, 0 or negative
    negative_threshold: int  # of the units' neurons
    line_rate: float  # spikes per tick of a line per kHz of drive

    @property
    def realised(self) -> Gains:
        """The network's numbers as the whole numbers make them."""
        scale, over = self.layout.rate_scale, THRESHOLD / self.threshold
        taken = self.feedforward.total / self.threshold
        drive = self.line_rate / scale
        thresholds = -np.array(self.leaks) / (self.threshold * scale)
        to_pool = self.inhibitory.total / POOL_THRESHOLD
        per_leak = 1 / (POOL_THRESHOLD * scale * max(to_pool, 1e-9))
        return Gains(
            gain_hz_per_khz=drive * (over - taken),
            rival_hz_per_khz=-drive * taken,
            threshold_hz=float(thresholds.mean()),
            alpha=self.recurrent.total / self.threshold,
            loop=self.feedback.total / self.threshold * to_pool,
            pv_loop=self.pv_feedback.total / self.threshold * to_pool,
            spread_hz=float(thresholds.std()),
            pool_hz=-self.inhibitory_leak * per_leak,
            vip_hz=-self.vip_leak * per_leak,
            depth=self.negative_threshold / THRESHOLD,
        )

    @property
    def network(self) -> Network:
        """Populations ``unit_0``, ..., ``pv`` and ``sst``, driven by sources ``input_0``, ..."""
        size, layout = self.layout.neurons, self.layout
        shared: dict[str, Any] = {"reset_mode": LINEAR_RESET, "negative_saturate": True}
        lowest = self.negative_threshold
        pool_lowest = min(round(lowest * POOL_THRESHOLD / THRESHOLD), MAX_THRESHOLD)
        names = [f"unit_{k}" for k in range(layout.n_units)]
        sources = [f"input_{k}" for k in range(layout.n_units)]
        units = [
            Population(
                name,
                size,
                threshold=self.threshold,
                leak=np.array(self.leaks),
                negative_threshold=lowest,
                **shared,
            )
            for name in names
        ]
        pools = [
            Population(
                name,
                layout.pool,
                threshold=POOL_THRESHOLD,
                leak=leak,
                negative_threshold=pool_lowest,
                **shared,
            )
            for name, leak in (("pv", 0), ("sst", self.inhibitory_leak))
        ]
        copied = np.zeros((size, size), dtype=bool)
        copied[: layout.copies] = self.feedforward.crossbar
        ways: list[tuple[str, str, int, dict[str, Any]]] = []
        for unit, source in zip(names, sources, strict=True):
            ways.append((source, unit, THRESHOLD, {"delay": 0, "blocks": size}))
            for pre, post, fill, sign in (
                (unit, unit, self.recurrent, 1),
                (unit, "pv", self.inhibitory, 1),
                (unit, "sst", self.inhibitory, 1),
                ("pv", unit, self.pv_feedback, -1),
                ("sst", unit, self.feedback, -1),
            ):
                if fill.total:
                    ways.append((pre, post, sign * fill.weight, {"connections": fill.crossbar}))
            copies = {"delay": 0, "connections": copied, "axon_group": "feedforward"}
            if self.feedforward.total:
                ways += [(other, unit, -self.feedforward.weight, copies) for other in sources]
        return Network(
            populations=[*units, *pools],
            projections=[Projection(*way[:3], **way[3]) for way in ways],
            sources=[Source(name, size) for name in sources],
        )

    @cached_property
    def placement(self) -> Placement:
        """The motif on cores."""
        return place(self.network)

    def line_rates(self, drives_khz: ArrayLike) -> np.ndarray:
        """Return the rates of the lines of each unit, spikes per tick, in the shape of the drives.

        Raises:
            ParameterError: a negative drive, or one that needs more than a spike per tick.
        """
        drives = np.asarray(drives_khz, dtype=float)
        most = 1.0 / self.line_rate
        hint = "A line carries one spike per tick; lower rate_scale"
        for drive in (float(drives.min()), float(drives.max())):
            check_real("drive", drive, low=0, high=most, unit="kHz", hint=hint)
        return drives * self.line_rate

    def with_vip(self, more_hz: float) -> MatchedMotif:
        """Return the motif whose SST neurons start ``more_hz`` later, by VIP's leak."""
        more = round(self.inhibitory.total * self.layout.rate_scale * more_hz)
        # The largest leak silences SST neurons at any rate of the units; more of it does no more.
        leak = max(self.inhibitory_leak - more, -MAX_WEIGHT)
        return replace(
            self,
            inhibitory_leak=leak,
            vip_leak=self.vip_leak + leak - self.inhibitory_leak,
        )

    def without_recurrence(self) -> MatchedMotif:
        """Return the motif without the crossbar bits of the units to themselves."""
        return replace(self, recurrent=self.recurrent.removed())


def match_gains(gains: Gains, layout: Layout = Layout()) -> MatchedMotif:
    """Return the whole numbers whose gains are nearest to those of a network.

    Raises:
        ParameterError: a gain that does not fit nine bits; the message names it.
    """
    scale, size, pool = layout.rate_scale, layout.neurons, layout.pool
    line_rate = scale * (gains.gain_hz_per_khz - gains.rival_hz_per_khz)
    taken = -scale * gains.rival_hz_per_khz / line_rate
    inhibitory = layout.inhibition
    to_pool = inhibitory.total / POOL_THRESHOLD
    # Quantiles of a normal distribution; leaks are rounded so that their sum is kept.
    places = norm.ppf((np.arange(size) + 0.5) / size)
    places /= places.std()
    exact = -THRESHOLD * scale * (gains.threshold_hz + gains.spread_hz * places)
    leaks = np.diff(np.rint(np.concatenate([[0.0], np.cumsum(exact)]))).astype(int)
    pv_feedback = find_fill("pv_loop", gains.pv_loop / to_pool * THRESHOLD, pool, size)
    feedforward = find_fill("rival_hz_per_khz", taken * THRESHOLD, layout.copies, size)
    # A neuron has four weights: copies of the input and PV neurons share one.
    weight = max(pv_feedback.weight, feedforward.weight)
    pv_bits, ff_bits = (
        round(each.weight * each.bits / max(weight, 1)) for each in (pv_feedback, feedforward)
    )
    pool_leak, vip_leak = (
        round(-layout.leaks_per_hz * each) for each in (gains.pool_hz, gains.vip_hz)
    )
    for name, value in (
        ("threshold_hz", int(leaks[np.argmax(np.abs(leaks))])),
        ("pool_hz", pool_leak),
        ("vip_hz", vip_leak),
    ):
        check_integer(
            f"leak for {name}", value, low=-MAX_WEIGHT, high=MAX_WEIGHT, hint="Lower rate_scale"
        )
    return MatchedMotif(
        layout=layout,
        threshold=THRESHOLD,
        leaks=tuple(int(leak) for leak in leaks),
        recurrent=find_fill("alpha", gains.alpha * THRESHOLD, size, size),
        feedback=find_fill("loop", gains.loop / to_pool * THRESHOLD, pool, size),
        pv_feedback=replace(pv_feedback, weight=weight, bits=pv_bits),
        feedforward=replace(feedforward, weight=weight, bits=ff_bits),
        inhibitory=inhibitory,
        inhibitory_leak=pool_leak,
        vip_leak=vip_leak,
        negative_threshold=min(round(gains.depth * THRESHOLD), MAX_THRESHOLD),
        line_rate=line_rate,
    )


def find_fill(name: str, total: float, n_pre: int, n_post: int) -> Fill:
    """Return the smallest weight whose crossbar can add ``total``, and the bits that do.

    Raises:
        ParameterError: the weight does not fit nine bits.
    """
    weight = check_integer(
        f"weight for {name}",
        int(np.ceil(total / n_pre - 1e-9)),
        low=0,
        high=MAX_WEIGHT,
        hint="Take more neurons",
    )
    bits = round(total * n_post / weight) if weight else 0
    return Fill(weight, bits, n_pre, n_post)


def without_primitive(mapped: MatchedMotif, primitive: str, *, gain: float = 1.0) -> MatchedMotif:
    """Return the motif with one primitive taken away, all other whole numbers as they were.

    Args:
        mapped: the intact motif.
        primitive: one of ``PRIMITIVES``.
        gain: threshold of the excitatory neurons without LAMP5 over that with it.

    Raises:
        ParameterError: unknown primitive.
    """
    check_choice("primitive", primitive, PRIMITIVES)
    removed: dict[str, dict[str, Any]] = {
        "Pvalb": {
            "feedforward": mapped.feedforward.removed(),
            "pv_feedback": mapped.pv_feedback.removed(),
        },
        "Sst": {"feedback": mapped.feedback.removed()},
        "Vip": {"inhibitory_leak": mapped.inhibitory_leak - mapped.vip_leak, "vip_leak": 0},
        "Lamp5": {"threshold": round(mapped.threshold * gain)},
    }
    return replace(mapped, **removed[primitive])
