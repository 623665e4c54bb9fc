"""Where an arrow covers the end of a line: Graphviz draws the line only up to there."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import hypot

from tracer.diagrams.picture import Point

ARROW = 6.5
"""Points of a line that its arrow covers."""


def shortened(points: list[Point]) -> list[Point]:
    """The line without the length that an arrow covers at its end."""
    if len(points) > 4 and _apart(points[-4], points[-1]) <= ARROW + 0.5:
        return points[:-3]
    (x, y), _, (c, d), (u, v) = points[-4:]
    if abs((c - x) * (v - y) - (d - y) * (u - x)) < 0.1:  # a straight piece
        share = 1 - ARROW / max(_apart((x, y), (u, v)), ARROW)
        end = (x + (u - x) * share, y + (v - y) * share)
        return (
            [*points[:-1], end]
            if _apart((c, d), (u, v)) > ARROW
            else [*points[:-3], points[-3], end, end]
        )
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        far = _apart(_first_part(points[-4:], middle)[3], points[-1]) > ARROW
        low, high = (middle, high) if far else (low, middle)
    return [*points[:-4], *_first_part(points[-4:], low)]


def _first_part(piece: Sequence[Point], share: float) -> list[Point]:
    """The beginning of a Bezier curve, by the construction of de Casteljau."""
    rows = [list(piece)]
    while len(rows[-1]) > 1:
        rows.append(
            [(a + (c - a) * share, b + (d - b) * share) for (a, b), (c, d) in pairwise(rows[-1])]
        )
    return [row[0] for row in rows]


def _apart(one: Point, other: Point) -> float:
    return hypot(one[0] - other[0], one[1] - other[1])
