"""A training that is killed goes on with the numbers of one that was not."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from miniature_book import PATIENCE_S, wait_for

from swta.vision import CheckpointError, TrainingParameters, TransformerParameters, train
from swta.vision import training as training_module

pytestmark = pytest.mark.faults

TRANSFORMER = TransformerParameters(width=16, depth=1, heads=2)
TRAINING = TrainingParameters(epochs=2, batch_size=20, fano=0.2, n_checks=4)
SCRIPT = """\
import sys, time
from pathlib import Path
import torch
torch.set_num_threads(1)
sys.path.insert(0, sys.argv[1])
from test_training_faults import run
from swta.vision import training
save = training.save_checkpoint
def slow(path, configuration, state):
    save(path, configuration, state)
    print("kept", flush=True)
    time.sleep(600)  # long enough to be killed
training.save_checkpoint = slow
run(Path(sys.argv[2]))
"""


def run(checkpoint=None):
    rng = np.random.default_rng(5)
    x, y = rng.random((80, 3, 32, 32)).astype(np.float16), rng.integers(0, 10, 80)
    choices = {"transformer": TRANSFORMER, "training": TRAINING, "seeds": [0]}
    return train(x[:60], y[:60], (x[60:], y[60:]), checkpoint=checkpoint, **choices)[0]


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def equal(one, other):
    np.testing.assert_array_equal(one.loss, other.loss)
    np.testing.assert_array_equal(one.validation_accuracy, other.validation_accuracy)
    for a, b in zip(one.model.parameters(), other.model.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.long
def test_training_killed(tmp_path):
    """Case T1: kill −9; the training goes on from its last check, to the bit."""
    path = tmp_path / "one.pt"
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, os.path.dirname(__file__), str(path)])
    try:
        wait_for(path.exists)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)
    equal(run(path), run())


def test_state_of_a_training_damaged(tmp_path):
    """Case T2: a cut state is refused, with what to do; without it the training begins anew."""
    path = tmp_path / "one.pt"
    expected = run(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CheckpointError, match=r"not a checkpoint.*Delete it to train anew"):
        run(path)
    path.unlink()
    equal(run(path), expected)


def test_disk_full_while_a_state_is_kept(tmp_path, monkeypatch):
    """Case T3: the error is told, the state before it stays, and the next run goes on from it."""
    path, kept = tmp_path / "one.pt", []
    save = training_module.save_checkpoint

    def full(*arguments):
        if kept:
            raise OSError(28, "No space left on device")
        kept.append(save(*arguments))

    with monkeypatch.context() as context:
        context.setattr(training_module, "save_checkpoint", full)
        with pytest.raises(OSError, match="No space left"):
            run(path)
    assert path.exists()
    equal(run(path), run())
