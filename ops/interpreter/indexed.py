"""Arrays as a kernel written for Numba indexes them: -1 is the last element, and x[i] of a table is its row."""

from __future__ import annotations

from typing import Any

import numpy as np


class Indexed:
    """An array behind Numba's indices. Every access goes to the array itself, with all indices, from 0."""

    __slots__ = ("array", "dtype", "name", "ndim", "prefix", "shape", "size", "space")

    def __init__(self, array: Any, prefix: tuple[int, ...] = ()) -> None:
        self.array, self.prefix = array, prefix
        self.shape, self.dtype, self.space = array.shape[len(prefix) :], array.dtype, array.space
        self.ndim, self.size = len(self.shape), int(np.prod(self.shape))
        self.name = getattr(array, "name", "local")

    def __len__(self) -> int:
        return int(self.shape[0])

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        whole = self.whole(index)
        if type(whole) is tuple and len(whole) < len(self.array.shape) and _numbers(whole):
            return Indexed(self.array, whole)
        return self.array[whole]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.array[self.whole(index)] = value

    def change(self, index: Any) -> Any:
        """An atomic operation begins."""
        return self.array.change(self.whole(index))

    def settle(self, index: Any, value: Any) -> None:
        """An atomic operation ends."""
        self.array.settle(self.whole(index), value)

    def whole(self, index: Any) -> Any:
        """All indices of an element, none negative that counts from the end; what is no index stays as it is."""
        parts = index if type(index) is tuple else (index,)
        if not _numbers(parts) or len(parts) > self.ndim:
            return (*self.prefix, *parts) if self.prefix else index
        found = (
            *self.prefix,
            *(
                int(i) + n if -n <= i < 0 else int(i)
                for i, n in zip(parts, self.shape, strict=False)
            ),
        )
        return found[0] if len(self.array.shape) == 1 else found


def plain(array: Any) -> Any:
    """The array behind Numba's indices, or what is handed in."""
    return array.array if type(array) is Indexed else array


def _numbers(parts: tuple[Any, ...]) -> bool:
    return all(isinstance(i, int | np.integer) for i in parts)
