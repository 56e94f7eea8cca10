"""What the filter costs: against training steps, torch's operations and a naive unrolled version.

Run with ``python benchmarks/filter.py [--threads 1]``. Every ratio compares two things timed in
turns in this process; the ratio is the median over the turns, of the two times next to each other.
With one thread, times are of the processor, which other programs change little; with more, of the
clock on the wall.
"""

from __future__ import annotations

import argparse
import copy
import warnings
from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time

import numpy as np
import torch
from torch import nn

from swta.vision import SoftWTA, TransformerParameters, Whiten, create_transformer, prepend
from swta.vision.learners import Learner, draw_patches

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import timm

Times = dict[str, list[float]]


def time_in_turns(tasks: dict[str, Callable[[], object]], repetitions: int) -> Times:
    """Times of each task in seconds, the tasks taking turns; the first round warms up."""
    times: Times = {name: [] for name in tasks}
    clock = process_time if torch.get_num_threads() == 1 else perf_counter
    for repetition in range(repetitions + 1):
        for name, task in tasks.items():
            start = clock()
            task()
            if repetition > 0:
                times[name].append(clock() - start)
    return times


def ratio(times: Times, task: str, over: str) -> float:
    """Median over the turns of the time of ``task`` over that of another."""
    return median(a / b for a, b in zip(times[task], times[over], strict=True))


def steps_until_equal(front: SoftWTA, images: torch.Tensor) -> int:
    """Euler steps until the unrolled dynamics are as close to the fixed point as the filter is."""
    inputs = front.inhibit(front.normalise(front.energy(images)))
    exact = front.settle(inputs, n_iterations=20 * front.n_iterations)
    steps = 8
    while (front.unroll(inputs, steps=steps) - exact).abs().max() > 1e-3 * exact.max():
        steps *= 2
    return steps


def settling_error(front: SoftWTA, images: torch.Tensor) -> float:
    """Largest error of the filter's columns, relative to the largest column."""
    inputs = front.inhibit(front.normalise(front.energy(images)))
    exact = front.settle(inputs, n_iterations=20 * front.n_iterations)
    return float((front.columns(images) - exact).abs().max() / exact.max())


def make_step(model: nn.Sequential, images: torch.Tensor, drop: float) -> Callable[[], None]:
    """One step of AdamW on a batch, a share ``drop`` of the patches left out."""
    patches = model[-1].patch_embed.num_patches
    keep = draw_patches(len(images), patches, drop, torch.Generator().manual_seed(0))
    learner = Learner(model).train()
    labels = torch.from_numpy(np.arange(len(images)) % 10)
    optimiser = torch.optim.AdamW(model.parameters(), fused=True)

    def step() -> None:
        optimiser.zero_grad()
        nn.functional.cross_entropy(learner(images, keep, None), labels).backward()
        optimiser.step()

    return step


def compare(side: int, batch: int, model: nn.Sequential, repetitions: int, *, naive: bool) -> None:
    """Print what filtering a batch costs next to a training step of ``model`` on it."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(batch, 3, side // 4, side // 4, generator=generator)
    colour = nn.functional.interpolate(coarse, size=(side, side), mode="bilinear")
    grey = colour[:, :1].contiguous()
    front = SoftWTA()

    def torch_operations() -> torch.Tensor:
        columns = front.settle(front.inhibit(front.normalise(front.energy(grey))))
        return front.population_vector(columns)

    tasks: dict[str, Callable[[], object]] = {
        "training step": make_step(model, colour, 0.0),
        "step, half of patches": make_step(copy.deepcopy(model), colour, 0.5),
        "filter, grey": torch.no_grad()(lambda: front(grey)),
        "filter, RGB": torch.no_grad()(lambda: front(colour)),
        "torch operations, grey": torch.no_grad()(torch_operations),
    }
    with torch.no_grad():
        print(f"error of the columns: {settling_error(front, grey[:16]):.1e} of the largest")
        if naive:
            steps = steps_until_equal(front, grey[:4])
            drive = front.normalise(front.energy(grey))
            name = f"unrolled, {steps} steps"
            tasks[name] = torch.no_grad()(lambda: front.unroll(front.inhibit(drive), steps=steps))
    times = time_in_turns(tasks, repetitions)
    for task, seconds in times.items():
        cost = ratio(times, task, "training step")
        half = ratio(times, task, "step, half of patches")
        print(
            f"{task:24s} {1e3 * median(seconds) / batch:8.3f} ms per image {cost:6.1%} of a step, "
            f"{half:6.1%} of one with half of the patches"
        )
    print("cached data set            0.000 ms per image")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=15)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    whiten = Whiten(torch.rand(64, 3, 32, 32))
    for patch, runs in ((4, "full"), (8, "laptop")):
        small = create_transformer(TransformerParameters(depth=3, patch_size=patch), seed=0)
        print(f"transformer on patches of {patch} px ({runs} runs), 32 × 32, batches of 64")
        compare(32, 64, prepend(whiten, small), arguments.repetitions, naive=patch == 4)
    print("ViT-Tiny/16, 224 × 224, batches of 4")
    tiny = timm.create_model("vit_tiny_patch16_224", pretrained=False, num_classes=10)
    whiten = Whiten(torch.rand(4, 3, 224, 224))
    compare(224, 4, prepend(whiten, tiny), max(3, arguments.repetitions // 3), naive=False)


if __name__ == "__main__":
    main()
