"""Plots on a page, in a grid with their areas in line, and the page in a format."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from tracer.diagrams.drawing import AUTO
from tracer.diagrams.formats import format_of, listed
from tracer.diagrams.palettes import THEMES, Palette
from tracer.diagrams.strokes import Drawn, Item
from tracer.errors import PlotError
from tracer.files import write_whole
from tracer.plots.panel import Panel
from tracer.plots.record import Plot

SIZES = {1: (440.0, 250.0), 2: (330.0, 200.0), 3: (260.0, 170.0)}
MANY = (230.0, 140.0)
"""The size of the area of a plot, in points, by how many stand abreast: so a page is hardly wider than a slide."""
PAD = 16.0
"""Points of paper around the plots."""
BETWEEN = (22.0, 24.0)
"""Points of paper between plots that stand beside and below each other."""


def drawn(plots: Sequence[Plot], columns: int | None = None) -> tuple[Drawn, str]:
    """The page with all plots, so many abreast, and what it shows in words. Raises `PlotError` without a plot."""
    if not plots:
        raise PlotError("there is no plot to draw\n  try: one or more plots")
    if columns is not None and columns < 1:
        raise PlotError(f"columns={columns} is not a number from 1\n  try: columns=2")
    abreast = min(columns or _abreast(len(plots)), len(plots))
    size = SIZES.get(abreast, MANY)
    panels = [Panel(plot, *size) for plot in plots]
    rooms = [panel.room for panel in panels]
    lefts = [max(room.left for room in rooms[k::abreast]) for k in range(abreast)]
    rights = [max(room.right for room in rooms[k::abreast]) for k in range(abreast)]
    rows = range(0, len(panels), abreast)
    tops = [max(room.top for room in rooms[k : k + abreast]) for k in rows]
    bottoms = [max(room.bottom for room in rooms[k : k + abreast]) for k in rows]
    items: list[Item] = []
    y = PAD
    for row, start in enumerate(rows):
        x = PAD
        for column, panel in enumerate(panels[start : start + abreast]):
            x += lefts[column]
            items += panel.items(x, y + tops[row], y, f"p{start + column}")
            x += size[0] + rights[column] + BETWEEN[0]
        y += tops[row] + size[1] + bottoms[row] + BETWEEN[1]
    width = 2 * PAD + sum(lefts) + sum(rights) + abreast * size[0] + (abreast - 1) * BETWEEN[0]
    said = "; ".join(panel.description for panel in panels)
    return Drawn(width, y - BETWEEN[1] + PAD, tuple(items)), said


def _abreast(count: int) -> int:
    """How many plots stand beside each other: of many, as leaves the fewest places empty."""
    if count <= 4:
        return 2 if count == 4 else count
    return min((5, 4, 3), key=lambda columns: -count % columns)


def save(
    plots: Sequence[Plot],
    path: str | os.PathLike[str],
    *,
    columns: int | None = None,
    theme: str = "light",
) -> Path:
    """Write plots on one page, so many abreast; the suffix chooses the format, a key of `FORMATS`. Returns the path.

    theme: light, dark, print (no colour needed), safe (for the colour blind), or auto (as the reader prefers, of .svg).
    Raises `PlotError` without a plot or for another theme, `DiagramError` for another suffix or a path that is none.
    """
    target = Path(path)
    format = format_of(target, FORMATS)
    content = rendered(plots, format, columns=columns, theme=theme)
    try:
        write_whole(target, content)
    except OSError as error:
        raise PlotError(
            f"cannot write {target}: {error.strerror}\n  try: another folder"
        ) from error
    return target


def rendered(
    plots: Sequence[Plot], format: str, *, columns: int | None = None, theme: str = "light"
) -> bytes:
    """The bytes of a file in one of `FORMATS`; see `save`."""
    if theme not in THEMES and theme != AUTO:
        raise PlotError(f"unknown theme {theme!r}\n  try: {listed((*THEMES, AUTO))}")
    page, said = drawn(plots, columns)
    return FORMATS[format](page, theme, _title(plots), said)


def svg(plots: Sequence[Plot], *, columns: int | None = None, theme: str = "light") -> str:
    """Plots on one page as SVG text; see `save`."""
    return rendered(plots, "svg", columns=columns, theme=theme).decode()


def _title(plots: Sequence[Plot]) -> str:
    titles = [plot.title for plot in plots if plot.title]
    return (
        titles[0] + (f" and {len(plots) - 1} more plots" if len(plots) > 1 else "")
        if titles
        else "Plot"
    )


def _palette(theme: str) -> Palette:
    return THEMES["light" if theme == AUTO else theme]


def _svg(page: Drawn, theme: str, title: str, said: str) -> bytes:
    from tracer.diagrams.writers.svg import svg_text

    dark = THEMES["dark"] if theme == AUTO else None
    return svg_text(page, _palette(theme), dark=dark, title=title, description=said).encode()


def _png(page: Drawn, theme: str, title: str, said: str) -> bytes:
    return _by_graphviz(page, theme, "png")


def _pdf(page: Drawn, theme: str, title: str, said: str) -> bytes:
    return _by_graphviz(page, theme, "pdf")


def _by_graphviz(page: Drawn, theme: str, format: str) -> bytes:
    from tracer.diagrams.layout.rendering import rendered
    from tracer.diagrams.writers.xdot import page_dot

    return rendered(page_dot(page, _palette(theme)), "neato", format)


def _tex(page: Drawn, theme: str, title: str, said: str) -> bytes:
    from tracer.diagrams.writers.tikz import tikz_text

    return tikz_text(page, _palette(theme)).encode()


FORMATS: Mapping[str, Callable[[Drawn, str, str, str], bytes]] = MappingProxyType(
    {"svg": _svg, "png": _png, "pdf": _pdf, "tex": _tex}
)
"""The formats of plots: from the page, the theme, a title and what is seen, to the bytes of a file."""
