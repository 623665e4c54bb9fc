"""The first half of the drawing: which layer a box stands in, and in which order the boxes of a layer come.

Layers are longest paths. A box that does not depend on a data input, and a branch that only feeds one box, stand
as late as they can, so weights sit beside their first use. The boxes of a time step stand in layers of their own, time
after time. A wire over several layers runs through *bends*, one per layer, shared by all uses of one value.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

SWEEPS, FEWER_SWEEPS = 8, 4
LARGE = 2000
"""A net of more vertices than this is ordered and placed in fewer sweeps."""
MOST_WIRES = 64
"""A box that reads more values than this shows wires for the first and the last of them, and stubs for the others."""


class GivenUpError(Exception):
    """The drawing is not wanted any more."""


def never() -> bool:
    """The drawing is wanted to the end."""
    return False


@dataclass(frozen=True)
class Graph:
    """What is to be drawn: for every node the nodes it reads, in argument order; -1 stands for one that is not drawn.

    `data` marks the leaves that carry data, as opposed to weights and constants. A node reads only nodes of a
    smaller number. `times` gives the rank of the time step of each node, -1 for none; empty if there are no time steps.
    `silent` are the (node, argument) along which no gradient flows back.
    """

    inputs: tuple[tuple[int, ...], ...]
    data: frozenset[int] = frozenset()
    times: tuple[int, ...] = ()
    silent: frozenset[tuple[int, int]] = frozenset()

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Net:
    """The graph cut into layers. Vertices 0 .. nodes-1 are the nodes, the others are bends.

    `source` names the node that a vertex belongs to; `up` and `down` hold, per vertex, pairs (neighbour, argument),
    argument -1 at a bend; `cut` are the (consumer, argument) whose wire is too long to be drawn.
    """

    layer: tuple[int, ...]
    source: tuple[int, ...]
    up: tuple[tuple[tuple[int, int], ...], ...]
    down: tuple[tuple[tuple[int, int], ...], ...]
    order: tuple[tuple[int, ...], ...]
    cut: frozenset[tuple[int, int]]


def layers(graph: Graph) -> list[int]:
    """The layer of every node, counted from 0 and without gaps. O(nodes + edges), no recursion.

    >>> layers(Graph(inputs=((), (), (0, 1), (), (2, 3)), data=frozenset({0})))
    [0, 0, 1, 1, 2]
    >>> layers(Graph(inputs=((), (), (0,), (1,)), times=(0, 1, 0, 1)))
    [0, 2, 1, 3]
    """
    count = len(graph)
    layer = [0] * count
    consumers: list[set[int]] = [set() for _ in range(count)]
    times, order = in_time(graph)
    top = base = now = -1
    for node in order:
        time = times[node]
        if time > now:
            now, base = time, top + 1
        low = base if time >= 0 else 0
        for i in graph.inputs[node]:
            if i >= 0:
                low = max(low, layer[i] + 1)
                consumers[i].add(node)
        layer[node] = low
        if time >= 0:
            top = max(top, low)
    last: dict[int, int] = {}
    for node, time in enumerate(times):
        last[time] = max(last.get(time, 0), layer[node])
    late = _may_stand_late(graph, consumers)
    for node in reversed(order):
        if consumers[node] and late[node]:
            wish = min(layer[c] for c in consumers[node]) - 1
            layer[node] = wish if times[node] < 0 else min(wish, last[times[node]])
    used = {layer_: rank for rank, layer_ in enumerate(sorted(set(layer)))}
    return [used[layer_] for layer_ in layer]


def in_time(graph: Graph) -> tuple[Sequence[int], Sequence[int]]:
    """The time of each node, and an order of the nodes in which time never runs back.

    Where a value flows back in time (a bidirectional network), times are given up: all are -1.
    """
    count = len(graph)
    never_ = [-1] * count
    if not graph.times:
        return never_, range(count)
    reached = list(graph.times)
    for node, inputs in enumerate(graph.inputs):
        before = max((reached[i] for i in inputs if i >= 0), default=-1)
        if before > reached[node]:
            if graph.times[node] >= 0:
                return never_, range(count)
            reached[node] = before
    return graph.times, sorted(range(count), key=lambda node: (reached[node], node))


def _may_stand_late(graph: Graph, consumers: Sequence[set[int]]) -> list[bool]:
    """Leaves, nodes without data above them, and nodes whose whole past feeds nothing else."""
    count = len(graph)
    leaf = [not any(i >= 0 for i in inputs) for inputs in graph.inputs]
    data = [node in graph.data for node in range(count)]
    tree = [True] * count
    for node, inputs in enumerate(graph.inputs):
        for i in inputs:
            if i >= 0:
                data[node] = data[node] or data[i]
                tree[node] = tree[node] and (leaf[i] or (tree[i] and len(consumers[i]) == 1))
    return [leaf[node] or tree[node] or not data[node] for node in range(count)]


def cut_long_wires(graph: Graph, layer: Sequence[int], budget: int) -> frozenset[tuple[int, int]]:
    """The (consumer, argument) whose wires have to go so that at most `budget` bends remain; the longest go first.

    Of a node with very many arguments those in the middle go too.
    """
    edges = []
    middle = set()
    for node, inputs in enumerate(graph.inputs):
        for argument, i in enumerate(inputs):
            if min(argument, len(inputs) - 1 - argument) >= MOST_WIRES // 2:
                middle.add((node, argument))
            elif i >= 0:
                edges.append((layer[node] - layer[i], node, argument, i))
    limit = max((span for span, *_ in edges), default=1)
    while limit > 1:
        reach: dict[int, int] = {}
        for span, _, _, i in edges:
            if span <= limit:
                reach[i] = max(reach.get(i, 1), span)
        if sum(span - 1 for span in reach.values()) <= budget:
            break
        limit = max(1, limit // 2)
    return frozenset(
        middle | {(node, argument) for span, node, argument, _ in edges if span > limit}
    )


def build_net(graph: Graph, *, budget: int, given_up: Callable[[], bool] = never) -> Net:
    """Layers, bends and the order within the layers: the drawing but for its coordinates.

    Raises `GivenUpError` once `given_up` says so.
    """
    layer = layers(graph)
    cut = cut_long_wires(graph, layer, budget)
    source = list(range(len(graph)))
    up: list[list[tuple[int, int]]] = [[] for _ in source]
    down: list[list[tuple[int, int]]] = [[] for _ in source]
    rows: list[list[int]] = [[] for _ in range(max(layer, default=-1) + 1)]
    for node, at in enumerate(layer):
        rows[at].append(node)
    trunks: dict[int, list[int]] = {}
    for node, inputs in enumerate(graph.inputs):
        for argument, i in enumerate(inputs):
            if i < 0 or (node, argument) in cut:
                continue
            length = layer[node] - layer[i] - 1
            trunk = trunks.setdefault(i, [i])
            while len(trunk) <= length:
                bend, at = len(source), layer[i] + len(trunk)
                source.append(i)
                layer.append(at)
                rows[at].append(bend)
                up.append([(trunk[-1], -1)])
                down.append([])
                down[trunk[-1]].append((bend, -1))
                trunk.append(bend)
            up[node].append((trunk[length], argument))
            down[trunk[length]].append((node, argument))
    arguments = [len(inputs) for inputs in graph.inputs]
    order = order_layers(rows, up, down, arguments=arguments, given_up=given_up)
    return Net(
        tuple(layer), tuple(source), tuple(map(tuple, up)), tuple(map(tuple, down)), order, cut
    )


def order_layers(
    rows: Sequence[Iterable[int]],
    up: Sequence[Sequence[tuple[int, int]]],
    down: Sequence[Sequence[tuple[int, int]]],
    *,
    arguments: Sequence[int],
    given_up: Callable[[], bool] = never,
) -> tuple[tuple[int, ...], ...]:
    """Order each layer by the mean place of its neighbours, back and forth.

    The order with the fewest crossings wins, the earlier of equals.
    """
    order = [list(row) for row in rows]
    place = [0.0] * len(up)
    for row in order:
        _number(row, place)
    best, fewest = [list(row) for row in order], crossings(order, down, place)
    for sweep in range(SWEEPS if len(up) <= LARGE else FEWER_SWEEPS):
        if not fewest:
            break
        if given_up():
            raise GivenUpError
        forward = sweep % 2 == 0
        for row in order if forward else reversed(order):
            if len(row) == 1:
                continue
            wish = {
                v: _wish(v, (up if forward else down)[v], place, arguments, forward=forward)
                for v in row
            }
            row.sort(key=wish.__getitem__)
            _number(row, place)
        count = crossings(order, down, place)
        if count < fewest:
            best, fewest = [list(row) for row in order], count
    return tuple(tuple(row) for row in best)


def _number(row: Sequence[int], place: list[float]) -> None:
    for rank, vertex in enumerate(row):
        place[vertex] = float(rank)


def _wish(
    vertex: int,
    neighbours: Sequence[tuple[int, int]],
    place: Sequence[float],
    arguments: Sequence[int],
    *,
    forward: bool,
) -> float:
    """The mean place of the neighbours; seen from an input, the ports of a consumer lie apart, in argument order."""
    if not neighbours:
        return place[vertex]
    total = 0.0
    for other, argument in neighbours:
        total += place[other]
        if not forward and argument >= 0:
            total += (argument + 0.5) / max(1, arguments[other]) - 0.5
    return total / len(neighbours)


def crossings(
    order: Sequence[Sequence[int]],
    down: Sequence[Sequence[tuple[int, int]]],
    place: Sequence[float],
) -> int:
    """How many pairs of wires cross between neighbouring layers. O(wires * log)."""
    total = 0
    for row in order:
        if len(row) == 1:
            continue
        seen: list[tuple[float, int]] = []
        for vertex in row:
            ends = [(place[other], argument) for other, argument in down[vertex]]
            if len(ends) > 1:
                ends.sort()
            places = [bisect_right(seen, end) for end in ends]
            total += len(seen) * len(ends) - sum(places)
            for shift, (at, end) in enumerate(zip(places, ends, strict=True)):
                seen.insert(at + shift, end)
    return total
