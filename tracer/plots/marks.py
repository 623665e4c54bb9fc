"""The marks of a plot as strokes: lines with dashes and signs, areas, steps, points, paths with arrows, contours."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tracer.diagrams.measure import letters_width
from tracer.diagrams.strokes import Dash, Ellipse, Letters, Point, Polygon, Stroke
from tracer.format import number
from tracer.plots.frame import Frame, outline, unit_of
from tracer.plots.lines import level_lines, pieces, straightened
from tracer.plots.looks import Look
from tracer.plots.record import (
    Array,
    Band,
    Contours,
    Curve,
    Histogram,
    Mark,
    Points,
    Trajectory,
)

LINE = 1.7
"""How thick a curve is, in points."""
SIGN = 3.2
"""From the middle of a sign to its side."""
SIGNS_APART = 72.0
"""Points along a curve between two of its signs."""
STRAIGHT = 0.03
"""How far from a straight line, in points, what is drawn straight may be."""
SHADE = 0.2
"""How dense the colour of an area is."""
MOST_POINTS = 4000
"""Of more points than this that differ on the page, some are left out."""
ARROWS = (0.18, 0.45, 0.75)
"""Where along a path its arrows are, as shares of its length."""


class Area(NamedTuple):
    """A rectangle of the page that stands for the unit square."""

    left: float
    top: float
    width: float
    height: float

    def at(self, x: float, y: float) -> Point:
        """A place of the unit square on the page."""
        return (self.left + float(x) * self.width, self.top + (1 - float(y)) * self.height)

    def along(self, unit: Array) -> tuple[Point, ...]:
        """Places of the unit square, float (n, 2), on the page."""
        return tuple(self.at(x, y) for x, y in unit.tolist())

    def path(self, unit: Array) -> tuple[Point, ...]:
        """A line through places of the unit square on the page, without the points that nobody would miss."""
        return self.along(straightened(unit * self[2:], STRAIGHT) / self[2:])


def mark_strokes(mark: Mark, look: Look, frame: Frame, area: Area) -> Iterator[Stroke]:
    """What a mark looks like on an area of the page."""
    match mark:
        case Curve():
            yield from _line(unit_of(mark, frame), look, area)
        case Band():
            yield from _band(mark, look, frame, area)
        case Histogram():
            steps = np.clip(outline(mark, frame), 0, 1)
            yield Polygon(area.along(steps), "", look.colour, opacity=SHADE)
            yield from _line(steps, look, area, width=1.1)
        case Points():
            yield from _points(unit_of(mark, frame), look, area)
        case Trajectory():
            yield from _path(unit_of(mark, frame), look, area)
        case Contours():
            yield from _contours(mark, frame, area)


def sample_strokes(mark: Mark, look: Look, area: Area) -> Iterator[Stroke]:
    """A small piece of what a mark looks like, for a legend."""
    level = np.array([[0.0, 0.5], [1.0, 0.5]])
    match mark:
        case Band() | Histogram():
            yield Polygon(area.along(_CORNERS), "", look.colour, opacity=SHADE)
            side = Polygon(area.along(_CORNERS[1:3]), look.colour, width=1.1, open=True)
            dash: Dash = "dotted" if isinstance(mark, Band) else "dashed" if look.dashed else ""
            yield side._replace(dash=dash)
        case Points():
            yield sign_stroke(look.sign, area.at(0.5, 0.5), look.colour)
        case Contours():
            yield Polygon(area.along(level), "ahead", width=0.8, open=True)
        case _:
            yield from _line(level, look, area)


_CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])


def _line(unit: Array, look: Look, area: Area, width: float = LINE) -> Iterator[Stroke]:
    dash: Dash = "dashed" if look.dashed else ""
    found = pieces(unit, int(2 * area.width))
    for piece in found:
        if len(piece) == 1:
            yield sign_stroke(look.sign, area.at(*piece[0]), look.colour)
            continue
        yield Polygon(area.path(piece), look.colour, width=width, dash=dash, open=True)
        if len(found) == 1 or _length(piece, area)[-1] > SIGNS_APART / 2:
            yield from _signs(piece, look, area)


def _signs(piece: Array, look: Look, area: Area) -> Iterator[Stroke]:
    """The signs along a line; those of different lines stand at different places."""
    if look.sign == " ":
        return
    length = _length(piece, area)
    count = max(int(length[-1] / SIGNS_APART), 1)
    phase = 0.5 if count == 1 else 0.2 + 0.13 * (ord(look.sign) % 5)
    for share in (np.arange(count) + phase) / count:
        yield sign_stroke(look.sign, area.at(*_place(piece, length, share)), look.colour)


def _length(piece: Array, area: Area) -> Array:
    """How far along a line each of its points lies, on the page."""
    steps = np.hypot(*(np.diff(piece, axis=0) * [area.width, area.height]).T)
    return np.concatenate([[0.0], np.cumsum(steps)])


def _place(piece: Array, length: Array, share: float) -> tuple[float, float]:
    at = share * length[-1]
    return float(np.interp(at, length, piece[:, 0])), float(np.interp(at, length, piece[:, 1]))


def sign_stroke(sign: str, at: Point, colour: str, size: float = SIGN) -> Stroke:
    """A sign around a place; hollow ones show the paper."""
    (x, y), fill = at, "paper" if sign in "○□△◇" else colour
    if sign in "■□":
        far = 0.85 * size
        corners = [(x - far, y - far), (x + far, y - far), (x + far, y + far), (x - far, y + far)]
    elif sign in "▲△":
        corners = [(x, y - 1.15 * size), (x + size, y + 0.8 * size), (x - size, y + 0.8 * size)]
    elif sign in "◆◇":
        far = 1.2 * size
        corners = [(x, y - far), (x + far, y), (x, y + far), (x - far, y)]
    else:
        return Ellipse(at, (size, size), colour, fill, 1.2)
    return Polygon(tuple(corners), colour, fill, 1.2)


def _band(mark: Band, look: Look, frame: Frame, area: Area) -> Iterator[Stroke]:
    """A translucent area with dotted sides, in as many parts as it has."""
    x = frame.x.shares(np.asarray(mark.x))
    sides = [frame.y.shares(np.asarray(each)) for each in (mark.low, mark.high)]
    lost = ~np.isfinite(x + sides[0] + sides[1])
    for run in np.split(np.arange(x.size), np.flatnonzero(np.diff(lost)) + 1):
        if lost[run].any() or run.size < 2:
            continue
        kept = run[:: max(run.size // int(2 * area.width), 1)]
        low, high = (np.clip(np.stack([x[kept], y[kept]], axis=1), 0, 1) for y in sides)
        yield Polygon(area.along(np.concatenate([low, high[::-1]])), "", look.colour, opacity=SHADE)
        for side in (low, high):
            yield Polygon(area.path(side), look.colour, width=0.7, dash="dotted", open=True)


def _contours(mark: Contours, frame: Frame, area: Area) -> Iterator[Stroke]:
    """Thin lines, the longest of each height with its number where there is room."""
    x, y = frame.x.shares(np.asarray(mark.x)), frame.y.shares(np.asarray(mark.y))
    taken: list[Point] = []
    for level in np.asarray(mark.levels).tolist():
        found = level_lines(x, y, np.asarray(mark.z), level)
        lines = [piece for line in found for piece in pieces(line, int(2 * area.width))]
        for line in lines:
            yield Polygon(area.path(line), "ahead", width=0.8, open=True, opacity=0.6)
        longest = max(lines, key=lambda line: _length(line, area)[-1], default=None)
        if longest is None or _length(longest, area)[-1] < 60:
            continue
        text = number(level, 3)
        wide = letters_width(text, 8)
        for share in (0.5, 0.3, 0.7, 0.15, 0.85):
            a, b = area.at(*_place(longest, _length(longest, area), share))
            if all(math.hypot(a - c, b - d) > 24 for c, d in taken):
                taken.append((a, b))
                corners = [(a - wide / 2 - 1.5, b + side * 5) for side in (-1, 1)]
                corners += [(a + wide / 2 + 1.5, b - side * 5) for side in (-1, 1)]
                yield Polygon(tuple(corners), "", "paper", opacity=0.85)
                yield Letters(text, (a - wide / 2, b + 2.9), wide, "quiet", 8)
                break


def _points(unit: Array, look: Look, area: Area) -> Iterator[Stroke]:
    unit = unit[((unit >= 0) & (unit <= 1)).all(axis=1)]
    places = np.unique(np.round(unit * [area.width, area.height]), axis=0)
    if len(places) < len(unit) // 2:
        unit = places / [area.width, area.height]
    unit = unit[:: -(-len(unit) // MOST_POINTS) or 1]
    size = SIGN if len(unit) < 200 else 1.6
    for point in unit:
        yield sign_stroke(look.sign, area.at(*point), look.colour, size)


def _path(unit: Array, look: Look, area: Area) -> Iterator[Stroke]:
    """A line with arrows from a ring to a disc."""
    yield from _line(unit, look, area)
    for piece in pieces(unit, int(2 * area.width))[:1]:
        length = _length(piece, area) if len(piece) > 1 else np.zeros(1)
        if length[-1] > 40:
            yield from (_arrow(piece, length, share, look, area) for share in ARROWS)
    there = unit[((unit >= 0) & (unit <= 1)).all(axis=1)]
    if len(there):
        yield Ellipse(area.at(*there[0]), (4.2, 4.2), look.colour, "paper", 1.6)
        yield Ellipse(area.at(*there[-1]), (4.2, 4.2), look.colour, look.colour, 1.6)


def _arrow(piece: Array, length: Array, share: float, look: Look, area: Area) -> Polygon:
    tip = area.at(*_place(piece, length, share))
    tail = area.at(*_place(piece, length, max(share - 6 / length[-1], 0.0)))
    angle = math.atan2(tip[1] - tail[1], tip[0] - tail[0])
    wings = [
        (tip[0] - 8 * math.cos(angle + turn), tip[1] - 8 * math.sin(angle + turn))
        for turn in (-0.42, 0.42)
    ]
    return Polygon((tip, *wings), look.colour, look.colour, 0.6)
