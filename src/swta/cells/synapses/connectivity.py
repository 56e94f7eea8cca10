"""Connection probabilities, their fall-off with distance, and the spread of amplitudes.

Probabilities between Pyr, PV, SST and VIP cells are those at zero distance that Campagnola et al.
2022 fitted to their pairs; those from or onto LAMP5 cells and from layer 4 come from electron
microscopy, as the Allen V1 model has them (Billeh et al. 2020 and its successors).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from swta.cells.synapses.table import EXCITATORY, INPUT, Measure
from swta.validation import ParameterError

VERSION: Final = "2023-06-07"  # latest table of probabilities from paired recordings
SNAPSHOT: Final = "aisynphys_doc_tutorial_545a990"  # counts of the larger release

_MICROSCOPY: Final = {
    "Pyr": "L2/3_Exc",
    "Pvalb": "L2/3_PV",
    "Sst": "L2/3_SST",
    "Vip": "L2/3_VIP",
    "Lamp5": "L1_Inh",
    INPUT: "L4_Exc",
}
_POTENTIALS: Final = {
    "Pyr": "l23_pyr",
    INPUT: "l4_pyr",
    "Pvalb": "pvalb",
    "Sst": "sst",
    "Vip": "vip",
}
_V1DD: Final = (
    "V1DD electron microscopy (structural) in the Allen V1 model, biorealistic-v1-model, "
    "base_props/pmax_matrix_v1dd.csv; its 'SparTC' cells of L1 stand for LAMP5"
)


def _one(rows: pd.DataFrame, file: str, what: str) -> Any:
    if len(rows) != 1:
        raise ParameterError(f"{file}: {len(rows)} rows for {what}; expected one")
    return rows.iloc[0]


def find_probability(tables: Mapping[str, pd.DataFrame], pre: str, post: str) -> Measure:
    """Connection probability at zero distance, with its interval where pairs were probed."""
    if pre == INPUT or "Lamp5" in (pre, post):
        table = tables["microscopy"]
        row = _one(table[table["pre"] == _MICROSCOPY[pre]], table.attrs["file"], _MICROSCOPY[pre])
        column = _MICROSCOPY[post]
        source = f"{_V1DD}: {_MICROSCOPY[pre]} → {column}"
        return Measure(float(row[column]), 0, "proxy", source)
    table, counts = tables["probabilities"], tables["counts"]
    here = (table["pre"] == pre) & (table["post"] == post) & (table["version"] == VERSION)
    row = _one(table[here], table.attrs["file"], f"{pre} → {post} of version {VERSION}")
    if row["is_pmax"] != 1:
        raise ParameterError(
            f"{table.attrs['file']}: {pre} → {post} is no probability at zero distance (is_pmax 0)"
        )
    at = (counts["pre"] == pre) & (counts["post"] == post) & (counts["snapshot"] == SNAPSHOT)
    count = _one(counts[at], counts.attrs["file"], f"{pre} → {post} of {SNAPSHOT}")
    peak, raw = float(row["probability"]), float(count["p"])
    correction = peak / raw if raw > 0 else 1.0
    low = min(1.0, correction * float(count["ci95_low"]))
    high = min(1.0, correction * float(count["ci95_high"]))
    source = (
        f"peak of the Gaussian fall-off, Campagnola et al. 2022 (campagnola2022) in the Allen V1 "
        f"model ({row['path']}, {VERSION}); n = probed pairs, {int(count['n_connected'])} "
        f"connected; range: 95 % interval of the raw proportion {raw:.3f}, scaled alike"
    )
    return Measure(peak, int(count["n_probed"]), "measured", source, low, high)


def find_sigma(tables: Mapping[str, pd.DataFrame], pre: str, post: str) -> Measure:
    """Standard deviation (µm) of the Gaussian fall-off of the connection probability."""
    table = tables["sigma"]
    row = "e" if pre in EXCITATORY else "i"
    column = "e" if post == "Pyr" else "i"
    value = _one(table[table["pre"] == row], table.attrs["file"], f"pre = {row}")[column]
    source = (
        "Gaussian fall-off fitted to all excitatory or inhibitory pairs, Campagnola et al. 2022 "
        f"(campagnola2022) in the Allen V1 model (sigma.csv): {row} → {column}"
    )
    status = "proxy" if pre == INPUT or "Lamp5" in (pre, post) else "pooled"
    return Measure(float(value), 0, status, source)


def find_spread(table: pd.DataFrame, pre: str, post: str) -> Measure:
    """Log-normal shape of the 90th-percentile amplitude: the resting one is at the noise level."""
    general = "all_pyr" if pre in EXCITATORY else "all_int"
    own = (_POTENTIALS.get(pre, general), _POTENTIALS.get(post, "all_int"))
    for name in (own, (general, own[1]), (general, "all_int")):
        rows = table[(table["pre"] == name[0]) & (table["post"] == name[1])]
        if len(rows) == 1 and np.isfinite(rows["logn_shape_90th"].iloc[0]):
            row = rows.iloc[0]
            exact = name == own and "Lamp5" not in (pre, post)
            source = (
                "log-normal shape of the 90th-percentile amplitude, Campagnola et al. 2022 "
                "(campagnola2022) in the Allen V1 model (psp_characterization): "
                f"{row['connection']}"
            )
            status = "measured" if exact else "proxy" if "Lamp5" in (pre, post) else "pooled"
            return Measure(float(row["logn_shape_90th"]), int(row["N_90th"]), status, source)
    raise ParameterError(f"{table.attrs['file']}: no amplitude distribution for {pre} → {post}")
