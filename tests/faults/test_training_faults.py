"""A training that is killed goes on with the numbers of one that was not."""

import os
import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from miniature_book import PATIENCE_S, wait_for

from swta.vision import TrainingParameters, TransformerParameters, train, train_arms
from swta.vision.keeping import Keeper, training_key

pytestmark = pytest.mark.faults

TRANSFORMER = TransformerParameters(width=16, depth=1, heads=2)
TRAINING = TrainingParameters(epochs=2, batch_size=20, fano=0.2, n_checks=4)
SCRIPT = """\
import sys, time
from pathlib import Path
import numpy as np
import torch
torch.set_num_threads(1)
sys.path.insert(0, sys.argv[1])
from test_training_faults import run
from swta.vision.keeping import Keeper
save = Keeper.save_state
def slow(keeper, state):
    save(keeper, state)
    time.sleep(0.5 if len(state["accuracies"]) < 2 else 600)  # long enough to be killed
Keeper.save_state = slow
run(Keeper(Path(sys.argv[2]), "k"))
"""


def digits(n=80):
    rng = np.random.default_rng(5)
    return rng.random((n, 3, 32, 32)).astype(np.float16), rng.integers(0, 10, n)


def run(keeper=None, seed=0):
    x, y = digits()
    held = (x[60:], y[60:])
    choices = {"transformer": TRANSFORMER, "training": TRAINING, "seed": seed, "keeper": keeper}
    return train(x[:60], y[:60], held, **choices)


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Killed(BaseException):
    """Stands for a kill: nothing of the training may catch it."""


def stop_after(monkeypatch, checks):
    """Cut a training off right after its state was kept so many times."""
    save = Keeper.save_state

    def save_and_stop(keeper, state):
        save(keeper, state)
        if len(state["accuracies"]) == checks:
            raise Killed

    monkeypatch.setattr(Keeper, "save_state", save_and_stop)


def equal(one, other):
    np.testing.assert_array_equal(one.loss, other.loss)
    np.testing.assert_array_equal(one.validation_accuracy, other.validation_accuracy)
    for a, b in zip(one.model.parameters(), other.model.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.long
def test_training_killed(tmp_path):
    """Case T1: kill −9; the training goes on from its last check, to the bit."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, os.path.dirname(__file__), str(tmp_path)]
    )
    keeper = Keeper(tmp_path, "k")
    try:
        wait_for(lambda: (state := keeper.load_state()) and len(state["accuracies"]) == 2)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)
    equal(run(keeper), run())


def test_training_cut_off_at_any_check(tmp_path, monkeypatch):
    """Case T2: the same at each check, within one process."""
    expected = run()
    for checks in (1, 3):
        keeper = Keeper(tmp_path, f"after {checks}")
        with monkeypatch.context() as context:
            stop_after(context, checks)
            with pytest.raises(Killed):
                run(keeper)
        assert len(keeper.load_state()["losses"]) < len(expected.loss)
        equal(run(keeper), expected)


def test_state_of_a_training_damaged(tmp_path, monkeypatch):
    """Case T3: a cut or changed state is not used; the training begins anew."""
    keeper = Keeper(tmp_path, "k")
    with monkeypatch.context() as context:
        stop_after(context, 1)
        with pytest.raises(Killed):
            run(keeper)
    whole = keeper.state.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:-9] + b"x" + whole[-8:], b""):
        keeper.state.write_bytes(damaged)
        assert keeper.load_state() is None
    equal(run(keeper), run())


def test_arms_killed_between_trainings(tmp_path, monkeypatch):
    """Case T4: of several trainings the finished are not repeated."""
    from swta.data import DigitSet
    from swta.vision import Unfiltered, arms

    x, y = digits()
    images = (x.transpose(0, 2, 3, 1) * 255).astype(np.uint8)
    source = DigitSet(images, y, np.arange(80), "uci", "train", "made up")
    trained = []

    def count(*arguments, **options):
        trained.append(options["seed"])
        if len(trained) == 2:
            raise Killed
        return train(*arguments, **options)

    def all_arms(keep):
        return train_arms(
            {"unfiltered": Unfiltered()}, source, [source], held_out=20, seeds=[3, 4, 5],
            transformer=TRANSFORMER, training=TRAINING, keep=keep,
        )  # fmt: skip

    monkeypatch.setattr(arms, "train", count)
    with pytest.raises(Killed):
        all_arms(tmp_path)
    result = all_arms(tmp_path)
    assert trained == [3, 4, 4, 5], "seed 3 was finished"
    again = all_arms(tmp_path)
    assert len(trained) == 4
    monkeypatch.setattr(arms, "train", train)
    fresh = all_arms(None)
    for one in (result, again):
        np.testing.assert_array_equal(one.hits, fresh.hits)
        np.testing.assert_array_equal(one.validation_accuracy, fresh.validation_accuracy)


def test_state_cannot_be_written(tmp_path):
    """Case T5: a disk that is full or read-only costs a warning, not the training."""
    blocked = tmp_path / "a file"
    blocked.write_text("")
    with pytest.warns(RuntimeWarning, match="cannot be written .* would begin anew"):
        result = run(Keeper(blocked / "folder", "k"))
    equal(result, run())


def test_key_follows_all_that_a_training_depends_on():
    """A kept training of other data, choices, seeds or front-ends is never taken."""
    from swta.vision import LocalContrast, RandomConvolution

    x, y = digits(4)
    other = x.copy()
    other[0, 0, 0, 0] += 0.5
    keys = [
        training_key(x, y, TRAINING),
        training_key(other, y, TRAINING),
        training_key(x, y[::-1], TRAINING),
        training_key(x, y, TrainingParameters(epochs=3)),
        training_key(x, y, TRAINING, 1),
        training_key(x, y, TRAINING, front=LocalContrast(2.0)),
        training_key(x, y, TRAINING, front=LocalContrast(3.0)),
        training_key(x, y, TRAINING, front=RandomConvolution(clean=0.5)),
        training_key(x, y, TRAINING, front=RandomConvolution(clean=0.25)),
    ]
    assert len(set(keys)) == len(keys)
    assert training_key(x, y, TRAINING, front=LocalContrast(2.0)) == keys[5]


def test_no_state_can_run_code(tmp_path):
    """A pickle that would run a command is refused, even with a valid checksum."""
    import pickle

    from swta.vision.keeping import _seal

    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "pwned"),)

    keeper = Keeper(tmp_path, "k")
    _seal(keeper.state, pickle.dumps(Hostile()))
    with warnings.catch_warnings(), pytest.raises(pickle.UnpicklingError):
        warnings.simplefilter("ignore")
        keeper.load_state()
    assert not (tmp_path / "pwned").exists()
