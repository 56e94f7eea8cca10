"""NIR files, and their run in snnTorch (packages of the extra ``peers``), against the chip."""

from __future__ import annotations

from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from swta.truenorth.mapping import MappedMotif
from swta.truenorth.nirgraph import GraphDescription, describe_graph, simulate_graph
from swta.truenorth.placement import build_chip
from swta.validation import ParameterError, check_integer


@dataclass(frozen=True, eq=False)
class ReaderResult:
    """Rates of the populations on the chip and of their NIR graph in its readers."""

    populations: tuple[str, ...]
    chip: np.ndarray  # (n_populations,), spikes per tick
    readers: tuple[str, ...]
    rates: np.ndarray  # (n_readers, n_populations), spikes per tick

    @property
    def errors(self) -> np.ndarray:
        """Largest difference to the chip over its largest rate, (n_readers,)."""
        return np.array([measure_rate_error(own, self.chip) for own in self.rates])


def save_nir(path: str | Path, graph: GraphDescription) -> None:
    """Write a graph as a NIR file (HDF5).

    Raises:
        ParameterError: the package ``nir`` is not installed.
    """
    nir = _package("nir")
    nodes = {}
    for name, node in graph.nodes.items():
        fields = {key: value for key, value in node.items() if key != "type"}
        if node["type"] in ("Input", "Output"):
            side = "input_type" if node["type"] == "Input" else "output_type"
            fields = {side: fields["shape"]}
        nodes[name] = getattr(nir, node["type"])(**fields)
    nir.write(str(path), nir.NIRGraph(nodes=nodes, edges=list(graph.edges)))


def load_nir(path: str | Path) -> dict[str, dict[str, Any]]:
    """Return the nodes of a NIR file, type and parameters of each by name.

    Raises:
        ParameterError: the package ``nir`` is not installed.
    """
    graph = _package("nir").read(str(path))
    return {
        name: {key: value for key, value in node.to_dict().items() if key != "metadata"}
        for name, node in graph.nodes.items()
    }


def simulate_snntorch(path: str | Path, spikes: ArrayLike) -> np.ndarray:
    """Run a NIR file with LIF neurons in snnTorch, with subtracting reset.

    NIR's LIF neuron is reset to a value, so snnTorch builds it that way; the subtracting reset of
    the chip is one of snnTorch's own settings and is chosen here.

    Args:
        path: written with ``neurons="LIF"``.
        spikes: of the lines, (n_ticks, n_lines), 0 or 1.

    Returns:
        spikes of the neurons, (n_ticks, n) bool.

    Raises:
        ParameterError: ``nir``, ``snntorch`` or ``torch`` is not installed.
    """
    nir, torch, snntorch = (_package(name) for name in ("nir", "torch", "snntorch"))
    importer = _package("snntorch.import_nir")
    with redirect_stdout(StringIO()):  # it reports its steps there
        model = importer.import_from_nir(nir.read(str(path)))
    for module in model.modules():
        if isinstance(module, snntorch.Leaky):
            module.reset_mechanism = "subtract"
            module.state_function = module._base_sub  # chosen when it was made, from the setting
    found, state = [], None
    with torch.no_grad():
        for row in torch.as_tensor(np.asarray(spikes), dtype=torch.float32):
            out, state = model(row[None], state)
            found.append(out[0].numpy() > 0)
    return np.array(found)


def simulate_nir(mapped: MappedMotif, rates: ArrayLike, *, n_ticks: int, seed: int) -> ReaderResult:
    """Run a motif on the chip and its NIR graph in every reader there is, under the same spikes.

    The graph is read by our own interpreter and, where ``nir`` and ``snntorch`` are installed,
    written to a file and read and run by snnTorch.

    Args:
        mapped: the motif.
        rates: input rate of each unit's lines, spikes per tick, (n_units,).
        n_ticks: ticks to run.
        seed: of the input spikes.
    """
    check_integer("n_ticks", n_ticks, low=1)
    graph = describe_graph(mapped.network)
    rng = np.random.default_rng([seed, 1])
    per_unit = mapped.request.neurons_per_unit
    given = np.asarray(rates, dtype=float)
    if given.shape != (mapped.n_units,):
        raise ParameterError(f"rates of shape {given.shape}; allowed: ({mapped.n_units},)")
    spikes = rng.random((n_ticks, mapped.n_units * per_unit)) < np.repeat(given, per_unit)

    placement = mapped.placement
    chip, _ = build_chip([placement])
    rows = {name: np.argwhere(spikes[:, where]) for name, where in graph.lines.items()}
    counts = chip.run(placement.inputs(rows), n_ticks).counts()
    measured = [found.mean() / n_ticks for found in placement.read(counts).values()]

    fired = {"NumPy": simulate_graph(graph, spikes)}
    if find_spec("nir") and find_spec("snntorch"):
        with TemporaryDirectory() as folder:
            path = Path(folder) / "motif.nir"
            save_nir(path, describe_graph(mapped.network, neurons="LIF"))
            fired["snnTorch"] = simulate_snntorch(path, spikes)
    return ReaderResult(
        populations=tuple(graph.neurons),
        chip=np.array(measured),
        readers=tuple(fired),
        rates=np.array([[z[:, w].mean() for w in graph.neurons.values()] for z in fired.values()]),
    )


def measure_rate_error(rates: ArrayLike, reference: ArrayLike) -> float:
    """Return the largest difference of population rates over the largest reference rate.

    Raises:
        ParameterError: the reference is silent.
    """
    mine, other = np.asarray(rates, dtype=float), np.asarray(reference, dtype=float)
    if not other.any():
        raise ParameterError("every reference rate is 0; drive the network")
    return float(np.abs(mine - other).max() / other.max())


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ParameterError(
            f"{name} is not installed ({error}); install the extra: pip install 'swta[peers]'"
        ) from None
