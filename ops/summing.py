"""Sums over axes of arrays in float32 that keep their digits: numpy adds pairwise only where elements lie side by side.

Down the rows of (65536, 8) it adds one after the other: a mean of 1e4 is then off by 3, and of 2^25 ones 2^24 are lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any

add_reduce: Callable[..., Any] = np.add.reduce
"""np.sum without its layers: the same number at half the cost for small arrays."""

BLOCK = 64
"""How many numbers are added one after the other where there are more than `LONG`."""
LONG = 256
LEAST = 4096
"""From how many elements on an array is looked at: below, few enough are added."""
WIDE = 1024
"""From how many elements of a row on rows are added block by block, which leaves the sums in the nearest cache."""


def total(x: Array, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Array:
    """The sum over axes, as numpy has it; of float32 in blocks where more than 256 would be added in a row.

    >>> tenths = np.full((2**20, 2), 0.1, np.float32)
    >>> round(np.sum(tenths, axis=0)[0]), round(total(tenths, axis=0)[0])
    (105892, 104858)
    """
    if x.size < LEAST or x.dtype.char != "f":
        return add_reduce(x, axis=axis, keepdims=keepdims)
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    reduced = {a + x.ndim if a < 0 else a for a in axes}
    sound = len(reduced) == len(axes) and all(0 <= a < x.ndim for a in reduced)
    far = _far(x, reduced) if sound else []  # numpy says what is wrong with an axis
    if not far:
        return add_reduce(x, axis=axis, keepdims=keepdims)
    y = x
    if len(far) < len(reduced):
        y = add_reduce(y, axis=tuple(sorted(reduced.difference(far))), keepdims=True)
    for a in far:
        y = _in_blocks(y, a)
    return y if keepdims else y.reshape([n for a, n in enumerate(y.shape) if a not in reduced])


def _far(x: Array, reduced: set[int]) -> list[int]:
    """The axes that numpy adds one after the other, if long: those that are not part of its innermost loop."""
    steps = {a: abs(x.strides[a]) for a in range(x.ndim) if x.shape[a] > 1 and x.strides[a]}
    inner = min(steps, key=steps.__getitem__, default=-1)
    near = set()
    while inner in reduced:
        near.add(inner)
        after = steps[inner] * x.shape[inner]
        inner = next((a for a in steps if steps[a] == after and a not in near), -1)
    far = sorted(reduced - near, reverse=True)
    return far if math.prod(x.shape[a] for a in far) > LONG else []


def _in_blocks(x: Array, axis: int) -> Array:
    """The sum along one axis, which stays: blocks of 64, blocks of 64 of these, and so on."""
    n = x.shape[axis]
    if n <= BLOCK:
        return add_reduce(x, axis=axis, keepdims=True)
    parts = n // BLOCK
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    lead = (slice(None),) * axis
    head, tail = x[(*lead, slice(parts * BLOCK))], x[(*lead, slice(parts * BLOCK, None))]
    # a block is 64 rows in a row or, where rows are short, 64 far apart: then many are added in one long loop
    if math.prod(after) >= WIDE:
        sums = add_reduce(head.reshape(*before, parts, BLOCK, *after), axis=axis + 1)
    else:
        sums = add_reduce(head.reshape(*before, BLOCK, parts, *after), axis=axis)
    found = _in_blocks(sums, axis)
    return found + add_reduce(tail, axis=axis, keepdims=True) if tail.size else found
