"""The benchmark's network is what it says it is."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

FILE = Path(__file__).parents[2] / "benchmarks" / "truenorth.py"


def test_network_of_the_benchmark():
    spec = spec_from_file_location("benchmark_truenorth", FILE)
    benchmark = module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    arrays = benchmark.network(3)
    places = arrays["target_core"] * 256 + arrays["target_axon"]
    assert sorted(places.ravel()) == list(range(3 * 256))
    assert np.unpackbits(arrays["crossbar"]).mean() == pytest.approx(0.5, abs=0.01)
    chip = benchmark.build(arrays)
    rate = len(chip.run([], 1000).events) / (3 * 256)
    assert rate == pytest.approx(20.5, abs=1.5)
    # 128 connections an axon; two crossbars differ by chance
    assert chip.synaptic_events == pytest.approx(128 * rate * 3 * 256, rel=0.03)
