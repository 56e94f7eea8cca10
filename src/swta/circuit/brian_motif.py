"""The spiking motif in Brian 2: many conditions and seeds as one block-diagonal network.

Every cell is an AdEx neuron (``swta.cells.adex``) with conductance synapses,

    C dV/dt = I_AdEx + (g_A + g_N / (1 + [Mg] e^(-0.062 V) / 3.57)) (E_exc - V)
              + (g_F + g_S + g_V) (E_inh - V),      dg/dt = -g / tau,

a Poisson input, and short-term plasticity after Tsodyks and Markram (1997). All synapses from one
cell to one class share their history, so plasticity is kept once per cell and class. That is
exact, and cheaper than once per synapse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from swta.cells.adex import LARGEST_EXPONENT, PARAMETER_NAMES
from swta.cells.classes import CLASSES
from swta.circuit.conditions import DRIVE_BIN_MS, Condition
from swta.circuit.pathways import RECEPTOR_OF
from swta.circuit.rate import DivergenceError
from swta.circuit.wiring import Wiring

FloatArray = NDArray[np.float64]

RUNAWAY_HZ = 250.0  # mean rate of a population that no cortical class holds
CHECK_EVERY_MS = 50.0
_TO = range(len(CLASSES))
_CONSTANT = ("C", "g_L", "E_L", "V_T", "Delta_T", "tau_w", "a", "b", "V_reset", "V_peak")

EQUATIONS = f"""
dV/dt = (-g_L * (V - E_L) + g_L * Delta_T * exp(clip((V - V_T) / Delta_T, -largest, largest)) - w
         + (g_A + g_N / (1 + block * exp(-0.062 * V))) * (E_exc - V)
         + (g_F + g_S + g_V) * (E_inh - V)) / C / ms : 1 (unless refractory)
dw/dt = (a * (clip(V, -200, V_peak) - E_L) - w) / tau_w / ms : 1
dg_A/dt = -g_A / tau_A / ms : 1
dg_N/dt = -g_N / tau_N / ms : 1
dg_F/dt = -g_F / tau_F / ms : 1
dg_S/dt = -g_S / tau_S / ms : 1
dg_V/dt = -g_V / tau_V / ms : 1
{"".join(f"{name} : 1 (constant){chr(10)}" for name in _CONSTANT)}
t_spike : second (constant)
tau_A : 1 (constant)
tau_F : 1 (constant)
tau_S : 1 (constant)
tau_V : 1 (constant)
slow : 1 (constant)
fast_out : 1 (constant)
slow_out : 1 (constant)
volume_out : 1 (constant)
g_X : 1 (constant)
arrivals : 1
last : second
""" + "".join(
    f"""
factor_{k} : 1 (constant)
U_{k} : 1 (constant)
tau_d_{k} : 1 (constant)
tau_f_{k} : 1 (constant)
u_{k} : 1
x_{k} : 1
release_{k} : 1
"""
    for k in _TO
)
RESET = (
    "V = V_reset\nw += b\n"
    + "".join(
        f"""
u_{k} = U_{k} + (1 - U_{k}) * u_{k} * exp(-(t - last) / ms / tau_f_{k})
x_{k} = 1 - (1 - x_{k}) * exp(-(t - last) / ms / tau_d_{k})
release_{k} = factor_{k} * u_{k} * x_{k} / U_{k}
x_{k} *= 1 - u_{k}
"""
        for k in _TO
    )
    + "last = t"
)
_RELEASE = "weight * (" + " + ".join(f"release_{k}_pre * int(to == {k})" for k in _TO) + ")"
EXCITE = f"amount = {_RELEASE}\ng_A_post += amount\ng_N_post += slow_post * amount"
INHIBIT = (
    f"amount = {_RELEASE}\ng_F_post += fast_out_pre * amount\n"
    "g_S_post += slow_out_pre * amount\ng_V_post += volume_out_pre * amount"
)


Job = tuple[list[Wiring], list[Condition], float, list[int], float, bool | None, bool]


class Motif(NamedTuple):
    """The Brian objects of a run."""

    network: Any
    cells: Any
    spikes: Any
    diverged: dict[int, str]  # what went wrong, by copy; filled by the run


def run_copies(job: Job) -> tuple[FloatArray, NDArray[np.int64], dict[int, str]]:
    """Spike times (s) and cell numbers of all copies, counted through, and which diverged."""
    wirings, conditions, duration_s, seed, dt_ms, compiled, stop = job
    import brian2 as b2

    copies = list(zip(wirings, conditions, strict=True))
    motif = build_motif(copies, dt_ms=dt_ms, compiled=compiled, stop=stop)
    with _random_state(b2, seed):
        motif.network.run(duration_s * b2.second, namespace={})
    cells = np.array(motif.spikes.i, dtype=np.int64)
    return np.array(motif.spikes.t_), cells, motif.diverged


def build_motif(
    copies: Sequence[tuple[Wiring, Condition]],
    *,
    dt_ms: float,
    compiled: bool | None,
    stop: bool = True,
) -> Motif:
    """Brian objects of a block-diagonal network, one block per wiring and condition.

    Args:
        dt_ms: time step, ms.
        compiled: as in ``simulate_spiking``.
        stop: whether a copy that diverges ends the run, or is cut off from its synapses.
    """
    # Brian takes seconds to import, and users of wirings and tables need none of it.
    import brian2 as b2

    code = code_class(compiled)
    first, _ = copies[0]
    clock = b2.Clock(dt=dt_ms * b2.ms)
    cells = b2.NeuronGroup(
        len(copies) * first.n_cells,
        EQUATIONS,
        threshold="V > V_peak",
        reset=RESET,
        refractory="t_spike",
        method="euler",
        clock=clock,
        name="motif",
        namespace={
            "E_exc": first.network.E_exc,
            "E_inh": first.network.E_inh,
            "tau_N": first.network.nmda_decay_ms,
            "block": first.network.magnesium_mM / 3.57,
            "largest": LARGEST_EXPONENT,
        },
        codeobj_class=code,
    )
    cells.run_regularly(
        "g_A += g_X * poisson(arrivals)",
        when="start",
        name="motif_arrivals",
        codeobj_class=code,
    )
    _fill_cells(cells, copies)
    excite = _synapses(b2, cells, copies, True, clock, code)
    inhibit = _synapses(b2, cells, copies, False, clock, code)
    spikes = b2.SpikeMonitor(cells, name="motif_spikes", codeobj_class=code)
    feed = _feed(b2, cells, copies, dt_ms)
    diverged: dict[int, str] = {}
    guard = _guard(b2, cells, spikes, copies, diverged, stop)
    return Motif(b2.Network(cells, *excite, *inhibit, spikes, feed, guard), cells, spikes, diverged)


def code_class(compiled: bool | None) -> Any:
    """Brian's code generator: compiled, NumPy, or (None) compiled where a compiler is found."""
    from brian2.codegen.runtime.cython_rt import CythonCodeObject
    from brian2.codegen.runtime.numpy_rt import NumpyCodeObject

    if compiled is None:
        compiled = CythonCodeObject.is_available()
    return CythonCodeObject if compiled else NumpyCodeObject


@contextmanager
def _random_state(b2: Any, seed: list[int]) -> Iterator[None]:
    """Seed Brian, which draws from NumPy's global generator, and put that back afterwards."""
    state = np.random.get_state()  # noqa: NPY002
    b2.seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


def _fill_cells(cells: Any, copies: Sequence[tuple[Wiring, Condition]]) -> None:
    stacked = np.concatenate([w.parameters for w, _ in copies])
    kind = np.concatenate([w.cell_class for w, _ in copies])
    network = copies[0][0].network
    table = dict(zip(PARAMETER_NAMES, stacked.T, strict=True))
    adaptation = np.repeat([c.context.adaptation for _, c in copies], copies[0][0].n_cells)
    table["b"] = np.where(kind == 0, adaptation, 1.0) * table["b"]
    for name in _CONSTANT:
        setattr(cells, f"{name}_", table[name])
    cells.t_spike_ = 1e-3 * table["refractory"]
    decay, plasticity = copies[0][0].decay_ms, copies[0][0].plasticity
    for k, letter in enumerate("AFSV"):
        setattr(cells, f"tau_{letter}_", decay[k][kind])
    cells.slow_ = np.where(kind == 0, network.nmda_ratio, 0.0)
    receptor = np.array([RECEPTOR_OF[name] for name in CLASSES])[kind]
    for k, name in ((1, "fast_out"), (2, "slow_out"), (3, "volume_out")):
        setattr(cells, f"{name}_", (receptor == k).astype(float))
    cells.g_X_ = np.array([network.arrival_nS(name) for name in CLASSES])[kind]
    factors = np.concatenate([c.release_factors(w) for w, c in copies])
    for k in _TO:
        U, tau_d, tau_f = plasticity[kind, k].T
        setattr(cells, f"factor_{k}_", factors[:, k])
        setattr(cells, f"U_{k}_", U)
        setattr(cells, f"tau_d_{k}_", np.maximum(tau_d, 1e-3))
        setattr(cells, f"tau_f_{k}_", np.maximum(tau_f, 1e-3))
        setattr(cells, f"x_{k}_", np.ones(len(kind)))
    cells.V_ = np.concatenate([w.initial_mV for w, _ in copies])
    cells.last_ = -1e3


def _synapses(
    b2: Any,
    cells: Any,
    copies: Sequence[tuple[Wiring, Condition]],
    exciting: bool,
    clock: Any,
    code: Any,
) -> list[Any]:
    """The excitatory or the inhibitory synapses of all copies, in a list that may be empty."""
    parts = []
    for k, (wiring, _) in enumerate(copies):
        chosen = (wiring.receptor == 0) == exciting
        shift = k * wiring.n_cells
        pre, post = wiring.pre[chosen], wiring.post[chosen]
        parts.append(
            (
                pre + shift,
                post + shift,
                wiring.weight_nS[chosen],
                wiring.delay_ms[chosen],
                wiring.cell_class[post],
            )
        )
    pre, post, weight, delay, to = (np.concatenate([p[k] for p in parts]) for k in range(5))
    if not len(pre):
        return []
    synapses = b2.Synapses(
        cells,
        cells,
        "weight : 1 (constant)\nto : integer (constant)",
        on_pre=EXCITE if exciting else INHIBIT,
        clock=clock,
        name="motif_excitation" if exciting else "motif_inhibition",
        codeobj_class=code,
    )
    synapses.connect(i=pre, j=post)
    synapses.weight_ = weight
    synapses.to_ = to
    synapses.delay_ = 1e-3 * delay
    return [synapses]


def _feed(b2: Any, cells: Any, copies: Sequence[tuple[Wiring, Condition]], dt_ms: float) -> Any:
    """Keeps the mean number of arrivals per step up to date."""
    wiring = copies[0][0]
    place = np.concatenate(
        [w.population + k * len(w.populations) for k, (w, _) in enumerate(copies)]
    )
    synchrony = np.array([wiring.network.afferents(name).synchrony for name in CLASSES])
    together = synchrony[np.concatenate([w.cell_class for w, _ in copies])]
    seen: dict[str, FloatArray] = {}

    def update(t: Any) -> None:
        t_ms = 1e3 * float(t / b2.second)
        rates = np.concatenate([c.external_khz(wiring, t_ms) for _, c in copies])
        if "rates" not in seen or not np.array_equal(seen["rates"], rates):
            seen["rates"] = rates
            cells.arrivals_[:] = dt_ms * rates[place] / together

    return b2.NetworkOperation(update, dt=DRIVE_BIN_MS * b2.ms, when="start", order=-1)


def _guard(
    b2: Any,
    cells: Any,
    spikes: Any,
    copies: Sequence[tuple[Wiring, Condition]],
    diverged: dict[int, str],
    stop: bool,
) -> Any:
    """Ends a run that diverges, or cuts off the copy, naming population and time."""
    wiring = copies[0][0]
    n = len(wiring.populations)
    place = np.concatenate([w.population + k * n for k, (w, _) in enumerate(copies)])
    sizes = np.bincount(place)
    seen = {"spikes": 0}

    def check(t: Any) -> None:
        voltage = np.asarray(cells.V_[:])
        recent = np.bincount(place[np.asarray(spikes.i[seen["spikes"] :])], minlength=len(sizes))
        seen["spikes"] = int(spikes.num_spikes)
        rates = recent / sizes / (CHECK_EVERY_MS / 1e3)
        broken = np.bincount(place, ~np.isfinite(voltage)) > 0
        for worst in np.flatnonzero(broken | (rates > RUNAWAY_HZ)):
            copy, population = divmod(int(worst), n)
            if copy in diverged:
                continue
            what = "has no finite potential" if broken[worst] else f"fires at {rates[worst]:.0f} Hz"
            t_ms = 1e3 * float(t / b2.second)
            drive = np.array2string(copies[copy][1].drive_at(t_ms), precision=3)
            diverged[copy] = (
                f"{wiring.populations[population]} {what} at {t_ms:.0f} ms, in the network of seed "
                f"{copies[copy][0].seed} with a drive of {drive} kHz"
            )
            if stop:
                raise DivergenceError(
                    diverged[copy] + "; lower the recurrent excitation or the input, or raise "
                    "inhibition"
                )
            for k in _TO:
                members = slice(copy * wiring.n_cells, (copy + 1) * wiring.n_cells)
                getattr(cells, f"factor_{k}_")[members] = 0.0

    return b2.NetworkOperation(check, dt=CHECK_EVERY_MS * b2.ms, when="end")
