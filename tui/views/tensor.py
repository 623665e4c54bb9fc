"""The tensor pane: one matrix of the selected node as a heat map, and the element under the cursor in words."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.cells import cell_len

from tracer.cells.figures import short_number
from tracer.cells.meanings import Kind
from tracer.elements import Element
from tui import heatmap
from tui.heatmap import Grid, Limits, View
from tui.ink import Heat, Line, Span, clip, elide, span, width_of
from tui.planes import (
    DIFFERENCE,
    GRADIENT,
    GRADIENT_CHANGE,
    RELATIVE,
    VALUE,
    VALUE_CHANGE,
    Numbers,
    Plane,
    plane_of,
)
from tui.views import arrivals, quantities
from tui.views.quantities import Quantity
from tui.views.scene import Scene

RULERS = (56, 12)
"""From this width and height on, rows and columns are numbered."""
FOOT = 4
"""From this height on, the element under the cursor stands below the picture."""
ROOM_FOR_FLOWS = ((20, 4), (11, 1))
"""(height, lines): so many lines of a pane are left for the flows of the element, whatever the picture needs."""
NARROW, NAMES = 40, 20
"""Below this width numbers stand closer; of a flow all but so many characters are for its name."""
DIGITS, WIDE_DIGITS = 8, 12
"""Characters of a number in the line of the cursor."""


@dataclass(frozen=True)
class Scroll:
    """The first line and the first column of the matrix that are shown."""

    top: int = 0
    left: int = 0


@dataclass(frozen=True, eq=False)
class Picture:
    """What the pane shows: the quantity, the matrix through the element, and the scale of its colours."""

    quantity: Quantity
    plane: Plane
    matrix: Numbers | None
    limits: Limits
    number: int
    """The characters that a written number needs."""

    @property
    def reason(self) -> str:
        """Why there is no matrix."""
        return self.quantity.reason or "empty: no elements"


@dataclass(frozen=True)
class Layout:
    """How the lines of the pane are shared out."""

    grid: Grid
    gutter: int
    """Characters in front of the picture, for the numbers of the rows; 0 without rulers."""
    lines: int
    """Lines of the picture."""
    width: int
    """Characters of the picture."""
    part: bool
    """Whether only a part of the matrix is shown."""
    foot: int
    """Lines below the picture."""


def picture(scene: Scene) -> Picture:
    """The quantity that is looked at, as a matrix through the element under the cursor."""
    shape = tuple(scene.trace.storage.held(scene.selected).shape)
    plane = plane_of(scene.tensor, shape, scene.element)
    found = quantities.quantity(scene, quantities.shown(scene))
    if found.numbers is None or not found.numbers.size:
        return Picture(found, plane, None, Limits(1.0, signed=True), 0)
    limits = quantities.limits(scene, found)
    matrix = found.numbers.plane(plane)
    key = ("needed", scene.selected, found.name)
    needed = scene.figures.once(key, lambda: heatmap.needed(np.asarray(found.numbers.sample())))  # type: ignore[union-attr]
    return Picture(found, plane, matrix, limits, needed)


def layout(scene: Scene, shown: Picture, width: int, height: int, *, colour: bool) -> Layout:
    """Rulers where there is room, the picture, a line for the cursor, and lines for the flows of the element."""
    rows, columns = shown.plane.size
    rulers = width >= RULERS[0] and height >= RULERS[1] and rows * columns > 1
    gutter = len(str(rows - 1)) + 1 if rulers else 0
    foot = int(height >= FOOT)
    flowing = scene.timeline.arrived(scene.position, scene.selected)[0]
    if flowing > 1:
        foot += next((lines for least, lines in ROOM_FOR_FLOWS if height >= least), 0)
    room = max(1, height - rulers - foot)
    grid = _grid(shown, width - gutter, room, colour=colour)
    across = columns * grid.cell > width - gutter
    part = grid.lines(rows) > room or across
    if part and height >= FOOT:
        room -= 1
        grid = _grid(shown, width - gutter, room, colour=colour)
    lines = max(1, min(grid.lines(rows), room))
    return Layout(grid, gutter, lines, width - gutter, part, height - lines - rulers)


def _grid(shown: Picture, width: int, height: int, *, colour: bool) -> Grid:
    return heatmap.fit(shown.plane.size, width, height, colour=colour, number=shown.number)


def scrolled(shown: Picture, plan: Layout, scroll: Scroll) -> Scroll:
    """The window, moved so that the element under the cursor lies in it."""
    (rows, columns), (row, column) = shown.plane.size, shown.plane.spot
    across = max(1, plan.width // plan.grid.cell)
    line = row // plan.grid.rows
    top = max(line - plan.lines + 1, min(scroll.top, line))
    left = max(column - across + 1, min(scroll.left, column))
    return Scroll(
        max(0, min(top, plan.grid.lines(rows) - plan.lines)), max(0, min(left, columns - across))
    )


def spot(plan: Layout, scroll: Scroll, x: int, y: int) -> tuple[int, int]:
    """Row and column of the matrix that are drawn at a place of the pane."""
    row = (scroll.top + y - bool(plan.gutter)) * plan.grid.rows
    return row, scroll.left + (x - plan.gutter) // plan.grid.cell


# ----- lines


def lines(
    scene: Scene, shown: Picture, plan: Layout, scroll: Scroll, *, colour: bool
) -> list[Line]:
    """The lines of the pane."""
    width = plan.gutter + plan.width
    if shown.matrix is None:
        return _wrapped(shown.reason, width)
    rows, columns = shown.plane.size
    cursor = shown.plane.spot if rows * columns > 1 else None
    view = View(scroll.top, scroll.left, plan.width, cursor)
    found: list[Line] = []
    if plan.gutter:
        text = " " * plan.gutter + heatmap.ruler(plan.grid, view, columns)
        found.append((span(text, Kind.FAINT),))
    for y in range(plan.lines):
        line = _line(shown, y, plan.grid, view, colour=colour)
        if plan.gutter and scroll.top + y < plan.grid.lines(rows):
            label = heatmap.row_label(plan.grid, scroll.top + y)
            line = (span(label.rjust(plan.gutter - 1) + " ", Kind.FAINT), *line)
        found.append(line)
    return [*found, *_foot(scene, shown, plan, view, width)]


def _wrapped(text: str, width: int) -> list[Line]:
    """A sentence over as many lines as it needs."""
    return [(span(row, Kind.FAINT),) for row in textwrap.wrap(text, max(8, width))]


def _line(shown: Picture, y: int, grid: Grid, view: View, *, colour: bool) -> Line:
    matrix: Any = shown.matrix
    if not colour and not grid.numbers:
        return (span(heatmap.plain_line(matrix, y, view, shown.limits.top), Kind.TEXT),)
    patches = heatmap.line(matrix, y, grid, view, shown.limits.top)
    return tuple(Span(patch.text, Heat(patch.ink, patch.paper)) for patch in patches)


def _foot(scene: Scene, shown: Picture, plan: Layout, view: View, width: int) -> list[Line]:
    """What is said below the picture: which part it is, the element under the cursor, its flows."""
    found: list[Line] = []
    if plan.part and plan.foot > 1:
        found.append((span(part_text(shown, plan, view), Kind.FAINT),))
    if plan.foot > len(found):
        found.append(cursor_line(scene, shown, width))
    left = plan.foot - len(found)
    listed = flow_lines(scene, width, left)
    if left > len(listed) and plan.foot > len(found) + len(listed):
        found = [(), *found]
    return [*found, *listed]


def part_text(shown: Picture, plan: Layout, view: View) -> str:
    """Which rows and columns are shown of how many, as long as fits: `rows 0–27 of 512`."""
    rows, columns = shown.plane.size
    first, left = view.top * plan.grid.rows, view.left
    last = min(rows, first + plan.lines * plan.grid.rows) - 1
    right = min(columns, left + plan.width // plan.grid.cell) - 1
    down, across = f"{first}–{last}", f"{left}–{right}"
    texts = (
        f"rows {down} of {rows}, columns {across} of {columns}",
        f"rows {down}/{rows} cols {across}/{columns}",
        f"{down}/{rows} × {across}/{columns}",
        f"{down} × {across}",
    )
    room = plan.gutter + plan.width
    return next((text for text in texts if len(text) <= room), texts[-1])


def cursor_line(scene: Scene, shown: Picture, width: int) -> Line:
    """The element under the cursor: its index, the quantity that is shown, and what it is made of."""
    at = shown.plane.element
    digits = DIGITS if width < RULERS[0] else WIDE_DIGITS
    where = arrivals.index_text(at)
    line: Line = (span(f"{where} " if where else "", Kind.NAME),)
    for sign, number, kind in _readings(scene, shown, at):
        text = _exact(number, digits)
        ink = kind if np.isfinite(number) else Kind.WARN
        gap = " " if width < NARROW else "  "
        more = (*line, span(f"{sign} ", Kind.FAINT), span(f"{text}{gap}", ink))
        if width_of(more) - len(gap) > width and len(line) > 1:
            break
        line = more
    return clip((*line[:-1], line[-1]._replace(text=line[-1].text.rstrip())), width)


def _exact(number: Any, digits: int) -> str:
    if np.asarray(number).dtype.kind != "f":
        return str(number)
    return short_number(float(number)) if digits <= DIGITS else heatmap.short(float(number), digits)


def _readings(scene: Scene, shown: Picture, at: Element) -> list[tuple[str, Any, Kind]]:
    """The numbers of an element with their signs, that which is shown first."""
    name = shown.quantity.name
    value, gradient = (quantities.quantity(scene, each).numbers for each in (VALUE, GRADIENT))
    found: list[tuple[str, Any, Kind]] = []
    parts = shown.quantity.numbers
    assert parts is not None
    if name in (DIFFERENCE, RELATIVE):
        sign = "Δ" if name == DIFFERENCE else "rel"
        found = [
            (sign, parts[at], Kind.WARN),
            ("hand", parts.parts[1][at], Kind.TEXT),
            ("∂", parts.parts[0][at], Kind.GRADIENT),
        ]
    elif name in (VALUE_CHANGE, GRADIENT_CHANGE):
        kind, sign = (Kind.VALUE, "v") if name == VALUE_CHANGE else (Kind.GRADIENT, "∂")
        found = [
            ("Δ", parts[at], Kind.WARN),
            (sign, parts.parts[0][at], kind),
            ("was", parts.parts[1][at], Kind.TEXT),
        ]
    else:
        pair = [("v", value, Kind.VALUE), ("∂", gradient, Kind.GRADIENT)]
        for sign, numbers, kind in pair if name == VALUE else pair[::-1]:
            if numbers is not None:
                found.append((sign, numbers[at], kind))
    return found


def flow_lines(scene: Scene, width: int, room: int) -> list[Line]:
    """What each use has sent to the element under the cursor, and what they add up to, in so many lines."""
    arrived, expected = scene.timeline.arrived(scene.position, scene.selected)
    if not arrived or room < 1:
        return []
    at = arrivals.cursor(scene, scene.selected)
    first, listed = arrivals.arrivals(scene)
    there = [each for each in listed if each.arrived]
    names = [each.name for each in there]
    if max(map(cell_len, names)) > width - NAMES:
        names = [each.step or each.name for each in there]
    amounts: list[tuple[str, str, bool]] = [
        (arrivals.short(arrivals.amount(scene, each.edge, at)), name, each.newest)
        for each, name in zip(there, names, strict=True)
    ]
    if first:
        total = arrivals.short(arrivals.earlier(scene, first, listed, at))
        amounts = [(total, f"{first} earlier ones", False), *amounts]
    total = arrivals.short(arrivals.running_sums(scene, first, listed, at)[-1])
    count = f"{arrived} of {expected} flows" if expected > 1 else "1 flow"
    if room < len(amounts) + (expected > 1):
        told = " + ".join(f"{number} from {name}" for number, name, _ in amounts)
        bare = " + ".join(number for number, _, _ in amounts)
        texts = (f"Σ {count}: {told}", f"Σ {count}: {bare}", f"Σ {arrived}: {bare}")
        text = next((text for text in texts if cell_len(text) <= width), texts[-1])
        return [clip((span(text, Kind.FAINT),), width)]
    wide = max(len(total), *(len(number) for number, _, _ in amounts))
    found: list[Line] = [
        (
            span("+ " if k else "  ", Kind.FAINT),
            span(number.rjust(wide), Kind.GRADIENT),
            span(f"  from {name}{' ◂' if newest else ''}", Kind.NAME if newest else Kind.FAINT),
        )
        for k, (number, name, newest) in enumerate(amounts)
    ]
    if expected > 1:
        last = (span("= ", Kind.FAINT), span(total.rjust(wide), Kind.GRADIENT))
        found.append((*last, span(f"  {count}", Kind.FAINT)))
    return [clip(line, width) for line in found]


# ----- borders


def title(scene: Scene, shown: Picture, width: int) -> str:
    """The quantity, the node and the slice of it, and where they fit the limits: `gradient W[2,:,:]ᵀ ±0.09`."""
    label = scene.trace.label(scene.selected)
    if shown.matrix is None:
        return elide(f"{shown.quantity.name} {label}", width)
    room = width - cell_len(f"{shown.quantity.name} {shown.plane.text}")
    text = f"{shown.quantity.name} {elide(label, max(4, room))}{shown.plane.text}"
    whole = f"{text} {shown.limits.text}"
    return whole if cell_len(whole) <= width else text
