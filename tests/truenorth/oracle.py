"""The equations of a TrueNorth tick, one neuron at a time, in plain Python: slow and obvious.

Nothing here is shared with the package but the parameter records it reads.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

WORD = 2**64


def sign(x):
    return (x > 0) - (x < 0)


def mix(x):
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) % WORD
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) % WORD
    return x ^ (x >> 31)


def random_number(seed, core, tick, neuron, draw, bits):
    golden = 0x9E3779B97F4A7C15
    key = mix((seed + golden) % WORD)
    key = mix((key + core) % WORD)
    key = mix((key + tick) % WORD)
    number = mix((key + golden * (512 * neuron + draw + 1)) % WORD)
    return number >> (64 - bits)


def chance(x, rho):
    """F(x, rho) sgn(x)."""
    return sign(x) if abs(x) >= rho else 0


def step_neuron(p, j, v, arriving, rho, points):
    """One tick of neuron ``j``: returns (fired, V, overflowed).

    ``arriving`` lists (axon, type) of connected active axons; ``rho(draw, bits)`` is random.
    """
    for axon, g in arriving:
        s = p.weights[j][g]
        v += chance(s, rho(axon, 8)) if p.stochastic_synapse[j][g] else s

    leak = p.leak[j]
    before = v
    omega = sign(v) if p.leak_reversal[j] else 1
    if not p.stochastic_leak[j]:
        v += omega * leak
    elif points.stochastic_leak == "signed":
        v += omega * chance(leak, rho(256, 8))
    elif points.stochastic_leak == "outside":
        v += chance(leak, rho(256, 8))
    elif points.stochastic_leak == "unsigned":
        v += omega * abs(chance(leak, rho(256, 8)))
    if points.zero_crossing == "clamp" and p.leak_reversal[j] and sign(v) == -sign(before):
        v = 0

    overflowed = forced = False
    if points.overflow == "saturate":
        overflowed = not -(2**19) <= v <= 2**19 - 1
        v = max(-(2**19), min(2**19 - 1, v))
    elif points.overflow == "wrap":
        overflowed = not -(2**19) <= v <= 2**19 - 1
        v = (v + 2**19) % 2**20 - 2**19
    elif points.overflow == "force_spike":
        overflowed = abs(v) > 393216
        forced = v > 393216
        v = max(-393216, min(393216, v))
    if forced:
        return True, v, True

    alpha, beta = p.threshold[j], p.negative_threshold[j]
    gamma, kappa, reset = p.reset_mode[j], p.negative_saturate[j], p.reset[j]
    mask = 2 ** p.threshold_mask_bits[j] - 1
    eta = rho(257, points.threshold_bits) & mask if mask else 0
    if v >= alpha + eta:
        return True, (reset, v - (alpha + eta), v)[gamma], overflowed
    if v < -(beta * kappa + (beta + eta) * (1 - kappa)):
        v = -beta if kappa else (-reset, v + (beta + eta), v)[gamma]
    return False, v, overflowed


class SlowChip:
    """The same interface as ``Chip`` for the little that the tests compare."""

    def __init__(self, cores, *, seed, points):
        self.seed, self.points = seed, points
        self.neurons = [
            SimpleNamespace(
                **{name: np.asarray(value).tolist() for name, value in vars(core.neurons).items()}
            )
            for core in cores
        ]
        self.axon_type = [core.axon_type.tolist() for core in cores]
        self.connected = [[np.flatnonzero(row).tolist() for row in core.crossbar] for core in cores]
        self.v = [list(p.potential) for p in self.neurons]
        self.axons = {}  # tick -> set of (core, axon)
        self.tick = 0
        self.overflowed = [False] * len(cores)
        self.synaptic_events = 0

    def run(self, inputs, n_ticks):
        for tick, core, axon in inputs:
            self.axons.setdefault(int(tick), set()).add((int(core), int(axon)))
        events = []
        for tick in range(self.tick, self.tick + n_ticks):
            active = self.axons.pop(tick, set())
            for c, p in enumerate(self.neurons):
                arriving = [[] for _ in range(256)]
                for axon in sorted(axon for core, axon in active if core == c):
                    for j in self.connected[c][axon]:
                        arriving[j].append((axon, self.axon_type[c][axon]))
                        self.synaptic_events += 1
                for j in range(256):

                    def rho(draw, bits, c=c, tick=tick, j=j):
                        return random_number(self.seed, c, tick, j, draw, bits)

                    fired, self.v[c][j], over = step_neuron(
                        p, j, self.v[c][j], arriving[j], rho, self.points
                    )
                    self.overflowed[c] |= over
                    if fired:
                        events.append((tick, c, j))
                        if p.target_core[j] >= 0:
                            where = (p.target_core[j], p.target_axon[j])
                            self.axons.setdefault(tick + p.delay[j], set()).add(where)
        self.tick += n_ticks
        return np.array(events, dtype=int).reshape(-1, 3)
