"""The stops view: every breakpoint with its switches and counts, every watch with what it shows now."""

from __future__ import annotations

import textwrap
from typing import NamedTuple

from tracer.breakpoints import Breakpoint
from tracer.cells.meanings import Kind, Look
from tui.ink import Line, clip, span, width_of
from tui.views.scene import Scene

MOST = 4
"""Lines that one breakpoint or watch may take."""


Pieces = list[tuple[str, Kind]]
"""A line before it is known whether it is chosen."""


class Row(NamedTuple):
    """A line of the view, and which breakpoint or watch it belongs to; -1 for a heading."""

    item: int
    line: Line


def subtitle(scene: Scene) -> str:
    """What can be done with a row."""
    return "⏎ go there  = off/on  ⌫ delete" if count(scene) else ""


def count(scene: Scene) -> int:
    """How many rows can be chosen."""
    return len(scene.table) + len(scene.watched)


def facts(one: Breakpoint) -> list[str]:
    """What is to be said about a breakpoint beside its text: off, temporary, hits, how often it is passed over."""
    found = ["off"] if not one.enabled else []
    found += ["temporary"] if one.temporary else []
    found += [f"hit {one.hits}×"] if one.hits else []
    found += [f"ignore {one.ignore}"] if one.ignore else []
    return found


def rows(scene: Scene, cursor: int, width: int) -> list[Row]:
    """All lines: the breakpoints, then the watches; a long text takes several."""
    found = [Row(-1, (span(" breakpoints", Kind.FAINT),))]
    for item, one in enumerate(scene.table):
        sign = "○" if not one.enabled else "◇" if one.selection.condition else "●"
        text = Kind.TEXT if one.enabled else Kind.FAINT
        lines = _wrapped(f"{one.number} ", one.text, "  ".join(facts(one)), width - 3, text)
        found += _item(item, item == cursor, sign, lines, width)
    if not scene.table:
        found.append(Row(-1, (span("   none: b at a node, B asks", Kind.FAINT),)))
    found += [Row(-1, ()), Row(-1, (span(" watches", Kind.FAINT),))]
    for number, (watch, (said, now)) in enumerate(zip(scene.watched, scene.watches, strict=True)):
        item = len(scene.table) + number
        lines = _wrapped(f"{watch.number} ", said, "", width - 3, Kind.TEXT)
        kind = Kind.VALUE if any(map(str.isdigit, now)) else Kind.FAINT
        lines += [[("  ", kind), (part, kind)] for part in _parts(now, width - 6)]
        found += _item(item, item == cursor, " ", lines, width)
    if not scene.watched:
        found.append(Row(-1, (span("   none: w asks", Kind.FAINT),)))
    return found


def _parts(text: str, width: int) -> list[str]:
    parts = textwrap.wrap(text, max(width, 8)) or [""]
    return parts if len(parts) <= MOST else [*parts[: MOST - 1], parts[MOST - 1] + " …"]


def _wrapped(head: str, text: str, said: str, width: int, kind: Kind) -> list[Pieces]:
    """A number, the text, and what is said of it: behind the text if it fits, else on a line of its own."""
    parts = _parts(text, width - len(head))
    blank = " " * len(head)
    lines = [[(blank if k else head, Kind.KEY), (part, kind)] for k, part in enumerate(parts)]
    gap = width - len(head) - len(parts[-1]) - len(said)
    if said and gap >= 2:
        lines[-1].append((" " * gap + said, Kind.FAINT))
    elif said:
        lines.append([(blank, Kind.KEY), (said, Kind.FAINT)])
    return lines


def _item(item: int, chosen: bool, sign: str, lines: list[Pieces], width: int) -> list[Row]:
    look = Look.SELECTED if chosen else Look.PLAIN
    found = []
    for k, line in enumerate(lines):
        head = (
            span("›" if chosen and k == 0 else " ", Kind.NAME, look),
            span(f"{sign if k == 0 else ' '} ", Kind.MARK, look),
        )
        body = (span(text, kind, look) for text, kind in line)
        whole = (*head, *body)
        used = width_of(whole)
        found.append(
            Row(item, clip((*whole, span(" " * max(0, width - used), Kind.TEXT, look)), width))
        )
    return found


def in_sight(shown: list[Row], cursor: int, top: int, height: int) -> int:
    """The first line to be shown, so that the chosen row is in sight."""
    mine = [y for y, row in enumerate(shown) if row.item == cursor]
    if mine:
        first = max(0, mine[0] - 1)  # with the heading above the first
        top = min(top, first)
        top = max(top, mine[-1] - height + 1)
    return max(0, min(top, len(shown) - height))


def order_at(scene: Scene, cursor: int, deed: str) -> str:
    """The order line that a key gives at a row; empty where there is nothing to do.

    deed: `choose`, `flip` or `remove`.
    """
    cursor = max(0, cursor)  # it is brought back among the rows when they are drawn
    if cursor < len(scene.table):
        number = scene.table[cursor].number
        return {"choose": f"visit {number}", "flip": f"switch {number}"}.get(
            deed, f"delete {number}"
        )
    if cursor >= count(scene):
        return ""
    watch = scene.watched[cursor - len(scene.table)]
    if deed == "remove":
        return f"unwatch {watch.number}"
    return f"select {watch.node}" if deed == "choose" and watch.node else ""
