"""Which accesses are ordered by a barrier: every thread has a stamp between two barriers, and a clock compares them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

Stretches = frozenset[tuple[int, int]]
"""Stamps from the first number of each pair to below the second."""


class Entry(NamedTuple):
    """An access in the log."""

    array: tuple[str, Any]
    index: Any
    stamp: int
    write: bool
    line: int


class Clock:
    """The stamps: of the thread that runs, and where the stretches of its block begin."""

    __slots__ = (
        "acquired",
        "awaiting",
        "block_start",
        "fences",
        "file",
        "floor",
        "late",
        "log",
        "released",
        "split",
        "stamp",
    )

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
        self.acquired: Stretches = frozenset()
        """Stamps of others that a `threadfence` and atomic operations order before this thread; and its own."""
        self.released: Stretches = frozenset()
        """Stamps that were before its last `threadfence`: an atomic operation hands them to whoever sees it."""
        self.split: Callable[[], int] | None = None
        """Gives the thread that runs a new stamp; only in a kernel that fences memory."""

    def races(self, stamp: int, wide: bool) -> bool:
        """Whether nothing lies between an access with this stamp and one now. `wide`: other blocks see it too."""
        if stamp == self.stamp:
            return False
        for first, end, lanes in self.fences:
            if first <= stamp < end and lanes >> (stamp & 31) & 1:
                return False
        for start, stop in self.acquired:
            if start <= stamp < stop:
                return False
        return stamp >= self.floor or (wide and stamp < self.block_start)

    def fence(self) -> None:
        """`threadfence`: what the thread and its block before the last barrier did is now to be handed on."""
        if self.split is not None:
            self.released = self.acquired | {(self.block_start, self.floor)} | self._own()

    def meet(self, message: Stretches) -> Stretches:
        """An atomic operation on an element on which others left a message; what it leaves there.

        It sees what they released, and hands on what its own thread has. Between two blocks only this, and the sync of
        the whole grid, orders memory. (That the thread went by what it saw, and not by chance, is taken for granted.)
        """
        if self.split is None:
            return message
        self._own()
        self.acquired |= message
        if not self.released:
            return message
        own = self.stamp
        return message | self.released | {(own, own + 1)}

    def met(self) -> None:
        """The atomic operation is over: what follows is not yet released."""
        if self.split is not None:
            self._own()

    def _own(self) -> Stretches:
        """Go on with a new stamp; the old one, which is behind the thread."""
        assert self.split is not None
        own = frozenset({(self.stamp, self.stamp + 1)})
        self.acquired |= own
        self.stamp = self.split()
        return own

    def note(self, array: Any, index: Any, write: bool) -> None:
        """Log an access with its line."""
        assert self.log is not None
        frame = sys._getframe(1)
        while frame.f_code.co_filename != self.file:
            assert frame.f_back is not None
            frame = frame.f_back
        entry = Entry((array.space, array.memory), index, self.stamp, write, frame.f_lineno)
        self.log.append(entry)
