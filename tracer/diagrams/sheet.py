"""The sheet on which a network over time is drawn: points for the cells of every step, and the shapes at them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tracer.diagrams.frames import Part
from tracer.diagrams.gates import gate_text
from tracer.diagrams.grid import Cell, Grid
from tracer.diagrams.measure import room_for, text_width
from tracer.diagrams.moments import Moment
from tracer.diagrams.names import indexed_name
from tracer.diagrams.picture import Edge, Gate, Point, Role, Run, Side, Wire
from tracer.diagrams.timesteps import Block, TimeAxis

BAND = 60.0
"""Points from one band to the next."""
LANE = 10.0
PAD = 17.0
GAP = 26.0
"""Points between two panes."""


@dataclass(frozen=True)
class Sheet:
    """Where columns and bands lie, in points; y grows upwards, and the middle of band 0 is at 0."""

    bands: int
    middles: Mapping[int, float]
    """Column to the distance of its middle from the left side of the pane."""
    rights: Mapping[int, float]
    """Column to the distance of its right side."""
    width: float
    """Of one pane."""

    @property
    def ceiling(self) -> float:
        """The top of the panes."""
        return BAND * 0.55

    @property
    def floor(self) -> float:
        """The y of the line that runs below all panes."""
        return -self.bands * BAND - 22

    def left(self, time: int) -> float:
        """The left side of a pane."""
        return time * (self.width + GAP)

    def at(self, time: int, cell: Cell) -> Point:
        """The middle of a cell."""
        return self.left(time) + self.middles[cell[0]], -cell[1] * BAND

    def lane(self, time: int, column: int, number: int) -> float:
        """The x of a lane beside a column."""
        return self.left(time) + self.rights[column] - LANE * (number + 0.7)


@dataclass(frozen=True)
class Scene:
    """What the drawing functions share."""

    part: Part
    moment: Moment
    axis: TimeAxis
    grid: Grid
    sheet: Sheet
    blocks: Mapping[int, Block]
    """Root to block."""

    def line(
        self,
        root: int,
        tail: str,
        head: str,
        tail_side: Side = "",
        head_side: Side = "",
        *,
        arrow: bool = True,
        moving: bool = False,
    ) -> Edge:
        """A line that belongs to the block of `root`: dashed while that lies ahead, red while a flow runs along it."""
        ahead = not self.moment.has_run(root)
        role: Role = "gradient" if moving else "ahead" if ahead else "wire"
        return Edge(tail, head, tail_side, head_side, arrow, role, dashed=ahead, heavy=moving)


def sheet_of(grid: Grid, drawn: Sequence[tuple[Gate | Wire, int, Cell]]) -> Sheet:
    """Columns as wide as their widest shape, and beside each its lanes."""
    widest: dict[int, float] = defaultdict(lambda: 34.0)
    for shape, _, cell in drawn:
        widest[cell[0]] = max(widest[cell[0]], shape_width(shape))
    lanes: dict[int, int] = defaultdict(int)
    for column, _ in grid.lanes:
        lanes[column] += 1
    middles: dict[int, float] = {}
    rights: dict[int, float] = {}
    x = 0.0
    for column in grid.columns:
        room = widest[column] + 2 * PAD
        middles[column] = x + room / 2
        x += room + LANE * lanes[column]
        rights[column] = x
    return Sheet(grid.bands, middles, rights, x)


def shape_width(shape: Gate | Wire) -> float:
    """How wide a gate or a wire is drawn, in points."""
    if isinstance(shape, Wire):
        return shape.width + 6
    wide = text_width(shape.symbol)
    return 34 if wide <= 30 else wide + 14


def block_gate(moment: Moment, block: Block) -> Gate:
    """The gate of a block: the symbol of its last operation, or Σ where it only adds."""
    trace = moment.trace
    names = {trace[i].op_name for i in block.members}
    summing = names == {"add"} and len(block.members) > 1
    return Gate(
        f"g{block.root}",
        (Run("Σ", size=18),) if summing else gate_text(trace, block.root),
        tip=", ".join(trace[i].op_name for i in sorted(block.members)[:20]),
        ahead=not moment.has_run(block.root),
        current=any(moment.current(i) for i in block.members),
    )


def value_wire(moment: Moment, axis: TimeAxis, i: int, time: int) -> Wire:
    """The value of a node with its gradient; the name bears the step where it repeats."""
    node = moment.trace[i]
    index = axis.indices[time] if 0 <= time < axis.after and node.label != node.name else ""
    name = indexed_name(node.name, index, role=moment.name_role(i)) if node.name else ()
    reading, final = moment.read(i), moment.fullest(i)
    top = (*name, Run("  "), *final.value) if name else final.value
    return Wire(
        f"n{i}",
        reading.value,
        reading.gradient,
        name,
        width=room_for(top, final.gradient, least=34),
        tip=moment.tip(i, reading),
        role="wire" if moment.has_run(i) else "ahead",
    )
