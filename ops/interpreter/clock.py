"""Which accesses are ordered by a barrier: every thread has a stamp between two barriers, and a clock compares them."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """An access in the log."""

    array: tuple[str, Any]
    index: Any
    stamp: int
    write: bool
    line: int


class Clock:
    """The stamps: of the thread that runs, and where the stretches of its block begin."""

    __slots__ = ("awaiting", "block_start", "fences", "file", "floor", "late", "log", "stamp")

    def __init__(self) -> None:
        self.stamp = 0
        """The thread that runs now, in its stretch between two barriers. Its last five bits are its lane."""
        self.floor = 0
        """Stamps from here on are of the block's present stretch."""
        self.block_start = 0
        """Stamps before this are of other blocks."""
        self.fences: tuple[tuple[int, int, int], ...] = ()
        """Stamps of its own warp from the first number to below the second, of these lanes: before a `syncwarp`."""
        self.log: list[Entry] | None = None
        """Accesses with their lines: kept only when a fault is looked up."""
        self.awaiting = False
        """Whether shared memory may be read before anything was written to it, to see who will write it."""
        self.late = False
        """Whether that has happened."""
        self.file = ""
        """Where the lines of the kernel stand."""

    def races(self, stamp: int, wide: bool) -> bool:
        """Whether nothing lies between an access with this stamp and one now. `wide`: other blocks see it too."""
        if stamp == self.stamp:
            return False
        for first, end, lanes in self.fences:
            if first <= stamp < end and lanes >> (stamp & 31) & 1:
                return False
        return stamp >= self.floor or (wide and stamp < self.block_start)

    def note(self, array: Any, index: Any, write: bool) -> None:
        """Log an access with its line."""
        assert self.log is not None
        frame = sys._getframe(1)
        while frame.f_code.co_filename != self.file:
            assert frame.f_back is not None
            frame = frame.f_back
        entry = Entry((array.space, array.memory), index, self.stamp, write, frame.f_lineno)
        self.log.append(entry)
