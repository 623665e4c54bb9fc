"""The timeline in one line: both passes, what is done, where breakpoints, layers and the first NaN lie."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ops.primitive import Array
from tracer.cells.meanings import Kind, Look
from tracer.traces import Trace
from tui.ink import Ink, Line, Span, span
from tui.views.scene import Scene

HEAD, LOSS, BAD = "◆", "┃", "⚠"
"""Where the position is, where the loss is known, where the first NaN or infinity appears."""
DONE, AHEAD, TICKS = "━═", "┄┄", "┯╤┬"
"""Forward and backward; the ticks of scopes: of a done forward step, of a done flow, of what is to come."""
ROOM_PER_TICK = 5
"""Columns that a scope must have on average, for its end to be marked."""
MOST_SCOPES = 20_000
"""Of more scopes than this none is marked: there is never room for them."""


def column_of(position: int, last: int, width: int) -> int:
    """The column that shows a position; the first and the last column are the ends of the line.

    >>> [column_of(position, 4, 11) for position in range(5)]
    [1, 3, 5, 7, 9]
    """
    inner = width - 3
    return 1 + (2 * position * inner + last) // (2 * last) if last > 0 and inner > 0 else 1


def position_at(column: int, last: int, width: int) -> int:
    """The position that a column stands for: a click on it goes there.

    >>> [position_at(column, 4, 11) for column in range(11)]
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4]
    """
    inner = width - 3
    if inner <= 0:
        return 0
    return min(last, max(0, (2 * (column - 1) * last + inner) // (2 * inner)))


def line(scene: Scene, width: int) -> Line:
    """The timeline in so many columns, from ▼ (forward) over ┃ (the loss) to ▲ (the end of the backward pass)."""
    if width < 3:
        return (span(" " * width),)
    last, forward = scene.timeline.last, scene.timeline.forward_steps
    here, turn = (column_of(p, last, width) for p in (scene.position, forward))
    half = [column > turn for column in range(width)]
    done = [column <= here for column in range(width)]
    signs = [(DONE if done[k] else AHEAD)[half[k]] for k in range(width)]
    inks = [Ink(Kind.GRADIENT if half[k] else Kind.VALUE) for k in range(width)]
    for k in ticked(scene.trace, width):
        signs[k] = TICKS[half[k]] if done[k] else TICKS[2]
    if scene.trace.loss >= 0:
        signs[turn], inks[turn] = LOSS, Ink(Kind.NAME)
    for sign, positions in scene.stops:
        for k in columns_of(positions, last, width):
            if signs[k] != "●":
                signs[k], inks[k] = sign, Ink(Kind.MARK)
    if scene.bad is not None:
        k = column_of(scene.bad[1], last, width)
        signs[k], inks[k] = BAD, Ink(Kind.WARN)
    if last:
        signs[here], inks[here] = HEAD, Ink(Kind.FRAME, Look.CURRENT)
    signs[0], inks[0] = "▼", Ink(Kind.FORWARD)
    signs[-1], inks[-1] = "▲", Ink(Kind.BACKWARD)
    return _runs(signs, inks)


def _runs(signs: list[str], inks: list[Ink]) -> Line:
    spans, start = [], 0
    for k in range(1, len(signs) + 1):
        if k == len(signs) or inks[k] != inks[start]:
            spans.append(Span("".join(signs[start:k]), inks[start]))
            start = k
    return tuple(spans)


def columns_of(positions: Array, last: int, width: int) -> list[int]:
    """The columns that show at least one of these positions, which rise: a search per column, however many there are.

    >>> columns_of(np.array([0, 1, 1, 4]), 4, 11)
    [1, 3, 9]
    """
    inner = width - 3
    if not len(positions) or inner <= 0 or last <= 0:
        return []
    columns = np.arange(inner + 2, dtype=np.int64)
    firsts = -((last - 2 * columns * last) // (2 * inner))  # the first position of each column
    counts = np.diff(np.searchsorted(positions, firsts))
    return (np.flatnonzero(counts) + 1).tolist()


def ticked(trace: Trace, width: int) -> list[int]:
    """The columns in which a scope ends: of the finest division of the trace that there is room for."""
    most = width // ROOM_PER_TICK
    fitting = (ends for ends in reversed(scope_ends(trace.skeleton)) if len(ends) <= most)
    return columns_of(next(fitting, np.array([])), trace.timeline.last, width)


@lru_cache(maxsize=8)
def scope_ends(trace: Trace) -> tuple[Array, ...]:
    """The positions at which one scope ends and another goes on, by depth: outermost (layers, time steps) first."""
    if len(trace.scopes) > MOST_SCOPES:
        return ()
    timeline = trace.timeline
    senders = trace.edge_consumer[timeline.flow_edges]
    steps = trace.scope_of[np.concatenate([timeline.forward_nodes, senders])]
    found = []
    for depth in range(1, 1 + max(map(len, trace.scopes), default=0)):
        numbers: dict[object, int] = {}
        group = np.array([numbers.setdefault(s[:depth], len(numbers)) for s in trace.scopes])[steps]
        found.append(np.flatnonzero(np.diff(group)) + 1)
    return tuple(found)
