"""Copies from one view of an array to one of another. numpy works out the views, on arrays without memory.

What `x.transpose(2, 0, 1)`, `x[1:, ::-2]` or `np.diagonal(x)` see is where it begins and how far its axes step, which
depends on the shape of x alone. So a function of numpy's that returns views is applied to a phantom, an array of that
shape whose elements nobody reads; the operations on a device have its meaning, and its errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ops.cuda.kernel import Launch
from ops.cuda.moving.borders import FRAME
from ops.cuda.moving.copies import FILL, HELD, MOVE, TILE, TRANSPOSE
from ops.cuda.moving.launches import MOST, THREADS, in_blocks, launch_of, launched
from ops.devices.arrays import DeviceArray, empty

Shape = tuple[int, ...]
See = Callable[[Any], Any]
"""From an array to a view of it."""

_MOST_AXES = 4
_LEAST = 8
"""Two axes that step across each other go through tiles if both are at least so long."""


class View(NamedTuple):
    """Some elements of a C-contiguous array, counted in elements."""

    start: int
    shape: Shape
    strides: Shape

    @property
    def size(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)

    @property
    def whole(self) -> bool:
        """Whether its elements lie one after the other."""
        return self.strides == _contiguous(self.shape) or self.size < 2


def view_of(shape: Shape, see: See) -> View:
    """What a function of numpy's sees of an array of that shape.

    >>> view_of((3, 4), lambda x: x[::-1, 1])
    View(start=9, shape=(3,), strides=(-4,))
    """
    seen = see(_phantom(shape))
    start = seen.__array_interface__["data"][0] - _ADDRESS
    strides = tuple(
        step if size > 1 else 0 for step, size in zip(seen.strides, seen.shape, strict=True)
    )
    return View(start, seen.shape, strides)


_BASE = np.empty(1, np.int8)
_ADDRESS = _BASE.__array_interface__["data"][0]


@lru_cache(1024)
def _phantom(shape: Shape) -> Any:
    """An array of that shape without memory of its own: to read it would be an error."""
    return as_strided(_BASE, shape, _contiguous(shape))


@lru_cache(1024)
def _contiguous(shape: Shape) -> Shape:
    """How far the axes of an array step whose elements lie one after the other; 0 along an axis of one element."""
    steps = []
    step = 1
    for size in reversed(shape):
        steps.append(step if size > 1 else 0)
        step *= size
    return tuple(reversed(steps))


def at_index(index: tuple[Any, ...]) -> See:
    """The view that an index of integers, slices, None and Ellipsis sees; of one element an array of rank 0."""
    whole = index if any(part is Ellipsis for part in index) else (*index, Ellipsis)
    return lambda seen: seen[whole]


def viewed(x: DeviceArray, see: See) -> DeviceArray:
    """What a function of numpy's sees of an array; a copy, unless its elements lie one after the other."""
    view = view_of(x.shape, see)
    if view.whole and view.size:
        line = x.reshape(-1)
        part = line if view.size == x.size else line.rows(view.start, view.start + view.size)
        return part.reshape(view.shape)
    out = empty(x.device, view.shape, x.dtype)
    move(x, view, out, View(0, view.shape, _contiguous(view.shape)))
    return out


def put(x: DeviceArray, out: DeviceArray, see: See, of: See = lambda x: x) -> None:
    """Copy an array, or what `of` sees of it, to what `see` sees of another; both have one shape."""
    move(x, view_of(x.shape, of), out, view_of(out.shape, see))


def filled(x: DeviceArray, shape: Shape, value: Any = 0) -> DeviceArray:
    """A new array on the device and of the dtype of another, with the same value everywhere."""
    out = empty(x.device, shape, x.dtype)
    launched(FILL, x.dtype, out.size, out, out.size, _number(value, x.dtype))
    return out


def _number(value: Any, dtype: np.dtype[Any]) -> float | int:
    """A value as numpy would cast it, for a kernel of that dtype."""
    return float(value) if dtype.kind == "f" else int(dtype.type(value))


def inserted(x: DeviceArray, shape: Shape, see: See, value: Any = 0) -> DeviceArray:
    """One value in a shape, but x, broadcast, where a function of numpy sees it; x itself where that is all."""
    part = view_of(shape, see)
    if part.size == math.prod(shape) and part.whole:
        return viewed(x, lambda seen: np.broadcast_to(seen, part.shape)).reshape(shape)
    if x.size == part.size and (box := _box(part, shape)) is not None:
        out = empty(x.device, shape, x.dtype)
        sizes = (*box[0][1:], *box[1], *box[2], _number(value, x.dtype))
        launched(FRAME, x.dtype, -(-out.size // HELD), x, out, out.size, *sizes)
        return out
    out = filled(x, shape, value)
    put(x, out, see, lambda seen: np.broadcast_to(seen, part.shape))
    return out


def _box(part: View, shape: Shape) -> tuple[Shape, Shape, Shape] | None:
    """A view as a box in an array of that shape: sizes of the array, of the box, and its first corner, over four axes.

    None if its axes are in another order, or go by steps, or are too many.
    """
    steps = _contiguous(shape)
    left = [(n, step) for n, step in zip(part.shape, part.strides, strict=True) if n != 1]
    place = part.start
    axes: list[tuple[int, int, int]] = []
    for whole, step in zip(shape, steps, strict=True):
        first, size = (place // step, 1) if step else (0, 1)
        place -= first * step
        if left and left[0][1] == step and step:
            size = left.pop(0)[0]
        if axes and (size, first) == (whole, 0):  # all of this axis: it goes with the one before
            axes[-1] = (axes[-1][0] * whole, axes[-1][1] * whole, axes[-1][2] * whole)
        else:
            axes.append((whole, size, first))
    if left or len(axes) > _MOST_AXES or not part.size:
        return None
    padded = [(1, 1, 0)] * (_MOST_AXES - len(axes)) + axes
    wholes, sizes, firsts = zip(*padded, strict=True)
    return wholes, sizes, firsts


# ----- one view to another


class _Axis(NamedTuple):
    size: int
    read: int
    write: int


def move(x: DeviceArray, source: View, out: DeviceArray, target: View) -> None:
    """Copy the elements of one view to those of another view, of the same shape, which names none of them twice."""
    if not source.size:
        return
    both = zip(source.shape, source.strides, target.strides, strict=True)
    axes = [_Axis(size, read, write) for size, read, write in both if size > 1]
    axes.sort(key=lambda axis: -abs(axis.write))
    _walk(x, source.start, out, target.start, _joined(axes))


def _joined(axes: list[_Axis]) -> list[_Axis]:
    """Neighbours that step as one axis in both arrays, as one axis."""
    found: list[_Axis] = []
    for axis in axes:
        if (
            found
            and found[-1].read == axis.read * axis.size
            and found[-1].write == axis.write * axis.size
        ):
            axis = _Axis(found.pop().size * axis.size, axis.read, axis.write)
        found.append(axis)
    return found


def _walk(x: DeviceArray, start: int, out: DeviceArray, place: int, axes: list[_Axis]) -> None:
    """Launch what copies: through tiles, or straight; over more than four axes, once for each step along one."""
    if len(axes) > _MOST_AXES:
        shortest = min(range(len(axes)), key=lambda k: axes[k].size)
        size, read, write = axes[shortest]
        rest = _joined(axes[:shortest] + axes[shortest + 1 :])
        for k in range(size):
            _walk(x, start + k * read, out, place + k * write, rest)
        return
    across = next(
        (k for k, axis in enumerate(axes[:-1]) if axis.read == 1 and axis.size >= _LEAST), None
    )
    if across is not None and axes[-1].write == 1 and axes[-1].size >= _LEAST:
        _transpose(x, start, out, place, axes, across)
        return
    count = math.prod(axis.size for axis in axes)
    padded = [_Axis(1, 0, 0)] * (_MOST_AXES - len(axes)) + axes
    sizes = [axis.size for axis in padded[1:]]
    reads = [axis.read for axis in padded]
    writes = [axis.write for axis in padded]
    launch = launch_of(-(-count // HELD))
    in_blocks(MOVE, x.dtype, launch, x, out, count, *sizes, start, *reads, place, *writes)


def _transpose(
    x: DeviceArray, start: int, out: DeviceArray, place: int, axes: list[_Axis], across: int
) -> None:
    """Copy where one axis is contiguous in what is read, the last one in what is written."""
    rows, columns = axes[across], axes[-1]
    rest = [axis for k, axis in enumerate(axes[:-1]) if k != across]
    outer, inner = [_Axis(1, 0, 0)] * (2 - len(rest)) + rest
    batch = outer.size * inner.size
    tiles = batch * -(-rows.size // TILE) * -(-columns.size // TILE)
    threads = THREADS if rows.size * columns.size > 128 else 32
    in_blocks(
        TRANSPOSE,
        x.dtype,
        Launch(min(tiles, MOST), threads),
        x,
        out,
        batch,
        inner.size,
        rows.size,
        columns.size,
        start,
        outer.read,
        inner.read,
        columns.read,
        place,
        outer.write,
        inner.write,
        rows.write,
    )
