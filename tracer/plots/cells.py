"""Paints the marks of a plot into an array of character cells: dots of Braille, blocks, signs and letters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tracer.cells.pieces import Piece
from tracer.plots.frame import Frame, outline, unit_of
from tracer.plots.lines import level_lines, pieces
from tracer.plots.looks import Look
from tracer.plots.record import (
    Array,
    Band,
    Contours,
    Curve,
    Histogram,
    Plot,
    Points,
    Trajectory,
)

DASH = 4
"""Length of a dash and its gap together, in dots along the curve."""
SIGNS_APART = 26
"""Dots along a curve between two of its signs."""
MANY = 150
"""More points than this are dots, not signs."""
BLOCKS = " ▁▂▃▄▅▆▇█"

# The number of the bit of a dot in U+2800, by its row and column in the cell.
_BITS = np.array([[0, 3], [1, 4], [2, 5], [6, 7]])


class Canvas:
    """Cells to paint on: the dots of each, a sign that hides them, and whose dots and signs they are."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.dots = np.zeros((rows, columns), dtype=int)
        self.signs = np.full((rows, columns), " ")
        self.owner = np.full((rows, columns), -1)
        self.signed = np.full((rows, columns), -1)
        self.looks: list[tuple[str, str]] = []

    def brush(self, colour: str, letter: str) -> int:
        """A number for what is painted next: what it shows, and its letter where there is no Braille."""
        self.looks.append((colour, letter))
        return len(self.looks) - 1

    def dot(self, points: Array, brush: int) -> None:
        """Paint dots at places of the unit square. points: float (n, 2)."""
        x, y = self._dots(points)
        np.bitwise_or.at(self.dots, (y // 4, x // 2), 1 << _BITS[y % 4, x % 2])
        self.owner[y // 4, x // 2] = brush

    def sign(self, points: Array, sign: str, brush: int) -> None:
        """Put a sign into the cells at places of the unit square."""
        x, y = self._dots(points)
        self.signs[y // 4, x // 2] = sign
        self.signed[y // 4, x // 2] = brush

    def pieces(self, row: int, empty: str, *, braille: bool) -> list[Piece]:
        """A row of cells; neighbours that show the same are one piece. empty: what stands where nothing is."""
        joined: list[Piece] = []
        for column in range(self.columns):
            dots, sign = int(self.dots[row, column]), str(self.signs[row, column])
            if sign != " ":
                text, colour = sign, self.looks[self.signed[row, column]][0]
            elif dots:
                colour, letter = self.looks[self.owner[row, column]]
                text = chr(0x2800 + dots) if braille else letter
            else:
                text, colour = empty[column], "faint"
            if joined and joined[-1].shows == colour:
                joined[-1] = Piece(joined[-1].text + text, colour)
            else:
                joined.append(Piece(text, colour))
        return joined

    def _dots(self, points: Array) -> tuple[Array, Array]:
        """Column and row of dots: the outermost rows of dots are the ends of the frame."""
        x = np.floor(points[:, 0] * 2 * self.columns + 1e-9)
        y = np.rint((1 - points[:, 1]) * (4 * self.rows - 1))
        last = (2 * self.columns - 1, 4 * self.rows - 1)
        return np.clip(x, 0, last[0]).astype(int), np.clip(y, 0, last[1]).astype(int)


class _Walk(NamedTuple):
    """Places along a line, at most half a dot apart, and how many dots lie before each."""

    points: Array
    length: Array


def painted(
    canvas: Canvas, plot: Plot, frame: Frame, looks: dict[str, Look], *, braille: bool
) -> None:
    """Paint the marks: areas and surfaces first, then curves; where two meet, the earlier one gives the colour."""
    bars = sum(isinstance(mark, Histogram) for mark in plot.marks)
    order = {Contours: 0, Band: 1, Histogram: 2, Curve: 3, Trajectory: 3, Points: 4}
    latest_first = list(reversed(plot.marks))
    for mark in sorted(latest_first, key=lambda mark: order[type(mark)]):
        look = looks[mark.label]
        brush = canvas.brush(look.colour, look.letter)
        match mark:
            case Contours():
                _contours(canvas, mark, frame, brush)
            case Band():
                _band(canvas, mark, frame, canvas.brush(look.colour, "."))
            case Histogram() if bars == 1:
                _bars(canvas, mark, frame, brush, braille=braille)
            case Histogram():
                _line(canvas, outline(mark, frame), look, brush, braille=braille)
            case Points():
                _points(canvas, unit_of(mark, frame), look, brush, braille=braille)
            case Curve() | Trajectory():
                _line(canvas, unit_of(mark, frame), look, brush, braille=braille)
    for mark in plot.marks:
        if isinstance(mark, Trajectory):
            _ends(canvas, unit_of(mark, frame), canvas.brush(looks[mark.label].colour, ""))


def _walk(canvas: Canvas, line: Array) -> _Walk:
    size = np.array([2 * canvas.columns, 4 * canvas.rows - 1])
    way = np.diff(line, axis=0)
    count = np.ceil(2 * np.abs(way * size).max(axis=1)).astype(int) + 1
    which = np.repeat(np.arange(len(way)), count)
    share = (np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)) / count[which]
    steps = np.hypot(*(way * size).T)
    length = (np.cumsum(steps) - steps)[which] + share * steps[which]
    points = np.concatenate([line[:-1][which] + share[:, None] * way[which], line[-1:]])
    return _Walk(points, np.append(length, steps.sum()))


def _line(canvas: Canvas, unit: Array, look: Look, brush: int, *, braille: bool) -> None:
    before = 0.0
    for line in pieces(unit, 4 * canvas.columns):
        if len(line) == 1:
            canvas.sign(line, (look.sign.strip() or "•") if braille else look.letter, brush)
            continue
        points, length = _walk(canvas, line)
        inked = (before + length) % DASH < DASH / 2 if look.dashed and braille else length >= 0
        before += length[-1]
        canvas.dot(points[inked], brush)
        if braille and look.sign != " ":
            count = max(int(length[-1] / SIGNS_APART), 1)
            phase = 0.25 + 0.17 * (brush % 4)
            at = np.searchsorted(length, (np.arange(count) + phase) / count * length[-1])
            canvas.sign(points[at], look.sign, brush)


def _ends(canvas: Canvas, unit: Array, brush: int) -> None:
    there = np.flatnonzero(((unit >= 0) & (unit <= 1)).all(axis=1))
    if there.size:
        canvas.sign(unit[there[:1]], "S", brush)
        canvas.sign(unit[there[-1:]], "E", brush)


def _points(canvas: Canvas, unit: Array, look: Look, brush: int, *, braille: bool) -> None:
    unit = unit[((unit >= 0) & (unit <= 1)).all(axis=1)]
    if len(unit) > MANY:
        canvas.dot(unit, brush)
    else:
        canvas.sign(unit, (look.sign.strip() or "•") if braille else look.letter, brush)


def _contours(canvas: Canvas, mark: Contours, frame: Frame, brush: int) -> None:
    x, y, z = (np.asarray(each) for each in (mark.x, mark.y, mark.z))
    for level in np.asarray(mark.levels):
        for line in level_lines(frame.x.shares(x), frame.y.shares(y), z, float(level)):
            for piece in pieces(line, 4 * canvas.columns):
                points, length = _walk(canvas, piece)
                canvas.dot(points[length % 3 < 1], brush)


def _band(canvas: Canvas, mark: Band, frame: Frame, brush: int) -> None:
    """Every fourth dot of the area."""
    ends = (np.asarray(each) for each in (mark.low, mark.high))
    x, low, high = (
        frame.x.shares(np.asarray(mark.x)),
        *(frame.y.shares(each) for each in ends),
    )
    there = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
    if not there.any():
        return
    across = (np.arange(2 * canvas.columns) + 0.5) / (2 * canvas.columns)
    up = 1 - np.arange(4 * canvas.rows) / (4 * canvas.rows - 1)
    order = np.argsort(x[there], kind="stable")
    bottom, top = (
        np.interp(across, x[there][order], each[there][order], left=np.nan, right=np.nan)
        for each in (np.fmin(low, high), np.fmax(low, high))
    )
    filled = (up[:, None] >= bottom) & (up[:, None] <= top)
    rows, columns = np.nonzero(filled)
    sparse = (columns + 2 * rows) % 4 == 0
    canvas.dot(np.stack([across[columns[sparse]], up[rows[sparse]]], axis=1), brush)


def _bars(canvas: Canvas, mark: Histogram, frame: Frame, brush: int, *, braille: bool) -> None:
    """Each column as high as the highest bin in it; a bin that is not empty is seen."""
    edges = frame.x.shares(np.asarray(mark.edges))
    heights = np.clip(np.nan_to_num(frame.y.shares(np.asarray(mark.counts))), 0, 1)
    sides = np.arange(canvas.columns + 1) / canvas.columns
    first = np.searchsorted(edges, sides[:-1] + 1e-9, side="right") - 1
    behind = np.searchsorted(edges, sides[1:] - 1e-9)
    for column, (a, b) in enumerate(zip(first, behind, strict=True)):
        inside = heights[max(a, 0) : b]
        if not inside.size or not inside.any():
            continue
        eighths = max(round(float(inside.max()) * 8 * canvas.rows), 1)
        for up in range(-(-eighths // 8)):
            sign = BLOCKS[min(eighths - 8 * up, 8)]
            row = canvas.rows - 1 - up
            canvas.signs[row, column] = sign if braille else "#"
            canvas.signed[row, column] = brush
