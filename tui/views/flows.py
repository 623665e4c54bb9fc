"""The flows of a node: what its uses have sent to it, and what it sends on, each as upstream times local."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from tracer import elements
from tracer import format as fmt
from tracer.cells.figures import figure
from tracer.cells.meanings import Kind
from tracer.elements import Element
from tracer.formulas import flow_formula, local_derivative
from tracer.nodes import Node
from tracer.timeline import GLYPHS
from tui.ink import Line, Span, elide, span, width_of
from tui.views.arrivals import (
    Arrival,
    amount,
    arrivals,
    cursor,
    factors,
    index_text,
    running_sums,
    short,
)
from tui.views.scene import Scene

LINES = 4
"""A formula takes at most so many lines."""
MOST_INPUTS = 8
"""Of an operation with more inputs than this, the first are listed."""
WIDE = 80
"""From this width on, the numbers of an element stand beside its formula."""
LEAST = 4
"""A formula of fewer characters than this is left out."""
RUNNING = 40
"""From this width on, the running sum stands beside each flow."""


# ----- what flows in


def flows_in(scene: Scene, width: int, *, sparse: bool = False) -> list[Line]:
    """Each flow into the node with its consumer, upstream times local and the running sum, and what they add up to.

    For a tensor the sum runs at the element under the cursor.
    """
    node = scene.selected
    arrived, expected = scene.timeline.arrived(scene.position, node)
    if not expected:
        return []
    first, listed = arrivals(scene)
    at = cursor(scene, node)
    empty = not scene.trace.storage.held(node).size
    sparse = sparse or empty
    sums = [] if empty else running_sums(scene, first, listed, at)
    sums += [None] * (len(listed) - len(sums))
    found: list[Line] = []
    if first:
        found.append((span(f"    {GLYPHS['final']} {first} earlier ones", Kind.FAINT),))
    for each, total in zip(listed, sums, strict=True):
        running = f"  Σ {short(total)}" if width >= RUNNING and expected > 1 else ""
        found += _flow_in(scene, each, at, running, width, sparse=sparse)
    if len(listed) + first < expected:
        more = expected - len(listed) - first
        found.append((span(f"    {GLYPHS['not reached']} {more} more to come", Kind.FAINT),))
    if expected > 1:
        now = next((each for each in reversed(sums) if each is not None), None)
        found.append(_sum_line(scene, (arrived, expected), at, now, width))
    return [(span("in ", Kind.FAINT), *_without(found[0], 3)), *found[1:]]


def _without(line: Line, blanks: int) -> Line:
    """The line without blanks at its beginning."""
    return (line[0]._replace(text=line[0].text[blanks:]), *line[1:])


def _flow_in(
    scene: Scene, each: Arrival, at: Element, running: str, width: int, *, sparse: bool
) -> list[Line]:
    head = span(
        f"    {each.mark} {each.name}  ",
        Kind.NAME if each.newest else Kind.TEXT if each.arrived else Kind.FAINT,
    )
    consumer, work = each.consumer, scene.figures.work(each.consumer.index)
    names = scene.figures.text(
        ("flow", each.edge), work, lambda: flow_formula(consumer, each.argument)
    )
    if not each.arrived:
        return [(head, span(elide(names, width - width_of((head,))), Kind.FAINT))]
    if at:
        rms = f"rms {_rms(scene, each.edge)}"
        line = _calculated(head, names, "", (rms, ""), width)
        if sparse:
            return [line]
    put_in, number = factors(scene, each, at), short(amount(scene, each.edge, at))
    if not at:
        return [_calculated(head, names, put_in, (number, running), width)]
    where = span(f"    {index_text(at)} ", Kind.FAINT)
    inner = _calculated(where, put_in, "", (number, running), width)
    if width < WIDE:
        return [line, inner]
    half = width // 2
    left = _calculated(head, names, "", (rms, ""), half)
    return [(*left, *_calculated(where, put_in, "", (number, running), width - half))]


def _sum_line(scene: Scene, counts: tuple[int, int], at: Element, now: Any, width: int) -> Line:
    """How many flows have arrived and what they make together, for a tensor also at the element under the cursor."""
    total = scene.figures.gradient(scene.position, scene.selected)
    left: Line = (span(f"    Σ {counts[0]} of {counts[1]} flows", Kind.FAINT),)
    text = "" if total is None else f"= {'rms ' if at else ''}{total.text}"
    right = span(text, Kind.GRADIENT)
    element = span(f"  {index_text(at)} {short(now)}", Kind.FAINT)
    if width_of((*left, right)) >= width:
        left = (span(f"    Σ {counts[0]} of {counts[1]}", Kind.FAINT),)
    if at and now is not None and width_of((*left, element, right)) < width:
        left = (*left, element)
    return _right(left, right, width)


def _calculated(head: Span, names: str, numbers: str, results: tuple[str, str], width: int) -> Line:
    """A formula, the same with its numbers where both or only they fit, and at the right end what it gives."""
    result, running = results
    given = f"= {result}" if names or numbers else result
    right = (span(given, Kind.GRADIENT), span(running, Kind.FAINT))
    room = width - width_of((head, *right)) - 1
    if room < LEAST:
        head = head._replace(text=elide(head.text.rstrip(), room + width_of((head,))))
        return _right((head,), right[0], width)
    text = f"{names} = {numbers}" if numbers not in ("", names, result) else names
    if width_of((span(text),)) > room:
        text = numbers if numbers and len(names) > room >= len(numbers) else elide(names, room)
    gap = room + 1 - width_of((span(text),))
    return head, span(text), span(" " * max(1, gap)), *right


def _rms(scene: Scene, edge: int) -> str:
    work = scene.figures.work(int(scene.trace.edge_consumer[edge]))
    return scene.figures.text(
        ("flow number", edge), work, lambda: figure(scene.figures.flow(edge)).text
    )


# ----- what flows out


def flows_out(scene: Scene, width: int, *, sparse: bool = False) -> list[Line]:
    """For each argument the local derivative, and below it what the node has sent: upstream times local."""
    view = scene.trace[scene.selected]
    if view.op is None or not scene.has_run(view.index):
        return []
    found: list[Line] = []
    nodes = [(k, i) for k, i in enumerate(scene.trace.inputs_of(view.index)) if i >= 0]
    for argument, i in nodes[:MOST_INPUTS]:
        found += _flow_out(scene, view, argument, scene.trace.label(i), width, sparse=sparse)
    if len(nodes) > MOST_INPUTS:
        found.append((span(f"out … {len(nodes) - MOST_INPUTS} more inputs", Kind.FAINT),))
    return found


def _flow_out(
    scene: Scene, view: Node, argument: int, name: str, width: int, *, sparse: bool
) -> list[Line]:
    edge, work = int(scene.trace.input_start[view.index]) + argument, scene.figures.work(view.index)
    key = ("local", view.index, argument)
    local = scene.figures.text(key, work, lambda: local_derivative(view, argument))
    if not local:
        return [(span(f"out ∂/∂{name}  none: {view.op_name} stops it", Kind.FAINT),)]
    words = Kind.TEXT if scene.trace.edge_flows[edge] else Kind.FAINT
    at = cursor(scene, view.index)
    numbers = _derivative(scene, view, argument, at) if not (at and sparse) else ""
    if numbers and not at:
        local = local if " where " in local or numbers == local else f"{local} = {numbers}"
    derivative = _wrapped(span(f"out ∂/∂{name} = ", Kind.FAINT), local, words, width)
    if numbers and at:
        inner = (span(f"    {index_text(at)} = ", Kind.FAINT), span(numbers, words))
        if len(derivative) == 1 and width_of((*derivative[0], *inner)) <= width >= WIDE:
            derivative = [(*derivative[0], *inner)]
        else:
            derivative = [
                *derivative,
                (inner[0], span(elide(numbers, width - width_of(inner[:1])), words)),
            ]
    if not _sent(scene, edge):
        return derivative
    text = scene.figures.text(("flow", edge), work, lambda: flow_formula(view, argument))
    newest = scene.timeline.flow_at(scene.position) == edge
    head = span(f"    → {name} += ", Kind.NAME if newest else Kind.TEXT)
    if at or scene.trace.storage.held(scene.trace.inputs_of(view.index)[argument]).ndim:
        return [*derivative, _calculated(head, text, "", (f"rms {_rms(scene, edge)}", ""), width)]
    put_in = scene.figures.text(
        ("factors", edge, at), work, lambda: flow_formula(view, argument, numbers=True)
    )
    number = short(amount(scene, edge, ()))
    return [*derivative, _calculated(head, text, put_in, (number, ""), width)]


def _derivative(scene: Scene, view: Node, argument: int, at: Element) -> str:
    """The local derivative of the element under the cursor with its numbers, and the number that they make."""
    if not elements.has_elements(view):
        return ""

    def write() -> str:
        text, number = elements.derivative(view, argument, at)
        result = fmt.number(number)
        return text if text == result else f"{text} = {result}"

    return scene.figures.text(
        ("derivative", view.index, argument, at), scene.figures.work(view.index), write
    )


def _wrapped(head: Span, text: str, kind: Kind, width: int) -> list[Line]:
    """A formula over as many lines as it needs, LINES at most."""
    first = " " * width_of((head,))
    rows = textwrap.wrap(
        text,
        max(width, 24),
        initial_indent=first,
        subsequent_indent=" " * 8,
        max_lines=LINES,
        placeholder=" …",
    )
    return [(head, span(rows[0][len(first) :], kind)), *((span(row, kind),) for row in rows[1:])]


def _sent(scene: Scene, edge: int) -> bool:
    """Whether the flow along an edge has run: a node sends its flows one after the other, by argument."""
    trace, node = scene.trace, int(scene.trace.edge_consumer[edge])
    last = scene.timeline.after_backward(node)
    if last is None or not trace.edge_flows[edge]:
        return False
    later = int(np.count_nonzero(trace.edge_flows[edge + 1 : trace.input_start[node + 1]]))
    return scene.position >= last - later


def _right(left: Line, right: Span, width: int) -> Line:
    """A line with one part at its right end."""
    gap = width - width_of((*left, right))
    return (*left, span(" " * max(1, gap)), right)
