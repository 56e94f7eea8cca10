"""Chapter 3: a tick-exact TrueNorth, and the soft winner-take-all motif mapped onto it.

``Neurons``, ``Core`` and ``Chip`` are the emulator; ``MotifRequest`` and ``map_motif`` put the
motif of chapter 2 on a core; the ``simulate_`` functions run one chip for all conditions.
"""

from swta.truenorth.chip import Chip, Core, OpenPoints
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
    TraceResult,
    bursting_chip,
    phasic_spiking_chip,
    simulate_trace,
)
from swta.truenorth.mapping import (
    PRIMITIVES,
    MotifOnCore,
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
from swta.truenorth.neuron import Neurons
from swta.truenorth.raster import Raster

__all__ = [
    "PRIMITIVES",
    "Agreement",
    "Chip",
    "Core",
    "LesionResult",
    "MotifOnCore",
    "MotifRequest",
    "MotifResult",
    "Neurons",
    "OpenPoints",
    "Raster",
    "SoftnessResult",
    "SpeedResult",
    "TraceResult",
    "UnitResult",
    "bursting_chip",
    "fit_thresholds",
    "lesion_effects",
    "map_motif",
    "measure_agreement",
    "measure_loser_fraction",
    "measure_role_correspondence",
    "measure_speed",
    "measure_transfer",
    "measure_unit_error",
    "phasic_spiking_chip",
    "predict_rates",
    "simulate_lesions",
    "simulate_motifs",
    "simulate_softness",
    "simulate_threshold_linear",
    "simulate_trace",
    "simulate_transfer",
    "without",
]
