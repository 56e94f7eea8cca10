"""Parameters come from the chapter's own cell, and bad ones are told what would be right."""

import nbformat
import pytest

from swta.paper.parameters import (
    Parameter,
    chapter_names,
    convert_parameters,
    find_chapter,
    list_parameters,
    load_profile,
)
from swta.validation import ParameterError

CELL = """\
alpha: float = 0.9  # self-excitation, of a unit, dimensionless
n_units: int = 4  # number of units, count
name: str = "a"  # a name, text
flag: bool = True  # a switch, truth value
sizes: list = [1, 2]  # some sizes, cells
"""


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "book" / "profiles" / "smoke").mkdir(parents=True)
    cell = nbformat.v4.new_code_cell(CELL, id="p", metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "P"}
    for name in ("01_one", "02_two"):
        nbformat.write(notebook, tmp_path / "book" / f"{name}.ipynb")
    return tmp_path


@pytest.fixture
def known(checkout):
    return list_parameters(checkout / "book" / "01_one.ipynb")


def test_the_cell_is_the_help_page(known):
    assert known["alpha"] == Parameter(
        "alpha", "float", 0.9, "self-excitation, of a unit", "dimensionless"
    )
    assert list(known) == ["alpha", "n_units", "name", "flag", "sizes"]
    assert known["sizes"].default == [1, 2]


def test_a_line_that_papermill_skips_is_an_error(checkout):
    path = checkout / "book" / "01_one.ipynb"
    path.write_text(path.read_text().replace("a switch", "a switch; 1 = on"))
    with pytest.raises(ValueError, match="cannot read the parameters flag"):
        list_parameters(path)


def test_text_is_converted_by_annotation(known):
    pairs = [
        ("alpha", "-1.5e-1"),
        ("n_units", "7"),
        ("name", "3"),
        ("flag", "false"),
        ("sizes", "[3]"),
    ]
    values = convert_parameters(known, pairs)
    assert values == {"alpha": -0.15, "n_units": 7, "name": "3", "flag": False, "sizes": [3]}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("alpha", "fast"),
        ("n_units", "2.5"),
        ("flag", "maybe"),
        ("sizes", "3"),
        ("sizes", "[1"),
        ("sizes", "f("),
    ],
)
def test_the_wrong_type_is_refused(known, name, text):
    with pytest.raises(ParameterError, match=f"{name} = .* is not of type"):
        convert_parameters(known, [(name, text)])


def test_an_unknown_name_gets_the_nearest(known):
    with pytest.raises(ParameterError, match="unknown parameter 'alpah'; did you mean alpha"):
        convert_parameters(known, [("alpah", "1.2")])
    with pytest.raises(ParameterError, match=r"unknown parameter 'zzz' \(parameters: alpha"):
        convert_parameters(known, [("zzz", "1.2")])


def test_a_name_given_twice_is_refused(known):
    with pytest.raises(ParameterError, match="twice"):
        convert_parameters(known, [("alpha", "1"), ("alpha", "2")])


@pytest.mark.parametrize("name", ["02_two", "2", "02", "book/02_two.ipynb", "02_two.md"])
def test_a_chapter_is_found_by_name_number_or_path(checkout, name):
    assert find_chapter(checkout, name) == checkout / "book" / "02_two.ipynb"


def test_an_unknown_chapter_gets_the_nearest(checkout):
    with pytest.raises(ParameterError, match="did you mean '02_two'"):
        find_chapter(checkout, "02_tow")
    assert chapter_names(checkout) == ["01_one", "02_two"]


def test_profiles_set_values(checkout):
    notebook = checkout / "book" / "01_one.ipynb"
    path = checkout / "book" / "profiles" / "smoke" / "01_one.yaml"
    assert load_profile(checkout, "laptop", notebook) == {}
    assert load_profile(checkout, "smoke", notebook) == {}
    path.write_text("alpha: 1\nn_units: 2\n")
    values = load_profile(checkout, "smoke", notebook)
    assert values == {"alpha": 1.0, "n_units": 2} and isinstance(values["alpha"], float)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alpah: 1", r"sets unknown \['alpah'\]"),
        ("alpha: 1e-4", "not of type float"),  # YAML 1.1 reads this as a text
        ("flag: 1", "not of type bool"),
        ("n_units: true", "not of type int"),
        ("- 1", "must map"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_bad_profile_is_refused(checkout, text, message):
    (checkout / "book" / "profiles" / "smoke" / "01_one.yaml").write_text(text)
    with pytest.raises(ParameterError, match=message):
        load_profile(checkout, "smoke", checkout / "book" / "01_one.ipynb")


def test_an_unknown_profile_is_refused(checkout):
    with pytest.raises(ParameterError, match="profiles: laptop, smoke"):
        load_profile(checkout, "tiny", checkout / "book" / "01_one.ipynb")
