"""The first half of the drawing: which column a node stands in, and in which order the nodes of a column come.

Layers are longest paths. A node that does not depend on a data input, and a branch that only feeds one node, stand
as late as they can, so weights sit beside their first use. A wire over several layers runs through *bends*, one per
layer, shared by all
uses of one value.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SWEEPS = 8


@dataclass(frozen=True)
class Graph:
    """What is to be drawn: for every node the nodes it reads, in argument order; -1 stands for one that is not drawn.

    `data` marks the leaves that carry data, as opposed to weights and constants. A node reads only nodes of a
    smaller number.
    """

    inputs: tuple[tuple[int, ...], ...]
    data: frozenset[int] = frozenset()

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
    """
    count = len(graph)
    layer = [0] * count
    consumers: list[set[int]] = [set() for _ in range(count)]
    for node, inputs in enumerate(graph.inputs):
        drawn = [i for i in inputs if i >= 0]
        layer[node] = max((layer[i] + 1 for i in drawn), default=0)
        for i in drawn:
            consumers[i].add(node)
    late = _may_stand_late(graph, consumers)
    for node in range(count - 1, -1, -1):
        if consumers[node] and late[node]:
            layer[node] = min(layer[c] for c in consumers[node]) - 1
    used = {layer_: rank for rank, layer_ in enumerate(sorted(set(layer)))}
    return [used[layer_] for layer_ in layer]


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
    """The (consumer, argument) whose wires have to go so that at most `budget` bends remain; the longest go first."""
    edges = [
        (layer[node] - layer[i], node, argument, i)
        for node, inputs in enumerate(graph.inputs)
        for argument, i in enumerate(inputs)
        if i >= 0
    ]
    limit = max((span for span, *_ in edges), default=1)
    while limit > 1:
        reach: dict[int, int] = {}
        for span, _, _, i in edges:
            if span <= limit:
                reach[i] = max(reach.get(i, 1), span)
        if sum(span - 1 for span in reach.values()) <= budget:
            break
        limit = max(1, limit // 2)
    return frozenset((node, argument) for span, node, argument, _ in edges if span > limit)


def build_net(graph: Graph, *, budget: int) -> Net:
    """Layers, bends and the order within the layers: the drawing but for its coordinates."""
    layer = layers(graph)
    cut = cut_long_wires(graph, layer, budget)
    source = list(range(len(graph)))
    up: list[list[tuple[int, int]]] = [[] for _ in source]
    down: list[list[tuple[int, int]]] = [[] for _ in source]
    rows: list[list[int]] = [[] for _ in range(max(layer, default=-1) + 1)]
    for node, at in enumerate(layer):
        rows[at].append(node)
    trunk: dict[tuple[int, int], int] = {}
    for node, inputs in enumerate(graph.inputs):
        for argument, i in enumerate(inputs):
            if i < 0 or (node, argument) in cut:
                continue
            previous = i
            for at in range(layer[i] + 1, layer[node]):
                bend = trunk.get((i, at))
                if bend is None:
                    bend = trunk[i, at] = len(source)
                    source.append(i)
                    layer.append(at)
                    rows[at].append(bend)
                    up.append([(previous, -1)])
                    down.append([])
                    down[previous].append((bend, -1))
                previous = bend
            up[node].append((previous, argument))
            down[previous].append((node, argument))
    order = order_layers(rows, up, down, arguments=[len(inputs) for inputs in graph.inputs])
    return Net(
        tuple(layer), tuple(source), tuple(map(tuple, up)), tuple(map(tuple, down)), order, cut
    )


def order_layers(
    rows: Sequence[Iterable[int]],
    up: Sequence[Sequence[tuple[int, int]]],
    down: Sequence[Sequence[tuple[int, int]]],
    *,
    arguments: Sequence[int],
) -> tuple[tuple[int, ...], ...]:
    """Order each layer by the mean place of its neighbours, back and forth.

    The order with the fewest crossings wins, the earlier of equals.
    """
    order = [list(row) for row in rows]
    place = [0.0] * len(up)
    for row in order:
        _number(row, place)
    best, fewest = [list(row) for row in order], crossings(order, down, place)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        forward = sweep % 2 == 0
        for row in order if forward else reversed(order):
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
        seen: list[tuple[float, int]] = []
        for vertex in row:
            ends = sorted((place[other], argument) for other, argument in down[vertex])
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                seen.insert(bisect_right(seen, end), end)
    return total
