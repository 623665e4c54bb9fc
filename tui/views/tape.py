"""The rows of the tape pane: one per node, in the order in which they ran; the backward pass climbs the same rows."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len

from tracer import format as fmt
from tracer.cells.drawing import SHORT_KINDS
from tracer.cells.meanings import Kind, Look, mark_kind
from tracer.nodes import Node
from tui.ink import Line, Span, elide, pad, span
from tui.views.scene import Scene


class Widths(NamedTuple):
    """How wide each column of the tape is; 0 leaves the column out."""

    number: int
    label: int
    op: int
    shape: int
    value: int
    gradient: int


def widths(width: int, count: int) -> Widths:
    """The columns that fit a pane of this width, for a trace of `count` nodes; the label takes what is left.

    >>> widths(48, 40)
    Widths(number=2, label=12, op=9, shape=0, value=8, gradient=8)
    """
    number = len(str(max(count - 1, 0)))
    fixed = 6 + number
    room = width - fixed
    gradient = 8
    value = 8 if room >= 26 else 0
    op = 9 if room >= 38 else 0
    shape = 8 if room >= 50 else 0
    used = sum(part + 1 for part in (gradient, value, op, shape) if part)
    return Widths(number, max(4, room - used), op, shape, value, gradient)


def heading(width: int, count: int) -> Line:
    """The line above the rows: what the columns hold."""
    at = widths(width, count)
    cells = [" " * (5 + at.number - 1), "node".ljust(at.label)]
    cells += ["op".ljust(at.op)] if at.op else []
    cells += ["shape".ljust(at.shape)] if at.shape else []
    cells += ["value".rjust(at.value)] if at.value else []
    cells += ["gradient".rjust(at.gradient)]
    return (span(" ".join(cells)[:width].ljust(width), Kind.FAINT),)


def row(scene: Scene, node: int, width: int) -> Line:
    """One row: marks, number, direction, name, op, shape, value and gradient.

    A number, or the root mean square of many.
    """
    at = widths(width, len(scene.trace))
    look = _look(scene, node)
    dim = look == Look.AHEAD or not scene.in_scope(node)
    view = scene.trace[node]
    sign = scene.sign(node)
    words = Kind.FAINT if dim else Kind.NAME if node == scene.current else Kind.TEXT

    def cell(text: str, size: int, kind: Kind, *, right: bool = False) -> list[Span]:
        if not size:
            return []
        return [span(" " + pad(text, size, right=right), kind, look)]

    spans = [
        span(sign or " ", mark_kind(sign), look),
        span(_pointer(scene, node), Kind.NAME, look),
        span(f" {node:>{at.number}}", Kind.FAINT, look),
        *_arrow(scene, node, look),
        *_name(view, at, words, Kind.FAINT if dim else Kind.OP, look),
        *cell(fmt.shape(view.shape), at.shape, Kind.FAINT),
        *cell(*_value(scene, node, at.value), right=True),
        *cell(*_gradient(scene, node, at.gradient), right=True),
    ]
    return tuple(spans)


def _name(view: Node, at: Widths, words: Kind, ops: Kind, look: Look) -> list[Span]:
    """Label and op in a column each, or, where there is no room for two, the op behind the label if it fits."""
    if at.op:
        label, op = pad(view.label, at.label), pad(view.op_name, at.op)
        return [span(f" {label}", words, look), span(f" {op}", ops, look)]
    op = f" {SHORT_KINDS.get(view.op_name, view.op_name)}" if view.name else ""
    if cell_len(view.label + op) > at.label:
        op = ""
    room = at.label - cell_len(op)
    rest = pad(op, at.label - min(room, cell_len(view.label)))
    return [span(f" {elide(view.label, room)}", words, look), span(rest, ops, look)]


def _look(scene: Scene, node: int) -> Look:
    look = scene.look(node)
    if look in (Look.CURRENT, Look.OPERAND, Look.AHEAD):
        return look
    return Look.SELECTED if node == scene.selected else Look.PLAIN


def _pointer(scene: Scene, node: int) -> str:
    return "▶" if node == scene.current else "›" if node == scene.selected else " "


def _arrow(scene: Scene, node: int, look: Look) -> list[Span]:
    """↓ once the value is there, ↑ once the gradient has been reached."""
    if look == Look.AHEAD:
        return [span(" ·", Kind.FAINT, look)]
    if scene.status(node).state in ("partial", "final"):
        return [span(" ↑", Kind.GRADIENT, look)]
    return [span(" ↓", Kind.VALUE, look)]


def _value(scene: Scene, node: int, width: int) -> tuple[str, int, Kind]:
    if not scene.has_run(node):
        return "·", width, Kind.FAINT
    figure = scene.figures.value(node)
    return figure.fitting(width), width, Kind.VALUE if figure.finite else Kind.WARN


def _gradient(scene: Scene, node: int, width: int) -> tuple[str, int, Kind]:
    status = scene.status(node)
    figure = scene.figures.gradient(scene.position, node) if scene.has_run(node) else None
    if figure is None:
        return status.glyph, width, Kind.FAINT
    count = f"{status.arrived}/{status.expected} " if status.state == "partial" else ""
    text = count + figure.text if len(count + figure.text) <= width else figure.fitting(width)
    return text, width, Kind.GRADIENT if figure.finite else Kind.WARN
