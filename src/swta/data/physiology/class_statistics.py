"""Median and quartiles of each feature per class: from the tables, or as bundled."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd

from swta.data.errors import DataUnavailable
from swta.data.physiology.schemas import SCHEMAS
from swta.data.physiology.tables import TableError, load_table, read_table

# Key of the bibliography for each source of statistics.
CITATIONS: Final = {
    "allen_cell_types": "gouwens2019",  # Gouwens et al. 2019, Nat. Neurosci. 22:1182
    "gouwens2020_patchseq": "gouwens2020",  # Gouwens et al. 2020, Cell 183:935
    "berg2021_patchseq": "berg2021",  # Berg et al. 2021, Nature 598:151
    "chartrand2023_patchseq": "chartrand2023",  # Chartrand et al. 2023, Science 382:eadf0805
    "teeter2018_glif": "teeter2018",  # Teeter et al. 2018, Nat. Commun. 9:709
}
_COLUMNS: Final = ("source", "selection", "class", "feature", "n", "median", "q25", "q75")


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
    from swta.data.locate import locate, use  # the catalogue of data sets imports this package

    (path,) = use(locate("class_statistics"), "bundled_tables/class_statistics.csv")
    table = read_table(path, SCHEMAS["class_summary"])
    table.attrs["source"] = "bundled"
    return table
