"""Which function of the spiking motif needs which class, and what LAMP5's assumed synapses decide.

A variant is a network with cells that do not transmit, or with pathways that are stronger or
weaker. All functions are measured in all variants, in one run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swta.cells.classes import CLASSES, INTERNEURONS, LABELS
from swta.circuit.bistability import BISTABLE
from swta.circuit.conditions import RUNNING, Condition, Context, count_bins
from swta.circuit.network import Network
from swta.circuit.pathways import Pair
from swta.circuit.spiking_experiments import NO_RECURRENCE, Noise, Trials
from swta.circuit.spiking_measures import snr_of
from swta.validation import ParameterError, check_choice, check_real

FloatArray = NDArray[np.float64]

FUNCTIONS: Final = MappingProxyType(
    {
        "evoked rate": "Hz, strong unit beside its rival",
        "winner gain": "that over the same without recurrent excitation",
        "loser fraction": "rival beside the strong unit over the rival alone",
        "selectivity": "difference over sum of the two",
        "slope": "Hz per kHz of drive of a lone unit",
        "normalisation": "rate of two driven units together over the sum of each alone",
        "disinhibition": "strong unit with VIP cells driven over without",
        "SNR gain": "signal-to-noise ratio of rates over that of drives",
        "memory": "lead of a cued unit, inputs equal, bistable context",
    }
)
# What removing a class should change if it has the role that the paper's abstract gives to it: the
# function, and whether it should grow. Written down before it was measured.
ROLES: Final = MappingProxyType(
    {
        "Pvalb": ("evoked rate", True),  # feed-forward inhibition
        "Sst": ("slope", True),  # feedback inhibition
        "Vip": ("disinhibition", False),
        "Lamp5": ("normalisation", True),
    }
)


@dataclass(frozen=True)
class Variant:
    """A change of the network."""

    name: str
    kept: dict[str, float] = field(default_factory=dict)  # share of a class that still transmits
    efficacy: dict[Pair, float] = field(default_factory=dict)  # factor on a pathway


INTACT: Final = Variant("intact")


def lesion_variants(
    classes: Sequence[str] = INTERNEURONS, left: Sequence[float] = (0.5, 0.0)
) -> tuple[Variant, ...]:
    """The intact network, and each class halved and removed, by default.

    A lesion cuts the outputs of cells; they still fire.

    Raises:
        ParameterError: an unknown class or a share outside [0, 1].
    """
    variants = [INTACT]
    for name in classes:
        check_choice("classes", name, INTERNEURONS)
        for share in left:
            check_real("left", share, low=0, high=1)
            variants.append(Variant(f"{LABELS[name]} {100 * share:.0f} %", {name: float(share)}))
    return tuple(variants)


def lamp5_variants(strength: float = 4.0) -> tuple[Variant, ...]:
    """The intact network, and LAMP5's assumed synapses stronger: onto it, from it, and both.

    Raises:
        ParameterError: a strength that is not positive.
    """
    check_real("strength", strength, low=0, open_low=True)
    onto: dict[Pair, float] = {("Pyr", "Lamp5"): strength**2}
    out: dict[Pair, float] = {("Lamp5", name): strength for name in CLASSES if name != "Lamp5"}
    return (
        INTACT,
        Variant(f"Pyr→LAMP5 ×{strength**2:g}", efficacy=onto),
        Variant(f"LAMP5→all ×{strength:g}", efficacy=out),
        Variant("both", efficacy=onto | out),
    )


@dataclass(frozen=True)
class VariantResult:
    """Every function for every variant, the intact network first."""

    variants: tuple[str, ...]
    functions: tuple[str, ...]
    values: FloatArray  # (n_variants, n_functions, n_seeds)
    loads: FloatArray  # Hz, mean rates with both inputs, (n_variants, n_seeds, n_populations)


def simulate_variants(
    network: Network,
    trials: Trials,
    variants: Sequence[Variant],
    *,
    ratio: float = 0.8,
    noise: Noise = Noise(patterns=4),
    bistable: Context = BISTABLE,
    running: Context = RUNNING,
) -> VariantResult:
    """Measure `FUNCTIONS` in every variant, all of them one run.

    A function is NaN in a network that runs away.

    Args:
        variants: the first is what the others are compared with.
        ratio: drive of the rival over the strong one.
        noise: noisy profiles for the restoration.
        bistable: context in which memory is measured.
        running: context that drives VIP cells.

    Raises:
        ParameterError: no variant.
    """
    if not variants:
        raise ParameterError("variants is empty; give INTACT first, then what to compare")
    n = network.n_units
    noisy = noise.draw(n, 1.0, trials.seed)
    battery = _Battery(network, trials, ratio, noisy, bistable, running)
    conditions = [c for one in variants for c in battery.conditions(one)]
    result = trials.run(network, conditions, stop=False)
    rates = result.mean_rates_hz(trials.settle_s)
    # After a cue only the second half counts: its slow currents decay within the first.
    late = result.mean_rates_hz(trials.settle_s + 0.5 * trials.measure_s)
    shape = (len(variants), -1, *rates.shape[1:])
    rates, late = rates.reshape(shape), late.reshape(shape)
    rates = np.concatenate([rates[:, :-2], late[:, -2:]], axis=1)
    values = np.stack([battery.reduce(one[..., :n]) for one in rates])
    return VariantResult(tuple(one.name for one in variants), tuple(FUNCTIONS), values, rates[:, 0])


class _Battery:
    """The conditions that all functions need, and their reduction."""

    def __init__(
        self,
        network: Network,
        trials: Trials,
        ratio: float,
        noisy: FloatArray,
        bistable: Context,
        running: Context,
    ) -> None:
        self.network, self.trials, self.ratio, self.noisy = network, trials, ratio, noisy
        self.bistable, self.running = bistable, running

    def conditions(self, variant: Variant) -> list[Condition]:
        def make(
            drive: FloatArray, context: Context = Context(), recurrent: bool = True
        ) -> Condition:
            efficacy = variant.efficacy if recurrent else variant.efficacy | NO_RECURRENCE
            return Condition(drive, context, efficacy=dict(efficacy), kept=dict(variant.kept))

        both = self._drive(1.0, self.ratio)
        cue = count_bins(self.trials.settle_s)
        battery = [
            make(both),
            make(both, recurrent=False),
            make(self._drive(0.0, self.ratio)),
            make(self._drive(1.0, 0.0)),
            make(self._drive(0.6, 0.0)),
            make(both, self.running),
        ]
        battery += [make(self.trials.drive_khz * row) for row in self.noisy]
        for favoured in (0, 1):
            course = np.tile(self._drive(1.0, 1.0), (cue + 1, 1))
            course[:cue, favoured] *= 1.4
            course[:cue, 1 - favoured] *= 0.6
            battery.append(make(course, self.bistable))
        return battery

    def _drive(self, *first: float) -> FloatArray:
        return self.trials.drive_khz * np.r_[first, np.zeros(self.network.n_units - len(first))]

    def reduce(self, rates: FloatArray) -> FloatArray:
        """Rates (n_conditions, n_seeds, n_units) to the functions, (n_functions, n_seeds)."""
        together, feed_forward, rival, strong, weaker, running = rates[:6]
        patterns = np.swapaxes(rates[6:-2], 0, 1)
        lead = _contrast(rates[-2:, :, 0], rates[-2:, :, 1])
        with np.errstate(divide="ignore", invalid="ignore"):
            found = {
                "evoked rate": together[:, 0],
                "winner gain": together[:, 0] / feed_forward[:, 0],
                "loser fraction": together[:, 1] / rival[:, 1],
                "selectivity": _contrast(together[:, 0], together[:, 1]),
                "slope": (strong[:, 0] - weaker[:, 0]) / (0.4 * self.trials.drive_khz),
                "normalisation": together[:, :2].sum(-1) / (strong[:, 0] + rival[:, 1]),
                "disinhibition": running[:, 0] / together[:, 0],
                "SNR gain": snr_of(patterns) / snr_of(self.noisy),
                "memory": (lead[0] - lead[1]) / 2,
            }
        return np.stack([found[name] for name in FUNCTIONS])


def _contrast(first: FloatArray, second: FloatArray) -> FloatArray:
    total = first + second
    return np.divide(first - second, total, out=np.zeros_like(total), where=total != 0)


def measure_roles(result: VariantResult) -> dict[str, FloatArray]:
    """Change of the function that each class's role predicts, in the predicted direction.

    Returns:
        By class, the change from intact to removed in each network, (n_seeds,), positive where it
        goes the way of `ROLES`.

    Raises:
        ParameterError: a result without a removed class.
    """
    changes = {}
    for name, (function, grows) in ROLES.items():
        removed = f"{LABELS[name]} 0 %"
        if removed not in result.variants:
            raise ParameterError(f"no variant {removed!r} among {', '.join(result.variants)}")
        values = result.values[:, result.functions.index(function)]
        change = values[result.variants.index(removed)] - values[0]
        changes[name] = change if grows else -change
    return changes
