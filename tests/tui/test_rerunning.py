"""Running the user's program again: its own streams, its errors, and the place that one keeps."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

import tracer as tr
from tests.tui import test_terminal
from tracer.errors import GradstepError
from tracer.matching import by_name, by_number
from tui import rerunning
from tui.editors import editor_command
from tui.orders import obey
from tui.rerunning import run_again
from tui.session import Session
from tui.staleness import SourceWatch
from tui.targets import ScriptError, repeated, resolve

terminal = test_terminal.terminal

LINE = """import tracer as tr
x = tr.tensor({x}, name="x")
w = tr.parameter({w}, name="w")
{more}
h = tr.tanh(x * w)
loss = h * h
loss.backward()
"""


def write(file, x=2.0, w=0.5, more=""):
    file.write_text(LINE.format(x=x, w=w, more=more))


def opened(file):
    target = resolve(str(file))
    return Session(target.trace, title=target.title, again=target.again)


@pytest.fixture
def train(tmp_path):
    file = tmp_path / "train.py"
    write(file)
    return file


# ----- what is the same in another run


def test_nodes_are_found_by_name_and_by_what_they_belong_to():
    def run(extra):
        x, w = tr.tensor(2.0, name="x"), tr.parameter(0.5, name="w")
        if extra:
            w = tr.exp(w) * 1.0
        h = tr.tanh(x * w + 1.0)
        loss = h * h
        return tr.trace(loss)

    old, new = run(False), run(True)
    found = by_name(old, new)
    for label in ("x", "h", "loss"):
        assert found.node(old.node_index(label)) == new.node_index(label)
    product, shifted = (
        next(k for k in range(len(t)) if t[k].op_name == "mul" and t.label(k) != "loss" and k > 2)
        for t in (new, new)
    )
    assert new[found.node(2)].op_name == "mul"
    assert product == shifted
    assert new.inputs_of(found.node(3))[0] == found.node(2)


def test_the_third_of_a_name_is_the_third():
    def run(steps):
        h = tr.tensor(0.5, name="h0")
        for _ in range(steps):
            h = tr.tanh(h)
        return tr.trace(h)

    old, new = run(3), run(5)
    found = by_name(old, new)
    assert found.node(1) == 1
    assert found.node(2) == 2
    assert found.node(old.loss) == new.loss
    shorter = by_name(new, old)
    assert shorter.node(4) is None
    assert shorter.nearest(4) == 3


def test_a_position_keeps_its_step_and_the_ends_stay_the_ends(train):
    old = resolve(str(train)).trace
    write(train, more="y = w * 1.0\nw = y")
    new = resolve(str(train)).trace
    found = by_name(old, new)
    assert found.position(0) == 0
    assert found.position(old.timeline.last) == new.timeline.last
    assert found.position(old.timeline.forward_steps) == new.timeline.forward_steps
    for position in range(1, old.timeline.last):
        before, after = old.timeline.step(position), new.timeline.step(found.position(position))
        assert (before.phase, old.label(before.node), before.number) == (
            after.phase, new.label(after.node), after.number,
        ) or not old[before.node].name or before.node == old.loss  # fmt: skip


def test_a_step_that_is_gone_becomes_the_step_before():
    def run(between):
        x = tr.tensor(2.0, name="x")
        first = second = x * 2.0
        if between:
            second = tr.exp(first)
        loss = second * x
        return tr.trace(loss)

    old, new = run(True), run(False)
    found = by_name(old, new)
    second = old.node_index("second")
    assert found.position(old.timeline.after_forward(second)) == new.timeline.after_forward(1)
    back = found.position(old.timeline.after_backward(second))
    assert back == new.timeline.after_backward(new.loss)


def test_the_same_numbers_are_the_same_positions(train):
    trace = resolve(str(train)).trace
    found = by_number(trace, trace.replay({"x": 1.0}))
    assert [found.position(p) for p in range(trace.timeline.last + 1)] == list(
        range(trace.timeline.last + 1)
    )


# ----- again


def test_an_edited_script_is_run_again_and_the_place_is_kept(train):
    session = opened(train)
    obey(session, "break h if grad > 0")
    obey(session, "watch h")
    obey(session, "select h")
    obey(session, "goto 2")
    write(train, w=0.25, more="y = w * 1.0\nw = y")
    obey(session, "rerun")
    assert session.message.startswith("ran again; loss 0.58 → 0.2136; 1 node more")
    assert not session.trouble
    step = session.debugger.timeline.step(session.debugger.position)
    assert session.trace.label(step.node) == "h"
    assert session.trace.label(session.selected) == "h"
    (here,) = session.debugger.breakpoints_on(session.trace.node_index("h"))
    assert here.text == "h if grad > 0"
    assert session.scene().watches[0][0] == "h"
    obey(session, "rerun")
    assert "the same loss" in session.message


def test_a_breakpoint_goes_with_its_node_and_that_is_said(train):
    write(train, more="y = w * 1.0\nw = y")
    session = opened(train)
    obey(session, "break y")
    write(train)
    obey(session, "rerun")
    assert session.debugger.breakpoints == ()
    assert "breakpoint at y gone with the node" in session.message


def test_the_selected_node_falls_back_to_the_one_before(train):
    write(train, more="y = w * 1.0\nw = y")
    session = opened(train)
    obey(session, "select y")
    write(train)
    obey(session, "rerun")
    assert session.trace.label(session.selected) == "w"


def test_an_error_leaves_the_trace_and_says_where(train):
    session = opened(train)
    before = session.trace
    write(train, more="print('so far')\n[][3]")
    page = obey(session, "rerun")
    assert session.trace is before
    assert session.trouble
    assert (
        session.message
        == "train.py:5: IndexError: list index out of range: the trace is the one from before"
    )
    text = ["".join(span.text for span in line) for line in page.lines]
    assert text[0] == "so far"
    assert text[1] == "Traceback (most recent call last):"
    assert text[-1] == "IndexError: list index out of range"
    assert not any("scripts.py" in line for line in text)
    write(train, x=1.0)
    obey(session, "rerun")
    assert session.trace is not before


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("x =", "train.py:4: SyntaxError: invalid syntax"),
        ("import sys; sys.exit(3)", "ended with status 3"),
        ("raise KeyboardInterrupt", "stopped"),
        ("raise SystemError('a\\nb')", "train.py:4: SystemError: a"),
        ("x + [1, 2, 3]; tr.tensor([1, 2]) @ tr.tensor([[1.0]])", "train.py:4:"),
    ],
)
def test_whatever_a_program_does_is_said_in_a_line(train, more, said):
    session = opened(train)
    before = session.trace
    write(train, more=more)
    obey(session, "rerun")
    assert said in session.message
    assert "\n" not in session.message
    assert session.trace is before


def test_a_file_that_is_gone_is_said(train):
    session = opened(train)
    train.unlink()
    obey(session, "rerun")
    assert "no file" in session.message


def test_a_trace_of_no_known_program_says_why_it_cannot_run_again():
    x = tr.tensor(3.0, name="x")
    session = Session(tr.trace(x * x))
    with pytest.raises(GradstepError, match="opened from inside a program"):
        obey(session, "rerun")


def test_a_module_of_the_users_is_read_again(tmp_path):
    (tmp_path / "scaling.py").write_text("SCALE = 2.0\n")
    file = tmp_path / "train.py"
    file.write_text(
        "import tracer as tr\nimport scaling\nx = tr.tensor(3.0, name='x')\nloss = x * scaling.SCALE\n"
    )
    session = opened(file)
    assert session.trace.value(session.trace.loss) == 6.0
    (tmp_path / "scaling.py").write_text("SCALE = 10.00\n")
    obey(session, "rerun")
    assert session.trace.value(session.trace.loss) == 30.0


def test_random_numbers_and_the_folder_are_those_of_the_first_run(tmp_path, monkeypatch):
    (tmp_path / "data.txt").write_text("2.0")
    (tmp_path / "elsewhere").mkdir()
    file = tmp_path / "train.py"
    file.write_text(
        "import os, pathlib\nimport tracer as tr\n"
        "x = tr.tensor(float(pathlib.Path('data.txt').read_text()), name='x')\n"
        "w = tr.parameter(tr.init.normal(()), name='w')\nloss = x * w\nos.chdir('elsewhere')\n"
    )
    monkeypatch.chdir(tmp_path)
    tr.manual_seed(0)
    target = resolve("train.py")
    again = run_again(target.again)
    assert again.error == ""
    assert again.target.trace.value("loss") == target.trace.value("loss")


def test_arguments_and_passes_are_those_of_the_first_run(tmp_path):
    file = tmp_path / "train.py"
    file.write_text(
        "import sys\nimport tracer as tr\nfor k in range(3):\n"
        "    x = tr.tensor(float(sys.argv[1]) + k, name='x')\n    (x * x).backward()\n"
    )
    from tui.targets import ran, script_at

    again = repeated(lambda: ran(script_at(str(file)), ["5"], 2))
    assert run_again(again).target.trace.value("x") == 6.0


def test_edits_are_dropped_with_a_word(train):
    session = opened(train)
    obey(session, "edit x = 3")
    obey(session, "rerun")
    assert "the edits are gone" in session.message
    assert session.changes is None
    assert session.trace.value("x") == 2.0


def test_a_gallery_network_and_a_file_are_made_again(tmp_path):
    session = Session(*[(t := resolve("circuit")).trace], title=t.title, again=t.again)
    obey(session, "edit x = 3")
    obey(session, "rerun")
    assert session.trace.value("x") == -2.0
    session.trace.save(tmp_path / "c.trace")
    found = resolve(str(tmp_path / "c.trace"))
    assert run_again(found.again).target.trace.value("f") == -12.0


# ----- streams


def making(deed):
    """A target that does something before it fails."""

    def again():
        deed()
        raise ScriptError(None, 0, "it")

    return again


def test_what_is_printed_is_kept_in_order_and_not_on_the_screen(capfd):
    def deed():
        print("one")
        print("two", file=sys.stderr)
        os.write(1, b"three\n")
        subprocess.run([sys.executable, "-c", "print('four')"], check=True)
        print("\x1b[31mfive\x1b[0m 10%\r\x1b[2Kfive 100%")

    assert run_again(making(deed)).output == ("one", "two", "three", "four", "five 100%")
    assert capfd.readouterr() == ("", "")
    print("the screen")
    assert capfd.readouterr().out == "the screen\n"


def test_streams_are_put_back_after_an_error():
    streams = sys.stdin, sys.stdout, sys.stderr

    def again():
        raise ScriptError(ZeroDivisionError("no"), 1)

    assert run_again(again).error == "ZeroDivisionError: no"
    assert (sys.stdin, sys.stdout, sys.stderr) == streams


def test_very_much_output_keeps_its_end(monkeypatch):
    monkeypatch.setattr(rerunning, "MOST", 100)
    output = run_again(making(lambda: print("\n".join(map(str, range(100)))))).output
    assert output[0] == "… 190 bytes before"
    assert output[-1] == "99"


def test_a_program_that_asks_the_terminal_gets_end_of_file(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    heard = []

    def deed():
        with pytest.raises(EOFError):
            input()
        heard.append(sys.stdin.isatty())

    run_again(making(deed))
    assert heard == [False]


def test_an_input_from_a_file_is_read_from_its_start(tmp_path, monkeypatch):
    (tmp_path / "in").write_text("1\n2\n")
    with (tmp_path / "in").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        heard = []
        for _ in range(2):
            run_again(making(lambda: heard.append(sys.stdin.read())))
    assert heard == ["1\n2\n"] * 2


def test_a_program_without_end_can_be_stopped():
    start = time.monotonic()

    def forever():
        while True:
            time.sleep(0.001)

    found = run_again(making(forever), lambda: time.monotonic() > start + 0.1)
    assert found.error == "stopped"


# ----- stale sources


def test_an_edited_source_is_noticed_at_most_once_a_second(train):
    now = [0.0]
    trace = resolve(str(train)).trace
    watch = SourceWatch(lambda: now[0])
    assert not watch.changed(trace.sources)
    write(train, x=4.0, more="pass")
    now[0] = 0.5
    assert not watch.changed(trace.sources)
    now[0] = 1.5
    assert watch.changed(trace.sources) == {str(train)}
    write(train)
    os.utime(train, ns=(1, 1))
    now[0] = 3.0
    assert not watch.changed(trace.sources)  # as it was
    train.unlink()
    now[0] = 5.0
    assert not watch.changed(trace.sources)


def test_the_status_word_says_what_to_do(train):
    session = opened(train)
    session.sources = SourceWatch(lambda: time.monotonic() * 1e9)
    assert session.scene().stale == ""
    write(train, x=4.0, more="pass")
    assert session.scene().stale == "source changed: r re-runs"
    assert session.trace.source_line(session.trace["x"].place).startswith("x = tr.tensor(2.0")
    obey(session, "rerun")
    assert session.scene().stale == ""
    session.again = None
    write(train)
    assert session.scene().stale == "source changed"


# ----- the editor


def test_the_editor_opens_the_line_of_the_node(train):
    node = resolve(str(train)).trace["h"]
    path = os.environ["PATH"]
    command = editor_command(node, {"EDITOR": "env vi -n", "PATH": path})
    assert command == ["env", "vi", "-n", "+5", str(train)]
    with pytest.raises(
        GradstepError, match=r"no editor is set: export EDITOR=vim; the line is .*:5"
    ):
        editor_command(node, {"PATH": path})
    with pytest.raises(GradstepError, match="the editor is set to vi 'n: export EDITOR=vim"):
        editor_command(node, {"EDITOR": "vi 'n", "PATH": path})
    with pytest.raises(GradstepError, match="the editor nosuch is not on the PATH"):
        editor_command(node, {"VISUAL": "nosuch", "PATH": path})
    train.unlink()
    with pytest.raises(GradstepError, match="not made in a file that is still there"):
        editor_command(node, {"EDITOR": "env", "PATH": path})


def test_output_says_so_where_there_is_none():
    session = Session(tr.trace(tr.tensor(np.ones(2), name="x").sum()))
    assert obey(session, "output") is None
    assert session.message == "nothing has been printed since the debugger opened"


@pytest.mark.slow
def test_on_a_real_terminal_nothing_that_a_program_prints_reaches_the_screen(train, terminal):
    desk = terminal(f"from tui.cli import main; raise SystemExit(main(['run', {str(train)!r}]))")
    desk.read_until("graph")
    deed = (
        "import os, subprocess; os.write(2, b'raw'*7); subprocess.run('echo child >&2', shell=True)"
    )
    write(train, x=3.0, more=deed + "; print('its'*3)")
    desk.press("r")
    desk.read_until("ran again")
    assert "rawraw" not in desk.seen
    desk.press(":output\r")
    desk.read_until("itsitsits")
    assert "rawraw" in desk.seen
    assert "child" in desk.seen
    desk.press("\x1b")
    time.sleep(0.5)
    desk.press("q")
    assert desk.wait() == 0
