"""The flows of a node: what its uses have sent to it, and what it sends on, each as upstream times local."""

from __future__ import annotations

import textwrap

import numpy as np

from tracer.formulas import flow_formula, local_derivative
from tracer.nodes import Node
from tracer.timeline import GLYPHS
from tui.ink import Kind, Line, Span, elide, span, width_of
from tui.views.figures import figure
from tui.views.scene import Scene

LINES = 4
"""A formula takes at most so many lines."""
BEFORE, AFTER = 6, 2
"""Of a value that is used very often, so many flows before and after the latest one are listed."""


def flows_in(scene: Scene, width: int) -> list[Line]:
    """Each flow into the node with its consumer and its formula, upstream times local.

    Numbers of those that have arrived.
    """
    node = scene.selected
    edges = scene.figures.arrivals(node)
    arrived, expected = scene.timeline.arrived(scene.position, node)
    if not expected:
        return []
    first = max(0, min(arrived - BEFORE, expected - BEFORE - AFTER))
    last = min(expected, max(arrived + AFTER, BEFORE + AFTER))
    found: list[Line] = []
    if first:
        found.append((span(f"    {GLYPHS['final']} {first} earlier ones", Kind.FAINT),))
    for number in range(first, last):
        found.append(_flow_in(scene, edges[number], width, arrived=number < arrived))
    if last < expected:
        found.append(
            (span(f"    {GLYPHS['not reached']} {expected - last} more to come", Kind.FAINT),)
        )
    if expected > 1:
        total = scene.figures.gradient(scene.position, node)
        left = span(f"    Σ {arrived} of {expected} flows", Kind.FAINT)
        text = "" if total is None else f"= {_rms(scene, node)}{total.text}"
        found.append(_right((left,), span(text, Kind.GRADIENT), width))
    return [(span("in ", Kind.FAINT), *_without(found[0], 3)), *found[1:]]


def _without(line: Line, blanks: int) -> Line:
    """The line without blanks at its beginning."""
    return (line[0]._replace(text=line[0].text[blanks:]), *line[1:])


def _flow_in(scene: Scene, edge: int, width: int, *, arrived: bool) -> Line:
    consumer = scene.trace[int(scene.trace.edge_consumer[edge])]
    argument = int(scene.trace.edge_argument[edge])
    mark = GLYPHS["final"] if arrived else GLYPHS["not reached"]
    newest = scene.timeline.flow_at(scene.position) == edge
    head = span(
        f"    {mark} {_argument(scene, consumer, argument)}  ",
        Kind.NAME if newest else Kind.TEXT if arrived else Kind.FAINT,
    )
    size = size_of(scene, consumer.index)
    text = scene.figures.text(("flow", edge), size, lambda: flow_formula(consumer, argument))
    if not arrived:
        return head, span(text, Kind.FAINT)
    return _with_number(scene, head, text, edge, size, width)


def _argument(scene: Scene, consumer: Node, argument: int) -> str:
    """A consumer, and which argument it reads where that is not plain: `mul@7[y]`."""
    inputs = scene.trace.inputs_of(consumer.index)
    repeated = inputs.count(inputs[argument]) > 1
    return (
        f"{consumer.label}[{consumer.argument_names[argument]}]"
        if repeated
        else str(consumer.label)
    )


def _flow_number(scene: Scene, edge: int, size: int) -> str:
    def write() -> str:
        return figure(scene.trace.flow(edge).cotangent).text

    rms = "rms " if scene.trace.storage.value(int(scene.trace.input_of[edge])).ndim else ""
    return rms + scene.figures.text(("flow number", edge), size, write)


def flows_out(scene: Scene, width: int) -> list[Line]:
    """For each argument the local derivative, and below it what the node has sent: upstream times local."""
    view = scene.trace[scene.selected]
    if view.op is None or not scene.has_run(view.index):
        return []
    found: list[Line] = []
    nodes = [(k, i) for k, i in enumerate(scene.trace.inputs_of(view.index)) if i >= 0]
    for argument, i in nodes[: BEFORE + AFTER]:
        found += _flow_out(scene, view, argument, scene.trace.label(i), width)
    if len(nodes) > BEFORE + AFTER:
        found.append((span(f"out … {len(nodes) - BEFORE - AFTER} more inputs", Kind.FAINT),))
    return found


def _flow_out(scene: Scene, view: Node, argument: int, name: str, width: int) -> list[Line]:
    edge, size = int(scene.trace.input_start[view.index]) + argument, size_of(scene, view.index)
    key = ("local", view.index, argument)
    local = scene.figures.text(key, size, lambda: _local(view, argument))
    if not local:
        return [(span(f"out ∂/∂{name}  none: {view.op_name} stops it", Kind.FAINT),)]
    words = Kind.TEXT if scene.trace.edge_flows[edge] else Kind.FAINT
    derivative = _wrapped(span(f"out ∂/∂{name} = ", Kind.FAINT), local, words, width)
    if not _sent(scene, edge):
        return derivative
    text = scene.figures.text(("flow", edge), size, lambda: flow_formula(view, argument))
    newest = scene.timeline.flow_at(scene.position) == edge
    head = span(f"    → {name} += ", Kind.NAME if newest else Kind.TEXT)
    return [*derivative, _with_number(scene, head, text, edge, size, width)]


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


def _with_number(scene: Scene, head: Span, text: str, edge: int, size: int, width: int) -> Line:
    """A formula and, at the right end, the number that it gave."""
    number = span(f"= {_flow_number(scene, edge, size)}", Kind.GRADIENT)
    room = width - width_of((head, number)) - 1
    return _right((head, span(elide(text, room))), number, width)


def _local(view: Node, argument: int) -> str:
    """The local derivative; for single numbers with the numbers put in."""
    text = local_derivative(view, argument)
    if view.value.ndim or not text or " where " in text:
        return text
    numbers = local_derivative(view, argument, numbers=True)
    return text if numbers == text else f"{text} = {numbers}"


def _sent(scene: Scene, edge: int) -> bool:
    """Whether the flow along an edge has run: a node sends its flows one after the other, by argument."""
    trace, node = scene.trace, int(scene.trace.edge_consumer[edge])
    last = scene.timeline.after_backward(node)
    if last is None or not trace.edge_flows[edge]:
        return False
    later = int(np.count_nonzero(trace.edge_flows[edge + 1 : trace.input_start[node + 1]]))
    return scene.position >= last - later


def _right(left: Span | tuple[Span, ...], right: Span, width: int) -> Line:
    """A line with one part at its right end."""
    parts = left if isinstance(left, tuple) and not isinstance(left, Span) else (left,)
    gap = width - width_of(parts) - len(right.text)
    return (*parts, span(" " * max(1, gap)), right)


def _rms(scene: Scene, node: int) -> str:
    return "rms " if scene.trace.storage.value(node).ndim else ""


def size_of(scene: Scene, node: int) -> int:
    """How many elements a rule of this node looks at, at least."""
    value = scene.trace.storage.value
    sizes: list[int] = [
        value(node).size,
        *(value(i).size for i in scene.trace.inputs_of(node) if i >= 0),
    ]
    return max(sizes)
