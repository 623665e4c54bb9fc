"""`gradstep run`: the script keeps its arguments, output, path and name; what it recorded is opened or shown."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

TWENTY_LINES = """\
import numpy as np
import tracer as tr

rng = np.random.default_rng(0)
x = tr.constant(rng.normal(size=(8, 3)))
t = tr.constant(rng.normal(size=8))
W = tr.parameter(rng.normal(size=(3, 4)), name="W")
v = tr.parameter(rng.normal(size=4), name="v")


def forward():
    h = tr.tanh(x @ W)
    y = h @ v
    return tr.mse_loss(y, t)


for epoch in range(3):
    loss = forward()
    loss.backward()
    print(epoch, round(loss.item(), 4))
"""


SQUARE = "import tracer as tr\nw = tr.parameter(3.0)\n"


def test_a_script_of_twenty_lines_runs_and_its_last_backward_pass_is_shown(gradstep, script):
    file = script(TWENTY_LINES)
    status, out, err = gradstep("run", file)
    assert status == 0
    assert out.startswith("0 ")
    assert f"{file} · loss mse_loss@7 = " in out
    assert "matmul" in out
    assert "h = tr.tanh(x @ W)" in out
    assert "backward pass 3 of 3" in err
    assert "no terminal" in err


def test_options_of_ours_behind_the_script_go_to_it_and_that_is_said(gradstep, script):
    file = script("import sys\nprint(sys.argv[1:])\n" + SQUARE + "(w * w).backward()\n")
    _, out, err = gradstep("run", file, "--device", "x", "--batch", "-ex", "where")
    assert "['--device', 'x', '--batch', '-ex', 'where']" in out
    assert "gradstep: --batch, -ex came after the script and went to it; before it they are" in err
    assert "came after" not in gradstep("run", file, "--device", "x", "--lr", "3")[2]


def test_the_script_is_main_with_its_own_arguments_and_path(gradstep, script):
    script("value = 41\n", "helper_beside_the_script.py")
    file = script(
        "import sys, __main__\n"
        "from helper_beside_the_script import value\n"
        "print(__name__, sys.argv[1:], value, __main__.value == 41, __file__ == sys.argv[0])\n"
        + SQUARE + "(w * w).backward()\n"
    )  # fmt: skip
    before = (sys.argv, sys.path[:], sys.modules["__main__"])
    status, out, _ = gradstep("run", file, "--lr", "3", "--help")
    assert status == 0
    assert out.startswith("__main__ ['--lr', '3', '--help'] 41 True True\n")
    assert before == (sys.argv, sys.path, sys.modules["__main__"])


def test_a_module_runs_as_python_m_does(gradstep, script, tmp_path, monkeypatch):
    (tmp_path / "pkg_of_a_user").mkdir()
    script("", "pkg_of_a_user/__init__.py")
    script("start = 3.0\n", "pkg_of_a_user/settings.py")
    script(
        "import sys\nimport tracer as tr\nfrom .settings import start\n"
        "print(__name__, __package__, sys.argv[1:])\n"
        "w = tr.parameter(start)\n(w * w).backward()\n",
        "pkg_of_a_user/train.py",
    )
    script("from . import train\n", "pkg_of_a_user/__main__.py")
    monkeypatch.chdir(tmp_path)
    status, out, _ = gradstep("run", "-m", "pkg_of_a_user.train", "--lr", "3")
    assert status == 0
    assert out.startswith("__main__ pkg_of_a_user ['--lr', '3']\n")
    assert "-m pkg_of_a_user.train · loss mul@1 = 9" in out
    assert gradstep("run", "-m", "pkg_of_a_user")[0] == 0


def test_a_module_that_is_not_there_is_named(gradstep):
    for name in ("no_such_module_here", "no.such.module"):
        status, _, err = gradstep("run", "-m", name)
        assert status == 2
        assert f"no module {name!r}" in err


def test_an_episode_is_chosen_by_number(gradstep, script):
    file = script(SQUARE + "for k in (1.0, 2.0, 3.0):\n    loss = w * k\n    loss.backward()\n")
    status, out, err = gradstep("run", "--episode", "2", file)
    assert status == 0
    assert "loss = 6" in out
    assert "backward pass 2 of 3" in err


def test_an_episode_that_does_not_exist_is_refused(gradstep, script):
    status, _, err = gradstep("run", "--episode", "5", script(SQUARE + "(w * w).backward()\n"))
    assert status == 2
    assert "made 1 backward pass, so there is no episode 5" in err


def test_a_backward_pass_with_a_seed_is_shown_with_it(gradstep, script):
    file = script(SQUARE + "y = tr.stack([w, w * 2.0])\ny.backward([1.0, 10.0])\n")
    status, out, _ = gradstep("run", file)
    assert status == 0
    assert "● 1 10" in out


def test_a_script_without_a_backward_pass_shows_its_latest_scalar_and_says_so(gradstep, script):
    file = script(SQUARE + "early = w * 2.0\nlate = w * w\nvector = tr.stack([w, w])\n")
    status, out, err = gradstep("run", file)
    assert status == 0
    assert "no backward pass was made, so the latest scalar variable, late, is taken" in err
    assert "loss late = 9" in out


def test_a_script_without_a_backward_pass_may_leave_a_trace(gradstep, script):
    status, out, _ = gradstep("run", script(SQUARE + "kept = tr.trace(w * w)\n"))
    assert status == 0
    assert "= 9" in out


@pytest.mark.parametrize(
    "text", ["print(1 + 1)\n", "", SQUARE, "import tracer as tr\nx = tr.constant(3.0) * 2.0\n"]
)
def test_a_script_that_records_nothing_is_told_so(gradstep, script, text):
    status, _, err = gradstep("run", script(text))
    assert status == 2
    assert "recorded nothing to step through" in err
    assert "loss.backward()" in err


def test_a_script_that_ends_in_an_array_is_told_to_sum_it(gradstep, script):
    status, _, err = gradstep("run", script(SQUARE + "y = tr.stack([w, w])\n"))
    assert status == 2
    assert "its latest value, y, has shape (2,)" in err
    assert "y.sum().backward()" in err


def test_a_training_loop_does_not_keep_its_graphs(gradstep, script):
    """Of many backward passes only the one to be shown is kept alive."""
    file = script(
        "import gc, weakref\n" + SQUARE + "class Big(list): pass\nalive = []\n"
        "for k in range(50):\n"
        "    big = Big(); alive.append(weakref.ref(big))\n"
        "    loss = w * float(k)\n"
        "    loss.register_hook(lambda g, big=big: None)\n"
        "    loss.backward()\n"
        "del loss, big; gc.collect()\n"
        "print('alive', sum(one() is not None for one in alive))\n"
    )
    status, out, err = gradstep("run", file)
    assert status == 0, err
    assert "alive 1\n" in out


# ----- scripts that fail


FAILING = (
    SQUARE + "def deeper(h):\n    raise ValueError('lost')\nh = w * w\nz = h * 2.0\ndeeper(z)\n"
)


def test_a_script_that_raises_shows_its_own_traceback_and_leaves_with_1(gradstep, script):
    file = script(FAILING)
    status, out, err = gradstep("run", file)
    assert (status, out) == (1, "")
    lines = err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "ValueError: lost"
    assert [line for line in lines if line.startswith("  File")] == [
        f'  File "{file}", line 7, in <module>',
        f'  File "{file}", line 4, in deeper',
    ]


def test_the_traceback_is_the_one_that_python_prints(gradstep, script):
    file = script(
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError('x') from error\n"
    )
    plain = subprocess.run([sys.executable, file], capture_output=True, text=True)
    assert gradstep("run", file)[2] == plain.stderr


def test_an_error_of_ours_points_at_the_line_of_the_script(gradstep, script):
    file = script("import tracer as tr\na = tr.tensor([[1.0, 2.0]])\nb = a @ a\n")
    status, _, err = gradstep("run", file)
    assert status == 1
    assert f'File "{file}", line 3' in err
    assert "matmul" in err
    assert "/tracer/" not in err


def test_on_error_shows_what_had_been_recorded(gradstep, script):
    status, out, err = gradstep("run", "--on-error", script(FAILING))
    assert status == 1
    assert "ValueError: lost" in err
    assert "the latest value before the error" in err
    assert "loss z = 18" in out


def test_on_error_inside_a_function_finds_its_local_values_also_arrays(gradstep, script):
    file = script(
        "import tracer as tr\n"
        "def forward(x):\n    hidden = tr.tanh(x)\n    return hidden @ hidden.T @ hidden @ [1.0, 2.0, 3.0]\n"
        "forward(tr.tensor([[1.0, 2.0]]))\n"
    )
    status, out, err = gradstep("run", "--on-error", file)
    assert status == 1
    assert "hidden" in out
    assert "its gradients are those of its sum" in err


def test_on_error_after_a_backward_pass_shows_that_pass(gradstep, script):
    file = script(SQUARE + "loss = w * w\nloss.backward()\ndel loss\n1 / 0\n")
    status, out, _ = gradstep("run", "--on-error", file)
    assert status == 1
    assert "= 9" in out


def test_on_error_before_anything_was_recorded_says_so(gradstep, script):
    status, _, err = gradstep("run", "--on-error", script("1 / 0\n"))
    assert status == 1
    assert "ZeroDivisionError" in err
    assert "failed before it recorded anything" in err


@pytest.mark.parametrize(("code", "status"), [("0", 0), ("", 0), ("3", 3), ("'went wrong'", 1)])
def test_sys_exit_is_honoured(gradstep, script, code, status):
    file = script("import sys\n" + SQUARE + f"(w * w).backward()\nsys.exit({code})\n")
    found, out, err = gradstep("run", file)
    assert found == status
    assert ("= 9" in out) is (status == 0)
    assert ("went wrong" in err) is ("went" in code)


def test_a_keyboard_interrupt_leaves_with_130(gradstep, script):
    status, _, err = gradstep("run", script("raise KeyboardInterrupt\n"))
    assert status == 130
    assert "KeyboardInterrupt" in err


def test_a_missing_script_or_a_folder_is_refused(gradstep, tmp_path):
    for path in (tmp_path / "absent.py", tmp_path):
        status, _, err = gradstep("run", path)
        assert status == 2
        assert "try:" in err


# ----- as a process


def test_the_script_keeps_its_standard_input(python, script):
    file = script("import sys\n" + SQUARE + "print(sys.stdin.read() + '!')\n(w * w).backward()\n")
    done = python("-m", "tui.cli", "run", str(file))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("!\n")


def test_show_loads_neither_textual_nor_numba_nor_graphviz(python):
    done = python(
        "-c",
        "import sys\nfrom tui.cli import main\nstatus = main(['show', 'circuit'])\n"
        "print(status, *{name.split('.')[0] for name in sys.modules}, file=sys.stderr)",
    )
    assert done.returncode == 0
    words = done.stderr.split()
    assert words[0] == "0"
    assert not {"textual", "rich", "numba", "graphviz", "scipy"} & set(words)


def test_help_does_not_even_load_numpy(python):
    done = python(
        "-c",
        "import sys\nfrom tui.cli import main\nmain(['--help'])\nprint('numpy' in sys.modules)",
    )
    assert done.stdout.splitlines()[-1] == "False"


def test_a_command_loads_what_it_needs_and_no_other(python):
    """Asked for its version, Gradstep opens neither the gallery nor the debugger."""
    done = python(
        "-c",
        "import sys\nfrom tui.cli import main\nmain(['--version'])\nprint(*sys.modules)",
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "tracer.versions" in loaded
    assert not {"gallery", "tui.commands", "tui.opening", "tui.targets", "textual"} & loaded


def test_a_closed_pipe_is_no_error(checkout):
    words = [sys.executable, "-m", "tui.cli", "show", "batchnorm:digits", "--json"]
    with subprocess.Popen(
        words, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as shown:
        shown.stdout.read(10)
        shown.stdout.close()
        complaints = shown.stderr.read()
    assert complaints == b""
    assert shown.returncode == 0


def test_a_foreign_ops_on_the_path_is_named_and_not_a_fault_of_ours(python, tmp_path):
    foreign = tmp_path / "elsewhere" / "ops" / "__init__.py"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("")
    done = python("-m", "tui.cli", "show", "circuit", first=(foreign.parents[1],))
    assert done.returncode == 2
    assert str(foreign) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_of_null_bytes_is_no_script(gradstep, tmp_path):
    (tmp_path / "net.py").write_bytes(b"\x7fELF\0\0\0")
    status, out, err = gradstep("show", tmp_path / "net.py")
    assert (status, out) == (2, "")
    assert "is no Python: it holds null bytes\n  try: a script" in err


def test_a_script_whose_output_nobody_reads_ends_without_a_word(script, checkout):
    file = script(
        "import os\nfor k in range(9999):\n    print(k, flush=True)\n"
        + SQUARE
        + "(w * w).backward()\n"
    )
    shell = subprocess.Popen(
        [sys.executable, "-m", "tui.cli", "show", str(file)],
        env={**os.environ, "PYTHONPATH": str(checkout)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert shell.stdout.readline() == "0\n"
    shell.stdout.close()
    assert shell.stderr.read() == ""
    assert shell.wait() == 0
    shell.stderr.close()
