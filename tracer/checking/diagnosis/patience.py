"""How long a search for causes may go on: so much work for each wrong line, and for all of them together.

Work is counted, so that the same search ends at the same place everywhere; the clock, that of this thread alone, is
only asked as a last resort.
"""

from __future__ import annotations

import time

LINE_WORK, WORK = 3 * 10**9, 10**10
"""Work that a wrong line, and all of them, may take, in billionths of a second as far as it can be told beforehand."""
LINE_SECONDS, SECONDS = 5.0, 20.0
"""The time after which it is ended in any case."""
LOOK = 10**7
"""Work after which the clock is looked at: that of a thread is slow to read."""
TRY = 20_000
"""The work of one try, beside that of the lines that are run again."""


class EndedError(Exception):
    """The search has gone on for too long."""


class Patience:
    """What is left of the work and the time; `ended` says why a search was ended, empty if it was not."""

    def __init__(self) -> None:
        self._work = self._line = self._unseen = 0
        self._since = self._line_since = time.thread_time()
        self._started = False
        self.ended = ""

    def start(self) -> None:
        """A new wrong line."""
        self._line, self._line_since, self.ended = 0, time.thread_time(), ""
        if not self._started:
            self._started, self._since = True, self._line_since

    def spend(self, work: int = 0) -> None:
        """Count work that is done. Raises `EndedError` when it was too much."""
        self._work += work
        self._line += work
        if self._line > LINE_WORK or self._work > WORK:
            self._end("the search for a cause was ended: to run these lines again takes too long")
        self._unseen += work
        if not self._started or self._unseen < LOOK:
            return
        self._unseen = 0
        now = time.thread_time()
        if now - self._line_since > LINE_SECONDS:
            self._end(f"the search for a cause was ended after {LINE_SECONDS:g} s")
        if now - self._since > SECONDS:
            self._end(f"the search for causes was ended after {SECONDS:g} s")

    def _end(self, why: str) -> None:
        self.ended = why
        raise EndedError(why)
