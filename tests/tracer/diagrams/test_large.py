"""Large figures: what folding keeps, what a neighbourhood shows, copies of weights, and our own placing."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tracer as tr
from tests.effort import effort
from tests.tracer.diagrams.networks import (
    batch_norm,
    edges,
    lstm,
    rnn,
    scalar_rnn,
    texts,
    transformer,
    twelve_layers,
)
from tracer.diagrams import Diagram, diagram
from tracer.diagrams.boxed.boxes import boxes_of
from tracer.diagrams.boxed.copies import ranks_of
from tracer.diagrams.frames import part_of
from tracer.diagrams.layout.placing import placed
from tracer.diagrams.layout.rendering import rendered
from tracer.diagrams.layout.sizes import size_of
from tracer.diagrams.layout.writing import dot_text
from tracer.diagrams.names import text_of
from tracer.diagrams.numerals import first_numbers
from tracer.diagrams.palettes import LIGHT
from tracer.diagrams.picture import Caption, Card, Edge, Gate, Joint, Picture, Run, Wire
from tracer.diagrams.settings import Settings
from tracer.errors import DiagramError, UnknownNameError
from tracer.folding.choosing import fold_to
from tracer.folding.repeats import repeats_of
from tracer.folding.scopes import scopes_of


def deep(layers: int = 40) -> tr.Trace:
    """h = tanh(h W + b), again and again, each layer with weights of its own."""
    rng = np.random.default_rng(0)
    h = tr.tensor(rng.normal(size=(2, 3)), name="x")
    for k in range(layers):
        w, b = tr.parameter(rng.normal(size=(3, 3)), name="W"), tr.parameter(np.zeros(3), name="b")
        with tr.scope("layer", k=k):
            h = tr.tanh(h @ w + b)
    loss = tr.sum(h * h)
    return tr.trace(loss)


def cards_of(figure):
    return {shape.key: shape for shape in figure.picture.every_shape() if isinstance(shape, Card)}


def folded_cards(figure):
    return {key: card for key, card in cards_of(figure).items() if key[0] == "b"}


# ----- folding


def test_equal_blocks_are_found_and_unequal_ones_are_not():
    trace = deep(5)
    (row,) = repeats_of(trace)
    assert [str(scopes_of(trace).paths[group][-1]) for group in row] == [
        f"layer[k={k}]" for k in range(5)
    ]
    x = tr.tensor([1.0, 2.0], name="x")
    with tr.scope("block", k=0):
        y = tr.tanh(x)
    with tr.scope("block", k=1):
        y = tr.exp(y)
    with tr.scope("block", k=2):
        y = tr.exp(y)
    z = tr.sum(y)
    with tr.scope("block", k=3):
        z = tr.exp(z)
    (row,) = repeats_of(tr.trace(z))
    assert len(row) == 2


def test_blocks_with_other_work_between_them_are_no_row():
    x = tr.tensor([1.0, 2.0], name="x")
    for k in range(3):
        with tr.scope("block", k=k):
            x = tr.tanh(x)
        x = x * 2.0
    assert repeats_of(tr.trace(tr.sum(x))) == ()


def test_the_words_that_only_folded_steps_read_are_folded_with_them():
    trace = rnn(40)
    found = boxes_of(part_of(trace), 60, 150).boxes
    words = [trace.node_index(f"x#{t}") for t in range(3, 40)]
    (steps,) = [box for box in found if box.name]
    assert set(words) < set(steps.nodes)


def test_time_steps_and_blocks_fold_before_inner_scopes_do():
    trace = twelve_layers()
    folded = fold_to(trace, range(len(trace)), 60)
    names = [folded.name(b) for b in range(len(folded)) if folded.is_folded(b)]
    assert names == ["layers[k=1…11]"]
    (row,) = [b for b in range(len(folded)) if folded.is_folded(b)]
    assert folded.blocks(row) == 11


def test_a_folded_card_shows_the_numbers_of_its_output_and_says_so():
    trace = deep()
    figure = diagram(trace, style="cards", most=20)
    ((key, card),) = folded_cards(figure).items()
    out = trace["h"]
    assert text_of(card.title) == "layer[k=1…39]  × 39"
    assert text_of(card.note) == "117 ops"
    label, value, gradient = map(text_of, card.rows)
    assert label == f"output {out.label}, 2×3"
    assert value == first_numbers(out.value)
    assert gradient == f"∂ {first_numbers(out.gradient)}"
    assert {tail for tail, head, _ in edges(figure.dot) if head == key} == {
        f"n{trace.node_index('h#1')}"
    }


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.9])
def test_a_folded_card_shows_no_number_before_it_is_there(share):
    trace = deep(12)
    step = int(share * trace.timeline.last)
    (card,) = folded_cards(diagram(trace, style="cards", most=16, step=step)).values()
    out = trace.node_index("h")
    _, value, gradient = card.rows
    assert bool(value) == trace.timeline.has_run(step, out)
    assert ("∂" in text_of(gradient)) == (trace.timeline.gradient(step, out) is not None)


@pytest.mark.parametrize("most", [1, 2, 3, 5, 8, 13, 30, 60, 100])
@pytest.mark.parametrize("build", [twelve_layers, lstm, deep, rnn])
def test_the_number_of_shapes_is_obeyed(build, most):
    trace = build()
    found = boxes_of(part_of(trace), most, 150)
    assert found.shapes <= most
    shown = {i for box in found.boxes for i in box.nodes}
    assert bool(found.remarks) == (shown != set(range(len(trace))))


def test_what_folding_cannot_reach_is_left_out_from_the_far_end_and_said():
    y = tr.tensor(1.0, name="x")
    for _ in range(50):
        y = tr.tanh(y)
    trace = tr.trace(y)
    figure = diagram(trace, style="cards", most=10)
    assert figure.picture.remarks[0].startswith(
        "9 of 51 boxes are shown, those nearest to the loss"
    )
    assert f"n{trace.loss}" in cards_of(figure)
    (stub,) = [shape for shape in figure.picture.every_shape() if isinstance(shape, Caption)]
    assert text_of(stub.text).strip() == "+1 more"


def test_small_networks_are_never_folded():
    for trace in (batch_norm(), transformer()):
        assert not folded_cards(diagram(trace, style="cards"))


def test_large_ones_are_folded_unless_told_otherwise():
    assert diagram(twelve_layers()).shapes <= 150
    assert diagram(twelve_layers(), most=2000).shapes > 400


# ----- neighbourhoods


def test_a_neighbourhood_reaches_so_many_edges_both_ways():
    trace = deep()
    centre = trace.node_index("h#20")
    near = part_of(trace, Settings(around="h#20", radius=1))
    assert set(near.nodes) - near.beyond == {
        centre,
        *trace.inputs_of(centre),
        *(int(trace.edge_consumer[e]) for e in trace.uses_of(centre)),
    }
    alone = Diagram(trace, settings=Settings("cards", around="h#20", radius=0))
    assert list(cards_of(alone)) == [f"n{centre}"]


def test_where_it_was_cut_a_stub_counts_what_is_missing():
    x = tr.tensor([1.0, 2.0], name="x")
    parts = [tr.tanh(x * k) for k in range(1, 9)]
    loss = tr.sum(tr.stack(parts))
    trace = tr.trace(loss)
    figure = Diagram(trace, settings=Settings("cards", around="x", radius=0))
    stubs = [
        text_of(s.text).strip() for s in figure.picture.every_shape() if isinstance(s, Caption)
    ]
    assert stubs == ["+8 more"]
    stack = trace.inputs_of(trace.loss)[0]
    figure = Diagram(trace, settings=Settings("cards", around=stack, radius=0))
    stubs = {
        s.key: text_of(s.text).strip()
        for s in figure.picture.every_shape()
        if isinstance(s, Caption)
    }
    assert stubs == {f"in{stack}": "+8 more", f"on{stack}": "+1 more"}


def test_what_shares_only_a_weight_is_not_near():
    trace = rnn(8)
    near = part_of(trace, Settings(around="a#1", radius=4))
    assert trace.node_index("a#8") not in near.nodes
    assert trace.node_index("waa") in near.nodes


@pytest.mark.parametrize("key", ["h#3", "layer", 7, "7"])
def test_a_node_is_named_as_everywhere(key):
    trace = deep(4)
    if key == "layer":
        with pytest.raises(UnknownNameError, match="layer"):
            diagram(trace, around=key)
    else:
        node = trace.node_index(key)
        assert f"n{node}" in cards_of(diagram(trace, around=key, style="cards"))


def test_a_node_outside_the_scope_and_a_radius_that_is_none_are_refused():
    trace = deep(4)
    with pytest.raises(DiagramError, match="does not lie in the scope"):
        diagram(trace, scope="layer[k=1]", around="loss")
    for radius in (-1, 0, 1.5, True):
        with pytest.raises(DiagramError, match="radius"):
            diagram(trace, around="loss", radius=radius)
    with pytest.raises(DiagramError, match="most=0 is not a number from 1"):
        diagram(trace, most=0)


def test_a_scope_and_a_neighbourhood_go_together():
    trace = deep(4)
    figure = diagram(trace, style="cards", scope="layer[k=2]", around="h#3", radius=1)
    assert set(cards_of(figure)) < {
        f"n{i}" for i in part_of(trace, Settings(scope="layer[k=2]")).nodes
    }


@pytest.mark.parametrize("style", ["cards", "outline", "circuit"])
def test_every_style_draws_a_neighbourhood(style):
    trace = scalar_rnn(6)
    picture = diagram(trace, style=style, around=trace.node_index("h"), radius=2).picture
    keys = {shape.key for shape in picture.every_shape()}
    assert {key for edge in picture.edges for key in (edge.tail, edge.head)} <= keys


# ----- copies


def test_a_weight_read_over_many_ranks_is_drawn_anew_with_its_numbers_only_once():
    trace = scalar_rnn(60)
    figure = diagram(trace, style="cards", most=1000)
    w = trace.node_index("w")
    copies = [card for key, card in cards_of(figure).items() if key.partition("c")[0] == f"n{w}"]
    assert len(copies) >= 10
    assert [text_of(card.note) for card in copies] == [
        f"{k} of {len(copies)}" for k in range(1, len(copies) + 1)
    ]
    assert [bool(card.rows) for card in copies] == [True] + [False] * (len(copies) - 1)
    readers = {head for tail, head, _ in edges(figure.dot) if tail.partition("c")[0] == f"n{w}"}
    assert readers == {f"n{int(trace.edge_consumer[e])}" for e in trace.uses_of(w)}


def test_a_residual_is_one_long_line():
    x = tr.tensor([1.0, 2.0], name="x")
    y = x
    for _ in range(40):
        y = tr.tanh(y)
    figure = diagram(tr.trace(tr.sum(y + x)), style="cards")
    assert [key for key in cards_of(figure) if key.startswith("n0")] == ["n0"]


def test_ranks_are_the_longest_ways_from_the_leaves():
    assert ranks_of([[], [0], [0, 1], [2, 0]]) == [0, 1, 2, 3]


# ----- sizes and places

SHAPES = (
    Card("a", (Run("xhat", bold=True, size=14), Run(" = xc · inv_std")), (Run("4×2", size=10),),
         ((Run("0.76 −0.52 …", "value", 11),), (Run("∂ 0.04 −0.2", "gradient", 11),)), width=120),
    Card("b", (Run("layer[k=1…11]", size=14, bold=True),), (Run("12 ops", size=10),), ()),
    Card("c", (Run("y", size=14),), (), ((Run("1.00", "value", 11),), ()), current=True),
    Gate("d", (Run("+", size=20),)),
    Gate("e", (Run("softmax"), Run("  weights", size=11, italic=True))),
    Gate("f", (Run("×"), Run("  h", size=11, italic=True))),
    Caption("g", (Run("+7 more", "quiet", 10),)),
    Joint("h"),
    Wire("i", (Run("0.73", "value"),), (Run("1.00", "gradient"),), width=46),
    Wire("j", (Run("0.73", "value"),), (), (Run("x", size=14),), "left", width=46),
)  # fmt: skip


def test_sizes_agree_with_what_graphviz_draws():
    text = dot_text(Picture(SHAPES, ()), LIGHT)
    content = rendered(text, "dot", "json")
    drawn = {
        thing["name"]: (72 * float(thing["width"]), 72 * float(thing["height"]))
        for thing in json.loads(content)["objects"]
    }
    for shape in SHAPES:
        assert size_of(shape) == pytest.approx(drawn[shape.key], rel=0.08, abs=2.5), shape.key


def boxes(picture):
    for shape in picture.every_shape():
        (x, y), (width, height) = shape.at, size_of(shape)
        yield shape.key, x - width / 2, y - height / 2, x + width / 2, y + height / 2


@pytest.mark.parametrize("style", ["cards", "outline", "circuit"])
def test_placed_shapes_do_not_overlap_and_lines_join_them(style):
    trace = scalar_rnn(12) if style == "circuit" else transformer()
    picture = placed(diagram(trace, style=style, most=1000).picture)
    assert picture.placed
    rims = {key: rim for key, *rim in boxes(picture)}
    ordered = sorted(rims.values())
    for k, (left, low, right, high) in enumerate(ordered):
        for other in ordered[k + 1 :]:
            if other[0] >= right:
                break
            assert other[1] >= high - 0.01 or other[3] <= low + 0.01, (left, low)
    for edge in picture.edges:
        assert edge.path is not None
        assert len(edge.path) % 3 == 1
        tail, head = rims[edge.tail], rims[edge.head]
        assert tail[0] <= edge.path[0][0] <= tail[2] + 0.01
        assert tail[1] - 2 <= edge.path[0][1] <= tail[3] + 2
        assert head[0] - 0.01 <= edge.path[-1][0] <= head[2]
        assert head[1] - 2 <= edge.path[-1][1] <= head[3] + 2


def test_a_line_comes_in_level_and_touches_the_rim():
    picture = placed(diagram(scalar_rnn(12), style="circuit").picture)
    shapes = {shape.key: shape for shape in picture.every_shape()}
    for edge in picture.edges:
        head = shapes[edge.head]
        (x, y), (_, before) = edge.path[-1], edge.path[-2]
        assert y == pytest.approx(before, abs=0.01)
        if isinstance(head, Gate) and size_of(head)[0] == size_of(head)[1]:
            away = np.hypot(x - head.at[0], y - head.at[1])
            assert away == pytest.approx(size_of(head)[0] / 2, abs=0.01)


def test_a_line_crosses_no_box_on_its_way():
    picture = placed(diagram(transformer(), style="outline", most=1000).picture)
    rims = {key: rim for key, *rim in boxes(picture)}
    for edge in picture.edges:
        others = [rim for key, rim in rims.items() if key not in (edge.tail, edge.head)]
        for x, y in edge.path[3:-3:3]:
            assert not any(a < x < c and b < y < d for a, b, c, d in others), (edge.tail, edge.head)


def test_frames_that_are_drawn_hold_their_own_shapes_and_no_others():
    picture = placed(diagram(twelve_layers(), style="cards").picture)
    assert picture.clusters
    rims = {key: rim for key, *rim in boxes(picture)}
    todo = list(picture.clusters)
    for cluster in todo:
        todo.extend(cluster.clusters)
        inner = {s.key for s in Picture(cluster.shapes, (), cluster.clusters).every_shape()}
        left, low, right, high = cluster.box
        for key, (a, b, c, d) in rims.items():
            apart = c <= left or a >= right or d <= low or b >= high
            assert apart == (key not in inner)


def test_shapes_whose_frame_cannot_be_drawn_are_kept_and_a_remark_says_so():
    with tr.scope("outer"):
        a = tr.tanh(tr.tensor([1.0, 2.0], name="x"))
    for _ in range(3):
        a = tr.exp(-a)
    with tr.scope("outer"):
        b = tr.tanh(a)
    before = diagram(tr.trace(tr.sum(b + a)), style="cards").picture
    after = placed(before)
    assert {s.key for s in after.every_shape()} == {s.key for s in before.every_shape()}


def test_a_picture_with_a_circle_is_placed_too():
    row = tuple(Joint(key) for key in "abc")
    picture = placed(Picture(row, (Edge("a", "b"), Edge("b", "c"), Edge("c", "a"), Edge("b", "b"))))
    assert all(edge.path for edge in picture.edges)


def test_the_same_picture_is_placed_the_same():
    picture = diagram(transformer(), style="outline").picture
    assert placed(picture) == placed(picture)


def test_numbers_survive_the_placing():
    trace = batch_norm()
    picture = placed(diagram(trace, style="cards").picture)
    found = texts(dot_text(picture, LIGHT))
    assert found == texts(diagram(trace, style="cards").dot)


@pytest.mark.slow
def test_ten_times_as_many_shapes_are_placed_with_ten_times_the_effort():
    few, many = (diagram(deep(layers), style="outline", most=10**6).picture for layers in (30, 300))
    assert effort(lambda: placed(many)) < 15 * effort(lambda: placed(few))
    assert placed(many).placed


def test_a_folded_card_has_run_when_its_output_is_there_and_shows_that_value():
    h = tr.tensor(np.ones((2, 3)), name="x")
    with tr.scope("block"):
        early = tr.tanh(h * 0.5)
        for _ in range(6):
            h = tr.tanh(h * 0.9)
    trace = tr.trace(tr.sum(h) + tr.sum(early))
    out = next(i for i in reversed(range(len(trace))) if trace[i].scope_text == "block")
    for step in range(trace.timeline.last + 1):
        picture = diagram(trace, style="cards", most=6, step=step).picture
        (card,) = [
            shape
            for shape in picture.every_shape()
            if isinstance(shape, Card) and out in shape.nodes
        ]
        there = trace.timeline.has_run(step, out)
        assert (card.role == "ahead") != there, step
        value = "".join(run.text for row in card.rows for run in row if run.role == "value")
        assert value == (first_numbers(trace.value(out)) if there else "")
