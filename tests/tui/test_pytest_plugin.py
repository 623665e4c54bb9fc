"""The pytest plugin: readable failures, JUnit properties, reports as JSON, and the debugger where a test fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import SimpleNamespace

import pytest

import tracer as tr
from tests.patience import PATIENCE
from tracer.checking import testing
from tui import opening, pytest_plugin

ROOT = Path(__file__).resolve().parents[2]

SUITE = """
import numpy as np
import tracer as tr

SIX = "dL/dw = 2 * x * w * x"

def test_right(assert_gradients):
    assert_gradients(lambda x: tr.tanh(x), ([0.5, 1.0],))

def test_kernel():
    tr.assert_gradients(np.sin, [[0.5]], backward=lambda g, x: -g * np.cos(x), seed=7)

def test_derivation(assert_derivation):
    assert_derivation(lambda x, w: tr.square(x * w), "dL/dw = 2 * x * w", (3.0, 2.0))

def test_asked_wrongly():
    tr.assert_gradients(lambda x: 3, 2.0)

def test_without_gradients():
    assert True
"""


class Session:
    """A run of pytest in a folder of its own, with the plugin where installing it would put it."""

    def __init__(self, folder: Path, suite: str) -> None:
        self.folder = folder
        (folder / "suite").mkdir()
        (folder / "suite" / "test_mine.py").write_text(suite)
        points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
        info = folder / "gradstep_here-0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gradstep-here\nVersion: 0\n")
        lines = [f"{name} = {module}" for name, module in points["pytest11"].items()]
        (info / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines, ""]))

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        given = {**os.environ, "PYTHONPATH": os.pathsep.join([str(self.folder), str(ROOT)])}
        given.pop("PYTEST_CURRENT_TEST", None)
        given |= {"COLUMNS": "200", "PYTHONIOENCODING": "utf-8"}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "-W", "error", *options],
            cwd=self.folder / "suite",
            env=given,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
        )

    def read(self, name: str) -> str:
        return (self.folder / "suite" / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A session in which some gradients are wrong, with all options."""
    made = Session(tmp_path_factory.mktemp("wrong"), SUITE)
    made.done = made.run("--gradstep-open", "--gradstep-json", "all.json", "--junitxml=junit.xml")
    return made


def test_a_wrong_gradient_fails_its_test_and_the_session(session):
    assert session.done.returncode == 1, session.done.stderr
    assert "3 failed, 2 passed" in session.done.stdout


def test_the_failure_shows_the_users_line_and_the_report_and_nothing_of_ours(session):
    out = session.done.stdout
    assert ">       tr.assert_gradients(np.sin" in out
    assert "FAIL: x[0] is −" in out
    assert "it is of the wrong sign" in out
    assert "test_mine.py:11: WrongGradientError" in out
    assert "testing.py" not in out


def test_a_wrong_line_of_a_derivation_is_named_in_the_first_line(session):
    assert "WrongGradientError: FAIL: line 1 (dL_dw) is 12, and 36.0000 ±" in session.done.stdout


def test_bad_use_is_told_in_a_sentence_at_the_users_line(session):
    assert "check: <lambda> returned int, not a Tensor" in session.done.stdout
    assert "test_mine.py:17: CheckError" in session.done.stdout


def test_the_end_of_the_session_counts_the_checks_and_lists_the_wrong_ones(session):
    end = session.done.stdout.partition("= gradients =")[2]
    assert "test_mine.py::test_kernel: verify sin: FAIL: x[0]" in end
    assert "test_mine.py::test_asked_wrongly: could not be checked: CheckError: " in end
    assert "1 of 4 checks passed; 1 could not be made; wrote 4 to all.json" in end


def test_the_file_holds_every_report_of_the_session(session):
    document = json.loads(session.read("all.json"), parse_constant=pytest.fail)
    assert (document["format"], document["version"]) == ("gradstep-reports", 1)
    *made, unmade = document["reports"]
    assert (unmade["test"], unmade["report"]) == ("test_mine.py::test_asked_wrongly", None)
    assert unmade["error"].startswith("CheckError: ")
    verdicts = {each["test"]: each["report"]["outcome"] for each in made}
    assert verdicts == {
        "test_mine.py::test_right": "PASS",
        "test_mine.py::test_kernel": "FAIL",
        "test_mine.py::test_derivation": "FAIL",
    }


def test_a_junit_file_says_verdict_worst_element_and_random_seed(session):
    tree = ElementTree.fromstring(session.read("junit.xml"))
    (case,) = tree.iterfind(".//testcase[@name='test_kernel']")
    found = {each.get("name"): each.get("value") for each in case.iter("property")}
    assert found["gradstep_verdict"] == "FAIL"
    assert found["gradstep_worst"].startswith("x[0] is −")
    assert found["gradstep_random_seed"] == "7"
    (plain,) = tree.iterfind(".//testcase[@name='test_without_gradients']")
    assert not list(plain.iter("property"))


def test_without_a_terminal_the_trace_is_saved_and_the_command_that_opens_it_is_told(session):
    out = session.done.stdout
    assert "test_kernel: a kernel records no trace that the debugger could open" in out
    command = next(line for line in out.splitlines() if "try: gradstep verify" in line)
    trace, lines = (Path(word) for word in command.split() if word.endswith((".trace", ".txt")))
    assert tr.verify(tr.load(trace), lines.read_text()).first_wrong.line == 1


def test_a_suite_that_uses_no_gradients_loads_nothing_of_ours(tmp_path):
    suite = """
import sys

def test_light(pytestconfig):
    assert pytestconfig.pluginmanager.get_plugin("gradstep") is not None
    loaded = {name.partition(".")[0] for name in sys.modules}
    assert loaded & {"numpy", "tracer", "ops", "gallery", "textual", "rich", "torch"} == set()
    assert {name for name in sys.modules if name.startswith("tui")} == {"tui", "tui.pytest_plugin"}
"""
    done = Session(tmp_path, suite).run()
    assert done.returncode == 0, done.stdout
    assert "gradients" not in done.stdout


def test_a_file_that_cannot_be_written_is_refused_before_the_tests(tmp_path):
    done = Session(tmp_path, SUITE).run("--gradstep-json", "nowhere/all.json")
    assert done.returncode == 4
    assert "--gradstep-json nowhere/all.json: there is no folder" in done.stderr


def test_what_workers_of_xdist_send_is_plain(monkeypatch):
    monkeypatch.setattr(testing, "made", [])
    tr.assert_gradients(tr.tanh, 0.5)
    (made,) = testing.made
    sent = pytest_plugin.told(made, whole=True)
    assert json.loads(json.dumps(sent, allow_nan=False)) == sent


def test_a_debugger_that_cannot_be_opened_ends_no_session(monkeypatch):
    """It is said in a line, and the next test runs."""
    said = []
    monkeypatch.setattr(testing, "made", [])
    monkeypatch.setattr(pytest_plugin, "look", lambda *given: 1 / 0)
    writer = SimpleNamespace(line=lambda text="": said.append(text))
    manager = SimpleNamespace(getplugin=lambda name: None)
    config = SimpleNamespace(
        getoption=lambda name: True, pluginmanager=manager, get_terminal_writer=lambda: writer
    )
    with pytest.raises(tr.WrongGradientError) as caught:
        tr.assert_derivation(lambda x: tr.square(x), "dL/dx = x", 3.0)
    node, call = SimpleNamespace(config=config), SimpleNamespace(excinfo=caught)
    pytest_plugin.pytest_exception_interact(node, call)
    assert said[-1] == "gradstep: the debugger cannot be opened: division by zero"


def test_with_a_terminal_the_debugger_opens_at_the_wrong_line(monkeypatch, request):
    opened = []
    monkeypatch.setattr(opening, "why_no_screen", lambda: "")
    monkeypatch.setattr(opening, "step_through", lambda *given: opened.append(given))
    monkeypatch.setattr(testing, "made", [])
    with pytest.raises(tr.WrongGradientError) as caught:
        tr.assert_derivation(lambda x: tr.square(x), "dL/dx = x", 3.0)
    node = SimpleNamespace(name="test_mine", config=request.config)
    pytest_plugin.look(node, caught.value)
    ((target, wishes),) = opened
    assert (target.title, target.trace) == ("test_mine", caught.value.trace)
    assert [deed.order for deed in wishes.deeds] == ["end", "wrong"]
    assert wishes.verified.report.first_wrong.line == 1
