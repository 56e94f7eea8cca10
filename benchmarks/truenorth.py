"""Speed and memory of the TrueNorth emulator, and of SANA-FE on the same kind of network.

The network is the usual one: pacemakers of about 20 Hz (leak 1, thresholds 34 to 66, linear
reset), crossbars half full, weights of ±1, every neuron on an axon of its own somewhere on the
chip, delays of 1 to 15 ticks. Run it as

    python benchmarks/truenorth.py --cores 64 512 1024 4096 --threads 1 2 --peer

``--mixed`` gives every neuron leak, weights and negative threshold of its own, so that cores share
no parameters. ``--rates 0 10 20 50 136 396`` measures speed against activity on the largest chip,
and prints it as CSV beside the limits that memory and arithmetic set (``LIMITS``).

On a machine that others use too, ``cpu ms`` says more than the speed: processor time of a tick in
milliseconds, all threads together, in the run that needed least.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np

from swta.truenorth import Chip
from swta.truenorth.workload import LIMITS, build_load, draw_load


class Measured(NamedTuple):
    """Speed of a chip, the best of several runs."""

    first: float  # s, first call
    speed: float  # ticks/s
    events: float  # synaptic events/s at that speed
    rate: float  # Hz, mean of all neurons
    cpu: float  # s, processor time of a tick, least of the runs


def measure(chip: Chip, threads: int, seconds: float) -> Measured:
    """Time a chip in five runs that together take some ``seconds``."""
    start = time.perf_counter()
    chip.run([], 1, threads=threads)
    first = time.perf_counter() - start
    start = time.perf_counter()
    chip.run([], 16, threads=threads)
    n_ticks = max(16, int(seconds / 5 * 16 / (time.perf_counter() - start)))
    best, events, spikes, cpu = 0.0, 0.0, 0, np.inf
    for _ in range(5):
        before, spent = chip.synaptic_events, time.process_time()
        start = time.perf_counter()
        raster = chip.run([], n_ticks, threads=threads)
        speed = n_ticks / (time.perf_counter() - start)
        cpu = min(cpu, (time.process_time() - spent) / n_ticks)
        spikes += len(raster.events)
        if speed > best:
            best, events = speed, (chip.synaptic_events - before) / n_ticks * speed
    rate = 1000 * spikes / (5 * n_ticks * chip.n_cores * 256)
    return Measured(first, best, events, rate, cpu)


def measure_activity(
    n_cores: int, rates: list[float], threads: int, seconds: float, *, mixed: bool
) -> None:
    """Print speed against activity as CSV, and the limits."""
    print("cores,threads,rate_hz,ticks_per_s,events_per_s,us_per_tick")
    for rate in rates:
        chip = build_load(draw_load(n_cores, mixed=mixed, rate=rate))
        chip.run([], 64, threads=1)
        got = measure(chip, threads, seconds)
        print(
            f"{n_cores},{threads},{got.rate:.1f},{got.speed:.0f},{got.events:.4g},"
            f"{1e6 / got.speed:.1f}"
        )
    for name, limit in LIMITS.items():
        print(f"# limit of 4096 cores at 20 Hz, two threads, {name}: {limit} ticks/s")


def measure_peer(n_cores: int, seconds: float) -> tuple[float, float, float]:
    """Return build time (s), ticks/s and synaptic events/s of SANA-FE (delay 1, one thread)."""
    import sanafe

    arrays = draw_load(n_cores)
    start = time.perf_counter()
    architecture = sanafe.load_arch(Path(sanafe.__file__).parent / "examples" / "truenorth.yaml")
    net = sanafe.Network()
    attributes = {
        "bias": 1.0,
        "leak": 0.0,
        "reset_mode": "soft",
        "reverse_threshold": -100.0,
        "reverse_reset_mode": "saturate",
        "force_update_every_timestep": True,
    }
    groups = [
        net.create_neuron_group(f"core{c}", 256, attributes, "core_synapses", "core_dendrites",
                                False, False, "core_soma")
        for c in range(n_cores)
    ]  # fmt: skip
    crossbar = np.unpackbits(arrays["crossbar"], axis=2).astype(bool)
    for c, (group, hardware) in enumerate(zip(groups, architecture.cores(), strict=False)):
        group.map_to_core(hardware)
        for j, neuron in enumerate(group.neurons):
            neuron.set_attributes(model_attributes={"threshold": float(arrays["threshold"][c, j])})
            to, axon = int(arrays["target_core"][c, j]), int(arrays["target_axon"][c, j])
            hit = np.flatnonzero(crossbar[to, axon]).tolist()
            weight = float(1 - 2 * arrays["axon_type"][to, axon])
            pairs = [(j, k) for k in hit]
            group.connect_neurons_sparse(groups[to], {"weight": [weight] * len(hit)}, pairs)
    chip = sanafe.SpikingChip(architecture)
    chip.load(net)
    built = time.perf_counter() - start
    options = {"timing_model": "simple", "processing_threads": 1}
    chip.sim(60, **options)  # past the common start
    n_ticks, elapsed, delivered = 0, 0.0, 0
    while elapsed < seconds:
        start = time.perf_counter()
        delivered += chip.sim(100, **options)["spikes"]
        elapsed += time.perf_counter() - start
        n_ticks += 100
    return built, n_ticks / elapsed, delivered / elapsed


def peak_memory() -> float:
    """Return the largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cores", type=int, nargs="+", default=[64, 256], metavar="N")
    parser.add_argument("--threads", type=int, nargs="+", default=[1], metavar="N")
    parser.add_argument("--seconds", type=float, default=2.0, help="time to measure each case")
    parser.add_argument("--mixed", action="store_true", help="no parameters shared by cores")
    parser.add_argument("--rates", type=float, nargs="+", metavar="HZ", help="against activity")
    parser.add_argument("--peer", action="store_true", help="also run SANA-FE (package sanafe)")
    parser.add_argument("--peer-cores", type=int, default=64, metavar="N")
    options = parser.parse_args()
    print(
        f"{numba.config.NUMBA_NUM_THREADS} threads at most, "
        f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    )
    print(
        f"{'cores':>6} {'threads':>7} {'build s':>8} {'first s':>8} {'ticks/s':>9} "
        f"{'real time':>9} {'cpu ms':>7} {'events/s':>10} {'Hz':>5} {'chip MB':>8} {'peak MB':>8}"
    )
    for n_cores in sorted(options.cores):
        arrays = draw_load(n_cores, mixed=options.mixed)
        start = time.perf_counter()
        chip = build_load(arrays)
        built = time.perf_counter() - start
        del arrays
        chip.run([], 64, threads=1)
        for threads in options.threads:
            got = measure(chip, threads, options.seconds)
            print(
                f"{n_cores:6d} {threads:7d} {built:8.2f} {got.first:8.2f} {got.speed:9.0f} "
                f"{got.speed / 1000:9.2f} {1e3 * got.cpu:7.3f} {got.events:10.3g} {got.rate:5.1f} "
                f"{chip.nbytes / 2**20:8.1f} {peak_memory():8.0f}",
                flush=True,
            )
    if options.rates:
        largest, threads = max(options.cores), max(options.threads)
        measure_activity(largest, options.rates, threads, options.seconds, mixed=options.mixed)
    if options.peer:
        if find_spec("sanafe") is None:
            parser.error("--peer needs the package sanafe: pip install swta[peers]")
        if options.mixed:
            parser.error("--peer compares the unmixed network; leave out --mixed")
        chip = build_load(draw_load(options.peer_cores))
        chip.run([], 64, threads=1)
        own = measure(chip, 1, options.seconds).speed
        built, speed, events = measure_peer(options.peer_cores, options.seconds)
        print(
            f"SANA-FE, {options.peer_cores} cores: build {built:.1f} s, {speed:.0f} ticks/s, "
            f"{events:.3g} events/s. Ratio of one thread to one thread {own / speed:.0f}"
        )


if __name__ == "__main__":
    main()
