r"""What a TrueNorth neuron can be told: the parameters of the 256 neurons of one core.

In each tick a neuron adds its synaptic input, then its leak, then is compared with its thresholds
(Cassidy et al. 2013; the reset and negative modes are restated in every public code):

.. math::

    V &\leftarrow V + \sum_i A_i\,w_{ij}\,\big[(1-b^{G_i})\,s^{G_i}
        + b^{G_i}\,F(s^{G_i},\rho_{ij})\,\mathrm{sgn}\,s^{G_i}\big] \\
    V &\leftarrow V + \Omega\,\big[(1-c)\,\lambda
        + c\,F(\lambda,\rho^\lambda)\,\mathrm{sgn}\,\lambda\big],
        \qquad \Omega = (1-\epsilon) + \epsilon\,\mathrm{sgn}\,V \\
    &\text{spike if } V \ge \alpha + \eta, \qquad \eta = \rho^T \wedge (2^{TM}-1)

with :math:`F(x,\rho)=1` if :math:`|x|\ge\rho` and 0 otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from swta.validation import ParameterError

N_AXONS: Final = 256
N_NEURONS: Final = 256
N_AXON_TYPES: Final = 4
MAX_CORES: Final = 4096  # 64 × 64 cores on a chip (Merolla et al. 2014)
MAX_DELAY: Final = 15  # ticks; four bits, 0 is not used
MAX_WEIGHT: Final = 255  # signed nine-bit weights and leak
MAX_THRESHOLD: Final = 2**18 - 1  # unsigned eighteen bits
MAX_POTENTIAL: Final = 2**19 - 1  # signed twenty bits
MIN_POTENTIAL: Final = -(2**19)

NORMAL_RESET, LINEAR_RESET, NO_RESET = 0, 1, 2


class _Field(NamedTuple):
    shape: tuple[int, ...]
    dtype: type
    low: int
    high: int
    hint: str = ""


_NEURON = (N_NEURONS,)
_PER_TYPE = (N_NEURONS, N_AXON_TYPES)
_FIELDS: Final = {
    "weights": _Field(_PER_TYPE, np.int16, -MAX_WEIGHT, MAX_WEIGHT),
    "leak": _Field(_NEURON, np.int16, -MAX_WEIGHT, MAX_WEIGHT),
    "threshold": _Field(_NEURON, np.int32, 0, MAX_THRESHOLD),
    "negative_threshold": _Field(
        _NEURON, np.int32, 0, MAX_THRESHOLD, "Give the magnitude: it acts at minus this value"
    ),
    "reset": _Field(_NEURON, np.int32, -MAX_POTENTIAL, MAX_POTENTIAL),
    "reset_mode": _Field(_NEURON, np.uint8, 0, 2, "0 is normal, 1 linear, 2 none"),
    "potential": _Field(_NEURON, np.int32, MIN_POTENTIAL, MAX_POTENTIAL),
    "leak_reversal": _Field(_NEURON, np.bool_, 0, 1),
    "negative_saturate": _Field(_NEURON, np.bool_, 0, 1),
    "stochastic_synapse": _Field(_PER_TYPE, np.bool_, 0, 1),
    "stochastic_leak": _Field(_NEURON, np.bool_, 0, 1),
    "threshold_mask_bits": _Field(_NEURON, np.uint8, 0, 18),
    "target_core": _Field(_NEURON, np.int32, -1, MAX_CORES - 1, "-1 leaves the chip"),
    "target_axon": _Field(_NEURON, np.uint8, 0, N_AXONS - 1),
    "delay": _Field(_NEURON, np.uint8, 1, MAX_DELAY, "Longer delays need relay neurons"),
}


def check_array(
    name: str,
    value: ArrayLike,
    shape: tuple[int, ...],
    dtype: type,
    low: int,
    high: int,
    *,
    core: int | None = None,
    hint: str = "",
) -> np.ndarray:
    """Return ``value`` as a read-only array of the given shape and type, every entry in range.

    Args:
        name: the field's name; axon_type and crossbar are counted by axons, others by neurons.
        shape: what ``value`` must have or broadcast to.
        low, high: the bounds, both included.
        core, hint: named in the message, where given.

    Raises:
        ParameterError: wrong shape, not whole numbers, or an entry out of range; the message names
            core, neuron, field, value and range.
    """
    item = "axon" if name in ("axon_type", "crossbar") else "neuron"
    where = "" if core is None else f"core {core}, "
    try:
        given = np.asarray(value)
    except ValueError:  # rows of different lengths
        raise ParameterError(
            f"{where}{name} = {value!r} is no array; give rows of one length"
        ) from None
    if given.dtype.kind not in "biuf":
        raise ParameterError(f"{where}{name} must hold whole numbers, not {given.dtype}")
    try:
        full = np.broadcast_to(given, shape)
    except ValueError:
        raise ParameterError(
            f"{where}{name} has shape {given.shape}; allowed: {shape} or what broadcasts to it"
        ) from None
    fraction = np.zeros(given.shape, dtype=bool)
    if given.dtype.kind == "f":
        fraction = ~(np.isfinite(given) & (np.floor(given) == given))
    outside = (given < low) | (given > high)
    if fraction.any() or outside.any():
        wrong = np.argwhere(np.broadcast_to(fraction | outside, shape))
        first = tuple(int(k) for k in wrong[0])
        part = f"[{first[1]}]" if len(first) > 1 else ""
        what = (
            "is not a whole number"
            if np.broadcast_to(fraction, shape)[first]
            else "is out of range"
        )
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise ParameterError(
            f"{where}{item} {first[0]}: {name}{part} = {full[first]} {what}; "
            f"allowed: {low} … {high}{more}{'. ' + hint if hint else ''}"
        )
    array: np.ndarray = np.array(full, dtype=dtype, order="C")
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Neurons:
    """Parameters of the 256 neurons of one core; scalars are broadcast, arrays become read-only.

    ``core`` is only a name for error messages: the index that the core will have on the chip.

    Raises:
        ParameterError: a value is out of range; the message names core, neuron, field and range.
    """

    weights: ArrayLike  # s^0..s^3, (256, 4) or (4,): weight of each axon type, -255..255
    leak: ArrayLike = 0  # lambda, added in every tick, -255..255
    threshold: ArrayLike = 1  # alpha, the neuron fires at V >= alpha, 0..2^18-1
    negative_threshold: ArrayLike = 0  # beta, the negative side acts below -beta, 0..2^18-1
    reset: ArrayLike = 0  # R; the chip stores 0, ±1, ±3, ±7, ... ±(2^k-1), the equations take any
    reset_mode: ArrayLike = NORMAL_RESET  # gamma: 0 to R, 1 subtract the threshold, 2 no reset
    potential: ArrayLike = 0  # V before the first tick, signed 20 bit
    leak_reversal: ArrayLike = False  # epsilon: the leak takes the sign of V
    negative_saturate: ArrayLike = False  # kappa: V stops at -beta instead of being reset
    stochastic_synapse: ArrayLike = False  # b^0..b^3, (256, 4) or (4,): the weight is a probability
    stochastic_leak: ArrayLike = False  # c: the leak is a probability
    threshold_mask_bits: ArrayLike = 0  # TM: a random number of 0..2^TM-1 is added to the threshold
    target_core: ArrayLike = -1  # core that receives the spike; -1 leaves the chip
    target_axon: ArrayLike = 0  # axon of that core, 0..255
    delay: ArrayLike = 1  # ticks until the axon sees the spike, 1..15
    core: int | None = None

    def __post_init__(self) -> None:
        for name, field in _FIELDS.items():
            value = check_array(
                name, getattr(self, name), *field[:4], core=self.core, hint=field.hint
            )
            object.__setattr__(self, name, value)
