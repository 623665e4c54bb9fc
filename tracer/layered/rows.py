"""Which row each box and bend of a layer stands on.

Least squares with a minimal distance, solved exactly by pooling.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tracer.layered.layers import LARGE, GivenUpError, Net, never
from tracer.layered.ports import Ports

SWEEPS, FEWER_SWEEPS = 12, 8
WEIGHT_OF_A_BEND = 8.0


def spread(
    wishes: Sequence[float], heights: Sequence[int], weights: Sequence[float]
) -> list[float]:
    """The rows nearest to the wishes (weighted squares) at which things of these heights and this order do not overlap.

    Pool adjacent violators: subtract what stands above, average runs that fall, add it back. O(things).

    >>> spread([0.0, 0.0], [4, 4], [1.0, 1.0])
    [-2.0, 2.0]
    """
    pools: list[tuple[float, float, int]] = []
    above = 0
    for wish, height, weight in zip(wishes, heights, weights, strict=True):
        total, mass, size = (wish - above) * weight, weight, 1
        above += height
        while pools and pools[-1][0] * mass >= total * pools[-1][1]:
            last = pools.pop()
            total, mass, size = total + last[0], mass + last[1], size + last[2]
        pools.append((total, mass, size))
    rows: list[float] = []
    above = 0
    for total, mass, size in pools:
        for _ in range(size):
            rows.append(total / mass + above)
            above += heights[len(rows) - 1]
    return rows


def place_rows(
    net: Net, ports: Sequence[Ports], *, room: int = 1, given_up: Callable[[], bool] = never
) -> list[int]:
    """The first row of every vertex, from 0: wires as straight as the order allows.

    room: rows that a bend takes. Raises `GivenUpError` once `given_up` says so.
    """
    nodes = len(ports)
    height = [*(each.breadth for each in ports), *[room] * (len(net.layer) - nodes)]
    weight = [1.0] * nodes + [WEIGHT_OF_A_BEND] * (len(net.layer) - nodes)
    row = _stacked(net, height)
    pulls = _pulls(net, ports)
    sizes = [([height[v] for v in layer], [weight[v] for v in layer]) for layer in net.order]
    layers = list(enumerate(net.order))
    sweeps = SWEEPS if len(height) <= LARGE else FEWER_SWEEPS
    for sweep in range(sweeps):
        if given_up():
            raise GivenUpError
        pull = pulls[2 if sweep >= sweeps - 2 else sweep % 2]
        for at, layer in layers if sweep % 2 == 0 else reversed(layers):
            wishes = []
            for vertex in layer:
                near = pull[vertex]
                if len(near) == 1:
                    other, offset = near[0]
                    wishes.append(row[other] + offset)
                elif near:
                    wish = 0.0
                    for other, offset in near:
                        wish += row[other] + offset
                    wishes.append(wish / len(near))
                else:
                    wishes.append(row[vertex])
            new = wishes if len(layer) == 1 else spread(wishes, *sizes[at])
            for vertex, to in zip(layer, new, strict=True):
                row[vertex] = to
    whole = _on_the_grid(net, row, height)
    _straighten(net, whole, height, ports)
    return whole


def _stacked(net: Net, height: Sequence[int]) -> list[float]:
    row = [0.0] * len(height)
    for layer in net.order:
        above = 0
        for vertex in layer:
            row[vertex] = float(above)
            above += height[vertex]
    return row


Pull = list[list[tuple[int, int]]]


def _pulls(net: Net, ports: Sequence[Ports]) -> tuple[Pull, Pull, Pull]:
    """For each vertex the (neighbour, offset) before it, behind it, and on either side.

    At that neighbour's row plus the offset, the wire to it is straight. Bends look at bends where they have any.
    """
    nodes = len(ports)

    def leaves(vertex: int) -> int:
        return ports[vertex].out if vertex < nodes else 0

    def enters(vertex: int, argument: int) -> int:
        return ports[vertex].ins[argument] if vertex < nodes else 0

    before: Pull = []
    behind: Pull = []
    both: Pull = []
    for v in range(len(net.layer)):
        ups = [(other, leaves(other) - enters(v, argument)) for other, argument in net.up[v]]
        downs = [(other, enters(other, argument) - leaves(v)) for other, argument in net.down[v]]
        around = ups + downs
        if v >= nodes:
            ups, downs, around = (_bends(near, nodes) for near in (ups, downs, around))
        before.append(ups)
        behind.append(downs)
        both.append(around)
    return before, behind, both


def _bends(near: list[tuple[int, int]], nodes: int) -> list[tuple[int, int]]:
    return [each for each in near if each[0] >= nodes] or near


def _on_the_grid(net: Net, row: Sequence[float], height: Sequence[int]) -> list[int]:
    whole = [0] * len(row)
    for layer in net.order:
        free = None
        for vertex in layer:
            at = round(row[vertex])
            whole[vertex] = at if free is None else max(at, free)
            free = whole[vertex] + height[vertex]
    top = min(whole, default=0)
    return [at - top for at in whole]


def _straighten(net: Net, row: list[int], height: Sequence[int], ports: Sequence[Ports]) -> None:
    """Take the stairs out of long wires.

    From left to right, a bend moves to the row its wire comes from where there is room.
    """
    nodes = len(ports)
    for layer in net.order:
        for rank, vertex in enumerate(layer):
            if vertex < nodes:
                continue
            before = net.up[vertex][0][0]
            goal = row[before] + (ports[before].out if before < nodes else 0)
            above = row[layer[rank - 1]] + height[layer[rank - 1]] if rank else 0
            lowest = row[layer[rank + 1]] - height[vertex] if rank + 1 < len(layer) else goal
            row[vertex] = max(min(goal, lowest), above)
