"""Where cards and gates stand: weights in columns, scopes one behind the other, fans balanced, rows of whole scopes."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tests.tracer.diagrams.audit import findings, report
from tracer.diagrams import diagram
from tracer.diagrams.layout.cutting import PAGE, Cut, chosen, cuts_of
from tracer.traces import Trace


def spots(trace: Trace, style: str = "cards") -> dict[str, tuple[float, float]]:
    """Where each named node stands."""
    found = diagram(trace, style=style, direction="right").layout.spots
    return {trace[i].label: found[f"n{i}"] for i in range(len(trace)) if f"n{i}" in found}


def weight(name: str, shape: tuple[int, int]) -> tr.Parameter:
    return tr.parameter(np.linspace(-0.5, 0.6, shape[0] * shape[1]).reshape(shape), name=name)


def skipping() -> Trace:
    """The output reads the hidden layer and, past it, the input: two products of one rank."""
    x = tr.constant(np.ones((2, 3)), name="x")
    with tr.scope("first"):
        z = x @ weight("C", (3, 3)).T
    with tr.scope("hidden"):
        h = tr.tanh(z @ weight("H", (4, 3)).T)
    with tr.scope("output"):
        past = z @ weight("W", (2, 3)).T
        on = h @ weight("U", (2, 4)).T
        y = past + on
    loss = tr.sum(y)
    return tr.trace(loss)


def layers(count: int) -> Trace:
    """Equal layers in scopes of their own, in a row that no page can hold."""
    h = tr.constant(np.ones((4, 3)), name="x")
    for k in range(count):
        with tr.scope("layer", k=k):
            h = tr.tanh(h @ tr.parameter(np.eye(3) * 0.5, name=f"W{k}"))
    loss = tr.sum(h)
    return tr.trace(loss)


def branches(count: int) -> Trace:
    """As many equal ways from z to the sum, the last of them longer by one operation."""
    z = tr.parameter(np.linspace(-1.0, 1.0, 5), name="z")
    ways = []
    for k in range(count):
        with tr.scope("way", k=k):
            way = tr.tanh(z)
            ways.append(tr.exp(way) if k == count - 1 else way)
    stack = tr.stack(ways)
    loss = tr.sum(stack)
    return tr.trace(loss)


def three_steps() -> Trace:
    """A weight of its own for each of three scopes, and one that all of them read."""
    shared = tr.parameter(np.eye(2), name="shared")
    h = tr.constant(np.ones((1, 2)), name="x")
    for k in range(3):
        with tr.scope("step", k=k):
            h = tr.tanh(h @ shared)
    loss = tr.sum(h)
    return tr.trace(loss)


# ----- columns


def test_a_transposed_weight_stands_in_the_column_of_the_product():
    at = spots(skipping())
    assert abs(at["z"][0] - at["C"][0]) < 5
    assert at["x"][0] < at["C"][0] - 60
    assert at["x"][1] == pytest.approx(at["z"][1], abs=2)


def test_two_columns_of_one_rank_are_not_mixed():
    trace = skipping()
    found = diagram(trace, style="cards", direction="right").layout.spots
    place = {}
    for weight, product in (("W", "past"), ("U", "on")):
        w = trace.node_index(weight)
        turned = int(trace.edge_consumer[trace.uses_of(w)[0]])
        place[product] = [found[f"n{i}"][1] for i in (w, turned, trace.node_index(product))]
    one, other = place.values()
    assert max(one) < min(other) or max(other) < min(one)


# ----- scopes


def test_a_scope_stands_behind_all_that_enters_it():
    figure = diagram(skipping(), style="cards", direction="right")
    boxes = figure.layout.boxes
    first, hidden, output = (boxes[f"f{k}"] for k in range(3))
    assert first[2] < hidden[0]
    assert hidden[2] < output[0]
    assert not findings(figure.drawn), report(findings(figure.drawn))


def test_rows_break_between_scopes():
    figure = diagram(layers(8), style="cards")
    boxes = figure.layout.boxes
    rows = {round(box[3]) for box in boxes.values()}
    assert len(rows) > 1
    assert sorted(boxes) == sorted(f"f{k}" for k in range(8))


def test_a_cut_goes_through_no_frame_where_there_is_one_that_does_not():
    boxes = {f"n{k}": (100.0 * k, 0.0, 100.0 * k + 60, 40.0) for k in range(12)}
    frames = {"f0": (-10.0, -10.0, 770.0, 50.0), "f1": (790.0, -10.0, 1170.0, 50.0)}
    line = tuple((float(x), 20.0) for x in range(60, 1100, 10))
    cuts = cuts_of(boxes, frames, [line[: len(line) // 3 * 3 + 1]])
    (cut,) = chosen(cuts, 0.0, 1160.0, 2, 1.4)
    assert (cut.at, cut.frames) == (780.0, 0)
    (middle,) = chosen(cuts, 0.0, 1160.0, 2, 1.08)
    assert middle.frames == 1


def test_a_frame_wider_than_a_page_is_cut_at_little_cost():
    boxes = {"a": (0.0, 0.0, 60.0, 40.0), "b": (100.0, 0.0, 160.0, 40.0)}
    (narrow,) = cuts_of(boxes, {"f0": (-10.0, -10.0, 170.0, 50.0)}, [])
    (wide,) = cuts_of(boxes, {"f0": (-10.0, -10.0, PAGE + 1, 50.0)}, [])
    assert wide.worth > narrow.worth


@pytest.mark.parametrize("rows", [2, 3, 4])
def test_no_row_is_wider_than_allowed(rows):
    cuts = [Cut(float(at), 1, at % 3 == 0, 0) for at in range(10, 1000, 10)]
    places = [cut.at for cut in chosen(cuts, 0.0, 1000.0, rows, 1.27)]
    ends = [0.0, *places, 1000.0]
    assert len(places) == rows - 1
    assert max(np.diff(ends)) <= 1000 / rows * 1.27


# ----- fans


def test_where_many_lines_come_together_none_of_them_is_the_straight_one():
    at = spots(branches(7))
    levels = sorted(at[f"way#{k}"][1] for k in range(1, 8))
    for name in ("z", "stack"):
        assert levels[1] < at[name][1] < levels[-2], name


def test_operations_stand_right_behind_what_they_wait_for():
    at = spots(branches(7))
    across = [at[f"way#{k}"][0] for k in range(1, 8)]
    assert max(across) - min(across) < 5


def test_the_branches_of_a_wire_stand_in_the_frames_of_their_readers():
    x = tr.tensor(2.0, name="x")
    parts = []
    for k in range(4):
        with tr.scope("part", k=k):
            parts.append(x * float(k) + 1.0)
    loss = parts[0] + parts[1] + parts[2] + parts[3]
    picture = diagram(tr.trace(loss), style="circuit").picture
    for cluster in picture.clusters:
        assert sum(shape.key.startswith("b") for shape in cluster.shapes) == 1
    assert {edge.span for edge in picture.edges if edge.head.startswith("b")} == {4}


# ----- shared weights


def test_a_weight_that_three_scopes_read_is_drawn_in_each():
    trace = three_steps()
    figure = diagram(trace, style="cards")
    w = trace.node_index("shared")
    keys = [
        [shape.key for shape in cluster.shapes if shape.key.startswith(f"n{w}")]
        for cluster in figure.picture.every_cluster()
    ]
    assert sorted(keys) == [[f"n{w}"], [f"n{w}c2"], [f"n{w}c3"]]
