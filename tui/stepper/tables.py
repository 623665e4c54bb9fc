"""How an array is laid out in a pane: rows and columns, the width of a cell, what is in sight; where an element is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tui.stepper.cells import BOTH, LONGEST, NUMBER, READ, WIDEST, WRITTEN, WRONG
from tui.stepper.moments import NOBODY, Memory
from tui.stepper.stand import Stand, element_of
from tui.stepper.traffic import offset
from tui.stepper.walk import Walk

FEW = 4
"""With room for so many rows numbers are better than colours, though not all rows are in sight."""
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


def label(memory: Memory, row: int, shown: Plan) -> str:
    """What stands before a row: the indices that its elements share."""
    shape = memory.values.shape
    if len(shape) < 2:
        text = str(row * shown.across)
    else:
        text = ",".join(str(int(i)) for i in np.unravel_index(row, shape[:-1]))
    return text.rjust(shown.gutter - 1) + " "


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
