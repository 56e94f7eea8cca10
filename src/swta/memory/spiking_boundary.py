"""The least coupling that holds a state in spikes, predicted from one patch alone.

In the theory only the sum α + γ decides whether a state lasts. So a pair of patches coupled with γ
should hold a state if one patch does whose E→E synapses are made stronger by the factor 1 + γ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from swta.circuit.bistability import BISTABLE
from swta.circuit.conditions import Context
from swta.circuit.network import Network
from swta.memory.coupling import FloatArray
from swta.memory.spiking import (
    PatchCondition,
    SpikingProtocol,
    measure_crossing,
    measure_held,
    simulate_spiking_memory,
)
from swta.validation import ParameterError


@dataclass(frozen=True)
class SpikingBoundaryResult:
    """Share of networks that hold a state, of pairs and of single patches."""

    gammas: FloatArray  # γ of pairs; E→E factor less 1 of single patches, (n_gammas,)
    pairs: FloatArray  # share of pairs that hold the state, (n_gammas,)
    singles: FloatArray  # share of single patches, (n_gammas,)
    seeds: int  # pairs, and as many single patches

    @property
    def measured(self) -> float:
        """γ at which half of the pairs hold the state; NaN outside the tested range."""
        return measure_crossing(self.gammas.tolist(), self.pairs.tolist())

    @property
    def predicted(self) -> float:
        """E→E factor, less 1, at which half of the single patches do; NaN outside the range."""
        return measure_crossing(self.gammas.tolist(), self.singles.tolist())

    def numbers(self) -> dict[str, float]:
        """``boundary``, ``predicted``, relative ``error``; empty where one is not bracketed."""
        values = np.array([self.measured, self.predicted])
        if not np.isfinite(values).all():
            return {}
        error = abs(self.measured / self.predicted - 1)
        return {"boundary": self.measured, "predicted": self.predicted, "error": error}

    def describe(self) -> str:
        """The boundary in words."""
        found = self.numbers()
        if not found:
            return (
                f"the tested couplings, {self.gammas[0]:g} to {self.gammas[-1]:g}, do not bracket "
                f"the boundary: the state is held by {self.pairs.min():.0%} to "
                f"{self.pairs.max():.0%} of the pairs and {self.singles.min():.0%} to "
                f"{self.singles.max():.0%} of the single patches"
            )
        return (
            f"half of the pairs hold the state at γ = {found['boundary']:.3f}, half of the single "
            f"patches at {found['predicted']:.3f}: an error of {found['error']:.0%}"
        )


def simulate_spiking_boundary(
    network: Network,
    protocol: SpikingProtocol,
    gammas: Sequence[float],
    *,
    context: Context = BISTABLE,
) -> SpikingBoundaryResult:
    """Cue all patches, withdraw the cue, and see who holds the state.

    Args:
        gammas: tested couplings, rising.
        protocol: its networks serve the pairs; the single patches are the first half of them.

    Raises:
        ParameterError: fewer than two couplings, or couplings that do not rise.
    """
    if len(gammas) < 2 or (np.diff(gammas) <= 0).any():
        raise ParameterError(f"gammas = {list(gammas)}; allowed: two or more, rising")
    joined = [PatchCondition(g, cued=(True, True)) for g in gammas]
    alone = [PatchCondition(0.0, cued=(True,), efficacy={("Pyr", "Pyr"): 1.0 + g}) for g in gammas]
    shares = [
        measure_held(simulate_spiking_memory(network, protocol, c, context=context)).mean(1)
        for c in (joined, alone)
    ]
    return SpikingBoundaryResult(
        np.asarray(gammas, dtype=np.float64), shares[0], shares[1], protocol.seeds
    )
