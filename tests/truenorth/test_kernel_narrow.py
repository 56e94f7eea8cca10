"""Where 16 bits end: cores that go from narrow to wide and back, and rows that cores share."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import SATURATING, random_cores
from test_against_oracle import assert_same

from swta.truenorth import Chip, Core, Neurons, OpenPoints
from swta.truenorth.arrays import GENERAL

TOP = 2**15 - 1


def edge_core(rng, n_cores, *, inside, weight=255):
    """A saturating core with V, thresholds and resets about the ends of 16 bits."""
    beyond = 0 if inside else 1
    return Core(
        axon_type=rng.integers(0, 4, 256),
        crossbar=rng.random((256, 256)) < 0.5,
        neurons=Neurons(
            weights=rng.choice([-weight, -1, 1, weight], (256, 4)),
            leak=rng.integers(-255, 256, 256),
            threshold=rng.choice([0, 1, 300, TOP - 300, TOP, TOP + beyond], 256),
            negative_threshold=rng.choice([0, 300, TOP - 1, TOP, TOP + beyond], 256),
            reset=rng.choice([0, 5, TOP, -TOP, TOP + beyond, -TOP - beyond], 256),
            reset_mode=rng.integers(0, 3, 256),
            potential=rng.choice([0, TOP, TOP - 100, -TOP - 1, TOP - 1000, TOP + beyond], 256),
            negative_saturate=True,
            target_core=rng.integers(-1, n_cores, 256),
            target_axon=rng.integers(0, 256, 256),
            delay=rng.integers(1, 16, 256),
        ),
    )


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(
    number=st.integers(0, 2**32),
    inside=st.lists(st.booleans(), min_size=1, max_size=3),
    arrivals=st.sampled_from([0, 5, 126, 127, 128, 256]),
)
def test_about_the_ends_of_16_bits(number, inside, arrivals):
    rng = np.random.default_rng(number)
    cores = [edge_core(rng, len(inside), inside=each) for each in inside]
    inputs = [
        (tick, core, axon)
        for tick in range(0, 12, 3)
        for core in range(len(cores))
        for axon in rng.permutation(256)[:arrivals]
    ]
    assert_same(cores, inputs, 14, seed=0, points=OpenPoints())


@pytest.mark.parametrize("arrivals", [126, 127, 128, 129, 256])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_sums(arrivals, sign):
    """Weights and leak at their ends: 127 arrivals fit 16 bits, 128 do not."""
    neurons = Neurons(
        weights=sign * 255,
        leak=sign * 255,
        threshold=TOP,
        negative_threshold=TOP,
        reset_mode=1,
        negative_saturate=True,
    )
    chip = Chip([Core(0, True, neurons)])
    assert chip._arrays.fits.tolist() == [1]
    raster = chip.run([(0, 0, axon) for axon in range(arrivals)], 1)
    x = sign * 255 * (arrivals + 1)
    assert len(raster.events) == (256 if x >= TOP else 0)
    assert chip.potentials.tolist() == [[x - TOP if x >= TOP else max(x, -TOP)] * 256]


@pytest.mark.parametrize(
    ("fields", "after"),
    [
        ({"threshold": TOP + 1, "potential": TOP}, TOP),
        ({"threshold": TOP, "potential": TOP, "reset_mode": 1}, 0),
        ({"negative_threshold": TOP + 1, "potential": -TOP - 1}, -TOP - 1),
        ({"negative_threshold": TOP, "potential": -TOP - 1}, -TOP),
        ({"threshold": 0, "reset": TOP + 1}, TOP + 1),
        ({"threshold": 0, "reset": TOP}, TOP),
        ({"threshold": 0, "reset": -TOP - 2}, -TOP - 2),
    ],
)
def test_one_parameter_at_or_beyond_the_end(fields, after):
    neurons = Neurons(weights=0, negative_saturate=True, **fields)
    chip = Chip([Core(0, False, neurons)])
    chip.run([], 1)
    assert chip.potentials.tolist() == [[after] * 256]


def climbing(potential, **fields):
    """One core that rises by its leak and never resets."""
    neurons = Neurons(weights=0, potential=potential, negative_saturate=True, **fields)
    return Core(0, False, neurons)


def test_a_core_widens_and_narrows_again():
    """V passes 2^15 - 1 for one tick: by the leak, and back by the linear reset."""
    core = climbing(TOP - 1, leak=2, threshold=TOP, reset_mode=1)
    chip = Chip([core])
    assert len(chip.run([], 1).events) == 256
    assert chip.potentials.tolist() == [[1] * 256]
    assert chip._arrays.is_wide.tolist() == [1]
    chip.run([], 1)
    assert chip._arrays.is_wide.tolist() == [0]
    assert chip.potentials.tolist() == [[3] * 256]


def test_a_sum_may_leave_16_bits_and_come_back():
    """Synapses carry V beyond 2^15 - 1 and the leak takes it back: no overflow in between."""
    neurons = Neurons(
        weights=255, leak=-255, potential=TOP, threshold=TOP + 1, negative_saturate=True
    )
    kept = Neurons(**(vars(neurons) | {"threshold": TOP}))
    for each in (neurons, kept):
        chip = Chip([Core(0, np.eye(256, dtype=bool), each)])
        chip.run([(0, 0, axon) for axon in range(100)], 1)
        v = chip.potentials[0]
        fired = each.threshold[0] <= TOP
        assert v[:100].tolist() == [0 if fired else TOP] * 100
        assert v[100:].tolist() == [TOP - 255] * 156


def test_potential_climbs_to_the_ceiling_of_20_bits_through_16():
    core = climbing(2**15 - 600, leak=255, threshold=TOP, reset_mode=2)
    chip = Chip([core])
    chip.run([], 5)
    assert chip.potentials.tolist() == [[2**15 - 600 + 5 * 255] * 256]
    assert not chip.overflowed[0]
    chip.run([], 2100)
    assert chip.potentials.tolist() == [[2**19 - 1] * 256]
    assert chip.overflowed[0]


@pytest.mark.parametrize("threads", [1, 2])
def test_edges_without_compilation(threads, rng, plain_python):
    cores = [edge_core(rng, 2, inside=True), edge_core(rng, 2, inside=False)]
    inputs = [(tick, 0, axon) for tick in (0, 2) for axon in range(200)]
    assert_same(cores, inputs, 6, seed=0, points=OpenPoints(), threads=threads)


def test_equal_rows_are_stored_once():
    neurons = Neurons(weights=[1, -1, 0, 0], leak=1, threshold=5, negative_saturate=True)
    chip = Chip([Core(0, True, neurons)] * 100)
    # threshold 5, negative threshold 0, leak 1; weights 1, -1 and 0
    assert len(chip._arrays.table) == 4
    assert sorted(chip._arrays.table[:, 7]) == [-1, 0, 1, 5]


def test_rows_of_other_cores_stay_their_own(rng):
    """Cores that share some rows and differ in others behave as each does alone."""
    (core,) = random_cores(rng, [SATURATING])
    fields = vars(core.neurons) | {"target_core": -1}
    variants = [{}, {"leak": 2}, {"threshold": fields["threshold"] + 3}, {"weights": [3, 1, 2, 0]}]
    cores = [Core(core.axon_type, core.crossbar, Neurons(**(fields | v))) for v in variants]
    inputs = np.array([(t, c, a) for t in range(20) for c in range(4) for a in range(0, 256, 31)])
    together = Chip(cores).run(inputs, 20).counts()
    assert len({row.tobytes() for row in together}) == 4
    for index, each in enumerate(cores):
        mine = inputs[inputs[:, 1] == index] * [1, 0, 1]
        np.testing.assert_array_equal(Chip([each]).run(mine, 20).counts()[0], together[index])


def test_threads_may_change_between_runs(rng):
    """Spikes that wait in one thread's ring arrive whatever thread reads them."""
    cores = [edge_core(rng, 5, inside=True, weight=3) for _ in range(5)]
    steady, changing = Chip(cores), Chip(cores)
    for threads in (2, 1, 2, 2, 1):
        expected = steady.run([], 7, threads=1)
        np.testing.assert_array_equal(changing.run([], 7, threads=threads).events, expected.events)
        np.testing.assert_array_equal(changing.potentials, steady.potentials)
    assert len(expected.events) > 0


def test_only_cores_of_the_general_path_stay_wide(rng):
    general = Neurons(weights=1, stochastic_leak=True)
    chip = Chip([Core(0, True, general), edge_core(rng, 1, inside=True)])
    assert chip._arrays.path[0] == GENERAL
    assert chip._arrays.fits.tolist() == [0, 1]
