"""Reductions of one contiguous row for compiled kernels, in partial sums that keep pace with pairwise summation.

LLVM turns a loop into vector instructions only if no sum in it depends on the one before; and only if it can check in
at most eight comparisons that what is written overlaps nothing that is read. So a row is first folded onto a quarter or
a half of its length, element by element, and that into LANES partial sums.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ops.kernels.compiling import jit
from ops.primitive import Array

F = TypeVar("F", bound=Callable[..., Any])

LINE = 64
"""Bytes of a cache line: vector loads that cross two of them cost double."""
LONG = 1 << 20
"""From how many elements on it pays to treat the columns before a cache line apart."""
LANES = 64
"""How many partial sums a row is summed in."""


def contracted(function: F) -> F:
    """Compiled, a product and its addition rounded once."""
    return jit(function, contract=True)


@contracted
def workspace(rows: int, size: int, like: Array) -> Array:
    """Unset rows in the dtype of `like`, at least as long as `size`, each of which starts a cache line."""
    number = LINE // like.itemsize
    length = (size + number - 1) // number * number
    flat = np.empty(rows * length + number, like.dtype)
    first = -flat.ctypes.data % LINE // like.itemsize
    return flat[first : first + rows * length].reshape(rows, length)


@contracted
def to_line(x: Array) -> Any:
    """How many columns of x (N, D) come before the first that starts a cache line in every row; 0 if none does.

    Numpy puts large arrays 16 bytes behind the start of a page, so that every vector load would cross two lines.
    """
    if x.shape[1] * x.itemsize % LINE or x.size < LONG:
        return 0
    return -x.ctypes.data % LINE // x.itemsize


@contracted
def folded(t: Array, size: int) -> Any:
    """The sum of the first elements of t, in LANES partial sums; t is overwritten."""
    if size < LANES:
        total = t[0]
        for j in range(1, size):
            total += t[j]
        return total
    lanes = t[:LANES]
    whole = size // LANES * LANES
    for k in range(LANES, whole, LANES):
        more = t[k : k + LANES]
        for j in range(LANES):
            lanes[j] += more[j]
    more = t[whole:size]
    for j in range(size - whole):
        lanes[j] += more[j]
    for j in range(16):
        lanes[j] = (lanes[j] + lanes[j + 16]) + (lanes[j + 32] + lanes[j + 48])
    for j in range(8):
        lanes[j] += lanes[j + 8]
    for j in range(4):
        lanes[j] += lanes[j + 4]
    return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])


@contracted
def row_sum(p: Array, t: Array) -> Any:
    """The sum of a row p: (D,). t: (D,), overwritten."""
    part = p.size // 4
    a, b, c, d = p[:part], p[part : 2 * part], p[2 * part : 3 * part], p[3 * part : 4 * part]
    for j in range(part):
        t[j] = (a[j] + b[j]) + (c[j] + d[j])
    total = p.dtype.type(0)
    for rest in p[4 * part :]:
        total += rest
    return total + folded(t, part) if part else total


@contracted
def row_squares(p: Array, centre: Any, t: Array) -> Any:
    """The sum of (p − centre)² over a row p: (D,). t: (D,), overwritten."""
    part = p.size // 4
    a, b, c, d = p[:part], p[part : 2 * part], p[2 * part : 3 * part], p[3 * part : 4 * part]
    for j in range(part):
        x0, x1, x2, x3 = a[j] - centre, b[j] - centre, c[j] - centre, d[j] - centre
        t[j] = (x0 * x0 + x1 * x1) + (x2 * x2 + x3 * x3)
    total = p.dtype.type(0)
    for rest in p[4 * part :]:
        total += (rest - centre) * (rest - centre)
    return total + folded(t, part) if part else total


@contracted
def row_dot(d: Array, scale: Array, t: Array) -> Any:
    """The sum of d scale over a row. d, scale: (D,). t: (D,), overwritten."""
    half = d.size // 2
    d0, d1, s0, s1 = d[:half], d[half : 2 * half], scale[:half], scale[half : 2 * half]
    for j in range(half):
        t[j] = d0[j] * s0[j] + d1[j] * s1[j]
    total = d.dtype.type(0)
    if d.size > 2 * half:
        total += d[d.size - 1] * scale[d.size - 1]
    return total + folded(t, half) if half else total


@contracted
def row_slope(d: Array, scale: Array, p: Array, centre: Any, t: Array) -> Any:
    """The sum of d scale (p − centre) over a row. d, scale, p: (D,). t: (D,), overwritten."""
    half = d.size // 2
    d0, d1, s0, s1 = d[:half], d[half : 2 * half], scale[:half], scale[half : 2 * half]
    p0, p1 = p[:half], p[half : 2 * half]
    for j in range(half):
        t[j] = d0[j] * s0[j] * (p0[j] - centre) + d1[j] * s1[j] * (p1[j] - centre)
    total = d.dtype.type(0)
    if d.size > 2 * half:
        last = d.size - 1
        total += d[last] * scale[last] * (p[last] - centre)
    return total + folded(t, half) if half else total


@contracted
def row_max(p: Array, t: Array) -> Any:
    """The largest element of a row p: (D,), any if one is NaN. t: (LANES,), overwritten."""
    top = p[0]
    if p.size < 2 * LANES:
        for x in p:
            top = x if x > top else top
        return top
    for j in range(LANES):
        t[j] = p[j]
    whole = p.size // LANES * LANES
    for k in range(LANES, whole, LANES):
        q = p[k : k + LANES]
        for j in range(LANES):
            t[j] = q[j] if q[j] > t[j] else t[j]
    for x in t[:LANES]:
        top = x if x > top else top
    for x in p[whole:]:
        top = x if x > top else top
    return top
