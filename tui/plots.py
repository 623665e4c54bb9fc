"""Two curves in a terminal, with axes: lines of text, each made of pieces that say what they show.

A cell of the terminal holds 2 x 4 dots of Braille. The first curve is drawn solid and the second dashed, so they are
told apart without colour; where Braille cannot be written, they are letters. Pure functions of the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracer.format import number
from tui.printing import Line, Piece

Array = NDArray[Any]

OVER = 16
"""How many points of a curve are looked at for every dot to the right: a steep curve must not have gaps."""
DASH = 4
"""Length of a dash and its gap together, in dots along the curve."""
JUMP = 6
"""A curve that moves so many dots between two points next to each other has jumped."""


class Frame(NamedTuple):
    """What part of the plane is drawn, and on how many cells."""

    left: float
    right: float
    low: float
    high: float
    columns: int
    rows: int

    @property
    def points(self) -> Array:
        """The abscissas at which a curve must be known: an odd number, so that a frame about 0 has 0 in it."""
        return np.linspace(self.left, self.right, 2 * self.columns * OVER + 1)


def draw(frame: Frame, solid: Array, dashed: Array, *, braille: bool = True) -> list[Line]:
    """Two curves, given at `frame.points`, with axes and numbers; NaN and inf are not drawn.

    braille: dots, else `*` for the solid curve and `o` for the dashed one.
    """
    one = _cells(frame, solid, dash=False)
    other = _cells(frame, dashed, dash=braille)
    ticks = {_row(frame, y): number(y, 3) for y in nice(frame.low, frame.high, frame.rows // 3)}
    wide = max(map(len, ticks.values()), default=0)
    empty = _grid(frame)
    lines = []
    for row in range(frame.rows):
        label = ticks.get(row, "")
        axis = f"{label:>{wide}} " + ("┤" if label else "│")
        cells = [
            _cell(one[row, k], other[row, k], empty[row][k], braille) for k in range(frame.columns)
        ]
        lines.append((Piece(axis, "faint"), *_joined(cells)))
    return [*lines, *_abscissas(frame, wide)]


def legend(solid: str, dashed: str, *, braille: bool = True) -> Line:
    """A sample of each curve with its name."""
    return (
        Piece("⠤⠤⠤⠤" if braille else "****", "value"),
        Piece(f" {solid}    "),
        Piece("⠤ ⠤ ⠤" if braille else "oooo", "gradient"),
        Piece(f" {dashed}"),
    )


def nice(low: float, high: float, most: int) -> list[float]:
    """Round numbers between two: multiples of 1, 2 or 5 times a power of ten, at most so many.

    >>> nice(-4.2, 4.2, 5), nice(0.0, 1.05, 4)
    ([-4.0, -2.0, 0.0, 2.0, 4.0], [0.0, 0.5, 1.0])
    """
    least = (high - low) / max(most, 1) * (1 - 1e-9)
    power = 10.0 ** math.floor(math.log10(least))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= least)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def _column(frame: Frame, x: float) -> int:
    """The cell of an abscissa."""
    share = (x - frame.left) / (frame.right - frame.left)
    return min(int(share * frame.columns), frame.columns - 1)


def _row(frame: Frame, y: float) -> int:
    """The cell of an ordinate, counted from above."""
    return int(_dot_rows(frame, np.array([y]))[0]) // 4


def _dot_rows(frame: Frame, y: Array) -> Array:
    """The row of dots of each ordinate, as floats: the outermost dots are the ends of the frame."""
    return np.rint((frame.high - y) / (frame.high - frame.low) * (4 * frame.rows - 1))


# The number of the bit of a dot in U+2800, by its row and column in the cell.
_BITS = np.array([[0, 3], [1, 4], [2, 5], [6, 7]])


def _cells(frame: Frame, y: Array, *, dash: bool) -> Array:
    """The dots of a curve in every cell, as bits: int (rows, columns)."""
    cells = np.zeros((frame.rows, frame.columns), dtype=int)
    shown = np.isfinite(y)
    shown[shown] &= (y[shown] >= frame.low) & (y[shown] <= frame.high)
    if dash:
        shown &= _dashes(frame, y)
    column = np.minimum(np.arange(y.size) // OVER, 2 * frame.columns - 1)[shown]
    row = _dot_rows(frame, y[shown]).astype(int)
    np.bitwise_or.at(cells, (row // 4, column // 2), 1 << _BITS[row % 4, column % 2])
    return cells


def _dashes(frame: Frame, y: Array) -> Array:
    """Where a dashed curve has ink, by its length on the screen up to there; a jump has no length."""
    scale = (4 * frame.rows - 1) / (frame.high - frame.low)
    with np.errstate(invalid="ignore", over="ignore"):
        rise = np.abs(np.diff(y)) * scale
    rise[~(rise < JUMP)] = 0
    length = np.concatenate([[0], np.cumsum(np.hypot(rise, 1 / OVER))])
    inked: Array = length % DASH < DASH / 2
    return inked


def _grid(frame: Frame) -> list[list[str]]:
    """What stands where no curve is: thin lines through 0."""
    cells = [[" "] * frame.columns for _ in range(frame.rows)]
    if frame.low < 0 < frame.high:
        cells[_row(frame, 0.0)] = ["┈"] * frame.columns
    if frame.left < 0 < frame.right:
        for row in cells:
            row[_column(frame, 0.0)] = "┊"
    return cells


def _cell(solid: int, dashed: int, empty: str, braille: bool) -> Piece:
    shows = "value" if solid else "gradient" if dashed else "faint"
    if not solid and not dashed:
        return Piece(empty, shows)
    if braille:
        return Piece(chr(0x2800 + int(solid | dashed)), shows)
    return Piece("*" if solid else "o", shows)


def _joined(cells: Sequence[Piece]) -> list[Piece]:
    """Neighbouring pieces that show the same, as one."""
    joined: list[Piece] = []
    for cell in cells:
        if joined and joined[-1].shows == cell.shows:
            joined[-1] = Piece(joined[-1].text + cell.text, cell.shows)
        else:
            joined.append(cell)
    return joined


def _abscissas(frame: Frame, wide: int) -> list[Line]:
    """The axis at the bottom, and its numbers centred below; a minus sign does not count for the centre."""
    axis = ["─"] * frame.columns
    margin = wide + 2
    below = [" "] * (margin + frame.columns + 8)
    for x in nice(frame.left, frame.right, max(frame.columns // 8, 2)):
        at, text = _column(frame, x), number(x, 3)
        axis[at] = "┬"
        signs = text.startswith("−")
        start = max(margin + at - (len(text) - signs) // 2 - signs, 0)
        below[start : start + len(text)] = text
    return [
        (Piece(" " * (margin - 1) + "└" + "".join(axis), "faint"),),
        (Piece("".join(below).rstrip(), "faint"),),
    ]
