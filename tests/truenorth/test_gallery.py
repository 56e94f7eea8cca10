"""Published neurons: the expectations of the README of pytruenorth, and three of the behaviours."""

import numpy as np
import pytest

from swta.truenorth import (
    Chip,
    Core,
    Neurons,
    bursting_chip,
    phasic_spiking_chip,
    simulate_trace,
)


def single(*, potential=0, weight=0, **fields):
    """A chip with one neuron of interest (0), driven through axon 0."""
    crossbar = np.zeros((256, 256), dtype=bool)
    crossbar[0, 0] = True
    neurons = Neurons(weights=weight, potential=[potential] + [0] * 255, **fields)
    return Chip([Core(0, crossbar, neurons)])


def counted_from_one(raster):
    """Ticks of neuron 0 as that README counts them."""
    return raster.ticks(0, 0) + 1


@pytest.mark.parametrize(
    ("fields", "driven", "period", "phase"),
    [
        ({"threshold": 10, "leak": 1}, False, 10, 0),
        ({"threshold": 10, "leak": 1, "potential": 1}, False, 10, 9),
        ({"threshold": 11, "leak": 2}, False, 6, 0),
        # sent from time 0, so active from tick 1 on; in tick 0 the leak alone is reset from -1
        ({"threshold": 10, "leak": -1, "weight": 3}, True, 5, 1),
    ],
)
def test_periods_and_phases(fields, driven, period, phase):
    inputs = [(tick, 0, 0) for tick in range(1, 61)] if driven else []
    ticks = counted_from_one(single(**fields).run(inputs, 61))
    assert len(ticks) >= 5
    assert set(np.diff(ticks)) <= {period}
    if "potential" in fields:
        assert ticks[0] == phase
    else:
        assert ticks[0] % period == phase


ONE_SPIKE = [(100, 0, 0)]
EVERY_TICK = [(tick, 0, 0) for tick in range(100, 400)]


def test_tonic_bursting_after_one_spike():
    chip = bursting_chip()
    raster = chip.run([*ONE_SPIKE, (250, 0, 0)], 400)
    burst = [116, 133, 150, 167, 184, 201]
    assert raster.ticks(0, 0).tolist() == burst + [tick + 150 for tick in burst]
    assert raster.ticks(0, 1).tolist() == [202, 352]
    assert chip.potentials[0, 0] == 0


def test_tonic_bursting_under_steady_input():
    raster = bursting_chip().run(EVERY_TICK, 400)
    burst = np.arange(108, 154, 9)
    expected = (burst + 56 * np.arange(6)[:, None]).ravel()
    assert raster.ticks(0, 0).tolist() == expected[expected < 400].tolist()
    assert raster.ticks(0, 1).tolist() == [154, 210, 266, 322, 378]


@pytest.mark.parametrize(
    ("inputs", "burst", "end", "rest"),
    [
        (ONE_SPIKE, [116, 133, 150, 167, 184, 201], 202, -20),
        (EVERY_TICK, [108, 117, 126, 135, 144, 153], 154, -17),
    ],
)
def test_phasic_bursting(inputs, burst, end, rest):
    chip = bursting_chip(phasic=True)
    first = chip.run([row for row in inputs if row[0] < 300], 300)
    later = chip.run([row for row in inputs if row[0] >= 300], 100)
    assert first.ticks(0, 0).tolist() == burst
    assert first.ticks(0, 1).tolist() == [end]
    assert len(later.events) == 0
    assert chip.potentials[0, 0] == rest


def every(step, axon, start=0):
    return [(tick, 0, axon) for tick in range(start, 100, step)]


@pytest.mark.parametrize(
    ("rest", "inputs", "expected"),
    [
        (0, every(2, axon=0), [0]),
        (-10, [(5, 0, 1), *every(2, axon=0, start=7)], [5]),
        (0, every(1, axon=0), list(range(0, 100, 7))),
        (-10, every(1, axon=1), list(range(100))),
    ],
    ids=["weight 4", "weight 20 from rest", "weight 4 every tick", "weight 20 every tick"],
)
def test_phasic_spiking(rest, inputs, expected):
    assert phasic_spiking_chip(potential=rest).run(inputs, 100).ticks(0, 0).tolist() == expected


def test_trace_shows_every_tick():
    inputs = [(tick, 0) for tick in range(10, 80)]
    trace = simulate_trace(bursting_chip(), inputs, n_ticks=80, n_neurons=2)
    raster = bursting_chip().run([(tick, 0, 0) for tick in range(10, 80)], 80)
    for neuron in (0, 1):
        assert trace.ticks[trace.spikes[:, neuron]].tolist() == raster.ticks(0, neuron).tolist()
    assert trace.potentials[:10].tolist() == [[0, 0]] * 10
    # one input and a leak of one: V rises by 2 a tick until it reaches 18
    assert trace.potentials[10:18, 0].tolist() == list(range(2, 18, 2))
