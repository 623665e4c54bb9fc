"""Moves the label of a frame to where no line runs: a layout draws edges across it without a thought.

First it slides along the top of its frame; where that has no free stretch, it stands on the frame, or in its lower
edge, or below it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from tracer.diagrams.measure import letters_reach
from tracer.diagrams.picture import Point
from tracer.diagrams.strokes import Curve, Ellipse, Item, Letters, Polygon, Stroke

MARGIN = 8.0
"""Points from the sides of a frame to its label."""
BESIDE = (4.0, 1.0)
"""Points that stay free between a label and a line: as a rule, and where there is little room."""
GAP = 1.5
"""Points between a label and the edge of its frame, where it does not stand in its usual place."""
ROW = 64.0
PIECES = 8

Span = tuple[float, float]
Line = tuple[Point, ...]
STAY: Point = (0.0, 0.0)


class _Label(NamedTuple):
    """Where a label may stand, from left to right; where it stands; and how far down or up else it may go."""

    room: Span
    across: Span
    down: Span
    moves: tuple[float, ...]


def shifts_of(clusters: Sequence[Item], others: Sequence[Item]) -> dict[str, Point]:
    """How far to the right and down the label of each frame has to move; only those that have to and that can.

    >>> frame = Polygon(((0, 0), (99, 0), (99, 50), (0, 50)), "ink")
    >>> label = Letters("scope", (9, 14), 30, "ink", 12)
    >>> edge = Curve(((20, -9), (20, -9), (20, 40), (20, 40)), "wire")
    >>> shifts_of([Item("f0", "cluster", (frame, label))], [Item("e0", "edge", (edge,))])
    {'f0': (15.0, 0.0)}
    """
    labels = {item.key: found for item in clusters if (found := _label_of(item)) is not None}
    if not labels:
        return {}
    rows: dict[int, list[str]] = defaultdict(list)
    for key, label in labels.items():
        low = min(0.0, *label.moves) + label.down[0]
        high = max(0.0, *label.moves) + label.down[1]
        for row in range(int(low // ROW), int(high // ROW) + 1):
            rows[row].append(key)
    blocked: dict[tuple[str, float], list[Span]] = defaultdict(list)
    for key, line in _lines(clusters, others):
        low, high = min(y for _, y in line), max(y for _, y in line)
        near = {
            label
            for row in range(int(low // ROW), int(high // ROW) + 1)
            for label in rows.get(row, ())
        }
        for name in sorted(near - {key}):
            label = labels[name]
            for move in (0.0, *label.moves):
                band = (label.down[0] + move, label.down[1] + move)
                if low <= band[1] and high >= band[0]:
                    blocked[name, move] += _crossed(line, band)
    return {
        key: shift
        for key, label in labels.items()
        if (shift := _shift(key, label, blocked)) != STAY
    }


def moved(clusters: Sequence[Item], shifts: Mapping[str, Point]) -> list[Item]:
    """The frames with their labels where they can be read."""
    return [_moved(item, shifts[item.key]) if item.key in shifts else item for item in clusters]


def _moved(item: Item, shift: Point) -> Item:
    strokes: list[Stroke] = [
        stroke._replace(at=(stroke.at[0] + shift[0], stroke.at[1] + shift[1]))
        if isinstance(stroke, Letters)
        else stroke
        for stroke in item.strokes
    ]
    return item._replace(strokes=tuple(strokes))


def _label_of(item: Item) -> _Label | None:
    letters = [stroke for stroke in item.strokes if isinstance(stroke, Letters)]
    points = [point for line in item.strokes for point in _outline(line)]
    if not letters or not points:
        return None
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    above, below = min(y for _, y in points), max(y for _, y in points)
    reaches = [letters_reach(each.text, each.size) for each in letters]
    top = min(each.at[1] - up for each, (up, _) in zip(letters, reaches, strict=True))
    bottom = max(each.at[1] + deep for each, (_, deep) in zip(letters, reaches, strict=True))
    start = min(each.at[0] for each in letters)
    end = max(each.at[0] + each.room for each in letters)
    moves = (above - GAP - bottom, below - GAP - bottom, below + GAP - top)
    return _Label((left + MARGIN, right - MARGIN), (start, end), (top, bottom), moves)


def _outline(stroke: Stroke) -> Line:
    """A stroke as a chain of straight lines; none for letters and ellipses."""
    if isinstance(stroke, Polygon):
        return stroke.points if stroke.open else (*stroke.points, stroke.points[0])
    if isinstance(stroke, Curve):
        points = [stroke.points[0]]
        for k in range(0, len(stroke.points) - 3, 3):
            piece = stroke.points[k : k + 4]
            straight = piece[0] == piece[1] and piece[2] == piece[3]
            points += [piece[3]] if straight else list(_points_on(piece))
        return tuple(points)
    return ()


def _points_on(piece: Sequence[Point]) -> Iterator[Point]:
    (a, b), (c, d), (e, f), (g, h) = piece
    for step in range(1, PIECES + 1):
        t = step / PIECES
        s = 1 - t
        u, v, w, z = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
        yield (u * a + v * c + w * e + z * g, u * b + v * d + w * f + z * h)


def _lines(clusters: Sequence[Item], others: Sequence[Item]) -> Iterator[tuple[str, Line]]:
    """All lines that are seen, with the key of what they belong to; a shape is all of its box, and so are letters."""
    for item in (*clusters, *others):
        boxes: list[Point] = []
        for stroke in item.strokes:
            if isinstance(stroke, Letters):
                (x, y), (up, deep) = stroke.at, letters_reach(stroke.text, stroke.size)
                boxes += [(x, y - up), (x + stroke.room, y + deep)]
                if item.kind == "cluster":
                    yield item.key, _hatched(boxes)
                    boxes = []
            elif isinstance(stroke, Ellipse):
                (x, y), (across, up) = stroke.middle, stroke.radii
                boxes += [(x - across, y - up), (x + across, y + up)]
            elif item.kind == "shape":
                boxes += stroke.points
            elif stroke.line:
                yield item.key, _outline(stroke)
        if boxes:
            yield item.key, _hatched(boxes)


def _hatched(points: Sequence[Point]) -> Line:
    """The box around points as so dense a hatching that no band passes through it."""
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    rows = [top + (bottom - top) * k / 8 for k in range(9)]
    line: list[Point] = []
    for k, y in enumerate(rows):
        line += [(left, y), (right, y)] if k % 2 else [(right, y), (left, y)]
    return tuple(line)


def _crossed(line: Line, band: Span) -> Iterator[Span]:
    """Where a line runs within a band: stretches of x."""
    top, bottom = band
    for (x0, y0), (x1, y1) in pairwise(line):
        if y0 > y1:
            (x0, y0), (x1, y1) = (x1, y1), (x0, y0)
        if y1 < top or y0 > bottom:
            continue
        if y1 - y0 < 1e-9:
            yield (min(x0, x1), max(x0, x1))
            continue
        start = x0 + (x1 - x0) * max(0.0, (top - y0) / (y1 - y0))
        end = x0 + (x1 - x0) * min(1.0, (bottom - y0) / (y1 - y0))
        yield (min(start, end), max(start, end))


def _shift(key: str, label: _Label, blocked: Mapping[tuple[str, float], Sequence[Span]]) -> Point:
    """The least way to a stretch that is free; none where the label is fine, or where there is no such stretch."""
    start, end = label.across
    if not any(left < end and right > start for left, right in blocked.get((key, 0.0), ())):
        return STAY
    for beside in BESIDE:
        for move in (0.0, *label.moves):
            across = _free(label, blocked.get((key, move), ()), beside)
            if across is not None:
                return (round(across - start, 2), round(move, 2))
    return STAY


def _free(label: _Label, blocked: Sequence[Span], beside: float) -> float | None:
    """The left end of the free stretch that is nearest to where the label stands."""
    start, wide = label.across[0], label.across[1] - label.across[0]
    lines = [(left - beside, right + beside) for left, right in blocked]
    least, most = label.room[0], label.room[1] - wide
    starts = [
        start,
        least,
        most,
        *(right for _, right in lines),
        *(left - wide for left, _ in lines),
    ]
    free = [
        each
        for each in starts
        if least <= each <= most
        and not any(left < each + wide and right > each for left, right in lines)
    ]
    return min(free, key=lambda each: (abs(each - start), each)) if free else None
