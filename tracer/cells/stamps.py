"""The characters of one box: its frame, its name and its numbers, or, at less detail, one line or one sign."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.cells.meanings import Kind, Look, mark_kind
from tracer.cells.widths import cut, one_cell_each
from tracer.layered.ports import Shape

Array = NDArray[Any]

FRAMES = {
    Look.PLAIN: "╭─╮│╰╯├┬",
    Look.AHEAD: "╭┄╮┆╰╯├┬",
    Look.CURRENT: "╔═╗║╚╝╠╦",
    Look.OPERAND: "┏━┓┃┗┛┣┳",
    Look.REACHED: "╭─╮│╰╯├┬",
    Look.SELECTED: "╭─╮│╰╯├┬",
}
DOTS = {
    Look.PLAIN: "○",
    Look.AHEAD: "◌",
    Look.CURRENT: "■",
    Look.OPERAND: "□",
    Look.REACHED: "◉",
    Look.SELECTED: "○",
}
"""A node at the least detail."""


@dataclass(frozen=True)
class Face:
    """The text of one box.

    Name and op in the upper border, (label, text, kind) rows inside, `foot` and `count` in the lower border.
    `form` is "box", "line" (the name alone) or "dot".
    """

    name: str
    op: str
    rows: tuple[tuple[str, str, Kind], ...]
    foot: str = ""
    count: str = ""
    look: Look = Look.PLAIN
    mark: str = ""
    selected: bool = False
    form: str = "box"
    count_kind: Kind = Kind.GRADIENT


@lru_cache(maxsize=4096)
def stamp(face: Face, shape: Shape, exit_: tuple[int, int] | None) -> tuple[Array, Array]:
    """The characters and kinds of a box with this face, arrays of (height, width); `exit_` is where its wire leaves."""
    char = np.full((shape.height, shape.width), ord(" "), np.uint32)
    kind = np.full((shape.height, shape.width), Kind.FRAME, np.uint8)
    if face.form == "box":
        front = slice(-1 if shape.shadow else None)
        below = exit_ is not None and exit_[0] == shape.height - 1
        _frame(face, shape, char)
        _write_box(
            face, char[front, front], kind[front, front], exit_[1] if exit_ and below else None
        )
        if exit_ is not None:
            char[exit_] = ord(FRAMES[face.look][7 if below else 6])
            kind[exit_] = Kind.FRAME
    elif face.form == "line":
        _write_line(face, shape, exit_, char, kind)
    else:
        _write_dot(face, shape, exit_, char, kind)
    char.flags.writeable = kind.flags.writeable = False
    return char, kind


def _frame(face: Face, shape: Shape, char: Array) -> None:
    """The frame; behind that of several nodes the edge of a second one shows, right and below."""
    frame = FRAMES[face.look]
    if shape.shadow:
        _edges(frame, char[1:, 1:])
        char[0, -1] = ord(frame[2])
        char[1:-1, -1] = ord(frame[3])
        _edges(frame, char[:-1, :-1])
    else:
        _edges(frame, char)


def _edges(frame: str, char: Array) -> None:
    corner, bar, right, side, low_left, low_right = map(ord, frame[:6])
    char[0, :], char[-1, :] = bar, bar
    char[1:-1, 0], char[1:-1, -1] = side, side
    char[1:-1, 1:-1] = ord(" ")
    char[0, 0], char[0, -1], char[-1, 0], char[-1, -1] = corner, right, low_left, low_right


def _write(char: Array, kind: Array, y: int, x: int, text: str, what: Kind) -> int:
    """Write into a row, up to its last cell but one; returns where the text ends."""
    text = one_cell_each(text)[: max(0, char.shape[1] - 1 - x)]
    char[y, x : x + len(text)] = [ord(c) for c in text]
    kind[y, x : x + len(text)] = what
    return x + len(text)


def _write_box(face: Face, char: Array, kind: Array, exit_: int | None) -> None:
    """The texts of a box; those in the lower border end before the column where a wire leaves it, if one does."""
    height, width = char.shape
    _write_title(face, char, kind)
    for y, (label, text, what) in enumerate(face.rows[: height - 2], start=1):
        _write(char, kind, y, 2, label, Kind.FAINT if what != Kind.GRADIENT else what)
        _write(char, kind, y, max(2, width - 2 - len(text)), text, what)
    low, room = height - 1, width - 2 if exit_ is None else exit_ - 1
    if face.foot:
        space = room - 2 - (len(face.count) + 1 if face.count else 0)
        foot = face.foot if len(face.foot) <= space else face.foot.removesuffix(" rms")
        end = _write(char, kind, low, 1, " " + cut(foot, space), Kind.FAINT)
        _write(char, kind, low, end, " ", Kind.FRAME)
    if face.count:
        _write(char, kind, low, room - len(face.count), f" {face.count}", face.count_kind)


def _write_title(face: Face, char: Array, kind: Array) -> None:
    width = char.shape[1]
    room = width - 4 - len(face.mark)
    name, op = one_cell_each(face.name), one_cell_each(face.op)
    op = op if len(name) + 1 + len(op) <= room else ""
    opening, closing = ("[", "]") if face.selected else (" ", " ")
    bracket = Kind.NAME if face.selected else Kind.FRAME
    x = _write(char, kind, 0, 1, opening, bracket)
    x = _write(char, kind, 0, x, cut(name, room), Kind.NAME)
    if op:
        x = _write(char, kind, 0, x, " " + op, Kind.OP)
    _write(char, kind, 0, x, closing, bracket)
    if face.mark:
        _write(char, kind, 0, width - 1 - len(face.mark), face.mark, mark_kind(face.mark))


def _write_line(
    face: Face, shape: Shape, exit_: tuple[int, int] | None, char: Array, kind: Array
) -> None:
    """Sides and the name between them."""
    side = FRAMES[face.look][3]
    sides = (2 if shape.shadow else 1) + len(face.mark)
    opening, closing = ("[", "]") if face.selected else (" ", " ")
    bracket = Kind.NAME if face.selected else Kind.FRAME
    room = shape.width - sides - (2 if face.mark else 3)  # a mark may stand where the name ends
    name = cut(one_cell_each(face.name), room)
    char[0, 0] = ord(side)
    x = _write(char, kind, 0, 1, opening, bracket)
    x = _write(char, kind, 0, x, name, Kind.NAME)
    _write(char, kind, 0, x, closing, bracket)
    char[0, -1] = ord(side)
    if shape.shadow:
        char[0, -2] = ord(side)
    if face.mark:
        char[0, -sides], kind[0, -sides] = ord(face.mark), mark_kind(face.mark)
    if exit_ is not None and exit_[1] == shape.width - 1:
        char[0, -1] = ord(FRAMES[face.look][6])


def _write_dot(
    face: Face, shape: Shape, exit_: tuple[int, int] | None, char: Array, kind: Array
) -> None:
    """One sign between brackets if it is selected; + stands for several nodes."""
    middle = shape.width // 2
    char[0, middle] = ord(DOTS[face.look])
    kind[0, middle] = Kind.NAME if face.look == Look.CURRENT else Kind.VALUE
    if exit_ is not None and exit_[1] == shape.width - 1:
        char[0, middle + 1 :] = ord("─")
        kind[0, middle + 1 :] = Kind.WIRE
    if shape.shadow:
        char[0, middle + 1], kind[0, middle + 1] = ord("+"), Kind.NAME
    if face.mark:
        char[0, middle + 1], kind[0, middle + 1] = ord(face.mark), mark_kind(face.mark)
    if face.selected:
        char[0, middle - 1], char[0, middle + 1] = ord("["), ord("]")
        kind[0, middle - 1] = kind[0, middle + 1] = Kind.NAME
