"""The loop: repeatable, able to learn, and honest about what it was given."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from swta.validation import ParameterError
from swta.vision import (
    Machine,
    TrainingParameters,
    TransformerParameters,
    Unfiltered,
    choose_device,
    filter_images,
    measure_hits,
    shift_images,
    train,
)
from swta.vision.training import learning_rate

SMALL = TransformerParameters(width=16, depth=1, heads=2)
SHORT = TrainingParameters(epochs=2, batch_size=16, fano=0.2, patch_drop=0.5, n_checks=3)


@pytest.fixture(scope="module")
def filtered(digits):
    return filter_images(Unfiltered(), digits.images), digits.labels


def run(filtered, seed, training=SHORT, n=60, transformer=SMALL):
    x, y = filtered
    held = (x[100:], y[100:])
    return train(x[:n], y[:n], held, transformer=transformer, training=training, seeds=[seed])[0]


def test_same_seed_same_numbers(filtered):
    first, again, other = run(filtered, 0), run(filtered, 0), run(filtered, 1)
    np.testing.assert_array_equal(first.loss, again.loss)
    np.testing.assert_array_equal(first.validation_accuracy, again.validation_accuracy)
    for a, b in zip(first.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not np.array_equal(first.loss, other.loss)


def test_leaves_the_callers_random_numbers_alone(filtered):
    torch.manual_seed(9)
    expected = torch.rand(3)
    torch.manual_seed(9)
    run(filtered, 0)
    assert torch.equal(torch.rand(3), expected)


def test_records_what_it_did(filtered):
    result = run(filtered, 3)
    assert result.seed == 3
    assert result.loss.shape == (8,)  # 2 passes of 4 batches
    np.testing.assert_array_equal(result.steps, [3, 5, 8])
    assert result.validation_accuracy.shape == (3,)
    hits = measure_hits(result.model, filtered[0][100:], filtered[1][100:], batch=7)
    assert hits / 60 == pytest.approx(result.validation_accuracy[-1])
    assert not result.model.training


def test_more_checks_do_not_change_the_training(filtered):
    few = run(filtered, 0, TrainingParameters(epochs=1, batch_size=16, fano=0.2, n_checks=1))
    many = run(filtered, 0, TrainingParameters(epochs=1, batch_size=16, fano=0.2, n_checks=4))
    np.testing.assert_array_equal(few.loss, many.loss)


def test_a_small_model_learns_64_images_by_heart(filtered):
    x, y = filtered[0][:64], filtered[1][:64]
    plain = TransformerParameters(width=32, depth=2, heads=2)
    training = TrainingParameters(
        epochs=150, batch_size=32, shift=0, weight_decay=0.0, n_checks=1, learning_rate=3e-3
    )
    (result,) = train(x, y, (x, y), transformer=plain, training=training, seeds=[0])
    assert result.validation_accuracy[-1] == 1.0
    assert result.loss[-1] < 0.2 < 1.5 < result.loss[0]


@given(seed=st.integers(0, 1000), reach=st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_shift_agrees_with_loops(seed, reach):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(3, 2, 6, 7, generator=generator)
    offsets = torch.randint(-reach, reach + 1, (3, 2), generator=generator)
    expected = torch.zeros_like(images)
    for i in range(3):
        down, right = offsets[i].tolist()
        for row in range(6):
            for column in range(7):
                if 0 <= row - down < 6 and 0 <= column - right < 7:
                    expected[i, :, row, column] = images[i, :, row - down, column - right]
    assert torch.equal(shift_images(images, offsets), expected)


def test_learning_rate_rises_then_falls_to_zero():
    p = TrainingParameters(learning_rate=0.01, warm_up=0.2)
    rates = np.array([learning_rate(step, 100, p) for step in range(100)])
    assert rates.max() == pytest.approx(0.01)
    assert (np.diff(rates[:20]) > 0).all() and (np.diff(rates[20:]) < 0).all()
    assert rates[0] == pytest.approx(0.01 / 20)
    assert learning_rate(60, 100, p) == pytest.approx(0.005)  # half way down
    assert rates[-1] < 1e-5


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("batch_size", 1.5),
        ("learning_rate", 0.0),
        ("weight_decay", -1.0),
        ("warm_up", 1.1),
        ("label_smoothing", 1.0),
        ("shift", -1),
        ("fano", float("nan")),
        ("n_checks", 0),
        ("patch_drop", 1.0),
    ],
)
def test_bad_choices_are_named(field, value):
    with pytest.raises(ParameterError, match=field):
        TrainingParameters(**{field: value})


@pytest.mark.parametrize("there", [True, False])
def test_auto_is_the_gpu_where_there_is_one(monkeypatch, there):
    monkeypatch.setattr("torch.cuda.is_available", lambda: there)
    assert choose_device("auto") == ("cuda" if there else "cpu")


@pytest.mark.parametrize("device", ["gpu", "", "cuda:99"])
def test_missing_device_is_refused(device):
    with pytest.raises(ParameterError, match="device"):
        Machine(device)


def test_bad_labels_are_refused(filtered):
    x, y = filtered[0][:20], filtered[1][:20]
    kwargs = {"transformer": SMALL, "training": SHORT, "seeds": [0]}
    with pytest.raises(ParameterError, match="20 images come with 19 labels"):
        train(x, y[:19], (x, y), **kwargs)
    with pytest.raises(ParameterError, match="labels run from 0 to 10"):
        train(x, np.arange(20) % 11, (x, y), **kwargs)
    with pytest.raises(ParameterError, match="0 images"):
        train(x, y, (x[:0], y[:0]), **kwargs)
    with pytest.raises(ParameterError, match="seeds is empty"):
        train(x, y, (x, y), **(kwargs | {"seeds": []}))
    x = x.copy()
    x[3, 0, 1, 1] = np.nan
    with pytest.raises(ParameterError, match="not finite"):
        train(x, y, (x, y), **kwargs)
