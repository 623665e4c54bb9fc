"""The unrolled style: one pane per time step from left to right, shared weights once above, the loss to the right.

All positions are our own, so that a hundred steps need no more layout than four; Graphviz (`neato -n2`) only draws.
"""

from __future__ import annotations

from dataclasses import replace

from tracer.diagrams.frames import Part
from tracer.diagrams.grid import Cell, Grid, grid_of, needs_lane
from tracer.diagrams.moments import Moment
from tracer.diagrams.names import plain
from tracer.diagrams.outcome import outcome
from tracer.diagrams.picture import Edge, Gate, Joint, Pane, Picture, Run, Shape, Side, Wire
from tracer.diagrams.rails import rails
from tracer.diagrams.sheet import (
    BAND,
    GAP,
    Scene,
    block_gate,
    shape_width,
    sheet_of,
    value_wire,
)
from tracer.diagrams.timesteps import Block, TimeAxis, time_axis


def unrolled(part: Part, moment: Moment) -> Picture:
    """The picture of a network over time; every shape has its place."""
    axis = time_axis(part)
    grid = grid_of(axis)
    drawn = _cells(moment, axis, grid)
    blocks = {block.root: block for block in axis.blocks}
    scene = Scene(part, moment, axis, grid, sheet_of(grid, drawn), blocks)
    shapes: list[Shape] = _panes(scene)
    shapes += [replace(shape, at=scene.sheet.at(time, cell)) for shape, time, cell in drawn]
    shapes += _start_wires(scene)
    edges: list[Edge] = []
    for block in axis.blocks:
        if block.time < axis.after:
            joints, lines = _wiring(scene, block)
            shapes += joints
            edges += lines
    end = outcome(scene)
    gates = {shape.key: shape.at for shape in (*shapes, *end.shapes) if isinstance(shape, Gate)}
    above = rails(scene, gates)
    return Picture(
        (*shapes, *end.shapes, *above.shapes),
        (*edges, *end.edges, *above.edges),
        caption=moment.caption({moment.read(i).state for i in part.nodes}),
        placed=True,
    )


def _cells(moment: Moment, axis: TimeAxis, grid: Grid) -> list[tuple[Gate | Wire, int, Cell]]:
    """Every gate, value and leaf of the steps, with its step and cell."""
    drawn: list[tuple[Gate | Wire, int, Cell]] = []
    for block in axis.blocks:
        if block.time < axis.after:
            row = grid.rows[block.row]
            drawn.append((block_gate(moment, block), block.time, row.gate))
            drawn.append((value_wire(moment, axis, block.root, block.time), block.time, row.value))
    for leaf, cell in grid.leaves.items():
        time = axis.given[leaf]
        drawn.append((value_wire(moment, axis, leaf, time), time, cell))
    return drawn


def _panes(scene: Scene) -> list[Shape]:
    sheet = scene.sheet
    top, bottom = sheet.ceiling, -(sheet.bands - 1) * BAND - BAND * 0.75
    return [
        Pane(
            f"p{time}",
            (Run(plain(label, longest=24), "quiet", 11),),
            (sheet.width, top - bottom),
            (sheet.left(time) + sheet.width / 2, (top + bottom) / 2),
        )
        for time, label in enumerate(scene.axis.labels)
    ]


def _start_wires(scene: Scene) -> list[Shape]:
    """What each state was ahead of the first step, left of the first pane."""
    shapes: list[Shape] = []
    for node, key in scene.grid.starts.items():
        wire = value_wire(scene.moment, scene.axis, node, -1)
        y = -scene.grid.rows[key].gate[1] * BAND
        shapes.append(replace(wire, at=(-GAP - shape_width(wire) / 2, y)))
    return shapes


def _wiring(scene: Scene, block: Block) -> tuple[list[Shape], list[Edge]]:
    """The line from a gate to its value, and a line into the gate from each value it reads."""
    root = block.root
    gate, row = f"g{root}", scene.grid.rows[block.row]
    sides: tuple[Side, Side] = ("e", "w") if row.lies else ("s", "n")
    shapes: list[Shape] = []
    edges = [scene.line(root, gate, f"n{root}", *sides, arrow=False)]
    for source, moving in sources(scene, block).items():
        origin = scene.blocks.get(source)
        if origin is not None and needs_lane(scene.grid, origin, block):
            joints, lines = _detour(scene, origin, block, moving)
            shapes += joints
            edges += lines
        else:
            tail_side, head_side = _sides(scene, source, block)
            edges.append(scene.line(root, f"n{source}", gate, tail_side, head_side, moving=moving))
    return shapes, edges


def sources(scene: Scene, block: Block) -> dict[int, bool]:
    """The values that a block reads, but for shared ones, and whether the current step sends a flow to them."""
    trace, found = scene.moment.trace, dict[int, bool]()
    for slot in block.slots:
        if slot.source not in scene.axis.shared:
            consumer, argument = (
                int(trace.edge_consumer[slot.edge]),
                int(trace.edge_argument[slot.edge]),
            )
            found[slot.source] = found.get(slot.source, False) or scene.moment.sending(
                consumer, argument
            )
    return found


def _sides(scene: Scene, source: int, block: Block) -> tuple[Side, Side]:
    """Where a straight line leaves a value and enters a gate."""
    grid = scene.grid
    gate = grid.rows[block.row].gate
    origin = scene.blocks.get(source)
    cell = grid.leaves.get(source)
    if origin is not None and origin.time == block.time:
        cell = grid.rows[origin.row].value
    if (
        cell is not None
        and cell[0] == gate[0]
        and scene.axis.given.get(source, block.time) == block.time
    ):
        return ("n", "s") if cell[1] > gate[1] else ("s", "n")
    level = cell if cell is not None else (0, _band(scene, source, gate[1]))
    return "e", "w" if level[1] == gate[1] else ""


def _band(scene: Scene, source: int, default: int) -> int:
    """The band on which a value from another step, or from ahead of the first, comes in."""
    origin = scene.blocks.get(source)
    key = origin.row if origin is not None else scene.grid.starts.get(source)
    return default if key is None else scene.grid.rows[key].value[1]


def _detour(
    scene: Scene, origin: Block, block: Block, moving: bool
) -> tuple[list[Shape], list[Edge]]:
    """A line that runs down beside its column, past what stands between a value and the gate that reads it."""
    value, gate = scene.grid.rows[origin.row].value, scene.grid.rows[block.row].gate
    x = scene.sheet.lane(block.time, gate[0], scene.grid.lanes[gate[0], origin.row])
    upper, lower = f"d{origin.root}x{block.root}", f"e{origin.root}x{block.root}"
    shapes: list[Shape] = [
        Joint(upper, at=(x, -value[1] * BAND)),
        Joint(lower, dot=False, at=(x, -gate[1] * BAND)),
    ]
    return shapes, [
        scene.line(block.root, f"n{origin.root}", upper, "e", arrow=False, moving=moving),
        scene.line(block.root, upper, lower, arrow=False, moving=moving),
        scene.line(block.root, lower, f"g{block.root}", "", "e", moving=moving),
    ]
