"""Our own layered layout of a picture, for graphs that `dot` cannot lay out in time: a place for all, a line for each.

Boxes stand in layers from left to right, lines run at right angles in lanes of their own. About 0.2 ms a shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from heapq import heapify, heappop, heappush
from math import ceil, sqrt

from tracer.diagrams.layout.arrows import ARROW
from tracer.diagrams.layout.encircling import encircled
from tracer.diagrams.layout.sizes import WIRE_RISE, is_round, size_of
from tracer.diagrams.picture import Cluster, Edge, Gate, Picture, Point, Shape, Wire
from tracer.layered.layers import Graph
from tracer.layered.layout import Layout, arrange
from tracer.layered.ports import Ports
from tracer.layered.ports import Shape as Cells

UNIT = 6.0
"""Points between two lanes: a cell of the layout's grid."""
SHORT = 14.0
"""A straight piece shorter than this goes into the bow beside it."""
ROOM, ROOM_FOR_FRAMES = 2, 4
"""Cells kept free below a box, and where frames stand between boxes."""
SWING = 9.0
"""Points before and behind a lane in which a line turns into it and out again."""
LONG_LINES = "{:,} long lines are drawn straight, across other boxes"


def placed(picture: Picture) -> Picture:
    """The same picture with a place for every shape, a line for every edge, a box for every frame.

    A frame that would hold boxes of others is left out, and a remark says so.
    """
    shapes = list(picture.every_shape())
    sizes = [size_of(shape) for shape in shapes]
    order, number = _in_order(shapes, picture.edges)
    ends = [_ends(edge, number) for edge in picture.edges]
    inputs: list[list[int]] = [[] for _ in shapes]
    argument: list[int] = []
    for tail, head in ends:
        argument.append(len(inputs[head]))
        if tail < head:
            inputs[head].append(tail)
    leaves = frozenset(k for k, sources in enumerate(inputs) if not sources)
    graph = Graph(tuple(map(tuple, inputs)), leaves)
    cells = [_cells(sizes[k]) for k in order]
    room = ROOM_FOR_FRAMES if picture.clusters else ROOM
    sides = [
        _sides(shape, len(sources), room) for shape, sources in zip(cells, inputs, strict=True)
    ]
    layout = arrange(graph, cells, sides=sides)
    spots = {shapes[k].key: _spot(layout, place, shapes[k]) for place, k in enumerate(order)}
    lines = _Lines(layout, [shapes[k] for k in order], [sizes[k] for k in order])
    edges, straight = [], 0
    for edge, (tail, head), at in zip(picture.edges, ends, argument, strict=True):
        path = lines.path(tail, head, at) if tail < head else None
        straight += path is None
        edges.append(replace(edge, path=path or lines.straight(tail, head)))
    outside, clusters, left_out = encircled(
        picture, spots, {shape.key: size for shape, size in zip(shapes, sizes, strict=True)}
    )
    remarks = [*picture.remarks]
    if straight:
        remarks.append(LONG_LINES.format(straight))
    if left_out:
        remarks.append(
            f"{left_out:,} frames of scopes are not drawn: boxes of others stand between theirs"
        )
    return replace(
        picture,
        shapes=_put(outside, spots),
        clusters=_put_inside(clusters, spots),
        edges=tuple(edges),
        remarks=tuple(remarks),
        placed=True,
    )


def _in_order(shapes: Sequence[Shape], edges: Sequence[Edge]) -> tuple[list[int], dict[str, int]]:
    """The shapes so that lines run from earlier to later ones, and the number of each in that order.

    The first ones first; where lines run in a circle, the earliest shape of it is taken.
    """
    first = {shape.key: k for k, shape in enumerate(shapes)}
    waits = [0] * len(shapes)
    readers: list[list[int]] = [[] for _ in shapes]
    for edge in edges:
        if edge.tail != edge.head:
            readers[first[edge.tail]].append(first[edge.head])
            waits[first[edge.head]] += 1
    ready = [k for k, count in enumerate(waits) if not count]
    heapify(ready)
    order: list[int] = []
    done = [False] * len(shapes)
    next_ = 0
    while len(order) < len(shapes):
        if not ready:
            while done[next_]:
                next_ += 1
            ready = [next_]
        k = heappop(ready)
        if done[k]:
            continue
        done[k] = True
        order.append(k)
        for reader in readers[k]:
            waits[reader] -= 1
            if not waits[reader] and not done[reader]:
                heappush(ready, reader)
    return order, {shapes[k].key: place for place, k in enumerate(order)}


def _ends(edge: Edge, number: Mapping[str, int]) -> tuple[int, int]:
    return number[edge.tail], number[edge.head]


def _cells(size: Point) -> Cells:
    """The cells that a shape takes: an odd number of rows, so that one of them is in the middle."""
    rows = max(1, ceil(size[1] / UNIT))
    return Cells(max(1, ceil(size[0] / UNIT)), rows + 1 - rows % 2)


def _sides(cells: Cells, arguments: int, room: int) -> Ports:
    """Wires leave in the middle of a box and come in around it."""
    middle = cells.height // 2
    most = max(0, middle - 1)
    step = 0 if arguments < 2 else min(2, 2 * most / (arguments - 1))
    ins = (round(middle + step * (a - (arguments - 1) / 2)) for a in range(arguments))
    return Ports(cells.width, cells.height + room, middle, tuple(ins))


def _middle(layout: Layout, k: int) -> Point:
    """The middle of a box, y upwards; narrow boxes stand in the middle of their layer."""
    box = layout.boxes[k]
    return ((box.x + box.width / 2) * UNIT, -(layout.out_row(k) + 0.5) * UNIT)


def _spot(layout: Layout, k: int, shape: Shape) -> Point:
    """Where the middle of a shape goes: the rule of a wire, not its middle, stands on the row."""
    x, y = _middle(layout, k)
    return (x, y - WIRE_RISE) if isinstance(shape, Wire) else (x, y)


class _Lines:
    """The lines of a layout, from the rim of one shape to that of another."""

    def __init__(self, layout: Layout, shapes: Sequence[Shape], sizes: Sequence[Point]) -> None:
        self.layout, self.sizes = layout, sizes
        self.round = [isinstance(shape, Gate) and is_round(shape) for shape in shapes]

    def path(self, tail: int, head: int, argument: int) -> tuple[Point, ...] | None:
        """Along the lanes; None where the layout has none for a line so long."""
        runs = self.layout.path(head, argument)
        if not runs:
            return None
        end = self._enters(head, self.layout.port(head, argument))
        path, row = [self._leaves(tail, runs[0][1])], runs[0][1]
        for x0, y0, _, y1 in runs:
            if y0 != y1:
                after = y1 if row == y0 else y0
                _turn(path, (x0 + 0.5) * UNIT, -(row + 0.5) * UNIT, -(after + 0.5) * UNIT, end[0])
                row = after
        if path[-1] != end:
            _straight(path, end)
        return tuple(path)

    def straight(self, tail: int, head: int) -> tuple[Point, ...]:
        """From rim to rim, whatever lies between."""
        start = self._leaves(tail, self.layout.out_row(tail))
        path = [start]
        _straight(path, self._enters(head, self.layout.out_row(head)))
        return tuple(path)

    def _leaves(self, k: int, row: int) -> Point:
        x, _ = _middle(self.layout, k)
        return x + self._half(k, row), -(row + 0.5) * UNIT

    def _enters(self, k: int, row: int) -> Point:
        x, _ = _middle(self.layout, k)
        return x - self._half(k, row), -(row + 0.5) * UNIT

    def _half(self, k: int, row: int) -> float:
        """From the middle of a shape to its rim at a row."""
        width, _ = self.sizes[k]
        if self.round[k]:
            away = abs(row - self.layout.out_row(k)) * UNIT
            return sqrt(max(0.0, width * width / 4 - away * away))
        return width / 2


def _turn(path: list[Point], lane: float, start: float, end: float, goal: float) -> None:
    """Straight on to a lane, then over to another row: a bow as wide as there is height for.

    What is left before the bow or behind it, up to the arrow at the goal, goes into it if it is short.
    """
    reach = min(SWING, abs(end - start) / 2)
    before, after = lane - reach, lane + reach
    if before - path[-1][0] > SHORT:
        _straight(path, (before, start))
    if goal - ARROW - after < SHORT:
        after = max(lane, goal - ARROW)
    path += [(lane, start), (lane, end), (after, end)]


def _straight(path: list[Point], to: Point) -> None:
    (x, y), (u, v) = path[-1], to
    path += [(x + (u - x) / 3, y + (v - y) / 3), (u - (u - x) / 3, v - (v - y) / 3), to]


def _put(shapes: Sequence[Shape], spots: Mapping[str, Point]) -> tuple[Shape, ...]:
    return tuple(replace(shape, at=spots[shape.key]) for shape in shapes)


def _put_inside(clusters: Sequence[Cluster], spots: Mapping[str, Point]) -> tuple[Cluster, ...]:
    """The clusters with their shapes put in place; without recursion."""
    made: dict[str, Cluster] = {}
    todo = list(clusters)
    for cluster in todo:
        todo.extend(cluster.clusters)
    for cluster in reversed(todo):
        inner = tuple(made[child.key] for child in cluster.clusters)
        made[cluster.key] = replace(cluster, shapes=_put(cluster.shapes, spots), clusters=inner)
    return tuple(made[cluster.key] for cluster in clusters)
