"""Night by degrees: the camera's model."""

from itertools import pairwise

import numpy as np
import pytest

from swta.data import LEVELS, SEVERITIES, form_night, night
from swta.validation import ParameterError


def grey(level: int, n: int = 1, height: int = 40, width: int = 50) -> np.ndarray:
    return np.full((n, height, width, 3), level, np.uint8)


@pytest.fixture
def street() -> np.ndarray:
    generator = np.random.default_rng(0)
    return generator.integers(20, 240, (2, 36, 48, 3), dtype=np.uint8)


def test_severity_zero_is_the_frame_itself(street):
    dark = form_night(street, 0)
    assert (dark == street).all() and dark is not street


@pytest.mark.parametrize("level", [110, 180])
def test_it_gets_darker_by_degrees(level):
    frames = [form_night(grey(level, n=10), s) for s in SEVERITIES]  # ten draws of lamps
    for statistic in (np.mean, np.median):
        values = [statistic(f) for f in frames]
        assert all(a > b for a, b in pairwise(values)) and values[-1] < 0.5 * values[0]


@pytest.mark.parametrize("severity", SEVERITIES[1:])
def test_light_and_noise_are_those_of_the_equation(severity, monkeypatch):
    """A constant frame without lamps: mean g a c x, variance g² (a c x / N + r² / N²)."""
    level = LEVELS[severity]
    monkeypatch.setattr(night, "_draw_lamps", lambda h, w, *_: (np.zeros((h, w)),) * 2)
    taken = []
    monkeypatch.setattr(night, "encode_srgb", lambda light: taken.append(light) or grey(0)[0])
    form_night(grey(128, height=200, width=200), severity)
    linear = night.decode_srgb(np.array(128))
    photons = night.PHOTONS * level.exposure * night.black_body_colour(level.temperature) * linear
    mean = taken[0].mean((0, 1)) * night.PHOTONS / level.gain
    variance = taken[0].var((0, 1)) * (night.PHOTONS / level.gain) ** 2
    np.testing.assert_allclose(mean, photons, rtol=0.02, atol=0.05)
    np.testing.assert_allclose(variance, photons + night.READ_NOISE**2, rtol=0.05)


def test_lamps_light_what_is_near_them():
    draw = np.random.default_rng(1)
    pools, lamps = night._draw_lamps(60, 80, 1, draw)
    brightest = np.unravel_index(lamps.argmax(), lamps.shape)
    assert pools[brightest] > 0.9 * pools.max()
    assert lamps.max() > 1.0 and np.median(lamps) < 1e-6


def test_glare_keeps_the_light(monkeypatch):
    monkeypatch.setattr(night, "_draw_lamps", lambda h, w, *_: (np.zeros((h, w)),) * 2)
    taken = []
    monkeypatch.setattr(night, "encode_srgb", lambda light: taken.append(light) or grey(0)[0])
    frame = grey(0, height=90, width=90)
    frame[:, 40:50, 40:50] = 255
    form_night(frame, 1)
    light, level = taken[0][..., 1], LEVELS[1]
    assert light.sum() == pytest.approx(level.gain * level.exposure * 100, rel=0.05)
    assert light[37:40, 40:50].mean() > 10 * abs(light[:5].mean()) + 1e-3


def test_warm_light_is_red_and_daylight_neutral():
    np.testing.assert_allclose(night.black_body_colour(6500.0), 1.0)
    red, green, blue = night.black_body_colour(2200.0)
    assert red > 1.5 * green and blue < 0.5 * green


def test_srgb_there_and_back():
    values = np.arange(256, dtype=np.uint8)
    assert (night.encode_srgb(night.decode_srgb(values)) == values).all()
    assert night.decode_srgb(np.array(188)) == pytest.approx(0.5, abs=0.005)  # half of the light


def test_the_seed_decides(street):
    assert (form_night(street, 4, seed=1) == form_night(street, 4, seed=1)).all()
    assert (form_night(street, 4, seed=1) != form_night(street, 4, seed=2)).any()
    assert (form_night(street[1:], 4, first=1) == form_night(street, 4)[1:]).all()


@pytest.mark.parametrize(
    ("images", "severity", "message"),
    [
        (np.zeros((1, 4, 4, 3)), 1, "float64"),
        (np.zeros((4, 4, 3), np.uint8), 1, "shape"),
        (np.zeros((1, 4, 4, 3), np.uint8), 6, "severity = 6"),
    ],
)
def test_bad_input(images, severity, message):
    with pytest.raises(ParameterError, match=message):
        form_night(images, severity)
