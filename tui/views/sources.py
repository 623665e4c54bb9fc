"""The user's source of a node: the lines of its expression, with the exact columns marked."""

from __future__ import annotations

from pathlib import PurePath

from tracer.cells.meanings import Kind
from tracer.format import printable
from tracer.places import Place
from tui.ink import Line, Span, span
from tui.views.scene import Scene

SOURCE_LINES = 3
"""Of an expression over several lines, so many are shown."""


def source_lines(scene: Scene, width: int) -> list[Line]:
    """The user's lines with the exact expression marked; below a single line also its columns."""
    place = scene.trace[scene.selected].place
    if place is None:
        return []
    where = f"{PurePath(place.file).name}:{place.line}"
    rows = _source(scene, place)
    if not rows or not rows[0].strip():
        return [(span("at        ", Kind.FAINT), span(where, Kind.FAINT))]
    head = f"{where}  "
    room = width - len(head)
    spans = [_columns(place, k, row) for k, row in enumerate(rows)]
    margin = min(len(row) - len(row.lstrip()) for row in rows if row.strip())
    start, end = spans[0]
    single = place.end_line == place.line
    shift = margin + (max(0, min(start - margin, end - margin - room + 1)) if single else 0)
    if shift > margin:
        head = f"{where} …"
    found: list[Line] = []
    for k, (row, (start, end)) in enumerate(zip(rows, spans, strict=True)):
        a, b = max(0, start - shift), max(0, end - shift)
        front = head if k == 0 else " " * len(head)
        found.append((span(front, Kind.FAINT), *_marked(row[shift:], a, b)))
        if single:
            marks = " " * (len(head) + a) + "▔" * (min(b, room) - a)
            found.append((span(marks, Kind.KEY),))
    left = place.end_line - place.line + 1 - len(rows)
    if left > 0:
        found.append((span(f"{' ' * len(head)}… {left} more lines", Kind.FAINT),))
    return found


def source_around(scene: Scene, height: int) -> list[Line]:
    """The expression among the lines before and after it, with their numbers, in so many lines."""
    place = scene.trace[scene.selected].place
    if place is None:
        return []
    inside = place.end_line - place.line + 1
    first = max(1, place.line - max(0, (height - 1 - inside) // 2))
    rows = _rows(scene, place, first, first + height - 2)
    where = f"{PurePath(place.file).name}:{place.line}"
    if not rows:
        return [(span("at        ", Kind.FAINT), span(where, Kind.FAINT))]
    wide = len(str(first + len(rows)))
    found: list[Line] = [(span(where, Kind.FAINT),)]
    for number, row in enumerate(rows, first):
        here = place.line <= number <= place.end_line
        front = f"{'▸' if here else ' '} {number:>{wide}}  "
        start, end = _columns(place, number - place.line, row) if here else (0, 0)
        found.append((span(front, Kind.NAME if here else Kind.FAINT), *_marked(row, start, end)))
    return found


def _source(scene: Scene, place: Place) -> list[str]:
    """The text of the lines of a place."""
    last = min(place.end_line, place.line + SOURCE_LINES - 1)
    return _rows(scene, place, place.line, last)


def _rows(scene: Scene, place: Place, first: int, last: int) -> list[str]:
    """Lines of the file of a place, as it was when the trace was frozen."""
    source = scene.trace.sources.get(place.file)
    if source is None or place.line < 1:
        return []
    return [printable(row.expandtabs(1)) for row in source.lines[first - 1 : last]]


def _columns(place: Place, row: int, text: str) -> tuple[int, int]:
    """From where to where a row of a place belongs to it, in characters; places count bytes."""
    encoded = text.encode()
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if row == 0:
        start = len(encoded[: place.column].decode(errors="replace"))
    if place.line + row == place.end_line and (row or place.end_column > place.column):
        end = len(encoded[: place.end_column].decode(errors="replace"))
    return start, end


def _marked(text: str, start: int, end: int) -> tuple[Span, ...]:
    return (
        span(text[:start], Kind.CODE),
        span(text[start:end], Kind.UNDERLINE),
        span(text[end:], Kind.CODE),
    )
