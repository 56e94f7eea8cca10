"""Speed and memory of the TrueNorth emulator, and of SANA-FE on the same kind of network.

The network is the usual one: pacemakers of about 20 Hz (leak 1, thresholds 34 to 66, linear
reset), crossbars half full, weights of ±1, every neuron on an axon of its own somewhere on the
chip, delays of 1 to 15 ticks. Run it as

    python benchmarks/truenorth.py --cores 64 512 1024 4096 --threads 1 2 --peer

``--mixed`` gives every neuron leak, weights and negative threshold of its own, so that cores share
no parameters. ``--rates 0 10 20 50 136 396`` measures speed against activity on the largest chip,
and prints it as CSV beside the limits that memory and arithmetic set (``LIMITS``).
"""

from __future__ import annotations

import argparse
import resource
import time
from importlib.util import find_spec
from pathlib import Path

import numba
import numpy as np

from swta.truenorth import Chip, Core, Neurons

LOW, HIGH = 34, 66  # periods in ticks
FIELDS = (
    "weights", "leak", "threshold", "negative_threshold", "potential",
    "target_core", "target_axon", "delay",
)  # fmt: skip

# Ticks/s of a full chip at 20 Hz on two threads of a 2-core x86-64 with AVX-512: what bandwidth and
# arithmetic allow, each by itself.
LIMITS = {
    "memory_28_GB_s": 1_000,
    "shared_cache_57_GB_s": 2_000,
    "kernel_in_cache": 2_300,
    "shared_parameters_57_GB_s": 4_000,
    "neuron_update": 10_600,
    "synaptic_adds": 22_000,
}


def network(
    n_cores: int, seed: int = 0, *, mixed: bool = False, rate: float | None = None
) -> dict[str, np.ndarray]:
    """Return the network as arrays, crossbars bit by bit packed.

    Args:
        n_cores: number of cores.
        seed: of all random choices.
        mixed: leaks of 1 to 3 with thresholds in proportion, weights of ±1 to ±3 and negative
            thresholds of 50 to 150, neuron by neuron, instead of 1, ±1 and 100.
        rate: of every neuron, spikes per 1000 ticks, instead of about 20.
    """
    rng = np.random.default_rng(seed)
    place = rng.permutation(n_cores * 256).reshape(n_cores, 256)
    shape = (n_cores, 256)
    threshold = rng.integers(LOW, HIGH + 1, shape)
    leak, size, beta = np.ones(shape, int), np.ones(shape, int), np.full(shape, 100)
    if rate == 0:
        leak[:] = 0
        threshold[:] = 2**15 - 1
    elif rate is not None:
        leak = rng.integers(60, 101, shape)  # large, so that thresholds can follow the rate
        threshold = np.rint(leak * 1000 / rate).astype(int)
    if mixed:
        factor = rng.integers(1, 4, shape)
        size, beta = rng.integers(1, 4, shape), rng.integers(50, 151, shape)
        leak, threshold = leak * factor, np.minimum(threshold * factor, 2**15 - 1)
    return {
        "weights": np.stack([size, -size, 0 * size, 0 * size], axis=2),
        "leak": leak,
        "negative_threshold": beta,
        "crossbar": rng.integers(0, 256, (n_cores, 256, 32), dtype=np.uint8),
        "axon_type": rng.integers(0, 2, (n_cores, 256)),
        "threshold": threshold,
        "potential": rng.integers(0, threshold),
        "target_core": place // 256,
        "target_axon": place % 256,
        "delay": rng.integers(1, 16, (n_cores, 256)),
    }


def build(arrays: dict[str, np.ndarray]) -> Chip:
    """Return the chip."""
    cores = []
    for index in range(len(arrays["threshold"])):
        neurons = Neurons(
            reset_mode=1,
            negative_saturate=True,
            core=index,
            **{name: arrays[name][index] for name in FIELDS},
        )
        crossbar = np.unpackbits(arrays["crossbar"][index], axis=1).astype(bool)
        cores.append(Core(arrays["axon_type"][index], crossbar, neurons))
    return Chip(cores)


def measure(chip: Chip, threads: int, seconds: float) -> tuple[float, float, float, float]:
    """Return first call (s), best ticks/s, synaptic events/s at that speed, and mean rate (Hz)."""
    start = time.perf_counter()
    chip.run([], 1, threads=threads)
    first = time.perf_counter() - start
    start = time.perf_counter()
    chip.run([], 16, threads=threads)
    n_ticks = max(16, int(seconds / 5 * 16 / (time.perf_counter() - start)))
    best, events, spikes = 0.0, 0.0, 0
    for _ in range(5):
        before = chip.synaptic_events
        start = time.perf_counter()
        raster = chip.run([], n_ticks, threads=threads)
        speed = n_ticks / (time.perf_counter() - start)
        spikes += len(raster.events)
        if speed > best:
            best, events = speed, (chip.synaptic_events - before) / n_ticks * speed
    return first, best, events, 1000 * spikes / (5 * n_ticks * chip.n_cores * 256)


def measure_activity(
    n_cores: int, rates: list[float], threads: int, seconds: float, *, mixed: bool
) -> None:
    """Print speed against activity as CSV, and the limits."""
    print("cores,threads,rate_hz,ticks_per_s,events_per_s,us_per_tick")
    for rate in rates:
        chip = build(network(n_cores, mixed=mixed, rate=rate))
        chip.run([], 64, threads=1)
        _, speed, events, measured = measure(chip, threads, seconds)
        print(f"{n_cores},{threads},{measured:.1f},{speed:.0f},{events:.4g},{1e6 / speed:.1f}")
    for name, limit in LIMITS.items():
        print(f"# limit of 4096 cores at 20 Hz, two threads, {name}: {limit} ticks/s")


def measure_peer(n_cores: int, seconds: float) -> tuple[float, float, float]:
    """Return build time (s), ticks/s and synaptic events/s of SANA-FE (delay 1, one thread)."""
    import sanafe

    arrays = network(n_cores)
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
    print(f"{numba.config.NUMBA_NUM_THREADS} threads at most")
    print(
        f"{'cores':>6} {'threads':>7} {'build s':>8} {'first s':>8} {'ticks/s':>9} "
        f"{'real time':>9} {'events/s':>10} {'Hz':>5} {'chip MB':>8} {'peak MB':>8}"
    )
    for n_cores in sorted(options.cores):
        arrays = network(n_cores, mixed=options.mixed)
        start = time.perf_counter()
        chip = build(arrays)
        built = time.perf_counter() - start
        del arrays
        chip.run([], 64, threads=1)
        for threads in options.threads:
            first, speed, events, rate = measure(chip, threads, options.seconds)
            print(
                f"{n_cores:6d} {threads:7d} {built:8.2f} {first:8.2f} {speed:9.0f} "
                f"{speed / 1000:9.2f} {events:10.3g} {rate:5.1f} {chip.nbytes / 2**20:8.1f} "
                f"{peak_memory():8.0f}",
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
        chip = build(network(options.peer_cores))
        chip.run([], 64, threads=1)
        own = measure(chip, 1, options.seconds)[1]
        built, speed, events = measure_peer(options.peer_cores, options.seconds)
        print(
            f"SANA-FE, {options.peer_cores} cores: build {built:.1f} s, {speed:.0f} ticks/s, "
            f"{events:.3g} events/s. Ratio of one thread to one thread {own / speed:.0f}"
        )


if __name__ == "__main__":
    main()
