"""On a real terminal: whatever ends the debugger, the terminal is given back as it was."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from tests.patience import PATIENCE

pty = pytest.importorskip("pty")
fcntl, struct, termios = (pytest.importorskip(name) for name in ("fcntl", "struct", "termios"))

NET = """
import tracer as tr
from tui.app import debug
x = tr.tensor(2.0, name="x")
y = x * x
trace = tr.trace(y)
"""
FAULT = """
import tui.views.status
def broken(scene, width):
    if scene.position:
        raise RuntimeError("the roof is leaking")
    return was(scene, width)
was, tui.views.status.status_line = tui.views.status.status_line, broken
"""
SHALLOW = """
import sys
import textual.drivers._writer_thread as painting
painting.MAX_QUEUED_WRITES = 3
from tui.cli import main
raise SystemExit(main(sys.argv[1:]))
"""
"""The command, with a queue of things to paint that is soon full if nobody empties it."""
ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


class Terminal:
    """A program in a terminal of 80 x 24."""

    def __init__(self, script: str, folder: str, checkout: str, given: int | None = None) -> None:
        self.screen, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.screen)
        variables = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": checkout}
        variables.pop("GRADSTEP_DEBUG", None)
        self.program = subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=side if given is None else given,
            stdout=side,
            stderr=side,
            env=variables,
            cwd=folder,
            start_new_session=True,
        )
        os.close(side)
        self.seen = ""

    def read_until(self, text: str, seconds: float = PATIENCE) -> None:
        end = time.monotonic() + seconds
        while text not in self.seen and time.monotonic() < end:
            if select.select([self.screen], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.screen, 65536).decode(errors="replace")
                except OSError:  # the program has gone
                    break
        assert text in self.seen, self.seen[-2000:]

    def press(self, keys: str) -> None:
        os.write(self.screen, keys.encode())

    def wait(self) -> int:
        self.read_until(LEAVE)
        code = self.program.wait(PATIENCE)
        while select.select([self.screen], [], [], 0.2)[0]:
            try:
                more = os.read(self.screen, 65536)
            except OSError:
                break
            if not more:
                break
            self.seen += more.decode(errors="replace")
        return code

    @property
    def after(self) -> str:
        """What is left on the terminal when it has been given back."""
        return re.sub(r"\x1b\[[0-9;?<>=]*[a-zA-Z]", "", self.seen.rpartition(LEAVE)[2]).strip()


@pytest.fixture
def terminal(tmp_path, checkout):
    opened = []

    def start(script: str, given: int | None = None) -> Terminal:
        opened.append(Terminal(script, str(tmp_path), str(checkout), given))
        return opened[-1]

    yield start
    for each in opened:
        if each.program.poll() is None:
            each.program.kill()
            each.program.wait()
        os.close(each.screen)


def test_keys_come_from_the_terminal_where_the_script_reads_a_file_and_reads_it_again(
    terminal, tmp_path
):
    (tmp_path / "data").write_text("2.5\n")
    (tmp_path / "net.py").write_text(
        "import sys\nimport tracer as tr\nx = tr.tensor(float(sys.stdin.read()))\n(x * x).backward()\n"
    )
    with (tmp_path / "data").open() as data:
        desk = terminal(
            "from tui.cli import main\nraise SystemExit(main(['run', 'net.py']))", data.fileno()
        )
        desk.read_until("2.5")
        (tmp_path / "data").write_text("3.5\n")
        desk.press("r")
        desk.read_until("3.5")
        desk.press("q")
        assert desk.wait() == 0


def test_the_terminal_is_given_back_by_quitting(terminal):
    desk = terminal(NET + "raise SystemExit(debug(trace))")
    desk.read_until("graph")
    desk.press("q")
    assert desk.wait() == 0
    assert desk.seen.count(ENTER) == desk.seen.count(LEAVE) == 1
    assert termios.tcgetattr(desk.screen)[:4] == desk.before[:4]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_the_terminal_is_given_back_when_somebody_ends_the_process(terminal, name):
    desk = terminal(NET + "debug(trace)")
    desk.read_until("graph")
    time.sleep(0.3)
    desk.program.send_signal(getattr(signal, name))
    desk.wait()
    assert termios.tcgetattr(desk.screen)[:4] == desk.before[:4]


def test_a_fault_of_ours_leaves_one_line_on_the_restored_terminal(terminal):
    desk = terminal(NET + FAULT + "raise SystemExit(debug(trace))")
    desk.read_until("graph")
    desk.press("n")
    assert desk.wait() == 3
    words = " ".join(desk.after.split())
    assert words.startswith("gradstep: a fault of ours: RuntimeError: the roof is leaking")
    assert "Traceback" not in words
    assert termios.tcgetattr(desk.screen)[:4] == desk.before[:4]


def test_ctrl_c_quits(terminal):
    desk = terminal(NET + "raise SystemExit(debug(trace))")
    desk.read_until("graph")
    desk.press("\x03")
    assert desk.wait() == 0


def test_a_wrong_derivation_opens_at_its_first_wrong_element(terminal, tmp_path):
    """`--open`: the page first, then the debugger with its table, and the exit status of the check."""
    (tmp_path / "mine.txt").write_text("dL/dq = z\ndL/dx = -dL/dq\n")
    desk = terminal(
        "from tui.cli import main\n"
        "raise SystemExit(main(['verify', 'circuit', 'mine.txt', '--open']))"
    )
    desk.read_until("dL/dx")
    desk.read_until("it is of the wrong sign")
    desk.read_until("mine.txt")
    desk.press("q")
    assert desk.wait() == 1
    assert "FAIL" in desk.seen.partition(ENTER)[0]


SCREENS = [["train", "xor"], ["kernel", "reduce_rows"], []]


@pytest.mark.parametrize(
    "words", [["open", "circuit"], *(pytest.param(w, marks=pytest.mark.slow) for w in SCREENS)]
)
def test_a_terminal_that_is_closed_without_a_signal_leaves_no_process_behind(
    words, tmp_path, checkout
):
    """A session leader without a controlling terminal hears nothing; its keys then read as empty, again and again."""
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
    running = subprocess.Popen(
        [sys.executable, "-c", SHALLOW, *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(checkout), "TERM": "xterm-256color"},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    seen, end = b"", time.monotonic() + PATIENCE
    while ENTER.encode() not in seen and time.monotonic() < end:
        if select.select([mine], [], [], 0.1)[0]:
            seen += os.read(mine, 1 << 16)
    os.close(mine)
    try:
        assert ENTER.encode() in seen
        running.wait(PATIENCE)
    finally:
        running.kill()
