"""What the filter costs: against a training step, a naive unrolled version, and its cached output.

Run with ``python benchmarks/filter.py [--threads 1]``. Every ratio compares two things timed in
turns in this process; the median of the repetitions is taken.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
import torch
from torch import nn

from swta.vision import SoftWTA, TransformerParameters, Whiten, create_transformer, prepend


def time_in_turns(tasks: dict[str, Callable[[], object]], repetitions: int) -> dict[str, float]:
    """Median time of each task in seconds, the tasks taking turns."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for repetition in range(repetitions + 1):
        for name, task in tasks.items():
            start = perf_counter()
            task()
            if repetition > 0:  # the first round warms up
                times[name].append(perf_counter() - start)
    return {name: median(values) for name, values in times.items()}


def steps_until_equal(front: SoftWTA, images: torch.Tensor) -> int:
    """Euler steps until the unrolled dynamics are as close to the fixed point as the filter is."""
    inputs = front.inhibit(front.normalise(front.energy(images)))
    exact = front.settle(inputs, n_iterations=20 * front.n_iterations)
    steps = 8
    while (front.unroll(inputs, steps=steps) - exact).abs().max() > 1e-3 * exact.max():
        steps *= 2
    return steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--repetitions", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    colour = torch.rand(arguments.batch, 3, 32, 32)
    grey = colour[:, :1].contiguous()
    labels = torch.from_numpy(np.arange(arguments.batch) % 10)
    front = SoftWTA()
    parameters = TransformerParameters(depth=3)
    model = prepend(Whiten(colour), create_transformer(parameters, seed=0)).train()
    optimiser = torch.optim.AdamW(model.parameters(), fused=True)

    def train_step() -> None:
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(colour), labels).backward()
        optimiser.step()

    with torch.no_grad():
        steps = steps_until_equal(front, grey[:4])
    euler = torch.no_grad()(lambda: front.unroll(front.inhibit(drive), steps=steps))
    with torch.no_grad():
        drive = front.normalise(front.energy(grey))
    times = time_in_turns(
        {
            "training step": train_step,
            "filter, grey": torch.no_grad()(lambda: front(grey)),
            "filter, RGB": torch.no_grad()(lambda: front(colour)),
            "settling": torch.no_grad()(lambda: front.settle(front.inhibit(drive))),
            "unrolled": euler,
        },
        arguments.repetitions,
    )
    for name, seconds in times.items():
        print(f"{name:15s} {1e3 * seconds / arguments.batch:7.3f} ms per image")
    step = times["training step"]
    print(f"filter on the fly / training step: grey {times['filter, grey'] / step:.2f}, ", end="")
    print(f"RGB {times['filter, RGB'] / step:.2f}; cached: 0")
    ratio = times["settling"] / times["unrolled"]
    print(f"settling ({front.n_iterations} iterations) / unrolled ({steps} steps): {ratio:.2f}")


if __name__ == "__main__":
    main()
