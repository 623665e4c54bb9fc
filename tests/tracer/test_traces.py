"""Traces: names, places, flows, gradient states, the timeline."""

from types import SimpleNamespace

import numpy as np
import pytest

import tracer as tr
from tracer.timeline import GLYPHS, STATES


def unrolled(steps=4):
    w, a = tr.parameter(0.9, name="w"), tr.tensor(0.5, name="a0")
    for t in range(1, steps + 1):
        with tr.scope("rnn", t=t):
            a = tr.tanh(w * a)
    return tr.trace(a)


def test_nodes_are_named_after_the_variables_they_are_assigned_to():
    x, y = tr.tensor(2.0), tr.tensor(3.0)
    product = x * y + 1.0
    total: tr.Tensor = product + x
    if (walrus := total * 2) is not None:
        loss = tr.tanh(walrus)
    trace = tr.trace(loss)
    assert [n.label for n in trace] == ["x", "y", "mul@2", "product", "total", "walrus", "loss"]


def test_a_given_name_wins_and_repeats_are_numbered():
    h = tr.tensor(1.0, name="start")
    for _ in range(3):
        h = h * 2.0
    trace = tr.trace(h)
    assert [n.label for n in trace] == ["start", "h#1", "h#2", "h#3"]
    assert trace["h"].index == 3
    assert trace["h#1"].index == 1
    assert trace["mul@2"].index == 2


def test_augmented_assignment_names_the_node():
    h = tr.tensor(1.0)
    h += 2.0
    assert tr.trace(h)[1].name == "h"


def test_an_unknown_name_lists_what_there_is():
    trace = unrolled(2)
    with pytest.raises(tr.errors.UnknownNameError, match=r"'b0'(.|\n)*a0"):
        trace["b0"]
    with pytest.raises(tr.errors.UnknownNameError, match="nodes 0 to"):
        trace[99]


def test_places_point_at_the_exact_columns():
    x = tr.tensor(2.0)
    y = 1.0 + tr.exp(x * 3.0)
    trace = tr.trace(y)
    place = trace[1].place
    line = trace.source_line(place)
    assert line[place.column : place.end_column] == "x * 3.0"
    assert line[trace[2].place.column : trace[2].place.end_column] == "tr.exp(x * 3.0)"
    assert place.file.endswith("test_traces.py")


def test_scopes_are_recorded_and_printed_with_their_index():
    trace = unrolled(2)
    assert trace["a"].scope_text == "rnn[t=2]"
    assert trace["w"].scope == ()
    with pytest.raises(TypeError, match="one index"):
        tr.scope("rnn", t=1, k=2).__enter__()


def test_a_shared_weight_receives_one_flow_for_each_time_step():
    trace = unrolled(4)
    flows = trace.flows_into("w")
    assert [trace[f.consumer].scope_text for f in flows] == [f"rnn[t={t}]" for t in (4, 3, 2, 1)]
    assert sum(f.cotangent for f in flows) == pytest.approx(trace.gradient("w"), rel=1e-15)


def test_x_times_x_has_two_edges_and_two_flows():
    x = tr.tensor(3.0, name="x")
    trace = tr.trace(x * x)
    assert trace[1].inputs == (trace[0], trace[0])
    assert [f.cotangent for f in trace.flows_into("x")] == [3.0, 3.0]
    assert [f.argument for f in trace.flows_from(1)] == [0, 1]


def test_the_traces_sweep_gives_the_bits_of_the_live_sweep():
    rng = np.random.default_rng(1)
    x = tr.tensor(rng.normal(size=(5, 3)))
    w = tr.parameter(rng.normal(size=(3, 2)))
    h = tr.tanh(x @ w + w.value[0])
    loss = (tr.softmax(h) * h).sum() + (h * h).mean()
    loss.backward()
    trace = tr.trace(loss)
    np.testing.assert_array_equal(trace.gradient("x"), x.grad)
    np.testing.assert_array_equal(trace.gradient("w"), w.grad)
    np.testing.assert_array_equal(trace.gradient("h"), h.grad)


def test_a_trace_does_not_change_when_the_script_goes_on():
    w = tr.parameter(2.0, name="w")
    loss = w * w
    trace = tr.trace(loss)
    w.set(100.0)
    loss.backward()
    assert trace.value("w") == 2.0
    assert trace.gradient("w") == 4.0


def test_literals_stay_python_numbers_and_are_not_nodes():
    x = tr.tensor(2.0)
    trace = tr.trace(x * 3 + 1.5)
    assert [n.op_name for n in trace] == ["input", "mul", "add"]
    assert trace[1].inputs[1] == 3
    assert type(trace[1].inputs[1]) is int


# ----- timeline


def test_positions_count_forward_steps_then_flows_by_falling_consumer_and_argument():
    x, y, z = tr.tensor(-2.0), tr.tensor(5.0), tr.tensor(-4.0)
    q = x + y
    f = q * z
    timeline = tr.trace(f).timeline
    steps = [timeline.step(p) for p in range(timeline.last + 1)]
    assert [(s.phase, s.node, s.argument) for s in steps] == [
        ("start", -1, None),
        ("forward", 3, None),
        ("forward", 4, None),
        ("backward", 4, 0),
        ("backward", 4, 1),
        ("backward", 3, 0),
        ("backward", 3, 1),
    ]
    with pytest.raises(IndexError, match="0 to 6"):
        timeline.step(7)


def test_node_boundaries_are_exact_in_both_directions():
    timeline = unrolled(4).timeline
    stops = [0]
    while stops[-1] < timeline.last:
        stops.append(timeline.next_boundary(stops[-1]))
    back = [timeline.last]
    while back[-1] > 0:
        back.append(timeline.previous_boundary(back[-1]))
    assert back[::-1] == stops
    assert timeline.next_boundary(timeline.last) == timeline.last
    assert timeline.previous_boundary(0) == 0


def test_a_partial_gradient_is_the_sum_of_the_flows_so_far():
    trace = unrolled(4)
    timeline, w = trace.timeline, trace.node_index("w")
    flows = [f.cotangent for f in trace.flows_into(w)]
    seen = []
    for p in range(timeline.last + 1):
        k, n = timeline.arrived(p, w)
        gradient = timeline.gradient(p, w)
        assert n == 4
        assert (gradient is None) == (k == 0)
        if k:
            assert gradient == pytest.approx(sum(flows[:k]), rel=1e-15)
        seen.append(timeline.status(p, w).state)
    assert list(dict.fromkeys(seen)) == ["not reached", "partial", "final"]
    assert str(timeline.status(timeline.forward_steps + 2, w)) == "partial (1 of 4 flows)"


def test_the_gradient_states_are_told_apart():
    with tr.record():
        x = tr.tensor(2.0, name="x")
        c = tr.constant(3.0, name="c")
        unused = x * 5.0
        kept = x.detach()
        k = tr.tensor([1], name="k")
        loss = x * c * kept + (k > 0).sum() * x
        trace = tr.trace(loss)
    timeline = trace.timeline
    end = timeline.last
    state = {n.label: timeline.status(end, n.index) for n in trace}
    assert state["x"].state == "final"
    assert state["unused"].state == "disconnected"
    assert (state["c"].state, state["c"].reason) == ("blocked", "constant")
    assert state["kept"].state == "blocked"
    assert (state["k"].state, state["k"].reason) == ("blocked", "integer")
    assert timeline.status(0, trace.node_index("loss")).state == "not run yet"
    assert unused.value == 10.0
    assert len(set(GLYPHS.values())) == len(STATES)


def test_the_loss_shows_its_seed_as_soon_as_the_forward_pass_is_complete():
    trace = unrolled(2)
    timeline = trace.timeline
    assert timeline.gradient(timeline.forward_steps, trace.loss) == 1.0
    assert timeline.status(timeline.forward_steps, trace.loss).state == "final"
    assert timeline.gradient(timeline.forward_steps - 1, trace.loss) is None


def test_when_things_happen_agrees_with_what_is_known():
    trace = unrolled(3)
    timeline = trace.timeline
    for node in range(len(trace)):
        ran, final = timeline.after_forward(node), timeline.when_final(node)
        assert timeline.has_run(ran, node)
        assert ran == 0 or not timeline.has_run(ran - 1, node)
        if final is not None:
            assert timeline.status(final, node).state == "final"
            assert timeline.status(final - 1, node).state != "final"
            np.testing.assert_array_equal(timeline.gradient(final, node), trace.gradient(node))


def test_a_jump_into_the_middle_of_many_flows_gives_the_same_bits_as_stepping():
    rng = np.random.default_rng(3)
    w = tr.tensor(rng.normal(size=3), name="w")
    total = w * 0.1
    for k in range(200):
        total = total + w * float(k)
    trace = tr.trace(total.sum())
    timeline, node = trace.timeline, trace.node_index("w")
    flows = [f.cotangent for f in trace.flows_into(node)]
    running = flows[0]
    arrivals = [
        p
        for p in range(timeline.last)
        if timeline.arrived(p + 1, node) != timeline.arrived(p, node)
    ]
    for k, flow in enumerate(flows[1:-1], 2):
        running = running + flow
        np.testing.assert_array_equal(timeline.gradient(arrivals[k - 1] + 1, node), running)
    assert trace.swept.nearest(node, 150)[0] > 100


def test_an_array_operand_is_named_after_its_variable():
    data, y = np.ones((4, 2)), np.zeros(4)
    w = tr.parameter([1.0, 2.0])
    loss = tr.mse_loss(data @ w, y)
    assert [n.label for n in tr.trace(loss)] == ["w", "data", "matmul@2", "y", "loss"]
    also = (w * data[0]).sum()
    assert tr.trace(also)[1].label == "data[0]"


def test_an_operand_of_a_call_is_named_where_it_stands_and_a_layer_names_none():
    x, logits, w = np.ones((2, 3)), tr.parameter(np.ones((2, 3))), tr.parameter(np.ones((3, 3)))
    words = np.array([0, 1])
    table, v = tr.nn.Embedding(2, 3), np.ones(3)
    layers = SimpleNamespace(table=table)
    several = tr.cross_entropy(logits, words) + tr.linear(x, w).sum() + w.dot(v).sum()
    several = several + tr.cross_entropy(logits, np.array([0, 2]))
    loss = several + layers.table(words).sum()
    constants = [n.name for n in tr.trace(loss) if n.kind == "constant"]
    assert constants == ["words", "x", "v", "", ""]


def test_of_the_additions_of_a_sum_only_the_last_bears_the_name():
    losses = [tr.tensor(float(k)) for k in range(4)]
    loss = sum(losses)
    assert [n.name for n in tr.trace(loss)][-2:] == ["", "loss"]


def test_a_name_cannot_command_the_terminal():
    x = tr.tensor(1.0, name="x\x1b[2Jy")
    with tr.scope("s\x07"):
        trace = tr.trace(x * 2.0)
    assert trace[0].label == r"x\x1b[2Jy"
    assert trace[1].scope_text == r"s\x07"
    assert trace[r"x\x1b[2Jy"].index == 0


def test_parameters_that_print_alike_are_kept_apart():
    @tr.primitive(vjps={"x": lambda g, out, x, *, mask: g * mask}, name="masked_of_a_test")
    def masked(x, *, mask):
        """x where the mask is 1."""
        return x * mask

    nothing, one = np.zeros(5000), np.zeros(5000)
    one[2500] = 1.0  # numpy prints both as [0., 0., 0., ..., 0., 0., 0.]
    x = tr.tensor(np.ones(5000), name="x")
    trace = tr.trace((masked(x, mask=nothing) + masked(x, mask=one)).sum())
    assert trace.gradient("x").sum() == 1.0


def test_a_list_given_as_a_parameter_may_change_afterwards():
    x, shape = tr.tensor(np.ones((2, 3)), name="x"), [3, 2]
    y = x.reshape(shape)
    trace = tr.trace(y.sum())
    shape[:] = [6, 1]
    assert trace.replay({"x": np.zeros((2, 3))}).value("y").shape == (3, 2)


def test_the_columns_of_a_trace_are_read_only():
    trace = unrolled(2)
    for column in (trace.op_of, trace.input_of, trace.replay({"a": 0.5}).kind_of):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 0


def test_partial_gradients_are_read_only_too():
    w = tr.tensor(np.ones(3), name="w")
    total = w * 0.1
    for k in range(100):
        total = total + w * float(k)
    trace = tr.trace(total.sum())
    timeline, node = trace.timeline, trace.node_index("w")
    for position in range(timeline.forward_steps, timeline.last + 1):
        gradient = timeline.gradient(position, node)
        assert gradient is None or not gradient.flags.writeable


@pytest.mark.parametrize("key", [1.0, slice(0, 1), None, "mul@²"])
def test_a_key_of_another_kind_names_what_there_is(key):
    with pytest.raises(tr.errors.UnknownNameError, match=r"there is no node (.|\n)*a0"):
        unrolled(2)[key]


def test_a_chain_of_methods_over_several_lines_is_named():
    x = tr.tensor(2.0)
    y = (
        x
        .exp()
        .reshape(
            1
        )
    )  # fmt: skip
    assert tr.trace(y.sum())[2].name == "y"


def test_an_element_that_is_added_to_in_place_bears_its_name():
    class Cell:
        h = tr.tensor(1.0)

    self, state = Cell(), [tr.tensor(1.0)]
    self.h += 2.0
    state[0] += self.h
    assert [n.name for n in tr.trace(state[0]) if not n.is_leaf] == ["h", "state[0]"]


def test_what_a_comprehension_reads_does_not_bear_the_name_of_its_result():
    x = tr.tensor([1.0, 2.0])
    halves = [each / 2.0 for each in x]
    assert {n.name for n in tr.trace(halves[0] + halves[1])} == {"x", ""}


def test_what_a_comprehension_makes_bears_the_names_that_it_is_unpacked_to():
    a, b, c = (tr.parameter(float(k)) for k in range(3))
    d, e = [tr.tanh(w * 2.0) for w in (a, b)]
    names = [n.name for n in tr.trace(c * d * e) if n.name]
    assert names == ["a", "b", "c", "d", "e"]


def test_leaves_in_a_list_bear_its_name_and_their_number():
    pair = [tr.parameter(1.0), tr.tensor(2.0)]
    three = [tr.parameter(float(k)) for k in range(3)]
    halves = [each / 2.0 for each in three]
    trace = tr.trace(tr.sum(tr.stack([*pair, *halves])))
    assert [n.name for n in trace if n.is_leaf] == [
        "pair[0]", "pair[1]", "three[0]", "three[1]", "three[2]"
    ]  # fmt: skip
    assert {n.name for n in trace if n.op_name == "div"} == {""}
    assert trace.value("three[2]") == 2.0


def test_elements_of_which_the_trace_does_not_hold_all_bear_no_name_that_might_be_anothers():
    three = [tr.parameter(float(k)) for k in range(3)]
    a, b = (tr.parameter(float(k)) for k in (5, 7))
    rows = [tr.tensor(x) for x in np.ones(3)]
    assert [n.name for n in tr.trace(three[2] * b * rows[1]) if n.is_leaf] == ["", "", "rows"]
    assert {n.name for n in tr.trace(a * b)} == {"a", "b", ""}


def test_elements_are_numbered_anew_where_a_comprehension_runs_again():
    def product() -> tr.Tensor:
        one, two = [tr.tanh(tr.tensor(x) * 2.0) for x in (0.1, 0.2)]
        pair = [tr.tensor(float(k)) for k in range(2)]
        return one * two * pair[0] * pair[1]

    trace = tr.trace(product() + product())
    assert [n.name for n in trace if n.name] == ["one", "two", "pair[0]", "pair[1]"] * 2


def test_parameters_of_a_comprehension_keep_their_names_in_whatever_order_they_are_refilled():
    a, b = [tr.parameter(float(k)) for k in (3, 5)]
    both = [tr.parameter(float(k)) for k in range(2)]
    for _ in range(2):
        b.set(b.value + 1.0)
        x = tr.constant(1.0)
        a.set(a.value + 1.0)
    both[0].set(9.0)
    trace = tr.trace(a * b * both[0] * both[1] * x)
    names = ["a", "b", "both[0]", "both[1]"]
    assert [trace.value(name) for name in names] == [5.0, 7.0, 9.0, 1.0]


def test_variables_typed_at_a_prompt_name_their_nodes_too():
    program = (
        "w = tr.parameter(0.9)\na = tr.tensor(0.5)\nfor t in range(2):\n    a = tr.tanh(w * a)\n"
    )
    names = {"tr": tr}
    exec(compile(program, "<stdin>", "exec"), names)
    assert [n.label for n in tr.trace(names["a"])] == ["w", "a#1", "mul@2", "a#2", "mul@4", "a#3"]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("a, b = T(1.0), T(2.0)", ["a", "b"]),
        ("a, b, c = T(1.0), T(2.0), T(3.0)", ["a", "b", "c"]),
        ("a, b, c, d = T(1.0), T(2.0), T(3.0), T(4.0)", ["a", "b", "c", "d"]),
        ("a, b = T(1.0) * k, T(2.0)", ["", "a", "b"]),
        ("a, b = [T(1.0), 1], T(2.0)", ["", "b"]),
        ("a, (b, c) = T(1.0), (T(2.0), 3)", ["a", ""]),
        ("self.a, b = T(1.0), T(2.0)", ["", ""]),
    ],
)
def test_several_variables_typed_at_a_prompt_in_one_line_name_theirs(line, names):
    there = {"T": tr.tensor, "k": 2.0, "self": SimpleNamespace()}
    with tr.record() as recorded:
        exec(compile(line, "<stdin>", "exec"), there)
        count = len(recorded.nodes)
        trace = tr.trace(tr.sum(tr.stack(recorded.nodes)))
    assert [node.name for node in trace][:count] == names


def test_no_flow_is_sent_above_what_is_detached():
    with tr.record():
        x = tr.tensor(2.0, name="x")
        h = x * 5.0
        loss = h.detach() * x
        trace = tr.trace(loss)
    timeline = trace.timeline
    assert not trace.receives[trace.node_index("h")]
    assert trace.flows_from("h") == ()
    assert [trace[f.consumer].label for f in trace.flows_into("x")] == ["loss"]
    assert (
        str(timeline.status(timeline.last, trace.node_index("h")))
        == "blocked (no gradient through detach)"
    )


def test_a_scope_of_ones_own_may_be_called_backward():
    """The second direction of a bidirectional network usually is."""
    h = tr.tensor(1.0)
    with tr.scope("backward", t=3):
        y = tr.tanh(h * 2.0)
    with tr.scope("backward"):
        z = y * 3.0
    trace = tr.trace(z)
    assert [trace.made_by(i) for i in range(len(trace))] == [None] * len(trace)
    assert trace[trace.loss].scope_text == "backward"
    assert "0 layers" not in tr.health(trace).summary
