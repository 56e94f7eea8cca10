"""Several spiking patches joined by sparse excitation between chosen units, in Brian 2.

A bridge leads from a pyramidal unit of one patch to one of another. Its strength γ is the summed
peak conductance that a cell gets through it, over what it gets from its own unit within the patch.
Bridges use the receptors, kinetics and short-term plasticity of the E→E synapses, whose history
they share: a pyramidal cell releases alike within its patch and out of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swta.circuit import brian_motif
from swta.circuit.conditions import Condition
from swta.circuit.network import Network
from swta.circuit.spiking import mean_between
from swta.circuit.wiring import Wiring
from swta.validation import ParameterError, check_integer, check_real

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Place = tuple[int, int]  # patch and unit


@dataclass(frozen=True)
class Bridge:
    """Excitation from one unit to a unit of another patch.

    Raises:
        ParameterError: both ends in one patch, or a value outside its range.
    """

    pre: Place  # patch and unit that send
    post: Place  # patch and unit that receive
    gamma: float  # γ, summed conductance on a cell over that from its own unit, dimensionless
    probability: float = 0.1  # of a connection between two cells, our choice
    delay_ms: float = 3.0  # ms, our choice: twice the delay within a patch, for the way between

    def __post_init__(self) -> None:
        for name, place in (("pre", self.pre), ("post", self.post)):
            for value in place:
                check_integer(f"{name} of a bridge", value, low=0)
        if self.pre[0] == self.post[0]:
            raise ParameterError(
                f"a bridge from patch {self.pre[0]} to itself; allowed: two patches. Recurrent "
                "excitation belongs to the patch"
            )
        check_real("gamma", self.gamma, low=0)
        check_real("probability", self.probability, low=0, high=1, open_low=True)
        check_real("delay_ms", self.delay_ms, low=0.1, unit="ms")


@dataclass(frozen=True)
class Assembly:
    """Patches with a condition each, and the bridges between them.

    Raises:
        ParameterError: not one condition per patch, patches of different networks, or a bridge to
            a patch or unit that is not there.
    """

    wirings: tuple[Wiring, ...]
    conditions: tuple[Condition, ...]
    bridges: tuple[Bridge, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.wirings)
        if not n or len(self.conditions) != n:
            raise ParameterError(
                f"{n} patches and {len(self.conditions)} conditions; give one condition per patch"
            )
        if any(w.network != self.network for w in self.wirings):
            raise ParameterError("patches of different networks; give seeds of one network")
        for bridge in self.bridges:
            for patch, unit in (bridge.pre, bridge.post):
                if patch >= n or unit >= self.network.n_units:
                    raise ParameterError(
                        f"no unit {unit} in a patch {patch}; allowed: patches 0 … {n - 1}, units "
                        f"0 … {self.network.n_units - 1}"
                    )
        for condition in self.conditions:
            condition.external_khz(self.wirings[0], 0.0)

    @property
    def network(self) -> Network:
        """The network of every patch."""
        return self.wirings[0].network


@dataclass(frozen=True)
class PatchesResult:
    """Spikes of every population of every patch in time bins."""

    populations: tuple[str, ...]
    sizes: IntArray  # cells of each population, (n_populations,)
    bin_ms: float
    counts: NDArray[np.int32]  # spikes, (n_bins, n_assemblies, n_patches, n_populations)
    diverged: dict[int, str] = field(default_factory=dict)  # what went wrong, by assembly

    @property
    def time_s(self) -> FloatArray:
        """Centres of the bins in s, (n_bins,)."""
        return np.asarray((np.arange(len(self.counts)) + 0.5) * self.bin_ms / 1e3)

    @property
    def courses_hz(self) -> FloatArray:
        """Population rates in Hz, in the shape of ``counts``; NaN for what diverged."""
        rates = np.asarray(self.counts / self.sizes / (self.bin_ms / 1e3), dtype=np.float64)
        rates[:, list(self.diverged)] = np.nan
        return rates

    def mean_rates_hz(self, start_s: float, stop_s: float | None = None) -> FloatArray:
        """Mean rates in Hz from start to stop, (n_assemblies, n_patches, n_populations).

        Raises:
            ParameterError: a window without a bin.
        """
        return mean_between(self.courses_hz, self.time_s, start_s, stop_s)


Synapses = tuple[IntArray, IntArray, FloatArray, FloatArray]
Job = tuple[list[Assembly], float, list[int], float, bool | None, float]


def simulate_patches(
    assemblies: Sequence[Assembly],
    *,
    duration_s: float,
    seed: int,
    bin_ms: float = 10.0,
    dt_ms: float = 0.1,
    processes: int = 1,
    compiled: bool | None = None,
) -> PatchesResult:
    """Simulate assemblies of equally many patches, all in one vectorised run per process.

    A patch that diverges is cut off, and its assembly counts as diverged. The noise depends on
    ``seed``, on the place in the run and on ``processes``.

    Args:
        duration_s: simulated time, s.
        bin_ms: width of the time bins of the result, ms.
        dt_ms: time step, ms.
        processes: of this machine to share the assemblies among.
        compiled: as in ``simulate_spiking``.

    Raises:
        ParameterError: no assembly, assemblies of different sizes, a bad time.
    """
    if not assemblies or len({len(a.wirings) for a in assemblies}) != 1:
        raise ParameterError(
            f"{len(assemblies)} assemblies; give at least one, all with the same number of patches"
        )
    if any(a.network != assemblies[0].network for a in assemblies):
        raise ParameterError("assemblies of different networks; give seeds of one network")
    check_real("duration_s", duration_s, low=0.01, unit="s")
    check_real("dt_ms", dt_ms, low=0.01, high=0.2, unit="ms")
    check_real("bin_ms", bin_ms, low=dt_ms, high=1e3 * duration_s, unit="ms")
    check_integer("seed", seed, low=0)
    check_integer("processes", processes, low=1, high=256)
    parts = np.array_split(np.arange(len(assemblies)), min(processes, len(assemblies)))
    jobs: list[Job] = [
        ([assemblies[i] for i in part], duration_s, [seed, k], dt_ms, compiled, bin_ms)
        for k, part in enumerate(parts)
    ]
    if len(jobs) == 1:
        done = [_run(jobs[0])]
    else:  # a spawned process starts without this one's Brian objects and threads
        with ProcessPoolExecutor(len(jobs), mp_context=get_context("spawn")) as pool:
            done = list(pool.map(_run, jobs))
    diverged = {
        int(parts[k][a]): text for k, (_, wrong) in enumerate(done) for a, text in wrong.items()
    }
    first = assemblies[0].wirings[0]
    return PatchesResult(
        first.populations,
        np.bincount(first.population, minlength=len(first.populations)),
        bin_ms,
        np.concatenate([counts for counts, _ in done], axis=1),
        diverged,
    )


def bridge_synapses(assembly: Assembly) -> Synapses:
    """Senders, receivers, conductances (nS) and delays (ms) of all bridges, each (n_synapses,).

    Cells are counted through the patches. As within a patch, conductances are
    lognormal and their sum is the expected one in every draw.
    """
    network = assembly.network
    pathway = network.pathways()["Pyr", "Pyr"]
    n_cells, unit_size = assembly.wirings[0].n_cells, network.sizes["Pyr"] // network.n_units
    within = float(network.excitatory_probabilities(pathway)[0, 0]) * (unit_size - 1) * pathway.g_nS
    none = np.empty(0, dtype=np.int64), np.empty(0)
    parts: list[Synapses] = [(none[0], none[0], none[1], none[1])]
    for k, bridge in enumerate(assembly.bridges):
        seeds = [assembly.wirings[place[0]].seed for place in (bridge.pre, bridge.post)]
        rng = np.random.default_rng([11, *seeds, k])
        hit = rng.random((unit_size, unit_size)) < bridge.probability
        row, column = np.nonzero(hit)
        weight = np.exp(pathway.log_sd * rng.standard_normal(len(row)))
        weight *= bridge.gamma * within * unit_size / max(weight.sum(), 1e-12)
        delay = np.full(len(row), bridge.delay_ms)
        start = [patch * n_cells + unit * unit_size for patch, unit in (bridge.pre, bridge.post)]
        if bridge.gamma > 0:
            parts.append((start[0] + column, start[1] + row, weight, delay))
    pre, post, weight, delay = (np.concatenate([p[k] for p in parts]) for k in range(4))
    return pre, post, weight, delay


def _run(job: Job) -> tuple[NDArray[np.int32], dict[int, str]]:
    """Spike counts (n_bins, n_assemblies, n_patches, n_populations), and what diverged."""
    assemblies, duration_s, seed, dt_ms, compiled, bin_ms = job
    import brian2 as b2

    n_patches = len(assemblies[0].wirings)
    copies = [pair for a in assemblies for pair in zip(a.wirings, a.conditions, strict=True)]
    motif = brian_motif.build_motif(copies, dt_ms=dt_ms, compiled=compiled, stop=False)
    bridges = _join(b2, motif.cells, assemblies, compiled)
    motif.network.add(*bridges)
    with brian_motif._random_state(b2, seed):
        motif.network.run(duration_s * b2.second, namespace={})
    first = copies[0][0]
    n_bins, n_populations = round(1e3 * duration_s / bin_ms), len(first.populations)
    cells = np.asarray(motif.spikes.i, dtype=np.int64)
    bins = (1e3 * np.asarray(motif.spikes.t_) / bin_ms + 1e-6).astype(np.int64)
    population = np.concatenate(
        [w.population + k * n_populations for k, (w, _) in enumerate(copies)]
    )
    width = len(copies) * n_populations
    flat = np.minimum(bins, n_bins - 1) * width + population[cells]
    counts = np.bincount(flat, minlength=n_bins * width).astype(np.int32)
    diverged = {copy // n_patches: text for copy, text in motif.diverged.items()}
    return counts.reshape(n_bins, len(assemblies), n_patches, n_populations), diverged


def _join(b2: Any, cells: Any, assemblies: Sequence[Assembly], compiled: bool | None) -> list[Any]:
    """The synapses of all bridges, in a list that may be empty."""
    size = sum(w.n_cells for w in assemblies[0].wirings)
    drawn = [bridge_synapses(a) for a in assemblies]
    pre, post = (np.concatenate([one[k] + i * size for i, one in enumerate(drawn)]) for k in (0, 1))
    if not len(pre):
        return []
    synapses = b2.Synapses(
        cells,
        cells,
        "weight : 1 (constant)\nto : integer (constant)",
        on_pre=brian_motif.EXCITE,
        clock=cells.clock,
        name="motif_bridges",
        codeobj_class=brian_motif.code_class(compiled),
    )
    synapses.connect(i=pre, j=post)
    synapses.weight_ = np.concatenate([one[2] for one in drawn])
    synapses.delay_ = 1e-3 * np.concatenate([one[3] for one in drawn])
    synapses.to_ = 0
    return [synapses]
