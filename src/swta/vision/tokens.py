"""The motif behind the patch embedding, where its columns are channels that training makes."""

from __future__ import annotations

from torch import Tensor, nn

from swta.validation import ParameterError, check_integer
from swta.vision.filter import SoftWTA
from swta.vision.parameters import CircuitParameters, FilterParameters, convert


class TokenWTA(nn.Module):
    """The same motif among embedded patches: tokens (B, side², width) to the same, ≥ 0.

    Every ``n_orientations`` channels of a patch are one ring of columns, which compete with each
    other and with the rings of the same channels in neighbouring patches. A column's drive is the
    positive part of its channel; LAMP5, PV, SST and VIP follow as in `SoftWTA`. What settles is
    given in units of its s.d. over an image.

    Args:
        constants: strengths and sizes of the filter; lengths in pixels.
        width: channels per token.
        side: patches along one edge of the image.
        patch_size: px; turns the pool's s.d. into patches.

    Raises:
        ParameterError: channels that do not make whole rings.
    """

    def __init__(
        self, constants: CircuitParameters, *, width: int, side: int, patch_size: int
    ) -> None:
        super().__init__()
        p = convert(constants, FilterParameters)
        columns = p.n_orientations
        if check_integer("width", width, low=1) % columns:
            raise ParameterError(
                f"width = {width} does not make rings of {columns} columns; allowed: multiples of "
                f"{columns}. Choose another width or n_orientations"
            )
        self.side = check_integer("side", side, low=1)
        surround = max(0.2, p.surround / check_integer("patch_size", patch_size, low=1))
        self.motif = SoftWTA(convert(p, FilterParameters, surround=surround))
        self.columns = columns

    def forward(self, tokens: Tensor) -> Tensor:
        """Settled columns (B, side², width), dimensionless."""
        batch, n, width = tokens.shape
        maps = tokens.transpose(1, 2).reshape(-1, self.columns, self.side, self.side)
        drive = self.motif.inhibit(self.motif.normalise(maps.relu()))
        settled = self.motif.settle(drive).view(batch, width, n).transpose(1, 2)
        return settled / (settled.std(dim=(1, 2), keepdim=True) + 1e-3)
