"""Picking along an axis of an array on a device, adding up what was picked, and checking the numbers that pick."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ops.cuda.kernel import Launch
from ops.cuda.moving.adding import ADD_LINES, ADD_ROWS, SUM_ROWS
from ops.cuda.moving.copies import HELD
from ops.cuda.moving.launches import MOST, THREADS, in_blocks, launched
from ops.cuda.moving.picking import OUTSIDE, PICK
from ops.devices.arrays import DeviceArray, empty
from ops.primitive import PRIMITIVES

FLOATS = (np.float32, np.float64)
SUMMED = (*FLOATS, np.int64)
"""The dtypes that are added up by kernels."""
_LANES = 4096
"""How many lanes look through a list of numbers, at most: each reports one number, all of which are fetched."""
_BLOCKS = 132 * 4
"""Into about so many spans of rows a table is cut at most: four for each multiprocessor of an H200."""


def whole_numbers(x: Any) -> DeviceArray | None:
    """Integers as kernels take them; None for anything else."""
    if type(x) is not DeviceArray or x.dtype.kind not in "iu":
        return None
    return x if x.dtype == np.int64 else PRIMITIVES["astype"](x, dtype="int64")


def outside(*checks: tuple[DeviceArray, int, int], ignored: int | None = None) -> bool:
    """Whether a number of any list lies outside its [low, high), and is not the one to ignore. Waits for the device.

    checks: lists of numbers, each with its low and high. All are looked through before the host waits, once.
    """
    checks = tuple(check for check in checks if check[0].size)
    if not checks:
        return False
    counts = [min(numbers.size, _LANES) for numbers, _, _ in checks]
    found = empty(checks[0][0].device, (sum(counts),), np.int64)
    start = 0
    for (numbers, low, high), lanes in zip(checks, counts, strict=True):
        mine = found.rows(start, start + lanes)
        passed = low if ignored is None else ignored
        launched(OUTSIDE, np.int64, lanes, numbers, mine, numbers.size, lanes, low, high, passed)
        start += lanes
    return bool((found.numpy() >= 0).any())


def picked(
    x: DeviceArray, numbers: DeviceArray, outer: int, height: int, width: int, each: bool = False
) -> DeviceArray:
    """x, seen as (outer, height, width), at a list of numbers for all; or at numbers for each place.

    numbers: int (picked,), or (outer, picked, width) in any shape.  Returns: (outer, picked, width).
    """
    many = numbers.size // max(outer * width, 1) if each else numbers.size
    strides = (many * width, width, 1) if each else (0, 1, 0)
    out = empty(x.device, (outer, many, width), x.dtype)
    arguments = (numbers, x, out, out.size, many, height, width, *strides)
    launched(PICK, x.dtype, -(-out.size // HELD), *arguments)
    return out


def added(
    values: DeviceArray,
    numbers: DeviceArray,
    outer: int,
    height: int,
    width: int,
    *,
    each: bool = False,
    rounded_once: bool = False,
    skipped: int = -1,
) -> DeviceArray:
    """Zeros (outer, height, width) with values added where numbers say, in their order: what `picked` read, given back.

    rounded_once: as if added in float64 and rounded once. skipped: a row that receives nothing.
    """
    out = empty(values.device, (outer, height, width), values.dtype)
    if not out.size:
        return out
    many = values.size // max(outer * width, 1)
    if each and outer * width > 1:
        strides = (many * width, width, 1)
        arguments = (numbers, values, out, outer * width, many, height, width, *strides)
        launched(ADD_LINES, values.dtype, outer * width, *arguments)
        return out
    kernel = SUM_ROWS if rounded_once and values.dtype == np.float32 else ADD_ROWS
    rest = empty(values.device, (out.size if kernel is SUM_ROWS else 1,), values.dtype)
    columns = next((n for n, most in ((1, 1), (8, 8), (32, 128)) if width <= most), THREADS)
    across = -(-width // columns)
    wanted = min(_BLOCKS, max(values.size // 1024, out.size // 65536, 1))
    span = max(1, -(-height * outer * across // wanted))
    blocks = min(outer * -(-height // span) * across, MOST)
    launch = Launch(blocks, 64 if values.size <= 1024 else THREADS)
    sizes = (outer, many, height, width, span, skipped)
    options = {"columns": columns}
    in_blocks(kernel, values.dtype, launch, numbers, values, out, rest, *sizes, options=options)
    return out


def lines_of(shape: tuple[int, ...], axis: int) -> tuple[int, int, int]:
    """A shape seen as what lies before an axis, that axis, and what lies after it."""
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])
