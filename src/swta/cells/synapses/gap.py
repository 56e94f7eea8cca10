"""Electrical synapses between interneurons of one class."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from swta.cells.synapses.measured import MIN_RECORDINGS
from swta.cells.synapses.table import Measure
from swta.data.physiology import load_table
from swta.validation import ParameterError

_GROUPS: Final = {"pv": "Pvalb", "sst": "Sst", "vip": "Vip"}
_TABLE: Final = "synapses/synphys_electrical_synapses"
_SOURCE: Final = (
    "Campagnola et al. 2022 (campagnola2022), synphys_electrical_synapses: median over coupled "
    "pairs, all layers"
)


@dataclass(frozen=True)
class GapJunctions:
    """Electrical coupling of two classes, among pairs that are coupled."""

    pre: str
    post: str
    conductance_nS: Measure  # nS, junctional
    coupling: Measure  # steady-state ratio of the two cells' deflections


@dataclass(frozen=True)
class GapJunctionTable:
    """Electrical synapses with enough recordings, and the pairs left out with the reason."""

    junctions: dict[tuple[str, str], GapJunctions]
    excluded: tuple[str, ...]


def load_gap_junctions(folder: Path | None = None) -> GapJunctionTable:
    """Junctional conductance (nS) and coupling coefficient of PV, SST and VIP cells.

    Args:
        folder: where the physiology tables are; by default the data set is located.

    Raises:
        swta.data.DataUnavailable: the tables are nowhere to be found.
        ParameterError: a pair with a conductance but no coupling coefficient.
    """
    table = load_table(_TABLE, folder=folder)
    junctions, excluded = {}, []
    for row in table[table["metric"] == "junctional_conductance"].to_dict("records"):
        if row["pre"] not in _GROUPS or row["post"] not in _GROUPS:
            raise ParameterError(
                f"{table.attrs['file']}: {row['pre']} → {row['post']} are not among "
                f"{', '.join(_GROUPS)}"
            )
        pair = _GROUPS[row["pre"]], _GROUPS[row["post"]]
        if row["n"] < MIN_RECORDINGS:
            excluded.append(
                f"{pair[0]} - {pair[1]}: {int(row['n'])} recordings; needed: {MIN_RECORDINGS}"
            )
            continue
        same = (table["pre"] == row["pre"]) & (table["post"] == row["post"])
        other = table[same & (table["metric"] == "coupling_coefficient")]
        if len(other) != 1:
            raise ParameterError(
                f"{table.attrs['file']}: {len(other)} rows of coupling_coefficient for "
                f"{row['pre']} → {row['post']}; expected one"
            )
        coupling = other.iloc[0].to_dict()
        junctions[pair] = GapJunctions(*pair, _measure(row), _measure(coupling))
    return GapJunctionTable(junctions, tuple(excluded))


def _measure(row: Mapping[Hashable, Any]) -> Measure:
    return Measure(
        float(row["median"]),
        int(row["n"]),
        "measured",
        _SOURCE,
        float(row["q25"]),
        float(row["q75"]),
    )
