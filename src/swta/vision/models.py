"""Vision transformers for 32 × 32 images, and a filter in front of one."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from swta.validation import ParameterError, check_integer, check_real
from swta.vision.parameters import CircuitParameters
from swta.vision.tokens import TokenWTA

with warnings.catch_warnings():  # timm loads a progress bar that misses widgets in a notebook
    warnings.filterwarnings("ignore", message="IProgress not found")
    from timm.models.vision_transformer import VisionTransformer


@dataclass(frozen=True)
class TransformerParameters:
    """A small vision transformer (Dosovitskiy et al. 2021); all sizes are our choice.

    Raises:
        ParameterError: a value outside its range, patches that do not tile the image, or heads that
            do not divide the width.
    """

    image_size: int = 32  # px
    patch_size: int = 4  # px; 64 patches
    width: int = 64  # length of a token
    depth: int = 4  # blocks
    heads: int = 4  # attention heads per block
    mlp_ratio: float = 2.0  # hidden width of a block's perceptron / width
    n_classes: int = 10  # digits
    competition: CircuitParameters | None = None  # the motif among embedded patches; None: without

    def __post_init__(self) -> None:
        for name in ("image_size", "patch_size", "width", "depth", "heads"):
            check_integer(name, getattr(self, name), low=1)
        check_integer("n_classes", self.n_classes, low=2)
        check_real("mlp_ratio", self.mlp_ratio, low=0.0, open_low=True)
        if self.image_size % self.patch_size:
            raise ParameterError(
                f"patch_size = {self.patch_size} does not tile {self.image_size} px; allowed: its "
                "divisors. Choose another patch_size or image_size"
            )
        if self.width % 4:
            raise ParameterError(
                f"width = {self.width} is no multiple of 4, which the position embedding needs; "
                f"allowed: {4 * max(1, self.width // 4)}, for example"
            )
        if self.width % self.heads:
            raise ParameterError(
                f"heads = {self.heads} do not divide width = {self.width}; allowed: its divisors"
            )


class Whiten(nn.Module):
    """Subtracts each channel's mean, divides by its s.d. and adds activity noise if given some.

    The two statistics come from the source training set alone. The noise, in training only, has
    variance ``fano`` (|x| + 0.3), x in units of the channel's s.d.: the variance of a spike count
    grows with its mean, and 0.3 stands for spontaneous activity.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, images: Tensor, fano: float = 0.0) -> None:
        super().__init__()
        self.fano = check_real("fano", fano, low=0.0)
        channels = [images[:, c].float() for c in range(images.shape[1])]
        mean = torch.stack([channel.mean() for channel in channels])
        spread = torch.stack([channel.std() for channel in channels])
        self.register_buffer("mean", mean.view(1, -1, 1, 1))
        self.register_buffer("spread", spread.clamp_min(1e-6).view(1, -1, 1, 1))

    def forward(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """Whitened images (B, C, H, W); ``noise`` is standard normal, of the same shape."""
        x = images.to(self.spread.dtype) / self.spread
        if noise is not None:
            x = x + noise * (self.fano * (x.abs() + 0.3)).sqrt()
        return x - self.mean / self.spread


def create_transformer(parameters: TransformerParameters, *, seed: int) -> VisionTransformer:
    """An untrained vision transformer for (B, 3, H, W), the same weights for the same seed."""
    check_integer("seed", seed, low=0)
    p = parameters
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_transformer(p, (p.image_size, p.image_size), n_classes=p.n_classes)
        if p.competition is not None:  # timm's patch embedding ends with a place for a layer
            model.patch_embed.norm = TokenWTA(
                p.competition,
                width=p.width,
                side=p.image_size // p.patch_size,
                patch_size=p.patch_size,
            )
    return model


class Sizes(Protocol):
    """What an untrained transformer is made from: the fields of that name in two records."""

    @property
    def patch_size(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def depth(self) -> int: ...
    @property
    def heads(self) -> int: ...
    @property
    def mlp_ratio(self) -> float: ...


def build_transformer(
    sizes: Sizes, shape: tuple[int, int], *, n_classes: int = 0, n_channels: int = 3
) -> VisionTransformer:
    """An untrained transformer for images (B, ``n_channels``, *shape), with torch's random state.

    Without classes it has no head, and its tokens stay apart.
    """
    model = VisionTransformer(
        img_size=shape,
        patch_size=sizes.patch_size,
        in_chans=n_channels,
        num_classes=n_classes,
        embed_dim=sizes.width,
        depth=sizes.depth,
        num_heads=sizes.heads,
        mlp_ratio=sizes.mlp_ratio,
        class_token=False,
        global_pool="avg" if n_classes else "",
        weight_init="moco",  # Xavier; timm's default s.d. of 0.02 learns slowly at this width
    )
    assert model.pos_embed is not None
    rows, columns = (length // sizes.patch_size for length in shape)
    model.pos_embed.data = encode_positions(rows, columns, sizes.width)
    return model


def forward_patches(model: Any, images: Tensor, keep: Tensor | None) -> Tensor:
    """Logits (B, classes) of a `VisionTransformer` that sees only the patches ``keep``, (B, kept).

    Liu et al. 2023 (arXiv 2212.00794): patches are left out after the position embedding. With
    None this is the model's own forward pass.
    """
    tokens = model._pos_embed(model.patch_embed(images))
    if keep is not None:
        first = model.num_prefix_tokens  # a class token is never left out
        kept = tokens[:, first:].gather(1, keep[:, :, None].expand(-1, -1, tokens.shape[2]))
        tokens = torch.cat([tokens[:, :first], kept], dim=1) if first else kept
    for block in model.blocks:
        tokens = block(tokens)
    return model.forward_head(model.norm(tokens))


def encode_positions(rows: int, columns: int, width: int) -> Tensor:
    """Sines and cosines of the row and column of patches, (1, rows · columns, width), −1 to 1.

    Where the learnt position embedding starts: angular frequencies 2 · 100^(−i / (width / 4)) per
    patch (after Vaswani et al. 2017; a fast one of 2 as the grid is small).
    """
    frequency = 2.0 * 100.0 ** (-torch.arange(width // 4) / (width // 4))
    phase = torch.arange(max(rows, columns))[:, None] * frequency
    axis = torch.cat([phase.sin(), phase.cos()], dim=1)  # (length, width / 2)
    down = axis[:rows, None].expand(-1, columns, -1)
    across = axis[None, :columns].expand(rows, -1, -1)
    return torch.cat([down, across], dim=2).reshape(1, rows * columns, width)


def prepend(front: nn.Module, model: nn.Module) -> nn.Sequential:
    """One module that filters its images (B, C, H, W) in [0, 1] and hands the result to ``model``.

    Any model of timm whose first layer takes the filter's number of channels will do (three, for
    every front-end here). The filter sees the images before any normalisation by mean and s.d.

    Raises:
        ParameterError: a model of timm whose first layer takes another number of channels.
    """
    wanted, given = _first_channels(model), getattr(front, "out_channels", 3)
    if wanted is not None and wanted != given:
        raise ParameterError(
            f"the model takes {wanted} channels, the filter gives {given}; allowed: as many. "
            f"Create the model with in_chans={given}"
        )
    return nn.Sequential(front, model)


def _first_channels(model: nn.Module) -> int | None:
    """Channels that a model of timm takes, None where it does not say."""
    name = (getattr(model, "pretrained_cfg", None) or {}).get("first_conv")
    if not isinstance(name, str):
        embedding = getattr(getattr(model, "patch_embed", None), "proj", None)
        return getattr(embedding, "in_channels", None)
    try:
        return getattr(model.get_submodule(name), "in_channels", None)
    except AttributeError:  # a model that was changed after it was made
        return None


def count_trainable(module: nn.Module) -> int:
    """Number of parameters that training would change."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
