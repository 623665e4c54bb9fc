"""The backward pass of max pooling in compiled loops. Forwards, numpy is faster: a maximum of slices, axis by axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ops.kernels.acceleration import Acceleration
from ops.kernels.compiling import jit
from ops.kernels.windows import one_float_type, two
from ops.pooling import max_pool1d, max_pool2d, pool_windows

Array = Any


@jit
def reach(start: int, step: int, kernel: int, size: int) -> tuple[int, int]:
    """Of the places k < kernel of a window, those whose element start + k · step exists: from the first to before."""
    first, last = 0, kernel
    while first < last and start + first * step < 0:
        first += 1
    while last > first and start + (last - 1) * step >= size:
        last -= 1
    return first, last


@jit
def share_among_largest(
    g: Array, top: Array, x: Array, to_x: Array, width: int, steps: tuple[int, ...]
) -> None:
    """Each cotangent shared by the elements of its window that are not smaller than the largest. to_x is overwritten.

    g, top: float (images, rows, windows in a row). x, to_x: float (images, height · width).
    steps: kernel, dilation, stride and padding in front, each of rows and then of columns.
    """
    kernel_rows, kernel_width, dy, dx, sy, sx, py, px = steps
    images, rows, count = top.shape
    height = x.shape[1] // width
    for n in range(images):
        seen, sent = x[n], to_x[n]
        sent[:] = 0
        for r in range(rows):
            y = r * sy - py
            low, high = reach(y, dy, kernel_rows, height)
            for i in range(count):
                largest = top[n, r, i]
                left, right = reach(i * sx - px, dx, kernel_width, width)
                ties, place = 0, 0
                # an unsigned index is not looked at for being counted from the end
                for k in range(low, high):
                    start = (y + k * dy) * width + i * sx - px
                    for m in range(left, right):
                        ties_too = not seen[np.uintp(start + m * dx)] < largest
                        ties += ties_too
                        place = start + m * dx if ties_too else place
                if ties == 1:
                    sent[np.uintp(place)] += g[n, r, i]
                    continue
                share = g[n, r, i] / ties
                for k in range(low, high):
                    start = (y + k * dy) * width + i * sx - px
                    for m in range(left, right):
                        if not seen[np.uintp(start + m * dx)] < largest:
                            sent[np.uintp(start + m * dx)] += share


def pull_max_pool(
    g: Array,
    out: Array,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any]:
    """The cotangent of x."""
    (x,) = inputs
    at = pool_windows(x.shape[2:], **params)
    images = x.shape[0] * x.shape[1]
    sides = at.before if len(at.before) == 2 else (0, *at.before)
    steps = (*two(at.kernel), *two(at.dilation), *two(at.stride), *sides)
    rows = (images, *two(at.counts))
    size = x.size // images if images else 0
    to_x = np.empty((images, size), dtype=x.dtype)
    share_among_largest(
        np.ascontiguousarray(g).reshape(rows),
        np.ascontiguousarray(out).reshape(rows),
        x.reshape(images, size),
        to_x,
        x.shape[-1],
        steps,
    )
    return [to_x.reshape(x.shape)]


def _fits(inputs: Sequence[Any], params: Mapping[str, Any]) -> bool:
    return one_float_type(inputs)


ACCELERATIONS: dict[str, Acceleration] = {
    "max_pool1d": Acceleration(_fits, max_pool1d.kernel, pull_max_pool, 8),
    "max_pool2d": Acceleration(_fits, max_pool2d.kernel, pull_max_pool, 8),
}
