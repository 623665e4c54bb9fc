"""Shared weights: each once above the steps, with a line and a flow for every step, and their sum in its box."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

from tracer.diagrams.measure import room_for, text_width
from tracer.diagrams.moments import Moment
from tracer.diagrams.names import name_text
from tracer.diagrams.over_time.contributions import (
    Sent,
    arrived_along,
    flow_text,
    moving_along,
    sent_along,
)
from tracer.diagrams.over_time.lines import Lines, Spot, straight
from tracer.diagrams.over_time.sheet import LANE, Scene
from tracer.diagrams.over_time.step_shapes import with_small_words
from tracer.diagrams.over_time.totals import counted, short_sum_text, sum_text
from tracer.diagrams.picture import Caption, Card, Edge, Joint, Point, Role, Run, Shape, Text

PITCH = 25.0
"""Points from one rail to the next."""
SPREAD = 10.0
"""Points between lines that enter one gate from above."""
RISE = 22.0
"""Points from the panes to the lowest rail."""
FAN_STEPS = 6
"""One weight over at most so many steps is drawn as a fan of lines rather than as a rail."""
FAN_RISE = 74.0
TURN = 13.0
"""How far above the middle of a gate a line that comes down beside it turns to it."""


@dataclass(frozen=True)
class Drawing:
    """Placed shapes, the lines between them, and how far they reach to the left, to the right and up."""

    shapes: tuple[Shape, ...]
    edges: tuple[Edge, ...]
    room: tuple[float, float, float]


@dataclass(frozen=True)
class Tap:
    """One use of a shared node: where its line leaves the rail, and the flow that comes back along it."""

    key: str
    head: str
    """The key of the gate it leads to, or of the pane of folded steps."""
    time: int
    x: float
    via: tuple[Point, ...]
    """Where the line turns, if it does not come straight from above."""
    sent: Sent
    moving: bool
    """Whether the current step sends one of the flows."""
    said: Text = ()
    """What stands before the flow: how many are summed in it."""


def rails(scene: Scene, lines: Lines) -> Drawing:
    """The shared nodes with their lines."""
    taps = _taps(scene, lines)
    order = sorted(taps, key=lambda j: (min(_within(scene, tap) for tap in taps[j]), j))
    if not order:
        return Drawing((), (), (0.0, 0.0, scene.roof))
    first = taps[order[0]]
    straight_down = all(not tap.via for tap in first)
    if len(order) == 1 and len(first) <= FAN_STEPS and straight_down and not scene.sheet.folds:
        return _fan(scene, order[0], first, lines)
    made = []
    for rank, j in enumerate(order):
        y = scene.roof + RISE + PITCH * (len(order) - 1 - rank)
        folded = _folded_taps(scene, j, rank)
        made.append(_rail(scene, j, sorted([*taps[j], *folded], key=lambda tap: tap.x), y, lines))
    return Drawing(
        tuple(shape for drawing in made for shape in drawing.shapes),
        tuple(edge for drawing in made for edge in drawing.edges),
        (
            min(drawing.room[0] for drawing in made),
            max(drawing.room[1] for drawing in made),
            max(drawing.room[2] for drawing in made),
        ),
    )


def _within(scene: Scene, tap: Tap) -> float:
    """How far right of its pane's left side a tap lies; upper rails tap further left, so no flow is struck through."""
    return tap.x - scene.sheet.left(tap.time)


def _taps(scene: Scene, lines: Lines) -> dict[int, list[Tap]]:
    """The uses by the steps that are shown and by what follows them."""
    taps: dict[int, list[Tap]] = {j: [] for j in scene.axis.shared}
    for block in scene.axis.blocks:
        inside = block.time < scene.axis.after
        if inside and not scene.shown(block):
            continue
        used: dict[int, list[int]] = defaultdict(list)
        for slot in block.slots:
            if slot.source in scene.shared:
                used[slot.source].append(slot.edge)
        spot = lines.spots[f"g{block.gate}"]
        grid = scene.grid(block) if inside else None
        for k, (j, along) in enumerate(used.items()):
            x = spot.x + SPREAD * (k - (len(used) - 1) / 2)
            via: tuple[Point, ...] = ()
            column = grid.rows[block.row].gate[0] if grid is not None else 0
            number = grid.lanes.get((column, j)) if grid is not None else None
            if (
                grid is not None
                and number is not None
                and not grid.is_top(grid.rows[block.row].gate)
            ):
                x = scene.sheet.lane(block.time, column, number)
                via = ((x, spot.y + TURN),)
            sent = sent_along(scene.moment, along)
            head = f"g{block.gate}"
            moving = moving_along(scene.moment, along)
            taps[j].append(Tap(f"t{j}x{block.root}", head, block.time, x, via, sent, moving))
    return {j: found for j, found in taps.items() if found}


def _folded_taps(scene: Scene, j: int, rank: int) -> list[Tap]:
    """One tap for each pane of folded steps, with the sum of their flows."""
    trace = scene.moment.trace
    found = []
    for fold in scene.sheet.folds:
        along = scene.uses_in_folds[fold.times[0]].get(j, [])
        if not along:
            continue
        x = scene.sheet.left(fold.times[0]) + 14 + LANE * rank
        sent = sent_along(scene.moment, along)
        flows = [edge for edge in along if trace.edge_flows[edge]]
        there = sum(arrived_along(scene.moment, edge) for edge in flows)
        count = f"{there}/{len(flows)}" if there < len(flows) else f"{len(flows)}"
        said = (Run(f"Σ {count} flows  ", "quiet", 9),) if flows and there else ()
        head = f"p{fold.times[0]}"
        moving = moving_along(scene.moment, along)
        found.append(Tap(f"t{j}x{head}", head, fold.times[0], x, (), sent, moving, said))
    return found


def _role(scene: Scene, j: int) -> Role:
    return "parameter" if scene.moment.name_role(j) == "parameter" else "wire"


def _rail(scene: Scene, j: int, taps: Sequence[Tap], y: float, lines: Lines) -> Drawing:
    """A box at the left, the rail to the right of it, and at each tap a dot, the flow, a dashed line to its gate."""
    role = _role(scene, j)
    box = _box(scene, j)
    x = -12 - box.width / 2
    shapes: list[Shape] = [replace(box, at=(x, y))]
    last = taps[-1].x
    edges = [
        Edge(
            box.key,
            taps[-1].key,
            arrow=False,
            role=role,
            path=straight((x + box.width / 2, y), (last, y)),
        )
    ]
    reach = last
    for tap in taps:
        shapes.append(Joint(tap.key, role=role, at=(tap.x, y)))
        final = flow_text(scene.moment, tap.sent.final)
        reach = max(reach, tap.x + 8 + text_width((*tap.said, *final)))
        whole = tap.sent.arrived is tap.sent.final
        words = final if whole else flow_text(scene.moment, tap.sent.arrived)
        if words:
            words = (*tap.said, *words)
            at = (tap.x + 4 + text_width(words) / 2, y + 7.5)
            shapes.append(Caption(f"{tap.key}f", words, at=at))
        edges.append(_drop(role, tap, box.key, (tap.x, y), lines))
    return Drawing(tuple(shapes), tuple(edges), (x - box.width / 2, reach, y + 16))


def _drop(role: Role, tap: Tap, tail: str, start: Point, lines: Lines) -> Edge:
    """A dashed line from a shared node to a gate, red while a flow runs back along it."""
    role = "gradient" if tap.moving else role
    spot = lines.spots[tap.head]
    if tap.head[0] == "p":
        end = (start[0], spot.y + spot.up)
    else:
        end = spot.end("", tap.via[-1] if tap.via else start)
        if not tap.via and abs(start[0] - spot.x) < spot.wide * 0.8:
            end = (start[0], spot.y + _top(spot, start[0] - spot.x))
    path = straight(start, *tap.via, end)
    return Edge(tail, tap.head, role=role, dashed=True, heavy=tap.moving, path=path)


def _top(spot: Spot, aside: float) -> float:
    """How far above its middle a gate ends, so many points beside it."""
    return sqrt(spot.up**2 - aside**2) if spot.round else spot.up


def _fan(scene: Scene, j: int, taps: Sequence[Tap], lines: Lines) -> Drawing:
    """One box above the middle, and a dashed line from it to every step."""
    places = [lines.spots[tap.head] for tap in taps]
    middle = sum(spot.x for spot in places) / len(places)
    height = scene.roof + FAN_RISE
    uses = sorted(scene.part.uses(j))
    few = len(uses) <= FAN_STEPS
    box = _box(scene, j, [sent_along(scene.moment, [edge]) for edge in uses] if few else None)
    shapes: list[Shape] = [replace(box, at=(middle, height))]
    edges: list[Edge] = []
    widest = max(abs(spot.x - middle) for spot in places) or 1.0
    spread = min(box.width * 0.42, widest) / widest
    for tap, spot in zip(taps, places, strict=True):
        start = middle + (spot.x - middle) * spread, height - 13
        edges.append(_drop(_role(scene, j), tap, box.key, start, lines))
        words = flow_text(scene.moment, tap.sent.arrived)
        if words:
            side = -1 if spot.x < middle else 1
            (a, b), (c, d) = start, (edges[-1].path or (start,))[-1]
            x, y = a + (c - a) * 0.45, b + (d - b) * 0.45
            slope = abs((c - a) / (d - b)) * 6
            at = (x + side * (6 + slope + text_width(words) / 2), y)
            shapes.append(Caption(f"{tap.key}f", words, at=at))
    half = box.width / 2
    return Drawing(tuple(shapes), tuple(edges), (middle - half, middle + half, height + 16))


def _box(scene: Scene, j: int, flows: Sequence[Sent] | None = None) -> Card:
    """The name, the value, and the gradient as the sum of what the steps sent: written out, where these are given."""
    moment = scene.moment
    node, reading = moment.trace[j], moment.read(j)
    name = name_text(node.name or node.label, role=moment.name_role(j), size=14, bold=True)
    front = (*name, Run("  "), *with_small_words(reading.value), Run("   "))
    title = (*front, *_sum(moment, j, None if flows is None else [sent.arrived for sent in flows]))
    end = moment.at_end()
    last = end.timeline.status(end.position, j)
    full = (*front, *_sum(end, j, None if flows is None else [sent.final for sent in flows]))
    if last.expected > 1:  # a partial sum may be longer than the whole
        full = (*full, Run("00") if flows is None else counted(last._replace(state="partial"))[0])
    role: Role = "parameter" if moment.name_role(j) == "parameter" else "ink"
    room = room_for(title, full) + 8
    return Card(f"n{j}", title, (), (), width=room, tip=moment.tip(j, reading), role=role)


def _sum(moment: Moment, j: int, flows: Sequence[Any] | None) -> Text:
    return short_sum_text(moment, j) if flows is None else sum_text(moment, j, flows)
