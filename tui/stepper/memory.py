"""An array as a heat map: shared memory, or an argument; what the step reads and writes of it, and who wrote last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tracer.cells.meanings import Kind
from tracer.format import number
from tui.heatmap import Limits
from tui.ink import Ink, Line, Span, clip, span, width_of
from tui.stepper.cells import (
    BOTH,
    LONGEST,
    NUMBER,
    READ,
    WIDEST,
    WRITTEN,
    WRONG,
    cell,
    limits_of,
    plain,
)
from tui.stepper.stand import Stand, element_of
from tui.stepper.traffic import index_text, offset
from tui.stepper.walk import NOBODY, WARP, Memory, Walk

SHARE = 16
"""Of an array behind the first one no more rows are shown."""
GAP = 3
"""Columns between arrays beside each other."""
FEW = 4
"""With room for so many rows numbers are better than colours, though not all rows are in sight."""
NOWHERE: tuple[int, ...] = ()
"""The element of an array of which none is looked at."""
BANKS = 32
"""A vector is broken into rows of so many elements: of 4 bytes each, a column is a bank."""


@dataclass(frozen=True)
class Plan:
    """How an array is laid out: elements of a row, the rows, the width of a cell, and what is in sight."""

    across: int
    rows: int
    cell: int
    gutter: int
    first: int
    """The first row that is shown."""
    left: int
    """The first column that is shown."""
    shown: int
    """How many columns are shown."""
    height: int

    @property
    def written(self) -> bool:
        """Whether numbers are written into the cells."""
        return self.cell >= NUMBER


def plan(stand: Stand, width: int, height: int) -> Plan:
    """Numbers where they fit, else colours; the rows and columns around the element that is looked at."""
    memory = stand.memory
    assert memory is not None
    size, shape = memory.values.size, memory.values.shape
    labels = [str(size - 1)] if len(shape) < 2 else [",".join(str(n - 1) for n in shape[:-1])]
    gutter = max(map(len, labels)) + 1
    room, rows_room = width - gutter, max(1, height)
    least = _least(memory)
    across = _across(shape, size, room, rows_room, least)
    rows = -(-size // across)
    wide = room // across
    written = wide >= least and (rows <= rows_room or wide >= WIDEST or rows_room >= FEW)
    cell_width = min(wide, max(least, WIDEST)) if written else max(1, min(3, wide))
    shown = min(across, max(1, room // cell_width))
    spot = _spot(stand, memory)
    row, column = divmod(spot, across)
    first = 0 if rows <= rows_room else min(row // rows_room * rows_room, rows - rows_room)
    left = 0 if across <= shown else min(column // shown * shown, across - shown)
    return Plan(across, rows, cell_width, gutter, first, left, shown, min(rows, rows_room))


def _least(memory: Memory) -> int:
    """The characters of a cell with a number: so many that whole numbers can be read, if they are not too long."""
    numbers = known_values(memory)
    if numbers.dtype.kind not in "iu" or not numbers.size:
        return NUMBER
    longest = max(len(str(numbers.min())), len(str(numbers.max())))
    return max(NUMBER, longest + 2) if longest <= LONGEST else NUMBER


def _across(shape: tuple[int, ...], size: int, room: int, rows: int, least: int) -> int:
    """How many elements stand in a row."""
    if len(shape) != 1:
        return max(1, shape[-1] if shape else 1)
    for count in (BANKS, BANKS // 2, BANKS // 4):
        if room // count >= least and -(-size // count) <= rows:
            return max(1, min(count, size))
    return max(1, min(BANKS, size))


def _spot(stand: Stand, memory: Memory) -> int:
    """The place of the element that is to be in sight."""
    at = element_of(stand) or None
    touched = [offset(place, memory.values.shape) for place in marks(stand)]
    found = offset(at, memory.values.shape) if at is not None else min(touched, default=0)
    return max(0, min(found, memory.values.size - 1))


def marks(stand: Stand) -> dict[tuple[int, ...], str]:
    """The elements of the array that the step reads or writes, with a sign for each; and that of the fault."""
    found: dict[tuple[int, ...], str] = {}
    for event in stand.events.values():
        for access in event.accesses:
            if stand.walk.home(access.array) == stand.array and access.space != "local":
                sign = WRITTEN if access.write else READ
                other = found.get(access.index, sign)
                found[access.index] = sign if other == sign else BOTH
    fault = stand.fault
    if fault is not None and stand.walk.home(fault.array) == stand.array and fault.index:
        found[fault.index] = WRONG
    return found


def memory_lines(
    stand: Stand, width: int, height: int, *, colour: bool = True, alone: bool = False
) -> list[Line]:
    """The lines of the pane: a ruler, rows of the array, its element in words; below it the next arrays, if they fit.

    alone: without the next arrays.
    """
    memory = stand.memory
    if memory is None:
        return [(span("this kernel uses no arrays", Kind.FAINT),)]
    if not memory.values.size:
        return [(span("empty: no elements", Kind.FAINT),)]
    shown = plan(stand, width, height - 2)
    found = [(span(ruler(shown), Kind.FAINT),), *_rows(stand, shown, colour=colour)]
    names = stand.walk.arrays
    behind = [] if alone else [*names[names.index(stand.array) + 1 :]]
    used = shown.gutter + shown.shown * shown.cell
    while behind and used < width // 2:  # as many of the next ones beside it as fit
        beside_it = _whole(stand, behind[0], width - used - GAP, shown.height, colour=colour)
        if not beside_it:
            break
        for k, line in enumerate(beside_it):
            found[k] = (*found[k], span(" " * (used + GAP - width_of(found[k]))), *line)
        used += GAP + max(map(width_of, beside_it))
        behind.pop(0)
    said = element_line(stand, element_of(stand), width)
    found.append(clip(_part(said, shown, width), width))
    while behind:
        below = _whole(
            stand, behind.pop(0), width, min(SHARE, height - len(found) - 1), colour=colour
        )
        if not below:
            break
        found += below
    return found


def _whole(stand: Stand, name: str, width: int, rows: int, *, colour: bool) -> list[Line]:
    """Another array below its title; empty where it does not fit as a whole."""
    part = replace(stand, array=name, element=NOWHERE)
    memory = part.memory
    if memory is None or not memory.values.size or rows < 1 or width < NUMBER:
        return []
    shown = plan(part, width, rows)
    if shown.height < shown.rows or shown.shown < shown.across:
        return []
    return [clip((span(title(part), Kind.OP),), width), *_rows(part, shown, colour=colour)]


def _rows(stand: Stand, shown: Plan, *, colour: bool) -> Iterator[Line]:
    """The rows of the array that are in sight."""
    memory = stand.memory
    assert memory is not None
    limits = limits_of(known_values(memory))
    signs = {offset(place, memory.values.shape): sign for place, sign in marks(stand).items()}
    chosen = element_of(stand)
    at = offset(chosen, memory.values.shape) if chosen else -1
    for row in range(shown.first, shown.first + shown.height):
        line: list[Span] = [span(_label(memory, row, shown), Kind.FAINT)]
        start = row * shown.across + shown.left
        for place in range(start, min(start + shown.shown, memory.values.size)):
            line.extend(_cell(memory, place, shown, limits, signs, place == at, colour=colour))
        yield tuple(line)


def _part(said: Line, shown: Plan, width: int) -> Line:
    """Behind what is said: which rows are shown, where not all are, and there is room to say so."""
    if shown.height == shown.rows and shown.shown == shown.across:
        return said
    rows = f"  rows {shown.first}–{shown.first + shown.height - 1} of {shown.rows}"
    columns = f", columns {shown.left}–{shown.left + shown.shown - 1} of {shown.across}"
    part = rows + columns * (shown.shown < shown.across)
    return (*said, span(part, Kind.FAINT)) if width_of(said) + len(part) <= width else said


def _cell(
    memory: Memory,
    place: int,
    shown: Plan,
    limits: Limits,
    signs: dict[int, str],
    chosen: bool,
    *,
    colour: bool,
) -> tuple[Span, ...]:
    index = np.unravel_index(place, memory.values.shape)
    known = memory.known(tuple(int(i) for i in index))
    sign = signs.get(place, "")
    if not known:
        text = f"{sign or ' '}{'·'.rjust(shown.cell - 1)}" if shown.cell > 1 else sign or "·"
        if chosen and shown.written:
            text = f"[{sign or '·'}]".rjust(shown.cell)
        return (Span(text, Ink(Kind.KEY if sign or chosen else Kind.FAINT)),)
    value = memory.values[index]
    return cell(value, shown.cell, limits, sign=sign, chosen=chosen, colour=colour)


def known_values(memory: Memory) -> Any:
    """The numbers of an array that there are."""
    return memory.values[memory.writer != NOBODY] if memory.space == "shared" else memory.values


def ruler(shown: Plan) -> str:
    """The numbers of the columns, each above the last character of its cells; as many as there is room for."""
    longest = len(str(shown.across - 1))
    every = next(k for k in (1, 2, 5, 10, 20, 50, 100, 1000) if k * shown.cell > longest)
    text = ""
    for column in range(shown.left, min(shown.across, shown.left + shown.shown)):
        end = (column - shown.left + 1) * shown.cell
        label = str(column)
        if column % every == 0 and len(text) + len(label) <= end:
            text += label.rjust(end - len(text))
    return " " * shown.gutter + text


def _label(memory: Memory, row: int, shown: Plan) -> str:
    shape = memory.values.shape
    if len(shape) < 2:
        text = str(row * shown.across)
    else:
        text = ",".join(str(int(i)) for i in np.unravel_index(row, shape[:-1]))
    return text.rjust(shown.gutter - 1) + " "


def element_line(stand: Stand, at: tuple[int, ...] | None, width: int = 1000) -> Line:
    """The element that is looked at: its number, and which thread wrote it, when; in few words where room is short."""
    memory = stand.memory
    if memory is None or at is None:
        signs = ("→ read by this step   ← written   · not written yet", "→ read  ← written", "")
        return (span(next(text for text in signs if len(text) <= width), Kind.FAINT),)
    name = span(f"{memory.name}{index_text(at)}", Kind.NAME)
    thread = int(memory.writer[at])
    if not memory.known(at):
        return name, span("  nobody has written it yet", Kind.FAINT)
    value = span(f" = {number(plain(memory.values[at]), 6)}", Kind.VALUE)
    if thread == NOBODY:
        return name, value, span("  as before the launch", Kind.FAINT)
    step = int(memory.when[at])
    line = stand.walk.steps[step - 1].line
    place = f" (warp {thread // WARP}, lane {thread % WARP})"
    sides = "", place
    said = [
        f"  written by thread {thread}{side} at line {line}, step {step}" for side in sides[::-1]
    ]
    said.append(f"  ← thread {thread}, line {line}")
    used = width_of((name, value))
    fitting = next((text for text in said if used + len(text) <= width), said[-1])
    return name, value, span(fitting, Kind.FAINT)


def place_at(stand: Stand, width: int, height: int, x: int, y: int) -> tuple[int, ...] | None:
    """The element that is drawn at a place of the pane."""
    memory = stand.memory
    if memory is None or not memory.values.size:
        return None
    shown = plan(stand, width, height - 2)
    row, column = shown.first + y - 1, (x - shown.gutter) // shown.cell
    if not (0 <= y - 1 < shown.height and 0 <= column < shown.shown):
        return None
    place = row * shown.across + shown.left + column
    if place >= memory.values.size:
        return None
    return tuple(int(i) for i in np.unravel_index(place, memory.values.shape))


def title(stand: Stand, width: int = 1000) -> str:
    """Which array it is, its shape and scale; where there is no room for all that, its name and shape."""
    memory = stand.memory
    if memory is None:
        return "memory"
    where = "shared memory" if memory.space == "shared" else "argument"
    shape = ",".join(map(str, memory.values.shape))
    scale = limits_of(known_values(memory)).text if np.size(known_values(memory)) else ""
    same = [name for name, first in stand.walk.same.items() if first == memory.name]
    name = " = ".join((memory.name, *same))
    said = f"{where} {name} {memory.values.dtype}[{shape}] {scale}".rstrip()
    brief = (
        f"{where.partition(' ')[0]} {name} {memory.values.dtype}[{shape}]",
        f"{where.partition(' ')[0]} {name}",
    )
    return next((text for text in (said, *brief) if len(text) <= width - 4), brief[-1])


def names_text(stand: Stand) -> str:
    """All arrays, that which is shown in angles."""
    return " ".join(f"‹{name}›" if name == stand.array else name for name in stand.walk.arrays)


def beside(stand: Stand, width: int, height: int, down: int, right: int) -> tuple[int, ...] | None:
    """The element so many rows and columns from that which is looked at; None beyond the edges."""
    memory = stand.memory
    if memory is None or not memory.values.size:
        return None
    across = plan(stand, width, height - 2).across
    here = element_of(stand)
    place = 0 if here is None else offset(here, memory.values.shape) + down * across + right
    if not 0 <= place < memory.values.size:
        return None
    return tuple(int(i) for i in np.unravel_index(place, memory.values.shape))


def wanted_lines(walk: Walk, width: int, *, every: bool = False) -> int:
    """So many lines show all shared arrays, without any the first argument; or every array."""
    across = BANKS // (1 if width >= NUMBER * BANKS else 2)
    arrays = [each for each in walk.moment(0).memory.values() if each.values.size]
    shared = [each for each in arrays if each.space == "shared"]
    found = arrays if every else shared or arrays[:1]
    rows = [each.values.size // _row_length(each, across) for each in found]
    return sum(max(1, each) + 1 for each in rows) + 1


def _row_length(memory: Memory, across: int) -> int:
    shape = memory.values.shape
    return max(1, shape[-1] if len(shape) > 1 else across)
