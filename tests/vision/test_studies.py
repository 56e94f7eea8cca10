"""The smaller experiments, small, and their measures on results made by hand."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from swta.data import corrupt_each, join_digits, load_digits, select_digits
from swta.validation import ParameterError
from swta.vision import (
    ArmsResult,
    FilterParameters,
    SoftWTA,
    TrainingParameters,
    TransformerParameters,
    Unfiltered,
    choose_trainings,
    compare_looks,
    compare_unseen_classes,
    count_training_flops,
    join_arms,
    list_lesions,
    load_transfer_sets,
    measure_corruptions,
    measure_flops_ratio,
    measure_looks,
    measure_margins,
    measure_transfer,
    measure_unseen_classes,
    pick_trainings,
    plot_attention,
    plot_sizes,
    plot_trainings,
    plot_transfer,
    plot_unseen_classes,
    tabulate_sizes,
    tabulate_trainings,
    tabulate_transfer,
    train_known_classes,
    train_sizes,
    train_transfer,
)
from swta.vision.looks import map_attention

SMALL = {"transformer": TransformerParameters(width=16, depth=1, heads=2), "seeds": [0, 1]}
SHORT = TrainingParameters(epochs=1, batch_size=40, n_checks=1)
FRONTS = {"unfiltered": Unfiltered(), "swta": SoftWTA()}
CHOSEN = {"unfiltered": SHORT, "swta": replace(SHORT, patch_drop=0.5)}


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def make(hits, curves, **changes) -> ArmsResult:
    """Two arms, two seeds; source, target, and two other sets, of 100 images each."""
    return ArmsResult(
        ("unfiltered", "swta"), ("mnist", "usps", "rough", "mnist_fog"), (0, 1), np.array(hits),
        np.full(4, 100), np.array([5, 10]), np.array(curves, float), ("rough", "mnist_fog"),
        **changes,
    )  # fmt: skip


@pytest.fixture
def plain():
    hits = [[[95, 40, 30, 20], [95, 42, 32, 22]], [[94, 60, 40, 50], [94, 60, 44, 54]]]
    return make(hits, [[[0.5, 0.95], [0.5, 0.95]], [[0.9, 0.94], [0.95, 0.96]]])


@pytest.fixture
def noisy():
    hits = [[[90, 99, 20, 10], [90, 99, 20, 10]], [[92, 80, 60, 70], [92, 82, 60, 70]]]
    return make(hits, [[[0.4, 0.90], [0.4, 0.90]], [[0.8, 0.92], [0.8, 0.92]]])


def test_trainings_are_chosen_on_the_source_alone(plain, noisy):
    results = {"plain": plain, "noisy": noisy}
    assert choose_trainings(results) == {"unfiltered": "plain", "swta": "plain"}
    chosen = choose_trainings(results, by="rough")
    assert chosen == {"unfiltered": "plain", "swta": "noisy"}  # though USPS likes noisy better
    with pytest.raises(ParameterError, match="'usps' must not choose"):
        choose_trainings(results, by="usps")
    with pytest.raises(ParameterError, match="no training"):
        choose_trainings({})
    picked = pick_trainings(results, chosen)
    np.testing.assert_allclose(picked.on("usps"), [[0.40, 0.42], [0.80, 0.82]])
    np.testing.assert_allclose(picked.validation_accuracy[1, :, -1], 0.92)
    with pytest.raises(ParameterError, match="other arms or seeds"):
        choose_trainings({"a": plain, "b": replace(noisy, seeds=(4, 5))})
    with pytest.raises(ParameterError, match="other seeds, test sets or steps"):
        join_arms([plain, replace(noisy, steps=np.array([5, 11]))])


def test_other_sets_are_no_targets(plain):
    assert plain.main == ("mnist", "usps")
    np.testing.assert_allclose(plain.unseen, plain.on("usps"))
    table = tabulate_trainings({"plain": plain})
    row = table.query("arm == 'swta'").iloc[0]
    assert (row["training"], row["all unseen"]) == ("plain", 60.0)
    assert row["rough"] == pytest.approx(42.0)
    assert row["held out"] == pytest.approx(95.0)


def test_corruptions_are_compared_one_by_one(plain):
    gains = measure_corruptions(plain, "swta", "unfiltered")
    assert list(gains) == ["fog", "all"]  # the held-out set is named otherwise
    assert gains["fog"].value == gains["all"].value == pytest.approx(31.0)
    with pytest.raises(ParameterError, match="no corrupted set"):
        measure_corruptions(replace(plain, others=("rough",)), "swta", "unfiltered")


def test_operations_are_counted_with_the_filter_and_without_dropped_patches(plain):
    # unfiltered ends at 0.95 after 10 steps; swta reaches that at 9.37… never, and at 5
    ratio = measure_flops_ratio(
        plain, "swta", baseline="unfiltered", per_step={"unfiltered": 2.0, "swta": 1.0}, once=4.0
    )
    assert ratio.value == pytest.approx(np.sqrt((4 + 10) / 20 * (4 + 5) / 20))
    whole = count_training_flops(SMALL["transformer"], 0.0)
    half = count_training_flops(SMALL["transformer"], 0.5)
    assert 0.45 * whole < half < 0.65 * whole  # patches are embedded before they are dropped


def test_lesions_leave_out_one_part_each():
    lesions = list_lesions(FilterParameters(vip=0.5))
    assert len(lesions) == 5
    assert lesions["no PV"].constants == FilterParameters(vip=0.5, pv=0.0)
    assert lesions["no recurrence"].constants.excitation == 0.0


def test_from_every_source_to_every_other(tmp_path):
    sets = load_transfer_sets(["rendered", "uci"], n_train=60, n_test=40)
    assert [len(s) for pair in sets.values() for s in pair] == [60, 40, 60, 40]
    results = train_transfer(FRONTS, CHOSEN, sets, folder=tmp_path, **SMALL)
    assert results["uci"].domains == ("uci", "rendered")
    table = tabulate_transfer(results, "swta", "unfiltered")
    assert len(table) == 4 and table["n"].eq(2).all()
    np.testing.assert_allclose(table["gain"], table["filtered"] - table["baseline"])
    gain = measure_transfer(results, "swta", "unfiltered")
    assert gain.value == pytest.approx(table.query("source != target")["gain"].mean())
    assert plot_transfer(table).get_xlabel() == "tested on"
    written = sorted(p.relative_to(tmp_path).parts for p in tmp_path.rglob("*.pt"))
    assert len(written) == 8 and written[0] == ("rendered", "swta-own-0.pt")


def test_fewer_images_have_as_many_steps(digits, cluttered):
    tests = [select_digits(digits, np.arange(20)), cluttered]
    results = train_sizes(FRONTS, CHOSEN, digits, tests, [36, 72], reference=144, **SMALL)
    assert (
        results[36].steps.tolist() == results[72].steps.tolist() == [4]
    )  # 4 batches of 40 make 144
    above = train_sizes(FRONTS, CHOSEN, digits, tests, [72], reference=36, **SMALL)
    assert above[72].steps.tolist() == [2]  # one epoch all the same
    table = tabulate_sizes(results)
    assert table["images"].tolist() == [36, 36, 72, 72]
    assert len(plot_sizes(table).containers) == 2
    with pytest.raises(ParameterError, match="size = 150"):
        train_sizes(FRONTS, CHOSEN, digits, tests, [150], reference=36, **SMALL)


def test_unseen_classes_are_never_trained(digits, cluttered):
    known = train_known_classes(FRONTS, CHOSEN, digits, **SMALL)
    assert known.models[0][0][-1].num_classes == 5
    table = measure_unseen_classes(known, FRONTS, [cluttered], digits, shots=(1,))
    assert len(table) == 2 * 2 * 2 and set(table["shots"]) == {0, 1}
    assert table["accuracy"].between(0, 100).all()
    gains = compare_unseen_classes(table, "swta", "unfiltered")
    first = table.query("shots == 1").groupby("arm")["accuracy"].mean()
    row = gains.query("shots == 1").iloc[0]
    assert row["gain"] == pytest.approx(first["swta"] - first["unfiltered"])
    assert len(plot_unseen_classes(table).get_xticks()) == 2


def test_looks_of_trained_models(digits):
    twins = load_digits("rendered", "test")
    shown = select_digits(twins, np.arange(6))  # each is its own twin
    trained = train_transfer(FRONTS, CHOSEN, {"rendered": (digits, shown)}, **SMALL)["rendered"]
    table = measure_looks(trained, FRONTS, shown, twins)
    assert len(table) == 4
    np.testing.assert_allclose(table["cka"], 1.0)
    assert table["gradient"].between(0, 100).all() and table["area"].nunique() == 1
    values = table.pivot(index="seed", columns="arm", values="attention")
    gain = compare_looks(table, "attention", "swta", "unfiltered")
    assert gain.value == pytest.approx((values["swta"] - values["unfiltered"]).mean())
    maps, answers = map_attention(trained, FRONTS, shown.images)
    assert maps.shape == (2, 6, 8, 8) and answers.shape == (2, 6)
    masks = shown.images.max(3) > 64
    figure = plot_attention(shown.images, masks, maps, ["a", "b"], answers)
    assert len(figure.axes) == 18


def test_margin_is_the_lead_of_the_right_class():
    import torch

    class Fixed(torch.nn.Module):
        def forward(self, x):
            return torch.tensor([[1.0, 4.0, 2.0], [0.5, 0.0, 3.0]])

    margins = measure_margins(Fixed(), np.zeros((2, 3, 4, 4), np.float16), np.array([1, 0]))
    np.testing.assert_allclose(margins, [2.0, -2.5])


def test_corrupted_sets_can_be_joined(digits):
    sets = corrupt_each(select_digits(digits, np.arange(3)), seed=1)
    joined = join_digits(sets, "rough")
    assert (len(sets), len(joined), joined.name) == (15, 45, "rough")
    np.testing.assert_array_equal(joined.labels.reshape(15, 3)[4], digits.labels[:3])
    with pytest.raises(ParameterError, match="no set"):
        join_digits([], "rough")


def test_table_of_trainings_is_drawn_with_its_numbers(plain, noisy):
    ax = plot_trainings(tabulate_trainings({"plain": plain, "noisy": noisy}))
    assert [t.get_text() for t in ax.get_yticklabels()] == ["no filter", "sWTA"]
    assert [t.get_text() for t in ax.texts] == ["41.0", "99.0", "60.0", "81.0"]
    assert isinstance(tabulate_trainings({"plain": plain}), pd.DataFrame)
