"""One thread, and small digits drawn by code."""

import pytest
import torch

from swta.data import DigitSet, load_digits


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def digits() -> DigitSet:
    return load_digits("rendered", "train", limit=160)


@pytest.fixture(scope="session")
def cluttered() -> DigitSet:
    return load_digits("rendered_clutter", "test", limit=60)


@pytest.fixture
def picture() -> torch.Tensor:
    """Two smooth random images, (2, 3, 24, 24)."""
    generator = torch.Generator().manual_seed(3)
    coarse = torch.rand(2, 3, 8, 8, generator=generator)
    return torch.nn.functional.interpolate(coarse, size=(24, 24), mode="bicubic").clamp(0.0, 1.0)
