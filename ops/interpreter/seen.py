"""Arrays of a recorded kernel: they do what an array does, and tell of every access."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ops.interpreter.clock import Clock
from ops.interpreter.namespace import LocalMemory, SharedMemory, View
from ops.interpreter.own_memory import Local
from ops.interpreter.record import Access

Tell = Callable[[Access], None]


class Seen:
    """An array of a recorded kernel: it does what the array does, and tells."""

    def __init__(self, array: Any, tell: Tell, name: str) -> None:
        self.array, self.tell, self.name, self.space = array, tell, name, array.space
        self.shape, self.ndim, self.size = array.shape, array.ndim, array.size
        self.dtype = array.dtype

    @property
    def nameless(self) -> bool:
        """Whether no line of the kernel has named it yet."""
        return bool(self.space != "global" and self.name == self.space)

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: Any) -> Any:
        value = self.array[index]
        self._tell(index, value, False)
        return value

    def __setitem__(self, index: Any, value: Any) -> None:
        before = self.array.held(index)
        self.array[index] = value
        self._tell(index, self.array.held(index), True, before)

    def change(self, index: Any) -> Any:
        """An atomic operation begins."""
        value = self.array.change(index)
        self._tell(index, value, False)
        return value

    def settle(self, index: Any, value: Any) -> None:
        """An atomic operation ends."""
        before = self.array.held(index)
        self.array.settle(index, value)
        self._tell(index, self.array.held(index), True, before)

    def _tell(self, index: Any, value: Any, write: bool, before: Any = None) -> None:
        where = tuple(int(i) for i in (index if isinstance(index, tuple) else (index,)))
        self.tell(Access(self.space, self.name, where, value, write, before))


class SeenShared(SharedMemory):
    """`cuda.shared` of a recorded kernel."""

    def __init__(self, clock: Clock, tell: Tell, behind: View = None, dynamic: int = 0) -> None:
        super().__init__(clock, behind, dynamic)
        self.tell = tell

    def array(self, shape: Any, dtype: Any) -> Any:
        """The array of this place."""
        frame = sys._getframe(1)
        found = Seen(self.at((frame.f_code, frame.f_lasti), shape, dtype), self.tell, "shared")
        return found if self.behind is None else self.behind(found)


class SeenLocal(LocalMemory):
    """`cuda.local` of a recorded kernel."""

    def __init__(self, tell: Tell, behind: View = None) -> None:
        super().__init__(behind)
        self.tell = tell

    def array(self, shape: Any, dtype: Any) -> Any:
        """A new array."""
        found = Seen(Local(shape, np.dtype(dtype).type), self.tell, "local")
        return found if self.behind is None else self.behind(found)
