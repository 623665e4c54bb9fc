"""What each use sends back to a value that is used more than once, beside the line along which it comes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tracer.diagrams.measure import text_width
from tracer.diagrams.moments import Moment
from tracer.diagrams.numerals import signed
from tracer.diagrams.over_time.step_shapes import shape_width
from tracer.diagrams.picture import Caption, Edge, Gate, Pane, Point, Run, Shape, Text, Wire

LETTERS = 11.0
"""The size of a contribution."""
HIGH = 6.5
"""Half the height of its line of text."""
AIR = 2.5
"""Points kept free around it."""
REACH = 90.0
"""How far left and right of a line its neighbours are looked at."""

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""


@dataclass(frozen=True)
class Sent:
    """The sum of some flows: of those that have arrived, and of all of them."""

    arrived: Any
    """None if none has."""
    final: Any
    """None if none ever will."""


@dataclass(frozen=True)
class Branch:
    """A line with the flow that comes back along it."""

    key: str
    source: int
    """The value to which it comes."""
    pattern: object
    """Equal for the same use in different steps, whose contributions stand alike."""
    path: tuple[Point, ...]
    edges: tuple[int, ...]
    """The uses that it stands for."""
    pane: float
    """The left side of the pane of the step that reads the value."""
    above: bool = False
    """Whether something else stands below the line, so that its contribution has to be above."""


def sent_along(moment: Moment, edges: Sequence[int]) -> Sent:
    """The sum of the flows along some edges, added in the order of the backward pass."""
    flowing = [edge for edge in sorted(edges, reverse=True) if moment.trace.edge_flows[edge]]
    total = _summed(moment, tuple(flowing))
    there = tuple(edge for edge in flowing if arrived_along(moment, edge))
    return Sent(total if len(there) == len(flowing) else _summed(moment, there), total)


def _summed(moment: Moment, edges: tuple[int, ...]) -> Any:
    """The sum of the flows along some edges, None of no edges; the frames of a walk ask for it again and again."""
    if not edges:
        return None
    key = ("sent", edges)
    if key not in moment.memory:
        total = moment.trace.seen_flow(edges[0])
        for edge in edges[1:]:
            total = total + moment.trace.seen_flow(edge)
        moment.memory[key] = total
    return moment.memory[key]


def moving_along(moment: Moment, edges: Sequence[int]) -> bool:
    """Whether the current step sends a flow along one of the edges."""
    trace = moment.trace
    return moment.stepping and any(
        moment.sending(int(trace.edge_consumer[edge]), int(trace.edge_argument[edge]))
        for edge in edges
    )


def arrived_along(moment: Moment, edge: int) -> bool:
    """Whether the flow along an edge has been sent by now."""
    if not moment.stepping:
        return True
    return moment.has_come(edge)


def flow_text(moment: Moment, flow: Any) -> Text:
    """A contribution: the flow with its sign, or its root mean square without one; nothing before it arrives."""
    if flow is None:
        return ()
    written = moment.write(flow)
    words = signed(written) if np.size(flow) == 1 else written.removeprefix("rms ")
    return (Run(words, "gradient", LETTERS),)


def contributions(
    moment: Moment, branches: Sequence[Branch], shapes: Sequence[Shape], edges: Sequence[Edge]
) -> list[Shape]:
    """A caption beside each line whose flow has arrived, where neither a shape nor, if possible, a line is in the way.

    The place is found once for each pattern, with room for the widest of its contributions at the end of the walk.
    """
    rooms: dict[object, float] = defaultdict(float)
    flows = [sent_along(moment, branch.edges) for branch in branches]
    texts = [flow_text(moment, sent.final) for sent in flows]
    for branch, text in zip(branches, texts, strict=True):
        alike = _alike(branch)
        rooms[alike] = max(rooms[alike], text_width(text))
    shown = "places", tuple((branch.key, branch.path[-1]) for branch in branches)
    places: dict[object, Point] = moment.memory.setdefault(shown, {})
    around = None if places else _Surroundings(shapes, edges)  # nothing moves from frame to frame
    captions: list[Shape] = []
    for branch, sent, text in zip(branches, flows, texts, strict=True):
        alike = _alike(branch)
        if around is not None and alike not in places:
            x, y = around.place(branch, rooms[alike])
            places[alike] = x - branch.path[-1][0], y - branch.path[-1][1]
        words = text if sent.arrived is sent.final else flow_text(moment, sent.arrived)
        if words:
            left, y = (p + q for p, q in zip(branch.path[-1], places[alike], strict=True))
            captions.append(Caption(branch.key, words, at=(left + text_width(words) / 2, y)))
    return captions


def _alike(branch: Branch) -> object:
    (a, b), (c, d) = branch.path[-4], branch.path[-1]
    return branch.pattern, round(c - a), round(d - b)


class _Surroundings:
    """What stands on the sheet, by its place from left to right."""

    def __init__(self, shapes: Sequence[Shape], edges: Sequence[Edge]) -> None:
        self.boxes = sorted(box for shape in shapes for box in _boxes(shape))
        pieces = [
            (min(a[0], b[0]), max(a[0], b[0]), a, b)
            for edge in edges
            if edge.path
            for a, b in pairwise(edge.path[::3])
        ]
        self.pieces = sorted(pieces)
        panes = [shape for shape in shapes if isinstance(shape, Pane)]
        self.borders = [p.at[0] + side * p.size[0] / 2 for p in panes for side in (-1, 1)]
        self.found: list[tuple[object, Box]] = []

    def place(self, branch: Branch, room: float) -> Point:
        """The left end of a caption's middle line beside a line; captions found stand alike in every pane."""
        path = branch.path[-4:] if len(branch.path) > 7 else branch.path
        xs = [x for x, _ in path]
        first, last = min(xs) - REACH, max(xs) + REACH
        boxes = [b for b in self.boxes if b[2] > first and b[0] < last]
        boxes += [
            (a + branch.pane, b, c + branch.pane, d)
            for pattern, (a, b, c, d) in self.found
            if pattern != branch.pattern
        ]
        pieces = [(a, b) for left, right, a, b in self.pieces if right > first and left < last]
        best: tuple[float, Box] | None = None
        for cost, (x, y) in _candidates(path, room, above=branch.above):
            box = (x - AIR, y - HIGH, x + room + AIR, y + HIGH)
            cost += sum(1000 for other in boxes if _overlap(box, other))
            cost += sum(100 for a, b in pieces if _crosses(a, b, box))
            cost += sum(20 for x in self.borders if box[0] < x < box[2])
            if best is None or cost < best[0]:
                best = cost, box
            if cost < 20:
                break
        assert best is not None
        left, low, right, high = best[1]
        here = (left - branch.pane, low, right - branch.pane, high)
        self.found.append((branch.pattern, here))
        return best[1][0] + AIR, (best[1][1] + best[1][3]) / 2


def _boxes(shape: Shape) -> Iterator[Box]:
    """The rectangles that a shape's letters and lines take."""
    if shape.at is None or not isinstance(shape, (Wire, Gate)):
        return
    x, y = shape.at
    if isinstance(shape, Wire):
        half = shape.width / 2
        yield (x - half, y - 19, x + half, y + 18)
    else:
        half = shape_width(shape) / 2
        yield (x - half, y - 17, x + half, y + 17)


def _candidates(
    path: tuple[Point, ...], room: float, *, above: bool
) -> Iterator[tuple[float, Point]]:
    """Places beside a path, the left end and the height of the text, the best first: near the value, below, right."""
    pieces = list(pairwise(path[::3]))
    found: list[tuple[float, Point]] = []
    shares = (0.3, 0.4, 0.5, 0.6, 0.7, 0.2, 0.8)
    descends = above or (len(pieces) > 1 and pieces[-2][0][1] > pieces[-2][1][1])
    for number, ((a, b), (c, d)) in enumerate(reversed(pieces)):  # other lines may share the first
        level = abs(d - b) < abs(c - a) * 0.35
        for share in shares:
            x, y = a + (c - a) * share, b + (d - b) * share
            cost = number * 3 + abs(share - 0.4) * 4
            if level:
                slope = abs((d - b) / (c - a)) * room / 2
                left = x - room / 2
                if not slope and share == shares[0]:  # close to the one end and to the other
                    for near in (min(a, c) + AIR + 1, max(a, c) - room - AIR - 1):
                        found += [
                            (cost + 1 + 6 * descends, (near, y - 9)),
                            (cost + 1 + 6 * (not descends), (near, y + 9)),
                        ]
                found.append((cost + 6 * descends, (left, y - 9 - slope)))
                found.append((cost + 6 * (not descends), (left, y + 9 + slope)))
            else:
                found += [(cost, (x + 5, y)), (cost + 1, (x - 5 - room, y))]
                away = abs((c - a) / (d - b)) * HIGH
                found += [(cost + 0.5, (x + 5 + away, y)), (cost + 1.5, (x - 5 - away - room, y))]
    yield from sorted(found, key=lambda each: each[0])


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _crosses(a: Point, b: Point, box: Box) -> bool:
    """Whether a straight line passes through a rectangle: clip it side by side."""
    enters, leaves = 0.0, 1.0
    for start, end, low, high in ((a[0], b[0], box[0], box[2]), (a[1], b[1], box[1], box[3])):
        step = end - start
        if abs(step) < 1e-9:
            if not low < start < high:
                return False
            continue
        one, other = sorted(((low - start) / step, (high - start) / step))
        enters, leaves = max(enters, one), min(leaves, other)
    return enters < leaves
