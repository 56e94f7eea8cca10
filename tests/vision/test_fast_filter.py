"""The compiled loops against the projection, which is tested against loops in Python."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_columns import TINY
from torch.autograd import forward_ad

from swta.validation import ParameterError
from swta.vision import (
    FilterParameters,
    SoftWTA,
    count_filter_operations,
    count_flops,
    plan,
    to_tensor,
)
from swta.vision.filter import TOLERANCE
from swta.vision.plan import FilterPlan


def exact_columns(front, images):
    with torch.no_grad():
        return front.settle(front.inhibit(front.normalise(front.energy(images))), n_iterations=600)


def worst_error(front, images):
    """Largest error of an image's columns, relative to its largest column."""
    with torch.no_grad():
        found, exact = front.columns(images), exact_columns(front, images)
    apart = (found - exact).abs().amax((1, 2, 3))
    return float((apart / exact.amax((1, 2, 3)).clamp_min(1e-6)).max())


CASES = [
    {},
    {"pv": 0.0},
    {"sst": 0.0},
    {"vip": 0.0},
    {"vip": 1.0, "pv": 0.0},
    {"lamp5": 0.0},
    {"recurrence": 0.0},
    {"alpha": 0.5},
    {"alpha": 0.5, "beta1": 24.0},
    {"n_orientations": 12, "neighbours": 0.3},
    {"n_orientations": 6, "neighbours": 0.0, "envelope": 1.0, "wavelength": 4.0},
    {"n_orientations": 4, "surround": 1.0},
    {"surround": 8.0, "pv": 0.5},
    {"threshold": 0.1, "tonic": 0.2},
]


@pytest.mark.parametrize("changes", CASES, ids=str)
def test_finds_the_fixed_point(changes, cluttered, digits):
    front = SoftWTA(FilterParameters(**changes))
    assert front._plan is not None
    for images in (cluttered.images[:4], digits.images[:4]):
        assert worst_error(front, to_tensor(images)) <= TOLERANCE


@given(
    alpha=st.floats(0.0, 0.95),
    beta1=st.floats(0.0, 12.0),
    vip=st.floats(0.0, 1.0),
    pv=st.floats(0.0, 1.0),
    seed=st.integers(0, 100),
)
@settings(max_examples=30, deadline=None)
def test_any_strengths(alpha, beta1, vip, pv, seed):
    front = SoftWTA(FilterParameters(alpha=alpha, beta1=beta1, vip=vip, pv=pv))
    images = torch.rand(2, 1, 20, 26, generator=torch.Generator().manual_seed(seed))
    assert worst_error(front, images) <= TOLERANCE


@pytest.mark.filterwarnings("ignore:.*torch.jit.*is deprecated", "ignore::torch.jit.TracerWarning")
def test_tracing_and_forward_derivatives_take_the_path_that_has_them():
    front = SoftWTA().eval()
    x, y = (torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(k)) for k in (0, 1))
    with torch.no_grad():
        traced = torch.jit.trace(front, x, check_trace=False)
        torch.testing.assert_close(traced(y), front(y), atol=2 * TOLERANCE, rtol=0.02)
        assert not torch.allclose(traced(x), traced(y))
    direction = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(2))
    with forward_ad.dual_level():
        slope = forward_ad.unpack_dual(front(forward_ad.make_dual(x, direction))).tangent
    _, again = torch.func.jvp(front, (x,), (direction,))
    assert slope is not None and slope.abs().max() > 0
    torch.testing.assert_close(slope, again)


@pytest.mark.parametrize("size", [(15, 40), (37, 16), (97, 61)])
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_any_size_and_number_of_channels(size, channels):
    front = SoftWTA()
    images = torch.rand(2, channels, *size, generator=torch.Generator().manual_seed(0))
    assert worst_error(front, images) <= TOLERANCE
    with torch.no_grad():
        exact = front.population_vector(exact_columns(front, images))
        assert (front(images) - exact).abs().max() <= 3 * TOLERANCE * exact.abs().max()
    assert front(images).shape == (2, 3, *size)


def test_grey_in_colour_is_filtered_once_with_the_same_result(picture):
    front = SoftWTA()
    grey = picture[:, :1]
    assert torch.equal(front(grey), front(grey.expand(-1, 3, -1, -1)))


def test_number_of_threads_does_not_change_the_numbers(cluttered):
    front, images = SoftWTA(), to_tensor(cluttered.images)
    one = front(images)
    torch.set_num_threads(2)
    assert torch.equal(front(images), one)
    torch.testing.assert_close(front(images[7:9]), one[7:9], rtol=0, atol=0)


def test_what_does_not_settle_goes_to_the_projection(monkeypatch, picture):
    front = SoftWTA()
    expected = front.columns(picture)
    monkeypatch.setattr(plan, "MOST_ROUNDS", 3)
    assert not front._plan.run(picture, keep_columns=False)[2].any()
    assert (front.columns(picture) - expected).abs().max() <= 2 * TOLERANCE * expected.max()
    assert worst_error(front, picture) <= TOLERANCE


def test_strong_feedback_is_left_to_the_projection():
    strong = SoftWTA(FilterParameters(alpha=0.98, beta1=12.0))
    assert strong._plan is None
    assert SoftWTA(FilterParameters(n_orientations=5))._plan is None  # an odd ring
    assert worst_error(strong, torch.rand(1, 1, 20, 20)) <= TOLERANCE


def test_gradients_take_the_differentiable_way(picture):
    front = SoftWTA(TINY)
    image = picture.clone().requires_grad_(True)
    out = front(image)
    assert out.requires_grad
    with torch.no_grad():
        assert (front(image) - out).abs().max() <= 5 * TOLERANCE * out.abs().max()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_the_rounded_result(dtype, picture):
    front = SoftWTA()
    rounded = picture.to(dtype)
    out = front(rounded)
    assert out.dtype == dtype
    full = front(rounded.float())
    step = torch.finfo(dtype).eps
    assert ((out.float() - full).abs() <= step * full.abs() + 1e-6).all()
    blank = torch.full((1, 3, 20, 20), 0.5, dtype=dtype, requires_grad=True)
    front(blank).float().sum().backward()
    assert torch.isfinite(blank.grad).all()


def test_autocast_does_not_reach_the_iterations(picture):
    image = picture.clone().requires_grad_(True)
    expected = SoftWTA()(image)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(SoftWTA()(image), expected)


@pytest.mark.parametrize("learnable", [False, True])
def test_compiles_into_one_graph(learnable, picture):
    front = SoftWTA(replace(TINY, alpha=0.3), learnable=learnable)
    compiled = torch.compile(front, fullgraph=True, backend="eager")
    image = picture.clone().requires_grad_(True)
    out = compiled(image)
    torch.testing.assert_close(out, front(image), rtol=1e-4, atol=1e-5)
    out.sum().backward()
    assert torch.isfinite(image.grad).all()
    torch.compiler.reset()


def test_copies_and_pickles(picture):
    front = SoftWTA()
    for other in (copy.deepcopy(front), pickle.loads(pickle.dumps(front))):
        assert torch.equal(other(picture), front(picture))


def test_refuses_what_the_slow_way_refuses():
    front = SoftWTA()
    with pytest.raises(ParameterError, match="smaller than the kernel"):
        front(torch.rand(1, 3, 14, 30))
    with pytest.raises(ParameterError, match="finite"):
        front(torch.full((1, 1, 20, 20), float("nan")))


def test_relaxation_is_youngs_optimum():
    p = FilterParameters()
    off, inverse, over = FilterPlan(p, TOLERANCE).ring
    n = p.n_orientations
    matrix = (1 / inverse) * np.eye(n) - off * (
        np.roll(np.eye(n), 1, 0) + np.roll(np.eye(n), -1, 0)
    )

    def radius(omega):
        order = [*range(0, n, 2), *range(1, n, 2)]
        m = matrix[np.ix_(order, order)]
        diagonal, lower = np.diag(np.diag(m)), np.tril(m, -1)
        step = np.linalg.inv(diagonal + omega * lower)
        upper = np.triu(m, 1)
        return np.abs(np.linalg.eigvals(step @ ((1 - omega) * diagonal - omega * upper))).max()

    grid = np.linspace(1.0, 1.9, 181)
    best = grid[np.argmin([radius(w) for w in grid])]
    assert float(over) == pytest.approx(best, abs=0.01)


def test_operations_are_counted_as_the_loops_do_them(picture, monkeypatch):
    front = SoftWTA(TINY)
    # by hand: waves 189, 13 a column; roots, LAMP5 and PV with two pools of 28; five updates of
    # SST with 16 a column, 8 more a column from the fourth on; weights twice; read-out 30
    by_hand = (189 + 52 + 24 + 56 + 5) + (320 + 16) + (33 + 5 * 38 + 2 * 34) + 30
    assert front._plan.count_operations(planes=1, updates=5) == by_hand
    assert front._plan.count_operations(planes=3, updates=5) == by_hand + 2 * (189 + 52)
    grey = picture.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    for images, planes in ((grey, 1), (picture, 3)):
        updates = front._plan.run(images, keep_columns=False)[2].tolist()
        each = [front._plan.count_operations(planes, k) for k in updates]
        three_planes = front.count_operations(images)
        assert three_planes == pytest.approx(24 * 24 * np.mean(each))
    learnt = SoftWTA(TINY, learnable=True)
    with pytest.raises(ParameterError, match="without compiled loops"):
        learnt.count_operations(picture)
    assert count_filter_operations(front, picture) == three_planes
    assert count_filter_operations(learnt, picture) == count_flops(learnt, (3, 24, 24))
    monkeypatch.setattr(plan, "MOST_ROUNDS", 2)
    with pytest.raises(ParameterError, match="did not settle"):
        front.count_operations(picture)
