"""Simulation of threshold-linear networks, many conditions in one vectorised run.

Every network here is dx/dt = -x + f(W x + I - T), f(u) = max(0, u), time in units of τ, integrated
by the Euler method. A motif is one such network; coupled motifs are larger ones of the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from swta.circuit.theory import FloatArray, Motif, check_inputs, neighbour_offsets
from swta.validation import ParameterError, check_integer, check_names, check_numbers, check_real

RUNAWAY_RATE = 1e9  # far above any rate of a stable motif in the units of its inputs
SMALLEST_RATE = 1e-30  # smaller ones become 0: subnormal numbers are slow and mean nothing
CHECK_EVERY = 50  # steps between looks at divergence and convergence


class DivergenceError(RuntimeError):
    """A simulated rate ran away or stopped being a number."""


class ConvergenceError(RuntimeError):
    """A network did not settle in the time allowed."""


@dataclass(frozen=True)
class RateNetwork:
    """A threshold-linear network, or a stack of networks of equal size (one per condition).

    Raises:
        ParameterError: shapes that do not fit, or values that are not finite.
    """

    weights: FloatArray  # W, (n_cells, n_cells) or (batch, n_cells, n_cells), row = target
    thresholds: FloatArray  # T, (n_cells,) or (batch, n_cells), input units
    labels: tuple[str, ...]  # a name for each cell

    def __post_init__(self) -> None:
        n = len(check_names("labels", self.labels))
        for name in ("weights", "thresholds"):
            object.__setattr__(self, name, check_numbers(name, getattr(self, name)))
        if self.weights.ndim not in (2, 3) or self.weights.shape[-2:] != (n, n):
            raise ParameterError(
                f"weights of shape {self.weights.shape} do not fit {n} cells; "
                f"allowed: ({n}, {n}) or (batch, {n}, {n})"
            )
        if self.thresholds.shape != self.weights.shape[:-1]:
            raise ParameterError(
                f"thresholds of shape {self.thresholds.shape} do not fit weights of shape "
                f"{self.weights.shape}; give one threshold per row"
            )

    @property
    def batch(self) -> int | None:
        """Number of stacked networks; None for a single one."""
        return self.weights.shape[0] if self.weights.ndim == 3 else None

    @property
    def largest_step(self) -> float:
        """Euler step (τ) above which a decaying mode of the fully active network would grow."""
        modes = np.linalg.eigvals(self.weights - np.eye(len(self.labels))).ravel()
        decaying = modes[modes.real < 0]
        return float((-2 * decaying.real / np.abs(decaying) ** 2).min(initial=2.0))

    def safe_step(self, preferred: float) -> float:
        """The preferred Euler step, or half of ``largest_step`` where that is smaller, τ."""
        return min(preferred, self.largest_step / 2)


@dataclass(frozen=True)
class StepInputs:
    """Inputs that are constant between given times.

    Raises:
        ParameterError: onsets that do not start at 0 or do not increase, or not one value per
            onset.
    """

    onsets: FloatArray  # (n_phases,), τ, the first one 0
    values: FloatArray  # (n_phases, n_cells) or (n_phases, batch, n_cells), input units

    def __post_init__(self) -> None:
        onsets, values = check_numbers("onsets", self.onsets), check_numbers("values", self.values)
        if onsets.ndim != 1 or not onsets.size or onsets[0] != 0 or (np.diff(onsets) <= 0).any():
            raise ParameterError(f"onsets = {onsets} must start at 0 and increase")
        if values.shape[:1] != onsets.shape:
            raise ParameterError(
                f"values of shape {values.shape} for {onsets.size} onsets; give one per onset"
            )
        object.__setattr__(self, "onsets", onsets)
        object.__setattr__(self, "values", values)


Inputs = ArrayLike | StepInputs | Callable[[float], ArrayLike]


@dataclass(frozen=True)
class NetworkResult:
    """Recorded course of a network."""

    time: FloatArray  # (n_samples,), τ
    rates: FloatArray  # (n_samples, batch, n_cells), input units


@dataclass(frozen=True)
class RateResult:
    """Recorded course of motifs."""

    time: FloatArray  # (n_samples,), τ
    rates: FloatArray  # (n_samples, batch, n_units), excitatory units
    inhibition: FloatArray  # (n_samples, batch), inhibitory unit


def motif_network(motif: Motif | Sequence[Motif]) -> RateNetwork:
    """The network of one motif, or a stack for several; the inhibitory unit comes last.

    Raises:
        ParameterError: no motif, or motifs of different sizes.
    """
    if not isinstance(motif, Motif):
        if not motif or len({m.n_units for m in motif}) != 1:
            raise ParameterError(
                f"{len(motif)} motifs; give at least one, all with the same n_units"
            )
        single = [motif_network(m) for m in motif]
        return RateNetwork(
            np.stack([s.weights for s in single]),
            np.stack([s.thresholds for s in single]),
            single[0].labels,
        )
    n = motif.n_units
    weights = np.zeros((n + 1, n + 1))
    weights[:n, :n] = motif.alpha * np.eye(n)
    for offset in neighbour_offsets(n):
        weights[:n, :n] += motif.alpha2 * np.roll(np.eye(n), offset, axis=1)
    weights[:n, n] = -motif.beta1
    weights[n, :n] = motif.beta2
    thresholds = np.r_[np.full(n, motif.T_E), motif.T_N]
    return RateNetwork(weights, thresholds, (*(f"unit {i}" for i in range(n)), "inhibitory unit"))


def simulate_network(
    network: RateNetwork,
    inputs: Inputs,
    *,
    duration: float,
    dt: float | None = None,
    initial: ArrayLike = 0.0,
    noise_sd: float = 0.0,
    noise_tau: float = 1.0,
    seed: int = 0,
    record_every: int = 1,
) -> NetworkResult:
    """Rates of a network in time, all conditions at once.

    Args:
        inputs: shape (n_cells,) or (batch, n_cells), constant; or a ``StepInputs``; or a function
            of time.
        duration: simulated time, τ.
        dt: Euler step, τ, below ``network.largest_step``; by default ``network.safe_step(0.02)``.
        initial: rates at time 0, broadcast to (batch, n_cells).
        noise_sd: standard deviation of an Ornstein–Uhlenbeck current into every cell, input units.
        noise_tau: its correlation time, τ.
        seed: seed of that current.
        record_every: steps between samples; the first sample is at time 0.

    Raises:
        ParameterError: bad shapes or values.
        DivergenceError: a rate runs away; names the cell, the condition and the time.
    """
    check_real("duration", duration, low=0, open_low=True, unit="tau")
    dt = _checked_step(network, dt, 0.02)
    check_real("noise_sd", noise_sd, low=0)
    check_real("noise_tau", noise_tau, low=0, open_low=True, unit="tau")
    check_integer("record_every", record_every, low=1)
    check_integer("seed", seed, low=0)
    n_steps = max(1, round(duration / dt))
    current_at = _input_courses(network, inputs, dt)
    rates = _initial_rates(network, current_at(0), initial)
    noise = _NoiseCurrent(rates.shape, noise_sd, dt / noise_tau, seed) if noise_sd > 0 else None
    samples = np.empty((n_steps // record_every + 1, *rates.shape))
    samples[0] = rates
    for step in range(n_steps):
        current = current_at(step)
        rates += dt * _rate_of_change(
            network, rates, current if noise is None else current + noise.next()
        )
        if (step + 1) % CHECK_EVERY == 0 or step + 1 == n_steps:
            _tidy(network, rates, (step + 1) * dt)
        if (step + 1) % record_every == 0:
            samples[(step + 1) // record_every] = rates
    return NetworkResult(np.arange(len(samples)) * record_every * dt, samples)


def settle_network(
    network: RateNetwork,
    inputs: ArrayLike,
    *,
    dt: float | None = None,
    initial: ArrayLike = 0.0,
    tolerance: float = 1e-10,
    longest: float = 20_000.0,
) -> FloatArray:
    """Steady rates under constant inputs, shape (batch, n_cells).

    Euler steps until no rate changes faster than ``tolerance`` (input units per τ). Steady states
    do not depend on the step; by default it is ``network.safe_step(0.05)``.

    Raises:
        ParameterError: bad shapes or values.
        DivergenceError: a rate runs away.
        ConvergenceError: not settled after ``longest`` τ; names the cell and the condition.
    """
    step_size = _checked_step(network, dt, 0.05)
    check_real("tolerance", tolerance, low=0, open_low=True)
    check_real("longest", longest, low=0, open_low=True, unit="tau")
    current = _input_courses(network, inputs, step_size)(0)
    rates = _initial_rates(network, current, initial)
    change = np.full_like(rates, np.inf)
    for step in range(1, max(1, round(longest / step_size)) + 1):
        change = _rate_of_change(network, rates, current)
        rates += step_size * change
        if step % CHECK_EVERY == 0:
            _tidy(network, rates, step * step_size)
            if np.abs(change).max() < tolerance:
                return rates
    condition, cell = np.unravel_index(np.abs(change).argmax(), change.shape)
    raise ConvergenceError(
        f"{network.labels[cell]} of condition {condition} still changes by "
        f"{change[condition, cell]:.3g} per tau after {longest:g} tau (tolerance {tolerance:g}); "
        "allow more time or move off a boundary"
    )


def simulate_rate(
    motif: Motif | Sequence[Motif],
    inputs: Inputs,
    *,
    duration: float,
    dt: float | None = None,
    initial: ArrayLike = 0.0,
    noise_sd: float = 0.0,
    noise_tau: float = 1.0,
    seed: int = 0,
    record_every: int = 1,
) -> RateResult:
    """Rates of motifs in time; several motifs give one condition each.

    Args:
        inputs: inputs of the excitatory units, last dimension n_units; forms as in
            ``simulate_network``.
        initial: rates of the excitatory units and then the inhibitory one at time 0.

    The other arguments and errors are those of ``simulate_network``. The noise also reaches the
    inhibitory unit.
    """
    network = motif_network(motif)
    first = motif if isinstance(motif, Motif) else motif[0]
    result = simulate_network(
        network,
        _with_inhibitory_unit(first, inputs),
        duration=duration,
        dt=dt,
        initial=initial,
        noise_sd=noise_sd,
        noise_tau=noise_tau,
        seed=seed,
        record_every=record_every,
    )
    return RateResult(result.time, result.rates[..., :-1], result.rates[..., -1])


def settle(
    motif: Motif | Sequence[Motif],
    inputs: ArrayLike,
    *,
    initial: ArrayLike = 0.0,
    tolerance: float = 1e-10,
    longest: float = 20_000.0,
) -> FloatArray:
    """Steady rates of the excitatory units under constant inputs, shape (batch, n_units).

    Arguments and errors are those of ``settle_network``.
    """
    network = motif_network(motif)
    first = motif if isinstance(motif, Motif) else motif[0]
    padded = _pad(check_inputs(first, inputs))
    return settle_network(network, padded, initial=initial, tolerance=tolerance, longest=longest)[
        :, :-1
    ]


class _NoiseCurrent:
    """A stationary Ornstein–Uhlenbeck current, exact in distribution for any step."""

    def __init__(self, shape: tuple[int, ...], sd: float, step: float, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._keep = np.exp(-step)
        self._kick = sd * np.sqrt(1 - self._keep**2)
        self._value = sd * self._rng.standard_normal(shape)

    def next(self) -> FloatArray:
        value = self._value
        self._value = self._keep * value + self._kick * self._rng.standard_normal(value.shape)
        return value


def _checked_step(network: RateNetwork, dt: float | None, preferred: float) -> float:
    if dt is None:
        return network.safe_step(preferred)
    limit = network.largest_step
    return check_real("dt", dt, low=0, high=limit, open_low=True, open_high=True, unit="tau")


def _rate_of_change(network: RateNetwork, rates: FloatArray, current: FloatArray) -> FloatArray:
    if network.weights.ndim == 2:
        drive = rates @ network.weights.T
    else:
        drive = np.matmul(network.weights, rates[..., None])[..., 0]
    drive += current
    drive -= network.thresholds
    np.maximum(drive, 0.0, out=drive)
    drive -= rates
    return drive


def _input_courses(network: RateNetwork, inputs: Inputs, dt: float) -> Callable[[int], FloatArray]:
    """The inputs as a function of the step number, each of shape (batch, n_cells)."""
    if isinstance(inputs, StepInputs):
        values = [_checked_currents(network, value) for value in inputs.values]
        first_steps = np.rint(inputs.onsets / dt).astype(np.int64)
        return lambda step: values[int(np.searchsorted(first_steps, step, side="right")) - 1]
    if callable(inputs):
        return lambda step: _checked_currents(network, inputs(step * dt))
    constant = _checked_currents(network, inputs)
    return lambda step: constant


def _checked_currents(network: RateNetwork, value: ArrayLike) -> FloatArray:
    current = np.asarray(value, dtype=np.float64)
    if current.ndim not in (1, 2) or current.shape[-1] != len(network.labels):
        raise ParameterError(
            f"inputs of shape {current.shape} do not fit {len(network.labels)} cells; allowed: "
            f"(n_cells,) or (batch, n_cells)"
        )
    if not np.isfinite(current).all():
        raise ParameterError("inputs hold values that are not finite; allowed: finite numbers")
    batch = network.batch
    if batch is not None and current.ndim == 2 and len(current) not in (1, batch):
        raise ParameterError(
            f"inputs for {len(current)} conditions do not fit {batch} networks; give one row each"
        )
    return np.atleast_2d(current)


def _initial_rates(network: RateNetwork, current: FloatArray, initial: ArrayLike) -> FloatArray:
    start = np.asarray(initial, dtype=np.float64)
    if not np.isfinite(start).all() or (start < 0).any():
        raise ParameterError("initial rates must be finite and not negative")
    conditions = max(len(current), network.batch or 1, start.shape[0] if start.ndim == 2 else 1)
    try:
        return np.broadcast_to(start, (conditions, len(network.labels))).copy()
    except ValueError as error:
        raise ParameterError(
            f"initial rates of shape {start.shape} do not fit {conditions} conditions of "
            f"{len(network.labels)} cells"
        ) from error


def _tidy(network: RateNetwork, rates: FloatArray, time: float) -> None:
    """Set vanishing rates to zero, in place, and stop at a rate that runs away."""
    rates[rates < SMALLEST_RATE] = 0.0
    if rates.max() < RUNAWAY_RATE:  # false also for NaN
        return
    condition, cell = np.argwhere(~(rates < RUNAWAY_RATE))[0]
    raise DivergenceError(
        f"{network.labels[cell]} of condition {condition} reached {rates[condition, cell]:.3g} "
        f"at {time:.3g} tau; lower the recurrent excitation or the input"
    )


def _with_inhibitory_unit(motif: Motif, inputs: Inputs) -> Inputs:
    if isinstance(inputs, StepInputs):
        return StepInputs(inputs.onsets, _pad(check_inputs(motif, inputs.values)))
    if callable(inputs):
        return lambda time: _pad(check_inputs(motif, inputs(time)))
    return _pad(check_inputs(motif, inputs))


def _pad(inputs: FloatArray) -> FloatArray:
    """Inputs of the excitatory units with a zero for the inhibitory unit at the end."""
    return np.concatenate([inputs, np.zeros((*inputs.shape[:-1], 1))], axis=-1)
