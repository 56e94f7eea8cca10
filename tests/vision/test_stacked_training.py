"""The GPU's path of the training on a CPU: stacked seeds, bfloat16, torch.compile."""

from functools import partial

import numpy as np
import pytest
import torch

from swta.vision import (
    Machine,
    RandomConvolution,
    TrainingParameters,
    TransformerParameters,
    Unfiltered,
    choose_machine,
    filter_images,
    train,
)
from swta.vision.learners import SeparateLearners, StackedLearners
from swta.vision.training import _Loop

SMALL = TransformerParameters(width=16, depth=1, heads=2)
NOISY = TrainingParameters(epochs=2, batch_size=16, fano=0.3, patch_drop=0.5, n_checks=2)

PLAIN = TrainingParameters(epochs=2, batch_size=16, n_checks=2)


@pytest.fixture(scope="module")
def pair(digits):
    x = filter_images(Unfiltered(), digits.images)
    return x[:60], digits.labels[:60], (x[120:], digits.labels[120:])


def run(pair, training=NOISY, **changes):
    return train(*pair, transformer=SMALL, training=training, seeds=[0, 1, 2], **changes)


@pytest.mark.parametrize("training", [NOISY, PLAIN], ids=["noisy", "plain"])
def test_stacked_seeds_learn_what_single_ones_learn(pair, training):
    stacked = run(pair, training, machine=Machine(stacked=True))
    for one, other in zip(run(pair, training), stacked, strict=True):
        np.testing.assert_allclose(one.loss, other.loss, rtol=1e-3)  # rounding only
        np.testing.assert_allclose(one.validation_accuracy, other.validation_accuracy, atol=0.06)
    assert not np.array_equal(stacked[0].loss, stacked[1].loss)


def test_a_random_front_end_is_never_stacked(pair):
    machine = Machine(stacked=True)
    assert type(_loop(pair, machine, None).learners) is StackedLearners
    assert type(_loop(pair, machine, RandomConvolution()).learners) is SeparateLearners


def _loop(pair, machine, front):
    return _Loop(pair[0][None], pair[1], SMALL, NOISY, [0], machine, front)


@pytest.mark.parametrize("stacked", [False, True])
def test_bfloat16_learns_about_the_same(pair, stacked):
    half = run(pair, machine=Machine(half=True, stacked=stacked))
    for one, other in zip(run(pair), half, strict=True):
        assert not np.array_equal(one.loss, other.loss)
        np.testing.assert_allclose(one.loss, other.loss, rtol=0.05)
        assert next(other.model.parameters()).dtype == torch.float32


def test_the_stacked_step_can_be_compiled(pair, monkeypatch):
    # the graph and its gradient are traced; code generation needs a compiler
    compiled = partial(torch.compile, backend="aot_eager")
    monkeypatch.setattr(torch, "compile", compiled)
    fast = run(pair, machine=Machine(compiled=True, stacked=True))
    for one, other in zip(run(pair), fast, strict=True):
        np.testing.assert_allclose(one.loss, other.loss, rtol=1e-3)


def test_without_a_compiler_it_goes_on_uncompiled(pair, monkeypatch):
    def broken(function):
        def call(*_):
            raise RuntimeError("no C compiler")

        return call

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.warns(UserWarning, match="no C compiler"):
        slow = run(pair, machine=Machine(compiled=True, stacked=True))
    for one, other in zip(run(pair, machine=Machine(stacked=True)), slow, strict=True):
        np.testing.assert_array_equal(one.loss, other.loss)


def test_auto_falls_back_to_the_cpu(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert choose_machine("auto") == Machine() == choose_machine("cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_the_gpu_learns_about_the_same(pair):
    for one, other in zip(run(pair), run(pair, machine=choose_machine("cuda")), strict=True):
        np.testing.assert_allclose(one.loss, other.loss, rtol=0.1)
