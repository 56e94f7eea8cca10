"""The corruptions of MNIST-C: what each does to energy, place and range, and that seeds repeat."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from swta.data import DigitSet, load_digits
from swta.data.corruption_shapes import draw_line
from swta.data.corruptions import (
    CORRUPTIONS,
    PUBLISHED_SEVERITY,
    corrupt,
    corrupt_digits,
)
from swta.validation import ParameterError

LEVELS = {name: 5 for name in CORRUPTIONS} | {
    name: 1 for name in ("stripe", "dotted_line", "zigzag", "canny_edges")
}


@pytest.fixture(scope="module")
def digits() -> DigitSet:
    return load_digits("rendered", "test", limit=40)


@pytest.fixture(scope="module")
def field(digits) -> np.ndarray:
    return np.ascontiguousarray(digits.images[:, 2:30, 2:30, 0])


def test_the_fifteen_of_the_paper():
    assert len(CORRUPTIONS) == 15 and set(PUBLISHED_SEVERITY) == set(CORRUPTIONS)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_severity_zero_is_the_image_and_others_are_not(field, name):
    assert np.array_equal(corrupt(field, name, severity=0), field)
    for severity in (1, LEVELS[name]):
        changed = corrupt(field, name, severity=severity)
        assert changed.dtype == np.uint8 and changed.shape == field.shape
        assert (changed != field).mean() > 0.01
    with pytest.raises(ParameterError, match="severity"):
        corrupt(field, name, severity=LEVELS[name] + 1)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_same_seed_same_images_however_many(field, name):
    whole = corrupt(field, name, seed=3)
    np.testing.assert_array_equal(corrupt(field[:9], name, seed=3), whole[:9])
    still = ("scale", "brightness", "stripe", "canny_edges")
    assert np.array_equal(corrupt(field, name, seed=4), whole) == (name in still)
    assert corrupt(field[:0], name).shape == (0, 28, 28)


@pytest.mark.parametrize("name", ["shot_noise", "impulse_noise", "glass_blur", "fog", "brightness"])
def test_harder_severities_are_further_from_the_image(field, name):
    apart = [
        np.abs(corrupt(field, name, severity=s).astype(float) - field).mean() for s in (1, 3, 5)
    ]
    assert apart[0] < apart[1] < apart[2]


def test_shot_noise_has_the_mean_and_variance_of_photons():
    grey = np.full((200, 28, 28), 51, np.uint8)  # 0.2
    noisy = corrupt(grey, "shot_noise", severity=1) / 255  # 60 photons at white
    assert noisy.mean() == pytest.approx(0.2, abs=1e-3)
    assert noisy.var() == pytest.approx(0.2 / 60, rel=0.03)
    assert (corrupt(np.zeros_like(grey), "shot_noise") == 0).all()


def test_impulse_noise_is_salt_and_pepper_in_equal_parts():
    grey = np.full((100, 28, 28), 100, np.uint8)
    noisy = corrupt(grey, "impulse_noise", severity=4)
    assert (noisy == 0).mean() == pytest.approx(0.085, abs=0.005)
    assert (noisy == 255).mean() == pytest.approx(0.085, abs=0.005)
    assert ((noisy == 100) | (noisy == 0) | (noisy == 255)).all()


def test_glass_blur_keeps_the_light_away_from_borders(field):
    blurred = corrupt(field, "glass_blur")
    np.testing.assert_allclose(blurred.mean((1, 2)), field.mean((1, 2)), atol=1.5)
    flat = np.full((2, 28, 28), 80, np.uint8)
    assert np.abs(corrupt(flat, "glass_blur").astype(int) - 80).max() <= 1


def test_motion_blur_of_a_point_is_half_a_gaussian_along_a_line():
    point = np.zeros((60, 28, 28), np.uint8)
    point[:, 14, 20] = 255
    blurred = corrupt(point, "motion_blur").astype(float) / 255
    weights = np.exp(-(np.arange(21.0) ** 2) / 18)
    # the point itself keeps the first weight
    np.testing.assert_allclose(blurred[:, 14, 20], weights[0] / weights.sum(), atol=1 / 255)
    np.testing.assert_allclose(blurred.sum((1, 2)), 1.0, atol=0.03)
    for image in blurred:
        y, x = np.nonzero(image > 1.5 / 255)
        assert x.max() == 20  # one-sided
        # pixels on one line through the point, rounded to whole pixels
        slope = (y[x.argmin()] - 14) / max(20 - x.min(), 1)
        assert np.abs(y - 14 - slope * (20 - x)).max() <= 1.01


@pytest.mark.parametrize(("name", "angle"), [("rotate", 0.4), ("shear", 0.4)])
def test_turns_go_both_ways_about_the_centre(name, angle):
    marks = np.zeros((40, 28, 28), np.uint8)
    marks[:, 12:16, 12:16] = 255  # the centre stays
    marks[:, 4:7, 12:16] = 255
    turned = corrupt(marks, name)
    assert (turned[:, 13:15, 13:15] > 200).all()
    above = np.array(
        [ndimage.center_of_mass(image * (np.arange(28) < 9)[:, None]) for image in turned]
    )
    signs = np.sign(above[:, 1] - 13.5)
    assert set(signs) == {-1.0, 1.0}
    if name == "rotate":
        moved = np.abs(above[:, 1] - 13.5) / (13.5 - above[:, 0])
        np.testing.assert_allclose(moved, np.tan(angle), atol=0.05)


def test_scale_shrinks_area_by_the_square(field):
    block = np.zeros((1, 28, 28), np.uint8)
    block[:, 7:21, 4:24] = 255
    small = corrupt(block, "scale", severity=3)  # to 0.7
    assert small.sum() / block.sum() == pytest.approx(0.49, rel=0.03)
    assert ndimage.center_of_mass(small[0]) == pytest.approx(
        ndimage.center_of_mass(block[0]), abs=0.02
    )


def test_translate_moves_by_whole_pixels(field):
    moved = corrupt(field, "translate", severity=3)
    seen = set()
    for image, start in zip(moved, field, strict=True):
        fits = [
            (dy, dx)
            for dy in (-3, 3)
            for dx in (-3, 3)
            if np.array_equal(image, ndimage.shift(start, (dy, dx), order=0))
        ]
        assert len(fits) >= 1
        seen |= set(fits)
    assert len(seen) == 4


def test_brightness_and_stripe_pixel_by_pixel(field):
    byte = field.astype(int)
    bright = np.rint(np.minimum(byte / 255 + 0.5, 1) * 255)
    np.testing.assert_array_equal(corrupt(field, "brightness"), bright)
    striped = corrupt(field, "stripe")
    np.testing.assert_array_equal(striped[:, :, 7:21], field[:, :, 7:21])
    np.testing.assert_array_equal(striped[:, :, :7], 255 - field[:, :, :7])
    np.testing.assert_array_equal(striped[:, :, 21:], 255 - field[:, :, 21:])
    np.testing.assert_array_equal(corrupt(striped, "stripe"), field)


def test_fog_keeps_white_the_brightest_and_lies_on_black(field):
    foggy = corrupt(field, "fog")
    assert (foggy.max((1, 2)) <= field.max((1, 2))).all()
    assert foggy[field == 0].mean() > 40
    # the cloud is smooth: neighbouring pixels differ less than far ones
    ground = corrupt(np.maximum(field * 0, np.eye(28, dtype=np.uint8) * 255), "fog")[:, :10, 18:]
    near = np.abs(np.diff(ground.astype(float), axis=2)).mean()
    assert near < 0.5 * ground.std()


def test_spatter_paints_drops_of_one_grey(field):
    white = np.full((20, 28, 28), 255, np.uint8)
    painted = corrupt(white, "spatter")
    assert painted.min() >= 63 and (painted == 255).any()
    black = corrupt(np.zeros_like(white), "spatter")
    assert set(np.unique(black)) <= {0, *range(50, 64)}
    assert 0.02 < (black > 0).mean() < 0.6


def test_lines_are_added_and_dots_are_missing():
    black = np.zeros((30, 28, 28), np.uint8)
    dotted = corrupt(black, "dotted_line")
    assert (dotted[:, :, np.arange(28) % 4 < 2] == 0).all()
    assert (dotted[:, :, :27][:, :, np.arange(27) % 4 >= 2].max(1) > 150).all()
    zigzag = corrupt(black, "zigzag").max(1)
    assert (zigzag[:, :2] == 0).all() and (zigzag[:, 4:20].max(1) == 255).all()


@given(r0=st.integers(0, 27), r1=st.integers(0, 27))
@settings(max_examples=20, deadline=None)
def test_line_fades_with_the_distance_along_the_column(r0, r1):
    line = draw_line((28, 28), 0, r0, 27, r1)
    for column in (0, 13, 26):
        row = r0 + (r1 - r0) * column / 27
        apart = np.abs(np.arange(28) - row)
        expected = np.where(apart < 2.3, np.log(np.maximum(1 - apart / 2.3, 1e-12)) + 1, 0).clip(0)
        np.testing.assert_allclose(line[:, column], expected, atol=1e-9)
    assert (draw_line((28, 28), 5, r0, 5, r1) == 0).all()


def test_edges_of_a_block_are_its_outline():
    block = np.zeros((1, 28, 28), np.uint8)
    block[:, 8:20, 8:20] = 255
    edges = corrupt(block, "canny_edges")[0]
    assert set(np.unique(edges)) == {0, 255}
    assert (edges[10:18, 10:18] == 0).all() and (edges[:6] == 0).all()
    # each row through the middle crosses two edges, one or two pixels thick
    assert ((edges[10:18] > 0).sum(1) >= 2).all() and ((edges[10:18] > 0).sum(1) <= 4).all()
    assert (edges[14, 7:9] > 0).any() and (edges[14, 19:21] > 0).any()
    assert (corrupt(np.full((1, 28, 28), 90, np.uint8), "canny_edges")[0, 2:-2, 2:-2] == 0).all()


def test_edges_of_one_image_do_not_depend_on_its_neighbours(field):
    alone = np.concatenate([corrupt(image[None], "canny_edges") for image in field[:8]])
    np.testing.assert_array_equal(alone, corrupt(field, "canny_edges")[:8])


def test_a_set_keeps_labels_and_frame(digits):
    changed = corrupt_digits(digits, "fog", severity=2, seed=1)
    np.testing.assert_array_equal(changed.labels, digits.labels)
    assert changed.name == "rendered_fog" and "severity 2" in changed.source
    assert (changed.images[:, :2] == 0).all() and (changed.images[:, :, 30:] == 0).all()
    inner = np.ascontiguousarray(digits.images[:, 2:30, 2:30, 0])
    np.testing.assert_array_equal(
        changed.images[:, 2:30, 2:30, 1], corrupt(inner, "fog", severity=2, seed=1)
    )


def test_bad_input_is_refused(field):
    coloured = load_digits("rendered_clutter", "test", limit=3)
    with pytest.raises(ParameterError, match="coloured"):
        corrupt_digits(coloured, "fog")
    with pytest.raises(ParameterError, match="did you mean 'glass_blur'"):
        corrupt(field, "glas_blur")
    with pytest.raises(ParameterError, match="uint8"):
        corrupt(field / 255, "fog")
    with pytest.raises(ParameterError, match="28"):
        corrupt(field[:, :20], "fog")
    with pytest.raises(ParameterError, match="seed"):
        corrupt(field, "fog", seed=-1)
