"""One realisation of the spiking motif as plain arrays, for any simulator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swta.cells.adex import PARAMETER_NAMES
from swta.cells.classes import CLASSES, INTERNEURONS
from swta.cells.library import sample_cells
from swta.circuit.network import Network
from swta.circuit.pathways import RECEPTORS, Pathway
from swta.validation import check_integer

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]


@dataclass(frozen=True)
class Wiring:
    """Cells and synapses of one network. Cells are ordered by class, pyramidal cells by unit."""

    network: Network
    seed: int
    cell_class: IntArray  # index into CLASSES, (n_cells,)
    unit: IntArray  # unit of a pyramidal cell, -1 for interneurons, (n_cells,)
    parameters: FloatArray  # AdEx parameters in the order of PARAMETER_NAMES, (n_cells, 11)
    initial_mV: FloatArray  # membrane potential at the start, (n_cells,)
    pre: IntArray  # sending cell, rising, (n_synapses,)
    post: IntArray  # receiving cell, (n_synapses,)
    weight_nS: FloatArray  # peak conductance of a first release, (n_synapses,)
    delay_ms: FloatArray  # (n_synapses,)
    receptor: IntArray  # index into RECEPTORS, (n_synapses,)
    decay_ms: FloatArray  # decay by receptor and class of the receiver, (4, 5)
    plasticity: FloatArray  # U, tau_d (ms), tau_f (ms) by sender and receiver, (5, 5, 3)

    @property
    def n_cells(self) -> int:
        """Cells of all classes."""
        return len(self.cell_class)

    @property
    def populations(self) -> tuple[str, ...]:
        """Names of the populations: ``Pyr 0`` … and the four interneuron classes."""
        return (*(f"Pyr {u}" for u in range(self.network.n_units)), *INTERNEURONS)

    @property
    def population(self) -> IntArray:
        """Index into ``populations`` of every cell, (n_cells,)."""
        shift = self.network.n_units - 1
        return np.where(self.cell_class == 0, self.unit, self.cell_class + shift).astype(np.int32)


def build_wiring(network: Network, *, seed: int) -> Wiring:
    """Draw the cells and synapses of a network.

    The cells of a class are spread evenly over its distribution, so that networks are alike in
    their few most excitable cells. All units have the same sample of pyramidal cells, and the
    summed conductance from each group (a unit or an interneuron class) to each group is the
    expected one in every draw, so that no unit is favoured by chance. Cells within a unit differ,
    and so do their synapses.

    Raises:
        ParameterError: a negative seed.
    """
    check_integer("seed", seed, low=0)
    rng = np.random.default_rng([7, seed])
    sizes = network.sizes
    cell_class = np.repeat(np.arange(len(CLASSES)), [sizes[c] for c in CLASSES]).astype(np.int32)
    per_unit = sizes["Pyr"] // network.n_units
    unit = np.full(len(cell_class), -1, dtype=np.int32)
    unit[: sizes["Pyr"]] = np.repeat(np.arange(network.n_units), per_unit)
    parameters = np.concatenate(
        [np.tile(_sample("Pyr", per_unit, rng), (network.n_units, 1))]
        + [_sample(name, sizes[name], rng) for name in INTERNEURONS]
    )
    rest, threshold = (parameters[:, PARAMETER_NAMES.index(p)] for p in ("E_L", "V_T"))
    initial = rest + 0.8 * rng.random(len(cell_class)) * (threshold - rest)
    pathways = network.pathways()
    parts = [_connect(network, one, cell_class, unit, rng) for one in pathways.values()]
    pre, post, weight = (np.concatenate([p[k] for p in parts]) for k in range(3))
    lengths = [len(p[0]) for p in parts]
    delay = np.repeat([p.delay_ms for p in pathways.values()], lengths)
    receptor = np.repeat([p.receptor for p in pathways.values()], lengths)
    order = np.argsort(pre, kind="stable")
    return Wiring(
        network=network,
        seed=seed,
        cell_class=cell_class,
        unit=unit,
        parameters=parameters,
        initial_mV=initial,
        pre=pre[order].astype(np.int32),
        post=post[order].astype(np.int32),
        weight_nS=weight[order],
        delay_ms=delay[order],
        receptor=receptor[order].astype(np.int32),
        decay_ms=_decays(list(pathways.values())),
        plasticity=_plasticity(pathways),
    )


def _sample(name: str, n: int, rng: np.random.Generator) -> FloatArray:
    """Parameters of n cells spread evenly over the fitted distribution of a class, (n, 11)."""
    return sample_cells(name, n, seed=int(rng.integers(2**31)), even=True)


def _connect(
    network: Network,
    pathway: Pathway,
    cell_class: IntArray,
    unit: IntArray,
    rng: np.random.Generator,
) -> tuple[IntArray, IntArray, FloatArray]:
    """Senders, receivers and conductances (nS) of one pathway."""
    senders = np.flatnonzero(cell_class == CLASSES.index(pathway.pre))
    receivers = np.flatnonzero(cell_class == CLASSES.index(pathway.post))
    from_unit, to_unit = np.maximum(unit[senders], 0), np.maximum(unit[receivers], 0)
    if pathway.pre == pathway.post == "Pyr":
        chance = network.excitatory_probabilities(pathway)
    else:
        chance = np.full((to_unit.max() + 1, from_unit.max() + 1), network.probability(pathway))
    table = chance[to_unit[:, None], from_unit[None, :]]
    hit = rng.random(table.shape) < table
    if pathway.pre == pathway.post:
        np.fill_diagonal(hit, False)
    row, column = np.nonzero(hit)
    spread = pathway.log_sd
    weight = pathway.g_nS * np.exp(spread * rng.standard_normal(len(row)) - spread**2 / 2)
    n_from, n_to = chance.shape[1], chance.shape[0]
    block = to_unit[row] * n_from + from_unit[column]
    drawn = np.bincount(block, weights=weight, minlength=n_to * n_from).astype(np.float64)
    same = int(pathway.pre == pathway.post)
    size_from, size_to = len(senders) // n_from, len(receivers) // n_to
    pairs = size_to * (size_from - same * np.eye(n_to, n_from))
    expected = (chance * pathway.g_nS * pairs).ravel()
    weight *= np.divide(expected, drawn, out=np.ones_like(drawn), where=drawn > 0)[block]
    return senders[column].astype(np.int32), receivers[row].astype(np.int32), weight


def _decays(pathways: Sequence[Pathway]) -> FloatArray:
    """Decay (ms) of each receptor on each class; PV's where PV and VIP share a receptor."""
    table = np.full((len(RECEPTORS), len(CLASSES)), np.nan)
    for one in sorted(pathways, key=lambda p: p.pre != "Vip"):
        table[one.receptor, CLASSES.index(one.post)] = one.decay_ms
    return np.where(np.isfinite(table), table, 10.0)  # no synapses there: any value does


def _plasticity(pathways: Mapping[tuple[str, str], Pathway]) -> FloatArray:
    table = np.zeros((len(CLASSES), len(CLASSES), 3))
    table[..., 0] = 1.0
    for one in pathways.values():
        table[CLASSES.index(one.pre), CLASSES.index(one.post)] = one.U, one.tau_d_ms, one.tau_f_ms
    return table
