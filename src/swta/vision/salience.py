"""What a transformer looks at: the share of attention and of input gradient on the digit."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from swta.data import DigitSet
from swta.validation import ParameterError, check_integer
from swta.vision.images import to_tensor

INK = 64  # of 255; a pixel of the clean twin above it belongs to the digit (our choice)


def mask_digits(digits: DigitSet, twins: DigitSet, *, ink: int = INK) -> NDArray[np.bool_]:
    """Which pixels belong to the digit, (n, 32, 32), from the clean twin of each image.

    Args:
        digits: images whose ``index`` is the row of their twin, as in MNIST-M.
        twins: the whole split of the clean set, in its order.
        ink: brightness of the twin, 0 to 255, above which a pixel is digit.

    Raises:
        ParameterError: twins that do not have the labels of their images.
    """
    check_integer("ink", ink, low=0, high=254)
    if len(digits) and digits.index.max() >= len(twins):
        raise ParameterError(
            f"{digits.name} has twins up to row {digits.index.max()}, {twins.name} has "
            f"{len(twins)} images; allowed: all twins. Load the whole split"
        )
    if not np.array_equal(twins.labels[digits.index], digits.labels):
        raise ParameterError(
            f"labels of {digits.name} are not those of their rows in {twins.name}; allowed: the "
            "clean set that the images were made from, the same split"
        )
    return twins.images[digits.index].max(axis=3) > ink


def measure_gradient_on_digit(
    model: nn.Module,
    images: NDArray[np.uint8],
    masks: NDArray[np.bool_],
    labels: NDArray[np.int64],
    *,
    batch: int = 64,
) -> NDArray[np.float64]:
    """Share of the input gradient's absolute sum that falls on the digit, 0 to 1, (n,).

    The gradient of the true class's log-probability (Simonyan et al. 2014) by the image before any
    filter, so that arms with different filters compare.

    Args:
        model: whole arm, from images (B, 3, H, W) in [0, 1] to logits.
        images, masks, labels: uint8 (n, H, W, 3), (n, H, W) and (n,).

    Raises:
        ParameterError: masks or labels that do not fit, or a gradient of zero (a front-end that is
            not differentiable).
    """
    _check_masks(images, masks, labels)
    model.eval()
    device = next(model.parameters()).device
    shares = []
    for start in range(0, len(images), batch):
        part = slice(start, start + batch)
        x = to_tensor(images[part]).to(device).requires_grad_(True)
        wanted = torch.from_numpy(labels[part]).to(device)[:, None]
        model(x).log_softmax(1).gather(1, wanted).sum().backward()
        gradient = torch.zeros_like(x) if x.grad is None else x.grad
        size = gradient.abs().sum(1).cpu().numpy().astype(np.float64)
        shares.append(_share_on(size, masks[part]))
    model.zero_grad()
    return np.concatenate(shares)


def measure_attention_on_digit(
    model: nn.Module, images: NDArray[np.uint8], masks: NDArray[np.bool_], *, batch: int = 64
) -> NDArray[np.float64]:
    """Share of the rolled-out attention that falls on the digit, 0 to 1, (n,).

    Attention rollout (Abnar and Zuidema 2020): per block (A + 1) / 2 with A the mean over heads,
    multiplied through the blocks. A patch counts with the share of its pixels that are digit, so
    attention spread evenly gives the share of the image that is digit.

    Args:
        model: `nn.Sequential` that ends with a vision transformer of timm.
        images, masks: uint8 (n, H, W, 3) and (n, H, W).

    Raises:
        ParameterError: masks that do not fit, or a model without such a transformer at its end.
    """
    _check_masks(images, masks, np.zeros(len(images), np.int64))
    model.eval()
    device = next(model.parameters()).device
    shares = []
    with torch.no_grad():
        for start in range(0, len(images), batch):
            part = slice(start, start + batch)
            patches = roll_out_attention(model, to_tensor(images[part]).to(device)).cpu().numpy()
            side = images.shape[1] // patches.shape[1], images.shape[2] // patches.shape[2]
            inside = masks[part].reshape(-1, patches.shape[1], side[0], patches.shape[2], side[1])
            on = (patches * inside.mean(axis=(2, 4))).sum(axis=(1, 2))
            shares.append((on / patches.sum(axis=(1, 2))).astype(np.float64))
    return np.concatenate(shares)


def roll_out_attention(model: nn.Module, images: Tensor) -> Tensor:
    """How much of the output comes from each patch, (B, rows, columns), sum 1 over an image.

    Raises:
        ParameterError: a model that is no vision transformer of timm and does not end with one.
    """
    transformer: Any = model[-1] if isinstance(model, nn.Sequential) else model
    blocks = getattr(transformer, "blocks", None)
    if blocks is None or not all(hasattr(block, "attn") for block in blocks):
        raise ParameterError(
            f"{type(transformer).__name__} has no blocks with attention; allowed: a vision "
            "transformer of timm, or a Sequential that ends with one"
        )
    seen: list[Tensor] = []
    hooks = [
        block.attn.register_forward_pre_hook(
            lambda attention, inputs: seen.append(_attend(attention, inputs[0]))
        )
        for block in blocks
    ]
    try:
        model(images)
    finally:
        for hook in hooks:
            hook.remove()
    flow = torch.eye(seen[0].shape[-1], device=images.device)
    for attention in seen:
        flow = 0.5 * (attention + torch.eye(attention.shape[-1], device=images.device)) @ flow
    before = transformer.num_prefix_tokens
    read = flow[:, 0] if transformer.global_pool == "token" else flow[:, before:].mean(1)
    patches = read[:, before:]
    rows, columns = transformer.patch_embed.grid_size
    return (patches / patches.sum(1, keepdim=True)).view(len(images), rows, columns)


def _attend(attention: Any, tokens: Tensor) -> Tensor:
    """Weights of a timm attention layer, mean over its heads, (B, tokens, tokens)."""
    batch, n, _ = tokens.shape
    qkv = attention.qkv(tokens).reshape(batch, n, 3, attention.num_heads, -1)
    q, k, _ = qkv.permute(2, 0, 3, 1, 4).unbind(0)
    q, k = attention.q_norm(q), attention.k_norm(k)
    return (attention.scale * q @ k.mT).softmax(-1).mean(1)


def _share_on(size: NDArray[np.float64], masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    total = size.sum(axis=(1, 2))
    if not (total > 0.0).all():
        raise ParameterError(
            "the gradient is zero for an image; allowed: a model that is differentiable in its "
            "image. Leave out front-ends such as CLAHE"
        )
    return (size * masks).sum(axis=(1, 2)) / total


def _check_masks(
    images: NDArray[np.uint8], masks: NDArray[np.bool_], labels: NDArray[np.int64]
) -> None:
    if masks.shape != images.shape[:3] or len(labels) != len(images) or len(images) == 0:
        raise ParameterError(
            f"images {images.shape} come with masks {masks.shape} and {len(labels)} labels; "
            "allowed: one mask (height, width) and one label for each image, at least one"
        )
