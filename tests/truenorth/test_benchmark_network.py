"""The benchmark's network is what it says it is."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

FILE = Path(__file__).parents[2] / "benchmarks" / "truenorth.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = spec_from_file_location("benchmark_truenorth", FILE)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("mixed", [False, True])
def test_network_of_the_benchmark(benchmark, mixed):
    arrays = benchmark.network(3, mixed=mixed)
    places = arrays["target_core"] * 256 + arrays["target_axon"]
    assert sorted(places.ravel()) == list(range(3 * 256))
    assert np.unpackbits(arrays["crossbar"]).mean() == pytest.approx(0.5, abs=0.01)
    chip = benchmark.build(arrays)
    rate = len(chip.run([], 1000).events) / (3 * 256)
    # a core with more excitatory than inhibitory axons is faster, by chance and with the weights
    assert rate == pytest.approx(20.5, abs=3 if mixed else 1.5)
    # 128 connections an axon; two crossbars differ by chance
    assert chip.synaptic_events == pytest.approx(128 * rate * 3 * 256, rel=0.03)
    # the thresholds of each core, 100, 1 (leak, weight), -1 and 0; or all but the weights 0
    assert len(chip._arrays.table) == (3 * 5 + 1 if mixed else 3 + 4)


@pytest.mark.parametrize("wanted", [0, 10, 50, 136, 396])
def test_network_of_any_activity(benchmark, wanted):
    chip = benchmark.build(benchmark.network(2, rate=wanted))
    chip.run([], 200)
    rate = len(chip.run([], 1000).events) / (2 * 256)
    assert rate == pytest.approx(wanted, rel=0.1, abs=0)
    assert chip._arrays.is_wide.sum() == 0
