"""Drawn digits: reproducible, balanced, and as different from each other as they claim to be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swta.data import draw_background, render_digits
from swta.data.rendered import KINDS, N_FONTS, _draw_glyph, _load_font
from swta.validation import ParameterError


@pytest.mark.parametrize("kind", KINDS)
def test_a_longer_set_begins_with_the_shorter(kind):
    few, many = render_digits(kind, 5, seed=3), render_digits(kind, 9, seed=3)
    assert (few[0] == many[0][:5]).all() and (few[1] == many[1][:5]).all()
    assert many[0].shape == (9, 32, 32, 3) and many[0].dtype == np.uint8
    assert (render_digits(kind, 9, seed=4)[0] != many[0]).any()


def test_labels_are_uniform():
    _, labels = render_digits("rendered", 1000, seed=0)
    counts = np.bincount(labels, minlength=10)
    # chi-squared with 9 degrees of freedom: 99.9 % below 27.9
    assert ((counts - 100) ** 2 / 100).sum() < 27.9


def test_plain_digits_are_white_on_black_and_fit_like_mnist():
    images, _ = render_digits("rendered", 200, seed=0)
    assert (images[..., 0] == images[..., 1]).all() and (images[..., 0] == images[..., 2]).all()
    assert (images.max(axis=(1, 2, 3)) > 200).all()
    edge = images[:, [0, 1, 30, 31]].mean() + images[:, :, [0, 1, 30, 31]].mean()
    assert edge < 4 and 15 < images.mean() < 60
    rows = np.mean([np.ptp(np.flatnonzero(image[..., 0].max(1) > 64)) + 1 for image in images])
    assert 17 < rows < 23  # MNIST: a box of 20


def test_clutter_is_the_absolute_difference_with_a_background():
    images, _ = render_digits("rendered_clutter", 100, seed=0)
    assert images.std(axis=(1, 2)).mean() > 20
    assert (images[..., 0] != images[..., 1]).mean() > 0.8  # coloured


def test_either_the_number_or_the_wall_is_brighter():
    images, _ = render_digits("rendered_street", 200, seed=0)
    grey = images.mean(axis=-1)
    middle, corner = grey[:, 12:20, 12:20].max(axis=(1, 2)), grey[:, :3, :].mean(axis=(1, 2))
    assert 0.2 < (middle > corner + 30).mean() < 0.8


def test_fonts_draw_ten_different_digits_in_the_middle():
    for font in range(N_FONTS):
        glyphs = [np.asarray(_draw_glyph(digit, font)).astype(float) for digit in range(10)]
        for digit, glyph in enumerate(glyphs):
            lit = np.argwhere(glyph > 100)
            centre = (lit.min(axis=0) + lit.max(axis=0)) / 2
            assert np.abs(centre - 47.5).max() < 3, (font, digit)
            assert 50 < np.ptp(lit, axis=0).max() < 66, (font, digit)
            others = [other for number, other in enumerate(glyphs) if number != digit]
            assert min(np.abs(glyph - other).sum() for other in others) > 0
    assert len({_load_font(font, 40.0).getname() for font in range(N_FONTS)}) == N_FONTS


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.sampled_from([8, 32, 33]))
def test_backgrounds_are_in_range_and_not_flat(seed, side):
    background = draw_background(np.random.default_rng(seed), side)
    assert background.shape == (side, side, 3)
    assert background.min() >= 0 and background.max() <= 255 and background.std() > 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("render", 1, 0), "did you mean 'rendered'"),
        (("rendered", 0, 0), "n = 0"),
        (("rendered", 1, -1), "seed = -1"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    kind, n, seed = arguments
    with pytest.raises(ParameterError, match=message):
        render_digits(kind, n, seed=seed)
