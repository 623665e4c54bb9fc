"""The commands as a user types them, without a terminal: what they print, what they refuse, how they leave."""

from __future__ import annotations

import inspect
import io
import json
import os
import subprocess
import sys
import zipfile
from importlib import import_module
from pathlib import Path

import pytest
from textual.driver import Driver

import tracer as tr
from gallery import GALLERY
from tracer.timeline import GLYPHS
from tui.command_line import COMMANDS
from tui.command_line.parsing import handed_on
from tui.plain import ERRORS, stand_in
from tui.session import Session
from tui.views.help import FRAMES


def one_sentence(err):
    """A complaint: what is wrong, in the program's name, and at most a few lines; never a traceback."""
    return err.startswith("gradstep") and "Traceback" not in err and len(err.splitlines()) <= 4


# ----- help and refusals


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "bench"])
def test_every_command_has_help_with_an_example(gradstep, command):
    status, out, _ = gradstep(command, "--help")
    assert status == 0
    assert "Example: gradstep " + command in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_done_by_a_function_of_its_options(command):
    module, _, name = COMMANDS[command].does.partition(":")
    assert list(inspect.signature(getattr(import_module(module), name)).parameters) == ["options"]


def test_help_lists_every_command(gradstep):
    status, out, _ = gradstep("--help")
    assert status == 0
    assert all(f"\n    {name} " in out for name in COMMANDS)


def test_an_unknown_command_names_the_closest(gradstep):
    status, _, err = gradstep("opne", "circuit")
    assert status == 2
    assert "no command 'opne': did you mean open?" in err
    assert one_sentence(err)


def test_a_target_in_place_of_a_command_is_explained(gradstep, script):
    status, _, err = gradstep("batchnorm")
    assert status == 2
    assert "gradstep open batchnorm" in err
    file = script("import tracer as tr\n")
    assert f"did you mean gradstep open {file}?" in gradstep(str(file))[2]
    assert "did you mean gradstep open circuit?" in gradstep("circut")[2]


def test_a_word_that_is_nothing_is_no_target_to_open(gradstep):
    status, _, err = gradstep("frobnicate")
    assert status == 2
    assert err == "gradstep: no command 'frobnicate'\n  try: gradstep --help\n"


@pytest.mark.parametrize(
    "words",
    [
        ("show",),
        ("diagram",),
        ("run",),
        ("show", "circuit", "--colour"),
        ("run", "--episode", "0", "x.py"),
    ],
)
def test_a_command_that_lacks_or_mistakes_something_leaves_with_2_and_a_cure(gradstep, words):
    status, out, err = gradstep(*words)
    assert status == 2
    assert not out
    assert "try: gradstep" in err
    assert one_sentence(err)


def test_an_unknown_network_names_the_closest(gradstep):
    status, _, err = gradstep("show", "batchnrom")
    assert status == 2
    assert "did you mean batchnorm" in err
    assert one_sentence(err)


def test_a_name_close_to_nothing_lists_the_main_networks(gradstep):
    status, _, err = gradstep("show", "zzz")
    assert status == 2
    assert all(name in err for name in GALLERY if ":" not in name)
    assert "try: gradstep gallery" in err


def test_a_missing_file_is_said_to_be_missing(gradstep, tmp_path):
    for name in ("absent.trace", "absent.py", "absent.py:f"):
        status, _, err = gradstep("show", tmp_path / name)
        assert status == 2
        assert "absent" in err
        assert one_sentence(err)


def test_a_missing_script_names_one_nearby(gradstep, script):
    file = script("", "train.py")
    status, _, err = gradstep("show", file.with_name("trian.py"))
    assert status == 2
    assert "train.py" in err


def test_a_missing_script_names_no_script_that_only_ends_in_py_too(gradstep, script):
    file = script("", "mlp.py")
    err = gradstep("show", file.with_name("nosuch.py"))[2]
    assert "mlp" not in err
    assert one_sentence(err)


def test_a_function_that_needs_arguments_is_not_called(gradstep, script):
    text = "import tracer as tr\ndef forward(x, w, *, bias=0.0): return x * w\n"
    status, _, err = gradstep("show", f"{script(text)}:forward")
    assert status == 2
    assert ":forward needs x, w, and it is called without arguments" in err
    assert one_sentence(err)
    text += "def loss():\n    return forward(tr.tensor(2.0), tr.tensor(3.0))\n"
    file = script(text)
    assert f"try: {file}:loss" in gradstep("show", f"{file}:forward")[2]
    assert gradstep("show", f"{file}:loss")[0] == 0


@pytest.mark.parametrize(("command", "code"), [("show", 3), ("open", 3), ("check", 2)])
def test_a_script_that_ends_itself_early_is_told_so(gradstep, script, command, code):
    status, out, err = gradstep(command, script("import sys\nsys.exit(3)\n"))
    assert (status, out) == (code, "")
    assert "train.py ended with status 3" in err


@pytest.mark.parametrize("command", ["show", "open", "check"])
def test_what_a_script_recorded_before_it_ended_itself_is_shown(gradstep, script, command):
    text = "import sys, tracer as tr\nw = tr.parameter(3.0)\n(w * w).backward()\nsys.exit(3)\n"
    status, out, err = gradstep(command, script(text))
    assert status == 0
    assert "ended with status 3" in err
    assert "w" in out


def test_a_step_outside_the_timeline_names_its_ends(gradstep):
    status, _, err = gradstep("show", "circuit", "--step", "7")
    assert status == 2
    assert "steps 0 to 6" in err
    assert one_sentence(err)


def test_a_fault_of_ours_says_how_to_report_it(gradstep, monkeypatch):
    monkeypatch.setattr("tui.commands.resolve", lambda text, turned: 1 / 0)
    status, _, err = gradstep("show", "circuit")
    assert status == 3
    assert "internal error: ZeroDivisionError" in err
    assert "GRADSTEP_DEBUG=1" in err
    assert one_sentence(err)
    monkeypatch.setenv("GRADSTEP_DEBUG", "1")
    status, _, err = gradstep("show", "circuit")
    assert status == 3
    assert "Traceback" in err


# ----- show and open


def test_show_prints_the_table(gradstep):
    status, out, err = gradstep("show", "circuit")
    assert (status, err) == (0, "")
    assert out.startswith("circuit · loss f = −12\n")
    assert "q = x + y" in out


@pytest.mark.parametrize("name", GALLERY)
def test_every_network_can_be_shown_by_name(gradstep, name):
    status, out, _ = gradstep("show", name)
    assert status == 0
    assert out.startswith(name)


def test_show_at_a_step(gradstep):
    status, out, _ = gradstep("show", "circuit", "--step", "0")
    assert status == 0
    assert "nothing has run" in out


def test_show_as_json_is_one_document(gradstep):
    status, out, _ = gradstep("show", "batchnorm", "--json")
    assert status == 0
    assert {node["name"] for node in json.loads(out)["nodes"]} >= {"mu", "var", "xhat", "y"}


def test_what_a_script_prints_does_not_disturb_json(gradstep, script):
    file = script("import tracer as tr\nprint('hello')\nw = tr.tensor(2.0)\n(w * w).backward()\n")
    status, out, err = gradstep("show", file, "--json")
    assert status == 0
    assert json.loads(out)["title"] == str(file)
    assert "hello" in err


def test_open_without_a_terminal_says_so_in_a_line_and_prints_what_show_prints(gradstep):
    _, shown, _ = gradstep("show", "xor")
    status, out, err = gradstep("open", "xor")
    assert status == 0
    assert out == shown
    assert "no terminal" in err
    assert len(err.splitlines()) == 1


def test_no_command_without_a_terminal_lists_the_gallery_and_shows_its_first_network(gradstep):
    status, out, err = gradstep()
    assert status == 0
    assert all(f"{name}  " in out for name in GALLERY)
    assert "circuit · loss f = −12" in out
    assert "no terminal" in err


def test_debugging_from_python_without_a_terminal_prints_the_trace(capsys):
    tr.trace(GALLERY["circuit"].build()).debug()
    out, err = capsys.readouterr()
    assert "loss f = −12" in out
    assert "no terminal" in err


def test_the_debugger_is_opened_where_there_is_a_terminal(gradstep, monkeypatch):
    import tui.app

    opened = []

    class App:
        return_code = 0
        _driver, driver_class = None, Driver

        def __init__(self, trace, title, **more):
            self.session = Session(trace, title=title)
            opened.append((trace.label(trace.loss), title))

        def run(self):
            opened.append("ran")

    monkeypatch.setattr("tui.opening.has_terminal", lambda: True)
    monkeypatch.setattr(tui.app, "DebuggerApp", App)
    assert gradstep("open", "circuit")[0] == 0
    assert opened == [("f", "circuit"), "ran"]
    App.return_code = 1
    assert gradstep("open", "circuit")[0] == 3


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437"])
@pytest.mark.parametrize("name", [name for name in GALLERY if ":" not in name])
def test_a_poor_encoding_loses_no_sign(gradstep, name, encoding):
    text = gradstep("show", name)[1].replace("?", "")
    plain = text.encode(encoding, ERRORS).decode(encoding)
    assert "?" not in plain
    assert plain.count("-") >= text.count("−") + text.count("-")


def test_every_state_of_a_gradient_has_a_letter_and_every_frame_a_line():
    letters = [stand_in(glyph) for glyph in GLYPHS.values()]
    assert len(set(letters)) == len(letters)
    lines = {sign for drawn, _ in FRAMES for sign in drawn if "\u2500" <= sign <= "\u257f"}
    assert {stand_in(sign) for sign in lines} == {"+", "-"}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_unicode_gets_numbers_with_their_signs(checkout, encoding):
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli", "show", "circuit"],
        cwd=checkout,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        encoding=encoding,
    )
    assert done.returncode == 0
    assert "f = -12" in done.stdout
    assert "?" not in done.stdout


def test_the_debugger_is_not_drawn_where_its_signs_cannot_be_written(gradstep, monkeypatch):
    monkeypatch.setattr("tui.opening.has_terminal", lambda: True)
    monkeypatch.setattr("sys.__stderr__", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_CTYPE", raising=False)
    status, out, err = gradstep("open", "circuit")
    assert status == 0
    assert "set LANG=C.UTF-8" in err
    assert "f = −12" in out
    monkeypatch.setenv("LC_ALL", "en_US")
    assert "set LC_ALL=C.UTF-8" in gradstep("open", "circuit")[2]
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert "set PYTHONIOENCODING=utf-8" in gradstep("open", "circuit")[2]


# ----- targets


def test_a_function_of_a_script_is_called_and_main_is_not_run(gradstep, script):
    file = script(
        "import tracer as tr\n"
        "def loss():\n    w = tr.tensor(3.0)\n    return w * w\n"
        "if __name__ == '__main__':\n    raise SystemExit('must not run')\n"
    )
    status, out, _ = gradstep("show", f"{file}:loss")
    assert status == 0
    assert out.startswith(f"{file}:loss · loss mul@1 = 9")


def test_a_function_may_return_a_trace(gradstep, script):
    file = script(
        "import tracer as tr\ndef f():\n    w = tr.tensor(3.0)\n    return tr.trace(w * w)\n"
    )
    assert gradstep("show", f"{file}:f")[0] == 0


def test_a_function_finds_the_modules_beside_its_script(gradstep, script):
    script("import tracer as tr\nw = tr.tensor(3.0)\n", "weights_beside.py")
    file = script("def f():\n    from weights_beside import w\n    return w * w\n")
    status, _, err = gradstep("show", f"{file}:f")
    assert status == 0, err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def loss(): pass\n", "it has loss"),
        ("def nonesuc(): pass\n", "nonesuc"),
        ("x = 1\n", "it has no functions"),
    ],
)
def test_a_function_that_is_not_there_is_named_with_those_that_are(gradstep, script, text, said):
    status, _, err = gradstep("show", f"{script(text)}:nonesuch")
    assert status == 2
    assert "no function 'nonesuch'" in err
    assert said in err
    assert one_sentence(err)


def test_a_function_that_returns_something_else_is_told_what_to_return(gradstep, script):
    status, _, err = gradstep("show", f"{script('def f(): return [1]')}:f")
    assert status == 2
    assert "returned list, not a loss or a trace" in err


def test_a_function_that_raises_shows_its_own_traceback_only(gradstep, script):
    file = script("def f():\n    return 1 / 0\n")
    status, _, err = gradstep("show", f"{file}:f")
    assert status == 1
    assert "ZeroDivisionError" in err
    assert "train.py" in err
    assert "tui" not in err


def test_a_script_that_is_not_python_fails_as_under_python(gradstep, script):
    status, _, err = gradstep("show", script("def f(:\n"))
    assert status == 1
    assert "SyntaxError" in err
    assert "train.py" in err


def test_a_saved_trace_is_shown(gradstep, tmp_path):
    file = tmp_path / "circuit.trace"
    tr.trace(GALLERY["circuit"].build()).save(file)
    status, out, _ = gradstep("show", file)
    assert status == 0
    assert "q = x + y" in out


def test_a_hostile_or_foreign_trace_file_is_refused_in_a_sentence(gradstep, tmp_path):
    file = tmp_path / "hostile.trace"
    for content in (b"", b"cos\nsystem\n(S'echo owned'\ntR.", b"PK\x03\x04 cut off"):
        file.write_bytes(content)
        status, out, err = gradstep("show", file)
        assert (status, out) == (2, "")
        assert one_sentence(err)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("trace.json", "{}")
    status, _, err = gradstep("show", file)
    assert status == 2
    assert one_sentence(err)


# ----- version, bench


def test_an_unknown_gallery_name_or_operation_names_the_closest(gradstep):
    for command, name, close in (("gallery", "xr", "xor"), ("ops", "sigmiod", "sigmoid")):
        status, _, err = gradstep(command, name)
        assert status == 2
        assert f"did you mean {close}" in err
        assert one_sentence(err)


def test_version_names_what_a_report_needs(gradstep):
    status, out, _ = gradstep("--version")
    assert status == 0
    assert all(word in out for word in ("gradstep", "numpy", "python"))


def test_bench_outside_a_checkout_says_so(gradstep, monkeypatch, tmp_path):
    monkeypatch.setattr(
        "tui.commands.__file__", str(tmp_path / "site-packages" / "tui" / "commands.py")
    )
    status, _, err = gradstep("bench")
    assert status == 2
    assert "checkout" in err
    assert one_sentence(err)


def test_bench_hands_its_words_on(gradstep, monkeypatch):
    ran = []

    class Done:
        returncode = 1

    monkeypatch.setattr("tui.commands.subprocess.run", lambda words, cwd: ran.append(words) or Done)
    assert gradstep("bench", "--toy", "import")[0] == 1
    assert ran[0][1:] == ["-m", "tests.bench", "--toy", "import"]


def test_the_words_after_a_script_belong_to_it():
    assert handed_on(["run", "a.py", "--episode", "2"]) == (["run", "a.py"], ["--episode", "2"])
    assert handed_on(["run", "--on-error", "--episode=2", "-m", "pkg.mod", "-m", "x"]) == (
        ["run", "--on-error", "--episode=2", "-m", "pkg.mod"],
        ["-m", "x"],
    )
    assert handed_on(["show", "circuit", "--json"]) == (["show", "circuit", "--json"], [])


@pytest.mark.parametrize("command", ["open", "show", "verify"])
def test_a_number_of_the_list_is_a_target(gradstep, command):
    number = str(list(GALLERY).index("circuit") + 1)
    assert gradstep(command, number) == gradstep(command, "circuit")


def test_a_file_whose_name_is_a_number_comes_before_the_list(gradstep, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tr.trace(GALLERY["xor"].build()).save("1.trace")
    (tmp_path / "1.trace").rename(tmp_path / "1")
    assert gradstep("show", "1")[1].split()[0] == "1"
    assert gradstep("show", "2")[1].split()[0] == list(GALLERY)[1]


def test_a_folder_is_named_as_one_with_a_trace_in_it(gradstep, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kept").mkdir()
    assert "kept is a folder" in gradstep("open", "kept")[2]
    (tmp_path / "kept" / "mine.trace").write_bytes(b"")
    status, _, err = gradstep("open", "kept")
    assert status == 2
    assert "try: kept/mine.trace" in err


def test_a_folder_of_kept_steps_is_opened_at_its_first_and_leads_to_the_others(
    gradstep, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert gradstep("train", "xor", "--steps", "10", "--keep", "2,10", "-o", "kept")[0] == 0
    assert "xor, optimiser step 2 " in gradstep("show", "kept")[1]
    words = ("--batch", "-ex", "episode +", "-ex", "episode")
    status, out, _ = gradstep("open", "kept", *words)
    assert status == 0
    assert "kept optimiser steps of xor" in out
    rows = [line.split() for line in out.splitlines()[-2:]]
    assert [row[:2] for row in rows] == [["episode", "2"], ["episode", "10"]]


@pytest.mark.parametrize("words", [("gallery",), ("show", "circuit"), ("plot", "xor")])
def test_an_output_that_takes_no_more_is_said_in_a_sentence(checkout, words):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no full device here")
    command = [sys.executable, "-m", "tui.cli", *words]
    with full.open("w") as out:
        done = subprocess.run(command, cwd=checkout, stdout=out, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("gradstep: cannot write the output: ")
    assert done.stderr.count("\n") == 2


def test_a_closed_output_is_said_in_a_sentence(checkout):
    command = [sys.executable, "-m", "tui.cli", "gallery"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command], cwd=checkout, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "cannot write the output: it is closed" in done.stderr


def test_a_word_that_is_an_option_is_led_to_its_command(gradstep):
    status, _, err = gradstep("worksheet", "circuit")
    assert status == 2
    assert "no command 'worksheet': did you mean gradstep quiz --worksheet?" in err
    assert "did you mean gradstep open xor?" in gradstep("xor")[2]
