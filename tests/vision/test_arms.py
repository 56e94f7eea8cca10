"""The experiment small, and its measures on results made by hand."""

import dataclasses

import numpy as np
import pytest

from swta.validation import ParameterError
from swta.vision import (
    ArmsResult,
    SoftWTA,
    TrainingParameters,
    TransformerParameters,
    Unfiltered,
    filter_images,
    find_best_control,
    measure_gain,
    measure_gains,
    measure_hits,
    measure_steps,
    measure_steps_ratio,
    pick_trainings,
    summarise_accuracy,
    tabulate_accuracy,
    tabulate_learning,
    train,
    train_arms,
    train_chosen,
)

CHOICES = {
    "held_out": 40,
    "transformer": TransformerParameters(width=16, depth=1, heads=2),
    "trainings": {"plain": TrainingParameters(epochs=1, batch_size=40, n_checks=2)},
}


@pytest.fixture(scope="module")
def made() -> ArmsResult:
    """Two arms and a control, three seeds, a source and two targets of 100 and 200 images."""
    hits = np.array(
        [
            [[90, 20, 20], [92, 30, 30], [91, 25, 40]],
            [[95, 60, 100], [95, 50, 90], [95, 55, 110]],
            [[94, 70, 120], [95, 75, 140], [93, 65, 130]],
        ]
    )
    curves = np.array(
        [
            [[0.2, 0.6, 0.8], [0.2, 0.5, 0.8], [0.3, 0.7, 0.9]],
            [[0.8, 0.9, 0.9], [0.8, 0.9, 0.9], [0.8, 0.9, 0.9]],
            [[0.7, 0.9, 0.9], [0.8, 0.9, 0.9], [0.6, 0.7, 0.8]],
        ]
    )
    return ArmsResult(
        arms=("unfiltered", "energy", "swta"),
        domains=("mnist", "usps", "svhn"),
        seeds=(4, 5, 6),
        hits=hits,
        images=np.array([100, 100, 200]),
        steps=np.array([10, 20, 30]),
        validation_accuracy=curves,
    )


def test_arms_are_trained_alike_and_tested_on_everything(digits, cluttered):
    fronts = {"unfiltered": Unfiltered(), "swta": SoftWTA()}
    tests = [cluttered, dataclasses.replace(cluttered, name="uci")]
    result = train_arms(fronts, digits, tests, seeds=[0, 3], **CHOICES)["plain"]
    assert result.arms == ("unfiltered", "swta") and result.domains == ("rendered_clutter", "uci")
    assert result.seeds == (0, 3)
    assert result.hits.shape == (2, 2, 2) and result.validation_accuracy.shape == (2, 2, 2)
    np.testing.assert_array_equal(result.images, [60, 60])
    np.testing.assert_array_equal(result.hits[..., 0], result.hits[..., 1])

    x = filter_images(fronts["swta"], digits.images)
    (alone,) = train(
        x[:120],
        digits.labels[:120],
        (x[120:], digits.labels[120:]),
        transformer=CHOICES["transformer"],
        training=CHOICES["trainings"]["plain"],
        seeds=[3],
    )
    tested = filter_images(fronts["swta"], cluttered.images)
    assert result.hits[1, 1, 0] == measure_hits(alone.model, tested, cluttered.labels)
    np.testing.assert_array_equal(result.validation_accuracy[1, 1], alone.validation_accuracy)


def test_every_arm_has_its_own_training(digits, cluttered):
    fronts = {"unfiltered": Unfiltered(), "swta": SoftWTA()}
    slow = CHOICES["trainings"]["plain"]
    trainings = {"slow": slow, "fast": dataclasses.replace(slow, learning_rate=0.05)}
    plan = CHOICES | {"seeds": [0, 1]}
    both = train_arms(fronts, digits, [cluttered], **plan | {"trainings": trainings})
    for name in trainings:
        one = train_arms(
            fronts, digits, [cluttered], **plan | {"trainings": {name: trainings[name]}}
        )
        np.testing.assert_array_equal(both[name].hits, one[name].hits)
    assert (both["slow"].hits != both["fast"].hits).any(axis=(1, 2)).all()
    chosen = {"unfiltered": "fast", "swta": "slow"}
    wanted = pick_trainings(both, chosen)
    del plan["trainings"]
    own = {arm: trainings[name] for arm, name in chosen.items()}
    found = train_chosen(fronts, own, digits, [cluttered], **plan)
    assert found.arms == wanted.arms
    np.testing.assert_array_equal(found.hits, wanted.hits)
    np.testing.assert_array_equal(found.validation_accuracy, wanted.validation_accuracy)


def test_number_of_workers_does_not_change_the_numbers(digits, cluttered):
    fronts = {"unfiltered": Unfiltered()}
    one = train_arms(fronts, digits, [cluttered], seeds=[0, 1], workers=1, **CHOICES)["plain"]
    two = train_arms(fronts, digits, [cluttered], seeds=[0, 1], workers=2, **CHOICES)["plain"]
    np.testing.assert_array_equal(one.hits, two.hits)
    np.testing.assert_array_equal(one.validation_accuracy, two.validation_accuracy)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fronts": {}}, "0 arms"),
        ({"tests": []}, "0 test sets"),
        ({"seeds": []}, "0 seeds"),
        ({"held_out": 160}, "held_out"),
        ({"held_out": 0}, "held_out"),
        ({"workers": 0}, "workers"),
        ({"trainings": {}}, "0 trainings"),
    ],
)
def test_bad_plans_are_refused_before_any_work(digits, cluttered, changes, words):
    plan = {"fronts": {"unfiltered": Unfiltered()}, "source": digits, "tests": [cluttered]}
    with pytest.raises(ParameterError, match=words):
        train_arms(**(plan | {"seeds": [0]} | CHOICES | changes))


def test_unseen_accuracy_is_the_mean_over_targets(made):
    assert made.unseen[2, 0] == pytest.approx((70 / 100 + 120 / 200) / 2)
    np.testing.assert_allclose(made.accuracy[0, :, 2], [0.1, 0.15, 0.2])


def test_gain_is_paired_over_seeds_in_points(made):
    gain = measure_gain(made, "swta", "unfiltered", domain="usps")
    assert gain.value == pytest.approx(np.mean([50, 45, 40]))
    assert gain.n == 3 and gain.high - gain.value == pytest.approx(
        4.3027 * 5 / np.sqrt(3), rel=1e-4
    )
    gains = measure_gains(made, "swta", "energy")
    assert list(gains) == ["mnist", "usps", "svhn", "all unseen"]
    assert gains["all unseen"].value == pytest.approx((gains["usps"][0] + gains["svhn"][0]) / 2)
    with pytest.raises(ParameterError, match="unfiltered"):
        measure_gain(made, "swta", "unfiltred")
    with pytest.raises(ParameterError, match="usps"):
        measure_gain(made, "swta", "energy", domain="uspss")


def test_best_control_is_the_one_that_does_best_on_unseen_digits(made):
    assert find_best_control(made, ["unfiltered", "energy"]) == "energy"
    with pytest.raises(ParameterError, match="energy"):
        find_best_control(made, ["enrgy"])


def test_steps_to_the_end_of_the_baseline(made):
    steps = measure_steps(made, baseline="unfiltered")
    np.testing.assert_allclose(steps[0], [30, 30, 30])
    np.testing.assert_allclose(steps[1], [10, 10, 20])
    np.testing.assert_allclose(steps[2], [15, 10, np.inf])
    ratio = measure_steps_ratio(made, "swta", baseline="unfiltered")
    assert ratio.value == pytest.approx((15 * 10 * 30) ** (1 / 3) / 30)


def test_tables_hold_every_number(made):
    table = tabulate_accuracy(made)
    assert len(table) == 27
    row = table.query("arm == 'swta' and seed == 5 and test_set == 'svhn'").iloc[0]
    assert (row.accuracy, row.n_images) == (70.0, 200)
    assert row.low < 70.0 < row.high
    learning = tabulate_learning(made)
    assert len(learning) == 27
    assert learning.query("arm == 'energy' and step == 20").accuracy.tolist() == [90.0] * 3
    summary = summarise_accuracy(made)
    assert summary.loc["energy", "mnist"] == "95.0 ± 0.0"
    assert list(summary.columns) == ["mnist", "usps", "svhn", "all unseen"]


def test_steps_to_the_best_that_the_baseline_saw_on_targets(made):
    along = np.array(
        [
            [[0.2, 0.4, 0.3], [0.1, 0.2, 0.2], [0.1, 0.2, 0.4]],
            [[0.3, 0.3, 0.3], [0.1, 0.1, 0.3], [0.1, 0.2, 0.3]],
            [[0.4, 0.6, 0.6], [0.4, 0.6, 0.6], [0.3, 0.5, 0.6]],
        ]
    )
    watched = dataclasses.replace(made, unseen_along=along)
    steps = measure_steps(watched, baseline="unfiltered", on="unseen")
    np.testing.assert_allclose(steps[2], [10.0, 5.0, 15.0])  # 0.4, 0.2 and 0.4, between checks too
    assert np.isinf(steps[1, 0])  # 0.3 stays below 0.4
    ratio = measure_steps_ratio(watched, "swta", baseline="unfiltered", on="unseen")
    assert ratio.value == pytest.approx((10 / 20 * 5 / 20 * 15 / 30) ** (1 / 3))
    with pytest.raises(ParameterError, match="not watched"):
        measure_steps(made, baseline="unfiltered", on="unseen")
    with pytest.raises(ParameterError, match="on = 'usps'"):
        measure_steps(watched, baseline="unfiltered", on="usps")


def test_watching_the_targets_changes_nothing_else(digits, cluttered):
    arms, tests = {"unfiltered": Unfiltered()}, [digits, cluttered]
    blind = train_arms(arms, digits, tests, seeds=[0], **CHOICES)["plain"]
    watched = train_arms(arms, digits, tests, seeds=[0], watch=60, **CHOICES)["plain"]
    assert blind.unseen_along is None and watched.unseen_along.shape == (1, 1, 2)
    np.testing.assert_array_equal(blind.hits, watched.hits)
    np.testing.assert_allclose(watched.unseen_along[0, 0, -1], watched.unseen[0, 0])
