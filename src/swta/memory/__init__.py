"""Coupled motifs that hold a state: up-states, their limits, and finite state machines.

``coupling`` holds two motifs with sparse excitation between them and their closed forms;
``persistence`` maps where up-states last; ``automaton`` holds transition tables and ``machine``
compiles them to coupled motifs; ``measures`` reduces runs to numbers and ``plots`` draws them.
"""

from swta.memory.automaton import (
    Automaton,
    UnreachableStateWarning,
    random_sequences,
    two_state_automaton,
)
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
from swta.memory.persistence import (
    MapResult,
    persists_gently,
    simulate_boundary,
    simulate_persistence_map,
)

__all__ = [
    "NO_STATE",
    "Automaton",
    "CoupledPair",
    "Cue",
    "MachineResult",
    "MapResult",
    "PairResult",
    "StateMachine",
    "Timing",
    "TransitionCells",
    "UnreachableStateWarning",
    "design_problems",
    "encode",
    "is_up",
    "measure_errors",
    "measure_lifetimes",
    "measure_response_times",
    "measure_states",
    "measure_up_rates",
    "pair_network",
    "persistence_range",
    "persists",
    "persists_gently",
    "random_sequences",
    "relative_error",
    "saddle_rate",
    "simulate_boundary",
    "simulate_cues",
    "simulate_gentle_start",
    "simulate_machine",
    "simulate_persistence_map",
    "two_state_automaton",
    "up_rate",
    "with_gamma",
]
