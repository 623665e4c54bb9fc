"""Draws a placed picture without Graphviz: thousands of shapes that have their places need no other process.

The strokes are those that Graphviz makes of the same picture, but for fractions of a point.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import singledispatch
from math import hypot

from tracer.diagrams.layout.arrows import ARROW, shortened
from tracer.diagrams.layout.drawn import HEAD, PAD, WIRE, Layout
from tracer.diagrams.layout.sizes import WIRE_RISE, is_round, size_of
from tracer.diagrams.measure import LOWERED, letters_width, text_width
from tracer.diagrams.picture import (
    Caption,
    Card,
    Edge,
    Gate,
    Joint,
    Pane,
    Picture,
    Point,
    Shape,
    Text,
)
from tracer.diagrams.picture import Wire as WireShape
from tracer.diagrams.strokes import Curve, Dash, Drawn, Ellipse, Item, Letters, Polygon, Stroke

BASE = 0.235
"""How far below the middle of a line its base line is, in ems."""
ABOVE, BELOW = 12.4, 11.6
"""From the rule of a wire to the middles of the lines above and below it."""
GAP = 5.0
"""Points between a name and its value."""
ROUNDING, CARD_ROUNDING = 12.0, 7.7
"""Radii of the corners of panes and of cards; a pill has those of a pane."""
FOOT = 10.8
"""From the foot of a pane up to the middle of its name."""
ROUND = 0.5
"""Where a rounded corner's curve is pulled to, in parts of the radius from the corner."""
LINE = 12.0
"""Points from one line of the caption to the next."""
FEATHER = (
    (0.0, 0.0),
    (6.5, 2.93),
    (3.25, 0.15),
    (6.5, 0.15),
    (6.5, -0.15),
    (3.25, -0.15),
    (6.5, -2.93),
)
"""An arrow's outline: how far behind its tip, and how far aside."""


def can_draw(picture: Picture) -> bool:
    """Whether everything in a picture is placed, and of a kind that is drawn here."""
    return (
        picture.placed
        and not picture.clusters
        and not any(edge.label for edge in picture.edges)
        and not any(
            isinstance(shape, Card) and (shape.rows or shape.note) for shape in picture.shapes
        )
    )


def drawn_directly(picture: Picture) -> Layout:
    """The layout of a picture that `can_draw` allows."""
    spots = {shape.key: shape.at for shape in picture.shapes if shape.at is not None}
    paths = {
        f"e{number}": edge.path or _between(spots[edge.tail], spots[edge.head])
        for number, edge in enumerate(picture.edges)
        if not edge.hidden
    }
    left, low, right, high = _extent(picture, paths.values())
    page = _Page(PAD - left, PAD + high)
    below = any(isinstance(shape, Pane) for shape in picture.shapes)
    shapes = [Item(shape.key, "shape", page.strokes(shape), shape.tip) for shape in picture.shapes]
    edges = [
        Item(f"e{number}", "edge", tuple(_line(edge, page.points(paths[f"e{number}"]))), edge.tip)
        for number, edge in enumerate(picture.edges)
        if not edge.hidden
    ]
    width, height = right - left + 2 * PAD, high - low + 2 * PAD
    said: list[Letters] = []
    for line in picture.caption:
        said += _letters(line, PAD + 8, height - PAD + LINE / 2 + 4)
        height += LINE
        width = max(width, text_width(line) + 2 * PAD + 16)
    height += 8 if said else 0
    items = (
        *(shapes if below else edges),
        *(edges if below else shapes),
        *((Item("caption", "figure", tuple(said)),) if said else ()),
    )
    return Layout(Drawn(width, height, items), spots, paths, {}, (left, low))


def _between(one: Point, other: Point) -> tuple[Point, ...]:
    return one, one, other, other


def _extent(
    picture: Picture, paths: Iterable[tuple[Point, ...]]
) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of all shapes and lines."""
    xs: list[float] = []
    ys: list[float] = []
    for shape in picture.shapes:
        assert shape.at is not None
        (x, y), (wide, tall) = shape.at, size_of(shape)
        xs += (x - wide / 2, x + wide / 2)
        ys += (y - tall / 2, y + tall / 2)
    for path in paths:
        for x, y in path:
            xs.append(x)
            ys.append(y)
    return min(xs, default=0.0), min(ys, default=0.0), max(xs, default=0.0), max(ys, default=0.0)


class _Page:
    """Moves points to the page, where y grows downwards."""

    def __init__(self, right: float, down: float) -> None:
        self.right, self.down = right, down

    def points(self, points: Sequence[Point]) -> tuple[Point, ...]:
        """Points of a line."""
        right, down = self.right, self.down
        return tuple((round(x + right, 2), round(down - y, 2)) for x, y in points)

    def strokes(self, shape: Shape) -> tuple[Stroke, ...]:
        """The strokes of a shape."""
        assert shape.at is not None
        return tuple(strokes_of(shape, shape.at[0] + self.right, self.down - shape.at[1]))


@singledispatch
def strokes_of(shape: Shape, x: float, y: float) -> Iterator[Stroke]:
    """The strokes of a shape whose middle is at a place on the page."""
    raise NotImplementedError(type(shape).__name__)


@strokes_of.register
def _(shape: WireShape, x: float, y: float) -> Iterator[Stroke]:
    half, rule = shape.width / 2 + 1, round(y - WIRE_RISE, 2)
    name = shape.name if shape.name_at == "above" else ()
    gap = GAP if name and shape.value else 0.0
    before = text_width(name) + gap
    start = x - (before + text_width(shape.value)) / 2
    yield from _letters(name, start, rule - ABOVE)
    yield from _letters(shape.value, start + before, rule - ABOVE)
    ends = (round(x - half, 2), rule), (round(x + half, 2), rule)
    yield Polygon(ends, shape.role, width=WIRE, open=True)
    yield from _centred(shape.gradient, x, rule + BELOW)
    if shape.name_at == "left":
        yield from _letters(shape.name, x - half - text_width(shape.name) - 4, rule)


@strokes_of.register
def _(shape: Gate, x: float, y: float) -> Iterator[Stroke]:
    wide, tall = size_of(shape)
    fill = "current" if shape.current else "gate"
    line = "ahead" if shape.ahead else "gate_edge"
    width = 2.4 if shape.current else 1.2
    dash: Dash = "dashed" if shape.ahead else ""
    if is_round(shape):
        middle = (round(x, 2), round(y, 2))
        yield Ellipse(middle, (wide / 2, tall / 2), line, fill, width, dash)
    else:
        yield Curve(_rounded(x, y, wide, tall, min(ROUNDING, tall / 3)), line, fill, width, dash)
    yield from _centred(shape.symbol, x, y)


@strokes_of.register
def _(shape: Card, x: float, y: float) -> Iterator[Stroke]:
    wide, tall = size_of(shape)
    fill = "current" if shape.current else "gate"
    line = "gate_edge" if shape.role == "ink" else shape.role
    corners = _rounded(x, y, wide, tall, CARD_ROUNDING)
    yield Curve(corners, line, fill, 2.0 if shape.current else 1.0)
    yield from _letters(shape.title, x - wide / 2 + 4, y)


@strokes_of.register
def _(shape: Joint, x: float, y: float) -> Iterator[Stroke]:
    if shape.dot:
        yield Ellipse((round(x, 2), round(y, 2)), (2.52, 2.52), shape.role, shape.role)


@strokes_of.register
def _(shape: Caption, x: float, y: float) -> Iterator[Stroke]:
    yield from _centred(shape.text, x, y)


@strokes_of.register
def _(shape: Pane, x: float, y: float) -> Iterator[Stroke]:
    wide, tall = shape.size
    yield Curve(_rounded(x, y, wide, tall, ROUNDING), "cluster_edge", "cluster")
    yield from _letters(shape.label, x - wide / 2 + 8, y + tall / 2 - FOOT)


def _centred(text: Text, x: float, y: float) -> Iterator[Letters]:
    yield from _letters(text, x - text_width(text) / 2, y)


def _letters(text: Text, x: float, y: float) -> Iterator[Letters]:
    """A line of text from its left end on, its middle at y; how far subscripts hang below is left to the writers."""
    size = max((run.size for run in text if not run.lowered), default=0.0)
    base = round(y + BASE * size, 2)
    for run in text:
        size = run.size * LOWERED if run.lowered else run.size
        room = letters_width(run.text, size, run.bold)
        if run.text.strip():
            at = (round(x, 2), base)
            yield Letters(run.text, at, room, run.role, size, run.bold, run.italic, run.lowered)
        x += room


def _rounded(x: float, y: float, wide: float, tall: float, radius: float) -> tuple[Point, ...]:
    """A rectangle with round corners as curves."""
    left, right = round(x - wide / 2, 2), round(x + wide / 2, 2)
    top, low = round(y - tall / 2, 2), round(y + tall / 2, 2)
    r = min(radius, wide / 2, tall / 2)
    h = r * ROUND
    return (
        (right, top + r),
        (right, top + h), (right - h, top), (right - r, top),
        (right - r, top), (left + r, top), (left + r, top),
        (left + h, top), (left, top + h), (left, top + r),
        (left, top + r), (left, low - r), (left, low - r),
        (left, low - h), (left + h, low), (left + r, low),
        (left + r, low), (right - r, low), (right - r, low),
        (right - h, low), (right, low - h), (right, low - r),
        (right, low - r), (right, top + r), (right, top + r),
    )  # fmt: skip


def _line(edge: Edge, path: tuple[Point, ...]) -> Iterator[Stroke]:
    """A line and, over its end or its beginning, the arrow: a flow runs against the arrow of the forward pass."""
    width = 2.2 if edge.heavy else WIRE
    dash: Dash = "dashed" if edge.dashed else ""
    if not edge.arrow:
        yield Curve(path, edge.role, "", width, dash)
        return
    reverse = edge.role == "gradient"
    points = list(path[::-1] if reverse else path)
    tip = points[-1]
    points = shortened(points)
    yield Curve(tuple(points[::-1] if reverse else points), edge.role, "", width, dash)
    back = points[-1]
    far = hypot(back[0] - tip[0], back[1] - tip[1]) or ARROW
    u, v = (back[0] - tip[0]) / far, (back[1] - tip[1]) / far
    outline = tuple(
        (round(tip[0] + u * a - v * b, 2), round(tip[1] + v * a + u * b, 2)) for a, b in FEATHER
    )
    yield Polygon((*outline, outline[0]), edge.role, edge.role, HEAD)
