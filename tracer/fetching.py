"""What views read of values on a device: copies of small arrays, and of large ones only what somebody looks at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from math import gcd
from typing import Any

import numpy as np

from ops.primitive import PRIMITIVES, Array
from tracer.values import lies_elsewhere, read_only

SMALL = 4096
"""An array of so many elements is copied as soon as anything of it is looked at."""

KEPT = 2**26
"""So many bytes of copies are kept."""

_COPIES: OrderedDict[int, tuple[Any, Array]] = OrderedDict()
"""Identity of an array on a device to the array, held so that no other comes to bear its identity, and its copy."""


def fetched(value: Any) -> Array:
    """A value on the host: a read-only copy of what lies on a device, anything else as it is."""
    if type(value) is np.ndarray or not lies_elsewhere(value):
        return value
    found = _COPIES.get(id(value))
    if found is not None:
        return found[1]
    copy: Array = read_only(value.numpy())
    if copy.nbytes <= KEPT // 4:
        _COPIES[id(value)] = value, copy
        kept = sum(each.nbytes for _, each in _COPIES.values()) if len(_COPIES) % 64 == 0 else 0
        while kept > KEPT:
            _, (_, dropped) = _COPIES.popitem(last=False)
            kept -= dropped.nbytes
    return copy


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
