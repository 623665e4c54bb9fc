"""The lines of the verification pane: a row for each line of a derivation, or input, and one row in words below."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tracer import format as fmt
from tracer.cells.figures import short_number
from tracer.cells.meanings import Kind, Look
from tui.ink import Line, Span, clip, pad, span
from tui.views.quantities import relative_error
from tui.views.verify import OPEN, RIGHT, WRONG, Verified, sign

if TYPE_CHECKING:
    from tracer.checking import Element, Row
    from tui.views.scene import Scene

WIDE = 92
"""From so many columns on, the three numbers of a row stand in its line."""


def lines(scene: Scene, cursor: int, top: int, width: int, height: int) -> list[Line]:
    """The table, and below it the row of the cursor in words."""
    found = scene.report
    if found is None:
        return [clip(line, width) for line in _how_to(scene, width)[:height]]
    rows = found.report.rows
    head = _heading(scene, found, width)
    shown = rows_shown(len(rows), len(head), height)
    below = _details(rows[cursor], width)[: max(0, height - len(head) - shown - 1)]
    table = [
        _table_row(rows[n], width, chosen=n == cursor)
        for n in range(top, min(len(rows), top + shown))
    ]
    rule: Line = (span("─" * width, Kind.FAINT),)
    return [clip(line, width) for line in (*head, *table, rule, *below)][:height]


def heading_height(scene: Scene, width: int) -> int:
    """How many lines stand above the rows."""
    return 0 if scene.report is None else len(_heading(scene, scene.report, width))


def rows_shown(count: int, above: int, height: int) -> int:
    """How many rows are shown at once: all, if they leave room for the words below, else half of the pane."""
    return max(1, min(count, max(height - above - 10, (height - above) // 2)))


def scrolled(count: int, cursor: int, top: int, shown: int) -> int:
    """The first row in sight such that the cursor is."""
    return max(0, min(top, cursor, count - shown), cursor - shown + 1)


def _how_to(scene: Scene, width: int) -> list[Line]:
    """How one gets a verification."""
    own = "the derivation that came with it" if scene.derivation else ""
    table = [
        (":verify", own or "a gallery entry's own derivation; this one has none"),
        (":verify FILE", "a hand derivation, lines such as  dL/dw = dL/dy * x"),
        (":check", "all gradients against certified numerical ones"),
        (":check NODE", "the gradient of one node"),
    ]
    found: list[Line] = [(span(" nothing has been verified yet", Kind.FAINT),)]
    for order, words in table:
        found.append((span(f" {order}", Kind.KEY),))
        found += [(span(f"   {part}"),) for part in textwrap.wrap(words, max(10, width - 4))]
    return found


def _heading(scene: Scene, found: Verified, width: int) -> list[Line]:
    report = found.report
    signs = [sign(row) for row in report.rows]
    line = [span(" ")]
    for mark, kind in ((RIGHT, Kind.VALUE), (WRONG, Kind.MARK), (OPEN, Kind.KEY)):
        if signs.count(mark):
            line.append(span(f"{mark}{signs.count(mark)} ", kind))
    first = report.first_wrong
    if first is not None:
        place = f"line {first.line}, {first.name}" if first.line else first.name
        line.append(span(f" first wrong: {place}", Kind.MARK))
    head: list[Line] = [tuple(line)]
    if scene.outdated:
        head.append((span(f" ⚠ {scene.outdated} ", Kind.WARN),))
    at = _columns(width)
    words = ("line", "gradient") if report.noun == "line" else ("", report.noun)
    cells = f"   {words[0]:4} {pad(words[1], at)}"
    tail = f" {'rel.error':>9}  {'worst at':8}"
    if width >= WIDE:
        tail += f" {'by hand':>12} {'automatic':>12}  certified"
    return [*head, (span(cells + tail, Kind.FAINT),)]


def _columns(width: int) -> int:
    """How wide the column of names is."""
    return max(6, min(24, width - 29))


_INKS = {RIGHT: Kind.VALUE, WRONG: Kind.MARK, OPEN: Kind.KEY}


def _table_row(row: Row, width: int, *, chosen: bool) -> Line:
    mark, worst = sign(row), row.worst
    look = Look.SELECTED if chosen else Look.PLAIN
    name = Kind.NAME if chosen else Kind.MARK if mark == WRONG else Kind.TEXT
    line = [
        span("▸" if chosen else " ", Kind.NAME, look),
        span(mark, _INKS[mark], look),
        span(f" {row.line or '':>4} ", Kind.FAINT, look),
        span(pad(("↳" if row.inherited else "") + row.name, _columns(width)), name, look),
    ]
    if worst is None:
        return (*line, span(f"  {row.because}", Kind.FAINT))
    error = float(relative_error(worst.claim, worst.numerical.value))
    text = "—" if math.isnan(error) else short_number(error, 8)
    line.append(span(f" {text:>9}", _INKS[mark]))
    line.append(span(f"  {pad(worst.where or 'scalar', 8)}", Kind.FAINT))
    if width >= WIDE:
        line += [
            span(f" {_number(worst.hand):>12}", Kind.KEY),
            span(f" {_number(worst.automatic):>12}", Kind.GRADIENT),
            span(f"  {_certified(worst)}", Kind.TEXT),
        ]
    return tuple(line)


def _certified(element: Element) -> str:
    from tracer.checking.report import certified

    return certified(element.numerical)


def _number(x: float) -> str:
    return "—" if math.isnan(x) else fmt.number(x, 6)


def _details(row: Row, width: int) -> list[Line]:
    """One row in words: the line itself, the three numbers, who is wrong, and what the error looks like."""
    size = span(f"  {fmt.shape(row.shape)}  " if row.shape else "  ", Kind.FAINT)
    head = (span(f" {sign(row)} ", _INKS[sign(row)]), span(row.name, Kind.NAME), size)
    found: list[Line] = [(*head, span(_verdict_words(row), _INKS[sign(row)]))]
    found += _wrapped(row.text, width, Kind.CODE)
    worst = row.worst
    if worst is not None:
        found += _numbers(worst)
    for text in (row.because, row.culprit):
        found += _wrapped(text, width, Kind.TEXT)
    for cause in row.causes:
        found += _wrapped(f"▸ {cause.text}", width, Kind.KEY)
    for note in row.notes:
        found += _wrapped(note, width, Kind.FAINT)
    return found


def _verdict_words(row: Row) -> str:
    """The verdict, and of how many elements."""
    from tracer.checking import AGREE, DISAGREE

    total = len(row.elements)
    if row.inherited:
        return "wrong by an earlier line only"
    if row.verdict == AGREE:
        right = row.count(AGREE)
        return f"all {total} agree" if right == total else f"{right} of {total} agree"
    if row.verdict == DISAGREE:
        return f"{row.count(DISAGREE)} of {total} disagree" if total else "disagrees"
    return "cannot be decided"


def _numbers(worst: Element) -> Iterator[Line]:
    where = f"at {worst.where}" if worst.where else ""
    rows: list[tuple[str, Span]] = []
    if not math.isnan(worst.hand):
        rows.append(("by hand", span(_number(worst.hand), Kind.KEY)))
    rows.append(("automatic", span(_number(worst.automatic), Kind.GRADIENT)))
    rows.append(("certified", span(_certified(worst))))
    for number, (what, said) in enumerate(rows):
        yield (span(f"   {pad(where if not number else '', 10)} {what:9} ", Kind.FAINT), said)


def _wrapped(text: str, width: int, kind: Kind) -> list[Line]:
    parts = textwrap.wrap(text, max(10, width - 3)) if text else []
    return [(span(f"   {part}", kind),) for part in parts]


def title(scene: Scene) -> str:
    """What was verified."""
    return "verify" if scene.report is None else scene.report.source
