"""Random networks over all modes."""

from __future__ import annotations

import numpy as np

from swta.truenorth import Core, Neurons

SATURATING, DETERMINISTIC, STOCHASTIC = "saturating", "deterministic", "stochastic"


def random_neurons(rng, n_cores, kind, *, extreme):
    """Random parameters; ``extreme`` reaches the ends of every range, else spikes abound."""

    def pick(*values, size=256):
        return rng.choice(values, size=size)

    def flags(p, size=256):
        return rng.random(size) < p

    if extreme:
        fields = {
            "weights": rng.integers(-255, 256, (256, 4)),
            "leak": rng.integers(-255, 256, 256),
            "threshold": pick(0, 1, 300, 5000, 262143),
            "negative_threshold": pick(0, 1, 300, 262143),
            "reset": pick(0, 1, -7, 524287, -524287),
            "potential": pick(0, 1, -1, 524287, -524288, 524200, -262144, 393217),
        }
    else:
        fields = {
            "weights": rng.integers(-4, 8, (256, 4)),
            "leak": rng.integers(-3, 4, 256),
            "threshold": rng.integers(1, 30, 256),
            "negative_threshold": rng.integers(0, 20, 256),
            "reset": rng.integers(-5, 6, 256),
            "potential": rng.integers(-20, 30, 256),
        }
    fields |= {
        "reset_mode": rng.integers(0, 3, 256),
        "negative_saturate": kind == SATURATING or flags(0.5),
        "leak_reversal": kind != SATURATING and flags(0.5),
        "target_core": rng.integers(-1, n_cores, 256),
        "target_axon": rng.integers(0, 256, 256),
        "delay": rng.integers(1, 16, 256),
    }
    if kind == STOCHASTIC:
        fields |= {
            "stochastic_synapse": flags(0.5, (256, 4)),
            "stochastic_leak": flags(0.5),
            "threshold_mask_bits": pick(0, 0, 1, 4, 8, 18),
        }
    return Neurons(**fields)


def random_cores(rng, kinds, *, extreme=False, density=0.3):
    return [
        Core(
            axon_type=rng.integers(0, 4, 256),
            crossbar=rng.random((256, 256)) < density,
            neurons=random_neurons(rng, len(kinds), kind, extreme=extreme),
        )
        for kind in kinds
    ]


def random_inputs(rng, n_cores, n_ticks, n):
    """Unsorted rows, some of them double."""
    rows = np.column_stack(
        [
            rng.integers(0, n_ticks, n),
            rng.integers(0, n_cores, n),
            rng.integers(0, 256, n),
        ]
    )
    return np.concatenate([rows, rows[: n // 4]])
