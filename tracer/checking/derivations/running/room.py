"""How many numbers the names of a derivation hold, and how much is kept of what it did."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tracer.checking.derivations.calculator.limits import ENTRY, LARGEST, numbers_in
from tracer.checking.derivations.refusals import RefusedError

from .scope import Key
from .tape import Done

MOST_KEPT = 2 * 10**7
"""Numbers that the record of the assignments may hold."""
MOST_DONE = 20_000
"""Assignments of which it is kept what the names meant before."""


class Room:
    """Counts what is held, and lets the record forget what it need not keep."""

    def __init__(self) -> None:
        self._sizes: dict[Key, int] = {}
        self._held = self._kept = 0
        self._latest: dict[int, int] = {}

    def take(self, key: Key, value: Any) -> None:
        """Complain if a name or gradient of that value makes the names hold too much."""
        size = numbers_in(value)
        self._held += size - self._sizes.get(key, 0)
        self._sizes[key] = size
        if self._held > LARGEST:
            raise RefusedError("the names hold too many numbers", f"at most {LARGEST} in all")

    def for_what_names_meant(self, done: list[Done], names: int) -> bool:
        """Whether there is room to keep what so many names meant before the next assignment."""
        if len(done) >= MOST_DONE or self._kept >= MOST_KEPT:
            return False
        self._kept += ENTRY * names
        return True

    def keep(self, done: list[Done], latest: Done, index: Any = None) -> None:
        """Add an assignment to the record; one of many is kept without its result, unless that is judged."""
        self._kept += numbers_in(latest.result) + (0 if index is None else numbers_in(index))
        if self._kept >= MOST_KEPT:
            if latest.node < 0:
                latest = replace(latest, result=None)
            elif latest.node in self._latest:
                at = self._latest[latest.node]
                if not done[at].line.judged:
                    done[at] = replace(done[at], result=None)
            if latest.before is None:
                latest = replace(latest, put=None)
        self._latest[latest.node] = len(done)
        done.append(latest)
