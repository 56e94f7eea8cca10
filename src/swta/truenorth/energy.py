r"""Energy of a run: on the chip by its published power, on this processor by its rated power.

Akopyan et al. (2015, fig. 17) give the power of the full chip at 0.8 V with 128 active synapses per
neuron at three mean rates. A line through the two outer points,

.. math:: P = P_0\,\frac{\text{cores}}{4096} + e\,\frac{\text{events}}{\text{s}},

has a static part and an energy per synaptic event, and the third point lies on it within 1 %. Its
uncertainty here: each reading is known to ±0.5 mW, and the third point's distance stands for the
error of the straight line. Other voltages (42 mW to 323 mW over all corners) are not covered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from swta.truenorth.neuron import MAX_CORES, N_NEURONS
from swta.validation import check_integer, check_real

TICK: Final = 1e-3  # s
MEASURED_RATE: Final = (11.58, 20.07, 95.93)  # Hz, Akopyan et al. 2015, fig. 17, 0.8 V
MEASURED_POWER: Final = (68e-3, 71e-3, 94e-3)  # W, same figure
ACTIVE_SYNAPSES: Final = 128  # per neuron, same figure
READING: Final = 0.5e-3  # W, half of the last digit
QUOTED_PER_EVENT: Final = 26e-12  # J, Merolla et al. 2014, 0.775 V, 20 Hz, static power included

_Z95: Final = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A value with the ends of its 95 % range."""

    value: float
    low: float
    high: float

    def scaled(self, factor: float) -> Estimate:
        """Return the same in another unit."""
        return Estimate(factor * self.value, factor * self.low, factor * self.high)


@dataclass(frozen=True)
class PowerModel:
    """Power of the chip as a line through two published points."""

    static: float  # P_0, W, all 4096 cores
    per_event: float  # e, J
    misfit: float  # W, distance of the third point
    readings: tuple[float, float]  # events/s of the two points, full chip

    def power(self, n_cores: int, events_per_second: float) -> Estimate:
        """Return the power in W, with a normal 95 % range.

        Args:
            n_cores: cores that are switched on.
            events_per_second: synaptic events on all of them, per second of the chip's time.
        """
        share = check_integer("n_cores", n_cores, low=1, high=MAX_CORES) / MAX_CORES
        check_real("events_per_second", events_per_second, low=0)
        first, second = self.readings
        place = (events_per_second / share - first) / (second - first)
        reading = READING / math.sqrt(3)  # standard deviation of an even distribution
        deviation = share * math.hypot(reading * (1 - place), reading * place, self.misfit)
        value = self.static * share + self.per_event * events_per_second
        return Estimate(value, max(0.0, value - _Z95 * deviation), value + _Z95 * deviation)


@dataclass(frozen=True)
class Processor:
    """A processor by its data sheet."""

    name: str
    rated_power: float  # W, of the whole package
    n_cores: int
    source: str


EPYC_9654: Final = Processor("AMD EPYC 9654", 360.0, 96, "AMD product page, default TDP")


@dataclass(frozen=True)
class EnergyResult:
    """Energy of one run on the chip and on the processor that emulated it, J."""

    chip_power: Estimate  # W
    chip: Estimate
    processor: Estimate  # estimated, not measured: rated power times wall time
    synaptic_events: int

    @property
    def chip_per_event(self) -> Estimate:
        """Energy of the chip per synaptic event, static power included, J."""
        return self.chip.scaled(1 / self.synaptic_events)

    @property
    def processor_per_event(self) -> Estimate:
        """Energy of the processor per synaptic event, J."""
        return self.processor.scaled(1 / self.synaptic_events)

    @property
    def ratio(self) -> Estimate:
        """Energy of the processor over that of the chip; the range takes both at their ends."""
        return Estimate(
            self.processor.value / self.chip.value,
            self.processor.low / self.chip.high,
            self.processor.high / self.chip.low,
        )


def fit_power_model() -> PowerModel:
    """Return the line through the outer two of the three published points."""
    neurons = MAX_CORES * N_NEURONS
    events = [rate * neurons * ACTIVE_SYNAPSES for rate in MEASURED_RATE]
    low, middle, high = MEASURED_POWER
    per_event = (high - low) / (events[2] - events[0])
    static = low - per_event * events[0]
    return PowerModel(
        static=static,
        per_event=per_event,
        misfit=abs(middle - static - per_event * events[1]),
        readings=(events[0], events[2]),
    )


def measure_energy(
    *,
    n_cores: int,
    n_ticks: int,
    synaptic_events: int,
    wall_time: float,
    threads: int = 1,
    processor: Processor = EPYC_9654,
) -> EnergyResult:
    """Return what a run costs on the chip, in ticks of 1 ms, and here.

    The processor's share is estimated: its rated power divided evenly among its cores, times the
    threads, times wall time. The range runs from half of that (a core rarely draws its full share)
    to the whole package's rated power (nothing else running).

    Args:
        n_cores: cores of the network.
        n_ticks: ticks of the run.
        synaptic_events: arrivals through set crossbar bits in all of them, at least one.
        wall_time: of the emulation, s.
        threads: that were busy.
        processor: on which it ran.
    """
    check_integer("n_ticks", n_ticks, low=1)
    check_integer("synaptic_events", synaptic_events, low=1)
    check_real("wall_time", wall_time, low=0, open_low=True, unit="s")
    check_integer("threads", threads, low=1, high=processor.n_cores)
    duration = n_ticks * TICK
    power = fit_power_model().power(n_cores, synaptic_events / duration)
    share = processor.rated_power * threads / processor.n_cores
    busy = Estimate(share, share / 2, processor.rated_power)
    return EnergyResult(
        chip_power=power,
        chip=power.scaled(duration),
        processor=busy.scaled(wall_time),
        synaptic_events=synaptic_events,
    )
