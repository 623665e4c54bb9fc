"""Keys pressed, and what a person then sees."""

from __future__ import annotations

import re
import tempfile
import threading

import numpy as np
import pytest

import tracer as tr
from tui.app import TRACEBACK, DebuggerApp, fault_line
from tui.widgets.graph import GraphPane
from tui.widgets.pane import LinePane


def status(screen: str) -> str:
    return screen.splitlines()[0]


def said(screen: str) -> str:
    """The line of messages."""
    return screen.splitlines()[-1]


def boxes(screen: str) -> str:
    """The part of the screen above the tape."""
    return screen.partition("╭─ tape")[0]


def test_at_the_start_nothing_has_run(circuit, screen_after):
    screen = screen_after(circuit)
    assert "START" in status(screen)
    assert "step 0/6" in status(screen)
    assert "╭ q add ┄" in screen
    assert "−12" not in screen


def test_the_screen_in_the_middle_of_the_backward_pass(circuit, screen_after):
    screen = screen_after(circuit, "n", "n", "s")
    assert "BACKWARD" in status(screen)
    assert "f mul → q 1/2" in status(screen)
    assert boxes(screen).count("◀") == 1
    assert "╔ f mul" in screen
    assert "┏ q add" in screen
    assert re.search("∂ +−4 ", boxes(screen))
    assert re.search(r"▶ 4 ↑ f +mul|▶ 4 ↑ f", screen)
    assert "f = q · z" in screen
    assert "→ q += ∂L/∂f · z" in screen
    assert "5 nodes" in screen
    x_box = boxes(screen).split("x input")[1]
    assert "○" in x_box.splitlines()[2]


def test_the_whole_backward_pass_gives_the_numbers_of_the_lecture(circuit, screen_after):
    screen = screen_after(circuit, "G")
    graph = boxes(screen)
    for text in (" −2 ", " 5 ", " −4 ", " 3 ", " −12 ", "∂ +−4 ", "∂ +3 ", "∂ +1 "):
        assert re.search(text, graph), text
    assert "○" not in graph


def test_capital_letters_go_back(circuit, at_desk):
    async def script(desk):
        forward = [await desk.press("s") for _ in range(6)]
        back = [await desk.press("S") for _ in range(6)]
        assert [status(s)[:40] for s in forward[:-1]] == [
            status(s)[:40] for s in reversed(back[:-1])
        ]
        assert "step 0/6" in status(back[-1])

    at_desk(circuit, script)


def test_a_partial_gradient_is_seen_growing(square, at_desk):
    async def script(desk):
        first = await desk.press("4", "s")
        second = await desk.press("s")
        third = await desk.press("s")
        assert "─ 1/3" in boxes(first) or "━ 1/3" in boxes(first)
        assert "━ 2/3" in boxes(second)
        assert "━ 3/3" not in boxes(third)
        assert re.search("∂ +7 ", boxes(third))

    at_desk(square, script)


def test_a_breakpoint_is_marked_counted_and_stopped_at(batch_norm, at_desk):
    async def script(desk):
        await desk.press("slash")
        await desk.type("xhat")
        found = await desk.press("enter")
        assert "hit 1 of 1" in said(found)
        marked = await desk.press("b")
        assert "● 1" in status(marked)
        assert "●╮" in boxes(marked)
        stopped = await desk.press("c")
        assert "breakpoint 1: xhat" in said(stopped)
        assert "xhat div" in status(stopped)
        assert "●▶" in stopped
        gone = await desk.press("b")
        assert "● 1" not in status(gone)

    at_desk(batch_norm, script)


def test_a_breakpoint_with_a_condition_is_asked_for(nan, at_desk):
    async def script(desk):
        asked = await desk.press("B")
        assert asked.splitlines()[-1].startswith(" break ")
        await desk.type("nan(value)")
        await desk.press("enter")
        stopped = await desk.press("c")
        assert "breakpoint 1: nan(value) at y" in said(stopped)

    at_desk(nan, script)


def test_a_breakpoint_with_a_condition_has_a_mark_of_its_own(circuit, at_desk):
    async def script(desk):
        await desk.press("B")
        await desk.type("op:mul if value < 0")
        assert "◇╮" in boxes(await desk.press("enter"))

    at_desk(circuit, script)


def test_a_long_search_for_a_breakpoint_says_so_and_is_stopped_by_escape(circuit, at_desk):
    waiting, stop = threading.Event(), threading.Event()

    async def script(desk):
        debugger = desk.app.session.debugger
        debugger.add_breakpoint("nan(value)")
        interrupted = debugger.interrupted

        def slow() -> bool:
            waiting.set()
            stop.wait(10)
            return interrupted()

        debugger.interrupted = slow
        await desk.pilot.press("c")
        waiting.wait(10)
        await desk.pilot.pause()
        assert "working… esc stops" in said(desk.screen())
        await desk.pilot.press("n")  # no key moves meanwhile
        assert debugger.position == 0
        await desk.pilot.press("escape")
        stop.set()
        after = await desk.look()
        assert "interrupted" in said(after)
        assert "step 0/6" in status(after)

    at_desk(circuit, script)


def test_nan_is_shown_in_the_box_and_flagged(nan, screen_after):
    screen = screen_after(nan, "n")
    assert "NaN or inf since y's value" in status(screen)
    assert "nan" in boxes(screen).split("╔ y log")[1]
    assert "nan" in screen.split("╭─ value y")[1]


def test_search_selects_as_one_types_and_escape_leaves_it(batch_norm, at_desk):
    async def script(desk):
        await desk.press("slash")
        typed = await desk.type("st")
        assert "[std sqrt]" in typed
        left = await desk.press("escape")
        assert " n next" in left.splitlines()[-1]
        assert "BACKWARD" not in status(await desk.press("n"))

    at_desk(batch_norm, script)


def test_the_command_line_moves_complains_and_quits(circuit, at_desk):
    async def script(desk):
        await desk.press("colon")
        await desk.type("goto 4")
        assert "step 4/6" in status(await desk.press("enter"))
        await desk.press("colon")
        await desk.type("break nowhere")
        assert "nowhere" in said(await desk.press("enter"))
        await desk.press("colon")
        await desk.type("quit")
        await desk.pilot.press("enter")
        await desk.pilot.pause()
        assert not desk.app.is_running

    at_desk(circuit, script)


@pytest.mark.parametrize(
    ("keys", "seen"),
    [
        (":goto 3\n", "step 3/"),
        ("nn:goto 3\n", "step 3/"),
        (":goto 3\nS:goto 5\nS", "step 4/"),
        ("/xhat\nt", "xhat div"),
        ("wxhat\nBxhat\n:info\n", "breakpoint 1  xhat"),
        (":help\n", "to the next node"),
        ("/squ\x1bn", "step 1/"),
    ],
)
def test_what_is_typed_in_one_burst_is_answer_and_keys_in_their_order(
    batch_norm, at_desk, keys, seen
):
    async def script(desk):
        screen = await desk.burst(keys)
        assert seen in screen
        assert desk.app.is_running

    at_desk(batch_norm, script)


def test_the_prompt_takes_the_keys_wherever_the_mouse_has_been(circuit, at_desk):
    async def script(desk):
        await desk.press("colon")
        await desk.pilot.click("#tape", offset=(8, 3))
        await desk.type("goto 2")
        assert "step 2/6" in status(await desk.press("enter"))

    at_desk(circuit, script)


@pytest.mark.parametrize(
    "size",
    [
        (60, 16),
        pytest.param((80, 24), marks=pytest.mark.slow),
        pytest.param((120, 36), marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("frobnicate", "there is no order 'frobnicate'"),
        (
            "break name:xh* if value > 0.5 and norm(value) < 2",
            "breakpoint 1: name:xh* if value > 0.5",
        ),
        ("theme light", "the theme is light"),
        ("theme pink", "there is no theme 'pink': try dark or light"),
        ("next -3", "a count from 1, not '-3'"),
        ("goto 99999", "the positions are 0 to "),
        ("quit now", "quit takes nothing after it, not 'now'"),
    ],
)
def test_a_message_is_seen_in_full_view_until_the_next_key(batch_norm, at_desk, size, line, words):
    async def script(desk):
        before = await desk.press("9", "n")
        await desk.press("colon")
        await desk.burst(line)
        screen = await desk.press("enter")
        assert words in " ".join(" ".join(screen.splitlines()[-3:]).split())
        assert status(screen).replace("  ● 1", "") == status(before)
        assert "? help" in said(await desk.press("tab"))

    at_desk(batch_norm, script, size=size)


def test_a_message_that_is_too_long_says_that_it_is_cut(circuit, at_desk):
    async def script(desk):
        desk.app.session.say("long " * 100)
        desk.app.show()
        *_, panes, first, second, third = (await desk.look()).splitlines()
        assert all("long long" in line for line in (first, second, third))
        assert "long" not in panes
        assert third.rstrip().endswith("…")

    at_desk(circuit, script, size=(80, 24))


def test_the_reply_to_a_search_stands_beside_it(batch_norm, at_desk):
    async def script(desk):
        assert "hit 1 of " in said(await desk.burst("/mu"))
        assert "nothing matches 'muzzle'" in said(await desk.burst("zzle"))

    at_desk(batch_norm, script, size=(80, 24))


def test_breakpoints_and_watches_are_listed_on_a_page(circuit, at_desk):
    async def script(desk):
        await desk.burst("Bop:mul if value < 0\nBq\nwnorm(grad) of q\nwf\n")
        page = await desk.burst(":info\n")
        for words in ("breakpoint 1  op:mul if value < 0", "breakpoint 2  q", "watch 1", "watch 2"):
            assert words in page
        assert "breakpoint 2  q" not in await desk.press("escape")

    at_desk(circuit, script, size=(80, 24))


def test_inside_opened_parts_the_status_line_does_not_call_an_array_the_loss(fused, at_desk):
    async def script(desk):
        outside = await desk.press("G")
        assert re.search(r"loss \S", status(outside))
        await desk.press("g", "n")
        inside = await desk.press("s", "G")
        assert "depth 1" in status(inside)
        assert re.search(r" y rms \d", status(inside))
        assert "loss" not in status(inside)

    at_desk(fused, script)


def test_where_nothing_can_be_seen_no_key_acts_but_quit(circuit, at_desk):
    async def script(desk):
        await desk.press("n", "b", "colon", "n", "question_mark", "tab")
        assert "too small" in await desk.look()
        assert desk.app.session.debugger.position == 0
        await desk.pilot.resize_terminal(100, 30)
        screen = await desk.look()
        assert "START" in status(screen)
        assert "? help" in said(screen)

    at_desk(circuit, script, size=(50, 10))


def test_a_watch_is_shown_with_its_number(circuit, at_desk):
    async def script(desk):
        await desk.press("w")
        await desk.type("q")
        watched = await desk.press("enter")
        assert "not run yet" in watched.splitlines()[-2]
        ended = await desk.press("G")
        assert "value 3, gradient −4" in ended.splitlines()[-2]
        await desk.press("colon")
        await desk.type("unwatch 1")
        assert "gradient −4" not in await desk.press("enter")

    at_desk(circuit, script)


def test_help_tells_of_every_key_and_closes(circuit, at_desk):
    async def script(desk):
        page = await desk.press("question_mark")
        assert "╭─ help" in page
        assert "to the next node" in page
        scrolled = await desk.press("j", "j", "j")
        assert scrolled != page
        assert "╭─ help" not in await desk.press("escape")

    at_desk(circuit, script)


def test_opened_parts_take_the_place_of_the_trace(fused, at_desk):
    async def script(desk):
        opened = await desk.press("n", "s")
        assert "depth 1" in status(opened)
        assert "graph ▸ y" in opened.splitlines()[2]
        assert "sqrt" in boxes(opened)
        closed = await desk.press("f")
        assert "depth" not in status(closed)
        assert "batch_norm" in boxes(closed)

    at_desk(fused, script)


def test_all_panes_are_reached_and_can_be_zoomed(batch_norm, at_desk):
    async def script(desk):
        seen = set()
        for _ in range(4):
            seen.add(desk.app.focused.id)
            await desk.press("tab")
        assert seen == {"graph", "tape", "node", "tensor"}
        await desk.press("shift+tab", "shift+tab")
        assert desk.app.focused.id == "node"
        zoomed = await desk.press("z")
        assert "╭─ node" in zoomed
        assert "╭─ tape" not in zoomed
        assert "╭─ tape" in await desk.press("z")

    at_desk(batch_norm, script)


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (120, 24), (160, 50)])
def test_all_four_panes_are_there_at_every_usable_size(batch_norm, screen_after, size):
    screen = screen_after(batch_norm, "1", "8", "n", size=size)
    lines = screen.splitlines()
    assert len(lines) == size[1]
    assert max(map(len, lines)) <= size[0]
    assert "BACKWARD" in lines[0]
    for title in ("╭─ graph", "╭─ tape", "╭─ node", "╭─ gradient"):
        assert title in screen
    assert "? help" in lines[-1]
    assert "╔" in screen


@pytest.mark.parametrize("size", [(59, 36), (120, 15), (20, 5)])
def test_too_small_a_terminal_says_which_size_is_needed(circuit, screen_after, size):
    words = " ".join(screen_after(circuit, size=size).split())
    assert f"{size[0]}×{size[1]}: too small" in words
    assert "60×16" in words.replace(" ×", "×")
    assert "graph" not in words


def test_a_terminal_that_grows_shows_the_panes(circuit, at_desk):
    async def script(desk):
        assert "too small" in await desk.look()
        await desk.pilot.resize_terminal(100, 30)
        assert "╭─ graph" in await desk.look()

    at_desk(circuit, script, size=(50, 10))


def test_a_click_selects_and_a_double_click_runs_to(circuit, at_desk):
    async def script(desk):
        graph = desk.app.query_one(GraphPane)
        place = graph.drawing.layout.boxes[graph.drawing.place(3)]
        window = graph.window
        offset = (place.x - window.x + 3, place.y - window.y + 2)  # one more for the border
        await desk.pilot.click("#graph", offset=offset)
        clicked = await desk.look()
        assert "[q add]" in clicked
        assert "START" in status(clicked)
        await desk.pilot.click("#graph", offset=offset, times=2)
        ran = await desk.look()
        assert "step 1/6" in status(ran)
        await desk.pilot.click("#tape", offset=(8, 6))
        assert "node 4 · f" in await desk.look()

    at_desk(circuit, script)


def test_the_selection_walks_along_wires_without_moving_in_time(circuit, at_desk):
    async def script(desk):
        assert "[x input]" in await desk.press("G", "h")
        assert "[y input]" in await desk.press("j")
        assert "[f mul]" in await desk.press("l", "l")
        seen = await desk.press("h")
        assert "step 6/6" in status(seen)

    at_desk(circuit, script)


def test_enter_on_a_row_of_the_tape_runs_to_it(circuit, at_desk):
    async def script(desk):
        await desk.press("tab", "j", "j", "j", "j")
        ran = await desk.press("enter")
        assert "step 2/6" in status(ran)
        assert "f mul" in status(ran)

    at_desk(circuit, script)


def test_percent_jumps_to_the_other_pass_and_back(batch_norm, at_desk):
    async def script(desk):
        forward = await desk.press("5", "n")
        backward = await desk.press("percent_sign")
        assert "BACKWARD" in status(backward)
        assert status(await desk.press("percent_sign"))[:30] == status(forward)[:30]

    at_desk(batch_norm, script)


def test_the_tensor_pane_reads_elements_and_swaps_value_and_gradient(batch_norm, at_desk):
    async def script(desk):
        await desk.press("G")
        await desk.press("slash")
        await desk.type("x")
        await desk.press("enter")
        await desk.press("tab", "tab", "tab", "j", "l")
        trace = desk.app.session.trace
        name = trace.label(desk.app.session.selected)
        screen = await desk.look()
        assert f"╭─ gradient {name}" in screen
        assert "[1,1] ∂" in screen
        swapped = await desk.press("m")
        assert f"╭─ value {name}" in swapped
        assert "[1,1] v" in swapped

    at_desk(batch_norm, script)


def test_it_plays_by_itself_until_a_key_stops_it(circuit, at_desk, monkeypatch):
    monkeypatch.setattr("tui.actions.PACES", (0.02,) * 7)

    async def script(desk):
        await desk.press("space")
        for _ in range(200):
            await desk.pilot.pause(0.02)
            if desk.app.session.ended:
                break
        assert "step 6/6" in status(await desk.look())

    at_desk(circuit, script)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_both_themes_can_be_chosen(circuit, at_desk, name):
    async def script(desk):
        await desk.press("colon")
        await desk.type(f"theme {name}")
        screen = await desk.press("enter")
        assert desk.app.theme == f"gradstep-{name}"
        assert "╭─ graph" in screen

    at_desk(circuit, script)


def test_the_numbers_in_the_cells_have_the_minus_sign_of_all_others(at_desk):
    x = tr.tensor(np.negative([[0.5, 2.0], [1.0, 3.0]]), name="x")

    async def script(desk):
        pane = (await desk.look()).split("╭─ value x")[1].split("╭─ node")[0]
        assert "−0.5" in pane
        assert "−3" in pane
        assert not re.search(r"-\d", pane)

    at_desk(tr.trace(tr.sum(x * x)), script)


def test_a_growing_gradient_is_told_without_brackets_in_brackets(square, at_desk):
    async def script(desk):
        await desk.burst("wx\n4s")
        assert "partial (1 of 3 flows)" in await desk.look()
        assert "flows))" not in desk.screen()

    at_desk(square, script)


def test_without_colour_the_signs_of_a_matrix_are_written(at_desk, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    x = tr.tensor(np.outer(np.linspace(-1, 1, 40), np.ones(40)), name="x")
    trace = tr.trace(tr.sum(x * x))

    async def script(desk):
        screen = await desk.look()
        pane = screen.split("╭─ value x")[1]
        assert "=====" in pane
        assert "▀" not in pane

    at_desk(trace, script)


def test_a_step_repaints_only_lines_that_changed(circuit, at_desk):
    async def script(desk):
        painted = []
        pane = desk.app.query_one("#tensor", LinePane)
        original = pane.render_line
        pane.render_line = lambda y: (painted.append(y), original(y))[1]
        await desk.press("z", "z")
        painted.clear()
        await desk.press("1")  # a digit changes the status line only
        assert painted == []

    at_desk(circuit, script)


def test_a_fault_of_ours_is_told_in_one_line(circuit, at_desk, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def broken(*_args, **_more):
        raise RuntimeError("the roof is leaking")

    monkeypatch.delenv(TRACEBACK, raising=False)
    said = []
    monkeypatch.setattr(
        DebuggerApp, "panic", lambda self, *lines: (said.extend(map(str, lines)), self.exit())[1]
    )

    async def script(desk):
        monkeypatch.setattr("tui.views.status.status_line", broken)
        await desk.pilot.press("n")
        await desk.pilot.pause()

    with pytest.raises(RuntimeError, match="roof"):
        at_desk(circuit, script)
    assert len(said) >= 1
    assert said[0].startswith(
        "gradstep: a fault of ours: RuntimeError: the roof is leaking (test_screen.py:"
    )
    assert "\n" not in said[0]


def test_a_fault_without_words_is_still_told():
    assert "KeyError" in fault_line(KeyError("a"))
    assert "no message" in fault_line(ValueError())


def test_an_empty_tensor_and_a_single_leaf_are_shown(screen_after):
    x = tr.tensor(np.zeros((0, 3)), name="x")
    screen = screen_after(tr.trace(tr.sum(x)), "G", "h")
    assert "empty" in screen
    assert "exactly zero" not in screen
    assert "1 node" in screen_after(tr.trace(tr.tensor(2.0, name="alone")))


def test_a_name_is_shown_as_it_is_and_never_obeyed(screen_after):
    x = tr.tensor(2.0, name="[@click=app.quit]go[/]")
    y = tr.tensor(3.0, name="\x1b[31mred")
    screen = screen_after(tr.trace(x * y), "G", "h", size=(160, 40))
    assert "node 0 · [@click=app.quit]go[/]" in screen
    assert "\x1b" not in screen
