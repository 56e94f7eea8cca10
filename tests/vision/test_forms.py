"""The pixel form, thresholds, learnable strengths, and the filter in front of other models."""

from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from tiny_columns import TINY, relative
from torchvision import tv_tensors
from torchvision.transforms import v2

from swta.circuit.theory import Motif
from swta.validation import ParameterError
from swta.vision import (
    FilterParameters,
    FilterTransform,
    PixelParameters,
    RandomConvolution,
    SoftWTA,
    Standardise,
    TrainingParameters,
    TransformerParameters,
    VOneFront,
    count_trainable,
    create_transformer,
    filter_images,
    prepend,
    to_tensor,
    train_arms,
)
from swta.vision.filter import TOLERANCE
from swta.vision.parameters import convert


def matrix_of(sd, side):
    """A Gaussian mean over a square as a matrix over its pixels, weights of sum 1 at borders."""
    reach = max(1, int(np.ceil(3 * sd)))
    place = np.arange(side)
    apart = place[:, None] - place[None]
    one = np.exp(-(apart**2) / (2 * sd**2)) * (np.abs(apart) <= reach)
    one /= one.sum(1, keepdims=True)
    return np.kron(one, one)


def test_pixel_form_agrees_with_matrices():
    side, p = 9, PixelParameters(surround=1.5, spread=0.5, alpha=0.8)
    image = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    grey = image.mean(1).flatten().numpy().astype(float)
    pool, near = matrix_of(1.5, side), matrix_of(0.5, side)
    drive = grey / (pool @ grey + p.semisaturation)
    inputs = drive - p.w_ff * (pool @ drive)
    rates = np.zeros(side * side)
    for _ in range(3000):
        wanted = inputs + 0.8 * near @ rates - p.loop * pool @ rates
        rates += 0.2 * (np.maximum(0.0, wanted) - rates)
    assert (rates == 0).any() or rates.min() < 0.1 * rates.max()
    front = SoftWTA(p)
    found = front.columns(image)
    assert found.shape == (1, 1, side, side)
    assert relative(found.flatten(), rates) < TOLERANCE
    out = front(image)[0]
    assert torch.equal(out[0], out[1]) and torch.equal(out[0], out[2])
    assert relative(out[0].flatten(), rates / (rates.std(ddof=1) + 1e-3)) < 3 * TOLERANCE


@pytest.mark.parametrize("changes", [{}, {"sst": 0.0}, {"recurrence": 0.0}, {"pv": 0.0}])
def test_pixel_form_settles_and_unrolls_to_the_same_point(changes):
    front = SoftWTA(PixelParameters(alpha=0.6, **changes))
    image = torch.rand(1, 1, 20, 20, generator=torch.Generator().manual_seed(1))
    inputs = front.inhibit(front.normalise(front.energy(image)))
    exact = front.settle(inputs, n_iterations=500)
    assert relative(front.settle(inputs), exact) <= TOLERANCE
    assert relative(front.unroll(inputs, steps=200), exact) <= TOLERANCE


def test_pixel_form_checks_its_modes_and_reach():
    with pytest.raises(ParameterError, match=r"alpha = 1\.4 .*allowed: < 1"):
        PixelParameters(alpha=1.4)
    with pytest.raises(ParameterError, match="narrower than the surround"):
        PixelParameters(spread=4.0)
    # an eigenvalue of the real matrix lies inside the range
    p = PixelParameters(surround=1.5, spread=0.5)
    matrix = np.eye(100) - p.excitation * matrix_of(0.5, 10) + p.loop * matrix_of(1.5, 10)
    least, largest = p.mode_range()
    rates = np.linalg.eigvals(matrix).real
    assert rates.min() >= least - 0.02 and rates.max() <= largest + 0.02


def test_from_circuit_takes_form_and_thresholds(picture):
    motif = Motif(alpha=0.7, T_E=0.2, T_N=-0.3)
    pixel = SoftWTA.from_circuit(motif, form="pixel", spread=1.0)
    assert isinstance(pixel.constants, PixelParameters) and pixel.constants.spread == 1.0
    front = SoftWTA.from_circuit(motif)
    p = front.constants
    assert (p.threshold, p.tonic, p.alpha) == (0.2, 0.3, 0.7)
    assert p.offset == pytest.approx(-0.2 - 3.0 * 0.75 * 0.3)
    free = SoftWTA(replace(p, threshold=0.0, tonic=0.0))
    drive = front.normalise(front.energy(picture))
    torch.testing.assert_close(front.inhibit(drive), free.inhibit(drive) + p.offset)
    with pytest.raises(ParameterError, match="did you mean 'pixel'"):
        SoftWTA.from_circuit(motif, form="pixels")


def test_a_class_that_is_off_takes_its_tonic_part_along():
    assert FilterParameters(tonic=0.5, sst=0.0).offset == 0.0
    assert FilterParameters(tonic=0.5, vip=1.0).offset == 0.0
    assert convert(FilterParameters(pv=0.5), PixelParameters).pv == 0.5


def test_learnable_filter_starts_as_the_fixed_one(picture):
    front = SoftWTA(TINY, learnable=True)
    assert count_trainable(front) == 4
    now = {
        name: float(torch.as_tensor(value).detach()) for name, value in front.strengths().items()
    }
    assert now == pytest.approx(TINY.strengths, rel=1e-5)
    assert relative(front(picture).detach(), SoftWTA(TINY)(picture)) < 5 * TOLERANCE
    front(picture)[:, 0].mean().backward()
    assert all(value.grad is not None and value.grad.abs() > 0 for value in front.parameters())


@pytest.mark.parametrize("push", [-50.0, 50.0])
@pytest.mark.parametrize("kind", [TINY, PixelParameters(alpha=0.6)])
def test_no_training_can_make_it_unstable(push, kind, picture):
    front = SoftWTA(kind, learnable=True)
    with torch.no_grad():
        for value in front.parameters():
            value += push
    with torch.no_grad():
        inputs = front.inhibit(front.normalise(front.energy(picture)))
        exact = front.settle(inputs, n_iterations=1000)
        assert torch.isfinite(exact).all()
        assert (front.settle(inputs) - exact).abs().max() <= TOLERANCE * max(1.0, exact.max())
        assert float(front.strengths()["excitation"]) < 1.0


def test_what_is_off_stays_off_in_learning():
    front = SoftWTA(replace(TINY, pv=0.0, recurrence=0.0), learnable=True)
    assert set(front.free) == {"loop", "semisaturation"}
    held = {"n_orientations": 3, "neighbours": 0.3, "surround": 0.2, "beta1": 20.0, "beta2": 1.0}
    with pytest.raises(ParameterError, match="learnable"):
        SoftWTA(FilterParameters(alpha=1.5, **held), learnable=True)


@pytest.mark.parametrize(
    "name", ["vit_tiny_patch16_224", "resnet18", "convnext_atto", "swin_tiny_patch4_window7_224"]
)
def test_stands_before_any_model_of_timm(name):
    sizes = {"num_classes": 10}
    model = timm.create_model(name, pretrained=False, **sizes).eval()
    whole = prepend(SoftWTA(), model)
    with torch.no_grad():
        assert whole(torch.rand(1, 1, 224, 224)).shape == (1, 10)
    with pytest.raises(ParameterError, match="in_chans=3"):
        prepend(SoftWTA(), timm.create_model(name, pretrained=False, in_chans=1, **sizes))


def test_prepend_to_the_chapters_transformer_and_to_other_modules():
    small = create_transformer(TransformerParameters(width=16, depth=1, heads=2), seed=0)
    assert prepend(VOneFront(), small)(torch.rand(1, 3, 32, 32)).shape == (1, 10)
    with pytest.raises(ParameterError, match="gives 5"):
        prepend(VOneFront(out_channels=5), small)
    assert len(prepend(Standardise(), torch.nn.Flatten())) == 2


def test_transform_filters_images_and_leaves_masks(cluttered):
    front = SoftWTA()
    steps = v2.Compose(
        [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), FilterTransform(front)]
    )
    image = cluttered.images[0]
    expected = front(to_tensor(image[None]))[0]
    torch.testing.assert_close(steps(Image.fromarray(image)), expected)
    mask = tv_tensors.Mask(torch.ones(32, 32, dtype=torch.uint8))
    filtered, same, label = FilterTransform(front)(
        tv_tensors.Image(to_tensor(image[None])[0]), mask, 3
    )
    torch.testing.assert_close(filtered, expected)
    assert torch.equal(same, mask) and label == 3
    batch = to_tensor(cluttered.images[:3])
    torch.testing.assert_close(FilterTransform(front)(batch), front(batch))
    for moving in (RandomConvolution(), VOneFront(), SoftWTA(learnable=True)):
        with pytest.raises(ParameterError, match="prepend"):
            FilterTransform(moving)


def test_augmentation_is_left_out_of_cached_images(digits):
    front = RandomConvolution(clean=0.0)
    cached = filter_images(front, digits.images[:4])
    np.testing.assert_array_equal(cached, to_tensor(digits.images[:4]).half())
    assert front.training


def test_trained_and_random_fronts_are_trained_within_the_model(digits, cluttered):
    fronts = {
        "vone": VOneFront(simple=2, complex_=2),
        "randconv": RandomConvolution(),
        "learnt": SoftWTA(replace(TINY, alpha=0.3), learnable=True),
    }
    before = fronts["vone"].bottleneck.weight.clone()
    choices = {
        "held_out": 40,
        "transformer": TransformerParameters(width=16, depth=1, heads=2),
        "trainings": {"plain": TrainingParameters(epochs=1, batch_size=40, n_checks=2)},
        "seeds": [0],
    }
    result = train_arms(fronts, digits, [cluttered], **choices)["plain"]
    again = train_arms(fronts, digits, [cluttered], **choices)["plain"]
    np.testing.assert_array_equal(result.hits, again.hits)
    np.testing.assert_array_equal(result.validation_accuracy, again.validation_accuracy)
    assert torch.equal(fronts["vone"].bottleneck.weight, before)  # the caller's is not trained
