"""What the spiking motif costs: build, compile and run apart, against copies, size and NEST.

Run with ``python benchmarks/circuit.py [--quick] [--processes 2] [--figure cost.png]``. The first
table has a row per number of copies, the second one per network size, the last line is the target:
20 conditions of 2 s. CPU seconds per copy and simulated second do not depend on what else the
machine does.

``--peer`` runs Brian 2 and NEST on the same networks instead, one copy at a time, in turn and
single-threaded, and prints the ratio of their run times and how far the rates agree.
``--nest-record`` runs NEST and rewrites the rates that the package ships. ``--fit`` fits the inputs
and the free factors to rates once more, from those of the package on, and prints both.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

import swta.circuit
from swta.circuit.brian_motif import build_motif
from swta.circuit.calibration import fit_rates
from swta.circuit.conditions import RUNNING, Condition
from swta.circuit.nest_motif import TOLERANCE, build_nest_motif, run_nest_motif
from swta.circuit.network import AFFERENT_FIELDS, Network
from swta.circuit.pathways import tabulate_adjustments
from swta.circuit.peer import (
    STATES,
    PeerExperiment,
    PopulationRates,
    compare_rates,
    measure_rate_error,
)
from swta.circuit.peer_record import SHIPPED, record_nest_rates
from swta.circuit.spiking import simulate_spiking
from swta.circuit.spiking_experiments import Trials
from swta.circuit.wiring import Wiring, build_wiring

COPIES = (1, 2, 4, 8, 16)
SIZES = (312, 625, 1250, 2500, 5000)
LOOSE = 0.1  # NEST's tolerance at its fastest: larger ones save no more time
Parts = dict[str, float]
Spikes = tuple[np.ndarray, np.ndarray]


def drives(number: int, n_units: int) -> list[Condition]:
    """Conditions with a strong unit and a rival of different strength."""
    rows = np.zeros((number, n_units))
    rows[:, 0] = 1.8
    rows[:, 1] = np.linspace(0, 1.8, number)
    return [Condition(row) for row in rows]


def time_parts(network: Network, copies: int, duration_s: float) -> Parts:
    """Seconds for wiring, for building the Brian objects, for the first step, and for the run."""
    start = perf_counter()
    wiring = build_wiring(network, seed=0)
    wired = perf_counter()
    pairs = [(wiring, condition) for condition in drives(copies, network.n_units)]
    parts, spikes = time_brian(pairs, duration_s)
    numbers = {"synapses": len(wiring.pre) * copies, "spikes": len(spikes[0])}
    return {"wiring": wired - start} | parts | numbers


def time_brian(pairs: list[tuple[Wiring, Condition]], duration_s: float) -> tuple[Parts, Spikes]:
    """Seconds for Brian 2 to build, take a first step, and run, and the spikes."""
    import brian2 as b2

    b2.seed(0)
    start = perf_counter()
    motif = build_motif(pairs, dt_ms=0.1, compiled=None)
    built = perf_counter()
    motif.network.run(0.1 * b2.ms, namespace={})
    first, cpu = perf_counter(), process_time()
    motif.network.run(duration_s * b2.second, namespace={})
    done, cpu = perf_counter(), process_time() - cpu
    parts = {"build": built - start, "first step": first - built, "run": done - first, "cpu": cpu}
    return parts, (np.array(motif.spikes.t_), np.array(motif.spikes.i))


def time_nest(
    wiring: Wiring, condition: Condition, duration_s: float, tolerance: float
) -> tuple[Parts, Spikes]:
    """Seconds for NEST to build and run one copy, and the spikes."""
    start = perf_counter()
    motif = build_nest_motif(wiring, condition, seed=[wiring.seed], tolerance=tolerance)
    built, cpu = perf_counter(), process_time()
    spikes = run_nest_motif(motif, duration_s)
    done, cpu = perf_counter(), process_time() - cpu
    return {"build": built - start, "run": done - built, "cpu": cpu}, spikes


def print_row(label: str, copies: int, duration_s: float, parts: Parts) -> float:
    """One line of a table; CPU seconds per copy and simulated second."""
    per_copy = parts["cpu"] / copies / duration_s
    print(
        f"{label:>14s} {copies:6d} {parts['wiring']:8.2f} {parts['build']:8.2f} "
        f"{parts['first step']:10.2f} {parts['run']:8.2f} {per_copy:15.3f} "
        f"{parts['synapses'] / 1e6:10.2f} {parts['spikes'] / 1e3:9.0f}",
        flush=True,
    )
    return per_copy


def compile_from_nothing() -> float:
    """Seconds for a tiny run with an empty cache of compiled code, less that with a full one."""
    import brian2 as b2

    wiring = build_wiring(Network(n_cells=60, n_units=2), seed=0)
    before = b2.prefs.codegen.runtime.cython.cache_dir
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        b2.prefs.codegen.runtime.cython.cache_dir = folder
        try:
            for _ in range(2):
                start = perf_counter()
                simulate_spiking([wiring], drives(1, 2), duration_s=0.01, seed=0)
                seconds.append(perf_counter() - start)
        finally:
            b2.prefs.codegen.runtime.cython.cache_dir = before
    return seconds[0] - seconds[1]


def measure_cost(duration_s: float, processes: int) -> tuple[list[float], list[float]]:
    """CPU seconds per copy and simulated second, by `COPIES` and by `SIZES`; prints the tables."""
    network = Network()
    head = (
        f"{'':>14s} copies   wiring    build first step      run CPU s/(copy·s)  Msynapses  kspikes"
    )
    simulate_spiking([build_wiring(network, seed=0)], drives(1, 4), duration_s=0.01, seed=0)
    print(head)
    by_copies = [
        print_row("1,250 cells", n, duration_s, time_parts(network, n, duration_s)) for n in COPIES
    ]
    print(head)
    by_size = [
        print_row(f"{n:,} cells", 2, duration_s, time_parts(one, 2, duration_s))
        for n in SIZES
        for one in [replace(network, n_cells=n)]
    ]
    wiring = build_wiring(network, seed=0)
    start = perf_counter()
    simulate_spiking([wiring], drives(20, 4), duration_s=2.0, seed=0, processes=processes)
    seconds = perf_counter() - start
    print(
        f"20 conditions of 2 s, {processes} processes: {seconds:.1f} s "
        f"(target 90 s; load average {os.getloadavg()[0]:.1f})"
    )
    return by_copies, by_size


def measure_peer(experiment: PeerExperiment) -> None:
    """Time Brian 2 and NEST in turn on each network and state; print ratios and rates."""
    os.environ["OMP_NUM_THREADS"] = "1"  # NEST reads it when it is imported
    duration = experiment.settle_s + experiment.measure_s
    wirings, conditions = experiment.wirings(), experiment.conditions
    runs: dict[str, Callable[[Wiring, Condition], tuple[Parts, Spikes]]] = {
        "Brian 2": lambda w, c: time_brian([(w, c)], duration),
        f"NEST, {LOOSE:g}": lambda w, c: time_nest(w, c, duration, LOOSE),
        f"NEST, {TOLERANCE:g}": lambda w, c: time_nest(w, c, duration, TOLERANCE),
    }
    spent = {name: {"build": 0.0, "first step": 0.0, "run": 0.0, "cpu": 0.0} for name in runs}
    shape = (len(STATES), len(wirings), len(wirings[0].populations))
    rates = {name: np.zeros(shape) for name in runs}
    runs["Brian 2"](wirings[0], conditions[0])  # compiles
    for c, condition in enumerate(conditions):
        for w, wiring in enumerate(wirings):
            for name, run in runs.items():
                parts, (when, who) = run(wiring, condition)
                for part, seconds in parts.items():
                    spent[name][part] += seconds
                late = wiring.population[who[when >= experiment.settle_s]]
                sizes = np.bincount(wiring.population)
                rates[name][c, w] = np.bincount(late, minlength=shape[2]) / sizes
    print(
        f"{len(wirings)} networks of {wirings[0].n_cells:,} cells, {len(conditions)} states of "
        f"{duration:g} s, one copy at a time in turn, single-threaded\n"
        f"{'':>14s}    build first step      run  CPU s/(copy·s)  Brian 2 over this: run, CPU"
    )
    for name, parts in spent.items():
        per_copy = parts["cpu"] / shape[0] / shape[1] / duration
        print(
            f"{name:>14s} {parts['build']:8.2f} {parts['first step']:10.2f} {parts['run']:8.2f} "
            f"{per_copy:15.3f} {spent['Brian 2']['run'] / parts['run']:23.3f} "
            f"{spent['Brian 2']['cpu'] / parts['cpu']:.3f}"
        )
    pairs = [(w, c) for c in conditions for w in wirings]
    batch, _ = time_brian(pairs, duration)
    print(
        f"Brian 2, the {len(pairs)} copies as one run: build {batch['build']:.2f} s, run "
        f"{batch['run']:.2f} s, {batch['cpu'] / len(pairs) / duration:.3f} CPU s/(copy·s)"
    )
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    brian, *nest = (
        PopulationRates(
            name,
            STATES,
            experiment.wiring_seeds,
            wirings[0].populations,
            one / experiment.measure_s,
        )
        for name, one in rates.items()
    )
    for one in nest:
        table = compare_rates(brian, one)
        error = measure_rate_error(table)
        print(table.to_string(index=False, float_format="{:.3f}".format))
        print(
            f"{error.n_agree} of {error.n_compared} within 10 % or 2 s.e.m.; worst "
            f"{error.worst:.2f} of that, {error.worst_at}; largest deviation "
            f"{100 * error.deviation:.0f} %, {error.deviation_at}\n"
        )


def print_fit(steps: int, processes: int) -> None:
    """Fit the default network to rates at the drive of the experiments; print what it found."""
    start = perf_counter()
    fit = fit_rates(Network(), RUNNING, Trials().drive_khz, steps=steps, processes=processes)
    print(fit.tabulate().to_string(index=False, float_format="{:.3g}".format))
    for name, field in AFFERENT_FIELDS.items():
        inputs = fit.network.afferents(name)
        print(
            f"{field}: {inputs.background_khz:g} kHz and {inputs.shared_gain:g} of the summed drive"
        )
    print(tabulate_adjustments(fit.network.adjustments).to_string(index=False))
    print(
        f"VIP cells when running: {fit.running.vip_khz:g} kHz more; misfit {fit.misfit:.1f}, "
        f"{fit.runs} runs, {perf_counter() - start:.0f} s"
    )


def draw_cost(by_copies: list[float], by_size: list[float], path: Path) -> None:
    """Cost against copies and against cells, as a PNG."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    with plt.style.context("swta.paper.swta"):
        figure, (left, right) = plt.subplots(1, 2, figsize=(7, 2.8), layout="constrained")
        left.plot(COPIES, by_copies, marker="o")
        left.set(xlabel="copies in one run", ylabel="CPU s per copy and simulated s")
        left.set_xscale("log", base=2)
        left.set_ylim(bottom=0)
        left.set_xticks(COPIES, [str(n) for n in COPIES])
        left.set_title("1,250 cells a copy")
        right.loglog(SIZES, by_size, marker="o", label="measured")
        middle = by_size[2] * np.array(SIZES) / SIZES[2]
        right.loglog(SIZES, middle, linestyle=":", color="0.5", label="proportional")
        right.minorticks_off()
        ticks = 2.0 ** np.arange(-3, 4)
        right.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        right.set_ylim(min(by_size) / 2, max(by_size) * 1.5)
        right.set_xticks(SIZES, [f"{n:,}" for n in SIZES])
        right.set(xlabel="cells of a copy", ylabel="CPU s per copy and simulated s")
        right.set_title("2 copies")
        right.legend()
        figure.savefig(path, dpi=200)
        plt.close(figure)
    print(f"wrote {path}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="short runs, for a look")
    parser.add_argument("--processes", type=int, default=2, help="for the target")
    parser.add_argument("--compile", action="store_true", help="also time an empty compiler cache")
    parser.add_argument("--figure", type=Path, help="PNG of the cost against copies and size")
    parser.add_argument("--peer", action="store_true", help="Brian 2 against NEST instead")
    parser.add_argument(
        "--nest-record", action="store_true", help="rewrite the recorded NEST rates"
    )
    parser.add_argument(
        "--fit", action="store_true", help="fit inputs and factors to rates instead"
    )
    parser.add_argument(
        "--tolerance", type=float, default=TOLERANCE, help="of NEST for --nest-record"
    )
    arguments = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    if arguments.nest_record:
        path = Path(swta.circuit.__file__).parent / SHIPPED
        start = perf_counter()
        record_nest_rates(path, tolerance=arguments.tolerance)
        print(f"wrote {path} in {perf_counter() - start:.0f} s")
        return
    if arguments.fit:
        print_fit(1 if arguments.quick else 6, arguments.processes)
        return
    if arguments.peer:
        short = PeerExperiment(measure_s=0.3, settle_s=0.2, seeds=2)
        measure_peer(short if arguments.quick else PeerExperiment(measure_s=1.0))
        return
    if arguments.compile:
        print(f"compiling from an empty cache: {compile_from_nothing():.1f} s")
    costs = measure_cost(0.3 if arguments.quick else 1.0, arguments.processes)
    if arguments.figure is not None:
        draw_cost(*costs, arguments.figure)


if __name__ == "__main__":
    main()
