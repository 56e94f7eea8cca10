"""Corruptions of MNIST-C that change brightness and texture; images (n, 28, 28), 0 to 1.

Each takes the images, its level and two random generators, one for each thing it draws.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

Grey = NDArray[np.floating]
Random = np.random.Generator
_FOG_MAP = 256  # px, side of the height map of which fog shows a corner
_FOG_BATCH = 64  # images, so that the maps stay in memory


def add_shot_noise(images: Grey, photons: int, random: Random, _: Random) -> Grey:
    """Poisson counts with a mean of ``photons`` at white."""
    return random.poisson(images * photons) / photons


def add_impulse_noise(images: Grey, share: float, random: Random, other: Random) -> Grey:
    """A ``share`` of the pixels black or white."""
    hit = random.random(images.shape) < share
    white = other.random(images.shape) < 0.5
    return np.where(hit, white.astype(float), images)


def blur_through_glass(
    images: Grey, level: tuple[float, int, int], random: Random, other: Random
) -> Grey:
    """Blur, swaps of neighbouring pixels, blur. ``level``: s.d. px, reach px, rounds.

    The published code takes the last axis for colours, so it blurs down the columns only.
    """
    sd, reach, rounds = level
    n, side = len(images), images.shape[1]
    blurred = np.floor(255.0 * gaussian_filter1d(images, sd, axis=1, mode="nearest")) / 255.0
    rows = np.arange(n)
    places = range(side - reach, reach, -1)
    draws = len(places) ** 2 * rounds
    swapped = random.random((n, draws)) < 0.5
    steps = other.integers(-reach, reach, (n, draws, 2))
    k = 0
    for _ in range(rounds):
        for y in places:
            for x in places:
                chosen = rows[swapped[:, k]]
                to = y + steps[chosen, k, 1], x + steps[chosen, k, 0]
                here = blurred[chosen, y, x]
                blurred[chosen, y, x] = blurred[chosen, *to]
                blurred[chosen, *to] = here
                k += 1
    return gaussian_filter1d(blurred, sd, axis=1, mode="nearest")


def blur_by_motion(images: Grey, level: tuple[int, int], random: Random, _: Random) -> Grey:
    """Mean along a line of 2 radius + 1 px at -45° to 45° with the right half of a Gaussian.

    ``level``: radius and s.d., px. As ImageMagick's MotionBlurImage, whole pixels, edges repeated.
    """
    radius, sd = level
    n, side = len(images), images.shape[1]
    angle = np.deg2rad(random.uniform(-45.0, 45.0, n))
    place = np.arange(2 * radius + 1)
    weights = np.exp(-(place**2) / (2.0 * sd**2))
    blurred = np.zeros_like(images)
    pixel = np.arange(side)
    image = np.arange(n)[:, None, None]
    for step, weight in zip(place, weights / weights.sum(), strict=True):
        down = np.ceil(step * np.sin(angle) - 0.5).astype(int)[:, None]
        across = np.ceil(step * np.cos(angle) - 0.5).astype(int)[:, None]
        y, x = np.clip(pixel + down, 0, side - 1), np.clip(pixel + across, 0, side - 1)
        blurred += weight * images[image, y[:, :, None], x[:, None, :]]
    return blurred


def brighten(images: Grey, shift: float, _: Random, __: Random) -> Grey:
    """Everything brighter by ``shift``, cut at white."""
    return np.minimum(images + shift, 1.0)


def invert_sides(images: Grey, _: None, __: Random, ___: Random) -> Grey:
    """The left and the right quarter of the image inverted."""
    changed = images.copy()
    quarter = images.shape[2] // 4
    for side in (np.s_[:, :, :quarter], np.s_[:, :, -quarter:]):
        changed[side] = 1.0 - changed[side]
    return changed


def add_fog(images: Grey, level: tuple[float, float], random: Random, _: Random) -> Grey:
    """A cloud of amplitude and decay ``level`` added, scaled back to the image's range."""
    amount, decay = level
    side = images.shape[1]
    parts = [
        _draw_clouds(len(images[start : start + _FOG_BATCH]), decay, random)[:, :side, :side]
        for start in range(0, len(images), _FOG_BATCH)
    ]
    clouds = np.concatenate(parts) if parts else np.zeros_like(images)
    white = images.max(axis=(1, 2), keepdims=True, initial=0.0)
    return (images + amount * clouds) * white / (white + amount)


def spatter(images: Grey, level: tuple[float, ...], random: Random, _: Random) -> Grey:
    """Drops of dark grey. ``level``: mean and s.d. of noise, blur px, threshold, drops' blur px."""
    mean, sd, blur, threshold, soft = level
    liquid = random.normal(mean, sd, images.shape)
    liquid = gaussian_filter(liquid, (0, blur, blur), mode="nearest")
    drops = gaussian_filter((liquid > threshold) * 1.0, (0, soft, soft), mode="nearest")
    drops[drops < 0.8] = 0.0
    return images * (1.0 - drops) + 63.0 / 255.0 * drops


def _draw_clouds(n: int, decay: float, random: Random) -> Grey:
    """Height maps by the diamond-square algorithm, (n, 256, 256), from 0 to 1, periodic."""
    size = _FOG_MAP
    maps = np.zeros((n, size, size), np.float32)
    # one stream per map, so that a map does not depend on how many are drawn
    streams = [np.random.default_rng(key) for key in random.integers(0, 2**63, n)]
    wobble, step = 100.0, size

    def refill(sums: Grey) -> Grey:
        noise = np.stack([s.uniform(-wobble, wobble, sums.shape[1:]) for s in streams])
        return sums / 4.0 + wobble * noise

    while step >= 2:
        half = step // 2
        corners = maps[:, ::step, ::step]
        pairs = corners + np.roll(corners, -1, axis=1)
        maps[:, half::step, half::step] = refill(pairs + np.roll(pairs, -1, axis=2))
        centres = maps[:, half::step, half::step]
        above = centres + np.roll(centres, 1, axis=1) + corners + np.roll(corners, -1, axis=2)
        maps[:, ::step, half::step] = refill(above)
        beside = centres + np.roll(centres, 1, axis=2) + corners + np.roll(corners, -1, axis=1)
        maps[:, half::step, ::step] = refill(beside)
        step //= 2
        wobble /= decay
    maps -= maps.min(axis=(1, 2), keepdims=True)
    return maps / maps.max(axis=(1, 2), keepdims=True)
