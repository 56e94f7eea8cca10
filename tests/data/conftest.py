"""No network, and no data but what a test makes."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from web_server import Server

from swta.data import checksums
from swta.data.catalogue import CATALOGUE

locating = importlib.import_module("swta.data.locate")


@pytest.fixture(autouse=True)
def _fresh_process(request, tmp_path, monkeypatch):
    """Every test starts as a new process without data; tests of measured data keep SWTA_DATA."""
    if request.node.get_closest_marker("realdata") is None:
        monkeypatch.delenv("SWTA_DATA", raising=False)
    elif not os.environ.get("SWTA_DATA"):
        pytest.skip("SWTA_DATA is not set: no measured data to compare with")
    monkeypatch.setenv("SWTA_OFFLINE", "1")
    monkeypatch.setenv("SWTA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for state in (locating._USES, locating._LOCATIONS, locating._FAILED_DOWNLOADS):
        state.clear()
    checksums._KNOWN.clear()


@pytest.fixture
def own_data(tmp_path, monkeypatch) -> Path:
    """An empty folder that SWTA_DATA points to."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("SWTA_DATA", str(folder))
    return folder


@pytest.fixture
def register(monkeypatch) -> Callable:
    """Put a data set into the catalogue for one test."""

    def put(entry):
        monkeypatch.setitem(CATALOGUE, entry.name, entry)
        return entry

    return put


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setenv("SWTA_OFFLINE", "0")
    running = Server()
    yield running
    running.close()
