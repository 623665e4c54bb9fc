"""A check as it goes on: how far it is, on a line that is gone afterwards, and ctrl+c, which ends it in good order."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import TextIO

from tracer.checking.progress import StoppedError

PATIENCE = 0.5
"""Seconds until the line is shown."""
PAUSE = 0.1
"""Seconds from one look of it to the next."""
BAR = 24


class Meter:
    """What a check is told to tell: draws the line where somebody sees it, and ends the check when asked."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream if stream.isatty() else None
        self._due = time.monotonic() + PATIENCE
        self._wide = 0
        self.stopped = False

    def __call__(self, done: int, of: int) -> None:
        """So many numbers are certified, of so many. Raises `StoppedError` after ctrl+c."""
        if self.stopped:
            raise StoppedError
        now = time.monotonic()
        if self._stream is None or now < self._due:
            return
        self._due = now + PAUSE
        text = line(done, of)
        self._stream.write(f"\r{text:<{self._wide}}")
        self._stream.flush()
        self._wide = len(text)

    def clear(self) -> None:
        """Take the line away."""
        if self._stream is not None and self._wide:
            self._stream.write("\r" + " " * self._wide + "\r")
            self._stream.flush()
            self._wide = 0

    def stop(self, signal: int, frame: FrameType | None) -> None:
        """Ctrl+c: end the check at the next number; a second one ends the command."""
        if self.stopped:
            raise KeyboardInterrupt
        self.stopped = True


def line(done: int, of: int) -> str:
    """How far it is.

    >>> line(1, 4)
    '  ━━━━━━──────────────────  25 %  1 of 4 numbers certified, ctrl+c stops'
    """
    full = round(BAR * done / of) if of else BAR
    share = round(100 * done / of) if of else 100
    bar = "━" * full + "─" * (BAR - full)
    return f"  {bar}  {share} %  {done:,} of {of:,} numbers certified, ctrl+c stops"


@contextlib.contextmanager
def meter() -> Iterator[Meter]:
    """A meter on stderr, and ctrl+c in its hands, while inside."""
    found = Meter(sys.stderr)
    ours = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, found.stop) if ours else None
    try:
        yield found
    finally:
        if ours:
            signal.signal(signal.SIGINT, before)
        found.clear()
