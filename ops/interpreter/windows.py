"""Arguments that overlap in memory: each is a window onto the memory that they share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, combinations
from typing import Any

import numpy as np

from ops.interpreter.clock import Clock
from ops.interpreter.elements import inside, refused, stored
from ops.interpreter.faults import Found
from ops.interpreter.memory import Checked, Tracked

Array = np.ndarray[Any, Any]


def address(a: Array) -> int:
    """Where the first element of an array lies."""
    return int(a.__array_interface__["data"][0])


def overlapping(arrays: Sequence[Array]) -> list[list[int]]:
    """The numbers of those arrays that share bytes without being the same array, by the memory that they share."""
    if not any(np.may_share_memory(x, y) for x, y in combinations(arrays, 2)):
        return []  # the usual case, fast
    groups: list[list[int]] = []
    for i, x in enumerate(arrays):
        joined = [g for g in groups if any(np.may_share_memory(x, arrays[j]) for j in g)]
        groups = [g for g in groups if g not in joined] + [sorted([i, *chain(*joined)])]
    return [
        g
        for g in groups
        if len({(address(arrays[i]), arrays[i].shape, arrays[i].strides) for i in g}) > 1
    ]


def bytes_under(arrays: Sequence[Array]) -> tuple[int, Array]:
    """The address of the first byte under arrays that overlap, and a copy of all bytes up to the last."""
    bounds = [np.lib.array_utils.byte_bounds(a) for a in arrays]
    start, stop = min(b[0] for b in bounds), max(b[1] for b in bounds)
    held = np.zeros(stop - start, np.uint8)
    for a in arrays:
        _at(held, a, address(a) - start)[...] = a
    return start, held


def copies(arrays: Sequence[Array]) -> list[Array]:
    """Copies that overlap as the arrays do."""
    start, held = bytes_under(arrays)
    found = [_at(held, a, address(a) - start) for a in arrays]
    for made, a in zip(found, arrays, strict=True):
        made.flags.writeable = a.flags.writeable
    return found


def _at(held: Array, a: Array, offset: int) -> Array:
    return np.ndarray(a.shape, a.dtype, buffer=held.data, offset=offset, strides=a.strides)


def windows(names: Sequence[str], arrays: Sequence[Array], clock: Clock) -> list[Window]:
    """Arrays that overlap, as a kernel sees them: what one remembers of an element, the others do."""
    start, held = bytes_under(arrays)
    under = Tracked(" and ".join(names), held, clock, "global")
    return [
        Window(name, a, clock, under, address(a) - start)
        for name, a in zip(names, arrays, strict=True)
    ]


class Window(Checked):
    """An array whose elements are remembered where they lie in the memory under it."""

    __slots__ = ("memory", "start", "steps", "under")

    def __init__(self, name: str, a: Array, clock: Clock, under: Tracked, start: int) -> None:
        super().__init__(name, a, clock, "global")
        self.under, self.start = under, start
        self.steps = a.strides
        self.memory = under.memory

    def place(self, index: Any) -> int:
        """How far behind the start of the memory an element lies."""
        if not inside(index, self.shape):
            raise refused(self, index)
        parts = index if type(index) is tuple else (index,)
        return self.start + sum(int(i) * n for i, n in zip(parts, self.steps, strict=True))

    def __getitem__(self, index: Any) -> Any:
        self._under("read", index)
        return self.a[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._under("write", index)
        self.settle(index, value)

    def change(self, index: Any) -> Any:
        """An atomic operation begins."""
        self._under("change", index)
        return self.a[index]

    def settle(self, index: Any, value: Any) -> None:
        """An atomic operation ends."""
        try:
            self.a[index] = value
        except OverflowError:
            self.a[index] = stored(value, self.a.dtype.type)

    def forget(self) -> None:
        """Everything before now lies behind a barrier of the whole grid."""
        self.under.forget()

    def held(self, index: Any) -> Any:
        """What an element holds."""
        return self.a[index] if inside(index, self.shape) else None

    def _under(self, deed: str, index: Any) -> None:
        place = self.place(index)
        if deed != "read" and not self.a.flags.writeable:
            raise Found("read-only", "is read-only, and the kernel writes it", self, index)
        try:
            if deed == "read":
                self.under[place]
            elif deed == "write":
                self.under[place] = self.under.a[place]
            else:
                self.under.change(place)
        except Found as found:
            found.shown = (self, index)
            raise
