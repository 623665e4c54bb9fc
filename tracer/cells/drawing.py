"""The drawing of a trace under a look: the folded graph, laid out whole, or the stretch of it around one node.

Whole drawings of many boxes take seconds: they are made on another thread, and until then a stretch is shown.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tracer import format as fmt
from tracer.cells.canvas import Window, visible_nodes
from tracer.folding.folds import GraphLook, Trail, fold, steps_around
from tracer.folding.merging import Folded
from tracer.kinds import KINDS
from tracer.layered.collector import uncollected
from tracer.layered.layers import Graph, never
from tracer.layered.layout import Layout, arrange
from tracer.layered.ports import Shape, box_height
from tracer.traces import Trace

AT_ONCE = 1500
"""A graph of at most so many boxes is laid out at once; a larger one on another thread."""
MOST_BOXES = 25_000
"""Of a graph of more boxes only stretches are drawn."""
BLOCK = 96
"""Such a graph is cut into blocks; the block of a box is drawn with one block on either side."""
NARROWEST, WIDEST = 13, 19
"""Columns of a box. Where name and op would need more than ROOMY, the op gives way."""
ROOMY = 16
LINE_WIDEST = 14
KEPT = 4
"""So many large drawings are kept, and twice as many small ones."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """A layout, and the boxes of the folded graph that it shows: `first` to `last`, not included, and some leaves."""

    folded: Folded
    look: GraphLook
    layout: Layout
    boxes: Sequence[int]
    """The box of the folded graph that each box of the layout shows, rising."""
    first: int
    last: int

    @property
    def trace(self) -> Trace:
        """The trace that is drawn."""
        return self.folded.trace

    @property
    def whole(self) -> bool:
        """Whether nothing of the graph is left out."""
        return len(self.boxes) == len(self.folded)

    def place(self, node: int) -> int | None:
        """The number in the layout of the box that shows a node; None where it is not drawn."""
        if not 0 <= node < len(self.trace):
            return None
        box = int(self.folded.box_of[node])
        if self.whole:
            return box
        at = int(np.searchsorted(np.asarray(self.boxes), box))
        return at if at < len(self.boxes) and self.boxes[at] == box else None

    def neighbour(self, node: int, direction: str) -> tuple[int, Trail | None] | None:
        """The node that the selection moves to, and the trail that this leaves.

        To an input (left), to a consumer (right), or to the next box of the layer (up, down). The way back leads along
        the wire that was taken; taken again, the same direction leads along the next wire.
        """
        here = self.place(node)
        if here is None:
            return None
        layout, row = self.layout, self.layout.out_row(here)
        if direction == "left":
            choices = list(dict.fromkeys(i for i in layout.graph.inputs[here] if i >= 0))
        elif direction == "right":
            choices = list(layout.consumers[here])
        else:
            boxes = layout.columns[layout.layer[here]].boxes
            at = boxes.index(here) + (1 if direction == "down" else -1)
            return (self.node_of(boxes[at]), None) if 0 <= at < len(boxes) else None
        choices.sort(key=lambda n: abs(layout.out_row(n) - row))
        return self._chosen(node, direction, choices) if choices else None

    def _chosen(self, node: int, direction: str, choices: list[int]) -> tuple[int, Trail]:
        trail, which = self.look.trail, 0
        if trail is not None:
            if trail.direction != direction and self.place(trail.start) in choices:
                return trail.start, trail
            if (trail.start, trail.direction) == (node, direction):
                which = (trail.which + 1) % len(choices)
        return self.node_of(choices[which]), Trail(node, direction, which)

    def node_of(self, place: int) -> int:
        """The node that stands for a box of the layout."""
        return self.folded.face_of(self.boxes[place])

    def visible(self, window: Window) -> list[int]:
        """The boxes that a window shows at least a part of."""
        return visible_nodes(self.layout, window)


def draw(trace: Trace, look: GraphLook, *nodes: int) -> Drawing:
    """The drawing that shows these nodes: whole if it is small or has been made, else a stretch around the first."""
    folded = fold(trace, look, steps_around(trace, look, *nodes))
    found = known(folded, look)
    if found is None and len(folded) <= AT_ONCE:
        found = make(folded, look)
    if found is None:
        box = int(folded.box_of[nodes[0]]) if nodes else 0
        found = _stretch(folded, _shape_of(look), box // BLOCK)
    if found.look.trail != look.trail:
        found = Drawing(found.folded, look, found.layout, found.boxes, found.first, found.last)
    return found


_KNOWN: OrderedDict[tuple[Folded, GraphLook], Drawing] = OrderedDict()


def known(folded: Folded, look: GraphLook) -> Drawing | None:
    """The whole drawing of a folded graph, if it has been made."""
    return _KNOWN.get((folded, _shape_of(look)))


def wanted(folded: Folded, look: GraphLook) -> bool:
    """Whether the whole drawing has yet to be made, on another thread."""
    return AT_ONCE < len(folded) <= MOST_BOXES and known(folded, look) is None


def make(folded: Folded, look: GraphLook, given_up: Callable[[], bool] = never) -> Drawing:
    """Make the whole drawing, and keep it. About 0.1 ms a box. Raises `GivenUpError` once `given_up` says so."""
    with uncollected():
        drawing = draw_boxes(folded, look, range(len(folded)), given_up)
    _KNOWN[folded, _shape_of(look)] = drawing
    small = [key for key, each in list(_KNOWN.items()) if len(each.boxes) <= AT_ONCE]
    large = [key for key, each in list(_KNOWN.items()) if len(each.boxes) > AT_ONCE]
    for key in small[: -2 * KEPT] + large[:-KEPT]:
        _KNOWN.pop(key, None)
    return drawing


def _shape_of(look: GraphLook) -> GraphLook:
    """What of the look decides about places, beside the boxes."""
    return GraphLook(detail=look.detail, down=look.down)


@lru_cache(maxsize=8)
def _stretch(folded: Folded, look: GraphLook, block: int) -> Drawing:
    return draw_boxes(folded, look, stretch_of(folded, block * BLOCK))


def stretch_of(folded: Folded, box: int) -> list[int]:
    """The boxes around a box, rising, and the leaves that they read."""
    first, last = stretch(len(folded), box // BLOCK)
    boxes = set(range(first, last))
    for inner in range(first, last):
        outside = [i for i in folded.inputs(inner) if i not in boxes]
        boxes.update(i for i in outside[: 2 * BLOCK] if not folded.inputs(i))
        if len(boxes) > 5 * BLOCK:
            break
    return sorted(boxes)


def stretch(count: int, block: int) -> tuple[int, int]:
    """The first box of a block's drawing and the one behind its last.

    >>> stretch(100_000, 0), stretch(100_000, 3)
    ((0, 192), (192, 480))
    """
    return max(0, (block - 1) * BLOCK), min(count, (block + 2) * BLOCK)


def draw_boxes(
    folded: Folded,
    look: GraphLook,
    boxes: Sequence[int],
    given_up: Callable[[], bool] = never,
) -> Drawing:
    """The drawing of some boxes of a folded graph, rising, made anew; wires from other boxes begin as stubs."""
    look = _shape_of(look)
    graph = _graph(folded, boxes)
    shapes = [box_shape(folded, box, look.detail) for box in boxes]
    layout = arrange(graph, shapes, down=look.down, given_up=given_up)
    inner = [box for box in boxes if folded.inputs(box)] if len(boxes) < len(folded) else boxes
    first, last = (inner[0], inner[-1] + 1) if len(inner) else (0, 0)
    return Drawing(folded, look, layout, boxes, first, last)


def _graph(folded: Folded, boxes: Sequence[int]) -> Graph:
    """What is drawn of the folded graph; wires from boxes that are not drawn come from -1."""
    place = np.full(len(folded) + 1, -1)
    place[np.asarray(boxes, dtype=np.int64)] = np.arange(len(boxes))
    source, start = place[folded.source].tolist(), folded.edge_start.tolist()
    inputs = tuple(tuple(source[start[box] : start[box + 1]]) for box in boxes)
    silent = frozenset(
        (int(place[box]), wire - start[box])
        for wire in np.flatnonzero(folded.silent).tolist()
        for box in (int(np.searchsorted(folded.edge_start, wire, side="right")) - 1,)
        if place[box] >= 0
    )
    times: tuple[int, ...] = ()
    if len(folded.scopes.times) > 1:
        times = tuple(folded.time(box) for box in boxes)
        times = times if len(set(times) - {-1}) > 1 else ()
    return Graph(inputs, _data(folded, boxes), times, silent)


def _data(folded: Folded, boxes: Sequence[int]) -> frozenset[int]:
    """The leaves that carry data: inputs; where there are none, constant arrays; else all leaves."""
    trace = folded.trace
    leaves = [
        (place, int(folded.nodes(box)[0]))
        for place, box in enumerate(boxes)
        if folded.edge_start[box] == folded.edge_start[box + 1] and folded.group[box] < 0
    ]
    kinds = [(place, node, KINDS[trace.kind_of[node]]) for place, node in leaves]
    inputs = [place for place, _, kind in kinds if kind in ("input", "buffer")]
    constants = [
        place for place, node, kind in kinds if kind == "constant" and trace.storage.held(node).ndim
    ]
    return frozenset(inputs or constants or [place for place, _ in leaves])


# ----- the size of a box


def box_shape(folded: Folded, box: int, detail: int) -> Shape:
    """The cells that a box needs at any position, for its name, its op, its shape and its counts."""
    shadow = folded.is_folded(box)
    if detail == 0:
        return Shape(3, 1, shadow)
    title = name_and_op(folded, box)
    if detail == 1:
        return Shape(min(LINE_WIDEST, len(title[0]) + 4) + shadow, 1, shadow)
    arguments = int(folded.edge_start[box + 1] - folded.edge_start[box])
    height = box_height(arguments, 2 if detail == 2 else 5)
    return Shape(box_width(folded, box, title) + shadow, height + shadow, shadow)


def box_width(folded: Folded, box: int, title: tuple[str, str]) -> int:
    """The columns of a box without its shadow."""
    name, op = title
    wide = len(name) + len(op) + 5
    if wide > ROOMY:
        wide = len(name) + 4
    trace, foot = folded.trace, 0
    if folded.is_folded(box):
        count = len(str(len(folded.nodes(box))))
        foot = 3 * count + 10
    else:
        node = int(folded.members[folded.start[box]])
        shape = trace.storage.held(node).shape
        if shape:
            flows = trace.timeline.arrived(0, node)[1]
            foot = len(fmt.shape(shape)) + 8 + (2 * len(str(flows)) + 2 if flows > 1 else 0)
    return max(NARROWEST, min(wide, WIDEST), min(foot, WIDEST))


SHORT_KINDS = {"parameter": "param", "constant": "const"}


def name_and_op(folded: Folded, box: int) -> tuple[str, str]:
    """A box's name and op: those of its node, or its scope and what leaves it.

    A node without a name shows its op and its number: ("mul", "@7").
    """
    if folded.is_folded(box):
        return folded.name(box), folded.trace[folded.face_of(box)].op_name
    node = int(folded.members[folded.start[box]])
    view = folded.trace[node]
    if view.name:
        return view.label, SHORT_KINDS.get(view.op_name, view.op_name)
    return view.op_name, f"@{node}"
