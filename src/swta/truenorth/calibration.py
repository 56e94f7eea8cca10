r"""Measure, correct, measure: whole numbers that make the chip's slopes and thresholds right.

Gain matching is exact for neurons whose potential may fall without limit. With a shallow negative
threshold inhibition is lost, and the effective slopes and thresholds differ from the ratios of
weights. They are measured by linear regression over the active units,

.. math:: I_i = (1-\alpha)\,x_i + \beta_1 y + T_E, \qquad y = \beta_2 \sum_j x_j - T_N,

and what is asked of gain matching is then changed by what was missed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from swta.circuit.theory import Motif, steady_state, suppression_ratio, winner_gain
from swta.truenorth.experiments import MotifResult, simulate_motifs
from swta.truenorth.mapping import MappedMotif, MotifRequest, fit_thresholds, map_motif
from swta.truenorth.measures import measure_agreement
from swta.validation import ParameterError, check_integer, check_real

NUMBERS: Final = ("alpha", "beta1", "beta2", "T_E", "T_N")
_ANY_ERROR: Final = 1e9  # of rounding; the measurement judges
_HIGHEST: Final = 0.9  # spikes per tick; units above are near the end of their range


@dataclass(frozen=True)
class MeasuredNumbers:
    """Slopes and thresholds of a motif as they were measured; any values."""

    alpha: float  # self-excitation, dimensionless
    beta1: float  # inhibitory population to units, dimensionless
    beta2: float  # units to inhibitory population, dimensionless
    T_E: float  # threshold of the units, rate
    T_N: float  # threshold of the inhibitory population, rate

    @property
    def winner_gain(self) -> float:
        """Slope of a lone winner's rate against its input, 1 / (1 + β₁β₂ - α)."""
        return 1.0 / (1.0 + self.beta1 * self.beta2 - self.alpha)

    @property
    def suppression_ratio(self) -> float:
        """Input ratio below which a weaker unit is silent, β₁β₂ times the winner gain."""
        return self.beta1 * self.beta2 * self.winner_gain


@dataclass(frozen=True, eq=False)
class CalibrationRound:
    """One measurement of a motif on the chip."""

    mapped: MappedMotif  # its whole numbers
    asked: Motif  # what gain matching was asked for
    measured: MeasuredNumbers  # slopes and thresholds found by regression
    rmse: float  # rates against the target's closed form, over the largest; other inputs
    gain_error: float  # winner gain of the measured numbers against the target's, relative
    suppression_error: float  # suppression ratio likewise, relative


@dataclass(frozen=True, eq=False)
class CalibrationResult:
    """All rounds; the first is gain matching without correction."""

    target: Motif
    rounds: tuple[CalibrationRound, ...]

    @property
    def best(self) -> CalibrationRound:
        """The round whose measured numbers are nearest to the target."""
        return min(self.rounds, key=lambda each: _distance(each.measured, self.target))


def fit_motif(
    inputs: ArrayLike, rates: ArrayLike, inhibitory: ArrayLike, *, floor: float = 0.05
) -> MeasuredNumbers:
    """Estimate the numbers of a motif from steady rates, by least squares over active units.

    Args:
        inputs: effective input of each unit, in units of rate, (n, n_units): what the unit's rate
            would be without recurrence, before its threshold.
        rates: of the units, (n, n_units).
        inhibitory: rate of the inhibitory population, (n,).
        floor: units and pools below this share of the largest rate are left out, because close to
            threshold rates are not linear.

    Raises:
        ParameterError: arrays that do not belong together, or too few active units.
    """
    drive, x, y, case, unit, pool = _active(inputs, rates, inhibitory, floor)
    columns = np.column_stack([x[case, unit], y[case], np.ones(len(case))])
    (rest, beta1, t_e), *_ = np.linalg.lstsq(columns, drive[case, unit], rcond=None)
    beta2, minus_t_n = np.polyfit(x[pool].sum(axis=1), y[pool], 1)
    return MeasuredNumbers(
        alpha=float(1 - rest),
        beta1=float(beta1),
        beta2=float(beta2),
        T_E=float(t_e),
        T_N=float(-minus_t_n),
    )


def fit_driven_motif(
    inputs: ArrayLike,
    rates: ArrayLike,
    inhibitory: ArrayLike,
    *,
    alpha: float,
    floor: float = 0.05,
) -> tuple[MeasuredNumbers, float]:
    """Estimate a motif and its input gain from rates under inputs of any unit.

    Steady rates alone cannot tell self-excitation from input gain: scaling 1 - α, β₁, T_E and the
    gain together changes nothing. So α must be known, from the network's weights or from a
    measurement without recurrent excitation.

    Args:
        inputs: input of each unit, any unit, (n, n_units).
        rates: of the units in spikes per tick, (n, n_units).
        inhibitory: rate of the inhibitory population in spikes per tick, (n,).
        alpha: self-excitation, dimensionless.
        floor: as in ``fit_motif``.

    Returns:
        the numbers, and the input gain in spikes per tick per unit of input.

    Raises:
        ParameterError: arrays that do not belong together, or too few active units.
    """
    rest = 1.0 - check_real("alpha", alpha, low=0, high=1, open_high=True)
    drive, x, y, case, unit, pool = _active(inputs, rates, inhibitory, floor)
    columns = np.column_stack([drive[case, unit], y[case], np.ones(len(case))])
    (gain, inhibition, offset), *_ = np.linalg.lstsq(columns, x[case, unit], rcond=None)
    beta2, minus_t_n = np.polyfit(x[pool].sum(axis=1), y[pool], 1)
    numbers = MeasuredNumbers(
        alpha=float(alpha),
        beta1=float(-inhibition * rest),
        beta2=float(beta2),
        T_E=float(-offset * rest),
        T_N=float(-minus_t_n),
    )
    return numbers, float(gain * rest)


def calibrate(
    request: MotifRequest,
    *,
    rounds: int = 4,
    step: float = 0.7,
    n_inputs: int = 60,
    high: float = 0.4,
    n_ticks: int,
    seed: int,
) -> CalibrationResult:
    """Correct what is asked of gain matching until the chip measures what the motif says.

    The negative threshold keeps its ratio to the threshold, and the thresholds are chosen anew in
    every round. Rate errors are taken from inputs that the correction has not seen; gain and
    suppression errors from those that it has.

    Args:
        request: the target motif, with numbers of neurons and negative threshold.
        rounds: measurements, the uncorrected one included.
        step: share of what was missed that is corrected at a time.
        n_inputs: random inputs to measure with, and as many to test with.
        high: largest input rate, spikes per tick.
        n_ticks: ticks of each measurement.
        seed: of inputs and their spikes; every round has the same.

    Raises:
        ParameterError: a correction leaves the range of stable motifs or of weights.
    """
    check_integer("rounds", rounds, low=1)
    check_real("step", step, low=0, high=1, open_low=True)
    check_integer("n_inputs", n_inputs, low=4)
    check_real("high", high, low=0, high=1, open_low=True, unit="spikes per tick")
    target = request.motif
    rng = np.random.default_rng([seed, 0])
    inputs = rng.uniform(0.0, high, (2 * n_inputs, target.n_units))
    wanted = np.minimum(steady_state(target, inputs), 1.0)
    asked = fit_thresholds(replace(request, max_error=_ANY_ERROR))
    shape: dict[str, Any] = {"n_units": target.n_units}
    done: list[CalibrationRound] = []
    for _ in range(rounds):
        mapped = map_motif(asked)
        result: MotifResult = simulate_motifs(
            [mapped] * len(inputs), inputs, n_ticks=n_ticks, seed=seed
        )
        seen, unseen = slice(n_inputs), slice(n_inputs, None)
        measured = fit_motif(inputs[seen], result.rates[seen], result.inhibitory[seen])
        done.append(
            CalibrationRound(
                mapped=mapped,
                asked=asked.motif,
                measured=measured,
                rmse=measure_agreement(result.rates[unseen], wanted[unseen]).rmse,
                gain_error=abs(measured.winner_gain / winner_gain(target) - 1),
                suppression_error=abs(measured.suppression_ratio / suppression_ratio(target) - 1),
            )
        )
        if len(done) < rounds:
            corrected = {
                name: getattr(asked.motif, name)
                + step * (getattr(target, name) - getattr(measured, name))
                for name in NUMBERS
            }
            asked = fit_thresholds(replace(asked, motif=Motif(**corrected, **shape)))
    return CalibrationResult(target, tuple(done))


def _distance(measured: MeasuredNumbers, target: Motif) -> float:
    """Root mean square difference of the numbers, each over its size (thresholds over 0.1)."""
    size = {name: getattr(target, name) for name in ("alpha", "beta1", "beta2")}
    size |= {"T_E": 0.1, "T_N": 0.1}
    return float(
        np.sqrt(
            np.mean([((getattr(measured, n) - getattr(target, n)) / size[n]) ** 2 for n in NUMBERS])
        )
    )


def _active(
    inputs: ArrayLike, rates: ArrayLike, inhibitory: ArrayLike, floor: float
) -> tuple[np.ndarray, ...]:
    """Return inputs, rates, pool rates, case and unit of active units, and active pools."""
    check_real("floor", floor, low=0, high=1, open_high=True)
    drive, x = (np.atleast_2d(np.asarray(a, dtype=float)) for a in (inputs, rates))
    y = np.asarray(inhibitory, dtype=float)
    if drive.shape != x.shape or y.shape != (len(x),):
        raise ParameterError(
            f"inputs {drive.shape}, rates {x.shape} and inhibitory {y.shape} do not belong "
            "together; allowed: (n, n_units) twice and (n,)"
        )
    case, unit = np.nonzero((x > floor * x.max()) & (x < _HIGHEST))
    (pool,) = np.nonzero((y > floor * y.max()) & (y < _HIGHEST))
    if len(case) < 4 or len(pool) < 3:
        raise ParameterError(
            f"{len(case)} active units and {len(pool)} active pools are too few for a fit; give "
            "more or stronger inputs"
        )
    return drive, x, y, case, unit, pool
