"""No measured data but for tests that ask for it, and class statistics shared by all tests."""

import importlib
import os

import pytest

from swta.cells import measure_classes
from swta.data.physiology import load_bundled_class_statistics

locating = importlib.import_module("swta.data.locate")


@pytest.fixture(autouse=True)
def _data(request, tmp_path, monkeypatch):
    if request.node.get_closest_marker("realdata") is None:
        monkeypatch.delenv("SWTA_DATA", raising=False)
    elif not os.environ.get("SWTA_DATA"):
        pytest.skip("SWTA_DATA is not set: no measured cells to compare with")
    monkeypatch.setenv("SWTA_CACHE", str(tmp_path / "cache"))
    states = (locating._USES, locating._LOCATIONS, locating._FAILED_DOWNLOADS)
    for state in states:
        state.clear()
    yield
    for state in states:
        state.clear()


@pytest.fixture(scope="session")
def statistics():
    """Medians and quartiles of the five classes, as bundled."""
    return measure_classes("cell_types", load_bundled_class_statistics())
