"""Conductance kernels and the postsynaptic potentials they evoke.

The membrane is the AdEx neuron below its spikes (Brette and Gerstner 2005)

    C dV/dt = -g_L (V - E_L) + g_L Delta_T exp((V - V_T) / Delta_T) - w + I_hold + g(t) (E - V)
    tau_w dw/dt = a (V - E_L) - w

with the steady current I_hold that holds it, and g(t) a difference of two exponentials.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from swta.cells.adex import LARGEST_EXPONENT
from swta.cells.synapses.membrane import Membranes
from swta.validation import ParameterError, check_real

Array = NDArray[np.float64]

TIME_STEP: Final = 0.05  # ms


def kernel_peak_time(rise_ms: ArrayLike, decay_ms: ArrayLike) -> Array:
    """Time (ms) from onset to peak of exp(-t / decay) - exp(-t / rise)."""
    rise, decay = np.asarray(rise_ms, dtype=float), np.asarray(decay_ms, dtype=float)
    return np.asarray(np.log(decay / rise) * rise * decay / (decay - rise))


def kernel(t_ms: ArrayLike, rise_ms: ArrayLike, decay_ms: ArrayLike) -> Array:
    """Conductance at times t_ms (ms) after onset, as a fraction of its peak; zero before onset."""
    t = np.asarray(t_ms, dtype=float)
    rise, decay = np.asarray(rise_ms, dtype=float), np.asarray(decay_ms, dtype=float)
    peak = kernel_peak_time(rise, decay)
    top = np.exp(-peak / decay) - np.exp(-peak / rise)
    late = np.maximum(t, 0.0)
    return np.where(t > 0, (np.exp(-late / decay) - np.exp(-late / rise)) / top, 0.0)


def kernel_area(rise_ms: ArrayLike, decay_ms: ArrayLike) -> Array:
    """Integral (ms) of the kernel with peak 1: charge per peak conductance and driving force."""
    rise, decay = np.asarray(rise_ms, dtype=float), np.asarray(decay_ms, dtype=float)
    peak = kernel_peak_time(rise, decay)
    return np.asarray((decay - rise) / (np.exp(-peak / decay) - np.exp(-peak / rise)))


@njit(cache=False)
def _respond(cells: Array, synapses: Array, step_ms: float, out: Array) -> None:
    """Deflection from the holding potential, second-order Runge-Kutta; one row a pair."""
    n, steps = out.shape
    for i in range(n):
        c, g_l, v_t, delta, a, tau_w, held, active = cells[i]
        g, rise, decay, reversal = synapses[i]
        peak = np.log(decay / rise) * rise * decay / (decay - rise)
        scale = g / (np.exp(-peak / decay) - np.exp(-peak / rise))
        rest = active * g_l * delta * np.exp(min((held - v_t) / delta, LARGEST_EXPONENT))
        half_fast, half_slow = np.exp(-0.5 * step_ms / rise), np.exp(-0.5 * step_ms / decay)
        fast, slow = 1.0, 1.0
        v, w = 0.0, 0.0  # deviations from the held state
        for k in range(steps):
            out[i, k] = v
            onset = rest * (np.exp(min(v / delta, LARGEST_EXPONENT)) - 1.0)
            drive = scale * (slow - fast) * (reversal - held - v)
            dv, dw = (-g_l * v + onset - w + drive) / c, (a * v - w) / tau_w
            mid_v, mid_w = v + 0.5 * step_ms * dv, w + 0.5 * step_ms * dw
            fast *= half_fast
            slow *= half_slow
            onset = rest * (np.exp(min(mid_v / delta, LARGEST_EXPONENT)) - 1.0)
            drive = scale * (slow - fast) * (reversal - held - mid_v)
            v += step_ms * (-g_l * mid_v + onset - mid_w + drive) / c
            w += step_ms * (a * mid_v - mid_w) / tau_w
            fast *= half_fast
            slow *= half_slow


def simulate_psp(
    membranes: Membranes,
    g_nS: ArrayLike,
    rise_ms: ArrayLike,
    decay_ms: ArrayLike,
    reversal_mV: ArrayLike,
    *,
    duration_ms: float,
    step_ms: float = TIME_STEP,
) -> tuple[Array, Array]:
    """Postsynaptic potentials (mV, deflections from holding) of all pairs in one run.

    Args:
        membranes: n held cells.
        g_nS, rise_ms, decay_ms, reversal_mV: peak conductance, kernel and reversal; one value for
            all, or n.
        duration_ms, step_ms: length of the response and time step.

    Returns:
        Times (ms) after onset, (steps,), and deflections, (n, steps).

    Raises:
        ParameterError: duration or step not positive, or a kernel that does not rise faster than
            it decays.
    """
    check_real("step_ms", step_ms, low=0, open_low=True, unit="ms")
    check_real("duration_ms", duration_ms, low=step_ms, unit="ms")
    cells = membranes.as_array()
    synapses = np.column_stack(
        [
            np.broadcast_to(np.asarray(x, dtype=float), len(cells))
            for x in (g_nS, rise_ms, decay_ms, reversal_mV)
        ]
    )
    wrong = ~((synapses[:, 1] > 0) & (synapses[:, 2] > synapses[:, 1]))
    if wrong.any():
        _, rise, decay, _ = synapses[int(wrong.argmax())]
        raise ParameterError(
            f"rise_ms = {rise:g}, decay_ms = {decay:g} ms; allowed: 0 < rise < decay"
        )
    steps = round(duration_ms / step_ms) + 1
    out = np.empty((len(cells), steps))
    _respond(cells, synapses, step_ms, out)
    return np.asarray(np.arange(steps) * step_ms, dtype=float), out
