"""Paints a window of a layout into arrays of character cells. Knows neither Textual nor traces.

Faces come in, cells go out.

Only what the window shows is painted, so a drawing of any size costs as much as the screen is large.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tracer.cells.meanings import Kind
from tracer.cells.stamps import Array, Face, stamp
from tracer.layered.columns import Column
from tracer.layered.layout import Layout
from tracer.layered.ports import Shape

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
JOINTS = " │││─╯╮┤─╰╭├─┴┬┼"
"""The glyph of a cell by the sum of the directions in which its wire goes on.

A lone end is drawn as the whole stroke.
"""
LIGHT, HEAVY = "─│╭╮╰╯├┤┬┴┼┄┆", "━┃┏┓┗┛┣┫┳┻╋━┃"
DOTTED = {ord("─"): ord("┄"), ord("│"): ord("┆")}


@dataclass(frozen=True)
class Thread:
    """A wire to be lit: its straight runs, whether something flows back along it, and its first and last cell."""

    runs: tuple[tuple[int, int, int, int], ...]
    backward: bool
    ends: tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Window:
    """A rectangle of the drawing: left column, top row, size."""

    x: int
    y: int
    width: int
    height: int

    def along(self, layout: Layout) -> tuple[int, int]:
        """The first place along the flow, and the first behind it."""
        return self._span(layout.down)

    def across(self, layout: Layout) -> tuple[int, int]:
        """The first row across the flow, and the first behind it."""
        return self._span(not layout.down)

    def _span(self, rows: bool) -> tuple[int, int]:
        return (self.y, self.y + self.height) if rows else (self.x, self.x + self.width)


@dataclass(frozen=True, eq=False)
class Cells:
    """What a window shows, arrays of (height, width): code point, Kind, Look, and the node that owns the cell or -1."""

    char: Array
    kind: Array
    look: Array
    owner: Array

    def text(self) -> str:
        """The characters, line by line, without blanks at the ends of lines."""
        return "\n".join(self.line(y).rstrip() for y in range(self.char.shape[0]))

    def line(self, y: int) -> str:
        """The characters of one line."""
        return str(self.char[y].astype("<u4").tobytes().decode("utf-32-le"))

    def copy(self) -> Cells:
        """The same cells, to be painted on."""
        return Cells(self.char.copy(), self.kind.copy(), self.look.copy(), self.owner.copy())


def blank(width: int, height: int) -> Cells:
    """Empty cells."""
    shape = (height, width)
    return Cells(
        np.full(shape, ord(" "), np.uint32),
        np.zeros(shape, np.uint8),
        np.zeros(shape, np.uint8),
        np.full(shape, -1, np.int32),
    )


def visible_nodes(layout: Layout, window: Window) -> list[int]:
    """The nodes whose box is in the window, at least in part."""
    first, end = window.along(layout)
    return [
        node
        for node in _near(layout, window)
        if layout.start(node) < end and layout.columns[layout.layer[node]].edge > first
    ]


def _near(layout: Layout, window: Window) -> Iterator[int]:
    """The nodes whose box, or whose tips before it, may be in the window."""
    for layer in layout.layers_between(*window.along(layout)):
        yield from layout.boxes_between(layer, *window.across(layout))


def node_at(layout: Layout, x: int, y: int) -> int | None:
    """The node whose box covers a cell of the drawing."""
    for node in visible_nodes(layout, Window(x, y, 1, 1)):
        box = layout.boxes[node]
        if box.x <= x < box.x + box.width and box.y <= y < box.y + box.height:
            return node
    return None


def paint(
    layout: Layout, window: Window, faces: Mapping[int, Face], threads: Iterable[Thread] = ()
) -> Cells:
    """Paint the wires of a window, then the lit ones, then the boxes that have a face."""
    cells = wires(layout, window).copy()
    for thread in threads:
        _light(layout, thread, window, cells)
    for node, face in faces.items():
        _paste(layout, node, face, window, cells)
    return cells


@lru_cache(maxsize=8)
def wires(layout: Layout, window: Window) -> Cells:
    """The wires that a window shows, unlit: what stays the same from step to step."""
    cells = blank(window.width, window.height)
    _paint_wires(layout, window, cells)
    for node in _near(layout, window):
        _paint_tips(layout, node, window, cells)
    return cells


class _Strokes:
    """Directions per cell and the value that its wire carries, in coordinates of the drawing, clipped to a window."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.mask = np.zeros((window.height, window.width), np.uint8)
        self.who = np.full((window.height, window.width), -1, np.int32)

    def horizontal(self, y: int, x0: int, x1: int, who: int) -> None:
        """A stroke along a line of the screen, both ends included."""
        window = self.window
        y, x0, x1 = y - window.y, x0 - window.x, x1 - window.x
        if 0 <= y < window.height and x1 > x0:
            self.mask[y, max(0, x0) : max(0, x1)] |= RIGHT
            self.mask[y, max(0, x0 + 1) : max(0, x1 + 1)] |= LEFT
            self.who[y, max(0, x0) : max(0, x1 + 1)] = who

    def vertical(self, x: int, y0: int, y1: int, who: int) -> None:
        """A stroke up and down the screen; where it meets the wire of another value it passes over it."""
        window = self.window
        x, y0, y1 = x - window.x, y0 - window.y, y1 - window.y
        if not 0 <= x < window.width or y1 <= y0:
            return
        inner = slice(max(0, y0 + 1), max(0, y1))
        crossed = (self.who[inner, x] != who) & (self.mask[inner, x] > 0)
        self.mask[inner, x] = np.where(crossed, 0, self.mask[inner, x])
        self.mask[max(0, y0) : max(0, y1), x] |= DOWN
        self.mask[max(0, y0 + 1) : max(0, y1 + 1), x] |= UP
        self.who[max(0, y0) : max(0, y1 + 1), x] = who


Stroke = tuple[int, int, int, int]
"""Where it lies, where it begins and ends, and the value that it carries."""


def _along(column: Column, low: int, high: int) -> Iterator[Stroke]:
    """The strokes of a layer and its gap that run with the flow, between two rows."""
    for source, row in column.bends_near(low, high):
        yield row, column.start - 1, column.edge, source
    for wire in column.wires_near(low, high):
        yield wire.row, column.edge + wire.start, column.edge + wire.turn, wire.source
        for row in wire.leaves:
            if low <= row < high:
                yield row, column.edge + wire.turn, column.end - 1, wire.source


def crossing(layout: Layout, place: int) -> dict[int, int]:
    """The wires that pass between a place along the flow and the one before it: the row of each, and its value."""
    found: dict[int, int] = {}
    for at in layout.layers_between(place - 1, place):
        column = layout.columns[at]
        high = layout.width + layout.height
        if place == column.edge:
            found |= {wire.row: wire.source for wire in column.wires if not wire.start}
        for row, start, end, source in _along(column, 0, high):
            if start < place <= end:
                found[row] = source
    return found


def _turns(column: Column, low: int, high: int) -> Iterator[Stroke]:
    """The strokes of a gap that run across the flow."""
    for wire in column.wires_near(low, high):
        yield column.edge + wire.turn, wire.low, wire.high, wire.source


def _paint_wires(layout: Layout, window: Window, cells: Cells) -> None:
    strokes = _Strokes(window)
    low, high = window.across(layout)
    columns = [layout.columns[at] for at in layout.layers_between(*window.along(layout))]
    flat, steep = (_turns, _along) if layout.down else (_along, _turns)
    for column in columns:
        for stroke in flat(column, low, high):
            strokes.horizontal(*stroke)
    for column in columns:
        for stroke in steep(column, low, high):
            strokes.vertical(*stroke)
    lut = np.array([ord(glyph) for glyph in JOINTS], np.uint32)
    drawn = strokes.mask > 0
    cells.char[drawn] = lut[strokes.mask[drawn]]
    cells.kind[drawn] = Kind.WIRE
    silent = drawn & np.isin(strokes.who, list(layout.silent)) if layout.silent else None
    if silent is not None:
        for whole, dotted in DOTTED.items():
            cells.char[silent & (cells.char == whole)] = dotted


def _paint_tips(layout: Layout, node: int, window: Window, cells: Cells) -> None:
    """A tip at every argument; a hollow one where no gradient flows back."""
    at = layout.start(node) - 1
    full, hollow = ("▼", "▽") if layout.down else ("▶", "▷")
    for argument in range(len(layout.graph.inputs[node])):
        row = layout.port(node, argument)
        glyph = hollow if (node, argument) in layout.graph.silent else full
        _put(cells, window, *_place(layout, at, row), glyph, Kind.TIP)
        if (row, at) in layout.cut:
            stub = "┆" if layout.down else "┄"
            _put(cells, window, *_place(layout, at - 1, row), stub, Kind.WIRE)


def _place(layout: Layout, along: int, row: int) -> tuple[int, int]:
    """The column and line of the screen."""
    return (row, along) if layout.down else (along, row)


def _put(cells: Cells, window: Window, x: int, y: int, glyph: str, kind: Kind) -> None:
    x, y = x - window.x, y - window.y
    if 0 <= x < window.width and 0 <= y < window.height:
        cells.char[y, x], cells.kind[y, x] = ord(glyph), kind


_HEAVY = {ord(light): ord(heavy) for light, heavy in zip(LIGHT, HEAVY, strict=True)}


def _light(layout: Layout, thread: Thread, window: Window, cells: Cells) -> None:
    """Redraw a wire in heavy strokes; where something flows back along it, its tip moves to the other end."""
    kind = Kind.BACKWARD if thread.backward else Kind.FORWARD
    right, bottom = window.x + window.width, window.y + window.height
    for x0, y0, x1, y1 in thread.runs:
        for y in range(max(y0, window.y), min(y1 + 1, bottom)):
            for x in range(max(x0, window.x), min(x1 + 1, right)):
                old = int(cells.char[y - window.y, x - window.x])
                if y0 == y1 and x0 < x < x1 and old in (ord("│"), ord("┆")):
                    old = ord("─")
                cells.char[y - window.y, x - window.x] = _HEAVY.get(old, old)
                cells.kind[y - window.y, x - window.x] = kind
    if thread.runs and thread.backward:
        first, last = thread.ends
        _put(cells, window, *last, "┃" if layout.down else "━", kind)
        _put(cells, window, *first, "▲" if layout.down else "◀", kind)


def _paste(layout: Layout, node: int, face: Face, window: Window, cells: Cells) -> None:
    box, shape = layout.boxes[node], shape_of(layout, node)
    char, kind = stamp(face, shape, _exit(layout, node) if layout.sends(node) else None)
    top, left = box.y - window.y, box.x - window.x
    rows = slice(max(0, top), min(window.height, top + box.height))
    columns = slice(max(0, left), min(window.width, left + box.width))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    inside = (
        slice(rows.start - top, rows.stop - top),
        slice(columns.start - left, columns.stop - left),
    )
    cells.char[rows, columns] = char[inside]
    cells.kind[rows, columns] = kind[inside]
    cells.look[rows, columns] = face.look
    cells.owner[rows, columns] = node


def shape_of(layout: Layout, node: int) -> Shape:
    """A box as it is drawn: as wide, or as high, as its layer is."""
    box = layout.boxes[node]
    return Shape(box.width, box.height, layout.shapes[node].shadow)


def _exit(layout: Layout, node: int) -> tuple[int, int]:
    """The cell of a box, row and column, at which its wire leaves."""
    box, out = layout.boxes[node], layout.ports[node].out
    return (box.height - 1, out) if layout.down else (out, box.width - 1)
