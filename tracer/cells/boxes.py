"""The boxes of the graph pane: value above, gradient below, and how node or scope stand to the position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import hypot, isfinite, sqrt
from typing import Any

import numpy as np

from tracer import format as fmt
from tracer import stats
from tracer.cells import headings
from tracer.cells.canvas import Cells, Thread, Window, paint
from tracer.cells.drawing import Drawing, name_and_op
from tracer.cells.figures import WAITING, Figure, short_number
from tracer.cells.instants import Instant
from tracer.cells.meanings import Kind, Look
from tracer.cells.progress import Leaving, leaving, progress
from tracer.cells.stamps import Face
from tracer.folding.merging import Folded
from tracer.timeline import GLYPHS

Row = tuple[str, str, Kind]
FORMS = ("dot", "line", "box", "box")
"""How a box is drawn at each level of detail."""
MANY_LEAVING = 64
"""What becomes of more nodes than this that leave a folded box is worked out once, when it is final."""
PER_NODE = 256
"""What looking at a node costs, in elements of an array."""


@dataclass(frozen=True, eq=False)
class Shown:
    """The boxes of a folded graph that stand out at a moment."""

    current: int
    operands: frozenset[int]
    selected: int


def shown(instant: Instant, folded: Folded) -> Shown:
    """The box of the current node, those of its operands, and that of the selected node."""

    def box(node: int) -> int:
        return int(folded.box_of[node]) if 0 <= node < len(folded.box_of) else -1

    current = box(instant.current)
    operands = frozenset(box(node) for node in instant.operands) - {current}
    return Shown(current, operands, box(instant.selected))


def faces(instant: Instant, drawing: Drawing, places: Iterable[int]) -> dict[int, Face]:
    """The text of some boxes of a drawing at this position. A number appears only when the position has reached it."""
    marked = shown(instant, drawing.folded)
    return {place: _face(instant, drawing, place, marked) for place in places}


def picture(instant: Instant, drawing: Drawing, window: Window) -> Cells:
    """What a window of a drawing shows at this moment. Costs what the window shows, however large the drawing is."""
    cells = paint(
        drawing.layout,
        window,
        faces(instant, drawing, drawing.visible(window)),
        threads(instant, drawing, window),
    )
    if drawing.look.down:
        headings.write_beside(drawing, window, cells)
    return cells


def _face(instant: Instant, drawing: Drawing, place: int, marked: Shown) -> Face:
    folded, box = drawing.folded, drawing.boxes[place]
    width = drawing.layout.boxes[place].width
    if folded.is_folded(box):
        return folded_face(instant, folded, box, marked, width, drawing.look.detail)
    return node_face(instant, folded, box, marked, width, drawing.look.detail)


def _title(folded: Folded, box: int) -> tuple[str, str]:
    return folded.once(("title", box), lambda: name_and_op(folded, box))


def _look(box: int, marked: Shown, has_run: bool, is_reached: bool) -> Look:
    if box == marked.current:
        return Look.CURRENT
    if box in marked.operands:
        return Look.OPERAND
    if not has_run:
        return Look.AHEAD
    return Look.REACHED if is_reached else Look.PLAIN


# ----- one node


def node_face(
    instant: Instant, folded: Folded, box: int, marked: Shown, width: int, detail: int = 2
) -> Face:
    """The box of one node."""
    node = int(folded.members[folded.start[box]])
    status = instant.status(node)
    name, op = _title(folded, box)
    look = _look(box, marked, instant.has_run(node), status.state in ("partial", "final"))
    mark = instant.sign(node)
    selected = box == marked.selected and box != marked.current
    if detail < 2:
        return Face(name, op, (), look=look, mark=mark, selected=selected, form=FORMS[detail])
    value = instant.trace.seen(node)
    rows: tuple[Row, ...] = (
        _value_row(instant, node, width),
        _gradient_row(instant, node, status.glyph, width),
    )
    if detail > 2 and value.ndim and instant.has_run(node):
        rows += _statistics(instant, node, width)
    return Face(
        name,
        op,
        rows,
        foot=f"{fmt.shape(value.shape)} rms" if value.ndim else "",
        count=f"{status.arrived}/{status.expected}" if status.state == "partial" else "",
        look=look,
        mark=mark,
        selected=selected,
    )


def _value_row(instant: Instant, node: int, width: int) -> Row:
    if not instant.has_run(node):
        return "", "·", Kind.FAINT
    return _number_row(instant.figures.value(node), Kind.VALUE, width)


def _gradient_row(instant: Instant, node: int, glyph: str, width: int) -> Row:
    figure = instant.figures.gradient(instant.position, node) if instant.has_run(node) else None
    return _number_row(figure, Kind.GRADIENT, width) if figure else ("", glyph, Kind.FAINT)


def _number_row(figure: Figure, kind: Kind, width: int) -> Row:
    label = "∂" if kind == Kind.GRADIENT else ""
    room = width - 4 - 2 * len(label)
    return label, figure.fitting(room), kind if figure.finite else Kind.WARN


def _statistics(instant: Instant, node: int, width: int) -> tuple[Row, ...]:
    """Mean, spread and zeros of a value."""
    facts = instant.figures.summary(("value", node), instant.trace.seen(node))
    if facts is None:
        return (("", WAITING, Kind.FAINT),)
    zeros = f"{100 * facts.zeros / facts.count:.0f} %" if facts.count else "·"
    return (
        ("μ", short_number(facts.mean, width - 6), Kind.TEXT),
        ("σ", short_number(facts.std, width - 6), Kind.TEXT),
        ("zeros", zeros, Kind.TEXT),
    )


# ----- a scope


def folded_face(
    instant: Instant, folded: Folded, box: int, marked: Shown, width: int, detail: int = 2
) -> Face:
    """The box of a scope or of time steps: what leaves it, how many nodes are in it, and how far they have come."""
    far = progress(folded, box)
    name, op = _title(folded, box)
    ran, operations = far.run(instant.position)
    final, gradients = far.finished(instant.position)
    look = _look(box, marked, ran > 0 or not operations, instant.position >= far.reached)
    mark = _mark(instant, folded, box)
    selected = box == marked.selected and box != marked.current
    if detail < 2:
        return Face(name, op, (), look=look, mark=mark, selected=selected, form=FORMS[detail])
    inner = width - 1  # the shadow takes a column
    out = leaving(folded, box)
    many = ("leaving", folded, box) if len(out.nodes) > MANY_LEAVING else None
    rows: tuple[Row, ...] = (
        _value_of_all(instant, out, inner, many),
        _gradient_of_all(instant, out, inner, many),
    )
    if detail > 2:
        rows += folded.once(("operations", box), lambda: _operations(folded, box))
    count, kind = "", Kind.VALUE
    if 0 < ran < operations:
        count = f"{ran}/{operations}"
    elif 0 < final < gradients:
        count, kind = f"{final}/{gradients}", Kind.GRADIENT
    foot = f"+{len(folded.nodes(box))} rms"
    return Face(
        name, op, rows, foot, count, look=look, mark=mark, selected=selected, count_kind=kind
    )


def _value_of_all(
    instant: Instant, out: Leaving, width: int, many: tuple[object, ...] | None
) -> Row:
    """The root mean square of what leaves a box, once all of it is there."""
    if instant.position < out.ran:
        return "", "·", Kind.FAINT
    if len(out.nodes) == 1:
        return _value_row(instant, out.nodes[0], width)
    if many is not None:
        figure = all_together(instant, ("value", *many), out.nodes, instant.trace.seen)
    else:
        figure = together(instant, out.nodes, map(instant.figures.value, out.nodes))
    return _number_row(figure, Kind.VALUE, width)


def _gradient_of_all(
    instant: Instant, out: Leaving, width: int, many: tuple[object, ...] | None
) -> Row:
    """The root mean square of the gradients of what leaves a box; a sign where none has arrived."""
    if len(out.nodes) == 1:
        return _gradient_row(instant, out.nodes[0], instant.status(out.nodes[0]).glyph, width)
    if not out.receiving or instant.position < out.reached:
        waiting = (*out.receiving, *out.nodes)[0]
        return "", instant.status(waiting).glyph, Kind.FAINT
    if many is None:
        arrived = [node for node in out.receiving if instant.status(node).arrived]
        known = [instant.figures.gradient(instant.position, node) for node in arrived]
        return _number_row(together(instant, arrived, known), Kind.GRADIENT, width)
    if instant.position < out.final:
        return "", GLYPHS["partial"], Kind.FAINT
    found = all_together(instant, ("gradient", *many), out.receiving, instant.trace.gradient)
    return _number_row(found, Kind.GRADIENT, width)


def all_together(
    instant: Instant, key: tuple[object, ...], nodes: Sequence[int], read: Callable[[int], Any]
) -> Figure:
    """The root mean square of very many arrays, worked out once, on another thread."""

    def work() -> float:
        arrays = [np.asarray(read(node)) for node in nodes]
        size = sum(array.size for array in arrays)
        sizes = (sqrt(array.size) * stats.rms(array) for array in arrays if array.size)
        return hypot(*sizes) / sqrt(size) if size else 0.0

    mean = instant.figures.scalar(key, len(nodes) * PER_NODE, work)
    if mean is None:
        return Figure(WAITING, True)
    return Figure(short_number(mean), isfinite(mean), mean)


def together(instant: Instant, nodes: Iterable[int], figures: Iterable[Figure | None]) -> Figure:
    """The root mean square of several arrays, from those of each."""
    parts, size = [], 0
    for node, figure in zip(nodes, figures, strict=True):
        if figure is None or figure.number is None:
            return Figure(WAITING, True)
        if not figure.finite:
            return figure
        count = instant.trace.storage.held(node).size
        parts.append(sqrt(count) * figure.number)
        size += count
    mean = hypot(*parts) / sqrt(size) if size else 0.0
    return Figure(short_number(mean), True, mean)


def _operations(folded: Folded, box: int) -> tuple[Row, ...]:
    """The most frequent operations of a box."""
    trace = folded.trace
    numbers = Counter(trace.op_of[folded.nodes(box)].tolist())
    numbers.pop(-1, None)
    return tuple(
        (trace.ops[op].name, f"×{count}", Kind.TEXT) for op, count in numbers.most_common(3)
    )


def _mark(instant: Instant, folded: Folded, box: int) -> str:
    """● where a breakpoint stops inside the box, ◇ where one with a condition may."""
    far = progress(folded, box)
    signs = {sign for sign, positions in instant.stops if far.meets(positions)}
    return "●" if "●" in signs else "◇" if signs else ""


# ----- wires


def threads(instant: Instant, drawing: Drawing, window: Window) -> list[Thread]:
    """The wires along which the latest step moved: those of all operands forward, that of the flow backward.

    Only what is near the window is followed.
    """
    place = drawing.place(instant.current)
    if place is None:
        return []
    folded, box = drawing.folded, drawing.boxes[place]
    sources = folded.inputs(box)
    backward = instant.step.argument is not None
    lit: dict[int, None] = {}
    number = 0
    for argument, i in enumerate(instant.trace.inputs_of(instant.current)):
        if i < 0:
            continue
        source, wire = int(folded.box_of[i]), number
        number += 1
        if backward and argument != instant.step.argument:
            continue
        if folded.is_folded(box):
            if source == box:
                continue
            wire = sources.index(source)
        lit[wire] = None
    layout, found = drawing.layout, []
    for wire in lit:
        runs = layout.path(place, wire, window.along(layout))
        if runs:
            found.append(Thread(tuple(runs), backward, layout.ends(place, wire)))
    return found
