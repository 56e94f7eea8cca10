"""What the spiking motif costs: build, compile and run apart, against copies and size.

Run with ``python benchmarks/circuit.py [--quick] [--processes 2]``. The first table has a row
per number of copies, the second one per network size, the last line is the target: 20 conditions
of 2 s.
CPU seconds per copy and simulated second do not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import replace
from time import perf_counter, process_time

import numpy as np

from swta.circuit.brian_motif import build_motif
from swta.circuit.conditions import Condition
from swta.circuit.network import Network
from swta.circuit.spiking import simulate_spiking
from swta.circuit.wiring import build_wiring


def drives(number: int, n_units: int) -> list[Condition]:
    """Conditions with a strong unit and a rival of different strength."""
    rows = np.zeros((number, n_units))
    rows[:, 0] = 1.8
    rows[:, 1] = np.linspace(0, 1.8, number)
    return [Condition(row) for row in rows]


def time_parts(network: Network, copies: int, duration_s: float) -> dict[str, float]:
    """Seconds for wiring, for building the Brian objects, for the first step, and for the run."""
    import brian2 as b2

    start = perf_counter()
    wiring = build_wiring(network, seed=0)
    wired = perf_counter()
    pairs = [(wiring, condition) for condition in drives(copies, network.n_units)]
    motif = build_motif(pairs, dt_ms=0.1, compiled=None)
    built = perf_counter()
    motif.network.run(0.1 * b2.ms, namespace={})
    first = perf_counter()
    cpu = process_time()
    motif.network.run(duration_s * b2.second, namespace={})
    cpu = process_time() - cpu
    done = perf_counter()
    return {
        "wiring": wired - start,
        "build": built - wired,
        "first step": first - built,
        "run": done - first,
        "cpu": cpu,
        "synapses": len(wiring.pre) * copies,
        "spikes": int(motif.spikes.num_spikes),
    }


def print_row(label: str, copies: int, duration_s: float, parts: dict[str, float]) -> None:
    """One line of a table."""
    per_copy = parts["cpu"] / copies / duration_s
    print(
        f"{label:>14s} {copies:6d} {parts['wiring']:8.2f} {parts['build']:8.2f} "
        f"{parts['first step']:10.2f} {parts['run']:8.2f} {per_copy:15.3f} "
        f"{parts['synapses'] / 1e6:10.2f} {parts['spikes'] / 1e3:9.0f}",
        flush=True,
    )


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs, for a look")
    parser.add_argument("--processes", type=int, default=2, help="for the target")
    parser.add_argument("--compile", action="store_true", help="also time an empty compiler cache")
    arguments = parser.parse_args()
    duration = 0.3 if arguments.quick else 1.0
    network = Network()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    if arguments.compile:
        print(f"compiling from an empty cache: {compile_from_nothing():.1f} s")
    simulate_spiking([build_wiring(network, seed=0)], drives(1, 4), duration_s=0.01, seed=0)
    head = (
        f"{'':>14s} copies   wiring    build first step      run CPU s/(copy·s)  Msynapses  kspikes"
    )
    print(head)
    for copies in (1, 2, 4, 8, 16):
        print_row("1,250 cells", copies, duration, time_parts(network, copies, duration))
    print(head)
    for n_cells in (312, 625, 1250, 2500, 5000):
        one = replace(network, n_cells=n_cells)
        print_row(f"{n_cells:,} cells", 2, duration, time_parts(one, 2, duration))
    wiring = build_wiring(network, seed=0)
    start = perf_counter()
    simulate_spiking([wiring], drives(20, 4), duration_s=2.0, seed=0, processes=arguments.processes)
    seconds = perf_counter() - start
    print(
        f"20 conditions of 2 s, {arguments.processes} processes: {seconds:.1f} s "
        f"(target 90 s; load average {os.getloadavg()[0]:.1f})"
    )


if __name__ == "__main__":
    main()
