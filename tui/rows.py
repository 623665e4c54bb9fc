"""Which row each box and bend of a layer stands on.

Least squares with a minimal distance, solved exactly by pooling.
"""

from __future__ import annotations

from collections.abc import Sequence

from tui.layers import Net

SWEEPS = 12
OUT_ROW = 1
"""The row of a box, counted from its top, at which its value leaves."""
PORTS = 6
"""A box has at most so many rows where wires come in; a node of more arguments shares them."""
WEIGHT_OF_A_BEND = 8.0


def box_height(arguments: int) -> int:
    """Rows of a box: a frame, and a row for every argument, but two at least and PORTS at most."""
    return 2 + max(2, min(arguments, PORTS))


def in_row(argument: int, arguments: int) -> int:
    """The row of a box, counted from its top, at which an argument comes in."""
    return 1 + (argument if arguments <= PORTS else argument * PORTS // arguments)


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


def place_rows(net: Net, heights: Sequence[int], arguments: Sequence[int]) -> list[int]:
    """The top row of every vertex, from 0: wires as straight as the order allows."""
    nodes = len(heights)
    height = [*heights, *(1 for _ in range(len(net.layer) - nodes))]
    weight = [1.0] * nodes + [WEIGHT_OF_A_BEND] * (len(net.layer) - nodes)
    row = _stacked(net, height)
    pull = _pulls(net, arguments, nodes)
    for sweep in range(SWEEPS):
        last = sweep >= SWEEPS - 2
        for layer in net.order if sweep % 2 == 0 else reversed(net.order):
            wishes = []
            for vertex in layer:
                ups, downs = pull[vertex]
                near = ups + downs if last else (ups if sweep % 2 == 0 else downs)
                if vertex >= nodes:
                    near = [n for n in near if n[0] >= nodes] or near
                wish = sum(row[other] + offset for other, offset in near)
                wishes.append(wish / len(near) if near else row[vertex])
            new = spread(wishes, [height[v] for v in layer], [weight[v] for v in layer])
            for vertex, at in zip(layer, new, strict=True):
                row[vertex] = at
    whole = _on_the_grid(net, row, height)
    _straighten(net, whole, height, nodes)
    return whole


def _stacked(net: Net, height: Sequence[int]) -> list[float]:
    row = [0.0] * len(height)
    for layer in net.order:
        above = 0
        for vertex in layer:
            row[vertex] = float(above)
            above += height[vertex]
    return row


def _pulls(
    net: Net, arguments: Sequence[int], nodes: int
) -> list[tuple[list[tuple[int, int]], list[tuple[int, int]]]]:
    """For each vertex the (neighbour, offset) on either side.

    At that neighbour's row plus the offset, the wire to it is straight.
    """

    def leaves(vertex: int) -> int:
        return OUT_ROW if vertex < nodes else 0

    def enters(vertex: int, argument: int) -> int:
        return in_row(argument, arguments[vertex]) if vertex < nodes else 0

    return [
        (
            [(other, leaves(other) - enters(v, argument)) for other, argument in net.up[v]],
            [(other, enters(other, argument) - leaves(v)) for other, argument in net.down[v]],
        )
        for v in range(len(net.layer))
    ]


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


def _straighten(net: Net, row: list[int], height: Sequence[int], nodes: int) -> None:
    """Take the stairs out of long wires.

    From left to right, a bend moves to the row its wire comes from where there is room.
    """
    for layer in net.order:
        for rank, vertex in enumerate(layer):
            if vertex < nodes:
                continue
            before = net.up[vertex][0][0]
            goal = row[before] + (OUT_ROW if before < nodes else 0)
            above = row[layer[rank - 1]] + height[layer[rank - 1]] if rank else 0
            lowest = row[layer[rank + 1]] - 1 if rank + 1 < len(layer) else goal
            row[vertex] = max(min(goal, lowest), above)
