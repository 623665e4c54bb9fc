"""The rolled style: one pane for all steps of a loop, with a directed cycle for each value that the next step reads.

The pane shows the numbers of one step, that of the walk; shared weights show the sum over all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from tracer.diagrams.frames import Part
from tracer.diagrams.measure import text_width
from tracer.diagrams.moments import Moment
from tracer.diagrams.over_time.bridges import tracks_of
from tracer.diagrams.over_time.contributions import AIR, Branch, flow_text, sent_along
from tracer.diagrams.over_time.cycles import cycle_lines, cycle_shapes
from tracer.diagrams.over_time.exits import exit_texts, exit_words
from tracer.diagrams.over_time.figure import carried, cells, composed, panes
from tracer.diagrams.over_time.grid import Cell
from tracer.diagrams.over_time.lines import Lines
from tracer.diagrams.over_time.naming import OverTime
from tracer.diagrams.over_time.one_step import OneStep
from tracer.diagrams.over_time.rolling import Roll
from tracer.diagrams.over_time.sheet import GAP, Scene, Sheet, sheet_of
from tracer.diagrams.over_time.step_shapes import put, value_wire
from tracer.diagrams.over_time.ways import Way, ways_of
from tracer.diagrams.picture import Edge, Gate, Picture, Shape, Wire
from tracer.diagrams.settings import Settings

Item = TypeVar("Item")
MOST_MEASURED = 200
"""Of a longer loop only so many steps say how wide their numbers are."""


@dataclass(frozen=True)
class _Plan:
    """What is the same whatever step is shown."""

    roll: Roll
    sheet: Sheet
    ways: tuple[Way, ...]
    widths: dict[tuple[int, Cell], float]
    """For each loop and cell how wide its wire is drawn."""


def rolled(part: Part, moment: Moment, settings: Settings) -> Picture:
    """The picture of a network with its cycles; every shape has its place."""
    naming = moment.naming
    over = naming if isinstance(naming, OverTime) and naming.part is part else OverTime(part)
    if rolled not in over.kept:
        over.kept[rolled] = _plan(part, moment, over)
    plan: _Plan = over.kept[rolled]
    roll = plan.roll
    times = roll.shown(moment)
    key = rolled, tuple(times.items())
    if key not in over.kept:
        over.kept[key] = OneStep(part, roll=roll, times=times)
    step: OneStep = over.kept[key]
    scene = Scene(part, moment, step, plan.sheet, tracks_of(step.axis, plan.sheet))
    shapes: list[Shape] = panes(scene)
    for shape, time, cell in cells(moment, step, set()):
        if isinstance(shape, Wire):
            shape = replace(shape, width=plan.widths[step.axis.loops[time], cell])
        shapes.append(put(shape, plan.sheet.at(time, cell)))
    shapes += cycle_shapes(scene, step, plan.ways)

    def closing(lines: Lines) -> tuple[list[Shape], list[Edge], list[Branch]]:
        return exit_words(scene, step, lines), *cycle_lines(scene, step, plan.ways, lines)

    def told(branches: Sequence[Branch]) -> list[Branch]:
        return _of_shown(step, branches)

    return composed(scene, shapes, closing, told, roll.remarks)


def _plan(part: Part, moment: Moment, over: OverTime) -> _Plan:
    roll = Roll(over)
    step = OneStep(part, roll=roll, times=roll.typical)
    widths = _widths(moment, step)
    drawn = [
        (_as_wide(shape, widths[step.axis.loops[time], cell]), time, cell)
        for shape, time, cell in cells(moment, step, set())
    ]
    ways: list[Way] = []
    lefts: list[float] = []
    starting = {
        k: max(value_wire(moment, over, node).width for node in found if node not in over.blocks)
        for k, found in roll.starts.items()
        if any(node not in over.blocks for node in found)
    }
    entering = {
        k: 10
        + max(
            starting.get(k, 0.0), widths[each.row[0], roll.grids[each.row[0]].rows[each.row].value]
        )
        for k, each in enumerate(roll.returns)
    }
    for k, width in entering.items():
        cell = step.grids[roll.returns[k].row[0]].leaves.get(roll.input_number(k))
        if cell is not None:
            time = step.axis.loops.index(roll.returns[k].row[0])
            drawn.append((Wire(f"back{k}", (), (), width=width), time, cell))
    sheet = sheet_of(step.axis, step.grids, drawn, (), carried(moment, step, set()))
    flows = [
        flow_text(moment, sent_along(moment, [edge for _, edge in uses]).final)
        for uses in _thinned([*roll.readers.values()])
    ]
    room = max(map(text_width, flows), default=0.0) + 4 * AIR
    right = 0.0
    for loop in roll.times:
        found, margins = ways_of(roll, sheet, loop, entering, starting, room)
        left = right + margins.left + GAP if lefts else 0.0
        lefts.append(left)
        ways += [way.moved(left) for way in found]
        right = left + sheet.plans[loop].width + margins.right
    said = [
        text_width(t)
        for b in step.axis.blocks
        if b.time == step.axis.after
        for t in exit_texts(step, b.root).values()
    ]
    right += max(said, default=0.0)
    return _Plan(roll, replace(sheet, lefts=tuple(lefts), right=right), tuple(ways), widths)


def _as_wide(shape: Gate | Wire, width: float) -> Gate | Wire:
    return replace(shape, width=width) if isinstance(shape, Wire) else shape


def _widths(moment: Moment, step: OneStep) -> dict[tuple[int, Cell], float]:
    """How wide the numbers of all steps are, by loop and cell."""
    roll = step.roll
    found: dict[tuple[int, Cell], float] = defaultdict(float)
    for row, blocks in roll.runs.items():
        key = row[0], roll.grids[row[0]].rows[row].value
        for block in _thinned([*blocks.values()]):
            found[key] = max(found[key], value_wire(moment, step, block.root).width)
    for loop, grid in roll.grids.items():
        for leaf, cell in _thinned([*grid.leaves.items()]):
            if leaf >= 0:
                found[loop, cell] = max(found[loop, cell], value_wire(moment, step, leaf).width)
    return found


def _thinned(many: list[Item]) -> list[Item]:
    return many[:: 1 + len(many) // MOST_MEASURED]


def _of_shown(step: OneStep, branches: Sequence[Branch]) -> list[Branch]:
    """Lines with a part of the flows to the values that are shown; not those to values of which others are shown."""
    found = []
    trace = step.part.trace
    timeline = trace.timeline
    for branch in branches:
        source = step.real(branch.source)
        edges = tuple(edge for edge in branch.edges if int(trace.input_of[edge]) == source)
        flows = int(trace.edge_flows[list(edges)].sum())
        if 0 < flows < timeline.arrived(timeline.last, source)[1]:
            key = branch.key.replace(f"f{branch.source}x", f"f{source}x", 1)
            key += "b" if source != branch.source else ""
            found.append(replace(branch, key=key, source=source, edges=edges))
    return found
