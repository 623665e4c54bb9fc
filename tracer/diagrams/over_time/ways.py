"""Where the cycles of a rolled network run around its pane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tracer.diagrams.over_time.rolling import Roll
from tracer.diagrams.over_time.sheet import BAND, MARGIN, Sheet

APART = 15.0
"""Points between two lines that run down or up beside a pane."""
BELOW = 38.0
"""Points between two lines that run below a pane; a delay stands on each."""
DROP = 24.0
"""Points from the foot of a pane to the first of them."""
ENTRY = 30.0
"""Points from what comes back to the pane, and from the pane to where the line turns down, if not more is needed."""
START = 44.0
"""Points of the line from what a state was ahead of the first step; the step stands above."""


@dataclass(frozen=True)
class Way:
    """Where the line of one return runs."""

    number: int
    height: float
    """The y of the value that goes out."""
    entry: float
    """The y of the value that comes back."""
    out: float
    """The x of the line down from the value."""
    back: float
    """The x of the line up to what comes back."""
    low: float
    """The y of the line below the pane."""
    input: float
    """The x of what comes back."""
    start: float
    """The x of what stands there ahead of the first step."""
    width: float
    """How wide what comes back is drawn."""
    beside: float
    """Points between the pane and the nearest part of the cycle: a contribution stands on the line there."""

    def moved(self, x: float) -> Way:
        """The same beside a pane whose left side stands at x."""
        return replace(
            self,
            out=self.out + x,
            back=self.back + x,
            input=self.input + x,
            start=self.start + x,
        )


@dataclass(frozen=True)
class Margins:
    """Points that a loop needs left and right of its pane."""

    left: float
    right: float


def ways_of(
    roll: Roll,
    sheet: Sheet,
    loop: int,
    widths: Mapping[int, float],
    starting: Mapping[int, float],
    room: float,
) -> tuple[list[Way], Margins]:
    """The lines of a loop's returns around its pane, those of upper values outside, as if the pane stood at 0.

    widths: for each return how wide what comes back is. starting: how wide what stands there first is. room:
    that of the widest contribution.
    """
    grid = roll.grids[loop]
    beside = max(ENTRY, room)
    mine = [k for k, each in enumerate(roll.returns) if each.row in grid.rows]
    width = sheet.plans[loop].width
    place = {k: grid.leaves.get(roll.input_number(k)) for k in mine}
    heights = {k: -grid.rows[roll.returns[k].row].value[1] * BAND for k in mine}
    entries = {k: heights[k] if cell is None else -cell[1] * BAND for k, cell in place.items()}
    mine.sort(key=lambda k: (entries[k], -k))
    sides = {k: 1 if grid.rows[roll.returns[k].row].backwards else -1 for k in mine}
    ways = []
    reach = {-1: 0.0, 1: 0.0}  # beside the pane, to the left and to the right
    for k, side in sides.items():
        if place[k] is None:
            reach[side] = max(reach[side], beside + widths[k] + MARGIN)
        reach[-side] = max(reach[-side], beside)
    for rank, (k, side) in enumerate(sides.items()):
        ends = {
            -1: -reach[-1] - APART * rank,
            1: width + reach[1] + APART * rank,
        }
        cell = place[k]
        edge = 0.0 if side < 0 else width
        inward = edge + side * (beside + widths[k] / 2)
        if cell is not None:
            inward = sheet.plans[loop].middles[cell[0]]
        outer = edge + side * (reach[side] + APART * (len(mine) - 1) + START)
        ways.append(
            Way(
                k,
                heights[k],
                entries[k],
                ends[-side],
                ends[side],
                sheet.foot - DROP - BELOW * rank,
                inward,
                outer + side * starting.get(k, 0.0) / 2,
                widths[k],
                beside,
            )
        )
    spread = APART * max(len(mine) - 1, 0)
    free = {side: reach[side] + spread if mine else 0.0 for side in reach}
    for k, side in sides.items():
        if k in starting:
            free[side] = max(free[side], reach[side] + spread + START + starting[k])
    return ways, Margins(free[-1], free[1])
