"""The help, the palette and the letters on the panes: all made from the tables, and all lead somewhere."""

from __future__ import annotations

import pytest
from textual.geometry import Region

from tui.ink import text_of, width_of
from tui.keys import EVERYWHERE, KEYS, rebound
from tui.orders import ORDERS
from tui.screens.jump import letters, targets
from tui.views.help import blocks, help_lines


def page(width=120, wanted="", keys=KEYS):
    return "\n".join(text_of(line) for line in help_lines(keys, width, wanted))


def test_the_help_tells_of_every_key_and_every_order():
    rows = [row for block in blocks() for row in block.rows]
    signs = {row.sign for row in rows}
    assert {key.shown for key in KEYS if key.shown} <= signs
    named = {row.order.partition(" ")[0].removeprefix(":") for row in rows}
    assert {order.name for order in ORDERS} <= named
    assert all(row.words for row in rows)


@pytest.mark.parametrize("width", [50, 60, 76, 119, 120, 128, 200])
def test_the_help_fits_its_page(width):
    assert max(width_of(line) for line in help_lines(KEYS, width)) <= width


def test_two_columns_are_shorter_than_one_and_say_the_same():
    one, two = page(119), page(140)
    assert two.count("\n") < 0.75 * one.count("\n")
    for words in ("to the next node", "exactly", "the selected node", "toggle"):
        assert (words in one) == (words in two)


def test_only_what_holds_a_text_is_kept():
    found = page(100, "breakpoint")
    assert "set or delete a breakpoint" in found
    assert "to the next node" not in found
    assert "nothing in the help holds 'qqq'" in page(100, "qqq")


def test_the_help_shows_keys_as_they_are_bound():
    changed = rebound({"n": "", "J": "next", "ctrl+b": "break if nan(value)"})
    rows = [row for block in blocks(changed) for row in block.rows]
    assert {row.sign for row in rows if row.order.startswith(":next")} == {"J"}
    assert [row.words for row in rows if row.sign == "ctrl+b"] == ["break if nan(value)"]


def test_the_help_finds_as_one_types(circuit, at_desk):
    async def script(desk):
        whole = await desk.press("question_mark")
        assert "to the next node" in whole
        found = await desk.burst("/breakpoint")
        assert "set or delete a breakpoint" in found
        assert "to the next node" not in found
        assert await desk.press("escape") == whole
        assert "╭─ help" not in await desk.press("escape")

    at_desk(circuit, script)


# ----- the palette


async def seen(desk, words):
    """The screen once it shows some words: the palette gathers its orders little by little."""
    for _ in range(200):
        await desk.pilot.pause(0.02)
        if words in desk.screen():
            return desk.screen()
    raise AssertionError(desk.screen())


async def choose(desk, letters, words):
    await desk.pilot.press("ctrl+p")
    await seen(desk, "an order, by a few letters")
    await desk.pilot.press(*letters)
    await seen(desk, words)
    await desk.pilot.pause(0.1)
    await desk.pilot.press("enter")


def test_the_palette_finds_an_order_and_obeys_it(circuit, at_desk):
    async def script(desk):
        await choose(desk, "end", "to the end of the timeline")
        assert "╭─ graph" in await seen(desk, "step 6/6")

    at_desk(circuit, script)


def test_an_order_that_needs_an_argument_opens_the_prompt(circuit, at_desk):
    async def script(desk):
        await choose(desk, "goto", "to position N of the timeline")
        await seen(desk, "\n goto ")
        assert desk.app.asks
        await desk.pilot.press("5", "enter")
        await seen(desk, "step 5/6")

    at_desk(circuit, script)


def test_only_one_thing_opens_over_the_panes(circuit, at_desk):
    async def script(desk):
        await desk.press("question_mark", "ctrl+p", "ctrl+o", "colon")
        assert len(desk.app.screen_stack) == 2
        assert not desk.app.asks
        await desk.press("escape", "colon", "ctrl+p", "ctrl+o")
        assert len(desk.app.screen_stack) == 1
        assert desk.app.asks

    at_desk(circuit, script)


# ----- letters


def test_every_pane_and_view_has_a_letter_of_its_own():
    names = (
        "graph",
        "tape",
        "node",
        "tensor",
        "layers",
        "verify",
        "stops",
        "changes",
        "nodes",
        "t",
    )
    found = letters(names)
    assert len(set(found.values())) == len(names)
    assert found["graph"] == "g"


def test_letters_stand_on_the_panes_that_are_in_sight():
    places = {"graph": Region(0, 2, 80, 10), "layers": Region(80, 2, 40, 30)}
    found = {target.name: target for target in targets(places, ("tensor", "layers"))}
    assert set(found) == {"graph", "tensor", "layers"}
    assert places["graph"].contains_point(found["graph"].at)
    assert places["layers"].contains_point(found["tensor"].at)
    assert found["graph"].order == "focus graph"


def test_a_letter_goes_to_its_pane_and_escape_leaves(circuit, at_desk):
    async def script(desk):
        shown = await desk.press("ctrl+o")
        for name in ("graph", "tape", "node", "tensor"):
            assert f" {letters(('graph', 'tape', 'node', *desk.app.session.views))[name]} " in shown
        await desk.press("t")
        assert desk.app.focused.id == "tape"
        await desk.press("ctrl+o", "escape")
        assert desk.app.focused.id == "tape"
        assert len(desk.app.screen_stack) == 1

    at_desk(circuit, script)


def test_a_letter_goes_to_every_view_of_the_deck(circuit, at_desk):
    async def script(desk):
        views = desk.app.session.views
        for view in views:
            await desk.press("ctrl+o", letters(("graph", "tape", "node", *views))[view])
            assert desk.app.session.view == view
            assert desk.app.focused.id == view

    at_desk(circuit, script)


def test_every_key_of_the_help_is_a_key_of_the_table():
    assert all(
        key.shown for key in KEYS if key.place == EVERYWHERE and not key.order.startswith("digit")
    )


@pytest.mark.parametrize("words", ["help knob", "help :knob", "? knobs", ":help knob"])
def test_the_help_of_one_order_holds_that_order(at_desk, circuit, words):
    async def script(desk):
        await desk.press("colon")
        await desk.burst(words)
        shown = await desk.press("enter")
        assert ":knob [NAME=VALUE]" in shown
        assert ":goto N" not in shown
        assert ":goto N" in await desk.press("escape")
        assert "─ help ─" not in await desk.press("escape")

    at_desk(circuit, script)
