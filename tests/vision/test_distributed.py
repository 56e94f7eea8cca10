"""Two processes of torchrun train to the numbers of one; killed in the middle, they go on."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from swta.data import choose_scene_task, load_digits, load_scenes
from swta.validation import ParameterError
from swta.vision import (
    FilterParameters,
    Machine,
    RandomConvolution,
    SceneTraining,
    SegmenterParameters,
    TrainingParameters,
    TransformerParameters,
    Unfiltered,
    create_scene_front,
    segment_arms,
    to_tensor,
    train_arms,
    training,
)
from swta.vision.distributed import Ranks, find_ranks

SMALL = TransformerParameters(width=16, depth=1, heads=2)
# the last batch of an epoch is a single image: one of two processes has none
NOISY = TrainingParameters(epochs=2, batch_size=13, fano=0.3, patch_drop=0.5, n_checks=3)
CASES = {  # more trainings than processes, or a single one, alone or as a stack of seeds
    "spread": {"fronts": {"none": Unfiltered(), "random": RandomConvolution()}, "seeds": [0, 3]},
    "shared": {"fronts": {"none": Unfiltered()}, "seeds": [3]},
    "stacked": {
        "fronts": {"none": Unfiltered()}, "seeds": [0, 3], "machine": Machine(stacked=True)
    },
}  # fmt: skip


def run(case, folder=None):
    """Validation accuracy (arms, seeds, checks), hits (arms, seeds, sets), logits of the last."""
    digits = load_digits("rendered", "train", limit=80)
    test = load_digits("rendered_clutter", "test", limit=31)
    choices = {"held_out": 27, "transformer": SMALL, "trainings": {"noisy": NOISY}}
    choices |= CASES[case]
    result = train_arms(choices.pop("fronts"), digits, [test], folder=folder, **choices)["noisy"]
    with torch.inference_mode():
        logits = result.models[-1][-1](to_tensor(test.images))
    return result.validation_accuracy, result.hits, logits.numpy()


def segment():
    """Validation mIoU, pixels by class, logits of the last: segmenters for a few drawn streets."""
    task = choose_scene_task("procedural_streets")
    scenes = load_scenes(task.train, name="few", height=24, width=32, limit=6)
    small = SegmenterParameters(height=24, width_px=32, patch_size=4, cells=2, width=16, depth=1)
    result = segment_arms(
        {"none": Unfiltered(), "colour": create_scene_front("swta+colour", FilterParameters())},
        scenes, scenes, {"day": scenes}, seeds=[0, 3], versions=2,
        segmenter=small, training=SceneTraining(epochs=2, batch_size=3, fano=0.3),
    )  # fmt: skip
    with torch.inference_mode():
        logits = result.models[-1][-1](torch.full((1, 6, 24, 32), 0.5))
    return result.validation_miou, result.confusion["day"], logits.numpy()


def main(folder, cases, killed):
    """One process of torchrun; with ``killed`` its number 1 dies once a state has been kept."""
    folder = Path(folder)
    torch.set_num_threads(1)
    rank = int(os.environ["RANK"])
    if killed and rank == 1:
        step = training._Loop.step

        def fatal(loop):
            step(loop)
            if loop.done == 5:  # the first state is kept after 3 steps, the next after 7
                os.kill(os.getpid(), 9)

        training._Loop.step = fatal
    for case in cases.split(","):
        found = run(case, folder / f"states-{case}")
        np.savez(folder / f"{case}-{rank}.npz", *found)
    if not killed:
        np.savez(folder / f"scenes-{rank}.npz", *segment())


def torchrun(folder, *arguments):
    here = Path(__file__)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--standalone", str(here), str(folder), *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=580, check=False
    )


def compare(folder, case):
    """What both processes found is what one finds alone."""
    one = run(case)
    for rank in range(2):
        with np.load(folder / f"{case}-{rank}.npz", allow_pickle=False) as stored:
            found = list(stored.values())
        if case == "spread":  # whole trainings: to the bit
            for mine, theirs in zip(one, found, strict=True):
                np.testing.assert_array_equal(mine, theirs)
        # sums in another order; AdamW turns a tiny gradient's rounding into a step of its own
        np.testing.assert_allclose(found[0], one[0], atol=1.5 / 27)
        np.testing.assert_allclose(found[1], one[1], atol=1)
        np.testing.assert_allclose(found[2], one[2], atol=1e-3 * one[2].std())


@pytest.mark.slow
def test_two_processes_find_what_one_finds(tmp_path):
    done = torchrun(tmp_path, ",".join(CASES))
    assert done.returncode == 0, done.stderr[-3000:]
    for case in CASES:
        compare(tmp_path, case)
    assert len(list((tmp_path / "states-spread").iterdir())) == 4
    alone = segment()
    for rank in range(2):
        with np.load(tmp_path / f"scenes-{rank}.npz", allow_pickle=False) as stored:
            for mine, theirs in zip(alone, stored.values(), strict=True):
                np.testing.assert_array_equal(mine, theirs)


@pytest.mark.faults
@pytest.mark.long
def test_one_of_two_processes_killed(tmp_path):
    """Case T4: torchrun ends the other one; run again, they go on to the same numbers."""
    broken = torchrun(tmp_path, "shared", "killed")
    assert broken.returncode and "exitcode  : -9" in broken.stderr, broken.stderr[-3000:]
    assert [p.name for p in (tmp_path / "states-shared").iterdir()] == ["none-noisy-3.pt"]
    assert not list(tmp_path.glob("*.npz"))
    again = torchrun(tmp_path, "shared")
    assert again.returncode == 0, again.stderr[-3000:]
    compare(tmp_path, "shared")


def test_parts_make_the_whole():
    for n in (0, 1, 7, 64):
        for size in (1, 2, 3, 8):
            parts = [range(n)[Ranks(r, size, None, "cpu").share(n)] for r in range(size)]
            assert [i for part in parts for i in part] == list(range(n))
            assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_without_torchrun_there_are_no_others(monkeypatch):
    assert find_ranks("cpu") is None
    for name, value in {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    assert find_ranks("cpu") is None
    monkeypatch.setenv("WORLD_SIZE", "two")
    with pytest.raises(ParameterError, match=r"0, two, 0; allowed: what torchrun sets"):
        find_ranks("cpu")


if __name__ == "__main__":
    main(*sys.argv[1:3], killed=len(sys.argv) > 3)
