"""How fast frames come, and how fast a segmenter learns from them.

Frames a second, in one run on one thread: reading and reducing them, cropping, the filter, drawing
the batches of a training, and the training itself. Loading must not be the bottleneck: over a
whole training the frames must come at twice the rate at which they are learnt.
"""

from __future__ import annotations

import argparse
import time

import torch

from swta import vision
from swta.data import choose_scene_task, load_scenes
from swta.vision.scene_training import Frames, SceneLoop


def main() -> None:
    """Print the rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=64, help="training frames")
    parser.add_argument("--epochs", type=int, default=18, help="passes of a whole training")
    parser.add_argument("--versions", type=int, default=3, help="crops of each frame")
    given = parser.parse_args()
    torch.set_num_threads(1)
    segmenter = vision.SegmenterParameters(n_channels=6)
    training = vision.SceneTraining(epochs=given.epochs)
    seconds = {}

    start = time.perf_counter()
    task = choose_scene_task()
    size = {"height": 2 * segmenter.height, "width": 2 * segmenter.width_px}
    train = load_scenes(task.train, name="training", limit=given.frames, **size)
    seconds["read and reduce"] = (time.perf_counter() - start) / len(train)

    start = time.perf_counter()
    images, labels = vision.crop_scenes(
        train, height=segmenter.height, width=segmenter.width_px, versions=given.versions
    )
    seconds["crop"] = (time.perf_counter() - start) / len(train)

    front = vision.create_scene_front("swta+colour", vision.FilterParameters())
    vision.filter_images(front, images[0, :1])  # compiles
    start = time.perf_counter()
    filtered = torch.stack([torch.from_numpy(vision.filter_images(front, v)) for v in images])
    seconds["filter"] = (time.perf_counter() - start) / len(train)

    loop = SceneLoop(Frames(filtered.numpy(), labels), segmenter, training, 0, vision.Machine())
    start = time.perf_counter()
    for _ in range(loop.per_epoch):
        loop.draw_batch()
    seconds["draw"] = (time.perf_counter() - start) / len(train)
    for _ in range(loop.per_epoch):  # what a first step prepares does not count
        loop.step()
    start, steps = time.perf_counter(), 2 * loop.per_epoch
    for _ in range(steps):
        loop.step()
    learn = (time.perf_counter() - start) / (2 * len(train))

    once = seconds["read and reduce"] + seconds["crop"] + seconds["filter"]
    comes = seconds["draw"] + once / given.epochs
    for name, value in seconds.items():
        print(f"{name:>16}: {1 / value:9.0f} frames/s")
    print(f"{'all, a training':>16}: {1 / comes:9.0f} frames/s (first three once, drawn each time)")
    print(f"{'learn':>16}: {1 / learn:9.0f} frames/s")
    print(f"{'ratio':>16}: {learn / comes:9.1f} (goal: 2 or more)")
    print(f"{'epoch':>16}: {learn / seconds['draw']:9.1f} (an epoch: drawn from memory)")
    print(f"{'first epoch':>16}: {learn / (seconds['draw'] + once):9.1f} (if all waited for it)")


if __name__ == "__main__":
    main()
