r"""A placed network as a graph of the Neuromorphic Intermediate Representation (NIR), and its run.

A neuron with linear reset is an integrator, a threshold, and a connection that takes the threshold
off the integrator one tick after a spike. Read with a step of one tick, where a loop costs one
tick, this is the TrueNorth neuron. NIR compares with ``>`` and the chip with ``>=``; potentials are
whole numbers, so the threshold is written half a unit lower.

What does not carry over: the negative threshold, start potentials and a leak that reverses. This
export refuses delays other than one tick (none for external lines), for which NIR has a node of its
own. Pedersen et al. (2024) describe NIR.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from swta.truenorth.network import Network
from swta.truenorth.neuron import LINEAR_RESET
from swta.validation import ParameterError, check_choice

NEURONS: Final = ("integrator", "LIF")
SNNTORCH_STEP: Final = 1e-4  # s; snnTorch reads time constants in steps of this length
_BELOW: Final = 0.1  # of a unit of V, by which the LIF threshold is lower, for ``>``: subtracted
# with every spike, it raises rates by less than 0.1 over the threshold
_SLOW: Final = 1e6  # steps; time constant of a LIF neuron that is to stand for an integrator


@dataclass(frozen=True, eq=False)
class GraphDescription:
    """Nodes and edges of a NIR graph in plain arrays; neurons and lines are stacked in order."""

    nodes: dict[str, dict[str, Any]]  # type, and the parameters that NIR gives it
    edges: tuple[tuple[str, str], ...]
    lines: dict[str, slice]  # of each source in the input
    neurons: dict[str, slice]  # of each population in the output


def describe_graph(network: Network, *, neurons: str = "integrator") -> GraphDescription:
    """Return a network as a NIR graph.

    Args:
        network: populations with linear reset; delays of 1, from sources 0.
        neurons: ``integrator``, which says all that NIR can say; or ``LIF``, the node that readers
            know best, with a leak too slow to matter, weights over thresholds, and the subtracting
            reset left to the reader.

    Raises:
        ParameterError: another reset mode, delay, or a reversing leak; the message names it.
    """
    check_choice("neurons", neurons, NEURONS)
    _check(network)
    lines, n_lines = _slices([(source.name, source.n) for source in network.sources])
    places, n = _slices([(population.name, population.n) for population in network.populations])
    if n_lines == 0:
        raise ParameterError("the network has no source; a NIR graph needs an input")
    w_in, w_rec = np.zeros((n, n_lines)), np.zeros((n, n))
    for projection, matrix in zip(network.projections, network.matrices(), strict=True):
        post = places[projection.post]
        into, pre = (
            (w_in, lines[projection.pre])
            if projection.pre in lines
            else (w_rec, places[projection.pre])
        )
        into[post, pre] += projection.weight * matrix.toarray().T
    leak, threshold = (
        np.concatenate([np.asarray(getattr(p, name), dtype=float) for p in network.populations])
        for name in ("leak", "threshold")
    )
    ends = {
        "input": {"type": "Input", "shape": np.array([n_lines])},
        "output": {"type": "Output", "shape": np.array([n])},
    }
    if neurons == "integrator":
        nodes = {
            "input": ends["input"],
            "w_in": {"type": "Affine", "weight": w_in, "bias": leak},
            "membrane": {"type": "I", "r": np.ones(n)},
            "fire": {"type": "Threshold", "threshold": threshold - 0.5},
            "reset": {"type": "Linear", "weight": -np.diag(threshold)},
            "w_rec": {"type": "Linear", "weight": w_rec},
            "output": ends["output"],
        }
        edges: tuple[tuple[str, str], ...] = (
            ("input", "w_in"),
            ("w_in", "membrane"),
            ("membrane", "fire"),
            ("fire", "reset"),
            ("reset", "membrane"),
            ("fire", "w_rec"),
            ("w_rec", "membrane"),
            ("fire", "output"),
        )
        return GraphDescription(nodes, edges, lines, places)
    tau = np.full(n, _SLOW * SNNTORCH_STEP)
    scale = 1 / threshold[:, None]
    nodes = {
        "input": ends["input"],
        "w_in": {"type": "Affine", "weight": w_in * scale, "bias": leak / threshold},
        "neurons": {
            "type": "LIF",
            "tau": tau,
            "r": tau / SNNTORCH_STEP,
            "v_leak": np.zeros(n),
            "v_threshold": np.full(n, 1 - _BELOW / threshold.max()),
            "v_reset": np.zeros(n),
        },
        # A loop of two nodes is rewired by snnTorch 1.0, which then sends the input through it.
        "axons": {"type": "Linear", "weight": np.eye(n)},
        "w_rec": {"type": "Linear", "weight": w_rec * scale},
        "output": ends["output"],
    }
    edges = (
        ("input", "w_in"),
        ("w_in", "neurons"),
        ("neurons", "axons"),
        ("axons", "w_rec"),
        ("w_rec", "neurons"),
        ("neurons", "output"),
    )
    return GraphDescription(nodes, edges, lines, places)


def simulate_graph(graph: GraphDescription, spikes: ArrayLike) -> np.ndarray:
    """Run a graph of integrators tick by tick, in NumPy.

    Nodes are updated in order. What comes from a node later in the order is its output of the tick
    before, as in the readers that run NIR in steps.

    Args:
        graph: with nodes of type Input, Affine, Linear, I, Threshold and Output.
        spikes: of the lines, (n_ticks, n_lines), 0 or 1.

    Returns:
        spikes of the neurons, (n_ticks, n) bool.

    Raises:
        ParameterError: a node of another type, or spikes of another width.
    """
    given = np.asarray(spikes, dtype=float)
    n_lines = int(graph.nodes["input"]["shape"][0])
    if given.ndim != 2 or given.shape[1] != n_lines:
        raise ParameterError(f"spikes of shape {given.shape}; allowed: (n_ticks, {n_lines})")
    into = {name: [a for a, b in graph.edges if b == name] for name in graph.nodes}
    last: dict[str, np.ndarray] = {}
    state: dict[str, np.ndarray] = {}
    out = np.zeros((len(given), int(graph.nodes["output"]["shape"][0])), dtype=bool)
    for tick, row in enumerate(given):
        for name, node in graph.nodes.items():
            arriving: Any = sum(last[source] for source in into[name] if source in last)
            match node["type"]:
                case "Input":
                    last[name] = row
                case "Affine":
                    last[name] = node["weight"] @ arriving + node["bias"]
                case "Linear":
                    last[name] = node["weight"] @ arriving
                case "I":
                    state[name] = state.get(name, 0.0) + node["r"] * arriving
                    last[name] = state[name]
                case "Threshold":
                    last[name] = (arriving > node["threshold"]).astype(float)
                case "Output":
                    out[tick] = arriving > 0
                case other:
                    raise ParameterError(
                        f"node {name!r} of type {other!r}; allowed: Input, Affine, Linear, I, "
                        "Threshold, Output"
                    )
    return out


def _slices(sizes: list[tuple[str, int]]) -> tuple[dict[str, slice], int]:
    places, start = {}, 0
    for name, n in sizes:
        places[name] = slice(start, start + n)
        start += n
    return places, start


def _check(network: Network) -> None:
    for population in network.populations:
        rules = (
            ("reset_mode", np.all(np.asarray(population.reset_mode) == LINEAR_RESET), "1 (linear)"),
            ("leak_reversal", not np.any(population.leak_reversal), "none"),
            ("potential", not np.any(population.potential), "a start from 0"),
            ("threshold", np.all(np.asarray(population.threshold) > 0), "1 or more"),
        )
        for name, fits, allowed in rules:
            if not fits:
                raise ParameterError(
                    f"population {population.name!r}: its {name} has no place in the NIR graph; "
                    f"allowed: {allowed}"
                )
    own = {population.name for population in network.populations}
    for projection in network.projections:
        allowed_delay = 1 if projection.pre in own else 0
        if projection.delay != allowed_delay:
            raise ParameterError(
                f"{projection.label}: delay = {projection.delay} has no place in the NIR graph; "
                f"allowed: {allowed_delay}"
            )
