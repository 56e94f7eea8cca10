"""The real physiology tables: read, checked, and made again from the real upstream files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from swta.data.physiology import (
    load_bundled_class_statistics,
    load_class_statistics,
    load_table,
    load_trace,
)
from swta.data.physiology_tables import (
    PHYSIOLOGY,
    SCHEMAS,
    TABLES,
    UPSTREAM,
    build_tables,
    check_trace,
)

ROWS = {
    "cells/allen_cell_types_mouse": 1920,
    "cells/gouwens2020_patchseq_mouse_vis": 4284,
    "cells/berg2021_patchseq_mouse_l23_pyramidal": 120,
    "cells/chartrand2023_patchseq_mouse_vis_lamp5_l1types": 531,
    "cells/scala2021_patchseq_mouse_m1_room_temp": 1328,
    "cells/scala2021_patchseq_mouse_m1_34C": 184,
    "fi/allen_long_square_sweeps": 2305,
    "models/teeter2018_glif_mouse": 645,
    "models/v1_glif3_models": 201,
    "synapses/synphys_connection_counts_l23": 32,
    "synapses/synphys_synapse_stats_by_class": 254,
    "synapses/synphys_pooled_matrices": 95,
    "synapses/synphys_electrical_synapses": 14,
    "synapses/ndnf_som_input_naumann2025": 38,
    "class_summary": 457,
}
# Rows that hold a negative input resistance as published.
IMPOSSIBLE = {
    "cells/gouwens2020_patchseq_mouse_vis": 3,
    "cells/berg2021_patchseq_mouse_l23_pyramidal": 3,
    "cells/chartrand2023_patchseq_mouse_vis_lamp5_l1types": 1,
}


@pytest.fixture
def tables(register) -> Path:
    """The folder of the real tables, in the catalogue."""
    register(PHYSIOLOGY)
    folder = Path(os.environ["SWTA_DATA"]) / PHYSIOLOGY.folder
    if not folder.is_dir():
        pytest.skip(f"no {PHYSIOLOGY.folder} under SWTA_DATA")
    return folder


@pytest.mark.realdata
@pytest.mark.parametrize("name", SCHEMAS)
def test_every_real_table_passes_its_schema(tables, name):
    table = load_table(name, impossible="exclude")
    excluded = table.attrs["excluded"]
    assert len(excluded) == IMPOSSIBLE.get(name, 0)
    assert all("resistance" in row["column"] for row in excluded)
    assert len(table) + len(excluded) == ROWS.get(name, len(table))


@pytest.mark.realdata
def test_real_cells_per_class(tables):
    cells = load_table("cells/allen_cell_types_mouse")
    visp = cells[cells["area"] == "VISp"]
    assert visp[visp["layer"] == "2/3"].groupby("class").size().to_dict() == {
        "Pyr": 65,
        "Pvalb": 38,
        "Sst": 15,
        "Vip": 28,
        "Lamp5": 13,
    }
    sweeps = load_table("fi/allen_long_square_sweeps")
    assert sweeps["specimen_id"].nunique() == 95


@pytest.mark.realdata
def test_the_real_trace_has_its_twelve_spikes(tables):
    trace = load_trace()
    assert check_trace(tables) == []
    above = trace.v_mV > 0
    assert np.count_nonzero(above[1:] & ~above[:-1]) == 12
    assert trace.i_pA.max() == 170.0
    step = np.flatnonzero(trace.i_pA) * trace.dt_ms
    assert (step[0], step[-1]) == pytest.approx((trace.t_on_ms, trace.t_off_ms), abs=trace.dt_ms)


@pytest.mark.realdata
def test_bundled_statistics_equal_the_real_summary(tables):
    bundled = load_bundled_class_statistics()
    summary = load_class_statistics()
    assert summary.attrs["source"] == "class_summary"
    five = summary[summary["class"] != "Sncg"].reset_index(drop=True)
    pd.testing.assert_frame_equal(bundled, five, check_exact=True)


@pytest.mark.realdata
def test_real_tables_are_those_of_the_registry(tables):
    for path, sha256 in TABLES.items():
        if sha256:
            assert hashlib.sha256((tables / path).read_bytes()).hexdigest() == sha256, path


@pytest.fixture(scope="module")
def upstream() -> Path:
    """A folder with the real upstream files: <owner>/<repository>/<commit>/<path>."""
    if not os.environ.get("SWTA_UPSTREAM"):
        pytest.skip("SWTA_UPSTREAM is not set: no upstream files to build the tables from")
    return Path(os.environ["SWTA_UPSTREAM"])


@pytest.mark.slow
def test_upstream_files_are_those_of_the_registry(upstream):
    for file in UPSTREAM:
        content = (upstream / file.path).read_bytes()
        if file.sha256:
            assert hashlib.sha256(content).hexdigest() == file.sha256, file.path
            assert len(content) == file.size, file.path


@pytest.mark.slow
def test_tables_built_from_upstream_are_byte_for_byte_the_published_ones(upstream, tmp_path):
    build_tables(upstream, tmp_path)
    for path, sha256 in TABLES.items():
        content = (tmp_path / path).read_bytes()
        assert not sha256 or hashlib.sha256(content).hexdigest() == sha256, path
    assert check_trace(tmp_path) == []
