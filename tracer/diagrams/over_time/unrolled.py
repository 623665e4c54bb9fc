"""The unrolled style: one pane per time step from left to right, shared weights once above, the loss to the right.

All positions are our own, so that a hundred steps need no more layout than four; the middle of a long loop is folded
into one pane.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tracer.diagrams.frames import Part
from tracer.diagrams.moments import Moment
from tracer.diagrams.names import plain
from tracer.diagrams.over_time.bridges import tracks_of
from tracer.diagrams.over_time.contributions import Branch
from tracer.diagrams.over_time.figure import carried, cells, composed, panes
from tracer.diagrams.over_time.fold_pane import fold_lines, fold_shapes
from tracer.diagrams.over_time.folded import Fold, folds_of
from tracer.diagrams.over_time.lines import Lines
from tracer.diagrams.over_time.naming import OverTime
from tracer.diagrams.over_time.sheet import BAND, GAP, Scene, sheet_of
from tracer.diagrams.over_time.step_shapes import put, shape_width, value_wire
from tracer.diagrams.over_time.timesteps import TimeAxis
from tracer.diagrams.picture import Edge, Picture, Shape
from tracer.diagrams.settings import Settings


def unrolled(part: Part, moment: Moment, settings: Settings) -> Picture:
    """The picture of a network over time; every shape has its place."""
    naming = moment.naming
    over = naming if isinstance(naming, OverTime) and naming.part is part else OverTime(part)
    axis, grids = over.axis, over.grids
    if settings not in over.kept:
        over.kept[settings] = folds_of(axis, settings, _widths(moment, over))
    folds: tuple[Fold, ...] = over.kept[settings]
    hidden = {time for fold in folds for time in fold.times}
    drawn = cells(moment, over, hidden)
    if folds not in over.kept:
        sheet = sheet_of(axis, grids, drawn, folds, carried(moment, over, hidden))
        over.kept[folds] = sheet, tracks_of(axis, sheet)
    scene = Scene(part, moment, over, *over.kept[folds])
    shapes: list[Shape] = panes(scene)
    for fold in folds:
        shapes += fold_shapes(scene, fold)
    shapes += [put(shape, scene.sheet.at(time, cell)) for shape, time, cell in drawn]
    shapes += _start_wires(scene)

    def into_folds(lines: Lines) -> tuple[list[Shape], list[Edge], list[Branch]]:
        found = [fold_lines(scene, fold, lines) for fold in folds]
        edges = [edge for some, _ in found for edge in some]
        return [], edges, [branch for _, some in found for branch in some]

    remarks = tuple(_remark(axis, fold.times) for fold in folds)
    return composed(scene, shapes, into_folds, _parting, remarks)


def _parting(branches: Sequence[Branch]) -> list[Branch]:
    """The lines of those values from which several lead away."""
    parted = Counter(branch.source for branch in branches)
    return [branch for branch in branches if parted[branch.source] > 1]


def _remark(axis: TimeAxis, times: range) -> str:
    names = f"{axis.labels[times[0]]} to {axis.labels[times[-1]]}"
    return f"{len(times)} time steps are folded into one pane: {plain(names, longest=60)}"


def _widths(moment: Moment, over: OverTime) -> dict[int, float]:
    """About how wide a pane of each loop is, by its first and its last step."""
    axis = over.axis
    first = {loop: time for time, loop in reversed(list(enumerate(axis.loops)))}
    seen = {*first.values(), *{loop: time for time, loop in enumerate(axis.loops)}.values()}
    drawn = cells(moment, over, set(range(axis.after)) - seen)
    sheet = sheet_of(axis, over.grids, drawn, (), {})
    return {loop: plan.width for loop, plan in sheet.plans.items()}


def _start_wires(scene: Scene) -> list[Shape]:
    """What each state was ahead of the first step: beside the pane of the step that reads it."""
    shapes: list[Shape] = []
    for grid in scene.grids.values():
        for node, key in grid.starts.items():
            time = scene.axis.given[node]
            wire = value_wire(scene.moment, scene.over, node)
            away = GAP + 6 + shape_width(wire) / 2
            left = scene.sheet.left(time)
            x = left + scene.sheet.width(time) + away if grid.rows[key].backwards else left - away
            shapes.append(put(wire, (x, -grid.rows[key].value[1] * BAND)))
    return shapes
