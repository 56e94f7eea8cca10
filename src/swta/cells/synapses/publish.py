"""The published table of synapses: `load_synapses`, and how it is written."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any, Final

from swta.cells.classes import CLASSES
from swta.cells.library import load_class
from swta.cells.statistics import BY_CLASS, CHOICES
from swta.cells.synapses.fit import fit_synapses
from swta.cells.synapses.table import (
    PAIRS,
    QUANTITIES,
    QUANTITY_UNITS,
    SLOW_QUANTITIES,
    Measure,
    SlowConductance,
    Synapse,
)
from swta.validation import ParameterError, check_choice

_PUBLISHED: Final = "synapses.json"
FORMAT: Final = 2
ENTRIES: Final = ("value", "n", "status", "source", "low", "high")


def load_synapses(
    data_set: str = BY_CLASS, *, gaba_b: bool = False, path: Path | None = None
) -> dict[tuple[str, str], Synapse]:
    """The published synapses of all pairs of classes, (pre, post) to `Synapse`.

    Args:
        data_set: which recordings define the postsynaptic cells, as in `load_class`:
            ``by_class``, ``cell_types`` or ``patchseq``. Conductances differ, for the cells do.
        gaba_b: add the slow GABA-B conductance to the synapses of LAMP5 cells.
        path: a file written by `publish_synapses`; by default the one shipped with the package.

    Raises:
        ParameterError: an unknown data set, or a file that is not such a table.
    """
    check_choice("data_set", data_set, CHOICES)
    if path is None:
        text = (resources.files("swta.cells.synapses") / _PUBLISHED).read_text(encoding="utf8")
    else:
        try:
            text = path.read_text(encoding="utf8")
        except OSError as error:
            raise ParameterError(f"{path} cannot be read ({error.strerror})") from error
    tables = read_synapses(text)
    check_choice("data_set", data_set, tables)
    synapses = tables[data_set]
    if gaba_b:
        return synapses
    return {pair: replace(one, slow=None) for pair, one in synapses.items()}


def publish_synapses(path: Path, *, folder: Path | None = None) -> None:
    """Fit the synapses anew, for the class models of each data set, and write them to path.

    ``python -c "from pathlib import Path; from swta.cells.synapses import publish_synapses;
    publish_synapses(Path('src/swta/cells/synapses/synapses.json'))"`` rewrites the shipped table;
    run it whenever the class models change. The file is replaced in one move.

    Raises:
        swta.data.DataUnavailable: the tables of synapses are nowhere to be found.
    """
    fits = {
        data_set: fit_synapses(
            {name: load_class(name, data_set) for name in CLASSES}, folder=folder
        )
        for data_set in CHOICES
    }
    text = write_synapses({data_set: fit.synapses for data_set, fit in fits.items()})
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf8")
    partial.replace(path)


def measure_synapse_drift(
    synapses: Mapping[tuple[str, str], Synapse], published: Mapping[tuple[str, str], Synapse]
) -> float:
    """Largest relative difference of any value between two tables, dimensionless.

    Raises:
        ParameterError: tables of different pairs.
    """
    if set(synapses) != set(published):
        raise ParameterError("the two tables hold different pairs; compare tables of all pairs")
    largest = 0.0
    for pair, one in synapses.items():
        for name in QUANTITIES:
            a, b = getattr(one, name).value, getattr(published[pair], name).value
            if a != b:
                largest = max(largest, abs(a - b) / max(abs(a), abs(b)))
    return largest


def write_synapses(tables: Mapping[str, Mapping[tuple[str, str], Synapse]]) -> str:
    """Synapses by data set and pair as JSON that `read_synapses` understands."""
    sources: dict[str, int] = {}

    def entry(one: Measure) -> list[Any]:
        place = sources.setdefault(one.source, len(sources))
        return [_round(one.value), one.n, one.status, place, _round(one.low), _round(one.high)]

    def dump(content: Any) -> str:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"))

    # One pair and one source a line: a change shows as a few lines.
    blocks = []
    for data_set, synapses in tables.items():
        rows = []
        for (pre, post), one in synapses.items():
            row: dict[str, Any] = {"pre": pre, "post": post, "exponential": one.exponential}
            row |= {name: entry(getattr(one, name)) for name in QUANTITIES}
            if one.slow is not None:
                row["slow"] = {name: entry(getattr(one.slow, name)) for name in SLOW_QUANTITIES}
            rows.append(dump(row))
        blocks.append(f"{dump(data_set)}:[\n" + ",\n".join(rows) + "\n]")
    head = {"format": FORMAT, "entries": ENTRIES, "units": QUANTITY_UNITS}
    return (
        dump(head)[:-1]
        + ',\n"data_sets":{'
        + ",\n".join(blocks)
        + '},\n"sources":[\n'
        + ",\n".join(dump(source) for source in sources)
        + "\n]}\n"
    )


def read_synapses(text: str) -> dict[str, dict[tuple[str, str], Synapse]]:
    """Synapses, by data set and pair, from JSON written by `write_synapses`.

    Raises:
        ParameterError: no such JSON, a missing pair or value, or values that no synapse can have.
    """
    where = "the table of synapses"
    try:
        content = json.loads(text)
        sources = content["sources"]
        tables: dict[str, dict[tuple[str, str], Synapse]] = {}
        for data_set, rows in content["data_sets"].items():
            tables[data_set] = {}
            for row in rows:
                where = f"{data_set}, {row['pre']} → {row['post']}"
                tables[data_set][row["pre"], row["post"]] = _read_synapse(row, sources)
            missing = [pair for pair in PAIRS if pair not in tables[data_set]]
            if missing:
                raise ParameterError(f"{data_set}: {missing[0]} is missing")
        return tables
    except (KeyError, TypeError, IndexError, AttributeError, json.JSONDecodeError) as error:
        raise ParameterError(
            f"not a published table of synapses, at {where} ({error}); write it with "
            "publish_synapses"
        ) from error


def _read_synapse(row: Mapping[str, Any], sources: list[str]) -> Synapse:
    def measure(entry: list[Any]) -> Measure:
        value, n, status, place, low, high = entry
        return Measure(
            float(value),
            n,
            status,
            sources[place],
            math.nan if low is None else float(low),
            math.nan if high is None else float(high),
        )

    slow = row.get("slow")
    return Synapse(
        pre=row["pre"],
        post=row["post"],
        **{name: measure(row[name]) for name in QUANTITIES},
        exponential=row["exponential"],
        slow=None
        if slow is None
        else SlowConductance(**{name: measure(slow[name]) for name in SLOW_QUANTITIES}),
    )


def _round(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
