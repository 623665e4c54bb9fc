"""What a figure looks like once it is laid out: paths and letters on a page, painted with roles instead of colours.

Graphviz says where everything stands (`drawn.py` reads it); SVG, TikZ and the HTML stepper write the same strokes.
Points are measured from the top left corner of the page, y downwards, 72 to an inch.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from tracer.diagrams.picture import Point as Point

Paint: TypeAlias = str
"""The name of a role of the palette, such as `value` or `gate_edge`; empty for none."""

Kind: TypeAlias = Literal["figure", "cluster", "edge", "shape"]
Dash: TypeAlias = Literal["", "dashed", "dotted"]


class Curve(NamedTuple):
    """Cubic Bezier curves from end to end: a first point, then three for each piece."""

    points: tuple[Point, ...]
    line: Paint
    fill: Paint = ""
    width: float = 1.0
    dash: Dash = ""


class Polygon(NamedTuple):
    """Straight lines; closed, unless `open`."""

    points: tuple[Point, ...]
    line: Paint
    fill: Paint = ""
    width: float = 1.0
    dash: Dash = ""
    open: bool = False
    opacity: float = 1.0


class Ellipse(NamedTuple):
    """An ellipse around a middle."""

    middle: Point
    radii: Point
    line: Paint
    fill: Paint = ""
    width: float = 1.0
    dash: Dash = ""


class Letters(NamedTuple):
    """A stretch of one line of text in one dress: `at` is the left end of its base line, `room` its width."""

    text: str
    at: Point
    room: float
    paint: Paint
    size: float
    bold: bool = False
    italic: bool = False
    lowered: bool = False


Stroke: TypeAlias = Curve | Polygon | Ellipse | Letters


class Item(NamedTuple):
    """The strokes of one shape, edge or cluster. `key` is that of the picture; an edge's is `e` and its number."""

    key: str
    kind: Kind
    strokes: tuple[Stroke, ...]
    tip: str = ""


class Drawn(NamedTuple):
    """A page, and what stands on it in the order in which it is painted."""

    width: float
    height: float
    items: tuple[Item, ...]
