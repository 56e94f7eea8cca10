"""Digits on a ground, with the clean twin of each."""

import numpy as np
import pytest

from swta.data import (
    DataUnavailable,
    DigitSources,
    choose_digit_sources,
    lay_on_ground,
    load_digits,
    load_pairs,
    select_digits,
)


def test_a_ground_is_laid_under_the_first_digits():
    clean = load_digits("rendered", "test", limit=12)
    made = lay_on_ground(clean, limit=8, seed=3)
    assert (len(made), made.name) == (8, "rendered_ground")
    np.testing.assert_array_equal(made.index, np.arange(8))
    np.testing.assert_array_equal(made.labels, clean.labels[:8])
    # where there is no ink, the ground is left; full ink turns it round
    grounds = np.abs(made.images.astype(int) - clean.images[:8])
    none = clean.images[:8] == 0
    np.testing.assert_array_equal(grounds[none], made.images[none])
    assert (made.images != clean.images[:8]).any(axis=(1, 2, 3)).all()
    np.testing.assert_array_equal(made.images, lay_on_ground(clean, limit=8, seed=3).images)
    assert len(lay_on_ground(clean, limit=99)) == 12


def test_without_mnist_m_the_grounds_are_drawn():
    sources = DigitSources("rendered", ("uci",), False, "")
    pictures, twins = load_pairs(sources, limit=5)
    assert (len(pictures), pictures.name) == (5, "rendered_ground")
    np.testing.assert_array_equal(twins.labels[pictures.index], pictures.labels)


@pytest.mark.realdata
def test_mnist_m_comes_with_its_twins():
    try:
        sources = choose_digit_sources()
    except DataUnavailable as error:
        pytest.skip(str(error))
    if "mnist_m" not in sources.targets:
        pytest.skip("MNIST-M is not there")
    pictures, twins = load_pairs(sources, limit=20)
    assert pictures.name == "mnist_m" and twins.name == "mnist"
    np.testing.assert_array_equal(twins.labels[pictures.index], pictures.labels)


def test_rows_are_chosen_by_number_or_truth():
    digits = load_digits("uci", "test", limit=30)
    low = select_digits(digits, digits.labels < 3)
    assert set(low.labels) == {0, 1, 2} and low.name == "uci"
    np.testing.assert_array_equal(
        select_digits(digits, np.array([4, 2])).index, digits.index[[4, 2]]
    )
