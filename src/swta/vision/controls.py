"""What the filter is compared with: nothing, standardised images, columns without competition."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from torch import Tensor, nn

from swta.validation import ParameterError, check_choice
from swta.vision.filter import FilterParameters, OrientationBank, SoftWTA

CONTROLS: Final = ("standardised", "energy", "normalised_energy")
FRONT_LABELS: Final = {
    "unfiltered": "no filter",
    "standardised": "standardised",
    "energy": "orientation energy",
    "normalised_energy": "energy, locally normalised",
    "swta": "sWTA",
}


class OrientationEnergy(OrientationBank):
    """The filter without its circuit: the same Gabor energies read out by the population vector.

    No PV, SST, VIP or recurrence. ``lamp5`` of the parameters grades the normalisation by the
    neighbourhood, from 0 (raw energies, scaled only over the whole image) to 1 (as in `SoftWTA`).
    """

    def forward(self, images: Tensor) -> Tensor:
        """Three channels in units of the first one's s.d., (B, 3, H, W), of images in [0, 1]."""
        return self.population_vector(self.normalise(self.energy(images)))


class Standardise(nn.Module):
    """Each image's luminance with mean 0 and s.d. 1, three times: (B, C, H, W) to (B, 3, H, W)."""

    def forward(self, images: Tensor) -> Tensor:
        """Standardised luminance, in units of the image's s.d."""
        grey = images.mean(1, keepdim=True)
        spread = grey.std(dim=(2, 3), keepdim=True)
        scaled = (grey - grey.mean(dim=(2, 3), keepdim=True)) / (spread + 1e-3)
        return scaled.expand(-1, 3, -1, -1)


class Unfiltered(nn.Module):
    """The image as it is; grey ones three times: (B, C, H, W) to (B, 3, H, W).

    Raises:
        ParameterError: another number of channels than 1 or 3.
    """

    def forward(self, images: Tensor) -> Tensor:
        """The image's own values."""
        if images.ndim != 4 or images.shape[1] not in (1, 3):
            raise ParameterError(
                f"images have shape {tuple(images.shape)}; allowed: (batch, 1 or 3, height, width)"
            )
        return images.expand(-1, 3, -1, -1)


def create_front(name: str, parameters: FilterParameters) -> nn.Module:
    """The front-end of an arm by its name, a key of ``FRONT_LABELS``.

    ``energy`` has the sizes of ``parameters`` without any normalisation by the neighbourhood,
    ``normalised_energy`` with that of LAMP5.

    Raises:
        ParameterError: an unknown name.
    """
    check_choice("front", name, FRONT_LABELS)
    if name == "unfiltered":
        return Unfiltered()
    if name == "standardised":
        return Standardise()
    if name == "energy":
        return OrientationEnergy(replace(parameters, lamp5=0.0))
    return (OrientationEnergy if name == "normalised_energy" else SoftWTA)(parameters)
