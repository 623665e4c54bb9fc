"""The prompt: what it offers, how it completes, and what it remembers."""

from __future__ import annotations

import pytest

from tui.completion import MOST, Offer, offer, recalled
from tui.ink import text_of, width_of
from tui.orders import ORDERS
from tui.session import Session
from tui.views.offers import offer_line
from tui.widgets.prompt import Prompt


def offered(trace, line):
    return offer(Session(trace), line)


def last_lines(screen):
    return screen.splitlines()[-2:]


# ----- what is offered


def test_an_empty_line_offers_every_order(circuit):
    assert set(offered(circuit, "").words) == {order.name for order in ORDERS}


def test_the_name_of_an_order_is_completed_with_room_for_its_argument(circuit):
    assert offered(circuit, "got").lines == ("goto ",)
    assert "zoom" in offered(circuit, "zo").lines
    assert offered(circuit, "zoom").lines == ()


def test_names_that_begin_so_come_before_those_that_only_hold_it(circuit):
    words = offered(circuit, "step").words
    assert words[0] == "step"
    assert "reverse-step" in words


def test_the_argument_is_completed_by_its_order(batch_norm):
    found = offered(batch_norm, "select xm")
    assert found.lines == ("select xmu",)
    assert "NODE" in found.usage
    assert set(offered(batch_norm, "scope ").words) == {"up", "down"}
    assert offered(batch_norm, "scope down").words == ()


def test_the_usage_of_an_order_without_completion_is_told(circuit):
    assert offered(circuit, "goto ") == Offer(usage="goto N  to position N of the timeline")


def test_what_is_no_order_is_told_with_the_closest_name(circuit):
    assert "did you mean goto?" in offered(circuit, "gote 3").wrong
    assert offered(circuit, "65").wrong == ""


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
def test_no_completion_ever_fails(circuit, order):
    for text in ("", "x", "if (", "\x00é∂", "9" * 30):
        assert len(offered(circuit, f"{order.name} {text}").lines) <= MOST


def test_completion_of_a_long_trace_is_bounded(long_chain):
    assert len(offered(long_chain, "select ").lines) <= MOST


# ----- how it is shown


@pytest.mark.parametrize("chosen", [None, 0, 7, 39])
@pytest.mark.parametrize("width", [28, 60, 80, 120])
def test_the_chosen_word_is_always_in_sight(width, chosen):
    words = tuple(f"node_{k}" for k in range(40))
    line = offer_line(Offer(words, words), chosen, width)
    assert width_of(line) <= width
    if chosen is not None:
        assert f" node_{chosen} " in text_of(line)
        assert f"{chosen + 1}/40" in text_of(line)


def test_words_are_never_obeyed_by_the_terminal():
    assert "\x1b" not in text_of(offer_line(Offer(("a",), ("a\x1b[2J",)), None, 60))


# ----- keys


def test_tab_completes_the_order_then_its_argument_and_cycles(batch_norm, at_desk):
    async def script(desk):
        answer = desk.app.query_one("#answer")
        await desk.burst(":sel")
        await desk.press("tab")
        assert answer.value == "select "
        await desk.type("x")
        await desk.press("tab")
        first = answer.value
        await desk.press("tab")
        second = answer.value
        assert first == "select x"
        assert second == "select xmu"
        await desk.press("shift+tab")
        assert answer.value == first
        assert "step 0/" in (await desk.press("enter")).splitlines()[0]
        assert desk.app.session.trace.label(desk.app.session.selected) == first.split()[1]

    at_desk(batch_norm, script, size=(80, 24))


def test_tab_in_the_prompt_does_not_leave_it(circuit, at_desk):
    async def script(desk):
        await desk.burst(":")
        for _ in range(3):
            await desk.press("tab")
        assert desk.app.asks
        await desk.press("escape", "tab")
        assert desk.app.focused.id != "answer"

    at_desk(circuit, script)


def test_what_may_be_typed_stands_above_the_prompt_and_goes_with_it(circuit, at_desk):
    async def script(desk):
        before = await desk.look()
        above, line = last_lines(await desk.burst(":go"))
        assert "goto" in above
        assert line.startswith(" : go")
        above, _ = last_lines(await desk.burst("to "))
        assert "to position N of the timeline" in above
        assert await desk.press("escape") == before

    at_desk(circuit, script, size=(80, 24))


def test_what_is_wrong_is_told_while_it_is_typed(circuit, at_desk):
    async def script(desk):
        above, _ = last_lines(await desk.burst(":gote "))
        assert "did you mean goto?" in above

    at_desk(circuit, script)


def test_a_prompt_for_a_breakpoint_completes_its_argument(batch_norm, at_desk):
    async def script(desk):
        await desk.burst("Bxha")
        await desk.press("tab")
        assert desk.app.query_one("#answer").value == "xhat"
        assert "breakpoint 1: xhat" in await desk.press("enter")

    at_desk(batch_norm, script)


# ----- history


def test_up_and_down_walk_through_what_was_typed(circuit, at_desk):
    async def script(desk):
        await desk.burst(":goto 3\n:next\n:goto 4\n:go")
        answer = desk.app.query_one("#answer")
        seen = [answer.value for _ in range(3) if await desk.press("up")]
        assert seen == ["goto 4", "goto 3", "goto 3"]
        seen = [answer.value for _ in range(3) if await desk.press("down")]
        assert seen == ["goto 4", "go", "go"]
        await desk.press("up")
        assert "step 4/6" in await desk.press("enter")

    at_desk(circuit, script)


def test_each_prompt_has_the_lines_of_its_own_order(circuit, at_desk):
    async def script(desk):
        await desk.burst("/q\nwf\n:goto 1\n/")
        assert await desk.press("up")
        assert desk.app.query_one("#answer").value == "q"
        await desk.press("escape", "colon", "up", "up")
        assert desk.app.query_one("#answer").value == "watch f"

    at_desk(circuit, script)


def test_the_rest_of_a_line_typed_before_is_taken_by_the_right_arrow(circuit, at_desk):
    async def script(desk):
        await desk.burst(":goto 4\n:got")
        await desk.press("right")
        assert desk.app.query_one("#answer").value == "goto 4"

    at_desk(circuit, script)


def test_the_history_begins_with_the_latest_and_says_nothing_twice():
    assert recalled(["a 1", "b", "a 2", "a 1"], "a") == ["a 1", "a 2"]


def test_a_prompt_is_closed_once(circuit, at_desk):
    async def script(desk):
        await desk.burst(":")
        prompt = desk.app.query_one(Prompt)
        await desk.press("escape")
        assert prompt.purpose is None
        assert not prompt.display
        assert not desk.app.query_one("#offers").display

    at_desk(circuit, script)


def test_a_message_that_is_longer_than_the_last_line_takes_more_lines_until_the_next_key(
    circuit, at_desk
):
    async def script(desk):
        await desk.burst(":verify " + "nowhere/" * 8 + "nofile")
        await desk.press("enter")
        for _ in range(100):
            if desk.app.session.message and not desk.app.session.busy:
                break
            await desk.pilot.pause(0.01)
        found = await desk.look()
        *_, first, second, third = found.splitlines()
        assert first.rstrip() == " cannot read the derivation"
        assert second.startswith(" nowhere/nowhere/")
        assert third.rstrip().endswith("try check the path")
        await desk.burst(":")
        assert "try check the" not in await desk.look()
        await desk.press("escape", "n")
        assert last_lines(await desk.look())[1].startswith(" n next")

    at_desk(circuit, script, size=(80, 24))
