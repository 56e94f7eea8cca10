"""The load with which speed is measured is what it says it is."""

import numpy as np
import pytest

from swta.truenorth.workload import build_load, draw_load, measure_cost, measure_load
from swta.validation import ParameterError


@pytest.mark.parametrize("mixed", [False, True])
def test_network_of_the_benchmark(mixed):
    arrays = draw_load(3, mixed=mixed)
    places = arrays["target_core"] * 256 + arrays["target_axon"]
    assert sorted(places.ravel()) == list(range(3 * 256))
    assert np.unpackbits(arrays["crossbar"]).mean() == pytest.approx(0.5, abs=0.01)
    chip = build_load(arrays)
    rate = len(chip.run([], 1000).events) / (3 * 256)
    # a core with more excitatory than inhibitory axons is faster, by chance and with the weights
    assert rate == pytest.approx(20.5, abs=3 if mixed else 1.5)
    # 128 connections an axon; two crossbars differ by chance
    assert chip.synaptic_events == pytest.approx(128 * rate * 3 * 256, rel=0.03)
    # the thresholds of each core, 100, 1 (leak, weight), -1 and 0; or all but the weights 0
    assert len(chip._arrays.table) == (3 * 5 + 1 if mixed else 3 + 4)


@pytest.mark.parametrize("wanted", [0, 10, 50, 136, 396])
def test_network_of_any_activity(wanted):
    chip = build_load(draw_load(2, rate=wanted))
    chip.run([], 200)
    rate = len(chip.run([], 1000).events) / (2 * 256)
    assert rate == pytest.approx(wanted, rel=0.1, abs=0)
    assert chip._arrays.is_wide.sum() == 0


def test_cost_over_cores_and_activity():
    cost = measure_cost([1, 2], [0, 50], n_ticks=40, activity_cores=1, threads=1)
    assert [each.n_cores for each in cost.sizes] == [1, 2]
    assert [each.n_cores for each in cost.activities] == [1, 1]
    assert cost.rates_hz[0] == 0 and cost.rates_hz[1] == pytest.approx(50, rel=0.25)
    assert cost.activities[0].synaptic_events == 0 < cost.activities[1].synaptic_events
    assert cost.build_time > 0
    speed, rate = measure_load(build_load(draw_load(1)), n_ticks=500, threads=1)
    assert speed.synaptic_events == pytest.approx(128 * 256 * 500 * rate / 1e3, rel=0.05)


@pytest.mark.parametrize(("given", "named"), [((0,), "n_cores"), ((1, 0), "rate")])
def test_bad_loads(given, named):
    rate = None if len(given) == 1 else 501.0
    with pytest.raises(ParameterError, match=named):
        draw_load(given[0], rate=rate)
