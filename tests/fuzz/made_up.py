"""Made-up values and damaged files, and how many of them."""

from __future__ import annotations

import os

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("SWTA_FUZZ", "8"))  # of each kind; `make fuzz` makes many more

fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES < 100,  # the same few in every run of the tests, others in a long one
    database=None,
    suppress_health_check=list(HealthCheck),
)

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=6),
    st.binary(max_size=4),
    st.lists(st.floats() | st.integers(-3, 3), max_size=3),
    st.just({}),
    st.just(1j),
)
NEAR = {
    "int": st.integers(-3, 300) | st.sampled_from([2**31, 2**63, -(2**63)]),
    "float": st.floats() | st.floats(-2, 20) | st.sampled_from([0, 1, 5e-324, 1e308, -1e308]),
    "str": st.text(max_size=8) | st.sampled_from(["", "a", "../a", "\x00", "\udc80"]),
    "bool": st.booleans(),
}
NEAR["FloatArray"] = st.one_of(
    NEAR["float"],
    st.lists(NEAR["float"], max_size=4),
    st.lists(st.lists(st.floats(-2, 2), min_size=2, max_size=2), max_size=3),
).map(lambda value: np.asarray(value, dtype=float))
NEAR["ArrayLike"] = st.one_of(
    NEAR["int"],
    NEAR["float"],
    NEAR["bool"],
    st.lists(NEAR["int"], max_size=4),
    st.lists(st.floats(), max_size=4),
    st.lists(st.lists(st.integers(0, 2), max_size=2), max_size=2),  # ragged, too
)
for kind in ("int", "float", "str", "bool"):
    NEAR[f"tuple[{kind}, ...]"] = st.lists(NEAR[kind], max_size=4).map(tuple)


def values(annotation: str) -> st.SearchStrategy | None:
    """Values for a field: mostly of its type, now and then of another; None for other types."""
    near = NEAR.get(annotation.removesuffix(" | None"))
    return None if near is None else st.one_of(near, near, near, ODD)


def damage(whole: bytes, seed: int) -> bytes:
    """A file that was cut, has bits flipped, or a piece doubled, lost or replaced."""
    random = np.random.default_rng(seed)
    content = bytearray(whole)
    for _ in range(random.integers(1, 4)):
        place = int(random.integers(0, len(content) + 1))
        length = int(random.integers(1, 40))
        match random.choice(["cut", "flip", "flip", "flip", "lose", "double", "replace"]):
            case "cut":
                del content[place:]
            case "flip":
                content[place : place + 1] = bytes(
                    byte ^ 1 << int(random.integers(8)) for byte in content[place : place + 1]
                )
            case "lose":
                del content[place : place + length]
            case "double":
                content[place:place] = content[place : place + length]
            case "replace":
                content[place : place + length] = random.bytes(length // 4)
    return bytes(content)
