"""Made tables of synapses, and the published ones."""

import pytest
from made_synapses import make_tables

from swta.cells import CLASSES, load_class
from swta.cells.synapses import load_synapses, measured


@pytest.fixture
def tables(monkeypatch):
    """Tables by name that `load_measured_synapses` reads instead of the measured ones."""
    made = make_tables()
    monkeypatch.setattr(measured, "load_table", lambda name, folder=None: made[name])
    return made


@pytest.fixture(scope="session")
def class_models():
    """The published class models."""
    return {name: load_class(name) for name in CLASSES}


@pytest.fixture(scope="session")
def synapses():
    """The published synapses."""
    return load_synapses()
