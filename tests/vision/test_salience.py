"""Shares on the digit where they are known, and attention against timm's own."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from swta.data import DataUnavailable, load_digits
from swta.validation import ParameterError
from swta.vision import (
    SoftWTA,
    TransformerParameters,
    Unfiltered,
    create_transformer,
    mask_digits,
    measure_attention_on_digit,
    measure_gradient_on_digit,
    prepend,
    roll_out_attention,
)
from swta.vision.contrast import AdaptiveEqualisation
from swta.vision.salience import _attend

SMALL = TransformerParameters(width=16, depth=2, heads=2)


class Reader(nn.Module):
    """Two logits: the sum over a part of the image, with a weight, and zero."""

    def __init__(self, weights):
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, x):
        return torch.stack([(x * self.weights).sum((1, 2, 3)), x.sum((1, 2, 3)) * 0], dim=1)


def test_gradient_of_a_linear_reader_is_its_weights(digits):
    weights = torch.zeros(3, 32, 32)
    weights[:, :10] = 1.0
    weights[:, 20:24] = -2.0
    masks = np.zeros((5, 32, 32), bool)
    masks[:, 5:22] = True
    shares = measure_gradient_on_digit(
        Reader(weights / 1e4), digits.images[:5], masks, np.zeros(5, np.int64), batch=2
    )
    np.testing.assert_allclose(shares, (5 + 2 * 2) / (10 + 2 * 4), rtol=1e-5)
    inverse = measure_gradient_on_digit(
        Reader(weights / 1e4), digits.images[:5], ~masks, np.ones(5, np.int64)
    )
    np.testing.assert_allclose(shares + inverse, 1.0, rtol=1e-5)


def test_gradient_reaches_the_image_through_the_filter(digits):
    model = prepend(SoftWTA(), create_transformer(SMALL, seed=0))
    masks = digits.images[:3].max(3) > 64
    shares = measure_gradient_on_digit(model, digits.images[:3], masks, digits.labels[:3])
    assert shares.shape == (3,) and ((shares > 0) & (shares < 1)).all()
    assert all(p.grad is None or not p.grad.any() for p in model.parameters())
    blind = prepend(AdaptiveEqualisation(), create_transformer(SMALL, seed=0))
    with pytest.raises(ParameterError, match="differentiable"):
        measure_gradient_on_digit(blind, digits.images[:3], masks, digits.labels[:3])


def test_even_attention_has_the_share_of_the_area(digits):
    model = prepend(Unfiltered(), create_transformer(SMALL, seed=0))
    for block in model[1].blocks:
        nn.init.zeros_(block.attn.qkv.weight)
    masks = np.random.default_rng(0).random((4, 32, 32)) < 0.3
    shares = measure_attention_on_digit(model, digits.images[:4], masks, batch=3)
    np.testing.assert_allclose(shares, masks.mean((1, 2)), rtol=1e-5)


def test_rollout_is_the_product_of_the_layers(digits):
    model = create_transformer(SMALL, seed=0).eval()
    x = torch.rand(2, 3, 32, 32)
    flow = roll_out_attention(model, x)
    assert flow.shape == (2, 8, 8)
    torch.testing.assert_close(flow.sum((1, 2)), torch.ones(2))
    tokens, product = model._pos_embed(model.patch_embed(x)), torch.eye(64)
    for block in model.blocks:
        attention = _attend(block.attn, block.norm1(tokens))
        product = (attention + torch.eye(64)) / 2 @ product
        tokens = block(tokens)
    torch.testing.assert_close(flow.flatten(1), product.mean(1))


def test_attention_is_that_of_the_layer():
    block = create_transformer(SMALL, seed=0).eval().blocks[0].attn
    tokens = torch.rand(1, 9, 16)
    block.fused_attn = False  # then timm hands its own attention on to this dropout
    seen = []
    block.attn_drop.register_forward_hook(lambda _, __, attention: seen.append(attention))
    block(tokens)
    (heads,) = seen
    assert heads.shape == (1, 2, 9, 9)
    torch.testing.assert_close(_attend(block, tokens), heads.mean(1))


def test_class_token_is_where_rollout_starts():
    import timm

    model = timm.create_model(
        "vit_tiny_patch16_224", pretrained=False, img_size=64, depth=1, num_classes=3
    ).eval()
    with torch.no_grad():
        flow = roll_out_attention(model, torch.rand(1, 3, 64, 64))
    assert flow.shape == (1, 4, 4) and float(flow.sum()) == pytest.approx(1.0)


def test_masks_come_from_the_twin(digits):
    twins = replace(digits, name="twins")
    order = np.array([5, 2, 9])
    noisy = replace(
        digits,
        images=np.ascontiguousarray(255 - digits.images[order]),
        labels=digits.labels[order],
        index=order,
    )
    masks = mask_digits(noisy, twins)
    np.testing.assert_array_equal(masks, digits.images[order, :, :, 0] > 64)
    with pytest.raises(ParameterError, match="rows in twins"):
        mask_digits(replace(noisy, labels=(noisy.labels + 1) % 10), twins)
    with pytest.raises(ParameterError, match="Load the whole split"):
        mask_digits(replace(noisy, index=order + 1000), twins)


@pytest.mark.realdata
def test_mnist_m_lies_on_its_twin():
    try:
        digits, twins = load_digits("mnist_m", "test"), load_digits("mnist", "test")
    except DataUnavailable as missing:
        pytest.skip(str(missing))
    masks = mask_digits(digits, twins)
    grey = digits.images.mean(axis=3)
    # the ground is inverted on the digit: brightness jumps across the outline, and only there
    jump = np.abs(np.diff(grey, axis=2))
    edge = np.diff(masks.astype(int), axis=2) != 0
    apart = {shift: jump[np.roll(edge, shift, axis=2)].mean() for shift in (-4, -3, -2, 0, 2, 3, 4)}
    assert max(apart, key=apart.__getitem__) == 0
    assert apart[0] > 1.5 * apart[4]


def test_bad_input_is_refused(digits):
    model = create_transformer(SMALL, seed=0)
    masks = np.ones((2, 32, 32), bool)
    with pytest.raises(ParameterError, match="one mask"):
        measure_attention_on_digit(model, digits.images[:3], masks)
    with pytest.raises(ParameterError, match="no blocks"):
        measure_attention_on_digit(nn.Sequential(nn.Linear(2, 2)), digits.images[:2], masks)
