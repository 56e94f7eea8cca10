"""Point neurons and synapses of five cell classes of mouse V1, from in vitro data (chapter 1).

`fit_cells` gives every recorded cell an adaptive exponential integrate-and-fire (AdEx) neuron and
`measure_heldout` tests it on currents that it was not fitted to. `fit_classes` gives each class a
distribution of such neurons; `load_class` and `sample_cells` are the published result that later
chapters use. Synapses are in `swta.cells.synapses`. All voltages are as recorded, not corrected
for the liquid junction potential.
"""

from swta.cells.adex import (
    UNITS,
    AdExParameters,
    lif_rate,
    passive_response,
    rheobase,
    spike_threshold,
)
from swta.cells.cell_fit import (
    CellFit,
    CellFits,
    fit_cells,
)
from swta.cells.class_cells import (
    CLASS_FEATURES,
    ClassCells,
    load_class_cells,
    summarise_class_cells,
)
from swta.cells.class_compare import (
    DistributionCheck,
    VirtualClasses,
    compare_data_sets,
    compare_distributions,
    measure_classes_virtually,
)
from swta.cells.class_fit import (
    compare_freedoms,
)
from swta.cells.class_models import (
    ClassModels,
    fit_classes,
    publish_classes,
)
from swta.cells.class_plots import (
    plot_check,
    plot_correlations,
    plot_distributions,
    plot_parameters,
)
from swta.cells.classes import (
    CLASSES,
    COLOURS,
    INTERNEURONS,
    LABELS,
)
from swta.cells.compare import (
    compare_fi,
    describe_fi_distance,
    measure_fi_distance,
)
from swta.cells.describe import (
    NO_TABLE,
    NOT_KNOWN,
    count_reasons,
    describe_class_drift,
    describe_fit_drift,
    describe_heldout,
    describe_misses,
    describe_peers,
    describe_repeats,
    describe_trace,
    score_heldout,
)
from swta.cells.distribution import (
    CellSample,
    ClassDistribution,
)
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
from swta.cells.fit_library import (
    load_cell_fits,
    measure_fit_drift,
    read_cell_fits,
    write_cell_fits,
)
from swta.cells.fit_plots import (
    plot_cell_fi,
    plot_fi_fits,
    plot_heldout,
    plot_trace_features,
)
from swta.cells.heldout import (
    HeldOut,
    measure_heldout,
    measure_repeatability,
)
from swta.cells.library import (
    CellClass,
    format_parameters,
    load_class,
    measure_drift,
    read_classes,
    sample_cells,
    tabulate_parameters,
    write_classes,
)
from swta.cells.plots import (
    plot_class_features,
    plot_feature,
    plot_fi,
    plot_fi_classes,
    plot_missing,
    plot_traces,
)
from swta.cells.protocol import (
    StepProtocol,
)
from swta.cells.recordings import (
    Recordings,
    load_fi_curves,
    load_recordings,
)
from swta.cells.simulate import (
    StepResult,
    simulate_steps,
)
from swta.cells.statistics import (
    CHOICES,
    DATA_SETS,
    DEFAULTS,
    FEATURES,
    ClassStatistics,
    FeatureStatistics,
    format_statistics,
    measure_classes,
    tabulate,
)
from swta.cells.sweeps import (
    SweepTable,
    load_sweep_table,
)
from swta.cells.trace_features import (
    TraceFeatures,
    measure_trace,
)
from swta.cells.virtual import (
    VirtualCells,
    measure_virtual,
)

__all__ = [
    "CHOICES",
    "CLASSES",
    "CLASS_FEATURES",
    "COLOURS",
    "DATA_SETS",
    "DEFAULTS",
    "FEATURES",
    "INTERNEURONS",
    "LABELS",
    "NOT_KNOWN",
    "NO_TABLE",
    "UNITS",
    "AdExParameters",
    "CellClass",
    "CellFit",
    "CellFits",
    "CellSample",
    "ClassCells",
    "ClassDistribution",
    "ClassModels",
    "ClassStatistics",
    "DistributionCheck",
    "FeatureStatistics",
    "HeldOut",
    "Recordings",
    "StepProtocol",
    "StepResult",
    "SweepTable",
    "TraceFeatures",
    "VirtualCells",
    "VirtualClasses",
    "adaptation_index",
    "compare_data_sets",
    "compare_distributions",
    "compare_fi",
    "compare_freedoms",
    "count_reasons",
    "describe_class_drift",
    "describe_fi_distance",
    "describe_fit_drift",
    "describe_heldout",
    "describe_misses",
    "describe_peers",
    "describe_repeats",
    "describe_trace",
    "fi_slope",
    "firing_rate",
    "first_spike_latency",
    "fit_cells",
    "fit_classes",
    "format_parameters",
    "format_statistics",
    "input_resistance",
    "isi_cv",
    "isi_rate",
    "lif_rate",
    "load_cell_fits",
    "load_class",
    "load_class_cells",
    "load_fi_curves",
    "load_recordings",
    "load_sweep_table",
    "measure_classes",
    "measure_classes_virtually",
    "measure_drift",
    "measure_fi_distance",
    "measure_fit_drift",
    "measure_heldout",
    "measure_repeatability",
    "measure_trace",
    "measure_virtual",
    "membrane_time_constant",
    "passive_response",
    "plot_cell_fi",
    "plot_check",
    "plot_class_features",
    "plot_correlations",
    "plot_distributions",
    "plot_feature",
    "plot_fi",
    "plot_fi_classes",
    "plot_fi_fits",
    "plot_heldout",
    "plot_missing",
    "plot_parameters",
    "plot_trace_features",
    "plot_traces",
    "publish_classes",
    "read_cell_fits",
    "read_classes",
    "rheobase",
    "sample_cells",
    "score_heldout",
    "simulate_steps",
    "spike_threshold",
    "step_rheobase",
    "summarise_class_cells",
    "tabulate",
    "tabulate_parameters",
    "threshold_voltage",
    "write_cell_fits",
    "write_classes",
]
