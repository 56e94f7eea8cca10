"""Every spike and every potential of random networks, against the slow step."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import DETERMINISTIC, SATURATING, STOCHASTIC, random_cores, random_inputs
from oracle import SlowChip

from swta.truenorth import Chip, OpenPoints, kernel

KINDS = (SATURATING, DETERMINISTIC, STOCHASTIC)
POINTS = st.builds(
    OpenPoints,
    zero_crossing=st.sampled_from(["overshoot", "clamp"]),
    overflow=st.sampled_from(["saturate", "wrap", "force_spike"]),
    threshold_bits=st.sampled_from([8, 18]),
    stochastic_leak=st.sampled_from(["signed", "outside", "unsigned"]),
)
relaxed = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def assert_same(cores, inputs, n_ticks, *, seed, points, threads=None):
    fast, slow = (
        Chip(cores, seed=seed, open_points=points),
        SlowChip(cores, seed=seed, points=points),
    )
    raster = fast.run(inputs, n_ticks, threads=threads)
    expected = slow.run(inputs, n_ticks)
    np.testing.assert_array_equal(raster.events, expected)
    np.testing.assert_array_equal(fast.potentials, slow.v)
    np.testing.assert_array_equal(fast.overflowed, slow.overflowed)
    assert fast.synaptic_events == slow.synaptic_events
    return raster


@relaxed
@given(
    number=st.integers(0, 2**32),
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=3),
    extreme=st.booleans(),
    points=st.just(OpenPoints()) | POINTS,
    n_inputs=st.sampled_from([0, 40, 300]),
    seed=st.integers(0, 2**64 - 1),
)
def test_every_spike_and_potential(number, kinds, extreme, points, n_inputs, seed):
    rng = np.random.default_rng(number)
    cores = random_cores(rng, kinds, extreme=extreme)
    inputs = random_inputs(rng, len(kinds), 20, n_inputs)
    assert_same(cores, inputs, 24, seed=seed, points=points)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weight", [255, -255])
def test_all_axons_at_once(kind, weight, rng):
    """256 axons active in one tick: the sum of weights does not fit 16 bits."""
    (core,) = random_cores(rng, [kind], density=1.0)
    fields = vars(core.neurons) | {"weights": weight, "threshold": 262143}
    core = type(core)(core.axon_type, core.crossbar, type(core.neurons)(**fields))
    inputs = [(tick, 0, axon) for tick in range(4) for axon in range(256)]
    assert_same([core], inputs, 6, seed=1, points=OpenPoints())


@pytest.mark.parametrize("threads", [1, 2])
def test_without_compilation(threads, rng, plain_python):
    """The kernel's Python source, uncompiled, does the same: what is tested is what is read."""
    cores = random_cores(rng, KINDS)
    inputs = random_inputs(rng, 3, 6, 60)
    raster = assert_same(cores, inputs, 6, seed=3, points=OpenPoints(), threads=threads)
    assert len(raster.events) > 0
    assert not hasattr(kernel.run_serial, "py_func")


@pytest.mark.parametrize("kind", [SATURATING, DETERMINISTIC])
def test_rare_paths_without_compilation(kind, rng, plain_python):
    """All axons in one tick, and a potential at the end of its range."""
    (core,) = random_cores(rng, [kind], extreme=True, density=0.9)
    inputs = [(tick, 0, axon) for tick in range(2) for axon in range(256)]
    cores = [core, *random_cores(rng, [kind], extreme=True)]
    assert_same(cores, inputs, 4, seed=0, points=OpenPoints())


@pytest.mark.parametrize("overflow", ["saturate", "wrap", "force_spike"])
@pytest.mark.parametrize("leak", ["signed", "outside", "unsigned"])
def test_open_points_without_compilation(overflow, leak, rng, plain_python):
    points = OpenPoints(overflow=overflow, stochastic_leak=leak, zero_crossing="clamp")
    cores = random_cores(rng, KINDS, extreme=True)
    assert_same(cores, random_inputs(rng, 3, 3, 30), 3, seed=3, points=points)
