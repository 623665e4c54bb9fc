"""The paths style: the routes by which a gradient comes to one value, each in its colour and dashes, with what it adds.

The lines lead forward, from the value to where all of its routes meet; the gradient comes back along them. On each
branch stands what the routes along it contribute; below the figure, how the contributions add up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set

from tracer.diagrams.frames import Frame, Part, framed, frames_of
from tracer.diagrams.gates import is_ordered
from tracer.diagrams.measure import room_for
from tracer.diagrams.moments import Moment
from tracer.diagrams.names import name_text, plain
from tracer.diagrams.picture import (
    Caption,
    Edge,
    Gate,
    Joint,
    Picture,
    Role,
    Run,
    Shape,
    Side,
    Wire,
)
from tracer.diagrams.routes.bundles import Braid, Bundle, braid_of
from tracer.diagrams.routes.stations import MOST_STATIONS, Station, station_text, stations_of
from tracer.diagrams.routes.sums import (
    LONGEST_NAME,
    contribution_text,
    count_words,
    notes,
    product_lines,
    sum_lines,
)
from tracer.diagrams.settings import Settings
from tracer.traces import Trace

LEAST_ROOM = 46.0
LINE_ROOM = 620.0
"""Points after which a sum goes on in a new line."""
MOST_FACTORS = 8


def paths(part: Part, moment: Moment, settings: Settings) -> Picture:
    """The picture of the routes to `settings.around`, or to the value that feeds the most flows."""
    trace = moment.trace
    braid = braid_of(part, settings.around)
    stations = stations_of(trace, braid, settings.most or MOST_STATIONS)
    frames = frames_of(part)
    placed: dict[int, list[Shape]] = defaultdict(list)
    source, end = braid.source, braid.meeting.node
    placed[-1], edges = _beginning(moment, braid)
    tails: dict[int, str] = {}
    for station in dict.fromkeys(stations.values()):
        node = station.key
        home = frames.shared(station.members)
        placed[home[-1] if home else -1].append(_gate(moment, station, braid))
        readers = [int(trace.edge_consumer[edge]) for edge in _leaving(trace, braid, node)]
        fork = node in braid.trunk and node != end and len(readers) > 1
        if fork or node == end:
            home = frames.shared([*station.members, *(readers or [source])])
            placed[home[-1] if home else -1] += _value(moment, node, fork=fork)
            if fork:
                placed[home[-1] if home else -1].append(Joint(f"x{node}", dot=False))
            edges.append(_line(moment, f"g{node}", f"n{node}", head_side="w", node=node))
        if fork:
            edges.append(_line(moment, f"n{node}", f"j{node}", tail_side="e", node=node))
            edges += _room_to_part(node, {stations[reader].key for reader in readers})
            tails[node] = f"j{node}"
    edges += _lines(moment, braid, stations, tails)
    last, line = _ending(moment, end)
    placed[-1].append(last)
    stretches = {f"g{station.key}" for station in stations.values() if len(station.members) > 1}
    _without_lone_frames(frames.frames, placed, stretches)
    outside_shapes, clusters = framed(frames.frames, placed, filled=True)
    said = (*sum_lines(moment, braid), *notes(moment, braid))
    if settings.local:
        said += product_lines(moment, braid)
    states = {moment.timeline.status(moment.position, i).state for i in (source, end)}
    branches = tuple(f"t{number}" for number in range(len(braid.bundles)))
    return Picture(
        outside_shapes,
        (*edges, line),
        clusters,
        abreast=(branches,) if len(branches) > 1 else (),
        caption=(*said, *moment.caption(states)),
        spread=(0.2, 0.3),
    )


def _without_lone_frames(
    frames: tuple[Frame, ...], placed: dict[int, list[Shape]], stretches: Set[str]
) -> None:
    """A frame around one shape goes if it is an inner one, or if the shape says its name."""
    holds: dict[int, int] = defaultdict(int)
    for k in reversed(range(len(frames))):
        holds[k] += len(placed[k])
        lone = placed[k][0].key if holds[k] == 1 and placed[k] else ""
        if lone and (frames[k].depth or lone in stretches):
            placed[frames[k].parent] += placed.pop(k)  # it is counted where it stands now
        else:
            holds[frames[k].parent] += holds[k]


def _leaving(trace: Trace, braid: Braid, node: int) -> list[int]:
    """The edges of the figure that lead on from a node."""
    return [edge for edge in trace.uses_of(node) if braid.through(edge)]


# ----- the value, its branches, and the operations


def _beginning(moment: Moment, braid: Braid) -> tuple[list[Shape], list[Edge]]:
    """The value whose gradient is taken apart, and a piece of wire for each bundle that bears what it contributes."""
    source = braid.source
    shapes = _value(moment, source, fork=len(braid.bundles) > 1, beside=True)
    if len(braid.bundles) == 1:
        return shapes, []
    edges = [_line(moment, f"n{source}", f"j{source}", tail_side="e", node=source)]
    for number, bundle in enumerate(braid.bundles):
        name = (Run(plain(bundle.name, longest=LONGEST_NAME), bundle.role, 12),)
        room = contribution_text(moment, bundle, finished=True)
        shapes.append(
            Wire(
                f"t{number}",
                name,
                contribution_text(moment, bundle),
                width=room_for(name, room, least=LEAST_ROOM),
                tip=f"{plain(bundle.name)}: {count_words(bundle.routes)}",
                role=bundle.role,
            )
        )
        edges.append(
            Edge(f"j{source}", f"t{number}", "", "w", arrow=False, role=bundle.role, heavy=True)
        )
    return shapes, edges


def _value(moment: Moment, i: int, *, fork: bool, beside: bool = False) -> list[Shape]:
    """The wire of a value, and a dot where it parts."""
    name = moment.trace.names[i]
    reading, final = moment.read(i), moment.fullest(i)
    shown = name_text(name, role=moment.name_role(i)) if name else ()
    width = room_for(final.value, final.gradient, least=LEAST_ROOM)
    if shown and not beside:
        width = room_for((*shown, Run("  "), *final.value), least=width)
    wire = Wire(
        f"n{i}",
        reading.value,
        reading.gradient,
        shown,
        name_at="left" if beside else "above",
        width=width,
        tip=moment.tip(i, reading),
        role="wire" if moment.has_run(i) else "ahead",
        nodes=(i,),
    )
    return [wire, Joint(f"j{i}")] if fork else [wire]


def _gate(moment: Moment, station: Station, braid: Braid) -> Gate:
    trace = moment.trace
    return Gate(
        f"g{station.key}",
        station_text(trace, station, braid),
        tip=", ".join(trace[i].op_name for i in station.members[:20]),
        ahead=not moment.has_run(station.key),
        current=any(moment.current(i) for i in station.members),
        ordered=len(station.members) == 1 and is_ordered(trace, station.key),
        nodes=station.members,
    )


def _ending(moment: Moment, end: int) -> tuple[Shape, Edge]:
    """Where the routes lead on: to the loss, or there already."""
    trace = moment.trace
    named = () if end == trace.loss else (Run(" ⋯ L"),)
    return Caption(f"o{end}", named), _line(
        moment, f"n{end}", f"o{end}", tail_side="e", node=end, arrow=True
    )


# ----- lines


def _line(
    moment: Moment,
    tail: str,
    head: str,
    *,
    node: int,
    tail_side: Side = "",
    head_side: Side = "",
    arrow: bool = False,
) -> Edge:
    """A line that all routes share."""
    ahead = not moment.has_run(node)
    role: Role = "ahead" if ahead else "wire"
    return Edge(tail, head, tail_side, head_side, arrow, role, dashed=ahead, weight=4)


def _lines(
    moment: Moment,
    braid: Braid,
    stations: Mapping[int, Station],
    tails: Mapping[int, str],
) -> list[Edge]:
    """The lines into the stations: one for each bundle that runs along an edge, or one that all of them share."""
    trace = moment.trace
    found: dict[tuple[str, str, Role, int], Edge] = {}
    between: dict[tuple[Station | None, Station], set[Role]] = defaultdict(set)
    for bundle in braid.bundles:
        for edge in bundle.edges:
            ends = int(trace.input_of[edge]), int(trace.edge_consumer[edge])
            between[stations.get(ends[0]), stations[ends[1]]].add(bundle.role)
    for edge in sorted({edge for bundle in braid.bundles for edge in bundle.edges}):
        below, above = int(trace.input_of[edge]), int(trace.edge_consumer[edge])
        station = stations[above]
        if below in stations and stations[below] == station:
            continue
        bundles = braid.through(edge)
        shared = len(bundles) == len(braid.bundles) > 1 or (
            len(between[stations.get(below), station]) > 2
            and max(len(station.members), len(stations.get(below, station).members)) > 1
        )
        single = len(station.members) == 1 and len(stations.get(below, station).members) == 1
        for bundle in bundles[:1] if shared else bundles:
            tail = (
                _tail(braid, bundle)
                if below == braid.source
                else tails.get(below, f"g{stations[below].key}")
            )
            role: Role = "wire" if shared else bundle.role
            line = (tail, f"g{station.key}", role, edge if single else -1)
            if line in found:
                continue
            side: Side = "e" if below == braid.source else ""
            found[line] = _route_line(moment, edge, tail, side, f"g{station.key}", role)
    return list(found.values())


def _tail(braid: Braid, bundle: Bundle) -> str:
    """What the line of a bundle leaves from: its piece of wire, or where there is one route the value itself."""
    if len(braid.bundles) == 1:
        return f"n{braid.source}"
    return f"t{braid.bundles.index(bundle)}"


def _room_to_part(node: int, readers: Iterable[int]) -> list[Edge]:
    """Keeps a rank free behind a fork, so that lines that pass a frame part before it begins."""
    first = Edge(f"j{node}", f"x{node}", hidden=True)
    return [first, *(Edge(f"x{node}", f"g{reader}", hidden=True) for reader in sorted(readers))]


def _route_line(moment: Moment, edge: int, tail: str, side: Side, head: str, role: Role) -> Edge:
    trace = moment.trace
    consumer, argument = int(trace.edge_consumer[edge]), int(trace.edge_argument[edge])
    ahead, moving = not moment.has_run(consumer), moment.sending(consumer, argument)
    return Edge(
        tail,
        head,
        tail_side=side,
        role="gradient" if moving else "ahead" if ahead else role,
        dashed=ahead,
        heavy=not ahead,
        weight=3 if role == "route0" else 1,
    )
