"""Lines that pass over steps: from a value to one that reads it several steps away, above the panes in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tracer.diagrams.over_time.contributions import Branch
from tracer.diagrams.over_time.lines import Spot, straight
from tracer.diagrams.over_time.sheet import Carrier, Sheet
from tracer.diagrams.over_time.timesteps import Block, TimeAxis, buses
from tracer.diagrams.picture import Joint, Point, Shape

TRACK = 16.0
"""Points between two lines above the panes; a contribution stands on each."""
WAY = 60.0
"""Points of such a line before it comes down along which its contribution may stand."""
CLEAR = 4.0
"""How far beside a value its line rises."""
ASIDE = 14.0
"""How far beside its middle a line comes down on a gate."""
ALLEY = 29.0
"""How far below a value a line runs between its numbers and those of the next band."""


def tracks_of(axis: TimeAxis, sheet: Sheet) -> dict[Carrier, float]:
    """The values that a step reads from afar, with the height of the line that carries each of them over the panes."""
    blocks = {block.root: block for block in axis.blocks}
    gathered = buses(axis)
    spans: dict[Carrier, tuple[float, float]] = {}
    for block in axis.blocks:
        for slot in block.slots:
            source = blocks.get(slot.source)
            below = block.time == axis.after and source is not None and source.row in gathered
            if source is None or below or not is_far(sheet, source, block):
                continue
            node = sheet.carrier(source)
            ends = sheet.left(source.time), sheet.left(block.time)
            low, high = spans.get(node, (min(ends), max(ends)))
            spans[node] = min(low, *ends), max(high, *ends)
    heights: dict[Carrier, float] = {}
    taken: list[float] = []
    for node, (start, end) in sorted(spans.items(), key=lambda each: each[1]):
        number = next((k for k, until in enumerate(taken) if until < start), len(taken))
        taken[number : number + 1] = [end + sheet.width(0)]
        heights[node] = sheet.ceiling + TRACK * (number + 1)
    return heights


def is_far(sheet: Sheet, source: Block, reader: Block) -> bool:
    """Whether a pane stands between two blocks."""
    return abs(sheet.pane(source.time) - sheet.pane(reader.time)) > 1


def over(tail: Spot, head: Spot, height: float) -> tuple[list[Point], Point]:
    """The points of a line over the panes, and where it ends: beside the top of a gate, or at the side of a fold."""
    side = 1 if head.x > tail.x else -1
    x = tail.x + side * (tail.wide + CLEAR)
    if not head.wide:
        before = head.x - side * CLEAR
        return [(x, tail.y), (x, height), (before, height), (before, head.y)], (head.x, head.y)
    aside = min(ASIDE, head.wide * 0.85)
    drop = (head.wide**2 - aside**2) ** 0.5 if head.round else head.up
    beside = head.x - side * aside
    return [(x, tail.y), (x, height), (beside, height)], (beside, head.y + drop)


def under(tail: Spot, head: Spot) -> tuple[list[Point], Point]:
    """The points of a line below what stands between a value and a gate of one height, and its end there."""
    x, y = tail.x + tail.wide + CLEAR, tail.y - ALLEY
    aside = min(ASIDE, head.wide * 0.6)
    drop = (head.wide**2 - aside**2) ** 0.5 if head.round else head.up
    end = head.x - aside
    return [(x, tail.y), (x, y), (end, y)], (end, head.y - drop)


def last_way(branch: Branch) -> Branch:
    """A contribution to a value read from afar stands on the line over the panes, just ahead of where it comes down."""
    points = branch.path[::3]
    if len(points) < 5:
        return branch
    (a, b), (c, _) = points[2], points[3]
    start = max(a, c - WAY) if c > a else min(a, c + WAY)
    return replace(branch, path=straight((start, b), (c, b)), above=True)


def bridge_dots(paths: Mapping[int, Sequence[Sequence[Point]]], onward: set[int]) -> list[Shape]:
    """A dot where a line over the panes leaves one to the next step, and where it comes down on its way to others."""
    dots: list[Shape] = []
    for source, found in paths.items():
        ends = {points[3][0] for points in found}
        farthest = max(ends, key=lambda x: abs(x - found[0][0][0]))
        for number, x in enumerate(sorted(ends)):
            if x != farthest:
                dots.append(Joint(f"o{source}x{number}", at=(x, found[0][2][1])))
        if source in onward:
            dots.append(Joint(f"o{source}", at=found[0][1]))
    return dots
