"""What makes one trust a program in a terminal: it starts at once, can be stopped, and gives the terminal back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.tui.conftest import chain
from tests.tui.test_terminal import ENTER, NET, terminal  # noqa: F401  (a fixture)
from tracer.cells.figures import Figures
from tui.app import DebuggerApp
from tui.ink import text_of
from tui.views import status
from tui.views.scene import Scene

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")


# ----- long work


@pytest.mark.parametrize("width", [28, 60, 80])
def test_long_work_shows_how_much_is_done_and_how_to_stop_it(circuit, width):
    def line(done):
        scene = Scene(circuit, 0, 0, Figures(circuit), busy="working", done=done)
        return text_of(status.last_line(scene, width))

    assert line(None) == " working… esc stops"
    bars = [line(done) for done in (0.0, 0.25, 0.5, 1.0)]
    assert [bar.count("▓") for bar in bars] == [0, 3, 6, 12]
    assert len({len(bar) for bar in bars}) == 1
    assert all(len(bar) <= width for bar in bars)
    if width > 40:
        assert bars[1] == " working ▓▓▓░░░░░░░░░  25%  esc stops"


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
def test_one_can_leave_in_the_middle_of_long_work(circuit, at_desk, key):
    started = threading.Event()
    heard = []

    async def script(desk):
        debugger = desk.app.session.debugger
        debugger.add_breakpoint("nan(value)")
        interrupted = debugger.interrupted

        def slow():
            started.set()
            end = time.monotonic() + PATIENCE
            while not interrupted() and time.monotonic() < end:
                time.sleep(0.01)
            heard.append(interrupted())
            return heard[-1]

        debugger.interrupted = slow
        await desk.pilot.press("c")
        assert started.wait(PATIENCE)
        await desk.pilot.press(key)
        while desk.app.is_running:
            await desk.pilot.pause(0.02)

    at_desk(circuit, script)
    assert heard
    assert all(heard)


def test_what_another_thread_has_changed_by_half_is_not_shown(circuit, at_desk):
    half, go_on = threading.Event(), threading.Event()

    async def script(desk):
        session = desk.app.session
        session.debugger.add_breakpoint("nan(value)")

        def slow():
            session.selected, kept = (
                10**6,
                session.selected,
            )  # a node of a trace that is not shown yet
            half.set()
            go_on.wait(10)
            session.selected = kept
            return False

        session.debugger.interrupted = slow
        await desk.pilot.press("c")
        half.wait(10)
        await desk.pilot.press("7")
        assert "7×" in desk.screen()
        go_on.set()
        assert "step 6/6" in await desk.look()

    at_desk(circuit, script)


# ----- sizes

OPENERS = {
    "nothing": [],
    "prompt": ["colon", "b"],
    "help": ["question_mark"],
    "palette": ["ctrl+p"],
    "letters": ["ctrl+o"],
    "one pane": ["z"],
}


@pytest.mark.parametrize(
    "opened",
    [
        pytest.param(name, marks=() if name in ("prompt", "letters") else pytest.mark.slow)
        for name in OPENERS
    ],
)
def test_a_terminal_may_become_any_size_whatever_is_open(batch_norm, at_desk, opened):
    async def script(desk):
        await desk.press("n", *OPENERS[opened])
        for size in ((60, 16), (20, 5), (1, 1), (200, 60), (59, 40), (80, 24)):
            await desk.pilot.resize_terminal(*size)
            lines = (await desk.look()).splitlines()
            assert len(lines) <= size[1]
            assert max(map(len, lines), default=0) <= size[0]
        await desk.press("escape", "escape")
        assert "? help" in (await desk.look()).splitlines()[-1]

    at_desk(batch_norm, script)


# ----- a real terminal


def test_without_colour_none_is_sent(terminal, monkeypatch):  # noqa: F811
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    desk = terminal(NET + "raise SystemExit(debug(trace))")
    desk.read_until("help")
    desk.press("n")
    desk.read_until("step 1/3")
    desk.press("q")
    assert desk.wait() == 0
    for code in ("\x1b[38;", "\x1b[48;", ";38;", ";48;", "\x1b[31m", "\x1b[32m"):
        assert code not in desk.seen


FIRST_SCREEN = """
import asyncio
from tests.effort import Effort
with Effort() as importing:
    import tracer as tr
    import tui.app
app = tui.app.DebuggerApp(tr.trace(tr.tensor(2.0, name="x") * 3.0))
async def run():
    with Effort() as showing:
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause(0)
    return showing.count
print(importing.count, asyncio.run(run()))
"""


@pytest.mark.slow
def test_the_first_screen_takes_a_few_times_what_the_import_takes(python):
    done = python("-c", FIRST_SCREEN)
    imports, whole = map(int, done.stdout.split())
    assert whole < 6 * imports


class Tmux:
    """A shell in a real terminal multiplexer."""

    def __init__(self, folder, checkout):
        self.socket = f"gradstep-{os.getpid()}-{folder.name}"
        variables = {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(checkout),
            "PS1": "ready> ",
            "COLUMNS": "120",  # some shells export them, and they are wrong after a resize
            "LINES": "36",
            "GRADSTEP_CONFIG": os.devnull,
        }
        words = " ".join(f"{name}='{value}'" for name, value in variables.items())
        self("-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "36",
             f"cd '{folder}' && exec env {words} bash --norc --noprofile -i")  # fmt: skip
        self.wait_for("ready>")
        self.before = self.state()

    def __call__(self, *words):
        command = ["tmux", "-L", self.socket, *words]
        return subprocess.run(
            command, capture_output=True, encoding="utf-8", timeout=PATIENCE
        ).stdout

    def keys(self, *keys):
        self("send-keys", "-t", "0", *keys)

    def screen(self):
        return self("capture-pane", "-p", "-t", "0")

    def wait_for(self, *texts, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while not all(text in self.screen() for text in texts):
            assert time.monotonic() < end, (texts, self.screen())
            time.sleep(0.05)
        return self.screen()

    def open(self):
        self.keys(f"clear; {sys.executable} -m tui.cli open circuit", "Enter")
        self.wait_for("point of interest")
        self.keys("g")
        self.wait_for("START", "step 0/6")
        return self.settled()

    def settled(self, seconds=PATIENCE):
        """The screen when it has been the same for a while."""
        end = time.monotonic() + seconds
        before, now = None, self.screen()
        while before != now:
            assert time.monotonic() < end
            time.sleep(0.3)
            before, now = now, self.screen()
        return now

    def state(self):
        """What a program can leave behind in a terminal."""
        flags = "alternate_on cursor_flag mouse_any_flag insert_flag keypad_flag wrap_flag bracketed_paste_flag"
        shown = self(
            "display-message", "-p", "-t", "0", " ".join(f"#{{{f}}}" for f in flags.split())
        )
        self.keys("clear; stty -a", "Enter")
        return shown, self.wait_for("echo").partition("speed")[2].partition("ready>")[0]


@pytest.fixture
def tmux(tmp_path, checkout):
    shell = Tmux(tmp_path, checkout)
    yield shell
    shell("kill-server")


@needs_tmux
@pytest.mark.slow
def test_the_real_program_opens_steps_resizes_and_leaves_the_terminal_as_it_was(tmux):
    screen = tmux.open()
    assert "╭─ graph ▸ circuit" in screen
    tmux.keys("n", "n", "s")
    screen = tmux.wait_for("BACKWARD", "step 3/6", "f mul → q 1/2")
    assert "╔ f mul" in screen
    for width, height in ((80, 24), (60, 16), (40, 10), (120, 36)):
        tmux("resize-window", "-t", "0", "-x", str(width), "-y", str(height))
        tmux.wait_for("too small" if width < 60 else "step 3/6")
        assert len(tmux.screen().rstrip("\n").splitlines()) <= height
    tmux.keys(":goto 6", "Enter")
    tmux.wait_for("step 6/6")
    tmux.keys("q")
    tmux.wait_for("ready>")
    assert tmux.state() == tmux.before


@needs_tmux
@pytest.mark.slow
@pytest.mark.parametrize("key", ["C-c", "C-q"])
def test_every_way_out_leaves_the_terminal_as_it_was(tmux, key):
    tmux.open()
    tmux.keys(":", "go")
    tmux.keys(key)
    if key == "C-q":  # in the prompt only ctrl+c leaves
        tmux.keys("Escape")
        time.sleep(0.3)
        tmux.keys(key)
    tmux.wait_for("ready>")
    assert tmux.state() == tmux.before


@needs_tmux
@pytest.mark.slow
def test_ctrl_z_gives_the_shell_and_fg_returns(tmux):
    tmux.open()
    tmux.keys("n")
    tmux.wait_for("step 1/6")
    tmux.keys("C-z")
    tmux.wait_for("ready>", "Stopped")
    assert tmux.state()[0] == tmux.before[0]
    tmux.keys("fg", "Enter")
    tmux.wait_for("step 1/6", "╭─ graph")
    tmux.keys("n")
    tmux.wait_for("step 2/6")
    tmux.keys("q")
    tmux.wait_for("ready>")
    assert tmux.state() == tmux.before


@needs_tmux
@pytest.mark.slow
def test_ctrl_l_paints_a_screen_anew_that_another_program_has_spoilt(tmux):
    before = tmux.open()
    tty = tmux("display-message", "-p", "-t", "0", "#{pane_tty}").strip()
    Path(tty).write_text("\x1b[10;1H" + "spoilt " * 40)
    tmux.wait_for("spoilt")
    tmux.keys("C-l")
    after = tmux.settled()
    assert after.splitlines()[:-1] == before.splitlines()[:-1]  # the last line is for messages
    assert "spoilt" not in after
    tmux.keys("q")
    tmux.wait_for("ready>")


def test_a_long_backward_pass_waits_until_the_screen_is_there(at_desk, monkeypatch):
    monkeypatch.setattr("tui.workbench.QUICK", 10)
    monkeypatch.setattr(DebuggerApp, "look_for_bad_numbers", lambda app: None)  # needs it too
    trace = chain(30)
    DebuggerApp(trace)
    assert "swept" not in vars(trace)

    async def script(desk):
        assert "START" in await desk.look()
        assert "swept" in vars(trace)
        assert not desk.app.session.busy

    at_desk(trace, script)


def test_a_short_backward_pass_is_there_with_the_screen():
    trace = chain(30)
    DebuggerApp(trace)
    assert "swept" in vars(trace)
