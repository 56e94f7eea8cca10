"""The 15 corruptions of MNIST-C, seeded, at their published and at other severities.

Definitions: Mu and Gilmer 2019, arXiv 1906.02337, and their code at github.com, google-research/
mnist-c (Apache 2.0), most after Hendrycks and Dietterich 2019. The images differ from the published
files: random numbers and libraries are others. Severity 0 is the image itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swta.data import corruption_shapes as shapes
from swta.data import corruption_textures as textures
from swta.data.digits import SIDE, DigitSet
from swta.validation import ParameterError, check_choice, check_integer

FIELD = 28  # px; what MNIST-C corrupts, before the frame of 2 black pixels
Grey = NDArray[np.floating]  # (n, 28, 28), 0 to 1

# name: function of images, level and two random generators; levels of severity 1 to 5
_KINDS: Final[dict[str, tuple[Callable[..., Grey], tuple[object, ...]]]] = {
    "shot_noise": (textures.add_shot_noise, (60, 25, 12, 5, 3)),
    "impulse_noise": (textures.add_impulse_noise, (0.03, 0.06, 0.09, 0.17, 0.27)),
    "glass_blur": (
        textures.blur_through_glass,
        ((0.7, 1, 2), (0.9, 2, 1), (1.0, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
    ),
    "motion_blur": (textures.blur_by_motion, ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))),
    "shear": (shapes.shear, (0.2, 0.4, 0.6, 0.8, 1.0)),
    "scale": (shapes.scale, (0.9, 0.8, 0.7, 0.6, 0.5)),
    "rotate": (shapes.rotate, (0.2, 0.4, 0.6, 0.8, 1.0)),
    "brightness": (textures.brighten, (0.1, 0.2, 0.3, 0.4, 0.5)),
    "translate": (shapes.translate, (1, 2, 3, 4, 5)),
    "stripe": (textures.invert_sides, (None,)),
    "fog": (textures.add_fog, ((1.5, 2.0), (2.0, 2.0), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4))),
    "spatter": (
        textures.spatter,
        (
            (0.65, 0.3, 4, 0.69, 0.6),
            (0.65, 0.3, 3, 0.68, 0.6),
            (0.65, 0.3, 2, 0.68, 0.5),
            (0.65, 0.3, 1, 0.65, 1.5),
            (0.67, 0.4, 1, 0.65, 1.5),
        ),
    ),
    "dotted_line": (shapes.add_dotted_line, (None,)),
    "zigzag": (shapes.add_zigzag, (None,)),
    "canny_edges": (shapes.find_edges, (None,)),
}
CORRUPTIONS: Final = tuple(_KINDS)
# The level of the published data set; a corruption without levels has one.
PUBLISHED_SEVERITY: Final = {
    "shot_noise": 5, "impulse_noise": 4, "glass_blur": 1, "motion_blur": 1, "shear": 2, "scale": 3,
    "rotate": 2, "brightness": 5, "translate": 3, "stripe": 1, "fog": 5, "spatter": 4,
    "dotted_line": 1, "zigzag": 1, "canny_edges": 1,
}  # fmt: skip


def corrupt(
    images: NDArray[np.uint8], name: str, *, severity: int | None = None, seed: int = 0
) -> NDArray[np.uint8]:
    """Grey images (n, 28, 28), 0 to 255, corrupted; the first of a set do not depend on the rest.

    Args:
        images: uint8, digits bright on black.
        name: one of ``CORRUPTIONS``.
        severity: 0 (the image itself) to 5, or to 1 for stripe, dotted_line, zigzag and
            canny_edges; without it that of MNIST-C, ``PUBLISHED_SEVERITY``.
        seed: of all random numbers.

    Raises:
        ParameterError: another shape or type of images, an unknown name, a severity out of range.
    """
    function, levels = _KINDS[check_choice("name", name, CORRUPTIONS)]
    if severity is None:
        severity = PUBLISHED_SEVERITY[name]
    check_integer("severity", severity, low=0, high=len(levels))
    check_integer("seed", seed, low=0)
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (FIELD, FIELD):
        raise ParameterError(
            f"images have type {images.dtype} and shape {images.shape}; allowed: uint8 "
            f"(n, {FIELD}, {FIELD}). Cut MNIST's field out of its frame"
        )
    if severity == 0:
        return images.copy()
    key = [seed, CORRUPTIONS.index(name), severity]
    first, second = (np.random.default_rng([*key, stream]) for stream in (0, 1))
    changed = function(images / 255.0, levels[severity - 1], first, second)
    return np.rint(255.0 * np.clip(changed, 0.0, 1.0)).astype(np.uint8)


def corrupt_digits(
    digits: DigitSet, name: str, *, severity: int | None = None, seed: int = 0
) -> DigitSet:
    """A set of grey digits with one corruption of MNIST-C, uint8 RGB (n, 32, 32, 3).

    The 28 × 28 field is corrupted and framed in black again, as the published images would be.

    Raises:
        ParameterError: coloured images, and all errors of `corrupt`.
    """
    check_choice("name", name, CORRUPTIONS)
    grey = digits.images[..., 0]
    if (digits.images != grey[..., None]).any():
        raise ParameterError(
            f"digits of {digits.name} are coloured; allowed: grey digits such as mnist, for the "
            "corruptions of MNIST-C are defined on those"
        )
    margin = (SIDE - FIELD) // 2
    inner = slice(margin, margin + FIELD)
    framed = np.zeros_like(grey)
    framed[:, inner, inner] = corrupt(grey[:, inner, inner], name, severity=severity, seed=seed)
    level = PUBLISHED_SEVERITY[name] if severity is None else severity
    return replace(
        digits,
        images=np.repeat(framed[..., None], 3, axis=-1),
        name=f"{digits.name}_{name}",
        source=f"{digits.source}, {name.replace('_', ' ')} as in MNIST-C, severity {level}",
    )


def corrupt_each(digits: DigitSet, *, seed: int = 0) -> list[DigitSet]:
    """A set of grey digits under each of the 15 corruptions, at their published severities.

    Raises:
        ParameterError: as `corrupt_digits`.
    """
    return [corrupt_digits(digits, name, seed=seed) for name in CORRUPTIONS]


def join_digits(sets: Sequence[DigitSet], name: str) -> DigitSet:
    """Several sets as one under a new name; ``index`` stays that of each set.

    Raises:
        ParameterError: no set.
    """
    if not sets:
        raise ParameterError("no set of digits to join; allowed: at least one")
    return DigitSet(
        np.concatenate([s.images for s in sets]),
        np.concatenate([s.labels for s in sets]),
        np.concatenate([s.index for s in sets]),
        name,
        sets[0].split,
        "; ".join(dict.fromkeys(s.source for s in sets)),
    )
