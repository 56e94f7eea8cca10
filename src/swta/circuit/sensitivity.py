"""How competition in the spiking motif depends on what was assumed about its wiring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swta.circuit.conditions import Condition
from swta.circuit.network import Network
from swta.circuit.spiking_experiments import NO_RECURRENCE, Trials
from swta.validation import ParameterError, check_choice, check_real

FloatArray = NDArray[np.float64]

# Field of Network, and values around its default. A width of 180° leaves no preference.
ASSUMPTIONS: Final[Mapping[str, tuple[float, ...]]] = MappingProxyType(
    {
        "nmda_ratio": (0.0, 0.2, 0.45, 0.6),
        "tuning_width_deg": (30.0, 60.0, 90.0, 180.0),
    }
)


@dataclass(frozen=True)
class SensitivityResult:
    """Competition of two units in networks that differ in one assumption."""

    assumption: str  # field of Network
    values: FloatArray  # of the field, (n_values,)
    winner_gain: FloatArray  # strong unit over itself without E→E, (n_values, n_seeds)
    loser_fraction: FloatArray  # rival beside the strong unit over the rival alone, same shape

    def tabulate(self) -> pd.DataFrame:
        """A row per value and network; NaN for one that runs away."""
        n = self.winner_gain.shape[1]
        return pd.DataFrame(
            {
                "assumption": self.assumption,
                "value": np.repeat(self.values, n),
                "network": np.tile(np.arange(n), len(self.values)),
                "winner_gain": self.winner_gain.ravel(),
                "loser_fraction": self.loser_fraction.ravel(),
            }
        )


def simulate_assumption(
    network: Network,
    trials: Trials,
    assumption: str,
    values: Sequence[float] | None = None,
    *,
    ratio: float = 0.8,
) -> SensitivityResult:
    """Winner gain and loser fraction for several values of an assumption, all else equal.

    Inputs and factors are not fitted again: rates change with the assumption as well.

    Args:
        assumption: a field of `ASSUMPTIONS`.
        values: by default those listed there.
        ratio: drive of the rival over the strong one.

    Raises:
        ParameterError: an unknown assumption, or no value.
    """
    check_choice("assumption", assumption, tuple(ASSUMPTIONS))
    check_real("ratio", ratio, low=0, high=1, open_low=True)
    chosen = tuple(ASSUMPTIONS[assumption] if values is None else values)
    if not chosen:
        raise ParameterError("values is empty; give at least one")
    pair, lone = np.zeros((2, network.n_units))
    pair[:2] = trials.drive_khz * np.array([1.0, ratio])
    lone[1] = trials.drive_khz * ratio
    conditions = [Condition(pair), Condition(pair, efficacy=NO_RECURRENCE), Condition(lone)]
    gains, fractions = [], []
    for value in chosen:
        changed = replace(network, **{assumption: float(value)})  # type: ignore[arg-type]
        rates = trials.run(changed, conditions, stop=False).mean_rates_hz(trials.settle_s)
        both, feed_forward, rival = rates
        with np.errstate(divide="ignore", invalid="ignore"):
            gains.append(both[:, 0] / feed_forward[:, 0])
            fractions.append(both[:, 1] / rival[:, 1])
    return SensitivityResult(
        assumption, np.array(chosen, dtype=float), np.array(gains), np.array(fractions)
    )
