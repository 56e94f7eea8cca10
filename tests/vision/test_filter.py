"""The filter against explicit loops, its invariances, and the roles of the classes."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_columns import TINY, relative

from swta.circuit.theory import Motif
from swta.validation import ParameterError
from swta.vision import (
    FilterParameters,
    OrientationBank,
    SoftWTA,
    filter_images,
    gabor_bank,
    measure_settling_error,
    to_tensor,
    trace_filter,
)
from swta.vision.filter import TOLERANCE

SIDE = 9


def loop_energy(image, p):
    """Contrast energy (n, H, W) of one image (C, H, W), straight from the definition."""
    reach = math.ceil(3 * p.envelope)
    _, height, width = image.shape
    offsets = range(-reach, reach + 1)
    energy = np.zeros((p.n_orientations, height, width))
    for i in range(p.n_orientations):
        theta = math.pi * i / p.n_orientations
        for phase in (math.cos, math.sin):
            kernel, window = {}, {}
            for y in offsets:
                for x in offsets:
                    window[y, x] = math.exp(-(x * x + y * y) / (2 * p.envelope**2))
                    along = x * math.cos(theta) + y * math.sin(theta)
                    kernel[y, x] = window[y, x] * phase(2 * math.pi * along / p.wavelength)
            excess = sum(kernel.values()) / sum(window.values())
            kernel = {k: v - excess * window[k] for k, v in kernel.items()}
            norm = math.sqrt(sum(v * v for v in kernel.values()))
            for plane in image:
                for row in range(height):
                    for column in range(width):
                        wave = 0.0
                        for (y, x), weight in kernel.items():
                            r = min(max(row + y, 0), height - 1)
                            c = min(max(column + x, 0), width - 1)
                            wave += weight / norm * plane[r, c]
                        energy[i, row, column] += wave**2 / len(image)
    return np.sqrt(energy)


def pool_matrix(p, side):
    """The Gaussian mean over the neighbourhood as a matrix over the pixels of a square."""
    reach = max(1, math.ceil(3 * p.surround))
    matrix = np.zeros((side * side, side * side))
    for row in range(side):
        for column in range(side):
            for y in range(-reach, reach + 1):
                for x in range(-reach, reach + 1):
                    if 0 <= row + y < side and 0 <= column + x < side:
                        weight = math.exp(-(x * x + y * y) / (2 * p.surround**2))
                        matrix[row * side + column, (row + y) * side + column + x] = weight
    return matrix / matrix.sum(1, keepdims=True)


def circuit_matrix(p, side):
    """1 − α k + β₁β₂ pool: what all columns do to each other, (n·pixels, n·pixels)."""
    n = p.n_orientations
    ring = np.zeros((n, n))
    for i in range(n):
        ring[i, i] += 1 - 2 * p.neighbours
        ring[i, (i + 1) % n] += p.neighbours
        ring[i, (i - 1) % n] += p.neighbours
    identity = np.eye(n * side * side)
    pool = np.kron(np.full((n, n), 1.0 / n), pool_matrix(p, side))
    return identity - p.excitation * np.kron(ring, np.eye(side * side)) + p.loop * pool


def test_agrees_with_loops_over_pixels():
    image = np.random.default_rng(0).random((3, SIDE, SIDE))
    p, n = TINY, TINY.n_orientations
    pool = pool_matrix(p, SIDE)
    energy = loop_energy(image, p).reshape(n, -1)
    drive = energy / (pool @ energy.mean(0) + p.semisaturation)
    inputs = (drive - p.w_ff * (pool @ drive.mean(0))).ravel()
    matrix = circuit_matrix(p, SIDE)
    columns = np.zeros(n * SIDE * SIDE)
    for _ in range(3000):  # plain projected relaxation
        columns = np.maximum(0.0, columns + 0.3 * (inputs - matrix @ columns))
    columns = columns.reshape(n, SIDE, SIDE)
    angle = 2 * np.pi * np.arange(n) / n
    vector = np.array(
        [(f[:, None, None] * columns).sum(0) for f in (angle * 0 + 1, np.cos(angle), np.sin(angle))]
    )

    front = SoftWTA(p)
    tensor = torch.from_numpy(image)[None]
    found = front.columns(tensor)[0].numpy()
    assert relative(front.energy(tensor)[0].reshape(n, -1), energy) < 1e-5
    assert relative(front.normalise(front.energy(tensor))[0].reshape(n, -1), drive) < 1e-5
    assert relative(found, columns) < TOLERANCE
    assert (columns == 0).any() and (columns > 0).any()
    assert relative(front(tensor)[0], vector / (vector[0].std(ddof=1) + 1e-3)) < 5 * TOLERANCE


def test_fixed_point_satisfies_the_equations():
    p = TINY
    front = SoftWTA(p).double()
    inputs = torch.randn(1, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(1)).double()
    e = front.settle(inputs, n_iterations=500)
    sst = front.pool(e.mean(1, keepdim=True))
    again = torch.relu(inputs + p.excitation * front._excite(e) - p.loop * sst)
    assert relative(again, e) < 1e-9


@given(
    alpha=st.floats(0.0, 0.98),
    loop=st.floats(0.0, 4.0),
    surround=st.floats(0.2, 2.0),
    neighbours=st.floats(0.0, 0.5),
)
@settings(max_examples=25, deadline=None)
def test_mode_range_bounds_the_real_matrix(alpha, loop, surround, neighbours):
    changes = {"alpha": alpha, "surround": surround, "neighbours": neighbours}
    p = replace(TINY, beta1=loop, beta2=1.0, vip=0.0, **changes)
    least, largest = p.mode_range()
    eigenvalues = np.linalg.eigvals(circuit_matrix(p, 6)).real
    slack = 1e-6 + 0.02 * loop  # a cut Gaussian's transform dips a little below zero
    assert least > 0
    assert eigenvalues.min() >= least - slack and eigenvalues.max() <= largest + slack


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.9, 0.98])
@pytest.mark.parametrize("beta1", [0.0, 3.0, 12.0])
def test_settles_within_tolerance(alpha, beta1, cluttered):
    front = SoftWTA(FilterParameters(alpha=alpha, beta1=beta1))
    assert measure_settling_error(front, cluttered.images[:3]) <= TOLERANCE


def test_dynamics_end_in_the_fixed_point(picture):
    front = SoftWTA(replace(TINY, alpha=0.7))
    inputs = front.inhibit(front.normalise(front.energy(picture)))
    exact = front.settle(inputs, n_iterations=300)
    errors = [relative(front.unroll(inputs, steps=k), exact) for k in (5, 30, 150)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < TOLERANCE


@given(flip=st.booleans(), gain=st.floats(0.1, 0.9), offset=st.floats(0.0, 0.1))
@settings(max_examples=15, deadline=None)
def test_blind_to_sign_of_contrast_and_uniform_ground(flip, gain, offset):
    image = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * gain
    colour = torch.tensor([offset, offset / 2, offset / 3]).view(1, 3, 1, 1)
    changed = image + colour
    changed = 1.0 - changed if flip else changed
    front = SoftWTA(TINY)
    assert relative(front.energy(changed), front.energy(image)) < 1e-4
    assert relative(front(changed), front(image)) < 1e-2


def test_grey_image_equals_three_equal_channels(picture):
    grey = picture[:, :1]
    front = SoftWTA(TINY)
    assert relative(front(grey), front(grey.expand(-1, 3, -1, -1))) < 1e-5


def test_rotation_by_90_degrees_permutes_orientations(picture):
    front = SoftWTA(TINY)
    turned = front.columns(torch.rot90(picture, 1, (2, 3)))
    expected = torch.rot90(front.columns(picture), 1, (2, 3)).roll(TINY.n_orientations // 2, 1)
    assert relative(turned, expected) < 1e-4


def test_translation_moves_the_columns(picture):
    front = SoftWTA(TINY)
    small = torch.zeros(2, 3, 60, 60)
    small[:, :, 15:39, 15:39] = picture
    here = front.columns(small)
    there = front.columns(small.roll((4, -3), (2, 3)))
    inner = slice(10, 50)
    assert relative(there[..., inner, inner], here.roll((4, -3), (2, 3))[..., inner, inner]) < 1e-4


def test_orientation_of_a_grating_wins():
    p = FilterParameters()
    y, x = np.mgrid[:32, :32]
    for i in (0, 3, 6):
        theta = np.pi * i / p.n_orientations
        wave = 0.5 + 0.4 * np.sin(
            2 * np.pi * (x * np.cos(theta) + y * np.sin(theta)) / p.wavelength
        )
        columns = SoftWTA(p).columns(torch.from_numpy(wave).float()[None, None])
        middle = columns[0, :, 12:20, 12:20].mean((1, 2))
        assert int(middle.argmax()) == i
        assert middle[(i + 4) % 8] == 0  # the orientation at right angles is silenced


def test_kernels_see_no_constant_and_have_unit_norm():
    bank = gabor_bank(FilterParameters())
    assert bank.shape == (16, 15, 15)
    np.testing.assert_allclose(bank.sum((1, 2)), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(bank, axis=(1, 2)), 1.0)


def total(picture, **changes):
    return float(SoftWTA(replace(TINY, **changes)).columns(picture).sum())


def test_pv_and_sst_hold_activity_down(picture):
    full = total(picture)
    assert total(picture, pv=0.0) > total(picture, pv=0.5) > full
    assert total(picture, sst=0.0) > total(picture, sst=0.5) > full


def test_vip_takes_inhibition_away_through_sst(picture):
    assert total(picture, vip=0.8) > total(picture, vip=0.25) > total(picture, vip=0.0)
    assert total(picture, vip=1.0) == pytest.approx(total(picture, sst=0.0))
    # without SST there is nothing for VIP to act on
    assert total(picture, sst=0.0, vip=0.5) == pytest.approx(total(picture, sst=0.0, vip=0.0))


def test_lamp5_takes_the_scale_of_contrast_away(picture):
    def change(lamp5):
        """Ratio of activity at half contrast to that at full contrast."""
        front = SoftWTA(replace(TINY, lamp5=lamp5, semisaturation=0.01))
        half = front.columns(0.5 + 0.5 * (picture - 0.5)).sum()
        return float(half / front.columns(picture).sum())

    assert change(0.0) == pytest.approx(0.5, rel=1e-3)
    assert change(1.0) > 0.9


def test_recurrence_amplifies_the_winner(picture):
    def top(**changes):
        return float(SoftWTA(replace(TINY, **changes)).columns(picture).max())

    assert top() > 1.5 * top(recurrence=0.0)
    assert top(alpha=0.0) == pytest.approx(top(recurrence=0.0))


def test_gradient_agrees_with_differences(picture):
    front = SoftWTA(TINY).double()
    image = picture[:1, :, :12, :12].double() * 0.8 + 0.1
    image.requires_grad_(True)
    weights = torch.randn(1, 3, 12, 12, generator=torch.Generator().manual_seed(0)).double()
    (front(image) * weights).sum().backward()
    direction = torch.randn_like(image)
    step = 1e-6
    with torch.no_grad():
        ends = [(front(image + s * step * direction) * weights).sum() for s in (1, -1)]
    slope = float(ends[0] - ends[1]) / (2 * step)
    assert float((image.grad * direction).sum()) == pytest.approx(slope, rel=1e-4)


def test_blank_image_gives_zeros_and_finite_gradients():
    image = torch.full((1, 3, 16, 16), 0.3, requires_grad=True)
    out = SoftWTA(TINY)(image)
    out.sum().backward()
    assert float(out.detach().abs().max()) < 0.1
    assert torch.isfinite(image.grad).all()


def test_nothing_to_train_and_nothing_to_save():
    front = SoftWTA()
    assert list(front.parameters()) == []
    assert front.state_dict() == {}


def test_weights_of_the_motif():
    motif = Motif(alpha=0.6, beta1=2.0, beta2=0.3, alpha2=0.1)
    p = SoftWTA.from_circuit(motif, pv=0.5, n_orientations=6).constants
    assert (p.alpha, p.beta1, p.beta2) == (pytest.approx(0.8), 2.0, 0.3)
    assert p.neighbours == pytest.approx(0.1 / 0.8)
    assert (p.pv, p.n_orientations) == (0.5, 6)
    assert SoftWTA.from_circuit(Motif()).constants == FilterParameters()
    with pytest.raises(ParameterError, match="T_N = 1"):
        SoftWTA.from_circuit(Motif(T_N=1.0))
    with pytest.raises(ParameterError, match=r"alpha = 1\.2.*allowed: < 1"):
        # stable alone, but a pool that blurs does not hold it
        SoftWTA.from_circuit(Motif(alpha=1.2))


def test_unstable_weights_are_refused_with_the_bound():
    with pytest.raises(ParameterError, match=r"alpha = 1 .*reaches 1\.\d+.*allowed: < 1"):
        FilterParameters(alpha=1.0)
    assert FilterParameters(alpha=1.5, recurrence=0.5).excitation == 0.75
    strong = {"beta1": 20.0, "beta2": 1.0, "surround": 0.2}
    with pytest.raises(ParameterError, match=r"alpha = 2.*2\.000, allowed: < 2"):
        FilterParameters(n_orientations=3, alpha=2.0, neighbours=0.3, **strong)
    # a pool of one pixel holds every pattern, so α between 1 and 2 can be stable
    held = FilterParameters(n_orientations=3, alpha=1.5, neighbours=0.3, **strong)
    assert held.mode_range()[0] > 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n_orientations", 2),
        ("wavelength", 1.0),
        ("envelope", 0.0),
        ("surround", math.nan),
        ("semisaturation", 0.0),
        ("w_ff", -0.1),
        ("alpha", math.inf),
        ("neighbours", 0.6),
        ("pv", 1.1),
        ("vip", -0.1),
        ("lamp5", 2.0),
    ],
)
def test_bad_constants_are_named(field, value):
    with pytest.raises(ParameterError, match=field):
        FilterParameters(**{field: value})


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (torch.rand(3, 16, 16), "shape"),
        (torch.rand(1, 16, 16, 3), "Move the channels"),
        (torch.rand(1, 0, 16, 16), "at least one"),
        (torch.rand(1, 3, 16, 5), "smaller than the kernel"),
        (torch.zeros(1, 3, 16, 16, dtype=torch.uint8), "Divide by 255"),
        (torch.rand(0, 3, 16, 16), "at least one image"),
        (torch.full((1, 3, 16, 16), 1.5), r"allowed: \[0, 1\]"),
        (torch.full((1, 3, 16, 16), -0.1), r"allowed: \[0, 1\]"),
        (torch.full((1, 3, 16, 16), math.nan), "finite"),
    ],
)
def test_bad_images_are_refused(images, words):
    with pytest.raises(ParameterError, match=words):
        SoftWTA(TINY)(images)


def test_unroll_refuses_bad_steps():
    front = SoftWTA(TINY)
    inputs = torch.zeros(1, 4, 9, 9)
    with pytest.raises(ParameterError, match="steps"):
        front.unroll(inputs, steps=0)
    with pytest.raises(ParameterError, match="dt"):
        front.unroll(inputs, steps=1, dt=1.0)


def test_stages_and_cached_data_set_agree_with_the_module(cluttered):
    front = SoftWTA()
    images = cluttered.images[:5]
    direct = front(to_tensor(images)).numpy()
    stages = trace_filter(front, images)
    cached = filter_images(front, images, batch=2)
    np.testing.assert_allclose(stages.output, direct, atol=1e-5)
    np.testing.assert_allclose(cached, direct, atol=5e-3)
    assert cached.dtype == np.float16
    assert stages.energy.shape == stages.drive.shape == stages.columns.shape == (5, 8, 32, 32)
    energy = OrientationBank().energy(to_tensor(images))
    np.testing.assert_allclose(stages.energy, energy, atol=1e-6)
    with pytest.raises(ParameterError, match="uint8"):
        to_tensor(images.astype(float))
    with pytest.raises(ParameterError, match="batch"):
        filter_images(front, images, batch=0)
