"""`tr.debug()` and `breakpoint()` in a script; without a terminal they print the trace."""

SCRIPT = """
import tracer as tr

def train():
    w = tr.parameter(3.0)
    loss = (w * 2.0 - 1.0) ** 2
    {stop}

train()
print("the script goes on")
"""


def _run(python, tmp_path, stop, **environment):
    script = tmp_path / "train.py"
    script.write_text(SCRIPT.format(stop=stop))
    return python(str(script), **environment)


def test_debug_in_a_script_shows_the_latest_loss_among_the_local_variables(python, tmp_path):
    done = _run(python, tmp_path, "tr.debug()")
    assert done.returncode == 0, done.stderr
    assert "loss = 25" in done.stdout
    assert "the script goes on" in done.stdout


def test_breakpoint_stops_in_the_debugger_when_the_environment_says_so(
    python, tmp_path, monkeypatch
):
    monkeypatch.setenv("PYTHONBREAKPOINT", "tracer.debug")
    done = _run(python, tmp_path, "breakpoint()")
    assert done.returncode == 0, done.stderr
    assert "loss = 25" in done.stdout


def test_debug_with_nothing_recorded_says_what_to_pass(python, tmp_path):
    script = tmp_path / "empty.py"
    script.write_text("import tracer as tr\ntr.debug()\n")
    done = python(str(script))
    assert done.returncode == 1
    assert "there is no recorded rank-0 value" in done.stderr
    assert "try: tr.debug(loss)" in done.stderr
