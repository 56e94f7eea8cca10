"""In vitro physiology of mouse visual cortex: five classes of cells and the synapses between them.

Tables are joins of measurements that their owners publish; voltages are as recorded, not
corrected for the liquid junction potential. `load_table` reads and checks them, and
`load_class_statistics` falls back on bundled medians and quartiles where no table is at hand.
`swta.data.physiology_tables` makes the tables from the upstream files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swta.data.errors import UNREADABLE_ARRAYS, DataUnavailable
from swta.data.locate import locate, use
from swta.data.physiology_tables import SCHEMAS, TRACE, TableError, read_table
from swta.validation import check_choice

DATA_SET: Final = "physiology"

# Key of the bibliography for each source of statistics.
CITATIONS: Final = {
    "allen_cell_types": "gouwens2019",  # Gouwens et al. 2019, Nat. Neurosci. 22:1182
    "gouwens2020_patchseq": "gouwens2020",  # Gouwens et al. 2020, Cell 183:935
    "berg2021_patchseq": "berg2021",  # Berg et al. 2021, Nature 598:151
    "chartrand2023_patchseq": "chartrand2023",  # Chartrand et al. 2023, Science 382:eadf0805
    "teeter2018_glif": "teeter2018",  # Teeter et al. 2018, Nat. Commun. 9:709
}
_COLUMNS: Final = ("source", "selection", "class", "feature", "n", "median", "q25", "q75")


def load_table(
    name: str,
    *,
    impossible: Literal["raise", "exclude"] = "raise",
    folder: Path | None = None,
) -> pd.DataFrame:
    """Load one physiology table; units are in its column names or in the source's documentation.

    Args:
        name: path inside the data set, no extension, such as ``"cells/allen_cell_types_mouse"``.
        impossible: what to do with a physically impossible value (a resistance below zero, a time
            constant of zero): ``"raise"``, or ``"exclude"`` the row and list it with the reason in
            ``.attrs["excluded"]`` (a list of dictionaries: file, line, column, value, reason).
            The published Patch-seq tables hold a few negative input resistances.
        folder: where the tables are; by default the data set ``physiology`` is located.

    Returns:
        One row a line. Blanks are missing values; True/False columns are nullable booleans.
        ``.attrs["file"]`` is the file that was read.

    Raises:
        ParameterError: an unknown table, or an unknown ``impossible``.
        swta.data.DataUnavailable: the tables are nowhere to be found.
        TableError: a missing column, text where a number must be, a short line, an empty file, or
            an impossible value.
        swta.data.DataCorrupt: a located file that can be read but is not the published one.
    """
    check_choice("name", name, SCHEMAS)
    check_choice("impossible", impossible, ("raise", "exclude"))
    path = f"{name}.csv"
    table = read_table(_find(folder, path), SCHEMAS[name], impossible=impossible)
    if folder is None:
        _record(path)
    return table


@dataclass(frozen=True)
class Trace:
    """One recorded current-step sweep of one cell."""

    v_mV: NDArray[np.float64]  # membrane potential, one sample every dt_ms
    i_pA: NDArray[np.float64]  # injected current at the same times
    dt_ms: float
    t_on_ms: float  # the step's onset
    t_off_ms: float  # its end
    specimen_id: int  # Allen Cell Types Database
    sweep_number: int


def load_trace(name: str = TRACE, *, folder: Path | None = None) -> Trace:
    """Load a raw voltage trace (mV) with its injected current (pA) and sampling interval (ms).

    Raises:
        swta.data.DataUnavailable: the tables are nowhere to be found.
        TableError: no such trace, or a file that is not one.
    """
    relative = f"traces/{name}.npz"
    path = _find(folder, relative)
    try:
        # NumPy leaves a file open that it cannot read; so it gets one that is closed here.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            trace = Trace(
                v_mV=stored["v_mV"].astype(np.float64),
                i_pA=stored["i_pA"].astype(np.float64),
                dt_ms=float(stored["dt_ms"].item()),
                t_on_ms=float(stored["t_on_ms"].item()),
                t_off_ms=float(stored["t_off_ms"].item()),
                specimen_id=int(stored["specimen_id"].item()),
                sweep_number=int(stored["sweep_number"].item()),
            )
    except FileNotFoundError:
        raise TableError(f"{path}: there is no such trace") from None
    except UNREADABLE_ARRAYS as error:
        raise TableError(f"{path}: not a readable trace ({error}); fetch it again") from error
    if trace.v_mV.ndim != 1 or trace.v_mV.shape != trace.i_pA.shape or not trace.v_mV.size:
        raise TableError(
            f"{path}: v_mV {trace.v_mV.shape} and i_pA {trace.i_pA.shape} must be two rows of the "
            "same length"
        )
    if not (np.isfinite(trace.v_mV).all() and np.isfinite(trace.i_pA).all()):
        raise TableError(f"{path}: v_mV or i_pA has values that are not finite")
    if not trace.dt_ms > 0 or not trace.t_on_ms < trace.t_off_ms:
        raise TableError(
            f"{path}: dt_ms {trace.dt_ms:g} must be above 0 and the step {trace.t_on_ms:g} to "
            f"{trace.t_off_ms:g} ms must have a length"
        )
    if folder is None:
        _record(relative)
    return trace


def load_class_statistics(*, folder: Path | None = None) -> pd.DataFrame:
    """Load n, median and quartiles of each feature (unit in its name) per source and class.

    The table ``class_summary`` is read where the physiology tables are found, else the statistics
    bundled with the package (the five classes only). ``.attrs["source"]`` says which:
    ``"class_summary"`` or ``"bundled"``.

    Args:
        folder: where the tables are; by default the data set ``physiology`` is located.

    Returns:
        Columns source, selection, class, feature, n, median, q25, q75 and citation (a key of the
        bibliography).

    Raises:
        TableError: a class_summary that is there but cannot be used.
    """
    try:
        table = load_table("class_summary", folder=folder)
    except DataUnavailable:
        table = load_bundled_class_statistics()
    else:
        unknown = sorted(set(table["source"]) - set(CITATIONS))
        if unknown:
            raise TableError(
                f"{table.attrs['file']}, column 'source': {', '.join(unknown)} unknown; allowed: "
                f"{', '.join(CITATIONS)}"
            )
        table = table[list(_COLUMNS)].assign(citation=table["source"].map(CITATIONS))
        table.attrs["source"] = "class_summary"
    return table


def load_bundled_class_statistics() -> pd.DataFrame:
    """Load the bundled statistics: n, median and quartiles per class, with their citations."""
    (path,) = use(locate("class_statistics"), "bundled_tables/class_statistics.csv")
    table = read_table(path, SCHEMAS["class_summary"])
    table.attrs["source"] = "bundled"
    return table


def _find(folder: Path | None, path: str) -> Path:
    return Path(folder or locate(DATA_SET).folder) / path


def _record(path: str) -> None:
    """Compare a located file with its checksum and note that it was used."""
    use(locate(DATA_SET), path)
