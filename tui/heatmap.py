"""A matrix as coloured cells: how large a cell is, which colour a number gets, and the scale that says so.

Colours diverge symmetrically about 0. NaN and the infinities have levels of their own. Only the lines that are
looked at are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracer import format as fmt
from tracer.format import MINUS

Array = NDArray[Any]

LEVELS = 63
"""So few that the styles of all pairs of them are soon known: making a style costs more than painting with it."""
NEUTRAL = LEVELS // 2
NAN, PLUS_INF, MINUS_INF, CURSOR, OUTSIDE = -1, -2, -3, -4, -5
EXACT = 4096
"""Of more numbers than this, one in a hundred may lie beyond the scale."""
NARROW_NUMBER, WIDE_NUMBER = 7, 10
MAX_CELL = 6
STEPS, SIGNS = 15, 5
"""Characters of the legend, in colours and in signs."""


class Patch(NamedTuple):
    """A few characters of one line: their text and the levels of ink and paper.

    In half blocks the ink is the upper row.
    """

    text: str
    ink: int
    paper: int


@dataclass(frozen=True)
class Grid:
    """How cells are drawn.

    Characters per column, matrix rows per line (2 are half blocks), and whether numbers are written into them.
    """

    cell: int
    rows: int
    numbers: bool

    def lines(self, rows: int) -> int:
        """How many lines so many matrix rows take."""
        return -(-rows // self.rows)


class Limits(NamedTuple):
    """The scale of the colours: from -top, or from 0 where no number is negative, to top."""

    top: float
    signed: bool

    @property
    def text(self) -> str:
        """The limits in words: `±1.65`, `0…9`."""
        return f"±{fmt.number(self.top, 3)}" if self.signed else f"0…{fmt.number(self.top, 3)}"


def limits(sample: Any) -> Limits:
    """The limits of some numbers: 0 and the largest finite magnitude; of many, that which 99 in 100 stay below.

    1.0 where there is nothing but zeros and non-numbers.

    >>> limits([-4.0, 3.0, float("nan")]), limits([True, False])
    (Limits(top=4.0, signed=True), Limits(top=1.0, signed=False))
    """
    flat = np.asarray(sample).reshape(-1)
    flat = flat[np.isfinite(flat)].astype(np.float64)
    if not flat.size:
        return Limits(1.0, signed=True)
    size = np.abs(flat)
    top = float(size.max() if size.size <= EXACT else np.quantile(size, 0.99))
    return Limits(top or float(size.max()) or 1.0, signed=bool(flat.min() < 0))


def legend(limit: Limits, width: int, *, colour: bool) -> list[Patch]:
    """The colours, or the signs, between the two limits, in at most so many characters; empty where they do not fit.

    >>> "".join(patch.text for patch in legend(Limits(0.5, True), 14, colour=False))
    '−0.5 =-·+# 0.5'
    """
    low = f"{fmt.number(-limit.top, 3)} " if limit.signed else "0 "
    high = f" {fmt.number(limit.top, 3)}"
    room = min(STEPS, width - len(low) - len(high))
    if room < SIGNS:
        return []
    count = room if colour else SIGNS
    steps = np.linspace(0 if limit.signed else NEUTRAL, LEVELS - 1, count).round().astype(int)
    marks = [
        Patch(" " if colour else sign(k), OUTSIDE, k if colour else OUTSIDE) for k in steps.tolist()
    ]
    return [Patch(low, OUTSIDE, OUTSIDE), *marks, Patch(high, OUTSIDE, OUTSIDE)]


def fit(
    shape: tuple[int, int],
    width: int,
    height: int,
    *,
    colour: bool = True,
    number: int = NARROW_NUMBER,
) -> Grid:
    """The largest cells with which a matrix fits a pane; written-out numbers where there is room for them.

    number: the characters that a number needs at least, with a blank on either side.

    >>> fit((4, 3), 44, 10), fit((64, 32), 44, 10)
    (Grid(cell=10, rows=1, numbers=True), Grid(cell=1, rows=2, numbers=False))
    """
    rows, columns = shape
    if columns * number <= width and rows <= max(height, 1):
        return Grid(min(WIDE_NUMBER, width // max(1, columns)), 1, numbers=True)
    if not colour:
        return Grid(1, 1, numbers=False)
    cell = max(1, min(MAX_CELL, width // max(1, columns)))
    return Grid(cell, 1 if rows <= height and cell > 1 else 2, numbers=False)


def levels(row: Array, top: float) -> list[int]:
    """The colour level of each number, 0 for -top, NEUTRAL for 0, LEVELS - 1 for +top.

    Negative for what is no finite number.
    """
    row = np.asarray(row, np.float64)
    finite = np.isfinite(row)
    with np.errstate(all="ignore"):
        level = np.clip(np.rint((row / top + 1.0) * NEUTRAL), 0, LEVELS - 1)
    level = np.where(
        finite, level, np.where(np.isnan(row), NAN, np.where(row > 0, PLUS_INF, MINUS_INF))
    )
    found: list[int] = level.astype(np.int64).tolist()
    return found


@dataclass(frozen=True)
class View:
    """Which part of a matrix is on the screen.

    Its first line and column, how wide the pane is, and the cell that is read.
    """

    top: int
    left: int
    width: int
    cursor: tuple[int, int] | None = None


def line(matrix: Array, y: int, grid: Grid, view: View, top: float) -> list[Patch]:
    """The patches of screen line y (0 is the first one shown); empty below the matrix."""
    first = (view.top + y) * grid.rows
    if first >= matrix.shape[0]:
        return []
    columns = slice(view.left, min(matrix.shape[1], view.left + view.width // grid.cell))
    upper = levels(matrix[first, columns], top)
    if grid.numbers:
        return _numbers(matrix[first, columns], upper, (first, grid.cell), view)
    if grid.rows == 1:
        paper = _with_cursor(upper, first, view)
        return [Patch(" " * grid.cell, level, level) for level in paper]
    upper = _with_cursor(upper, first, view)
    lower = [OUTSIDE] * len(upper)
    if first + 1 < matrix.shape[0]:
        lower = _with_cursor(levels(matrix[first + 1, columns], top), first + 1, view)
    return [Patch("▀" * grid.cell, a, b) for a, b in zip(upper, lower, strict=True)]


def plain_line(matrix: Array, y: int, view: View, top: float) -> str:
    """The same without colours, one character a number: the sign, a dot near 0, capitals of NaN and inf by N and I.

    The cursor is []'s *.
    """
    row = view.top + y
    if row >= matrix.shape[0]:
        return ""
    text = "".join(
        sign(level) for level in levels(matrix[row, view.left : view.left + view.width], top)
    )
    if (
        view.cursor
        and view.cursor[0] == row
        and 0 <= (at := view.cursor[1] - view.left) < len(text)
    ):
        text = text[:at] + "◆" + text[at + 1 :]
    return text


def sign(level: int) -> str:
    """One character for a level, told apart without colour.

    >>> "".join(sign(k) for k in (0, 20, 31, 42, 62, NAN, PLUS_INF))
    '=-·+#NI'
    """
    if level == NAN:
        return "N"
    if level < 0:
        return "I" if level == PLUS_INF else "i"
    away = level - NEUTRAL
    if abs(away) * 20 < NEUTRAL:
        return "·"
    strong = abs(away) > NEUTRAL * 2 // 3
    return ("#" if strong else "+") if away > 0 else ("=" if strong else "-")


def needed(numbers: Array) -> int:
    """The characters that a written number needs: few for truths and small whole numbers.

    >>> needed(np.array([True])), needed(np.array([-12, 3])), needed(np.array([0.5]))
    (3, 5, 7)
    """
    if numbers.dtype.kind == "b":
        return 3
    if numbers.dtype.kind not in "iu" or not numbers.size:
        return NARROW_NUMBER
    return 2 + max(len(str(numbers.min())), len(str(numbers.max())))


def ruler(grid: Grid, view: View, columns: int) -> str:
    """The numbers of the columns above them, as many as there is room for.

    >>> ruler(Grid(1, 2, numbers=False), View(8, 8, 12), 100)
    '  10   15'
    """
    shown = range(view.left, min(columns, view.left + view.width // grid.cell))
    step = next(k for k in _STEPS if k * grid.cell > len(str(columns)))
    text = ""
    for column in shown:
        if column % step == 0:
            place = (column - view.left) * grid.cell
            label = str(column).rjust(grid.cell - 1) if grid.numbers else str(column)
            text = text.ljust(place) + label
    return text


_STEPS = tuple(k * 10**power for power in range(9) for k in (1, 2, 5))


def row_label(grid: Grid, y: int) -> str:
    """The number of the first row of a line, counted from the first line of the matrix; of small cells, some."""
    row = y * grid.rows
    return str(row) if grid.numbers or row % (10 if grid.rows > 1 else 5) == 0 else ""


def _numbers(row: Array, level: Sequence[int], at: tuple[int, int], view: View) -> list[Patch]:
    """The numbers of a row; `at` is the number of the row and the width of a cell."""
    number, width = at
    patches = []
    for column, (value, paper) in enumerate(zip(row.tolist(), level, strict=True), view.left):
        here = view.cursor == (number, column)
        text = short(value, width - 2)
        text = f"[{text}]" if here else f" {text} "
        patches.append(Patch(text.rjust(width), CURSOR if here else OUTSIDE, paper))
    return patches


def short(value: float | int | bool, width: int) -> str:
    """A number in at most `width` characters, with as many digits as fit.

    >>> short(-0.123456, 6), short(123456789.0, 6), short(True, 6), short(True, 1)
    ('−0.123', '1.2e+8', 'True', '1')
    """
    if isinstance(value, bool) and width < len("False"):
        return str(int(value))
    if isinstance(value, (bool, int)):
        text = str(value).replace("-", MINUS)
        return text if len(text) <= width else short(float(value), width)
    for digits in range(6, 0, -1):
        text = f"{value:.{digits}g}".replace("e+0", "e+").replace("e-0", "e-").replace("-", MINUS)
        if len(text) <= width:
            return text
    return text


def _with_cursor(level: list[int], row: int, view: View) -> list[int]:
    if (
        view.cursor
        and view.cursor[0] == row
        and 0 <= (at := view.cursor[1] - view.left) < len(level)
    ):
        level[at] = CURSOR
    return level


def palette(*, dark: bool) -> list[tuple[int, int, int]]:
    """The colour of every level: blue below 0, the paper's own tone at 0, orange-red above.

    Told apart also by those who see no red or green.
    """
    stops = [0.0, 0.25, 0.5, 0.75, 1.0]
    if dark:
        colours = [(66, 146, 255), (44, 84, 150), (30, 34, 41), (158, 74, 44), (255, 138, 76)]
    else:
        colours = [(16, 78, 180), (130, 172, 232), (246, 246, 244), (240, 160, 110), (186, 58, 10)]
    at = np.linspace(0, 1, LEVELS)
    mixed = [np.interp(at, stops, [colour[k] for colour in colours]) for k in range(3)]
    return [
        (round(float(r)), round(float(g)), round(float(b))) for r, g, b in zip(*mixed, strict=True)
    ]
