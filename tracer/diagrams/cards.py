"""The card style: a tensor as a card with its formula, shape, value and gradient, inside the frames of its scopes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set
from dataclasses import replace

import numpy as np

from tracer import format as short
from tracer.diagrams.frames import Part, framed, frames_of
from tracer.diagrams.gates import gate_text
from tracer.diagrams.measure import room_for
from tracer.diagrams.moments import PARAMETER, SMALL, Moment, Reading
from tracer.diagrams.names import formula_text, name_text, plain
from tracer.diagrams.picture import Card, Edge, Picture, Run, Shape, Text
from tracer.formulas import formula
from tracer.kinds import KINDS
from tracer.nodes import Node

MARK = "∂ "
NUMBER_SIZE = 11.0
BESIDE = tuple(map(KINDS.index, ("parameter", "buffer", "constant")))
MOST_BESIDE = 2
"""So many leaves stand beside an operation, one below and one above."""
MOST_FLOWS = 8
"""So many flows are listed in a tooltip."""


def cards(part: Part, moment: Moment) -> Picture:
    """The picture of tensors as cards. The route that carries the data from the input to the loss is drawn heavier."""
    trace = moment.trace
    frames = frames_of(part)
    route = main_route(part)
    stops = {i for edge in route for i in edge}
    beside = _beside(part, stops)
    turned = {(owned[1], i) for i, owned in beside.items() if len(owned) > 1}
    placed: dict[int, list[Shape]] = defaultdict(list)
    edges: list[Edge] = []
    states: set[str] = set()
    for i in part.nodes:
        home = frames.around[i]
        reading = moment.read(i, size=NUMBER_SIZE, bold=False, mark=MARK)
        states.add(reading.state)
        final = moment.fullest(i, size=NUMBER_SIZE, bold=False, mark=MARK)
        placed[home[-1] if home else -1].append(_card(part, moment, i, reading, final, i in stops))
        if not part.draws_operation(i):
            continue
        for argument, j in enumerate(trace.inputs_of(i)):
            if j >= 0:
                edge = _edge(moment, j, i, argument, heavy=(j, i) in route)
                edges.append(replace(edge, backward=True) if (j, i) in turned else edge)
    shapes, clusters = framed(frames.frames, placed, filled=True)
    ranks = tuple(tuple(f"n{k}" for k in (i, *owned)) for i, owned in beside.items())
    return Picture(
        shapes, tuple(edges), clusters, ranks, moment.caption(states), spread=(0.3, 0.35)
    )


def _beside(part: Part, stops: Set[int]) -> dict[int, tuple[int, ...]]:
    """Operation to the weights and constants that it alone reads and that are not `stops` of the main route.

    They stand above and below it, so that layers stand one after the other.
    """
    trace = part.trace
    found: dict[int, tuple[int, ...]] = {}
    for i in part.nodes:
        if not part.draws_operation(i):
            continue
        inputs = [j for j in trace.inputs_of(i) if j >= 0]
        own = [
            j
            for j in inputs
            if trace.kind_of[j] in BESIDE and len(part.uses(j)) == 1 and j not in stops
        ]
        if 0 < len(own) <= MOST_BESIDE and len(own) < len(inputs):
            found[i] = tuple(own)
    return found


def _card(
    part: Part, moment: Moment, i: int, reading: Reading, final: Reading, on_route: bool
) -> Card:
    title = card_title(part, moment, i)
    shape = moment.trace[i].shape
    note = (Run(short.shape(shape), "quiet", SMALL),) if shape else ()
    rows = (reading.value, reading.gradient)
    return Card(
        f"n{i}",
        title,
        note,
        rows,
        width=room_for((*title, Run("    "), *note), final.value, final.gradient) + 12,
        tip="\n".join(
            [_written_formula(moment, i), moment.tip(i, reading), *_flow_lines(moment, i)]
        ).strip(),
        role="ink" if moment.has_run(i) else "ahead",
        current=moment.current(i),
        on_route=on_route,
    )


def card_title(part: Part, moment: Moment, i: int) -> Text:
    """`name = formula` for a named operation, the bare formula for an unnamed one, the name of a leaf."""
    node = moment.trace[i]
    if not part.draws_operation(i):
        return name_text(node.name or node.kind, role=moment.name_role(i), bold=True, italic=False)
    right = formula_text(_right_hand_side(moment, i))
    if not node.name:
        return right
    name = name_text(node.name, role=moment.name_role(i), bold=True, italic=False)
    return (*name, Run(" = "), *right)


def _right_hand_side(moment: Moment, i: int) -> str:
    """The formula with `…` for the inputs that have no name: what the arrows bring."""
    node = moment.trace[i]
    written = formula(node) or f"{gate_text(moment.trace, i)[0].text}(…)"
    for source in node.inputs:
        if isinstance(source, Node) and not source.name:
            written = written.replace(source.label, "…")
    return written


def _written_formula(moment: Moment, i: int) -> str:
    node = moment.trace[i]
    return "" if node.is_leaf else plain(f"{node.label} = {formula(node)}")


def _flow_lines(moment: Moment, i: int) -> list[str]:
    """The flows whose sum is the gradient, as far as they have arrived."""
    trace = moment.trace
    if len(trace.uses_of(i)) < 2:
        return []
    flows = [flow for flow in trace.flows_into(i) if moment.arrived(flow)]
    lines = [
        f"  + {moment.write(flow.cotangent)} from {plain(trace[flow.consumer].label)}"
        for flow in flows[:MOST_FLOWS]
    ]
    return lines + ([f"  + {len(flows) - MOST_FLOWS} more"] if len(flows) > MOST_FLOWS else [])


def _edge(moment: Moment, j: int, i: int, argument: int, *, heavy: bool) -> Edge:
    ahead, moving = not moment.has_run(i), moment.sending(i, argument)
    return Edge(
        f"n{j}",
        f"n{i}",
        role="gradient" if moving else "ahead" if ahead else "wire",
        dashed=ahead,
        heavy=heavy or moving,
        weight=6 if heavy else 1,
    )


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
                np.size(trace.value(j)),
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
