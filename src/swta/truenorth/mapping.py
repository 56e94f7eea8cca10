r"""The soft winner-take-all motif on one core: gain matching, layout, and what to expect of it.

A neuron with linear reset is a threshold-linear unit (rates :math:`r` in spikes per tick),

.. math:: r = \min\Big(1, \max\Big(0, \frac{\sum_k s_k r_k + \lambda}{\alpha_{th}}\Big)\Big)

as long as its negative threshold is wide. Gain matching chooses whole numbers such that, for
:math:`N_E` excitatory neurons per unit and :math:`N_I` inhibitory neurons,

.. math::

    \alpha = \frac{N_E s_{EE}}{\alpha_{th}},\quad \beta_1 = \frac{N_I |s_{EI}|}{\alpha_{th}},\quad
    \beta_2 = \frac{N_E s_{IE}}{\alpha'_{th}},\quad T_E = -\frac{\lambda}{\alpha_{th}},\quad
    T_N = -\frac{\lambda'}{\alpha'_{th}}.

Each cell class takes one primitive of the chip:

=====  =========================  =====================================================
class  role                       primitive
=====  =========================  =====================================================
PV     feed-forward inhibition    negative weight of the axons that copy the input
SST    feedback inhibition        negative weight of the axons of the inhibitory neurons
VIP    disinhibition              negative leak of the inhibitory neurons
LAMP5  gain normalisation         threshold of the excitatory neurons
=====  =========================  =====================================================
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from swta.circuit.theory import Motif, check_inputs, steady_state
from swta.truenorth.chip import Core
from swta.truenorth.neuron import (
    LINEAR_RESET,
    MAX_THRESHOLD,
    MAX_WEIGHT,
    N_AXONS,
    N_NEURONS,
    Neurons,
)
from swta.validation import ParameterError, check_integer, check_real

INPUT, RECURRENT, FEEDBACK, FEEDFORWARD = range(4)  # axon types of a motif's core
PRIMITIVES: Final = ("Pvalb", "Sst", "Vip", "Lamp5")

_FREE_THRESHOLD: Final = 64  # that of the worked example: one input spike is one output spike


@dataclass(frozen=True)
class MotifRequest:
    """What is to be put on a core.

    Raises:
        ParameterError: a value out of range, or neighbour coupling, which has no place here.
    """

    motif: Motif = field(default_factory=lambda: Motif(alpha=0.5, beta1=1.5, beta2=0.5, n_units=3))
    neurons_per_unit: int = 32  # N_E; averaging over them smooths the rates, our choice
    inhibitory_neurons: int = 32  # N_I, shared by all units; our choice
    threshold: int = _FREE_THRESHOLD  # alpha_th of the excitatory neurons, which sets the grid of
    # the weights; an input spike alone makes a neuron fire
    inhibitory_threshold: int = _FREE_THRESHOLD  # alpha'_th
    negative_threshold: int = 640  # beta of all neurons; ten thresholds keep inhibition linear
    feedforward: float = 0.0  # PV: input of all units taken from each unit, dimensionless
    feedforward_lines: int = 0  # axons per unit that copy input axons, for the PV primitive
    max_error: float = 0.02  # largest relative error of rounding to whole numbers

    def __post_init__(self) -> None:
        if self.motif.alpha2 != 0:
            raise ParameterError(
                f"alpha2 = {self.motif.alpha2:g}: neighbour coupling needs more axon types than a "
                "core has; allowed: 0"
            )
        check_integer("neurons_per_unit", self.neurons_per_unit, low=1, high=N_NEURONS)
        check_integer("inhibitory_neurons", self.inhibitory_neurons, low=1, high=N_NEURONS)
        hint = "An input spike carries one threshold in one weight"
        check_integer("threshold", self.threshold, low=1, high=MAX_WEIGHT, hint=hint)
        check_integer("inhibitory_threshold", self.inhibitory_threshold, low=1, high=MAX_THRESHOLD)
        check_integer("negative_threshold", self.negative_threshold, low=0, high=MAX_THRESHOLD)
        check_real("feedforward", self.feedforward, low=0)
        check_integer("feedforward_lines", self.feedforward_lines, low=0, high=N_AXONS)
        check_real("max_error", self.max_error, low=0)


@dataclass(frozen=True)
class MotifOnCore:
    """A motif as whole numbers on a core. Weights are in units of V, inhibitory ones positive."""

    request: MotifRequest
    threshold: int  # alpha_th
    input_weight: int  # s_ext
    recurrent_weight: int  # s_EE
    feedback_weight: int  # |s_EI|
    feedforward_weight: int  # |s_FF|
    inhibitory_weight: int  # s_IE
    leak: int  # of excitatory neurons
    inhibitory_leak: int

    @property
    def n_units(self) -> int:
        """Number of competing units."""
        return self.request.motif.n_units

    @property
    def unit_neurons(self) -> np.ndarray:
        """Neurons of each unit, (n_units, neurons_per_unit)."""
        per_unit = self.request.neurons_per_unit
        return np.arange(self.n_units * per_unit).reshape(self.n_units, per_unit)

    @property
    def inhibitory_neurons(self) -> np.ndarray:
        """Neurons of the inhibitory population."""
        return self.unit_neurons.size + np.arange(self.request.inhibitory_neurons)

    @property
    def input_axons(self) -> np.ndarray:
        """Axon of the external input of each excitatory neuron, (n_units, neurons_per_unit)."""
        return self.unit_neurons

    @property
    def feedforward_axons(self) -> np.ndarray:
        """Axons that copy the first input axons of each unit, (n_units, feedforward_lines)."""
        lines = self.request.feedforward_lines
        first = 2 * self.unit_neurons.size + self.request.inhibitory_neurons
        return first + np.arange(self.n_units * lines).reshape(self.n_units, lines)

    @property
    def realised(self) -> dict[str, float]:
        """The motif's numbers as the whole numbers make them, dimensionless."""
        request = self.request
        per_unit, inhibitory = request.neurons_per_unit, request.inhibitory_neurons
        return {
            "input_gain": self.input_weight / self.threshold,
            "alpha": per_unit * self.recurrent_weight / self.threshold,
            "beta1": inhibitory * self.feedback_weight / self.threshold,
            "beta2": per_unit * self.inhibitory_weight / request.inhibitory_threshold,
            "T_E": -self.leak / self.threshold,
            "T_N": -self.inhibitory_leak / request.inhibitory_threshold,
            "feedforward": request.feedforward_lines * self.feedforward_weight / self.threshold,
        }

    def core(self, index: int = 0) -> Core:
        """Return the core for place ``index`` of a chip; its neurons drive its own axons."""
        units, inhibitory = self.unit_neurons, self.inhibitory_neurons
        n_e = units.size
        axon_type = np.zeros(N_AXONS, dtype=np.uint8)
        axon_type[n_e : 2 * n_e] = RECURRENT
        axon_type[2 * n_e : 2 * n_e + len(inhibitory)] = FEEDBACK
        axon_type[self.feedforward_axons] = FEEDFORWARD

        crossbar = np.zeros((N_AXONS, N_NEURONS), dtype=bool)
        crossbar[self.input_axons.ravel(), units.ravel()] = True
        for unit in units:
            crossbar[np.ix_(n_e + unit, unit)] = True
        crossbar[n_e : 2 * n_e, inhibitory] = True
        crossbar[n_e + inhibitory, :n_e] = True
        crossbar[self.feedforward_axons.ravel(), :n_e] = True

        weights = np.zeros((N_NEURONS, 4), dtype=np.int16)
        weights[:n_e] = (
            self.input_weight,
            self.recurrent_weight,
            -self.feedback_weight,
            -self.feedforward_weight,
        )
        weights[inhibitory, RECURRENT] = self.inhibitory_weight
        used = np.arange(N_NEURONS) < n_e + len(inhibitory)
        inhibits = used & (np.arange(N_NEURONS) >= n_e)
        neurons = Neurons(
            weights=weights,
            leak=np.where(inhibits, self.inhibitory_leak, np.where(used, self.leak, 0)),
            threshold=np.where(inhibits, self.request.inhibitory_threshold, self.threshold),
            negative_threshold=self.request.negative_threshold,
            reset_mode=LINEAR_RESET,
            negative_saturate=True,
            target_core=np.where(used, index, -1),
            target_axon=np.where(used, n_e + np.arange(N_NEURONS), 0) % N_AXONS,
            core=index,
        )
        return Core(axon_type, crossbar, neurons)


def map_motif(request: MotifRequest) -> MotifOnCore:
    """Return the motif in whole numbers by the ratios above.

    Raises:
        ParameterError: the motif does not fit a core, or rounding changes one of its numbers by
            more than ``max_error``; the message names the constraint.
    """
    _check_fit(request)
    motif, threshold = request.motif, request.threshold
    lines = request.feedforward_lines
    wanted = {
        "recurrent_weight": motif.alpha * threshold / request.neurons_per_unit,
        "feedback_weight": motif.beta1 * threshold / request.inhibitory_neurons,
        "inhibitory_weight": motif.beta2 * request.inhibitory_threshold / request.neurons_per_unit,
        "feedforward_weight": request.feedforward * threshold / lines if lines else 0.0,
        "leak": -motif.T_E * threshold,
        "inhibitory_leak": -motif.T_N * request.inhibitory_threshold,
    }
    whole = {name: round(value) for name, value in wanted.items()}
    for name, value in wanted.items():
        if abs(whole[name]) > MAX_WEIGHT:
            raise ParameterError(
                f"{name} = {whole[name]} does not fit the nine bits of a weight; allowed: "
                f"-{MAX_WEIGHT} … {MAX_WEIGHT}. Lower the threshold or take more neurons"
            )
        error = abs(whole[name] - value)
        if error > request.max_error * abs(value) + 1e-9:
            raise ParameterError(
                f"{name} = {value:.3g} would be rounded to {whole[name]}, an error of "
                f"{error / abs(value):.1%}; allowed: {request.max_error:.1%}. Weights are whole "
                "numbers: change threshold or the number of neurons, or let fit_thresholds choose"
            )
    return MotifOnCore(request, threshold=threshold, input_weight=threshold, **whole)


def fit_thresholds(request: MotifRequest) -> MotifRequest:
    """Return the request with the two thresholds that round its numbers least, at most 255.

    The negative threshold keeps its ratio to the threshold of the excitatory neurons.
    """
    motif, lines = request.motif, max(request.feedforward_lines, 1)
    grid = np.arange(1, MAX_WEIGHT + 1)
    threshold = _best(
        grid,
        motif.alpha * grid / request.neurons_per_unit,
        motif.beta1 * grid / request.inhibitory_neurons,
        request.feedforward * grid / lines,
        motif.T_E * grid,
    )
    inhibitory = _best(grid, motif.beta2 * grid / request.neurons_per_unit, motif.T_N * grid)
    negative = round(request.negative_threshold * threshold / request.threshold)
    return replace(
        request,
        threshold=threshold,
        inhibitory_threshold=inhibitory,
        negative_threshold=negative,
    )


def without(mapped: MotifOnCore, primitive: str, *, gain: float = 0.8) -> MotifOnCore:
    """Return the motif with one primitive taken away, all other whole numbers as they were.

    Args:
        mapped: the intact motif.
        primitive: one of ``PRIMITIVES``. ``Pvalb``, ``Sst`` and ``Vip`` set their weight or leak to
            zero; ``Lamp5`` lowers the threshold of the excitatory neurons to ``gain`` times.
        gain: ratio of thresholds without and with LAMP5.

    Raises:
        ParameterError: unknown primitive.
    """
    removed: dict[str, dict[str, Any]] = {
        "Pvalb": {"feedforward_weight": 0},
        "Sst": {"feedback_weight": 0},
        "Vip": {"inhibitory_leak": 0},
        "Lamp5": {"threshold": round(mapped.threshold * gain)},
    }
    if primitive not in removed:
        raise ParameterError(f"primitive = {primitive!r}; allowed: {', '.join(PRIMITIVES)}")
    return replace(mapped, **removed[primitive])


def predict_rates(mapped: MotifOnCore, inputs: ArrayLike) -> np.ndarray:
    """Return the closed-form rates of the units, in spikes per tick, shape (..., n_units).

    Uses the numbers as realised in whole numbers. A neuron fires at most once per tick, so rates
    are cut at 1; the others are exact only while none is cut or the units do not compete.

    Args:
        mapped: the motif on the core.
        inputs: input rate of each unit's axons, spikes per tick, shape (..., n_units).
    """
    numbers = mapped.realised
    motif = replace(
        mapped.request.motif,
        alpha=numbers["alpha"],
        beta1=numbers["beta1"],
        beta2=numbers["beta2"],
        T_E=numbers["T_E"],
        T_N=numbers["T_N"],
    )
    rates = check_inputs(motif, inputs)
    taken = numbers["feedforward"] * rates.sum(-1, keepdims=True)
    return np.minimum(steady_state(motif, numbers["input_gain"] * rates - taken), 1.0)


def _check_fit(request: MotifRequest) -> None:
    excitatory = request.motif.n_units * request.neurons_per_unit
    copies = request.motif.n_units * request.feedforward_lines
    neurons = excitatory + request.inhibitory_neurons
    axons = 2 * excitatory + request.inhibitory_neurons + copies
    if request.feedforward_lines > request.neurons_per_unit:
        raise ParameterError(
            f"feedforward_lines = {request.feedforward_lines} copies of the input of a unit, which "
            f"has {request.neurons_per_unit} axons; allowed: 0 … {request.neurons_per_unit}"
        )
    if (request.feedforward > 0) != (request.feedforward_lines > 0):
        raise ParameterError(
            f"feedforward = {request.feedforward:g} with feedforward_lines = "
            f"{request.feedforward_lines}: give both or neither"
        )
    if neurons > N_NEURONS:
        raise ParameterError(
            f"neurons: {excitatory} excitatory + {request.inhibitory_neurons} inhibitory = "
            f"{neurons} exceed the {N_NEURONS} of a core; lower neurons_per_unit or n_units"
        )
    if axons > N_AXONS:
        raise ParameterError(
            f"axons: {excitatory} input + {excitatory} recurrent + {request.inhibitory_neurons} "
            f"feedback + {copies} feed-forward = {axons} exceed the {N_AXONS} of a core; lower "
            "neurons_per_unit, inhibitory_neurons or feedforward_lines"
        )


def _best(grid: np.ndarray, *wanted: np.ndarray) -> int:
    """Return the entry of ``grid`` with the smallest largest relative rounding error."""
    worst = np.zeros(len(grid))
    for values in wanted:
        scale = np.maximum(np.abs(values), 1e-12)
        worst = np.maximum(worst, np.abs(np.round(values) - values) / scale)
    return int(grid[np.argmin(np.round(worst, 12))])
