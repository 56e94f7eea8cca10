"""Coupled motifs that hold a state: up-states, their limits, and finite state machines.

``coupling`` holds two motifs with sparse excitation between them and their closed forms;
``persistence`` maps where up-states last, ``lifetimes`` how they end, ``mismatch`` draws networks
whose weights are off. ``automaton`` holds transition tables and ``machine`` compiles them to
coupled motifs; ``symbols`` shows them short, weak and simultaneous symbols, and ``tasks`` has them
match a probe to a sample. ``chip_network`` puts pairs and machines on the cores of chapter 3,
``chip_runs`` and ``chip_boundary`` run them there; ``spiking`` couples two patches of chapter 2's
network, ``spiking_boundary`` finds the least coupling that holds a state there, and
``spiking_machine`` compiles an automaton to three of them. ``measures`` reduces runs to numbers;
``plots`` and ``substrate_plots`` draw them.
"""

from swta.memory.automaton import (
    Automaton,
    UnreachableStateWarning,
    random_automaton,
    random_sequences,
    two_state_automaton,
)
from swta.memory.chip_boundary import (
    ChipBoundaryResult,
    SparsityResult,
    simulate_chip_boundary,
    simulate_chip_sparsity,
)
from swta.memory.chip_network import (
    ChipDesign,
    SparseCoupling,
    couplings_near,
    full_coupling,
    least_cores,
    machine_chip_network,
    pair_chip_network,
    place_machine,
)
from swta.memory.chip_runs import CHIP_TIMING, simulate_chip_cues, simulate_chip_machines
from swta.memory.coupling import (
    CoupledPair,
    Cue,
    PairResult,
    is_up,
    pair_network,
    persistence_range,
    persists,
    saddle_rate,
    simulate_cues,
    simulate_gentle_start,
    up_rate,
    with_gamma,
)
from swta.memory.lifetimes import (
    LifetimeResult,
    TerminationResult,
    distractor_threshold,
    measure_termination,
    simulate_lifetimes,
    simulate_termination,
    termination_threshold,
)
from swta.memory.machine import (
    MachineResult,
    StateMachine,
    Timing,
    TransitionCells,
    design_problems,
    encode,
    simulate_machine,
)
from swta.memory.measures import (
    NO_STATE,
    measure_errors,
    measure_lifetimes,
    measure_response_times,
    measure_states,
    measure_up_rates,
    relative_error,
)
from swta.memory.mismatch import draw_mismatch, silence_runaway, simulate_mismatched_pairs
from swta.memory.persistence import (
    MapResult,
    persists_gently,
    simulate_boundary,
    simulate_persistence_map,
)
from swta.memory.spiking import (
    PatchCondition,
    SpikingMemoryResult,
    SpikingProtocol,
    measure_crossing,
    measure_held,
    measure_silent,
    simulate_spiking_memory,
)
from swta.memory.spiking_boundary import SpikingBoundaryResult, simulate_spiking_boundary
from swta.memory.spiking_machine import (
    SpikingMachine,
    SpikingMachineResult,
    SpikingTiming,
    read_states,
    simulate_spiking_machine,
)
from swta.memory.symbols import PresentationResult, measure_shortest, simulate_presentation
from swta.memory.tasks import MatchResult, match_to_sample, simulate_match

__all__ = [
    "CHIP_TIMING",
    "NO_STATE",
    "Automaton",
    "ChipBoundaryResult",
    "ChipDesign",
    "CoupledPair",
    "Cue",
    "LifetimeResult",
    "MachineResult",
    "MapResult",
    "MatchResult",
    "PairResult",
    "PatchCondition",
    "PresentationResult",
    "SparseCoupling",
    "SparsityResult",
    "SpikingBoundaryResult",
    "SpikingMachine",
    "SpikingMachineResult",
    "SpikingMemoryResult",
    "SpikingProtocol",
    "SpikingTiming",
    "StateMachine",
    "TerminationResult",
    "Timing",
    "TransitionCells",
    "UnreachableStateWarning",
    "couplings_near",
    "design_problems",
    "distractor_threshold",
    "draw_mismatch",
    "encode",
    "full_coupling",
    "is_up",
    "least_cores",
    "machine_chip_network",
    "match_to_sample",
    "measure_crossing",
    "measure_errors",
    "measure_held",
    "measure_lifetimes",
    "measure_response_times",
    "measure_shortest",
    "measure_silent",
    "measure_states",
    "measure_termination",
    "measure_up_rates",
    "pair_chip_network",
    "pair_network",
    "persistence_range",
    "persists",
    "persists_gently",
    "place_machine",
    "random_automaton",
    "random_sequences",
    "read_states",
    "relative_error",
    "saddle_rate",
    "silence_runaway",
    "simulate_boundary",
    "simulate_chip_boundary",
    "simulate_chip_cues",
    "simulate_chip_machines",
    "simulate_chip_sparsity",
    "simulate_cues",
    "simulate_gentle_start",
    "simulate_lifetimes",
    "simulate_machine",
    "simulate_match",
    "simulate_mismatched_pairs",
    "simulate_persistence_map",
    "simulate_presentation",
    "simulate_spiking_boundary",
    "simulate_spiking_machine",
    "simulate_spiking_memory",
    "simulate_termination",
    "termination_threshold",
    "two_state_automaton",
    "up_rate",
    "with_gamma",
]
