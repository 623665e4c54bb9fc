"""Expected numbers beside the recorded ones, and where they are from: of one entry, and of the whole gallery."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from gallery import GALLERY, Entry, compare
from gallery.entry import ORIGINS, OURS, PUBLISHED, Row
from tracer.cells.meanings import Kind
from tui.ink import Line, span
from tui.networks import Network

WIDEST_NODE = 36
HEADING = Row("node", "what", "expected", "recorded", True, "from")
RIGHT, WRONG = "✓", "✗ differs"


def numbers_of(entry: Entry) -> tuple[Row, ...]:
    """The numbers expected of an entry beside those of its trace, with all knobs at their defaults."""
    if not (entry.values or entry.gradients or entry.facts):
        return ()
    return compare(entry, Network(entry).trace())


def table(rows: Sequence[Row], columns: int) -> list[Line]:
    """The numbers side by side; long ones go on below, where each stands beside its own."""
    node = min(max(len(row.node) for row in (HEADING, *rows)), WIDEST_NODE, columns // 3)
    what = max(len(row.what) for row in (HEADING, *rows))
    origin = max(len(row.origin) for row in (HEADING, *rows))
    room = max(12, (columns - node - what - origin - 10 - len(WRONG)) // 2)
    pairs = [(row, list(_pairs(row, room))) for row in (HEADING, *rows)]
    wide = [max(len(pair[k]) for _, each in pairs for pair in each) for k in (0, 1)]
    lines: list[Line] = []
    for row, parts in pairs:
        heading = row is HEADING
        names = textwrap.wrap(row.node, node)
        for k in range(max(len(parts), len(names))):
            name = names[k] if k < len(names) else ""
            printed, recorded = parts[k] if k < len(parts) else ("", "")
            kind = Kind.FAINT if heading else Kind.VALUE if row.agrees else Kind.GRADIENT
            last = k == len(parts) - 1 and not heading
            sign = (RIGHT if row.agrees else WRONG) if last else ""
            lines.append(
                (
                    span(f"{name:<{node}}  ", Kind.FAINT if heading else Kind.TEXT),
                    span(f"{row.what if not k else '':<{what}}  ", Kind.FAINT),
                    span(f"{printed:<{wide[0]}}  ", Kind.FAINT if heading else Kind.TEXT),
                    span(f"{recorded:<{wide[1]}}  ", kind),
                    span(f"{row.origin if not k else '':<{origin}}  ", Kind.FAINT),
                    span(sign, kind),
                )
            )
    return lines


def _pairs(row: Row, room: int) -> Iterator[tuple[str, str]]:
    """Expected and recorded numbers, line by line: as many as fit, the same ones on both sides."""
    left, right = row.printed.split(), row.recorded.split()
    if len(left) != len(right):
        yield row.printed, row.recorded
        return
    start = 0
    for end in range(1, len(left) + 1):
        here = [" ".join(side[start:end]) for side in (left, right)]
        longer = [" ".join(side[start : end + 1]) for side in (left, right)]
        if end == len(left) or max(map(len, longer)) > room:
            yield here[0], here[1]
            start = end


def counted(origins: Iterable[str]) -> str:
    """How many numbers, or rows of numbers, are from where.

    >>> counted(["ours", "published", "published"])
    '2 published, 1 ours'
    """
    found = [*origins]
    words = {origin: f"of {origin}" for origin in ORIGINS} | {PUBLISHED: PUBLISHED, OURS: OURS}
    return ", ".join(f"{found.count(o)} {words[o]}" for o in ORIGINS if o in found)


def whole_gallery(columns: int) -> Iterator[tuple[list[Line], Sequence[Row]]]:
    """Entry by entry: its lines, and the numbers or rows of numbers that were compared."""
    for entry in GALLERY.values():
        rows = numbers_of(entry)
        heading: Line = (span(entry.name, Kind.NAME), span(f"  {entry.source}", Kind.FAINT))
        said = table(rows, columns - 2) if rows else [(span("no numbers to compare", Kind.FAINT),)]
        yield [heading, *((span("  "), *line) for line in said)], rows
