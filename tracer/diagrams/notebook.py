"""What a notebook shows of a trace, a node, a tensor, and the cell in which one steps through a trace.

Everything here is quick: a large trace is folded, and where no figure can be drawn a table stands in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tracer import format as short
from tracer.diagrams.drawing import AUTO, Diagram, diagram
from tracer.diagrams.names import plain
from tracer.diagrams.palettes import THEMES
from tracer.diagrams.writers.svg import printed, variables
from tracer.errors import GradstepError
from tracer.formulas import flow_formula, formula
from tracer.insight.layering import layers
from tracer.nodes import Node
from tracer.places import place_of, read_source
from tracer.traces import Trace

if TYPE_CHECKING:
    from tracer.tensors import Operators

FIGURE_SHAPES = 150
"""A figure of more shapes would take long to lay out, and be too small to read."""
DRAWN_NODES, FOLDED_NODES = 400, 5000
"""A trace of more nodes than the first is folded to its outline; of more than the second, shown as a table."""
ROWS, COLUMNS, FLOWS = 6, 6, 12
"""So many numbers, flows and layers stand in a table."""

_STYLE = (
    ".gradstep-view{{display:inline-block;max-width:100%;overflow-x:auto;padding:8px 12px;"
    "{light}color:var(--ink);background:var(--paper);border:1px solid var(--cluster_edge);border-radius:8px;"
    "font:14px/1.5 Arial,Liberation Sans,Helvetica,sans-serif}}"
    "@media(prefers-color-scheme:dark){{.gradstep-view{{{dark}}}}}"
    ".gradstep-view table{{border-collapse:collapse;margin:4px 0;font-variant-numeric:tabular-nums}}"
    ".gradstep-view :is(td,th){{padding:2px 8px;text-align:right;color:var(--ink);background:none;border:0}}"
    ".gradstep-view .t{{text-align:left}}.gradstep-view :is(.q,th){{color:var(--quiet);font-weight:normal}}"
    ".gradstep-view .v{{color:var(--value);font-weight:bold}}"
    ".gradstep-view .g{{color:var(--gradient);border-top:1px solid var(--wire)}}"
    ".gradstep-view svg{{display:block;max-width:100%;height:auto}}"
    ".gradstep-view tr:has(td.g)+tr td{{padding-top:10px}}"
)


# ----- a trace


def trace_figure(trace: Trace) -> str | None:
    """The figure of a trace as SVG, folded where it would be too large; None where there can be none."""
    if len(trace) > FOLDED_NODES or trace.loss < 0:
        return None
    style = "outline" if len(trace) > DRAWN_NODES else None
    try:
        figure = diagram(trace, style=style, theme=AUTO, most=FIGURE_SHAPES)
        return figure.render("svg").decode() if figure.shapes <= 2 * FIGURE_SHAPES else None
    except GradstepError:
        return None


def trace_html(trace: Trace) -> str:
    """A trace as its figure, or as a table of its layers, below a line that says how large it is."""
    said = printed(f"{len(trace)} nodes, {trace.timeline.last} steps")
    if trace.loss >= 0:
        said += f", {_label(trace[trace.loss])} = {_number(trace.value(trace.loss))}"
    return _view(f'<div class="q">{said}</div>', trace._figure or _layer_table(trace))


def _layer_table(trace: Trace) -> str:
    found = layers(trace)
    rows = [
        (printed(plain(each.name)), str(len(each.nodes)), _label(trace[each.output]),
         printed(short.typed(trace.value(each.output))))
        for each in found[: 2 * FLOWS]
    ]  # fmt: skip
    if len(found) > len(rows):
        rows.append((f"… {len(found) - len(rows)} more", "", "", ""))
    return _table(("layer", "operations", "output", "type"), rows)


# ----- a node


def node_html(node: Node) -> str:
    """A node as a card: its formula with names and with numbers, its value and gradient, and the flows in and out."""
    trace = node.trace
    made = "" if node.is_leaf else f" = {_formula(formula, node)}"
    head = f'<b>{_label(node)}</b>{made} <span class="q">{_about(node)}</span>'
    state = trace.timeline.status(trace.timeline.last, node.index)
    said = (
        ""
        if state.state == "final"
        else f'<div class="q">{state.glyph} gradient {printed(str(state))}</div>'
    )
    place = node.place
    where = ""
    if place is not None:
        line = plain(trace.source_line(place).strip(), longest=100)
        where = f'<div class="q">{printed(f"{plain(Path(place.file).name)}:{place.line}")} {printed(line)}</div>'
    return _view(head, _numbers(node.value, node.gradient), said, _flow_tables(node), where)


def _about(node: Node) -> str:
    words = [
        short.typed(node.value),
        node.op_name,
        *([f"in {node.scope_text}"] if node.scope else []),
    ]
    return printed(plain("  ".join(words)))


def _flow_tables(node: Node) -> str:
    """What the uses of a node have sent to it, and what it sends on."""
    trace = node.trace
    arriving = trace.timeline.arrivals(node.index)
    into = [
        (_label(trace[flow.consumer]), _formula(flow_formula, trace[flow.consumer], flow.argument),
         _amount(flow.cotangent))
        for flow in map(trace.flow, arriving[:FLOWS])
    ]  # fmt: skip
    if len(arriving) > FLOWS:
        into.append((f"… {len(arriving) - FLOWS} more", "", ""))
    out = [
        (
            _label(trace[flow.input]),
            _formula(flow_formula, node, flow.argument),
            _amount(flow.cotangent),
        )
        for flow in islice(trace.flows_from(node.index), FLOWS)
    ]
    tables = (("flows in from", into), ("flows out to", out))
    return "".join(_table((head, "", ""), rows) for head, rows in tables if rows)


def _amount(cotangent: Any) -> str:
    return f'<span class="g" style="border:0">{_number(cotangent)}</span>'


def _formula(write: Any, node: Node, *argument: int) -> str:
    try:
        return printed(plain(write(node, *argument), longest=200))
    except GradstepError:
        return printed(plain(node.op_name))


# ----- a tensor


def tensor_html(tensor: Operators) -> str:
    """A tensor or parameter: its name, type, and a small table of its value above its gradient."""
    leaf = tensor.recorded
    name = leaf.name
    if not name and leaf.code is not None:
        name = _assigned(leaf)
    kind = leaf.params["kind"] if leaf.op is None else leaf.op.name
    head = f"<b>{printed(plain(name, longest=60))}</b> " if name else ""
    head += f'<span class="q">{printed(f"{short.typed(leaf.value)}  {kind}")}</span>'
    return _view(head, _numbers(leaf.value, leaf.grad))


def _assigned(tensor: Any) -> str:
    """The variable that the source assigns it to, if any."""
    place = place_of(tensor.code, tensor.offset)
    source = read_source(place.file) if place is not None else None
    return (
        source.assignments.get(place.span, "") if source is not None and place is not None else ""
    )


# ----- numbers


def _numbers(value: Any, gradient: Any | None) -> str:
    """Value above gradient, number by number; of a large array the first of each axis."""
    array = np.asarray(value)
    if array.size == 0:
        return '<div class="q">empty</div>'
    if array.ndim > 2:
        first = (0,) * (array.ndim - 2)
        inner = _numbers(array[first], None if gradient is None else np.asarray(gradient)[first])
        return f'<div class="q">at [{", ".join(map(str, first))}]</div>{inner}'
    values = np.atleast_2d(array)
    gradients = None if gradient is None else np.atleast_2d(np.asarray(gradient))
    rows = []
    for r in range(min(len(values), ROWS)):
        rows.append(_cells(values[r], "v"))
        if gradients is not None:
            rows.append(_cells(gradients[r], "g"))
    if len(values) > ROWS:
        rows.append(f'<tr><td class="q">… {len(values) - ROWS} more</td></tr>')
    missing = '<div class="q">no gradient yet</div>' if gradient is None else ""
    return f"<table>{''.join(rows)}</table>{missing}"


def _cells(numbers: Any, kind: str) -> str:
    cells = "".join(f'<td class="{kind}">{short.number(x)}</td>' for x in numbers[:COLUMNS])
    more = f'<td class="q">… {len(numbers) - COLUMNS} more</td>' if len(numbers) > COLUMNS else ""
    return f"<tr>{cells}{more}</tr>"


def _number(value: Any) -> str:
    return printed(short.elided(value) if np.ndim(value) else short.number(value))


def _label(node: Node) -> str:
    return printed(plain(node.label, longest=40))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are markup already."""
    titles = "".join(f'<th class="t">{title}</th>' for title in head)
    lines = ("".join(f'<td class="t">{cell}</td>' for cell in row) for row in rows)
    return f"<table><tr>{titles}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _view(*content: str) -> str:
    style = _STYLE.format(light=variables(THEMES["light"]), dark=variables(THEMES["dark"]))
    return f'<div class="gradstep-view"><style>{style}</style>{"".join(content)}</div>'


# ----- a cell to step in


@dataclass(frozen=True)
class Stepper:
    """A cell of a notebook in which one steps through a trace; `diagram.save("walk.html")` writes it as a file."""

    diagram: Diagram

    def _repr_html_(self) -> str | None:
        from tracer.diagrams.stepper import stepper_cell

        try:
            return stepper_cell(self.diagram)
        except GradstepError:
            return None

    def __repr__(self) -> str:
        return f"<Stepper through {self.diagram.trace!r}; in a plain terminal use trace.debug()>"
