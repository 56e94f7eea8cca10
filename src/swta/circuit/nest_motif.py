"""The spiking motif in NEST: an independent implementation of the network that Brian 2 runs.

A cell is NEST's ``aeif_cond_beta_multisynapse`` (Brette and Gerstner 2005; Roth and van Rossum
2013), integrated by adaptive Runge–Kutta–Fehlberg steps, with a receptor port for each conductance
of its class. NEST has no AdEx cell with many exponential conductances, so each rises within
`RISE_MS`, with the area and mean time of the exponential one. Plasticity is kept per synapse, by
``tsodyks2_synapse``. The cell has no magnesium block: the network must have none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from swta.cells.adex import LARGEST_EXPONENT, PARAMETER_NAMES
from swta.cells.classes import CLASSES
from swta.circuit.brian_motif import CHECK_EVERY_MS, RUNAWAY_HZ
from swta.circuit.conditions import DRIVE_BIN_MS, Condition
from swta.circuit.pathways import RECEPTORS, kernel_area
from swta.circuit.rate import DivergenceError
from swta.circuit.spiking import SpikingResult, interval_cv
from swta.circuit.wiring import Wiring
from swta.validation import ParameterError, check_integer, check_real

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

RISE_MS: Final = 0.1  # ms, a time step; longer than NEST needs, short against any decay
TOLERANCE: Final = 1e-6  # of the integration, in the units of the state; NEST's default
_NMDA: Final = len(RECEPTORS)  # the slow conductance, after those of the wiring
_NEST_NAMES: Final = {
    "C": "C_m",
    "g_L": "g_L",
    "E_L": "E_L",
    "V_T": "V_th",
    "Delta_T": "Delta_T",
    "tau_w": "tau_w",
    "a": "a",
    "b": "b",
    "V_reset": "V_reset",
    "V_peak": "V_peak",
}


class MissingSimulatorError(ImportError):
    """NEST is not installed."""


class NestMotif(NamedTuple):
    """A network in NEST's kernel, which holds one at a time."""

    nest: Any
    cells: Any
    recorder: Any
    feeds: Any  # a Poisson generator per population
    wiring: Wiring
    condition: Condition


def load_nest() -> Any:
    """NEST's Python module, imported without its greeting.

    Raises:
        MissingSimulatorError: it is not installed.
    """
    loud = "PYNEST_QUIET" not in os.environ
    os.environ.setdefault("PYNEST_QUIET", "1")
    try:
        import nest
    except ImportError as error:
        raise MissingSimulatorError(
            f"NEST cannot be imported ({error}); it is optional. Install it with "
            "pip install 'swta[peers]' or pip install nest-simulator"
        ) from error
    finally:
        if loud:
            del os.environ["PYNEST_QUIET"]
    return nest


def simulate_nest(
    wirings: Sequence[Wiring],
    conditions: Sequence[Condition],
    *,
    duration_s: float,
    seed: int,
    bin_ms: float = 10.0,
    settle_s: float = 0.5,
    dt_ms: float = 0.1,
    record: Sequence[tuple[int, int]] = (),
    threads: int = 1,
    tolerance: float = TOLERANCE,
) -> SpikingResult:
    """Simulate every condition in every wiring with NEST, one after the other.

    Arguments and result are those of ``simulate_spiking``. Spike times are given as Brian 2 gives
    them, by the start of the time step.

    Args:
        threads: of NEST; the noise depends on it.
        tolerance: of NEST's integration, per step, in mV, pA and nS.

    Raises:
        MissingSimulatorError: NEST is not installed.
        ParameterError: nothing to simulate, wirings of different networks, a network with
            magnesium block, a bad time.
        DivergenceError: a population above 250 Hz, or a potential that NEST cannot integrate.
    """
    if not wirings or not conditions:
        raise ParameterError(
            f"{len(wirings)} wirings and {len(conditions)} conditions; give at least one of each"
        )
    if any(w.network != wirings[0].network for w in wirings):
        raise ParameterError("wirings of different networks; give seeds of one network")
    check_real("duration_s", duration_s, low=0.01, unit="s")
    check_real("bin_ms", bin_ms, low=dt_ms, high=1e3 * duration_s, unit="ms")
    check_integer("seed", seed, low=0)
    first = wirings[0]
    n_bins, n_populations = round(1e3 * duration_s / bin_ms), len(first.populations)
    shape = (len(conditions), len(wirings))
    counts = np.zeros((n_bins, *shape, n_populations), dtype=np.int32)
    cvs = np.full((*shape, first.n_cells), np.nan)
    kept = {}
    for c, condition in enumerate(conditions):
        for w, wiring in enumerate(wirings):
            motif = build_nest_motif(
                wiring,
                condition,
                seed=[seed, c, w],
                dt_ms=dt_ms,
                threads=threads,
                tolerance=tolerance,
            )
            when, who = run_nest_motif(motif, duration_s)
            bins = np.minimum((1e3 * when / bin_ms + 1e-6).astype(np.int64), n_bins - 1)
            flat = bins * n_populations + wiring.population[who]
            counts[:, c, w] = np.bincount(flat, minlength=n_bins * n_populations).reshape(
                n_bins, -1
            )
            cvs[c, w] = interval_cv(when, who, first.n_cells, settle_s)
            if (c, w) in record:
                kept[c, w] = (when, who)
    sizes = np.bincount(first.population, minlength=n_populations)
    return SpikingResult(first.populations, sizes, bin_ms, counts, cvs, kept)


def build_nest_motif(
    wiring: Wiring,
    condition: Condition,
    *,
    seed: Sequence[int],
    dt_ms: float = 0.1,
    threads: int = 1,
    tolerance: float = TOLERANCE,
) -> NestMotif:
    """Put one network under one condition into NEST's kernel, in place of what was there.

    Raises:
        MissingSimulatorError: NEST is not installed.
        ParameterError: a network with magnesium block, a bad time step, a drive of other units.
    """
    network = wiring.network
    if network.magnesium_mM > 0:
        raise ParameterError(
            f"magnesium_mM = {network.magnesium_mM:g}, but NEST's AdEx cell has no magnesium "
            "block; allowed: 0. Compare networks made by peer.without_block, in both simulators"
        )
    check_real("dt_ms", dt_ms, low=0.01, high=0.1, unit="ms")
    check_integer("threads", threads, low=1, high=256)
    check_real("tolerance", tolerance, low=0, open_low=True)
    rates = condition.external_khz(wiring, 0.0)
    nest = load_nest()
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = dt_ms
    nest.local_num_threads = threads
    nest.rng_seed = 1 + int(np.random.SeedSequence(list(seed)).generate_state(1)[0]) % (2**31)
    ports = [_ports(wiring, k) for k in range(len(CLASSES))]
    cells = _make_cells(nest, wiring, condition, ports, dt_ms, tolerance)
    _connect(nest, wiring, condition, ports, dt_ms)
    feeds = nest.Create("poisson_generator", len(rates))
    lag = _steps(wiring.delay_ms, dt_ms).min() * dt_ms if len(wiring.delay_ms) else dt_ms
    for k, feed in enumerate(feeds):
        members = np.flatnonzero(wiring.population == k)
        to = int(wiring.cell_class[members[0]])
        nest.Connect(
            feed,
            cells[members.tolist()],
            syn_spec={
                "weight": _peak(network.arrival_nS(CLASSES[to]), wiring.decay_ms[0, to]),
                "delay": float(lag),
                "receptor_type": ports[to][0],
            },
        )
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    return NestMotif(nest, cells, recorder, feeds, wiring, condition)


def run_nest_motif(motif: NestMotif, duration_s: float) -> tuple[FloatArray, IntArray]:
    """Simulate, and give spike times (s) and cells, in the order of time.

    Raises:
        DivergenceError: a population above 250 Hz, or a potential that NEST cannot integrate.
    """
    nest, wiring = motif.nest, motif.wiring
    together = [wiring.network.afferents(name).synchrony for name in CLASSES]
    kinds = [int(wiring.cell_class[wiring.population == k][0]) for k in range(len(motif.feeds))]
    for start_ms, length_ms in _segments(motif.condition, 1e3 * duration_s):
        rates = motif.condition.external_khz(wiring, start_ms)
        motif.feeds.rate = [
            float(1e3 * rate / together[kind]) for rate, kind in zip(rates, kinds, strict=True)
        ]
        try:
            nest.Simulate(length_ms)
        except nest.NESTError as error:
            raise DivergenceError(
                f"NEST cannot integrate the network of seed {wiring.seed} beyond {start_ms:.0f} "
                f"ms ({error}); lower the recurrent excitation or the input"
            ) from error
    events = motif.recorder.events
    when = 1e-3 * (np.asarray(events["times"], dtype=np.float64) - nest.resolution)
    who = np.asarray(events["senders"], dtype=np.int64) - int(motif.cells[0].global_id)
    order = np.argsort(when, kind="stable")
    _check_rates(wiring, when[order], who[order], duration_s)
    return when[order], who[order]


def _ports(wiring: Wiring, kind: int) -> dict[int, int]:
    """Receptor port (from 1) of each conductance that cells of a class have."""
    used = set(wiring.receptor[wiring.cell_class[wiring.post] == kind].tolist()) | {0}
    if kind == 0 and wiring.network.nmda_ratio > 0:
        used.add(_NMDA)
    return {receptor: port for port, receptor in enumerate(sorted(used), start=1)}


def _decay(wiring: Wiring, receptor: int, kind: int) -> float:
    if receptor == _NMDA:
        return wiring.network.nmda_decay_ms
    return float(wiring.decay_ms[receptor, kind])


def _peak(g_nS: Any, decay_ms: float) -> Any:
    """Peak conductance of the rising kernel that has the area of an exponential one."""
    return g_nS * decay_ms / kernel_area(RISE_MS, decay_ms)


def _steps(delay_ms: FloatArray, dt_ms: float) -> IntArray:
    """Delays in time steps, less the rise of the conductance, which delays it on the mean."""
    return np.maximum(np.rint((delay_ms - RISE_MS) / dt_ms), 1).astype(np.int64)


def _make_cells(
    nest: Any,
    wiring: Wiring,
    condition: Condition,
    ports: Sequence[dict[int, int]],
    dt_ms: float,
    tolerance: float,
) -> Any:
    """All cells in the order of the wiring.

    Brian counts the step of a spike as the first of the refractory ones, NEST does not. NEST cuts
    the upstroke where it is too steep to follow, `LARGEST_EXPONENT` slopes above V_T.
    """
    network = wiring.network
    table = dict(zip(PARAMETER_NAMES, wiring.parameters.T, strict=True))
    excitable = wiring.cell_class == 0
    table["b"] = np.where(excitable, condition.context.adaptation, 1.0) * table["b"]
    table["V_peak"] = np.minimum(
        table["V_peak"], table["V_T"] + LARGEST_EXPONENT * table["Delta_T"]
    )
    pause = (table["refractory"] / dt_ms + 1e-3).astype(int) - 1
    made = []
    for kind in range(len(CLASSES)):
        members = np.flatnonzero(wiring.cell_class == kind)
        receptors = list(ports[kind])
        shared = {
            "E_rev": [network.E_exc if r in (0, _NMDA) else network.E_inh for r in receptors],
            "tau_decay": [_decay(wiring, r, kind) for r in receptors],
            "tau_rise": [RISE_MS] * len(receptors),
            "gsl_error_tol": tolerance,
        }
        group = nest.Create("aeif_cond_beta_multisynapse", len(members), params=shared)
        group.set(
            [
                {name: float(table[ours][i]) for ours, name in _NEST_NAMES.items()}
                | {"t_ref": max(int(pause[i]), 1) * dt_ms, "V_m": float(wiring.initial_mV[i])}
                for i in members
            ]
        )
        made.append(group)
    cells = made[0]
    for group in made[1:]:
        cells = cells + group
    return cells


def _connect(
    nest: Any,
    wiring: Wiring,
    condition: Condition,
    ports: Sequence[dict[int, int]],
    dt_ms: float,
) -> None:
    """Synapses by pair of classes; those without effect are left out."""
    sender, receiver = wiring.cell_class[wiring.pre], wiring.cell_class[wiring.post]
    factor = condition.release_factors(wiring)[wiring.pre, receiver]
    delay = dt_ms * _steps(wiring.delay_ms, dt_ms)
    for pre, post in np.ndindex(len(CLASSES), len(CLASSES)):
        chosen = np.flatnonzero((sender == pre) & (receiver == post) & (factor > 0))
        if not len(chosen):
            continue
        receptor = int(wiring.receptor[chosen[0]])
        targets = {receptor: 1.0}
        if pre == post == 0 and wiring.network.nmda_ratio > 0:
            targets[_NMDA] = wiring.network.nmda_ratio
        U, tau_d, tau_f = (float(v) for v in wiring.plasticity[pre, post])
        plastic = not (U == 1 and tau_d == 0)
        model: dict[str, Any] = {"synapse_model": "static_synapse"}
        if plastic:
            recovery = {"tau_rec": max(tau_d, 1e-3), "tau_fac": tau_f}
            model = {"synapse_model": "tsodyks2_synapse", "U": U, "u": U, "x": 1.0} | recovery
        for which, share in targets.items():
            peak = _peak(share * wiring.weight_nS[chosen], _decay(wiring, which, post))
            nest.Connect(
                wiring.pre[chosen].astype(np.int64) + 1,
                wiring.post[chosen].astype(np.int64) + 1,
                "one_to_one",
                model
                | {
                    "weight": peak * factor[chosen] / (U if plastic else 1.0),
                    "delay": delay[chosen],
                    "receptor_type": np.full(len(chosen), ports[post][which]),
                },
            )


def _segments(condition: Condition, duration_ms: float) -> Iterator[tuple[float, float]]:
    """Start and length (ms) of the stretches of constant drive, in order."""
    drive = np.atleast_2d(np.asarray(condition.drive_khz, dtype=np.float64))
    changes = 1 + np.flatnonzero((np.diff(drive, axis=0) != 0).any(axis=1))
    edges = [0.0, *(DRIVE_BIN_MS * changes), duration_ms]
    edges = sorted(edge for edge in set(edges) if edge <= duration_ms)
    for start, stop in pairwise(edges):
        yield float(start), float(stop - start)


def _check_rates(wiring: Wiring, when: FloatArray, who: IntArray, duration_s: float) -> None:
    """Raises where a population runs away, as the guard of the Brian network does."""
    n = len(wiring.populations)
    windows = int(np.ceil(1e3 * duration_s / CHECK_EVERY_MS))
    window = np.minimum((1e3 * when / CHECK_EVERY_MS).astype(int), windows - 1)
    counts = np.bincount(window * n + wiring.population[who], minlength=windows * n)
    sizes = np.bincount(wiring.population, minlength=n)
    rates = counts.reshape(windows, n) / sizes / (CHECK_EVERY_MS / 1e3)
    if rates.max() > RUNAWAY_HZ:
        at, worst = np.unravel_index(int(rates.argmax()), rates.shape)
        raise DivergenceError(
            f"{wiring.populations[int(worst)]} fires at {rates.max():.0f} Hz at "
            f"{(int(at) + 1) * CHECK_EVERY_MS:.0f} ms, in the network of seed {wiring.seed}; lower "
            "the recurrent excitation or the input, or raise inhibition"
        )
