"""The card style: a tensor as a card with its formula, shape, value and gradient, inside the frames of its scopes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from tracer import format as short
from tracer.diagrams.boxed.boxes import Boxes, boxes_of
from tracer.diagrams.boxed.columns import (
    columns_of,
    fans_of,
    frames_apart,
    keys_in,
    pulls_of,
    upright_in,
)
from tracer.diagrams.boxed.copies import Box, Use
from tracer.diagrams.boxed.stubs import stubs_of
from tracer.diagrams.boxed.titles import card_title, folded_title, operations, output_text
from tracer.diagrams.frames import Part, framed
from tracer.diagrams.measure import room_for
from tracer.diagrams.moments import PARAMETER, SMALL, Moment, Reading
from tracer.diagrams.names import plain
from tracer.diagrams.picture import Caption, Card, Edge, Picture, Run, Shape, Side, Text, Wire
from tracer.diagrams.settings import Settings
from tracer.formulas import formula

MARK = "∂ "
MOST_CARDS = 45
"""Of more cards than a page can hold, scopes, time steps and repeats are folded, unless the user names a number."""
NUMBER_SIZE = 11.0
MOST_LABELLED = 60
"""Of no more cards than that, the flows of a value with several uses stand on its lines."""
MOST_FLOWS = 8
"""So many flows are listed in a tooltip."""


def cards(part: Part, moment: Moment, settings: Settings) -> Picture:
    """The picture of tensors as cards. The route that carries the data from the input to the loss is drawn heavier."""
    drawn = moment.once("boxes", lambda: boxes_of(part, settings.most, MOST_CARDS))
    boxes, direction = drawn.boxes, settings.direction or "rows"
    route = route_of(drawn)
    stops = {b for line in route for b in line}
    columns, fans = columns_of(drawn, stops), fans_of(drawn)
    upright = upright_in(columns)
    pulls = pulls_of(drawn, {line for line in route if fans.isdisjoint(line)})
    placed: dict[int, list[Shape]] = defaultdict(list)
    edges: list[Edge] = []
    states: set[str] = set()
    for b, box in enumerate(boxes):
        shapes = placed[box.home[-1] if box.home else -1]
        reading = moment.read(box.face, size=NUMBER_SIZE, bold=False, mark=MARK)
        states.add(reading.state)
        shapes.append(_card(part, moment, box, reading, b in stops - fans))
        for use in box.reads:
            line = use.source, b
            edge = line_of(moment, boxes, use, b, heavy=line in route)
            edge = replace(edge, weight=pulls[line])
            if line in upright or len(boxes) > MOST_LABELLED:
                edges.append(replace(edge, backward=upright.get(line, False)))
                continue
            source = boxes[use.source]
            shape, pieces = _with_flow(moment, source, use, edge, across=direction != "down")
            edges += pieces
            if shape is not None:
                home = box.home[: _frames_around(source.home, box.home)]
                placed[home[-1] if home else -1].append(shape)
        for caption, edge in stubs_of(box):
            shapes.append(caption)
            edges.append(edge)
    outside, clusters = framed(drawn.frames, placed, filled=True)
    return Picture(
        outside,
        (*edges, *frames_apart(drawn, columns)),
        clusters,
        caption=moment.caption(states),
        columns=keys_in(columns, boxes),
        spread=(0.3, 0.35),
        remarks=drawn.remarks,
        direction=direction,
    )


def route_of(drawn: Boxes) -> set[tuple[int, int]]:
    """The main route from box to box."""
    place = drawn.place_of()
    pairs = ((place.get(j, -1), place.get(i, -1)) for j, i in main_route(drawn.part))
    return {(left, right) for left, right in pairs if left != right and min(left, right) >= 0}


def _card(part: Part, moment: Moment, box: Box, reading: Reading, on_route: bool) -> Card:
    """The card of a box: of a folded scope with the numbers of its output, of a further copy without numbers."""
    number = box.copy[0]
    title, small, width = moment.once((box.key, "head"), lambda: _head(part, moment, box))
    rows: tuple[Text, ...] = (reading.value, reading.gradient)
    if box.name:
        rows = (_output(moment, box), *rows)
    if number > 1:
        rows = ()
    return Card(
        box.key,
        title,
        small,
        rows,
        width=width,
        tip=_tip(moment, box, reading) if moment.tips else "",
        role="ink" if has_run(moment, box) else "ahead",
        current=any(map(moment.current, box.nodes)) if moment.stepping else False,
        on_route=on_route,
        nodes=box.nodes if number == 1 else (),
    )


def _head(part: Part, moment: Moment, box: Box) -> tuple[Text, Text, float]:
    """What is the same at every step: the title, the note beside it, and the width of the card."""
    i, (number, copies) = box.face, box.copy
    title = folded_title(box) if box.name else card_title(part, moment, i)
    note = " · ".join(
        filter(None, (_note(moment, box), f"{number} of {copies}" if copies > 1 else ""))
    )
    small = (Run(note, "quiet", SMALL),) if note else ()
    final = moment.fullest(i, size=NUMBER_SIZE, bold=False, mark=MARK)
    said: tuple[Text, ...] = (final.value, final.gradient) if number == 1 else ()
    if box.name and number == 1:
        said = (_output(moment, box), *said)
    return title, small, room_for((*title, Run("    "), *small), *said) + 12


def _output(moment: Moment, box: Box) -> Text:
    return (Run(output_text(moment, box), "quiet", SMALL),)


def _note(moment: Moment, box: Box) -> str:
    if box.name:
        return operations(moment, box)
    shape = moment.trace[box.face].shape
    return short.shape(shape) if shape else ""


def has_run(moment: Moment, box: Box) -> bool:
    """Whether a box has its value: a folded one not before its output is there."""
    return moment.has_run(box.face)


def _tip(moment: Moment, box: Box, reading: Reading) -> str:
    i, (number, copies) = box.face, box.copy
    lines = [moment.tip(i, reading)]
    if number > 1:
        lines = [
            f"{plain(moment.trace[i].label)} once more, {number} of {copies}: its numbers stand with the first"
        ]
    elif box.name:
        lines = [f"{plain(box.name)}: {operations(moment, box)}", output_text(moment, box), *lines]
    else:
        lines = [_written_formula(moment, i), *lines, *_flow_lines(moment, i)]
    return "\n".join(lines).strip()


def line_of(moment: Moment, boxes: Sequence[Box], use: Use, b: int, *, heavy: bool) -> Edge:
    """The line of a use into box b: dashed before it has run, red while a flow comes back along it."""
    trace = moment.trace
    ends = [(int(trace.edge_consumer[e]), int(trace.edge_argument[e])) for e in use.edges]
    ahead = not any(moment.has_run(i) for i, _ in ends)
    moving = any(moment.sending(i, argument) for i, argument in ends)
    return Edge(
        boxes[use.source].key,
        boxes[b].key,
        role="gradient" if moving else "ahead" if ahead else "wire",
        dashed=ahead,
        heavy=heavy or moving,
    )


def _with_flow(
    moment: Moment, source: Box, use: Use, line: Edge, *, across: bool
) -> tuple[Shape | None, tuple[Edge, ...]]:
    """A line with what it sends back, where the gradient of the value is a sum of several flows."""
    if not _is_one_of_several(moment, source, use):
        return None, (line,)
    edge = use.edges[0]
    number = (Run(moment.flow(edge), "gradient", SMALL),)
    now: Text = number if moment.has_come(edge) else ()
    key = f"c{edge}"
    tip = f"flow from {moment.called(int(moment.trace.edge_consumer[edge]))}"
    shape: Shape
    if across:
        width = room_for(number, least=30)
        shape = Wire(key, (), now, width=width, tip=tip, role=line.role)
    else:
        shape = Caption(key, now or (Run(" ", size=SMALL),), tip)
    returning = line.role == "gradient"  # its arrow stands where the line begins
    sides: tuple[Side, Side] = ("w", "e") if across else ("", "")
    return shape, (
        replace(line, head=key, head_side=sides[0], arrow=returning),
        replace(line, tail=key, tail_side=sides[1], arrow=not returning),
    )


def _frames_around(source: tuple[int, ...], reader: tuple[int, ...]) -> int:
    """How many frames lie around a line: those of its reader where it only enters frames, else those of both ends."""
    if reader[: len(source)] == source:
        return len(reader)
    return next(k for k, frame in enumerate(source) if reader[k : k + 1] != (frame,))


def _is_one_of_several(moment: Moment, source: Box, use: Use) -> bool:
    """Whether a flow comes back along a use, and others reach the same value."""
    if source.name or len(use.edges) > 1 or len(moment.trace.uses_of(source.face)) < 2:
        return False
    arriving = moment.timeline.arrivals(source.face)
    return len(arriving) > 1 and use.edges[0] in arriving


def _written_formula(moment: Moment, i: int) -> str:
    node = moment.trace[i]
    return "" if node.is_leaf else plain(f"{node.label} = {formula(node)}")


def _flow_lines(moment: Moment, i: int) -> list[str]:
    """The flows whose sum is the gradient, as far as they have arrived."""
    trace = moment.trace
    if len(trace.uses_of(i)) < 2:
        return []
    flows = [edge for edge in moment.timeline.arrivals(i) if moment.has_come(edge)]
    lines = [
        f"  + {moment.flow(edge)} from {plain(trace.label(int(trace.edge_consumer[edge])))}"
        for edge in flows[:MOST_FLOWS]
    ]
    return lines + ([f"  + {len(flows) - MOST_FLOWS} more"] if len(flows) > MOST_FLOWS else [])


def main_route(part: Part) -> set[tuple[int, int]]:
    """The edges from the main input to the loss: upstream along data rather than weights, tracked values, the largest.

    Of equally large inputs the one that is further from the leaves is taken, then the earlier argument.
    """
    trace = part.trace
    depth, weights_only = _origins(part)
    here = trace.loss if trace.loss in part.inside else max(part.inside, default=-1)
    route: set[tuple[int, int]] = set()
    while here >= 0 and part.draws_operation(here):
        inputs = [j for j in trace.inputs_of(here) if j >= 0]
        if not inputs:
            break
        ranked = [
            (
                j not in weights_only,
                bool(trace.tracked[j]),
                trace.storage.held(j).size,
                depth[j],
                -k,
                j,
            )
            for k, j in enumerate(inputs)
        ]
        best = max(ranked)[-1]
        route.add((best, here))
        here = best
    return route


def _origins(part: Part) -> tuple[dict[int, int], set[int]]:
    """How many operations lie between each node and the leaves, and the nodes that are made of weights alone."""
    trace = part.trace
    depth: dict[int, int] = {}
    weights: set[int] = set()
    for i in part.nodes:
        inputs = [j for j in trace.inputs_of(i) if j >= 0] if part.draws_operation(i) else []
        depth[i] = 1 + max((depth[j] for j in inputs), default=0)
        if trace.kind_of[i] == PARAMETER or (inputs and all(j in weights for j in inputs)):
            weights.add(i)
    return depth, weights
