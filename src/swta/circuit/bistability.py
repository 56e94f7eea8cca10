"""Memory of the spiking motif: loops under ramped inputs, dwell times, and what moves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swta.circuit.conditions import DRIVE_BIN_MS, Condition, Context, count_bins
from swta.circuit.network import Network
from swta.circuit.pathways import Pair
from swta.circuit.spiking_experiments import NO_RECURRENCE, Trials
from swta.validation import ParameterError, check_integer, check_real

FloatArray = NDArray[np.float64]

SOFT = Context()
# Less spike-frequency adaptation, as under acetylcholine. The value was chosen in networks of seeds
# that no result has: there a cue is remembered, and at 0.5 hardly.
BISTABLE = Context(adaptation=0.4)


@dataclass(frozen=True)
class Staircase:
    """Difference d of two inputs I (1 ± d/2), stepped from -widest to widest and back.

    Raises:
        ParameterError: a value outside its range.
    """

    widest: float = 0.8  # largest d, over the mean input
    levels: int = 9  # on the way up, and as many on the way down
    hold_s: float = 0.4  # s on each level; rates are taken from its second half

    def __post_init__(self) -> None:
        check_real("widest", self.widest, low=0, high=2, open_low=True)
        check_integer("levels", self.levels, low=3)
        check_real("hold_s", self.hold_s, low=0.1, unit="s")
        bins = 1e3 * self.hold_s / DRIVE_BIN_MS
        if abs(bins - round(bins)) > 1e-6:
            raise ParameterError(
                f"hold_s = {self.hold_s:g} s is no multiple of {DRIVE_BIN_MS:g} ms; allowed: whole "
                "bins of the drive, so that levels and windows agree"
            )

    @property
    def differences(self) -> FloatArray:
        """d on the way up, (levels,)."""
        return np.linspace(-self.widest, self.widest, self.levels)

    def course(self, n_units: int, drive_khz: float, settle_s: float) -> FloatArray:
        """Drive (kHz) of all units in bins of 10 ms, after settling on the first level."""
        path = np.concatenate([self.differences, self.differences[::-1]])
        bins = np.full(len(path), count_bins(self.hold_s))
        bins[0] += count_bins(settle_s)
        drive = np.zeros((len(path), n_units))
        drive[:, 0], drive[:, 1] = 1 + path / 2, 1 - path / 2
        return drive_khz * np.repeat(drive, bins, axis=0)


@dataclass(frozen=True)
class LoopResult:
    """Rates of two units on the way up and down, for every condition and network."""

    differences: FloatArray  # d, (levels,)
    up: FloatArray  # Hz, (levels, n_conditions, n_seeds, 2)
    down: FloatArray  # Hz, in the order of ``differences``
    labels: tuple[str, ...]  # of the conditions


def simulate_loops(
    network: Network,
    trials: Trials,
    contexts: Mapping[str, Context],
    staircase: Staircase = Staircase(),
    *,
    controls: bool = True,
) -> LoopResult:
    """Staircases of the input difference between units 0 and 1 in several contexts.

    Args:
        contexts: by the label that the result carries.
        controls: also run each context with E→E silenced, the matched control: same inputs, noise,
            adaptation and history of the stimulus, no memory in the circuit. Its label is that of
            the context with ``, no E→E``.
    """
    course = staircase.course(network.n_units, trials.drive_khz, trials.settle_s)
    conditions, labels = [], []
    for label, context in contexts.items():
        conditions.append(Condition(course, context))
        labels.append(label)
        if controls:
            conditions.append(Condition(course, context, efficacy=NO_RECURRENCE))
            labels.append(f"{label}, no E→E")
    result = trials.run(network, conditions, duration_s=len(course) / 100)
    begin = trials.settle_s + staircase.hold_s * np.arange(2 * staircase.levels)
    rates = np.stack(
        [result.mean_rates_hz(b + staircase.hold_s / 2, b + staircase.hold_s) for b in begin]
    )[..., :2]
    n = staircase.levels
    return LoopResult(staircase.differences, rates[:n], rates[n:][::-1], tuple(labels))


@dataclass(frozen=True)
class DwellResult:
    """Courses of two equally driven units after a cue to one of them."""

    time_s: FloatArray  # since the cue's end, (n_bins,)
    courses: FloatArray  # Hz, (n_bins, n_conditions, 2, n_seeds, 2): cue to 0 or 1, units 0 and 1
    labels: tuple[str, ...]


def simulate_dwell(
    network: Network,
    trials: Trials,
    contexts: Mapping[str, Context],
    *,
    cue: float = 0.4,
    cue_s: float = 0.5,
    length_s: float = 3.0,
    kept: Mapping[str, float] | None = None,
    efficacy: Mapping[Pair, float] | None = None,
) -> DwellResult:
    """A cue favours one of two units; then both get the same input, and the winner is watched.

    Args:
        contexts: by the label that the result carries.
        cue: what the favoured unit gets more, and the other less, over the mean input.
        cue_s: length of the cue, s.
        length_s: time watched after it, s.
        kept: share of a class that still transmits.
        efficacy: factors on pathways.
    """
    check_real("cue", cue, low=0, high=1)
    check_real("cue_s", cue_s, low=0.05, unit="s")
    check_real("length_s", length_s, low=0.2, unit="s")
    bins = count_bins(cue_s)
    conditions = []
    for context in contexts.values():
        for favoured in (0, 1):
            drive = np.zeros((bins + 1, network.n_units))
            drive[:, :2] = 1.0
            drive[:bins, favoured] += cue
            drive[:bins, 1 - favoured] -= cue
            conditions.append(
                Condition(
                    trials.drive_khz * drive,
                    context,
                    kept=dict(kept or {}),
                    efficacy=dict(efficacy or {}),
                )
            )
    result = trials.run(network, conditions, duration_s=cue_s + length_s)
    after = result.time_s > cue_s
    courses = result.courses_hz[after][..., :2]
    shape = (len(courses), len(contexts), 2, *courses.shape[2:])
    return DwellResult(result.time_s[after] - cue_s, courses.reshape(shape), tuple(contexts))


@dataclass(frozen=True)
class BoundaryResult:
    """How long a cue is remembered over the plane of two context signals."""

    adaptation: FloatArray  # (n_adaptation,)
    vip_khz: FloatArray  # (n_vip,)
    memory: FloatArray  # memory index, (n_vip, n_adaptation, n_seeds)


def simulate_boundary(
    network: Network,
    trials: Trials,
    adaptation: Sequence[float],
    vip_khz: Sequence[float],
    *,
    length_s: float = 1.5,
) -> BoundaryResult:
    """Memory index over adaptation and top-down drive to VIP, from cued runs with equal inputs.

    Raises:
        ParameterError: an empty axis.
    """
    if not len(adaptation) or not len(vip_khz):
        raise ParameterError("adaptation and vip_khz need one value or more each")
    contexts = {
        f"{a:g}, {v:g}": Context(adaptation=float(a), vip_khz=float(v))
        for v in vip_khz
        for a in adaptation
    }
    memory = measure_memory(simulate_dwell(network, trials, contexts, length_s=length_s))
    return BoundaryResult(
        np.asarray(adaptation, dtype=np.float64),
        np.asarray(vip_khz, dtype=np.float64),
        memory.reshape(len(vip_khz), len(adaptation), -1),
    )


def measure_memory(result: DwellResult) -> FloatArray:
    """How much the winner depends on the cue, in [-1, 1], (n_conditions, n_seeds).

    (x₀ - x₁)/(x₀ + x₁) over the last second, cue to 0 minus cue to 1, halved: 1 when each cued
    unit stays alone, 0 when history does not matter.
    """
    late = result.time_s > result.time_s[-1] - min(1.0, result.time_s[-1] / 2)
    first, second = np.moveaxis(result.courses[late].mean(0), -1, 0)
    total = first + second
    index = np.divide(first - second, total, out=np.zeros_like(total), where=total > 0)
    return (index[:, 0] - index[:, 1]) / 2


def measure_dwell(result: DwellResult, *, smooth_s: float = 0.2) -> FloatArray:
    """Time (s) that the cued unit keeps the higher rate, (n_conditions, 2, n_seeds).

    Rates are smoothed over ``smooth_s``. A run in which it never loses the lead counts with its
    full length, so long dwell times are lower bounds.
    """
    bin_s = float(result.time_s[1] - result.time_s[0])
    width = max(1, round(check_real("smooth_s", smooth_s, low=0, unit="s") / bin_s))
    lead = result.courses[..., 0] - result.courses[..., 1]
    lead[:, :, 1] *= -1
    total = np.cumsum(np.concatenate([np.zeros((1, *lead.shape[1:])), lead]), axis=0)
    smooth = (total[width:] - total[:-width]) / width
    lost = smooth <= 0
    first = np.where(lost.any(0), lost.argmax(0), len(lost) + width - 1)
    return np.asarray(first * bin_s, dtype=np.float64)


def measure_loop_areas(result: LoopResult) -> FloatArray:
    """Mean height of the loop in x₀ - x₁ (Hz), (n_conditions, n_seeds).

    The area between the falling and the rising branch over the width of the sweep. It is zero on
    average without memory, and not forced to be positive.
    """
    lead_up = result.up[..., 0] - result.up[..., 1]
    lead_down = result.down[..., 0] - result.down[..., 1]
    area = np.trapezoid(lead_down - lead_up, result.differences, axis=0)
    return np.asarray(area / (result.differences[-1] - result.differences[0]))


def measure_relative_areas(result: LoopResult) -> FloatArray:
    """Area between the branches of (x₀ - x₁)/(x₀ + x₁) over d, (n_conditions, n_seeds).

    In units of d: a loop that is fully open over a range of width D has area 2 D.
    """

    def index(rates: FloatArray) -> FloatArray:
        total = rates.sum(-1)
        gap = rates[..., 0] - rates[..., 1]
        return np.divide(gap, total, out=np.zeros_like(gap), where=total > 0)

    gap = index(result.down) - index(result.up)
    return np.asarray(np.trapezoid(gap, result.differences, axis=0))


def measure_half_widths(result: LoopResult) -> FloatArray:
    """Half the distance in d of the two switches of the winner, (n_conditions, n_seeds).

    The lead x₀ - x₁ changes sign at one d while d rises and at another while it falls, found by
    linear interpolation between levels. A branch that never switches counts with the end of the
    sweep, so the half width is then a lower bound.
    """
    up, down = result.up[..., 0] - result.up[..., 1], result.down[..., 0] - result.down[..., 1]
    d = result.differences
    rising = _first_crossing(d, up, d[-1])
    falling = -_first_crossing(-d[::-1], -down[::-1], d[-1])
    return (rising - falling) / 2


def _first_crossing(d: FloatArray, lead: FloatArray, never: float) -> FloatArray:
    """First d, along a rising axis, at which the lead turns positive, (n_conditions, n_seeds)."""
    crossed = (lead[:-1] <= 0) & (lead[1:] > 0)
    step = crossed.argmax(0)
    low, high = (np.take_along_axis(lead, s[None], axis=0)[0] for s in (step, step + 1))
    part = np.divide(-low, high - low, out=np.zeros_like(low), where=high > low)
    found = d[step] + part * (d[step + 1] - d[step])
    return np.where(crossed.any(0), found, np.where(lead[0] > 0, d[0], never))
