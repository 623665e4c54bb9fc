"""Lines of a placed figure: where they leave one shape and enter another, and the points in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot, sqrt

from tracer.diagrams.layout.sizes import PILL, WIRE_RISE, is_round
from tracer.diagrams.moments import Moment
from tracer.diagrams.over_time.step_shapes import shape_width
from tracer.diagrams.picture import Card, Edge, Gate, Joint, Pane, Point, Role, Shape, Side, Wire

UP, DOWN = 21.0, 23.0
"""How far the texts of a wire reach above and below its rule."""


@dataclass(frozen=True)
class Spot:
    """The middle of a shape, and how far it reaches to the sides, up and down."""

    x: float
    y: float
    wide: float = 0.0
    up: float = 0.0
    down: float = 0.0
    round: bool = False

    def end(self, side: Side, toward: Point) -> Point:
        """Where a line from or to another point touches the shape."""
        if self.round and not side:
            far = hypot(toward[0] - self.x, toward[1] - self.y) or 1.0
            share = self.wide / far
            return self.x + (toward[0] - self.x) * share, self.y + (toward[1] - self.y) * share
        if not side:
            if abs(toward[0] - self.x) > self.wide:
                side = "e" if toward[0] > self.x else "w"
            else:
                side = "n" if toward[1] > self.y else "s"
        return {
            "n": (self.x, self.y + self.up),
            "s": (self.x, self.y - self.down),
            "e": (self.x + self.wide, self.y),
            "w": (self.x - self.wide, self.y),
        }[side]


def spots_of(shapes: Iterable[Shape]) -> dict[str, Spot]:
    """Where lines find the shapes, by key."""
    return {shape.key: _spot(shape) for shape in shapes if shape.at is not None}


def _spot(shape: Shape) -> Spot:
    assert shape.at is not None
    x, y = shape.at
    if isinstance(shape, Wire):
        return Spot(x, y + WIRE_RISE, shape.width / 2 + 1, UP, DOWN)
    if isinstance(shape, Gate):
        half = shape_width(shape) / 2
        if is_round(shape):
            return Spot(x, y, half, half, half, round=True)
        return Spot(x, y, half, PILL / 2, PILL / 2)
    if isinstance(shape, Pane):
        return Spot(x, y, shape.size[0] / 2, shape.size[1] / 2, shape.size[1] / 2)
    if isinstance(shape, Card):
        return Spot(x, y, shape.width / 2, 12.5, 12.5)
    return Spot(x, y, 0.0 if isinstance(shape, Joint) else 10.0)


@dataclass(frozen=True)
class Lines:
    """Draws lines between shapes that have their places."""

    moment: Moment
    spots: Mapping[str, Spot]

    def between(
        self,
        root: int,
        tail: str,
        head: str,
        tail_side: Side = "",
        head_side: Side = "",
        *,
        arrow: bool = True,
        moving: bool = False,
        cut: bool = False,
        via: Sequence[Point] = (),
        stop: Point | None = None,
    ) -> Edge:
        """A line that belongs to the node `root`: dashed while that lies ahead, red while a flow runs along it.

        A line that a detach cuts is dashed and grey: no flow will come back along it.
        """
        ahead = not self.moment.has_run(root)
        role: Role = "gradient" if moving else "ahead" if ahead else "quiet" if cut else "wire"
        one, other = self.spots[tail], self.spots[head]
        start = one.end(tail_side, via[0] if via else (other.x, other.y))
        end = other.end(head_side, via[-1] if via else (one.x, one.y))
        if len(via) > 1 and other.round and abs(via[-1][1] - other.y) < other.wide:
            y = via[-1][1]
            aside = sqrt(other.wide**2 - (y - other.y) ** 2)
            end = (other.x + (aside if via[-1][0] > other.x else -aside), y)
        elif (
            len(via) > 1
            and 0 < abs(via[-1][1] - other.y) < other.up
            and abs(via[-1][0] - other.x) > other.wide
        ):
            end = (other.x + (other.wide if via[-1][0] > other.x else -other.wide), via[-1][1])
        if stop is not None:
            end = stop
        return Edge(
            tail,
            head,
            tail_side,
            head_side,
            arrow,
            role,
            dashed=ahead or cut,
            heavy=moving,
            path=straight(start, *via, end),
        )


def straight(*points: Point) -> tuple[Point, ...]:
    """Straight pieces from point to point, as curves.

    >>> straight((0, 0), (3, 0))
    ((0, 0), (0, 0), (3, 0), (3, 0))
    """
    path: list[Point] = [points[0]]
    for one, other in pairwise(points):
        path += [one, other, other]
    return tuple(path)
