"""What breakpoints select beyond a name: exceptions, numbers anywhere, states, conditions that name other nodes."""

import numpy as np
import pytest

import tracer as tr
from tracer.debugger import Debugger
from tracer.errors import ConditionError, UnknownNameError
from tracer.watches import Shown


def network():
    """Two layers, an infinite logarithm in the backward pass, a branch that no gradient takes."""
    x = tr.tensor(np.array([[1.0, 0.0], [0.5, 2.0]]), name="x")
    w = tr.parameter(np.array([[1.0, -1.0], [0.25, 0.5]]), name="w")
    h = tr.matmul(x, w)
    root = tr.sqrt(tr.square(h) + 0.0)
    tall = root > 0.1
    picked = tr.where(tall, root, 0.0)
    loss = tr.sum(picked)
    return tr.trace(loss)


def bad():
    x = tr.tensor(np.array([4.0, 0.0]), name="x")
    root = tr.sqrt(x)
    loss = tr.sum(root)
    return tr.trace(loss)


def met(debugger):
    found = []
    while (stop := debugger.resume()).breakpoint is not None:
        step = debugger.timeline.step(stop.position)
        found.append((stop.position, debugger.trace.label(step.node)))
    return found


def labels(debugger):
    """The nodes that ran where it stopped in the forward pass."""
    return [label for at, label in met(debugger) if at <= debugger.timeline.forward_steps]


def test_some_nodes_are_left_out():
    debugger = Debugger(network())
    made = debugger.add_breakpoint("any except op:sqrt,  h , name:loss")
    assert made.text == "any except op:sqrt, h, name:loss"
    assert labels(debugger) == ["square@3", "add@4", "tall", "picked"]
    debugger.delete(made.number)
    debugger.goto(0)
    debugger.add_breakpoint("any except op:sqrt if sum(value) > 3.4")
    assert labels(debugger) == ["tall", "picked", "loss"]


@pytest.mark.parametrize("text", ["op:sqrt except root", "op:sqrt except", "op:sqrt except ,"])
def test_an_exception_that_leaves_nothing_is_refused(text):
    with pytest.raises(ConditionError, match="nothing"):
        Debugger(network()).add_breakpoint(text)


def test_an_exception_is_read_as_strictly_as_the_rest():
    with pytest.raises(UnknownNameError, match="nowhere"):
        Debugger(network()).add_breakpoint("op:sqrt except nowhere")


def test_nan_and_inf_are_met_in_values_and_in_gradients():
    debugger = Debugger(bad())
    made = debugger.add_breakpoint("inf")
    assert made.text == "inf(it)"
    assert [debugger.timeline.when_final(0)] == [at for at, _ in met(debugger)]
    x = tr.tensor(np.array([0.0, 1.0]), name="x")
    y = tr.log(x)
    z = tr.mean(y)
    debugger = Debugger(tr.trace(z))
    debugger.add_breakpoint("inf")
    timeline = debugger.timeline
    assert [at for at, _ in met(debugger)] == [1, 2, timeline.when_final(0)]
    debugger.goto(0)
    debugger.add_breakpoint("nan if sum(value) > 0")
    assert debugger.breakpoints[-1].text == "nan(it) and (sum(value) > 0)"


def test_a_node_of_that_name_comes_before_the_word():
    x = tr.tensor(1.0, name="x")
    nan = x * 2.0
    debugger = Debugger(tr.trace(nan + x))
    assert debugger.add_breakpoint("nan").selection.kind == "node"


def test_a_state_of_the_gradient_selects_the_nodes_where_nothing_will_arrive():
    debugger = Debugger(network())
    debugger.add_breakpoint("state:blocked")
    assert labels(debugger) == ["tall"]
    with pytest.raises(UnknownNameError, match="of no node that runs here the gradient is disc"):
        debugger.add_breakpoint("state:disconnected")
    with pytest.raises(UnknownNameError, match="there are: blocked, disconnected"):
        debugger.add_breakpoint("state:lost")


def test_a_condition_that_only_names_nodes_is_told_where_the_last_of_them_is_there():
    debugger = Debugger(network())
    made = debugger.add_breakpoint("norm(w.grad) > 0.1 * norm(w)")
    timeline, w = debugger.timeline, debugger.trace.node_index("w")
    assert made.selection.node == w
    assert [at for at, _ in met(debugger)] == [timeline.when_final(w)]
    debugger.goto(0)
    debugger.delete(made.number)
    debugger.add_breakpoint("max(root) + max(h) > 0")
    assert [at for at, _ in met(debugger)] == [timeline.after_forward(4 + 1)]


def test_numbers_of_other_nodes_count_only_once_they_are_there():
    debugger = Debugger(network())
    debugger.add_breakpoint("h if max(root) > 0")
    debugger.add_breakpoint("root if max(h) > 0")
    debugger.add_breakpoint("h if norm(w.grad) > 0")
    assert [label for _, label in met(debugger)] == ["root"]
    debugger.goto(0)
    debugger.add_breakpoint("x if norm(h.grad) > 0 and norm(grad) > 0")
    timeline = debugger.timeline
    x = debugger.trace.node_index("x")
    assert (timeline.when_final(x), "h") in met(debugger)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("norm(w) > 1", "w is a leaf, and has its value before the first step"),
        ("norm(tall.grad) > 1", "the gradient of tall never comes: blocked"),
        ("h if norm(ww) > 1", "did you mean w?"),
        ("norm(ww) > 1", "did you mean w?"),
    ],
)
def test_a_condition_that_could_never_be_told_is_refused(text, said):
    debugger = Debugger(network())
    with pytest.raises(ConditionError, match="(?s)" + said.replace("?", r"\?")):
        debugger.add_breakpoint(text)
    assert debugger.breakpoints == ()


def test_a_condition_of_nodes_that_the_parts_do_not_have_is_false_in_the_parts():
    x = tr.tensor(np.ones((4, 3)) * np.arange(3.0), name="x")
    gamma, beta = tr.parameter(np.ones(3), name="gamma"), tr.parameter(np.zeros(3), name="beta")
    y = tr.batch_norm(x, gamma, beta)
    debugger = Debugger(tr.trace(tr.mean(y)))
    debugger.add_breakpoint("any if norm(y) >= 0 and norm(value) >= 0")
    assert debugger.resume().breakpoint is not None
    debugger.open("y")
    assert debugger.resume().breakpoint is None


def test_a_condition_is_changed_and_taken_away():
    debugger = Debugger(network())
    made = debugger.add_breakpoint("op:sqrt if max(value) > 1e9")
    assert debugger.resume().breakpoint is None
    debugger.goto(0)
    assert debugger.condition(made.number, "max(value) > 0").text == "op:sqrt if max(value) > 0"
    assert debugger.resume().breakpoint is not None
    assert debugger.condition(made.number, "").text == "op:sqrt"
    with pytest.raises(ConditionError, match="did you mean"):
        debugger.condition(made.number, "norm(ww) > 1")


def test_where_a_breakpoint_comes_next_is_told_without_a_hit():
    debugger = Debugger(network())
    made = debugger.add_breakpoint("root")
    root, timeline = debugger.trace.node_index("root"), debugger.timeline
    assert debugger.coming(made.number) == (timeline.after_forward(root), root)
    debugger.goto(timeline.last)
    assert debugger.coming(made.number) == (timeline.after_forward(root), root)
    assert debugger.breakpoints[0].hits == 0
    assert debugger.coming(debugger.add_breakpoint("value > 1e9").number) is None


def test_a_condition_too_large_to_be_tested_is_said_and_not_taken_for_false():
    x = tr.tensor(np.zeros(4000), name="x")
    y = x * 2.0
    debugger = Debugger(tr.trace(tr.sum(y)))
    debugger.add_breakpoint("y if sum(value[:, None] - value) > 0")
    with pytest.raises(ConditionError, match="16,000,000 elements"):
        debugger.resume()
    assert debugger.position == 0


def test_a_search_for_a_condition_finds_the_nodes_by_their_final_numbers():
    debugger = Debugger(network())
    trace = debugger.trace

    def found(text):
        return [trace.label(node) for node in debugger.search(text)]

    assert found("sum(value) > 3.4") == ["x", "root", "tall", "picked", "loss"]
    assert found("shape == ()") == ["loss"]
    assert found("ndim == 2 and dtype == 'bool'") == ["tall"]
    assert found("grad > 1e6") == []
    assert found("norm(w.grad) > 0") == ["w"]
    assert debugger.position == 0
    bad_one = Debugger(bad())
    assert [bad_one.trace.label(k) for k in bad_one.search("inf(it)")] == ["x"]
    with pytest.raises(ConditionError, match="did you mean grad"):
        debugger.search("grd > 1")


def test_a_search_for_a_condition_is_interrupted_and_tells_how_far_it_is():
    x = tr.tensor(1.0, name="x")
    for _ in range(600):
        x = x * 1.01
    debugger = Debugger(tr.trace(x))
    asked = []
    debugger.interrupted = lambda: len(asked) == 2
    found = debugger.search("value > 0", lambda done, of: asked.append((done, of)))
    assert len(found) == 512
    assert asked == [(0, len(debugger.trace)), (256, len(debugger.trace))]


def test_a_watch_is_worked_out_again_only_when_a_number_of_it_has_changed():
    debugger = Debugger(network())
    asked = []
    watch = debugger.watch("norm(h)")
    shown, trace = Shown(), debugger.trace
    for position in range(debugger.timeline.last + 1):
        asked.append(shown(watch, trace, position))
        before = shown._known[watch][0]
        assert shown(watch, trace, position) == asked[-1]
        assert shown._known[watch][0] is before
    assert set(asked) == {"h not run yet", "1.803"}


def test_watches_of_gradients_of_other_nodes_say_what_is_partly_there():
    x = tr.tensor(3.0, name="x")
    loss = x * x
    debugger = Debugger(tr.trace(loss))
    debugger.watch("x.grad / x")
    debugger.goto(debugger.timeline.last - 1)
    assert debugger.watch_values() == (("x.grad / x", "1, x partial (1 of 2 flows)"),)
    debugger.next()
    assert debugger.watch_values() == (("x.grad / x", "2"),)
