"""The debugger without a screen: moves, breakpoints, watches and search."""

import numpy as np
import pytest

import tracer as tr
from tests.effort import effort
from tracer.breakpoints import events_of
from tracer.debugger import Debugger
from tracer.errors import ConditionError, ReplayError, UnknownNameError


def circuit():
    """f = (x + y) z of CS231n lecture 4: q = 3, f = -12. Positions: 1 q, 2 f, 3 and 4 the flows of f, 5 and 6 of q."""
    x, y, z = tr.tensor(-2.0, name="x"), tr.tensor(5.0, name="y"), tr.tensor(-4.0, name="z")
    q = x + y
    f = q * z
    return tr.trace(f)


def unrolled(steps=3):
    """h = tanh(w h) in scopes rnn[t=0..]; each time step runs mul and tanh; w is used at every step."""
    w, h = tr.parameter(0.9, name="w"), tr.tensor(0.5, name="h0")
    for t in range(steps):
        with tr.scope("rnn", t=t):
            a = w * h
            with tr.scope("act"):
                h = tr.tanh(a)
    loss = h * 2.0
    return tr.trace(loss)


def with_nan():
    """log(-1) is the first NaN going forward; the gradient of x is NaN too, that of y is not."""
    x, y = tr.tensor([1.0, -1.0], name="x"), tr.tensor([1.0, 1.0], name="y")
    product = x * y
    bad = tr.log(product)
    loss = tr.sum(bad)
    return tr.trace(loss)


def normalised():
    rng = np.random.default_rng(0)
    x = tr.tensor(rng.normal(size=(4, 3)), name="x")
    gamma, beta = tr.tensor(np.ones(3), name="gamma"), tr.tensor(np.zeros(3), name="beta")
    y = tr.batch_norm(x, gamma, beta)
    loss = tr.sum(y * y)
    return tr.trace(loss)


def frame(debugger):
    return debugger.depth, debugger.position


# ----- steps


def test_it_starts_before_anything_has_run():
    debugger = Debugger(circuit())
    assert frame(debugger) == (0, 0)
    assert debugger.breakpoints == debugger.watches == ()


def test_next_goes_over_whole_nodes_and_into_by_single_flows():
    debugger = Debugger(circuit())
    assert [debugger.next().position for _ in range(5)] == [1, 2, 4, 6, 6]
    debugger.goto(2)
    assert [debugger.into().position for _ in range(5)] == [3, 4, 5, 6, 6]
    assert [debugger.out_of().position for _ in range(7)] == [5, 4, 3, 2, 1, 0, 0]


def test_a_stop_says_what_is_special_about_the_position():
    debugger = Debugger(circuit())
    reasons = [debugger.next().reason for _ in range(4)]
    assert reasons == ["step", "end of the forward pass", "step", "end of the backward pass"]
    assert debugger.goto(0).reason == "start"
    assert debugger.previous().reason == "start"


def test_a_trace_without_a_backward_pass_ends_with_the_forward_pass():
    cut = circuit().replay({"f": 1.0})  # the loss is a leaf now, and sends nothing
    assert Debugger(cut).resume() == (1, "end of the forward pass", None)


@pytest.mark.parametrize("make", [circuit, unrolled, with_nan, normalised])
def test_previous_after_next_returns_to_the_same_position_from_anywhere(make):
    debugger = Debugger(make())
    last = debugger.timeline.last
    for position in range(last):
        for count in (1, 2, 5):
            debugger.goto(position)
            made = len([1 for _ in range(count) if debugger.position < last and debugger.next()])
            debugger.previous(made)
            assert debugger.position == position
            debugger.next(made)
            assert debugger.position > position
    for position in range(1, last + 1):
        debugger.goto(position)
        debugger.previous()
        assert debugger.position < position
        debugger.next()
        assert debugger.position == position


@pytest.mark.parametrize("make", [circuit, unrolled, normalised])
def test_out_of_after_into_returns_to_the_same_position_and_depth(make):
    debugger = Debugger(make())
    for position in range(debugger.timeline.last):
        debugger.goto(position)
        before = frame(debugger)
        debugger.into()
        assert frame(debugger) != before
        debugger.out_of()
        assert frame(debugger) == before


def test_a_count_makes_that_many_steps():
    debugger = Debugger(unrolled())
    assert debugger.next(3).position == 3
    assert debugger.previous(2).position == 1
    assert debugger.into(4).position == 5
    assert debugger.out_of(5).position == 0
    assert debugger.next(10**6).reason == "end of the backward pass"
    assert debugger.previous(10**6).position == 0


def test_goto_refuses_a_position_outside_the_timeline():
    debugger = Debugger(circuit())
    for position in (-1, 7):
        with pytest.raises(IndexError, match="outside the timeline, 0 to 6"):
            debugger.goto(position)
    assert debugger.position == 0


def test_twin_jumps_between_the_forward_and_the_backward_step_of_a_node():
    debugger = Debugger(circuit())
    assert debugger.twin() == (0, "nothing has run yet", None)
    debugger.goto(1)
    assert debugger.twin() == (6, "backward step of q", None)
    assert debugger.twin() == (1, "forward step of q", None)
    debugger.goto(3)
    assert debugger.twin() == (2, "forward step of f", None)


def test_twin_stays_where_a_node_sends_no_flow():
    x = tr.tensor([1.0, 2.0], name="x")
    mask = x > 1.5
    loss = tr.sum(tr.where(mask, x, 0.0))
    debugger = Debugger(tr.trace(loss))
    debugger.run_to("mask")
    assert debugger.twin() == (1, "mask sends no flow", None)


# ----- scopes


def test_finish_goes_to_the_end_of_the_innermost_scope_that_lies_ahead_then_of_the_pass():
    debugger = Debugger(unrolled())
    debugger.next()
    assert debugger.finish() == (2, "end of rnn[t=0]", None)
    debugger.next()
    assert debugger.finish().position == 4
    assert debugger.finish() == (7, "end of the forward pass", None)
    assert debugger.finish() == (debugger.timeline.last, "end of the backward pass", None)


def test_finish_in_the_backward_pass_ends_with_the_time_step():
    debugger = Debugger(unrolled())
    debugger.goto(9)  # the flow of tanh in rnn[t=2].act
    assert debugger.timeline.step(9).node == debugger.trace.node_index("h#3")
    assert debugger.finish() == (11, "end of rnn[t=2]", None)


def test_reverse_finish_goes_to_before_the_scope_began():
    debugger = Debugger(unrolled())
    debugger.goto(4)
    assert debugger.reverse_finish() == (3, "before rnn[t=1].act", None)
    assert debugger.reverse_finish() == (2, "before rnn[t=1]", None)
    debugger.goto(11)
    assert debugger.reverse_finish().position == 8
    assert debugger.reverse_finish() == (7, "end of the forward pass", None)


# ----- parts of fused nodes


def test_into_opens_the_parts_of_a_fused_node_and_finish_closes_them():
    debugger = Debugger(normalised())
    outer = debugger.trace
    debugger.run_to("y")
    assert debugger.into().reason == "into the parts of y"
    assert debugger.depth == 1
    assert debugger.trace is not outer
    assert "x_hat" in [node.name for node in debugger.trace]
    debugger.run_to("x_hat")
    assert debugger.finish() == (1, "out of the parts, at y", None)
    assert (debugger.depth, debugger.trace) == (0, outer)


def test_into_looks_at_the_parts_once_and_then_goes_on():
    debugger = Debugger(normalised())
    debugger.run_to("y")
    debugger.into()
    debugger.finish()
    assert frame(debugger) == (0, 1)
    debugger.into()
    assert frame(debugger) == (0, 2)
    debugger.previous()
    debugger.into()
    assert debugger.depth == 1


def test_into_at_the_end_of_the_parts_leads_out_again():
    debugger = Debugger(normalised())
    debugger.run_to("y")
    debugger.into()
    debugger.resume()
    debugger.into()
    assert frame(debugger) == (0, 1)


def test_in_the_backward_pass_the_parts_open_where_their_backward_pass_begins():
    debugger = Debugger(normalised())
    debugger.run_to("loss")
    debugger.run_to("y")
    debugger.next()
    assert debugger.timeline.step(debugger.position)[:2] == (
        "backward",
        debugger.trace.node_index("y"),
    )
    debugger.into()
    assert debugger.position == debugger.timeline.forward_steps > 0
    np.testing.assert_array_equal(debugger.trace.seed, normalised().gradient("y"))
    debugger.out_of()
    assert debugger.depth == 0


def test_reverse_finish_leaves_the_parts_to_before_the_node():
    debugger = Debugger(normalised())
    debugger.run_to("y")
    debugger.into()
    assert (debugger.reverse_finish().position, debugger.depth) == (0, 0)


def test_a_breakpoint_in_the_parts_lasts_and_stays_in_the_parts():
    debugger = Debugger(normalised())
    debugger.run_to("y")
    debugger.into()
    debugger.add_breakpoint("mu")
    debugger.finish()
    assert debugger.resume().reason == "end of the backward pass"
    debugger.run_back_to("y")
    debugger.goto(1)
    debugger.into()
    assert debugger.resume().reason == "breakpoint 1: mu"


def test_a_breakpoint_by_operation_also_stops_in_the_parts():
    debugger = Debugger(normalised())
    debugger.add_breakpoint("op:sqrt")
    assert debugger.resume().reason == "end of the backward pass"
    debugger.goto(1)
    debugger.into()
    assert debugger.resume().reason.startswith("breakpoint 1: op:sqrt at sqrt@")


def test_only_a_node_that_has_run_and_has_parts_can_be_opened():
    debugger = Debugger(normalised())
    assert debugger.open("y") == (0, "y has not run yet", None)
    with pytest.raises(ReplayError, match="no parts"):
        debugger.open("x")
    assert debugger.depth == 0


def test_the_parts_come_from_a_function_that_can_be_given():
    inner = circuit()
    debugger = Debugger(normalised(), parts=lambda trace, node: inner)
    debugger.goto(1)
    debugger.into()
    assert debugger.trace is inner


# ----- breakpoints


def stops(debugger):
    """Every stop of resume from the start, as (position, reason)."""
    debugger.goto(0)
    found = []
    while True:
        stop = debugger.resume()
        found.append(stop[:2])
        if stop.breakpoint is None:
            return found


def test_a_node_is_met_when_it_runs_and_when_its_gradient_is_final():
    debugger = Debugger(circuit())
    debugger.add_breakpoint("q")
    assert stops(debugger) == [
        (1, "breakpoint 1: q"),
        (3, "breakpoint 1: q"),
        (6, "end of the backward pass"),
    ]


def test_a_leaf_is_met_when_its_gradient_is_final():
    debugger = Debugger(unrolled())
    debugger.add_breakpoint("w")
    assert [position for position, _ in stops(debugger)] == [debugger.timeline.when_final(0), 17]
    assert debugger.timeline.when_final(0) == 16


@pytest.mark.parametrize("make", [circuit, unrolled, with_nan, normalised])
def test_the_events_agree_with_the_timeline(make):
    trace = make()
    events = events_of(trace)
    expected = {
        (trace.timeline.after_forward(k), k, False) for k in range(len(trace)) if trace.op(k)
    }
    finals = {(trace.timeline.when_final(k), k, True) for k in range(len(trace))}
    expected |= {event for event in finals if event[0] is not None}
    found = zip(
        events.positions.tolist(), events.nodes.tolist(), events.final.tolist(), strict=True
    )
    assert set(found) == expected
    assert (np.diff(events.positions) >= 0).all()


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("op:mul", ["a#1", "a#2", "a#3", "loss"]),
        ("op:t*", ["h#1", "h#2", "h#3"]),
        ("name:h", ["h#1", "h#2", "h#3"]),
        ("name:h#2", ["h#2"]),
        ("name:?#1", ["a#1", "h#1"]),
        ("scope:rnn", ["a#1", "h#1", "a#2", "h#2", "a#3", "h#3"]),
        ("scope:rnn*", ["a#1", "h#1", "a#2", "h#2", "a#3", "h#3"]),
        ("scope:rnn[t=1]", ["a#2", "h#2"]),
        ("scope:rnn.act", ["h#1", "h#2", "h#3"]),
        ("scope:rnn[t=2].act", ["h#3"]),
        ("a#2", ["a#2"]),
        ("h", ["h#3"]),
        ("mul@2 if value > 0", ["a#1"]),
        ("value > 0.33", ["a#1", "h#1", "a#2", "h#2", "loss"]),
        ("if value > 0.33", ["a#1", "h#1", "a#2", "h#2", "loss"]),
        ("op:tanh if value > 0.4", ["h#1"]),
        ("scope:rnn[t=0] if nan(value)", []),
    ],
)
def test_a_breakpoint_selects_nodes_by_name_operation_scope_and_condition(text, nodes):
    debugger = Debugger(unrolled())
    made = debugger.add_breakpoint(text)
    forward = []
    while (
        stop := debugger.resume()
    ).breakpoint and stop.position <= debugger.timeline.forward_steps:
        forward.append(debugger.trace.label(debugger.timeline.step(stop.position).node))
        assert stop.breakpoint.number == made.number
    assert forward == nodes


def test_a_condition_on_the_value_is_tested_at_the_forward_step_only():
    debugger = Debugger(with_nan())
    debugger.add_breakpoint("nan(value)")
    assert [reason for _, reason in stops(debugger)] == [
        "breakpoint 1: nan(value) at bad",
        "breakpoint 1: nan(value) at loss",
        "end of the backward pass",
    ]


def test_a_condition_on_the_gradient_is_tested_when_the_gradient_is_final():
    debugger = Debugger(unrolled())
    debugger.add_breakpoint("grad > 1")
    trace, timeline = debugger.trace, debugger.timeline
    expected = sorted(
        timeline.when_final(k)
        for k in range(len(trace))
        if trace.gradient(k) is not None and trace.gradient(k) > 1
    )
    assert len(expected) > 2
    assert [position for position, _ in stops(debugger)][:-1] == expected


def test_the_way_back_meets_the_same_breakpoints():
    debugger = Debugger(unrolled())
    debugger.add_breakpoint("op:tanh")
    debugger.add_breakpoint("grad > 1")
    forth = [position for position, _ in stops(debugger)][:-1]
    back = []
    while (stop := debugger.reverse_resume()).breakpoint:
        back.append(stop.position)
    assert stop == (0, "start", None)
    assert back == forth[::-1]


def test_next_with_a_count_ends_at_a_breakpoint_and_lands_between_nodes():
    debugger = Debugger(circuit())
    debugger.add_breakpoint("q")
    assert debugger.next(9)[:2] == (1, "breakpoint 1: q")
    assert debugger.next(9)[:2] == (4, "breakpoint 1: q")
    assert debugger.previous().position == 2


def test_of_several_breakpoints_the_nearest_stops_and_the_first_of_one_place_is_named():
    debugger = Debugger(circuit())
    debugger.add_breakpoint("f")
    debugger.add_breakpoint("op:add")
    debugger.add_breakpoint("q")
    assert debugger.resume().reason == "breakpoint 2: op:add at q"
    assert [each.hits for each in debugger.breakpoints] == [0, 1, 1]
    assert debugger.resume().reason == "breakpoint 1: f"


def test_a_temporary_breakpoint_goes_after_one_stop():
    debugger = Debugger(circuit())
    debugger.add_breakpoint("q", temporary=True)
    assert debugger.resume().breakpoint.temporary
    assert debugger.breakpoints == ()
    assert debugger.resume().reason == "end of the backward pass"


def test_a_disabled_breakpoint_does_not_stop_until_it_is_enabled():
    debugger = Debugger(circuit())
    debugger.add_breakpoint("q")
    assert debugger.enable(1, False).enabled is False
    assert len(stops(debugger)) == 1
    debugger.enable(1)
    assert len(stops(debugger)) == 3


def test_an_ignored_breakpoint_is_passed_over_and_counted():
    debugger = Debugger(unrolled())
    debugger.add_breakpoint("op:tanh", ignore=2)
    stop = debugger.resume()
    assert debugger.trace.label(debugger.timeline.step(stop.position).node) == "h#3"
    assert (stop.breakpoint.hits, stop.breakpoint.ignore) == (3, 0)
    debugger.ignore(1, 1)
    debugger.goto(0)
    assert debugger.resume().position == 4
    assert debugger.breakpoints[0].hits == 5


def test_toggle_puts_a_breakpoint_on_a_node_and_takes_it_away():
    debugger = Debugger(unrolled())
    made = debugger.toggle("h#2")
    assert (made.number, made.text) == (1, "h#2")
    assert debugger.breakpoints_on("h#2") == (made,)
    assert debugger.breakpoints_on("h#1") == ()
    assert debugger.toggle("h#2") is None
    assert debugger.breakpoints == ()
    assert debugger.toggle(0).number == 2


def test_a_breakpoint_about_every_node_marks_none():
    debugger = Debugger(circuit())
    debugger.add_breakpoint("nan(value)")
    debugger.add_breakpoint("op:add if nan(value)")
    assert debugger.breakpoints_on("f") == ()
    assert [each.number for each in debugger.breakpoints_on("q")] == [2]


def test_delete_takes_a_breakpoint_away_and_refuses_what_is_not_there():
    debugger = Debugger(circuit())
    debugger.add_breakpoint("q")
    debugger.add_breakpoint("f")
    debugger.delete(1)
    assert [each.number for each in debugger.breakpoints] == [2]
    for action in (debugger.delete, debugger.enable, lambda number: debugger.ignore(number, 3)):
        with pytest.raises(UnknownNameError, match=r"no breakpoint 1\n  there are: 2\n  try"):
            action(1)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("nothing", UnknownNameError, "there is no node 'nothing'"),
        (
            "op:nothing",
            UnknownNameError,
            "no op of this trace matches 'nothing'\n  there are: mul, tanh",
        ),
        ("name:zz*", UnknownNameError, "there are: w, h0, a, h, loss"),
        ("scope:lstm", UnknownNameError, "there are: rnn, rnn.act"),
        ("99", UnknownNameError, "there is no node 99"),
        ("", ConditionError, "an empty breakpoint"),
        ("h if", ConditionError, "no condition after 'if'"),
        ("if", ConditionError, "no condition after 'if'"),
        ("h if nothing(value)", ConditionError, "there is no function 'nothing'"),
        ("nothing(value)", ConditionError, "there is no function 'nothing'"),
        ("h if 1 < 2", ConditionError, "names neither value nor grad, nor a node"),
        ("w if nan(value)", ConditionError, "w is a leaf, and has its value before the first step"),
    ],
)
def test_a_breakpoint_that_cannot_be_read_is_refused_and_changes_nothing(text, error, said):
    debugger = Debugger(unrolled())
    with pytest.raises(error) as caught:
        debugger.add_breakpoint(text)
    assert said in str(caught.value)
    assert "try: " in str(caught.value)
    assert debugger.breakpoints == ()
    assert debugger.add_breakpoint("h").number == 1


def test_an_interrupted_search_leaves_the_debugger_where_it_is():
    debugger = Debugger(unrolled())
    debugger.next()
    debugger.add_breakpoint("value > 1e9")
    asked = []
    debugger.interrupted = lambda: len(asked) >= 2 or asked.append(1)
    assert debugger.resume() == (1, "interrupted", None)
    debugger.interrupted = lambda: False
    assert debugger.resume().reason == "end of the backward pass"


# ----- run to


def test_run_to_stops_where_a_node_has_run_and_where_its_gradient_is_final():
    debugger = Debugger(circuit())
    assert debugger.run_to("q") == (1, "at q", None)
    assert debugger.run_to("q") == (3, "at q", None)
    assert debugger.run_to("q") == (3, "q does not lie ahead", None)
    assert debugger.run_to("x") == (5, "at x", None)
    assert debugger.run_to("q") == (5, "q does not lie ahead: run back to it", None)
    assert debugger.run_back_to("q").position == 3
    assert debugger.run_back_to("q").position == 1
    debugger.goto(0)
    assert debugger.run_back_to("q") == (0, "q does not lie behind: run on to it", None)


def test_breakpoints_stop_on_the_way_to_a_node():
    debugger = Debugger(circuit())
    debugger.add_breakpoint("q")
    assert debugger.run_to("f").reason == "breakpoint 1: q"
    assert debugger.run_to("f").reason == "at f"


def test_run_to_a_leaf_without_gradient_says_why_it_cannot():
    x, c = tr.tensor(2.0, name="x"), tr.constant(3.0, name="c")
    loss = x * c
    stop = Debugger(tr.trace(loss)).run_to("c")
    assert stop == (0, "c has no step to stop at; its gradient: blocked (constant)", None)


# ----- watches and search


def test_a_watch_shows_what_is_known_at_each_position():
    debugger = Debugger(circuit())
    for text in ("q", "grad of x", "norm(value)", "value of q"):
        debugger.watch(text)
    assert debugger.watch_values() == (
        ("q", "not run yet"),
        ("grad of x", "not reached"),
        ("norm(value)", "nothing has run yet"),
        ("value of q", "not run yet"),
    )
    debugger.goto(2)
    assert [shown for _, shown in debugger.watch_values()] == [
        "value 3, gradient not reached",
        "not reached",
        "12",
        "3",
    ]
    debugger.goto(6)
    assert [shown for _, shown in debugger.watch_values()] == [
        "value 3, gradient −4",
        "−4",
        "3",
        "3",
    ]


def test_a_watch_of_a_gradient_that_is_partly_there_says_so():
    debugger = Debugger(unrolled())
    debugger.watch("w")
    debugger.watch("abs(grad) of w")
    w = debugger.trace.node_index("w")
    position = next(p for p in range(15) if debugger.timeline.arrived(p, w)[0] == 1)
    debugger.goto(position)
    shown = dict(debugger.watch_values())
    assert shown["w"].endswith(", partial (1 of 3 flows)")
    assert shown["abs(grad) of w"].endswith(", partial (1 of 3 flows)")


def test_a_watch_of_an_array_shows_its_type_and_first_numbers():
    debugger = Debugger(normalised())
    debugger.watch("x")
    debugger.watch("value[0] of x")
    debugger.watch("value[9] of x")
    debugger.watch("nan(value) of x")
    assert debugger.watch_values()[0][1].startswith("value f64[4×3] ")
    assert debugger.watch_values()[1][1].startswith("f64[3] ")
    assert debugger.watch_values()[2][1] == "no element [9] in 4×3"
    assert debugger.watch_values()[3][1] == "False"


def test_a_watch_of_a_node_that_the_parts_do_not_have_says_so():
    debugger = Debugger(normalised())
    debugger.watch("loss")
    debugger.goto(1)
    debugger.into()
    assert debugger.watch_values() == (("loss", "not in this trace"),)


def test_unwatch_takes_a_watch_away():
    debugger = Debugger(circuit())
    made = debugger.watch("q")
    assert debugger.watches == (made,)
    debugger.unwatch(made.number)
    assert debugger.watches == ()
    with pytest.raises(UnknownNameError, match="no watch 1"):
        debugger.unwatch(made.number)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("nothing", UnknownNameError),
        ("grad of nothing", UnknownNameError),
        ("nothing(grad) of q", ConditionError),
        ("q.grd", ConditionError),
        ("", ConditionError),
    ],
)
def test_a_watch_that_cannot_be_read_is_refused(text, error):
    debugger = Debugger(circuit())
    with pytest.raises(error):
        debugger.watch(text)
    assert debugger.watches == ()


def test_search_finds_nodes_by_name_operation_scope_and_shape_whatever_the_case():
    debugger = Debugger(unrolled())
    labels = debugger.trace.labels
    assert [labels[k] for k in debugger.search("TANH")] == ["h#1", "h#2", "h#3"]
    assert [labels[k] for k in debugger.search("t=1")] == ["a#2", "h#2"]
    assert [labels[k] for k in debugger.search("loss")] == ["loss"]
    assert debugger.search("nothing like it") == debugger.search("  ") == ()
    other = Debugger(normalised())
    for text in ("4×3", "4x3", "(4, 3)"):
        assert 0 in other.search(text)
        assert other.trace.node_index("loss") not in other.search(text)


def test_nothing_that_the_debugger_does_changes_a_number():
    trace = with_nan()
    before = [np.array(trace.value(k)) for k in range(len(trace))]
    debugger = Debugger(trace)
    debugger.add_breakpoint("nan(value) or max(abs(grad)) > 0")
    debugger.watch("grad * 2 of x")
    stops(debugger)
    debugger.watch_values()
    for k, value in enumerate(before):
        np.testing.assert_array_equal(trace.value(k), value)


def test_search_takes_what_a_breakpoint_takes():
    x = tr.tensor(2.0, name="x")
    with tr.scope("cell"):
        a = tr.sigmoid(x) * 3.0
    debugger = Debugger(tr.trace(tr.sigmoid(a) * 0.5))
    labels = debugger.trace.labels

    def found(text):
        return [labels[k] for k in debugger.search(text)]

    sigmoids = [n.label for n in debugger.trace if n.op_name == "sigmoid"]
    assert found("op:sigmoid") == sigmoids
    assert found("op:sig") == sigmoids  # it is still being typed
    assert found("op:sigmoid if value > 0.9") == sigmoids[1:]
    assert set(found("scope:cell")) == {sigmoids[0], "a"}
    assert found("op:nosuch") == []


@pytest.mark.slow
def test_a_chain_of_100_000_nodes_is_searched_and_a_step_costs_what_it_costs_in_a_short_one():
    def chain(length):
        x = tr.tensor(1.0, name="x")
        y = x
        for _ in range(length // 2):
            y = y * 1.00001 + x
        debugger = Debugger(tr.trace(y))
        debugger.add_breakpoint("nan(value)")
        debugger.add_breakpoint("grad > 1e9")
        return debugger

    def cost(debugger):
        assert debugger.resume().reason == "end of the backward pass"
        return effort(lambda: [debugger.previous() for _ in range(100)])

    debugger = chain(100_000)
    assert cost(debugger) < 1.2 * cost(chain(1_000))
    assert len(debugger.search("mul")) == 50_000
