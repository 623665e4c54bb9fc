"""What all figures over time are composed of: panes, cells, lines, rails, and the words below."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tracer.diagrams.measure import text_width
from tracer.diagrams.moments import Moment
from tracer.diagrams.names import plain
from tracer.diagrams.over_time.contributions import (
    AIR,
    Branch,
    contributions,
    flow_text,
    sent_along,
)
from tracer.diagrams.over_time.grid import Cell, Side
from tracer.diagrams.over_time.lines import Lines, spots_of
from tracer.diagrams.over_time.naming import OverTime
from tracer.diagrams.over_time.outcome import Outcome, outcome, outcome_lines
from tracer.diagrams.over_time.rails import rails
from tracer.diagrams.over_time.sheet import Scene
from tracer.diagrams.over_time.step_shapes import (
    block_gate,
    is_branching,
    value_wire,
)
from tracer.diagrams.over_time.timesteps import TIME_KEY
from tracer.diagrams.over_time.wiring import CUT, wiring
from tracer.diagrams.picture import Edge, Gate, Joint, Pane, Picture, Run, Shape, Text, Wire

MOST_FORMULAS = 12
LONGEST_LINE = 560.0
"""Points that a line of formulas below the figure may take."""


def composed(
    scene: Scene,
    placed: Sequence[Shape],
    further: Callable[[Lines], tuple[list[Shape], list[Edge], list[Branch]]],
    told: Callable[[Sequence[Branch]], list[Branch]],
    remarks: tuple[str, ...],
) -> Picture:
    """The picture of a network over time: what is `placed`, what follows the steps, all lines, shared weights, words.

    further: the lines that only one style has, with words beside them. told: of all lines along which a flow comes
    back those beside which it stands.
    """
    moment = scene.moment
    shapes = list(placed)
    end: Outcome = outcome(scene)
    shapes += end.shapes
    lines = Lines(moment, spots_of(shapes))
    joints, edges, branches = wiring(scene, lines)
    shapes += joints
    words, own, its = further(lines)
    onward, last = outcome_lines(scene, end, lines)
    shapes += words
    edges += [*own, *onward]
    branches += [*its, *last]
    above = rails(scene, lines)
    parting = told(branches)
    flows = contributions(moment, parting, shapes, [*edges, *above.edges])
    shapes += [*flows, *above.shapes]
    return Picture(
        (*shapes, *_corners(scene, shapes, above.room)),
        (*edges, *above.edges),
        caption=_captions(scene, [branch.source for branch in parting]),
        remarks=remarks,
        placed=True,
    )


def _captions(scene: Scene, parting: Sequence[int]) -> tuple[Text, ...]:
    """Where a walk stands and what its marks mean; and what numbers on lines are, where they are not plain."""
    moment = scene.moment
    states = {moment.read(i).state for i in scene.part.nodes} if moment.stepping else set()
    said = moment.caption(states)
    trace = moment.trace
    lines = list(said)
    sizes = {i: trace.storage.held(i).size for i in scene.part.nodes}
    if any(size > 1 for size in sizes.values()):
        line = "Numbers of tensors are root mean squares (rms), without sign"
        if any(sizes[i] > 1 and trace.receives[i] for i in (*scene.shared, *parting)):
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


def cells(moment: Moment, over: OverTime, hidden: set[int]) -> list[tuple[Gate | Wire, int, Cell]]:
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
            time = axis.given.get(leaf, axis.after)
            if time < axis.after and time not in hidden and axis.loops[time] == number:
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


def carried(moment: Moment, over: OverTime, hidden: set[int]) -> dict[tuple[int, Side], float]:
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
            along_trunk = owner is not None and grid.leaves_lane(owner, block.row)
            if not along_trunk and (source is None or source.time == block.time):
                continue
            ends = grid.columns.stop - 1 if row.backwards else grid.columns.start
            if not along_trunk and row.gate[0] != ends:
                continue
            if slot.cut or is_branching(moment, over.real(slot.source)):
                flow = None if slot.cut else sent_along(moment, [slot.edge]).final
                words = CUT if slot.cut else flow_text(moment, flow)
                side: Side = "trunk" if along_trunk else "right" if row.backwards else "left"
                key = block.row[0], side
                rooms[key] = max(rooms[key], text_width(words) + 2 * AIR + 2)
    return rooms


def panes(scene: Scene) -> list[Shape]:
    """The backgrounds of the steps that have a pane of their own; a scope around inputs alone says what they are."""
    sheet, fed = scene.sheet, fed_by_step(scene)
    return [
        Pane(
            f"p{time}",
            (Run(plain(", ".join((label, *fed[time])), longest=24), "quiet", 11),),
            (sheet.width(time), sheet.ceiling - sheet.foot),
            (sheet.left(time) + sheet.width(time) / 2, (sheet.ceiling + sheet.foot) / 2),
        )
        for time, label in enumerate(scene.axis.labels)
        if sheet.fold_of(time) is None
    ]


def fed_by_step(scene: Scene) -> Mapping[int, tuple[str, ...]]:
    """For each step the scopes of its own in which nothing stands but what it is fed: a word of a sentence."""
    trace, axis = scene.part.trace, scene.axis
    working = {int(trace.scope_of[i]) for i in axis.time_of}
    fed: dict[int, dict[str, None]] = defaultdict(dict)
    for i, time in axis.given.items():
        scope = int(trace.scope_of[i])
        *outer, own = trace.scopes[scope] or (None,)
        if own and scope not in working and any(entry.key == TIME_KEY for entry in outer):
            fed[time].setdefault(own.name)
    return defaultdict(tuple, {time: tuple(names) for time, names in fed.items()})


def _corners(scene: Scene, shapes: list[Shape], room: tuple[float, float, float]) -> list[Shape]:
    """Unseen, so that the page is of one size at every step, whatever has arrived."""
    spots = [shape.at for shape in shapes if shape.at is not None]
    left = min(room[0], *(x - 40 for x, _ in spots))
    return [
        Joint("cornera", dot=False, at=(left, room[2])),
        Joint("cornerz", dot=False, at=(max(room[1], scene.sheet.right), scene.sheet.foot)),
    ]
