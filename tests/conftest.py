"""Shared fixtures: no network, no colours, and results that never touch the checkout's own."""

import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")
os.environ["SWTA_OFFLINE"] = "1"
os.environ["NO_COLOR"] = "1"


@pytest.fixture(autouse=True)
def _own_results(tmp_path, monkeypatch):
    monkeypatch.setenv("SWTA_RESULTS", str(tmp_path / "results"))
