"""The outline style: operations only, without numbers, in the frames of their scopes: the overview of a network."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from tracer.diagrams.boxed.boxes import boxes_of
from tracer.diagrams.boxed.cards import has_run, line_of, route_of
from tracer.diagrams.boxed.columns import columns_of, frames_apart, keys_in, upright_in
from tracer.diagrams.boxed.copies import Box
from tracer.diagrams.boxed.stubs import stubs_of
from tracer.diagrams.boxed.titles import folded_title, label_text, operations
from tracer.diagrams.frames import Part, framed
from tracer.diagrams.gates import gate_text
from tracer.diagrams.measure import room_for
from tracer.diagrams.moments import SMALL, WORDED, Moment
from tracer.diagrams.names import plain
from tracer.diagrams.picture import Caption, Card, Edge, Gate, Picture, Role, Run, Shape, Text
from tracer.diagrams.settings import Settings
from tracer.timeline import GLYPHS

MOST_GATES = 300
"""Of more operations than that, scopes, time steps and repeats are folded, unless the user names another number."""
STRAIGHT = 20
"""How much the layout cares that the main route is straight: blocks would go down like stairs."""
SIGN, NAME = 13, 11


def outline(part: Part, moment: Moment, settings: Settings) -> Picture:
    """The picture of operations alone. At a step a dashed frame has not run, and a glyph says how far a gradient is."""
    drawn = boxes_of(part, settings.most, MOST_GATES)
    route = route_of(drawn)
    columns = columns_of(drawn, {b for line in route for b in line})
    upright = upright_in(columns)
    placed: dict[int, list[Shape]] = defaultdict(list)
    edges: list[Edge] = []
    states: set[str] = set()
    for b, box in enumerate(drawn.boxes):
        shapes = placed[box.home[-1] if box.home else -1]
        state = moment.timeline.status(moment.position, box.face).state
        states.add(state)
        shapes.append(_shape(part, moment, box, state))
        for use in box.reads:
            line = line_of(moment, drawn.boxes, use, b, heavy=False)
            straight = STRAIGHT if (use.source, b) in route else 1
            edges.append(
                replace(line, weight=straight, backward=upright.get((use.source, b), False))
            )
        for caption, edge in stubs_of(box):
            shapes.append(caption)
            edges.append(edge)
    outside, clusters = framed(drawn.frames, placed, filled=True)
    return Picture(
        outside,
        (*edges, *frames_apart(drawn, columns)),
        clusters,
        caption=_legend(moment, states),
        columns=keys_in(columns, drawn.boxes),
        spread=(0.16, 0.3),
        remarks=drawn.remarks,
        direction=settings.direction or "rows",
    )


def _shape(part: Part, moment: Moment, box: Box, state: str) -> Shape:
    """A pill for an operation, its name alone for a leaf or a value from elsewhere, a card for a folded scope."""
    i = box.face
    mark = (Run(f" {GLYPHS[state]}", "quiet", SMALL),) if moment.stepping else ()
    tip = _tip(moment, box, state)
    current = moment.stepping and any(map(moment.current, box.nodes))
    if box.name:
        title = (*folded_title(box), *mark)
        note = (Run(operations(moment, box), "quiet", SMALL),)
        role: Role = "ink" if has_run(moment, box) else "ahead"
        width = room_for((*title, Run("    "), *note)) + 12
        return Card(box.key, title, note, (), width, tip, role, current, nodes=box.nodes)
    if part.draws_operation(i):
        return Gate(
            box.key,
            (*_sign(moment, i), *mark),
            tip,
            ahead=not moment.has_run(i),
            current=current,
            nodes=box.nodes,
        )
    number, copies = box.copy
    again = (Run(f" {number} of {copies}", "quiet", SMALL),) if copies > 1 else ()
    name = label_text(moment, i, moment.trace[i].op_name, size=NAME, italic=True)
    return Caption(box.key, (*name, *again, *mark), tip)


def _sign(moment: Moment, i: int) -> Text:
    """The operation's sign, and the name of its result if it has one."""
    sign = (replace(gate_text(moment.trace, i)[0], size=SIGN),)
    name = tuple(
        replace(run, role="quiet") for run in label_text(moment, i, "", size=NAME, italic=True)
    )
    return (*sign, Run("  ", size=NAME), *name) if name else sign


def _tip(moment: Moment, box: Box, state: str) -> str:
    node = moment.trace[box.face]
    lines = [f"{plain(box.name)}: {operations(moment, box)}"] if box.name else []
    lines.append(f"{plain(node.label)} ({node.op_name})")
    if moment.stepping:
        lines.append(f"gradient {state}")
    if node.scope_text:
        lines.append(f"in {plain(node.scope_text)}")
    return "\n".join(lines)


def _legend(moment: Moment, states: set[str]) -> tuple[Text, ...]:
    """The lines below, with every glyph that is shown."""
    if not moment.stepping:
        return ()
    words = {"final": "gradient final", **{state: state for state in WORDED}}
    more = "   ".join(f"{GLYPHS[state]} {word}" for state, word in words.items() if state in states)
    said = moment.caption(states)
    return (*said, (Run(more, "quiet", 11),)) if more else said
