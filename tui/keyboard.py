"""The keys of the debugger, where the input of the user's program is a file or a pipe: `gradstep run net.py < data`."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO


def is_there() -> bool:
    """Whether there is a terminal to read keys from, though the standard input is none."""
    device = None if _is_terminal(sys.__stdin__) else _terminal()
    if device is None:
        return False
    device.close()
    return True


@contextlib.contextmanager
def own_keys() -> Iterator[None]:
    """Let Textual, which reads keys from what is `sys.__stdin__` when it starts, read them from the terminal."""
    given = sys.__stdin__
    device = None if _is_terminal(given) else _terminal()
    if device is None:
        yield
        return
    with device:
        sys.__stdin__ = device  # type: ignore[misc, assignment]
        try:
            yield
        finally:
            sys.__stdin__ = given  # type: ignore[misc]


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError):  # it is closed
        return False


def _terminal() -> TextIO | None:
    """The terminal that the screen is painted on, opened for reading; None where there is none.

    By its own name: macOS cannot wait for keys at /dev/tty.
    """
    try:
        painted = sys.__stdout__.fileno() if sys.__stdout__ is not None else 1
        return open(os.ttyname(painted), encoding="utf-8")  # noqa: PTH123
    except (OSError, ValueError, AttributeError):  # no terminal; Windows has no ttyname
        return None
