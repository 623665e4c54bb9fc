"""How large Graphviz draws each shape, worked out from the same measures: what places shapes itself must know it."""

from __future__ import annotations

from functools import singledispatch

from tracer.diagrams.measure import text_width
from tracer.diagrams.picture import Caption, Card, Gate, Joint, Pane, Point, Shape, Text, Wire

PADDING = 3
"""Points around the text in a cell of a card."""
CIRCLE, PILL = 33.12, 28.8
"""The diameter of a round gate and the height of a long one."""
ROUND, ROUND_WITH_NAME = 30, 20
"""A gate is round if its text is no wider than this: a sign alone, a sign with a name."""
WIRE = 46.0
WIRE_RISE = 1.0
"""The rule of a wire lies so much above its middle."""
_BLANK = 13
"""The size of the blank that stands for an empty text."""


@singledispatch
def size_of(shape: Shape) -> Point:
    """The width and height of a shape in points."""
    raise NotImplementedError(type(shape).__name__)


@size_of.register
def _(shape: Wire) -> Point:
    name = text_width(shape.name) + 2 * 4 if shape.name and shape.name_at == "left" else 0.0
    above = text_width(shape.name) + 6 if shape.name and shape.name_at == "above" else 0.0
    inner = max(shape.width, above + text_width(shape.value) + 2, text_width(shape.gradient) + 2)
    return name + inner, WIRE


@size_of.register
def _(shape: Gate) -> Point:
    return (CIRCLE, CIRCLE) if is_round(shape) else (text_width(shape.symbol) + 14, PILL)


def is_round(gate: Gate) -> bool:
    """Whether a gate is a circle rather than a pill.

    >>> from tracer.diagrams.picture import Run
    >>> is_round(Gate("g0", (Run("+"),))), is_round(Gate("g1", (Run("softmax"),)))
    (True, False)
    """
    return text_width(gate.symbol) <= (ROUND if len(gate.symbol) < 2 else ROUND_WITH_NAME)


@size_of.register
def _(shape: Card) -> Point:
    border = 2 if shape.current else 1
    beside = shape.note or shape.rows
    note = (
        text_width(shape.note) + 2 * PADDING if shape.note else 3.6 + 2 * PADDING if beside else 0.0
    )
    head = text_width(shape.title) + 2 * PADDING
    if not shape.rows:
        head = max(head, shape.width)
    rows = [text_width(row) + 2 * PADDING for row in shape.rows]
    wide = max(head + note, *rows, shape.width) if rows else head + note
    lines = (max(_line(shape.title), _line(shape.note)), *map(_line, shape.rows))
    return wide + 2 * border, sum(lines) + 2 * PADDING * len(lines) + 2 * border


@size_of.register
def _(shape: Joint) -> Point:
    return (5.04, 5.04) if shape.dot else (0.72, 0.72)


@size_of.register
def _(shape: Caption) -> Point:
    return (text_width(shape.text), _line(shape.text)) if shape.text else (0.0, 0.0)


@size_of.register
def _(shape: Pane) -> Point:
    return shape.size


def _line(text: Text) -> float:
    """The height of a line, which Graphviz takes from the largest letters in whole points."""
    size = max((run.size for run in text), default=_BLANK)
    return float(int(size * 1.1 + 0.4))
