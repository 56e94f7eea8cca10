"""The transformer, what stands before it, and the controls."""

import numpy as np
import pytest
import torch
from tiny_columns import TINY, relative

from swta.validation import ParameterError
from swta.vision import (
    OrientationEnergy,
    SoftWTA,
    Standardise,
    TransformerParameters,
    Unfiltered,
    Whiten,
    count_flops,
    count_trainable,
    create_front,
    create_transformer,
    prepend,
)
from swta.vision.learners import draw_patches
from swta.vision.models import encode_positions, forward_patches

SMALL = TransformerParameters(width=16, depth=1, heads=2)


def test_weights_follow_from_the_seed_alone():
    torch.manual_seed(5)
    first = create_transformer(SMALL, seed=1)
    after = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(torch.rand(1), after)  # the caller's random numbers are left alone
    again, other = create_transformer(SMALL, seed=1), create_transformer(SMALL, seed=2)
    weights = [torch.cat([w.flatten() for w in m.parameters()]) for m in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_filter_adds_no_trainable_parameter_and_keeps_the_shapes():
    model = create_transformer(SMALL, seed=0).eval()
    whole = prepend(SoftWTA(), model)
    assert count_trainable(whole) == count_trainable(model)
    assert whole(torch.rand(2, 1, 32, 32)).shape == (2, 10)


def test_a_transformer_on_all_its_patches_is_timms_own():
    model = create_transformer(SMALL, seed=0).eval()
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(forward_patches(model, images, None), model(images))
    everything = torch.arange(64).flip(0).expand(2, 64)  # their order says nothing
    torch.testing.assert_close(forward_patches(model, images, everything), model(images))


def test_a_dropped_patch_is_not_seen():
    model = create_transformer(SMALL, seed=0).eval()
    keep = draw_patches(1, 64, 0.5, torch.Generator().manual_seed(0))
    assert keep.shape == (1, 32) and len(keep.unique()) == 32
    dropped = next(i for i in range(64) if i not in keep)
    first = torch.rand(1, 3, 32, 32)
    other = first.clone()
    row, column = 4 * (dropped // 8), 4 * (dropped % 8)
    other[:, :, row : row + 4, column : column + 4] = 0.0
    assert torch.equal(forward_patches(model, first, keep), forward_patches(model, other, keep))
    assert not torch.equal(model(first), model(other))
    assert draw_patches(3, 64, 0.0, torch.Generator()) is None
    assert draw_patches(3, 4, 0.9, torch.Generator()).shape == (3, 1)


def test_flops_of_the_patch_embedding_by_hand():
    one = torch.nn.Conv2d(3, 16, 4, stride=4)
    assert count_flops(one, (3, 32, 32)) == 2 * 64 * 16 * 3 * 16
    whole = create_transformer(TransformerParameters(width=16, depth=1, heads=2), seed=0).eval()
    assert count_flops(whole, (3, 32, 32)) > count_flops(one, (3, 32, 32))
    assert not whole.training


def test_every_position_has_its_own_code():
    code = encode_positions(8, 8, 64)[0]
    apart = torch.cdist(code, code) + 10.0 * torch.eye(64)
    assert code.shape == (64, 64) and code.abs().max() <= 1.0
    assert apart.min() > 0.5
    assert relative(code.view(8, 8, 64)[3, :, 32:], code.view(8, 8, 64)[0, :, 32:]) == 0.0


def test_whitening_uses_the_source_and_adds_the_noise_it_is_given():
    source = torch.rand(50, 3, 8, 8) * torch.tensor([1.0, 2.0, 4.0]).view(1, 3, 1, 1)
    whiten = Whiten(source, fano=0.5)
    white = whiten(source)
    torch.testing.assert_close(white.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(white.std((0, 2, 3)), torch.ones(3))
    normal = torch.randn(100, *source.shape, generator=torch.Generator().manual_seed(0))
    noise = torch.stack([whiten(source, each) for each in normal]) - white
    expected = 0.5 * (source / whiten.spread + 0.3)
    assert abs(noise.mean()) < 0.01  # 10^6 values with s.d. of about 1: standard error 0.001
    assert noise.var() == pytest.approx(expected.mean().item(), rel=0.02)
    torch.testing.assert_close(Whiten(source)(source, normal[0]), white)


@pytest.mark.parametrize(
    "field",
    [
        {"patch_size": 5},
        {"heads": 3},
        {"width": 6, "heads": 2},
        {"depth": 0},
        {"n_classes": 1},
        {"mlp_ratio": 0.0},
    ],
)
def test_bad_sizes_are_named(field):
    with pytest.raises(ParameterError, match=next(iter(field))):
        TransformerParameters(**field)


def test_seed_and_noise_are_checked():
    with pytest.raises(ParameterError, match="seed"):
        create_transformer(SMALL, seed=-1)
    with pytest.raises(ParameterError, match="fano"):
        Whiten(torch.rand(2, 3, 4, 4), fano=-0.1)


def test_control_is_the_filter_without_its_circuit(picture):
    alone = {"pv": 0.0, "sst": 0.0, "recurrence": 0.0}
    from dataclasses import replace

    bare = SoftWTA(replace(TINY, **alone))
    assert relative(OrientationEnergy(TINY)(picture), bare(picture)) < 1e-3
    raw = create_front("energy", TINY)
    assert relative(raw(picture), create_front("normalised_energy", TINY)(picture)) > 0.05


def test_standardised_luminance(picture):
    out = Standardise()(picture)
    assert out.shape == picture.shape
    np.testing.assert_allclose(out.mean((2, 3)), 0.0, atol=1e-5)
    np.testing.assert_allclose(out.std((2, 3)), 1.0, atol=0.01)
    assert relative(Standardise()(0.1 + 0.5 * picture), out) < 0.02


def test_no_filter_repeats_grey_and_refuses_other_channels(picture):
    assert torch.equal(Unfiltered()(picture), picture)
    assert torch.equal(Unfiltered()(picture[:, :1])[:, 2:], picture[:, :1])
    with pytest.raises(ParameterError, match="1 or 3"):
        Unfiltered()(torch.rand(1, 2, 4, 4))


def test_fronts_by_name():
    kinds = {"unfiltered": Unfiltered, "standardised": Standardise, "swta": SoftWTA}
    for name, kind in kinds.items():
        assert type(create_front(name, TINY)) is kind
    with pytest.raises(ParameterError, match="did you mean 'energy'"):
        create_front("enargy", TINY)
