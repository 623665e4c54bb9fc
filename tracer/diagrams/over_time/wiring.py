"""The lines within the time steps: from gates to values and on to the gates that read them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from tracer.diagrams.measure import text_width
from tracer.diagrams.over_time.bridges import bridge_dots, is_far, last_way, over, under
from tracer.diagrams.over_time.contributions import Branch, moving_along
from tracer.diagrams.over_time.grid import Cell, needs_lane
from tracer.diagrams.over_time.lines import Lines, Spot
from tracer.diagrams.over_time.sheet import BAND, LANE, Carrier, Scene
from tracer.diagrams.over_time.timesteps import Block, RowKey, Slot
from tracer.diagrams.picture import Caption, Edge, Joint, Point, Run, Shape, Side

CUT = (Run("⊘ detach", "quiet", 9),)
"""The mark of a line along which no gradient flows back."""
RIM = 0.6
"""The part of a gate's width over which lines from above or below enter it."""
WEIGHED = 36.0
"""Half the width that a gate must have for each line from above that enters it beside its weights."""
ASIDE = 8.0
"""Points between two lines that enter a gate beside each other."""


def wiring(scene: Scene, lines: Lines) -> tuple[list[Shape], list[Edge], list[Branch]]:
    """The line from each gate to its value, and a line into the gate from each value it reads.

    The shapes are dots where lines part, and the marks of lines that a detach cuts.
    """
    shapes: list[Shape] = []
    edges: list[Edge] = []
    branches: list[Branch] = []
    bundled: set[str] = set()
    for block in scene.axis.blocks:
        if not scene.shown(block):
            continue
        gate = f"g{block.gate}"
        edges.append(lines.between(block.root, gate, f"n{block.root}", arrow=False))
        for source, along, cut, many in _sources(scene, block):
            moving = moving_along(scene.moment, along)
            line = _line(scene, lines, block, source, moving=moving, cut=cut)
            edges.append(line)
            if cut:
                shapes.append(_cut_mark(line, source, block.root))
            pattern = (block.row, _pattern_of(scene, block, source))
            key, left = f"f{source}x{block.root}", scene.sheet.left(block.time)
            bundled |= {key} if many else set()
            branches.append(Branch(key, source, pattern, line.path or (), tuple(along), left))
    shapes += _dots(scene, branches)
    told = [b for b in branches if scene.is_branching(b.source) and b.key not in bundled]
    return shapes, edges, [last_way(branch) for branch in told]


def _dots(scene: Scene, branches: Sequence[Branch]) -> list[Shape]:
    """A dot where lines of one value part; where a line only turns there is none."""
    turning: dict[tuple[int, float], list[Sequence[Point]]] = defaultdict(list)
    onward: dict[int, float] = {}
    bridges: dict[int, list[Sequence[Point]]] = defaultdict(list)
    for branch in branches:
        points = branch.path[::3]
        if len(points) > 4:
            bridges[branch.source].append(points)
        elif len(points) > 2:
            turning[branch.source, points[1][0]].append(points)
            onward[branch.source] = max(onward.get(branch.source, points[1][0]), points[1][0])
        elif points[0][1] == points[-1][1]:
            onward[branch.source] = max(onward.get(branch.source, points[-1][0]), points[-1][0])
    dots = bridge_dots(bridges, {*onward, *(source for source, _ in turning)})
    for (source, x), paths in turning.items():
        start = paths[0][0][1]
        ends = {points[-1][1] for points in paths}
        if onward.get(source, x) > x:
            ends.add(start)
        heights = {start, *ends}
        for number, y in enumerate(sorted(heights)):
            ways = (y == start) + (y in ends) + (y > min(heights)) + (y < max(heights))
            if ways > 2:
                dots.append(Joint(f"d{scene.over.key(source)}x{x:.0f}x{number}", at=(x, y)))
    return dots


class _Source(NamedTuple):
    """What a line into a gate stands for."""

    node: int
    edges: list[int]
    cut: bool
    """Whether a detach cuts all of its uses."""
    bundled: bool
    """Whether it stands for several values, which leave one pane of folded steps."""


def _sources(scene: Scene, block: Block) -> list[_Source]:
    """The values that a block reads, but for shared ones."""
    found: dict[Carrier, list[Slot]] = defaultdict(list)
    for slot in block.slots:
        if slot.source not in scene.shared:
            origin = scene.blocks.get(slot.source)
            found[slot.source if origin is None else scene.sheet.carrier(origin)].append(slot)
    return [
        _Source(
            slots[0].source,
            [slot.edge for slot in slots],
            all(slot.cut for slot in slots),
            len({slot.source for slot in slots}) > 1,
        )
        for slots in found.values()
    ]


def _pattern_of(scene: Scene, block: Block, source: int) -> object:
    """Which use this is, told alike in every step."""
    origin = scene.blocks.get(source)
    return scene.grid(block).owner(source, origin), origin is None or origin.time == block.time


def _line(
    scene: Scene, lines: Lines, block: Block, source: int, *, moving: bool, cut: bool
) -> Edge:
    """A line from a value to the gate that reads it; beside its column where something stands in between."""
    origin = scene.blocks.get(source)
    tail, head = scene.tail_of(source), f"g{block.gate}"
    grid = scene.grid(block)
    if origin is not None and is_far(scene.sheet, origin, block):
        via, stop = over(
            lines.spots[tail], lines.spots[head], scene.tracks[scene.sheet.carrier(origin)]
        )
        return lines.between(block.root, tail, head, moving=moving, cut=cut, via=via, stop=stop)
    trunk = _along_trunk(scene, lines, block, source)
    if trunk is not None:
        return lines.between(block.root, tail, head, moving=moving, cut=cut, via=trunk)
    below = _below(scene, lines, block, source)
    if below is not None:
        via, stop = below
        return lines.between(block.root, tail, head, moving=moving, cut=cut, via=via, stop=stop)
    if origin is None or not needs_lane(grid, origin, block):
        corner = _corner(scene, lines, block, source)
        if corner is not None:
            end: Side = "n" if corner[1] > lines.spots[head].y else "s"
            stop = _rim(lines.spots[head], corner[0], end)
            return lines.between(
                block.root, tail, head, moving=moving, cut=cut, via=[corner], stop=stop
            )
        return lines.between(block.root, tail, head, moving=moving, cut=cut)
    value, gate = grid.rows[origin.row].value, grid.rows[block.row].gate
    x = scene.sheet.lane(block.time, gate[0], grid.lanes[gate[0], origin.row])
    via = [(x, -value[1] * BAND), (x, -gate[1] * BAND)]
    return lines.between(block.root, tail, head, "e", moving=moving, cut=cut, via=via)


def _below(
    scene: Scene, lines: Lines, block: Block, source: int
) -> tuple[list[Point], Point] | None:
    """The way below what stands between a value and a gate of one band, up on the gate; None where nothing does."""
    grid, place = scene.grid(block), _comes_from(scene, block, source)
    if place is None or not grid.is_barred(place, grid.rows[block.row]):
        return None
    return under(lines.spots[scene.tail_of(source)], lines.spots[f"g{block.gate}"])


def _corner(scene: Scene, lines: Lines, block: Block, source: int) -> Point | None:
    """Where a line from the left turns to come straight down or up on a gate; None where something is in the way."""
    corners = _turning(scene, block)
    if source not in corners:
        return None
    number, of = corners[source]
    gate = lines.spots[f"g{block.gate}"]
    y = lines.spots[scene.tail_of(source)].y
    half = gate.wide * RIM
    x = gate.x if of == 1 else gate.x - half + 2 * half * number / (of - 1)
    if y > gate.y and _is_weighed(scene, block):  # the weights come down on its middle
        if gate.wide < WEIGHED * of:
            return None
        x = gate.x - gate.wide * 0.85 + LANE * number
    return x, y


def _is_weighed(scene: Scene, block: Block) -> bool:
    return any(slot.source in scene.shared for slot in block.slots)


def _turning(scene: Scene, block: Block) -> dict[int, tuple[int, int]]:
    """The values of other bands from which lines can turn to a gate: which place each has of how many at its side."""
    grid = scene.grid(block)
    row = grid.rows[block.row]
    column, band = row.gate
    sides: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    for slot in block.slots:
        place = None if slot.source in scene.shared else _comes_from(scene, block, slot.source)
        if place is None or place[0] >= column or place[1] == band or row.backwards:
            continue
        between = range(min(place[1], band), max(place[1], band) + 1)
        clear = all((column, k) not in grid.taken for k in between if k != band)
        above = place[1] < band
        if clear and grid.is_free(place[1], range(place[0] + 1, column)):
            sides[above].append((place[1], slot.source))
    found: dict[int, tuple[int, int]] = {}
    for above, values in sides.items():
        ordered = sorted(
            set(values), reverse=above
        )  # the farthest stands rightmost, so that none crosses
        found |= {source: (k, len(ordered)) for k, (_, source) in enumerate(ordered)}
    return found


def _comes_from(scene: Scene, block: Block, source: int) -> Cell | None:
    """The cell of a value that a block reads, that of another step left of all columns; None where it is not known."""
    grid, origin = scene.grid(block), scene.blocks.get(source)
    owner = grid.owner(source, origin)
    if owner is None or (len(owner) == 3 and owner not in grid.rows):
        return None
    if origin is not None and origin.time == block.time:
        return grid.rows[origin.row].value
    if origin is None and source not in grid.starts:
        return grid.leaves[source]
    if origin is not None and origin.time > block.time:
        return None
    return grid.columns.start - 1, grid.band_of(owner)


def _rim(gate: Spot, x: float, side: Side) -> Point:
    """Where a line comes straight down or up on a gate."""
    high = (gate.wide**2 - (x - gate.x) ** 2) ** 0.5 if gate.round else gate.up
    return x, gate.y + (high if side == "n" else -high)


def _along_trunk(scene: Scene, lines: Lines, block: Block, source: int) -> list[Point] | None:
    """Where a line turns into and out of the trunk that it shares with others; None where there is no trunk."""
    grid = scene.grid(block)
    owner = grid.owner(source, scene.blocks.get(source))
    column = grid.trunks.get((owner, block.row)) if owner is not None else None
    one, other = lines.spots[scene.tail_of(source)], lines.spots[f"g{block.gate}"]
    if owner is None or column is None or one.x >= other.x:
        return None
    x = scene.sheet.lane(block.time, column, grid.lanes[column, ("trunk", owner)])
    return [(x, one.y), (x, other.y + _aside(scene, lines, owner, block))]


def _aside(scene: Scene, lines: Lines, owner: RowKey | Cell, block: Block) -> float:
    """Lines from trunks enter a gate beside what lies level with it: those from above higher, from below lower."""
    grid = scene.grid(block)
    row = grid.rows[block.row]
    several = [source for source, reader in grid.trunks if reader == block.row]
    bands = {source: grid.band_of(source) - row.gate[1] for source in several}
    mine = bands[owner]
    gate = lines.spots[f"g{block.gate}"]
    beside = [
        lines.spots[scene.tail_of(slot.source)]
        for slot in block.slots
        if slot.source not in scene.shared
    ]
    level = row.backwards or any(spot.y == gate.y and spot.x < gate.x for spot in beside)
    if mine == 0 or (len(several) < 2 and not level):
        return 0.0
    alike = sorted((source for source in several if bands[source] * mine > 0), key=str)
    return (ASIDE - 5 * alike.index(owner)) * (1 if mine < 0 else -1)


def _cut_mark(line: Edge, source: int, root: int) -> Shape:
    """The mark on a line that a detach cuts."""
    assert line.path is not None
    (a, b), (c, d) = line.path[0], line.path[-1]
    half = text_width(CUT) / 2 + 3
    x = c - half if c > a else c + half
    return Caption(
        f"c{source}x{root}",
        CUT,
        at=(x, (b + d) / 2 + 9 if abs(b - d) < 1 else d + 9),
        tip="detached: no gradient flows back",
    )
