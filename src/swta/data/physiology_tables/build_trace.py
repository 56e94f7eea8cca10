"""Building the raw trace from a pickled array, without unpickling it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swta.data.checksums import hash_arrays
from swta.data.errors import UNREADABLE_ARRAYS
from swta.data.physiology_tables.reading import TableError
from swta.data.physiology_tables.writing import upstream_file

TRACE: Final = "specimen_518290966_sweep57_scnn1a_visp_l4"
MECHANISTIC: Final = (
    "mackelab/IdentifyMechanisticModels_2020",
    "b93c90ec6156ae5f8afee6aaac7317373e9caf5e",
)
PICKLE: Final = "6_allen/support_files/ephys_cell_518290966_sweep_number_57.pkl"
# Of v_mV and i_pA, one after the other; the archive's own bytes depend on the zlib that packed it.
TRACE_SHA256: Final = "ec9aa78c4e4b55d7b4a7e925503dda0c62d6779edfd148a44a8a7cfe16353d1a"


def build_trace(upstream: Path, target: Path) -> None:
    """Build ``traces/specimen_518290966_sweep57_scnn1a_visp_l4.npz``: mV, pA, ms.

    The file is a pickle in text form (protocol 0). A pickle can run any code when it is loaded, so
    only its string literals are read: two arrays of 4-byte floats, then three 8-byte numbers (time
    step, onset and end of the current step).
    """
    path = upstream_file(upstream, *MECHANISTIC, PICKLE)
    literals = [text for text in _read_literals(path) if len(text) >= 8]
    if [len(text) for text in literals[2:]] != [8, 8, 8] or len(literals[0]) != len(literals[1]):
        raise TableError(f"{path}: not two arrays and three numbers; fetch it again")
    voltage, current = (np.frombuffer(text, dtype="<f4") for text in literals[:2])
    dt, onset, end = (np.frombuffer(text, dtype="<f8")[0] for text in literals[2:])
    trace = target / f"traces/{TRACE}.npz"
    trace.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        trace,
        v_mV=voltage,
        i_pA=current * np.float32(1e6),  # µA upstream
        dt_ms=dt,
        t_on_ms=onset,
        t_off_ms=end,
        specimen_id=np.int64(518290966),
        sweep_number=np.int64(57),
    )


def _read_literals(path: Path) -> list[bytes]:
    """Return the string literals of a pickle of protocol 0: lines such as ``S'...'``."""
    found = []
    for line in path.read_bytes().split(b"\n"):
        # Opcodes without an argument may stand before the S on the same line.
        start = line.find(b"S'")
        if start in (0, 1) and line.endswith(b"'"):
            try:
                found.append(ast.literal_eval(f"b{line[start + 1 :].decode('ascii')}"))
            except (SyntaxError, ValueError) as error:
                raise TableError(f"{path}: not a pickle in text form ({error})") from error
    return found


def hash_trace(path: Path) -> str:
    """Return the SHA-256 of the voltage and current of a built trace.

    Raises:
        TableError: not a readable trace.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays: tuple[NDArray[np.generic], ...] = (stored["v_mV"], stored["i_pA"])
    except UNREADABLE_ARRAYS as error:
        raise TableError(f"{path}: not a readable trace ({error}); fetch it again") from error
    return hash_arrays(arrays)
