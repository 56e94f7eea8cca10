"""Profiles name real parameters with values of the declared type; parameters say what they are."""

from pathlib import Path

import pytest

from swta.paper.parameters import chapter_names, list_parameters, load_profile

ROOT = Path(__file__).parents[1]
PROFILES = sorted(ROOT.glob("book/profiles/*/*.yaml"))


@pytest.mark.parametrize("path", PROFILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_profile_names_real_parameters(path):
    assert path.stem in chapter_names(ROOT)
    values = load_profile(ROOT, path.parent.name, ROOT / "book" / f"{path.stem}.ipynb")
    assert values, "an empty profile: delete the file"


@pytest.mark.parametrize("chapter", chapter_names(ROOT))
def test_every_parameter_has_help_and_unit(chapter):
    parameters = list_parameters(ROOT / "book" / f"{chapter}.ipynb")
    assert parameters, "no cell is tagged `parameters`"
    for parameter in parameters.values():
        assert parameter.help, f"{parameter.name}: say what it is"
        assert parameter.unit, f"{parameter.name}: end the comment with `, unit`"
        assert parameter.type in {"int", "float", "bool", "str", "list"}, parameter
