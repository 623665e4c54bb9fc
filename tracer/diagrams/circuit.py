"""The circuit style: every number on its wire, the value above and the gradient below, and round gates between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from tracer.diagrams.frames import Frames, Part, framed, frames_of
from tracer.diagrams.gates import gate_text, is_ordered
from tracer.diagrams.measure import room_for
from tracer.diagrams.moments import SMALL, Moment
from tracer.diagrams.names import name_text
from tracer.diagrams.numerals import numeral, signed
from tracer.diagrams.picture import (
    Caption,
    Edge,
    Gate,
    Joint,
    Picture,
    Role,
    Run,
    Shape,
    Text,
    Wire,
)
from tracer.diagrams.settings import Settings
from tracer.insight.routes import slope

LEAST_ROOM = 46.0
FAN, FAN_SPAN = 4, 4
"""Where a wire parts into so many branches, these go over so many ranks."""
LOCAL: Text = (
    Run("×n", "quiet", 11, italic=True),
    Run("  local derivative: what the gradient is multiplied by on its way back", "quiet", 11),
)


def circuit(part: Part, moment: Moment, settings: Settings) -> Picture:
    """The picture of scalars as a circuit. A value with several uses parts at a dot; branches bear flows.

    With `settings.local` each line into a gate bears the local derivative, by which the gradient is multiplied there.
    """
    frames = frames_of(part)
    placed: dict[int, list[Shape]] = defaultdict(list)
    edges: list[Edge] = []
    states: set[str] = set()
    sources: dict[int, str] = {}  # an edge of the trace, and the shape that it leaves from
    for i in part.nodes:
        operation = part.draws_operation(i)
        if operation:
            home = frames.around[i]
            placed[home[-1] if home else -1].append(_gate(moment, i))
            if settings.local:
                factors, wiring = _factors(moment, i, sources)
                placed[home[-1] if home else -1] += factors
                edges += wiring
            edges += _into_gate(moment, i, sources)
            edges += _kept_apart(frames, moment, i)
        readers = [int(moment.trace.edge_consumer[e]) for e in part.uses(i)]
        home = (
            frames.around[i] if not operation else frames.shared([i, *readers]) if readers else ()
        )
        states.add(moment.timeline.status(moment.position, i).state)
        shapes, wiring = _wire(part, moment, i, sources)
        placed[home[-1] if home else -1] += shapes
        edges += wiring
        if len(part.uses(i)) > 1:
            branches, wiring = _branches(moment, i, part.uses(i), sources)
            edges += wiring
            for branch, reader in zip(branches, readers, strict=True):
                around = frames.around[reader]
                inner = around if around[: len(home)] == home else home
                placed[inner[-1] if inner else -1].append(branch)
    notes = local_gradients(part, moment, frames)
    outside, clusters = framed(frames.frames, placed, notes, filled=False)
    said = (LOCAL,) if settings.local and any(moment.trace.edge_flows) else ()
    return Picture(
        outside,
        tuple(edges),
        clusters,
        caption=(*said, *moment.caption(states)),
        spread=(0.16, 0.22),
    )


def _gate(moment: Moment, i: int) -> Gate:
    return Gate(
        f"g{i}",
        gate_text(moment.trace, i),
        tip=moment.trace[i].op_name,
        ahead=not moment.has_run(i),
        current=moment.current(i),
        ordered=is_ordered(moment.trace, i),
        nodes=(i,),
    )


def _into_gate(moment: Moment, i: int, sources: Mapping[int, str]) -> list[Edge]:
    """The arrows into a gate, by argument, and the wire out of it."""
    trace, ahead = moment.trace, not moment.has_run(i)
    start = int(trace.input_start[i])
    edges = []
    for argument, j in enumerate(trace.inputs_of(i)):
        if j < 0:
            continue
        moving = moment.sending(i, argument)
        edges.append(
            Edge(
                sources[start + argument],
                f"g{i}",
                tail_side="e",
                role="gradient" if moving else "ahead" if ahead else "wire",
                dashed=ahead,
                heavy=moving,
            )
        )
    role: Role = "ahead" if ahead else "wire"
    edges.append(Edge(f"g{i}", f"n{i}", "", "w", arrow=False, role=role, dashed=ahead, weight=5))
    return edges


def _factors(moment: Moment, i: int, sources: dict[int, str]) -> tuple[list[Shape], list[Edge]]:
    """A piece of wire ahead of each argument of a gate, with the local derivative once the gate has run."""
    trace, ahead = moment.trace, not moment.has_run(i)
    role: Role = "ahead" if ahead else "wire"
    shapes: list[Shape] = []
    edges: list[Edge] = []
    start, end = trace.input_start[i : i + 2].tolist()
    for edge in range(start, end):
        if not trace.edge_flows[edge]:
            continue
        moving = moment.sending(i, edge - start)
        text = (Run(f"×{moment.write(slope(trace, edge))}", "quiet", 12, italic=True),)
        shapes.append(
            Wire(f"l{edge}", () if ahead else text, (), width=room_for(text, least=24), role=role)
        )
        edges.append(
            Edge(
                sources[edge],
                f"l{edge}",
                "" if sources[edge][0] == "j" else "e",
                "w",
                arrow=False,
                role="gradient" if moving else role,
                dashed=ahead,
                heavy=moving,
            )
        )
        sources[edge] = f"l{edge}"
    return shapes, edges


def _kept_apart(frames: Frames, moment: Moment, i: int) -> list[Edge]:
    """Leaves in the frame of a gate stand right of what enters the frame, so that frames stand one after the other."""
    trace = moment.trace
    inputs = [j for j in trace.inputs_of(i) if j >= 0]
    leaves = [
        j for j in inputs if trace.op_of[j] < 0 and frames.around[j] and len(trace.uses_of(j)) == 1
    ]
    entering = [j for j in inputs if j not in leaves and frames.around[j] != frames.around[i]]
    return [Edge(f"n{j}", f"n{leaf}", hidden=True) for leaf in leaves for j in entering[:1]]


def _wire(
    part: Part, moment: Moment, i: int, sources: dict[int, str]
) -> tuple[list[Shape], list[Edge]]:
    """The wire of node i with what follows it: nothing, a dot at which it parts, or the end of the circuit."""
    trace = moment.trace
    reading, final = moment.read(i), moment.fullest(i)
    name = trace[i].name
    role: Role = "wire" if moment.has_run(i) else "ahead"
    uses = part.uses(i)
    is_output = not uses
    leaf = not part.draws_operation(i)
    written = name_text(name, role=moment.name_role(i)) if name else ()
    shown = () if is_output and not leaf else written
    width = room_for(final.value, final.gradient, least=LEAST_ROOM)
    if shown and not leaf:
        width = room_for((*shown, Run("  "), *final.value), least=width)
    shapes: list[Shape] = [
        Wire(
            f"n{i}",
            reading.value,
            reading.gradient,
            shown,
            name_at="left" if leaf else "above",
            width=width,
            tip=moment.tip(i, reading),
            role=role,
            nodes=(i,),
        )
    ]
    if len(uses) == 1:
        sources[uses[0]] = f"n{i}"
        return shapes, []
    if is_output:
        if leaf:
            return shapes, []
        shapes.append(Caption(f"o{i}", (Run(" "), *written) if written else ()))
        return shapes, [Edge(f"n{i}", f"o{i}", tail_side="e", role=role, dashed=role == "ahead")]
    edge = Edge(f"n{i}", f"j{i}", tail_side="e", arrow=False, role=role, weight=3)
    return [*shapes, Joint(f"j{i}")], [edge]


def _branches(
    moment: Moment, i: int, uses: tuple[int, ...], sources: dict[int, str]
) -> tuple[list[Shape], list[Edge]]:
    """From the dot where a wire parts a piece of wire for each use, with the flow that comes back along it."""
    trace = moment.trace
    flows = set(trace.timeline.arrivals(i))
    shapes: list[Shape] = []
    role: Role = "wire" if moment.has_run(i) else "ahead"
    edges = []
    for use in uses:
        consumer, argument = int(trace.edge_consumer[use]), int(trace.edge_argument[use])
        room = _flow_text(moment, use) if use in flows else NO_FLOW
        text = room if use not in flows or moment.has_come(use) else ()
        key = sources[use] = f"b{use}"
        shapes.append(Wire(key, (), text, width=room_for(room, least=24), role=role))
        moving = moment.sending(consumer, argument)
        edges.append(
            Edge(
                f"j{i}",
                key,
                "",
                "w",
                arrow=False,
                role="gradient" if moving else role,
                heavy=moving,
                span=FAN_SPAN if len(uses) >= FAN else 1,
            )
        )
    return shapes, edges


NO_FLOW: Text = (Run("no flow", "quiet", SMALL),)


def _flow_text(moment: Moment, edge: int) -> Text:
    return (Run(signed(moment.flow(edge)), "gradient", 12),)


def local_gradients(part: Part, moment: Moment, frames: Frames) -> dict[int, Text]:
    """For each frame with one tracked value in and one out, ∂out/∂in as a note for its label, once both are known."""
    trace = moment.trace
    entering: dict[int, set[int]] = defaultdict(set)
    leaving: dict[int, set[int]] = defaultdict(set)
    for i in part.nodes:
        path = frames.around[i] if part.draws_operation(i) else ()
        for j in trace.inputs_of(i) if part.draws_operation(i) else ():
            if j >= 0 and trace.tracked[j]:
                origin = frames.around[j] if part.draws_operation(j) else ()
                crossing = [k for k in path if k not in origin]
                for k in crossing:
                    entering[k].add(j)
                for k in origin:
                    if k not in path:
                        leaving[k].add(j)
        if not part.uses(i):
            for k in path:
                leaving[k].add(i)
    notes: dict[int, Text] = {}
    for k in sorted(entering):
        if len(entering[k]) == 1 and len(leaving[k]) == 1:
            slope = _slope(part, moment, frames, k, min(entering[k]), min(leaving[k]))
            if slope is not None:
                notes[k] = (Run(f"   local gradient {numeral(slope)}", "quiet", 12),)
    return notes


def _slope(
    part: Part, moment: Moment, frames: Frames, frame: int, source: int, result: int
) -> float | None:
    """What the frame sends to its input per unit of its output's gradient; None while either is open, or at 0/0."""
    trace, timeline, position = moment.trace, moment.timeline, moment.position
    if any(timeline.status(position, i).state != "final" for i in (source, result)):
        return None
    gradient = trace.seen_gradient(result)
    outer = 0.0 if gradient is None else float(gradient)
    inside = [
        float(trace.seen_flow(edge))
        for edge in timeline.arrivals(source)
        if (reader := int(trace.edge_consumer[edge])) in part.inside
        and frame in frames.around[reader]
    ]
    return sum(inside) / outer if outer and inside else None
