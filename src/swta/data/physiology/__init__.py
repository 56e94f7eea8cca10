"""In vitro physiology of mouse visual cortex: five classes of cells and the synapses between them.

Tables are joins of measurements that their owners publish; voltages are as recorded, not
corrected for the liquid junction potential. `load_table` reads and checks them, `build_tables`
makes them from the upstream files listed in `UPSTREAM`, and `load_class_statistics` falls back on
bundled medians and quartiles where no table is at hand.
"""

from swta.data.physiology.build import PHYSIOLOGY, TABLES, build_tables, check_trace
from swta.data.physiology.class_statistics import (
    load_bundled_class_statistics,
    load_class_statistics,
)
from swta.data.physiology.schemas import SCHEMAS
from swta.data.physiology.sources import UPSTREAM
from swta.data.physiology.tables import TableError, Trace, load_table, load_trace

__all__ = [
    "PHYSIOLOGY",
    "SCHEMAS",
    "TABLES",
    "UPSTREAM",
    "TableError",
    "Trace",
    "build_tables",
    "check_trace",
    "load_bundled_class_statistics",
    "load_class_statistics",
    "load_table",
    "load_trace",
]
