"""Kernels that reduce along rows: a block to a row, or to a part of a long one; a few lanes of a warp to a short one.

A row is summed by virtual lanes: lane l takes elements l, l + lanes, ..., in groups of 8 whose loads are in flight
together, and the lanes are added up a tree. So the order of a sum follows from the length of the row alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any

WARP = 32
ALL = 0xFFFFFFFF
GROUP = 8
"""How many elements of a lane are loaded at once."""

NEVER_NEGATIVE = (1 << 48) - 1
"""A mask that changes no index, but tells the compiler that none counts from the end: loads share one address."""


def start_of(operation: str, T: Any) -> Any:
    """What a reduction starts from: it changes no element that it is joined with.

    >>> start_of("multiply", np.float32), start_of("largest", np.float64)
    (np.float32(1.0), np.float64(-inf))
    """
    if operation in ("add", "multiply"):
        return T(operation == "multiply")
    if np.issubdtype(T, np.integer):
        return T(np.iinfo(T).min if operation == "largest" else np.iinfo(T).max)
    return T(-np.inf if operation == "largest" else np.inf)


def build_rows(
    cuda: Any,
    math: Any,
    T: Any,
    threads: int,
    *,
    operation: str = "add",
    mapping: str = "itself",
    divides: bool = False,
    lanes: int = 256,
) -> Any:
    """out[r, s]: the reduction of part s of row r of x; if it `divides`, that over `count`.

    It adds, multiplies, or finds the largest or smallest of the elements, their squares or magnitudes, the squares of
    their distances from a level, or ones where an element is not smaller, or not larger, than the level.
    x: (rows, size). level: (rows, 1), which some mappings read. out: (rows, parts).
    """
    zero, one, start = T(0), T(1), start_of(operation, T)
    adds, multiplies, larger = operation == "add", operation == "multiply", operation == "largest"
    squares, magnitudes, deviates = (
        mapping == "square",
        mapping == "magnitude",
        mapping == "deviation",
    )
    not_smaller, not_larger = mapping == "not smaller", mapping == "not larger"
    levelled = deviates or not_smaller or not_larger
    warps = lanes // WARP

    def kernel(x: Array, level: Array, out: Array, count: Any) -> None:
        found = cuda.shared.array((2, warps), T)
        held = cuda.local.array(GROUP, T)
        size, parts = x.shape[1], out.shape[1]
        turn = 0  # two rows of partial results in turn: nobody writes one while it may be read
        for item in range(cuda.blockIdx.x, x.shape[0] * parts, cuda.gridDim.x):
            row = item // parts
            part = item % parts
            last = size * (part + 1) // parts
            base = zero
            if levelled:
                base = level[row, 0]
            for lane in range(cuda.threadIdx.x, lanes, threads):
                total = start
                for at in range(size * part // parts + lane, last, GROUP * lanes):
                    low = at & NEVER_NEGATIVE
                    if low + (GROUP - 1) * lanes < last:
                        for k in range(GROUP):
                            held[k] = x[row, low + k * lanes]
                    else:
                        for k in range(GROUP):
                            j = low + k * lanes
                            held[k] = x[row, j if j < last else low]
                    group = start
                    for k in range(GROUP):
                        v = held[k]
                        if squares:
                            v = v * v
                        if magnitudes:
                            v = T(math.fabs(v))
                        if deviates:
                            v = (v - base) * (v - base)
                        if not_smaller:
                            v = zero if v < base else one
                        if not_larger:
                            v = zero if v > base else one
                        if low + k * lanes >= last:
                            v = start
                        if adds:
                            group += v
                        elif multiplies:
                            group *= v
                        elif (v > group if larger else v < group) or v != v:
                            group = v
                    if adds:
                        total += group
                    elif multiplies:
                        total *= group
                    elif (group > total if larger else group < total) or group != group:
                        total = group
                step = 16
                while step > 0:
                    v = cuda.shfl_down_sync(ALL, total, step)
                    if adds:
                        total += v
                    elif multiplies:
                        total *= v
                    elif (v > total if larger else v < total) or v != v:
                        total = v
                    step //= 2
                if lane % WARP == 0:
                    found[turn, lane // WARP] = total
            cuda.syncthreads()
            if cuda.threadIdx.x == 0:
                total = found[turn, 0]
                for warp in range(1, warps):
                    v = found[turn, warp]
                    if adds:
                        total += v
                    elif multiplies:
                        total *= v
                    elif (v > total if larger else v < total) or v != v:
                        total = v
                if divides:
                    total = total / count
                out[row, part] = total
            turn = 1 - turn

    return kernel


def build_short_rows(
    cuda: Any,
    math: Any,
    T: Any,
    threads: int,
    *,
    operation: str = "add",
    mapping: str = "itself",
    divides: bool = False,
    lanes: int = 32,
) -> Any:
    """out[r, 0]: the reduction of row r of x, by 1 to 32 lanes of a warp. Arguments as of rows."""
    zero, one, start = T(0), T(1), start_of(operation, T)
    adds, multiplies, larger = operation == "add", operation == "multiply", operation == "largest"
    squares, magnitudes, deviates = (
        mapping == "square",
        mapping == "magnitude",
        mapping == "deviation",
    )
    not_smaller, not_larger = mapping == "not smaller", mapping == "not larger"
    levelled = deviates or not_smaller or not_larger
    together = WARP // lanes

    def kernel(x: Array, level: Array, out: Array, count: Any) -> None:
        held = cuda.local.array(GROUP, T)
        rows, size = x.shape[0], x.shape[1]
        warp = cuda.grid(1) // WARP
        place = cuda.threadIdx.x & 31  # not %: so the compiler knows that no index is negative
        lane = place & (lanes - 1)
        # the warp stays together, also where its last rows are not there: all its lanes exchange their sums
        for low in range(warp * together, rows, cuda.gridsize(1) // lanes):
            row = low + place // lanes
            there = row < rows
            total = start
            if there:
                base = zero
                if levelled:
                    base = level[row, 0]
                for at in range(lane, size, GROUP * lanes):
                    first = at & NEVER_NEGATIVE
                    if first + (GROUP - 1) * lanes < size:
                        for k in range(GROUP):
                            held[k] = x[row, first + k * lanes]
                    else:
                        for k in range(GROUP):
                            j = first + k * lanes
                            held[k] = x[row, j if j < size else first]
                    group = start
                    for k in range(GROUP):
                        v = held[k]
                        if squares:
                            v = v * v
                        if magnitudes:
                            v = T(math.fabs(v))
                        if deviates:
                            v = (v - base) * (v - base)
                        if not_smaller:
                            v = zero if v < base else one
                        if not_larger:
                            v = zero if v > base else one
                        if first + k * lanes >= size:
                            v = start
                        if adds:
                            group += v
                        elif multiplies:
                            group *= v
                        elif (v > group if larger else v < group) or v != v:
                            group = v
                    if adds:
                        total += group
                    elif multiplies:
                        total *= group
                    elif (group > total if larger else group < total) or group != group:
                        total = group
            step = lanes // 2
            while step > 0:
                v = cuda.shfl_down_sync(ALL, total, step)
                if adds:
                    total += v
                elif multiplies:
                    total *= v
                elif (v > total if larger else v < total) or v != v:
                    total = v
                step //= 2
            if there and lane == 0:
                if divides:
                    total = total / count
                out[row, 0] = total

    return kernel
