"""Point neurons of five cell classes of mouse V1, constrained by in vitro recordings (chapter 1).

`measure_classes` gives what was measured, `derive_adex` and `fit_adaptation` the parameters of an
adaptive exponential integrate-and-fire (AdEx) neuron, `simulate_steps` and `measure_cells` what it
does under current steps, and `load_class` the published result that later chapters use. All
voltages are as recorded, not corrected for the liquid junction potential.
"""

from swta.cells.adex import (
    UNITS,
    AdExParameters,
    lif_rate,
    passive_response,
    rheobase,
    spike_threshold,
)
from swta.cells.classes import CLASSES, COLOURS, INTERNEURONS, LABELS
from swta.cells.compare import (
    compare_features,
    compare_fi,
    describe_fi_distance,
    list_outside,
    measure_fi_distance,
)
from swta.cells.derive import ORIGINS, derive_adex
from swta.cells.features import (
    adaptation_index,
    fi_slope,
    firing_rate,
    first_spike_latency,
    input_resistance,
    isi_cv,
    isi_rate,
    membrane_time_constant,
    step_rheobase,
    threshold_voltage,
)
from swta.cells.fit import AdaptationFit, fit_adaptation
from swta.cells.library import (
    CellClass,
    format_parameters,
    load_class,
    make_class,
    measure_drift,
    read_classes,
    write_classes,
)
from swta.cells.plots import (
    plot_class_features,
    plot_comparison,
    plot_feature,
    plot_fi,
    plot_fi_classes,
    plot_traces,
)
from swta.cells.protocol import ProtocolResult, StepProtocol, measure_cells
from swta.cells.recordings import (
    Recordings,
    load_cells,
    load_fi_curves,
    load_recordings,
    summarise_cells,
)
from swta.cells.simulate import StepResult, simulate_steps
from swta.cells.statistics import (
    DATA_SETS,
    FEATURES,
    ClassStatistics,
    FeatureStatistics,
    format_statistics,
    measure_classes,
    tabulate,
)

__all__ = [
    "CLASSES",
    "COLOURS",
    "DATA_SETS",
    "FEATURES",
    "INTERNEURONS",
    "LABELS",
    "ORIGINS",
    "UNITS",
    "AdExParameters",
    "AdaptationFit",
    "CellClass",
    "ClassStatistics",
    "FeatureStatistics",
    "ProtocolResult",
    "Recordings",
    "StepProtocol",
    "StepResult",
    "adaptation_index",
    "compare_features",
    "compare_fi",
    "derive_adex",
    "describe_fi_distance",
    "fi_slope",
    "firing_rate",
    "first_spike_latency",
    "fit_adaptation",
    "format_parameters",
    "format_statistics",
    "input_resistance",
    "isi_cv",
    "isi_rate",
    "lif_rate",
    "list_outside",
    "load_cells",
    "load_class",
    "load_fi_curves",
    "load_recordings",
    "make_class",
    "measure_cells",
    "measure_classes",
    "measure_drift",
    "measure_fi_distance",
    "membrane_time_constant",
    "passive_response",
    "plot_class_features",
    "plot_comparison",
    "plot_feature",
    "plot_fi",
    "plot_fi_classes",
    "plot_traces",
    "read_classes",
    "rheobase",
    "simulate_steps",
    "spike_threshold",
    "step_rheobase",
    "summarise_cells",
    "tabulate",
    "threshold_voltage",
    "write_classes",
]
