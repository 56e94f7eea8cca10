"""A record is stored whole, reads back equal, and refuses what is no number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swta.paper.record import Record, Reported, plain, write_atomically

numbers = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**60), 2**60))


@given(st.dictionaries(st.text(min_size=1), numbers, max_size=5))
def test_what_is_written_reads_back(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("records")
    record = Record("01_x", {name: Reported(value, n=3) for name, value in values.items()})
    assert Record.read(record.write(folder)) == record


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"chapter": "x"}', '{"chapter": 1, "reports": {"a": 2}}']
)
def test_a_damaged_record_says_so(tmp_path, text):
    path = tmp_path / "01_x.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="delete it and run the chapter again"):
        Record.read(path)


def test_numpy_scalars_become_plain():
    assert type(plain(np.float64(1.5), name="x")) is float
    assert type(plain(np.int32(2), name="x")) is int
    assert plain(np.bool_(True), name="x") is True


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float32("nan")])
def test_not_finite_cannot_be_reported(value):
    with pytest.raises(ValueError, match="not a finite number"):
        plain(value, name="x")


@pytest.mark.parametrize("value", [[1], None, np.arange(3), {}])
def test_only_scalars_are_reported(value):
    with pytest.raises(TypeError, match="report a number"):
        plain(value, name="x")


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    write_atomically(path, "old")
    monkeypatch.setattr("os.replace", _raise)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def _raise(*_):
    raise OSError("disk full")
