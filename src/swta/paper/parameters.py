"""The parameters of a chapter: listed from its notebook, and read from the command line."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import nbformat
import papermill
import yaml

from swta.paper.paths import literal_path
from swta.validation import ParameterError

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell: ``name: type = default  # help, unit``."""

    name: str
    type: str
    default: Any
    help: str
    unit: str

    def convert(self, text: str) -> Any:
        """``text`` from the command line as the declared type.

        Raises:
            ParameterError: not a value of that type; the library checks ranges later.
        """
        try:
            match self.type:
                case "int":
                    return int(text)
                case "float":
                    return float(text)
                case "bool":
                    return _TRUTH[text.strip().lower()]
                case "str":
                    return text
                case _:
                    value = ast.literal_eval(text)
        except (ValueError, SyntaxError, KeyError, MemoryError, RecursionError) as error:
            raise ParameterError(f"{self.name} = {text!r} is not of type {self.type}") from error
        return self.check_type(value)

    def check_type(self, value: Any) -> Any:
        """``value`` from a profile file, if it has the declared type.

        Raises:
            ParameterError: another type.
        """
        base = self.type.split("[")[0]
        fits = {
            "int": isinstance(value, int) and not isinstance(value, bool),
            "float": isinstance(value, (int, float)) and not isinstance(value, bool),
            "bool": isinstance(value, bool),
            "str": isinstance(value, str),
            "list": isinstance(value, list) and _is_plain(value),
        }
        if not fits.get(base, False):
            raise ParameterError(f"{self.name} = {value!r} is not of type {self.type}")
        return float(value) if base == "float" else value


def _is_plain(value: Any) -> bool:
    """Whether papermill writes ``value`` as data; it would write other objects as raw code."""
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    return value is None or type(value) in (bool, int, float, str)


def chapter_names(root: Path) -> list[str]:
    """All chapters of the book with code, in order."""
    return sorted(path.stem for path in (root / "book").glob("[0-9][0-9]_*.ipynb"))


def find_chapter(root: Path, name: str) -> Path:
    """The notebook of a chapter given by name, by number (``2``) or by path.

    Raises:
        ParameterError: no such chapter; the message names the nearest.
    """
    names = chapter_names(root)
    stem = Path(name).stem
    if stem.isdigit():
        stem = next((known for known in names if int(known[:2]) == int(stem)), stem)
    if stem not in names:
        near = get_close_matches(stem, names, n=1, cutoff=0.3)
        guess = f"; did you mean {near[0]!r}?" if near else ""
        raise ParameterError(f"there is no chapter {name!r}{guess} (chapters: {', '.join(names)})")
    return root / "book" / f"{stem}.ipynb"


def list_parameters(notebook: Path) -> dict[str, Parameter]:
    """The parameters of a chapter's notebook, by name, in the order of the cell.

    Raises:
        ValueError: papermill cannot read a line of the parameters cell, or the notebook.
    """
    try:
        inspected = papermill.inspect_notebook(literal_path(notebook))
        _check_all_read(notebook, set(inspected))
        return {name: _parse_parameter(name, entry) for name, entry in inspected.items()}
    except Exception as error:  # of papermill, nbformat, json and ast
        if notebook.name in str(error) or isinstance(error, OSError):
            raise
        raise ValueError(
            f"{notebook.name}: its parameters cannot be read ({type(error).__name__}: {error}); "
            "restore the notebook, or delete it and make it from its text with jupytext"
        ) from error


def _parse_parameter(name: str, entry: Mapping[str, Any]) -> Parameter:
    description, _, unit = entry["help"].rpartition(",")
    if not description:
        description, unit = entry["help"], ""
    return Parameter(
        name=name,
        type=entry["inferred_type_name"],
        default=ast.literal_eval(entry["default"]),
        help=description.strip(),
        unit=unit.strip(),
    )


def _check_all_read(notebook: Path, inspected: set[str]) -> None:
    """papermill skips lines it cannot parse; here that is an error."""
    for cell in nbformat.read(notebook, as_version=4).cells:
        if "parameters" in cell.metadata.get("tags", []):
            lines = [n for n in ast.parse(cell.source).body if isinstance(n, ast.AnnAssign)]
            lost = [ast.unparse(n.target) for n in lines if ast.unparse(n.target) not in inspected]
            if lost:
                raise ValueError(
                    f"{notebook.name}: papermill cannot read the parameters {', '.join(lost)}; "
                    "write each on one line, without an equals sign in the comment"
                )


def check_known(known: Mapping[str, Parameter], name: str) -> Parameter:
    """The parameter called ``name``.

    Raises:
        ParameterError: there is none; the message gives the nearest names.
    """
    if name not in known:
        near = get_close_matches(name, known, n=3, cutoff=0.5)
        guess = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ParameterError(f"unknown parameter {name!r}{guess} (parameters: {', '.join(known)})")
    return known[name]


def convert_parameters(
    known: Mapping[str, Parameter], pairs: Iterable[tuple[str, str]]
) -> dict[str, Any]:
    """Name–text pairs of the command line as typed values.

    Raises:
        ParameterError: an unknown name (with the nearest valid ones), a name given twice, or a
            value of the wrong type.
    """
    values: dict[str, Any] = {}
    for name, text in pairs:
        parameter = check_known(known, name)
        if name in values:
            raise ParameterError(f"parameter {name!r} is given twice")
        values[name] = parameter.convert(text)
    return values


def load_profile(root: Path, profile: str, notebook: Path) -> dict[str, Any]:
    """The values that a profile sets for a chapter; ``laptop`` is the chapter's own defaults.

    Raises:
        ParameterError: unknown profile, or a file that names unknown parameters or wrong types.
    """
    if profile == "laptop":
        return {}
    profiles = sorted(path.name for path in (root / "book" / "profiles").glob("*/"))
    if profile not in profiles:
        raise ParameterError(
            f"there is no profile {profile!r} (profiles: {', '.join(['laptop', *profiles])})"
        )
    path = root / "book" / "profiles" / profile / f"{notebook.stem}.yaml"
    if not path.is_file():
        return {}
    try:
        values = yaml.safe_load(path.read_text(encoding="utf8")) or {}
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ParameterError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise ParameterError(
            f"{path} must map parameter names to values, found {type(values).__name__}"
        )
    known = list_parameters(notebook)
    unknown = [name for name in values if name not in known]
    if unknown:
        raise ParameterError(f"{path} sets unknown {unknown} (parameters: {', '.join(known)})")
    return {name: known[name].check_type(value) for name, value in values.items()}
