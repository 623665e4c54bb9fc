"""Arrays as a kernel written for Numba indexes them: -1 is the last element, x[i] a row, and x[i, 2:5] a part of it.

What is taken from an array is a view: it holds no numbers, and every access to it goes to the array itself, with all
indices, from 0. So an element is checked and remembered where it lies, under whatever name it is reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ops.interpreter.elements import refused

NEW = -1
"""The axis of the array to which a new axis of a view belongs: none."""


class Axis(NamedTuple):
    """An axis of a view: how long it is, along which axis of the array it goes, and in which steps."""

    length: int
    along: int
    step: int


class Indexed:
    """An array behind Numba's indices."""

    __slots__ = ("array", "dtype", "name", "ndim", "shape", "size", "space")

    def __init__(self, array: Any) -> None:
        self.array, self.shape = array, array.shape
        self.dtype, self.space = array.dtype, array.space
        self.ndim, self.size = len(self.shape), prod(self.shape)
        self.name = getattr(array, "name", "local")

    def __len__(self) -> int:
        return int(self.shape[0])

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    @property
    def T(self) -> View:
        """The array with its axes in reverse order."""
        return self.whole().turned()

    def __getitem__(self, index: Any) -> Any:
        parts = index if type(index) is tuple else (index,)
        if len(parts) == self.ndim and _numbers(parts):
            return self.array[self.place(parts)]
        return self.part(parts, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        parts = index if type(index) is tuple else (index,)
        if len(parts) == self.ndim and _numbers(parts):
            self.array[self.place(parts)] = value
        else:
            self.part(parts, index).fill(value)

    def change(self, index: Any) -> Any:
        """An atomic operation begins."""
        return self.array.change(self.element(index))

    def settle(self, index: Any, value: Any) -> None:
        """An atomic operation ends."""
        self.array.settle(self.element(index), value)

    def element(self, index: Any) -> Any:
        """All indices of one element. Raises `Found` for what names none."""
        parts = index if type(index) is tuple else (index,)
        if len(parts) != self.ndim or not _numbers(parts):
            raise refused(self.array if type(self) is Indexed else self, index)
        return self.place(parts)

    def place(self, parts: tuple[Any, ...]) -> Any:
        """All indices of an element, none negative that counts from the end."""
        if len(parts) == 1:
            i, n = int(parts[0]), self.shape[0]
            return i + n if -n <= i < 0 else i
        return tuple(
            int(i) + n if -n <= i < 0 else int(i) for i, n in zip(parts, self.shape, strict=True)
        )

    def whole(self) -> View:
        """A view of everything."""
        axes = tuple(Axis(n, k, 1) for k, n in enumerate(self.shape))
        return View(self.array, (0,) * self.ndim, axes)

    def part(self, parts: tuple[Any, ...], index: Any) -> View:
        """A view of what slices, and fewer indices than there are axes, name. Raises `Found` for what names nothing."""
        return self.whole().part(parts, index)


class View(Indexed):
    """A part of an array: where it starts along each axis of the array, and its own axes."""

    __slots__ = ("axes", "start")

    def __init__(self, array: Any, start: tuple[int, ...], axes: tuple[Axis, ...]) -> None:
        super().__init__(array)
        self.start, self.axes = start, axes
        self.shape = tuple(axis.length for axis in axes)
        self.ndim, self.size = len(axes), prod(self.shape)

    def place(self, parts: tuple[Any, ...]) -> Any:
        """All indices of an element in the array."""
        found = [*self.start]
        for i, (length, along, step) in zip(parts, self.axes, strict=True):
            if not -length <= i < length:
                raise refused(self, parts if len(parts) > 1 else parts[0])
            if along != NEW:
                found[along] += (int(i) + length if i < 0 else int(i)) * step
        return found[0] if len(found) == 1 else tuple(found)

    def whole(self) -> View:
        """The view itself."""
        return self

    def turned(self) -> View:
        """The view with its axes in reverse order."""
        return View(self.array, self.start, self.axes[::-1])

    def part(self, parts: tuple[Any, ...], index: Any) -> View:
        """A view of a part of this view; an axis of which nothing is said stays whole."""
        named = sum(part is not None and part is not Ellipsis for part in parts)
        left = [*self.axes]
        if named > len(left) or parts.count(Ellipsis) > 1:
            raise refused(self, index)
        if Ellipsis not in parts:
            parts = (*parts, Ellipsis)
        start, axes = [*self.start], list[Axis]()
        for part in parts:
            if part is None:
                axes.append(Axis(1, NEW, 0))
            elif part is Ellipsis:
                axes += [left.pop(0) for _ in range(len(self.axes) - named)]
            else:
                length, along, step = left.pop(0)
                if isinstance(part, slice):
                    turns = range(*part.indices(length))
                    first, more = turns.start, [Axis(len(turns), along, step * turns.step)]
                elif isinstance(part, int | np.integer):
                    first, more = int(part) + length if -length <= part < 0 else int(part), []
                else:
                    raise refused(self, index)
                if along != NEW:
                    start[along] += first * step
                axes += more
        return View(self.array, tuple(start), tuple(axes))

    def fill(self, value: Any) -> None:
        """Write a number, or the elements of an array of the same shape, one after another.

        Raises `ValueError` for an array of another shape.
        """
        given = isinstance(value, Indexed)
        if given and value.shape != self.shape:
            raise ValueError(f"an array of shape {value.shape} for a part of shape {self.shape}")
        for parts in product(*map(range, self.shape)):
            self.array[self.place(parts)] = value[parts] if given else value


def plain(array: Any) -> Any:
    """The array behind Numba's indices, or what is handed in."""
    return array.array if isinstance(array, Indexed) else array


def _numbers(parts: tuple[Any, ...]) -> bool:
    return all(isinstance(i, int | np.integer) for i in parts)
