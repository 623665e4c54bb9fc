"""The unrolled style: one pane per time step from left to right, shared weights once above, the loss to the right.

All positions are our own, so that a hundred steps need no more layout than four; the middle of a long loop is folded
into one pane.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tracer.diagrams.frames import Part
from tracer.diagrams.measure import text_width
from tracer.diagrams.moments import Moment
from tracer.diagrams.names import plain
from tracer.diagrams.over_time.bridges import tracks_of
from tracer.diagrams.over_time.contributions import (
    AIR,
    contributions,
    flow_text,
    sent_along,
)
from tracer.diagrams.over_time.fold_pane import fold_lines, fold_shapes
from tracer.diagrams.over_time.folded import Fold, folds_of
from tracer.diagrams.over_time.grid import Cell, Side
from tracer.diagrams.over_time.lines import Lines, spots_of
from tracer.diagrams.over_time.naming import OverTime
from tracer.diagrams.over_time.outcome import outcome, outcome_lines
from tracer.diagrams.over_time.rails import rails
from tracer.diagrams.over_time.sheet import BAND, GAP, Scene, sheet_of
from tracer.diagrams.over_time.step_shapes import (
    block_gate,
    is_branching,
    put,
    shape_width,
    value_wire,
)
from tracer.diagrams.over_time.timesteps import TimeAxis
from tracer.diagrams.over_time.wiring import CUT, wiring
from tracer.diagrams.picture import (
    Gate,
    Joint,
    Pane,
    Picture,
    Run,
    Shape,
    Text,
    Wire,
)
from tracer.diagrams.settings import Settings

MOST_FORMULAS = 12
LONGEST_LINE = 560.0
"""Points that a line of formulas below the figure may take."""


def unrolled(part: Part, moment: Moment, settings: Settings) -> Picture:
    """The picture of a network over time; every shape has its place."""
    naming = moment.naming
    over = naming if isinstance(naming, OverTime) and naming.part is part else OverTime(part)
    axis, grids = over.axis, over.grids
    if settings not in over.kept:
        over.kept[settings] = folds_of(axis, settings, _widths(moment, over))
    folds: tuple[Fold, ...] = over.kept[settings]
    hidden = {time for fold in folds for time in fold.times}
    drawn = _cells(moment, over, hidden)
    if folds not in over.kept:
        sheet = sheet_of(axis, grids, drawn, folds, _carried(moment, over, hidden))
        over.kept[folds] = sheet, tracks_of(axis, sheet)
    scene = Scene(part, moment, over, *over.kept[folds])
    shapes: list[Shape] = _panes(scene)
    for fold in folds:
        shapes += fold_shapes(scene, fold)
    shapes += [put(shape, scene.sheet.at(time, cell)) for shape, time, cell in drawn]
    shapes += _start_wires(scene)
    end = outcome(scene)
    shapes += end.shapes
    lines = Lines(moment, spots_of(shapes))
    joints, edges, branches = wiring(scene, lines)
    shapes += joints
    for fold in folds:
        found = fold_lines(scene, fold, lines)
        edges += found[0]
        branches += found[1]
    found = outcome_lines(scene, end, lines)
    edges += found[0]
    branches += found[1]
    above = rails(scene, lines)
    parted = Counter(branch.source for branch in branches)
    parting = [branch for branch in branches if parted[branch.source] > 1]
    flows = contributions(
        moment,
        parting,
        shapes,
        [*edges, *above.edges],
    )
    shapes += [*flows, *above.shapes]
    return Picture(
        (*shapes, *_corners(scene, shapes, above.room)),
        (*edges, *above.edges),
        caption=_captions(scene, [branch.source for branch in parting]),
        remarks=tuple(_remark(axis, fold.times) for fold in folds),
        placed=True,
    )


def _captions(scene: Scene, parting: Sequence[int]) -> tuple[Text, ...]:
    """Where a walk stands and what its marks mean; and what numbers on lines are, where they are not plain."""
    moment = scene.moment
    states = {moment.read(i).state for i in scene.part.nodes} if moment.stepping else set()
    said = moment.caption(states)
    trace = moment.trace
    lines = list(said)
    if any(np.size(trace.value(i)) > 1 for i in scene.part.nodes):
        line = "Numbers of tensors are root mean squares (rms), without sign"
        if any(
            np.size(trace.value(i)) > 1 and trace.receives[i] for i in (*scene.shared, *parting)
        ):
            line += "; on a line the contribution of one use, Σ their sum, whose rms is not the sum of theirs"
        lines.append((Run(f"{line}.", "quiet", 11),))
    return (*lines, *_in_lines(scene.over.formulas()))


def _in_lines(formulas: Sequence[Text]) -> list[Text]:
    """What gates compute, as many formulas on a line as it holds; of very many only the first."""
    lines: list[Text] = []
    for formula in formulas[:MOST_FORMULAS]:
        quiet = tuple(replace(run, role="quiet") for run in formula)
        joined = (*lines[-1], Run("      ", "quiet", 11), *quiet) if lines else quiet
        if lines and text_width(joined) <= LONGEST_LINE:
            lines[-1] = joined
        else:
            lines.append(quiet)
    if len(formulas) > MOST_FORMULAS:
        lines[-1] = (*lines[-1], Run("      …", "quiet", 11))
    return lines


def _remark(axis: TimeAxis, times: range) -> str:
    names = f"{axis.labels[times[0]]} to {axis.labels[times[-1]]}"
    return f"{len(times)} time steps are folded into one pane: {plain(names, longest=60)}"


def _widths(moment: Moment, over: OverTime) -> dict[int, float]:
    """About how wide a pane of each loop is, by its first and its last step."""
    axis = over.axis
    first = {loop: time for time, loop in reversed(list(enumerate(axis.loops)))}
    seen = {*first.values(), *{loop: time for time, loop in enumerate(axis.loops)}.values()}
    drawn = _cells(moment, over, set(range(axis.after)) - seen)
    sheet = sheet_of(axis, over.grids, drawn, (), {})
    return {loop: plan.width for loop, plan in sheet.plans.items()}


def _cells(moment: Moment, over: OverTime, hidden: set[int]) -> list[tuple[Gate | Wire, int, Cell]]:
    """Every gate, value and leaf of the shown steps, with its step and cell."""
    drawn: list[tuple[Gate | Wire, int, Cell]] = []
    axis, grids = over.axis, over.grids
    for block in axis.blocks:
        time = block.time
        if time < axis.after and time not in hidden:
            row = grids[block.row[0]].rows[block.row]
            if block.owns_gate:
                drawn.append((block_gate(moment, over, block), time, row.gate))
            drawn.append((value_wire(moment, over, block.root), time, row.value))
    for number, grid in grids.items():
        for leaf, cell in grid.leaves.items():
            time = axis.given[leaf]
            if time not in hidden and axis.loops[time] == number:
                drawn.append((value_wire(moment, over, leaf), time, cell))
    widest: dict[tuple[int, Cell], float] = defaultdict(float)
    for shape, time, cell in drawn:
        if isinstance(shape, Wire):
            key = axis.loops[time], cell
            widest[key] = max(widest[key], shape.width)
    return [
        (_as_wide(shape, widest[axis.loops[time], cell]), time, cell) for shape, time, cell in drawn
    ]


def _as_wide(shape: Gate | Wire, width: float) -> Gate | Wire:
    """A wire as wide as those at the same place of other steps."""
    if isinstance(shape, Gate) or shape.width == width:
        return shape
    return replace(shape, width=width)


def _carried(moment: Moment, over: OverTime, hidden: set[int]) -> dict[tuple[int, Side], float]:
    """For each loop the room of the widest contribution on a line from the step before, after, or on a trunk."""
    axis, blocks = over.axis, over.blocks
    rooms: dict[tuple[int, Side], float] = defaultdict(float)
    for block in axis.blocks:
        if block.time == axis.after or block.time in hidden:
            continue
        grid = over.grids[block.row[0]]
        row = grid.rows[block.row]
        for slot in block.slots:
            source = blocks.get(slot.source)
            owner = grid.owner(slot.source, source)
            along_trunk = owner is not None and (owner, block.row) in grid.trunks
            if not along_trunk and (source is None or source.time == block.time):
                continue
            ends = grid.columns.stop - 1 if row.backwards else grid.columns.start
            if not along_trunk and row.gate[0] != ends:
                continue
            if slot.cut or is_branching(moment, slot.source):
                flow = None if slot.cut else sent_along(moment, [slot.edge]).final
                words = CUT if slot.cut else flow_text(moment, flow)
                side: Side = "trunk" if along_trunk else "right" if row.backwards else "left"
                key = block.row[0], side
                rooms[key] = max(rooms[key], text_width(words) + 2 * AIR + 2)
    return rooms


def _panes(scene: Scene) -> list[Shape]:
    sheet = scene.sheet
    return [
        Pane(
            f"p{time}",
            (Run(plain(label, longest=24), "quiet", 11),),
            (sheet.width(time), sheet.ceiling - sheet.foot),
            (sheet.left(time) + sheet.width(time) / 2, (sheet.ceiling + sheet.foot) / 2),
        )
        for time, label in enumerate(scene.axis.labels)
        if sheet.fold_of(time) is None
    ]


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


def _corners(scene: Scene, shapes: list[Shape], room: tuple[float, float, float]) -> list[Shape]:
    """Unseen, so that the page is of one size at every step, whatever has arrived."""
    spots = [shape.at for shape in shapes if shape.at is not None]
    left = min(room[0], *(x - 40 for x, _ in spots))
    return [
        Joint("cornera", dot=False, at=(left, room[2])),
        Joint("cornerz", dot=False, at=(room[1], scene.sheet.foot)),
    ]
