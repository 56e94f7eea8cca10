"""An interrupted training ends as an uninterrupted one; a foreign or broken file is refused."""

import os

import numpy as np
import pytest
import torch

from swta.vision import (
    CheckpointError,
    Machine,
    RandomConvolution,
    SoftWTA,
    TrainingParameters,
    TransformerParameters,
    Unfiltered,
    filter_images,
    train,
    training,
)
from swta.vision.checkpoint import load_checkpoint, save_checkpoint

SMALL = TransformerParameters(width=16, depth=1, heads=2)
NOISY = TrainingParameters(epochs=3, batch_size=16, fano=0.3, patch_drop=0.5, n_checks=4)


@pytest.fixture(scope="module")
def pair(digits):
    x = filter_images(Unfiltered(), digits.images)
    return np.stack([x[:60], x[60:120]]), digits.labels[:60], (x[120:], digits.labels[120:])


def run(pair, checkpoint=None, **changes):
    choices = {"transformer": SMALL, "training": NOISY, "seeds": [0, 7]} | changes
    return train(*pair, checkpoint=checkpoint, **choices)


def equal(first, second):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.loss, b.loss)
        np.testing.assert_array_equal(a.validation_accuracy, b.validation_accuracy)
        for v, w in zip(a.model.parameters(), b.model.parameters(), strict=True):
            assert torch.equal(v, w)


def interrupt(monkeypatch, step):
    """The training stops like a killed process just before an optimiser step."""

    def rate(now, total, parameters):
        if now == step:
            raise KeyboardInterrupt
        return learning_rate(now, total, parameters)

    learning_rate = training.learning_rate
    monkeypatch.setattr(training, "learning_rate", rate)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"front": RandomConvolution()},
        {"front": SoftWTA(learnable=True), "seeds": [3]},
        {"machine": Machine(stacked=True)},
        {"machine": Machine(half=True)},
    ],
    ids=["fixed", "random front", "trained front", "stacked", "half"],
)
def test_an_interrupted_training_ends_the_same_to_the_bit(pair, tmp_path, monkeypatch, changes):
    whole = run(pair, **changes)
    path = tmp_path / "runs" / "one.pt"
    for step in (2, 5, 10):  # before the first check, within a pass, in the last one
        with monkeypatch.context() as patch:
            interrupt(patch, step)
            with pytest.raises(KeyboardInterrupt):
                run(pair, path, **changes)
        assert path.exists() == (step > 3)
    equal(whole, run(pair, path, **changes))
    equal(whole, run(pair, path, **changes))  # finished: nothing is trained again
    assert [p.name for p in path.parent.iterdir()] == ["one.pt"]


def test_seeds_do_not_depend_on_those_trained_with_them(pair):
    together = run(pair)
    equal(together[1:], run(pair, seeds=[7]))
    equal(together[:1], run(pair, seeds=[0]))
    front = RandomConvolution()
    equal(run(pair, front=front)[1:], run(pair, seeds=[7], front=front))


def test_another_configuration_is_refused_with_what_differs(pair, tmp_path):
    path = tmp_path / "one.pt"
    run(pair, path)
    longer = TrainingParameters(epochs=4, batch_size=16, fano=0.3, patch_drop=0.5, n_checks=4)
    with pytest.raises(CheckpointError, match=r"training\.epochs is 3 there, 4 here"):
        run(pair, path, training=longer)
    with pytest.raises(CheckpointError, match=r"seeds is \[0, 7\] there, \[0, 8\] here"):
        run(pair, path, seeds=[0, 8])
    with pytest.raises(CheckpointError, match=r"machine\.stacked"):
        run(pair, path, machine=Machine(stacked=True))
    with pytest.raises(CheckpointError, match="images is float16"):
        run((pair[0] / 2, *pair[1:]), path)
    with pytest.raises(CheckpointError, match="front is None there, SoftWTA"):
        run(pair, path, front=SoftWTA(learnable=True))


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut off"])
def test_a_broken_file_is_refused(pair, tmp_path, content):
    path = tmp_path / "one.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        run(pair, path)


class Spy:
    """Code that a pickle would run."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


def test_no_code_of_a_checkpoint_is_run(pair, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"configuration": {}, "state": Spy(), "format": 1}, "one.pt")
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        load_checkpoint(tmp_path / "one.pt", {})
    assert not (tmp_path / "ran").exists()


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "one.pt"
    save_checkpoint(path, {"a": "1"}, {"done": 3})

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(path, {"a": "1"}, {"done": 4})
    assert load_checkpoint(path, {"a": "1"}) == {"done": 3}
    assert [p.name for p in tmp_path.iterdir()] == ["one.pt"]
