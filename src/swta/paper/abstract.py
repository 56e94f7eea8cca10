"""The graphical abstract: five drawings from cells to transformer, each with what was measured."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import yaml
from IPython.display import HTML
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, Rectangle

from swta.paper.record import Record

_NUMBER = re.compile(r"\{(\w+)/(\w+)(?::([^}]*))?\}")

# One colour a class, as in the chapters' figures (Okabe and Ito 2008).
CLASSES = {
    "Pyr": "#D55E00",
    "PV": "#0072B2",
    "SST": "#009E73",
    "VIP": "#CC79A7",
    "LAMP5": "#E69F00",
}
GREY, INK = "#8C8C8C", "#222222"
TITLES = (
    "Five cell classes",
    "A soft competition",
    "On a chip",
    "A memory",
    "Before a transformer",
)


def write_captions(templates: Path, folder: Path) -> list[str]:
    """The lines of ``book/abstract.yaml`` with the numbers of the records in a folder.

    A line whose number is not there says so, instead of a number from elsewhere.

    Raises:
        ValueError: not a list of texts.
    """
    lines = yaml.safe_load(templates.read_text(encoding="utf8"))
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise ValueError(f"{templates} must be a list of texts")
    records: dict[str, Record] = {}

    def fill(match: re.Match[str]) -> str:
        chapter, name, shape = match.groups()
        path = folder / f"{chapter}.json"
        if chapter not in records:
            records[chapter] = Record.read(path) if path.is_file() else Record(chapter)
        entry = records[chapter].reports.get(name)
        return "?" if entry is None else format(entry.value, shape or "")

    filled = [_NUMBER.sub(fill, line) for line in lines]
    return ["not measured at this size" if "?" in line else line for line in filled]


def show_abstract(captions: Sequence[str]) -> HTML:
    """`draw_abstract` as part of a page, told in words to those who do not see it."""
    figure, buffer = draw_abstract(captions), io.BytesIO()
    figure.savefig(buffer, format="png", dpi=160)
    plt.close(figure)
    told = "; ".join(
        f"{title}: {caption}".replace("\n", " ")
        for title, caption in zip(TITLES, captions, strict=True)
    )
    coded = base64.b64encode(buffer.getvalue()).decode()
    alt = html.escape(f"Five drawings in a row. {told}.", quote=True)
    return HTML(f"<img class='abstract' src='data:image/png;base64,{coded}' alt='{alt}'>")


def draw_abstract(captions: Sequence[str]) -> Figure:
    """The graphical abstract, with one measured line under each of its five drawings.

    Args:
        captions: five texts, from cells to transformer.

    Raises:
        ValueError: another number of texts.
    """
    if len(captions) != len(TITLES):
        raise ValueError(f"{len(captions)} captions for {len(TITLES)} drawings; give one for each")
    figure, axes = plt.subplots(1, len(TITLES), figsize=(9.6, 2.9), layout="none")
    figure.subplots_adjust(left=0.01, right=0.99, top=0.84, bottom=0.24, wspace=0.16)
    drawings: tuple[Callable[[Axes], None], ...] = (
        _draw_cells,
        _draw_competition,
        _draw_chip,
        _draw_memory,
        _draw_transformer,
    )
    for ax, title, draw, caption in zip(axes, TITLES, drawings, captions, strict=True):
        ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], aspect="equal")
        for side in ax.spines.values():
            side.set_visible(False)
        ax.set_title(title, fontsize=10, fontweight="bold", color=INK, pad=6, loc="center")
        draw(ax)
        ax.text(0.5, -0.08, caption, ha="center", va="top", fontsize=8, color=INK)
    for left, right in pairwise(axes):
        start, end = left.get_position(), right.get_position()
        middle = (start.y0 + start.y1) / 2
        figure.patches.append(
            FancyArrowPatch(
                (start.x1 - 0.002, middle),
                (end.x0 + 0.002, middle),
                transform=figure.transFigure,
                arrowstyle="-|>",
                mutation_scale=11,
                color=GREY,
                linewidth=1.2,
            )
        )
    return figure


def _arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], color: str, *, inhibits: bool
) -> None:
    """A synapse: an arrow that excites, or a bar that inhibits."""
    style = "-[,widthB=0.22,lengthB=0" if inhibits else "-|>"
    arrow = FancyArrowPatch(
        start, end, arrowstyle=style, mutation_scale=9, color=color, shrinkA=0, shrinkB=0
    )
    ax.add_patch(arrow)


def _cell(ax: Axes, place: tuple[float, float], color: str, size: float = 0.07) -> None:
    ax.add_patch(Circle(place, size, facecolor=color, edgecolor="white", linewidth=0.8, zorder=3))


def _draw_cells(ax: Axes) -> None:
    places = ((0.5, 0.52), (0.16, 0.78), (0.84, 0.78), (0.16, 0.22), (0.84, 0.22))
    for (name, color), (x, y) in zip(CLASSES.items(), places, strict=True):
        _cell(ax, (x, y), color, 0.1)
        ax.text(x, y - 0.13, name, ha="center", va="top", fontsize=7.5, color=INK)


def _draw_competition(ax: Axes) -> None:
    inputs, outputs = (0.30, 0.21, 0.12), (0.46, 0.13, 0.04)
    for x, before, after in zip((0.2, 0.5, 0.8), inputs, outputs, strict=True):
        ax.add_patch(Rectangle((x - 0.07, 0.0), 0.14, before, facecolor="#CFCFCF"))
        _cell(ax, (x, 0.43), CLASSES["Pyr"])
        ax.add_patch(Rectangle((x - 0.07, 0.55), 0.14, after * 0.95, facecolor=CLASSES["Pyr"]))
    _cell(ax, (0.93, 0.62), CLASSES["SST"], 0.06)
    for x in (0.34, 0.64, 0.94):  # one inhibitory cell between and beside all units
        ax.plot((0.93, x), (0.62, 0.62), color=CLASSES["SST"], linewidth=1, zorder=1)
    for x in (0.2, 0.5, 0.8):
        _arrow(ax, (x + 0.14, 0.62), (x + 0.075, 0.47), CLASSES["SST"], inhibits=True)


def _draw_chip(ax: Axes) -> None:
    ax.add_patch(Rectangle((0.1, 0.1), 0.8, 0.8, facecolor="#F2F2F2", edgecolor=INK))
    for row in range(8):
        for column in range(8):
            on = (3 * row + 5 * column + row * column) % 4 == 0
            color = list(CLASSES.values())[(row + column) % 3] if on else "#D9D9D9"
            ax.add_patch(Circle((0.185 + 0.09 * column, 0.185 + 0.09 * row), 0.028, color=color))
    for k in range(6):
        at = 0.18 + 0.128 * k
        for xs, ys in (((0.04, 0.1), (at, at)), ((0.9, 0.96), (at, at))):
            ax.plot(xs, ys, color=INK, linewidth=1)


def _draw_memory(ax: Axes) -> None:
    for x, color, name in ((0.24, CLASSES["Pyr"], "A"), (0.76, CLASSES["PV"], "B")):
        _cell(ax, (x, 0.6), color, 0.15)
        ax.text(x, 0.6, name, ha="center", va="center", color="white", fontweight="bold", zorder=4)
    for y, bend, start, end in ((0.68, -0.35, 0.38, 0.62), (0.52, -0.35, 0.62, 0.38)):
        ax.add_patch(
            FancyArrowPatch(
                (start, y), (end, y), connectionstyle=f"arc3,rad={bend}", arrowstyle="-|>",
                mutation_scale=9, color=INK,
            )
        )  # fmt: skip
    steps = [(0.0, 0.06), (0.2, 0.06), (0.2, 0.28), (0.62, 0.28), (0.62, 0.06), (1.0, 0.06)]
    ax.plot(*zip(*steps, strict=True), color=CLASSES["Pyr"], linewidth=1.6)


def _draw_transformer(ax: Axes) -> None:
    ax.add_patch(Rectangle((0.0, 0.34), 0.28, 0.32, facecolor="#5B5B5B"))
    ax.text(0.14, 0.5, "5", ha="center", va="center", fontsize=17, color="#E8E8E8")
    for k, color in enumerate((CLASSES["Pyr"], CLASSES["SST"], CLASSES["PV"])):
        ax.add_patch(
            Rectangle((0.38 + 0.03 * k, 0.30 + 0.05 * k), 0.16, 0.3, facecolor=color, alpha=0.85)
        )
    for k in range(4):
        ax.add_patch(Rectangle((0.74, 0.26 + 0.125 * k), 0.24, 0.095, facecolor=GREY))
    _arrow(ax, (0.29, 0.5), (0.37, 0.5), INK, inhibits=False)
    _arrow(ax, (0.63, 0.5), (0.73, 0.5), INK, inhibits=False)
