"""Running somebody's script as Python would, and keeping what it recorded."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import select
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

import ops
import tracer
import tui
from tracer.recording import OWN_FILES, Episode, episodes

if TYPE_CHECKING:
    from tracer.checking import Report
    from tracer.traces import Trace

_HERE = tuple(Path(str(room.__file__)).parent for room in (tui, tracer, ops))


class UsageError(Exception):
    """What was asked for cannot be done: one sentence in the user's words, and one thing to try."""


@dataclass(frozen=True)
class Program:
    """A script or module, ready to run: its code, and the module that it becomes."""

    name: str
    """As the user wrote it."""
    file: str
    code: CodeType
    folder: str
    """What Python puts first on the path: the folder of the script, or the working directory for a module."""
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """What a script left: its backward passes, its globals, how it ended."""

    program: Program
    episodes: tuple[Episode, ...]
    """The backward passes that were kept; the others only counted."""
    count: int
    names: Mapping[str, Any]
    error: BaseException | None = None
    status: int = 0
    """What it handed to `sys.exit`; 1 if it raised."""
    reports: tuple[Made, ...] = ()
    """The reports that it asked for by `tr.verify` and its like."""


class Made(NamedTuple):
    """A report that a script asked for: what it called, of which trace, against which lines."""

    report: Report
    asked: str
    """The call, as `tr.verify`."""
    trace: Trace | None
    written: str
    line: int
    """The line of the script that called it; of what the script imports, 0."""
    function: str = ""
    """The name of the function that was verified; empty for a trace."""


def script(path: str) -> Program:
    """The program in a file. Raises `UsageError` if it cannot be read, `SyntaxError` if it is not Python."""
    file = Path(path).absolute()
    if file.is_dir():
        raise UsageError(
            f"{path} is a folder\n  try: a script inside it, {Path(path) / 'train.py'}"
        )
    try:
        text = file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    if b"\0" in text:
        raise UsageError(
            f"{path} is no Python: it holds null bytes\n  try: a script, or FILE.trace"
        )
    code = compile(text, str(file), "exec", dont_inherit=True)
    attributes = {"__file__": str(file), "__cached__": None, "__package__": None}
    return Program(path, str(file), code, str(file.resolve().parent), attributes)


def module(name: str) -> Program:
    """The program that `python -m name` runs. Raises `UsageError` if there is none."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        spec = find_main(name)
        loader: Any = spec.loader if spec is not None else None
        code = loader.get_code(spec.name) if spec is not None else None
    except (ImportError, ValueError, AttributeError):
        spec = code = None
    finally:
        sys.path.remove(here)
    if spec is None or code is None:
        raise UsageError(
            f"no module {name!r} to run from {here}\n  try: gradstep run SCRIPT.py, or another folder"
        )
    attributes = {
        "__file__": spec.origin,
        "__cached__": spec.cached,
        "__package__": spec.parent,
        "__spec__": spec,
        "__loader__": spec.loader,
    }
    return Program(f"-m {name}", spec.origin or name, code, here, attributes)


def find_main(name: str) -> ModuleSpec | None:
    """The module of that name; of a package its `__main__`."""
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        return importlib.util.find_spec(f"{name}.__main__")
    return spec


class Kept(list[Episode]):
    """A list that keeps one backward pass, the last or the one of a number, so that a training loop does not grow."""

    def __init__(self, wanted: int | None) -> None:
        super().__init__()
        self.wanted = wanted
        self.passes = 0

    def append(self, episode: Episode) -> None:
        """Count a backward pass; keep it if it is wanted."""
        self.passes += 1
        if self.wanted is None:
            self[:] = [episode]
        elif self.passes == self.wanted:
            super().append(episode)


def run(program: Program, argv: Sequence[str] = (), *, episode: int | None = None) -> Run:
    """Run a program as `__main__`, with its own arguments and path; never raises what the program raises.

    episode: which backward pass to keep, from 1; the last if None.
    """
    kept = Kept(episode)
    made: list[Made] = []
    main = ModuleType("__main__")
    main.__dict__.update(program.attributes)
    error: BaseException | None = None
    status = 0
    with as_main(main, program, argv), episodes(kept), reports(made, program.file):
        try:
            exec(program.code, main.__dict__)
        except SystemExit as asked:
            status = exit_status(asked.code)
        except (
            BaseException
        ) as raised:  # KeyboardInterrupt too: what was recorded until then is there to be seen
            if isinstance(raised, BrokenPipeError) and _nobody_reads():
                raise  # as for what we print ourselves: `gradstep show net.py | head`
            error, status = raised, 130 if isinstance(raised, KeyboardInterrupt) else 1
    return Run(program, tuple(kept), kept.passes, main.__dict__, error, status, tuple(made))


def _nobody_reads() -> bool:
    """Whether the standard output is a pipe whose other end was closed."""
    try:
        asked = select.poll()
        asked.register(sys.stdout, 0)
        return bool(asked.poll(0))
    except (OSError, ValueError, AttributeError):  # it is no file; Windows has no poll
        return False


REPORTING = ("verify", "verify_function")
"""Functions of `tracer` whose reports are kept."""


@contextlib.contextmanager
def reports(heard: list[Made], file: str) -> Iterator[None]:
    """Listen to the reports that the script in a file asks for while inside; what makes them is loaded when it asks."""
    before = {name: vars(tracer).get(name) for name in REPORTING}
    for name in REPORTING:
        setattr(tracer, name, _listening(name, before[name], heard, file))
    try:
        yield
    finally:
        for name, function in before.items():
            if function is None:
                delattr(tracer, name)
            else:
                setattr(tracer, name, function)


def _listening(
    name: str, known: Callable[..., Any] | None, heard: list[Made], file: str
) -> Callable[..., Any]:
    """A function of `tracer` that keeps the reports it returns."""

    def asked(*args: Any, **params: Any) -> Any:
        verifies = known
        if verifies is None:  # its room is loaded now
            delattr(tracer, name)
            verifies = getattr(tracer, name)
            setattr(tracer, name, asked)
        report = verifies(*args, **params)
        trace = next((a for a in args if type(a).__name__ == "Trace"), params.get("trace"))
        written = next((a for a in (*args, *params.values()) if isinstance(a, str)), "")
        first = next(iter((*args, *params.values())), None)
        function = getattr(first, "__name__", "") if trace is None else ""
        line = _line_of(sys._getframe(1), file)
        heard.append(Made(report, f"tr.{name}", trace, written, line, function))
        return report

    asked.__name__ = asked.__qualname__ = name
    return asked


def _line_of(frame: FrameType | None, file: str) -> int:
    """The line of a file from which a call came, through whatever it called; 0 if it did not come from there."""
    while frame is not None and frame.f_code.co_filename != file:
        frame = frame.f_back
    return 0 if frame is None else frame.f_lineno


def imported(program: Program) -> dict[str, Any]:
    """The names that a script defines when it is imported, not run: its `__name__` is that of the file."""
    name = Path(program.file).stem
    made = ModuleType(name)
    made.__dict__.update(program.attributes)
    sys.modules.setdefault(name, made)
    exec(program.code, made.__dict__)
    return made.__dict__


@contextlib.contextmanager
def own_path(program: Program) -> Iterator[None]:
    """Put the program's folder first on the path, in place of the command's own."""
    path = sys.path[:]
    sys.path[:1] = [program.folder]
    try:
        yield
    finally:
        sys.path[:] = path


@contextlib.contextmanager
def as_main(main: ModuleType, program: Program, argv: Sequence[str]) -> Iterator[None]:
    """Let a module be `__main__`, with its own arguments and path, and put things back afterwards."""
    before, arguments = sys.modules["__main__"], sys.argv
    sys.modules["__main__"] = main
    sys.argv = [program.file if program.name.startswith("-m ") else program.name, *argv]
    try:
        with own_path(program):
            yield
    finally:
        sys.modules["__main__"], sys.argv = before, arguments


def exit_status(code: Any) -> int:
    """The status of a process that calls `sys.exit(code)`; a message goes to stderr, as Python does it."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def print_traceback(error: BaseException) -> None:
    """Print the traceback of a script to stderr."""
    print(traceback_of(error), end="", file=sys.stderr)


def traceback_of(error: BaseException) -> str:
    """The traceback of a script as Python prints it, without our frames; with them under GRADSTEP_DEBUG=1."""
    report = traceback.TracebackException.from_exception(error)
    pending = [] if os.environ.get("GRADSTEP_DEBUG") else [report]
    while pending:
        part = pending.pop()
        part.stack[:] = [frame for frame in part.stack if not _is_ours(frame.filename)]
        linked = (part.__cause__, part.__context__, *(part.exceptions or ()))
        pending += [other for other in linked if other is not None]
    return "".join(report.format())


def in_a_line(error: BaseException) -> str:
    """An error as one line: where in the user's files, its type, and what it says.

    >>> in_a_line(SyntaxError("invalid syntax", ("train.py", 3, 1, "x =", 3, 1)))
    'train.py:3: SyntaxError: invalid syntax'
    """
    report = traceback.TracebackException.from_exception(error)
    theirs = [frame for frame in report.stack if not _is_ours(frame.filename)]
    file, line = (theirs[-1].filename, theirs[-1].lineno) if theirs else ("", None)
    if isinstance(error, SyntaxError):
        file, line = error.filename or "", error.lineno
    said = (error.msg if isinstance(error, SyntaxError) else str(error)).partition("\n")[0]
    where = f"{Path(file).name}:{line}: " if file else ""
    return f"{where}{type(error).__name__}{f': {said}' if said else ''}"


def _is_ours(file: str) -> bool:
    return file in OWN_FILES or any(Path(file).is_relative_to(room) for room in _HERE)


def frames(start: TracebackType | None) -> Iterator[Mapping[str, Any]]:
    """The local names of each frame of a traceback, outermost first."""
    while start is not None:
        yield start.tb_frame.f_locals
        start = start.tb_next
