"""What follows the last time step: the values of all steps gathered below the panes, and what is made of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from tracer.diagrams.over_time.bridges import is_far, last_way, over, under
from tracer.diagrams.over_time.contributions import Branch, moving_along
from tracer.diagrams.over_time.lines import Lines
from tracer.diagrams.over_time.sheet import BAND, GAP, MARGIN, Scene, key_of
from tracer.diagrams.over_time.step_shapes import block_gate, put, shape_width, value_wire
from tracer.diagrams.over_time.timesteps import Block, RowKey, buses
from tracer.diagrams.picture import Edge, Joint, Shape, Side

BUS = 14.0
"""Points between two lines that run below the panes."""
AHEAD = 18.0
"""Points between a value and the gate to the right of it."""


@dataclass(frozen=True)
class Outcome:
    """The placed shapes after the last step, and from where their lines come."""

    shapes: tuple[Shape, ...]
    after: tuple[Block, ...]
    gathered: Mapping[RowKey, tuple[Block, ...]]
    heights: Mapping[RowKey, float]
    """The y of the line below the panes that gathers a row."""


def outcome(scene: Scene) -> Outcome:
    """The gates and values after the last step, from left to right, and the joints of the lines that gather."""
    axis = scene.axis
    after = [block for block in axis.blocks if block.time == axis.after]
    gathered = buses(axis)
    heights = {row: scene.sheet.floor - BUS * k for k, row in enumerate(gathered)}
    shapes: list[Shape] = []
    for row, blocks in gathered.items():
        for block, (x, y) in zip(blocks, _exits(scene, row, blocks), strict=True):
            if scene.shown(block):
                dot = block is not blocks[0]
                shapes.append(Joint(f"m{block.root}", dot=dot, at=(x, heights[row])))
                if y is not None:
                    shapes.append(Joint(f"k{block.root}", at=(x, y)))
        for fold in scene.sheet.folds:
            if any(block.time in fold.times for block in blocks):
                x = scene.sheet.left(fold.times[0]) + scene.sheet.width(fold.times[0]) / 2
                at = (x, heights[row])
                shapes.append(Joint(f"m{fold.times[0]}f{key_of(row)}", at=at))
    return Outcome(
        (*shapes, *_columns(scene, after, gathered, heights)), tuple(after), gathered, heights
    )


def _exits(
    scene: Scene, row: RowKey, blocks: tuple[Block, ...]
) -> list[tuple[float, float | None]]:
    """Where the line of each value goes down: below its wire, or by the lane beside it at the height of the wire."""
    exits: list[tuple[float, float | None]] = []
    for block in blocks:
        grid = scene.grid(block)
        cell = grid.rows[row].value
        number = grid.lanes.get((cell[0], row))
        x, y = scene.sheet.at(block.time, cell) if scene.shown(block) else (0.0, 0.0)
        if number is None or not scene.shown(block):
            exits.append((x, None))
        else:
            exits.append((scene.sheet.lane(block.time, cell[0], number), y))
    return exits


def _columns(
    scene: Scene,
    after: list[Block],
    gathered: Mapping[RowKey, tuple[Block, ...]],
    heights: Mapping[RowKey, float],
) -> list[Shape]:
    columns: dict[int, list[Block]] = defaultdict(list)
    levels: dict[int, int] = {}
    for block in after:
        level = 1 + max((levels.get(slot.source, -1) for slot in block.slots), default=-1)
        levels[block.root] = level
        columns[level].append(block)
    shapes: list[Shape] = []
    spots: dict[int, float] = {}
    below_all = all(
        scene.blocks[slot.source].row in heights
        for block in columns.get(0, ())
        for slot in block.slots
        if slot.source in scene.blocks
    )
    x = _begin(scene, gathered) if below_all and gathered else scene.sheet.left(scene.axis.after)
    for level in sorted(columns):
        placed, x = _column(scene, columns[level], x, heights, spots)
        shapes += placed
    return shapes


def _begin(scene: Scene, gathered: Mapping[RowKey, tuple[Block, ...]]) -> float:
    """Right of the last value that is gathered: what follows stands below the panes, not beside them."""
    xs = [x for row, blocks in gathered.items() for x, _ in _exits(scene, row, blocks)]
    return max(xs) + AHEAD


def _column(
    scene: Scene,
    blocks: list[Block],
    x: float,
    heights: Mapping[RowKey, float],
    spots: dict[int, float],
) -> tuple[list[Shape], float]:
    """The gates of one level, their values to the right and leaves below; and where the next level begins."""
    gates = {block.root: block_gate(scene.moment, scene.over, block) for block in blocks}
    wires = {b.root: value_wire(scene.moment, scene.over, b.root) for b in blocks}
    given = {leaf: b for b in blocks for leaf in _leaves(scene, b) if leaf not in spots}
    leaves = {leaf: value_wire(scene.moment, scene.over, leaf) for leaf in given}
    beside = {b.root: [leaf for leaf, owner in given.items() if owner is b] for b in blocks}
    rows = [sum(shape_width(leaves[j]) + GAP for j in found) - GAP for found in beside.values()]
    wide = max(map(shape_width, gates.values()))
    middle = x + AHEAD + max(wide, *rows) / 2
    right = middle + wide / 2 + GAP + max(map(shape_width, wires.values())) + MARGIN
    shapes: list[Shape] = []
    below = float("inf")
    for block in blocks:
        y = min(_height(scene, block, heights, spots), below)
        spots[block.root] = y
        if block.owns_gate:
            shapes.append(put(gates[block.root], (middle, y)))
        wire = wires[block.root]
        shapes.append(put(wire, (middle + wide / 2 + GAP + shape_width(wire) / 2, y)))
        mine = beside[block.root]
        y -= BAND if mine else 0
        along = middle - (sum(shape_width(leaves[j]) + GAP for j in mine) - GAP) / 2
        for leaf in mine:
            spots[leaf] = y
            half = shape_width(leaves[leaf]) / 2
            shapes.append(put(leaves[leaf], (along + half, y)))
            along += 2 * half + GAP
        below = y - BAND
    return shapes, max(right, middle + max(rows) / 2)


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
        return -scene.grid(origin).rows[origin.row].value[1] * BAND
    return 0.0


def outcome_lines(scene: Scene, end: Outcome, lines: Lines) -> tuple[list[Edge], list[Branch]]:
    """The lines that gather, and those that lead on to the loss; and which of them bring a contribution back."""
    edges: list[Edge] = []
    ends: dict[int, str] = {}
    for row, blocks in end.gathered.items():
        last = ""
        seen: set[str] = set()
        for block in blocks:
            if scene.shown(block):
                joint, tail = f"m{block.root}", f"n{block.root}"
                if f"k{block.root}" in lines.spots:
                    edges.append(lines.between(block.root, tail, f"k{block.root}", arrow=False))
                    tail = f"k{block.root}"
            else:
                fold = scene.sheet.fold_of(block.time)
                assert fold is not None
                joint, tail = f"m{fold.times[0]}f{key_of(row)}", f"p{fold.times[0]}"
            if joint in seen:
                continue
            seen.add(joint)
            edges.append(
                lines.between(block.root, tail, joint, "s" if tail[0] != "k" else "", arrow=False)
            )
            if last:
                edges.append(lines.between(block.root, last, joint, arrow=False))
            last = joint
        ends |= {block.root: last for block in blocks}
    branches: list[Branch] = []
    for block in end.after:
        made, found = _lines(scene, block, ends, lines)
        edges += made
        branches += found
    return edges, branches


def is_barred(lines: Lines, tail: str, head: str) -> bool:
    """Whether something stands between a value and a gate of one height."""
    one, other = lines.spots[tail], lines.spots[head]
    return abs(one.y - other.y) < 1 and any(
        spot.wide and one.x < spot.x < other.x and abs(spot.y - one.y) < spot.up
        for key, spot in lines.spots.items()
        if key[0] in "gn"
    )


def _lines(
    scene: Scene, block: Block, ends: Mapping[int, str], lines: Lines
) -> tuple[list[Edge], list[Branch]]:
    root, gate = block.root, f"g{block.gate}"
    edges = [lines.between(root, gate, f"n{root}", arrow=False)]
    branches: list[Branch] = []
    uses: dict[str, list[int]] = defaultdict(list)
    sources: dict[str, int] = {}
    for slot in block.slots:
        if slot.source not in scene.axis.shared:
            tail = ends.get(slot.source) or scene.tail_of(slot.source)
            uses[tail].append(slot.edge)
            sources[tail] = slot.source
    for tail, along in uses.items():
        source = sources[tail]
        gathered = tail in ends.values()
        moving = moving_along(scene.moment, along)
        origin = scene.blocks.get(source)
        if not gathered and origin is not None and is_far(scene.sheet, origin, block):
            via, stop = over(
                lines.spots[tail], lines.spots[gate], scene.tracks[scene.sheet.carrier(origin)]
            )
            line = lines.between(root, tail, gate, moving=moving, via=via, stop=stop)
        elif is_barred(lines, tail, gate):
            via, stop = under(lines.spots[tail], lines.spots[gate])
            line = lines.between(root, tail, gate, moving=moving, via=via, stop=stop)
        else:
            side: Side = "n" if scene.axis.given.get(source) == block.time else ""
            line = lines.between(root, tail, gate, side, moving=moving)
        edges.append(line)
        if not gathered and scene.is_branching(source):
            key = f"f{source}x{root}"
            found = Branch(key, source, root, line.path or (), tuple(along), scene.sheet.right)
            branches.append(last_way(found))
    return edges, branches
