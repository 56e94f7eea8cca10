"""Corruptions of MNIST-C that move the digit, draw over it or leave its edges; (n, 28, 28), 0 to 1.

Each takes the images, its level and two random generators, one for each thing it draws.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Grey = NDArray[np.floating]
Mask = NDArray[np.bool_]
Random = np.random.Generator
_LINE_REACH = 2.3  # px, half width of a line at zero brightness


def shear(images: Grey, angle: float, random: Random, _: Random) -> Grey:
    """Sheared by ``angle`` rad to the left or right about the centre."""
    return _warp_either_way(images, random, lambda s: _affine(0.0, s * angle))


def rotate(images: Grey, angle: float, random: Random, _: Random) -> Grey:
    """Rotated by ``angle`` rad, either way, about the centre."""
    return _warp_either_way(images, random, lambda s: _affine(s * angle, 0.0))


def scale(images: Grey, size: float, _: Random, __: Random) -> Grey:
    """Shrunk to ``size`` of its length about the centre."""
    return _warp(images, np.eye(2) / size)


def translate(images: Grey, pixels: int, random: Random, other: Random) -> Grey:
    """Moved by ``pixels`` along both axes, either way; black moves in."""
    down, across = (2 * r.integers(0, 2, len(images)) - 1 for r in (random, other))
    moved = np.zeros_like(images)
    for dy in (-1, 1):
        for dx in (-1, 1):
            rows = (down == dy) & (across == dx)
            shifted = ndimage.shift(images[rows], (0, dy * pixels, dx * pixels), order=0)
            moved[rows] = shifted
    return moved


def add_dotted_line(images: Grey, _: None, random: Random, __: Random) -> Grey:
    """A line from the left to the right edge with every other two columns missing."""
    changed = images.copy()
    last = images.shape[2] - 1
    ends = random.integers(0, last, (len(images), 2))
    shown = np.arange(last + 1) % 4 >= 2
    for image, (r0, r1) in zip(changed, ends, strict=True):
        image += shown * draw_line(image.shape, 0.0, r0, last, r1)
    return changed


def add_zigzag(images: Grey, _: None, random: Random, other: Random) -> Grey:
    """A zigzag of 2 px amplitude and 4 px half period across the image, tilted by up to 5 rows."""
    changed = images.copy()
    starts = random.integers(0, images.shape[1] - 1, len(images))
    rises = other.integers(-5, 5, len(images))
    for image, start, rise in zip(changed, starts, rises, strict=True):
        columns, rows = _zigzag_corners(int(start), int(rise))
        for i in range(1, len(columns)):
            line = draw_line(image.shape, columns[i - 1], rows[i - 1], columns[i], rows[i])
            image[:] = np.clip(image + line, 0.0, 1.0)
    return changed


def find_edges(images: Grey, _: None, __: Random, ___: Random) -> Grey:
    """Edges of Canny's detector (1986), white on black: s.d. 1 px, thresholds 0.1 and 0.2."""
    inside = ndimage.gaussian_filter(np.ones_like(images), (0, 1, 1), mode="constant")
    smooth = ndimage.gaussian_filter(images, (0, 1, 1), mode="constant") / inside
    kernel = np.array([1.0, 2.0, 1.0])  # Sobel's, within an image
    down = ndimage.correlate1d(ndimage.correlate1d(smooth, [-1.0, 0.0, 1.0], 1), kernel, 2)
    across = ndimage.correlate1d(ndimage.correlate1d(smooth, [-1.0, 0.0, 1.0], 2), kernel, 1)
    size = np.hypot(down, across)
    ridge = _thin(down, across, size)
    strong = ridge & (size >= 0.2)
    touching = np.zeros((3, 3, 3), bool)
    touching[1] = True
    labels, count = ndimage.label(ridge & (size >= 0.1), touching)
    kept = np.zeros(count + 1, bool)
    kept[np.unique(labels[strong])] = True
    kept[0] = False
    return kept[labels].astype(float)


def draw_line(
    shape: tuple[int, ...], c0: float, r0: float, c1: float, r1: float
) -> NDArray[np.float64]:
    """Brightness of a line between two points (column, row), log(1 - d / 2.3) + 1 at d px from it.

    d is measured along the column, and the line ends with the columns, as in the published code.
    """
    if c1 == c0:
        return np.zeros(shape)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    apart = np.abs(rows - r0 - (r1 - r0) / (c1 - c0) * (columns - c0))
    bright = np.log(1.0 - np.minimum(apart, _LINE_REACH - 1e-10) / _LINE_REACH) + 1.0
    on = (columns >= np.floor(c0)) & (columns < np.ceil(c1))
    return np.clip(bright, 0.0, 1.0) * on


def _zigzag_corners(start: int, rise: int) -> tuple[Grey, Grey]:
    """Columns and rows of the corners, from column 2 to 25."""
    period, height, first, last = 2.0, 2.0, 2, 25
    angle = np.arctan(rise / (last - first))
    length = (last - first) / np.cos(angle)
    corners = [(0.0, 0.0)]
    row = 0.0
    for i in range(int((length - period) // (2 * period)) + 1):
        row = (-1) ** i * height
        corners.append(((2 * i + 1) * period, row))
    reached = 2 * period * (length // (2 * period))
    if length != reached:
        corners.append((length, row / (2 * (length - reached))))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    columns, rows = turn @ np.array(corners).T
    return columns + first, rows + start


def _affine(rotation: float, slant: float) -> Grey:
    """Matrix from (column, row) of the result to that of the image, scikit-image's of 2019."""
    return np.array(
        [
            [np.cos(rotation), -np.sin(rotation + slant)],
            [np.sin(rotation), np.cos(rotation + slant)],
        ]
    )


def _warp_either_way(images: Grey, random: Random, matrix: Callable[[int], Grey]) -> Grey:
    signs = 2 * random.integers(0, 2, len(images)) - 1
    warped = np.zeros_like(images)
    for sign in (-1, 1):
        warped[signs == sign] = _warp(images[signs == sign], matrix(sign))
    return warped


def _warp(images: Grey, matrix: Grey) -> Grey:
    """Bilinear images at ``matrix`` (column, row) about the centre, black outside."""
    swapped = matrix[::-1, ::-1]  # to (row, column)
    centre = (np.array(images.shape[1:]) - 1.0) / 2.0
    whole = np.eye(3)
    whole[1:, 1:] = swapped
    offset = np.concatenate([[0.0], centre - swapped @ centre])
    return ndimage.affine_transform(images, whole, offset, order=1)


def _thin(down: Grey, across: Grey, size: Grey) -> Mask:
    """Pixels whose gradient is the largest along its direction, between interpolated neighbours."""
    padded = np.pad(size, ((0, 0), (1, 1), (1, 1)))
    height, width = size.shape[1:]

    def at(dy: int, dx: int) -> Grey:
        return padded[:, 1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]

    steep = np.abs(down) >= np.abs(across)
    same = down * across >= 0.0
    ratio = np.minimum(np.abs(down), np.abs(across)) / np.maximum(
        np.maximum(np.abs(down), np.abs(across)), 1e-300
    )
    ridge = np.ones(size.shape, bool)
    for sign in (1, -1):
        straight = np.where(steep, at(sign, 0), at(0, sign))
        diagonal = np.where(same, at(sign, sign), np.where(steep, at(sign, -sign), at(-sign, sign)))
        ridge &= diagonal * ratio + straight * (1.0 - ratio) <= size
    inner = np.zeros(size.shape, bool)
    inner[:, 1:-1, 1:-1] = True
    return ridge & inner & (size > 0.0)
