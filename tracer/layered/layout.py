"""Where everything of a graph stands on a grid of character cells.

Boxes in layers from left to right, or from top to bottom, and the wires between them.

The same graph always gives the same drawing; nothing in it depends on the position of the debugger, so it stands
still while one steps.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tracer.layered.columns import Block, Box, Column
from tracer.layered.layers import GivenUpError, Graph, Net, build_net, in_time, never
from tracer.layered.ports import Ports, Shape, ports
from tracer.layered.rows import place_rows
from tracer.layered.tracks import Run, Wire, route

MARGIN = 2
"""Cells before the first layer, for the stubs of wires that come from elsewhere."""
GUTTER = 8
"""Columns left of a drawing from top to bottom, for the names of time steps."""
FEW = 5000
"""A drawing of so many boxes may have six bends a box; of the boxes beyond them each adds only two."""


@dataclass(frozen=True, eq=False)
class Layout:
    """The finished drawing.

    `cut` are the (row, place along the flow) where a wire comes in that is not drawn; `down` says that the flow runs
    from top to bottom.
    """

    graph: Graph
    boxes: tuple[Box, ...]
    columns: tuple[Column, ...]
    layer: tuple[int, ...]
    shapes: tuple[Shape, ...]
    ports: tuple[Ports, ...]
    cut: frozenset[tuple[int, int]]
    senders: frozenset[int]
    """The boxes that a wire leaves."""
    silent: frozenset[int]
    """The boxes along none of whose wires a gradient comes back."""
    blocks: tuple[Block, ...]
    width: int
    height: int
    down: bool = False
    starts: tuple[int, ...] = field(default=(), repr=False)
    """Where each layer begins."""

    def start(self, node: int) -> int:
        """Where a box begins along the flow."""
        return self.columns[self.layer[node]].start

    def row(self, node: int) -> int:
        """The first row of a box, counted across the flow."""
        return self.boxes[node].x if self.down else self.boxes[node].y

    def out_row(self, node: int) -> int:
        """The row at which the value of a box leaves."""
        return self.row(node) + self.ports[node].out

    def port(self, node: int, argument: int) -> int:
        """The row at which an argument comes into a box."""
        return self.row(node) + self.ports[node].ins[argument]

    def sends(self, node: int) -> bool:
        """Whether a wire leaves a box."""
        return node in self.senders

    @cached_property
    def consumers(self) -> tuple[tuple[int, ...], ...]:
        """The boxes that read each box."""
        found: list[dict[int, None]] = [{} for _ in self.boxes]
        for node, inputs in enumerate(self.graph.inputs):
            for i in inputs:
                if i >= 0:
                    found[i][node] = None
        return tuple(map(tuple, found))

    def layers_between(self, low: int, high: int) -> range:
        """The layers that have a part, or a part of the gaps beside them, between two places along the flow."""
        first = max(0, bisect_right(self.starts, low) - 1)
        return range(first, bisect_right(self.starts, high))

    def boxes_between(self, layer: int, low: int, high: int) -> tuple[int, ...]:
        """The boxes of a layer that have a part between two rows, the second not included."""
        boxes = self.columns[layer].boxes
        first = bisect_right(boxes, low, key=lambda node: self.row(node) + self._breadth(node))
        return boxes[first : bisect_left(boxes, high, key=self.row)]

    def _breadth(self, node: int) -> int:
        return self.boxes[node].width if self.down else self.boxes[node].height

    def path(
        self, node: int, argument: int, between: tuple[int, int] | None = None
    ) -> list[tuple[int, int, int, int]]:
        """The wire from an input to a node's argument, as straight runs (x0, y0, x1, y1) from its source on.

        Empty where it is not drawn. between: two places along the flow, what lies far from them is left out.
        """
        source = self.graph.inputs[node][argument]
        port = self.port(node, argument)
        if source < 0 or (port, self.start(node) - 1) in self.cut:
            return []
        layers = range(self.layer[source], self.layer[node])
        if between is not None:
            near = self.layers_between(*between)
            layers = range(max(layers.start, near.start), min(layers.stop, near.stop))
        runs = list(self._runs(source, node, port, layers))
        return [(y0, x0, y1, x1) for x0, y0, x1, y1 in runs] if self.down else runs

    def _runs(
        self, source: int, node: int, port: int, layers: range
    ) -> Iterator[tuple[int, int, int, int]]:
        for layer in layers:
            column, after = self.columns[layer], self.columns[layer + 1]
            goal = port if layer + 1 == self.layer[node] else after.bend_of[source]
            if layer > self.layer[source]:
                row = column.bend_of[source]
                yield column.start, row, column.edge - 1, row
            for wire in column.wires_of[source]:
                if not (wire.leaves == () or goal in wire.leaves):
                    continue
                turn = column.edge + wire.turn
                to = goal if wire.leaves else _other(wire)
                yield column.edge + wire.start, wire.row, turn, wire.row
                yield turn, min(wire.row, to), turn, max(wire.row, to)
                if wire.leaves:
                    yield turn, goal, column.end - 1, goal

    def ends(self, node: int, argument: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """The cells, column and row of the screen, where the wire into an argument begins and ends."""
        source = self.graph.inputs[node][argument]
        begin = self.columns[self.layer[source]].edge, self.out_row(source)
        end = self.start(node) - 1, self.port(node, argument)
        return (begin[::-1], end[::-1]) if self.down else (begin, end)


def _other(wire: Wire) -> int:
    return wire.low if wire.row == wire.high else wire.high


def arrange(
    graph: Graph,
    shapes: Sequence[Shape],
    *,
    sides: Sequence[Ports] = (),
    down: bool = False,
    given_up: Callable[[], bool] = never,
) -> Layout:
    """Draw a graph whose boxes have these shapes; the boxes of a layer are made equally wide (or high).

    sides: where the wires of each box end, if not where `ports` says.

    Costs about 0.1 ms a node; wires are cut into stubs where the bends would outnumber the nodes by far. Raises
    `GivenUpError` once `given_up` says so.

    >>> drawing = arrange(Graph(inputs=((), (), (0, 1))), [Shape(11, 4)] * 3)
    >>> [(box.x, box.y) for box in drawing.boxes]
    [(2, 0), (2, 4), (17, 2)]
    >>> drawing = arrange(Graph(inputs=((), (), (0, 1))), [Shape(11, 4)] * 3, down=True)
    >>> [(box.x, box.y) for box in drawing.boxes]
    [(0, 0), (12, 0), (8, 7)]
    """
    sides = sides or [
        ports(shape, len(inputs), down=down)
        for shape, inputs in zip(shapes, graph.inputs, strict=True)
    ]
    few = min(len(graph), FEW)
    net = build_net(graph, budget=2 * len(graph) + 4 * few + 1000, given_up=given_up)
    row = place_rows(net, sides, room=2 if down else 1, given_up=given_up)
    times = in_time(graph)[0]
    timed = any(time >= 0 for time in times)
    if down and timed:
        row = [at + GUTTER for at in row]
    columns: list[Column] = []
    along = 0 if down else MARGIN
    for vertices in net.order:
        if given_up():
            raise GivenUpError
        boxes = tuple(v for v in vertices if v < len(graph))
        size = max(sides[v].depth for v in boxes)
        wires, gap = route(_crossing(net, vertices, row, sides), tight=down)
        bends = tuple((net.source[v], row[v]) for v in vertices if v >= len(graph))
        columns.append(Column(along, size, boxes, bends, gap, wires))
        along += size + gap
    along = columns[-1].edge if columns else along
    boxes_ = tuple(
        Box(row[v], at.start, shapes[v].width, at.size)
        if down
        else Box(at.start, row[v], at.size, shapes[v].height)
        for v in range(len(graph))
        for at in (columns[net.layer[v]],)
    )
    lowest = max((wire.high for column in columns for wire in column.wires), default=0)
    across = max(max((row[v] + sides[v].breadth for v in range(len(graph))), default=0), lowest + 1)
    cut = frozenset(_stubs(graph, net, columns, row, sides))
    senders = frozenset(wire.source for column in columns for wire in column.wires)
    blocks = _blocks(times, net.layer, columns) if timed else ()
    width, height = (across, along) if down else (along, across)
    starts = tuple(column.start for column in columns)
    layer = net.layer[: len(graph)]
    return Layout(
        graph, boxes_, tuple(columns), layer, tuple(shapes), tuple(sides), cut, senders, _silent(graph),
        blocks, width, height, down, starts,
    )  # fmt: skip


def _crossing(
    net: Net, vertices: Sequence[int], row: Sequence[int], sides: Sequence[Ports]
) -> list[Run]:
    """What crosses the gap behind a layer: for each vertex the rows at which its wire comes in and goes out."""
    nodes = len(sides)
    runs = []
    for vertex in vertices:
        leaves = {
            row[other] + (sides[other].ins[argument] if argument >= 0 else 0)
            for other, argument in net.down[vertex]
        }
        enters = row[vertex] + (sides[vertex].out if vertex < nodes else 0)
        runs.append(Run(net.source[vertex], enters, tuple(sorted(leaves))))
    return runs


def _stubs(
    graph: Graph,
    net: Net,
    columns: Sequence[Column],
    row: Sequence[int],
    sides: Sequence[Ports],
) -> Iterator[tuple[int, int]]:
    for node, inputs in enumerate(graph.inputs):
        for argument, i in enumerate(inputs):
            if i < 0 or (node, argument) in net.cut:
                yield row[node] + sides[node].ins[argument], columns[net.layer[node]].start - 1


def _silent(graph: Graph) -> frozenset[int]:
    if not graph.silent:
        return frozenset()
    uses: dict[int, bool] = {}
    for node, inputs in enumerate(graph.inputs):
        for argument, i in enumerate(inputs):
            uses[i] = uses.get(i, True) and (node, argument) in graph.silent
    return frozenset(i for i, all_silent in uses.items() if all_silent and i >= 0)


def _blocks(
    times: Sequence[int], layer: Sequence[int], columns: Sequence[Column]
) -> tuple[Block, ...]:
    """The layers of each time step."""
    ends: dict[int, tuple[int, int]] = {}
    for node, time in enumerate(times):
        if time >= 0:
            first, last = ends.get(time, (layer[node], layer[node]))
            ends[time] = min(first, layer[node]), max(last, layer[node])
    return tuple(
        Block(columns[first].start, columns[last].edge, time)
        for time, (first, last) in sorted(ends.items())
    )
