"""A drawing wider than the page: cut into bands between its layers, printed one below the other.

Where a wire is cut an arrow says that it goes on, and the next band begins with the name of its value.
"""

from __future__ import annotations

from tracer.cells import boxes, headings
from tracer.cells.canvas import Window, crossing
from tracer.cells.drawing import Drawing
from tracer.cells.instants import Instant
from tracer.cells.widths import cut, one_cell_each
from tracer.layered.layout import Layout

NAMES = 11
"""Columns before a band, for the names of the values that come in."""
LEAST = 40
"""A band of fewer columns than this might not hold a box, its wires and these names."""


def bands(instant: Instant, drawing: Drawing, width: int) -> list[list[str]]:
    """The lines of each band of a drawing from left to right; a single band where it fits."""
    layout = drawing.layout
    places = cuts(layout, width)
    ends = [*places[1:], layout.width]
    return [_band(instant, drawing, start, end) for start, end in zip(places, ends, strict=True)]


def whole(instant: Instant, drawing: Drawing) -> list[str]:
    """The lines of a drawing, below the names of its time steps."""
    layout = drawing.layout
    window = Window(0, 0, layout.width, layout.height)
    lines = boxes.picture(instant, drawing, window).text().split("\n")
    if layout.blocks and not layout.down:
        lines.insert(0, headings.above(drawing, window, instant.current).text())
    return _without_margins(lines)


def cuts(layout: Layout, width: int) -> list[int]:
    """Where the bands of a drawing begin: behind a layer if that can be, else between the wires before the next."""
    places = [0]
    while layout.width - places[-1] > width - (NAMES if len(places) > 1 else 0):
        start = places[-1]
        most = start + width - 1 - (NAMES if len(places) > 1 else 0)
        edge = max((c.edge for c in layout.columns if start < c.edge <= most), default=start)
        if edge == start:
            inside = next((c.start for c in layout.columns if c.start <= most < c.edge), most + 1)
            edge = min(most, inside - 1)
        places.append(edge)
    return places


def _band(instant: Instant, drawing: Drawing, start: int, end: int) -> list[str]:
    layout = drawing.layout
    window = Window(start, 0, end - start, layout.height)
    cells = boxes.picture(instant, drawing, window)
    entering = crossing(layout, start) if start else {}
    going_on = crossing(layout, end) if end < layout.width else {}
    lines = []
    for y in range(layout.height):
        name = called(drawing, entering[y]) if y in entering else ""
        line = f"{name:>{NAMES - 1}} {cells.line(y)}" if start else cells.line(y)
        lines.append(line + "→" if y in going_on else line)
    if layout.blocks:
        above = headings.above(drawing, window, instant.current).line(0)
        lines.insert(0, " " * (NAMES if start else 0) + above)
    return _without_margins([line for line in lines if line.strip()])  # blanks part the bands


def called(drawing: Drawing, place: int) -> str:
    """What a box is called: the scope that it stands for, or the label of its node."""
    folded, box = drawing.folded, drawing.boxes[place]
    title = folded.name(box) if folded.is_folded(box) else drawing.trace.label(folded.face_of(box))
    return cut(one_cell_each(title), NAMES - 1)


def _without_margins(lines: list[str]) -> list[str]:
    """The lines without blanks around them all."""
    lines = [line.rstrip() for line in lines]
    shown = [n for n, line in enumerate(lines) if line]
    if not shown:
        return []
    lines = lines[shown[0] : shown[-1] + 1]
    margin = min(len(line) - len(line.lstrip(" ")) for line in lines if line)
    return [line[margin:] for line in lines]
