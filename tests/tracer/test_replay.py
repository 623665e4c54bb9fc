"""Replay: the same run with values overridden, from the trace alone."""

import numpy as np
import pytest

import tracer as tr
from tracer.cones import Cone
from tracer.replay import affected, parts_trace


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
    with pytest.raises(
        tr.errors.ShapeError, match=r"shape \(3,\), the recorded one \(2,\)\n.*, or a number"
    ):
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
    y = x * 2
    assert [g.kind for g in tr.trace(y * y.item()).guards] == ["item"]
    u = tr.tensor(2.0, name="u")
    scale = (u * 2).item()  # does not lead to the loss, but u does
    assert [g.kind for g in tr.trace(u * scale).guards] == ["item"]


def test_a_cone_runs_only_the_way_to_its_target():
    trace = tr.trace(network())
    x, q = trace.node_index("x"), trace.node_index("q")
    cone = Cone(trace, [q], trace.loss)
    assert [trace[k].label for k in cone.plan] == ["tanh@3", "h", "mul@5"]
    assert cone({q: np.float64(0.0)}) == 6.0
    assert cone({}) == trace.value(trace.loss)
    assert Cone(trace, [x], trace.loss)({x: np.float64(0.25)}) == network(0.25).value


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


def test_a_comparison_of_a_part_or_a_sum_is_guarded_too():
    x = tr.tensor([2.0, 1.0], name="x")
    h = x * 3.0
    loss = (h * h).sum() if h[0] > 0 and h.sum() > 1 else h.sum()
    trace = tr.trace(loss)
    assert [g.kind for g in trace.guards] == ["bool", "bool"]
    assert len(trace.replay({"x": [-2.0, 1.0]}).flipped) == 2
    assert trace.replay({"x": [2.0, 1.5]}).flipped == ()


def test_a_guard_of_the_last_training_step_is_not_part_of_this_one():
    w, data = tr.parameter(1.0), tr.constant(2.0)
    sizes = []
    for _ in range(3):
        loss = (w * data - 1.0) ** 2
        sizes.append(len(tr.trace(loss)))
        if loss > 1e9:
            raise AssertionError
        w.set(w.value * 0.9)
    assert len(set(sizes)) == 1


def test_a_trace_whose_shapes_contradict_each_other_is_not_run():
    import dataclasses

    x = tr.tensor(np.ones(3), name="x")
    trace = tr.trace(tr.broadcast_to(x, shape=(2, 3)).sum())
    huge = tuple({**p, "shape": (10**9, 3)} if "shape" in p else p for p in trace.params)
    with pytest.raises(tr.errors.ReplayError, match="recorded shape"):
        dataclasses.replace(trace, params=huge).replay({"x": np.zeros(3)})


def test_a_rule_that_cannot_run_on_recorded_numbers_is_one_clear_error():
    import dataclasses

    x = tr.tensor(np.ones((2, 3)), name="x")
    trace = tr.trace((x.sum(axis=0) * 2.0).sum())
    odd = tuple({**p, "axis": 7} if p.get("axis") == 0 else p for p in trace.params)
    with pytest.raises(tr.errors.ReplayError, match=r"rule of .*sum"):
        dataclasses.replace(trace, params=odd).gradient("x")


def test_a_replay_of_many_replays_reads_its_numbers_in_one_step():
    x, y = tr.tensor(1.0, name="x"), tr.tensor(5.0, name="y")
    trace = tr.trace(x * y)
    for k in range(2000):
        trace = trace.replay({"x": float(k)})
    assert (trace.value("y"), trace.gradient("x"), trace.gradient("y")) == (5.0, 5.0, 1999.0)


def test_a_guard_that_an_earlier_replay_flipped_stays_flipped():
    x, z = tr.tensor(2.0, name="x"), tr.tensor(1.0, name="z")
    trace = tr.trace(x * z if x > 1 else z)
    once = trace.replay({"x": 0.5})
    assert len(once.replay({"z": 3.0}).flipped) == 1
    assert once.replay({"x": 2.0}).flipped == ()


def test_an_overridden_node_that_had_no_gradient_gets_none():
    c, x = tr.constant(2.0, name="c"), tr.tensor(1.0, name="x")
    k = c * 3.0
    again = tr.trace(x * k).replay({"k": 7.0})
    assert again["k"].kind == "constant"
    assert (again.gradient("k"), again.gradient("x")) == (None, 7.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_guarded_whole_number_that_is_none_any_more_is_flipped(value):
    x = tr.tensor(2.0, name="x")
    trace = tr.trace(x * int(x))
    assert [g.kind for g in trace.replay({"x": value}).flipped] == ["int"]


def test_the_parts_of_a_node_leave_constants_without_a_gradient():
    x, gamma = tr.constant(np.eye(3), name="x"), tr.parameter(np.ones(3), name="gamma")
    y = tr.batch_norm(x, gamma, np.zeros(3))
    trace = tr.trace((y * y).sum())
    parts = parts_trace(trace, trace.node_index("y"))
    assert parts.gradient("x") is None
    assert parts["x"].kind == "constant"
    np.testing.assert_allclose(parts.gradient("gamma"), trace.gradient("gamma"))


@pytest.mark.parametrize(
    "question",
    [
        lambda x: x.mean() > 0,
        lambda x: (x > 0).sum() > 0,
        lambda x: x[0] * x[1] > 0,
        lambda x: x.sum() > np.float64(0.5),
        lambda x: int((x > 0).sum()) == 2,
    ],
)
def test_a_question_about_a_leaf_is_guarded_too(question):
    x = tr.tensor([1.0, 2.0], name="x")
    y = x * 2.0 if question(x) else x * 3.0
    trace = tr.trace(y.sum())
    assert len(trace.guards) == 1
    assert len(trace.replay({"x": [-1.0, -0.5]}).flipped) == (0 if question(-x) else 1)


def test_a_question_about_what_is_not_part_of_a_trace_does_not_guard_it():
    x, other = tr.tensor(1.0, name="x"), tr.tensor(1.0, name="other")
    y = x * 2.0 if other * x > 0 else x * 3.0
    assert tr.trace(y).guards == ()
    assert len(tr.trace(y + other).guards) == 1


def test_an_override_in_another_memory_layout_gives_the_same_bits():
    x = np.random.default_rng(0).normal(size=(40, 70))
    leaf = tr.tensor(x, name="x")
    trace = tr.trace(tr.sum(leaf * tr.exp(leaf)))
    again = trace.replay({"x": np.asfortranarray(x)})
    assert again.value(trace.loss) == trace.value(trace.loss)


def test_overriding_a_node_leaves_the_names_of_the_others():
    w = tr.parameter(np.ones((4, 3)))
    Y = np.array([0, 1, 2, 1])  # noqa: N806
    loss = tr.cross_entropy(w * 2, Y)
    trace = tr.trace(loss)
    assert trace.names == ("w", "", "Y", "loss")
    assert trace.replay({"loss": 3.0}).names == trace.names


def test_a_number_fills_all_elements_and_an_array_is_broadcast_to_the_recorded_shape():
    x = tr.tensor([[1.0, 2.0], [3.0, 4.0]], name="x")
    trace = tr.trace((x * x).sum())
    for given, whole in (
        (1, np.ones((2, 2))),
        ([5.0, 6.0], [[5.0, 6.0]] * 2),
        ([[7.0], [8.0]], [[7, 7], [8, 8]]),
    ):
        again = trace.replay({"x": given})
        np.testing.assert_array_equal(again.value("x"), whole)
        np.testing.assert_array_equal(again.gradient("x"), 2 * np.asarray(whole))
    scalar = tr.trace(tr.tensor(2.0, name="y") * 3.0)
    with pytest.raises(tr.errors.ShapeError, match=r"shape \(1,\), the recorded one \(\)"):
        scalar.replay({"y": [1.0]})
