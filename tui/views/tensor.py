"""The tensor pane: one matrix of the selected node as a heat map, and the element under the cursor in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tracer import format as fmt
from tui import heatmap
from tui.heatmap import Grid, View
from tui.ink import Heat, Kind, Line, Span, span
from tui.views.figures import figure
from tui.views.scene import Scene


@dataclass(frozen=True)
class Reading:
    """Where the pane is scrolled to, and the element that is read: (row, column) of the matrix."""

    top: int = 0
    left: int = 0
    row: int = 0
    column: int = 0


@dataclass(frozen=True, eq=False)
class Picture:
    """What the pane shows: the array (None where there is none, and why), and its matrix."""

    array: Any
    matrix: Any
    reason: str
    lead: tuple[int, ...]


def picture(scene: Scene) -> Picture:
    """The value or the gradient of the selected node, as far as the position has come."""
    node = scene.selected
    shape = scene.trace.storage.value(node).shape
    lead = heatmap.lead_of(shape, scene.slice_number)
    status = scene.status(node)
    if not scene.has_run(node):
        return Picture(None, None, "· not run yet", lead)
    if not scene.shows_gradient:
        array = scene.trace.storage.value(node)
    else:
        array = scene.gradient(node)
        if array is None:
            return Picture(None, None, f"{status.glyph} {status}", lead)
    if not array.size:
        return Picture(array, None, "empty: no elements", lead)
    return Picture(array, heatmap.plane(array, scene.slice_number), "", lead)


def move(
    shape: tuple[int, int], reading: Reading, width: int, height: int, *, colour: bool
) -> Reading:
    """The reading with its cursor inside the matrix and its window around the cursor."""
    rows, columns = shape
    grid = heatmap.fit(shape, width, height, colour=colour)
    row = max(0, min(reading.row, rows - 1))
    column = max(0, min(reading.column, columns - 1))
    across = max(1, width // grid.cell)
    line = row // grid.rows
    top = max(line - height + 1, min(reading.top, line))
    left = max(column - across + 1, min(reading.left, column))
    top = max(0, min(top, grid.lines(rows) - height))
    left = max(0, min(left, columns - across))
    return Reading(top, left, row, column)


def lines(
    scene: Scene, shown: Picture, reading: Reading, width: int, height: int, *, colour: bool
) -> list[Line]:
    """The lines of the pane."""
    if shown.matrix is None:
        return [(span(shown.reason, Kind.FAINT),)]
    grid = heatmap.fit(shown.matrix.shape, width, height, colour=colour)
    cursor = (reading.row, reading.column) if shown.matrix.size > 1 else None
    view = View(reading.top, reading.left, width, cursor)
    key = ("scale", scene.selected, scene.shows_gradient, _arrived(scene))
    top = scene.figures.number(key, shown.array, heatmap.scale)
    if not colour and not grid.numbers:
        return [
            (span(heatmap.plain_line(shown.matrix, y, view, top), Kind.TEXT),)
            for y in range(height)
        ]
    return [_line(shown.matrix, y, grid, view, top) for y in range(height)]


def _line(matrix: Any, y: int, grid: Grid, view: View, top: float) -> Line:
    patches = heatmap.line(matrix, y, grid, view, top)
    return tuple(Span(patch.text, Heat(patch.ink, patch.paper)) for patch in patches)


def _arrived(scene: Scene) -> tuple[int, int]:
    return scene.timeline.arrived(scene.position, scene.selected)


def title(scene: Scene, shown: Picture) -> str:
    """What is shown, on which scale of colours, and which slice of how many."""
    word = "gradient" if scene.shows_gradient else "value"
    text = f"{word} {scene.trace.label(scene.selected)}"
    if shown.matrix is None:
        return text
    key = ("scale", scene.selected, scene.shows_gradient, _arrived(scene))
    text += f" ±{fmt.number(scene.figures.number(key, shown.array, heatmap.scale), 3)}"
    if heatmap.slices(shown.array.shape) > 1:
        text += f" [{','.join(map(str, shown.lead))},:,:]"
    return text


def subtitle(scene: Scene, shown: Picture, reading: Reading) -> str:
    """The element under the cursor: its index, its value and its gradient, that which is not shown in second place."""
    if shown.matrix is None:
        return ""
    index = element(shown, reading)
    where = f"[{','.join(map(str, index))}] " if index else ""
    signs = ("∂", "v") if scene.shows_gradient else ("v", "∂")
    text = f"{where}{signs[0]} {figure(shown.array[index]).text}"
    swapped = picture(replace(scene, shows_gradient=not scene.shows_gradient))
    if swapped.matrix is not None:
        text += f" {signs[1]} {figure(swapped.array[index]).text}"
    return text


def element(shown: Picture, reading: Reading) -> tuple[int, ...]:
    """The index of the element under the cursor in the whole array."""
    inner = (reading.row, reading.column)[2 - min(shown.array.ndim, 2) :]
    return (*shown.lead, *inner)
