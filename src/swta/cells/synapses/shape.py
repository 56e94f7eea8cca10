"""Amplitude, rise and decay of a potential, measured as the recordings' pipeline measured them.

The curve amp ((1 - exp(-t / rise_tau))^2 exp(-t / decay_tau)) / maximum is fitted to the first
milliseconds (neuroanalysis.fitting.psp of the Allen Institute; Campagnola et al. 2022). Responses
are averaged over trains of up to 50 Hz and cut to the shortest, which ends with the next pulse, 20
ms after the last: a decay longer than that is an extrapolation, and depends on the window. So a
model has to be measured in the same one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares
from scipy.special import lambertw

from swta.validation import ParameterError, check_integer

Array = NDArray[np.float64]

# The next pulse of a 50-Hz train less about 2 ms for the spike and the synaptic latency.
FIT_WINDOW: Final = 18.0  # ms after onset
# Rise and decay (ms) that a fit here can return; the recordings' own stopped at 5 and 490 ms.
_BOUNDS: Final = ((0.1, 100.0), (1.0, 1000.0))


@dataclass(frozen=True)
class PspFeatures:
    """Amplitude, rise and decay of potentials, n values each."""

    amplitude_mV: Array
    rise_ms: Array  # onset to peak
    decay_ms: Array  # time constant of the exponential decay
    misfit: Array  # root mean square of what the curve leaves, in parts of the amplitude


def psp_shape(t_ms: ArrayLike, rise_ms: ArrayLike, decay_ms: ArrayLike) -> Array:
    """The recordings' curve of a potential with peak 1: rise_ms from onset to peak, decay_ms after.

    Args:
        t_ms: times after onset, (steps,).
        rise_ms, decay_ms: n values each; rise_ms below 2 decay_ms, where the curve has a peak.

    Returns:
        (n, steps).
    """
    t = np.asarray(t_ms, dtype=float)[None, :]
    rise = np.atleast_1d(np.asarray(rise_ms, dtype=float))[:, None]
    decay = np.atleast_1d(np.asarray(decay_ms, dtype=float))[:, None]
    ratio = np.minimum(rise / (2.0 * decay), 0.99999)
    # rise = rise_tau ln(1 + 2 decay / rise_tau), solved for rise_tau (Lambert W, lower branch).
    rise_tau = -rise / np.real(lambertw(-ratio * np.exp(-ratio), k=-1) + ratio)
    return (np.expm1(-t / rise_tau) / np.expm1(-rise / rise_tau)) ** 2 * np.exp(-(t - rise) / decay)


def measure_psp(t_ms: Array, v_mV: Array, *, every: int = 5) -> PspFeatures:
    """Amplitude (mV), rise and decay (ms) of potentials, fitted as the recordings were.

    Args:
        t_ms: times after onset, (steps,), up to `FIT_WINDOW` as in the recordings.
        v_mV: deflections, (n, steps).
        every: use each such sample.

    Raises:
        ParameterError: a potential that is zero or not finite, or a fit that does not converge.
    """
    check_integer("every", every, low=1)
    t, v = t_ms[::every], np.atleast_2d(v_mV)[:, ::every]
    size = np.abs(v).max(axis=1)
    if not np.isfinite(v).all() or (size == 0).any():
        raise ParameterError("v_mV holds a potential that is zero or not finite: nothing to fit")
    found = [_fit_shape(t, one / top) for one, top in zip(v, size, strict=True)]
    amplitude, rise, decay, misfit = np.array(found).T
    return PspFeatures(size * amplitude, rise, decay, misfit)


def _fit_shape(t: Array, v: Array) -> tuple[float, float, float, float]:
    def fitted(x: Array) -> tuple[float, Array]:
        shape = psp_shape(t, np.exp(x[0]), np.exp(x[1]))[0]
        # The amplitude enters linearly: its best value is known for every shape.
        return float(shape @ v / (shape @ shape)), shape

    def residuals(x: Array) -> Array:
        amplitude, shape = fitted(x)
        return amplitude * shape - v

    low, high = np.log(_BOUNDS).T
    rise = float(np.clip(t[np.abs(v).argmax()], t[1], 50.0))
    start = np.log([rise, max(2 * rise, 5.0)])
    found = least_squares(residuals, start, bounds=(low, high), xtol=1e-10, ftol=1e-12, gtol=1e-12)
    if not found.success:
        raise ParameterError(
            f"the fit of a potential did not converge ({found.message}); is it a single potential "
            "that starts at t = 0?"
        )
    amplitude, _ = fitted(found.x)
    misfit = float(np.sqrt(np.mean(found.fun**2))) / abs(amplitude)
    return amplitude, float(np.exp(found.x[0])), float(np.exp(found.x[1])), misfit


def shape_projections(t_ms: Array, rise_ms: ArrayLike, decay_ms: ArrayLike) -> Array:
    """Matrices that turn a potential into its amplitude, and changes of ln rise and ln decay.

    One Gauss-Newton step of the fit in `measure_psp` from given rises and decays, as a linear map:
    a potential whose fit gives just these has changes of zero.

    Args:
        t_ms: times after onset, (steps,).
        rise_ms, decay_ms: n values each.

    Returns:
        (n, 3, steps): rows for amplitude, amplitude times change of ln rise, and of ln decay.
    """
    rise = np.atleast_1d(np.asarray(rise_ms, dtype=float))
    decay = np.atleast_1d(np.asarray(decay_ms, dtype=float))
    h = 1e-4
    more, less = np.exp(h), np.exp(-h)
    by_rise = psp_shape(t_ms, rise * more, decay) - psp_shape(t_ms, rise * less, decay)
    by_decay = psp_shape(t_ms, rise, decay * more) - psp_shape(t_ms, rise, decay * less)
    basis = np.stack([psp_shape(t_ms, rise, decay), by_rise / (2 * h), by_decay / (2 * h)], axis=1)
    return np.asarray(np.linalg.pinv(basis.transpose(0, 2, 1)))
