"""A vision transformer that gives every pixel a class: an encoder of timm and a light decoder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final

import timm
import torch
from timm.models.vision_transformer import Block
from torch import Tensor, nn
from torch.nn import functional as F

from swta.validation import (
    ParameterError,
    check_choice,
    check_integer,
    check_names,
    check_real,
)
from swta.vision.models import build_transformer

DECODERS: Final = ("linear", "mask")


@dataclass(frozen=True)
class SegmenterParameters:
    """Encoder and decoder; all sizes are our choice.

    With ``backbone`` the encoder is timm's model of that name with patches and sizes of its own
    (``patch_size``, ``width`` and ``depth`` are not used); ``weights`` is a file with its trained
    weights.

    Raises:
        ParameterError: a value outside its range, patches that do not tile the frame, cells that
            do not tile a patch, an unknown decoder or backbone, or weights that are not there.
    """

    height: int = 72  # px
    width_px: int = 96  # px
    patch_size: int = 8  # px; 9 × 12 patches
    width: int = 64  # length of a token
    depth: int = 3  # blocks
    heads: int = 4  # attention heads per block
    mlp_ratio: float = 2.0  # hidden width of a block's perceptron / width
    decoder: str = "linear"  # linear or mask
    decoder_depth: int = 1  # blocks of the mask decoder
    cells: int = 2  # predictions per side of a patch
    n_classes: int = 11  # CamVid's
    n_channels: int = 3  # that the front-end gives
    backbone: str = ""  # name of a model of timm; empty: the small transformer described above
    weights: str = ""  # file of trained weights for the backbone; empty: untrained

    def __post_init__(self) -> None:
        for name in ("height", "width_px", "patch_size", "width", "depth", "heads", "cells",
                     "decoder_depth", "n_channels"):  # fmt: skip
            check_integer(name, getattr(self, name), low=1)
        check_integer("n_classes", self.n_classes, low=2)
        check_real("mlp_ratio", self.mlp_ratio, low=0.0, open_low=True)
        check_choice("decoder", self.decoder, DECODERS)
        check_names("backbone and weights", (self.backbone, self.weights))
        if not self.backbone:
            self._check_patches()
        if self.backbone and not timm.is_model(self.backbone):
            near = ", ".join(timm.list_models(f"*{self.backbone.split('_')[0]}*")[:5])
            raise ParameterError(
                f"backbone = {self.backbone!r} is no model of timm; allowed: a name of "
                f"timm.list_models(){', such as ' + near if near else ''}"
            )
        if self.weights and not self.backbone:
            raise ParameterError(
                f"weights = {self.weights!r} come without a backbone; allowed: weights for a model "
                "of timm. Name it in backbone"
            )
        if self.weights and not Path(self.weights).is_file():
            raise ParameterError(f"weights = {self.weights!r} is no file; allowed: a path to one")

    def _check_patches(self) -> None:
        for name in ("height", "width_px"):
            if getattr(self, name) % self.patch_size:
                raise ParameterError(
                    f"patch_size = {self.patch_size} does not tile {name} = "
                    f"{getattr(self, name)} px; allowed: its divisors"
                )
        if self.patch_size % self.cells:
            raise ParameterError(
                f"cells = {self.cells} do not tile a patch of {self.patch_size} px; allowed: its "
                "divisors"
            )
        if self.width % 4 or self.width % self.heads:
            raise ParameterError(
                f"width = {self.width} is no multiple of 4 and of heads = {self.heads}; allowed: "
                "a multiple of both"
            )


class Segmenter(nn.Module):
    """Logits of every class for every cell of the frame; in testing, for every pixel.

    The linear decoder maps each token to its cells. The mask decoder (Strudel et al. 2021, ICCV)
    lets one token per class attend to the patches and compares it with each of them.
    """

    def __init__(self, parameters: SegmenterParameters) -> None:
        super().__init__()
        p = self.constants = parameters
        encoder: Any = _create_encoder(p)
        self.encoder = encoder
        width = p.width if not p.backbone else _measure_width(encoder, p)
        kind = LinearDecoder if p.decoder == "linear" else MaskDecoder
        self.decoder: nn.Module = kind(p, width)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, classes, H, W) of frames (B, C, H, W); of cells while it is in training."""
        logits = self.decoder(_last_features(self.encoder, images))
        if self.training:
            return logits
        return F.interpolate(logits, images.shape[2:], mode="bilinear", align_corners=False)


def _last_features(encoder: Any, images: Tensor) -> Tensor:
    """The last feature map of a model of timm, (B, D, h, w)."""
    return encoder.forward_intermediates(
        images, indices=1, norm=True, output_fmt="NCHW", intermediates_only=True
    )[-1]


def _measure_width(encoder: nn.Module, p: SegmenterParameters) -> int:
    """Channels of the last feature map; models do not all say it in the same place."""
    with torch.no_grad():
        blank = torch.zeros(1, p.n_channels, p.height, p.width_px)
        return _last_features(encoder.eval(), blank).shape[1]


def sample_labels(labels: Tensor, rows: int, columns: int) -> Tensor:
    """Labels (B, H, W) at the centres of ``rows`` × ``columns`` cells, (B, rows, columns)."""
    down, across = (
        (torch.arange(n, device=labels.device) * 2 + 1) * size // (2 * n)
        for n, size in zip((rows, columns), labels.shape[1:], strict=True)
    )
    return labels[:, down[:, None], across]


class LinearDecoder(nn.Module):
    """Each token's cells by one linear map: (B, D, h, w) to (B, K, h c, w c)."""

    def __init__(self, parameters: SegmenterParameters, width: int) -> None:
        super().__init__()
        self.cells = parameters.cells
        self.head = nn.Conv2d(width, parameters.n_classes * self.cells**2, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Logits of the cells."""
        return F.pixel_shuffle(self.head(features), self.cells)


class MaskDecoder(nn.Module):
    """Tokens of classes and of cells compared by their cosine: (B, D, h, w) to (B, K, h c, w c)."""

    def __init__(self, parameters: SegmenterParameters, width: int) -> None:
        super().__init__()
        p = parameters
        self.cells = p.cells
        self.tokens = nn.Parameter(torch.randn(1, p.n_classes, width) * 0.02)
        heads = next(n for n in range(p.heads, 0, -1) if width % n == 0)
        self.blocks = nn.Sequential(
            *(Block(width, heads, mlp_ratio=p.mlp_ratio) for _ in range(p.decoder_depth))
        )
        self.norm = nn.LayerNorm(width)
        self.split = nn.Linear(width, width * p.cells**2)
        self.project = nn.Linear(width, width)
        self.scale = nn.LayerNorm(p.n_classes)

    def forward(self, features: Tensor) -> Tensor:
        """Logits of the cells."""
        batch, width, rows, columns = features.shape
        patches = features.flatten(2).transpose(1, 2)
        tokens = torch.cat([patches, self.tokens.expand(batch, -1, -1)], dim=1)
        tokens = self.norm(self.blocks(tokens))
        n = rows * columns
        cells = self.split(tokens[:, :n]).view(batch, n, self.cells**2, width)
        classes = F.normalize(self.project(tokens[:, n:]), dim=-1)
        masks = self.scale(F.normalize(cells, dim=-1) @ classes[:, None].mT)  # (B, n, c², K)
        masks = masks.permute(0, 3, 2, 1).reshape(batch, -1, rows, columns)
        return F.pixel_shuffle(masks, self.cells)


def create_segmenter(parameters: SegmenterParameters, *, seed: int) -> Segmenter:
    """A segmenter, the same weights for the same seed.

    Raises:
        ParameterError: a backbone that gives no feature map, or weights that do not fit it.
    """
    check_integer("seed", seed, low=0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Segmenter(parameters)


def _create_encoder(p: SegmenterParameters) -> nn.Module:
    if p.backbone:
        return _create_backbone(p)
    return build_transformer(p, (p.height, p.width_px), n_channels=p.n_channels)


def _create_backbone(p: SegmenterParameters) -> nn.Module:
    options: dict[str, Any] = {"num_classes": 0, "in_chans": p.n_channels}
    if p.weights:  # timm reads the file with weights_only
        options |= {"pretrained": True, "pretrained_cfg_overlay": {"file": p.weights}}
    sized: dict[str, Any] = options | {"img_size": (p.height, p.width_px)}
    try:
        try:
            model = timm.create_model(p.backbone, **sized)
        except TypeError:  # a convolutional backbone takes any size
            model = timm.create_model(p.backbone, **options)
    except (RuntimeError, KeyError, OSError, ValueError, EOFError, UnpicklingError) as error:
        raise ParameterError(
            f"backbone = {p.backbone!r} cannot be made with {p.height} × {p.width_px} px and "
            f"weights = {p.weights!r}: {error}"
        ) from error
    if not hasattr(model, "forward_intermediates"):
        raise ParameterError(
            f"backbone = {p.backbone!r} gives no feature map; allowed: a model of timm with "
            "forward_intermediates, such as vit_tiny_patch16_224"
        )
    return model
