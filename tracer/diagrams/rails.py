"""Shared weights: each once above the steps, with a line and a flow for every step, and their sum in its box."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tracer.diagrams.measure import room_for, text_width
from tracer.diagrams.moments import SMALL, WORDED, Moment, root_mean_square
from tracer.diagrams.names import name_text
from tracer.diagrams.numerals import numeral
from tracer.diagrams.outcome import Drawing
from tracer.diagrams.picture import Caption, Card, Edge, Joint, Point, Role, Run, Shape, Text
from tracer.diagrams.sheet import GAP, Scene
from tracer.timeline import GLYPHS

PITCH = 30.0
"""Points from one rail to the next."""
SPREAD = 13.0
"""Points between lines that enter one gate from above."""
MOST_TERMS = 6
FAN_STEPS = 6
"""One weight over at most so many steps is drawn as a fan of lines rather than as a rail."""


@dataclass(frozen=True)
class Tap:
    """One use of a shared node by one block: where its line leaves the rail, and the flow that comes back along it."""

    shared: int
    root: int
    time: int
    x: float
    turn: float | None
    """The height at which the line turns to the gate, or None if it comes straight from above."""
    flow: Any
    """The sum of the flows that have arrived, None if none has."""
    final: Any
    """The same once all have arrived, from which room is taken."""
    moving: bool
    """Whether the current step sends one of these flows."""


def rails(scene: Scene, gates: Mapping[str, Point | None]) -> Drawing:
    """The shared nodes with their lines. `gates` maps the key of a gate to its place."""
    taps = _taps(scene, gates)
    order = sorted(taps, key=lambda j: (min(_within(scene, tap) for tap in taps[j]), j))
    if (
        len(order) == 1
        and len(taps[order[0]]) <= FAN_STEPS
        and all(t.turn is None for t in taps[order[0]])
    ):
        return _fan(scene, order[0], taps[order[0]], gates)
    shapes: list[Shape] = []
    edges: list[Edge] = []
    for rank, j in enumerate(order):
        y = scene.sheet.ceiling + 24 + PITCH * (len(order) - 1 - rank)
        made = _rail(scene, j, taps[j], y)
        shapes += made.shapes
        edges += made.edges
    return Drawing(tuple(shapes), tuple(edges))


def _within(scene: Scene, tap: Tap) -> float:
    """How far right of its pane's left side a tap lies; upper rails tap further left, so no flow is struck through."""
    return tap.x - scene.sheet.left(tap.time)


def _taps(scene: Scene, gates: Mapping[str, Point | None]) -> dict[int, list[Tap]]:
    trace, grid, sheet = scene.moment.trace, scene.grid, scene.sheet
    taps: dict[int, list[Tap]] = defaultdict(list)
    shared = frozenset(scene.axis.shared)
    for block in scene.axis.blocks:
        used: dict[int, list[int]] = defaultdict(list)
        for member in sorted(block.members):
            start = int(trace.input_start[member])
            for argument, j in enumerate(trace.inputs_of(member)):
                if j in shared:
                    used[j].append(start + argument)
        ordered = [j for j in dict.fromkeys(slot.source for slot in block.slots) if j in used]
        spot = gates[f"g{block.root}"]
        assert spot is not None
        cell = grid.rows[block.row].gate if block.time < scene.axis.after else None
        for k, j in enumerate(ordered):
            number = (
                grid.lanes.get((cell[0], j)) if cell is not None and not grid.is_top(cell) else None
            )
            x, turn = spot[0] + SPREAD * (k - (len(ordered) - 1) / 2), None
            if number is not None and cell is not None:
                x, turn = sheet.lane(block.time, cell[0], number), spot[1] + 18
            taps[j].append(Tap(j, block.root, block.time, x, turn, *_flows(scene, used[j])))
    return taps


def _flows(scene: Scene, edges: Sequence[int]) -> tuple[Any, Any, bool]:
    """Along these edges: the sum of the flows that have arrived, the sum of all, and whether one is moving now."""
    trace, moment = scene.moment.trace, scene.moment
    arrived: Any = None
    total: Any = None
    moving = False
    for edge in sorted(edges, reverse=True):
        if trace.edge_flows[edge]:
            flow = trace.flow(edge)
            total = flow.cotangent if total is None else total + flow.cotangent
            if moment.arrived(flow):
                arrived = flow.cotangent if arrived is None else arrived + flow.cotangent
            moving = moving or moment.sending(flow.consumer, flow.argument)
    return arrived, total, moving


def _role(scene: Scene, j: int) -> Role:
    return "parameter" if scene.moment.name_role(j) == "parameter" else "wire"


def _rail(scene: Scene, j: int, taps: Sequence[Tap], y: float) -> Drawing:
    """A box at the left, the rail to the right of it, and at each tap a dot, the flow, a dashed line to the gate."""
    role = _role(scene, j)
    box = _box(scene, j, taps)
    shapes: list[Shape] = [replace(box, at=(-GAP - box.width / 2 - 4, y))]
    edges: list[Edge] = []
    last = box.key
    for tap in sorted(taps, key=lambda tap: tap.x):
        key = f"t{j}x{tap.root}"
        shapes.append(Joint(key, role=role, at=(tap.x, y)))
        edges.append(
            Edge(last, key, arrow=False, role=role, tail_side="e" if last == box.key else "")
        )
        last = key
        words = flow_text(scene, tap.flow)
        if words:
            shapes.append(Caption(f"{key}f", words, at=(tap.x + 5 + text_width(words) / 2, y + 8)))
        tail = key
        if tap.turn is not None:
            tail = f"{key}t"
            shapes.append(Joint(tail, dot=False, role=role, at=(tap.x, tap.turn)))
            edges.append(_drop(role, tap, key, tail, arrow=False))
        edges.append(_drop(role, tap, tail, f"g{tap.root}"))
    return Drawing(tuple(shapes), tuple(edges))


def _drop(role: Role, tap: Tap, tail: str, head: str, *, arrow: bool = True) -> Edge:
    """A dashed line from a shared node to a gate, red while a flow runs back along it."""
    role = "gradient" if tap.moving else role
    return Edge(tail, head, arrow=arrow, role=role, dashed=True, heavy=tap.moving)


def _fan(scene: Scene, j: int, taps: Sequence[Tap], gates: Mapping[str, Point | None]) -> Drawing:
    """One box above the middle, and a dashed line from it to every step."""
    places = [spot for tap in taps if (spot := gates[f"g{tap.root}"]) is not None]
    middle = sum(x for x, _ in places) / len(places)
    height = scene.sheet.ceiling + 78
    box = _box(scene, j, taps)
    shapes: list[Shape] = [replace(box, at=(middle, height))]
    edges: list[Edge] = []
    for tap, (x, y) in zip(taps, places, strict=True):
        edges.append(_drop(_role(scene, j), tap, box.key, f"g{tap.root}"))
        words = flow_text(scene, tap.flow)
        if words:
            side = -1 if x < middle else 1
            at = ((x + middle) / 2 + side * (10 + text_width(words) / 2), (y + height) / 2 + 6)
            shapes.append(Caption(f"t{j}x{tap.root}f", words, at=at))
    return Drawing(tuple(shapes), tuple(edges))


def _box(scene: Scene, j: int, taps: Sequence[Tap]) -> Card:
    """The name, the value, and the gradient as the sum of what the steps sent."""
    moment = scene.moment
    ordered = sorted(taps, key=lambda tap: (tap.time, tap.root))
    node, reading = moment.trace[j], moment.read(j)
    name = name_text(node.name or node.label, role=moment.name_role(j), size=15, bold=True)
    front = (*name, Run("   "), *reading.value, Run("   "))
    title = (*front, *sum_text(moment, j, [tap.flow for tap in ordered]))
    full = (*front, *sum_text(moment.at_end(), j, [tap.final for tap in ordered]))
    role: Role = "parameter" if moment.name_role(j) == "parameter" else "ink"
    room = room_for(title, full) + 8
    return Card(f"n{j}", title, (), (), width=room, tip=moment.tip(j, reading), role=role)


def flow_text(scene: Scene, flow: Any) -> Text:
    """What stands at a tap: the flow with its sign, or its labelled root mean square; nothing before it arrives."""
    if flow is None:
        return ()
    text = scene.moment.write(flow)
    return (Run(f"+{text}" if text[0].isdigit() and text != "0" else text, "gradient", 11),)


def sum_text(moment: Moment, j: int, flows: Sequence[Any]) -> Text:
    """`∂L/∂w = 0.01 + 0.03 + … = 0.41`; for a tensor the root mean squares of the flows and of their sum, called so."""
    status = moment.timeline.status(moment.position, j)
    if status.state in WORDED:
        return moment.read(j).gradient
    total = moment.timeline.gradient(moment.position, j)
    arrived = [flow for flow in flows if flow is not None]
    if total is None or not arrived:
        return (Run(GLYPHS[status.state], "quiet", SMALL),)
    head = (
        _red("∂"),
        *_name(moment, moment.trace.loss),
        _red("/∂"),
        *_name(moment, j),
        _red(" = "),
    )
    if np.size(total) == 1:
        terms = ["…"] if status.state == "partial" else []
        terms += _elided([moment.write(flow) for flow in arrived])
        body, result = " + ".join(terms).replace("+ −", "− "), moment.write(total)
        link = " = "
    else:
        rms = ", ".join(_elided([numeral(root_mean_square(flow)) for flow in arrived]))
        body, result = f"sum of {len(arrived)} flows of rms {rms}", numeral(root_mean_square(total))
        link = ":  rms "
    runs = [*head, _red(body + link), Run(result, "gradient", 13, bold=True)]
    if status.state == "partial":
        runs.append(Run(f" {GLYPHS['partial']} {status.arrived}/{status.expected}", "quiet", SMALL))
    return tuple(runs)


def _elided(terms: Sequence[str]) -> list[str]:
    return [*terms] if len(terms) <= MOST_TERMS else [*terms[:3], "…", *terms[-2:]]


def _red(text: str) -> Run:
    return Run(text, "gradient", 13)


def _name(moment: Moment, i: int) -> Text:
    """The name of a node within ∂ ⋅ / ∂ ⋅; a loss without a name is called L."""
    node = moment.trace[i]
    name = node.name or ("L" if i == moment.trace.loss else node.label)
    return name_text(name, role="gradient", size=13, italic=False)
