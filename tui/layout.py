"""Where everything of a graph stands on a grid of character cells.

Boxes in columns from left to right, and the wires between them.

The same graph always gives the same drawing; nothing in it depends on the position of the debugger, so it stands
still while one steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tui.layers import Graph as Graph
from tui.layers import Net, build_net
from tui.rows import OUT_ROW, box_height, in_row, place_rows
from tui.tracks import Run, Wire, route

MARGIN = 2
"""Columns left of the first box, for the stubs of wires that come from elsewhere."""


@dataclass(frozen=True)
class Box:
    """The rectangle of a node: left column, top row, size."""

    x: int
    y: int
    width: int
    height: int

    @property
    def out_row(self) -> int:
        """The row at which the value leaves to the right."""
        return self.y + OUT_ROW


@dataclass(frozen=True)
class Column:
    """One layer: its boxes, the bends that pass it as (source, row), and the gap to its right with the wires in it."""

    x: int
    width: int
    boxes: tuple[int, ...]
    bends: tuple[tuple[int, int], ...]
    gap: int
    wires: tuple[Wire, ...]

    @property
    def end(self) -> int:
        """The first column right of the gap."""
        return self.x + self.width + self.gap


@dataclass(frozen=True)
class Layout:
    """The finished drawing. Columns and rows count from 0.

    `stubs` are the (row, column) where a wire comes in that is not drawn.
    """

    graph: Graph
    boxes: tuple[Box, ...]
    columns: tuple[Column, ...]
    layer: tuple[int, ...]
    stubs: tuple[tuple[int, int], ...]
    width: int
    height: int

    def port(self, node: int, argument: int) -> int:
        """The row at which an argument comes into a box."""
        return self.boxes[node].y + in_row(argument, len(self.graph.inputs[node]))

    @cached_property
    def cut(self) -> frozenset[tuple[int, int]]:
        """The (row, column) of the stubs, for quick look-up."""
        return frozenset(self.stubs)

    def path(self, node: int, argument: int) -> list[tuple[int, int, int, int]]:
        """The wire from an input to a node's argument, as straight runs (x0, y0, x1, y1).

        Empty where it is not drawn.
        """
        source = self.graph.inputs[node][argument]
        port = self.port(node, argument)
        if source < 0 or (port, self.boxes[node].x - 1) in self.cut:
            return []
        row = self.boxes[source].out_row
        runs = []
        for layer in range(self.layer[source], self.layer[node]):
            column, after = self.columns[layer], self.columns[layer + 1]
            bends = dict(after.bends)
            goal = port if layer + 1 == self.layer[node] else bends[source]
            if layer > self.layer[source]:
                runs.append((column.x, row, column.x + column.width - 1, row))
            edge = column.x + column.width
            for wire in column.wires:
                if wire.source != source or not (wire.leaves == () or goal in wire.leaves):
                    continue
                turn, down = edge + wire.turn, goal if wire.leaves else _other(wire)
                runs.append((edge + wire.start, wire.row, turn, wire.row))
                runs.append((turn, min(wire.row, down), turn, max(wire.row, down)))
                if wire.leaves:
                    runs.append((turn, goal, column.end - 1, goal))
            row = goal
        return runs


def _other(wire: Wire) -> int:
    return wire.low if wire.row == wire.high else wire.high


def arrange(graph: Graph, widths: Sequence[int]) -> Layout:
    """Draw a graph whose boxes are to be `widths` columns wide; a column is as wide as its widest box.

    Costs about 0.1 ms a node; wires are cut into stubs where the bends would outnumber the nodes by far.

    >>> drawing = arrange(Graph(inputs=((), (), (0, 1))), [11, 11, 11])
    >>> [(box.x, box.y) for box in drawing.boxes]
    [(2, 0), (2, 4), (17, 2)]
    """
    arguments = [len(inputs) for inputs in graph.inputs]
    heights = [box_height(n) for n in arguments]
    net = build_net(graph, budget=6 * len(graph) + 1000)
    row = place_rows(net, heights, arguments)
    columns: list[Column] = []
    x = MARGIN
    for vertices in net.order:
        boxes = tuple(v for v in vertices if v < len(graph))
        width = max(widths[v] for v in boxes)
        wires, gap = route(_runs(net, vertices, row, arguments))
        bends = tuple((net.source[v], row[v]) for v in vertices if v >= len(graph))
        columns.append(Column(x, width, boxes, bends, gap, wires))
        x += width + gap
    boxes_ = tuple(
        Box(columns[net.layer[v]].x, row[v], columns[net.layer[v]].width, heights[v])
        for v in range(len(graph))
    )
    lowest = max((wire.high for column in columns for wire in column.wires), default=0)
    height = max(max((row[v] + heights[v] for v in range(len(graph))), default=0), lowest + 1)
    stubs = _stubs(graph, net, boxes_, arguments)
    return Layout(graph, boxes_, tuple(columns), net.layer[: len(graph)], stubs, x, height)


def _runs(
    net: Net, vertices: Sequence[int], row: Sequence[int], arguments: Sequence[int]
) -> list[Run]:
    """What crosses the gap behind a layer: for each vertex the rows at which its wire comes in and goes out."""
    nodes = len(arguments)
    runs = []
    for vertex in vertices:
        leaves = {
            row[other] + (in_row(argument, arguments[other]) if argument >= 0 else 0)
            for other, argument in net.down[vertex]
        }
        enters = row[vertex] + (OUT_ROW if vertex < nodes else 0)
        runs.append(Run(net.source[vertex], enters, tuple(sorted(leaves))))
    return runs


def _stubs(
    graph: Graph, net: Net, boxes: Sequence[Box], arguments: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    return tuple(
        (boxes[node].y + in_row(argument, arguments[node]), boxes[node].x - 1)
        for node, inputs in enumerate(graph.inputs)
        for argument, i in enumerate(inputs)
        if i < 0 or (node, argument) in net.cut
    )
