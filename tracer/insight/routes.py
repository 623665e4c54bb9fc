"""Routes: the chains of flows from the loss to a node, counted, found and valued.

A gradient is the sum over its routes, but there may be 2⁶⁰ of them, so they are counted by dynamic programming over the
flows, and listed only between two nodes that have few routes between them.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ops.primitive import Array
from tracer.fetching import fetched, seen
from tracer.traces import Trace
from tracer.values import read_only

MOST_COUNTED = 10**30
"""Counting stops here: it stands for so many routes or more. The true number may have thousands of digits."""


class Meeting(NamedTuple):
    """A node through which every route to a source comes, and how many routes lead from it to the source."""

    node: int
    routes: int


class Route(NamedTuple):
    """A chain of flows: the edges of the trace along which it runs, in the order of the backward pass."""

    edges: tuple[int, ...]


def flows_out(trace: Trace, node: int) -> list[int]:
    """The edges along which flows come to a node, rising: the uses that send something back."""
    return [edge for edge in trace.uses_of(node) if trace.edge_flows[edge]]


def routes_from_loss(trace: Trace) -> list[int]:
    """For each node the number of routes from the loss to it, at most `MOST_COUNTED`.

    >>> import tracer as tr
    >>> y = tr.tensor(1.0)
    >>> for _ in range(60):
    ...     y = y + y
    >>> routes_from_loss(tr.trace(y))[0] == 2**60
    True
    """
    counts = [0] * len(trace)
    if trace.loss >= 0 and trace.receives[trace.loss]:
        counts[trace.loss] = 1
    edges = np.flatnonzero(trace.edge_flows)[::-1]
    consumers, sources = trace.edge_consumer[edges].tolist(), trace.input_of[edges].tolist()
    for consumer, source in zip(consumers, sources, strict=True):
        counts[source] = min(counts[source] + counts[consumer], MOST_COUNTED)
    return counts


def meetings(trace: Trace, source: int) -> Iterator[Meeting]:
    """The nodes where all routes of a source meet, the nearest first and the loss last; made as they are asked for.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0)
    >>> h = x * x
    >>> list(meetings(tr.trace(h + h), 0))
    [Meeting(node=1, routes=2), Meeting(node=2, routes=4)]
    """
    counts: defaultdict[int, int] = defaultdict(int)
    counts[source] = 1
    waiting = [source]
    while waiting:
        node = heapq.heappop(waiting)
        count = counts.pop(node)
        if not waiting and node != source:  # nothing else is open, and edges lead to larger numbers
            yield Meeting(node, count)
        for edge in flows_out(trace, node):
            consumer = int(trace.edge_consumer[edge])
            if consumer not in counts:
                heapq.heappush(waiting, consumer)
            counts[consumer] = min(counts[consumer] + count, MOST_COUNTED)


def routes_between(trace: Trace, meeting: Meeting, source: int) -> tuple[Route, ...]:
    """Every route from a meeting to its source, by the flow that enters the source; the caller has looked at how many.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0)
    >>> trace = tr.trace(tr.exp(x) + x)
    >>> routes_between(trace, Meeting(2, 2), 0)
    (Route(edges=(1, 0)), Route(edges=(2,)))
    """
    found: list[Route] = []
    waiting: list[tuple[int, list[int]]] = [(source, [])]
    while waiting:
        node, edges = waiting.pop()
        while node != meeting.node:
            first, *others = flows_out(trace, node)
            waiting += [
                (int(trace.edge_consumer[edge]), [*edges, edge]) for edge in reversed(others)
            ]
            edges.append(first)
            node = int(trace.edge_consumer[first])
        found.append(Route(tuple(reversed(edges))))
    return tuple(found)


def contribution(trace: Trace, route: Route) -> Array:
    """What one route adds to the gradient of the node where it ends: the local vjps along it, applied in order.

    It starts with the gradient of the node where the route starts. Over all routes between two nodes, of which the
    upper is a meeting of the lower, the contributions add up to the gradient of the lower.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0)
    >>> trace = tr.trace(x * x + x)
    >>> [float(contribution(trace, route)) for route in routes_between(trace, Meeting(2, 3), 0)]
    [3.0, 3.0, 1.0]
    """
    return read_only(fetched(_contributed(trace, route)))


def seen_contribution(trace: Trace, route: Route) -> Any:
    """The same as views read it: a large array of a device from afar."""
    return read_only(seen(_contributed(trace, route)))


def _contributed(trace: Trace, route: Route) -> Any:
    cotangent = trace.held_gradient(int(trace.edge_consumer[route.edges[0]]))
    assert cotangent is not None
    for edge in route.edges:
        cotangent = pulled_along(trace, edge, cotangent)
    return cotangent


def pulled_along(trace: Trace, edge: int, cotangent: Array) -> Array:
    """The vjp of one edge: what its consumer would send along it if its gradient were `cotangent`, where that lies."""
    consumer, argument = int(trace.edge_consumer[edge]), int(trace.edge_argument[edge])
    wanted = [k == argument for k in range(len(trace.inputs_of(consumer)))]
    with np.errstate(all="ignore"):
        found: Array = trace.pull_back(consumer, cotangent, wanted)[argument]
    return found


def slope(trace: Trace, edge: int) -> Array:
    """The local derivative of a scalar operation by the argument that an edge is.

    >>> import tracer as tr
    >>> slope(tr.trace(tr.tensor(3.0) * tr.tensor(5.0)), 0)
    np.float64(5.0)
    """
    dtype = trace.storage.held(int(trace.edge_consumer[edge])).dtype
    return pulled_along(trace, edge, np.ones((), dtype)[()])
