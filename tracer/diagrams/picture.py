"""One description of a figure: shapes, clusters, edges and, where we place things ourselves, positions.

It says what a figure shows, not how a program draws it; `writing.py` turns it into DOT text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Role: TypeAlias = Literal[
    "ink",
    "quiet",
    "value",
    "gradient",
    "parameter",
    "wire",
    "ahead",
    "route0",
    "route1",
    "route2",
    "route3",
]
"""What a colour means; `ahead` is a part of the graph that has not run yet, a route one of several gradient paths."""

Side: TypeAlias = Literal["", "n", "e", "s", "w"]
Point: TypeAlias = tuple[float, float]
Direction: TypeAlias = Literal["rows", "right", "down"]


@dataclass(frozen=True)
class Run:
    """Some characters in one dress."""

    text: str
    role: Role = "ink"
    size: float = 13
    bold: bool = False
    italic: bool = False
    lowered: bool = False
    """Whether it is a subscript."""


Text: TypeAlias = tuple[Run, ...]


@dataclass(frozen=True)
class Wire:
    """A piece of wire that carries a number: the value above it, the gradient below it."""

    key: str
    value: Text
    gradient: Text
    name: Text = ()
    name_at: Literal["left", "above"] = "above"
    width: float = 46
    """Points kept free for the numbers, so that the figure is the same size at every step."""
    tip: str = ""
    role: Role = "wire"
    at: Point | None = None
    nodes: tuple[int, ...] = ()
    """The nodes of the trace that it stands for."""


@dataclass(frozen=True)
class Gate:
    """An operation, drawn round, or as a pill where its symbol is long."""

    key: str
    symbol: Text
    tip: str = ""
    ahead: bool = False
    current: bool = False
    ordered: bool = False
    """Whether the order of its inputs matters, as for a − b."""
    at: Point | None = None
    nodes: tuple[int, ...] = ()
    """The nodes of the trace that it stands for."""


@dataclass(frozen=True)
class Card:
    """A tensor: title and shape, a rule, then one row each for the value and the gradient."""

    key: str
    title: Text
    note: Text
    rows: tuple[Text, ...]
    width: float = 0
    tip: str = ""
    role: Role = "ink"
    current: bool = False
    on_route: bool = False
    """Whether it lies on the main route, which is drawn as straight as the layout can."""
    at: Point | None = None
    nodes: tuple[int, ...] = ()
    """The nodes of the trace that it stands for."""


@dataclass(frozen=True)
class Joint:
    """A point where wires part or turn; with a dot where they part."""

    key: str
    dot: bool = True
    role: Role = "wire"
    tip: str = ""
    at: Point | None = None


@dataclass(frozen=True)
class Caption:
    """Text by itself."""

    key: str
    text: Text
    tip: str = ""
    at: Point | None = None


@dataclass(frozen=True)
class Pane:
    """A rounded background of a given size, behind what belongs to one time step."""

    key: str
    label: Text
    size: Point
    at: Point
    tip: str = ""
    nodes: tuple[int, ...] = ()
    """The nodes of the trace that it stands for."""


Shape: TypeAlias = Wire | Gate | Card | Joint | Caption | Pane


@dataclass(frozen=True)
class Cluster:
    """A scope: a frame around shapes and inner frames."""

    key: str
    label: Text
    shapes: tuple[Shape, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    filled: bool = False
    box: tuple[float, float, float, float] | None = None
    """Left, bottom, right and top, in a placed picture."""
    label_at: Point | None = None
    """The left end of its label, at half its height, where that is known."""


@dataclass(frozen=True)
class Edge:
    """A line from one shape to another. Sides name where it leaves and enters; empty leaves that to the layout."""

    tail: str
    head: str
    tail_side: Side = ""
    head_side: Side = ""
    arrow: bool = True
    role: Role = "wire"
    dashed: bool = False
    heavy: bool = False
    hidden: bool = False
    """Whether it only tells the layout that the head stands further right."""
    backward: bool = False
    """Whether the layout should see it from head to tail; it is drawn the same."""
    weight: int = 1
    span: int = 1
    """How many ranks it goes at least: many lines that part at one point need room to do so."""
    tip: str = ""
    label: Text = ()
    """Text beside its middle: a contribution, a local derivative."""
    path: tuple[Point, ...] | None = None
    """In a placed picture its own line, as cubic Bezier curves: a first point, then three for each piece."""


@dataclass(frozen=True)
class Picture:
    """A whole figure. With `placed`, every shape has a position and Graphviz only draws."""

    shapes: tuple[Shape, ...]
    edges: tuple[Edge, ...]
    clusters: tuple[Cluster, ...] = ()
    abreast: tuple[tuple[str, ...], ...] = ()
    """Keys of shapes that stand on one rank: the branches of a value."""
    columns: tuple[tuple[str, ...], ...] = ()
    """Keys of shapes that stand on one rank with nothing between: a weight and the operation that alone reads it."""
    caption: tuple[Text, ...] = ()
    """Lines below the figure: where the timeline stands, what the marks mean."""
    remarks: tuple[str, ...] = ()
    """What the reader should know of the figure: what was folded, or left out."""
    placed: bool = False
    direction: Direction = "right"
    """Where the layout puts what comes later: further right, further right in rows where that is wide, or below."""
    spread: Point = (0.28, 0.32)
    """Inches between neighbours within a rank, and between ranks."""

    def every_shape(self) -> Iterator[Shape]:
        """All shapes: those outside clusters first, then cluster by cluster, outer before inner."""
        yield from self.shapes
        for cluster in self.every_cluster():
            yield from cluster.shapes

    def every_cluster(self) -> Iterator[Cluster]:
        """All clusters, outer before inner."""
        waiting = list(reversed(self.clusters))
        while waiting:
            cluster = waiting.pop()
            yield cluster
            waiting.extend(reversed(cluster.clusters))
