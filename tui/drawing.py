"""Which nodes of a trace are drawn: all of them, or, of a long trace, the stretch of the tape around one node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tracer import format as fmt
from tracer.kinds import KINDS
from tracer.traces import Trace
from tui.canvas import Window, visible_nodes
from tui.layout import Graph, Layout, arrange

WHOLE = 1200
"""A trace of at most so many nodes is drawn whole."""
BLOCK = 96
"""A longer one is cut into blocks of the tape; the block of a node is drawn with one block on either side."""
NARROWEST, WIDEST = 13, 19
"""Columns of a box. Where name and op would need more than ROOMY, the op gives way."""
ROOMY = 16


@dataclass(frozen=True, eq=False)
class Drawing:
    """A layout and the node of the trace that each of its boxes shows."""

    trace: Trace
    nodes: tuple[int, ...]
    place: Mapping[int, int]
    """The number of a node's box in the layout; nodes that are not drawn are missing."""
    layout: Layout
    first: int
    last: int

    @property
    def whole(self) -> bool:
        """Whether nothing of the trace is left out."""
        return len(self.nodes) == len(self.trace)

    def neighbour(self, node: int, direction: str) -> int | None:
        """The node that the selection moves to.

        An input to the left, a consumer to the right, else the next box of the column.
        """
        here = self.place.get(node)
        if here is None:
            return None
        layout, row = self.layout, self.layout.boxes[here].out_row
        if direction == "left":
            choices = [i for i in layout.graph.inputs[here] if i >= 0]
        elif direction == "right":
            choices = [n for n, inputs in enumerate(layout.graph.inputs) if here in inputs]
        else:
            sign = 1 if direction == "down" else -1
            column = layout.columns[layout.layer[here]].boxes
            choices = [n for n in column if (layout.boxes[n].y - layout.boxes[here].y) * sign > 0]
        near = min(choices, key=lambda n: (abs(layout.boxes[n].out_row - row), n), default=None)
        return None if near is None else self.nodes[near]

    def visible(self, window: Window) -> list[int]:
        """The boxes that a window shows at least a part of."""
        return visible_nodes(self.layout, window)


def draw(trace: Trace, node: int) -> Drawing:
    """The drawing that holds a node. Costs about 0.1 ms per drawn node once; it is kept."""
    return _draw(trace, 0 if len(trace) <= WHOLE else max(0, node) // BLOCK)


@lru_cache(maxsize=16)
def _draw(trace: Trace, block: int) -> Drawing:
    first, last = stretch(len(trace), block)
    nodes = _drawn_nodes(trace, first, last)
    place = {node: number for number, node in enumerate(nodes)}
    inputs = tuple(
        tuple(place.get(i, -1) for i in trace.inputs_of(node) if i >= 0) for node in nodes
    )
    graph = Graph(inputs, frozenset(place[node] for node in _data(trace, nodes)))
    layout = arrange(graph, [box_width(trace, node) for node in nodes])
    return Drawing(trace, nodes, place, layout, first, last)


def _data(trace: Trace, nodes: Sequence[int]) -> list[int]:
    """The leaves that carry data: inputs; where there are none, constant arrays; else all leaves."""
    leaves = [node for node in nodes if trace.op_of[node] < 0]
    inputs = [n for n in leaves if KINDS[trace.kind_of[n]] in ("input", "buffer")]
    constants = [n for n in leaves if KINDS[trace.kind_of[n]] == "constant" and trace.value(n).ndim]
    return inputs or constants or leaves


def stretch(count: int, block: int) -> tuple[int, int]:
    """The first node of a block's drawing and the one behind its last.

    >>> stretch(100, 0), stretch(100_000, 3)
    ((0, 100), (192, 480))
    """
    if count <= WHOLE:
        return 0, count
    return max(0, (block - 1) * BLOCK), min(count, (block + 2) * BLOCK)


def _drawn_nodes(trace: Trace, first: int, last: int) -> tuple[int, ...]:
    """The nodes of a stretch, and the leaves from elsewhere that they read."""
    nodes = set(range(first, last))
    for node in range(first, last):
        outside = [i for i in trace.inputs_of(node) if i >= 0 and i not in nodes]
        nodes.update(i for i in outside[: 2 * BLOCK] if trace.op_of[i] < 0)
        if len(nodes) > 5 * BLOCK:
            break
    return tuple(sorted(nodes | set(range(first, last))))


def box_width(trace: Trace, node: int) -> int:
    """The columns that the box of a node needs at any position.

    For its name, its op, its shape and its count of flows.
    """
    name, op = name_and_op(trace, node)
    title = len(name) + len(op) + 5
    if title > ROOMY:
        title = len(name) + 4
    foot = 0
    shape = trace.storage.value(node).shape
    if shape:
        count = trace.timeline.arrived(0, node)[1]
        foot = len(fmt.shape(shape)) + 8 + (2 * len(str(count)) + 2 if count > 1 else 0)
    return max(NARROWEST, min(title, WIDEST), min(foot, WIDEST))


SHORT_KINDS = {"parameter": "param", "constant": "const"}


def name_and_op(trace: Trace, node: int) -> tuple[str, str]:
    """A node's name and op as its box shows them; for a node without a name, the op and its number: ("mul", "@7")."""
    view = trace[node]
    if view.name:
        return view.label, SHORT_KINDS.get(view.op_name, view.op_name)
    return view.op_name, f"@{node}"
