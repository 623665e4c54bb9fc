"""The pytest plugin `gradstep`: what `tr.assert_gradients` and `tr.assert_derivation` find, for people and programs.

    --gradstep-open        open the debugger where a test fails, at the wrong gradient
    --gradstep-json FILE   write all reports of the session

It is there wherever Gradstep is installed, so it imports nothing of ours, and no numpy, until a test uses it.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tracer.checking.testing import Made, WrongGradientError

OPEN, JSON = "--gradstep-open", "--gradstep-json"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two options."""
    group = parser.getgroup("gradstep", "gradients (gradstep)")
    group.addoption(
        OPEN,
        action="store_true",
        help="open the debugger where a gradient is wrong; without a terminal, save what was recorded",
    )
    group.addoption(JSON, metavar="FILE", help="write the reports of all gradient checks as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Collect reports, but in a worker of pytest-xdist, whose reports travel to where the session is."""
    file = config.getoption(JSON)
    if file is not None:
        path = beside(config, file)
        if not path.parent.is_dir():
            raise pytest.UsageError(f"{JSON} {file}: there is no folder {path.parent}")
        if path.is_dir():
            raise pytest.UsageError(f"{JSON} {file}: it is a folder; name a file in it")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Reports(config), "gradstep-reports")


@pytest.fixture(name="assert_gradients", scope="session")
def _assert_gradients() -> Callable[..., Any]:
    """`tr.assert_gradients`: assert_gradients(fn, args), or assert_gradients(forward, args, backward=...)."""
    import tracer as tr

    return tr.assert_gradients


@pytest.fixture(name="assert_derivation", scope="session")
def _assert_derivation() -> Callable[..., Any]:
    """`tr.assert_derivation`: assert_derivation(trace, derivation), a loss or a function in place of the trace."""
    import tracer as tr

    return tr.assert_derivation


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put what the assertions of a test found into its report, and into the properties that JUnit files show."""
    report = yield
    testing = sys.modules.get("tracer.checking.testing")
    if testing is not None:
        found: list[Made] = list(testing.made)
        testing.made.clear()
        failed = unmade(call, testing)
        whole = item.config.getoption(JSON) is not None
        report.gradstep = [*(told(each, whole=whole) for each in found), *failed]  # type: ignore[attr-defined]
        for each in report.gradstep:
            item.user_properties += [
                (f"gradstep_{name}", str(each[name]))
                for name in ("verdict", "worst", "random_seed")
                if each[name] is not None
            ]
    return report


ERROR = "ERROR"
"""The verdict of a check that could not be made."""


def unmade(call: pytest.CallInfo[None], testing: Any) -> list[dict[str, Any]]:
    """A check that raised before there was a report, a line that cannot be read or a shape that is wrong: why."""
    info = call.excinfo
    if info is None or isinstance(info.value, testing.WrongGradientError):
        return []
    if all(str(entry.path) != testing.__file__ for entry in info.traceback):
        return []
    said = str(info.value).partition("\n")[0]
    why = f"{info.typename}: {said}" if said else info.typename
    return [
        {
            "title": "could not be checked",
            "verdict": ERROR,
            "ok": False,
            "worst": why,
            "random_seed": None,
            "record": None,
        }
    ]


def told(made: Made, *, whole: bool) -> dict[str, Any]:
    """A report as plain values, which pytest-xdist can send: its verdict, and with whole the entire record."""
    from tracer.checking.record import as_record, random_seed
    from tracer.checking.testing import headline

    report = made.report
    return {
        "title": report.title,
        "verdict": report.outcome,
        "ok": report.ok,
        "worst": headline(report).partition(": ")[2] or None,
        "random_seed": random_seed(report),
        "record": as_record(report) if whole else None,
    }


class Reports:
    """What the session found: a few lines at its end, and the file."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.found: list[tuple[str, dict[str, Any], bool]] = []
        """The test, what an assertion of it found, and whether the test failed."""
        self.wrote = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what the assertions of a test found."""
        found = getattr(report, "gradstep", ())
        self.found += [(report.nodeid, each, report.failed) for each in found]

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        file = self.config.getoption(JSON)
        if file is None:
            return
        reports = [
            {"test": test, "report": each["record"]}
            if each["verdict"] != ERROR
            else {"test": test, "report": None, "error": each["worst"]}
            for test, each, _ in self.found
        ]
        from tracer.files import write_whole
        from tui.verdicts.collected import collected

        text = json.dumps(collected(reports), allow_nan=False, ensure_ascii=False, indent=1)
        try:
            write_whole(beside(self.config, file), f"{text}\n".encode())
        except OSError as error:
            raise pytest.UsageError(
                f"{JSON}: cannot write {file}: {error.strerror or error}"
            ) from None
        self.wrote = f"wrote {len(reports)} to {file}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how many checks were made, and what is wrong."""
        if not self.found:
            return
        terminalreporter.section("gradients")
        wrong = [(test, each, failed) for test, each, failed in self.found if not each["ok"]]
        alarming = [(test, each) for test, each, failed in wrong if failed]
        for test, each in alarming:
            known = [each["verdict"]] if each["verdict"] != ERROR else []
            terminalreporter.line(": ".join((test, each["title"], *known, str(each["worst"]))))
        right, expected = len(self.found) - len(wrong), len(wrong) - len(alarming)
        said = [f"{right} of {len(self.found)} checks passed"]
        unmade = sum(each["verdict"] == ERROR for _, each in alarming)
        said += [f"{unmade} could not be made" if unmade else ""]
        said += [f"{expected} failed, as the tests expect" if expected else "", self.wrote]
        if alarming and not self.config.getoption(OPEN):
            said.append(f"{OPEN} opens the debugger where one fails")
        terminalreporter.line("; ".join(filter(None, said)))


def pytest_exception_interact(node: pytest.Item, call: pytest.CallInfo[Any]) -> None:
    """Open the debugger on a wrong gradient, if that is wanted."""
    testing = sys.modules.get("tracer.checking.testing")
    error = call.excinfo.value if call.excinfo is not None else None
    if testing is None or not isinstance(error, testing.WrongGradientError):
        return
    if not node.config.getoption(OPEN):
        return
    capture = node.config.pluginmanager.getplugin("capturemanager")
    if capture is not None:
        capture.suspend(in_=True)
    try:
        node.config.get_terminal_writer().line()
        look(node, error)
    except (
        Exception
    ) as trouble:  # a session of tests does not end because a screen cannot be opened
        node.config.get_terminal_writer().line(
            f"gradstep: the debugger cannot be opened: {trouble}"
        )
    finally:
        if capture is not None:
            capture.resume()


def look(node: pytest.Item, error: WrongGradientError) -> None:
    """Open the debugger at the wrong gradient; without a terminal, save the trace and say how to open it."""
    from tui.opening import Wishes, step_through, why_no_screen
    from tui.sessions import Deed
    from tui.targets import Target
    from tui.views.verify import Verified

    say = node.config.get_terminal_writer().line
    if error.trace is None:
        say(f"gradstep: {node.name}: a kernel records no trace that the debugger could open")
        return
    from tracer.checking.ladder.checker import check_trace

    if not error.derivation and check_trace(error.trace).ok:
        say(f"gradstep: {node.name}: what was recorded is right by itself, and shows nothing")
        say(
            "  try: look for a detach, .value, .item or np.asarray, and for what it keeps between calls"
        )
        return
    why = why_no_screen()
    if why:
        say(f"gradstep: {why}; {node.name} is saved")
        say(f"  try: {saved(node, error)}")
        return
    source = "its derivation" if error.derivation else "all gradients"
    verified = Verified(error.trace, error.report, source, written=error.derivation)
    target = Target(node.name, error.trace)
    step_through(target, Wishes((Deed("end"), Deed("wrong")), verified=verified))


def saved(node: pytest.Item, error: WrongGradientError) -> str:
    """Save what a failing test recorded; the command that opens it."""
    assert error.trace is not None
    cache = getattr(node.config, "cache", None)
    folder = Path(tempfile.mkdtemp()) if cache is None else cache.mkdir("gradstep")
    name = re.sub(r"[^\w.-]+", "_", node.name).strip("_")
    trace = folder / f"{name}.trace"
    error.trace.save(trace)
    words = ["gradstep", "check", str(trace)]
    if error.derivation:
        lines = folder / f"{name}.txt"
        lines.write_text(error.derivation, encoding="utf-8")
        words = ["gradstep", "verify", str(trace), str(lines)]
    return shlex.join([*words, "--open"])


def beside(config: pytest.Config, file: str) -> Path:
    """A path as the user gave it, from the folder where pytest was called."""
    return Path(config.invocation_params.dir, file)
