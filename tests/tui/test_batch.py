"""Orders from files and options, with a screen and without."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys

import pytest

from tui.app import DebuggerApp
from tui.batch import Failure, before_screen, deeds_of, run
from tui.command_line.parsing import handed_on
from tui.scripts import UsageError
from tui.session import Session
from tui.sessions import Deed

SCRIPT = """
import sys
import tracer as tr
x = tr.tensor(float(sys.argv[1]), name="x")
y = x * x
loss = y + x
loss.backward()
print("ran with", sys.argv[2:])
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_orders_are_done_one_after_the_other_and_each_effect_is_printed(gradstep, tmp_path):
    (tmp_path / "tour.txt").write_text(
        "# a comment\n\nbreak f\necho on we go\ncontinue\nprint q + f\ncontinue\n"
    )
    status, out, err = gradstep(
        "open", "circuit", "-x", "tour.txt", "-ex", "display x.grad", "-ex", "c", "--batch"
    )
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "breakpoint 1: f",
        "on we go",
        "breakpoint 1: f",
        "#2 ↓ f mul = −12",
        "q + f = −9",
        "end of the backward pass",
        "#6 ↑ q add → y ∂ −4 final  flow 2 of 2",
        "watch 1: x.grad  −4",
        "end of the backward pass",
    ]


def test_watches_are_shown_at_every_stop_and_pages_as_text(gradstep):
    status, out, _ = gradstep(
        "open", "circuit", "--batch", "-ex", "watch q.grad", "-ex", "next 2", "-ex", "3", "-ex", "info"
    )  # fmt: skip
    assert status == 0
    assert out.splitlines() == [
        "watch 1: q.grad  q not run yet",
        "end of the forward pass",
        "#2 ↓ f mul = −12",
        "  q.grad  gradient of q not reached",
        "#3 ↑ f mul → q ∂ −4 final  flow 1 of 2",
        "  q.grad  −4",
        "breakpoints and watches",
        "watch 1  q.grad  −4",
    ]


def test_the_first_order_that_fails_ends_the_rest_and_is_named_with_its_line(gradstep, tmp_path):
    (tmp_path / "tour.txt").write_text("next\n\nbreak nowhere\nnext\n")
    status, out, err = gradstep("open", "circuit", "--batch", "-x", "tour.txt")
    assert status == 1
    assert out.splitlines() == ["#1 ↓ q add = 3"]
    assert err.startswith("gradstep: tour.txt:3: break nowhere: there is no node 'nowhere'\n")
    status, out, err = gradstep("open", "circuit", "--batch", "-ex", "frobnicate", "-ex", "next")
    assert (status, out) == (1, "")
    assert err.startswith("gradstep: -ex: frobnicate: there is no order 'frobnicate'")


def test_a_search_without_a_hit_fails(gradstep):
    assert gradstep("open", "circuit", "--batch", "-ex", "search zebra")[0] == 1
    status, out, _ = gradstep("open", "circuit", "--batch", "-ex", "search value < -11")
    assert (status, out) == (0, "hit 1 of 1\n")


def test_quit_ends_the_orders_and_what_only_a_screen_can_do_is_passed_over(gradstep):
    orders = ("-ex", "zoom", "-ex", "theme light", "-ex", "next", "-ex", "quit", "-ex", "next")
    assert gradstep("open", "circuit", "--batch", *orders)[:2] == (0, "#1 ↓ q add = 3\n")


def test_help_is_printed_where_there_is_no_screen(gradstep):
    status, out, _ = gradstep("open", "circuit", "--batch", "-ex", "help", "-ex", "help edit")
    assert status == 0
    whole, _, edit = out.rpartition("change and re-run\n")
    assert ":next [N]" in whole
    assert len(whole.splitlines()) > 100
    assert ":edit NODE = VALUE" in edit
    assert ":next" not in edit


def test_orders_are_read_from_stdin(gradstep, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("next\nwher\n"))
    status, out, _ = gradstep("open", "circuit", "-x", "-")
    assert status == 0
    assert out.splitlines()[:3] == ["#1 ↓ q add = 3", "step 1 of 6", "#1 ↓ q add = 3"]


def test_without_a_terminal_orders_are_done_and_nothing_else_is_printed(gradstep):
    assert gradstep("open", "circuit", "-ex", "next") == (0, "#1 ↓ q add = 3\n", "")


def test_a_script_gets_its_own_arguments_and_the_debugger_its_orders(gradstep, script):
    script(SCRIPT)
    status, out, err = gradstep(
        "run", "-ex", "continue", "-ex", "p x.grad", "--batch", "train.py", "3", "-x", "-ex"
    )
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "ran with ['-x', '-ex']",
        "end of the backward pass",
        "#6 ↑ y mul → x ∂ 7 final  flow 2 of 2",
        "x.grad = 7",
    ]


def test_orders_that_cannot_be_read_are_a_matter_of_usage_and_nothing_has_run(gradstep, script):
    script(SCRIPT)
    status, out, err = gradstep("run", "-x", "nowhere.txt", "train.py", "3")
    assert (status, out) == (2, "")
    assert "nowhere.txt" in err
    status, out, err = gradstep("run", "--batch", "train.py", "3")
    assert (status, out) == (2, "")
    assert "try: --batch -ex" in err


def test_options_before_the_script_are_ours():
    words = ["run", "-ex", "next 3", "--batch", "-x", "a.txt", "train.py", "-x", "b.txt"]
    assert handed_on(words) == (words[:7], words[7:])


def test_options_keep_their_order(tmp_path):
    (tmp_path / "a.txt").write_text("next\n# why\nback\n")
    given = [("order", "goto 3"), ("file", "a.txt"), ("order", "end")]
    assert [deed.order for deed in deeds_of(given).deeds] == ["goto 3", "next", "back", "end"]
    with pytest.raises(UsageError):
        deeds_of([("file", str(tmp_path))])


def test_the_debugger_opens_where_the_orders_ended(circuit, at_desk):
    session = Session(circuit)
    deeds = [Deed("break f"), Deed("view tensor"), Deed("zoom"), Deed("continue")]
    assert before_screen(session, deeds) == ["zoom"]
    assert session.debugger.position == 2
    assert session.message == "breakpoint 1: f"
    assert session.log == ["break f", "view tensor", "continue"]
    assert (
        before_screen(session, [Deed("next"), Deed("next x", "tour.txt:2: "), Deed("next")]) == []
    )
    assert session.debugger.position == 4
    assert session.trouble
    assert session.message.startswith("tour.txt:2: next x: next takes a count")


def test_what_the_orders_left_for_the_screen_is_done_when_it_opens(circuit):
    async def opened():
        app = DebuggerApp(circuit)
        app.first = before_screen(app.session, [Deed("next"), Deed("zoom")])
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.pause()
            assert app.query_one("#panes").has_class("zoom")
            assert app.session.debugger.position == 1

    asyncio.run(opened())


def test_a_failure_is_told_in_full_and_in_a_line(circuit, capsys):
    assert run(Session(circuit), [Deed("break nowhere", "a.txt:7: ")]) == 1
    assert "  try: one of these names" in capsys.readouterr().err
    assert Failure("a.txt:7: ", "one\ntwo").line == "a.txt:7: one"
    assert Failure("a.txt:7: ", "one\n  try: three").line == "a.txt:7: one: try three"


def test_orders_without_a_screen_do_not_load_textual():
    code = (
        "import sys; from tui.cli import main; "
        "status = main(['open', 'circuit', '--batch', '-ex', 'break q', '-ex', 'c', '-ex', 'info']); "
        "sys.exit(status or 'textual' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_order_may_be_written_with_its_colon(gradstep):
    plain = gradstep("open", "circuit", "--batch", "-ex", "next", "-ex", "knob x=3")
    assert gradstep("open", "circuit", "--batch", "-ex", ":next", "-ex", ": knob x=3") == plain
    assert plain[0] == 0
