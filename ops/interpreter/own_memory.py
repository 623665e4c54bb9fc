"""Memory that a launch makes itself: shared by the threads of a block, or of one thread alone. It begins empty."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ops.interpreter.clock import Clock
from ops.interpreter.elements import inside, refused, stored
from ops.interpreter.faults import Found
from ops.interpreter.memory import ATOMIC, Tracked


class Shared(Tracked):
    """Shared memory of a block: it holds nothing until it is written. Its numbers lie in a dictionary."""

    __slots__ = ("T", "values")

    def __init__(
        self, name: Any, shape: Any, dtype: Any, clock: Clock, space: str = "shared"
    ) -> None:
        super().__init__(name, np.empty(shape, np.dtype(dtype)), clock, space)
        self.T = self.a.dtype.type
        self.values: dict[Any, Any] = {}

    def __getitem__(self, index: Any) -> Any:
        try:
            stamp = self.clock.stamp
            writer = self.writer[index]
            if writer != stamp and (writer >= self.clock.floor or writer == ATOMIC):
                self._meet_writer(index)
            if self.reader.get(index) != stamp:
                self._read(index, stamp)
            return self.values[index]
        except (KeyError, TypeError):
            if self.clock.awaiting and inside(index, self.shape):
                self.clock.late = True
                self._read(index, stamp)
                return self.T(0)
            raise self.empty(index) from None

    def __setitem__(self, index: Any, value: Any) -> None:
        try:
            stamp = self.clock.stamp
            if self.writer.get(index) != stamp:
                self._write(index, stamp)
            if index in self.reader:
                self._meet_readers(index, stamp)
        except TypeError:
            raise refused(self, index) from None
        self.values[index] = value if type(value) is self.T else stored(value, self.T)

    def empty(self, index: Any) -> Found:
        """Why nothing is to be read there."""
        try:
            if not inside(index, self.shape):
                return refused(self, index)
        except TypeError:
            return refused(self, index)
        return Found("uninitialised", "is read before anything was written to it", self, index)

    def change(self, index: Any) -> Any:
        """An atomic operation begins: what the element holds."""
        if index not in self.values:
            raise self.empty(index)
        super().change(index)
        return self.values[index]

    def settle(self, index: Any, value: Any) -> None:
        """An atomic operation ends: what the element holds now."""
        self.values[index] = stored(value, self.T)

    def held(self, index: Any) -> Any:
        """What an element holds, for the record: None where nothing was written."""
        return self.values.get(index) if inside(index, self.shape) else None


class Local(dict[Any, Any]):
    """Memory of one thread alone: a dictionary of what was written, so that a read costs nothing extra."""

    __slots__ = ("T", "dtype", "ndim", "shape", "size", "space")

    def __init__(self, shape: Any, scalar: Any) -> None:
        self.shape = shape if type(shape) is tuple else (shape,)
        self.T = scalar
        self.space = "local"

        self.ndim, self.size = len(self.shape), math.prod(self.shape)
        self.dtype = np.dtype(scalar)

    def held(self, index: Any) -> Any:
        """What an element holds, for the record: None where nothing was written."""
        return self.get(index) if inside(index, self.shape) else None

    def __missing__(self, index: Any) -> Any:
        if inside(index, self.shape):
            raise Found("uninitialised", "is read before anything was written to it", self, index)
        raise refused(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        try:
            if index not in self and not inside(index, self.shape):
                raise refused(self, index)
        except TypeError:  # a slice
            raise refused(self, index) from None
        dict.__setitem__(self, index, value if type(value) is self.T else stored(value, self.T))
