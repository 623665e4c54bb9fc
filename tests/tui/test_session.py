"""What each key does, without a screen."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tui.orders import ORDERS, obey
from tui.session import Session, first_bad


def label(session):
    return session.trace.label(session.selected)


def test_a_move_selects_the_node_that_it_led_to(circuit):
    session = Session(circuit)
    session.move("next")
    assert label(session) == "q"
    session.move("next")
    session.move("next")
    assert label(session) == "f"
    assert session.shows_gradient


def test_digits_count_steps_and_are_used_up(circuit):
    session = Session(circuit)
    for digit in (0, 1, 2):
        session.digit(digit)
    assert session.digits == "12"
    session.move("next")
    assert session.debugger.position == circuit.timeline.last
    assert session.digits == ""


def test_a_capital_undoes_its_small_letter(batch_norm):
    session = Session(batch_norm)
    while not session.ended:
        before = session.debugger.position
        session.move("into")
        session.move("out_of")
        assert session.debugger.position == before
        session.move("into")


def test_running_to_a_node_goes_on_or_back(circuit):
    session = Session(circuit)
    session.goto(circuit.timeline.last)
    session.select(circuit.node_index("z"))
    session.run_to_selected()
    assert session.debugger.position == circuit.timeline.when_final(circuit.node_index("z"))
    session.goto(0)
    session.select(circuit.node_index("f"))
    session.run_to_selected()
    assert session.debugger.position == 2


def test_a_search_starts_here_and_goes_round(batch_norm):
    session = Session(batch_norm)
    session.select(batch_norm.node_index("xmu"))
    session.search("mean")
    assert label(session) == "var"
    session.search_again(1)
    assert label(session) == "loss"
    session.search_again(1)
    assert label(session) == "mu"
    session.search_again(-1)
    assert label(session) == "loss"
    assert session.message == "hit 3 of 3"


def test_a_search_without_a_hit_says_so(circuit):
    session = Session(circuit)
    session.search("zebra")
    assert session.trouble
    assert "'zebra'" in session.message
    session.search_again(1)
    assert session.trouble


def test_scopes_are_climbed_and_descended(batch_norm):
    session = Session(batch_norm)
    session.select(batch_norm.node_index("xhat"))
    assert session.scene().scope == ()
    session.scope(-1)
    assert [str(entry) for entry in session.scene().scope] == ["bn"]
    assert not session.scene().in_scope(batch_norm.node_index("x"))
    assert session.scene().in_scope(batch_norm.node_index("std"))
    session.scope(1)
    assert session.scene().scope == ()


def test_opening_parts_shows_their_trace_and_the_way_to_it(fused):
    session = Session(fused)
    session.move("next")
    session.move("into")
    assert session.trace is not fused
    assert session.scene().depth == 1
    assert session.path == ("y",)
    session.move("finish")
    assert session.trace is fused
    assert session.path == ()
    assert label(session) == "y"


@pytest.mark.parametrize(
    ("line", "position"),
    [("goto 3", 3), ("3", 3), ("goto 6", 6), ("next 2", 2), ("n", 1), ("continue", 6)],
)
def test_orders_move(circuit, line, position):
    session = Session(circuit)
    assert obey(session, line) == ""
    assert session.debugger.position == position
    assert not session.trouble


def test_orders_set_and_delete_breakpoints_and_watches(circuit):
    session = Session(circuit)
    obey(session, "break op:mul if value < 0")
    obey(session, "watch norm(grad) of q")
    assert [each.text for each in session.debugger.breakpoints] == ["op:mul if value < 0"]
    obey(session, "continue")
    assert label(session) == "f"
    assert obey(session, "info") == "info"
    assert [name for name, _ in session.listed()] == ["breakpoint 1", "watch 1"]
    obey(session, "delete 1")
    obey(session, "unwatch 1")
    assert not session.debugger.breakpoints
    assert not session.debugger.watches


@pytest.mark.parametrize(
    "line",
    [
        "break nowhere",
        "break op:mul if",
        "delete 9",
        "goto soon",
        "goto 7",
        "99999",
        "next x",
        "next -3",
        "next 0",
        "back abc",
        "continue 3 times",
        "quit now",
        "help me",
        "frobnicate",
        "watch norm(",
        "select nix",
    ],
)
def test_an_order_that_cannot_be_obeyed_says_why_in_one_line(circuit, line):
    session = Session(circuit)
    assert obey(session, line) == ""
    assert session.trouble
    assert session.debugger.position == 0
    assert session.message
    assert "\n" not in session.message


def test_orders_for_the_screen_are_handed_on(circuit):
    session = Session(circuit)
    assert obey(session, "quit") == "quit"
    assert obey(session, "q") == "quit"
    assert obey(session, "theme light") == "theme light"
    assert obey(session, "help") == "help"
    assert obey(session, "") == ""


def test_every_order_is_reached_by_its_own_name(circuit):
    for order in ORDERS:
        assert next(each for each in ORDERS if each.name.startswith(order.name)) is order


def test_the_first_bad_number_is_found_forward_then_backward():
    x = tr.tensor(np.array([4.0, 0.0]), name="x")
    root = tr.sqrt(x)
    trace = tr.trace(tr.sum(root))
    node, position = first_bad(trace)
    assert trace.label(node) == "x"
    assert position == trace.timeline.when_final(node)
    assert first_bad(tr.trace(tr.sum(x * x))) is None


def test_only_searches_with_conditions_take_long(circuit):
    session = Session(circuit)
    session.toggle_breakpoint()
    assert not session.takes_long("resume")
    session.add_breakpoint("nan(value)")
    assert session.takes_long("resume")
    assert not session.takes_long("next")
