"""What orders do, without a screen."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tracer.errors import GradstepError
from tui.ink import text_of
from tui.orders import ORDERS, find, obey, with_count
from tui.session import Session, first_bad
from tui.views.quantities import shown


def label(session):
    return session.trace.label(session.selected)


def test_a_move_selects_the_node_that_it_led_to(circuit):
    session = Session(circuit)
    obey(session, "next")
    assert label(session) == "q"
    obey(session, "next")
    obey(session, "next")
    assert label(session) == "f"
    assert shown(session.scene()) == "gradient"


def test_digits_before_a_key_are_the_argument_of_an_order_that_takes_a_count():
    assert with_count("next", "12") == "next 12"
    assert with_count("slice -", "2") == "slice -2"
    assert with_count("finish", "12") == "finish"
    assert with_count("scope up", "12") == "scope up"


def test_zeros_before_a_count_are_dropped(circuit):
    session = Session(circuit)
    for digit in (0, 1, 2):
        session.digit(digit)
    assert session.digits == "12"


def test_a_capital_undoes_its_small_letter(batch_norm):
    session = Session(batch_norm)
    while not session.ended:
        before = session.debugger.position
        obey(session, "step")
        obey(session, "reverse-step")
        assert session.debugger.position == before
        obey(session, "step")


def test_running_to_a_node_goes_on_or_back(circuit):
    session = Session(circuit)
    session.goto(circuit.timeline.last)
    session.select(circuit.node_index("z"))
    obey(session, "run")
    assert session.debugger.position == circuit.timeline.when_final(circuit.node_index("z"))
    session.goto(0)
    session.select(circuit.node_index("f"))
    obey(session, "run")
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
    with pytest.raises(GradstepError, match="/ starts a search"):
        obey(session, "hit")


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
    obey(session, "next")
    obey(session, "step")
    assert session.trace is not fused
    assert session.scene().depth == 1
    assert session.path == ("y",)
    obey(session, "finish")
    assert session.trace is fused
    assert session.path == ()
    assert label(session) == "y"


@pytest.mark.parametrize(
    ("line", "position"),
    [("goto 3", 3), ("3", 3), ("goto 6", 6), ("next 2", 2), ("n", 1), ("continue", 6)],
)
def test_orders_move(circuit, line, position):
    session = Session(circuit)
    assert obey(session, line) is None
    assert session.debugger.position == position
    assert not session.trouble


def test_orders_set_and_delete_breakpoints_and_watches(circuit):
    session = Session(circuit)
    obey(session, "break op:mul if value < 0")
    obey(session, "watch norm(grad) of q")
    assert [each.text for each in session.debugger.breakpoints] == ["op:mul if value < 0"]
    obey(session, "continue")
    assert label(session) == "f"
    listed = obey(session, "info")
    assert [text_of(line).split("  ")[0] for line in listed.lines] == ["breakpoint 1", "watch 1"]
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
    session.attempt(lambda: obey(session, line))
    assert session.trouble
    assert session.debugger.position == 0
    assert session.message
    assert "\n" not in session.message


def test_orders_for_the_screen_need_one(circuit):
    session = Session(circuit)
    for line in ("quit", "q", "theme light", "help"):
        with pytest.raises(GradstepError, match="needs a screen"):
            obey(session, line)


def test_an_empty_line_and_a_comment_are_no_orders(circuit):
    session = Session(circuit)
    assert obey(session, "") is None
    assert obey(session, "  # to the middle") is None
    assert session.debugger.position == 0


def test_every_order_is_reached_by_its_names_and_no_two_share_one():
    for order in ORDERS:
        for name in (order.name, *order.aliases):
            assert find(name) is order
    assert find("contin").name == "continue"


def test_a_name_that_is_nearly_right_is_corrected():
    with pytest.raises(GradstepError, match="did you mean continue"):
        find("continu3")


def test_the_first_bad_number_is_found_forward_then_backward():
    x = tr.tensor(np.array([4.0, 0.0]), name="x")
    root = tr.sqrt(x)
    trace = tr.trace(tr.sum(root))
    node, position = first_bad(trace)
    assert trace.label(node) == "x"
    assert position == trace.timeline.when_final(node)
    assert first_bad(tr.trace(tr.sum(x * x))) is None


def test_only_far_moves_with_conditions_to_test_take_long(circuit):
    session = Session(circuit)
    resume = find("continue")
    obey(session, "toggle")
    assert not resume.long(session, "")
    obey(session, "break nan(value)")
    assert resume.long(session, "")
    assert find("next").long is None
