"""Random convolutions of the training images: augmentation instead of a filter."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from swta.validation import ParameterError, check_integer, check_real
from swta.vision.pools import check_images, to_three


class RandomConvolution(nn.Module):
    """In training a new random convolution of each mini-batch, in testing nothing.

    RandConv (Xu, Liu, Yang, Raffel and Niethammer 2021, ICLR): kernel size drawn from ``sizes``,
    weights normal with variance 1 / (C k²), the result mixed with the image by a share from
    U(0, 1). Their algorithm 1 without its consistency loss. Images go to [-1, 1] before it and
    back, as digits do in the authors' runs. (B, C, H, W) to (B, C, H, W), one channel to three.

    Args:
        sizes: kernel sizes, px, odd.
        clean: probability that a mini-batch stays as it is.
        mix: whether to mix with the image; without, the convolution stands alone.

    Raises:
        ParameterError: no size, an even one, or a probability outside [0, 1].
    """

    def __init__(
        self, sizes: tuple[int, ...] = (1, 3, 5, 7), *, clean: float = 0.5, mix: bool = True
    ) -> None:
        super().__init__()
        for size in sizes:
            if check_integer("sizes", size, low=1) % 2 == 0:
                raise ParameterError(f"sizes = {sizes} has an even one; allowed: odd sizes, px")
        if not sizes:
            raise ParameterError("sizes is empty; allowed: at least one odd size, px")
        self.sizes = sizes
        self.clean = check_real("clean", clean, low=0.0, high=1.0)
        self.mix = mix
        self.random = True

    def forward(self, images: Tensor) -> Tensor:
        """The images, in training through a random convolution; their values may leave [0, 1]."""
        check_images(images)
        images = to_three(images)
        if not self.training or float(torch.rand(())) < self.clean:
            return images
        size = self.sizes[int(torch.randint(len(self.sizes), ()))]
        channels = images.shape[1]
        # drawn on the CPU, so that every device sees the same kernels
        kernel = torch.randn(channels, channels, size, size) / (channels * size * size) ** 0.5
        centred = 2.0 * images - 1.0
        changed = F.conv2d(centred, kernel.to(images), padding=size // 2)
        share = float(torch.rand(())) if self.mix else 1.0
        return 0.5 * (share * changed + (1.0 - share) * centred) + 0.5
