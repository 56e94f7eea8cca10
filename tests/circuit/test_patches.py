"""Patches joined by bridges: strength, places, and that they act only where they lead."""

import numpy as np
import pytest

from swta.circuit.conditions import Condition
from swta.circuit.network import Network
from swta.circuit.patches import Assembly, Bridge, bridge_synapses, simulate_patches
from swta.circuit.wiring import build_wiring
from swta.validation import ParameterError

NETWORK = Network(n_units=2, n_cells=120)
WIRINGS = tuple(build_wiring(NETWORK, seed=k) for k in range(2))
REST = Condition(np.zeros(2))
DRIVEN = Condition(np.array([3.0, 0.0]))


def test_bridges_have_their_strength_and_place():
    bridges = (Bridge((0, 1), (1, 0), 0.5, 0.3, delay_ms=2.0), Bridge((1, 1), (0, 1), 0.0))
    pre, post, weight, delay = bridge_synapses(Assembly(WIRINGS, (REST, REST), bridges))
    n, size = WIRINGS[0].n_cells, NETWORK.sizes["Pyr"] // 2
    assert ((pre >= size) & (pre < 2 * size)).all()
    assert ((post >= n) & (post < n + size)).all()
    assert (delay == 2.0).all()
    pathway = NETWORK.pathways()["Pyr", "Pyr"]
    chance = NETWORK.excitatory_probabilities(pathway)[0, 0]
    own = chance * (size - 1) * pathway.g_nS
    assert weight.sum() / size == pytest.approx(0.5 * own)
    assert len(pre) / size**2 == pytest.approx(0.3, abs=0.06)
    again = bridge_synapses(Assembly(WIRINGS, (REST, REST), bridges))
    assert (again[2] == weight).all()


def test_a_bridge_excites_the_patch_it_leads_to():
    joined = (Bridge((0, 0), (1, 0), 3.0, 0.5),)
    assemblies = [Assembly(WIRINGS, (DRIVEN, REST), b) for b in ((), joined)]
    result = simulate_patches(assemblies, duration_s=0.4, seed=1, bin_ms=50.0, compiled=False)
    assert result.counts.shape == (8, 2, 2, 6)
    assert not result.diverged
    apart, together = result.mean_rates_hz(0.1)[:, 1, 0]
    assert together > apart + 1
    assert result.courses_hz.shape == result.counts.shape
    assert result.time_s[0] == pytest.approx(0.025)
    with pytest.raises(ParameterError, match="no bin"):
        result.mean_rates_hz(0.4)


def test_runs_are_seeded():
    one = Assembly(WIRINGS[:1], (REST,))
    runs = [
        simulate_patches([one], duration_s=0.1, seed=s, bin_ms=20.0, compiled=False).counts
        for s in (1, 1, 2)
    ]
    assert (runs[0] == runs[1]).all() and (runs[0] != runs[2]).any()


def test_bad_assemblies_are_refused():
    with pytest.raises(ParameterError, match="to itself"):
        Bridge((0, 0), (0, 1), 0.2)
    with pytest.raises(ParameterError, match="gamma"):
        Bridge((0, 0), (1, 0), -0.2)
    with pytest.raises(ParameterError, match="probability"):
        Bridge((0, 0), (1, 0), 0.2, 0.0)
    with pytest.raises(ParameterError, match="no unit 2 in a patch 1"):
        Assembly(WIRINGS, (REST, REST), (Bridge((0, 0), (1, 2), 0.2),))
    with pytest.raises(ParameterError, match="2 patches and 1 conditions"):
        Assembly(WIRINGS, (REST,))
    other = build_wiring(Network(n_units=2, n_cells=160), seed=0)
    with pytest.raises(ParameterError, match="different networks"):
        Assembly((WIRINGS[0], other), (REST, REST))
    with pytest.raises(ParameterError, match="same number of patches"):
        simulate_patches(
            [Assembly(WIRINGS, (REST, REST)), Assembly(WIRINGS[:1], (REST,))],
            duration_s=0.1,
            seed=0,
        )
