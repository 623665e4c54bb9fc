"""Running the user's program again while the debugger is on the screen.

The program has its own arguments, folder and standard input, as the first time: an input from a file is read from its
start again; a terminal is ours, so that a program that asks it gets end-of-file. What it prints is kept beside, whether
Python prints it, C code, or a child process: the screen is painted through a descriptor of its own (`own_screen`), and
both outputs of the process lead to a file for the time of the run. The program runs on a thread, so `signal.signal` is
not for it, and a child process that reads the terminal would take the keys.
"""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import io
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from tracer.errors import GradstepError
from tui.scripts import UsageError, in_a_line, traceback_of
from tui.targets import ScriptError, Target

MOST = 1 << 20
"""Bytes of output that are kept, the last ones."""
PAUSE = 0.05
"""Seconds between two looks at whether the user wants it to stop."""


@dataclass(frozen=True)
class Rerun:
    """What came of it: the target, or else in one line why there is none; and what the program printed."""

    target: Target | None
    error: str = ""
    output: tuple[str, ...] = ()


def run_again(again: Callable[[], Target], interrupted: Callable[[], bool] = bool) -> Rerun:
    """Make a target anew; whatever the program does, this returns.

    interrupted: asked now and then; once it says yes, the program gets a `KeyboardInterrupt`.
    """
    with tempfile.TemporaryFile() as file:
        target, error = None, ""
        with captured(file):
            try:
                with stopped_when(interrupted):
                    target = contextvars.Context().run(again)
            except KeyboardInterrupt:
                error = "stopped"
            except ScriptError as failure:
                error = str(failure) if failure.error is None else _told(failure.error)
            except (UsageError, GradstepError) as failure:
                error = str(failure).partition("\n")[0]
        return Rerun(target, error, printed(file))


def _told(error: BaseException) -> str:
    """Print the traceback where the program prints, and say it in a line."""
    if isinstance(error, KeyboardInterrupt):
        return "stopped"
    print(traceback_of(error), end="", file=sys.stderr)
    return in_a_line(error)


# ----- what it prints and reads


@contextlib.contextmanager
def captured(file: BinaryIO) -> Iterator[None]:
    """Let what is printed go to a file, in the order in which it is printed."""
    with contextlib.ExitStack() as stack:
        out = io.TextIOWrapper(
            io.FileIO(os.dup(file.fileno()), "w"), "utf-8", "backslashreplace", write_through=True
        )
        stack.enter_context(out)
        stack.enter_context(_descriptor(1, file.fileno()))
        if _painted_through() != 2:
            stack.enter_context(_descriptor(2, file.fileno()))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(out))
        stack.enter_context(_redirected_stdin(_input_again()))
        yield


@contextlib.contextmanager
def own_screen() -> Iterator[None]:
    """Let Textual, which paints on what is `sys.__stderr__` when it starts, do so through another descriptor than 2."""
    given = sys.__stderr__
    try:
        screen = open(os.dup(2), "w", encoding="utf-8", errors="replace")  # noqa: PTH123, SIM115
    except OSError:  # it is closed
        yield
        return
    with screen:
        sys.__stderr__ = screen  # type: ignore[misc]
        try:
            yield
        finally:
            sys.__stderr__ = given  # type: ignore[misc]


def _painted_through() -> int:
    """The descriptor that the screen is painted through."""
    try:
        return sys.__stderr__.fileno() if sys.__stderr__ is not None else 2
    except (OSError, ValueError):
        return 2


@contextlib.contextmanager
def _descriptor(number: int, to: int) -> Iterator[None]:
    """Let a descriptor lead elsewhere, for what does not print through Python."""
    try:
        kept = os.dup(number)
    except OSError:  # it is closed
        yield
        return
    try:
        os.dup2(to, number)
        yield
    finally:
        os.dup2(kept, number)
        os.close(kept)


def _input_again() -> TextIO:
    """The standard input from its start, where it is a file; nothing otherwise."""
    given = (
        sys.stdin
    )  # `sys.__stdin__` may be the terminal, where the keys come from (`tui.keyboard`)
    try:
        if given is not None and given.seekable():
            given.seek(0)
            return given
    except (OSError, ValueError):
        pass
    return io.StringIO()


class _redirected_stdin(contextlib.redirect_stdout[TextIO]):  # noqa: N801 (as its base)
    """The same for the input: the base class of Python's two is not public."""

    _stream = "stdin"


def printed(file: BinaryIO) -> tuple[str, ...]:
    """The lines of a file, the last if there are very many; without colours, and of a progress bar its last state."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MOST))
    text = file.read().decode("utf-8", "replace")
    lines = [clean(line) for line in text.split("\n")]
    if size > MOST:
        lines[0] = f"… {size - MOST:,} bytes before"
    return tuple(lines[:-1] if lines[-1] == "" else lines)


_ESCAPE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])")


def clean(line: str) -> str:
    r"""A printed line as a terminal would leave it, without its colours.

    >>> clean("10%\r50%\r\x1b[32m100%\x1b[0m\r")
    '100%'
    """
    return _ESCAPE.sub("", line).rstrip("\r").rpartition("\r")[2].expandtabs()


# ----- stopping it


@contextlib.contextmanager
def stopped_when(interrupted: Callable[[], bool]) -> Iterator[None]:
    """Raise `KeyboardInterrupt` in this thread, between two lines of Python, once somebody wants it to stop."""
    thread = threading.get_ident()
    over, raised, lock = threading.Event(), threading.Event(), threading.Lock()

    def watch() -> None:
        while not over.wait(PAUSE):
            if interrupted():
                with lock:
                    if not over.is_set():
                        raised.set()
                        _interrupt(thread)
                return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        with lock:
            over.set()
        if raised.is_set():
            _receive(thread)


def _interrupt(thread: int) -> None:
    kind = ctypes.py_object(KeyboardInterrupt)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), kind)


def _receive(thread: int) -> None:
    """Leave no interrupt behind that has not arrived yet: another takes its place, and is received here.

    (To take it back would leave the interpreter looking for it; a profile function then never returns in Python 3.11.)
    """
    with contextlib.suppress(KeyboardInterrupt):
        _interrupt(thread)
        while True:
            time.sleep(PAUSE)
