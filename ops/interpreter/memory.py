"""Global arrays as a kernel sees them: every index checked, every access held against those of other threads.

A thread between two barriers has a stamp of its own: a number that only grows. Two accesses of one element race if one
of them writes and no barrier lies between: their stamps differ, and both are of the block's present stretch; or they
belong to different blocks, between which only the sync of the whole grid is a barrier. The usual access costs one
look into a dictionary; all else happens where the stamp found there is another's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.interpreter.clock import Clock, Stretches
from ops.interpreter.elements import inside, refused, stored
from ops.interpreter.faults import Found

ATOMIC = -1
"""Stands for the stamps of threads that changed an element by atomic operations."""


class Checked:
    """An array of a kernel; what all of them have."""

    __slots__ = ("a", "clock", "dtype", "name", "ndim", "shape", "size", "space")

    def __init__(self, name: Any, a: np.ndarray[Any, Any], clock: Clock, space: str) -> None:
        self.name, self.a, self.clock, self.space = name, a, clock, space
        self.shape, self.ndim, self.size, self.dtype = a.shape, a.ndim, a.size, a.dtype

    def __len__(self) -> int:
        return int(self.shape[0])

    def forget(self) -> None:
        """Everything before now lies behind a barrier of the whole grid. What only reads remembers nothing."""


class Read1(Checked):
    """A global array of one axis that the kernel only reads: nothing can race."""

    __slots__ = ()

    def __getitem__(self, i: Any) -> Any:
        try:
            if i >= 0:
                return self.a[i]
        except (IndexError, TypeError, ValueError):
            pass
        raise refused(self, i)


class Read2(Checked):
    """A global array of two axes that the kernel only reads."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        try:
            i, j = index
            if i >= 0 and j >= 0:
                return self.a[i, j]
        except (IndexError, TypeError, ValueError):
            pass
        raise refused(self, index)


class ReadN(Checked):
    """A global array of any number of axes that the kernel only reads."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        if not inside(index, self.shape):
            raise refused(self, index)
        return self.a[index]


class Tracked(Checked):
    """An array in which each element remembers who wrote it last, and who has read it since the last barrier."""

    __slots__ = (
        "abroad",
        "atomic",
        "memory",
        "messages",
        "other",
        "reader",
        "reading",
        "wide",
        "writeable",
        "writer",
    )

    def __init__(
        self, name: Any, a: np.ndarray[Any, Any], clock: Clock, space: str, reading: bool = True
    ) -> None:
        super().__init__(name, a, clock, space)
        self.wide = space == "global"
        self.writeable = a.flags.writeable
        self.memory = name
        """The same for all arguments that are the same memory."""
        self.reading = reading
        """Whether the kernel reads it at all."""
        self.writer: dict[Any, int] = {}
        self.reader: dict[Any, int] = {}
        """The first reader of the present stretch."""
        self.other: dict[Any, int] = {}
        """The latest reader besides."""
        self.abroad: dict[Any, int] = {}
        """A reader of another block."""
        self.atomic: dict[Any, dict[int, bool]] = {}
        """The threads that changed an element by atomic operations, and who wrote it plainly before them: True."""
        self.messages: dict[Any, Stretches] = {}
        """What those threads had released with a `threadfence` before."""

    def forget(self) -> None:
        """Everything before now lies behind a barrier of the whole grid."""
        for known in (self.writer, self.reader, self.other, self.abroad, self.atomic):
            known.clear()
        self.messages.clear()

    def remembers_with(self, first: Tracked) -> None:
        """The same memory as another argument: what is known of one is known of both."""
        self.writer, self.reader, self.other = first.writer, first.reader, first.other
        self.abroad, self.atomic = first.abroad, first.atomic
        self.memory, self.messages = first.memory, first.messages

    def __getitem__(self, index: Any) -> Any:
        try:
            stamp = self.clock.stamp
            if self.writer.get(index, stamp) != stamp:
                self._meet_writer(index)
            if self.reader.get(index) != stamp:
                self._read(index, stamp)
            return self.a[index]
        except (IndexError, TypeError, ValueError):
            raise refused(self, index) from None

    def __setitem__(self, index: Any, value: Any) -> None:
        try:
            stamp = self.clock.stamp
            if self.writer.get(index) != stamp:
                self._write(index, stamp)
            if self.reading:
                self._meet_readers(index, stamp)
        except (IndexError, TypeError):
            raise refused(self, index) from None
        try:
            self.a[index] = value
        except OverflowError:
            self.a[index] = stored(value, self.a.dtype.type)

    def _read(self, index: Any, stamp: int) -> None:
        if self.clock.log is not None:
            self.clock.note(self, index, False)
        first = self.reader.get(index)
        if first is None:
            if not inside(index, self.shape):
                raise refused(self, index)
        elif self.clock.races(first, self.wide):
            if first >= self.clock.floor:
                self.other[index] = stamp
                return
            self.abroad[index] = first
        self.reader[index] = stamp

    def _write(self, index: Any, stamp: int) -> None:
        if self.clock.log is not None:
            self.clock.note(self, index, True)
        if index in self.writer:
            self._meet_writer(index)
        elif not inside(index, self.shape):
            raise refused(self, index)
        elif not self.writeable:
            raise Found("read-only", "is read-only, and the kernel writes it", self, index)
        self.writer[index] = stamp

    def _meet_writer(self, index: Any) -> None:
        """Raise if whoever wrote an element may not have done so yet, or might do so later."""
        writer = self.writer[index]
        if writer == ATOMIC:
            for each in self.atomic[index]:
                if self.clock.races(each, self.wide):
                    raise Found("race", "written", self, index, each)
        elif self.clock.races(writer, self.wide):
            raise Found("race", "written", self, index, writer)

    def _meet_readers(self, index: Any, stamp: int) -> None:
        for readers in (self.reader, self.other, self.abroad):
            reader = readers.get(index, stamp)
            if reader != stamp and self.clock.races(reader, self.wide):
                raise Found("race", "read", self, index, reader)

    def change(self, index: Any) -> Any:
        """An atomic operation begins: what the element holds. Only plain accesses of others race with it."""
        if not inside(index, self.shape):
            raise refused(self, index)
        if not self.writeable:
            raise Found("read-only", "is read-only, and the kernel writes it", self, index)
        if self.clock.split is not None:
            self.messages[index] = self.clock.meet(self.messages.get(index, frozenset()))
        if self.clock.log is not None:
            self.clock.note(self, index, True)
        stamp = self.clock.stamp
        writer = self.writer.get(index)
        if writer is not None and writer != ATOMIC:
            self.atomic[index] = {writer: True}
        changed = self.atomic.setdefault(index, {})
        for each, plain in changed.items():
            if plain and self.clock.races(each, self.wide):
                raise Found("race", "written", self, index, each)
        self._meet_readers(index, stamp)
        self.writer[index] = ATOMIC
        changed.setdefault(stamp, False)
        self.clock.met()
        return self.a[index]

    def settle(self, index: Any, value: Any) -> None:
        """An atomic operation ends: what the element holds now."""
        self.a[index] = value

    def held(self, index: Any) -> Any:
        """What an element holds, for the record: None where nothing was written, or no element is."""
        return self.a[index] if inside(index, self.shape) else None


def checked_array(
    name: str, a: np.ndarray[Any, Any], clock: Clock, read: bool, written: bool
) -> Checked:
    """The view of a global array that a kernel gets, by what the kernel does with it."""
    if written:
        return Tracked(name, a, clock, "global", reading=read)
    by_rank = {1: Read1, 2: Read2}
    return by_rank.get(a.ndim, ReadN)(name, a, clock, "global")
