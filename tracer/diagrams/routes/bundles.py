"""What a figure of gradient paths tells: whose gradient it takes apart, into which routes, and what each contributes.

Up to four routes are told one by one, as far towards the loss as there are no more than four. Where more of them meet
at once, those that enter by the same flow are one bundle; of more than four flows the largest three stay by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracer import errors
from tracer.diagrams.frames import Part
from tracer.diagrams.names import plain
from tracer.diagrams.picture import Role
from tracer.diagrams.routes.ways import region_name, route_names, stops_of, told_apart
from tracer.insight.routes import (
    MOST_COUNTED,
    Meeting,
    Route,
    flows_out,
    meetings,
    routes_between,
    routes_from_loss,
    seen_contribution,
)
from tracer.stats import rms
from tracer.traces import Trace

ROLES: tuple[Role, ...] = ("route0", "route1", "route2", "route3")
MOST = len(ROLES)


@dataclass(frozen=True)
class Bundle:
    """Routes that are drawn as one line."""

    role: Role
    name: str
    edges: frozenset[int]
    """The edges of the trace along which they run."""
    entries: tuple[int, ...]
    """The edges by which they enter the node whose gradient is taken apart."""
    routes: int
    contribution: Any
    """As views read it: a large array of a device from afar."""
    route: Route | None = None
    """The route, where there is only one."""


@dataclass(frozen=True)
class Braid:
    """The routes from a meeting to a node, as bundles whose contributions add up to the gradient of the node."""

    source: int
    meeting: Meeting
    bundles: tuple[Bundle, ...]
    trunk: frozenset[int]
    """The nodes that all routes share, the meeting among them."""
    total: int
    """How many routes lead from the loss to the node."""

    def through(self, edge: int) -> tuple[Bundle, ...]:
        """The bundles that run along an edge of the trace."""
        return tuple(bundle for bundle in self.bundles if edge in bundle.edges)


def braid_of(part: Part, around: str | int | None) -> Braid:
    """The routes to a node: to the one asked for, or to the one that feeds the most flows.

    Raises `DiagramError` where no gradient reaches the node, or where every gradient has only one route.
    """
    trace = part.trace
    counts = routes_from_loss(trace)
    source = _wanted(trace, around) if around is not None else _widest(part, counts)
    met = _meeting(trace, source)
    if met.routes <= MOST:
        routes = routes_between(trace, met, source)
        trunk = frozenset.intersection(*(stops_of(trace, route.edges) for route in routes))
        names = route_names(trace, routes, trunk)
        bundles = tuple(
            Bundle(
                role,
                name,
                frozenset(route.edges),
                route.edges[-1:],
                1,
                seen_contribution(trace, route),
                route,
            )
            for role, name, route in zip(ROLES, names, routes, strict=False)
        )
    else:
        trunk = frozenset({met.node})
        bundles = _by_flow(trace, source, met)
    return Braid(source, met, bundles, trunk, counts[source])


def _wanted(trace: Trace, around: str | int) -> int:
    source = trace.node_index(around)
    label = plain(trace.label(source), longest=40)
    if not trace.receives[source]:
        state = trace.timeline.status(trace.timeline.last, source)
        raise errors.DiagramError(
            f"no gradient path leads to {label}: its gradient is {state}\n  try: another node"
        )
    if source == trace.loss:
        raise errors.DiagramError(
            f"the gradient of {label} is the seed: it comes along no path\n  try: another node"
        )
    return source


def _widest(part: Part, counts: Sequence[int]) -> int:
    """The node that feeds the most flows; of several, the one with the most routes, then the earliest."""
    trace = part.trace
    edges = np.flatnonzero(trace.edge_flows)
    uses = np.bincount(trace.input_of[edges], minlength=len(trace))
    branching = [i for i in part.nodes if uses[i] > 1]
    if not branching:
        raise errors.DiagramError(
            "the paths style tells the flows into one value apart, and every gradient here has a single flow\n"
            "  try: around=... for the one path to a node, or style='backward'"
        )
    return max(branching, key=lambda i: (uses[i], counts[i], -i))


def _meeting(trace: Trace, source: int) -> Meeting:
    """The nearest meeting with as many routes as can be told one by one; the loss if there is a single route."""
    best: Meeting | None = None
    for meeting in meetings(trace, source):
        if best is not None and meeting.routes > MOST:
            break
        if best is None or meeting.routes > best.routes or best.routes == 1:
            best = meeting
        if meeting.routes > MOST:
            break
    assert best is not None  # a node that receives a flow has one
    return best


def _by_flow(trace: Trace, source: int, met: Meeting) -> tuple[Bundle, ...]:
    """A bundle for each flow into the source; of more than four, the three largest and one of all others."""
    entries = flows_out(trace, source)
    sent = {edge: trace.seen_flow(edge) for edge in entries}
    groups: list[tuple[int, ...]] = [(edge,) for edge in entries]
    if len(entries) > MOST:
        size = {edge: rms(sent[edge]) for edge in entries}
        kept = sorted(entries, key=lambda edge: (-size[edge], edge))[: MOST - 1]
        groups = [(edge,) for edge in sorted(kept)]
        groups.append(tuple(edge for edge in entries if edge not in kept))
    regions = [_region(trace, group, met.node) for group in groups]
    counts = [
        _count(trace, region, group, met.node)
        for region, group in zip(regions, groups, strict=True)
    ]
    names = [
        f"{len(group)} others" if len(group) > 1 else region_name(trace, source, k, regions)
        for k, group in enumerate(groups)
    ]
    with np.errstate(all="ignore"):
        sums = [sum((sent[edge] for edge in group[1:]), sent[group[0]]) for group in groups]
    return tuple(
        Bundle(role, name, region, group, count, total)
        for role, name, region, group, count, total in zip(
            ROLES, told_apart(names), regions, groups, counts, sums, strict=False
        )
    )


def _region(trace: Trace, entries: Iterable[int], end: int) -> frozenset[int]:
    """The edges on routes that enter by one of these."""
    found, waiting = set(entries), list(entries)
    while waiting:
        node = int(trace.edge_consumer[waiting.pop()])
        for edge in flows_out(trace, node) if node != end else ():
            if edge not in found:
                found.add(edge)
                waiting.append(edge)
    return frozenset(found)


def _count(trace: Trace, region: frozenset[int], entries: Sequence[int], end: int) -> int:
    """How many routes of a region lead from its end to its entries."""
    counts: dict[int, int] = {}
    for edge in sorted(region, key=lambda edge: int(trace.input_of[edge])):
        below = 1 if edge in entries else counts.get(int(trace.input_of[edge]), 0)
        consumer = int(trace.edge_consumer[edge])
        counts[consumer] = min(counts.get(consumer, 0) + below, MOST_COUNTED)
    return counts.get(end, 0)
