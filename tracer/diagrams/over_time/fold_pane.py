"""The pane of folded time steps: the states that pass through it, and how their gradient grew or shrank in there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np

from tracer.diagrams.measure import text_width
from tracer.diagrams.names import indexed_name, plain
from tracer.diagrams.over_time.bridges import is_far, last_way, over
from tracer.diagrams.over_time.contributions import Branch, moving_along
from tracer.diagrams.over_time.folded import Fold
from tracer.diagrams.over_time.lines import Lines, straight
from tracer.diagrams.over_time.sheet import BAND, Scene, key_of
from tracer.diagrams.over_time.step_shapes import with_small_words
from tracer.diagrams.over_time.timesteps import RowKey
from tracer.diagrams.picture import Caption, Edge, Joint, Pane, Point, Run, Shape, Text
from tracer.stats import rms

MARGIN = 9.0
CURVE = 44.0, 15.0
"""Width and height of the curve of a gradient over the folded steps."""
ENTRY = 50.0
"""How far into the pane a contribution to what enters it may stand."""
MOST_POINTS = 48
DECADES = 1.3
"""A gradient that changes by more than so many powers of ten is drawn on a logarithmic scale."""


@dataclass(frozen=True)
class Passing:
    """A value that goes through a fold: the state ahead of it comes in, its last one goes out."""

    row: RowKey
    roots: tuple[int, ...]
    """Its nodes in the folded steps, in time."""
    enters: tuple[tuple[int, int], ...]
    """Values of shown steps that folded ones read, and the edges along which they do."""
    leaves: bool
    readers: Mapping[int, int]
    """For each value that comes in, a node within that reads it."""

    @property
    def mark(self) -> str:
        """A part of keys."""
        return key_of(self.row)


def passing(scene: Scene, fold: Fold) -> list[Passing]:
    """The values that go through a fold, in the order of their rows."""
    roots: dict[RowKey, list[int]] = defaultdict(list)
    enters: dict[RowKey, list[tuple[int, int]]] = defaultdict(list)
    leaves: dict[RowKey, None] = {}
    readers: dict[int, int] = {}
    for block in scene.axis.blocks:
        hidden = block.time in fold.times
        if hidden:
            roots[block.row].append(block.root)
        for slot in block.slots:
            source = scene.blocks.get(slot.source)
            if source is None:
                continue
            if hidden and source.time not in fold.times:
                enters[source.row].append((source.root, slot.edge))
                readers[source.root] = block.root
            elif not hidden and source.time in fold.times and block.time < scene.axis.after:
                leaves[source.row] = None
    known = [row for row in scene.grids[fold.loop].rows if row in enters or row in leaves]
    strange = [row for row in enters if row not in known]
    return [
        Passing(
            row,
            tuple(sorted(roots[row], key=scene.axis.time_of.__getitem__)),
            tuple(enters[row]),
            row in leaves,
            readers,
        )
        for row in (*known, *strange)
    ]


def fold_shapes(scene: Scene, fold: Fold) -> list[Shape]:
    """The pane, and for each value that passes two joints at its sides, its names and its gradients."""
    sheet, axis = scene.sheet, scene.axis
    left, width = sheet.left(fold.times[0]), sheet.width(fold.times[0])
    first, last = axis.labels[fold.times[0]], axis.indices[fold.times[-1]]
    label = (
        f"{plain(first, longest=24)} … {plain(last, longest=8)}   × {len(fold)}{_now(scene, fold)}"
    )
    middle = left + width / 2, (sheet.ceiling + sheet.foot) / 2
    shapes: list[Shape] = [
        Pane(
            f"p{fold.times[0]}",
            (Run(label, "quiet", 11),),
            (width, sheet.ceiling - sheet.foot),
            middle,
            nodes=tuple(
                i
                for block in scene.blocks.values()
                if block.time in fold.times
                for i in block.members
            ),
        )
    ]
    for value in passing(scene, fold):
        y = _height(scene, fold, value)
        one, other = left, left + width
        if (
            value.row in scene.grids[fold.loop].rows
            and scene.grids[fold.loop].rows[value.row].backwards
        ):
            one, other = other, one
        shapes.append(Joint(f"e{fold.times[0]}{value.mark}", dot=False, at=(one, y)))
        shapes.append(Joint(f"x{fold.times[0]}{value.mark}", dot=False, at=(other, y)))
        shapes += _words(scene, fold, value, left, y)
    return shapes


def _now(scene: Scene, fold: Fold) -> str:
    """Where a walk is within the fold."""
    moment = scene.moment
    if not moment.stepping:
        return ""
    step = moment.timeline.step(moment.position)
    time = scene.axis.time_of.get(step.node, -1) if step.phase != "start" else -1
    return f"   now {plain(scene.axis.indices[time], longest=6)}" if time in fold.times else ""


def _height(scene: Scene, fold: Fold, value: Passing) -> float:
    row = scene.grids[fold.loop].rows.get(value.row)
    return -row.value[1] * BAND if row is not None else 0.0


def _words(scene: Scene, fold: Fold, value: Passing, left: float, y: float) -> list[Shape]:
    """The names of the first and the last value above its line, their gradients below it."""
    if not value.roots:
        return []
    moment, axis = scene.moment, scene.axis
    width = scene.sheet.width(fold.times[0])
    name = moment.trace.names[value.roots[0]] or scene.over.aliases.get(value.row, "")
    key = f"v{fold.times[0]}{value.mark}"
    shapes: list[Shape] = []
    if name:
        ends = [
            indexed_name(name, axis.indices[axis.time_of[root]], size=13)
            for root in (value.roots[0], value.roots[-1])
        ]
        title: Text = (*ends[0], Run("  …  "), *ends[1])
        shapes.append(Caption(f"{key}n", title, at=(left + width / 2, y + 9)))
    for mark, root in (("a", value.roots[0]), ("z", value.roots[-1])):
        words = with_small_words(moment.read(root, size=11, bold=False).gradient)
        half = text_width(words) / 2
        x = left + MARGIN + half if mark == "a" else left + width - MARGIN - half
        shapes.append(Caption(f"{key}{mark}", words, at=(x, y - 11)))
    middle = left + width / 2
    shapes += [
        Joint(f"{key}{mark}", dot=False, at=(middle + side * CURVE[0] / 2, y - 14))
        for mark, side in (("l", -1), ("r", 1))
    ]
    return shapes


def fold_lines(scene: Scene, fold: Fold, lines: Lines) -> tuple[list[Edge], list[Branch]]:
    """The lines into a fold and through it, and the curves of the gradients."""
    edges: list[Edge] = []
    branches: list[Branch] = []
    for value in passing(scene, fold):
        entry, exit = (f"{mark}{fold.times[0]}{value.mark}" for mark in "ex")
        uses: dict[int, list[int]] = defaultdict(list)
        for source, edge in value.enters:
            uses[source].append(edge)
        for source, along in uses.items():
            reader = int(scene.moment.trace.edge_consumer[along[0]])
            moving = moving_along(scene.moment, along)
            tail = scene.tail_of(source)
            origin, first = scene.blocks[source], scene.blocks[value.readers[source]]
            if is_far(scene.sheet, origin, first):
                via, stop = over(
                    lines.spots[tail], lines.spots[entry], scene.tracks[scene.sheet.carrier(origin)]
                )
                line = lines.between(
                    reader, tail, entry, arrow=False, moving=moving, via=via, stop=stop
                )
            else:
                line = lines.between(reader, tail, entry, arrow=False, moving=moving)
            edges.append(line)
            if scene.is_branching(source):
                key, pane = f"f{source}x{entry}", scene.sheet.left(fold.times[0])
                path = line.path or ()
                if not is_far(scene.sheet, origin, first):
                    path = _into(line)
                pattern = ("fold", value.row)
                found = Branch(key, source, pattern, path, tuple(along), pane, above=True)
                branches.append(last_way(found))
        if value.roots and (value.enters or value.leaves):
            last = value.roots[-1]
            line = lines.between(last, entry, exit, arrow=False)
            edges.append(replace(line, dashed=True))
            edges.append(_curve(scene, fold, value))
    return edges, branches


def _into(line: Edge) -> tuple[Point, ...]:
    """A line into a fold with the beginning of its way through it, where there is room for a contribution."""
    assert line.path is not None
    (a, b), (c, d) = line.path[0], line.path[-1]
    return straight((a, b), (c + (ENTRY if c > a else -ENTRY), d))


def _curve(scene: Scene, fold: Fold, value: Passing) -> Edge:
    """The root mean square of the gradient over the folded steps, as far as it has arrived."""
    key = f"v{fold.times[0]}{value.mark}"
    moment = scene.moment
    sizes = _thinned(
        [
            0.0 if (gradient := moment.trace.seen_gradient(i)) is None else rms(gradient)
            for i in value.roots
        ]
    )
    there = _thinned(
        [float(moment.timeline.status(moment.position, i).state == "final") for i in value.roots]
    )
    left = scene.sheet.left(fold.times[0]) + scene.sheet.width(fold.times[0]) / 2 - CURVE[0] / 2
    low = _height(scene, fold, value) - 22
    heights = _scaled(sizes)
    points: list[Point] = [
        (left + CURVE[0] * k / max(len(heights) - 1, 1), low + CURVE[1] * height)
        for k, (height, seen) in enumerate(zip(heights, there, strict=True))
        if seen
    ]
    tip = "rms of the gradient over the folded steps"
    if len(points) < 2 or not any(sizes):
        return Edge(f"{key}l", f"{key}r", arrow=False, hidden=True)
    path = straight(*points)
    return Edge(f"{key}l", f"{key}r", arrow=False, role="gradient", path=path, tip=tip)


def _thinned(numbers: Sequence[float]) -> list[float]:
    """At most so many of the numbers, evenly over all of them, the last one included."""
    if len(numbers) <= MOST_POINTS:
        return list(numbers)
    return [numbers[round(k * (len(numbers) - 1) / (MOST_POINTS - 1))] for k in range(MOST_POINTS)]


def _scaled(sizes: Sequence[float]) -> list[float]:
    """Sizes as heights from 0 to 1, by their logarithms where they differ by powers of ten."""
    finite = [size for size in sizes if np.isfinite(size)]
    top = max(finite, default=0.0)
    least = min((size for size in finite if size > 0), default=0.0)
    if top <= 0:
        return [0.0] * len(sizes)
    if least > 0 and log(top / least, 10) > DECADES:
        return [
            log(max(min(size, top), least) / least) / log(top / least) if size == size else 1.0
            for size in sizes
        ]
    return [min(size, top) / top if size == size else 1.0 for size in sizes]
