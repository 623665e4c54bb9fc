"""The block over time: a row for each warp, barriers across all of them, and how far each warp is."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import groupby, pairwise
from typing import NamedTuple

from tracer.cells.meanings import Kind
from tui.ink import Ink, Line, Span, pad, span
from tui.stepper.lanes import numbers
from tui.stepper.stand import Stand, fault_position
from tui.stepper.walk import Walk

NAMES = 8
"""Characters of a warp's name."""


class Column(NamedTuple):
    """A column of the timeline: an epoch, and which part of it; a part of nothing is the barrier that ends it."""

    epoch: int
    first: float
    last: float

    @property
    def is_barrier(self) -> bool:
        """Whether it is the line between two epochs."""
        return self.first == self.last


def epochs(walk: Walk) -> list[range]:
    """The steps of each epoch."""
    ends = [0, *walk.boundaries, walk.last]
    return [range(one, two) for one, two in pairwise(ends)]


def longest(walk: Walk) -> list[int]:
    """The steps of the warp that makes most of them, in each epoch."""
    found = []
    for steps in epochs(walk):
        made = [0] * walk.warps
        for k in steps:
            made[walk.steps[k].warp] += 1
        found.append(max(made, default=0))
    return found


def columns(walk: Walk, width: int) -> list[Column]:
    """The columns of the timeline: epochs as wide as their longest warp asks for, a line for each barrier.

    Of more epochs than there is room for, several share a column, and no barriers are drawn.
    """
    sizes = longest(walk)
    total, count = sum(sizes) or 1, len(sizes)
    if 2 * count > width:
        marks = [min(count - 1, k * count // width) for k in range(width)]
        return [Column(epoch, 0.0, 1.0) for epoch in marks]
    room = width - (count - 1)
    ends = [round(room * sum(sizes[: k + 1]) / total) for k in range(count)]
    widths = [max(1, two - one) for one, two in zip([0, *ends], ends, strict=False)]
    while sum(widths) > room:
        widths[widths.index(max(widths))] -= 1
    found: list[Column] = []
    for epoch, wide in enumerate(widths):
        found += [Column(epoch, k / wide, (k + 1) / wide) for k in range(wide)]
        if epoch < count - 1:
            found.append(Column(epoch, 1.0, 1.0))
    return found


def timeline_lines(stand: Stand, width: int, height: int) -> list[Line]:
    """The lines: as many warps around that which is looked at as there is room for, and the epochs below."""
    walk = stand.walk
    room = max(8, width - NAMES - 1)
    drawn = columns(walk, room)
    rows = max(1, height - 1)
    first = max(0, min(stand.warp - rows // 2, walk.warps - rows))
    found = [_row(stand, number, drawn) for number in range(first, min(first + rows, walk.warps))]
    return [*found, _ruler(stand, drawn)] if height > 1 else found


def _row(stand: Stand, number: int, drawn: list[Column]) -> Line:
    walk, position = stand.walk, stand.position
    here = number == stand.warp
    at = walk.step_at(position, number)
    now = _column_of(walk, number, at, drawn) if at is not None else -1
    wrong = -1
    where = fault_position(stand)
    if where and walk.steps[where - 1].warp == number:
        wrong = _column_of(walk, number, where - 1, drawn)
    line: list[Span] = [
        span(pad(f"{'▸' if here else ' '}warp {number}", NAMES), Kind.NAME if here else Kind.FAINT)
    ]
    spans = epochs(walk)
    own = walk.of_warp[number]
    full = len(walk.lanes(number))
    cells: list[tuple[str, Kind]] = []
    for k, column in enumerate(drawn):
        if k == wrong:
            cells.append(("✗", Kind.MARK))
        elif k == now:
            cells.append(("◆" if here else "◇", Kind.KEY if here else Kind.OP))
        elif column.is_barrier:
            passed = position >= walk.boundaries[column.epoch]
            cells.append(("┃" if passed else "│", Kind.FRAME if passed else Kind.FAINT))
        else:
            cells.append(_cell(walk, spans[column.epoch], own, column, position, full))
    for kind, run in groupby(cells, key=lambda cell: cell[1]):
        line.append(Span("".join(sign for sign, _ in run), Ink(kind)))
    return tuple(line)


def _cell(
    walk: Walk, epoch: range, own: tuple[int, ...], column: Column, position: int, full: int
) -> tuple[str, Kind]:
    """The sign of a stretch of a warp's steps: heavy where it is done, broken where not all lanes run."""
    first, last = bisect_left(own, epoch.start + 1), bisect_right(own, epoch.stop)
    size = last - first
    low = first + int(column.first * size)
    high = max(low + 1, first + int(column.last * size))
    made = own[low : min(high, last)]
    if not made:
        return " ", Kind.FAINT
    whole = all(len(walk.steps[k - 1].active) == full for k in made)
    if made[0] <= position:
        return ("━" if whole else "╍"), Kind.VALUE
    return ("─" if whole else "╌"), Kind.FAINT


def _column_of(walk: Walk, warp: int, step: int, drawn: list[Column]) -> int:
    """The column in which a step of a warp lies."""
    spans = epochs(walk)
    epoch = bisect_right(walk.boundaries, step)
    own = walk.of_warp[warp]
    first = bisect_left(own, spans[epoch].start + 1)
    size = bisect_right(own, spans[epoch].stop) - first
    share = (bisect_left(own, step + 1) - first + 1) / max(1, size)
    there = [k for k, column in enumerate(drawn) if column.epoch == epoch and not column.is_barrier]
    inside = [k for k in there if drawn[k].first < share - 1e-9]
    near = (inside or there or [-1])[-1]
    return near if near >= 0 else _nearest(drawn, epoch)


def _nearest(drawn: list[Column], epoch: int) -> int:
    return min(range(len(drawn)), key=lambda k: abs(drawn[k].epoch - epoch))


def _ruler(stand: Stand, drawn: list[Column]) -> Line:
    """The epochs by number, and how many barriers are passed."""
    text = ""
    for epoch, run in groupby(enumerate(drawn), key=lambda pair: pair[1].epoch):
        start = next(iter(run))[0]
        if len(text) < start or not text:
            text = text.ljust(start) + str(epoch)
    return span("epoch".rjust(NAMES - 1) + " ", Kind.FAINT), span(text, Kind.FAINT)


def position_at(stand: Stand, width: int, height: int, x: int, y: int) -> tuple[int, int] | None:
    """The warp and the position that are drawn at a place of the pane."""
    walk = stand.walk
    drawn = columns(walk, max(8, width - NAMES - 1))
    rows = max(1, height - 1)
    warp = max(0, min(stand.warp - rows // 2, walk.warps - rows)) + y
    at = x - NAMES
    if not (0 <= warp < walk.warps and 0 <= at < len(drawn) and y < rows):
        return None
    column = drawn[at]
    if column.is_barrier:
        return warp, walk.boundaries[column.epoch]
    epoch = epochs(walk)[column.epoch]
    own = [k for k in walk.of_warp[warp] if epoch.start < k <= epoch.stop]
    if not own:
        return None
    return warp, own[min(len(own) - 1, int(column.first * len(own)))]


def warps_text(walk: Walk) -> str:
    """The warps in words: `warps 0–3`."""
    return f"warp{'s' * (walk.warps != 1)} {numbers(range(walk.warps))}"
