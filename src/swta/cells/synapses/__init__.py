"""Synapses between the five classes of cells, and from the input, fitted to paired recordings."""

from swta.cells.synapses.evaluate import (
    Potentials,
    SynapseScores,
    compare_plasticity,
    compare_potentials,
    score_synapses,
    simulate_potentials,
    tabulate_trains,
)
from swta.cells.synapses.fit import SynapseFit, fit_synapses
from swta.cells.synapses.gap import GapJunctions, GapJunctionTable, load_gap_junctions
from swta.cells.synapses.matrices import plot_synapse_matrices, plot_synapse_matrix
from swta.cells.synapses.membrane_report import (
    describe_central_amplitudes,
    describe_central_membranes,
    describe_membranes,
    plot_membranes,
)
from swta.cells.synapses.neurogliaform import LAMP5_VALUES, Lamp5Variation, vary_lamp5
from swta.cells.synapses.plots import (
    plot_fitted,
    plot_fitted_potentials,
    plot_induction,
    plot_potential,
    plot_potentials,
    plot_train,
    plot_trains,
)
from swta.cells.synapses.publish import load_synapses, measure_synapse_drift, publish_synapses
from swta.cells.synapses.table import (
    INPUT,
    PAIRS,
    STATUSES,
    Measure,
    SlowConductance,
    Synapse,
    tabulate_synapses,
)
from swta.cells.synapses.time_constants import TimeConstants, measure_time_constants

__all__ = [
    "INPUT",
    "LAMP5_VALUES",
    "PAIRS",
    "STATUSES",
    "GapJunctionTable",
    "GapJunctions",
    "Lamp5Variation",
    "Measure",
    "Potentials",
    "SlowConductance",
    "Synapse",
    "SynapseFit",
    "SynapseScores",
    "TimeConstants",
    "compare_plasticity",
    "compare_potentials",
    "describe_central_amplitudes",
    "describe_central_membranes",
    "describe_membranes",
    "fit_synapses",
    "load_gap_junctions",
    "load_synapses",
    "measure_synapse_drift",
    "measure_time_constants",
    "plot_fitted",
    "plot_fitted_potentials",
    "plot_induction",
    "plot_membranes",
    "plot_potential",
    "plot_potentials",
    "plot_synapse_matrices",
    "plot_synapse_matrix",
    "plot_train",
    "plot_trains",
    "publish_synapses",
    "score_synapses",
    "simulate_potentials",
    "tabulate_synapses",
    "tabulate_trains",
    "vary_lamp5",
]
