"""Building all physiology tables, and what the finished files must be."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from swta.data.physiology_tables.build_biorealistic import (
    build_connection_versions,
    build_copies,
    build_psp_characterization,
)
from swta.data.physiology_tables.build_cells import (
    build_berg,
    build_cell_types,
    build_chartrand,
    build_gouwens,
    build_scala,
)
from swta.data.physiology_tables.build_models import build_teeter, build_v1_glif3
from swta.data.physiology_tables.build_summary import build_class_summary
from swta.data.physiology_tables.build_sweeps import build_sweeps
from swta.data.physiology_tables.build_synapses import (
    build_connection_counts,
    build_electrical_synapses,
    build_ndnf,
    build_pooled_matrices,
    build_synapse_statistics,
)
from swta.data.physiology_tables.build_trace import TRACE, TRACE_SHA256, build_trace, hash_trace
from swta.data.physiology_tables.reading import TableError
from swta.data.physiology_tables.sources import UPSTREAM
from swta.data.registry import DataSet

# In this order: the class summary is made from the tables before it.
_BUILDERS: Final = (
    build_cell_types,
    build_gouwens,
    build_berg,
    build_chartrand,
    build_scala,
    build_sweeps,
    build_teeter,
    build_v1_glif3,
    build_connection_counts,
    build_synapse_statistics,
    build_pooled_matrices,
    build_electrical_synapses,
    build_ndnf,
    build_copies,
    build_psp_characterization,
    build_connection_versions,
    build_trace,
    build_class_summary,
)

# Finished file -> SHA-256; "" for the trace, whose compressed bytes depend on the zlib in use.
TABLES: Final[dict[str, str]] = {
    "cells/allen_cell_types_mouse.csv": (
        "9939c67dfe7761b31df6164427920f74d41ab6b671d5567d9e5a682e932e18dd"
    ),
    "cells/gouwens2020_patchseq_mouse_vis.csv": (
        "f3cf458883559a15d468c4689499027c4822bda4f11d2d815c5f48bb51b8b600"
    ),
    "cells/berg2021_patchseq_mouse_l23_pyramidal.csv": (
        "b688dbe081853d78b5b6a37c7f47341a8c9c17ebe18b7798d225c72cb9911d2d"
    ),
    "cells/chartrand2023_patchseq_mouse_vis_lamp5_l1types.csv": (
        "881f7a1353b7838976c9fc60776963fae1d539d1a29137b9ed7fd284dabe95ea"
    ),
    "cells/scala2021_patchseq_mouse_m1_room_temp.csv": (
        "57896fdb4ab15e52cc0a6ada33548fd58af1d6cabd8203f7997f94f392a47c9e"
    ),
    "cells/scala2021_patchseq_mouse_m1_34C.csv": (
        "f45a1f743ee2bee9a5eb1f62b5a4cd6aa1a51d301801ceed700053745cbf1f7a"
    ),
    "fi/allen_long_square_sweeps.csv": (
        "4f192fb379d8dfc55fb3c308f74e201c6be025b0c090a2ebb9f9927994b0dced"
    ),
    "models/teeter2018_glif_mouse.csv": (
        "0314c9b319ece82030e586bd583bef47f95cd11489bf386087c43421f866767b"
    ),
    "models/v1_glif3_models.csv": (
        "d2d9f55192ab6016501a2c44fc2d6a12b18f3ff5b169d52ab7630a362b58e300"
    ),
    "synapses/synphys_connection_counts_l23.csv": (
        "89a1a6d64dce64482a8c4245ab8a972b4ef49a4933761eb4005747662158e106"
    ),
    "synapses/synphys_synapse_stats_by_class.csv": (
        "c969fb5fa0442144fcc52091d6db84894c21905c2fd22167cac9dbe72d9b5eba"
    ),
    "synapses/synphys_pooled_matrices.csv": (
        "09dce8f7714057e93e84c9a056d131da6ae66f311e2f01454d51201cb287651f"
    ),
    "synapses/synphys_electrical_synapses.csv": (
        "27c4b9930dadd9b337133c142e219174525dfa303d1685139ced8a78f3d79d3b"
    ),
    "synapses/ndnf_som_input_naumann2025.csv": (
        "6011a1a69db07299c007ab980f351ba239a1e380abfd0e43fc369ca443bf24f4"
    ),
    "synapses/biorealistic_v1/amp_slow.csv": (
        "8cf82399b9ae21a5724a3a9a7bf195d3d46f38a7972b3638c4001be6f23b29d6"
    ),
    "synapses/biorealistic_v1/b_ratio.csv": (
        "0a0d31dbe9363230ae8339a4ff284e4c999483f4c42d0eed06184793860cfeb5"
    ),
    "synapses/biorealistic_v1/cell_type_naming_scheme.csv": (
        "0db048479e5e442c7e7e83b14271aef10ebdb62e3e0eddd847445fe07852a708"
    ),
    "synapses/biorealistic_v1/conn_props_l23_by_version.csv": (
        "fb601bf8d2c9e8555fe01d982a7989737a6190ac2fbd8b25615b05d14dba1c54"
    ),
    "synapses/biorealistic_v1/pmax_matrix_v1dd.csv": (
        "73e44b412cd08214c4cc57e919f7d5a42b60d94006c42e4adca531375e97c64a"
    ),
    "synapses/biorealistic_v1/psp_characterization.csv": (
        "e238db21fdccab4a127fee4343afcbb7cf47bf88c7da812c473f7a6a300ffedd"
    ),
    "synapses/biorealistic_v1/psp_lookup_table.csv": (
        "8f60843091b374935ce19d0f1b6c4acb3fe8512acd410241e41917ef7603cc8b"
    ),
    "synapses/biorealistic_v1/sigma.csv": (
        "4a6e7edffae92145c90f781b8ed192c3de158e11c43eae157b4c1a9a590702bf"
    ),
    "synapses/biorealistic_v1/syn_types_latency.csv": (
        "3ef1877ed70ffbe3d7609bd2cc334fda90c1a9dc21d9e29e644496af5ff51279"
    ),
    "synapses/biorealistic_v1/tau_syn_fast.csv": (
        "f652bff10cc6fe586dffdd21a03515a61d2fc01c6fc5d856d5f6d249ca27412e"
    ),
    "synapses/biorealistic_v1/tau_syn_slow.csv": (
        "b16c62af3be35cc4371888b1503e7b9a478e6413e45cdb427a5f7266b355447d"
    ),
    "class_summary.csv": "945919c2e62eb4ddb001728d7a095c982aaf67ff6b7a3acd9a50034b1e7f118f",
    f"traces/{TRACE}.npz": "",
}


def build_tables(upstream: Path, target: Path) -> None:
    """Build every table of `TABLES` in ``target`` from the files of `UPSTREAM` in ``upstream``.

    Raises:
        TableError: an upstream file that is missing or not what it must be.
    """
    for build in _BUILDERS:
        build(upstream, target)


def check_trace(folder: Path) -> list[str]:
    """List what is wrong with the raw trace in ``folder``; it is compared value for value."""
    path = folder / f"traces/{TRACE}.npz"
    try:
        found = hash_trace(path)
    except TableError as error:
        return [str(error)]
    if found != TRACE_SHA256:
        return [f"{path}: expected SHA-256 {TRACE_SHA256} over v_mV and i_pA, found {found}"]
    return []


PHYSIOLOGY: Final = DataSet(
    name="physiology",
    title="In vitro physiology of mouse visual cortex, cells and synapses",
    version="25 tables, a class summary and one trace, from 14 repositories at pinned commits",
    folder="physiology",
    access="build",
    licence="Allen Institute terms of use (research, non-commercial, with citation) for most",
    citation=(
        "gouwens2019, gouwens2020, berg2021, chartrand2023, scala2021, teeter2018, billeh2020, "
        "campagnola2022, naumann2025"
    ),
    homepage="https://celltypes.brain-map.org/",
    files=UPSTREAM,
    contents=tuple(TABLES.items()),
    build=build_tables,
    check=check_trace,
)
