"""Paints a window of a layout into arrays of character cells. Knows neither Textual nor traces.

Faces come in, cells go out.

Only what the window shows is painted, so a drawing of any size costs as much as the screen is large.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui.ink import Kind, Look, elide, one_cell_each
from tui.layout import Layout

Array = NDArray[Any]

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
JOINTS = " │││─╯╮┤─╰╭├─┴┬┼"
"""The glyph of a cell by the sum of the directions in which its wire goes on.

A lone end is drawn as the whole stroke.
"""
LIGHT, HEAVY = "─│╭╮╰╯├┤┬┴┼", "━┃┏┓┗┛┣┫┳┻╋"


FRAMES = {
    Look.PLAIN: "╭─╮│╰╯├",
    Look.AHEAD: "╭┄╮┆╰╯├",
    Look.CURRENT: "╔═╗║╚╝╠",
    Look.OPERAND: "┏━┓┃┗┛┣",
    Look.REACHED: "╭─╮│╰╯├",
    Look.SELECTED: "╭─╮│╰╯├",
}


@dataclass(frozen=True)
class Face:
    """The text of one box.

    Name and op in the upper border, (label, text, kind) rows inside, `foot` and `count` in the lower border.
    """

    name: str
    op: str
    rows: tuple[tuple[str, str, Kind], ...]
    foot: str = ""
    count: str = ""
    look: Look = Look.PLAIN
    mark: str = ""
    selected: bool = False


@dataclass(frozen=True)
class Thread:
    """A wire to be lit: its straight runs, and whether something flows back along it."""

    runs: tuple[tuple[int, int, int, int], ...]
    backward: bool


@dataclass(frozen=True)
class Window:
    """A rectangle of the drawing: left column, top row, size."""

    x: int
    y: int
    width: int
    height: int


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


def visible_columns(layout: Layout, window: Window) -> range:
    """The layers that a window shows something of."""
    starts = [column.x for column in layout.columns]
    first = max(0, bisect_right(starts, window.x) - 1)
    return range(first, bisect_right(starts, window.x + window.width))


def visible_nodes(layout: Layout, window: Window) -> list[int]:
    """The nodes whose box is in the window, at least in part."""
    low, high = window.y, window.y + window.height
    return [
        node
        for at in visible_columns(layout, window)
        for node in layout.columns[at].boxes
        if layout.boxes[node].y < high and layout.boxes[node].y + layout.boxes[node].height > low
    ]


def node_at(layout: Layout, x: int, y: int) -> int | None:
    """The node whose box covers a cell of the drawing."""
    for node in visible_nodes(layout, Window(x, y, 1, 1)):
        if layout.boxes[node].x <= x < layout.boxes[node].x + layout.boxes[node].width:
            return node
    return None


def paint(
    layout: Layout, window: Window, faces: Mapping[int, Face], threads: Iterable[Thread] = ()
) -> Cells:
    """Paint the wires of a window, then the lit ones, then the boxes that have a face."""
    shape = (window.height, window.width)
    cells = Cells(
        np.full(shape, ord(" "), np.uint32),
        np.zeros(shape, np.uint8),
        np.zeros(shape, np.uint8),
        np.full(shape, -1, np.int32),
    )
    _paint_wires(layout, window, cells)
    for thread in threads:
        _light(thread, window, cells)
    for node in visible_nodes(layout, window):
        if node in faces:
            _paste(layout, node, faces[node], window, cells)
    return cells


class _Strokes:
    """Directions per cell and the value that its wire carries, in coordinates of the drawing, clipped to a window."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.mask = np.zeros((window.height, window.width), np.uint8)
        self.who = np.full((window.height, window.width), -1, np.int32)

    def across(self, y: int, x0: int, x1: int, who: int) -> None:
        """A stroke along a row, both ends included."""
        window = self.window
        y, x0, x1 = y - window.y, x0 - window.x, x1 - window.x
        if 0 <= y < window.height and x1 > x0:
            self.mask[y, max(0, x0) : max(0, x1)] |= RIGHT
            self.mask[y, max(0, x0 + 1) : max(0, x1 + 1)] |= LEFT
            self.who[y, max(0, x0) : max(0, x1 + 1)] = who

    def along(self, x: int, y0: int, y1: int, who: int) -> None:
        """A stroke along a column; where it meets the wire of another value it passes over it."""
        window = self.window
        x, y0, y1 = x - window.x, y0 - window.y, y1 - window.y
        if not 0 <= x < window.width or y1 <= y0:
            return
        inner = slice(max(0, y0 + 1), max(0, y1))
        crossed = (self.who[inner, x] != who) & (self.mask[inner, x] > 0)
        self.mask[inner, x] = np.where(crossed, 0, self.mask[inner, x])
        self.mask[max(0, y0) : max(0, y1), x] |= DOWN
        self.mask[max(0, y0 + 1) : max(0, y1 + 1), x] |= UP
        self.who[inner, x] = who


def _paint_wires(layout: Layout, window: Window, cells: Cells) -> None:
    strokes = _Strokes(window)
    low, high = window.y, window.y + window.height
    columns = [layout.columns[at] for at in visible_columns(layout, window)]
    for column in columns:
        edge = column.x + column.width
        for source, row in column.bends:
            strokes.across(row, column.x - 1, edge, source)
        for wire in column.wires:
            if wire.high < low or wire.low >= high:
                continue
            strokes.across(wire.row, edge + wire.start, edge + wire.turn, wire.source)
            for row in wire.leaves:
                strokes.across(row, edge + wire.turn, column.end - 1, wire.source)
    for column in columns:
        edge = column.x + column.width
        for wire in column.wires:
            if wire.high >= low and wire.low < high:
                strokes.along(edge + wire.turn, wire.low, wire.high, wire.source)
    lut = np.array([ord(glyph) for glyph in JOINTS], np.uint32)
    drawn = strokes.mask > 0
    cells.char[drawn] = lut[strokes.mask[drawn]]
    cells.kind[drawn] = Kind.WIRE
    for node in visible_nodes(layout, window):
        _paint_tips(layout, node, window, cells)


def _paint_tips(layout: Layout, node: int, window: Window, cells: Cells) -> None:
    x = layout.boxes[node].x - 1
    for argument in range(len(layout.graph.inputs[node])):
        y = layout.port(node, argument)
        _put(cells, window, x, y, "▶", Kind.TIP)
        if (y, x) in layout.cut:
            _put(cells, window, x - 1, y, "┄", Kind.WIRE)


def _put(cells: Cells, window: Window, x: int, y: int, glyph: str, kind: Kind) -> None:
    x, y = x - window.x, y - window.y
    if 0 <= x < window.width and 0 <= y < window.height:
        cells.char[y, x], cells.kind[y, x] = ord(glyph), kind


_HEAVY = {ord(light): ord(heavy) for light, heavy in zip(LIGHT, HEAVY, strict=True)}


def _light(thread: Thread, window: Window, cells: Cells) -> None:
    """Redraw a wire in heavy strokes; where something flows back along it, its tip moves to the other end."""
    kind = Kind.BACKWARD if thread.backward else Kind.FORWARD
    for x0, y0, x1, y1 in thread.runs:
        for y in range(max(y0, window.y), min(y1 + 1, window.y + window.height)):
            for x in range(max(x0, window.x), min(x1 + 1, window.x + window.width)):
                old = int(cells.char[y - window.y, x - window.x])
                if y0 == y1 and x0 < x < x1 and old == ord("│"):
                    old = ord("─")
                cells.char[y - window.y, x - window.x] = _HEAVY.get(old, old)
                cells.kind[y - window.y, x - window.x] = kind
    if thread.runs and thread.backward:
        first, last = thread.runs[0], thread.runs[-1]
        _put(cells, window, last[2], last[3], "━", kind)
        _put(cells, window, first[0], first[1], "◀", kind)


def _paste(layout: Layout, node: int, face: Face, window: Window, cells: Cells) -> None:
    box = layout.boxes[node]
    char, kind = stamp(face, box.width, box.height, _sends(layout, node))
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


def _sends(layout: Layout, node: int) -> bool:
    return any(wire.source == node for wire in layout.columns[layout.layer[node]].wires)


@lru_cache(maxsize=4096)
def stamp(face: Face, width: int, height: int, sends: bool) -> tuple[Array, Array]:
    """The characters and kinds of a box with this face, arrays of (height, width)."""
    corner, bar, right, side, low_left, low_right, exit_ = tuple(FRAMES[face.look])
    char = np.full((height, width), ord(" "), np.uint32)
    kind = np.full((height, width), Kind.FRAME, np.uint8)

    def write(y: int, x: int, text: str, what: Kind) -> int:
        text = one_cell_each(text)[: max(0, width - 1 - x)]
        char[y, x : x + len(text)] = [ord(c) for c in text]
        kind[y, x : x + len(text)] = what
        return x + len(text)

    char[0, :], char[-1, :] = ord(bar), ord(bar)
    char[1:-1, 0], char[1:-1, -1] = ord(side), ord(side)
    char[0, 0], char[0, -1], char[-1, 0], char[-1, -1] = map(
        ord, corner + right + low_left + low_right
    )
    if sends:
        char[1, -1] = ord(exit_)
    _write_title(face, width, write)
    for y, (label, text, what) in enumerate(face.rows[: height - 2], start=1):
        write(y, 2, label, Kind.FAINT if what != Kind.GRADIENT else what)
        write(y, max(2, width - 2 - len(text)), text, what)
    if face.foot:
        write(
            height - 1,
            write(height - 1, 1, " " + elide(face.foot, width - 4), Kind.FAINT),
            " ",
            Kind.FRAME,
        )
    if face.count:
        write(height - 1, width - 2 - len(face.count), f" {face.count}", Kind.GRADIENT)
    char.flags.writeable = kind.flags.writeable = False
    return char, kind


def _write_title(face: Face, width: int, write: Any) -> None:
    room = width - 4 - len(face.mark)
    name, op = one_cell_each(face.name), one_cell_each(face.op)
    op = op if len(name) + 1 + len(op) <= room else ""
    opening, closing = ("[", "]") if face.selected else (" ", " ")
    x = write(0, 1, opening, Kind.NAME if face.selected else Kind.FRAME)
    x = write(0, x, elide(name, room), Kind.NAME)
    if op:
        x = write(0, x, " " + op, Kind.OP)
    write(0, x, closing, Kind.NAME if face.selected else Kind.FRAME)
    if face.mark:
        write(0, width - 1 - len(face.mark), face.mark, Kind.MARK)
