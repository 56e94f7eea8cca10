"""Reading IBM's JSON-like text: comments, a key that comes once per core, run-length lists.

Nothing is ever evaluated. Whatever is wrong ends in a ``ParameterError`` that names the place.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NoReturn

from swta.validation import ParameterError, check_integer

_COMMENT: Final = re.compile(r'("(?:[^"\\\n]|\\.)*")|/\*.*?\*/|//[^\n]*', re.DOTALL)
_REPEAT: Final = re.compile(r"(-?\d{1,9})x(\d{1,9})")
_RANGE: Final = re.compile(r"(-?\d{1,9}):(-?\d{1,9})")
_SINGLE: Final = re.compile(r"-?\d{1,9}")


class Fields:
    """An object of the file: its keys and values in order, a key perhaps more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs

    def check(
        self, where: str, *, required: Iterable[str], optional: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Return the values by key.

        Raises:
            ParameterError: an unknown key, a missing one, or one that comes twice.
        """
        required, optional = list(required), list(optional)
        found: dict[str, Any] = {}
        for key, value in self.pairs:
            if key not in required and key not in optional:
                raise ParameterError(
                    f"{where}: field {key!r} is unknown; allowed: {', '.join(required + optional)}"
                )
            if key in found:
                raise ParameterError(f"{where}: field {key!r} comes twice; keep one of them")
            found[key] = value
        for key in required:
            if key not in found:
                raise ParameterError(f"{where}: field {key!r} is missing")
        return found


def read_text(path: str | Path) -> str:
    """Return a file's text.

    Raises:
        ParameterError: there is no such file, or it is not text.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path} cannot be read as text: {error}") from None


def write_text(path: str | Path, text: str) -> None:
    """Write a file under another name first, so that a broken run leaves no half file."""
    target = Path(path)
    part = target.with_name(target.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, target)


def parse(text: str, where: str, *, first_line: int = 1) -> Any:
    """Return the content of JSON text with comments; objects become ``Fields``.

    Raises:
        ParameterError: not JSON; the message names line and column.
    """
    try:
        return json.loads(
            _COMMENT.sub(_blank, text), object_pairs_hook=Fields, parse_constant=_refuse
        )
    except json.JSONDecodeError as error:
        raise ParameterError(
            f"{where}, line {error.lineno + first_line - 1}, column {error.colno}: {error.msg}"
        ) from None
    except RecursionError:
        raise ParameterError(f"{where}: nested too deeply to be a model") from None
    except ValueError as error:  # a whole number of thousands of digits, or NaN
        raise ParameterError(f"{where}: {error}") from None


def as_fields(value: Any, where: str) -> Fields:
    """Return ``value`` if it is an object."""
    if not isinstance(value, Fields):
        raise ParameterError(f"{where} = {_short(value)} is not an object {{...}}")
    return value


def as_list(value: Any, where: str) -> list[Any]:
    """Return ``value`` if it is a list."""
    if not isinstance(value, list):
        raise ParameterError(f"{where} = {_short(value)} is not a list [...]")
    return value


def as_text(value: Any, where: str) -> str:
    """Return ``value`` if it is a string."""
    if not isinstance(value, str):
        raise ParameterError(f"{where} = {_short(value)} is not a string")
    return value


def as_flag(value: Any, where: str) -> bool:
    """Return ``value`` as a truth value; true, false, 0 and 1 are allowed."""
    if value is True or value is False:
        return bool(value)
    return bool(check_integer(where, value, low=0, high=1))


def expand(value: Any, n: int, where: str) -> list[int]:
    """Return the ``n`` numbers of a run-length list such as ["1x128", "128:255"].

    Raises:
        ParameterError: another form, or more or fewer numbers than ``n``.
    """
    numbers: list[int] = []
    for item in as_list(value, where):
        if isinstance(item, int) and not isinstance(item, bool):
            item = str(item)
        text = as_text(item, where)
        if match := _REPEAT.fullmatch(text):
            number, times = map(int, match.groups())
            run = range(number, number + 1)
            length = times
        elif match := _RANGE.fullmatch(text):
            first, last = map(int, match.groups())
            run, times = range(first, last + 1), 1
            length = len(run)
        elif _SINGLE.fullmatch(text):
            run, times, length = range(int(text), int(text) + 1), 1, 1
        else:
            raise ParameterError(
                f"{where}: {_short(text)} is not a number, a repetition like '1x128' or a range "
                "like '128:255'"
            )
        if length == 0 or len(numbers) + length > n:
            raise ParameterError(
                f"{where}: {text!r} makes {len(numbers) + length} numbers; allowed: {n} in all"
            )
        numbers += list(run) * times
    if len(numbers) != n:
        raise ParameterError(f"{where} holds {len(numbers)} numbers; allowed: {n}")
    return numbers


def compress(numbers: Iterable[int]) -> list[str]:
    """Return the run-length list of numbers: repetitions and ranges, as ``expand`` reads them."""
    values = [int(number) for number in numbers]
    runs: list[str] = []
    start = 0
    while start < len(values):
        for step in (0, 1):
            stop = start + 1
            while stop < len(values) and values[stop] - values[stop - 1] == step:
                stop += 1
            if stop - start > 1 or step == 1:
                break
        first, last = values[start], values[stop - 1]
        runs.append(f"{first}:{last}" if step and stop - start > 1 else f"{first}x{stop - start}")
        start = stop
    return runs


def _blank(match: re.Match[str]) -> str:
    """Keep strings; replace a comment by its line ends, so that lines keep their numbers."""
    return match.group(1) or "\n" * match.group(0).count("\n") or " "


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of the model")


def _short(value: Any) -> str:
    if isinstance(value, Fields):
        return "{...}"
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
