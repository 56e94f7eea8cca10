"""Chapter 3: a tick-exact TrueNorth, and the soft winner-take-all motif mapped onto it.

``Neurons``, ``Core`` and ``Chip`` are the emulator, ``simulate_gallery`` shows what its neurons can
do, and model files of IBM are read and written. ``Network`` and ``place`` put populations on cores;
``MotifRequest`` and ``map_motif`` do so with the motif of chapter 2. The ``simulate_`` functions
run one chip for all conditions.
"""

from swta.truenorth.behaviours import (
    BEHAVIOURS,
    Behaviour,
)
from swta.truenorth.calibration import (
    CalibrationResult,
    MeasuredNumbers,
    calibrate,
    fit_driven_motif,
    fit_motif,
)
from swta.truenorth.chip import (
    Chip,
    Core,
    OpenPoints,
)
from swta.truenorth.energy import (
    EnergyResult,
    Estimate,
    Processor,
    fit_power_model,
    measure_energy,
)
from swta.truenorth.experiments import (
    LesionResult,
    MotifResult,
    SoftnessResult,
    SpeedResult,
    UnitResult,
    measure_speed,
    simulate_lesions,
    simulate_motifs,
    simulate_softness,
    simulate_threshold_linear,
    simulate_transfer,
)
from swta.truenorth.gallery import (
    BehaviourResult,
    TraceResult,
    behaviour_chip,
    gallery_table,
    simulate_behaviour,
    simulate_gallery,
    simulate_trace,
)
from swta.truenorth.ibm import (
    ModelFile,
    load_model,
    save_model,
)
from swta.truenorth.ibmspikes import (
    load_spikes,
    save_spikes,
)
from swta.truenorth.mapping import (
    PRIMITIVES,
    MappedMotif,
    MotifRequest,
    fit_thresholds,
    map_motif,
    predict_rates,
    without,
)
from swta.truenorth.measures import (
    Agreement,
    lesion_effects,
    measure_agreement,
    measure_loser_fraction,
    measure_role_correspondence,
    measure_transfer,
    measure_unit_error,
)
from swta.truenorth.network import (
    Network,
    Population,
    Projection,
    Source,
)
from swta.truenorth.neuron import Neurons
from swta.truenorth.nirfile import (
    ReaderResult,
    load_nir,
    measure_rate_error,
    save_nir,
    simulate_nir,
    simulate_snntorch,
)
from swta.truenorth.nirgraph import (
    GraphDescription,
    describe_graph,
    simulate_graph,
)
from swta.truenorth.placement import (
    Placement,
    build_chip,
    place,
)
from swta.truenorth.quantisation import (
    QuantisationResult,
    RateErrorResult,
    draw_motifs,
    measure_quantisation,
    quantise,
    simulate_quantisation,
)
from swta.truenorth.raster import Raster

__all__ = [
    "BEHAVIOURS",
    "PRIMITIVES",
    "Agreement",
    "Behaviour",
    "BehaviourResult",
    "CalibrationResult",
    "Chip",
    "Core",
    "EnergyResult",
    "Estimate",
    "GraphDescription",
    "LesionResult",
    "MappedMotif",
    "MeasuredNumbers",
    "ModelFile",
    "MotifRequest",
    "MotifResult",
    "Network",
    "Neurons",
    "OpenPoints",
    "Placement",
    "Population",
    "Processor",
    "Projection",
    "QuantisationResult",
    "Raster",
    "RateErrorResult",
    "ReaderResult",
    "SoftnessResult",
    "Source",
    "SpeedResult",
    "TraceResult",
    "UnitResult",
    "behaviour_chip",
    "build_chip",
    "calibrate",
    "describe_graph",
    "draw_motifs",
    "fit_driven_motif",
    "fit_motif",
    "fit_power_model",
    "fit_thresholds",
    "gallery_table",
    "lesion_effects",
    "load_model",
    "load_nir",
    "load_spikes",
    "map_motif",
    "measure_agreement",
    "measure_energy",
    "measure_loser_fraction",
    "measure_quantisation",
    "measure_rate_error",
    "measure_role_correspondence",
    "measure_speed",
    "measure_transfer",
    "measure_unit_error",
    "place",
    "predict_rates",
    "quantise",
    "save_model",
    "save_nir",
    "save_spikes",
    "simulate_behaviour",
    "simulate_gallery",
    "simulate_graph",
    "simulate_lesions",
    "simulate_motifs",
    "simulate_nir",
    "simulate_quantisation",
    "simulate_snntorch",
    "simulate_softness",
    "simulate_threshold_linear",
    "simulate_trace",
    "simulate_transfer",
    "without",
]
