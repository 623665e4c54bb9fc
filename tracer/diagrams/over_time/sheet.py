"""The sheet on which a network over time is drawn: points for the cells of every step, and the shapes at them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from tracer.diagrams.frames import Part
from tracer.diagrams.moments import Moment
from tracer.diagrams.over_time.folded import Fold
from tracer.diagrams.over_time.grid import Cell, Grid, Place, Side
from tracer.diagrams.over_time.naming import OverTime
from tracer.diagrams.over_time.step_shapes import GATE, is_branching, shape_width
from tracer.diagrams.over_time.timesteps import Block, RowKey, TimeAxis
from tracer.diagrams.picture import Gate, Point, Wire

BAND = 56.0
"""Points from one band to the next."""
LANE = 9.0
MARGIN = 6.0
"""Points kept free on both sides of a column."""
PAD = 7.0
"""Points between the columns of a pane and its sides."""
GAP = 10.0
"""Points between two panes."""
FOLD_WIDTH = 178.0
BELOW = 45.0
"""Points from the middle of the lowest band to the foot of a pane, where its name stands."""

Carrier: TypeAlias = int | tuple[int, RowKey]
"""A value, or all of a row that leave a pane of folded steps."""


@dataclass(frozen=True)
class Plan:
    """Where the columns of a pane lie; distances are from its left side."""

    middles: Mapping[int, float]
    lanes: Mapping[tuple[int, str], float]
    """Column and side of its lanes to the first of them."""
    width: float


@dataclass(frozen=True)
class Sheet:
    """Where columns and bands lie, in points; y grows upwards, and the middle of band 0 is at 0."""

    bands: int
    plans: Mapping[int, Plan]
    """Loop to the plan of its panes."""
    loops: tuple[int, ...]
    """For each step the loop that it belongs to."""
    lefts: tuple[float, ...]
    """For each step the left side of its pane; folded steps share theirs."""
    right: float
    """Where the last pane ends."""
    folds: tuple[Fold, ...]

    @property
    def ceiling(self) -> float:
        """The top of the panes."""
        return 29.0

    @property
    def foot(self) -> float:
        """The lower side of the panes."""
        return -(self.bands - 1) * BAND - BELOW

    @property
    def floor(self) -> float:
        """The y of the first line that runs below all panes."""
        return self.foot - 22

    def left(self, time: int) -> float:
        """The left side of a pane; for the step after the last, where what follows begins."""
        return self.lefts[time] if time < len(self.lefts) else self.right + GAP

    def carrier(self, block: Block) -> Carrier:
        """From where lines of a block's value leave: the values of folded steps share the side of their pane."""
        fold = self.fold_of(block.time)
        return block.root if fold is None else (fold.times[0], block.row)

    def pane(self, time: int) -> int:
        """The number of a step's pane from the left; folded steps share theirs."""
        hidden = sum(min(max(time - fold.times[0], 0), len(fold) - 1) for fold in self.folds)
        return time - hidden

    def width(self, time: int) -> float:
        """How wide the pane of a step is."""
        return FOLD_WIDTH if self.fold_of(time) else self.plans[self.loops[time]].width

    def fold_of(self, time: int) -> Fold | None:
        """The fold in which a step is hidden, None for a step that has a pane of its own."""
        return next((fold for fold in self.folds if time in fold.times), None)

    def at(self, time: int, cell: Cell) -> Point:
        """The middle of a cell."""
        return self.lefts[time] + self.plans[self.loops[time]].middles[cell[0]], -cell[1] * BAND

    def lane(self, time: int, column: int, place: Place) -> float:
        """The x of a lane beside a column."""
        side, number = place
        return self.lefts[time] + self.plans[self.loops[time]].lanes[column, side] + LANE * number


@dataclass(frozen=True)
class Scene:
    """What the drawing functions share."""

    part: Part
    moment: Moment
    over: OverTime
    sheet: Sheet
    tracks: Mapping[Carrier, float]
    """Values that are carried over panes, and the heights of their lines."""

    @cached_property
    def shared(self) -> frozenset[int]:
        """The nodes that stand above the steps."""
        return frozenset(self.axis.shared)

    @property
    def axis(self) -> TimeAxis:
        """The time axis."""
        return self.over.axis

    @property
    def grids(self) -> Mapping[int, Grid]:
        """Loop to its grid."""
        return self.over.grids

    @property
    def blocks(self) -> Mapping[int, Block]:
        """Root to block."""
        return self.over.blocks

    @cached_property
    def uses_in_folds(self) -> Mapping[int, Mapping[int, list[int]]]:
        """For the first step of each fold, the edges by which its steps read each shared node."""
        found: dict[int, dict[int, list[int]]] = {fold.times[0]: {} for fold in self.sheet.folds}
        for block in self.axis.blocks:
            fold = self.sheet.fold_of(block.time)
            for slot in block.slots if fold is not None else ():
                if fold is not None and slot.source in self.shared:
                    found[fold.times[0]].setdefault(slot.source, []).append(slot.edge)
        return found

    def is_branching(self, node: int) -> bool:
        """Whether several flows come back to a node."""
        return is_branching(self.moment, self.over.real(node))

    @property
    def roof(self) -> float:
        """The top of the panes with the lines above them."""
        return max([self.sheet.ceiling, *self.tracks.values()])

    def tail_of(self, node: int) -> str:
        """The key of the shape from which a line of a node's value leaves: its wire, or the end of a fold."""
        block = self.blocks.get(node)
        fold = self.sheet.fold_of(block.time) if block is not None else None
        return (
            self.over.key(node)
            if fold is None or block is None
            else f"x{fold.times[0]}{key_of(block.row)}"
        )

    def grid(self, block: Block) -> Grid:
        """The grid of the loop that a block within a step belongs to."""
        return self.grids[block.row[0]]

    def shown(self, block: Block) -> bool:
        """Whether a block stands in a pane of its own step."""
        return block.time < self.axis.after and self.sheet.fold_of(block.time) is None


def key_of(row: RowKey) -> str:
    """A row as a part of a key, whatever its name.

    >>> key_of((0, "h", 1)), key_of((0, "<", 0))
    ('0x1xh', '0x0xu60')
    """
    letters = (c if c.isalnum() and c.isascii() else f"u{ord(c)}" for c in row[1])
    return f"{max(row[0], 0)}x{row[2]}x{''.join(letters)}"


def sheet_of(
    axis: TimeAxis,
    grids: Mapping[int, Grid],
    drawn: Sequence[tuple[Gate | Wire, int, Cell]],
    folds: tuple[Fold, ...],
    carried: Mapping[tuple[int, Side], float],
) -> Sheet:
    """Columns as wide as their widest shape, and beside each its lanes.

    `carried` is the room for what stands on the line that carries a state into a pane of a loop from the left, from
    the right in a loop that runs backwards, and for what stands on the branches of trunks.
    """
    widest: dict[tuple[int, int], float] = defaultdict(lambda: GATE)
    for shape, time, cell in drawn:
        key = (axis.loops[time], cell[0])
        widest[key] = max(widest[key], shape_width(shape))
    plans = {number: _plan(grid, number, widest, carried) for number, grid in grids.items()}
    lefts: list[float] = []
    x = 0.0
    hidden = {time: fold for fold in folds for time in fold.times}
    for time, loop in enumerate(axis.loops):
        fold = hidden.get(time)
        lefts.append(x)
        if fold is None or time == fold.times[-1]:
            x += (plans[loop].width if fold is None else FOLD_WIDTH) + GAP
    bands = max((grid.bands for grid in grids.values()), default=1)
    return Sheet(bands, plans, axis.loops, tuple(lefts), x - GAP, folds)


def _free(width: float) -> float:
    """The points between the side of a pane and a gate in its outermost column."""
    return PAD + MARGIN + (width - GATE) / 2


def _plan(
    grid: Grid,
    number: int,
    widest: Mapping[tuple[int, int], float],
    carried: Mapping[tuple[int, Side], float],
) -> Plan:
    many = Counter((column, side) for (column, _), (side, _) in grid.lanes.items())
    middles: dict[int, float] = {}
    lanes: dict[tuple[int, str], float] = {}
    first, last = grid.columns.start, grid.columns.stop - 1
    x = PAD + max(0.0, carried.get((number, "left"), 0.0) - _free(widest[number, first]))
    trail = max(0.0, carried.get((number, "right"), 0.0) - _free(widest[number, last]))
    stub = carried.get((number, "trunk"), 0.0)
    for column in grid.columns:
        lanes[column, "trunk"] = x + LANE * 0.6
        x += LANE * many[column, "trunk"] + (stub if many[column, "trunk"] else 0)
        lanes[column, "left"] = x + LANE * 0.6
        x += LANE * many[column, "left"]
        room = widest[number, column] + 2 * MARGIN
        middles[column] = x + room / 2
        x += room
        lanes[column, "right"] = x + LANE * 0.4
        x += LANE * many[column, "right"]
    return Plan(middles, lanes, x + PAD + trail)
