"""Short-term plasticity: the Tsodyks-Markram model under the recordings' own protocol.

Tsodyks, Pawelzik and Markram 1998 (Neural Comput. 10:821, equations 2.1-2.4). Just before a spike

    u decays to 0 with tau_f, R recovers to 1 with tau_d;

the spike sets u -> u + U (1 - u), opens a conductance in proportion to u R, and R -> R (1 - u).
After a rest u = U and R = 1. The protocol has 8 pulses at 50 Hz, a pause of 250 ms, 4 more pulses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from swta.validation import ParameterError, check_real

Array = NDArray[np.float64]
_Prior = tuple[tuple[float, float, float], tuple[float, float, float]]  # means, deviations

TRAIN_PERIOD: Final = 20.0  # ms, 50 Hz
PAUSE: Final = 250.0  # ms, from the 8th to the 9th pulse
PROTOCOL_MS: Final = np.concatenate(
    [TRAIN_PERIOD * np.arange(8), 7 * TRAIN_PERIOD + PAUSE + TRAIN_PERIOD * np.arange(4)]
)


def _logit(fraction: float) -> float:
    return float(np.log(fraction / (1.0 - fraction)))


# Weak priors of (logit U, ln tau_d, ln tau_f): two statistics do not determine three parameters.
# Which of them holds is decided by the measured trains. A pair whose median does not grow over a
# train is given no facilitation (tau_f well below the 20 ms between pulses). One whose median grows
# starts from a facilitating synapse: low U, and facilitation that lasts for 100-200 ms (Zucker and
# Regehr 2002, Annu. Rev. Physiol. 64:355). A standard deviation of 1 is a factor of 2.7.
PRIORS: Final = {
    "depressing": ((_logit(0.3), float(np.log(200.0)), float(np.log(5.0))), (1.0, 1.0, 0.7)),
    "facilitating": ((_logit(0.1), float(np.log(40.0)), float(np.log(150.0))), (1.0, 1.0, 0.7)),
}
BOUNDS: Final = ((0.005, 0.99), (5.0, 3000.0), (1.0, 3000.0))  # U, tau_d ms, tau_f ms
_QUARTILE: Final = 0.6745  # of a normal distribution, in standard deviations
RECOVERY_SD: Final = 0.05  # of the means over all layers; the source prints two decimals, no n


@dataclass(frozen=True)
class PlasticityFit:
    """Tsodyks-Markram parameters of one pair of classes and the statistics that they give."""

    U: float
    tau_d_ms: float
    tau_f_ms: float
    quartiles: Mapping[str, tuple[float, float]]  # of each, from the posterior near its maximum


def simulate_release(
    times_ms: ArrayLike, U: ArrayLike, tau_d_ms: ArrayLike, tau_f_ms: ArrayLike
) -> Array:
    """Conductance at each spike over that after a rest, u R / U, dimensionless.

    Args:
        times_ms: spike times, increasing, (n_spikes,).
        U, tau_d_ms, tau_f_ms: parameters; scalars or arrays of one shape. tau 0 means none.

    Returns:
        Shape of the parameters + (n_spikes,).

    Raises:
        ParameterError: times that do not increase.
    """
    times = np.asarray(times_ms, dtype=float)
    if times.ndim != 1 or times.size == 0 or (np.diff(times) <= 0).any():
        raise ParameterError("times_ms must be a row of spike times that increase")
    use, tau_d, tau_f = np.broadcast_arrays(
        np.asarray(U, dtype=float), np.asarray(tau_d_ms, float), np.asarray(tau_f_ms, float)
    )
    u, resources = use.copy(), np.ones(use.shape)
    out = np.empty((*use.shape, times.size))
    out[..., 0] = 1.0
    for k, gap in enumerate(np.diff(times), start=1):
        resources = 1.0 - (1.0 - resources * (1.0 - u)) * _remaining(gap, tau_d)
        u = use + u * (1.0 - use) * _remaining(gap, tau_f)
        out[..., k] = u * resources / use
    return out


def _remaining(gap_ms: float, tau_ms: Array) -> Array:
    safe = np.where(tau_ms > 0, tau_ms, 1.0)
    return np.where(tau_ms > 0, np.exp(-gap_ms / safe), 0.0)


def measure_plasticity(amplitudes: Array, strong: ArrayLike) -> tuple[Array, Array]:
    """Induction and recovery of 12-pulse trains, defined as in the recordings' pipeline.

    Induction is the median of pulses 6-8 minus pulse 1, recovery the median of the differences of
    pulses 9-12 from pulses 1-4, both divided by the 90th percentile of all responses of the synapse
    (`aisynphys/dynamics.py`). That percentile is taken over single trials and so contains their
    variability, which a mean-field model lacks: it enters as measured, ``strong``, and is not
    computed from the model.

    Args:
        amplitudes: (..., 12), first pulse 1, from `simulate_release` at `PROTOCOL_MS`.
        strong: 90th percentile over the amplitude after a rest.
    """
    induction = np.median(amplitudes[..., 5:8], axis=-1) - amplitudes[..., 0]
    recovery = np.median(amplitudes[..., 8:12] - amplitudes[..., 0:4], axis=-1)
    return induction / np.asarray(strong), recovery / np.asarray(strong)


def fit_plasticity(
    induction: float,
    recovery: float,
    strong: float,
    *,
    induction_sd: float,
    recovery_sd: float = RECOVERY_SD,
    name: str = "",
) -> PlasticityFit:
    """Tsodyks-Markram parameters for measured induction and recovery, under a weak prior.

    Args:
        induction, recovery: as in `measure_plasticity`.
        strong: 90th-percentile amplitude over the amplitude after a rest, measured.
        induction_sd, recovery_sd: standard errors of the two.
        name: of the pair, for messages.

    Raises:
        ParameterError: strong not positive, or an optimiser that does not converge.
    """
    check_real("strong", strong, low=0, open_low=True)
    check_real("induction_sd", induction_sd, low=0, open_low=True)
    prior = PRIORS["facilitating" if induction > 0 else "depressing"]

    def residuals(x: Array) -> Array:
        trains = simulate_release(PROTOCOL_MS, *_parameters(x))
        a, b = measure_plasticity(trains, strong)
        return np.array(
            [
                (a - induction) / induction_sd,
                (b - recovery) / recovery_sd,
                *_pull(x, prior),
            ]
        )

    return _solve(residuals, prior, name)


def fit_paired_pulses(
    ratios: Mapping[float, tuple[float, float]], *, name: str = ""
) -> PlasticityFit:
    """Tsodyks-Markram parameters for paired-pulse ratios, under the same priors.

    Args:
        ratios: pulse frequency (Hz) to ratio of second to first amplitude and its standard error.
        name: of the pair, for messages.

    Raises:
        ParameterError: a standard error that is not positive, or no convergence.
    """
    for hertz, (_, error) in ratios.items():
        check_real(f"standard error at {hertz:g} Hz", error, low=0, open_low=True)
    grows = np.mean([ratio for ratio, _ in ratios.values()]) > 1
    prior = PRIORS["facilitating" if grows else "depressing"]

    def residuals(x: Array) -> Array:
        misses = [
            (simulate_release([0.0, 1e3 / hertz], *_parameters(x))[1] - ratio) / error
            for hertz, (ratio, error) in ratios.items()
        ]
        return np.array([*misses, *_pull(x, prior)])

    return _solve(residuals, prior, name)


def _parameters(x: Array) -> tuple[float, float, float]:
    return float(1.0 / (1.0 + np.exp(-x[0]))), float(np.exp(x[1])), float(np.exp(x[2]))


def _pull(x: Array, prior: _Prior) -> Array:
    return np.asarray((x - prior[0]) / prior[1])


def _solve(residuals: Callable[[Array], Array], prior: _Prior, name: str) -> PlasticityFit:
    use, tau_d, tau_f = BOUNDS
    low = [_logit(use[0]), np.log(tau_d[0]), np.log(tau_f[0])]
    high = [_logit(use[1]), np.log(tau_d[1]), np.log(tau_f[1])]
    best = least_squares(residuals, np.asarray(prior[0]), bounds=(low, high))
    if not best.success:
        raise ParameterError(
            f"{name or 'short-term plasticity'}: the optimiser did not converge ({best.message}); "
            "check induction, recovery and their standard errors"
        )
    # The residuals hold the prior, so their slopes give the curvature of the posterior.
    spread = _QUARTILE * np.sqrt(np.diag(np.linalg.inv(best.jac.T @ best.jac)))
    ends = [_parameters(np.clip(best.x + sign * spread, low, high)) for sign in (-1, 1)]
    names = ("U", "tau_d_ms", "tau_f_ms")
    return PlasticityFit(
        *_parameters(best.x), dict(zip(names, zip(*ends, strict=True), strict=True))
    )
