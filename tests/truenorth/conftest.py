"""Fixtures of the emulator's tests."""

import numpy as np
import plain_lanes
import pytest

from swta.truenorth import generator, kernel, lanes, modes


@pytest.fixture
def rng():
    return np.random.default_rng(20251007)


@pytest.fixture
def plain_python(monkeypatch):
    """Replace every compiled function of the kernel by its source, and vector code by NumPy."""
    modules = (generator, modes, kernel)
    sources = {
        name: function.py_func
        for module in modules
        for name, function in vars(module).items()
        if hasattr(function, "py_func")
    }
    vectors = {name: value for name, value in vars(plain_lanes).items() if name in vars(lanes)}
    for module in modules:
        for name in (sources | vectors).keys() & vars(module).keys():
            monkeypatch.setattr(module, name, (sources | vectors)[name])
    with np.errstate(over="ignore"):  # the generator's arithmetic is modulo 2^64
        yield
