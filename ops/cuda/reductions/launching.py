"""From an axis to launches: a shape collapsed to (outer, size, inner), split by its sizes, reduced or spread again."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ops.axes import axes_of
from ops.cuda.kernel import Launch
from ops.cuda.reductions.columns import AT_ONCE
from ops.cuda.reductions.tables import (
    PLACE_COLUMNS,
    PLACE_ROWS,
    REDUCE_COLUMNS,
    REDUCE_ROWS,
    REDUCE_SHORT_ROWS,
    SPREAD,
)
from ops.devices.arrays import DeviceArray, empty
from ops.reduce import Axis, kept_shape

FULL = 1056
"""Blocks of 256 threads that fill a large GPU: 8 on each of 132 multiprocessors. A number of the shape's alone."""
MOST = 65_535
"""The most blocks of one launch; each takes several pieces of work where there are more."""


class Collapsed(NamedTuple):
    """An array as a reduction over one axis sees it: the sizes before it, of it, and after it."""

    outer: int
    size: int
    inner: int


def passes(shape: tuple[int, ...], axis: Axis) -> list[Collapsed] | None:
    """The reductions over one axis each that make up one over several, last axis first; None for an axis not there.

    Neighbours are reduced together, and axes of size 1 are in nobody's way.

    >>> passes((2, 3, 4), (1, 2)), passes((2, 3, 4), (0, -1))
    ([Collapsed(outer=2, size=12, inner=1)], [Collapsed(outer=6, size=4, inner=1), Collapsed(outer=1, size=2, inner=3)])
    """
    try:
        axes = axes_of(axis, len(shape))
    except (ValueError, TypeError):  # numpy says what is wrong with it
        return None
    runs: list[tuple[bool, int]] = []
    for k, size in enumerate(shape):
        if size != 1:
            gone = k in axes
            if runs and runs[-1][0] == gone:
                size *= runs.pop()[1]
            runs.append((gone, size))
    found, inner = [], 1
    for k in reversed(range(len(runs))):
        gone, size = runs[k]
        if gone:
            found.append(Collapsed(math.prod(other for _, other in runs[:k]), size, inner))
        else:
            inner *= size
    return found or [Collapsed(math.prod(shape), 1, 1)]


def reduced_shape(shape: tuple[int, ...], axis: Axis, keepdims: bool) -> tuple[int, ...]:
    """The shape of a reduction.

    >>> reduced_shape((2, 3, 4), (0, -1), False), reduced_shape((2, 3), 1, True)
    ((3,), (2, 1))
    """
    if keepdims:
        return kept_shape(shape, axis)
    gone = axes_of(axis, len(shape))
    return tuple(size for k, size in enumerate(shape) if k not in gone)


def reduced(
    x: DeviceArray,
    over: list[Collapsed],
    operation: str,
    *,
    mapping: str = "itself",
    level: DeviceArray | None = None,
    count: float | None = None,
) -> DeviceArray:
    """x reduced over some axes; divided by `count`, if there is one. The result is flat.

    level: what a mapping compares the elements with, one number for each of the result.
    """
    level = None if level is None else raised(over, level)
    for number, each in enumerate(over):
        last = number == len(over) - 1
        first: dict[str, Any] = {"mapping": mapping, "level": level} if number == 0 else {}
        x = _pass(x, each, operation, count=count if last else None, **first)
    return x.reshape(-1)


def _pass(
    x: DeviceArray,
    at: Collapsed,
    operation: str,
    *,
    mapping: str = "itself",
    level: DeviceArray | None = None,
    count: float | None = None,
) -> DeviceArray:
    parts = parts_of(at)
    options = {"operation": operation, "mapping": mapping, "divides": count is not None}
    if parts > 1:
        options["divides"] = False
        found = _launch(x, at, parts, options, level, 1.0)
        return _pass(found, Collapsed(at.outer, parts, at.inner), operation, count=count)
    return _launch(x, at, 1, options, level, 1.0 if count is None else count)


def parts_of(at: Collapsed) -> int:
    """In how many parts a reduction is cut, so that there is work for a whole GPU: by its shape alone.

    >>> parts_of(Collapsed(1, 2**28, 1)), parts_of(Collapsed(1, 65536, 1024)), parts_of(Collapsed(64, 100, 1))
    (1056, 33, 1)
    """
    if at.inner == 1:
        return max(1, min(FULL // max(at.outer, 1), at.size // 4096))
    strips = -(-at.inner // 32)
    return max(1, min(FULL // max(at.outer * strips, 1), at.size // 128))


def part_sums(x: DeviceArray, at: Collapsed, parts: int) -> DeviceArray:
    """The sum of each part of an axis that is cut in so many: (outer, parts, inner)."""
    options = {"operation": "add", "mapping": "itself", "divides": False}
    return _launch(x, at, parts, options, None, 1.0)


def _launch(
    x: DeviceArray,
    at: Collapsed,
    parts: int,
    options: dict[str, Any],
    level: DeviceArray | None,
    count: float,
) -> DeviceArray:
    out = empty(x.device, (at.outer, parts, at.inner), x.dtype)
    if not out.size:
        return out
    number = count if x.dtype.kind == "f" else int(count)
    if at.inner > 1:
        width, depth = strip(at)
        strips = -(-at.inner // width)
        base = x if level is None else level
        arguments = [
            x.reshape(at).memory,
            base.reshape(at if level is None else (at.outer, 1, at.inner)).memory,
            out.memory,
            number,
        ]
        launch = Launch(min(at.outer * parts * strips, MOST), width * depth)
        options = {**options, "width": width, "depth": depth}
        x.device.launch(REDUCE_COLUMNS, x.dtype, launch, arguments, options)
        return out
    rows = x.reshape(at.outer, at.size)
    base = rows if level is None else level.reshape(at.outer, 1)
    arguments = [rows.memory, base.memory, out.reshape(at.outer, parts).memory, number]
    if parts == 1 and (at.size <= 256 or (at.size <= 2048 and at.outer >= 4096)):
        lanes = min(32, power_above(-(-at.size // 4)))
        threads = 256 if at.outer * lanes >= 256 else 32
        launch = Launch(min(-(-at.outer * lanes // threads), MOST), threads)
        options = {**options, "lanes": lanes}
        x.device.launch(REDUCE_SHORT_ROWS, x.dtype, launch, arguments, options)
        return out
    lanes = 256 if at.size // parts > 512 else 64
    launch = Launch(min(at.outer * parts, MOST), lanes)
    x.device.launch(REDUCE_ROWS, x.dtype, launch, arguments, {**options, "lanes": lanes})
    return out


def power_above(number: int) -> int:
    """The smallest power of two that is not below a number.

    >>> [power_above(n) for n in (0, 1, 3, 32)]
    [1, 1, 4, 32]
    """
    return 1 << max(number - 1, 0).bit_length()


def strip(at: Collapsed) -> tuple[int, int]:
    """How wide and how deep the strip of a block is: a warp wide, unless the columns are few, or short.

    >>> strip(Collapsed(1, 1000, 64)), strip(Collapsed(1, 1000, 3)), strip(Collapsed(9, 4, 1000))
    ((32, 8), (4, 64), (256, 1))
    """
    if at.size <= 8 and at.inner >= 128:
        return 256, 1
    width = min(32, power_above(at.inner))
    return width, min(256 // width, max(power_above(at.size), 32 // width))


def raised(over: list[Collapsed], numbers: DeviceArray) -> DeviceArray:
    """The numbers of a reduction over several axes, one for each result of the first of its passes."""
    for at in reversed(over[1:]):
        numbers = spread_back(at, "share", numbers)
    return numbers


def spread_over(
    over: list[Collapsed],
    how: str,
    g: DeviceArray,
    level: DeviceArray | None = None,
    x: DeviceArray | None = None,
) -> DeviceArray:
    """What every element of x receives of a reduction over several axes: flat; but for small numbers, in one pass."""
    level = None if level is None else raised(over, level)
    return spread_back(over[0], how, raised(over, g), level, x)


def spread_back(
    at: Collapsed,
    how: str,
    g: DeviceArray,
    level: DeviceArray | None = None,
    x: DeviceArray | None = None,
) -> DeviceArray:
    """What every element of x receives of the number g of its reduction: flat, in one pass over memory."""
    flow = empty(g.device, (at.outer * at.size * at.inner,), g.dtype)
    if not flow.size:
        return flow
    along = at.inner == 1
    shape = (1, at.outer, at.size) if along else tuple(at)
    numbers = (1, at.outer) if along else (at.outer, at.inner)
    if along:
        width = min(256, power_above(-(-at.size // AT_ONCE)))
        depth = max(min(256 // width, power_above(at.outer)), 32 // width, 1)
        tall, wide = depth, AT_ONCE * width
    else:
        width, depth = strip(at)
        tall, wide = AT_ONCE * depth, width
    pieces = shape[0] * -(-shape[1] // tall) * -(-shape[2] // wide)
    g = g.reshape(numbers)
    arguments = [
        g.memory,
        (g if level is None else level.reshape(numbers)).memory,
        (flow if x is None else x).reshape(shape).memory,
        flow.reshape(shape).memory,
    ]
    options = {"how": how, "along": along, "width": width, "depth": depth}
    launch = Launch(min(pieces, MOST), width * depth)
    g.device.launch(SPREAD, g.dtype, launch, arguments, options)
    return flow


LEAST = 128
"""Elements that a thread searches at least, where columns are cut."""


def places(x: DeviceArray, at: Collapsed, *, larger: bool) -> DeviceArray:
    """Where along its axis the largest or smallest element stands: int64, flat.

    A long axis is searched in parts, and what they found again, until one is left.
    """
    found, parts = _places(x, at, None, larger=larger)
    while parts > 1:
        found, parts = _places(x, at, found, larger=larger)
    return found


def _places(
    x: DeviceArray, at: Collapsed, among: DeviceArray | None, *, larger: bool
) -> tuple[DeviceArray, int]:
    """Where it stands in each part of the axis, or of the places that parts of it found; and how many parts."""
    size = at.size if among is None else among.shape[1]
    if at.inner > 1:  # a thread to each part
        parts = max(1, min(64 * FULL // max(at.outer * at.inner, 1), size // LEAST))
    else:
        parts = parts_of(at._replace(size=size))
    out = empty(x.device, (at.outer, parts, at.inner), "int64")
    if not out.size:
        return out, 1
    options: dict[str, Any] = {"larger": larger, "again": among is not None}
    given = out if among is None else among
    if at.inner > 1:
        threads = 256 if out.size >= 256 else 32
        launch = Launch(min(-(-out.size // threads), MOST), threads)
        arguments = [x.reshape(at).memory, given.memory, out.memory]
        x.device.launch(PLACE_COLUMNS, x.dtype, launch, arguments, options)
        return out, parts
    rows = (x.reshape(at.outer, at.size), given.reshape(at.outer, -1), out.reshape(at.outer, parts))
    lanes = 256 if size // parts > 512 else 32
    launch = Launch(min(at.outer * parts, MOST), lanes)
    options["lanes"] = lanes
    x.device.launch(PLACE_ROWS, x.dtype, launch, [each.memory for each in rows], options)
    return out, parts
