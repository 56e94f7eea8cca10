"""A limit on memory, so that a value that asks for too much fails its test and nothing else."""

import resource

import pytest

LIMIT_BYTES = 12 * 10**9


@pytest.fixture(autouse=True)
def _limited_memory():
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)
