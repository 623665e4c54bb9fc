"""The registers of a warp: a row for each local number, a column for each lane."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tracer.cells.meanings import Kind
from tui.ink import Ink, Line, Span, clip, elide, pad, span, width_of
from tui.stepper.cells import (
    CHANGED,
    LONGEST,
    NUMBER,
    WIDEST,
    WRONG,
    cell,
    limits_of,
    plain,
    spelled,
)
from tui.stepper.lanes import Lane, State, numbers
from tui.stepper.moments import changed_by
from tui.stepper.stand import Stand, wrongdoers
from tui.stepper.walk import WARP

NAMES = 12
"""The most characters of a name."""
HALF = 16
"""Numbers are written where so many lanes fit beside each other, or a half of them."""
SAID = 12
"""Characters of the number of the chosen lane, at the end of a row: with more digits than a cell has room for."""
SAME = "same in all lanes:"
HEAD = 2
"""Lines above the rows: the lanes, and what they do."""
FLAT = 5
"""In no more lines than these, the numbers of one lane say more than the colours of all."""


@dataclass(frozen=True)
class Plan:
    """Which lanes are shown, how wide a cell is, and how wide the names are."""

    first: int
    count: int
    cell: int
    names: int

    @property
    def written(self) -> bool:
        """Whether numbers are written into the cells."""
        return self.cell >= NUMBER


def plan(stand: Stand, width: int, first: int | None = None) -> Plan:
    """Numbers of a half or a quarter of the warp where they fit, else a coloured cell for every lane.

    first: the lane with which a page of numbers begins; without, that on which the lane is that is looked at.
    """
    lanes = len(stand.shown.lanes)
    names = min(NAMES, max(4, 4, *map(len, stand.walk.varying))) + 1
    least = max(NUMBER, min(LONGEST, stand.walk.digits) + 2)
    for count in (WARP, HALF, HALF // 2):
        room = width - names
        roomy = room - count * least >= SAID  # the number of the lane fits behind the cells
        wide = (room - SAID * roomy) // count
        enough = wide >= least and (count >= HALF or stand.numbers or lanes <= count)
        enough |= least > NUMBER and wide >= least and count == HALF // 2 and room >= HALF * NUMBER
        if enough and stand.numbers is not False:
            first = stand.lane // count * count if first is None else first
            return Plan(first, min(count, lanes - first), min(wide, max(WIDEST, least)), names)
    names = max(4, min(names, width - lanes))
    wide = max(1, min(3, (width - names - SAID) // max(1, lanes)))
    return Plan(0, lanes, wide, names)


def register_lines(
    stand: Stand,
    width: int,
    height: int,
    top: int = 0,
    *,
    colour: bool = True,
    first: int | None = None,
) -> list[Line]:
    """The lines of the pane: the lanes, what they do, rows from `top` on, and what is the same in all lanes."""
    shown = plan(stand, width, first)
    lanes = stand.shown.lanes[shown.first : shown.first + shown.count]
    head, rows, below = _shares(stand, shown, width, height)
    found = _head(stand, lanes, shown, width)[-head:]
    for name in known(stand)[top : top + rows]:
        found.append(clip(_row(stand, name, lanes, shown, width, colour=colour), width))
    return [*found, *below]


def _shares(stand: Stand, shown: Plan, width: int, height: int) -> tuple[int, int, list[Line]]:
    """Lines above the rows, how many rows, and what stands below: what is the same in all lanes.

    Where the cells are too narrow for numbers and not all rows fit, it is the numbers of the chosen lane instead.
    """
    same = uniform_lines(stand, width)
    if shown.written:
        same = same[: max(0, (height - HEAD) // 3)]
    if shown.written or HEAD + len(known(stand)) + len(same) <= height:
        return HEAD, height - HEAD - len(same), same
    head, least = (HEAD, 1) if height > FLAT else (1, 0)
    room = max(0, height - head - least)
    own = lane_lines(stand, width)
    own = own if len(own) <= room else lane_lines(stand, width, changed_first=True)[:room]
    return head, height - head - len(own), own


def known(stand: Stand) -> list[str]:
    """The numbers that differ between lanes and that a lane of the warp has by now."""
    registers = stand.walk.moment(stand.position).registers
    own = [registers[thread] for thread in stand.walk.lanes(stand.warp)]
    return [name for name in stand.walk.varying if any(name in each for each in own)]


def uniform_lines(stand: Stand, width: int) -> list[Line]:
    """The numbers that are the same in all lanes that run together, as the lane has them; and the arguments."""
    return _pairs(stand, stand.walk.uniform, width, SAME, len(SAME))


def lane_lines(stand: Stand, width: int, *, changed_first: bool = False) -> list[Line]:
    """All numbers that the chosen lane has, and the arguments."""
    event = stand.events.get(stand.thread)
    changed = changed_by(event) if event is not None else {}
    names = [*stand.walk.varying, *stand.walk.uniform]
    if changed_first:
        names.sort(key=lambda name: name not in changed)
    return _pairs(stand, names, width, f"lane {stand.lane}:", 0)


def _pairs(stand: Stand, names: Iterable[str], width: int, head: str, indent: int) -> list[Line]:
    """Names and numbers behind each other; lines after the first are indented."""
    own, event = (
        stand.walk.moment(stand.position).registers[stand.thread],
        stand.events.get(stand.thread),
    )
    changed = changed_by(event) if event is not None else {}
    lines: list[Line] = []
    line: list[Span] = [span(head, Kind.FAINT)]
    given = [(name, own[name]) for name in names if name in own]
    for name, value in (*given, *scalars(stand)):
        said = spelled(value, 5)
        mark = CHANGED if name in changed else ""
        pair = [span(f"  {mark}", Kind.KEY), span(f"{name} ", Kind.OP), span(said, Kind.TEXT)]
        if width_of((*line, *pair)) > width:
            lines.append(tuple(line))
            line = [span(" " * indent)]
        line += pair
    return [*lines, tuple(line)] if len(line) > 1 else []


def scrolled(stand: Stand, top: int, width: int, height: int, *, follow: bool = True) -> int:
    """The first row that is shown; `follow` brings what the step has changed into sight."""
    names, rows = known(stand), max(1, _shares(stand, plan(stand, width), width, height)[1])
    changed = {name for event in stand.events.values() for name in changed_by(event)}
    at = [k for k, name in enumerate(names) if name in changed]
    if at and follow:
        top = max(at[-1] - rows + 1, min(top, at[0]))
    return max(0, min(top, len(names) - rows))


def lane_at(stand: Stand, width: int, x: int) -> int | None:
    """The lane that is drawn at a column of the pane."""
    shown = plan(stand, width)
    at = (x - shown.names) // shown.cell
    return shown.first + at if 0 <= at < shown.count else None


def scalars(stand: Stand) -> list[tuple[str, Any]]:
    """The arguments of the kernel that are numbers."""
    given = stand.walk.run.arguments
    return [(name, value) for name, value in given.items() if not isinstance(value, np.ndarray)]


def _head(stand: Stand, lanes: tuple[Lane, ...], shown: Plan, width: int) -> list[Line]:
    above: list[Span] = [span(pad("lane:", shown.names), Kind.FAINT)]
    below: list[Span] = [span(" " * shown.names)]
    wrong = wrongdoers(stand)
    for lane in lanes:
        place = lane.thread % WARP
        here = place == stand.lane
        label = f"[{place}]" if here and shown.cell >= 4 else str(place)
        wanted = shown.cell >= 3 or place % (5 if shown.cell < 2 else 2) == 0
        text = label.rjust(shown.cell) if wanted and len(label) <= shown.cell else " " * shown.cell
        above.append(Span(text, Ink(Kind.KEY if here else Kind.FAINT)))
        kind = Kind.FORWARD if lane.state is State.RUNS else Kind.FAINT
        sign = "◆" if here and shown.cell < 4 and lane.state is State.RUNS else lane.state.value
        kind = Kind.KEY if here else kind
        if lane.thread in wrong:
            sign, kind = WRONG, Kind.MARK
        below.append(Span(sign.rjust(shown.cell), Ink(kind)))
    if width - shown.names - len(lanes) * shown.cell >= SAID:
        above.append(span(f"  lane {stand.lane}", Kind.VALUE))
    return [_with_tens(above, lanes, shown), tuple(below)]


def _with_tens(above: list[Span], lanes: tuple[Lane, ...], shown: Plan) -> Line:
    """Of narrow cells only every fifth lane is numbered, over the cells beside it."""
    if shown.cell >= 2:
        return tuple(above)
    text = ""
    for lane in lanes:
        place = lane.thread % WARP
        if place % 5 == 0:
            text = text.ljust(place - shown.first) + str(place)
    behind = above[1 + len(lanes) :]
    return above[0], span(text.ljust(len(lanes) * bool(behind)), Kind.FAINT), *behind


def _row(
    stand: Stand, name: str, lanes: tuple[Lane, ...], shown: Plan, width: int, *, colour: bool
) -> Line:
    moment, events = stand.walk.moment(stand.position), stand.events
    whole = [moment.registers[t].get(name) for t in stand.walk.lanes(stand.warp)]
    known = [plain(value) for value in whole if isinstance(value, (int, float, np.generic))]
    limits = limits_of(known)
    changed = {t for t, event in events.items() if name in changed_by(event)}
    kind = Kind.NAME if changed else Kind.OP
    row: list[Span] = [span(pad(_short(name, shown.names - 1), shown.names), kind)]
    for lane in lanes:
        row.extend(
            cell(
                moment.registers[lane.thread].get(name),
                shown.cell,
                limits,
                sign=CHANGED if lane.thread in changed and shown.written else "",
                quiet=lane.state is not State.RUNS,
                colour=colour,
            )
        )
    if width - width_of(tuple(row)) >= SAID:
        own = moment.registers[stand.thread].get(name)
        said = "·" if own is None else spelled(own, 6)
        mark = CHANGED if stand.thread in changed else " "
        row += [span(f" {mark}", Kind.KEY), span(elide(said, SAID - 2), Kind.VALUE)]
    return tuple(row)


def _short(name: str, room: int) -> str:
    """A name that fits: of a device function's number, the end."""
    return name if len(name) <= room or "." not in name else f"…{name[1 - room :]}"


def title(stand: Stand, width: int = 0) -> str:
    """Which threads they are; in a pane of so many columns also which of the lanes are in sight."""
    threads = [lane.thread for lane in stand.shown.lanes]
    said = f"registers of warp {stand.warp}: thread{'s' * (len(threads) > 1)} {numbers(threads)}"
    shown = plan(stand, width) if width else None
    if shown is None or shown.count == len(threads):
        return said
    last = shown.first + shown.count
    before, after = "‹ " * (shown.first > 0), " ›" * (last < len(threads))
    part = f"{before}lanes {shown.first}–{last - 1} of {len(threads)}{after}"
    return next(
        one
        for one in (f"{said} · {part}", f"registers · {part}", part)
        if len(one) <= width - 4 or one is part
    )


def other_lanes(stand: Stand, width: int, by: int) -> Stand:
    """The lanes before or behind those that are in sight: the same place among them is looked at."""
    shown, lanes = plan(stand, width), len(stand.shown.lanes)
    pages = -(-lanes // shown.count)
    page, place = divmod(stand.lane, shown.count)
    there = (page + by) % pages * shown.count + place
    return replace(stand, lane=min(there, lanes - 1), element=None)


SIGNS = (
    "▼ runs · waits ‖ at a barrier □ ended • changed",
    "▼ runs · waits ‖ barrier □ ended",
    "▼ runs · waits",
    "",
)
SCALE = "= - · + #  from the least to the most  ▼ runs · waits"


def subtitle(stand: Stand, width: int, *, colour: bool = True) -> str:
    """What the signs mean, as far as there is room."""
    signs = SIGNS if colour or plan(stand, width).written else (SCALE, SCALE.partition("  ")[0], "")
    return next(text for text in signs if len(text) <= width - 4 or not text)
