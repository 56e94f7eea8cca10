"""Classical normalisations against closed forms, loops and the invariances they exist for."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_columns import TINY, relative

from swta.validation import ParameterError
from swta.vision import (
    CONTROLS,
    FRONT_LABELS,
    AdaptiveEqualisation,
    ColourInvariant,
    DifferenceOfGaussians,
    LocalContrast,
    LocalResponse,
    Standardise,
    create_front,
    is_fixed,
)
from swta.vision.plots import ARM_COLOURS


def gaussian(sd, radius):
    taps = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * sd**2))
    return np.outer(taps, taps) / taps.sum() ** 2


def test_impulse_shows_the_difference_of_gaussians():
    image = torch.zeros(1, 1, 31, 31)
    image[0, 0, 15, 15] = 1.0
    out = DifferenceOfGaussians(centre=0.7, surround=2.0)(image)[0]
    expected = -gaussian(2.0, 6)
    expected[3:10, 3:10] += gaussian(0.7, 3)
    np.testing.assert_allclose(out[0, 9:22, 9:22], expected, atol=1e-6)
    assert torch.equal(out[0], out[2])
    assert DifferenceOfGaussians()(torch.full((1, 3, 9, 9), 0.4)).abs().max() < 1e-6
    with pytest.raises(ParameterError, match="surround"):
        DifferenceOfGaussians(centre=2.0, surround=2.0)


def test_local_contrast_at_one_pixel_by_hand(picture):
    sd, radius = 1.0, 3
    window = gaussian(sd, radius)
    grey = picture[0].mean(0).numpy()
    centred = np.zeros_like(grey)
    spread = np.zeros_like(grey)

    def mean_at(values, y, x):
        rows = slice(max(0, y - radius), y + radius + 1)
        columns = slice(max(0, x - radius), x + radius + 1)
        part = window[
            rows.start - y + radius : rows.start - y + radius + values[rows].shape[0],
            columns.start - x + radius :,
        ][:, : values[:, columns].shape[1]]
        return (part * values[rows, columns]).sum() / part.sum()

    for y in range(24):
        for x in range(24):
            centred[y, x] = grey[y, x] - mean_at(grey, y, x)
    for y in range(24):
        for x in range(24):
            spread[y, x] = math.sqrt(mean_at(centred**2, y, x))
    expected = centred / np.maximum(spread, spread.mean())
    assert relative(LocalContrast(sd)(picture)[0, 1], expected) < 1e-3


@given(gain=st.floats(0.2, 0.9), offset=st.floats(0.0, 0.1))
@settings(max_examples=10, deadline=None)
def test_local_contrast_is_blind_to_gain_and_offset(gain, offset):
    image = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(1))
    front = LocalContrast()
    assert relative(front(gain * image + offset), front(image)) < 1e-3


@pytest.mark.parametrize("channels", [1, 3])
def test_local_response_is_the_papers_formula(channels):
    x = torch.rand(2, channels, 5, 5, generator=torch.Generator().manual_seed(0))
    out = LocalResponse()(x)
    byte = 255.0 * x
    expected = byte / (2.0 + 1e-4 * byte.square().sum(1, keepdim=True)) ** 0.75
    torch.testing.assert_close(out, expected.expand(-1, 3, -1, -1))


def loop_clahe(image, clip, tiles):
    """CLAHE of one uint8 image whose sides are multiples of ``tiles``, pixel by pixel."""
    side = image.shape[0] // tiles
    area = side * side
    curves = np.zeros((tiles, tiles, 256))
    for a in range(tiles):
        for b in range(tiles):
            part = image[a * side : (a + 1) * side, b * side : (b + 1) * side]
            counts = [int((part == level).sum()) for level in range(256)]
            limit = max(int(clip * area / 256), 1)
            excess = sum(max(0, c - limit) for c in counts)
            counts = [min(c, limit) + excess // 256 for c in counts]
            rest = excess % 256
            place = 0
            while rest > 0 and place < 256:
                counts[place] += 1
                place += max(256 // (excess % 256), 1)
                rest -= 1
            total = 0
            for level in range(256):
                total += counts[level]
                curves[a, b, level] = min(255, round(total * 255 / area))
    out = np.zeros(image.shape)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            v, u = (y / side - 0.5), (x / side - 0.5)
            for a, wa in ((math.floor(v), 1 - v + math.floor(v)), (math.floor(v) + 1, v % 1)):
                for b, wb in ((math.floor(u), 1 - u + math.floor(u)), (math.floor(u) + 1, u % 1)):
                    i, j = min(max(a, 0), tiles - 1), min(max(b, 0), tiles - 1)
                    out[y, x] += wa * wb * curves[i, j, image[y, x]]
    return out / 255


@pytest.mark.parametrize(("clip", "tiles"), [(2.0, 4), (8.0, 2), (1.0, 3)])
def test_equalisation_agrees_with_loops(clip, tiles):
    image = np.random.default_rng(0).beta(2, 5, (24, 24))
    byte = np.rint(255 * image).astype(np.uint8)
    found = AdaptiveEqualisation(clip, tiles)(torch.from_numpy(byte / 255.0)[None, None].float())
    np.testing.assert_allclose(found[0, 0], loop_clahe(byte, clip, tiles), atol=2e-3)


def test_one_tile_without_limit_is_histogram_equalisation():
    image = torch.rand(1, 1, 40, 40, generator=torch.Generator().manual_seed(2)) ** 3
    byte = torch.round(255 * image)
    found = AdaptiveEqualisation(clip=1e6, tiles=1)(image)[0, 0].flatten()
    share = (byte.flatten()[None] <= byte.flatten()[:, None]).float().mean(1)
    np.testing.assert_allclose(found, share, atol=0.6 / 255)


def test_equalisation_pads_sides_that_do_not_divide():
    out = AdaptiveEqualisation(tiles=4)(torch.rand(2, 3, 30, 33))
    assert out.shape == (2, 3, 30, 33)
    with pytest.raises(ParameterError, match="smaller"):
        AdaptiveEqualisation(tiles=4)(torch.rand(1, 1, 3, 9))


@given(gain=st.floats(0.1, 1.0))
@settings(max_examples=10, deadline=None)
def test_colour_invariant_does_not_see_the_intensity_of_the_light(gain):
    image = 0.2 + 0.8 * torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(1))
    front = ColourInvariant()
    assert relative(front(gain * image), front(image)) < 0.02


def test_colour_invariant_of_a_ramp_by_hand():
    # E = 0.96 g and its slope 0.96 d on a grey ramp; E_λ = -0.01 g, E_λλ = -0.09 g
    x = torch.linspace(0.2, 0.8, 41)
    image = x.expand(1, 1, 41, 41)
    out = ColourInvariant()(image)[0, 0, 20]
    slope = np.arange(-4, 5) * np.exp(-0.5 * np.arange(-4, 5) ** 2)
    step = float(x[1] - x[0]) * (slope * np.arange(-4, 5)).sum() / np.abs(slope).sum()
    weight = 1 + (0.01 / 0.96) ** 2 + (0.09 / 0.96) ** 2
    edges = np.log(weight * (step / x.numpy()) ** 2 + 1e-5)
    # normalised over the image, so differences are known up to one factor
    found = (out[10] - out[30]) / (out[15] - out[25])
    expected = (edges[10] - edges[30]) / (edges[15] - edges[25])
    assert float(found) == pytest.approx(expected, rel=1e-3)
    whole = ColourInvariant()(torch.rand(2, 3, 16, 16))
    np.testing.assert_allclose(whole.mean((2, 3)), 0.0, atol=1e-5)
    np.testing.assert_allclose(whole.std((2, 3), correction=0), 1.0, atol=1e-2)


def test_colour_invariants_scale_can_be_learnt():
    front = ColourInvariant(learnable=True)
    assert [name for name, _ in front.named_parameters()] == ["scale"]
    image = torch.rand(1, 3, 40, 40)
    assert relative(front(image).detach(), ColourInvariant()(image)) < 0.05
    front(image).square().mul(torch.rand(1, 3, 40, 40)).sum().backward()
    assert front.scale.grad is not None and front.scale.grad.abs() > 0
    with pytest.raises(ParameterError, match="scale"):
        ColourInvariant(scale=3.0)


@pytest.mark.parametrize("name", [*FRONT_LABELS])
def test_every_front_keeps_the_size_and_gives_three_channels(name):
    front = create_front(name, TINY).eval()
    with torch.no_grad():
        for shape in ((1, 1, 20, 20), (2, 3, 24, 33)):
            out = front(torch.rand(shape))
            assert out.shape == (shape[0], 3, *shape[2:])
            assert torch.isfinite(out).all()
        assert torch.isfinite(front(torch.zeros(1, 3, 20, 20))).all()
        half = front(torch.rand(1, 3, 20, 20).half())
        assert half.dtype == torch.float16 and torch.isfinite(half).all()
    if name != "unfiltered":
        with pytest.raises(ParameterError, match="finite"):
            front(torch.full((1, 3, 20, 20), math.nan))


def test_names_labels_and_colours_go_together():
    assert set(ARM_COLOURS) == set(FRONT_LABELS)
    assert len(set(ARM_COLOURS.values())) == len(ARM_COLOURS)
    assert set(FRONT_LABELS) - set(CONTROLS) == {"unfiltered", "pixel_swta", "swta"}
    moving = {name for name in FRONT_LABELS if not is_fixed(create_front(name, TINY))}
    assert moving == {"vone", "randconv"}


def test_standardised_multispectral_image():
    assert Standardise()(torch.rand(2, 7, 12, 12)).shape == (2, 3, 12, 12)
