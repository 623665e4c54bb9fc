"""How the lines and columns of a terminal are shared out among the panes of the stepper."""

from __future__ import annotations

from typing import NamedTuple

from tui.stepper import registers
from tui.stepper.stand import Stand, at_fault_now, begin
from tui.stepper.tables import wanted_lines

WARPS = 4
"""So many warps have a row in the timeline, where there is room."""
WIDE, TALL = 100, 30
"""From this many columns and rows on, every pane has its place of its own."""
LOW = 20
"""With fewer rows every line counts."""
WORDS = 50, 84
"""The least and the most columns of what is said of a step, where it stands beside the source."""
LEAST_SOURCE = 9
"""The source has so many lines at least, its frame included."""


class Shares(NamedTuple):
    """The height of the timeline, and the columns and rows of the four panes, as Textual's grid takes them."""

    timeline: int
    columns: str
    rows: str


def shares(stand: Stand, width: int, height: int) -> Shares:
    """What every pane gets: as much as this kernel needs of it, and the fault its own lines."""
    walk, low = stand.walk, height < LOW
    over_time = min(walk.warps, WARPS if height >= TALL else 1) + (not low)
    faulty = at_fault_now(stand)
    if width < WIDE:
        columns = "41 1fr" if width < 90 else "1fr 1fr"
        said = (4 if low else 6) if faulty else (2 if low else 4)
        below = (4 if faulty else 5) if low else (height - over_time - said - 2) // 2
        return Shares(over_time, columns, f"1fr {said} {below}")
    columns = f"1fr {min(WORDS[1], max(WORDS[0], width * 2 // 5))}"
    room = height - over_time - 2
    whole = len(walk.listed) + 2
    spare = room - min(max(whole, LEAST_SOURCE), max(LEAST_SOURCE, room * 2 // 5))
    same = len(registers.uniform_lines(begin(walk), width - 2))
    variables = len(walk.varying) + same + registers.HEAD + 2
    arrays = wanted_lines(walk, width - 2) + 2
    first = min(variables, (spare + 1) // 2)
    second = min(arrays, spare - first)
    first = min(variables, spare - second)
    second = max(second, min(room - whole - first, wanted_lines(walk, width - 2, every=True) + 2))
    return Shares(over_time, columns, f"1fr {first} {second}")
