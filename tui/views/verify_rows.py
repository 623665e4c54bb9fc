"""The lines of the verification pane: a row for each line of a derivation, or input, and one row in words below."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from tracer import format as fmt
from tracer.cells.figures import short_number
from tracer.cells.meanings import Kind, Look
from tracer.cells.verdicts import OPEN, RIGHT, WRONG
from tui.ink import Line, Span, clip, pad, span
from tui.views.quantities import relative_error
from tui.views.verify import Verified

if TYPE_CHECKING:
    from tracer.checking import Element, Report, Row
    from tui.views.scene import Scene

_WORD = re.compile(r"[^ ]* +|[^ ]+")
WIDE = 92
"""From so many columns on, the three numbers of a row stand in its line."""


def lines(scene: Scene, cursor: int, top: int, width: int, height: int) -> list[Line]:
    """The table, and below it the row of the cursor in words."""
    found = scene.report
    if found is None:
        return [clip(line, width) for line in _how_to(scene, width)[:height]]
    rows = found.table
    head = _heading(scene, found, width)
    shown = rows_shown(len(rows), len(head), height)
    below = _details(rows[cursor], found, width)[: max(0, height - len(head) - shown - 1)]
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
    from tracer.checking.pages.words import place_of

    report = found.report
    signs = ["↳" if row.inherited else row.sign for row in found.table]
    line = [span(f" {report.outcome} ", _TAGS.get(report.outcome, Kind.WARN)), span(" ")]
    place = place_of(report)
    if place:
        line.append(span(f"{place}  ", Kind.NAME))
    inks = ((RIGHT, Kind.VALUE), (WRONG, Kind.MARK), ("↳", Kind.MARK), (OPEN, Kind.KEY))
    for mark, kind in inks:
        if signs.count(mark):
            line.append(span(f"{mark}{signs.count(mark)} ", kind))
    head: list[Line] = [tuple(line)]
    if scene.outdated:
        head.append((span(f" ⚠ {scene.outdated} ", Kind.WARN),))
    if report.rungs:
        head.append(_ladder(report))
    at = _columns(width)
    words = ("line", "gradient") if report.noun == "line" else ("", report.noun)
    cells = f"   {words[0]:4} {pad(words[1], at)}"
    tail = f" {'rel.error':>9}  {'worst at':8}"
    if width >= WIDE:
        tail += f" {'by hand':>12} {'automatic':>12}  certified"
    return [*head, (span(cells + tail, Kind.FAINT),)]


_TAGS = {"PASS": Kind.FORWARD_TAG, "FAIL": Kind.BACKWARD_TAG}
"""How an outcome is painted; any other is in doubt."""


def _ladder(report: Report) -> Line:
    """The kinds of test that were made, each with how many passed."""
    line = [span(" ")]
    for rung in report.rungs:
        if rung.made:
            mark = WRONG if rung.failed else RIGHT
            line.append(span(f"{mark} ", _INKS[mark]))
            line.append(span(f"{rung.name} {rung.made - rung.failed}/{rung.made}  ", Kind.FAINT))
    return tuple(line)


def _columns(width: int) -> int:
    """How wide the column of names is."""
    return max(6, min(24, width - 29))


_INKS = {RIGHT: Kind.VALUE, WRONG: Kind.MARK, OPEN: Kind.KEY}


def _table_row(row: Row, width: int, *, chosen: bool) -> Line:
    from tracer.checking.pages.words import name_of

    mark, worst = row.sign, row.worst
    look = Look.SELECTED if chosen else Look.PLAIN
    name = Kind.NAME if chosen else Kind.MARK if mark == WRONG else Kind.TEXT
    line = [
        span("▸" if chosen else " ", Kind.NAME, look),
        span(mark, _INKS[mark], look),
        span(f" {row.line or '':>4} ", Kind.FAINT, look),
        span(pad(("↳" if row.inherited else "") + name_of(row), _columns(width)), name, look),
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


def _details(row: Row, found: Verified, width: int) -> list[Line]:
    """One row in words: the line itself, the three numbers, who is wrong, why, and what mends it."""
    from tracer.checking.pages.words import name_of, said_of, verdict_words

    mark = row.sign
    size = span(f"  {fmt.shape(row.shape)}  " if row.shape else "  ", Kind.FAINT)
    head = (span(f" {mark} ", _INKS[mark]), span(name_of(row), Kind.NAME), size)
    lines: list[Line] = [(*head, span(verdict_words(row), _INKS[mark]))]
    mended = list(_mended(row, found, width))
    if not mended:
        lines += _wrapped(row.text, width, Kind.CODE)
    if row.worst is not None:
        lines += _numbers(row.worst)
    lines += mended
    for text in said_of(row):
        lines += _wrapped(text, width, Kind.FAINT if text in row.notes else Kind.TEXT)
    return lines


def _mended(row: Row, found: Verified, width: int) -> Iterator[Line]:
    """The causes of a wrong row, each with the line as it was written and as it should be."""
    from tracer.checking.pages.patches import changed, is_line, patch_of

    for cause in row.causes if not row.inherited else ():
        yield from _wrapped(f"▸ {cause.text}", width, Kind.KEY)
        patch = patch_of(cause, row, found.written.splitlines())
        if patch is not None:
            before, after = changed(patch.before, patch.after)
            yield from _side("- ", before, width, Kind.GRADIENT)
            yield from _side("+ ", after, width, Kind.VALUE)
        elif is_line(cause.fix):
            yield from _side("try: ", [(cause.fix, False)], width, Kind.TEXT)
        elif cause.fix:
            yield from _wrapped(f"try: {cause.fix}", width, Kind.TEXT)


def _side(head: str, parts: Sequence[tuple[str, bool]], width: int, kind: Kind) -> Iterator[Line]:
    """One side of a patch, broken between words, what differs underlined by the ground of what is selected."""
    room = max(10, width - 3 - len(head) - 1)
    line: list[Span] = [span(f"   {head}", kind)]
    used = 0
    for text, differs in parts:
        for word in _WORD.findall(text):
            if used and used + cell_len(word.rstrip()) > room:
                yield (*line, span("\\", kind))
                line, used = [span("       ")], 4 - len(head) + 2
            line.append(span(word, kind, Look.SELECTED if differs else Look.PLAIN))
            used += cell_len(word)
    yield tuple(line)


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
    room = max(10, width - 3)
    parts = textwrap.wrap(text, room, break_on_hyphens=False) if text else []
    return [(span(f"   {part}", kind),) for part in parts]


def title(scene: Scene) -> str:
    """What was verified."""
    return "verify" if scene.report is None else scene.report.source
