"""What views read of values on a device: copies of small arrays, and of large ones only what somebody looks at."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from math import gcd
from threading import Lock
from typing import Any
from weakref import ref

import numpy as np

from ops.primitive import PRIMITIVES, Array
from tracer.values import lies_elsewhere, read_only

SMALL = 4096
"""An array of so many elements is copied as soon as anything of it is looked at."""

KEPT = 2**26
"""So many bytes of copies are kept at most, that of an array as long as the array is there."""

ENTRY = 512
"""So many bytes an entry costs beside what was found."""


class _Array(ref[Any]):
    """A weak reference to an array on a device, which knows its identity when it is gone."""

    __slots__ = ("key",)

    key: int


class Findings:
    """What was found out about arrays on a device: the latest that was asked for, of arrays that are still there.

    find: what is asked of an array, such as a copy of it. most: so many bytes are kept. Several threads may ask at
    once. It looks at no more entries than it drops.
    """

    def __init__(self, find: Callable[[Any], Any], most: int) -> None:
        self.find, self.most, self.size = find, most, 0
        self._found: OrderedDict[int, tuple[_Array, Any]] = OrderedDict()
        self._gone: deque[_Array] = deque()  # told by the collector, at any time in any thread
        self._lock = Lock()

    def __len__(self) -> int:
        with self._lock:
            self._forget_gone()
            return len(self._found)

    def of(self, value: Any) -> Any:
        """What was found of an array."""
        key = id(value)
        with self._lock:
            self._forget_gone()
            known = self._found.get(key)
            if known is not None and known[0]() is value:
                self._found.move_to_end(key)
                return known[1]
        found = self.find(value)
        size = _size(found)
        if size <= self.most // 4:
            array = _Array(value, self._died)
            array.key = key
            with self._lock:
                self._drop(key)  # what another thread has brought in the meantime
                self._found[key] = array, found
                self.size += size
                while self.size > self.most:
                    self._drop(next(iter(self._found)))
        return found

    def _died(self, array: Any) -> None:
        self._gone.append(array)
        if self._lock.acquire(blocking=False):  # else who holds it, or comes next, forgets it
            try:
                self._forget_gone()
            finally:
                self._lock.release()

    def _forget_gone(self) -> None:
        while self._gone:
            array = self._gone.popleft()
            known = self._found.get(array.key)
            if known is not None and known[0] is array:
                self._drop(array.key)

    def _drop(self, key: int) -> None:
        known = self._found.pop(key, None)
        if known is not None:
            self.size -= _size(known[1])


def _size(found: Any) -> int:
    return int(getattr(found, "nbytes", 0)) + ENTRY


COPIES = Findings(lambda value: read_only(value.numpy()), KEPT)


def fetched(value: Any) -> Array:
    """A value on the host: a read-only copy of what lies on a device, anything else as it is."""
    if type(value) is np.ndarray or not lies_elsewhere(value):
        return value
    found: Array = COPIES.of(value)
    return found


def fetched_all(values: Mapping[str, Any]) -> Mapping[str, Array]:
    """Several values by name, on the host."""
    if any(map(lies_elsewhere, values.values())):
        return {name: fetched(x) for name, x in values.items()}
    return values


class Distant:
    """A large array of a device as views read it: its shape at once, a window when it is indexed.

    `np.asarray` copies all of it; its summary is worked out over there.
    """

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis."""
        found: tuple[int, ...] = self.array.shape
        return found

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(self.array.size)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        found: np.dtype[Any] = self.array.dtype
        return found

    @property
    def nbytes(self) -> int:
        """The bytes that it fills over there."""
        return int(self.array.nbytes)

    def __getitem__(self, where: Any) -> Array:
        """A window of it, copied: only that crosses over."""
        found: Array = self.array[where].numpy()
        return found

    def matrix(self, where: Any, size: tuple[int, int], *, transposed: bool) -> Any:
        """A part of it as a matrix of that size, from afar too while it is large."""
        part = self.array[where]
        if part.ndim == 2 and transposed:
            part = PRIMITIVES["transpose"](part)
        return seen(part if part.ndim == 2 else part.reshape(size))

    def head(self, count: int) -> Array:
        """The first elements in order, copied."""
        found: Array = self.array.reshape(-1)[:count].numpy()
        return found

    def broken(self) -> Array:
        """How many numbers are NaN, and how many are infinite, by its summary."""
        from tracer.stats import summary

        facts = summary(self)
        return np.array([facts.nans, facts.infs])

    def sample(self) -> Array:
        """A few elements, evenly spread and not all from the same columns, for a histogram or a scale of colours."""
        step = -(-self.size // (SMALL // 8))
        while gcd(step, self.shape[-1]) > 1:
            step += 1
        found: Array = self.array.reshape(-1)[::step].numpy()
        return found

    def __add__(self, other: Any) -> Distant:
        return Distant(self.array + (other.array if isinstance(other, Distant) else other))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(fetched(self.array), dtype=dtype)


PRINTED = 100
"""Of a value with more elements, the first and last of each axis are printed."""


def edges(value: Any, count: int = 3) -> Array:
    """What is printed of an array on a device: the first and last entries of each axis, and one that stands between.

    >>> from ops.devices.arrays import array
    >>> from ops.devices.interpreting import INTERPRET
    >>> edges(array(INTERPRET, np.arange(100)), 2)
    array([ 0,  1,  2, 98, 99])
    """
    for axis, size in enumerate(value.shape):
        if size > 2 * count:
            chosen = np.array([*range(count + 1), *range(size - count, size)])
            value = value[(slice(None),) * axis + (chosen,)]
    found: Array = value.numpy()
    return found


def formed(value: Any) -> Array:
    """A value that is at hand as it is; for one that is seen from afar, ones of its shape that fill no memory."""
    if isinstance(value, Distant):
        return np.broadcast_to(value.dtype.type(1), value.shape)
    return value


def seen(value: Any) -> Any:
    """A value as views read it: a large array of a device from afar, anything else on the host."""
    if lies_elsewhere(value) and value.size > SMALL:
        return Distant(value)
    return fetched(value)
