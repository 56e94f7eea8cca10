"""Digits drawn from fonts: plain, over clutter, and as on a house wall; reproducible by seed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from swta.validation import check_choice, check_integer

KINDS = ("rendered", "rendered_clutter", "rendered_street")
_SIDE = 32  # pixels of an image
_BOX = 20.0  # pixels, the larger extent of an upright digit before jitter: that of MNIST
_CANVAS = 96  # pixels of the drawing from which a jittered digit is sampled
_EXTENT = 0.6 * _CANVAS  # larger side of the digit in that drawing
# Fonts that Matplotlib and Pillow ship, so that the same digits are drawn everywhere.
_FONT_FILES = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSans-Oblique.ttf",
    "DejaVuSans-BoldOblique.ttf",
    "DejaVuSansMono.ttf",
    "DejaVuSansMono-Bold.ttf",
    "DejaVuSansMono-Oblique.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Bold.ttf",
    "DejaVuSerif-Italic.ttf",
    "DejaVuSerif-BoldItalic.ttf",
    "STIXGeneral.ttf",
    "STIXGeneralBol.ttf",
    "STIXGeneralItalic.ttf",
    "STIXGeneralBolIta.ttf",
    "cmr10.ttf",
    "cmb10.ttf",
    "cmss10.ttf",
    "cmtt10.ttf",
    "cmti10.ttf",
)
N_FONTS = len(_FONT_FILES) + 1  # and Pillow's own


def render_digits(kind: str, n: int, *, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw ``n`` digits; return RGB images uint8 (n, 32, 32, 3) and labels int64 (n,).

    Image i depends on kind, seed and i only: a longer set begins with the shorter one.

    Args:
        kind: ``rendered`` (white on black, size and place of MNIST, rotated, sheared and scaled a
            little), ``rendered_clutter`` (the same, absolute difference with a coloured procedural
            background, the recipe of MNIST-M: Ganin et al. 2016) or ``rendered_street`` (a coloured
            digit on a coloured ground between two neighbouring digits, blurred, unevenly lit,
            either one the brighter).
        n: number of images, at least 1.
        seed: not negative.

    Raises:
        ParameterError: an unknown kind, n below 1 or a negative seed.
    """
    check_choice("kind", kind, KINDS)
    check_integer("n", n, low=1)
    check_integer("seed", seed, low=0)
    images = np.empty((n, _SIDE, _SIDE, 3), dtype=np.uint8)
    labels = np.empty(n, dtype=np.int64)
    for row in range(n):
        generator = np.random.default_rng([seed, KINDS.index(kind), row])
        labels[row] = generator.integers(10)
        images[row] = _DRAW[kind](int(labels[row]), generator)
    return images, labels


def draw_background(generator: np.random.Generator, side: int = _SIDE) -> NDArray[np.float64]:
    """Draw a coloured background (side, side, 3), 0 to 255: cloudy noise with a few straight edges.

    The noise has an amplitude falling with spatial frequency, about as in photographs (1 / f,
    Field 1987; here 1 / f^1.4, which is smoother), and the colours share most of it; straight
    edges give it contours.
    """
    amplitude, x, y = _grid(side)
    spectrum = generator.standard_normal((2, 4, *amplitude.shape)) * amplitude
    shared, *own = np.fft.irfft2(spectrum[0] + 1j * spectrum[1], (side, side))
    clouds = shared[..., None] + 0.3 * np.stack(own, axis=-1)
    clouds = (clouds - clouds.mean()) / clouds.std()
    for _ in range(generator.integers(1, 4)):
        angle, offset = generator.uniform(0, 2 * np.pi), generator.uniform(-0.4, 0.4)
        step = generator.normal(0.0, 0.8) + generator.normal(0.0, 0.3, 3)
        beyond = x * np.cos(angle) + y * np.sin(angle) > offset
        clouds += beyond[..., None] * step
    mean, contrast = generator.uniform(70, 180), generator.uniform(20, 50)
    tint = generator.normal(0.0, 18.0, 3)
    return np.clip(mean + tint + contrast * clouds, 0, 255)


@cache
def _grid(side: int) -> tuple[NDArray, NDArray, NDArray]:
    """Amplitude at each spatial frequency, and coordinates from -0.5 to 0.5, of a square."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side))
    frequency[0, 0] = np.inf  # no mean: it is set afterwards
    y, x = np.mgrid[:side, :side] / side - 0.5
    return frequency**-1.4, x, y


def _draw_plain(digit: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    return _to_rgb(255 * _draw_ink(digit, generator)[..., None])


def _draw_clutter(digit: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    ink = _draw_ink(digit, generator)
    return _to_rgb(np.abs(draw_background(generator) - 255 * ink[..., None]))


def _draw_street(digit: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """A house number: the wanted digit in the middle, neighbours cut off by the frame."""
    font = int(generator.integers(N_FONTS))
    scale = generator.uniform(1.1, 1.5)
    angle = generator.normal(0.0, 4.0)
    gap = generator.uniform(15.0, 19.0) * scale / 1.3
    ink = _sample(digit, font, scale=scale, angle=angle)
    for side in (-1, 1):
        if generator.random() < 0.7:
            neighbour = int(generator.integers(10))
            shift = (side * gap, side * gap * np.tan(np.radians(angle)))
            ink = np.maximum(ink, _sample(neighbour, font, scale=scale, angle=angle, shift=shift))
    ink = gaussian_filter(ink, generator.uniform(0.3, 1.1))
    ground, paint = _draw_colours(generator)
    _, x, y = _grid(_SIDE)
    slope = generator.normal(0.0, 25.0, 2)
    light = slope[0] * x + slope[1] * y
    wall = 0.12 * (draw_background(generator) - 125)
    picture = ground + (paint - ground) * ink[..., None] + light[..., None] + wall
    return _to_rgb(picture + generator.normal(0.0, 4.0, picture.shape))


_DRAW = {
    "rendered": _draw_plain,
    "rendered_clutter": _draw_clutter,
    "rendered_street": _draw_street,
}


def _draw_colours(generator: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Two colours whose grey levels differ by at least 40 of 255, either one the brighter."""
    while True:
        ground, paint = generator.uniform(20, 235, 2)[:, None] + generator.normal(0, 18, (2, 3))
        if abs(ground.mean() - paint.mean()) >= 40:
            return ground, paint


def _draw_ink(digit: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """One jittered digit as ink, 0 to 1, (32, 32)."""
    ink = _sample(
        digit,
        int(generator.integers(N_FONTS)),
        scale=generator.uniform(0.85, 1.1),
        stretch=generator.uniform(0.9, 1.25),
        angle=generator.normal(0.0, 7.0),
        shear=generator.normal(0.0, 0.12),
        shift=tuple(generator.uniform(-1.5, 1.5, 2)),
    )
    softened = gaussian_filter(ink, generator.uniform(0.2, 0.8))
    return np.clip(softened / softened.max(), 0, 1)


def _sample(
    digit: int,
    font: int,
    *,
    scale: float,
    angle: float,
    stretch: float = 1.0,
    shear: float = 0.0,
    shift: tuple[float, float] = (0.0, 0.0),
) -> NDArray[np.float64]:
    """Ink of a glyph, 0 to 1, (32, 32): scaled, sheared, turned (degrees) and moved (pixels)."""
    zoom = _EXTENT / (_BOX * scale)
    turn = np.radians(angle)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    matrix = np.array([[zoom / stretch, zoom * shear], [0.0, zoom]]) @ rotation
    middle = np.array([_SIDE / 2, _SIDE / 2]) + shift
    offset = np.array([_CANVAS / 2, _CANVAS / 2]) - matrix @ middle
    coefficients = (*matrix[0], offset[0], *matrix[1], offset[1])
    picture = _draw_glyph(digit, font).transform(
        (_SIDE, _SIDE), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
    )
    return np.asarray(picture) / 255.0


@cache
def _draw_glyph(digit: int, font: int) -> Image.Image:
    """A digit in white on black, its ink centred and its larger side 0.6 of the canvas."""
    size = _EXTENT
    for _ in range(2):  # the second time at the size that the first one asks for
        picture = Image.new("L", (2 * _CANVAS, 2 * _CANVAS))
        face = _load_font(font, size)
        ImageDraw.Draw(picture).text((_CANVAS / 2, _CANVAS / 2), str(digit), 255, face)
        ink = picture.crop(picture.getbbox())
        size *= _EXTENT / max(ink.size)
    glyph = Image.new("L", (_CANVAS, _CANVAS))
    glyph.paste(ink, ((_CANVAS - ink.width) // 2, (_CANVAS - ink.height) // 2))
    return glyph


@cache
def _load_font(font: int, size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    if font == len(_FONT_FILES):
        return ImageFont.load_default(size)
    import matplotlib

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / _FONT_FILES[font]
    return ImageFont.truetype(str(path), size)


def _to_rgb(picture: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.broadcast_to(np.clip(np.rint(picture), 0, 255), (_SIDE, _SIDE, 3)).astype(np.uint8)
