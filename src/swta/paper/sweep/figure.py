"""The summary figure of a sweep: what was reported against what was swept."""

from __future__ import annotations

import io
import textwrap
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.typing import LineStyleType

from swta.paper.sweep.design import GRID
from swta.paper.sweep.plan import Plan
from swta.paper.sweep.store import DONE
from swta.paper.sweep.table import PARAMETER, REPORTED, RUN, SweepTable

MOST_PANELS, MOST_LEVELS = 6, 7
LINES: tuple[LineStyleType, ...] = ("-", "--", ":", "-.")
REPETITION = "seed"  # an axis of repetitions: averaged over, unless nothing else is swept


@dataclass(frozen=True)
class Summary:
    """What the figure shows, as columns of the table.

    Attributes:
        x: the swept parameter on the horizontal axis.
        colour: a second one, told by colour; empty without.
        pooled: further swept parameters, averaged over.
        quantities: a panel each.
        joined: whether lines join the means at each x (a grid), or only points are drawn.
        units: by column.
    """

    x: str
    colour: str
    pooled: tuple[str, ...]
    quantities: tuple[str, ...]
    joined: bool
    units: dict[str, str]

    def caption(self, rows: pd.DataFrame) -> str:
        """What the figure shows, in a sentence or two."""
        done = int((rows["run_status"] == DONE).sum())
        text = f"What {done} of {len(rows)} runs reported against {self.x}"
        text += f", coloured by {self.colour}. " if self.colour else ". "
        text += "Each point is a run"
        if self.joined:
            over = f" over {', '.join(self.pooled)}" if self.pooled else ""
            text += f"; lines join the means{over} at each {self.x}"
        return text + "."


def choose_summary(plan: Plan, table: SweepTable) -> Summary:
    """Choose the panels and axes: numbers that differ between runs, against the first axis.

    Numbers that measure a claim come first, then those with an interval.
    """
    rows = table.rows[table.rows["run_status"] == DONE]
    varied = [a for a in plan.axes if rows[table.column(PARAMETER, a.name)].nunique() > 1]
    varied = varied or list(plan.axes[:1])
    varied.sort(key=lambda axis: (axis.name == REPETITION, axis.parameter.type != "float"))
    x = varied[0]
    colour = next(
        (
            axis
            for axis in varied[1:]
            if axis.name != REPETITION
            and (
                axis.parameter.type in {"int", "float"}
                or rows[table.column(PARAMETER, axis.name)].nunique() <= MOST_LEVELS
            )
        ),
        None,
    )
    pooled = tuple(axis.name for axis in varied[1:] if axis is not colour)
    intervals = set(table.of_kind(REPORTED, "low")["name"])
    described = table.of_kind(REPORTED)
    names = dict(zip(described["column"].astype(str), described["name"].astype(str), strict=True))
    reported = [
        column
        for column in names
        if pd.api.types.is_numeric_dtype(rows[column])
        and not pd.api.types.is_bool_dtype(rows[column])
    ]
    reported.sort(key=lambda c: (names[c] not in table.claimed, names[c] not in intervals))
    differing = [column for column in reported if rows[column].nunique() > 1]
    chosen = (differing or reported)[:MOST_PANELS] or [table.column(RUN, "seconds")]
    return Summary(
        x=table.column(PARAMETER, x.name),
        colour=table.column(PARAMETER, colour.name) if colour else "",
        pooled=pooled,
        quantities=tuple(chosen),
        joined=plan.design == GRID,
        units=dict(zip(table.columns["column"], table.columns["unit"], strict=True)),
    )


def draw_png(rows: pd.DataFrame, summary: Summary) -> bytes:
    """The summary figure as PNG."""
    with style.context(str(files("swta.paper") / "swta.mplstyle")):
        buffer = io.BytesIO()
        draw_summary(rows, summary).savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()


def draw_summary(rows: pd.DataFrame, summary: Summary) -> Figure:
    """The summary figure, a panel for each quantity."""
    done = rows[rows["run_status"] == DONE]
    n = len(summary.quantities)
    across = min(3, n)
    down = -(-n // across)
    figure = Figure(figsize=(3.1 * across + 0.4, 2.5 * down + 0.5), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for panel in panels[n:]:
        panel.remove()
    shade = _Shade(done, summary.colour)
    for panel, quantity in zip(panels, summary.quantities, strict=False):
        _plot_panel(panel, done, summary, quantity, shade)
    shade.explain(figure, list(panels[:n]), _label(summary.colour, summary.units))
    return figure


def _plot_panel(
    ax: Axes, rows: pd.DataFrame, summary: Summary, quantity: str, shade: _Shade
) -> None:
    x, ticks = _places(rows[summary.x])
    y = pd.to_numeric(rows[quantity], errors="coerce").astype(float)
    for level, colour, line in shade.levels:
        chosen = shade.rows_of(level)
        ax.plot(x[chosen], y[chosen], "o", color=colour, markersize=3, alpha=0.55, mew=0)
        if summary.joined:
            means = y[chosen].groupby(x[chosen]).mean()
            ax.plot(means.index, means.to_numpy(), line, color=colour, linewidth=1.3)
    if ticks:
        ax.set_xticks(range(len(ticks)), [textwrap.shorten(t, 18, placeholder="…") for t in ticks])
    ax.set_xlabel(_label(summary.x, summary.units))
    ax.set_ylabel(_label(quantity, summary.units))


def _places(column: pd.Series) -> tuple[pd.Series, list[str]]:
    """Numbers as they are; other values at 0, 1, 2 … with their names."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return column.astype(float), []
    names = list(dict.fromkeys(column.astype(str)))
    return column.astype(str).map({name: i for i, name in enumerate(names)}).astype(float), names


class _Shade:
    """Colours of the levels of one column, and their legend or scale."""

    def __init__(self, rows: pd.DataFrame, column: str) -> None:
        self._column = rows[column] if column else None
        self.scale: ScalarMappable | None = None
        palette = [entry["color"] for entry in matplotlib.rcParams["axes.prop_cycle"]]
        if self._column is None:
            self.levels: list[tuple[Any, Any, LineStyleType]] = [(None, palette[0], "-")]
            return
        found = list(dict.fromkeys(self._column))
        if pd.api.types.is_bool_dtype(self._column) or not pd.api.types.is_numeric_dtype(
            self._column
        ):
            self.levels = [  # dashes show what lies below where levels agree
                (level, palette[i % len(palette)], LINES[i % len(LINES)])
                for i, level in enumerate(found)
            ]
            return
        found = sorted(found)
        legible = ListedColormap(matplotlib.colormaps["cividis"](np.linspace(0, 0.85, 256)))
        scale = ScalarMappable(Normalize(float(found[0]), float(found[-1])), legible)
        self.levels = [(level, scale.to_rgba(np.asarray(float(level))), "-") for level in found]
        if len(found) > MOST_LEVELS:
            self.scale = scale

    def rows_of(self, level: Any) -> Any:
        """Which rows have a level."""
        return slice(None) if self._column is None else np.asarray(self._column == level, bool)

    def explain(self, figure: Figure, panels: list[Axes], title: str) -> None:
        """Draw the legend or the colour scale."""
        if self._column is None:
            return
        if self.scale is not None:
            figure.colorbar(self.scale, ax=panels, label=title)
            return
        handles = [
            Line2D([], [], color=colour, linestyle=line, marker="o", markersize=4)
            for _, colour, line in self.levels
        ]
        names = [textwrap.shorten(_name(level), 28, placeholder="…") for level, *_ in self.levels]
        figure.legend(
            handles, names, title=title, loc="outside lower center", ncols=min(4, len(names))
        )


def _name(level: Any) -> str:
    return f"{level:g}" if isinstance(level, float) else str(level) or "(empty)"


def _label(column: str, units: dict[str, str]) -> str:
    unit = units.get(column, "")
    told = f" ({unit})" if unit and unit not in {"dimensionless", "name", "text"} else ""
    return textwrap.fill(column.replace("_", " ") + told, 24)
