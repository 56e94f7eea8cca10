"""IBM's input-spike lists, read and written: one spike a line, after two lines of header.

A spike with source time t and the default delay of 1 is active on its axon in tick t + 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from swta.truenorth.ibmtext import as_fields, parse, read_text, write_text
from swta.truenorth.neuron import MAX_CORES, MAX_DELAY, N_AXONS
from swta.validation import ParameterError, check_integer

_SPIKE_HEADER: Final = (
    '{"class":"SpikeWriter","encoding":"TEXT","nscsVersion":"1.4.0"}\n'
    '{"version":"sfto1.0","defaultDestinationDelay":1}\n'
)


def save_spikes(path: str | Path, inputs: ArrayLike) -> None:
    """Write input rows (tick in which the axon is active, core, axon) as a spike list.

    Raises:
        ParameterError: a row in tick 0, which the format cannot hold, or out of range.
    """
    rows = np.asarray(inputs, dtype=np.int64).reshape(-1, 3)
    lines = []
    for k, (tick, core, axon) in enumerate(rows):
        check_integer(
            f"inputs row {k}: tick",
            tick,
            low=1,
            hint="A spike is active one tick after its source time; start the input a tick later",
        )
        check_integer(f"inputs row {k}: core", core, low=0, high=MAX_CORES - 1)
        check_integer(f"inputs row {k}: axon", axon, low=0, high=N_AXONS - 1)
        spike = f'"srcTime":{tick - 1},"destCore":{core},"destAxon":{axon}'
        lines.append('{"spike":{' + spike + "}}\n")
    write_text(path, _SPIKE_HEADER + "".join(lines))


def load_spikes(path: str | Path) -> np.ndarray:
    """Read a spike list: rows (tick in which the axon is active, core, axon), (n, 3) int64.

    Raises:
        ParameterError: a damaged line; the message names its number.
    """
    rows, delay = [], 1
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        entry = as_fields(parse(line, str(path), first_line=number), where)
        if entry.pairs and entry.pairs[0][0] == "spike" and len(entry.pairs) == 1:
            spike = as_fields(entry.pairs[0][1], where).check(
                where, required=("srcTime", "destCore", "destAxon")
            )
            time = check_integer(f"{where}: srcTime", spike["srcTime"], low=0, high=2**31 - 1)
            core = check_integer(f"{where}: destCore", spike["destCore"], low=0, high=MAX_CORES - 1)
            axon = check_integer(f"{where}: destAxon", spike["destAxon"], low=0, high=N_AXONS - 1)
            rows.append((time + delay, core, axon))
            continue
        known = entry.check(
            where,
            required=(),
            optional=("class", "encoding", "nscsVersion", "version", "defaultDestinationDelay"),
        )
        if rows:
            raise ParameterError(f"{where}: a header after the first spike; it belongs before")
        if known.get("encoding", "TEXT") != "TEXT":
            raise ParameterError(f"{where}: encoding = {known['encoding']!r}; allowed: 'TEXT'")
        delay = check_integer(
            f"{where}: defaultDestinationDelay",
            known.get("defaultDestinationDelay", delay),
            low=1,
            high=MAX_DELAY,
        )
    return np.array(rows, dtype=np.int64).reshape(-1, 3)
