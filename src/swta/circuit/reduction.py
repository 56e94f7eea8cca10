"""The spiking motif as a threshold-linear one: constants from open loops, and what they predict.

One unit is driven. Its rate x over its drive D is measured with all loops closed, with recurrent
excitation silenced, and with the loop through the interneurons cut as well, while Poisson input
holds them at the rates they had. In the threshold-linear motif (`swta.circuit.theory`) these are

    x = (k D - T) / (1 + β₁β₂ - α),   x = (k D - T) / (1 + β₁β₂),   x = k D + constant,

which gives α, β₁β₂, T and k. Driving a rival instead gives the inhibition k' that its drive has by
way of the thalamic input of PV cells. Every competition of two units is then a prediction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from swta.cells.classes import INTERNEURONS
from swta.circuit.conditions import Condition, Context
from swta.circuit.network import Network
from swta.circuit.pathways import Pair
from swta.circuit.rate_targets import QUIET
from swta.circuit.spiking_experiments import NO_RECURRENCE, Trials
from swta.circuit.theory import Motif, steady_state, suppression_ratio
from swta.validation import ParameterError, check_integer

FloatArray = NDArray[np.float64]

NO_FEEDBACK: dict[Pair, float] = {("Pyr", name): 0.0 for name in INTERNEURONS}


@dataclass(frozen=True)
class OpenLoopResult:
    """Mean rates (Hz) of one driven unit and of the interneurons, loops closed and open.

    Arrays are (n_drives, n_seeds, n_populations); those without recurrent excitation go on with
    the further drives.
    """

    drives_khz: FloatArray  # of the driven unit, (n_drives,)
    reference: int  # index of the drive at whose rates the interneurons are held
    closed: FloatArray
    no_recurrence: FloatArray  # recurrent excitation silenced
    opened: FloatArray  # that, and interneurons held
    rival: FloatArray  # as opened, unit 0 at the reference drive and unit 1 at ``drives_khz``
    held_khz: dict[str, float]  # input that holds the interneurons, kHz
    n_units: int
    further_khz: FloatArray = field(default_factory=lambda: np.zeros(0))  # (n_further,)

    @property
    def open_khz(self) -> FloatArray:
        """Drives of ``no_recurrence`` and ``opened``, kHz, (n_drives + n_further,)."""
        return np.concatenate([self.drives_khz, self.further_khz])

    @property
    def hold_error(self) -> float:
        """Largest relative deviation of an interneuron's rate from that at which it is held."""
        k, n = self.reference, self.n_units
        wanted = self.no_recurrence[k, :, n:].mean(0)
        return float(np.abs(self.opened[k, :, n:].mean(0) / wanted - 1).max())


def simulate_open_loops(
    network: Network,
    trials: Trials,
    *,
    relative: Sequence[float] = (0.5, 0.7, 0.85, 1.0, 1.15, 1.3),
    further: Sequence[float] = (),
    context: Context = Context(),
    rounds: int = 5,
) -> OpenLoopResult:
    """Input-output curves of one unit with loops closed and open.

    Args:
        relative: drives over ``trials.drive_khz``; the middle one is the reference.
        further: more drives for the curves without recurrent excitation, to reach the rates that
            the unit has with it.
        rounds: runs in which the input that holds the interneurons is found.

    Raises:
        ParameterError: fewer than three drives.
    """
    levels = np.asarray(relative, dtype=np.float64)
    if len(levels) < 3:
        raise ParameterError(f"relative has {len(levels)} drives; allowed: three or more, to fit")
    check_integer("rounds", rounds, low=1)
    open_levels = np.concatenate([levels, np.asarray(further, dtype=np.float64)])
    reference = len(levels) // 2
    open_loop = NO_RECURRENCE | NO_FEEDBACK

    def drive(own: float, rival: float = 0.0) -> FloatArray:
        row = np.zeros(network.n_units)
        row[:2] = own, rival
        return trials.drive_khz * row

    def run(conditions: list[Condition]) -> FloatArray:
        return trials.run(network, conditions).mean_rates_hz(trials.settle_s)

    both = run(
        [Condition(drive(x), context) for x in levels]
        + [Condition(drive(x), context, efficacy=NO_RECURRENCE) for x in open_levels]
    )
    closed, cut = both[: len(levels)], both[len(levels) :]
    wanted = cut[reference, :, network.n_units :].mean(0)

    def interneurons(extra: dict[str, float]) -> FloatArray:
        one = Condition(drive(levels[reference]), context, extra, dict(open_loop))
        return np.asarray(run([one])[0, :, network.n_units :].mean(0))

    own = [
        network.afferents(name).background_khz
        + network.afferents(name).shared_gain * trials.drive_khz * levels[reference]
        for name in INTERNEURONS
    ]
    held = _hold(np.array(own), wanted, interneurons, rounds)
    opened = run(
        [Condition(drive(x), context, dict(held), dict(open_loop)) for x in open_levels]
        + [
            Condition(drive(levels[reference], x), context, dict(held), dict(open_loop))
            for x in levels
        ]
    )
    return OpenLoopResult(
        trials.drive_khz * levels,
        reference,
        closed,
        cut,
        opened[: len(open_levels)],
        opened[len(open_levels) :],
        held,
        network.n_units,
        trials.drive_khz * open_levels[len(levels) :],
    )


def _hold(
    own_khz: FloatArray,
    wanted_hz: FloatArray,
    rates_of: Callable[[dict[str, float]], FloatArray],
    rounds: int,
) -> dict[str, float]:
    """Extra input (kHz) at which interneurons fire as wanted: secant steps in logarithms."""
    total, slope = 1.1 * own_khz, np.full(len(own_khz), 5.0)
    tried: list[tuple[FloatArray, FloatArray]] = []
    for _ in range(rounds):
        rates = np.maximum(rates_of(dict(zip(INTERNEURONS, total - own_khz, strict=True))), QUIET)
        tried.append((np.log(total), np.log(rates)))
        if len(tried) > 1:
            (x, y), (before, was) = tried[-1], tried[-2]
            moved = np.abs(x - before) > 0.01
            secant = (y - was) / np.where(moved, x - before, 1.0)
            slope = np.where(moved, np.clip(secant, 1.5, 15.0), slope)
        step = np.clip((np.log(np.maximum(wanted_hz, QUIET)) - tried[-1][1]) / slope, -0.3, 0.3)
        total = np.maximum(total * np.exp(step), own_khz)
    miss = [np.abs(y - np.log(np.maximum(wanted_hz, QUIET))).sum() for _, y in tried]
    best = np.exp(tried[int(np.argmin(miss))][0])
    return dict(zip(INTERNEURONS, (best - own_khz).tolist(), strict=True))


def thalamic_inputs(
    drives_khz: ArrayLike, gain_hz_per_khz: float, rival_hz_per_khz: float, threshold_hz: float
) -> FloatArray:
    """Input (Hz) to each unit: k times its drive (kHz), k' times all others', less T, (..., n)."""
    own = np.asarray(drives_khz, dtype=np.float64)
    others = own.sum(-1, keepdims=True) - own
    return np.asarray(gain_hz_per_khz * own + rival_hz_per_khz * others - threshold_hz)


@dataclass(frozen=True)
class EffectiveMotif:
    """Constants of the threshold-linear motif that stands for the spiking one. Rates are in Hz."""

    gain_hz_per_khz: float  # k, rate per own drive with all loops open
    rival_hz_per_khz: float  # k', the same per drive of a rival; negative
    threshold_hz: float  # T
    alpha: float
    loop: float  # β₁β₂
    beta2: float  # rate of PV and SST cells together, per pyramidal rate, through the loop
    curvature: float  # largest deviation of a closed-loop rate from its line, over the highest rate

    @property
    def motif(self) -> Motif:
        """The motif of two units."""
        beta2 = max(self.beta2, 1e-6)
        return Motif(alpha=self.alpha, beta1=self.loop / beta2, beta2=beta2, n_units=2)

    def inputs(self, drives_khz: ArrayLike) -> FloatArray:
        """Input (Hz) to each of two units from the thalamic drives (kHz), (..., 2)."""
        return thalamic_inputs(
            drives_khz, self.gain_hz_per_khz, self.rival_hz_per_khz, self.threshold_hz
        )

    def predict(self, drives_khz: ArrayLike, *, recurrent: bool = True) -> FloatArray:
        """Steady rates (Hz) of two units for their drives (kHz), with or without α, (..., 2)."""
        motif = self.motif if recurrent else replace(self.motif, alpha=0.0)
        inputs = self.inputs(drives_khz)
        rows = [steady_state(motif, row) for row in inputs.reshape(-1, 2)]
        return np.array(rows, dtype=np.float64).reshape(inputs.shape)

    def predict_switch(self, drive_khz: float) -> float:
        """Half width of the hysteresis loop of d, drives I (1 ± d/2), over the mean drive.

        The winner of the past stays while the other's input is below κ times its own; 0 where the
        motif has no memory.
        """
        motif = self.motif
        if motif.alpha <= 1:
            return 0.0
        kappa = suppression_ratio(motif)

        def lead_of_rival(d: float) -> float:
            weak, strong = self.inputs(drive_khz * np.array([1 - d / 2, 1 + d / 2]))
            return float(strong - kappa * weak)

        return float(brentq(lead_of_rival, 0.0, 2.0)) if lead_of_rival(2.0) > 0 else 2.0


def measure_effective_motif(result: OpenLoopResult) -> EffectiveMotif:
    """Constants from the mean over networks of `simulate_open_loops`, by straight lines.

    Further drives are left out: the curves bend, so lines go with one range of drives.

    Raises:
        ParameterError: a unit that does not respond, so that there is nothing to reduce.
    """
    drives, n = result.drives_khz, len(result.drives_khz)
    closed, cut, opened, rival = (
        one[:n].mean(1)
        for one in (result.closed, result.no_recurrence, result.opened, result.rival)
    )
    line = np.polynomial.polynomial.polyfit
    k, cross = line(drives, opened[:, 0], 1)[1], line(drives, rival[:, 0], 1)[1]
    offset, slope = line(drives, cut[:, 0], 1)
    if min(k, slope) <= 0:
        raise ParameterError(
            f"the driven unit has slopes {k:.3g} and {slope:.3g} Hz/kHz with loops open; give "
            "drives at which it fires"
        )
    loop = max(k / slope - 1, 0.0)  # noise alone can leave it below
    threshold = -offset * (1 + loop)
    net = k * drives - threshold  # what the loops act on
    alpha = 1 + loop - float((net * closed[:, 0]).sum() / (closed[:, 0] ** 2).sum())
    feedback = (cut - opened)[:, result.n_units : result.n_units + 2].sum(1)  # PV and SST
    fitted = net / (1 + loop - alpha)
    return EffectiveMotif(
        gain_hz_per_khz=float(k),
        rival_hz_per_khz=float(cross),
        threshold_hz=float(threshold),
        alpha=alpha,
        loop=float(loop),
        beta2=float(line(cut[:, 0], feedback, 1)[1]),
        curvature=float(np.abs(closed[:, 0] - fitted).max() / closed[:, 0].max()),
    )
