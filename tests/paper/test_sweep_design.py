"""Ranges and lists of the command line become the runs that were meant, and data stay data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swta.paper.parameters import Parameter, convert_parameters
from swta.paper.sweep.design import MAX_RUNS, make_points, parse_axes, parse_axis
from swta.validation import ParameterError

TYPES = {"alpha": "float", "seed": "int", "name": "str", "flag": "bool", "sizes": "list"}
KNOWN = {name: Parameter(name, type_, None, "", "") for name, type_ in TYPES.items()}


def levels(name, text):
    return parse_axis(KNOWN[name], text).levels()


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("alpha", "0.6:1.6:11", [0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6]),
        ("alpha", "1:-1:3", [1.0, 0.0, -1.0]),
        ("alpha", "1e-3,2", [0.001, 2.0]),
        ("seed", "0:5", [0, 1, 2, 3, 4]),
        ("seed", "-2:1", [-2, -1, 0]),
        ("seed", "0:10:6", [0, 2, 4, 6, 8, 10]),
        ("seed", "9007199254740992:9007199254740996:3", [2**53, 2**53 + 2, 2**53 + 4]),
        ("seed", "7", [7]),
        ("name", "a,b", ["a", "b"]),
        ("name", r"a\,b,c", ["a,b", "c"]),
        ("name", "0:5", ["0:5"]),
        ("name", "a,", ["a", ""]),
        ("flag", "true,no", [True, False]),
        ("sizes", "[1, 2]", [[1, 2]]),
        ("sizes", "[1],[2, 3]", [[1], [2, 3]]),
    ],
)
def test_text_means_values_by_the_declared_type(name, text, expected):
    found = levels(name, text)
    assert found == expected
    assert [type(value) for value in found] == [type(value) for value in expected]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("alpha", "0:1", "needs a count, as in 0:1:11"),
        ("alpha", "0:1:x", "with a whole number as count"),
        ("alpha", "0:1:1", "count = 1 is out of range"),
        ("alpha", "1:1:3", "is empty"),
        ("alpha", "0:nan:3", "not a finite number"),
        ("alpha", "inf", "not a finite number"),
        ("alpha", "0:1:2:3", "no range of type float"),
        ("alpha", "1,1.0", "more than once"),
        ("alpha", "a,b", "not of type float"),
        ("seed", "5:0", "start must lie below stop"),
        ("seed", "0:5:3", "gives 2.5"),
        ("seed", "0.5:3", "no range of type int"),
        ("seed", "", "not of type int"),
        ("sizes", "1,2", "not of type list"),
        ("sizes", "[(1,)]", "not of type list"),
        ("sizes", "[" * 300, "not of type list"),
        ("name", "\udc80", "not valid Unicode"),
    ],
)
def test_what_means_nothing_is_refused(name, text, message):
    with pytest.raises(ParameterError, match=message):
        make_points([parse_axis(KNOWN[name], text)])


def test_bytes_in_a_list_are_refused_since_papermill_would_write_them_as_code():
    hostile = """[b'"+__import__("os").getcwd()+"']"""
    for read in (
        lambda: parse_axis(KNOWN["sizes"], hostile),
        lambda: convert_parameters(KNOWN, [("sizes", hostile)]),
    ):
        with pytest.raises(ParameterError, match="not of type list"):
            read()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back_as_it_was(text):
    coded = text.replace(",", "\\,")
    if "\\\\," not in coded and not text.endswith("\\"):
        assert levels("name", coded) == [text]


@given(st.text(max_size=30), st.sampled_from(sorted(TYPES)))
def test_no_text_does_worse_than_a_clear_error(text, name):
    try:
        axis = parse_axis(KNOWN[name], text)
        points = make_points([axis])
    except ParameterError as error:
        assert str(error)
    else:
        assert 1 <= len(points) <= MAX_RUNS


def test_a_grid_has_every_combination_once():
    axes = parse_axes(KNOWN, [("alpha", "0:1:3"), ("seed", "0:2"), ("name", "a,b")])
    points = make_points(axes)
    assert len({tuple(point.values()) for point in points}) == len(points) == 12
    assert points[1] == {"alpha": 0.0, "seed": 0, "name": "b"}, "the last varies fastest"


def test_a_latin_hypercube_has_one_value_in_every_slice_of_each_axis():
    n = 8
    axes = parse_axes(KNOWN, [("alpha", "-1:3"), ("seed", "0:8"), ("name", "a,b")])
    points = make_points(axes, "latin-hypercube", samples=n, seed=3)
    slices = np.sort(np.floor((np.array([p["alpha"] for p in points]) + 1) / 4 * n))
    assert slices.tolist() == list(range(n))
    assert sorted(p["seed"] for p in points) == list(range(n))
    assert sorted(p["name"] for p in points) == ["a"] * 4 + ["b"] * 4
    assert points == make_points(axes, "latin-hypercube", samples=n, seed=3)
    assert points != make_points(axes, "latin-hypercube", samples=n, seed=4)


@pytest.mark.parametrize(
    ("pairs", "options", "message"),
    [
        ([], {}, "nothing to sweep"),
        ([("alpah", "1")], {}, "did you mean alpha"),
        ([("seed", "1"), ("seed", "2")], {}, "given twice"),
        ([("seed", "0:1000"), ("alpha", "0:1:101")], {}, "101000 runs; allowed: at most 100000"),
        ([("seed", "0:1000000000000")], {}, "at most"),
        ([("seed", "0:2")], {"samples": 3}, "--samples = 3 belongs to"),
        ([("seed", "0:2")], {"design": "sobol"}, "allowed: grid, latin-hypercube"),
        ([("seed", "0:2")], {"design": "latin-hypercube"}, "needs --samples"),
        ([("seed", "0:2")], {"design": "latin-hypercube", "samples": 0}, "out of range"),
        ([("alpha", "0:2:5")], {"design": "latin-hypercube", "samples": 4}, "leave out the count"),
    ],
)
def test_a_sweep_that_cannot_be_meant_is_refused(pairs, options, message):
    with pytest.raises(ParameterError, match=message):
        make_points(parse_axes(KNOWN, pairs), **options)
