"""The timeline bar: where it says that one is, what it marks, and that the mouse moves along it."""

from __future__ import annotations

import numpy as np
import pytest
from textual import events
from textual.geometry import Size

import tracer as tr
from tests.effort import effort
from tracer.cells.figures import Figures
from tracer.cells.meanings import Kind
from tracer.timeline import Timeline
from tui.ink import text_of, width_of
from tui.views import timebar
from tui.views.scene import Scene
from tui.views.timebar import column_of, columns_of, position_at
from tui.widgets.timebar import TimeBar


def scene(trace, position=0, **more):
    return Scene(trace, position, 0, Figures(trace), **more)


def bar(trace, position=0, width=60, **more):
    return text_of(timebar.line(scene(trace, position, **more), width))


@pytest.mark.parametrize("width", [4, 5, 11, 60, 120, 300])
@pytest.mark.parametrize("last", [1, 2, 7, 56, 57, 58, 59, 1000, 10**6])
def test_a_column_and_the_position_it_stands_for_agree(last, width):
    inner = width - 2
    assert column_of(0, last, width) == 1
    assert column_of(last, last, width) == width - 2
    if last + 1 >= inner:
        for column in range(1, width - 1):
            assert column_of(position_at(column, last, width), last, width) == column
    if last + 1 <= inner:
        for position in range(last + 1):
            assert position_at(column_of(position, last, width), last, width) == position
    assert position_at(0, last, width) == 0
    assert position_at(width - 1, last, width) == last


@pytest.mark.parametrize("last", [1, 3, 56, 57, 1000])
def test_the_columns_of_many_positions_are_those_of_each(last):
    positions = np.unique(np.random.default_rng(last).integers(0, last + 1, 40))
    for width in (3, 4, 60, 121):
        each = {column_of(int(p), last, width) for p in positions} if width > 3 else set()
        assert set(columns_of(positions, last, width)) == each


def test_the_halves_are_told_apart_without_colour(circuit):
    start, end = bar(circuit, 0), bar(circuit, 6)
    assert start[0] == end[0] == "▼"
    assert start[-1] == end[-1] == "▲"
    at = start.index("┃")
    assert at == column_of(2, 6, 60)
    assert set(end[1:at]) == {"━"}
    assert set(end[at + 1 : -2]) == {"═"}
    assert set(start[2:-1]) == {"┄", "┃"}


def test_colours_say_forward_and_backward(circuit):
    kinds = {kind for piece in timebar.line(scene(circuit, 1), 60) for kind in [piece.ink.kind]}
    assert {Kind.VALUE, Kind.GRADIENT, Kind.FORWARD, Kind.BACKWARD} <= kinds


def test_the_position_moves_from_end_to_end_and_what_is_done_grows(circuit):
    seen = [bar(circuit, position) for position in range(7)]
    heads = [text.index("◆") for text in seen]
    assert heads == sorted(set(heads))
    assert heads[0] == 1
    assert heads[-1] == 58
    for text, head in zip(seen, heads, strict=True):
        assert "┄" not in text[:head]
        assert not set(text[head:]) & {"━", "═"}


@pytest.mark.parametrize("width", [0, 1, 2, 3, 4, 9, 60, 200])
def test_the_bar_is_as_wide_as_its_place(batch_norm, width):
    for position in (0, 3, batch_norm.timeline.last):
        assert width_of(timebar.line(scene(batch_norm, position), width)) == width


def test_a_breakpoint_is_marked_where_it_stops_in_both_passes(circuit, at_desk):
    async def script(desk):
        await desk.burst(":break q\n")
        line = (await desk.look()).splitlines()[1]
        assert [k for k, sign in enumerate(line) if sign == "●"] == [
            column_of(1, 6, 120),
            column_of(3, 6, 120),
        ]
        await desk.burst(":disable 1\n")
        assert "●" not in (await desk.look()).splitlines()[1]

    at_desk(circuit, script)


def test_a_breakpoint_with_a_condition_has_its_own_mark(circuit):
    assert "◇" in bar(circuit, stops=(("◇", np.array([1])),))
    both = bar(circuit, stops=(("●", np.array([1])), ("◇", np.array([1]))))
    assert "●" in both
    assert "◇" not in both


def test_the_first_nan_is_marked(nan, screen_after):
    assert bar(nan, bad=(1, 1))[column_of(1, nan.timeline.last, 60)] == "⚠"
    assert "⚠" in screen_after(nan).splitlines()[1]


def unrolled(steps):
    h = tr.tensor(1.0, name="h")
    w = tr.parameter(0.5, name="w")
    for t in range(steps):
        with tr.scope("rnn", t=t):
            h = tr.tanh(h * w)
    return tr.trace(h)


def ticks(text):
    return sum(text.count(sign) for sign in timebar.TICKS)


def test_the_ends_of_time_steps_are_marked_in_both_passes():
    text = bar(unrolled(6), width=80)
    at = text.index("┃")
    assert ticks(text[:at]) == ticks(text[at:]) == 5


def test_more_scopes_than_there_is_room_for_are_not_marked():
    assert ticks(bar(unrolled(60), width=80)) == 0
    assert ticks(bar(unrolled(60), width=900)) == 2 * 59


def test_of_nested_scopes_the_finest_that_fit_are_marked():
    x = tr.tensor(1.0, name="x")
    for block in range(2):
        with tr.scope(f"block{block}"):
            for layer in range(5):
                with tr.scope(f"layer{layer}"):
                    x = tr.tanh(x)
    trace = tr.trace(x)
    assert ticks(bar(trace, width=200)) == 2 * 9
    assert ticks(bar(trace, width=60)) == 2


def test_a_trace_without_a_step_has_a_bar_too():
    text = bar(tr.trace(tr.tensor(2.0, name="alone")))
    assert len(text) == 60
    assert "◆" not in text


def test_a_bar_of_a_million_positions_costs_what_one_of_a_hundred_costs(long_chain, short_chain):
    def cost(trace, stops):
        shown = scene(trace, 50, stops=(("●", stops),))
        timebar.line(shown, 120)
        return effort(lambda: timebar.line(shown, 120))

    everywhere = np.arange(long_chain.timeline.last + 1)
    assert cost(long_chain, everywhere) < 2 * cost(short_chain, np.arange(10))


# ----- the mouse


def test_a_click_goes_there(batch_norm, at_desk):
    async def script(desk):
        last = batch_norm.timeline.last
        for column in (60, 119, 0):
            await desk.pilot.click("#timebar", offset=(column, 0))
            await desk.look()
            assert desk.app.session.debugger.position == position_at(column, last, 120)
        assert desk.app.session.log[-1] == "goto 0"

    at_desk(batch_norm, script)


def test_a_drag_scrubs_and_ends_where_the_mouse_is_let_go(batch_norm, at_desk):
    async def script(desk):
        last = batch_norm.timeline.last
        pilot = desk.pilot
        await pilot.mouse_down("#timebar", offset=(10, 0))
        seen = set()
        for column in range(10, 100, 6):
            await pilot.hover("#timebar", offset=(column, 0))
            seen.add(desk.app.session.debugger.position)
        await pilot.hover("#graph", offset=(50, 5))  # the bar keeps the mouse
        assert desk.app.session.debugger.position == position_at(51, last, 120)
        await pilot.mouse_up("#graph", offset=(20, 5))
        await desk.look()
        assert desk.app.session.debugger.position == position_at(21, last, 120)
        assert len(seen) > 5
        await pilot.hover("#timebar", offset=(90, 0))
        assert desk.app.session.debugger.position == position_at(21, last, 120)

    at_desk(batch_norm, script)


def test_the_wheel_steps(circuit, at_desk):
    async def script(desk):
        up, down = events.MouseScrollUp, events.MouseScrollDown
        for way, position in ((down, 1), (down, 2), (up, 1)):
            await desk.pilot._post_mouse_events([way], "#timebar", offset=(40, 0))
            await desk.look()
            assert desk.app.session.debugger.position == position

    at_desk(circuit, script)


def test_a_drag_faster_than_the_screen_asks_only_for_where_the_mouse_is(batch_norm):
    asked = []

    class Slow(TimeBar):
        size = Size(120, 1)

        def post_message(self, message):
            asked.append(message.line)
            return True

    slow = Slow(id="timebar")
    slow.set_reactive(TimeBar.scene, scene(batch_norm, 0))
    for column in range(5, 100):
        slow._go(column)
    assert len(asked) == 1
    slow._asked = None  # the first has been shown
    slow._ask()
    assert asked[1:] == [f"goto {position_at(99, Timeline(batch_norm).last, 120)}"]
