"""Delayed match-to-sample as an automaton: a working-memory task whose errors can be named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from swta.memory.automaton import Automaton
from swta.memory.coupling import FloatArray
from swta.memory.machine import StateMachine, Timing, simulate_machine
from swta.memory.measures import NO_STATE, measure_states
from swta.validation import ParameterError, check_integer, check_real

MATCH, NON_MATCH, WAIT = "match", "non-match", "wait"


def match_to_sample(samples: Sequence[str] = ("a", "b")) -> Automaton:
    """Holds the sample, answers ``match`` or ``non-match`` to the probe, and clears.

    States: ``wait``, one ``holds …`` per sample, and the two answers; the symbol ``clear`` leads
    back to ``wait``. An answer stays until it is cleared.

    Raises:
        ParameterError: fewer than two samples, or one that is called ``clear``.
    """
    if len(samples) < 2 or "clear" in samples:
        raise ParameterError(f"samples = {tuple(samples)}; allowed: two or more, none 'clear'")
    holds = {sample: f"holds {sample}" for sample in samples}
    states = (WAIT, *holds.values(), MATCH, NON_MATCH)
    table = {(WAIT, s): holds[s] for s in samples}
    table |= {(holds[a], b): MATCH if a == b else NON_MATCH for a in samples for b in samples}
    table |= {(answer, s): answer for answer in (MATCH, NON_MATCH) for s in samples}
    table |= {(state, "clear"): WAIT for state in states}
    return Automaton(states, (*samples, "clear"), table, WAIT)


@dataclass(frozen=True)
class MatchResult:
    """Answers of a machine to sample and probe."""

    delays: FloatArray  # from the sample's onset to the probe's, τ, (n_delays,)
    samples: NDArray[np.int64]  # (n_trials, 2), sample and probe
    held: NDArray[np.int64]  # state before the probe, (n_delays, n_trials)
    answers: NDArray[np.int64]  # state after it, (n_delays, n_trials)
    states: tuple[str, ...]

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the answer is right, (n_delays, n_trials)."""
        same = self.samples[:, 0] == self.samples[:, 1]
        right = np.where(same, self.states.index(MATCH), self.states.index(NON_MATCH))
        return self.answers == right

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Whether the sample was still held when the probe came, (n_delays, n_trials)."""
        return self.held == 1 + self.samples[:, 0]

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Whether no state at all was held when the probe came, (n_delays, n_trials)."""
        return self.held == NO_STATE


def simulate_match(
    machine: StateMachine,
    delays: Sequence[float],
    *,
    trials: int,
    noise_sd: float,
    timing: Timing = Timing(),
    seed: int = 0,
) -> MatchResult:
    """Trials of delayed match-to-sample with noise in every cell.

    Args:
        machine: compiled from `match_to_sample`.
        delays: from the sample's onset to the probe's, τ, longer than a symbol.
        trials: with random samples and probes, the same for every delay.
        noise_sd: standard deviation of the noise, input units.
        timing: its ``period`` is replaced by each delay.

    Raises:
        ParameterError: a machine for another task, or a value outside its range.
    """
    automaton = machine.automaton
    if MATCH not in automaton.states or automaton.symbols[-1] != "clear":
        raise ParameterError(
            f"a machine with the states {', '.join(automaton.states)}; give one compiled from "
            "match_to_sample"
        )
    check_integer("trials", trials, low=1)
    lowest = max(timing.symbol, timing.start_duration)
    for delay in delays:
        check_real("delay", delay, low=lowest, open_low=True, unit="tau")
    rng = np.random.default_rng([23, seed])
    shown = rng.integers(0, len(automaton.symbols) - 1, (trials, 2))
    held, answers = [], []
    for k, delay in enumerate(delays):
        run = simulate_machine(
            machine,
            shown,
            timing=replace(timing, period=float(delay)),
            noise_sd=noise_sd,
            seed=1000 * seed + k,
        )
        states = measure_states(run)
        held.append(states[:, 1])
        answers.append(states[:, 2])
    return MatchResult(
        np.asarray(delays, dtype=np.float64), shown, np.array(held), np.array(answers), run.states
    )
