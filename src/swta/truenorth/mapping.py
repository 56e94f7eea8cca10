r"""The soft winner-take-all motif in whole numbers: gain matching, and what to expect of it.

A neuron with linear reset is a threshold-linear unit (rates :math:`r` in spikes per tick),

.. math:: r = \min\Big(1, \max\Big(0, \frac{\sum_k s_k r_k + \lambda}{\alpha_{th}}\Big)\Big)

as long as its negative threshold is wide. Gain matching chooses whole numbers such that, for
:math:`N_E` excitatory neurons per unit and :math:`N_I` inhibitory neurons,

.. math::

    \alpha = \frac{N_E s_{EE}}{\alpha_{th}},\quad \beta_1 = \frac{N_I |s_{EI}|}{\alpha_{th}},\quad
    \beta_2 = \frac{N_E s_{IE}}{\alpha'_{th}},\quad T_E = -\frac{\lambda}{\alpha_{th}},\quad
    T_N = -\frac{\lambda'}{\alpha'_{th}}.

A core has 256 axons, so with many units an inhibitory neuron listens to a part of each unit only;
in :math:`\beta_2`, :math:`N_E` is then the size of that part.

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
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from swta.circuit.theory import Motif, check_inputs, steady_state
from swta.truenorth.network import Network, Population, Projection, Source
from swta.truenorth.neuron import LINEAR_RESET, MAX_THRESHOLD, MAX_WEIGHT, N_AXONS, N_NEURONS
from swta.truenorth.placement import Placement, place
from swta.validation import ParameterError, check_integer, check_real

PRIMITIVES: Final = ("Pvalb", "Sst", "Vip", "Lamp5")

TYPICAL_RATE: Final = 0.1  # spikes per tick; an error of T_E or T_N counts relative to it
_FREE_THRESHOLD: Final = 64  # that of the worked example: one input spike is one output spike


@dataclass(frozen=True)
class MotifRequest:
    """What is to be put on cores.

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
    max_error: float = 0.02  # largest error of rounding to whole numbers, relative; of T_E and
    # T_N relative to TYPICAL_RATE

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
        if self.feedforward_lines > self.neurons_per_unit:
            raise ParameterError(
                f"feedforward_lines = {self.feedforward_lines} copies of the input of a unit, "
                f"which has {self.neurons_per_unit} axons; allowed: 0 … {self.neurons_per_unit}"
            )
        if (self.feedforward > 0) != (self.feedforward_lines > 0):
            raise ParameterError(
                f"feedforward = {self.feedforward:g} with feedforward_lines = "
                f"{self.feedforward_lines}: give both or neither"
            )

    @property
    def heard_per_unit(self) -> int:
        """Neurons of each unit that one inhibitory neuron listens to.

        All of them where the axons of a core allow it. Else units and inhibitory neurons are cut
        into equal parts, and each part of the pool listens to one part of every unit.

        Raises:
            ParameterError: more units than axons, or no way to cut.
        """
        for heard in range(min(self.neurons_per_unit, N_AXONS // self.motif.n_units), 0, -1):
            parts, rest = divmod(self.neurons_per_unit, heard)
            if rest == 0 and self.inhibitory_neurons % parts == 0:
                return heard
        raise ParameterError(
            f"fan-in: an inhibitory neuron would listen to more than {N_AXONS} of the "
            f"{self.motif.n_units} · {self.neurons_per_unit} excitatory neurons, and "
            f"{self.inhibitory_neurons} inhibitory neurons cannot be cut into equal parts that "
            "listen to fewer; choose numbers with common divisors, such as powers of two"
        )


@dataclass(frozen=True)
class MappedMotif:
    """A motif as whole numbers. Weights are in units of V, inhibitory ones positive.

    Small motifs stand on one core; ``placement`` takes as many as are needed.
    """

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
    def realised(self) -> dict[str, float]:
        """The motif's numbers as the whole numbers make them, dimensionless."""
        request = self.request
        per_unit, inhibitory = request.neurons_per_unit, request.inhibitory_neurons
        heard = request.heard_per_unit
        return {
            "input_gain": self.input_weight / self.threshold,
            "alpha": per_unit * self.recurrent_weight / self.threshold,
            "beta1": inhibitory * self.feedback_weight / self.threshold,
            "beta2": heard * self.inhibitory_weight / request.inhibitory_threshold,
            "T_E": -self.leak / self.threshold,
            "T_N": -self.inhibitory_leak / request.inhibitory_threshold,
            "feedforward": request.feedforward_lines * self.feedforward_weight / self.threshold,
        }

    @property
    def network(self) -> Network:
        """Populations ``unit_0``, ... and ``pool``, driven by sources ``input_0``, ..."""
        request = self.request
        per_unit, pool = request.neurons_per_unit, request.inhibitory_neurons
        shared = {
            "negative_threshold": request.negative_threshold,
            "reset_mode": LINEAR_RESET,
            "negative_saturate": True,
        }
        names = [f"unit_{k}" for k in range(self.n_units)]
        sources = [f"input_{k}" for k in range(self.n_units)]
        units = [
            Population(name, per_unit, threshold=self.threshold, leak=self.leak, **shared)
            for name in names
        ]
        inhibitory = Population(
            "pool",
            pool,
            threshold=request.inhibitory_threshold,
            leak=self.inhibitory_leak,
            **shared,
        )
        copied = np.zeros((per_unit, per_unit), dtype=bool)
        copied[: request.feedforward_lines] = True
        parts = per_unit // request.heard_per_unit
        ways: list[tuple[str, str, int, dict[str, Any]]] = []
        for unit, source in zip(names, sources, strict=True):
            ways.append((source, unit, self.input_weight, {"delay": 0, "blocks": per_unit}))
            ways.append((unit, unit, self.recurrent_weight, {}))
            ways.append((unit, "pool", self.inhibitory_weight, {"blocks": parts}))
            ways.append(("pool", unit, -self.feedback_weight, {}))
            copies = {"delay": 0, "connections": copied, "axon_group": "feedforward"}
            if request.feedforward_lines:
                ways += [(other, unit, -self.feedforward_weight, copies) for other in sources]
        return Network(
            populations=[*units, inhibitory],
            projections=[
                Projection(pre, post, weight, **options)
                for pre, post, weight, options in ways
                if weight
            ],
            sources=[Source(name, per_unit) for name in sources],
        )

    @cached_property
    def placement(self) -> Placement:
        """The motif on cores.

        Raises:
            ParameterError: it does not fit; the message names the limit and the populations.
        """
        return place(self.network)


def map_motif(request: MotifRequest) -> MappedMotif:
    """Return the motif in whole numbers by the ratios above.

    Raises:
        ParameterError: rounding changes one of its numbers by more than ``max_error``, or one does
            not fit its bits; the message names it.
    """
    motif, threshold = request.motif, request.threshold
    pool = request.inhibitory_threshold
    lines = request.feedforward_lines
    weights = {
        "recurrent_weight": motif.alpha * threshold / request.neurons_per_unit,
        "feedback_weight": motif.beta1 * threshold / request.inhibitory_neurons,
        "inhibitory_weight": motif.beta2 * pool / request.heard_per_unit,
        "feedforward_weight": request.feedforward * threshold / lines if lines else 0.0,
    }
    leaks = {"leak": -motif.T_E * threshold, "inhibitory_leak": -motif.T_N * pool}
    whole = {name: round(value) for name, value in (weights | leaks).items()}
    for name, rounded in whole.items():
        if abs(rounded) > MAX_WEIGHT:
            raise ParameterError(
                f"{name} = {rounded} does not fit the nine bits of a weight; allowed: "
                f"-{MAX_WEIGHT} … {MAX_WEIGHT}. Lower the threshold or take more neurons"
            )
    scale = {name: abs(value) for name, value in weights.items()}
    scale |= {"leak": TYPICAL_RATE * threshold, "inhibitory_leak": TYPICAL_RATE * pool}
    for name, value in (weights | leaks).items():
        error = abs(whole[name] - value)
        if error > request.max_error * scale[name] + 1e-9:
            raise ParameterError(
                f"{name} = {value:.3g} would be rounded to {whole[name]}, an error of "
                f"{error / scale[name]:.1%}; allowed: {request.max_error:.1%}. Weights are whole "
                "numbers: change threshold or the number of neurons, or let fit_thresholds choose"
            )
    return MappedMotif(request, threshold=threshold, input_weight=threshold, **whole)


def fit_thresholds(request: MotifRequest, *, max_weight: int = MAX_WEIGHT) -> MotifRequest:
    """Return the request with the two thresholds that round its numbers least.

    The negative threshold keeps its ratio to the threshold of the excitatory neurons.

    Args:
        request: the motif; its own thresholds are not used.
        max_weight: largest weight, leak and threshold to use, at most 255.

    Raises:
        ParameterError: no threshold keeps all weights within ``max_weight``.
    """
    check_integer("max_weight", max_weight, low=1, high=MAX_WEIGHT)
    motif, lines = request.motif, max(request.feedforward_lines, 1)
    grid = np.arange(1, max_weight + 1)
    threshold = _best(
        max_weight,
        weights=(
            motif.alpha * grid / request.neurons_per_unit,
            motif.beta1 * grid / request.inhibitory_neurons,
            request.feedforward * grid / lines,
        ),
        leak=motif.T_E * grid,
    )
    inhibitory = _best(
        max_weight, weights=(motif.beta2 * grid / request.heard_per_unit,), leak=motif.T_N * grid
    )
    negative = round(request.negative_threshold * threshold / request.threshold)
    return replace(
        request,
        threshold=threshold,
        inhibitory_threshold=inhibitory,
        negative_threshold=negative,
    )


def without(mapped: MappedMotif, primitive: str, *, gain: float = 0.8) -> MappedMotif:
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


def predict_rates(mapped: MappedMotif, inputs: ArrayLike) -> np.ndarray:
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


def _best(max_weight: int, *, weights: tuple[np.ndarray, ...], leak: np.ndarray) -> int:
    """Return the threshold 1..max_weight with the smallest largest rounding error.

    ``weights`` and ``leak`` hold the exact values with each of these thresholds. The error of a
    weight is relative, that of a leak is in spikes per tick over ``TYPICAL_RATE``.
    """
    leak_error = np.abs(np.round(leak) - leak) / np.arange(1, max_weight + 1)
    worst = leak_error / TYPICAL_RATE
    for values in weights:
        scale = np.maximum(np.abs(values), 1e-12)
        worst = np.maximum(worst, np.abs(np.round(values) - values) / scale)
    for values in (*weights, leak):
        worst[np.abs(np.round(values)) > max_weight] = np.inf
    if np.isinf(worst).all():
        raise ParameterError(
            f"no threshold keeps all weights within {max_weight}; take more neurons or bits"
        )
    return int(np.argmin(np.round(worst, 12))) + 1
