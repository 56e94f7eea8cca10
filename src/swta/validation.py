"""Errors for bad input: what was wrong, the value, what is allowed, and what to do."""

from __future__ import annotations

import math
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray


class ParameterError(ValueError):
    """A parameter outside what the model allows; the message names it, its value and the range."""


def check_real(
    name: str,
    value: float,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    open_low: bool = False,
    open_high: bool = False,
    unit: str = "",
    hint: str = "",
) -> float:
    """Return ``value`` as a finite float inside the interval from ``low`` to ``high``.

    Args:
        name: the parameter's name as the user writes it.
        value: the number to check.
        low, high: the bounds, in ``unit``; ``open_low``, ``open_high`` leave the bound itself out.
        unit: appended to the printed range.
        hint: what to do about it, one sentence.

    Raises:
        ParameterError: not a number, not finite, or outside the interval.
    """
    brackets = ("(" if open_low or low == -math.inf else "[") + f"{low:g}, {high:g}"
    brackets += ")" if open_high or high == math.inf else "]"
    allowed = f"allowed: {brackets}{' ' + unit if unit else ''}"
    tail = f". {hint}" if hint else ""
    if isinstance(value, bool) or (
        not isinstance(value, (int, float)) and not hasattr(value, "__float__")
    ):
        raise ParameterError(f"{name} = {value!r} is not a number; {allowed}{tail}")
    number = float(value)
    below = number <= low if open_low else number < low
    above = number >= high if open_high else number > high
    if not math.isfinite(number) or below or above:
        raise ParameterError(f"{name} = {number:g} is out of range; {allowed}{tail}")
    return number


def check_integer(
    name: str, value: int, *, low: int | None = None, high: int | None = None, hint: str = ""
) -> int:
    """Return ``value`` as an int between ``low`` and ``high``, both included.

    Raises:
        ParameterError: not a whole number, or outside the bounds.
    """
    bounds = f"{'-∞' if low is None else low} … {'∞' if high is None else high}"
    tail = f". {hint}" if hint else ""
    whole = not isinstance(value, bool) and hasattr(value, "__index__")
    if not whole:
        raise ParameterError(f"{name} = {value!r} is not a whole number; allowed: {bounds}{tail}")
    number = int(value)
    if (low is not None and number < low) or (high is not None and number > high):
        raise ParameterError(f"{name} = {number} is out of range; allowed: {bounds}{tail}")
    return number


def check_choice(name: str, value: str, choices: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``choices``; otherwise name the nearest of them.

    Raises:
        ParameterError: not one of the choices.
    """
    choices = list(choices)
    if value not in choices:
        near = get_close_matches(str(value), [c for c in choices if isinstance(c, str)], n=1)
        guess = f"; did you mean {near[0]!r}?" if near else ""
        allowed = ", ".join(map(str, choices))
        raise ParameterError(f"{name} = {value!r} is unknown; allowed: {allowed}{guess}")
    return value


def check_tuple(name: str, value: Any) -> tuple[Any, ...]:
    """Return ``value`` as a tuple if it is a list, a tuple or a row of an array.

    Raises:
        ParameterError: a single value, a text, or anything else.
    """
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1):
        return tuple(value)
    raise ParameterError(f"{name} = {value!r} is not a list of values; allowed: a list or a tuple")


def check_names(name: str, value: Any) -> tuple[str, ...]:
    """Return ``value`` as a tuple if it is a list or tuple of texts.

    Raises:
        ParameterError: anything else.
    """
    names = check_tuple(name, value)
    for each in names:
        if not isinstance(each, str):
            raise ParameterError(f"{name} = {value!r} holds {each!r}; allowed: texts")
    return names


def check_numbers(name: str, value: Any) -> NDArray[np.float64]:
    """Return ``value`` as an array of finite numbers, of any shape.

    Raises:
        ParameterError: ragged rows, values that are no numbers, or that are not finite.
    """
    try:
        array = np.asarray(value)
        numbers = array.astype(np.float64) if array.dtype.kind in "biuf" else None
    except ValueError:  # rows of different lengths
        numbers = None
    if numbers is None:
        raise ParameterError(
            f"{name} = {value!r} is not an array of numbers; allowed: numbers in rows of one length"
        )
    if not np.isfinite(numbers).all():
        raise ParameterError(f"{name} has values that are not finite; allowed: finite numbers")
    return numbers
