"""What follows the last time step: the values of all steps gathered below the panes, and what is made of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tracer.diagrams.picture import Edge, Joint, Shape, Side
from tracer.diagrams.sheet import BAND, GAP, Scene, block_gate, shape_width, value_wire
from tracer.diagrams.timesteps import Block, RowKey, buses

SOUTH: Side = "s"
ANY: Side = ""
BUS = 16.0
"""Points between two lines that run below the panes."""


@dataclass(frozen=True)
class Drawing:
    """Placed shapes, and the lines between them."""

    shapes: tuple[Shape, ...]
    edges: tuple[Edge, ...]


def outcome(scene: Scene) -> Drawing:
    """The gates and values after the last step, from left to right, and the lines that lead to them."""
    axis = scene.axis
    after = [block for block in axis.blocks if block.time == axis.after]
    gathered = buses(axis)
    heights = {row: scene.sheet.floor - BUS * k for k, row in enumerate(gathered)}
    shapes, edges, ends = _gather(scene, gathered, heights)
    levels = _levels(after)
    columns: dict[int, list[Block]] = defaultdict(list)
    for block in after:
        columns[levels[block.root]].append(block)
    spots: dict[int, float] = {}
    x = scene.sheet.left(len(axis.labels)) + 14
    for level in sorted(columns):
        placed, x = _column(scene, columns[level], x, heights, spots)
        shapes += placed
        for block in columns[level]:
            edges += _lines(scene, block, ends)
    return Drawing(tuple(shapes), tuple(edges))


def _levels(after: list[Block]) -> dict[int, int]:
    """How many blocks after the last step lie ahead of each."""
    levels: dict[int, int] = {}
    for block in after:
        levels[block.root] = 1 + max(
            (levels.get(slot.source, -1) for slot in block.slots), default=-1
        )
    return levels


def _gather(
    scene: Scene, gathered: Mapping[RowKey, tuple[Block, ...]], heights: Mapping[RowKey, float]
) -> tuple[list[Shape], list[Edge], dict[int, str]]:
    """A line below the panes for each row of values that is gathered; and for each such value the line's right end."""
    grid, sheet = scene.grid, scene.sheet
    shapes: list[Shape] = []
    edges: list[Edge] = []
    ends: dict[int, str] = {}
    for row, blocks in gathered.items():
        cell, last = grid.rows[row].value, ""
        number = grid.lanes.get((cell[0], row))
        for block in blocks:
            x, y = sheet.at(block.time, cell)
            tail, side = f"n{block.root}", SOUTH
            if number is not None:
                x, tail, side = sheet.lane(block.time, cell[0], number), f"k{block.root}", ANY
                shapes.append(Joint(tail, at=(x, y)))
                edges.append(scene.line(block.root, f"n{block.root}", tail, "e", arrow=False))
            joint = f"m{block.root}"
            shapes.append(Joint(joint, dot=bool(last), at=(x, heights[row])))
            edges.append(scene.line(block.root, tail, joint, side, arrow=False))
            if last:
                edges.append(scene.line(block.root, last, joint, arrow=False))
            last = joint
        ends |= {block.root: last for block in blocks}
    return shapes, edges, ends


def _column(
    scene: Scene,
    blocks: list[Block],
    x: float,
    heights: Mapping[RowKey, float],
    spots: dict[int, float],
) -> tuple[list[Shape], float]:
    """The gates of one level, their values to the right and leaves below; and where the next level begins."""
    gates = {block.root: block_gate(scene.moment, block) for block in blocks}
    wires = {b.root: value_wire(scene.moment, scene.axis, b.root, b.time) for b in blocks}
    given = {leaf: b for b in blocks for leaf in _leaves(scene, b) if leaf not in spots}
    leaves = {leaf: value_wire(scene.moment, scene.axis, leaf, b.time) for leaf, b in given.items()}
    wide = max([*map(shape_width, gates.values()), *map(shape_width, leaves.values())])
    middle = x + wide / 2
    right = middle + wide / 2 + GAP + max(map(shape_width, wires.values())) + GAP
    shapes: list[Shape] = []
    below = float("inf")
    for block in blocks:
        y = min(_height(scene, block, heights, spots), below)
        spots[block.root] = y
        shapes.append(replace(gates[block.root], at=(middle, y)))
        wire = wires[block.root]
        shapes.append(replace(wire, at=(middle + wide / 2 + GAP + shape_width(wire) / 2, y)))
        for leaf in (leaf for leaf, owner in given.items() if owner is block):
            y -= BAND
            spots[leaf] = y
            shapes.append(replace(leaves[leaf], at=(middle, y)))
        below = y - BAND
    return shapes, right


def _leaves(scene: Scene, block: Block) -> list[int]:
    """What only this part reads: a target, mostly."""
    found = [slot.source for slot in block.slots if scene.axis.given.get(slot.source) == block.time]
    return list(dict.fromkeys(found))


def _height(
    scene: Scene, block: Block, heights: Mapping[RowKey, float], spots: Mapping[int, float]
) -> float:
    """The y of a block: that of the first thing it reads."""
    for slot in block.slots:
        origin = scene.blocks.get(slot.source)
        if origin is None:
            continue
        if origin.root in spots:
            return spots[origin.root]
        if origin.row in heights:
            return heights[origin.row]
        return -scene.grid.rows[origin.row].value[1] * BAND
    return 0.0


def _lines(scene: Scene, block: Block, ends: Mapping[int, str]) -> list[Edge]:
    root, gate = block.root, f"g{block.root}"
    edges = [scene.line(root, gate, f"n{root}", "e", "w", arrow=False)]
    below = _leaves(scene, block)
    lines: dict[str, bool] = {}
    trace = scene.moment.trace
    for slot in block.slots:
        if slot.source in scene.axis.shared:
            continue
        moving = scene.moment.sending(
            int(trace.edge_consumer[slot.edge]), int(trace.edge_argument[slot.edge])
        )
        tail = ends.get(slot.source, f"n{slot.source}")
        lines[tail] = lines.get(tail, False) or moving
    for tail, moving in lines.items():
        if tail in {f"n{leaf}" for leaf in below}:
            edges.append(scene.line(root, tail, gate, "n", "s", moving=moving))
        else:
            side: Side = "" if tail in ends.values() else "e"
            edges.append(scene.line(root, tail, gate, side, moving=moving))
    return edges
