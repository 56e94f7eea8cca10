"""What a sweep varies: ranges and lists of the command line, as a grid or a Latin hypercube."""

from __future__ import annotations

import ast
import itertools
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from swta.paper.parameters import Parameter, check_known
from swta.validation import ParameterError, check_choice, check_integer

GRID, LATIN_HYPERCUBE = "grid", "latin-hypercube"
MAX_RUNS = 100_000

_DIGITS = 12  # of a swept number: 0.7, not 0.7000000000000001
_COMMA = re.compile(r"(?<!\\),")


@dataclass(frozen=True)
class Axis:
    """One swept parameter: listed values, or a span of numbers.

    A span of whole numbers given as ``start:stop`` leaves out ``stop``, as Python's ``range`` does;
    ``start:stop:count`` gives ``count`` evenly spaced values with both ends.
    """

    parameter: Parameter
    values: tuple[Any, ...] = ()
    low: float = 0
    high: float = 0
    count: int | None = None
    span: bool = False

    @property
    def name(self) -> str:
        """The parameter's name."""
        return self.parameter.name

    @property
    def size(self) -> int:
        """Number of values in a grid.

        Raises:
            ParameterError: a span of real numbers without a count.
        """
        if not self.span:
            return len(self.values)
        if self.count is not None:
            return self.count
        if self.parameter.type == "int":
            return int(self.high) - int(self.low)
        raise ParameterError(
            f"{self.name} = {self.low:g}:{self.high:g} needs a count, as in "
            f"{self.low:g}:{self.high:g}:11, or --design {LATIN_HYPERCUBE}"
        )

    def levels(self) -> list[Any]:
        """The values of a grid, in order.

        Raises:
            ParameterError: evenly spaced values of a whole-number parameter that are not whole.
        """
        if not self.span:
            return list(self.values)
        if self.count is None:
            return list(range(int(self.low), int(self.low) + self.size))
        if self.parameter.type != "int":
            return [_rounded(x) for x in np.linspace(self.low, self.high, self.count)]
        step, rest = divmod(int(self.high) - int(self.low), self.count - 1)
        if rest:
            raise ParameterError(
                f"{self.name} is a whole number, but {self.low}:{self.high}:{self.count} gives "
                f"{self.low + (self.high - self.low) / (self.count - 1):g}; choose another count"
            )
        return [int(self.low) + i * step for i in range(self.count)]

    def at(self, shares: np.ndarray) -> list[Any]:
        """The values at shares of the way (0 to 1) through the axis, shape (n,).

        Raises:
            ParameterError: a count, which a Latin hypercube does not use.
        """
        if not self.span:
            return [self.values[int(x * len(self.values))] for x in shares]
        if self.count is not None:
            raise ParameterError(
                f"{self.name}: leave out the count; with --design {LATIN_HYPERCUBE} the number of "
                "values is --samples"
            )
        if self.parameter.type == "int":
            return [int(self.low) + int(x * (int(self.high) - int(self.low))) for x in shares]
        return [_rounded(self.low + x * (self.high - self.low)) for x in shares]


def parse_axis(parameter: Parameter, text: str) -> Axis:
    """Read ``start:stop``, ``start:stop:count`` or ``a,b,c`` by the parameter's declared type.

    Commas separate values; ``\\,`` is a comma inside a text. Lists are separated by the commas
    between their brackets. Everything else in a text stands for itself: colons, quotes, braces.

    Raises:
        ParameterError: values of the wrong type, an empty or upside-down range, a repeated value.
    """
    if parameter.type in {"int", "float"} and ":" in text:
        return _parse_span(parameter, text)
    values = [_finite(parameter, value) for value in _split(parameter, text)]
    seen = Counter(repr(value) for value in values)
    repeated = [each for each, times in seen.items() if times > 1]
    if repeated:
        raise ParameterError(f"{parameter.name} has the value {repeated[0]} more than once")
    return Axis(parameter, tuple(values))


def _parse_span(parameter: Parameter, text: str) -> Axis:
    shape = "start:stop:count" if parameter.type == "float" else "start:stop or start:stop:count"
    allowed = f"{parameter.name} = {text!r} is no range of type {parameter.type}; give {shape}"
    ends, count = text.split(":"), None
    if len(ends) == 3:
        try:
            count = int(ends.pop())
        except ValueError:
            raise ParameterError(f"{allowed}, with a whole number as count") from None
        check_integer(f"{parameter.name}: count", count, low=2, high=MAX_RUNS)
    if len(ends) != 2:
        raise ParameterError(allowed)
    try:
        low, high = (_finite(parameter, parameter.convert(end)) for end in ends)
    except ParameterError as error:
        raise ParameterError(f"{allowed} ({error})") from None
    if low == high or (low > high and (count is None or parameter.type == "int")):
        raise ParameterError(f"{parameter.name} = {text!r} is empty: start must lie below stop")
    return Axis(parameter, low=low, high=high, count=count, span=True)


def _split(parameter: Parameter, text: str) -> list[Any]:
    if parameter.type in {"int", "float", "bool", "str"}:
        parts = [part.replace("\\,", ",") for part in _COMMA.split(text)]
        return [parameter.convert(part) for part in parts]
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise ParameterError(
            f"{parameter.name} = {text!r} is not of type {parameter.type}"
        ) from error
    values = list(value) if isinstance(value, tuple) else [value]
    return [parameter.check_type(each) for each in values]


def _finite(parameter: Parameter, value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise ParameterError(f"{parameter.name} = {value} cannot be swept: not a finite number")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ParameterError(f"{parameter.name} = {value!r} is not valid Unicode") from None
    return value


def _rounded(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")


def parse_axes(known: Mapping[str, Parameter], pairs: Sequence[tuple[str, str]]) -> list[Axis]:
    """The axes of a sweep from the name–text pairs of the command line.

    Raises:
        ParameterError: no axis, an unknown or repeated name, or bad values.
    """
    if not pairs:
        raise ParameterError("nothing to sweep: give at least one -p NAME VALUES")
    axes = [parse_axis(check_known(known, name), text) for name, text in pairs]
    names = [axis.name for axis in axes]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ParameterError(f"parameter {twice[0]!r} is given twice")
    return axes


def make_points(
    axes: Sequence[Axis], design: str = GRID, *, samples: int | None = None, seed: int = 0
) -> list[dict[str, Any]]:
    """The values of the swept parameters for every run.

    Args:
        axes: what is swept; in a grid the last axis varies fastest.
        design: ``grid`` or ``latin-hypercube`` (McKay et al. 1979, by `scipy.stats.qmc`).
        samples: number of runs of a Latin hypercube, count.
        seed: of the random numbers of a Latin hypercube.

    Raises:
        ParameterError: a size beyond `MAX_RUNS`, or settings that the design does not use.
    """
    check_choice("--design", design, [GRID, LATIN_HYPERCUBE])
    names = [axis.name for axis in axes]
    if design == LATIN_HYPERCUBE:
        if samples is None:
            raise ParameterError(f"--design {LATIN_HYPERCUBE} needs --samples, the number of runs")
        check_integer("--samples", samples, low=1, high=MAX_RUNS)
        from scipy.stats import qmc  # slow to import, and the command line starts with this module

        shares = qmc.LatinHypercube(len(axes), rng=np.random.default_rng(seed)).random(samples)
        columns = [axis.at(shares[:, i]) for i, axis in enumerate(axes)]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    if samples is not None:
        raise ParameterError(f"--samples = {samples} belongs to --design {LATIN_HYPERCUBE}")
    runs = math.prod(axis.size for axis in axes)
    if runs > MAX_RUNS:
        raise ParameterError(f"the grid has {runs} runs; allowed: at most {MAX_RUNS}")
    grid = itertools.product(*(axis.levels() for axis in axes))
    return [dict(zip(names, row, strict=True)) for row in grid]
