"""Fixtures of the emulator's tests."""

import numpy as np
import plain_lanes
import pytest

from swta.truenorth import generator, kernel


@pytest.fixture
def rng():
    return np.random.default_rng(20251007)


@pytest.fixture
def plain_python(monkeypatch):
    """Replace every compiled function of the kernel by its source, and vector code by NumPy."""
    for module in (generator, kernel):
        for name, function in list(vars(module).items()):
            if hasattr(function, "py_func"):
                monkeypatch.setattr(module, name, function.py_func)
    for name in ("mix", "tick_key", "draw"):
        if hasattr(kernel, name):
            monkeypatch.setattr(kernel, name, getattr(generator, name))
    for name in ("lowest_bit", "count_bits", "add_weights", "mark_reached"):
        monkeypatch.setattr(kernel, name, getattr(plain_lanes, name))
    with np.errstate(over="ignore"):  # the generator's arithmetic is modulo 2^64
        yield
