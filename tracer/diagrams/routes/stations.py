"""The stations of a figure of gradient paths: one operation each, or a stretch where there are many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from tracer.diagrams.gates import operand_text
from tracer.diagrams.names import plain
from tracer.diagrams.picture import Run, Text
from tracer.diagrams.routes.bundles import Braid
from tracer.diagrams.routes.ways import shared_depth
from tracer.traces import Trace

MOST_STATIONS = 24
"""With more operations on its routes, a figure shows stretches of them."""


@dataclass(frozen=True)
class Station:
    """Operations that are drawn as one; `key` is the last of them."""

    key: int
    members: tuple[int, ...] = field(compare=False)


def stations_of(trace: Trace, braid: Braid, most: int) -> Mapping[int, Station]:
    """For each operation on a route, the station it belongs to.

    With more operations than `most`, those that follow each other in one scope become a station; if that is not enough,
    those in the scope around it, and so on. Bundles of many routes become a station each, until they meet.
    """
    nodes = sorted({int(trace.edge_consumer[edge]) for b in braid.bundles for edge in b.edges})
    if len(nodes) <= most:
        return {node: Station(node, (node,)) for node in nodes}
    if any(bundle.route is None for bundle in braid.bundles):
        return _by_bundles(trace, braid, nodes)
    deepest = max(len(trace.scopes[trace.scope_of[node]]) for node in nodes)
    for depth in range(deepest, -1, -1):
        found = _runs(trace, braid, nodes, depth)
        if len({station.key for station in found.values()}) <= most:
            break
    return found


def _runs(trace: Trace, braid: Braid, nodes: list[int], depth: int) -> Mapping[int, Station]:
    """Stretches without a fork, a meeting or a change of the outer scopes."""
    edges = frozenset[int]().union(*(bundle.edges for bundle in braid.bundles))
    entering: dict[int, list[int]] = defaultdict(list)
    leaving: dict[int, int] = defaultdict(int)
    for edge in edges:
        entering[int(trace.edge_consumer[edge])].append(int(trace.input_of[edge]))
        leaving[int(trace.input_of[edge])] += 1
    run_of: dict[int, list[int]] = {}
    for node in nodes:
        before = entering[node]
        follows = (
            len(before) == 1
            and before[0] in run_of
            and leaving[before[0]] == 1
            and node != braid.meeting.node
            and trace.scopes[trace.scope_of[node]][:depth]
            == trace.scopes[trace.scope_of[before[0]]][:depth]
        )
        run_of[node] = run_of[before[0]] if follows else []
        run_of[node].append(node)
    return _as_stations(run_of)


def _by_bundles(trace: Trace, braid: Braid, nodes: list[int]) -> Mapping[int, Station]:
    """What the same bundles reach is one station: bundles only ever join, so that no station reads itself."""
    reached: dict[int, set[int]] = {node: set() for node in nodes}
    for number, bundle in enumerate(braid.bundles):
        for edge in bundle.edges:
            reached[int(trace.edge_consumer[edge])].add(number)
    groups: dict[object, list[int]] = defaultdict(list)
    run_of = {}
    for node in nodes:
        mark = node if node == braid.meeting.node else tuple(sorted(reached[node]))
        groups[mark].append(node)
        run_of[node] = groups[mark]
    return _as_stations(run_of)


def _as_stations(run_of: Mapping[int, list[int]]) -> Mapping[int, Station]:
    made = {
        run[-1]: Station(run[-1], tuple(run)) for node, run in run_of.items() if node == run[-1]
    }
    return {node: made[run[-1]] for node, run in run_of.items()}


def station_text(trace: Trace, station: Station, braid: Braid) -> Text:
    """What stands on a station: the operation, with the operand that no route brings, or how many it holds."""
    if len(station.members) == 1:
        start, end = trace.input_start[station.key : station.key + 2].tolist()
        arriving = [edge - start for edge in range(start, end) if braid.through(edge)]
        return operand_text(trace, station.key, arriving)
    scopes = [trace.scopes[trace.scope_of[node]] for node in station.members]
    shared = shared_depth(trace, station.members)
    first, last = (
        plain(str(scope[shared]), longest=24) if len(scope) > shared else ""
        for scope in (scopes[0], scopes[-1])
    )
    if not first or not last:
        first = last = plain(str(scopes[0][shared - 1]), longest=24) if shared else ""
    named = first if first == last else f"{first} … {last}"
    return (Run(f"{named}{': ' if named else ''}{len(station.members)} operations", size=12),)
