"""Where boxes and wires stand: facts that hold for any graph."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from tui.layers import Graph, layers
from tui.layout import Layout, arrange
from tui.rows import spread
from tui.tracks import Run, route


def random_graph(seed: int, size: int = 60, *, shared: int = 4) -> Graph:
    """A graph with leaves, repeated arguments, wide nodes, and a few leaves that everybody uses."""
    rng = random.Random(seed)
    inputs: list[tuple[int, ...]] = [() for _ in range(shared)]
    while len(inputs) < size:
        here = len(inputs)
        count = rng.choice([0, 1, 1, 2, 2, 2, 3, 8])
        near = [max(0, here - 1 - int(rng.expovariate(0.2))) for _ in range(count)]
        inputs.append(tuple(rng.randrange(shared) if rng.random() < 0.2 else i for i in near))
    return Graph(tuple(inputs), frozenset({0}))


def drawing(graph: Graph) -> Layout:
    return arrange(graph, [12 + node % 5 for node in range(len(graph))])


GRAPHS = [random_graph(seed) for seed in range(40)] + [
    Graph(((),)),
    Graph(((), (0, 0))),
    Graph(((), (), (0, 1), (1, 0), (2, 3))),
    Graph(((), (-1, 0), (1, -1))),
    Graph(tuple(() if node == 0 else (node - 1,) for node in range(300))),
]


@pytest.mark.parametrize("graph", GRAPHS)
def test_no_two_boxes_overlap(graph):
    boxes = drawing(graph).boxes
    for number, a in enumerate(boxes):
        for b in boxes[:number]:
            apart = a.x + a.width <= b.x or b.x + b.width <= a.x
            assert apart or a.y + a.height <= b.y or b.y + b.height <= a.y


@pytest.mark.parametrize("graph", GRAPHS)
def test_everything_is_inside_the_drawing(graph):
    layout = drawing(graph)
    for box in layout.boxes:
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= layout.width
        assert box.y + box.height <= layout.height


@pytest.mark.parametrize("graph", GRAPHS)
def test_every_wire_runs_unbroken_from_the_value_to_the_argument(graph):
    layout = drawing(graph)
    for node, inputs in enumerate(graph.inputs):
        for argument, source in enumerate(inputs):
            if (layout.port(node, argument), layout.boxes[node].x - 1) in layout.cut:
                assert layout.path(node, argument) == []
                continue
            cells = walk(layout.path(node, argument))
            box = layout.boxes[source]
            assert cells[0] == (box.x + box.width, box.out_row)
            assert cells[-1] == (layout.boxes[node].x - 1, layout.port(node, argument))


def walk(runs: list[tuple[int, int, int, int]]) -> list[tuple[int, int]]:
    """The cells of straight runs in order; fails where one does not touch the next."""
    cells: list[tuple[int, int]] = []
    for x0, y0, x1, y1 in runs:
        piece = [(x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1)]
        assert piece, (x0, y0, x1, y1)
        if cells and touches(cells[-1], piece[-1]) and not touches(cells[-1], piece[0]):
            piece.reverse()
        assert not cells or touches(cells[-1], piece[0])
        cells += piece
    return cells


def touches(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return abs(a[0] - b[0]) + abs(a[1] - b[1]) <= 1


@pytest.mark.parametrize("graph", GRAPHS)
def test_wires_of_two_values_meet_only_where_they_cross_or_enter_the_same_port(graph):
    layout = drawing(graph)
    across: dict[tuple[int, int], set[int]] = defaultdict(set)
    along: dict[tuple[int, int], set[int]] = defaultdict(set)
    goals: dict[tuple[int, int], set[int]] = defaultdict(set)
    for column in layout.columns:
        edge = column.x + column.width
        for source, row in column.bends:
            for x in range(column.x, edge):
                across[x, row].add(source)
        for wire in column.wires:
            for x in range(edge + wire.start, edge + wire.turn + 1):
                across[x, wire.row].add(wire.source)
            for row in wire.leaves:
                goals[edge, row].add(wire.source)
                for x in range(edge + wire.turn, column.end):
                    across[x, row].add(wire.source)
            for y in range(wire.low, wire.high + 1):
                along[edge + wire.turn, y].add(wire.source)
    shared = {(edge, row) for (edge, row), sources in goals.items() if len(sources) > 1}
    for (x, y), sources in across.items():
        port = any(edge <= x < end(layout, edge) and row == y for edge, row in shared)
        assert len(sources) == 1 or port, (x, y, sources)
    for sources in along.values():
        assert len(sources) == 1


def end(layout: Layout, edge: int) -> int:
    return next(column.end for column in layout.columns if column.x + column.width == edge)


@pytest.mark.parametrize("graph", GRAPHS)
def test_no_wire_runs_through_a_box(graph):
    layout = drawing(graph)
    for column in layout.columns:
        for _, row in column.bends:
            for node in column.boxes:
                box = layout.boxes[node]
                assert not box.y <= row < box.y + box.height


def test_the_same_graph_gives_the_same_drawing():
    assert drawing(random_graph(3)) == drawing(random_graph(3))


def test_layers_are_longest_paths_and_weights_stand_beside_their_first_use():
    x, w, b, first, second, _ = range(6)
    graph = Graph(((), (), (), (x, w), (first, w), (second, b)), frozenset({x}))
    assert layers(graph)[first:] == [1, 2, 3]
    assert layers(graph)[w] == 0
    assert layers(graph)[b] == 2


def test_a_branch_that_feeds_one_late_node_stands_late():
    x0, h1, h2, h3, x1, w, product, last = range(8)
    graph = Graph(((), (x0,), (h1,), (h2,), (), (), (x1, w), (h3, product)), frozenset({x0, x1}))
    assert layers(graph)[product] == layers(graph)[last] - 1 == layers(graph)[h3]


def test_a_chain_of_thousands_needs_no_recursion():
    layout = arrange(Graph(tuple(() if n == 0 else (n - 1,) for n in range(3000))), [12] * 3000)
    assert len(layout.columns) == 3000
    assert layout.height == 4


def test_long_wires_are_cut_to_stubs_where_they_would_fill_the_drawing():
    size = 700
    inputs = [() if n == 0 else (n - 1,) for n in range(size)]
    layout = arrange(Graph((*inputs, tuple(range(size)))), [12] * (size + 1))
    bends = sum(len(column.bends) for column in layout.columns)
    assert bends <= 6 * size + 1006
    assert layout.stubs


def test_rows_that_want_the_same_place_share_the_distance():
    assert spread([0.0, 0.0, 10.0], [4, 4, 4], [1.0, 1.0, 1.0]) == [-2.0, 2.0, 10.0]


def test_two_wires_that_swap_rows_do_not_lie_on_each_other():
    wires, _ = route([Run(0, 0, (4,)), Run(1, 4, (0,))])
    cells: dict[tuple[int, int], int] = {}
    for wire in wires:
        ends = wire.leaves or (wire.high if wire.row == wire.low else wire.low,)
        for x in range(wire.start, wire.turn + 1):
            assert cells.setdefault((x, wire.row), wire.source) == wire.source
        for row in ends if wire.leaves else ():
            for x in range(wire.turn, 12):
                assert cells.setdefault((x, row), wire.source) == wire.source
