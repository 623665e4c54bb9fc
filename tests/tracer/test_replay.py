"""Replay: the same run with values overridden, from the trace alone."""

import numpy as np
import pytest

import tracer as tr
from tracer.replay import Cone, affected, parts_trace


def network(x0=2.0):
    x, w = tr.tensor(x0, name="x"), tr.parameter(3.0, name="w")
    q = x * w
    h = tr.tanh(q) + x
    return h * w


def test_an_overridden_leaf_gives_the_numbers_of_a_fresh_run():
    again = tr.trace(network(2.0)).replay({"x": 0.25})
    fresh = tr.trace(network(0.25))
    assert [n.value for n in again] == [n.value for n in fresh]
    assert [n.gradient for n in again] == [n.gradient for n in fresh]


def test_a_replay_without_changes_keeps_every_bit():
    trace = tr.trace(network())
    again = trace.replay({})
    assert [n.value for n in again] == [n.value for n in trace]
    assert [n.gradient for n in again] == [n.gradient for n in trace]


def test_overriding_an_inner_node_cuts_what_flowed_further_up():
    trace = tr.trace(network())
    again = trace.replay({"q": 0.5})
    assert again["q"].kind == "input"
    assert again.gradient("q") == pytest.approx(3.0 * (1 - np.tanh(0.5) ** 2))
    assert again.gradient("x") == 3.0  # only the way that passes q by
    assert again.timeline.status(again.timeline.last, again.node_index("x")).state == "final"
    assert len(again) == len(trace)


def test_only_what_depends_on_the_change_runs_again():
    trace = tr.trace(network())
    assert [trace[k].label for k in affected(trace, [trace.node_index("q")])] == [
        "tanh@3",
        "h",
        "mul@5",
    ]


def test_values_that_do_not_fit_are_refused():
    x = tr.tensor([1.0, 2.0], name="x")
    k = tr.tensor([0, 1], name="k")
    trace = tr.trace((x[k] * x).sum())
    with pytest.raises(tr.errors.ShapeError, match=r"shape \(3,\), the recorded one \(2,\)"):
        trace.replay({"x": np.ones(3)})
    with pytest.raises(tr.errors.DTypeError, match="whole numbers"):
        trace.replay({"k": [0.5, 1.0]})
    with pytest.raises(tr.errors.UnknownNameError, match="'nothing'"):
        trace.replay({"nothing": 1.0})
    with pytest.raises(tr.errors.ReplayError, match="getitem"):
        trace.replay({"k": [0, 7]})


def test_a_guard_that_would_flip_is_named():
    x = tr.tensor(2.0, name="x")
    y = x * 3.0 if x > 1 else x * 5.0
    trace = tr.trace(y)
    assert trace.replay({"x": 1.5}).flipped == ()
    flipped = trace.replay({"x": 0.5}).flipped
    assert [(g.kind, g.result) for g in flipped] == [("bool", True)]
    assert "if x > 1" in trace.source_line(trace.places[flipped[0].place])


def test_item_is_guarded_too():
    x = tr.tensor(2.0, name="x")
    scale = (x * 2).item()
    trace = tr.trace(x * scale)
    assert trace.guards == ()  # the product that was looked at does not lead to the loss
    y = x * 2
    z = y * y.item()
    assert [g.kind for g in tr.trace(z).guards] == ["item"]


def test_a_cone_runs_only_the_way_to_its_target():
    trace = tr.trace(network())
    x, q = trace.node_index("x"), trace.node_index("q")
    cone = Cone(trace, [q], trace.loss)
    assert [trace[k].label for k in cone.plan] == ["tanh@3", "h", "mul@5"]
    assert cone({q: np.float64(0.0)}) == 6.0
    assert cone({}) == trace.value(trace.loss)
    assert Cone(trace, [x], trace.loss)({x: np.float64(0.25)}) == network(0.25).value


def test_a_cone_can_run_a_float32_graph_in_float64():
    x = tr.tensor(np.float32([0.1, 0.2]), name="x")
    trace = tr.trace((tr.exp(x) * 1.5).sum())
    cone = Cone(trace, [0], trace.loss, dtype=np.float64)
    exact = (np.exp(np.float32([0.1, 0.2]).astype(float)) * 1.5).sum()
    assert cone({}) == pytest.approx(exact, rel=1e-15)
    assert cone({}).dtype == np.float64
    assert trace.value(trace.loss).dtype == np.float32


def test_a_fused_node_opens_into_parts_with_the_same_gradients():
    rng = np.random.default_rng(0)
    x = tr.tensor(rng.normal(size=(8, 3)), name="x")
    gamma, beta = tr.parameter([1.0, 2.0, 3.0], name="g"), tr.parameter(np.zeros(3), name="b")
    y = tr.batch_norm(x, gamma, beta)
    trace = tr.trace((y * rng.normal(size=(8, 3))).sum())
    parts = parts_trace(trace, trace.node_index("y"))
    assert {"mu", "var", "inv_std", "x_hat"} <= {n.name for n in parts}
    np.testing.assert_allclose(parts.value(parts.loss), trace.value("y"), rtol=1e-13)
    for inner, outer in (("x", "x"), ("gamma", "g"), ("beta", "b")):
        np.testing.assert_allclose(parts.gradient(inner), trace.gradient(outer), atol=1e-12)
    with pytest.raises(tr.errors.ReplayError, match="no parts"):
        parts_trace(trace, 0)
