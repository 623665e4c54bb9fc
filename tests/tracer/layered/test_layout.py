"""Where boxes and wires stand: facts that hold for any graph."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import pairwise

import pytest

from tests.effort import effort
from tracer.layered.layers import GivenUpError, Graph, layers
from tracer.layered.layout import Layout, arrange
from tracer.layered.ports import Shape, box_height
from tracer.layered.rows import spread
from tracer.layered.tracks import Run, route


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


def shapes(graph: Graph, width: int = 12) -> list[Shape]:
    return [
        Shape(width + node % 5, box_height(len(inputs)) + node % 7 // 6, node % 7 == 6)
        for node, inputs in enumerate(graph.inputs)
    ]


def drawing(graph: Graph, *, down: bool = False) -> Layout:
    return arrange(graph, shapes(graph), down=down)


GRAPHS = [random_graph(seed) for seed in range(16)] + [
    Graph(((),)),
    Graph(((), (0, 0))),
    Graph(((), (), (0, 1), (1, 0), (2, 3))),
    Graph(((), (-1, 0), (1, -1))),
    Graph(tuple(() if node == 0 else (node - 1,) for node in range(300))),
]


both_ways = pytest.mark.parametrize("down", [False, True], ids=["right", "down"])


@both_ways
@pytest.mark.parametrize("graph", GRAPHS)
def test_no_two_boxes_overlap(graph, down):
    boxes = drawing(graph, down=down).boxes
    for number, a in enumerate(boxes):
        for b in boxes[:number]:
            apart = a.x + a.width <= b.x or b.x + b.width <= a.x
            assert apart or a.y + a.height <= b.y or b.y + b.height <= a.y


@both_ways
@pytest.mark.parametrize("graph", GRAPHS)
def test_everything_is_inside_the_drawing(graph, down):
    layout = drawing(graph, down=down)
    for box in layout.boxes:
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= layout.width
        assert box.y + box.height <= layout.height


@both_ways
@pytest.mark.parametrize("graph", GRAPHS)
def test_every_wire_runs_unbroken_from_the_value_to_the_argument(graph, down):
    layout = drawing(graph, down=down)
    for node, inputs in enumerate(graph.inputs):
        for argument, source in enumerate(inputs):
            if (layout.port(node, argument), layout.start(node) - 1) in layout.cut:
                assert layout.path(node, argument) == []
                continue
            cells = walk(layout.path(node, argument))
            begin, end = layout.ends(node, argument)
            box, goal = layout.boxes[source], layout.boxes[node]
            assert cells[0] == begin
            assert cells[-1] == end
            if down:
                assert begin[1] == box.y + box.height
                assert box.x <= begin[0] < box.x + box.width
                assert end[1] == goal.y - 1
            else:
                assert begin[0] == box.x + box.width
                assert box.y <= begin[1] < box.y + box.height
                assert end[0] == goal.x - 1


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


@both_ways
@pytest.mark.parametrize("graph", GRAPHS)
def test_wires_of_two_values_meet_only_where_they_cross_or_enter_the_same_port(graph, down):
    layout = drawing(graph, down=down)
    across: dict[tuple[int, int], set[int]] = defaultdict(set)
    along: dict[tuple[int, int], set[int]] = defaultdict(set)
    goals: dict[tuple[int, int], set[int]] = defaultdict(set)
    for column in layout.columns:
        edge = column.edge
        for source, row in column.bends:
            for x in range(column.start, edge):
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
    return next(column.end for column in layout.columns if column.edge == edge)


@both_ways
@pytest.mark.parametrize("graph", GRAPHS)
def test_no_wire_runs_through_a_box(graph, down):
    layout = drawing(graph, down=down)
    for column in layout.columns:
        for _, row in column.bends:
            for node in column.boxes:
                box, first = layout.boxes[node], layout.row(node)
                assert not first <= row < first + (box.width if down else box.height)


def test_the_same_graph_gives_the_same_drawing():
    one, other = drawing(random_graph(3)), drawing(random_graph(3))
    assert (one.boxes, one.columns, one.cut) == (other.boxes, other.columns, other.cut)


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
    layout = arrange(
        Graph(tuple(() if n == 0 else (n - 1,) for n in range(3000))), [Shape(12, 4)] * 3000
    )
    assert len(layout.columns) == 3000
    assert layout.height == 4


def test_long_wires_are_cut_to_stubs_where_they_would_fill_the_drawing():
    size = 700
    inputs = [() if n == 0 else (n - 1,) for n in range(size)]
    layout = arrange(Graph((*inputs, tuple(range(size)))), [Shape(12, 8)] * (size + 1))
    bends = sum(len(column.bends) for column in layout.columns)
    assert bends <= 6 * size + 1006
    assert layout.cut


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


def test_the_boxes_of_a_time_step_stand_in_layers_of_their_own_and_a_shared_weight_stands_once():
    inputs: list[tuple[int, ...]] = [(), ()]  # a weight and the state before
    times = [-1, -1]
    state = 1
    for step in range(4):
        x = len(inputs)
        inputs += [(), (x, 0), (x + 1, state)]
        times += [step] * 3
        state = x + 2
    layout = arrange(
        Graph(tuple(inputs), frozenset({1}), tuple(times)), [Shape(12, 4)] * len(times)
    )
    places = defaultdict(set)
    for node, step in enumerate(times):
        places[step].add(layout.layer[node])
    for step in range(3):
        assert max(places[step]) < min(places[step + 1])
    assert [block.time for block in layout.blocks] == [0, 1, 2, 3]
    assert all(one.end < other.start for one, other in pairwise(layout.blocks))


def test_values_that_run_back_in_time_leave_the_layers_as_they_are():
    inputs = ((), (0,), (1,), (2, 1))
    times = (1, 1, 0, 1)
    assert layers(Graph(inputs, times=times)) == layers(Graph(inputs))
    assert arrange(Graph(inputs, times=times), [Shape(12, 4)] * 4).blocks == ()


def test_a_drawing_that_is_not_wanted_any_more_is_given_up():
    calls: list[int] = []

    def given_up() -> bool:
        calls.append(1)
        return len(calls) > 5

    graph = random_graph(1, 400)
    with pytest.raises(GivenUpError):
        arrange(graph, shapes(graph), given_up=given_up)


def test_what_a_window_asks_for_is_what_a_walk_over_everything_finds():
    layout = drawing(random_graph(5, 300))
    for column in layout.columns:
        for low in range(0, layout.height, 37):
            near = [w for w in column.wires if w.high >= low and w.low < low + 20]
            assert set(column.wires_near(low, low + 20)) == set(near)
            passing = [bend for bend in column.bends if low <= bend[1] < low + 20]
            assert list(column.bends_near(low, low + 20)) == passing


def scalar_network(size: int) -> Graph:
    """Neurons of single numbers, sixteen a layer, as in micrograd."""
    inputs: list[tuple[int, ...]] = [(), (), ()]
    before = [0, 1, 2]
    while len(inputs) < size:
        after = []
        for _ in range(16):
            total = len(inputs)
            inputs.append(())
            for x in before:
                inputs += [(), (len(inputs), x), (total, len(inputs) + 1)]
                total = len(inputs) - 1
            inputs.append((total,))
            after.append(len(inputs) - 1)
        before = after
    return Graph(tuple(inputs), frozenset({0, 1, 2}))


def cost_of_a_node(graph: Graph) -> float:
    """What a layout costs, for each node."""
    return effort(lambda: arrange(graph, [Shape(13, 4)] * len(graph))) / len(graph)


def shared_by_all(size: int) -> Graph:
    return Graph(((), (), *((n - 1 if n > 2 else 0, 1) for n in range(2, size))))


def star(size: int) -> Graph:
    return Graph(((), *((0,) for _ in range(size - 2)), tuple(range(1, size - 1))))


@pytest.mark.parametrize("make", [shared_by_all, star])
def test_a_value_that_everybody_uses_and_a_sum_of_everything_cost_no_more_in_a_larger_graph(make):
    assert cost_of_a_node(make(240)) < 1.2 * cost_of_a_node(make(60))


@pytest.mark.slow
@pytest.mark.parametrize(
    "make", [scalar_network, lambda size: random_graph(0, size)], ids=["net", "random"]
)
def test_20000_nodes_are_laid_out_and_a_node_costs_no_more_among_many(make):
    """A benchmark holds the goal: half a second for 4,000."""
    assert cost_of_a_node(make(800)) < 1.5 * cost_of_a_node(make(250))
    graph = make(20_000)
    assert len(arrange(graph, [Shape(13, 4)] * len(graph)).boxes) == len(graph)
