"""The outline style: operations without numbers, their state told by line and glyph, folded scopes as boxes."""

from __future__ import annotations

import re

import pytest

import tracer as tr
from tests.tracer.diagrams.networks import (
    batch_norm,
    circuit,
    edges,
    rnn,
    texts,
    transformer,
    twelve_layers,
)
from tracer.diagrams import diagram
from tracer.diagrams.names import text_of
from tracer.diagrams.picture import Caption, Card, Gate


def shown(figure):
    return {shape.key: shape for shape in figure.picture.every_shape()}


def test_every_operation_is_a_gate_with_its_sign_and_name_and_every_leaf_a_name():
    trace = batch_norm()
    shapes = shown(diagram(trace, style="outline"))
    for node in trace:
        shape = shapes[f"n{node.index}"]
        assert isinstance(shape, Caption if node.is_leaf else Gate)
    xhat = shapes[f"n{trace.node_index('xhat')}"]
    assert text_of(xhat.symbol) == "×  xhat"
    assert text_of(shapes[f"n{trace.node_index('gamma')}"].text) == "γ"


def test_no_number_is_shown():
    for words in texts(diagram(batch_norm(), style="outline").dot).values():
        assert "value" not in words
        assert "gradient" not in words
        assert not re.search(r"\d\.\d\d", words.get("ink", "").replace("+1.0e−5", ""))


def test_every_use_is_a_line():
    trace = circuit()
    lines = {(tail, head) for tail, head, _ in edges(diagram(trace, style="outline").dot)}
    assert lines == {
        (f"n{j}", f"n{node.index}") for node in trace for j in trace.inputs_of(node.index)
    }


def test_at_a_step_what_has_not_run_is_dashed_and_a_glyph_tells_each_gradient():
    trace = circuit()
    for step in range(trace.timeline.last + 1):
        for key, shape in shown(diagram(trace, style="outline", step=step)).items():
            node = int(key[1:])
            text = shape.symbol if isinstance(shape, Gate) else shape.text
            assert text_of(text).endswith(trace.timeline.status(step, node).glyph)
            if isinstance(shape, Gate):
                assert shape.ahead == (not trace.timeline.has_run(step, node))


def test_the_marks_of_a_step_are_explained_below():
    trace = circuit()
    said = [text_of(line) for line in diagram(trace, style="outline", step=4).picture.caption]
    assert said[0].startswith("step 4 of")
    assert "● gradient final" in said[-1]
    assert diagram(trace, style="outline").picture.caption == ()


def test_scopes_are_frames():
    (outer,) = diagram(batch_norm(), style="outline").picture.clusters
    assert [inner.label[0].text for inner in outer.clusters] == ["statistics", "normalise", "scale"]


def test_equal_layers_are_folded_into_one_box_with_their_number():
    shapes = shown(diagram(twelve_layers(), style="outline", most=60))
    folded = [shape for shape in shapes.values() if isinstance(shape, Card)]
    assert "layers[k=1…11]  × 11" in [text_of(card.title) for card in folded]
    assert all(card.rows == () for card in folded)
    assert len(shapes) <= 60


def test_time_steps_are_folded_with_their_number():
    shapes = shown(diagram(rnn(40), style="outline", most=80))
    titles = [text_of(shape.title) for shape in shapes.values() if isinstance(shape, Card)]
    assert titles == ["rnn[t=3…39]  × 37"]


@pytest.mark.parametrize("most", [1, 2, 7, 20, 45])
def test_no_more_shapes_are_shown_than_asked_for(most):
    assert diagram(transformer(), style="outline", most=most).shapes <= most


def test_a_lone_leaf_is_an_outline():
    assert diagram(tr.trace(tr.tensor(2.0, name="x")), style="outline").shapes == 1


def test_layers_stand_side_by_side_and_do_not_go_down_like_stairs():
    h = tr.tensor([[1.0, 2.0]], name="x")
    for k in range(6):
        with tr.scope("layer", k=k):
            w = tr.parameter([[0.5, 0.1], [0.2, 0.3]], name="W")
            b = tr.parameter([0.1, 0.2], name="b")
            h = tr.tanh(h @ w + b)
    figure = diagram(tr.trace(tr.sum(h)), style="outline", direction="right")
    levels = [figure.layout.spots[shape.key][1] for shape in figure.picture.every_shape()]
    assert max(levels) - min(levels) < 110
