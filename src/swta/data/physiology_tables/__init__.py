"""The physiology tables themselves: their schemas, how they are read, and how they are built.

`build_tables` makes every table from the upstream files listed in `UPSTREAM`; `PHYSIOLOGY` is the
data set that they form.
"""

from swta.data.physiology_tables.build import PHYSIOLOGY, TABLES, build_tables, check_trace
from swta.data.physiology_tables.build_trace import TRACE
from swta.data.physiology_tables.reading import TableError, read_table
from swta.data.physiology_tables.schemas import SCHEMAS
from swta.data.physiology_tables.sources import UPSTREAM

__all__ = [
    "PHYSIOLOGY",
    "SCHEMAS",
    "TABLES",
    "TRACE",
    "UPSTREAM",
    "TableError",
    "build_tables",
    "check_trace",
    "read_table",
]
