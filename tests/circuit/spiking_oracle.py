"""The spiking motif once more, in plain NumPy with a list of synapses, for tests of small nets."""

from __future__ import annotations

import numpy as np

from swta.cells.adex import LARGEST_EXPONENT, PARAMETER_NAMES
from swta.circuit.conditions import Condition
from swta.circuit.wiring import Wiring


def simulate(wiring: Wiring, condition: Condition, *, steps: int, dt: float) -> list[tuple]:
    """(step, cell) of every spike, without external input; plasticity is kept per synapse."""
    p = dict(zip(PARAMETER_NAMES, wiring.parameters.T, strict=True))
    network, kind = wiring.network, wiring.cell_class
    b = np.where(kind == 0, condition.context.adaptation * p["b"], p["b"])
    v, w = wiring.initial_mV.copy(), np.zeros(wiring.n_cells)
    g = np.zeros((4, wiring.n_cells))
    nmda = np.zeros(wiring.n_cells)
    tau = wiring.decay_ms[:, kind]
    wait = np.zeros(wiring.n_cells, dtype=int)
    pause = (p["refractory"] / dt + 1e-3).astype(int)
    sender, receiver = kind[wiring.pre], kind[wiring.post]
    U, tau_d, tau_f = wiring.plasticity[sender, receiver].T
    factor = condition.release_factors(wiring)[wiring.pre, receiver]
    u, x, last = np.zeros(len(U)), np.ones(len(U)), np.full(len(U), -1e6)
    lag = np.rint(wiring.delay_ms / dt).astype(int)
    due: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
    spikes = []
    for step in range(steps):
        onset = np.clip((v - p["V_T"]) / p["Delta_T"], -LARGEST_EXPONENT, LARGEST_EXPONENT)
        current = -p["g_L"] * (v - p["E_L"]) + p["g_L"] * p["Delta_T"] * np.exp(onset) - w
        block = 1 + network.magnesium_mM / 3.57 * np.exp(-0.062 * v)
        current += (g[0] + nmda / block) * (network.E_exc - v)
        current += g[1:].sum(0) * (network.E_inh - v)
        dw = (p["a"] * (np.minimum(v, p["V_peak"]) - p["E_L"]) - w) / p["tau_w"]
        v = np.where(wait > 0, v, v + dt * current / p["C"])
        w = w + dt * dw
        g -= dt * g / tau
        nmda -= dt * nmda / network.nmda_decay_ms
        fired = (v > p["V_peak"]) & (wait == 0)
        wait = np.maximum(wait - 1, 0)
        for which, amount in due.pop(step, []):
            np.add.at(g, (wiring.receptor[which], wiring.post[which]), amount)
            slow = which[(sender[which] == 0) & (receiver[which] == 0)]
            keep = np.isin(which, slow)
            np.add.at(nmda, wiring.post[which[keep]], network.nmda_ratio * amount[keep])
        spikes += [(step, int(cell)) for cell in np.flatnonzero(fired)]
        v = np.where(fired, p["V_reset"], v)
        w = np.where(fired, w + b, w)
        wait = np.where(fired, pause - 1, wait)
        which = np.flatnonzero(fired[wiring.pre])
        gap = step * dt - last[which]
        with np.errstate(divide="ignore"):
            u[which] = U[which] + (1 - U[which]) * u[which] * np.exp(-gap / tau_f[which])
            x[which] = 1 - (1 - x[which]) * np.exp(-gap / tau_d[which])
        amount = wiring.weight_nS[which] * factor[which] * u[which] * x[which] / U[which]
        x[which] *= 1 - u[which]
        last[which] = step * dt
        for one in np.unique(lag[which]):
            same = lag[which] == one
            due.setdefault(step + int(one), []).append((which[same], amount[same]))
    return spikes
