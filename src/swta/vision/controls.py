"""The arms of the experiment by name: the filter, and what it is compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from torch import nn

from swta.validation import check_choice
from swta.vision.colour import AutomaticGamma, BesideColour, StandardiseColour
from swta.vision.colour_invariant import ColourInvariant
from swta.vision.contrast import (
    AdaptiveEqualisation,
    DifferenceOfGaussians,
    LocalContrast,
    LocalResponse,
    Standardise,
    Unfiltered,
)
from swta.vision.cortical import DivisiveNormalisation, OrientationEnergy, PushPull, VOneFront
from swta.vision.filter import SoftWTA
from swta.vision.parameters import CircuitParameters, PixelParameters, convert
from swta.vision.random_convolution import RandomConvolution

_MAKERS: Final[dict[str, Callable[[CircuitParameters], nn.Module]]] = {
    "unfiltered": lambda _: Unfiltered(),
    "standardised": lambda _: Standardise(),
    "standardised_colour": lambda _: StandardiseColour(),
    "gamma": lambda _: AutomaticGamma(),
    "dog": lambda _: DifferenceOfGaussians(),
    "local_contrast": lambda _: LocalContrast(),
    "local_response": lambda _: LocalResponse(),
    "clahe": lambda _: AdaptiveEqualisation(),
    "ciconv_w": lambda _: ColourInvariant(),
    "randconv": lambda _: RandomConvolution(),
    "vone": lambda _: VOneFront(),
    "push_pull": PushPull,
    "divisive": DivisiveNormalisation,
    "energy": lambda p: OrientationEnergy(replace(p, lamp5=0.0)),
    "normalised_energy": OrientationEnergy,
    "pixel_swta": lambda p: SoftWTA(
        convert(p, PixelParameters, spread=min(PixelParameters.spread, 0.5 * p.surround))
    ),
    "swta": SoftWTA,
}
FRONT_LABELS: Final = {
    "unfiltered": "no filter",
    "standardised": "standardised",
    "standardised_colour": "standardised, colour kept",
    "gamma": "automatic gamma",
    "dog": "difference of Gaussians",
    "local_contrast": "local contrast",
    "local_response": "local response",
    "clahe": "CLAHE",
    "ciconv_w": "CIConv-W",
    "randconv": "RandConv",
    "vone": "VOne block",
    "push_pull": "push-pull",
    "divisive": "divisive normalisation",
    "energy": "orientation energy",
    "normalised_energy": "energy, locally normalised",
    "pixel_swta": "sWTA on pixels",
    "swta": "sWTA",
}
COLOUR: Final = "+colour"  # behind a name: the standardised image beside the channels
CONTROLS: Final = tuple(
    name for name in _MAKERS if name not in ("unfiltered", "pixel_swta", "swta")
)


def create_front(name: str, parameters: CircuitParameters) -> nn.Module:
    """The front-end of an arm by its name, a key of ``FRONT_LABELS``: (B, 3, H, W) to the same.

    Those of orientation columns have the sizes of ``parameters``: ``energy`` without any
    normalisation by the neighbourhood, ``normalised_energy`` with that of LAMP5.

    Raises:
        ParameterError: an unknown name.
    """
    return _MAKERS[check_choice("front", name, FRONT_LABELS)](parameters)


def create_scene_front(name: str, parameters: CircuitParameters) -> nn.Module:
    """A front-end for scenes: as `create_front`; with ``+colour`` the image beside its channels.

    Raises:
        ParameterError: an unknown name.
    """
    plain = name.removesuffix(COLOUR)
    front = create_front(plain, parameters)
    return front if plain == name else BesideColour(front)


def label_front(name: str) -> str:
    """What figures and tables call an arm, with or without colour beside it."""
    plain = name.removesuffix(COLOUR)
    return FRONT_LABELS[plain] + (" + colour" if plain != name else "")
