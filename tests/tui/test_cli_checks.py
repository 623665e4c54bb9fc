"""`gradstep check` and `gradstep verify`: what they find is said in the first line and by the exit status."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tracer as tr
from gallery import GALLERY, SECTIONS
from tests.patience import PATIENCE
from tracer.checking.progress import StoppedError
from tui.verdicts.meter import Meter

DERIVATIONS = Path(__file__).resolve().parents[2] / "gallery" / "derivations"
CIRCUIT = "dL/dq = z\ndL/dz = q\ndL/dx = dL/dq\ndL/dy = dL/dq\n"
SQUARE = """
import tracer as tr

@tr.primitive(vjps={"x": lambda g, out, x: g * x})
def square_without_its_two(x):
    "x times x."
    return x * x

def loss():
    w = tr.tensor(3.0)
    return square_without_its_two(w)
"""


def first(out: str) -> str:
    return out.partition("\n")[0]


# ----- check


LARGE = {"batchnorm:digits", *(each.name for each in SECTIONS["Initialisation"])}
"""Half a minute of certifying each: five hundred units of ten layers; the operations are those of the others."""


@pytest.mark.parametrize("name", [name for name in GALLERY if name not in LARGE])
def test_the_gradients_of_every_network_are_certified(gradstep, name):
    status, out, _ = gradstep("check", name)
    assert status == 0, out
    assert first(out).startswith(("PASS · ", "KINK · "))


def test_a_wrong_rule_is_found_at_its_node_and_the_exit_status_says_so(python, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(SQUARE)
    done = python("-m", "tui.cli", "check", f"{file}:loss")
    assert done.returncode == 1, done.stderr
    assert first(done.stdout).startswith("FAIL at square_without_its_two@1 · 0 of 1 input right")
    assert "✗  rules of the nodes" in done.stdout
    assert "its rule says g ↦ g · w  (mine.py:4)" in done.stdout
    assert f"gradstep check {file}:loss --open" in done.stdout


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("numbers", "status", "said"),
    [
        ("relu(tr.parameter([1.0, 2.0]", 0, "PASS · 1 of 1 input right"),
        ("relu(tr.parameter([0.0, 1.0]", 0, "KINK · 1 of 1 input right"),
        ("sqrt(tr.parameter([0.0]", 1, "PRECISION-LIMITED · 0 of 1 input right, 1 undecided"),
    ],
)
def test_the_outcome_stands_in_the_first_line(gradstep, script, numbers, status, said):
    text = f"""
import numpy as np, tracer as tr
with np.errstate(all="ignore"):
    (tr.{numbers}, name="x"))).sum().backward()
"""
    found, out, _ = gradstep("check", script(text))
    assert (found, first(out)) == (status, said)


def test_a_check_that_proves_nothing_says_so_and_what_to_check_instead(gradstep):
    status, out, _ = gradstep("check", DERIVATIONS / "sum_of_batchnorm.py")
    assert status == 1
    assert first(out) == "VACUOUS · 1 of 3 inputs right, 2 zero whatever the rule"
    assert "this proves nothing" in out
    assert "try: tr.sum(w * y)" in " ".join(out.split())


def test_at_a_kink_both_slopes_are_shown_and_what_lies_there(gradstep):
    status, out, _ = gradstep("check", DERIVATIONS / "relu_at_zero.py")
    assert status == 0
    assert first(out).startswith("KINK · ")
    assert "[0, 2] kink" in out
    assert "at a kink: relu" in out


def test_second_derivatives_are_checked_on_request(gradstep):
    status, out, _ = gradstep("check", "circuit", "--second")
    assert status == 0
    assert "circuit, second derivatives" in out
    assert "second order" in out


@pytest.mark.parametrize(("count", "numbers"), [("2", 8), ("all", 1264)])
def test_so_many_elements_are_certified_as_asked_for(gradstep, count, numbers):
    _, out, _ = gradstep("check", "xor", "--elements", count)
    certified = int(re.search(r"([\d,]+) numbers certified", out)[1].replace(",", ""))
    assert certified < 100 if count == "2" else certified >= 9


def test_the_random_seed_is_said_and_can_be_chosen(gradstep):
    assert "random seed 7" in gradstep("check", "circuit", "--seed", "7")[1]


@pytest.mark.slow
def test_workers_find_the_same_in_processes_of_their_own(python, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        SQUARE.replace("tr.tensor(3.0)", "tr.tensor([3.0] * 40)").replace("(w)", "(w).sum()")
    )
    pages = [
        python("-m", "tui.cli", "check", f"{file}:loss", "--elements", "all", *workers)
        for workers in ((), ("--workers", "2"))
    ]
    assert [page.returncode for page in pages] == [1, 1], pages[1].stderr
    assert pages[0].stdout.splitlines()[:-1] == pages[1].stdout.splitlines()[:-1]


# ----- verify


@pytest.mark.parametrize("name", ["circuit", "xor", "batchnorm:fused", "rnn:third"])
def test_the_derivation_that_a_network_brings_agrees(gradstep, name):
    status, out, _ = gradstep("verify", name)
    assert status == 0, out
    assert first(out).startswith("PASS · ")


def test_the_six_lines_of_batchnorm_agree(gradstep):
    status, out, _ = gradstep("verify", "batchnorm")
    assert (status, first(out)) == (0, "PASS · 6 of 6 lines right")
    assert len(re.findall(r"^ ✓ +\d+  dL/d\w+", out, re.MULTILINE)) == 6
    assert "on your own gradients above it, and on the recorded ones" in out


@pytest.mark.parametrize(
    ("name", "line", "gradient", "others"),
    [
        ("forgotten_route", 7, "dL/dx", "5 of 6 lines right, 1 wrong"),
        ("forgotten_mean", 7, "dL/dx", "5 of 6 lines right, 1 wrong"),
        ("forgotten_sum", 8, "dL/dgamma", "5 of 6 lines right, 1 wrong"),
        ("wrong_exponent", 5, "dL/dvar", "4 of 6 lines right, 1 wrong, 1 inherits it"),
    ],
)
def test_a_mistake_is_caught_at_its_line_and_mended(gradstep, name, line, gradient, others):
    """The wrong derivations of the gallery: the first line names the line, a patch says what it should be."""
    file = DERIVATIONS / f"{name}.txt"
    status, out, _ = gradstep("verify", "batchnorm", file)
    assert (status, first(out)) == (1, f"FAIL at line {line}, {gradient} · {others}")
    taken, put = re.search(
        r"^   - (.*(?:\n {6,}.*)*)\n   \+ (.*(?:\n {6,}.*)*)$", out, re.M
    ).groups()
    written = " ".join(file.read_text().splitlines()[line - 1].split())
    assert " ".join(taken.replace("\\", "").split()) == written
    mended = file.read_text().splitlines()
    mended[line - 1] = " ".join(put.replace("\\", "").split())
    right = file.with_name("mended.txt")
    assert gradstep("verify", "batchnorm", "-", stdin="\n".join(mended))[0] == 0, right
    assert f"gradstep verify batchnorm {file} --open" in out


def test_a_line_that_inherits_a_mistake_is_told_from_the_one_that_makes_it(gradstep):
    _, out, _ = gradstep("verify", "batchnorm", DERIVATIONS / "wrong_exponent.txt")
    assert "wrong by line 5 only" in out
    assert out.count("\n   - ") == 1


def test_a_network_without_a_derivation_asks_for_one(gradstep, script):
    status, _, err = gradstep("verify", script(RECORDS))
    assert status == 2
    assert "brings no derivation of its own" in err


def test_a_variant_without_a_derivation_names_the_network_that_has_one(gradstep, monkeypatch):
    bare = dataclasses.replace(GALLERY["batchnorm:by_hand"], derivation="")
    monkeypatch.setitem(GALLERY, "batchnorm:by_hand", bare)
    status, _, err = gradstep("verify", "batchnorm:by_hand")
    assert status == 2
    assert "try: gradstep verify batchnorm\n" in err


def test_a_derivation_of_a_circuit_is_read_from_a_file_and_from_standard_input(gradstep, tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text(CIRCUIT, encoding="utf-8")
    assert gradstep("verify", "circuit", file)[0] == 0
    assert gradstep("verify", "circuit", "-", stdin=CIRCUIT)[0] == 0
    status, out, _ = gradstep("verify", "circuit", "-", stdin="dL/dq = z\ndL/dx = -dL/dq\n")
    assert status == 1
    assert first(out).startswith("FAIL at line 2, dL/dx")
    assert "--open" not in out  # what came from a pipe is gone


# ----- a script that carries its derivation


RECORDS = """
import tracer as tr
w, x = tr.parameter(2.0), tr.tensor(3.0)
y = w * x
loss = tr.square(y)
loss.backward()
"""


@pytest.mark.parametrize(
    "carried",
    [
        "derivation = '''\ndL/dy = 2 * y\ndL/dw = dL/dy * FACTOR\n'''\n",
        "DERIVATION = 'dy = 2 * y' + '\\n' + 'dw = dy * FACTOR'\n",
        "def backward():\n    'By hand.'\n    dy = 2 * y\n    dw = dy * FACTOR\n    return dw\n",
        "def derivation(y, x):\n    dy = 2 * y\n    dw = dy * FACTOR\n    raise_if_run()\n"[:-19],
    ],
)
def test_a_script_may_carry_its_derivation(gradstep, script, carried):
    status, out, _ = gradstep("verify", script(RECORDS + carried.replace("FACTOR", "x")))
    assert (status, first(out)) == (0, "PASS · 2 of 2 lines right")
    status, out, _ = gradstep("verify", script(RECORDS + carried.replace("FACTOR", "w")))
    assert status == 1
    assert re.match(r"FAIL at line \d+, d(L/d)?w · 1 of 2 lines right", out)


def test_the_lines_of_a_function_bear_the_numbers_of_the_file(gradstep, script):
    text = RECORDS + "\ndef backward():\n    dy = 2 * y\n    dw = dy * w\n    return dw\n"
    _, out, _ = gradstep("verify", script(text))
    number = text.splitlines().index("    dw = dy * w") + 1
    assert first(out).startswith(f"FAIL at line {number}, dw")


def test_a_script_that_verifies_itself_shows_what_it_found(gradstep, script):
    text = RECORDS + "assert tr.verify(tr.trace(loss), 'dw = 2 * y * w').ok, 'no'\n"
    status, out, _ = gradstep("verify", script(text))
    assert status == 1
    assert first(out).startswith("FAIL at line 1, dw")
    assert "tr.verify in " in out


def test_a_kernel_that_verifies_itself_needs_no_trace(gradstep):
    status, out, err = gradstep("verify", DERIVATIONS / "own_kernel.py")
    assert status == 1, err
    assert first(out).startswith("FAIL at ")
    assert "tr.verify_function of centred in own_kernel.py, line 20" in out


KERNELS = """
import numpy as np, tracer as tr
def double(x):
    return 2 * x
for factor in (2, 3):
    tr.verify_function(double, lambda g, x: factor * g, (np.ones(2),))
tr.verify_function(np.sin, lambda g, x: g * np.cos(x), (np.ones(2),))
"""


def test_the_reports_of_one_script_are_told_apart_by_function_and_line(gradstep, script):
    status, out, _ = gradstep("verify", script(KERNELS), "--quiet")
    assert status == 1
    lines = [line.partition(" · ") for line in out.splitlines()]
    assert [head.split()[0] for head, _, _ in lines] == ["PASS", "FAIL", "PASS"]
    assert [rest.rpartition(" · ")[2] for *_, rest in lines] == [
        "double, line 6", "double, line 6", "sin, line 7"
    ]  # fmt: skip
    _, out, _ = gradstep("verify", script(KERNELS), "--json")
    found = json.loads(out)
    assert (found["format"], found["version"]) == ("gradstep-reports", 1)
    assert [each["line"] for each in found["reports"]] == [6, 6, 7]
    assert found["reports"][1]["report"]["outcome"] == "FAIL"


def test_listening_to_a_script_leaves_the_library_as_it_was(gradstep, script):
    before = tr.verify
    gradstep("verify", script(RECORDS + "tr.verify(tr.trace(loss), 'dw = 2 * y * x')\n"))
    assert tr.verify is before


def test_a_derivation_on_the_command_line_goes_before_the_scripts_own(gradstep, script):
    text = RECORDS + "derivation = 'dw = 1.0 + w'\n"
    assert gradstep("verify", script(text), "-", stdin="dw = 2 * y * x")[0] == 0


# ----- bad input


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"import os\nos.system('true')\n", "line 1"),
        (b"dL/dq = \n", "line 1"),
        (b"dL/dnothing = z\n", "line 1"),
        (b"dL/dq = zz\n", "line 1"),
        (b"\xff\xfe\x00", "it is not text in UTF-8"),
        (b"\x7fELF\x00\x01", "it is not text in UTF-8"),
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (None, "No such file"),
    ],
)
def test_a_derivation_that_cannot_be_read_is_refused_in_a_sentence(
    gradstep, tmp_path, content, said
):
    file = tmp_path / "mine.txt"
    if content is not None:
        file.write_bytes(content)
    status, out, err = gradstep("verify", "circuit", file)
    assert (status, out) == (2, "")
    assert err.startswith("gradstep: ")
    assert said in err
    assert "\n  try: " in err
    assert "Traceback" not in err


def test_a_folder_is_no_derivation(gradstep, tmp_path):
    status, out, err = gradstep("verify", "circuit", tmp_path)
    assert (status, out) == (2, "")
    assert "is a folder" in err


@pytest.mark.parametrize(
    "words",
    [
        ("check", "circuit", "--elements", "few"),
        ("check", "circuit", "--seed", "-1"),
        ("check",),
        ("verify", "circuit", "--second"),
        ("check", "crcuit"),
        ("check", "nowhere.py"),
    ],
)
def test_what_is_asked_wrongly_ends_with_2(gradstep, words):
    status, out, err = gradstep(*words)
    assert (status, out) == (2, "")
    assert "try: " in err


def test_a_fault_of_ours_ends_with_3(gradstep, monkeypatch):
    monkeypatch.setattr("tui.verdicts.asked.check_trace", lambda *_, **__: 1 / 0)
    status, _, err = gradstep("check", "circuit")
    assert status == 3
    assert "internal error" in err


@pytest.mark.parametrize("command", ["check", "verify"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = [1, 2\n", "SyntaxError"),
        ("import tracer as tr\ntr.ones(3) @ tr.ones(4)\n", "line 2"),
        ("import sys\nsys.exit(1)\n", "ended with status 1"),
        ("x = 1\n", "recorded nothing"),
    ],
)
def test_a_script_that_cannot_be_run_is_no_wrong_gradient(gradstep, script, command, text, said):
    status, out, err = gradstep(command, script(text))
    assert (status, out) == (2, "")
    assert said in err
    assert "tracer/" not in err


def test_what_a_command_does_not_take_is_answered_by_that_command(gradstep):
    status, _, err = gradstep("verify", "circuit", "one.txt", "two.txt")
    assert (status, err) == (
        2,
        "gradstep verify: it takes no two.txt\n  try: gradstep verify --help\n",
    )


# ----- options


def test_quiet_prints_the_first_line_alone(gradstep):
    _, whole, _ = gradstep("verify", "batchnorm")
    status, out, _ = gradstep("verify", "batchnorm", "--quiet")
    assert (status, out) == (0, first(whole) + "\n")


PRINTING = """
import tracer as tr
x, w = tr.tensor(3.0), tr.parameter(2.0)
print("the script says something")
loss = tr.square(x * w)
loss.backward()
derivation = "dw = 2 * x * w * x"
"""


@pytest.mark.parametrize("command", ["verify", "check"])
def test_with_quiet_what_the_script_prints_is_no_output_of_ours(gradstep, tmp_path, command):
    file = tmp_path / "mine.py"
    file.write_text(PRINTING)
    status, out, err = gradstep(command, file, "--quiet")
    assert (status, out.count("\n")) == (0, 1)
    assert out.startswith("PASS · ")
    assert "the script says something" in err


def test_a_gradient_of_nothing_recorded_does_not_pass(gradstep, tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text("dL/dq = z\ndL/dZ = 99 * q\n")
    status, out, _ = gradstep("verify", "circuit", file)
    assert (status, first(out)) == (
        1,
        "INCOMPLETE at line 2, dL/dZ · 1 of 2 lines right, 1 not judged",
    )
    assert "did you mean dL/dz?" in out
    status, out, _ = gradstep("verify", "circuit", file, "--json")
    assert (status, json.loads(out)["outcome"]) == (1, "INCOMPLETE")


def test_a_pass_of_zeros_alone_says_so(gradstep, tmp_path):
    file = tmp_path / "dead.py"
    file.write_text(
        "import tracer as tr\nx, w = tr.tensor([1.0, 2.0]), tr.parameter([-1.0, -2.0])\n"
        "tr.sum(tr.relu(x * w)).backward()\n"
    )
    status, out, _ = gradstep("check", file)
    assert (status, first(out)) == (0, "PASS · 2 of 2 inputs right")
    assert "every gradient is exactly 0" in out


def test_json_takes_the_place_of_the_page_and_into_a_file_stands_beside_it(gradstep, tmp_path):
    file = tmp_path / "report.json"
    status, out, _ = gradstep("verify", "batchnorm", DERIVATIONS / "forgotten_route.txt", "--json")
    found = json.loads(out)
    assert (status, found["outcome"]) == (1, "FAIL")
    status, out, _ = gradstep(
        "verify", "batchnorm", DERIVATIONS / "forgotten_route.txt", f"--json={file}"
    )
    assert first(out).startswith("FAIL at line 7")
    assert json.loads(file.read_text(encoding="utf-8")) == found


def test_json_never_overwrites_a_derivation(gradstep, tmp_path):
    """`--json mine.txt` reads as if mine.txt were the derivation; it would be the file that is written."""
    file = tmp_path / "mine.txt"
    file.write_text(CIRCUIT)
    status, _, err = gradstep("verify", "circuit", "--json", file)
    assert status == 2
    assert "does not end in .json" in err
    assert file.read_text() == CIRCUIT


def test_what_a_script_prints_stays_out_of_the_json(gradstep, script):
    file = script("print('hello')\n" + RECORDS)
    _, out, err = gradstep("check", file, "--json")
    assert json.loads(out)["outcome"] == "PASS"
    assert "hello" in err


def test_a_report_that_cannot_be_written_is_said(gradstep, tmp_path):
    status, _, err = gradstep("check", "circuit", f"--json={tmp_path}/nowhere/report.json")
    assert status == 2
    assert "cannot write" in err


def test_without_a_terminal_open_says_that_it_needs_one(gradstep):
    status, out, err = gradstep("check", "circuit", "--open")
    assert status == 0
    assert first(out).startswith("PASS")
    assert err == "gradstep: no terminal to open the debugger in: --open needs one\n"


# ----- progress


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def test_a_long_check_says_how_far_it_is_and_takes_the_line_away(monkeypatch):
    screen, now = Screen(), [0.0]
    monkeypatch.setattr("tui.verdicts.meter.time.monotonic", lambda: now[0])
    meter = Meter(screen)
    meter(1, 4)
    assert screen.getvalue() == ""  # a short check says nothing
    now[0] = 1.0
    meter(1, 4)
    meter(2, 4)  # too soon after the last
    assert screen.getvalue().count("\r") == 1
    assert "25 %  1 of 4 numbers certified, ctrl+c stops" in screen.getvalue()
    meter.clear()
    assert screen.getvalue().endswith("\r")
    quiet = io.StringIO()
    Meter(quiet)(1, 4)
    assert quiet.getvalue() == ""


def test_ctrl_c_stops_at_the_next_number_and_the_second_one_at_once():
    meter = Meter(io.StringIO())
    meter.stop(signal.SIGINT, None)
    with pytest.raises(StoppedError):
        meter(1, 4)
    with pytest.raises(KeyboardInterrupt):
        meter.stop(signal.SIGINT, None)


class Impatient(Meter):
    """A meter whose user presses ctrl+c after a moment."""

    left = 4

    def __call__(self, done: int, of: int) -> None:
        self.left -= 1
        if not self.left:
            self.stop(signal.SIGINT, None)
        super().__call__(done, of)


@pytest.mark.parametrize("command", ["check", "verify"])
def test_what_is_known_by_then_is_printed_after_ctrl_c(gradstep, monkeypatch, command):
    monkeypatch.setattr("tui.verdicts.meter.Meter", Impatient)
    status, out, err = gradstep(command, "batchnorm")
    assert (status, err) == (130, "")
    assert first(out).startswith("PRECISION-LIMITED")
    assert "not judged" in first(out)
    assert "stopped before all was judged" in out


LARGE = """
import numpy as np, tracer as tr
rng = np.random.default_rng(0)
x = tr.constant(rng.normal(size=(64, 60)))
w = [tr.parameter(rng.normal(size=(60, 60)) / 8, name=f"w{k}") for k in range(6)]
for each in w:
    x = tr.tanh(x @ each)
tr.mean(tr.square(x)).backward()
print("recorded", flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_a_real_process_without_a_traceback(tmp_path, checkout):
    (tmp_path / "large.py").write_text(LARGE)
    running = subprocess.Popen(
        [sys.executable, "-m", "tui.cli", "check", "large.py", "--elements", "all"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(checkout), "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "recorded\n"
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130, err
    assert "stopped: " in out
    assert "Traceback" not in err
