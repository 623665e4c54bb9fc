"""A figure in the characters of a terminal: the drawing of the debugger's graph pane, as lines of text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tracer import errors
from tracer.cells import boxes
from tracer.cells.ascii import in_ascii
from tracer.cells.drawing import AT_ONCE, Drawing, draw_boxes, stretch_of
from tracer.cells.figures import Figures
from tracer.cells.instants import Instant
from tracer.cells.meanings import Kind, Look
from tracer.cells.widths import one_cell_each
from tracer.diagrams.frames import EVERYTHING, part_of
from tracer.diagrams.moments import Moment
from tracer.diagrams.names import text_of
from tracer.diagrams.numerals import one_number
from tracer.diagrams.settings import Settings
from tracer.diagrams.writers.bands import LEAST, bands, whole
from tracer.folding.folds import READABLE_BOXES, GraphLook, fold, steps_around
from tracer.folding.merging import Folded
from tracer.timeline import GLYPHS

if TYPE_CHECKING:
    from tracer.traces import Trace

FEW_BANDS = 3
"""A drawing that is wider than the page is cut into so many bands before scopes are folded to make it smaller."""
FEWER_BOXES = (READABLE_BOXES, 50, 25, 12, 6)
NAMED_STATES = ("not reached", "blocked", "disconnected", "not recorded")
LEFT_TO_RIGHT = "\u200e"
"""Behind a word whose letters run from right to left it keeps the boxes beside it where they are."""
_PIECES = re.compile(r"([ \u2190-\u25ff]+)")
"""Blanks, frames, wires and arrows part words."""


def text_drawing(
    trace: Trace,
    *,
    position: int | None = None,
    width: int | None = None,
    settings: Settings = EVERYTHING,
    ascii: bool = False,
) -> str:
    r"""The drawing of a trace at a position, by default at the end of the run; a legend stands below.

    width: columns of the page. What is wider runs from top to bottom if that fits, is cut into bands, or folded
    more. settings: `scope`, `around` and `radius`, `most`, and the style "outline" (names only) are obeyed.
    ascii: with ASCII characters only.
    Raises `DiagramError` for a position outside the timeline, an unknown scope, or a page narrower than 40 columns.

    >>> import tracer as tr
    >>> x, y = tr.tensor(3.0, name="x"), tr.tensor(-4.0, name="y")
    >>> print(text_drawing(tr.trace(x * y)))
    ╭ x input ──╮
    │         3 ├─╮
    │ ∂      −4 │ │  ╭ mul @2 ───╮
    ╰───────────╯ ╰─▶│       −12 │
    ╭ y input ──╮ ╭─▶│ ∂       1 │
    │        −4 ├─╯  ╰───────────╯
    │ ∂       3 │
    ╰───────────╯
    <BLANKLINE>
    value above, ∂ gradient below
    <BLANKLINE>
    """
    instant = _instant(trace, position)
    if width is not None and width < LEAST:
        raise errors.DiagramError(
            f"a drawing needs at least {LEAST} columns, not {width}\n  try: width=80"
        )
    drawing, blocks = _fitted(instant, settings, width)
    notes = [*_where(instant), *_left_out(drawing, settings)]
    notes += _wrapped(legend(instant, drawing), width)
    lines = [line for block in (*blocks, notes) for line in (*block, "")][:-1]
    if ascii:
        return "".join(in_ascii(line) + "\n" for line in lines)
    return "".join(_kept_in_order(line) + "\n" for line in lines)


def _instant(trace: Trace, position: int | None) -> Instant:
    last = trace.timeline.last
    if position is None:
        return Instant(trace, last, -1, Figures(trace), stepping=False)
    if not isinstance(position, (int, np.integer)) or not 0 <= position <= last:
        raise errors.DiagramError(
            f"there is no step {position!r}: the timeline goes from 0 to {last}"
        )
    return Instant(trace, int(position), -1, Figures(trace))


# ----- which drawing


def _fitted(
    instant: Instant, settings: Settings, width: int | None
) -> tuple[Drawing, list[list[str]]]:
    """The first drawing that fits the page, and its lines, in one block or in several bands."""
    first: tuple[Drawing, list[list[str]]] | None = None
    size = -1
    for look in _looks(settings, width):
        folded, shown = _boxes(instant, settings, look)
        if len(shown) == size:
            continue  # there was nothing more to fold
        size = len(shown)
        drawing = draw_boxes(folded, look, shown)
        if width is None or drawing.layout.width <= width:
            return drawing, [whole(instant, drawing)]
        down = draw_boxes(folded, replace(look, down=True), shown)
        if down.layout.width <= width:
            return down, [whole(instant, down)]
        found = drawing, bands(instant, drawing, width)
        if len(found[1]) <= FEW_BANDS:
            return found
        first = first or found
    assert first is not None
    return first


def _looks(settings: Settings, width: int | None) -> list[GraphLook]:
    """How the trace may be drawn, in the order in which it is tried."""
    look = GraphLook(detail=1 if settings.style == "outline" else 2)
    if settings.most is not None:
        return [replace(look, most=settings.most)]
    if width is None or settings.scope is not None or settings.around is not None:
        return [look]
    return [replace(look, most=most) for most in FEWER_BOXES]


def _boxes(instant: Instant, settings: Settings, look: GraphLook) -> tuple[Folded, Sequence[int]]:
    """The folded trace, and which of its boxes are drawn."""
    trace = instant.trace
    part = part_of(trace, settings)
    everything = len(part.nodes) == len(trace)
    if not everything and len(part.inside) <= look.most:
        look = look.open(*{trace.scopes[trace.scope_of[i]] for i in part.inside})
    folded = fold(trace, look, steps_around(trace, look, instant.current))
    if everything:
        shown: Sequence[int] = range(len(folded))
    else:
        shown = np.unique(folded.box_of[list(part.nodes)]).tolist()
    if len(shown) > AT_ONCE:
        middle = instant.current if instant.current >= 0 else max(trace.loss, 0)
        shown = stretch_of(folded, int(folded.box_of[middle]))
    return folded, shown


# ----- what stands below


def _where(instant: Instant) -> list[str]:
    """Where the timeline stands, as in every other figure."""
    moment = Moment(instant.trace, instant.position, one_number, stepping=instant.stepping)
    return [one_cell_each(text_of(line)) for line in moment.caption(set())]


def _left_out(drawing: Drawing, settings: Settings) -> list[str]:
    if drawing.whole or settings.scope is not None or settings.around is not None:
        return []
    return [
        f"{len(drawing.boxes)} of {len(drawing.folded)} boxes are drawn; "
        "around=NODE draws the surroundings of another node"
    ]


def legend(instant: Instant, drawing: Drawing) -> list[str]:
    """What the signs mean, those that occur in the drawing; a piece each."""
    faces = boxes.faces(instant, drawing, range(len(drawing.boxes))).values()
    folded = any(face.foot.startswith("+") for face in faces)
    signs = {text for face in faces for _, text, kind in face.rows if kind == Kind.FAINT}
    looks = {face.look for face in faces}
    found = ["value above, ∂ gradient below"] if drawing.look.detail > 1 else []
    found += ["═ this step"] if Look.CURRENT in looks else []
    found += ["━ what it read" if instant.target < 0 else "━ where its flow went"] * (
        Look.OPERAND in looks
    )
    found += ["┄ · not run yet"] if Look.AHEAD in looks else []
    found += [f"{GLYPHS[state]} {state}" for state in NAMED_STATES if GLYPHS[state] in signs]
    if any(face.count and not face.foot.startswith("+") for face in faces):
        found.append("k/n: k of n flows have arrived")
    if any(face.count and face.foot.startswith("+") for face in faces):
        found.append("k/n beside +n: so many nodes are done")
    if any(face.foot.endswith("rms") for face in faces):
        found.append("rms: root mean square")
    found += ["+n: n nodes in one box"] if folded else []
    if drawing.layout.graph.silent:
        found.append(f"{'▽' if drawing.look.down else '▷'} no gradient flows back")
    return found


def _wrapped(pieces: Sequence[str], width: int | None) -> Iterator[str]:
    """The pieces in one line, or in as many as the page needs."""
    line = ""
    for piece in pieces:
        longer = f"{line}   {piece}" if line else piece
        if line and width is not None and len(longer) > width:
            yield line
            longer = piece
        line = longer
    if line:
        yield line


def _kept_in_order(line: str) -> str:
    """The line with a mark behind every word of letters that run from right to left."""
    if line.isascii() or not any(map(_runs_left, line)):
        return line
    return "".join(
        f"{piece}{LEFT_TO_RIGHT}" if any(map(_runs_left, piece)) else piece
        for piece in _PIECES.split(line)
    )


def _runs_left(c: str) -> bool:
    return unicodedata.bidirectional(c) in ("R", "AL")
