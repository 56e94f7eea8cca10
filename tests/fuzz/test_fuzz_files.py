"""Files that were cut, bit-flipped or edited by a clumsy hand are read, or refused in words."""

import functools
import gzip
import importlib
import io
import json
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from made_up import ODD, damage, fuzzed

from swta import data
from swta.data.digits import read_idx
from swta.data.physiology import load_trace
from swta.data.physiology_tables.reading import TableError
from swta.data.unpack import unpack
from swta.paper.claims import judge_claims, load_claims, render_claims
from swta.paper.pairs import _content
from swta.paper.parameters import convert_parameters, list_parameters, load_profile
from swta.paper.record import Record, Reported
from swta.paper.sweep.design import make_points, parse_axes
from swta.paper.sweep.store import StoredRun
from swta.truenorth import Core, Neurons, load_model, load_spikes, save_model, save_spikes
from swta.validation import ParameterError

pytestmark = pytest.mark.fuzz

ROOT = Path(__file__).parents[2]
read_table = importlib.import_module("swta.data.physiology_tables.reading").read_table
SCHEMAS = importlib.import_module("swta.data.physiology_tables.schemas").SCHEMAS


def made(folder: Path) -> dict[str, Path]:
    """A whole file of each kind."""
    random = np.random.default_rng(0)
    core = Core(
        random.integers(0, 4, 256), random.random((256, 256)) < 0.1, Neurons(weights=[1, 2, -3, 4])
    )
    save_model(folder / "model", [core])
    save_spikes(folder / "spikes", [(1, 0, 3), (2, 0, 255)])
    (folder / "idx").write_bytes(
        gzip.compress(
            b"\0\0\x08\x03" + np.array([2, 3, 3], ">u4").tobytes() + bytes(range(18)), 6, mtime=0
        )
    )
    shutil.copy(ROOT / "src/swta/data/bundled_tables/class_statistics.csv", folder / "table")
    (folder / "traces").mkdir()
    numbers = dict(dt_ms=0.1, t_on_ms=1.0, t_off_ms=2.0, specimen_id=1, sweep_number=2)
    np.savez(folder / "trace.npz", v_mV=np.zeros(9), i_pA=np.ones(9), **numbers)
    with zipfile.ZipFile(folder / "zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.txt", "text " * 20)
        archive.writestr("c.txt", "more " * 20)
    with tarfile.open(folder / "tar", "w:gz") as tar:
        member = tarfile.TarInfo("a/b.txt")
        member.size = 100
        tar.addfile(member, io.BytesIO(b"text " * 20))
    record = Record("01_one", {"x": Reported(1.0, 0.5, 2.0, 3, "mV")}, {"C1": "x"}, ["one"])
    record.write(folder)
    (folder / "01_one.json").rename(folder / "record")
    (folder / "claims").write_text((ROOT / "book/claims.yaml").read_text())
    (folder / "profile").write_text((ROOT / "book/profiles/smoke/02_soft_wta.yaml").read_text())
    shutil.copy(ROOT / "book/02_soft_wta.ipynb", folder / "notebook")
    (folder / "run").write_text(
        json.dumps(dict(key="k", status="failed", parameters={}, notebook="01_one.ipynb"))
    )
    return {path.name: path for path in folder.iterdir() if path.is_file()}


@functools.cache
def whole(kind: str) -> bytes:
    """The whole file of a kind."""
    with tempfile.TemporaryDirectory() as folder:
        return made(Path(folder))[kind].read_bytes()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder for the damaged file, with a book round it."""
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "book" / "profiles" / "odd").mkdir(parents=True)
    shutil.copy(ROOT / "book/02_soft_wta.ipynb", folder / "book")
    return folder


def read_claims(path):
    for finding in judge_claims(load_claims(path), path.parent):
        assert finding.verdict
    render_claims(judge_claims(load_claims(path), path.parent))


def read_profile(path):
    folder = path.parent / "book"
    shutil.copy(path, folder / "profiles" / "odd" / "02_soft_wta.yaml")
    return load_profile(path.parent, "odd", folder / "02_soft_wta.ipynb")


def read_notebook(path):
    target = path.with_suffix(".ipynb")
    shutil.copy(path, target)
    _content(target)  # None for one that cannot be read
    return list_parameters(target)


def read_trace(path):
    (path.parent / "traces").mkdir(exist_ok=True)
    shutil.copy(path, path.parent / "traces" / "odd.npz")
    return load_trace("odd", folder=path.parent)


def read_run(path):
    shutil.copy(path, path.parent / "run.json")
    StoredRun.read(path.parent)  # None for a damaged one


READERS = {  # how each kind is read, and how it is refused
    "model": (load_model, ParameterError),
    "spikes": (load_spikes, ParameterError),
    "idx": (read_idx, data.DataCorrupt),
    "table": (lambda path: read_table(path, SCHEMAS["class_summary"]), TableError),
    "trace.npz": (read_trace, TableError),
    "zip": (lambda path: unpack(path, path.parent / "out"), data.DataCorrupt),
    "tar": (lambda path: unpack(path, path.parent / "out"), data.DataCorrupt),
    "record": (Record.read, ValueError),
    "run": (read_run, ()),
    "claims": (read_claims, ValueError),
    "profile": (read_profile, ParameterError),
    "notebook": (read_notebook, ValueError),
}


def check(kind, content, place):
    """Read a damaged file: it is well, or refused with its name."""
    read, refusal = READERS[kind]
    path = place / kind
    path.write_bytes(content)
    shutil.rmtree(place / "out", ignore_errors=True)
    try:
        read(path)
    except refusal as error:
        assert type(error) is not UnicodeDecodeError, "say which file"
        assert len(str(error)) > 15, "say what was wrong"
    assert not (place.parent / "escaped").exists()


@pytest.mark.parametrize("kind", READERS)
@fuzzed
@given(seed=st.integers(0, 2**62))
def test_a_damaged_file_is_refused_in_words(place, kind, seed):
    check(kind, damage(whole(kind), seed), place)


CLAIM = st.dictionaries(
    st.sampled_from(
        ["id", "claim", "chapter", "quantity", "measures", "above", "below", "unit", "min_n",
         "figure", "more"]
    ),
    ODD.filter(lambda value: not isinstance(value, complex)),
    max_size=6,
)  # fmt: skip


@fuzzed
@given(st.lists(CLAIM.map(lambda entry: {"id": "C1", "claim": "so", **entry}), max_size=2) | CLAIM)
def test_claims_of_any_types(place, entries):
    try:
        content = yaml.safe_dump(entries, allow_unicode=True).encode()
    except (yaml.YAMLError, UnicodeError):
        return
    check("claims", content, place)


@pytest.mark.parametrize("kind", ["claims", "profile"])
@pytest.mark.parametrize(
    "text",
    ["[" * 3000, "{a: " * 3000, "&a [*a]", "!!python/object/apply:os.getcwd []", "a: \x00", "",
     "? [1]\n: 2", "2024-13-45", "- !!binary x", "\ud800".encode("utf8", "surrogatepass")],
)  # fmt: skip
def test_hostile_yaml(place, kind, text):
    """Nested to death, pointing at itself, with objects of Python's own, or no text at all."""
    check(kind, text if isinstance(text, bytes) else text.encode(), place)


NAMES = st.sampled_from(["alpha", "seed", "n_units", "beta1", "nonsense", ""])


@fuzzed
@given(pairs=st.lists(st.tuples(NAMES, st.text(max_size=12)), max_size=3))
def test_values_of_the_command_line(pairs):
    known = list_parameters(ROOT / "book" / "02_soft_wta.ipynb")
    try:
        values = convert_parameters(known, pairs)
    except ParameterError as error:
        assert len(str(error)) > 15
    else:
        assert set(values) <= set(known)


RANGE = st.from_regex(r"-?[0-9.e]{0,5}(:-?[0-9.e]{0,5}){0,3}", fullmatch=True) | st.text(max_size=9)


@fuzzed
@given(pairs=st.lists(st.tuples(NAMES, RANGE), max_size=2))
def test_ranges_of_a_sweep(pairs):
    known = list_parameters(ROOT / "book" / "02_soft_wta.ipynb")
    try:
        points = make_points(parse_axes(known, pairs))
    except ParameterError as error:
        assert len(str(error)) > 15
    else:
        assert points and all(len(point) == len(pairs) for point in points)


@fuzzed
@given(source=st.text(max_size=60) | st.from_regex(r"[a-z]{1,3}: (int|list|x) = [^\n]{0,9}"))
def test_parameters_cells(place, source):
    """A parameters cell of any text is listed or refused."""
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]}, id="c")
    path = place / "odd.ipynb"
    try:
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    except UnicodeEncodeError:
        return
    try:
        list_parameters(path)
    except ValueError as error:
        assert "odd.ipynb" in str(error)
