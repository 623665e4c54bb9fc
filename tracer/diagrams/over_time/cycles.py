"""The cycles of a rolled network: from a value out of the pane, below it through a delay, and back in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tracer.diagrams.measure import text_width
from tracer.diagrams.names import indexed_name, plain
from tracer.diagrams.over_time.contributions import Branch, moving_along
from tracer.diagrams.over_time.exits import words_on
from tracer.diagrams.over_time.lines import Lines, straight
from tracer.diagrams.over_time.one_step import OneStep
from tracer.diagrams.over_time.sheet import BAND, Scene
from tracer.diagrams.over_time.step_shapes import put, shape_width, value_wire
from tracer.diagrams.over_time.ways import Way
from tracer.diagrams.picture import Caption, Edge, Gate, Joint, Point, Run, Shape, Side, Wire

AIR = 28.0
"""Points between the lowest line and the words below the figure."""


def cycle_shapes(scene: Scene, over: OneStep, ways: Sequence[Way]) -> list[Shape]:
    """What comes back along each line, the delay on it, and what stands there ahead of the first step."""
    shapes: list[Shape] = []
    lowest = min((way.low for way in ways), default=scene.sheet.foot)
    shapes.append(Joint("cornerb", dot=False, at=(0, lowest - AIR)))
    for way in ways:
        key, each = _key(way), over.roll.returns[way.number]
        shapes.append(put(_input_wire(scene, over, way.number, way.width), (way.input, way.entry)))
        steps = abs(each.ago)
        shapes.append(
            Gate(
                f"z{way.number}",
                (Run(f"delay {steps}", size=11),),
                tip=f"the value of {steps} step{'s' if steps > 1 else ''} before",
                at=((way.out + way.back) / 2, way.low),
            )
        )
        starts = over.roll.starts[way.number]
        if starts:
            shapes.append(Joint(f"{key}j", at=(way.back, way.entry)))
        if _leads_on(scene, over, way, ways):
            shapes.append(Joint(f"{key}o", at=(way.out, way.height)))
        for rank, (node, time) in enumerate(_given(over, way)):
            wire = value_wire(scene.moment, over.roll.over, node)
            wire = replace(wire, key=_start_key(way, node))
            y = way.entry - BAND * rank
            shapes.append(put(wire, (way.start, y)))
            words = words_on(plain(over.roll.axis.labels[time], longest=16))
            side = 1 if way.start < way.back else -1
            x = way.start + side * (shape_width(wire) / 2 + 4 + text_width(words) / 2)
            shapes.append(Caption(f"{key}x{node}t", words, at=(x, y + 8)))
    return shapes


def _key(way: Way) -> str:
    return f"r{way.number}"


def _start_key(way: Way, node: int) -> str:
    return f"{_key(way)}x{node}"


def _given(over: OneStep, way: Way) -> list[tuple[int, int]]:
    """What stands ahead of the first steps, but for values of another loop, which have a place of their own."""
    starts = over.roll.starts[way.number]
    return [(node, time) for node, time in starts.items() if node not in over.roll.over.blocks]


def _leads_on(scene: Scene, over: OneStep, way: Way, ways: Sequence[Way]) -> bool:
    """Whether the line goes on: to what follows the steps, to another cycle, or to another loop that begins with it."""
    row = over.roll.returns[way.number].row
    root = over.rows[row].root
    ends = [each.out for each in ways if over.roll.returns[each.number].row == row]
    if way.out != (max(ends) if way.out > way.back else min(ends)):
        return True
    behind = (b for b in scene.axis.blocks if b.time == scene.axis.after or b.row[0] != row[0])
    if any(slot.source == root for block in behind for slot in block.slots):
        return True
    known = over.roll.over.blocks
    starts = (node for found in over.roll.starts.values() for node in found if node in known)
    return any(known[node].row == row for node in starts)


def _input_wire(scene: Scene, over: OneStep, number: int, width: float) -> Wire:
    """What comes back along a return: in the shown step the value of a step before, or of the start."""
    input = over.roll.input_number(number)
    name, index = over.title(input)
    title = indexed_name(name, index, size=13) if name else ()
    node, key = over.real(input), over.key(input)
    if node < 0:
        return Wire(key, (), (), title, width=width)
    return replace(value_wire(scene.moment, over, node), key=key, name=title, width=width)


def cycle_lines(
    scene: Scene, over: OneStep, ways: Sequence[Way], lines: Lines
) -> tuple[list[Edge], list[Branch]]:
    """The lines that close the cycles, those from the starts, and what a later step sends back to the value."""
    edges: list[Edge] = []
    branches: list[Branch] = []
    for way in ways:
        row = over.roll.returns[way.number].row
        root, key = over.rows[row].root, over.key(over.roll.input_number(way.number))
        reader = _reader(over, way)
        ahead = way.out > way.back
        leaving: Side = "e" if ahead else "w"
        entering: Side = "w" if ahead else "e"
        moving = moving_along(
            scene.moment,
            [edge for _, edge in _uses(over, way.number, over.inputs.get(way.number, -1))],
        )
        delay = f"z{way.number}"
        down: list[Point] = [(way.out, way.height), (way.out, way.low)]
        up: list[Point] = [(way.back, way.low), (way.back, way.entry)]
        edges.append(
            lines.between(root, f"n{root}", delay, leaving, leaving, moving=moving, via=down)
        )
        edges.append(
            lines.between(
                reader, delay, key, entering, entering, arrow=False, moving=moving, via=up
            )
        )
        edges += _start_lines(scene, over, way, lines)
        uses = _uses(over, way.number, root)
        if uses and scene.is_branching(root):
            path = straight(
                (way.out + (-way.beside if ahead else way.beside), way.height),
                (way.out, way.height),
            )
            left = scene.sheet.left(scene.blocks[root].time)
            along = tuple(edge for _, edge in uses)
            branches.append(
                Branch(f"f{root}x{uses[0][0]}", root, ("cycle", way.number), path, along, left)
            )
    return edges, branches


def _uses(over: OneStep, number: int, node: int) -> Sequence[tuple[int, int]]:
    return over.roll.readers.get((number, node), ())


def _reader(over: OneStep, way: Way) -> int:
    """A node of the shown step that reads what comes back."""
    node = over.inputs.get(way.number, -1)
    uses = _uses(over, way.number, node)
    here = {block.root for block in over.rows.values()}
    row = over.roll.returns[way.number].row
    return next((root for root, _ in uses if root in here), over.rows[row].root)


def _start_lines(scene: Scene, over: OneStep, way: Way, lines: Lines) -> list[Edge]:
    """From what stands ahead of the first step, or from the loop that made it, to where the cycle comes back."""
    edges: list[Edge] = []
    joint = f"{_key(way)}j"
    for node, _ in _given(over, way):
        tail = _start_key(way, node)
        y = lines.spots[tail].y
        x = way.back - 10 if way.out > way.back else way.back + 10
        via = [] if abs(y - way.entry) < 1 else [(x, y), (x, way.entry)]
        edges.append(lines.between(_reader(over, way), tail, joint, arrow=False, via=via))
    for node in over.roll.starts[way.number]:
        block = over.roll.over.blocks.get(node)
        if block is not None and block.row in over.rows:
            tail = f"n{over.rows[block.row].root}"
            y = lines.spots[tail].y
            x = way.back - 10 if way.out > way.back else way.back + 10
            via = [] if abs(y - way.entry) < 1 else [(x, y), (x, way.entry)]
            edges.append(lines.between(_reader(over, way), tail, joint, arrow=False, via=via))
    return edges
