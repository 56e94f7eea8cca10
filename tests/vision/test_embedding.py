"""CKA at its closed forms, prototypes on points in the plane."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from swta.validation import ParameterError
from swta.vision import (
    TransformerParameters,
    Unfiltered,
    classify_by_prototypes,
    create_transformer,
    embed_images,
    filter_images,
    measure_cka,
    measure_few_shot,
    prepend,
)


@given(seed=st.integers(0, 100), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
@settings(max_examples=15, deadline=None)
def test_cka_does_not_see_rotation_scale_or_shift(seed, scale, shift):
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(30, 5)), random.normal(size=(30, 4))
    turn, _ = np.linalg.qr(random.normal(size=(5, 5)))
    assert measure_cka(x, scale * x @ turn + shift) == pytest.approx(1.0)
    assert measure_cka(x @ turn, y) == pytest.approx(measure_cka(x, y))
    assert 0.0 <= measure_cka(x, y) <= 1.0
    assert measure_cka(x, y) == pytest.approx(measure_cka(y, x))


def test_cka_of_one_feature_is_the_squared_correlation():
    random = np.random.default_rng(0)
    x = random.normal(size=50)
    y = 0.6 * x + 0.8 * random.normal(size=50)
    assert measure_cka(x[:, None], y[:, None]) == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2)
    # orthogonal features share nothing
    assert measure_cka([[1], [-1], [1], [-1]], [[1], [1], [-1], [-1]]) == pytest.approx(0.0)


def test_nearest_prototype_is_the_nearest_mean():
    support = [[0, 0], [2, 0], [10, 0], [10, 4]]
    labels = [7, 7, 3, 3]
    queries = [[1, 1], [5.4, 0], [5.6, 1], [10, 2]]  # means (1, 0) and (10, 2)
    np.testing.assert_array_equal(classify_by_prototypes(support, labels, queries), [7, 7, 3, 3])


def test_more_shots_help_and_repeat():
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(5, 10), 60)
    vectors = 1.2 * np.eye(10)[labels] + 0.5 * random.normal(size=(300, 10))
    one = measure_few_shot(vectors, labels, shots=1)
    five = measure_few_shot(vectors, labels, shots=5)
    assert one.shape == (20,) and five.mean() > one.mean() + 0.05 > 0.25
    np.testing.assert_array_equal(one, measure_few_shot(vectors, labels, shots=1))
    assert measure_few_shot(10 * np.eye(10)[labels], labels, shots=1).min() == 1.0


def test_chance_when_the_embedding_holds_nothing():
    labels = np.repeat(np.arange(5), 200)
    vectors = np.random.default_rng(1).normal(size=(1000, 8))
    assert measure_few_shot(vectors, labels, shots=5).mean() == pytest.approx(0.2, abs=0.02)


def test_embedding_is_what_the_classifier_sees(digits):
    small = TransformerParameters(width=16, depth=1, heads=2)
    model = prepend(Unfiltered(), create_transformer(small, seed=0))
    images = filter_images(Unfiltered(), digits.images[:7])
    vectors = embed_images(model, images, batch=3)
    assert vectors.shape == (7, 16)
    logits = model[1].head(torch.from_numpy(vectors)).detach()
    expected = model.eval()(torch.from_numpy(images).float()).detach()
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: measure_cka(np.ones((3, 2)), np.ones((4, 2))), "shapes"),
        (lambda: measure_cka(np.ones((3, 2)), np.eye(3)), "constant"),
        (lambda: classify_by_prototypes([[1.0]], [1, 2], [[1.0]]), "support"),
        (lambda: measure_few_shot(np.eye(4), [0, 0, 1, 1], shots=2), "fewer shots"),
        (lambda: measure_few_shot(np.eye(4), [0, 0, 1, 1], shots=0), "shots"),
        (lambda: embed_images(nn.Linear(2, 2), np.zeros((1, 2), np.float16)), "features"),
    ],
)
def test_bad_input_is_refused(call, word):
    with pytest.raises(ParameterError, match=word):
        call()
