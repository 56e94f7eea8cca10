"""Background input fitted once to the spontaneous rates seen in vivo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swta.cells.classes import CLASSES
from swta.circuit.conditions import Condition
from swta.circuit.network import AFFERENT_FIELDS, Network
from swta.circuit.spiking import simulate_spiking
from swta.circuit.wiring import build_wiring
from swta.validation import ParameterError, check_choice, check_integer, check_real

# Hz. Inside `spiking_measures.SPONTANEOUS_HZ`; for LAMP5, where none is known, as for SST.
SPONTANEOUS_TARGETS_HZ: Final = MappingProxyType(
    {"Pyr": 0.3, "Pvalb": 5.5, "Sst": 1.3, "Vip": 3.0, "Lamp5": 1.8}
)


@dataclass(frozen=True)
class BackgroundFit:
    """A network with fitted background rates, and how it got there."""

    network: Network
    rates_hz: NDArray[np.float64]  # of the classes in each round, (n_rounds, 5)
    background_khz: NDArray[np.float64]  # that gave them, (n_rounds, 5)


def fit_background(
    network: Network,
    targets_hz: Mapping[str, float] = SPONTANEOUS_TARGETS_HZ,
    *,
    seeds: int = 2,
    rounds: int = 8,
    duration_s: float = 2.0,
    first_seed: int = 100,
) -> BackgroundFit:
    """Background rate of each class at which its spontaneous rate is the target.

    Each round simulates the network without thalamic drive and moves every class's background by
    a secant step in the logarithms of rate and background, at most a factor e^0.2. The round
    nearest to the targets is kept. The networks have seeds that no experiment uses.

    Args:
        targets_hz: by class.
        seeds: networks whose rates are averaged.
        rounds: most rounds.
        duration_s: simulated time per round, the first 0.4 s are left out.

    Raises:
        ParameterError: an unknown class, a target that is not positive, a class without a target.
    """
    for name, target in targets_hz.items():
        check_choice("targets_hz", name, CLASSES)
        check_real(f"target of {name}", target, low=0, open_low=True, unit="Hz")
    if set(targets_hz) != set(CLASSES):
        raise ParameterError(f"targets_hz lacks {sorted(set(CLASSES) - set(targets_hz))}")
    check_integer("rounds", rounds, low=1)
    check_integer("seeds", seeds, low=1)
    check_real("duration_s", duration_s, low=0.6, unit="s")
    wanted = np.array([targets_hz[name] for name in CLASSES])
    found, tried = [], []
    slope = np.full(len(CLASSES), 8.0)  # d ln(rate) / d ln(background), a first guess
    for k in range(rounds):
        wirings = [build_wiring(network, seed=first_seed + s) for s in range(seeds)]
        quiet = Condition(np.zeros(network.n_units))
        result = simulate_spiking(wirings, [quiet], duration_s=duration_s, seed=first_seed + k)
        rates = result.mean_rates_hz(0.4)[0].mean(0)
        n = network.n_units
        rates = np.concatenate([[rates[:n].mean()], rates[n:]])
        found.append(rates)
        tried.append([network.afferents(name).background_khz for name in CLASSES])
        miss = np.log(wanted / np.maximum(rates, 0.05))
        if k > 0:
            change = np.log(np.array(tried[-1]) / np.array(tried[-2]))
            rise = np.log(np.maximum(found[-1], 0.05) / np.maximum(found[-2], 0.05))
            clear = np.abs(change) > 0.02
            measured = rise / np.where(clear, change, 1.0)
            slope = np.where(clear, (slope + np.clip(measured, 3.0, 40.0)) / 2, slope)
        step = np.exp(np.clip(0.8 * miss / slope, -0.2, 0.2))
        network = _with_background(network, np.array(tried[-1]) * step)
    misses = np.abs(np.log(wanted / np.maximum(np.array(found), 0.05))).max(axis=1)
    best = int(np.argmin(misses))
    fitted = _with_background(network, np.array(tried[best]))
    return BackgroundFit(fitted, np.array(found), np.array(tried))


def _with_background(network: Network, background_khz: NDArray[np.float64]) -> Network:
    changed = {
        AFFERENT_FIELDS[name]: replace(
            network.afferents(name), background_khz=float(f"{value:.3g}")
        )
        for name, value in zip(CLASSES, background_khz, strict=True)
    }
    return replace(network, **changed)  # type: ignore[arg-type]
