"""Cortical front-ends against their formulas and the limits in which they become one another."""

import numpy as np
import pytest
import torch
from scipy import stats
from tiny_columns import TINY, relative

from swta.validation import ParameterError
from swta.vision import (
    DivisiveNormalisation,
    OrientationBank,
    PushPull,
    RandomConvolution,
    VOneFront,
)
from swta.vision.cortical import _draw_cells, _draw_gabors


def test_without_pull_it_is_the_orientation_energy(picture):
    bank = OrientationBank(TINY)
    energy = bank.population_vector(bank.energy(picture))
    assert relative(PushPull(TINY, inhibition=0.0)(picture), energy) < 1e-5
    assert relative(PushPull(TINY)(picture), energy) > 0.01


def test_pull_kernel_is_the_push_kernel_enlarged():
    front = PushPull(TINY)
    assert front.bank.shape[-1] == 7 and front.pull.shape[-1] == 15
    corners = front.pull[..., ::14, ::14]
    torch.testing.assert_close(corners, front.bank[..., ::6, ::6])
    torch.testing.assert_close(front.pull[..., 7, 7], front.bank[..., 3, 3])
    assert torch.equal(PushPull(TINY, enlargement=1.0).pull, front.bank)


def test_push_pull_at_one_pixel_by_hand():
    front = PushPull(TINY, inhibition=0.5)
    image = torch.rand(1, 1, 31, 31, generator=torch.Generator().manual_seed(0))
    total = np.zeros(4)
    for k in range(8):
        push = float((front.bank[k, 0] * image[0, 0, 12:19, 12:19]).sum())
        pull = float((front.pull[k, 0] * image[0, 0, 8:23, 8:23]).sum())
        for sign in (1, -1):
            y = max(0.0, sign * push) - 0.5 * max(0.0, -sign * pull)
            total[k % 4] += max(0.0, y) ** 2
    energy = np.sqrt(total)
    angle = np.pi * np.arange(4) / 2
    out = front(image)[0, :, 15, 15].numpy()
    expected = np.array([energy.sum(), energy @ np.cos(angle), energy @ np.sin(angle)])
    np.testing.assert_allclose(out / out[0], expected / expected[0], rtol=1e-4, atol=1e-5)


def test_divisive_normalisation_of_one_active_column():
    front = DivisiveNormalisation()
    energy = torch.zeros(1, 8, 1, 1)
    energy[0, 3] = 2.0
    b = front.divide(energy)[0, :, 0, 0]
    assert float(b[3]) == pytest.approx(4.0 / (1.0 + 4.0 / 5.0) ** 0.75, rel=1e-5)
    assert float(b.sum()) == pytest.approx(float(b[3]))
    energy[0, 5] = 1.0  # two columns away
    b = front.divide(energy)[0, :, 0, 0]
    pool = 1.0 + (4.0 + np.exp(-2 / 5)) / 5.0
    assert float(b[3]) == pytest.approx(4.0 / pool**0.75, rel=1e-5)


def test_divisive_normalisation_has_no_preferred_orientation():
    front = DivisiveNormalisation()
    energy = torch.rand(1, 8, 3, 3)
    rolled = front.divide(energy.roll(3, 1))
    torch.testing.assert_close(rolled, front.divide(energy).roll(3, 1))


def test_responses_at_one_pixel_by_hand():
    front = VOneFront(simple=6, complex_=6)
    image = torch.rand(1, 3, 31, 31, generator=torch.Generator().manual_seed(0))
    part = image[0, :, 3:28, 3:28]
    even, odd = ((part * kernels).sum((1, 2, 3)) for kernels in (front.even, front.odd))
    expected = 25 * torch.cat([even[:6].clamp_min(0), even[6:].hypot(odd[6:]) / 2**0.5])
    torch.testing.assert_close(front.respond(image)[0, :, 15, 15], expected)
    # a kernel and its partner are a quarter of a cycle apart
    shapes = _draw_cells(5, np.random.default_rng(1))
    later = shapes | {"phase": shapes["phase"] + np.pi / 2}
    turned = _draw_gabors(shapes, 16.0, np.pi / 2)
    np.testing.assert_allclose(turned, _draw_gabors(later, 16.0, 0.0), atol=1e-12)


def test_noise_is_a_rectified_gaussian_with_the_variance_of_the_mean():
    front = VOneFront(simple=2, complex_=2, out_channels=4)
    front.bottleneck.weight.data = torch.eye(4)[:, :, None, None]
    image = torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(0)).sqrt()
    torch.manual_seed(0)
    with torch.no_grad():
        mean = front.respond(image).numpy()
        noisy = torch.stack([front(image) for _ in range(2000)])
    spread = np.sqrt(0.35 * mean + 0.07 + 1e-4) / 0.35
    share = mean / spread
    expected = mean * stats.norm.cdf(share) + spread * stats.norm.pdf(share)
    second = (mean**2 + spread**2) * stats.norm.cdf(share) + mean * spread * stats.norm.pdf(share)
    assert mean.max() > 3.0
    assert relative(noisy.mean(0).mean((2, 3)), expected.mean((2, 3))) < 0.01
    assert relative(noisy.square().mean(0).mean((2, 3)), second.mean((2, 3))) < 0.02


def test_cells_follow_the_measured_distributions():
    cells = _draw_cells(4000, np.random.default_rng(0))
    frequency = cells["frequency"]
    assert frequency.min() >= 0.5 and frequency.max() <= 8.0
    share = np.histogram(frequency, [0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0])[0] / 4000
    np.testing.assert_allclose(share, np.array([4, 4, 8, 25, 32, 26, 28, 12]) / 139, atol=0.025)
    degrees = np.rad2deg(cells["orientation"])
    near = ((degrees + 22.5) % 180 < 45).mean()
    assert near == pytest.approx(66 / 246, abs=0.03)
    assert np.corrcoef(np.log(frequency), np.log(cells["across"]))[0, 1] > 0.5
    assert cells["along"].min() >= 0.1 and cells["along"].max() <= 10**0.2


def test_gabor_window_integrates_to_one():
    shapes = {"orientation": 0.3, "phase": 0.0, "frequency": 1e-6, "across": 3e-7, "along": 3e-7}
    kernel = _draw_gabors({k: np.array([v]) for k, v in shapes.items()}, 10.0, 0.0)
    assert kernel.sum() == pytest.approx(1.0, rel=0.01)


def test_only_the_bottleneck_is_trained_and_the_seed_decides():
    first, again, other = VOneFront(seed=1), VOneFront(seed=1), VOneFront(seed=2)
    assert [name for name, _ in first.named_parameters()] == ["bottleneck.weight"]
    assert torch.equal(first.even, again.even) and not torch.equal(first.even, other.even)
    assert torch.equal(first.bottleneck.weight, again.bottleneck.weight)
    with pytest.raises(ParameterError, match="5 channels"):
        first(torch.rand(1, 5, 30, 30))


def test_random_convolution_is_for_training_only(picture):
    front = RandomConvolution(clean=0.0)
    torch.manual_seed(0)
    changed = front(picture)
    torch.manual_seed(0)
    assert torch.equal(front(picture), changed) and not torch.equal(changed, picture)
    assert torch.equal(front.eval()(picture), picture)
    assert torch.equal(RandomConvolution(clean=1.0)(picture), picture)


def test_random_convolution_of_one_pixel_mixes_channels_linearly(picture):
    front = RandomConvolution((1,), clean=0.0, mix=False)
    torch.manual_seed(3)
    out = 2 * front(picture) - 1
    flat = (2 * picture - 1).transpose(0, 1).flatten(1).double().T
    solution = torch.linalg.lstsq(flat, out.transpose(0, 1).flatten(1).double().T)
    fitted = flat @ solution.solution
    assert relative(fitted, out.transpose(0, 1).flatten(1).T) < 1e-4


@pytest.mark.parametrize("size", [1, 3, 7])
def test_random_convolution_keeps_the_variance_of_white_images(size):
    front = RandomConvolution((size,), clean=0.0, mix=False)
    image = (torch.rand(1, 3, 64, 64) < 0.5).float()  # ±1 after centring
    torch.manual_seed(0)
    variance = torch.stack([(2 * front(image) - 1).square().mean() for _ in range(300)]).mean()
    assert float(variance) == pytest.approx(1.0, abs=0.12)


def test_share_of_clean_batches():
    front = RandomConvolution(clean=0.3)
    image = torch.rand(1, 3, 8, 8)
    torch.manual_seed(1)
    clean = sum(torch.equal(front(image), image) for _ in range(400))
    assert clean / 400 == pytest.approx(0.3, abs=0.07)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: RandomConvolution((2,)), "even"),
        (lambda: RandomConvolution(()), "empty"),
        (lambda: RandomConvolution(clean=1.5), "clean"),
        (lambda: PushPull(TINY, inhibition=-1.0), "inhibition"),
        (lambda: DivisiveNormalisation(length=0.0), "length"),
        (lambda: VOneFront(simple=0), "simple"),
    ],
)
def test_bad_choices_are_refused(make, word):
    with pytest.raises(ParameterError, match=word):
        make()
