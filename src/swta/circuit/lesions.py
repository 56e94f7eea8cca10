"""Which function of the spiking motif needs which class of interneurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swta.cells.classes import INTERNEURONS, LABELS
from swta.circuit.bistability import BISTABLE
from swta.circuit.conditions import Condition, Context, count_bins
from swta.circuit.network import Network
from swta.circuit.spiking_experiments import NO_RECURRENCE, Noise, Trials
from swta.circuit.spiking_measures import snr_of
from swta.validation import check_choice, check_real

FloatArray = NDArray[np.float64]

FUNCTIONS = (
    "evoked rate",
    "winner gain",
    "loser fraction",
    "selectivity",
    "slope",
    "SNR gain",
    "memory",
)


@dataclass(frozen=True)
class LesionResult:
    """Every measure for the intact network and for each lesion."""

    lesions: tuple[str, ...]  # "intact", "PV 50 %", "PV 0 %", …: what is left
    functions: tuple[str, ...]
    values: FloatArray  # (n_lesions, n_functions, n_seeds)
    loads: FloatArray  # Hz, mean rates with both inputs, (n_lesions, n_seeds, n_populations)


def simulate_lesions(
    network: Network,
    trials: Trials,
    *,
    classes: Sequence[str] = INTERNEURONS,
    left: Sequence[float] = (0.5, 0.0),
    ratio: float = 0.8,
    noise: Noise = Noise(patterns=4),
    bistable: Context = BISTABLE,
) -> LesionResult:
    """Measure gain, suppression, restoration and memory with a class halved or removed.

    A lesion cuts the outputs of cells; they still fire. All lesions and functions are one run.
    A measure is NaN in a network that runs away with the lesion.

    Args:
        classes: the classes to take out, one at a time.
        left: shares of the class that still transmit.
        ratio: drive of the rival over the strong one.
        noise: noisy profiles for the restoration.
        bistable: context in which memory is measured.

    Raises:
        ParameterError: an unknown class or a share outside [0, 1].
    """
    lesions: list[tuple[str, dict[str, float]]] = [("intact", {})]
    for name in classes:
        check_choice("classes", name, INTERNEURONS)
        for share in left:
            check_real("left", share, low=0, high=1)
            lesions.append((f"{LABELS[name]} {100 * share:.0f} %", {name: float(share)}))
    n = network.n_units
    profile = noise.profile(n)
    rng = np.random.default_rng([13, trials.seed])
    noisy = np.maximum(profile + noise.noise * rng.standard_normal((noise.patterns, n)), 0.0)
    conditions: list[Condition] = []
    for _, kept in lesions:
        conditions += _battery(network, trials, ratio, noisy, kept, bistable)
    each = len(conditions) // len(lesions)
    result = trials.run(network, conditions, stop=False)
    rates = result.mean_rates_hz(trials.settle_s)
    # After a cue only the second half counts: its slow currents decay within the first.
    late = result.mean_rates_hz(trials.settle_s + 0.5 * trials.measure_s)
    rates, late = (one.reshape(len(lesions), each, *one.shape[1:]) for one in (rates, late))
    cued = 5 + noise.patterns
    rates = np.concatenate([rates[:, :cued], late[:, cued:]], axis=1)
    values = np.stack([_reduce(one[..., :n], noisy, ratio) for one in rates])
    return LesionResult(tuple(name for name, _ in lesions), FUNCTIONS, values, rates[:, 0])


def _battery(
    network: Network,
    trials: Trials,
    ratio: float,
    noisy: FloatArray,
    kept: dict[str, float],
    bistable: Context,
) -> list[Condition]:
    def drive(*first: float) -> FloatArray:
        return trials.drive_khz * np.r_[first, np.zeros(network.n_units - len(first))]

    battery = [
        Condition(drive(1.0, ratio), kept=kept),
        Condition(drive(1.0, ratio), kept=kept, efficacy=NO_RECURRENCE),
        Condition(drive(0.0, ratio), kept=kept),
        Condition(drive(1.0, 0.0), kept=kept),
        Condition(drive(0.6, 0.0), kept=kept),
    ]
    battery += [Condition(trials.drive_khz * row, kept=kept) for row in noisy]
    cue = count_bins(trials.settle_s)
    for favoured in (0, 1):
        course = np.tile(drive(1.0, 1.0), (cue + 1, 1))
        course[:cue, favoured] *= 1.4
        course[:cue, 1 - favoured] *= 0.6
        battery.append(Condition(course, bistable, kept=kept))
    return battery


def _reduce(rates: FloatArray, noisy: FloatArray, ratio: float) -> FloatArray:
    """Rates (n_conditions, n_seeds, n_units) to the functions, (n_functions, n_seeds)."""
    together, feed_forward, alone, strong, weaker = rates[:5]
    patterns = np.swapaxes(rates[5 : 5 + len(noisy)], 0, 1)
    cued = rates[5 + len(noisy) :]
    lead = _contrast(cued[..., 0], cued[..., 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack(
            [
                together[:, 0],
                together[:, 0] / feed_forward[:, 0],
                together[:, 1] / alone[:, 1],
                _contrast(together[:, 0], together[:, 1]),
                (strong[:, 0] - weaker[:, 0]) / 0.4,
                snr_of(patterns) / snr_of(noisy),
                (lead[0] - lead[1]) / 2,
            ]
        )


def _contrast(first: FloatArray, second: FloatArray) -> FloatArray:
    total = first + second
    return np.divide(first - second, total, out=np.zeros_like(total), where=total != 0)
