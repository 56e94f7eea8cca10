r"""Night by degrees: what a camera would have recorded of a street by day after the sun went down.

In linear light :math:`x` (IEC 61966-2-1 undone) a frame of severity :math:`s` is formed as

.. math::
    y = \mathrm{clip}\!\left[\frac{g}{N}\,\mathrm{Poisson}\!\big(N\,G * (x\,(a\,c + L)+ l)\big)
        + \frac{g\,r}{N}\,\eta\right]

with the exposure :math:`a` (ambient light left), the colour :math:`c` of that light (black body),
the pools of light :math:`L` of lamps and the lamps :math:`l` themselves, the glare :math:`G` of the
lens, :math:`N` photons at full scale, the read noise :math:`r` and the camera's gain :math:`g`,
which makes up for a part of the lost light and raises the noise with it.

It is a sensor's model with our choice of levels, not a measured night.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.constants import c, h, k
from scipy.ndimage import gaussian_filter

from swta.validation import ParameterError, check_integer

Light = NDArray[np.float64]  # linear, 1 is full scale


@dataclass(frozen=True)
class NightLevel:
    """One severity; all levels are our choice."""

    exposure: float  # ambient light over daylight
    temperature: float  # K, of the ambient light; 6500 is neutral
    lamps: int  # number of lamps in the frame
    glare: float  # share of the light that the lens scatters widely
    gain: float  # of the camera


# from dusk to a street at night; 6500 K daylight, 2700 K and below lamps
LEVELS: Final = (
    NightLevel(1.0, 6500.0, 0, 0.0, 1.0),
    NightLevel(0.5, 5500.0, 1, 0.02, 1.2),
    NightLevel(0.25, 4500.0, 2, 0.04, 1.6),
    NightLevel(0.10, 3800.0, 3, 0.06, 2.5),
    NightLevel(0.04, 3200.0, 4, 0.08, 4.0),
    NightLevel(0.015, 2800.0, 5, 0.10, 5.0),
)
SEVERITIES: Final = tuple(range(len(LEVELS)))
LAMP_TEMPERATURE: Final = 2200.0  # K, sodium and warm white lamps
PHOTONS: Final = 2000.0  # mean count of a white pixel by day
READ_NOISE: Final = 2.0  # electrons, s.d.
_WAVELENGTHS = np.array([610e-9, 550e-9, 465e-9])  # m, centres of red, green and blue


def form_night(
    images: NDArray[np.uint8], severity: int, *, seed: int = 0, first: int = 0
) -> NDArray[np.uint8]:
    """Frames by day, uint8 (n, H, W, 3), as a camera sees them at a severity of 0 (day) to 5.

    Every frame has lamps and noise of its own; the same seed and number give the same frame. Noise
    is that of single pixels, so a frame must be formed at the camera's size and reduced after.

    Args:
        images: frames at the camera's size.
        severity: 0 leaves them as they are.
        seed: of lamps and noise.
        first: number of the first frame.

    Raises:
        ParameterError: another type or shape, or an unknown severity.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise ParameterError(
            f"images have type {images.dtype} and shape {images.shape}; allowed: uint8 (n, height, "
            "width, 3)"
        )
    check_integer("severity", severity, low=0, high=len(LEVELS) - 1)
    check_integer("seed", seed, low=0)
    if severity == 0:
        return images.copy()
    level = LEVELS[severity]
    return np.stack(
        [
            _expose(image, level, np.random.default_rng([seed, severity, first + number]))
            for number, image in enumerate(images)
        ]
    )


def _expose(image: NDArray[np.uint8], level: NightLevel, generator: np.random.Generator) -> NDArray:
    scene = decode_srgb(image)
    height, width = image.shape[:2]
    pools, lamps = _draw_lamps(height, width, level.lamps, generator)
    warm = black_body_colour(LAMP_TEMPERATURE)
    ambient = level.exposure * black_body_colour(level.temperature)
    light = scene * (ambient + pools[..., None] * warm) + lamps[..., None] * warm
    if level.glare:
        spread = [gaussian_filter(light, (share * height, share * height, 0.0), mode="nearest")
                  for share in (0.02, 0.12)]  # fmt: skip
        light = (1.0 - level.glare) * light + 0.5 * level.glare * (spread[0] + spread[1])
    electrons = generator.poisson(PHOTONS * light) + generator.normal(0.0, READ_NOISE, light.shape)
    return encode_srgb(level.gain * electrons / PHOTONS)


def _draw_lamps(
    height: int, width: int, count: int, generator: np.random.Generator
) -> tuple[Light, Light]:
    """Light that lamps throw on their surroundings, and the lamps as seen, each (H, W)."""
    y, x = np.mgrid[:height, :width]
    pools, lamps = np.zeros((height, width)), np.zeros((height, width))
    for _ in range(count):
        top, left = generator.uniform(0.1, 0.6) * height, generator.uniform(0.0, 1.0) * width
        reach = generator.uniform(0.1, 0.25) * height
        strength = generator.uniform(0.005, 0.02)  # over daylight
        # a pool is long downwards: the lamp stands above what it lights
        down = np.where(y > top, 2.0, 0.7) * reach
        pools += strength * np.exp(-0.5 * (((y - top) / down) ** 2 + ((x - left) / reach) ** 2))
        size = generator.uniform(0.008, 0.02) * height
        lamps += 4.0 * np.exp(-0.5 * ((y - top) ** 2 + (x - left) ** 2) / size**2)
    return pools, lamps


def black_body_colour(temperature: float) -> Light:
    """Red, green and blue of a black body's light relative to 6500 K, with green as 1."""

    def radiance(kelvin: float) -> Light:  # Planck's law, per wavelength
        return _WAVELENGTHS**-5 / np.expm1(h * c / (_WAVELENGTHS * k * kelvin))

    ratio = radiance(temperature) / radiance(6500.0)
    return ratio / ratio[1]


def decode_srgb(image: NDArray[np.uint8]) -> Light:
    """Linear light, 0 to 1, of sRGB values, 0 to 255 (IEC 61966-2-1)."""
    v = image / 255.0
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def encode_srgb(light: Light) -> NDArray[np.uint8]:
    """SRGB values, 0 to 255, of linear light; what is below 0 or above 1 is clipped."""
    x = np.clip(light, 0.0, 1.0)
    v = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    return np.rint(255.0 * v).astype(np.uint8)
