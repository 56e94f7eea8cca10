"""Filters taken apart in a trained arm, stopped on their way, or put behind the embedding."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from tiny_columns import TINY

from swta.data import select_digits
from swta.validation import ParameterError
from swta.vision import (
    SoftWTA,
    TokenWTA,
    TrainingParameters,
    TransformerParameters,
    UnrolledWTA,
    create_transformer,
    grade_filter,
    measure_behind,
    measure_unrolling_error,
    plot_course,
    plot_grades,
    tabulate_changes,
    train_chosen,
)

SMALL = TransformerParameters(width=16, depth=1, heads=2, patch_size=8)
SHORT = TrainingParameters(epochs=1, batch_size=40, n_checks=1)


@pytest.fixture(scope="module")
def trained(digits, cluttered):
    tests = [select_digits(digits, np.arange(20)), cluttered]
    return train_chosen(
        {"swta": SoftWTA(TINY)}, {"swta": SHORT}, digits, tests, held_out=20, transformer=SMALL,
        seeds=[0, 1],
    )  # fmt: skip


def test_a_grade_changes_one_part_only():
    filters = grade_filter(TINY, [0.0, 0.5])
    assert len(filters) == 10
    assert filters["SST", 0.5].constants == replace(TINY, sst=0.5)
    assert filters["VIP", 0.0].constants.feedback == TINY.beta1


def test_trained_arms_are_tested_behind_other_filters(trained, digits, cluttered):
    tests = [select_digits(digits, np.arange(20)), cluttered]
    filters = grade_filter(TINY, [0.0, 1.0])
    scores = measure_behind(trained, "swta", filters, tests)
    np.testing.assert_allclose(scores["PV", 1.0], trained.accuracy[0])  # the intact filter
    table = tabulate_changes(scores, trained.accuracy[0])
    assert table.query("grade == 1 and part != 'VIP'")["change"].eq(0.0).all()
    row = table.query("part == 'LAMP5' and grade == 0").iloc[0]
    expected = 100 * (scores["LAMP5", 0.0] - trained.accuracy[0]).mean()
    assert row["change"] == pytest.approx(expected) and row["n"] == 2
    ax = plot_grades(table)
    assert len(ax.containers) == 5
    plt.close("all")
    with pytest.raises(ParameterError, match="no test set"):
        measure_behind(trained, "swta", filters, [])


def test_a_course_of_many_steps_ends_at_the_filter(picture):
    motif = SoftWTA(TINY)
    end = UnrolledWTA(motif, 200)(picture)
    torch.testing.assert_close(end, motif(picture), rtol=0, atol=5e-3)
    feed_forward = SoftWTA(replace(TINY, recurrence=0.0, sst=0.0))
    # nothing has come back after one step: the same picture as without recurrence and feedback
    first = UnrolledWTA(motif, 1)(picture)
    torch.testing.assert_close(first, feed_forward(picture), rtol=1e-2, atol=1e-3)
    images = (picture.permute(0, 2, 3, 1) * 255).byte().numpy()
    errors = measure_unrolling_error(motif, [1, 8, 64], images)
    assert 1.0 > errors[1] > errors[8] > errors[64] and errors[64] < 1e-3
    course = {("steps", n): np.array([[0.4], [0.4 + n / 80]]) for n in (1, 8)}
    changes = tabulate_changes(course, np.full((2, 1), 0.5))
    np.testing.assert_allclose(changes["change"], [-10 + 0.625, -5])
    shown = pd.DataFrame({"grade": [1, 8], "change": [100 * errors[1], 100 * errors[8]]})
    assert plot_course(changes, shown).get_xscale() == "log"
    plt.close("all")
    with pytest.raises(ParameterError, match="steps = 0"):
        UnrolledWTA(motif, 0)


def test_rings_of_channels_compete_within_and_between_patches():
    tokens = torch.randn(2, 16, 8, generator=torch.Generator().manual_seed(0))
    layer = TokenWTA(replace(TINY, surround=4.0), width=8, side=4, patch_size=8)
    out = layer(tokens)
    assert out.shape == tokens.shape and (out >= 0).all()
    # channels 0 to 3 are one ring, 4 to 7 another, which does not hear of it
    louder = tokens.clone()
    louder[:, :, 0] += 2.0
    changed = layer(louder)
    scale = out[:, :, 4:].sum((1, 2)) / changed[:, :, 4:].sum((1, 2))
    torch.testing.assert_close(changed[:, :, 4:] * scale[:, None, None], out[:, :, 4:])
    assert (changed[:, :, 2] * scale[:, None] < out[:, :, 2] - 1e-3).any()
    weaker = changed[:, :, 1:4] * scale[:, None, None] <= out[:, :, 1:4] + 1e-5
    assert weaker[:, :, 1].all()  # opposite the one that grew
    with pytest.raises(ParameterError, match="width = 10 does not make rings of 4"):
        TokenWTA(TINY, width=10, side=4, patch_size=8)


def test_a_transformer_with_the_motif_behind_its_embedding_learns_through_it():
    inside = replace(SMALL, competition=TINY)
    model, plain = create_transformer(inside, seed=0), create_transformer(SMALL, seed=0)
    same = dict(plain.named_parameters())
    assert all(torch.equal(w, same[name]) for name, w in model.named_parameters())
    x = torch.rand(2, 3, 32, 32)
    model(x).square().sum().backward()
    gradient = model.patch_embed.proj.weight.grad
    assert torch.isfinite(gradient).all() and gradient.abs().sum() > 0
