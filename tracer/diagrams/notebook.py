"""What a notebook shows of a trace, a node, a tensor, and the cell in which one steps through a trace.

Everything here is quick: a large trace is folded, and where no figure can be drawn a table stands in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ops.primitive import Array
from tracer import format as short
from tracer.diagrams.drawing import AUTO, Diagram, diagram
from tracer.diagrams.names import plain
from tracer.diagrams.palettes import THEMES
from tracer.diagrams.writers.svg import printed, variables
from tracer.errors import GradstepError
from tracer.fetching import seen
from tracer.formulas import flow_formula, formula
from tracer.insight.layering import layers
from tracer.nodes import Node
from tracer.places import place_of, read_source
from tracer.traces import Trace

if TYPE_CHECKING:
    from tracer.operands import Operators

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
        said += f", {_label(trace[trace.loss])} = {_number(trace.seen(trace.loss))}"
    return _view(f'<div class="q">{said}</div>', trace._figure or _layer_table(trace))


def _layer_table(trace: Trace) -> str:
    found = layers(trace)
    rows = [
        (printed(plain(each.name)), str(len(each.nodes)), _label(trace[each.output]),
         printed(short.typed(trace.storage.held(each.output))))
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
    return _view(head, _numbers(node.seen, node.seen_gradient), said, _flow_tables(node), where)


def _about(node: Node) -> str:
    words = [
        short.typed(node.trace.storage.held(node.index)),
        node.op_name,
        *([f"in {node.scope_text}"] if node.scope else []),
    ]
    return printed(plain("  ".join(words)))


def _flow_tables(node: Node) -> str:
    """What the uses of a node have sent to it, and what it sends on."""
    trace = node.trace
    arriving = trace.timeline.arrivals(node.index)
    into = [
        (_label(sender := trace[int(trace.edge_consumer[edge])]), *_sent(sender, edge))
        for edge in arriving[:FLOWS]
    ]
    if len(arriving) > FLOWS:
        into.append((f"… {len(arriving) - FLOWS} more", "", ""))
    out = [
        (_label(trace[int(trace.input_of[edge])]), *_sent(node, edge))
        for edge in trace.flows_of(node.index)[:FLOWS]
    ]
    tables = (("flows in from", into), ("flows out to", out))
    return "".join(_table((head, "", ""), rows) for head, rows in tables if rows)


def _sent(sender: Node, edge: int) -> tuple[str, str]:
    """What a node sends along an edge, as a formula and as a number."""
    trace = sender.trace
    amount = _number(trace.seen_flow(edge))
    formula = _formula(flow_formula, sender, int(trace.edge_argument[edge]))
    return formula, f'<span class="g" style="border:0">{amount}</span>'


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
    return _view(head, _numbers(seen(leaf.value), seen(leaf.grad)))


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
    if np.size(value) == 0:
        return '<div class="q">empty</div>'
    height, width = (1, 1, *np.shape(value))[-2:]
    values = _window(value)
    gradients = None if gradient is None else _window(gradient)
    rows = []
    for r, row in enumerate(values):
        rows.append(_cells(row, width, "v"))
        if gradients is not None:
            rows.append(_cells(gradients[r], width, "g"))
    if height > ROWS:
        rows.append(f'<tr><td class="q">… {height - ROWS} more</td></tr>')
    missing = '<div class="q">no gradient yet</div>' if gradient is None else ""
    table = f"<table>{''.join(rows)}</table>{missing}"
    further = np.ndim(value) - 2
    at = f'<div class="q">at [{", ".join("0" * further)}]</div>' if further > 0 else ""
    return at + table


def _window(array: Any) -> Array:
    """The corner of an array that is shown, as a matrix: of the last two axes, at the first of all others."""
    ndim = np.ndim(array)
    shown = (slice(ROWS), slice(COLUMNS))[2 - min(ndim, 2) :]
    return np.atleast_2d(array[(0,) * (ndim - 2) + shown] if ndim else array)


def _cells(numbers: Any, width: int, kind: str) -> str:
    cells = "".join(f'<td class="{kind}">{short.number(x)}</td>' for x in numbers)
    more = f'<td class="q">… {width - COLUMNS} more</td>' if width > COLUMNS else ""
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
