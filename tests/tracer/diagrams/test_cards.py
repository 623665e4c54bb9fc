"""The card style: formulas, shapes, elided numbers, frames of scopes, the main route."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tests.tracer.diagrams.networks import batch_norm, edges, texts
from tracer.diagrams import diagram
from tracer.diagrams.boxed.cards import main_route
from tracer.diagrams.frames import part_of
from tracer.diagrams.numerals import first_numbers


def written(number: object) -> str:
    return first_numbers(number)


def test_every_number_of_a_card_is_one_of_the_trace():
    trace = batch_norm()
    found = texts(diagram(trace).dot)
    for node in trace:
        words = found[f"n{node.index}"]
        assert words["value"] == written(node.value)
        if node.gradient is None:
            assert words["quiet"].endswith("⊘ constant")
        else:
            assert words["gradient"] == "∂ " + written(node.gradient)


def test_a_card_is_titled_by_name_and_formula_and_shows_its_shape():
    trace = batch_norm()
    found = texts(diagram(trace).dot)
    xhat = found[f"n{trace.node_index('xhat')}"]
    assert xhat["ink"] == "xhat = xc · inv_std"
    assert xhat["quiet"] == "4×2"
    assert found[f"n{trace.node_index('gamma')}"]["parameter"] == "γ"


def test_what_has_no_name_is_called_by_its_formula_with_dots_for_inputs_without_names():
    trace = batch_norm()
    found = texts(diagram(trace).dot)
    inv_std = trace["inv_std"]
    root = inv_std.inputs[1]
    assert found[f"n{root.index}"]["ink"] == "√(…)"
    assert found[f"n{inv_std.index}"]["ink"] == "inv_std = 1 / …"


def test_scopes_are_frames_inside_frames_and_weights_stand_where_they_are_used():
    picture = diagram(batch_norm()).picture
    (outer,) = picture.clusters
    assert outer.label[0].text == "BatchNorm"
    assert [inner.label[0].text for inner in outer.clusters] == ["statistics", "normalise", "scale"]
    trace = batch_norm()
    keys = {shape.key for shape in outer.clusters[2].shapes}
    assert f"n{trace.node_index('gamma')}" in keys
    assert f"n{trace.node_index('x')}" in {shape.key for shape in picture.shapes}


def test_a_scope_that_is_entered_again_gets_a_frame_of_its_own():
    x = tr.tensor([1.0, 2.0], name="x")
    with tr.scope("layer"):
        h = tr.tanh(x)
    k = h * 2
    with tr.scope("layer"):
        y = tr.sum(k)
    picture = diagram(tr.trace(y)).picture
    assert [cluster.label[0].text for cluster in picture.clusters] == ["layer", "layer"]


def test_ten_thousand_scopes_inside_each_other_are_drawn_without_recursion():
    from contextlib import ExitStack

    with ExitStack() as scopes:
        for k in range(10_000):
            scopes.enter_context(tr.scope("s", k=k))
        y = tr.sum(tr.tensor([1.0, 2.0], name="x") * 2)
    dot = diagram(tr.trace(y)).dot
    assert dot.count("subgraph") == 10_000
    assert dot.count("{") == dot.count("}")


def test_the_main_route_follows_the_data_and_is_drawn_heavier():
    trace = batch_norm()
    route = main_route(part_of(trace))
    names = {trace[i].name for edge in route for i in edge if trace[i].name}
    assert names == {"x", "xc", "xhat", "y", "loss"}
    heavy = {
        (tail, head) for tail, head, look in edges(diagram(trace).dot) if "penwidth=2.2" in look
    }
    assert heavy == {(f"n{j}", f"n{i}") for j, i in route}


def test_arguments_keep_their_edges_when_a_value_is_used_twice():
    x = tr.tensor([1.0, 2.0], name="x")
    trace = tr.trace(tr.sum(x * x))
    assert [(tail, head) for tail, head, _ in edges(diagram(trace).dot)].count(("n0", "n1")) == 2


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_at_a_step_numbers_are_shown_only_when_they_are_there(share):
    trace = batch_norm()
    step = int(share * trace.timeline.last)
    found = texts(diagram(trace, step=step).dot)
    for node in trace:
        gradient = trace.timeline.gradient(step, node.index)
        words = found[f"n{node.index}"]
        assert ("value" in words) == trace.timeline.has_run(step, node.index)
        assert words.get("gradient") == (None if gradient is None else "∂ " + written(gradient))


def test_an_exactly_zero_gradient_is_marked_and_one_that_only_begins_with_zeros_is_not():
    x = tr.tensor([1.0, 2.0, 3.0], name="x")
    z = tr.tensor([1.0, 2.0, 3.0], name="z")
    trace = tr.trace(tr.sum(x * np.zeros(3) + z * np.array([0.0, 0.0, 1.0])))
    found = texts(diagram(trace).dot)
    assert "exactly zero" in found[f"n{trace.node_index('x')}"]["quiet"]
    assert "exactly zero" not in found[f"n{trace.node_index('z')}"]["quiet"]


def test_empty_boolean_and_integer_arrays_are_drawn():
    ids = tr.constant(np.array([1, 0]), name="ids")
    table = tr.parameter(np.ones((3, 2)), name="table")
    rows = table[ids]
    mask = rows > 0.5
    trace = tr.trace(
        tr.sum(tr.where(mask, rows, 0.0)) + tr.sum(tr.tensor(np.zeros((0, 3)), name="none"))
    )
    found = texts(diagram(trace).dot)
    assert found[f"n{trace.node_index('ids')}"]["value"] == "1 0"
    assert found[f"n{trace.node_index('mask')}"]["value"] == "True True …"
    assert found[f"n{trace.node_index('none')}"]["value"] == "empty"


def test_a_lone_leaf_is_a_figure_of_one_card():
    trace = tr.trace(tr.tensor([3.0, 1.0], name="x"), seed=np.ones(2))
    assert diagram(trace).shapes == 1
    assert edges(diagram(trace).dot) == []


# ----- one part of a network


def test_a_scope_is_drawn_by_itself_with_what_flows_into_it():
    trace = batch_norm()
    found = texts(diagram(trace, scope="BatchNorm.normalise").dot)
    assert set(found) == {f"n{trace.node_index(name)}" for name in ("xc", "inv_std", "xhat")}
    assert len(edges(diagram(trace, scope="BatchNorm.normalise").dot)) == 2


def test_an_unknown_scope_is_refused_with_the_scopes_there_are():
    with pytest.raises(tr.errors.DiagramError, match=r"'bn'(.|\n)*BatchNorm, BatchNorm.normalise"):
        diagram(batch_norm(), scope="bn")


# ----- titles


def test_a_repeated_name_bears_its_number():
    x = tr.tensor([1.0, 2.0], name="x")
    h = tr.tanh(x)
    h = tr.exp(h)
    found = texts(diagram(tr.trace(tr.sum(h))).dot)
    assert found["n1"]["quiet"].startswith("#1")
    assert found["n2"]["ink"].startswith("h = exp(h#1)")


def test_what_only_rearranges_its_input_says_so():
    x = tr.tensor(np.ones((2, 3)), name="x")
    y = tr.reshape(x, (3, 2))
    found = texts(diagram(tr.trace(tr.sum(y))).dot)
    assert found["n1"]["ink"] == "y = reshape(x)"


def test_a_module_parameter_is_called_by_the_last_part_of_its_name():
    layer = tr.nn.Linear(2, 3, rng=np.random.default_rng(0))
    stack = tr.nn.Sequential(layer, tr.relu)
    loss = tr.sum(stack(tr.tensor(np.ones((1, 2)), name="x")))
    trace = tr.trace(loss)
    found = texts(diagram(trace).dot)
    (weight,) = [node for node in trace if node.name == "0.weight"]
    assert found[f"n{weight.index}"]["parameter"] == "weight"
    assert "0.weight" not in "".join(words.get("ink", "") for words in found.values())
    assert "0.weight" in diagram(trace).dot  # the tip has it whole
