"""The same digits twice: on black, and on a ground."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from swta.data.choice import DigitSources
from swta.data.digits import SIDE, DigitSet, load_digits
from swta.data.rendered import draw_background


def load_pairs(chosen: DigitSources, *, limit: int) -> tuple[DigitSet, DigitSet]:
    """Digits on a ground, and the whole split of clean digits in which their twins stand.

    MNIST-M's first ``limit`` test images where they and MNIST are found; otherwise test digits of
    the source on grounds drawn by code. ``index`` of the first is the row in the second.
    """
    clean = load_digits(chosen.train, "test")
    if chosen.train == "mnist" and "mnist_m" in chosen.targets:
        return load_digits("mnist_m", "test", limit=limit), clean
    return lay_on_ground(clean, limit=limit), clean


def lay_on_ground(digits: DigitSet, *, limit: int, seed: int = 0) -> DigitSet:
    """The first digits as absolute difference with a drawn ground, the recipe of MNIST-M."""
    count = min(limit, len(digits))
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    for i in range(count):
        ground = draw_background(np.random.default_rng([seed, i]))
        images[i] = np.rint(np.abs(ground - digits.images[i]))
    return replace(
        digits,
        images=images,
        labels=digits.labels[:count],
        index=np.arange(count),
        name=f"{digits.name}_ground",
        source=f"{digits.source}, on grounds drawn by this package",
    )
