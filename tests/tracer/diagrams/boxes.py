"""Boxes around what is drawn: letters as boxes of ink, curves as chains of points."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tracer.diagrams.measure import letters_reach, letters_width
from tracer.diagrams.strokes import Curve, Ellipse, Letters, Point, Polygon, Stroke
from tracer.diagrams.writers.svg import LOWER


class Box(NamedTuple):
    """A rectangle on the page, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> tuple[float, float]:
        """By how much two boxes overlap, across and down; not positive where they do not."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across, down

    def holds(self, other: Box, slack: float) -> bool:
        """Whether the other lies inside."""
        return (
            self.left - slack <= other.left
            and self.top - slack <= other.top
            and self.right + slack >= other.right
            and self.bottom + slack >= other.bottom
        )

    def grown(self, by: float) -> Box:
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)


def ink(letters: Letters) -> Box:
    """Where the ink of letters lies."""
    wide = letters_width(letters.text.rstrip(), letters.size, letters.bold)
    wide = min(wide, letters.room) if letters.room else wide
    x, y = letters.at
    y += LOWER * letters.size if letters.lowered else 0.0
    above, below = letters_reach(letters.text, letters.size)
    return Box(x, y - above, x + wide, y + below)


def outline(strokes: Iterable[Stroke]) -> Box | None:
    """The box around what frames an item: closed shapes only."""
    boxes = [
        extent(stroke)
        for stroke in strokes
        if isinstance(stroke, (Ellipse, Curve, Polygon))
        and not (isinstance(stroke, Polygon) and stroke.open)
    ]
    return around(boxes) if boxes else None


def extent(stroke: Stroke) -> Box:
    """The box around a stroke."""
    if isinstance(stroke, Letters):
        return ink(stroke)
    if isinstance(stroke, Ellipse):
        (x, y), (across, up) = stroke.middle, stroke.radii
        return Box(x - across, y - up, x + across, y + up)
    points = line_of(stroke)
    return Box(
        min(x for x, _ in points),
        min(y for _, y in points),
        max(x for x, _ in points),
        max(y for _, y in points),
    )


def around(boxes: Iterable[Box]) -> Box:
    """The box around boxes."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return Box(min(left), min(top), max(right), max(bottom))


def line_of(stroke: Stroke) -> tuple[Point, ...]:
    """A stroke as a chain of points: curves in eight pieces each, an ellipse in 24."""
    if isinstance(stroke, Polygon):
        return stroke.points if stroke.open else (*stroke.points, stroke.points[0])
    if isinstance(stroke, Curve):
        points = [stroke.points[0]]
        for k in range(0, len(stroke.points) - 3, 3):
            points += [_on_curve(stroke.points[k : k + 4], t / 8) for t in range(1, 9)]
        return tuple(points)
    return ()


def _on_curve(piece: tuple[Point, ...], t: float) -> Point:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    x = sum(w * p[0] for w, p in zip(weights, piece, strict=True))
    y = sum(w * p[1] for w, p in zip(weights, piece, strict=True))
    return (x, y)
