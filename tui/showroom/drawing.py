"""A small drawing of a network: with numbers in its boxes if that fits, else names alone, else folded more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from tracer.cells import boxes, headings
from tracer.cells.canvas import Window, crossing
from tracer.cells.drawing import AT_ONCE, Drawing, draw_boxes, stretch_of
from tracer.cells.figures import Figures
from tracer.cells.instants import Instant
from tracer.cells.meanings import Kind
from tracer.diagrams.writers.bands import LEAST, NAMES, called, cuts
from tracer.folding.folds import READABLE_BOXES, GraphLook, fold, steps_around
from tracer.traces import Trace
from tui.ink import Line, Span, span, spans, text_of

FEWER_BOXES = (READABLE_BOXES, 30, 20, 12, 8, 5)
"""So many boxes are tried, one after the other."""
WITH_NUMBERS, ONLY_NAMES = 2, 1
"""What a box says: see `GraphLook.detail`."""
MOST_BANDS = {WITH_NUMBERS: 2, ONLY_NAMES: 4}
"""A wider drawing is cut into so many bands, one below the other."""
LARGE = 10**6
"""The root mean squares of so many numbers together take too long for a small drawing."""


def small_drawing(trace: Trace, width: int, height: int) -> list[Line]:
    """The drawing of a finished run that fits so many columns and rows; cut off where none does.

    >>> import tracer as tr
    >>> x, y = tr.tensor(3.0, name="x"), tr.tensor(-4.0, name="y")
    >>> for line in small_drawing(tr.trace(x * y), 40, 9):
    ...     print(text_of(line).rstrip())
    ╭ x input ──╮
    │         3 ├─╮
    │ ∂      −4 │ │  ╭ mul @2 ───╮
    ╰───────────╯ ╰─▶│       −12 │
    ╭ y input ──╮ ╭─▶│ ∂       1 │
    │        −4 ├─╯  ╰───────────╯
    │ ∂       3 │
    ╰───────────╯
    """
    instant = Instant(trace, trace.timeline.last, -1, Figures(trace), stepping=False)
    cut: list[Line] = []
    for drawing in _tried(trace):
        for lines in _fitting(instant, drawing, width):
            if len(lines) <= height:
                return lines
            cut = lines if not cut or len(lines) < len(cut) else cut
        last = drawing
    if not cut:
        whole = band(instant, last, 0, last.layout.width)
        cut = [clipped(line, 0, width) for line in whole.lines]
    return [*cut[: height - 1], (span("⋮", Kind.FAINT),)]


def _tried(trace: Trace) -> Iterator[Drawing]:
    """Drawings, those that say most first: from left to right with numbers, names, fewer boxes; then downwards."""
    value = trace.storage.value
    large = sum(value(node).size for node in range(len(trace))) > LARGE
    for down in (False, True):
        size = -1
        for most in FEWER_BOXES:
            look = GraphLook(most=most, down=down)
            folded = fold(trace, look, steps_around(trace, look))
            shown: Sequence[int] = range(len(folded))
            if len(shown) > AT_ONCE:
                shown = stretch_of(folded, int(folded.box_of[max(trace.loss, 0)]))
            if len(shown) == size:
                continue  # there was nothing more to fold
            size = len(shown)
            for detail in (ONLY_NAMES,) if large else (WITH_NUMBERS, ONLY_NAMES):
                yield draw_boxes(folded, replace(look, detail=detail), shown)


def _fitting(instant: Instant, drawing: Drawing, width: int) -> Iterator[list[Line]]:
    """The lines of a drawing that fits so many columns, as it is or in a few bands; or nothing."""
    layout = drawing.layout
    found = band(instant, drawing, 0, layout.width)
    if found.width <= width:
        yield found.lines
    elif not layout.down and width >= LEAST:
        places = cuts(layout, width)
        if len(places) <= MOST_BANDS[drawing.look.detail]:
            ends = [*places[1:], layout.width]
            parts = [band(instant, drawing, *each) for each in zip(places, ends, strict=True)]
            yield [line for part in parts for line in (*part.lines, ())][:-1]


class Band(NamedTuple):
    """Lines without margins, and how wide they are."""

    lines: list[Line]
    width: int


def band(instant: Instant, drawing: Drawing, start: int, end: int) -> Band:
    """The columns of a drawing from start to end, below the names of its time steps; the whole is the widest band.

    Where a wire is cut an arrow says that it goes on, and the next band begins with the name of its value.
    """
    layout = drawing.layout
    window = Window(start, 0, end - start if not layout.down else layout.width, layout.height)
    cells = boxes.picture(instant, drawing, window)
    entering = crossing(layout, start) if start else {}
    going_on = crossing(layout, end) if end < layout.width and not layout.down else {}
    rows: list[Line] = []
    if layout.blocks and not layout.down:
        above = headings.above(drawing, window, instant.current)
        rows.append((span(" " * (NAMES if start else 0)), *spans(above, 0)))
    for y in range(window.height):
        name = called(drawing, entering[y]) if y in entering else ""
        before = span(f"{name:>{NAMES - 1}} " if start else "", Kind.FAINT)
        rows.append((before, *spans(cells, y), span("→" if y in going_on else "", Kind.WIRE)))
    part = start > 0 or end < layout.width
    return without_margins(rows, blanks=not part)


def without_margins(rows: Sequence[Line], *, blanks: bool) -> Band:
    """The lines without what is blank around them all; blanks: keep the blank lines between them."""
    texts = [text_of(row).rstrip() for row in rows]
    seen = [k for k, text in enumerate(texts) if text]
    if not seen:
        return Band([], 0)
    left = min(len(texts[k]) - len(texts[k].lstrip()) for k in seen)
    right = max(map(len, texts))
    kept = range(seen[0], seen[-1] + 1) if blanks else seen
    return Band([clipped(rows[k], left, right) for k in kept], right - left)


def clipped(line: Line, left: int, right: int) -> Line:
    """The cells of a line from one column to another."""
    found, at = [], 0
    for piece in line:
        text = piece.text[max(0, left - at) : max(0, right - at)]
        at += len(piece.text)
        found += [Span(text, piece.ink)] if text else []
    return tuple(found)
