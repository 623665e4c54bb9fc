"""Where the debugger stands, as text: one line for a step, a few for a moment, the source around a node."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from tracer import format as fmt
from tracer.cells.meanings import Kind
from tracer.formulas import formula
from tracer.nodes import Node
from tracer.stats import summary
from tracer.traces import Trace
from tui.ink import Line, Span, span

ARROWS = {"start": "·", "forward": "↓", "backward": "↑"}
AROUND = 5
"""Lines of source above and below."""


def step_line(trace: Trace, position: int) -> Line:
    """The step that led to a position: `#65 ↑ xhat mul 32×64 → gamma  flow 1 of 2`."""
    step = trace.timeline.step(position)
    head = span(f"#{position} {ARROWS[step.phase]} ", Kind.FAINT)
    if step.node < 0:
        return (head, span("start"))
    view = trace[step.node]
    line: tuple[Span, ...] = (head, span(view.label, Kind.NAME))
    if view.name:
        line = (*line, span(f" {view.op_name}", Kind.OP))
    if step.argument is None:
        size = f" {fmt.shape(view.shape)}" if view.shape else ""
        return (*line, span(size, Kind.FAINT), span(f" = {_now(view.seen)}"))
    target = trace.inputs_of(step.node)[step.argument]
    total = trace.timeline.seen_gradient(position, target)
    many = f"  flow {step.number} of {step.count}" if step.count > 1 else ""
    return (
        *line,
        span(" → ", Kind.GRADIENT),
        span(trace.label(target), Kind.NAME),
        span(f" ∂ {_now(total)}"),
        span(f" {trace.timeline.status(position, target)}{many}", Kind.FAINT),
    )


def _now(array: Any) -> str:
    return fmt.number(array) if array.ndim == 0 else f"[{fmt.elided(array)}]"


def moment(trace: Trace, position: int, node: int) -> list[tuple[str, str]]:
    """What is known of a node at a position, in words: its formula with names and numbers, its gradient, its scope."""
    view, timeline = trace[node], trace.timeline
    rows = [("node", f"{view.label}  {view.op_name}  {fmt.typed(view.form)}")]
    ran = timeline.has_run(position, node)
    if view.op is not None:
        rows.append(("formula", f"{view.label} = {formula(view)}"))
        rows += [("", f"{view.label} = {formula(view, numbers=True)}")] if ran else []
    rows.append(("value", _told(view.seen) if ran else "not run yet"))
    status = timeline.status(position, node)
    gradient = timeline.seen_gradient(position, node)
    rows.append(
        ("gradient", f"{_told(gradient)}  {status}" if gradient is not None else f"{status}")
    )
    rows += [("inputs", ", ".join(map(_name, view.inputs)))] if view.inputs else []
    users = dict.fromkeys(
        trace.label(int(trace.edge_consumer[edge])) for edge in trace.uses_of(node)
    )
    rows += [("used by", ", ".join(users))] if users else []
    rows += [("scope", view.scope_text)] if view.scope else []
    rows += [("at", place_of(view))] if view.place is not None else []
    return rows


def _name(given: object) -> str:
    return given.label if isinstance(given, Node) else str(given)


def _told(array: Any) -> str:
    return fmt.number(array) if array.ndim == 0 else f"[{fmt.elided(array)}]  {summary(array)}"


def place_of(view: Node) -> str:
    """The file, the line and the text of the line where a node was made."""
    place = view.place
    if place is None:
        return "unknown"
    return f"{PurePath(place.file).name}:{place.line}  {view.trace.source_line(place).strip()}".rstrip()


def numbered_source(view: Node) -> list[Line]:
    """The lines of source around that of a node, which is marked; empty where the source is not known."""
    place = view.place
    source = view.trace.sources.get(place.file) if place is not None else None
    if place is None or source is None:
        return []
    first, last = max(1, place.line - AROUND), min(len(source.lines), place.end_line + AROUND)
    wide = len(str(last))
    lines: list[Line] = []
    for number in range(first, last + 1):
        here = place.line <= number <= place.end_line
        mark = span("▶" if here else " ", Kind.MARK)
        text = source.lines[number - 1].expandtabs(4)
        kind = Kind.TEXT if here else Kind.CODE
        lines.append((mark, span(f"{number:>{wide}}  ", Kind.FAINT), span(text, kind)))
    return lines
