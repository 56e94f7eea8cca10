"""Routing, delays, merging, running on, threads, inputs."""

import numba
import numpy as np
import pytest
from networks import DETERMINISTIC, SATURATING, STOCHASTIC, random_cores, random_inputs

from swta.truenorth import Chip, Core, Neurons, OpenPoints, kernel
from swta.truenorth.arrays import with_rings
from swta.validation import ParameterError

NONE = np.zeros((256, 256), dtype=bool)
IDENTITY = np.eye(256, dtype=bool)


def relay(**fields):
    """Neurons that fire when their axon is active, one axon each."""
    return Neurons(weights=1, threshold=1, **fields)


@pytest.mark.parametrize("delay", range(1, 16))
def test_delay_is_the_number_of_ticks_to_the_axon(delay):
    first = Core(0, IDENTITY, relay(target_core=1, target_axon=np.arange(256), delay=delay))
    second = Core(0, IDENTITY, relay())
    raster = Chip([first, second]).run([(3, 0, 7)], 30)
    assert raster.events.tolist() == [[3, 0, 7], [3 + delay, 1, 7]]


def test_spikes_on_one_axon_in_one_tick_count_once():
    first = Core(0, IDENTITY, relay(target_core=1, target_axon=9))
    second = Core(0, IDENTITY, Neurons(weights=1, threshold=100))
    chip = Chip([first, second])
    chip.run([(0, 0, 1), (0, 0, 2), (0, 0, 1), (1, 1, 9)], 2)
    assert chip.potentials[1, 9] == 1
    assert chip.synaptic_events == 3


def test_a_neuron_may_drive_its_own_core_and_spikes_wait_in_the_ring():
    """A spike that is under way when a run ends arrives in the next run."""
    core = Core(0, IDENTITY, relay(target_core=0, target_axon=np.arange(256), delay=15))
    chip = Chip([core])
    assert chip.run([(0, 0, 5)], 10).events.tolist() == [[0, 0, 5]]
    assert chip.run([], 10).events.tolist() == [[15, 0, 5]]
    assert chip.tick == 20


def test_duplicates_fire_together():
    """Copies of a neuron with the same inputs, one for each target core, keep the same timing."""
    rng = np.random.default_rng(1)
    crossbar = NONE.copy()
    crossbar[:, 0] = crossbar[:, 1] = rng.random(256) < 0.5
    neurons = Neurons(
        weights=[3, 2, -1, -2], threshold=40, leak=-1, reset_mode=1, target_core=[1, 2] + [-1] * 254
    )
    source = Core(rng.integers(0, 4, 256), crossbar, neurons)
    sinks = [Core(0, IDENTITY, relay()) for _ in range(2)]
    raster = Chip([source, *sinks]).run(random_inputs(rng, 1, 100, 2000), 102)
    assert len(raster.ticks(0, 0)) > 10
    np.testing.assert_array_equal(raster.ticks(0, 0), raster.ticks(0, 1))
    np.testing.assert_array_equal(
        raster.ticks(1, 0), raster.ticks(0, 0)[: len(raster.ticks(1, 0))] + 1
    )
    np.testing.assert_array_equal(raster.ticks(1, 0), raster.ticks(2, 0))


def test_splitter_reaches_many_cores_one_tick_later():
    """One axon with k connections gives k destinations and costs one tick, two in all."""
    k = 5
    crossbar = NONE.copy()
    crossbar[0, :k] = True
    source = Core(0, IDENTITY, relay(target_core=1))
    splitter = Core(0, crossbar, relay(target_core=np.r_[np.arange(2, 2 + k), [-1] * (256 - k)]))
    sinks = [Core(0, IDENTITY, relay()) for _ in range(k)]
    raster = Chip([source, splitter, *sinks]).run([(4, 0, 0)], 10)
    arrivals = raster.events[raster.events[:, 1] >= 2]
    assert arrivals.tolist() == [[6, core, 0] for core in range(2, 2 + k)]


@pytest.fixture(scope="module")
def mixed():
    rng = np.random.default_rng(5)
    kinds = [SATURATING, DETERMINISTIC, STOCHASTIC] * 3
    return random_cores(rng, kinds), random_inputs(rng, len(kinds), 200, 4000)


def test_running_on_is_running_once(mixed):
    cores, inputs = mixed
    whole, parts = Chip(cores, seed=3), Chip(cores, seed=3)
    once = whole.run(inputs, 200)
    first = parts.run(inputs, 100)  # rows beyond tick 99 wait
    second = parts.run([], 37), parts.run(inputs[inputs[:, 0] >= 137], 63)
    events = np.concatenate([first.events, *(raster.events for raster in second)])
    np.testing.assert_array_equal(once.events, events)
    np.testing.assert_array_equal(whole.potentials, parts.potentials)
    assert whole.synaptic_events == parts.synaptic_events
    assert (second[1].first_tick, second[1].n_ticks, parts.tick) == (137, 63, 200)


def test_block_size_does_not_matter(mixed, monkeypatch):
    cores, inputs = mixed
    expected = Chip(cores).run(inputs, 50).events
    monkeypatch.setattr("swta.truenorth.chip._RECORD_BYTES", 32 * len(cores) * 7)
    np.testing.assert_array_equal(Chip(cores).run(inputs, 50).events, expected)


@pytest.mark.parametrize("chunks", [2, 3, 7])
def test_threads_do_not_matter(mixed, chunks):
    cores, inputs = mixed
    one, many = Chip(cores, seed=9), Chip(cores, seed=9)
    expected = one.run(inputs, 80, threads=1)
    before = numba.get_num_threads()
    many._arrays = with_rings(many._arrays, chunks)

    def run_in_chunks(scheduled, offset, fired, threads):
        kernel.run_parallel(many._arrays, many._rules, scheduled, many._tick, offset, fired, chunks)
        return kernel.list_events_parallel(fired, many._tick)

    many._run_block = run_in_chunks
    np.testing.assert_array_equal(many.run(inputs, 80).events, expected.events)
    np.testing.assert_array_equal(many.potentials, one.potentials)
    again = Chip(cores, seed=9).run(inputs, 80, threads=min(2, numba.config.NUMBA_NUM_THREADS))
    np.testing.assert_array_equal(again.events, expected.events)
    assert numba.get_num_threads() == before


def test_a_large_chip_uses_the_threads_there_are():
    cores = [Core(0, IDENTITY, relay())] * 256
    raster = Chip(cores).run([(2, 255, 3)], 4)
    assert raster.events.tolist() == [[2, 255, 3]]


@pytest.mark.parametrize("kind", [SATURATING, DETERMINISTIC, STOCHASTIC])
def test_the_seed_matters_only_where_something_is_random(kind):
    cores = random_cores(np.random.default_rng(2), [kind])
    first, second = (Chip(cores, seed=seed).run([], 100).events for seed in (0, 1))
    assert np.array_equal(first, second) == (kind != STOCHASTIC)


def test_overflow_raises_the_flag_of_its_core():
    full = Neurons(weights=0, leak=1, threshold=0, reset_mode=2, potential=[2**19 - 1] + [0] * 255)
    chip = Chip([Core(0, NONE, relay()), Core(0, NONE, full)])
    chip.run([], 1)
    assert chip.overflowed.tolist() == [False, True]
    assert chip.potentials[1, 0] == 2**19 - 1


def test_forced_spike_stays_at_the_ceiling():
    neurons = Neurons(weights=0, leak=1, threshold=2**18 - 1, potential=[393216] + [0] * 255)
    chip = Chip([Core(0, NONE, neurons)], open_points=OpenPoints(overflow="force_spike"))
    assert chip.run([], 3).ticks(0, 0).tolist() == [0, 1, 2]
    assert chip.potentials[0, 0] == 393216


def test_zero_crossing_of_a_convergent_leak():
    """V = 1, lambda = -3: the equations give -2, 1, -2; the clamp gives 0."""
    neurons = Neurons(
        weights=0, leak=-3, leak_reversal=True, threshold=9, negative_threshold=9, potential=1
    )
    seen = {}
    for choice in ("overshoot", "clamp"):
        chip = Chip([Core(0, NONE, neurons)], open_points=OpenPoints(zero_crossing=choice))
        seen[choice] = []
        for _ in range(3):
            chip.run([], 1)
            seen[choice].append(int(chip.potentials[0, 0]))
    assert seen == {"overshoot": [-2, 1, -2], "clamp": [0, 0, 0]}


def test_raster_reduces_to_counts_and_rates():
    raster = Chip([Core(0, NONE, Neurons(weights=0, leak=1, threshold=10))]).run([], 100)
    assert raster.counts().shape == (1, 256)
    assert set(raster.counts().ravel()) == {10}
    assert set(raster.counts(start=50, stop=70).ravel()) == {2}
    np.testing.assert_allclose(raster.rates(start=50), 0.1)
    order = np.lexsort(raster.events.T[::-1])
    np.testing.assert_array_equal(order, np.arange(len(raster.events)))


def test_memory_of_a_core_is_about_twenty_kilobytes():
    one, many = (Chip([Core(0, NONE, relay())] * n).nbytes for n in (1, 11))
    assert 15_000 < (many - one) / 10 < 25_000


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([(0, 0, 256)], "inputs row 0: axon = 256 is out of range; allowed: 0 … 255"),
        ([(1, 0, 0), (1, 2, 0)], "inputs row 1: core = 2 is out of range; allowed: 0 … 1"),
        ([(-1, 0, 0)], "inputs row 0: tick = -1 is out of range"),
        ([(0.5, 0, 0)], "inputs is float64 of shape"),
        ([(0, 0)], r"inputs is int64 of shape \(1, 2\)"),
        (np.ones((2, 3), dtype=bool), "inputs is bool"),
    ],
)
def test_bad_inputs(inputs, message):
    chip = Chip([Core(0, NONE, relay())] * 2)
    with pytest.raises(ParameterError, match=message):
        chip.run(inputs, 10)
    assert chip.tick == 0


def test_inputs_of_the_past_are_refused():
    chip = Chip([Core(0, NONE, relay())])
    chip.run([], 10)
    with pytest.raises(ParameterError, match=r"row 0: tick = 9 .* allowed: 10 … .*already run"):
        chip.run([(9, 0, 0)], 10)


@pytest.mark.parametrize("n_ticks", [0, -1, 2.0, True])
def test_bad_number_of_ticks(n_ticks):
    with pytest.raises(ParameterError, match="n_ticks"):
        Chip([Core(0, NONE, relay())]).run([], n_ticks)


def test_bad_number_of_threads():
    with pytest.raises(ParameterError, match="threads = 100000"):
        Chip([Core(0, NONE, relay())]).run([], 1, threads=100000)


def test_a_chip_needs_cores_and_holds_4096():
    core = Core(0, NONE, relay())
    with pytest.raises(ParameterError, match="number of cores = 0"):
        Chip([])
    with pytest.raises(ParameterError, match="number of cores = 4097"):
        Chip([core] * 4097)


def test_a_target_must_be_on_the_chip():
    lost = Core(0, NONE, relay(target_core=[0] * 7 + [3] + [-1] * 248))
    with pytest.raises(ParameterError, match=r"core 1, neuron 7: target_core = 3 .* -1 … 1"):
        Chip([Core(0, NONE, relay()), lost])


@pytest.mark.parametrize("seed", [-1, 2**64, 0.5])
def test_bad_seed(seed):
    with pytest.raises(ParameterError, match="seed"):
        Chip([Core(0, NONE, relay())], seed=seed)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"overflow": "clip"}, "overflow = 'clip' is unknown"),
        ({"zero_crossing": "stop"}, "zero_crossing"),
        ({"stochastic_leak": "unsinged"}, "did you mean 'unsigned'"),
        ({"threshold_bits": 19}, "threshold_bits = 19 is out of range; allowed: 1 … 18"),
    ],
)
def test_bad_open_points(fields, message):
    with pytest.raises(ParameterError, match=message):
        OpenPoints(**fields)
